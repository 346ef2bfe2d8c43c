/*
 * mcp/budget.c: answers within a number of tokens.
 *
 * Lists are asked for again with a lower limit (call.c), so that their cursor goes on where they end. What is left too long is shortened here: texts keep their
 * beginning, arrays their first items, objects of no fixed form their first members. What the schema requires stays, so that the answer still is of its output schema, and what
 * was cut is told with its pointer and size.
 */
#include <stdio.h>
#include <stdlib.h>

#include "mcp/mcp.h"

size_t mcp_tokens(const char *text, size_t length) {
    size_t ascii = 0, others = 0;

    for (size_t i = 0; i < length; i++) {
        const unsigned char byte = (unsigned char)text[i];
        ascii += byte < 0x80;
        others += byte >= 0xc0; /* the first byte of a code point */
    }
    return (ascii + 3) / 4 + others;
}

size_t mcp_document_tokens(yyjson_mut_val *value) {
    size_t length = 0;
    char *json = mcp_write(value, &length);
    const size_t tokens = json ? mcp_tokens(json, length) : SIZE_MAX;

    free(json);
    return tokens;
}

void mcp_cut_text(char **text, size_t max_tokens) {
    const size_t length = *text ? strlen(*text) : 0;
    size_t kept = length;
    mcp_buffer out = {0};

    if (mcp_tokens(*text, length) <= max_tokens) return;
    while (kept > 0 && mcp_tokens(*text, kept) + 12 > max_tokens)
        kept -= kept / 8 + 1;
    while (kept > 0 && ((unsigned char)(*text)[kept] & 0xc0) == 0x80)
        kept--;
    mcp_append(&out, *text, kept);
    mcp_format(&out, "\xe2\x80\xa6 (%zu bytes in all)", length);
    free(*text);
    *text = out.data;
}

typedef struct shortening {
    yyjson_mut_doc *doc;
    yyjson_val *root_schema;
    size_t text, items; /* what a text (bytes) and an array or free object (items) may keep */
    yyjson_mut_val *cuts;
    char pointer[512];
    size_t pointer_len;
} shortening;

static yyjson_val *resolve(const shortening *self, yyjson_val *schema) {
    for (int depth = 0; depth < 8; depth++) {
        const char *reference = yyjson_get_str(yyjson_obj_get(schema, "$ref"));
        if (!reference || strncmp(reference, "#/", 2) != 0) break;
        schema = yyjson_ptr_get(self->root_schema, reference + 1);
    }
    return schema;
}

static yyjson_val *member_schema(const shortening *self, yyjson_val *schema, const char *name) {
    yyjson_val *found = yyjson_obj_get(yyjson_obj_get(schema, "properties"), name);
    yyjson_val *more = yyjson_obj_get(schema, "additionalProperties");

    return resolve(self, found ? found : yyjson_is_obj(more) ? more : NULL);
}

/* May members go? Not where the schema says what there is. */
static bool is_free(yyjson_val *schema) {
    return !yyjson_obj_get(schema, "$ref") && !yyjson_obj_get(schema, "required") &&
           !yyjson_obj_get(schema, "properties") && !yyjson_obj_get(schema, "anyOf") &&
           !yyjson_obj_get(schema, "oneOf") && !yyjson_obj_get(schema, "minProperties");
}

static bool is_fixed_text(yyjson_val *schema) {
    return yyjson_obj_get(schema, "enum") || yyjson_obj_get(schema, "const") ||
           yyjson_obj_get(schema, "pattern") || yyjson_obj_get(schema, "format");
}

static void note(shortening *self, const char *unit, size_t whole, size_t kept) {
    yyjson_mut_val *cut;

    if (yyjson_mut_arr_size(self->cuts) >= 20) return;
    cut = yyjson_mut_arr_add_obj(self->doc, self->cuts);
    yyjson_mut_obj_add_strncpy(self->doc, cut, "pointer", self->pointer, self->pointer_len);
    yyjson_mut_obj_add_uint(self->doc, cut, unit, whole);
    yyjson_mut_obj_add_uint(self->doc, cut, "kept", kept);
}

static size_t enter(shortening *self, const char *name) {
    const size_t before = self->pointer_len;
    char step[160];
    size_t length = 0;

    step[length++] = '/';
    for (; *name && length + 2 < sizeof step; name++) {
        if (*name == '~' || *name == '/') {
            step[length++] = '~';
            step[length++] = *name == '~' ? '0' : '1';
        } else {
            step[length++] = *name;
        }
    }
    /* A name that was cut inside a code point ends before it. */
    while (*name && length > 1 && ((unsigned char)step[length - 1] & 0xc0) == 0x80)
        length--;
    if (*name && length > 1 && ((unsigned char)step[length - 1] & 0x80)) length--;
    if (before + length < sizeof self->pointer) {
        memcpy(self->pointer + before, step, length);
        self->pointer_len += length;
    }
    return before;
}

static void shorten_text(shortening *self, yyjson_mut_val *value) {
    const char *text = yyjson_mut_get_str(value);
    const size_t whole = yyjson_mut_get_len(value);
    size_t kept = self->text;
    mcp_buffer out = {0};

    if (whole <= self->text + 32) return;
    while (kept > 0 && ((unsigned char)text[kept] & 0xc0) == 0x80)
        kept--;
    mcp_append(&out, text, kept);
    mcp_format(&out, "\xe2\x80\xa6 (%zu bytes in all)", whole);
    yyjson_mut_val *copy = yyjson_mut_strncpy(self->doc, out.data, out.length);
    note(self, "bytes", whole, kept);
    yyjson_mut_set_strn(value, yyjson_mut_get_str(copy), yyjson_mut_get_len(copy));
    mcp_buffer_free(&out);
}

static void walk(shortening *self, yyjson_mut_val *value, yyjson_val *schema, int depth) {
    size_t at, count, before;
    yyjson_mut_val *name, *item;
    char index[24];

    if (depth > 100) return;
    if (yyjson_mut_is_str(value)) {
        if (!is_fixed_text(schema)) shorten_text(self, value);
    } else if (yyjson_mut_is_arr(value)) {
        const size_t whole = yyjson_mut_arr_size(value);
        const size_t least = (size_t)yyjson_get_uint(yyjson_obj_get(schema, "minItems"));
        const size_t kept = self->items > least ? self->items : least;
        if (whole > kept) {
            yyjson_mut_arr_remove_range(value, kept, whole - kept);
            note(self, "items", whole, kept);
        }
        yyjson_mut_arr_foreach(value, at, count, item) {
            snprintf(index, sizeof index, "%zu", at);
            before = enter(self, index);
            walk(self, item, resolve(self, yyjson_obj_get(schema, "items")), depth + 1);
            self->pointer_len = before;
        }
    } else if (yyjson_mut_is_obj(value)) {
        const size_t whole = yyjson_mut_obj_size(value);
        if (whole > self->items + 8 && depth > 0 && is_free(schema)) {
            yyjson_mut_obj_iter iterator = yyjson_mut_obj_iter_with(value);
            for (size_t i = 0; (name = yyjson_mut_obj_iter_next(&iterator)); i++)
                if (i >= self->items) yyjson_mut_obj_iter_remove(&iterator);
            note(self, "members", whole, self->items);
        }
        yyjson_mut_obj_foreach(value, at, count, name, item) {
            before = enter(self, yyjson_mut_get_str(name));
            walk(self, item, member_schema(self, schema, yyjson_mut_get_str(name)), depth + 1);
            self->pointer_len = before;
        }
    }
}

bool mcp_shorten(mcp_answer *answer, size_t max_tokens, yyjson_val *schema) {
    static const size_t texts[] = {16384, 4096, 1024, 256, 64, 64, 16};
    static const size_t items[] = {4096, 1024, 256, 64, 16, 4, 1};
    yyjson_mut_val *root = yyjson_mut_doc_get_root(answer->doc);
    size_t tokens = mcp_document_tokens(root);

    if (tokens <= max_tokens) return true;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        /* Each time from the whole, so that what is told is of the whole. */
        yyjson_mut_doc *doc = mcp_doc();
        yyjson_mut_val *copy = yyjson_mut_val_mut_copy(doc, root);
        shortening self = {.doc = doc, .text = texts[i], .items = items[i]};
        self.root_schema = schema;
        self.cuts = yyjson_mut_arr(doc);
        yyjson_mut_doc_set_root(doc, copy);
        walk(&self, copy, resolve(&self, schema), 0);
        if (mcp_document_tokens(copy) <= max_tokens) {
            mcp_buffer text = {0};
            mcp_format(&text, "The whole answer is some %zu tokens; it was shortened to fit %zu. ",
                       tokens, max_tokens);
            mcp_append_text(&text, "Ask for less: a lower limit, a filter, one item. Shortened: ");
            char *list = mcp_write(self.cuts, NULL);
            if (list) mcp_append_text(&text, list);
            free(list);
            if (answer->notice) {
                mcp_append_text(&text, "\n");
                mcp_append_text(&text, answer->notice);
            }
            free(answer->notice);
            answer->notice = text.data;
            yyjson_mut_doc_free(answer->doc);
            answer->doc = doc;
            answer->cuts = self.cuts;
            return true;
        }
        yyjson_mut_doc_free(doc);
    }
    return false;
}
