/*
 * tests/core/test_sql_frame.c: brant_sql_run: what crosses, that it is sql.execute in every other respect, and requests that are none.
 */
#include <math.h>

#include "frame.h"
#include "support.h"

static int set_up(void **state) {
    *state = must_open(":memory:", "");
    return 0;
}

static int tear_down(void **state) {
    brant_db_free(*state);
    return 0;
}

static void run(brant_db *db, const frame *asked, const char *wanted) {
    char *answer = NULL, text[8192];
    size_t length = 0;
    if (brant_sql_run(&answer, &length, db, asked->bytes, asked->length) != BRANT_OK)
        fail_msg("%s: %s", brant_last_error()->name, brant_last_error()->message);
    print_answer(text, sizeof text, answer, length, asked->bytes[0] & BRANT_SQL_DESCRIBE);
    brant_free(answer);
    assert_string_equal(text, wanted);
}

static void run_text(brant_db *db, unsigned flags, unsigned limit, const char *sql,
                     const char *wanted) {
    const frame asked = without_values(flags, limit, sql);
    run(db, &asked, wanted);
}

static void refuse(brant_db *db, const frame *asked, brant_status wanted, const char *message) {
    char *answer = (char *)"x";
    size_t length = 1;
    const brant_status status = brant_sql_run(&answer, &length, db, asked->bytes, asked->length);
    assert_int_equal(status, wanted);
    assert_null(answer);
    assert_int_equal(length, 0);
    if (!strstr(brant_last_error()->message, message))
        fail_msg("\"%s\" does not say \"%s\"", brant_last_error()->message, message);
}

static void refuse_text(brant_db *db, unsigned flags, unsigned limit, const char *sql,
                        brant_status wanted, const char *message) {
    const frame asked = without_values(flags, limit, sql);
    refuse(db, &asked, wanted, message);
}

static void test_values(void **state) {
    brant_db *db = *state;
    run_text(db, 0, 0, "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT NOT NULL, c REAL, d)",
             " | changes 0 rowid 0 cursor 0 tail 0 parameters 0");
    frame asked = request(0, 0, "INSERT INTO t VALUES (?, ?, ?, ?)", 1);
    put_run(&asked, 4, 0);
    put_integer(&asked, INT64_MIN);
    put_text(&asked, "\xc3\xa9");
    put_float(&asked, -INFINITY);
    put_blob(&asked, "\0\xff", 2);
    run(db, &asked, " | changes 1 rowid -9223372036854775808 cursor 0 tail 0 parameters 4");
    asked =
        request(BRANT_SQL_DESCRIBE, 0, "SELECT *, a + 1 AS e FROM t WHERE b = :b AND c < $c", 1);
    put_run(&asked, 2, 1);
    put_bytes(&asked, "c", 1);
    put_float(&asked, 0.5);
    put_bytes(&asked, "b", 1);
    put_text(&asked, "\xc3\xa9");
    run(db, &asked,
        "a:INTEGER b:TEXT! c:REAL d: e | -9223372036854775808 '\xc3\xa9' -inf x'00ff' "
        "-9223372036854775807 | changes 0 rowid -9223372036854775808 cursor 0 tail 0 parameters 2");
    asked = request(0, 0, "SELECT ?, ?, typeof(?), ?, CAST(x'ff' AS TEXT)", 1);
    put_run(&asked, 4, 0);
    put_null(&asked);
    put_text(&asked, "");
    put_float(&asked, NAN);
    put_blob(&asked, "", 0);
    run(db, &asked,
        "? ? typeof(?) ? CAST(x'ff' AS TEXT) | null '' 'null' x'' x'ff' | changes 0 rowid "
        "-9223372036854775808 cursor 0 tail 0 parameters 4");
    /* The same name behind two prefixes. */
    asked = request(0, 0, "SELECT :x AS a, $x AS b", 1);
    put_run(&asked, 1, 1);
    put_bytes(&asked, "x", 1);
    put_integer(&asked, 7);
    run(db, &asked,
        "a b | 7 7 | changes 0 rowid -9223372036854775808 cursor 0 tail 0 parameters 2");
}

static void test_batch(void **state) {
    brant_db *db = *state;
    must(db, "sql.execute", "{\"sql\":\"CREATE TABLE t (a INTEGER PRIMARY KEY, b UNIQUE)\"}", NULL);
    frame asked = request(BRANT_SQL_BATCH, 0, "INSERT INTO t (b) VALUES (?) RETURNING a", 3);
    for (int i = 1; i <= 3; i++) {
        put_run(&asked, 1, 0);
        put_integer(&asked, i);
    }
    run(db, &asked, "a | 1 | 2 | 3 | changes 3 rowid 3 cursor 0 tail 0 parameters 1");
    refuse(db, &asked, BRANT_CONSTRAINT, "UNIQUE");
    /* What SQLite says of the failure is not lost to what is asked about columns. */
    refuse_text(db, BRANT_SQL_DESCRIBE, 0, "INSERT INTO t (b) VALUES (1) RETURNING a",
                BRANT_CONSTRAINT, "UNIQUE");
    /* Named ones, in runs of different order; the last fails, and nothing is left of the others. */
    asked = request(BRANT_SQL_BATCH, 0, "INSERT INTO t VALUES (:a, :b)", 3);
    for (int i = 0; i < 3; i++) {
        put_run(&asked, 2, 1);
        put_bytes(&asked, i % 2 ? "b" : "a", 1);
        put_integer(&asked, 10 + i);
        put_bytes(&asked, i % 2 ? "a" : i == 2 ? "a" : "b", 1);
        put_integer(&asked, 20 + i);
    }
    refuse(db, &asked, BRANT_INVALID, "no value for parameter \":b\"");
    run_text(db, 0, 0, "SELECT count(*) AS n FROM t",
             "n | 3 | changes 0 rowid 21 cursor 0 tail 0 parameters 0");
    asked = request(BRANT_SQL_BATCH, 0, "INSERT INTO t (b) VALUES (?)", 0);
    run(db, &asked, " | changes 0 rowid 21 cursor 0 tail 0 parameters 1");
}

static void test_cursor_script_limit(void **state) {
    brant_db *db = *state;
    static const char numbers[] =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 5) SELECT i FROM n";
    refuse_text(db, 0, 2, numbers, BRANT_MISUSE, "in parts inside a transaction");
    run_text(db, BRANT_SQL_CLOSE, 2, numbers,
             "i | 1 | 2 | changes 0 rowid 0 cursor 0 tail 0 parameters 0");
    must(db, "transaction.begin", "{}", NULL);
    run_text(db, 0, 2, numbers, "i | 1 | 2 | changes 0 rowid 0 cursor 1 tail 0 parameters 0");
    frame asked = go_on(0, 2, 1);
    run(db, &asked, "i | 3 | 4 | changes 0 rowid 0 cursor 1 tail 0 parameters 0");
    /* One and the same cursor, whoever opened it and however it is asked. */
    must(db, "sql.execute", "{\"cursor\":1,\"limit\":9}", "\"rows\":[[5]]");
    refuse(db, &asked, BRANT_MISUSE, "no query is open");
    run_text(db, 0, 2, numbers, "i | 1 | 2 | changes 0 rowid 0 cursor 2 tail 0 parameters 0");
    asked = go_on(BRANT_SQL_CLOSE, 0, 2);
    run(db, &asked, "i | changes 0 rowid 0 cursor 0 tail 0 parameters 0");
    asked = go_on(BRANT_SQL_DESCRIBE, 0, 2);
    refuse(db, &asked, BRANT_INVALID, "BRANT_SQL_CLOSE or nothing");
    must(db, "transaction.commit", "{}", NULL);
    asked = request(BRANT_SQL_SCRIPT, 0, "SELECT ? AS a; SELECT ?", 1);
    put_run(&asked, 2, 0);
    put_integer(&asked, 1);
    put_text(&asked, "for the other");
    run(db, &asked, "a | 1 | changes 0 rowid 0 cursor 0 tail 14 parameters 1");
    run_text(db, BRANT_SQL_SCRIPT, 0, "SELECT 1 AS a;",
             "a | 1 | changes 0 rowid 0 cursor 0 tail 0 parameters 0");
}

static void test_rules(void **state) {
    brant_db *db = *state;
    refuse_text(db, 0, 0, "DELETE FROM nodes", BRANT_DENIED, "");
    refuse_text(db, 0, 0, "BEGIN", BRANT_DENIED, "");
    refuse_text(db, 0, 0, "SELEC", BRANT_SQL, "syntax");
    refuse_text(db, 0, 0, "SELECT 1; SELECT 2", BRANT_SQL, "more than one statement");
    refuse_text(db, 0, 0, " ", BRANT_SQL, "no statement");
    refuse_text(db, 0, 0, "", BRANT_INVALID, "no SQL text");
    refuse_text(db, 0, 0, "SELECT '\xff'", BRANT_INVALID, "not UTF-8");
    refuse_text(db, 0, 0, "SELECT ?", BRANT_INVALID, "1 parameters and 0 values");
    refuse_text(db, 0, UINT32_MAX, "SELECT 1", BRANT_INVALID, "limit");
    refuse_text(db, BRANT_SQL_CLOSE, 0, "SELECT 1", BRANT_INVALID, "close");
    refuse_text(db, BRANT_SQL_BATCH | BRANT_SQL_SCRIPT, 0, "SELECT 1", BRANT_INVALID, "batch");
    refuse_text(db, 32, 0, "SELECT 1", BRANT_INVALID, "unknown");
    frame asked = request(0, 0, "SELECT 1", 2);
    refuse(db, &asked, BRANT_INVALID, "one run");
    asked = request(0, 0, "SELECT ?", 1);
    put_run(&asked, 1, 2);
    refuse(db, &asked, BRANT_INVALID, "named");
    asked = request(0, 0, "SELECT ?", 1);
    put_run(&asked, 1, 0);
    put_text(&asked, "\xed\xa0\x80");
    refuse(db, &asked, BRANT_INVALID, "parameter 1: the text is not UTF-8");
    asked = request(0, 0, "SELECT ?", 1);
    put_run(&asked, 1, 0);
    put_number(&asked, 9, 1);
    refuse(db, &asked, BRANT_INVALID, "type 9");
    asked = request(0, 0, "SELECT ?", 1);
    put_run(&asked, 1, 1);
    put_bytes(&asked, "x", 1);
    put_null(&asked);
    refuse(db, &asked, BRANT_INVALID, "has no name");
    asked = request(0, 0, "SELECT :a, :b", 1);
    put_run(&asked, 2, 1);
    for (int i = 0; i < 2; i++) {
        put_bytes(&asked, "a", 1);
        put_null(&asked);
    }
    refuse(db, &asked, BRANT_INVALID, "no value for parameter \":b\"");
    asked = without_values(0, 0, "SELECT 1");
    put_null(&asked);
    refuse(db, &asked, BRANT_INVALID, "more than its runs");
    asked = request(BRANT_SQL_BATCH, 0, "SELECT 1", 0);
    put_null(&asked);
    refuse(db, &asked, BRANT_INVALID, "more than its runs");
    asked = request(BRANT_SQL_BATCH, 0, "SELECT 1", UINT32_MAX);
    refuse(db, &asked, BRANT_LIMIT, "members");
    asked = request(BRANT_SQL_BATCH, 0, "SELECT 1", 50);
    refuse(db, &asked, BRANT_INVALID, "ends before");
    asked = request(0, 0, "SELECT ?", 1);
    put_run(&asked, UINT32_MAX, 0);
    refuse(db, &asked, BRANT_INVALID, "values were given");
    asked = request(0, 0, "SELECT ?", 1);
    put_run(&asked, UINT32_MAX, 1);
    refuse(db, &asked, BRANT_INVALID, "values with names were given");
    asked = without_values(0, 0, "SELECT 1");
    refuse(NULL, &asked, BRANT_INVALID, "NULL");
    brant_close(db);
    refuse(db, &asked, BRANT_CLOSED, "closed");
}

static void test_limits(void **state) {
    static const char zeros[1024] = {0};
    (void)state;
    brant_db *db = must_open(":memory:", "{\"limits\":{\"document\":1024,\"batch\":3}}");
    frame asked = request(0, 0, "SELECT ?", 1);
    put_run(&asked, 1, 0);
    put_blob(&asked, zeros, sizeof zeros);
    refuse(db, &asked, BRANT_LIMIT, "the limit is 1024");
    refuse_text(db, 0, 0, "SELECT zeroblob(1000000)", BRANT_LIMIT, "larger than 1024");
    refuse_text(db, 0, 0, "VALUES (1), (2), (3), (4)", BRANT_LIMIT, "more than 3 rows");
    brant_db_free(db);
}

static void test_session(void **state) {
    brant_db *db = *state, *session = NULL;
    static const char may[] = "{\"id\":\"ann\",\"scopes\":[\"sql:execute\"]}";
    static const char may_not[] = "{\"id\":\"bob\",\"scopes\":[\"nodes:read\"]}";
    const frame asked = without_values(0, 0, "SELECT 1 AS a");
    assert_int_equal(brant_session_open(&session, db, TEXT(may)), BRANT_OK);
    run(session, &asked, "a | 1 | changes 0 rowid 0 cursor 0 tail 0 parameters 0");
    brant_db_free(session);
    assert_int_equal(brant_session_open(&session, db, TEXT(may_not)), BRANT_OK);
    refuse(session, &asked, BRANT_DENIED, "sql:execute");
    brant_db_free(session);
}

/* Wherever a request ends, and whatever stands in one of its bytes: an answer or a refusal, and the handle goes on. */
static void test_broken(void **state) {
    brant_db *db = *state;
    frame asked = request(BRANT_SQL_BATCH | BRANT_SQL_DESCRIBE, 0, "SELECT :a, $b, @c", 2);
    for (int i = 0; i < 2; i++) {
        put_run(&asked, 3, 1);
        put_bytes(&asked, "a", 1);
        put_text(&asked, "text");
        put_bytes(&asked, "b", 1);
        put_blob(&asked, "\1\2", 2);
        put_bytes(&asked, "c", 1);
        put_float(&asked, 1.5);
    }
    run(db, &asked,
        ":a $b @c | 'text' x'0102' 1.5 | 'text' x'0102' 1.5 | changes 0 rowid 0 cursor 0 tail 0 "
        "parameters 3");
    for (size_t length = 0; length < asked.length; length++) {
        char *answer = NULL, *const part = malloc(length ? length : 1);
        size_t size = 0;
        memcpy(part, asked.bytes, length); /* so that a sanitizer sees its end */
        assert_int_equal(brant_sql_run(&answer, &size, db, part, length), BRANT_INVALID);
        free(part);
    }
    unsigned dice = 1;
    for (int turn = 0; turn < 20000; turn++) {
        frame other = asked;
        char *answer = NULL;
        size_t size = 0;
        for (int change = 0; change < 1 + turn % 3; change++) {
            dice = dice * 1664525u + 1013904223u;
            other.bytes[(dice >> 8) % other.length] = (char)(dice >> 24);
        }
        char *const exact = malloc(other.length);
        memcpy(exact, other.bytes, other.length);
        const brant_status status = brant_sql_run(&answer, &size, db, exact, other.length);
        assert_true(status == BRANT_OK || status == BRANT_INVALID || status == BRANT_SQL ||
                    status == BRANT_LIMIT || status == BRANT_DENIED || status == BRANT_MISUSE);
        free(exact);
        brant_free(answer);
    }
    run_text(db, 0, 0, "SELECT 1 AS a", "a | 1 | changes 0 rowid 0 cursor 0 tail 0 parameters 0");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_values, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_batch, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cursor_script_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rules, set_up, tear_down),
        cmocka_unit_test(test_limits),
        cmocka_unit_test_setup_teardown(test_session, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_broken, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
