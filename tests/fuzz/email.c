/*
 * tests/fuzz/email.c: any bytes as an email address, a slug and a Punycode label: what is taken has one normal form, within its bounds.
 */
#include "identity/email.h"
#include "fuzz.h"
#include "identity/punycode.h"
#include "identity/slug.h"

typedef brant_status (*normalize_function)(brant__text *, brant__arena *, brant__text);

static void try_normalize(normalize_function normalize, brant__text text, size_t most) {
    brant__arena arena = {NULL};
    brant__text once, twice;

    brant__error_clear();
    if (normalize(&once, &arena, text) == BRANT_OK) {
        HOLDS(once.length > 0 && once.length <= most && once.data[once.length] == '\0');
        for (size_t i = 0; i < once.length; i++)
            HOLDS(once.data[i] > 0x20 && once.data[i] < 0x7F &&
                  !(once.data[i] >= 'A' && once.data[i] <= 'Z'));
        HOLDS(normalize(&twice, &arena, once) == BRANT_OK);
        HOLDS(brant__text_equal(once, twice));
    } else {
        HOLDS(brant_last_error()->code == BRANT_INVALID && once.data == NULL);
        HOLDS(strlen(brant_last_error()->message) < 400);
        HOLDS(!strpbrk(brant_last_error()->message, "\r\n\t"));
    }
    brant__arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const brant__text text = brant__text_of((const char *)data, size);
    int32_t points[64], again[64];
    char encoded[1024];
    size_t count, length, count_again;

    try_normalize(brant__email_normalize, text, 254);
    try_normalize(brant__slug_normalize, text, 63);
    if (brant__punycode_decode(points, &count, BRANT__COUNT(points), text) &&
        brant__punycode_encode(encoded, &length, sizeof encoded, points, count)) {
        HOLDS(brant__punycode_decode(again, &count_again, BRANT__COUNT(again),
                                     brant__text_of(encoded, length)));
        HOLDS(count == count_again && memcmp(points, again, count * sizeof *points) == 0);
    }
    return 0;
}
