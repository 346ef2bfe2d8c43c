/*
 * tests/core/test_seal_out.c: no way out of a graph has a secret: the change log, differences, replays, exports of each format, arrays; what is imported; typed operations;
 * rows that are older than the encryption; migrations.
 */
#include "test_seal.h"

#include "base/base.h"

static void without(const char *text, const char *canary) {
    if (strstr(text, canary)) fail_msg("%s is in %s", canary, text);
}

/* Two secrets, a node without, an edge with one. */
static void fill(brant_db *db) {
    holds(db, "nodes.put_many", "\"created\":3",
          "{\"graph\":\"g\",\"items\":["
          "{\"key\":\"a\",\"type\":\"Secret\",\"attributes\":{\"value\":\"canary-1\",\"note\":"
          "\"n\"}},"
          "{\"key\":\"b\",\"type\":\"Secret\",\"attributes\":{\"pin\":777777,\"db\":{\"host\":"
          "\"h\",\"a/b~\":{\"x\":\"canary-2\"}}}},"
          "{\"key\":\"p\",\"type\":\"Plain\",\"attributes\":{\"value\":\"seen\"}}]}");
    holds(db, "edges.put", "\"created\":true",
          "{\"graph\":\"g\",\"source\":\"a\",\"target\":\"p\",\"type\":\"Uses\",\"attributes\":{"
          "\"token\":\"canary-3\",\"since\":1}}");
}

/* ---- the change log -------------------------------------------------------------------------- */

static void test_change_log(void **state) {
    brant_db *db = open_vault(*state);
    const char *events;

    fill(db);
    holds(db, "graphs.update", "\"changes\":true", "{\"name\":\"g\",\"changes\":true}");
    holds(db, "nodes.put", "\"revision\":2", PUT("a", "\"value\":\"canary-4\",\"note\":\"n\""));
    holds(db, "nodes.patch", "\"revision\":3",
          "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"value\":\"canary-5\"}}");
    holds(db, "nodes.put", "\"revision\":4", PUT("a", "\"value\":" REDACTED ",\"note\":\"m\""));
    holds(db, "edges.patch", "\"changed\":true",
          "{\"graph\":\"g\",\"key\":\"[\\\"a\\\",\\\"Uses\\\",\\\"p\\\"]\",\"attributes\":{"
          "\"since\":2}}");
    holds(db, "nodes.delete", "\"deleted\":", GET("b"));
    events = answer(db, "graphs.changes", "{\"graph\":\"g\"}");
    without(events, "canary");
    without(events, "777777");
    without(events, "$enc");
    /* Snapshot, put, before: of nodes and of edges. */
    assert_non_null(strstr(events, "\"attributes\":{\"value\":" REDACTED
                                   ",\"note\":\"n\"},\"revision\":1,\"snapshot\":true"));
    assert_non_null(strstr(events,
                           "\"attributes\":{\"value\":" REDACTED ",\"note\":\"m\"},\"revision\":4,"
                           "\"before\":{\"type\":\"Secret\",\"attributes\":{\"value\":" REDACTED
                           ",\"note\":\"n\"},\"revision\":3}"));
    assert_non_null(
        strstr(events,
               "\"op\":\"delete\",\"before\":{\"type\":\"Secret\",\"attributes\":{\"pin\":" REDACTED
               ",\"db\":{\"host\":\"h\",\"a/b~\":" REDACTED "}},\"revision\":1}"));
    assert_non_null(strstr(events, "\"attributes\":{\"token\":" REDACTED ",\"since\":2}"));
    assert_non_null(strstr(events, "\"attributes\":{\"value\":\"seen\"}"));
    without(answer(db, "streams.list", "{}"), "canary");
    no_trace(*state, "canary");
    brant_db_free(db);
}

static void test_diff_and_replay(void **state) {
    brant_db *db = open_vault(*state);

    holds(db, "graphs.update", "\"changes\":true", "{\"name\":\"g\",\"changes\":true}");
    fill(db);
    /* The log does not say whether a secret is another: where it was written it counts. */
    holds(db, "nodes.put", "\"revision\":2", PUT("a", "\"value\":\"canary-4\",\"note\":\"n\""));
    holds(db, "nodes.put", "\"revision\":2",
          "{\"graph\":\"g\",\"key\":\"p\",\"attributes\":{\"value\":\"seen\"}}");
    holds(db, "graphs.diff", "\"nodes\":{\"created\":[],\"updated\":[\"a\"],\"deleted\":[]}",
          "{\"graph\":\"g\",\"from\":5}");
    /* A replay has the redaction in the place of the value, which no key opens. */
    assert_int_equal(brant_keyring_unload(db), BRANT_OK);
    holds(db, "graphs.replay", "\"nodes\":3,\"edges\":1",
          "{\"graph\":\"g\",\"to\":6,\"into\":\"r\"}");
    must_load(db, RING_1);
    holds(db, "nodes.get", "\"attributes\":{\"value\":" REDACTED ",\"note\":\"n\"}",
          "{\"graph\":\"r\",\"key\":\"a\"}");
    fails(db, "nodes.open_secret", BRANT_AUTH, "does not open",
          "{\"graph\":\"r\",\"key\":\"a\",\"path\":\"attributes.value\"}");
    holds(db, "nodes.patch", "\"changed\":true",
          "{\"graph\":\"r\",\"key\":\"a\",\"attributes\":{\"note\":\"o\"}}");
    holds(db, "nodes.put", "\"revision\":3",
          "{\"graph\":\"r\",\"key\":\"a\",\"attributes\":{\"value\":" REDACTED "}}");
    fails(db, "nodes.patch", BRANT_AUTH, "does not open",
          "{\"graph\":\"r\",\"key\":\"a\",\"attributes\":{\"value\":{\"x\":1}}}");
    holds(db, "nodes.put", "\"revision\":4",
          "{\"graph\":\"r\",\"key\":\"a\",\"attributes\":{\"value\":\"new\"}}");
    is(db, "nodes.open_secret", "{\"value\":\"new\",\"key_version\":1}",
       "{\"graph\":\"r\",\"key\":\"a\",\"path\":\"attributes.value\"}");
    /* A rotation has nothing to bring under another key there, and leaves it. */
    holds(db, "graphs.replay", "\"nodes\":3", "{\"graph\":\"g\",\"to\":6,\"into\":\"r2\"}");
    must_load(db, RING_2);
    holds(db, "secrets.rotate", "\"rewrapped\":0,\"sealed\":0,\"failed\":0",
          "{\"graph\":\"r2\",\"limit\":9}");
    holds(db, "nodes.get", "\"attributes\":{\"value\":" REDACTED ",\"note\":\"n\"}",
          "{\"graph\":\"r2\",\"key\":\"a\"}");
    must_load(db, RING_1);
    /* Nobody else may do what a replay does. */
    fails(db, "nodes.insert", BRANT_INVALID, "is redacted",
          "{\"graph\":\"r\",\"key\":\"n\",\"type\":\"Secret\",\"attributes\":{\"value\":" REDACTED
          "}}");
    healthy(db);
    brant_db_free(db);
}

/* ---- exports --------------------------------------------------------------------------------- */

static const char *const exports[] = {
    "\"format\":\"ndjson\"",
    "\"format\":\"graphology\"",
    "\"format\":\"node_link\"",
    "\"format\":\"csv\",\"part\":\"nodes\"",
    "\"format\":\"csv\",\"part\":\"edges\"",
    "\"format\":\"graphml\"",
    "\"format\":\"dot\"",
    "\"format\":\"mermaid\"",
};

static void test_exports(void **state) {
    brant_db *db = open_vault(*state);

    fill(db);
    for (int plain = 0; plain < 2; plain++) {
        if (plain) { /* a row that is older than the encryption */
            overwrite(db, in_folder(*state, "a.db"), "a",
                      "{\"value\":\"canary-6\",\"note\":\"n\"}");
            holds(db, "nodes.get", "{\"value\":" REDACTED ",\"note\":\"n\"}", GET("a"));
            overwrite(db, in_folder(*state, "a.db"), "b", "{\"pin\":777777}");
            holds(db, "graphs.export", "attr.name=\\\"pin\\\" attr.type=\\\"string\\\"",
                  "{\"graph\":\"g\",\"format\":\"graphml\"}");
        }
        for (size_t i = 0; i < BRANT__COUNT(exports); i++) {
            const char *text = answer(db, "graphs.export", "{\"graph\":\"g\",%s}", exports[i]);
            without(text, "canary");
            without(text, "777777");
            without(text, "$enc");
            without(text, "xc20p");
            if (i < 4) assert_non_null(strstr(text, "$redacted"));
            if (i < 4) assert_non_null(strstr(text, "seen"));
        }
        {
            const char *text = answer(db, "graphs.arrays", "{\"graph\":\"g\",\"attributes\":true}");
            without(text, "canary");
            without(text, "$enc");
            assert_non_null(strstr(text, "\"node_attributes\":[{\"value\":" REDACTED
                                         ",\"note\":\"n\"},{\"pin\":" REDACTED));
            assert_non_null(
                strstr(text, "\"edge_attributes\":[{\"token\":" REDACTED ",\"since\":1}]"));
        }
    }
    brant_db_free(db);
}

/* An import is given the text that an export gave. */
static void import(brant_db *db, const char *graph, const char *format, const char *exported,
                   const char *more, const char *wanted) {
    brant__json json = parsed(exported);
    brant__buffer input = {0};

    brant__buffer_format(&input, "{\"graph\":\"%s\",%s,%s\"text\":", graph, format, more);
    brant__json_append(&input, brant__json_get(json.root, "text"));
    brant__buffer_append(&input, "}", 2);
    if (wanted) {
        must(db, "graphs.import", input.data, wanted);
    } else {
        must_fail(db, "graphs.import", input.data, BRANT_INVALID,
                  "/value: is redacted, and nothing is stored there");
        detail_holds("\"key\":\"a\"");
    }
    brant__buffer_free(&input);
    brant__json_free(&json);
}

static void test_import(void **state) {
    brant_db *db = open_vault(*state);
    char *a, *b;

    fill(db);
    a = envelope(db, "a", "/value");
    b = envelope(db, "b", "/db/a~1b~0");
    assert_int_equal(brant_keyring_unload(db), BRANT_OK);
    holds(db, "graphs.create", "\"id\":", "{\"name\":\"h\",\"graph_type\":\"vault\"}");
    for (size_t i = 0; i < 5; i++) {
        const char *text = answer(db, "graphs.export", "{\"graph\":\"g\",%s}", exports[i]);
        char *kept = strdup(text);
        /* Over the same graph: what is stored stays, and no ring is needed. */
        import(db, "g", exports[i], kept, "", "\"failed\":0");
        must_be(db, "a", "/value", a);
        must_be(db, "b", "/db/a~1b~0", b);
        /* Into another: nothing to keep. */
        if (i == 4) {
            free(kept);
            break;
        }
        import(db, "h", exports[i], kept, "", NULL);
        import(db, "h", exports[i], kept, "\"errors\":\"skip\",",
               i == 3 ? "\"failed\":2" : "\"failed\":3");
        is(db, "nodes.exists", "{\"exists\":false}", "{\"graph\":\"h\",\"key\":\"a\"}");
        is(db, "nodes.exists", "{\"exists\":true}", "{\"graph\":\"h\",\"key\":\"p\"}");
        free(kept);
    }
    must_load(db, RING_1);
    opens(db, "a", "attributes.value", "\"canary-1\"", 1);
    opens(db, "b", "attributes.pin", "777777", 1);
    /* Plaintext comes in sealed. */
    holds(db, "graphs.import", "\"nodes\":1",
          "{\"graph\":\"h\",\"format\":\"ndjson\",\"text\":\"{\\\"node\\\":{\\\"key\\\":\\\"z\\\","
          "\\\"type\\\":\\\"Secret\\\",\\\"attributes\\\":{\\\"value\\\":\\\"canary-9\\\"}}}\"}");
    holds(db, "nodes.get", "\"value\":{\"$enc\":2", "{\"graph\":\"h\",\"key\":\"z\"}");
    no_trace(*state, "canary");
    free(a);
    free(b);
    brant_db_free(db);
}

/* ---- typed operations ------------------------------------------------------------------------ */

static void test_typed(void **state) {
    brant_db *db = open_vault(*state);

    holds(db, "types.vault.Secret.put", "\"created\":true",
          "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"value\":\"canary-1\"}}");
    holds(db, "types.vault.Secret.get", "\"value\":{\"$enc\":2", GET("a"));
    opens(db, "a", "attributes.value", "\"canary-1\"", 1);
    holds(db, "types.vault.Secret.patch", "\"changed\":true",
          "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"value\":[\"canary-2\"]}}");
    opens(db, "a", "attributes.value", "[\"canary-2\"]", 1);
    put_back(db, "a");
    fails(db, "types.vault.Secret.put", BRANT_INVALID, "/value: looks like",
          "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"value\":{\"$enc\":1}}}");
    assert_int_equal(brant_keyring_unload(db), BRANT_OK);
    fails(db, "types.vault.Secret.put", BRANT_NOT_FOUND, "key",
          "{\"graph\":\"g\",\"key\":\"c\",\"attributes\":{\"value\":\"canary-3\"}}");
    no_trace(*state, "canary");
    brant_db_free(db);
}

/* ---- rows that are older --------------------------------------------------------------------- */

#define OLD_MODULE                                                                                 \
    "{\"$id\":\"old\",\"$defs\":{\"SecretNode\":{\"type\":\"object\",\"properties\":{%s}},"        \
    "\"HasEdge\":{\"type\":\"object\",\"properties\":{%s}}}}"

static brant_db *open_old(const char *folder) {
    brant_db *db = must_open(in_folder(folder, "a.db"), "");

    holds(db, "graph_types.define", "\"id\":", "{\"module\":" OLD_MODULE "}",
          "\"value\":{},\"note\":{\"type\":\"string\"}", "\"token\":{}");
    holds(db, "graphs.create", "\"id\":", "{\"name\":\"g\",\"graph_type\":\"old\"}");
    holds(db, "nodes.put_many", "\"created\":2",
          "{\"graph\":\"g\",\"items\":[{\"key\":\"a\",\"attributes\":{\"value\":{\"x\":\"plain\"},"
          "\"note\":\"n\"}},{\"key\":\"b\"}]}");
    holds(
        db, "edges.put", "\"created\":true",
        "{\"graph\":\"g\",\"source\":\"a\",\"target\":\"b\",\"attributes\":{\"token\":\"plain\"}}");
    holds(db, "graph_types.update", "\"id\":", "{\"name\":\"old\",\"module\":" OLD_MODULE "}",
          "\"value\":{\"x-encrypted\":true},\"note\":{\"type\":\"string\"}",
          "\"token\":{\"x-encrypted\":true}");
    return db;
}

static void test_older_rows(void **state) {
    brant_db *db = open_old(*state);

    /* Reads do not show them, whichever way they go. */
    static const char *const reads[][2] = {
        {"nodes.get", GET("a")},
        {"nodes.get_many", "{\"graph\":\"g\",\"keys\":[\"a\"]}"},
        {"nodes.list", "{\"graph\":\"g\"}"},
        {"nodes.list", "{\"graph\":\"g\",\"order_by\":\"key\"}"},
        {"edges.get", "{\"graph\":\"g\",\"key\":\"[\\\"a\\\",\\\"Has\\\",\\\"b\\\"]\"}"},
        {"edges.list", "{\"graph\":\"g\"}"},
        {"nodes.neighbors", "{\"graph\":\"g\",\"key\":\"a\"}"},
        {"graphs.subgraph", "{\"graph\":\"g\",\"keys\":[\"a\",\"b\"]}"},
        {"nodes.closure", "{\"graph\":\"g\",\"keys\":[\"b\"],\"direction\":\"in\"}"},
        {"graphs.export", "{\"graph\":\"g\",\"format\":\"ndjson\"}"},
        {"types.old.Secret.get", GET("a")},
    };
    for (size_t i = 0; i < BRANT__COUNT(reads); i++)
        without(answer(db, reads[i][0], "%s", reads[i][1]), "plain");
    fails(db, "nodes.open_secret", BRANT_AUTH, "does not open", OPEN("a", "attributes.value"));
    /* What is not touched stays, also without a ring; with one it is sealed by the way. */
    holds(db, "nodes.patch", "\"changed\":true",
          "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"note\":\"m\"}}");
    holds(db, "nodes.put", "\"revision\":3",
          "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"value\":" REDACTED ",\"note\":\"m\"}}");
    fails(db, "nodes.put", BRANT_NOT_FOUND, "key",
          "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"value\":{\"x\":\"plain\"}}}");
    fails(db, "nodes.patch", BRANT_NOT_FOUND, "key",
          "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"value\":{\"y\":1}}}");
    fails(db, "nodes.open_secret", BRANT_AUTH, "does not open", OPEN("a", "attributes.value"));
    must_load(db, RING_1);
    holds(db, "nodes.patch", "\"changed\":true",
          "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"note\":\"o\"}}");
    opens(db, "a", "attributes.value", "{\"x\":\"plain\"}", 1);
    holds(db, "edges.put", "\"revision\":2",
          "{\"graph\":\"g\",\"source\":\"a\",\"target\":\"b\",\"attributes\":{\"token\":" REDACTED
          "}}");
    is(db, "edges.open_secret", "{\"value\":\"plain\",\"key_version\":1}",
       "{\"graph\":\"g\",\"key\":\"[\\\"a\\\",\\\"Has\\\",\\\"b\\\"]\",\"path\":\"attributes."
       "token\"}");
    brant_db_free(db);
}

static void test_patch_into_an_older_row(void **state) {
    brant_db *db = open_old(*state);

    must_load(db, RING_1);
    holds(db, "nodes.patch", "\"changed\":true",
          "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"value\":{\"y\":1}}}");
    opens(db, "a", "attributes.value", "{\"x\":\"plain\",\"y\":1}", 1);
    brant_db_free(db);
}

/* The change log of rows that are older. */
static void test_log_of_older_rows(void **state) {
    brant_db *db = open_old(*state);

    holds(db, "graphs.update", "\"changes\":true", "{\"name\":\"g\",\"changes\":true}");
    must_load(db, RING_1);
    holds(db, "nodes.put", "\"revision\":2",
          "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"value\":1}}");
    without(answer(db, "graphs.changes", "{\"graph\":\"g\"}"), "plain");
    brant_db_free(db);
}

/* ---- calls ----------------------------------------------------------------------------------- */

/* A graph type of the user's that calls are projected into, whose input and output are encrypted. */
#define CALLS                                                                                      \
    "{\"$id\":\"sealed_calls\",\"$defs\":{\"CallNode\":{\"type\":\"object\",\"properties\":{"      \
    "\"input\":{\"x-encrypted\":true},\"output\":{\"x-encrypted\":true}}},\"TriggeredEdge\":{},"   \
    "\"DependsOnEdge\":{\"type\":\"object\",\"properties\":{\"reason\":{\"x-encrypted\":true}}}}}"

static void test_calls(void **state) {
    brant_db *db = open_vault(*state);

    holds(db, "graph_types.define", "\"id\":", "{\"module\":" CALLS "}");
    holds(db, "graphs.create", "\"id\":", "{\"name\":\"c\",\"graph_type\":\"sealed_calls\"}");
    must(db, "calls.publish",
         "{\"event\":\"call.requested\",\"request_id\":\"a\",\"operation_id\":\"o\",\"input\":{"
         "\"x\":1},"
         "\"depends_on\":[{\"request_id\":\"b\",\"reason\":\"why\"}],\"at\":1}",
         "\"offset\":");
    assert_int_equal(brant_keyring_unload(db), BRANT_OK);
    fails(db, "calls.project", BRANT_NOT_FOUND, "key", "{\"graph\":\"c\"}");
    must_load(db, RING_1);
    holds(db, "calls.project", "\"projected\":1,\"offset\":1,\"more\":false,\"failed\":0",
          "{\"graph\":\"c\"}");
    must(db, "calls.publish",
         "{\"event\":\"call.responded\",\"request_id\":\"a\",\"output\":[2],\"at\":2}",
         "\"offset\":");
    holds(db, "calls.project", "\"projected\":1,\"offset\":2,\"more\":false,\"failed\":0",
          "{\"graph\":\"c\"}");
    is(db, "nodes.open_secret", "{\"value\":{\"x\":1},\"key_version\":1}",
       "{\"graph\":\"c\",\"key\":\"a\",\"path\":\"attributes.input\"}");
    is(db, "nodes.open_secret", "{\"value\":[2],\"key_version\":1}",
       "{\"graph\":\"c\",\"key\":\"a\",\"path\":\"attributes.output\"}");
    holds(db, "nodes.neighbors", "\"reason\":{\"$enc\":2", "{\"graph\":\"c\",\"key\":\"a\"}");
    brant_db_free(db);
}

/* ---- migrations ------------------------------------------------------------------------------ */

static void test_migration(void **state) {
    brant_db *db = open_vault(*state);

    holds(db, "graph_types.define", "\"id\":", "{\"module\":" OLD_MODULE "}",
          "\"value\":{\"x-encrypted\":true},\"note\":{\"type\":\"string\"}", "");
    holds(db, "graphs.create",
          "\"id\":", "{\"name\":\"m\",\"graph_type\":\"old\",\"changes\":true}");
    holds(db, "nodes.put_many", "\"created\":2",
          "{\"graph\":\"m\",\"items\":[{\"key\":\"a\",\"attributes\":{\"value\":\"canary-1\"}},"
          "{\"key\":\"b\",\"attributes\":{\"value\":\"canary-2\",\"note\":\"n\"}}]}");
    holds(db, "graph_types.update", "\"version\":2",
          "{\"name\":\"old\",\"version\":2,\"module\":{\"$id\":\"old\",\"$defs\":{\"SecretNode\":{"
          "\"type\":\"object\",\"properties\":{\"value\":{\"x-encrypted\":true},\"note\":{"
          "\"type\":\"string\",\"default\":\"d\"},\"made\":{\"x-encrypted\":true,\"default\":"
          "\"filled\"}},\"required\":[\"note\",\"made\"]},\"HasEdge\":{}}}}");
    /* Without a ring no row gets a plaintext, and none is lost: it fails. */
    assert_int_equal(brant_keyring_unload(db), BRANT_OK);
    holds(db, "graph_types.migrate", "\"migrated\":0,\"unchanged\":0,\"failed\":2",
          "{\"name\":\"old\",\"on_failure\":\"skip\"}");
    holds(db, "graph_types.migrate", "\"keyword\":\"x-encrypted\"", "{\"name\":\"old\"}");
    must_load(db, RING_1);
    holds(db, "graph_types.migrate", "\"migrated\":2", "{\"name\":\"old\"}");
    is(db, "nodes.open_secret", "{\"value\":\"canary-1\",\"key_version\":1}",
       "{\"graph\":\"m\",\"key\":\"a\",\"path\":\"attributes.value\"}");
    is(db, "nodes.open_secret", "{\"value\":\"canary-2\",\"key_version\":1}",
       "{\"graph\":\"m\",\"key\":\"b\",\"path\":\"attributes.value\"}");
    is(db, "nodes.open_secret", "{\"value\":\"filled\",\"key_version\":1}",
       "{\"graph\":\"m\",\"key\":\"b\",\"path\":\"attributes.made\"}");
    without(answer(db, "graphs.changes", "{\"graph\":\"m\"}"), "canary");
    without(answer(db, "graphs.changes", "{\"graph\":\"m\"}"), "filled");
    no_trace(*state, "canary");
    brant_db_free(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(test_change_log),
        GRAPH_TEST(test_diff_and_replay),
        GRAPH_TEST(test_exports),
        GRAPH_TEST(test_import),
        GRAPH_TEST(test_typed),
        GRAPH_TEST(test_older_rows),
        GRAPH_TEST(test_patch_into_an_older_row),
        GRAPH_TEST(test_log_of_older_rows),
        GRAPH_TEST(test_calls),
        GRAPH_TEST(test_migration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
