/*
 * graph/purge.c: removing a graph for good, at once or some rows at a time.
 */
#include "graph/change.h"
#include "graph/remove.h"

enum {
    GRAPH_DELETE,
    IMPORTS_DELETE,
    ROTATION_DELETE,
    ROTATION_STEP,
    COUNTS_DELETE,
    NODES_ALONE,
    NODES_DELETE,
    EDGES_DELETE,
    EDGES_DELETE_ALL,
    FIRST_NODES,
    FIRST_EDGES,
    STATEMENT_COUNT
};

static const char *const sql[STATEMENT_COUNT] = {
    [GRAPH_DELETE] = "DELETE FROM graphs WHERE row_id = :row_id",
    [IMPORTS_DELETE] =
        "DELETE FROM imports WHERE graph = (SELECT id FROM graphs WHERE row_id = :graph)",
    [ROTATION_DELETE] =
        ("DELETE FROM secret_rotations WHERE graph = (SELECT id FROM graphs WHERE row_id = :graph) "
         "AND traces = 0"),
    /* What was plain in it may still be in the file: secrets.rotate sees to that, and then forgets it. */
    [ROTATION_STEP] = ("UPDATE secret_rotations SET step = step + 1 WHERE graph = (SELECT id FROM "
                       "graphs WHERE row_id = :graph)"),
    [COUNTS_DELETE] = "DELETE FROM graph_counts WHERE graph = :graph",
    /* Both ends of the index: is there a node of another graph? */
    [NODES_ALONE] = ("SELECT NOT EXISTS (SELECT 1 FROM nodes WHERE graph < :graph) AND NOT EXISTS "
                     "(SELECT 1 FROM nodes WHERE graph > :graph)"),
    [NODES_DELETE] = "DELETE FROM nodes WHERE graph = :graph",
    /* Edges have no index by graph: by their sources. */
    [EDGES_DELETE] =
        "DELETE FROM edges WHERE source IN (SELECT row_id FROM nodes WHERE graph = :graph)",
    [EDGES_DELETE_ALL] = "DELETE FROM edges",
    [FIRST_NODES] =
        "SELECT key, row_id, type FROM nodes WHERE graph = :graph ORDER BY key LIMIT :limit",
    [FIRST_EDGES] =
        ("SELECT e.key, e.type, s.key, t.key FROM nodes s CROSS JOIN edges e ON e.source = s.row_id"
         " CROSS JOIN nodes t ON t.row_id = e.target WHERE s.graph = :graph LIMIT :limit"),
};
static const brant__statements statements = {BRANT__TABLE_PURGE, STATEMENT_COUNT, sql};

static brant_status get(brant__statement **out, brant__call *call, int which) {
    return brant__statement_get(out, call->db, &statements, (size_t)which);
}

static brant_status run_on(brant__call *call, int which, int64_t row_id) {
    brant__statement *statement;
    brant_status status = get(&statement, call, which);

    if (status != BRANT_OK) return status;
    brant__bind_integer(statement, 1, row_id);
    return brant__run(call->db, statement);
}

static brant_status remove_graph(brant__call *call, brant__graph *graph) {
    brant_status status;

    BRANT__TRY(run_on(call, IMPORTS_DELETE, graph->row_id));
    BRANT__TRY(run_on(call, ROTATION_DELETE, graph->row_id));
    BRANT__TRY(run_on(call, ROTATION_STEP, graph->row_id));
    BRANT__TRY(run_on(call, COUNTS_DELETE, graph->row_id));
    BRANT__TRY(run_on(call, GRAPH_DELETE, graph->row_id));
    BRANT__TRY(brant__change_drop(call, graph));
    status = brant__announce_graph(call, graph, "graph:purged", (brant__text){NULL, 0});
cleanup:
    return status;
}

/* ---- at once --------------------------------------------------------------------------------- */

/* The first keys of what goes, for its notification. */
static brant_status list_first(brant__announcement *out, brant__call *call,
                               const brant__graph *graph, int kind) {
    brant__statement *statement = NULL;
    int64_t total = kind == BRANT__NODES ? graph->nodes : graph->edges;
    brant_status status;
    bool row;

    if (total == 0) return BRANT_OK;
    BRANT__TRY(get(&statement, call, kind == BRANT__NODES ? FIRST_NODES : FIRST_EDGES));
    brant__bind_integer(statement, 1, graph->row_id);
    brant__bind_integer(statement, 2, BRANT__ANNOUNCED_KEYS);
    for (;;) {
        brant__text key;
        BRANT__TRY(brant__step(&row, call->db, statement));
        if (!row) break;
        key = brant__column_text(statement, 0);
        if (kind == BRANT__EDGES) {
            brant__edge_ends ends = {.key = key,
                                     .source = brant__column_text(statement, 2),
                                     .target = brant__column_text(statement, 3)};
            BRANT__TRY(brant__read_type(&ends.type, graph, BRANT__EDGES,
                                        brant__column_integer(statement, 1)));
            BRANT__TRY(brant__edge_key(&key, call, graph, &ends));
        }
        brant__announcement_add(out, key);
    }
    out->count = (size_t)total;
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status purge_all(brant__call *call, brant__graph *graph) {
    brant__announcement nodes = {0}, edges = {0};
    brant__statement *statement = NULL;
    brant_status status;
    bool row, alone;

    BRANT__TRY(list_first(&nodes, call, graph, BRANT__NODES));
    BRANT__TRY(list_first(&edges, call, graph, BRANT__EDGES));
    if (graph->edges > 0) {
        /* Where all nodes are of this graph all edges are: SQLite empties a table far faster than
         * it deletes rows. */
        BRANT__TRY(get(&statement, call, NODES_ALONE));
        brant__bind_integer(statement, 1, graph->row_id);
        BRANT__TRY(brant__step(&row, call->db, statement));
        alone = brant__column_integer(statement, 0) != 0;
        brant__reset(statement);
        if (alone) {
            BRANT__TRY(get(&statement, call, EDGES_DELETE_ALL));
            BRANT__TRY(brant__run(call->db, statement));
        } else {
            BRANT__TRY(run_on(call, EDGES_DELETE, graph->row_id));
        }
    }
    if (graph->nodes > 0) BRANT__TRY(run_on(call, NODES_DELETE, graph->row_id));
    BRANT__TRY(brant__announce(call, graph, "edges:deleted", &edges));
    BRANT__TRY(brant__announce(call, graph, "nodes:deleted", &nodes));
    status = remove_graph(call, graph);
cleanup:
    brant__reset(statement);
    brant__announcement_free(&nodes);
    brant__announcement_free(&edges);
    return status;
}

/* ---- some at a time -------------------------------------------------------------------------- */

/* The first node of a graph by key; row_id 0: none. The key is in `key`. */
static brant_status first_node(brant__node_ref *out, brant__buffer *key, brant__call *call,
                               const brant__graph *graph) {
    brant__statement *statement = NULL;
    brant__text text;
    brant_status status;
    bool row;

    *out = (brant__node_ref){0, 0};
    BRANT__TRY(get(&statement, call, FIRST_NODES));
    brant__bind_integer(statement, 1, graph->row_id);
    brant__bind_integer(statement, 2, 1);
    BRANT__TRY(brant__step(&row, call->db, statement));
    if (!row) goto cleanup;
    text = brant__column_text(statement, 0);
    brant__buffer_reset(key);
    brant__buffer_append(key, text.data, text.length);
    if (key->failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    BRANT__TRY(
        brant__read_type(&out->type, graph, BRANT__NODES, brant__column_integer(statement, 2)));
    out->row_id = brant__column_integer(statement, 1);
cleanup:
    brant__reset(statement);
    return status;
}

/* Node by node from the front, each with its edges: the next call begins where this one ended. */
brant_status brant__graph_purge_some(bool *out_purged, int64_t *out_nodes, int64_t *out_edges,
                                     brant__call *call, brant__graph *graph, int64_t limit) {
    brant__removal removal = {.call = call};
    brant__buffer key = {0};
    bool empty = false;
    brant_status status = BRANT_OK;

    *out_purged = false;
    *out_nodes = *out_edges = 0;
    if (!graph->deleted) BRANT__TRY(brant__graph_mark(call, graph, "deleted"));
    BRANT__TRY(brant__removal_begin(&removal, call, graph));
    for (;;) {
        int64_t left = limit - removal.nodes - removal.edges;
        brant__node_ref ref;
        bool all;
        BRANT__TRY(first_node(&ref, &key, call, graph));
        empty = ref.row_id == 0;
        if (empty || left <= 0) break;
        BRANT__TRY(brant__remove_edges_of(&all, &removal, ref.row_id, left));
        if (!all || removal.nodes + removal.edges >= limit) break;
        BRANT__TRY(brant__remove_node(&removal, ref.row_id, brant__text_of(key.data, key.length),
                                      ref.type));
    }
    BRANT__TRY(brant__removal_end(&removal));
    if (empty) BRANT__TRY(remove_graph(call, graph));
    *out_purged = empty;
    *out_nodes = removal.nodes;
    *out_edges = removal.edges;
cleanup:
    brant__removal_free(&removal);
    brant__buffer_free(&key);
    return status;
}

brant_status brant__graph_purge(brant__call *call) {
    yyjson_val *limit = brant__json_get(call->input, "limit");
    int64_t nodes, edges, most = INT64_MAX;
    bool purged = true;
    brant__graph graph;
    brant_status status;

    if (limit) BRANT__TRY(brant__limit_read(&most, call, 1, INT64_MAX));
    BRANT__TRY(brant__graph_find_name(&graph, call, brant__json_get_text(call->input, "name"),
                                      BRANT__ANY_STATUS));
    nodes = graph.nodes;
    edges = graph.edges;
    BRANT__TRY(brant__kept_dirty(call->db));
    if (limit && (nodes > most || edges > most - nodes)) {
        BRANT__TRY(brant__graph_purge_some(&purged, &nodes, &edges, call, &graph, most));
    } else {
        if (!graph.deleted) BRANT__TRY(brant__graph_mark(call, &graph, "deleted"));
        BRANT__TRY(purge_all(call, &graph));
    }
    brant__write_object(call->out);
    brant__write_bool_member(call->out, "purged", purged);
    brant__write_integer_member(call->out, "nodes", nodes);
    brant__write_integer_member(call->out, "edges", edges);
    brant__write_end(call->out);
cleanup:
    return status;
}
