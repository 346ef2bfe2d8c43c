/*
 * base/condition.c: condition variables of the monotonic clock, which each system has in a way of its own.
 */
#include "base/condition.h"

#include <time.h>

bool brant__condition_init(pthread_cond_t *condition) {
#if defined(__APPLE__)
    return pthread_cond_init(condition, NULL) == 0;
#else
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0) return false;
    const bool done = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                      pthread_cond_init(condition, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return done;
#endif
}

void brant__condition_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t moment) {
    if (moment == INT64_MAX) {
        pthread_cond_wait(condition, mutex);
        return;
    }
#if defined(__APPLE__)
    const int64_t left = moment - brant__monotonic_now();
    const struct timespec span = {(time_t)(left / 1000), (long)(left % 1000) * 1000000};
    if (left > 0) pthread_cond_timedwait_relative_np(condition, mutex, &span);
#else
    const struct timespec until = {(time_t)(moment / 1000), (long)(moment % 1000) * 1000000};
    pthread_cond_timedwait(condition, mutex, &until);
#endif
}
