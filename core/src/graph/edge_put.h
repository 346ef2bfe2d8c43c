/*
 * graph/edge_put.h: what judging items (edge_put.c) hands to writing them (edge_write.c).
 */
#ifndef BRANT__GRAPH_EDGE_PUT_H
#define BRANT__GRAPH_EDGE_PUT_H

#include "graph/dag.h"

/* In an acyclic graph, so many new edges are tested one by one; more are tested together. */
#define BRANT__CYCLE_TESTS 32

/* One edge of the batch, stored or new, as the items so far leave it. */
typedef struct brant__edge_slot {
    brant__text key; /* {NULL, 0}: derived */
    brant__text source_key;
    brant__text target_key;
    yyjson_val *attributes;
    brant__text
        sealed; /* the attributes as they are stored, where the type encrypts; else {NULL, 0} */
    yyjson_val *metadata; /* NULL: as stored */
    int64_t row_id;       /* 0: new, until it is written */
    int64_t source;
    int64_t target;
    int64_t revision; /* as the items so far leave it */
    uint32_t type;
    uint32_t puts;       /* 0: all its items are at fault */
    uint32_t index;      /* of the first item */
    uint8_t orientation; /* BRANT__UNDIRECTED_EDGE, BRANT__ENDS_TURNED */
    bool created;
} brant__edge_slot;

typedef struct brant__edge_batch {
    brant__call *call;
    brant__graph graph;
    bool undirected; /* the graph: every edge is */
    bool mixed;
    bool multi;
    brant__lookup lookup;
    brant__faults faults;
    brant__items items;
    int mode;
    brant__edge_slot *slots;
    size_t count;
    size_t good; /* items */
    size_t created;
    /* An acyclic graph whose items at fault are left out: each new edge is tested when it is
     * judged, few against the pairs before them, more by an order of the nodes. */
    bool tested;
    brant__dag *dag;
    brant__pair pairs[BRANT__CYCLE_TESTS];
    brant__slot_set by_ends; /* graphs that are not multi */
    brant__slot_set by_key;
    brant__map degrees; /* of ends whose edge type has a limit */
    yyjson_val *empty;
    yyjson_val *last_type;
    uint32_t last_index;
    brant__text last_source; /* batches often come by source */
    brant__node_ref last_source_ref;
    int64_t probed; /* the source that was asked last for stored edges, and whether it had none */
    bool probed_fresh;
    size_t probes;
    size_t probes_fresh;
    brant__buffer text;
} brant__edge_batch;

/* The fault of an edge that would close a cycle. */
brant_status brant__edge_fault_cycle(brant__edge_batch *put, const brant__edge_slot *slot);

/* Write what was judged, with counts, kept keys, notifications; and the answer. */
brant_status brant__edges_write(brant__edge_batch *put);

#endif
