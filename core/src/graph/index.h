/*
 * graph/index.h: indexes on attributes.
 */
#ifndef BRANT__GRAPH_INDEX_H
#define BRANT__GRAPH_INDEX_H

#include "graph/filter.h"

#define BRANT__INDEX_PATHS 8

/* Drop the indexes of a graph type, or those of one of its types (`of`: BRANT__NODES, BRANT__EDGES; negative: all). */
brant_status brant__indexes_drop(brant__call *call, int64_t graph_type, int of, int64_t type);

/* CONSTRAINT: one of the graph type's indexes is on what `module`, which is to be its next, encrypts. */
brant_status brant__indexes_plain(brant__call *call, const brant__type *type,
                                  const brant__module *module);

#endif
