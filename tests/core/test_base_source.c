/* Time, randomness and identifiers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <time.h>

#include "base/base.h"

static void system_time_is_in_milliseconds(void **state) {
    int64_t before = (int64_t)time(NULL), now = brant__system_now(), after = (int64_t)time(NULL);

    (void)state;
    /* time() may read a coarser clock that lags by a tick. */
    assert_true(now >= before * 1000);
    assert_true(now < (after + 2) * 1000);
}

static void monotonic_time_never_goes_back(void **state) {
    int64_t last = brant__monotonic_now(), start = last;
    struct timespec pause = {0, 20000000};

    (void)state;
    for (int i = 0; i < 10000; i++) {
        int64_t now = brant__monotonic_now();
        assert_true(now >= last);
        last = now;
    }
    nanosleep(&pause, NULL);
    assert_true(brant__monotonic_now() >= start + 19);
}

static void random_bytes_fill_all_that_was_asked(void **state) {
    static unsigned char bytes[100000];
    unsigned seen[256] = {0};

    (void)state;
    assert_true(brant__system_random(bytes, 0));
    /* More than one getrandom(2) call need give. */
    assert_true(brant__system_random(bytes, sizeof(bytes)));
    for (size_t i = 0; i < sizeof(bytes); i++)
        seen[bytes[i]]++;
    /* 391 expected of each; 12 standard deviations either way. */
    for (int i = 0; i < 256; i++)
        assert_in_range(seen[i], 150, 630);
    for (size_t i = 0; i < sizeof(bytes) - 16; i += 16)
        assert_memory_not_equal(bytes + i, bytes + i + 16, 16);
}

/* RFC 9562, appendix A.6. */
static void uuid_of_the_standard(void **state) {
    static const uint8_t random[10] = {0x0C, 0xC3, 0x18, 0xC4, 0xDC, 0x0C, 0x0C, 0x07, 0x39, 0x8F};
    char uuid[37];

    (void)state;
    memset(uuid, 'x', sizeof(uuid));
    brant__uuid_v7(uuid, INT64_C(0x017F22E279B0), random);
    assert_string_equal(uuid, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
}

static void version_and_variant_whatever_the_random(void **state) {
    uint8_t random[10];
    char uuid[37];

    (void)state;
    memset(random, 0xFF, sizeof(random));
    brant__uuid_v7(uuid, INT64_C(0xFFFFFFFFFFFF), random);
    assert_string_equal(uuid, "ffffffff-ffff-7fff-bfff-ffffffffffff");
    memset(random, 0, sizeof(random));
    brant__uuid_v7(uuid, 0, random);
    assert_string_equal(uuid, "00000000-0000-7000-8000-000000000000");
}

static void uuids_sort_by_time(void **state) {
    char last[37] = "", uuid[37];

    (void)state;
    for (int64_t now = 1; now < INT64_C(1) << 47; now *= 3) {
        uint8_t random[10];
        assert_true(brant__system_random(random, sizeof(random)));
        brant__uuid_v7(uuid, now, random);
        assert_int_equal(strlen(uuid), 36);
        assert_true(strcmp(last, uuid) < 0);
        memcpy(last, uuid, sizeof(last));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(system_time_is_in_milliseconds),
        cmocka_unit_test(monotonic_time_never_goes_back),
        cmocka_unit_test(random_bytes_fill_all_that_was_asked),
        cmocka_unit_test(uuid_of_the_standard),
        cmocka_unit_test(version_and_variant_whatever_the_random),
        cmocka_unit_test(uuids_sort_by_time),
    };

    return cmocka_run_group_tests_name("base/source", tests, NULL, NULL);
}
