/*
 * base/json_number.c: the text of a number: integers exactly, doubles in the shortest form that
 * reads back the same, whatever the locale.
 *
 * For doubles yyjson has a function from 0.12 on; before, its writer of whole values does the same
 * with memory that stands on the stack.
 */
#include "base/json.h"

static size_t write_integer(char *out, uint64_t magnitude, bool negative) {
    char digits[20];
    char *at = digits + sizeof(digits);
    char *to = out;
    size_t count;

    do {
        *--at = (char)('0' + magnitude % 10);
        magnitude /= 10;
    } while (magnitude);
    count = (size_t)(digits + sizeof(digits) - at);
    if (negative) *to++ = '-';
    memcpy(to, at, count);
    to[count] = '\0';
    return (size_t)(to - out) + count;
}

size_t brant__json_number(char out[BRANT__NUMBER_SIZE], yyjson_val *value) {
    if (yyjson_is_uint(value)) return write_integer(out, value->uni.u64, false);
    if (yyjson_is_sint(value)) {
        bool negative = value->uni.i64 < 0;
        return write_integer(out, negative ? 0 - value->uni.u64 : value->uni.u64, negative);
    }
    /* x - x is 0 for every finite x and NaN for the others. */
    if (!yyjson_is_real(value) || !(value->uni.f64 - value->uni.f64 >= 0)) return 0;
#if YYJSON_VERSION_HEX >= 0x000C00
    const char *end = yyjson_write_number(value, out);
    return end ? (size_t)(end - out) : 0;
#else
    char memory[512];
    size_t length = 0;
    yyjson_alc allocator;
    if (!yyjson_alc_pool_init(&allocator, memory, sizeof(memory))) return 0;
    const char *text = yyjson_val_write_opts(value, YYJSON_WRITE_NOFLAG, &allocator, &length, NULL);
    if (!text || length >= BRANT__NUMBER_SIZE) return 0;
    memcpy(out, text, length + 1);
    return length;
#endif
}
