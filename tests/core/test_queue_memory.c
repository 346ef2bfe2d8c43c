/*
 * tests/core/test_queue_memory.c: each operation on queues and jobs on a new handle, with its first, second, third .. allocation failing, brant's own and SQLite's: it says NO_MEMORY and leaves
 * everything as it was, or succeeds; cursors go on afterwards.
 */

#include "failing_allocator.h"

/* ---- operations ------------------------------------------------------------------------------ */

/* What there is before each: 1 runs (token 1), 2 waits for it, 3 is blocked by its key, 4 is delayed and unique, 5 ready, 6 cancelled, 7 and 8 ready and too late, 9 and 10 run with ended leases. */
static const char *const before[][2] = {
    {"queues.configure",
     "{\"queue\":\"q\",\"key_concurrency\":1,\"result_ttl\":1,\"concurrency\":9,"
     "\"rate_limit\":{\"limit\":100,\"period\":1000},\"max_size\":100}"},
    {"queues.enqueue_many", "{\"queue\":\"q\",\"items\":[{\"key\":\"k\",\"priority\":9},{\"after\":"
                            "[{\"item\":0}]},{\"key\":"
                            "\"k\"},{\"delay\":100000,\"unique\":{\"key\":\"u\"}},{\"priority\":-1}"
                            ",{},{\"expires_in\":1},{"
                            "\"expires_in\":1},{\"priority\":8},{\"priority\":8}]}"},
    {"queues.claim", "{\"queue\":\"q\",\"worker\":\"w\",\"lease\":600000}"},
    {"queues.claim", "{\"queue\":\"q\",\"worker\":\"w\",\"lease\":1,\"limit\":2}"},
    {"jobs.cancel", "{\"id\":6}"},
};

static const char *const operations[][2] = {
    {"queues.configure", "{\"queue\":\"q\",\"key_concurrency\":null,\"fifo\":true}"},
    {"queues.configure", "{\"queue\":\"p\"}"},
    {"queues.get", "{\"queue\":\"q\"}"},
    {"queues.list", "{\"prefix\":\"q\"}"},
    {"queues.pause", "{\"queue\":\"q\"}"},
    {"queues.delete", "{\"queue\":\"q\",\"force\":true}"},
    {"queues.enqueue", "{\"queue\":\"q\",\"key\":\"k\",\"priority\":20,\"payload_base64\":\"AAA=\","
                       "\"after\":[1,4],\"unique\":{\"key\":\"v\",\"window\":9}}"},
    {"queues.enqueue", "{\"queue\":\"q\",\"payload\":[1],\"after\":[6]}"},
    {"queues.enqueue",
     "{\"queue\":\"q\",\"payload\":[1],\"unique\":{\"key\":\"u\",\"on_conflict\":\"replace\"}}"},
    {"queues.enqueue_many", "{\"queue\":\"n\",\"items\":[{},{\"after\":[{\"item\":0}]}]}"},
    {"queues.claim", "{\"queue\":\"q\",\"limit\":5,\"ack\":[{\"id\":1,\"token\":1,\"result\":{}},{"
                     "\"id\":5,\"token\":1}]}"},
    {"queues.stats", "{}"},
    {"queues.prune", "{\"queue\":\"q\"}"},
    {"jobs.get", "{\"id\":2}"},
    {"jobs.list", "{\"queue\":\"q\",\"limit\":2}"},
    {"jobs.list", "{\"queue\":\"q\",\"limit\":1,\"state\":\"cancelled\"}"},
    {"jobs.ack", "{\"id\":1,\"token\":1,\"result\":[1]}"},
    {"jobs.ack_many", "{\"items\":[{\"id\":1,\"token\":1},{\"id\":2,\"token\":1}]}"},
    {"jobs.fail",
     "{\"id\":1,\"token\":1,\"error\":{\"message\":\"m\",\"stack\":\"s\",\"code\":1}}"},
    {"jobs.snooze", "{\"id\":1,\"token\":1,\"delay\":5}"},
    {"jobs.release", "{\"id\":1,\"token\":1}"},
    {"jobs.heartbeat", "{\"id\":1,\"token\":1,\"progress\":{\"x\":1}}"},
    {"jobs.heartbeat_many", "{\"items\":[{\"id\":1,\"token\":1},{\"id\":2,\"token\":1}]}"},
    {"jobs.cancel", "{\"id\":1}"},
    {"jobs.cancel", "{\"id\":2}"},
    {"jobs.requeue", "{\"id\":6,\"payload\":{\"again\":true}}"},
    {"jobs.requeue_many", "{\"queue\":\"q\",\"state\":\"cancelled\"}"},
    {"jobs.delete", "{\"id\":4}"},
    {"jobs.update", "{\"id\":3,\"priority\":30,\"run_at\":1,\"payload_base64\":\"/w==\"}"},
};

/* All that the operations may change. */
static char *summary(brant_db *db) {
    char *text = must_call(
        db, "sql.execute",
        "{\"sql\":\"SELECT (SELECT group_concat(name || state || policy || revision || size) FROM "
        "queues), (SELECT group_concat(id || ':' || state || priority || ifnull(payload, '') || "
        "ifnull(run_at, '') || attempt || claims || ifnull(lease_until, '') || waits || cancel || "
        "ifnull(errors, '') || ifnull(progress, '')) FROM jobs), (SELECT group_concat(after || job "
        "|| on_failure) FROM job_dependencies), (SELECT group_concat(key || job) FROM job_uniques),"
        " (SELECT group_concat(kind || bucket || count) FROM queue_metrics), (SELECT "
        "group_concat(at || total) FROM queue_claims)\"}",
        NULL);
    *strstr(text, "\"changes\"") = 0;
    return text;
}

static long step_of(void) { /* 1: each; else some, from a different one each time */
    const char *text = getenv("BRANT_MEMORY_STEP");
    return text ? atol(text) : 31;
}

static void copy_file(const char *from, const char *to) {
    char bytes[65536];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    assert_true(in && out);
    for (size_t length; (length = fread(bytes, 1, sizeof bytes, in)) > 0;)
        assert_int_equal(fwrite(bytes, 1, length, out), length);
    fclose(in);
    fclose(out);
}

static const char *make_base(const char *folder) {
    const char *path = in_folder(folder, "base.db");
    brant_db *db = must_open(path, "");
    for (size_t i = 0; i < sizeof before / sizeof *before; i++)
        must(db, before[i][0], before[i][1], NULL);
    must(db, "db.maintain", "{}", NULL); /* checkpoints: one file is all of it */
    brant_db_free(db);
    return path;
}

static bool try_operation(const char *path, const char *name, const char *input, long n) {
    char *answer = NULL;
    size_t length = 0;
    brant_db *db = must_open(path, "");
    char *was = summary(db), *is;
    failures = 0;
    countdown = n;
    const brant_status status = brant_call(&answer, &length, db, TEXT(name), TEXT(input));
    countdown = -1;
    brant_free(answer);
    if (status != BRANT_OK && (status != BRANT_NO_MEMORY || failures == 0))
        fail_msg("%s %s, allocation %ld: %s: %s", name, input, n, brant_status_name(status),
                 brant_last_error()->message);
    is = summary(db);
    if (status != BRANT_OK && strcmp(was, is) != 0)
        fail_msg("%s %s, allocation %ld: it failed, and changed %s to %s", name, input, n, was, is);
    const bool done = failures == 0;
    if (status != BRANT_OK) must(db, name, input, NULL);
    brant_free(was);
    brant_free(is);
    must_be_well(db);
    brant_db_free(db);
    return done;
}

static void test_operations(void **state) {
    char *folder = make_folder_in_memory();
    char *base = strdup(make_base(folder)), *path = strdup(in_folder(folder, "a.db"));
    const long step = step_of();
    (void)state;
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        bool done = false;
        for (long n = step > 1 ? (long)((size_t)getpid() + i) % step : 0; !done; n += step) {
            copy_file(base, path);
            done = try_operation(path, operations[i][0], operations[i][1], n);
            unlink(path);
            unlink(in_folder(folder, "a.db-wal"));
            unlink(in_folder(folder, "a.db-shm"));
        }
    }
    free(base);
    free(path);
    remove_folder(folder);
}

/* ---- cursors ----------------------------------------------------------------------------------- */

static const char *const cursors[][3] = {
    /* what makes it yield */
    {"queues.watch", "{\"queue\":\"n\"}", "queues.enqueue {\"queue\":\"n\"}"},
    {"jobs.watch", "{\"id\":5}", "jobs.cancel {\"id\":5}"},
    {"jobs.cancels", "{\"queue\":\"q\",\"worker\":\"w\"}", "jobs.cancel {\"id\":1}"},
};

/* Open, fall asleep, be given something, all with a failing allocation somewhere; then without: it is still told. */
static bool try_cursor(const char *path, const char *const cursor_of[3], long n) {
    brant_db *db = must_open(path, "");
    brant_cursor *cursor = NULL;
    char *items = NULL, name[64];
    size_t length = 0;
    bool told = false;
    failures = 0;
    countdown = n;
    brant_status status = brant_call_open(&cursor, db, TEXT(cursor_of[0]), TEXT(cursor_of[1]));
    for (int look = 0; status == BRANT_OK && look < 2; look++) {
        status = brant_cursor_next(&items, &length, cursor, 0);
        assert_true(status != BRANT_OK || strcmp(items, "[]") == 0);
        brant_free(items);
        items = NULL;
    }
    if (status != BRANT_OK && (status != BRANT_NO_MEMORY || failures == 0))
        fail_msg("%s, allocation %ld: %s", cursor_of[0], n, brant_last_error()->message);
    const long left = countdown;
    countdown = -1;
    if (!cursor)
        assert_int_equal(brant_call_open(&cursor, db, TEXT(cursor_of[0]), TEXT(cursor_of[1])),
                         BRANT_OK);
    const char *space = strchr(cursor_of[2], ' ');
    snprintf(name, sizeof name, "%.*s", (int)(space - cursor_of[2]), cursor_of[2]);
    must(db, name, space + 1, NULL);
    countdown = left;
    for (int look = 0; !told && look < 3; look++) {
        status = brant_cursor_next(&items, &length, cursor, 0);
        if (status == BRANT_OK)
            told = strcmp(items, "[]") != 0;
        else if (status != BRANT_NO_MEMORY)
            fail_msg("%s, allocation %ld: %s", cursor_of[0], n, brant_last_error()->message);
        brant_free(items);
        items = NULL;
    }
    countdown = -1;
    assert_true(told);
    const bool done = failures == 0;
    brant_cursor_free(cursor);
    must_be_well(db);
    brant_db_free(db);
    return done;
}

static void test_cursors(void **state) {
    char *folder = make_folder_in_memory();
    char *base = strdup(make_base(folder)), *path = strdup(in_folder(folder, "a.db"));
    const long step = step_of();
    (void)state;
    for (size_t i = 0; i < sizeof cursors / sizeof *cursors; i++) {
        bool done = false;
        for (long n = step > 1 ? (long)((size_t)getpid() + i) % step : 0; !done; n += step) {
            copy_file(base, path);
            done = try_cursor(path, cursors[i], n);
            unlink(path);
            unlink(in_folder(folder, "a.db-wal"));
            unlink(in_folder(folder, "a.db-shm"));
        }
    }
    free(base);
    free(path);
    remove_folder(folder);
}

int main(void) {
    if (!failing_allocator_install()) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_operations),
        cmocka_unit_test(test_cursors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
