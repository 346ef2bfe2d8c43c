/*
 * test_base_allocator.h: an allocator for tests that counts what is alive and can fail its Nth
 * request.
 *
 * With failing_allocator_start(n) requests 0..n-1 succeed and all later ones fail; SIZE_MAX never
 * fails.
 */
#ifndef TEST_BASE_ALLOCATOR_H
#define TEST_BASE_ALLOCATOR_H

#include <stdlib.h>

#include "base/base.h"

typedef struct failing_allocator {
    size_t left;  /* requests that still succeed */
    size_t asked; /* requests so far */
    size_t alive; /* blocks not released yet */
    bool failed;  /* a request was refused */
} failing_allocator;

static failing_allocator failing;

static inline bool failing_allocator_refuses(void) {
    failing.asked++;
    if (failing.left == 0) {
        failing.failed = true;
        return true;
    }
    if (failing.left != SIZE_MAX) failing.left--;
    return false;
}

static inline void *failing_allocate(void *context, size_t size) {
    void *memory;

    (void)context;
    if (failing_allocator_refuses()) return NULL;
    memory = malloc(size);
    if (memory) failing.alive++;
    return memory;
}

static inline void failing_release(void *context, void *memory) {
    (void)context;
    if (memory) failing.alive--;
    free(memory);
}

static inline void failing_allocator_start(size_t successes) {
    static const brant_allocator allocator = {failing_allocate, failing_release, NULL};

    failing = (failing_allocator){.left = successes};
    brant_allocator_set(&allocator);
}

static inline void failing_allocator_stop(void) {
    brant_allocator_set(NULL);
}

#endif
