/*
 * tests/core/test_queue_metrics.c: counting what happens in queues, reading it, and folding it.
 */
#include "event/metrics.h"
#include "fake_clock.h"

#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

/* In an entry of its own: the clock is read once in each. */
static void add(brant_db *db, int64_t queue, int kind, int64_t ms, int64_t count) {
    assert_int_equal(brant__enter(db), BRANT_OK);
    assert_int_equal(brant__begin(db, BRANT__WRITE), BRANT_OK);
    assert_int_equal(brant__metric_add(db, queue, kind, ms, count), BRANT_OK);
    assert_int_equal(brant__commit(db), BRANT_OK);
    brant__leave(db);
}

static brant__metrics metrics_of(brant_db *db, int64_t queue) {
    brant__metrics metrics;
    assert_int_equal(brant__enter(db), BRANT_OK);
    assert_int_equal(brant__begin(db, BRANT__READ), BRANT_OK);
    assert_int_equal(brant__metrics_read(&metrics, db, queue), BRANT_OK);
    assert_int_equal(brant__commit(db), BRANT_OK);
    brant__leave(db);
    return metrics;
}

static void maintain(brant_db *db) {
    assert_int_equal(brant__enter(db), BRANT_OK);
    assert_int_equal(brant__metrics_maintain(db), BRANT_OK);
    brant__leave(db);
}

static void must_sql(brant_db *db, const char *sql, const char *wanted) {
    char json[1024];
    snprintf(json, sizeof json, "{\"sql\":\"%s\"}", sql);
    must(db, "sql.execute", json, wanted);
}

static void counts_and_rates(void **state) {
    char *folder = make_folder();
    (void)state;
    fake_now = 1000 * DAY;
    brant_db *db = open_with_clock(in_folder(folder, "a.db"));
    add(db, 1, BRANT__METRIC_ENQUEUED, 0, 300);
    add(db, 2, BRANT__METRIC_ENQUEUED, 0, 7);
    fake_now += 5 * MINUTE + MINUTE / 4; /* three quarters of that minute are within five minutes */
    add(db, 1, BRANT__METRIC_ENQUEUED, 0, 600);
    brant__metrics metrics = metrics_of(db, 1);
    assert_int_equal(metrics.totals[BRANT__METRIC_ENQUEUED], 900);
    assert_int_equal(metrics.totals[BRANT__METRIC_DIED], 0);
    assert_true(metrics.rates[BRANT__METRIC_ENQUEUED] == (600 + 225) / 300.0);
    fake_now += 7 * MINUTE;
    metrics = metrics_of(db, 1);
    assert_true(metrics.rates[BRANT__METRIC_ENQUEUED] == 0);
    assert_int_equal(metrics_of(db, 2).totals[BRANT__METRIC_ENQUEUED], 7);
    assert_int_equal(metrics_of(db, 3).totals[BRANT__METRIC_ENQUEUED], 0);
    add(db, 1, BRANT__METRIC_ENQUEUED, 0, 0); /* writes nothing */
    must_sql(db, "SELECT count(*) FROM queue_metrics", "[[3]]");
    brant_db_free(db);
    remove_folder(folder);
}

static void histogram(void **state) {
    char *folder = make_folder();
    (void)state;
    fake_now = 1000 * DAY;
    brant_db *db = open_with_clock(in_folder(folder, "a.db"));
    brant__measures many = {0};
    for (int64_t ms = 1; ms <= 1000; ms++)
        brant__measure(&many, ms);
    assert_int_equal(brant__enter(db), BRANT_OK);
    assert_int_equal(brant__begin(db, BRANT__WRITE), BRANT_OK);
    assert_int_equal(brant__measures_add(db, 1, BRANT__METRIC_CLAIMED, &many), BRANT_OK);
    assert_int_equal(many.used, 0);
    assert_int_equal(brant__commit(db), BRANT_OK);
    brant__leave(db);
    add(db, 1, BRANT__METRIC_COMPLETED, -5, 3); /* a clock that was set back */
    add(db, 1, BRANT__METRIC_COMPLETED, INT64_MAX, 100000);
    const brant__metrics metrics = metrics_of(db, 1);
    brant__writer out = {0};
    brant__metrics_write_histogram(&out, &metrics.wait);
    assert_memory_equal(out.buffer.data, "{\"count\":1000,\"sum\":500500,\"p50\":500.0,",
                        strlen("{\"count\":1000,\"sum\":500500,\"p50\":500.0,"));
    brant__buffer_append_byte(&out.buffer, '\0');
    assert_non_null(strstr(out.buffer.data, "\"buckets\":[{\"le\":1,\"count\":1},{\"le\":2,"
                                            "\"count\":1},{\"le\":4,\"count\":2},"));
    assert_non_null(strstr(out.buffer.data, "{\"le\":1024,\"count\":488}]}"));
    brant__buffer_free(&out.buffer);
    out = (brant__writer){0};
    brant__metrics_write_histogram(&out, &(brant__measures){0});
    brant__buffer_append_byte(&out.buffer, '\0');
    assert_string_equal(out.buffer.data,
                        "{\"count\":0,\"sum\":0,\"p50\":0.0,\"p95\":0.0,\"p99\":0.0,"
                        "\"buckets\":[]}");
    brant__buffer_free(&out.buffer);
    /* A faulty clock for ever: sums stop, nothing fails. */
    for (int i = 0; i < 200; i++)
        add(db, 1, BRANT__METRIC_COMPLETED, INT64_MAX, 100000);
    assert_int_equal(metrics_of(db, 1).totals[BRANT__METRIC_COMPLETED], 201 * 100000 + 3);
    fake_now += 9 * DAY;
    maintain(db);
    assert_int_equal(metrics_of(db, 1).totals[BRANT__METRIC_COMPLETED], 201 * 100000 + 3);
    brant_db_free(db);
    remove_folder(folder);
}

static void folding(void **state) {
    char *folder = make_folder();
    (void)state;
    fake_now = 1000 * DAY + 30 * MINUTE;
    brant_db *db = open_with_clock(in_folder(folder, "a.db"));
    for (int minute = 0; minute < 240; minute++, fake_now += MINUTE)
        for (int64_t queue = 1; queue <= 2; queue++) {
            add(db, queue, BRANT__METRIC_CLAIMED, minute % 2 ? 1 : 100, 1);
            add(db, queue, BRANT__METRIC_ENQUEUED, 0, 2);
        }
    const brant__metrics before = metrics_of(db, 1);
    assert_int_equal(before.totals[BRANT__METRIC_CLAIMED], 240);
    maintain(db);
    maintain(db); /* there is nothing left to do */
    brant__metrics after = metrics_of(db, 1);
    assert_memory_equal(&before, &after, sizeof before);
    /* From 00:30 to 04:30; it is 04:30: what is before 02:00 is hours. */
    must_sql(db,
             "SELECT count(DISTINCT minute), min(minute), sum(count) FROM queue_metrics WHERE "
             "queue=2 AND minute < 1440120",
             "[[2,1440000,270]]");
    must_sql(db, "SELECT count(DISTINCT minute) FROM queue_metrics WHERE queue=2", "[[152]]");
    fake_now += 8 * DAY - 3 * HOUR;
    maintain(db);
    must_sql(db, "SELECT count(DISTINCT minute), min(minute) FROM queue_metrics WHERE queue=2",
             "[[5,0]]");
    fake_now += DAY;
    maintain(db);
    must_sql(db,
             "SELECT count(*), min(minute), max(minute), sum(sum) FROM queue_metrics WHERE "
             "queue=1",
             "[[3,0,0,12120]]");
    after = metrics_of(db, 1);
    assert_memory_equal(before.totals, after.totals, sizeof before.totals);
    assert_int_equal(after.wait.used, 0);
    brant_db_free(db);
    remove_folder(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_and_rates),
        cmocka_unit_test(histogram),
        cmocka_unit_test(folding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
