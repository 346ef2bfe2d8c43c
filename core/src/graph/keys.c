/*
 * graph/keys.c: from node keys to row ids, for operations that ask for many.
 *
 * The handle keeps the keys of the graphs used last in a map while the graph's `shape` says that
 * they are true. A graph that was empty when its map was begun has all its keys in it, as has one
 * that was loaded: then a key that is not in the map is not in the graph. Operations of few keys
 * begin no map, but keep one true that is there.
 */
#include "graph/internal.h"

/* Operations of fewer keys ask the index. */
#define WORTH_KEEPING 64
/* Load all keys where the operation asks for at least one in so many. */
#define WORTH_LOADING 8
#define POLL_MASK     4095

#define ROW_BITS 47
#define ROW_MASK (((uint64_t)1 << ROW_BITS) - 1)

static int64_t pack(brant__node_ref ref) {
    return (int64_t)((uint64_t)ref.type << ROW_BITS | (uint64_t)ref.row_id);
}

static brant__node_ref unpack(int64_t value) {
    return (brant__node_ref){(int64_t)((uint64_t)value & ROW_MASK),
                             (uint32_t)((uint64_t)value >> ROW_BITS)};
}

/* Remember a key; a map that cannot take it is not complete. `dirty`: what the transaction wrote
 * may be what is remembered. */
static void remember(brant__keys *keys, brant__text key, brant__node_ref ref, unsigned dirty) {
    if (keys->touched < dirty) keys->touched = dirty;
    if (keys->map.count >= BRANT__KEYS_KEPT || ref.row_id < 0 || (uint64_t)ref.row_id > ROW_MASK ||
        !brant__map_put(&keys->map, key, pack(ref)))
        keys->complete = false;
}

static brant_status load(brant__keys *keys, brant__call *call, const brant__graph *graph,
                         unsigned dirty) {
    brant__statement *statement = NULL;
    brant_status status;
    size_t count = 0;
    bool row;

    keys->complete = true;
    BRANT__TRY(brant__node_statement(&statement, call, BRANT__NODE_KEYS));
    brant__bind_integer(statement, 1, graph->row_id);
    for (;;) {
        brant__node_ref ref;
        BRANT__TRY(brant__step(&row, call->db, statement));
        if (!row) break;
        if ((++count & POLL_MASK) == 0) BRANT__TRY(brant__db_poll(call->db));
        ref.row_id = brant__column_integer(statement, 0);
        BRANT__TRY(
            brant__read_type(&ref.type, graph, BRANT__NODES, brant__column_integer(statement, 1)));
        remember(keys, brant__column_text(statement, 2), ref, dirty);
    }
cleanup:
    brant__reset(statement);
    return status;
}

static void make_room(brant__graphs *state, const brant__keys *wanted) {
    size_t total = 0;

    for (size_t i = 0; i < BRANT__GRAPHS_KEPT; i++)
        total += state->graphs[i].keys.map.count;
    if (total < BRANT__KEYS_KEPT) return;
    for (size_t i = 0; i < BRANT__GRAPHS_KEPT; i++)
        if (&state->graphs[i].keys != wanted) brant__keys_drop(&state->graphs[i].keys);
}

brant_status brant__lookup_begin(brant__lookup *lookup, brant__call *call,
                                 const brant__graph *graph, size_t expected) {
    brant__graphs *state;
    brant__kept *kept;
    brant_status status;

    *lookup = (brant__lookup){.call = call, .graph = graph};
    status = brant__graphs_state(&state, call->db);
    if (status != BRANT_OK) return status;
    status = brant__kept_find(&kept, call->db, graph);
    if (status != BRANT_OK) return status;
    if (kept->keys.shape != graph->shape) brant__keys_drop(&kept->keys);
    if (kept->keys.shape < 0) {
        if (expected < WORTH_KEEPING) return BRANT_OK;
        make_room(state, &kept->keys);
        if (graph->nodes == 0) {
            kept->keys.complete = true;
            kept->keys.touched = state->dirty;
        } else if (graph->nodes <= (int64_t)BRANT__KEYS_KEPT &&
                   (int64_t)expected >= graph->nodes / WORTH_LOADING) {
            status = load(&kept->keys, call, graph, state->dirty);
            if (status != BRANT_OK) return status;
        }
        kept->keys.shape = graph->shape;
    }
    lookup->keys = &kept->keys;
    return BRANT_OK;
}

bool brant__lookup_complete(const brant__lookup *lookup) {
    return lookup->graph->nodes == 0 || (lookup->keys && lookup->keys->complete);
}

brant_status brant__lookup_node(brant__node_ref *out_ref, brant__lookup *lookup, brant__text key) {
    brant__graphs *state;
    int64_t value;
    brant_status status;

    *out_ref = (brant__node_ref){0, 0};
    if (lookup->last.data && brant__text_equal(lookup->last, key)) {
        *out_ref = lookup->last_ref;
        return BRANT_OK;
    }
    if (lookup->keys && brant__map_get(&lookup->keys->map, key, &value)) {
        *out_ref = unpack(value);
    } else if (!brant__lookup_complete(lookup)) {
        status = brant__node_find(out_ref, NULL, lookup->call, lookup->graph, key);
        if (status != BRANT_OK) return status;
        if (lookup->keys && out_ref->row_id) {
            state = brant__state(lookup->call->db, BRANT__SLOT_GRAPH);
            remember(lookup->keys, key, *out_ref, state->dirty);
        }
    }
    lookup->last = key;
    lookup->last_ref = *out_ref;
    return BRANT_OK;
}

void brant__lookup_added(brant__lookup *lookup, brant__text key, brant__node_ref ref) {
    lookup->last = (brant__text){NULL, 0};
    if (lookup->keys) remember(lookup->keys, key, ref, brant__depth(lookup->call->db));
}

void brant__lookup_removed(brant__lookup *lookup, brant__text key) {
    unsigned depth = brant__depth(lookup->call->db);

    lookup->last = (brant__text){NULL, 0};
    if (!lookup->keys) return;
    if (lookup->keys->touched < depth) lookup->keys->touched = depth;
    brant__map_remove(&lookup->keys->map, key);
}

void brant__lookup_end(brant__lookup *lookup) {
    unsigned depth = brant__depth(lookup->call->db);

    if (!lookup->keys || lookup->keys->shape == lookup->graph->shape) return;
    if (lookup->keys->touched < depth) lookup->keys->touched = depth;
    lookup->keys->shape = lookup->graph->shape;
}
