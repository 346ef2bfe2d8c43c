/*
 * exchange/key.c: keys that are not text, and text that is no key of brant's, mapped reversibly.
 */
#include "exchange/internal.h"

#define MARK        "json:"
#define MARK_LENGTH (sizeof(MARK) - 1)

static bool begins_with(brant__text text, const char *begin, size_t length) {
    return text.length >= length && memcmp(text.data, begin, length) == 0;
}

static bool no_key(brant__text text) {
    return text.length == 0 || memchr(text.data, 0, text.length) != NULL;
}

void brant__key_of_value(brant__buffer *out, yyjson_val *value) {
    brant__text text = brant__json_text(value);

    if (yyjson_is_str(value) && !no_key(text) && !begins_with(text, MARK, MARK_LENGTH)) {
        brant__buffer_append(out, text.data, text.length);
        return;
    }
    brant__buffer_append(out, MARK, MARK_LENGTH);
    brant__json_append(out, value);
}

/* The JSON that a key stands for; false: for its own text. Only the compact form that we write counts. */
static bool marked(brant__json *json, brant__text key) {
    brant__buffer again = {0};
    bool good = false;

    if (!begins_with(key, MARK, MARK_LENGTH)) return false;
    if (brant__json_parse(json, key.data + MARK_LENGTH, key.length - MARK_LENGTH, 0) != BRANT_OK) {
        brant__error_code();
        return false;
    }
    brant__key_of_value(&again, json->root);
    good = !again.failed && brant__text_equal(brant__text_of(again.data, again.length), key);
    brant__buffer_free(&again);
    return good;
}

void brant__value_of_key(brant__buffer *out, brant__text key) {
    brant__json json = {0};

    if (marked(&json, key))
        brant__buffer_append(out, key.data + MARK_LENGTH, key.length - MARK_LENGTH);
    else
        brant__json_append_text(out, key);
    brant__json_free(&json);
}

void brant__edge_key_of_value(brant__buffer *out, brant__text source, brant__text target,
                              yyjson_val *key) {
    brant__buffer_append_byte(out, '[');
    brant__json_append_text(out, source);
    brant__buffer_append_byte(out, ',');
    brant__json_append_text(out, target);
    brant__buffer_append_byte(out, ',');
    brant__json_append(out, key);
    brant__buffer_append_byte(out, ']');
}

/* Text that graphology has and that cannot be a key here, or could be mistaken for the form of one that cannot. */
static bool is_wrapped(brant__text text) {
    return no_key(text) || begins_with(text, MARK "\"", MARK_LENGTH + 1);
}

void brant__key_of_text(brant__buffer *out, brant__text text) {
    if (is_wrapped(text)) {
        brant__buffer_append(out, MARK, MARK_LENGTH);
        brant__json_append_text(out, text);
    } else {
        brant__buffer_append(out, text.data, text.length);
    }
}

brant__text brant__text_of_key(brant__buffer *scratch, brant__text key) {
    brant__json json = {0};
    brant__buffer again = {0};
    brant__text text = key;

    if (!begins_with(key, MARK "\"", MARK_LENGTH + 1)) return key;
    if (brant__json_parse(&json, key.data + MARK_LENGTH, key.length - MARK_LENGTH, 0) != BRANT_OK) {
        brant__error_code();
        goto cleanup;
    }
    if (!yyjson_is_str(json.root) || !is_wrapped(brant__json_text(json.root))) goto cleanup;
    brant__key_of_text(&again, brant__json_text(json.root));
    if (again.failed || !brant__text_equal(brant__text_of(again.data, again.length), key))
        goto cleanup;
    brant__buffer_reset(scratch);
    brant__buffer_append(scratch, yyjson_get_str(json.root), yyjson_get_len(json.root));
    text = brant__text_of(scratch->data ? scratch->data : "", scratch->length);
cleanup:
    brant__buffer_free(&again);
    brant__json_free(&json);
    return text;
}
