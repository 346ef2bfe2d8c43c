/*
 * identity/member.h: members of organisations, as the operations and what else makes and ends memberships use them.
 */
#ifndef BRANT__IDENTITY_MEMBER_H
#define BRANT__IDENTITY_MEMBER_H

#include "identity/level.h"

/* One membership, whatever the state of organisation and account. */
typedef struct brant__member {
    bool found;
    bool active;
    int level;
} brant__member;
brant_status brant__member_find(brant__member *out, brant_db *db, brant__text org_id,
                                brant__text account_id);

/*
 * Make an account a member, in the running write transaction: row, event, access graph. Judges nobody and writes no audit row: brant__member_may and the caller's own do.
 * NOT_FOUND: no such account, or no such organisation; CONFLICT: the account is not active, or the organisation is being deleted; EXISTS: it is a member, also where it is suspended.
 */
brant_status brant__member_insert(brant__call *call, brant__text org_id, brant__text account_id,
                                  int level);
/* Another level for a member there is: row, event, access graph. Judges nobody, and whether an owner remains is the caller's. */
brant_status brant__member_set_level(brant__call *call, brant__text org_id, brant__text account_id,
                                     int level);
/* Answer the row of a member there is. */
brant_status brant__member_answer(brant__call *call, brant__text org_id, brant__text account_id);

/* Delete the memberships of an organisation, or with org_id {NULL, 0} of an account: rows, events, access graph. */
brant_status brant__members_delete(int64_t *out_count, brant__call *call, brant__text org_id,
                                   brant__text account_id);

extern const brant__statements brant__member_statements;

brant_status brant__members_add(brant__call *call);
brant_status brant__members_get(brant__call *call);
brant_status brant__members_list(brant__call *call);
brant_status brant__members_set_level(brant__call *call);
brant_status brant__members_suspend(brant__call *call);
brant_status brant__members_resume(brant__call *call);
brant_status brant__members_remove(brant__call *call);
brant_status brant__members_leave(brant__call *call);

#endif
