/*
 * tests/core/test_identity_account.c: accounts: what each operation does, who may, and what is told of it.
 */
#include "test_identity.h"

static void an_account_is_made_and_found(void **state) {
    brant_db *db = must_open_audited(in_folder(*state, "a.db"));
    must(db, "accounts.create",
         "{\"id\":\"" ANN "\",\"email\":\"Ada@Example.ORG\",\"metadata\":{\"n\":[1, 2]}}",
         "{\"id\":\"" ANN "\",\"email\":\"ada@example.org\",\"name\":null,\"access_level\":"
         "\"user\",\"status\":\"active\",\"metadata\":{\"n\":[1,2]},\"created_at\":");
    must(db, "accounts.get", "{\"id\":\"" ANN "\"}", "ada@example.org");
    must(db, "accounts.find", "{\"email\":\"ADA@example.org\"}", ANN);
    must_fail(db, "accounts.get", "{\"id\":\"" BOB "\"}", BRANT_NOT_FOUND, "no account " BOB);
    must_fail(db, "accounts.find", "{\"email\":\"b@example.org\"}", BRANT_NOT_FOUND,
              "b@example.org");
    must_fail(db, "accounts.find", "{\"email\":\"b\"}", BRANT_INVALID, "/email: ");
    must_be_well(db);
    brant_db_free(db);
}

static void what_cannot_be_made(void **state) {
    brant_db *db = must_open_identity(state);
    char *name = malloc(300), json[512];
    must_fail(db, "accounts.create", "{\"email\":\"A@example.org\"}", BRANT_EXISTS,
              "an account with email \"a@example.org\" exists already");
    must_fail(db, "accounts.create", "{\"email\":\"x@example.org\",\"id\":\"" ANN "\"}",
              BRANT_EXISTS, "an account " ANN " exists already");
    must_fail(db, "accounts.create", "{\"email\":\"x@example.org\",\"id\":\"A\"}", BRANT_INVALID,
              "/id");
    must_fail(db, "accounts.create",
              "{\"email\":\"x@example.org\",\"id\":\"00000000-0000-7000-8000-0000000000FF\"}",
              BRANT_INVALID, "/id");
    must_fail(db, "accounts.create", "{\"email\":\"x@example.org\",\"name\":\"a\\u0000b\"}",
              BRANT_INVALID, "/name");
    /* Few characters, and many bytes. */
    for (int i = 0; i < 128; i++)
        memcpy(name + 2 * i, "\xc3\xa4", 3);
    snprintf(json, sizeof(json), "{\"email\":\"x@example.org\",\"name\":\"%s\"}", name);
    must_fail(db, "accounts.create", json, BRANT_INVALID, "/name");
    must_fail(db, "accounts.create", "{\"email\":\"x@example.org\",\"access_level\":\"root\"}",
              BRANT_INVALID, "access_level");
    must_fail(db, "accounts.create", "{\"email\":\"x@example.org\",\"status\":\"active\"}",
              BRANT_INVALID, "status");
    free(name);
    char *large = malloc(70100);
    const size_t begun =
        (size_t)snprintf(large, 100, "{\"email\":\"x@example.org\",\"metadata\":{\"x\":\"");
    memset(large + begun, 'y', 70000 - begun);
    memcpy(large + 70000, "\"}}", 4);
    must_fail(db, "accounts.create", large, BRANT_LIMIT, "/metadata takes");
    free(large);
    assert_int_equal(number(db, "SELECT count(*) FROM brant_accounts"), 6);
    brant_db_free(db);
}

static void an_update_says_what_it_changed(void **state) {
    brant_db *db = must_open_identity(state);
    brant_cursor *cursor = must_listen_to(db, "account:*");
    must(db, "accounts.update",
         "{\"id\":\"" ANN "\",\"email\":\"A2@example.org\",\"name\":\"Ann\",\"access_level\":"
         "\"service\",\"metadata\":{\"x\":null}}",
         "\"email\":\"a2@example.org\",\"name\":\"Ann\",\"access_level\":\"service\",\"status\":"
         "\"active\",\"metadata\":{\"x\":null}");
    must_yield(cursor, "{\"account_id\":\"" ANN "\",\"changes\":[\"email\",\"name\",\"metadata\","
                       "\"access_level\"]}");
    const int64_t rows = number(db, "SELECT count(*) FROM brant_audit_logs");
    must(db, "accounts.update", "{\"id\":\"" ANN "\",\"name\":\"Ann\"}", ANN);
    must(db, "accounts.update", "{\"id\":\"" ANN "\"}", ANN);
    assert_int_equal(number(db, "SELECT count(*) FROM brant_audit_logs"), rows);
    must_yield_nothing(cursor);
    must(db, "accounts.update", "{\"id\":\"" ANN "\",\"name\":null}", "\"name\":null");
    must_yield(cursor, "\"changes\":[\"name\"]");
    must_fail(db, "accounts.update", "{\"id\":\"" ANN "\",\"email\":\"b@EXAMPLE.org\"}",
              BRANT_EXISTS, "b@example.org");
    must_fail(db, "accounts.update", "{\"id\":\"" ANN "\",\"email\":\"b\"}", BRANT_INVALID,
              "/email: ");
    must_fail(db, "accounts.update", "{\"id\":\"" NOBODY "\",\"name\":\"x\"}", BRANT_NOT_FOUND,
              NOBODY);
    brant_cursor_free(cursor);
    brant_db_free(db);
}

static void who_may_change_an_account(void **state) {
    brant_db *db = must_open_identity(state);
    must_fail(db, "accounts.create", "{\"email\":\"x@example.org\"," ACTOR(ANN) "}", BRANT_DENIED,
              "making accounts needs access_level admin");
    must(db, "accounts.create",
         "{\"email\":\"x@example.org\",\"access_level\":\"admin\"," ACTOR(ADMIN) "}", NULL);
    must(db, "accounts.update", "{\"id\":\"" BOB "\",\"name\":\"Bob\"," ACTOR(BOB) "}", "Bob");
    must(db, "accounts.update",
         "{\"id\":\"" BOB "\",\"access_level\":\"user\",\"name\":\"B\"," ACTOR(BOB) "}", "B");
    must_fail(db, "accounts.update",
              "{\"id\":\"" BOB "\",\"access_level\":\"admin\"," ACTOR(BOB) "}", BRANT_DENIED,
              "changing access_level needs access_level admin");
    must_fail(db, "accounts.update", "{\"id\":\"" BOB "\",\"name\":\"Bob\"," ACTOR(ANN) "}",
              BRANT_DENIED, "changing another account needs access_level admin");
    /* That there is no such account is for those to know who may change it. */
    must_fail(db, "accounts.update", "{\"id\":\"" NOBODY "\"," ACTOR(ANN) "}", BRANT_DENIED, NULL);
    must(db, "accounts.update", "{\"id\":\"" BOB "\",\"access_level\":\"admin\"," ACTOR(ADMIN) "}",
         "\"access_level\":\"admin\"");
    must_fail(db, "accounts.deactivate", "{\"id\":\"" CARA "\"," ACTOR(ANN) "}", BRANT_DENIED,
              "deactivating another account");
    must(db, "accounts.deactivate", "{\"id\":\"" CARA "\"," ACTOR(CARA) "}", "inactive");
    must_fail(db, "accounts.reactivate", "{\"id\":\"" CARA "\"," ACTOR(CARA) "}", BRANT_DENIED,
              "the actor, account " CARA ", is not active");
    must_fail(db, "accounts.reactivate", "{\"id\":\"" CARA "\"," ACTOR(ANN) "}", BRANT_DENIED,
              "reactivating an account needs access_level admin");
    must(db, "accounts.reactivate", "{\"id\":\"" CARA "\"," ACTOR(ADMIN) "}", "\"active\"");
    must_fail(db, "accounts.delete", "{\"id\":\"" DAN "\"," ACTOR(CARA) "}", BRANT_DENIED,
              "deleting another account");
    must(db, "accounts.delete", "{\"id\":\"" DAN "\"," ACTOR(DAN) "}",
         "{\"deleted\":true,\"api_keys\":0,\"members\":1}");
    must_fail(db, "accounts.update", "{\"id\":\"" ANN "\"," ACTOR(DAN) "}", BRANT_DENIED,
              "is no account");
    brant_db_free(db);
}

static void who_acts_is_judged_as_their_account(void **state) {
    brant_db *db = must_open_identity(state);
    must_fail(db, "accounts.update", "{\"id\":\"" ANN "\",\"actor\":{\"type\":\"account\"}}",
              BRANT_INVALID, "/actor/id is missing");
    must_fail(db, "accounts.update",
              "{\"id\":\"" ANN "\",\"actor\":{\"type\":\"agent\",\"id\":\"helper\"}}", BRANT_DENIED,
              "the actor, agent helper, is no account");
    must_fail(db, "accounts.update",
              "{\"id\":\"" ANN "\",\"actor\":{\"type\":\"service\",\"id\":\"" EVE "\"}}",
              BRANT_DENIED, "changing another account");
    must_fail(db, "accounts.update", "{\"id\":\"" ANN "\",\"actor\":{\"id\":\"\"}}", BRANT_INVALID,
              "/actor/id");
    must_fail(db, "accounts.update", "{\"id\":\"" ANN "\",\"actor\":{\"type\":\"root\"}}",
              BRANT_INVALID, "/actor/type");
    /* Few characters, and many bytes. */
    char json[2200] = "{\"id\":\"" ANN "\",\"name\":\"x\",\"actor\":{\"reason\":\"";
    for (int i = 0; i < 501; i++)
        strcat(json, "\xc3\xa4");
    strcat(json, "\"}}");
    must_fail(db, "accounts.update", json, BRANT_INVALID, "/actor/reason has 1002 bytes");
    must(db, "accounts.update",
         "{\"id\":\"" ANN "\",\"name\":\"y\",\"actor\":{\"type\":\"system\",\"id\":\"cron\","
         "\"reason\":\"tidying\"}}",
         "\"y\"");
    assert_int_equal(
        number(db,
               "SELECT count(*) FROM brant_audit_logs WHERE action = 'accounts.update' AND "
               "actor_type = 'system' AND actor_id = 'cron' AND resource = 'account:" ANN "' "
               "AND detail = '{\\\"changes\\\":[\\\"name\\\"],\\\"reason\\\":\\\"tidying\\\"}'"),
        1);
    brant_db_free(db);
}

static void an_account_goes_out_of_use_and_comes_back(void **state) {
    brant_db *db = must_open_identity(state);
    brant_cursor *cursor = must_listen_to(db, "account:*");
    must(db, "accounts.deactivate", "{\"id\":\"" BOB "\"}", "\"status\":\"inactive\"");
    must_yield(cursor, "\"changes\":[\"status\"]");
    must(db, "accounts.deactivate", "{\"id\":\"" BOB "\"}", "\"status\":\"inactive\"");
    must_yield_nothing(cursor);
    must(db, "members.get", "{" MEMBERSHIP(ORG, BOB) "}", "\"status\":\"active\"");
    must(db, "accounts.reactivate", "{\"id\":\"" BOB "\"}", "\"status\":\"active\"");
    must(db, "accounts.reactivate", "{\"id\":\"" BOB "\"}", "\"status\":\"active\"");
    must_fail(db, "accounts.deactivate", "{\"id\":\"" ANN "\"}", BRANT_CONSTRAINT,
              "account " ANN " is the last active owner of organization \"x\"");
    /* A suspended organisation keeps nobody. */
    must(db, "organizations.suspend", "{\"id\":\"" ORG "\"}", NULL);
    must(db, "accounts.deactivate", "{\"id\":\"" ANN "\"}", "inactive");
    must_fail(db, "organizations.resume", "{\"id\":\"" ORG "\"}", BRANT_CONSTRAINT,
              "no active owner");
    must(db, "accounts.reactivate", "{\"id\":\"" ANN "\"}", NULL);
    must(db, "organizations.resume", "{\"id\":\"" ORG "\"}", NULL);
    /* Another owner may stay behind. */
    must(db, "members.set_level", "{" MEMBERSHIP(ORG, BOB) ",\"level\":\"owner\"}", NULL);
    must(db, "accounts.deactivate", "{\"id\":\"" ANN "\"}", "inactive");
    must_fail(db, "accounts.deactivate", "{\"id\":\"" BOB "\"}", BRANT_CONSTRAINT, "last active");
    must_fail(db, "accounts.deactivate", "{\"id\":\"" NOBODY "\"}", BRANT_NOT_FOUND, NOBODY);
    must_fail(db, "accounts.reactivate", "{\"id\":\"" NOBODY "\"}", BRANT_NOT_FOUND, NOBODY);
    brant_cursor_free(cursor);
    brant_db_free(db);
}

static void deleting_takes_keys_and_memberships(void **state) {
    brant_db *db = must_open_identity(state);
    brant_cursor *cursor = must_listen_to(db, "*");
    must_fail(db, "accounts.delete", "{\"id\":\"" ANN "\"}", BRANT_CONSTRAINT,
              "account " ANN " has organization \"x\": transfer or delete that before");
    must(db, "organizations.transfer", "{\"id\":\"" ORG "\",\"to\":\"" BOB "\"}", NULL);
    must_yield(cursor, "org:updated");
    must(db, "accounts.delete", "{\"id\":\"" ANN "\"}",
         "{\"deleted\":true,\"api_keys\":0,\"members\":1}");
    must_yield(cursor, "{\"account_id\":\"" ANN "\"}");
    must_fail(db, "accounts.get", "{\"id\":\"" ANN "\"}", BRANT_NOT_FOUND, ANN);
    must_fail(db, "members.get", "{" MEMBERSHIP(ORG, ANN) "}", BRANT_NOT_FOUND, ANN);
    must_fail(db, "accounts.delete", "{\"id\":\"" ANN "\"}", BRANT_NOT_FOUND, ANN);
    /* Its email is free, and no audit row has it. Its id is not. */
    must_fail(db, "accounts.create", "{\"id\":\"" ANN "\",\"email\":\"a@example.org\"}",
              BRANT_EXISTS, "not given again");
    make_account(db, NOBODY, "a@example.org", "user");
    assert_int_equal(
        number(db, "SELECT count(*) FROM brant_audit_logs WHERE instr(detail, '@') > 0"), 0);
    must_be_well(db);
    brant_cursor_free(cursor);
    brant_db_free(db);
}

static void the_last_owner_is_not_deleted(void **state) {
    brant_db *db = must_open_identity(state);
    /* BOB has it, and is not active: ANN is the last owner who is. */
    must(db, "organizations.transfer", "{\"id\":\"" ORG "\",\"to\":\"" BOB "\"}", NULL);
    must(db, "accounts.deactivate", "{\"id\":\"" BOB "\"}", NULL);
    must_fail(db, "accounts.delete", "{\"id\":\"" ANN "\"}", BRANT_CONSTRAINT,
              "is the last active owner of organization \"x\"");
    brant_db_free(db);
}

static void without_an_audit_key_nothing_changes(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    must_fail(db, "accounts.create", "{\"email\":\"a@example.org\"}", BRANT_NOT_FOUND, "key");
    assert_int_equal(number(db, "SELECT count(*) FROM brant_accounts"), 0);
    assert_int_equal(
        number(db, "SELECT count(*) FROM notifications WHERE channel = 'account:created'"), 0);
    brant_db_free(db);
}

static void a_tenant_has_no_accounts(void **state) {
    static const char *const operations[][2] = {
        {"accounts.create", "{\"email\":\"a@example.org\"}"},
        {"accounts.get", "{\"id\":\"" ANN "\"}"},
        {"accounts.find", "{\"email\":\"a@example.org\"}"},
        {"accounts.list", "{}"},
        {"accounts.update", "{\"id\":\"" ANN "\"}"},
        {"accounts.deactivate", "{\"id\":\"" ANN "\"}"},
        {"accounts.reactivate", "{\"id\":\"" ANN "\"}"},
        {"accounts.delete", "{\"id\":\"" ANN "\"}"},
        {"organizations.create", "{\"slug\":\"x\",\"name\":\"x\",\"owner_id\":\"" ANN "\"}"},
        {"organizations.get", "{\"slug\":\"x\"}"},
        {"organizations.list", "{}"},
        {"organizations.update", "{\"id\":\"" ORG "\"}"},
        {"organizations.transfer", "{\"id\":\"" ORG "\",\"to\":\"" ANN "\"}"},
        {"organizations.suspend", "{\"id\":\"" ORG "\"}"},
        {"organizations.resume", "{\"id\":\"" ORG "\"}"},
        {"organizations.delete", "{\"id\":\"" ORG "\"}"},
        {"members.add", "{" MEMBERSHIP(ORG, ANN) "}"},
        {"members.get", "{" MEMBERSHIP(ORG, ANN) "}"},
        {"members.list", "{}"},
        {"members.set_level", "{" MEMBERSHIP(ORG, ANN) ",\"level\":\"owner\"}"},
        {"members.suspend", "{" MEMBERSHIP(ORG, ANN) "}"},
        {"members.resume", "{" MEMBERSHIP(ORG, ANN) "}"},
        {"members.remove", "{" MEMBERSHIP(ORG, ANN) "}"},
        {"members.leave", "{" MEMBERSHIP(ORG, ANN) "}"},
    };
    brant_db *db = must_open(in_folder(*state, "t.db"), "{\"role\":\"tenant\"}");
    must_load(db, AUDIT_1);
    for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++)
        must_fail(db, operations[i][0], operations[i][1], BRANT_MISUSE,
                  "accounts are in the hub's system.db");
    must(db, "identity.schemas", "{}", NULL);
    brant_db_free(db);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up_folder, tear_down_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_account_is_made_and_found),         TEST(what_cannot_be_made),
        TEST(an_update_says_what_it_changed),       TEST(who_may_change_an_account),
        TEST(who_acts_is_judged_as_their_account),  TEST(an_account_goes_out_of_use_and_comes_back),
        TEST(deleting_takes_keys_and_memberships),  TEST(the_last_owner_is_not_deleted),
        TEST(without_an_audit_key_nothing_changes), TEST(a_tenant_has_no_accounts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
