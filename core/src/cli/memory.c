/*
 * cli/memory.c: memory that is wiped before it is given back, and reading and writing without stdio's buffers, which are not.
 */
#include "cli.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

void cli_wipe(void *memory, size_t size) {
#if defined(__GNUC__)
    if (size) memset(memory, 0, size);
    /* Says that the zeros are read, so that they are written although nobody reads them. */
    __asm__ __volatile__("" : : "r"(memory) : "memory");
#else
    for (volatile unsigned char *byte = memory; size > 0; size--)
        *byte++ = 0;
#endif
}

/* ---- allocating --------------------------------------------------------------------------------------------------- */

typedef union block {
    size_t size; /* with this header */
    max_align_t align;
} block;

static void *allocate(void *context, size_t size) {
    (void)context;
    if (size > SIZE_MAX - sizeof(block)) return NULL;
    block *made = malloc(size + sizeof *made);
    if (!made) return NULL;
    made->size = size + sizeof *made;
    return made + 1;
}

static void release(void *context, void *memory) {
    (void)context;
    if (!memory) return;
    block *old = (block *)memory - 1;
    cli_wipe(old, old->size);
    free(old);
}

static void *reallocate(void *context, void *memory, size_t old_size, size_t size) {
    void *made = allocate(context, size);
    if (!made) return NULL;
    memcpy(made, memory, old_size < size ? old_size : size);
    release(context, memory);
    return made;
}

const yyjson_alc cli_json = {allocate, reallocate, release, NULL};

static void *or_end(void *memory) {
    if (memory) return memory;
    fputs("brant: out of memory\n", stderr);
    exit(BRANT_NO_MEMORY);
}

void *cli_alloc(size_t size) {
    return or_end(allocate(NULL, size));
}

void *cli_grow(void *memory, size_t size) {
    if (!memory) return cli_alloc(size);
    return or_end(reallocate(NULL, memory, ((block *)memory - 1)->size - sizeof(block), size));
}

char *cli_copy(const char *text, size_t length) {
    char *made = cli_alloc(length + 1);
    memcpy(made, text, length);
    made[length] = '\0';
    return made;
}

void cli_free(void *memory) {
    release(NULL, memory);
}

void cli_text_free(cli_text *text) {
    cli_free(text->data);
    *text = (cli_text){0};
}

/* ---- reading and writing ------------------------------------------------------------------------------------------ */

bool cli_read(cli_text *out, int descriptor, size_t most) {
    size_t capacity = 65536;
    *out = (cli_text){.data = cli_alloc(capacity)};
    for (;;) {
        if (out->length + 1 == capacity) out->data = cli_grow(out->data, capacity *= 2);
        const ssize_t got = read(descriptor, out->data + out->length, capacity - 1 - out->length);
        if (got < 0 && errno == EINTR) continue;
        if (got > 0) out->length += (size_t)got;
        if (got == 0 && out->length <= most) break;
        if (got > 0 && out->length <= most) continue;
        const int error = got < 0 ? errno : EOVERFLOW;
        cli_text_free(out);
        errno = error;
        return false;
    }
    out->data[out->length] = '\0';
    return true;
}

bool cli_write(int descriptor, const char *bytes, size_t length) {
    while (length > 0) {
        const ssize_t wrote = write(descriptor, bytes, length);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return false;
        bytes += wrote;
        length -= (size_t)wrote;
    }
    return true;
}

/* ---- other processes ---------------------------------------------------------------------------------------------- */

void cli_hide_memory(void) {
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    /* The limit does not count where the kernel hands core dumps to a program. The leak sanitizer looks into its own process. */
#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__)
    prctl(PR_SET_DUMPABLE, 0);
#endif
}
