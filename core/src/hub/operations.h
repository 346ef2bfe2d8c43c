/*
 * hub/operations.h: tenants.*: see brant/hub.h.
 */
#ifndef BRANT__HUB_OPERATIONS_H
#define BRANT__HUB_OPERATIONS_H

#include "hub/hub.h"

/* The hub of the handle that the call came by. MISUSE: it is none of a hub's system file. */
brant_status brant__hub_here(brant_hub **out, brant__call *call);
/* The same, and MISUSE inside a transaction: what follows writes to the system file on another connection. */
brant_status brant__hub_here_alone(brant_hub **out, brant__call *call);
/* DENIED: the session was opened for an organisation, and this is not its own. {NULL, 0}: it is about all. */
brant_status brant__hub_may(const brant__call *call, brant__text org_id);

brant_status brant__tenants_apply(brant__call *call);
brant_status brant__tenants_backup(brant__call *call);
brant_status brant__tenants_get(brant__call *call);
brant_status brant__tenants_list(brant__call *call);
brant_status brant__tenants_maintain(brant__call *call);
brant_status brant__tenants_migrate(brant__call *call);
brant_status brant__tenants_restore(brant__call *call);
brant_status brant__tenants_stats(brant__call *call);

#endif
