/*
 * base/json.c: parsing, and the checks that yyjson leaves to its users.
 *
 * yyjson lays a document out flat: `val_read` values in the order of the text, a container followed
 * by its members, its offset leading behind them. So one forward walk checks everything, and the
 * position of a fault in that order leads back to its byte in the text: nothing needs to be
 * remembered on the path where all is well.
 */
#include "base/json.h"

#include <stdio.h>

/* A region up to this is kept from parse to parse; a text that may need more is parsed into memory
 * of its own. */
#define REGION_LIMIT ((size_t)1 << 20)
#define REGION_FIRST ((size_t)8 << 10)

/* Up to so many members, comparing all pairs is faster than hashing. */
#define SMALL_OBJECT 16

/* ---- memory for yyjson ----------------------------------------------------------------------- */

/*
 * Bump allocation in the document's own memory. yyjson asks for two blocks, the text's copy and the
 * values, and only the last one grows, so growing happens in place.
 */
typedef struct region {
    char *at;
    char *end;
    char *last;
} region;

static void *region_malloc(void *context, size_t size) {
    region *self = context;
    char *memory = self->at;

    if (size > (size_t)(self->end - self->at)) return NULL;
    size = (size + 15) & ~(size_t)15;
    if (size > (size_t)(self->end - self->at)) return NULL;
    self->at += size;
    self->last = memory;
    return memory;
}

static void *region_realloc(void *context, void *memory, size_t old_size, size_t size) {
    region *self = context;
    void *moved;

    if (size <= old_size) return memory; /* `at` never goes back: memory_used */
    if (memory == self->last) {
        if (size > (size_t)(self->end - self->last)) return NULL;
        self->at = self->last + ((size + 15) & ~(size_t)15);
        if (self->at > self->end) self->at = self->end;
        return memory;
    }
    moved = region_malloc(context, size);
    if (moved) memcpy(moved, memory, old_size < size ? old_size : size);
    return moved;
}

static void region_free(void *context, void *memory) {
    (void)context;
    (void)memory;
}

static void *heap_malloc(void *context, size_t size) {
    (void)context;
    return brant__alloc(size);
}

static void *heap_realloc(void *context, void *memory, size_t old_size, size_t size) {
    (void)context;
    (void)old_size;
    return brant__realloc(memory, size);
}

static void heap_free(void *context, void *memory) {
    (void)context;
    brant__free(memory);
}

static const yyjson_alc heap_allocator = {heap_malloc, heap_realloc, heap_free, NULL};

static void region_drop(brant__json *json) {
    brant__free_used(json->memory, json->memory_used);
    json->memory = NULL;
    json->memory_size = json->memory_used = 0;
}

/* Room in json->memory for a text of this length; false when it should not be parsed there. */
static bool region_prepare(brant__json *json, size_t length) {
    size_t needed, size = REGION_FIRST;
    void *memory;

    if (length > REGION_LIMIT) return false;
    needed = yyjson_read_max_memory_usage(length, YYJSON_READ_NOFLAG);
    if (needed > REGION_LIMIT) return false;
    if (json->memory_size >= needed) return true;
    while (size < needed)
        size *= 2;
    region_drop(json);
    json->memory = memory = brant__alloc(size);
    if (!memory) return false;
    json->memory_size = size;
    return true;
}

/* Forget the document; its region stays. */
static void forget(brant__json *json) {
    uintptr_t doc = (uintptr_t)json->doc, memory = (uintptr_t)json->memory;

    if (json->doc && !(doc >= memory && doc < memory + json->memory_size))
        yyjson_doc_free(json->doc);
    json->doc = NULL;
    json->root = NULL;
}

/* ---- faults ---------------------------------------------------------------------------------- */

static brant_status fail_at(brant_status code, size_t offset, const char *what) {
    char detail[40];
    int length = snprintf(detail, sizeof(detail), "{\"offset\":%zu}", offset);

    return brant__fail_detail(code, brant__text_of(detail, (size_t)length), "JSON: %s at byte %zu",
                              what, offset);
}

static bool ends_word(char byte) {
    static const char ends[8] = {' ', '\t', '\n', '\r', ',', ':', ']', '}'};

    return memchr(ends, byte, sizeof(ends)) != NULL;
}

/* Where in a text that is known to parse the value stands that is number `ordinal` in its order. */
static size_t offset_of(const char *text, size_t length, size_t ordinal) {
    for (size_t i = 0; i < length;) {
        switch (text[i]) {
        case ' ':
        case '\t':
        case '\n':
        case '\r':
        case ',':
        case ':':
        case ']':
        case '}':
            i++;
            continue;
        default:
            break;
        }
        if (ordinal-- == 0) return i;
        if (text[i] == '"') {
            for (i++; i < length && text[i] != '"'; i++)
                i += text[i] == '\\';
            i++;
        } else if (text[i] == '{' || text[i] == '[') {
            i++;
        } else {
            while (i < length && !ends_word(text[i]))
                i++;
        }
    }
    return length;
}

/* The UTF-16 unit of the escape that begins at `at`, or 0 where none does. */
static unsigned escaped_unit(const char *at, const char *end) {
    unsigned unit = 0;

    if (end - at < 6 || at[0] != '\\' || at[1] != 'u') return 0;
    for (int i = 2; i < 6; i++) {
        unsigned digit = (unsigned char)at[i];
        if (digit - '0' < 10)
            digit -= '0';
        else if ((digit | 0x20) - 'a' < 6)
            digit = (digit | 0x20) - 'a' + 10;
        else
            return 0;
        unit = unit << 4 | digit;
    }
    return unit;
}

/* The first escape of a surrogate without its other half; only strings have backslashes in a text
 * valid that far. */
static size_t lone_surrogate(const char *text, size_t length) {
    const char *end = text + length;
    const char *at = text;

    while ((at = memchr(at, '\\', (size_t)(end - at))) != NULL) {
        unsigned unit = escaped_unit(at, end);
        if (unit >> 10 == 0xD800 >> 10 && escaped_unit(at + 6, end) >> 10 == 0xDC00 >> 10)
            at += 12;
        else if (unit >> 11 == 0xD800 >> 11)
            return (size_t)(at - text);
        else if (end - at < 2)
            break;
        else
            at += 2;
    }
    return SIZE_MAX;
}

static brant_status fail_parse(const char *text, size_t length, const yyjson_read_err *fault) {
    size_t offset = fault->pos < length ? fault->pos : length;
    size_t invalid;

    if (fault->code == YYJSON_READ_ERROR_MEMORY_ALLOCATION) return brant__fail_memory();
    if (fault->code == YYJSON_READ_ERROR_EMPTY_CONTENT) {
        return fail_at(BRANT_INVALID_JSON, length, "no value in the text");
    }
    if (fault->code == YYJSON_READ_ERROR_INVALID_STRING) {
        /* yyjson points at the neighbourhood, each version at another; the byte is easily had. */
        if (strstr(fault->msg, "UTF-8")) {
            invalid = brant__utf8_check(text + offset, length - offset);
            if (invalid != SIZE_MAX)
                return fail_at(BRANT_INVALID_JSON, offset + invalid, "invalid UTF-8");
        }
        if (strstr(fault->msg, "surrogate")) {
            invalid = lone_surrogate(text, length);
            if (invalid != SIZE_MAX)
                return fail_at(BRANT_INVALID_JSON, invalid, "a lone surrogate");
        }
    }
    return fail_at(BRANT_INVALID_JSON, offset, fault->msg ? fault->msg : "syntax error");
}

/* ---- the checks ------------------------------------------------------------------------------ */

typedef struct check {
    const char *text;
    size_t length;
    yyjson_val *root;
    bool may_have_nul;
} check;

static brant_status fail_value(const check *self, const yyjson_val *value, brant_status code,
                               const char *what) {
    return fail_at(code, offset_of(self->text, self->length, (size_t)(value - self->root)), what);
}

/* As unsafe_yyjson_get_len, for what is only read. */
static inline size_t length_of(const yyjson_val *value) {
    return (size_t)(value->tag >> YYJSON_TAG_BIT);
}

/* Which name is not said: this may be within a secret, and the offset tells. */
static brant_status fail_duplicate(const check *self, const yyjson_val *name) {
    return fail_value(self, name, BRANT_INVALID_JSON, "duplicate member name");
}

static inline bool same_name(const yyjson_val *a, const yyjson_val *b) {
    size_t length = length_of(a);

    return length == length_of(b) && memcmp(a->uni.str, b->uni.str, length) == 0;
}

/* Differs for most names that differ: their ends, where names of one object tend to differ, and
 * their length. */
static inline uint64_t signature(const yyjson_val *name) {
    const char *text = name->uni.str;
    size_t length = length_of(name);
    uint64_t first = 0, last = 0;

    if (BRANT__LIKELY(length >= 8)) {
        memcpy(&first, text, 8);
        memcpy(&last, text + length - 8, 8);
    } else if (length >= 4) {
        memcpy(&first, text, 4);
        memcpy(&last, text + length - 4, 4);
    } else if (length > 0) {
        first = (uint64_t)(unsigned char)text[0] << 16 |
                (uint64_t)(unsigned char)text[length / 2] << 8 | (unsigned char)text[length - 1];
    }
    return first ^ (last << 29 | last >> 35) ^ (uint64_t)length << 56;
}

static brant_status check_small_object(const check *self, yyjson_val *object, size_t count) {
    uint64_t signatures[SMALL_OBJECT];
    yyjson_val *names[SMALL_OBJECT];
    yyjson_val *name = object + 1;

    for (size_t i = 0; i < count; i++) {
        uint64_t own = signature(name);
        for (size_t j = 0; j < i; j++) {
            if (BRANT__UNLIKELY(signatures[j] == own) && same_name(names[j], name))
                return fail_duplicate(self, name);
        }
        signatures[i] = own;
        names[i] = name;
        name = unsafe_yyjson_get_next(name + 1);
    }
    return BRANT_OK;
}

/*
 * A hash table of an object's names, seeded so that nobody can prepare names that collide. A slot
 * holds 32 bits of the hash and the place of the name counted from the object, which is never 0.
 */
typedef struct name_table {
    uint64_t *slots;
    size_t mask;
    uint64_t seed;
    uint64_t small[256];
} name_table;

static bool name_table_prepare(name_table *table, size_t count) {
    size_t capacity = BRANT__COUNT(table->small);

    table->seed = brant__hash_seed();
    table->slots = table->small;
    if (count > capacity / 2) {
        while (capacity / 2 < count)
            capacity *= 2;
        table->slots = brant__alloc_zero(capacity * sizeof(uint64_t));
        if (!table->slots) return false;
    } else {
        memset(table->small, 0, sizeof(table->small));
    }
    table->mask = capacity - 1;
    return true;
}

static void name_table_free(name_table *table) {
    if (table->slots != table->small) brant__free(table->slots);
}

/* The equal name that is in the table already; otherwise NULL, and with `place` the name is put in.
 */
static yyjson_val *name_table_find(name_table *table, yyjson_val *object, const yyjson_val *name,
                                   uint32_t place) {
    uint64_t hash = brant__hash_seeded(name->uni.str, length_of(name), table->seed);
    size_t i = (size_t)hash & table->mask;

    for (; table->slots[i]; i = (i + 1) & table->mask) {
        uint64_t slot = table->slots[i];
        if (slot >> 32 == hash >> 32 && same_name(object + (uint32_t)slot, name))
            return object + (uint32_t)slot;
    }
    if (place) table->slots[i] = (hash >> 32 << 32) | place;
    return NULL;
}

static brant_status check_large_object(const check *self, yyjson_val *object, size_t count) {
    name_table table;
    yyjson_val *name = object + 1;
    brant_status status = BRANT_OK;

    if (!name_table_prepare(&table, count)) return brant__fail_memory();
    for (size_t i = 0; i < count; i++) {
        if (BRANT__UNLIKELY(name_table_find(&table, object, name, (uint32_t)(name - object)))) {
            status = fail_duplicate(self, name);
            break;
        }
        name = unsafe_yyjson_get_next(name + 1);
    }
    name_table_free(&table);
    return status;
}

static brant_status check_object(const check *self, yyjson_val *object) {
    size_t count = length_of(object);

    if (BRANT__UNLIKELY(self->may_have_nul)) {
        yyjson_val *name = object + 1;
        for (size_t i = 0; i < count; i++) {
            if (memchr(name->uni.str, '\0', length_of(name))) {
                return fail_value(self, name, BRANT_INVALID_JSON, "a NUL in a member name");
            }
            name = unsafe_yyjson_get_next(name + 1);
        }
    }
    if (count < 2) return BRANT_OK;
    if (count <= SMALL_OBJECT) return check_small_object(self, object, count);
    return check_large_object(self, object, count);
}

/* Whether "\u0000" stands anywhere in the text: only so can a name hold a NUL. */
static bool escapes_nul(const char *text, size_t length) {
    const char *end = text + length;

    while ((text = memchr(text, '\\', (size_t)(end - text))) != NULL) {
        if (end - text >= 6 && memcmp(text, "\\u0000", 6) == 0) return true;
        text += 2; /* the escaped character may be a backslash itself */
        if (text >= end) break;
    }
    return false;
}

static brant_status check_document(const check *self, size_t count, unsigned depth) {
    const yyjson_val *ends[BRANT__JSON_DEPTH + BRANT__JSON_AROUND];
    unsigned level = 0;
    brant_status status;

    for (yyjson_val *value = self->root, *end = value + count; value < end; value++) {
        switch (unsafe_yyjson_get_type(value)) {
        case YYJSON_TYPE_OBJ:
        case YYJSON_TYPE_ARR:
            while (level > 0 && value >= ends[level - 1])
                level--;
            if (level == depth) return fail_value(self, value, BRANT_LIMIT, "nesting too deep");
            ends[level++] = unsafe_yyjson_get_next(value);
            if (unsafe_yyjson_is_obj(value)) {
                status = check_object(self, value);
                if (BRANT__UNLIKELY(status != BRANT_OK)) return status;
            }
            break;
        case YYJSON_TYPE_NUM:
            /* Between 2^63 and 2^64 a double has 11 bits less than the integer. */
            if (unsafe_yyjson_is_uint(value) && BRANT__UNLIKELY(value->uni.u64 > INT64_MAX) &&
                (value->uni.u64 & 0x7FF) != 0) {
                return fail_value(self, value, BRANT_INVALID_JSON,
                                  "a number that is neither an int64 nor a double");
            }
            break;
        case YYJSON_TYPE_RAW:
            return fail_value(self, value, BRANT_INVALID_JSON,
                              "a number that is neither an int64 nor a double");
        default:
            break;
        }
    }
    return BRANT_OK;
}

/* ---- parsing --------------------------------------------------------------------------------- */

brant_status brant__json_parse(brant__json *json, const char *text, size_t length, unsigned depth) {
    /* yyjson copies the text; only its in-place mode, not used here, would write to it. */
    char *source = (char *)(uintptr_t)text;
    const yyjson_read_flag flags = YYJSON_READ_BIGNUM_AS_RAW;
    yyjson_read_err fault = {0};
    size_t used;
    check self;
    brant_status status;

    forget(json);
    if (depth == 0) depth = BRANT__JSON_DEPTH;
    if (depth > BRANT__JSON_DEPTH + BRANT__JSON_AROUND)
        depth = BRANT__JSON_DEPTH + BRANT__JSON_AROUND;
    if (length == 0) return fail_at(BRANT_INVALID_JSON, 0, "no value in the text");

    if (region_prepare(json, length)) {
        region memory = {json->memory, (char *)json->memory + json->memory_size, NULL};
        yyjson_alc allocator = {region_malloc, region_realloc, region_free, &memory};
        json->doc = yyjson_read_opts(source, length, flags, &allocator, &fault);
        used = (size_t)(memory.at - (char *)json->memory);
        if (used > json->memory_used) json->memory_used = used;
    }
    if (!json->doc &&
        (fault.code == YYJSON_READ_SUCCESS || fault.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION)) {
        /* Too large for a region, or no memory for one. */
        region_drop(json);
        json->doc = yyjson_read_opts(source, length, flags, &heap_allocator, &fault);
    }
    if (!json->doc) return fail_parse(text, length, &fault);

    if (yyjson_doc_get_val_count(json->doc) >= UINT32_MAX) {
        forget(json);
        return brant__fail(BRANT_LIMIT, "JSON: more than 2^32 values");
    }
    self = (check){text, length, json->doc->root, escapes_nul(text, length)};
    status = check_document(&self, yyjson_doc_get_val_count(json->doc), depth);
    if (BRANT__UNLIKELY(status != BRANT_OK)) {
        forget(json);
        return status;
    }
    json->root = json->doc->root;
    return BRANT_OK;
}

void brant__json_free(brant__json *json) {
    forget(json);
    region_drop(json);
    *json = (brant__json){0};
}

/* ---- reading --------------------------------------------------------------------------------- */

brant__text brant__json_text(yyjson_val *value) {
    if (!yyjson_is_str(value)) return (brant__text){NULL, 0};
    return brant__text_of(unsafe_yyjson_get_str(value), length_of(value));
}

int64_t brant__json_integer(yyjson_val *value, int64_t otherwise) {
    double real;

    if (yyjson_is_sint(value)) return value->uni.i64;
    if (yyjson_is_uint(value))
        return value->uni.u64 <= INT64_MAX ? (int64_t)value->uni.u64 : otherwise;
    if (!yyjson_is_real(value)) return otherwise;
    real = value->uni.f64;
    if (!(real >= -0x1p63 && real < 0x1p63)) return otherwise;
    return (double)(int64_t)real == real ? (int64_t)real : otherwise;
}

bool brant__json_bool(yyjson_val *value, bool otherwise) {
    return yyjson_is_bool(value) ? unsafe_yyjson_get_bool(value) : otherwise;
}

bool brant__envelope_like(yyjson_val *value) {
    return yyjson_is_obj(value) && (yyjson_obj_getn(value, "$enc", 4) != NULL ||
                                    yyjson_obj_getn(value, "$redacted", 9) != NULL);
}

bool brant__is_redacted(yyjson_val *value) {
    return yyjson_obj_size(value) == 1 && yyjson_is_true(yyjson_obj_get(value, "$redacted"));
}

/* ---- equality -------------------------------------------------------------------------------- */

/* A number as sign and magnitude, where it is an integer that fits. */
static bool as_integer(yyjson_val *value, bool *negative, uint64_t *magnitude) {
    double real;

    if (unsafe_yyjson_is_uint(value)) {
        *negative = false;
        *magnitude = value->uni.u64;
        return true;
    }
    if (unsafe_yyjson_is_sint(value)) {
        *negative = value->uni.i64 < 0;
        *magnitude = *negative ? 0 - value->uni.u64 : value->uni.u64;
        return true;
    }
    real = value->uni.f64;
    *negative = real < 0;
    if (*negative) real = -real;
    if (!(real < 0x1p64)) return false;
    *magnitude = (uint64_t)real;
    return (double)*magnitude == real;
}

static bool equal_numbers(yyjson_val *a, yyjson_val *b) {
    bool a_negative, b_negative;
    uint64_t a_magnitude, b_magnitude;

    if (unsafe_yyjson_is_real(a) && unsafe_yyjson_is_real(b)) {
        return a->uni.f64 >= b->uni.f64 && a->uni.f64 <= b->uni.f64;
    }
    return as_integer(a, &a_negative, &a_magnitude) && as_integer(b, &b_negative, &b_magnitude) &&
           a_negative == b_negative && a_magnitude == b_magnitude;
}

/* Recursion is bounded by the depth of what is parsed. */
static bool equal_objects(yyjson_val *a, yyjson_val *b) {
    size_t count = length_of(a);
    yyjson_val *a_name = a + 1, *b_name = b + 1;
    name_table table;
    bool hashed = false, equal = true;

    for (size_t i = 0; i < count && equal; i++) {
        yyjson_val *found = NULL;
        if (!hashed && same_name(a_name, b_name)) {
            /* Most often the order is the same. */
            found = b_name;
        } else if (count > SMALL_OBJECT) {
            if (!hashed) {
                yyjson_val *name = b + 1;
                hashed = name_table_prepare(&table, count);
                for (size_t j = 0; hashed && j < count; j++) {
                    name_table_find(&table, b, name, (uint32_t)(name - b));
                    name = unsafe_yyjson_get_next(name + 1);
                }
            }
            if (hashed) found = name_table_find(&table, b, a_name, 0);
        }
        if (!found && !hashed) {
            yyjson_val *name = b + 1;
            for (size_t j = 0; j < count && !found; j++) {
                if (same_name(a_name, name)) found = name;
                name = unsafe_yyjson_get_next(name + 1);
            }
        }
        equal = found && brant__json_equal(a_name + 1, found + 1);
        a_name = unsafe_yyjson_get_next(a_name + 1);
        b_name = unsafe_yyjson_get_next(b_name + 1);
    }
    if (hashed) name_table_free(&table);
    return equal;
}

bool brant__json_equal(yyjson_val *a, yyjson_val *b) {
    size_t count;

    if (!a || !b) return a == b;
    if (unsafe_yyjson_get_type(a) != unsafe_yyjson_get_type(b)) return false;
    switch (unsafe_yyjson_get_type(a)) {
    case YYJSON_TYPE_NULL:
        return true;
    case YYJSON_TYPE_BOOL:
        return unsafe_yyjson_get_bool(a) == unsafe_yyjson_get_bool(b);
    case YYJSON_TYPE_NUM:
        return equal_numbers(a, b);
    case YYJSON_TYPE_STR:
        return same_name(a, b);
    case YYJSON_TYPE_OBJ:
        return length_of(a) == length_of(b) && equal_objects(a, b);
    case YYJSON_TYPE_ARR:
        count = length_of(a);
        if (count != length_of(b)) return false;
        a++;
        b++;
        for (size_t i = 0; i < count; i++) {
            if (!brant__json_equal(a, b)) return false;
            a = unsafe_yyjson_get_next(a);
            b = unsafe_yyjson_get_next(b);
        }
        return true;
    default:
        return false;
    }
}
