/*
 * graph/secret.c: nodes.open_secret and edges.open_secret: one encrypted attribute, opened.
 */
#include "graph/filter.h"
#include "graph/seal.h"

/* A stored row: the statement stands on it. */
typedef struct row {
    brant__statement *statement;
    brant__text key; /* as users see it */
    uint32_t type;
    brant__text attributes;
} row;

static brant_status find_node(row *out, brant__call *call, const brant__graph *graph,
                              brant__text key) {
    brant_status status;
    bool found;

    BRANT__TRY(brant__node_statement(&out->statement, call, BRANT__NODE_GET));
    brant__bind_integer(out->statement, 1, graph->row_id);
    brant__bind_text(out->statement, 2, key);
    BRANT__TRY(brant__step(&found, call->db, out->statement));
    if (!found) {
        status = brant__node_missing(call, graph, key);
        goto cleanup;
    }
    out->key = brant__column_text(out->statement, 0);
    out->attributes = brant__column_text(out->statement, 2);
    status =
        brant__read_type(&out->type, graph, BRANT__NODES, brant__column_integer(out->statement, 1));
cleanup:
    return status;
}

static brant_status find_edge(row *out, brant__call *call, const brant__graph *graph,
                              brant__text key) {
    brant__edge_ref ref;
    brant__edge_ends ends;
    brant_status status;

    BRANT__TRY(brant__edge_find(&ref, call, graph, key));
    if (!ref.row_id) {
        status = brant__edge_missing(call, graph, key);
        goto cleanup;
    }
    BRANT__TRY(brant__edge_row(&out->statement, call, ref.row_id));
    BRANT__TRY(brant__edge_ends_read(&ends, graph, out->statement));
    BRANT__TRY(brant__edge_key(&out->key, call, graph, &ends));
    out->type = ends.type;
    out->attributes = brant__column_text(out->statement, 4);
cleanup:
    return status;
}

/* The encrypted attribute that the input's path names. INVALID: the type has none there. */
static brant_status find_place(const brant__encrypted **out, brant__call *call,
                               const brant__graph *graph, int kind, uint32_t type) {
    const brant__text name = brant__json_get_text(call->input, "path");
    const bool nodes = kind == BRANT__NODES;
    const brant__encrypted *places;
    const size_t count = brant__type_encrypted(&places, graph->type, kind, type);
    brant__text type_name;
    brant__path path;
    const char *reason;
    brant_status status = brant__path_parse(&path, &reason, call, kind, name);

    if (status == BRANT_INVALID && path.field == BRANT__FIELD_ATTRIBUTES)
        return brant__fail(BRANT_INVALID, "/path: %s", reason);
    if (status != BRANT_OK && status != BRANT_INVALID) return status;
    for (size_t i = 0; i < count && path.field == BRANT__FIELD_ATTRIBUTES; i++) {
        bool same = places[i].segment_count == path.segment_count;
        for (size_t at = 0; same && at < path.segment_count; at++)
            same = brant__text_equal(places[i].segments[at], path.segments[at]);
        if (!same) continue;
        *out = &places[i];
        return BRANT_OK;
    }
    type_name =
        nodes ? brant__type_node_name(graph->type, type) : brant__type_edge_name(graph->type, type);
    if (!type_name.data)
        return brant__fail(BRANT_INVALID, "/path: a graph without types encrypts nothing");
    if (count == 0)
        return brant__fail(BRANT_INVALID, "/path: %s type %s does not encrypt %s",
                           nodes ? "node" : "edge", brant__quoted(call, type_name),
                           brant__quoted(call, name));
    return brant__fail(
        BRANT_INVALID, "/path: %s type %s does not encrypt %s, but %s%s", nodes ? "node" : "edge",
        brant__quoted(call, type_name), brant__quoted(call, name),
        brant__quoted(call, brant__text_string(brant__encrypted_name(call, &places[0]))),
        count > 1 ? " and others" : "");
}

/* Why a value is no envelope, where that is no secret: it can be read as it stands. It fails as what does not open, since it is not believed either. */
static brant_status judge_bare(yyjson_val *value) {
    if (yyjson_obj_get(value, "$redacted"))
        return brant__fail(BRANT_AUTH, "the value does not open: it is redacted, and not here");
    if (!yyjson_obj_get(value, "$enc"))
        return brant__fail(BRANT_AUTH,
                           "the value does not open: it is stored in plain; "
                           "secrets.rotate encrypts what is older than its type's mark");
    return BRANT_OK;
}

static brant_status open_secret(brant__call *call, int kind) {
    const brant__text key = brant__json_get_text(call->input, "key");
    const bool nodes = kind == BRANT__NODES;
    const brant__encrypted *place = NULL;
    brant__writer *out = call->out;
    brant__buffer plain = {0};
    brant__json json = {0};
    row found = {.statement = NULL};
    brant__context context;
    brant__graph graph;
    yyjson_val *value;
    int64_t version;
    brant_status status;

    BRANT__TRY(brant__graph_find(&graph, call, false));
    brant__seal_watch(call->db, graph.type);
    BRANT__TRY(nodes ? find_node(&found, call, &graph, key) : find_edge(&found, call, &graph, key));
    BRANT__TRY(find_place(&place, call, &graph, kind, found.type));
    BRANT__TRY(brant__json_parse(&json, found.attributes.data, found.attributes.length, 0));
    value = brant__encrypted_find(json.root, place);
    if (!value) {
        status = brant__fail(BRANT_NOT_FOUND, "%s %s has no %s", nodes ? "node" : "edge",
                             brant__quoted(call, key),
                             brant__quoted(call, brant__json_get_text(call->input, "path")));
        goto cleanup;
    }
    BRANT__TRY(brant__encrypted_context(&context, call, &graph, kind, found.key));
    context.path = place->pointer;
    BRANT__TRY(judge_bare(value));
    BRANT__TRY(brant__envelope_open(&plain, &version, call->db, &context, value));
    brant__write_object(out);
    brant__write_name(out, "value");
    brant__write_raw(out, brant__text_of(plain.data, plain.length));
    brant__write_integer_member(out, "key_version", version);
    brant__write_end(out);
cleanup:
    brant__reset(found.statement);
    brant__json_free(&json);
    brant__buffer_free(&plain);
    return status;
}

brant_status brant__node_open_secret(brant__call *call) {
    return open_secret(call, BRANT__NODES);
}

brant_status brant__edge_open_secret(brant__call *call) {
    return open_secret(call, BRANT__EDGES);
}
