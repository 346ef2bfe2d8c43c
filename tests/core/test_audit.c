/*
 * tests/core/test_audit.c: adding rows to the audit log, and the guard around it. What is found out about a log that was changed: test_audit_tamper.c.
 */
#define _GNU_SOURCE
#include "child.h"
#include "support_audit.h"

static void rows_make_a_chain(void **state) {
    brant_db *db = must_open_audited(in_folder(*state, "a.db"));
    must_append(db, 12);
    assert_int_equal(number(db, "SELECT count(*) FROM brant_audit_logs"), 12);
    assert_int_equal(number(db, "SELECT max(seq) FROM brant_audit_logs"), 12);
    assert_int_equal(number(db, "SELECT count(DISTINCT hash) FROM brant_audit_logs"), 12);
    assert_int_equal(number(db, "SELECT count(*) FROM brant_audit_logs WHERE length(hash) = 32 AND "
                                "key_version = 1 AND actor_type = 'account' AND actor_id = 'a-1'"),
                     12);
    assert_int_equal(number(db, "SELECT count(*) FROM brant_audit_logs WHERE org_id IS NULL"), 6);
    assert_int_equal(number(db, "SELECT count(*) FROM brant_audit_logs WHERE detail = "
                                "'{\\\"a\\\":1,\\\"reason\\\":\\\"because\\\"}'"),
                     3);
    assert_int_equal(number(db, "SELECT count(*) FROM brant_audit_anchors WHERE name = 'head' AND "
                                "seq = 12 AND hash = (SELECT hash FROM brant_audit_logs WHERE seq "
                                "= 12)"),
                     1);
    /* What is told others has no detail. */
    must(db, "streams.read", "{\"stream\":\"audit-events\",\"limit\":2}",
         "\"payload\":{\"seq\":2,\"action\":\"things.update\",\"actor_type\":\"account\","
         "\"actor_id\":\"a-1\",\"org_id\":\"org-1\",\"resource\":\"thing:1\",\"created_at\":");
    must_be_well(db);
    brant_db_free(db);
}

static void a_tenant_tells_nobody(void **state) {
    brant_db *db = must_open(in_folder(*state, "t.db"), "{\"role\":\"tenant\"}");
    must_load(db, AUDIT_1);
    must_append(db, 2);
    assert_int_equal(number(db, "SELECT count(*) FROM streams"), 0);
    brant_db_free(db);
}

static void it_fails_closed(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open(path, "");
    assert_int_equal(append_row(db, "a.b", NULL, NULL, NULL, NULL), BRANT_NOT_FOUND);
    must_load(db, RING_1);
    assert_int_equal(append_row(db, "a.b", NULL, NULL, NULL, NULL), BRANT_NOT_FOUND);
    must_load(db, RING(AUDIT_KEY(1, "decrypt_only", KEY_1)));
    assert_int_equal(append_row(db, "a.b", NULL, NULL, NULL, NULL), BRANT_NOT_FOUND);
    assert_int_equal(number(db, "SELECT count(*) FROM brant_audit_logs"), 0);
    must_load(db, AUDIT_1);
    must_append(db, 2);
    /* Another key of the same version. */
    must_load(db, RING(AUDIT_KEY(1, "active", KEY_2)));
    assert_int_equal(append_row(db, "a.b", NULL, NULL, NULL, NULL), BRANT_CONFLICT);
    /* Version 1 vouches for the head, and is not there. */
    must_load(db, RING(AUDIT_KEY(2, "active", KEY_2)));
    assert_int_equal(append_row(db, "a.b", NULL, NULL, NULL, NULL), BRANT_NOT_FOUND);
    must_load(db, AUDIT_2);
    assert_int_equal(append_row(db, "a.b", NULL, NULL, NULL, NULL), BRANT_OK);
    /* From now on version 2 does. */
    must_load(db, RING(AUDIT_KEY(2, "active", KEY_2)));
    assert_int_equal(append_row(db, "a.b", NULL, NULL, NULL, NULL), BRANT_OK);
    char *detail = malloc(BRANT__AUDIT_DETAIL + 2);
    memset(detail, ' ', BRANT__AUDIT_DETAIL);
    memcpy(detail, "{\"a\":1", 6);
    strcpy(detail + BRANT__AUDIT_DETAIL - 1, "}");
    assert_int_equal(append_row(db, "a.b", NULL, NULL, detail, NULL), BRANT_OK);
    assert_int_equal(append_row(db, "a.b", NULL, NULL, detail, "r"), BRANT_LIMIT);
    free(detail);
    assert_int_equal(number(db, "SELECT max(seq) FROM brant_audit_logs"), 5);
    /* Rows and anchors that do not belong together. */
    assert_true(other_program(path, false, "DELETE FROM brant_audit_anchors"));
    assert_int_equal(append_row(db, "a.b", NULL, NULL, NULL, NULL), BRANT_CORRUPT);
    brant_db_free(db);
}

/* What was not committed leaves no row, and no gap. */
static void it_goes_with_its_transaction(void **state) {
    brant_db *db = must_open_audited(in_folder(*state, "a.db"));
    must_append(db, 1);
    must(db, "transaction.begin", "", NULL);
    must_append(db, 3);
    must(db, "transaction.rollback", "", NULL);
    must(db, "transaction.begin", "", NULL);
    must_append(db, 1);
    must(db, "transaction.begin", "", NULL);
    must_append(db, 2);
    must(db, "transaction.rollback", "", NULL);
    must(db, "transaction.commit", "", NULL);
    assert_int_equal(number(db, "SELECT count(*) FROM brant_audit_logs"), 2);
    assert_int_equal(number(db, "SELECT max(seq) FROM brant_audit_logs"), 2);
    brant_db_free(db);
}

/* ---- several writers ---------------------------------------------------------------------------------- */

static void add_many(child *self) {
    brant_db *db = NULL;
    CHECK(brant_open(&db, TEXT(self->path), TEXT(PATIENT)) == BRANT_OK);
    CHECK(brant_keyring_load(db, TEXT(AUDIT_1)) == BRANT_OK);
    for (int i = 0; i < 100; i++) {
        char *answer = NULL;
        size_t length = 0;
        CHECK(brant_audit_append(&answer, &length, db, TEXT("{\"action\":\"a.b\"}")) == BRANT_OK);
        brant_free(answer);
    }
    brant_db_free(db);
}

static void processes_write_one_chain(void **state) {
    const char *path = in_folder(*state, "a.db");
    child writers[3];
    brant_db_free(must_open_audited(path));
    for (int i = 0; i < 3; i++)
        fork_child(&writers[i], add_many, path, i);
    for (int i = 0; i < 3; i++)
        must_end(&writers[i], 0);
    brant_db *db = must_open_audited(path);
    must(db, "audit.verify", "", "\"ok\":true,\"truncated\":false,\"rows\":300,");
    brant_db_free(db);
}

/* ---- the guard ---------------------------------------------------------------------------------------- */

static const char *const attacks[] = {
    "UPDATE brant_audit_logs SET action = 'x'",
    "UPDATE brant_audit_logs SET seq = seq + 100",
    "UPDATE OR REPLACE brant_audit_logs SET seq = 1 WHERE seq = 2",
    "DELETE FROM brant_audit_logs",
    "DELETE FROM brant_audit_logs WHERE seq = 3",
    "INSERT OR REPLACE INTO brant_audit_logs SELECT * FROM brant_audit_logs WHERE seq = 1",
    "REPLACE INTO brant_audit_logs SELECT * FROM brant_audit_logs WHERE seq = 3",
    "INSERT INTO brant_audit_logs SELECT 2, id, org_id, actor_type, actor_id, 'x', resource, "
    "detail, metadata, created_at, key_version, hash FROM brant_audit_logs WHERE seq = 1 "
    "ON CONFLICT (seq) DO UPDATE SET action = 'x'",
};

/* Only where there is an authorizer: a program without one may do what it likes to the schema. */
static const char *const schema_attacks[] = {
    "DROP TABLE brant_audit_logs",
    "DROP TRIGGER brant_audit_logs_insert",
    "DROP TRIGGER brant_audit_logs_update",
    "DROP TRIGGER brant_audit_logs_delete",
    "ALTER TABLE brant_audit_logs RENAME TO x",
    "ALTER TABLE brant_audit_logs ADD COLUMN x",
    "CREATE TRIGGER x AFTER INSERT ON brant_audit_logs BEGIN SELECT 1; END",
    "CREATE TEMP TRIGGER x AFTER INSERT ON brant_audit_logs BEGIN SELECT 1; END",
    "CREATE TEMP TABLE brant_audit_logs (seq)",
    "CREATE INDEX x ON brant_audit_logs (id)",
    "INSERT INTO brant_audit_logs DEFAULT VALUES",
    "UPDATE brant_audit_anchors SET seq = 1",
    "DELETE FROM brant_audit_anchors",
    "INSERT INTO brant_audit_subjects VALUES ('x', x'00', 1)",
    "DELETE FROM brant_audit_subjects",
    "DELETE FROM brant_audit_checkpoints",
    "PRAGMA writable_schema = 1",
};

static void refuse_sql(brant_db *db, const char *sql) {
    char json[1024];
    snprintf(json, sizeof json, "{\"sql\":\"%s\"}", sql);
    must_fail(db, "sql.execute", json, BRANT_DENIED, NULL);
}

static void a_handle_refuses(void **state) {
    brant_db *db = must_open_audited(in_folder(*state, "a.db"));
    must_append(db, 3);
    for (size_t i = 0; i < BRANT__COUNT(attacks); i++)
        refuse_sql(db, attacks[i]);
    for (size_t i = 0; i < BRANT__COUNT(schema_attacks); i++)
        refuse_sql(db, schema_attacks[i]);
    assert_int_equal(number(db, "SELECT sum(seq) FROM brant_audit_logs"), 6);
    brant_db_free(db);
}

static void triggers_refuse_other_programs(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open_audited(path);
    must_append(db, 3);
    for (size_t i = 0; i < BRANT__COUNT(attacks); i++)
        if (other_program(path, true, attacks[i])) fail_msg("%s", attacks[i]);
    assert_false(
        other_program(path, true, "PRAGMA recursive_triggers = 1; DELETE FROM brant_audit_logs"));
    assert_int_equal(number(db, "SELECT sum(seq) FROM brant_audit_logs"), 6);
    brant_db_free(db);
}

int main(int count, char **arguments) {
    const int other = run_other_program(count, arguments);
    if (other >= 0) return other;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_make_a_chain, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(a_tenant_tells_nobody, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(it_fails_closed, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(it_goes_with_its_transaction, set_up_folder,
                                        tear_down_folder),
        cmocka_unit_test_setup_teardown(processes_write_one_chain, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(a_handle_refuses, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(triggers_refuse_other_programs, set_up_folder,
                                        tear_down_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
