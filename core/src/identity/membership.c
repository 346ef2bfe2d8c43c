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

brant_status brant__hub_agent(bool *out_active, brant_db *db, brant__text org_id, brant__text key) {
    const brant__membership *self = brant__state(db, BRANT__SLOT_HUB);
    *out_active = false;
    return self && self->agent ? self->agent(out_active, self, org_id, key) : BRANT_OK;
}

brant__text brant__hub_organization(const brant_db *db) {
    const brant__membership *self = brant__state(db, BRANT__SLOT_HUB);
    return self && self->level ? self->org_id : (brant__text){NULL, 0};
}

brant_status brant__hub_members(brant__json *out, const brant_db *db, brant__text account_id) {
    const brant__membership *self = brant__state(db, BRANT__SLOT_HUB);
    *out = (brant__json){0};
    return self && self->members ? self->members(out, self, account_id)
                                 : brant__fail(BRANT_MISUSE, "the file was not opened by a hub");
}

void brant__hub_changed(brant_db *db, brant__text org_id, brant__text account_id) {
    brant__membership *self = brant__state(db, BRANT__SLOT_HUB);
    if (self && self->changed) self->changed(self, org_id, account_id);
}
