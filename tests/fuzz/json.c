/*
 * tests/fuzz/json.c: any bytes as JSON. What is accepted reads back as the same value from its compact form, which is its own compact form.
 */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *compact = NULL, *again = NULL;
    size_t compact_length = 0, again_length = 0;
    brant__json first = {0}, second = {0};
    const brant_status status =
        brant_json_compact(&compact, &compact_length, (const char *)data, size);
    if (status != BRANT_OK) {
        HOLDS(expected(status) && !compact);
        HOLDS(brant__json_parse(&first, (const char *)data, size, 0) == status);
        brant__json_free(&first);
        return 0;
    }
    HOLDS(brant_json_compact(&again, &again_length, compact, compact_length) == BRANT_OK);
    HOLDS(again_length == compact_length && memcmp(again, compact, again_length) == 0);
    HOLDS(brant__json_parse(&first, (const char *)data, size, 0) == BRANT_OK);
    HOLDS(brant__json_parse(&second, compact, compact_length, 0) == BRANT_OK);
    HOLDS(brant__json_equal(first.root, second.root));
    brant__json_free(&second);
    brant__json_free(&first);
    brant_free(again);
    brant_free(compact);
    return 0;
}
