/*
 * tests/core/test_stream.c: streams: offsets, reading, subscriptions, retention, compaction.
 */
#define _GNU_SOURCE
#include "test_stream.h"

#include "event/stream.h"

static brant_db *open_file(void **state) {
    return must_open(in_folder(*state, "a.db"), "");
}

/* ---- publishing and reading ------------------------------------------------------------------------------------------------ */

static void test_offsets(void **state) {
    brant_db *db = open_file(state);
    must(db, "streams.publish", "{\"stream\":\"s\",\"payload\":{\"a\":[1,2.5,\"\\u00e9\"]}}",
         "{\"offset\":1}");
    must(db, "streams.publish", "{\"stream\":\"t\"}", "{\"offset\":1}");
    must(db, "transaction.begin", "{}", NULL);
    must(db, "streams.publish", "{\"stream\":\"s\",\"payload\":2}", "{\"offset\":2}");
    must(db, "streams.read", "{\"stream\":\"s\",\"after\":1}", "\"payload\":2");
    must(db, "transaction.rollback", "{}", NULL);
    must(db, "streams.publish_many",
         "{\"stream\":\"s\",\"items\":[{\"payload\":\"x\",\"key\":\"k\\n\"},{\"payload_base64\":"
         "\"AAEC/w==\"},{\"payload_base64\":\"\"}]}",
         "{\"first\":2,\"last\":4}");
    char *all = must_call(db, "streams.read", "{\"stream\":\"s\"}", NULL);
    assert_non_null(strstr(all, "{\"items\":[{\"offset\":1,\"payload\":{\"a\":[1,2.5,\"\xc3\xa9\"]}"
                                ",\"created_at\":"));
    assert_non_null(strstr(all, "{\"offset\":2,\"key\":\"k\\n\",\"payload\":\"x\","));
    assert_non_null(strstr(all, "{\"offset\":3,\"payload_base64\":\"AAEC/w==\",\"created_at\":"));
    assert_non_null(strstr(all, "{\"offset\":4,\"payload_base64\":\"\",\"created_at\":"));
    assert_null(strstr(all, "next"));
    assert_null(strstr(all, "gap"));
    brant_free(all);
    must(db, "streams.read", "{\"stream\":\"s\",\"limit\":2}", "\"next\":2");
    must(db, "streams.read", "{\"stream\":\"s\",\"limit\":2,\"after\":2}", "\"offset\":4");
    must(db, "streams.read", "{\"stream\":\"s\",\"limit\":1,\"reverse\":true}", "\"next\":4");
    must(db, "streams.read", "{\"stream\":\"s\",\"limit\":1,\"reverse\":true,\"after\":4}",
         "[{\"offset\":3");
    must(db, "streams.read", "{\"stream\":\"s\",\"after\":99}", "{\"items\":[]}");
    must(db, "streams.read", "{\"stream\":\"t\"}", "\"payload\":null");
    brant_db_free(db);
}

static void test_bad_input(void **state) {
    brant_db *db = open_file(state);
    must_fail(db, "streams.read", "{\"stream\":\"s\"}", BRANT_NOT_FOUND, "no stream \"s\"");
    must_fail(db, "streams.publish", "{\"stream\":\"\"}", BRANT_INVALID, "/stream");
    must_fail(db, "streams.publish", "{\"stream\":\"a\\u0000b\"}", BRANT_INVALID, "/stream");
    must_fail(db, "streams.publish", "{\"stream\":\"s\",\"payload\":1,\"payload_base64\":\"\"}",
              BRANT_INVALID, "exclude each other");
    must_fail(db, "streams.publish", "{\"stream\":\"s\",\"payload_base64\":\"A\"}", BRANT_INVALID,
              "/payload_base64");
    must_fail(db, "streams.publish_many",
              "{\"stream\":\"s\",\"items\":[{},{\"key\":\"a\\u0000\"}]}", BRANT_INVALID,
              "/items/1/key");
    must_fail(db, "streams.read", "{\"stream\":\"s\"}", BRANT_NOT_FOUND, NULL); /* all or none */
    brant_db_free(db);
}

static void test_keys(void **state) {
    brant_db *db = open_file(state);
    for (int i = 1; i <= 2000; i++) {
        char key[16], payload[16];
        snprintf(key, sizeof key, "k%d", i % 500);
        snprintf(payload, sizeof payload, "%d", i);
        publish_keyed(db, key, payload);
    }
    publish_range(db, 2001, 2001);
    /* Merged by index, both ways, with limits. */
    expect_items(db, "streams.read", "{\"stream\":\"s\",\"keys\":[\"k7\",\"k3\",\"k7\",\"none\"]}",
                 "3:k3=3 7:k7=7 503:k3=503 507:k7=507 1003:k3=1003 1007:k7=1007 1503:k3=1503 "
                 "1507:k7=1507");
    expect_items(db, "streams.read",
                 "{\"stream\":\"s\",\"keys\":[\"k7\",\"k3\"],\"reverse\":true,\"limit\":3}",
                 "1507:k7=1507 1503:k3=1503 1007:k7=1007");
    must(db, "streams.read", "{\"stream\":\"s\",\"keys\":[\"k7\"],\"limit\":2}", "\"next\":507");
    expect_items(db, "streams.read", "{\"stream\":\"s\",\"keys\":[\"k7\"],\"after\":507}",
                 "1007:k7=1007 1507:k7=1507");
    /* Filtered. */
    expect_items(db, "streams.read", "{\"stream\":\"s\",\"keys\":[\"k499\"],\"after\":1990}",
                 "1999:k499=1999");
    expect_items(db, "streams.read", "{\"stream\":\"s\",\"keys\":[\"none\"]}", "");
    must(db, "streams.latest", "{\"stream\":\"s\",\"key\":\"k3\"}", "{\"offset\":1503,");
    must_fail(db, "streams.latest", "{\"stream\":\"s\",\"key\":\"x\"}", BRANT_NOT_FOUND, "key");
    brant_cursor *cursor =
        must_subscribe(db, "{\"stream\":\"s\",\"from\":\"start\",\"keys\":[\"k3\",\"k4\"]}");
    expect_next(cursor, "3:k3=3 4:k4=4 503:k3=503 504:k4=504 1003:k3=1003 1004:k4=1004 "
                        "1503:k3=1503 1504:k4=1504");
    publish_keyed(db, "k5", "0");
    publish_keyed(db, "k4", "1");
    expect_next(cursor, "2003:k4=1");
    brant_cursor_free(cursor);
    /* Many keys of many events each: sources are filled again and again. */
    for (int i = 0; i < 40; i++)
        for (int key = 0; key < 3; key++)
            publish_keyed(db, key == 0 ? "a" : key == 1 ? "b" : "c", "1");
    char *answer = must_call(
        db, "streams.read", "{\"stream\":\"s\",\"keys\":[\"a\",\"b\",\"c\"],\"limit\":5000}", NULL);
    long long last = 0, offset = 0;
    int count = 0;
    for (const char *at = answer; (at = strstr(at, "{\"offset\":")); at++, count++) {
        sscanf(at, "{\"offset\":%lld", &offset);
        assert_true(offset > last);
        last = offset;
    }
    assert_int_equal(count, 120);
    brant_free(answer);
    brant_db_free(db);
}

static void test_time(void **state) {
    brant_db *db = open_at(in_folder(*state, "a.db"));
    clock_ms = 1000;
    for (int i = 1; i <= 9; i++) {
        publish_range(db, i, i);
        clock_ms += i == 5 ? -10000 : 1000; /* it goes back once */
    }
    expect_items(db, "streams.read", "{\"stream\":\"s\",\"since\":3000}",
                 "3=3 4=4 5=5 6=6 7=7 8=8 9=9");
    expect_items(db, "streams.read", "{\"stream\":\"s\",\"since\":5001}", "");
    expect_items(db, "streams.read", "{\"stream\":\"s\",\"since\":5000,\"limit\":1}", "5=5");
    expect_items(db, "streams.read", "{\"stream\":\"s\",\"since\":4000,\"after\":6}",
                 "7=7 8=8 9=9");
    expect_items(db, "streams.read", "{\"stream\":\"s\",\"since\":5000,\"reverse\":true}",
                 "9=9 8=8 7=7 6=6 5=5");
    assert_int_equal(number(db, "SELECT count(*) FROM stream_events AS a JOIN stream_events AS b "
                                "ON b.id = a.id + 1 WHERE b.created_at < a.created_at"),
                     0);
    /* Nor when all were removed in between. */
    must(db, "streams.trim", "{\"stream\":\"s\",\"max_count\":0}", "{\"trimmed\":9}");
    publish_range(db, 10, 10);
    expect_items(db, "streams.read", "{\"stream\":\"s\",\"since\":5000}", "10=10");
    must(db, "streams.stats", "{\"stream\":\"s\"}", "\"newest_at\":5000");
    brant_cursor *cursor = must_subscribe(db, "{\"stream\":\"s\",\"from\":{\"time\":5001}}");
    expect_next(cursor, "");
    brant_cursor_free(cursor);
    brant_db_free(db);
}

/* ---- subscriptions ----------------------------------------------------------------------------------------------------------- */

static void test_subscribe(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open(path, ""), *other = must_open(path, "");
    brant_cursor *early = must_subscribe(db, "{\"stream\":\"s\"}"); /* before there is a stream */
    expect_next(early, "");
    publish_range(other, 1, 5);
    expect_next(early, "1=1 2=2 3=3 4=4 5=5");
    brant_cursor *end = must_subscribe(db, "{\"stream\":\"s\"}");
    brant_cursor *start = must_subscribe(db, "{\"stream\":\"s\",\"from\":\"start\",\"batch\":2}");
    brant_cursor *at = must_subscribe(db, "{\"stream\":\"s\",\"from\":3}");
    expect_next(end, "");
    expect_next(start, "1=1 2=2");
    expect_next(start, "3=3 4=4");
    expect_next(start, "5=5");
    expect_next(start, "");
    expect_next(at, "4=4 5=5");
    /* What is not committed is not shown, to the own handle either; what is rolled back never. */
    must(db, "transaction.begin", "{}", NULL);
    publish_range(db, 6, 6);
    expect_next(end, "");
    must(db, "transaction.begin", "{}", NULL);
    publish_range(db, 7, 7);
    must(db, "transaction.rollback", "{}", NULL);
    expect_next(end, "");
    publish_range(db, 8, 8);
    must(db, "transaction.commit", "{}", NULL);
    expect_next(end, "6=6 7=8");
    must(db, "transaction.begin", "{}", NULL);
    publish_range(db, 9, 9);
    must(db, "streams.trim", "{\"stream\":\"s\",\"before\":7}", NULL);
    expect_next(end, "");
    expect_next(at, "");
    must(db, "transaction.rollback", "{}", NULL);
    expect_next(end, "");
    expect_next(at, "6=6 7=8");
    publish_range(other, 9, 9);
    assert_string_equal(next_items(end, 5000), "8=9");
    brant_cursor *cursor = NULL;
    assert_int_equal(brant_stream_subscribe(&cursor, db, TEXT("{\"stream\":\"s\",\"from\":9}")),
                     BRANT_INVALID);
    assert_int_equal(brant_stream_subscribe(&cursor, db, TEXT("{\"stream\":\"s\",\"from\":\"x\"}")),
                     BRANT_INVALID);
    must(db, "transaction.begin", "{}", NULL);
    assert_int_equal(brant_stream_subscribe(&cursor, db, TEXT("{\"stream\":\"s\"}")), BRANT_MISUSE);
    must(db, "transaction.rollback", "{}", NULL);
    brant_cursor_free(early);
    brant_cursor_free(end);
    brant_cursor_free(start);
    brant_cursor_free(at);
    brant_db_free(db);
    brant_db_free(other);
    /* Read-only, and in memory. */
    brant_db *reader = must_open(path, "{\"mode\":\"ro\"}");
    cursor = must_subscribe(reader, "{\"stream\":\"s\",\"from\":7}");
    expect_next(cursor, "8=9");
    brant_cursor_free(cursor);
    cursor = must_subscribe(reader, "{\"stream\":\"s\",\"consumer\":\"new\"}");
    expect_next(cursor, "1=1 2=2 3=3 4=4 5=5 6=6 7=8 8=9");
    brant_cursor_free(cursor);
    brant_db_free(reader);
    db = must_open(":memory:", "");
    cursor = must_subscribe(db, "{\"stream\":\"s\"}");
    publish_range(db, 1, 1);
    assert_string_equal(next_items(cursor, 5000), "1=1");
    brant_cursor_free(cursor);
    brant_db_free(db);
}

/* However many streams a transaction publishes to: guard of TOUCHED in stream.c. */
static void test_many_streams(void **state) {
    brant_db *db = open_file(state);
    brant_cursor *cursor = must_subscribe(db, "{\"stream\":\"t19\"}");
    must(db, "transaction.begin", "{}", NULL);
    for (int i = 0; i < 20; i++) {
        char json[64];
        snprintf(json, sizeof json, "{\"stream\":\"t%d\",\"payload\":%d}", i, i);
        must(db, "streams.publish", json, NULL);
    }
    expect_next(cursor, "");
    must(db, "transaction.commit", "{}", NULL);
    expect_next(cursor, "1=19");
    brant_cursor_free(cursor);
    brant_db_free(db);
}

static void test_gaps(void **state) {
    brant_db *db = open_file(state);
    publish_range(db, 1, 10);
    brant_cursor *slow = must_subscribe(db, "{\"stream\":\"s\",\"from\":2}");
    brant_cursor *done = must_subscribe(db, "{\"stream\":\"s\"}");
    must(db, "streams.trim", "{\"stream\":\"s\",\"before\":6}", "{\"trimmed\":5}");
    must(db, "streams.trim", "{\"stream\":\"s\",\"before\":6}", "{\"trimmed\":0}");
    must(db, "streams.get", "{\"stream\":\"s\"}", "\"first\":6,\"last\":10,\"count\":5");
    expect_next(slow, "gap(3,5) 6=6 7=7 8=8 9=9 10=10");
    expect_next(done, "");
    expect_items(db, "streams.read", "{\"stream\":\"s\",\"limit\":1}", "6=6 gap(1,5)");
    expect_items(db, "streams.read", "{\"stream\":\"s\",\"after\":5,\"limit\":1}", "6=6");
    brant_cursor *start = must_subscribe(db, "{\"stream\":\"s\",\"from\":\"start\"}");
    expect_next(start, "6=6 7=7 8=8 9=9 10=10");
    /* All of it, twice: the offsets go on. */
    must(db, "streams.trim", "{\"stream\":\"s\",\"max_count\":0}", "{\"trimmed\":5}");
    publish_range(db, 11, 11);
    must(db, "streams.trim", "{\"stream\":\"s\",\"max_count\":0}", "{\"trimmed\":1}");
    must(db, "streams.get", "{\"stream\":\"s\"}", "\"first\":12,\"last\":11,\"count\":0");
    publish_range(db, 12, 12);
    expect_next(slow, "gap(11,11) 12=12");
    /* Deleted and made again. */
    must_fail(db, "streams.trim", "{\"stream\":\"s\"}", BRANT_INVALID, "before");
    must(db, "streams.delete", "{\"stream\":\"s\"}", "{\"deleted\":1}");
    must_fail(db, "streams.get", "{\"stream\":\"s\"}", BRANT_NOT_FOUND, NULL);
    expect_next(slow, "");
    publish_range(db, 21, 22);
    expect_next(slow, "gap(0,0) 1=21 2=22");
    expect_next(slow, "");
    /* Made again, and it has more events by now than the other had. */
    must(db, "streams.delete", "{\"stream\":\"s\"}", "{\"deleted\":2}");
    publish_range(db, 31, 33);
    expect_next(slow, "gap(0,0) 1=31 2=32 3=33");
    brant_cursor_free(slow);
    brant_cursor_free(done);
    brant_cursor_free(start);
    must_be_well(db);
    brant_db_free(db);
}

static void test_restore(void **state) {
    const char *path = in_folder(*state, "a.db");
    char json[8192];
    brant_db *db = must_open(path, "");
    publish_range(db, 1, 5);
    must(db, "consumers.commit", "{\"stream\":\"s\",\"consumer\":\"c\",\"offset\":2}", NULL);
    brant_cursor *plain = must_subscribe(db, "{\"stream\":\"s\"}");
    brant_cursor *named = must_subscribe(db, "{\"stream\":\"s\",\"consumer\":\"c\"}");
    snprintf(json, sizeof json, "{\"path\":\"%s\"}", in_folder(*state, "backup.db"));
    must(db, "db.backup", json, NULL);
    publish_range(db, 6, 9);
    expect_next(plain, "6=6 7=7 8=8 9=9");
    expect_next(named, "3=3 4=4 5=5 6=6 7=7 8=8 9=9");
    must(db, "consumers.commit", "{\"stream\":\"s\",\"consumer\":\"c\",\"offset\":9}", NULL);
    must(db, "db.restore", json, NULL);
    expect_next(plain, "gap(0,5)");
    expect_next(named, "gap(0,2) 3=3 4=4 5=5");
    publish_range(db, 16, 16);
    expect_next(plain, "6=16");
    expect_next(named, "6=16");
    /* Also when the file has more than before by the time they look. */
    must(db, "db.restore", json, NULL);
    publish_range(db, 6, 8);
    expect_next(plain, "gap(0,8)");
    expect_next(named, "gap(0,2) 3=3 4=4 5=5 6=6 7=7 8=8");
    brant_cursor_free(plain);
    brant_cursor_free(named);
    brant_db_free(db);
}

/* Where nobody ever gave the history a name: nobody subscribed who may write. */
static void test_restore_without_a_name(void **state) {
    const char *path = in_folder(*state, "a.db");
    char json[8192];
    brant_db *db = must_open(path, "");
    publish_range(db, 1, 5);
    snprintf(json, sizeof json, "{\"path\":\"%s\"}", in_folder(*state, "backup.db"));
    must(db, "db.backup", json, NULL);
    publish_range(db, 6, 9);
    brant_db *reader = must_open(in_folder(*state, "a.db"), "{\"mode\":\"ro\"}");
    brant_cursor *cursor = must_subscribe(reader, "{\"stream\":\"s\"}");
    expect_next(cursor, "");
    must(db, "db.restore", json, NULL);
    expect_next(cursor, "gap(0,5)");
    brant_cursor_free(cursor);
    brant_db_free(reader);
    brant_db_free(db);
}

/* What the handle's own transaction makes may not stay: nothing is known of the stream until it is committed. */
static void test_subscribe_rollback(void **state) {
    brant_db *db = open_file(state), *other = open_file(state);
    brant_cursor *cursor = must_subscribe(db, "{\"stream\":\"s\"}");
    must(db, "transaction.begin", "{}", NULL);
    must(db, "streams.publish", "{\"stream\":\"s\",\"payload\":1}", "{\"offset\":1}");
    expect_next(cursor, "");
    must(db, "transaction.rollback", "{}", NULL);
    must(other, "streams.publish", "{\"stream\":\"t\"}", NULL);
    must(other, "streams.publish", "{\"stream\":\"s\",\"payload\":2}", "{\"offset\":1}");
    expect_next(cursor, "1=2");
    /* Of a nested level that was taken back, too. */
    must(db, "transaction.begin", "{}", NULL);
    must(db, "transaction.begin", "{}", NULL);
    must(db, "streams.publish", "{\"stream\":\"s\",\"payload\":3}", "{\"offset\":2}");
    must(db, "transaction.rollback", "{}", NULL);
    must(db, "streams.publish", "{\"stream\":\"s\",\"payload\":4}", "{\"offset\":2}");
    expect_next(cursor, "");
    must(db, "transaction.commit", "{}", NULL);
    expect_next(cursor, "2=4");
    brant_cursor_free(cursor);
    brant_db_free(other);
    brant_db_free(db);
}

/* ---- what is kept -------------------------------------------------------------------------------------------------------------- */

static void test_configure(void **state) {
    brant_db *db = open_file(state);
    must(db, "streams.configure", "{\"stream\":\"s\"}",
         "{\"stream\":\"s\",\"first\":1,\"last\":0,\"count\":0,\"policy\":{\"max_age\":null,"
         "\"max_count\":null,\"keep_unread\":false,\"compact\":false,\"compact_after\":0},"
         "\"consumers\":0,\"trimmed_through\":0,");
    must(db, "streams.configure", "{\"stream\":\"s\",\"max_age\":5,\"keep_unread\":true}",
         "{\"max_age\":5,\"max_count\":null,\"keep_unread\":true,");
    must(db, "streams.configure", "{\"stream\":\"s\",\"max_count\":7,\"max_age\":null}",
         "{\"max_age\":null,\"max_count\":7,\"keep_unread\":true,");
    must(db, "streams.configure", "{\"stream\":\"s\",\"keep_unread\":null,\"max_count\":null}",
         "{\"max_age\":null,\"max_count\":null,\"keep_unread\":false,");
    must_fail(db, "streams.configure", "{\"stream\":\"s\",\"max_age\":-1}", BRANT_INVALID, NULL);
    for (int i = 0; i < 5; i++) {
        char json[64];
        snprintf(json, sizeof json, "{\"stream\":\"t%d\"}", i);
        must(db, "streams.publish", json, NULL);
    }
    must(db, "streams.list", "{\"prefix\":\"t\",\"limit\":2}", "\"next\":\"t1\"");
    must(db, "streams.list", "{\"prefix\":\"t\",\"limit\":2,\"after\":\"t3\"}",
         "{\"items\":[{\"stream\":\"t4\",\"first\":1,");
    must(db, "streams.list", "{\"prefix\":\"u\"}", "{\"items\":[]}");
    must(db, "streams.list", "{\"after\":\"a\",\"limit\":1}", "\"next\":\"s\"");
    must(db, "streams.stats", "{}", "{\"items\":[{\"stream\":\"s\",");
    must(db, "streams.stats", "{\"stream\":\"t1\"}", "\"rates\":{\"published\":0.0033");
    must(db, "consumers.commit", "{\"stream\":\"t1\",\"consumer\":\"c\",\"offset\":1}", NULL);
    must_fail(db, "streams.delete", "{\"stream\":\"t1\"}", BRANT_CONFLICT, "consumers (1)");
    must(db, "streams.delete", "{\"stream\":\"t1\",\"force\":true}", NULL);
    assert_int_equal(number(db, "SELECT count(*) FROM stream_consumers"), 0);
    brant_db_free(db);
}

static void test_retention(void **state) {
    brant_db *db = open_at(in_folder(*state, "a.db"));
    clock_ms = 1000000;
    must(db, "streams.configure", "{\"stream\":\"s\",\"max_count\":100}", NULL);
    for (int i = 1; i <= 1000; i++) {
        publish_range(db, i, i);
        assert_true(number(db, "SELECT count(*) FROM stream_events") <= 125);
    }
    publish_range(db, 1001, 6000);
    must(db, "streams.get", "{\"stream\":\"s\"}", "\"first\":5901,\"last\":6000,\"count\":100");
    /* By age, in maintenance. */
    must(db, "streams.configure", "{\"stream\":\"s\",\"max_count\":null,\"max_age\":1000}", NULL);
    clock_ms += 600;
    publish_range(db, 6001, 6010);
    clock_ms += 600;
    must(db, "db.maintain", "{}", NULL);
    must(db, "streams.get", "{\"stream\":\"s\"}", "\"first\":6001,\"last\":6010,\"count\":10");
    /* Not what is unread. */
    must(db, "consumers.commit", "{\"stream\":\"s\",\"consumer\":\"c\",\"offset\":6003}", NULL);
    must(db, "streams.configure", "{\"stream\":\"s\",\"keep_unread\":true,\"max_count\":0}", NULL);
    clock_ms += 10000;
    must(db, "db.maintain", "{}", NULL);
    must(db, "streams.get", "{\"stream\":\"s\"}", "\"first\":6004,\"last\":6010,\"count\":7");
    publish_range(db, 6011, 6011);
    must(db, "consumers.claim", "{\"stream\":\"s\",\"group\":\"g\",\"member\":\"m\",\"limit\":2}",
         "\"offset\":6005");
    must(db, "consumers.commit", "{\"stream\":\"s\",\"consumer\":\"c\",\"offset\":6011}", NULL);
    must(db, "db.maintain", "{}", NULL);
    must(db, "streams.get", "{\"stream\":\"s\"}", "\"first\":6004,");
    must(db, "consumers.seek", "{\"stream\":\"s\",\"consumer\":\"g\",\"to\":\"end\"}",
         "{\"offset\":6011}");
    must(db, "db.maintain", "{}", NULL);
    must(db, "streams.get", "{\"stream\":\"s\"}", "\"first\":6012,\"last\":6011,\"count\":0");
    /* Events of a stream that is gone go bit by bit. */
    must(db, "streams.configure",
         "{\"stream\":\"s\",\"keep_unread\":false,\"max_count\":null,\"max_age\":null}", NULL);
    publish_range(db, 1, 15000);
    must(db, "streams.delete", "{\"stream\":\"s\",\"force\":true}", "{\"deleted\":15000}");
    assert_int_equal(number(db, "SELECT count(*) FROM stream_events"), 5000);
    publish_range(db, 1, 3);
    must(db, "db.maintain", "{}", NULL);
    assert_int_equal(number(db, "SELECT count(*) FROM stream_events"), 3);
    brant_db_free(db);
}

static void test_compaction(void **state) {
    brant_db *db = open_at(in_folder(*state, "a.db"));
    clock_ms = 1000;
    brant_cursor *slow = must_subscribe(db, "{\"stream\":\"s\"}");
    publish_keyed(db, "a", "1");
    publish_keyed(db, "b", "2");
    publish_range(db, 3, 3);
    publish_keyed(db, "a", "4");
    publish_keyed(db, "a", "5");
    publish_keyed(db, "b", "null");
    must(db, "streams.configure", "{\"stream\":\"s\",\"compact\":true,\"compact_after\":500}",
         NULL);
    must(db, "db.maintain", "{}", NULL);
    must(db, "streams.get", "{\"stream\":\"s\"}", "\"first\":3,\"last\":6,\"count\":3");
    expect_items(db, "streams.read", "{\"stream\":\"s\"}", "3=3 5:a=5 6:b=null");
    expect_next(slow, "3=3 5:a=5 6:b=null"); /* no gap */
    clock_ms += 500;
    must(db, "db.maintain", "{}", NULL);
    expect_items(db, "streams.read", "{\"stream\":\"s\"}", "3=3 5:a=5");
    must(db, "streams.get", "{\"stream\":\"s\"}", "\"first\":3,\"last\":6,\"count\":2");
    must_fail(db, "streams.latest", "{\"stream\":\"s\",\"key\":\"b\"}", BRANT_NOT_FOUND, NULL);
    publish_keyed(db, "b", "7");
    expect_next(slow, "7:b=7");
    must(db, "streams.compact", "{\"stream\":\"s\"}", "{\"removed\":0}");
    for (int i = 0; i < 2500; i++)
        publish_keyed(db, "c", "1");
    must(db, "streams.compact", "{\"stream\":\"s\"}", "{\"removed\":2499}");
    must(db, "streams.get", "{\"stream\":\"s\"}", "\"first\":3,\"last\":2507,\"count\":4");
    /* Holes and trimming together: the count stays right. */
    must(db, "streams.trim", "{\"stream\":\"s\",\"before\":6}", "{\"trimmed\":2}");
    must(db, "streams.get", "{\"stream\":\"s\"}", "\"first\":7,\"last\":2507,\"count\":2");
    must(db, "streams.trim", "{\"stream\":\"s\",\"max_count\":1}", "{\"trimmed\":1}");
    must(db, "streams.get", "{\"stream\":\"s\"}", "\"first\":2507,\"last\":2507,\"count\":1");
    /* What is unread is not compacted where that is kept. */
    must(db, "streams.configure", "{\"stream\":\"s\",\"keep_unread\":true}", NULL);
    must(db, "consumers.commit", "{\"stream\":\"s\",\"consumer\":\"x\",\"offset\":2507}", NULL);
    publish_keyed(db, "c", "2");
    must(db, "streams.compact", "{\"stream\":\"s\"}", "{\"removed\":0}");
    must(db, "consumers.commit", "{\"stream\":\"s\",\"consumer\":\"x\",\"offset\":2508}", NULL);
    must(db, "streams.compact", "{\"stream\":\"s\"}", "{\"removed\":1}");
    brant_cursor_free(slow);
    must_be_well(db);
    brant_db_free(db);
}

/* What is erased is no gap, is counted, and its offset is not given again. */
static void test_erase(void **state) {
    brant_db *db = open_file(state);
    publish_range(db, 1, 5);
    publish_keyed(db, "secret", "6");
    must(db, "streams.publish", "{\"stream\":\"t\",\"key\":\"secret\"}", NULL);
    must(db, "streams.trim", "{\"stream\":\"s\",\"before\":2}", NULL);
    must(db, "db.erase", "{\"values\":[\"secret\"]}", NULL);
    must(db, "streams.get", "{\"stream\":\"s\"}", "\"first\":2,\"last\":6,\"count\":4");
    must(db, "streams.get", "{\"stream\":\"t\"}", "\"first\":2,\"last\":1,\"count\":0");
    expect_items(db, "streams.read", "{\"stream\":\"s\",\"after\":1}", "2=2 3=3 4=4 5=5");
    must(db, "streams.publish", "{\"stream\":\"s\"}", "{\"offset\":7}");
    must(db, "streams.publish", "{\"stream\":\"t\"}", "{\"offset\":2}");
    must(db, "streams.trim", "{\"stream\":\"s\",\"max_count\":1}", "{\"trimmed\":4}");
    must(db, "streams.get", "{\"stream\":\"s\"}", "\"count\":1");
    brant_db_free(db);
}

static void test_plans(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open(path, "");
    publish_keyed(db, "k", "1");
    must_plan(path, "SELECT row_id FROM streams WHERE name = ?", "SEARCH streams USING");
    must_plan(path,
              "SELECT id, payload FROM stream_events WHERE id > ? AND id <= ? ORDER BY id DESC",
              "USING INTEGER PRIMARY KEY");
    must_plan(path,
              "SELECT id FROM stream_events WHERE id >> 40 = ? AND key = ? AND id > ? AND id <= ? "
              "ORDER BY id LIMIT ?",
              "stream_events_key (<expr>=? AND key=? AND rowid>? AND rowid<?)");
    must_plan(path,
              "SELECT id, payload, created_at, key FROM stream_events WHERE id >> 40 = ? AND "
              "key = ? ORDER BY id DESC LIMIT 1",
              "stream_events_key (<expr>=? AND key=?)");
    must_plan(path, "DELETE FROM stream_events WHERE id >> 40 = ? AND key = ? AND id < ?",
              "stream_events_key (<expr>=? AND key=? AND rowid<?)");
    must_plan(path,
              "SELECT id, created_at FROM stream_events INDEXED BY stream_events_tombstones WHERE "
              "key IS NOT NULL AND payload IS NULL AND id > ? AND id <= ? ORDER BY id LIMIT ?",
              "stream_events_tombstones");
    must_plan(path, "SELECT min(\"offset\") FROM stream_consumers WHERE stream = ?",
              "SEARCH stream_consumers USING");
    must_plan(path,
              "SELECT \"offset\", deliveries FROM stream_pending WHERE consumer = ? AND "
              "lease_until <= ? ORDER BY lease_until, \"offset\" LIMIT ?",
              "stream_pending_leases (consumer=? AND lease_until<?)");
    must_plan(path, "SELECT min(lease_until) FROM stream_pending WHERE consumer = ?",
              "stream_pending_leases (consumer=?)");
    must_plan(path, "SELECT name FROM streams WHERE name >= ? AND name <> ? ORDER BY name LIMIT ?",
              "SEARCH streams USING");
    brant_db_free(db);
}

int main(int count, char **arguments) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_offsets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bad_input, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_keys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_subscribe, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_streams, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_gaps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_subscribe_rollback, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_restore, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_restore_without_a_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_configure, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_retention, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_compaction, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_erase, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_plans, set_up, tear_down),
    };
    if (count > 1) cmocka_set_test_filter(arguments[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
