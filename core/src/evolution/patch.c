/*
 * evolution/patch.c: JSON Patch (RFC 6902) with JSON pointers (RFC 6901) taken strictly: "~" is followed by 0 or 1, an index has no
 * leading zero, a pointer begins with "/" or is empty.
 *
 * The document is worked on as yyjson's mutable values. A patch can double a document with each operation ("copy" of the whole into
 * itself), so what operations add is counted in bytes, and how deep it makes the document is measured before it is done.
 */
#include "evolution/evolution.h"

enum { VALUE_BYTES = 24 }; /* of the tree, for each value */
#define NO_OPERATION "has an `op` that is none of add, remove, replace, move, copy, test"

typedef struct patcher {
    yyjson_mut_doc *doc;
    yyjson_mut_val *root;
    size_t added; /* bytes */
    size_t limit;
    size_t index; /* of the operation */
    const char *member;
    brant__text pointer;
    brant__buffer token; /* the last one read, unescaped */
} patcher;

/* ---- memory ---------------------------------------------------------------------------------- */

static void *allocate(void *context, size_t size) {
    (void)context;
    return brant__alloc(size);
}

static void *reallocate(void *context, void *memory, size_t old_size, size_t size) {
    (void)context;
    (void)old_size;
    return brant__realloc(memory, size);
}

static void release(void *context, void *memory) {
    (void)context;
    brant__free(memory);
}

static const yyjson_alc allocator = {allocate, reallocate, release, NULL};

/* ---- faults ---------------------------------------------------------------------------------- */

static brant_status fail(const patcher *self, brant_status code, const char *why) {
    brant__writer detail = {0};
    brant_status status;
    brant__write_object(&detail);
    brant__write_integer_member(&detail, "index", (int64_t)self->index);
    brant__write_text_member(&detail, "pointer", self->pointer);
    brant__write_end(&detail);
    status =
        detail.buffer.failed
            ? brant__fail_memory()
            : brant__fail_detail(code, brant__text_of(detail.buffer.data, detail.buffer.length),
                                 "patch operation %zu: %s %s", self->index, self->member, why);
    brant__buffer_free(&detail.buffer);
    return status;
}

static brant_status fail_operation(patcher *self, const char *why) {
    self->member = "it";
    self->pointer = BRANT__TEXT("");
    return fail(self, BRANT_INVALID, why);
}

/* ---- pointers -------------------------------------------------------------------------------- */

/* The token that begins at *at, past its "/", into self->token. */
static brant_status read_token(patcher *self, size_t *at) {
    const brant__text text = self->pointer;
    brant__buffer_reset(&self->token);
    brant__buffer_reserve(&self->token, 1);
    for (++*at; *at < text.length && text.data[*at] != '/'; ++*at) {
        char c = text.data[*at];
        if (c == '~') {
            const char escaped = *at + 1 < text.length ? text.data[*at + 1] : '\0';
            if (escaped != '0' && escaped != '1')
                return fail(self, BRANT_INVALID, "is not a JSON pointer: ~ is written ~0, / is ~1");
            c = escaped == '0' ? '~' : '/';
            ++*at;
        }
        brant__buffer_append_byte(&self->token, c);
    }
    return self->token.failed ? brant__fail_memory() : BRANT_OK;
}

/* SIZE_MAX where the token is no index. */
static size_t read_index(const patcher *self) {
    const char *data = self->token.data;
    const size_t length = self->token.length;
    size_t index = 0;
    if (length == 0 || length > 9 || (data[0] == '0' && length > 1)) return SIZE_MAX;
    for (size_t i = 0; i < length; i++) {
        if (data[i] < '0' || data[i] > '9') return SIZE_MAX;
        index = index * 10 + (size_t)(data[i] - '0');
    }
    return index;
}

static brant_status child(yyjson_mut_val **out, const patcher *self, yyjson_mut_val *parent) {
    *out = NULL;
    if (yyjson_mut_is_obj(parent)) {
        *out = yyjson_mut_obj_getn(parent, self->token.data, self->token.length);
    } else if (yyjson_mut_is_arr(parent)) {
        const size_t index = read_index(self);
        if (index == SIZE_MAX) return fail(self, BRANT_INVALID, "has an index that is none");
        *out = yyjson_mut_arr_get(parent, index);
    }
    return *out ? BRANT_OK : fail(self, BRANT_INVALID, "names nothing in the document");
}

static brant_status check_pointer(const patcher *self) {
    if (self->pointer.length == 0 || self->pointer.data[0] == '/') return BRANT_OK;
    return fail(self, BRANT_INVALID, "is not a JSON pointer: it begins with / or is empty");
}

static brant_status follow(yyjson_mut_val **out, patcher *self) {
    brant_status status = check_pointer(self);
    size_t at = 0;
    *out = self->root;
    while (status == BRANT_OK && at < self->pointer.length) {
        status = read_token(self, &at);
        if (status == BRANT_OK) status = child(out, self, *out);
    }
    return status;
}

/* The value above the last token, which stays in self->token; *out_parent NULL for the whole document. */
static brant_status follow_parent(yyjson_mut_val **out_parent, unsigned *out_depth, patcher *self) {
    brant_status status = check_pointer(self);
    size_t at = 0;
    yyjson_mut_val *value = self->root;
    *out_parent = NULL;
    *out_depth = 0;
    while (status == BRANT_OK && at < self->pointer.length) {
        status = read_token(self, &at);
        if (status != BRANT_OK) break;
        ++*out_depth;
        *out_parent = value;
        if (at < self->pointer.length) status = child(&value, self, value);
    }
    return status;
}

/* ---- values ---------------------------------------------------------------------------------- */

/* How deep a value nests, and its bytes; values are never deeper than the parser lets them. */
static unsigned measure(yyjson_mut_val *value, size_t *bytes) {
    unsigned deepest = 0;
    size_t index, count;
    yyjson_mut_val *key, *item;
    *bytes += VALUE_BYTES + (yyjson_mut_is_str(value) ? yyjson_mut_get_len(value) : 0);
    if (yyjson_mut_is_arr(value)) {
        yyjson_mut_arr_foreach(value, index, count, item) {
            const unsigned depth = measure(item, bytes) + 1;
            if (depth > deepest) deepest = depth;
        }
        return deepest ? deepest : 1;
    }
    if (yyjson_mut_is_obj(value)) {
        yyjson_mut_obj_foreach(value, index, count, key, item) {
            *bytes += VALUE_BYTES + yyjson_mut_get_len(key);
            const unsigned depth = measure(item, bytes) + 1;
            if (depth > deepest) deepest = depth;
        }
        return deepest ? deepest : 1;
    }
    return 0;
}

/* 1 equals 1.0, 64-bit integers exactly: as everywhere, by way of their texts. */
static brant_status equal(bool *out, yyjson_mut_val *value, yyjson_val *wanted) {
    size_t length = 0;
    brant__json json = {0};
    char *text = yyjson_mut_val_write_opts(value, 0, &allocator, &length, NULL);
    brant_status status = text ? brant__json_parse(&json, text, length, 0) : brant__fail_memory();
    *out = status == BRANT_OK && brant__json_equal(json.root, wanted);
    brant__json_free(&json);
    brant__free(text);
    return status;
}

/* ---- operations ------------------------------------------------------------------------------ */

static brant_status take_out(yyjson_mut_val **out, patcher *self) {
    yyjson_mut_val *parent, *value;
    unsigned depth;
    brant_status status = follow_parent(&parent, &depth, self);
    *out = NULL;
    if (status != BRANT_OK) return status;
    if (!parent) return fail(self, BRANT_INVALID, "is the whole document, which cannot be removed");
    status = child(&value, self, parent);
    if (status != BRANT_OK) return status;
    if (yyjson_mut_is_obj(parent))
        yyjson_mut_obj_remove_keyn(parent, self->token.data, self->token.length);
    else
        yyjson_mut_arr_remove(parent, read_index(self));
    *out = value;
    return BRANT_OK;
}

/* Add at self->pointer, or replace what is there. The value belongs to the document already. */
static brant_status put(patcher *self, yyjson_mut_val *value, unsigned value_depth, bool replace) {
    yyjson_mut_val *parent, *old = NULL;
    unsigned depth;
    brant_status status = follow_parent(&parent, &depth, self);
    if (status != BRANT_OK) return status;
    if (depth + value_depth > BRANT__JSON_DEPTH)
        return fail(self, BRANT_LIMIT, "would nest the document too deep");
    if (!parent) {
        self->root = value;
        return BRANT_OK;
    }
    if (replace) status = child(&old, self, parent);
    if (status != BRANT_OK) return status;
    if (yyjson_mut_is_obj(parent)) {
        yyjson_mut_val *key = yyjson_mut_strncpy(self->doc, self->token.data, self->token.length);
        /* An add replaces too. */
        return key && yyjson_mut_obj_put(parent, key, value) ? BRANT_OK : brant__fail_memory();
    }
    if (!yyjson_mut_is_arr(parent))
        return fail(self, BRANT_INVALID, "leads into a value that has no members");
    const size_t size = yyjson_mut_arr_size(parent);
    const bool last = self->token.length == 1 && self->token.data[0] == '-';
    const size_t index = last ? size : read_index(self);
    if (index == SIZE_MAX) return fail(self, BRANT_INVALID, "has an index that is none");
    if (index > size) return fail(self, BRANT_INVALID, "has an index beyond the end of the array");
    if (replace)
        yyjson_mut_arr_replace(parent, index, value);
    else
        yyjson_mut_arr_insert(parent, value, index);
    return BRANT_OK;
}

static brant_status copy_in(yyjson_mut_val **out, unsigned *out_depth, patcher *self,
                            yyjson_val *given, yyjson_mut_val *stored) {
    size_t bytes = 0;
    *out = NULL;
    if (stored) {
        *out_depth = measure(stored, &bytes);
    } else {
        *out = yyjson_val_mut_copy(self->doc, given);
        if (!*out) return brant__fail_memory();
        *out_depth = measure(*out, &bytes);
    }
    self->added += bytes;
    if (self->added > self->limit)
        return fail(self, BRANT_LIMIT, "would make the document larger than a document may be");
    if (stored) *out = yyjson_mut_val_mut_copy(self->doc, stored);
    return *out ? BRANT_OK : brant__fail_memory();
}

static bool points_above(brant__text above, brant__text below) {
    return below.length > above.length &&
           (above.length == 0 || memcmp(below.data, above.data, above.length) == 0) &&
           below.data[above.length] == '/';
}

static brant_status run_from(patcher *self, yyjson_val *operation, brant__text path, bool move) {
    yyjson_mut_val *value, *copy;
    unsigned depth = 0;
    size_t bytes = 0;
    yyjson_val *from = yyjson_obj_get(operation, "from");
    brant_status status;
    if (!yyjson_is_str(from)) return fail_operation(self, "needs a text `from`");
    self->member = "from";
    self->pointer = brant__json_text(from);
    status = follow(&value, self);
    if (status != BRANT_OK) return status;
    if (!move) {
        status = copy_in(&copy, &depth, self, NULL, value);
    } else {
        if (points_above(self->pointer, path))
            return fail(self, BRANT_INVALID, "is above path: a value cannot be moved into itself");
        if (brant__text_equal(self->pointer, path)) return BRANT_OK;
        status = take_out(&copy, self);
        if (status == BRANT_OK) depth = measure(copy, &bytes);
    }
    if (status != BRANT_OK) return status;
    self->member = "path";
    self->pointer = path;
    return put(self, copy, depth, false);
}

static brant_status run_value(patcher *self, yyjson_val *operation, brant__text name) {
    yyjson_val *value = yyjson_obj_get(operation, "value");
    yyjson_mut_val *copy, *stored;
    unsigned depth;
    bool same;
    brant_status status;
    if (!value) return fail_operation(self, "needs a `value`");
    if (brant__text_equal(name, BRANT__TEXT("test"))) {
        status = follow(&stored, self);
        if (status == BRANT_OK) status = equal(&same, stored, value);
        if (status != BRANT_OK || same) return status;
        return fail(self, BRANT_CONFLICT, "has another value than the test wants");
    }
    status = copy_in(&copy, &depth, self, value, NULL);
    if (status != BRANT_OK) return status;
    return put(self, copy, depth, brant__text_equal(name, BRANT__TEXT("replace")));
}

static brant_status run(patcher *self, yyjson_val *operation) {
    const brant__text name = brant__json_get_text(operation, "op");
    yyjson_val *path = yyjson_obj_get(operation, "path");
    yyjson_mut_val *gone;
    if (!yyjson_is_obj(operation)) return fail_operation(self, "must be an object");
    if (!name.data) return fail_operation(self, "needs a text `op`");
    if (!yyjson_is_str(path)) return fail_operation(self, "needs a text `path`");
    self->member = "path";
    self->pointer = brant__json_text(path);
    const brant_status status = check_pointer(self);
    if (status != BRANT_OK) return status;
    if (brant__text_equal(name, BRANT__TEXT("add")) ||
        brant__text_equal(name, BRANT__TEXT("replace")) ||
        brant__text_equal(name, BRANT__TEXT("test")))
        return run_value(self, operation, name);
    if (brant__text_equal(name, BRANT__TEXT("remove"))) return take_out(&gone, self);
    if (brant__text_equal(name, BRANT__TEXT("move")))
        return run_from(self, operation, brant__json_text(path), true);
    if (brant__text_equal(name, BRANT__TEXT("copy")))
        return run_from(self, operation, brant__json_text(path), false);
    return fail_operation(self, NO_OPERATION);
}

/* Tokens of a pointer that leads nowhere yet. */
static brant_status check_tokens(patcher *self, const char *member, yyjson_val *pointer) {
    size_t at = 0;
    brant_status status;
    self->member = member;
    self->pointer = brant__json_text(pointer);
    status = check_pointer(self);
    while (status == BRANT_OK && at < self->pointer.length)
        status = read_token(self, &at);
    return status;
}

static brant_status check(patcher *self, yyjson_val *operation) {
    static const char *const with_value[] = {"add", "replace", "test"}, *const with_from[] = {
                                                                            "move", "copy"};
    yyjson_val *op = yyjson_obj_get(operation, "op"), *path = yyjson_obj_get(operation, "path"),
               *from = yyjson_obj_get(operation, "from");
    bool needs_value = false, needs_from = false;
    brant_status status;
    for (size_t i = 0; i < BRANT__COUNT(with_value); i++)
        needs_value = needs_value || yyjson_equals_str(op, with_value[i]);
    for (size_t i = 0; i < BRANT__COUNT(with_from); i++)
        needs_from = needs_from || yyjson_equals_str(op, with_from[i]);
    if (!needs_value && !needs_from && !yyjson_equals_str(op, "remove"))
        return fail_operation(self, NO_OPERATION);
    if (!yyjson_is_str(path)) return fail_operation(self, "needs a text `path`");
    if (needs_value && !yyjson_obj_get(operation, "value"))
        return fail_operation(self, "needs a `value`");
    if (needs_from && !yyjson_is_str(from)) return fail_operation(self, "needs a text `from`");
    status = check_tokens(self, "path", path);
    return status == BRANT_OK && needs_from ? check_tokens(self, "from", from) : status;
}

brant_status brant__patch_check(yyjson_val *patch) {
    brant_status status = BRANT_OK;
    patcher self = {.member = "it", .pointer = BRANT__TEXT("")};
    size_t count;
    yyjson_val *operation;
    yyjson_arr_foreach(patch, self.index, count, operation) BRANT__TRY(check(&self, operation));
cleanup:
    brant__buffer_free(&self.token);
    return status;
}

brant_status brant__patch_apply(brant__buffer *out, yyjson_val *document, yyjson_val *patch,
                                size_t limit) {
    brant_status status = BRANT_OK;
    patcher self = {.limit = limit, .member = "it", .pointer = BRANT__TEXT("")};
    brant__json json = {0};
    char *text = NULL;
    size_t count, length = 0;
    yyjson_val *operation;
    if (!yyjson_is_arr(patch))
        return brant__fail(BRANT_INVALID, "the patch is not an array of operations");
    self.doc = yyjson_mut_doc_new(&allocator);
    self.root = self.doc ? yyjson_val_mut_copy(self.doc, document) : NULL;
    if (!self.root) {
        status = brant__fail_memory();
        goto cleanup;
    }
    yyjson_arr_foreach(patch, self.index, count, operation) BRANT__TRY(run(&self, operation));
    text = yyjson_mut_val_write_opts(self.root, 0, &allocator, &length, NULL);
    if (!text) {
        status = brant__fail_memory();
        goto cleanup;
    }
    /* Numbers in the form that they have everywhere. */
    BRANT__TRY(brant__json_parse(&json, text, length, 0));
    brant__json_append(out, json.root);
    if (out->failed) status = brant__fail_memory();
cleanup:
    brant__json_free(&json);
    brant__free(text);
    yyjson_mut_doc_free(self.doc);
    brant__buffer_free(&self.token);
    return status;
}
