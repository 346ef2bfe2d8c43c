/*
 * graph/items.c: what a writing operation is given: one item, an array of them, or lines of JSON (NDJSON).
 *
 * Lines are judged one by one, so that a bad one is a fault of its own, and then read together: after
 * that they are an array like any other, whose members know which line they were.
 */
#include <stdio.h>

#include "graph/internal.h"

#define POLL_MASK     4095
#define NO_VIOLATIONS ((brant__text){NULL, 0})
#define MESSAGE_BYTES 160

/* ---- lines ----------------------------------------------------------------------------------- */

static bool is_blank(brant__text line) {
    for (size_t i = 0; i < line.length; i++)
        if (line.data[i] != ' ' && line.data[i] != '\t' && line.data[i] != '\r') return false;
    return true;
}

/* The failure that stands in the error record, as the fault of a line that begins at `begin`. */
static brant_status add_bad_line(brant__faults *faults, size_t index, size_t begin) {
    const brant_error *error = brant_last_error();
    brant_status code = error->code;
    size_t offset = begin, length = error->message_len;
    char message[MESSAGE_BYTES + 1];
    static const char name[] = "{\"offset\":", at[] = " at byte ";
    const char *cut = strstr(error->message, at);

    if (strncmp(error->detail, name, sizeof(name) - 1) == 0)
        offset += (size_t)strtoull(error->detail + sizeof(name) - 1, NULL, 10);
    if (cut) length = (size_t)(cut - error->message);
    if (length > MESSAGE_BYTES) length = MESSAGE_BYTES;
    memcpy(message, error->message, length);
    message[length] = '\0';
    brant__error_code();
    return brant__fault_add_at(faults, index, offset, code, "%s at byte %zu", message, offset);
}

/* Judge each line, and gather the good ones as an array in `array`. */
static brant_status gather(brant__items *items, brant__buffer *array, brant__text text) {
    brant__call *call = items->call;
    unsigned depth = brant__db_limits(call->db)->depth;
    size_t room = 0, good = 0;
    brant__json line = {0};
    brant_status status = BRANT_OK;

    /* As deep as it could be inside the array of the other form. */
    depth = depth > 2 ? depth - 2 : 1;
    brant__buffer_append_byte(array, '[');
    for (size_t begin = 0, end; begin < text.length; begin = end + 1) {
        const char *stop = memchr(text.data + begin, '\n', text.length - begin);
        brant__text part;
        uint32_t *indexes;
        size_t index;
        end = stop ? (size_t)(stop - text.data) : text.length;
        part = brant__text_of(text.data + begin, end - begin);
        if (is_blank(part)) continue;
        index = items->count++;
        if (items->count > brant__db_limits(call->db)->batch) break;
        if ((index & POLL_MASK) == POLL_MASK) BRANT__TRY(brant__db_poll(call->db));
        status = brant__json_parse(&line, part.data, part.length, depth);
        if (status == BRANT_NO_MEMORY) goto cleanup;
        if (status != BRANT_OK) {
            BRANT__TRY(add_bad_line(items->faults, index, begin));
            continue;
        }
        if (!yyjson_is_obj(line.root)) {
            BRANT__TRY(brant__fault_add_at(items->faults, index, begin, BRANT_INVALID,
                                           "the line is no JSON object"));
            continue;
        }
        indexes = brant__grow(items->indexes, &room, good, sizeof(*indexes));
        if (!indexes) {
            status = brant__fail_memory();
            goto cleanup;
        }
        items->indexes = indexes;
        if (good > 0) brant__buffer_append_byte(array, ',');
        brant__buffer_append(array, part.data, part.length);
        items->indexes[good++] = (uint32_t)index;
    }
    brant__buffer_append_byte(array, ']');
    if (array->failed) status = brant__fail_memory();
cleanup:
    brant__json_free(&line);
    return status;
}

static brant_status read_lines(brant__items *items, brant__text text) {
    brant__buffer array = {0};
    brant_status status;

    items->lines = true;
    BRANT__TRY(gather(items, &array, text));
    BRANT__TRY(brant__json_parse(&items->json, array.data, array.length, 0));
    items->array = items->json.root;
cleanup:
    brant__buffer_free(&array);
    return status;
}

/* ---- items ----------------------------------------------------------------------------------- */

bool brant__errors_skip(const brant__call *call) {
    return brant__text_equal(brant__json_get_text(call->input, "errors"), BRANT__TEXT("skip"));
}

brant_status brant__items_begin(brant__items *items, brant__call *call, brant__faults *faults,
                                bool single) {
    yyjson_val *value = brant__json_get(call->input, "items");
    brant_status status = BRANT_OK;

    *items = (brant__items){.call = call, .faults = faults, .single = single};
    if (single) {
        items->count = 1;
        return BRANT_OK;
    }
    items->skip = brant__errors_skip(call);
    if (yyjson_is_str(value)) {
        status = read_lines(items, brant__json_text(value));
        if (status != BRANT_OK) return status;
    } else {
        items->array = value;
        items->count = yyjson_arr_size(value);
    }
    if (items->count > brant__db_limits(call->db)->batch)
        return brant__fail(BRANT_LIMIT, "more than %zu items (limits.batch)",
                           brant__db_limits(call->db)->batch);
    if (!yyjson_arr_iter_init(items->array, &items->iterator))
        items->iterator = (yyjson_arr_iter){0};
    return BRANT_OK;
}

brant_status brant__items_next(yyjson_val **out_item, size_t *out_index, brant__items *items) {
    size_t number = items->given++;
    brant_status status;

    *out_item = NULL;
    *out_index = number;
    if ((number & POLL_MASK) == POLL_MASK) {
        status = brant__db_poll(items->call->db);
        if (status != BRANT_OK) return status;
    }
    if (items->single)
        *out_item = number == 0 ? items->call->input : NULL;
    else
        *out_item = yyjson_arr_iter_next(&items->iterator);
    if (*out_item && items->indexes) *out_index = items->indexes[number];
    return BRANT_OK;
}

void brant__items_rewind(brant__items *items) {
    items->given = 0;
    if (!items->single && !yyjson_arr_iter_init(items->array, &items->iterator))
        items->iterator = (yyjson_arr_iter){0};
}

void brant__items_free(brant__items *items) {
    brant__json_free(&items->json);
    brant__free(items->indexes);
    items->indexes = NULL;
}

void brant__items_answer(brant__writer *out, const brant__items *items) {
    if (!items->skip) return;
    brant__write_integer_member(out, "failed", (int64_t)items->faults->total);
    brant__write_name(out, "items");
    brant__faults_write(out, items->faults);
}

/* ---- members --------------------------------------------------------------------------------- */

static unsigned member_of(yyjson_val *name) {
    const char *text = yyjson_get_str(name);

    switch (yyjson_get_len(name)) {
    case 3:
        return memcmp(text, "key", 3) == 0 ? BRANT__ITEM_KEY : 0;
    case 4:
        return memcmp(text, "type", 4) == 0 ? BRANT__ITEM_TYPE : 0;
    case 6:
        if (memcmp(text, "source", 6) == 0) return BRANT__ITEM_SOURCE;
        return memcmp(text, "target", 6) == 0 ? BRANT__ITEM_TARGET : 0;
    case 8:
        if (memcmp(text, "metadata", 8) == 0) return BRANT__ITEM_METADATA;
        return memcmp(text, "revision", 8) == 0 ? BRANT__ITEM_REVISION : 0;
    case 10:
        if (memcmp(text, "attributes", 10) == 0) return BRANT__ITEM_ATTRIBUTES;
        return memcmp(text, "undirected", 10) == 0 ? BRANT__ITEM_UNDIRECTED : 0;
    default:
        return 0;
    }
}

void brant__item_read(brant__item *out, yyjson_val *object) {
    size_t index, count;
    yyjson_val *name, *value;

    *out = (brant__item){.type = NULL};
    yyjson_obj_foreach(object, index, count, name, value) {
        switch (member_of(name)) {
        case BRANT__ITEM_KEY:
            out->key = brant__json_text(value);
            break;
        case BRANT__ITEM_TYPE:
            out->type = yyjson_is_null(value) ? NULL : value;
            break;
        case BRANT__ITEM_SOURCE:
            out->source = brant__json_text(value);
            break;
        case BRANT__ITEM_TARGET:
            out->target = brant__json_text(value);
            break;
        case BRANT__ITEM_METADATA:
            out->metadata = value;
            break;
        case BRANT__ITEM_REVISION:
            out->revision = value;
            break;
        case BRANT__ITEM_ATTRIBUTES:
            out->attributes = value;
            break;
        case BRANT__ITEM_UNDIRECTED:
            out->undirected = value;
            break;
        default:
            break;
        }
    }
}

brant_status brant__item_check(bool *out_good, brant__items *items, size_t index,
                               yyjson_val *object, unsigned allowed) {
    size_t at, count;
    yyjson_val *name, *value;

    *out_good = true;
    if (!items->lines) return BRANT_OK; /* the operation's schema has seen it */
    yyjson_obj_foreach(object, at, count, name, value) {
        unsigned member = member_of(name);
        bool good;
        switch (member) {
        case BRANT__ITEM_KEY:
        case BRANT__ITEM_SOURCE:
        case BRANT__ITEM_TARGET:
            good = yyjson_is_str(value);
            break;
        case BRANT__ITEM_TYPE:
            good = yyjson_is_str(value) || yyjson_is_null(value);
            break;
        case BRANT__ITEM_REVISION:
            good = brant__json_integer(value, -1) >= 0;
            break;
        case BRANT__ITEM_UNDIRECTED:
            good = yyjson_is_bool(value);
            break;
        case BRANT__ITEM_METADATA:
        case BRANT__ITEM_ATTRIBUTES:
            good = yyjson_is_obj(value);
            break;
        default:
            good = true;
            break;
        }
        if (good && (member & allowed)) continue;
        *out_good = false;
        return brant__fault_add(items->faults, index, brant__json_get_text(object, "key"),
                                NO_VIOLATIONS, BRANT_INVALID,
                                good ? "there is no member %s" : "member %s is of another kind",
                                brant__quoted(items->call, brant__json_text(name)));
    }
    return BRANT_OK;
}
