/*
 * tests/core/test_identity_actor.c: who acts on a session: its identity, within its organisation and level, and nobody else.
 */
#include "test_identity.h"

static brant_db *must_session(brant_db *db, const char *identity) {
    brant_db *session = NULL;
    if (brant_session_open(&session, db, TEXT(identity)) != BRANT_OK)
        fail_msg("%s: %s", identity, brant_last_error()->message);
    return session;
}

#define SESSION(id, more) "{\"id\":\"" id "\",\"scopes\":[\"*:*\"]" more "}"

static void a_session_acts_as_itself(void **state) {
    brant_db *db = must_open_identity(state);
    brant_db *ann = must_session(db, SESSION(ANN, ",\"reason\":\"support\""));
    must(ann, "accounts.update", "{\"id\":\"" ANN "\",\"name\":\"A\"}", "\"A\"");
    must(ann, "accounts.update",
         "{\"id\":\"" ANN "\",\"name\":\"B\",\"actor\":{\"reason\":\"typo\"}}", "\"B\"");
    must(ann, "accounts.update", "{\"id\":\"" ANN "\",\"name\":\"C\"," ACTOR(ANN) "}", "\"C\"");
    must_fail(ann, "accounts.update", "{\"id\":\"" ANN "\",\"name\":\"D\"," ACTOR(BOB) "}",
              BRANT_DENIED, "/actor: a session acts as nobody but itself");
    must_fail(ann, "accounts.update",
              "{\"id\":\"" ANN "\",\"name\":\"D\",\"actor\":{\"type\":\"system\"}}", BRANT_DENIED,
              "/actor: a session acts as nobody but itself");
    must_fail(ann, "accounts.update", "{\"id\":\"" BOB "\",\"name\":\"D\"}", BRANT_DENIED,
              "changing another account");
    must_fail(ann, "accounts.create", "{\"email\":\"x@example.org\"}", BRANT_DENIED,
              "making accounts");
    must(ann, "members.add", "{" MEMBERSHIP(ORG, EVE) ",\"level\":\"owner\"}", EVE);
    assert_int_equal(
        number(db, "SELECT count(*) FROM brant_audit_logs WHERE action = 'accounts.update' AND "
                   "actor_type = 'account' AND actor_id = '" ANN "' AND detail LIKE "
                   "'%\\\"reason\\\":\\\"support\\\"%'"),
        2);
    assert_int_equal(number(db, "SELECT count(*) FROM brant_audit_logs WHERE detail LIKE '%typo%'"),
                     1);
    brant_db_free(ann);
    brant_db_free(db);
}

static void what_is_no_active_account_does_nothing(void **state) {
    brant_db *db = must_open_identity(state);
    brant_db *bob = must_session(db, SESSION(BOB, "")),
             *nobody = must_session(db, SESSION("system", ",\"actor_type\":\"service\""));
    must_fail(nobody, "accounts.create", "{\"email\":\"x@example.org\"}", BRANT_DENIED,
              "the actor, service system, is no account");
    must(db, "accounts.deactivate", "{\"id\":\"" BOB "\"}", NULL);
    must_fail(bob, "members.add", "{" MEMBERSHIP(ORG, EVE) "}", BRANT_DENIED, "is not active");
    must_fail(bob, "accounts.reactivate", "{\"id\":\"" BOB "\"}", BRANT_DENIED, "is not active");
    /* What is no rule of theirs is done by no inactive account either. */
    must_fail(db, "audit.append", "{\"action\":\"a.b\"," ACTOR(BOB) "}", BRANT_DENIED,
              "the actor, account " BOB ", is not active");
    must(db, "audit.append", "{\"action\":\"a.b\"," ACTOR(ANN) "}", NULL);
    must(db, "audit.append", "{\"action\":\"a.b\"," ACTOR("somebody of the host's") "}", NULL);
    brant_db_free(bob);
    brant_db_free(nobody);
    brant_db_free(db);
}

/* A key of one organisation says nothing of others, nor of the account that it belongs to. */
static void a_session_of_an_organization_stays_there(void **state) {
    brant_db *db = must_open_identity(state);
    must(db, "organizations.create",
         "{\"id\":\"" OTHER "\",\"slug\":\"y\",\"name\":\"Y\",\"owner_id\":\"" ANN "\"}", NULL);
    must(db, "accounts.update", "{\"id\":\"" ANN "\",\"access_level\":\"admin\"}", NULL);
    brant_db *ann =
        must_session(db, SESSION(ANN, ",\"actor_type\":\"api_key\",\"organization\":\"" ORG "\""));
    must(ann, "members.add", "{" MEMBERSHIP(ORG, EVE) "}", EVE);
    must_fail(ann, "members.add", "{" MEMBERSHIP(OTHER, EVE) "}", BRANT_DENIED,
              "the session is of another organization");
    must_fail(ann, "organizations.update", "{\"id\":\"" OTHER "\",\"name\":\"x\"}", BRANT_DENIED,
              "the session is of another organization");
    must_fail(ann, "organizations.suspend", "{\"id\":\"" OTHER "\"}", BRANT_DENIED,
              "the session is of another organization");
    must_fail(ann, "organizations.delete", "{\"id\":\"" OTHER "\"}", BRANT_DENIED,
              "the session is of another organization");
    must_fail(ann, "organizations.create", "{\"slug\":\"z\",\"name\":\"z\"}", BRANT_DENIED,
              "makes no other");
    must_fail(ann, "accounts.update", "{\"id\":\"" ANN "\",\"email\":\"mine@example.org\"}",
              BRANT_DENIED, "changes no accounts");
    must_fail(ann, "accounts.create", "{\"email\":\"x@example.org\"}", BRANT_DENIED,
              "access_level admin");
    must(ann, "organizations.suspend", "{\"id\":\"" ORG "\"}", "suspended");
    brant_db_free(ann);
    brant_db_free(db);
}

static void a_session_has_no_more_than_its_level(void **state) {
    brant_db *db = must_open_identity(state);
    brant_db *ann =
        must_session(db, SESSION(ANN, ",\"organization\":\"" ORG "\",\"level\":\"admin\""));
    must(ann, "members.add", "{" MEMBERSHIP(ORG, EVE) "}", EVE);
    must_fail(ann, "members.set_level", "{" MEMBERSHIP(ORG, EVE) ",\"level\":\"owner\"}",
              BRANT_DENIED, "by owners alone");
    must_fail(ann, "organizations.transfer", "{\"id\":\"" ORG "\",\"to\":\"" BOB "\"}",
              BRANT_DENIED, "that needs level owner");
    must_fail(ann, "organizations.delete", "{\"id\":\"" ORG "\"}", BRANT_DENIED, "no active owner");
    /* Nor more than the membership as it is now. */
    brant_db *bob =
        must_session(db, SESSION(BOB, ",\"organization\":\"" ORG "\",\"level\":\"owner\""));
    must_fail(bob, "members.set_level", "{" MEMBERSHIP(ORG, EVE) ",\"level\":\"owner\"}",
              BRANT_DENIED, "by owners alone");
    must(db, "members.set_level", "{" MEMBERSHIP(ORG, BOB) ",\"level\":\"viewer\"}", NULL);
    must_fail(bob, "members.remove", "{" MEMBERSHIP(ORG, EVE) "}", BRANT_DENIED, "level admin");
    brant_db_free(bob);
    brant_db_free(ann);
    brant_db_free(db);
}

/* By itself every account holds accounts:self, and nothing else is needed for what it may do to itself. */
static void an_account_needs_no_more_than_itself(void **state) {
    brant_db *db = must_open_identity(state);
    brant_db *dan = must_session(db, "{\"id\":\"" DAN "\",\"scopes\":[\"accounts:self\"]}");
    must(dan, "accounts.update", "{\"id\":\"" DAN "\",\"name\":\"Dan\"}", "Dan");
    must_fail(dan, "accounts.update", "{\"id\":\"" ANN "\",\"name\":\"Dan\"}", BRANT_DENIED,
              "changing another account");
    must_fail(dan, "members.add", "{" MEMBERSHIP(ORG, EVE) "}", BRANT_DENIED, "members:write");
    must(dan, "members.leave", "{\"org_id\":\"" ORG "\"}", "{\"removed\":true}");
    must(dan, "accounts.delete", "{\"id\":\"" DAN "\"}", "{\"deleted\":true");
    must_fail(dan, "accounts.update", "{\"id\":\"" DAN "\",\"name\":\"Dan\"}", BRANT_DENIED,
              "is no account");
    brant_db_free(dan);
    brant_db_free(db);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up_folder, tear_down_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_session_acts_as_itself),
        TEST(what_is_no_active_account_does_nothing),
        TEST(a_session_of_an_organization_stays_there),
        TEST(a_session_has_no_more_than_its_level),
        TEST(an_account_needs_no_more_than_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
