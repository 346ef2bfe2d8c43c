/*
 * hub/delegation.h: delegations between organisations, each of which stands in the system file, in the file of the principal and in that of the agent.
 *
 *     system file      brant_delegations: who, to whom, the terms, the state
 *     from_org's file  from -Delegates{.., delegation_id, state}-> Agent foreign:<to_org>:<to> {foreign}     this edge alone gives rights
 *     to_org's file    Agent foreign:<from_org>:<from> {foreign} -Delegates{.., delegation_id}-> Agent to    what the agent's side sees; it gives nothing
 *
 * What that edge gives counts while `to` is active in its own file and to_org is (access/standing.h), which is asked at each evaluation and stands nowhere else: nothing has to be kept in step.
 *
 * A delegation becomes active in this order, and each step is a transaction of one file: row pending, edge pending, mirror, edge active, row active. It ends in this order: edge revoked, row revoking, mirror revoked,
 * row revoked. So whatever of it a crash leaves undone, it is off; who reconciles goes on from the row, and each step may be done again.
 */
#ifndef BRANT__HUB_DELEGATION_H
#define BRANT__HUB_DELEGATION_H

#include "hub/operations.h"

/* Finish those that a crash left between two states; `system` is a connection on the system file, entered and outside a transaction. Only what cannot be looked at is a failure. *out_finished: how many. */
brant_status brant__delegations_reconcile(int64_t *out_finished, brant_hub *hub, brant_db *system);

brant_status brant__tenants_delegate(brant__call *call);
brant_status brant__tenants_revoke_delegation(brant__call *call);
brant_status brant__tenants_delegations(brant__call *call);

#endif
