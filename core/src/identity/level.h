/*
 * identity/level.h: what members may do to an organisation, and that it keeps an owner.
 */
#ifndef BRANT__IDENTITY_LEVEL_H
#define BRANT__IDENTITY_LEVEL_H

#include "identity/actor.h"

/* Each may what those before it may; places in brant__level_names, from 1. */
enum {
    BRANT__LEVEL_NONE,
    BRANT__LEVEL_VIEWER,
    BRANT__LEVEL_MEMBER,
    BRANT__LEVEL_ADMIN,
    BRANT__LEVEL_OWNER
};
/* The number of a level's name; NONE for anything else. */
int brant__level_of(brant__text name);
/* The name of a level; {NULL, 0} of NONE. */
brant__text brant__level_name(int level);

/* As it is now: the level of an active member of an active organisation whose account is active; else NONE. */
brant_status brant__member_level(int *out_level, brant_db *db, brant__text org_id,
                                 brant__text account_id);

/*
 * The rules of members.add for whoever adds or invites: the system may; anybody else must be admin or owner there, and gives no level above their own, nor by a session one that holds what the
 * session does not. DENIED.
 */
brant_status brant__member_may(brant__call *call, const brant__actor *actor, brant__text org_id,
                               int level);
/* DENIED unless the actor is the system, or has this level there now. *out_level: what it has; of the system OWNER. */
brant_status brant__level_require(int *out_level, brant__call *call, const brant__standing *actor,
                                  brant__text org_id, int level);

/*
 * CONSTRAINT when the organisation would be without an active owner whose account is active, were it not for this account. In the write transaction that then takes it away. account_id "": whether
 * it has one.
 */
brant_status brant__owner_remains(brant_db *db, brant__text org_id, brant__text account_id);
/* The same of all organisations that are active: when the account becomes inactive. */
brant_status brant__owners_remain(brant_db *db, brant__text account_id);

extern const brant__statements brant__level_statements;

#endif
