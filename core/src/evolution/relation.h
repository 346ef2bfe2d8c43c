/*
 * evolution/relation.h: the inside of relation.c, for diff.c and cast.c.
 */
#ifndef BRANT__EVOLUTION_RELATION_H
#define BRANT__EVOLUTION_RELATION_H

#include "evolution/evolution.h"
#include "schema/program.h"

/* A block of one of the two schemas of a relation. */
typedef struct brant__spot {
    uint32_t side; /* 0: from, 1: to */
    uint32_t block;
} brant__spot;

/* One rule that holds for the values of a block. */
typedef struct brant__atom {
    brant__spot owner; /* the block that the rule stands in */
    const brant__rule *rule;
} brant__atom;

/*
 * Zero-initialise, set schemas and documents (the modules that they were compiled from, for defaults), free. What cannot be
 * proven is taken to be false, so a class may be too harmful and never too harmless. Work is bounded.
 */
typedef struct brant__relation {
    const brant__schema *schemas[2];
    yyjson_val *documents[2];
    brant__map memo;
    brant__buffer atoms; /* a stack */
    uint64_t steps;
    unsigned depth;
    unsigned round;
    bool unstable;
    bool failed; /* memory */
} brant__relation;
void brant__relation_free(brant__relation *self);
/* The class of a change from a block of schema 0 to one of schema 1. */
brant__class brant__relation_class(brant__relation *self, uint32_t from, uint32_t to);
/* After relation_class: is every value of one type (YYJSON_TYPE_*) that satisfies the block bound to satisfy the rule? */
bool brant__relation_implied(brant__relation *self, brant__spot spot, int type,
                             const brant__atom *goal);
/* The rules of a block for one type of value, $ref and allOf followed: self->atoms from *out_first. Returns the types. */
unsigned brant__relation_atoms(brant__relation *self, brant__spot spot, int type,
                               uint32_t *out_first, uint32_t *out_count);
void brant__relation_release(brant__relation *self, uint32_t first);
static inline const brant__atom *brant__relation_atom(const brant__relation *self, uint32_t index) {
    const void *data = self->atoms.data;
    return (const brant__atom *)data + index;
}

/* The JSON of a block's schema in its document; NULL for the blocks of true and false. */
yyjson_val *brant__block_json(yyjson_val *document, const brant__schema *schema, uint32_t block);
/* The default that a block states, or a block that it applies; NULL where there is none. */
yyjson_val *brant__block_default(yyjson_val *document, const brant__schema *schema, uint32_t block);

#endif
