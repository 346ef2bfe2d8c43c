/*
 * tests/core/fake_clock.h: a clock that the test sets, and handles that go by it.
 */
#ifndef BRANT_TESTS_FAKE_CLOCK_H
#define BRANT_TESTS_FAKE_CLOCK_H

#include "support.h"

#define FAKE_BEGIN INT64_C(1700000000000)

static int64_t fake_now = FAKE_BEGIN;

static inline int64_t fake_clock(void *context) {
    (void)context;
    return fake_now;
}

static inline brant_db *open_with_clock(const char *path) {
    static const brant_sources sources = {.now = fake_clock};
    brant_db *db = NULL;
    assert_int_equal(brant_open_with(&db, TEXT(path), "", 0, &sources), BRANT_OK);
    return db;
}

/* A folder, and the clock at its beginning. */
static inline int set_up_clock(void **state) {
    fake_now = FAKE_BEGIN;
    return set_up_folder(state);
}

#endif
