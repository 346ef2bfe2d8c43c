/*
 * access/follow.h: an access graph's index, true of the running transaction.
 *
 * follow.c keeps one index for each of the graphs used last and proves it: a graph that changed since is followed by its change log, whose events say which rows to read again, or
 * read anew where there is no log, or a gap in it. rows.c reads the rows.
 */
#ifndef BRANT__ACCESS_FOLLOW_H
#define BRANT__ACCESS_FOLLOW_H

#include "access/index.h"
#include "store/store.h"

/* An access graph as its row says, and its types' rows in this file. */
typedef struct brant__access_graph {
    int64_t row_id;
    int64_t revision; /* its counter of changes */
    int64_t node_types[BRANT__ACCESS_NODE_KINDS];
    int64_t edge_types[BRANT__ACCESS_EDGE_KINDS];
    brant__access_index *index; /* borrowed: until the next call, or write */
} brant__access_graph;

/*
 * The graph of this name, with its index. In any transaction. *out_found false: there is none of this name whose type is access.
 */
brant_status brant__access_open(bool *out_found, brant__access_graph *out, brant__call *call,
                                brant__text name);
/* NOT_FOUND when there is none; CONFLICT when it has not come to the revision of the input's member `at_least`. */
brant_status brant__access_need(brant__access_graph *out, brant__call *call);

extern const brant__statements brant__access_follow_statements, brant__access_row_statements;

/* Forget every index of the handle: tests. */
void brant__access_forget(brant_db *db);

/* ---- rows (rows.c) --------------------------------------------------------------------------- */

/* All of the graph into an empty index. */
brant_status brant__access_load(brant__call *call, const brant__access_graph *graph, int64_t nodes,
                                int64_t edges);
/* One node, one edge, as they are now: set, or removed. */
brant_status brant__access_load_node(brant__call *call, const brant__access_graph *graph,
                                     brant__text key);
brant_status brant__access_load_edge(brant__call *call, const brant__access_graph *graph, int kind,
                                     brant__text source, brant__text target);
/* The key of an edge as users see it, in the call's arena. */
brant_status brant__access_edge_key(brant__text *out, brant__call *call,
                                    const brant__access_index *index, uint32_t edge);

#endif
