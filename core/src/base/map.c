/*
 * base/map.c: a hash of bytes, and a map from bytes to a 64-bit value.
 *
 * The map is open addressing with linear probing and backward-shift removal: no tombstones, at most
 * three quarters full. Its keys come from outside, so it hashes with the process's random seed:
 * nobody can prepare keys that collide.
 */
#include "base/base.h"

/* ---- the hash -------------------------------------------------------------------------------- */

/* Odd, with 32 bits set, no two alike in any byte. */
#define SECRET_0 UINT64_C(0x9E3779B97F4A7C15)
#define SECRET_1 UINT64_C(0xD1342543DE82EF95)
#define SECRET_2 UINT64_C(0xA0761D6478BD642F)

static inline uint64_t load_8(const uint8_t *bytes) {
    uint64_t value;

    memcpy(&value, bytes, sizeof(value));
    return value;
}

static inline uint64_t load_4(const uint8_t *bytes) {
    uint32_t value;

    memcpy(&value, bytes, sizeof(value));
    return value;
}

/* Both halves of the 128-bit product, folded: every bit of the result depends on every bit of the
 * factors. */
static inline uint64_t fold(uint64_t a, uint64_t b) {
#if defined(__SIZEOF_INT128__)
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
    uint64_t a_high = a >> 32, a_low = a & UINT32_MAX, b_high = b >> 32, b_low = b & UINT32_MAX;
    uint64_t middle_1 = a_high * b_low, middle_2 = a_low * b_high, low = a_low * b_low;
    uint64_t carry = ((middle_1 & UINT32_MAX) + (middle_2 & UINT32_MAX) + (low >> 32)) >> 32;

    return (a * b) ^ (a_high * b_high + (middle_1 >> 32) + (middle_2 >> 32) + carry);
#endif
}

uint64_t brant__hash_seeded(const void *bytes, size_t length, uint64_t seed) {
    const uint8_t *at = bytes;
    uint64_t a = 0, b = 0;

    seed ^= fold(seed ^ SECRET_0, SECRET_1);
    if (BRANT__LIKELY(length <= 16)) {
        if (length >= 8) {
            a = load_8(at);
            b = load_8(at + length - 8);
        } else if (length >= 4) {
            a = load_4(at);
            b = load_4(at + length - 4);
        } else if (length > 0) {
            a = (uint64_t)at[0] << 16 | (uint64_t)at[length / 2] << 8 | at[length - 1];
        }
    } else {
        size_t left = length;
        if (left > 48) {
            uint64_t lane_1 = seed, lane_2 = seed;
            do {
                seed = fold(load_8(at) ^ SECRET_0, load_8(at + 8) ^ seed);
                lane_1 = fold(load_8(at + 16) ^ SECRET_1, load_8(at + 24) ^ lane_1);
                lane_2 = fold(load_8(at + 32) ^ SECRET_2, load_8(at + 40) ^ lane_2);
                at += 48;
                left -= 48;
            } while (left > 48);
            seed ^= lane_1 ^ lane_2;
        }
        while (left > 16) {
            seed = fold(load_8(at) ^ SECRET_0, load_8(at + 8) ^ seed);
            at += 16;
            left -= 16;
        }
        a = load_8(at + left - 16);
        b = load_8(at + left - 8);
    }
    return fold(SECRET_1 ^ (uint64_t)length, fold(a ^ SECRET_1, b ^ seed));
}

uint64_t brant__hash(const void *bytes, size_t length) {
    return brant__hash_seeded(bytes, length, 0);
}

/* ---- the map --------------------------------------------------------------------------------- */

#define FIRST_CAPACITY ((size_t)16)

/* Bytes of removed keys that are not worth a rebuild. */
#define DEAD_KEPT ((size_t)16 << 10)

typedef struct brant__map_entry {
    const char *key; /* NULL: free */
    size_t length;
    uint64_t hash;
    int64_t value;
} map_entry;

static size_t key_cost(size_t length) {
    return (length + 16) & ~(size_t)15;
}

/* The key's entry, or the free one where it belongs. Needs a free entry. */
static map_entry *probe(const brant__map *map, brant__text key, uint64_t hash) {
    size_t mask = map->capacity - 1;

    for (size_t i = (size_t)hash & mask;; i = (i + 1) & mask) {
        map_entry *entry = &map->entries[i];
        if (!entry->key) return entry;
        if (entry->hash == hash &&
            brant__text_equal(brant__text_of(entry->key, entry->length), key))
            return entry;
    }
}

static bool grow(brant__map *map) {
    brant__map larger = *map;

    larger.capacity = map->capacity ? map->capacity * 2 : FIRST_CAPACITY;
    if (larger.capacity > SIZE_MAX / 2 / sizeof(map_entry)) return false;
    larger.entries = brant__alloc_zero(larger.capacity * sizeof(map_entry));
    if (!larger.entries) return false;
    for (size_t i = 0; i < map->capacity; i++) {
        const map_entry *entry = &map->entries[i];
        size_t at = (size_t)entry->hash & (larger.capacity - 1);
        if (!entry->key) continue;
        while (larger.entries[at].key)
            at = (at + 1) & (larger.capacity - 1);
        larger.entries[at] = *entry;
    }
    brant__free(map->entries);
    *map = larger;
    return true;
}

/* Copy the keys that live into a new arena. Best effort: without memory all stays as it is. */
static void compact_keys(brant__map *map) {
    brant__arena keys = {0};
    const char **moved;
    size_t count = 0;

    moved = brant__alloc(map->capacity * sizeof(*moved));
    if (!moved) return;
    for (size_t i = 0; i < map->capacity; i++) {
        moved[i] = NULL;
        if (!map->entries[i].key) continue;
        moved[i] = brant__arena_copy(&keys, map->entries[i].key, map->entries[i].length);
        if (!moved[i]) break;
        count++;
    }
    if (count == map->count) {
        for (size_t i = 0; i < map->capacity; i++)
            map->entries[i].key = moved[i];
        brant__arena_free(&map->keys);
        map->keys = keys;
        map->dead = 0;
    } else {
        brant__arena_free(&keys);
    }
    brant__free(moved);
}

bool brant__map_get(const brant__map *map, brant__text key, int64_t *out_value) {
    const map_entry *entry;

    if (out_value) *out_value = 0;
    if (map->count == 0) return false;
    entry = probe(map, key, brant__hash_seeded(key.data, key.length, brant__hash_seed()));
    if (!entry->key) return false;
    if (out_value) *out_value = entry->value;
    return true;
}

bool brant__map_put(brant__map *map, brant__text key, int64_t value) {
    uint64_t hash = brant__hash_seeded(key.data, key.length, brant__hash_seed());
    map_entry *entry;
    char *copy;

    if (map->capacity) {
        entry = probe(map, key, hash);
        if (entry->key) {
            entry->value = value;
            return true;
        }
    }
    if (map->count >= map->capacity / 4 * 3 && !grow(map)) return false;
    copy = brant__arena_copy(&map->keys, key.data, key.length);
    if (!copy) return false;
    entry = probe(map, key, hash);
    *entry = (map_entry){copy, key.length, hash, value};
    map->count++;
    map->live += key_cost(key.length);
    return true;
}

bool brant__map_remove(brant__map *map, brant__text key) {
    size_t mask = map->capacity - 1;
    map_entry *entry;
    size_t hole;

    if (map->count == 0) return false;
    entry = probe(map, key, brant__hash_seeded(key.data, key.length, brant__hash_seed()));
    if (!entry->key) return false;
    map->live -= key_cost(entry->length);
    map->dead += key_cost(entry->length);

    /* Close the hole: move back whatever would no longer be reached across it. */
    hole = (size_t)(entry - map->entries);
    for (size_t i = (hole + 1) & mask; map->entries[i].key; i = (i + 1) & mask) {
        size_t home = (size_t)map->entries[i].hash & mask;
        if (((i - home) & mask) < ((i - hole) & mask)) continue;
        map->entries[hole] = map->entries[i];
        hole = i;
    }
    map->entries[hole] = (map_entry){0};
    map->count--;
    if (map->count == 0) {
        brant__arena_reset(&map->keys);
        map->dead = 0;
    } else if (map->dead > DEAD_KEPT && map->dead > map->live) {
        compact_keys(map);
    }
    return true;
}

void brant__map_clear(brant__map *map) {
    if (map->count) memset(map->entries, 0, map->capacity * sizeof(map_entry));
    brant__arena_reset(&map->keys);
    map->count = map->live = map->dead = 0;
}

void brant__map_free(brant__map *map) {
    brant__free(map->entries);
    brant__arena_free(&map->keys);
    *map = (brant__map){0};
}
