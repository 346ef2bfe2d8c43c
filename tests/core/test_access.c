/*
 * tests/core/test_access.c: who may do what: the rules one by one, depths, memberships, what other modules ask, answers and failures.
 */
#include "test_access.h"

#include "access/access.h"
#include "access/follow.h"
#include "support_plan.h"

#define ORG     "0192d3a4-7c1e-7000-8000-00000000000a"
#define ACCOUNT "0192d3a4-7c1e-7000-8000-0000000000a1"

static brant_db *begin(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");

    must(db, "graphs.create", "{\"name\":\"access\",\"graph_type\":\"access\",\"changes\":true}",
         NULL);
    return db;
}

static void node(brant_db *db, const char *type, const char *key, const char *attributes) {
    holds(db, "nodes.put", "revision",
          "{\"graph\":\"access\",\"key\":\"%s\",\"type\":\"%s\",\"attributes\":%s}", key, type,
          attributes);
}

static void edge(brant_db *db, const char *source, const char *type, const char *target,
                 const char *attributes) {
    holds(db, "edges.put", "revision",
          "{\"graph\":\"access\",\"source\":\"%s\",\"type\":\"%s\",\"target\":\"%s\","
          "\"attributes\":%s}",
          source, type, target, attributes);
}

static void may(brant_db *db, bool wanted, const char *subject, const char *scope,
                const char *resource) {
    holds(db, "access.check",
          wanted ? "{\"allowed\":true,\"revision\":" : "{\"allowed\":false,\"revision\":",
          "{\"subject\":\"%s\",\"scope\":\"%s\",\"resource\":\"%s\"}", subject, scope, resource);
}

/* ---- rules ----------------------------------------------------------------------------------- */

static void test_scopes(void **state) {
    brant_db *db = begin(state);

    node(db, "Principal", "p", "{\"kind\":\"service\"}");
    node(db, "Resource", "r", "{}");
    may(db, false, "p", "nodes:read", "r");
    edge(db, "p", "Grants", "r", "{\"scopes\":[\"nodes:*\",\"edges:read\"]}");
    may(db, true, "p", "nodes:read", "r");
    may(db, true, "p", "nodes:*", "r");
    may(db, false, "p", "nodesx:read", "r");
    may(db, false, "p", "node:read", "r");
    may(db, false, "p", "edges:*", "r");
    may(db, false, "p", "*:read", "r");
    may(db, false, "p", "nodes:read", "*");
    may(db, false, "p", "nodes:read", "another");
    /* A deny that overlaps in part takes what is asked in part. */
    edge(db, "p", "Denies", "r", "{\"scopes\":[\"*:write\"]}");
    may(db, true, "p", "nodes:read", "r");
    may(db, false, "p", "nodes:write", "r");
    may(db, false, "p", "nodes:*", "r");
    edge(db, "p", "Denies", "r", "{\"scopes\":[\"*:write\"],\"expires_at\":1}");
    may(db, true, "p", "nodes:write", "r");
    brant_db_free(db);
}

static void test_everything(void **state) {
    brant_db *db = begin(state);

    node(db, "Group", "g", "{}");
    node(db, "Resource", "*", "{}");
    node(db, "Resource", "r", "{}");
    edge(db, "g", "Grants", "*", "{\"scopes\":[\"a:x\"]}");
    may(db, true, "g", "a:x", "*");
    may(db, true, "g", "a:x", "r");
    may(db, true, "g", "a:x", "unknown");
    must(db, "access.list_objects", "{\"subject\":\"g\",\"scope\":\"a:x\"}",
         "{\"items\":[\"*\",\"r\"],\"cursor\":null,");
    edge(db, "g", "Denies", "r", "{\"scopes\":[\"a:x\"]}");
    must(db, "access.list_objects", "{\"subject\":\"g\",\"scope\":\"a:x\"}",
         "{\"items\":[\"*\"],\"cursor\":null,");
    edge(db, "g", "Denies", "*", "{\"scopes\":[\"b:x\"]}");
    may(db, true, "g", "a:x", "unknown");
    edge(db, "g", "Denies", "*", "{\"scopes\":[\"*:x\"]}");
    may(db, false, "g", "a:x", "unknown");
    brant_db_free(db);
}

static void test_who_counts(void **state) {
    brant_db *db = begin(state);

    node(db, "Principal", "p", "{\"kind\":\"service\"}");
    node(db, "Agent", "a", "{}");
    node(db, "Resource", "r", "{}");
    edge(db, "p", "Grants", "r", "{\"scopes\":[\"a:*\"]}");
    edge(db, "p", "Delegates", "a", "{\"scopes\":[\"a:x\"]}");
    may(db, true, "a", "a:x", "r");
    may(db, false, "a", "a:y", "r");
    may(db, false, "r", "a:x", "r");
    may(db, false, "nobody", "a:x", "r");
    node(db, "Principal", "p", "{\"kind\":\"service\",\"status\":\"suspended\"}");
    may(db, false, "p", "a:x", "r");
    may(db, false, "a", "a:x", "r");
    node(db, "Principal", "p", "{\"kind\":\"service\",\"status\":\"active\"}");
    node(db, "Agent", "a", "{\"status\":\"suspended\"}");
    may(db, true, "p", "a:x", "r");
    may(db, false, "a", "a:x", "r");
    node(db, "Agent", "a", "{}");
    for (size_t i = 0; i < 4; i++) {
        static const char *const terms[] = {"\"expires_at\":1", "\"revoked_at\":99000000000000",
                                            "\"state\":\"pending\"", "\"state\":\"active\""};
        char attributes[100];
        snprintf(attributes, sizeof attributes, "{\"scopes\":[\"a:x\"],%s}", terms[i]);
        edge(db, "p", "Delegates", "a", attributes);
        may(db, i == 3, "a", "a:x", "r");
    }
    edge(db, "a", "Denies", "r", "{\"scopes\":[\"a:*\"]}");
    may(db, false, "a", "a:x", "r");
    may(db, true, "p", "a:x", "r");
    /* An account that no table has is not active. */
    node(db, "Principal", "q", "{\"kind\":\"account\",\"account_id\":\"" ACCOUNT "\"}");
    edge(db, "q", "Grants", "r", "{\"scopes\":[\"a:*\"]}");
    may(db, false, "q", "a:x", "r");
    must(db, "access.explain", "{\"subject\":\"q\",\"scope\":\"a:x\",\"resource\":\"r\"}",
         "\"reason\":\"the account is not active\"");
    brant_db_free(db);
}

/* What one delegation gives does not serve another's scopes or depth. */
static void test_delegations(void **state) {
    brant_db *db = begin(state);

    node(db, "Principal", "p", "{\"kind\":\"service\"}");
    node(db, "Principal", "q", "{\"kind\":\"service\"}");
    node(db, "Resource", "r", "{}");
    for (int i = 0; i < 4; i++) {
        char key[16];
        snprintf(key, sizeof key, "a%d", i);
        node(db, "Agent", key, "{}");
    }
    edge(db, "p", "Grants", "r", "{\"scopes\":[\"a:*\"]}");
    edge(db, "q", "Grants", "r", "{\"scopes\":[\"b:*\"]}");
    edge(db, "p", "Delegates", "a0",
         "{\"scopes\":[\"*:*\"],\"may_redelegate\":true,\"max_depth\":2}");
    edge(db, "q", "Delegates", "a0",
         "{\"scopes\":[\"b:x\"],\"may_redelegate\":true,\"max_depth\":1}");
    edge(db, "a0", "Delegates", "a1",
         "{\"scopes\":[\"*:x\"],\"may_redelegate\":true,\"max_depth\":1}");
    edge(db, "a1", "Delegates", "a2",
         "{\"scopes\":[\"*:*\"],\"may_redelegate\":true,\"max_depth\":9}");
    edge(db, "a2", "Delegates", "a3", "{\"scopes\":[\"*:*\"]}");
    may(db, true, "a0", "a:y", "r");
    may(db, true, "a1", "a:x", "r");
    may(db, false, "a1", "a:y", "r");
    may(db, true, "a1", "b:x", "r");
    may(db, true, "a2", "a:x", "r");
    may(db, false, "a2", "b:x", "r");
    may(db, false, "a3", "a:x", "r");
    must(db, "access.explain", "{\"subject\":\"a2\",\"scope\":\"a:x\",\"resource\":\"r\"}",
         "\"reason\":\"granted by "
         "delegation\",\"path\":[{\"kind\":\"Delegates\",\"source\":\"a1\",\"target\":\"a2\","
         "\"key\":"
         "\"[\\\"a1\\\",\\\"Delegates\\\",\\\"a2\\\"]\",\"scopes\":[\"*:*\"]},{\"kind\":"
         "\"Delegates\",\"source\":\"a0\",\"target\":\"a1\"");
    must(db, "access.explain", "{\"subject\":\"a2\",\"scope\":\"b:x\",\"resource\":\"r\"}",
         "\"tried\":[{\"chain\":[\"a2\",\"a1\",\"a0\",\"p\"],\"why\":\"nothing grants "
         "it\"},{\"chain\":[\"a2\",\"a1\",\"a0\",\"q\"],\"why\":\"it may not be "
         "delegated so far\"}]");
    /* Going round adds nothing. */
    edge(db, "a2", "Delegates", "a0",
         "{\"scopes\":[\"*:*\"],\"may_redelegate\":true,\"max_depth\":9}");
    may(db, false, "a3", "a:x", "r");
    may(db, false, "a2", "b:x", "r");
    /* The one between is denied. */
    edge(db, "a0", "Denies", "r", "{\"scopes\":[\"a:x\"]}");
    may(db, false, "a2", "a:x", "r");
    may(db, true, "p", "a:x", "r");
    brant_db_free(db);
}

/* ---- depth ----------------------------------------------------------------------------------- */

static void chain_of(brant_db *db, const char *type, const char *relation, const char *prefix,
                     int count, const char *attributes) {
    built input;

    built_begin(&input);
    fputs("{\"graph\":\"access\",\"items\":[", input.stream);
    for (int i = 0; i < count; i++)
        fprintf(input.stream, "%s{\"key\":\"%s%d\",\"type\":\"%s\"}", i ? "," : "", prefix, i,
                type);
    fputs("]}", input.stream);
    must(db, "nodes.put_many", built_end(&input), NULL);
    free(input.data);
    for (int i = 0; i + 1 < count; i++) {
        char source[16], target[16];
        snprintf(source, sizeof source, "%s%d", prefix, i);
        snprintf(target, sizeof target, "%s%d", prefix, i + 1);
        edge(db, source, relation, target, attributes);
    }
}

static void too_deep(brant_db *db, const char *subject, const char *resource) {
    fails(db, "access.check", BRANT_LIMIT, "too deep",
          "{\"subject\":\"%s\",\"scope\":\"a:x\",\"resource\":\"%s\"}", subject, resource);
    fails(db, "access.explain", BRANT_LIMIT, "too deep",
          "{\"subject\":\"%s\",\"scope\":\"a:x\",\"resource\":\"%s\"}", subject, resource);
    holds(db, "access.check_many",
          "{\"items\":[{\"error\":{\"code\":\"LIMIT\",\"message\":\"the access graph is too deep",
          "{\"items\":[{\"subject\":\"%s\",\"scope\":\"a:x\",\"resource\":\"%s\"}]}", subject,
          resource);
}

static void test_depth(void **state) {
    brant_db *db = begin(state);

    node(db, "Resource", "r", "{}");
    chain_of(db, "Group", "BelongsTo", "g", 40, "{}");
    edge(db, "g39", "Grants", "r", "{\"scopes\":[\"a:x\"]}");
    may(db, true, "g7", "a:x", "r");
    too_deep(db, "g6", "r");
    edge(db, "g6", "Grants", "r", "{\"scopes\":[\"a:x\"]}");
    too_deep(db, "g6", "r");
    fails(db, "access.list_objects", BRANT_LIMIT, "too deep",
          "{\"subject\":\"g6\",\"scope\":\"a:x\"}");
    fails(db, "access.list_subjects", BRANT_LIMIT, "too deep",
          "{\"resource\":\"r\",\"scope\":\"a:x\"}");
    /* A shorter way makes it shallow; a circle has no depth. */
    edge(db, "g6", "BelongsTo", "g10", "{}");
    may(db, true, "g6", "a:x", "r");
    edge(db, "g39", "BelongsTo", "g6", "{}");
    may(db, true, "g39", "a:x", "r");

    chain_of(db, "Resource", "Parent", "p", 40, "{}");
    node(db, "Group", "h", "{}");
    edge(db, "h", "Grants", "p39", "{\"scopes\":[\"a:x\"]}");
    may(db, true, "h", "a:x", "p7");
    too_deep(db, "h", "p6");
    may(db, false, "nobody", "a:x", "p6");
    fails(db, "access.list_subjects", BRANT_LIMIT, "too deep",
          "{\"resource\":\"p6\",\"scope\":\"a:x\"}");
    fails(db, "access.expand", BRANT_LIMIT, "too deep", "{\"resource\":\"p6\",\"scope\":\"a:x\"}");
    fails(db, "access.list_objects", BRANT_LIMIT, "too deep",
          "{\"subject\":\"h\",\"scope\":\"a:x\"}");
    brant_db_free(db);
}

static void test_length_of_chains(void **state) {
    brant_db *db = begin(state);

    node(db, "Resource", "r", "{}");
    node(db, "Principal", "p", "{\"kind\":\"service\"}");
    edge(db, "p", "Grants", "r", "{\"scopes\":[\"a:x\"]}");
    chain_of(db, "Agent", "Delegates", "a", 20,
             "{\"scopes\":[\"*:*\"],\"may_redelegate\":true,\"max_depth\":99}");
    edge(db, "p", "Delegates", "a0",
         "{\"scopes\":[\"*:*\"],\"may_redelegate\":true,\"max_depth\":99}");
    may(db, true, "a15", "a:x", "r"); /* by 16 delegations */
    too_deep(db, "a16", "r");
    /* Who is found nearer needs no more. */
    edge(db, "p", "Delegates", "a16",
         "{\"scopes\":[\"*:*\"],\"may_redelegate\":true,\"max_depth\":99}");
    may(db, true, "a16", "a:x", "r");
    /* What does not reach so far is no frontier. */
    edge(db, "a0", "Delegates", "a1",
         "{\"scopes\":[\"*:*\"],\"may_redelegate\":true,\"max_depth\":15}");
    edge(db, "p", "Delegates", "a16", "{\"scopes\":[\"*:*\"],\"revoked_at\":1}");
    edge(db, "p", "Delegates", "a0",
         "{\"scopes\":[\"*:*\"],\"may_redelegate\":true,\"max_depth\":15}");
    may(db, false, "a16", "a:x", "r");
    brant_db_free(db);
}

/* ---- memberships ----------------------------------------------------------------------------- */

/* What operations on accounts do with an audit log, which is not what this tests. */
static void execute_inside(brant_db *db, const char *sql) {
    assert_int_equal(brant__enter(db), BRANT_OK);
    assert_int_equal(brant__begin(db, BRANT__WRITE), BRANT_OK);
    if (brant__execute(db, sql) != BRANT_OK) fail_msg("%s", brant_last_error()->message);
    assert_int_equal(brant__commit(db), BRANT_OK);
    brant__leave(db);
}

static void make_derived(brant_db *db) {
    node(db, "Principal", "account:" ACCOUNT,
         "{\"kind\":\"account\",\"account_id\":\"" ACCOUNT "\"}");
    node(db, "Group", "org:" ORG ":viewer", "{}");
    node(db, "Group", "org:" ORG ":member", "{}");
    node(db, "Group", "org:" ORG, "{}");
    node(db, "Resource", "r", "{}");
    node(db, "Resource", "s", "{}");
    edge(db, "account:" ACCOUNT, "BelongsTo", "org:" ORG ":member",
         "{\"derived\":true,\"level\":\"member\"}");
    edge(db, "org:" ORG ":member", "BelongsTo", "org:" ORG ":viewer", "{\"derived\":true}");
    edge(db, "org:" ORG ":viewer", "BelongsTo", "org:" ORG, "{\"derived\":true}");
    edge(db, "org:" ORG ":member", "Grants", "r", "{\"scopes\":[\"a:x\"]}");
    edge(db, "org:" ORG, "Grants", "s", "{\"scopes\":[\"a:x\"]}");
}

static void test_membership_now(void **state) {
    static const struct {
        const char *sql;
        bool member;
    } steps[] = {
        {"INSERT INTO brant_organizations (id, slug, name, owner_id, status, created_at, "
         "updated_at) VALUES ('" ORG "', 'o', 'o', 'x', 'active', 1, 1)",
         false},
        {"INSERT INTO brant_members (id, org_id, account_id, level, status, created_at, "
         "updated_at) VALUES ('m', '" ORG "', '" ACCOUNT "', 'member', 'active', 1, 1)",
         false},
        {"INSERT INTO brant_accounts (id, email, access_level, status, created_at, updated_at) "
         "VALUES ('" ACCOUNT "', 'a@b.c', 'user', 'active', 1, 1)",
         true},
        {"UPDATE brant_members SET level = 'viewer'", false},
        {"UPDATE brant_members SET level = 'owner'", true},
        {"UPDATE brant_members SET status = 'suspended'", false},
        {"UPDATE brant_members SET status = 'active'", true},
        {"UPDATE brant_organizations SET status = 'suspended'", false},
        {"UPDATE brant_organizations SET status = 'active'", true},
        {"UPDATE brant_accounts SET status = 'inactive'", false},
        {"UPDATE brant_accounts SET status = 'active'", true},
        {"DELETE FROM brant_members", false},
    };
    static const char *const principal = "account:" ACCOUNT;
    brant_db *db = begin(state);

    make_derived(db);
    may(db, false, principal, "a:x", "r");
    may(db, true, "org:" ORG ":member", "a:x", "s"); /* of groups it is the graph that says so */
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        execute_inside(db, steps[i].sql);
        may(db, steps[i].member, principal, "a:x", "r");
        may(db, steps[i].member, principal, "a:x", "s");
        holds(db, "access.list_objects", steps[i].member ? "[\"r\",\"s\"]" : "[]",
              "{\"subject\":\"%s\",\"scope\":\"a:x\"}", principal);
        holds(db, "access.list_subjects", steps[i].member ? "account:" : "[",
              "{\"resource\":\"r\",\"scope\":\"a:x\"}");
        holds(db, "access.expand", steps[i].member ? "\"active\":true" : "\"members\":[]",
              "{\"resource\":\"r\",\"scope\":\"a:x\"}");
    }
    /* A derived edge to a group that names no level of an organisation counts for nothing. */
    execute_inside(db, steps[1].sql);
    may(db, true, principal, "a:x", "s");
    node(db, "Group", "team", "{}");
    node(db, "Resource", "t", "{}");
    edge(db, "team", "Grants", "t", "{\"scopes\":[\"a:x\"]}");
    edge(db, principal, "BelongsTo", "team", "{\"derived\":true}");
    may(db, false, principal, "a:x", "t");
    edge(db, principal, "BelongsTo", "team", "{}");
    may(db, true, principal, "a:x", "t");
    brant_db_free(db);
}

/* Nobody to ask. */
static void test_tenant_alone(void **state) {
    brant_db *db = must_open(in_folder(*state, "t.db"), "{\"role\":\"tenant\"}");

    must(db, "graphs.create", "{\"name\":\"access\",\"graph_type\":\"access\"}", NULL);
    make_derived(db);
    may(db, false, "account:" ACCOUNT, "a:x", "r");
    edge(db, "account:" ACCOUNT, "Grants", "r", "{\"scopes\":[\"a:x\"]}");
    may(db, true, "account:" ACCOUNT, "a:x", "r");
    brant_db_free(db);
}

/* ---- what other modules ask ------------------------------------------------------------------ */

static void held(brant_db *db, const char *principal, const char *scopes, const char *denies) {
    brant__arena arena = {0};
    brant__writer out = {0};
    brant__call call = {.db = db, .arena = &arena};
    brant__scopes have, not;

    assert_int_equal(brant__enter(db), BRANT_OK);
    assert_int_equal(brant__begin(db, BRANT__READ), BRANT_OK);
    assert_int_equal(brant__access_held(&have, &not, &call, brant__text_string(principal)),
                     BRANT_OK);
    brant__write_array(&out);
    brant__scopes_write(&out, &have);
    brant__scopes_write(&out, &not);
    brant__write_end(&out);
    brant__buffer_append_byte(&out.buffer, 0);
    char wanted_text[200];
    snprintf(wanted_text, sizeof wanted_text, "[%s,%s]", scopes, denies);
    assert_string_equal(out.buffer.data, wanted_text);
    brant__buffer_free(&out.buffer);
    assert_int_equal(brant__commit(db), BRANT_OK);
    brant__leave(db);
    brant__arena_free(&arena);
}

static void test_held(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");

    held(db, "p", "[]", "[]");
    must(db, "graphs.create", "{\"name\":\"access\",\"graph_type\":\"access\",\"changes\":true}",
         NULL);
    node(db, "Principal", "p", "{\"kind\":\"service\"}");
    held(db, "p", "[]", "[]");
    node(db, "Resource", "*", "{}");
    node(db, "Resource", "r", "{}");
    node(db, "Role", "role", "{}");
    edge(db, "p", "HasRole", "role", "{}");
    edge(db, "p", "Grants", "*", "{\"scopes\":[\"b:x\",\"a:x\"]}");
    edge(db, "role", "Grants", "*", "{\"scopes\":[\"a:*\"]}");
    edge(db, "role", "Grants", "r", "{\"scopes\":[\"c:*\"]}");
    edge(db, "role", "Denies", "*", "{\"scopes\":[\"a:y\"]}");
    held(db, "p", "[\"a:*\",\"b:x\"]", "[\"a:y\"]");
    held(db, "nobody", "[]", "[]");
    node(db, "Principal", "p", "{\"kind\":\"service\",\"status\":\"suspended\"}");
    held(db, "p", "[]", "[\"a:y\"]");
    brant_db_free(db);
}

static void ask_inside(brant_db *db, const char *graph, const char *subject, bool right,
                       bool denied) {
    brant__arena arena = {0};
    brant__call call = {.db = db, .arena = &arena};
    bool is_right, is_denied;

    assert_int_equal(brant__enter(db), BRANT_OK);
    assert_int_equal(brant__begin(db, BRANT__READ), BRANT_OK);
    assert_int_equal(brant__access_right(&is_right, &call, brant__text_string(graph),
                                         brant__text_string(subject), BRANT__TEXT("a:x"),
                                         BRANT__TEXT("r")),
                     BRANT_OK);
    assert_int_equal(brant__access_denied(&is_denied, &call, brant__text_string(graph),
                                          brant__text_string(subject), BRANT__TEXT("a:x"),
                                          BRANT__TEXT("r")),
                     BRANT_OK);
    assert_int_equal(is_right, right);
    assert_int_equal(is_denied, denied);
    assert_int_equal(brant__commit(db), BRANT_OK);
    brant__leave(db);
    brant__arena_free(&arena);
}

static void test_right_and_denied(void **state) {
    brant_db *db = begin(state);

    node(db, "Group", "g", "{}");
    node(db, "Resource", "r", "{}");
    ask_inside(db, "access", "g", false, false);
    edge(db, "g", "Grants", "r", "{\"scopes\":[\"a:*\"]}");
    ask_inside(db, "access", "g", true, false);
    ask_inside(db, "access", "h", false, false);
    ask_inside(db, "none", "g", false, false);
    edge(db, "g", "Denies", "r", "{\"scopes\":[\"*:x\"]}");
    ask_inside(db, "access", "g", false, true);
    brant_db_free(db);
}

/* ---- answers and failures -------------------------------------------------------------------- */

static void test_failures(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    char cursor[600];
    brant__json page;

    fails(db, "access.check", BRANT_NOT_FOUND, "no access graph \"access\"",
          "{\"subject\":\"p\",\"scope\":\"a:x\"}");
    must(db, "graphs.create", "{\"name\":\"open\",\"graph_type\":\"open\"}", NULL);
    fails(db, "access.check", BRANT_NOT_FOUND, "no access graph \"open\"",
          "{\"graph\":\"open\",\"subject\":\"p\",\"scope\":\"a:x\"}");
    must(db, "graphs.create", "{\"name\":\"access\",\"graph_type\":\"access\"}", NULL);
    fails(db, "access.check", BRANT_CONFLICT, "revision 0, not yet at 1",
          "{\"subject\":\"p\",\"scope\":\"a:x\",\"at_least\":1}");
    for (const char *const *scope = (const char *const[]){"", "a", "a:", ":a", "a:b:c", "A:x",
                                                          "a:x ", "a*:x", "**:x", NULL};
         *scope; scope++) {
        fails(db, "access.check", BRANT_INVALID, "/scope", "{\"subject\":\"p\",\"scope\":\"%s\"}",
              *scope);
        fails(db, "access.explain", BRANT_INVALID, "/scope", "{\"subject\":\"p\",\"scope\":\"%s\"}",
              *scope);
        fails(db, "access.list_objects", BRANT_INVALID, "/scope",
              "{\"subject\":\"p\",\"scope\":\"%s\"}", *scope);
        fails(db, "access.list_subjects", BRANT_INVALID, "/scope", "{\"scope\":\"%s\"}", *scope);
        fails(db, "access.expand", BRANT_INVALID, "/scope", "{\"scope\":\"%s\"}", *scope);
        holds(db, "access.check_many", "\"code\":\"INVALID\"",
              "{\"items\":[{\"subject\":\"p\",\"scope\":\"%s\"},{\"subject\":\"p\",\"scope\":\"a:"
              "x\"}]}",
              *scope);
    }
    fails(db, "access.check", BRANT_INVALID, NULL, "{\"subject\":\"\",\"scope\":\"a:x\"}");
    fails(db, "access.check", BRANT_INVALID, NULL, "{\"subject\":\"p\"}");
    fails(db, "access.list_subjects", BRANT_INVALID, NULL,
          "{\"scope\":\"a:x\",\"kind\":\"Resource\"}");
    fails(db, "access.list_subjects", BRANT_INVALID, NULL, "{\"scope\":\"a:x\",\"limit\":0}");
    fails(db, "access.list_subjects", BRANT_INVALID, "cursor",
          "{\"scope\":\"a:x\",\"cursor\":\"AAAA\"}");
    is(db, "access.check_many", "{\"items\":[],\"revision\":0}", "{\"items\":[]}");
    node(db, "Group", "g", "{}");
    node(db, "Group", "h", "{}");
    node(db, "Resource", "graph:r", "{}");
    edge(db, "g", "Grants", "graph:r", "{\"scopes\":[\"a:x\"]}");
    edge(db, "h", "BelongsTo", "g", "{}");
    /* A cursor is of its list. */
    page = parsed(answer(db, "access.list_subjects",
                         "{\"scope\":\"a:x\",\"resource\":\"graph:r\",\"limit\":1}"));
    snprintf(cursor, sizeof cursor, "%s", yyjson_get_str(brant__json_get(page.root, "cursor")));
    brant__json_free(&page);
    holds(db, "access.list_subjects", "{\"items\":[\"h\"],\"cursor\":null",
          "{\"scope\":\"a:x\",\"resource\":\"graph:r\",\"limit\":1,\"cursor\":\"%s\"}", cursor);
    fails(db, "access.list_subjects", BRANT_INVALID, "cursor",
          "{\"scope\":\"a:y\",\"resource\":\"graph:r\",\"limit\":1,\"cursor\":\"%s\"}", cursor);
    fails(db, "access.list_objects", BRANT_INVALID, "cursor",
          "{\"scope\":\"a:x\",\"subject\":\"g\",\"cursor\":\"%s\"}", cursor);
    holds(db, "access.list_objects", "{\"items\":[\"graph:r\"]",
          "{\"scope\":\"a:x\",\"subject\":\"g\",\"kind\":\"graph\"}");
    holds(db, "access.list_objects", "{\"items\":[]",
          "{\"scope\":\"a:x\",\"subject\":\"g\",\"kind\":\"grap\"}");
    holds(db, "access.check", "\"revision\":5",
          "{\"scope\":\"a:x\",\"subject\":\"g\",\"at_least\":5}");
    brant_db_free(db);
}

static void test_expand(void **state) {
    brant_db *db = begin(state);

    node(db, "Role", "role", "{}");
    node(db, "Group", "g", "{}");
    node(db, "Group", "h", "{}");
    node(db, "Principal", "p", "{\"kind\":\"service\",\"status\":\"suspended\"}");
    node(db, "Resource", "r", "{}");
    edge(db, "role", "Grants", "r", "{\"scopes\":[\"a:*\"]}");
    edge(db, "g", "HasRole", "role", "{}");
    edge(db, "h", "HasRole", "role", "{}");
    edge(db, "h", "BelongsTo", "g", "{}");
    edge(db, "g", "BelongsTo", "h", "{}");
    edge(db, "p", "BelongsTo", "h", "{}");
    edge(db, "h", "Denies", "r", "{\"scopes\":[\"*:y\"]}");
    is(db, "access.expand",
       "{\"resource\":\"r\",\"scope\":\"a:x\",\"grants\":[{\"edge\":{\"kind\":\"Grants\","
       "\"source\":\"role\",\"target\":\"r\",\"key\":\"[\\\"role\\\",\\\"Grants\\\",\\\"r\\\"]\","
       "\"scopes\":[\"a:*\"]},\"from\":{\"key\":\"role\",\"type\":\"Role\",\"members\":[{\"key\":"
       "\"g\",\"type\":\"Group\",\"members\":[{\"key\":\"h\",\"type\":\"Group\","
       "\"members\":[{\"key\":\"g\",\"type\":\"Group\",\"again\":true},{\"key\":\"p\",\"type\":"
       "\"Principal\",\"active\":false}]}]},{\"key\":\"h\",\"type\":\"Group\",\"again\":true}]}}],"
       "\"denies\":[],\"truncated\":false,\"revision\":12}",
       "{\"resource\":\"r\",\"scope\":\"a:x\"}");
    holds(db, "access.expand", "\"denies\":[{\"edge\":{\"kind\":\"Denies\",\"source\":\"h\"",
          "{\"resource\":\"r\",\"scope\":\"a:y\"}");
    holds(db, "access.expand", "\"truncated\":true",
          "{\"resource\":\"r\",\"scope\":\"a:x\",\"limit\":2}");
    chain_of(db, "Group", "BelongsTo", "n", 60, "{}");
    edge(db, "n59", "Grants", "r", "{\"scopes\":[\"a:*\"]}");
    holds(db, "access.expand", "\"truncated\":true", "{\"resource\":\"r\",\"scope\":\"a:x\"}");
    brant_db_free(db);
}

static void test_plans(void **state) {
    brant_db *db = begin(state);
    brant_db_free(db);
    must_plan_well(in_folder(*state, "a.db"), brant__access_follow_statements.sql,
                   brant__access_follow_statements.count);
    must_plan_well(in_folder(*state, "a.db"), brant__access_row_statements.sql,
                   brant__access_row_statements.count);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(test_scopes),         GRAPH_TEST(test_everything),
        GRAPH_TEST(test_who_counts),     GRAPH_TEST(test_delegations),
        GRAPH_TEST(test_depth),          GRAPH_TEST(test_length_of_chains),
        GRAPH_TEST(test_membership_now), GRAPH_TEST(test_tenant_alone),
        GRAPH_TEST(test_held),           GRAPH_TEST(test_right_and_denied),
        GRAPH_TEST(test_failures),       GRAPH_TEST(test_expand),
        GRAPH_TEST(test_plans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
