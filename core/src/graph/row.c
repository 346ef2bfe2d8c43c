/*
 * graph/row.c: rows of nodes and edges as JSON, and derived edge keys.
 */
#include "graph/seal.h"

/* ---- rows ------------------------------------------------------------------------------------ */

brant_status brant__read_type(uint32_t *out_type, const brant__graph *graph, int kind,
                              int64_t row_id) {
    *out_type = kind == BRANT__NODES ? brant__type_node_of_row(graph->type, row_id)
                                     : brant__type_edge_of_row(graph->type, row_id);
    if (BRANT__LIKELY(*out_type != BRANT__NO_TYPE)) return BRANT_OK;
    return brant__fail(BRANT_CORRUPT,
                       "%s of a type that its graph type does not have; run db.doctor",
                       kind == BRANT__NODES ? "a node" : "an edge");
}

brant_status brant__write_node(brant__writer *out, brant__call *call, const brant__graph *graph,
                               brant__statement *row) {
    uint32_t type;
    brant_status status =
        brant__read_type(&type, graph, BRANT__NODES, brant__column_integer(row, 1));

    (void)call;
    if (status != BRANT_OK) return status;
    brant__write_object(out);
    brant__write_text_member(out, "key", brant__column_text(row, 0));
    brant__write_name(out, "type");
    brant__write_text_or_null(out, brant__type_node_name(graph->type, type));
    status = brant__write_shown(out, graph->type, BRANT__NODES, type, brant__column_text(row, 2));
    if (status != BRANT_OK) return status;
    brant__write_name(out, "metadata");
    brant__write_raw(out, brant__column_text(row, 3));
    brant__write_integer_member(out, "revision", brant__column_integer(row, 4));
    brant__write_integer_member(out, "created_at", brant__column_integer(row, 5));
    brant__write_integer_member(out, "updated_at", brant__column_integer(row, 6));
    brant__write_end(out);
    return BRANT_OK;
}

void brant__edge_key_append(brant__buffer *out, const brant__graph *graph,
                            const brant__edge_ends *ends) {
    brant__text type = brant__type_edge_name(graph->type, ends->type);

    brant__buffer_append_byte(out, '[');
    brant__json_append_text(out, ends->source);
    brant__buffer_append_byte(out, ',');
    if (type.data)
        brant__json_append_text(out, type);
    else
        brant__buffer_append(out, "null", 4);
    brant__buffer_append_byte(out, ',');
    brant__json_append_text(out, ends->target);
    brant__buffer_append_byte(out, ']');
}

brant_status brant__edge_key(brant__text *out_key, brant__call *call, const brant__graph *graph,
                             const brant__edge_ends *ends) {
    brant__buffer buffer = {0};

    *out_key = ends->key;
    if (ends->key.data) return BRANT_OK;
    brant__edge_key_append(&buffer, graph, ends);
    out_key->data =
        buffer.failed ? NULL : brant__arena_copy(call->arena, buffer.data, buffer.length);
    out_key->length = buffer.length;
    brant__buffer_free(&buffer);
    return out_key->data ? BRANT_OK : brant__fail_memory();
}

brant_status brant__write_edge_start(brant__writer *out, brant__call *call,
                                     const brant__graph *graph, const brant__edge_ends *ends,
                                     brant__text attributes) {
    brant__text key;
    brant_status status = brant__edge_key(&key, call, graph, ends);

    if (status != BRANT_OK) return status;
    brant__write_text_member(out, "key", key);
    brant__write_name(out, "type");
    brant__write_text_or_null(out, brant__type_edge_name(graph->type, ends->type));
    brant__write_text_member(out, "source", ends->source);
    brant__write_text_member(out, "target", ends->target);
    return brant__write_shown(out, graph->type, BRANT__EDGES, ends->type, attributes);
}

brant_status brant__edge_key_parse(bool *out_derived, brant__text *out_source,
                                   brant__text *out_type, brant__text *out_target,
                                   brant__call *call, brant__text key) {
    brant__json json = {0};
    brant__text *outputs[3] = {out_source, out_type, out_target};
    brant_status status;

    *out_derived = false;
    *out_source = *out_type = *out_target = (brant__text){NULL, 0};
    if (key.length < sizeof("[\"\",null,\"\"]") - 1 || key.data[0] != '[') return BRANT_OK;
    status = brant__json_parse(&json, key.data, key.length, 2);
    if (status != BRANT_OK) {
        if (status == BRANT_INVALID_JSON || status == BRANT_LIMIT) {
            brant__error_code(); /* a key like any other */
            status = BRANT_OK;
        }
        goto cleanup;
    }
    if (!yyjson_is_arr(json.root) || yyjson_arr_size(json.root) != 3) goto cleanup;
    for (size_t i = 0; i < 3; i++) {
        yyjson_val *value = yyjson_arr_get(json.root, i);
        if (i == 1 && yyjson_is_null(value)) continue;
        if (!yyjson_is_str(value)) goto cleanup;
        outputs[i]->length = yyjson_get_len(value);
        outputs[i]->data =
            brant__arena_copy(call->arena, yyjson_get_str(value), yyjson_get_len(value));
        if (!outputs[i]->data) {
            status = brant__fail_memory();
            goto cleanup;
        }
    }
    *out_derived = true;
cleanup:
    brant__json_free(&json);
    return status;
}
