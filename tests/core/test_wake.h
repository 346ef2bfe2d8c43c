/*
 * tests/core/test_wake.h: what the tests of waking share: notifications, and who is registered and asleep.
 */
#ifndef BRANT_TESTS_WAKE_H
#define BRANT_TESTS_WAKE_H

#include "support.h"

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
