/*
 * base/json.h: JSON over yyjson, with what yyjson leaves open closed.
 *
 * Accepted: RFC 8259 in UTF-8. Refused with the byte offset in the detail {"offset": n}: syntax errors, a byte order mark, invalid UTF-8,
 * lone surrogates, a NUL in a member name, duplicate member names (compared after unescaping), numbers that neither int64 nor double
 * holds (integers above INT64_MAX are accepted only up to UINT64_MAX and only where a double holds them exactly; 1e400 is refused), nesting deeper than the limit (LIMIT).
 *
 * Only base/json.c depends on how yyjson lays values out; everybody may use yyjson's read-only accessors on a brant__json's values.
 */
#ifndef BRANT__JSON_H
#define BRANT__JSON_H

#include <yyjson.h>

/* yyjson's own goes one beyond NULL where there is no object. */
#undef yyjson_obj_foreach
#define yyjson_obj_foreach(obj, idx, max, key, val)                                                \
    for ((idx) = 0, (max) = yyjson_obj_size(obj),                                                  \
        (key) = yyjson_is_obj(obj) ? unsafe_yyjson_get_first(obj) : NULL,                          \
        (val) = (key) ? (key) + 1 : NULL;                                                          \
         (idx) < (max); (idx)++, (key) = unsafe_yyjson_get_next(val), (val) = (key) + 1)

#include "base/base.h"

#define BRANT__JSON_DEPTH  512
#define BRANT__JSON_AROUND 16 /* levels of an answer, a batch or an event around a document */

/*
 * A parsed document. Zero-initialise; parsing again reuses its memory, so a steady state of small documents allocates nothing
 * (memory above 1 MiB is given back). Values are borrowed from it until the next parse.
 */
typedef struct brant__json {
    yyjson_val *root;
    yyjson_doc *doc;
    void *memory;
    size_t memory_size;
    size_t memory_used; /* what lies behind was never written to */
} brant__json;

/* `depth` 0 means BRANT__JSON_DEPTH; of what the library itself wrote around documents it may be up to BRANT__JSON_AROUND more. The text is not kept. */
brant_status brant__json_parse(brant__json *json, const char *text, size_t length, unsigned depth);
void brant__json_free(brant__json *json);

/* ---- reading members ---------------------------------------------------------------------------------------------- */

/* NULL where the member is missing. */
static inline yyjson_val *brant__json_get(yyjson_val *object, const char *name) {
    return yyjson_obj_get(object, name);
}
/* The text of a string value; {NULL, 0} where the value is missing or not a string. */
brant__text brant__json_text(yyjson_val *value);
static inline brant__text brant__json_get_text(yyjson_val *object, const char *name) {
    return brant__json_text(yyjson_obj_get(object, name));
}
/* The int64 of an integer value, also of a double that is integral (1.0); `otherwise` where it is missing or something else. */
int64_t brant__json_integer(yyjson_val *value, int64_t otherwise);
bool brant__json_bool(yyjson_val *value, bool otherwise);

/* What stands in place of an encrypted value: an object that has a member "$enc" or "$redacted". No plaintext may look like that. */
bool brant__envelope_like(yyjson_val *value);
/* {"$redacted": true}: that there is a value, and nothing of it. */
bool brant__is_redacted(yyjson_val *value);

/*
 * Equality of JSON values: numbers by mathematical value (1 equals 1.0; 64-bit integers exactly), objects without order.
 */
bool brant__json_equal(yyjson_val *a, yyjson_val *b);

/*
 * RFC 7386: append the compact JSON of `target` (NULL: nothing) changed by `patch` (json_merge.c). Members keep the target's order, new ones
 * follow in the patch's. Recursion is as deep as the patch.
 */
void brant__json_merge(brant__buffer *out, yyjson_val *target, yyjson_val *patch);

/* ---- writing ------------------------------------------------------------------------------------------------------- */

/*
 * A writer appends compact JSON to a buffer and puts the commas itself. Usage:
 *     brant__write_object(w); brant__write_name(w, "key"); brant__write_text(w, text); brant__write_end(w);
 * Memory failure is the buffer's (sticky). Zero-initialise. Depth is limited to 64 of its own levels; copied values do not count.
 */
typedef struct brant__writer {
    brant__buffer buffer;
    uint64_t first;  /* bit n: nothing written yet on level n */
    uint64_t object; /* bit n: level n is an object */
    unsigned level;
    bool after_name;
} brant__writer;

void brant__write_object(brant__writer *writer);
void brant__write_array(brant__writer *writer);
void brant__write_end(brant__writer *writer); /* ends the innermost object or array */
void brant__write_name(brant__writer *writer, const char *name); /* a name that needs no escaping */
void brant__write_name_text(brant__writer *writer, brant__text name);
void brant__write_null(brant__writer *writer);
void brant__write_bool(brant__writer *writer, bool value);
void brant__write_integer(brant__writer *writer, int64_t value);
void brant__write_double(brant__writer *writer,
                         double value); /* shortest that reads back the same; not finite: null */
void brant__write_text(brant__writer *writer,
                       brant__text value); /* valid UTF-8; escapes only what JSON requires */
static inline void brant__write_text_or_null(brant__writer *writer, brant__text value) {
    if (value.data)
        brant__write_text(writer, value);
    else
        brant__write_null(writer);
}
void brant__write_value(brant__writer *writer,
                        yyjson_val *value); /* a parsed value, compact; NULL: null */
void brant__write_raw(brant__writer *writer,
                      brant__text json); /* JSON that is already compact, as it is */

/* A member of the open object. */
static inline void brant__write_integer_member(brant__writer *writer, const char *name,
                                               int64_t value) {
    brant__write_name(writer, name);
    brant__write_integer(writer, value);
}
static inline void brant__write_text_member(brant__writer *writer, const char *name,
                                            brant__text value) {
    brant__write_name(writer, name);
    brant__write_text(writer, value);
}
static inline void brant__write_bool_member(brant__writer *writer, const char *name, bool value) {
    brant__write_name(writer, name);
    brant__write_bool(writer, value);
}
/* An object of this one member. */
static inline void brant__write_integer_object(brant__writer *writer, const char *name,
                                               int64_t value) {
    brant__write_object(writer);
    brant__write_integer_member(writer, name, value);
    brant__write_end(writer);
}

/* The text of a finite number with a NUL; its length, or 0 for what is no finite number (json_number.c). */
#define BRANT__NUMBER_SIZE 48
size_t brant__json_number(char out[BRANT__NUMBER_SIZE], yyjson_val *value);

/* Compact JSON of a value, appended to a buffer. */
void brant__json_append(brant__buffer *buffer, yyjson_val *value);

/* Append a JSON string with its quotes. */
void brant__json_append_text(brant__buffer *buffer, brant__text text);

#endif
