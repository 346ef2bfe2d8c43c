/*
 * store/position.c: the cursors of lists.
 *
 * A cursor is base64 of: version, section, the list's check, three numbers, text. The check is a
 * hash of operation and filters: it tells a caller's mistake (the cursor of another list),
 * not a forgery, which could only name another position.
 */
#include "store/position.h"

#define CURSOR_VERSION      1
#define CURSOR_LIST         2 /* where the check stands */
#define CURSOR_NUMBERS      (CURSOR_LIST + sizeof(uint64_t))
#define CURSOR_HEAD         (CURSOR_NUMBERS + 3 * sizeof(uint64_t))
#define CURSOR_TEXT_MAXIMUM ((size_t)1 << 20)

/* FNV-1a: the same in every process and version, since a cursor may outlive both. */
static void hash_bytes(uint64_t *hash, const void *bytes, size_t length) {
    const unsigned char *at = bytes;

    for (size_t i = 0; i < length; i++)
        *hash = (*hash ^ at[i]) * UINT64_C(0x100000001b3);
}

brant__list brant__list_of(const char *operation) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    hash_bytes(&hash, operation, strlen(operation) + 1);
    return hash;
}

void brant__list_filter(brant__list *list, brant__text text) {
    unsigned char head[9] = {text.data != NULL};

    for (size_t i = 0; i < 8; i++)
        head[1 + i] = (unsigned char)((uint64_t)text.length >> (8 * i));
    hash_bytes(list, head, sizeof(head));
    hash_bytes(list, text.data, text.length);
}

static void put_number(unsigned char *bytes, uint64_t value) {
    for (size_t i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(value >> (8 * i));
}

static uint64_t get_number(const char *bytes) {
    uint64_t value = 0;

    for (size_t i = 0; i < 8; i++)
        value |= (uint64_t)(unsigned char)bytes[i] << (8 * i);
    return value;
}

brant_status brant__position_read(brant__position *out, brant__call *call, brant__list list) {
    yyjson_val *value = brant__json_get(call->input, "cursor");
    brant__buffer bytes = {0};
    bool good = false;

    *out = (brant__position){0};
    if (!value || yyjson_is_null(value)) return BRANT_OK;
    if (yyjson_is_str(value) && yyjson_get_len(value) <= CURSOR_TEXT_MAXIMUM &&
        brant__base64_decode(&bytes, brant__json_text(value)) && bytes.length >= CURSOR_HEAD &&
        bytes.data[0] == CURSOR_VERSION && get_number(bytes.data + CURSOR_LIST) == list) {
        out->given = true;
        out->section = (uint8_t)bytes.data[1];
        for (size_t i = 0; i < 3; i++)
            out->numbers[i] =
                (int64_t)get_number(bytes.data + CURSOR_NUMBERS + i * sizeof(uint64_t));
        out->text.length = bytes.length - CURSOR_HEAD;
        out->text.data = brant__arena_copy(call->arena, bytes.data + CURSOR_HEAD, out->text.length);
        good = brant__utf8_check(bytes.data + CURSOR_HEAD, out->text.length) == SIZE_MAX;
        if (!out->text.data) bytes.failed = true;
    }
    if (bytes.failed) {
        brant__buffer_free(&bytes);
        return brant__fail_memory();
    }
    brant__buffer_free(&bytes);
    return good ? BRANT_OK : brant__fail(BRANT_INVALID, "the cursor is not one of this list");
}

void brant__position_write(brant__writer *out, const brant__position *position, brant__list list) {
    brant__buffer bytes = {0}, text = {0};
    unsigned char head[CURSOR_HEAD];

    brant__write_name(out, "cursor");
    if (!position) {
        brant__write_null(out);
        return;
    }
    head[0] = CURSOR_VERSION;
    head[1] = position->section;
    put_number(head + CURSOR_LIST, list);
    for (size_t i = 0; i < 3; i++)
        put_number(head + CURSOR_NUMBERS + i * sizeof(uint64_t), (uint64_t)position->numbers[i]);
    brant__buffer_append(&bytes, head, sizeof(head));
    brant__buffer_append(&bytes, position->text.data, position->text.length);
    if (!bytes.failed) brant__base64_encode(&text, bytes.data, bytes.length);
    if (bytes.failed || text.failed)
        out->buffer.failed = true;
    else
        brant__write_text(out, brant__text_of(text.data, text.length));
    brant__buffer_free(&text);
    brant__buffer_free(&bytes);
}

brant_status brant__limit_read(int64_t *out_limit, brant__call *call, int64_t otherwise,
                               int64_t maximum) {
    yyjson_val *value = brant__json_get(call->input, "limit");

    *out_limit = value ? brant__json_integer(value, 0) : otherwise;
    if (*out_limit >= 1 && *out_limit <= maximum) return BRANT_OK;
    *out_limit = 0;
    return brant__fail(BRANT_INVALID, "limit is not in 1..%lld", (long long)maximum);
}
