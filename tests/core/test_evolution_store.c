/*
 * tests/core/test_evolution_store.c: graph types that change over stored data: imports, update, check, migrate, and a process that dies in between.
 */
#include <signal.h>
#include <sys/wait.h>

#include "test_graph.h"

#define MODULE(entries) "{\"$id\":\"t\",\"$defs\":{" entries "}}"
#define CLOSED(properties)                                                                         \
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{" properties "}}"
#define FIRST                                                                                      \
    MODULE("\"TNode\":" CLOSED("\"a\":{\"type\":\"string\"},\"old\":{}") ",\"EEdge\":" CLOSED(     \
        "\"w\":{}"))
/* `old` and `w` go, `b` comes and is required. */
#define SECOND                                                                                     \
    MODULE("\"TNode\":{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"a\":{" \
           "\"type\":\"string\"},\"b\":{\"type\":\"integer\",\"default\":7}},\"required\":[\"b\"]" \
           "},\"EEdge\":" CLOSED(""))

static void fill(brant_db *db, int nodes) {
    holds(db, "graph_types.define", "\"warnings\":[]", "{\"module\":%s}", FIRST);
    holds(db, "graphs.create", "\"id\"", "{\"name\":\"g\",\"graph_type\":\"t\"}");
    holds(db, "transaction.begin", "", "{}");
    for (int i = 0; i < nodes; i++)
        holds(db, "nodes.put", "true",
              "{\"graph\":\"g\",\"key\":\"n%05d\",\"attributes\":{\"a\":\"x\",\"old\":%d}}", i, i);
    for (int i = 1; i < nodes; i += 10)
        holds(
            db, "edges.put", "true",
            "{\"graph\":\"g\",\"source\":\"n%05d\",\"target\":\"n%05d\",\"attributes\":{\"w\":1}}",
            i - 1, i);
    holds(db, "transaction.commit", "", "{}");
}

static void test_update_classes(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    fill(db, 3);
    /* Additive: at once, the version stays. */
    holds(db, "graph_types.update", "\"version\":1,",
          "{\"name\":\"t\",\"module\":%s,\"metadata\":{\"m\":1}}",
          MODULE("\"TNode\":" CLOSED(
              "\"a\":{\"type\":\"string\"},\"old\":{},\"new\":{}") ",\"EEdge\":" CLOSED("\"w\":{"
                                                                                        "}") ",\""
                                                                                             "UNo"
                                                                                             "de"
                                                                                             "\":"
                                                                                             "tru"
                                                                                             "e"));
    holds(db, "nodes.put", "true", "{\"graph\":\"g\",\"key\":\"u\",\"type\":\"U\"}");
    holds(db, "nodes.put", "false",
          "{\"graph\":\"g\",\"key\":\"n00000\",\"attributes\":{\"new\":1}}");
    holds(db, "graph_types.get", "\"metadata\":{\"m\":1}", "{\"name\":\"t\"}");
    fails(db, "graph_types.migration", BRANT_NOT_FOUND, "no migration", "{\"name\":\"t\"}");
    holds(db, "graph_types.migrate", "{\"done\":true,\"migrated\":0,", "{\"name\":\"t\"}");
    /* Types with rows stay; without them they may go, but for the version. */
    fails(db, "graph_types.update", BRANT_CONSTRAINT, "nodes of type \"U\"",
          "{\"name\":\"t\",\"version\":2,\"module\":%s}", SECOND);
    holds(db, "nodes.delete", "true", "{\"graph\":\"g\",\"key\":\"u\"}");
    fails(db, "graph_types.update", BRANT_CONSTRAINT,
          "breaking: it needs the member version, greater than 1", "{\"name\":\"t\",\"module\":%s}",
          SECOND);
    fails(db, "graph_types.update", BRANT_CONSTRAINT, "`directed` stays",
          "{\"name\":\"t\",\"version\":2,\"module\":%s}",
          MODULE("\"Config\":{\"directed\":\"undirected\"},\"TNode\":true,\"EEdge\":true"));
    fails(db, "graph_types.update", BRANT_CONSTRAINT, "edges of type \"E\"",
          "{\"name\":\"t\",\"version\":2,\"module\":%s}", MODULE("\"TNode\":true"));
    fails(db, "graph_types.update", BRANT_CONSTRAINT, "of type \"T\"",
          "{\"name\":\"t\",\"version\":2,\"module\":%s}", MODULE("\"T\":true"));
    holds(db, "graph_types.update", "\"version\":2,\"config\"",
          "{\"name\":\"t\",\"version\":2,\"module\":%s}", SECOND);
    fails(db, "graph_types.update", BRANT_CONSTRAINT, "less than the stored one",
          "{\"name\":\"t\",\"version\":1,\"module\":%s}", SECOND);
    fails(db, "graph_types.update", BRANT_NOT_FOUND, "no graph type",
          "{\"name\":\"x\",\"module\":{}}");
    fails(db, "graph_types.update", BRANT_DENIED, "built in", "{\"name\":\"open\",\"module\":{}}");
    fails(db, "graph_types.update", BRANT_VALIDATION, NULL,
          "{\"name\":\"t\",\"module\":{\"$defs\":1}}");
    /* New writes are judged by the new module, stored ones are as they were. */
    fails(db, "nodes.put", BRANT_VALIDATION, NULL,
          "{\"graph\":\"g\",\"key\":\"v\",\"attributes\":{}}");
    holds(db, "nodes.get", "\"attributes\":{\"a\":\"x\",\"old\":1}",
          "{\"graph\":\"g\",\"key\":\"n00001\"}");
    healthy(db);
    brant_db_free(db);
}

static void test_diff_and_check(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    fill(db, 12);
    holds(db, "graph_types.diff", "{\"class\":\"upcast\",\"edits\":[",
          "{\"name\":\"t\",\"module\":%s}", SECOND);
    fails(db, "graph_types.diff", BRANT_NOT_FOUND, NULL, "{\"name\":\"x\",\"module\":{}}");
    is(db, "graph_types.check",
       "{\"class\":\"identical\",\"nodes\":{\"checked\":12,\"valid\":12,\"castable\":0,\"failing\":"
       "0},"
       "\"edges\":{\"checked\":2,\"valid\":2,\"castable\":0,\"failing\":0},\"failures\":[],"
       "\"cursor\":null}",
       "{\"name\":\"t\"}");
    is(db, "graph_types.check",
       "{\"class\":\"upcast\",\"nodes\":{\"checked\":12,\"valid\":0,\"castable\":12,\"failing\":0},"
       "\"edges\":{\"checked\":2,\"valid\":0,\"castable\":2,\"failing\":0},\"failures\":[],"
       "\"cursor\":null}",
       "{\"name\":\"t\",\"module\":%s}", SECOND);
    /* Ends, self-loops and types that are gone count too. */
    holds(db, "graph_types.check",
          "\"edges\":{\"checked\":2,\"valid\":0,\"castable\":0,\"failing\":2},\"failures\":[{"
          "\"graph\":\"g\","
          "\"key\":\"[\\\"n00000\\\",\\\"E\\\",\\\"n00001\\\"]\",\"violations\":[{\"instance\":"
          "\"\",\"schema\":\"\",\"keyword\":\"source\"",
          "{\"name\":\"t\",\"module\":%s}",
          MODULE("\"TNode\":true,\"SNode\":true,\"EEdge\":true,\"EEdgeConstraints\":{\"source\":"
                 "\"S\"}"));
    holds(db, "graph_types.check",
          "\"nodes\":{\"checked\":12,\"valid\":0,\"castable\":0,\"failing\":12}",
          "{\"name\":\"t\",\"module\":%s}", MODULE("\"SNode\":true"));
    /* Pages: together all rows. */
    char cursor[256] = "";
    int64_t nodes = 0, edges = 0;
    for (int page = 0; page < 20; page++) {
        const char *text = *cursor
                               ? answer(db, "graph_types.check",
                                        "{\"name\":\"t\",\"limit\":3,\"cursor\":\"%s\"}", cursor)
                               : answer(db, "graph_types.check", "{\"name\":\"t\",\"limit\":3}");
        brant__json json = parsed(text);
        nodes +=
            brant__json_integer(brant__json_get(brant__json_get(json.root, "nodes"), "checked"), 0);
        edges +=
            brant__json_integer(brant__json_get(brant__json_get(json.root, "edges"), "checked"), 0);
        yyjson_val *next = brant__json_get(json.root, "cursor");
        snprintf(cursor, sizeof(cursor), "%s", yyjson_is_str(next) ? yyjson_get_str(next) : "");
        brant__json_free(&json);
        if (!*cursor) break;
    }
    assert_int_equal(nodes, 12);
    assert_int_equal(edges, 2);
    fails(db, "graph_types.check", BRANT_NOT_FOUND, NULL, "{\"name\":\"x\"}");
    fails(db, "graph_types.check", BRANT_INVALID, NULL, "{\"name\":\"t\",\"limit\":0}");
    fails(db, "graph_types.check", BRANT_VALIDATION, NULL,
          "{\"name\":\"t\",\"module\":{\"$defs\":1}}");
    brant_db_free(db);
}

static void test_migrate(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    fill(db, 12);
    holds(db, "graph_types.update", "\"version\":2", "{\"name\":\"t\",\"version\":2,\"module\":%s}",
          SECOND);
    holds(db, "graph_types.migration",
          "{\"from_version\":1,\"to_version\":2,\"migrated\":0,\"failed\":0,\"remaining\":14,"
          "\"done\":false,",
          "{\"name\":\"t\"}");
    is(db, "graph_types.migrate",
       "{\"done\":false,\"migrated\":10,\"unchanged\":0,\"failed\":0,\"remaining\":4,\"failures\":["
       "]}",
       "{\"name\":\"t\",\"batch\":5,\"limit\":2}");
    holds(db, "nodes.get", "\"attributes\":{\"a\":\"x\",\"b\":7},\"metadata\":{},\"revision\":2",
          "{\"graph\":\"g\",\"key\":\"n00004\"}");
    holds(db, "nodes.get", "\"old\":11", "{\"graph\":\"g\",\"key\":\"n00011\"}");
    is(db, "graph_types.migrate",
       "{\"done\":true,\"migrated\":4,\"unchanged\":0,\"failed\":0,\"remaining\":0,\"failures\":[]"
       "}",
       "{\"name\":\"t\",\"batch\":5,\"limit\":100}");
    holds(db, "graph_types.migration",
          "\"migrated\":14,\"failed\":0,\"remaining\":0,\"done\":true,", "{\"name\":\"t\"}");
    holds(db, "nodes.put", "true", "{\"graph\":\"g\",\"key\":\"late\",\"attributes\":{\"b\":1}}");
    holds(db, "sql.execute", "\"rows\":[[0,0]]",
          "{\"sql\":\"SELECT (SELECT count(*) FROM nodes WHERE type_version <> 2), (SELECT "
          "count(*) FROM edges WHERE type_version <> 2 OR attributes <> '{}')\"}");
    is(db, "graph_types.migrate",
       "{\"done\":true,\"migrated\":0,\"unchanged\":0,\"failed\":0,\"remaining\":0,\"failures\":[]"
       "}",
       "{\"name\":\"t\"}");
    fails(db, "graph_types.migrate", BRANT_NOT_FOUND, NULL, "{\"name\":\"x\"}");
    healthy(db);
    brant_db_free(db);
}

static void test_failures_and_patches(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    const char *third = MODULE("\"TNode\":" CLOSED(
        "\"a\":{\"type\":\"integer\"},\"old\":{}") ",\"EEdge\":" CLOSED("\"w\":{}"));
    fill(db, 4);
    holds(db, "nodes.put", "false", "{\"graph\":\"g\",\"key\":\"n00000\",\"attributes\":{}}");
    holds(db, "graph_types.update", "\"version\":5", "{\"name\":\"t\",\"version\":5,\"module\":%s}",
          third);
    /* The first row is well; the second stops. */
    is(db, "graph_types.migrate",
       "{\"done\":false,\"migrated\":0,\"unchanged\":1,\"failed\":1,\"remaining\":4,\"failures\":[{"
       "\"graph\":\"g\",\"key\":\"n00001\","
       "\"violations\":[{\"instance\":\"/a\",\"schema\":\"/$defs/TNode/properties/a/"
       "type\",\"keyword\":\"type\",\"message\":\"must be an integer, not a string\"}]}]}",
       "{\"name\":\"t\",\"limit\":9}");
    /* Patches that do not fit are failures, not faults. */
    holds(
        db, "graph_types.migrate",
        "\"keyword\":\"patch\",\"message\":\"patch operation 0: path has another value than the "
        "test wants\"",
        "{\"name\":\"t\",\"patches\":{\"T\":[{\"op\":\"test\",\"path\":\"/a\",\"value\":\"y\"}]}}");
    fails(db, "graph_types.migrate", BRANT_INVALID, "no type \"X\"",
          "{\"name\":\"t\",\"patches\":{\"X\":[]}}");
    /* What no document could be patched by is. */
    static const char *const wrong[] = {"1",
                                        "{\"path\":\"/a\"}",
                                        "{\"op\":\"put\",\"path\":\"/a\",\"value\":1}",
                                        "{\"op\":\"remove\"}",
                                        "{\"op\":\"remove\",\"path\":\"a\"}",
                                        "{\"op\":\"add\",\"path\":\"/a\"}",
                                        "{\"op\":\"add\",\"path\":\"/~2\",\"value\":1}",
                                        "{\"op\":\"move\",\"path\":\"/a\"}",
                                        "{\"op\":\"copy\",\"path\":\"/a\",\"from\":\"b\"}"};
    for (size_t i = 0; i < BRANT__COUNT(wrong); i++)
        fails(db, "graph_types.migrate", BRANT_INVALID, NULL,
              "{\"name\":\"t\",\"on_failure\":\"skip\",\"patches\":{\"T\":[{\"op\":\"remove\","
              "\"path\":\"/"
              "a\"},%s]}}",
              wrong[i]);
    holds(db, "graph_types.migrate",
          "{\"done\":true,\"migrated\":0,\"unchanged\":1,\"failed\":3,\"remaining\":0,",
          "{\"name\":\"t\",\"on_failure\":\"skip\",\"limit\":9}");
    holds(db, "graph_types.migration", "\"failed\":3,", "{\"name\":\"t\"}");
    /* Again, with what was wrong: those that failed. */
    is(db, "graph_types.migrate",
       "{\"done\":true,\"migrated\":3,\"unchanged\":0,\"failed\":0,\"remaining\":0,\"failures\":[]"
       "}",
       "{\"name\":\"t\",\"limit\":9,\"patches\":{\"T\":[{\"op\":\"replace\",\"path\":\"/"
       "a\",\"value\":3}]}}");
    holds(db, "nodes.get", "\"attributes\":{\"a\":3,\"old\":2}",
          "{\"graph\":\"g\",\"key\":\"n00002\"}");
    brant_db_free(db);
}

/* A node type and an edge type of one name have patches of their own. */
static void test_patches_of_one_name(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    holds(db, "graph_types.define", "", "{\"name\":\"t\",\"module\":%s}",
          MODULE("\"TNode\":" CLOSED("\"a\":{}") ",\"TEdge\":" CLOSED("\"w\":{}")));
    holds(db, "graphs.create", "", "{\"name\":\"g\",\"graph_type\":\"t\"}");
    holds(db, "nodes.put", "", "{\"graph\":\"g\",\"key\":\"n\",\"attributes\":{\"a\":1}}");
    holds(db, "edges.put", "", "{\"graph\":\"g\",\"source\":\"n\",\"target\":\"n\"}");
    holds(db, "graph_types.update", "", "{\"name\":\"t\",\"version\":2,\"module\":%s}",
          MODULE("\"TNode\":" CLOSED("\"b\":{}") ",\"TEdge\":" CLOSED("\"w\":{\"const\":2}")));
    fails(db, "graph_types.migrate", BRANT_INVALID, "no type \"TNode\"",
          "{\"name\":\"t\",\"patches\":{\"TNode\":[]}}");
    holds(db, "graph_types.migrate", "{\"done\":true,\"migrated\":2,",
          "{\"name\":\"t\",\"patches\":{\"T\":[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/b\"}],"
          "\"TEdge\":[{\"op\":\"add\",\"path\":\"/w\",\"value\":2}]}}");
    holds(db, "nodes.get", "\"attributes\":{\"b\":1}", "{\"graph\":\"g\",\"key\":\"n\"}");
    holds(db, "edges.list", "\"attributes\":{\"w\":2}", "{\"graph\":\"g\"}");
    brant_db_free(db);
}

/* The ends of an undirected edge of a mixed graph stand in the order of their bytes; those of a directed one do not turn. */
static void test_undirected_edges_of_mixed_graphs(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    static const char form[] = "{\"$id\":\"t\",\"$defs\":{\"Config\":{\"properties\":{\"directed\":"
                               "{\"const\":\"mixed\"}}},\"ANode\":true,"
                               "\"BNode\":true,\"EEdge\":%s,\"EEdgeConstraints\":{\"properties\":{"
                               "\"source\":{\"const\":\"%s\"},"
                               "\"target\":{\"const\":\"%s\"}}}}}";
    char module[500];
    snprintf(module, sizeof(module), form, "true", "B", "A");
    holds(db, "graph_types.define", "", "{\"module\":%s}", module);
    holds(db, "graphs.create", "", "{\"name\":\"g\",\"graph_type\":\"t\"}");
    holds(db, "nodes.put", "", "{\"graph\":\"g\",\"key\":\"a\",\"type\":\"A\"}");
    holds(db, "nodes.put", "", "{\"graph\":\"g\",\"key\":\"b\",\"type\":\"B\"}");
    holds(db, "edges.put", "",
          "{\"graph\":\"g\",\"source\":\"b\",\"target\":\"a\",\"undirected\":true}");
    holds(db, "edges.put", "", "{\"graph\":\"g\",\"source\":\"b\",\"target\":\"a\"}");
    holds(db, "graph_types.check", "\"edges\":{\"checked\":2,\"valid\":2,", "{\"name\":\"t\"}");
    snprintf(module, sizeof(module), form,
             "{\"required\":[\"w\"],\"properties\":{\"w\":{\"default\":1}}}", "A", "B");
    holds(db, "graph_types.update", "", "{\"name\":\"t\",\"version\":2,\"module\":%s}", module);
    holds(db, "graph_types.migrate", "{\"done\":true,\"migrated\":1,\"unchanged\":2,\"failed\":1,",
          "{\"name\":\"t\",\"on_failure\":\"skip\"}");
    brant_db_free(db);
}

static void test_in_a_transaction(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    fill(db, 6);
    holds(db, "transaction.begin", "", "{}");
    holds(db, "graph_types.update", "\"version\":2", "{\"name\":\"t\",\"version\":2,\"module\":%s}",
          SECOND);
    holds(db, "graph_types.migrate", "{\"done\":true,\"migrated\":7", "{\"name\":\"t\"}");
    holds(db, "transaction.rollback", "", "{}");
    holds(db, "graph_types.get", "\"version\":1", "{\"name\":\"t\"}");
    holds(db, "nodes.get", "\"old\":1", "{\"graph\":\"g\",\"key\":\"n00001\"}");
    holds(db, "nodes.put", "true", "{\"graph\":\"g\",\"key\":\"n\",\"attributes\":{\"old\":1}}");
    fails(db, "graph_types.migration", BRANT_NOT_FOUND, NULL, "{\"name\":\"t\"}");
    brant_db_free(db);
}

/* A process migrates row by row until it is killed; the next call goes on after the last batch. */
static void test_killed(void **state) {
    enum { NODES = 2000 };
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open(path, "");
    fill(db, NODES);
    holds(db, "graph_types.update", "\"version\":2", "{\"name\":\"t\",\"version\":2,\"module\":%s}",
          SECOND);
    brant_db_free(db);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        db = NULL;
        char *text = NULL;
        size_t length;
        if (brant_open(&db, TEXT(path), TEXT(PATIENT)) != BRANT_OK) _exit(1);
        for (int i = 0; i < NODES / 2; i++) /* not to the end, whenever its parent comes to look */
            if (brant_graph_type_migrate(&text, &length, db,
                                         TEXT("{\"name\":\"t\",\"batch\":1,\"limit\":1}")) !=
                BRANT_OK)
                _exit(1);
        for (;;)
            pause();
    }
    db = must_open(path, "");
    int64_t migrated = 0;
    for (const int64_t begun = monotonic_ms(); migrated < 50 && monotonic_ms() - begun < 60000;) {
        brant__json json = parsed(answer(db, "graph_types.migration", "{\"name\":\"t\"}"));
        migrated = brant__json_integer(brant__json_get(json.root, "migrated"), 0);
        brant__json_free(&json);
    }
    assert_int_equal(kill(child, SIGKILL), 0);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    brant_db_free(db);
    db = must_open(path, "");
    brant__json json = parsed(answer(db, "graph_types.migration", "{\"name\":\"t\"}"));
    migrated = brant__json_integer(brant__json_get(json.root, "migrated"), 0);
    brant__json_free(&json);
    assert_true(migrated >= 50);
    assert_true(migrated < NODES + NODES / 10);
    char wanted[100];
    snprintf(wanted, sizeof(wanted), "{\"done\":true,\"migrated\":%d,\"unchanged\":0,\"failed\":0,",
             (int)(NODES + NODES / 10 - migrated));
    holds(db, "graph_types.migrate", wanted, "{\"name\":\"t\",\"limit\":1000}");
    holds(db, "sql.execute", "\"rows\":[[0,0]]",
          "{\"sql\":\"SELECT (SELECT count(*) FROM nodes WHERE type_version <> 2 OR revision <> 2 "
          "OR json_extract(attributes, '$.b') <> 7),"
          " (SELECT count(*) FROM edges WHERE type_version <> 2)\"}");
    must_be_well(db);
    brant_db_free(db);
}

/* ---- imports ----------------------------------------------------------------------------------------------------------------- */

static void test_imports(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    static const char base[] =
        "{\"$id\":\"https://example.com/base\",\"$defs\":{\"Status\":{\"enum\":[\"open\"]},"
        "\"Tree\":{\"type\":\"object\",\"properties\":{\"status\":{\"$ref\":\"Status\"},\"below\":{"
        "\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/Tree\"}}}},"
        "\"Other\":{\"type\":\"null\"}}}";
    static const char user[] =
        "{\"$id\":\"user\",\"$defs\":{\"TNode\":{\"type\":\"object\",\"properties\":{\"tree\":{\"$"
        "ref\":\"%s#/$defs/Tree\"},\"own\":{\"$ref\":\"Status\"}}},"
        "\"Status\":{\"type\":\"integer\"}}}";
    char module[600], renamed[600];
    holds(db, "graph_types.define", "\"name\":\"base\"", "{\"name\":\"base\",\"module\":%s}", base);
    snprintf(module, sizeof(module), user, "https://example.com/base");
    snprintf(renamed, sizeof(renamed), user, "base");
    holds(db, "graph_types.define", "\"node_types\":[\"T\"]", "{\"module\":%s}", module);
    holds(db, "graph_types.define", "\"node_types\":[\"T\"]",
          "{\"name\":\"by_name\",\"module\":%s}", renamed);
    /* Only what is needed came along; names resolve innermost first. */
    const char *stored = answer(db, "graph_types.get", "{\"name\":\"by_name\"}");
    assert_non_null(
        strstr(stored, "\"base\":{\"$defs\":{\"Status\":{\"enum\":[\"open\"]},\"Tree\":"));
    assert_null(strstr(stored, "\"Other\""));
    assert_non_null(strstr(stored, "\"items\":{\"$ref\":\"#/$defs/base/$defs/Tree\"}"));
    for (int i = 0; i < 2; i++) {
        const char *name = i ? "by_name" : "user";
        holds(db, "graph_types.validate_node", "\"valid\":true",
              "{\"graph_type\":\"%s\",\"type\":\"T\",\"attributes\":{\"own\":5,\"tree\":{\"below\":"
              "[{\"status\":\"open\"}]}}}",
              name);
        holds(db, "graph_types.validate_node", "\"instance\":\"/tree/below/0/status\"",
              "{\"graph_type\":\"%s\",\"type\":\"T\",\"attributes\":{\"tree\":{\"below\":[{"
              "\"status\":5}]}}}",
              name);
    }
    /* A type that imports one that imports: what was stored then. */
    holds(db, "graph_types.define", "\"node_types\":[\"S\"]",
          "{\"module\":{\"$id\":\"third\",\"$defs\":{\"SNode\":{\"$ref\":\"by_name#/$defs/"
          "TNode\"}}}}");
    /* It changes; those that took from it do not, and are still known by what was given. */
    holds(db, "graph_types.update", "\"name\":\"base\"",
          "{\"name\":\"base\",\"version\":2,\"module\":{\"$defs\":{\"Tree\":{\"type\":\"string\"}}}"
          "}");
    holds(db, "graph_types.define", "\"node_types\":[\"T\"]",
          "{\"name\":\"by_name\",\"module\":%s}", renamed);
    holds(db, "graph_types.delete", "true", "{\"name\":\"base\"}");
    holds(db, "graph_types.define", "\"node_types\":[\"T\"]",
          "{\"name\":\"by_name\",\"module\":%s}", renamed);
    for (int i = 0; i < 2; i++)
        holds(db, "graph_types.validate_node", "\"instance\":\"/tree/below/0/status\"",
              "{\"graph_type\":\"%s\",\"type\":\"%s\",\"attributes\":{\"own\":5,\"tree\":{"
              "\"below\":[{\"status\":\"x\"}]}}}",
              i ? "third" : "by_name", i ? "S" : "T");
    fails(db, "graph_types.define", BRANT_VALIDATION, "base#/$defs/Tree",
          "{\"name\":\"late\",\"module\":%s}", renamed);
    /* What has a type's name is kept under another key. */
    holds(db, "graph_types.define", "\"name\":\"XNode\"",
          "{\"name\":\"XNode\",\"module\":{\"$defs\":{\"A\":{\"type\":\"string\"}}}}");
    holds(db, "graph_types.define", "\"node_types\":[\"T\"]",
          "{\"name\":\"odd\",\"module\":{\"$defs\":{\"TNode\":{\"properties\":{\"a\":{\"$ref\":"
          "\"XNode#/$defs/A\"}}}}}}");
    healthy(db);
    brant_db_free(db);
}

/* A copy keeps its dialect: beside a $ref nothing counts in draft-07, and everything does in 2020-12. */
static void test_imports_of_another_dialect(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    static const char *const schemas[] = {"http://json-schema.org/draft-07/schema#",
                                          "https://json-schema.org/draft/2020-12/schema"};
    for (int from = 0; from < 2; from++) {
        for (int to = 0; to < 2; to++) {
            holds(db, "graph_types.define", "",
                  "{\"name\":\"from%d%d\",\"module\":{\"$schema\":\"%s\",\"$defs\":{\"A\":{"
                  "\"properties\":{\"a\":{"
                  "\"$ref\":\"#/$defs/B\",\"maximum\":1}}},\"B\":{\"type\":\"integer\"}}}}",
                  from, to, schemas[from]);
            holds(db, "graph_types.define", "",
                  "{\"name\":\"to%d%d\",\"module\":{\"$schema\":\"%s\",\"$defs\":{\"TNode\":{"
                  "\"allOf\":[{\"$ref\":"
                  "\"from%d%d#/$defs/A\"}],\"properties\":{\"b\":{\"$ref\":\"#/$defs/"
                  "C\",\"maximum\":1}}},"
                  "\"C\":{\"type\":\"integer\"}}}}",
                  from, to, schemas[to], from, to);
            for (int own = 0; own < 2; own++)
                holds(db, "graph_types.validate_node",
                      (own ? to : from) ? "\"valid\":false" : "\"valid\":true",
                      "{\"graph_type\":\"to%d%d\",\"type\":\"T\",\"attributes\":{\"%s\":2}}", from,
                      to, own ? "b" : "a");
        }
    }
    brant_db_free(db);
}

static void test_imports_of_references(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    /* Both references of a schema count. */
    holds(db, "graph_types.define", "",
          "{\"name\":\"both\",\"module\":{\"$defs\":{\"A\":{\"$ref\":\"#/$defs/"
          "B\",\"$dynamicRef\":\"#c\"},"
          "\"B\":{\"minimum\":1},\"C\":{\"$dynamicAnchor\":\"c\",\"maximum\":5}}}}");
    holds(db, "graph_types.define", "",
          "{\"name\":\"t\",\"module\":{\"$defs\":{\"TNode\":{\"properties\":{\"a\":{\"$ref\":"
          "\"both#/$defs/A\"}"
          "}}}}}");
    for (int value = 0; value < 10; value += 3)
        holds(db, "graph_types.validate_node",
              value >= 1 && value <= 5 ? "\"valid\":true" : "\"valid\":false",
              "{\"graph_type\":\"t\",\"type\":\"T\",\"attributes\":{\"a\":%d}}", value);
    /* A fault says where the reference stands. */
    fails(db, "graph_types.define", BRANT_VALIDATION,
          "/$defs/TNode/properties/a~1b/$ref: \"both#/$defs/X\" refers to nothing",
          "{\"name\":\"u\",\"module\":{\"$defs\":{\"TNode\":{\"properties\":{\"a/"
          "b\":{\"$ref\":\"both#/$defs/X\"}"
          "}}}}}");
    brant_db_free(db);
}

static void test_metagraph_is_for_imports(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    holds(db, "graph_types.get", "\"module\":{\"$schema\"", "{\"name\":\"metagraph\"}");
    assert_null(strstr(answer(db, "graph_types.list", "{}"), "metagraph"));
    fails(db, "graphs.create", BRANT_INVALID, "import from",
          "{\"name\":\"g\",\"graph_type\":\"metagraph\"}");
    fails(db, "graph_types.define", BRANT_EXISTS, NULL, "{\"module\":{\"$id\":\"metagraph\"}}");
    holds(db, "graph_types.define", "\"node_types\":[\"T\"]", "{\"module\":%s}",
          MODULE("\"TNode\":{\"$ref\":\"metagraph#/$defs/BaseNode\"},\"BaseNode\":{}"));
    brant_db_free(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(test_update_classes),
        GRAPH_TEST(test_diff_and_check),
        GRAPH_TEST(test_migrate),
        GRAPH_TEST(test_failures_and_patches),
        GRAPH_TEST(test_patches_of_one_name),
        GRAPH_TEST(test_in_a_transaction),
        GRAPH_TEST(test_killed),
        GRAPH_TEST(test_undirected_edges_of_mixed_graphs),
        GRAPH_TEST(test_imports),
        GRAPH_TEST(test_imports_of_another_dialect),
        GRAPH_TEST(test_imports_of_references),
        GRAPH_TEST(test_metagraph_is_for_imports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
