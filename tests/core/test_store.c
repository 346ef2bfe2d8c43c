/*
 * tests/core/test_store.c: opening, closing, transactions, the user's SQL, backup, health: on real files.
 */
#include "support.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "store/store.h"

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static mode_t mode_of(const char *path) {
    struct stat file;
    assert_int_equal(stat(path, &file), 0);
    return file.st_mode & 0777;
}

static void write_file(const char *path, const void *bytes, size_t length) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

/* Change bytes of a database header while nobody has it open. */
static void patch(const char *path, long offset, const void *bytes, size_t length) {
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    fseek(file, offset, SEEK_SET);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

/* ---- opening ------------------------------------------------------------------------------------------------------ */

static void test_open_creates_privately(void **state) {
    const char *path = in_folder(*state, "a.db");
    const mode_t before = umask(0);
    brant_db *db = must_open(path, "");
    must(db, "sql.execute", "{\"sql\":\"CREATE TABLE t (x)\"}", "\"changes\":0");
    assert_int_equal(mode_of(path), 0600);
    assert_int_equal(mode_of(in_folder(*state, "a.db-wal")), 0600);
    assert_int_equal(mode_of(in_folder(*state, "a.db-shm")), 0600);
    must(db, "db.info", "", "\"role\":\"single\"");
    must(db, "db.info", "", "\"durability\":\"normal\"");
    brant_db_free(db);
    db = must_open(in_folder(*state, "b.db"),
                   "{\"permissions\":\"group\",\"role\":\"tenant\",\"durability\":\"full\"}");
    assert_int_equal(mode_of(in_folder(*state, "b.db")), 0660);
    must(db, "db.info", "", "\"role\":\"tenant\"");
    must(db, "db.info", "", "\"durability\":\"full\"");
    must(db, "sql.execute", "{\"sql\":\"PRAGMA synchronous\"}", "[[2]]");
    must(db, "sql.execute", "{\"sql\":\"PRAGMA journal_mode\"}", "[[\"wal\"]]");
    brant_db_free(db);
    umask(before);
}

static void test_open_refuses(void **state) {
    const char *path = in_folder(*state, "a.db");
    char *folder = *state;
    must_not_open("", "", BRANT_INVALID, "empty");
    must_not_open(in_folder(folder, "none/a.db"), "", BRANT_NOT_FOUND, "does not exist");
    must_not_open(path, "{\"mode\":\"rw\"}", BRANT_NOT_FOUND, "does not exist");
    must_not_open(path, "{\"mode\":\"ro\"}", BRANT_NOT_FOUND, "does not exist");
    must_not_open(folder, "", BRANT_NOT_BRANT, "folder");
    must_not_open(path, "{\"mode\":\"append\"}", BRANT_INVALID, "must be one of");
    must_not_open(path, "{\"flavour\":1}", BRANT_INVALID, "unknown option");
    must_not_open(path, "{\"limits\":{\"depth\":1000}}", BRANT_INVALID, "limits.depth");
    must_not_open(path, "{\"limits\":{\"width\":1}}", BRANT_INVALID, "unknown limit");
    must_not_open(path, "{\"busy_timeout\":\"soon\"}", BRANT_INVALID, "busy_timeout");
    must_not_open(path, "{\"adopt\":1}", BRANT_INVALID, "adopt");
    must_not_open(path, "[]", BRANT_INVALID, "object");
    must_not_open(path, "{", BRANT_INVALID_JSON, "");
    must_not_open(":memory:", "{\"mode\":\"ro\"}", BRANT_INVALID, "read-only");
    assert_int_not_equal(access(path, F_OK), 0); /* nothing was made */
    brant_db *db = NULL;
    assert_int_equal(brant_open(&db, "a\0b", 3, "", 0), BRANT_INVALID);
    assert_int_equal(brant_open(&db, "\xff", 1, "", 0), BRANT_INVALID);
    static const char text[] =
        "this is not a database, just some text that is long enough to be read as one";
    write_file(path, text, sizeof text);
    must_not_open(path, "", BRANT_NOT_BRANT, "not a database");
}

static void test_open_versions(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open(path, "{\"role\":\"system\"}");
    brant_db_free(db);
    must_not_open(path, "{\"role\":\"tenant\"}", BRANT_CONFLICT, "role");
    db = must_open(path, "{\"mode\":\"rw\"}");
    must(db, "db.info", "", "\"role\":\"system\"");
    must(db, "db.info", "", "\"format\":7");
    brant_db_free(db);
    const unsigned char newer[] = {0, 0, 0, 99};
    patch(
        path, 60, newer,
        sizeof newer); /* user_version; min_reader and min_writer of the file are still 1: readable */
    db = must_open(path, "");
    /* A newer brant that broke the format says so in min_writer, then in min_reader. */
    brant_db_free(db);
    patch(path, 60, "\0\0\0\3", 4);
    must_not_open(path, "{\"mode\":\"rw\",\"role\":\"single\"}", BRANT_CONFLICT, "role");
}

static void run_shell(const char *format, const char *path) {
    char command[4600];
    snprintf(command, sizeof command, format, path);
    assert_int_equal(system(command), 0);
}

#define SHELL     "python3 -c \"import sqlite3; c = sqlite3.connect('%s'); c.executescript('''"
#define SHELL_END "'''); c.commit(); c.close()\""

static void test_open_newer(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db_free(must_open(path, ""));
    run_shell(SHELL "PRAGMA user_version=99; UPDATE brant_meta SET value = 99 WHERE name = "
                    "'min_writer';" SHELL_END,
              path);
    must_not_open(path, "", BRANT_NEWER_FORMAT, "format 99");
    brant_db_free(must_open(path, "{\"mode\":\"ro\"}"));
    run_shell(SHELL "UPDATE brant_meta SET value = 99 WHERE name = 'min_reader';" SHELL_END, path);
    must_not_open(path, "{\"mode\":\"ro\"}", BRANT_NEWER_FORMAT, "upgrade");
}

static void copy_file(const char *from, const char *to) {
    char bytes[65536];
    size_t length;
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    if (!in || !out) fail_msg("copying %s to %s", from, to);
    while ((length = fread(bytes, 1, sizeof bytes, in)) > 0)
        assert_int_equal(fwrite(bytes, 1, length, out), length);
    fclose(in);
    fclose(out);
}

/* A saved file of each format that was ever released opens, is brought to this one, and holds what it held; of the fifth: test_format.c. */
static void test_open_released_formats(void **state) {
    static const char *const saved[] = {"format_3.db", "format_4.db"};
    for (size_t i = 0; i < sizeof saved / sizeof *saved; i++) {
        const char *path = in_folder(*state, saved[i]);
        copy_file(in_folder(BRANT_SOURCE_DIR "/tests/core/data", saved[i]), path);
        brant_db *db = must_open(path, "{\"mode\":\"rw\"}");
        must(db, "db.info", "", "\"format\":7");
        must_be_well(db);
        must(db, "graphs.get", "{\"name\":\"plan\"}",
             "\"owner_id\":\"o1\",\"project_id\":null,\"status\":\"active\",\"metadata\":{\"a\":1},"
             "\"nodes\":3,\"edges\":2");
        must(db, "nodes.closure", "{\"graph\":\"plan\",\"keys\":[\"a\"]}",
             "{\"keys\":[\"a\",\"b\",\"c\"],\"depths\":[0,1,2]");
        must(db, "edges.get", "{\"graph\":\"plan\",\"key\":\"mine\"}",
             "\"source\":\"b\",\"target\":\"c\"");
        must(db, "edges.get",
             "{\"graph\":\"plan\",\"key\":\"[\\\"a\\\",\\\"DependsOn\\\",\\\"b\\\"]\"}",
             "\"attributes\":{\"n\":1}");
        must(db, "nodes.get", "{\"graph\":\"free\",\"key\":\"x\"}",
             "\"attributes\":{\"any\":[null,1.5]}");
        must_fail(db, "nodes.put",
                  "{\"graph\":\"plan\",\"key\":\"d\",\"type\":\"Task\",\"attributes\":{}}",
                  BRANT_VALIDATION, "title");
        must(
            db, "nodes.put",
            "{\"graph\":\"plan\",\"key\":\"d\",\"type\":\"Task\",\"attributes\":{\"title\":\"D\"}}",
            "\"created\":true");
        brant_db_free(db);
    }
}

/* What came with format 4: indexes, text, undirected edges of mixed graphs, a migration that stands half-way, a graph that is marked deleted. */
static void test_open_format_4(void **state) {
    const char *path = in_folder(*state, "format_4.db");
    copy_file(in_folder(BRANT_SOURCE_DIR "/tests/core/data", "format_4.db"), path);
    brant_db *db = must_open(path, "{\"mode\":\"rw\"}");
    must(db, "nodes.search", "{\"graph\":\"notes\",\"query\":\"pears -red\"}", "\"key\":\"n1\"");
    must(db, "nodes.explain",
         "{\"graph\":\"notes\",\"filter\":{\"type\":\"Note\",\"attributes.stars\":2}}",
         "\"indexes\":[\"notes.Note.attributes.stars\"]");
    must(db, "nodes.closure", "{\"graph\":\"notes\",\"keys\":[\"n1\"]}",
         "{\"keys\":[\"n1\",\"n0\",\"n2\"]");
    must(db, "graph_types.migration", "{\"name\":\"notes\"}", "\"remaining\":4,\"done\":false");
    must(db, "graph_types.migrate", "{\"name\":\"notes\",\"limit\":100}", "\"done\":true");
    must(db, "nodes.list", "{\"graph\":\"notes\",\"filter\":{\"attributes.seen\":false}}",
         "\"key\":\"n2\"");
    must(db, "graph_types.get", "{\"name\":\"notes\"}", "\"older_than\":1000000000000000");
    must_fail(db, "nodes.get", "{\"graph\":\"gone\",\"key\":\"x\"}", BRANT_NOT_FOUND, "gone");
    must(db, "graphs.update", "{\"name\":\"gone\",\"status\":\"active\"}", "\"nodes\":1");
    must(db, "nodes.get", "{\"graph\":\"gone\",\"key\":\"x\"}", "\"key\":\"x\"");
    must_be_well(db);
    brant_db_free(db);
}

static void test_adopt(void **state) {
    const char *path = in_folder(*state, "user.db");
    run_shell(SHELL "PRAGMA user_version=7; CREATE TABLE customers (name); INSERT INTO customers "
                    "VALUES (1);" SHELL_END,
              path);
    must_not_open(path, "", BRANT_NOT_BRANT, "adopt");
    brant_db *db = must_open(path, "{\"adopt\":true}");
    must(db, "sql.execute", "{\"sql\":\"SELECT name FROM customers\"}", "[[1]]");
    must(db, "graphs.list", "", "\"items\":[");
    brant_db_free(db);
    brant_db_free(must_open(path, ""));
    const char *other = in_folder(*state, "other.db");
    run_shell(SHELL "CREATE TABLE Nodes (name);" SHELL_END, other);
    must_not_open(other, "{\"adopt\":true}", BRANT_EXISTS, "Nodes");
}

static char *bytes_of(const char *path, size_t *length) {
    char *bytes = malloc(1 << 22);
    FILE *file = fopen(path, "rb");
    assert_true(bytes && file);
    *length = fread(bytes, 1, 1 << 22, file);
    fclose(file);
    return bytes;
}

/* The user has something of a name that a newer format needs: the file stays as it is, of its format, until that is renamed. */
static void test_upgrade_collision(void **state) {
    static const struct {
        const char *file, *make, *name;
    } cases[] = {
        {"format_4.db", "CREATE TABLE Jobs (mine); INSERT INTO Jobs VALUES (1);", "table \"Jobs\""},
        {"format_4.db", "CREATE VIEW streams AS SELECT 1;", "view \"streams\""},
        {"format_4.db", "CREATE TABLE t (x); CREATE INDEX jobs_ready ON t (x);",
         "index \"jobs_ready\""},
        {"format_5.db", "CREATE TABLE Secret_Rotations (x);", "table \"Secret_Rotations\""},
        {"format_3.db", "CREATE TABLE locks (x);", "table \"locks\""}, /* the fourth runs well */
        {"format_3.db", "CREATE TABLE imports (x);", "table \"imports\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *path = in_folder(*state, "a.db");
        char format[4096];
        copy_file(in_folder(BRANT_SOURCE_DIR "/tests/core/data", cases[i].file), path);
        snprintf(format, sizeof format, SHELL "PRAGMA journal_mode=WAL; %s" SHELL_END, "%s",
                 cases[i].make);
        run_shell(format, path);
        size_t before = 0, after = 0;
        char *was = bytes_of(path, &before);
        must_not_open(path, "{\"mode\":\"rw\"}", BRANT_EXISTS, cases[i].name);
        must_not_open(path, "{\"adopt\":true}", BRANT_EXISTS, "rename it");
        char *is = bytes_of(path, &after);
        assert_int_equal(before, after);
        assert_memory_equal(was, is, before);
        free(was);
        free(is);
    }
    /* What has a name of no table or index of ours is left alone, and what was renamed opens. */
    const char *path = in_folder(*state, "b.db");
    copy_file(in_folder(BRANT_SOURCE_DIR "/tests/core/data", "format_4.db"), path);
    run_shell(SHELL "CREATE TABLE job (x); INSERT INTO job VALUES (7);"
                    "CREATE TRIGGER jobs AFTER INSERT ON job BEGIN SELECT 1; END;" SHELL_END,
              path);
    brant_db *db = must_open(path, "{\"mode\":\"rw\"}");
    must(db, "queues.enqueue", "{\"queue\":\"q\"}", "\"id\":1");
    must(db, "sql.execute", "{\"sql\":\"SELECT x FROM job\"}", "[[7]]");
    must_be_well(db);
    brant_db_free(db);
}

static void test_read_only(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *writer = must_open(path, ""), *reader = must_open(path, "{\"mode\":\"ro\"}");
    must(writer, "sql.execute", "{\"sql\":\"CREATE TABLE t (x)\"}", NULL);
    must(reader, "sql.execute", "{\"sql\":\"SELECT count(*) FROM t\"}", "[[0]]");
    must_fail(reader, "sql.execute", "{\"sql\":\"INSERT INTO t VALUES (1)\"}", BRANT_READ_ONLY,
              "read-only");
    must_fail(reader, "events.notify", "{\"channel\":\"a\"}", BRANT_READ_ONLY, "read-only");
    must_fail(reader, "transaction.begin", "", BRANT_READ_ONLY, "read-only");
    brant_db_free(reader);
    brant_db_free(writer);
}

/* Two processes that make the same file at the same time must both get it. */
static void test_open_race(void **state) {
    const char *path = in_folder(*state, "a.db");
    pid_t children[8];
    for (int i = 0; i < 8; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            brant_db *db = NULL;
            const brant_status status =
                brant_open(&db, TEXT(path), TEXT("{\"role\":\"tenant\",\"busy_timeout\":600000}"));
            char *answer = NULL;
            size_t length = 0;
            const brant_status wrote =
                status ? status
                       : brant_event_notify(&answer, &length, db, TEXT("{\"channel\":\"a\"}"));
            brant_close(db);
            _exit(status ? 100 + status : wrote ? 50 + wrote : 0);
        }
    }
    for (int i = 0; i < 8; i++) {
        int status = 0;
        waitpid(children[i], &status, 0);
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    brant_db *db = must_open(path, "");
    must(db, "sql.execute", "{\"sql\":\"SELECT count(*) FROM notifications\"}", "[[8]]");
    must_be_well(db);
    brant_db_free(db);
}

/* A file that is up to date opens while another handle holds the write lock. */
static void test_open_beside_writer(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    must(db, "transaction.begin", "", NULL);
    brant_db *other = must_open(in_folder(*state, "a.db"), "{\"busy_timeout\":0}");
    must(other, "graphs.list", "", "\"items\"");
    brant_db_free(other);
    brant_db_free(db);
}

static void test_foreign_descriptor(void **state) {
    const char *path = in_folder(*state, "a.db"), *link_path = in_folder(*state, "b.db");
    brant_db *db = must_open(path, "");
    brant_db *second = must_open(path, ""); /* ours twice is fine */
    brant_db_free(second);
    assert_int_equal(symlink(path, link_path), 0);
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    must_not_open(path, "", BRANT_FOREIGN_SQLITE, "descriptor");
    must_not_open(link_path, "", BRANT_FOREIGN_SQLITE, "descriptor");
    must_fail(db, "db.maintain", "", BRANT_FOREIGN_SQLITE, "descriptor");
    brant_db_free(must_open(in_folder(*state, "c.db"), "")); /* another file is no matter */
    /* Wherever it is. */
    static const int places[] = {200, 1000, 20000};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (i == 0) close(descriptor);
        const int own = open("/dev/null", O_RDONLY | O_CLOEXEC), far = dup2(own, places[i]);
        close(own);
        if (far < 0) break; /* past the limit */
        close(far);
        const int other = open(path, O_RDONLY | O_CLOEXEC);
        assert_int_equal(dup2(other, far), far);
        must_not_open(path, "", BRANT_FOREIGN_SQLITE, "descriptor");
        close(far);
        close(other);
    }
    must(db, "db.maintain", "", "wal_pages");
    brant_db_free(must_open(link_path, ""));
    brant_db_free(db);
}

/* ---- closing -------------------------------------------------------------------------------------------------------- */

static void test_close(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    assert_int_equal(brant_check(db), BRANT_OK);
    must(db, "transaction.begin", "", "{\"depth\":1}");
    must(db, "sql.execute", "{\"sql\":\"CREATE TABLE t (x)\"}", NULL);
    assert_int_equal(brant_close(db), BRANT_OK);
    assert_int_equal(brant_close(db), BRANT_OK);
    assert_int_equal(brant_check(db), BRANT_CLOSED);
    must_fail(db, "db.info", "", BRANT_CLOSED, "closed");
    assert_int_equal(brant_interrupt(db), BRANT_OK);
    brant_db_free(db);
    assert_int_equal(brant_close(NULL), BRANT_OK);
    brant_db_free(NULL);
    assert_int_equal(brant_check(NULL), BRANT_INVALID);
    /* The open transaction went, and the file and its locks are free. */
    db = must_open(in_folder(*state, "a.db"), "");
    must(db, "sql.execute", "{\"sql\":\"SELECT count(*) FROM sqlite_schema WHERE name = 't'\"}",
         "[[0]]");
    brant_db_free(db);
}

#define SLOW                                                                                       \
    "{\"sql\":\"WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < "        \
    "2000000000) SELECT count(*) FROM c\"}"

typedef struct slow_call {
    brant_db *db;
    brant_status status;
    char name[32];
} slow_call;

static void *run_slow(void *context) {
    slow_call *call = context;
    char *answer = NULL;
    size_t length = 0;
    do
        call->status = brant_sql_execute(&answer, &length, call->db, TEXT(SLOW));
    while (call->status == BRANT_MISUSE); /* await_call is in a call of its own */
    snprintf(call->name, sizeof call->name, "%s", brant_last_error()->name);
    brant_free(answer);
    return NULL;
}

static void wait_ms(long ms) {
    const struct timespec nap = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&nap, NULL);
}

/* Until another thread is in a call. */
static void await_call(brant_db *db) {
    brant_status status = BRANT_OK;
    for (int i = 0; status != BRANT_MISUSE && i < 10000; i++) {
        char *answer = NULL;
        size_t length = 0;
        status = brant_call(&answer, &length, db, TEXT("db.info"), TEXT("{}"));
        brant_free(answer);
        wait_ms(1);
    }
    assert_int_equal(status, BRANT_MISUSE);
}

static void test_other_threads(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    slow_call call = {.db = db};
    pthread_t thread;
    pthread_create(&thread, NULL, run_slow, &call);
    await_call(db);
    must_fail(db, "db.info", "", BRANT_MISUSE, "another thread");
    assert_int_equal(brant_interrupt(db), BRANT_OK);
    pthread_join(thread, NULL);
    assert_int_equal(call.status, BRANT_INTERRUPTED);
    assert_string_equal(call.name, "INTERRUPTED"); /* the record is that thread's */
    must(db, "db.info", "", NULL);                 /* nothing is left behind */
    assert_int_equal(brant_interrupt(db), BRANT_OK);
    must(db, "db.info", "", NULL);

    brant_deadline_set(db, now_ms() + 60);
    run_slow(&call);
    assert_int_equal(call.status, BRANT_TIMEOUT);
    must_fail(db, "db.info", "", BRANT_TIMEOUT, "before");
    brant_deadline_set(db, 0);
    must(db, "db.info", "", NULL);

    pthread_create(&thread, NULL, run_slow, &call);
    await_call(db);
    assert_int_equal(brant_close(db), BRANT_OK);
    pthread_join(thread, NULL);
    assert_int_equal(call.status, BRANT_CLOSED);
    brant_db_free(db);
}

static void *write_to_the_end(void *context) {
    brant_status status = BRANT_OK;
    while (status == BRANT_OK) {
        char *answer = NULL;
        size_t length = 0;
        status = brant_sql_execute(&answer, &length, context,
                                   TEXT("{\"sql\":\"INSERT INTO t VALUES (1)\"}"));
        brant_free(answer);
    }
    assert_int_equal(status, BRANT_CLOSED);
    return NULL;
}

/* What was acknowledged is in the file, and the WAL is gone, wherever a call was when its handle was closed: it may have been interrupted behind its last statement. */
static void test_close_during_writes(void **state) {
    for (int round = 0; round < 20; round++) {
        brant_db *db = must_open(in_folder(*state, "a.db"), "");
        pthread_t thread;
        must(db, "sql.execute", "{\"sql\":\"CREATE TABLE IF NOT EXISTS t (x)\"}", NULL);
        pthread_create(&thread, NULL, write_to_the_end, db);
        wait_ms(round % 5 + 1);
        assert_int_equal(brant_close(db), BRANT_OK);
        pthread_join(thread, NULL);
        assert_int_equal(access(in_folder(*state, "a.db-wal"), F_OK), -1);
        brant_db_free(db);
    }
}

/* A child that uses the handle is told, at once: also when somebody looked for a cursor in the moment of the fork. */
static void fork_and_use(brant_db *db) {
    const pid_t child = fork();
    if (child == 0) {
        char *answer = NULL;
        size_t length = 0;
        alarm(60);
        const brant_status status = brant_db_info(&answer, &length, db, "", 0);
        brant_db_free(db);
        _exit(status == BRANT_FORKED ? 0 : 1);
    }
    int status = 1;
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_fork(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    must(db, "sql.execute", "{\"sql\":\"CREATE TABLE t (x)\"}", NULL);
    fork_and_use(db);
    assert_int_equal(brant__visit(db), BRANT_OK);
    fork_and_use(db);
    brant__leave(db);
    must(db, "sql.execute", "{\"sql\":\"INSERT INTO t VALUES (1)\"}", "\"changes\":1");
    brant_db_free(db);
}

/* ---- transactions ------------------------------------------------------------------------------------------------------ */

static void test_transactions(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), ""),
             *other = must_open(in_folder(*state, "a.db"), "{\"busy_timeout\":50}");
    must(db, "sql.execute", "{\"sql\":\"CREATE TABLE t (x UNIQUE)\"}", NULL);
    must_fail(db, "transaction.commit", "", BRANT_MISUSE, "no transaction");
    must_fail(db, "transaction.rollback", "", BRANT_MISUSE, "no transaction");
    must(db, "transaction.begin", "", "{\"depth\":1}");
    must(db, "sql.execute", "{\"sql\":\"INSERT INTO t VALUES (1)\"}", "\"changes\":1");
    must_fail(other, "transaction.begin", "", BRANT_BUSY, "50 ms");
    must(other, "sql.execute", "{\"sql\":\"SELECT count(*) FROM t\"}", "[[0]]");
    must(db, "transaction.begin", "", "{\"depth\":2}");
    must(db, "sql.execute", "{\"sql\":\"INSERT INTO t VALUES (2)\"}", NULL);
    must(db, "transaction.begin", "{\"mode\":\"read\"}", "{\"depth\":3}");
    must(db, "sql.execute", "{\"sql\":\"SELECT count(*) FROM t\"}", "[[2]]");
    must(db, "transaction.rollback", "",
         "{\"depth\":2}"); /* a nested read has nothing to take back */
    must(db, "transaction.rollback", "", "{\"depth\":1}");
    must(db, "sql.execute", "{\"sql\":\"SELECT count(*) FROM t\"}", "[[1]]");
    /* A failing operation takes back its own changes, and the transaction goes on. */
    must_fail(db, "sql.execute", "{\"sql\":\"INSERT INTO t VALUES (7), (1)\"}", BRANT_CONSTRAINT,
              "UNIQUE");
    must(db, "sql.execute", "{\"sql\":\"INSERT INTO t VALUES (3)\"}", NULL);
    must(db, "transaction.commit", "", "{\"depth\":0}");
    must(other, "sql.execute", "{\"sql\":\"SELECT group_concat(x) FROM t\"}", "[[\"1,3\"]]");

    /* A read transaction is one snapshot and writes nothing. */
    must(other, "transaction.begin", "{\"mode\":\"read\"}", "{\"depth\":1}");
    must(db, "sql.execute", "{\"sql\":\"INSERT INTO t VALUES (4)\"}", NULL);
    must(other, "sql.execute", "{\"sql\":\"SELECT count(*) FROM t\"}", "[[2]]");
    must_fail(other, "sql.execute", "{\"sql\":\"INSERT INTO t VALUES (5)\"}", BRANT_READ_ONLY,
              "read transaction");
    must_fail(other, "transaction.begin", "", BRANT_READ_ONLY, "read transaction");
    must(other, "transaction.commit", "", "{\"depth\":0}");
    must(other, "sql.execute", "{\"sql\":\"SELECT count(*) FROM t\"}", "[[3]]");
    for (int i = 0; i < 120; i++)
        must(db, "transaction.begin", "", NULL);
    must_fail(db, "transaction.begin", "", BRANT_LIMIT, "120");
    must(db, "sql.execute", "{\"sql\":\"INSERT INTO t VALUES (6)\"}", NULL);
    for (int i = 0; i < 120; i++)
        must(db, "transaction.rollback", "", NULL);
    must(db, "sql.execute", "{\"sql\":\"SELECT count(*) FROM t\"}", "[[3]]");
    brant_db_free(other);
    brant_db_free(db);
}

/* SQLite takes the whole transaction back when a write in it ends early: what follows must not commit by itself. */
static void test_lost_transaction(void **state) {
    static const char endless[] = "{\"sql\":\"INSERT INTO t WITH RECURSIVE r (x) AS (SELECT 1 "
                                  "UNION ALL SELECT x + 1 FROM r) SELECT x FROM r\"}";
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    must(db, "sql.execute", "{\"sql\":\"CREATE TABLE t (x UNIQUE)\"}", NULL);
    for (int way = 0; way < 2; way++) {
        must(db, "transaction.begin", "", NULL);
        must(db, "transaction.begin", "", "{\"depth\":2}");
        must(db, "events.notify", "{\"channel\":\"a\"}", NULL);
        must(db, "sql.execute", "{\"sql\":\"INSERT INTO t VALUES (0)\"}", NULL);
        if (way == 0) {
            brant_deadline_set(db, now_ms() + 50);
            must_fail(db, "sql.execute", endless, BRANT_TIMEOUT, NULL);
            brant_deadline_set(db, 0);
        } else {
            must_fail(db, "sql.execute", "{\"sql\":\"INSERT OR ROLLBACK INTO t VALUES (0)\"}",
                      BRANT_CONSTRAINT, NULL);
        }
        must_fail(db, "sql.execute", "{\"sql\":\"INSERT INTO t VALUES (9)\"}", BRANT_MISUSE,
                  "roll it back");
        must_fail(db, "sql.execute", "{\"sql\":\"SELECT * FROM t\"}", BRANT_MISUSE, NULL);
        must_fail(db, "graphs.create", "{\"name\":\"g\",\"graph_type\":\"open\"}", BRANT_MISUSE,
                  NULL);
        must_fail(db, "graphs.list", "", BRANT_MISUSE, NULL);
        must_fail(db, "transaction.begin", "", BRANT_MISUSE, NULL);
        must_fail(db, "transaction.commit", "", BRANT_MISUSE, NULL);
        must(db, "transaction.rollback", "", "{\"depth\":1}");
        must_fail(db, "transaction.commit", "", BRANT_MISUSE, NULL);
        must(db, "transaction.rollback", "", "{\"depth\":0}");
        must_fail(db, "transaction.rollback", "", BRANT_MISUSE, "no transaction");
        must(db, "sql.execute",
             "{\"sql\":\"SELECT (SELECT count(*) FROM t), (SELECT count(*) FROM notifications), "
             "(SELECT count(*) FROM graphs)\"}",
             "[[0,0,0]]");
    }
    must(db, "graphs.create", "{\"name\":\"g\",\"graph_type\":\"open\"}", NULL);
    must(db, "transaction.begin", "", NULL);
    brant_deadline_set(db, now_ms() + 50);
    must_fail(db, "sql.execute", endless, BRANT_TIMEOUT, NULL);
    brant_db_free(db); /* closes a handle that still has its levels */
}

/* ---- the user's SQL -------------------------------------------------------------------------------------------------------- */

static void test_sql(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "{\"limits\":{\"batch\":1000}}");
    must(db, "sql.execute", "{\"sql\":\"CREATE TABLE t (a, b, c)\"}", "\"columns\":[]");
    must(db, "sql.execute",
         "{\"sql\":\"INSERT INTO t VALUES (?, ?, ?)\",\"params\":[9007199254740993, 0.1, "
         "\"caf\\u00e9\"]}",
         "\"last_insert_rowid\":1");
    must(db, "sql.execute",
         "{\"sql\":\"INSERT INTO t VALUES (:a, @b, "
         "$c)\",\"params\":{\"a\":null,\"b\":true,\"c\":{\"$base64\":\"AP8=\"}}}",
         "\"changes\":1");
    must(db, "sql.execute", "{\"sql\":\"SELECT * FROM t -- all\\n; \"}",
         "{\"columns\":[\"a\",\"b\",\"c\"],\"rows\":[[9007199254740993,0.1,\"caf\xc3\xa9\"],[null,"
         "1,{\"$base64\":\"AP8=\"}]],\"changes\":0");
    must(db, "sql.execute", "{\"sql\":\"SELECT CAST(x'ff' AS TEXT)\"}",
         "{\"$base64\":\"/w==\"}"); /* text that is not UTF-8 crosses as bytes */
    must(db, "sql.execute", "{\"sql\":\"DELETE FROM t RETURNING b\"}",
         "\"rows\":[[0.1],[1]],\"changes\":2");
    /* A read ends at the first rows, what writes is done all the same. */
    must(db, "sql.execute", "{\"sql\":\"CREATE TABLE log (a)\"}", "\"changes\":0");
    must(db, "sql.execute",
         "{\"sql\":\"CREATE TRIGGER logged AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.a), "
         "(-new.a); END\"}",
         "\"changes\":0");
    must(db, "sql.execute",
         "{\"sql\":\"INSERT INTO t (a) VALUES (1), (2), (3) RETURNING "
         "a\",\"limit\":1,\"close\":true}",
         "\"rows\":[[1]],\"changes\":3,\"last_insert_rowid\":3,\"cursor\":null}");
    must(db, "sql.execute", "{\"sql\":\"SELECT a FROM t ORDER BY a\",\"limit\":2,\"close\":true}",
         "\"rows\":[[1],[2]],\"changes\":0");
    must(db, "sql.execute",
         "{\"sql\":\"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM "
         "n\",\"limit\":3,\"close\":true}",
         "\"rows\":[[1],[2],[3]]");
    must(db, "sql.execute", "{\"sql\":\"SELECT count(*) FROM log\"}", "\"rows\":[[6]]");
    must_fail(db, "sql.execute", "{\"sql\":\"SELECT 1\",\"close\":true}", BRANT_INVALID, "limit");
    must(db, "sql.execute", "{\"sql\":\"DELETE FROM t\"}", "\"changes\":3");
    must(db, "sql.execute", "{\"sql\":\"DROP TABLE t\"}", "\"changes\":0");
    must(db, "sql.execute", "{\"sql\":\"CREATE TABLE t (a, b, c)\"}", "\"changes\":0");
    must_fail(db, "sql.execute", "{\"sql\":\"SELEC 1\"}", BRANT_SQL, "syntax");
    must_fail(db, "sql.execute", "{\"sql\":\"SELECT nothing\"}", BRANT_SQL, "nothing");
    must_fail(db, "sql.execute", "{\"sql\":\" ; \"}", BRANT_SQL, "no statement");
    must_fail(db, "sql.execute", "{\"sql\":\"SELECT 1; SELECT 2\"}", BRANT_SQL, "more than one");
    must_fail(db, "sql.execute", "{\"sql\":\"SELECT 1; ; SELECT 2\"}", BRANT_SQL, "more than one");
    must(db, "sql.execute", "{\"sql\":\"SELECT 1;; -- no more\"}", "[[1]]");
    must_fail(db, "sql.execute", "{\"sql\":\"SELECT ?\"}", BRANT_INVALID, "1 parameters");
    must_fail(db, "sql.execute", "{\"sql\":\"SELECT ?\",\"params\":[1,2]}", BRANT_INVALID,
              "2 values");
    must(db, "sql.execute",
         "{\"sql\":\"SELECT :a, $a, @b, $a, :c\",\"params\":{\"c\":3,\"a\":1,\"b\":2}}",
         "[[1,1,2,1,3]]");
    must_fail(db, "sql.execute", "{\"sql\":\"SELECT :a, $a\",\"params\":{\"a\":1,\"b\":1}}",
              BRANT_INVALID, "1 named parameters and 2 values");
    must_fail(db, "sql.execute", "{\"sql\":\"SELECT :a, $a\",\"params\":{}}", BRANT_INVALID, ":a");
    must_fail(db, "sql.execute", "{\"sql\":\"SELECT :a\",\"params\":{\"b\":1}}", BRANT_INVALID,
              ":a");
    must_fail(db, "sql.execute", "{\"sql\":\"SELECT :a\",\"params\":{\"a\":1,\"b\":1}}",
              BRANT_INVALID, "2 values");
    must_fail(db, "sql.execute", "{\"sql\":\"SELECT ?\",\"params\":[[1]]}", BRANT_INVALID,
              "base64");
    must_fail(db, "sql.execute", "{\"sql\":\"SELECT ?\",\"params\":[{\"$base64\":\"x\"}]}",
              BRANT_INVALID, "base64");
    must_fail(db, "sql.execute", "{\"sql\":\"SELECT 1\",\"parameters\":[]}", BRANT_INVALID,
              "parameters");
    must_fail(db, "sql.execute", "{}", BRANT_INVALID, "sql");
    brant_db *narrow = must_open(":memory:", "{\"limits\":{\"document\":1024}}");
    must_fail(narrow, "sql.execute", "{\"sql\":\"SELECT zeroblob(500000000)\"}", BRANT_LIMIT,
              "1024 bytes");
    must_fail(narrow, "sql.execute", "{\"sql\":\"SELECT hex(zeroblob(400)), hex(zeroblob(400))\"}",
              BRANT_LIMIT, "1024 bytes");
    must(narrow, "sql.execute", "{\"sql\":\"SELECT hex(zeroblob(400))\"}", "0000");
    brant_db_free(narrow);
    must_fail(db, "sql.execute",
              "{\"sql\":\"WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x "
              "< 2000) SELECT x FROM c\"}",
              BRANT_LIMIT, "1000 rows");
    brant_db_free(db);
}

static void test_sql_for_drivers(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "{\"limits\":{\"batch\":3}}");
    must(db, "sql.execute", "{\"sql\":\"CREATE TABLE p (id INTEGER PRIMARY KEY, x REAL UNIQUE)\"}",
         NULL);
    must(db, "sql.execute", "{\"sql\":\"CREATE TABLE log (x)\",\"describe\":true}", "\"types\":[]");
    must(db, "sql.execute",
         "{\"sql\":\"CREATE TRIGGER l AFTER INSERT ON p BEGIN INSERT INTO log VALUES (new.x); "
         "END\"}",
         NULL);
    must(db, "sql.execute",
         "{\"sql\":\"INSERT INTO p (x) VALUES (?) RETURNING "
         "id\",\"batch\":[[1],[{\"$number\":\"Infinity\"}],[{\"$number\":\"-Infinity\"}]],"
         "\"describe\":"
         "true}",
         "{\"columns\":[\"id\"],\"rows\":[[1],[2],[3]],"
         "\"types\":[{\"type\":\"INTEGER\",\"not_null\":false}],\"changes\":3,\"last_insert_"
         "rowid\":3}");
    must(
        db, "sql.execute",
        "{\"sql\":\"SELECT x, x + 1 AS y FROM p ORDER BY id\",\"describe\":true}",
        "\"rows\":[[1.0,2.0],[{\"$number\":\"Infinity\"},{\"$number\":\"Infinity\"}],[{\"$number\":"
        "\"-Infinity\"},{\"$number\":\"-Infinity\"}]],\"types\":[{\"type\":\"REAL\",\"not_null\":"
        "false},null],\"changes\":0,");
    must(db, "sql.execute", "{\"sql\":\"SELECT x FROM p WHERE id > 1\"}",
         "[[{\"$number\":\"Infinity\"}],[{\"$number\":\"-Infinity\"}]]");
    /* All or none of a batch. */
    must_fail(db, "sql.execute",
              "{\"sql\":\"INSERT INTO p (x) VALUES (:x)\",\"batch\":[{\"x\":2},{\"x\":1}]}",
              BRANT_CONSTRAINT, "p.x");
    must(db, "sql.execute", "{\"sql\":\"SELECT count(*) FROM log\"}", "[[3]]");
    must(db, "sql.execute", "{\"sql\":\"DELETE FROM p WHERE id = ?\",\"batch\":[]}",
         "\"changes\":0");
    must_fail(db, "sql.execute", "{\"sql\":\"SELECT ?\",\"batch\":[[1],[2],[3],[4]]}", BRANT_LIMIT,
              "more than 3");
    must_fail(db, "sql.execute", "{\"sql\":\"SELECT ?\",\"batch\":[[1]],\"params\":[1]}",
              BRANT_INVALID, "not both");
    must_fail(db, "sql.execute", "{\"sql\":\"SELECT ?\",\"batch\":[[1],1]}", BRANT_INVALID, NULL);
    must_fail(db, "sql.execute", "{\"sql\":\"SELECT ?\",\"batch\":{}}", BRANT_INVALID, NULL);
    must_fail(db, "sql.execute", "{\"sql\":\"SELECT ?\",\"params\":[{\"$number\":\"NaN\"}]}",
              BRANT_INVALID, "Infinity");
    brant_db_free(db);
}

/* What drivers ask for: what tables declare, scripts, and rows in parts. */
static void test_sql_in_parts(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "{\"limits\":{\"batch\":1000}}");
    must(db, "sql.execute",
         "{\"sql\":\"CREATE TABLE t (id INTEGER PRIMARY KEY, name VARCHAR(9) NOT NULL, x)\"}",
         NULL);
    must(db, "sql.execute", "{\"sql\":\"SELECT name AS n, x, 1 + id FROM t\",\"describe\":true}",
         "\"rows\":[],\"types\":[{\"type\":\"VARCHAR(9)\",\"not_null\":true},{\"type\":\"\","
         "\"not_null\":false},null],");
    static const char *const returning[] = {
        "INSERT INTO t VALUES (1, 'a', 2) RETURNING name AS n, x, 1 + id",
        "UPDATE t AS u SET x = 3 RETURNING name, x, 1 + id",
        "DELETE FROM t RETURNING name, x, 1 + id",
    };
    for (size_t i = 0; i < BRANT__COUNT(returning); i++) {
        char text[200];
        snprintf(text, sizeof text, "{\"sql\":\"%s\",\"describe\":true}", returning[i]);
        must(db, "sql.execute", text,
             "\"types\":[{\"type\":\"VARCHAR(9)\",\"not_null\":true},{\"type\":\"\","
             "\"not_null\":false},null],\"changes\":1");
    }
    static const char *const together[][2] = {
        {"{\"sql\":\"SELECT 1\",\"batch\":[[]],\"limit\":1}", "neither"},
        {"{\"sql\":\"SELECT 1\",\"batch\":[[]],\"script\":true}", "neither"},
        {"{\"sql\":\"SELECT 1\",\"batch\":[[]],\"params\":[]}", "not both"},
        {"{\"sql\":\"SELECT 1\",\"close\":true}", "\"limit\""},
        {"{\"cursor\":1,\"sql\":\"SELECT 1\"}", "without"},
        {"{\"cursor\":1,\"params\":[]}", "without"},
        {"{\"cursor\":1,\"batch\":[]}", "without"},
        {"{\"cursor\":1,\"describe\":true}", "without"},
        {"{\"cursor\":1,\"script\":true}", "without"},
        {"{\"limit\":1}", "\"sql\""},
    };
    for (size_t i = 0; i < BRANT__COUNT(together); i++)
        must_fail(db, "sql.execute", together[i][0], BRANT_INVALID, together[i][1]);
    /* A script's first statement takes its values, and says where the rest begins. */
    must(db, "sql.execute",
         "{\"sql\":\"INSERT INTO t VALUES (?, ?, 0); SELECT "
         "?\",\"params\":[7,\"a\",8],\"script\":true}",
         "\"changes\":1,\"last_insert_rowid\":7,\"parameters\":2,\"tail\":31}");
    must(db, "sql.execute", "{\"sql\":\" SELECT ?; -- end\",\"params\":[8],\"script\":true}",
         "[[8]],\"changes\":0,\"last_insert_rowid\":7,\"parameters\":1,\"tail\":0}");
    must_fail(db, "sql.execute", "{\"sql\":\"SELECT ?; SELECT 1\",\"script\":true}", BRANT_INVALID,
              "1 parameters");
    must(db, "sql.execute", "{\"sql\":\"CREATE TABLE u (x)\"}", NULL);

    /* Parts. */
    must_fail(db, "sql.execute", "{\"sql\":\"SELECT 1\",\"limit\":0}", BRANT_INVALID, "limit");
    must_fail(db, "sql.execute", "{\"sql\":\"SELECT 1\",\"limit\":1001}", BRANT_INVALID, "limit");
    must_fail(db, "sql.execute", "{\"sql\":\"VALUES (1), (2)\",\"limit\":1}", BRANT_MISUSE,
              "transaction");
    must(db, "sql.execute", "{\"sql\":\"VALUES (1), (2)\",\"limit\":2}", "\"cursor\":null}");
    must_fail(db, "sql.execute", "{\"cursor\":1}", BRANT_MISUSE, "no query is open");
    must(db, "transaction.begin", "", NULL);
    static const char first[] = "{\"sql\":\"VALUES (?), ('b'), "
                                "('c')\",\"params\":[\"kept\"],\"limit\":1}";
    must(db, "sql.execute", first,
         "[[\"kept\"]],\"changes\":0,\"last_insert_rowid\":7,\"cursor\":1}");
    must(db, "sql.execute", first, "\"cursor\":2}");
    must(db, "sql.execute", "{\"cursor\":1,\"limit\":1}", "[[\"b\"]],\"changes\":0,");
    must_fail(db, "sql.execute", "{\"cursor\":1,\"sql\":\"x\"}", BRANT_INVALID, "without");
    must(db, "sql.execute", "{\"sql\":\"INSERT INTO u VALUES (1)\"}", "\"changes\":1");
    must(db, "sql.execute", "{\"cursor\":1}", "[[\"c\"]],\"changes\":0,");
    must_fail(db, "sql.execute", "{\"cursor\":1}", BRANT_MISUSE, "no query is open");
    must(db, "sql.execute", "{\"cursor\":2,\"limit\":1,\"close\":true}",
         "\"rows\":[[\"b\"]],\"changes\":0,\"last_insert_rowid\":1,\"cursor\":null}");
    must_fail(db, "sql.execute", "{\"cursor\":2}", BRANT_MISUSE, "no query is open");
    must(db, "sql.execute", first, "\"cursor\":3}");
    must(db, "sql.execute", "{\"cursor\":3,\"close\":true}", "\"rows\":[],");
    must_fail(db, "sql.execute", "{\"cursor\":2}", BRANT_MISUSE, "no query is open");
    /* What writes is done to its end. */
    must(db, "sql.execute", "{\"sql\":\"INSERT INTO u VALUES (2), (3) RETURNING x\",\"limit\":1}",
         "[[2],[3]],\"changes\":2,\"last_insert_rowid\":3,\"cursor\":null}");
    /* A cursor ends with its savepoint, also one that is kept, and those outside of it go on. */
    must(db, "sql.execute", first, "\"cursor\":4}");
    must(db, "transaction.begin", "", "{\"depth\":2}");
    must(db, "sql.execute", first, "\"cursor\":5}");
    must(db, "sql.execute", "{\"sql\":\"INSERT INTO u VALUES (4)\"}", NULL);
    must(db, "transaction.rollback", "", "{\"depth\":1}");
    must_fail(db, "sql.execute", "{\"cursor\":5}", BRANT_MISUSE, "no query is open");
    must(db, "sql.execute", "{\"cursor\":4,\"limit\":1}", "\"cursor\":4}");
    /* A session has its own. */
    brant_db *session = NULL;
    assert_int_equal(brant_session_open(&session, db, TEXT("{\"id\":\"a\",\"scopes\":[\"*:*\"]}")),
                     BRANT_OK);
    must_fail(session, "sql.execute", "{\"cursor\":4}", BRANT_MISUSE, "no query is open");
    must(session, "sql.execute", first, "\"cursor\":6}");
    must_fail(db, "sql.execute", "{\"cursor\":6}", BRANT_MISUSE, "no query is open");
    must(session, "sql.execute", "{\"cursor\":6}", "[[\"b\"],[\"c\"]]");
    brant_db_free(session);
    /* One that fails is closed. */
    must(db, "sql.execute",
         "{\"sql\":\"SELECT abs(column1) FROM (VALUES (1), (-2), "
         "(-9223372036854775807 - 1))\",\"limit\":1}",
         "\"cursor\":7}");
    must_fail(db, "sql.execute", "{\"cursor\":7}", BRANT_SQL, "overflow");
    must_fail(db, "sql.execute", "{\"cursor\":7}", BRANT_MISUSE, "no query is open");
    must(db, "transaction.commit", "", "{\"depth\":0}");
    must_fail(db, "sql.execute", "{\"cursor\":4}", BRANT_MISUSE, "no query is open");
    /* Large rows make small parts. */
    must(db, "transaction.begin", "{\"mode\":\"read\"}", NULL);
    must(db, "sql.execute",
         "{\"sql\":\"SELECT hex(zeroblob(300000)) FROM (VALUES (1), (2), (3), "
         "(4))\",\"limit\":1000}",
         "\"cursor\":8}");
    must(db, "sql.execute", "{\"cursor\":8}", "\"cursor\":null}");
    for (int i = 0; i < 100; i++)
        must(db, "sql.execute", first, "\"cursor\":");
    must_fail(db, "sql.execute", first, BRANT_LIMIT, "100 queries");
    brant_db_free(db); /* with all of them open */
}

/* Statements stay prepared, and fit to what is so when they run again. */
static void test_sql_kept(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open(path, ""), *other = must_open(path, ""), *session = NULL;
    static const char all[] = "{\"sql\":\"SELECT * FROM t ORDER BY 1\",\"describe\":true}";
    static const char put[] = "{\"sql\":\"INSERT INTO t (x) VALUES (?)\\n\",\"params\":[%d]}";
    char text[200];
    must(db, "sql.execute", "{\"sql\":\"CREATE TABLE t (x TEXT)\"}", NULL);
    for (int i = 1; i <= 3; i++) {
        snprintf(text, sizeof text, put, i);
        must(db, "sql.execute", text, "\"changes\":1");
    }
    must(db, "sql.execute", all, "{\"columns\":[\"x\"],\"rows\":[[\"1\"],[\"2\"],[\"3\"]],");
    /* Columns and types are those of the schema that it ran with, whoever changed it. */
    must(other, "sql.execute", "{\"sql\":\"ALTER TABLE t ADD y BLOB\"}", NULL);
    must(db, "sql.execute", all,
         "{\"columns\":[\"x\",\"y\"],\"rows\":[[\"1\",null],[\"2\",null],[\"3\",null]],"
         "\"types\":[{\"type\":\"TEXT\",\"not_null\":false},{\"type\":\"BLOB\",\"not_null\":false}"
         "]");
    must(other, "sql.execute", "{\"sql\":\"DROP TABLE t\"}", NULL);
    must_fail(db, "sql.execute", all, BRANT_SQL, "no such table");
    must(db, "sql.execute", "{\"sql\":\"CREATE TABLE t (x INTEGER)\"}", NULL);
    must(db, "sql.execute", all,
         "{\"columns\":[\"x\"],\"rows\":[],\"types\":[{\"type\":\"INTEGER\"");
    /* A statement that failed, or was left in the middle, begins anew; values are not kept. */
    must(db, "sql.execute", "{\"sql\":\"CREATE UNIQUE INDEX u ON t (x)\"}", NULL);
    must(db, "sql.execute", "{\"sql\":\"INSERT INTO t (x) VALUES (?)\",\"params\":[1]}", NULL);
    must_fail(db, "sql.execute", "{\"sql\":\"INSERT INTO t (x) VALUES (?)\",\"params\":[1]}",
              BRANT_CONSTRAINT, "t.x");
    must_fail(db, "sql.execute", "{\"sql\":\"INSERT INTO t (x) VALUES (?)\"}", BRANT_INVALID,
              "1 parameters");
    must(db, "sql.execute", "{\"sql\":\"INSERT INTO t (x) VALUES (?)\",\"params\":[2]}", NULL);
    must(db, "sql.execute", "{\"sql\":\"SELECT x FROM t ORDER BY x\",\"limit\":1,\"close\":true}",
         "[[1]]");
    must(db, "sql.execute", "{\"sql\":\"SELECT x FROM t ORDER BY x\"}", "[[1],[2]]");
    /* The same text stands open twice. */
    must(db, "transaction.begin", "", NULL);
    must(db, "sql.execute", "{\"sql\":\"SELECT x FROM t ORDER BY x\",\"limit\":1}",
         "\"cursor\":1}");
    must(db, "sql.execute", "{\"sql\":\"SELECT x FROM t ORDER BY x\"}", "[[1],[2]]");
    must(db, "sql.execute", "{\"cursor\":1}", "[[2]]");
    must(db, "transaction.commit", "", NULL);
    /* A session is judged by its own rules, and so is who is none. */
    assert_int_equal(brant_session_open(&session, db, TEXT("{\"id\":\"a\",\"scopes\":[\"*:*\"]}")),
                     BRANT_OK);
    static const char ours[] = "{\"sql\":\"SELECT count(*) FROM nodes\"}";
    for (int i = 0; i < 3; i++) {
        must(db, "sql.execute", ours, "[[0]]");
        must_fail(session, "sql.execute", ours, BRANT_DENIED, "nodes");
        must(session, "sql.execute", "{\"sql\":\"SELECT count(*) FROM t\"}", "[[2]]");
        must(db, "sql.execute", "{\"sql\":\"SELECT count(*) FROM t\"}", "[[2]]");
    }
    /* What it means can become what a session may not: the new program is judged. */
    must(db, "sql.execute", "{\"sql\":\"DROP TABLE t\"}", NULL);
    must(db, "sql.execute", "{\"sql\":\"CREATE VIEW t AS SELECT key AS x FROM nodes\"}", NULL);
    must(db, "sql.execute", "{\"sql\":\"SELECT count(*) FROM t\"}", "[[0]]");
    must_fail(session, "sql.execute", "{\"sql\":\"SELECT count(*) FROM t\"}", BRANT_DENIED,
              "nodes");
    brant_db_free(session);
    /* What writes is refused in a transaction that reads. */
    must(db, "sql.execute", "{\"sql\":\"CREATE TABLE v (x)\"}", NULL);
    must(db, "sql.execute", "{\"sql\":\"INSERT INTO v VALUES (1)\"}", "\"changes\":1");
    must(db, "transaction.begin", "{\"mode\":\"read\"}", NULL);
    must_fail(db, "sql.execute", "{\"sql\":\"INSERT INTO v VALUES (1)\"}", BRANT_READ_ONLY, NULL);
    must(db, "transaction.rollback", "", NULL);
    must(db, "sql.execute", "{\"sql\":\"INSERT INTO v VALUES (1)\"}", "\"changes\":1");
    /* A pragma says what is so now. */
    must(db, "sql.execute", "{\"sql\":\"PRAGMA table_info(v)\"}", "[[0,\"x\"");
    must(db, "sql.execute", "{\"sql\":\"ALTER TABLE v RENAME x TO z\"}", NULL);
    must(db, "sql.execute", "{\"sql\":\"PRAGMA table_info(v)\"}", "[[0,\"z\"");
    must(db, "sql.execute", "{\"sql\":\"EXPLAIN QUERY PLAN SELECT * FROM v WHERE z = 1\"}", "SCAN");
    must(db, "sql.execute", "{\"sql\":\"CREATE INDEX vz ON v (z)\"}", NULL);
    must(db, "sql.execute", "{\"sql\":\"EXPLAIN QUERY PLAN SELECT * FROM v WHERE z = 1\"}", "vz");
    /* More texts than are kept. */
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 100; i++) {
            char answer[32];
            snprintf(text, sizeof text, "{\"sql\":\"SELECT %d\"}", i);
            snprintf(answer, sizeof answer, "[[%d]]", i);
            must(db, "sql.execute", text, answer);
        }
    brant_db_free(other);
    brant_db_free(db);
}

static void test_sql_denied(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    must(db, "sql.execute", "{\"sql\":\"CREATE TABLE mine (x)\"}", NULL);
    must(db, "sql.execute", "{\"sql\":\"CREATE TEMP TABLE passing (x)\"}", NULL);
    static const char *const denied[] = {
        "INSERT INTO nodes (graph, key, type, created_at, updated_at) VALUES (1, 'a', 0, 0, 0)",
        "UPDATE graphs SET nodes = 7",
        "DELETE FROM notifications",
        "DELETE FROM BRANT_WAKE",
        "REPLACE INTO brant_meta VALUES ('role', 'system')",
        "DROP TABLE edges",
        "ALTER TABLE nodes ADD COLUMN x",
        "DROP INDEX edges_out",
        "CREATE INDEX x ON nodes (type)",
        "CREATE TRIGGER x AFTER INSERT ON nodes BEGIN SELECT 1; END",
        "CREATE TEMP TRIGGER x AFTER INSERT ON nodes BEGIN SELECT 1; END",
        "CREATE TEMP TABLE nodes (x)",
        "ALTER TABLE passing RENAME TO nodes",
        "CREATE VIRTUAL TABLE temp.nodes USING fts5(x)",
        "DELETE FROM sqlite_sequence",
        "UPDATE sqlite_sequence SET seq = 0",
        "BEGIN",
        "COMMIT",
        "SAVEPOINT x",
        "ATTACH 'b.db' AS b",
        "VACUUM INTO 'b.db'",
        "PRAGMA writable_schema=ON",
        "PRAGMA journal_mode=DELETE",
        "PRAGMA user_version=9",
        "PRAGMA locking_mode=EXCLUSIVE",
        "PRAGMA synchronous=OFF",
        "CREATE TRIGGER x AFTER INSERT ON mine BEGIN DELETE FROM nodes; END",
        "UPDATE sqlite_schema SET sql = ''",
    };
    for (size_t i = 0; i < sizeof denied / sizeof *denied; i++) {
        char json[256];
        snprintf(json, sizeof json, "{\"sql\":\"%s\"}", denied[i]);
        char *answer = NULL;
        size_t length = 0;
        const brant_status status = brant_sql_execute(&answer, &length, db, TEXT(json));
        /* SQLite itself forbids some: its words are as good. A trigger is only judged when it fires. */
        if (status == BRANT_OK && strstr(denied[i], "ON mine")) {
            brant_free(answer);
            must_fail(db, "sql.execute", "{\"sql\":\"INSERT INTO mine VALUES (1)\"}", BRANT_DENIED,
                      "nodes");
            must(db, "sql.execute", "{\"sql\":\"DROP TRIGGER x\"}", NULL);
            continue;
        }
        if (status != BRANT_DENIED && status != BRANT_SQL)
            fail_msg("%s: %s", denied[i], brant_status_name(status));
    }
    /* What libraries' recipes set is an option here, and the refusal says which. */
    must_fail(db, "sql.execute", "{\"sql\":\"PRAGMA synchronous=NORMAL\"}", BRANT_DENIED,
              "\"durability\"");
    must_fail(db, "sql.execute", "{\"sql\":\"PRAGMA busy_timeout=5000\"}", BRANT_DENIED,
              "\"busy_timeout\"");
    must_fail(db, "sql.execute", "{\"sql\":\"PRAGMA cache_size=-20000\"}", BRANT_DENIED, "\"cache\"");
    must_fail(db, "sql.execute", "{\"sql\":\"PRAGMA journal_mode=WAL\"}", BRANT_DENIED,
              "always");
    must(db, "sql.execute", "{\"sql\":\"SELECT count(*) FROM nodes\"}", "[[0]]");
    must(db, "sql.execute", "{\"sql\":\"PRAGMA table_info(mine)\"}", "\"x\"");
    must(db, "sql.execute", "{\"sql\":\"DROP TABLE mine\"}", NULL);
    /* What SQLite itself does to the table of sequences is not the user's doing. */
    static const char *const allowed[] = {
        "CREATE TABLE counted (x INTEGER PRIMARY KEY AUTOINCREMENT)",
        "INSERT INTO counted VALUES (5)", "ALTER TABLE counted RENAME TO counting",
        "DROP TABLE counting"};
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
        char json[256];
        snprintf(json, sizeof json, "{\"sql\":\"%s\"}", allowed[i]);
        must(db, "sql.execute", json, NULL);
    }
    must_fail(db, "sql.execute", "{\"sql\":\"DELETE FROM sqlite_sequence\"}", BRANT_DENIED,
              "sequences");
    must_be_well(db);
    brant_db_free(db);
}

/* ---- foreign keys of the user's tables ------------------------------------------------------------------------------------------ */

static void make_family(brant_db *db, const char *deferred) {
    char json[256];
    must(db, "sql.execute", "{\"sql\":\"CREATE TABLE parent (id INTEGER PRIMARY KEY)\"}", NULL);
    snprintf(json, sizeof json,
             "{\"sql\":\"CREATE TABLE child (parent INTEGER REFERENCES parent ON DELETE CASCADE%s)\"}",
             deferred);
    must(db, "sql.execute", json, NULL);
}

static void test_foreign_keys(void **state) {
    static const char orphan[] = "{\"sql\":\"INSERT INTO child VALUES (7)\"}";
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    make_family(db, "");
    must(db, "sql.execute", "{\"sql\":\"PRAGMA foreign_keys\"}", "[[0]]");
    must(db, "sql.execute", orphan, "\"changes\":1");
    /* By the pragma, as libraries set it; in a transaction it does nothing, as in SQLite. */
    must(db, "transaction.begin", "", NULL);
    must(db, "sql.execute", "{\"sql\":\"PRAGMA foreign_keys=ON\"}", NULL);
    must(db, "transaction.rollback", "", NULL);
    must(db, "sql.execute", "{\"sql\":\"PRAGMA foreign_keys\"}", "[[0]]");
    must(db, "sql.execute", "{\"sql\":\"PRAGMA foreign_keys=ON\"}", NULL);
    must(db, "sql.execute", "{\"sql\":\"PRAGMA foreign_keys\"}", "[[1]]");
    must_fail(db, "sql.execute", orphan, BRANT_CONSTRAINT, "FOREIGN KEY");
    must(db, "sql.execute", "{\"sql\":\"PRAGMA foreign_keys=OFF\"}", NULL);
    must(db, "sql.execute", orphan, "\"changes\":1");
    must(db, "sql.execute", "{\"sql\":\"PRAGMA foreign_key_check\"}", "\"child\"");
    /* Who was let in by a session does not change it for others. */
    brant_db *session = NULL;
    assert_int_equal(
        brant_session_open(&session, db,
                           TEXT("{\"id\":\"ann\",\"scopes\":[\"sql:*\"]}")),
        BRANT_OK);
    must_fail(session, "sql.execute", "{\"sql\":\"PRAGMA foreign_keys=ON\"}", BRANT_DENIED, NULL);
    brant_db_free(session);
    brant_db_free(db);
    /* By the option. */
    db = must_open(in_folder(*state, "b.db"), "{\"foreign_keys\":true}");
    make_family(db, "");
    must(db, "sql.execute", "{\"sql\":\"PRAGMA foreign_keys\"}", "[[1]]");
    must_fail(db, "sql.execute", orphan, BRANT_CONSTRAINT, "FOREIGN KEY");
    must(db, "sql.execute", "{\"sql\":\"INSERT INTO parent VALUES (7)\"}", NULL);
    must(db, "sql.execute", orphan, "\"changes\":1");
    must(db, "sql.execute", "{\"sql\":\"DELETE FROM parent\"}", "\"changes\":1");
    must(db, "sql.execute", "{\"sql\":\"SELECT count(*) FROM child\"}", "[[0]]");
    brant_db_free(db);
    must_not_open(in_folder(*state, "c.db"), "{\"foreign_keys\":1}", BRANT_INVALID, "foreign_keys");
    /* A deferred key is judged at the commit, which can be tried again. */
    db = must_open(in_folder(*state, "d.db"), "{\"foreign_keys\":true}");
    make_family(db, " DEFERRABLE INITIALLY DEFERRED");
    must_fail(db, "sql.execute", orphan, BRANT_CONSTRAINT, "FOREIGN KEY");
    must(db, "transaction.begin", "", NULL);
    must(db, "sql.execute", orphan, "\"changes\":1");
    must_fail(db, "transaction.commit", "", BRANT_CONSTRAINT, "FOREIGN KEY");
    must(db, "sql.execute", "{\"sql\":\"INSERT INTO parent VALUES (7)\"}", NULL);
    must(db, "transaction.commit", "", NULL);
    must(db, "sql.execute", "{\"sql\":\"SELECT count(*) FROM child\"}", "[[1]]");
    must_be_well(db);
    brant_db_free(db);
}

/* ---- backup and restore ------------------------------------------------------------------------------------------------------ */

static void test_backup(void **state) {
    char json[4600];
    char *folder = *state;
    brant_db *db = must_open(in_folder(folder, "a.db"), ""),
             *other = must_open(in_folder(folder, "a.db"), "");
    must(db, "sql.execute", "{\"sql\":\"CREATE TABLE t (x)\"}", NULL);
    must(db, "sql.execute", "{\"sql\":\"INSERT INTO t VALUES (1)\"}", NULL);
    snprintf(json, sizeof json, "{\"path\":\"%s/copy.db\"}", folder);
    must(db, "transaction.begin", "", NULL);
    must_fail(db, "db.backup", json, BRANT_MISUSE, "transaction");
    must(db, "transaction.rollback", "", NULL);
    must(db, "db.backup", json, "\"pages\"");
    must_fail(db, "db.backup", json, BRANT_EXISTS, "overwrite");
    assert_int_equal(mode_of(in_folder(folder, "copy.db")), 0600);
    assert_int_not_equal(access(in_folder(folder, "copy.db-wal"), F_OK), 0);
    must(db, "sql.execute", "{\"sql\":\"INSERT INTO t VALUES (2)\"}", NULL);
    must(db, "db.restore", json, "\"pages\"");
    must(db, "sql.execute", "{\"sql\":\"SELECT group_concat(x) FROM t\"}", "[[\"1\"]]");
    must(other, "sql.execute", "{\"sql\":\"SELECT group_concat(x) FROM t\"}", "[[\"1\"]]");
    must(other, "sql.execute", "{\"sql\":\"INSERT INTO t VALUES (3)\"}", NULL);
    must_be_well(db);
    snprintf(json, sizeof json, "{\"path\":\"%s/copy.db\",\"overwrite\":true}", folder);
    must(db, "db.backup", json, NULL);
    brant_db *copy = must_open(in_folder(folder, "copy.db"), "{\"mode\":\"rw\"}");
    must(copy, "sql.execute", "{\"sql\":\"SELECT count(*) FROM t\"}", "[[2]]");
    brant_db_free(copy);
    snprintf(json, sizeof json, "{\"path\":\"%s/none.db\"}", folder);
    must_fail(db, "db.restore", json, BRANT_NOT_FOUND, "does not exist");
    snprintf(json, sizeof json, "{\"path\":\"%s/a.db\"}", folder);
    must_fail(db, "db.restore", json, BRANT_INVALID, "itself");
    must_fail(db, "db.backup", json, BRANT_INVALID, "itself");
    snprintf(json, sizeof json, "{\"path\":\"%s\"}", folder);
    must_fail(db, "db.backup", json, BRANT_INVALID, "folder");
    snprintf(json, sizeof json, "{\"path\":\"%s/none/b.db\"}", folder);
    must_fail(db, "db.backup", json, BRANT_NOT_FOUND, "beside");
    write_file(in_folder(folder, "text.db"), "just text, and not a database at all, but long", 46);
    snprintf(json, sizeof json, "{\"path\":\"%s/text.db\"}", folder);
    must_fail(db, "db.restore", json, BRANT_NOT_BRANT, "not a database");
    brant_db_free(must_open(in_folder(folder, "tenant.db"), "{\"role\":\"tenant\"}"));
    snprintf(json, sizeof json, "{\"path\":\"%s/tenant.db\"}", folder);
    must_fail(db, "db.restore", json, BRANT_CONFLICT, "role");
    must(db, "sql.execute", "{\"sql\":\"SELECT count(*) FROM t\"}", "[[2]]");
    brant_db_free(other);
    brant_db_free(db);
}

/* A backup must not be spoilt by what lies beside the file whose name it takes, nor pull that file from under somebody. */
static void test_backup_overwrites(void **state) {
    char json[4600];
    char *folder = *state;
    brant_db *db = must_open(in_folder(folder, "a.db"), "");
    must(db, "sql.execute", "{\"sql\":\"CREATE TABLE mine (x)\"}", NULL);
    snprintf(json, sizeof json, "{\"path\":\"%s/b.db\",\"overwrite\":true}", folder);
    const pid_t child = fork();
    if (child == 0) { /* dies with its changes in the WAL */
        brant_db *old = NULL;
        char *answer = NULL;
        size_t length = 0;
        if (brant_open(&old, TEXT(in_folder(folder, "b.db")), "", 0) != BRANT_OK) _exit(1);
        _exit(brant_sql_execute(&answer, &length, old,
                                TEXT("{\"sql\":\"CREATE TABLE old (x)\"}")) == BRANT_OK
                  ? 0
                  : 1);
    }
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_int_equal(how, 0);
    assert_int_equal(access(in_folder(folder, "b.db-wal"), F_OK), 0);
    /* The file goes, its WAL stays: a backup of that name is another file. */
    assert_int_equal(rename(in_folder(folder, "b.db"), in_folder(folder, "gone.db")), 0);
    must(db, "db.backup", json, NULL);
    brant_db *copy = must_open(in_folder(folder, "b.db"), "{\"mode\":\"rw\"}");
    must(copy, "sql.execute",
         "{\"sql\":\"SELECT group_concat(name) FROM sqlite_schema WHERE name IN ('mine', 'old')\"}",
         "[[\"mine\"]]");
    must_be_well(copy);
    must_fail(db, "db.backup", json, BRANT_CONFLICT, "is open");
    must(copy, "sql.execute", "{\"sql\":\"INSERT INTO mine VALUES (1)\"}", NULL);
    brant_db_free(copy);
    must(db, "db.backup", json, NULL);
    brant_db_free(db);
}

static void put_nodes(brant_db *db, char letter, const char *wanted) {
    char json[8192];
    size_t used = (size_t)snprintf(json, sizeof json, "{\"graph\":\"g\",\"items\":[");
    for (int i = 0; i < 100; i++)
        used += (size_t)snprintf(json + used, sizeof json - used, "%s{\"key\":\"%c%d\"}",
                                 i ? "," : "", letter, i);
    snprintf(json + used, sizeof json - used, "]}");
    must(db, "nodes.put_many", json, wanted);
}

/* What a handle keeps of a graph belongs to one history: after a restore the same counts mean other nodes. */
static void test_restore_ends_history(void **state) {
    char json[4600];
    char *folder = *state;
    brant_db *db = must_open(in_folder(folder, "a.db"), ""),
             *other = must_open(in_folder(folder, "a.db"), "");
    must(db, "graphs.create", "{\"name\":\"g\",\"graph_type\":\"open\"}", NULL);
    snprintf(json, sizeof json, "{\"path\":\"%s/b.db\"}", folder);
    must(db, "db.backup", json, NULL);
    put_nodes(other, 'a', "\"created\":100");
    must(db, "db.restore", json, NULL);
    put_nodes(db, 'b', "\"created\":100");
    put_nodes(other, 'a', "\"created\":100");
    must(db, "nodes.count", "{\"graph\":\"g\"}", "200");
    must_be_well(other);
    brant_db_free(other);
    brant_db_free(db);
}

static void test_doctor(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open(path, "");
    must(db, "graphs.create", "{\"name\":\"g\",\"graph_type\":\"open\"}", NULL);
    must(db, "nodes.put", "{\"graph\":\"g\",\"key\":\"a\"}", NULL);
    must(db, "nodes.put", "{\"graph\":\"g\",\"key\":\"b\"}", NULL);
    must(db, "nodes.put", "{\"graph\":\"g\",\"key\":\"b\",\"type\":null}",
         "\"created\":false"); /* as nodes.get says it */
    must(db, "edges.put", "{\"graph\":\"g\",\"source\":\"a\",\"target\":\"b\"}", NULL);
    must_be_well(db);
    brant_db_free(db);
    run_shell(SHELL "DELETE FROM nodes WHERE key = 'b'; UPDATE nodes SET attributes = '[1' WHERE "
                    "key = 'a';" SHELL_END,
              path);
    db = must_open(path, "");
    char *answer = must_call(db, "db.doctor", "", "\"ok\":false}");
    assert_non_null(strstr(answer, "has no target"));
    assert_non_null(strstr(answer, "not a JSON object"));
    assert_non_null(strstr(answer, "says 2 nodes and 1 edges, and has 1 and 1"));
    brant_free(answer);
    brant_db_free(db);
}

static void test_limits(void **state) {
    brant_db *db =
        must_open(in_folder(*state, "a.db"), "{\"limits\":{\"document\":2048,\"depth\":8}}");
    char *json = malloc(4096);
    assert_non_null(json);
    memset(json, 'x', 4096);
    memcpy(json, "{\"channel\":\"", 12);
    memcpy(json + 4093, "\"}", 3);
    must_fail(db, "events.notify", json, BRANT_LIMIT, "2048");
    must_fail(db, "events.notify", "{\"channel\":\"a\",\"payload\":[[[[[[[[[]]]]]]]]]}",
              BRANT_LIMIT, "");
    must_fail(db, "no.such", "", BRANT_NOT_FOUND, "operations.list");
    must_fail(db, "events.listen", "{\"channels\":[\"a\"]}", BRANT_MISUSE, "cursor");
    brant_cursor *cursor = NULL;
    assert_int_equal(brant_call_open(&cursor, db, TEXT("nodes.get"), "", 0), BRANT_MISUSE);
    must_fail(db, "db.info", "[]", BRANT_INVALID, "object");
    must_fail(db, "db.info", "{\"a\":1}", BRANT_INVALID, "db.info");
    must_fail(db, "db.info", "{\"a\":", BRANT_INVALID_JSON, "");
    assert_non_null(strstr(brant_last_error()->detail, "\"offset\""));
    free(json);
    brant_db_free(db);
}

static void test_memory(void **state) {
    (void)state;
    brant_db *db = must_open(":memory:", ""), *other = must_open(":memory:", "");
    must(db, "sql.execute", "{\"sql\":\"CREATE TABLE t (x)\"}", NULL);
    must_fail(other, "sql.execute", "{\"sql\":\"SELECT * FROM t\"}", BRANT_SQL, "no such table");
    must_be_well(db);
    brant_db_free(db);
    brant_db_free(other);
}

static void test_registry(void **state) {
    (void)state;
    char *answer = NULL;
    size_t length = 0;
    assert_int_equal(brant_operation_list(&answer, &length, NULL, "", 0), BRANT_OK);
    assert_non_null(strstr(answer, "\"name\":\"nodes.put\""));
    assert_non_null(strstr(answer, "\"name\":\"operations.list\""));
    brant_free(answer);
    assert_int_equal(
        brant_operation_list(&answer, &length, NULL, TEXT("{\"namespace\":\"events\"}")), BRANT_OK);
    assert_non_null(strstr(answer, "\"name\":\"events.listen\""));
    assert_null(strstr(answer, "\"name\":\"nodes.put\""));
    brant_free(answer);
    assert_int_equal(brant_operation_list(&answer, &length, NULL, TEXT("{\"space\":1}")),
                     BRANT_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_open_creates_privately, set_up_folder,
                                        tear_down_folder),
        cmocka_unit_test_setup_teardown(test_open_refuses, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_open_versions, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_open_newer, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_open_released_formats, set_up_folder,
                                        tear_down_folder),
        cmocka_unit_test_setup_teardown(test_open_format_4, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_upgrade_collision, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_adopt, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_read_only, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_open_race, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_open_beside_writer, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_foreign_descriptor, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_close, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_other_threads, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_close_during_writes, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_fork, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_transactions, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_lost_transaction, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_sql, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_sql_for_drivers, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_sql_in_parts, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_sql_kept, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_sql_denied, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_foreign_keys, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_backup, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_backup_overwrites, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_restore_ends_history, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_doctor, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_limits, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_memory, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_registry, set_up_folder, tear_down_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
