/*
 * graph/closure.c: what can be reached from some nodes.
 *
 * A closure goes to the indexes first, unless the handle has a snapshot that is true; one that
 * turns out to be large builds the snapshot and begins anew. Both give the same answer in the same
 * order.
 */
#include <stdlib.h>

#include "graph/view.h"

/* A closure through the indexes ends here, and at brant__graphs.walk_edges. */
#define WALK_NODES 2000

/* What is asked. */
typedef struct closure_call {
    brant__call *call;
    brant__graph graph;
    int directions;
    const uint8_t *wanted; /* by type; NULL: all */
    int64_t max_depth;     /* INT64_MAX: any */
    int64_t limit;         /* INT64_MAX: none */
    int64_t *starts;       /* row ids, each once, in the order given */
    size_t start_count;
    bool truncated;
} closure_call;

static bool type_wanted(const closure_call *closure, uint32_t type) {
    return !closure->wanted || closure->wanted[type];
}

static brant_status read_starts(closure_call *closure) {
    yyjson_val *keys = brant__json_get(closure->call->input, "keys"), *key;
    size_t index, count;
    brant__lookup lookup;
    brant__map seen = {0};
    brant_status status;

    count = yyjson_arr_size(keys);
    if (count > brant__db_limits(closure->call->db)->batch)
        return brant__fail(BRANT_LIMIT, "more than %zu keys (limits.batch)",
                           brant__db_limits(closure->call->db)->batch);
    closure->starts =
        brant__arena_alloc(closure->call->arena, (count + 1) * sizeof(*closure->starts));
    if (!closure->starts) return brant__fail_memory();
    BRANT__TRY(brant__lookup_begin(&lookup, closure->call, &closure->graph, count));
    yyjson_arr_foreach(keys, index, count, key) {
        brant__node_ref ref;
        int64_t before;
        BRANT__TRY(brant__lookup_node(&ref, &lookup, brant__json_text(key)));
        if (!ref.row_id) {
            status = brant__node_missing(closure->call, &closure->graph, brant__json_text(key));
            goto cleanup;
        }
        if (count > 1) {
            brant__text text = {(const char *)&ref.row_id, sizeof(ref.row_id)};
            if (brant__map_get(&seen, text, &before)) continue;
            if (!brant__map_put(&seen, text, 1)) {
                status = brant__fail_memory();
                goto cleanup;
            }
        }
        if ((int64_t)closure->start_count == closure->limit) {
            closure->truncated = true;
            break;
        }
        closure->starts[closure->start_count++] = ref.row_id;
    }
cleanup:
    brant__map_free(&seen);
    return status;
}

/* ---- through the indexes --------------------------------------------------------------------- */

/* One node that was reached. */
typedef struct walked {
    int64_t row_id;
    brant__text key; /* in the call's arena */
    size_t parent;   /* SIZE_MAX: a start */
    int64_t depth;
} walked;

typedef struct walk_state {
    closure_call *closure;
    brant__map seen;
    walked nodes[WALK_NODES];
    size_t count;
    size_t edges;
    size_t edges_maximum;
    bool large; /* not finished: take a snapshot */
} walk_state;

static int compare_walked(const void *a, const void *b) {
    return brant__text_compare(((const walked *)a)->key, ((const walked *)b)->key);
}

/* Note a node that was not reached before. */
static brant_status walk_reach(walk_state *walk, int64_t row_id, size_t parent, int64_t depth) {
    brant__call *call = walk->closure->call;
    brant__text id = {(const char *)&row_id, sizeof(row_id)}, key;
    brant__statement *statement = NULL;
    int64_t seen;
    brant_status status = BRANT_OK;
    bool row;

    if (brant__map_get(&walk->seen, id, &seen)) return BRANT_OK;
    if (walk->count == WALK_NODES) {
        walk->large = true;
        return BRANT_OK;
    }
    if (!brant__map_put(&walk->seen, id, 1)) return brant__fail_memory();
    BRANT__TRY(brant__traverse_statement(&statement, call, BRANT__NODE_KEY));
    brant__bind_integer(statement, 1, row_id);
    BRANT__TRY(brant__step(&row, call->db, statement));
    if (!row) {
        status = brant__fail(BRANT_CORRUPT, "an edge lacks an end; run db.doctor");
        goto cleanup;
    }
    key = brant__column_text(statement, 0);
    key.data = brant__arena_copy(call->arena, key.data, key.length);
    if (!key.data) {
        status = brant__fail_memory();
        goto cleanup;
    }
    walk->nodes[walk->count++] = (walked){row_id, key, parent, depth};
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status walk_from(walk_state *walk, size_t node) {
    closure_call *closure = walk->closure;
    size_t first = walk->count;
    brant__statement *statement = NULL;
    brant_status status = BRANT_OK;
    bool row;

    for (int direction = BRANT__GO_OUT; direction <= BRANT__GO_IN; direction++) {
        if (!(closure->directions & direction)) continue;
        BRANT__TRY(brant__traverse_statement(&statement, closure->call,
                                             direction == BRANT__GO_OUT ? BRANT__WALK_OUT
                                                                        : BRANT__WALK_IN));
        brant__bind_integer(statement, 1, walk->nodes[node].row_id);
        while (!walk->large) {
            uint32_t type;
            BRANT__TRY(brant__step(&row, closure->call->db, statement));
            if (!row) break;
            if (++walk->edges > walk->edges_maximum) walk->large = true;
            BRANT__TRY(brant__read_type(&type, &closure->graph, BRANT__EDGES,
                                        brant__column_integer(statement, 1)));
            if (!type_wanted(closure, type)) continue;
            BRANT__TRY(walk_reach(walk, brant__column_integer(statement, 0), node,
                                  walk->nodes[node].depth + 1));
        }
        brant__reset(statement);
    }
    qsort(&walk->nodes[first], walk->count - first, sizeof(*walk->nodes), compare_walked);
    if ((int64_t)walk->count > closure->limit && !walk->large) {
        walk->count = (size_t)closure->limit;
        closure->truncated = true;
    }
cleanup:
    brant__reset(statement);
    return status;
}

/* *out_done false: too large. */
static brant_status close_by_index(bool *out_done, closure_call *closure) {
    brant__writer *out = closure->call->out;
    walk_state *walk = brant__alloc_zero(sizeof(*walk));
    bool truncated = closure->truncated;
    brant__graphs *state;
    brant_status status;

    *out_done = false;
    if (!walk) return brant__fail_memory();
    BRANT__TRY(brant__graphs_state(&state, closure->call->db));
    walk->closure = closure;
    walk->edges_maximum = state->walk_edges;
    if (closure->start_count > WALK_NODES) goto cleanup;
    for (size_t i = 0; i < closure->start_count; i++)
        BRANT__TRY(walk_reach(walk, closure->starts[i], SIZE_MAX, 0));
    for (size_t i = 0; i < walk->count && !walk->large && !closure->truncated; i++)
        if (walk->nodes[i].depth < closure->max_depth) BRANT__TRY(walk_from(walk, i));
    if (walk->large) {
        closure->truncated = truncated;
        goto cleanup;
    }
    brant__write_object(out);
    brant__write_name(out, "keys");
    brant__write_array(out);
    for (size_t i = 0; i < walk->count; i++)
        brant__write_text(out, walk->nodes[i].key);
    brant__write_end(out);
    brant__write_name(out, "depths");
    brant__write_array(out);
    for (size_t i = 0; i < walk->count; i++)
        brant__write_integer(out, walk->nodes[i].depth);
    brant__write_end(out);
    brant__write_name(out, "parents");
    brant__write_array(out);
    for (size_t i = 0; i < walk->count; i++)
        brant__write_integer(
            out, walk->nodes[i].parent == SIZE_MAX ? -1 : (int64_t)walk->nodes[i].parent);
    brant__write_end(out);
    brant__write_bool_member(out, "truncated", closure->truncated);
    brant__write_end(out);
    *out_done = true;
cleanup:
    brant__map_free(&walk->seen);
    brant__free(walk);
    return status;
}

/* ---- through the snapshot -------------------------------------------------------------------- */

static brant_status close_by_snapshot(closure_call *closure) {
    brant__call *call = closure->call;
    brant__walk walk = {.count = 0};
    brant_status status;

    BRANT__TRY(brant__walk_open(&walk, call, &closure->graph));
    BRANT__TRY(brant__walk_run(&walk, call->db, SIZE_MAX));
    brant__write_object(call->out);
    brant__write_name(call->out, "keys");
    brant__write_keys(call->out, walk.view.snapshot, walk.node, walk.count);
    brant__write_name(call->out, "depths");
    brant__write_numbers(call->out, walk.depth, walk.count);
    brant__write_name(call->out, "parents");
    brant__write_numbers(call->out, walk.parent, walk.count);
    brant__write_bool_member(call->out, "truncated", walk.truncated);
    brant__write_end(call->out);
cleanup:
    brant__walk_close(&walk);
    return status;
}

/* ---- operation ------------------------------------------------------------------------------- */

brant_status brant__node_closure(brant__call *call) {
    closure_call closure = {.call = call, .limit = INT64_MAX};
    const brant__snapshot *snapshot;
    uint8_t *wanted;
    bool done = false, deep;
    brant_status status;

    BRANT__TRY(brant__graph_find(&closure.graph, call, false));
    BRANT__TRY(brant__snapshot_kept(&snapshot, call, &closure.graph));
    deep = brant__text_equal(brant__json_get_text(call->input, "order"), BRANT__TEXT("depth"));
    if (!snapshot && !deep && !brant__view_filters(call) && !brant__graph_mixed(&closure.graph)) {
        BRANT__TRY(brant__read_direction(&closure.directions, call, &closure.graph));
        BRANT__TRY(brant__read_types(&wanted, call, &closure.graph));
        closure.wanted = wanted;
        BRANT__TRY(brant__read_maximum(&closure.max_depth, call, "max_depth", INT64_MAX));
        if (brant__json_get(call->input, "limit"))
            BRANT__TRY(brant__limit_read(&closure.limit, call, 1, INT64_MAX));
        BRANT__TRY(read_starts(&closure));
        BRANT__TRY(close_by_index(&done, &closure));
    }
    if (!done) status = close_by_snapshot(&closure);
cleanup:
    return status;
}
