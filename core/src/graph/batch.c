/*
 * graph/batch.c: what writing many items needs: keys that may be written, faults by item, and
 * knowing an item's key again.
 */
#include <stdio.h>

#include "graph/internal.h"

#define MESSAGE_BYTES 512
#define QUOTED_BYTES  96
#define CHOICES       8 /* names of types in a message */

/* ---- keys ------------------------------------------------------------------------------------ */

brant_status brant__key_check(const char **out_message, const brant_db *db, brant__text key) {
    *out_message = NULL;
    if (key.length == 0) {
        *out_message = "the key is empty";
        return BRANT_INVALID;
    }
    if (memchr(key.data, 0, key.length)) {
        *out_message = "the key has a NUL";
        return BRANT_INVALID;
    }
    if (key.length > brant__db_limits(db)->key) {
        *out_message = "the key is longer than limits.key";
        return BRANT_LIMIT;
    }
    return BRANT_OK;
}

brant_status brant__name_check(const brant_db *db, const char *what, brant__text name) {
    if (name.length == 0) return brant__fail(BRANT_INVALID, "%s is empty", what);
    if (memchr(name.data, 0, name.length)) return brant__fail(BRANT_INVALID, "%s has a NUL", what);
    if (name.length > brant__db_limits(db)->key)
        return brant__fail(BRANT_LIMIT, "%s is longer than limits.key (%zu bytes)", what,
                           brant__db_limits(db)->key);
    return BRANT_OK;
}

/* The longest prefix of at most `length` bytes that ends at a code point. */
static size_t cut(const char *text, size_t length) {
    while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80)
        length--;
    return length;
}

const char *brant__quoted(brant__call *call, brant__text text) {
    brant__buffer buffer = {0};
    const char *copy;
    bool whole = text.length <= QUOTED_BYTES;

    brant__json_append_text(&buffer,
                            whole ? text : brant__text_of(text.data, cut(text.data, QUOTED_BYTES)));
    if (!whole) brant__buffer_append(&buffer, "...", 3);
    copy = buffer.failed ? NULL : brant__arena_copy(call->arena, buffer.data, buffer.length);
    brant__buffer_free(&buffer);
    return copy ? copy : "";
}

const char *brant__type_choices(brant__call *call, const brant__type *type, bool edges) {
    const size_t count = edges ? type->module->edge_type_count : type->module->node_type_count;
    brant__buffer buffer = {0};
    const char *copy;

    if (!type->module->typed || count == 0) return "; it has none";

    for (uint32_t i = 0; i < CHOICES && i < count; i++) {
        const char *name = brant__quoted(call, edges ? brant__type_edge_name(type, i)
                                                     : brant__type_node_name(type, i));
        brant__buffer_append(&buffer, i ? ", " : "; it has ", i ? 2 : 9);
        brant__buffer_append(&buffer, name, strlen(name));
    }
    if (count > CHOICES) brant__buffer_append(&buffer, " ..", 3);
    copy = buffer.failed ? NULL : brant__arena_copy(call->arena, buffer.data, buffer.length);
    brant__buffer_free(&buffer);
    return copy ? copy : "";
}

/* ---- faults ---------------------------------------------------------------------------------- */

static brant_status fail_single(brant_status code, brant__text violations, const char *message) {
    brant__writer detail = {0};
    brant_status status;

    if (!violations.data) return brant__fail(code, "%s", message);
    brant__write_object(&detail);
    brant__write_name(&detail, "violations");
    brant__write_raw(&detail, violations);
    brant__write_end(&detail);
    status =
        detail.buffer.failed
            ? brant__fail_memory()
            : brant__fail_detail(code, brant__text_of(detail.buffer.data, detail.buffer.length),
                                 "%s", message);
    brant__buffer_free(&detail.buffer);
    return status;
}

static BRANT__PRINTF(7, 0) brant_status
    add(brant__faults *faults, size_t index, brant__text key, brant__text violations, size_t offset,
        brant_status code, const char *format, va_list arguments) {
    brant__fault *place = NULL;
    char message[MESSAGE_BYTES + 1];
    int written;
    size_t length;

    faults->total++;
    if (faults->count < BRANT__FAULTS) {
        place = &faults->list[faults->count++];
    } else {
        /* Keep the lowest indexes: items are not always judged in order. */
        for (size_t i = 0; i < faults->count; i++)
            if (faults->list[i].index > index && (!place || faults->list[i].index > place->index))
                place = &faults->list[i];
        if (!place) return BRANT_OK;
    }
    written = vsnprintf(message, sizeof(message), format, arguments);
    length = written < 0 ? 0 : (size_t)written;
    if (length > MESSAGE_BYTES) {
        length =
            brant__utf8_check(message, MESSAGE_BYTES); /* the cut may have parted a code point */
        if (length == SIZE_MAX) length = MESSAGE_BYTES;
    }
    place->index = index;
    place->code = code;
    place->key = key;
    place->violations = violations;
    place->offset = offset;
    place->message = brant__arena_copy(faults->call->arena, message, length);
    return place->message ? BRANT_OK : brant__fail_memory();
}

brant_status brant__fault_add(brant__faults *faults, size_t index, brant__text key,
                              brant__text violations, brant_status code, const char *format, ...) {
    va_list arguments;
    brant_status status;

    va_start(arguments, format);
    status = add(faults, index, key, violations, SIZE_MAX, code, format, arguments);
    va_end(arguments);
    return status;
}

brant_status brant__fault_add_at(brant__faults *faults, size_t index, size_t offset,
                                 brant_status code, const char *format, ...) {
    const brant__text none = {NULL, 0};
    va_list arguments;
    brant_status status;

    va_start(arguments, format);
    status = add(faults, index, none, none, offset, code, format, arguments);
    va_end(arguments);
    return status;
}

static void sort(brant__faults *faults) {
    /* Few, and mostly in order already. */
    for (size_t i = 1; i < faults->count; i++) {
        brant__fault fault = faults->list[i];
        size_t at = i;
        for (; at > 0 && faults->list[at - 1].index > fault.index; at--)
            faults->list[at] = faults->list[at - 1];
        faults->list[at] = fault;
    }
}

void brant__faults_write(brant__writer *out, brant__faults *faults) {
    sort(faults);
    brant__write_array(out);
    for (size_t i = 0; i < faults->count; i++) {
        const brant__fault *fault = &faults->list[i];
        const char *name = brant_status_name(fault->code);
        brant__write_object(out);
        brant__write_integer_member(out, "index", (int64_t)fault->index);
        brant__write_name(out, "key");
        if (fault->key.data)
            brant__write_text(out, fault->key);
        else
            brant__write_null(out);
        brant__write_text_member(out, "code", brant__text_string(name));
        brant__write_text_member(out, "message", brant__text_string(fault->message));
        if (fault->violations.data) {
            brant__write_name(out, "violations");
            brant__write_raw(out, fault->violations);
        }
        if (fault->offset != SIZE_MAX)
            brant__write_integer_member(out, "offset", (int64_t)fault->offset);
        brant__write_end(out);
    }
    brant__write_end(out);
}

brant_status brant__faults_report(brant__faults *faults) {
    brant__writer detail = {0};
    brant_status status;

    if (faults->count == 0) return BRANT_OK;
    sort(faults);
    if (faults->single)
        return fail_single(faults->list[0].code, faults->list[0].violations,
                           faults->list[0].message);

    brant__write_object(&detail);
    brant__write_name(&detail, "items");
    brant__faults_write(&detail, faults);
    brant__write_end(&detail);
    if (detail.buffer.failed)
        status = brant__fail_memory();
    else
        status = brant__fail_detail(
            faults->list[0].code, brant__text_of(detail.buffer.data, detail.buffer.length),
            "item %zu: %s%s", faults->list[0].index, faults->list[0].message,
            faults->total > 1 ? "; others are at fault too" : "");
    brant__buffer_free(&detail.buffer);
    return status;
}

brant_status brant__violations(brant__text *out_array, size_t *out_count, brant__call *call,
                               const brant__schema *schema, yyjson_val *value) {
    brant__writer array = {0};
    brant_status status = BRANT_OK;

    *out_array = (brant__text){NULL, 0};
    brant__write_array(&array);
    *out_count = brant__schema_violations(schema, value, BRANT__TEXT(""), &array);
    brant__write_end(&array);
    if (array.buffer.failed) {
        status = brant__fail_memory();
    } else {
        out_array->data = brant__arena_copy(call->arena, array.buffer.data, array.buffer.length);
        out_array->length = array.buffer.length;
        if (!out_array->data) status = brant__fail_memory();
    }
    brant__buffer_free(&array.buffer);
    return status;
}

brant_status brant__values_write(brant__text *out_attributes, brant__text *out_metadata,
                                 brant__buffer *text, brant__text sealed, yyjson_val *attributes,
                                 yyjson_val *metadata) {
    size_t middle;

    brant__buffer_reset(text);
    brant__attributes_write(text, sealed, attributes);
    middle = text->length;
    if (metadata) brant__json_append(text, metadata);
    if (text->failed) return brant__fail_memory();
    *out_attributes = brant__text_of(text->data, middle);
    *out_metadata = metadata ? brant__text_of(text->data + middle, text->length - middle)
                             : (brant__text){NULL, 0};
    return BRANT_OK;
}

/* ---- sets of slots --------------------------------------------------------------------------- */

brant_status brant__slot_set_begin(brant__slot_set *set, size_t items) {
    size_t capacity = 4;

    while (capacity < items * 2)
        capacity *= 2;
    set->mask = capacity - 1;
    set->cells = brant__alloc_zero(capacity * sizeof(*set->cells));
    return set->cells ? BRANT_OK : brant__fail_memory();
}

void brant__slot_set_free(brant__slot_set *set) {
    brant__free(set->cells);
    set->cells = NULL;
}
