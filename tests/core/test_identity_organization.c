/*
 * tests/core/test_identity_organization.c: organisations: what each operation does, who may, and what is told of it.
 */
#include "test_identity.h"

static void an_organization_is_made_with_its_owner(void **state) {
    brant_db *db = must_open_audited(in_folder(*state, "a.db"));
    make_accounts(db);
    brant_cursor *cursor = must_listen_to(db, "org:*");
    must(db, "organizations.create",
         "{\"id\":\"" ORG
         "\",\"slug\":\"Acme-1\",\"name\":\"Acme\",\"metadata\":{\"a\":1}," ACTOR(ANN) "}",
         "{\"id\":\"" ORG "\",\"slug\":\"acme-1\",\"name\":\"Acme\",\"owner_id\":\"" ANN "\","
         "\"status\":\"active\",\"metadata\":{\"a\":1},\"created_at\":");
    must_yield(cursor, "{\"org_id\":\"" ORG "\",\"slug\":\"acme-1\",\"owner_id\":\"" ANN "\"}");
    must(db, "members.get", "{" MEMBERSHIP(ORG, ANN) "}",
         "\"level\":\"owner\",\"status\":\"active\"");
    must(db, "organizations.get", "{\"id\":\"" ORG "\"}", "acme-1");
    must(db, "organizations.get", "{\"slug\":\"ACME-1\"}", ORG);
    must_fail(db, "organizations.get", "{\"id\":\"" OTHER "\"}", BRANT_NOT_FOUND, OTHER);
    must_fail(db, "organizations.get", "{\"slug\":\"b\"}", BRANT_NOT_FOUND, "\"b\"");
    must_fail(db, "organizations.get", "{\"slug\":\"b c\"}", BRANT_INVALID, "/slug: ");
    must_fail(db, "organizations.get", "{}", BRANT_INVALID, "/id or by /slug");
    must_fail(db, "organizations.get", "{\"id\":\"" ORG "\",\"slug\":\"acme-1\"}", BRANT_INVALID,
              "/id or by /slug");
    assert_int_equal(
        number(db, "SELECT count(*) FROM brant_audit_logs WHERE action = 'organizations.create' "
                   "AND org_id = '" ORG "' AND actor_id = '" ANN
                   "' AND resource = 'organization:" ORG "'"),
        1);
    must_be_well(db);
    brant_cursor_free(cursor);
    brant_db_free(db);
}

static void what_cannot_be_made(void **state) {
    brant_db *db = must_open_identity(state);
    must_fail(db, "organizations.create", "{\"slug\":\"y\",\"name\":\"Y\"}", BRANT_INVALID,
              "/owner_id is missing");
    must_fail(db, "organizations.create",
              "{\"slug\":\"X\",\"name\":\"Y\",\"owner_id\":\"" ANN "\"}", BRANT_EXISTS,
              "an organization with slug \"x\" exists already");
    must_fail(db, "organizations.create",
              "{\"slug\":\"y\",\"name\":\"Y\",\"owner_id\":\"" ANN "\",\"id\":\"" ORG "\"}",
              BRANT_EXISTS, ORG);
    must_fail(db, "organizations.create",
              "{\"slug\":\"y y\",\"name\":\"Y\",\"owner_id\":\"" ANN "\"}", BRANT_INVALID,
              "/slug: ");
    must_fail(db, "organizations.create", "{\"slug\":\"y\",\"name\":\"\",\"owner_id\":\"" ANN "\"}",
              BRANT_INVALID, "/name");
    must_fail(db, "organizations.create",
              "{\"slug\":\"y\",\"name\":\"Y\",\"owner_id\":\"" NOBODY "\"}", BRANT_NOT_FOUND,
              "no account " NOBODY);
    must_fail(db, "organizations.create",
              "{\"slug\":\"y\",\"name\":\"Y\",\"owner_id\":\"" BOB "\"," ACTOR(ANN) "}",
              BRANT_DENIED, "/owner_id");
    must(db, "accounts.deactivate", "{\"id\":\"" BOB "\"}", NULL);
    must_fail(db, "organizations.create",
              "{\"slug\":\"y\",\"name\":\"Y\",\"owner_id\":\"" BOB "\"," ACTOR(ADMIN) "}",
              BRANT_CONFLICT, "is not active");
    /* All or nothing. */
    must_fail(db, "organizations.get", "{\"slug\":\"y\"}", BRANT_NOT_FOUND, NULL);
    must(db, "organizations.create",
         "{\"slug\":\"y\",\"name\":\"Y\",\"owner_id\":\"" CARA "\"," ACTOR(ADMIN) "}", CARA);
    must_be_well(db);
    brant_db_free(db);
}

static void admins_and_owners_change_it(void **state) {
    brant_db *db = must_open_identity(state);
    brant_cursor *cursor = must_listen_to(db, "org:updated");
    must(db, "organizations.update",
         "{\"id\":\"" ORG
         "\",\"slug\":\"X2\",\"name\":\"New\",\"metadata\":{\"b\":[]}," ACTOR(BOB) "}",
         "\"slug\":\"x2\",\"name\":\"New\"");
    must_yield(cursor, "{\"org_id\":\"" ORG "\",\"changes\":[\"slug\",\"name\",\"metadata\"]}");
    must(db, "organizations.update", "{\"id\":\"" ORG "\",\"slug\":\"x2\"}", "x2");
    must_yield_nothing(cursor);
    must_fail(db, "organizations.update", "{\"id\":\"" ORG "\",\"name\":\"Y\"," ACTOR(CARA) "}",
              BRANT_DENIED, "that needs level admin; account " CARA " is member there");
    must_fail(db, "organizations.update", "{\"id\":\"" ORG "\",\"name\":\"Y\"," ACTOR(EVE) "}",
              BRANT_DENIED, "is no active member of that organization");
    /* The access_level admin is no member. */
    must_fail(db, "organizations.update", "{\"id\":\"" ORG "\",\"name\":\"Y\"," ACTOR(ADMIN) "}",
              BRANT_DENIED, "no active member");
    must_fail(db, "organizations.update", "{\"id\":\"" OTHER "\",\"name\":\"Y\"}", BRANT_NOT_FOUND,
              OTHER);
    must(db, "organizations.create",
         "{\"id\":\"" OTHER "\",\"slug\":\"y\",\"name\":\"Y\",\"owner_id\":\"" EVE "\"}", NULL);
    must_fail(db, "organizations.update", "{\"id\":\"" OTHER "\",\"slug\":\"X2\"}", BRANT_EXISTS,
              "\"x2\"");
    must_fail(db, "organizations.update", "{\"id\":\"" OTHER "\",\"slug\":\"-\"}", BRANT_INVALID,
              "/slug: ");
    brant_cursor_free(cursor);
    brant_db_free(db);
}

static void it_is_given_to_another_member(void **state) {
    brant_db *db = must_open_identity(state);
    brant_cursor *cursor = must_listen_to(db, "org:*");
    must_fail(db, "organizations.transfer",
              "{\"id\":\"" ORG "\",\"to\":\"" BOB "\"," ACTOR(BOB) "}", BRANT_DENIED,
              "that needs level owner");
    must_fail(db, "organizations.transfer",
              "{\"id\":\"" ORG "\",\"to\":\"" NOBODY "\"," ACTOR(ANN) "}", BRANT_NOT_FOUND, NOBODY);
    must_fail(db, "organizations.transfer", "{\"id\":\"" OTHER "\",\"to\":\"" BOB "\"}",
              BRANT_NOT_FOUND, OTHER);
    must_fail(db, "organizations.transfer",
              "{\"id\":\"" ORG "\",\"to\":\"" EVE "\"," ACTOR(ANN) "}", BRANT_CONFLICT,
              "account " EVE " is no active member of the organization");
    must(db, "members.suspend", "{" MEMBERSHIP(ORG, CARA) "}", NULL);
    must_fail(db, "organizations.transfer", "{\"id\":\"" ORG "\",\"to\":\"" CARA "\"}",
              BRANT_CONFLICT, "no active member");
    must(db, "accounts.deactivate", "{\"id\":\"" DAN "\"}", NULL);
    must_fail(db, "organizations.transfer", "{\"id\":\"" ORG "\",\"to\":\"" DAN "\"}",
              BRANT_CONFLICT, "no active member");
    must(db, "organizations.transfer", "{\"id\":\"" ORG "\",\"to\":\"" BOB "\"," ACTOR(ANN) "}",
         "\"owner_id\":\"" BOB "\"");
    must_yield(cursor, "{\"org_id\":\"" ORG "\",\"changes\":[\"owner_id\"]}");
    must(db, "members.get", "{" MEMBERSHIP(ORG, BOB) "}", "\"level\":\"owner\"");
    must(db, "members.get", "{" MEMBERSHIP(ORG, ANN) "}", "\"level\":\"owner\"");
    assert_int_equal(
        number(db, "SELECT count(*) FROM brant_audit_logs WHERE action = 'organizations.transfer' "
                   "AND detail = '{\\\"changes\\\":[\\\"owner_id\\\"],\\\"from\\\":\\\"" ANN
                   "\\\",\\\"to\\\":\\\"" BOB "\\\"}'"),
        1);
    /* To whom it belongs already. */
    must(db, "organizations.transfer", "{\"id\":\"" ORG "\",\"to\":\"" BOB "\"," ACTOR(ANN) "}",
         "\"owner_id\":\"" BOB "\"");
    must_yield_nothing(cursor);
    must(db, "members.leave", "{\"org_id\":\"" ORG "\"," ACTOR(ANN) "}", "{\"removed\":true}");
    must_be_well(db);
    brant_cursor_free(cursor);
    brant_db_free(db);
}

static void it_is_suspended_and_resumed(void **state) {
    brant_db *db = must_open_identity(state);
    must_fail(db, "organizations.suspend", "{\"id\":\"" ORG "\"," ACTOR(BOB) "}", BRANT_DENIED,
              "account " BOB " is no active owner");
    must_fail(db, "organizations.suspend", "{\"id\":\"" OTHER "\"}", BRANT_NOT_FOUND, OTHER);
    must(db, "organizations.suspend", "{\"id\":\"" ORG "\"," ACTOR(ANN) "}", "suspended");
    must(db, "organizations.suspend", "{\"id\":\"" ORG "\"," ACTOR(ANN) "}", "suspended");
    /* Meanwhile nobody is a member. */
    must_fail(db, "members.add", "{" MEMBERSHIP(ORG, EVE) "," ACTOR(ANN) "}", BRANT_DENIED,
              "or it is not active");
    must_fail(db, "organizations.update", "{\"id\":\"" ORG "\",\"name\":\"Y\"," ACTOR(ANN) "}",
              BRANT_DENIED, "or it is not active");
    must_fail(db, "organizations.resume", "{\"id\":\"" ORG "\"," ACTOR(BOB) "}", BRANT_DENIED,
              "no active owner");
    must(db, "organizations.resume", "{\"id\":\"" ORG "\"," ACTOR(ANN) "}", "\"active\"");
    must(db, "organizations.resume", "{\"id\":\"" ORG "\"," ACTOR(ANN) "}", "\"active\"");
    must(db, "organizations.suspend", "{\"id\":\"" ORG "\"," ACTOR(ADMIN) "}", "suspended");
    must(db, "organizations.resume", "{\"id\":\"" ORG "\"," ACTOR(ADMIN) "}", "\"active\"");
    must_fail(db, "organizations.resume", "{\"id\":\"" OTHER "\"}", BRANT_NOT_FOUND, OTHER);
    /* The system may change it meanwhile. */
    must(db, "organizations.suspend", "{\"id\":\"" ORG "\"}", "suspended");
    must(db, "members.add", "{" MEMBERSHIP(ORG, EVE) "}", EVE);
    brant_db_free(db);
}

static void alone_its_rows_go_at_once(void **state) {
    brant_db *db = must_open_identity(state);
    brant_cursor *cursor = must_listen_to(db, "org:*");
    must_fail(db, "organizations.delete", "{\"id\":\"" ORG "\"," ACTOR(BOB) "}", BRANT_DENIED,
              "no active owner");
    must_fail(db, "organizations.delete", "{\"id\":\"" ORG "\"," ACTOR(ADMIN) "}", BRANT_DENIED,
              "no active owner");
    must(db, "organizations.suspend", "{\"id\":\"" ORG "\"}", NULL);
    must(db, "organizations.delete", "{\"id\":\"" ORG "\"," ACTOR(ANN) "}",
         "\"status\":\"deleted\"");
    must_yield(cursor, "\"channel\":\"org:deleted\",\"payload\":{\"org_id\":\"" ORG "\"}");
    must_fail(db, "organizations.get", "{\"id\":\"" ORG "\"}", BRANT_NOT_FOUND, ORG);
    must_fail(db, "organizations.delete", "{\"id\":\"" ORG "\"}", BRANT_NOT_FOUND, ORG);
    must(db, "members.list", "{\"filter\":{\"org_id\":\"" ORG "\"}}", "{\"items\":[]");
    must(db, "accounts.get", "{\"id\":\"" ANN "\"}", "\"active\"");
    assert_int_equal(number(db, "SELECT count(*) FROM brant_audit_logs WHERE action = "
                                "'organizations.delete' AND org_id = '" ORG "'"),
                     1);
    must_be_well(db);
    brant_cursor_free(cursor);
    brant_db_free(db);
}

static void in_a_hub_it_is_marked(void **state) {
    brant_db *db = must_open(in_folder(*state, "system.db"), "{\"role\":\"system\"}");
    must_load(db, AUDIT_1);
    make_accounts(db);
    make_organization(db);
    must(db, "organizations.delete", "{\"id\":\"" ORG "\"," ACTOR(ANN) "}",
         "\"status\":\"deleting\"");
    must(db, "organizations.delete", "{\"id\":\"" ORG "\"}", "\"status\":\"deleting\"");
    must_fail(db, "organizations.update", "{\"id\":\"" ORG "\",\"name\":\"Y\"}", BRANT_CONFLICT,
              "organization " ORG " is being deleted");
    must_fail(db, "organizations.resume", "{\"id\":\"" ORG "\"}", BRANT_CONFLICT, "deleted");
    must_fail(db, "organizations.suspend", "{\"id\":\"" ORG "\"}", BRANT_CONFLICT, "deleted");
    must_fail(db, "organizations.transfer", "{\"id\":\"" ORG "\",\"to\":\"" BOB "\"}",
              BRANT_CONFLICT, "deleted");
    must_fail(db, "members.add", "{" MEMBERSHIP(ORG, EVE) "}", BRANT_CONFLICT, "deleted");
    must_fail(db, "members.set_level", "{" MEMBERSHIP(ORG, BOB) ",\"level\":\"viewer\"}",
              BRANT_CONFLICT, "deleted");
    must_fail(db, "members.suspend", "{" MEMBERSHIP(ORG, BOB) "}", BRANT_CONFLICT, "deleted");
    must_fail(db, "members.resume", "{" MEMBERSHIP(ORG, BOB) "}", BRANT_CONFLICT, "deleted");
    must_fail(db, "members.remove", "{" MEMBERSHIP(ORG, BOB) "}", BRANT_CONFLICT, "deleted");
    must_fail(db, "members.leave", "{" MEMBERSHIP(ORG, BOB) "}", BRANT_CONFLICT, "deleted");
    /* Its slug is its until the hub has removed it. */
    must_fail(db, "organizations.create",
              "{\"slug\":\"x\",\"name\":\"Y\",\"owner_id\":\"" ANN "\"}", BRANT_EXISTS, "\"x\"");
    must(db, "accounts.deactivate", "{\"id\":\"" ANN "\"}", "inactive");
    brant_db_free(db);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up_folder, tear_down_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_organization_is_made_with_its_owner),
        TEST(what_cannot_be_made),
        TEST(admins_and_owners_change_it),
        TEST(it_is_given_to_another_member),
        TEST(it_is_suspended_and_resumed),
        TEST(alone_its_rows_go_at_once),
        TEST(in_a_hub_it_is_marked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
