/*
 * evolution/validation.c: would a node or an edge of a module be accepted? Asked without writing, and without a database.
 */
#include <stdio.h>

#include "evolution/evolution.h"
#include "store/store.h"

enum { SHOWN = 96 };

/* A violation that no schema has. */
static void write_violation(brant__writer *out, brant__text schema, const char *keyword,
                            const char *message) {
    brant__write_object(out);
    brant__write_text_member(out, "instance", BRANT__TEXT(""));
    brant__write_text_member(out, "schema", schema);
    brant__write_text_member(out, "keyword", brant__text_string(keyword));
    brant__write_text_member(out, "message", brant__text_string(message));
    brant__write_end(out);
}

static size_t find_node(const brant__module *module, brant__text name) {
    for (size_t i = 0; i < module->node_type_count; i++)
        if (brant__text_equal(module->node_types[i].name, name)) return i;
    return SIZE_MAX;
}

static size_t find_edge(const brant__module *module, brant__text name) {
    for (size_t i = 0; i < module->edge_type_count; i++)
        if (brant__text_equal(module->edge_types[i].name, name)) return i;
    return SIZE_MAX;
}

static brant_status fail_type(const brant__validation_request *request, const char *kind,
                              yyjson_val *name) {
    brant__buffer shown = {0};
    const brant__text text = brant__json_text(name);
    brant_status status;
    if (text.data && text.length <= SHOWN)
        brant__json_append_text(&shown, text);
    else
        brant__buffer_append(&shown, text.data ? "of that name" : "null", text.data ? 12 : 4);
    status = shown.failed ? brant__fail_memory()
                          : brant__fail(BRANT_INVALID, "%s has no %s type %.*s", request->what,
                                        kind, (int)shown.length, shown.data);
    brant__buffer_free(&shown);
    return status;
}

/* The constraint on one end of an edge type. `given` may be missing: then nothing is said of it. */
static brant_status check_end(size_t *count, const brant__validation_request *request,
                              const brant__edge_type *edge, bool source, brant__writer *out) {
    yyjson_val *given = source ? request->source_type : request->target_type;
    const size_t *allowed = source ? edge->sources : edge->targets;
    const size_t allowed_count = source ? edge->source_count : edge->target_count;
    const char *what = source ? "source" : "target";
    brant__buffer pointer = {0};
    brant_status status = BRANT_OK;
    if (!given || yyjson_is_null(given)) return BRANT_OK;
    const size_t index = find_node(request->module, brant__json_text(given));
    if (index == SIZE_MAX) return fail_type(request, "node", given);
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

brant_status brant__module_validate(brant__call *call, const brant__validation_request *request) {
    const brant__module *module = request->module;
    const bool given = request->type && !yyjson_is_null(request->type);
    const brant__schema *schema = NULL;
    const brant__edge_type *edge = NULL;
    brant__writer violations = {0};
    size_t count = 0;
    brant_status status = BRANT_OK;
    if (module->typed) {
        const brant__text name = brant__json_text(request->type);
        const size_t index = request->edge ? find_edge(module, name) : find_node(module, name);
        if (!given || index == SIZE_MAX)
            return fail_type(request, request->edge ? "edge" : "node", request->type);
        if (request->edge) edge = &module->edge_types[index];
        schema = edge ? edge->schema : module->node_types[index].schema;
    } else if (given) {
        return brant__fail(BRANT_INVALID, "%s has no types; type is null", request->what);
    }
    brant__write_array(&violations);
    if (request->attributes && !yyjson_is_obj(request->attributes)) {
        count++;
        write_violation(&violations, BRANT__TEXT(""), "type", "attributes are an object");
    } else if (schema && request->attributes) {
        count +=
            brant__schema_violations(schema, request->attributes, BRANT__TEXT(""), &violations);
    }
    if (edge) {
        BRANT__TRY(check_end(&count, request, edge, true, &violations));
        BRANT__TRY(check_end(&count, request, edge, false, &violations));
    }
    brant__write_end(&violations);
    if (violations.buffer.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    brant__write_object(call->out);
    brant__write_bool_member(call->out, "valid", count == 0);
    brant__write_name(call->out, "violations");
    brant__write_raw(call->out, brant__text_of(violations.buffer.data, violations.buffer.length));
    brant__write_end(call->out);
cleanup:
    brant__buffer_free(&violations.buffer);
    return status;
}
