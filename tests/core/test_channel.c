/*
 * Channels of notifications: payloads of bytes, how long each channel is kept, and what there is.
 */
#include "test_graph.h"

static int64_t now = 1000000;

static int64_t read_clock(void *context) {
    (void)context;
    return now;
}

static void notify(brant_db *db, const char *channel, int times) {
    for (int i = 0; i < times; i++)
        answer(db, "events.notify", "{\"channel\":\"%s\",\"payload\":%d}", channel, i);
}

static void test_bytes(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    brant_cursor *cursor = NULL;
    char *items = NULL;
    size_t length;

    assert_int_equal(brant_event_listen(&cursor, db, "{\"channels\":[\"*\"]}", 18), BRANT_OK);
    answer(db, "events.notify", "{\"channel\":\"c\",\"payload_base64\":\"AP+h\"}");
    answer(db, "events.notify", "{\"channel\":\"c\",\"payload_base64\":\"\"}");
    answer(db, "events.notify", "{\"channel\":\"c\"}");
    fails(db, "events.notify", BRANT_INVALID, "exclude",
          "{\"channel\":\"c\",\"payload\":1,\"payload_base64\":\"AA==\"}");
    fails(db, "events.notify", BRANT_INVALID, "base64",
          "{\"channel\":\"c\",\"payload_base64\":\"A\"}");
    assert_int_equal(brant_cursor_next(&items, &length, cursor, 1000), BRANT_OK);
    assert_non_null(strstr(items, "\"payload_base64\":\"AP+h\""));
    assert_non_null(strstr(items, "\"payload_base64\":\"\""));
    assert_non_null(strstr(items, "\"payload\":null"));
    brant_free(items);
    brant_cursor_free(cursor);
    /* Erasing looks into them: "secret" is here. */
    answer(db, "events.notify", "{\"channel\":\"c\",\"payload_base64\":\"AHNlY3JldP8=\"}");
    holds(db, "db.erase", "\"notifications\":1", "{\"values\":[\"secret\"],\"action\":\"delete\"}");
    brant_db_free(db);
}

static void test_count(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");

    notify(db, "a", 30);
    notify(db, "b", 30);
    holds(db, "events.set_retention", "\"count\":10,", "{\"channel\":\"a\",\"count\":10}");
    holds(db, "events.channels",
          "\"kept_count\":10,\"kept_age\":86400000},{\"channel\":\"b\",\"count\":30,", "{}");
    notify(db, "a", 7);
    holds(db, "events.channels", "{\"channel\":\"a\",\"count\":10,", "{\"prefix\":\"a\"}");
    holds(db, "events.set_retention", "\"kept_count\":10000,",
          "{\"channel\":\"a\",\"count\":null}");
    notify(db, "a", 7);
    holds(db, "events.channels", "{\"channel\":\"a\",\"count\":17,", "{\"limit\":1}");
    holds(db, "events.channels", "\"next\":\"a\"", "{\"limit\":1}");
    holds(db, "events.channels", "{\"items\":[{\"channel\":\"b\"", "{\"after\":\"a\"}");
    is(db, "events.channels", "{\"items\":[]}", "{\"prefix\":\"c\"}");
    fails(db, "events.set_retention", BRANT_INVALID, "count", "{\"channel\":\"a\",\"count\":0}");
    healthy(db);
    brant_db_free(db);
}

/* A listener that was too slow is told of what a channel's own retention removed. */
static void test_age(void **state) {
    static const brant_sources sources = {read_clock, NULL, NULL};
    brant_db *db = NULL;
    brant_cursor *cursor = NULL;
    char *items = NULL;
    size_t length;
    const char *path = in_folder(*state, "a.db");

    assert_int_equal(brant_open_with(&db, path, strlen(path), "", 0, &sources), BRANT_OK);
    assert_int_equal(brant_event_listen(&cursor, db, "{\"channels\":[\"*\"]}", 18), BRANT_OK);
    answer(db, "events.set_retention", "{\"channel\":\"short\",\"age\":1000}");
    answer(db, "events.set_retention", "{\"channel\":\"long\",\"age\":864000000}");
    notify(db, "short", 1500);
    notify(db, "long", 1500);
    notify(db, "plain", 3);
    now += 1001;
    holds(db, "db.maintain", "\"pruned\":1500", "{}");
    now += 86400000;
    holds(db, "db.maintain", "\"pruned\":3", "{}");
    is(db, "events.channels",
       "{\"items\":[{\"channel\":\"long\",\"count\":1500,\"newest_at\":1000000,\"kept_count\":"
       "10000,\"kept_age\":864000000},"
       "{\"channel\":\"plain\",\"count\":0,\"kept_count\":10000,\"kept_age\":86400000},"
       "{\"channel\":\"short\",\"count\":0,\"kept_count\":10000,\"kept_age\":1000}]}",
       "{}");
    assert_int_equal(brant_cursor_next(&items, &length, cursor, 1000), BRANT_OK);
    assert_non_null(strstr(items, "{\"channel\":\"short\",\"gap\":"));
    brant_free(items);
    brant_cursor_free(cursor);
    healthy(db);
    brant_db_free(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(test_bytes),
        GRAPH_TEST(test_count),
        GRAPH_TEST(test_age),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
