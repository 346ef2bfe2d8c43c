/*
 * hub/registry.c: what the system file says of organisations and tenants, on the hub's own connection.
 */
#include "hub/hub.h"

const char *const brant__tenant_state_names[] = {"none", "made", "deleting"};

enum { VERSION, LOOK, LEVEL };
static const char *const sql[] = {
    [VERSION] = "PRAGMA data_version",
    [LOOK] = "SELECT o.status, t.state FROM brant_organizations AS o"
             " LEFT JOIN brant_tenants AS t ON t.org_id = o.id WHERE o.id = :org_id",
    [LEVEL] = "SELECT m.level FROM brant_members AS m"
              " CROSS JOIN brant_organizations AS o ON o.id = m.org_id AND o.status = 'active'"
              " CROSS JOIN brant_accounts AS a ON a.id = m.account_id AND a.status = 'active'"
              " WHERE m.org_id = :org_id AND m.account_id = :account_id AND m.status = 'active'",
};
static const brant__statements statements = {BRANT__TABLE_TENANT, BRANT__COUNT(sql), sql};

brant_status brant__registry_enter(brant_hub *hub) {
    pthread_mutex_lock(&hub->registry_lock);
    const brant_status status = brant__enter(hub->registry);
    if (status != BRANT_OK) pthread_mutex_unlock(&hub->registry_lock);
    return status;
}

void brant__registry_leave(brant_hub *hub) {
    brant__leave(hub->registry);
    pthread_mutex_unlock(&hub->registry_lock);
}

/* Another value whenever the file may have changed. Never 0. */
static brant_status read_version(uint64_t *out, brant_hub *hub) {
    brant__statement *statement = NULL;
    bool row = false;
    brant_status status = brant__statement_get(&statement, hub->registry, &statements, VERSION);
    if (status == BRANT_OK) status = brant__step(&row, hub->registry, statement);
    if (status == BRANT_OK)
        *out = ((uint64_t)brant__column_integer(statement, 0) << 32) + hub->writes + 1;
    brant__reset(statement);
    return status;
}

brant_status brant__registry_state(int *out_state, brant_hub *hub, const char *org_id) {
    brant__statement *statement = NULL;
    brant_status status = BRANT_OK;
    bool row = false;
    *out_state = BRANT__TENANT_NONE;
    BRANT__TRY(brant__statement_get(&statement, hub->registry, &statements, LOOK));
    brant__bind_text(statement, 1, brant__text_of(org_id, BRANT__ORG_ID));
    BRANT__TRY(brant__step(&row, hub->registry, statement));
    if (!row) {
        status = brant__fail(BRANT_NOT_FOUND, "no organisation \"%s\"", org_id);
        goto cleanup;
    }
    const brant__text organization = brant__column_text(statement, 0),
                      state = brant__column_text(statement, 1);
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

brant_status brant__registry_look(int *out_state, uint64_t *out_seen, brant_hub *hub,
                                  const char *org_id) {
    *out_state = BRANT__TENANT_NONE;
    brant_status status = brant__registry_enter(hub);
    if (status != BRANT_OK) return status;
    BRANT__TRY(read_version(out_seen, hub));
    BRANT__TRY(brant__registry_state(out_state, hub, org_id));
cleanup:
    brant__registry_leave(hub);
    return status;
}

brant_status brant__registry_recheck(uint64_t *seen, brant_hub *hub, const char *org_id) {
    uint64_t version = 0;
    int state = BRANT__TENANT_NONE;
    brant_status status = brant__registry_enter(hub);
    if (status != BRANT_OK) return status;
    BRANT__TRY(read_version(&version, hub));
    if (BRANT__LIKELY(version == *seen)) goto cleanup;
    status = brant__registry_state(&state, hub, org_id);
    if (status == BRANT_OK) *seen = version;
cleanup:
    brant__registry_leave(hub);
    return status;
}

brant_status brant__registry_level(int *out_level, brant_hub *hub, const char *org_id,
                                   brant__text account_id) {
    static const char *const levels[] = {"viewer", "member", "admin", "owner"};
    brant__statement *statement = NULL;
    bool row = false;
    *out_level = 0;
    brant_status status = brant__registry_enter(hub);
    if (status != BRANT_OK) return status;
    BRANT__TRY(brant__statement_get(&statement, hub->registry, &statements, LEVEL));
    brant__bind_text(statement, 1, brant__text_of(org_id, BRANT__ORG_ID));
    brant__bind_text(statement, 2, account_id);
    BRANT__TRY(brant__step(&row, hub->registry, statement));
    const brant__text level = row ? brant__column_text(statement, 0) : (brant__text){NULL, 0};
    for (int i = 0; row && i < (int)BRANT__COUNT(levels); i++)
        if (brant__text_equal(level, brant__text_string(levels[i]))) *out_level = i + 1;
cleanup:
    brant__reset(statement);
    brant__registry_leave(hub);
    return status;
}
