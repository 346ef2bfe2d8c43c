/*
 * exchange/arrays.c: graphs.arrays: a graph as index arrays, for libraries that have their own structures.
 *
 * Without anything that only rows know it is written from the adjacency snapshot alone. Else the rows of the
 * edges are read once and sorted by the numbers of their ends.
 */
#include <stdlib.h>

#include "exchange/internal.h"
#include "graph/seal.h"

#define POLL_MASK 8191

/* An edge as it was read. Its texts stand in `text`. */
typedef struct array_edge {
    uint32_t source;
    uint32_t target;
    uint32_t type;
    uint32_t key_length; /* UINT32_MAX: derived */
    size_t text;         /* key, then attributes */
    size_t attributes_length;
    double weight;
    int64_t row_id;
    bool undirected;
} array_edge;

typedef struct array_graph {
    brant__call *call;
    brant__graph graph;
    const brant__snapshot *snapshot;
    uint8_t *wanted; /* edge types; NULL: all */
    brant__filter *filter;
    bool attributes;
    bool weighted;
    brant__path weight;
    array_edge *edges;
    size_t count;
    size_t capacity;
    bool keys; /* some edge has a key of its own */
    brant__buffer text;
} array_graph;

/* ---- rows of edges --------------------------------------------------------------------------- */

static brant_status read_weight(array_graph *arrays, brant__json *json, array_edge *edge,
                                brant__statement *row) {
    brant__text text = brant__column_text(row, 4);
    yyjson_val *value;
    brant_status status;

    edge->weight = 1;
    if (!arrays->weighted) return BRANT_OK;
    status = brant__json_parse(json, text.data, text.length, 0);
    if (status != BRANT_OK) return status;
    value = brant__path_find(json->root, &arrays->weight);
    if (!yyjson_is_num(value))
        return brant__fail(BRANT_CONSTRAINT, "the edge from %s to %s has no number at %s",
                           brant__quoted(arrays->call, brant__column_text(row, 7)),
                           brant__quoted(arrays->call, brant__column_text(row, 8)),
                           brant__quoted(arrays->call, arrays->weight.name));
    edge->weight = yyjson_get_num(value);
    return BRANT_OK;
}

static brant_status add_edge(array_graph *arrays, brant__json *json, brant__statement *row) {
    brant__text key = brant__column_text(row, 3), attributes = brant__column_text(row, 4);
    array_edge *edge;
    uint32_t type;
    brant_status status =
        brant__read_type(&type, &arrays->graph, BRANT__EDGES, brant__column_integer(row, 1));

    if (status != BRANT_OK) return status;
    if (arrays->wanted && !arrays->wanted[type]) return BRANT_OK;
    array_edge *grown =
        brant__grow(arrays->edges, &arrays->capacity, arrays->count, sizeof(*grown));
    if (!grown) return brant__fail_memory();
    arrays->edges = grown;
    edge = &arrays->edges[arrays->count];
    *edge = (array_edge){
        .source = brant__snapshot_number(arrays->snapshot, brant__column_integer(row, 0)),
        .target = brant__snapshot_number(arrays->snapshot, brant__column_integer(row, 2)),
        .type = type,
        .key_length = key.data ? (uint32_t)key.length : UINT32_MAX,
        .text = arrays->text.length,
        .row_id = brant__column_integer(row, 5),
        .undirected = (brant__column_integer(row, 6) & BRANT__UNDIRECTED_EDGE) != 0,
    };
    if (edge->source == UINT32_MAX || edge->target == UINT32_MAX)
        return brant__fail(BRANT_CORRUPT, "an edge lacks an end; run db.doctor");
    if (key.data) arrays->keys = true;
    brant__buffer_append(&arrays->text, key.data, key.length);
    if (arrays->attributes) {
        const size_t begun = arrays->text.length;
        status =
            brant__redact_append(&arrays->text, arrays->graph.type, BRANT__EDGES, type, attributes);
        if (status != BRANT_OK) return status;
        edge->attributes_length = arrays->text.length - begun;
    }
    arrays->count++;
    return read_weight(arrays, json, edge, row);
}

static int compare_edges(const void *a, const void *b) {
    const array_edge *x = a, *y = b;

    if (x->source != y->source) return x->source < y->source ? -1 : 1;
    if (x->type != y->type) return x->type < y->type ? -1 : 1;
    if (x->target != y->target) return x->target < y->target ? -1 : 1;
    return x->row_id < y->row_id ? -1 : x->row_id > y->row_id;
}

static brant_status read_edges(array_graph *arrays) {
    brant__statement *statement = NULL;
    brant__buffer sql = {0};
    brant__json json = {0};
    int parameter = 2;
    size_t steps = 0;
    brant_status status;
    bool row;

    brant__buffer_format(
        &sql, "SELECT e.source, e.type, e.target, e.key, e.attributes, e.row_id, e.orientation, "
              "s.key, t.key FROM nodes s CROSS JOIN edges e ON e.source = s.row_id CROSS JOIN "
              "nodes t ON t.row_id = e.target WHERE s.graph = ? AND ");
    brant__filter_sql(&sql, arrays->filter, "e");
    if (sql.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    BRANT__TRY(
        brant__query_prepare(&statement, arrays->call, brant__text_of(sql.data, sql.length)));
    brant__bind_integer(statement, 1, arrays->graph.row_id);
    brant__filter_bind(statement, arrays->filter, &parameter);
    for (;;) {
        BRANT__TRY(brant__step(&row, arrays->call->db, statement));
        if (!row) break;
        if ((++steps & POLL_MASK) == 0) BRANT__TRY(brant__db_poll(arrays->call->db));
        BRANT__TRY(add_edge(arrays, &json, statement));
    }
    if (arrays->text.failed) status = brant__fail_memory();
    if (arrays->count > 1)
        qsort(arrays->edges, arrays->count, sizeof(*arrays->edges), compare_edges);
cleanup:
    brant__reset(statement);
    brant__json_free(&json);
    brant__buffer_free(&sql);
    return status;
}

/* ---- from the snapshot ----------------------------------------------------------------------- */

/* Are there edges with keys of their own? */
static brant_status any_keys(bool *out_any, array_graph *arrays) {
    brant__statement *statement = NULL;
    brant_status status;

    *out_any = true;
    if (brant__graph_multi(&arrays->graph)) return BRANT_OK;
    BRANT__TRY(brant__query_prepare(
        &statement, arrays->call,
        BRANT__TEXT("SELECT 1 FROM edges WHERE graph = ? AND key IS NOT NULL LIMIT 1")));
    brant__bind_integer(statement, 1, arrays->graph.row_id);
    BRANT__TRY(brant__step(out_any, arrays->call->db, statement));
cleanup:
    brant__reset(statement);
    return status;
}

/* By source number come the arcs as they are; within one, by type before target. */
static brant_status copy_edges(array_graph *arrays) {
    const brant__snapshot *snapshot = arrays->snapshot;
    size_t types = arrays->graph.type->module->edge_type_count;

    arrays->edges = brant__alloc(((size_t)snapshot->edges + 1) * sizeof(*arrays->edges));
    if (!arrays->edges) return brant__fail_memory();
    arrays->capacity = snapshot->edges;
    for (uint32_t node = 0; node < snapshot->nodes; node++) {
        size_t begin = arrays->count;
        for (uint32_t i = snapshot->out.from[node]; i < snapshot->out.from[node + 1]; i++) {
            uint32_t type = snapshot->out.type[i];
            if (arrays->wanted && !arrays->wanted[type]) continue;
            arrays->edges[arrays->count] = (array_edge){.source = node,
                                                        .target = snapshot->out.node[i],
                                                        .type = type,
                                                        .row_id = (int64_t)arrays->count};
            arrays->count++;
        }
        if (types > 1 && arrays->count - begin > 1)
            qsort(arrays->edges + begin, arrays->count - begin, sizeof(*arrays->edges),
                  compare_edges);
    }
    return BRANT_OK;
}

/* ---- writing --------------------------------------------------------------------------------- */

static void write_numbers(brant__writer *out, const char *name, const array_graph *arrays,
                          size_t offset) {
    char digits[12];

    brant__write_name(out, name);
    brant__write_raw(out, BRANT__TEXT("["));
    brant__buffer_reserve(&out->buffer, arrays->count * 8 + 2);
    for (size_t i = 0; i < arrays->count; i++) {
        uint32_t value;
        size_t at = sizeof(digits);
        memcpy(&value, (const char *)&arrays->edges[i] + offset, sizeof(value));
        do {
            digits[--at] = (char)('0' + value % 10);
            value /= 10;
        } while (value);
        if (i) digits[--at] = ',';
        brant__buffer_append(&out->buffer, digits + at, sizeof(digits) - at);
    }
    brant__buffer_append_byte(&out->buffer, ']');
}

static brant_status write_nodes(array_graph *arrays) {
    const brant__snapshot *snapshot = arrays->snapshot;
    const brant__module *module = arrays->graph.type->module;
    brant__writer *out = arrays->call->out;
    brant__statement *statement = NULL;
    brant__buffer attributes = {0};
    brant_status status = BRANT_OK;
    bool row;

    brant__write_name(out, "keys");
    brant__write_array(out);
    for (uint32_t i = 0; i < snapshot->nodes; i++)
        brant__write_raw(out, brant__text_of(snapshot->text.data + snapshot->text_from[i],
                                             snapshot->text_from[i + 1] - snapshot->text_from[i]));
    brant__write_end(out);
    if (!module->typed && !arrays->attributes) return BRANT_OK;
    BRANT__TRY(brant__query_prepare(
        &statement, arrays->call,
        arrays->attributes
            ? BRANT__TEXT("SELECT type, attributes FROM nodes WHERE graph = ? ORDER BY key")
            : BRANT__TEXT("SELECT type FROM nodes WHERE graph = ? ORDER BY key")));
    brant__bind_integer(statement, 1, arrays->graph.row_id);
    if (module->typed) {
        brant__write_name(out, "types");
        brant__write_array(out);
    }
    for (uint32_t i = 0;; i++) {
        uint32_t type = BRANT__NO_TYPE;
        BRANT__TRY(brant__step(&row, arrays->call->db, statement));
        if (!row) break;
        if ((i & POLL_MASK) == POLL_MASK) BRANT__TRY(brant__db_poll(arrays->call->db));
        if (module->typed) {
            BRANT__TRY(brant__read_type(&type, &arrays->graph, BRANT__NODES,
                                        brant__column_integer(statement, 0)));
            brant__write_integer(out, type);
        }
        if (arrays->attributes) {
            brant__buffer_append_byte(&attributes, i ? ',' : '[');
            BRANT__TRY(brant__redact_append(&attributes, arrays->graph.type, BRANT__NODES, type,
                                            brant__column_text(statement, 1)));
        }
    }
    if (module->typed) brant__write_end(out);
    if (arrays->attributes) {
        if (attributes.length == 0) brant__buffer_append_byte(&attributes, '[');
        brant__buffer_append_byte(&attributes, ']');
        if (attributes.failed) {
            status = brant__fail_memory();
            goto cleanup;
        }
        brant__write_name(out, "node_attributes");
        brant__write_raw(out, brant__text_of(attributes.data, attributes.length));
    }
cleanup:
    brant__reset(statement);
    brant__buffer_free(&attributes);
    return status;
}

static void write_edges(array_graph *arrays) {
    brant__writer *out = arrays->call->out;

    write_numbers(out, "sources", arrays, offsetof(array_edge, source));
    write_numbers(out, "targets", arrays, offsetof(array_edge, target));
    if (arrays->graph.type->module->typed)
        write_numbers(out, "edge_type_of", arrays, offsetof(array_edge, type));
    if (brant__graph_mixed(&arrays->graph)) {
        brant__write_name(out, "undirected");
        brant__write_array(out);
        for (size_t i = 0; i < arrays->count; i++)
            brant__write_bool(out, arrays->edges[i].undirected);
        brant__write_end(out);
    }
    if (arrays->keys) {
        brant__write_name(out, "edge_keys");
        brant__write_array(out);
        for (size_t i = 0; i < arrays->count; i++) {
            const array_edge *edge = &arrays->edges[i];
            if (edge->key_length == UINT32_MAX)
                brant__write_null(out);
            else
                brant__write_text(out,
                                  brant__text_of(arrays->text.data + edge->text, edge->key_length));
        }
        brant__write_end(out);
    }
    if (arrays->weighted) {
        brant__write_name(out, "weights");
        brant__write_array(out);
        for (size_t i = 0; i < arrays->count; i++)
            brant__write_double(out, arrays->edges[i].weight);
        brant__write_end(out);
    }
    if (arrays->attributes) {
        brant__write_name(out, "edge_attributes");
        brant__write_array(out);
        for (size_t i = 0; i < arrays->count; i++) {
            const array_edge *edge = &arrays->edges[i];
            size_t key = edge->key_length == UINT32_MAX ? 0 : edge->key_length;
            brant__write_raw(
                out, brant__text_of(arrays->text.data + edge->text + key, edge->attributes_length));
        }
        brant__write_end(out);
    }
}

static void write_names(array_graph *arrays) {
    const brant__module *module = arrays->graph.type->module;
    brant__writer *out = arrays->call->out;

    brant__write_name(out, "directed");
    if (brant__graph_mixed(&arrays->graph))
        brant__write_null(out);
    else
        brant__write_bool(out, !brant__graph_undirected(&arrays->graph));
    brant__write_bool_member(out, "multi", brant__graph_multi(&arrays->graph));
    if (!module->typed) return;
    brant__write_name(out, "node_types");
    brant__write_array(out);
    for (size_t i = 0; i < module->node_type_count; i++)
        brant__write_text(out, module->node_types[i].name);
    brant__write_end(out);
    brant__write_name(out, "edge_types");
    brant__write_array(out);
    for (size_t i = 0; i < module->edge_type_count; i++)
        brant__write_text(out, module->edge_types[i].name);
    brant__write_end(out);
}

brant_status brant__graph_arrays(brant__call *call) {
    array_graph arrays = {.call = call};
    brant__text weight = brant__json_get_text(call->input, "weight");
    const char *reason;
    bool keys;
    brant_status status;

    BRANT__TRY(brant__graph_find(&arrays.graph, call, false));
    BRANT__TRY(brant__read_types(&arrays.wanted, call, &arrays.graph));
    BRANT__TRY(brant__filter_parse(&arrays.filter, call, &arrays.graph, BRANT__EDGES,
                                   brant__json_get(call->input, "edge_filter"), "edge_filter"));
    arrays.attributes = brant__json_bool(brant__json_get(call->input, "attributes"), false);
    arrays.weighted = weight.data != NULL;
    if (arrays.weighted) {
        status = brant__path_parse(&arrays.weight, &reason, call, BRANT__EDGES, weight);
        if (status == BRANT_INVALID) brant__fail(BRANT_INVALID, "weight: %s", reason);
        if (status != BRANT_OK) goto cleanup;
        if (arrays.weight.field != BRANT__FIELD_ATTRIBUTES) {
            status = brant__fail(BRANT_INVALID, "weight is no path of attributes");
            goto cleanup;
        }
        BRANT__TRY(brant__path_plain(call, arrays.graph.type, BRANT__EDGES, BRANT__NO_TYPE,
                                     &arrays.weight, BRANT__TEXT("/weight")));
    }
    BRANT__TRY(brant__snapshot_get(&arrays.snapshot, call, &arrays.graph));
    BRANT__TRY(any_keys(&keys, &arrays));
    if (keys || arrays.attributes || arrays.weighted || arrays.filter ||
        brant__graph_mixed(&arrays.graph))
        BRANT__TRY(read_edges(&arrays));
    else
        BRANT__TRY(copy_edges(&arrays));
    brant__write_object(call->out);
    write_names(&arrays);
    BRANT__TRY(write_nodes(&arrays));
    write_edges(&arrays);
    brant__write_end(call->out);
cleanup:
    brant__free(arrays.edges);
    brant__buffer_free(&arrays.text);
    return status;
}
