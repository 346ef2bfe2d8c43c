/*
 * tests/core/test_consumer.c: consumers and groups: saved offsets, claims and leases, who is woken, a model at random, and consumers that are killed.
 *
 * BRANT_SEED and BRANT_STEPS replay or lengthen the model's run.
 */
#define _GNU_SOURCE
#include "test_stream.h"
#include "test_wake.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

/* ---- consumers ---------------------------------------------------------------------------------------------------------------- */

static void test_commit(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    must_fail(db, "consumers.commit", "{\"stream\":\"s\",\"consumer\":\"c\",\"offset\":0}",
              BRANT_NOT_FOUND, "no stream");
    publish_range(db, 1, 9);
    must(db, "consumers.commit", "{\"stream\":\"s\",\"consumer\":\"c\",\"offset\":3}",
         "{\"offset\":3}");
    must(db, "consumers.commit", "{\"stream\":\"s\",\"consumer\":\"c\",\"offset\":2}",
         "{\"offset\":3}");
    must(db, "consumers.commit", "{\"stream\":\"s\",\"consumer\":\"c\",\"offset\":5}",
         "{\"offset\":5}");
    must_fail(db, "consumers.commit", "{\"stream\":\"s\",\"consumer\":\"c\",\"offset\":10}",
              BRANT_INVALID, "the last offset, 9");
    must_fail(db, "consumers.commit", "{\"stream\":\"s\",\"consumer\":\"\",\"offset\":1}",
              BRANT_INVALID, "/consumer");
    must(db, "transaction.begin", "{}", NULL);
    must(db, "consumers.commit", "{\"stream\":\"s\",\"consumer\":\"c\",\"offset\":8}", NULL);
    must(db, "transaction.rollback", "{}", NULL);
    must(db, "consumers.get", "{\"stream\":\"s\",\"consumer\":\"c\"}",
         "{\"stream\":\"s\",\"consumer\":\"c\",\"kind\":\"consumer\",\"offset\":5,\"lag\":4,"
         "\"updated_at\":");
    /* `from` is for the first time only. */
    brant_cursor *cursor =
        must_subscribe(db, "{\"stream\":\"s\",\"consumer\":\"c\",\"from\":\"start\"}");
    expect_next(cursor, "6=6 7=7 8=8 9=9");
    brant_cursor_free(cursor);
    cursor = must_subscribe(db, "{\"stream\":\"s\",\"consumer\":\"late\",\"from\":\"end\"}");
    expect_next(cursor, "");
    publish_range(db, 10, 10);
    expect_next(cursor, "10=10");
    brant_cursor_free(cursor);
    must(db, "consumers.get", "{\"stream\":\"s\",\"consumer\":\"late\"}", "\"offset\":9,\"lag\":1");
    must(db, "consumers.seek", "{\"stream\":\"s\",\"consumer\":\"c\",\"to\":\"start\"}",
         "{\"offset\":0}");
    must(db, "consumers.seek", "{\"stream\":\"s\",\"consumer\":\"c\",\"to\":7}", "{\"offset\":7}");
    must(db, "consumers.seek", "{\"stream\":\"s\",\"consumer\":\"c\",\"to\":{\"time\":0}}",
         "{\"offset\":0}");
    must_fail(db, "consumers.seek", "{\"stream\":\"s\",\"consumer\":\"c\",\"to\":11}",
              BRANT_INVALID, "/to");
    /* Trimmed before it was read. */
    must(db, "streams.trim", "{\"stream\":\"s\",\"before\":4}", NULL);
    cursor = must_subscribe(db, "{\"stream\":\"s\",\"consumer\":\"c\",\"batch\":2}");
    expect_next(cursor, "gap(1,3) 4=4");
    brant_cursor_free(cursor);
    must(db, "consumers.list", "{\"stream\":\"s\"}", "\"consumer\":\"late\"");
    must(db, "streams.stats", "{\"stream\":\"s\"}",
         "\"consumers\":[{\"name\":\"c\",\"kind\":\"consumer\",\"offset\":0,\"lag\":7,\"lag_ms\":");
    must(db, "consumers.delete", "{\"stream\":\"s\",\"consumer\":\"c\"}", "{}");
    must_fail(db, "consumers.delete", "{\"stream\":\"s\",\"consumer\":\"c\"}", BRANT_NOT_FOUND,
              "no consumer");
    brant_db_free(db);
}

/* ---- groups --------------------------------------------------------------------------------------------------------------------- */

#define GROUP "\"stream\":\"s\",\"group\":\"g\""

static void test_group(void **state) {
    brant_db *db = open_at(in_folder(*state, "a.db"));
    clock_ms = 1000;
    must(db, "consumers.claim", "{" GROUP ",\"member\":\"a\"}", "{\"items\":[]}");
    publish_range(db, 1, 6);
    char *answer = must_call(db, "consumers.claim",
                             "{" GROUP ",\"member\":\"a\",\"limit\":2,\"lease\":100}", NULL);
    assert_non_null(strstr(answer, "{\"items\":[{\"offset\":1,\"payload\":1,\"created_at\":1000,"
                                   "\"token\":1,\"delivery\":1},{\"offset\":2,"));
    brant_free(answer);
    expect_items(db, "consumers.claim", "{" GROUP ",\"member\":\"b\",\"limit\":2,\"lease\":200}",
                 "3=3 4=4");
    must(db, "consumers.get", "{\"stream\":\"s\",\"consumer\":\"g\"}",
         "\"kind\":\"group\",\"offset\":0,\"lag\":6,\"pending\":4");
    must(db, "consumers.ack", "{" GROUP ",\"items\":[{\"offset\":2,\"token\":1}]}",
         "{\"stale\":[],\"acked\":1}");
    must(db, "consumers.get", "{\"stream\":\"s\",\"consumer\":\"g\"}",
         "\"offset\":0,\"lag\":5,\"pending\":3");
    /* A lease ends: the event goes to another, and the first one's token is stale. */
    clock_ms += 100;
    answer = must_call(db, "consumers.claim", "{" GROUP ",\"member\":\"c\",\"limit\":2}", NULL);
    assert_non_null(strstr(answer, "{\"offset\":1,\"payload\":1,\"created_at\":1000,\"token\":3,"
                                   "\"delivery\":2},{\"offset\":5,"));
    brant_free(answer);
    must(db, "consumers.ack",
         "{" GROUP ",\"items\":[{\"offset\":1,\"token\":1},{\"offset\":9,\"token\":3}]}",
         "{\"stale\":[1,9],\"acked\":0}");
    must(db, "consumers.ack", "{" GROUP ",\"items\":[{\"offset\":1,\"token\":3}]}", "\"acked\":1");
    must(db, "consumers.get", "{\"stream\":\"s\",\"consumer\":\"g\"}", "\"offset\":2,");
    /* Neither does it extend or release. */
    must(db, "consumers.extend",
         "{" GROUP ",\"items\":[{\"offset\":3,\"token\":1}],\"lease\":9000}",
         "{\"stale\":[3],\"acked\":0}");
    must(db, "consumers.release", "{" GROUP ",\"items\":[{\"offset\":3,\"token\":1}]}",
         "{\"stale\":[3],\"acked\":0}");
    /* Extended: it stays. Released: it goes at once, and to nobody with the old token. */
    must(db, "consumers.extend",
         "{" GROUP ",\"items\":[{\"offset\":3,\"token\":2}],\"lease\":1000}", "\"acked\":1");
    clock_ms += 100;
    expect_items(db, "consumers.claim", "{" GROUP ",\"member\":\"a\",\"limit\":1}", "4=4");
    must(db, "consumers.release", "{" GROUP ",\"items\":[{\"offset\":5,\"token\":3}]}",
         "\"acked\":1");
    must(db, "consumers.ack", "{" GROUP ",\"items\":[{\"offset\":5,\"token\":3}]}",
         "{\"stale\":[5],\"acked\":0}");
    expect_items(db, "consumers.claim", "{" GROUP ",\"member\":\"b\",\"limit\":9}", "5=5 6=6");
    /* Trimmed while pending, and before it was handed out. */
    publish_range(db, 7, 10);
    must(db, "streams.trim", "{\"stream\":\"s\",\"before\":9}", NULL);
    clock_ms += 2000;
    expect_items(db, "consumers.claim", "{" GROUP ",\"member\":\"b\",\"limit\":9}",
                 "9=9 10=10 gap(3,8)"); /* 3 was the extended one */
    clock_ms += 100000;
    expect_items(db, "consumers.claim", "{" GROUP ",\"member\":\"b\",\"limit\":1}",
                 "9=9 gap(4,6)"); /* whose leases had not ended then */
    must(db, "consumers.get", "{\"stream\":\"s\",\"consumer\":\"g\"}",
         "\"offset\":8,\"lag\":2,\"pending\":2");
    /* Compaction is no gap. */
    publish_keyed(db, "k", "11");
    expect_items(db, "consumers.claim", "{" GROUP ",\"member\":\"b\",\"limit\":9,\"lease\":10}",
                 "10=10 11:k=11");
    publish_keyed(db, "k", "12");
    must(db, "streams.compact", "{\"stream\":\"s\"}", "{\"removed\":1}");
    clock_ms += 10;
    expect_items(db, "consumers.claim", "{" GROUP ",\"member\":\"b\",\"limit\":9}",
                 "10=10 12:k=12");
    /* Back: what was handed out is forgotten, and its tokens are stale. */
    must(db, "consumers.seek", "{\"stream\":\"s\",\"consumer\":\"g\",\"to\":\"start\"}",
         "{\"offset\":8}");
    must(db, "consumers.ack", "{" GROUP ",\"items\":[{\"offset\":10,\"token\":9}]}",
         "{\"stale\":[10],\"acked\":0}");
    expect_items(db, "consumers.claim", "{" GROUP ",\"member\":\"b\",\"limit\":1}", "9=9");
    /* A group that is made again gives no token twice. */
    const int64_t token = number(db, "SELECT token FROM stream_consumers");
    must(db, "consumers.delete", "{\"stream\":\"s\",\"consumer\":\"g\"}", "{}");
    assert_int_equal(number(db, "SELECT groups FROM streams"), 0);
    must(db, "consumers.claim", "{" GROUP ",\"member\":\"b\",\"from\":\"end\"}", "{\"items\":[]}");
    publish_range(db, 13, 13);
    expect_items(db, "consumers.claim", "{" GROUP ",\"member\":\"b\"}", "13=13");
    assert_true(number(db, "SELECT token FROM stream_pending") > token);
    must_fail(db, "consumers.commit", "{\"stream\":\"s\",\"consumer\":\"g\",\"offset\":1}",
              BRANT_CONFLICT, "is a group");
    must(db, "consumers.commit", "{\"stream\":\"s\",\"consumer\":\"c\",\"offset\":1}", NULL);
    must_fail(db, "consumers.claim", "{\"stream\":\"s\",\"group\":\"c\",\"member\":\"m\"}",
              BRANT_CONFLICT, "is a consumer");
    must_fail(db, "consumers.ack",
              "{\"stream\":\"s\",\"group\":\"x\",\"items\":[{\"offset\":1,"
              "\"token\":1}]}",
              BRANT_NOT_FOUND, "no group");
    brant_cursor *cursor = NULL;
    assert_int_equal(
        brant_stream_subscribe(&cursor, db, TEXT("{\"stream\":\"s\",\"consumer\":\"g\"}")),
        BRANT_CONFLICT);
    must_be_well(db);
    brant_db_free(db);
}

/* ---- waking --------------------------------------------------------------------------------------------------------------------- */

typedef struct waiting {
    pthread_t thread;
    brant_db *db;
    brant_cursor *cursor;
    brant_status status;
    bool got;
} waiting;

static bool is_ready(brant_cursor *cursor, int64_t timeout) {
    char *answer = NULL;
    size_t length = 0;
    if (brant_cursor_next(&answer, &length, cursor, timeout) != BRANT_OK)
        fail_msg("next: %s", brant_last_error()->message);
    const bool ready = strcmp(answer, "[{\"ready\":true}]") == 0;
    if (!ready) assert_string_equal(answer, "[]");
    brant_free(answer);
    return ready;
}

static void *await(void *argument) {
    waiting *self = argument;
    char *answer = NULL;
    size_t length = 0;
    self->status = brant_cursor_next(&answer, &length, self->cursor, 2 * PATIENCE);
    __atomic_store_n(&self->got, self->status == BRANT_OK && length > 2, __ATOMIC_SEQ_CST);
    brant_free(answer);
    return NULL;
}

static bool got_at(const waiting *member) {
    return __atomic_load_n(&member->got, __ATOMIC_SEQ_CST);
}

static int got_of(const waiting members[4]) {
    int got = 0;
    for (int i = 0; i < 4; i++)
        got += got_at(&members[i]);
    return got;
}

static brant_cursor *must_watch(brant_db *db) {
    brant_cursor *cursor = NULL;
    if (brant_consumer_watch(&cursor, db, TEXT("{" GROUP "}")) != BRANT_OK)
        fail_msg("watching: %s", brant_last_error()->message);
    return cursor;
}

/* An event that wakes nobody: another program writes it. */
static void elsewhere_publish(const char *path) {
    sqlite3 *raw = NULL;
    assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
    sqlite3_busy_timeout(raw, 600000);
    assert_int_equal(sqlite3_exec(raw,
                                  "INSERT INTO stream_events (id, payload, created_at) "
                                  "SELECT max(id) + 1, '1', max(created_at) FROM stream_events",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(raw);
}

/* Guards: members are woken when a lease ends, also those who slept before it began; and when a claim leaves events behind. */
static void test_sleepers(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open(path, ""), *member = must_open(path, "");
    brant_cursor *cursor = must_watch(member);
    assert_false(is_ready(cursor, 0));
    publish_range(db, 1, 1); /* which takes it out of the queue */
    expect_items(db, "consumers.claim", "{" GROUP ",\"member\":\"a\",\"lease\":600000}", "1=1");
    assert_false(is_ready(cursor, 0));
    assert_int_equal(number(db, "SELECT count(*) FROM brant_waiters"), 1);
    publish_range(db, 2, 2);
    assert_true(is_ready(cursor, PATIENCE));
    assert_false(number(db, "SELECT count(*) FROM brant_waiters") > 0);
    expect_items(db, "consumers.claim", "{" GROUP ",\"member\":\"a\",\"lease\":600000}", "2=2");
    assert_false(is_ready(cursor, 0)); /* until the lease is over */
    /* A lease that ends before takes it out, to look when that is. */
    must(db, "transaction.begin", "{}", NULL);
    publish_range(db, 3, 3);
    expect_items(db, "consumers.claim", "{" GROUP ",\"member\":\"a\",\"lease\":600000}", "3=3");
    must(db, "transaction.commit", "{}", NULL);
    assert_false(is_ready(cursor, 0));
    elsewhere_publish(path);
    expect_items(db, "consumers.claim", "{" GROUP ",\"member\":\"a\",\"lease\":100}", "4=1");
    assert_int_equal(number(db, "SELECT count(*) FROM brant_waiters"), 0);
    check_in(member, HOUR);
    assert_true(is_ready(cursor, PATIENCE));
    /* Two come, one is woken and takes one: the next is woken by that. */
    must(db, "consumers.seek", "{\"stream\":\"s\",\"consumer\":\"g\",\"to\":\"end\"}", NULL);
    elsewhere_publish(path);
    expect_items(db, "consumers.claim", "{" GROUP ",\"member\":\"a\",\"lease\":600000}", "5=1");
    assert_false(is_ready(cursor, 0));
    elsewhere_publish(path);
    elsewhere_publish(path);
    assert_int_equal(number(db, "SELECT count(*) FROM brant_waiters"), 1);
    expect_items(db, "consumers.claim", "{" GROUP ",\"member\":\"a\",\"lease\":600000}", "6=1");
    assert_int_equal(number(db, "SELECT count(*) FROM brant_waiters"), 0);
    /* Nobody sleeps on for a group that is gone. */
    expect_items(db, "consumers.claim", "{" GROUP ",\"member\":\"a\",\"lease\":600000}", "7=1");
    assert_false(is_ready(cursor, 0));
    assert_int_equal(number(db, "SELECT count(*) FROM brant_waiters"), 1);
    must(db, "consumers.delete", "{\"stream\":\"s\",\"consumer\":\"g\"}", NULL);
    assert_int_equal(number(db, "SELECT count(*) FROM brant_waiters"), 0);
    brant_cursor_free(cursor);
    brant_db_free(member);
    brant_db_free(db);
}

static void test_watch(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open(path, "");
    waiting members[4];
    for (int i = 0; i < 4; i++) {
        members[i].db = must_open(path, "");
        members[i].cursor = must_watch(members[i].db);
        members[i].got = false;
        assert_false(is_ready(members[i].cursor, 0));
    }
    for (int i = 0; i < 4; i++)
        check_in(members[i].db, HOUR);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&members[i].thread, NULL, await, &members[i]), 0);
    pause_ms(50);
    publish_range(db, 1, 2);
    const int64_t begun = monotonic_ms();
    while (got_of(members) < 2 && monotonic_ms() - begun < PATIENCE)
        pause_ms(1);
    pause_ms(50);
    assert_int_equal(got_of(members), 2); /* one for each event; the others sleep on */
    for (int i = 0; i < 4; i++) {
        if (!got_at(&members[i])) brant_interrupt(members[i].db);
        pthread_join(members[i].thread, NULL);
        assert_int_equal(members[i].status, members[i].got ? BRANT_OK : BRANT_INTERRUPTED);
    }
    /* Level-triggered; then the end of a lease wakes by itself. */
    assert_true(is_ready(members[0].cursor, 0));
    assert_true(is_ready(members[0].cursor, 0));
    expect_items(db, "consumers.claim", "{" GROUP ",\"member\":\"a\",\"limit\":2,\"lease\":200}",
                 "1=1 2=2");
    check_in(members[1].db, HOUR);
    assert_true(is_ready(members[1].cursor, PATIENCE));
    /* Released: at once. */
    char *answer = must_call(db, "consumers.claim",
                             "{" GROUP ",\"member\":\"a\",\"limit\":2,\"lease\":600000}", NULL);
    long long token = 0;
    assert_int_equal(sscanf(strstr(answer, "\"token\":"), "\"token\":%lld", &token), 1);
    brant_free(answer);
    assert_false(is_ready(members[1].cursor, 0));
    char json[200];
    snprintf(json, sizeof json, "{" GROUP ",\"items\":[{\"offset\":2,\"token\":%lld}]}", token);
    must(db, "consumers.release", json, "\"acked\":1");
    check_in(members[1].db, HOUR);
    assert_true(is_ready(members[1].cursor, PATIENCE));
    /* Deleted: said, not slept through, and not made again. */
    must(db, "consumers.delete", "{\"stream\":\"s\",\"consumer\":\"g\"}", NULL);
    size_t length = 0;
    assert_int_equal(brant_cursor_next(&answer, &length, members[1].cursor, PATIENCE),
                     BRANT_NOT_FOUND);
    for (int i = 0; i < 4; i++) {
        brant_cursor_free(members[i].cursor);
        brant_db_free(members[i].db);
    }
    assert_int_equal(number(db, "SELECT count(*) FROM brant_waiters"), 0);
    brant_db_free(db);
}

/* ---- a model, at random --------------------------------------------------------------------------------------------------------- */

#define MOST 20000

enum { NEW, PENDING, ACKED };
static struct {
    int state;
    int64_t token, lease, delivery;
} events[MOST + 1];
static int64_t last, trimmed, group_next, group_token, saved;
static unsigned long long seed;

static int64_t pick(int64_t below) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (int64_t)((seed >> 33) % (unsigned long long)below);
}

/* What is over its lease and comes next; 0: nothing. */
static int64_t next_stale(void) {
    int64_t found = 0;
    for (int64_t i = 1; i < group_next; i++)
        if (events[i].state == PENDING && events[i].lease <= clock_ms &&
            (found == 0 || events[i].lease < events[found].lease))
            found = i;
    return found;
}

static int by_number(const void *a, const void *b) {
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void random_claim(brant_db *db) {
    const int64_t limit = 1 + pick(5), lease = 1 + pick(500);
    int64_t wanted[8], given[8], count = 0, stale = 0, from = 0, to = 0, got = 0;
    char json[200];
    group_token++;
    while (count < limit && (stale = next_stale()) > 0) {
        if (stale <= trimmed) {
            events[stale].state = ACKED;
            if (from == 0 || stale < from) from = stale;
            if (stale > to) to = stale;
            continue;
        }
        events[stale].lease = INT64_MAX; /* not again in this claim */
        wanted[count++] = stale;
    }
    if (group_next <= trimmed) {
        if (from == 0 || group_next < from) from = group_next;
        to = trimmed;
        group_next = trimmed + 1;
    }
    while (count < limit && group_next <= last)
        wanted[count++] = group_next++;
    for (int64_t i = 0; i < count; i++) {
        events[wanted[i]].state = PENDING;
        events[wanted[i]].token = group_token;
        events[wanted[i]].lease = clock_ms + lease;
        events[wanted[i]].delivery++;
    }
    if (count == 0 && from == 0) group_token--; /* nothing is written */
    snprintf(json, sizeof json, "{" GROUP ",\"member\":\"m\",\"limit\":%lld,\"lease\":%lld}",
             (long long)limit, (long long)lease);
    char *answer = must_call(db, "consumers.claim", json, NULL);
    for (const char *at = answer; (at = strstr(at, "{\"offset\":")); at++) {
        long long offset = 0, token = 0, delivery = 0;
        assert_int_equal(sscanf(at, "{\"offset\":%lld", &offset), 1);
        assert_int_equal(
            sscanf(strstr(at, "\"token\""), "\"token\":%lld,\"delivery\":%lld", &token, &delivery),
            2);
        assert_true(got < limit);
        assert_int_equal(token, group_token);
        assert_int_equal(delivery, events[offset].delivery);
        given[got++] = offset;
    }
    long long gap_from = 0, gap_to = 0;
    const char *gap = strstr(answer, "\"gap\":");
    if (gap) sscanf(gap, "\"gap\":{\"from\":%lld,\"to\":%lld}", &gap_from, &gap_to);
    assert_int_equal(gap_from, from);
    assert_int_equal(gap_to, to);
    qsort(wanted, (size_t)count, sizeof *wanted, by_number);
    qsort(given, (size_t)got, sizeof *given, by_number);
    assert_int_equal(got, count);
    for (int64_t i = 0; i < count; i++)
        assert_int_equal(given[i], wanted[i]);
    brant_free(answer);
}

static void random_item(brant_db *db) {
    static const char *const names[] = {"consumers.ack", "consumers.extend", "consumers.release"};
    const int64_t what = pick(5), offset = 1 + pick(group_next);
    const int64_t token = events[offset].token - (pick(4) == 0);
    const bool good = events[offset].state == PENDING && events[offset].lease > 0 &&
                      token == events[offset].token;
    const int64_t index = what < 3 ? 0 : what - 2;
    char json[200];
    snprintf(json, sizeof json, "{" GROUP ",\"items\":[{\"offset\":%lld,\"token\":%lld}]%s}",
             (long long)offset, (long long)token, index == 1 ? ",\"lease\":77" : "");
    must(db, names[index], json, good ? "\"acked\":1" : "\"acked\":0");
    if (!good) return;
    if (index == 0)
        events[offset].state = ACKED;
    else
        events[offset].lease = index == 1 ? clock_ms + 77 : 0;
}

static void check_group(brant_db *db) {
    char wanted[100];
    int64_t offset = group_next - 1, pending = 0;
    for (int64_t i = group_next - 1; i > 0; i--)
        if (events[i].state == PENDING) {
            offset = i - 1;
            pending++;
        }
    (void)offset; /* is written with the next claim or ack: pending says enough */
    snprintf(wanted, sizeof wanted, "\"pending\":%lld", (long long)pending);
    must(db, "consumers.get", "{\"stream\":\"s\",\"consumer\":\"g\"}", wanted);
}

static void random_step(brant_db *db, brant_cursor *cursor, int64_t *seen) {
    char json[200];
    switch (pick(10)) {
    case 0:
    case 1: {
        const int64_t count = 1 + pick(6);
        if (last + count > MOST) return;
        publish_range(db, (int)last + 1, (int)(last + count));
        last += count;
        break;
    }
    case 2:
    case 3:
    case 4:
        random_claim(db);
        break;
    case 5:
    case 6:
    case 7:
        random_item(db);
        break;
    case 8:
        clock_ms += pick(300);
        if (pick(8) == 0 && last > 0) {
            const int64_t before = 1 + trimmed + pick(last - trimmed + 1);
            snprintf(json, sizeof json, "{\"stream\":\"s\",\"before\":%lld}", (long long)before);
            must(db, "streams.trim", json, NULL);
            if (before - 1 > trimmed) trimmed = before - 1;
        }
        break;
    default: { /* the subscription: all that is there, in order, and the gap in front */
        const char *line = next_items(cursor, 0);
        char wanted[64];
        if (*seen < trimmed) {
            snprintf(wanted, sizeof wanted, "gap(%lld,%lld)", (long long)*seen + 1,
                     (long long)trimmed);
            assert_memory_equal(line, wanted, strlen(wanted));
            *seen = trimmed;
        }
        for (const char *at = line; (at = strchr(at, '=')); at++)
            assert_int_equal(strtoll(at + 1, NULL, 10), ++*seen);
        if (last > 0) {
            const int64_t offset = pick(last + 1);
            snprintf(json, sizeof json, "{\"stream\":\"s\",\"consumer\":\"c\",\"offset\":%lld}",
                     (long long)offset);
            if (offset > saved) saved = offset;
            snprintf(wanted, sizeof wanted, "{\"offset\":%lld}", (long long)saved);
            must(db, "consumers.commit", json, wanted);
        }
        check_group(db);
    }
    }
}

static void test_model(void **state) {
    const char *seed_text = getenv("BRANT_SEED"), *steps_text = getenv("BRANT_STEPS");
    const long steps = steps_text ? atol(steps_text) : 3000;
    seed = seed_text ? strtoull(seed_text, NULL, 10)
                     : (unsigned long long)time(NULL) ^ (unsigned long long)getpid();
    print_message("seed %llu, %ld steps\n", seed, steps);
    memset(events, 0, sizeof events);
    last = trimmed = group_token = saved = 0;
    group_next = 1;
    int64_t seen = 0;
    brant_db *db = open_at(in_folder(*state, "a.db"));
    must(db, "consumers.claim", "{" GROUP ",\"member\":\"m\"}", "{\"items\":[]}");
    brant_cursor *cursor = must_subscribe(db, "{\"stream\":\"s\",\"batch\":10000}");
    for (long i = 0; i < steps; i++)
        random_step(db, cursor, &seen);
    brant_cursor_free(cursor);
    must_be_well(db);
    brant_db_free(db);
}

/* ---- killed ---------------------------------------------------------------------------------------------------------------------- */

/* Effect and offset in one transaction, until there is nothing more (once) or for ever. */
static void consume(brant_db *db, bool once) {
    brant_cursor *cursor = must_subscribe(db, "{\"stream\":\"s\",\"consumer\":\"c\",\"batch\":20}");
    for (;;) {
        char *answer = NULL;
        size_t length = 0;
        if (brant_cursor_next(&answer, &length, cursor, once ? 0 : 1000) != BRANT_OK) abort();
        const bool none = strcmp(answer, "[]") == 0;
        for (const char *at = answer; (at = strstr(at, "{\"offset\":")); at++) {
            char json[200];
            const long long offset = strtoll(at + strlen("{\"offset\":"), NULL, 10);
            must(db, "transaction.begin", "{}", NULL);
            snprintf(json, sizeof json, "{\"sql\":\"INSERT INTO effects VALUES (%lld)\"}", offset);
            must(db, "sql.execute", json, NULL);
            snprintf(json, sizeof json, "{\"stream\":\"s\",\"consumer\":\"c\",\"offset\":%lld}",
                     offset);
            must(db, "consumers.commit", json, NULL);
            must(db, "transaction.commit", "{}", NULL);
        }
        brant_free(answer);
        if (none && once) break;
    }
    brant_cursor_free(cursor);
}

static void test_killed(void **state) {
    const char *path = in_folder(*state, "a.db");
    int published = 0, interrupted = 0;
    brant_db *db = must_open(path, "");
    must(db, "sql.execute", "{\"sql\":\"CREATE TABLE effects (event INTEGER)\"}", NULL);
    seed = (unsigned long long)time(NULL) ^ (unsigned long long)getpid();
    for (int round = 0; round < 100; round++) {
        publish_range(db, published + 1, published + 100);
        published += 100;
        brant_db_free(db); /* nothing of SQLite's is carried over a fork */
        const pid_t child = fork();
        if (child == 0) {
            brant_db *own = must_open(path, "");
            consume(own, false);
            _exit(0);
        }
        assert_true(child > 0);
        pause_ms(2 + (long)pick(12));
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        db = must_open(path, "");
        const int64_t done = number(db, "SELECT count(*) FROM effects");
        assert_int_equal(done, number(db, "SELECT count(DISTINCT event) FROM effects"));
        assert_int_equal(done, number(db, "SELECT coalesce(max(event), 0) FROM effects"));
        interrupted += done > 0 && done < published;
    }
    consume(db, true);
    assert_int_equal(number(db, "SELECT count(*) FROM effects"), published);
    assert_int_equal(number(db, "SELECT count(DISTINCT event) FROM effects"), published);
    print_message("killed 100 times, %d of them amid its work; %d events\n", interrupted,
                  published);
    must_be_well(db);
    brant_db_free(db);
}

/* Whoever claimed before a restore acknowledges nothing that was claimed after it. */
static void test_restore_fences(void **state) {
    char json[8192];
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    publish_range(db, 1, 3);
    must(db, "consumers.claim", "{\"stream\":\"s\",\"group\":\"g\",\"member\":\"a\",\"limit\":1}",
         "\"token\":1");
    snprintf(json, sizeof json, "{\"path\":\"%s\"}", in_folder(*state, "backup.db"));
    must(db, "db.backup", json, NULL);
    must(db, "consumers.claim", "{\"stream\":\"s\",\"group\":\"g\",\"member\":\"a\",\"limit\":2}",
         "\"token\":2");
    must(db, "db.restore", json, NULL);
    must(db, "consumers.claim", "{\"stream\":\"s\",\"group\":\"g\",\"member\":\"b\",\"limit\":3}",
         "\"offset\":3");
    must(db, "consumers.ack",
         "{\"stream\":\"s\",\"group\":\"g\",\"items\":[{\"offset\":2,\"token\":2},"
         "{\"offset\":3,\"token\":2}]}",
         "\"stale\":[2,3],\"acked\":0");
    must(db, "consumers.get", "{\"stream\":\"s\",\"consumer\":\"g\"}", "\"pending\":3");
    brant_db_free(db);
}

int main(int count, char **arguments) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_commit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_group, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sleepers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_watch, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_model, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_killed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_restore_fences, set_up, tear_down),
    };
    if (count > 1) cmocka_set_test_filter(arguments[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
