/*
 * graph/edge.c: edges, read; lists of them are query.c. Writing them is edge_put.c, deleting remove.c.
 */
#include "graph/internal.h"

#define ROW(n)                                                                                     \
    "(:graph, :now, :now, :version, :key" #n ", :type" #n ", :source" #n ", :target" #n            \
    ", :orientation" #n ", :attributes" #n ")"
/* clang-format off */
#define ROWS ROW(0) "," ROW(1) "," ROW(2) "," ROW(3) "," ROW(4) "," ROW(5) "," ROW(6) "," ROW(7) "," \
             ROW(8) "," ROW(9) "," ROW(10) "," ROW(11) "," ROW(12) "," ROW(13) "," ROW(14) "," ROW(15)
/* clang-format on */

static const char *const sql[BRANT__EDGE_STATEMENTS] = {
    [BRANT__EDGE_BY_KEY] =
        ("SELECT row_id, type, source, target, revision, orientation FROM edges WHERE graph = "
         ":graph AND key = :key"),
    [BRANT__EDGE_BY_ENDS] =
        ("SELECT row_id, revision, key, orientation FROM edges INDEXED BY edges_out WHERE "
         "source = :source AND type = :type"
         " AND target = :target AND (orientation & 1) = :undirected ORDER BY row_id LIMIT 1"),
    [BRANT__EDGE_ANY_OUT] = "SELECT 1 FROM edges WHERE source = :source LIMIT 1",
    [BRANT__EDGE_GET] =
        ("SELECT " BRANT__EDGE_COLUMNS " FROM " BRANT__EDGE_TABLES " WHERE e.row_id = :row_id"),
    [BRANT__EDGE_COUNT] =
        "SELECT count FROM graph_counts WHERE graph = :graph AND kind = 1 AND type = :type",
    [BRANT__EDGE_SOURCES] =
        "SELECT row_id, key FROM nodes WHERE graph = :graph AND key >= :from ORDER BY key",
    /* `only`: a target, or NULL. */
    [BRANT__EDGE_LIST] = ("SELECT " BRANT__EDGE_COLUMNS " FROM " BRANT__EDGE_TABLES
                          " WHERE e.source = :source AND (:only IS NULL OR e.target = :only)"
                          " AND (e.type, e.target, e.row_id) > (:type, :target, :row)"
                          " ORDER BY e.type, e.target, e.row_id LIMIT :limit"),
    [BRANT__EDGE_LIST_TYPE] = ("SELECT " BRANT__EDGE_COLUMNS " FROM " BRANT__EDGE_TABLES
                               " WHERE e.source = :source AND (:only IS NULL OR e.target = :only)"
                               " AND e.type = :type AND (e.target, e.row_id) > (:target, :row)"
                               " ORDER BY e.target, e.row_id LIMIT :limit"),
    [BRANT__EDGE_LIST_TARGET] = ("SELECT " BRANT__EDGE_COLUMNS " FROM " BRANT__EDGE_TABLES
                                 " WHERE e.target = :target AND (:only IS NULL OR e.type = :only)"
                                 " AND (s.key, e.type, e.row_id) > (:key, :type, :row) ORDER BY "
                                 "s.key, e.type, e.row_id LIMIT :limit"),
    /* What most rows of a batch need, many at a time. OR FAIL: a statement of many rows that may
     * ABORT would journal every page it touches, to take back its own rows; a failure here ends the
     * operation, which is rolled back as a whole. */
    [BRANT__EDGE_INSERT_ROWS] = ("INSERT OR FAIL INTO edges (graph, created_at, updated_at, "
                                 "type_version, key, type, source, target, "
                                 "orientation, attributes) VALUES " ROWS),
    [BRANT__EDGE_INSERT] =
        ("INSERT INTO edges (graph, created_at, updated_at, type_version, key, type, source, "
         "target, orientation, attributes, metadata, revision)"
         " VALUES (:graph, :now, :now, :version, :key, :type, :source, :target, "
         ":orientation, :attributes, coalesce(:metadata, '{}'), :revision)"),
    [BRANT__EDGE_UPDATE] =
        ("UPDATE edges SET attributes = :attributes, metadata = coalesce(:metadata, metadata),"
         " revision = revision + :changes, updated_at = :now, type_version = :version WHERE "
         "row_id = :row_id"),
    [BRANT__EDGE_DEGREE_OUT] = "SELECT count(*) FROM edges WHERE source = :node AND type = :type",
    [BRANT__EDGE_DEGREE_IN] = "SELECT count(*) FROM edges WHERE target = :node AND type = :type",
    [BRANT__EDGE_DEGREE_UNDIRECTED_OUT] = ("SELECT count(*) FROM edges WHERE source = :node AND "
                                           "type = :type AND orientation & 1 AND target <> :node"),
    [BRANT__EDGE_DEGREE_UNDIRECTED_IN] = ("SELECT count(*) FROM edges WHERE target = :node AND "
                                          "type = :type AND orientation & 1 AND source <> :node"),
    /* A self-loop is among those that leave. */
    [BRANT__EDGE_TYPES_OUT] = "SELECT type, count(*) FROM edges WHERE source = :node GROUP BY type",
    [BRANT__EDGE_TYPES_IN] =
        "SELECT type, count(*) FROM edges WHERE target = :node AND source <> :node GROUP BY type",
};
static const brant__statements statements = {BRANT__TABLE_EDGE, BRANT__EDGE_STATEMENTS, sql};

brant_status brant__edge_statement(brant__statement **out, brant__call *call, int which) {
    return brant__statement_get(out, call->db, &statements, (size_t)which);
}

const char *brant__edge_sql(int which) {
    return sql[which];
}

brant_status brant__edge_put(brant__call *call) {
    return brant__edges_put(call, BRANT__PUT, true);
}

brant_status brant__edge_put_many(brant__call *call) {
    return brant__edges_put(call, BRANT__PUT, false);
}

brant_status brant__edge_insert(brant__call *call) {
    return brant__edges_put(call, BRANT__INSERT, true);
}

brant_status brant__edge_insert_many(brant__call *call) {
    return brant__edges_put(call, BRANT__INSERT, false);
}

/* ---- one ------------------------------------------------------------------------------------- */

/* By an explicit key, or by a derived one's ends. */
brant_status brant__edge_find(brant__edge_ref *out, brant__call *call, const brant__graph *graph,
                              brant__text key) {
    brant__statement *statement = NULL;
    brant__text source, type, target;
    brant__node_ref source_ref, target_ref;
    brant_status status;
    bool row, derived;

    *out = (brant__edge_ref){0, 0, 0};
    BRANT__TRY(brant__edge_statement(&statement, call, BRANT__EDGE_BY_KEY));
    brant__bind_integer(statement, 1, graph->row_id);
    brant__bind_text(statement, 2, key);
    BRANT__TRY(brant__step(&row, call->db, statement));
    if (row) {
        BRANT__TRY(
            brant__read_type(&out->type, graph, BRANT__EDGES, brant__column_integer(statement, 1)));
        out->row_id = brant__column_integer(statement, 0);
        out->revision = brant__column_integer(statement, 4);
        goto cleanup;
    }
    if (brant__graph_multi(graph)) goto cleanup;
    BRANT__TRY(brant__edge_key_parse(&derived, &source, &type, &target, call, key));
    if (!derived || (type.data != NULL) != graph->type->module->typed) goto cleanup;
    out->type = graph->type->module->typed ? brant__type_edge(graph->type, type) : 0;
    if (out->type == BRANT__NO_TYPE) goto cleanup;
    if (brant__graph_undirected(graph) && brant__text_compare(source, target) > 0) {
        brant__text swap = source;
        source = target;
        target = swap;
    }
    BRANT__TRY(brant__node_find(&source_ref, NULL, call, graph, source));
    if (!source_ref.row_id) goto cleanup;
    BRANT__TRY(brant__node_find(&target_ref, NULL, call, graph, target));
    if (!target_ref.row_id) goto cleanup;
    brant__reset(statement);
    BRANT__TRY(brant__edge_statement(&statement, call, BRANT__EDGE_BY_ENDS));
    brant__bind_integer(statement, 1, source_ref.row_id);
    brant__bind_integer(statement, 2, brant__type_edge_row(graph->type, out->type));
    brant__bind_integer(statement, 3, target_ref.row_id);
    brant__bind_integer(statement, 4, 0);
    BRANT__TRY(brant__step(&row, call->db, statement));
    if (row) {
        out->row_id = brant__column_integer(statement, 0);
        out->revision = brant__column_integer(statement, 1);
    }
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__edge_missing(brant__call *call, const brant__graph *graph, brant__text key) {
    return brant__fail(BRANT_NOT_FOUND, "no edge %s in graph %s", brant__quoted(call, key),
                       brant__quoted(call, graph->name));
}

brant_status brant__edge_ends_read(brant__edge_ends *out, const brant__graph *graph,
                                   brant__statement *row) {
    out->key = brant__column_text(row, 0);
    out->source = brant__column_text(row, 2);
    out->target = brant__column_text(row, 3);
    return brant__read_type(&out->type, graph, BRANT__EDGES, brant__column_integer(row, 1));
}

brant_status brant__write_edge(brant__call *call, const brant__graph *graph,
                               brant__statement *row) {
    brant__writer *out = call->out;
    brant__edge_ends ends;
    brant_status status = brant__edge_ends_read(&ends, graph, row);

    if (status != BRANT_OK) return status;
    brant__write_object(out);
    status = brant__write_edge_start(out, call, graph, &ends, brant__column_text(row, 4));
    if (status != BRANT_OK) return status;
    if (brant__graph_mixed(graph)) {
        brant__write_bool_member(out, "undirected",
                                 (brant__column_integer(row, 11) & BRANT__UNDIRECTED_EDGE) != 0);
    }
    brant__write_name(out, "metadata");
    brant__write_raw(out, brant__column_text(row, 5));
    brant__write_integer_member(out, "revision", brant__column_integer(row, 6));
    brant__write_integer_member(out, "created_at", brant__column_integer(row, 7));
    brant__write_integer_member(out, "updated_at", brant__column_integer(row, 8));
    brant__write_end(out);
    return BRANT_OK;
}

/* The row of EDGE_GET; the caller resets. */
brant_status brant__edge_row(brant__statement **out, brant__call *call, int64_t row_id) {
    bool row;
    brant_status status;

    *out = NULL;
    BRANT__TRY(brant__edge_statement(out, call, BRANT__EDGE_GET));
    brant__bind_integer(*out, 1, row_id);
    BRANT__TRY(brant__step(&row, call->db, *out));
    if (!row) status = brant__fail(BRANT_CORRUPT, "an edge lacks an end; run db.doctor");
cleanup:
    return status;
}

brant_status brant__write_edge_of_row(brant__call *call, const brant__graph *graph,
                                      int64_t row_id) {
    brant__statement *statement = NULL;
    brant_status status = brant__edge_row(&statement, call, row_id);

    if (status == BRANT_OK) status = brant__write_edge(call, graph, statement);
    brant__reset(statement);
    return status;
}

brant_status brant__edge_get(brant__call *call) {
    brant__text key = brant__json_get_text(call->input, "key");
    brant__statement *statement = NULL;
    brant__graph graph;
    brant__edge_ref ref;
    brant_status status;

    BRANT__TRY(brant__graph_find(&graph, call, false));
    BRANT__TRY(brant__edge_find(&ref, call, &graph, key));
    if (!ref.row_id) {
        status = brant__edge_missing(call, &graph, key);
        goto cleanup;
    }
    BRANT__TRY(brant__edge_row(&statement, call, ref.row_id));
    status = brant__write_edge(call, &graph, statement);
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__edge_exists(brant__call *call) {
    brant__graph graph;
    brant__edge_ref ref;
    brant_status status;

    BRANT__TRY(brant__graph_find(&graph, call, false));
    BRANT__TRY(brant__edge_find(&ref, call, &graph, brant__json_get_text(call->input, "key")));
    brant__write_object(call->out);
    brant__write_bool_member(call->out, "exists", ref.row_id != 0);
    brant__write_end(call->out);
cleanup:
    return status;
}
