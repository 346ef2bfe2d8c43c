/*
 * identity/slug.c: see slug.h.
 */
#include "identity/slug.h"

static bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

brant_status brant__slug_normalize(brant__text *out, brant__arena *arena, brant__text slug) {
    char *to;

    *out = (brant__text){NULL, 0};
    if (slug.length == 0) return brant__fail(BRANT_INVALID, "/slug: is empty");
    if (slug.length > BRANT__SLUG_MOST)
        return brant__fail(BRANT_INVALID, "/slug: has %zu bytes, more than %d", slug.length,
                           BRANT__SLUG_MOST);
    to = brant__arena_copy(arena, slug.data, slug.length);
    if (!to) return brant__fail_memory();
    for (size_t i = 0; i < slug.length; i++) {
        if (to[i] >= 'A' && to[i] <= 'Z') to[i] = (char)(to[i] - 'A' + 'a');
        if (!is_alphanumeric(to[i]) && to[i] != '-')
            return brant__fail(BRANT_INVALID,
                               "/slug: byte %zu is none of the letters a-z, digits and \"-\"", i);
    }
    if (to[0] == '-' || to[slug.length - 1] == '-')
        return brant__fail(BRANT_INVALID, "/slug: \"%s\" begins or ends with a hyphen", to);
    if (slug.length >= 4 && to[2] == '-' && to[3] == '-')
        return brant__fail(BRANT_INVALID,
                           "/slug: \"%s\" has hyphens in places three and four, as encoded "
                           "names of the DNS have",
                           to);
    *out = brant__text_of(to, slug.length);
    return BRANT_OK;
}
