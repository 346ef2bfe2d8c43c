/*
 * graph/walk.c: what can be reached from some nodes, as a traversal that can be gone on with; and
 * nodes.walk, the cursor of one.
 *
 * A cursor holds the snapshot and nothing of the file: no transaction, no statement.
 */
#include "graph/view.h"

#define BATCH 10000 /* nodes of one item of nodes.walk */

/* ---- opening --------------------------------------------------------------------------------- */

static void reach(brant__walk *walk, uint32_t node, uint32_t parent, uint32_t depth) {
    brant__bit_set(walk->seen, node);
    walk->node[walk->count] = node;
    walk->parent[walk->count] = parent;
    walk->depth[walk->count++] = depth;
}

/* In the order given, all before what is reached from them. */
static void reach_given(brant__walk *walk, const uint32_t *given, size_t count) {
    for (size_t i = 0; i < count && !walk->truncated; i++) {
        if (walk->count == walk->limit)
            walk->truncated = true;
        else
            reach(walk, given[i], BRANT__NO_NODE, 0);
    }
}

brant_status brant__walk_open(brant__walk *walk, brant__call *call, const brant__graph *graph) {
    brant__text order = brant__json_get_text(call->input, "order");
    int64_t limit = INT64_MAX;
    size_t nodes, count;
    uint32_t *given;
    brant_status status;

    *walk = (brant__walk){.count = 0};
    walk->depth_first = brant__text_equal(order, BRANT__TEXT("depth"));
    if (order.data && !walk->depth_first && !brant__text_equal(order, BRANT__TEXT("breadth")))
        return brant__fail(BRANT_INVALID, "order is none of breadth, depth");
    BRANT__TRY(brant__read_maximum(&walk->max_depth, call, "max_depth", INT64_MAX));
    if (brant__json_get(call->input, "limit"))
        BRANT__TRY(brant__limit_read(&limit, call, 1, INT64_MAX));
    BRANT__TRY(brant__view_open(&walk->view, call, graph,
                                BRANT__VIEW_DIRECTION | BRANT__VIEW_NODE_FILTER));
    BRANT__TRY(brant__view_nodes(&given, &count, call, graph, &walk->view,
                                 brant__json_get(call->input, "keys"), true));
    nodes = walk->view.snapshot->nodes;
    walk->limit = limit < (int64_t)nodes ? (size_t)limit : nodes;
    walk->node = brant__alloc((walk->limit + 1) * sizeof(*walk->node));
    walk->parent = brant__alloc((walk->limit + 1) * sizeof(*walk->parent));
    walk->depth = brant__alloc((walk->limit + 1) * sizeof(*walk->depth));
    walk->seen = brant__bits(nodes);
    if (!walk->node || !walk->parent || !walk->depth || !walk->seen) {
        status = brant__fail_memory();
        goto cleanup;
    }
    if (walk->depth_first) {
        walk->given = brant__alloc((count + 1) * sizeof(*given));
        if (!walk->given) {
            status = brant__fail_memory();
            goto cleanup;
        }
        memcpy(walk->given, given, count * sizeof(*given));
        walk->given_count = count;
    } else {
        reach_given(walk, given, count);
    }
    return BRANT_OK;
cleanup:
    brant__walk_close(walk);
    return status;
}

void brant__walk_close(brant__walk *walk) {
    brant__free(walk->node);
    brant__free(walk->parent);
    brant__free(walk->depth);
    brant__free(walk->seen);
    brant__free(walk->given);
    brant__free(walk->frames);
    brant__free(walk->way);
    brant__view_close(&walk->view);
    *walk = (brant__walk){.count = 0};
}

/* ---- going on -------------------------------------------------------------------------------- */

/* May this node be reached now? Then there is room for it. */
static bool fits(brant__walk *walk, uint32_t node) {
    if (brant__bit(walk->seen, node) || !brant__view_enters(&walk->view, node)) return false;
    if (walk->count < walk->limit) return true;
    walk->truncated = true;
    return false;
}

static brant_status run_breadth(brant__walk *walk, brant_db *db, size_t until) {
    brant_status status = BRANT_OK;

    while (walk->head < walk->count && walk->count < until && !walk->truncated) {
        uint32_t head = (uint32_t)walk->head, depth = walk->depth[head], next, edge;
        brant__hops hops;
        if ((int64_t)depth >= walk->max_depth) break;
        if ((head & BRANT__POLL_MASK) == BRANT__POLL_MASK) BRANT__TRY(brant__db_poll(db));
        hops = brant__hops_of(&walk->view, walk->node[head], false);
        while (!walk->truncated && brant__hops_next(&walk->view, &hops, &next, &edge))
            if (fits(walk, next)) reach(walk, next, head, depth + 1);
        walk->head++;
    }
    walk->done = walk->count < until || walk->truncated;
cleanup:
    return status;
}

/* Go on from the node that was reached last. */
static brant_status descend(brant__walk *walk) {
    uint32_t last = (uint32_t)(walk->count - 1);

    if (walk->way_count == walk->way_capacity) {
        size_t capacity = walk->way_capacity ? walk->way_capacity * 2 : 64;
        brant__hops *frames = brant__realloc(walk->frames, capacity * sizeof(*frames));
        uint32_t *way;
        if (!frames) return brant__fail_memory();
        walk->frames = frames;
        way = brant__realloc(walk->way, capacity * sizeof(*way));
        if (!way) return brant__fail_memory();
        walk->way = way;
        walk->way_capacity = capacity;
    }
    walk->way[walk->way_count] = last;
    walk->frames[walk->way_count++] = brant__hops_of(&walk->view, walk->node[last], false);
    return BRANT_OK;
}

static brant_status run_depth(brant__walk *walk, brant_db *db, size_t until) {
    brant_status status = BRANT_OK;
    size_t steps = 0;

    while (walk->count < until && !walk->truncated) {
        uint32_t index, next, edge;
        if ((++steps & BRANT__POLL_MASK) == 0) BRANT__TRY(brant__db_poll(db));
        if (walk->way_count == 0) {
            if (walk->starts == walk->given_count) break;
            next = walk->given[walk->starts++];
            if (brant__bit(walk->seen, next)) continue;
            if (walk->count == walk->limit) {
                walk->truncated = true;
                break;
            }
            reach(walk, next, BRANT__NO_NODE, 0);
            if (walk->max_depth > 0) BRANT__TRY(descend(walk));
            continue;
        }
        index = walk->way[walk->way_count - 1];
        if (!brant__hops_next(&walk->view, &walk->frames[walk->way_count - 1], &next, &edge)) {
            walk->way_count--;
            continue;
        }
        if (!fits(walk, next)) continue;
        reach(walk, next, index, walk->depth[index] + 1);
        if ((int64_t)walk->depth[index] + 1 < walk->max_depth) BRANT__TRY(descend(walk));
    }
    walk->done = walk->count < until || walk->truncated;
cleanup:
    return status;
}

brant_status brant__walk_run(brant__walk *walk, brant_db *db, size_t until) {
    return walk->depth_first ? run_depth(walk, db, until) : run_breadth(walk, db, until);
}

/* ---- nodes.walk ------------------------------------------------------------------------------ */

typedef struct walker {
    brant__walk walk;
    size_t given; /* how many were handed out */
} walker;

static brant_status fetch(brant__fetch *found, brant_db *db, void *state, brant__writer *out) {
    walker *self = state;
    brant__walk *walk = &self->walk;
    size_t from = self->given, count;
    brant_status status = BRANT_OK;

    if (!walk->done && walk->count < from + BATCH) status = brant__walk_run(walk, db, from + BATCH);
    if (status != BRANT_OK) return status;
    count = walk->count - from < BATCH ? walk->count - from : BATCH;
    if (count == 0) return BRANT_OK;
    brant__write_object(out);
    brant__write_name(out, "keys");
    brant__write_keys(out, walk->view.snapshot, walk->node + from, count);
    brant__write_name(out, "depths");
    brant__write_numbers(out, walk->depth + from, count);
    brant__write_name(out, "parents");
    brant__write_numbers(out, walk->parent + from, count);
    brant__write_end(out);
    if (out->buffer.failed) return brant__fail_memory();
    self->given += count;
    found->count = 1;
    return BRANT_OK;
}

static void destroy(brant_db *db, void *state) {
    walker *self = state;

    (void)db;
    if (!self) return;
    brant__walk_close(&self->walk);
    brant__free(self);
}

static const brant__cursor_kind kind = {fetch, destroy, BRANT__FETCH_NONE, true};

brant_status brant__node_walk(brant_cursor **out_cursor, brant__call *call) {
    walker *self = brant__alloc_zero(sizeof(*self));
    brant__graph graph;
    brant_status status;

    *out_cursor = NULL;
    if (!self) return brant__fail_memory();
    BRANT__TRY(brant__graph_find(&graph, call, false));
    BRANT__TRY(brant__walk_open(&self->walk, call, &graph));
    return brant__cursor_new(out_cursor, call->db, &kind, self);
cleanup:
    destroy(call->db, self);
    return status;
}
