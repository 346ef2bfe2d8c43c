/*
 * hub/walk.c: tenants.migrate, .maintain, .apply: the same on every tenant, one after the other, each with a result of its own.
 */
#include "brant/audit.h"
#include "brant/operation.h"
#include "hub/delegation.h"
#include "hub/operations.h"
#include "store/position.h"

enum { PAGE };
static const char *const sql[] = {
    [PAGE] = "SELECT org_id FROM brant_tenants WHERE org_id > :after AND state = 'made'"
             " ORDER BY org_id LIMIT :limit",
};
const brant__statements brant__tenant_walk_statements = {BRANT__TABLE_TENANT_WALK,
                                                         BRANT__COUNT(sql), sql};

/* Writes the members of its item that are there when it succeeds. */
typedef brant_status (*brant__tenant_work)(brant__call *call, brant_hub *hub, brant_db *db);

/* The ids of a page, and whether there are more. Read whole before any work, which may take its time. */
static brant_status read_page(brant__text **out_ids, size_t *out_count, bool *out_more,
                              brant__call *call, brant__list list) {
    brant__statement *statement = NULL;
    brant__position position;
    int64_t limit = 0;
    bool row = false, begun = false;
    brant_status status;
    *out_count = 0;
    *out_more = false;
    BRANT__TRY(brant__limit_read(&limit, call, 100, 10000));
    BRANT__TRY(brant__position_read(&position, call, list));
    *out_ids = brant__arena_alloc(call->arena, (size_t)limit * sizeof **out_ids);
    if (!*out_ids) return brant__fail_memory();
    BRANT__TRY(brant__begin(call->db, BRANT__READ));
    begun = true;
    BRANT__TRY(brant__statement_get(&statement, call->db, &brant__tenant_walk_statements, PAGE));
    brant__bind_text(statement, 1, position.given ? position.text : BRANT__TEXT(""));
    brant__bind_integer(statement, 2, limit + 1);
    for (;;) {
        BRANT__TRY(brant__step(&row, call->db, statement));
        *out_more = row && *out_count == (size_t)limit;
        if (!row || *out_more) break;
        BRANT__TRY(brant__arena_text(&(*out_ids)[(*out_count)++], call->arena,
                                     brant__column_text(statement, 0)));
    }
cleanup:
    brant__reset(statement);
    if (begun) brant__rollback(call->db);
    return status;
}

static void write_failure(brant__writer *out, brant_status status) {
    const brant_error *error = brant_last_error();
    brant__write_bool_member(out, "ok", false);
    brant__write_name(out, "error");
    brant__write_object(out);
    brant__write_text_member(out, "code", brant__text_string(brant_status_name(status)));
    brant__write_text_member(out, "message", brant__text_of(error->message, error->message_len));
    brant__write_end(out);
    (void)brant__error_code();
}

/* Of one tenant; a failure is its item's, unless the whole call is to end. */
static brant_status work_on(brant__call *call, brant_hub *hub, brant__text org_id,
                            brant__tenant_work work) {
    brant_db *db = NULL;
    brant__write_object(call->out);
    brant__write_text_member(call->out, "org_id", org_id);
    brant_status status = brant__pool_acquire(&db, hub, org_id);
    if (status == BRANT_OK) status = work(call, hub, db);
    if (status != BRANT_OK) write_failure(call->out, status);
    brant_db_free(db);
    brant__write_end(call->out);
    return brant__db_poll(call->db);
}

static brant_status walk(brant__call *call, const char *operation, brant__tenant_work work,
                         bool first) {
    brant_hub *hub = NULL;
    brant__text *ids = NULL;
    brant__position last = {0};
    const brant__list list = brant__list_of(operation);
    int64_t finished = 0, reconciled = 0;
    size_t count = 0;
    bool more = false;
    brant_status status;
    BRANT__TRY(brant__hub_here_alone(&hub, call));
    BRANT__TRY(brant__hub_may(call, (brant__text){NULL, 0}));
    if (first && !yyjson_is_str(brant__json_get(call->input, "cursor"))) {
        brant__hub_sweep(hub);
        BRANT__TRY(brant__hub_finish(&finished, hub));
        BRANT__TRY(brant__delegations_reconcile(&reconciled, hub, call->db));
    }
    BRANT__TRY(read_page(&ids, &count, &more, call, list));
    brant__write_object(call->out);
    brant__write_name(call->out, "items");
    brant__write_array(call->out);
    for (size_t i = 0; i < count; i++) {
        BRANT__TRY(work_on(call, hub, ids[i], work));
        last.text = ids[i];
    }
    brant__write_end(call->out);
    if (first) brant__write_integer_member(call->out, "finished", finished);
    brant__position_write(call->out, more ? &last : NULL, list);
    brant__write_end(call->out);
cleanup:
    return status;
}

/* ---- what is done ----------------------------------------------------------------------------------------------------------- */

static brant_status migrate(brant__call *call, brant_hub *hub, brant_db *db) {
    (void)hub;
    brant__write_bool_member(call->out, "ok", true);
    brant__write_integer_member(call->out, "from", brant__pool_found_format(db));
    brant__write_integer_member(call->out, "to", BRANT__FORMAT);
    return BRANT_OK;
}

brant_status brant__tenants_migrate(brant__call *call) {
    return walk(call, "tenants.migrate", migrate, false);
}

/* The checkpoint of the file's audit log, kept in the system file; without a ring there is neither log nor checkpoint. */
static brant_status keep_checkpoint(char **out, size_t *out_length, brant_hub *hub, brant_db *db) {
    char *answer = NULL;
    size_t length = 0;
    brant_status status = brant_audit_checkpoint(out, out_length, db, NULL, 0);
    if (status == BRANT_NOT_FOUND) {
        (void)brant__error_code();
        return BRANT_OK;
    }
    if (status != BRANT_OK || strstr(*out, "\"seq\":0,")) return status;
    pthread_mutex_lock(&hub->recorder_lock);
    status = brant_audit_keep(&answer, &length, hub->recorder, *out, *out_length);
    pthread_mutex_unlock(&hub->recorder_lock);
    brant_free(answer);
    return status;
}

static brant_status maintain(brant__call *call, brant_hub *hub, brant_db *db) {
    char *result = NULL, *checkpoint = NULL;
    size_t result_length = 0, checkpoint_length = 0;
    brant__derived synced = {0};
    brant_status status;
    BRANT__TRY(brant__members_sync(&synced, db));
    BRANT__TRY(brant_db_maintain(&result, &result_length, db, NULL, 0));
    BRANT__TRY(keep_checkpoint(&checkpoint, &checkpoint_length, hub, db));
    brant__write_bool_member(call->out, "ok", true);
    brant__write_name(call->out, "result");
    brant__write_raw(call->out, brant__text_of(result, result_length));
    if (checkpoint) {
        brant__write_name(call->out, "checkpoint");
        brant__write_raw(call->out, brant__text_of(checkpoint, checkpoint_length));
    }
    if (synced.graph) {
        brant__write_name(call->out, "synced");
        brant__write_object(call->out);
        brant__write_integer_member(call->out, "added", synced.added);
        brant__write_integer_member(call->out, "removed", synced.removed);
        brant__write_integer_member(call->out, "changed", synced.changed);
        brant__write_end(call->out);
    }
cleanup:
    brant_free(result);
    brant_free(checkpoint);
    return status;
}

brant_status brant__tenants_maintain(brant__call *call) {
    return walk(call, "tenants.maintain", maintain, true);
}

static brant_status apply(brant__call *call, brant_hub *hub, brant_db *db) {
    const brant__text operation = brant__json_get_text(call->input, "operation");
    brant__buffer input = {0};
    char *result = NULL;
    size_t length = 0;
    brant_status status = BRANT_OK;
    (void)hub;
    brant__json_append(&input, brant__json_get(call->input, "input"));
    if (input.failed) return brant__fail_memory();
    BRANT__TRY(brant_call(&result, &length, db, operation.data, operation.length, input.data,
                          input.length));
    brant__write_bool_member(call->out, "ok", true);
    brant__write_name(call->out, "result");
    brant__write_raw(call->out, brant__text_of(result, length));
cleanup:
    brant_free(result);
    brant__buffer_free(&input);
    return status;
}

brant_status brant__tenants_apply(brant__call *call) {
    return walk(call, "tenants.apply", apply, false);
}
