/*
 * graph/shortest.c: shortest ways: between two nodes by hops, and what both kinds of them share.
 *
 * Among ways of the same length the one is taken whose keys are least, byte by byte: nodes are
 * numbered by their keys, so from the source on it is each time the neighbour with the least number
 * that is on such a way.
 */
#include <math.h>
#include <stdlib.h>

#include "graph/view.h"

#define UNREACHED UINT32_MAX

/* ---- two nodes, by hops ---------------------------------------------------------------------- */

/* One side of the search: levels around one end. */
typedef struct side {
    uint32_t *hops; /* by node: base + hops; below base: not reached */
    uint32_t *queue;
    uint32_t base;
    size_t level; /* where the outermost level begins in the queue */
    size_t count;
    uint32_t radius;
} side;

static side side_of(const brant__marks *marks, int which, uint32_t origin) {
    side self = {marks->hops[which], marks->queue[which], marks->base, 0, 1, 0};

    self.hops[origin] = self.base;
    self.queue[0] = origin;
    return self;
}

static bool reached(const side *self, uint32_t node) {
    return self->hops[node] >= self->base;
}

/* How many edges the next level looks at. */
static size_t ahead(const side *self, const brant__view *view, bool back) {
    size_t edges = 0;

    for (size_t i = self->level; i < self->count; i++) {
        brant__hops hops = brant__hops_of(view, self->queue[i], back);
        edges += hops.out_end - hops.out + hops.in_end - hops.in;
    }
    return edges;
}

/* One level more; *out_met when a node of it is known to the other side. */
static brant_status widen(bool *out_met, side *self, const side *other, brant_db *db,
                          const brant__view *view, bool back, uint32_t source) {
    size_t end = self->count;
    brant_status status = BRANT_OK;

    for (; self->level < end; self->level++) {
        uint32_t node = self->queue[self->level], next, edge;
        brant__hops hops = brant__hops_of(view, node, back);
        if ((self->level & BRANT__POLL_MASK) == BRANT__POLL_MASK) BRANT__TRY(brant__db_poll(db));
        while (brant__hops_next(view, &hops, &next, &edge)) {
            if (reached(self, next)) continue;
            /* The source is where a way begins: nobody enters it. */
            if (next != source && !brant__view_enters(view, next)) continue;
            self->hops[next] = self->base + self->radius + 1;
            self->queue[self->count++] = next;
            if (reached(other, next)) *out_met = true;
        }
    }
    self->radius++;
cleanup:
    return status;
}

/*
 * The sides have met: the outermost level of each holds the nodes in the middle. Let the forward
 * side's nodes that lead there know how far the target is: then back->hops falls by one with each
 * hop of a shortest way, and nowhere else near it. Level by level from the middle to the source,
 * along the edges that were looked at before: those that come into a node may be very many.
 */
static brant_status join(const side *forward, side *back, brant_db *db, const brant__view *view) {
    uint32_t total = forward->radius + back->radius;
    brant_status status = BRANT_OK;

    for (size_t i = forward->count; i-- > 0;) {
        uint32_t node = forward->queue[i], gone = forward->hops[node] - forward->base, next, edge;
        brant__hops hops;
        if (gone == forward->radius) continue;
        if ((i & BRANT__POLL_MASK) == BRANT__POLL_MASK) BRANT__TRY(brant__db_poll(db));
        hops = brant__hops_of(view, node, false);
        while (brant__hops_next(view, &hops, &next, &edge)) {
            if (back->hops[next] != back->base + total - gone - 1 ||
                !brant__view_enters(view, next))
                continue;
            back->hops[node] = back->base + total - gone;
            break;
        }
    }
cleanup:
    return status;
}

/* Down the hops that are left. */
static brant_status follow(brant__way *out, brant__call *call, const brant__view *view,
                           const side *left, uint32_t source, uint32_t length) {
    uint32_t *nodes = brant__arena_alloc(call->arena, ((size_t)length + 1) * sizeof(*nodes));
    uint32_t *edges = brant__arena_alloc(call->arena, ((size_t)length + 1) * sizeof(*edges));

    if (!nodes || !edges) return brant__fail_memory();
    nodes[0] = source;
    for (uint32_t i = 0; i < length; i++) {
        brant__hops hops = brant__hops_of(view, nodes[i], false);
        uint32_t next, edge;
        do {
            if (!brant__hops_next(view, &hops, &next, &edge))
                return brant__fail(BRANT_INTERNAL, "a shortest way was lost");
        } while (left->hops[next] != left->base + length - i - 1 ||
                 !brant__view_enters(view, next));
        nodes[i + 1] = next;
        edges[i] = edge;
    }
    *out = (brant__way){nodes, edges, length, (double)length};
    return BRANT_OK;
}

brant_status brant__way_short(brant__way *out, brant__call *call, const brant__view *view,
                              uint32_t source, uint32_t target, int64_t max_depth) {
    bool met = source == target;
    brant__marks *marks;
    side forward, back;
    brant_status status;

    *out = (brant__way){.length = UNREACHED};
    BRANT__TRY(brant__marks_begin(&marks, call->db, view->snapshot->nodes));
    forward = side_of(marks, 0, source);
    back = side_of(marks, 1, target);
    if (!met && !brant__view_enters(view, target)) goto cleanup;
    while (!met) {
        if (forward.level == forward.count || back.level == back.count) goto cleanup;
        if ((int64_t)forward.radius + back.radius >= max_depth) goto cleanup;
        if (ahead(&forward, view, false) <= ahead(&back, view, true))
            BRANT__TRY(widen(&met, &forward, &back, call->db, view, false, source));
        else
            BRANT__TRY(widen(&met, &back, &forward, call->db, view, true, source));
    }
    BRANT__TRY(join(&forward, &back, call->db, view));
    status = follow(out, call, view, &back, source, forward.radius + back.radius);
cleanup:
    return status;
}

/* ---- all nodes, by hops ---------------------------------------------------------------------- */

/* Levels, and in each the nodes by number, each with the least parent. */
static brant_status distances_short(brant__distances *out, brant__call *call,
                                    const brant__view *view, uint32_t source, int64_t max_depth,
                                    double max_cost, size_t limit) {
    size_t nodes = view->snapshot->nodes, levels = 0;
    uint32_t *hops = brant__alloc((nodes + 1) * sizeof(*hops));
    uint32_t *parent = brant__alloc((nodes + 1) * sizeof(*parent));
    uint32_t *queue = brant__alloc((nodes + 1) * sizeof(*queue));
    uint32_t *begin = brant__alloc_zero((nodes + 2) * sizeof(*begin));
    brant_status status = BRANT_OK;

    *out = (brant__distances){.count = 0};
    out->nodes = brant__alloc((nodes + 1) * sizeof(*out->nodes));
    out->costs = brant__alloc((nodes + 1) * sizeof(*out->costs));
    out->parents = brant__alloc((nodes + 1) * sizeof(*out->parents));
    if (!hops || !parent || !queue || !begin || !out->nodes || !out->costs || !out->parents) {
        status = brant__fail_memory();
        goto cleanup;
    }
    memset(hops, 0xFF, nodes * sizeof(*hops));
    hops[source] = 0;
    parent[source] = BRANT__NO_NODE;
    queue[0] = source;
    for (size_t head = 0, count = 1; head < count; head++) {
        uint32_t node = queue[head], next, edge;
        brant__hops at = brant__hops_of(view, node, false);
        if ((head & BRANT__POLL_MASK) == BRANT__POLL_MASK) BRANT__TRY(brant__db_poll(call->db));
        levels = hops[node] + 1;
        begin[levels]++; /* how many are nearer than what comes after this level */
        if ((int64_t)hops[node] >= max_depth || (double)hops[node] + 1 > max_cost) continue;
        while (brant__hops_next(view, &at, &next, &edge)) {
            if (hops[next] == UNREACHED && brant__view_enters(view, next)) {
                hops[next] = hops[node] + 1;
                parent[next] = node;
                queue[count++] = next;
            } else if (hops[next] == hops[node] + 1 && node < parent[next]) {
                parent[next] = node;
            }
        }
    }
    for (size_t level = 1; level <= levels; level++)
        begin[level] += begin[level - 1];
    for (uint32_t node = 0; node < nodes; node++)
        if (hops[node] != UNREACHED) {
            uint32_t at = begin[hops[node]]++;
            out->nodes[at] = node;
            out->costs[at] = (double)hops[node];
            queue[node] = at; /* from here on the place of each node */
            out->count++;
        }
    for (size_t i = 0; i < out->count; i++) {
        uint32_t from = parent[out->nodes[i]];
        out->parents[i] = from == BRANT__NO_NODE ? BRANT__NO_NODE : queue[from];
    }
    if (out->count > limit) {
        out->count = limit;
        out->truncated = true;
    }
cleanup:
    brant__free(hops);
    brant__free(parent);
    brant__free(queue);
    brant__free(begin);
    return status;
}

void brant__distances_free(brant__distances *distances) {
    brant__free(distances->nodes);
    brant__free(distances->costs);
    brant__free(distances->parents);
    *distances = (brant__distances){.count = 0};
}

/* ---- operations ------------------------------------------------------------------------------ */

/* Whole numbers as integers, so that a cost reads as its weights do. */
static void write_cost(brant__writer *out, double cost) {
    if (cost < 9007199254740992.0 && cost == floor(cost))
        brant__write_integer(out, (int64_t)cost);
    else
        brant__write_double(out, cost);
}

brant_status brant__graph_shortest_path(brant__call *call) {
    brant__weighing weighing = {NULL, NULL};
    brant__view view = {.snapshot = NULL};
    brant__writer *out = call->out;
    uint32_t source, target;
    brant__graph graph;
    int64_t max_depth;
    brant__way way;
    brant_status status;
    bool found;

    BRANT__TRY(brant__graph_find(&graph, call, false));
    BRANT__TRY(brant__read_maximum(&max_depth, call, "max_depth", INT64_MAX));
    BRANT__TRY(
        brant__view_open(&view, call, &graph, BRANT__VIEW_DIRECTION | BRANT__VIEW_NODE_FILTER));
    BRANT__TRY(brant__view_node(&source, call, &graph, &view,
                                brant__json_get_text(call->input, "source")));
    BRANT__TRY(brant__view_node(&target, call, &graph, &view,
                                brant__json_get_text(call->input, "target")));
    BRANT__TRY(brant__weighing_open(&weighing, call, &graph, &view));
    status = weighing.values
                 ? brant__way_cheap(&way, call, &view, weighing.values, source, target, max_depth)
                 : brant__way_short(&way, call, &view, source, target, max_depth);
    if (status != BRANT_OK) goto cleanup;
    found = way.length != UNREACHED;
    brant__write_object(out);
    brant__write_bool_member(out, "found", found);
    brant__write_name(out, "keys");
    brant__write_keys(out, view.snapshot, way.nodes, found ? (size_t)way.length + 1 : 0);
    brant__write_name(out, "edges");
    BRANT__TRY(brant__write_edge_keys(out, call, &graph, view.snapshot, way.edges,
                                      found ? way.length : 0));
    brant__write_name(out, "length");
    if (found)
        brant__write_integer(out, way.length);
    else
        brant__write_null(out);
    brant__write_name(out, "cost");
    if (found)
        write_cost(out, way.cost);
    else
        brant__write_null(out);
    brant__write_end(out);
cleanup:
    brant__weighing_close(&weighing);
    brant__view_close(&view);
    return status;
}

brant_status brant__graph_shortest_paths(brant__call *call) {
    yyjson_val *maximum = brant__json_get(call->input, "max_cost");
    brant__distances distances = {.count = 0};
    brant__weighing weighing = {NULL, NULL};
    brant__view view = {.snapshot = NULL};
    int64_t max_depth, limit = INT64_MAX;
    double max_cost = INFINITY;
    brant__writer *out = call->out;
    brant__graph graph;
    uint32_t source;
    size_t most;
    brant_status status;

    BRANT__TRY(brant__graph_find(&graph, call, false));
    BRANT__TRY(brant__read_maximum(&max_depth, call, "max_depth", INT64_MAX));
    if (brant__json_get(call->input, "limit"))
        BRANT__TRY(brant__limit_read(&limit, call, 1, INT64_MAX));
    if (maximum) max_cost = yyjson_get_num(maximum);
    if (!(max_cost >= 0)) {
        status = brant__fail(BRANT_INVALID, "max_cost is not 0 or more");
        goto cleanup;
    }
    BRANT__TRY(
        brant__view_open(&view, call, &graph, BRANT__VIEW_DIRECTION | BRANT__VIEW_NODE_FILTER));
    BRANT__TRY(brant__view_node(&source, call, &graph, &view,
                                brant__json_get_text(call->input, "source")));
    BRANT__TRY(brant__weighing_open(&weighing, call, &graph, &view));
    most = limit < (int64_t)view.snapshot->nodes ? (size_t)limit : view.snapshot->nodes;
    status = weighing.values
                 ? brant__distances_cheap(&distances, call, &view, weighing.values, source,
                                          max_depth, max_cost, most)
                 : distances_short(&distances, call, &view, source, max_depth, max_cost, most);
    if (status != BRANT_OK) goto cleanup;
    brant__write_object(out);
    brant__write_name(out, "keys");
    brant__write_keys(out, view.snapshot, distances.nodes, distances.count);
    brant__write_name(out, "costs");
    brant__write_array(out);
    for (size_t i = 0; i < distances.count; i++)
        write_cost(out, distances.costs[i]);
    brant__write_end(out);
    brant__write_name(out, "parents");
    brant__write_numbers(out, distances.parents, distances.count);
    brant__write_bool_member(out, "truncated", distances.truncated);
    brant__write_end(out);
cleanup:
    brant__distances_free(&distances);
    brant__weighing_close(&weighing);
    brant__view_close(&view);
    return status;
}
