/*
 * tests/core/test_key_session.c: keys and sessions: what auth.authenticate answers opens one that may what the key may, which passes on no more than it has; what the access graph grants and denies.
 */
#include "support_key.h"

#include "identity/token.h"

typedef struct scene {
    brant_db *db;
    word owner, ann, org, other_org;
} scene;

static scene set_scene(const char *folder) {
    scene s = {.db = open_identity(in_folder(folder, "a.db"))};
    s.owner = new_account(s.db, "owner@example.com", "user");
    s.ann = new_account(s.db, "ann@example.com", "user");
    s.org = new_organization(s.db, "acme", s.owner.text);
    add_member(s.db, s.org.text, s.ann.text, "member");
    s.other_org = new_organization(s.db, "annscorp", s.ann.text);
    return s;
}

static char *create(const scene *s, const char *owner, const char *org, const char *scopes) {
    if (!org)
        return ask(s->db, "api_keys.create", "{'owner_id':'%s','name':'k','scopes':%s}", owner,
                   scopes);
    return ask(s->db, "api_keys.create", "{'owner_id':'%s','org_id':'%s','name':'k','scopes':%s}",
               owner, org, scopes);
}

/* The identity that stands at the end of the answer. */
static brant_db *open_session(brant_db *db, const char *token) {
    brant_db *session = NULL;
    char *answer = ask(db, "auth.authenticate", "{'token':'%s'}", token);
    char *identity = strstr(answer, "\"identity\":");
    assert_non_null(identity);
    identity += strlen("\"identity\":");
    if (brant_session_open(&session, db, identity, strlen(identity) - 1) != BRANT_OK)
        fail_msg("%s: %s", identity, brant_last_error()->message);
    brant_free(answer);
    return session;
}

static void test_a_session_passes_on_what_it_has(void **state) {
    scene s = set_scene(*state);
    char *made = create(&s, s.ann.text, s.org.text, "['api_keys:*','nodes:read']");
    /* A key that holds more, of the same account. */
    const word token = take(made, "token");
    const word stronger =
        take(create(&s, s.ann.text, s.org.text, "['*:write','nodes:read']"), "id");
    tell(s.db, "members.set_level", "{'org_id':'%s','account_id':'%s','level':'owner'}", s.org.text,
         s.ann.text);
    brant_db *session = open_session(s.db, token.text);

    tell(session, "api_keys.create", "{'org_id':'%s','name':'less','scopes':['nodes:read']}",
         s.org.text);
    refused(session, "api_keys.create", BRANT_DENIED, "nodes:write",
            "{'org_id':'%s','name':'more','scopes':['nodes:read','nodes:write']}", s.org.text);
    refused(session, "api_keys.create", BRANT_DENIED, "nodes:*",
            "{'org_id':'%s','name':'more','scopes':['nodes:*']}", s.org.text);
    refused(session, "api_keys.rotate", BRANT_DENIED, "does not hold", "{'id':'%s'}",
            stronger.text);
    /* It acts in its organisation alone, and as nobody else. */
    refused(session, "api_keys.create", BRANT_DENIED, "one organization",
            "{'org_id':'%s','name':'k','scopes':['nodes:read']}", s.other_org.text);
    refused(session, "api_keys.create", BRANT_DENIED, "one organization",
            "{'name':'k','scopes':['accounts:self']}");
    refused(session, "api_keys.create", BRANT_DENIED, "nobody but itself",
            "{'org_id':'%s','name':'k','scopes':['nodes:read'],'actor':{'id':'%s'}}", s.org.text,
            s.owner.text);
    /* What ends something is no passing on. */
    tell(session, "api_keys.revoke", "{'id':'%s','actor':{'reason':'lost'}}", stronger.text);
    assert_int_equal(number(s.db, "SELECT count(*) FROM brant_audit_logs WHERE action = "
                                  "'api_keys.revoke' AND actor_type = 'api_key'"),
                     1);
    refused(session, "invitations.create", BRANT_DENIED, "invitations:write",
            "{'org_id':'%s','email':'x@example.com'}", s.org.text);
    brant_db_free(session);
    brant_db_free(s.db);
}

static void put_access(const scene *s, const char *scopes, const char *denied) {
    must(s->db, "graphs.create", "{\"name\":\"access\",\"graph_type\":\"access\"}", NULL);
    tell(s->db, "nodes.put",
         "{'graph':'access','key':'account:%s','type':'Principal','attributes':{'kind':'account','"
         "account_id':'%s'}}",
         s->ann.text, s->ann.text);
    tell(s->db, "nodes.put", "{'graph':'access','key':'*','type':'Resource'}");
    tell(s->db, "edges.put",
         "{'graph':'access','source':'account:%s','type':'Grants','target':'*','attributes':{'"
         "scopes':%s}}",
         s->ann.text, scopes);
    tell(s->db, "edges.put",
         "{'graph':'access','source':'account:%s','type':'Denies','target':'*','attributes':{'"
         "scopes':%s}}",
         s->ann.text, denied);
}

static void test_the_access_graph_counts(void **state) {
    scene s = set_scene(*state);
    const word own = take(create(&s, s.ann.text, NULL, "['*:*']"), "token");
    const word of_org = take(create(&s, s.ann.text, s.org.text, "['*:*']"), "token");
    put_access(&s, "['nodes:*','sql:execute']", "['nodes:delete','locks:*','secrets:open']");

    /* By itself: what it is granted everywhere, too. */
    char *answer = ask(s.db, "auth.authenticate", "{'token':'%s'}", own.text);
    must_hold(answer, "'level':null,'scopes':['accounts:self','nodes:*','sql:execute'],'denies':['"
                      "locks:*','nodes:delete','secrets:open']");
    must_hold(answer, "'within':['*:*']");
    brant_free(answer);
    brant_db *session = open_session(s.db, own.text);
    must(s.db, "graphs.create", "{\"name\":\"g\",\"graph_type\":\"task\"}", NULL);
    must_fail(session, "locks.acquire", "{\"name\":\"l\",\"owner\":\"o\"}", BRANT_DENIED, "locks");
    must(session, "nodes.list", "{\"graph\":\"g\"}", NULL);
    brant_db_free(session);

    /* In an organisation: what its level holds, whatever stands in the graph that all organisations share; but what is denied is denied. */
    answer = ask(s.db, "auth.authenticate", "{'token':'%s'}", of_org.text);
    must_hold(answer,
              "'level':'member','scopes':['*:read','*:use','*:write','secrets:seal'],'denies':['"
              "locks:*','nodes:delete','secrets:open']");
    must_hold(answer, "'within':['*:read','*:use','*:write','secrets:seal']");
    brant_free(answer);
    session = open_session(s.db, of_org.text);
    must_fail(session, "sql.execute", "{\"sql\":\"SELECT 1\"}", BRANT_DENIED, "sql:");
    brant_db_free(session);

    /* An account makes for itself a key of what the graph grants it. */
    tell(s.db, "api_keys.create", "{'actor':{'id':'%s'},'name':'k','scopes':['nodes:read']}",
         s.ann.text);
    refused(s.db, "api_keys.create", BRANT_DENIED, "jobs:read",
            "{'actor':{'id':'%s'},'name':'k','scopes':['jobs:read']}", s.ann.text);
    brant_db_free(s.db);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_clock, tear_down_folder)
    const struct CMUnitTest tests[] = {
        TEST(test_a_session_passes_on_what_it_has),
        TEST(test_the_access_graph_counts),
    };
    return cmocka_run_group_tests_name("key_session", tests, NULL, NULL);
}
