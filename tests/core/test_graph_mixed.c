/*
 * tests/core/test_graph_mixed.c: mixed graphs, in which each edge says whether it is undirected.
 */
#include "test_graph.h"

#define MIXED(name, more)                                                                          \
    "{\"$id\":\"" name "\",\"$defs\":{\"Config\":{\"type\":\"object\",\"properties\":{"            \
    "\"directed\":{\"const\":\"mixed\"}" more "}}}}"

static brant_db *open_mixed(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");

    define(db, MIXED("mixed", ""));
    define(db, MIXED("mixed_multi", ",\"multi\":{\"const\":true}"));
    define(db, MIXED("mixed_acyclic", ",\"acyclic\":{\"const\":true}"));
    define(db, "{\"$id\":\"limited\",\"$defs\":{\"Config\":{\"type\":\"object\",\"properties\":{"
               "\"directed\":{\"const\":\"mixed\"}}},\"ANode\":{},\"TiesEdge\":{},"
               "\"TiesEdgeConstraints\":{\"type\":\"object\",\"properties\":{\"max_out\":{"
               "\"const\":2},\"max_in\":{\"const\":1}}}}}");
    for (int i = 0; i < 6; i++) {
        static const char *const names[] = {"mixed",   "mixed_multi", "mixed_acyclic",
                                            "limited", "open",        "undirected"};
        if (i == 5)
            define(db, "{\"$id\":\"undirected\",\"$defs\":{\"Config\":{\"type\":\"object\","
                       "\"properties\":{\"directed\":{\"const\":\"undirected\"}}}}}");
        holds(db, "graphs.create", "\"id\"", "{\"name\":\"%s\",\"graph_type\":\"%s\"}", names[i],
              names[i]);
        holds(db, "nodes.put_many", "4",
              "{\"graph\":\"%s\",\"items\":[{\"key\":\"a\"},{\"key\":\"b\"},{\"key\":\"c\"},{"
              "\"key\":\"d\"}]}",
              names[i]);
    }
    return db;
}

#define UNDIRECTED_AB "[\\\"a\\\",null,\\\"b\\\",\\\"undirected\\\"]"

static void test_one_of_each(void **state) {
    brant_db *db = open_mixed(state);

    is(db, "edges.put", "{\"key\":\"[\\\"b\\\",null,\\\"a\\\"]\",\"created\":true,\"revision\":1}",
       "{\"graph\":\"mixed\",\"source\":\"b\",\"target\":\"a\"}");
    is(db, "edges.put", "{\"key\":\"" UNDIRECTED_AB "\",\"created\":true,\"revision\":1}",
       "{\"graph\":\"mixed\",\"source\":\"b\",\"target\":\"a\",\"undirected\":true}");
    /* The same edge the other way round, and by its key. */
    is(db, "edges.put", "{\"key\":\"" UNDIRECTED_AB "\",\"created\":false,\"revision\":2}",
       "{\"graph\":\"mixed\",\"source\":\"a\",\"target\":\"b\",\"undirected\":true}");
    is(db, "edges.put", "{\"key\":\"" UNDIRECTED_AB "\",\"created\":false,\"revision\":3}",
       "{\"graph\":\"mixed\",\"source\":\"a\",\"target\":\"b\",\"key\":\"" UNDIRECTED_AB "\"}");
    holds(db, "edges.get",
          "\"source\":\"a\",\"target\":\"b\",\"attributes\":{},\"undirected\":true",
          "{\"graph\":\"mixed\",\"key\":\"" UNDIRECTED_AB "\"}");
    holds(db, "edges.list", "\"undirected\":false", "{\"graph\":\"mixed\",\"source\":\"b\"}");
    fails(db, "edges.put", BRANT_INVALID, "other ends",
          "{\"graph\":\"mixed\",\"source\":\"a\",\"target\":\"c\",\"undirected\":true,\"key\":"
          "\"" UNDIRECTED_AB "\"}");
    fails(db, "edges.put", BRANT_INVALID, "other ends",
          "{\"graph\":\"mixed\",\"source\":\"a\",\"target\":\"b\",\"undirected\":false,\"key\":"
          "\"" UNDIRECTED_AB "\"}");
    /* What a directed edge would be known by is no undirected edge's key, of its own ends neither. */
    fails(db, "edges.put", BRANT_INVALID, "other ends",
          "{\"graph\":\"mixed\",\"source\":\"c\",\"target\":\"d\",\"undirected\":true,\"key\":"
          "\"[\\\"a\\\",null,\\\"b\\\"]\"}");
    fails(db, "edges.put", BRANT_INVALID, "other ends",
          "{\"graph\":\"mixed\",\"source\":\"c\",\"target\":\"d\",\"undirected\":true,\"key\":"
          "\"[\\\"c\\\",null,\\\"d\\\"]\"}");
    fails(db, "edges.put", BRANT_CONSTRAINT, "another key",
          "{\"graph\":\"mixed\",\"source\":\"a\",\"target\":\"b\",\"undirected\":true,\"key\":"
          "\"own\"}");
    /* In one batch, both kinds and a repetition. */
    is(db, "edges.put_many", "{\"created\":2,\"updated\":1}",
       "{\"graph\":\"mixed\",\"items\":[{\"source\":\"d\",\"target\":\"c\",\"undirected\":true},"
       "{\"source\":\"c\",\"target\":\"d\"},{\"source\":\"c\",\"target\":\"d\",\"undirected\":"
       "true}]}");
    is(db, "edges.count", "{\"count\":4}", "{\"graph\":\"mixed\"}");
    is(db, "edges.delete", "{\"deleted\":true}",
       "{\"graph\":\"mixed\",\"key\":\"" UNDIRECTED_AB "\"}");
    is(db, "edges.exists", "{\"exists\":true}",
       "{\"graph\":\"mixed\",\"key\":\"[\\\"b\\\",null,\\\"a\\\"]\"}");
    healthy(db);
    brant_db_free(db);
}

static void test_kinds(void **state) {
    brant_db *db = open_mixed(state);

    fails(db, "edges.put", BRANT_INVALID, "are directed",
          "{\"graph\":\"open\",\"source\":\"a\",\"target\":\"b\",\"undirected\":true}");
    fails(db, "edges.put", BRANT_INVALID, "are undirected",
          "{\"graph\":\"undirected\",\"source\":\"a\",\"target\":\"b\",\"undirected\":false}");
    holds(db, "edges.put", "\"created\":true",
          "{\"graph\":\"undirected\",\"source\":\"b\",\"target\":\"a\",\"undirected\":true}");
    holds(db, "edges.put", "\"created\":true",
          "{\"graph\":\"open\",\"source\":\"b\",\"target\":\"a\",\"undirected\":false}");
    fails(db, "edges.put", BRANT_CONSTRAINT, "both ways",
          "{\"graph\":\"mixed_acyclic\",\"source\":\"a\",\"target\":\"b\",\"undirected\":true}");
    is(db, "edges.put_many", "{\"created\":3,\"updated\":0}",
       "{\"graph\":\"mixed_multi\",\"items\":[{\"source\":\"b\",\"target\":\"a\",\"undirected\":"
       "true,\"key\":\"x\"},{\"source\":\"b\",\"target\":\"a\",\"undirected\":true},{\"source\":"
       "\"b\",\"target\":\"a\",\"key\":\"y\"}]}");
    is(db, "edges.put", "{\"key\":\"x\",\"created\":false,\"revision\":2}",
       "{\"graph\":\"mixed_multi\",\"source\":\"b\",\"target\":\"a\",\"key\":\"x\"}");
    fails(db, "edges.put", BRANT_CONSTRAINT, "stay",
          "{\"graph\":\"mixed_multi\",\"source\":\"b\",\"target\":\"a\",\"key\":\"y\","
          "\"undirected\":true}");
    brant_db_free(db);
}

/* An undirected edge goes out of both its ends, and comes in at both. */
static void test_cardinality(void **state) {
    brant_db *db = open_mixed(state);

    holds(db, "edges.put", "true",
          "{\"graph\":\"limited\",\"source\":\"b\",\"target\":\"a\",\"undirected\":true}");
    fails(db, "edges.put", BRANT_CONSTRAINT, "\"a\" may have 1 edges of type \"Ties\" that come in",
          "{\"graph\":\"limited\",\"source\":\"c\",\"target\":\"a\"}");
    fails(db, "edges.put", BRANT_CONSTRAINT, "come in",
          "{\"graph\":\"limited\",\"source\":\"c\",\"target\":\"b\"}");
    holds(db, "edges.put", "true", "{\"graph\":\"limited\",\"source\":\"a\",\"target\":\"c\"}");
    fails(db, "edges.put_many", BRANT_CONSTRAINT, "go out",
          "{\"graph\":\"limited\",\"items\":[{\"source\":\"b\",\"target\":\"d\"},{\"source\":"
          "\"a\",\"target\":\"d\"}]}");
    brant_db_free(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(test_one_of_each),
        GRAPH_TEST(test_kinds),
        GRAPH_TEST(test_cardinality),
    };
    return cmocka_run_group_tests_name("graph_mixed", tests, NULL, NULL);
}
