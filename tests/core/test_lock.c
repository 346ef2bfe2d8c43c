/*
 * tests/core/test_lock.c: leases, fencing tokens, watching, and processes that contend for one lock while holders are killed.
 */
#define _GNU_SOURCE
#include "fake_clock.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "event/lock.h"
#include "support_plan.h"
#include "test_wake.h"

/* The token, or 0 when another holds it. */
static int64_t acquire(brant_db *db, const char *name, const char *owner, int64_t ttl) {
    char json[256];
    long long token = 0;
    snprintf(json, sizeof json, "{\"name\":\"%s\",\"owner\":\"%s\",\"ttl\":%lld}", name, owner,
             (long long)ttl);
    char *answer = must_call(db, "locks.acquire", json, NULL);
    if (sscanf(answer, "{\"acquired\":true,\"token\":%lld", &token) != 1)
        assert_non_null(strstr(answer, "{\"acquired\":false,\"expires_at\":"));
    brant_free(answer);
    return token;
}

static void release(brant_db *db, const char *name, int64_t token) {
    char json[256];
    snprintf(json, sizeof json, "{\"name\":\"%s\",\"token\":%lld}", name, (long long)token);
    must(db, "locks.release", json, "{}");
}

/* False: its lease was over. */
static bool released(brant_db *db, const char *name, int64_t token) {
    char json[256], *answer = NULL;
    size_t length = 0;
    snprintf(json, sizeof json, "{\"name\":\"%s\",\"token\":%lld}", name, (long long)token);
    const brant_status status = brant_lock_release(&answer, &length, db, TEXT(json));
    brant_free(answer);
    if (status != BRANT_OK && status != BRANT_STALE) _exit(5);
    return status == BRANT_OK;
}

static int64_t file_size(const char *path) {
    struct stat there;
    return stat(path, &there) == 0 ? (int64_t)there.st_size : 0;
}

static brant_cursor *watch(brant_db *db, const char *name) {
    brant_cursor *cursor = NULL;
    char json[256];
    snprintf(json, sizeof json, "{\"name\":\"%s\"}", name);
    assert_int_equal(brant_lock_watch(&cursor, db, TEXT(json)), BRANT_OK);
    return cursor;
}

static bool is_free(brant_cursor *cursor, int64_t timeout) {
    char *answer = NULL;
    size_t length = 0;
    if (brant_cursor_next(&answer, &length, cursor, timeout) != BRANT_OK)
        fail_msg("next: %s", brant_last_error()->message);
    const bool found = strcmp(answer, "[{\"free\":true}]") == 0;
    assert_true(found || strcmp(answer, "[]") == 0);
    brant_free(answer);
    return found;
}

/* ---- leases --------------------------------------------------------------------------------------------------------------- */

static void test_lease(void **state) {
    brant_db *db = open_with_clock(in_folder(*state, "a.db"));
    must(db, "locks.acquire", "{\"name\":\"a\",\"owner\":\"me\"}",
         "{\"acquired\":true,\"token\":1,\"expires_at\":1700000030000,\"owner\":\"me\"}");
    fake_now += 10000;
    must(db, "locks.acquire", "{\"name\":\"a\",\"owner\":\"you\",\"ttl\":5}",
         "{\"acquired\":false,\"expires_at\":1700000030000,\"owner\":\"me\"}");
    /* Once more by the owner: the same token, a longer lease. */
    must(db, "locks.acquire", "{\"name\":\"a\",\"owner\":\"me\",\"ttl\":40000}",
         "{\"acquired\":true,\"token\":1,\"expires_at\":1700000050000,\"owner\":\"me\"}");
    must(db, "locks.get", "{\"name\":\"a\"}",
         "{\"name\":\"a\",\"owner\":\"me\",\"token\":1,\"acquired_at\":1700000000000,"
         "\"expires_at\":1700000050000}");
    fake_now += 30000;
    must(db, "locks.refresh", "{\"name\":\"a\",\"token\":1}", "{\"expires_at\":1700000080000}");
    must(db, "locks.refresh", "{\"name\":\"a\",\"token\":1,\"ttl\":1000}",
         "{\"expires_at\":1700000041000}");
    must_fail(db, "locks.refresh", "{\"name\":\"a\",\"token\":2}", BRANT_STALE, "token 2");
    must_fail(db, "locks.release", "{\"name\":\"a\",\"token\":2}", BRANT_STALE, "\"a\"");
    fake_now += 999;
    must(db, "locks.get", "{\"name\":\"a\"}", NULL);
    fake_now += 1; /* over */
    must_fail(db, "locks.get", "{\"name\":\"a\"}", BRANT_NOT_FOUND, "nobody holds");
    must_fail(db, "locks.refresh", "{\"name\":\"a\",\"token\":1}", BRANT_STALE, NULL);
    must_fail(db, "locks.release", "{\"name\":\"a\",\"token\":1}", BRANT_STALE, NULL);
    must_fail(db, "locks.break", "{\"name\":\"a\"}", BRANT_NOT_FOUND, NULL);
    /* The same owner gets another token: what it did with the first may be refused by now. */
    must(db, "locks.acquire", "{\"name\":\"a\",\"owner\":\"me\"}", "\"token\":2");
    must(db, "locks.release", "{\"name\":\"a\",\"token\":2}", "{}");
    must_fail(db, "locks.release", "{\"name\":\"a\",\"token\":2}", BRANT_STALE, NULL);
    must(db, "locks.acquire", "{\"name\":\"a\",\"owner\":\"you\"}", "\"token\":3");
    must(db, "locks.break", "{\"name\":\"a\"}", "{\"token\":3}");
    must_fail(db, "locks.refresh", "{\"name\":\"a\",\"token\":3}", BRANT_STALE, NULL);
    must_be_well(db);
    brant_db_free(db);
}

static void test_refusals(void **state) {
    brant_db *db = open_with_clock(in_folder(*state, "a.db"));
    must_fail(db, "locks.acquire", "{\"name\":\"a\"}", BRANT_INVALID, "owner");
    must_fail(db, "locks.acquire", "{\"name\":\"a\",\"owner\":\"\"}", BRANT_INVALID, "owner");
    must_fail(db, "locks.acquire", "{\"name\":\"a\\u0000\",\"owner\":\"o\"}", BRANT_INVALID,
              "/name");
    must_fail(db, "locks.acquire", "{\"name\":\"a\",\"owner\":\"o\\u0000\"}", BRANT_INVALID,
              "/owner");
    must_fail(db, "locks.acquire", "{\"name\":\"a\",\"owner\":\"o\",\"ttl\":0}", BRANT_INVALID,
              "ttl");
    must_fail(db, "locks.acquire", "{\"name\":\"a\",\"owner\":\"o\",\"ttl\":31622400001}",
              BRANT_INVALID, "ttl");
    must(db, "transaction.begin", "{\"mode\":\"read\"}", NULL);
    must_fail(db, "locks.acquire", "{\"name\":\"a\",\"owner\":\"o\"}", BRANT_READ_ONLY, NULL);
    must(db, "transaction.rollback", "{}", NULL);
    must(db, "transaction.begin", "{}", NULL);
    must(db, "locks.acquire", "{\"name\":\"a\",\"owner\":\"o\"}", "\"token\":1");
    must(db, "transaction.rollback", "{}", NULL);
    must_fail(db, "locks.get", "{\"name\":\"a\"}", BRANT_NOT_FOUND, NULL);
    brant_db_free(db);
}

static void test_list_and_maintain(void **state) {
    brant_db *db = open_with_clock(in_folder(*state, "a.db"));
    char name[16];
    for (int i = 0; i < 6; i++) {
        snprintf(name, sizeof name, "%s%d", i < 4 ? "job:" : "x", i);
        acquire(db, name, "o", i == 1 ? 10 : 1000);
    }
    fake_now += 10;
    char *answer =
        must_call(db, "locks.list", "{\"prefix\":\"job:\",\"limit\":2}", "\"next\":\"job:2\"}");
    assert_null(strstr(answer, "job:1"));
    brant_free(answer);
    must(db, "locks.list", "{\"prefix\":\"job:\",\"limit\":2,\"after\":\"job:2\"}",
         "{\"items\":[{\"name\":\"job:3\",\"owner\":\"o\",\"token\":4,\"acquired_at\":"
         "1700000000000,\"expires_at\":1700000001000}]}");
    must(db, "locks.list", "{}", "x5");
    fake_now += 500;
    acquire(db, "x5", "o", 1000);
    fake_now += 500;
    int64_t removed = 0;
    assert_int_equal(brant__enter(db), BRANT_OK);
    assert_int_equal(brant__lock_maintain(&removed, db), BRANT_OK);
    brant__leave(db);
    assert_int_equal(removed, 5);
    must(db, "locks.list", "{}", "{\"items\":[{\"name\":\"x5\",\"owner\":\"o\",\"token\":6,");
    brant_db_free(db);
}

/* Whatever becomes of rows, files and backups. */
static void test_tokens_grow_for_ever(void **state) {
    brant_db *db = open_with_clock(in_folder(*state, "a.db"));
    char json[4200];
    int64_t last = 0;
    snprintf(json, sizeof json, "{\"path\":\"%s\"}", in_folder(*state, "backup.db"));
    must(db, "db.backup", json, NULL); /* before any lock was taken */
    for (int i = 0; i < 30; i++) {
        const int64_t token = acquire(db, i % 2 ? "a" : "b", i % 3 ? "me" : "you", 100);
        assert_true(token > last);
        last = token;
        if (i % 4 == 0) release(db, i % 2 ? "a" : "b", token);
        fake_now += 100;
        if (i % 5 == 0) {
            int64_t removed = 0;
            assert_int_equal(brant__enter(db), BRANT_OK);
            assert_int_equal(brant__lock_maintain(&removed, db), BRANT_OK);
            brant__leave(db);
        }
        if (i % 7 == 0) {
            brant_db_free(db);
            db = open_with_clock(in_folder(*state, "a.db"));
        }
        if (i % 11 == 10) must(db, "db.restore", json, NULL);
    }
    brant_db_free(db);
}

/* The clock was wrong, and is set back: the lease of a dead holder ends all the same, and two never hold it at once. */
static void test_clock_jumps_back(void **state) {
    brant_db *db = open_with_clock(in_folder(*state, "a.db"));
    const int64_t token = acquire(db, "a", "dead", 1000);
    fake_now -= INT64_C(100000000000);
    assert_int_equal(acquire(db, "a", "me", 1000), 0); /* met: from now on it lasts a second */
    fake_now += 500;
    assert_int_equal(acquire(db, "a", "me", 1000), 0);
    fake_now += 499;
    assert_int_equal(acquire(db, "a", "me", 1000), 0);
    fake_now += 1;
    assert_true(acquire(db, "a", "me", 1000) > token);
    /* One who lives goes on. */
    fake_now -= INT64_C(100000000000);
    must(db, "locks.refresh", "{\"name\":\"a\",\"token\":2}", NULL);
    fake_now += 999;
    assert_int_equal(acquire(db, "a", "you", 1000), 0);
    fake_now += 1;
    assert_int_equal(acquire(db, "a", "you", 1000), 3);
    brant_db_free(db);
}

/* ---- watching ------------------------------------------------------------------------------------------------------------- */

static void test_watch(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open(path, ""), *other = must_open(path, "");
    brant_cursor *cursor = watch(db, "a");
    assert_true(is_free(cursor, 0));
    assert_true(is_free(cursor, 0)); /* as long as it is */
    const int64_t token = acquire(other, "a", "o", 60000);
    assert_false(is_free(cursor, 0));
    assert_false(is_free(cursor, 20));
    check_in(db, HOUR);
    release(other, "a", token);
    assert_true(is_free(cursor, PATIENCE));
    acquire(other, "a", "o", 60000);
    assert_false(is_free(cursor, 0));
    must(other, "locks.break", "{\"name\":\"a\"}", NULL);
    assert_true(is_free(cursor, PATIENCE));
    /* By time. */
    int64_t began = monotonic_ms();
    acquire(other, "a", "o", 100);
    assert_true(is_free(cursor, PATIENCE));
    assert_in_range(monotonic_ms() - began, 80, PATIENCE);
    /* A lease that ends sooner than the one that it slept through. */
    const int64_t long_one = acquire(other, "a", "o", 60000);
    assert_false(is_free(cursor, 0));
    char json[100];
    snprintf(json, sizeof json, "{\"name\":\"a\",\"token\":%lld,\"ttl\":100}", (long long)long_one);
    began = monotonic_ms();
    must(other, "locks.refresh", json, NULL);
    assert_true(is_free(cursor, PATIENCE));
    assert_in_range(monotonic_ms() - began, 80, PATIENCE);
    brant_cursor_free(cursor);
    must(db, "sql.execute", "{\"sql\":\"SELECT count(*) FROM brant_waiters\"}", "[[0]]");
    brant_db_free(db);
    brant_db_free(other);
}

typedef struct sleeper {
    pthread_t thread;
    brant_db *db;
    brant_cursor *cursor;
    _Atomic bool awake;
} sleeper;

static void *sleep_until_free(void *argument) {
    sleeper *self = argument;
    char *answer = NULL;
    size_t length = 0;
    /* Again after a wake for nothing. */
    while (brant_cursor_next(&answer, &length, self->cursor, 20000) == BRANT_OK && length <= 2)
        brant_free(answer);
    brant_free(answer);
    self->awake = true;
    return NULL;
}

static int awake_of(const sleeper *sleepers, int count) {
    int awake = 0;
    for (int i = 0; i < count; i++)
        awake += sleepers[i].awake;
    return awake;
}

#define SLEEPERS 5
static void test_one_is_woken_for_each_release(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open(path, "");
    static sleeper sleepers[SLEEPERS];
    int64_t token = acquire(db, "a", "o", 60000);
    for (int i = 0; i < SLEEPERS; i++) {
        sleepers[i] = (sleeper){.db = must_open(path, "")};
        sleepers[i].cursor = watch(sleepers[i].db, "a");
        check_in(sleepers[i].db, HOUR);
        assert_int_equal(pthread_create(&sleepers[i].thread, NULL, sleep_until_free, &sleepers[i]),
                         0);
    }
    int64_t began = monotonic_ms();
    while (number(db, "SELECT count(*) FROM brant_waiters") < SLEEPERS &&
           monotonic_ms() - began < PATIENCE)
        pause_ms(5);
    pause_ms(50);
    assert_int_equal(awake_of(sleepers, SLEEPERS), 0);
    for (int i = 1; i <= SLEEPERS; i++) {
        /* Whoever is woken finds it free. */
        release(db, "a", token);
        began = monotonic_ms();
        while (awake_of(sleepers, SLEEPERS) < i && monotonic_ms() - began < PATIENCE)
            pause_ms(1);
        token = acquire(db, "a", "o", 60000);
        pause_ms(30);
        assert_int_equal(awake_of(sleepers, SLEEPERS), i);
    }
    for (int i = 0; i < SLEEPERS; i++) {
        pthread_join(sleepers[i].thread, NULL);
        brant_cursor_free(sleepers[i].cursor);
        brant_db_free(sleepers[i].db);
    }
    brant_db_free(db);
}

static void test_watch_in_memory_and_read_only(void **state) {
    brant_db *db = must_open(":memory:", "");
    brant_cursor *cursor = watch(db, "a");
    acquire(db, "a", "o", 600000);
    assert_false(is_free(cursor, 0));
    acquire(db, "a", "o", 100); /* again: until then */
    assert_true(is_free(cursor, PATIENCE));
    brant_cursor_free(cursor);
    brant_db_free(db);
    const char *path = in_folder(*state, "a.db");
    db = must_open(path, "");
    brant_db *reader = must_open(path, "{\"mode\":\"ro\"}");
    acquire(db, "a", "o", 600000);
    cursor = watch(reader, "a");
    assert_false(is_free(cursor, 0));
    acquire(db, "a", "o", 100);
    assert_true(is_free(cursor, PATIENCE));
    brant_cursor_free(cursor);
    brant_db_free(reader);
    brant_db_free(db);
}

/* ---- processes ------------------------------------------------------------------------------------------------------------ */

enum { LEASE = 1000, TURNS = 100 };

/*
 * Takes the lock again and again and writes a line "<token>" when it has it and when it is about to release it, to a file opened for appending. As long as
 * its lease lasts nobody else may write. Who finds then that it was over, since a busy machine kept the process from running, adds "-<token>": nothing can be said of that turn.
 */
static void contend(const char *path, const char *ledger, int number) {
    brant_db *db = NULL;
    brant_cursor *cursor = NULL;
    char owner[32], line[32];
    if (brant_open(&db, TEXT(path), TEXT(PATIENT)) != BRANT_OK) _exit(2);
    const int fd = open(ledger, O_WRONLY | O_APPEND | O_CLOEXEC);
    snprintf(owner, sizeof owner, "process %d", number);
    cursor = watch(db, "l");
    for (;;) {
        char *answer = NULL;
        size_t length = 0;
        if (brant_cursor_next(&answer, &length, cursor, 5000) != BRANT_OK) _exit(3);
        brant_free(answer);
        const int64_t token = acquire(db, "l", owner, LEASE);
        if (token == 0) continue;
        const int size = snprintf(line, sizeof line, "%lld\n", (long long)token);
        if (write(fd, line, (size_t)size) != size) _exit(4);
        pause_ms(1);
        if (write(fd, line, (size_t)size) != size) _exit(4);
        if (released(db, "l", token)) continue;
        const int lost = snprintf(line, sizeof line, "-%lld\n", (long long)token);
        if (write(fd, line, (size_t)lost) != lost) _exit(4);
    }
}

static pid_t start_contender(const char *path, const char *ledger, int number) {
    const pid_t pid = fork();
    if (pid == 0) {
        contend(path, ledger, number);
        _exit(0);
    }
    return pid;
}

static void test_processes_exclude_each_other(void **state) {
    char *path = strdup(in_folder(*state, "a.db")), *ledger = strdup(in_folder(*state, "ledger"));
    brant_db_free(must_open(path, ""));
    close(open(ledger, O_CREAT | O_WRONLY, 0600));
    pid_t children[3];
    for (int i = 0; i < 3; i++)
        children[i] = start_contender(path, ledger, i);
    for (int i = 0; i < 12; i++) {
        pause_ms(100);
        kill(children[i % 3], SIGKILL);
        int status = 0;
        waitpid(children[i % 3], &status, 0);
        assert_true(WIFSIGNALED(status));
        children[i % 3] = start_contender(path, ledger, i + 10);
    }
    /* Those who live go on. */
    const int64_t size = file_size(ledger), began = monotonic_ms();
    while (file_size(ledger) < size + 8 * TURNS && monotonic_ms() - began < PATIENCE)
        pause_ms(20);
    for (int i = 0; i < 3; i++) {
        kill(children[i], SIGKILL);
        int status = 0;
        waitpid(children[i], &status, 0);
        assert_true(WIFSIGNALED(status));
    }
    /* Tokens never fall, and each is written twice, but for those whose holder was killed. */
    FILE *lines = fopen(ledger, "r");
    static bool late[100000]; /* tokens whose lease was over */
    long long token = 0, last = 0;
    int times = 0, whole = 0, broken = 0;
    while (fscanf(lines, "%lld", &token) == 1)
        if (token < 0 && token > -100000) late[-token] = true;
    rewind(lines);
    while (fscanf(lines, "%lld", &token) == 1) {
        if (token < 0 || (token < 100000 && late[token])) continue;
        assert_true(token >= last);
        if (token == last) {
            assert_int_equal(++times, 2);
            whole++;
            broken--;
        } else {
            times = 1;
            broken++;
        }
        last = token;
    }
    fclose(lines);
    print_message("%d whole turns, %d broken\n", whole, broken);
    assert_true(whole > TURNS);
    assert_in_range(broken, 0, 15);
    brant_db *db = must_open(path, "");
    must_be_well(db);
    brant_db_free(db);
    free(path);
    free(ledger);
}

static void test_plans(void **state) {
    brant_db_free(open_with_clock(in_folder(*state, "a.db")));
    must_plan_well(in_folder(*state, "a.db"), brant__lock_statements.sql,
                   brant__lock_statements.count);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lease, set_up_clock, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_refusals, set_up_clock, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_list_and_maintain, set_up_clock, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_tokens_grow_for_ever, set_up_clock, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_clock_jumps_back, set_up_clock, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_watch, set_up_clock, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_one_is_woken_for_each_release, set_up_clock,
                                        tear_down_folder),
        cmocka_unit_test_setup_teardown(test_watch_in_memory_and_read_only, set_up_clock,
                                        tear_down_folder),
        cmocka_unit_test_setup_teardown(test_processes_exclude_each_other, set_up_clock,
                                        tear_down_folder),
        cmocka_unit_test_setup_teardown(test_plans, set_up_clock, tear_down_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
