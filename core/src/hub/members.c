/*
 * hub/members.c: access graphs of tenants follow the memberships in the system file (access/derive.h), and are told of the agents of other tenants.
 *
 * A change is noted in the file's record while its transaction runs, and done when that is committed: by then nothing of the system file is held, and the members are read inside the write transaction
 * of the tenant's file, so that of two who come one after the other the later one is right. A crash in between, a tenant that others write to, or more changes than are noted leave
 * the graph behind: tenants.maintain finds that. Until then a right that ended is off all the same, as membership is asked at every evaluation.
 */
#include "access/standing.h"
#include "base/condition.h"
#include "hub/hub.h"

#define CHANGES       256 /* noted of one transaction */
#define ORGANIZATIONS 8   /* whose files are opened after it */
#define PATIENCE      100 /* ms, for all of them, that others write */

struct brant__member_change {
    brant__member_change *next;
    char org_id[BRANT__ORG_ID + 1];
    brant__text account_id; /* {NULL, 0}: all of the organisation */
    bool done;
};

enum { MEMBERS, MEMBER };
static const char *const sql[] = {
    [MEMBERS] = "SELECT account_id, level FROM brant_members WHERE org_id = :org_id AND status = "
                "'active'",
    [MEMBER] = "SELECT account_id, level FROM brant_members WHERE org_id = :org_id AND account_id "
               "= :account_id AND status = 'active'",
};
const brant__statements brant__tenant_member_statements = {BRANT__TABLE_TENANT_MEMBER,
                                                           BRANT__COUNT(sql), sql};

/* ---- what a tenant's file asks --------------------------------------------------------------------------------------------- */

static const brant__file *file_of(const brant__membership *membership) {
    return (const brant__file *)(const void *)membership;
}

static brant_status level(int *out_level, const brant__membership *membership,
                          brant__text account_id) {
    const brant__file *file = file_of(membership);
    return brant__registry_level(out_level, file->hub, file->org_id, account_id);
}

static brant_status write_members(brant__writer *out, brant_db *registry, brant__text org_id,
                                  brant__text account_id) {
    brant__statement *statement = NULL;
    bool row = false;
    brant_status status;
    brant__write_array(out);
    BRANT__TRY(brant__statement_get(&statement, registry, &brant__tenant_member_statements,
                                    account_id.data ? MEMBER : MEMBERS));
    brant__bind_text(statement, 1, org_id);
    if (account_id.data) brant__bind_text(statement, 2, account_id);
    for (;;) {
        BRANT__TRY(brant__step(&row, registry, statement));
        if (!row) break;
        brant__write_object(out);
        brant__write_text_member(out, "account_id", brant__column_text(statement, 0));
        brant__write_text_member(out, "level", brant__column_text(statement, 1));
        brant__write_end(out);
    }
    brant__write_end(out);
    if (out->buffer.failed) status = brant__fail_memory();
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status members(brant__json *out, const brant__membership *membership,
                            brant__text account_id) {
    brant_hub *hub = file_of(membership)->hub;
    brant__writer text = {0};
    brant_status status = brant__registry_enter(hub);
    if (status != BRANT_OK) return status;
    status = write_members(&text, hub->registry, membership->org_id, account_id);
    brant__registry_leave(hub);
    if (status == BRANT_OK)
        status = brant__json_parse(out, text.buffer.data, text.buffer.length, 0);
    brant__buffer_free(&text.buffer);
    return status;
}

/* Nobody else knew of this file: its organisation may be deleted meanwhile. */
static void put_back(brant__file *file, brant_status status) {
    if (status == BRANT_OK)
        status = brant__registry_recheck(&file->seen, &file->made, file->hub, file->org_id);
    file->doomed = status != BRANT_OK;
    brant__pool_put_back(file);
}

static brant_status ask_agent(bool *out_active, brant_hub *hub, brant__text org_id,
                              brant__text key) {
    char name[BRANT__ORG_ID + 1] = "";
    brant__file *file = NULL;
    int state = BRANT__TENANT_NONE;
    brant_status status = brant__org_id_check(org_id);
    if (status != BRANT_OK) return BRANT_NOT_FOUND;
    memcpy(name, org_id.data, BRANT__ORG_ID);
    status = brant__registry_look(&state, hub, name);
    if (status != BRANT_OK || state != BRANT__TENANT_MADE) return status;
    status = brant__pool_take(&file, hub, org_id);
    if (status != BRANT_OK) return status;
    status = brant__enter(file->db);
    if (status == BRANT_OK) {
        status = brant__access_active_here(out_active, file->db, key);
        brant__leave(file->db);
    }
    put_back(file, status);
    return status;
}

/* In its own file, which is read as it is committed now. */
static brant_status agent(bool *out_active, const brant__membership *membership, brant__text org_id,
                          brant__text key) {
    const brant_status status = ask_agent(out_active, file_of(membership)->hub, org_id, key);
    if (status != BRANT_NOT_FOUND && status != BRANT_DENIED) return status;
    (void)brant__error_code(); /* no such organisation, or it is suspended */
    *out_active = false;
    return BRANT_OK;
}

/* ---- what is noted in a system file ---------------------------------------------------------------------------------------- */

static void changed(brant__membership *membership, brant__text org_id, brant__text account_id) {
    brant__file *file = (brant__file *)(void *)membership;
    brant__member_change *change;
    if (file->change_count >= CHANGES) return;
    change = brant__arena_alloc(&file->arena, sizeof *change);
    if (!change || brant__org_id_check(org_id) != BRANT_OK) goto forget;
    *change = (brant__member_change){.next = file->changes};
    memcpy(change->org_id, org_id.data, BRANT__ORG_ID);
    if (account_id.data &&
        brant__arena_text(&change->account_id, &file->arena, account_id) != BRANT_OK)
        goto forget;
    file->changes = change;
    file->change_count++;
    return;
forget:
    (void)brant__error_code();
}

void brant__members_attach(brant__file *file) {
    brant__membership *membership = &file->membership;
    if (!*file->org_id) {
        membership->changed = changed;
        return;
    }
    membership->org_id = brant__text_of(file->org_id, BRANT__ORG_ID);
    membership->level = level;
    membership->members = members;
    membership->agent = agent;
}

void brant__members_forget(brant__file *file) {
    brant__arena_free(&file->arena);
    file->arena = (brant__arena){0};
    file->changes = NULL;
    file->change_count = 0;
}

/* ---- and done ---------------------------------------------------------------------------------------------------------------- */

/* In a write transaction of the tenant's file. */
static brant_status derive(brant__derived *out, brant_db *tenant, brant__text account_id) {
    const brant__text own = {NULL, 0};
    brant__arena arena = {0};
    brant__writer answer = {0};
    brant__call call = {.db = tenant, .arena = &arena, .out = &answer};
    const brant_status status = brant__access_derive(out, &call, own, account_id);
    brant__buffer_free(&answer.buffer);
    brant__arena_free(&arena);
    return status;
}

/* All changes from this one on that are of its organisation. */
static brant_status derive_changes(brant_db *tenant, brant__member_change *change, int64_t end) {
    const char *org_id = change->org_id;
    brant_status status = brant__begin_soon(tenant, end);
    if (status != BRANT_OK) return status;
    for (; change && status == BRANT_OK; change = change->next)
        if (strcmp(change->org_id, org_id) == 0) status = derive(NULL, tenant, change->account_id);
    if (status == BRANT_OK) status = brant__commit(tenant);
    if (status != BRANT_OK) brant__rollback(tenant);
    return status;
}

static brant_status follow(brant_hub *hub, brant__member_change *first, int64_t end) {
    brant__file *file = NULL;
    int state = BRANT__TENANT_NONE;
    brant_status status = brant__registry_look(&state, hub, first->org_id);
    if (status != BRANT_OK || state != BRANT__TENANT_MADE) return status;
    status = brant__pool_take_now(&file, hub, brant__text_of(first->org_id, BRANT__ORG_ID));
    if (status != BRANT_OK) return status;
    status = brant__enter(file->db);
    if (status == BRANT_OK) {
        status = derive_changes(file->db, first, end);
        brant__leave(file->db);
    }
    put_back(file, status);
    return status;
}

void brant__members_committed(brant__file *file) {
    const int64_t end = brant__monotonic_now() + PATIENCE;
    int count = 0;
    if (!file->changes) return;
    for (brant__member_change *change = file->changes; change; change = change->next) {
        if (change->done) continue;
        for (brant__member_change *same = change; same; same = same->next)
            same->done = same->done || strcmp(same->org_id, change->org_id) == 0;
        if (count++ == ORGANIZATIONS) break;
        if (follow(file->hub, change, end) != BRANT_OK) (void)brant__error_code();
    }
    brant__members_forget(file);
}

brant_status brant__members_sync(brant__derived *out, brant_db *tenant) {
    brant_status status = brant__handle_enter(&tenant);
    *out = (brant__derived){0};
    if (status != BRANT_OK) return status;
    status = brant__begin(tenant, BRANT__WRITE);
    if (status == BRANT_OK) {
        status = derive(out, tenant, (brant__text){NULL, 0});
        if (status == BRANT_OK) status = brant__commit(tenant);
        if (status != BRANT_OK) brant__rollback(tenant);
    }
    brant__leave(tenant);
    return status;
}
