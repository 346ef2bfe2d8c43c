/*
 * tests/core/test_waiter.c: the wait queue, kinds of cursors that use it, and what becomes of sleepers that die.
 */
#define _GNU_SOURCE
#include "test_wake.h"

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <time.h>

#include "event/waiter.h"
#include "store/handle.h"

/* ---- the wait queue, by hand: each of these is a transaction ----------------------------------------------------------------- */

#define TOPIC BRANT__TEXT("\1queue:q")

static void begin(brant_db *db) {
    assert_int_equal(brant__enter(db), BRANT_OK);
    assert_int_equal(brant__begin(db, BRANT__WRITE), BRANT_OK);
}

static void commit(brant_db *db) {
    assert_int_equal(brant__commit(db), BRANT_OK);
    brant__leave(db);
}

static int64_t go_to_sleep(brant_db *db, int64_t until) {
    int64_t ticket = 0;
    begin(db);
    assert_int_equal(brant__waiter_sleep(&ticket, db, TOPIC, until), BRANT_OK);
    commit(db);
    assert_true(ticket > 0);
    return ticket;
}

static bool is_asleep(brant_db *db, int64_t ticket) {
    bool asleep = false;
    begin(db);
    assert_int_equal(brant__waiter_asleep(&asleep, db, TOPIC, ticket), BRANT_OK);
    commit(db);
    return asleep;
}

static void wake_some(brant_db *db, int64_t count) {
    begin(db);
    assert_int_equal(brant__waiter_wake(db, TOPIC, count), BRANT_OK);
    commit(db);
}

static void test_one_of_n(void **state) {
    for (int memory = 0; memory < 2; memory++) {
        brant_db *db = must_open(memory ? ":memory:" : in_folder(*state, "a.db"), "");
        const int64_t first = go_to_sleep(db, INT64_MAX), second = go_to_sleep(db, INT64_MAX),
                      third = go_to_sleep(db, INT64_MAX);
        assert_true(first < second && second < third);
        wake_some(db, 1);
        assert_false(is_asleep(db, first));
        assert_true(is_asleep(db, second));
        assert_true(is_asleep(db, third));
        begin(db);
        assert_int_equal(brant__waiter_leave(db, TOPIC, first), BRANT_OK); /* quiet */
        assert_int_equal(brant__waiter_leave(db, TOPIC, second), BRANT_OK);
        assert_int_equal(brant__waiter_leave(db, TOPIC, 0), BRANT_OK);
        commit(db);
        assert_true(is_asleep(db, third));
        const int64_t fourth = go_to_sleep(db, INT64_MAX);
        assert_true(fourth > third);
        wake_some(db, INT64_MAX);
        assert_false(is_asleep(db, third));
        assert_false(is_asleep(db, fourth));
        assert_int_equal(sleepers(db), 0);
        wake_some(db, 1);
        /* What is rolled back wakes nobody. */
        const int64_t fifth = go_to_sleep(db, INT64_MAX);
        assert_true(fifth >
                    fourth); /* or the row of another would look like that of one who was woken */
        begin(db);
        assert_int_equal(brant__waiter_wake(db, TOPIC, 1), BRANT_OK);
        brant__rollback(db);
        brant__leave(db);
        assert_true(is_asleep(db, fifth));
        brant_db_free(db);
    }
}

/* A look that failed in the middle neither loses the ticket that it held nor keeps one that was never written: what stays in the queue takes the wake of another. */
static void test_a_look_that_fails(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    const int64_t ticket = go_to_sleep(db, INT64_MAX);
    int64_t next = 0;
    begin(db);
    assert_int_equal(brant__waiter_leave(db, TOPIC, ticket), BRANT_OK);
    assert_int_equal(brant__waiter_sleep(&next, db, TOPIC, INT64_MAX), BRANT_OK);
    brant__rollback(db);
    brant__leave(db);
    assert_true(is_asleep(db, ticket));
    assert_true(brant__waiter_any(db));
    assert_int_equal(brant__enter(db), BRANT_OK);
    brant__waiter_drop(db, TOPIC, ticket);
    brant__leave(db);
    assert_int_equal(sleepers(db), 0);
    assert_false(brant__waiter_any(db));
    brant_db_free(db);
}

static void test_deadlines(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    int64_t at = 0;
    begin(db);
    assert_int_equal(brant__waiter_deadline(&at, db, TOPIC, 1000), BRANT_OK);
    commit(db);
    assert_int_equal(at, 1000);
    for (int i = 0; i < 60; i++) {
        begin(db);
        assert_int_equal(brant__waiter_deadline(&at, db, TOPIC, 1000), BRANT_OK);
        commit(db);
        assert_int_equal(at, 1000 + 20 * (i < 50 ? i : 50));
        go_to_sleep(db, at);
    }
    /* Somebody wakes by then: nobody is woken. */
    begin(db);
    assert_int_equal(brant__waiter_earlier(db, TOPIC, 1000), BRANT_OK);
    commit(db);
    assert_int_equal(sleepers(db), 60);
    begin(db);
    assert_int_equal(brant__waiter_earlier(db, TOPIC, 999), BRANT_OK);
    commit(db);
    assert_int_equal(sleepers(db), 59);
    wake_some(db, INT64_MAX);
    begin(db);
    assert_int_equal(brant__waiter_earlier(db, TOPIC, 5), BRANT_OK);
    assert_int_equal(brant__waiter_deadline(&at, db, TOPIC, INT64_MAX), BRANT_OK);
    commit(db);
    assert_int_equal(at, INT64_MAX);
    brant_db_free(db);
}

/* The dead do not take the wake of the living. */
static void test_the_dead_are_passed_over(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db_free(must_open(path, ""));
    for (int i = 0; i < 3; i++) {
        const pid_t child = fork();
        if (child == 0) {
            brant_db *db = NULL;
            int64_t ticket = 0;
            bool done = brant_open(&db, TEXT(path), TEXT(PATIENT)) == BRANT_OK &&
                        brant__enter(db) == BRANT_OK &&
                        brant__begin(db, BRANT__WRITE) == BRANT_OK &&
                        brant__waiter_sleep(&ticket, db, TOPIC, 100) == BRANT_OK &&
                        brant__waiter_sleep(&ticket, db, TOPIC, INT64_MAX) == BRANT_OK &&
                        brant__commit(db) == BRANT_OK;
            _exit(done ? 0 : 1);
        }
        int status = -1;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
    brant_db *db = must_open(path, "");
    assert_int_equal(sleepers(db), 6);
    brant_db *other = must_open(path, "");
    const int64_t ticket = go_to_sleep(other, INT64_MAX);
    /* Their deadlines are none. */
    begin(db);
    assert_int_equal(brant__waiter_earlier(db, TOPIC, 500), BRANT_OK);
    commit(db);
    assert_false(is_asleep(other, ticket));
    assert_int_equal(sleepers(db), 0);
    brant_db_free(other);
    brant_db_free(db);
}

static void test_closing_leaves(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open(path, ""), *other = must_open(path, "");
    go_to_sleep(other, INT64_MAX);
    const int64_t ticket = go_to_sleep(db, INT64_MAX);
    brant_db_free(other);
    assert_int_equal(sleepers(db), 1);
    /* One that was woken and closes before it looked passes the wake on. */
    other = must_open(path, "");
    begin(db);
    assert_int_equal(brant__waiter_leave(db, TOPIC, ticket), BRANT_OK);
    commit(db);
    go_to_sleep(other, INT64_MAX);
    const int64_t behind = go_to_sleep(db, INT64_MAX);
    wake_some(db, 1);
    assert_true(is_asleep(db, behind));
    brant_db_free(other);
    assert_false(is_asleep(db, behind));
    brant_db_free(db);
}

/* Dropped while the user's transaction is open: the row goes with its commit, and the wake to another. */
static void test_dropping(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open(path, ""), *other = must_open(path, "");
    const int64_t first = go_to_sleep(db, INT64_MAX), second = go_to_sleep(other, INT64_MAX);
    must(db, "transaction.begin", "{}", NULL);
    assert_int_equal(brant__enter(db), BRANT_OK);
    brant__waiter_drop(db, TOPIC, first);
    brant__leave(db);
    must(db, "transaction.rollback", "{}", NULL);
    assert_int_equal(sleepers(db), 2);
    must(db, "events.notify", "{\"channel\":\"c\"}", NULL);
    assert_int_equal(sleepers(db), 1);
    assert_true(is_asleep(other, second));
    const int64_t third = go_to_sleep(db, INT64_MAX);
    wake_some(db, 1);
    assert_false(is_asleep(other, second));
    assert_true(is_asleep(db, third));
    assert_int_equal(brant__enter(other), BRANT_OK);
    brant__waiter_drop(other, TOPIC, second);
    brant__leave(other);
    assert_false(is_asleep(db, third));
    brant_db_free(other);
    brant_db_free(db);
}

/* ---- a level-triggered cursor, as those of queues and locks are ----------------------------------------------------------------- */

typedef struct level {
    int64_t ticket;
    int64_t due;
    int64_t looks;
    bool hasty; /* writes an item before it is known whether there is one */
} level;

/* Ready is what stands in the user's table `ready`. One item a row; each is taken. */
static brant_status level_fetch(brant__fetch *found, brant_db *db, void *state,
                                brant__writer *writer) {
    static const brant__text count = {"UPDATE ready SET n = n - 1 WHERE n > 0", 38};
    level *self = state;
    brant_status status = BRANT_OK;
    bool asleep = false;
    brant__statement *statement = NULL;
    __atomic_fetch_add(&self->looks, 1, __ATOMIC_RELAXED); /* the test counts from another thread */
    if (self->ticket) BRANT__TRY(brant__waiter_asleep(&asleep, db, TOPIC, self->ticket));
    found->until = self->due;
    if (asleep && brant__db_now(db) < self->due) return BRANT_OK;
    if (self->hasty) {
        brant__write_integer(writer, 1);
        found->count = 1;
    }
    BRANT__TRY(brant__begin(db, BRANT__WRITE));
    BRANT__TRY(brant__waiter_leave(db, TOPIC, self->ticket));
    self->ticket = 0;
    BRANT__TRY(brant__statement_prepare(&statement, db, count));
    BRANT__TRY(brant__run(db, statement));
    if (brant__changes(db) > 0) {
        brant__write_integer(writer, 1);
        found->count = 1;
    } else {
        if (brant__db_now(db) >= self->due) self->due = INT64_MAX;
        found->until = self->due;
        BRANT__TRY(brant__waiter_sleep(&self->ticket, db, TOPIC, self->due));
    }
    BRANT__TRY(brant__commit(db));
    return BRANT_OK;
cleanup:
    brant__rollback(db);
    return status;
}

static void level_destroy(brant_db *db, void *state) {
    level *self = state;
    brant__waiter_drop(db, TOPIC, self->ticket);
    self->ticket = 0;
}

static const brant__cursor_kind level_kind = {level_fetch, level_destroy, BRANT__FETCH_OWN, false};

static brant_cursor *open_level(brant_db *db, level *self) {
    brant_cursor *cursor = NULL;
    *self = (level){.due = INT64_MAX};
    assert_int_equal(brant__enter(db), BRANT_OK);
    assert_int_equal(brant__cursor_new(&cursor, db, &level_kind, self), BRANT_OK);
    brant__leave(db);
    return cursor;
}

static int items(brant_cursor *cursor, int64_t timeout) {
    char *answer = NULL;
    size_t length = 0;
    if (brant_cursor_next(&answer, &length, cursor, timeout) != BRANT_OK)
        fail_msg("next: %s", brant_last_error()->message);
    int count = 0;
    for (const char *at = answer; *at; at++)
        if (*at == '1') count++;
    brant_free(answer);
    return count;
}

static void make_ready(brant_db *db, int n) {
    char sql[100];
    snprintf(sql, sizeof sql, "{\"sql\":\"UPDATE ready SET n = n + %d\"}", n);
    must(db, "transaction.begin", "{}", NULL);
    must(db, "sql.execute", sql, NULL);
    assert_int_equal(brant__enter(db), BRANT_OK);
    assert_int_equal(brant__waiter_wake(db, TOPIC, n), BRANT_OK);
    brant__leave(db);
    must(db, "transaction.commit", "{}", NULL);
}

static brant_db *open_ready(const char *path) {
    brant_db *db = must_open(path, "");
    must(db, "sql.execute", "{\"sql\":\"CREATE TABLE IF NOT EXISTS ready (n INTEGER)\"}", NULL);
    must(db, "sql.execute",
         "{\"sql\":\"INSERT INTO ready SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM ready)\"}", NULL);
    return db;
}

typedef struct waiting {
    pthread_t thread;
    brant_cursor *cursor;
    int got;
} waiting;

static void *wait_for_item(void *argument) {
    waiting *self = argument;
    self->got = items(self->cursor, 2 * PATIENCE);
    return NULL;
}

static int64_t looks_of(const level levels[4]) {
    int64_t looks = 0;
    for (int i = 0; i < 4; i++)
        looks += __atomic_load_n(&levels[i].looks, __ATOMIC_RELAXED);
    return looks;
}

/* They come, and no more of them. */
static void await_looks(const level levels[4], int64_t wanted) {
    const int64_t begun = monotonic_ms();
    while (looks_of(levels) < wanted && monotonic_ms() - begun < PATIENCE)
        pause_ms(1);
    pause_ms(50);
    assert_int_equal(looks_of(levels), wanted);
}

static void test_level_cursor(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = open_ready(path);
    brant_db *dbs[4];
    level levels[4];
    brant_cursor *cursors[4];
    waiting waits[4];
    for (int i = 0; i < 4; i++) {
        dbs[i] = must_open(path, "");
        cursors[i] = open_level(dbs[i], &levels[i]);
        assert_int_equal(items(cursors[i], 0), 0);
        check_in(dbs[i], HOUR); /* woken, not found by the tick */
    }
    assert_int_equal(sleepers(db), 4);
    for (int i = 0; i < 4; i++) {
        waits[i].cursor = cursors[i];
        assert_int_equal(pthread_create(&waits[i].thread, NULL, wait_for_item, &waits[i]), 0);
    }
    await_looks(levels, 8); /* each looked once, and looks once more before it waits */
    make_ready(db, 1);
    await_looks(levels, 9); /* one was woken */
    make_ready(db, 2);
    make_ready(db, 1);
    int got = 0;
    for (int i = 0; i < 4; i++) {
        pthread_join(waits[i].thread, NULL);
        got += waits[i].got;
    }
    assert_int_equal(got, 4);
    assert_int_equal(sleepers(db), 0);
    for (int i = 0; i < 4; i++) {
        brant_cursor_free(cursors[i]);
        brant_db_free(dbs[i]);
    }
    brant_db_free(db);
}

/* A cursor of its own transactions is held up by the user's, and looks as soon as that has ended. */
static void test_own_transactions(void **state) {
    static const char *const modes[] = {"{\"mode\":\"read\"}", "{\"mode\":\"write\"}"};
    brant_db *db = open_ready(in_folder(*state, "a.db"));
    brant_db *other = must_open(in_folder(*state, "a.db"), "");
    level self;
    brant_cursor *cursor = open_level(db, &self);
    for (int mode = 0; mode < 2; mode++) {
        waiting wait = {.cursor = cursor};
        if (mode == 0) make_ready(other, 1);
        must(db, "transaction.begin", modes[mode], NULL);
        if (mode == 1) must(db, "sql.execute", "{\"sql\":\"UPDATE ready SET n = 1\"}", NULL);
        assert_int_equal(items(cursor, 0), 0);
        assert_int_equal(pthread_create(&wait.thread, NULL, wait_for_item, &wait), 0);
        pause_ms(100);
        check_in(db, HOUR);
        must(db, mode ? "transaction.commit" : "transaction.rollback", "{}", NULL);
        pthread_join(wait.thread, NULL);
        assert_int_equal(wait.got, 1);
    }
    brant_cursor_free(cursor);
    brant_db_free(other);
    brant_db_free(db);
}

/* Another writer is in the way of going to sleep: that is no error, and the wait goes on, not for longer than it was to, and without spinning. */
static void test_a_writer_in_the_way(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *other = open_ready(path), *db = must_open(path, "{\"busy_timeout\":1}");
    level self;
    int64_t due = -5;
    brant_cursor *cursor = open_level(db, &self);
    waiting wait = {.cursor = cursor};
    check_in(db, HOUR);
    must(other, "transaction.begin", "{}", NULL);
    self.hasty = true;
    assert_int_equal(items(cursor, 0), 0);
    self.hasty = false;
    int64_t begun = monotonic_ms();
    brant__wake_suspect(db); /* of which brant_cursor_wait would say "at once", and again */
    while (due <= 0 && monotonic_ms() - begun < PATIENCE) { /* 0: that time is over already */
        assert_int_equal(items(cursor, 0), 0);
        assert_int_equal(brant_cursor_wait(&due, cursor), BRANT_OK);
    }
    assert_in_range(due, 1, 200);
    const int64_t looks = self.looks;
    begun = monotonic_ms();
    assert_int_equal(items(cursor, 200), 0);
    assert_in_range(monotonic_ms() - begun, 199, PATIENCE);
    assert_in_range(self.looks - looks, 1, 6);
    assert_int_equal(pthread_create(&wait.thread, NULL, wait_for_item, &wait), 0);
    pause_ms(100);
    must(other, "sql.execute", "{\"sql\":\"UPDATE ready SET n = 1\"}", NULL);
    must(other, "transaction.commit", "{}", NULL);
    pthread_join(wait.thread, NULL);
    assert_int_equal(wait.got, 1);
    brant_cursor_free(cursor);
    brant_db_free(db);
    brant_db_free(other);
}

static void *wait_for_the_end(void *argument) {
    waiting *self = argument;
    char *json = NULL;
    size_t length = 0;
    const brant_status status = brant_cursor_next(&json, &length, self->cursor, -1);
    self->got = brant_last_error()->code == status ? status : -1;
    return NULL;
}

/* What a closed cursor leaves cannot be written while another writes: that is not what its wait ended by. */
static void test_closed_beside_a_writer(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *other = open_ready(path), *db = must_open(path, "");
    level self;
    waiting wait = {.cursor = open_level(db, &self)};
    assert_int_equal(items(wait.cursor, 0), 0);
    assert_int_equal(sleepers(db), 1);
    assert_int_equal(pthread_create(&wait.thread, NULL, wait_for_the_end, &wait), 0);
    await_waiting(db, 1);
    must(other, "transaction.begin", "{}", NULL);
    brant_cursor_close(wait.cursor);
    pthread_join(wait.thread, NULL);
    assert_int_equal(wait.got, BRANT_CLOSED);
    must(other, "transaction.rollback", "{}", NULL);
    brant_cursor_free(wait.cursor);

    /* The same of the handle, which the one who waits tears down. */
    wait.cursor = open_level(db, &self);
    assert_int_equal(items(wait.cursor, 0), 0);
    assert_int_equal(pthread_create(&wait.thread, NULL, wait_for_the_end, &wait), 0);
    await_waiting(db, 1);
    must(other, "transaction.begin", "{}", NULL);
    brant_close(db);
    pthread_join(wait.thread, NULL);
    assert_int_equal(wait.got, BRANT_CLOSED);
    must(other, "transaction.rollback", "{}", NULL);
    brant_cursor_free(wait.cursor);
    brant_db_free(db);
    brant_db_free(other);
}

static int close_meanwhile(unsigned kind, void *context, void *statement, void *text) {
    (void)kind, (void)statement, (void)text;
    brant_close(context);
    return 0;
}

/* Nor is it what a call ended by that leaves a closed handle, or before what went wrong was freed. */
static void test_failed_beside_a_writer(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *other = open_ready(path);
    for (int freed = 0; freed < 2; freed++) {
        brant_db *db = must_open(path, "");
        level self;
        brant_cursor *cursor = open_level(db, &self), *second = open_level(db, &self);
        assert_int_equal(items(cursor, 0), 0);
        assert_int_equal(items(second, 0), 0);
        must(other, "transaction.begin", "{}", NULL);
        if (freed) {
            must_fail(db, "nothing", "{}", BRANT_NOT_FOUND, "\"nothing\"");
            brant_cursor_free(second);
            assert_non_null(strstr(brant_last_error()->message, "\"nothing\""));
            brant_db_free(db); /* which the cursor keeps */
            assert_non_null(strstr(brant_last_error()->message, "\"nothing\""));
            assert_int_equal(brant_last_error()->code, BRANT_NOT_FOUND);
            brant_cursor_free(cursor);
            assert_int_equal(brant_last_error()->code, BRANT_NOT_FOUND);
        } else {
            sqlite3_trace_v2(db->sqlite, SQLITE_TRACE_STMT, close_meanwhile, db);
            must_fail(db, "sql.execute",
                      "{\"sql\":\"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) "
                      "SELECT max(i) FROM n\"}",
                      BRANT_CLOSED, "closed");
            brant_cursor_free(second);
            brant_cursor_free(cursor);
            brant_db_free(db);
        }
        must(other, "transaction.rollback", "{}", NULL);
    }
    brant_db_free(other);
}

static void test_own_deadline(void **state) {
    brant_db *db = open_ready(in_folder(*state, "a.db"));
    level self;
    int64_t wait = -5;
    brant_cursor *cursor = open_level(db, &self);
    assert_int_equal(brant_cursor_wait(&wait, cursor), BRANT_OK);
    assert_int_equal(wait, 0); /* it has not looked yet */
    do { /* again, when it was over before it was looked at */
        assert_int_equal(brant__enter(db), BRANT_OK);
        self.due = brant__db_now(db) + 1000;
        brant__leave(db);
        assert_int_equal(items(cursor, 0), 0);
    } while (self.due == INT64_MAX);
    assert_int_equal(brant_cursor_wait(&wait, cursor), BRANT_OK);
    assert_in_range(wait, 0, 1001);
    must(db, "sql.execute", "{\"sql\":\"UPDATE ready SET n = 1\"}", NULL); /* wakes nobody */
    check_in(db, HOUR);
    assert_int_equal(items(cursor, PATIENCE), 1);
    brant_cursor_close(cursor);
    assert_int_equal(brant_cursor_wait(&wait, cursor), BRANT_CLOSED);
    brant_cursor_free(cursor);
    assert_int_equal(brant_cursor_wait(&wait, NULL), BRANT_INVALID);
    brant_db_free(db);
}

/* ---- a kind that ends ----------------------------------------------------------------------------------------------------------- */

static brant_status once_fetch(brant__fetch *found, brant_db *db, void *state,
                               brant__writer *writer) {
    int *left = state;
    (void)db;
    if (*left > 0 && --*left > 0) return BRANT_OK;
    brant__write_integer(writer, 1);
    found->count = 1;
    found->end = true;
    return BRANT_OK;
}

static void once_destroy(brant_db *db, void *state) {
    (void)db, (void)state;
}

static void test_an_end(void **state) {
    static const brant__cursor_kind kind = {once_fetch, once_destroy, BRANT__FETCH_READ, false};
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    brant_cursor *cursor = NULL;
    int left = 2;
    int64_t wait = 0;
    assert_int_equal(brant__enter(db), BRANT_OK);
    assert_int_equal(brant__cursor_new(&cursor, db, &kind, &left), BRANT_OK);
    brant__leave(db);
    assert_int_equal(items(cursor, 0), 0);
    assert_int_equal(items(cursor, 0), 1);
    assert_int_equal(brant_cursor_wait(&wait, cursor), BRANT_OK);
    assert_int_equal(wait, -1);
    assert_int_equal(items(cursor, -1), 0); /* at once */
    brant_cursor_free(cursor);
    brant_db_free(db);
}

/* ---- topics ------------------------------------------------------------------------------------------------------------------------ */

static void test_topics(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant__topic topic;
    const brant__text name =
        brant__topic_of(&topic, "stream", BRANT__TEXT("a*"), brant__text_of(NULL, 0));
    assert_true(brant__text_equal(name, BRANT__TEXT("\1stream:a*")));
    assert_true(
        brant__text_equal(brant__topic_of(&topic, "group", BRANT__TEXT("s"), BRANT__TEXT("g")),
                          BRANT__TEXT("\1group:s/g")));
    char much[400];
    memset(much, 'x', sizeof much);
    assert_int_equal(
        brant__topic_of(&topic, "group", brant__text_of(much, 400), brant__text_of(much, 400))
            .length,
        1 + 5 + 1 + 255 + 1 + 255);
    brant__topic_of(&topic, "stream", BRANT__TEXT("a*"), brant__text_of(NULL, 0));
    brant_db *db = must_open(path, ""), *everything = must_open(path, ""),
             *other = must_open(path, "");
    brant_cursor *cursor = NULL;
    int64_t id = 0;
    assert_int_equal(brant_event_listen(&cursor, everything, TEXT("{\"channels\":[\"*\"]}")),
                     BRANT_OK);
    begin(other);
    const brant__text patterns[] = {name};
    assert_int_equal(brant__wake_register(&id, other, patterns, 1), BRANT_OK);
    commit(other);
    int fd = -1, other_fd = -1;
    assert_int_equal(brant_wake_fd(&fd, everything), BRANT_OK);
    assert_int_equal(brant_wake_fd(&other_fd, other), BRANT_OK);
    struct pollfd polled = {fd, POLLIN, 0}, polled_other = {other_fd, POLLIN, 0};
    begin(db);
    assert_int_equal(brant__wake_touch(db, BRANT__TEXT("\1stream:abc")), BRANT_OK);
    commit(db);
    assert_int_equal(poll(&polled, 1, 50), 0);
    assert_int_equal(poll(&polled_other, 1, 50), 0);
    begin(db);
    assert_int_equal(brant__wake_touch(db, name), BRANT_OK);
    commit(db);
    assert_int_equal(poll(&polled_other, 1, 1000), 1);
    assert_int_equal(poll(&polled, 1, 50), 0);
    /* A channel that looks like one is heard all the same. */
    must(db, "events.notify", "{\"channel\":\"\\u0001stream:abc\"}", NULL);
    assert_int_equal(poll(&polled, 1, 1000), 1);
    brant_cursor_free(cursor);
    brant_db_free(other);
    brant_db_free(everything);
    brant_db_free(db);
}

int main(int count, char **arguments) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_of_n, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_a_look_that_fails, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_deadlines, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_the_dead_are_passed_over, set_up_folder,
                                        tear_down_folder),
        cmocka_unit_test_setup_teardown(test_closing_leaves, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_dropping, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_level_cursor, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_own_transactions, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_a_writer_in_the_way, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_closed_beside_a_writer, set_up_folder,
                                        tear_down_folder),
        cmocka_unit_test_setup_teardown(test_failed_beside_a_writer, set_up_folder,
                                        tear_down_folder),
        cmocka_unit_test_setup_teardown(test_own_deadline, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_an_end, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_topics, set_up_folder, tear_down_folder),
    };
    if (count > 1) cmocka_set_test_filter(arguments[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
