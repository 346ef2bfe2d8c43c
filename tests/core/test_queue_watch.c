/*
 * tests/core/test_queue_watch.c: who is woken for a job: as many as there are jobs, in any process; at due times, ended leases and tokens; and when the one that was woken dies.
 */
#define _GNU_SOURCE
#include "child.h"

#include <poll.h>
#include <signal.h>

#include "event/event.h"
#include "event/queue_watch.h"
#include "test_wake.h"

#define FALLBACK PATIENCE

/* ---- both sides ------------------------------------------------------------------------------ */

/* brant_call where an assertion must not fail: the answer, to be freed, or NULL. */
static char *ask(brant_db *db, const char *name, const char *json) {
    char *answer = NULL;
    size_t length = 0;
    if (brant_call(&answer, &length, db, TEXT(name), TEXT(json)) != BRANT_OK)
        fprintf(stderr, "%s %s: %s\n", name, json, brant_last_error()->message);
    return answer;
}

static bool does(brant_db *db, const char *name, const char *json) {
    char *answer = ask(db, name, json);
    brant_free(answer);
    return answer != NULL;
}

static brant_db *open_quietly(const char *path) {
    brant_db *db = NULL;
    return brant_open(&db, TEXT(path), TEXT(PATIENT)) == BRANT_OK ? db : NULL;
}

static brant_cursor *watch(brant_db *db, const char *name, const char *json) {
    brant_cursor *cursor = NULL;
    if (brant_call_open(&cursor, db, TEXT(name), TEXT(json)) != BRANT_OK)
        fprintf(stderr, "%s %s: %s\n", name, json, brant_last_error()->message);
    return cursor;
}
static brant_cursor *watch_queue(brant_db *db) {
    return watch(db, "queues.watch", "{\"queue\":\"q\"}");
}

/* What the cursor yields within the time, to be freed; "[]" nothing. */
static char *items(brant_cursor *cursor, int64_t timeout) {
    char *text = NULL;
    size_t length = 0;
    if (brant_cursor_next(&text, &length, cursor, timeout) != BRANT_OK)
        fprintf(stderr, "next: %s\n", brant_last_error()->message);
    return text;
}
static bool ready(brant_cursor *cursor, int64_t timeout) {
    char *text = items(cursor, timeout);
    const bool is = text && strcmp(text, "[{\"queue\":\"q\",\"ready\":true}]") == 0;
    if (!is && (!text || strcmp(text, "[]") != 0)) fprintf(stderr, "next: %s\n", text);
    brant_free(text);
    return is;
}

/* The id of a job that was claimed; 0: none was there. */
static int64_t claim_with(brant_db *db, const char *members, int64_t *token) {
    char json[256];
    snprintf(json, sizeof json, "{\"queue\":\"q\"%s}", members);
    char *answer = ask(db, "queues.claim", json);
    const char *id = answer ? strstr(answer, "\"id\":") : NULL;
    const int64_t found = id ? strtoll(id + 5, NULL, 10) : 0;
    if (id && token) *token = strtoll(strstr(answer, "\"token\":") + 8, NULL, 10);
    brant_free(answer);
    return found;
}
static int64_t claim(brant_db *db) {
    return claim_with(db, "", NULL);
}

static int64_t enqueue(brant_db *db, const char *members) {
    char json[256];
    snprintf(json, sizeof json, "{\"queue\":\"q\"%s}", members);
    char *answer = must_call(db, "queues.enqueue", json, "\"id\":");
    const int64_t id = strtoll(strstr(answer, "\"id\":") + 5, NULL, 10);
    brant_free(answer);
    return id;
}

static bool with_token(brant_db *db, const char *name, int64_t id, int64_t token,
                       const char *members) {
    char json[256];
    snprintf(json, sizeof json, "{\"id\":%lld,\"token\":%lld%s}", (long long)id, (long long)token,
             members);
    return does(db, name, json);
}

/* ---- sleepers of this process ------------------------------------------------------------------ */

typedef struct sleeper {
    brant_db *db;
    brant_cursor *cursor;
    int fd;
} sleeper;

static void fall_asleep(sleeper *self, const char *path) {
    self->db = must_open(path, "");
    self->cursor = watch_queue(self->db);
    assert_non_null(self->cursor);
    assert_false(ready(self->cursor, 0));
    assert_int_equal(brant_wake_fd(&self->fd, self->db), BRANT_OK);
}

static void wake_up(sleeper *self) {
    brant_cursor_free(self->cursor);
    brant_db_free(self->db);
}

/* How many of them got a wake that they have not looked after. */
static int woken(const sleeper *sleepers, int count) {
    int found = 0;
    for (int i = 0; i < count; i++) {
        struct pollfd descriptor = {.fd = sleepers[i].fd, .events = POLLIN};
        found += poll(&descriptor, 1, 0) == 1;
    }
    return found;
}

/* Who was woken looks, and claims; those who find nothing sleep again. Until nobody is woken: on a slow machine a claim passes wakes on. How many jobs they got. */
static int serve(sleeper *sleepers, int count) {
    int served = 0;
    while (woken(sleepers, count) > 0)
        for (int i = 0; i < count; i++) {
            if (woken(&sleepers[i], 1) == 0) continue;
            assert_int_equal(brant_wake_acknowledge(sleepers[i].db), BRANT_OK);
            while (ready(sleepers[i].cursor, 0) && claim(sleepers[i].db))
                served++;
        }
    return served;
}

/* ---- one for one ----------------------------------------------------------------------------------- */

#define MANY 100

static void test_one_of_many(void **state) {
    const char *path = in_folder(*state, "a.db");
    static sleeper sleepers[MANY];
    brant_db *db = must_open(path, "");
    for (int i = 0; i < MANY; i++)
        fall_asleep(&sleepers[i], path);
    assert_int_equal(woken(sleepers, MANY), 0);
    enqueue(db, "");
    assert_int_equal(woken(sleepers, MANY), 1);
    assert_int_equal(serve(sleepers, MANY), 1);
    /* The claim woke one more, which now sleeps until the lease ends. */
    assert_int_equal(woken(sleepers, MANY), 0);
    must(db, "queues.enqueue_many", "{\"queue\":\"q\",\"items\":[{},{},{},{}]}", NULL);
    assert_int_equal(woken(sleepers, MANY), 4);
    assert_int_equal(serve(sleepers, MANY), 4);
    assert_int_equal(woken(sleepers, MANY), 0);
    /* What does not become ready wakes nobody. */
    must(db, "queues.configure", "{\"queue\":\"q\",\"key_concurrency\":1}", NULL);
    serve(sleepers, MANY);
    must(db, "queues.enqueue_many",
         "{\"queue\":\"q\",\"items\":[{\"key\":\"k\"},{\"key\":\"k\"},{\"key\":\"k\"}]}", NULL);
    assert_int_equal(woken(sleepers, MANY), 1);
    must(db, "transaction.begin", "{}", NULL);
    enqueue(db, "");
    must(db, "transaction.rollback", "{}", NULL);
    assert_int_equal(woken(sleepers, MANY), 1);
    assert_int_equal(serve(sleepers, MANY), 1);
    uint64_t wakes = 0;
    for (int i = 0; i < MANY; i++) {
        wakes += brant__wake_count(sleepers[i].db);
        wake_up(&sleepers[i]);
    }
    /* 1 + 4 + 1 jobs, one for the end of the first lease, and all for the change of the policy; on a slow machine some that were passed on. */
    assert_in_range(wakes, 7, 20 + MANY);
    brant_db_free(db);
}

static void watch_and_work(child *self) {
    brant_db *db = open_quietly(self->path);
    brant_cursor *cursor = db ? watch_queue(db) : NULL;
    int64_t token = 0;
    CHECK(cursor && !ready(cursor, 0));
    check_in(db, HOUR); /* by wakes, not by that */
    say(self);
    CHECK(ready(cursor, PATIENCE));
    const int64_t id = claim_with(db, "", &token);
    CHECK(id > 0);
    CHECK(with_token(db, "jobs.ack", id, token, ""));
    say(self);
    CHECK(hear(self));
    brant_cursor_free(cursor);
    brant_db_free(db);
}

/* Four processes watch: four jobs wake the four. */
static void test_between_processes(void **state) {
    const char *path = in_folder(*state, "a.db");
    child workers[4];
    brant_db_free(must_open(path, ""));
    for (int i = 0; i < 4; i++)
        fork_child(&workers[i], watch_and_work, path, i);
    for (int i = 0; i < 4; i++)
        assert_true(hear(&workers[i]));
    brant_db *db = must_open(path, "");
    must(db, "queues.enqueue_many", "{\"queue\":\"q\",\"items\":[{},{},{},{}]}", NULL);
    for (int i = 0; i < 4; i++)
        assert_true(hear(&workers[i]));
    must(db, "queues.stats", "{\"queue\":\"q\"}", "\"completed\":4");
    for (int i = 0; i < 4; i++) {
        say(&workers[i]);
        must_end(&workers[i], 0);
    }
    brant_db_free(db);
}

/* ---- level-triggered --------------------------------------------------------------------------------- */

static void test_each_look_that_finds_something(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open(path, ""), *other = must_open(path, "");
    brant_cursor *cursor = watch_queue(db); /* of a queue that is not there yet */
    assert_false(ready(cursor, 0));
    enqueue(other, "");
    enqueue(other, "");
    for (int i = 0; i < 3; i++)
        assert_true(ready(cursor, PATIENCE));
    assert_int_equal(claim(db), 1);
    assert_true(ready(cursor, 0));
    assert_int_equal(claim(other), 2);
    assert_false(ready(cursor, 0)); /* another took it */
    /* Not while the user has a transaction open. */
    must(db, "transaction.begin", "{}", NULL);
    enqueue(db, "");
    assert_false(ready(cursor, 0));
    must(db, "transaction.commit", "{}", NULL);
    assert_true(ready(cursor, PATIENCE));
    brant_cursor_free(cursor);
    brant_db_free(other);
    brant_db_free(db);
}

static void test_paused(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open(path, "");
    sleeper sleepers[3];
    enqueue(db, "");
    must(db, "queues.pause", "{\"queue\":\"q\"}", NULL);
    for (int i = 0; i < 3; i++)
        fall_asleep(&sleepers[i], path);
    enqueue(db, "");
    assert_int_equal(woken(sleepers, 3), 0);
    must(db, "queues.resume", "{\"queue\":\"q\"}", NULL);
    assert_int_equal(serve(sleepers, 3), 2);
    for (int i = 0; i < 3; i++)
        wake_up(&sleepers[i]);
    brant_db_free(db);
}

static void test_slot_comes_free(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open(path, "");
    sleeper sleepers[3];
    int64_t token = 0;
    must(db, "queues.configure", "{\"queue\":\"q\",\"concurrency\":1}", NULL);
    enqueue(db, "");
    enqueue(db, "");
    const int64_t id = claim_with(db, "", &token);
    for (int i = 0; i < 3; i++)
        fall_asleep(&sleepers[i], path);
    enqueue(db, "");
    serve(sleepers, 3);
    assert_int_equal(woken(sleepers, 3), 0);
    assert_true(with_token(db, "jobs.ack", id, token, ""));
    assert_int_equal(woken(sleepers, 3), 1);
    assert_int_equal(serve(sleepers, 3), 1);
    for (int i = 0; i < 3; i++)
        wake_up(&sleepers[i]);
    brant_db_free(db);
}

static void test_jobs_that_come_back(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open(path, "");
    sleeper sleepers[4];
    int64_t token = 0;
    must(db, "queues.configure", "{\"queue\":\"q\",\"key_concurrency\":1,\"max_attempts\":1}",
         NULL);
    for (int i = 0; i < 2; i++) {
        const int64_t id = enqueue(db, "");
        assert_int_equal(claim_with(db, "", &token), id);
        assert_true(with_token(db, "jobs.fail", id, token, ",\"error\":\"x\""));
    }
    const int64_t first = enqueue(db, ",\"key\":\"k\"");
    assert_int_equal(claim_with(db, ",\"lease\":600000", &token), first);
    enqueue(db, ",\"key\":\"k\"");
    const int64_t later = enqueue(db, ",\"delay\":600000");
    for (int i = 0; i < 4; i++)
        fall_asleep(&sleepers[i], path);
    must(db, "jobs.requeue", "{\"id\":1}", NULL);
    assert_int_equal(woken(sleepers, 4), 1);
    assert_int_equal(serve(sleepers, 4), 1);
    must(db, "jobs.requeue_many", "{\"queue\":\"q\"}", "1");
    assert_int_equal(woken(sleepers, 4), 1);
    assert_int_equal(serve(sleepers, 4), 1);
    assert_true(with_token(db, "jobs.ack", first, token, "")); /* the next of its key */
    assert_int_equal(woken(sleepers, 4), 1);
    assert_int_equal(serve(sleepers, 4), 1);
    char json[128];
    snprintf(json, sizeof json, "{\"id\":%lld,\"run_at\":0}", (long long)later);
    must(db, "jobs.update", json, "\"ready\"");
    assert_int_equal(woken(sleepers, 4), 1);
    assert_int_equal(serve(sleepers, 4), 1);
    for (int i = 0; i < 4; i++)
        wake_up(&sleepers[i]);
    brant_db_free(db);
}

/* ---- at a time ------------------------------------------------------------------------------------------ */

/* The cursor yields by itself, before the fallback check. */
static void must_become_ready(brant_db *db, brant_cursor *cursor) {
    check_in(db, HOUR);
    assert_true(ready(cursor, PATIENCE));
}

static void test_due(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open(path, "");
    sleeper sleepers[5];
    for (int i = 0; i < 5; i++)
        fall_asleep(&sleepers[i], path);
    enqueue(db, ",\"delay\":60000");
    assert_int_equal(woken(sleepers, 5), 1); /* it sleeps until then */
    assert_int_equal(serve(sleepers, 5), 0);
    enqueue(db, ",\"delay\":70000");
    assert_int_equal(woken(sleepers, 5), 0); /* somebody is awake by then */
    enqueue(db, ",\"delay\":300");           /* an earlier one: somebody is told */
    assert_int_equal(woken(sleepers, 5), 1);
    int first = 0;
    while (woken(&sleepers[first], 1) == 0)
        first++;
    must_become_ready(sleepers[first].db, sleepers[first].cursor);
    assert_int_equal(claim(sleepers[first].db), 3);
    assert_false(ready(sleepers[first].cursor, 0));
    for (int i = 0; i < 5; i++)
        wake_up(&sleepers[i]);
    brant_db_free(db);
}

static void test_token_of_the_rate_limit(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open(path, "");
    must(db, "queues.configure", "{\"queue\":\"q\",\"rate_limit\":{\"limit\":1,\"period\":400}}",
         NULL);
    enqueue(db, "");
    enqueue(db, "");
    brant_cursor *cursor = watch_queue(db);
    assert_true(ready(cursor, 0));
    assert_int_equal(claim(db), 1);
    must_become_ready(db, cursor);
    assert_int_equal(claim(db), 2);
    brant_cursor_free(cursor);
    brant_db_free(db);
}

static void claim_and_hang(child *self) {
    brant_db *db = open_quietly(self->path);
    CHECK(db && claim_with(db, ",\"lease\":700", NULL) == 1);
    say(self);
    (void)hear(self);
}

static void test_lease_of_a_killed_worker(void **state) {
    const char *path = in_folder(*state, "a.db");
    child worker;
    brant_db *db = must_open(path, "");
    enqueue(db, "");
    brant_db_free(db);
    fork_child(&worker, claim_and_hang, path, 0);
    assert_true(hear(&worker));
    kill(worker.process, SIGKILL);
    must_end(&worker, -SIGKILL);
    db = must_open(path, "");
    brant_cursor *cursor = watch_queue(db);
    if (!ready(cursor, 0)) must_become_ready(db, cursor); /* on a busy machine it has ended */
    must(db, "queues.claim", "{\"queue\":\"q\"}", "\"attempt\":2");
    brant_cursor_free(cursor);
    brant_db_free(db);
}

/* ---- a woken one that does not come ------------------------------------------------------------------------ */

static void sleep_for_ever(child *self) {
    brant_db *db = open_quietly(self->path);
    brant_cursor *cursor = db ? watch_queue(db) : NULL;
    CHECK(cursor && !ready(cursor, 0));
    say(self);
    (void)hear(self);
}

/* The child slept first, is woken, and dies before it looks. */
static void strand(child *dead, brant_db **db, sleeper *other, const char *path) {
    brant_db_free(must_open(path, ""));
    fork_child(dead, sleep_for_ever, path, 0);
    assert_true(hear(dead));
    *db = must_open(path, "");
    fall_asleep(other, path);
    enqueue(*db, ",\"payload\":\"stranded\"");
    assert_int_equal(woken(other, 1), 0);
    kill(dead->process, SIGKILL);
    must_end(dead, -SIGKILL);
    assert_int_equal(woken(other, 1), 0);
}

static void test_stranded_and_noticed(void **state) {
    child dead;
    brant_db *db = NULL;
    sleeper other;
    strand(&dead, &db, &other, in_folder(*state, "a.db"));
    assert_true(ready(other.cursor, PATIENCE)); /* by the fallback check */
    assert_int_equal(claim(other.db), 1);
    wake_up(&other);
    brant_db_free(db);
}

static void test_stranded_and_passed_on(void **state) {
    const char *path = in_folder(*state, "a.db");
    child dead;
    brant_db *db = NULL;
    sleeper other;
    int64_t token = 0;
    brant_db *early = must_open(path, "");
    enqueue(early, ",\"priority\":-1");
    assert_int_equal(claim_with(early, ",\"lease\":600000", &token), 1);
    brant_db_free(early);
    const int64_t before = monotonic_ms();
    strand(&dead, &db, &other, path);
    assert_true(with_token(db, "jobs.heartbeat", 1, token, ",\"lease\":600000"));
    const bool early_enough = monotonic_ms() - before < 50;  /* on a busy machine it is not */
    if (early_enough) assert_int_equal(woken(&other, 1), 0); /* it might still come */
    pause_ms(60);
    assert_true(with_token(db, "jobs.heartbeat", 1, token, ",\"lease\":600000"));
    assert_int_equal(woken(&other, 1), 1);
    assert_int_equal(serve(&other, 1), 1);
    wake_up(&other);
    brant_db_free(db);
}

/* A cursor that is closed after it was woken leaves the wake to the next. */
static void test_closed_after_it_was_woken(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open(path, "");
    sleeper sleepers[2];
    for (int i = 0; i < 2; i++)
        fall_asleep(&sleepers[i], path);
    enqueue(db, "");
    assert_int_equal(woken(&sleepers[0], 1), 1);
    wake_up(&sleepers[0]);
    assert_int_equal(woken(&sleepers[1], 1), 1);
    assert_int_equal(serve(&sleepers[1], 1), 1);
    wake_up(&sleepers[1]);
    /* Nobody is left in the wait queue. */
    must(db, "sql.execute", "{\"sql\":\"SELECT count(*) FROM brant_waiters\"}", "[[0]]");
    brant_db_free(db);
}

/* ---- others ----------------------------------------------------------------------------------------------------- */

static void test_memory_and_read_only(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open(":memory:", "");
    brant_cursor *cursor = watch_queue(db);
    assert_false(ready(cursor, 0));
    enqueue(db, ",\"delay\":100");
    assert_true(ready(cursor, 3000));
    brant_cursor_free(cursor);
    brant_db_free(db);
    db = must_open(path, "");
    brant_db *reader = must_open(path, "{\"mode\":\"ro\"}");
    cursor = watch_queue(reader);
    assert_false(ready(cursor, 0));
    enqueue(db, "");
    assert_true(ready(cursor, FALLBACK));
    brant_cursor_free(cursor);
    brant_db_free(reader);
    brant_db_free(db);
}

static void test_cancels(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open(path, ""), *other = must_open(path, "");
    brant_cursor *mine = watch(db, "jobs.cancels", "{\"queue\":\"q\",\"worker\":\"me\"}"),
                 *yours = watch(db, "jobs.cancels", "{\"queue\":\"q\",\"worker\":\"you\"}");
    int64_t token = 0;
    char *text;
    brant_free(text = items(mine, 0));
    for (int i = 0; i < 3; i++)
        enqueue(other, "");
    assert_int_equal(claim_with(db, ",\"worker\":\"me\"", &token), 1);
    assert_int_equal(claim_with(db, ",\"worker\":\"you\"", NULL), 2);
    must(other, "jobs.cancel", "{\"id\":3}", "cancelled"); /* one that waits */
    must(other, "jobs.cancel", "{\"id\":1}", "running");
    assert_string_equal(text = items(mine, FALLBACK), "[{\"id\":1,\"token\":1}]");
    brant_free(text);
    assert_true(brant__wake_count(db) > 0);
    must(other, "jobs.cancel", "{\"id\":1}", "running");
    assert_string_equal(text = items(mine, 50), "[]"); /* once a claim */
    brant_free(text);
    assert_string_equal(text = items(yours, 0), "[]");
    brant_free(text);
    /* Given back, it is cancelled; requeued and claimed, it may be asked for again. */
    assert_true(with_token(db, "jobs.release", 1, token, ""));
    must(db, "jobs.requeue", "{\"id\":1}", NULL);
    assert_int_equal(claim_with(db, ",\"worker\":\"me\"", &token), 1);
    assert_string_equal(text = items(mine, 0), "[]");
    brant_free(text);
    must(other, "jobs.cancel", "{\"id\":1}", "running");
    assert_string_equal(text = items(mine, FALLBACK), "[{\"id\":1,\"token\":2}]");
    brant_free(text);
    /* One that was asked for before the cursor is opened is told, too. */
    must(other, "jobs.cancel", "{\"id\":2}", "running");
    assert_string_equal(text = items(yours, FALLBACK), "[{\"id\":2,\"token\":1}]");
    brant_free(text);
    brant_cursor_free(yours);
    yours = watch(other, "jobs.cancels", "{\"queue\":\"q\",\"worker\":\"you\"}");
    assert_string_equal(text = items(yours, 0), "[{\"id\":2,\"token\":1}]");
    brant_free(text);
    brant_cursor_free(mine);
    brant_cursor_free(yours);
    brant_db_free(other);
    brant_db_free(db);
}

static void test_end_of_a_job(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open(path, ""), *other = must_open(path, "");
    brant_cursor *cursor = NULL;
    int64_t token = 0, ms = 0;
    char *text;
    must(db, "queues.configure", "{\"queue\":\"q\",\"max_attempts\":1,\"result_ttl\":60000}", NULL);
    enqueue(db, "");
    assert_int_equal(brant_call_open(&cursor, db, TEXT("jobs.watch"), TEXT("{\"id\":2}")),
                     BRANT_NOT_FOUND);
    assert_null(cursor);
    cursor = watch(db, "jobs.watch", "{\"id\":1}");
    assert_string_equal(text = items(cursor, 0), "[]");
    brant_free(text);
    claim_with(other, "", &token);
    assert_string_equal(text = items(cursor, 50), "[]");
    brant_free(text);
    assert_true(with_token(other, "jobs.ack", 1, token, ",\"result\":\"yes\""));
    text = items(cursor, FALLBACK);
    assert_non_null(strstr(text, "\"state\":\"done\""));
    assert_non_null(strstr(text, "\"result\":\"yes\""));
    brant_free(text);
    assert_string_equal(text = items(cursor, -1), "[]"); /* the end: at once */
    brant_free(text);
    assert_true(brant__wake_count(db) > 0);
    assert_int_equal(brant_cursor_wait(&ms, cursor), BRANT_OK);
    assert_int_equal(ms, -1);
    brant_cursor_free(cursor);

    /* A failure is told like a success, and at once when it has ended already. */
    enqueue(db, "");
    claim_with(other, "", &token);
    cursor = watch(db, "jobs.watch", "{\"id\":2}");
    assert_string_equal(text = items(cursor, 0), "[]");
    brant_free(text);
    assert_true(with_token(other, "jobs.fail", 2, token, ",\"error\":\"no\""));
    text = items(cursor, FALLBACK);
    assert_non_null(strstr(text, "\"state\":\"dead\""));
    brant_free(text);
    brant_cursor_free(cursor);
    cursor = watch(db, "jobs.watch", "{\"id\":2}");
    text = items(cursor, 0);
    assert_non_null(strstr(text, "\"message\":\"no\""));
    brant_free(text);
    brant_cursor_free(cursor);

    /* A result that is not kept. */
    enqueue(db, ",\"result_ttl\":0");
    claim_with(other, "", &token);
    cursor = watch(db, "jobs.watch", "{\"id\":3}");
    assert_string_equal(text = items(cursor, 0), "[]");
    brant_free(text);
    assert_true(with_token(other, "jobs.ack", 3, token, ""));
    assert_string_equal(text = items(cursor, FALLBACK), "[{\"id\":3,\"state\":\"done\"}]");
    brant_free(text);
    brant_cursor_free(cursor);

    /* One that is deleted is not taken for done, nor is one whose queue goes. */
    enqueue(db, "");
    cursor = watch(db, "jobs.watch", "{\"id\":4}");
    assert_string_equal(text = items(cursor, 0), "[]");
    brant_free(text);
    must(other, "jobs.delete", "{\"id\":4}", NULL);
    text = items(cursor, FALLBACK);
    assert_non_null(strstr(text, "\"state\":\"cancelled\""));
    brant_free(text);
    brant_cursor_free(cursor);
    must(other, "db.maintain", "{}", "\"jobs\":1");
    must_fail(other, "jobs.get", "{\"id\":4}", BRANT_NOT_FOUND, NULL);
    enqueue(db, "");
    cursor = watch(db, "jobs.watch", "{\"id\":5}");
    assert_string_equal(text = items(cursor, 0), "[]");
    brant_free(text);
    must(other, "queues.delete", "{\"queue\":\"q\"}", NULL);
    assert_string_equal(text = items(cursor, FALLBACK), "[{\"id\":5,\"state\":\"cancelled\"}]");
    brant_free(text);
    brant_cursor_free(cursor);
    brant_db_free(other);
    brant_db_free(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_of_many, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_between_processes, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_each_look_that_finds_something, set_up_folder,
                                        tear_down_folder),
        cmocka_unit_test_setup_teardown(test_paused, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_slot_comes_free, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_jobs_that_come_back, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_due, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_token_of_the_rate_limit, set_up_folder,
                                        tear_down_folder),
        cmocka_unit_test_setup_teardown(test_lease_of_a_killed_worker, set_up_folder,
                                        tear_down_folder),
        cmocka_unit_test_setup_teardown(test_stranded_and_noticed, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_stranded_and_passed_on, set_up_folder,
                                        tear_down_folder),
        cmocka_unit_test_setup_teardown(test_closed_after_it_was_woken, set_up_folder,
                                        tear_down_folder),
        cmocka_unit_test_setup_teardown(test_memory_and_read_only, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_cancels, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_end_of_a_job, set_up_folder, tear_down_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
