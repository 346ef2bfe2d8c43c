/*
 * graph/view.h: a snapshot as one operation sees it: in which directions, along which edges, to
 * which nodes. All of it is numbers; nothing here asks the file.
 */
#ifndef BRANT__GRAPH_VIEW_H
#define BRANT__GRAPH_VIEW_H

#include "graph/internal.h"

/* How often long loops ask whether they should end. */
#define BRANT__POLL_MASK 4095

#define BRANT__NO_NODE UINT32_MAX
#define BRANT__NO_EDGE UINT32_MAX

/* Owns what it points to, and holds the snapshot: a cursor may keep it. Zero-initialise. */
typedef struct brant__view {
    const brant__snapshot *snapshot;
    int directions;
    bool undirected;
    uint8_t *types;  /* by edge type: not 0 where it may be taken; NULL: all */
    uint64_t *edges; /* a bit an edge; NULL: all */
    uint64_t *nodes; /* a bit a node: those that may be entered; NULL: all */
} brant__view;

/* Members that an operation has; the view reads those. */
enum {
    BRANT__VIEW_DIRECTION = 1,
    BRANT__VIEW_NODE_FILTER = 2,
    BRANT__VIEW_FILTER = 4, /* the member filter, of nodes, in its place */
};

/* From the members direction, edge_types, edge_filter, node_filter of the input. The caller closes it, also after a failure. */
brant_status brant__view_open(brant__view *out_view, brant__call *call, const brant__graph *graph,
                              int members);
void brant__view_close(brant__view *view);
/* True where some edges or nodes are left out by a filter, or one is asked for. */
bool brant__view_filters(brant__call *call);

static inline bool brant__bit(const uint64_t *bits, uint32_t number) {
    return bits[number >> 6] >> (number & 63) & 1;
}
static inline void brant__bit_set(uint64_t *bits, uint32_t number) {
    bits[number >> 6] |= UINT64_C(1) << (number & 63);
}
/* Bits of `count` things, none set. NULL without memory. */
static inline uint64_t *brant__bits(size_t count) {
    return brant__alloc_zero((count / 64 + 1) * sizeof(uint64_t));
}

static inline bool brant__view_enters(const brant__view *view, uint32_t node) {
    return !view->nodes || brant__bit(view->nodes, node);
}
static inline bool brant__view_takes(const brant__view *view, uint32_t edge) {
    return (!view->types || view->types[view->snapshot->out.type[edge]]) &&
           (!view->edges || brant__bit(view->edges, edge));
}

/* The edges of one node that may be taken, by the other end's number; those that go out first. */
typedef struct brant__hops {
    uint32_t out, out_end, in, in_end;
    uint32_t skip_out, skip_in; /* a self-loop stands in both lists, and counts once */
    bool partly_out, partly_in; /* of this list only what is undirected (mixed graphs) */
} brant__hops;

/* `back`: against the view's directions. */
static inline brant__hops brant__hops_of(const brant__view *view, uint32_t node, bool back) {
    const brant__snapshot *snapshot = view->snapshot;
    bool out = (view->directions & (back ? BRANT__GO_IN : BRANT__GO_OUT)) != 0,
         in = (view->directions & (back ? BRANT__GO_OUT : BRANT__GO_IN)) != 0;
    brant__hops hops = {0, 0, 0, 0, BRANT__NO_NODE, BRANT__NO_NODE, false, false};

    if (out || snapshot->undirected) {
        hops.out = snapshot->out.from[node];
        hops.out_end = snapshot->out.from[node + 1];
        hops.partly_out = !out;
        if (!out) hops.skip_out = node;
    }
    if (in || snapshot->undirected) {
        hops.in = snapshot->in.from[node];
        hops.in_end = snapshot->in.from[node + 1];
        hops.partly_in = !in;
        if (out) hops.skip_in = node;
    }
    return hops;
}

static inline bool brant__hops_next(const brant__view *view, brant__hops *hops, uint32_t *out_node,
                                    uint32_t *out_edge) {
    const brant__snapshot *snapshot = view->snapshot;
    const brant__arcs *out = &snapshot->out, *in = &snapshot->in;

    for (;;) {
        uint32_t at;
        if (hops->out < hops->out_end &&
            (hops->in == hops->in_end || out->node[hops->out] <= in->node[hops->in])) {
            at = hops->out++;
            if (view->types && !view->types[out->type[at]]) continue;
            if (view->edges && !brant__bit(view->edges, at)) continue;
            if (hops->partly_out &&
                (out->node[at] == hops->skip_out || !brant__bit(snapshot->undirected, at)))
                continue;
            *out_node = out->node[at];
            *out_edge = at;
            return true;
        }
        if (hops->in == hops->in_end) return false;
        at = hops->in++;
        if (in->node[at] == hops->skip_in) continue;
        if (view->types && !view->types[in->type[at]]) continue;
        if (view->edges && !brant__bit(view->edges, in->edge[at])) continue;
        if (hops->partly_in && !brant__bit(snapshot->undirected, in->edge[at])) continue;
        *out_node = in->node[at];
        *out_edge = in->edge[at];
        return true;
    }
}

/* ---- input ----------------------------------------------------------------------------------- */

/* The number of a node by key. NOT_FOUND. */
brant_status brant__view_node(uint32_t *out_node, brant__call *call, const brant__graph *graph,
                              const brant__view *view, brant__text key);
/* Of an array of keys, in the call's arena, in the order given; `once`: each once. */
brant_status brant__view_nodes(uint32_t **out_nodes, size_t *out_count, brant__call *call,
                               const brant__graph *graph, const brant__view *view, yyjson_val *keys,
                               bool once);
/* An optional member that is an integer of 0 or more. */
brant_status brant__read_maximum(int64_t *out, brant__call *call, const char *name,
                                 int64_t otherwise);

/* ---- output ---------------------------------------------------------------------------------- */

/* An array of the nodes' keys; `nodes` NULL: of all nodes up to `count`. */
void brant__write_keys(brant__writer *out, const brant__snapshot *snapshot, const uint32_t *nodes,
                       size_t count);
/* An array of numbers; UINT32_MAX is -1. */
void brant__write_numbers(brant__writer *out, const uint32_t *numbers, size_t count);
/* An edge's key, as users see it. */
brant_status brant__write_edge_key(brant__writer *out, brant__call *call, const brant__graph *graph,
                                   const brant__snapshot *snapshot, uint32_t edge);
/* An array of them. */
brant_status brant__write_edge_keys(brant__writer *out, brant__call *call,
                                    const brant__graph *graph, const brant__snapshot *snapshot,
                                    const uint32_t *edges, size_t count);

/* ---- weights (weight.c) ---------------------------------------------------------------------- */

/* What an operation's edges weigh, by number. Zero-initialise. */
typedef struct brant__weighing {
    const double *values; /* NULL: no weight is asked for */
    double *own;
} brant__weighing;

/*
 * From the members weight and default_weight. CONSTRAINT: an edge that the view takes has none that
 * is a number of 0 or more. Borrowed from the handle until the graph changes or another weight of it is asked for.
 */
brant_status brant__weighing_open(brant__weighing *out, brant__call *call,
                                  const brant__graph *graph, const brant__view *view);
void brant__weighing_close(brant__weighing *weighing);

/* ---- walks: what can be reached (walk.c) ----------------------------------------------------- */

/* A traversal that can be gone on with. Zero-initialise. */
typedef struct brant__walk {
    brant__view view;
    bool depth_first;
    int64_t max_depth;
    size_t limit;
    uint32_t *node;   /* in the order they were reached */
    uint32_t *parent; /* index of the one that each was reached from; BRANT__NO_NODE: a start */
    uint32_t *depth;
    uint64_t *seen;
    size_t count;
    size_t head;     /* breadth first: the next to go on from */
    size_t starts;   /* depth first: how many of the given nodes were begun */
    uint32_t *given; /* depth first: the given nodes */
    size_t given_count;
    brant__hops *frames; /* depth first: where on the way from the start each node stands */
    uint32_t *way;       /* and its index */
    size_t way_count;
    size_t way_capacity;
    bool truncated;
    bool done;
} brant__walk;

/* Reads the members order, max_depth, limit and keys, besides the view's. */
brant_status brant__walk_open(brant__walk *out_walk, brant__call *call, const brant__graph *graph);
/* Go on until `until` nodes are reached, or all. */
brant_status brant__walk_run(brant__walk *walk, brant_db *db, size_t until);
void brant__walk_close(brant__walk *walk);

/* ---- ways ------------------------------------------------------------------------------------ */

/* The least way between two nodes, in the call's arena; *out_length UINT32_MAX: there is none. */
typedef struct brant__way {
    uint32_t *nodes; /* length + 1 */
    uint32_t *edges;
    uint32_t length;
    double cost;
} brant__way;

/* By hops (shortest.c), at most `max_depth`. */
brant_status brant__way_short(brant__way *out, brant__call *call, const brant__view *view,
                              uint32_t source, uint32_t target, int64_t max_depth);

/* What it costs to go from a source to each node (weighted.c). */
typedef struct brant__distances {
    uint32_t *nodes; /* by cost, then number */
    double *costs;
    uint32_t *parents; /* indexes in `nodes` */
    size_t count;
    bool truncated;
} brant__distances;

brant_status brant__way_cheap(brant__way *out, brant__call *call, const brant__view *view,
                              const double *weights, uint32_t source, uint32_t target,
                              int64_t max_depth);
brant_status brant__distances_cheap(brant__distances *out, brant__call *call,
                                    const brant__view *view, const double *weights, uint32_t source,
                                    int64_t max_depth, double max_cost, size_t limit);
void brant__distances_free(brant__distances *distances);

#endif
