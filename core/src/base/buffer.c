/*
 * base/buffer.c: a growing run of bytes whose failure is sticky.
 *
 * Invariant: capacity > length whenever data is not NULL, so that the terminating NUL always has
 * its place.
 */
#include "base/base.h"

#include <stdio.h>

#define FIRST_CAPACITY ((size_t)256)

/* Bytes that a finished text may waste before it is worth moving. */
#define WASTE ((size_t)64 << 10)

bool brant__buffer_reserve(brant__buffer *buffer, size_t extra) {
    size_t needed, capacity;
    char *data;

    if (BRANT__LIKELY(!buffer->failed && buffer->capacity - buffer->length > extra)) return true;
    if (buffer->failed) return false;
    if (extra >= SIZE_MAX / 2 - buffer->length) {
        buffer->failed = true;
        return false;
    }
    needed = buffer->length + extra + 1;
    capacity = buffer->capacity < FIRST_CAPACITY ? FIRST_CAPACITY : buffer->capacity * 2;
    if (capacity < needed) capacity = needed;
    data = brant__realloc(buffer->data, capacity);
    if (!data) {
        buffer->failed = true;
        return false;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

void brant__buffer_append(brant__buffer *buffer, const void *bytes, size_t length) {
    if (length == 0 || !brant__buffer_reserve(buffer, length)) return;
    memcpy(buffer->data + buffer->length, bytes, length);
    buffer->length += length;
}

void brant__buffer_append_byte(brant__buffer *buffer, char byte) {
    if (!brant__buffer_reserve(buffer, 1)) return;
    buffer->data[buffer->length++] = byte;
}

void brant__buffer_format(brant__buffer *buffer, const char *format, ...) {
    va_list arguments;
    size_t room;
    int needed;

    if (!brant__buffer_reserve(buffer, 64)) return;
    room = buffer->capacity - buffer->length;
    va_start(arguments, format);
    needed = vsnprintf(buffer->data + buffer->length, room, format, arguments);
    va_end(arguments);
    if (needed < 0) {
        buffer->failed = true;
        return;
    }
    if ((size_t)needed >= room) {
        if (!brant__buffer_reserve(buffer, (size_t)needed)) return;
        va_start(arguments, format);
        vsnprintf(buffer->data + buffer->length, (size_t)needed + 1, format, arguments);
        va_end(arguments);
    }
    buffer->length += (size_t)needed;
}

void brant__buffer_reset(brant__buffer *buffer) {
    buffer->length = 0;
    buffer->failed = false;
}

void brant__buffer_free(brant__buffer *buffer) {
    brant__free(buffer->data);
    *buffer = (brant__buffer){0};
}

void brant__buffer_wipe(brant__buffer *buffer) {
    brant__buffer_free(buffer); /* which wipes */
}

brant_status brant__buffer_take(char **out, size_t *out_length, brant__buffer *buffer) {
    size_t unused;

    *out = NULL;
    if (out_length) *out_length = 0;
    if (!brant__buffer_reserve(buffer, 0)) {
        brant__buffer_free(buffer);
        return brant__fail_memory();
    }
    buffer->data[buffer->length] = '\0';
    unused = buffer->capacity - buffer->length - 1;
    if (unused > WASTE && unused > buffer->capacity / 4) {
        char *shrunk = brant__realloc(buffer->data, buffer->length + 1);
        if (shrunk) buffer->data = shrunk;
    }
    *out = buffer->data;
    if (out_length) *out_length = buffer->length;
    *buffer = (brant__buffer){0};
    return BRANT_OK;
}
