/*
 * tests/core/test_wake.c: waking across processes: who is woken, who is not, and what the death, loss or hostility of the other side does.
 *
 * Children are forked while this process has no handle open, and say what they found through a pipe.
 */
#define _GNU_SOURCE
#include "test_wake.h"
#include "child.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

/* ---- the library, in any process ----------------------------------------------------------------------------------- */

static brant_db *open_file(const char *path) {
    brant_db *db = NULL;
    return brant_open(&db, TEXT(path), TEXT(PATIENT)) == BRANT_OK ? db : NULL;
}

static brant_cursor *listen_to(brant_db *db, const char *pattern) {
    brant_cursor *cursor = NULL;
    char json[256];
    snprintf(json, sizeof json, "{\"channels\":[\"%s\"]}", pattern);
    return brant_event_listen(&cursor, db, TEXT(json)) == BRANT_OK ? cursor : NULL;
}

static bool notify(brant_db *db, const char *channel, int64_t payload) {
    char json[300], *answer = NULL;
    size_t length = 0;
    snprintf(json, sizeof json, "{\"channel\":\"%s\",\"payload\":%lld}", channel,
             (long long)payload);
    const bool done = brant_event_notify(&answer, &length, db, TEXT(json)) == BRANT_OK;
    brant_free(answer);
    return done;
}

static bool call(brant_db *db, operation_function operation) {
    char *answer = NULL;
    size_t length = 0;
    const bool done = operation(&answer, &length, db, "{}", 2) == BRANT_OK;
    brant_free(answer);
    return done;
}

/* The payloads of the next items, up to `limit`; their number, or -1. */
static int read_payloads(brant_cursor *cursor, int64_t timeout, int64_t *payloads, int limit) {
    char *answer = NULL;
    size_t length = 0;
    int count = 0;
    if (brant_cursor_next(&answer, &length, cursor, timeout) != BRANT_OK) return -1;
    for (const char *at = answer; (at = strstr(at, "\"payload\":")) && count < limit; count++) {
        at += strlen("\"payload\":");
        payloads[count] = strtoll(at, NULL, 10);
    }
    brant_free(answer);
    return count;
}

static int64_t read_one(brant_cursor *cursor, int64_t timeout) {
    int64_t payload = -1;
    return read_payloads(cursor, timeout, &payload, 1) == 1 ? payload : -1;
}

/* Another program: SQLite without brant. Only in a process, or at a time, that has the file not open. */
static bool raw_sql(const char *path, const char *sql) {
    sqlite3 *raw = NULL;
    bool done = sqlite3_open_v2(path, &raw, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK;
    sqlite3_busy_timeout(raw, 600000);
    char *error = NULL;
    done = done && sqlite3_exec(raw, sql, NULL, NULL, &error) == SQLITE_OK;
    if (error) fprintf(stderr, "%s: %s\n", sql, error);
    sqlite3_free(error);
    sqlite3_close(raw);
    return done;
}

static int files_in(const char *path) {
    DIR *folder = opendir(path);
    int count = 0;
    if (!folder) return 0;
    for (const struct dirent *entry; (entry = readdir(folder));)
        if (entry->d_name[0] != '.') count++;
    closedir(folder);
    return count;
}

static int descriptors(void) {
    return files_in("/proc/self/fd");
}

static bool readable(int fd, int timeout) {
    struct pollfd waiting = {fd, POLLIN, 0};
    return poll(&waiting, 1, timeout) == 1;
}

/* A file of brant's, closed again, before children are forked. The path lasts until the fifth that follows. */
static const char *make_file(const char *folder, const char *name) {
    static char paths[4][256];
    static int turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    brant_db_free(must_open(path, ""));
    return path;
}

/* ---- delivery ------------------------------------------------------------------------------------------------------- */

#define EACH    300
#define WRITERS 3

static void write_each(child *self) {
    brant_db *db = open_file(self->path);
    CHECK(db);
    CHECK(hear(self));
    for (int i = 0; i < EACH; i++) {
        /* Every third one is taken back, every fifth one half. */
        CHECK(call(db, brant_transaction_begin));
        CHECK(notify(db, "n", self->number * 1000000 + i));
        if (i % 5 == 0) {
            CHECK(call(db, brant_transaction_begin));
            CHECK(notify(db, "n", -2));
            CHECK(call(db, brant_transaction_rollback));
        }
        if (i % 3 == 0) {
            CHECK(call(db, brant_transaction_rollback));
            CHECK(call(db, brant_transaction_begin));
            CHECK(notify(db, "n", self->number * 1000000 + i));
        }
        CHECK(call(db, brant_transaction_commit));
    }
    brant_db_free(db);
}

static void listen_all(child *self) {
    brant_db *db = open_file(self->path);
    brant_cursor *cursor = db ? listen_to(db, "n") : NULL;
    int64_t payloads[256];
    int next[WRITERS] = {0};
    CHECK(cursor);
    say(self);
    for (int got = 0; got < WRITERS * EACH;) {
        const int count = read_payloads(cursor, PATIENCE, payloads, 256);
        CHECK(count > 0);
        for (int i = 0; i < count; i++) {
            const int64_t writer = payloads[i] / 1000000;
            CHECK(writer >= 0 && writer < WRITERS);
            CHECK(payloads[i] % 1000000 ==
                  next[writer]); /* each in its writer's order, once, none lost */
            next[writer]++;
        }
        got += count;
    }
    CHECK(read_payloads(cursor, 50, payloads, 256) == 0);
    brant_cursor_free(cursor);
    brant_db_free(db);
}

static void test_between_processes(void **state) {
    const char *path = make_file(*state, "a.db");
    child writers[WRITERS], listeners[2];
    for (int i = 0; i < 2; i++)
        fork_child(&listeners[i], listen_all, path, i);
    for (int i = 0; i < WRITERS; i++)
        fork_child(&writers[i], write_each, path, i);
    for (int i = 0; i < 2; i++)
        assert_true(hear(&listeners[i]));
    for (int i = 0; i < WRITERS; i++)
        say(&writers[i]);
    for (int i = 0; i < WRITERS; i++)
        must_end(&writers[i], 0);
    for (int i = 0; i < 2; i++)
        must_end(&listeners[i], 0);
    assert_int_equal(files_in(in_folder(*state, "a.db.wake")), 0);
}

/* Answers each "ping" with a "pong", until told with -1. */
static void answer_pings(child *self) {
    brant_db *db = open_file(self->path);
    brant_cursor *cursor = db ? listen_to(db, "ping") : NULL;
    CHECK(cursor);
    check_in(db, HOUR);
    say(self);
    for (;;) {
        const int64_t payload = read_one(cursor, PATIENCE);
        if (payload == 999) break;
        CHECK(payload >= 0);
        CHECK(notify(db, "pong", payload));
    }
    brant_cursor_free(cursor);
    brant_db_free(db);
}

/* It frees the cursor when the other has ended: two that leave at once may leave a row behind. */
static void play(child *other, brant_db *db, int rounds) {
    brant_cursor *cursor = listen_to(db, "pong");
    assert_non_null(cursor);
    check_in(db, HOUR); /* by waking */
    for (int i = 0; i < rounds; i++) {
        assert_true(notify(db, "ping", i));
        assert_int_equal(read_one(cursor, PATIENCE), i);
    }
    assert_true(notify(db, "ping", 999));
    must_end(other, 0);
    brant_cursor_free(cursor);
}

static void test_ping_pong(void **state) {
    const char *path = make_file(*state, "a.db");
    child other;
    fork_child(&other, answer_pings, path, 0);
    assert_true(hear(&other));
    brant_db *db = must_open(path, "");
    play(&other, db, 50);
    assert_int_equal(registrations(db), 0);
    brant_db_free(db);
}

static void test_long_path(void **state) {
    char folder[512], path[600];
    snprintf(folder, sizeof folder, "%s/", (char *)*state);
    for (int i = 0; i < 3; i++) {
        memset(folder + strlen(folder) + 1, 0, 1);
        for (int j = 0; j < 50; j++)
            strcat(folder, "d");
        assert_int_equal(mkdir(folder, 0700), 0);
        strcat(folder, "/");
    }
    snprintf(path, sizeof path, "%sa.db", folder);
    assert_true(strlen(path) > 150);
    brant_db_free(must_open(path, ""));
    child other;
    fork_child(&other, answer_pings, path, 0);
    assert_true(hear(&other));
    brant_db *db = must_open(path, "");
    play(&other, db, 20);
    const int before = descriptors();
    brant_cursor *cursor = listen_to(db, "a");
    for (int i = 0; i < 20; i++) {
        notify(db, "a", i);
        assert_int_equal(read_one(cursor, PATIENCE), i);
    }
    brant_cursor_free(cursor);
    assert_in_range(descriptors(), before, before + 1); /* the folder's descriptor is not kept */
    brant_db_free(db);
}

static void test_group_may_share(void **state) {
    struct stat there;
    const mode_t before = umask(077);
    brant_db *db = must_open(in_folder(*state, "g.db"), "{\"permissions\":\"group\"}"),
             *private = must_open(in_folder(*state, "p.db"), "");
    brant_cursor *cursor = listen_to(db, "a"), *other = listen_to(private, "a");
    umask(before);
    assert_int_equal(stat(in_folder(*state, "g.db.wake"), &there), 0);
    assert_int_equal(there.st_mode & 0777, 0770);
    assert_int_equal(stat(in_folder(*state, "p.db.wake"), &there), 0);
    assert_int_equal(there.st_mode & 0777, 0700);
    brant_cursor_free(cursor);
    brant_cursor_free(other);
    brant_db_free(db);
    brant_db_free(private);
}

/* ---- who is woken ------------------------------------------------------------------------------------------------------ */

static void write_untouching(child *self) {
    brant_db *db = open_file(self->path);
    CHECK(db);
    CHECK(hear(self));
    for (int i = 0; i < 100; i++)
        CHECK(notify(db, "other", i));
    CHECK(call(db, brant_transaction_begin));
    CHECK(notify(db, "mine:x", 1));
    CHECK(call(db, brant_transaction_rollback));
    say(self);
    CHECK(hear(self));
    CHECK(notify(db, "mine:x", 2));
    say(self);
    CHECK(hear(self));
    brant_db_free(db);
}

static void test_untouched_are_not_woken(void **state) {
    const char *path = make_file(*state, "a.db");
    child writer;
    fork_child(&writer, write_untouching, path, 0);
    brant_db *db = must_open(path, "");
    brant_cursor *cursor = listen_to(db, "mine:*");
    int fd = -1;
    assert_int_equal(brant_wake_fd(&fd, db), BRANT_OK);
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    say(&writer);
    assert_true(hear(&writer));
    assert_false(readable(fd, 0));
    say(&writer);
    assert_true(hear(&writer));
    assert_true(readable(fd, 1000));
    assert_int_equal(read_one(cursor, 0), 2);
    say(&writer);
    must_end(&writer, 0);
    brant_cursor_free(cursor);
    brant_db_free(db);
}

/* ---- the other side dies ----------------------------------------------------------------------------------------------- */

static void listen_and_hang(child *self) {
    brant_db *db = open_file(self->path);
    CHECK(db && listen_to(db, "a") && listen_to(db, "b"));
    say(self);
    (void)hear(self);
}

static void test_dead_waiter_is_forgotten(void **state) {
    const char *path = make_file(*state, "a.db");
    char folder[256];
    child dead;
    snprintf(folder, sizeof folder, "%s.wake", path);
    fork_child(&dead, listen_and_hang, path, 0);
    assert_true(hear(&dead));
    kill(dead.process, SIGKILL);
    must_end(&dead, -SIGKILL);
    brant_db *db = must_open(path, "");
    assert_int_equal(registrations(db), 2);
    assert_int_equal(files_in(folder), 1);
    assert_true(notify(db, "other", 1)); /* does not concern it */
    assert_true(notify(db, "other", 1));
    assert_int_equal(registrations(db), 2);
    assert_true(notify(db, "a", 1)); /* finds it dead */
    assert_int_equal(files_in(folder), 0);
    assert_true(notify(db, "other", 2)); /* and deletes its rows with the next write */
    assert_int_equal(registrations(db), 0);
    brant_db_free(db);
}

static void test_maintenance_forgets_the_dead(void **state) {
    const char *path = make_file(*state, "a.db");
    child dead;
    fork_child(&dead, listen_and_hang, path, 0);
    assert_true(hear(&dead));
    kill(dead.process, SIGKILL);
    must_end(&dead, -SIGKILL);
    /* A socket that nobody registered, an hour old, and a file of somebody else. */
    const char *stale = in_folder(*state, "a.db.wake/0123456789abcdef0123456789abcdef");
    const int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    snprintf(name.sun_path, sizeof name.sun_path, "%s", stale);
    assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
    close(fd);
    const struct timespec old[2] = {{time(NULL) - 3600, 0}, {time(NULL) - 3600, 0}};
    assert_int_equal(utimensat(AT_FDCWD, stale, old, 0), 0);
    const char *foreign = in_folder(*state, "a.db.wake/readme");
    fclose(fopen(foreign, "w"));
    brant_db *db = must_open(path, "");
    brant_cursor *cursor = listen_to(db, "c");
    assert_int_equal(registrations(db), 3);
    must(db, "db.maintain", "{}", NULL);
    assert_int_equal(registrations(db), 1);
    assert_int_not_equal(access(stale, F_OK), 0);
    assert_int_equal(access(foreign, F_OK), 0);
    assert_true(notify(db, "c", 1));
    assert_int_equal(read_one(cursor, 500), 1);
    brant_cursor_free(cursor);
    brant_db_free(db);
}

static void write_as_another_program(child *self) {
    CHECK(hear(self));
    CHECK(raw_sql(self->path,
                  "INSERT INTO notifications (channel, payload, created_at) VALUES ('a', '7', 1)"));
}

/* What commits without sending (another program, a writer killed before its datagram) is found by the tick. */
static void test_commit_without_datagram(void **state) {
    const char *path = make_file(*state, "a.db");
    child writer;
    fork_child(&writer, write_as_another_program, path, 0);
    brant_db *db = must_open(path, "");
    brant_cursor *cursor = listen_to(db, "a");
    say(&writer);
    assert_int_equal(read_one(cursor, PATIENCE), 7);
    must_end(&writer, 0);
    brant_cursor_free(cursor);
    brant_db_free(db);
}

/* ---- hostile and damaged registrations ------------------------------------------------------------------------------------ */

static void plant_rows(child *self) {
    CHECK(
        raw_sql(self->path,
                "INSERT INTO brant_wake (row_id, socket, patterns, created_at) VALUES"
                " (101, '../../victim', '[\"*\"]', 1), (102, '/tmp/x', '[\"*\"]', 1),"
                " (103, '0123456789abcdef0123456789abcdeF', '[\"*\"]', 1),"
                " (104, '00000000000000000000000000000001', 'no json', 1),"
                " (105, '00000000000000000000000000000002', '{\"a\":1}', 1),"
                " (106, '00000000000000000000000000000003', '[1,null,[\"*\"]]', 1),"
                " (107, '', '[\"*\"]', 1), (108, '00000000000000000000000000000004', '[\"*\"]', 1),"
                " (9223372036854775807, '00000000000000000000000000000005', '[\"[\"]', 1)"));
}

static void test_hostile_registrations(void **state) {
    const char *path = make_file(*state, "a.db");
    child hostile;
    /* What the first row would reach, from the wake folder: beside the folder of the test. */
    char victim[64];
    snprintf(victim, sizeof victim, "%s", in_folder(*state, "victim"));
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    snprintf(name.sun_path, sizeof name.sun_path, "%s", victim);
    assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
    assert_int_equal(mkdir(in_folder(*state, "a.db.wake"), 0700), 0);
    assert_int_equal(symlink("../victim", in_folder(*state, "a.db.wake/victim")), 0);
    fork_child(&hostile, plant_rows, path, 0);
    must_end(&hostile, 0);
    brant_db *db = must_open(path, "");
    brant_cursor *cursor = listen_to(db, "a");
    for (int i = 0; i < 5; i++) {
        assert_true(notify(db, "a", i));
        assert_int_equal(read_one(cursor, 500), i);
    }
    assert_false(readable(fd, 20));
    /* Junk and the dead are gone; what matches nothing and cannot be told from somebody quiet stays until maintenance. */
    assert_int_equal(
        number(
            db,
            "SELECT count(*) FROM brant_wake WHERE row_id IN (101, 102, 103, 104, 105, 107, 108)"),
        0);
    must(db, "db.maintain", "{}", NULL);
    assert_int_equal(registrations(db), 1);
    close(fd);
    brant_cursor_free(cursor);
    brant_db_free(db);
    unlink(victim);
    unlink(in_folder(*state, "a.db.wake/victim"));
}

/* A wake folder that strangers can write to is not used, and delivery falls back to the tick. */
static void test_untrusted_folder(void **state) {
    const char *path = make_file(*state, "a.db");
    assert_int_equal(mkdir(in_folder(*state, "a.db.wake"), 0700), 0);
    assert_int_equal(chmod(in_folder(*state, "a.db.wake"), 0777), 0);
    brant_db *db = must_open(path, "");
    brant_cursor *cursor = listen_to(db, "a");
    assert_non_null(cursor);
    assert_int_equal(files_in(in_folder(*state, "a.db.wake")), 0);
    int fd = -1;
    assert_int_equal(brant_wake_fd(&fd, db), BRANT_OK);
    assert_true(notify(db, "a", 1));
    assert_false(readable(fd, 20));
    assert_int_equal(read_one(cursor, PATIENCE), 1);
    /* Put right, it is used again; the descriptor is the same. */
    assert_int_equal(chmod(in_folder(*state, "a.db.wake"), 0700), 0);
    pause_ms(1000);
    assert_int_equal(read_one(cursor, 0), -1);
    assert_int_equal(registrations(db), 1);
    assert_true(notify(db, "a", 2));
    assert_true(readable(fd, PATIENCE));
    assert_int_equal(read_one(cursor, 0), 2);
    brant_cursor_free(cursor);
    brant_db_free(db);
}

static void test_folder_removed_under_a_waiter(void **state) {
    const char *path = make_file(*state, "a.db");
    brant_db *db = must_open(path, ""), *writer = must_open(path, "");
    brant_cursor *cursor = listen_to(db, "a");
    assert_true(notify(writer, "a", 1));
    assert_int_equal(read_one(cursor, PATIENCE), 1);
    remove_folder(strdup(in_folder(*state, "a.db.wake")));
    assert_true(notify(writer, "a", 2));
    assert_int_equal(read_one(cursor, PATIENCE), 2); /* by the tick */
    pause_ms(1000);
    assert_int_equal(read_one(cursor, 0), -1); /* made again */
    assert_int_equal(files_in(in_folder(*state, "a.db.wake")), 1);
    check_in(db, HOUR);
    for (int i = 3; i < 10; i++) {
        assert_true(notify(writer, "a", i));
        assert_int_equal(read_one(cursor, PATIENCE), i);
    }
    assert_int_equal(registrations(db), 1);
    brant_cursor_free(cursor);
    brant_db_free(db);
    brant_db_free(writer);
}

/* Whoever closes waits for no writer, as long as its patience may be: what it leaves goes with the next write. */
static void test_close_while_another_writes(void **state) {
    const char *path = make_file(*state, "a.db");
    brant_db *db = must_open(path, "{\"busy_timeout\":600000}"), *writer = must_open(path, "");
    brant_cursor *cursor = listen_to(db, "a");
    must(writer, "transaction.begin", "{}", NULL);
    const int64_t start = monotonic_ms();
    brant_cursor_free(cursor);
    assert_in_range(monotonic_ms() - start, 0, 300000);
    must(writer, "transaction.rollback", "{}", NULL);
    assert_true(notify(db, "b", 1));
    assert_int_equal(registrations(db), 0);
    cursor = listen_to(db, "a");
    brant_cursor *other = listen_to(writer, "c"); /* who sends looks where somebody listens */
    must(writer, "transaction.begin", "{}", NULL);
    brant_db_free(db);
    brant_cursor_free(cursor);
    assert_in_range(monotonic_ms() - start, 0, 300000);
    must(writer, "transaction.rollback", "{}", NULL);
    assert_true(notify(writer, "a", 1)); /* finds it dead */
    assert_true(notify(writer, "a", 2));
    assert_int_equal(registrations(writer), 1);
    brant_cursor_free(other);
    brant_db_free(writer);
}

/* ---- the file goes away ------------------------------------------------------------------------------------------------------ */

typedef struct waiter {
    pthread_t thread;
    brant_cursor *cursor;
    brant_status status;
    char message[256];
} waiter;

static void *wait_once(void *argument) {
    waiter *self = argument;
    char *answer = NULL;
    size_t length = 0;
    self->status = brant_cursor_next(&answer, &length, self->cursor, PATIENCE);
    snprintf(self->message, sizeof self->message, "%s", brant_last_error()->message);
    brant_free(answer);
    return NULL;
}

static void test_file_deleted_or_replaced(void **state) {
    for (int replaced = 0; replaced < 2; replaced++) {
        const char *path = make_file(*state, "a.db"), *other = make_file(*state, "b.db");
        brant_db *db = must_open(path, "");
        waiter waiters[2] = {{.cursor = listen_to(db, "a")}, {.cursor = listen_to(db, "a")}};
        for (int i = 0; i < 2; i++)
            pthread_create(&waiters[i].thread, NULL, wait_once, &waiters[i]);
        pause_ms(100);
        if (replaced)
            assert_int_equal(rename(other, path), 0);
        else
            assert_int_equal(unlink(path), 0);
        for (int i = 0; i < 2; i++) {
            char *answer = NULL;
            size_t length = 0;
            pthread_join(waiters[i].thread, NULL);
            assert_int_equal(waiters[i].status, BRANT_IO);
            assert_non_null(strstr(waiters[i].message, replaced ? "replaced" : "not there"));
            assert_int_equal(brant_cursor_next(&answer, &length, waiters[i].cursor, -1),
                             BRANT_IO); /* and every later wait */
            brant_cursor_free(waiters[i].cursor);
        }
        brant_db_free(db);
        unlink(path);
        unlink(in_folder(*state, "a.db-wal"));
        unlink(in_folder(*state, "a.db-shm"));
    }
}

/* ---- nothing leaks ----------------------------------------------------------------------------------------------------------- */

static void test_listeners_come_and_go(void **state) {
    const char *path = make_file(*state, "a.db");
    const int before = descriptors();
    brant_db *writer = must_open(path, "");
    int between = 0;
    for (int round = 0; round < 4; round++) {
        brant_db *handles[25];
        brant_cursor *cursors[25];
        for (int i = 0; i < 25; i++) {
            handles[i] = must_open(path, "");
            cursors[i] = listen_to(handles[i], "a");
            assert_non_null(cursors[i]);
        }
        assert_int_equal(registrations(writer), 25);
        assert_int_equal(files_in(in_folder(*state, "a.db.wake")), 25);
        assert_true(notify(writer, "a", round));
        for (int i = 0; i < 25; i++) {
            assert_int_equal(read_one(cursors[i], 1000), round);
            if (i % 2) brant_cursor_free(cursors[i]);
            brant_db_free(handles[i]);
            if (i % 2 == 0) brant_cursor_free(cursors[i]);
        }
        assert_int_equal(registrations(writer), 0);
        assert_int_equal(files_in(in_folder(*state, "a.db.wake")), 0);
        /* SQLite keeps those of the first round for the next: closing one would drop the writer's locks. */
        if (round == 0) between = descriptors();
        assert_int_equal(descriptors(), between);
    }
    /* On one handle: each its row, all one socket. */
    brant_db *db = must_open(path, "");
    brant_cursor *cursors[100];
    for (int i = 0; i < 100; i++)
        cursors[i] = listen_to(db, i % 2 ? "a" : "b");
    assert_int_equal(registrations(writer), 100);
    assert_int_equal(files_in(in_folder(*state, "a.db.wake")), 1);
    for (int i = 0; i < 100; i++)
        brant_cursor_free(cursors[i]);
    assert_int_equal(registrations(writer), 0);
    brant_db_free(db);
    assert_int_equal(descriptors(), between);
    brant_db_free(writer);
    assert_int_equal(descriptors(), before);
    assert_int_not_equal(access(in_folder(*state, "a.db.wake"), F_OK), 0);
}

/* ---- fork --------------------------------------------------------------------------------------------------------------------- */

static brant_db *forked_db;
static brant_cursor *forked_cursor;

static void use_after_fork(child *self) {
    char *answer = NULL;
    size_t length = 0;
    int fd = -1;
    (void)self;
    CHECK(brant_cursor_next(&answer, &length, forked_cursor, 0) == BRANT_FORKED);
    CHECK(brant_wake_fd(&fd, forked_db) == BRANT_FORKED);
    CHECK(brant_wake_acknowledge(forked_db) == BRANT_FORKED);
    int64_t wait = -2;
    CHECK(brant_cursor_wait(&wait, forked_cursor) == BRANT_FORKED);
    CHECK(brant_cursor_close(forked_cursor) == BRANT_OK);
    brant_cursor_free(forked_cursor);
    brant_db_free(forked_db);
}

static void test_child_leaves_the_parents_waits_alone(void **state) {
    const char *path = make_file(*state, "a.db");
    child forked;
    int fd = -1;
    forked_db = must_open(path, "");
    forked_cursor = listen_to(forked_db, "a");
    assert_int_equal(brant_wake_fd(&fd, forked_db), BRANT_OK);
    fork_child(&forked, use_after_fork, path, 0);
    must_end(&forked, 0);
    assert_false(readable(fd, 0)); /* its close did not signal us */
    assert_int_equal(registrations(forked_db), 1);
    assert_true(notify(forked_db, "a", 1));
    assert_true(readable(fd, PATIENCE));
    assert_int_equal(read_one(forked_cursor, 0), 1);
    brant_cursor_free(forked_cursor);
    brant_db_free(forked_db);
}

/* ---- cost --------------------------------------------------------------------------------------------------------------------- */

static void idle(child *self) {
    enum { COUNT = 50 };
    pthread_t threads[COUNT];
    waiter waiters[COUNT];
    brant_db *handles[COUNT];
    for (int i = 0; i < COUNT; i++) {
        handles[i] = open_file(self->path);
        CHECK(handles[i]);
        waiters[i] = (waiter){.cursor = listen_to(handles[i], "a")};
        CHECK(waiters[i].cursor);
        CHECK(pthread_create(&threads[i], NULL, wait_once, &waiters[i]) == 0);
    }
    pause_ms(500);
    const double before = processor_ms();
    const int64_t begun = monotonic_ms();
    pause_ms(3000);
    const double used = processor_ms() - before;
    const double seconds = (double)(monotonic_ms() - begun) / 1e3; /* 3, or more */
    if (used > 200 * seconds)
        fprintf(stderr, "50 idle waiters took %.1f ms in %.1f s\n", used,
                seconds); /* 8 ms in 3 s without a sanitizer */
    CHECK(used <= 200 * seconds);
    for (int i = 0; i < COUNT; i++)
        brant_close(handles[i]);
    for (int i = 0; i < COUNT; i++) {
        pthread_join(threads[i], NULL);
        CHECK(waiters[i].status == BRANT_CLOSED);
        brant_cursor_free(waiters[i].cursor);
        brant_db_free(handles[i]);
    }
}

static void test_idle_waiters_cost_nothing(void **state) {
    const char *path = make_file(*state, "a.db");
    child idler;
    fork_child(&idler, idle, path, 0);
    must_end(&idler, 0);
}

/* ---- restore ------------------------------------------------------------------------------------------------------------------- */

static void restore_elsewhere(child *self) {
    char json[4200], *answer = NULL;
    size_t length = 0;
    brant_db *db = open_file(self->path);
    CHECK(db);
    snprintf(json, sizeof json, "{\"path\":\"%s.backup\"}", self->path);
    CHECK(hear(self));
    CHECK(brant_db_restore(&answer, &length, db, TEXT(json)) == BRANT_OK);
    brant_free(answer);
    say(self);
    CHECK(hear(self));
    CHECK(notify(db, "a", 50));
    brant_db_free(db);
}

static void test_restored_by_another_process(void **state) {
    const char *path = make_file(*state, "a.db");
    char json[4200], *answer = NULL;
    size_t length = 0;
    child other;
    fork_child(&other, restore_elsewhere, path, 0);
    brant_db *db = must_open(path, "");
    brant_cursor *cursor = listen_to(db, "a");
    snprintf(json, sizeof json, "{\"path\":\"%s.backup\"}", path);
    must(db, "db.backup", json, NULL);
    assert_true(notify(db, "a", 1));
    assert_int_equal(read_one(cursor, 0), 1);
    say(&other);
    assert_true(hear(&other));
    assert_int_equal(brant_cursor_next(&answer, &length, cursor, PATIENCE), BRANT_OK);
    assert_string_equal(answer, "[{\"channel\":\"a\",\"gap\":{\"from\":0,\"to\":0}}]");
    brant_free(answer);
    pause_ms(1000);
    assert_int_equal(read_one(cursor, 0), -1);
    assert_int_equal(registrations(db), 1); /* registered again */
    check_in(db, HOUR);
    say(&other);
    assert_int_equal(read_one(cursor, PATIENCE), 50);
    must_end(&other, 0);
    brant_cursor_free(cursor);
    brant_db_free(db);
}

static brant_cursor *listen_with(brant_db *db, const char *json) {
    brant_cursor *cursor = NULL;
    assert_int_equal(brant_event_listen(&cursor, db, TEXT(json)), BRANT_OK);
    return cursor;
}

/* Patterns that are dear to match must not hold a writer that touches many topics: past a bound it wakes everybody instead. */
static void test_bounded_matching(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open(path, ""), *dear = must_open(path, ""), *idle = must_open(path, "");
    char json[65536], channel[256];
    size_t used = (size_t)snprintf(json, sizeof json, "{\"channels\":[");
    for (int i = 0; i < 60; i++) {
        used += (size_t)snprintf(json + used, sizeof json - used, "%s\"", i ? "," : "");
        for (int k = 0; k < 500; k++)
            used += (size_t)snprintf(json + used, sizeof json - used, "*a");
        used += (size_t)snprintf(json + used, sizeof json - used, "b\"");
    }
    snprintf(json + used, sizeof json - used, "]}");
    brant_cursor *cursors[] = {listen_with(dear, json),
                               listen_with(idle, "{\"channels\":[\"z\"]}")};
    struct pollfd woken = {-1, POLLIN, 0};
    assert_int_equal(brant_wake_fd(&woken.fd, idle), BRANT_OK);
    memset(channel, 'a', sizeof channel);
    assert_true(notify(db, "a", 1));
    assert_int_equal(poll(&woken, 1, 50), 0);
    must(db, "transaction.begin", "", NULL);
    for (int i = 0; i < 1000; i++) {
        snprintf(channel + 250, sizeof channel - 250, "%04u", (unsigned)i % 10000u);
        assert_true(notify(db, channel, i));
    }
    must(db, "transaction.commit", "", NULL);
    assert_int_equal(poll(&woken, 1, 1000), 1);
    for (size_t i = 0; i < 2; i++)
        brant_cursor_free(cursors[i]);
    brant_db_free(idle);
    brant_db_free(dear);
    brant_db_free(db);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_folder, tear_down_folder)

int main(int count, char **arguments) {
    const struct CMUnitTest tests[] = {
        TEST(test_between_processes),
        TEST(test_ping_pong),
        TEST(test_long_path),
        TEST(test_group_may_share),
        TEST(test_untouched_are_not_woken),
        TEST(test_dead_waiter_is_forgotten),
        TEST(test_maintenance_forgets_the_dead),
        TEST(test_commit_without_datagram),
        TEST(test_hostile_registrations),
        TEST(test_untrusted_folder),
        TEST(test_folder_removed_under_a_waiter),
        TEST(test_close_while_another_writes),
        TEST(test_file_deleted_or_replaced),
        TEST(test_listeners_come_and_go),
        TEST(test_child_leaves_the_parents_waits_alone),
        TEST(test_idle_waiters_cost_nothing),
        TEST(test_restored_by_another_process),
        TEST(test_bounded_matching),
    };
    if (count > 1) cmocka_set_test_filter(arguments[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
