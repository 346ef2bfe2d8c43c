/*
 * tests/core/test_audit_operation.c: audit.append, .get, .list, .export, .keep, .checkpoints, .prove, .erase_subject.
 */
#include "fake_clock.h"

#include "support_audit.h"
#include "support_plan.h"

static brant_db *open_log(const char *folder) {
    brant_db *db = open_with_clock(in_folder(folder, "a.db"));
    must_load(db, AUDIT_1);
    return db;
}

static void must_add(brant_db *db, const char *members) {
    char json[1024];
    snprintf(json, sizeof json, "{%s}", members);
    must(db, "audit.append", json, "{\"seq\":");
}

static void appending(void **state) {
    brant_db *db = open_log(*state);
    must_add(db, "\"action\":\"orders.ship\",\"resource\":\"order:1\",\"org_id\":\"o\",\"detail\":"
                 "{\"weight\":1.50,\"to\":[\"a\",null]},\"actor\":{\"type\":\"agent\",\"id\":\"x\","
                 "\"reason\":\"it \\\"was\\\" due\"}");
    must(db, "audit.get", "{\"seq\":1}",
         ",\"org_id\":\"o\",\"actor_type\":\"agent\",\"actor_id\":\"x\",\"action\":\"orders.ship\","
         "\"resource\":\"order:1\",\"detail\":{\"weight\":1.5,\"to\":[\"a\",null],\"reason\":\"it "
         "\\\"was\\\" due\"},\"metadata\":{},\"created_at\":1700000000000,\"key_version\":1,"
         "\"hash\":\"");
    must_add(db, "\"action\":\"orders.ship\"");
    must(db, "audit.get", "{\"seq\":2}",
         ",\"org_id\":null,\"actor_type\":\"system\",\"actor_id\":null,\"action\":\"orders.ship\","
         "\"resource\":null,\"detail\":{},");
    must(db, "audit.verify", "", "\"ok\":true");
    must_fail(db, "audit.get", "{\"seq\":3}", BRANT_NOT_FOUND, "no row 3");
    /* Only the library says what it did. */
    must_fail(db, "audit.append", "{\"action\":\"accounts.create\"}", BRANT_INVALID,
              "/action: rows of namespace \"accounts\"");
    must_fail(db, "audit.append", "{\"action\":\"audit\"}", BRANT_INVALID, "\"audit\"");
    must_add(db, "\"action\":\"accountsx.create\"");
    must_fail(db, "audit.append", "{\"action\":\"a.b\",\"detail\":{\"reason\":1}}", BRANT_INVALID,
              "/detail/reason");
    must_fail(db, "audit.append", "{\"action\":\"a.b\",\"detail\":{\"personal\":1}}", BRANT_INVALID,
              "/detail/personal");
    must_fail(db, "audit.append", "{\"action\":\"a.b\",\"subject\":\"s\"}", BRANT_INVALID, NULL);
    must_fail(db, "audit.append", "{\"action\":\"a.b\",\"personal\":{\"a\":\"b\"}}", BRANT_INVALID,
              NULL);
    must_fail(db, "audit.append", "{\"action\":\"\"}", BRANT_INVALID, NULL);
    brant_keyring_unload(db);
    must_fail(db, "audit.append", "{\"action\":\"a.b\"}", BRANT_NOT_FOUND, "key ring");
    must_fail(db, "audit.checkpoint", "", BRANT_NOT_FOUND, "key ring");
    must(db, "audit.get", "{\"seq\":2}", NULL); /* reading needs no key */
    brant_db_free(db);
}

/* ---- lists ---------------------------------------------------------------------------------------------- */

/* The seqs of the answer, as "1 2 3 next 4". */
static const char *seqs(brant_db *db, const char *input) {
    static char out[512];
    brant__json json = {0};
    size_t i, count, length = 0;
    yyjson_val *item;
    char *answer = must_call(db, "audit.list", input, NULL);
    assert_int_equal(brant__json_parse(&json, TEXT(answer), 0), BRANT_OK);
    yyjson_val *items = brant__json_get(json.root, "items"),
               *next = brant__json_get(json.root, "next");
    out[0] = 0;
    yyjson_arr_foreach(items, i, count, item) length +=
        (size_t)snprintf(out + length, sizeof out - length, "%s%lld", i ? " " : "",
                         (long long)brant__json_integer(brant__json_get(item, "seq"), -1));
    if (next)
        snprintf(out + length, sizeof out - length, " next %lld",
                 (long long)brant__json_integer(next, -1));
    brant__json_free(&json);
    brant_free(answer);
    return out;
}

static void listing(void **state) {
    brant_db *db = open_log(*state);
    for (int i = 0; i < 9; i++) {
        char members[256];
        snprintf(members, sizeof members,
                 "\"action\":\"a.%d\",\"resource\":\"r:%d\"%s,\"actor\":{\"id\":\"u%d\"}", i % 2,
                 i % 3, i < 6 ? ",\"org_id\":\"o\"" : "", i % 4);
        fake_now += 1000;
        must_add(db, members);
    }
    assert_string_equal(seqs(db, ""), "1 2 3 4 5 6 7 8 9");
    assert_string_equal(seqs(db, "{\"limit\":4}"), "1 2 3 4 next 4");
    assert_string_equal(seqs(db, "{\"limit\":4,\"after\":4}"), "5 6 7 8 next 8");
    assert_string_equal(seqs(db, "{\"limit\":4,\"after\":8}"), "9");
    assert_string_equal(seqs(db, "{\"after\":9}"), "");
    assert_string_equal(seqs(db, "{\"limit\":4,\"order\":\"desc\"}"), "9 8 7 6 next 6");
    assert_string_equal(seqs(db, "{\"limit\":9,\"order\":\"desc\",\"before\":6}"), "5 4 3 2 1");
    assert_string_equal(seqs(db, "{\"after\":2,\"before\":5}"), "3 4");
    assert_string_equal(seqs(db, "{\"filter\":{\"action\":\"a.1\"}}"), "2 4 6 8");
    assert_string_equal(seqs(db, "{\"filter\":{\"action\":\"a.1\"},\"limit\":2}"), "2 4 next 4");
    assert_string_equal(seqs(db, "{\"filter\":{\"resource\":\"r:0\"}}"), "1 4 7");
    assert_string_equal(seqs(db, "{\"filter\":{\"resource\":\"r:0\",\"action\":\"a.0\"}}"), "1 7");
    assert_string_equal(seqs(db, "{\"filter\":{\"actor_id\":\"u3\"},\"order\":\"desc\"}"), "8 4");
    assert_string_equal(seqs(db, "{\"filter\":{\"org_id\":\"o\"}}"), "1 2 3 4 5 6");
    assert_string_equal(seqs(db, "{\"filter\":{\"org_id\":null}}"), "7 8 9");
    assert_string_equal(seqs(db, "{\"filter\":{\"org_id\":null,\"action\":\"a.1\"}}"), "8");
    assert_string_equal(seqs(db, "{\"filter\":{\"action\":\"none\"}}"), "");
    assert_string_equal(seqs(db, "{\"since\":1700000003000,\"until\":1700000005000}"), "3 4");
    assert_string_equal(seqs(db, "{\"since\":1700000008000,\"order\":\"desc\"}"), "9 8");
    must_fail(db, "audit.list", "{\"filter\":{\"detail\":\"x\"}}", BRANT_INVALID, NULL);
    must_fail(db, "audit.list", "{\"filter\":{\"action\":null}}", BRANT_INVALID, NULL);
    must_fail(db, "audit.list", "{\"limit\":0}", BRANT_INVALID, NULL);
    brant_db_free(db);
}

static void statements_use_indexes(void **state) {
    static const char *const sql[] = {
        "SELECT * FROM brant_audit_logs WHERE seq > ? AND seq < ? ORDER BY seq",
        "SELECT * FROM brant_audit_logs WHERE seq > ? AND seq < ? AND action = ? ORDER BY seq DESC",
        "SELECT * FROM brant_audit_logs WHERE seq > ? AND seq < ? AND actor_id = ? ORDER BY seq",
        "SELECT * FROM brant_audit_logs WHERE seq > ? AND seq < ? AND resource = ? ORDER BY seq",
        "SELECT * FROM brant_audit_logs WHERE seq > ? AND seq < ? AND org_id = ? ORDER BY seq DESC",
        "SELECT * FROM brant_audit_logs WHERE seq > ? AND seq < ? AND action = ? AND actor_id = ? "
        "AND resource = ? AND org_id = ? ORDER BY seq",
        "SELECT * FROM brant_audit_logs WHERE seq > ? AND seq < ? AND org_id IS NULL ORDER BY seq",
        "SELECT * FROM brant_audit_logs WHERE seq >= ? ORDER BY seq",
        "SELECT seq, hash FROM brant_audit_checkpoints WHERE file = ? ORDER BY seq DESC LIMIT 1",
        "SELECT seq, hash, created_at FROM brant_audit_checkpoints WHERE file = ? ORDER BY seq",
        "DELETE FROM brant_audit_checkpoints WHERE file = ?1 AND seq < (SELECT seq FROM "
        "brant_audit_checkpoints WHERE file = ?1 ORDER BY seq DESC LIMIT 1 OFFSET 15)",
        "DELETE FROM brant_audit_logs WHERE seq <= ?",
    };
    const char *path = in_folder(*state, "a.db");
    brant_db_free(must_open(path, ""));
    must_plan_well(path, sql, BRANT__COUNT(sql));
}

/* A row that somebody spoilt does not spoil the answer. */
static void a_damaged_row(void **state) {
    brant_db *db = open_log(*state);
    const char *path = in_folder(*state, "a.db");
    must_add(db, "\"action\":\"a.b\"");
    must_add(db, "\"action\":\"a.b\"");
    assert_true(
        other_program(path, false, "UPDATE brant_audit_logs SET detail = '{\"a\":' WHERE seq = 2"));
    must(db, "audit.get", "{\"seq\":1}", NULL);
    must_fail(db, "audit.get", "{\"seq\":2}", BRANT_CORRUPT, "row 2 of the audit log is damaged");
    must_fail(db, "audit.list", "", BRANT_CORRUPT, "row 2");
    must_fail(db, "audit.export", "", BRANT_CORRUPT, "row 2");
    assert_true(other_program(path, false,
                              "UPDATE brant_audit_logs SET detail = '{}', action = "
                              "CAST(x'ff' AS TEXT) WHERE seq = 2"));
    must_fail(db, "audit.get", "{\"seq\":2}", BRANT_CORRUPT, "row 2");
    must(db, "audit.verify", "", "\"seq\":2");
    brant_db_free(db);
}

/* Each line is the row that audit.get gives. */
static void exporting(void **state) {
    brant_db *db = open_log(*state);
    brant__json json = {0};
    must(db, "audit.export", "", ",\"text\":\"\",\"rows\":0}");
    for (int i = 0; i < 5; i++)
        must_add(db, "\"action\":\"a.b\",\"detail\":{\"line\":\"1\\n2\"}");
    char *answer = must_call(db, "audit.export", "{\"limit\":3}", "\"rows\":3,\"next\":3}");
    assert_int_equal(brant__json_parse(&json, TEXT(answer), 0), BRANT_OK);
    char *text = strdup(brant__json_get_text(json.root, "text").data), *rest = text;
    brant_free(answer);
    for (int i = 1; i <= 3; i++) {
        char input[32], *end = strchr(rest, '\n');
        assert_non_null(end);
        *end = 0;
        snprintf(input, sizeof input, "{\"seq\":%d}", i);
        char *row = must_call(db, "audit.get", input, NULL);
        assert_string_equal(row, rest);
        brant_free(row);
        rest = end + 1;
    }
    assert_string_equal(rest, "");
    free(text);
    brant__json_free(&json);
    answer = must_call(db, "audit.export", "{\"after\":3}", "\"rows\":2}");
    assert_null(strstr(answer, "\"next\""));
    brant_free(answer);
    brant_db_free(db);
}

/* ---- personal data ---------------------------------------------------------------------------------------- */

static void personal_data(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = open_log(*state);
    must_add(db, "\"action\":\"a.b\",\"subject\":\"person:1\",\"personal\":{\"email\":\"ann@"
                 "example.org\",\"city\":\"Ghent\"},\"detail\":{\"x\":1}");
    must_add(db, "\"action\":\"a.b\",\"subject\":\"person:1\",\"personal\":{\"city\":\"Ghent\"}");
    must_add(db, "\"action\":\"a.b\",\"subject\":\"person:2\",\"personal\":{\"city\":\"Ghent\"}");
    must(db, "audit.get", "{\"seq\":1}", "\"detail\":{\"x\":1,\"personal\":{\"email\":\"");
    assert_false(database_holds(path, "ann@example.org"));
    assert_false(database_holds(path, "Ghent"));
    /* Of one subject the same text has one hash, of another it has another. */
    assert_int_equal(number(db, "SELECT count(DISTINCT detail ->> '$.personal.city') FROM "
                                "brant_audit_logs"),
                     2);
    must(db, "audit.prove",
         "{\"seq\":1,\"subject\":\"person:1\",\"name\":\"city\",\"text\":\"Ghent\"}",
         "{\"proven\":true}");
    must(db, "audit.prove",
         "{\"seq\":1,\"subject\":\"person:1\",\"name\":\"city\",\"text\":\"ghent\"}",
         "{\"proven\":false}");
    must(db, "audit.prove",
         "{\"seq\":1,\"subject\":\"person:2\",\"name\":\"city\",\"text\":\"Ghent\"}",
         "{\"proven\":false}");
    must(db, "audit.prove",
         "{\"seq\":2,\"subject\":\"person:1\",\"name\":\"email\",\"text\":\"Ghent\"}",
         "{\"proven\":false}");
    must_fail(db, "audit.prove",
              "{\"seq\":9,\"subject\":\"person:1\",\"name\":\"city\",\"text\":\"Ghent\"}",
              BRANT_NOT_FOUND, "no row 9");
    must(db, "audit.erase_subject", "{\"subject\":\"person:1\"}",
         "{\"erased\":true,\"scrubbed\":true}");
    must(db, "audit.erase_subject", "{\"subject\":\"person:1\"}",
         "{\"erased\":false,\"scrubbed\":true}");
    must_fail(db, "audit.prove",
              "{\"seq\":1,\"subject\":\"person:1\",\"name\":\"city\",\"text\":\"Ghent\"}",
              BRANT_NOT_FOUND, "no salt");
    assert_false(database_holds(path, "person:1"));
    must(db, "audit.prove",
         "{\"seq\":3,\"subject\":\"person:2\",\"name\":\"city\",\"text\":\"Ghent\"}",
         "{\"proven\":true}");
    must(db, "audit.get", "{\"seq\":4}", "\"action\":\"audit.erase_subject\",\"resource\":null,");
    must_fail(db, "audit.get", "{\"seq\":5}", BRANT_NOT_FOUND, NULL);
    must(db, "audit.verify", "", "\"ok\":true");
    /* A new salt from now on. */
    must_add(db, "\"action\":\"a.b\",\"subject\":\"person:1\",\"personal\":{\"city\":\"Ghent\"}");
    must(db, "audit.prove",
         "{\"seq\":1,\"subject\":\"person:1\",\"name\":\"city\",\"text\":\"Ghent\"}",
         "{\"proven\":false}");
    must(db, "transaction.begin", "", NULL);
    must(db, "audit.erase_subject", "{\"subject\":\"person:1\"}",
         "{\"erased\":true,\"scrubbed\":false}");
    must(db, "transaction.rollback", "", NULL);
    must(db, "audit.prove",
         "{\"seq\":5,\"subject\":\"person:1\",\"name\":\"city\",\"text\":\"Ghent\"}",
         "{\"proven\":true}");
    brant_db_free(db);
}

/* ---- checkpoints of other files ----------------------------------------------------------------------------- */

static void keep(brant_db *db, const char *checkpoint, const char *more, const char *wanted) {
    char input[1024];
    snprintf(input, sizeof input, "%.*s%s}", (int)strlen(checkpoint) - 1, checkpoint, more);
    must(db, "audit.keep", input, wanted);
}

static void keeping(void **state) {
    char input[4400];
    brant_db *db = open_log(*state);
    brant_db *tenant = must_open(in_folder(*state, "t.db"), "{\"role\":\"tenant\"}");
    must_load(tenant, AUDIT_1);
    must_append(tenant, 3);
    char *third = must_call(tenant, "audit.checkpoint", "", NULL);
    snprintf(input, sizeof input, "{\"path\":\"%s\"}", in_folder(*state, "old.db"));
    must(tenant, "db.backup", input, NULL);
    must_append(tenant, 2);
    char *fifth = must_call(tenant, "audit.checkpoint", "", NULL);
    keep(db, third, "", "{\"kept\":true}");
    keep(db, third, "", "{\"kept\":false}");
    keep(db, fifth, "", "{\"kept\":true}");
    /* It was rolled back, and goes on. */
    must(tenant, "db.restore", input, NULL);
    char *back = must_call(tenant, "audit.checkpoint", "", NULL);
    must_fail(db, "audit.keep", back, BRANT_CONFLICT,
              "the log went back: row 5 was seen, and now it ends at 3");
    must_append(tenant, 2);
    char *another = must_call(tenant, "audit.checkpoint", "", NULL);
    must_fail(db, "audit.keep", another, BRANT_CONFLICT, "row 5 is another");
    snprintf(input, sizeof input, "{\"file\":\"%.36s\"}", strstr(third, "\"file\":\"") + 8);
    char *kept = must_call(db, "audit.checkpoints", input, "\"seq\":3,");
    char *list = strchr(kept, '[');
    assert_int_equal(list[strlen(list) - 1], '}');
    list[strlen(list) - 1] = 0;
    snprintf(input, sizeof input, "{\"checkpoints\":%s}", list);
    must(tenant, "audit.verify", input, "\"seq\":5,\"problem\":\"the row is another");
    brant_free(kept);
    /* On purpose. */
    keep(db, another, ",\"replace\":true", "{\"kept\":true}");
    snprintf(input, sizeof input, "{\"file\":\"%.36s\"}", strstr(third, "\"file\":\"") + 8);
    kept = must_call(db, "audit.checkpoints", input, "{\"items\":[{\"file\":\"");
    assert_null(strstr(kept, "\"seq\":3"));
    brant_free(kept);
    must_fail(tenant, "audit.keep", another, BRANT_MISUSE, "a tenant's");
    /* All this stands in the log of the one who keeps. */
    assert_int_equal(
        number(db, "SELECT count(*) FROM brant_audit_logs WHERE action = 'audit.keep'"), 3);
    must(db, "audit.verify", "", "\"ok\":true,\"truncated\":false,\"rows\":3,");
    brant_free(third);
    brant_free(fifth);
    brant_free(back);
    brant_free(another);
    brant_db_free(tenant);
    brant_db_free(db);
}

static void the_newest_are_kept(void **state) {
    char input[512];
    brant_db *db = open_log(*state);
    for (int seq = 1; seq <= 40; seq++) {
        snprintf(input, sizeof input,
                 "{\"file\":\"%s\",\"seq\":%d,\"hash\":\"" KEY_1 "\",\"created_at\":%d}",
                 seq % 2 ? "f" : "g", seq, seq);
        must(db, "audit.keep", input, "{\"kept\":true}");
    }
    assert_int_equal(number(db, "SELECT count(*) FROM brant_audit_checkpoints"), 32);
    assert_int_equal(number(db, "SELECT min(seq) FROM brant_audit_checkpoints WHERE file = 'f'"),
                     9);
    must_fail(db, "audit.keep", "{\"file\":\"f\",\"seq\":41,\"hash\":\"x\",\"created_at\":1}",
              BRANT_INVALID, NULL);
    must_fail(db, "audit.keep",
              "{\"file\":\"f\",\"seq\":41,\"hash\":\"" KEY_1 "\",\"created_at\":1,\"mac\":"
              "\"" KEY_1 "\"}",
              BRANT_INVALID, "must have both");
    brant_db_free(db);
}

/* ---- sessions ----------------------------------------------------------------------------------------------- */

static brant_db *open_session(brant_db *db, const char *members) {
    brant_db *session = NULL;
    char identity[512];
    snprintf(identity, sizeof identity, "{\"id\":\"u1\",\"scopes\":[\"audit:*\"]%s}", members);
    if (brant_session_open(&session, db, TEXT(identity)) != BRANT_OK)
        fail_msg("session: %s", brant_last_error()->message);
    return session;
}

static void a_session_of_one_organization(void **state) {
    static const char *const whole[][2] = {
        {"audit.export", "{}"},
        {"audit.erase_subject", "{\"subject\":\"s\"}"},
        {"audit.keep", "{\"file\":\"f\",\"seq\":1,\"hash\":\"" KEY_1 "\",\"created_at\":1}"},
        {"audit.prune", "{\"through\":1,\"checkpoint\":{\"seq\":1,\"hash\":\"" KEY_1 "\"}}"},
    };
    brant_db *db = open_log(*state);
    must_add(db, "\"action\":\"a.b\",\"org_id\":\"o\"");
    must_add(db,
             "\"action\":\"a.b\",\"org_id\":\"p\",\"subject\":\"s\",\"personal\":{\"n\":\"x\"}");
    must_add(db, "\"action\":\"a.b\"");
    brant_db *session = open_session(db, ",\"organization\":\"o\"");
    must_add(session, "\"action\":\"a.c\",\"actor\":{\"reason\":\"r\"}");
    must(db, "audit.get", "{\"seq\":4}",
         "\"org_id\":\"o\",\"actor_type\":\"account\",\"actor_id\":\"u1\",\"action\":\"a.c\","
         "\"resource\":null,\"detail\":{\"reason\":\"r\"}");
    must_fail(session, "audit.append", "{\"action\":\"a.c\",\"org_id\":\"p\"}", BRANT_DENIED,
              "/org_id");
    must_fail(session, "audit.append", "{\"action\":\"a.c\",\"actor\":{\"id\":\"u2\"}}",
              BRANT_DENIED, "/actor");
    assert_string_equal(seqs(session, ""), "1 4");
    assert_string_equal(seqs(session, "{\"filter\":{\"action\":\"a.b\"}}"), "1");
    must_fail(session, "audit.list", "{\"filter\":{\"org_id\":\"p\"}}", BRANT_DENIED, "/filter");
    must_fail(session, "audit.list", "{\"filter\":{\"org_id\":null}}", BRANT_DENIED, "/filter");
    must(session, "audit.get", "{\"seq\":1}", NULL);
    must_fail(session, "audit.get", "{\"seq\":2}", BRANT_NOT_FOUND, NULL);
    must_fail(session, "audit.get", "{\"seq\":3}", BRANT_NOT_FOUND, NULL);
    must_fail(session, "audit.prove", "{\"seq\":2,\"subject\":\"s\",\"name\":\"n\",\"text\":\"x\"}",
              BRANT_NOT_FOUND, NULL);
    for (size_t i = 0; i < BRANT__COUNT(whole); i++)
        must_fail(session, whole[i][0], whole[i][1], BRANT_DENIED, "of the whole file");
    must(session, "audit.verify", "", "\"ok\":true,\"truncated\":false,\"rows\":4,");
    brant_close(session);
    brant_db_free(session);
    /* Of none, it sees all. */
    session = open_session(db, "");
    assert_string_equal(seqs(session, ""), "1 2 3 4");
    must(session, "audit.export", "", "\"rows\":4}");
    brant_close(session);
    brant_db_free(session);
    brant_db_free(db);
    /* A tenant's file is the organisation's. */
    db = must_open(in_folder(*state, "t.db"), "{\"role\":\"tenant\"}");
    must_load(db, AUDIT_1);
    must_add(db, "\"action\":\"a.b\"");
    session = open_session(db, ",\"organization\":\"o\"");
    assert_string_equal(seqs(session, ""), "1");
    must(session, "audit.export", "", "\"rows\":1}");
    brant_close(session);
    brant_db_free(session);
    brant_db_free(db);
}

/* A long log is not read to its end when somebody says stop. */
static void verifying_is_interrupted(void **state) {
    char *answer = NULL;
    size_t length = 0;
    brant_db *db = open_log(*state);
    must(db, "transaction.begin", "", NULL);
    must_append(db, 3000);
    must(db, "transaction.commit", "", NULL);
    must(db, "audit.verify", "", "\"rows\":3000,");
    brant_deadline_set(db, 1);
    assert_int_equal(brant_audit_verify(&answer, &length, db, "", 0), BRANT_TIMEOUT);
    brant_deadline_set(db, 0);
    brant_db_free(db);
}

int main(int count, char **arguments) {
    const int other = run_other_program(count, arguments);
    if (other >= 0) return other;
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up_clock, tear_down_folder)
    const struct CMUnitTest tests[] = {
        TEST(appending),
        TEST(listing),
        TEST(statements_use_indexes),
        TEST(a_damaged_row),
        TEST(exporting),
        TEST(personal_data),
        TEST(keeping),
        TEST(the_newest_are_kept),
        TEST(verifying_is_interrupted),
        TEST(a_session_of_one_organization),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
