/*
 * tests/core/test_event.c: notify, listen and cursors within one process: what is seen, when, in which order, and how a wait ends.
 */
#define _GNU_SOURCE
#include "fake_clock.h"
#include "test_wake.h"

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>

static brant_cursor *must_listen(brant_db *db, const char *channels) {
    brant_cursor *cursor = NULL;
    char json[4096];
    snprintf(json, sizeof json, "{\"channels\":%s}", channels);
    if (brant_event_listen(&cursor, db, TEXT(json)) != BRANT_OK)
        fail_msg("listening to %s: %s", channels, brant_last_error()->message);
    assert_non_null(cursor);
    return cursor;
}

static void must_not_listen(brant_db *db, const char *json, brant_status wanted) {
    brant_cursor *cursor = (brant_cursor *)&cursor;
    const brant_status status = brant_event_listen(&cursor, db, TEXT(json));
    if (status != wanted)
        fail_msg("listening with %s: wanted %s, got %s", json, brant_status_name(wanted),
                 brant_status_name(status));
    assert_null(cursor);
    assert_int_equal(brant_last_error()->code, wanted);
}

/* The channels and payloads of the next items, "a=1 b=2"; the gaps "a=gap(1,3)". */
static const char *read_items(brant_cursor *cursor, int64_t timeout) {
    static _Thread_local char line[65536];
    char *answer = NULL;
    size_t length = 0, used = 0;
    const brant_status status = brant_cursor_next(&answer, &length, cursor, timeout);
    if (status != BRANT_OK)
        fail_msg("next: %s: %s", brant_last_error()->name, brant_last_error()->message);
    assert_int_equal(strlen(answer), length);
    line[0] = '\0';
    for (const char *at = answer; (at = strstr(at, "\"channel\":\""));) {
        at += strlen("\"channel\":\"");
        const char *end = strchr(at, '"');
        used += (size_t)snprintf(line + used, sizeof line - used, "%s%.*s=", used ? " " : "",
                                 (int)(end - at), at);
        long long from = 0, to = 0;
        char payload[64] = "";
        if (sscanf(end, "\",\"gap\":{\"from\":%lld,\"to\":%lld}", &from, &to) == 2)
            used += (size_t)snprintf(line + used, sizeof line - used, "gap(%lld,%lld)", from, to);
        else if (sscanf(end, "\",\"payload\":%63[^,}]", payload) == 1)
            used += (size_t)snprintf(line + used, sizeof line - used, "%s", payload);
        assert_true(used < sizeof line);
    }
    brant_free(answer);
    return line;
}

static void expect(brant_cursor *cursor, int64_t timeout, const char *wanted) {
    assert_string_equal(read_items(cursor, timeout), wanted);
}

static int64_t notify(brant_db *db, const char *channel, int64_t payload) {
    char json[600];
    snprintf(json, sizeof json, "{\"channel\":\"%s\",\"payload\":%lld}", channel,
             (long long)payload);
    char *answer = NULL;
    size_t length = 0;
    if (brant_event_notify(&answer, &length, db, TEXT(json)) != BRANT_OK)
        fail_msg("notify: %s", brant_last_error()->message);
    long long id = 0;
    assert_int_equal(sscanf(answer, "{\"id\":%lld}", &id), 1);
    brant_free(answer);
    return id;
}

static void begin(brant_db *db) {
    must(db, "transaction.begin", "{}", NULL);
}
static void commit(brant_db *db) {
    must(db, "transaction.commit", "{}", NULL);
}
static void roll_back(brant_db *db) {
    must(db, "transaction.rollback", "{}", NULL);
}

/* ---- what is seen ------------------------------------------------------------------------------------------------ */

static void test_order_and_once(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    notify(db, "a", 0); /* before anybody listened */
    brant_cursor *all = must_listen(db, "[\"*\"]"), *one = must_listen(db, "[\"b\"]");
    expect(all, 0, "");
    const int64_t first = notify(db, "a", 1);
    assert_true(notify(db, "b", 2) > first);
    begin(db);
    notify(db, "c", 3);
    notify(db, "b", 4);
    commit(db);
    expect(all, 0, "a=1 b=2 c=3 b=4");
    expect(one, 0, "b=2 b=4");
    expect(all, 0, "");
    expect(one, 10, "");
    brant_cursor *late = must_listen(db, "[\"*\"]");
    expect(late, 0, "");
    notify(db, "b", 5);
    expect(late, 0, "b=5");
    expect(one, -1, "b=5");
    brant_cursor_free(all);
    brant_cursor_free(one);
    brant_cursor_free(late);
    brant_db_free(db);
}

static void test_item_has_all_members(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    brant_cursor *cursor = must_listen(db, "[\"*\"]");
    char *answer = NULL;
    size_t length = 0;
    must(db, "events.notify",
         "{\"channel\":\"x\",\"payload\":{ \"a\" : [1, 2.5, \"\\u00e9\\\"\"], \"b\":null}}",
         "{\"id\":1}");
    must(db, "events.notify", "{\"channel\":\"quote\\\"d\"}", "{\"id\":2}");
    assert_int_equal(brant_cursor_next(&answer, &length, cursor, 0), BRANT_OK);
    assert_non_null(strstr(answer, "[{\"id\":1,\"channel\":\"x\",\"payload\":{\"a\":[1,2.5,"
                                   "\"\xc3\xa9\\\"\"],\"b\":null},\"created_at\":1"));
    assert_non_null(
        strstr(answer, "},{\"id\":2,\"channel\":\"quote\\\"d\",\"payload\":null,\"created_at\":1"));
    brant_free(answer);
    brant_cursor_free(cursor);
    brant_db_free(db);
}

static void test_notify_refuses(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "{\"limits\":{\"document\":1024}}");
    char json[2048], name[300];
    must_fail(db, "events.notify", "{}", BRANT_INVALID, NULL);
    must_fail(db, "events.notify", "{\"channel\":\"\"}", BRANT_INVALID, NULL);
    must_fail(db, "events.notify", "{\"channel\":\"a\\u0000b\"}", BRANT_INVALID, NULL);
    memset(name, 'n', sizeof name);
    snprintf(json, sizeof json, "{\"channel\":\"%.255s\"}", name);
    must(db, "events.notify", json, "{\"id\":1}");
    snprintf(json, sizeof json, "{\"channel\":\"%.256s\"}", name);
    must_fail(db, "events.notify", json, BRANT_INVALID, NULL);
    must(db, "transaction.begin", "{\"mode\":\"read\"}", NULL);
    must_fail(db, "events.notify", "{\"channel\":\"a\"}", BRANT_READ_ONLY, NULL);
    roll_back(db);
    brant_close(db);
    must_fail(db, "events.notify", "{\"channel\":\"a\"}", BRANT_CLOSED, NULL);
    brant_db_free(db);
}

static void test_listen_refuses(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    must_not_listen(db, "", BRANT_INVALID);
    must_not_listen(db, "{}", BRANT_INVALID);
    must_not_listen(db, "[]", BRANT_INVALID);
    must_not_listen(db, "{\"channels\":[]}", BRANT_INVALID);
    must_not_listen(db, "{\"channels\":\"a\"}", BRANT_INVALID);
    must_not_listen(db, "{\"channels\":[\"a\",1]}", BRANT_INVALID);
    must_not_listen(db, "{\"channels\":[\"\"]}", BRANT_INVALID);
    must_not_listen(db, "{\"channels\":[\"a\\u0000\"]}", BRANT_INVALID);
    must_not_listen(db, "{\"channels\":[\"a\"],\"since\":1}", BRANT_INVALID);
    must_not_listen(db, "{\"channels\":[\"a\"]", BRANT_INVALID_JSON);
    begin(db);
    must_not_listen(db, "{\"channels\":[\"a\"]}", BRANT_MISUSE);
    roll_back(db);
    assert_int_equal(number(db, "SELECT count(*) FROM brant_wake WHERE row_id > 0"), 0);
    brant_close(db);
    must_not_listen(db, "{\"channels\":[\"a\"]}", BRANT_CLOSED);
    brant_db_free(db);
}

static void test_null_is_fine_or_refused(void **state) {
    char *answer = NULL;
    size_t length = 0;
    int fd = 0;
    (void)state;
    assert_int_equal(brant_cursor_close(NULL), BRANT_OK);
    brant_cursor_free(NULL);
    assert_int_equal(brant_cursor_next(&answer, &length, NULL, 0), BRANT_INVALID);
    assert_int_equal(brant_wake_fd(&fd, NULL), BRANT_INVALID);
    assert_int_equal(fd, -1);
    assert_int_equal(brant_wake_acknowledge(NULL), BRANT_INVALID);
}

static void test_rolled_back_is_never_seen(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), ""),
             *other = must_open(in_folder(*state, "a.db"), "");
    brant_cursor *mine = must_listen(db, "[\"*\"]"), *theirs = must_listen(other, "[\"*\"]");
    begin(db);
    notify(db, "a", 1);
    expect(mine, 0, ""); /* our own transaction shows its rows to nobody, us included */
    expect(theirs, 0, "");
    roll_back(db);
    expect(mine, 0, "");
    expect(theirs, 20, "");
    notify(db, "a", 2);
    expect(mine, 0, "a=2");
    expect(theirs, 1000, "a=2");
    brant_cursor_free(mine);
    brant_cursor_free(theirs);
    brant_db_free(db);
    brant_db_free(other);
}

static void test_savepoint_rolls_back_its_own(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    brant_cursor *cursor = must_listen(db, "[\"*\"]");
    begin(db);
    notify(db, "a", 1);
    begin(db);
    notify(db, "b", 2);
    expect(cursor, 0, "");
    roll_back(db);
    begin(db);
    notify(db, "c", 3);
    commit(db);
    expect(cursor, 0, "");
    commit(db);
    expect(cursor, 0, "a=1 c=3");
    /* A savepoint that held all there was. */
    begin(db);
    begin(db);
    notify(db, "d", 4);
    roll_back(db);
    commit(db);
    expect(cursor, 0, "");
    notify(db, "e", 5);
    expect(cursor, 0, "e=5");
    brant_cursor_free(cursor);
    brant_db_free(db);
}

static void test_read_transaction_stays_in_its_snapshot(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), ""),
             *other = must_open(in_folder(*state, "a.db"), "");
    brant_cursor *cursor = must_listen(db, "[\"*\"]");
    must(db, "transaction.begin", "{\"mode\":\"read\"}", NULL);
    notify(other, "a", 1);
    expect(cursor, 0, "");
    commit(db);
    expect(cursor, 0, "a=1");
    brant_cursor_free(cursor);
    brant_db_free(db);
    brant_db_free(other);
}

static void test_patterns(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    static const struct {
        const char *pattern, *wanted;
    } cases[] = {
        {"[\"nodes:*\"]", "nodes:a=1 nodes:b=2"},
        {"[\"nodes:?\"]", "nodes:a=1 nodes:b=2"},
        {"[\"*:[b-z]\"]", "nodes:b=2"},
        {"[\"nodes:[^b]\"]", "nodes:a=1"},
        {"[\"x\\\\*y\"]", "x*y=4"},
        {"[\"x*y\"]", "x*y=4 x12y=5"},
        {"[\"edges:a\",\"x12y\"]", "edges:a=3 x12y=5"},
        {"[\"nodes:a\",\"nodes:*\",\"*\"]", "nodes:a=1 nodes:b=2 edges:a=3 x*y=4 x12y=5"},
        {"[\"[\"]", ""},
        {"[\"nodes\"]", ""},
    };
    brant_cursor *cursors[sizeof cases / sizeof *cases];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cursors[i] = must_listen(db, cases[i].pattern);
    notify(db, "nodes:a", 1);
    notify(db, "nodes:b", 2);
    notify(db, "edges:a", 3);
    notify(db, "x*y", 4);
    notify(db, "x12y", 5);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        expect(cursors[i], 0, cases[i].wanted);
        expect(cursors[i], 0, "");
        brant_cursor_free(cursors[i]);
    }
    brant_db_free(db);
}

static void test_batches_and_long_scans(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    brant_cursor *all = must_listen(db, "[\"*\"]"), *rare = must_listen(db, "[\"rar?\"]"),
                 *named = must_listen(db, "[\"rare\"]");
    begin(db);
    for (int i = 0; i < 700; i++)
        notify(db, "a", i);
    commit(db);
    int next = 0;
    for (int batch = 0; batch < 3; batch++) {
        const char *at = read_items(all, 0);
        int count = 0;
        for (char *end = NULL; (at = strstr(at, "a=")); at = end, count++)
            assert_int_equal(strtol(at + 2, &end, 10), next++);
        assert_int_equal(count, batch < 2 ? 256 : 188);
    }
    expect(all, 0, "");
    /* More than one fetch's worth of other rows before what is wanted: found without waiting. */
    begin(db);
    for (int i = 0; i < 30000; i++) {
        char channel[16];
        snprintf(channel, sizeof channel, "c%d", i % 5);
        notify(db, channel, i);
    }
    notify(db, "rare", 1);
    commit(db);
    expect(rare, 0, "rare=1");
    expect(named, 0, "rare=1");
    brant_cursor_free(all);
    brant_cursor_free(rare);
    brant_cursor_free(named);
    brant_db_free(db);
}

static void test_large_payloads_are_spread(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    brant_cursor *cursor = must_listen(db, "[\"*\"]");
    const size_t size = 3u << 20;
    char *json = malloc(size + 64), *answer = NULL;
    size_t length = 0, items = 0;
    int used = sprintf(json, "{\"channel\":\"a\",\"payload\":\"");
    memset(json + used, 'x', size);
    strcpy(json + (size_t)used + size, "\"}");
    for (int i = 0; i < 5; i++)
        must(db, "events.notify", json, NULL);
    for (int batch = 0; batch < 5 && items < 5; batch++) {
        assert_int_equal(brant_cursor_next(&answer, &length, cursor, 0), BRANT_OK);
        assert_true(length < (8u << 20));
        for (const char *at = answer; (at = strstr(at, "\"id\":")); at++)
            items++;
        brant_free(answer);
    }
    assert_int_equal(items, 5);
    free(json);
    brant_cursor_free(cursor);
    brant_db_free(db);
}

/* ---- retention --------------------------------------------------------------------------------------------------- */

static void test_retention_by_count(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    brant_cursor *all = must_listen(db, "[\"*\"]"), *busy = must_listen(db, "[\"busy\"]"),
                 *quiet = must_listen(db, "[\"quiet\"]");
    notify(db, "quiet", 7);
    for (int round = 0; round < 3; round++) {
        begin(db);
        for (int i = 0; i < 10000; i++)
            notify(db, "busy", i);
        commit(db);
        const int64_t kept =
            number(db, "SELECT count(*) FROM notifications WHERE channel = 'busy'");
        assert_in_range(kept, 10000, 10500);
        assert_int_equal(
            kept, number(db, "SELECT count FROM notification_channels WHERE channel = 'busy'"));
    }
    const int64_t gone =
        number(db, "SELECT pruned_through FROM notification_channels WHERE channel = 'busy'");
    assert_int_equal(gone + 1,
                     number(db, "SELECT min(id) FROM notifications WHERE channel = 'busy'"));
    char wanted[64];
    snprintf(wanted, sizeof wanted, "busy=gap(1,%lld) ", (long long)gone);
    assert_true(strncmp(read_items(busy, 0), wanted, strlen(wanted)) == 0);
    assert_null(strstr(read_items(busy, 0), "gap"));
    snprintf(wanted, sizeof wanted, "busy=gap(1,%lld) quiet=7 busy=", (long long)gone);
    assert_true(strncmp(read_items(all, 0), wanted, strlen(wanted)) == 0);
    assert_null(strstr(read_items(all, 0), "gap"));
    expect(quiet, 0, "quiet=7"); /* never evicted by the busy one, and no gap */
    brant_cursor_free(all);
    brant_cursor_free(busy);
    brant_cursor_free(quiet);
    brant_db_free(db);
}

static void test_retention_by_age(void **state) {
    brant_db *db = open_with_clock(in_folder(*state, "a.db"));
    brant_cursor *cursor = must_listen(db, "[\"a\",\"b*\"]"), *other = must_listen(db, "[\"c\"]");
    notify(db, "a", 1);
    notify(db, "b1", 2);
    notify(db, "a", 3);
    fake_now += 86400000;
    notify(db, "a", 4);
    must(db, "db.maintain", "{}", "\"pruned\":0");
    fake_now += 1;
    must(db, "db.maintain", "{}", "\"pruned\":3");
    expect(cursor, 0, "b1=gap(1,2) a=gap(1,3) a=4");
    expect(cursor, 0, "");
    expect(other, 0, "");
    assert_int_equal(number(db, "SELECT count FROM notification_channels WHERE channel = 'a'"), 1);
    fake_now += 86400001;
    must(db, "db.maintain", "{}", "\"pruned\":1"); /* read before it went: no gap */
    expect(cursor, 0, "");
    notify(db, "a", 5);
    expect(cursor, 0, "a=5");
    brant_cursor_free(cursor);
    brant_cursor_free(other);
    brant_db_free(db);
}

/* Channels that come and go for ever leave a bounded number of rows, and a slow listener is told all the same. */
static void test_forgotten_channels(void **state) {
    brant_db *db = open_with_clock(in_folder(*state, "a.db"));
    brant_cursor *cursor = must_listen(db, "[\"one:0\"]"), *never = must_listen(db, "[\"two:0\"]");
    begin(db);
    for (int i = 0; i < 10100; i++) {
        char channel[32];
        snprintf(channel, sizeof channel, "one:%d", i);
        notify(db, channel, i);
    }
    commit(db);
    fake_now += 86400001;
    must(db, "db.maintain", "{}", "\"pruned\":10100");
    assert_in_range(number(db, "SELECT count(*) FROM notification_channels"), 1, 10001);
    expect(cursor, 0, "one:0=gap(1,100)");
    expect(never, 0,
           "two:0=gap(1,100)"); /* its channel may have been among those: said, to be safe */
    expect(cursor, 0, "");
    brant_cursor_free(cursor);
    brant_cursor_free(never);
    brant_db_free(db);
}

/* ---- restore ----------------------------------------------------------------------------------------------------- */

static void test_restore_tells_of_a_gap(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    char json[4200];
    brant_cursor *cursor = must_listen(db, "[\"a\"]"), *passed = must_listen(db, "[\"*\"]");
    notify(db, "a", 1);
    snprintf(json, sizeof json, "{\"path\":\"%s\"}", in_folder(*state, "backup.db"));
    must(db, "db.backup", json, NULL);
    for (int i = 2; i < 10; i++)
        notify(db, "a", i);
    expect(cursor, 0, "a=1 a=2 a=3 a=4 a=5 a=6 a=7 a=8 a=9");
    expect(passed, 0, "a=1 a=2 a=3 a=4 a=5 a=6 a=7 a=8 a=9");
    must(db, "db.restore", json, NULL);
    expect(cursor, 0, "a=gap(0,1)");
    expect(cursor, 0, "");
    /* This one only looks when new ids have grown beyond what it had read: they are others. */
    for (int i = 2; i < 20; i++)
        notify(db, "a", 100 + i);
    expect(passed, 0, "*=gap(0,19)");
    assert_true(strncmp(read_items(cursor, 0), "a=102 a=103 ", 12) == 0);
    /* And the registration is made again. */
    pause_ms(1100);
    expect(cursor, 0, "");
    assert_int_equal(number(db, "SELECT count(*) FROM brant_wake WHERE row_id > 0"), 2);
    notify(db, "a", 200);
    expect(cursor, 0, "a=200");
    expect(passed, 0, "a=200");
    brant_cursor_free(cursor);
    brant_cursor_free(passed);
    brant_db_free(db);
}

/* ---- waiting ------------------------------------------------------------------------------------------------------- */

typedef struct waiter {
    pthread_t thread;
    brant_cursor *cursor;
    int64_t timeout;
    brant_status status;
    char message[128];
    char items[256];
} waiter;

static void *wait_once(void *argument) {
    waiter *self = argument;
    char *answer = NULL;
    size_t length = 0;
    self->status = brant_cursor_next(&answer, &length, self->cursor, self->timeout);
    snprintf(self->message, sizeof self->message, "%s", brant_last_error()->message);
    const char *payload = answer ? strstr(answer, "\"payload\":") : NULL;
    snprintf(self->items, sizeof self->items, "%.*s", payload ? (int)strcspn(payload, ",}") : 0,
             payload ? payload : "");
    brant_free(answer);
    return NULL;
}

static void start(waiter *self, brant_cursor *cursor, int64_t timeout) {
    *self = (waiter){.cursor = cursor, .timeout = timeout};
    assert_int_equal(pthread_create(&self->thread, NULL, wait_once, self), 0);
}

static void finish(waiter *self, brant_status wanted) {
    pthread_join(self->thread, NULL);
    if (self->status != wanted)
        fail_msg("wanted %s, got %s: %s", brant_status_name(wanted),
                 brant_status_name(self->status), self->message);
    if (wanted == BRANT_OK && !*self->items) fail_msg("it was not woken");
}

static void test_timeouts(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    brant_cursor *cursor = must_listen(db, "[\"a\"]");
    const int64_t start_at = monotonic_ms();
    expect(cursor, 0, "");
    expect(cursor, 200, "");
    assert_in_range(monotonic_ms() - start_at, 190, PATIENCE);
    expect(cursor, 1300, ""); /* longer than the tick */
    assert_in_range(monotonic_ms() - start_at, 1480, PATIENCE);
    brant_cursor_free(cursor);
    brant_db_free(db);
}

static void test_cursors_of_one_handle(void **state) {
    enum { COUNT = 8 };
    brant_db *db = must_open(in_folder(*state, "a.db"), ""),
             *writer = must_open(in_folder(*state, "a.db"), "");
    waiter waiters[COUNT];
    brant_cursor *cursors[COUNT];
    for (int i = 0; i < COUNT; i++) {
        char channels[32];
        snprintf(channels, sizeof channels, "[\"c%d\",\"all\"]", i);
        cursors[i] = must_listen(db, channels);
    }
    check_in(db, HOUR); /* woken, not found by the tick */
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < COUNT; i++)
            start(&waiters[i], cursors[i], PATIENCE);
        pause_ms(5);
        notify(writer, "all", round);
        for (int i = 0; i < COUNT; i++) {
            finish(&waiters[i], BRANT_OK);
            assert_int_equal(strtol(waiters[i].items + strlen("\"payload\":"), NULL, 10), round);
        }
    }
    /* One after the other, so that the one that leads is often the one that leaves. */
    for (int i = 0; i < COUNT; i++)
        start(&waiters[i], cursors[i], PATIENCE);
    for (int i = 0; i < COUNT; i++) {
        char channel[16];
        pause_ms(5);
        snprintf(channel, sizeof channel, "c%d", i);
        notify(writer, channel, i);
        finish(&waiters[i], BRANT_OK);
    }
    for (int i = 0; i < COUNT; i++)
        brant_cursor_free(cursors[i]);
    brant_db_free(db);
    brant_db_free(writer);
}

static void test_one_cursor_serves_one_thread(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    brant_cursor *cursor = must_listen(db, "[\"a\"]");
    waiter waiting;
    char *answer = NULL;
    size_t length = 0;
    start(&waiting, cursor, 10 * PATIENCE);
    await_waiting(db, 1);
    assert_int_equal(brant_cursor_next(&answer, &length, cursor, 0), BRANT_MISUSE);
    assert_null(answer);
    brant_cursor_close(cursor);
    finish(&waiting, BRANT_CLOSED);
    brant_cursor_free(cursor);
    brant_db_free(db);
}

enum end { CLOSE_CURSOR, FREE_CURSOR, INTERRUPT, CLOSE_HANDLE };

static void ends_wait(const char *path, enum end how, bool follower) {
    brant_db *db = must_open(path, "");
    brant_cursor *first = must_listen(db, "[\"a\"]"), *second = must_listen(db, "[\"a\"]");
    waiter leads, follows;
    check_in(db, HOUR); /* at once, not by the tick */
    start(&leads, first, -1);
    await_waiting(db, 1);
    start(&follows, second, -1);
    await_waiting(db, 2);
    brant_cursor *cursor = follower ? second : first;
    if (how == CLOSE_CURSOR) brant_cursor_close(cursor);
    if (how == FREE_CURSOR) brant_cursor_free(cursor);
    if (how == INTERRUPT) brant_interrupt(db);
    if (how == CLOSE_HANDLE) brant_close(db);
    finish(follower ? &follows : &leads, how == INTERRUPT ? BRANT_INTERRUPTED : BRANT_CLOSED);
    if (how == INTERRUPT || how == CLOSE_HANDLE) {
        finish(follower ? &leads : &follows, how == INTERRUPT ? BRANT_INTERRUPTED : BRANT_CLOSED);
    } else {
        /* The other one waits on, and is woken. */
        notify(db, "a", 1);
        finish(follower ? &leads : &follows, BRANT_OK);
    }
    if (how == INTERRUPT) {
        notify(db, "a", 2); /* the cursors are as before */
        expect(first, PATIENCE, "a=2");
        expect(second, PATIENCE, "a=2");
    }
    if (how == CLOSE_CURSOR || how == CLOSE_HANDLE) {
        char *answer = NULL;
        size_t length = 0;
        assert_int_equal(brant_cursor_next(&answer, &length, cursor, 0), BRANT_CLOSED);
        assert_int_equal(brant_cursor_close(cursor), BRANT_OK);
    }
    if (how != FREE_CURSOR || follower) brant_cursor_free(first);
    if (how != FREE_CURSOR || !follower) brant_cursor_free(second);
    brant_db_free(db);
}

static void test_how_waits_end(void **state) {
    for (int how = CLOSE_CURSOR; how <= CLOSE_HANDLE; how++)
        for (int follower = 0; follower < 2; follower++) {
            ends_wait(in_folder(*state, "a.db"), how, follower);
            ends_wait(":memory:", how, follower);
        }
}

static void test_cursor_outlives_its_handle(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    brant_cursor *cursor = must_listen(db, "[\"a\"]"), *second = must_listen(db, "[\"a\"]");
    char *answer = NULL;
    size_t length = 0;
    notify(db, "a", 1);
    brant_db_free(db);
    assert_int_equal(brant_cursor_next(&answer, &length, cursor, -1), BRANT_CLOSED);
    brant_cursor_free(second);
    assert_int_equal(brant_cursor_close(cursor), BRANT_OK);
    brant_cursor_free(cursor);
}

static void *call_slowly(void *argument) {
    brant_db *db = argument;
    must(db, "sql.execute",
         "{\"sql\":\"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
         "3000000) SELECT count(*) FROM n\"}",
         "3000000");
    return NULL;
}

/* A call of another thread is waited for: only the sharing of a cursor is misuse. And a cursor can be closed meanwhile. */
static void test_handle_in_use_elsewhere(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    brant_cursor *cursor = must_listen(db, "[\"a\"]"), *closed = must_listen(db, "[\"b\"]");
    pthread_t thread;
    notify(db, "a", 1);
    pthread_create(&thread, NULL, call_slowly, db);
    pause_ms(30);
    brant_cursor_free(closed);
    expect(cursor, 0, "a=1");
    pthread_join(thread, NULL);
    notify(db, "a", 2);
    expect(cursor, 0, "a=2");
    assert_int_equal(number(db, "SELECT count(*) FROM brant_wake WHERE row_id > 0"), 1);
    brant_cursor_free(cursor);
    brant_db_free(db);
}

/* Threads that wait on a handle and are woken all the time disturb none of its calls. */
static void test_waits_do_not_disturb_calls(void **state) {
    enum { COUNT = 3, ROUNDS = 1500 };
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    brant_cursor *cursors[COUNT];
    waiter waiters[COUNT];
    for (int i = 0; i < COUNT; i++)
        cursors[i] = must_listen(db, "[\"a\"]");
    for (int round = 0; round < ROUNDS; round++) {
        notify(db, round % 2 ? "a" : "b", round);
        for (int i = 0; round % 50 == 0 && i < COUNT; i++) {
            if (round) finish(&waiters[i], BRANT_OK);
            start(&waiters[i], cursors[i], PATIENCE);
        }
        if (round == 0) continue;
        brant_cursor *come = must_listen(db, "[\"c\"]");
        brant_cursor_free(come);
    }
    notify(db, "a", ROUNDS);
    for (int i = 0; i < COUNT; i++)
        finish(&waiters[i], BRANT_OK);
    for (int i = 0; i < COUNT; i++)
        brant_cursor_free(cursors[i]);
    /* A cursor that was freed while another thread looked is buried by the next to come. */
    for (int i = 0; i < 100 && number(db, "SELECT count(*) FROM brant_wake WHERE row_id > 0");
         i++) {
        brant_cursor_free(must_listen(db, "[\"c\"]"));
        pause_ms(10);
    }
    assert_int_equal(number(db, "SELECT count(*) FROM brant_wake WHERE row_id > 0"), 0);
    brant_db_free(db);
}

static void test_memory_database(void **state) {
    brant_db *db = must_open(":memory:", "");
    brant_cursor *cursor = must_listen(db, "[\"a\"]");
    waiter waiting;
    int fd = 0;
    (void)state;
    assert_int_equal(brant_wake_fd(&fd, db), BRANT_UNSUPPORTED);
    assert_int_equal(fd, -1);
    assert_int_equal(brant_wake_acknowledge(db), BRANT_OK);
    start(&waiting, cursor, PATIENCE);
    pause_ms(50);
    notify(db, "b", 1);
    pause_ms(50);
    begin(db);
    notify(db, "a", 2);
    commit(db);
    finish(&waiting, BRANT_OK);
    assert_string_equal(waiting.items, "\"payload\":2");
    expect(cursor, 20, "");
    brant_cursor_free(cursor);
    brant_db_free(db);
}

static void test_waiting_uses_no_processor(void **state) {
    enum { COUNT = 10 };
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    brant_cursor *cursors[COUNT];
    waiter waiters[COUNT];
    int fd = -1;
    for (int event_loop = 0; event_loop < 2; event_loop++) {
        for (int i = 0; i < COUNT; i++)
            cursors[i] = must_listen(db, "[\"a\"]");
        for (int i = 0; i < COUNT; i++)
            start(&waiters[i], cursors[i], -1);
        await_waiting(db, COUNT);
        pause_ms(100);
        const double before = processor_ms();
        pause_ms(2000);
        /* 10 waits, 2 seconds: a tick each second each. Polling each millisecond takes a hundred times as much. */
        assert_true(processor_ms() - before < 200);
        brant_interrupt(db);
        for (int i = 0; i < COUNT; i++) {
            finish(&waiters[i], BRANT_INTERRUPTED);
            brant_cursor_free(cursors[i]);
        }
        /* Once more with an event loop that never answers. */
        assert_int_equal(brant_wake_fd(&fd, db), BRANT_OK);
        brant_cursor *cursor = must_listen(db, "[\"a\"]");
        notify(db, "a", 1);
        brant_cursor_free(cursor);
    }
    brant_db_free(db);
}

/* ---- the wake descriptor ----------------------------------------------------------------------------------------- */

static bool readable(int fd, int timeout) {
    struct pollfd waiting = {fd, POLLIN, 0};
    return poll(&waiting, 1, timeout) == 1;
}

static void test_wake_descriptor(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), ""),
             *writer = must_open(in_folder(*state, "a.db"), "");
    int fd = -1, again = -1;
    assert_int_equal(brant_wake_fd(&fd, db), BRANT_OK);
    brant_cursor *cursor = must_listen(db, "[\"a\"]");
    assert_int_equal(brant_wake_fd(&again, db), BRANT_OK);
    assert_int_equal(fd, again);
    assert_false(readable(fd, 0));
    notify(writer, "b", 1);
    assert_false(readable(fd, 50)); /* not ours: not woken */
    notify(writer, "a", 2);
    notify(writer, "a", 3);
    assert_true(readable(fd, PATIENCE));
    assert_true(readable(fd, 0));
    assert_int_equal(brant_wake_acknowledge(db), BRANT_OK);
    assert_false(readable(fd, 20));
    expect(cursor, 0, "a=2 a=3");
    notify(db, "a", 4); /* our own commits count, too */
    assert_true(readable(fd, PATIENCE));
    brant_wake_acknowledge(db);
    expect(cursor, 0, "a=4");
    begin(writer);
    notify(writer, "a", 5);
    roll_back(writer);
    assert_false(readable(fd, 50));
    const int kept = dup(fd);
    brant_cursor_free(cursor);
    notify(writer, "a", 6);
    assert_false(readable(fd, 50)); /* nobody listens any more */
    brant_close(db);
    assert_true(readable(kept, PATIENCE));
    assert_int_equal(brant_wake_fd(&fd, db), BRANT_CLOSED);
    assert_int_equal(brant_wake_acknowledge(db), BRANT_CLOSED);
    close(kept);
    brant_db_free(db);
    brant_db_free(writer);
}

/* A burst beyond what a socket's queue holds. */
static void test_burst_before_anybody_looks(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), ""),
             *writer = must_open(in_folder(*state, "a.db"), "");
    brant_cursor *cursor = must_listen(db, "[\"a\"]");
    int fd = -1, got = 0;
    assert_int_equal(brant_wake_fd(&fd, db), BRANT_OK);
    for (int i = 0; i < 3000; i++)
        notify(writer, "a", i);
    assert_true(readable(fd, 0));
    brant_wake_acknowledge(db);
    assert_false(readable(fd, 0));
    for (const char *at = NULL; (at = read_items(cursor, 0)) && *at;)
        for (char *end = NULL; (at = strstr(at, "a=")); at = end)
            assert_int_equal(strtol(at + 2, &end, 10), got++);
    assert_int_equal(got, 3000);
    brant_cursor_free(cursor);
    brant_db_free(db);
    brant_db_free(writer);
}

/* A thread that waits and an event loop on the same handle: both see every wake. */
static void test_descriptor_and_threads(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), ""),
             *writer = must_open(in_folder(*state, "a.db"), "");
    brant_cursor *threaded = must_listen(db, "[\"a\"]"), *looped = must_listen(db, "[\"a\"]");
    waiter waiting;
    int fd = -1;
    assert_int_equal(brant_wake_fd(&fd, db), BRANT_OK);
    check_in(db, HOUR);
    for (int i = 0; i < 50; i++) {
        char wanted[32];
        start(&waiting, threaded, PATIENCE);
        if (i % 2) pause_ms(3);
        notify(writer, "a", i);
        assert_true(readable(fd, PATIENCE));
        if (i % 3 == 0) pause_ms(2);
        brant_wake_acknowledge(db);
        snprintf(wanted, sizeof wanted, "a=%d", i);
        expect(looped, 0, wanted);
        finish(&waiting, BRANT_OK);
        while (readable(fd, 2))
            brant_wake_acknowledge(db); /* a wake for nothing may follow */
    }
    /* Without anybody in the loop the threads are a little slower, no more. */
    for (int i = 0; i < 5; i++) {
        start(&waiting, threaded, PATIENCE);
        pause_ms(20);
        notify(writer, "a", i);
        finish(&waiting, BRANT_OK);
    }
    brant_cursor_free(threaded);
    brant_cursor_free(looped);
    brant_db_free(db);
    brant_db_free(writer);
}

static void test_read_only_handle(void **state) {
    brant_db *writer = must_open(in_folder(*state, "a.db"), ""),
             *db = must_open(in_folder(*state, "a.db"), "{\"mode\":\"ro\"}");
    brant_cursor *cursor = must_listen(db, "[\"a\"]");
    waiter waiting;
    int fd = -1;
    start(&waiting, cursor, PATIENCE);
    pause_ms(50);
    notify(writer, "a", 1);
    finish(&waiting, BRANT_OK); /* by the tick */
    assert_int_equal(number(writer, "SELECT count(*) FROM brant_wake WHERE row_id > 0"), 0);
    assert_int_equal(brant_wake_fd(&fd, db), BRANT_OK);
    assert_false(readable(fd, 0));
    const int kept = dup(fd);
    start(&waiting, cursor, -1);
    pause_ms(50);
    brant_close(db);
    finish(&waiting, BRANT_CLOSED);
    assert_true(readable(kept, PATIENCE));
    close(kept);
    brant_cursor_free(cursor);
    brant_db_free(db);
    brant_db_free(writer);
}

/* ---- want of memory ----------------------------------------------------------------------------------------------- */

static long allocations_left = -1;

static void *failing_allocate(void *context, size_t size) {
    (void)context;
    if (allocations_left == 0) return NULL;
    if (allocations_left > 0) allocations_left--;
    return malloc(size ? size : 1);
}

static void failing_release(void *context, void *memory) {
    (void)context;
    free(memory);
}

static void test_want_of_memory(void **state) {
    static const brant_allocator allocator = {failing_allocate, failing_release, NULL};
    brant_allocator_set(&allocator);
    bool done = false;
    for (long at = 0; !done && at < 500; at++) {
        brant_db *db = must_open(in_folder(*state, "a.db"), "");
        brant_cursor *cursor = NULL;
        char *answer = NULL;
        size_t length = 0;
        allocations_left = at;
        brant_status status =
            brant_event_listen(&cursor, db, TEXT("{\"channels\":[\"a*\",\"b\"]}"));
        if (status == BRANT_OK)
            status = brant_event_notify(&answer, &length, db,
                                        TEXT("{\"channel\":\"a1\",\"payload\":[1]}"));
        const bool written = status == BRANT_OK;
        brant_free(answer);
        answer = NULL;
        if (status == BRANT_OK) status = brant_cursor_next(&answer, &length, cursor, 0);
        done = status == BRANT_OK && allocations_left > 0;
        allocations_left = -1;
        if (status != BRANT_OK) {
            assert_int_equal(status, BRANT_NO_MEMORY);
            assert_int_equal(brant_last_error()->code, BRANT_NO_MEMORY);
            assert_null(answer);
            if (written)
                expect(cursor, 0, "a1=[1]"); /* what was not delivered is delivered later */
        } else {
            assert_non_null(strstr(answer, "a1"));
            brant_free(answer);
        }
        brant_cursor_free(cursor);
        assert_int_equal(number(db, "SELECT count(*) FROM brant_wake WHERE row_id > 0"), 0);
        brant_db_free(db);
    }
    assert_true(done);
    brant_allocator_set(NULL);
}

/* A temporary table of the user's with AUTOINCREMENT brings a table of sequences that shadows the file's. */
static void test_temporary_sequence(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    notify(db, "a", 1);
    must(db, "sql.execute",
         "{\"sql\":\"CREATE TEMP TABLE t (x INTEGER PRIMARY KEY AUTOINCREMENT)\"}", NULL);
    brant_cursor *cursor = must_listen(db, "[\"a\"]");
    notify(db, "a", 2);
    expect(cursor, 0, "a=2");
    brant_cursor_free(cursor);
    brant_db_free(db);
}

/* A cursor waits, and goes on, while its handle has lost its transaction and not yet rolled back. */
static void test_lost_transaction(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), ""),
             *other = must_open(in_folder(*state, "a.db"), "");
    must(db, "sql.execute", "{\"sql\":\"CREATE TABLE t (x UNIQUE)\"}", NULL);
    brant_cursor *cursor = must_listen(db, "[\"a\"]");
    must(db, "transaction.begin", "", NULL);
    notify(db, "a", 1);
    must_fail(db, "sql.execute", "{\"sql\":\"INSERT OR ROLLBACK INTO t VALUES (1), (1)\"}",
              BRANT_CONSTRAINT, NULL);
    notify(other, "a", 2);
    expect(cursor, 0, "");
    must_fail(db, "events.notify", "{\"channel\":\"a\"}", BRANT_MISUSE, "roll it back");
    must(db, "transaction.rollback", "", NULL);
    expect(cursor, 0, "a=2");
    brant_cursor_free(cursor);
    brant_db_free(other);
    brant_db_free(db);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_folder, tear_down_folder)

int main(int count, char **arguments) {
    const struct CMUnitTest tests[] = {
        TEST(test_order_and_once),
        TEST(test_item_has_all_members),
        TEST(test_notify_refuses),
        TEST(test_listen_refuses),
        TEST(test_null_is_fine_or_refused),
        TEST(test_rolled_back_is_never_seen),
        TEST(test_savepoint_rolls_back_its_own),
        TEST(test_read_transaction_stays_in_its_snapshot),
        TEST(test_patterns),
        TEST(test_batches_and_long_scans),
        TEST(test_large_payloads_are_spread),
        TEST(test_retention_by_count),
        TEST(test_retention_by_age),
        TEST(test_forgotten_channels),
        TEST(test_restore_tells_of_a_gap),
        TEST(test_timeouts),
        TEST(test_cursors_of_one_handle),
        TEST(test_one_cursor_serves_one_thread),
        TEST(test_how_waits_end),
        TEST(test_cursor_outlives_its_handle),
        TEST(test_handle_in_use_elsewhere),
        TEST(test_waits_do_not_disturb_calls),
        TEST(test_memory_database),
        TEST(test_waiting_uses_no_processor),
        TEST(test_wake_descriptor),
        TEST(test_burst_before_anybody_looks),
        TEST(test_descriptor_and_threads),
        TEST(test_read_only_handle),
        TEST(test_temporary_sequence),
        TEST(test_lost_transaction),
        TEST(test_want_of_memory),
    };
    if (count > 1) cmocka_set_test_filter(arguments[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
