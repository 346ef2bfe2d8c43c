/*
 * hub/operations.c: tenants.list, .get, .stats, .backup, .restore: one tenant, or what is known of all.
 *
 * They run inside a handle of the hub's system file and reach files by the pool, as callers do.
 */
#define _GNU_SOURCE
#include "hub/operations.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "brant/operation.h"
#include "store/position.h"

enum { ONE, ALL, OF_STATUS };
#define COLUMNS                                                                                    \
    "SELECT o.id, o.slug, o.status, coalesce(t.state, 'none'), t.file FROM brant_organizations "   \
    "AS o LEFT JOIN brant_tenants AS t ON t.org_id = o.id "
static const char *const sql[] = {
    [ONE] = COLUMNS "WHERE o.id = :org_id",
    [ALL] = COLUMNS "WHERE o.id > :after ORDER BY o.id LIMIT :limit",
    [OF_STATUS] = COLUMNS "WHERE o.id > :after AND o.status = :status ORDER BY o.id LIMIT :limit",
};
const brant__statements brant__tenant_list_statements = {BRANT__TABLE_TENANT_LIST,
                                                         BRANT__COUNT(sql), sql};

brant_status brant__hub_here(brant_hub **out, brant__call *call) {
    *out = brant__hub_of_system(call->db);
    if (*out) return brant__hub_check(*out);
    return brant__fail(BRANT_MISUSE,
                       "tenants are reached by a hub's handle of its system file: brant_hub_open");
}

brant_status brant__hub_here_alone(brant_hub **out, brant__call *call) {
    const brant_status status = brant__hub_here(out, call);
    if (status != BRANT_OK || brant__depth(call->db) == 0) return status;
    return brant__fail(BRANT_MISUSE, "tenants cannot be worked on inside a transaction on the "
                                     "system file");
}

brant_status brant__hub_may(const brant__call *call, brant__text org_id) {
    const brant__session *session = brant__db_session(call->db);
    if (!session || !session->organization.data ||
        (org_id.data && brant__text_equal(session->organization, org_id)))
        return BRANT_OK;
    return brant__fail(BRANT_DENIED, "the session is of an organisation, and reaches no other's "
                                     "tenant");
}

/* ---- rows ---------------------------------------------------------------------------------------------------------------- */

static brant_status read_size(int64_t *out, const brant_hub *hub, const char *org_id) {
    static const char *const endings[] = {"", "-wal"};
    brant_status status = BRANT_OK;
    for (size_t i = 0; i < BRANT__COUNT(endings); i++) {
        char *path = NULL;
        struct stat there;
        BRANT__TRY(brant__hub_path(&path, hub, org_id, endings[i]));
        if (lstat(path, &there) == 0 && S_ISREG(there.st_mode)) *out += (int64_t)there.st_size;
        brant__free(path);
    }
cleanup:
    return status;
}

static brant_status write_tenant(brant__call *call, brant_hub *hub, brant__statement *row) {
    brant__writer *out = call->out;
    int64_t size = 0;
    brant_status status = BRANT_OK;
    char org_id[BRANT__ORG_ID + 1] = "";
    const brant__text id = brant__column_text(row, 0);
    const bool valid = brant__org_id_check(id) == BRANT_OK;
    if (valid)
        memcpy(org_id, id.data, BRANT__ORG_ID);
    else
        (void)brant__error_code();
    const int64_t open = valid ? brant__pool_count(hub, org_id) : 0;
    if (valid) BRANT__TRY(read_size(&size, hub, org_id));
    brant__write_object(out);
    brant__write_text_member(out, "org_id", id);
    brant__write_text_member(out, "slug", brant__column_text(row, 1));
    brant__write_text_member(out, "status", brant__column_text(row, 2));
    brant__write_text_member(out, "state", brant__column_text(row, 3));
    brant__write_name(out, "file");
    brant__write_text_or_null(out, brant__column_text(row, 4));
    brant__write_integer_member(out, "size", size);
    brant__write_name(out, "format");
    if (open > 0)
        brant__write_integer(out, BRANT__FORMAT);
    else
        brant__write_null(out);
    brant__write_integer_member(out, "open", open);
    brant__write_end(out);
cleanup:
    return status;
}

brant_status brant__tenants_get(brant__call *call) {
    brant_hub *hub = NULL;
    brant__statement *statement = NULL;
    const brant__text org_id = brant__json_get_text(call->input, "org_id");
    bool row = false;
    brant_status status;
    BRANT__TRY(brant__hub_here(&hub, call));
    BRANT__TRY(brant__hub_may(call, org_id));
    BRANT__TRY(brant__org_id_check(org_id));
    BRANT__TRY(brant__statement_get(&statement, call->db, &brant__tenant_list_statements, ONE));
    brant__bind_text(statement, 1, org_id);
    BRANT__TRY(brant__step(&row, call->db, statement));
    if (row)
        status = write_tenant(call, hub, statement);
    else
        status = brant__fail(BRANT_NOT_FOUND, "no organisation \"%.*s\"", (int)org_id.length,
                             org_id.data);
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__tenants_list(brant__call *call) {
    brant_hub *hub = NULL;
    brant__statement *statement = NULL;
    brant__position position;
    const brant__text wanted =
        brant__json_get_text(brant__json_get(call->input, "filter"), "status");
    brant__list list = brant__list_of("tenants.list");
    int64_t limit = 0, count = 0;
    bool row = false;
    brant_status status;
    brant__list_filter(&list, wanted);
    BRANT__TRY(brant__hub_here(&hub, call));
    BRANT__TRY(brant__hub_may(call, (brant__text){NULL, 0}));
    BRANT__TRY(brant__limit_read(&limit, call, 100, 10000));
    BRANT__TRY(brant__position_read(&position, call, list));
    BRANT__TRY(brant__statement_get(&statement, call->db, &brant__tenant_list_statements,
                                    wanted.data ? OF_STATUS : ALL));
    brant__bind_text(statement, 1, position.given ? position.text : BRANT__TEXT(""));
    if (wanted.data) brant__bind_text(statement, 2, wanted);
    brant__bind_integer(statement, wanted.data ? 3 : 2, limit + 1);
    brant__write_object(call->out);
    brant__write_name(call->out, "items");
    brant__write_array(call->out);
    brant__position last = {0};
    for (;;) {
        BRANT__TRY(brant__step(&row, call->db, statement));
        if (!row || ++count > limit) break;
        BRANT__TRY(write_tenant(call, hub, statement));
        BRANT__TRY(brant__arena_text(&last.text, call->arena, brant__column_text(statement, 0)));
    }
    brant__write_end(call->out);
    brant__position_write(call->out, row ? &last : NULL, list);
    brant__write_end(call->out);
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__tenants_stats(brant__call *call) {
    brant__writer *out = call->out;
    brant_hub *hub = NULL;
    brant_status status = brant__hub_here(&hub, call);
    if (status == BRANT_OK) status = brant__hub_may(call, (brant__text){NULL, 0});
    if (status != BRANT_OK) return status;
    pthread_mutex_lock(&hub->lock);
    const int64_t open = hub->open, idle = hub->idle_count, opened = hub->opened, made = hub->made,
                  evicted = hub->evicted;
    pthread_mutex_unlock(&hub->lock);
    brant__write_object(out);
    brant__write_integer_member(out, "open", open);
    brant__write_integer_member(out, "idle", idle);
    brant__write_integer_member(out, "pinned", open - idle);
    brant__write_integer_member(out, "max_open", hub->options.max_open);
    brant__write_integer_member(out, "opened", opened);
    brant__write_integer_member(out, "made", made);
    brant__write_integer_member(out, "evicted", evicted);
    brant__write_end(out);
    return BRANT_OK;
}

/* ---- backup and restore ------------------------------------------------------------------------------------------------------ */

/* Nothing of the hub's own is written over, or read as if it were a copy. */
static brant_status check_outside(const brant_hub *hub, brant__text given) {
    char resolved[PATH_MAX], *path = NULL;
    brant_status status = BRANT_OK;
    if (!given.data || given.length == 0 || memchr(given.data, 0, given.length))
        return brant__fail(BRANT_INVALID, "\"path\" must be the path of a file");
    if (!(path = brant__strndup(given.data, given.length))) return brant__fail_memory();
    const size_t length = strlen(hub->path);
    bool inside = false;
    /* Where it leads to, and the folder that it is in. */
    for (int i = 0; i < 2; i++) {
        if (realpath(*path ? path : "/", resolved))
            inside = inside || (strncmp(resolved, hub->path, length) == 0 &&
                                (resolved[length] == '/' || resolved[length] == '\0'));
        char *slash = strrchr(path, '/');
        if (slash)
            *slash = '\0';
        else
            memcpy(path, ".", path[0] ? 2 : 1);
    }
    if (inside) status = brant__fail(BRANT_INVALID, "the path lies in the hub's own folder");
    brant__free(path);
    return status;
}

/* The members of the input but org_id. */
static brant_status write_input(brant__buffer *out, yyjson_val *input) {
    brant__writer writer = {0};
    yyjson_val *name = NULL;
    yyjson_obj_iter members;
    yyjson_obj_iter_init(input, &members);
    brant__write_object(&writer);
    while ((name = yyjson_obj_iter_next(&members))) {
        if (yyjson_equals_str(name, "org_id")) continue;
        brant__write_name(&writer, yyjson_get_str(name));
        brant__write_value(&writer, yyjson_obj_iter_get_val(name));
    }
    brant__write_end(&writer);
    *out = writer.buffer;
    return writer.buffer.failed ? brant__fail_memory() : BRANT_OK;
}

/* An operation on the tenant's file, whose answer is ours. */
static brant_status pass_on(brant__call *call, brant_db *db, const char *name) {
    brant__buffer input = {0};
    char *answer = NULL;
    size_t length = 0;
    brant_status status;
    BRANT__TRY(write_input(&input, call->input));
    BRANT__TRY(brant_call(&answer, &length, db, name, strlen(name), input.data, input.length));
    brant__write_raw(call->out, brant__text_of(answer, length));
cleanup:
    brant_free(answer);
    brant__buffer_free(&input);
    return status;
}

brant_status brant__tenants_backup(brant__call *call) {
    brant_hub *hub = NULL;
    brant_db *db = NULL;
    const brant__text org_id = brant__json_get_text(call->input, "org_id");
    brant_status status;
    BRANT__TRY(brant__hub_here_alone(&hub, call));
    BRANT__TRY(brant__hub_may(call, org_id));
    BRANT__TRY(check_outside(hub, brant__json_get_text(call->input, "path")));
    BRANT__TRY(brant__pool_acquire(&db, hub, org_id));
    status = pass_on(call, db, "db.backup");
cleanup:
    brant_db_free(db);
    return status;
}

brant_status brant__tenants_restore(brant__call *call) {
    brant__derived synced;
    brant_hub *hub = NULL;
    brant_db *db = NULL;
    const brant__text org_id = brant__json_get_text(call->input, "org_id");
    brant_status status;
    BRANT__TRY(brant__hub_here_alone(&hub, call));
    BRANT__TRY(brant__hub_may(call, org_id));
    BRANT__TRY(brant__org_id_check(org_id));
    BRANT__TRY(check_outside(hub, brant__json_get_text(call->input, "path")));
    BRANT__TRY(brant__tenant_replace(hub, org_id.data));
    BRANT__TRY(brant__pool_acquire(&db, hub, org_id));
    BRANT__TRY(pass_on(call, db, "db.restore"));
    BRANT__TRY(brant__pool_adopt(db));
    /* It has the members of then. */
    if (brant__members_sync(&synced, db) != BRANT_OK) (void)brant__error_code();
cleanup:
    brant_db_free(db);
    return status;
}
