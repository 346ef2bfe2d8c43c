/*
 * tests/core/test_api_key.c: keys of accounts: making, verifying, rotating, revoking, taking over; who may; that no token is anywhere.
 */
#include "support_key.h"
#include "support_plan.h"

#include "identity/api_key.h"

typedef struct scene {
    brant_db *db;
    const char *path;
    word admin, owner, boss, ann,
        eve; /* accounts: access_level admin; owner, admin, member, viewer of the organisation */
    word org;
} scene;

static scene set_scene(const char *folder) {
    scene s = {.path = in_folder(folder, "a.db")};
    s.db = open_identity(s.path);
    s.admin = new_account(s.db, "root@example.com", "admin");
    s.owner = new_account(s.db, "owner@example.com", "user");
    s.boss = new_account(s.db, "boss@example.com", "user");
    s.ann = new_account(s.db, "ann@example.com", "user");
    s.eve = new_account(s.db, "eve@example.com", "user");
    s.org = new_organization(s.db, "acme", s.owner.text);
    add_member(s.db, s.org.text, s.boss.text, "admin");
    add_member(s.db, s.org.text, s.ann.text, "member");
    add_member(s.db, s.org.text, s.eve.text, "viewer");
    return s;
}

static char *create(const scene *s, const char *owner, const char *scopes) {
    return ask(s->db, "api_keys.create", "{'owner_id':'%s','org_id':'%s','name':'k','scopes':%s}",
               owner, s->org.text, scopes);
}

static void must_be_invalid(brant_db *db, const char *token) {
    refused(db, "api_keys.verify", BRANT_AUTH, "the key is not valid", "{'token':'%s'}", token);
    assert_string_equal(brant_last_error()->message, "the key is not valid");
    assert_string_equal(brant_last_error()->detail, "{}");
    refused(db, "auth.authenticate", BRANT_AUTH, "the key is not valid", "{'token':'%s'}", token);
}

static char *verify(brant_db *db, const char *token) {
    return ask(db, "api_keys.verify", "{'token':'%s'}", token);
}
static void must_be_valid(brant_db *db, const char *token) {
    brant_free(verify(db, token));
}

static void test_create_and_verify(void **state) {
    scene s = set_scene(*state);
    char *made = create(&s, s.ann.text, "['nodes:write','nodes:read','nodes:read','sql:execute']");
    const word token = member_of(made, "token"), id = member_of(made, "id");
    must_hold(made, "'scopes':['nodes:read','nodes:write','sql:execute']");
    must_hold(made, "'scheme':'brant1','pepper_version':1");
    must_hold(made, "'expires_at':null,'revoked_at':null,'last_used_at':null,'rotated_from':null");
    must_hold(made, "'type':'key'");
    assert_null(strstr(made, "hash"));
    assert_int_equal(strlen(token.text), 6 + 3 + 1 + 16 + 1 + 43 + 6);
    brant_free(made);

    char *answer = verify(s.db, token.text);
    must_hold(answer, "{'valid':true,'key':{'id':'");
    must_hold(answer, "'email':'ann@example.com'");
    must_hold(answer, "'slug':'acme'");
    /* Members may not execute SQL: of the key's scopes only those that Ann holds count. */
    must_hold(answer, "'level':'member','scopes':['nodes:read','nodes:write']");
    brant_free(answer);

    answer = ask(s.db, "auth.authenticate", "{'token':'%s'}", token.text);
    assert_null(strstr(answer, "valid"));
    must_hold(answer, "'actor_type':'api_key','scopes':['nodes:read','nodes:write'],'within':[");
    must_hold(answer, "'principal':'account:");
    must_hold(answer, "'level':'member','key':'");
    assert_non_null(strstr(answer, id.text));
    brant_free(answer);

    /* A key of no organisation: what the account may by itself. */
    made = ask(s.db, "api_keys.create",
               "{'owner_id':'%s','name':'mine','type':'abcdefghijkl','scopes':['*:*'],'metadata':{"
               "'a':[1]},'expires_at':%lld}",
               s.ann.text, (long long)fake_now + 1000);
    must_hold(made, "'metadata':{'a':[1]}");
    const word own = take(made, "token");
    assert_int_equal(strncmp(own.text, "brant_abcdefghijkl_", 19), 0);
    answer = verify(s.db, own.text);
    must_hold(answer, "'organization':null,'level':null,'scopes':['accounts:self']");
    brant_free(answer);
    answer = ask(s.db, "auth.authenticate", "{'token':'%s'}", own.text);
    assert_null(strstr(answer, "'organization':{"));
    brant_free(answer);
    brant_db_free(s.db);
}

/* Whatever is wrong, the error is the same. */
static void test_invalid(void **state) {
    scene s = set_scene(*state);
    const word token = take(create(&s, s.ann.text, "['*:*']"), "token");
    const word ending = take(ask(s.db, "api_keys.create",
                                 "{'owner_id':'%s','name':'e','scopes':['*:*'],'expires_at':%lld}",
                                 s.ann.text, (long long)fake_now + 5),
                             "token");
    char broken[128];
    must_be_valid(s.db, token.text);
    must_be_invalid(s.db, "");
    must_be_invalid(s.db, "brant_");
    must_be_invalid(s.db, "short");
    must_be_invalid(s.db, "something else that is long enough");
    for (size_t at = 0; at < strlen(token.text); at += 7) {
        strcpy(broken, token.text);
        broken[at] = broken[at] == 'x' ? 'y' : 'x';
        must_be_invalid(s.db, broken);
    }
    /* The checksum is right, and the kid is there, or not; the secret is another's. */
    strcpy(broken, token.text);
    forge(broken, 20);
    must_be_invalid(s.db, broken);
    strcpy(broken, token.text);
    forge(broken, strlen(token.text) - 10);
    must_be_invalid(s.db, broken);
    strcpy(broken, token.text);
    forge(broken, 12);
    must_be_invalid(s.db, broken);

    fake_now += 4;
    must_be_valid(s.db, ending.text);
    fake_now += 1;
    must_be_invalid(s.db, ending.text);

    tell(s.db, "accounts.deactivate", "{'id':'%s'}", s.ann.text);
    must_be_invalid(s.db, token.text);
    tell(s.db, "accounts.reactivate", "{'id':'%s'}", s.ann.text);
    must_be_valid(s.db, token.text);
    tell(s.db, "organizations.suspend", "{'id':'%s'}", s.org.text);
    must_be_invalid(s.db, token.text);
    tell(s.db, "organizations.resume", "{'id':'%s'}", s.org.text);
    must_be_valid(s.db, token.text);
    tell(s.db, "members.suspend", "{'org_id':'%s','account_id':'%s'}", s.org.text, s.ann.text);
    must_be_invalid(s.db, token.text);
    tell(s.db, "members.resume", "{'org_id':'%s','account_id':'%s'}", s.org.text, s.ann.text);
    must_be_valid(s.db, token.text);
    tell(s.db, "members.set_level", "{'org_id':'%s','account_id':'%s','level':'viewer'}",
         s.org.text, s.ann.text);
    char *answer = verify(s.db, token.text);
    must_hold(answer, "'level':'viewer','scopes':['*:read']");
    brant_free(answer);
    tell(s.db, "members.remove", "{'org_id':'%s','account_id':'%s'}", s.org.text, s.ann.text);
    must_be_invalid(s.db, token.text);
    brant_db_free(s.db);
}

static void test_peppers(void **state) {
    scene s = set_scene(*state);
    const word first = take(create(&s, s.ann.text, "['*:*']"), "token");
    must_load(s.db, NEXT_RING);
    must_be_valid(s.db, first.text);
    char *made = create(&s, s.ann.text, "['*:*']");
    must_hold(made, "'pepper_version':2");
    const word second = take(made, "token");
    must_be_valid(s.db, second.text);
    must_load(s.db, RING(AUDIT_KEY_1 "," PEPPER_1_OFF "," PEPPER_2));
    must_be_invalid(s.db, first.text);
    must_be_valid(s.db, second.text);
    must_load(s.db, IDENTITY_RING);
    must_be_invalid(s.db, second.text);
    must_be_valid(s.db, first.text);
    must_load(s.db, WITHOUT_PEPPER);
    refused(s.db, "api_keys.verify", BRANT_NOT_FOUND, "pepper", "{'token':'%s'}", first.text);
    refused(s.db, "api_keys.create", BRANT_NOT_FOUND, "pepper",
            "{'owner_id':'%s','name':'k','scopes':['*:*']}", s.ann.text);
    must_load(s.db, RING(PEPPER_1));
    refused(s.db, "api_keys.create", BRANT_NOT_FOUND, "audit",
            "{'owner_id':'%s','name':'k','scopes':['*:*']}", s.ann.text);
    assert_int_equal(brant_keyring_unload(s.db), BRANT_OK);
    refused(s.db, "api_keys.verify", BRANT_NOT_FOUND, "key ring", "{'token':'%s'}", first.text);
    refused(s.db, "api_keys.verify", BRANT_AUTH, NULL, "{'token':'no shape at all'}");
    brant_db_free(s.db);
}

/* ---- who may ------------------------------------------------------------------------------------------------------- */

static void test_who_may(void **state) {
    scene s = set_scene(*state);
    const struct {
        const word *actor, *owner;
        bool org;
        const char *scopes;
        bool may;
    } cases[] = {
        {&s.ann, &s.ann, true, "['nodes:write']", true},
        {&s.ann, &s.ann, true, "['nodes:write','sql:execute']",
         false}, /* more than a member holds */
        {&s.ann, &s.ann, true, "['*:*']", false},
        {&s.ann, &s.ann, false, "['accounts:self']", true},
        {&s.ann, &s.ann, false, "['nodes:read']", false}, /* nothing by itself */
        {&s.ann, &s.eve, true, "['nodes:read']", false},
        {&s.eve, &s.ann, true, "['nodes:read']", false},
        {&s.boss, &s.ann, true, "['nodes:write']", true},
        {&s.boss, &s.ann, true, "['*:admin']", false}, /* Ann does not hold it */
        {&s.boss, &s.eve, true, "['nodes:read']", true},
        {&s.boss, &s.boss, true, "['*:admin']", true},
        {&s.boss, &s.owner, true, "['nodes:read']", false},
        {&s.boss, &s.ann, false, "['accounts:self']", false}, /* her own matter */
        {&s.owner, &s.boss, true, "['*:admin']", true},
        {&s.owner, &s.owner, true, "['*:*']", true},
        {&s.admin, &s.ann, true, "['nodes:read']", false}, /* no member */
        {&s.admin, &s.admin, false, "['*:*']", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char org[WORD + 64] = "";
        if (cases[i].org) snprintf(org, sizeof org, "'org_id':'%s',", s.org.text);
        char *answer = NULL;
        size_t length = 0;
        snprintf(input_text, sizeof input_text,
                 "{'actor':{'type':'account','id':'%s'},'owner_id':'%s',%s'name':'k','scopes':%s}",
                 cases[i].actor->text, cases[i].owner->text, org, cases[i].scopes);
        for (char *at = input_text; *at; at++)
            if (*at == '\'') *at = '"';
        const brant_status status = brant_api_key_create(&answer, &length, s.db, TEXT(input_text));
        if (status != (cases[i].may ? BRANT_OK : BRANT_DENIED))
            fail_msg("case %zu: %s %s", i, brant_last_error()->name, brant_last_error()->message);
        brant_free(answer);
    }
    /* Who is the actor is the owner by default. */
    char *made = ask(s.db, "api_keys.create",
                     "{'actor':{'type':'account','id':'%s'},'name':'k','scopes':['accounts:self']}",
                     s.ann.text);
    assert_string_equal(take(made, "owner_id").text, s.ann.text);
    refused(s.db, "api_keys.create", BRANT_INVALID, "/owner_id",
            "{'name':'k','scopes':['accounts:self']}");
    brant_db_free(s.db);
}

/* Revoking and rotating: by the owner, by who is above, by no one else. */
static void test_who_may_change(void **state) {
    scene s = set_scene(*state);
    const struct {
        const word *owner, *actor;
        bool rotate, revoke;
    } cases[] = {
        {&s.ann, &s.eve, false, false},   {&s.ann, &s.boss, true, true},
        {&s.ann, &s.ann, true, true},     {&s.boss, &s.ann, false, false},
        {&s.boss, &s.owner, true, true},  {&s.owner, &s.boss, false, false},
        {&s.ann, &s.admin, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const word id = take(create(&s, cases[i].owner->text, "['nodes:read']"), "id");
        const char *actor = cases[i].actor->text;
        if (cases[i].rotate)
            tell(s.db, "api_keys.rotate", "{'id':'%s','actor':{'type':'account','id':'%s'}}",
                 id.text, actor);
        else
            refused(s.db, "api_keys.rotate", BRANT_DENIED, NULL,
                    "{'id':'%s','actor':{'type':'account','id':'%s'}}", id.text, actor);
        if (cases[i].revoke)
            tell(s.db, "api_keys.revoke", "{'id':'%s','actor':{'type':'account','id':'%s'}}",
                 id.text, actor);
        else
            refused(s.db, "api_keys.revoke", BRANT_DENIED, NULL,
                    "{'id':'%s','actor':{'type':'account','id':'%s'}}", id.text, actor);
    }
    /* Owners may end each other's keys, and make none. */
    add_member(s.db, s.org.text, s.admin.text, "owner");
    const word id = take(create(&s, s.owner.text, "['nodes:read']"), "id");
    refused(s.db, "api_keys.rotate", BRANT_DENIED, "not below",
            "{'id':'%s','actor':{'type':'account','id':'%s'}}", id.text, s.admin.text);
    tell(s.db, "api_keys.revoke", "{'id':'%s','actor':{'type':'account','id':'%s'}}", id.text,
         s.admin.text);
    brant_db_free(s.db);
}

static void test_owner(void **state) {
    scene s = set_scene(*state);
    const word stranger = new_account(s.db, "stranger@example.com", "user");
    static const char nobody[] = "00000000-0000-4000-8000-000000000000";
    refused(s.db, "api_keys.create", BRANT_NOT_FOUND, "account",
            "{'owner_id':'%s','name':'k','scopes':['a:b']}", nobody);
    refused(s.db, "api_keys.create", BRANT_NOT_FOUND, "organization",
            "{'owner_id':'%s','org_id':'%s','name':'k','scopes':['a:b']}", s.ann.text, nobody);
    refused(s.db, "api_keys.create", BRANT_CONFLICT, "no active member",
            "{'owner_id':'%s','org_id':'%s','name':'k','scopes':['a:b']}", stranger.text,
            s.org.text);
    tell(s.db, "accounts.deactivate", "{'id':'%s'}", stranger.text);
    refused(s.db, "api_keys.create", BRANT_CONFLICT, "not active",
            "{'owner_id':'%s','name':'k','scopes':['a:b']}", stranger.text);
    refused(s.db, "api_keys.create", BRANT_INVALID, "/scopes/1 is no scope",
            "{'owner_id':'%s','name':'k','scopes':['a:b','a']}", s.ann.text);
    refused(s.db, "api_keys.create", BRANT_INVALID, "/expires_at",
            "{'owner_id':'%s','name':'k','scopes':['a:b'],'expires_at':%lld}", s.ann.text,
            (long long)fake_now);
    refused(s.db, "api_keys.create", BRANT_INVALID, "expires_at",
            "{'owner_id':'%s','name':'k','scopes':['a:b'],'expires_at':9223372036854775807}",
            s.ann.text);
    refused(s.db, "api_keys.create", BRANT_INVALID, "type",
            "{'owner_id':'%s','name':'k','scopes':['a:b'],'type':'invite'}", s.ann.text);
    refused(s.db, "api_keys.create", BRANT_INVALID, "scopes",
            "{'owner_id':'%s','name':'k','scopes':[]}", s.ann.text);
    brant_db_free(s.db);
}

/* ---- rotating, revoking, taking over --------------------------------------------------------------------------------- */

static void test_rotate(void **state) {
    scene s = set_scene(*state);
    const int64_t begun = fake_now, life = INT64_C(30) * 86400000;
    char *made = ask(s.db, "api_keys.create",
                     "{'owner_id':'%s','org_id':'%s','name':'deploy','type':'ci','scopes':['nodes:"
                     "read'],'metadata':{'m':1},'expires_at':%lld}",
                     s.ann.text, s.org.text, (long long)(begun + life));
    const word first = member_of(made, "token"), id = take(made, "id");
    fake_now += 1000;
    char *rotated = ask(s.db, "api_keys.rotate", "{'id':'%s','overlap':500}", id.text);
    const word second = member_of(rotated, "token"), next = member_of(rotated, "id");
    char wanted[WORD + 64];
    snprintf(wanted, sizeof wanted, "'rotated_from':'%s','metadata':{'m':1}", id.text);
    must_hold(rotated, wanted);
    snprintf(wanted, sizeof wanted, "'name':'deploy','scopes':['nodes:read'],'expires_at':%lld",
             (long long)(fake_now + life));
    must_hold(rotated, wanted);
    must_hold(rotated, "'type':'ci'");
    const char *previous = strstr(rotated, "\"previous\":");
    assert_non_null(previous);
    assert_string_equal(member_of(previous, "id").text, id.text);
    snprintf(wanted, sizeof wanted, "%lld", (long long)fake_now + 500);
    assert_string_equal(member_of(previous, "expires_at").text, wanted);
    brant_free(rotated);
    must_be_valid(s.db, first.text);
    must_be_valid(s.db, second.text);
    refused(s.db, "api_keys.rotate", BRANT_CONFLICT, next.text, "{'id':'%s'}", id.text);
    fake_now += 500;
    must_be_invalid(s.db, first.text);
    must_be_valid(s.db, second.text);
    /* Without an overlap the one before is over at once. */
    const word third =
        take(ask(s.db, "api_keys.rotate", "{'id':'%s','overlap':0}", next.text), "token");
    must_be_invalid(s.db, second.text);
    must_be_valid(s.db, third.text);
    refused(s.db, "api_keys.rotate", BRANT_CONFLICT, "rotated already", "{'id':'%s'}", next.text);
    /* An end that comes sooner anyway stays. */
    made = ask(s.db, "api_keys.create",
               "{'owner_id':'%s','name':'k','scopes':['accounts:self'],'expires_at':%lld}",
               s.ann.text, (long long)fake_now + 10);
    const word soon = take(made, "id");
    rotated = ask(s.db, "api_keys.rotate", "{'id':'%s'}", soon.text);
    snprintf(wanted, sizeof wanted, "%lld", (long long)fake_now + 10);
    assert_string_equal(member_of(strstr(rotated, "\"previous\":"), "expires_at").text, wanted);
    const word after = take(rotated, "id");
    fake_now += 10;
    refused(s.db, "api_keys.rotate", BRANT_CONFLICT, "expired", "{'id':'%s'}", after.text);
    refused(s.db, "api_keys.rotate", BRANT_INVALID, "overlap", "{'id':'%s','overlap':2592000001}",
            after.text);
    const word last =
        take(ask(s.db, "api_keys.create",
                 "{'owner_id':'%s','name':'k','scopes':['accounts:self'],'expires_at':"
                 "253402300799999}",
                 s.ann.text),
             "id");
    fake_now += 5;
    assert_string_equal(
        take(ask(s.db, "api_keys.rotate", "{'id':'%s'}", last.text), "expires_at").text,
        "253402300800004");
    refused(s.db, "api_keys.rotate", BRANT_NOT_FOUND, "no API key",
            "{'id':'00000000-0000-4000-8000-000000000000'}");
    brant_db_free(s.db);
}

static void test_revoke(void **state) {
    scene s = set_scene(*state);
    char *made = create(&s, s.ann.text, "['nodes:read']");
    const word token = member_of(made, "token"), id = take(made, "id");
    must_be_valid(s.db, token.text);
    fake_now += 7;
    char *first = ask(s.db, "api_keys.revoke", "{'id':'%s'}", id.text);
    fake_now += 7;
    const int64_t rows = number(s.db, "SELECT count(*) FROM brant_audit_logs");
    char *again = ask(s.db, "api_keys.revoke", "{'id':'%s'}", id.text);
    assert_string_equal(first, again);
    assert_int_equal(number(s.db, "SELECT count(*) FROM brant_audit_logs"), rows);
    brant_free(first);
    brant_free(again);
    must_be_invalid(s.db, token.text);
    refused(s.db, "api_keys.rotate", BRANT_CONFLICT, "revoked", "{'id':'%s'}", id.text);
    refused(s.db, "api_keys.revoke", BRANT_NOT_FOUND, NULL,
            "{'id':'00000000-0000-4000-8000-000000000000'}");
    brant_db_free(s.db);
}

/* SHA-256 of "an older token of ours", by another program. */
#define LEGACY      "an older token of ours"
#define LEGACY_HASH "eafe65910351c5e4aa70422a4a2df0f9f0102e12afe47c9279a45309fbe5c1f4"
#define LEGACY_BIG  "EAFE65910351C5E4AA70422A4A2DF0F9F0102E12AFE47C9279A45309FBE5C1F4"

static void test_import(void **state) {
    scene s = set_scene(*state);
    char *made = ask(s.db, "api_keys.import",
                     "{'owner_id':'%s','org_id':'%s','name':'old','scopes':['*:read'],'hash':'%s'}",
                     s.ann.text, s.org.text, LEGACY_BIG);
    must_hold(made, "'kid':'legacy-"
                    "eafe65910351c5e4"
                    "','type':'key','scheme':'legacy-sha256','pepper_version':0");
    const word id = take(made, "id");
    char *answer = verify(s.db, LEGACY);
    must_hold(answer, "'scheme':'legacy-sha256'");
    brant_free(answer);
    must_be_invalid(s.db, LEGACY "x");
    must_be_invalid(s.db, "7 bytes");
    refused(s.db, "api_keys.import", BRANT_EXISTS, "legacy-",
            "{'owner_id':'%s','name':'old','scopes':['*:read'],'hash':'%s'}", s.ann.text,
            LEGACY_HASH);
    refused(s.db, "api_keys.import", BRANT_INVALID, "hash",
            "{'owner_id':'%s','name':'old','scopes':['*:read'],'hash':'12'}", s.ann.text);
    /* It needs no ring. */
    assert_int_equal(brant_keyring_unload(s.db), BRANT_OK);
    must_be_valid(s.db, LEGACY);
    must_load(s.db, IDENTITY_RING);
    char *rotated = ask(s.db, "api_keys.rotate", "{'id':'%s','overlap':100}", id.text);
    must_hold(rotated, "'type':'key','scheme':'brant1','pepper_version':1");
    const word token = take(rotated, "token");
    must_be_valid(s.db, token.text);
    must_be_valid(s.db, LEGACY);
    fake_now += 100;
    must_be_invalid(s.db, LEGACY);
    /* One that somebody imported with the hash of a token of ours stays what it is: nobody finds it. */
    brant_db_free(s.db);
}

/* ---- reading --------------------------------------------------------------------------------------------------------- */

static int count_items(brant_db *db, const char *filter) {
    char *answer = ask(db, "api_keys.list", "{'filter':%s}", filter);
    int count = 0;
    for (const char *at = answer; (at = strstr(at, "\"kid\":")); at++)
        count++;
    brant_free(answer);
    return count;
}

static void test_read(void **state) {
    scene s = set_scene(*state);
    char filter[WORD + 64];
    char *made = create(&s, s.ann.text, "['nodes:read']");
    const word id = take(made, "id");
    char *got = ask(s.db, "api_keys.get", "{'id':'%s'}", id.text);
    assert_string_equal(member_of(got, "owner_id").text, s.ann.text);
    assert_null(strstr(got, "hash"));
    brant_free(got);
    refused(s.db, "api_keys.get", BRANT_NOT_FOUND, "no API key",
            "{'id':'00000000-0000-4000-8000-000000000000'}");
    brant_free(create(&s, s.eve.text, "['nodes:read']"));
    tell(s.db, "api_keys.create",
         "{'owner_id':'%s','name':'k','type':'x','scopes':['a:b'],'expires_at':%lld}", s.eve.text,
         (long long)fake_now + 5);
    tell(s.db, "api_keys.revoke", "{'id':'%s'}", id.text);
    assert_int_equal(count_items(s.db, "{}"), 3);
    assert_int_equal(count_items(s.db, "{'active':true}"), 2);
    assert_int_equal(count_items(s.db, "{'active':false}"), 1);
    assert_int_equal(count_items(s.db, "{'org_id':null}"), 1);
    assert_int_equal(count_items(s.db, "{'type':'key'}"), 2);
    assert_int_equal(count_items(s.db, "{'scheme':'legacy-sha256'}"), 0);
    snprintf(filter, sizeof filter, "{'owner_id':'%s','active':true}", s.eve.text);
    assert_int_equal(count_items(s.db, filter), 2);
    fake_now += 5;
    assert_int_equal(count_items(s.db, filter), 1);
    refused(s.db, "api_keys.list", BRANT_INVALID, "kid", "{'filter':{'kid':'x'}}");
    refused(s.db, "api_keys.list", BRANT_INVALID, NULL, "{'filter':{'hash':'x'}}");
    brant_db_free(s.db);
}

/* ---- that it was used -------------------------------------------------------------------------------------------------- */

static int64_t used(brant_db *db) {
    return number(db, "SELECT count(*) FROM notifications WHERE channel = 'auth:key_verified'");
}

static void test_use_is_noted_once_a_minute(void **state) {
    scene s = set_scene(*state);
    char *made = create(&s, s.ann.text, "['nodes:read']");
    const word token = member_of(made, "token"), id = take(made, "id");
    const int64_t begun = fake_now;
    char wanted[32];
    must_be_valid(s.db, token.text);
    assert_int_equal(used(s.db), 1);
    fake_now += 59999;
    must_be_valid(s.db, token.text);
    assert_int_equal(used(s.db), 1);
    char *got = ask(s.db, "api_keys.get", "{'id':'%s'}", id.text);
    snprintf(wanted, sizeof wanted, "%lld", (long long)begun);
    assert_string_equal(take(got, "last_used_at").text, wanted);
    fake_now += 1;
    must_be_valid(s.db, token.text);
    assert_int_equal(used(s.db), 2);
    /* A clock that was set back. */
    fake_now -= 86400000;
    must_be_valid(s.db, token.text);
    assert_int_equal(used(s.db), 3);
    must_be_invalid(s.db, "brant_key_nonsense");
    assert_int_equal(used(s.db), 3);

    /* Another writes, or the file cannot be written: it is left out, and nobody waits. */
    fake_now += 60000;
    brant_db *other = open_with_clock(s.path);
    must(other, "transaction.begin", "{}", NULL);
    must(other, "events.notify", "{\"channel\":\"x\"}", NULL);
    brant_db *patient = must_open(s.path, "{\"busy_timeout\":600000}");
    must_load(patient, IDENTITY_RING);
    const int64_t before = monotonic_ms();
    must_be_valid(patient, token.text);
    assert_in_range(monotonic_ms() - before, 0, 300000);
    brant_db_free(patient);
    must(other, "transaction.rollback", "{}", NULL);
    assert_int_equal(used(s.db), 3);
    brant_db_free(other);
    brant_db *reader = must_open(s.path, "{\"mode\":\"ro\"}");
    must_load(reader, IDENTITY_RING);
    must_be_valid(reader, token.text);
    brant_db_free(reader);
    assert_int_equal(used(s.db), 3);

    /* In a transaction of the caller's it goes with that. */
    must(s.db, "transaction.begin", "{\"mode\":\"read\"}", NULL);
    must_be_valid(s.db, token.text);
    must(s.db, "transaction.rollback", "{}", NULL);
    assert_int_equal(used(s.db), 3);
    must(s.db, "transaction.begin", "{}", NULL);
    must_be_valid(s.db, token.text);
    must(s.db, "transaction.rollback", "{}", NULL);
    assert_int_equal(used(s.db), 3);
    must(s.db, "transaction.begin", "{}", NULL);
    must_be_valid(s.db, token.text);
    must(s.db, "transaction.commit", "{}", NULL);
    assert_int_equal(used(s.db), 4);
    brant_db_free(s.db);
}

/* ---- nowhere ------------------------------------------------------------------------------------------------------------- */

/* Everything that a token passes through; then its raw text, and its secret alone, is looked for in file and log. */
static void test_no_token_is_left(void **state) {
    scene s = set_scene(*state);
    char *made = create(&s, s.ann.text, "['nodes:read']");
    const word token = member_of(made, "token"), kid = member_of(made, "kid"),
               id = take(made, "id");
    must_be_valid(s.db, token.text);
    brant_free(ask(s.db, "auth.authenticate", "{'token':'%s'}", token.text));
    const word second = take(
        ask(s.db, "api_keys.rotate", "{'id':'%s','actor':{'reason':'lost'}}", id.text), "token");
    char wrong[WORD];
    strcpy(wrong, second.text);
    wrong[30] = wrong[30] == 'a' ? 'b' : 'a';
    const char *const bad[] = {"{'token':'%s','more':1}", "{'token':['%s']}", "{'token':'%s'",
                               "{'id':'%s'}", "{'actor':{'id':'%s'},'token':7}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        for (int operation = 0; operation < 3; operation++) {
            static const char *const names[] = {"api_keys.verify", "auth.authenticate",
                                                "invitations.accept"};
            char *answer = NULL;
            size_t length = 0;
            snprintf(input_text, sizeof input_text, bad[i], second.text);
            for (char *at = input_text; *at; at++)
                if (*at == '\'') *at = '"';
            const brant_status status =
                brant_call(&answer, &length, s.db, TEXT(names[operation]), TEXT(input_text));
            assert_int_not_equal(status, BRANT_OK);
            assert_null(strstr(brant_last_error()->message, second.text));
            assert_null(strstr(brant_last_error()->detail, second.text));
        }
    must_be_invalid(s.db, wrong);
    assert_null(strstr(brant_last_error()->message, "brant_"));
    tell(s.db, "api_keys.revoke", "{'id':'%s'}", id.text);
    const char *const secrets[] = {token.text, second.text, wrong, strrchr(token.text, '_'),
                                   strrchr(second.text, '_')};
    assert_true(database_holds(s.path, kid.text));
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
        assert_false(database_holds(s.path, secrets[i]));
    must(s.db, "db.maintain", "{}", NULL);
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
        assert_false(database_holds(s.path, secrets[i]));
    /* Nor in what is read of it. */
    static const char *const reads[][2] = {
        {"api_keys.list", "{}"},
        {"sql.execute", "{\"sql\":\"SELECT * FROM notifications\"}"},
        {"sql.execute", "{\"sql\":\"SELECT * FROM brant_audit_logs\"}"}};
    for (size_t i = 0; i < sizeof reads / sizeof *reads; i++) {
        char *answer = must_call(s.db, reads[i][0], reads[i][1], NULL);
        for (size_t j = 0; j < sizeof secrets / sizeof *secrets; j++)
            assert_null(strstr(answer, secrets[j]));
        brant_free(answer);
    }
    brant_db_free(s.db);
}

static void test_audited(void **state) {
    scene s = set_scene(*state);
    const int64_t before = number(s.db, "SELECT count(*) FROM brant_audit_logs");
    const word id = take(create(&s, s.ann.text, "['nodes:read']"), "id");
    tell(s.db, "api_keys.rotate", "{'id':'%s','actor':{'type':'account','id':'%s','reason':'r'}}",
         id.text, s.ann.text);
    tell(s.db, "api_keys.revoke", "{'id':'%s'}", id.text);
    tell(s.db, "api_keys.import", "{'owner_id':'%s','name':'o','scopes':['a:b'],'hash':'%s'}",
         s.ann.text, LEGACY_HASH);
    assert_int_equal(number(s.db, "SELECT count(*) FROM brant_audit_logs"), before + 4);
    assert_int_equal(number(s.db, "SELECT count(*) FROM brant_audit_logs WHERE action IN "
                                  "('api_keys.create','api_keys.rotate','api_keys.revoke',"
                                  "'api_keys.import') AND resource LIKE 'api_key:%'"),
                     4);
    must(s.db, "audit.verify", "{}", NULL);
    brant_db_free(s.db);
}

static void test_tenant_has_none(void **state) {
    brant_db *db = must_open(in_folder(*state, "t.db"), "{\"role\":\"tenant\"}");
    must_load(db, IDENTITY_RING);
    must_fail(db, "api_keys.verify", "{\"token\":\"x\"}", BRANT_MISUSE, "tenant");
    must_fail(db, "api_keys.list", "{}", BRANT_MISUSE, "tenant");
    must_fail(db, "auth.authenticate", "{\"token\":\"x\"}", BRANT_MISUSE, "tenant");
    must_fail(db, "invitations.list", "{}", BRANT_MISUSE, "tenant");
    brant_db_free(db);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_clock, tear_down_folder)
    const struct CMUnitTest tests[] = {
        TEST(test_create_and_verify),
        TEST(test_invalid),
        TEST(test_peppers),
        TEST(test_who_may),
        TEST(test_who_may_change),
        TEST(test_owner),
        TEST(test_rotate),
        TEST(test_revoke),
        TEST(test_import),
        TEST(test_read),
        TEST(test_use_is_noted_once_a_minute),
        TEST(test_no_token_is_left),
        TEST(test_audited),
        TEST(test_tenant_has_none),
    };
    return cmocka_run_group_tests_name("api_key", tests, NULL, NULL);
}
