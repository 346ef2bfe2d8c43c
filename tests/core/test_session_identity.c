/*
 * tests/core/test_session_identity.c: what a session may of accounts and organisations: one of an organisation sees and hears nothing of others; nobody gives by it what it does not hold; what somebody
 * may do to itself takes accounts:self alone.
 */
#include "support_hub.h"
#include "support_key.h"

typedef struct scene {
    brant_db *db;
    word root, owner, ann, bob, org, other;
} scene;

/* Two organisations of owner's and bob's; ann is a viewer of the first. */
static scene set_scene(const char *folder) {
    scene s = {.db = open_identity(in_folder(folder, "a.db"))};
    s.root = new_account(s.db, "root@example.com", "admin");
    s.owner = new_account(s.db, "owner@example.com", "user");
    s.ann = new_account(s.db, "ann@example.com", "user");
    s.bob = new_account(s.db, "bob@example.com", "user");
    s.org = new_organization(s.db, "acme", s.owner.text);
    s.other = new_organization(s.db, "bobscorp", s.bob.text);
    add_member(s.db, s.org.text, s.ann.text, "viewer");
    return s;
}

static brant_db *session_of(const scene *s, const char *id, const char *org, const char *scopes) {
    char identity[512], organization[128] = "";
    brant_db *session = NULL;
    if (org) snprintf(organization, sizeof organization, ",\"organization\":\"%s\"", org);
    snprintf(identity, sizeof identity, "{\"id\":\"%s\",\"scopes\":[%s]%s}", id, scopes,
             organization);
    if (brant_session_open(&session, s->db, identity, strlen(identity)) != BRANT_OK)
        fail_msg("%s: %s", identity, brant_last_error()->message);
    return session;
}

static word make_key(const scene *s, const char *owner, const char *org) {
    return take(ask(s->db, "api_keys.create",
                    "{'owner_id':'%s','org_id':'%s','name':'k','scopes':['*:*']}", owner, org),
                "id");
}

static void must_list(brant_db *session, const char *operation, const char *wanted,
                      const char *hidden) {
    char *answer = ask(session, operation, "{}");
    if (!strstr(answer, wanted)) fail_msg("%s: %s lacks %s", operation, answer, wanted);
    if (strstr(answer, hidden)) fail_msg("%s: %s tells %s", operation, answer, hidden);
    brant_free(answer);
}

static void test_one_of_an_organisation_sees_its_rows(void **state) {
    scene s = set_scene(*state);
    const word key = make_key(&s, s.owner.text, s.org.text);
    const word other_key = make_key(&s, s.bob.text, s.other.text);
    const word invited =
        take(ask(s.db, "invitations.create", "{'org_id':'%s','email':'x@example.com'}", s.org.text),
             "id");
    const word other_invited = take(
        ask(s.db, "invitations.create", "{'org_id':'%s','email':'y@example.com'}", s.other.text),
        "id");
    brant_db *ann = session_of(&s, s.ann.text, s.org.text, "\"*:read\"");

    must_list(ann, "accounts.list", s.owner.text, s.bob.text);
    must_list(ann, "organizations.list", s.org.text, s.other.text);
    must_list(ann, "members.list", s.owner.text, s.other.text);
    must_list(ann, "invitations.list", invited.text, other_invited.text);
    must_list(ann, "api_keys.list", key.text, other_key.text);
    tell(ann, "accounts.get", "{'id':'%s'}", s.owner.text);
    tell(ann, "accounts.find", "{'email':'owner@example.com'}");
    refused(ann, "accounts.get", BRANT_NOT_FOUND, "no account", "{'id':'%s'}", s.bob.text);
    refused(ann, "accounts.find", BRANT_NOT_FOUND, NULL, "{'email':'bob@example.com'}");
    tell(ann, "organizations.get", "{'slug':'acme'}");
    refused(ann, "organizations.get", BRANT_NOT_FOUND, NULL, "{'id':'%s'}", s.other.text);
    refused(ann, "organizations.get", BRANT_NOT_FOUND, NULL, "{'slug':'bobscorp'}");
    refused(ann, "members.get", BRANT_NOT_FOUND, NULL, "{'org_id':'%s','account_id':'%s'}",
            s.other.text, s.bob.text);
    tell(ann, "invitations.get", "{'id':'%s'}", invited.text);
    refused(ann, "invitations.get", BRANT_NOT_FOUND, NULL, "{'id':'%s'}", other_invited.text);
    tell(ann, "api_keys.get", "{'id':'%s'}", key.text);
    refused(ann, "api_keys.get", BRANT_NOT_FOUND, NULL, "{'id':'%s'}", other_key.text);
    char *answer = ask(ann, "members.list", "{'filter':{'org_id':'%s'}}", s.other.text);
    assert_string_equal(answer, "{\"items\":[],\"cursor\":null}");
    brant_free(answer);
    refused(ann, "streams.read", BRANT_DENIED, "of the whole file", "{'stream':'audit-events'}");
    brant_db_free(ann);
    brant_db_free(s.db);
}

static void test_one_of_an_organisation_hears_of_it(void **state) {
    scene s = set_scene(*state);
    brant_db *ann = session_of(&s, s.ann.text, s.org.text, "\"*:*\"");
    brant_db *root = session_of(&s, s.root.text, NULL, "\"*:*\"");
    static const char channels[] = "{\"channels\":[\"*\"]}";
    brant_cursor *bound = NULL, *all = NULL;
    char *items = NULL;
    size_t length = 0;
    assert_int_equal(brant_event_listen(&bound, ann, channels, sizeof channels - 1), BRANT_OK);
    assert_int_equal(brant_event_listen(&all, root, channels, sizeof channels - 1), BRANT_OK);
    (void)new_account(s.db, "carol@example.com", "user");
    add_member(s.db, s.other.text, s.ann.text, "viewer");
    add_member(s.db, s.org.text, s.bob.text, "viewer");
    assert_int_equal(brant_cursor_next(&items, &length, bound, 1000), BRANT_OK);
    assert_null(strstr(items, "carol@example.com"));
    assert_null(strstr(items, s.other.text));
    assert_non_null(strstr(items, s.org.text));
    brant_free(items);
    assert_int_equal(brant_cursor_next(&items, &length, all, 1000), BRANT_OK);
    assert_non_null(strstr(items, "carol@example.com"));
    assert_non_null(strstr(items, s.other.text));
    brant_free(items);
    brant_cursor_free(bound);
    brant_cursor_free(all);
    brant_db_free(ann);
    brant_db_free(root);
    brant_db_free(s.db);
}

/* A key of an admin that may do little is no admin's. */
static void test_accounts_self_is_over_nobody_else(void **state) {
    scene s = set_scene(*state);
    brant_db *self = session_of(&s, s.root.text, NULL, "\"accounts:self\",\"accounts:write\"");
    brant_db *over = session_of(&s, s.root.text, NULL, "\"accounts:*\",\"organizations:*\"");
    brant_db *all = session_of(&s, s.root.text, NULL, "\"*:*\"");

    tell(self, "accounts.update", "{'id':'%s','name':'Root'}", s.root.text);
    refused(self, "accounts.update", BRANT_DENIED, "access_level admin",
            "{'id':'%s','access_level':'admin'}", s.bob.text);
    refused(self, "accounts.update", BRANT_DENIED, "access_level admin",
            "{'id':'%s','email':'mine@example.com'}", s.bob.text);
    refused(self, "accounts.deactivate", BRANT_DENIED, NULL, "{'id':'%s'}", s.bob.text);
    refused(self, "accounts.delete", BRANT_DENIED, NULL, "{'id':'%s'}", s.ann.text);
    refused(self, "accounts.create", BRANT_DENIED, NULL, "{'email':'n@example.com'}");

    tell(over, "accounts.create", "{'email':'n@example.com'}");
    tell(over, "accounts.update", "{'id':'%s','name':'Bob'}", s.bob.text);
    refused(over, "accounts.update", BRANT_DENIED, "*:*", "{'id':'%s','access_level':'admin'}",
            s.bob.text);
    refused(over, "accounts.create", BRANT_DENIED, "*:*",
            "{'email':'m@example.com','access_level':'admin'}");
    tell(all, "accounts.update", "{'id':'%s','access_level':'admin'}", s.bob.text);
    brant_db_free(self);
    brant_db_free(over);
    brant_db_free(all);
    brant_db_free(s.db);
}

static void test_no_session_gives_a_level_that_holds_more(void **state) {
    scene s = set_scene(*state);
    brant_db *narrow =
        session_of(&s, s.owner.text, s.org.text,
                   "\"members:write\",\"organizations:write\",\"invitations:write\"");
    brant_db *admin = session_of(
        &s, s.owner.text, s.org.text,
        "\"*:read\",\"*:use\",\"*:write\",\"*:admin\",\"secrets:*\",\"access:*\",\"db:*\"");
    const char *org = s.org.text;

    refused(narrow, "members.add", BRANT_DENIED, "does not hold",
            "{'org_id':'%s','account_id':'%s','level':'viewer'}", org, s.bob.text);
    refused(narrow, "members.set_level", BRANT_DENIED, "does not hold",
            "{'org_id':'%s','account_id':'%s','level':'owner'}", org, s.ann.text);
    refused(narrow, "invitations.create", BRANT_DENIED, "does not hold",
            "{'org_id':'%s','email':'x@example.com','level':'owner'}", org);
    refused(narrow, "organizations.transfer", BRANT_DENIED, "does not hold",
            "{'id':'%s','to':'%s'}", org, s.ann.text);
    tell(narrow, "members.suspend", "{'org_id':'%s','account_id':'%s'}", org, s.ann.text);
    refused(narrow, "members.resume", BRANT_DENIED, "does not hold",
            "{'org_id':'%s','account_id':'%s'}", org, s.ann.text);

    tell(admin, "members.resume", "{'org_id':'%s','account_id':'%s'}", org, s.ann.text);
    tell(admin, "members.add", "{'org_id':'%s','account_id':'%s','level':'admin'}", org,
         s.bob.text);
    refused(admin, "members.set_level", BRANT_DENIED, "*:*",
            "{'org_id':'%s','account_id':'%s','level':'owner'}", org, s.ann.text);
    /* What takes away is no giving. */
    tell(narrow, "members.set_level", "{'org_id':'%s','account_id':'%s','level':'viewer'}", org,
         s.bob.text);
    tell(narrow, "members.remove", "{'org_id':'%s','account_id':'%s'}", org, s.bob.text);
    brant_db_free(narrow);
    brant_db_free(admin);
    brant_db_free(s.db);
}

static void test_who_is_invited_accepts_by_itself(void **state) {
    scene s = set_scene(*state);
    char *made =
        ask(s.db, "invitations.create", "{'org_id':'%s','email':'Bob@Example.COM'}", s.org.text);
    const word token = take(made, "token");
    brant_db *ann = session_of(&s, s.ann.text, NULL, "\"accounts:self\"");
    brant_db *bob = session_of(&s, s.bob.text, NULL, "\"accounts:self\"");
    brant_db *elsewhere = session_of(&s, s.bob.text, s.other.text, "\"*:*\"");

    /* Filtered by any way to write it. */
    char *answer = ask(s.db, "invitations.list", "{'filter':{'email':'BOB@example.com'}}");
    assert_non_null(strstr(answer, "bob@example.com"));
    brant_free(answer);
    refused(s.db, "invitations.list", BRANT_INVALID, "/email", "{'filter':{'email':'bob'}}");

    refused(ann, "invitations.accept", BRANT_DENIED, "another email", "{'token':'%s'}", token.text);
    refused(ann, "invitations.accept", BRANT_DENIED, "for another account",
            "{'token':'%s','account_id':'%s'}", token.text, s.bob.text);
    refused(elsewhere, "invitations.accept", BRANT_DENIED, "another organization", "{'token':'%s'}",
            token.text);
    refused(elsewhere, "invitations.reject", BRANT_DENIED, "another organization", "{'token':'%s'}",
            token.text);
    tell(bob, "invitations.accept", "{'token':'%s'}", token.text);
    brant_db_free(ann);
    brant_db_free(bob);
    brant_db_free(elsewhere);
    brant_db_free(s.db);
}

static void test_an_id_is_not_given_again(void **state) {
    scene s = set_scene(*state);
    tell(s.db, "organizations.delete", "{'id':'%s'}", s.other.text);
    tell(s.db, "accounts.delete", "{'id':'%s'}", s.bob.text);
    refused(s.db, "organizations.create", BRANT_EXISTS, "not given again",
            "{'id':'%s','slug':'again','name':'n','owner_id':'%s'}", s.other.text, s.ann.text);
    refused(s.db, "accounts.create", BRANT_EXISTS, "not given again",
            "{'id':'%s','email':'new@example.com'}", s.bob.text);
    /* Slug and email are free again. */
    (void)new_account(s.db, "bob@example.com", "user");
    (void)new_organization(s.db, "bobscorp", s.ann.text);
    brant_db_free(s.db);
}

static brant_db *session_as(brant_db *db, const char *identity) {
    brant_db *session = NULL;
    char text[2 * WORD + 128];
    snprintf(text, sizeof text, "%s", identity);
    for (char *at = text; *at; at++)
        if (*at == '\'') *at = '"';
    if (brant_session_open(&session, db, text, strlen(text)) != BRANT_OK)
        fail_msg("%s: %s", text, brant_last_error()->message);
    return session;
}

/* What a principal has by the graph goes on to no agent through a session that could not use it. */
static void test_no_session_delegates_what_it_may_not(void **state) {
    brant_db *db = open_identity(in_folder(*state, "a.db"));
    tell(db, "access.put", "{'key':'p','type':'Principal','attributes':{'kind':'service'}}");
    tell(db, "access.grant",
         "{'subject':'p','scopes':['nodes:read','nodes:write','access:delegate']}");
    static const char *const narrow[] = {
        "{'id':'p','principal':'p','within':['nodes:read','access:delegate']}",
        "{'id':'p','principal':'p','denies':['nodes:write']}",
    };
    for (size_t i = 0; i < 2; i++) {
        brant_db *session = session_as(db, narrow[i]);
        brant_db *inner = session_as(session, "{'id':'p'}");
        refused(session, "access.delegate", BRANT_DENIED, "nodes:write",
                "{'from':'p','to':'a','scopes':['nodes:read','nodes:write']}");
        refused(inner, "access.delegate", BRANT_DENIED, NULL,
                "{'from':'p','to':'a','scopes':['nodes:write']}");
        tell(session, "access.delegate", "{'from':'p','to':'a','scopes':['nodes:read']}");
        brant_db_free(inner);
        brant_db_free(session);
    }
    /* Without a principal the graph gives it nothing: nor does it pass on what stands there. */
    tell(db, "access.put",
         "{'key':'account:x','type':'Principal','attributes':{'kind':'service'}}");
    brant_db *bare = session_as(db, "{'id':'x','scopes':['access:delegate']}");
    refused(bare, "access.delegate", BRANT_DENIED, "nodes:read",
            "{'from':'account:x','to':'a','scopes':['nodes:read']}");
    brant_db_free(bare);
    brant_db_free(db);
}

/* To be given what is denied something is to be denied it. */
static void test_no_session_assigns_denials_that_it_could_not_make(void **state) {
    brant_db *db = open_identity(in_folder(*state, "a.db"));
    static const char *const keys[][2] = {{"p", "Principal"}, {"q", "Principal"}, {"r", "Role"}};
    for (size_t i = 0; i < 3; i++)
        tell(db, "access.put", "{'key':'%s','type':'%s'%s}", keys[i][0], keys[i][1],
             i < 2 ? ",'attributes':{'kind':'service'}" : "");
    tell(db, "access.deny", "{'subject':'r','scopes':['*:*']}");
    brant_db *session = session_as(db, "{'id':'p','scopes':['access:grant','nodes:read']}");
    refused(session, "access.deny", BRANT_DENIED, NULL, "{'subject':'q','scopes':['*:*']}");
    refused(session, "access.assign", BRANT_DENIED, "*:*", "{'subject':'q','role':'r'}");
    brant_db_free(session);
    brant_db_free(db);
}

static void test_one_of_an_organisation_in_the_system_file(void **state) {
    brant_hub *hub = must_open_hub(in_folder(*state, "hub"), "");
    brant_db *system = brant_hub_system(hub);
    must_load(system, IDENTITY_RING);
    const word owner = new_account(system, "owner@example.com", "user");
    const word other = new_account(system, "other@example.com", "user");
    const word org = new_organization(system, "acme", owner.text);
    char identity[2 * WORD + 128];
    snprintf(identity, sizeof identity, "{'id':'%s','scopes':['*:*'],'organization':'%s'}",
             owner.text, org.text);
    brant_db *session = session_as(system, identity);
    tell(session, "members.add", "{'org_id':'%s','account_id':'%s'}", org.text, other.text);
    tell(session, "members.list", "{}");
    static const char *const whole[] = {"db.info",      "db.erase",    "secrets.rotate",
                                        "streams.list", "graphs.list", "events.channels",
                                        "access.seed"};
    for (size_t i = 0; i < BRANT__COUNT(whole); i++)
        refused(session, whole[i], BRANT_DENIED, "which is of all", "{}");
    refused(session, "tenants.list", BRANT_DENIED, "no other's tenant", "{}");
    brant_db_free(session);
    brant_hub_free(hub);
}

/* The log's own triggers are no user's, also where a session is the first that writes to it. */
static void test_a_session_writes_the_first_audit_row_of_a_handle(void **state) {
    scene s = set_scene(*state);
    brant_db_free(s.db);
    s.db = open_identity(in_folder(*state, "a.db"));
    brant_db *root = session_of(&s, s.root.text, NULL, "\"*:*\"");
    tell(root, "audit.append", "{'action':'doors.open'}");
    tell(root, "accounts.update", "{'id':'%s','name':'Bob'}", s.bob.text);
    brant_db_free(root);
    must(s.db, "sql.execute", "{\"sql\":\"CREATE TABLE t (x)\"}", NULL);
    must_fail(
        s.db, "sql.execute",
        "{\"sql\":\"CREATE TEMP TRIGGER brant_audit_logs_insert AFTER INSERT ON t BEGIN SELECT "
        "1; END\"}",
        BRANT_DENIED, "the name is brant's");
    brant_db_free(s.db);
}

/* Nobody's rights can be taken away, or denials ended, past access.*. */
static void test_the_access_graph_is_kept(void **state) {
    brant_db *db = open_identity(in_folder(*state, "a.db"));
    brant_db *session = session_as(db, "{'id':'p','scopes':['*:*']}");
    refused(session, "graphs.create", BRANT_DENIED, "access graph's name",
            "{'name':'access','graph_type':'task'}");
    refused(session, "graphs.import", BRANT_DENIED, NULL,
            "{'graph':'access','create':true,'format':'ndjson','text':''}");
    tell(db, "access.put", "{'key':'r','type':'Role'}");
    tell(db, "access.deny", "{'subject':'r','scopes':['*:*']}");
    refused(session, "db.erase", BRANT_DENIED, "access graph", "{'values':['r']}");
    tell(session, "db.erase", "{'values':['nobody']}");
    brant_db_free(session);
    brant_db_free(db);
}

/* What was somebody's does not become everybody's. */
static void test_erasing_an_owner_opens_nothing(void **state) {
    brant_db *db = open_identity(in_folder(*state, "a.db"));
    tell(db, "graph_types.define",
         "{'name':'notes','scope':'user','module':{'$defs':{'TNode':{'type':'object'}}}}");
    tell(db, "graphs.create", "{'name':'hers','graph_type':'notes','owner_id':'ann'}");
    brant_db *other = session_as(db, "{'id':'bob','scopes':['*:read']}");
    refused(other, "graphs.get", BRANT_NOT_FOUND, NULL, "{'name':'hers'}");
    tell(db, "db.erase", "{'values':['ann']}");
    refused(other, "graphs.get", BRANT_NOT_FOUND, NULL, "{'name':'hers'}");
    brant_db_free(other);
    brant_db_free(db);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_folder, tear_down_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_one_of_an_organisation_sees_its_rows),
        TEST(test_one_of_an_organisation_hears_of_it),
        TEST(test_accounts_self_is_over_nobody_else),
        TEST(test_no_session_gives_a_level_that_holds_more),
        TEST(test_who_is_invited_accepts_by_itself),
        TEST(test_an_id_is_not_given_again),
        TEST(test_no_session_delegates_what_it_may_not),
        TEST(test_no_session_assigns_denials_that_it_could_not_make),
        TEST(test_one_of_an_organisation_in_the_system_file),
        TEST(test_a_session_writes_the_first_audit_row_of_a_handle),
        TEST(test_the_access_graph_is_kept),
        TEST(test_erasing_an_owner_opens_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
