/*
 * identity/invitation.h: invitations into organisations: invitations.*
 */
#ifndef BRANT__IDENTITY_INVITATION_H
#define BRANT__IDENTITY_INVITATION_H

#include "store/store.h"

brant_status brant__invitations_accept(brant__call *call);
brant_status brant__invitations_cancel(brant__call *call);
brant_status brant__invitations_create(brant__call *call);
brant_status brant__invitations_get(brant__call *call);
brant_status brant__invitations_list(brant__call *call);
brant_status brant__invitations_reject(brant__call *call);

extern const brant__statements brant__invitation_statements;

#endif
