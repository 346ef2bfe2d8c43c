/*
 * tests/core/test_schedule.c: what fires when, with a clock that steps over changes, jumps back and leaves fires out; and processes of which the leader is killed.
 */
#define _GNU_SOURCE
#include "fake_clock.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <time.h>

#include "event/schedule.h"
#include "support_plan.h"

static int64_t utc(int year, int month, int day, int hour, int minute) {
    return ((brant__days_of(year, month, day) * 24 + hour) * 60 + minute) * 60000;
}

static int set_up(void **state) {
    *state = make_folder();
    fake_now = utc(2024, 1, 1, 0, 0);
    return 0;
}

static void set(brant_db *db, const char *spec, const char *more) {
    char json[400];
    snprintf(json, sizeof json, "{\"name\":\"s\",\"queue\":\"q\",\"spec\":\"%s\"%s}", spec, more);
    must(db, "schedules.set", json, "\"name\":\"s\"");
}

/* The times of the fires of a tick, in `at`. */
static int tick(brant_db *db, int64_t *at, int most) {
    char *answer = must_call(db, "schedules.tick", "{\"limit\":1000}", NULL);
    int count = 0;
    assert_null(strstr(answer, "\"error\""));
    for (const char *place = answer; (place = strstr(place, "\"at\":")) && count < most; place++) {
        long long value = 0;
        sscanf(place, "\"at\":%lld", &value);
        at[count++] = value;
    }
    brant_free(answer);
    return count;
}

static void expect(brant_db *db, const int64_t *wanted, int count) {
    int64_t at[1100];
    assert_int_equal(tick(db, at, 1100), count);
    for (int i = 0; i < count; i++)
        assert_int_equal(at[i], wanted[i]);
}
#define EXPECT(db, ...)                                                                            \
    do {                                                                                           \
        const int64_t wanted[] = {__VA_ARGS__};                                                    \
        expect(db, wanted, sizeof wanted / sizeof *wanted);                                        \
    } while (0)

static void test_fires_when_due(void **state) {
    brant_db *db = open_with_clock(in_folder(*state, "a.db"));
    set(db, "30 2 * * *", ",\"payload\":[1],\"options\":{\"priority\":7}");
    fake_now = utc(2024, 1, 1, 2, 30) - 1;
    expect(db, NULL, 0);
    fake_now++;
    EXPECT(db, utc(2024, 1, 1, 2, 30));
    expect(db, NULL, 0);
    must(db, "queues.claim", "{\"queue\":\"q\"}", "\"payload\":[1]");
    must(db, "schedules.get", "{\"name\":\"s\"}", "\"fired\":1");
    /* Set again: the same next fire; another spec: a new one. */
    fake_now = utc(2024, 1, 2, 2, 0);
    set(db, "30 2 * * *", "");
    fake_now = utc(2024, 1, 2, 2, 40);
    set(db, "30 2 * * *", "");
    EXPECT(db, utc(2024, 1, 2, 2, 30));
    set(db, "45 2 * * *", "");
    fake_now = utc(2024, 1, 2, 2, 45);
    EXPECT(db, utc(2024, 1, 2, 2, 45));
    /* What came due in a pause is not made up. */
    must(db, "schedules.pause", "{\"name\":\"s\"}", "\"paused\":true");
    fake_now += 3 * 86400000;
    expect(db, NULL, 0);
    must(db, "schedules.resume", "{\"name\":\"s\"}", "\"paused\":false");
    expect(db, NULL, 0);
    /* A transaction that is taken back fired nothing. */
    fake_now = utc(2024, 1, 6, 2, 45);
    must(db, "transaction.begin", "{}", NULL);
    EXPECT(db, utc(2024, 1, 6, 2, 45));
    must(db, "transaction.rollback", "{}", NULL);
    EXPECT(db, utc(2024, 1, 6, 2, 45));
    must_be_well(db);
    brant_db_free(db);
}

static void test_misfires(void **state) {
    brant_db *db = open_with_clock(in_folder(*state, "a.db"));
    set(db, "0 * * * *", ",\"misfire\":\"one\"");
    fake_now = utc(2024, 1, 1, 5, 30);
    EXPECT(db, utc(2024, 1, 1, 5, 0));
    set(db, "0 * * * *", ",\"misfire\":\"all\",\"catch_up\":3");
    fake_now = utc(2024, 1, 1, 9, 30);
    EXPECT(db, utc(2024, 1, 1, 7, 0), utc(2024, 1, 1, 8, 0), utc(2024, 1, 1, 9, 0));
    fake_now = utc(2024, 1, 1, 11, 30);
    must(db, "schedules.tick", "{\"limit\":1}",
         "\"at\":1704103200000}],\"next_at\":1704106800000}");
    must(db, "schedules.tick", "{\"limit\":1}",
         "\"at\":1704106800000}],\"next_at\":1704110400000}");
    set(db, "0 * * * *", ",\"misfire\":\"skip\"");
    fake_now = utc(2024, 1, 1, 15, 30);
    expect(db, NULL, 0);
    fake_now = utc(2024, 1, 1, 17, 0) + 59999; /* 16:00 is skipped, 17:00 is not late */
    EXPECT(db, utc(2024, 1, 1, 17, 0));
    /* Years of seconds: bounded, and the grid of an interval stays. */
    set(db, "* * * * * *", ",\"misfire\":\"all\",\"catch_up\":2");
    fake_now = utc(2034, 1, 1, 0, 0) + 1;
    EXPECT(db, utc(2034, 1, 1, 0, 0) - 1000, utc(2034, 1, 1, 0, 0));
    set(db, "@every 7ms", ",\"misfire\":\"one\"");
    const int64_t began = fake_now;
    fake_now += 700000003;
    EXPECT(db, began + 700000000);
    fake_now += 4;
    EXPECT(db, began + 700000007);
    brant_db_free(db);
}

/* Minute by minute over a change of the clock, with ticks at random: each fire once. */
static void test_daylight_saving(void **state) {
    brant_db *db = open_with_clock(in_folder(*state, "a.db"));
    int64_t at[10];
    int fixed = 0;
    fake_now = utc(2024, 10, 25, 12, 0);
    set(db, "30 2 * * *", ",\"timezone\":\"Europe/Berlin\"");
    for (; fake_now < utc(2024, 10, 29, 12, 0); fake_now += 60000 * (1 + fake_now / 60000 % 7))
        fixed += tick(db, at, 10);
    assert_int_equal(fixed, 4);
    fake_now = utc(2024, 3, 29, 12, 0);
    set(db, "@every 1h", "");
    set(db, "30 2 * * *", ",\"timezone\":\"Europe/Berlin\"");
    for (fixed = 0; fake_now < utc(2024, 4, 2, 12, 0); fake_now += 60000)
        fixed += tick(db, at, 10);
    assert_int_equal(fixed, 4);
    brant_db_free(db);
}

static void test_clock_jumps_back(void **state) {
    brant_db *db = open_with_clock(in_folder(*state, "a.db"));
    int64_t at[10];
    set(db, "30 2 * * *", "");
    fake_now = utc(2024, 1, 1, 2, 31);
    EXPECT(db, utc(2024, 1, 1, 2, 30));
    fake_now = utc(2024, 1, 1, 1, 0); /* up to three hours: not twice */
    expect(db, NULL, 0);
    fake_now = utc(2024, 1, 1, 2, 31);
    expect(db, NULL, 0);
    fake_now = utc(2024, 1, 2, 2, 30);
    EXPECT(db, utc(2024, 1, 2, 2, 30));
    fake_now = utc(2020, 1, 1, 0, 0); /* years: it was wrong */
    expect(db, NULL, 0);
    fake_now = utc(2020, 1, 1, 2, 30);
    EXPECT(db, utc(2020, 1, 1, 2, 30));
    /* Wildcards and intervals go on, but not within one interval. */
    set(db, "* * * * *", "");
    fake_now = utc(2020, 1, 1, 5, 0);
    EXPECT(db, utc(2020, 1, 1, 5, 0));
    fake_now -= 5;
    expect(db, NULL, 0);
    fake_now += 5;
    expect(db, NULL, 0);
    fake_now = utc(2020, 1, 1, 4, 0) - 1;
    expect(db, NULL, 0);
    fake_now = utc(2020, 1, 1, 4, 0);
    expect(db, NULL, 0);
    fake_now = utc(2020, 1, 1, 4, 1);
    EXPECT(db, utc(2020, 1, 1, 4, 1));
    set(db, "@every 90s", "");
    fake_now -= INT64_C(100000000000);
    expect(db, NULL, 0);
    fake_now += 90000;
    assert_int_equal(tick(db, at, 10), 1);
    brant_db_free(db);
}

static void test_leap_days(void **state) {
    brant_db *db = open_with_clock(in_folder(*state, "a.db"));
    int64_t at[10];
    int count = 0;
    set(db, "0 0 29 2 *", "");
    for (; fake_now < utc(2033, 1, 1, 0, 0); fake_now += 86400000 / 2)
        count += tick(db, at, 10);
    assert_int_equal(count, 3);
    brant_db_free(db);
}

/* ---- processes ------------------------------------------------------------------------------------------------------------ */

static void run_scheduler(const char *path) {
    brant_db *db = NULL;
    brant_cursor *cursor = NULL;
    if (brant_open(&db, TEXT(path), TEXT(PATIENT)) != BRANT_OK) _exit(2);
    if (brant_schedule_run(&cursor, db, TEXT("{\"ttl\":200}")) != BRANT_OK) _exit(3);
    for (;;) {
        char *answer = NULL;
        size_t length = 0;
        if (brant_cursor_next(&answer, &length, cursor, -1) != BRANT_OK) _exit(4);
        brant_free(answer);
    }
}

static pid_t start_scheduler(const char *path) {
    const pid_t pid = fork();
    if (pid == 0) run_scheduler(path);
    return pid;
}

/* So many fires more, in at most a minute. The handle goes before the next fork. */
static void await_fires(const char *path, int64_t more) {
    brant_db *db = must_open(path, "");
    const int64_t wanted = number(db, "SELECT fired FROM schedules") + more, begun = monotonic_ms();
    while (number(db, "SELECT fired FROM schedules") < wanted && monotonic_ms() - begun < 60000)
        pause_ms(10);
    brant_db_free(db);
}

/* Three run it, and one after the other is killed: every fire makes one job, and they follow without a hole. */
static void test_leader_is_killed(void **state) {
    char *path = strdup(in_folder(*state, "a.db"));
    brant_db *db = must_open(path, "");
    set(db, "@every 20ms", ",\"misfire\":\"all\",\"catch_up\":1000");
    pid_t children[3];
    brant_db_free(db);
    for (int i = 0; i < 3; i++)
        children[i] = start_scheduler(path);
    for (int i = 0; i < 8; i++) {
        int status = 0;
        await_fires(path, 8);
        kill(children[i % 3], SIGKILL);
        waitpid(children[i % 3], &status, 0);
        assert_true(WIFSIGNALED(status));
        children[i % 3] = start_scheduler(path);
    }
    await_fires(path, 8);
    for (int i = 0; i < 3; i++) {
        int status = 0;
        kill(children[i], SIGKILL);
        waitpid(children[i], &status, 0);
        assert_true(WIFSIGNALED(status));
    }
    db = must_open(path, "");
    /* As many jobs as fires, and as many fires as intervals from the first to the last. */
    must(db, "sql.execute",
         "{\"sql\":\"SELECT fired > 60, fired = (SELECT count(*) FROM jobs), next_at - 20 = "
         "last_at, "
         "last_at = created_at + 20 * fired FROM schedules\"}",
         "[[1,1,1,1]]");
    must_be_well(db);
    brant_db_free(db);
    free(path);
}

static void test_plans(void **state) {
    const char *sql[BRANT__SCHEDULE_STATEMENTS];
    size_t count = 0;
    brant_db_free(open_with_clock(in_folder(*state, "a.db")));
    for (size_t i = 0; i < BRANT__SCHEDULE_STATEMENTS; i++)
        if (i != BRANT__SCHEDULE_AHEAD) /* all of them, when the clock was set back */
            sql[count++] = brant__schedule_statements.sql[i];
    must_plan_well(in_folder(*state, "a.db"), sql, count);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_fires_when_due, set_up, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_misfires, set_up, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_daylight_saving, set_up, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_clock_jumps_back, set_up, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_leap_days, set_up, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_leader_is_killed, set_up, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_plans, set_up, tear_down_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
