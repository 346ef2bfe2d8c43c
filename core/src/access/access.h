/*
 * access/access.h: the access graph, as other modules use it, and its operations.
 */
#ifndef BRANT__ACCESS_H
#define BRANT__ACCESS_H

#include "brant/access.h"
#include "identity/scope.h"
#include "store/store.h"

/*
 * May the subject do what the scope names on the resource ("*": anything), by the access graph of this name as the running transaction sees it? False where there is no such graph. As
 * access.check: INVALID, LIMIT.
 */
brant_status brant__access_right(bool *out_right, brant__call *call, brant__text graph,
                                 brant__text subject, brant__text scope, brant__text resource);

/* The same by what is granted on the resource itself or above it: grants of everything ("*") do not count, denials do. */
brant_status brant__access_right_on(bool *out_right, brant__call *call, brant__text graph,
                                    brant__text subject, brant__text scope, brant__text resource);

/* Is it denied that: does a Denies edge that counts lead there from the subject, or from a group or role that it reaches? False where there is no such graph or subject. LIMIT. */
brant_status brant__access_denied(bool *out_denied, brant__call *call, brant__text graph,
                                  brant__text subject, brant__text scope, brant__text resource);

/*
 * What a principal is granted, and what it is denied, on the resource "*" in the graph "access": itself, and by its groups and roles; in their smallest forms, in the call's arena. Nothing
 * where there is no such graph or principal; of one that does not count now its denials only. LIMIT: its groups nest too deep.
 */
brant_status brant__access_held(brant__scopes *out_scopes, brant__scopes *out_denies,
                                brant__call *call, brant__text principal);

/* ---- operations ------------------------------------------------------------------------------ */

brant_status brant__access_check(brant__call *call);
brant_status brant__access_check_many(brant__call *call);
brant_status brant__access_expand(brant__call *call);
brant_status brant__access_explain(brant__call *call);
brant_status brant__access_list_objects(brant__call *call);
brant_status brant__access_list_subjects(brant__call *call);

#endif
