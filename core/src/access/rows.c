/*
 * access/rows.c: from the rows of an access graph to its index: all of them, or one.
 */
#include "access/follow.h"

#define POLL_MASK 8191
#define SLACK     8 /* room for one in so many more */

enum { ALL_NODES, EDGES_BY_SOURCE, EDGES_BY_ROW, LAST_EDGE, NODE, EDGE, EDGE_KEY, STATEMENT_COUNT };

static const char *const sql[STATEMENT_COUNT] = {
    [ALL_NODES] = "SELECT row_id, key, type, attributes FROM nodes WHERE graph = :graph",
    /* Edges have no index by graph: by their sources, or, where most edges of the file are this graph's, as they stand in the file. */
    [EDGES_BY_SOURCE] =
        ("SELECT e.row_id, e.type, e.source, e.target, e.attributes, e.graph FROM "
         "nodes s CROSS JOIN edges e ON e.source = s.row_id WHERE s.graph = :graph"),
    [EDGES_BY_ROW] = ("SELECT row_id, type, source, target, attributes, graph FROM edges WHERE "
                      "row_id > :after"),
    [LAST_EDGE] = "SELECT coalesce(max(row_id), 0) FROM edges",
    [NODE] = "SELECT type, attributes FROM nodes WHERE graph = :graph AND key = :key",
    [EDGE] = ("SELECT row_id, attributes FROM edges INDEXED BY edges_out WHERE"
              " source = (SELECT row_id FROM nodes WHERE graph = :graph AND key = :source)"
              " AND type = :type"
              " AND target = (SELECT row_id FROM nodes WHERE graph = :graph AND key = :target)"
              " ORDER BY row_id LIMIT 1"),
    [EDGE_KEY] = "SELECT key FROM edges WHERE row_id = :row_id",
};
const brant__statements brant__access_row_statements = {BRANT__TABLE_ACCESS, STATEMENT_COUNT, sql};

static brant_status get(brant__statement **out, brant_db *db, int which) {
    return brant__statement_get(out, db, &brant__access_row_statements, (size_t)which);
}

/* The kind of a type's row; `count`: none of ours. */
static int kind_of(const int64_t *types, int count, int64_t type) {
    int at = 0;

    while (at < count && types[at] != type)
        at++;
    return at;
}

/* ---- all of them ----------------------------------------------------------------------------- */

/* From the row ids of nodes to their numbers. */
typedef struct numbering {
    struct {
        int64_t row_id;
        uint32_t number; /* + 1; 0: free */
    } *cells;
    size_t capacity;
} numbering;

static size_t place_of(const numbering *rows, int64_t row_id) {
    size_t at = (size_t)(((uint64_t)row_id * UINT64_C(0x9E3779B97F4A7C15)) >> 20);

    for (at &= rows->capacity - 1; rows->cells[at].number && rows->cells[at].row_id != row_id;)
        at = (at + 1) & (rows->capacity - 1);
    return at;
}

static brant_status fail_count(const char *what) {
    return brant__fail(BRANT_CORRUPT, "a graph has more %s than it counts; run db.doctor", what);
}

static brant_status load_nodes(numbering *rows, brant__call *call, const brant__access_graph *graph,
                               int64_t count) {
    brant__statement *row = NULL;
    int64_t read = 0;
    bool found;
    brant_status status;

    rows->capacity = 16;
    while (rows->capacity / 2 < (size_t)count)
        rows->capacity *= 2;
    rows->cells = brant__alloc_zero(rows->capacity * sizeof(*rows->cells));
    if (!rows->cells) return brant__fail_memory();
    BRANT__TRY(get(&row, call->db, ALL_NODES));
    brant__bind_integer(row, 1, graph->row_id);
    for (;;) {
        uint32_t number;
        size_t at;
        int kind;
        BRANT__TRY(brant__step(&found, call->db, row));
        if (!found) break;
        if (read++ == count) {
            status = fail_count("nodes");
            goto cleanup;
        }
        if ((read & POLL_MASK) == 0) BRANT__TRY(brant__db_poll(call->db));
        kind = kind_of(graph->node_types, BRANT__ACCESS_NODE_KINDS, brant__column_integer(row, 2));
        if (kind == BRANT__ACCESS_NODE_KINDS) continue;
        BRANT__TRY(brant__access_node_set(&number, graph->index, brant__column_text(row, 1), kind,
                                          brant__column_text(row, 3)));
        at = place_of(rows, brant__column_integer(row, 0));
        rows->cells[at].row_id = brant__column_integer(row, 0);
        rows->cells[at].number = number + 1;
    }
cleanup:
    brant__reset(row);
    return status;
}

static brant_status load_edges(const numbering *rows, brant__call *call,
                               const brant__access_graph *graph, int64_t count) {
    brant__statement *row = NULL;
    int64_t read = 0, last;
    bool found, by_row;
    brant_status status;

    if (count == 0) return BRANT_OK;
    BRANT__TRY(get(&row, call->db, LAST_EDGE));
    BRANT__TRY(brant__step(&found, call->db, row));
    last = brant__column_integer(row, 0);
    brant__reset(row);
    by_row = last / 4 <= count;
    BRANT__TRY(get(&row, call->db, by_row ? EDGES_BY_ROW : EDGES_BY_SOURCE));
    brant__bind_integer(row, 1, by_row ? INT64_MIN : graph->row_id);
    for (;;) {
        size_t source, target;
        int kind;
        BRANT__TRY(brant__step(&found, call->db, row));
        if (!found) break;
        if ((++read & POLL_MASK) == 0) BRANT__TRY(brant__db_poll(call->db));
        if (brant__column_integer(row, 5) != graph->row_id) continue;
        kind = kind_of(graph->edge_types, BRANT__ACCESS_EDGE_KINDS, brant__column_integer(row, 1));
        if (kind == BRANT__ACCESS_EDGE_KINDS) continue;
        source = place_of(rows, brant__column_integer(row, 2));
        target = place_of(rows, brant__column_integer(row, 3));
        if (!rows->cells[source].number || !rows->cells[target].number) continue;
        BRANT__TRY(brant__access_edge_set(
            graph->index, rows->cells[source].number - 1, rows->cells[target].number - 1, kind,
            brant__column_integer(row, 0), brant__column_text(row, 4)));
    }
cleanup:
    brant__reset(row);
    return status;
}

brant_status brant__access_load(brant__call *call, const brant__access_graph *graph, int64_t nodes,
                                int64_t edges) {
    numbering rows = {.cells = NULL};
    brant_status status;

    if (nodes < 0 || edges < 0 || nodes >= BRANT__NOTHING / 2 || edges >= BRANT__NOTHING / 2)
        return brant__fail(BRANT_LIMIT, "the access graph is too large");
    BRANT__TRY(brant__access_index_reserve(graph->index, (size_t)(nodes + nodes / SLACK),
                                           (size_t)(edges + edges / SLACK)));
    BRANT__TRY(load_nodes(&rows, call, graph, nodes));
    status = load_edges(&rows, call, graph, edges);
cleanup:
    brant__free(rows.cells);
    return status;
}

/* ---- one ------------------------------------------------------------------------------------- */

brant_status brant__access_load_node(brant__call *call, const brant__access_graph *graph,
                                     brant__text key) {
    brant__access_index *index = graph->index;
    int kind = BRANT__ACCESS_NODE_KINDS;
    brant__statement *row = NULL;
    uint32_t number;
    bool found;
    brant_status status;

    BRANT__TRY(get(&row, call->db, NODE));
    brant__bind_integer(row, 1, graph->row_id);
    brant__bind_text(row, 2, key);
    BRANT__TRY(brant__step(&found, call->db, row));
    if (found)
        kind = kind_of(graph->node_types, BRANT__ACCESS_NODE_KINDS, brant__column_integer(row, 0));
    if (kind < BRANT__ACCESS_NODE_KINDS) {
        status = brant__access_node_set(NULL, index, key, kind, brant__column_text(row, 1));
    } else {
        number = brant__access_node_find(index, key);
        if (number != BRANT__NOTHING) brant__access_node_remove(index, number);
    }
cleanup:
    brant__reset(row);
    return status;
}

/* The number of a node that a row's edge ends at, read where the index does not have it yet. */
static brant_status need_node(uint32_t *out, brant__call *call, const brant__access_graph *graph,
                              brant__text key) {
    brant_status status = BRANT_OK;

    *out = brant__access_node_find(graph->index, key);
    if (*out != BRANT__NOTHING) return BRANT_OK;
    status = brant__access_load_node(call, graph, key);
    if (status == BRANT_OK) *out = brant__access_node_find(graph->index, key);
    return status;
}

brant_status brant__access_load_edge(brant__call *call, const brant__access_graph *graph, int kind,
                                     brant__text source, brant__text target) {
    brant__access_index *index = graph->index;
    uint32_t from = BRANT__NOTHING, to = BRANT__NOTHING, edge;
    brant__statement *row = NULL;
    bool found;
    brant_status status;

    BRANT__TRY(get(&row, call->db, EDGE));
    brant__bind_integer(row, 1, graph->row_id);
    brant__bind_text(row, 2, source);
    brant__bind_integer(row, 3, graph->edge_types[kind]);
    brant__bind_text(row, 4, target);
    BRANT__TRY(brant__step(&found, call->db, row));
    if (found) {
        BRANT__TRY(need_node(&from, call, graph, source));
        BRANT__TRY(need_node(&to, call, graph, target));
        if (from != BRANT__NOTHING && to != BRANT__NOTHING)
            status = brant__access_edge_set(index, from, to, kind, brant__column_integer(row, 0),
                                            brant__column_text(row, 1));
    } else {
        from = brant__access_node_find(index, source);
        to = brant__access_node_find(index, target);
        if (from == BRANT__NOTHING || to == BRANT__NOTHING) goto cleanup;
        edge = brant__access_edge_find(index, from, to, kind);
        if (edge != BRANT__NOTHING) brant__access_edge_remove(index, edge);
    }
cleanup:
    brant__reset(row);
    return status;
}

brant_status brant__access_edge_key(brant__text *out, brant__call *call,
                                    const brant__access_index *index, uint32_t number) {
    const brant__access_edge *edge = &index->edges[number];
    brant__buffer made = {0};
    brant__statement *row = NULL;
    bool found;
    brant_status status;

    BRANT__TRY(get(&row, call->db, EDGE_KEY));
    brant__bind_integer(row, 1, edge->row_id);
    BRANT__TRY(brant__step(&found, call->db, row));
    if (found && !brant__column_null(row, 0)) {
        status = brant__arena_text(out, call->arena, brant__column_text(row, 0));
        goto cleanup;
    }
    brant__buffer_append_byte(&made, '[');
    brant__json_append_text(&made, brant__access_key(index, edge->end[BRANT__OUT]));
    brant__buffer_append_byte(&made, ',');
    brant__json_append_text(&made, brant__access_edge_names[edge->kind]);
    brant__buffer_append_byte(&made, ',');
    brant__json_append_text(&made, brant__access_key(index, edge->end[BRANT__IN]));
    brant__buffer_append_byte(&made, ']');
    status = made.failed
                 ? brant__fail_memory()
                 : brant__arena_text(out, call->arena, brant__text_of(made.data, made.length));
cleanup:
    brant__reset(row);
    brant__buffer_free(&made);
    return status;
}
