/*
 * evolution/modules.c: the operations on modules, which need no database: what is given is all they know, besides the built-in modules.
 */
#include "evolution/evolution.h"
#include "store/store.h"

/* A module as it was given, closed and parsed. */
typedef struct opened {
    brant__buffer text; /* where it imports something */
    brant__json json;
    yyjson_val *document;
    brant__module *module;
} opened;

static brant_status open_module(opened *out, yyjson_val *given, unsigned flags) {
    brant__builtins builtins = {0};
    const brant__import_source source = {brant__builtins_find, &builtins};
    brant_status status = brant__module_close(&out->text, given, &source);
    out->document = given;
    if (status == BRANT_OK && out->text.length > 0) {
        status = brant__json_parse(&out->json, out->text.data, out->text.length, 0);
        out->document = out->json.root;
    }
    if (status == BRANT_OK) status = brant__module_parse_as(&out->module, out->document, flags);
    brant__builtins_free(&builtins);
    return status;
}

static void close_module(opened *module) {
    brant__module_free(module->module);
    brant__json_free(&module->json);
    brant__buffer_free(&module->text);
}

/* ---- modules.types --------------------------------------------------------------------------- */

static void write_type(brant__writer *out, yyjson_val *document, brant__text name,
                       const brant__schema *schema, const brant__encrypted *encrypted,
                       size_t encrypted_count) {
    yyjson_val *json = brant__schema_json(document, schema);
    brant__write_text_member(out, "name", name);
    brant__write_name(out, "schema");
    if (json)
        brant__write_value(out, json);
    else
        brant__write_bool(out, true);
    brant__write_name(out, "encrypted");
    brant__write_array(out);
    for (size_t i = 0; i < encrypted_count; i++)
        brant__write_text(out, encrypted[i].pointer);
    brant__write_end(out);
}

brant_status brant__module_types(brant__call *call) {
    brant__writer *out = call->out;
    opened given = {0};
    brant_status status;
    BRANT__TRY(open_module(&given, brant__json_get(call->input, "module"), 0));
    const brant__module *module = given.module;
    brant__write_object(out);
    brant__write_name(out, "id");
    if (module->id.length > 0)
        brant__write_text(out, module->id);
    else
        brant__write_null(out);
    brant__write_name(out, "config");
    brant__write_config(out, &module->config);
    brant__write_name(out, "node_types");
    brant__write_array(out);
    for (size_t i = 0; module->typed && i < module->node_type_count; i++) {
        brant__write_object(out);
        const brant__node_type *node = &module->node_types[i];
        write_type(out, given.document, node->name, node->schema, node->encrypted,
                   node->encrypted_count);
        brant__write_end(out);
    }
    brant__write_end(out);
    brant__write_name(out, "edge_types");
    brant__write_array(out);
    for (size_t i = 0; module->typed && i < module->edge_type_count; i++) {
        const brant__edge_type *edge = &module->edge_types[i];
        brant__write_object(out);
        write_type(out, given.document, edge->name, edge->schema, edge->encrypted,
                   edge->encrypted_count);
        brant__write_name(out, "source");
        brant__write_ends(out, module, edge->sources, edge->source_count);
        brant__write_name(out, "target");
        brant__write_ends(out, module, edge->targets, edge->target_count);
        brant__write_limit(out, "max_out", edge->max_out);
        brant__write_limit(out, "max_in", edge->max_in);
        brant__write_end(out);
    }
    brant__write_end(out);
    brant__write_name(out, "warnings");
    brant__write_array(out);
    BRANT__TRY(brant__module_warnings(out, given.document, module));
    brant__write_end(out);
    brant__write_end(out);
cleanup:
    close_module(&given);
    return status;
}

/* ---- modules.validate_node, modules.validate_edge --------------------------------------------- */

static brant_status validate(brant__call *call, bool edge) {
    const brant__text formats = brant__json_get_text(call->input, "formats");
    const bool annotate = brant__text_equal(formats, BRANT__TEXT("annotate"));
    opened given = {0};
    brant_status status;
    BRANT__TRY(open_module(&given, brant__json_get(call->input, "module"),
                           annotate ? BRANT__FORMAT_ANNOTATES : 0u));
    status =
        brant__module_validate(call, &(brant__validation_request){
                                         .module = given.module,
                                         .what = "the module",
                                         .edge = edge,
                                         .type = brant__json_get(call->input, "type"),
                                         .attributes = brant__json_get(call->input, "attributes"),
                                         .source_type = brant__json_get(call->input, "source_type"),
                                         .target_type = brant__json_get(call->input, "target_type"),
                                     });
cleanup:
    close_module(&given);
    return status;
}

brant_status brant__module_validate_node(brant__call *call) {
    return validate(call, false);
}

brant_status brant__module_validate_edge(brant__call *call) {
    return validate(call, true);
}

/* ---- modules.diff ---------------------------------------------------------------------------- */

brant_status brant__modules_diff(brant__call *call) {
    opened from = {0}, to = {0};
    brant__writer edits = {0};
    brant__class class;
    brant_status status;
    BRANT__TRY(open_module(&from, brant__json_get(call->input, "from"), 0));
    BRANT__TRY(open_module(&to, brant__json_get(call->input, "to"), 0));
    brant__write_array(&edits);
    BRANT__TRY(
        brant__module_diff(&class, &edits, from.document, from.module, to.document, to.module));
    brant__write_end(&edits);
    if (edits.buffer.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    const char *name = brant__class_names[class];
    brant__write_object(call->out);
    brant__write_text_member(call->out, "class", brant__text_string(name));
    brant__write_name(call->out, "edits");
    brant__write_raw(call->out, brant__text_of(edits.buffer.data, edits.buffer.length));
    brant__write_end(call->out);
cleanup:
    brant__buffer_free(&edits.buffer);
    close_module(&to);
    close_module(&from);
    return status;
}

/* ---- modules.cast ---------------------------------------------------------------------------- */

static brant_status find_schema(const brant__schema **out, const brant__module *module,
                                brant__call *call) {
    yyjson_val *node = brant__json_get(call->input, "node_type");
    yyjson_val *edge = brant__json_get(call->input, "edge_type");
    const brant__text name = brant__json_text(node ? node : edge);
    *out = NULL;
    if (!module->typed) {
        if ((node && !yyjson_is_null(node)) || (edge && !yyjson_is_null(edge)))
            return brant__fail(BRANT_INVALID, "the module has no types; the type is null");
        return BRANT_OK;
    }
    uint32_t index = node ? brant__module_node(module, name) : BRANT__NO_TYPE;
    if (index != BRANT__NO_TYPE) *out = module->node_types[index].schema;
    index = edge ? brant__module_edge(module, name) : BRANT__NO_TYPE;
    if (index != BRANT__NO_TYPE) *out = module->edge_types[index].schema;
    return *out ? BRANT_OK
                : brant__fail(BRANT_INVALID, "the module has no such %s type",
                              node ? "node" : "edge");
}

static brant_status write_cast(brant__call *call, const brant__cast *cast,
                               const brant__schema *schema) {
    brant__writer *out = call->out;
    brant__write_object(out);
    brant__write_name(out, "attributes");
    brant__write_raw(out, brant__text_of(cast->text.data, cast->text.length));
    brant__write_bool_member(out, "changed", cast->changed);
    brant__write_name(out, "edits");
    brant__write_raw(out, brant__text_of(cast->edits.data, cast->edits.length));
    brant__write_bool_member(out, "valid", cast->valid);
    brant__write_name(out, "violations");
    brant__write_array(out);
    if (!cast->valid) brant__schema_violations(schema, cast->json.root, BRANT__TEXT(""), out);
    brant__write_end(out);
    brant__write_end(out);
    return BRANT_OK;
}

brant_status brant__module_cast(brant__call *call) {
    yyjson_val *attributes = brant__json_get(call->input, "attributes");
    opened given = {0};
    brant__cast cast = {0};
    const brant__schema *schema;
    brant_status status;
    if (!brant__json_get(call->input, "node_type") == !brant__json_get(call->input, "edge_type"))
        return brant__fail(BRANT_INVALID, "one of node_type and edge_type is needed");
    BRANT__TRY(open_module(&given, brant__json_get(call->input, "module"), 0));
    BRANT__TRY(find_schema(&schema, given.module, call));
    if (schema) {
        BRANT__TRY(brant__cast_value(&cast, schema, given.document, attributes));
    } else {
        brant__json_append(&cast.text, attributes);
        brant__buffer_append(&cast.edits, "[]", 2);
        cast.valid = true;
        if (cast.text.failed || cast.edits.failed) {
            status = brant__fail_memory();
            goto cleanup;
        }
    }
    status = write_cast(call, &cast, schema);
cleanup:
    brant__cast_free(&cast);
    close_module(&given);
    return status;
}

/* ---- modules.patch --------------------------------------------------------------------------- */

brant_status brant__module_patch(brant__call *call) {
    const size_t limit = call->db ? brant__db_limits(call->db)->document : (size_t)64 << 20;
    brant__buffer document = {0};
    const brant_status status =
        brant__patch_apply(&document, brant__json_get(call->input, "document"),
                           brant__json_get(call->input, "patch"), limit);
    if (status == BRANT_OK) {
        brant__write_object(call->out);
        brant__write_name(call->out, "document");
        brant__write_raw(call->out, brant__text_of(document.data, document.length));
        brant__write_end(call->out);
    }
    brant__buffer_free(&document);
    return status;
}
