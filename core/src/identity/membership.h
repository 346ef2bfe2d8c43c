/*
 * identity/membership.h: who is a member, asked by what works in a tenant's file.
 *
 * Memberships stand in the system file. The hub that opened a tenant's file attaches its answer to the handle (BRANT__SLOT_HUB), so that modules below it can ask.
 */
#ifndef BRANT__IDENTITY_MEMBERSHIP_H
#define BRANT__IDENTITY_MEMBERSHIP_H

#include "store/store.h"

/* The first member of the state in BRANT__SLOT_HUB. A tenant's has all but `changed`, that of a system file has nothing else. */
typedef struct brant__membership brant__membership;
struct brant__membership {
    brant__text org_id;
    brant_status (*level)(int *out_level, const brant__membership *self, brant__text account_id);
    brant_status (*members)(brant__json *out, const brant__membership *self,
                            brant__text account_id);
    brant_status (*agent)(bool *out_active, const brant__membership *self, brant__text org_id,
                          brant__text key);
    void (*changed)(brant__membership *self, brant__text org_id, brant__text account_id);
};

/* Was the tenant's file opened by a hub? A file alone has nobody to ask. */
bool brant__hub_of(const brant_db *db);
/*
 * The level of an account in the organisation of this file, as the system file says now, whatever transaction runs here: 0 none (also when organisation, membership or account is not
 * active, and where there is no hub), 1 viewer, 2 member, 3 admin, 4 owner.
 */
brant_status brant__hub_member(int *out_level, brant_db *db, brant__text account_id);
/*
 * Is who has this key in the access graph of another organisation active there now, whatever transaction runs here? False also when that organisation is not active or has no file yet, and where
 * there is no hub. BUSY: all handles of the hub are in use.
 */
brant_status brant__hub_agent(bool *out_active, brant_db *db, brant__text org_id, brant__text key);
/* The organisation of this tenant's file, as its hub says; {NULL, 0}: it has none. */
brant__text brant__hub_organization(const brant_db *db);
/*
 * Those of its memberships that are active, also of accounts which are not, as the system file says now: [{"account_id", "level"}..]; of one account, or of {NULL, 0}: all. Free *out, also after a
 * failure. MISUSE: there is no hub.
 */
brant_status brant__hub_members(brant__json *out, const brant_db *db, brant__text account_id);
/*
 * In a transaction on a system file: a membership changed, or with {NULL, 0} any of the organisation. The hub, where there is one, brings the tenant's access graph into step when the transaction is
 * committed. Never fails: what is not done then is by tenants.maintain.
 */
void brant__hub_changed(brant_db *db, brant__text org_id, brant__text account_id);

#endif
