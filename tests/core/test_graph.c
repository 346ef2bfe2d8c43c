/*
 * tests/core/test_graph.c: graphs: creating, reading, listing, changing, purging; and what a
 * graph's status and limits forbid.
 */
#include "test_graph.h"

#include <time.h>

static void test_create(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    char *made, *read;

    made = must_call(
        db, "graphs.create",
        "{\"name\":\"g\",\"graph_type\":\"open\",\"owner_id\":\"o\",\"project_id\":null,\"status\":"
        "\"draft\",\"metadata\":{\"x\":[1,2.5]}}",
        "\"name\":\"g\",\"graph_type\":\"open\",\"owner_id\":\"o\",\"project_id\":null,\"status\":"
        "\"draft\",\"metadata\":{\"x\":[1,2.5]},\"nodes\":0,\"edges\":0,\"created_at\":");
    read = must_call(db, "graphs.get", "{\"name\":\"g\"}", NULL);
    assert_string_equal(made, read);
    brant_free(made);
    brant_free(read);
    holds(db, "graphs.create",
          "\"owner_id\":null,\"project_id\":null,\"status\":\"active\",\"metadata\":{}",
          "{\"name\":\"h\",\"graph_type\":\"open\"}");
    fails(db, "graphs.create", BRANT_EXISTS, "\"g\"", "{\"name\":\"g\",\"graph_type\":\"open\"}");
    fails(db, "graphs.create", BRANT_NOT_FOUND, "no graph type \"nope\"",
          "{\"name\":\"i\",\"graph_type\":\"nope\"}");
    fails(db, "graphs.create", BRANT_INVALID, NULL, "{\"name\":\"\",\"graph_type\":\"open\"}");
    fails(db, "graphs.create", BRANT_INVALID, "NUL",
          "{\"name\":\"a\\u0000b\",\"graph_type\":\"open\"}");
    fails(db, "graphs.get", BRANT_NOT_FOUND, "no graph \"i\"", "{\"name\":\"i\"}");
    fails(db, "nodes.put", BRANT_NOT_FOUND, "no graph \"i\"", "{\"graph\":\"i\",\"key\":\"a\"}");
    brant_db_free(db);
    db = must_open(in_folder(*state, "b.db"), "{\"limits\":{\"key\":4}}");
    fails(db, "graphs.create", BRANT_LIMIT, "limits.key",
          "{\"name\":\"abcde\",\"graph_type\":\"open\"}");
    brant_db_free(db);
}

static void test_update(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");

    holds(db, "graphs.create", "\"g\"",
          "{\"name\":\"g\",\"graph_type\":\"open\",\"owner_id\":\"o\",\"project_id\":\"p\","
          "\"metadata\":{\"x\":1}}");
    holds(db, "graphs.update",
          "\"owner_id\":null,\"project_id\":\"p\",\"status\":\"active\",\"metadata\":{\"x\":1}",
          "{\"name\":\"g\",\"owner_id\":null}");
    holds(db, "graphs.update",
          "\"owner_id\":null,\"project_id\":\"q\",\"status\":\"active\",\"metadata\":{\"y\":2}",
          "{\"name\":\"g\",\"project_id\":\"q\",\"metadata\":{\"y\":2}}");
    fails(db, "graphs.update", BRANT_NOT_FOUND, "\"h\"", "{\"name\":\"h\",\"status\":\"draft\"}");
    fails(db, "graphs.update", BRANT_INVALID, NULL, "{\"name\":\"g\",\"status\":\"gone\"}");
    holds(db, "nodes.put_many", "2",
          "{\"graph\":\"g\",\"items\":[{\"key\":\"a\"},{\"key\":\"b\"}]}");
    holds(db, "edges.put", "true", "{\"graph\":\"g\",\"source\":\"a\",\"target\":\"b\"}");
    holds(db, "graphs.update", "\"status\":\"archived\"",
          "{\"name\":\"g\",\"status\":\"archived\"}");
    fails(db, "nodes.put", BRANT_CONSTRAINT, "archived", "{\"graph\":\"g\",\"key\":\"a\"}");
    fails(db, "nodes.put_many", BRANT_CONSTRAINT, "archived",
          "{\"graph\":\"g\",\"items\":[{\"key\":\"a\"}]}");
    fails(db, "nodes.delete", BRANT_CONSTRAINT, "archived",
          "{\"graph\":\"g\",\"key\":\"a\",\"edges\":\"delete\"}");
    fails(db, "edges.put", BRANT_CONSTRAINT, "archived",
          "{\"graph\":\"g\",\"source\":\"b\",\"target\":\"a\"}");
    fails(db, "edges.delete", BRANT_CONSTRAINT, "archived",
          "{\"graph\":\"g\",\"key\":\"[\\\"a\\\",null,\\\"b\\\"]\"}");
    holds(db, "nodes.get", "\"key\":\"a\"", "{\"graph\":\"g\",\"key\":\"a\"}");
    holds(db, "graphs.update", "\"status\":\"draft\"", "{\"name\":\"g\",\"status\":\"draft\"}");
    holds(db, "nodes.put", "false", "{\"graph\":\"g\",\"key\":\"a\"}");
    brant_db_free(db);
}

static void test_list(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    char cursor[512] = "", other[512];
    size_t seen = 0;

    define(db, TASK_MODULE("tasks", ""));
    for (int i = 0; i < 40; i++)
        holds(db, "graphs.create", "\"id\"",
              "{\"name\":\"g%02d\",\"graph_type\":\"%s\",\"status\":\"%s\"}", i,
              i % 2 ? "open" : "tasks", i % 4 < 2 ? "active" : "draft");
    do {
        brant__json json =
            parsed(*cursor ? answer(db, "graphs.list",
                                    "{\"limit\":3,\"graph_type\":\"open\",\"status\":\"draft\","
                                    "\"cursor\":\"%s\"}",
                                    cursor)
                           : answer(db, "graphs.list",
                                    "{\"limit\":3,\"graph_type\":\"open\",\"status\":\"draft\"}"));
        yyjson_val *items = brant__json_get(json.root, "items"),
                   *next = brant__json_get(json.root, "cursor");
        for (size_t i = 0; i < yyjson_arr_size(items); i++) {
            char wanted[8];
            snprintf(wanted, sizeof(wanted), "g%02zu", seen++ * 4 + 3);
            assert_string_equal(yyjson_get_str(brant__json_get(yyjson_arr_get(items, i), "name")),
                                wanted);
        }
        snprintf(cursor, sizeof(cursor), "%s", yyjson_is_str(next) ? yyjson_get_str(next) : "");
        if (*cursor) strcpy(other, cursor);
        brant__json_free(&json);
    } while (*cursor);
    assert_int_equal(seen, 10);
    fails(db, "graphs.list", BRANT_INVALID, "cursor", "{\"cursor\":\"%s\"}",
          other); /* of other filters */
    fails(db, "graphs.list", BRANT_INVALID, "cursor",
          "{\"graph_type\":\"open\",\"status\":\"active\",\"cursor\":\"%s\"}", other);
    fails(db, "graphs.list", BRANT_INVALID, "cursor", "{\"cursor\":\"?\"}");
    is(db, "graphs.list", "{\"items\":[],\"cursor\":null}", "{\"graph_type\":\"nope\"}");
    brant_db_free(db);
}

static void test_delete(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");

    for (int i = 0; i < 3; i++) {
        holds(db, "graphs.create", "\"id\"", "{\"name\":\"g%d\",\"graph_type\":\"open\"}", i);
        holds(db, "nodes.put_many", "{\"created\":3,",
              "{\"graph\":\"g%d\",\"items\":[{\"key\":\"a\"},{\"key\":\"b\"},{\"key\":\"c\"}]}", i);
        holds(db, "edges.put_many", "{\"created\":2,",
              "{\"graph\":\"g%d\",\"items\":[{\"source\":\"a\",\"target\":\"b\"},{\"source\":\"b\","
              "\"target\":\"c\"}]}",
              i);
    }
    is(db, "graphs.purge", "{\"purged\":true,\"nodes\":3,\"edges\":2}", "{\"name\":\"g1\"}");
    fails(db, "graphs.delete", BRANT_NOT_FOUND, "\"g1\"", "{\"name\":\"g1\"}");
    fails(db, "graphs.purge", BRANT_NOT_FOUND, "\"g1\"", "{\"name\":\"g1\"}");
    fails(db, "nodes.get", BRANT_NOT_FOUND, "no graph", "{\"graph\":\"g1\",\"key\":\"a\"}");
    healthy(db);
    is(db, "edges.count", "{\"count\":2}", "{\"graph\":\"g0\"}");
    holds(db, "edges.get", "\"source\":\"a\"",
          "{\"graph\":\"g2\",\"key\":\"[\\\"a\\\",null,\\\"b\\\"]\"}");
    is(db, "graphs.purge", "{\"purged\":true,\"nodes\":3,\"edges\":2}", "{\"name\":\"g0\"}");
    healthy(db);
    holds(db, "edges.get", "\"source\":\"a\"",
          "{\"graph\":\"g2\",\"key\":\"[\\\"a\\\",null,\\\"b\\\"]\"}");
    is(db, "graphs.purge", "{\"purged\":true,\"nodes\":3,\"edges\":2}",
       "{\"name\":\"g2\"}"); /* the last: the whole table */
    healthy(db);
    holds(db, "sql.execute", "[[0,0,0,0]]",
          "{\"sql\":\"SELECT (SELECT count(*) FROM nodes), (SELECT count(*) FROM edges), (SELECT "
          "count(*) FROM graph_counts), (SELECT count(*) FROM graphs)\"}");
    /* The name can be used again, for another type. */
    define(db, TASK_MODULE("tasks", ""));
    holds(db, "graphs.create", "\"graph_type\":\"tasks\"",
          "{\"name\":\"g0\",\"graph_type\":\"tasks\"}");
    fails(db, "nodes.put", BRANT_VALIDATION, NULL,
          "{\"graph\":\"g0\",\"key\":\"a\",\"type\":\"Task\"}");
    brant_db_free(db);
}

static void test_limits_of_type(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");

    define(db, TASK_MODULE("small", "\"max_nodes\":{\"const\":3},\"max_edges\":{\"const\":2}"));
    holds(db, "graphs.create", "\"id\"", "{\"name\":\"g\",\"graph_type\":\"small\"}");
    fails(db, "nodes.put_many", BRANT_CONSTRAINT, "item 3",
          "{\"graph\":\"g\",\"items\":[{\"key\":\"a\",\"type\":\"Person\"},{\"key\":\"b\",\"type\":"
          "\"Person\"},{\"key\":\"c\",\"type\":\"Person\"},{\"key\":\"d\",\"type\":\"Person\"}]}");
    holds(db, "nodes.put_many", "{\"created\":3,\"updated\":1}",
          "{\"graph\":\"g\",\"items\":[{\"key\":\"a\",\"type\":\"Person\"},{\"key\":\"b\",\"type\":"
          "\"Person\"},{\"key\":\"c\",\"type\":\"Person\"},{\"key\":\"a\"}]}");
    fails(db, "nodes.put", BRANT_CONSTRAINT, "3 nodes",
          "{\"graph\":\"g\",\"key\":\"d\",\"type\":\"Person\"}");
    holds(db, "nodes.put", "false", "{\"graph\":\"g\",\"key\":\"a\"}");
    holds(db, "edges.put_many", "{\"created\":2,\"updated\":1}",
          "{\"graph\":\"g\",\"items\":[{\"source\":\"a\",\"target\":\"b\",\"type\":\"Related\"},{"
          "\"source\":\"b\",\"target\":\"c\",\"type\":\"Related\"},{\"source\":\"a\",\"target\":"
          "\"b\",\"type\":\"Related\"}]}");
    fails(db, "edges.put", BRANT_CONSTRAINT, "2 edges",
          "{\"graph\":\"g\",\"source\":\"c\",\"target\":\"a\",\"type\":\"Related\"}");
    holds(db, "nodes.delete", "\"edges\":2",
          "{\"graph\":\"g\",\"key\":\"b\",\"edges\":\"delete\"}");
    holds(db, "nodes.put", "true", "{\"graph\":\"g\",\"key\":\"d\",\"type\":\"Person\"}");
    holds(db, "edges.put", "true",
          "{\"graph\":\"g\",\"source\":\"c\",\"target\":\"a\",\"type\":\"Related\"}");
    healthy(db);
    brant_db_free(db);
}

static size_t count_of(const char *text, const char *part) {
    size_t count = 0;

    for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
        count++;
    return count;
}

/* What each operation announces; and nothing where it fails or is rolled back. */
static void test_announcements(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), ""),
             *writer = must_open(in_folder(*state, "a.db"), "");
    brant_cursor *cursor;
    char *items, many[8192];
    size_t length;

    assert_int_equal(brant_event_listen(
                         &cursor, db, TEXT("{\"channels\":[\"graph:*\",\"nodes:*\",\"edges:*\"]}")),
                     BRANT_OK);
    holds(writer, "graphs.create", "\"id\"",
          "{\"name\":\"g\",\"graph_type\":\"open\",\"owner_id\":\"me\"}");
    holds(writer, "graphs.update", "\"id\"",
          "{\"name\":\"g\",\"owner_id\":\"you\",\"metadata\":{}}");
    strcpy(many, "{\"graph\":\"g\",\"items\":[");
    for (int i = 0; i < 150; i++)
        sprintf(many + strlen(many), "%s{\"key\":\"n%d\"}", i ? "," : "", i);
    strcat(many, "]}");
    must(writer, "nodes.put_many", many, "150");
    holds(writer, "nodes.put_many", "\"created\":1,\"updated\":1",
          "{\"graph\":\"g\",\"items\":[{\"key\":\"n1\"},{\"key\":\"new\"}]}");
    holds(writer, "edges.put", "true", "{\"graph\":\"g\",\"source\":\"n1\",\"target\":\"n2\"}");
    fails(writer, "nodes.delete", BRANT_CONSTRAINT, NULL, "{\"graph\":\"g\",\"key\":\"n1\"}");
    holds(writer, "transaction.begin", "1", "{}");
    holds(writer, "nodes.put", "true", "{\"graph\":\"g\",\"key\":\"gone\"}");
    holds(writer, "transaction.rollback", "0", "{}");
    holds(writer, "nodes.delete", "1", "{\"graph\":\"g\",\"key\":\"n1\",\"edges\":\"delete\"}");
    assert_int_equal(brant_cursor_next(&items, &length, cursor, 5000), BRANT_OK);
    assert_int_equal(count_of(items, "\"channel\":"), 8);
    assert_non_null(strstr(items, "\"channel\":\"graph:created\""));
    assert_non_null(strstr(items, "\"owner_id\":\"me\""));
    assert_non_null(strstr(items, "\"owner_id\":\"you\",\"changes\":[\"owner_id\",\"metadata\"]"));
    assert_non_null(strstr(items, "\"count\":150,\"keys\":[\"n0\",\"n1\","));
    assert_non_null(strstr(items, "\"n99\"],\"truncated\":true"));
    assert_null(strstr(items, "\"n100\""));
    assert_non_null(strstr(items, "\"count\":1,\"keys\":[\"new\"],\"truncated\":false"));
    assert_int_equal(count_of(items, "\"channel\":\"nodes:created\""), 2);
    assert_int_equal(count_of(items, "\"channel\":\"nodes:updated\""), 1);
    assert_int_equal(count_of(items, "\"channel\":\"edges:created\""), 1);
    assert_int_equal(count_of(items, "\"channel\":\"edges:deleted\""), 1);
    assert_int_equal(count_of(items, "\"channel\":\"nodes:deleted\""), 1);
    assert_int_equal(count_of(items, "\"keys\":[\"[\\\"n1\\\",null,\\\"n2\\\"]\"]"), 2);
    brant_free(items);
    holds(writer, "graphs.purge", "150", "{\"name\":\"g\"}");
    assert_int_equal(brant_cursor_next(&items, &length, cursor, 5000), BRANT_OK);
    assert_int_equal(count_of(items, "\"channel\":\"nodes:deleted\""), 1);
    assert_int_equal(count_of(items, "\"channel\":\"graph:deleted\""), 1);
    assert_int_equal(count_of(items, "\"channel\":\"graph:purged\""), 1);
    assert_int_equal(count_of(items, "\"channel\":"), 3);
    brant_free(items);
    brant_cursor_free(cursor);
    brant_db_free(writer);
    brant_db_free(db);
}

/* A long batch ends when its time is up, and nothing of it stays. */
static void test_deadline(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    const int count = 90000;
    char *json = malloc((size_t)count * 60), *text = NULL;
    size_t length = (size_t)sprintf(json, "{\"graph\":\"g\",\"items\":["), answer_length;
    struct timespec now;
    brant_status status;

    holds(db, "graphs.create", "\"id\"", "{\"name\":\"g\",\"graph_type\":\"open\"}");
    for (int i = 0; i < count; i++)
        length += (size_t)sprintf(json + length, "%s{\"key\":\"%d\",\"attributes\":{\"i\":%d}}",
                                  i ? "," : "", i, i);
    length += (size_t)sprintf(json + length, "]}");
    clock_gettime(CLOCK_REALTIME, &now);
    assert_int_equal(brant_deadline_set(db, (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + 5),
                     BRANT_OK);
    status = brant_node_put_many(&text, &answer_length, db, json, length);
    assert_int_equal(brant_deadline_set(db, 0), BRANT_OK);
    assert_int_equal(status, BRANT_TIMEOUT);
    assert_null(text);
    is(db, "nodes.count", "{\"count\":0}", "{\"graph\":\"g\"}");
    status = brant_node_put_many(&text, &answer_length, db, json, length);
    assert_int_equal(status, BRANT_OK);
    assert_string_equal(text, "{\"created\":90000,\"updated\":0}");
    brant_free(text);
    free(json);
    healthy(db);
    brant_db_free(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(test_create),   GRAPH_TEST(test_update),         GRAPH_TEST(test_list),
        GRAPH_TEST(test_delete),   GRAPH_TEST(test_limits_of_type), GRAPH_TEST(test_announcements),
        GRAPH_TEST(test_deadline),
    };
    return cmocka_run_group_tests_name("graph", tests, NULL, NULL);
}
