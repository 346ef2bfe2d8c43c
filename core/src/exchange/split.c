/*
 * exchange/split.c: a JSON document of any size cut into the elements of its arrays.
 *
 * Here only strings and brackets are looked at, to know where a value ends. Whether the value is
 * JSON is seen when it is parsed, alone; between the elements of an array everything is checked here.
 */
#include "exchange/import.h"

#define POLL_BYTES ((int64_t)16 << 20)

brant_status brant__source_fail(int64_t offset, const char *what) {
    char detail[64];
    brant__buffer text = {0};
    brant_status status;

    brant__buffer_format(&text, "{\"offset\":%lld}", (long long)offset);
    if (text.failed || text.length >= sizeof(detail)) {
        brant__buffer_free(&text);
        return brant__fail_memory();
    }
    memcpy(detail, text.data, text.length);
    status = brant__fail_detail(BRANT_INVALID_JSON, brant__text_of(detail, text.length),
                                "%s at byte %lld", what, (long long)offset);
    brant__buffer_free(&text);
    return status;
}

brant_status brant__skip_space(int *out_byte, brant__source *source, int64_t *io_offset) {
    *out_byte = -1;
    for (;;) {
        brant__text text;
        brant_status status = brant__source_get(&text, source, *io_offset, 1);
        if (status != BRANT_OK) return status;
        if (text.length == 0) return BRANT_OK;
        for (size_t i = 0; i < text.length; i++) {
            char byte = text.data[i];
            if (byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r') continue;
            *io_offset += (int64_t)i;
            *out_byte = (unsigned char)byte;
            return BRANT_OK;
        }
        *io_offset += (int64_t)text.length;
    }
}

enum { PLAIN, STRING, ESCAPE };

brant_status brant__skip_value(int64_t *out_end, brant__source *source, brant__call *call,
                               int64_t offset) {
    const unsigned limit = brant__db_limits(call->db)->depth;
    int64_t at = offset, polled = offset;
    unsigned depth = 0;
    int state = PLAIN;
    bool scalar = false;

    for (;;) {
        brant__text text;
        brant_status status = brant__source_get(&text, source, at, 1);
        if (status != BRANT_OK) return status;
        if (text.length == 0) {
            if (scalar && state == PLAIN && depth == 0) {
                *out_end = at;
                return BRANT_OK;
            }
            return brant__source_fail(at, "the document ends in the middle of a value");
        }
        if (at - polled >= POLL_BYTES) {
            polled = at;
            status = brant__db_poll(call->db);
            if (status != BRANT_OK) return status;
        }
        for (size_t i = 0; i < text.length; i++) {
            char byte = text.data[i];
            if (state == STRING) {
                if (byte == '\\') {
                    state = ESCAPE;
                } else if (byte == '"') {
                    state = PLAIN;
                    if (depth == 0) {
                        *out_end = at + (int64_t)i + 1;
                        return BRANT_OK;
                    }
                }
                continue;
            }
            if (state == ESCAPE) {
                state = STRING;
                continue;
            }
            switch (byte) {
            case '"':
                if (scalar) return brant__source_fail(at + (int64_t)i, "unexpected text");
                state = STRING;
                break;
            case '{':
            case '[':
                if (scalar) return brant__source_fail(at + (int64_t)i, "unexpected bracket");
                /* Members of the document and elements of its arrays are two levels in. */
                if (++depth > limit)
                    return brant__fail(BRANT_LIMIT, "nesting deeper than %u at byte %lld", limit,
                                       (long long)(at + (int64_t)i));
                break;
            case '}':
            case ']':
            case ',':
            case ' ':
            case '\t':
            case '\n':
            case '\r':
                if (depth == 0) {
                    if (!scalar) return brant__source_fail(at + (int64_t)i, "a value is missing");
                    *out_end = at + (int64_t)i;
                    return BRANT_OK;
                }
                if ((byte == '}' || byte == ']') && --depth == 0) {
                    *out_end = at + (int64_t)i + 1;
                    return BRANT_OK;
                }
                break;
            default:
                if (depth == 0) scalar = true;
                break;
            }
        }
        at += (int64_t)text.length;
    }
}

brant_status brant__next_element(bool *out_found, brant__range *out, brant__source *source,
                                 brant__call *call, int64_t *io_offset) {
    int64_t at = *io_offset, before;
    brant__text text;
    bool first;
    int byte;
    brant_status status;

    *out_found = false;
    /* What stands before says whether a comma is due: white space apart, `[` or an element. */
    before = at - 1;
    BRANT__TRY(brant__source_get(&text, source, before, 1));
    first = text.length > 0 && text.data[0] == '[';
    BRANT__TRY(brant__skip_space(&byte, source, &at));
    if (byte == ']') {
        *io_offset = at + 1;
        goto cleanup;
    }
    if (!first) {
        if (byte != ',') {
            status = brant__source_fail(at, byte < 0 ? "the document ends in the middle of an array"
                                                     : "a comma is missing");
            goto cleanup;
        }
        at++;
        BRANT__TRY(brant__skip_space(&byte, source, &at));
    }
    if (byte < 0 || byte == ']' || byte == ',') {
        status = brant__source_fail(at, byte < 0 ? "the document ends in the middle of an array"
                                                 : "a value is missing");
        goto cleanup;
    }
    out->begin = at;
    BRANT__TRY(brant__skip_value(&out->end, source, call, at));
    *io_offset = out->end;
    *out_found = true;
cleanup:
    return status;
}
