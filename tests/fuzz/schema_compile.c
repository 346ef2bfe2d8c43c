/*
 * tests/fuzz/schema_compile.c: any JSON as a schema and as a module. What is compiled judges the document itself, both ways alike.
 */
#include "fuzz.h"
#include "schema/program.h"

static void judge(const brant__schema *schema, yyjson_val *value) {
    brant__writer out = {0};
    const bool accepted = brant__schema_accepts(schema, value);
    brant__write_array(&out);
    HOLDS((brant__schema_violations(schema, value, BRANT__TEXT(""), &out) == 0) == accepted);
    brant__write_end(&out);
    HOLDS(!out.buffer.failed);
    brant__buffer_free(&out.buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    brant__json json = {0};
    brant__error_clear();
    if (brant__json_parse(&json, (const char *)data, size, 0) == BRANT_OK) {
        brant__schema *schema = NULL;
        brant__module *module = NULL;
        brant_status status = brant__schema_compile(&schema, json.root, json.root, BRANT__TEXT(""));
        HOLDS(expected(status) && (status == BRANT_OK) == (schema != NULL));
        if (schema) judge(schema, json.root);
        brant__schema_free(schema);
        status = brant__module_parse(&module, json.root);
        HOLDS(expected(status) && (status == BRANT_OK) == (module != NULL));
        for (size_t i = 0; module && i < module->node_type_count; i++)
            judge(module->node_types[i].schema, json.root);
        brant__module_free(module);
    }
    brant__json_free(&json);
    return 0;
}
