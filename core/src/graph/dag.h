/*
 * graph/dag.h: which of many edges, added one after the other, would close a cycle in an acyclic graph.
 */
#ifndef BRANT__GRAPH_DAG_H
#define BRANT__GRAPH_DAG_H

#include "graph/internal.h"

typedef struct brant__dag brant__dag;

/*
 * Begin with the graph as it is. `candidates`: all that may be added, which are no more. Takes the graph's snapshot and about 40 bytes a node.
 * CONSTRAINT: the graph has a cycle; LIMIT: it is too large.
 */
brant_status brant__dag_begin(brant__dag **out, brant__call *call, const brant__graph *graph,
                              const brant__pair *candidates, size_t count);
/* Add an edge, but where it would close a cycle. */
brant_status brant__dag_add(bool *out_closed, brant__dag *order, int64_t source, int64_t target);
void brant__dag_free(brant__dag *order); /* NULL is fine */

#endif
