/*
 * tests/core/test_graph_traverse.c: neighbours and closures; closures both ways, by the indexes and
 * by a snapshot.
 */
#include "test_graph.h"

#include "graph/internal.h"

/* From now on this handle's closures take a snapshot at once, or not before they must. */
static void prefer_snapshot(brant_db *db, bool yes) {
    brant__graphs *state;

    assert_int_equal(brant__enter(db), BRANT_OK);
    assert_int_equal(brant__graphs_state(&state, db), BRANT_OK);
    state->walk_edges = yes ? 0 : 20000;
    brant__leave(db);
}

static const brant__snapshot *kept_snapshot(brant_db *db) {
    brant__graphs *state = brant__state(db, BRANT__SLOT_GRAPH);

    for (size_t i = 0; state && i < BRANT__GRAPHS_KEPT; i++)
        if (state->graphs[i].snapshot) return state->graphs[i].snapshot;
    return NULL;
}

static brant_db *open_graphs(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    static const char *const names[] = {"multi", "undirected"};

    define(db, TASK_MODULE("multi", "\"multi\":{\"const\":true}"));
    define(db, TASK_MODULE("undirected", "\"directed\":{\"const\":\"undirected\"}"));
    for (int i = 0; i < 2; i++) {
        holds(db, "graphs.create", "\"id\"", "{\"name\":\"%s\",\"graph_type\":\"%s\"}", names[i],
              names[i]);
        holds(db, "nodes.put_many", "5",
              "{\"graph\":\"%s\",\"items\":[{\"key\":\"e\",\"type\":\"Person\"},{\"key\":\"d\","
              "\"type\":\"Task\",\"attributes\":{\"title\":\"D\"}},{\"key\":\"c\",\"type\":"
              "\"Task\",\"attributes\":{\"title\":\"C\"}},"
              "{\"key\":\"b\",\"type\":\"Task\",\"attributes\":{\"title\":\"B\"}},{\"key\":\"a\","
              "\"type\":\"Task\",\"attributes\":{\"title\":\"A\"}}]}",
              names[i]);
        holds(db, "edges.put_many", "7",
              "{\"graph\":\"%s\",\"items\":[{\"source\":\"a\",\"target\":\"b\",\"type\":"
              "\"Related\",\"attributes\":{\"n\":1}},{\"source\":\"a\",\"target\":\"c\",\"type\":"
              "\"Related\"},{\"source\":\"a\",\"target\":\"e\",\"type\":\"Assigned\"},"
              "{\"source\":\"d\",\"target\":\"a\",\"type\":\"DependsOn\"},{\"source\":\"a\","
              "\"target\":\"a\",\"type\":\"Related\"},{\"source\":\"b\",\"target\":\"a\",\"type\":"
              "\"DependsOn\"},{\"source\":\"c\",\"target\":\"d\",\"type\":\"DependsOn\"}]}",
              names[i]);
    }
    holds(db, "edges.put", "true",
          "{\"graph\":\"multi\",\"source\":\"a\",\"target\":\"b\",\"type\":\"Related\",\"key\":"
          "\"again\"}");
    return db;
}

/* All pages of nodes.neighbors of a: "type's letter, key, blank" of each. */
static void list_pages(char *out, brant_db *db, const char *graph, const char *members, int limit) {
    char *cursor = strdup("");

    *out = 0;
    do {
        brant__json json = parsed(
            *cursor
                ? answer(db, "nodes.neighbors",
                         "{\"graph\":\"%s\",\"key\":\"a\",\"limit\":%d%s,\"cursor\":\"%s\"}", graph,
                         limit, members, cursor)
                : answer(db, "nodes.neighbors", "{\"graph\":\"%s\",\"key\":\"a\",\"limit\":%d%s}",
                         graph, limit, members));
        yyjson_val *items = brant__json_get(json.root, "items"),
                   *next = brant__json_get(json.root, "cursor");
        assert_true(yyjson_arr_size(items) <= (size_t)limit);
        for (size_t i = 0; i < yyjson_arr_size(items); i++) {
            yyjson_val *item = yyjson_arr_get(items, i), *edge = brant__json_get(item, "edge");
            sprintf(out + strlen(out), "%c%s ", *yyjson_get_str(brant__json_get(edge, "type")),
                    yyjson_get_str(brant__json_get(item, "key")));
        }
        free(cursor);
        cursor = strdup(yyjson_is_str(next) ? yyjson_get_str(next) : "");
        brant__json_free(&json);
    } while (*cursor);
    free(cursor);
}

static void test_neighbors(void **state) {
    brant_db *db = open_graphs(state);
    char found[1024], cursor[256];
    const char *text;

    holds(
        db, "nodes.neighbors",
        "{\"key\":\"e\",\"type\":\"Person\",\"edge\":{\"key\":\"[\\\"a\\\",\\\"Assigned\\\","
        "\\\"e\\\"]\",\"type\":\"Assigned\",\"source\":\"a\",\"target\":\"e\",\"attributes\":{}}},",
        "{\"graph\":\"undirected\",\"key\":\"a\"}");
    holds(db, "nodes.neighbors", "\"source\":\"a\",\"target\":\"b\",\"attributes\":{\"n\":1}}",
          "{\"graph\":\"multi\",\"key\":\"b\",\"direction\":\"in\"}");
    for (int limit = 1; limit < 12; limit++) {
        /* Types in the module's order, then nodes as they were made: e d c b a. */
        list_pages(found, db, "multi", "", limit);
        assert_string_equal(found, "Ae Rc Rb Rb Ra ");
        list_pages(found, db, "multi", ",\"direction\":\"in\"", limit);
        assert_string_equal(found, "Dd Db Ra ");
        list_pages(found, db, "multi", ",\"direction\":\"both\"", limit); /* the loop once */
        assert_string_equal(found, "Ae Rc Rb Rb Ra Dd Db ");
        list_pages(found, db, "multi",
                   ",\"direction\":\"both\",\"edge_types\":[\"Related\",\"DependsOn\",\"Related\"]",
                   limit);
        assert_string_equal(found, "Rc Rb Rb Ra Dd Db ");
        list_pages(found, db, "multi", ",\"direction\":\"in\",\"edge_types\":[\"Related\"]", limit);
        assert_string_equal(found, "Ra ");
        list_pages(found, db, "multi", ",\"edge_types\":[]", limit);
        assert_string_equal(found, "");
        for (int i = 0; i < 3; i++) {
            static const char *const directions[] = {"", ",\"direction\":\"in\"",
                                                     ",\"direction\":\"both\""};
            list_pages(found, db, "undirected", directions[i], limit);
            assert_string_equal(found, "Dd Db Ae Rc Rb Ra ");
        }
    }
    fails(db, "nodes.neighbors", BRANT_NOT_FOUND, "no node \"x\"",
          "{\"graph\":\"multi\",\"key\":\"x\"}");
    fails(db, "nodes.neighbors", BRANT_INVALID, "no edge type \"X\"",
          "{\"graph\":\"multi\",\"key\":\"a\",\"edge_types\":[\"X\"]}");
    text = answer(db, "nodes.neighbors", "{\"graph\":\"multi\",\"key\":\"a\",\"limit\":1}");
    snprintf(cursor, sizeof(cursor), "%s", strstr(text, "\"cursor\":\"") + 10);
    *strchr(cursor, '"') = 0;
    fails(db, "nodes.neighbors", BRANT_INVALID, "cursor",
          "{\"graph\":\"multi\",\"key\":\"b\",\"cursor\":\"%s\"}", cursor);
    fails(db, "nodes.neighbors", BRANT_INVALID, "cursor",
          "{\"graph\":\"multi\",\"key\":\"a\",\"direction\":\"in\",\"cursor\":\"%s\"}", cursor);
    fails(db, "nodes.neighbors", BRANT_INVALID, "cursor",
          "{\"graph\":\"multi\",\"key\":\"a\",\"edge_types\":[\"Related\"],\"cursor\":\"%s\"}",
          cursor);
    fails(db, "nodes.list", BRANT_INVALID, "cursor", "{\"graph\":\"multi\",\"cursor\":\"%s\"}",
          cursor);
    brant_db_free(db);
}

static void test_closure(void **state) {
    brant_db *db = open_graphs(state);

    for (int way = 0; way < 2; way++) {
        prefer_snapshot(db, way == 1);
        is(db, "nodes.closure",
           "{\"keys\":[\"a\",\"b\",\"c\",\"e\",\"d\"],\"depths\":[0,1,1,1,2],\"parents\":[-1,0,0,0,"
           "2],\"truncated\":false}",
           "{\"graph\":\"multi\",\"keys\":[\"a\"]}");
        is(db, "nodes.closure",
           "{\"keys\":[\"a\",\"b\",\"d\",\"c\"],\"depths\":[0,1,1,2],\"parents\":[-1,0,0,2],"
           "\"truncated\":false}",
           "{\"graph\":\"multi\",\"keys\":[\"a\"],\"direction\":\"in\"}");
        is(db, "nodes.closure",
           "{\"keys\":[\"a\",\"b\",\"c\",\"d\",\"e\"],\"depths\":[0,1,1,1,1],\"parents\":[-1,0,0,0,"
           "0],\"truncated\":false}",
           "{\"graph\":\"multi\",\"keys\":[\"a\"],\"direction\":\"both\"}");
        is(db, "nodes.closure",
           "{\"keys\":[\"a\",\"b\",\"c\",\"d\",\"e\"],\"depths\":[0,1,1,1,1],\"parents\":[-1,0,0,0,"
           "0],\"truncated\":false}",
           "{\"graph\":\"undirected\",\"keys\":[\"a\"]}");
        is(db, "nodes.closure",
           "{\"keys\":[\"d\",\"c\",\"a\",\"b\",\"e\"],\"depths\":[0,0,1,2,2],\"parents\":[-1,-1,0,"
           "2,2],\"truncated\":false}",
           "{\"graph\":\"multi\",\"keys\":[\"d\",\"c\",\"d\"]}");
        is(db, "nodes.closure",
           "{\"keys\":[\"a\",\"b\",\"c\"],\"depths\":[0,1,1],\"parents\":[-1,0,0],\"truncated\":"
           "false}",
           "{\"graph\":\"multi\",\"keys\":[\"a\"],\"edge_types\":[\"Related\"]}");
        is(db, "nodes.closure",
           "{\"keys\":[\"a\"],\"depths\":[0],\"parents\":[-1],\"truncated\":false}",
           "{\"graph\":\"multi\",\"keys\":[\"a\"],\"edge_types\":[]}");
        is(db, "nodes.closure",
           "{\"keys\":[\"a\"],\"depths\":[0],\"parents\":[-1],\"truncated\":false}",
           "{\"graph\":\"multi\",\"keys\":[\"a\"],\"max_depth\":0}");
        is(db, "nodes.closure",
           "{\"keys\":[\"a\",\"b\",\"c\",\"e\"],\"depths\":[0,1,1,1],\"parents\":[-1,0,0,0],"
           "\"truncated\":false}",
           "{\"graph\":\"multi\",\"keys\":[\"a\"],\"max_depth\":1}");
        is(db, "nodes.closure",
           "{\"keys\":[\"a\",\"b\",\"c\"],\"depths\":[0,1,1],\"parents\":[-1,0,0],\"truncated\":"
           "true}",
           "{\"graph\":\"multi\",\"keys\":[\"a\"],\"limit\":3}");
        is(db, "nodes.closure",
           "{\"keys\":[\"a\",\"b\",\"c\",\"e\",\"d\"],\"depths\":[0,1,1,1,2],\"parents\":[-1,0,0,0,"
           "2],\"truncated\":false}",
           "{\"graph\":\"multi\",\"keys\":[\"a\"],\"limit\":5}");
        is(db, "nodes.closure",
           "{\"keys\":[\"e\"],\"depths\":[0],\"parents\":[-1],\"truncated\":true}",
           "{\"graph\":\"multi\",\"keys\":[\"e\",\"a\"],\"limit\":1}");
        is(db, "nodes.closure",
           "{\"keys\":[\"e\"],\"depths\":[0],\"parents\":[-1],\"truncated\":false}",
           "{\"graph\":\"multi\",\"keys\":[\"e\",\"e\"],\"limit\":1}");
        fails(db, "nodes.closure", BRANT_NOT_FOUND, "no node \"x\"",
              "{\"graph\":\"multi\",\"keys\":[\"a\",\"x\"]}");
        fails(db, "nodes.closure", BRANT_INVALID, "no edge type",
              "{\"graph\":\"multi\",\"keys\":[\"a\"],\"edge_types\":[\"X\"]}");
        fails(db, "nodes.closure", BRANT_INVALID, NULL,
              "{\"graph\":\"multi\",\"keys\":[\"a\"],\"max_depth\":-1}");
        fails(db, "nodes.closure", BRANT_INVALID, NULL, "{\"graph\":\"multi\",\"keys\":[]}");
        assert_true((kept_snapshot(db) != NULL) == (way == 1));
    }
    /* Keys that need escaping, and a key beside which there is nothing. */
    holds(db, "graphs.create", "\"id\"", "{\"name\":\"g\",\"graph_type\":\"open\"}");
    holds(db, "nodes.put_many", "3",
          "{\"graph\":\"g\",\"items\":[{\"key\":\"q\\\"\\\\\\n\"},{\"key\":\"\\u00e9\"},{\"key\":"
          "\"z\"}]}");
    holds(db, "edges.put", "true",
          "{\"graph\":\"g\",\"source\":\"z\",\"target\":\"q\\\"\\\\\\n\"}");
    holds(db, "edges.put", "true", "{\"graph\":\"g\",\"source\":\"z\",\"target\":\"\\u00e9\"}");
    for (int way = 0; way < 2; way++) {
        prefer_snapshot(db, way == 0);
        is(db, "nodes.closure",
           "{\"keys\":[\"z\",\"q\\\"\\\\\\n\",\"\xc3\xa9\"],\"depths\":[0,1,1],\"parents\":[-1,0,0]"
           ",\"truncated\":false}",
           "{\"graph\":\"g\",\"keys\":[\"z\"]}");
    }
    brant_db_free(db);
}

/* Large: the indexes give up of themselves; row ids of two graphs mixed, then sparse. */
static void test_closure_large(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    const int count = 6000;
    char *items = malloc((size_t)count * 100), *first, *second;
    size_t length;

    for (int graph = 0; graph < 12; graph++) {
        holds(db, "graphs.create", "\"id\"", "{\"name\":\"g%d\",\"graph_type\":\"open\"}", graph);
        for (int part = 0; part < (graph < 2 ? 1 : 1); part++) {
            length = 0;
            for (int i = 0; i < count / (graph < 2 ? 1 : 4); i++)
                length += (size_t)sprintf(items + length, "%s{\"key\":\"n%d\"}", i ? "," : "",
                                          (i * 7919) % count);
            holds(db, "nodes.put_many", "\"updated\":0", "{\"graph\":\"g%d\",\"items\":[%s]}",
                  graph, items);
        }
        if (graph >= 2) continue;
        length = 0;
        for (int i = 1; i < count; i++)
            length += (size_t)sprintf(items + length, "%s{\"source\":\"n%d\",\"target\":\"n%d\"}",
                                      i > 1 ? "," : "", (i - 1) / 3, i);
        holds(db, "edges.put_many", "5999", "{\"graph\":\"g%d\",\"items\":[%s]}", graph, items);
    }
    first = must_call(db, "nodes.closure", "{\"graph\":\"g0\",\"keys\":[\"n0\"]}",
                      "{\"keys\":[\"n0\",\"n1\",\"n2\",\"n3\",\"n4\",\"n5\",\"n6\",\"n7\",\"n8\","
                      "\"n9\",\"n10\",");
    assert_non_null(kept_snapshot(db));
    assert_non_null(kept_snapshot(db)->numbers);
    holds(db, "nodes.closure", "{\"keys\":[\"n0\",\"n1\",", "{\"graph\":\"g1\",\"keys\":[\"n0\"]}");
    /* Sparse: a few nodes far behind, so that the table of row ids would be too long. */
    holds(db, "nodes.put", "true", "{\"graph\":\"g0\",\"key\":\"late\"}");
    holds(db, "sql.execute", "1",
          "{\"sql\":\"SELECT max(row_id) - min(row_id) > 20000 FROM nodes WHERE graph = (SELECT "
          "row_id FROM graphs WHERE name = 'g0')\"}");
    brant_free(first);
    first = must_call(db, "nodes.closure", "{\"graph\":\"g0\",\"keys\":[\"n0\"]}", NULL);
    for (int i = 0; i < count; i += 100)
        holds(db, "nodes.delete", "true", "{\"graph\":\"g0\",\"key\":\"n%d\",\"edges\":\"delete\"}",
              count - 1 - i);
    prefer_snapshot(db, true);
    second = must_call(db, "nodes.closure",
                       "{\"graph\":\"g0\",\"keys\":[\"n1\"],\"direction\":\"both\"}", NULL);
    brant_free(first);
    brant_free(second);
    healthy(db);
    brant_db_free(db);
    free(items);
}

/* A snapshot is kept while nodes and edges stay, whatever becomes of their attributes, and dropped
 * with the first that comes or goes. */
static void test_snapshot_is_kept(void **state) {
    brant_db *db = open_graphs(state), *other = must_open(in_folder(*state, "a.db"), "");
    const brant__snapshot *snapshot;

    prefer_snapshot(db, true);
    holds(db, "nodes.closure", "{\"keys\":[\"e\"]", "{\"graph\":\"multi\",\"keys\":[\"e\"]}");
    holds(db, "nodes.closure", "{\"keys\":[\"a\",\"b\",\"c\",\"e\",\"d\"]",
          "{\"graph\":\"multi\",\"keys\":[\"a\"]}");
    snapshot = kept_snapshot(db);
    assert_non_null(snapshot);
    holds(other, "nodes.put", "false",
          "{\"graph\":\"multi\",\"key\":\"a\",\"attributes\":{\"title\":\"changed\"}}");
    holds(db, "nodes.put", "false",
          "{\"graph\":\"multi\",\"key\":\"a\",\"attributes\":{\"title\":\"again\"}}");
    holds(db, "nodes.closure", "{\"keys\":[\"a\",\"b\",\"c\",\"e\",\"d\"]",
          "{\"graph\":\"multi\",\"keys\":[\"a\"]}");
    assert_ptr_equal(kept_snapshot(db), snapshot);
    holds(other, "edges.put", "true",
          "{\"graph\":\"multi\",\"source\":\"e\",\"target\":\"b\",\"type\":\"Related\"}");
    holds(db, "nodes.closure", "{\"keys\":[\"e\",\"b\",\"a\",",
          "{\"graph\":\"multi\",\"keys\":[\"e\"]}");
    brant_db_free(other);
    brant_db_free(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(test_neighbors),
        GRAPH_TEST(test_closure),
        GRAPH_TEST(test_closure_large),
        GRAPH_TEST(test_snapshot_is_kept),
    };
    return cmocka_run_group_tests_name("graph_traverse", tests, NULL, NULL);
}
