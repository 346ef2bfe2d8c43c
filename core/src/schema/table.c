/*
 * schema/table.c: small hash tables over names, made when a schema is compiled so that looking a name up takes one probe.
 *
 * The quick hash looks at both ends of a name and its length. Some multipliers are tried until few names collide; where that fails (long names that
 * differ only in their middle) the table falls back to the hash of the whole name.
 */
#include "schema/program.h"

enum { TRIES = 64, LONGEST_PROBE = 8 };

/* Fill the slots; the longest probe, or SIZE_MAX at once when it passes `bound`. */
static size_t fill(uint32_t *slots, uint32_t mask, const brant__name *names, uint32_t count,
                   const char *text, uint64_t seed, size_t bound) {
    memset(slots, 0, ((size_t)mask + 1) * sizeof(*slots));
    size_t longest = 0;
    for (uint32_t i = 0; i < count; i++) {
        const char *data = text ? text + names[i].text : ""; /* every name may be empty */
        const uint64_t hash = seed ? brant__table_hash(data, names[i].length, seed)
                                   : brant__hash(data, names[i].length);
        uint32_t slot = (uint32_t)hash & mask;
        size_t probe = 0;
        for (; slots[slot]; slot = (slot + 1) & mask)
            probe++;
        slots[slot] = i + 1;
        if (probe > bound) return SIZE_MAX;
        if (probe > longest) longest = probe;
    }
    return longest;
}

brant__table brant__table_build(brant__buffer *slots, const brant__name *names, uint32_t first,
                                uint32_t count, const char *text) {
    brant__table table = {
        .name = first, .name_count = count, .slot = (uint32_t)(slots->length / sizeof(uint32_t))};
    if (count == 0) return table;
    uint32_t size = 4;
    while (size < 2 * (uint64_t)count)
        size *= 2;
    table.mask = size - 1;
    const size_t offset = slots->length;
    if (!brant__buffer_reserve(slots, size * sizeof(uint32_t))) return (brant__table){0};
    slots->length += size * sizeof(uint32_t);
    void *begin = slots->data + offset;
    uint32_t *mine = begin;
    uint64_t best_seed = 0, seed = UINT64_C(0x9E3779B97F4A7C15);
    size_t best = LONGEST_PROBE + 1;
    const int tries = count <= 64 ? TRIES : 2;
    for (int i = 0; i < tries && best > 0;
         i++, seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407)) {
        const size_t longest =
            fill(mine, table.mask, names + first, count, text, seed | 1, best - 1);
        if (longest < best) {
            best = longest;
            best_seed = seed | 1;
        }
    }
    table.seed = best_seed;
    fill(mine, table.mask, names + first, count, text, best_seed, SIZE_MAX - 1);
    return table;
}
