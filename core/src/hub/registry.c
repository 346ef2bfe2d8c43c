/*
 * hub/registry.c: what the system file says of organisations and tenants, on the hub's own connections.
 */
#include "hub/hub.h"
#include "identity/level.h"

const char *const brant__tenant_state_names[] = {"none", "made", "deleting"};

enum { VERSION, LOOK, CALLER };
static const char *const sql[] = {
    [VERSION] = "PRAGMA data_version",
    [LOOK] = "SELECT o.status, t.state, t.created_at FROM brant_organizations AS o"
             " LEFT JOIN brant_tenants AS t ON t.org_id = o.id WHERE o.id = :org_id",
    [CALLER] = "SELECT k.expires_at FROM brant_api_keys AS k CROSS JOIN brant_accounts AS a ON"
               " a.id = k.owner_id WHERE k.id = :key AND k.revoked_at IS NULL AND"
               " a.status = 'active'",
};
const brant__statements brant__tenant_state_statements = {BRANT__TABLE_TENANT, BRANT__COUNT(sql),
                                                          sql};

static brant_status enter(pthread_mutex_t *lock, brant_db *db) {
    pthread_mutex_lock(lock);
    const brant_status status = brant__enter(db);
    if (status != BRANT_OK) pthread_mutex_unlock(lock);
    return status;
}

static void leave(pthread_mutex_t *lock, brant_db *db) {
    brant__leave(db);
    pthread_mutex_unlock(lock);
}

brant_status brant__registry_enter(brant_hub *hub) {
    return enter(&hub->registry_lock, hub->registry);
}

void brant__registry_leave(brant_hub *hub) {
    leave(&hub->registry_lock, hub->registry);
}

brant_status brant__recorder_enter(brant_hub *hub) {
    return enter(&hub->recorder_lock, hub->recorder);
}

void brant__recorder_leave(brant_hub *hub) {
    leave(&hub->recorder_lock, hub->recorder);
}

/* Another value whenever the file may have changed: the registry itself never writes. Never 0. */
static brant_status read_version(uint64_t *out, brant_hub *hub) {
    brant__statement *statement = NULL;
    bool row = false;
    brant_status status =
        brant__statement_get(&statement, hub->registry, &brant__tenant_state_statements, VERSION);
    if (status == BRANT_OK) status = brant__step(&row, hub->registry, statement);
    if (status == BRANT_OK) *out = (uint64_t)brant__column_integer(statement, 0) + 1;
    brant__reset(statement);
    return status;
}

brant_status brant__registry_state(int *out_state, int64_t *out_made, brant_db *db,
                                   const char *org_id) {
    brant__statement *statement = NULL;
    brant_status status = BRANT_OK;
    bool row = false;
    *out_state = BRANT__TENANT_NONE;
    *out_made = 0;
    BRANT__TRY(brant__statement_get(&statement, db, &brant__tenant_state_statements, LOOK));
    brant__bind_text(statement, 1, brant__text_of(org_id, BRANT__ORG_ID));
    BRANT__TRY(brant__step(&row, db, statement));
    if (!row) {
        status = brant__fail(BRANT_NOT_FOUND, "no organisation \"%s\"", org_id);
        goto cleanup;
    }
    const brant__text organization = brant__column_text(statement, 0),
                      state = brant__column_text(statement, 1);
    *out_made = brant__column_integer(statement, 2);
    if (state.data && brant__text_equal(state, BRANT__TEXT("made")))
        *out_state = BRANT__TENANT_MADE;
    if (state.data && brant__text_equal(state, BRANT__TEXT("deleting")))
        *out_state = BRANT__TENANT_DELETING;
    if (*out_state == BRANT__TENANT_DELETING ||
        brant__text_equal(organization, BRANT__TEXT("deleting")))
        status = brant__fail(BRANT_NOT_FOUND, "the organisation \"%s\" is being deleted", org_id);
    else if (!brant__text_equal(organization, BRANT__TEXT("active")))
        status = brant__fail(BRANT_DENIED, "the organisation \"%s\" is suspended", org_id);
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__registry_look(int *out_state, brant_hub *hub, const char *org_id) {
    int64_t made = 0;
    *out_state = BRANT__TENANT_NONE;
    brant_status status = brant__registry_enter(hub);
    if (status != BRANT_OK) return status;
    BRANT__TRY(brant__registry_state(out_state, &made, hub->registry, org_id));
cleanup:
    brant__registry_leave(hub);
    return status;
}

static brant_status recheck_organization(uint64_t *seen, int64_t *made, uint64_t version,
                                         brant_hub *hub, const char *org_id) {
    int64_t made_now = 0;
    int state = BRANT__TENANT_NONE;
    if (BRANT__LIKELY(version == *seen)) return BRANT_OK;
    const brant_status status = brant__registry_state(&state, &made_now, hub->registry, org_id);
    if (status != BRANT_OK) return status;
    if (*made != 0 && *made != made_now)
        return brant__fail(BRANT_NOT_FOUND, "the organisation \"%s\" was deleted", org_id);
    *made = made_now;
    *seen = version;
    return BRANT_OK;
}

brant_status brant__registry_recheck(uint64_t *seen, int64_t *made, brant_hub *hub,
                                     const char *org_id) {
    uint64_t version = 0;
    brant_status status = brant__registry_enter(hub);
    if (status != BRANT_OK) return status;
    status = read_version(&version, hub);
    if (status == BRANT_OK) status = recheck_organization(seen, made, version, hub, org_id);
    brant__registry_leave(hub);
    return status;
}

static brant_status read_caller(bool *out_good, brant__caller *caller, brant_db *registry,
                                brant__text org_id) {
    brant__statement *statement = NULL;
    int level = BRANT__LEVEL_NONE;
    brant_status status = BRANT_OK;
    *out_good = false;
    BRANT__TRY(brant__statement_get(&statement, registry, &brant__tenant_state_statements, CALLER));
    brant__bind_text(statement, 1, brant__text_string(caller->key));
    BRANT__TRY(brant__step(out_good, registry, statement));
    if (!*out_good) goto cleanup;
    caller->expires_at =
        brant__column_null(statement, 0) ? INT64_MAX : brant__column_integer(statement, 0);
    if (org_id.length == 0) goto cleanup;
    BRANT__TRY(brant__member_level(&level, registry, org_id, brant__text_string(caller->account)));
    *out_good = level != BRANT__LEVEL_NONE && level >= caller->level;
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status recheck_caller(brant__caller *caller, uint64_t version, brant_hub *hub,
                                   const char *org_id) {
    bool good = true;
    if (BRANT__UNLIKELY(version != caller->seen)) {
        const brant_status status =
            read_caller(&good, caller, hub->registry, brant__text_string(org_id));
        if (status != BRANT_OK) return status;
        if (good) caller->seen = version;
    }
    if (!good || brant__system_now() >= caller->expires_at)
        return brant__fail(BRANT_AUTH, "the session has ended: its key is not valid any more");
    return BRANT_OK;
}

brant_status brant__registry_recheck_lent(brant__file *file) {
    uint64_t version = 0;
    if (!*file->org_id && !*file->caller.key) return BRANT_OK;
    brant_status status = brant__registry_enter(file->hub);
    if (status != BRANT_OK) return status;
    BRANT__TRY(read_version(&version, file->hub));
    if (*file->org_id)
        BRANT__TRY(
            recheck_organization(&file->seen, &file->made, version, file->hub, file->org_id));
    if (*file->caller.key) status = recheck_caller(&file->caller, version, file->hub, file->org_id);
cleanup:
    brant__registry_leave(file->hub);
    return status;
}

brant_status brant__registry_level(int *out_level, brant_hub *hub, const char *org_id,
                                   brant__text account_id) {
    *out_level = 0;
    brant_status status = brant__registry_enter(hub);
    if (status != BRANT_OK) return status;
    status = brant__member_level(out_level, hub->registry, brant__text_of(org_id, BRANT__ORG_ID),
                                 account_id);
    brant__registry_leave(hub);
    return status;
}
