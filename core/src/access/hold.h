/*
 * access/hold.h: what the one who writes an access graph may give, since nobody gives more than they hold.
 */
#ifndef BRANT__ACCESS_HOLD_H
#define BRANT__ACCESS_HOLD_H

#include "access/write.h"

/* False: the system, which is bound by nothing but the graph's own rules. */
bool brant__access_judged(const brant__access_edit *edit);
/* The key of the node that the actor is in this graph; {NULL, 0}: none. */
brant_status brant__access_actor_key(brant__text *out, const brant__access_edit *edit);

/*
 * What a write does to the rights of others. Widening: the actor must hold what is given, on what it is given on. Narrowing: that, or be one who may administer the graph (access:admin on
 * graph:<name>), so that what somebody gave too much can be taken back by who never had it.
 */
enum { BRANT__WIDENING, BRANT__NARROWING };
/* DENIED, with {"scope", "resource"}. */
brant_status brant__access_require(const brant__access_edit *edit, const brant__scopes *scopes,
                                   brant__text resource, int what);
/*
 * Whoever delegates gives what their principal has anywhere. A session lets no more through than it may use itself: what within and denies, its own and those of all in which it was opened, let through, and
 * without a principal, for which the graph is not asked, its own scopes. DENIED, with {"scope", "resource"}.
 */
brant_status brant__access_require_let(const brant__access_edit *edit, const brant__scopes *scopes);
/* DENIED unless the actor administers the graph. */
brant_status brant__access_require_admin(const brant__access_edit *edit);

/* ---- what hangs on a node ------------------------------------------------------------------------------ */

/* Live edges of one type, with the resource each is on. */
typedef struct brant__access_given {
    brant__scopes scopes;
    brant__text resource;
} brant__access_given;
typedef struct brant__access_list {
    brant__access_given *items;
    size_t count;
    size_t room;
} brant__access_list;

/* Everything that a subject is given ("Grants") or denied ("Denies"), by itself and through the groups and roles that it reaches. */
brant_status brant__access_of_subject(brant__access_list *out, const brant__access_edit *edit,
                                      int64_t subject, const char *type);
/* Everything that anybody is given or denied on a resource or above it, but on "*". */
brant_status brant__access_on_resource(brant__access_list *out, const brant__access_edit *edit,
                                       int64_t resource, const char *type);
void brant__access_list_free(brant__access_list *list);

/* brant__access_require of each; `resource` {NULL, 0}: each on its own. */
brant_status brant__access_require_all(const brant__access_edit *edit,
                                       const brant__access_list *list, brant__text resource,
                                       int what);

/* Has this principal or agent the right to a scope on anything at all, now? */
brant_status brant__access_holds_somewhere(bool *out, const brant__access_edit *edit,
                                           const brant__access_entity *subject, brant__text scope);

#endif
