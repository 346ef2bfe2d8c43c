/*
 * access/seed.h: what is there by definition: the operations with the scopes that they need, and a role for each level of membership. The registry, which is above this module, hands
 * its operations over (operation/seed.c).
 */
#ifndef BRANT__ACCESS_SEED_H
#define BRANT__ACCESS_SEED_H

#include "identity/scope.h"
#include "store/store.h"

typedef struct brant__seed_operation {
    brant__text name; /* <namespace>.<action> */
    brant__scopes scopes;
} brant__seed_operation;

/* access.seed, with these operations, in the order of their names. */
brant_status brant__access_seed_with(brant__call *call, const brant__seed_operation *operations,
                                     size_t count);

#endif
