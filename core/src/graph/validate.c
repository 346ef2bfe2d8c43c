/*
 * graph/validate.c: would a node or an edge be accepted? Asked without writing.
 */
#include "graph/internal.h"

/* A violation that no schema has. */
static void write_violation(brant__writer *out, brant__text schema, const char *keyword,
                            const char *message) {
    brant__write_object(out);
    brant__write_name(out, "instance");
    brant__write_text(out, BRANT__TEXT(""));
    brant__write_name(out, "schema");
    brant__write_text(out, schema);
    brant__write_name(out, "keyword");
    brant__write_text(out, brant__text_of(keyword, strlen(keyword)));
    brant__write_name(out, "message");
    brant__write_text(out, brant__text_of(message, strlen(message)));
    brant__write_end(out);
}

/* The constraint on one end of an edge type. `given` may be missing: then nothing is said of it. */
static brant_status check_end(size_t *count, brant__call *call, const brant__type *type,
                              const brant__edge_type *edge, bool source, yyjson_val *given,
                              brant__writer *out) {
    const size_t *allowed = source ? edge->sources : edge->targets;
    size_t allowed_count = source ? edge->source_count : edge->target_count;
    const char *what = source ? "source" : "target";
    brant__buffer pointer = {0};
    brant_status status = BRANT_OK;
    uint32_t index;

    if (!given || yyjson_is_null(given)) return BRANT_OK;
    index = brant__type_node(type, brant__json_text(given));
    if (index == BRANT__NO_TYPE)
        return brant__fail(BRANT_INVALID, "graph type %s has no node type %s",
                           brant__quoted(call, brant__text_of(type->name, strlen(type->name))),
                           brant__quoted(call, brant__json_text(given)));
    if (allowed_count == SIZE_MAX) return BRANT_OK;
    for (size_t i = 0; i < allowed_count; i++)
        if (allowed[i] == index) return BRANT_OK;
    ++*count;
    brant__buffer_append(&pointer, "/$defs/", 7);
    brant__buffer_append(&pointer, edge->name.data, edge->name.length);
    brant__buffer_format(&pointer, "EdgeConstraints/properties/%s", what);
    if (pointer.failed)
        status = brant__fail_memory();
    else
        write_violation(out, brant__text_of(pointer.data, pointer.length), what,
                        "edges of this type do not have such an end");
    brant__buffer_free(&pointer);
    return status;
}

static brant_status validate(brant__call *call, bool edge) {
    brant__text graph_type = brant__json_get_text(call->input, "graph_type");
    yyjson_val *name = brant__json_get(call->input, "type");
    yyjson_val *attributes = brant__json_get(call->input, "attributes");
    brant__writer violations = {0};
    const brant__schema *schema = NULL;
    const brant__type *type;
    size_t count = 0;
    uint32_t index = 0;
    brant_status status;

    BRANT__TRY(brant__type_find(&type, call, graph_type, false));
    if (type->module->typed) {
        index = edge ? brant__type_edge(type, brant__json_text(name))
                     : brant__type_node(type, brant__json_text(name));
        if (!name || yyjson_is_null(name) || index == BRANT__NO_TYPE) {
            status = brant__fail(
                BRANT_INVALID, "graph type %s has no %s type %s", brant__quoted(call, graph_type),
                edge ? "edge" : "node",
                name && yyjson_is_str(name) ? brant__quoted(call, brant__json_text(name)) : "null");
            goto cleanup;
        }
        schema =
            edge ? type->module->edge_types[index].schema : type->module->node_types[index].schema;
    } else if (name && !yyjson_is_null(name)) {
        status = brant__fail(BRANT_INVALID, "graph type %s has no types; type is null",
                             brant__quoted(call, graph_type));
        goto cleanup;
    }
    brant__write_array(&violations);
    if (attributes && !yyjson_is_obj(attributes)) {
        count++;
        write_violation(&violations, BRANT__TEXT(""), "type", "attributes are an object");
    } else if (schema) {
        brant__graphs *state;
        BRANT__TRY(brant__graphs_state(&state, call->db));
        count += brant__schema_violations(schema, attributes ? attributes : state->empty.root,
                                          BRANT__TEXT(""), &violations);
    }
    if (edge && schema) {
        BRANT__TRY(check_end(&count, call, type, &type->module->edge_types[index], true,
                             brant__json_get(call->input, "source_type"), &violations));
        BRANT__TRY(check_end(&count, call, type, &type->module->edge_types[index], false,
                             brant__json_get(call->input, "target_type"), &violations));
    }
    brant__write_end(&violations);
    if (violations.buffer.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    brant__write_object(call->out);
    brant__write_name(call->out, "valid");
    brant__write_bool(call->out, count == 0);
    brant__write_name(call->out, "violations");
    brant__write_raw(call->out, brant__text_of(violations.buffer.data, violations.buffer.length));
    brant__write_end(call->out);
cleanup:
    brant__buffer_free(&violations.buffer);
    return status;
}

brant_status brant__graph_type_validate_node(brant__call *call) {
    return validate(call, false);
}

brant_status brant__graph_type_validate_edge(brant__call *call) {
    return validate(call, true);
}
