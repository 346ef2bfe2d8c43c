/*
 * graph/snapshot.c: a graph's adjacency in memory.
 *
 * Nodes are numbered in the order of their keys, so that "by key" is "by number" afterwards. Arcs
 * are kept twice, by source and by target, in compressed rows whose order by number comes out of
 * two counting sorts. Built in one pass over the keys and one over the index by source, in the
 * caller's transaction; never changed afterwards.
 */
#include <stdlib.h>

#include "graph/internal.h"

#define POLL_MASK 8191

/* Row ids are looked up in a table where it has at most so many places a node. */
#define SPARSE 4

void brant__snapshot_free(brant__snapshot *snapshot) {
    if (!snapshot) return;
    brant__free(snapshot->text_from);
    brant__buffer_free(&snapshot->text);
    brant__free(snapshot->rows);
    brant__free(snapshot->numbers);
    brant__free(snapshot->by_row);
    brant__free(snapshot->out.from);
    brant__free(snapshot->out.node);
    brant__free(snapshot->out.type);
    brant__free(snapshot->in.from);
    brant__free(snapshot->in.node);
    brant__free(snapshot->in.type);
    brant__free(snapshot);
}

uint32_t brant__snapshot_number(const brant__snapshot *snapshot, int64_t row_id) {
    size_t low = 0, high = snapshot->nodes;

    if (snapshot->nodes == 0 || row_id < snapshot->first_row || row_id > snapshot->last_row)
        return UINT32_MAX;
    if (snapshot->numbers) return snapshot->numbers[row_id - snapshot->first_row];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (snapshot->rows[snapshot->by_row[middle]] < row_id)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == snapshot->nodes || snapshot->rows[snapshot->by_row[low]] != row_id)
        return UINT32_MAX;
    return snapshot->by_row[low];
}

static brant_status fail_large(brant__call *call, const brant__graph *graph) {
    return brant__fail(BRANT_LIMIT, "graph %s is too large for a snapshot of its adjacency (1 GiB)",
                       brant__quoted(call, graph->name));
}

/* ---- nodes ----------------------------------------------------------------------------------- */

static brant_status load_nodes(brant__snapshot *snapshot, brant__call *call,
                               const brant__graph *graph) {
    size_t capacity = (size_t)graph->nodes, count = 0;
    brant__statement *statement = NULL;
    brant_status status = BRANT_OK;
    bool row;

    snapshot->rows = brant__alloc((capacity + 1) * sizeof(*snapshot->rows));
    snapshot->text_from = brant__alloc((capacity + 1) * sizeof(*snapshot->text_from));
    if (!snapshot->rows || !snapshot->text_from) {
        status = brant__fail_memory();
        goto cleanup;
    }
    BRANT__TRY(brant__traverse_statement(&statement, call, BRANT__ALL_NODES));
    brant__bind_integer(statement, 1, graph->row_id);
    for (;;) {
        int64_t row_id;
        BRANT__TRY(brant__step(&row, call->db, statement));
        if (!row) break;
        if (count == capacity) {
            status =
                brant__fail(BRANT_CORRUPT, "a graph has more nodes than it counts; run db.doctor");
            goto cleanup;
        }
        if ((count & POLL_MASK) == POLL_MASK) BRANT__TRY(brant__db_poll(call->db));
        row_id = brant__column_integer(statement, 0);
        if (count == 0 || row_id < snapshot->first_row) snapshot->first_row = row_id;
        if (count == 0 || row_id > snapshot->last_row) snapshot->last_row = row_id;
        snapshot->rows[count] = row_id;
        snapshot->text_from[count] = snapshot->text.length;
        brant__json_append_text(&snapshot->text, brant__column_text(statement, 1));
        if (snapshot->text.length > BRANT__SNAPSHOT_BYTES) {
            status = fail_large(call, graph);
            goto cleanup;
        }
        count++;
    }
    snapshot->text_from[count] = snapshot->text.length;
    snapshot->nodes = (uint32_t)count;
    if (snapshot->text.failed) status = brant__fail_memory();
cleanup:
    brant__reset(statement);
    return status;
}

typedef struct row_number {
    int64_t row_id;
    uint32_t number;
} row_number;

static int compare_rows(const void *a, const void *b) {
    int64_t x = ((const row_number *)a)->row_id, y = ((const row_number *)b)->row_id;

    return x < y ? -1 : x > y;
}

/* The way back from row ids to numbers. */
static brant_status index_rows(brant__snapshot *snapshot) {
    size_t count = snapshot->nodes;
    row_number *pairs;

    if (count == 0) return BRANT_OK;
    if ((uint64_t)snapshot->last_row - (uint64_t)snapshot->first_row < count * SPARSE + 1024) {
        size_t span = (size_t)(snapshot->last_row - snapshot->first_row) + 1;
        snapshot->numbers = brant__alloc(span * sizeof(*snapshot->numbers));
        if (!snapshot->numbers) return brant__fail_memory();
        memset(snapshot->numbers, 0xFF, span * sizeof(*snapshot->numbers));
        for (size_t i = 0; i < count; i++)
            snapshot->numbers[snapshot->rows[i] - snapshot->first_row] = (uint32_t)i;
        snapshot->bytes += span * sizeof(*snapshot->numbers);
        return BRANT_OK;
    }
    snapshot->by_row = brant__alloc(count * sizeof(*snapshot->by_row));
    pairs = brant__alloc(count * sizeof(*pairs));
    if (!snapshot->by_row || !pairs) {
        brant__free(pairs);
        return brant__fail_memory();
    }
    for (size_t i = 0; i < count; i++)
        pairs[i] = (row_number){snapshot->rows[i], (uint32_t)i};
    qsort(pairs, count, sizeof(*pairs), compare_rows);
    for (size_t i = 0; i < count; i++)
        snapshot->by_row[i] = pairs[i].number;
    brant__free(pairs);
    snapshot->bytes += count * sizeof(*snapshot->by_row);
    return BRANT_OK;
}

/* ---- arcs ------------------------------------------------------------------------------------ */

/* Arcs as they are read. */
typedef struct arc_list {
    uint32_t *source;
    uint32_t *target;
    uint16_t *type;
    size_t count;
    size_t capacity;
} arc_list;

static void arc_list_free(arc_list *list) {
    brant__free(list->source);
    brant__free(list->target);
    brant__free(list->type);
}

/* The rows of a statement: source, type, target. `source`: the number of all of them, or
 * UINT32_MAX. */
static brant_status read_arcs(arc_list *list, const brant__snapshot *snapshot, brant__call *call,
                              const brant__graph *graph, brant__statement *statement) {
    int64_t last_type_row = -1, last_source_row = -1;
    uint32_t type = 0, source = UINT32_MAX;
    brant_status status;
    bool row;

    for (;;) {
        int64_t source_row, type_row;
        uint32_t target;
        BRANT__TRY(brant__step(&row, call->db, statement));
        if (!row) break;
        source_row = brant__column_integer(statement, 0);
        if (source_row != last_source_row) {
            source = brant__snapshot_number(snapshot, source_row);
            last_source_row = source_row;
        }
        if (source == UINT32_MAX) continue; /* another graph's, between ours */
        if (list->count == list->capacity) {
            status =
                brant__fail(BRANT_CORRUPT, "a graph has more edges than it counts; run db.doctor");
            goto cleanup;
        }
        if ((list->count & POLL_MASK) == POLL_MASK) BRANT__TRY(brant__db_poll(call->db));
        type_row = brant__column_integer(statement, 1);
        if (type_row != last_type_row) {
            BRANT__TRY(brant__read_type(&type, graph, BRANT__EDGES, type_row));
            last_type_row = type_row;
        }
        target = brant__snapshot_number(snapshot, brant__column_integer(statement, 2));
        if (target == UINT32_MAX) {
            status = brant__fail(BRANT_CORRUPT, "an edge lacks an end; run db.doctor");
            goto cleanup;
        }
        list->source[list->count] = source;
        list->target[list->count] = target;
        list->type[list->count++] = (uint16_t)type;
    }
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status load_arcs(arc_list *list, const brant__snapshot *snapshot, brant__call *call,
                              const brant__graph *graph) {
    brant__statement *statement;
    brant_status status = BRANT_OK;

    list->capacity = (size_t)graph->edges;
    list->source = brant__alloc((list->capacity + 1) * sizeof(*list->source));
    list->target = brant__alloc((list->capacity + 1) * sizeof(*list->target));
    list->type = brant__alloc((list->capacity + 1) * sizeof(*list->type));
    if (!list->source || !list->target || !list->type) return brant__fail_memory();
    if (graph->edges == 0) return BRANT_OK;
    if (snapshot->numbers) {
        BRANT__TRY(brant__traverse_statement(&statement, call, BRANT__ALL_ARCS));
        brant__bind_integer(statement, 1, snapshot->first_row);
        brant__bind_integer(statement, 2, snapshot->last_row);
        status = read_arcs(list, snapshot, call, graph, statement);
        goto cleanup;
    }
    for (size_t i = 0; i < snapshot->nodes; i++) {
        BRANT__TRY(brant__traverse_statement(&statement, call, BRANT__ARCS_OF));
        brant__bind_integer(statement, 1, snapshot->rows[i]);
        BRANT__TRY(read_arcs(list, snapshot, call, graph, statement));
        if ((i & POLL_MASK) == POLL_MASK) BRANT__TRY(brant__db_poll(call->db));
    }
cleanup:
    return status;
}

static brant_status allocate(brant__arcs *arcs, size_t nodes, size_t edges) {
    arcs->from = brant__alloc_zero((nodes + 2) * sizeof(*arcs->from));
    arcs->node = brant__alloc((edges + 1) * sizeof(*arcs->node));
    arcs->type = brant__alloc((edges + 1) * sizeof(*arcs->type));
    return arcs->from && arcs->node && arcs->type ? BRANT_OK : brant__fail_memory();
}

/* from[i + 1] counts node i's arcs: make it their begin, which placing an arc moves on to their
 * end. */
static void begin_rows(brant__arcs *arcs, size_t nodes, const uint32_t *of, size_t edges) {
    for (size_t i = 0; i < edges; i++)
        arcs->from[of[i] + 2]++;
    for (size_t i = 2; i < nodes + 2; i++)
        arcs->from[i] += arcs->from[i - 1];
}

static void place(brant__arcs *arcs, uint32_t of, uint32_t node, uint16_t type) {
    uint32_t at = arcs->from[of + 1]++;

    arcs->node[at] = node;
    arcs->type[at] = type;
}

/*
 * Into rows by target in the order of sources, then from those into rows by source, which are in
 * the order of targets by that. For the first, arcs must come by source number: they are put into
 * rows by source once before.
 */
static brant_status sort_arcs(brant__snapshot *snapshot, const arc_list *list) {
    size_t nodes = snapshot->nodes, edges = list->count;
    brant__arcs unsorted = {NULL, NULL, NULL};
    brant_status status;

    BRANT__TRY(allocate(&unsorted, nodes, edges));
    BRANT__TRY(allocate(&snapshot->in, nodes, edges));
    BRANT__TRY(allocate(&snapshot->out, nodes, edges));
    begin_rows(&unsorted, nodes, list->source, edges);
    for (size_t i = 0; i < edges; i++)
        place(&unsorted, list->source[i], list->target[i], list->type[i]);
    begin_rows(&snapshot->in, nodes, list->target, edges);
    for (uint32_t node = 0; node < nodes; node++)
        for (uint32_t i = unsorted.from[node]; i < unsorted.from[node + 1]; i++)
            place(&snapshot->in, unsorted.node[i], node, unsorted.type[i]);
    begin_rows(&snapshot->out, nodes, list->source, edges);
    for (uint32_t node = 0; node < nodes; node++)
        for (uint32_t i = snapshot->in.from[node]; i < snapshot->in.from[node + 1]; i++)
            place(&snapshot->out, snapshot->in.node[i], node, snapshot->in.type[i]);
    snapshot->edges = (uint32_t)edges;
cleanup:
    brant__free(unsorted.from);
    brant__free(unsorted.node);
    brant__free(unsorted.type);
    return status;
}

/* ---- building -------------------------------------------------------------------------------- */

static brant_status build(brant__snapshot **out, brant__call *call, const brant__graph *graph) {
    brant__snapshot *snapshot = NULL;
    arc_list list = {NULL, NULL, NULL, 0, 0};
    size_t bytes;
    brant_status status;

    *out = NULL;
    if (graph->nodes < 0 || graph->edges < 0) {
        status = brant__fail(BRANT_CORRUPT, "a graph's counts are negative; run db.doctor");
        goto cleanup;
    }
    if (graph->nodes > BRANT__SNAPSHOT_NODES || graph->edges > BRANT__SNAPSHOT_NODES) {
        status = fail_large(call, graph);
        goto cleanup;
    }
    /* What stays, keys at a guess, and what building needs besides. */
    bytes = (size_t)graph->nodes * (sizeof(int64_t) + sizeof(size_t) + 4 * sizeof(uint32_t) + 32) +
            (size_t)graph->edges * 4 * (sizeof(uint32_t) + sizeof(uint16_t));
    if (bytes > BRANT__SNAPSHOT_BYTES) {
        status = fail_large(call, graph);
        goto cleanup;
    }
    snapshot = brant__alloc_zero(sizeof(*snapshot));
    if (!snapshot) {
        status = brant__fail_memory();
        goto cleanup;
    }
    BRANT__TRY(load_nodes(snapshot, call, graph));
    BRANT__TRY(index_rows(snapshot));
    BRANT__TRY(load_arcs(&list, snapshot, call, graph));
    BRANT__TRY(sort_arcs(snapshot, &list));
    snapshot->bytes +=
        snapshot->text.capacity +
        (size_t)snapshot->nodes * (sizeof(int64_t) + sizeof(size_t) + 2 * sizeof(uint32_t)) +
        (size_t)snapshot->edges * 2 * (sizeof(uint32_t) + sizeof(uint16_t));
    *out = snapshot;
    snapshot = NULL;
cleanup:
    arc_list_free(&list);
    brant__snapshot_free(snapshot);
    return status;
}

brant_status brant__snapshot_kept(const brant__snapshot **out_snapshot, brant__call *call,
                                  const brant__graph *graph) {
    brant__kept *kept;
    brant_status status = brant__kept_find(&kept, call->db, graph);

    *out_snapshot = NULL;
    if (status != BRANT_OK) return status;
    if (kept->snapshot && kept->snapshot_shape != graph->shape) brant__kept_drop_snapshot(kept);
    *out_snapshot = kept->snapshot;
    return BRANT_OK;
}

brant_status brant__snapshot_get(const brant__snapshot **out_snapshot, brant__call *call,
                                 const brant__graph *graph) {
    brant__snapshot *built = NULL;
    brant__graphs *state;
    brant__kept *kept;
    size_t bytes;
    brant_status status = brant__snapshot_kept(out_snapshot, call, graph);

    if (status != BRANT_OK || *out_snapshot) return status;
    status = build(&built, call, graph);
    if (status != BRANT_OK || !built) return status;
    status = brant__kept_find(&kept, call->db, graph);
    if (status == BRANT_OK) status = brant__graphs_state(&state, call->db);
    if (status != BRANT_OK) {
        brant__snapshot_free(built);
        return status;
    }
    bytes = built->bytes;
    for (size_t i = 0; i < BRANT__GRAPHS_KEPT; i++)
        if (state->graphs[i].snapshot) bytes += state->graphs[i].snapshot->bytes;
    for (size_t i = 0; i < BRANT__GRAPHS_KEPT && bytes > BRANT__SNAPSHOT_BYTES; i++) {
        if (!state->graphs[i].snapshot) continue;
        bytes -= state->graphs[i].snapshot->bytes;
        brant__kept_drop_snapshot(&state->graphs[i]);
    }
    kept->snapshot = built;
    kept->snapshot_shape = graph->shape;
    kept->snapshot_touched = state->dirty;
    *out_snapshot = built;
    return BRANT_OK;
}
