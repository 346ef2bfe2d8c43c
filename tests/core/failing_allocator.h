/*
 * tests/core/failing_allocator.h: an allocator of brant's own and of SQLite's that fails at the allocation of a given number, once or from then on.
 */
#ifndef BRANT_TESTS_FAILING_ALLOCATOR_H
#define BRANT_TESTS_FAILING_ALLOCATOR_H

#include <sqlite3.h>
#include <stdbool.h>

#include "support.h"

static long countdown = -1; /* allocations until one fails; negative: none does */
static bool lasting;        /* until countdown is set anew */
static long failures;

static inline bool due(void) {
    if (countdown < 0) return false;
    if (countdown > 0) {
        countdown--;
        return false;
    }
    if (!lasting) countdown = -1;
    failures++;
    return true;
}

static inline void *allocate(void *context, size_t size) {
    (void)context;
    return due() ? NULL : malloc(size);
}

static inline void release(void *context, void *memory) {
    (void)context;
    free(memory);
}

/* SQLite asks for the size of an allocation: it stands before it. */
static inline void *sqlite_allocate(int size) {
    if (due()) return NULL;
    int64_t *memory = malloc((size_t)size + 16);
    if (!memory) return NULL;
    memory[0] = size;
    return memory + 2;
}
static inline void sqlite_release(void *memory) {
    if (memory) free((int64_t *)memory - 2);
}
static inline int sqlite_size(void *memory) {
    return memory ? (int)((int64_t *)memory)[-2] : 0;
}
static inline void *sqlite_reallocate(void *memory, int size) {
    void *grown = sqlite_allocate(size);
    if (grown && memory)
        memcpy(grown, memory, (size_t)(sqlite_size(memory) < size ? sqlite_size(memory) : size));
    if (grown) sqlite_release(memory);
    return grown;
}
static inline int sqlite_round(int size) {
    return (size + 7) & ~7;
}
static inline int sqlite_begin(void *context) {
    (void)context;
    return SQLITE_OK;
}
static inline void sqlite_end(void *context) {
    (void)context;
}

/* Before anything else in main. False: SQLite would not have it. */
static inline bool failing_allocator_install(void) {
    static const sqlite3_mem_methods methods = {
        sqlite_allocate, sqlite_release, sqlite_reallocate, sqlite_size,
        sqlite_round,    sqlite_begin,   sqlite_end,        NULL};
    static const brant_allocator allocator = {allocate, release, NULL};
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) != SQLITE_OK) return false;
    sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
    brant_allocator_set(&allocator);
    return true;
}

#endif
