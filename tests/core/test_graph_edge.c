/*
 * tests/core/test_graph_edge.c: edges: their keys, the rules of graph types, writing one and many,
 * reading, listing, deleting.
 */
#include "test_graph.h"

#define AB "[\\\"a\\\",null,\\\"b\\\"]" /* the derived key as it stands in JSON */

static brant_db *open_graphs(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");

    define(db, TASK_MODULE("tasks", "\"allow_self_loops\":{\"const\":false}"));
    define(db, TASK_MODULE("multi", "\"multi\":{\"const\":true}"));
    define(db, TASK_MODULE("undirected", "\"directed\":{\"const\":\"undirected\"}"));
    define(db, TASK_MODULE("acyclic", "\"acyclic\":{\"const\":true}"));
    define(db, TASK_MODULE("forest", "\"acyclic\":{\"const\":true},\"directed\":{\"const\":"
                                     "\"undirected\"},\"multi\":{\"const\":true}"));
    holds(db, "graphs.create", "\"id\"", "{\"name\":\"g\",\"graph_type\":\"open\"}");
    holds(db, "nodes.put_many", "4",
          "{\"graph\":\"g\",\"items\":[{\"key\":\"a\"},{\"key\":\"b\"},{\"key\":\"c\"},{\"key\":"
          "\"d\"}]}");
    for (int i = 0; i < 5; i++) {
        static const char *const names[] = {"tasks", "multi", "undirected", "acyclic", "forest"};
        holds(db, "graphs.create", "\"id\"", "{\"name\":\"%s\",\"graph_type\":\"%s\"}", names[i],
              names[i]);
        holds(
            db, "nodes.put_many", "7",
            "{\"graph\":\"%s\",\"items\":[{\"key\":\"a\",\"type\":\"Task\",\"attributes\":{"
            "\"title\":\"A\"}},{\"key\":\"b\",\"type\":\"Task\",\"attributes\":{\"title\":\"B\"}},"
            "{\"key\":\"c\",\"type\":\"Task\",\"attributes\":{\"title\":\"C\"}},{\"key\":\"d\","
            "\"type\":\"Task\",\"attributes\":{\"title\":\"D\"}},"
            "{\"key\":\"p\",\"type\":\"Person\"},{\"key\":\"q\",\"type\":\"Person\"},{\"key\":"
            "\"r\",\"type\":\"Person\"}]}",
            names[i]);
    }
    return db;
}

static void test_derived_keys(void **state) {
    brant_db *db = open_graphs(state);

    is(db, "edges.put", "{\"key\":\"" AB "\",\"created\":true,\"revision\":1}",
       "{\"graph\":\"g\",\"source\":\"a\",\"target\":\"b\",\"attributes\":{\"w\":1},\"metadata\":{"
       "\"m\":1}}");
    is(db, "edges.put", "{\"key\":\"" AB "\",\"created\":false,\"revision\":2}",
       "{\"graph\":\"g\",\"source\":\"a\",\"target\":\"b\",\"attributes\":{\"w\":2}}");
    is(db, "edges.put", "{\"key\":\"" AB "\",\"created\":false,\"revision\":3}",
       "{\"graph\":\"g\",\"source\":\"a\",\"target\":\"b\",\"key\":\"" AB
       "\",\"attributes\":{\"w\":3}}");
    is(db, "edges.put", "{\"key\":\"" AB "\",\"created\":false,\"revision\":4}",
       "{\"graph\":\"g\",\"source\":\"a\",\"target\":\"b\",\"key\":\"[ \\\"\\\\u0061\\\", null, "
       "\\\"b\\\" ]\"}");
    holds(db, "edges.get",
          "{\"key\":\"" AB "\",\"type\":null,\"source\":\"a\",\"target\":\"b\",\"attributes\":{},"
          "\"metadata\":{\"m\":1},\"revision\":4,",
          "{\"graph\":\"g\",\"key\":\"" AB "\"}");
    fails(db, "edges.put", BRANT_INVALID, "other ends",
          "{\"graph\":\"g\",\"source\":\"a\",\"target\":\"c\",\"key\":\"" AB "\"}");
    fails(db, "edges.put", BRANT_INVALID, "other ends",
          "{\"graph\":\"g\",\"source\":\"b\",\"target\":\"a\",\"key\":\"" AB "\"}");
    fails(db, "edges.put", BRANT_INVALID, "another type",
          "{\"graph\":\"g\",\"source\":\"a\",\"target\":\"b\",\"key\":\"[\\\"a\\\",\\\"X\\\","
          "\\\"b\\\"]\"}");
    is(db, "edges.exists", "{\"exists\":true}", "{\"graph\":\"g\",\"key\":\"" AB "\"}");
    is(db, "edges.exists", "{\"exists\":false}",
       "{\"graph\":\"g\",\"key\":\"[\\\"b\\\",null,\\\"a\\\"]\"}");
    is(db, "edges.exists", "{\"exists\":false}",
       "{\"graph\":\"g\",\"key\":\"[\\\"a\\\",null,\\\"zz\\\"]\"}");
    is(db, "edges.exists", "{\"exists\":false}", "{\"graph\":\"g\",\"key\":\"[\\\"a\\\",null\"}");
    is(db, "edges.exists", "{\"exists\":false}", "{\"graph\":\"g\",\"key\":\"[1,2,3,4,5,6,7]\"}");
    is(db, "edges.exists", "{\"exists\":false}", "{\"graph\":\"g\",\"key\":\"[[[[[[[[[[[[\"}");
    fails(db, "edges.get", BRANT_NOT_FOUND, "no edge",
          "{\"graph\":\"g\",\"key\":\"[\\\"a\\\",\\\"X\\\",\\\"b\\\"]\"}");
    fails(db, "edges.delete", BRANT_NOT_FOUND, "no edge",
          "{\"graph\":\"g\",\"key\":\"[\\\"b\\\",null,\\\"a\\\"]\"}");
    fails(db, "edges.delete", BRANT_CONFLICT, "revision 4",
          "{\"graph\":\"g\",\"key\":\"" AB "\",\"revision\":3}");
    is(db, "edges.delete", "{\"deleted\":true}",
       "{\"graph\":\"g\",\"key\":\"" AB "\",\"revision\":4}");
    is(db, "edges.count", "{\"count\":0}", "{\"graph\":\"g\"}");
    /* Keys of nodes that need escaping, twice. */
    holds(db, "nodes.put", "true", "{\"graph\":\"g\",\"key\":\"q\\\"x\\\\\"}");
    is(db, "edges.put",
       "{\"key\":\"[\\\"q\\\\\\\"x\\\\\\\\\\\",null,\\\"a\\\"]\",\"created\":true,\"revision\":1}",
       "{\"graph\":\"g\",\"source\":\"q\\\"x\\\\\",\"target\":\"a\"}");
    holds(db, "edges.get", "\"source\":\"q\\\"x\\\\\"",
          "{\"graph\":\"g\",\"key\":\"[\\\"q\\\\\\\"x\\\\\\\\\\\",null,\\\"a\\\"]\"}");
    /* Typed: the type stands in it, and may come from it. */
    is(db, "edges.put",
       "{\"key\":\"[\\\"a\\\",\\\"Related\\\",\\\"b\\\"]\",\"created\":true,\"revision\":1}",
       "{\"graph\":\"tasks\",\"source\":\"a\",\"target\":\"b\",\"key\":\"[\\\"a\\\","
       "\\\"Related\\\","
       "\\\"b\\\"]\"}");
    fails(
        db, "edges.put", BRANT_INVALID, "another type",
        "{\"graph\":\"tasks\",\"source\":\"a\",\"target\":\"b\",\"type\":\"DependsOn\",\"key\":\"["
        "\\\"a\\\",\\\"Related\\\",\\\"b\\\"]\"}");
    fails(db, "edges.put", BRANT_INVALID, NULL,
          "{\"graph\":\"tasks\",\"source\":\"a\",\"target\":\"b\",\"key\":\"" AB "\"}");
    healthy(db);
    brant_db_free(db);
}

static void test_explicit_keys(void **state) {
    brant_db *db = open_graphs(state);
    char *long_key = malloc(1100);

    is(db, "edges.put", "{\"key\":\"k\",\"created\":true,\"revision\":1}",
       "{\"graph\":\"g\",\"source\":\"a\",\"target\":\"b\",\"key\":\"k\"}");
    is(db, "edges.put", "{\"key\":\"k\",\"created\":false,\"revision\":2}",
       "{\"graph\":\"g\",\"source\":\"a\",\"target\":\"b\",\"key\":\"k\"}");
    /* Known by its ends, its key is still its own. */
    is(db, "edges.put", "{\"key\":\"k\",\"created\":false,\"revision\":3}",
       "{\"graph\":\"g\",\"source\":\"a\",\"target\":\"b\"}");
    holds(db, "edges.get", "{\"key\":\"k\",", "{\"graph\":\"g\",\"key\":\"" AB "\"}");
    fails(db, "edges.put", BRANT_CONSTRAINT, "another key",
          "{\"graph\":\"g\",\"source\":\"a\",\"target\":\"b\",\"key\":\"l\"}");
    fails(db, "edges.put", BRANT_CONSTRAINT, "which stay",
          "{\"graph\":\"g\",\"source\":\"a\",\"target\":\"c\",\"key\":\"k\"}");
    holds(db, "edges.put", "true", "{\"graph\":\"g\",\"source\":\"c\",\"target\":\"d\"}");
    fails(db, "edges.put", BRANT_CONSTRAINT, "another key",
          "{\"graph\":\"g\",\"source\":\"c\",\"target\":\"d\",\"key\":\"m\"}");
    fails(db, "edges.put", BRANT_INVALID, "NUL",
          "{\"graph\":\"g\",\"source\":\"b\",\"target\":\"d\",\"key\":\"m\\u0000\"}");
    memset(long_key, 'k', 1025);
    long_key[1025] = 0;
    fails(db, "edges.put", BRANT_LIMIT, "limits.key",
          "{\"graph\":\"g\",\"source\":\"b\",\"target\":\"d\",\"key\":\"%s\"}", long_key);
    is(db, "edges.put", "{\"key\":\"[1]\",\"created\":true,\"revision\":1}",
       "{\"graph\":\"g\",\"source\":\"b\",\"target\":\"d\",\"key\":\"[1]\"}");
    holds(db, "edges.get", "\"target\":\"d\"", "{\"graph\":\"g\",\"key\":\"[1]\"}");
    is(db, "edges.delete", "{\"deleted\":true}", "{\"graph\":\"g\",\"key\":\"k\"}");
    fails(db, "edges.get", BRANT_NOT_FOUND, NULL, "{\"graph\":\"g\",\"key\":\"k\"}");
    /* In a typed graph the type of a known key may be left out. */
    holds(db, "edges.put", "true",
          "{\"graph\":\"tasks\",\"source\":\"a\",\"target\":\"b\",\"type\":\"Related\",\"key\":"
          "\"k\"}");
    holds(db, "edges.put", "false",
          "{\"graph\":\"tasks\",\"source\":\"a\",\"target\":\"b\",\"key\":\"k\"}");
    fails(db, "edges.put", BRANT_CONSTRAINT, "another type",
          "{\"graph\":\"tasks\",\"source\":\"a\",\"target\":\"b\",\"type\":\"DependsOn\",\"key\":"
          "\"k\"}");
    healthy(db);
    brant_db_free(db);
    free(long_key);
}

static void test_multi(void **state) {
    brant_db *db = open_graphs(state);
    char key[64];
    const char *text;

    text = answer(db, "edges.put",
                  "{\"graph\":\"multi\",\"source\":\"a\",\"target\":\"b\",\"type\":\"Related\"}");
    snprintf(key, sizeof(key), "%s", strstr(text, "\"key\":\"") + 7);
    key[36] = 0;
    assert_int_equal(key[14], '7');
    holds(db, "edges.put", "\"created\":true",
          "{\"graph\":\"multi\",\"source\":\"a\",\"target\":\"b\",\"type\":\"Related\"}");
    is(db, "edges.count", "{\"count\":2}", "{\"graph\":\"multi\"}");
    holds(db, "edges.put", "\"created\":false,\"revision\":2",
          "{\"graph\":\"multi\",\"source\":\"a\",\"target\":\"b\",\"key\":\"%s\"}", key);
    fails(db, "edges.put", BRANT_CONSTRAINT, "which stay",
          "{\"graph\":\"multi\",\"source\":\"b\",\"target\":\"a\",\"key\":\"%s\"}", key);
    /* No derived keys there: such a text is a key like any other. */
    is(db, "edges.put",
       "{\"key\":\"[\\\"a\\\",\\\"Related\\\",\\\"b\\\"]\",\"created\":true,\"revision\":1}",
       "{\"graph\":\"multi\",\"source\":\"b\",\"target\":\"c\",\"type\":\"Related\",\"key\":\"["
       "\\\"a\\\",\\\"Related\\\",\\\"b\\\"]\"}");
    fails(db, "edges.get", BRANT_NOT_FOUND, NULL,
          "{\"graph\":\"multi\",\"key\":\"[\\\"b\\\",\\\"Related\\\",\\\"c\\\"]\"}");
    is(db, "edges.put_many", "{\"created\":4,\"updated\":1}",
       "{\"graph\":\"multi\",\"items\":[{\"source\":\"a\",\"target\":\"a\",\"type\":\"Related\"},{"
       "\"source\":\"a\",\"target\":\"a\",\"type\":\"Related\"},{\"source\":\"a\",\"target\":\"b\","
       "\"type\":\"DependsOn\",\"key\":\"x\"},"
       "{\"source\":\"a\",\"target\":\"b\",\"key\":\"x\",\"attributes\":{\"kind\":\"blocks\"}},{"
       "\"source\":\"a\",\"target\":\"b\",\"type\":\"Related\",\"key\":\"y\"}]}");
    holds(db, "edges.get", "\"attributes\":{\"kind\":\"blocks\"},\"metadata\":{},\"revision\":2",
          "{\"graph\":\"multi\",\"key\":\"x\"}");
    holds(db, "nodes.delete", "\"edges\":6",
          "{\"graph\":\"multi\",\"key\":\"a\",\"edges\":\"delete\"}");
    healthy(db);
    brant_db_free(db);
}

static void test_undirected(void **state) {
    brant_db *db = open_graphs(state);

    is(db, "edges.put",
       "{\"key\":\"[\\\"a\\\",\\\"Related\\\",\\\"b\\\"]\",\"created\":true,\"revision\":1}",
       "{\"graph\":\"undirected\",\"source\":\"b\",\"target\":\"a\",\"type\":\"Related\"}");
    is(db, "edges.put",
       "{\"key\":\"[\\\"a\\\",\\\"Related\\\",\\\"b\\\"]\",\"created\":false,\"revision\":2}",
       "{\"graph\":\"undirected\",\"source\":\"a\",\"target\":\"b\",\"type\":\"Related\"}");
    is(db, "edges.put",
       "{\"key\":\"[\\\"a\\\",\\\"Related\\\",\\\"b\\\"]\",\"created\":false,\"revision\":3}",
       "{\"graph\":\"undirected\",\"source\":\"a\",\"target\":\"b\",\"key\":\"[\\\"b\\\","
       "\\\"Related\\\",\\\"a\\\"]\"}");
    holds(db, "edges.get", "\"source\":\"a\",\"target\":\"b\"",
          "{\"graph\":\"undirected\",\"key\":\"[\\\"b\\\",\\\"Related\\\",\\\"a\\\"]\"}");
    holds(db, "edges.list", "\"target\":\"b\"",
          "{\"graph\":\"undirected\",\"source\":\"b\",\"target\":\"a\"}");
    /* Constraints hold whichever way the ends are given. */
    holds(db, "edges.put", "true",
          "{\"graph\":\"undirected\",\"source\":\"p\",\"target\":\"a\",\"type\":\"Assigned\"}");
    fails(db, "edges.put", BRANT_CONSTRAINT, "do not go",
          "{\"graph\":\"undirected\",\"source\":\"p\",\"target\":\"q\",\"type\":\"Assigned\"}");
    fails(db, "edges.put", BRANT_CONSTRAINT, "1 edges",
          "{\"graph\":\"undirected\",\"source\":\"a\",\"target\":\"q\",\"type\":\"Assigned\"}");
    holds(db, "edges.put", "true",
          "{\"graph\":\"undirected\",\"source\":\"d\",\"target\":\"d\",\"type\":\"Related\"}");
    holds(db, "nodes.delete", "\"edges\":2",
          "{\"graph\":\"undirected\",\"key\":\"a\",\"edges\":\"delete\"}");
    holds(db, "nodes.delete", "\"edges\":1",
          "{\"graph\":\"undirected\",\"key\":\"d\",\"edges\":\"delete\"}");
    healthy(db);
    brant_db_free(db);
}

static void test_rules(void **state) {
    brant_db *db = open_graphs(state);

    fails(db, "edges.put", BRANT_NOT_FOUND, "no node \"x\"",
          "{\"graph\":\"tasks\",\"source\":\"x\",\"target\":\"a\",\"type\":\"Related\"}");
    fails(db, "edges.put", BRANT_NOT_FOUND, "no node \"y\"",
          "{\"graph\":\"tasks\",\"source\":\"a\",\"target\":\"y\",\"type\":\"Related\"}");
    fails(db, "edges.put", BRANT_INVALID, "needs a type; it has \"",
          "{\"graph\":\"tasks\",\"source\":\"a\",\"target\":\"b\"}");
    fails(db, "edges.put", BRANT_INVALID, "no edge type \"Task\"",
          "{\"graph\":\"tasks\",\"source\":\"a\",\"target\":\"b\",\"type\":\"Task\"}");
    fails(db, "edges.put", BRANT_INVALID, "no edge type",
          "{\"graph\":\"g\",\"source\":\"a\",\"target\":\"b\",\"type\":\"Task\"}");
    fails(db, "edges.put", BRANT_CONSTRAINT, "self-loop",
          "{\"graph\":\"tasks\",\"source\":\"a\",\"target\":\"a\",\"type\":\"Related\"}");
    fails(db, "edges.put", BRANT_CONSTRAINT, "from a \"Task\" to a \"Person\"",
          "{\"graph\":\"tasks\",\"source\":\"a\",\"target\":\"p\",\"type\":\"DependsOn\"}");
    fails(db, "edges.put", BRANT_VALIDATION, "edge type \"DependsOn\"",
          "{\"graph\":\"tasks\",\"source\":\"a\",\"target\":\"b\",\"type\":\"DependsOn\","
          "\"attributes\":{\"kind\":\"x\"}}");
    detail_holds("{\"violations\":[{\"instance\":\"/kind\"");
    holds(db, "edges.put", "true",
          "{\"graph\":\"tasks\",\"source\":\"a\",\"target\":\"b\",\"type\":\"DependsOn\","
          "\"revision\":0}");
    fails(db, "edges.put", BRANT_CONFLICT, "revision 1",
          "{\"graph\":\"tasks\",\"source\":\"a\",\"target\":\"b\",\"type\":\"DependsOn\","
          "\"revision\":0}");
    fails(db, "edges.put", BRANT_CONFLICT, "does not exist",
          "{\"graph\":\"tasks\",\"source\":\"a\",\"target\":\"c\",\"type\":\"DependsOn\","
          "\"revision\":1}");
    /* Cardinality: one person a task, two tasks a person; an update is no new edge. */
    holds(db, "edges.put", "true",
          "{\"graph\":\"tasks\",\"source\":\"a\",\"target\":\"p\",\"type\":\"Assigned\"}");
    holds(db, "edges.put", "false",
          "{\"graph\":\"tasks\",\"source\":\"a\",\"target\":\"p\",\"type\":\"Assigned\"}");
    fails(db, "edges.put", BRANT_CONSTRAINT, "1 edges of type \"Assigned\" that go out",
          "{\"graph\":\"tasks\",\"source\":\"a\",\"target\":\"q\",\"type\":\"Assigned\"}");
    fails(
        db, "edges.put_many", BRANT_CONSTRAINT,
        "item 1: node \"p\" may have 2 edges of type \"Assigned\" that come in",
        "{\"graph\":\"tasks\",\"items\":[{\"source\":\"b\",\"target\":\"p\",\"type\":\"Assigned\"}"
        ",{\"source\":\"c\",\"target\":\"p\",\"type\":\"Assigned\"}]}");
    holds(
        db, "edges.put_many", "\"created\":2",
        "{\"graph\":\"tasks\",\"items\":[{\"source\":\"b\",\"target\":\"p\",\"type\":\"Assigned\"}"
        ",{\"source\":\"c\",\"target\":\"q\",\"type\":\"Assigned\"}]}");
    fails(
        db, "edges.put_many", BRANT_CONSTRAINT, "item 1",
        "{\"graph\":\"tasks\",\"items\":[{\"source\":\"d\",\"target\":\"q\",\"type\":\"Assigned\"}"
        ",{\"source\":\"d\",\"target\":\"r\",\"type\":\"Assigned\"}]}");
    is(db, "edges.count", "{\"count\":3}", "{\"graph\":\"tasks\",\"type\":\"Assigned\"}");
    is(db, "edges.count", "{\"count\":4}", "{\"graph\":\"tasks\"}");
    fails(db, "edges.count", BRANT_INVALID, "no edge type", "{\"graph\":\"tasks\",\"type\":\"X\"}");
    healthy(db);
    brant_db_free(db);
}

static void test_acyclic(void **state) {
    brant_db *db = open_graphs(state);
    char *items = malloc(200000);

    holds(db, "edges.put_many", "3",
          "{\"graph\":\"acyclic\",\"items\":[{\"source\":\"a\",\"target\":\"b\",\"type\":"
          "\"DependsOn\"},{\"source\":\"b\",\"target\":\"c\",\"type\":\"Related\"},{\"source\":"
          "\"a\",\"target\":\"c\",\"type\":\"DependsOn\"}]}");
    fails(db, "edges.put", BRANT_CONSTRAINT, "cycle",
          "{\"graph\":\"acyclic\",\"source\":\"c\",\"target\":\"a\",\"type\":\"Related\"}");
    fails(db, "edges.put", BRANT_CONSTRAINT, "cycle",
          "{\"graph\":\"acyclic\",\"source\":\"d\",\"target\":\"d\",\"type\":\"Related\"}");
    fails(db, "edges.put_many", BRANT_CONSTRAINT, "item 1",
          "{\"graph\":\"acyclic\",\"items\":[{\"source\":\"c\",\"target\":\"d\",\"type\":"
          "\"Related\"},{\"source\":\"d\",\"target\":\"b\",\"type\":\"Related\"}]}");
    detail_holds("\"key\":\"[\\\"d\\\",\\\"Related\\\",\\\"b\\\"]\"");
    is(db, "edges.count", "{\"count\":3}", "{\"graph\":\"acyclic\"}");
    holds(db, "edges.put", "false",
          "{\"graph\":\"acyclic\",\"source\":\"a\",\"target\":\"b\",\"type\":\"DependsOn\"}");
    holds(db, "edges.put", "true",
          "{\"graph\":\"acyclic\",\"source\":\"d\",\"target\":\"a\",\"type\":\"Related\"}");
    /* Many at once: a chain is fine, a ring is not, and the fault names one of its edges. */
    strcpy(items, "");
    for (int i = 0; i < 100; i++)
        sprintf(items + strlen(items), "%s{\"key\":\"n%02d\",\"type\":\"Person\"}", i ? "," : "",
                i);
    holds(db, "nodes.put_many", "100", "{\"graph\":\"acyclic\",\"items\":[%s]}", items);
    holds(db, "nodes.put_many", "100", "{\"graph\":\"forest\",\"items\":[%s]}", items);
    for (int ring = 0; ring < 2; ring++) {
        strcpy(items, "");
        for (int i = 0; i < 99 + ring; i++)
            sprintf(items + strlen(items),
                    "%s{\"source\":\"n%02d\",\"target\":\"n%02d\",\"type\":\"Related\"}",
                    i ? "," : "", i, (i + 1) % 100);
        if (ring) {
            fails(db, "edges.put_many", BRANT_CONSTRAINT, "cycle",
                  "{\"graph\":\"acyclic\",\"items\":[%s]}", items);
            detail_holds(
                "{\"items\":[{\"index\":99,\"key\":\"[\\\"n99\\\",\\\"Related\\\",\\\"n00\\\"]\"");
        } else {
            holds(db, "edges.put_many", "99", "{\"graph\":\"acyclic\",\"items\":[%s]}", items);
        }
    }
    /* Far from both ends: the test goes on with a snapshot. */
    fails(db, "edges.put", BRANT_CONSTRAINT, "cycle",
          "{\"graph\":\"acyclic\",\"source\":\"n98\",\"target\":\"n01\",\"type\":\"Related\"}");
    /* Undirected: a forest, where a second way is a cycle. */
    holds(db, "edges.put_many", "3",
          "{\"graph\":\"forest\",\"items\":[{\"source\":\"b\",\"target\":\"a\",\"type\":"
          "\"Related\"},{\"source\":\"c\",\"target\":\"b\",\"type\":\"Related\"},{\"source\":\"d\","
          "\"target\":\"c\",\"type\":\"Related\"}]}");
    fails(db, "edges.put", BRANT_CONSTRAINT, "cycle",
          "{\"graph\":\"forest\",\"source\":\"a\",\"target\":\"d\",\"type\":\"Related\"}");
    fails(db, "edges.put", BRANT_CONSTRAINT, "cycle",
          "{\"graph\":\"forest\",\"source\":\"a\",\"target\":\"b\",\"type\":\"Related\"}");
    for (int ring = 0; ring < 3; ring++) {
        strcpy(items, "");
        for (int i = 0; i < 99; i++)
            sprintf(items + strlen(items),
                    "%s{\"source\":\"n%02d\",\"target\":\"n%02d\",\"type\":\"Related\"}",
                    i ? "," : "", i / 2, i + 1);
        if (ring == 0)
            strcat(items, ",{\"source\":\"n99\",\"target\":\"n98\",\"type\":\"Related\"}");
        if (ring == 1)
            strcat(items,
                   ",{\"source\":\"n01\",\"target\":\"n00\",\"type\":\"Related\"}"); /* parallel to
                                                                                        the first */
        if (ring < 2)
            fails(db, "edges.put_many", BRANT_CONSTRAINT, "cycle",
                  "{\"graph\":\"forest\",\"items\":[%s]}", items);
        else
            holds(db, "edges.put_many", "99", "{\"graph\":\"forest\",\"items\":[%s]}", items);
    }
    healthy(db);
    brant_db_free(db);
    free(items);
}

/* A long chain, walked from both ends into the middle. */
static void test_acyclic_long(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    const int count = 12000;
    char *items = malloc((size_t)count * 100);
    size_t length;

    define(db, TASK_MODULE("acyclic", "\"acyclic\":{\"const\":true}"));
    holds(db, "graphs.create", "\"id\"", "{\"name\":\"g\",\"graph_type\":\"acyclic\"}");
    length = 0;
    for (int i = 0; i < count; i++)
        length += (size_t)sprintf(items + length, "%s{\"key\":\"%d\",\"type\":\"Person\"}",
                                  i ? "," : "", i);
    holds(db, "nodes.put_many", "12000", "{\"graph\":\"g\",\"items\":[%s]}", items);
    length = 0;
    for (int i = 1; i < count; i++)
        length += (size_t)sprintf(items + length,
                                  "%s{\"source\":\"%d\",\"target\":\"%d\",\"type\":\"Related\"}",
                                  i > 1 ? "," : "", i - 1, i);
    holds(db, "edges.put_many", "11999", "{\"graph\":\"g\",\"items\":[%s]}", items);
    fails(db, "edges.put", BRANT_CONSTRAINT, "cycle",
          "{\"graph\":\"g\",\"source\":\"11900\",\"target\":\"100\",\"type\":\"Related\"}");
    holds(db, "edges.put", "true",
          "{\"graph\":\"g\",\"source\":\"100\",\"target\":\"11900\",\"type\":\"Related\"}");
    fails(db, "edges.put", BRANT_CONSTRAINT, "cycle",
          "{\"graph\":\"g\",\"source\":\"11999\",\"target\":\"0\",\"type\":\"Related\"}");
    brant_db_free(db);
    free(items);
}

static void test_put_many(void **state) {
    brant_db *db = open_graphs(state);
    char *items = malloc(100000);

    is(db, "edges.put_many", "{\"created\":0,\"updated\":0}", "{\"graph\":\"g\",\"items\":[]}");
    is(db, "edges.put_many", "{\"created\":3,\"updated\":2}",
       "{\"graph\":\"g\",\"items\":[{\"source\":\"a\",\"target\":\"b\",\"attributes\":{\"x\":1},"
       "\"metadata\":{\"m\":1}},{\"source\":\"b\",\"target\":\"c\",\"key\":\"k\"},{\"source\":"
       "\"a\",\"target\":\"b\",\"attributes\":{\"x\":2}},"
       "{\"source\":\"b\",\"target\":\"c\",\"revision\":1},{\"source\":\"c\",\"target\":\"a\"}]}");
    holds(db, "edges.get", "\"attributes\":{\"x\":2},\"metadata\":{\"m\":1},\"revision\":2",
          "{\"graph\":\"g\",\"key\":\"" AB "\"}");
    holds(db, "edges.get", "\"revision\":2", "{\"graph\":\"g\",\"key\":\"k\"}");
    is(db, "edges.put_many", "{\"created\":1,\"updated\":3}",
       "{\"graph\":\"g\",\"items\":[{\"source\":\"a\",\"target\":\"b\",\"revision\":2},{\"source\":"
       "\"b\",\"target\":\"c\"},{\"source\":\"b\",\"target\":\"c\",\"key\":\"k\",\"revision\":3},{"
       "\"source\":\"d\",\"target\":\"a\",\"revision\":0}]}");
    holds(db, "edges.get", "\"revision\":4", "{\"graph\":\"g\",\"key\":\"k\"}");
    /* Faults, by item; nothing is written. */
    fails(db, "edges.put_many", BRANT_NOT_FOUND, "item 1: no node \"x\"",
          "{\"graph\":\"g\",\"items\":[{\"source\":\"a\",\"target\":\"d\"},{\"source\":\"x\","
          "\"target\":\"d\"},{\"source\":\"d\",\"target\":\"c\",\"key\":\"k\"},{\"source\":\"a\","
          "\"target\":\"b\",\"key\":\"j\"},"
          "{\"source\":\"a\",\"target\":\"b\",\"revision\":9},{\"source\":\"d\",\"target\":\"b\","
          "\"key\":\"new\"},{\"source\":\"d\",\"target\":\"c\",\"key\":\"new\"},{\"source\":\"d\","
          "\"target\":\"b\",\"key\":\"newer\"}]}");
    detail_holds("{\"index\":1,\"key\":\"[\\\"x\\\",null,\\\"d\\\"]\",\"code\":\"NOT_FOUND\"");
    detail_holds("{\"index\":2,\"key\":\"k\",\"code\":\"CONSTRAINT\"");
    detail_holds("{\"index\":3,\"key\":\"j\",\"code\":\"CONSTRAINT\"");
    detail_holds("{\"index\":4,\"key\":\"" AB "\",\"code\":\"CONFLICT\"");
    detail_holds("{\"index\":6,\"key\":\"new\",\"code\":\"CONSTRAINT\"");
    detail_holds("{\"index\":7,\"key\":\"newer\",\"code\":\"CONSTRAINT\"");
    assert_null(strstr(brant_last_error()->detail, "\"index\":5"));
    is(db, "edges.count", "{\"count\":4}", "{\"graph\":\"g\"}");
    /* Rows of one statement, in parts. */
    strcpy(items, "");
    for (int i = 0; i < 60; i++)
        sprintf(items + strlen(items), "%s{\"key\":\"n%02d\"}", i ? "," : "", i);
    holds(db, "nodes.put_many", "60", "{\"graph\":\"g\",\"items\":[%s]}", items);
    for (int count = 1; count < 60; count += 13) {
        strcpy(items, "");
        for (int i = 0; i < count; i++)
            sprintf(items + strlen(items),
                    "%s{\"source\":\"n%02d\",\"target\":\"n%02d\",\"attributes\":{\"i\":%d}%s}",
                    i ? "," : "", (i * 7 + count) % 60, i, i,
                    i % 11 == 5 ? ",\"metadata\":{\"m\":true}" : "");
        holds(db, "edges.put_many", "\"updated\":0", "{\"graph\":\"g\",\"items\":[%s]}", items);
        for (int i = 0; i < count; i++) {
            char wanted[128];
            sprintf(wanted, "\"attributes\":{\"i\":%d},\"metadata\":{%s},\"revision\":1", i,
                    i % 11 == 5 ? "\"m\":true" : "");
            holds(db, "edges.get", wanted,
                  "{\"graph\":\"g\",\"key\":\"[\\\"n%02d\\\",null,\\\"n%02d\\\"]\"}",
                  (i * 7 + count) % 60, i);
        }
    }
    healthy(db);
    brant_db_free(db);
    free(items);
}

/* All pages of a list of edges; "source>target " of each. */
static void list_pages(char *out, brant_db *db, const char *graph, const char *members, int limit,
                       int disturb) {
    char *cursor = strdup("");
    int page = 0;

    *out = 0;
    do {
        brant__json json =
            parsed(*cursor ? answer(db, "edges.list",
                                    "{\"graph\":\"%s\",\"limit\":%d%s,\"cursor\":\"%s\"}", graph,
                                    limit, members, cursor)
                           : answer(db, "edges.list", "{\"graph\":\"%s\",\"limit\":%d%s}", graph,
                                    limit, members));
        yyjson_val *items = brant__json_get(json.root, "items"),
                   *next = brant__json_get(json.root, "cursor");
        assert_true(yyjson_arr_size(items) <= (size_t)limit);
        for (size_t i = 0; i < yyjson_arr_size(items); i++) {
            const char *type = yyjson_get_str(brant__json_get(yyjson_arr_get(items, i), "type"));
            sprintf(out + strlen(out), "%s%c%s ",
                    yyjson_get_str(brant__json_get(yyjson_arr_get(items, i), "source")),
                    type ? *type : '>',
                    yyjson_get_str(brant__json_get(yyjson_arr_get(items, i), "target")));
        }
        free(cursor);
        cursor = strdup(yyjson_is_str(next) ? yyjson_get_str(next) : "");
        brant__json_free(&json);
        if (disturb && page++ == 0) {
            holds(db, "edges.put_many", "\"created\":2",
                  "{\"graph\":\"g\",\"items\":[{\"source\":\"a\",\"target\":\"a\"},{\"source\":"
                  "\"d\",\"target\":\"b\"}]}");
            holds(db, "edges.delete", "true", "{\"graph\":\"g\",\"key\":\"" AB "\"}");
        }
    } while (*cursor);
    free(cursor);
}

static void test_list(void **state) {
    brant_db *db = open_graphs(state);
    char edges[4096], cursor[256];
    const char *text;

    is(db, "edges.list", "{\"items\":[],\"cursor\":null}", "{\"graph\":\"g\"}");
    holds(db, "edges.put_many", "\"created\":6",
          "{\"graph\":\"g\",\"items\":[{\"source\":\"c\",\"target\":\"a\"},{\"source\":\"a\","
          "\"target\":\"c\"},{\"source\":\"a\",\"target\":\"b\"},{\"source\":\"d\",\"target\":"
          "\"c\"},{\"source\":\"d\",\"target\":\"a\"},{\"source\":\"a\",\"target\":\"d\"}]}");
    holds(db, "edges.put_many", "\"created\":6",
          "{\"graph\":\"multi\",\"items\":[{\"source\":\"b\",\"target\":\"a\",\"type\":\"Related\"}"
          ",{\"source\":\"a\",\"target\":\"c\",\"type\":\"Related\"},{\"source\":\"a\",\"target\":"
          "\"b\",\"type\":\"Related\"},"
          "{\"source\":\"a\",\"target\":\"c\",\"type\":\"DependsOn\"},{\"source\":\"a\",\"target\":"
          "\"b\",\"type\":\"Related\",\"key\":\"second\"},{\"source\":\"d\",\"target\":\"b\","
          "\"type\":\"DependsOn\"}]}");
    for (int limit = 1; limit < 9; limit++) {
        list_pages(edges, db, "g", "", limit, 0);
        assert_string_equal(edges, "a>b a>c a>d c>a d>a d>c ");
        list_pages(edges, db, "g", ",\"source\":\"a\"", limit, 0);
        assert_string_equal(edges, "a>b a>c a>d ");
        list_pages(edges, db, "g", ",\"target\":\"a\"", limit, 0);
        assert_string_equal(edges, "c>a d>a ");
        list_pages(edges, db, "g", ",\"source\":\"d\",\"target\":\"a\"", limit, 0);
        assert_string_equal(edges, "d>a ");
        list_pages(edges, db, "g", ",\"source\":\"b\"", limit, 0);
        assert_string_equal(edges, "");
        list_pages(edges, db, "g", ",\"target\":\"nobody\"", limit, 0);
        assert_string_equal(edges, "");
        list_pages(edges, db, "multi", "", limit, 0);
        assert_string_equal(edges, "aDc aRb aRb aRc bRa dDb ");
        list_pages(edges, db, "multi", ",\"type\":\"Related\"", limit, 0);
        assert_string_equal(edges, "aRb aRb aRc bRa ");
        list_pages(edges, db, "multi", ",\"type\":\"DependsOn\",\"source\":\"a\"", limit, 0);
        assert_string_equal(edges, "aDc ");
        list_pages(edges, db, "multi", ",\"target\":\"b\"", limit, 0);
        assert_string_equal(edges, "aRb aRb dDb ");
        list_pages(edges, db, "multi", ",\"target\":\"b\",\"type\":\"Related\"", limit, 0);
        assert_string_equal(edges, "aRb aRb ");
    }
    list_pages(edges, db, "g", "", 1, 1);
    assert_string_equal(edges, "a>b a>c a>d c>a d>a d>b d>c ");
    fails(db, "edges.list", BRANT_INVALID, "no edge type", "{\"graph\":\"multi\",\"type\":\"X\"}");
    text = answer(db, "edges.list", "{\"graph\":\"g\",\"limit\":1}");
    snprintf(cursor, sizeof(cursor), "%s", strstr(text, "\"cursor\":\"") + 10);
    *strchr(cursor, '"') = 0;
    fails(db, "edges.list", BRANT_INVALID, "cursor", "{\"graph\":\"multi\",\"cursor\":\"%s\"}",
          cursor);
    fails(db, "edges.list", BRANT_INVALID, "cursor",
          "{\"graph\":\"g\",\"source\":\"a\",\"cursor\":\"%s\"}", cursor);
    fails(db, "edges.list", BRANT_INVALID, "cursor",
          "{\"graph\":\"g\",\"target\":\"a\",\"cursor\":\"%s\"}", cursor);
    brant_db_free(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(test_derived_keys), GRAPH_TEST(test_explicit_keys), GRAPH_TEST(test_multi),
        GRAPH_TEST(test_undirected),   GRAPH_TEST(test_rules),         GRAPH_TEST(test_acyclic),
        GRAPH_TEST(test_acyclic_long), GRAPH_TEST(test_put_many),      GRAPH_TEST(test_list),
    };
    return cmocka_run_group_tests_name("graph_edge", tests, NULL, NULL);
}
