/*
 * graph/closure.c: what can be reached from some nodes.
 *
 * A closure goes to the indexes first, unless the handle has a snapshot that is true; one that
 * turns out to be large builds the snapshot and begins anew. Both give the same answer in the same
 * order.
 */
#include <stdlib.h>

#include "graph/internal.h"

/* A closure through the indexes ends here, and at brant__graphs.walk_edges. */
#define WALK_NODES 2000
#define POLL_MASK  4095

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
    brant__write_name(out, "truncated");
    brant__write_bool(out, closure->truncated);
    brant__write_end(out);
    *out_done = true;
cleanup:
    brant__map_free(&walk->seen);
    brant__free(walk);
    return status;
}

/* ---- through the snapshot -------------------------------------------------------------------- */

typedef struct reach_state {
    uint32_t *node;
    uint32_t *parent; /* UINT32_MAX: a start */
    uint32_t *level;  /* of depth d the first index; one more at the end */
    uint64_t *seen;   /* a bit a node */
    size_t count;
    size_t depths;
} reach_state;

static bool see(reach_state *reached, uint32_t node) {
    uint64_t bit = UINT64_C(1) << (node & 63);

    if (reached->seen[node >> 6] & bit) return false;
    reached->seen[node >> 6] |= bit;
    return true;
}

/* The unseen neighbours of one node by number: of one list, or of two merged. False: the limit is
 * reached. */
static bool visit(reach_state *reached, const closure_call *closure,
                  const brant__snapshot *snapshot, uint32_t head, size_t limit) {
    uint32_t node = reached->node[head];
    const brant__arcs *out = &snapshot->out, *in = &snapshot->in;
    uint32_t a = 0, a_end = 0, b = 0, b_end = 0;

    if (closure->directions & BRANT__GO_OUT) {
        a = out->from[node];
        a_end = out->from[node + 1];
    }
    if (closure->directions & BRANT__GO_IN) {
        b = in->from[node];
        b_end = in->from[node + 1];
    }
    while (a < a_end || b < b_end) {
        bool first = b == b_end || (a < a_end && out->node[a] <= in->node[b]);
        uint32_t next = first ? out->node[a] : in->node[b];
        uint16_t type = 0;
        if (closure->wanted) type = first ? out->type[a] : in->type[b];
        if (first)
            a++;
        else
            b++;
        if (closure->wanted && !closure->wanted[type]) continue;
        if (!see(reached, next)) continue;
        if (reached->count == limit) return false;
        reached->node[reached->count] = next;
        reached->parent[reached->count++] = head;
    }
    return true;
}

static char *write_number(char *at, uint32_t value) {
    char digits[10];
    size_t count = 0;

    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    while (count)
        *at++ = digits[--count];
    return at;
}

/* The answer, with pointers into room that is reserved: the keys are text already. */
static brant_status write_reached(const reach_state *reached, const closure_call *closure,
                                  const brant__snapshot *snapshot) {
    brant__writer *out = closure->call->out;
    brant__buffer text = {0};
    size_t bytes = 16;
    char *at;

    for (size_t i = 0; i < reached->count; i++)
        bytes +=
            snapshot->text_from[reached->node[i] + 1] - snapshot->text_from[reached->node[i]] + 1;
    if (bytes < 16 + reached->count * 12) bytes = 16 + reached->count * 12;
    if (!brant__buffer_reserve(&text, bytes)) return brant__fail_memory();

    brant__write_object(out);
    brant__write_name(out, "keys");
    at = text.data;
    *at++ = '[';
    for (size_t i = 0; i < reached->count; i++) {
        size_t from = snapshot->text_from[reached->node[i]],
               length = snapshot->text_from[reached->node[i] + 1] - from;
        memcpy(at, snapshot->text.data + from, length);
        at += length;
        *at++ = ',';
    }
    if (reached->count) at--;
    *at++ = ']';
    brant__write_raw(out, brant__text_of(text.data, (size_t)(at - text.data)));

    brant__write_name(out, "depths");
    at = text.data;
    *at++ = '[';
    for (size_t depth = 0; depth < reached->depths; depth++)
        for (size_t i = reached->level[depth]; i < reached->level[depth + 1]; i++) {
            at = write_number(at, (uint32_t)depth);
            *at++ = ',';
        }
    if (reached->count) at--;
    *at++ = ']';
    brant__write_raw(out, brant__text_of(text.data, (size_t)(at - text.data)));

    brant__write_name(out, "parents");
    at = text.data;
    *at++ = '[';
    for (size_t i = 0; i < reached->count; i++) {
        if (reached->parent[i] == UINT32_MAX) {
            *at++ = '-';
            *at++ = '1';
        } else {
            at = write_number(at, reached->parent[i]);
        }
        *at++ = ',';
    }
    if (reached->count) at--;
    *at++ = ']';
    brant__write_raw(out, brant__text_of(text.data, (size_t)(at - text.data)));
    brant__write_name(out, "truncated");
    brant__write_bool(out, closure->truncated);
    brant__write_end(out);
    brant__buffer_free(&text);
    return BRANT_OK;
}

static brant_status close_by_snapshot(closure_call *closure, const brant__snapshot *snapshot) {
    size_t nodes = snapshot->nodes, limit = nodes;
    reach_state reached = {.count = 0};
    brant_status status = BRANT_OK;

    if (closure->limit < (int64_t)limit) limit = (size_t)closure->limit;
    reached.node = brant__alloc((nodes + 1) * sizeof(*reached.node));
    reached.parent = brant__alloc((nodes + 1) * sizeof(*reached.parent));
    reached.level = brant__alloc((nodes + 2) * sizeof(*reached.level));
    reached.seen = brant__alloc_zero((nodes / 64 + 1) * sizeof(*reached.seen));
    if (!reached.node || !reached.parent || !reached.level || !reached.seen) {
        status = brant__fail_memory();
        goto cleanup;
    }
    for (size_t i = 0; i < closure->start_count; i++) {
        uint32_t node = brant__snapshot_number(snapshot, closure->starts[i]);
        if (node == UINT32_MAX) {
            status = brant__fail(BRANT_INTERNAL, "a snapshot lacks a node");
            goto cleanup;
        }
        if (!see(&reached, node)) continue;
        reached.node[reached.count] = node;
        reached.parent[reached.count++] = UINT32_MAX;
    }
    reached.level[0] = 0;
    reached.level[1] = (uint32_t)reached.count;
    reached.depths = 1;
    for (size_t head = 0; head < reached.count && !closure->truncated &&
                          (int64_t)reached.depths <= closure->max_depth;) {
        size_t end = reached.count;
        for (; head < end && !closure->truncated; head++) {
            if ((head & POLL_MASK) == POLL_MASK) BRANT__TRY(brant__db_poll(closure->call->db));
            closure->truncated = !visit(&reached, closure, snapshot, (uint32_t)head, limit);
        }
        if (reached.count > end) reached.level[++reached.depths] = (uint32_t)reached.count;
    }
    status = write_reached(&reached, closure, snapshot);
cleanup:
    brant__free(reached.node);
    brant__free(reached.parent);
    brant__free(reached.level);
    brant__free(reached.seen);
    return status;
}

/* ---- operation ------------------------------------------------------------------------------- */

brant_status brant__node_closure(brant__call *call) {
    closure_call closure = {.call = call, .max_depth = INT64_MAX, .limit = INT64_MAX};
    yyjson_val *max_depth = brant__json_get(call->input, "max_depth");
    const brant__snapshot *snapshot;
    uint8_t *wanted;
    bool done = false;
    brant_status status;

    BRANT__TRY(brant__graph_find(&closure.graph, call, false));
    BRANT__TRY(brant__read_direction(&closure.directions, call, &closure.graph));
    BRANT__TRY(brant__read_types(&wanted, call, &closure.graph));
    closure.wanted = wanted;
    if (max_depth) closure.max_depth = brant__json_integer(max_depth, -1);
    if (closure.max_depth < 0) {
        status = brant__fail(BRANT_INVALID, "max_depth is not 0 or more");
        goto cleanup;
    }
    if (brant__json_get(call->input, "limit"))
        BRANT__TRY(brant__limit_read(&closure.limit, call, 1, INT64_MAX));
    BRANT__TRY(read_starts(&closure));
    BRANT__TRY(brant__snapshot_kept(&snapshot, call, &closure.graph));
    if (!snapshot) {
        BRANT__TRY(close_by_index(&done, &closure));
        if (done) goto cleanup;
        BRANT__TRY(brant__snapshot_get(&snapshot, call, &closure.graph));
    }
    status = close_by_snapshot(&closure, snapshot);
cleanup:
    return status;
}
