/*
 * identity/organization.h: organisations, as the operations and the rules of their members use them.
 */
#ifndef BRANT__IDENTITY_ORGANIZATION_H
#define BRANT__IDENTITY_ORGANIZATION_H

#include "identity/table.h"

enum { BRANT__ORGANIZATION_ACTIVE, BRANT__ORGANIZATION_SUSPENDED, BRANT__ORGANIZATION_DELETING };

typedef struct brant__organization {
    int status;
    brant__text owner_id; /* in the arena, where one is given */
} brant__organization;

/* NOT_FOUND: there is none of this id. */
brant_status brant__organization_find(brant__organization *out, brant_db *db, brant__arena *arena,
                                      brant__text id);
/* The same to change it. CONFLICT: it is being deleted. */
brant_status brant__organization_hold(brant__organization *out, brant_db *db, brant__arena *arena,
                                      brant__text id);

/*
 * Delete the rows of an organisation, in the running write transaction: its members, invitations, keys and itself; who listens is told. The hub's, once its file is gone.
 */
brant_status brant__organization_remove(brant__call *call, brant__text id);

extern const brant__statements brant__organization_statements;

brant_status brant__organizations_create(brant__call *call);
brant_status brant__organizations_get(brant__call *call);
brant_status brant__organizations_list(brant__call *call);
brant_status brant__organizations_update(brant__call *call);
brant_status brant__organizations_transfer(brant__call *call);
brant_status brant__organizations_suspend(brant__call *call);
brant_status brant__organizations_resume(brant__call *call);
brant_status brant__organizations_delete(brant__call *call);

#endif
