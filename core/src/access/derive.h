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

/* What it took: accounts that came into a group, that left all, and that went from one to another. */
typedef struct brant__derived {
    bool graph; /* there is one */
    int64_t added;
    int64_t removed;
    int64_t changed;
} brant__derived;

/*
 * Inside a write transaction graph "access" follows brant_members, for one account of one organisation; account {NULL, 0}: all of the organisation, whose groups go when it is no more; organisation
 * {NULL, 0}: all that the account is in. In a file of role "single" for the modules that change memberships, in the same transaction. In a tenant's for its hub, which is asked for the members inside the
 * transaction, so that the last who does it knows the most: of the file's own organisation, whatever is given; nothing where it is alone. Nothing where there is no such graph. Not audited: what changed
 * the membership is. `out` may be NULL.
 */
brant_status brant__access_derive(brant__derived *out, brant__call *call, brant__text org_id,
                                  brant__text account_id);

/* Is it of the keys of groups that are made of members? */
bool brant__access_derived_key(brant__text key);

#endif
