/*
 * identity/actor.h: who does what an operation does: for the rules that judge it, and for the audit log.
 */
#ifndef BRANT__IDENTITY_ACTOR_H
#define BRANT__IDENTITY_ACTOR_H

#include "identity/scope.h"
#include "store/store.h"

#define BRANT__REASON_MOST 1000 /* bytes */

typedef struct brant__actor {
    brant__text type;   /* "account", "api_key", "agent", "service", "system" */
    brant__text id;     /* {NULL, 0}: none */
    brant__text reason; /* {NULL, 0}: none */
    bool trusted;       /* the call is: invariants alone judge it where nobody was named */
} brant__actor;

/*
 * Of the running call: a session's identity, to which the input's "actor" may add a reason; else the input's "actor" {"type"?, "id"?, "reason"?}, whose type is "account" where
 * only an id is given; else the system. Borrowed for the call.
 * DENIED: a session names another actor than itself; the actor is an account that is not active (an id that no account has is for brant__standing_read to refuse, and a tenant's
 * file has no accounts). INVALID: an id of no or more than 255 bytes, no id where the type is not "system", a reason of more than 1000 bytes.
 */
brant_status brant__actor_read(brant__actor *out, brant__call *call);

/*
 * The organisation whose rows alone the caller may see and write, {NULL, 0}: it sees all. A session that was opened for an organisation is bound to it, but in a tenant's file, which is the
 * organisation's.
 */
brant__text brant__actor_bound(const brant_db *db);

/*
 * Nobody gives more than they hold: a session passes on, as keys, levels or access_level, what its own scopes cover, within and denies let through, and so do those of all in which it was opened. DENIED.
 * A trusted call may all.
 */
brant_status brant__session_require(const brant_db *db, const brant__scopes *scopes);

/* How the rules on accounts and organisations see the actor. */
typedef struct brant__standing {
    bool system; /* invariants alone judge it */
    bool
        admin; /* an account of access_level admin, which does not act for one organisation, nor by a session without accounts:admin */
    brant__text id; /* of the account; of the system {NULL, 0} */
    brant__text
        org; /* the only organisation in which it acts, and it acts on nothing else: of a session that was opened for one; else {NULL, 0} */
    int most; /* the level above which it never counts, whatever its membership says: the session's */
} brant__standing;

/*
 * Everybody but the system of a trusted call is judged as the account of their id. Borrowed for the call. DENIED: there is no such account, or it is not active.
 */
brant_status brant__standing_read(brant__standing *out, brant__call *call,
                                  const brant__actor *actor);

#endif
