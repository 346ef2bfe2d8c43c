/*
 * identity/membership.h: who is a member, asked by what works in a tenant's file.
 *
 * Memberships stand in the system file. The hub that opened a tenant's file attaches its answer to the handle (BRANT__SLOT_HUB), so that modules below it can ask.
 */
#ifndef BRANT__IDENTITY_MEMBERSHIP_H
#define BRANT__IDENTITY_MEMBERSHIP_H

#include "store/store.h"

/* The first member of the state in BRANT__SLOT_HUB; of the system file without `level`. */
typedef struct brant__membership brant__membership;
struct brant__membership {
    brant_status (*level)(int *out_level, const brant__membership *self, brant__text account_id);
};

/* Was the tenant's file opened by a hub? A file alone has nobody to ask. */
bool brant__hub_of(const brant_db *db);
/*
 * The level of an account in the organisation of this file, as the system file says now, whatever transaction runs here: 0 none (also when organisation, membership or account is not
 * active, and where there is no hub), 1 viewer, 2 member, 3 admin, 4 owner.
 */
brant_status brant__hub_member(int *out_level, brant_db *db, brant__text account_id);

#endif
