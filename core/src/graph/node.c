/*
 * graph/node.c: nodes, read; lists of them are query.c. Writing them is node_put.c, deleting remove.c, walking from them
 * traverse.c.
 */
#include "graph/internal.h"

#define ROW(n) "(:graph, :now, :now, :version, :key" #n ", :type" #n ", :attributes" #n ")"
/* clang-format off */
#define ROWS ROW(0) "," ROW(1) "," ROW(2) "," ROW(3) "," ROW(4) "," ROW(5) "," ROW(6) "," ROW(7) "," \
             ROW(8) "," ROW(9) "," ROW(10) "," ROW(11) "," ROW(12) "," ROW(13) "," ROW(14) "," ROW(15)
/* clang-format on */

static const char *const sql[BRANT__NODE_STATEMENTS] = {
    [BRANT__NODE_FIND] =
        "SELECT row_id, type, revision FROM nodes WHERE graph = :graph AND key = :key",
    [BRANT__NODE_REVISION] = "SELECT revision FROM nodes WHERE row_id = :row_id",
    [BRANT__NODE_KEYS] = "SELECT row_id, type, key FROM nodes WHERE graph = :graph",
    [BRANT__NODE_GET] =
        ("SELECT " BRANT__NODE_COLUMNS " FROM nodes WHERE graph = :graph AND key = :key"),
    /* `before` is a blob, which is above every text, where there is no bound. */
    [BRANT__NODE_LIST] = ("SELECT " BRANT__NODE_COLUMNS
                          " FROM nodes WHERE graph = :graph AND key >= :from AND key < :before"
                          " ORDER BY key LIMIT :limit"),
    [BRANT__NODE_LIST_TYPE] = ("SELECT " BRANT__NODE_COLUMNS
                               " FROM nodes WHERE graph = :graph AND key >= :from AND key < :before"
                               " AND type = :type ORDER BY key LIMIT :limit"),
    [BRANT__NODE_COUNT] =
        "SELECT count FROM graph_counts WHERE graph = :graph AND kind = 0 AND type = :type",
    /* What most rows of a batch need, many at a time. OR FAIL: a statement of many rows that may
     * ABORT would journal every page it touches, to take back its own rows; a failure here ends the
     * operation, which is rolled back as a whole. */
    [BRANT__NODE_INSERT_ROWS] =
        ("INSERT OR FAIL INTO nodes (graph, created_at, updated_at, type_version, key, "
         "type, attributes) VALUES " ROWS),
    [BRANT__NODE_INSERT] =
        ("INSERT INTO nodes (graph, created_at, updated_at, type_version, key, type, "
         "attributes, metadata, revision)"
         " VALUES (:graph, :now, :now, :version, :key, :type, :attributes, "
         "coalesce(:metadata, '{}'), :revision)"),
    [BRANT__NODE_UPDATE] =
        ("UPDATE nodes SET attributes = :attributes, metadata = coalesce(:metadata, metadata),"
         " revision = revision + :changes, updated_at = :now, type_version = :version WHERE "
         "row_id = :row_id"),
};
static const brant__statements statements = {BRANT__TABLE_NODE, BRANT__NODE_STATEMENTS, sql};

brant_status brant__node_statement(brant__statement **out, brant__call *call, int which) {
    return brant__statement_get(out, call->db, &statements, (size_t)which);
}

brant_status brant__node_missing(brant__call *call, const brant__graph *graph, brant__text key) {
    return brant__fail(BRANT_NOT_FOUND, "no node %s in graph %s", brant__quoted(call, key),
                       brant__quoted(call, graph->name));
}

brant_status brant__node_find(brant__node_ref *out_ref, int64_t *out_revision, brant__call *call,
                              const brant__graph *graph, brant__text key) {
    brant__statement *statement = NULL;
    brant_status status;
    bool row;

    *out_ref = (brant__node_ref){0, 0};
    if (out_revision) *out_revision = 0;
    BRANT__TRY(brant__node_statement(&statement, call, BRANT__NODE_FIND));
    brant__bind_integer(statement, 1, graph->row_id);
    brant__bind_text(statement, 2, key);
    BRANT__TRY(brant__step(&row, call->db, statement));
    if (!row) goto cleanup;
    BRANT__TRY(
        brant__read_type(&out_ref->type, graph, BRANT__NODES, brant__column_integer(statement, 1)));
    out_ref->row_id = brant__column_integer(statement, 0);
    if (out_revision) *out_revision = brant__column_integer(statement, 2);
cleanup:
    brant__reset(statement);
    return status;
}

/* ---- one ------------------------------------------------------------------------------------- */

brant_status brant__node_put(brant__call *call) {
    return brant__nodes_put(call, BRANT__PUT, true);
}

brant_status brant__node_put_many(brant__call *call) {
    return brant__nodes_put(call, BRANT__PUT, false);
}

brant_status brant__node_insert(brant__call *call) {
    return brant__nodes_put(call, BRANT__INSERT, true);
}

brant_status brant__node_insert_many(brant__call *call) {
    return brant__nodes_put(call, BRANT__INSERT, false);
}

/* Write the node of a key; *out_found false: nothing is written. */
static brant_status write_node(bool *out_found, brant__call *call, const brant__graph *graph,
                               brant__text key) {
    brant__statement *statement = NULL;
    brant_status status;

    *out_found = false;
    BRANT__TRY(brant__node_statement(&statement, call, BRANT__NODE_GET));
    brant__bind_integer(statement, 1, graph->row_id);
    brant__bind_text(statement, 2, key);
    BRANT__TRY(brant__step(out_found, call->db, statement));
    if (*out_found) status = brant__write_node(call->out, call, graph, statement);
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__node_get(brant__call *call) {
    brant__text key = brant__json_get_text(call->input, "key");
    brant__graph graph;
    brant_status status;
    bool found;

    status = brant__graph_find(&graph, call, false);
    if (status != BRANT_OK) return status;
    status = write_node(&found, call, &graph, key);
    if (status != BRANT_OK) return status;
    return found ? BRANT_OK : brant__node_missing(call, &graph, key);
}

brant_status brant__node_get_many(brant__call *call) {
    yyjson_val *keys = brant__json_get(call->input, "keys"), *key;
    size_t index, count;
    brant__graph graph;
    brant_status status;
    bool found;

    status = brant__graph_find(&graph, call, false);
    if (status != BRANT_OK) return status;
    if (yyjson_arr_size(keys) > brant__db_limits(call->db)->batch)
        return brant__fail(BRANT_LIMIT, "more than %zu keys (limits.batch)",
                           brant__db_limits(call->db)->batch);
    brant__write_object(call->out);
    brant__write_name(call->out, "items");
    brant__write_array(call->out);
    yyjson_arr_foreach(keys, index, count, key) {
        if ((index & 4095) == 4095) {
            status = brant__db_poll(call->db);
            if (status != BRANT_OK) return status;
        }
        status = write_node(&found, call, &graph, brant__json_text(key));
        if (status != BRANT_OK) return status;
        if (!found) brant__write_null(call->out);
    }
    brant__write_end(call->out);
    brant__write_end(call->out);
    return BRANT_OK;
}

brant_status brant__node_exists(brant__call *call) {
    brant__graph graph;
    brant__node_ref ref;
    brant_status status;

    status = brant__graph_find(&graph, call, false);
    if (status != BRANT_OK) return status;
    status = brant__node_find(&ref, NULL, call, &graph, brant__json_get_text(call->input, "key"));
    if (status != BRANT_OK) return status;
    brant__write_object(call->out);
    brant__write_bool_member(call->out, "exists", ref.row_id != 0);
    brant__write_end(call->out);
    return BRANT_OK;
}
