/*
 * access/standing.c: who is a member of what now, whose account is active, and which agents of other organisations are.
 */
#include "access/standing.h"

#include "access/write.h"
#include "identity/account.h"
#include "identity/level.h"
#include "identity/membership.h"

brant_status brant__access_member_level(int *out_level, brant_db *db, brant__text org_id,
                                        brant__text account_id) {
    /* A tenant's file is of one organisation; alone it has no answer but none. */
    if (brant__db_role(db) == BRANT__ROLE_TENANT)
        return brant__hub_member(out_level, db, account_id);
    return brant__member_level(out_level, db, org_id, account_id);
}

brant_status brant__access_account_active(bool *out_active, brant_db *db, brant__text account_id) {
    brant__account account;
    int level;
    brant_status status;

    *out_active = true;
    if (brant__db_role(db) != BRANT__ROLE_TENANT) {
        status = brant__account_find(&account, db, NULL, account_id);
        *out_active = status == BRANT_OK && account.found && account.active;
        return status;
    }
    if (!brant__hub_of(db)) return BRANT_OK;
    status = brant__hub_member(&level, db, account_id);
    *out_active = status == BRANT_OK && level > BRANT__LEVEL_NONE;
    return status;
}

bool brant__access_derived_group(brant__text *out_org_id, int *out_level, brant__text key) {
    const char *end = key.data + key.length, *colon = end;

    if (key.length < 4 || memcmp(key.data, "org:", 4) != 0) return false;
    while (colon[-1] != ':')
        colon--;
    if (colon <= key.data + 5) return false;
    *out_org_id = brant__text_of(key.data + 4, (size_t)(colon - 1 - (key.data + 4)));
    *out_level = brant__level_of(brant__text_of(colon, (size_t)(end - colon)));
    return *out_level > BRANT__LEVEL_NONE;
}

/* ---- other organisations --------------------------------------------------------------------- */

#define FOREIGN     "foreign:"
#define FOREIGN_LEN (sizeof(FOREIGN) - 1)
#define ORG_LEN     36 /* of the ids that have files */

bool brant__access_foreign(brant__text *out_org_id, brant__text *out_key, brant__text key) {
    const size_t before = FOREIGN_LEN + ORG_LEN + 1;

    if (key.length <= before || memcmp(key.data, FOREIGN, FOREIGN_LEN) != 0 ||
        key.data[before - 1] != ':')
        return false;
    *out_org_id = brant__text_of(key.data + FOREIGN_LEN, ORG_LEN);
    *out_key = brant__text_of(key.data + before, key.length - before);
    return true;
}

brant_status brant__access_foreign_active(bool *out_active, brant_db *db, brant__text key) {
    brant__text org_id, there;

    *out_active = true;
    if (brant__db_role(db) != BRANT__ROLE_TENANT || !brant__access_foreign(&org_id, &there, key))
        return BRANT_OK;
    return brant__hub_agent(out_active, db, org_id, there);
}

static brant_status is_active(bool *out_active, brant__call *call, brant__text key) {
    brant__access_edit edit;
    brant__access_entity node;
    brant__json json = {0};
    brant__text status_of, account;
    bool found;
    brant_status status;

    BRANT__TRY(brant__access_begin_at(&found, &edit, call, BRANT__ACCESS_GRAPH));
    if (!found) goto cleanup;
    BRANT__TRY(brant__access_entity_find(&node, &edit, key));
    if (!brant__access_is(&node, "Agent") && !brant__access_is(&node, "Principal")) goto cleanup;
    BRANT__TRY(brant__json_parse(&json, node.attributes.data, node.attributes.length, 0));
    status_of = brant__json_get_text(json.root, "status");
    account = brant__json_get_text(json.root, "account_id");
    *out_active = !status_of.data || brant__text_equal(status_of, BRANT__TEXT("active"));
    if (*out_active && account.data)
        status = brant__access_account_active(out_active, call->db, account);
cleanup:
    brant__json_free(&json);
    return status;
}

brant_status brant__access_active_here(bool *out_active, brant_db *db, brant__text key) {
    brant__arena arena = {0};
    brant__call call = {.db = db, .arena = &arena};
    brant_status status = brant__begin(db, BRANT__READ);

    *out_active = false;
    if (status != BRANT_OK) return status;
    status = is_active(out_active, &call, key);
    brant__rollback(db);
    brant__arena_free(&arena);
    return status;
}
