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

static void arcs_free(brant__arcs *arcs) {
    brant__free(arcs->from);
    brant__free(arcs->node);
    brant__free(arcs->type);
    brant__free(arcs->edge);
}

static void snapshot_free(brant__snapshot *snapshot) {
    if (!snapshot) return;
    brant__free(snapshot->text_from);
    brant__buffer_free(&snapshot->text);
    brant__free(snapshot->rows);
    brant__free(snapshot->numbers);
    brant__free(snapshot->by_row);
    arcs_free(&snapshot->out);
    arcs_free(&snapshot->in);
    brant__free(snapshot->edge_rows);
    brant__free(snapshot->undirected);
    brant__free(snapshot);
}

void brant__snapshot_retain(const brant__snapshot *snapshot) {
    if (snapshot) atomic_fetch_add(&((brant__snapshot *)snapshot)->references, 1);
}

void brant__snapshot_release(const brant__snapshot *snapshot) {
    if (snapshot && atomic_fetch_sub(&((brant__snapshot *)snapshot)->references, 1) == 1)
        snapshot_free((brant__snapshot *)snapshot);
}

uint32_t brant__snapshot_source(const brant__snapshot *snapshot, uint32_t edge) {
    uint32_t low = 0, high = snapshot->nodes;

    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (snapshot->out.from[middle] <= edge)
            low = middle;
        else
            high = middle;
    }
    return low;
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
    int64_t *row;
    uint64_t *undirected; /* a bit each; NULL: not mixed */
    size_t count;
    size_t capacity;
} arc_list;

static void arc_list_free(arc_list *list) {
    brant__free(list->source);
    brant__free(list->target);
    brant__free(list->type);
    brant__free(list->row);
    brant__free(list->undirected);
}

/* The rows of a statement: source, type, target, row. `source`: the number of all of them, or
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
        list->row[list->count] = brant__column_integer(statement, 3);
        if (list->undirected && brant__column_integer(statement, 4))
            list->undirected[list->count >> 6] |= UINT64_C(1) << (list->count & 63);
        list->type[list->count++] = (uint16_t)type;
    }
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status load_arcs(arc_list *list, const brant__snapshot *snapshot, brant__call *call,
                              const brant__graph *graph) {
    bool mixed = brant__graph_mixed(graph);
    brant__statement *statement;
    brant_status status = BRANT_OK;

    list->capacity = (size_t)graph->edges;
    list->source = brant__alloc((list->capacity + 1) * sizeof(*list->source));
    list->target = brant__alloc((list->capacity + 1) * sizeof(*list->target));
    list->type = brant__alloc((list->capacity + 1) * sizeof(*list->type));
    list->row = brant__alloc((list->capacity + 1) * sizeof(*list->row));
    if (mixed) list->undirected = brant__alloc_zero((list->capacity / 64 + 1) * sizeof(uint64_t));
    if (!list->source || !list->target || !list->type || !list->row || (mixed && !list->undirected))
        return brant__fail_memory();
    if (graph->edges == 0) return BRANT_OK;
    if (snapshot->numbers) {
        BRANT__TRY(brant__traverse_statement(&statement, call,
                                             mixed ? BRANT__ALL_ARCS_MIXED : BRANT__ALL_ARCS));
        brant__bind_integer(statement, 1, snapshot->first_row);
        brant__bind_integer(statement, 2, snapshot->last_row);
        status = read_arcs(list, snapshot, call, graph, statement);
        goto cleanup;
    }
    for (size_t i = 0; i < snapshot->nodes; i++) {
        BRANT__TRY(brant__traverse_statement(&statement, call,
                                             mixed ? BRANT__ARCS_OF_MIXED : BRANT__ARCS_OF));
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
    arcs->edge = brant__alloc((edges + 1) * sizeof(*arcs->edge));
    return arcs->from && arcs->node && arcs->edge ? BRANT_OK : brant__fail_memory();
}

/* from[i + 1] counts node i's arcs: make it their begin, which placing an arc moves on to their
 * end. */
static void begin_rows(brant__arcs *arcs, size_t nodes, const uint32_t *of, size_t edges) {
    for (size_t i = 0; i < edges; i++)
        arcs->from[of[i] + 2]++;
    for (size_t i = 2; i < nodes + 2; i++)
        arcs->from[i] += arcs->from[i - 1];
}

static uint32_t place(brant__arcs *arcs, uint32_t of, uint32_t node, uint32_t edge) {
    uint32_t at = arcs->from[of + 1]++;

    arcs->node[at] = node;
    arcs->edge[at] = edge;
    return at;
}

/*
 * Into rows by target in the order of sources, then from those into rows by source, which are in
 * the order of targets by that. For the first, arcs must come by source number: they are put into
 * rows by source once before. An arc's `edge` is its place in the list until it has its number.
 */
static brant_status sort_arcs(brant__snapshot *snapshot, const arc_list *list) {
    size_t nodes = snapshot->nodes, edges = list->count;
    brant__arcs unsorted = {NULL, NULL, NULL, NULL}, *in = &snapshot->in, *out = &snapshot->out;
    brant_status status;

    BRANT__TRY(allocate(&unsorted, nodes, edges));
    BRANT__TRY(allocate(in, nodes, edges));
    BRANT__TRY(allocate(out, nodes, edges));
    in->type = brant__alloc((edges + 1) * sizeof(*in->type));
    out->type = brant__alloc((edges + 1) * sizeof(*out->type));
    snapshot->edge_rows = brant__alloc((edges + 1) * sizeof(*snapshot->edge_rows));
    if (list->undirected)
        snapshot->undirected = brant__alloc_zero((edges / 64 + 1) * sizeof(uint64_t));
    if (!in->type || !out->type || !snapshot->edge_rows ||
        (list->undirected && !snapshot->undirected)) {
        status = brant__fail_memory();
        goto cleanup;
    }
    begin_rows(&unsorted, nodes, list->source, edges);
    for (size_t i = 0; i < edges; i++)
        place(&unsorted, list->source[i], list->target[i], (uint32_t)i);
    begin_rows(in, nodes, list->target, edges);
    for (uint32_t node = 0; node < nodes; node++)
        for (uint32_t i = unsorted.from[node]; i < unsorted.from[node + 1]; i++)
            place(in, unsorted.node[i], node, unsorted.edge[i]);
    begin_rows(out, nodes, list->source, edges);
    for (uint32_t node = 0; node < nodes; node++)
        for (uint32_t i = in->from[node]; i < in->from[node + 1]; i++) {
            uint32_t listed = in->edge[i], edge = place(out, in->node[i], node, listed);
            in->type[i] = out->type[edge] = list->type[listed];
            in->edge[i] = edge;
            snapshot->edge_rows[edge] = list->row[listed];
            if (list->undirected && list->undirected[listed >> 6] >> (listed & 63) & 1)
                snapshot->undirected[edge >> 6] |= UINT64_C(1) << (edge & 63);
        }
    brant__free(out->edge);
    out->edge = NULL;
    snapshot->edges = (uint32_t)edges;
cleanup:
    arcs_free(&unsorted);
    return status;
}

/* ---- building -------------------------------------------------------------------------------- */

/* Has any edge a key of its own? */
static brant_status look_for_names(brant__snapshot *snapshot, brant__call *call,
                                   const brant__graph *graph) {
    brant__statement *statement;
    brant_status status = brant__traverse_statement(&statement, call, BRANT__EDGE_NAMED);

    if (status != BRANT_OK) return status;
    brant__bind_integer(statement, 1, graph->row_id);
    status = brant__step(&snapshot->named, call->db, statement);
    brant__reset(statement);
    return status;
}

static brant_status build(brant__snapshot **out, brant__call *call, const brant__graph *graph) {
    brant__snapshot *snapshot = NULL;
    arc_list list = {.count = 0};
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
    bytes =
        (size_t)graph->nodes * (sizeof(int64_t) + sizeof(size_t) + 4 * sizeof(uint32_t) + 32) +
        (size_t)graph->edges * (9 * sizeof(uint32_t) + 3 * sizeof(uint16_t) + 2 * sizeof(int64_t));
    if (bytes > BRANT__SNAPSHOT_BYTES) {
        status = fail_large(call, graph);
        goto cleanup;
    }
    snapshot = brant__alloc_zero(sizeof(*snapshot));
    if (!snapshot) {
        status = brant__fail_memory();
        goto cleanup;
    }
    atomic_init(&snapshot->references, 1);
    BRANT__TRY(load_nodes(snapshot, call, graph));
    BRANT__TRY(index_rows(snapshot));
    BRANT__TRY(load_arcs(&list, snapshot, call, graph));
    BRANT__TRY(look_for_names(snapshot, call, graph));
    BRANT__TRY(sort_arcs(snapshot, &list));
    snapshot->bytes +=
        snapshot->text.capacity +
        (size_t)snapshot->nodes * (sizeof(int64_t) + sizeof(size_t) + 2 * sizeof(uint32_t)) +
        (size_t)snapshot->edges * (3 * sizeof(uint32_t) + 2 * sizeof(uint16_t) + sizeof(int64_t));
    *out = snapshot;
    snapshot = NULL;
cleanup:
    arc_list_free(&list);
    brant__snapshot_release(snapshot);
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
    brant_status status = brant__snapshot_kept(out_snapshot, call, graph);

    if (status != BRANT_OK || *out_snapshot) return status;
    status = build(&built, call, graph);
    if (status != BRANT_OK || !built) return status;
    status = brant__kept_find(&kept, call->db, graph);
    if (status == BRANT_OK) status = brant__graphs_state(&state, call->db);
    if (status != BRANT_OK) {
        brant__snapshot_release(built);
        return status;
    }
    brant__kept_make_room(state, kept, built->bytes);
    kept->snapshot = built;
    kept->snapshot_shape = graph->shape;
    kept->snapshot_touched = state->dirty;
    *out_snapshot = built;
    return BRANT_OK;
}
