/*
 * tests/core/test_access_write.c: writing the access graph: nodes, grants, denials, roles, groups, delegations, definitions; every status that is documented, and who may give what.
 */
#include "fake_clock.h"

#include "access/write.h"
#include "support_plan.h"
#include "test_identity.h"

#define NEVER "4000000000000"
#define DAY   INT64_C(86400000)

static brant_db *must_open_access(void **state) {
    brant_db *db = open_with_clock(in_folder(*state, "access.db"));
    must_load(db, AUDIT_1);
    return db;
}

static void put(brant_db *db, const char *type, const char *key) {
    char json[512];
    snprintf(json, sizeof json, "{\"type\":\"%s\",\"key\":\"%s\"%s}", type, key,
             strcmp(type, "Principal") == 0 ? ",\"attributes\":{\"kind\":\"service\"}" : "");
    must(db, "access.put", json, key);
}

/* Is it so, by access.check? */
static void must_hold(brant_db *db, bool wanted, const char *subject, const char *scope,
                      const char *resource) {
    char json[512];
    snprintf(json, sizeof json, "{\"subject\":\"%s\",\"scope\":\"%s\",\"resource\":\"%s\"}",
             subject, scope, resource);
    must(db, "access.check", json, wanted ? "\"allowed\":true" : "\"allowed\":false");
}

/* What access.* answers of an edge, and graph and audit log besides. */
static int64_t audited(brant_db *db, const char *action) {
    char sql[256];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM brant_audit_logs WHERE action = '%s'", action);
    return number(db, sql);
}

/* ---- nodes ---------------------------------------------------------------------------------------------- */

static void test_put(void **state) {
    brant_db *db = must_open_access(state);
    must(db, "access.put",
         "{\"type\":\"Principal\",\"key\":\"account:7\",\"attributes\":{\"kind\":\"account\"}}",
         "\"account_id\":\"7\"");
    must(db, "graphs.get", "{\"name\":\"access\"}", "\"graph_type\":\"access\"");
    must(db, "graphs.get", "{\"name\":\"access\"}", "\"changes\":true");
    must(db, "access.put", "{\"type\":\"Agent\",\"key\":\"bot\",\"attributes\":{\"name\":\"B\"}}",
         "\"revision\":1");
    must(db, "access.put",
         "{\"type\":\"Agent\",\"key\":\"bot\",\"attributes\":{\"status\":\"suspended\"}}",
         "\"attributes\":{\"status\":\"suspended\"}");
    must(db, "access.put", "{\"type\":\"Group\",\"key\":\"g\",\"graph\":\"other\"}", "\"g\"");
    must(db, "graphs.get", "{\"name\":\"other\"}", "\"graph_type\":\"access\"");
    assert_int_equal(audited(db, "access.put"), 4);
    /* No names in what is kept for ever. */
    assert_int_equal(number(db, "SELECT count(*) FROM brant_audit_logs WHERE detail LIKE '%name%'"),
                     0);

    must_fail(db, "access.put", "{\"type\":\"Agent\",\"key\":\"account:7\"}", BRANT_CONSTRAINT,
              "is of type");
    must_fail(db, "access.put", "{\"type\":\"Agent\",\"key\":\"b\",\"attributes\":{\"x\":1}}",
              BRANT_VALIDATION, "do not satisfy");
    must_fail(db, "access.put", "{\"type\":\"Thing\",\"key\":\"b\"}", BRANT_INVALID, "/type");
    must_fail(
        db, "access.put",
        "{\"type\":\"Principal\",\"key\":\"p\",\"attributes\":{\"kind\":\"account\",\"account_"
        "id\":\"7\"}}",
        BRANT_INVALID, "account:<account_id>");
    must_fail(db, "access.put",
              "{\"type\":\"Principal\",\"key\":\"account:8\",\"attributes\":{\"kind\":\"account\","
              "\"account_id\":\"7\"}}",
              BRANT_INVALID, "account:<account_id>");
    must_fail(db, "access.put", "{\"type\":\"Group\",\"key\":\"org:1:owner\"}", BRANT_DENIED,
              "made of members");
    must_fail(db, "access.put",
              "{\"type\":\"Group\",\"key\":\"h\",\"attributes\":{\"org_id\":\"1\"}}", BRANT_DENIED,
              "/attributes/org_id");
    must_fail(db, "access.put",
              "{\"type\":\"Role\",\"key\":\"h\",\"attributes\":{\"seeded\":true}}", BRANT_DENIED,
              "/attributes/seeded");
    must_fail(db, "access.put",
              "{\"type\":\"Agent\",\"key\":\"h\",\"attributes\":{\"foreign\":{\"org_id\":\"1\","
              "\"key\":\"k\"}}}",
              BRANT_DENIED, "/attributes/foreign");
    must(db, "graphs.create", "{\"name\":\"task\",\"graph_type\":\"task\"}", "task");
    must_fail(db, "access.put", "{\"type\":\"Agent\",\"key\":\"h\",\"graph\":\"task\"}",
              BRANT_INVALID, "of graph type \"task\", not access");
    assert_int_equal(audited(db, "access.put"), 4);
    must_be_well(db);
    brant_db_free(db);
}

static void test_no_ring(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    must_fail(db, "access.put", "{\"type\":\"Agent\",\"key\":\"a\"}", BRANT_NOT_FOUND, NULL);
    must(db, "graphs.list", "{}", "\"items\":[]"); /* nothing of it is left */
    brant_db_free(db);
}

static void test_remove(void **state) {
    brant_db *db = must_open_access(state);
    brant_cursor *cursor;
    char *items = NULL;
    size_t length;
    put(db, "Principal", "p");
    put(db, "Role", "r");
    must(db, "access.grant", "{\"subject\":\"r\",\"scopes\":[\"nodes:read\"]}", NULL);
    must(db, "access.assign", "{\"subject\":\"p\",\"role\":\"r\"}", NULL);
    must_hold(db, true, "p", "nodes:read", "graph:x");
    must(db, "access.remove", "{\"key\":\"r\"}", "{\"removed\":true,\"edges\":2,\"revision\":");
    must_hold(db, false, "p", "nodes:read", "graph:x");
    must_fail(db, "access.remove", "{\"key\":\"r\"}", BRANT_NOT_FOUND, "no node \"r\"");

    must(db, "access.grant", "{\"subject\":\"p\",\"scopes\":[\"nodes:read\"]}", NULL);
    must(db, "access.delegate", "{\"from\":\"p\",\"to\":\"bot\",\"scopes\":[\"nodes:read\"]}",
         NULL);
    cursor = must_listen_to(db, "acl:*");
    must(db, "access.remove", "{\"key\":\"bot\"}", "\"edges\":1");
    assert_int_equal(brant_cursor_next(&items, &length, cursor, 0), BRANT_OK);
    assert_non_null(strstr(items, "{\"principal_id\":\"p\",\"agent_id\":\"bot\"}"));
    brant_free(items);
    brant_cursor_free(cursor);
    must_be_well(db);
    brant_db_free(db);
}

static void test_parent(void **state) {
    brant_db *db = must_open_access(state);
    put(db, "Principal", "p");
    must(db, "access.grant",
         "{\"subject\":\"p\",\"scopes\":[\"nodes:read\"],\"resource\":\"folder:a\"}", NULL);
    must(db, "nodes.get", "{\"graph\":\"access\",\"key\":\"folder:a\"}", "{\"kind\":\"folder\"}");
    must_hold(db, false, "p", "nodes:read", "doc:1");
    must(db, "access.set_parent", "{\"resource\":\"doc:1\",\"parent\":\"folder:a\"}",
         "\"changed\":true");
    must_hold(db, true, "p", "nodes:read", "doc:1");
    must(db, "access.set_parent", "{\"resource\":\"doc:1\",\"parent\":\"folder:a\"}",
         "\"changed\":false");
    must(db, "access.set_parent", "{\"resource\":\"folder:a\",\"parent\":\"folder:b\"}",
         "\"changed\":true");
    must_fail(db, "access.set_parent", "{\"resource\":\"folder:b\",\"parent\":\"doc:1\"}",
              BRANT_CONSTRAINT, "part of itself");
    must_fail(db, "access.set_parent", "{\"resource\":\"folder:b\",\"parent\":\"folder:b\"}",
              BRANT_CONSTRAINT, "part of itself");
    must_fail(db, "access.set_parent", "{\"resource\":\"*\",\"parent\":\"folder:b\"}",
              BRANT_CONSTRAINT, "part of nothing");
    must_fail(db, "access.set_parent", "{\"resource\":\"p\",\"parent\":\"folder:b\"}",
              BRANT_CONSTRAINT, "do not go from a");
    must(db, "access.set_parent", "{\"resource\":\"doc:1\",\"parent\":\"folder:b\"}",
         "\"changed\":true");
    must_hold(db, false, "p", "nodes:read", "doc:1");
    must(db, "access.set_parent", "{\"resource\":\"doc:1\",\"parent\":null}", "\"changed\":true");
    must(db, "access.set_parent", "{\"resource\":\"doc:1\",\"parent\":null}", "\"changed\":false");
    must_be_well(db);
    brant_db_free(db);
}

/* ---- grants ----------------------------------------------------------------------------------------------- */

static void test_grant(void **state) {
    brant_db *db = must_open_access(state);
    char json[512];
    put(db, "Principal", "p");
    put(db, "Agent", "bot");
    char *answer = must_call(
        db, "access.grant",
        "{\"subject\":\"p\",\"scopes\":[\"nodes:read\",\"nodes:*\"],\"resource\":\"graph:x\"}",
        "\"scopes\":[\"nodes:*\"]");
    assert_non_null(
        strstr(answer, "{\"edge\":{\"key\":\"[\\\"p\\\",\\\"Grants\\\",\\\"graph:x\\\"]\""));
    brant_free(answer);
    must(db, "access.grant",
         "{\"subject\":\"p\",\"scopes\":[\"edges:read\"],\"resource\":\"graph:x\"}",
         "\"scopes\":[\"edges:read\",\"nodes:*\"]");
    must_hold(db, true, "p", "nodes:write", "graph:x");
    must_hold(db, true, "p", "edges:read", "graph:x");
    must_hold(db, false, "p", "edges:read", "graph:y");
    must_hold(db, false, "p", "edges:write", "graph:x");

    /* What ends. */
    snprintf(json, sizeof json,
             "{\"subject\":\"p\",\"scopes\":[\"jobs:write\"],\"expires_at\":%lld}",
             (long long)(FAKE_BEGIN + 1000));
    must(db, "access.grant", json, "\"expires_at\":1700000001000");
    must_hold(db, true, "p", "jobs:write", "*");
    must_fail(db, "access.grant", "{\"subject\":\"p\",\"scopes\":[\"jobs:read\"]}", BRANT_CONFLICT,
              "ends at another time");
    must(db, "access.grant",
         "{\"subject\":\"p\",\"scopes\":[\"jobs:*\"],\"expires_at\":1700000002000}",
         "{\"scopes\":[\"jobs:*\"],\"expires_at\":1700000002000}");
    fake_now = FAKE_BEGIN + 2000;
    must_hold(db, false, "p", "jobs:write", "*");
    must(db, "access.grant", "{\"subject\":\"p\",\"scopes\":[\"jobs:read\"]}",
         "\"attributes\":{\"scopes\":[\"jobs:read\"]}");
    must_hold(db, false, "p", "jobs:write", "*");

    /* Denials win. */
    must(db, "access.deny", "{\"subject\":\"p\",\"scopes\":[\"*:write\"],\"resource\":\"graph:x\"}",
         "Denies");
    must_hold(db, false, "p", "nodes:write", "graph:x");
    must_hold(db, true, "p", "nodes:read", "graph:x");
    must(db, "access.deny", "{\"subject\":\"bot\",\"scopes\":[\"nodes:read\"]}", "Denies");

    must_fail(db, "access.grant", "{\"subject\":\"q\",\"scopes\":[\"nodes:read\"]}",
              BRANT_NOT_FOUND, "no node \"q\"");
    must_fail(db, "access.grant", "{\"subject\":\"bot\",\"scopes\":[\"nodes:read\"]}",
              BRANT_CONSTRAINT, "do not go from a \"Agent\"");
    must_fail(db, "access.grant",
              "{\"subject\":\"p\",\"scopes\":[\"nodes:read\"],\"resource\":\"bot\"}",
              BRANT_CONSTRAINT, "to a \"Agent\"");
    must_fail(db, "access.grant", "{\"subject\":\"p\",\"scopes\":[\"nodes\"]}", BRANT_INVALID,
              "/scopes/0");
    must_fail(db, "access.grant", "{\"subject\":\"p\",\"scopes\":[]}", BRANT_INVALID, "/scopes");
    must_fail(db, "access.grant",
              "{\"subject\":\"p\",\"scopes\":[\"nodes:read\"],\"expires_at\":1}", BRANT_INVALID,
              "/expires_at has passed");
    /* The edge says more than the log of a grant would: 1001 scopes. */
    for (int i = 0; i < 4; i++) {
        char many[256 * 24 + 256];
        size_t at = (size_t)snprintf(many, sizeof many,
                                     "{\"subject\":\"p\",\"resource\":\"m:1\","
                                     "\"scopes\":[");
        for (int j = 0; j < 250; j++)
            at += (size_t)snprintf(many + at, sizeof many - at, "%s\"n%d:a\"", j ? "," : "",
                                   i * 250 + j);
        snprintf(many + at, sizeof many - at, "]}");
        must(db, "access.grant", many, NULL);
    }
    must_fail(db, "access.grant",
              "{\"subject\":\"p\",\"resource\":\"m:1\",\"scopes\":[\"one:more\"]}",
              BRANT_VALIDATION, NULL);
    must_be_well(db);
    must(db, "audit.verify", "{}", "\"ok\":true");
    brant_db_free(db);
}

static void test_assign(void **state) {
    brant_db *db = must_open_access(state);
    put(db, "Principal", "p");
    put(db, "Group", "staff");
    put(db, "Group", "all");
    put(db, "Role", "reader");
    must(db, "access.grant", "{\"subject\":\"reader\",\"scopes\":[\"*:read\"]}", NULL);
    must(db, "access.assign",
         "{\"subject\":\"all\",\"role\":\"reader\",\"expires_at\":1700000001000}", "HasRole");
    must(db, "access.assign", "{\"subject\":\"staff\",\"group\":\"all\"}", "BelongsTo");
    must_hold(db, false, "p", "nodes:read", "*");
    must(db, "access.assign", "{\"subject\":\"p\",\"group\":\"staff\"}", "BelongsTo");
    must_hold(db, true, "p", "nodes:read", "*");
    fake_now = FAKE_BEGIN + 1000;
    must_hold(db, false, "p", "nodes:read", "*");
    must(db, "access.assign", "{\"subject\":\"all\",\"role\":\"reader\"}", "\"attributes\":{}");
    must_hold(db, true, "p", "nodes:read", "*");

    must_fail(db, "access.assign", "{\"subject\":\"p\"}", BRANT_INVALID, "one of role and group");
    must_fail(db, "access.assign", "{\"subject\":\"p\",\"role\":\"reader\",\"group\":\"all\"}",
              BRANT_INVALID, "one of role and group");
    must_fail(db, "access.assign", "{\"subject\":\"p\",\"group\":\"all\",\"expires_at\":" NEVER "}",
              BRANT_INVALID, "/expires_at");
    must_fail(db, "access.assign", "{\"subject\":\"q\",\"role\":\"reader\"}", BRANT_NOT_FOUND,
              "\"q\"");
    must_fail(db, "access.assign", "{\"subject\":\"p\",\"role\":\"x\"}", BRANT_NOT_FOUND, "\"x\"");
    must_fail(db, "access.assign", "{\"subject\":\"p\",\"role\":\"all\"}", BRANT_CONSTRAINT, NULL);
    must_fail(db, "access.assign", "{\"subject\":\"reader\",\"group\":\"all\"}", BRANT_CONSTRAINT,
              NULL);
    must_be_well(db);
    brant_db_free(db);
}

static void test_revoke(void **state) {
    brant_db *db = must_open_access(state);
    put(db, "Principal", "p");
    put(db, "Role", "r");
    put(db, "Group", "g");
    must(db, "access.grant", "{\"subject\":\"p\",\"scopes\":[\"nodes:*\",\"edges:read\"]}", NULL);
    must(db, "access.assign", "{\"subject\":\"p\",\"role\":\"r\"}", NULL);
    must(db, "access.assign", "{\"subject\":\"p\",\"group\":\"g\"}", NULL);
    must(db, "access.deny", "{\"subject\":\"p\",\"scopes\":[\"edges:*\"]}", NULL);

    must_fail(db, "access.revoke",
              "{\"kind\":\"grant\",\"subject\":\"p\",\"scopes\":[\"nodes:read\"]}",
              BRANT_CONSTRAINT, "\"nodes:read\" cannot be taken out of \"nodes:*\"");
    must(db, "access.revoke", "{\"kind\":\"deny\",\"subject\":\"p\"}", "\"revoked\":1");
    must_hold(db, true, "p", "edges:read", "*");
    must(db, "access.revoke", "{\"kind\":\"grant\",\"subject\":\"p\",\"scopes\":[\"edges:*\"]}",
         "\"revoked\":1");
    must_hold(db, false, "p", "edges:read", "*");
    must_hold(db, true, "p", "nodes:read", "*");
    must(db, "access.revoke", "{\"kind\":\"grant\",\"subject\":\"p\",\"scopes\":[\"edges:*\"]}",
         "\"revoked\":0");
    must(db, "access.revoke",
         "{\"kind\":\"grant\",\"subject\":\"p\",\"scopes\":[\"nodes:*\",\"jobs:read\"]}",
         "\"revoked\":1");
    must_hold(db, false, "p", "nodes:read", "*");
    must(db, "access.revoke", "{\"kind\":\"grant\",\"subject\":\"p\"}", "\"revoked\":0");
    must(db, "access.revoke", "{\"kind\":\"role\",\"subject\":\"p\",\"target\":\"r\"}",
         "\"revoked\":1");
    must(db, "access.revoke", "{\"kind\":\"role\",\"subject\":\"p\",\"target\":\"r\"}",
         "\"revoked\":0");
    must(db, "access.revoke", "{\"kind\":\"group\",\"subject\":\"p\",\"target\":\"g\"}",
         "\"revoked\":1");
    must(db, "access.revoke", "{\"kind\":\"group\",\"subject\":\"p\",\"target\":\"nothing\"}",
         "\"revoked\":0");
    must(db, "edges.count", "{\"graph\":\"access\"}", "{\"count\":0}");
    assert_int_equal(audited(db, "access.revoke"), 9);

    must_fail(db, "access.revoke", "{\"kind\":\"grant\",\"subject\":\"q\"}", BRANT_NOT_FOUND,
              "\"q\"");
    must_fail(db, "access.revoke", "{\"kind\":\"role\",\"subject\":\"p\"}", BRANT_INVALID,
              "/target is missing");
    must_fail(db, "access.revoke",
              "{\"kind\":\"role\",\"subject\":\"p\",\"target\":\"r\",\"scopes\":[\"a:b\"]}",
              BRANT_INVALID, "as a whole");
    must_be_well(db);
    brant_db_free(db);
}

/* ---- delegations --------------------------------------------------------------------------------------------- */

static void test_delegate(void **state) {
    brant_db *db = must_open_access(state);
    put(db, "Principal", "p");
    put(db, "Role", "r");
    must(db, "access.grant",
         "{\"subject\":\"r\",\"scopes\":[\"nodes:*\"],\"resource\":\"graph:x\"}", NULL);
    must_fail(db, "access.delegate", "{\"from\":\"p\",\"to\":\"a\",\"scopes\":[\"nodes:read\"]}",
              BRANT_DENIED, "\"p\" does not hold \"nodes:read\" on anything");
    must(db, "access.assign", "{\"subject\":\"p\",\"role\":\"r\"}", NULL);
    must_fail(db, "access.delegate", "{\"from\":\"p\",\"to\":\"a\",\"scopes\":[\"*:read\"]}",
              BRANT_DENIED, "\"*:read\"");
    must(db, "access.delegate",
         "{\"from\":\"p\",\"to\":\"a\",\"scopes\":[\"nodes:*\"],\"max_depth\":2,\"may_redelegate\":"
         "true,\"expires_at\":1700000009000}",
         "Delegates");
    must_hold(db, true, "a", "nodes:write", "graph:x");
    must_hold(db, false, "a", "nodes:write", "graph:y");

    must(db, "access.delegate",
         "{\"from\":\"p\",\"to\":\"x\",\"scopes\":[\"nodes:*\"],\"max_depth\":2}", NULL);
    must_fail(db, "access.delegate", "{\"from\":\"x\",\"to\":\"b\",\"scopes\":[\"nodes:read\"]}",
              BRANT_DENIED, "so far"); /* it may not be passed on */

    /* An agent passes on less: scopes, depth and time. */
    must_fail(
        db, "access.delegate",
        "{\"from\":\"a\",\"to\":\"b\",\"scopes\":[\"edges:read\"],\"expires_at\":1700000009000}",
        BRANT_DENIED, "no delegation of \"edges:read\"");
    must_fail(db, "access.delegate", "{\"from\":\"a\",\"to\":\"b\",\"scopes\":[\"nodes:read\"]}",
              BRANT_DENIED, "so long");
    must_fail(
        db, "access.delegate",
        "{\"from\":\"a\",\"to\":\"b\",\"scopes\":[\"nodes:read\"],\"expires_at\":1700000009001}",
        BRANT_DENIED, "so long");
    must_fail(
        db, "access.delegate",
        "{\"from\":\"a\",\"to\":\"b\",\"scopes\":[\"nodes:read\"],\"expires_at\":1700000009000,"
        "\"max_depth\":2,\"may_redelegate\":true}",
        BRANT_DENIED, "so far");
    must(db, "access.delegate",
         "{\"from\":\"a\",\"to\":\"b\",\"scopes\":[\"nodes:read\"],\"expires_at\":1700000008000,"
         "\"max_depth\":1,\"may_redelegate\":true}",
         NULL);
    must(db, "access.delegate",
         "{\"from\":\"b\",\"to\":\"c\",\"scopes\":[\"nodes:read\"],\"expires_at\":1700000008000}",
         NULL);
    must_hold(db, true, "c", "nodes:read", "graph:x");
    must_hold(db, false, "b", "nodes:write", "graph:x");
    must_fail(
        db, "access.delegate",
        "{\"from\":\"c\",\"to\":\"d\",\"scopes\":[\"nodes:read\"],\"expires_at\":1700000008000}",
        BRANT_DENIED, "no delegation");

    /* ANN link that ends, ends what is behind it. */
    must(db, "access.revoke", "{\"kind\":\"delegation\",\"subject\":\"a\",\"target\":\"b\"}",
         "\"revoked\":1");
    must(db, "access.revoke", "{\"kind\":\"delegation\",\"subject\":\"a\",\"target\":\"b\"}",
         "\"revoked\":0");
    must(db, "edges.get",
         "{\"graph\":\"access\",\"key\":\"[\\\"a\\\",\\\"Delegates\\\",\\\"b\\\"]\"}",
         "\"revoked_at\":1700000000000");
    must_hold(db, false, "c", "nodes:read", "graph:x");
    must_fail(
        db, "access.delegate",
        "{\"from\":\"b\",\"to\":\"e\",\"scopes\":[\"nodes:read\"],\"expires_at\":1700000008000}",
        BRANT_DENIED, NULL);
    must(db, "access.delegate",
         "{\"from\":\"a\",\"to\":\"b\",\"scopes\":[\"nodes:read\"],\"expires_at\":1700000007000,"
         "\"max_depth\":1,\"may_redelegate\":true}",
         "{\"scopes\":[\"nodes:read\"],\"expires_at\":1700000007000,\"max_depth\":1,\"may_"
         "redelegate\":true}");
    must_hold(db, true, "c", "nodes:read", "graph:x");
    must(db, "access.revoke",
         "{\"kind\":\"delegation\",\"subject\":\"p\",\"target\":\"a\",\"scopes\":[\"nodes:*\"]}",
         "\"revoked\":1");
    must_hold(db, false, "a", "nodes:read", "graph:x");

    must_fail(db, "access.delegate", "{\"from\":\"q\",\"to\":\"a\",\"scopes\":[\"nodes:read\"]}",
              BRANT_NOT_FOUND, "\"q\"");
    must_fail(db, "access.delegate", "{\"from\":\"p\",\"to\":\"r\",\"scopes\":[\"nodes:read\"]}",
              BRANT_CONSTRAINT, NULL);
    must_fail(db, "access.delegate", "{\"from\":\"a\",\"to\":\"a\",\"scopes\":[\"nodes:read\"]}",
              BRANT_DENIED, NULL);
    must_be_well(db);
    brant_db_free(db);
}

static void test_delegation_told(void **state) {
    brant_db *db = must_open_access(state);
    brant_cursor *cursor = must_listen_to(db, "acl:delegation_changed");
    char *items = NULL;
    size_t length;
    put(db, "Principal", "p");
    must(db, "access.grant", "{\"subject\":\"p\",\"scopes\":[\"nodes:*\"]}", NULL);
    for (int i = 0; i < 2; i++) {
        must(db, i ? "access.revoke" : "access.delegate",
             i ? "{\"kind\":\"delegation\",\"subject\":\"p\",\"target\":\"a\"}"
               : "{\"from\":\"p\",\"to\":\"a\",\"scopes\":[\"nodes:read\"]}",
             NULL);
        assert_int_equal(brant_cursor_next(&items, &length, cursor, 0), BRANT_OK);
        assert_non_null(strstr(items, "{\"principal_id\":\"p\",\"agent_id\":\"a\"}"));
        brant_free(items);
    }
    brant_cursor_free(cursor);
    brant_db_free(db);
}

/* ---- definitions ----------------------------------------------------------------------------------------------- */

static void test_seed(void **state) {
    brant_db *db = must_open_access(state);
    put(db, "Principal", "p");
    char *answer = must_call(db, "access.seed", "{}", "\"roles\":4");
    assert_null(strstr(answer, "\"changed\":0"));
    brant_free(answer);
    must(db, "access.seed", "{}", "\"roles\":4,\"changed\":0");
    must(db, "nodes.get", "{\"graph\":\"access\",\"key\":\"operation:nodes.put\"}",
         "{\"kind\":\"operation\",\"required_scopes\":[\"nodes:write\"],\"seeded\":true}");
    must(db, "access.assign", "{\"subject\":\"p\",\"role\":\"role:member\"}", NULL);
    must_hold(db, true, "p", "nodes:write", "graph:x");
    must_hold(db, false, "p", "graphs:admin", "graph:x");

    /* What was given besides stays, what was taken comes again. */
    must(db, "access.grant",
         "{\"subject\":\"role:member\",\"scopes\":[\"graphs:admin\",\"nodes:read\"]}", NULL);
    must(db, "access.grant",
         "{\"subject\":\"p\",\"scopes\":[\"x:y\"],\"resource\":\"namespace:nodes\"}", NULL);
    must_hold(db, true, "p", "x:y", "operation:nodes.put");
    must(db, "access.seed", "{}", "\"changed\":0");
    must(db, "access.revoke",
         "{\"kind\":\"grant\",\"subject\":\"role:member\",\"scopes\":[\"*:write\"]}",
         "\"revoked\":1");
    must_hold(db, false, "p", "nodes:write", "graph:x");
    must(db, "access.seed", "{}", "\"changed\":1");
    must_hold(db, true, "p", "nodes:write", "graph:x");
    must_hold(db, true, "p", "graphs:admin", "graph:x");
    must(db, "access.revoke",
         "{\"kind\":\"grant\",\"subject\":\"role:member\",\"scopes\":[\"*:read\",\"*:use\",\"*:"
         "write\","
         "\"secrets:*\"]}",
         "\"revoked\":1");
    must(db, "edges.get",
         "{\"graph\":\"access\",\"key\":\"[\\\"role:member\\\",\\\"Grants\\\",\\\"*\\\"]\"}",
         "\"attributes\":{\"scopes\":[\"graphs:admin\"]},\"metadata\":{}");
    must(db, "access.seed", "{}", "\"changed\":1");

    /* Of another release: what is no more goes, what users said of a node stays. */
    must(
        db, "nodes.put",
        "{\"graph\":\"access\",\"key\":\"operation:old.one\",\"type\":\"Resource\",\"attributes\":{"
        "\"seeded\":true}}",
        NULL);
    must(db, "nodes.put", "{\"graph\":\"access\",\"key\":\"operation:own\",\"type\":\"Resource\"}",
         NULL);
    must(db, "nodes.put",
         "{\"graph\":\"access\",\"key\":\"operation:nodes.get\",\"type\":\"Resource\","
         "\"attributes\":"
         "{\"description\":\"d\",\"seeded\":true}}",
         NULL);
    must(db, "access.seed", "{}", "\"changed\":2");
    must(db, "nodes.exists", "{\"graph\":\"access\",\"key\":\"operation:old.one\"}", "false");
    must(db, "nodes.exists", "{\"graph\":\"access\",\"key\":\"operation:own\"}", "true");
    must(db, "nodes.get", "{\"graph\":\"access\",\"key\":\"operation:nodes.get\"}",
         "\"description\":\"d\"");

    must_fail(db, "access.put", "{\"type\":\"Role\",\"key\":\"role:owner\"}", BRANT_DENIED,
              "made by access.seed");
    must_fail(db, "access.remove", "{\"key\":\"role:owner\"}", BRANT_DENIED, "made by access.seed");
    must_fail(db, "access.set_parent", "{\"resource\":\"operation:nodes.put\",\"parent\":null}",
              BRANT_DENIED, "made by access.seed");
    must_be_well(db);
    brant_db_free(db);
}

/* ---- members ----------------------------------------------------------------------------------------------------- */

static int64_t derived(brant_db *db) {
    return number(db, "SELECT count(*) FROM edges WHERE attributes LIKE '%level%'");
}

static void test_derive(void **state) {
    brant_db *db = must_open_access(state);
    make_accounts(db);
    make_organization(db);
    must(db, "access.seed", "{}", NULL);
    must(db, "access.sync", "{}", "\"added\":4,\"removed\":0,\"changed\":0");
    must(db, "access.sync", "{}", "\"added\":0,\"removed\":0,\"changed\":0");
    must(db, "nodes.get", "{\"graph\":\"access\",\"key\":\"org:" ORG ":admin\"}",
         "{\"org_id\":\"" ORG "\",\"level\":\"admin\"}");
    must_hold(db, true, "account:" ANN, "anything:at_all", "*");
    must_hold(db, true, "account:" BOB, "nodes:write", "*");
    must_hold(db, false, "account:" DAN, "nodes:write", "*");
    must(db, "access.grant",
         "{\"subject\":\"org:" ORG ":member\",\"scopes\":[\"doc:sign\"],\"resource\":\"doc:1\"}",
         NULL);
    must_hold(db, true, "account:" BOB, "doc:sign", "doc:1");
    must_hold(db, true, "account:" CARA, "doc:sign", "doc:1");
    must_hold(db, false, "account:" DAN, "doc:sign", "doc:1");

    /* Each change of a membership. */
    must(db, "members.set_level", "{" MEMBERSHIP(ORG, DAN) ",\"level\":\"member\"}", NULL);
    must_hold(db, true, "account:" DAN, "doc:sign", "doc:1");
    must(db, "members.suspend", "{" MEMBERSHIP(ORG, DAN) "}", NULL);
    must_hold(db, false, "account:" DAN, "doc:sign", "doc:1");
    assert_int_equal(derived(db), 3);
    must(db, "members.resume", "{" MEMBERSHIP(ORG, DAN) "}", NULL);
    must(db, "members.remove", "{" MEMBERSHIP(ORG, CARA) "}", NULL);
    must_hold(db, false, "account:" CARA, "doc:sign", "doc:1");
    must(db, "members.add", "{" MEMBERSHIP(ORG, EVE) "}", NULL);
    must_hold(db, true, "account:" EVE, "doc:sign", "doc:1");
    must(db, "nodes.get", "{\"graph\":\"access\",\"key\":\"account:" EVE "\"}",
         "\"kind\":\"service\"");
    must(db, "accounts.delete", "{\"id\":\"" EVE "\"}", NULL);
    assert_int_equal(derived(db), 3);
    must(db, "access.sync", "{\"org_id\":\"" ORG "\"}", "\"added\":0,\"removed\":0,\"changed\":0");

    /* What members are made of is not written by hand, and what is makes nobody a member. */
    must_fail(db, "access.assign",
              "{\"subject\":\"account:" CARA "\",\"group\":\"org:" ORG ":owner\"}", BRANT_DENIED,
              "made of an organisation's members");
    must_fail(db, "access.revoke",
              "{\"kind\":\"group\",\"subject\":\"account:" ANN "\",\"target\":\"org:" ORG
              ":owner\"}",
              BRANT_DENIED, "made of an organisation's members");
    must_fail(db, "access.revoke",
              "{\"kind\":\"role\",\"subject\":\"org:" ORG ":owner\",\"target\":\"role:owner\"}",
              BRANT_DENIED, "made of an organisation's members");
    must_fail(db, "access.assign",
              "{\"subject\":\"org:" ORG ":owner\",\"role\":\"role:owner\",\"expires_at\":" NEVER
              "}",
              BRANT_DENIED, "made of an organisation's members");
    must_fail(db, "access.remove", "{\"key\":\"org:" ORG ":owner\"}", BRANT_DENIED,
              "made of members");
    must_fail(db, "access.remove", "{\"key\":\"account:" ANN "\"}", BRANT_DENIED,
              "a member of an organisation");
    must(db, "access.remove", "{\"key\":\"account:" CARA "\"}", "\"edges\":0");
    must(db, "nodes.put",
         "{\"graph\":\"access\",\"key\":\"account:" CARA
         "\",\"type\":\"Principal\",\"attributes\":{"
         "\"kind\":\"account\",\"account_id\":\"" CARA "\"}}",
         NULL);
    must(db, "edges.put",
         "{\"graph\":\"access\",\"source\":\"account:" CARA "\",\"target\":\"org:" ORG
         ":owner\",\"type\":\"BelongsTo\",\"attributes\":{\"derived\":true,\"level\":\"owner\"}}",
         NULL);
    must_hold(db, false, "account:" CARA, "nodes:read", "*");
    must(db, "access.sync", "{}", "\"added\":0,\"removed\":1,\"changed\":0");

    /* An organisation that is no more. */
    must(db, "organizations.delete", "{\"id\":\"" ORG "\"}", NULL);
    must(db, "nodes.count", "{\"graph\":\"access\",\"filter\":{\"type\":\"Group\"}}",
         "{\"count\":0}");
    assert_int_equal(derived(db), 0);
    must_fail(db, "access.sync", "{\"members\":[]}", BRANT_INVALID, "/members");
    must_be_well(db);
    brant_db_free(db);
}

static void test_sync_tenant(void **state) {
    brant_db *db = must_open(in_folder(*state, "t.db"), "{\"role\":\"tenant\"}");
    must_load(db, AUDIT_1);
    must_fail(db, "access.sync", "{}", BRANT_INVALID, "org_id and members");
    must(
        db, "access.sync",
        "{\"org_id\":\"o\",\"members\":[{\"account_id\":\"1\",\"level\":\"owner\"},{\"account_id\":"
        "\"2\",\"level\":\"member\"},{\"account_id\":\"3\",\"level\":\"viewer\",\"status\":"
        "\"suspended\"}]}",
        "\"added\":2");
    /* Alone it knows no membership. */
    must(db, "access.grant", "{\"subject\":\"org:o:member\",\"scopes\":[\"nodes:read\"]}", NULL);
    must_hold(db, false, "account:1", "nodes:read", "*");
    must(db, "access.sync",
         "{\"org_id\":\"o\",\"members\":[{\"account_id\":\"1\",\"level\":\"admin\"}]}",
         "\"added\":0,\"removed\":1,\"changed\":1");
    brant_db_free(db);
}

/* ---- who may give what ----------------------------------------------------------------------------------------- */

/* ANN principal that may write the graph, and holds what `holds` says of graph:x. */
static void test_actor(void **state) {
    brant_db *db = must_open_access(state);
    make_accounts(db);
    must(db, "access.put",
         "{\"type\":\"Principal\",\"key\":\"account:" ANN
         "\",\"attributes\":{\"kind\":\"account\"}}",
         NULL);
    put(db, "Principal", "p");
    put(db, "Role", "reader");
    put(db, "Role", "writer");
    must(db, "access.grant",
         "{\"subject\":\"account:" ANN "\",\"scopes\":[\"nodes:read\"],\"resource\":\"graph:x\"}",
         NULL);
    must(db, "access.grant",
         "{\"subject\":\"reader\",\"scopes\":[\"nodes:read\"],\"resource\":\"graph:x\"}", NULL);
    must(db, "access.grant",
         "{\"subject\":\"writer\",\"scopes\":[\"nodes:write\"],\"resource\":\"graph:x\"}", NULL);
    must(db, "access.deny",
         "{\"subject\":\"p\",\"scopes\":[\"nodes:write\"],\"resource\":\"graph:x\"}", NULL);

#define BY_ANN "," ACTOR(ANN) "}"
    must(db, "access.grant",
         "{\"subject\":\"p\",\"scopes\":[\"nodes:read\"],\"resource\":\"graph:x\"" BY_ANN, NULL);
    must_fail(db, "access.grant",
              "{\"subject\":\"p\",\"scopes\":[\"nodes:read\",\"nodes:write\"],\"resource\":\"graph:"
              "x\"" BY_ANN,
              BRANT_DENIED, "\"nodes:write\" on \"graph:x\"");
    assert_string_equal(brant_last_error()->detail,
                        "{\"scope\":\"nodes:write\",\"resource\":\"graph:x\"}");
    must_fail(db, "access.grant",
              "{\"subject\":\"p\",\"scopes\":[\"nodes:read\"],\"resource\":\"graph:y\"" BY_ANN,
              BRANT_DENIED, "\"graph:y\"");
    must_fail(db, "access.grant", "{\"subject\":\"p\",\"scopes\":[\"nodes:read\"]" BY_ANN,
              BRANT_DENIED, "\"*\"");
    must_fail(db, "access.grant",
              "{\"subject\":\"p\",\"scopes\":[\"*:read\"],\"resource\":\"graph:x\"" BY_ANN,
              BRANT_DENIED, "\"*:read\"");
    must(db, "access.assign", "{\"subject\":\"p\",\"role\":\"reader\"" BY_ANN, NULL);
    must_fail(db, "access.assign", "{\"subject\":\"p\",\"role\":\"writer\"" BY_ANN, BRANT_DENIED,
              "\"nodes:write\"");
    must_fail(db, "access.revoke",
              "{\"kind\":\"deny\",\"subject\":\"p\",\"target\":\"graph:x\"" BY_ANN, BRANT_DENIED,
              "\"nodes:write\"");
    must_fail(db, "access.deny",
              "{\"subject\":\"p\",\"scopes\":[\"edges:read\"],\"resource\":\"graph:x\"" BY_ANN,
              BRANT_DENIED, "\"edges:read\"");
    must_fail(db, "access.revoke",
              "{\"kind\":\"grant\",\"subject\":\"writer\",\"target\":\"graph:x\"" BY_ANN,
              BRANT_DENIED, "\"nodes:write\"");
    must_fail(db, "access.delegate",
              "{\"from\":\"p\",\"to\":\"bot\",\"scopes\":[\"nodes:read\"]" BY_ANN, BRANT_DENIED,
              "access:admin");
    must(db, "access.delegate",
         "{\"from\":\"account:" ANN "\",\"to\":\"bot\",\"scopes\":[\"nodes:read\"]" BY_ANN, NULL);
    must_fail(db, "access.remove", "{\"key\":\"graph:x\"" BY_ANN, BRANT_DENIED, "\"nodes:write\"");
    must_fail(db, "access.set_parent", "{\"resource\":\"doc:1\",\"parent\":\"graph:x\"" BY_ANN,
              BRANT_DENIED, "on \"doc:1\"");
    must_fail(db, "access.set_parent", "{\"resource\":\"graph:x\",\"parent\":null" BY_ANN,
              BRANT_DENIED, "\"nodes:write\" on \"graph:x\"");

    /* Who administers the graph takes away what it does not hold, and gives no more than it holds. */
    must(db, "access.grant",
         "{\"subject\":\"account:" ANN
         "\",\"scopes\":[\"access:admin\"],\"resource\":\"graph:access\"}",
         NULL);
    must(db, "access.deny",
         "{\"subject\":\"p\",\"scopes\":[\"edges:read\"],\"resource\":\"graph:x\"" BY_ANN, NULL);
    must(db, "access.revoke",
         "{\"kind\":\"grant\",\"subject\":\"writer\",\"target\":\"graph:x\"" BY_ANN,
         "\"revoked\":1");
    must_fail(db, "access.revoke",
              "{\"kind\":\"deny\",\"subject\":\"p\",\"target\":\"graph:x\"" BY_ANN, BRANT_DENIED,
              NULL);
    must_fail(db, "access.delegate",
              "{\"from\":\"p\",\"to\":\"bot\",\"scopes\":[\"nodes:read\"]" BY_ANN, BRANT_DENIED,
              "\"nodes:read\" on \"*\"");
    must(db, "access.revoke",
         "{\"kind\":\"delegation\",\"subject\":\"account:" ANN "\",\"target\":\"bot\"" BY_ANN,
         "\"revoked\":1");

    /* access_level admin holds all. Whoever is not active nothing. */
    must(db, "access.grant", "{\"subject\":\"p\",\"scopes\":[\"*:*\"]," ACTOR(ADMIN) "}", NULL);
    must(db, "accounts.deactivate", "{\"id\":\"" ANN "\"}", NULL);
    must_fail(db, "access.grant",
              "{\"subject\":\"p\",\"scopes\":[\"nodes:read\"],\"resource\":\"graph:x\"" BY_ANN,
              BRANT_DENIED, "not active");
    must_be_well(db);
    brant_db_free(db);
}

static void test_session(void **state) {
    brant_db *db = must_open_access(state), *session = NULL, *inner = NULL;
    put(db, "Principal", "ann");
    put(db, "Principal", "p");
    must(db, "access.grant",
         "{\"subject\":\"ann\",\"scopes\":[\"nodes:*\"],\"resource\":\"graph:x\"}", NULL);
    must(db, "access.deny",
         "{\"subject\":\"ann\",\"scopes\":[\"access:grant\"],\"resource\":\"graph:z\"}", NULL);
    assert_int_equal(
        brant_session_open(&session, db,
                           TEXT("{\"id\":\"1\",\"principal\":\"ann\",\"scopes\":[\"access:*\"],"
                                "\"within\":[\"*:*\"],\"denies\":[\"nodes:admin\"]}")),
        BRANT_OK);
    must(session, "access.grant",
         "{\"subject\":\"p\",\"scopes\":[\"nodes:read\"],\"resource\":\"graph:x\"}", NULL);
    must(session, "access.grant", "{\"subject\":\"p\",\"scopes\":[\"access:grant\"]}", NULL);
    must_fail(session, "access.grant", "{\"subject\":\"p\",\"scopes\":[\"nodes:read\"]}",
              BRANT_DENIED, "\"nodes:read\" on \"*\"");
    must_fail(session, "access.grant",
              "{\"subject\":\"p\",\"scopes\":[\"nodes:*\"],\"resource\":\"graph:x\"}", BRANT_DENIED,
              "\"nodes:*\""); /* its denies overlap */
    must_fail(session, "access.grant",
              "{\"subject\":\"p\",\"scopes\":[\"access:grant\"],\"resource\":\"graph:z\"}",
              BRANT_DENIED, "\"graph:z\""); /* the graph denies what it has otherwise */

    /* One within it gives no more than both. */
    assert_int_equal(
        brant_session_open(&inner, session, TEXT("{\"id\":\"1\",\"scopes\":[\"access:*\"]}")),
        BRANT_OK);
    must_fail(inner, "access.grant", "{\"subject\":\"p\",\"scopes\":[\"jobs:read\"]}", BRANT_DENIED,
              "\"jobs:read\"");
    must(inner, "access.grant", "{\"subject\":\"p\",\"scopes\":[\"access:delegate\"]}", NULL);
    brant_db_free(inner);
    brant_db_free(session);

    /* It makes a graph where there is none, which is nobody's. */
    assert_int_equal(
        brant_session_open(&session, db, TEXT("{\"id\":\"1\",\"scopes\":[\"access:admin\"]}")),
        BRANT_OK);
    must(session, "access.put", "{\"graph\":\"new\",\"key\":\"a\",\"type\":\"Agent\"}", NULL);
    must(db, "graphs.get", "{\"name\":\"new\"}", "\"owner_id\":null");
    must_fail(session, "nodes.put", "{\"graph\":\"new\",\"key\":\"b\",\"type\":\"Agent\"}",
              BRANT_DENIED, NULL);
    brant_db_free(session);
    must_be_well(db);
    brant_db_free(db);
}

static void test_plans(void **state) {
    brant_db_free(must_open_access(state));
    must_plan_well(in_folder(*state, "access.db"), brant__access_write_statements.sql,
                   brant__access_write_statements.count);
}

int main(void) {
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up_clock, tear_down_folder)
    const struct CMUnitTest tests[] = {
        TEST(test_put),    TEST(test_no_ring),  TEST(test_remove),
        TEST(test_parent), TEST(test_grant),    TEST(test_assign),
        TEST(test_revoke), TEST(test_delegate), TEST(test_delegation_told),
        TEST(test_seed),   TEST(test_derive),   TEST(test_sync_tenant),
        TEST(test_actor),  TEST(test_session),  TEST(test_plans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
