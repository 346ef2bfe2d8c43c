/*
 * tests/fuzz/validate.c: [schema, value]. The verdict and the report agree, and the report is JSON.
 */
#include "fuzz.h"
#include "schema/program.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    brant__json json = {0}, report = {0};
    brant__schema *schema = NULL;
    brant__writer out = {0};
    brant__error_clear();
    if (brant__json_parse(&json, (const char *)data, size, 0) != BRANT_OK ||
        yyjson_arr_size(json.root) != 2)
        goto cleanup;
    yyjson_val *value = yyjson_arr_get(json.root, 1), *document = yyjson_arr_get_first(json.root);
    if (brant__schema_compile(&schema, document, document, BRANT__TEXT("")) != BRANT_OK)
        goto cleanup;
    const bool accepted = brant__schema_accepts(schema, value);
    brant__write_array(&out);
    const size_t count = brant__schema_violations(schema, value, BRANT__TEXT("/a"), &out);
    brant__write_end(&out);
    HOLDS((count == 0) == accepted);
    HOLDS(!out.buffer.failed);
    HOLDS(brant__json_parse(&report, out.buffer.data, out.buffer.length, 0) == BRANT_OK);
    HOLDS(yyjson_arr_size(report.root) == (count < BRANT__VIOLATIONS ? count : BRANT__VIOLATIONS));
cleanup:
    brant__json_free(&report);
    brant__buffer_free(&out.buffer);
    brant__schema_free(schema);
    brant__json_free(&json);
    return 0;
}
