/*
 * tests/bench/support.h: what benchmarks over brant_call share.
 */
#ifndef BRANT_BENCH_SUPPORT_H
#define BRANT_BENCH_SUPPORT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "brant.h"

/* End with the error of what failed. */
static inline void check(brant_status status, const char *what) {
    if (status == BRANT_OK) return;
    fprintf(stderr, "%s: %s: %s\n", what, brant_last_error()->name, brant_last_error()->message);
    exit(1);
}

/* By a clock that never jumps. */
static inline double now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* An operation whose answer does not matter. */
static inline void must_call(brant_db *db, const char *name, const char *input) {
    char *answer = NULL;
    size_t length = 0;
    check(brant_call(&answer, &length, db, name, strlen(name), input, strlen(input)), name);
    brant_free(answer);
}

#endif
