/*
 * tests/core/test_wake_traps.c: what a wake may be lost to, and what waiting may cost: each of these fails when the guard that it names is taken out.
 */
#define _GNU_SOURCE
#include "test_wake.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

/* How many items came, or minus the status. */
static int items(brant_cursor *cursor, int64_t timeout) {
    char *answer = NULL;
    size_t length = 0;
    int count = 0;
    const brant_status status = brant_cursor_next(&answer, &length, cursor, timeout);
    if (status != BRANT_OK) return -(int)status;
    for (const char *at = answer; (at = strstr(at, "\"id\":")); at++)
        count++;
    brant_free(answer);
    return count;
}

static int64_t wait_of(brant_cursor *cursor) {
    int64_t wait = -2;
    assert_int_equal(brant_cursor_wait(&wait, cursor), BRANT_OK);
    return wait;
}

static int entries(const char *path) {
    DIR *folder = opendir(path);
    int count = 0;
    while (folder && readdir(folder))
        count++;
    if (folder) closedir(folder);
    return count;
}

/*
 * Another program: SQLite without brant. SQLite must not be carried across a fork, so it is a child of a process that was forked before this one opened anything.
 */
typedef struct request {
    char path[512], sql[1536];
} request;

static int programs_to = -1, programs_from = -1;

static void run_programs(int from, int to) {
    request wanted;
    while (read(from, &wanted, sizeof wanted) == sizeof wanted) {
        const pid_t child = fork();
        if (child == 0) {
            sqlite3 *raw = NULL;
            bool done =
                sqlite3_open_v2(wanted.path, &raw, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK;
            sqlite3_busy_timeout(raw, 600000);
            char *error = NULL;
            done = done && sqlite3_exec(raw, wanted.sql, NULL, NULL, &error) == SQLITE_OK;
            if (error) fprintf(stderr, "%s: %s\n", wanted.sql, error);
            sqlite3_close(raw);
            _exit(done ? 0 : 1);
        }
        int status = -1;
        waitpid(child, &status, 0);
        const char answer = status == 0 ? 'y' : 'n';
        if (write(to, &answer, 1) != 1) break;
    }
    _exit(0);
}

static bool start_programs(void) {
    int down[2], up[2];
    if (pipe(down) != 0 || pipe(up) != 0) return false;
    const pid_t child = fork();
    if (child == 0) {
        close(down[1]);
        close(up[0]);
        run_programs(down[0], up[1]);
    }
    close(down[0]);
    close(up[1]);
    programs_to = down[1];
    programs_from = up[0];
    return child > 0;
}

static void elsewhere(const char *path, const char *sql) {
    static request wanted;
    char answer = 0;
    snprintf(wanted.path, sizeof wanted.path, "%s", path);
    snprintf(wanted.sql, sizeof wanted.sql, "%s", sql);
    assert_int_equal(write(programs_to, &wanted, sizeof wanted), sizeof wanted);
    assert_int_equal(read(programs_from, &answer, 1), 1);
    assert_int_equal(answer, 'y');
}

typedef struct waiting {
    pthread_t thread;
    brant_cursor *cursor;
    int64_t timeout;
    int got;
    int64_t took;
} waiting;

static void *wait_for_items(void *argument) {
    waiting *self = argument;
    const int64_t start = monotonic_ms();
    self->got = items(self->cursor, self->timeout);
    self->took = monotonic_ms() - start;
    return NULL;
}

static void begin_wait(waiting *self, brant_cursor *cursor, int64_t timeout) {
    *self = (waiting){.cursor = cursor, .timeout = timeout};
    assert_int_equal(pthread_create(&self->thread, NULL, wait_for_items, self), 0);
}

/* ---- the fallback check -------------------------------------------------------------------------------------------------------- */

#define FOREIGN "INSERT INTO notifications (channel, payload, created_at) VALUES ('a', '1', 1)"

static int64_t check_every(brant_db *db) {
    wake *self = wake_of(db);
    pthread_mutex_lock(&self->mutex);
    const int64_t every = self->check_every;
    pthread_mutex_unlock(&self->mutex);
    return every;
}

/*
 * Guards: the check at all; that it counts the first time (brant__wake_check: version 0); that it backs off (check_due), and comes back when it finds something
 * (brant__wake_found). The waits are those of threads, of which one leads, and of an event loop. Times are those that the check is set to; a wait that is not told takes all of LONG.
 */
#define LONG (2 * PATIENCE)
#define TOLD PATIENCE

static void both_told(waiting *wait, waiting *other) {
    pthread_join(wait->thread, NULL);
    pthread_join(other->thread, NULL);
    assert_int_equal(wait->got, 1);
    assert_int_equal(other->got, 1);
    assert_true(wait->took < TOLD && other->took < TOLD);
}

static void test_foreign_writer(void **state) {
    char path[256];
    snprintf(path, sizeof path, "%s", in_folder(*state, "a.db"));
    brant_db_free(must_open(path, ""));
    brant_db *db = must_open(path, "");
    brant_cursor *cursor = must_listen_to(db, "a"), *second = must_listen_to(db, "a");
    waiting wait, other;
    assert_int_equal(items(cursor, 0), 0);
    assert_true(wait_of(cursor) <= BRANT__WAKE_CHECK);
    elsewhere(path, FOREIGN); /* before the first check */
    begin_wait(&wait, cursor, LONG);
    begin_wait(&other, second, LONG);
    both_told(&wait, &other);
    for (int i = 0; i < 6; i++) { /* for nothing */
        check_in(db, 0);
        assert_int_equal(items(cursor, 0), 0);
        assert_int_equal(items(second, 0), 0);
        assert_true(wait_of(cursor) <= BRANT__WAKE_CHECK_MOST);
    }
    assert_int_equal(check_every(db), BRANT__WAKE_CHECK_MOST);
    begin_wait(&wait, cursor, LONG);
    begin_wait(&other, second, LONG);
    await_waiting(db, 2); /* who looks only now finds it without the check */
    elsewhere(path, FOREIGN);
    both_told(&wait, &other);
    assert_true(wait_of(cursor) <= BRANT__WAKE_CHECK); /* often again */
    assert_int_equal(check_every(db), BRANT__WAKE_CHECK);
    elsewhere(path, FOREIGN);
    begin_wait(&wait, cursor, LONG);
    begin_wait(&other, second, LONG);
    both_told(&wait, &other);
    brant_cursor_free(cursor);
    brant_cursor_free(second);
    brant_db_free(db);
}

/* Of a file that we only read nobody tells us anything. Guard: check for those without a socket (brant__wake_wait). */
static void test_read_only(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open(path, "");
    brant_db *reader = must_open(path, "{\"mode\":\"ro\"}");
    brant_cursor *cursor = must_listen_to(reader, "a");
    waiting wait;
    begin_wait(&wait, cursor, LONG);
    pause_ms(50);
    must_notify(db, "a");
    pthread_join(wait.thread, NULL);
    assert_int_equal(wait.got, 1);
    assert_true(wait.took < TOLD);
    brant_cursor_free(cursor);
    brant_db_free(reader);
    brant_db_free(db);
}

/* ---- who is woken -------------------------------------------------------------------------------------------------------------- */

/* Guard: topics are compared (row_matches). And idle ones cost next to nothing: of a processor 0.1 % as bench/wake.c measures it; here with sanitizers, too. */
static void test_others_sleep(void **state) {
    enum { COUNT = 100 };
    const char *path = in_folder(*state, "a.db");
    brant_db *writer = must_open(path, ""), *dbs[COUNT];
    brant_cursor *cursors[COUNT];
    waiting waits[COUNT];
    for (int i = 0; i < COUNT; i++) {
        dbs[i] = must_open(path, "");
        cursors[i] = must_listen_to(dbs[i], i % 2 ? "a" : "a:*");
        begin_wait(&waits[i], cursors[i], -1);
    }
    pause_ms(200);
    for (int i = 0; i < 100; i++)
        must_notify(writer, "b");
    pause_ms(100);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(brant__wake_count(dbs[i]), 0);
    pause_ms(3500);
    const double before = processor_ms();
    const int64_t begun = monotonic_ms();
    pause_ms(3000);
    const double used = processor_ms() - before;
    const double seconds = (double)(monotonic_ms() - begun) / 1e3; /* 3, or more */
    if (used > 100 * seconds)
        fail_msg("%d idle waiters took %.1f ms in %.1f s", COUNT, used, seconds);
    for (int i = 0; i < COUNT; i++)
        check_in(dbs[i], HOUR); /* which may find it before the wake is taken */
    must_notify(writer, "a");
    for (int i = 1; i < COUNT; i += 2)
        pthread_join(waits[i].thread, NULL);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(brant__wake_count(dbs[i]), i % 2);
        brant_close(dbs[i]);
    }
    for (int i = 0; i < COUNT; i++) {
        if (i % 2 == 0) pthread_join(waits[i].thread, NULL);
        assert_int_equal(waits[i].got, i % 2 ? 1 : -(int)BRANT_CLOSED);
        brant_cursor_free(cursors[i]);
        brant_db_free(dbs[i]);
    }
    brant_db_free(writer);
}

static void must_wake(brant_db *writer, const char *channel, brant_db *db) {
    const uint64_t before = brant__wake_count(db);
    int fd = -1;
    assert_int_equal(brant_wake_fd(&fd, db), BRANT_OK);
    assert_int_equal(brant_wake_acknowledge(db), BRANT_OK);
    must_notify(writer, channel);
    assert_int_equal(brant_wake_acknowledge(db), BRANT_OK);
    if (brant__wake_count(db) == before) fail_msg("nobody was woken for %s", channel);
}

/*
 * What a writer keeps of the registrations must be what the file holds. Guards, in this order: the count; that what was read in a transaction that failed is
 * forgotten (registry_clear in after_rollback); the greatest row id, for writers that do not count; the history's name.
 */
static void test_kept_registrations(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *writer = must_open(path, ""), *first = must_open(path, ""),
             *other = must_open(path, "");
    brant_cursor *a = must_listen_to(first, "a");
    must_wake(writer, "a", first);
    brant_cursor_free(a);
    a = must_listen_to(first, "c"); /* takes the row of the one before */
    must_wake(writer, "c", first);

    const brant__text patterns[] = {BRANT__TEXT("x")};
    int64_t id = 0;
    must(writer, "transaction.begin", "", NULL);
    assert_int_equal(brant__enter(writer), BRANT_OK);
    assert_int_equal(brant__wake_register(&id, writer, patterns, 1), BRANT_OK);
    brant__leave(writer);
    must_notify(writer, "c");
    assert_int_equal(brant__enter(writer), BRANT_OK); /* a commit that does not come off */
    assert_int_equal(brant__signal_before_commit(writer, wake_of(writer)), BRANT_OK);
    brant__leave(writer);
    must(writer, "transaction.rollback", "", NULL);
    brant_cursor *b = must_listen_to(other, "b");
    must_wake(writer, "b", other);
    brant_cursor_free(b);

    /* Format 4 did not count. Its row is made of ours. */
    b = must_listen_to(other, "d");
    must_notify(writer, "z");
    elsewhere(path, "UPDATE event_sequences SET value = value - 1 WHERE name = 'wake'; "
                    "UPDATE brant_wake SET row_id = row_id + 100 WHERE row_id = "
                    "(SELECT max(row_id) FROM brant_wake); "
                    "UPDATE event_sequences SET value = value + 1 WHERE name = 'wake'");
    elsewhere(path, "UPDATE brant_wake SET patterns = '[\"e\"]' WHERE row_id > 100");
    must_wake(writer, "e", other);
    brant_cursor_free(b);
    brant_cursor_free(a);

    char json[300];
    snprintf(json, sizeof json, "{\"path\":\"%s\"}", in_folder(*state, "copy.db"));
    must(writer, "db.backup", json, NULL);
    a = must_listen_to(first, "f");
    must_wake(writer, "f", first);
    const int64_t count = number(writer, "SELECT value FROM event_sequences WHERE name = 'wake'"),
                  greatest = number(writer, "SELECT max(row_id) FROM brant_wake");
    brant_cursor_free(a);
    must(other, "db.restore", json, NULL);
    b = must_listen_to(other, "g");
    char sql[200];
    snprintf(sql, sizeof sql,
             "UPDATE brant_wake SET row_id = %lld WHERE row_id > 0; "
             "UPDATE event_sequences SET value = %lld WHERE name = 'wake'",
             (long long)greatest, (long long)count);
    elsewhere(path, sql);
    must_wake(writer, "g", other);
    brant_cursor_free(b);
    brant_db_free(other);
    brant_db_free(first);
    brant_db_free(writer);
}

/* ---- restore, backup --------------------------------------------------------------------------------------------------------------- */

/* Guards: those who wait are told (before_restore, after_restore), and check at once (SOCKET_CHECK). */
static void test_restore_is_told(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open(path, ""), *writer = must_open(path, "");
    char json[300];
    snprintf(json, sizeof json, "{\"path\":\"%s\"}", in_folder(*state, "copy.db"));
    must(writer, "db.backup", json, NULL);
    brant_cursor *cursor = must_listen_to(db, "a");
    waiting wait;
    assert_int_equal(items(cursor, 0), 0);
    check_in(db, 2 * LONG); /* it is not that which tells */
    begin_wait(&wait, cursor, LONG);
    pause_ms(50);
    must(writer, "db.restore", json, NULL);
    pthread_join(wait.thread, NULL);
    if (wait.took >= TOLD) fail_msg("told after %lld ms", (long long)wait.took);
    assert_int_equal(items(cursor, 0), 0);
    assert_int_equal(registrations(writer), 1);
    check_in(db, 2 * LONG);
    begin_wait(&wait, cursor, LONG);
    pause_ms(50);
    must_notify(writer, "a");
    pthread_join(wait.thread, NULL);
    assert_int_equal(wait.got, 1);
    assert_true(wait.took < TOLD);
    brant_cursor_free(cursor);
    brant_db_free(db);
    brant_db_free(writer);
}

/* Guard: FORGET_LEASES of store/backup.c, at both places. */
static void test_leases_stay_behind(void **state) {
    char path[256], copy[256], json[300];
    snprintf(path, sizeof path, "%s", in_folder(*state, "a.db"));
    snprintf(copy, sizeof copy, "%s", in_folder(*state, "copy.db"));
    brant_db_free(must_open(path, ""));
    elsewhere(
        path,
        "INSERT INTO brant_waiters (topic, ticket, socket, created_at) VALUES ('t', 1, 's', 1);"
        "INSERT INTO locks (name, owner, token, acquired_at, renewed_at, expires_at) VALUES ('l', "
        "'o', 1, 1, 1, "
        "9999999999999);"
        "INSERT INTO jobs (id, queue, state, attempt, created_at, lease_until, worker) "
        "VALUES (1, 1, 3, 2, 1, 9999999999999, 'w');"
        "INSERT INTO jobs (id, queue, state, attempt, created_at, lease_until, cancel) "
        "VALUES (2, 1, 3, 2, 1, 9999999999999, 1);"
        "INSERT INTO stream_pending (consumer, \"offset\", member, token, lease_until, deliveries) "
        "VALUES (1, 1, 'm', 1, 9999999999999, 1)");
    brant_db *db = must_open(path, "");
    snprintf(json, sizeof json, "{\"path\":\"%s\"}", copy);
    must(db, "db.backup", json, NULL);
    for (int round = 0; round < 2; round++) {
        brant_db *there = must_open(round ? path : copy, "");
        assert_int_equal(number(there, "SELECT count(*) FROM brant_waiters"), 0);
        assert_int_equal(number(there, "SELECT count(*) FROM locks"), 0);
        assert_int_equal(
            number(there, "SELECT count(*) FROM jobs WHERE id = 1 AND state = 0 AND attempt = 1 "
                          "AND lease_until IS NULL AND worker IS NULL"),
            1);
        assert_int_equal(
            number(there,
                   "SELECT count(*) FROM jobs WHERE id = 2 AND state = 3 AND lease_until = 0"),
            1);
        assert_int_equal(number(there, "SELECT count(*) FROM stream_pending WHERE lease_until = 0"),
                         1);
        brant_db_free(there);
        /* A copy that was made by other means. */
        if (round == 0)
            elsewhere(copy, "INSERT INTO locks (name, owner, token, acquired_at, renewed_at, "
                            "expires_at) VALUES "
                            "('m', 'o', 1, 1, 1, 9999999999999)");
        if (round == 0) must(db, "db.restore", json, NULL);
    }
    brant_db_free(db);
}

/* ---- nothing is left behind ----------------------------------------------------------------------------------------------------------- */

#define TOPIC BRANT__TEXT("\1queue:q")

static brant_status sleeping_fetch(brant__fetch *found, brant_db *db, void *state,
                                   brant__writer *writer) {
    int64_t *ticket = state;
    brant_status status = BRANT_OK;
    bool asleep = false;
    (void)writer, (void)found;
    if (*ticket) BRANT__TRY(brant__waiter_asleep(&asleep, db, TOPIC, *ticket));
    if (asleep) return BRANT_OK;
    status = brant__begin(db, BRANT__WRITE);
    if (status != BRANT_OK) return status;
    status = brant__waiter_leave(db, TOPIC, *ticket);
    *ticket = 0;
    if (status == BRANT_OK) status = brant__waiter_sleep(ticket, db, TOPIC, INT64_MAX);
    if (status == BRANT_OK) return brant__commit(db);
    brant__rollback(db);
cleanup:
    return status;
}

static void sleeping_destroy(brant_db *db, void *state) {
    brant__waiter_drop(db, TOPIC, *(int64_t *)state);
}

static const brant__cursor_kind sleeping = {sleeping_fetch, sleeping_destroy, BRANT__FETCH_OWN,
                                            false};

static long live; /* allocations of brant's */

static void *count_allocate(void *context, size_t size) {
    (void)context;
    void *memory = malloc(size);
    if (memory) __atomic_add_fetch(&live, 1, __ATOMIC_RELAXED);
    return memory;
}
static void count_release(void *context, void *memory) {
    (void)context;
    if (memory) __atomic_sub_fetch(&live, 1, __ATOMIC_RELAXED);
    free(memory);
}

/* A thread that was joined is in /proc for a moment more. */
static int threads_left(int wanted) {
    int now = entries("/proc/self/task");
    for (const int64_t begun = monotonic_ms(); now > wanted && monotonic_ms() - begun < 60000;
         now = entries("/proc/self/task"))
        pause_ms(1);
    return now;
}

/* Guards: rows go when a handle is closed (waiter_destroy; wake_destroy), and its socket; that the state is freed (brant__signal_free). */
static void test_churn(void **state) {
    enum { ROUNDS = 10, EACH = 30 };
    char path[256];
    snprintf(path, sizeof path, "%s", in_folder(*state, "a.db"));
    brant_db *writer = must_open(path, "");
    int descriptors = 0, threads = 0;
    long allocations = 0;
    int64_t sqlite = 0;
    for (int round = 0; round <= ROUNDS; round++) {
        brant_db *dbs[EACH];
        brant_cursor *cursors[EACH][2];
        waiting waits[EACH][2];
        int64_t tickets[EACH] = {0};
        for (int i = 0; i < EACH; i++) {
            dbs[i] = must_open(path, "");
            cursors[i][0] = must_listen_to(dbs[i], "a");
            assert_int_equal(brant__enter(dbs[i]), BRANT_OK);
            assert_int_equal(brant__cursor_new(&cursors[i][1], dbs[i], &sleeping, &tickets[i]),
                             BRANT_OK);
            brant__leave(dbs[i]);
            for (int k = 0; k < 2; k++)
                begin_wait(&waits[i][k], cursors[i][k], -1);
        }
        while (number(writer, "SELECT count(*) FROM brant_waiters") < EACH)
            pause_ms(1);
        must_notify(dbs[0], "b"); /* which makes it know of the others */
        must_notify(writer, "a");
        for (int i = 0; i < EACH; i++) {
            pthread_join(waits[i][0].thread, NULL);
            assert_int_equal(waits[i][0].got, 1);
            if (i % 3 == 0) brant_cursor_close(cursors[i][1]);
            if (i % 3 == 1) brant_close(dbs[i]);
            if (i % 3 == 2) brant_interrupt(dbs[i]);
            pthread_join(waits[i][1].thread, NULL);
            brant_cursor_free(cursors[i][i % 2]);
            brant_db_free(dbs[i]);
            brant_cursor_free(cursors[i][(i + 1) % 2]);
        }
        /* Whoever cannot write for a quarter of a second as it is closed leaves its rows to others: few. */
        assert_in_range(registrations(writer) + sleepers(writer), 0, EACH / 5);
        must_notify(writer, "a");
        must(writer, "db.maintain", "", NULL);
        assert_int_equal(registrations(writer), 0);
        assert_int_equal(sleepers(writer), 0);
        assert_int_equal(entries(in_folder(*state, "a.db.wake")), 0); /* the folder is gone */
        /* SQLite keeps descriptors of the first round for the next: closing one would drop the writer's locks. */
        if (round == 0) {
            descriptors = entries("/proc/self/fd");
            pause_ms(50);
            threads = entries("/proc/self/task");
            allocations = live;
            sqlite = sqlite3_memory_used();
            continue;
        }
        assert_int_equal(entries("/proc/self/fd"), descriptors);
        assert_in_range(threads_left(threads), 0, threads);
        assert_int_equal(live, allocations);
        assert_in_range(sqlite3_memory_used(), 0, sqlite + 100000);
    }
    brant_db_free(writer);
}

/* Killed processes leave rows; whoever meets them, or db.maintain, takes them away. Guards: forget_dead_sleepers; brant__wake_alive. */
static void test_maintenance_forgets_sleepers(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db_free(must_open(path, ""));
    for (int i = 0; i < 40; i++) {
        const pid_t child = fork();
        if (child == 0) {
            brant_db *db = NULL;
            int64_t ticket = 0;
            if (brant_open(&db, TEXT(path), TEXT(PATIENT)) != BRANT_OK ||
                brant__enter(db) != BRANT_OK ||
                brant__begin(db, BRANT__WRITE) != BRANT_OK ||
                brant__waiter_sleep(&ticket, db, TOPIC, INT64_MAX) != BRANT_OK ||
                brant__commit(db) != BRANT_OK)
                _exit(1);
            kill(getpid(), SIGKILL);
        }
        int status = -1;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
    }
    brant_db *db = must_open(path, ""), *other = must_open(path, "");
    int64_t ticket = 0;
    assert_int_equal(brant__enter(other), BRANT_OK);
    assert_int_equal(brant__begin(other, BRANT__WRITE), BRANT_OK);
    assert_int_equal(brant__waiter_sleep(&ticket, other, TOPIC, INT64_MAX), BRANT_OK);
    assert_int_equal(brant__commit(other), BRANT_OK);
    brant__leave(other);
    assert_int_equal(number(db, "SELECT count(*) FROM brant_waiters"), 41);
    must(db, "db.maintain", "", NULL);
    assert_int_equal(number(db, "SELECT count(*) FROM brant_waiters"), 1);
    brant_db_free(other);
    brant_db_free(db);
}

/* Who waits holds no snapshot: the log begins anew under any number of waiters. And a reader that stays makes it grow only for as long as it does. Guards: the commit in
 * cursor.c's fetch; journal_size_limit. */
static void test_log_is_bounded(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *writer = must_open(path, ""), *db = must_open(path, ""),
             *reader = must_open(path, "");
    brant_cursor *cursor = must_listen_to(db, "a");
    waiting wait;
    struct stat log;
    char name[300];
    snprintf(name, sizeof name, "%s-wal", path);
    begin_wait(&wait, cursor, -1);
    off_t bound = 0;
    for (int round = 0; round < 3; round++) {
        if (round == 1) must(reader, "transaction.begin", "{\"mode\":\"read\"}", NULL);
        for (int i = 0; i < 60; i++) {
            must(writer, "transaction.begin", "", NULL);
            for (int k = 0; k < 40; k++) {
                char json[4096];
                memset(json, 'x', sizeof json);
                memcpy(json, "{\"channel\":\"b\",\"payload\":\"", 26);
                memcpy(json + sizeof json - 3, "\"}", 3);
                must(writer, "events.notify", json, NULL);
            }
            for (int k = 0; k < 8; k++)
                must_notify(writer, "b");
            must(writer, "transaction.commit", "", NULL);
            for (int k = 0; k < 40; k++)
                must_notify(writer, "b");
        }
        assert_int_equal(stat(name, &log), 0);
        if (round == 0) bound = log.st_size;
        if (round == 1) {
            assert_true(log.st_size > bound);
            must(reader, "transaction.rollback", "", NULL);
        }
    }
    assert_true(bound < 60000000);
    assert_true(log.st_size < 90000000);
    brant_cursor_close(cursor);
    pthread_join(wait.thread, NULL);
    brant_cursor_free(cursor);
    brant_db_free(reader);
    brant_db_free(db);
    brant_db_free(writer);
}

/* ---- the file --------------------------------------------------------------------------------------------------------------------------- */

/* Guard: brant__wake_file_check, in look and in glance. Whoever begins to wait after it, too. */
static void test_file_gone(void **state) {
    for (int replaced = 0; replaced < 2; replaced++) {
        char path[256], moved[256];
        snprintf(path, sizeof path, "%s", in_folder(*state, replaced ? "b.db" : "a.db"));
        snprintf(moved, sizeof moved, "%s", in_folder(*state, "moved.db"));
        if (replaced) brant_db_free(must_open(moved, ""));
        brant_db *db = must_open(path, "");
        brant_cursor *cursor = must_listen_to(db, "a"), *own = NULL;
        int64_t ticket = 0;
        assert_int_equal(brant__enter(db), BRANT_OK);
        assert_int_equal(brant__cursor_new(&own, db, &sleeping, &ticket), BRANT_OK);
        brant__leave(db);
        for (int i = 0; i < 3; i++) { /* nothing was written since: only the file itself tells */
            check_in(db, 0);
            assert_int_equal(items(cursor, 0), 0);
            assert_int_equal(items(own, 0), 0);
        }
        check_in(db, 500);
        waiting waits[2];
        begin_wait(&waits[0], cursor, LONG);
        begin_wait(&waits[1], own, LONG);
        pause_ms(50);
        assert_int_equal(replaced ? rename(moved, path) : unlink(path), 0);
        for (int i = 0; i < 2; i++) {
            pthread_join(waits[i].thread, NULL);
            assert_int_equal(waits[i].got, -(int)BRANT_IO);
            assert_true(waits[i].took < TOLD);
        }
        brant_cursor *later = must_listen_to(db, "a");
        assert_int_equal(items(later, 0), -(int)BRANT_IO);
        assert_int_equal(items(own, 0), -(int)BRANT_IO);
        brant_cursor_free(later);
        brant_cursor_free(own);
        brant_cursor_free(cursor);
        brant_db_free(db);
    }
}

/* ---- writers that come and go --------------------------------------------------------------------------------------------------------------- */

/* Guard: the datagram after the commit; without it only the check would bring them. */
static void test_writers_restart(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db_free(must_open(path, ""));
    int go[2];
    assert_int_equal(pipe(go), 0);
    const pid_t child = fork();
    if (child == 0) {
        char byte;
        close(go[1]); /* it ends with its parent, also when that fails */
        for (int i = 0; read(go[0], &byte, 1) == 1 && i < 20; i++) {
            const pid_t writer = fork();
            if (writer == 0) {
                brant_db *db = NULL;
                char *answer = NULL;
                size_t length = 0;
                if (brant_open(&db, TEXT(path), TEXT(PATIENT)) != BRANT_OK) _exit(1);
                if (brant_event_notify(&answer, &length, db, TEXT("{\"channel\":\"a\"}")) !=
                    BRANT_OK)
                    _exit(1);
                if (i % 2) kill(getpid(), SIGKILL);
                brant_db_free(db);
                _exit(0);
            }
            int status = 0;
            waitpid(writer, &status, 0);
        }
        _exit(0);
    }
    brant_db *db = must_open(path, "");
    brant_cursor *cursor = must_listen_to(db, "a");
    check_in(db, HOUR);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(write(go[1], "g", 1), 1);
        assert_int_equal(items(cursor, PATIENCE), 1);
    }
    close(go[0]);
    close(go[1]);
    int status = -1;
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    brant_cursor_free(cursor);
    brant_db_free(db);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_folder, tear_down_folder)

int main(int count, char **arguments) {
    static const brant_allocator counting = {count_allocate, count_release, NULL};
    const struct CMUnitTest tests[] = {
        TEST(test_foreign_writer),  TEST(test_read_only),
        TEST(test_others_sleep),    TEST(test_kept_registrations),
        TEST(test_restore_is_told), TEST(test_leases_stay_behind),
        TEST(test_churn),           TEST(test_maintenance_forgets_sleepers),
        TEST(test_log_is_bounded),  TEST(test_file_gone),
        TEST(test_writers_restart),
    };
    if (count > 1) cmocka_set_test_filter(arguments[1]);
    if (!start_programs()) return 1;
    brant_allocator_set(&counting);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
