/*
 * access/standing.c: who is a member of what now, and whose account is active.
 */
#include "access/standing.h"

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
