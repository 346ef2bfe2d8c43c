/*
 * tests/core/test_hub_callers.c: sessions of brant_hub_authenticate end when what they were opened by does: key, account, membership.
 */
#include "support_hub.h"
#include "support_key.h"

typedef struct scene {
    brant_hub *hub;
    brant_db *system;
    word owner, ann, org, key, token;
} scene;

/* A key of ann's, who is an admin of an organisation. */
static scene set_scene(const char *folder) {
    scene s = {0};
    s.hub = must_open_hub(in_folder(folder, "hub"), "");
    assert_int_equal(brant_hub_keyring_load(s.hub, TEXT(IDENTITY_RING)), BRANT_OK);
    s.system = brant_hub_system(s.hub);
    s.owner = new_account(s.system, "owner@example.org", "user");
    s.ann = new_account(s.system, "ann@example.org", "user");
    s.org = new_organization(s.system, "acme", s.owner.text);
    add_member(s.system, s.org.text, s.ann.text, "admin");
    return s;
}

static void make_key(scene *s, bool of_org, const char *more) {
    char *answer = of_org
                       ? ask(s->system, "api_keys.create",
                             "{'owner_id':'%s','org_id':'%s','name':'k','scopes':['*:*']%s}",
                             s->ann.text, s->org.text, more)
                       : ask(s->system, "api_keys.create",
                             "{'owner_id':'%s','name':'k','scopes':['*:*']%s}", s->ann.text, more);
    s->token = member_of(answer, "token");
    s->key = member_of(answer, "id");
    brant_free(answer);
}

static brant_db *must_authenticate(scene *s) {
    brant_db *session = NULL;
    char *answer = NULL;
    size_t length = 0;
    if (brant_hub_authenticate(&session, &answer, &length, s->hub, TEXT(s->token.text)) != BRANT_OK)
        fail_msg("%s", brant_last_error()->message);
    brant_free(answer);
    return session;
}

static void must_have_ended(scene *s, brant_db *session) {
    must_fail(session, "graphs.list", "{}", BRANT_AUTH, "the session has ended");
    must_fail(session, "operations.list", "{\"graph_type\":\"task\"}", BRANT_AUTH, "ended");
    give_back(s->hub, session);
}

static void end_scene(scene *s) {
    brant_hub_free(s->hub);
}

static void test_key_revoked(void **state) {
    scene s = set_scene(*state);
    make_key(&s, true, "");
    brant_db *session = must_authenticate(&s);
    must(session, "graphs.create", "{\"name\":\"g\",\"graph_type\":\"task\"}", NULL);
    tell(s.system, "accounts.update", "{'id':'%s','name':'Ann'}", s.ann.text); /* is nothing */
    must(session, "graphs.list", "{}", "\"name\":\"g\"");
    must(session, "transaction.begin", "{}", NULL);
    must(session, "graphs.create", "{\"name\":\"lost\",\"graph_type\":\"task\"}", NULL);
    tell(s.system, "api_keys.revoke", "{'id':'%s'}", s.key.text);
    must_fail(session, "transaction.commit", "{}", BRANT_AUTH, "the session has ended");
    must_have_ended(&s, session);
    brant_db *db = must_acquire(s.hub, s.org.text);
    must_fail(db, "graphs.get", "{\"name\":\"lost\"}", BRANT_NOT_FOUND, "lost");
    must(db, "graphs.get", "{\"name\":\"g\"}", NULL); /* and the file is as good as before */
    give_back(s.hub, db);
    end_scene(&s);
}

static void test_member_changed(void **state) {
    scene s = set_scene(*state);
    make_key(&s, true, "");
    const char *who = "{'org_id':'%s','account_id':'%s'}";
    brant_db *first = must_authenticate(&s);
    must(first, "graphs.list", "{}", NULL);
    tell(s.system, "members.set_level", "{'org_id':'%s','account_id':'%s','level':'owner'}",
         s.org.text, s.ann.text);
    must(first, "graphs.list", "{}", NULL); /* has less than it might */
    tell(s.system, "members.set_level", "{'org_id':'%s','account_id':'%s','level':'viewer'}",
         s.org.text, s.ann.text);
    must_have_ended(&s, first);
    brant_db *second = must_authenticate(&s); /* as a viewer */
    must(second, "graphs.list", "{}", NULL);
    tell(s.system, "members.suspend", who, s.org.text, s.ann.text);
    must_fail(second, "graphs.list", "{}", BRANT_AUTH, "ended");
    tell(s.system, "members.resume", who, s.org.text, s.ann.text);
    must(second, "graphs.list", "{}", NULL);
    tell(s.system, "members.remove", who, s.org.text, s.ann.text);
    must_have_ended(&s, second);
    end_scene(&s);
}

static void test_account_inactive(void **state) {
    scene s = set_scene(*state);
    for (int of_org = 0; of_org < 2; of_org++) {
        make_key(&s, of_org, "");
        brant_db *session = must_authenticate(&s);
        if (of_org)
            must(session, "graphs.list", "{}", NULL);
        else
            tell(session, "accounts.update", "{'id':'%s','name':'Ann'}", s.ann.text);
        tell(s.system, "accounts.deactivate", "{'id':'%s'}", s.ann.text);
        must_have_ended(&s, session);
        tell(s.system, "accounts.reactivate", "{'id':'%s'}", s.ann.text);
    }
    end_scene(&s);
}

static void test_key_expires(void **state) {
    char more[64], sql[128];
    scene s = set_scene(*state);
    snprintf(more, sizeof more, ",'expires_at':%lld", (long long)brant__system_now() + 3600000);
    make_key(&s, true, more);
    brant_db *session = must_authenticate(&s);
    must(session, "graphs.list", "{}", NULL);
    const int64_t end =
        brant__system_now() + 300; /* sooner: a busy machine may take its time until here */
    snprintf(sql, sizeof sql, "UPDATE brant_api_keys SET expires_at = %lld", (long long)end);
    execute_inside(s.system, sql);
    while (brant__system_now() < end)
        pause_ms(20);
    must_have_ended(&s, session);
    end_scene(&s);
}

/* The file that one had is another's afterwards. */
static void test_handles_after(void **state) {
    scene s = set_scene(*state);
    make_key(&s, true, "");
    brant_db *session = must_authenticate(&s);
    tell(s.system, "api_keys.revoke", "{'id':'%s'}", s.key.text);
    must_have_ended(&s, session);
    brant_db *db = must_acquire(s.hub, s.org.text);
    must(db, "graphs.list", "{}", NULL);
    give_back(s.hub, db);
    make_key(&s, true, "");
    session = must_authenticate(&s);
    must(session, "graphs.list", "{}", NULL);
    give_back(s.hub, session);
    end_scene(&s);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up_folder, tear_down_folder)

int main(int count, char **arguments) {
    const struct CMUnitTest tests[] = {
        TEST(test_key_revoked), TEST(test_member_changed), TEST(test_account_inactive),
        TEST(test_key_expires), TEST(test_handles_after),
    };
    if (count > 1) cmocka_set_test_filter(arguments[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
