/*
 * schema/unique.c: uniqueItems. Short arrays are compared pair by pair; long ones by hash, the only place where validating allocates. Without
 * memory for that it compares pair by pair after all: slower, the same answer.
 */
#include "schema/program.h"

enum { SHORT_ARRAY = 32 };

static uint64_t mix(uint64_t a, uint64_t b) {
    uint64_t mixed = (a ^ (b + UINT64_C(0x9E3779B97F4A7C15) + (a << 6) + (a >> 2))) *
                     UINT64_C(0xBF58476D1CE4E5B9);
    return mixed ^ mixed >> 31;
}

/* Equal values (brant__json_equal) have equal hashes: 1 and 1.0, objects in any order. */
static uint64_t hash_value(yyjson_val *value) {
    const yyjson_type type = yyjson_get_type(value);
    size_t index, count;
    yyjson_val *key, *item;
    uint64_t hash = type;
    switch (type) {
    case YYJSON_TYPE_BOOL:
        return mix(type, yyjson_get_bool(value));
    case YYJSON_TYPE_NUM: {
        const double real = yyjson_get_num(value);
        /* Beyond 2^53 neighbours share a hash, which costs a comparison only. */
        uint64_t bits = 0;
        if (real != 0) memcpy(&bits, &real, sizeof(bits));
        return mix(type, bits);
    }
    case YYJSON_TYPE_STR:
        return mix(type, brant__hash(yyjson_get_str(value), yyjson_get_len(value)));
    case YYJSON_TYPE_ARR:
        yyjson_arr_foreach(value, index, count, item) hash = mix(hash, hash_value(item));
        return hash;
    case YYJSON_TYPE_OBJ:
        yyjson_obj_foreach(value, index, count, key, item) {
            hash += mix(brant__hash(yyjson_get_str(key), yyjson_get_len(key)), hash_value(item));
        }
        return mix(type, hash);
    default:
        return mix(type, 0);
    }
}

static bool unique_by_pairs(yyjson_val *array) {
    size_t index, count;
    yyjson_val *item;
    yyjson_arr_foreach(array, index, count, item) {
        size_t before = 0;
        yyjson_val *other = yyjson_arr_get_first(array);
        for (; before < index; before++, other = unsafe_yyjson_get_next(other)) {
            if (brant__json_equal(item, other)) return false;
        }
    }
    return true;
}

typedef struct slot {
    uint64_t hash;
    yyjson_val *value;
} slot;

bool brant__items_unique(yyjson_val *array) {
    const size_t size = yyjson_arr_size(array);
    if (size <= SHORT_ARRAY) return unique_by_pairs(array);
    size_t capacity = 64;
    while (capacity < 2 * size)
        capacity *= 2;
    slot *slots = brant__alloc_zero(capacity * sizeof(*slots));
    if (!slots) return unique_by_pairs(array);
    bool unique = true;
    size_t index, count;
    yyjson_val *item;
    yyjson_arr_foreach(array, index, count, item) {
        const uint64_t hash = hash_value(item);
        size_t at = (size_t)hash & (capacity - 1);
        for (; slots[at].value && unique; at = (at + 1) & (capacity - 1)) {
            unique = slots[at].hash != hash || !brant__json_equal(slots[at].value, item);
        }
        if (!unique) break;
        slots[at] = (slot){hash, item};
    }
    brant__free(slots);
    return unique;
}
