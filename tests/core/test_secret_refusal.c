/*
 * What refuses to look into encrypted attributes: filters, orders, indexes, searches, weights, walks, retention, patches of migrations,
 * and graph types that begin to encrypt what an index or a rule already looks at.
 */
#include "support_ring.h"
#include "test_graph.h"

/* Secret encrypts /value and /db/password, Host nothing; edges: Uses encrypts /token, Links nothing. */
#define VAULT                                                                                      \
    "{\"$id\":\"vault\",\"$defs\":{\"SecretNode\":{\"type\":\"object\",\"properties\":{"           \
    "\"value\":{\"x-encrypted\":true},\"db\":{\"type\":\"object\",\"properties\":{"                \
    "\"password\":{\"x-encrypted\":true},\"host\":{}}},\"a.b\":{\"type\":\"object\","              \
    "\"properties\":{\"c/d\":{\"x-encrypted\":true}}},\"note\":{}}},"                              \
    "\"HostNode\":{\"type\":\"object\"},"                                                          \
    "\"UsesEdge\":{\"type\":\"object\",\"properties\":{\"token\":{\"x-encrypted\":true},"          \
    "\"cost\":{}}},\"LinksEdge\":{\"type\":\"object\"}}}"

static brant_db *open_vault(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");

    define(db, VAULT);
    holds(db, "graphs.create", "\"id\"", "{\"name\":\"g\",\"graph_type\":\"vault\"}");
    holds(db, "nodes.put", "true",
          "{\"graph\":\"g\",\"key\":\"h\",\"type\":\"Host\",\"attributes\":{\"value\":1,\"n\":2}}");
    holds(db, "nodes.put", "true",
          "{\"graph\":\"g\",\"key\":\"s\",\"type\":\"Secret\",\"attributes\":{\"note\":\"x\","
          "\"db\":{\"host\":\"db1\"}}}");
    holds(db, "edges.put", "true",
          "{\"graph\":\"g\",\"source\":\"h\",\"target\":\"s\",\"type\":\"Links\","
          "\"attributes\":{\"token\":5}}");
    return db;
}

#define SAYS "is encrypted by node type \"Secret\": it cannot be filtered, ordered or indexed"

static void refused(brant_db *db, const char *name, const char *pointer, const char *message,
                    const char *format, ...) FORMAT(5, 6);
static void refused(brant_db *db, const char *name, const char *pointer, const char *message,
                    const char *format, ...) {
    char wanted[160];
    va_list arguments;
    char *json;

    va_start(arguments, format);
    json = format_text(format, arguments);
    va_end(arguments);
    must_fail(db, name, json, BRANT_INVALID, message);
    snprintf(wanted, sizeof(wanted), "{\"pointer\":\"%s\"}", pointer);
    detail_holds(wanted);
    free(json);
}

static void filters_do_not_look_into_it(void **state) {
    static const char *const operators[] = {
        "null",
        "\"x\"",
        "{\"$eq\":{\"$enc\":2}}",
        "{\"$ne\":\"x\"}",
        "{\"$in\":[\"a\",{\"b\":1}]}",
        "{\"$nin\":[[1]]}",
        "{\"$gt\":\"a\",\"$lt\":\"b\"}",
        "{\"$exists\":true}",
        "{\"$prefix\":\"a\"}",
        "{\"$contains\":\"a\"}",
        "{\"$not\":{\"$eq\":1}}",
    };
    static const struct {
        const char *path, *named, *pointer;
    } paths[] = {
        {"attributes.value", "attributes.value", "attributes.value"},
        {"attributes/value", "attributes.value", "attributes~1value"},
        {"attributes.value.inner.0", "attributes.value", "attributes.value.inner.0"},
        {"attributes.value.ct", "attributes.value", "attributes.value.ct"},
        {"attributes.db", "attributes.db.password", "attributes.db"},
        {"attributes.db.password", "attributes.db.password", "attributes.db.password"},
        {"attributes/a.b", "attributes/a.b/c~1d", "attributes~1a.b"},
        {"attributes/a.b/c~1d/0", "attributes/a.b/c~1d", "attributes~1a.b~1c~01d~10"},
    };
    brant_db *db = open_vault(state);
    char pointer[96], message[160];

    for (size_t i = 0; i < BRANT__COUNT(operators); i++)
        refused(db, "nodes.list", "/filter/attributes.value", "attributes.value " SAYS,
                "{\"graph\":\"g\",\"filter\":{\"attributes.value\":%s}}", operators[i]);
    for (size_t i = 0; i < BRANT__COUNT(paths); i++) {
        snprintf(pointer, sizeof(pointer), "/filter/%s", paths[i].pointer);
        snprintf(message, sizeof(message), "%s " SAYS, paths[i].named);
        refused(db, "nodes.list", pointer, message,
                "{\"graph\":\"g\",\"filter\":{\"%s\":{\"$exists\":false}}}", paths[i].path);
    }
    refused(db, "nodes.count", "/filter/$or/1/$not/attributes.value", SAYS,
            "{\"graph\":\"g\",\"filter\":{\"$or\":[{\"key\":\"a\"},{\"$not\":"
            "{\"attributes.value\":1}}]}}");
    refused(db, "nodes.explain", "/filter/attributes.value", SAYS,
            "{\"graph\":\"g\",\"filter\":{\"attributes.value\":1}}");
    refused(db, "nodes.delete_many", "/filter/attributes.value", SAYS,
            "{\"graph\":\"g\",\"filter\":{\"attributes.value\":1}}");
    refused(db, "edges.list", "/filter/attributes.token", "by edge type \"Uses\"",
            "{\"graph\":\"g\",\"filter\":{\"attributes.token\":1}}");
    refused(db, "types.vault.Secret.find", "/filter/attributes.value", SAYS,
            "{\"graph\":\"g\",\"filter\":{\"attributes.value\":1}}");
    refused(db, "graphs.export", "/filter/attributes.value", SAYS,
            "{\"graph\":\"g\",\"format\":\"csv\",\"part\":\"nodes\",\"filter\":{\"attributes."
            "value\":1}}");
    refused(db, "graphs.export", "/edge_filter/attributes.token", "edge type \"Uses\"",
            "{\"graph\":\"g\",\"format\":\"csv\",\"part\":\"edges\",\"edge_filter\":{\"attributes."
            "token\":1}}");
    /* What is beside it is free, and metadata are never encrypted. */
    holds(db, "nodes.count", "1", "{\"graph\":\"g\",\"filter\":{\"attributes.db.host\":\"db1\"}}");
    holds(db, "nodes.count", "0", "{\"graph\":\"g\",\"filter\":{\"attributes.valu\":1}}");
    holds(db, "nodes.count", "0", "{\"graph\":\"g\",\"filter\":{\"attributes.dbs\":1}}");
    holds(db, "nodes.count", "0", "{\"graph\":\"g\",\"filter\":{\"metadata.value\":1}}");
    holds(db, "edges.count", "1", "{\"graph\":\"g\",\"filter\":{\"attributes.cost\":null}}");
    brant_db_free(db);
}

/* The other types of a graph may have plain attributes of the name. */
static void a_filter_concerns_the_types_that_it_leaves(void **state) {
    static const char *const fine[] = {
        "{\"type\":\"Host\",\"attributes.value\":1}",
        "{\"attributes.value\":1,\"type\":{\"$eq\":\"Host\"}}",
        "{\"$and\":[{\"key\":\"h\",\"type\":{\"$ne\":\"Secret\"}},{\"attributes.value\":{\"$gt\":0}"
        "}]}",
        "{\"$or\":[{\"type\":\"Host\",\"attributes.value\":1},{\"type\":\"Secret\","
        "\"attributes.note\":\"y\"}]}",
        "{\"type\":{\"$in\":[\"Host\"]},\"$not\":{\"attributes.value\":2}}",
        "{\"$or\":[{\"type\":\"Host\"},{\"type\":\"Host\"}],\"attributes.value\":1}",
    };
    static const char *const refusals[] = {
        "{\"type\":\"Secret\",\"attributes.value\":1}",
        "{\"type\":{\"$in\":[\"Host\",\"Secret\"]},\"attributes.value\":1}",
        "{\"$or\":[{\"type\":\"Host\"},{\"attributes.value\":1}]}",
        "{\"$not\":{\"type\":\"Host\"},\"attributes.value\":1}",
        "{\"$or\":[{\"type\":\"Host\"},{\"key\":\"s\"}],\"attributes.value\":1}",
        "{\"type\":{\"$exists\":true},\"attributes.value\":1}",
    };
    brant_db *db = open_vault(state);

    for (size_t i = 0; i < BRANT__COUNT(fine); i++)
        is(db, "nodes.count", "{\"count\":1}", "{\"graph\":\"g\",\"filter\":%s}", fine[i]);
    for (size_t i = 0; i < BRANT__COUNT(refusals); i++)
        fails(db, "nodes.count", BRANT_INVALID, "attributes.value " SAYS,
              "{\"graph\":\"g\",\"filter\":%s}", refusals[i]);
    is(db, "nodes.count", "{\"count\":1}",
       "{\"graph\":\"g\",\"type\":\"Host\",\"filter\":{\"attributes.value\":1}}");
    holds(db, "types.vault.Host.find", "\"h\"",
          "{\"graph\":\"g\",\"filter\":{\"attributes.value\":1}}");
    holds(db, "nodes.list", "\"h\"",
          "{\"graph\":\"g\",\"type\":\"Host\",\"order_by\":\"attributes.value\"}");
    is(db, "edges.count", "{\"count\":1}",
       "{\"graph\":\"g\",\"type\":\"Links\",\"filter\":{\"attributes.token\":5}}");
    brant_db_free(db);
}

static void orders_indexes_and_searches_do_not_either(void **state) {
    brant_db *db = open_vault(state);

    refused(db, "nodes.list", "/order_by", "attributes.value " SAYS,
            "{\"graph\":\"g\",\"order_by\":\"attributes.value\"}");
    refused(db, "nodes.list", "/order_by", SAYS,
            "{\"graph\":\"g\",\"type\":\"Secret\",\"order_by\":\"attributes/db\"}");
    refused(db, "edges.list", "/order_by", "edge type \"Uses\"",
            "{\"graph\":\"g\",\"order_by\":\"attributes.token\",\"descending\":true}");
    refused(db, "nodes.explain", "/order_by", SAYS,
            "{\"graph\":\"g\",\"order_by\":\"attributes.value\"}");
    refused(db, "indexes.create", "/paths/1", "attributes.value " SAYS,
            "{\"graph_type\":\"vault\",\"node_type\":\"Secret\",\"paths\":[\"attributes.note\","
            "\"attributes.value\"]}");
    refused(db, "indexes.create", "/paths/0", "attributes.db.password " SAYS,
            "{\"graph_type\":\"vault\",\"node_type\":\"Secret\",\"kind\":\"text\","
            "\"paths\":[\"attributes.db\"]}");
    refused(db, "indexes.create", "/paths/0", "edge type \"Uses\"",
            "{\"graph_type\":\"vault\",\"edge_type\":\"Uses\",\"paths\":[\"attributes.token.x\"]}");
    holds(db, "indexes.create", "\"id\"",
          "{\"graph_type\":\"vault\",\"node_type\":\"Host\",\"paths\":[\"attributes.value\"]}");
    holds(db, "indexes.create", "\"id\"",
          "{\"graph_type\":\"vault\",\"node_type\":\"Secret\",\"kind\":\"text\","
          "\"paths\":[\"attributes.note\",\"attributes.db.host\"]}");
    refused(db, "nodes.search", "/filter/attributes.value", SAYS,
            "{\"graph\":\"g\",\"query\":\"x\",\"filter\":{\"attributes.value\":1}}");
    holds(db, "nodes.search", "\"s\"", "{\"graph\":\"g\",\"query\":\"x\"}");
    brant_db_free(db);
}

static void walks_and_weights_do_not_either(void **state) {
    static const struct {
        const char *name, *member, *rest;
    } nodes[] = {
        {"nodes.closure", "node_filter", "\"keys\":[\"h\"]"},
        {"graphs.components", "node_filter", "\"edge_types\":[]"},
        {"graphs.count_walks", "node_filter", "\"length\":2"},
        {"graphs.find_cycle", "node_filter", "\"edge_types\":[]"},
        {"graphs.paths", "node_filter", "\"source\":\"h\",\"target\":\"s\",\"max_depth\":2"},
        {"graphs.shortest_path", "node_filter", "\"source\":\"h\",\"target\":\"s\""},
        {"graphs.shortest_paths", "node_filter", "\"source\":\"h\""},
        {"graphs.topological_order", "node_filter", "\"edge_types\":[]"},
        {"graphs.subgraph", "filter", "\"limit\":5"},
    };
    static const char *const weighted[] = {
        "{\"graph\":\"g\",\"source\":\"h\",\"target\":\"s\",\"weight\":\"attributes.token\"}",
        "{\"graph\":\"g\",\"source\":\"h\",\"target\":\"s\",\"weight\":\"attributes/token/x\","
        "\"default_weight\":1}",
    };
    brant_db *db = open_vault(state);

    for (size_t i = 0; i < BRANT__COUNT(nodes); i++) {
        char pointer[64];
        snprintf(pointer, sizeof(pointer), "/%s/attributes.value", nodes[i].member);
        refused(db, nodes[i].name, pointer, SAYS,
                "{\"graph\":\"g\",%s,\"%s\":{\"attributes.value\":1}}", nodes[i].rest,
                nodes[i].member);
    }
    refused(db, "graphs.degrees", "/edge_filter/attributes.token", "by edge type \"Uses\"",
            "{\"graph\":\"g\",\"edge_filter\":{\"attributes.token\":1}}");
    refused(db, "graphs.pagerank", "/weight", "by edge type \"Uses\"",
            "{\"graph\":\"g\",\"weight\":\"attributes.token\"}");
    for (size_t i = 0; i < BRANT__COUNT(weighted); i++)
        refused(db, "graphs.shortest_path", "/weight", "by edge type \"Uses\"", "%s", weighted[i]);
    refused(db, "graphs.arrays", "/weight", "by edge type \"Uses\"",
            "{\"graph\":\"g\",\"weight\":\"attributes.token\"}");
    refused(db, "graphs.arrays", "/edge_filter/attributes.token", "by edge type \"Uses\"",
            "{\"graph\":\"g\",\"edge_filter\":{\"attributes.token\":1}}");
    brant_db_free(db);
}

static void retention_does_not_either(void **state) {
    brant_db *db = open_vault(state);

    refused(db, "graph_types.set_retention", "/rules/nodes/1/filter/attributes.value", SAYS,
            "{\"name\":\"vault\",\"rules\":{\"nodes\":[{\"older_than\":1},{\"older_than\":1,"
            "\"filter\":{\"attributes.value\":1}}]}}");
    fails(db, "graph_types.set_retention", BRANT_INVALID, "attributes.value " SAYS,
          "{\"name\":\"vault\",\"rules\":{\"nodes\":[{\"older_than\":1,"
          "\"by\":\"attributes.value\"}]}}");
    fails(db, "graph_types.set_retention", BRANT_INVALID, "attributes.value " SAYS,
          "{\"name\":\"vault\",\"rules\":{\"nodes\":[{\"type\":\"Secret\",\"older_than\":1,"
          "\"by\":\"attributes/value\"}]}}");
    fails(db, "graph_types.set_retention", BRANT_INVALID, "edge type \"Uses\"",
          "{\"name\":\"vault\",\"rules\":{\"edges\":[{\"older_than\":1,"
          "\"filter\":{\"attributes.token.x\":1}}]}}");
    holds(db, "graph_types.set_retention", "vault",
          "{\"name\":\"vault\",\"rules\":{\"nodes\":[{\"type\":\"Host\",\"older_than\":1,"
          "\"by\":\"attributes.value\",\"filter\":{\"attributes.value\":{\"$gt\":0}}}]}}");
    holds(db, "db.maintain", "\"nodes\":1", "{}");
    holds(db, "nodes.count", "1", "{\"graph\":\"g\"}");
    brant_db_free(db);
}

#define PLAIN(properties)                                                                          \
    "{\"$id\":\"p\",\"$defs\":{\"SecretNode\":{\"type\":\"object\",\"properties\":{" properties    \
    "}},\"UsesEdge\":{\"type\":\"object\",\"properties\":{}}}}"

static void a_type_does_not_begin_to_encrypt_what_is_looked_at(void **state) {
    static const char *const indexes[] = {
        "\"paths\":[\"attributes.value\"]",
        "\"paths\":[\"attributes.other\",\"attributes.value.inner\"]",
        "\"kind\":\"text\",\"paths\":[\"attributes/value\"]",
    };
    const char *const encrypting = PLAIN("\"value\":{\"x-encrypted\":true}");
    brant_db *db = must_open(in_folder(*state, "a.db"), "");

    define(db, PLAIN("\"value\":{}"));
    for (size_t i = 0; i < BRANT__COUNT(indexes); i++) {
        holds(db, "indexes.create", "\"id\"",
              "{\"graph_type\":\"p\",\"node_type\":\"Secret\",\"name\":\"i%d\",%s}", (int)i,
              indexes[i]);
        fails(db, "graph_types.update", BRANT_CONSTRAINT, "node type \"Secret\" cannot encrypt",
              "{\"name\":\"p\",\"version\":2,\"module\":%s}", encrypting);
        assert_non_null(
            strstr(brant_last_error()->message, i ? i == 1 ? "\"i1\"" : "\"i2\"" : "\"i0\""));
        holds(db, "indexes.delete", "true", "{\"name\":\"i%d\"}", (int)i);
    }
    holds(
        db, "graph_types.set_retention", "p",
        "{\"name\":\"p\",\"rules\":{\"nodes\":[{\"older_than\":1,\"by\":\"attributes.value\"}]}}");
    fails(db, "graph_types.update", BRANT_CONSTRAINT, "graph_types.set_retention",
          "{\"name\":\"p\",\"version\":2,\"module\":%s}", encrypting);
    holds(db, "graph_types.get", "\"version\":1", "{\"name\":\"p\"}");
    holds(db, "graph_types.set_retention", "null", "{\"name\":\"p\",\"rules\":null}");
    holds(db, "indexes.create", "\"id\"",
          "{\"graph_type\":\"p\",\"edge_type\":\"Uses\",\"paths\":[\"attributes.value\"]}");
    holds(db, "indexes.create", "\"id\"",
          "{\"graph_type\":\"p\",\"node_type\":\"Secret\",\"paths\":[\"attributes.other\"]}");
    holds(db, "graph_types.update", "\"version\":2", "{\"name\":\"p\",\"version\":2,\"module\":%s}",
          encrypting);
    brant_db_free(db);
}

static void patches_of_migrations_leave_it_where_it_is(void **state) {
    static const char *const refusals[] = {
        "{\"op\":\"move\",\"from\":\"/value\",\"path\":\"/other\"}",
        "{\"op\":\"copy\",\"from\":\"/note\",\"path\":\"/value/x\"}",
        "{\"op\":\"copy\",\"from\":\"/value\",\"path\":\"/db\"}",
        "{\"op\":\"copy\",\"from\":\"/value/x\",\"path\":\"/note\"}",
        "{\"op\":\"move\",\"from\":\"/db\",\"path\":\"/database\"}",
        "{\"op\":\"add\",\"path\":\"/value\",\"value\":\"plain\"}",
        "{\"op\":\"replace\",\"path\":\"\",\"value\":{}}",
        "{\"op\":\"add\",\"path\":\"/a.b/c~1d\",\"value\":1}",
        "{\"op\":\"test\",\"path\":\"/value\",\"value\":1}",
    };
    brant_db *db = open_vault(state);

    for (size_t i = 0; i < BRANT__COUNT(refusals); i++)
        for (int background = 0; background < 2; background++)
            fails(db, "graph_types.migrate", BRANT_INVALID, "a patch can only remove it",
                  "{\"name\":\"vault\",\"background\":%s,\"patches\":{\"Secret\":["
                  "{\"op\":\"remove\",\"path\":\"/note\"},%s]}}",
                  background ? "true" : "false", refusals[i]);
    fails(db, "graph_types.migrate", BRANT_INVALID, "attributes.token, which is encrypted by edge",
          "{\"name\":\"vault\",\"patches\":{\"Uses\":[{\"op\":\"add\",\"path\":\"/token\","
          "\"value\":1}]}}");
    holds(db, "graph_types.migrate", "\"done\":true",
          "{\"name\":\"vault\",\"patches\":{\"Host\":[{\"op\":\"add\",\"path\":\"/value\","
          "\"value\":1}],\"Secret\":[{\"op\":\"remove\",\"path\":\"/value\"},{\"op\":\"add\","
          "\"path\":\"/db/host\",\"value\":\"x\"}]}}");
    brant_db_free(db);
}

/* A plain attribute becomes an encrypted one: sealed as it is moved. */
static void a_migration_may_move_a_plain_value_there(void **state) {
    static const char patches[] =
        "{\"name\":\"p\",\"limit\":9,\"on_failure\":\"skip\",\"patches\":{\"Secret\":["
        "{\"op\":\"move\",\"from\":\"/plain\",\"path\":\"/sealed\"}]}}";
    brant_db *db = must_open(in_folder(*state, "a.db"), "");

    define(db, PLAIN("\"plain\":{}"));
    holds(db, "graphs.create", "\"id\"", "{\"name\":\"g\",\"graph_type\":\"p\"}");
    holds(db, "nodes.put", "true",
          "{\"graph\":\"g\",\"key\":\"a\",\"type\":\"Secret\",\"attributes\":{\"plain\":\"two\"}}");
    holds(db, "graph_types.update", "\"version\":2", "{\"name\":\"p\",\"version\":2,\"module\":%s}",
          PLAIN("\"sealed\":{\"x-encrypted\":true}"));
    holds(db, "graph_types.migrate", "\"failed\":1", "%s", patches);
    must_load(db, RING_1);
    holds(db, "graph_types.migrate", "\"done\":true,\"migrated\":1", "%s", patches);
    is(db, "nodes.open_secret", "{\"value\":\"two\",\"key_version\":1}",
       "{\"graph\":\"g\",\"key\":\"a\",\"path\":\"attributes.sealed\"}");
    brant_db_free(db);
}

/* As it would be stored; its texts are those that db.erase is asked for. */
#define ENVELOPE                                                                                   \
    "{\"$enc\":2,\"alg\":\"xc20p-b2\",\"kv\":1,\"n\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","        \
    "\"c\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"ct\":\"AAAAAAAAAAAAAAAAAAAAAAA\"}"

static void erasing_leaves_envelopes_whole(void **state) {
    static const char *const values[] = {
        "$enc", "xc20p-b2", "ct", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAA",
    };
    brant_db *db = open_vault(state);

    /* In a type that does not encrypt it, so that it is taken as it is. */
    holds(db, "nodes.put", "true",
          "{\"graph\":\"g\",\"key\":\"e\",\"type\":\"Host\",\"attributes\":{\"value\":" ENVELOPE
          ",\"who\":\"ann\"}}");
    for (size_t i = 0; i < BRANT__COUNT(values); i++)
        for (int redact = 0; redact < 2; redact++)
            holds(db, "db.erase", "{\"nodes\":[],\"edges\":[],",
                  "{\"values\":[\"%s\"],\"action\":\"%s\"}", values[i],
                  redact ? "redact" : "delete");
    holds(db, "db.erase", "{\"graph\":\"g\",\"key\":\"e\",\"action\":\"redact\"}",
          "{\"values\":[\"ann\",\"ct\"],\"action\":\"redact\"}");
    holds(db, "nodes.get", "\"value\":" ENVELOPE ",\"who\":\"[erased]\"",
          "{\"graph\":\"g\",\"key\":\"e\"}");
    /* What only looks like one is text like any other. */
    holds(db, "nodes.put", "true",
          "{\"graph\":\"g\",\"key\":\"f\",\"type\":\"Host\",\"attributes\":{\"value\":"
          "{\"$enc\":2,\"alg\":\"bob\"}}}");
    holds(db, "db.erase", "\"key\":\"f\"", "{\"values\":[\"bob\"]}");
    healthy(db);
    brant_db_free(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(filters_do_not_look_into_it),
        GRAPH_TEST(a_filter_concerns_the_types_that_it_leaves),
        GRAPH_TEST(orders_indexes_and_searches_do_not_either),
        GRAPH_TEST(walks_and_weights_do_not_either),
        GRAPH_TEST(retention_does_not_either),
        GRAPH_TEST(a_type_does_not_begin_to_encrypt_what_is_looked_at),
        GRAPH_TEST(patches_of_migrations_leave_it_where_it_is),
        GRAPH_TEST(a_migration_may_move_a_plain_value_there),
        GRAPH_TEST(erasing_leaves_envelopes_whole),
    };

    return cmocka_run_group_tests_name("secret refusal", tests, NULL, NULL);
}
