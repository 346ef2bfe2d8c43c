/*
 * tests/core/test_identity_member.c: members of organisations: who may do what to whom, and that an owner remains. Races between processes: test_identity_race.c.
 */
#include "test_identity.h"

#include "identity/member.h"

static void a_member_is_added(void **state) {
    brant_db *db = must_open_identity(state);
    brant_cursor *cursor = must_listen_to(db, "org:*");
    must(db, "members.add", "{" MEMBERSHIP(ORG, EVE) "," ACTOR(BOB) "}",
         "\"org_id\":\"" ORG "\",\"account_id\":\"" EVE "\",\"level\":\"member\",\"status\":"
         "\"active\",\"metadata\":{},\"created_at\":");
    must_yield(cursor, "{\"org_id\":\"" ORG "\",\"account_id\":\"" EVE "\",\"membership_level\":"
                       "\"member\"}");
    must(db, "members.get", "{" MEMBERSHIP(ORG, EVE) "}", "\"level\":\"member\"");
    assert_int_equal(
        number(db, "SELECT count(*) FROM brant_audit_logs WHERE action = 'members.add' AND org_id "
                   "= '" ORG "' AND resource = 'account:" EVE "' AND actor_id = '" BOB "' AND "
                   "detail = '{\\\"level\\\":\\\"member\\\"}'"),
        1);
    must_fail(db, "members.add", "{" MEMBERSHIP(ORG, EVE) "}", BRANT_EXISTS, "already");
    must_fail(db, "members.add", "{" MEMBERSHIP(ORG, NOBODY) "}", BRANT_NOT_FOUND,
              "no account " NOBODY);
    must_fail(db, "members.add", "{" MEMBERSHIP(OTHER, EVE) "}", BRANT_NOT_FOUND,
              "no organization " OTHER);
    must_fail(db, "members.add", "{" MEMBERSHIP(ORG, EVE) ",\"level\":\"king\"}", BRANT_INVALID,
              "level");
    must(db, "accounts.deactivate", "{\"id\":\"" ADMIN "\"}", NULL);
    must_fail(db, "members.add", "{" MEMBERSHIP(ORG, ADMIN) "}", BRANT_CONFLICT, "is not active");
    must_fail(db, "members.get", "{" MEMBERSHIP(ORG, ADMIN) "}", BRANT_NOT_FOUND,
              "account " ADMIN " is no member of organization " ORG);
    brant_cursor_free(cursor);
    brant_db_free(db);
}

/* ---- who may: every operation on a member of every level, by an actor of every level ------------ */

/* In the order of their levels; NOBODY of them is a member. ANN is the owner who has it. */
static const char *const actors[] = {EVE, DAN, CARA, BOB, ANN};
enum { NO_MEMBER, VIEWER, MEMBER, ADMINS, OWNER, LEVELS };
static const char *const level_names[] = {"", "viewer", "member", "admin", "owner"};

static brant_status attempt(brant_db *db, const char *operation, const char *actor,
                            const char *account, const char *level) {
    char json[512], *answer = NULL;
    size_t length = 0;
    snprintf(json, sizeof(json),
             "{\"org_id\":\"" ORG "\",\"account_id\":\"%s\"%s%s%s,\"actor\":"
             "{\"id\":\"%s\"}}",
             account, level ? ",\"level\":\"" : "", level ? level : "", level ? "\"" : "", actor);
    const brant_status status = brant_call(&answer, &length, db, TEXT(operation), TEXT(json));
    brant_free(answer);
    return status;
}

static void judge(const char *operation, int actor, int from, int to, brant_status status,
                  bool allowed) {
    if (status != (allowed ? BRANT_OK : BRANT_DENIED))
        fail_msg("%s by %d on %s to %s: %s: %s", operation, actor, level_names[from],
                 level_names[to], brant_status_name(status), brant_last_error()->message);
}

/* The rules, said once more: an actor of level `actor` makes a member of `from` one of `to`. */
static bool may(int actor, int from, int to) {
    if (actor < ADMINS) return false;
    return from < OWNER && to < OWNER ? true : actor == OWNER;
}

/* The account is a member of this level, as the system wants it; NO_MEMBER: it is none. */
static void put(brant_db *db, const char *account, int level) {
    char json[256];
    snprintf(json, sizeof(json), "{\"org_id\":\"" ORG "\",\"account_id\":\"%s\"}", account);
    char *answer = NULL;
    size_t length = 0;
    if (brant_call(&answer, &length, db, TEXT("members.remove"), TEXT(json)) == BRANT_OK)
        brant_free(answer);
    if (level == NO_MEMBER) return;
    snprintf(json, sizeof(json), "{\"org_id\":\"" ORG "\",\"account_id\":\"%s\",\"level\":\"%s\"}",
             account, level_names[level]);
    must(db, "members.add", json, NULL);
}

static void everybody_on_everybody(void **state) {
    static const char subject[] = ADMIN; /* its access_level says nothing here */
    brant_db *db = must_open_identity(state);
    for (int actor = NO_MEMBER; actor < LEVELS; actor++) {
        for (int to = VIEWER; to < LEVELS; to++) {
            put(db, subject, NO_MEMBER);
            judge("members.add", actor, NO_MEMBER, to,
                  attempt(db, "members.add", actors[actor], subject, level_names[to]),
                  may(actor, NO_MEMBER, to));
        }
        for (int from = VIEWER; from < LEVELS; from++) {
            for (int to = VIEWER; to < LEVELS; to++) {
                put(db, subject, from);
                judge("members.set_level", actor, from, to,
                      attempt(db, "members.set_level", actors[actor], subject, level_names[to]),
                      may(actor, from, to));
            }
            put(db, subject, from);
            judge("members.suspend", actor, from, from,
                  attempt(db, "members.suspend", actors[actor], subject, NULL),
                  may(actor, from, from));
            judge("members.resume", actor, from, from,
                  attempt(db, "members.resume", actors[actor], subject, NULL),
                  may(actor, from, from));
            judge("members.leave", actor, from, from,
                  attempt(db, "members.leave", actors[actor], subject, NULL), false);
            judge("members.remove", actor, from, from,
                  attempt(db, "members.remove", actors[actor], subject, NULL),
                  may(actor, from, from));
        }
    }
    /* Each of themselves: who may remove others may themselves, everybody may leave. */
    for (int actor = VIEWER; actor < OWNER; actor++) {
        judge("members.remove", actor, actor, NO_MEMBER,
              attempt(db, "members.remove", actors[actor], actors[actor], NULL), actor == ADMINS);
        put(db, actors[actor], actor);
        judge("members.leave", actor, actor, NO_MEMBER,
              attempt(db, "members.leave", actors[actor], actors[actor], NULL), true);
        put(db, actors[actor], actor);
    }
    must_be_well(db);
    brant_db_free(db);
}

static void only_who_counts_may(void **state) {
    brant_db *db = must_open_identity(state);
    must(db, "members.suspend", "{" MEMBERSHIP(ORG, BOB) "}", "suspended");
    must(db, "members.suspend", "{" MEMBERSHIP(ORG, BOB) "}", "suspended");
    must_fail(db, "members.add", "{" MEMBERSHIP(ORG, EVE) "," ACTOR(BOB) "}", BRANT_DENIED,
              "no active member");
    must_fail(db, "members.resume", "{" MEMBERSHIP(ORG, BOB) "," ACTOR(BOB) "}", BRANT_DENIED,
              "no active member");
    must_fail(db, "members.leave", "{\"org_id\":\"" ORG "\"," ACTOR(BOB) "}", BRANT_DENIED,
              "no active member");
    must(db, "members.resume", "{" MEMBERSHIP(ORG, BOB) "}", "\"active\"");
    must(db, "members.resume", "{" MEMBERSHIP(ORG, BOB) "}", "\"active\"");
    must(db, "accounts.deactivate", "{\"id\":\"" BOB "\"}", NULL);
    must_fail(db, "members.add", "{" MEMBERSHIP(ORG, EVE) "," ACTOR(BOB) "}", BRANT_DENIED,
              "is not active");
    must_fail(db, "members.leave", "{\"org_id\":\"" ORG "\"}", BRANT_INVALID,
              "/account_id is missing");
    must_fail(db, "members.leave", "{" MEMBERSHIP(ORG, EVE) "}", BRANT_NOT_FOUND, "no member");
    brant_db_free(db);
}

static void what_happened_is_told(void **state) {
    brant_db *db = must_open_identity(state);
    brant_cursor *cursor = must_listen_to(db, "org:*");
    must(db, "members.set_level", "{" MEMBERSHIP(ORG, DAN) ",\"level\":\"member\"}",
         "\"level\":\"member\"");
    must_yield(cursor, "\"channel\":\"org:member_updated\",\"payload\":{\"org_id\":\"" ORG
                       "\",\"account_id\":\"" DAN "\",\"membership_level\":\"member\"}");
    must(db, "members.set_level", "{" MEMBERSHIP(ORG, DAN) ",\"level\":\"member\"}",
         "\"level\":\"member\"");
    must_yield_nothing(cursor);
    must(db, "members.suspend", "{" MEMBERSHIP(ORG, DAN) "}", NULL);
    must_yield(cursor, "org:member_updated");
    must(db, "members.remove", "{" MEMBERSHIP(ORG, DAN) "}", "{\"removed\":true}");
    must_yield(cursor, "\"channel\":\"org:member_removed\",\"payload\":{\"org_id\":\"" ORG
                       "\",\"account_id\":\"" DAN "\"}");
    assert_int_equal(
        number(db, "SELECT count(*) FROM brant_audit_logs WHERE action = 'members.set_level' AND "
                   "detail = '{\\\"from\\\":\\\"viewer\\\",\\\"level\\\":\\\"member\\\"}'"),
        1);
    assert_int_equal(number(db, "SELECT count(*) FROM brant_audit_logs WHERE action IN "
                                "('members.suspend', 'members.remove') AND detail = '{}'"),
                     2);
    static const char *const missing[] = {"members.set_level", "members.suspend", "members.resume",
                                          "members.remove"};
    for (size_t i = 0; i < sizeof(missing) / sizeof(*missing); i++)
        assert_int_equal(attempt(db, missing[i], ANN, DAN, i == 0 ? "viewer" : NULL),
                         BRANT_NOT_FOUND);
    brant_cursor_free(cursor);
    brant_db_free(db);
}

/* ---- invariants ---------------------------------------------------------------------------------- */

static void who_has_it_is_not_removed(void **state) {
    static const char has[] = "account " ANN " has the organization";
    brant_db *db = must_open_identity(state);
    must(db, "members.set_level", "{" MEMBERSHIP(ORG, BOB) ",\"level\":\"owner\"}", NULL);
    /* Not even where another owner would be left: owner_id is of level owner. */
    must_fail(db, "members.leave", "{\"org_id\":\"" ORG "\"," ACTOR(ANN) "}", BRANT_CONSTRAINT,
              has);
    must_fail(db, "members.remove", "{" MEMBERSHIP(ORG, ANN) "," ACTOR(BOB) "}", BRANT_CONSTRAINT,
              has);
    must_fail(db, "members.set_level", "{" MEMBERSHIP(ORG, ANN) ",\"level\":\"admin\"}",
              BRANT_CONSTRAINT, has);
    /* Suspended it is an owner still. */
    must(db, "members.suspend", "{" MEMBERSHIP(ORG, ANN) "," ACTOR(BOB) "}", "suspended");
    must_fail(db, "members.leave", "{\"org_id\":\"" ORG "\"," ACTOR(BOB) "}", BRANT_CONSTRAINT,
              "account " BOB " is the last active owner of the organization");
    must_fail(db, "members.remove", "{" MEMBERSHIP(ORG, BOB) "}", BRANT_CONSTRAINT, "last active");
    must_fail(db, "members.suspend", "{" MEMBERSHIP(ORG, BOB) "}", BRANT_CONSTRAINT, "last active");
    must_fail(db, "members.set_level", "{" MEMBERSHIP(ORG, BOB) ",\"level\":\"admin\"}",
              BRANT_CONSTRAINT, "last active");
    must(db, "organizations.transfer", "{\"id\":\"" ORG "\",\"to\":\"" BOB "\"," ACTOR(BOB) "}",
         NULL);
    must(db, "members.remove", "{" MEMBERSHIP(ORG, ANN) "," ACTOR(BOB) "}", NULL);
    brant_db_free(db);
}

static void an_owner_whose_account_is_not_active_is_none(void **state) {
    brant_db *db = must_open_identity(state);
    must(db, "members.set_level", "{" MEMBERSHIP(ORG, BOB) ",\"level\":\"owner\"}", NULL);
    must(db, "accounts.deactivate", "{\"id\":\"" ANN "\"}", NULL);
    must_fail(db, "members.leave", "{\"org_id\":\"" ORG "\"," ACTOR(BOB) "}", BRANT_CONSTRAINT,
              "last active owner");
    must(db, "accounts.reactivate", "{\"id\":\"" ANN "\"}", NULL);
    must(db, "members.leave", "{\"org_id\":\"" ORG "\"," ACTOR(BOB) "}", NULL);
    brant_db_free(db);
}

/* ---- for other modules ---------------------------------------------------------------------------- */

static int level_of(brant_db *db, const char *account) {
    int level = -1;
    assert_int_equal(brant__enter(db), BRANT_OK);
    assert_int_equal(brant__begin(db, BRANT__READ), BRANT_OK);
    assert_int_equal(brant__member_level(&level, db, BRANT__TEXT(ORG), brant__text_string(account)),
                     BRANT_OK);
    assert_int_equal(brant__commit(db), BRANT_OK);
    brant__leave(db);
    return level;
}

static void a_level_counts_while_all_is_active(void **state) {
    brant_db *db = must_open_identity(state);
    assert_int_equal(level_of(db, ANN), BRANT__LEVEL_OWNER);
    assert_int_equal(level_of(db, BOB), BRANT__LEVEL_ADMIN);
    assert_int_equal(level_of(db, CARA), BRANT__LEVEL_MEMBER);
    assert_int_equal(level_of(db, DAN), BRANT__LEVEL_VIEWER);
    assert_int_equal(level_of(db, EVE), BRANT__LEVEL_NONE);
    assert_int_equal(level_of(db, NOBODY), BRANT__LEVEL_NONE);
    must(db, "members.suspend", "{" MEMBERSHIP(ORG, BOB) "}", NULL);
    assert_int_equal(level_of(db, BOB), BRANT__LEVEL_NONE);
    must(db, "accounts.deactivate", "{\"id\":\"" CARA "\"}", NULL);
    assert_int_equal(level_of(db, CARA), BRANT__LEVEL_NONE);
    must(db, "organizations.suspend", "{\"id\":\"" ORG "\"}", NULL);
    assert_int_equal(level_of(db, ANN), BRANT__LEVEL_NONE);
    must(db, "organizations.resume", "{\"id\":\"" ORG "\"}", NULL);
    assert_int_equal(level_of(db, ANN), BRANT__LEVEL_OWNER);
    brant_db_free(db);
}

/* ---- the access graph ------------------------------------------------------------------------------ */

static int64_t derived(brant_db *db, const char *what) {
    char sql[512];
    snprintf(sql, sizeof(sql),
             "SELECT count(*) FROM edges e JOIN nodes s ON s.row_id = e.source JOIN nodes t ON "
             "t.row_id = e.target WHERE s.key || ' ' || t.key LIKE '%s'",
             what);
    return number(db, sql);
}

static void the_access_graph_follows(void **state) {
    brant_db *db = must_open_audited(in_folder(*state, "a.db"));
    must(db, "access.seed", "{}", NULL);
    make_accounts(db);
    make_organization(db);
    assert_int_equal(derived(db, "account:" BOB " org:" ORG ":admin"), 1);
    must(db, "members.set_level", "{" MEMBERSHIP(ORG, BOB) ",\"level\":\"viewer\"}", NULL);
    assert_int_equal(derived(db, "account:" BOB " org:" ORG ":admin"), 0);
    assert_int_equal(derived(db, "account:" BOB " org:" ORG ":viewer"), 1);
    must(db, "members.suspend", "{" MEMBERSHIP(ORG, BOB) "}", NULL);
    assert_int_equal(derived(db, "account:" BOB " org:%"), 0);
    must(db, "members.resume", "{" MEMBERSHIP(ORG, BOB) "}", NULL);
    assert_int_equal(derived(db, "account:" BOB " org:%"), 1);
    /* Whether all is active is asked, not derived. */
    static const char asked[] = "{\"subject\":\"account:" BOB "\",\"scope\":\"x:read\"}";
    must(db, "access.grant", "{\"subject\":\"org:" ORG ":viewer\",\"scopes\":[\"x:read\"]}", NULL);
    must(db, "access.check", asked, "\"allowed\":true");
    must(db, "accounts.deactivate", "{\"id\":\"" BOB "\"}", NULL);
    must(db, "access.check", asked, "\"allowed\":false");
    must(db, "accounts.reactivate", "{\"id\":\"" BOB "\"}", NULL);
    must(db, "organizations.suspend", "{\"id\":\"" ORG "\"}", NULL);
    must(db, "access.check", asked, "\"allowed\":false");
    must(db, "organizations.resume", "{\"id\":\"" ORG "\"}", NULL);
    must(db, "access.check", asked, "\"allowed\":true");
    must(db, "members.remove", "{" MEMBERSHIP(ORG, BOB) "}", NULL);
    assert_int_equal(derived(db, "account:" BOB " org:%"), 0);
    must(db, "organizations.transfer", "{\"id\":\"" ORG "\",\"to\":\"" CARA "\"}", NULL);
    assert_int_equal(derived(db, "account:" CARA " org:" ORG ":owner"), 1);
    must(db, "accounts.delete", "{\"id\":\"" DAN "\"}", NULL);
    assert_int_equal(derived(db, "account:" DAN " %"), 0);
    must(db, "organizations.delete", "{\"id\":\"" ORG "\"}", NULL);
    assert_int_equal(derived(db, "%org:" ORG "%"), 0);
    assert_int_equal(number(db, "SELECT count(*) FROM nodes WHERE key LIKE 'org:%'"), 0);
    must_be_well(db);
    brant_db_free(db);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up_folder, tear_down_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_member_is_added),
        TEST(everybody_on_everybody),
        TEST(only_who_counts_may),
        TEST(what_happened_is_told),
        TEST(who_has_it_is_not_removed),
        TEST(an_owner_whose_account_is_not_active_is_none),
        TEST(a_level_counts_while_all_is_active),
        TEST(the_access_graph_follows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
