/*
 * base/memory.c: wiping, the allocator seam and the arena.
 *
 * Everything that brant allocates goes through `allocator`, which is written before anything else
 * runs and read-only afterwards. Any of it may have held a secret, and no caller has to know: a
 * block remembers its size, nothing is given back before all that was written to it is zero, and a
 * block that grows moves by our own copy, since the C library's leaves the old place as it was.
 */
#include "base/base.h"

#include <stdlib.h>

/* ---- wiping ---------------------------------------------------------------------------------- */

void brant__wipe(void *memory, size_t size) {
#if defined(__GNUC__)
    if (size) memset(memory, 0, size);
    /* Says that the zeros are read, so that they are written although the memory is given back. */
    __asm__ __volatile__("" : : "r"(memory) : "memory");
#else
    for (volatile unsigned char *byte = memory; size > 0; size--)
        *byte++ = 0;
#endif
}

/* ---- the allocator --------------------------------------------------------------------------- */

static void *default_allocate(void *context, size_t size) {
    (void)context;
    return malloc(size);
}

static void default_release(void *context, void *memory) {
    (void)context;
    free(memory);
}

static const brant_allocator default_allocator = {default_allocate, default_release, NULL};
static brant_allocator allocator = {default_allocate, default_release, NULL};

void brant_allocator_set(const brant_allocator *replacement) {
    allocator = replacement ? *replacement : default_allocator;
}

void brant__allocator_get(brant_allocator *out) {
    *out = allocator;
}

/* Stands before each block: a multiple of the strictest alignment, so that the block keeps it. */
typedef struct block_head {
    _Alignas(max_align_t) size_t size; /* of what follows */
} block_head;

void *brant__alloc(size_t size) {
    block_head *head;

    if (size == 0) size = 1;
    if (size > SIZE_MAX - sizeof(*head)) return NULL;
    head = allocator.allocate(allocator.context, sizeof(*head) + size);
    if (!head) return NULL;
    head->size = size;
    return head + 1;
}

void *brant__alloc_zero(size_t size) {
    void *memory = brant__alloc(size);

    if (memory) memset(memory, 0, size);
    return memory;
}

void *brant__realloc(void *memory, size_t size) {
    size_t old;
    void *moved = brant__alloc(size);

    if (!moved || !memory) return moved;
    old = ((block_head *)memory - 1)->size;
    memcpy(moved, memory, old < size ? old : size);
    brant__free(memory);
    return moved;
}

void brant__free(void *memory) {
    block_head *head;

    if (!memory) return;
    head = (block_head *)memory - 1;
    brant__wipe(head, sizeof(*head) + head->size);
    allocator.release(allocator.context, head);
}

void brant__free_used(void *memory, size_t used) {
    block_head *head;

    if (!memory) return;
    head = (block_head *)memory - 1;
    if (used < head->size) head->size = used;
    brant__free(memory);
}

void brant_free(void *memory) {
    brant__free(memory);
}

void *brant__grow(void *list, size_t *room, size_t count, size_t size) {
    const size_t wanted = *room ? *room * 2 : 16;
    void *grown;

    if (count < *room) return list;
    grown = wanted <= SIZE_MAX / 2 / size ? brant__realloc(list, wanted * size) : NULL;
    if (grown) *room = wanted;
    return grown;
}

char *brant__strndup(const char *text, size_t length) {
    char *copy = length < SIZE_MAX ? brant__alloc(length + 1) : NULL;

    if (!copy) return NULL;
    if (length) memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

/* ---- the arena ------------------------------------------------------------------------------- */

#define ARENA_ALIGN ((size_t)16)
#define ARENA_FIRST ((size_t)4 << 10)
#define ARENA_LARGEST                                                                              \
    ((size_t)1 << 20) /* blocks double up to this; a larger request gets a block of its own */

typedef struct brant__arena_block {
    struct brant__arena_block *next;
    size_t size; /* of the bytes */
    size_t used;
} arena_block;

/* The bytes follow the header at the next aligned address, wherever the allocator put the block. */
static char *block_bytes(arena_block *block) {
    uintptr_t start = (uintptr_t)(block + 1);

    return (char *)(block + 1) + ((ARENA_ALIGN - start % ARENA_ALIGN) % ARENA_ALIGN);
}

void *brant__arena_alloc(brant__arena *arena, size_t size) {
    arena_block *block = arena->head;
    size_t block_size = ARENA_FIRST;
    size_t rounded;
    void *memory;

    if (size == 0) size = 1;
    if (size > SIZE_MAX / 2) return NULL;
    rounded = (size + ARENA_ALIGN - 1) & ~(ARENA_ALIGN - 1);

    if (BRANT__UNLIKELY(!block || block->size - block->used < rounded)) {
        if (block && block->size < ARENA_LARGEST)
            block_size = block->size * 2;
        else if (block)
            block_size = ARENA_LARGEST;
        if (block_size < rounded) block_size = rounded;
        block = brant__alloc(sizeof(*block) + ARENA_ALIGN + block_size);
        if (!block) return NULL;
        block->size = block_size;
        block->used = 0;
        /* A large request does not displace a block that still has more room than it leaves. */
        if (arena->head && arena->head->size - arena->head->used > block_size - rounded) {
            block->next = arena->head->next;
            arena->head->next = block;
        } else {
            block->next = arena->head;
            arena->head = block;
        }
    }
    memory = block_bytes(block) + block->used;
    block->used += rounded;
    return memory;
}

char *brant__arena_copy(brant__arena *arena, const char *text, size_t length) {
    char *copy = length < SIZE_MAX ? brant__arena_alloc(arena, length + 1) : NULL;

    if (!copy) return NULL;
    if (length) memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

brant_status brant__arena_text(brant__text *out, brant__arena *arena, brant__text text) {
    out->data = text.data ? brant__arena_copy(arena, text.data, text.length) : NULL;
    out->length = out->data ? text.length : 0;
    return out->data ? BRANT_OK : brant__fail_memory();
}

void brant__arena_reset(brant__arena *arena) {
    arena_block *largest = arena->head;

    for (arena_block *block = arena->head; block; block = block->next) {
        if (block->size > largest->size) largest = block;
    }
    for (arena_block *block = arena->head, *next; block; block = next) {
        next = block->next;
        if (block != largest) brant__free(block);
    }
    if (largest) {
        largest->next = NULL;
        largest->used = 0;
    }
    arena->head = largest;
}

void brant__arena_free(brant__arena *arena) {
    for (arena_block *block = arena->head, *next; block; block = next) {
        next = block->next;
        brant__free(block);
    }
    arena->head = NULL;
}
