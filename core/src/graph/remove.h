/*
 * graph/remove.h: removing nodes and edges of one graph. What they have in common (counts, kept keys, notifications) is settled
 * once, at the end.
 */
#ifndef BRANT__GRAPH_REMOVE_H
#define BRANT__GRAPH_REMOVE_H

#include "graph/internal.h"

typedef struct brant__removal {
    brant__call *call;
    brant__graph *graph;
    brant__lookup lookup;
    int64_t *node_counts; /* removed, by type */
    int64_t *edge_counts;
    int64_t nodes;
    int64_t edges;
    bool nameless; /* the notifications hold no keys */
    brant__announcement node_keys;
    brant__announcement edge_keys;
} brant__removal;

/* Before the first removal. `graph` and its texts live as long as the removal. */
brant_status brant__removal_begin(brant__removal *removal, brant__call *call, brant__graph *graph);
/* At most `limit` edges of a node; *out_all: it has none left. */
brant_status brant__remove_edges_of(bool *out_all, brant__removal *removal, int64_t node,
                                    int64_t limit);
/* A node without edges. */
brant_status brant__remove_node(brant__removal *removal, int64_t row_id, brant__text key,
                                uint32_t type);
/* *out_found false: there is no such edge (any more). */
brant_status brant__remove_edge(bool *out_found, brant__removal *removal, int64_t row_id);
/* Write the counts and the notifications. */
brant_status brant__removal_end(brant__removal *removal);
void brant__removal_free(brant__removal *removal);

/*
 * Remove what a graph holds, at most `limit` rows; when nothing is left the graph itself, with its notification: *out_purged.
 * The graph is marked deleted already, or is so first.
 */
brant_status brant__graph_purge_some(bool *out_purged, int64_t *out_nodes, int64_t *out_edges,
                                     brant__call *call, brant__graph *graph, int64_t limit);

#endif
