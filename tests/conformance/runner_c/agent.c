/*
 * tests/conformance/runner_c/agent.c: the agent of C (README.md in the folder above): each operation through its public function.
 *
 * One thread reads; a background operation has a thread of its own. Handles and cursors live in one table of names.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "brant.h"

typedef brant_status (*operation_function)(char **, size_t *, brant_db *, const char *, size_t);

/* The registry's names and the public functions: what a C programmer would call. */
static const struct {
    const char *name;
    operation_function function;
} operations[] = {
    {"access.assign", brant_access_assign},
    {"access.check", brant_access_check},
    {"access.check_many", brant_access_check_many},
    {"access.delegate", brant_access_delegate},
    {"access.deny", brant_access_deny},
    {"access.expand", brant_access_expand},
    {"access.explain", brant_access_explain},
    {"access.grant", brant_access_grant},
    {"access.list_objects", brant_access_list_objects},
    {"access.list_subjects", brant_access_list_subjects},
    {"access.put", brant_access_put},
    {"access.remove", brant_access_remove},
    {"access.revoke", brant_access_revoke},
    {"access.seed", brant_access_seed},
    {"access.set_parent", brant_access_set_parent},
    {"access.sync", brant_access_sync},
    {"accounts.create", brant_account_create},
    {"accounts.deactivate", brant_account_deactivate},
    {"accounts.delete", brant_account_delete},
    {"accounts.find", brant_account_find},
    {"accounts.get", brant_account_get},
    {"accounts.list", brant_account_list},
    {"accounts.reactivate", brant_account_reactivate},
    {"accounts.update", brant_account_update},
    {"api_keys.create", brant_api_key_create},
    {"api_keys.get", brant_api_key_get},
    {"api_keys.import", brant_api_key_import},
    {"api_keys.list", brant_api_key_list},
    {"api_keys.revoke", brant_api_key_revoke},
    {"api_keys.rotate", brant_api_key_rotate},
    {"api_keys.verify", brant_api_key_verify},
    {"audit.append", brant_audit_append},
    {"audit.checkpoint", brant_audit_checkpoint},
    {"audit.checkpoints", brant_audit_checkpoints},
    {"audit.erase_subject", brant_audit_erase_subject},
    {"audit.export", brant_audit_export},
    {"audit.get", brant_audit_get},
    {"audit.keep", brant_audit_keep},
    {"audit.list", brant_audit_list},
    {"audit.prove", brant_audit_prove},
    {"audit.prune", brant_audit_prune},
    {"audit.verify", brant_audit_verify},
    {"auth.authenticate", brant_auth_authenticate},
    {"calls.project", brant_call_project},
    {"calls.publish", brant_call_publish},
    {"consumers.ack", brant_consumer_ack},
    {"consumers.claim", brant_consumer_claim},
    {"consumers.commit", brant_consumer_commit},
    {"consumers.delete", brant_consumer_delete},
    {"consumers.extend", brant_consumer_extend},
    {"consumers.get", brant_consumer_get},
    {"consumers.list", brant_consumer_list},
    {"consumers.release", brant_consumer_release},
    {"consumers.seek", brant_consumer_seek},
    {"db.backup", brant_db_backup},
    {"db.doctor", brant_db_doctor},
    {"db.erase", brant_db_erase},
    {"db.info", brant_db_info},
    {"db.maintain", brant_db_maintain},
    {"db.metrics", brant_db_metrics},
    {"db.restore", brant_db_restore},
    {"edges.count", brant_edge_count},
    {"edges.delete", brant_edge_delete},
    {"edges.delete_many", brant_edge_delete_many},
    {"edges.exists", brant_edge_exists},
    {"edges.explain", brant_edge_explain},
    {"edges.get", brant_edge_get},
    {"edges.insert", brant_edge_insert},
    {"edges.insert_many", brant_edge_insert_many},
    {"edges.list", brant_edge_list},
    {"edges.open_secret", brant_edge_open_secret},
    {"edges.patch", brant_edge_patch},
    {"edges.patch_many", brant_edge_patch_many},
    {"edges.put", brant_edge_put},
    {"edges.put_many", brant_edge_put_many},
    {"edges.search", brant_edge_search},
    {"envelopes.open", brant_envelope_open},
    {"envelopes.rewrap", brant_envelope_rewrap},
    {"envelopes.seal", brant_envelope_seal},
    {"events.channels", brant_event_channels},
    {"events.notify", brant_event_notify},
    {"events.set_retention", brant_event_set_retention},
    {"graph_types.check", brant_graph_type_check},
    {"graph_types.define", brant_graph_type_define},
    {"graph_types.delete", brant_graph_type_delete},
    {"graph_types.diff", brant_graph_type_diff},
    {"graph_types.get", brant_graph_type_get},
    {"graph_types.list", brant_graph_type_list},
    {"graph_types.migrate", brant_graph_type_migrate},
    {"graph_types.migration", brant_graph_type_migration},
    {"graph_types.set_retention", brant_graph_type_set_retention},
    {"graph_types.update", brant_graph_type_update},
    {"graph_types.validate_edge", brant_graph_type_validate_edge},
    {"graph_types.validate_node", brant_graph_type_validate_node},
    {"graphs.arrays", brant_graph_arrays},
    {"graphs.changes", brant_graph_changes},
    {"graphs.components", brant_graph_components},
    {"graphs.count_walks", brant_graph_count_walks},
    {"graphs.create", brant_graph_create},
    {"graphs.degrees", brant_graph_degrees},
    {"graphs.delete", brant_graph_delete},
    {"graphs.diff", brant_graph_diff},
    {"graphs.export", brant_graph_export},
    {"graphs.find_cycle", brant_graph_find_cycle},
    {"graphs.get", brant_graph_get},
    {"graphs.import", brant_graph_import},
    {"graphs.list", brant_graph_list},
    {"graphs.pagerank", brant_graph_pagerank},
    {"graphs.paths", brant_graph_paths},
    {"graphs.purge", brant_graph_purge},
    {"graphs.replay", brant_graph_replay},
    {"graphs.shortest_path", brant_graph_shortest_path},
    {"graphs.shortest_paths", brant_graph_shortest_paths},
    {"graphs.subgraph", brant_graph_subgraph},
    {"graphs.topological_order", brant_graph_topological_order},
    {"graphs.update", brant_graph_update},
    {"identity.schemas", brant_identity_schemas},
    {"indexes.create", brant_index_create},
    {"indexes.delete", brant_index_delete},
    {"indexes.list", brant_index_list},
    {"invitations.accept", brant_invitation_accept},
    {"invitations.cancel", brant_invitation_cancel},
    {"invitations.create", brant_invitation_create},
    {"invitations.get", brant_invitation_get},
    {"invitations.list", brant_invitation_list},
    {"invitations.reject", brant_invitation_reject},
    {"jobs.ack", brant_job_ack},
    {"jobs.ack_many", brant_job_ack_many},
    {"jobs.cancel", brant_job_cancel},
    {"jobs.delete", brant_job_delete},
    {"jobs.fail", brant_job_fail},
    {"jobs.get", brant_job_get},
    {"jobs.heartbeat", brant_job_heartbeat},
    {"jobs.heartbeat_many", brant_job_heartbeat_many},
    {"jobs.list", brant_job_list},
    {"jobs.release", brant_job_release},
    {"jobs.requeue", brant_job_requeue},
    {"jobs.requeue_many", brant_job_requeue_many},
    {"jobs.snooze", brant_job_snooze},
    {"jobs.update", brant_job_update},
    {"keyring.derive", brant_keyring_derive},
    {"keyring.generate", brant_keyring_generate},
    {"keyring.info", brant_keyring_info},
    {"locks.acquire", brant_lock_acquire},
    {"locks.break", brant_lock_break},
    {"locks.get", brant_lock_get},
    {"locks.list", brant_lock_list},
    {"locks.refresh", brant_lock_refresh},
    {"locks.release", brant_lock_release},
    {"members.add", brant_member_add},
    {"members.get", brant_member_get},
    {"members.leave", brant_member_leave},
    {"members.list", brant_member_list},
    {"members.remove", brant_member_remove},
    {"members.resume", brant_member_resume},
    {"members.set_level", brant_member_set_level},
    {"members.suspend", brant_member_suspend},
    {"modules.cast", brant_module_cast},
    {"modules.diff", brant_module_diff},
    {"modules.patch", brant_module_patch},
    {"modules.types", brant_module_types},
    {"modules.validate_edge", brant_module_validate_edge},
    {"modules.validate_node", brant_module_validate_node},
    {"nodes.closure", brant_node_closure},
    {"nodes.count", brant_node_count},
    {"nodes.delete", brant_node_delete},
    {"nodes.delete_many", brant_node_delete_many},
    {"nodes.exists", brant_node_exists},
    {"nodes.explain", brant_node_explain},
    {"nodes.get", brant_node_get},
    {"nodes.get_many", brant_node_get_many},
    {"nodes.insert", brant_node_insert},
    {"nodes.insert_many", brant_node_insert_many},
    {"nodes.list", brant_node_list},
    {"nodes.neighbors", brant_node_neighbors},
    {"nodes.open_secret", brant_node_open_secret},
    {"nodes.patch", brant_node_patch},
    {"nodes.patch_many", brant_node_patch_many},
    {"nodes.put", brant_node_put},
    {"nodes.put_many", brant_node_put_many},
    {"nodes.search", brant_node_search},
    {"operations.list", brant_operation_list},
    {"organizations.create", brant_organization_create},
    {"organizations.delete", brant_organization_delete},
    {"organizations.get", brant_organization_get},
    {"organizations.list", brant_organization_list},
    {"organizations.resume", brant_organization_resume},
    {"organizations.suspend", brant_organization_suspend},
    {"organizations.transfer", brant_organization_transfer},
    {"organizations.update", brant_organization_update},
    {"queues.claim", brant_queue_claim},
    {"queues.configure", brant_queue_configure},
    {"queues.delete", brant_queue_delete},
    {"queues.drain", brant_queue_drain},
    {"queues.enqueue", brant_queue_enqueue},
    {"queues.enqueue_many", brant_queue_enqueue_many},
    {"queues.get", brant_queue_get},
    {"queues.list", brant_queue_list},
    {"queues.pause", brant_queue_pause},
    {"queues.prune", brant_queue_prune},
    {"queues.resume", brant_queue_resume},
    {"queues.stats", brant_queue_stats},
    {"rate_limits.list", brant_rate_limit_list},
    {"rate_limits.peek", brant_rate_limit_peek},
    {"rate_limits.reset", brant_rate_limit_reset},
    {"rate_limits.take", brant_rate_limit_take},
    {"schedules.delete", brant_schedule_delete},
    {"schedules.get", brant_schedule_get},
    {"schedules.list", brant_schedule_list},
    {"schedules.next", brant_schedule_next},
    {"schedules.pause", brant_schedule_pause},
    {"schedules.resume", brant_schedule_resume},
    {"schedules.set", brant_schedule_set},
    {"schedules.tick", brant_schedule_tick},
    {"schedules.trigger", brant_schedule_trigger},
    {"secrets.rotate", brant_secret_rotate},
    {"secrets.status", brant_secret_status},
    {"sql.execute", brant_sql_execute},
    {"streams.compact", brant_stream_compact},
    {"streams.configure", brant_stream_configure},
    {"streams.delete", brant_stream_delete},
    {"streams.get", brant_stream_get},
    {"streams.latest", brant_stream_latest},
    {"streams.list", brant_stream_list},
    {"streams.publish", brant_stream_publish},
    {"streams.publish_many", brant_stream_publish_many},
    {"streams.read", brant_stream_read},
    {"streams.stats", brant_stream_stats},
    {"streams.trim", brant_stream_trim},
    {"tenants.apply", brant_tenant_apply},
    {"tenants.backup", brant_tenant_backup},
    {"tenants.delegate", brant_tenant_delegate},
    {"tenants.delegations", brant_tenant_delegations},
    {"tenants.get", brant_tenant_get},
    {"tenants.list", brant_tenant_list},
    {"tenants.maintain", brant_tenant_maintain},
    {"tenants.migrate", brant_tenant_migrate},
    {"tenants.restore", brant_tenant_restore},
    {"tenants.revoke_delegation", brant_tenant_revoke_delegation},
    {"tenants.stats", brant_tenant_stats},
    {"transaction.begin", brant_transaction_begin},
    {"transaction.commit", brant_transaction_commit},
    {"transaction.rollback", brant_transaction_rollback},
};

#define OBJECTS 256
static struct {
    char name[64];
    brant_db *db; /* of a hub: its system handle, which is the hub's */
    brant_cursor *cursor;
    brant_hub *hub;   /* it is one */
    brant_hub *giver; /* the hub that gave the handle */
} objects[OBJECTS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of `objects` and of standard output */

/* ---- objects ------------------------------------------------------------------------------------------------------ */

static int find_object(const char *name) {
    int found = -1;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < OBJECTS; i++)
        if ((objects[i].db || objects[i].cursor) && strcmp(objects[i].name, name) == 0) found = i;
    pthread_mutex_unlock(&lock);
    return found;
}

static void drop_object(int index) {
    if (objects[index].cursor) brant_cursor_free(objects[index].cursor);
    if (objects[index].hub)
        brant_hub_free(objects[index].hub);
    else if (objects[index].db)
        brant_db_free(objects[index].db);
    pthread_mutex_lock(&lock);
    memset(&objects[index], 0, sizeof objects[index]);
    pthread_mutex_unlock(&lock);
}

/* A name that is taken is taken over: the driver opens a name again after close. */
static int set_object(const char *name, brant_db *db, brant_cursor *cursor) {
    int place = -1;
    const int old = find_object(name);
    if (old >= 0) drop_object(old);
    pthread_mutex_lock(&lock);
    for (int i = 0; i < OBJECTS; i++)
        if (!objects[i].db && !objects[i].cursor) {
            snprintf(objects[i].name, sizeof objects[i].name, "%s", name);
            objects[i].db = db;
            objects[i].cursor = cursor;
            place = i;
            break;
        }
    pthread_mutex_unlock(&lock);
    if (place < 0) abort();
    return place;
}

/* ---- answers -------------------------------------------------------------------------------------------------------- */

static void print_line(char *text) {
    pthread_mutex_lock(&lock);
    puts(text);
    fflush(stdout);
    pthread_mutex_unlock(&lock);
    free(text);
}

static void answer(int64_t id, const char *json, size_t length) {
    char *text = malloc(length + 64);
    if (!text) abort();
    snprintf(text, length + 64, "{\"id\":%lld,\"result\":%.*s}", (long long)id, (int)length, json);
    print_line(text);
}

static void answer_error(int64_t id, const char *code, const char *message, const char *detail,
                         size_t detail_len) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc), *error = yyjson_mut_obj(doc);
    yyjson_doc *parsed = yyjson_read(detail, detail_len, 0);
    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_int(doc, root, "id", id);
    yyjson_mut_obj_add_val(doc, root, "error", error);
    yyjson_mut_obj_add_strcpy(doc, error, "code", code);
    yyjson_mut_obj_add_strcpy(doc, error, "message", message);
    yyjson_mut_obj_add_val(doc, error, "detail",
                           yyjson_val_mut_copy(doc, yyjson_doc_get_root(parsed)));
    char *text = yyjson_mut_write(doc, 0, NULL);
    yyjson_doc_free(parsed);
    yyjson_mut_doc_free(doc);
    if (!text) abort();
    print_line(text);
}

static void answer_failure(int64_t id) {
    const brant_error *error = brant_last_error();
    answer_error(id, error->name, error->message, error->detail, error->detail_len);
}

static void answer_status(int64_t id, brant_status status, char *json, size_t length) {
    if (status == BRANT_OK)
        answer(id, json ? json : "null", json ? length : 4);
    else
        answer_failure(id);
    brant_free(json);
}

/* ---- operations -------------------------------------------------------------------------------------------------------- */

static operation_function find_operation(const char *name) {
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        if (strcmp(operations[i].name, name) == 0) return operations[i].function;
    return NULL;
}

static char *text_of(yyjson_val *value, size_t *length) {
    char *text = yyjson_val_write(value, 0, length);
    if (!text) abort();
    return text;
}

static void run_open(int64_t id, const char *object, yyjson_val *arguments) {
    yyjson_val *path = yyjson_obj_get(arguments, "path"),
               *options = yyjson_obj_get(arguments, "options");
    size_t length = 0;
    char *json = options ? text_of(options, &length) : NULL;
    brant_db *db = NULL;
    const brant_status status =
        brant_open(&db, yyjson_get_str(path), yyjson_get_len(path), json ? json : "", length);
    if (status == BRANT_OK) set_object(object, db, NULL);
    answer_status(id, status, NULL, 0);
    free(json);
}

static void run_hub_open(int64_t id, const char *object, yyjson_val *arguments) {
    yyjson_val *path = yyjson_obj_get(arguments, "path"),
               *options = yyjson_obj_get(arguments, "options");
    size_t length = 0;
    char *json = options ? text_of(options, &length) : NULL;
    brant_hub *hub = NULL;
    const brant_status status =
        brant_hub_open(&hub, yyjson_get_str(path), yyjson_get_len(path), json ? json : "", length);
    if (status == BRANT_OK) objects[set_object(object, brant_hub_system(hub), NULL)].hub = hub;
    answer_status(id, status, NULL, 0);
    free(json);
}

/* hub.acquire and hub.authenticate, whose handle gets the name `as`. */
static void run_hub(int64_t id, brant_hub *hub, const char *name, const char *as,
                    yyjson_val *arguments) {
    yyjson_val *org_id = yyjson_obj_get(arguments, "org_id"),
               *token = yyjson_obj_get(arguments, "token");
    brant_db *db = NULL;
    char *json = NULL;
    size_t length = 0;
    const brant_status status =
        strcmp(name, "hub.acquire") == 0
            ? brant_hub_acquire(&db, hub, yyjson_get_str(org_id), yyjson_get_len(org_id))
            : brant_hub_authenticate(&db, &json, &length, hub, yyjson_get_str(token),
                                     yyjson_get_len(token));
    if (status == BRANT_OK) objects[set_object(as ? as : "tenant", db, NULL)].giver = hub;
    answer_status(id, status, json, length);
}

static brant_status load_keyring(brant_db *db, brant_hub *hub, const char *json, size_t length) {
    return hub ? brant_hub_keyring_load(hub, json, length) : brant_keyring_load(db, json, length);
}

/* `ring`: an object, a text that may be no JSON, or null, which takes the ring away. */
static void run_keyring(int64_t id, brant_db *db, brant_hub *hub, yyjson_val *arguments) {
    yyjson_val *ring = yyjson_obj_get(arguments, "ring");
    brant_status status;
    if (!ring || yyjson_is_null(ring)) {
        status = hub ? brant_hub_keyring_unload(hub) : brant_keyring_unload(db);
    } else if (yyjson_is_str(ring)) {
        status = load_keyring(db, hub, yyjson_get_str(ring), yyjson_get_len(ring));
    } else {
        size_t length = 0;
        char *json = text_of(ring, &length);
        status = load_keyring(db, hub, json, length);
        free(json);
    }
    answer_status(id, status, NULL, 0);
}

typedef brant_status (*cursor_function)(brant_cursor **, brant_db *, const char *, size_t);

static cursor_function find_cursor(const char *name) {
    if (strcmp(name, "consumers.watch") == 0) return brant_consumer_watch;
    if (strcmp(name, "events.listen") == 0) return brant_event_listen;
    if (strcmp(name, "jobs.cancels") == 0) return brant_job_cancels;
    if (strcmp(name, "jobs.watch") == 0) return brant_job_watch;
    if (strcmp(name, "locks.watch") == 0) return brant_lock_watch;
    if (strcmp(name, "nodes.walk") == 0) return brant_node_walk;
    if (strcmp(name, "queues.watch") == 0) return brant_queue_watch;
    if (strcmp(name, "streams.subscribe") == 0) return brant_stream_subscribe;
    if (strcmp(name, "schedules.run") == 0) return brant_schedule_run;
    return NULL;
}

static void run_cursor(int64_t id, brant_db *db, cursor_function function, const char *as,
                       yyjson_val *arguments) {
    size_t length = 0;
    char *json = text_of(arguments, &length);
    brant_cursor *cursor = NULL;
    const brant_status status = function(&cursor, db, json, length);
    if (status == BRANT_OK) set_object(as, NULL, cursor);
    answer_status(id, status, NULL, 0);
    free(json);
}

static void run_session(int64_t id, brant_db *db, const char *as, yyjson_val *arguments) {
    size_t length = 0;
    char *json = text_of(yyjson_obj_get(arguments, "identity"), &length);
    brant_db *session = NULL;
    const brant_status status = brant_session_open(&session, db, json, length);
    if (status == BRANT_OK) set_object(as, session, NULL);
    answer_status(id, status, NULL, 0);
    free(json);
}

static unsigned char from_base64(char c) {
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = strchr(alphabet, c);
    return (unsigned char)(at ? at - alphabet : 0);
}

static void run_call_text(int64_t id, brant_db *db, yyjson_val *arguments) {
    yyjson_val *name = yyjson_obj_get(arguments, "name"), *text = yyjson_obj_get(arguments, "text");
    yyjson_val *base64 = yyjson_obj_get(arguments, "base64");
    char *json = NULL, *bytes = NULL;
    size_t length = text ? yyjson_get_len(text) : 0, answer_length = 0;
    if (base64) {
        const char *from = yyjson_get_str(base64);
        const size_t size = yyjson_get_len(base64);
        bytes = malloc(size + 3);
        for (size_t i = 0; bytes && i + 3 < size; i += 4) {
            const unsigned long three = (unsigned long)from_base64(from[i]) << 18 |
                                        (unsigned long)from_base64(from[i + 1]) << 12 |
                                        (unsigned long)from_base64(from[i + 2]) << 6 |
                                        from_base64(from[i + 3]);
            bytes[length++] = (char)(three >> 16);
            if (from[i + 2] != '=') bytes[length++] = (char)(three >> 8);
            if (from[i + 3] != '=') bytes[length++] = (char)three;
        }
    }
    const brant_status status =
        brant_call(&json, &answer_length, db, yyjson_get_str(name), yyjson_get_len(name),
                   bytes ? bytes : yyjson_get_str(text), length);
    answer_status(id, status, json, answer_length);
    free(bytes);
}

/* The construct of C: begin, the operations, commit, or rollback at the first failure. */
static void run_in_transaction(int64_t id, brant_db *db, yyjson_val *arguments) {
    yyjson_val *mode = yyjson_obj_get(arguments, "mode"),
               *list = yyjson_obj_get(arguments, "operations"), *step;
    char begin[64], *json = NULL;
    size_t length = 0, index, count;
    snprintf(begin, sizeof begin, "{\"mode\":\"%s\"}", mode ? yyjson_get_str(mode) : "write");
    if (brant_transaction_begin(&json, &length, db, begin, strlen(begin)) != BRANT_OK) {
        answer_failure(id);
        return;
    }
    brant_free(json);
    char *results = calloc(1, 3), *failed = NULL;
    size_t size = 1;
    results[0] = '[';
    yyjson_arr_foreach(list, index, count, step) {
        size_t input_length = 0;
        char *input = text_of(yyjson_obj_get(step, "arguments"), &input_length);
        operation_function function = find_operation(yyjson_get_str(yyjson_obj_get(step, "name")));
        json = NULL;
        if (!function || function(&json, &length, db, input, input_length) != BRANT_OK)
            failed = input;
        if (failed) break;
        free(input);
        results = realloc(results, size + length + 4);
        size += (size_t)sprintf(results + size, "%s%s", index ? "," : "", json);
        brant_free(json);
    }
    if (failed) {
        answer_failure(id); /* before the rollback, which clears the record */
        free(failed);
    }
    json = NULL;
    if (failed || yyjson_is_true(yyjson_obj_get(arguments, "rollback"))) {
        brant_transaction_rollback(&json, &length, db, "", 0);
        if (!failed) answer(id, "{\"rolled_back\":true}", 20);
    } else if (brant_transaction_commit(&json, &length, db, "", 0) != BRANT_OK) {
        answer_failure(id);
    } else {
        results = realloc(results, size + 2);
        memcpy(results + size, "]", 2);
        answer(id, results, size + 1);
    }
    brant_free(json);
    free(results);
}

static void run_environment(int64_t id) {
    char text[160];
    snprintf(text, sizeof text, "{\"language\":\"c\",\"runtime\":\"C%ld\",\"brant\":\"%s\"}",
             __STDC_VERSION__, brant_version());
    answer(id, text, strlen(text));
}

static void run_request(yyjson_val *request) {
    const int64_t id = yyjson_get_sint(yyjson_obj_get(request, "id"));
    const char *name = yyjson_get_str(yyjson_obj_get(request, "name"));
    const char *object = yyjson_get_str(yyjson_obj_get(request, "object"));
    const char *as = yyjson_get_str(yyjson_obj_get(request, "as"));
    yyjson_val *arguments = yyjson_obj_get(request, "arguments");
    if (strcmp(name, "environment") == 0) {
        run_environment(id);
        return;
    }
    if (strcmp(name, "reset") == 0) {
        for (int i = 0; i < OBJECTS; i++)
            if (objects[i].cursor) drop_object(i);
        for (int i = 0; i < OBJECTS; i++)
            if (objects[i].db && !objects[i].hub) drop_object(i);
        for (int i = 0; i < OBJECTS; i++)
            if (objects[i].hub) drop_object(i);
        answer(id, "null", 4);
        return;
    }
    if (strcmp(name, "open") == 0) {
        run_open(id, object, arguments);
        return;
    }
    if (strcmp(name, "hub.open") == 0) {
        run_hub_open(id, object, arguments);
        return;
    }
    const int index = object ? find_object(object) : -1;
    if (index < 0) {
        answer_error(id, "UNKNOWN_OBJECT", object ? object : "none", "{}", 2);
        return;
    }
    brant_db *db = objects[index].db;
    brant_cursor *cursor = objects[index].cursor;
    brant_hub *hub = objects[index].hub, *giver = objects[index].giver;
    operation_function function = find_operation(name);
    char *json = NULL;
    size_t length = 0;
    if (cursor && strcmp(name, "cursor.next") == 0) {
        const brant_status status = brant_cursor_next(
            &json, &length, cursor, yyjson_get_sint(yyjson_obj_get(arguments, "timeout")));
        answer_status(id, status, json, length);
    } else if (cursor && strcmp(name, "cursor.close") == 0) {
        answer_status(id, brant_cursor_close(cursor), NULL, 0);
    } else if (hub && strcmp(name, "close") == 0) {
        answer_status(id, brant_hub_close(hub), NULL, 0);
    } else if (hub && (strcmp(name, "hub.acquire") == 0 || strcmp(name, "hub.authenticate") == 0)) {
        run_hub(id, hub, name, as, arguments);
    } else if (giver && strcmp(name, "hub.release") == 0) {
        answer_status(id, brant_hub_release(giver, db), NULL, 0);
    } else if (db && strcmp(name, "close") == 0) {
        answer_status(id, brant_close(db), NULL, 0);
    } else if (db && strcmp(name, "interrupt") == 0) {
        answer_status(id, brant_interrupt(db), NULL, 0);
    } else if (db && strcmp(name, "keyring") == 0) {
        run_keyring(id, db, hub, arguments);
    } else if (db && strcmp(name, "session") == 0) {
        run_session(id, db, as ? as : "session", arguments);
    } else if (db && find_cursor(name)) {
        run_cursor(id, db, find_cursor(name), as ? as : "cursor", arguments);
    } else if (db && strcmp(name, "call_text") == 0) {
        run_call_text(id, db, arguments);
    } else if (db && strncmp(name, "types.", 6) == 0) {
        size_t input_length = 0;
        char *input = text_of(arguments, &input_length);
        const brant_status status =
            brant_call(&json, &length, db, name, strlen(name), input, input_length);
        answer_status(id, status, json, length);
        free(input);
    } else if (db && strcmp(name, "run_in_transaction") == 0) {
        run_in_transaction(id, db, arguments);
    } else if (db && function) {
        size_t input_length = 0;
        char *input = text_of(arguments, &input_length);
        const brant_status status = function(&json, &length, db, input, input_length);
        answer_status(id, status, json, length);
        free(input);
    } else {
        answer_error(id, "UNKNOWN_OPERATION", name, "{}", 2);
    }
}

static void *run_background(void *request) {
    run_request(yyjson_doc_get_root(request));
    yyjson_doc_free(request);
    return NULL;
}

int main(void) {
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    while ((length = getline(&line, &capacity, stdin)) > 0) {
        yyjson_doc *request = yyjson_read(line, (size_t)length, 0);
        if (!request) return 2;
        pthread_t thread;
        if (yyjson_is_true(yyjson_obj_get(yyjson_doc_get_root(request), "background"))) {
            if (pthread_create(&thread, NULL, run_background, request) != 0) return 2;
            pthread_detach(thread);
        } else {
            run_background(request);
        }
    }
    free(line);
    return 0;
}
