/*
 * graph/state.c: what a handle keeps between calls: parsed graph types, and of the graphs used last
 * their keys and adjacency.
 *
 * All of it is a copy of what the file says, and is used only after a look at the file, in the same
 * transaction, says that it is still true: types by id, row id and `changes`, graphs by id and
 * `shape`. The counters cannot prove one thing: after a rollback another writer may bring them to a
 * value that our undone transaction had given them. So what was built while the running transaction
 * had written to graphs is marked with the depth of those writes, and dropped when a rollback takes
 * that depth back.
 */
#include "graph/internal.h"

#define WALK_EDGES 20000

void brant__keys_drop(brant__keys *keys) {
    brant__map_free(&keys->map);
    *keys = (brant__keys){.shape = -1};
}

void brant__weights_drop(brant__weights *weights) {
    brant__free(weights->path);
    brant__free(weights->values);
    *weights = (brant__weights){.path = NULL};
}

void brant__kept_drop_snapshot(brant__kept *kept) {
    brant__weights_drop(&kept->weights);
    brant__snapshot_release(kept->snapshot);
    kept->snapshot = NULL;
    kept->snapshot_shape = -1;
    kept->snapshot_touched = 0;
}

static void kept_drop(brant__kept *kept) {
    brant__keys_drop(&kept->keys);
    brant__kept_drop_snapshot(kept);
    brant__free(kept->id);
    kept->id = NULL;
    kept->used = 0;
}

/* ---- hooks ----------------------------------------------------------------------------------- */

static void after_commit(brant_db *db, void *context) {
    brant__graphs *state = context;

    (void)db;
    state->dirty = 0;
    for (size_t i = 0; i < BRANT__TYPES_KEPT; i++)
        if (state->types[i]) state->types[i]->touched = 0;
    for (size_t i = 0; i < BRANT__GRAPHS_KEPT; i++) {
        state->graphs[i].keys.touched = 0;
        state->graphs[i].snapshot_touched = 0;
        state->graphs[i].weights.touched = 0;
    }
}

static void after_rollback(brant_db *db, void *context, unsigned depth) {
    brant__graphs *state = context;

    (void)db;
    if (state->dirty <= depth) return;
    state->dirty = depth;
    for (size_t i = 0; i < BRANT__TYPES_KEPT; i++) {
        if (!state->types[i] || state->types[i]->touched <= depth) continue;
        brant__type_free(state->types[i]);
        state->types[i] = NULL;
    }
    for (size_t i = 0; i < BRANT__GRAPHS_KEPT; i++) {
        brant__kept *kept = &state->graphs[i];
        if (kept->keys.touched > depth) brant__keys_drop(&kept->keys);
        if (kept->snapshot_touched > depth) brant__kept_drop_snapshot(kept);
        if (kept->weights.touched > depth) brant__weights_drop(&kept->weights);
    }
}

static void after_release(brant_db *db, void *context, unsigned depth) {
    brant__graphs *state = context;

    (void)db;
    if (state->dirty <= depth) return;
    state->dirty = depth;
    for (size_t i = 0; i < BRANT__TYPES_KEPT; i++)
        if (state->types[i] && state->types[i]->touched > depth) state->types[i]->touched = depth;
    for (size_t i = 0; i < BRANT__GRAPHS_KEPT; i++) {
        brant__kept *kept = &state->graphs[i];
        if (kept->keys.touched > depth) kept->keys.touched = depth;
        if (kept->snapshot_touched > depth) kept->snapshot_touched = depth;
        if (kept->weights.touched > depth) kept->weights.touched = depth;
    }
}

static void marks_free(brant__marks *marks) {
    for (int i = 0; i < 2; i++) {
        brant__free(marks->hops[i]);
        brant__free(marks->queue[i]);
    }
    *marks = (brant__marks){.nodes = 0};
}

static void forget(brant_db *db, void *context) {
    brant__graphs *state = context;

    (void)db;
    brant__buffer_free(&state->change.head.buffer);
    brant__buffer_free(&state->change.before.buffer);
    brant__buffer_free(&state->change.key);
}

static void destroy(brant_db *db, void *context) {
    brant__graphs *state = context;

    forget(db, state);
    marks_free(&state->marks);
    for (size_t i = 0; i < BRANT__GRAPHS_KEPT; i++)
        kept_drop(&state->graphs[i]);
    for (size_t i = 0; i < BRANT__TYPES_KEPT; i++)
        brant__type_free(state->types[i]);
    brant__json_free(&state->empty);
    brant__free(state);
}

static const brant__hooks hooks = {
    .after_commit = after_commit,
    .after_rollback = after_rollback,
    .after_release = after_release,
    .forget = forget,
    .destroy = destroy,
};

/* ---- state ----------------------------------------------------------------------------------- */

brant_status brant__graphs_state(brant__graphs **out_state, brant_db *db) {
    brant__graphs *state = brant__state(db, BRANT__SLOT_GRAPH);
    brant_status status;

    *out_state = state;
    if (BRANT__LIKELY(state != NULL)) return BRANT_OK;
    state = brant__alloc_zero(sizeof(*state));
    if (!state) return brant__fail_memory();
    for (size_t i = 0; i < BRANT__GRAPHS_KEPT; i++) {
        state->graphs[i].keys.shape = -1;
        state->graphs[i].snapshot_shape = -1;
    }
    state->walk_edges = WALK_EDGES;
    status = brant__json_parse(&state->empty, "{}", 2, 0);
    if (status != BRANT_OK) {
        brant__json_free(&state->empty);
        brant__free(state);
        return status;
    }
    brant__attach(db, BRANT__SLOT_GRAPH, &hooks, state);
    *out_state = state;
    return BRANT_OK;
}

brant_status brant__kept_find(brant__kept **out_kept, brant_db *db, const brant__graph *graph) {
    brant__graphs *state;
    brant__kept *oldest;
    brant_status status = brant__graphs_state(&state, db);
    char *id;

    *out_kept = NULL;
    if (status != BRANT_OK) return status;
    oldest = &state->graphs[0];
    for (size_t i = 0; i < BRANT__GRAPHS_KEPT; i++) {
        brant__kept *kept = &state->graphs[i];
        if (kept->id && strlen(kept->id) == graph->id.length &&
            memcmp(kept->id, graph->id.data, graph->id.length) == 0) {
            kept->used = ++state->clock;
            *out_kept = kept;
            return BRANT_OK;
        }
        if (kept->used < oldest->used) oldest = kept;
    }
    id = brant__strndup(graph->id.data, graph->id.length);
    if (!id) return brant__fail_memory();
    kept_drop(oldest);
    oldest->id = id;
    oldest->used = ++state->clock;
    *out_kept = oldest;
    return BRANT_OK;
}

static size_t kept_bytes(const brant__kept *kept) {
    return (kept->snapshot ? kept->snapshot->bytes : 0) + kept->weights.bytes;
}

void brant__kept_make_room(brant__graphs *state, const brant__kept *wanted, size_t bytes) {
    for (size_t i = 0; i < BRANT__GRAPHS_KEPT; i++)
        bytes += kept_bytes(&state->graphs[i]);
    for (size_t i = 0; i < BRANT__GRAPHS_KEPT && bytes > BRANT__SNAPSHOT_BYTES; i++) {
        if (&state->graphs[i] == wanted) continue;
        bytes -= kept_bytes(&state->graphs[i]);
        brant__kept_drop_snapshot(&state->graphs[i]);
    }
}

brant_status brant__kept_dirty(brant_db *db) {
    brant__graphs *state;
    brant_status status = brant__graphs_state(&state, db);
    unsigned depth = brant__depth(db);

    if (status == BRANT_OK && state->dirty < depth) state->dirty = depth;
    return status;
}

void brant__type_forget(brant_db *db, brant__text id) {
    brant__graphs *state = brant__state(db, BRANT__SLOT_GRAPH);

    if (!state) return;
    for (size_t i = 0; i < BRANT__TYPES_KEPT; i++) {
        brant__type *type = state->types[i];
        if (!type || strlen(type->id) != id.length || memcmp(type->id, id.data, id.length) != 0)
            continue;
        brant__type_free(type);
        state->types[i] = NULL;
    }
}

/* ---- marks ----------------------------------------------------------------------------------- */

brant_status brant__marks_begin(brant__marks **out_marks, brant_db *db, size_t nodes) {
    brant__graphs *state;
    brant__marks *marks;
    brant_status status = brant__graphs_state(&state, db);

    *out_marks = NULL;
    if (status != BRANT_OK) return status;
    marks = &state->marks;
    if (marks->nodes >= nodes && marks->base < UINT32_MAX - 2 * (uint32_t)marks->nodes - 4) {
        marks->base += (uint32_t)marks->nodes + 1;
    } else if (marks->nodes >= nodes && marks->nodes < UINT32_MAX / 4) {
        for (int i = 0; i < 2; i++)
            memset(marks->hops[i], 0, (marks->nodes + 1) * sizeof(uint32_t));
        marks->base = 1;
    } else {
        marks_free(marks);
        for (int i = 0; i < 2; i++) {
            marks->hops[i] = brant__alloc_zero((nodes + 1) * sizeof(uint32_t));
            marks->queue[i] = brant__alloc((nodes + 1) * sizeof(uint32_t));
        }
        if (!marks->hops[0] || !marks->hops[1] || !marks->queue[0] || !marks->queue[1]) {
            marks_free(marks);
            return brant__fail_memory();
        }
        marks->nodes = nodes;
        marks->base = 1;
    }
    *out_marks = marks;
    return BRANT_OK;
}
