/*
 * tests/core/test_wake_guards.c: guards of waking that only an exact moment shows: each test brings that moment about, rather than wait for it. tests/mutation takes the guards out.
 */
#define _GNU_SOURCE
#include "support_plan.h"
#include "test_wake.h"

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "store/handle.h"

/* Whether the cursor's next answer has items. */
static bool next_has(brant_cursor *cursor, int64_t timeout) {
    char *answer = NULL;
    size_t length = 0;
    if (brant_cursor_next(&answer, &length, cursor, timeout) != BRANT_OK)
        fail_msg("next: %s", brant_last_error()->message);
    brant_free(answer);
    return length > 2;
}

/* What another program does to the file: it has SQLite, and nothing of ours. */
static void elsewhere(const char *path, const char *sql) {
    sqlite3 *raw = NULL;
    assert_int_equal(sqlite3_open_v2(path, &raw, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    sqlite3_busy_timeout(raw, 600000);
    if (sqlite3_exec(raw, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(raw));
    sqlite3_close(raw);
}

/* ---- who is woken -------------------------------------------------------------------------------- */

typedef struct late {
    brant_db *writer;
    int looks;
} late;

/* The first look finds nothing, and before it has ended somebody commits. */
static brant_status late_fetch(brant__fetch *found, brant_db *db, void *state,
                               brant__writer *writer) {
    late *self = state;
    (void)db;
    if (self->looks++ == 0) {
        must_notify(self->writer, "a");
        return BRANT_OK;
    }
    brant__write_integer(writer, 1);
    found->count = 1;
    return BRANT_OK;
}

static void late_destroy(brant_db *db, void *state) {
    (void)db, (void)state;
}

/* Guard: what was signalled is noted before the look (cursor.c), so that what comes during it ends the wait. */
static void test_signal_during_a_look(void **state) {
    static const brant__cursor_kind kind = {late_fetch, late_destroy, BRANT__FETCH_READ, false};
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open(path, ""), *writer = must_open(path, "");
    late self = {writer, 0};
    brant_cursor *listener = must_listen_to(db, "a"), *cursor = NULL;
    assert_int_equal(brant__enter(db), BRANT_OK);
    assert_int_equal(brant__cursor_new(&cursor, db, &kind, &self), BRANT_OK);
    brant__leave(db);
    check_in(db, HOUR);
    const int64_t begun = monotonic_ms();
    assert_true(next_has(cursor, PATIENCE));
    assert_true(monotonic_ms() - begun < PATIENCE); /* woken: the end of its time is a look too */
    assert_int_equal(self.looks, 2);
    brant_cursor_free(cursor);
    brant_cursor_free(listener);
    brant_db_free(writer);
    brant_db_free(db);
}

/* Guard: a transaction that touched more topics than are told apart wakes everybody (brant__wake_touch). */
static void test_many_topics(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *writer = must_open(path, ""), *db = must_open(path, "");
    brant_cursor *cursor = must_listen_to(db, "c1999");
    const uint64_t before = brant__wake_count(db);
    must(writer, "transaction.begin", "{}", NULL);
    for (int i = 0; i < 2000; i++) {
        char channel[16];
        snprintf(channel, sizeof channel, "c%d", i);
        must_notify(writer, channel);
    }
    must(writer, "transaction.commit", "{}", NULL);
    assert_int_equal(brant_wake_acknowledge(db), BRANT_OK);
    assert_true(brant__wake_count(db) > before);
    assert_true(next_has(cursor, 0));
    brant_cursor_free(cursor);
    brant_db_free(db);
    brant_db_free(writer);
}

/* Guard: a socket that is full has a wake pending, and is nobody's who died (send_all). */
static void test_full_socket(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *writer = must_open(path, ""), *db = must_open(path, "");
    brant_cursor *cursor = must_listen_to(db, "a");
    for (int i = 0; i < 500; i++)
        must_notify(writer, "a");
    assert_int_equal(registrations(writer), 1);
    assert_true(next_has(cursor, 0));
    brant_cursor_free(cursor);
    brant_db_free(db);
    brant_db_free(writer);
}

/* Guard: nothing is sent into a folder in which strangers may have put what we find there (send_all). */
static void test_untrusted_folder(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *writer = must_open(path, ""), *db = must_open(path, "");
    brant_cursor *cursor = must_listen_to(db, "a");
    const uint64_t before = brant__wake_count(db);
    assert_int_equal(chmod(in_folder(*state, "a.db.wake"), 0777), 0);
    must_notify(writer, "a");
    assert_int_equal(brant_wake_acknowledge(db), BRANT_OK);
    assert_int_equal(brant__wake_count(db), before);
    assert_int_equal(chmod(in_folder(*state, "a.db.wake"), 0700), 0);
    must_notify(writer, "a");
    assert_int_equal(brant_wake_acknowledge(db), BRANT_OK);
    assert_int_equal(brant__wake_count(db), before + 1);
    brant_cursor_free(cursor);
    brant_db_free(db);
    brant_db_free(writer);
}

/* Guard: where nobody who may write ever listened the history has no name, and an id that went back says that the file was restored (listen_fetch). */
static void test_restore_without_a_name(void **state) {
    char path[256], json[300];
    snprintf(path, sizeof path, "%s", in_folder(*state, "a.db"));
    snprintf(json, sizeof json, "{\"path\":\"%s\"}", in_folder(*state, "copy.db"));
    brant_db *db = must_open(path, "");
    must_notify(db, "a");
    must(db, "db.backup", json, NULL);
    must_notify(db, "a");
    brant_db *reader = must_open(path, "{\"mode\":\"ro\"}");
    brant_cursor *cursor = must_listen_to(reader, "a");
    assert_false(next_has(cursor, 0));
    must(db, "db.restore", json, NULL);
    assert_true(next_has(cursor, 0));
    brant_cursor_free(cursor);
    brant_db_free(reader);
    brant_db_free(db);
}

/* Guard: a gap behind more than one answer holds is told once (`told` in listen.c). */
static void test_a_gap_is_told_once(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    brant_cursor *cursor = must_listen_to(db, "*");
    must(db, "events.set_retention", "{\"channel\":\"b\",\"count\":1}", NULL);
    must(db, "transaction.begin", "{}", NULL);
    for (int i = 0; i < 5000; i++)
        must_notify(db, "a");
    for (int i = 0; i < 3; i++)
        must_notify(db, "b");
    must(db, "transaction.commit", "{}", NULL);
    int gaps = 0, answers = 0, given = 0;
    for (size_t length = 3; length > 2; answers++) {
        char *answer = NULL;
        assert_int_equal(brant_cursor_next(&answer, &length, cursor, 0), BRANT_OK);
        for (const char *at = answer; (at = strstr(at, "\"gap\":")); at++)
            gaps++;
        for (const char *at = answer; (at = strstr(at, "\"id\":")); at++)
            given++;
        brant_free(answer);
    }
    assert_true(answers > 2);
    assert_int_equal(gaps, 1);
    assert_int_equal(given, 5001);
    brant_cursor_free(cursor);
    brant_db_free(db);
}

/* Guard: a registration whose row went with a rollback gets another (brant__signal_after_rollback). */
static void test_registration_rolled_back(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open(path, "");
    brant_cursor *cursor = must_listen_to(db, "a");
    const brant__text patterns[] = {BRANT__TEXT("x")};
    int64_t id = 0;
    assert_false(next_has(cursor, 0));
    assert_int_equal(brant__enter(db), BRANT_OK);
    check_in(db, 0);
    assert_int_equal(brant__wake_check(db), BRANT_OK);
    brant__leave(db);
    check_in(db, HOUR);
    must(db, "transaction.begin", "{}", NULL);
    assert_int_equal(brant__enter(db), BRANT_OK);
    assert_int_equal(brant__wake_register(&id, db, patterns, 1), BRANT_OK);
    brant__leave(db);
    must(db, "transaction.rollback", "{}", NULL);
    assert_int_equal(registrations(db), 1);
    assert_false(next_has(cursor, 0));
    assert_int_equal(registrations(db), 2);
    brant_cursor_free(cursor);
    brant_db_free(db);
}

/* ---- sleepers --------------------------------------------------------------------------------------- */

#define TOPIC BRANT__TEXT("\1queue:q")

typedef struct sleeper {
    int64_t ticket;
    int looks; /* beyond its ticket */
} sleeper;

static brant_status sleeper_fetch(brant__fetch *found, brant_db *db, void *state,
                                  brant__writer *writer) {
    sleeper *self = state;
    bool asleep = false;
    (void)found, (void)writer;
    brant_status status = BRANT_OK;
    if (self->ticket) BRANT__TRY(brant__waiter_asleep(&asleep, db, TOPIC, self->ticket));
    if (asleep) return BRANT_OK;
    self->looks++;
    BRANT__TRY(brant__begin(db, BRANT__WRITE));
    status = brant__waiter_leave(db, TOPIC, self->ticket);
    self->ticket = 0;
    if (status == BRANT_OK) status = brant__waiter_sleep(&self->ticket, db, TOPIC, INT64_MAX);
    if (status == BRANT_OK) return brant__commit(db);
    brant__rollback(db);
cleanup:
    return status;
}

static void sleeper_destroy(brant_db *db, void *state) {
    brant__waiter_drop(db, TOPIC, ((sleeper *)state)->ticket);
}

static const brant__cursor_kind sleeper_kind = {sleeper_fetch, sleeper_destroy, BRANT__FETCH_OWN,
                                                false};

static brant_cursor *open_sleeper(brant_db *db, sleeper *self) {
    brant_cursor *cursor = NULL;
    *self = (sleeper){0};
    assert_int_equal(brant__enter(db), BRANT_OK);
    assert_int_equal(brant__cursor_new(&cursor, db, &sleeper_kind, self), BRANT_OK);
    brant__leave(db);
    assert_false(next_has(cursor, 0));
    return cursor;
}

/* Guard: a commit of another program wakes nobody out of the wait queue; the look that the fallback check asks for is not answered "asleep" (brant__waiter_asleep). */
static void test_foreign_writer_of_sleepers(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open(path, "");
    sleeper self;
    brant_cursor *cursor = open_sleeper(db, &self);
    check_in(db, 0); /* the first one knows of no other to compare with */
    assert_false(next_has(cursor, 0));
    check_in(db, 0);
    assert_false(next_has(cursor, 0));
    const int looks = self.looks;
    check_in(db, 0);
    assert_false(next_has(cursor, 0));
    assert_int_equal(self.looks, looks);
    elsewhere(path, "CREATE TABLE own (a)");
    check_in(db, 0);
    assert_false(next_has(cursor, 0));
    assert_int_equal(self.looks, looks + 1);
    assert_int_equal(sleepers(db), 1);
    brant_cursor_free(cursor);
    brant_db_free(db);
}

static int refuse(void *context) {
    (void)context;
    return 1;
}

/* Guard: a row that was to go with a commit that failed goes with the next (waiter_after_rollback). */
static void test_commit_fails(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    sleeper self;
    brant_cursor *cursor = open_sleeper(db, &self);
    char *answer = NULL;
    size_t length = 0;
    must(db, "transaction.begin", "{}", NULL);
    must_notify(db, "a");
    brant_cursor_free(cursor);
    sqlite3_commit_hook(db->sqlite, refuse, NULL);
    assert_int_not_equal(brant_call(&answer, &length, db, TEXT("transaction.commit"), TEXT("{}")),
                         BRANT_OK);
    sqlite3_commit_hook(db->sqlite, NULL, NULL);
    must(db, "transaction.rollback", "{}", NULL);
    assert_int_equal(sleepers(db), 1);
    must_notify(db, "a");
    assert_int_equal(sleepers(db), 0);
    brant_db_free(db);
}

/* Guards: what a forked child frees is its copy: the parent's sleepers stay (brant__waiter_drop; waiter_destroy). */
static void test_child_of_sleepers(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open(path, "");
    sleeper self, other;
    brant_cursor *cursor = open_sleeper(db, &self), *second = open_sleeper(db, &other);
    const pid_t child = fork();
    if (child == 0) {
        char *answer = NULL;
        size_t length = 0;
        const bool refused = brant_cursor_next(&answer, &length, cursor, 0) == BRANT_FORKED;
        brant_cursor_free(cursor);
        brant_db_free(db); /* and the second's with it */
        brant_cursor_free(second);
        _exit(refused ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    brant_db *reader = must_open(path, "{\"mode\":\"ro\"}");
    assert_int_equal(sleepers(reader), 2);
    brant_db_free(reader);
    brant_cursor_free(cursor);
    assert_int_equal(sleepers(db), 1);
    brant_cursor_free(second);
    brant_db_free(db);
}

/* ---- cost ------------------------------------------------------------------------------------------ */

/* Guards: a checkpoint that a reader held back is not tried again at each commit (checkpoint in store/transaction.c); journal_size_limit. */
static void test_checkpoint_backs_off(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open(path, ""), *reader = must_open(path, "");
    must_notify(db, "a");
    must(reader, "transaction.begin", "{\"mode\":\"read\"}", NULL);
    must_notify(db, "a");
    const int most = db->checkpoint_at;
    db->checkpoint_at = 1;
    must_notify(db, "a");
    assert_true(db->checkpoint_at > most);
    must(reader, "transaction.rollback", "{}", NULL);
    db->checkpoint_at = 1;
    must_notify(db, "a");
    assert_int_equal(db->checkpoint_at, most);
    /* And the log that grew is cut. */
    sqlite3_stmt *statement = NULL;
    assert_int_equal(
        sqlite3_prepare_v2(db->sqlite, "PRAGMA journal_size_limit", -1, &statement, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_in_range(sqlite3_column_int64(statement, 0), 1, 100000000);
    sqlite3_finalize(statement);
    brant_db_free(reader);
    brant_db_free(db);
}

/* Guard: of rows that anybody may have planted a commit reads so many bytes and no more (PATTERNS_ALL in signal.c). */
static void test_rows_are_bounded(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open(path, "");
    brant_cursor *cursor = must_listen_to(db, "a");
    elsewhere(path, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) "
                    "INSERT INTO brant_wake (socket, patterns, created_at) SELECT "
                    "printf('%032x', i), '[\"' || hex(zeroblob(30000)) || '\"]', 1 FROM n");
    assert_int_equal(registrations(db), 101);
    must_notify(db, "a");
    assert_in_range(wake_of(db)->registry.row_count, 60, 80);
    assert_true(next_has(cursor, 0));
    brant_cursor_free(cursor);
    brant_db_free(db);
}

static int64_t take_lock(brant_db *db, const char *name) {
    char json[64];
    long long token = 0;
    snprintf(json, sizeof json, "{\"name\":\"%s\",\"owner\":\"o\"}", name);
    char *answer = must_call(db, "locks.acquire", json, NULL);
    assert_int_equal(sscanf(strstr(answer, "\"token\":"), "\"token\":%lld", &token), 1);
    brant_free(answer);
    return token;
}

/* Guard: a lock that is taken after a restore has a greater token than any that was given before it (begin_history in store/backup.c). */
static void test_tokens_go_on(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    char json[300];
    take_lock(db, "a");
    snprintf(json, sizeof json, "{\"path\":\"%s\"}", in_folder(*state, "copy.db"));
    must(db, "db.backup", json, NULL);
    take_lock(db, "b");
    const int64_t last = take_lock(db, "c");
    must(db, "db.restore", json, NULL);
    assert_true(take_lock(db, "c") > last);
    brant_db_free(db);
}

/* What each commit that touches a topic, and each sleeper, asks. */
static void test_plans(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db_free(must_open(path, ""));
    must_plan_well(path, brant__waiter_statements.sql, brant__waiter_statements.count);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_folder, tear_down_folder)

int main(int count, char **arguments) {
    const struct CMUnitTest tests[] = {
        TEST(test_signal_during_a_look),
        TEST(test_many_topics),
        TEST(test_full_socket),
        TEST(test_untrusted_folder),
        TEST(test_restore_without_a_name),
        TEST(test_a_gap_is_told_once),
        TEST(test_registration_rolled_back),
        TEST(test_foreign_writer_of_sleepers),
        TEST(test_commit_fails),
        TEST(test_child_of_sleepers),
        TEST(test_checkpoint_backs_off),
        TEST(test_rows_are_bounded),
        TEST(test_tokens_go_on),
        TEST(test_plans),
    };
    if (count > 1) cmocka_set_test_filter(arguments[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
