/*
 * access/standing.h: what accounts are now: active, and of which level in an organisation.
 *
 * A file of role single or system reads its own members and accounts, in the running transaction. A tenant's file asks the hub that opened it; alone it knows no membership, and of
 * accounts only what its nodes say. With a hub an account that is no member of the tenant's organisation is not active there. So with agents of other organisations, of which a tenant's file has
 * nodes with the keys foreign:<organisation>:<key there>: alone it knows of none that is active.
 */
#ifndef BRANT__ACCESS_STANDING_H
#define BRANT__ACCESS_STANDING_H

#include "store/store.h"

/* 0: none; 1 viewer to 4 owner. */
brant_status brant__access_member_level(int *out_level, brant_db *db, brant__text org_id,
                                        brant__text account_id);
brant_status brant__access_account_active(bool *out_active, brant_db *db, brant__text account_id);

/* Whose key it is in another organisation, and which: of an agent foreign:<organisation>:<key>; false: another key. */
bool brant__access_foreign(brant__text *out_org_id, brant__text *out_key, brant__text key);
/* Is an agent of such a key active in its organisation now? */
brant_status brant__access_foreign_active(bool *out_active, brant_db *db, brant__text key);
/* Is the agent or principal of this key active in the graph "access" of this file? For another organisation that asks. */
brant_status brant__access_active_here(bool *out_active, brant_db *db, brant__text key);

/* The organisation and the level that the key of a derived group names: "org:<organisation>:<level>"; false: another key. */
bool brant__access_derived_group(brant__text *out_org_id, int *out_level, brant__text key);

#endif
