/*
 * cli/clock.c: the time of day, which times of operations are in, and the time that passes, which waits and rates go by.
 */
#include "cli.h"

#include <time.h>

static int64_t read_clock(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t cli_now(void) {
    return read_clock(CLOCK_REALTIME);
}

int64_t cli_monotonic(void) {
    return read_clock(CLOCK_MONOTONIC);
}
