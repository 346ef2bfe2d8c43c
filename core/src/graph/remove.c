/*
 * graph/remove.c: deleting nodes and edges, one or many.
 */
#include "graph/remove.h"

#include "graph/change.h"
#include "graph/filter.h"

#define POLL_MASK     255
#define NO_VIOLATIONS ((brant__text){NULL, 0})

/* Edges of one node that are removed by one statement, which keeps them in memory. */
#define CHUNK 4096

enum { EDGES_OUT, EDGES_IN, EDGE_OUT, EDGE_IN, EDGE, NODE, NODE_ROW, STATEMENT_COUNT };

#define EDGE_RETURNING " RETURNING key, type, source, target"

static const char *const sql[STATEMENT_COUNT] = {
    [EDGES_OUT] = ("DELETE FROM edges WHERE row_id IN (SELECT row_id FROM edges WHERE source = "
                   ":node LIMIT :limit)" EDGE_RETURNING),
    [EDGES_IN] = ("DELETE FROM edges WHERE row_id IN (SELECT row_id FROM edges WHERE target = "
                  ":node LIMIT :limit)" EDGE_RETURNING),
    [EDGE_OUT] = "SELECT row_id FROM edges WHERE source = :node LIMIT 1",
    [EDGE_IN] = "SELECT row_id FROM edges WHERE target = :node LIMIT 1",
    [EDGE] = "DELETE FROM edges WHERE row_id = :row_id" EDGE_RETURNING,
    [NODE] = "DELETE FROM nodes WHERE row_id = :row_id",
    [NODE_ROW] = "SELECT key, type FROM nodes WHERE row_id = :row_id",
};
static const brant__statements statements = {BRANT__TABLE_REMOVE, STATEMENT_COUNT, sql};

static brant_status get(brant__statement **out, brant__call *call, int which) {
    return brant__statement_get(out, call->db, &statements, (size_t)which);
}

/* ---- a removal ------------------------------------------------------------------------------- */

static brant_status begin_counts(int64_t **out, brant__call *call, size_t types) {
    *out = brant__arena_alloc(call->arena, (types + 1) * sizeof(**out));
    if (!*out) return brant__fail_memory();
    memset(*out, 0, (types + 1) * sizeof(**out));
    return BRANT_OK;
}

brant_status brant__removal_begin(brant__removal *removal, brant__call *call, brant__graph *graph) {
    brant_status status;

    *removal = (brant__removal){.call = call, .graph = graph};
    BRANT__TRY(brant__lookup_begin(&removal->lookup, call, graph, 1));
    BRANT__TRY(begin_counts(&removal->node_counts, call, graph->type->module->node_type_count));
    BRANT__TRY(begin_counts(&removal->edge_counts, call, graph->type->module->edge_type_count));
    status = brant__kept_dirty(call->db);
cleanup:
    return status;
}

static brant_status node_key(brant__text *out, brant__call *call, int64_t row_id) {
    brant__statement *statement = NULL;
    brant__text key;
    brant_status status;
    bool row;

    *out = BRANT__TEXT("");
    BRANT__TRY(get(&statement, call, NODE_ROW));
    brant__bind_integer(statement, 1, row_id);
    BRANT__TRY(brant__step(&row, call->db, statement));
    if (!row) goto cleanup;
    key = brant__column_text(statement, 0);
    *out = brant__text_of(brant__arena_copy(call->arena, key.data, key.length), key.length);
    if (!out->data) status = brant__fail_memory();
cleanup:
    brant__reset(statement);
    return status;
}

/* An edge that a statement has just removed: the row it stands on. */
static brant_status note_edge(brant__removal *removal, brant__statement *row) {
    brant__edge_ends ends = {.key = brant__column_text(row, 0)};
    brant__text key = {NULL, 0};
    brant_status status;

    BRANT__TRY(
        brant__read_type(&ends.type, removal->graph, BRANT__EDGES, brant__column_integer(row, 1)));
    removal->edge_counts[ends.type]++;
    removal->edges++;
    if (removal->nameless || brant__announcement_full(&removal->edge_keys)) {
        removal->edge_keys.count++;
        return BRANT_OK;
    }
    if (!ends.key.data) {
        BRANT__TRY(node_key(&ends.source, removal->call, brant__column_integer(row, 2)));
        BRANT__TRY(node_key(&ends.target, removal->call, brant__column_integer(row, 3)));
    }
    BRANT__TRY(brant__edge_key(&key, removal->call, removal->graph, &ends));
    brant__announcement_add(&removal->edge_keys, key);
cleanup:
    return status;
}

/* One by one, each an event of the change log. */
static brant_status remove_side_logged(int64_t *out_removed, brant__removal *removal, int64_t node,
                                       int64_t limit, int which) {
    brant__statement *statement = NULL;
    brant_status status = BRANT_OK;
    bool found = true;

    for (*out_removed = 0; *out_removed < limit; ++*out_removed) {
        int64_t row_id = 0;
        if ((*out_removed & POLL_MASK) == POLL_MASK) BRANT__TRY(brant__db_poll(removal->call->db));
        BRANT__TRY(get(&statement, removal->call, which == EDGES_OUT ? EDGE_OUT : EDGE_IN));
        brant__bind_integer(statement, 1, node);
        BRANT__TRY(brant__step(&found, removal->call->db, statement));
        if (found) row_id = brant__column_integer(statement, 0);
        brant__reset(statement);
        statement = NULL;
        if (!found) break;
        BRANT__TRY(brant__remove_edge(&found, removal, row_id));
    }
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status remove_side(int64_t *out_removed, brant__removal *removal, int64_t node,
                                int64_t limit, int which) {
    brant__statement *statement = NULL;
    int64_t wanted, got;
    brant_status status = BRANT_OK;
    bool row;

    if (brant__change_logged(removal->graph))
        return remove_side_logged(out_removed, removal, node, limit, which);
    *out_removed = 0;
    do {
        wanted = limit - *out_removed < CHUNK ? limit - *out_removed : CHUNK;
        BRANT__TRY(brant__db_poll(removal->call->db));
        BRANT__TRY(get(&statement, removal->call, which));
        brant__bind_integer(statement, 1, node);
        brant__bind_integer(statement, 2, wanted);
        for (got = 0;; got++) {
            BRANT__TRY(brant__step(&row, removal->call->db, statement));
            if (!row) break;
            BRANT__TRY(note_edge(removal, statement));
        }
        brant__reset(statement);
        *out_removed += got;
    } while (got == wanted && *out_removed < limit);
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__remove_edges_of(bool *out_all, brant__removal *removal, int64_t node,
                                    int64_t limit) {
    int64_t out = 0, in = 0;
    brant_status status;

    *out_all = removal->graph->edges == removal->edges;
    if (*out_all || limit <= 0) return BRANT_OK;
    status = remove_side(&out, removal, node, limit, EDGES_OUT);
    if (status != BRANT_OK || out == limit) return status;
    status = remove_side(&in, removal, node, limit - out, EDGES_IN);
    *out_all = status == BRANT_OK && out + in < limit;
    return status;
}

brant_status brant__remove_node(brant__removal *removal, int64_t row_id, brant__text key,
                                uint32_t type) {
    brant__statement *statement;
    brant_status status = BRANT_OK;

    BRANT__TRY(brant__change_before(removal->call, removal->graph, BRANT__NODES, row_id));
    BRANT__TRY(get(&statement, removal->call, NODE));
    brant__bind_integer(statement, 1, row_id);
    BRANT__TRY(brant__run(removal->call->db, statement));
    BRANT__TRY(brant__change_after(removal->call, removal->graph, BRANT__NODES, row_id));
    removal->node_counts[type]++;
    removal->nodes++;
    brant__lookup_removed(&removal->lookup, key);
    if (removal->nameless)
        removal->node_keys.count++;
    else
        brant__announcement_add(&removal->node_keys, key);
cleanup:
    return status;
}

brant_status brant__remove_edge(bool *out_found, brant__removal *removal, int64_t row_id) {
    brant__statement *statement = NULL;
    brant_status status;
    bool row;

    *out_found = false;
    BRANT__TRY(brant__change_before(removal->call, removal->graph, BRANT__EDGES, row_id));
    BRANT__TRY(get(&statement, removal->call, EDGE));
    brant__bind_integer(statement, 1, row_id);
    BRANT__TRY(brant__step(out_found, removal->call->db, statement));
    if (!*out_found) goto cleanup;
    BRANT__TRY(note_edge(removal, statement));
    BRANT__TRY(brant__step(&row, removal->call->db, statement));
    status = brant__change_after(removal->call, removal->graph, BRANT__EDGES, row_id);
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__removal_end(brant__removal *removal) {
    const brant__module *module = removal->graph->type->module;
    brant__call *call = removal->call;
    brant_status status = BRANT_OK;

    if (removal->nodes == 0 && removal->edges == 0) return BRANT_OK;
    for (uint32_t i = 0; i < module->edge_type_count || i == 0; i++)
        BRANT__TRY(brant__graph_counted(call, removal->graph, BRANT__EDGES,
                                        brant__type_edge_row(removal->graph->type, i),
                                        -removal->edge_counts[i]));
    for (uint32_t i = 0; i < module->node_type_count || i == 0; i++)
        BRANT__TRY(brant__graph_counted(call, removal->graph, BRANT__NODES,
                                        brant__type_node_row(removal->graph->type, i),
                                        -removal->node_counts[i]));
    BRANT__TRY(brant__graph_changed(call, removal->graph, -removal->nodes, -removal->edges, true));
    brant__lookup_end(&removal->lookup);
    BRANT__TRY(brant__announce(call, removal->graph, "edges:deleted", &removal->edge_keys));
    BRANT__TRY(brant__announce(call, removal->graph, "nodes:deleted", &removal->node_keys));
cleanup:
    return status;
}

void brant__removal_free(brant__removal *removal) {
    brant__announcement_free(&removal->node_keys);
    brant__announcement_free(&removal->edge_keys);
}

/* ---- one ------------------------------------------------------------------------------------- */

/* How many edges a node has, for the message that refuses. */
static brant_status count_edges(int64_t *out_total, brant__removal *removal, int64_t node) {
    brant__statement *statement = NULL;
    brant_status status = BRANT_OK;
    bool row;

    *out_total = 0;
    if (removal->graph->edges == removal->edges) return BRANT_OK;
    for (int which = BRANT__EDGE_TYPES_OUT; which <= BRANT__EDGE_TYPES_IN; which++) {
        BRANT__TRY(brant__edge_statement(&statement, removal->call, which));
        brant__bind_integer(statement, 1, node);
        for (;;) {
            BRANT__TRY(brant__step(&row, removal->call->db, statement));
            if (!row) break;
            *out_total += brant__column_integer(statement, 1);
        }
        brant__reset(statement);
    }
cleanup:
    brant__reset(statement);
    return status;
}

static bool cascades(const brant__call *call) {
    return brant__text_equal(brant__json_get_text(call->input, "edges"), BRANT__TEXT("delete"));
}

/* `faults` NULL: they would have ended the operation. */
static void answer_nodes(const brant__removal *removal, bool single, brant__faults *faults) {
    brant__writer *out = removal->call->out;

    brant__write_object(out);
    brant__write_name(out, "deleted");
    if (single)
        brant__write_bool(out, true);
    else
        brant__write_integer(out, removal->nodes);
    brant__write_integer_member(out, "edges", removal->edges);
    if (faults) {
        const brant__items items = {.faults = faults, .skip = true};
        brant__items_answer(out, &items);
    }
    brant__write_end(out);
}

brant_status brant__node_delete(brant__call *call) {
    brant__text key = brant__json_get_text(call->input, "key");
    yyjson_val *wanted = brant__json_get(call->input, "revision");
    brant__removal removal = {.call = call};
    brant__graph graph;
    brant__node_ref ref;
    int64_t revision, total;
    brant_status status;
    bool all;

    BRANT__TRY(brant__graph_find(&graph, call, true));
    BRANT__TRY(brant__node_find(&ref, &revision, call, &graph, key));
    if (!ref.row_id) {
        status = brant__node_missing(call, &graph, key);
        goto cleanup;
    }
    if (wanted && brant__json_integer(wanted, -1) != revision) {
        status = brant__fail(BRANT_CONFLICT, "node %s has revision %lld, not the one required",
                             brant__quoted(call, key), (long long)revision);
        goto cleanup;
    }
    BRANT__TRY(brant__removal_begin(&removal, call, &graph));
    if (!cascades(call)) {
        BRANT__TRY(count_edges(&total, &removal, ref.row_id));
        if (total > 0) {
            status = brant__fail(BRANT_CONSTRAINT,
                                 "node %s has %lld edges; edges: \"delete\" deletes them too",
                                 brant__quoted(call, key), (long long)total);
            goto cleanup;
        }
    }
    BRANT__TRY(brant__remove_edges_of(&all, &removal, ref.row_id, INT64_MAX));
    BRANT__TRY(brant__remove_node(&removal, ref.row_id, key, ref.type));
    BRANT__TRY(brant__removal_end(&removal));
    answer_nodes(&removal, true, NULL);
cleanup:
    brant__removal_free(&removal);
    return status;
}

brant_status brant__edge_delete(brant__call *call) {
    brant__text key = brant__json_get_text(call->input, "key");
    yyjson_val *wanted = brant__json_get(call->input, "revision");
    brant__removal removal = {.call = call};
    brant__graph graph;
    brant__edge_ref ref;
    brant_status status;
    bool found;

    BRANT__TRY(brant__graph_find(&graph, call, true));
    BRANT__TRY(brant__edge_find(&ref, call, &graph, key));
    if (!ref.row_id) {
        status = brant__edge_missing(call, &graph, key);
        goto cleanup;
    }
    if (wanted && brant__json_integer(wanted, -1) != ref.revision) {
        status = brant__fail(BRANT_CONFLICT, "edge %s has revision %lld, not the one required",
                             brant__quoted(call, key), (long long)ref.revision);
        goto cleanup;
    }
    BRANT__TRY(brant__removal_begin(&removal, call, &graph));
    BRANT__TRY(brant__remove_edge(&found, &removal, ref.row_id));
    BRANT__TRY(brant__removal_end(&removal));
    brant__write_object(call->out);
    brant__write_bool_member(call->out, "deleted", true);
    brant__write_end(call->out);
cleanup:
    brant__removal_free(&removal);
    return status;
}

/* ---- many ------------------------------------------------------------------------------------ */

typedef struct remove_many {
    brant__call *call;
    brant__graph graph;
    brant__removal removal;
    brant__faults faults;
    brant__map seen; /* keys: each counts once */
    int64_t *rows;   /* of a filter */
    bool skip;
    bool cascade;
} remove_many;

static brant_status remove_one_node(remove_many *many, size_t index, brant__text key,
                                    brant__node_ref ref) {
    int64_t total;
    bool all;
    brant_status status;

    if (!many->cascade) {
        status = count_edges(&total, &many->removal, ref.row_id);
        if (status != BRANT_OK) return status;
        if (total > 0)
            return brant__fault_add(&many->faults, index, key, NO_VIOLATIONS, BRANT_CONSTRAINT,
                                    "node %s has %lld edges; edges: \"delete\" deletes them too",
                                    brant__quoted(many->call, key), (long long)total);
    }
    status = brant__remove_edges_of(&all, &many->removal, ref.row_id, INT64_MAX);
    if (status != BRANT_OK) return status;
    return brant__remove_node(&many->removal, ref.row_id, key, ref.type);
}

static brant_status remove_node_of_key(remove_many *many, size_t index, brant__text key) {
    brant__node_ref ref;
    brant_status status = brant__node_find(&ref, NULL, many->call, &many->graph, key);

    if (status != BRANT_OK) return status;
    if (!ref.row_id)
        return brant__fault_add(&many->faults, index, key, NO_VIOLATIONS, BRANT_NOT_FOUND,
                                "no node %s in graph %s", brant__quoted(many->call, key),
                                brant__quoted(many->call, many->graph.name));
    return remove_one_node(many, index, key, ref);
}

static brant_status remove_node_of_row(remove_many *many, size_t index, int64_t row_id) {
    brant__statement *statement = NULL;
    brant__node_ref ref = {.row_id = row_id};
    brant__text key;
    brant__buffer copy = {0};
    brant_status status;
    size_t faults = many->faults.count;
    bool row;

    BRANT__TRY(get(&statement, many->call, NODE_ROW));
    brant__bind_integer(statement, 1, row_id);
    BRANT__TRY(brant__step(&row, many->call->db, statement));
    if (!row) goto cleanup;
    key = brant__column_text(statement, 0);
    brant__buffer_append(&copy, key.data, key.length);
    if (copy.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    BRANT__TRY(brant__read_type(&ref.type, &many->graph, BRANT__NODES,
                                brant__column_integer(statement, 1)));
    brant__reset(statement);
    statement = NULL;
    key = brant__text_of(copy.data, copy.length);
    /* The key of a fault must live; that of a node that goes need not. */
    if (!many->cascade && faults < BRANT__FAULTS) {
        key.data = brant__arena_copy(many->call->arena, copy.data, copy.length);
        if (!key.data) {
            status = brant__fail_memory();
            goto cleanup;
        }
    }
    status = remove_one_node(many, index, key, ref);
cleanup:
    brant__reset(statement);
    brant__buffer_free(&copy);
    return status;
}

static brant_status remove_edge_of_key(remove_many *many, size_t index, brant__text key) {
    brant__edge_ref ref;
    bool found = false;
    brant_status status = brant__edge_find(&ref, many->call, &many->graph, key);

    if (status == BRANT_OK && ref.row_id)
        status = brant__remove_edge(&found, &many->removal, ref.row_id);
    if (status != BRANT_OK || found) return status;
    return brant__fault_add(&many->faults, index, key, NO_VIOLATIONS, BRANT_NOT_FOUND,
                            "no edge %s in graph %s", brant__quoted(many->call, key),
                            brant__quoted(many->call, many->graph.name));
}

static brant_status remove_keys(remove_many *many, yyjson_val *keys, int kind) {
    size_t index, count;
    yyjson_val *value;
    brant_status status = BRANT_OK;

    if (yyjson_arr_size(keys) > brant__db_limits(many->call->db)->batch)
        return brant__fail(BRANT_LIMIT, "more than %zu keys (limits.batch)",
                           brant__db_limits(many->call->db)->batch);
    yyjson_arr_foreach(keys, index, count, value) {
        brant__text key = brant__json_text(value);
        int64_t seen;
        if ((index & POLL_MASK) == POLL_MASK) BRANT__TRY(brant__db_poll(many->call->db));
        if (brant__map_get(&many->seen, key, &seen)) continue;
        if (!brant__map_put(&many->seen, key, 1)) {
            status = brant__fail_memory();
            goto cleanup;
        }
        BRANT__TRY(kind == BRANT__NODES ? remove_node_of_key(many, index, key)
                                        : remove_edge_of_key(many, index, key));
    }
cleanup:
    return status;
}

static brant_status remove_matching(remove_many *many, yyjson_val *value, int kind) {
    brant__filter *filter = NULL;
    size_t count;
    bool found;
    brant_status status;

    BRANT__TRY(brant__filter_parse(&filter, many->call, &many->graph, kind, value, "filter"));
    BRANT__TRY(brant__filter_rows(&many->rows, &count, many->call, &many->graph, filter));
    for (size_t i = 0; i < count; i++) {
        if ((i & POLL_MASK) == POLL_MASK) BRANT__TRY(brant__db_poll(many->call->db));
        if (kind == BRANT__NODES)
            BRANT__TRY(remove_node_of_row(many, i, many->rows[i]));
        else
            BRANT__TRY(brant__remove_edge(&found, &many->removal, many->rows[i]));
    }
cleanup:
    return status;
}

static brant_status delete_many(brant__call *call, int kind) {
    yyjson_val *keys = brant__json_get(call->input, "keys");
    yyjson_val *filter = brant__json_get(call->input, "filter");
    remove_many many = {.call = call,
                        .faults = {.call = call},
                        .skip = brant__errors_skip(call),
                        .cascade = kind == BRANT__EDGES || cascades(call)};
    brant_status status;

    if (!keys == !filter)
        return brant__fail(BRANT_INVALID, "one of keys and filter is needed, and not both");
    BRANT__TRY(brant__graph_find(&many.graph, call, true));
    BRANT__TRY(brant__removal_begin(&many.removal, call, &many.graph));
    BRANT__TRY(keys ? remove_keys(&many, keys, kind) : remove_matching(&many, filter, kind));
    if (!many.skip) BRANT__TRY(brant__faults_report(&many.faults));
    BRANT__TRY(brant__removal_end(&many.removal));
    if (kind == BRANT__NODES) {
        answer_nodes(&many.removal, false, many.skip ? &many.faults : NULL);
        goto cleanup;
    }
    brant__write_object(call->out);
    brant__write_integer_member(call->out, "deleted", many.removal.edges);
    {
        const brant__items items = {.faults = &many.faults, .skip = many.skip};
        brant__items_answer(call->out, &items);
    }
    brant__write_end(call->out);
cleanup:
    brant__map_free(&many.seen);
    brant__free(many.rows);
    brant__removal_free(&many.removal);
    return status;
}

brant_status brant__node_delete_many(brant__call *call) {
    return delete_many(call, BRANT__NODES);
}

brant_status brant__edge_delete_many(brant__call *call) {
    return delete_many(call, BRANT__EDGES);
}
