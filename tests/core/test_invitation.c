/*
 * tests/core/test_invitation.c: invitations: who may invite whom, accepting once, rejecting, cancelling, expiring; that no token is anywhere.
 */
#include "support_key.h"
#include "support_plan.h"

#include "identity/api_key.h"
#include "identity/invitation.h"

typedef struct scene {
    brant_db *db;
    const char *path;
    word owner, boss, ann, guest;
    word org;
} scene;

static scene set_scene(const char *folder) {
    scene s = {.path = in_folder(folder, "a.db")};
    s.db = open_identity(s.path);
    s.owner = new_account(s.db, "owner@example.com", "user");
    s.boss = new_account(s.db, "boss@example.com", "user");
    s.ann = new_account(s.db, "ann@example.com", "user");
    s.guest = new_account(s.db, "guest@example.com", "user");
    s.org = new_organization(s.db, "acme", s.owner.text);
    add_member(s.db, s.org.text, s.boss.text, "admin");
    add_member(s.db, s.org.text, s.ann.text, "member");
    return s;
}

static char *invite(const scene *s, const char *email, const char *level) {
    return ask(s->db, "invitations.create", "{'org_id':'%s','email':'%s','level':'%s'}",
               s->org.text, email, level);
}

static void test_accept(void **state) {
    scene s = set_scene(*state);
    char *made = invite(&s, "Guest@EXAMPLE.com", "admin");
    const word token = member_of(made, "token"), id = member_of(made, "id");
    must_hold(made, "'email':'guest@example.com','level':'admin','pepper_version':1");
    must_hold(made, "'invited_by':null,'account_id':null,'status':'pending'");
    assert_null(strstr(made, "hash"));
    assert_int_equal(strncmp(token.text, "brant_invite_", 13), 0);
    brant_free(made);
    refused(s.db, "invitations.create", BRANT_EXISTS, id.text,
            "{'org_id':'%s','email':'GUEST@example.com'}", s.org.text);

    refused(s.db, "invitations.accept", BRANT_DENIED, "another email",
            "{'token':'%s','account_id':'%s'}", token.text, s.ann.text);
    refused(s.db, "invitations.accept", BRANT_DENIED, "for another account",
            "{'token':'%s','account_id':'%s','actor':{'id':'%s'}}", token.text, s.guest.text,
            s.ann.text);
    refused(s.db, "invitations.accept", BRANT_INVALID, "/account_id", "{'token':'%s'}", token.text);
    refused(s.db, "invitations.accept", BRANT_NOT_FOUND, "account",
            "{'token':'%s','account_id':'00000000-0000-4000-8000-000000000000'}", token.text);
    char *accepted = ask(s.db, "invitations.accept", "{'token':'%s','actor':{'id':'%s'}}",
                         token.text, s.guest.text);
    must_hold(accepted, "'level':'admin','status':'active'");
    must_hold(accepted, "'status':'accepted'");
    const char *invitation = strstr(accepted, "\"invitation\":");
    assert_string_equal(member_of(invitation, "account_id").text, s.guest.text);
    brant_free(accepted);
    assert_int_equal(number(s.db, "SELECT count(*) FROM notifications WHERE channel = "
                                  "'org:member_added' AND payload LIKE '%admin%'"),
                     2);
    refused(s.db, "invitations.accept", BRANT_CONFLICT, "accepted already",
            "{'token':'%s','account_id':'%s'}", token.text, s.guest.text);
    refused(s.db, "invitations.reject", BRANT_CONFLICT, "accepted already", "{'token':'%s'}",
            token.text);
    refused(s.db, "invitations.cancel", BRANT_CONFLICT, "accepted already", "{'id':'%s'}", id.text);
    refused(s.db, "invitations.create", BRANT_EXISTS, "member",
            "{'org_id':'%s','email':'guest@example.com'}", s.org.text);
    must(s.db, "audit.verify", "{}", NULL);
    brant_db_free(s.db);
}

static void test_wrong_tokens(void **state) {
    scene s = set_scene(*state);
    const word token = take(invite(&s, "guest@example.com", "member"), "token");
    const word key = take(
        ask(s.db, "api_keys.create", "{'owner_id':'%s','name':'k','scopes':['*:*']}", s.guest.text),
        "token");
    char text[WORD];
    for (int i = 0; i < 4; i++) {
        strcpy(text, token.text);
        if (i == 0) text[20] = text[20] == 'a' ? 'b' : 'a';
        if (i == 1) forge(text, 15); /* a kid that there is not */
        if (i == 2) forge(text, strlen(text) - 8);
        if (i == 3) strcpy(text, key.text); /* a key is no invitation */
        refused(s.db, "invitations.accept", BRANT_AUTH, "the invitation is not valid",
                "{'token':'%s','account_id':'%s'}", text, s.guest.text);
        refused(s.db, "invitations.reject", BRANT_AUTH, "the invitation is not valid",
                "{'token':'%s'}", text);
    }
    /* Nor the other way round. */
    refused(s.db, "api_keys.verify", BRANT_AUTH, NULL, "{'token':'%s'}", token.text);
    assert_int_equal(brant_keyring_unload(s.db), BRANT_OK);
    refused(s.db, "invitations.accept", BRANT_NOT_FOUND, "key ring",
            "{'token':'%s','account_id':'%s'}", token.text, s.guest.text);
    must_load(s.db, NEXT_RING);
    tell(s.db, "invitations.accept", "{'token':'%s','account_id':'%s'}", token.text, s.guest.text);
    brant_db_free(s.db);
}

static void test_over(void **state) {
    scene s = set_scene(*state);
    char *made = ask(s.db, "invitations.create",
                     "{'org_id':'%s','email':'guest@example.com','ttl':1000}", s.org.text);
    const word token = member_of(made, "token"), id = take(made, "id");
    fake_now += 1000;
    refused(s.db, "invitations.accept", BRANT_STALE, "expired", "{'token':'%s','account_id':'%s'}",
            token.text, s.guest.text);
    refused(s.db, "invitations.reject", BRANT_STALE, "expired", "{'token':'%s'}", token.text);
    /* It makes room for another. */
    made = ask(s.db, "invitations.create",
               "{'org_id':'%s','email':'guest@example.com','expires_at':%lld}", s.org.text,
               (long long)fake_now + 1);
    const word next = member_of(made, "token"), next_id = take(made, "id");
    refused(s.db, "invitations.get", BRANT_NOT_FOUND, NULL, "{'id':'%s'}", id.text);
    refused(s.db, "invitations.accept", BRANT_AUTH, NULL, "{'token':'%s','account_id':'%s'}",
            token.text, s.guest.text);
    char *rejected = ask(s.db, "invitations.reject", "{'token':'%s'}", next.text);
    must_hold(rejected, "'status':'rejected'");
    brant_free(rejected);
    refused(s.db, "invitations.accept", BRANT_CONFLICT, "rejected already",
            "{'token':'%s','account_id':'%s'}", next.text, s.guest.text);
    refused(s.db, "invitations.cancel", BRANT_CONFLICT, "rejected already", "{'id':'%s'}",
            next_id.text);
    /* One that is over can be cancelled. */
    const word last = take(ask(s.db, "invitations.create",
                               "{'org_id':'%s','email':'guest@example.com','ttl':5}", s.org.text),
                           "id");
    fake_now += 5;
    char *cancelled = ask(s.db, "invitations.cancel", "{'id':'%s'}", last.text);
    must_hold(cancelled, "'status':'cancelled'");
    brant_free(cancelled);
    refused(s.db, "invitations.create", BRANT_INVALID, "/expires_at",
            "{'org_id':'%s','email':'x@example.com','expires_at':%lld}", s.org.text,
            (long long)fake_now);
    refused(s.db, "invitations.create", BRANT_INVALID, "one of",
            "{'org_id':'%s','email':'x@example.com','expires_at':%lld,'ttl':1}", s.org.text,
            (long long)fake_now + 9);
    refused(s.db, "invitations.create", BRANT_INVALID, "/email",
            "{'org_id':'%s','email':'no email'}", s.org.text);
    refused(s.db, "invitations.create", BRANT_NOT_FOUND, "organization",
            "{'org_id':'00000000-0000-4000-8000-000000000000','email':'x@example.com'}");
    brant_db_free(s.db);
}

/* As members.add: admins and owners invite, to no level above their own. */
static void test_who_may(void **state) {
    scene s = set_scene(*state);
    const struct {
        const word *actor;
        const char *level;
        bool may;
    } cases[] = {
        {&s.guest, "viewer", false}, {&s.ann, "viewer", false}, {&s.boss, "viewer", true},
        {&s.boss, "admin", true},    {&s.boss, "owner", false}, {&s.owner, "owner", true},
        {&s.owner, "member", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (!cases[i].may) {
            refused(s.db, "invitations.create", BRANT_DENIED, NULL,
                    "{'org_id':'%s','email':'x%zu@example.com','level':'%s','actor':{'id':'%s'}}",
                    s.org.text, i, cases[i].level, cases[i].actor->text);
            continue;
        }
        char *made =
            ask(s.db, "invitations.create",
                "{'org_id':'%s','email':'x%zu@example.com','level':'%s','actor':{'id':'%s'}}",
                s.org.text, i, cases[i].level, cases[i].actor->text);
        assert_string_equal(member_of(made, "invited_by").text, cases[i].actor->text);
        const word id = take(made, "id");
        refused(s.db, "invitations.cancel", BRANT_DENIED, NULL, "{'id':'%s','actor':{'id':'%s'}}",
                id.text, s.ann.text);
        if (strcmp(cases[i].level, "owner") == 0)
            refused(s.db, "invitations.cancel", BRANT_DENIED, NULL,
                    "{'id':'%s','actor':{'id':'%s'}}", id.text, s.boss.text);
        tell(s.db, "invitations.cancel", "{'id':'%s','actor':{'id':'%s'}}", id.text,
             cases[i].actor->text);
    }
    tell(s.db, "organizations.suspend", "{'id':'%s'}", s.org.text);
    refused(s.db, "invitations.create", BRANT_CONFLICT, "not active",
            "{'org_id':'%s','email':'y@example.com'}", s.org.text);
    brant_db_free(s.db);
}

static void test_state_of_others(void **state) {
    scene s = set_scene(*state);
    const word token = take(invite(&s, "guest@example.com", "member"), "token");
    tell(s.db, "organizations.suspend", "{'id':'%s'}", s.org.text);
    refused(s.db, "invitations.accept", BRANT_CONFLICT, "not active",
            "{'token':'%s','account_id':'%s'}", token.text, s.guest.text);
    tell(s.db, "organizations.resume", "{'id':'%s'}", s.org.text);
    tell(s.db, "accounts.deactivate", "{'id':'%s'}", s.guest.text);
    refused(s.db, "invitations.accept", BRANT_CONFLICT, NULL, "{'token':'%s','account_id':'%s'}",
            token.text, s.guest.text);
    refused(s.db, "invitations.accept", BRANT_DENIED, "not active",
            "{'token':'%s','actor':{'id':'%s'}}", token.text, s.guest.text);
    tell(s.db, "accounts.reactivate", "{'id':'%s'}", s.guest.text);
    add_member(s.db, s.org.text, s.guest.text, "viewer");
    refused(s.db, "invitations.accept", BRANT_EXISTS, NULL, "{'token':'%s','account_id':'%s'}",
            token.text, s.guest.text);
    must_load(s.db, RING(PEPPER_1));
    tell(s.db, "invitations.get", "{'id':'%s'}",
         take(ask(s.db, "invitations.list", "{}"), "id").text);
    refused(s.db, "invitations.reject", BRANT_NOT_FOUND, "audit", "{'token':'%s'}", token.text);
    brant_db_free(s.db);
}

static int count_items(brant_db *db, const char *filter) {
    char *answer = ask(db, "invitations.list", "{'filter':%s}", filter);
    int count = 0;
    for (const char *at = answer; (at = strstr(at, "\"kid\":")); at++)
        count++;
    brant_free(answer);
    return count;
}

static void test_read_and_nothing_left(void **state) {
    scene s = set_scene(*state);
    char filter[WORD + 64];
    char *made = invite(&s, "guest@example.com", "member");
    const word token = member_of(made, "token"), kid = member_of(made, "kid"),
               id = take(made, "id");
    const word other = take(invite(&s, "other@example.com", "viewer"), "token");
    tell(s.db, "invitations.reject", "{'token':'%s','actor':{'reason':'no'}}", other.text);
    assert_int_equal(count_items(s.db, "{}"), 2);
    assert_int_equal(count_items(s.db, "{'status':'pending'}"), 1);
    assert_int_equal(count_items(s.db, "{'email':'other@example.com'}"), 1);
    snprintf(filter, sizeof filter, "{'org_id':'%s','status':'rejected'}", s.org.text);
    assert_int_equal(count_items(s.db, filter), 1);
    char *got = ask(s.db, "invitations.get", "{'id':'%s'}", id.text);
    assert_null(strstr(got, "hash"));
    brant_free(got);
    tell(s.db, "invitations.accept", "{'token':'%s','account_id':'%s'}", token.text, s.guest.text);
    assert_true(database_holds(s.path, kid.text));
    assert_false(database_holds(s.path, token.text));
    assert_false(database_holds(s.path, other.text));
    assert_false(database_holds(s.path, strrchr(token.text, '_')));
    assert_int_equal(number(s.db, "SELECT count(*) FROM brant_audit_logs WHERE action LIKE "
                                  "'invitations.%' AND detail LIKE '%example.com%'"),
                     0);
    brant_db_free(s.db);
}

/* No statement of keys and invitations looks at all rows, or sorts. */
static void test_plans(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db_free(open_identity(path));
    const brant__statements *const tables[] = {
        &brant__authenticate_statements, &brant__api_key_statements, &brant__invitation_statements};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        must_plan_well(path, tables[i]->sql, tables[i]->count);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_clock, tear_down_folder)
    const struct CMUnitTest tests[] = {
        TEST(test_accept),  TEST(test_wrong_tokens),    TEST(test_over),
        TEST(test_who_may), TEST(test_state_of_others), TEST(test_read_and_nothing_left),
        TEST(test_plans),
    };
    return cmocka_run_group_tests_name("invitation", tests, NULL, NULL);
}
