/*
 * test_schema.h: what the tests of schema share: texts parsed and compiled, failures with the text that caused them.
 */
#ifndef TEST_SCHEMA_H
#define TEST_SCHEMA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "schema/schema.h"
#include "test_base_allocator.h"

static inline brant__json parsed(const char *text) {
    brant__json json = {0};
    brant__error_clear();
    if (brant__json_parse(&json, text, strlen(text), 0) != BRANT_OK)
        fail_msg("%s: %s", brant_last_error()->message, text);
    return json;
}

/* The schema of a document that is one. */
static inline brant__schema *compiled(const char *text) {
    brant__json json = parsed(text);
    brant__schema *schema = NULL;
    brant__error_clear();
    if (brant__schema_compile(&schema, json.root, json.root, BRANT__TEXT("")) != BRANT_OK) {
        fail_msg("%s: %s", brant_last_error()->message, text);
    }
    assert_non_null(schema);
    brant__json_free(&json);
    return schema;
}

/* The violations of a value as a JSON array; the caller frees it. */
static inline char *violations(const brant__schema *schema, yyjson_val *value, const char *prefix,
                               size_t *out_count) {
    brant__writer writer = {0};
    char *text = NULL;
    size_t length;
    brant__write_array(&writer);
    *out_count =
        brant__schema_violations(schema, value, brant__text_of(prefix, strlen(prefix)), &writer);
    brant__write_end(&writer);
    assert_int_equal(brant__buffer_take(&text, &length, &writer.buffer), BRANT_OK);
    return text;
}

/* Both ways of validating, which must agree. */
static inline bool accepts(const brant__schema *schema, yyjson_val *value) {
    size_t count;
    const bool accepted = brant__schema_accepts(schema, value);
    char *text = violations(schema, value, "", &count);
    if (accepted != (count == 0))
        fail_msg("accepted: %d, but the violations are %s", accepted, text);
    brant_free(text);
    return accepted;
}

#endif
