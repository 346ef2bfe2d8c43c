/*
 * graph/change.h: the change log of a graph: one event for each row that was written, in the stream "changes:<id of the graph>".
 *
 * Every writer of rows says so in two places:
 *
 *     brant__change_before(call, graph, kind, row_id);   what is there now; not for a row that is new
 *     ... the row is written, or deleted
 *     brant__change_after(call, graph, kind, row_id);    what is there now: the event
 *
 * and ends, as all of them do, with brant__graph_changed, which ends the log's batch. Where a graph has no log each costs one branch.
 *
 * Events are JSON: {"op": "put" | "delete", "kind": "node" | "edge", "key", "type", edges: "source", "target", "undirected"? (mixed graphs), "turned"? (its ends were
 * given the other way round), puts: "attributes", "metadata"? (none: {}), "revision", "snapshot"? (there when the log began), "before"? {"type", "attributes", "metadata"?, "revision"}
 * (none: the row is new)}; the stream's key is "n:<key>" or "e:<key>".
 * The log itself: {"op": "begin" | "end", "kind": "graph", "key": the graph's name, "nodes", "edges"} with the key "g"; so many puts marked "snapshot" follow a begin, in its transaction.
 */
#ifndef BRANT__GRAPH_CHANGE_H
#define BRANT__GRAPH_CHANGE_H

#include "graph/internal.h"

brant_status brant__change_read(brant__call *call, brant__graph *graph, int kind, int64_t row_id);
brant_status brant__change_publish(brant__call *call, brant__graph *graph, int kind,
                                   int64_t row_id);

static inline bool brant__change_logged(const brant__graph *graph) {
    return graph->change_stream.data != NULL;
}

static inline brant_status brant__change_before(brant__call *call, brant__graph *graph, int kind,
                                                int64_t row_id) {
    if (BRANT__LIKELY(!brant__change_logged(graph))) return BRANT_OK;
    return brant__change_read(call, graph, kind, row_id);
}

static inline brant_status brant__change_after(brant__call *call, brant__graph *graph, int kind,
                                               int64_t row_id) {
    if (BRANT__LIKELY(!brant__change_logged(graph))) return BRANT_OK;
    return brant__change_publish(call, graph, kind, row_id);
}

/* The end of an operation's writes: readers of the log are woken. */
brant_status brant__change_end(brant__graph *graph);

/* Begin the log, with what the graph holds already; or end it: what was logged stays readable. Nothing where it is so already. */
brant_status brant__change_switch(brant__call *call, brant__graph *graph, bool on);
/* Drop the log of a graph that goes. */
brant_status brant__change_drop(brant__call *call, const brant__graph *graph);

/* "changes:<id>" in the call's arena. */
brant_status brant__change_stream_name(brant__text *out, brant__call *call,
                                       const brant__graph *graph);
#define BRANT__CHANGE_MARK BRANT__TEXT("g") /* the key of begin and end */

#endif
