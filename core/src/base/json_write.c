/*
 * base/json_write.c: compact JSON, from parsed values and from the writer's calls.
 *
 * Names and texts are valid UTF-8 already, so only `"`, `\` and the control characters below U+0020
 * are escaped; all else, U+007F too, goes out as it is. Numbers are yyjson's: exact integers,
 * shortest doubles, no locale.
 */
#include "base/json.h"

/* Enough for any number (BRANT__NUMBER_SIZE) and the punctuation around. */
#define SLACK 48

/* Room for `extra` bytes and a NUL, with the test where the compiler can see it. */
static inline bool reserve(brant__buffer *buffer, size_t extra) {
    if (BRANT__LIKELY(!buffer->failed && buffer->capacity - buffer->length > extra)) return true;
    return brant__buffer_reserve(buffer, extra);
}

static inline void put(brant__buffer *buffer, char byte) {
    if (reserve(buffer, 1)) buffer->data[buffer->length++] = byte;
}

static inline void put_literal(brant__buffer *buffer, const char *literal, size_t length) {
    if (!reserve(buffer, length)) return;
    memcpy(buffer->data + buffer->length, literal, length);
    buffer->length += length;
}

/* ---- strings --------------------------------------------------------------------------------- */

#define ONES      UINT64_C(0x0101010101010101)
#define HIGH_BITS UINT64_C(0x8080808080808080)

/* Not 0 when a byte of the word is below 0x20, `"` or `\`. May report a word that has none: then
 * bytes decide. */
static inline uint64_t needs_escape(uint64_t word) {
    uint64_t quote = word ^ (ONES * '"');
    uint64_t backslash = word ^ (ONES * '\\');

    return ((word - ONES * 0x20) | (quote - ONES) | (backslash - ONES)) & ~word & HIGH_BITS;
}

static inline bool is_escaped(unsigned char byte) {
    return byte < 0x20 || byte == '"' || byte == '\\';
}

static char *escape(char *to, unsigned char byte) {
    static const char digits[] = "0123456789abcdef";
    static const char letters[0x20] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    char letter = byte < 0x20 ? letters[byte] : (char)byte;

    *to++ = '\\';
    if (letter) {
        *to++ = letter;
        return to;
    }
    *to++ = 'u';
    *to++ = '0';
    *to++ = '0';
    *to++ = digits[byte >> 4];
    *to++ = digits[byte & 15];
    return to;
}

/* Append with quotes. Copies by words, which never reach beyond the text, until one has something
 * to escape. */
static void append_text(brant__buffer *buffer, const char *text, size_t length) {
    const char *end = text + length;
    char *to;

    if (!reserve(buffer, length + SLACK)) return;
    to = buffer->data + buffer->length;
    *to++ = '"';
    for (;;) {
        while (end - text >= 8) {
            uint64_t word;
            memcpy(&word, text, sizeof(word));
            if (needs_escape(word)) break;
            memcpy(to, &word, sizeof(word));
            text += 8;
            to += 8;
        }
        /* Bytes to the end, or across the word that has something to escape. */
        for (int i = 0; i < 8 && text < end; i++) {
            unsigned char byte = (unsigned char)*text++;
            if (BRANT__LIKELY(!is_escaped(byte))) {
                *to++ = (char)byte;
                continue;
            }
            buffer->length = (size_t)(to - buffer->data);
            if (!reserve(buffer, (size_t)(end - text) + 8 + SLACK)) return;
            to = escape(buffer->data + buffer->length, byte);
        }
        if (text == end) break;
    }
    *to++ = '"';
    buffer->length = (size_t)(to - buffer->data);
}

void brant__json_append_text(brant__buffer *buffer, brant__text text) {
    append_text(buffer, text.length ? text.data : "", text.length);
}

/* yyjson says where a string had no escape in its source: that one needs none now. */
static inline void append_string(brant__buffer *buffer, yyjson_val *value) {
    size_t length = unsafe_yyjson_get_len(value);
    char *to;

    if (unsafe_yyjson_get_subtype(value) != YYJSON_SUBTYPE_NOESC) {
        append_text(buffer, value->uni.str, length);
        return;
    }
    if (!reserve(buffer, length + SLACK)) return;
    to = buffer->data + buffer->length;
    *to++ = '"';
    memcpy(to, value->uni.str, length);
    to[length] = '"';
    buffer->length += length + 2;
}

/* ---- values ---------------------------------------------------------------------------------- */

static void append_number(brant__buffer *buffer, yyjson_val *value) {
    size_t length;

    if (!reserve(buffer, SLACK)) return;
    length = brant__json_number(buffer->data + buffer->length, value);
    buffer->length += length;
    if (length == 0) put_literal(buffer, "null", 4); /* not finite */
}

/* What is open while a value is walked. */
typedef struct open_container {
    size_t left; /* members to come */
    bool is_object;
} open_container;

void brant__json_append(brant__buffer *buffer, yyjson_val *value) {
    open_container open[BRANT__JSON_DEPTH + BRANT__JSON_AROUND];
    size_t level = 0;

    if (!value) {
        put_literal(buffer, "null", 4);
        return;
    }
    for (;;) {
        size_t count;
        bool is_object;

        if (level > 0 && open[level - 1].is_object) {
            append_string(buffer, value++);
            put(buffer, ':');
        }
        switch (unsafe_yyjson_get_type(value)) {
        case YYJSON_TYPE_STR:
            append_string(buffer, value);
            break;
        case YYJSON_TYPE_NUM:
            append_number(buffer, value);
            break;
        case YYJSON_TYPE_BOOL:
            if (unsafe_yyjson_get_bool(value))
                put_literal(buffer, "true", 4);
            else
                put_literal(buffer, "false", 5);
            break;
        case YYJSON_TYPE_NULL:
            put_literal(buffer, "null", 4);
            break;
        case YYJSON_TYPE_OBJ:
        case YYJSON_TYPE_ARR:
            count = unsafe_yyjson_get_len(value);
            is_object = unsafe_yyjson_is_obj(value);
            if (count == 0) {
                put_literal(buffer, is_object ? "{}" : "[]", 2);
                break;
            }
            if (level == BRANT__JSON_DEPTH + BRANT__JSON_AROUND) {
                buffer->failed = true;
                return;
            }
            open[level++] = (open_container){count, is_object};
            put(buffer, is_object ? '{' : '[');
            value++;
            continue;
        default:
            buffer->failed = true;
            return;
        }
        while (level > 0 && --open[level - 1].left == 0) {
            put(buffer, open[level - 1].is_object ? '}' : ']');
            level--;
        }
        if (level == 0 || buffer->failed) return;
        put(buffer, ',');
        value++;
    }
}

brant_status brant_json_compact(char **out_json, size_t *out_json_len, const char *json,
                                size_t json_len) {
    brant__json parsed = {0};
    brant__buffer buffer = {0};
    brant_status status;

    brant__error_clear();
    if (!out_json) return brant__fail(BRANT_INVALID, "out_json is NULL");
    *out_json = NULL;
    if (out_json_len) *out_json_len = 0;
    if (!json) return brant__fail(BRANT_INVALID, "json is NULL");

    BRANT__TRY(brant__json_parse(&parsed, json, json_len, 0));
    brant__buffer_reserve(&buffer, json_len + SLACK);
    brant__json_append(&buffer, parsed.root);
    BRANT__TRY(brant__buffer_take(out_json, out_json_len, &buffer));

cleanup:
    brant__buffer_free(&buffer);
    brant__json_free(&parsed);
    return brant__answer(status);
}

/* ---- the writer ------------------------------------------------------------------------------ */

/* Level 0 is the document's single value and needs no commas; level n is bit n - 1. */
static uint64_t level_bit(const brant__writer *writer) {
    return UINT64_C(1) << (writer->level - 1);
}

static void separate(brant__writer *writer) {
    if (writer->after_name) {
        writer->after_name = false;
        return;
    }
    if (writer->level == 0) return;
    if (writer->first & level_bit(writer))
        writer->first &= ~level_bit(writer);
    else
        put(&writer->buffer, ',');
}

static void begin(brant__writer *writer, bool is_object) {
    separate(writer);
    if (writer->level == 64) {
        /* A fault of the caller's; failing is the only thing that cannot yield wrong JSON. */
        writer->buffer.failed = true;
        return;
    }
    put(&writer->buffer, is_object ? '{' : '[');
    writer->level++;
    writer->first |= level_bit(writer);
    if (is_object)
        writer->object |= level_bit(writer);
    else
        writer->object &= ~level_bit(writer);
}

void brant__write_object(brant__writer *writer) {
    begin(writer, true);
}

void brant__write_array(brant__writer *writer) {
    begin(writer, false);
}

void brant__write_end(brant__writer *writer) {
    if (writer->level == 0 || writer->after_name) {
        writer->buffer.failed = true;
        return;
    }
    put(&writer->buffer, writer->object & level_bit(writer) ? '}' : ']');
    writer->level--;
}

void brant__write_name(brant__writer *writer, const char *name) {
    separate(writer);
    writer->after_name = true;
    put(&writer->buffer, '"');
    put_literal(&writer->buffer, name, strlen(name));
    put_literal(&writer->buffer, "\":", 2);
}

void brant__write_name_text(brant__writer *writer, brant__text name) {
    separate(writer);
    writer->after_name = true;
    brant__json_append_text(&writer->buffer, name);
    put(&writer->buffer, ':');
}

void brant__write_null(brant__writer *writer) {
    brant__write_raw(writer, BRANT__TEXT("null"));
}

void brant__write_bool(brant__writer *writer, bool value) {
    brant__write_raw(writer, value ? BRANT__TEXT("true") : BRANT__TEXT("false"));
}

void brant__write_integer(brant__writer *writer, int64_t value) {
    yyjson_val number;

    separate(writer);
    number.tag = YYJSON_TYPE_NUM | (value < 0 ? YYJSON_SUBTYPE_SINT : YYJSON_SUBTYPE_UINT);
    number.uni.i64 = value;
    append_number(&writer->buffer, &number);
}

void brant__write_double(brant__writer *writer, double value) {
    yyjson_val number;

    separate(writer);
    number.tag = YYJSON_TYPE_NUM | YYJSON_SUBTYPE_REAL;
    number.uni.f64 = value;
    append_number(&writer->buffer, &number);
}

void brant__write_text(brant__writer *writer, brant__text value) {
    separate(writer);
    brant__json_append_text(&writer->buffer, value);
}

void brant__write_value(brant__writer *writer, yyjson_val *value) {
    separate(writer);
    brant__json_append(&writer->buffer, value);
}

void brant__write_raw(brant__writer *writer, brant__text json) {
    separate(writer);
    brant__buffer_append(&writer->buffer, json.data, json.length);
}
