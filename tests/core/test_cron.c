/*
 * tests/core/test_cron.c: specifications and when they fire. Random ones are compared with a model in tests/schedule/oracle.py; here is what is known by hand.
 */
#include "support.h"

#include <stdbool.h>
#include <time.h>

#include "event/cron.h"

#define DAY INT64_C(86400000)

static int64_t utc(int year, int month, int day, int hour, int minute, int second) {
    return ((brant__days_of(year, month, day) * 24 + hour) * 60 + minute) * 60000 + second * 1000;
}

static void expect(const char *spec, const char *zone_name, int64_t after, const int64_t *wanted,
                   size_t count) {
    brant__cron cron;
    brant__zone *zone = NULL;
    if (brant__cron_parse(&cron, brant__text_of(spec, strlen(spec))) != BRANT_OK)
        fail_msg("%s: %s", spec, brant_last_error()->message);
    if (brant__zone_load(&zone, brant__text_of(zone_name, strlen(zone_name))) != BRANT_OK)
        fail_msg("%s", brant_last_error()->message);
    for (size_t i = 0; i < count; i++) {
        if (!brant__cron_next(&after, &cron, zone, after)) after = -1;
        if (after != wanted[i])
            fail_msg("%s in %s: fire %zu: wanted %lld, got %lld", spec, zone_name, i,
                     (long long)wanted[i], (long long)after);
    }
    brant__zone_free(zone);
}
#define EXPECT(spec, zone, after, ...)                                                             \
    do {                                                                                           \
        const int64_t wanted[] = {__VA_ARGS__};                                                    \
        expect(spec, zone, after, wanted, sizeof wanted / sizeof *wanted);                         \
    } while (0)

static void test_fields(void **state) {
    (void)state;
    EXPECT("*/20 * * * *", "UTC", 0, 1200000, 2400000, 3600000);
    EXPECT("5/20 * * * *", "UTC", 0, 300000, 1500000, 2700000, 3900000);
    EXPECT("10-12,50 0 * * *", "UTC", 0, 600000, 660000, 720000, 3000000, DAY + 600000);
    EXPECT("*/30 * * * * *", "UTC", 0, 30000, 60000);
    EXPECT("59 59 23 31 12 *", "UTC", utc(2023, 12, 31, 23, 59, 58), utc(2023, 12, 31, 23, 59, 59),
           utc(2024, 12, 31, 23, 59, 59));
    EXPECT("  0\t0  1 jan *  ", "UTC", 1, utc(1971, 1, 1, 0, 0, 0));
    EXPECT("0 0 * * 7", "UTC", utc(2024, 1, 1, 0, 0, 0), utc(2024, 1, 7, 0, 0, 0));
    EXPECT("0 0 * * FRI-SUN", "UTC", utc(2024, 1, 1, 0, 0, 0), utc(2024, 1, 5, 0, 0, 0),
           utc(2024, 1, 6, 0, 0, 0), utc(2024, 1, 7, 0, 0, 0), utc(2024, 1, 12, 0, 0, 0));
    /* A day of either; of both where one begins with a star. */
    EXPECT("0 0 13 * FRI", "UTC", utc(2024, 9, 1, 0, 0, 0), utc(2024, 9, 6, 0, 0, 0),
           utc(2024, 9, 13, 0, 0, 0), utc(2024, 9, 20, 0, 0, 0));
    EXPECT("0 0 */2 * MON", "UTC", utc(2024, 1, 2, 0, 0, 0), utc(2024, 1, 15, 0, 0, 0),
           utc(2024, 1, 29, 0, 0, 0));
    EXPECT("@weekly", "UTC", utc(2024, 1, 1, 0, 0, 0), utc(2024, 1, 7, 0, 0, 0));
    EXPECT("@YEARLY", "UTC", 0, utc(1971, 1, 1, 0, 0, 0));
    EXPECT("@every 1h30m500ms", "UTC", 1, 5400501, 10801001);
    EXPECT("@every 2d", "UTC", 0, 2 * DAY);
}

static void test_calendar(void **state) {
    (void)state;
    EXPECT("0 0 29 2 *", "UTC", utc(1896, 3, 1, 0, 0, 0), utc(1904, 2, 29, 0, 0, 0));
    EXPECT("0 0 29 2 *", "UTC", utc(2096, 3, 1, 0, 0, 0), utc(2104, 2, 29, 0, 0, 0));
    EXPECT("0 0 31 * *", "UTC", utc(2024, 1, 31, 0, 0, 0), utc(2024, 3, 31, 0, 0, 0));
    EXPECT("* * * * *", "UTC", utc(1969, 12, 31, 23, 58, 1), utc(1969, 12, 31, 23, 59, 0), 0,
           60000);
    /* The end of time, and before it began. */
    EXPECT("0 0 1 1 *", "UTC", utc(9999, 1, 1, 0, 0, 0), -1);
    brant__cron cron;
    brant__zone *zone = NULL;
    int64_t at = 0;
    assert_int_equal(brant__cron_parse(&cron, BRANT__TEXT("* * * * *")), BRANT_OK);
    assert_int_equal(brant__zone_load(&zone, BRANT__TEXT("America/New_York")), BRANT_OK);
    assert_true(brant__cron_next(&at, &cron, zone, BRANT__TIME_LEAST));
    assert_true(at > BRANT__TIME_LEAST);
    assert_false(brant__cron_next(&at, &cron, zone, BRANT__TIME_MOST));
    assert_false(brant__cron_next(&at, &cron, zone, INT64_MAX));
    assert_false(brant__cron_next(&at, &cron, zone, INT64_MIN));
    brant__zone_free(zone);
}

static void test_clock_changes(void **state) {
    (void)state;
    /* Berlin skips 2:00-3:00 on 31 March 2024 and repeats it on 27 October. */
    EXPECT("30 2 * * *", "Europe/Berlin", utc(2024, 3, 30, 12, 0, 0), utc(2024, 3, 31, 1, 0, 0),
           utc(2024, 4, 1, 0, 30, 0));
    EXPECT("0,30 2,3 * * *", "Europe/Berlin", utc(2024, 3, 31, 0, 0, 0), utc(2024, 3, 31, 1, 0, 0),
           utc(2024, 3, 31, 1, 30, 0), utc(2024, 4, 1, 0, 0, 0));
    EXPECT("30 2 * * *", "Europe/Berlin", utc(2024, 10, 26, 12, 0, 0), utc(2024, 10, 27, 0, 30, 0),
           utc(2024, 10, 28, 1, 30, 0));
    EXPECT("30 * * * *", "Europe/Berlin", utc(2024, 10, 27, 0, 0, 0), utc(2024, 10, 27, 0, 30, 0),
           utc(2024, 10, 27, 1, 30, 0), utc(2024, 10, 27, 2, 30, 0));
    EXPECT("*/30 2 * * *", "Europe/Berlin", utc(2024, 3, 31, 0, 0, 0), utc(2024, 4, 1, 0, 0, 0));
    /* From within the repeated hour what ran once does not run again. */
    EXPECT("30 2 * * *", "Europe/Berlin", utc(2024, 10, 27, 1, 0, 0), utc(2024, 10, 28, 1, 30, 0));
    /* Lord Howe changes by half an hour: 2:00 -> 2:30 on 6 October, 2:00 -> 1:30 on 7 April. */
    EXPECT("15 2 * * *", "Australia/Lord_Howe", utc(2024, 10, 5, 0, 0, 0),
           utc(2024, 10, 5, 15, 30, 0), utc(2024, 10, 6, 15, 15, 0));
    EXPECT("45 1 * * *", "Australia/Lord_Howe", utc(2024, 4, 6, 0, 0, 0),
           utc(2024, 4, 6, 14, 45, 0), utc(2024, 4, 7, 15, 15, 0));
    /* A midnight that was skipped, and a whole day. */
    EXPECT("0 0 * * *", "America/Sao_Paulo", utc(2018, 11, 3, 12, 0, 0), utc(2018, 11, 4, 3, 0, 0),
           utc(2018, 11, 5, 2, 0, 0));
    EXPECT("0 12 30 12 *", "Pacific/Apia", utc(2011, 12, 1, 0, 0, 0), utc(2011, 12, 30, 10, 0, 0));
    /* Far beyond the file: by the rule in its footer. */
    EXPECT("30 2 * * *", "Europe/Berlin", utc(2400, 3, 25, 12, 0, 0), utc(2400, 3, 26, 1, 0, 0),
           utc(2400, 3, 27, 0, 30, 0));
}

static void test_refusals_name_the_field(void **state) {
    (void)state;
    static const struct {
        const char *spec, *message;
    } cases[] = {
        {"", "these are 0"},
        {"* * * *", "these are 4"},
        {"* * * * * * *", "more than 6"},
        {"60 * * * *", "minute \"60\": 60 is not within 0-59"},
        {"* 24 * * *", "hour"},
        {"* * 0 * *", "day of month"},
        {"* * 32 * *", "day of month"},
        {"* * * 13 *", "month"},
        {"* * * FOO *", "JAN-DEC"},
        {"* * * * 8", "day of week"},
        {"* * * * MONDAY", "SUN-SAT"},
        {"60 * * * * *", "second"},
        {"5-1 * * * *", "backwards"},
        {"*/0 * * * *", "1 or more"},
        {"*/60 * * * *", "longer than the field"},
        {"1,, * * * *", "missing"},
        {"1- * * * *", "missing"},
        {"*5 * * * *", "minute"},
        {"1.5 * * * *", "minute"},
        {"-1 * * * *", "minute"},
        {"99999999999999999999 * * * *", "minute"},
        {"0 0 30 2 *", "none of the months \"2\" has it"},
        {"0 0 31 4,6,9,11 *", "day of month"},
        {"@reboot", "@daily"},
        {"@daily 5", "nothing stands behind"},
        {"@every", "1 ms or more"},
        {"@every 0s", "1 ms or more"},
        {"@every 5", "90s"},
        {"@every 1h 30m", "one duration"},
        {"@every 9999999d", "3660 days"},
        {"@every 999999999999d", "3660 days"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        brant__cron cron;
        const brant__text spec = brant__text_of(cases[i].spec, strlen(cases[i].spec));
        brant__error_clear();
        if (brant__cron_parse(&cron, spec) != BRANT_INVALID) fail_msg("%s is taken", cases[i].spec);
        if (!strstr(brant_last_error()->message, cases[i].message))
            fail_msg("%s: \"%s\" does not say \"%s\"", cases[i].spec, brant_last_error()->message,
                     cases[i].message);
    }
}

/* What is usual takes a microsecond or so, what is rare some ten: far from these bounds also with sanitizers. */
static void test_is_quick(void **state) {
    static const char *const specs[] = {"*/5 * * * *", "30 2 * * *", "0 0 29 2 *", "0 0 29 2 */6"};
    brant__zone *zone = NULL;
    (void)state;
    assert_int_equal(brant__zone_load(&zone, BRANT__TEXT("Europe/Berlin")), BRANT_OK);
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        brant__cron cron;
        struct timespec began, ended;
        assert_int_equal(brant__cron_parse(&cron, brant__text_of(specs[i], strlen(specs[i]))),
                         BRANT_OK);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &began);
        for (int turn = 0; turn < 1000; turn++) {
            int64_t at = 0;
            assert_true(brant__cron_next(&at, &cron, zone, utc(2024, 1, 1, 0, 0, 0) + turn * DAY));
        }
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ended);
        const double each = (double)(ended.tv_sec - began.tv_sec) * 1e3 +
                            (double)(ended.tv_nsec - began.tv_nsec) / 1e6;
        print_message("%-14s %.2f us\n", specs[i], each);
        assert_true(each < 1000);
    }
    brant__zone_free(zone);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),        cmocka_unit_test(test_calendar),
        cmocka_unit_test(test_clock_changes), cmocka_unit_test(test_refusals_name_the_field),
        cmocka_unit_test(test_is_quick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
