/*
 * identity/actor.h: who does what an operation does: for the rules that judge it, and for the audit log.
 */
#ifndef BRANT__IDENTITY_ACTOR_H
#define BRANT__IDENTITY_ACTOR_H

#include "store/store.h"

typedef struct brant__actor {
    brant__text type;   /* "account", "api_key", "agent", "service", "system" */
    brant__text id;     /* {NULL, 0}: none */
    brant__text reason; /* {NULL, 0}: none */
    bool trusted;       /* the call is: invariants alone judge it where nobody was named */
} brant__actor;

/*
 * Of the running call: a session's identity, to which the input's "actor" may add a reason; else the input's "actor", else the system. Borrowed for the call. DENIED: a session names
 * another actor than itself.
 */
brant_status brant__actor_read(brant__actor *out, brant__call *call);

#endif
