/*
 * identity/membership.c: asks the hub, where there is one.
 */
#include "identity/membership.h"

bool brant__hub_of(const brant_db *db) {
    const brant__membership *self = brant__state(db, BRANT__SLOT_HUB);
    return self && self->level;
}

brant_status brant__hub_member(int *out_level, brant_db *db, brant__text account_id) {
    const brant__membership *self = brant__state(db, BRANT__SLOT_HUB);
    *out_level = 0;
    return self && self->level ? self->level(out_level, self, account_id) : BRANT_OK;
}
