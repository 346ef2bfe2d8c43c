/*
 * tests/core/test_graph_type.c: graph types: defining, reading, listing, deleting, and validation
 * without writing.
 */
#include "test_graph.h"

static void test_open_is_built_in(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    char *before, *after;

    before = must_call(db, "graph_types.get", "{\"name\":\"open\"}", "\"scope\":\"system\"");
    assert_non_null(strstr(before, "\"node_types\":[],\"edge_types\":[]"));
    assert_non_null(strstr(before, "\"module\":{\"$schema\":"));
    holds(db, "graph_types.list", "\"name\":\"open\"", "{}");
    holds(db, "graphs.create", "\"graph_type\":\"open\"",
          "{\"name\":\"g\",\"graph_type\":\"open\"}");
    after = must_call(db, "graph_types.get", "{\"name\":\"open\"}", NULL);
    assert_string_equal(before, after); /* storing it changes nothing that can be seen */
    is(db, "sql.execute",
       "{\"columns\":[\"name\"],\"rows\":[[\"open\"]],\"changes\":0,\"last_insert_rowid\":1}",
       "{\"sql\":\"SELECT name FROM graph_types\"}");
    fails(db, "graph_types.delete", BRANT_DENIED, "built in", "{\"name\":\"open\"}");
    fails(db, "graph_types.define", BRANT_EXISTS, "graph type \"open\" is built in",
          "{\"module\":{\"$id\":\"open\",\"$defs\":{\"XNode\":{\"type\":\"object\"}}}}");
    brant_free(before);
    brant_free(after);
    brant_db_free(db);
    /* Read-only, where it cannot be stored, it is there too. */
    brant_db_free(must_open(in_folder(*state, "b.db"), ""));
    db = must_open(in_folder(*state, "b.db"), "{\"mode\":\"ro\"}");
    holds(db, "graph_types.get", "\"name\":\"open\"", "{\"name\":\"open\"}");
    fails(db, "graphs.create", BRANT_READ_ONLY, NULL, "{\"name\":\"g\",\"graph_type\":\"open\"}");
    brant_db_free(db);
}

static void test_define(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    char *first, *second;

    first = must_call(
        db, "graph_types.define",
        "{\"module\":" TASK_MODULE(
            "tasks",
            "\"acyclic\":{\"const\":true},\"max_nodes\":{\"const\":10}") ",\"metadata\":{\"a\":1}}",
        NULL);
    assert_non_null(strstr(
        first, "\"name\":\"tasks\",\"scope\":\"user\",\"version\":1,\"config\":{\"directed\":"
               "\"directed\",\"multi\":false,\"allow_self_loops\":true,"
               "\"acyclic\":true,\"max_nodes\":10,\"max_edges\":null},\"node_types\":[\"Task\","
               "\"Person\"],\"edge_types\":["
               "{\"name\":\"DependsOn\",\"source\":[\"Task\"],\"target\":[\"Task\"]},{\"name\":"
               "\"Assigned\",\"source\":[\"Task\"],\"target\":[\"Person\"]},"
               "{\"name\":\"Related\",\"source\":null,\"target\":null}],\"metadata\":{\"a\":1},"));
    second =
        must_call(db, "graph_types.define",
                  "{\"module\":" TASK_MODULE(
                      "tasks", "\"max_nodes\":{\"const\":10},\"acyclic\":{\"const\":true}") "}",
                  NULL);
    assert_string_equal(first, second); /* the order of members says nothing */
    brant_free(second);
    second =
        must_call(db, "graph_types.get", "{\"name\":\"tasks\"}", "\"module\":{\"$id\":\"tasks\",");
    assert_non_null(strstr(second, "\"maximum\":9"));
    brant_free(second);
    brant_free(first);

    fails(db, "graph_types.define", BRANT_EXISTS, "another graph type is named \"tasks\"",
          "{\"module\":%s}", TASK_MODULE("tasks", ""));
    fails(db, "graph_types.define", BRANT_EXISTS, "tasks", "{\"module\":%s,\"version\":2}",
          TASK_MODULE("tasks", "\"max_nodes\":{\"const\":10},\"acyclic\":{\"const\":true}"));
    holds(db, "graph_types.define", "\"name\":\"other\",\"scope\":\"tenant\",\"version\":3",
          "{\"name\":\"other\",\"version\":3,\"scope\":\"tenant\",\"module\":%s}",
          TASK_MODULE("tasks", ""));
    fails(db, "graph_types.define", BRANT_INVALID, "name",
          "{\"module\":{\"$defs\":{\"ANode\":{\"type\":\"object\"}}}}");
    fails(db, "graph_types.define", BRANT_INVALID, NULL,
          "{\"name\":\"\",\"module\":{\"$defs\":{\"ANode\":{\"type\":\"object\"}}}}");
    fails(db, "graph_types.define", BRANT_DENIED, "system",
          "{\"name\":\"s\",\"scope\":\"system\",\"module\":{\"$defs\":{\"ANode\":{\"type\":"
          "\"object\"}}}}");
    fails(db, "graph_types.define", BRANT_VALIDATION, NULL,
          "{\"module\":{\"$id\":\"bad\",\"$defs\":{\"ANode\":{\"$ref\":\"#/$defs/Nothing\"}}}}");
    detail_holds("\"violations\":[{\"instance\":\"/$defs/ANode");
    fails(db, "graph_types.define", BRANT_VALIDATION, NULL,
          "{\"module\":{\"$id\":\"bad\",\"$defs\":{\"ANode\":{\"type\":\"object\"},\"EEdge\":{"
          "\"type\":\"object\"},\"EEdgeConstraints\":{\"properties\":{\"source\":{\"const\":\"B\"}}"
          "}}}}");
    detail_holds("violations");
    fails(db, "graph_types.get", BRANT_NOT_FOUND, "no graph type \"bad\"", "{\"name\":\"bad\"}");
    healthy(db);
    brant_db_free(db);
}

static void test_system_scope(void **state) {
    brant_db *system = must_open(in_folder(*state, "a.db"), "{\"system\":true}"), *plain;

    holds(system, "graph_types.define", "\"scope\":\"system\"",
          "{\"name\":\"s\",\"scope\":\"system\",\"module\":{\"$defs\":{\"ANode\":{\"type\":"
          "\"object\"}}}}");
    plain = must_open(in_folder(*state, "a.db"), "");
    fails(plain, "graph_types.delete", BRANT_DENIED, "system", "{\"name\":\"s\"}");
    holds(plain, "graphs.create", "\"graph_type\":\"s\"", "{\"name\":\"g\",\"graph_type\":\"s\"}");
    fails(system, "graph_types.delete", BRANT_CONSTRAINT, "used by graph \"g\"",
          "{\"name\":\"s\"}");
    holds(plain, "graphs.purge", "true", "{\"name\":\"g\"}");
    is(system, "graph_types.delete", "{\"deleted\":true}", "{\"name\":\"s\"}");
    fails(system, "graph_types.delete", BRANT_NOT_FOUND, "\"s\"", "{\"name\":\"s\"}");
    healthy(plain);
    brant_db_free(plain);
    brant_db_free(system);
}

/* A type that was deleted and defined anew is another type, also for a handle that knew the first.
 */
static void test_redefined(void **state) {
    brant_db *a = must_open(in_folder(*state, "a.db"), ""),
             *b = must_open(in_folder(*state, "a.db"), "");

    define(a, "{\"$id\":\"t\",\"$defs\":{\"ANode\":{\"type\":\"object\",\"required\":[\"x\"]}}}");
    holds(b, "graph_types.validate_node", "\"valid\":false",
          "{\"graph_type\":\"t\",\"type\":\"A\",\"attributes\":{}}");
    holds(a, "graph_types.delete", "true", "{\"name\":\"t\"}");
    define(a, "{\"$id\":\"t\",\"$defs\":{\"ANode\":{\"type\":\"object\"}}}");
    holds(b, "graph_types.validate_node", "\"valid\":true",
          "{\"graph_type\":\"t\",\"type\":\"A\",\"attributes\":{}}");
    /* And one whose definition was rolled back is none. */
    holds(b, "transaction.begin", "1", "{}");
    define(b, "{\"$id\":\"u\",\"$defs\":{\"ANode\":{\"type\":\"object\",\"required\":[\"x\"]}}}");
    holds(b, "graphs.create", "\"u\"", "{\"name\":\"g\",\"graph_type\":\"u\"}");
    holds(b, "transaction.rollback", "0", "{}");
    fails(b, "graph_types.get", BRANT_NOT_FOUND, NULL, "{\"name\":\"u\"}");
    define(a, "{\"$id\":\"u\",\"$defs\":{\"BNode\":{\"type\":\"object\"}}}");
    holds(b, "graphs.create", "\"u\"", "{\"name\":\"g\",\"graph_type\":\"u\"}");
    holds(b, "nodes.put", "true", "{\"graph\":\"g\",\"key\":\"k\"}");
    holds(b, "nodes.get", "\"type\":\"B\"", "{\"graph\":\"g\",\"key\":\"k\"}");
    healthy(a);
    brant_db_free(a);
    brant_db_free(b);
}

static void test_list(void **state) {
    static const char *const built_ins[] = {"access", "call", "memory", "open", "secret", "task"};
    const size_t built_in = BRANT__COUNT(built_ins);
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    char cursor[256] = "";
    size_t seen = 0;

    for (int i = 0; i < 25; i++)
        holds(db, "graph_types.define", "\"id\"",
              "{\"name\":\"%c%02d\",\"module\":{\"$defs\":{\"ANode\":{\"type\":\"object\"}}}}",
              i % 2 ? 'a' : 'z', i);
    for (int page = 0; page < 20; page++) {
        const char *text =
            *cursor ? answer(db, "graph_types.list", "{\"limit\":4,\"cursor\":\"%s\"}", cursor)
                    : answer(db, "graph_types.list", "{\"limit\":4}");
        brant__json json = parsed(text);
        yyjson_val *items = brant__json_get(json.root, "items"),
                   *next = brant__json_get(json.root, "cursor");
        for (size_t i = 0; i < yyjson_arr_size(items); i++, seen++) {
            const char *name = yyjson_get_str(brant__json_get(yyjson_arr_get(items, i), "name"));
            char wanted[8];
            if (seen >= 12 && seen < 12 + built_in) /* between a and z, stored or not */
                snprintf(wanted, sizeof(wanted), "%s", built_ins[seen - 12]);
            else
                snprintf(wanted, sizeof(wanted), "%c%02d", seen < 12 ? 'a' : 'z',
                         seen < 12 ? (int)seen * 2 + 1 : (int)(seen - 12 - built_in) * 2);
            assert_string_equal(name, wanted);
        }
        snprintf(cursor, sizeof(cursor), "%s", yyjson_is_str(next) ? yyjson_get_str(next) : "");
        brant__json_free(&json);
        if (page == 1)
            holds(db, "graphs.create", "1", "{\"name\":\"g%d\",\"graph_type\":\"open\"}", page);
        if (!*cursor) break;
    }
    assert_int_equal(seen, 25 + built_in);
    fails(db, "graph_types.list", BRANT_INVALID, NULL, "{\"limit\":0}");
    fails(db, "graph_types.list", BRANT_INVALID, NULL, "{\"limit\":10001}");
    fails(db, "graph_types.list", BRANT_INVALID, "cursor", "{\"cursor\":\"AAAA\"}");
    brant_db_free(db);
}

static void test_validate(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");

    define(db, TASK_MODULE("tasks", ""));
    is(db, "graph_types.validate_node", "{\"valid\":true,\"violations\":[]}",
       "{\"graph_type\":\"tasks\",\"type\":\"Task\",\"attributes\":{\"title\":\"x\"}}");
    holds(
        db, "graph_types.validate_node",
        "{\"valid\":false,\"violations\":[{\"instance\":\"/priority\"",
        "{\"graph_type\":\"tasks\",\"type\":\"Task\",\"attributes\":{\"title\":\"x\",\"priority\":"
        "10}}");
    holds(db, "graph_types.validate_node", "\"keyword\":\"required\"",
          "{\"graph_type\":\"tasks\",\"type\":\"Task\",\"attributes\":{}}");
    fails(db, "graph_types.validate_node", BRANT_INVALID, "no node type \"Tusk\"",
          "{\"graph_type\":\"tasks\",\"type\":\"Tusk\",\"attributes\":{}}");
    fails(db, "graph_types.validate_node", BRANT_NOT_FOUND, "no graph type",
          "{\"graph_type\":\"tusk\",\"type\":\"Task\",\"attributes\":{}}");
    is(db, "graph_types.validate_edge", "{\"valid\":true,\"violations\":[]}",
       "{\"graph_type\":\"tasks\",\"type\":\"DependsOn\",\"attributes\":{\"kind\":\"blocks\"},"
       "\"source_type\":\"Task\",\"target_type\":\"Task\"}");
    holds(db, "graph_types.validate_edge", "\"keyword\":\"target\"",
          "{\"graph_type\":\"tasks\",\"type\":\"DependsOn\",\"attributes\":{},\"source_type\":"
          "\"Task\",\"target_type\":\"Person\"}");
    holds(db, "graph_types.validate_edge", "\"instance\":\"/kind\"",
          "{\"graph_type\":\"tasks\",\"type\":\"DependsOn\",\"attributes\":{\"kind\":\"x\"}}");
    fails(db, "graph_types.validate_edge", BRANT_INVALID, "no node type \"Pson\"",
          "{\"graph_type\":\"tasks\",\"type\":\"DependsOn\",\"attributes\":{},\"source_type\":"
          "\"Pson\"}");
    fails(db, "graph_types.validate_edge", BRANT_INVALID, "no edge type",
          "{\"graph_type\":\"tasks\",\"type\":\"Task\",\"attributes\":{}}");
    brant_db_free(db);
}

/* More types than a handle keeps parsed. */
static void test_many_types(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");

    for (int i = 0; i < 100; i++)
        holds(db, "graph_types.define", "\"id\"",
              "{\"name\":\"t%d\",\"module\":{\"$defs\":{\"ANode\":{\"type\":\"object\","
              "\"maxProperties\":%d}}}}",
              i, i % 3);
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < 100; i += 1 + round * 7)
            holds(db, "graph_types.validate_node", i % 3 < 2 ? "\"valid\":false" : "\"valid\":true",
                  "{\"graph_type\":\"t%d\",\"type\":\"A\",\"attributes\":{\"a\":1,\"b\":2}}", i);
    brant_db_free(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(test_open_is_built_in), GRAPH_TEST(test_define), GRAPH_TEST(test_system_scope),
        GRAPH_TEST(test_redefined),        GRAPH_TEST(test_list),   GRAPH_TEST(test_validate),
        GRAPH_TEST(test_many_types),
    };
    return cmocka_run_group_tests_name("graph_type", tests, NULL, NULL);
}
