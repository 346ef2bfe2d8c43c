/*
 * schema/validator.c: compiled schemas for hosts (brant/validator.h).
 *
 * The program is immutable; what a check needs besides is the parsed document's memory, which stays with the validator for the thread that finds it free.
 * Others parse into memory of their own.
 */
#include "brant/validator.h"

#include <stdatomic.h>

#include "schema/schema.h"

struct brant_validator {
    const brant__schema *schema;
    brant__schema *own;    /* of a schema that stands alone */
    brant__module *module; /* or what has it */
    atomic_flag busy;      /* who sets it uses `document` */
    brant__json document;
};

void brant_validator_free(brant_validator *validator) {
    if (!validator) return;
    brant__schema_free(validator->own);
    brant__module_free(validator->module);
    brant__json_free(&validator->document);
    brant__free(validator);
}

/* ---- opening --------------------------------------------------------------------------------- */

static brant_status check_members(yyjson_val *input) {
    static const char *const names[] = {"schema", "module", "node_type", "edge_type", "formats"};
    yyjson_val *name, *value;
    size_t index, count;

    if (!yyjson_is_obj(input)) return brant__fail(BRANT_INVALID, "the input must be a JSON object");
    yyjson_obj_foreach(input, index, count, name, value) {
        bool known = false;
        for (size_t i = 0; i < BRANT__COUNT(names) && !known; i++)
            known = brant__text_equal(brant__json_text(name), brant__text_string(names[i]));
        if (!known)
            return brant__fail(BRANT_INVALID,
                               "a validator takes schema, or module with node_type or edge_type, "
                               "and formats; nothing else");
        (void)value;
    }
    return BRANT_OK;
}

static brant_status read_flags(unsigned *out_flags, yyjson_val *input) {
    yyjson_val *formats = brant__json_get(input, "formats");

    *out_flags = 0;
    if (!formats) return BRANT_OK;
    *out_flags = BRANT__FORMAT_ASSERTS;
    if (brant__text_equal(brant__json_text(formats), BRANT__TEXT("assert"))) return BRANT_OK;
    if (!brant__text_equal(brant__json_text(formats), BRANT__TEXT("annotate")))
        return brant__fail(BRANT_INVALID, "formats is none of assert, annotate");
    *out_flags = BRANT__FORMAT_ANNOTATES;
    return BRANT_OK;
}

static brant_status open_schema(brant_validator *validator, yyjson_val *schema, unsigned flags) {
    brant_status status =
        brant__schema_compile_as(&validator->own, schema, schema, BRANT__TEXT(""), flags);

    validator->schema = validator->own;
    return status;
}

/* The schema of a type stands in the module, which is compiled whole. */
static brant_status open_type(brant_validator *validator, yyjson_val *input, unsigned flags) {
    brant__text node = brant__json_get_text(input, "node_type");
    brant__text edge = brant__json_get_text(input, "edge_type");
    uint32_t index = BRANT__NO_TYPE;
    const brant__module *module;
    brant_status status;

    if (!node.data == !edge.data)
        return brant__fail(BRANT_INVALID, "name one of node_type and edge_type, as text");
    status = brant__module_parse_as(&validator->module, brant__json_get(input, "module"), flags);
    if (status != BRANT_OK) return status;
    module = validator->module;
    if (module->typed)
        index = node.data ? brant__module_node(module, node) : brant__module_edge(module, edge);
    if (index != BRANT__NO_TYPE)
        validator->schema =
            node.data ? module->node_types[index].schema : module->edge_types[index].schema;
    if (validator->schema) return BRANT_OK;
    return brant__fail(BRANT_INVALID, "the module has no %s type of that name",
                       node.data ? "node" : "edge");
}

brant_status brant_validator_open(brant_validator **out_validator, const char *json,
                                  size_t json_len) {
    brant_validator *validator = NULL;
    brant__json input = {0};
    yyjson_val *schema;
    brant_status status;
    unsigned flags;

    brant__error_clear();
    *out_validator = NULL;
    BRANT__TRY(brant__json_parse(&input, json, json_len, 0));
    BRANT__TRY(check_members(input.root));
    BRANT__TRY(read_flags(&flags, input.root));
    schema = brant__json_get(input.root, "schema");
    if (!schema == !brant__json_get(input.root, "module")) {
        status = brant__fail(BRANT_INVALID, "give one of schema and module");
        goto cleanup;
    }
    validator = brant__alloc_zero(sizeof(*validator));
    if (!validator) {
        status = brant__fail_memory();
        goto cleanup;
    }
    atomic_flag_clear(&validator->busy);
    if (schema)
        BRANT__TRY(open_schema(validator, schema, flags));
    else
        BRANT__TRY(open_type(validator, input.root, flags));
    *out_validator = validator;
    validator = NULL;
cleanup:
    brant_validator_free(validator);
    brant__json_free(&input);
    return brant__answer(status);
}

/* ---- judging --------------------------------------------------------------------------------- */

/* A document while it is judged: the validator's own memory, or `spare` where another thread has it. */
typedef struct judgement {
    brant__json *document;
    brant__json spare;
} judgement;

static brant_status read_document(judgement *judged, brant_validator *validator, const char *json,
                                  size_t json_len) {
    judged->spare = (brant__json){0};
    judged->document = atomic_flag_test_and_set_explicit(&validator->busy, memory_order_acquire)
                           ? &judged->spare
                           : &validator->document;
    return brant__json_parse(judged->document, json, json_len, 0);
}

static void done(judgement *judged, brant_validator *validator) {
    if (judged->document == &judged->spare)
        brant__json_free(&judged->spare);
    else
        atomic_flag_clear_explicit(&validator->busy, memory_order_release);
}

brant_status brant_validator_accepts(int *out_accepted, brant_validator *validator,
                                     const char *json, size_t json_len) {
    judgement judged;
    brant_status status;

    brant__error_clear();
    *out_accepted = 0;
    if (!validator) return brant__fail(BRANT_MISUSE, "no validator");
    status = read_document(&judged, validator, json, json_len);
    if (status == BRANT_OK)
        *out_accepted = brant__schema_accepts(validator->schema, judged.document->root);
    done(&judged, validator);
    return brant__answer(status);
}

brant_status brant_validator_report(char **out_json, size_t *out_json_len,
                                    brant_validator *validator, const char *json, size_t json_len) {
    brant__writer violations = {0}, out = {0};
    judgement judged;
    size_t count = 0;
    brant_status status;

    brant__error_clear();
    *out_json = NULL;
    *out_json_len = 0;
    if (!validator) return brant__fail(BRANT_MISUSE, "no validator");
    BRANT__TRY(read_document(&judged, validator, json, json_len));
    brant__write_array(&violations);
    count = brant__schema_violations(validator->schema, judged.document->root, BRANT__TEXT(""),
                                     &violations);
    brant__write_end(&violations);
    if (violations.buffer.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    brant__write_object(&out);
    brant__write_bool_member(&out, "valid", count == 0);
    brant__write_name(&out, "violations");
    brant__write_raw(&out, brant__text_of(violations.buffer.data, violations.buffer.length));
    brant__write_end(&out);
    status = out.buffer.failed ? brant__fail_memory()
                               : brant__buffer_take(out_json, out_json_len, &out.buffer);
cleanup:
    done(&judged, validator);
    brant__buffer_free(&violations.buffer);
    brant__buffer_free(&out.buffer);
    return brant__answer(status);
}
