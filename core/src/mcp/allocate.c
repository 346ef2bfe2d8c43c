/*
 * mcp/allocate.c: the server's own memory, and JSON in it. Out of memory ends the process with a message, as everywhere in the command line (cli/memory.c): what is committed is committed, and a client
 * starts its server again. So nothing here answers NULL for want of memory. The core's calls answer NO_MEMORY instead, which goes to the agent as any error does.
 */
#include <stdio.h>
#include <stdlib.h>

#include "mcp/mcp.h"

static void *or_end(void *memory) {
    if (memory) return memory;
    fputs("brant: out of memory\n", stderr);
    exit(BRANT_NO_MEMORY);
}

void *mcp_alloc(size_t size) {
    return or_end(calloc(1, size ? size : 1));
}

void *mcp_grow(void *memory, size_t count, size_t size) {
    return or_end(size && count > SIZE_MAX / size ? NULL : realloc(memory, count * size));
}

char *mcp_copy(const char *text, size_t length) {
    char *made = mcp_alloc(length + 1);

    if (length > 0) memcpy(made, text, length);
    return made;
}

/* ---- JSON -------------------------------------------------------------------------------------- */

static void *json_alloc(void *context, size_t size) {
    (void)context;
    return or_end(malloc(size));
}

static void *json_grow(void *context, void *memory, size_t old_size, size_t size) {
    (void)context;
    (void)old_size;
    return or_end(realloc(memory, size));
}

static void json_free(void *context, void *memory) {
    (void)context;
    free(memory);
}

static const yyjson_alc json_memory = {json_alloc, json_grow, json_free, NULL};

yyjson_mut_doc *mcp_doc(void) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(&json_memory);

    yyjson_mut_doc_set_root(doc, yyjson_mut_obj(doc));
    return doc;
}

yyjson_mut_doc *mcp_doc_of(yyjson_doc *read) {
    return yyjson_doc_mut_copy(read, &json_memory);
}

yyjson_doc *mcp_read(const char *json, size_t length) {
    /* Without YYJSON_READ_INSITU the text is not written to. */
    return yyjson_read_opts((char *)(uintptr_t)json, length, 0, &json_memory, NULL);
}

/* Escapes of surrogates, of which one half alone is no character. */
static void replace_surrogates(char *json, size_t length) {
    for (size_t i = 0; i + 1 < length; i++) {
        if (json[i] != '\\') continue;
        if (i + 5 < length && json[i + 1] == 'u' && (json[i + 2] | 32) == 'd' &&
            ((json[i + 3] | 32) >= 'a' || json[i + 3] >= '8'))
            memcpy(json + i + 2, "fffd", 4);
        i++;
    }
}

yyjson_doc *mcp_read_loosely(const char *json, size_t length) {
    static const yyjson_read_flag flags =
        YYJSON_READ_ALLOW_INVALID_UNICODE | YYJSON_READ_ALLOW_INF_AND_NAN;
    char *copy = mcp_copy(json, length);
    yyjson_doc *doc;

    replace_surrogates(copy, length);
    doc = yyjson_read_opts(copy, length, flags, &json_memory, NULL);
    free(copy);
    return doc;
}

char *mcp_write(yyjson_mut_val *value, size_t *out_length) {
    return yyjson_mut_val_write_opts(value, 0, &json_memory, out_length, NULL);
}

char *mcp_write_read(yyjson_val *value, size_t *out_length) {
    return yyjson_val_write_opts(value, 0, &json_memory, out_length, NULL);
}
