/*
 * graph/acyclic.c: does a graph have a cycle, would an edge close one?
 *
 * One edge is tested from both its ends at once, through the indexes: most new edges have few nodes
 * on one side, and when either side is exhausted there is no cycle. Where both are large, and for
 * many edges, the adjacency snapshot answers. In undirected graphs a cycle is a second way between
 * two nodes, two edges between them included.
 */
#include "graph/internal.h"

#define TEST_STEPS 4096 /* edges that a test reads before it takes a snapshot */
#define POLL_MASK  8191

/* ---- one edge -------------------------------------------------------------------------------- */

/* What was reached from one end. */
typedef struct test_side {
    brant__map seen;
    int64_t *queue;
    size_t head;
    size_t count;
    size_t capacity;
} test_side;

static brant_status reach(test_side *side, int64_t node) {
    brant__text key = {(const char *)&node, sizeof(node)};
    int64_t seen, *queue;

    if (brant__map_get(&side->seen, key, &seen)) return BRANT_OK;
    queue = brant__grow(side->queue, &side->capacity, side->count, sizeof(*queue));
    if (!queue) return brant__fail_memory();
    side->queue = queue;
    if (!brant__map_put(&side->seen, key, 1)) return brant__fail_memory();
    side->queue[side->count++] = node;
    return BRANT_OK;
}

static void side_free(test_side *side) {
    brant__map_free(&side->seen);
    brant__free(side->queue);
}

/* Edges that are not stored yet. */
typedef struct test_more {
    const brant__pair *pairs;
    size_t count;
} test_more;

static brant_status meet(bool *out_met, test_side *from, const test_side *other, int64_t next) {
    int64_t seen;

    *out_met =
        brant__map_get(&other->seen, brant__text_of((const char *)&next, sizeof(next)), &seen);
    return *out_met ? BRANT_OK : reach(from, next);
}

/* Go one node on; *out_met when the other side has been there. */
static brant_status expand(bool *out_met, size_t *steps, test_side *from, const test_side *other,
                           brant__call *call, const test_more *more, bool out, bool in) {
    int64_t node = from->queue[from->head++];
    brant__statement *statement = NULL;
    brant_status status = BRANT_OK;
    bool row;

    for (int direction = 0; direction < 2; direction++) {
        if (direction ? !in : !out) continue;
        BRANT__TRY(brant__traverse_statement(&statement, call,
                                             direction ? BRANT__ARCS_IN : BRANT__ARCS_OUT));
        brant__bind_integer(statement, 1, node);
        for (;;) {
            BRANT__TRY(brant__step(&row, call->db, statement));
            if (!row || ++*steps > TEST_STEPS) break;
            BRANT__TRY(meet(out_met, from, other, brant__column_integer(statement, 0)));
            if (*out_met) goto cleanup;
        }
        brant__reset(statement);
    }
    statement = NULL;
    for (size_t i = 0; i < more->count && !*out_met; i++) {
        if (out && more->pairs[i].source == node)
            BRANT__TRY(meet(out_met, from, other, more->pairs[i].target));
        if (in && !*out_met && more->pairs[i].target == node)
            BRANT__TRY(meet(out_met, from, other, more->pairs[i].source));
    }
cleanup:
    brant__reset(statement);
    return status;
}

static void visit(uint32_t *queue, size_t *count, uint8_t *seen, uint32_t node) {
    if (node == UINT32_MAX || seen[node]) return;
    seen[node] = 1;
    queue[(*count)++] = node;
}

/* Is `to` reached from `from` in a snapshot, with some edges more? */
static brant_status reached(bool *out_reached, const brant__snapshot *snapshot, uint32_t from,
                            uint32_t to, const test_more *more, bool undirected) {
    uint32_t *queue = brant__alloc(((size_t)snapshot->nodes + 1) * sizeof(*queue));
    uint8_t *seen = brant__alloc_zero((size_t)snapshot->nodes + 1);
    size_t head = 0, count = 0;
    brant_status status = BRANT_OK;

    *out_reached = false;
    if (!queue || !seen) {
        status = brant__fail_memory();
        goto cleanup;
    }
    queue[count++] = from;
    seen[from] = 1;
    while (head < count && !seen[to]) {
        uint32_t node = queue[head++];
        for (int direction = 0; direction < (undirected ? 2 : 1); direction++) {
            const brant__arcs *arcs = direction ? &snapshot->in : &snapshot->out;
            for (uint32_t i = arcs->from[node]; i < arcs->from[node + 1]; i++)
                visit(queue, &count, seen, arcs->node[i]);
        }
        for (size_t i = 0; i < more->count; i++) {
            const brant__pair *pair = &more->pairs[i];
            if (pair->source == snapshot->rows[node])
                visit(queue, &count, seen, brant__snapshot_number(snapshot, pair->target));
            if (undirected && pair->target == snapshot->rows[node])
                visit(queue, &count, seen, brant__snapshot_number(snapshot, pair->source));
        }
    }
    *out_reached = seen[to] != 0;
cleanup:
    brant__free(queue);
    brant__free(seen);
    return status;
}

brant_status brant__cycle_closed_by(bool *out_closed, brant__call *call, const brant__graph *graph,
                                    int64_t source, int64_t target, const brant__pair *more,
                                    size_t more_count) {
    const test_more also = {more, more_count};
    bool undirected = brant__graph_undirected(graph);
    test_side forward = {.head = 0}, backward = {.head = 0};
    const brant__snapshot *snapshot;
    size_t steps = 0;
    brant_status status;

    *out_closed = source == target;
    if (*out_closed) return BRANT_OK;
    /* A way from the target forward to the source, or from the source back to the target. */
    BRANT__TRY(reach(&forward, target));
    BRANT__TRY(reach(&backward, source));
    while (!*out_closed && forward.head < forward.count && backward.head < backward.count &&
           steps <= TEST_STEPS) {
        if (forward.count - forward.head <= backward.count - backward.head)
            BRANT__TRY(
                expand(out_closed, &steps, &forward, &backward, call, &also, true, undirected));
        else
            BRANT__TRY(
                expand(out_closed, &steps, &backward, &forward, call, &also, undirected, true));
    }
    if (*out_closed || steps <= TEST_STEPS) goto cleanup;
    BRANT__TRY(brant__snapshot_get(&snapshot, call, graph));
    {
        uint32_t from = brant__snapshot_number(snapshot, target),
                 to = brant__snapshot_number(snapshot, source);
        if (from != UINT32_MAX && to != UINT32_MAX)
            status = reached(out_closed, snapshot, from, to, &also, undirected);
    }
cleanup:
    side_free(&forward);
    side_free(&backward);
    return status;
}

/* ---- the whole graph ------------------------------------------------------------------------- */

static uint32_t arcs_of(const brant__arcs *arcs, uint32_t node) {
    return arcs->from[node + 1] - arcs->from[node];
}

/* Take nodes away that are on no cycle: without arcs in (directed), with one arc at most
 * (undirected), until none is left that can go. left[i]: how many arcs stay. */
static void strip(uint32_t *left, uint8_t *gone, uint32_t *queue, const brant__snapshot *snapshot,
                  bool undirected) {
    uint32_t enough = undirected ? 2 : 1;
    size_t head = 0, count = 0;

    for (uint32_t i = 0; i < snapshot->nodes; i++) {
        left[i] = arcs_of(&snapshot->in, i) + (undirected ? arcs_of(&snapshot->out, i) : 0);
        if (left[i] >= enough) continue;
        gone[i] = 1;
        queue[count++] = i;
    }
    while (head < count) {
        uint32_t node = queue[head++];
        for (int direction = 0; direction < (undirected ? 2 : 1); direction++) {
            const brant__arcs *arcs = direction ? &snapshot->in : &snapshot->out;
            for (uint32_t i = arcs->from[node]; i < arcs->from[node + 1]; i++) {
                uint32_t next = arcs->node[i];
                if (gone[next] || --left[next] >= enough) continue;
                gone[next] = 1;
                queue[count++] = next;
            }
        }
    }
}

/* From a node that stayed, a neighbour that stayed: backwards (directed), or any, but not by the
 * arc that led here from `last` (undirected). */
static uint32_t step_back(const brant__snapshot *snapshot, const uint8_t *gone, uint32_t node,
                          uint32_t last, bool undirected) {
    for (int direction = 0; direction < (undirected ? 2 : 1); direction++) {
        const brant__arcs *arcs = direction ? &snapshot->out : &snapshot->in;
        for (uint32_t i = arcs->from[node]; i < arcs->from[node + 1]; i++) {
            if (gone[arcs->node[i]]) continue;
            if (undirected && arcs->node[i] == last) {
                last = UINT32_MAX;
                continue;
            }
            return arcs->node[i];
        }
    }
    return UINT32_MAX;
}

brant_status brant__cycle_find(int64_t **out_rows, size_t *out_count, brant__call *call,
                               const brant__graph *graph) {
    bool undirected = brant__graph_undirected(graph);
    const brant__snapshot *snapshot;
    uint32_t *left = NULL, *queue = NULL, node = 0, last = UINT32_MAX;
    uint8_t *gone = NULL;
    size_t count = 0, begin;
    brant_status status;

    *out_rows = NULL;
    *out_count = 0;
    BRANT__TRY(brant__snapshot_get(&snapshot, call, graph));
    left = brant__alloc(((size_t)snapshot->nodes + 1) * sizeof(*left));
    queue = brant__alloc(((size_t)snapshot->nodes + 1) * sizeof(*queue));
    gone = brant__alloc_zero((size_t)snapshot->nodes + 1);
    if (!left || !queue || !gone) {
        status = brant__fail_memory();
        goto cleanup;
    }
    strip(left, gone, queue, snapshot, undirected);
    while (node < snapshot->nodes && gone[node])
        node++;
    if (node == snapshot->nodes) goto cleanup;
    /* Walk on what stayed until a node comes again; left[i] is now where in the walk node i is. */
    memset(left, 0xFF, (size_t)snapshot->nodes * sizeof(*left));
    while (node != UINT32_MAX && left[node] == UINT32_MAX) {
        uint32_t next = step_back(snapshot, gone, node, last, undirected);
        left[node] = (uint32_t)count;
        queue[count++] = node;
        last = node;
        node = next;
    }
    if (node == UINT32_MAX) goto cleanup;
    begin = left[node];
    *out_rows = brant__arena_alloc(call->arena, (count - begin) * sizeof(**out_rows));
    if (!*out_rows) {
        status = brant__fail_memory();
        goto cleanup;
    }
    *out_count = count - begin;
    for (size_t i = 0; i < *out_count; i++)
        (*out_rows)[i] = snapshot->rows[queue[count - 1 - i]];
cleanup:
    brant__free(left);
    brant__free(queue);
    brant__free(gone);
    return status;
}
