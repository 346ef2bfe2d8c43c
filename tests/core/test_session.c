/*
 * tests/core/test_session.c: sessions: each operation of the registry refused without its scopes, what a session reaches and what not, and the lives of handles upon handles.
 */
#define _GNU_SOURCE
#include "test_wake.h"

#include <pthread.h>

#include "base/json.h"
#include "identity/scope.h"
#include "store/store.h"

#define EVERYTHING "{\"id\":\"ann\",\"scopes\":[\"*:*\"]}"

static brant_db *must_session(brant_db *db, const char *identity) {
    brant_db *session = NULL;
    const brant_status status = brant_session_open(&session, db, TEXT(identity));
    if (status != BRANT_OK)
        fail_msg("a session of %s: %s: %s", identity, brant_status_name(status),
                 brant_last_error()->message);
    assert_non_null(session);
    return session;
}

static void must_not_session(brant_db *db, const char *identity, brant_status wanted,
                             const char *message) {
    brant_db *session = NULL;
    const brant_status status = brant_session_open(&session, db, TEXT(identity));
    if (status != wanted)
        fail_msg("a session of %s: wanted %s, got %s", identity, brant_status_name(wanted),
                 brant_status_name(status));
    assert_null(session);
    if (!strstr(brant_last_error()->message, message))
        fail_msg("a session of %s: the message \"%s\" does not say \"%s\"", identity,
                 brant_last_error()->message, message);
}

static void must_lack(brant_db *db, const char *name, const char *json, const char *scope) {
    char wanted[300];
    snprintf(wanted, sizeof wanted, "the session lacks the scope \"%s\"", scope);
    must_fail(db, name, json, BRANT_DENIED, wanted);
    snprintf(wanted, sizeof wanted, "{\"scope\":\"%s\",\"operation\":", scope);
    assert_ptr_equal(strstr(brant_last_error()->detail, wanted), brant_last_error()->detail);
}

/* A type of each scope, and a graph of each: tenant, user (nobody's, ann's, bob's), system. */
static brant_db *library(const char *folder) {
    static const char type[] =
        "{\"name\":\"%s\",\"scope\":\"%s\",\"module\":{\"$defs\":{\"TNode\":{\"type\":"
        "\"object\"},\"EEdge\":{\"type\":\"object\"}}}}";
    static const char *const graphs[] = {
        "{\"name\":\"shared\",\"graph_type\":\"tenant_t\",\"owner_id\":\"bob\"}",
        "{\"name\":\"free\",\"graph_type\":\"user_t\"}",
        "{\"name\":\"anns\",\"graph_type\":\"user_t\",\"owner_id\":\"ann\"}",
        "{\"name\":\"bobs\",\"graph_type\":\"user_t\",\"owner_id\":\"bob\",\"changes\":true}",
        "{\"name\":\"ours\",\"graph_type\":\"system_t\"}"};
    static const char *const scopes[] = {"tenant", "user", "system"};
    brant_db *db = must_open(in_folder(folder, "a.db"), "{\"system\":true}");
    char json[500], name[40];
    for (size_t i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s_t", scopes[i]);
        snprintf(json, sizeof json, type, name, scopes[i]);
        must(db, "graph_types.define", json, NULL);
    }
    for (size_t i = 0; i < 5; i++)
        must(db, "graphs.create", graphs[i], NULL);
    static const char *const names[] = {"shared", "free", "anns", "bobs", "ours"};
    for (size_t i = 0; i < 5; i++) {
        snprintf(json, sizeof json,
                 "{\"graph\":\"%s\",\"key\":\"k\",\"type\":\"T\",\"attributes\":{}}", names[i]);
        must(db, "nodes.put", json, NULL);
    }
    return db;
}

/* ---- each operation of the registry ----------------------------------------------------------------------------------- */

/* Call it, or open it, with an empty input: the status. */
static brant_status try(brant_db *session, yyjson_val *spec) {
    const brant__text name = brant__json_get_text(spec, "name");
    char *answer = NULL;
    size_t length = 0;
    brant_cursor *cursor = NULL;
    brant_status status;
    if (brant__text_equal(brant__json_get_text(spec, "type"), BRANT__TEXT("subscription")))
        status = brant_call_open(&cursor, session, name.data, name.length, "{}", 2);
    else
        status = brant_call(&answer, &length, session, name.data, name.length, "{}", 2);
    brant_free(answer);
    brant_cursor_free(cursor);
    return status;
}

static bool lacks_a_scope(brant_status status) {
    return status == BRANT_DENIED && strncmp(brant_last_error()->detail, "{\"scope\":", 9) == 0;
}

static bool needs(yyjson_val *spec, brant__text scope) {
    size_t index, count;
    yyjson_val *value;
    yyjson_arr_foreach(brant__json_get(spec, "required_scopes"), index, count, value) {
        if (brant__text_equal(brant__json_text(value), scope)) return true;
    }
    return false;
}

/* All scopes that any operation needs, but one. */
static brant_db *all_but(brant_db *db, yyjson_val *items, brant__text missing) {
    brant__writer identity = {0};
    size_t index, count, at, scopes;
    yyjson_val *spec, *value;
    brant__write_object(&identity);
    brant__write_text_member(&identity, "id", BRANT__TEXT("ann"));
    brant__write_name(&identity, "scopes");
    brant__write_array(&identity);
    yyjson_arr_foreach(items, index, count, spec) {
        yyjson_arr_foreach(brant__json_get(spec, "required_scopes"), at, scopes, value) {
            if (!brant__text_equal(brant__json_text(value), missing))
                brant__write_text(&identity, brant__json_text(value));
        }
    }
    brant__write_end(&identity);
    brant__write_end(&identity);
    brant__buffer_append_byte(&identity.buffer, '\0');
    assert_false(identity.buffer.failed);
    brant_db *session = must_session(db, identity.buffer.data);
    brant__buffer_free(&identity.buffer);
    return session;
}

static brant_db *exactly(brant_db *db, yyjson_val *spec) {
    char scopes[600], identity[700];
    brant__buffer text = {0};
    brant__json_append(&text, brant__json_get(spec, "required_scopes"));
    assert_false(text.failed || text.length >= sizeof scopes);
    snprintf(scopes, sizeof scopes, "%.*s", (int)text.length, text.data);
    brant__buffer_free(&text);
    snprintf(identity, sizeof identity,
             "{\"id\":\"ann\",\"scopes\":%s,\"files\":[\"read\",\"write\"]}", scopes);
    return must_session(db, identity);
}

static void test_each_operation_takes_its_scopes(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    brant_db *nobody = must_session(db, "{\"id\":\"ann\"}");
    char *list = must_call(db, "operations.list", "", NULL);
    brant__json json = {0};
    size_t index, count, at, scopes, refused = 0;
    yyjson_val *spec, *value;
    assert_int_equal(brant__json_parse(&json, list, strlen(list), 0), BRANT_OK);
    yyjson_val *items = brant__json_get(json.root, "items");
    assert_true(yyjson_arr_size(items) >= 150);
    yyjson_arr_foreach(items, index, count, spec) {
        const char *name = yyjson_get_str(brant__json_get(spec, "name"));
        yyjson_val *required = brant__json_get(spec, "required_scopes");
        if (yyjson_arr_size(required) == 0) fail_msg("%s requires no scope", name);
        if (!lacks_a_scope(try(nobody, spec)))
            fail_msg("%s: a session without scopes got %s", name, brant_last_error()->name);
        yyjson_arr_foreach(required, at, scopes, value) {
            const brant__text scope = brant__json_text(value);
            char wanted[200];
            brant_db *session = all_but(db, items, scope);
            assert_true(needs(spec, scope));
            if (!lacks_a_scope(try(session, spec)))
                fail_msg("%s: a session without %s got %s", name, scope.data,
                         brant_last_error()->name);
            snprintf(wanted, sizeof wanted, "{\"scope\":\"%s\",\"operation\":\"%s\"}", scope.data,
                     name);
            assert_string_equal(brant_last_error()->detail, wanted);
            brant_db_free(session);
        }
        brant_db *session = exactly(db, spec);
        if (lacks_a_scope(try(session, spec)))
            fail_msg("%s: a session with all that it requires got %s", name,
                     brant_last_error()->message);
        brant_db_free(session);
        if (strcmp(name, "transaction.begin") == 0) must(db, "transaction.rollback", "", NULL);
        refused++;
    }
    assert_int_equal(refused, yyjson_arr_size(items));
    brant__json_free(&json);
    brant_free(list);
    brant_db_free(nobody);
    brant_db_free(db);
}

static void test_typed_operations_take_those_behind(void **state) {
    brant_db *db = library(*state);
    brant_db *reader = must_session(db, "{\"id\":\"ann\",\"scopes\":[\"nodes:read\"]}");
    brant_db *writer = must_session(db, "{\"id\":\"ann\",\"scopes\":[\"nodes:write\"]}");
    const char *get = "types.tenant_t.T.get", *put = "types.tenant_t.T.put",
               *edge = "types.tenant_t.E.get";
    const char *key = "{\"graph\":\"shared\",\"key\":\"k\"}";
    const char *node = "{\"graph\":\"shared\",\"key\":\"l\",\"attributes\":{}}";
    must(reader, get, key, "\"key\":\"k\"");
    must_lack(writer, get, key, "edges:read"); /* neither of nodes nor of edges */
    must_lack(reader, edge, key, "edges:read");
    must_lack(reader, put, node, "edges:write");
    must_lack(reader, "types.nothing.T.put", node, "edges:write");
    must(writer, put, node, NULL);
    must_lack(reader, "operations.list", "{\"graph_type\":\"tenant_t\"}", "operations:read");
    brant_db *lists = must_session(db, "{\"id\":\"ann\",\"scopes\":[\"operations:read\"]}");
    must(lists, "operations.list", "{\"graph_type\":\"tenant_t\"}", "types.tenant_t.T.get");
    brant_db_free(lists);
    brant_db_free(reader);
    brant_db_free(writer);
    brant_db_free(db);
}

/* ---- identities ------------------------------------------------------------------------------------------------------- */

static void test_what_an_identity_is(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    char long_text[1200];
    static const struct {
        const char *identity, *message;
    } wrong[] = {
        {"[]", "must be a JSON object"},
        {"{}", "/id is missing"},
        {"{\"id\":1}", "/id must be a text"},
        {"{\"id\":\"\"}", "/id must be a text"},
        {"{\"id\":\"a\\u0000b\"}", "/id must be a text"},
        {"{\"id\":\"a\",\"role\":1}", "/role: unknown member"},
        {"{\"id\":\"a\",\"actor_type\":\"system\"}", "/actor_type must be one of"},
        {"{\"id\":\"a\",\"scopes\":\"*:*\"}", "/scopes"},
        {"{\"id\":\"a\",\"scopes\":[\"*\"]}", "/scopes/0"},
        {"{\"id\":\"a\",\"scopes\":[\"*:*\",\"Nodes:read\"]}", "/scopes/1"},
        {"{\"id\":\"a\",\"within\":[1]}", "/within/0"},
        {"{\"id\":\"a\",\"denies\":[\"a:b:c\"]}", "/denies/0"},
        {"{\"id\":\"a\",\"resources\":[]}", "/resources must be an object"},
        {"{\"id\":\"a\",\"resources\":{\"graph\":[]}}", "member 0 must be named"},
        {"{\"id\":\"a\",\"resources\":{\"graph:\":[]}}", "member 0 must be named"},
        {"{\"id\":\"a\",\"resources\":{\"graph:a\":\"read\"}}", "array of actions"},
        {"{\"id\":\"a\",\"resources\":{\"graph:a\":[\"nodes:read\"]}}", "action 0 of member 0"},
        {"{\"id\":\"a\",\"files\":true}", "/files must be an array"},
        {"{\"id\":\"a\",\"files\":[\"execute\"]}", "/files/0"},
        {"{\"id\":\"a\",\"reason\":5}", "/reason must be a text"},
    };
    for (size_t i = 0; i < BRANT__COUNT(wrong); i++)
        must_not_session(db, wrong[i].identity, BRANT_INVALID, wrong[i].message);
    must_not_session(db, "{\"id\":", BRANT_INVALID_JSON, "");
    must_not_session(NULL, EVERYTHING, BRANT_INVALID, "NULL");
    memset(long_text, 'x', sizeof long_text);
    memcpy(long_text, "{\"id\":\"a\",\"reason\":\"", 20);
    memcpy(long_text + 20 + 1001, "\"}", 3);
    must_not_session(db, long_text, BRANT_INVALID, "/reason must be a text of 1 to 1000 bytes");
    memcpy(long_text + 20 + 1000, "\"}", 3);
    brant_db_free(must_session(db, long_text));
    char *large = malloc((1u << 20) + 2);
    memset(large, ' ', (1u << 20) + 1);
    large[(1u << 20) + 1] = '\0';
    must_not_session(db, large, BRANT_LIMIT, "1048577 bytes");
    free(large);
    brant_db_free(db);
}

static void test_within_and_denies(void **state) {
    brant_db *db = library(*state);
    const char *get = "{\"graph\":\"shared\",\"key\":\"k\"}";
    const char *put = "{\"graph\":\"shared\",\"key\":\"k\",\"type\":\"T\",\"attributes\":{}}";
    brant_db *session =
        must_session(db, "{\"id\":\"ann\",\"scopes\":[\"*:*\"],\"within\":[\"*:read\"]}");
    must(session, "nodes.get", get, NULL);
    must_lack(session, "nodes.put", put, "nodes:write");
    brant_db_free(session);
    session = must_session(db, "{\"id\":\"ann\",\"scopes\":[\"*:*\"],\"denies\":[\"*:write\"]}");
    must(session, "nodes.get", get, NULL);
    must_lack(session, "nodes.put", put, "nodes:write");
    brant_db_free(session);
    session = must_session(db, "{\"id\":\"ann\",\"scopes\":[\"*:*\"],\"within\":[]}");
    must_lack(session, "nodes.get", get, "nodes:read");
    brant_db_free(session);
    session = must_session(db, "{\"id\":\"ann\",\"denies\":[\"nodes:read\"],\"resources\":"
                               "{\"graph:shared\":[\"*\"]}}");
    must_lack(session, "nodes.get", get, "nodes:read");
    must(session, "nodes.put", put, NULL);
    brant_db_free(session);
    brant_db_free(db);
}

/* ---- graphs ----------------------------------------------------------------------------------------------------------- */

static void test_resources_open_one_graph(void **state) {
    brant_db *db = library(*state);
    brant_db *session =
        must_session(db, "{\"id\":\"ann\",\"resources\":{\"graph:shared\":[\"read\",\"write\"],"
                         "\"graph:logged\":[\"*\"],\"queue:shared\":[\"*\"]}}");
    must(session, "nodes.get", "{\"graph\":\"shared\",\"key\":\"k\"}", NULL);
    must(session, "graphs.get", "{\"name\":\"shared\"}", NULL);
    must(session, "types.tenant_t.T.get", "{\"graph\":\"shared\",\"key\":\"k\"}", NULL);
    must_lack(session, "nodes.get", "{\"graph\":\"free\",\"key\":\"k\"}", "nodes:read");
    must_lack(session, "nodes.get", "{\"graph\":\"nowhere\",\"key\":\"k\"}", "nodes:read");
    must_lack(session, "graphs.list", "", "graphs:read");
    /* The name of something else is not that of a graph, and a graph says nothing about streams. */
    must_lack(session, "queues.get", "{\"queue\":\"shared\"}", "queues:read");
    must_lack(session, "locks.get", "{\"name\":\"shared\"}", "locks:read");
    must_lack(session, "calls.project", "{\"graph\":\"shared\",\"consumer\":\"c\"}",
              "streams:read");
    must_lack(session, "secrets.status", "{\"graph\":\"free\"}", "secrets:read");
    /* Two graphs in one operation: each is judged. */
    must(session, "graphs.create",
         "{\"name\":\"logged\",\"graph_type\":\"tenant_t\",\"changes\":true}", NULL);
    must(session, "nodes.put",
         "{\"graph\":\"logged\",\"key\":\"k\",\"type\":\"T\",\"attributes\":{}}", NULL);
    must_lack(session, "graphs.replay", "{\"graph\":\"logged\",\"to\":1,\"into\":\"new\"}",
              "graphs:read");
    must_fail(db, "graphs.get", "{\"name\":\"new\"}", BRANT_NOT_FOUND, NULL);
    brant_db_free(session);
    brant_db_free(db);
}

static void test_owned_graphs(void **state) {
    brant_db *db = library(*state);
    brant_db *ann = must_session(db, "{\"id\":\"ann\",\"scopes\":[\"*:read\",\"*:write\"]}");
    brant_db *eve =
        must_session(db, "{\"id\":\"eve\",\"scopes\":[\"*:read\",\"*:write\"],\"resources\":"
                         "{\"graph:bobs\":[\"read\"]}}");
    brant_db *admin =
        must_session(db, "{\"id\":\"adm\",\"scopes\":[\"*:read\",\"*:write\",\"graphs:admin\"]}");
    static const char *const reads[] = {
        "nodes.get",  "nodes.list",    "nodes.count",    "nodes.search",  "nodes.neighbors",
        "edges.list", "graphs.export", "graphs.changes", "graphs.arrays", "graphs.subgraph"};
    static const char *const inputs[] = {"{\"graph\":\"bobs\",\"key\":\"k\"}",
                                         "{\"graph\":\"bobs\"}",
                                         "{\"graph\":\"bobs\"}",
                                         "{\"graph\":\"bobs\",\"query\":\"x\"}",
                                         "{\"graph\":\"bobs\",\"key\":\"k\"}",
                                         "{\"graph\":\"bobs\"}",
                                         "{\"graph\":\"bobs\",\"format\":\"ndjson\"}",
                                         "{\"graph\":\"bobs\"}",
                                         "{\"graph\":\"bobs\"}",
                                         "{\"graph\":\"bobs\",\"keys\":[\"k\"]}"};
    for (size_t i = 0; i < BRANT__COUNT(reads); i++)
        must_fail(ann, reads[i], inputs[i], BRANT_NOT_FOUND, "no graph \"bobs\"");
    static const char put[] = "{\"graph\":\"bobs\",\"key\":\"k\",\"type\":\"T\",\"attributes\":{}}";
    must_fail(ann, "nodes.put", put, BRANT_NOT_FOUND, "no graph \"bobs\"");
    must_fail(ann, "graphs.get", "{\"name\":\"bobs\"}", BRANT_NOT_FOUND, "no graph \"bobs\"");
    must_fail(ann, "graphs.delete", "{\"name\":\"bobs\"}", BRANT_NOT_FOUND, NULL);
    must_fail(ann, "graphs.purge", "{\"name\":\"bobs\"}", BRANT_NOT_FOUND, NULL);
    must_fail(ann, "graphs.update", "{\"name\":\"bobs\",\"owner_id\":\"ann\"}", BRANT_NOT_FOUND,
              NULL);
    must_fail(ann, "graphs.replay", "{\"graph\":\"bobs\",\"to\":1,\"into\":\"mine\"}",
              BRANT_NOT_FOUND, NULL);
    must_fail(ann, "types.user_t.T.get", "{\"graph\":\"bobs\",\"key\":\"k\"}", BRANT_NOT_FOUND,
              NULL);
    must_fail(
        ann, "graphs.import",
        "{\"graph\":\"bobs\",\"format\":\"ndjson\",\"text\":\"{\\\"key\\\":\\\"z\\\",\\\"type\\\":"
        "\\\"T\\\"}\"}",
        BRANT_NOT_FOUND, NULL);
    must(ann, "graphs.list", "", "\"anns\"");
    char *list = must_call(ann, "graphs.list", "", "\"shared\"");
    assert_null(strstr(list, "\"bobs\""));
    brant_free(list);
    must(ann, "nodes.get", "{\"graph\":\"free\",\"key\":\"k\"}", NULL);
    must(ann, "nodes.get", "{\"graph\":\"shared\",\"key\":\"k\"}", NULL);
    /* What is given for this graph opens it, as far as it goes. */
    must(eve, "nodes.get", "{\"graph\":\"bobs\",\"key\":\"k\"}", NULL);
    must_fail(eve, "nodes.put", put, BRANT_NOT_FOUND, NULL);
    must(eve, "graphs.list", "", "\"bobs\"");
    must(admin, "nodes.put", put, NULL);
    /* Owners are made and changed by themselves. */
    must(ann, "graphs.create", "{\"name\":\"new\",\"graph_type\":\"user_t\"}",
         "\"owner_id\":\"ann\"");
    must(ann, "graphs.create", "{\"name\":\"all\",\"graph_type\":\"tenant_t\"}",
         "\"owner_id\":null");
    must_fail(ann, "graphs.create",
              "{\"name\":\"his\",\"graph_type\":\"user_t\",\"owner_id\":\"bob\"}", BRANT_DENIED,
              "graphs:admin");
    must(admin, "graphs.create",
         "{\"name\":\"his\",\"graph_type\":\"user_t\",\"owner_id\":\"bob\"}", NULL);
    must_fail(ann, "graphs.update", "{\"name\":\"new\",\"owner_id\":\"bob\"}", BRANT_DENIED,
              "graphs:admin");
    must_fail(ann, "graphs.update", "{\"name\":\"free\",\"owner_id\":\"ann\"}", BRANT_DENIED,
              "graphs:admin");
    must_fail(ann, "graphs.update", "{\"name\":\"shared\",\"owner_id\":null}", BRANT_DENIED,
              "graphs:admin");
    must(ann, "graphs.update", "{\"name\":\"new\",\"owner_id\":\"ann\"}", NULL);
    must(ann, "graphs.update", "{\"name\":\"new\",\"owner_id\":null}", "\"owner_id\":null");
    must(admin, "graphs.update", "{\"name\":\"free\",\"owner_id\":\"ann\"}", NULL);
    brant_db_free(ann);
    brant_db_free(eve);
    brant_db_free(admin);
    brant_db_free(db);
}

static void test_graphs_of_scope_system(void **state) {
    brant_db *db = library(*state);
    brant_db *session = must_session(db, EVERYTHING);
    must(session, "nodes.get", "{\"graph\":\"ours\",\"key\":\"k\"}", NULL);
    must_fail(session, "nodes.put",
              "{\"graph\":\"ours\",\"key\":\"k\",\"type\":\"T\",\"attributes\":{}}", BRANT_DENIED,
              "scope system");
    must_fail(session, "graphs.delete", "{\"name\":\"ours\"}", BRANT_DENIED, "scope system");
    must_fail(session, "graphs.update", "{\"name\":\"ours\",\"status\":\"archived\"}", BRANT_DENIED,
              "scope system");
    must_fail(session, "graphs.create", "{\"name\":\"new\",\"graph_type\":\"system_t\"}",
              BRANT_DENIED, "scope system");
    must_fail(session, "graphs.create", "{\"name\":\"access\",\"graph_type\":\"access\"}",
              BRANT_DENIED, "scope system");
    must_fail(session, "graph_types.define", "{\"name\":\"x\",\"scope\":\"system\",\"module\":{}}",
              BRANT_DENIED, NULL);
    must_fail(session, "graph_types.update", "{\"name\":\"system_t\",\"module\":{}}", BRANT_DENIED,
              NULL);
    must_fail(session, "graph_types.delete", "{\"name\":\"system_t\"}", BRANT_DENIED, NULL);
    /* The built-in types are ours, their graphs are everybody's. */
    must(session, "graphs.create", "{\"name\":\"tasks\",\"graph_type\":\"task\"}", NULL);
    must(db, "graphs.create", "{\"name\":\"access\",\"graph_type\":\"access\"}", NULL);
    must_fail(session, "nodes.put",
              "{\"graph\":\"access\",\"key\":\"p\",\"type\":\"Principal\",\"attributes\":{\"kind\":"
              "\"account\"}}",
              BRANT_DENIED, "scope system");
    brant_db *reader = must_session(db, "{\"id\":\"ann\",\"scopes\":[\"nodes:read\"]}");
    must_lack(reader, "nodes.list", "{\"graph\":\"access\"}", "access:read");
    must(session, "nodes.list", "{\"graph\":\"access\"}", NULL);
    brant_db_free(reader);
    brant_db_free(session);
    brant_db_free(db);
}

/* ---- the access graph ------------------------------------------------------------------------------------------------- */

static void grant(brant_db *db, const char *kind, const char *who, const char *resource,
                  const char *scope) {
    char json[400];
    snprintf(json, sizeof json,
             "{\"graph\":\"access\",\"key\":\"%s\",\"type\":\"Resource\",\"attributes\":{}}",
             resource);
    must(db, "nodes.put", json, NULL);
    snprintf(json, sizeof json,
             "{\"graph\":\"access\",\"source\":\"%s\",\"type\":\"%s\",\"target\":\"%s\","
             "\"attributes\":{\"scopes\":[\"%s\"]}}",
             who, kind, resource, scope);
    must(db, "edges.put", json, NULL);
}

static void test_principals(void **state) {
    brant_db *db = library(*state);
    const char *shared = "{\"graph\":\"shared\",\"key\":\"k\"}",
               *bobs = "{\"graph\":\"bobs\",\"key\":\"k\"}",
               *free_one = "{\"graph\":\"free\",\"key\":\"k\"}";
    brant_db *ann = must_session(db, "{\"id\":\"ann\",\"principal\":\"account:ann\"}");
    brant_db *carl = must_session(
        db, "{\"id\":\"carl\",\"principal\":\"account:carl\",\"within\":[\"*:read\"]}");
    brant_db *eve =
        must_session(db, "{\"id\":\"eve\",\"principal\":\"account:eve\",\"scopes\":[\"*:*\"]}");
    must_lack(ann, "nodes.get", bobs, "nodes:read"); /* there is no such graph */
    must(eve, "nodes.get", shared, NULL);
    must(db, "graphs.create", "{\"name\":\"access\",\"graph_type\":\"access\",\"changes\":true}",
         NULL);
    static const char *const people[] = {"ann", "carl", "eve"};
    for (size_t i = 0; i < 3; i++) {
        char json[200];
        snprintf(json, sizeof json,
                 "{\"graph\":\"access\",\"key\":\"account:%s\",\"type\":\"Principal\","
                 "\"attributes\":{\"kind\":\"account\"}}",
                 people[i]);
        must(db, "nodes.put", json, NULL);
    }
    must_lack(ann, "nodes.get", bobs, "nodes:read");
    grant(db, "Grants", "account:ann", "graph:bobs", "nodes:read");
    grant(db, "Grants", "account:carl", "*", "nodes:*");
    grant(db, "Denies", "account:eve", "graph:shared", "nodes:*");
    grant(db, "Grants", "account:ann", "operation:locks.list", "locks:read");
    /* What is granted for the graph opens it, also when somebody owns it; what is granted for everything does not. */
    must(ann, "nodes.get", bobs, NULL);
    must_lack(ann, "nodes.put",
              "{\"graph\":\"bobs\",\"key\":\"k\",\"type\":\"T\",\"attributes\":{}}", "nodes:write");
    must_lack(ann, "nodes.get", shared, "nodes:read");
    must(carl, "nodes.get", shared, NULL);
    must(carl, "nodes.get", free_one, NULL);
    must_fail(carl, "nodes.get", bobs, BRANT_NOT_FOUND, "no graph \"bobs\"");
    must_lack(carl, "nodes.put",
              "{\"graph\":\"shared\",\"key\":\"k\",\"type\":\"T\",\"attributes\":{}}",
              "nodes:write");
    must(ann, "locks.list", "", NULL);
    must_lack(ann, "locks.get", "{\"name\":\"l\"}", "locks:read");
    /* An explicit deny wins over whatever the session holds. */
    must_lack(eve, "nodes.get", shared, "nodes:read");
    must(eve, "nodes.get", free_one, NULL);
    brant_cursor *cursor = NULL;
    char *items = NULL;
    size_t length = 0;
    grant(db, "Grants", "account:ann", "operation:events.listen", "events:read");
    assert_int_equal(brant_event_listen(&cursor, ann, TEXT("{\"channels\":[\"x\"]}")), BRANT_OK);
    must(db, "events.notify", "{\"channel\":\"x\"}", NULL);
    assert_int_equal(brant_cursor_next(&items, &length, cursor, 1000), BRANT_OK);
    brant_free(items);
    must(db, "nodes.delete",
         "{\"graph\":\"access\",\"key\":\"operation:events.listen\",\"edges\":\"delete\"}", NULL);
    must(db, "events.notify", "{\"channel\":\"x\"}", NULL);
    assert_int_equal(brant_cursor_next(&items, &length, cursor, 1000), BRANT_DENIED);
    brant_cursor_free(cursor);
    /* At once, and within the transaction that changes it. */
    must(db, "transaction.begin", "", NULL);
    must(db, "nodes.delete", "{\"graph\":\"access\",\"key\":\"graph:bobs\",\"edges\":\"delete\"}",
         NULL);
    must_lack(ann, "nodes.get", bobs, "nodes:read");
    must(db, "transaction.rollback", "", NULL);
    must(ann, "nodes.get", bobs, NULL);
    must(db, "nodes.patch",
         "{\"graph\":\"access\",\"key\":\"account:ann\",\"attributes\":{\"status\":"
         "\"suspended\"}}",
         NULL);
    must_lack(ann, "nodes.get", bobs, "nodes:read");
    brant_db_free(ann);
    brant_db_free(carl);
    brant_db_free(eve);
    brant_db_free(db);
}

/* ---- other ways to the same data -------------------------------------------------------------------------------------- */

static void test_streams_of_graphs(void **state) {
    brant_db *db = library(*state);
    brant_db *ann = must_session(db, "{\"id\":\"ann\",\"scopes\":[\"*:*\"],\"denies\":"
                                     "[\"graphs:admin\",\"audit:*\"]}");
    brant_db *bob = must_session(db, "{\"id\":\"bob\",\"scopes\":[\"streams:read\",\"nodes:read\","
                                     "\"edges:read\",\"graphs:read\"]}");
    brant_db *half = must_session(db, "{\"id\":\"bob\",\"scopes\":[\"streams:read\"]}");
    char stream[80] = "changes:", json[300];
    char *row = must_call(db, "graphs.get", "{\"name\":\"bobs\"}", NULL);
    memcpy(stream + 8, strstr(row, "\"id\":\"") + 6, 36);
    brant_free(row);
    static const char *const operations[] = {"streams.read",  "streams.get",     "streams.stats",
                                             "streams.trim",  "streams.compact", "streams.delete",
                                             "consumers.list"};
    for (size_t i = 0; i < BRANT__COUNT(operations); i++) {
        snprintf(json, sizeof json, "{\"stream\":\"%s\"%s}", stream,
                 strstr(operations[i], "trim") ? ",\"before\":1" : "");
        must_fail(ann, operations[i], json, BRANT_DENIED, "change log");
    }
    snprintf(json, sizeof json, "{\"stream\":\"%s\",\"group\":\"g\",\"member\":\"m\"}", stream);
    must_fail(ann, "consumers.claim", json, BRANT_DENIED, "change log");
    snprintf(json, sizeof json, "{\"stream\":\"%s\",\"key\":\"n:k\"}", stream);
    must_fail(ann, "streams.latest", json, BRANT_DENIED, "change log");
    brant_cursor *cursor = NULL;
    snprintf(json, sizeof json, "{\"stream\":\"%s\",\"from\":0}", stream);
    brant_status status = brant_stream_subscribe(&cursor, ann, TEXT(json));
    if (status == BRANT_OK) { /* then it is told at the first look */
        char *items = NULL;
        size_t length = 0;
        status = brant_cursor_next(&items, &length, cursor, 0);
        brant_free(items);
    }
    if (status == BRANT_INVALID) fail_msg("%s", brant_last_error()->detail);
    assert_int_equal(status, BRANT_DENIED);
    brant_cursor_free(cursor);
    char *list = must_call(ann, "streams.list", "", NULL);
    assert_null(strstr(list, "changes:"));
    brant_free(list);
    must(bob, "streams.list", "", "changes:");
    snprintf(json, sizeof json, "{\"stream\":\"%s\"}", stream);
    must(bob, "streams.read", json, "\"key\":\"n:k\"");
    must_lack(half, "streams.read", json, "nodes:read");
    must_lack(ann, "streams.read", "{\"stream\":\"audit-events\"}", "audit:read");
    must_fail(ann, "streams.publish", "{\"stream\":\"audit-events\",\"payload\":1}", BRANT_DENIED,
              "nothing else");
    must_fail(ann, "calls.publish",
              "{\"stream\":\"audit-events\",\"event\":\"call.requested\",\"request_id\":\"r\","
              "\"namespace\":\"n\",\"operation_id\":\"n.x\",\"type\":\"query\"}",
              BRANT_DENIED, "nothing else");
    must_lack(ann, "streams.trim", "{\"stream\":\"audit-events\",\"max_count\":1}", "audit:write");
    brant_db_free(ann);
    brant_db_free(bob);
    brant_db_free(half);
    brant_db_free(db);
}

static void test_notifications(void **state) {
    brant_db *db = library(*state);
    brant_db *ann = must_session(db, "{\"id\":\"ann\",\"scopes\":[\"events:*\"]}");
    brant_cursor *cursor = NULL;
    char *items = NULL;
    size_t length = 0;
    assert_int_equal(brant_event_listen(&cursor, ann, TEXT("{\"channels\":[\"*\"]}")), BRANT_OK);
    static const char put[] = "{\"graph\":\"%s\",\"key\":\"z\",\"type\":\"T\",\"attributes\":{}}";
    char json[200];
    snprintf(json, sizeof json, put, "bobs");
    must(db, "nodes.put", json, NULL);
    snprintf(json, sizeof json, put, "anns");
    must(db, "nodes.put", json, NULL);
    must(db, "events.notify", "{\"channel\":\"account:created\",\"payload\":{\"email\":\"b@c\"}}",
         NULL);
    must(db, "events.notify", "{\"channel\":\"mine\",\"payload\":7}", NULL);
    assert_int_equal(brant_cursor_next(&items, &length, cursor, 1000), BRANT_OK);
    assert_null(strstr(items, "bobs"));
    assert_non_null(strstr(items, "anns"));
    assert_null(strstr(items, "account:"));
    assert_non_null(strstr(items, "\"mine\""));
    brant_free(items);
    brant_cursor_free(cursor);
    must(ann, "events.notify", "{\"channel\":\"mine\"}", NULL);
    must_fail(ann, "events.notify", "{\"channel\":\"acl:delegation_changed\"}", BRANT_DENIED,
              "library's");
    must_fail(ann, "events.notify", "{\"channel\":\"nodes:created\"}", BRANT_DENIED, NULL);
    brant_db_free(ann);
    brant_db_free(db);
}

/* The library's own statements read its tables under names of their own, which are no views of the user's. */
static void test_statements_with_names(void **state) {
    brant_db *db = library(*state);
    must(db, "graphs.create", "{\"name\":\"t\",\"graph_type\":\"task\"}", NULL);
    must(db, "nodes.put",
         "{\"graph\":\"t\",\"type\":\"Task\",\"key\":\"k\",\"attributes\":{\"title\":\"blue "
         "bird\",\"status\":\"ready\"}}",
         NULL);
    must(db, "indexes.create",
         "{\"name\":\"x\",\"graph_type\":\"task\",\"node_type\":\"Task\",\"kind\":\"text\","
         "\"paths\":["
         "\"attributes.title\"]}",
         NULL);
    must(db, "queues.enqueue", "{\"queue\":\"q\"}", NULL);
    brant_db *session = must_session(db, EVERYTHING);
    must(session, "nodes.search", "{\"graph\":\"t\",\"query\":\"bird\"}", "\"key\":\"k\"");
    must(session, "db.metrics", "{}", "brant_queue_jobs");
    brant_db_free(session);
    brant_db_free(db);
}

static void test_sql(void **state) {
    brant_db *db = library(*state);
    brant_db *session = must_session(db, EVERYTHING);
    static const char *const before[] = {
        "CREATE TABLE mine (x INTEGER PRIMARY KEY AUTOINCREMENT, y)",
        "CREATE VIEW window AS SELECT attributes FROM nodes",
        "CREATE TABLE copies (y)",
        "CREATE TABLE trap (x)",
        "CREATE TRIGGER leak AFTER INSERT ON trap BEGIN INSERT INTO copies SELECT key FROM nodes; "
        "END",
        "CREATE VIRTUAL TABLE words USING fts5(body)",
        "INSERT INTO words VALUES ('a b c')"};
    static const char *const allowed[] = {
        "INSERT INTO mine (y) VALUES (1), (2)",
        "UPDATE mine SET y = y + 1",
        "SELECT sum(y), upper('a'), (SELECT count(*) FROM mine) FROM mine",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM "
        "n",
        "DELETE FROM mine WHERE x = 1",
        "SELECT value FROM json_each('[1,2]')",
        "SELECT body FROM words WHERE words MATCH 'b'",
        "SELECT 1"};
    static const char *const refused[] = {
        "SELECT * FROM nodes",
        "SELECT * FROM brant_accounts",
        "SELECT count(*) FROM brant_api_keys",
        "SELECT 1 WHERE EXISTS (SELECT * FROM graphs)",
        "SELECT * FROM window",
        "SELECT * FROM sqlite_schema",
        "SELECT * FROM sqlite_master",
        "SELECT * FROM sqlite_sequence",
        "SELECT * FROM dbstat",
        "SELECT * FROM pragma_table_info('nodes')",
        "PRAGMA table_info(nodes)",
        "INSERT INTO mine SELECT 9, attributes FROM nodes",
        "UPDATE mine SET y = (SELECT key FROM nodes)",
        "INSERT INTO trap VALUES (1)",
        "INSERT INTO nodes DEFAULT VALUES",
        "DELETE FROM brant_members",
        "CREATE TABLE more (x)",
        "CREATE TEMP TABLE more (x)",
        "CREATE VIEW more AS SELECT * FROM nodes",
        "CREATE TRIGGER more AFTER INSERT ON mine BEGIN SELECT 1; END",
        "CREATE INDEX more ON mine (y)",
        "CREATE VIRTUAL TABLE more USING fts5(attributes, content='nodes')",
        "DROP TABLE mine",
        "ALTER TABLE mine ADD COLUMN z",
        "ANALYZE",
        "REINDEX",
        "ATTACH '/tmp/x' AS x",
        "BEGIN",
        "COMMIT",
        "SAVEPOINT a",
        "PRAGMA user_version"};
    char json[400];
    for (size_t i = 0; i < BRANT__COUNT(before); i++) {
        snprintf(json, sizeof json, "{\"sql\":\"%s\"}", before[i]);
        must(db, "sql.execute", json, NULL);
    }
    for (size_t i = 0; i < BRANT__COUNT(allowed); i++) {
        snprintf(json, sizeof json, "{\"sql\":\"%s\"}", allowed[i]);
        must(session, "sql.execute", json, NULL);
    }
    for (size_t i = 0; i < BRANT__COUNT(refused); i++) {
        snprintf(json, sizeof json, "{\"sql\":\"%s\"}", refused[i]);
        must_fail(session, "sql.execute", json, BRANT_DENIED, NULL);
    }
    must(db, "sql.execute", "{\"sql\":\"SELECT count(*) FROM nodes\"}", NULL);
    must(db, "sql.execute", "{\"sql\":\"SELECT count(*) FROM copies\"}", "[[0]]");
    brant_db_free(session);
    brant_db_free(db);
}

static void test_files_of_the_machine(void **state) {
    brant_db *db = library(*state);
    brant_db *session = must_session(db, EVERYTHING);
    char json[4400];
    const char *path = in_folder(*state, "b.db");
    snprintf(json, sizeof json, "{\"path\":\"%s\"}", path);
    must_fail(session, "db.backup", json, BRANT_DENIED, "may not write files");
    assert_int_not_equal(access(path, F_OK), 0);
    must_fail(session, "db.restore", json, BRANT_DENIED, NULL);
    must_fail(session, "graphs.import",
              "{\"graph\":\"anns\",\"format\":\"ndjson\",\"path\":\"/etc/passwd\"}", BRANT_DENIED,
              "may not read files");
    brant_db *writer =
        must_session(db, "{\"id\":\"ann\",\"scopes\":[\"*:*\"],\"files\":[\"write\"]}");
    must(writer, "db.backup", json, NULL);
    assert_int_equal(access(path, F_OK), 0);
    brant_db *both =
        must_session(db, "{\"id\":\"ann\",\"scopes\":[\"*:*\"],\"files\":[\"write\",\"read\"]}");
    must_fail(both, "db.restore", json, BRANT_DENIED, "cannot");
    brant_db_free(both);
    brant_db_free(writer);
    brant_db_free(session);
    brant_db_free(db);
}

static void test_keys(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    brant_db *other = must_open(in_folder(*state, "b.db"), "");
    brant_db *session = must_session(db, EVERYTHING);
    assert_int_equal(brant_keyring_load(session, "{}", 2), BRANT_DENIED);
    assert_non_null(strstr(brant_last_error()->message, "a session cannot load keys"));
    assert_int_equal(brant_keyring_unload(session), BRANT_DENIED);
    assert_int_equal(brant_keyring_copy(session, other), BRANT_DENIED);
    assert_int_equal(brant_keyring_copy(other, session), BRANT_DENIED);
    assert_int_equal(brant_keyring_copy(other, db), BRANT_OK);
    brant_db_free(session);
    brant_db_free(other);
    brant_db_free(db);
}

static void test_transactions(void **state) {
    brant_db *db = library(*state);
    brant_db *ann = must_session(db, EVERYTHING);
    brant_db *bob = must_session(db, "{\"id\":\"bob\",\"scopes\":[\"*:*\"]}");
    static const char put[] =
        "{\"graph\":\"shared\",\"key\":\"in\",\"type\":\"T\",\"attributes\":{}}";
    /* It joins what runs, and ends nothing that it did not begin. */
    must(db, "transaction.begin", "", "1");
    must(ann, "nodes.put", put, NULL);
    must_fail(ann, "transaction.commit", "", BRANT_DENIED, "did not begin");
    must_fail(ann, "transaction.rollback", "", BRANT_DENIED, "did not begin");
    must(ann, "transaction.begin", "", "2");
    must_fail(bob, "transaction.rollback", "", BRANT_DENIED, "did not begin");
    must(ann, "transaction.commit", "", "1");
    must_fail(ann, "transaction.commit", "", BRANT_DENIED, "did not begin");
    must(db, "transaction.rollback", "", "0");
    must(db, "nodes.exists", "{\"graph\":\"shared\",\"key\":\"in\"}", "false");
    must_fail(ann, "transaction.commit", "", BRANT_MISUSE, "no transaction");
    /* Whoever gave it out ends everything; what was begun by a session that is gone is not the next one's. */
    must(ann, "transaction.begin", "", "1");
    brant_db_free(ann);
    ann = must_session(db, EVERYTHING);
    must_fail(ann, "transaction.commit", "", BRANT_DENIED, "did not begin");
    must(db, "transaction.commit", "", "0");
    brant_db_free(ann);
    brant_db_free(bob);
    brant_db_free(db);
}

static void test_sessions_in_sessions(void **state) {
    brant_db *db = library(*state);
    brant_db *outer = must_session(db, "{\"id\":\"ann\",\"scopes\":[\"nodes:*\",\"graphs:read\"],"
                                       "\"organization\":\"o\",\"files\":[\"read\"]}");
    must_not_session(outer, "{\"id\":\"bob\"}", BRANT_DENIED, "/id");
    must_not_session(outer, "{\"id\":\"ann\",\"organization\":\"p\"}", BRANT_DENIED,
                     "/organization");
    must_not_session(outer, "{\"id\":\"ann\",\"principal\":\"account:bob\"}", BRANT_DENIED,
                     "/principal");
    must_not_session(outer, "{\"id\":\"ann\",\"actor_type\":\"service\"}", BRANT_DENIED,
                     "/actor_type");
    must_not_session(outer, "{\"id\":\"ann\",\"scopes\":[\"*:read\"]}", BRANT_DENIED, "/scopes");
    must_not_session(outer, "{\"id\":\"ann\",\"files\":[\"write\"]}", BRANT_DENIED, "/files");
    brant_db *inner =
        must_session(outer, "{\"id\":\"ann\",\"scopes\":[\"nodes:read\"],\"organization\":\"o\","
                            "\"resources\":{\"graph:bobs\":[\"*\"]}}");
    must(inner, "nodes.get", "{\"graph\":\"shared\",\"key\":\"k\"}", NULL);
    must_lack(inner, "nodes.put",
              "{\"graph\":\"shared\",\"key\":\"k\",\"type\":\"T\",\"attributes\":{}}",
              "nodes:write");
    must_fail(inner, "nodes.get", "{\"graph\":\"bobs\",\"key\":\"k\"}", BRANT_NOT_FOUND, NULL);
    assert_int_equal(brant_close(outer), BRANT_OK);
    must_fail(inner, "nodes.get", "{\"graph\":\"shared\",\"key\":\"k\"}", BRANT_CLOSED, NULL);
    must_not_session(inner, "{\"id\":\"ann\"}", BRANT_CLOSED, "closed");
    brant_db_free(outer);
    must_fail(inner, "nodes.get", "{\"graph\":\"shared\",\"key\":\"k\"}", BRANT_CLOSED, NULL);
    brant_db_free(inner);
    /* Not for ever. */
    brant_db *deep[17] = {db};
    for (size_t i = 1; i < 17; i++)
        deep[i] = must_session(deep[i - 1], "{\"id\":\"ann\",\"scopes\":[]}");
    must_not_session(deep[16], "{\"id\":\"ann\"}", BRANT_LIMIT, "16 deep");
    must_lack(deep[16], "nodes.get", "{\"graph\":\"shared\",\"key\":\"k\"}", "nodes:read");
    for (size_t i = 1; i < 17; i++)
        brant_db_free(deep[i]);
    brant_db_free(db);
}

/* ---- lives ------------------------------------------------------------------------------------------------------------ */

static void test_lives(void **state) {
    brant_db *db = library(*state);
    brant_db *session = must_session(db, EVERYTHING);
    brant_cursor *cursor = NULL;
    char *items = NULL;
    size_t length = 0;
    int fd = -1, own = -1;
    int64_t ms = 0;
    const char *get = "{\"graph\":\"shared\",\"key\":\"k\"}";
    assert_int_equal(brant_check(session), BRANT_OK);
    assert_int_equal(brant_wake_fd(&fd, session), BRANT_OK);
    assert_int_equal(brant_wake_fd(&own, db), BRANT_OK);
    assert_int_equal(fd, own);
    assert_int_equal(brant_wake_acknowledge(session), BRANT_OK);
    assert_int_equal(brant_interrupt(session), BRANT_OK);
    assert_int_equal(brant_deadline_set(session, 1), BRANT_OK);
    must_fail(session, "nodes.get", get, BRANT_TIMEOUT, NULL);
    must(db, "nodes.get", get, NULL);
    assert_int_equal(brant_deadline_set(session, 0), BRANT_OK);
    assert_int_equal(brant_deadline_set(db, 1), BRANT_OK);
    must_fail(session, "nodes.get", get, BRANT_TIMEOUT, NULL);
    assert_int_equal(brant_deadline_set(db, 0), BRANT_OK);
    must(session, "nodes.get", get, NULL);
    /* Closed first: its cursors are, the handle beneath is not. */
    assert_int_equal(brant_event_listen(&cursor, session, TEXT("{\"channels\":[\"*\"]}")),
                     BRANT_OK);
    assert_int_equal(brant_close(session), BRANT_OK);
    assert_int_equal(brant_close(session), BRANT_OK);
    assert_int_equal(brant_check(session), BRANT_CLOSED);
    must_fail(session, "nodes.get", get, BRANT_CLOSED, NULL);
    assert_int_equal(brant_cursor_next(&items, &length, cursor, 1000), BRANT_CLOSED);
    assert_int_equal(brant_cursor_wait(&ms, cursor), BRANT_CLOSED);
    assert_int_equal(brant_wake_fd(&fd, session), BRANT_CLOSED);
    brant_db_free(session);
    brant_cursor_free(cursor); /* after its handle */
    must(db, "nodes.get", get, NULL);
    must(db, "sql.execute", "{\"sql\":\"SELECT count(*) FROM brant_wake WHERE row_id > 0\"}",
         "[[0]]");
    /* The handle beneath closed and freed first. */
    session = must_session(db, EVERYTHING);
    assert_int_equal(brant_event_listen(&cursor, session, TEXT("{\"channels\":[\"*\"]}")),
                     BRANT_OK);
    brant_db_free(db);
    assert_int_equal(brant_check(session), BRANT_CLOSED);
    must_fail(session, "nodes.get", get, BRANT_CLOSED, NULL);
    assert_int_equal(brant_cursor_next(&items, &length, cursor, 1000), BRANT_CLOSED);
    assert_int_equal(brant_interrupt(session), BRANT_OK);
    assert_int_equal(brant_deadline_set(session, 5), BRANT_OK);
    must_not_session(session, EVERYTHING, BRANT_CLOSED, "closed");
    brant_cursor_free(cursor);
    brant_db_free(session);
}

typedef struct waiter {
    brant_cursor *cursor;
    brant_status status;
} waiter;

static void *wait_for_items(void *context) {
    waiter *self = context;
    char *items = NULL;
    size_t length = 0;
    self->status = brant_cursor_next(&items, &length, self->cursor, 2 * PATIENCE);
    brant_free(items);
    return NULL;
}

/* One waits through a session, one through the handle: what ends the one does not end the other. */
static void test_waits(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    for (int turn = 0; turn < 3; turn++) {
        brant_db *session = must_session(db, EVERYTHING);
        waiter through = {0}, beside = {0};
        pthread_t threads[2];
        assert_int_equal(
            brant_event_listen(&through.cursor, session, TEXT("{\"channels\":[\"a\"]}")), BRANT_OK);
        assert_int_equal(brant_event_listen(&beside.cursor, db, TEXT("{\"channels\":[\"b\"]}")),
                         BRANT_OK);
        pthread_create(&threads[0], NULL, wait_for_items, &through);
        pthread_create(&threads[1], NULL, wait_for_items, &beside);
        await_waiting(db, 2);
        if (turn == 0)
            brant_close(session);
        else if (turn == 1)
            brant_interrupt(session);
        else
            brant_db_free(session);
        pthread_join(threads[0], NULL);
        assert_int_equal(through.status, turn == 1 ? BRANT_INTERRUPTED : BRANT_CLOSED);
        must(db, "events.notify", "{\"channel\":\"b\"}", NULL);
        pthread_join(threads[1], NULL);
        assert_int_equal(beside.status, BRANT_OK);
        brant_cursor_free(through.cursor);
        brant_cursor_free(beside.cursor);
        if (turn != 2) brant_db_free(session);
    }
    brant_db_free(db);
}

static void *call_long(void *context) {
    char *answer = NULL;
    size_t length = 0;
    static brant_status status;
    do
        status =
            brant_call(&answer, &length, context, TEXT("sql.execute"),
                       TEXT("{\"sql\":\"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
                            "FROM n) SELECT count(*) FROM n\"}"));
    while (status == BRANT_MISUSE); /* is_in_use is in a call of its own */
    brant_free(answer);
    return &status;
}

static bool is_in_use(brant_db *db) {
    char *answer = NULL;
    size_t length = 0;
    const brant_status status = brant_call(&answer, &length, db, TEXT("db.info"), TEXT("{}"));
    brant_free(answer);
    return status == BRANT_MISUSE;
}

/* A call through a session occupies the handle, and is ended by whoever closes or interrupts either. */
static void test_threads(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    for (int turn = 0; turn < 4; turn++) {
        brant_db *session = must_session(db, EVERYTHING), *other = must_session(db, EVERYTHING);
        pthread_t thread;
        void *status = NULL;
        pthread_create(&thread, NULL, call_long, session);
        const int64_t begun = monotonic_ms();
        while (!is_in_use(db) && monotonic_ms() - begun < PATIENCE)
            pause_ms(1);
        must_fail(db, "db.info", "", BRANT_MISUSE, "another thread");
        must_fail(other, "db.info", "", BRANT_MISUSE, "another thread");
        brant_interrupt(other); /* nobody's call */
        brant_close(other);
        pause_ms(10);
        must_fail(session, "db.info", "", BRANT_MISUSE, "another thread");
        if (turn == 0)
            brant_interrupt(session);
        else if (turn == 1)
            brant_close(session);
        else if (turn == 2)
            brant_interrupt(db);
        else
            brant_close(db);
        pthread_join(thread, &status);
        assert_int_equal(*(brant_status *)status, turn % 2 == 1 ? BRANT_CLOSED : BRANT_INTERRUPTED);
        brant_db_free(other);
        brant_db_free(session);
    }
    brant_db_free(db);
}

/* ---- shells ----------------------------------------------------------------------------------------------------------- */

typedef struct guest {
    int entered, destroyed;
    bool refuse;
} guest;

static brant_status guest_enter(brant_db *db, void *state) {
    guest *self = state;
    (void)db;
    self->entered++;
    return self->refuse ? brant__fail(BRANT_DENIED, "not now") : BRANT_OK;
}
static void guest_destroy(brant_db *handle, void *state) {
    (void)handle;
    ((guest *)state)->destroyed++;
}

static void test_shells(void **state) {
    static const brant__shell_kind kind = {guest_enter, guest_destroy}, another = {NULL, NULL};
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    brant_db *shell = NULL, *session = NULL;
    guest of = {0};
    assert_int_equal(brant__shell_open(&shell, db, &kind, &of, NULL), BRANT_OK);
    assert_ptr_equal(brant__shell_state(shell, &kind), &of);
    assert_null(brant__shell_state(shell, &another));
    assert_null(brant__shell_state(db, &kind));
    assert_ptr_equal(brant__db_connection(shell), db);
    must(shell, "sql.execute", "{\"sql\":\"CREATE TABLE t (x)\"}", NULL); /* trusted */
    assert_int_equal(of.entered, 1);
    session = must_session(shell, EVERYTHING);
    assert_ptr_equal(brant__db_connection(session), db);
    must(session, "db.info", "", NULL);
    assert_int_equal(of.entered, 2);
    of.refuse = true;
    must_fail(session, "db.info", "", BRANT_DENIED, "not now");
    must_fail(shell, "db.info", "", BRANT_DENIED, "not now");
    must(db, "db.info", "", NULL);
    of.refuse = false;
    /* Taken back: stale, and nothing is entered by it or what stands on it. */
    brant_close(shell);
    assert_int_equal(of.destroyed, 1);
    must_fail(shell, "db.info", "", BRANT_CLOSED, NULL);
    must_fail(session, "db.info", "", BRANT_CLOSED, NULL);
    assert_int_equal(of.entered, 4);
    must(db, "db.info", "", NULL);
    brant_db_free(shell);
    brant_db_free(session);
    brant_db_free(db);
    assert_int_equal(of.destroyed, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_folder, tear_down_folder)
        TEST(test_each_operation_takes_its_scopes),
        TEST(test_typed_operations_take_those_behind),
        TEST(test_what_an_identity_is),
        TEST(test_within_and_denies),
        TEST(test_resources_open_one_graph),
        TEST(test_owned_graphs),
        TEST(test_graphs_of_scope_system),
        TEST(test_principals),
        TEST(test_streams_of_graphs),
        TEST(test_notifications),
        TEST(test_statements_with_names),
        TEST(test_sql),
        TEST(test_files_of_the_machine),
        TEST(test_keys),
        TEST(test_transactions),
        TEST(test_sessions_in_sessions),
        TEST(test_lives),
        TEST(test_waits),
        TEST(test_threads),
        TEST(test_shells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
