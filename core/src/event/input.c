/*
 * event/input.c: names and payloads of the operations on events.
 */
#include "event/input.h"

brant_status brant__input_name(brant__text name, const char *pointer) {
    if (name.length >= 1 && name.length <= BRANT__EVENT_NAME_SIZE &&
        !memchr(name.data, 0, name.length))
        return BRANT_OK;
    return brant__fail(BRANT_INVALID, "%s must be a text of 1 to %d bytes without NUL", pointer,
                       BRANT__EVENT_NAME_SIZE);
}

brant_status brant__input_batch(brant_db *db, yyjson_val *items, const char *pointer) {
    const size_t count = yyjson_arr_size(items), limit = brant__db_limits(db)->batch;
    if (count <= limit) return BRANT_OK;
    return brant__fail(BRANT_LIMIT, "%s: %zu items; at most %zu are allowed", pointer, count,
                       limit);
}

brant_status brant__payload_read(brant__payload *out, brant__buffer *buffer, brant_db *db,
                                 yyjson_val *object, const char *pointer) {
    yyjson_val *json = brant__json_get(object, "payload");
    const brant__text base64 = brant__json_get_text(object, "payload_base64");
    const size_t limit = brant__db_limits(db)->document;
    *out = (brant__payload){{NULL, 0}, false};
    if (json && base64.data)
        return brant__fail(BRANT_INVALID, "%s: payload and payload_base64 exclude each other",
                           pointer[0] ? pointer : "the input");
    brant__buffer_reset(buffer);
    if (base64.data) {
        if (!brant__base64_decode(buffer, base64))
            return buffer->failed
                       ? brant__fail_memory()
                       : brant__fail(BRANT_INVALID, "%s/payload_base64 is not base64", pointer);
        out->bytes = true;
    } else if (json && !yyjson_is_null(json)) {
        brant__json_append(buffer, json);
    } else {
        return BRANT_OK;
    }
    if (buffer->failed) return brant__fail_memory();
    if (buffer->length > limit)
        return brant__fail(BRANT_LIMIT, "%s/payload takes %zu bytes; at most %zu are allowed",
                           pointer, buffer->length, limit);
    out->data = brant__text_of(buffer->data ? buffer->data : "", buffer->length);
    return BRANT_OK;
}

void brant__payload_bind(brant__statement *statement, int index, brant__payload payload) {
    if (payload.bytes)
        brant__bind_blob(statement, index, payload.data.data, payload.data.length);
    else
        brant__bind_text(statement, index, payload.data);
}

brant__payload brant__payload_column(brant__statement *statement, int column) {
    brant__payload payload;
    payload.data = brant__column_payload(&payload.bytes, statement, column);
    return payload;
}

void brant__payload_write(brant__writer *writer, brant__payload payload) {
    if (payload.bytes) {
        brant__write_name(writer, "payload_base64");
        brant__write_raw(writer, BRANT__TEXT("\""));
        brant__base64_encode(&writer->buffer, payload.data.data, payload.data.length);
        brant__buffer_append_byte(&writer->buffer, '"');
    } else {
        brant__write_name(writer, "payload");
        brant__write_raw(writer, payload.data.data ? payload.data : BRANT__TEXT("null"));
    }
}
