/*
 * access/derive.h: what an access graph has of the members of organisations, made from them and never the authority on them.
 *
 *     Principal account:<id> -BelongsTo{derived, level}-> Group org:<org>:<level>
 *     Group org:<org>:owner -> org:<org>:admin -> org:<org>:member -> org:<org>:viewer -> org:<org>    BelongsTo{derived}
 *     Group org:<org>:<level> -HasRole-> Role role:<level>                                              where access.seed made the roles
 *
 * So what is given to org:<org>:member reaches admins and owners. The edges of principals count only while membership says the same: that is asked at every evaluation.
 */
#ifndef BRANT__ACCESS_DERIVE_H
#define BRANT__ACCESS_DERIVE_H

#include "store/store.h"

/*
 * For the modules that change memberships in a file of role "single", in the same transaction: graph "access" follows brant_members, for one account of one organisation; account {NULL, 0}: all of the
 * organisation, whose groups go when it is no more; organisation {NULL, 0}: all that the account is in. Nothing where there is no such graph. Not audited: what changed the membership is.
 */
brant_status brant__access_derive(brant__call *call, brant__text org_id, brant__text account_id);

/* Is it of the keys of groups that are made of members? */
bool brant__access_derived_key(brant__text key);

#endif
