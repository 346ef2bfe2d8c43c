/*
 * base/json_number.c: the text of a number: integers exactly, doubles in the shortest form that reads back the same, whatever the locale.
 *
 * yyjson has a function for it from 0.12 on; before, its writer of whole values does the same with memory that stands on the stack.
 */
#include "base/json.h"

size_t brant__json_number(char out[BRANT__NUMBER_SIZE], yyjson_val *value)
{
#if YYJSON_VERSION_HEX >= 0x000C00
    const char *end = yyjson_write_number(value, out);
    return end ? (size_t)(end - out) : 0;
#else
    char memory[512];
    size_t length = 0;
    yyjson_alc allocator;
    if (!yyjson_alc_pool_init(&allocator, memory, sizeof memory)) return 0;
    const char *text = yyjson_val_write_opts(value, YYJSON_WRITE_NOFLAG, &allocator, &length, NULL);
    if (!text || length >= BRANT__NUMBER_SIZE) return 0;
    memcpy(out, text, length + 1);
    return length;
#endif
}
