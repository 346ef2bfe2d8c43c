/*
 * tests/core/test_zone.c: time zones from files, from bytes made here, and from bytes that are no zone.
 */
#include "support.h"

#include "event/zone.h"

static int64_t at(int year, int month, int day, int hour) {
    return (brant__days_of(year, month, day) * 24 + hour) * 3600;
}

static brant__zone *load(const char *name) {
    brant__zone *zone = NULL;
    if (brant__zone_load(&zone, brant__text_of(name, strlen(name))) != BRANT_OK)
        fail_msg("%s: %s", name, brant_last_error()->message);
    return zone;
}

static void refuse(const char *name, const char *message) {
    brant__zone *zone = NULL;
    brant__error_clear();
    assert_int_equal(brant__zone_load(&zone, brant__text_of(name, strlen(name))), BRANT_INVALID);
    assert_null(zone);
    if (!strstr(brant_last_error()->message, message))
        fail_msg("%s: \"%s\" does not say \"%s\"", name, brant_last_error()->message, message);
}

static void test_calendar(void **state) {
    (void)state;
    assert_int_equal(brant__days_of(1970, 1, 1), 0);
    assert_int_equal(brant__days_of(2000, 3, 1), 11017);
    for (int64_t days = -800000; days < 3000000; days += 13) {
        const brant__date date = brant__date_of(days);
        assert_int_equal(brant__days_of(date.year, date.month, date.day), days);
        assert_in_range(date.day, 1, brant__month_length(date.year, date.month));
    }
}

static void test_known_zones(void **state) {
    (void)state;
    brant__zone *zone = load("Europe/Berlin");
    assert_int_equal(brant__zone_span(zone, at(1800, 1, 1, 0)).offset, 3208);
    assert_int_equal(brant__zone_span(zone, at(2024, 1, 1, 0)).offset, 3600);
    const brant__span summer = brant__zone_span(zone, at(2024, 7, 1, 0));
    assert_int_equal(summer.offset, 7200);
    assert_int_equal(summer.from, at(2024, 3, 31, 1));
    assert_int_equal(summer.until, at(2024, 10, 27, 1));
    assert_int_equal(brant__zone_span(zone, summer.from - 1).until, summer.from);
    const brant__span far = brant__zone_span(zone, at(5000, 7, 1, 0));
    assert_int_equal(far.offset, 7200);
    assert_int_equal(brant__zone_span(zone, INT64_MAX).offset, 3600);
    (void)brant__zone_span(zone, INT64_MIN);
    brant__zone_free(zone);
    zone = load("Australia/Lord_Howe");
    assert_int_equal(brant__zone_span(zone, at(2060, 1, 1, 0)).offset, 11 * 3600);
    assert_int_equal(brant__zone_span(zone, at(2060, 7, 1, 0)).offset, 10 * 3600 + 1800);
    brant__zone_free(zone);
    zone = load("UTC");
    const brant__span all = brant__zone_span(zone, 0);
    assert_int_equal(all.offset, 0);
    assert_true(all.from == INT64_MIN && all.until == INT64_MAX);
    brant__zone_free(zone);
}

static void test_names(void **state) {
    (void)state;
    refuse("", "not a name");
    refuse("/etc/passwd", "not a name");
    refuse("../../../etc/passwd", "not a name");
    refuse("Europe/../Europe/Berlin", "not a name");
    refuse("Europe/", "not a name");
    refuse("Europe//Berlin", "not a name");
    refuse(".", "not a name");
    refuse("Mars/Olympus", "no time zone \"Mars/Olympus\" in /usr/share/zoneinfo");
    refuse("Europe", "no time zone");      /* a folder */
    refuse("tzdata.zi", "cannot be used"); /* a text beside the zones */
}

/* ---- files made here -------------------------------------------------------------------------------------------------------- */

static size_t made_length;
static uint8_t made[4096];

static void add_32(int64_t value) {
    for (int shift = 24; shift >= 0; shift -= 8)
        made[made_length++] = (uint8_t)((uint64_t)value >> shift);
}

static void add_header(char version, int leap, int times, int types, int bytes) {
    memcpy(made + made_length, "TZif", 4);
    memset(made + made_length + 4, 0, 16);
    made[made_length + 4] = (uint8_t)version;
    made_length += 20;
    add_32(0);
    add_32(0);
    add_32(leap);
    add_32(times);
    add_32(types);
    add_32(bytes);
}

static void add_type(int64_t offset) {
    add_32(offset);
    made[made_length++] = 0;
    made[made_length++] = 0;
}

/* Version 2 with one type of offset 3600 and a footer. */
static void make(const char *footer) {
    made_length = 0;
    add_header('2', 0, 0, 1, 1);
    add_type(0);
    made[made_length++] = 0;
    add_header('2', 0, 0, 1, 1);
    add_type(3600);
    made[made_length++] = 0;
    memcpy(made + made_length, footer, strlen(footer));
    made_length += strlen(footer);
}

static brant__zone *parse(void) {
    brant__zone *zone = NULL;
    brant__error_clear();
    const brant_status status = brant__zone_parse(&zone, made, made_length, BRANT__TEXT("made"));
    assert_true(status == (zone ? BRANT_OK : BRANT_INVALID));
    return zone;
}

static void test_footers(void **state) {
    static const struct {
        const char *footer;
        int64_t january, july; /* 1: refused */
    } cases[] = {
        {"\n\n", 3600, 3600},
        {"\nCET-1\n", 3600, 3600},
        {"\n<+0330>-3:30\n", 12600, 12600},
        {"\nCET-1CEST,M3.5.0,M10.5.0/3\n", 3600, 7200},
        {"\nEST5EDT4,M3.2.0,M11.1.0\n", -18000, -14400},
        {"\nXXX3EDT4,0/0,J365/23\n", -14400, -14400}, /* RFC 9636: daylight saving time all year */
        {"\nIST-1GMT0,M10.5.0,M3.5.0/1\n", 0, 3600},
        {"\n<-03>3<-02>,M3.5.0/-2,M10.5.0/-1\n", -10800, -7200},
        {"\nCET-1CEST,J60/167,300/-167:59:59\n", 3600, 7200},
        {"\nCET-1CEST\n", 1, 1},
        {"\nCE-1\n", 1, 1},
        {"\nCET\n", 1, 1},
        {"\nCET-25\n", 1, 1},
        {"\nCET-1CEST,M13.1.0,M10.5.0\n", 1, 1},
        {"\nCET-1CEST,M3.5.0,M10.6.0\n", 1, 1},
        {"\nCET-1CEST,M3.5.0,M10.5.0/168\n", 1, 1},
        {"\nCET-1CEST,J0,J1\n", 1, 1},
        {"\nCET-1CEST,M3.5.0,M10.5.0x\n", 1, 1},
        {"\n<+03-3\n", 1, 1},
        {"\nCET-1", 1, 1},
        {"", 1, 1},
        {"CET-1\n", 1, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make(cases[i].footer);
        brant__zone *zone = parse();
        if (!zone != (cases[i].january == 1)) fail_msg("%s", cases[i].footer);
        if (!zone) continue;
        if (brant__zone_span(zone, at(2030, 1, 15, 0)).offset != cases[i].january ||
            brant__zone_span(zone, at(2030, 7, 15, 0)).offset != cases[i].july)
            fail_msg("%s", cases[i].footer);
        brant__zone_free(zone);
    }
}

static void test_version_1(void **state) {
    (void)state;
    made_length = 0;
    add_header('\0', 0, 2, 2, 1);
    add_32(-1000);
    add_32(1000);
    made[made_length++] = 1;
    made[made_length++] = 0;
    add_type(60);
    add_type(120);
    made[made_length++] = 0;
    brant__zone *zone = parse();
    assert_non_null(zone);
    assert_int_equal(brant__zone_span(zone, -1001).offset, 60);
    assert_int_equal(brant__zone_span(zone, -1000).offset, 120);
    assert_int_equal(brant__zone_span(zone, INT64_MAX).offset, 60);
    brant__zone_free(zone);
}

/* Cut off anywhere, any byte another: a zone or INVALID, and whatever is asked of it has an answer. */
static void test_damaged(void **state) {
    (void)state;
    FILE *file = fopen("/usr/share/zoneinfo/America/New_York", "rb");
    assert_non_null(file);
    const size_t length = fread(made, 1, sizeof made, file);
    fclose(file);
    assert_true(length > 200 && length < sizeof made);
    for (made_length = 0; made_length < length; made_length++)
        assert_null(parse());
    made_length = length;
    for (size_t i = 0; i < length; i++) {
        for (int bit = 0; bit < 8; bit++) {
            made[i] ^= (uint8_t)(1 << bit);
            brant__zone *zone = parse();
            for (int64_t when = -1; zone && when < 5; when++) {
                const brant__span span = brant__zone_span(zone, when * at(2010, 1, 1, 0));
                assert_true(span.from <= when * at(2010, 1, 1, 0) &&
                            when * at(2010, 1, 1, 0) < span.until);
            }
            brant__zone_free(zone);
            made[i] ^= (uint8_t)(1 << bit);
        }
    }
    make("\nCET-1\n");
    made[44 + 7 + 20 + 8 + 3] = 1; /* a leap second */
    assert_null(parse());
    assert_non_null(strstr(brant_last_error()->message, "leap seconds"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calendar),  cmocka_unit_test(test_known_zones),
        cmocka_unit_test(test_names),     cmocka_unit_test(test_footers),
        cmocka_unit_test(test_version_1), cmocka_unit_test(test_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
