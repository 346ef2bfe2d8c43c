/*
 * tests/fuzz/pattern.c: a pattern, a NUL, a text. Direct matches are those of the regular expression engine.
 */
#include "fuzz.h"
#include "schema/program.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *end = memchr(data, 0, size);
    const size_t length = end ? (size_t)(end - data) : size;
    const char *text = end ? (const char *)end + 1 : "";
    const size_t text_length = end ? size - length - 1 : 0;
    brant__pattern *pattern = NULL;
    brant__buffer message = {0};
    if (brant__utf8_check((const char *)data, length) != SIZE_MAX ||
        brant__utf8_check(text, text_length) != SIZE_MAX)
        return 0;
    const brant_status status =
        brant__pattern_compile(&pattern, brant__text_of((const char *)data, length), &message);
    HOLDS(status == BRANT_OK || (status == BRANT_VALIDATION && message.length > 0));
    if (pattern) {
        const int direct = brant__pattern_match(pattern, text, text_length);
        if (brant__pattern_simple(pattern))
            HOLDS(direct == brant__pattern_search(pattern, text, text_length));
    }
    brant__pattern_free(pattern);
    brant__buffer_free(&message);
    return 0;
}
