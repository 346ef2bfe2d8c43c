/*
 * base/condition.h: waiting for a condition until a moment of the monotonic clock.
 */
#ifndef BRANT__BASE_CONDITION_H
#define BRANT__BASE_CONDITION_H

#include <pthread.h>

#include "base/base.h"

/* False without memory. pthread_cond_destroy ends it. */
bool brant__condition_init(pthread_cond_t *condition);
/* As pthread_cond_wait, until `moment` of brant__monotonic_now at most; INT64_MAX: without end. */
void brant__condition_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t moment);

#endif
