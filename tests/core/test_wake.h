/*
 * tests/core/test_wake.h: what the tests of waking share: notifications, who is registered and asleep, and the fallback check. Includers define _GNU_SOURCE first.
 */
#ifndef BRANT_TESTS_WAKE_H
#define BRANT_TESTS_WAKE_H

#include "support.h"

#include <sys/resource.h>

#include "event/wake_state.h"

/* How long a busy machine may take over what is quick. A wait for less than this proves nothing; what must not be found by the fallback check is waited for while that is an HOUR away. */
#define PATIENCE 60000 /* ms */
#define HOUR     3600000

/* The fallback check comes in so many milliseconds. */
static inline void check_in(brant_db *db, int64_t ms) {
    wake *self = wake_of(db);
    pthread_mutex_lock(&self->mutex);
    self->next_check = brant__monotonic_now() + ms;
    pthread_mutex_unlock(&self->mutex);
}

/* So many threads wait on a handle (no session). */
static inline void await_waiting(brant_db *db, size_t wanted) {
    wake *self = wake_of(db);
    size_t waiting = 0;
    for (const int64_t begun = monotonic_ms(); monotonic_ms() - begun < PATIENCE; pause_ms(1)) {
        pthread_mutex_lock(&self->mutex);
        waiting = (size_t)self->waiting;
        pthread_mutex_unlock(&self->mutex);
        if (waiting >= wanted) return;
    }
    fail_msg("%zu threads wait instead of %zu", waiting, wanted);
}

/* The processor time of this process so far. */
static inline double processor_ms(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

static inline void must_notify(brant_db *db, const char *channel) {
    char json[256];
    snprintf(json, sizeof json, "{\"channel\":\"%s\"}", channel);
    must(db, "events.notify", json, NULL);
}

static inline int64_t registrations(brant_db *db) {
    return number(db, "SELECT count(*) FROM brant_wake WHERE row_id > 0");
}

static inline int64_t sleepers(brant_db *db) {
    return number(db, "SELECT count(*) FROM brant_waiters");
}

#endif
