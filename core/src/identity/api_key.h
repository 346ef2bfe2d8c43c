/*
 * identity/api_key.h: keys of accounts: api_keys.* and auth.authenticate.
 *
 * - api_key.c: making, rotating, revoking, taking over, reading
 * - authenticate.c: whose key it is, and what it may now
 */
#ifndef BRANT__IDENTITY_API_KEY_H
#define BRANT__IDENTITY_API_KEY_H

#include "identity/scope.h"
#include "identity/table.h"
#include "identity/token.h"

#define BRANT__API_KEY_MINUTE INT64_C(60000) /* how often it is noted that a key is used */

/* What an account holds, by itself or as a member of one organisation. */
typedef struct brant__holding {
    brant__scopes scopes;
    brant__scopes denies; /* of the access graph, which win over all others */
} brant__holding;

/*
 * Now: `level` is the number of that in the organisation, or 0 for an account by itself, which has its access_level's. In a file of role "single" also what its access graph grants and denies the
 * account everywhere. In the arena.
 */
brant_status brant__holding_read(brant__holding *out, brant__call *call, brant__text account_id,
                                 brant__text access_level, int level);

brant_status brant__api_keys_create(brant__call *call);
brant_status brant__api_keys_get(brant__call *call);
brant_status brant__api_keys_import(brant__call *call);
brant_status brant__api_keys_list(brant__call *call);
brant_status brant__api_keys_revoke(brant__call *call);
brant_status brant__api_keys_rotate(brant__call *call);
brant_status brant__api_keys_verify(brant__call *call);
brant_status brant__auth_authenticate(brant__call *call);

extern const brant__statements brant__api_key_statements, brant__authenticate_statements;

#endif
