/*
 * graph/rotate.h: encrypted values on their way to another key: what the files of rotation share.
 *
 * - rotate.c: secrets.rotate: batches of rows, from graph to graph
 * - rotate_row.c: the rows of a graph whose type encrypts something, one after another
 * - rotate_log.c: what the change log of a graph still has of values that were plain
 * - rotate_state.c: how far each graph is; secrets.status
 */
#ifndef BRANT__GRAPH_ROTATE_H
#define BRANT__GRAPH_ROTATE_H

#include "graph/seal.h"

extern const brant__statements brant__rotate_row_statements, brant__rotate_log_statements;
extern const brant__statements
    brant__rotate_state_statements; /* but for BRANT__ROTATE_STATE_SCANS at the end, which look at a row of every graph */
#define BRANT__ROTATE_STATE_SCANS 3

/* ---- how far a graph is (rotate_state.c) ----------------------------------------------------- */

enum { BRANT__ROTATE_NODES, BRANT__ROTATE_EDGES, BRANT__ROTATE_LOG, BRANT__ROTATE_DONE };

/* The last row that was looked at: of nodes `key` alone; of edges that of the source, and the edge's place in edges_out. */
typedef struct brant__rotate_place {
    brant__text key;
    int64_t edge_type;
    int64_t edge_target;
    int64_t edge;
} brant__rotate_place;
/* Before the first. */
#define BRANT__ROTATE_FIRST ((brant__rotate_place){.key = {"", 0}, .edge_type = -1})

typedef struct brant__rotation {
    int64_t key_version; /* 0: none was ever begun */
    int64_t step;        /* of the row as it was read; 0: there is none */
    int64_t stage;
    brant__rotate_place place; /* its text is in the call's arena */
    int64_t event;
    int64_t looked;
    int64_t rewrapped;
    int64_t sealed;
    int64_t failed;
    bool traces;
    int64_t started_at;
    int64_t updated_at;
} brant__rotation;

brant_status brant__rotation_read(brant__rotation *out, brant__call *call, brant__text graph_id);
/* *out_ours false: another has written the row since it was read, and nothing was done. */
brant_status brant__rotation_write(bool *out_ours, brant__call *call, brant__text graph_id,
                                   const brant__rotation *rotation);

/* The next graph that may have encrypted values, by row id; row_id 0: there are no more. `name`: of the only graph to look at; {NULL, 0}: all. */
brant_status brant__rotate_graph_next(brant__graph *out, brant__call *call, int64_t after,
                                      brant__text name);
/* How many rows of types that encrypt a graph has. */
brant_status brant__rotate_rows(int64_t *out, brant__call *call, const brant__graph *graph);

/*
 * Was the graph's type changed since the rotation began, or, before the first one, since the graph was made? Then there may have been plain values that no row has any more, since
 * they were written over: what is left of them is in the change log, in the file's pages and in its write-ahead log. `later`: not within the same millisecond.
 */
brant_status brant__rotate_type_newer(bool *out, brant__call *call, const brant__graph *graph,
                                      const brant__rotation *rotation, bool later);

/* Graphs that were purged while traces of what was plain in them were in the file. As many and the same sum: no other has come. */
typedef struct brant__rotate_traces {
    int64_t count;
    int64_t steps;
} brant__rotate_traces;
brant_status brant__rotate_gone(brant__rotate_traces *out, brant__call *call);
/* Forget them. */
brant_status brant__rotate_gone_clear(brant__call *call);

/* How many values there are under each key version; 0: plain, or none that has an envelope's shape. Zero-initialise, free `list`. */
typedef struct brant__version_count {
    int64_t version;
    int64_t count;
} brant__version_count;
typedef struct brant__version_counts {
    brant__version_count *list; /* sorted */
    size_t count;
    size_t room;
} brant__version_counts;
brant_status brant__versions_count(brant__version_counts *counts, brant__call *call,
                                   const brant__graph *graph);
/* All but those of one version. */
int64_t brant__versions_but(const brant__version_counts *counts, int64_t version);

/* ---- rows (rotate_row.c) --------------------------------------------------------------------- */

/* A row of a type that encrypts. Texts are borrowed from the scan: until its next step. */
typedef struct brant__rotate_row {
    int64_t row_id;
    uint32_t type;
    brant__text key; /* as users see it */
    brant__text attributes;
} brant__rotate_row;

/* The rows of one kind, in order of their place. Zero-initialise; brant__rotate_scan_end, whatever begin or next said. */
typedef struct brant__rotate_scan {
    brant__call *call;
    const brant__graph *graph;
    int kind;
    brant__rotate_place place; /* of the row in hand */
    bool goes_on;              /* with edges of the node of this place */
    brant__statement *nodes;
    brant__statement *edges; /* of the node that `nodes` stands on */
    brant__buffer key;
    size_t seen;
} brant__rotate_scan;
/* The text of `place` is borrowed until the end. */
brant_status brant__rotate_scan_begin(brant__rotate_scan *self, brant__call *call,
                                      const brant__graph *graph, int kind,
                                      brant__rotate_place place);
brant_status brant__rotate_scan_next(bool *out_row, brant__rotate_row *out,
                                     brant__rotate_scan *self);
void brant__rotate_scan_end(brant__rotate_scan *self);

/* The row as it is now; *out_found false: it is gone, or of another graph, or of a type that encrypts nothing. Also after it: brant__rotate_scan_end. */
brant_status brant__rotate_row_read(bool *out_found, brant__rotate_row *out,
                                    brant__rotate_scan *self, brant__call *call,
                                    const brant__graph *graph, int kind, int64_t row_id);
brant_status brant__rotate_row_write(brant__call *call, int kind, int64_t row_id,
                                     brant__text attributes);

/* ---- the change log (rotate_log.c) ----------------------------------------------------------- */

/*
 * In the transactions that it begins itself: look at up to `limit` events of the graph's log behind `rotation->event`, and redact in them what was plain when they were written; on
 * success `rotation` has gone on by *out_looked events and is written. *out_ours as brant__rotation_write.
 */
brant_status brant__rotate_log(bool *out_ours, int64_t *out_looked, brant__call *call,
                               const brant__graph *graph, brant__rotation *rotation, int64_t limit);
/* Is there a log? */
brant_status brant__rotate_log_find(bool *out_found, brant__call *call, const brant__graph *graph);

#endif
