/*
 * tests/core/test_graph_node.c: nodes: writing one and many, reading, listing, deleting.
 */
#include "test_graph.h"

static brant_db *open_graphs(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");

    define(db, TASK_MODULE("tasks", ""));
    define(db, "{\"$id\":\"one\",\"$defs\":{\"OnlyNode\":{\"type\":\"object\",\"properties\":{"
               "\"x\":{\"type\":\"integer\"}}}}}");
    holds(db, "graphs.create", "\"id\"", "{\"name\":\"g\",\"graph_type\":\"open\"}");
    holds(db, "graphs.create", "\"id\"", "{\"name\":\"t\",\"graph_type\":\"tasks\"}");
    holds(db, "graphs.create", "\"id\"", "{\"name\":\"one\",\"graph_type\":\"one\"}");
    return db;
}

static void test_put(void **state) {
    brant_db *db = open_graphs(state);

    is(db, "nodes.put", "{\"key\":\"a\",\"created\":true,\"revision\":1}",
       "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"x\":1,\"z\":9007199254740993},"
       "\"metadata\":{\"m\":1}}");
    holds(db, "nodes.get",
          "{\"key\":\"a\",\"type\":null,\"attributes\":{\"x\":1,\"z\":9007199254740993},"
          "\"metadata\":{\"m\":1},\"revision\":1,",
          "{\"graph\":\"g\",\"key\":\"a\"}");
    is(db, "nodes.put", "{\"key\":\"a\",\"created\":false,\"revision\":2}",
       "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"y\":2.50}}");
    holds(db, "nodes.get", "\"attributes\":{\"y\":2.5},\"metadata\":{\"m\":1},\"revision\":2,",
          "{\"graph\":\"g\",\"key\":\"a\"}"); /* replaced; metadata stays */
    is(db, "nodes.put", "{\"key\":\"a\",\"created\":false,\"revision\":3}",
       "{\"graph\":\"g\",\"key\":\"a\",\"metadata\":{}}");
    holds(db, "nodes.get", "\"attributes\":{},\"metadata\":{},\"revision\":3,",
          "{\"graph\":\"g\",\"key\":\"a\"}");
    /* Revisions required. */
    fails(db, "nodes.put", BRANT_CONFLICT, "revision 3, not 2",
          "{\"graph\":\"g\",\"key\":\"a\",\"revision\":2}");
    fails(db, "nodes.put", BRANT_CONFLICT, "revision 3, not 0",
          "{\"graph\":\"g\",\"key\":\"a\",\"revision\":0}");
    fails(db, "nodes.put", BRANT_CONFLICT, "does not exist",
          "{\"graph\":\"g\",\"key\":\"b\",\"revision\":1}");
    is(db, "nodes.put", "{\"key\":\"a\",\"created\":false,\"revision\":4}",
       "{\"graph\":\"g\",\"key\":\"a\",\"revision\":3}");
    is(db, "nodes.put", "{\"key\":\"b\",\"created\":true,\"revision\":1}",
       "{\"graph\":\"g\",\"key\":\"b\",\"revision\":0}");
    /* Graphs have keys of their own. */
    is(db, "nodes.put", "{\"key\":\"a\",\"created\":true,\"revision\":1}",
       "{\"graph\":\"one\",\"key\":\"a\"}");
    is(db, "nodes.count", "{\"count\":2}", "{\"graph\":\"g\"}");
    healthy(db);
    brant_db_free(db);
}

static void test_types(void **state) {
    brant_db *db = open_graphs(state);

    fails(db, "nodes.put", BRANT_INVALID, "needs a type; it has \"",
          "{\"graph\":\"t\",\"key\":\"a\",\"attributes\":{\"title\":\"A\"}}");
    fails(db, "nodes.put", BRANT_INVALID, "; it takes graph, key, ",
          "{\"graph\":\"t\",\"key\":\"a\",\"attribute\":{}}");
    fails(db, "nodes.put", BRANT_INVALID, "no node type \"Tusk\"",
          "{\"graph\":\"t\",\"key\":\"a\",\"type\":\"Tusk\"}");
    fails(db, "nodes.put", BRANT_INVALID, "no node type \"TaskNode\"",
          "{\"graph\":\"t\",\"key\":\"a\",\"type\":\"TaskNode\"}");
    fails(db, "nodes.put", BRANT_INVALID, "no node type",
          "{\"graph\":\"g\",\"key\":\"a\",\"type\":\"Task\"}");
    holds(db, "nodes.put", "true",
          "{\"graph\":\"t\",\"key\":\"a\",\"type\":\"Task\",\"attributes\":{\"title\":\"A\"}}");
    holds(db, "nodes.put", "false",
          "{\"graph\":\"t\",\"key\":\"a\",\"attributes\":{\"title\":\"B\"}}");
    fails(db, "nodes.put", BRANT_CONSTRAINT, "of type \"Task\"",
          "{\"graph\":\"t\",\"key\":\"a\",\"type\":\"Person\"}");
    fails(db, "nodes.put", BRANT_VALIDATION, "node type \"Task\"",
          "{\"graph\":\"t\",\"key\":\"a\",\"attributes\":{\"title\":\"\",\"priority\":\"x\","
          "\"more\":1}}");
    detail_holds("\"instance\":\"/title\"");
    detail_holds("\"instance\":\"/priority\"");
    holds(db, "nodes.get", "{\"title\":\"B\"}", "{\"graph\":\"t\",\"key\":\"a\"}");
    holds(db, "nodes.put", "true", "{\"graph\":\"one\",\"key\":\"a\",\"attributes\":{\"x\":1}}");
    holds(db, "nodes.get", "\"type\":\"Only\"", "{\"graph\":\"one\",\"key\":\"a\"}");
    fails(db, "nodes.put", BRANT_VALIDATION, NULL,
          "{\"graph\":\"one\",\"key\":\"a\",\"attributes\":{\"x\":1.5}}");
    holds(db, "nodes.put", "true", "{\"graph\":\"t\",\"key\":\"p\",\"type\":\"Person\"}");
    is(db, "nodes.count", "{\"count\":1}", "{\"graph\":\"t\",\"type\":\"Person\"}");
    is(db, "nodes.count", "{\"count\":2}", "{\"graph\":\"t\"}");
    fails(db, "nodes.count", BRANT_INVALID, "no node type", "{\"graph\":\"t\",\"type\":\"X\"}");
    fails(db, "nodes.list", BRANT_INVALID, "no node type", "{\"graph\":\"t\",\"type\":\"X\"}");
    holds(db, "nodes.list", "{\"items\":[{\"key\":\"p\",\"type\":\"Person\"",
          "{\"graph\":\"t\",\"type\":\"Person\"}");
    healthy(db);
    brant_db_free(db);
}

static void test_keys(void **state) {
    brant_db *db;
    char *long_key = malloc(1100);

    db = open_graphs(state);
    fails(db, "nodes.put", BRANT_INVALID, NULL, "{\"graph\":\"g\",\"key\":\"\"}");
    fails(db, "nodes.put", BRANT_INVALID, "NUL", "{\"graph\":\"g\",\"key\":\"a\\u0000\"}");
    memset(long_key, 'k', 1025);
    long_key[1025] = 0;
    fails(db, "nodes.put", BRANT_LIMIT, "limits.key", "{\"graph\":\"g\",\"key\":\"%s\"}", long_key);
    long_key[1024] = 0;
    holds(db, "nodes.put", "true", "{\"graph\":\"g\",\"key\":\"%s\"}", long_key);
    holds(db, "nodes.exists", "true", "{\"graph\":\"g\",\"key\":\"%s\"}", long_key);
    holds(db, "nodes.exists", "false", "{\"graph\":\"g\",\"key\":\"%sx\"}", long_key);
    fails(db, "nodes.get", BRANT_NOT_FOUND, "...", "{\"graph\":\"g\",\"key\":\"%sx\"}",
          long_key); /* cut in the message */
    holds(db, "nodes.exists", "false", "{\"graph\":\"g\",\"key\":\"a\\u0000\"}");
    /* Bytes are compared: case, composition and order of code points. */
    holds(db, "nodes.put_many", "\"created\":7",
          "{\"graph\":\"g\",\"items\":[{\"key\":\"A\"},{\"key\":\"a\"},{\"key\":\"\\u00e9\"},{"
          "\"key\":\"e\\u0301\"},{\"key\":\"\\ud83d\\ude00\"},{\"key\":\"\\uffff\"},{\"key\":"
          "\"q\\\"\\\\\\n\"}]}");
    holds(db, "nodes.get_many", "[{\"key\":\"\xc3\xa9\",",
          "{\"graph\":\"g\",\"keys\":[\"\\u00e9\",\"e\\u0301\"]}");
    holds(db, "nodes.list", "{\"items\":[{\"key\":\"A\"", "{\"graph\":\"g\"}");
    holds(db, "nodes.get", "\"key\":\"q\\\"\\\\\\n\"",
          "{\"graph\":\"g\",\"key\":\"q\\\"\\\\\\n\"}");
    healthy(db);
    brant_db_free(db);
    free(long_key);
}

static void test_put_many(void **state) {
    brant_db *db = open_graphs(state);
    char *items = malloc(100000);

    is(db, "nodes.put_many", "{\"created\":0,\"updated\":0}", "{\"graph\":\"g\",\"items\":[]}");
    /* The later of one key wins, and each counts. */
    is(db, "nodes.put_many", "{\"created\":2,\"updated\":2}",
       "{\"graph\":\"g\",\"items\":[{\"key\":\"a\",\"attributes\":{\"x\":1},\"metadata\":{\"m\":1}}"
       ",{\"key\":\"b\"},{\"key\":\"a\",\"attributes\":{\"x\":2}},{\"key\":\"a\",\"revision\":2,"
       "\"attributes\":{\"x\":3}}]}");
    holds(db, "nodes.get", "\"attributes\":{\"x\":3},\"metadata\":{\"m\":1},\"revision\":3",
          "{\"graph\":\"g\",\"key\":\"a\"}");
    is(db, "nodes.put_many", "{\"created\":1,\"updated\":3}",
       "{\"graph\":\"g\",\"items\":[{\"key\":\"a\",\"revision\":3},{\"key\":\"c\",\"revision\":0},{"
       "\"key\":\"a\",\"revision\":4},{\"key\":\"b\"}]}");
    holds(db, "nodes.get", "\"revision\":5", "{\"graph\":\"g\",\"key\":\"a\"}");
    holds(db, "nodes.get", "\"revision\":2", "{\"graph\":\"g\",\"key\":\"b\"}");
    /* Rows of one statement, in parts and many times over. */
    for (int count = 1; count < 70; count += 11) {
        strcpy(items, "");
        for (int i = 0; i < count; i++)
            sprintf(items + strlen(items), "%s{\"key\":\"k%d.%d\",\"attributes\":{\"i\":%d}%s}",
                    i ? "," : "", count, i, i, i % 13 == 7 ? ",\"metadata\":{\"m\":true}" : "");
        holds(db, "nodes.put_many", "\"updated\":0", "{\"graph\":\"g\",\"items\":[%s]}", items);
        for (int i = 0; i < count; i++) {
            char wanted[128];
            sprintf(wanted, "\"attributes\":{\"i\":%d},\"metadata\":{%s},\"revision\":1", i,
                    i % 13 == 7 ? "\"m\":true" : "");
            holds(db, "nodes.get", wanted, "{\"graph\":\"g\",\"key\":\"k%d.%d\"}", count, i);
        }
    }
    healthy(db);
    brant_db_free(db);
    free(items);
}

static void test_faults(void **state) {
    brant_db *db = open_graphs(state), *narrow;
    char *items = malloc(100000);

    holds(db, "nodes.put", "true", "{\"graph\":\"t\",\"key\":\"old\",\"type\":\"Person\"}");
    fails(db, "nodes.put_many", BRANT_VALIDATION, "item 1: ",
          "{\"graph\":\"t\",\"items\":[{\"key\":\"a\",\"type\":\"Task\",\"attributes\":{\"title\":"
          "\"A\"}},{\"key\":\"b\",\"type\":\"Task\"},{\"key\":\"c\",\"type\":\"X\"},"
          "{\"key\":\"old\",\"type\":\"Task\",\"attributes\":{\"title\":\"A\"}},{\"key\":\"old\","
          "\"revision\":7},{\"key\":\"d\"},{\"key\":\"e\\u0000\"}]}");
    detail_holds("{\"items\":[{\"index\":1,\"key\":\"b\",\"code\":\"VALIDATION\",\"message\":");
    detail_holds("\"violations\":[{\"instance\":\"\",");
    detail_holds("{\"index\":2,\"key\":\"c\",\"code\":\"INVALID\"");
    detail_holds("{\"index\":3,\"key\":\"old\",\"code\":\"CONSTRAINT\"");
    detail_holds("{\"index\":4,\"key\":\"old\",\"code\":\"CONFLICT\"");
    detail_holds("{\"index\":5,\"key\":\"d\",\"code\":\"INVALID\"");
    detail_holds("{\"index\":6,\"key\":\"e\\u0000\",\"code\":\"INVALID\"");
    is(db, "nodes.count", "{\"count\":1}", "{\"graph\":\"t\"}");
    /* A hundred at most. */
    strcpy(items, "");
    for (int i = 0; i < 300; i++)
        sprintf(items + strlen(items), "%s{\"key\":\"k%d\",\"type\":\"Task\"}", i ? "," : "", i);
    fails(db, "nodes.put_many", BRANT_VALIDATION, "item 0: ", "{\"graph\":\"t\",\"items\":[%s]}",
          items);
    detail_holds("\"index\":99,");
    assert_null(strstr(brant_last_error()->detail, "\"index\":100,"));
    brant_db_free(db);
    narrow = must_open(in_folder(*state, "a.db"), "{\"limits\":{\"batch\":3}}");
    fails(narrow, "nodes.put_many", BRANT_LIMIT, "limits.batch",
          "{\"graph\":\"g\",\"items\":[{\"key\":\"a\"},{\"key\":\"b\"},{\"key\":\"c\"},{\"key\":"
          "\"d\"}]}");
    holds(narrow, "nodes.put_many", "3",
          "{\"graph\":\"g\",\"items\":[{\"key\":\"a\"},{\"key\":\"b\"},{\"key\":\"c\"}]}");
    fails(narrow, "nodes.get_many", BRANT_LIMIT, "limits.batch",
          "{\"graph\":\"g\",\"keys\":[\"a\",\"a\",\"a\",\"a\"]}");
    healthy(narrow);
    brant_db_free(narrow);
    free(items);
}

static void test_read(void **state) {
    brant_db *db = open_graphs(state);

    holds(db, "nodes.put_many", "2",
          "{\"graph\":\"g\",\"items\":[{\"key\":\"a\"},{\"key\":\"b\"}]}");
    fails(db, "nodes.get", BRANT_NOT_FOUND, "no node \"c\" in graph \"g\"",
          "{\"graph\":\"g\",\"key\":\"c\"}");
    is(db, "nodes.exists", "{\"exists\":true}", "{\"graph\":\"g\",\"key\":\"a\"}");
    is(db, "nodes.exists", "{\"exists\":false}", "{\"graph\":\"g\",\"key\":\"c\"}");
    is(db, "nodes.get_many", "{\"items\":[]}", "{\"graph\":\"g\",\"keys\":[]}");
    holds(db, "nodes.get_many", "{\"items\":[{\"key\":\"b\",",
          "{\"graph\":\"g\",\"keys\":[\"b\",\"c\",\"a\",\"b\"]}");
    holds(db, "nodes.get_many", "},null,{\"key\":\"a\",",
          "{\"graph\":\"g\",\"keys\":[\"b\",\"c\",\"a\",\"b\"]}");
    brant_db_free(db);
}

/* All pages of nodes.list with these members; keys end up in `out`, each followed by a blank. */
static void list_pages(char *out, brant_db *db, const char *members, int limit,
                       void (*between)(brant_db *, int page)) {
    char *cursor = strdup("");
    int page = 0;

    *out = 0;
    do {
        brant__json json = parsed(
            *cursor ? answer(db, "nodes.list", "{\"graph\":\"g\",\"limit\":%d%s,\"cursor\":\"%s\"}",
                             limit, members, cursor)
                    : answer(db, "nodes.list", "{\"graph\":\"g\",\"limit\":%d%s}", limit, members));
        yyjson_val *items = brant__json_get(json.root, "items"),
                   *next = brant__json_get(json.root, "cursor");
        assert_true(yyjson_arr_size(items) <= (size_t)limit);
        for (size_t i = 0; i < yyjson_arr_size(items); i++)
            sprintf(out + strlen(out), "%s ",
                    yyjson_get_str(brant__json_get(yyjson_arr_get(items, i), "key")));
        free(cursor);
        cursor = strdup(yyjson_is_str(next) ? yyjson_get_str(next) : "");
        brant__json_free(&json);
        if (between) between(db, page++);
    } while (*cursor);
    free(cursor);
}

/* Before the cursor and behind it; the one that the cursor names goes. */
static void disturb(brant_db *db, int page) {
    if (page == 0) {
        holds(db, "nodes.put_many", "\"created\":2",
              "{\"graph\":\"g\",\"items\":[{\"key\":\"a0\"},{\"key\":\"c9\"}]}");
        holds(db, "nodes.delete", "true", "{\"graph\":\"g\",\"key\":\"b1\"}");
    }
}

static void test_list(void **state) {
    brant_db *db = open_graphs(state);
    char keys[4096], cursor[256];
    const char *text;

    is(db, "nodes.list", "{\"items\":[],\"cursor\":null}", "{\"graph\":\"g\"}");
    holds(db, "nodes.put_many", "6",
          "{\"graph\":\"g\",\"items\":[{\"key\":\"c1\"},{\"key\":\"b1\"},{\"key\":\"a1\"},{\"key\":"
          "\"b2\"},{\"key\":\"b\"},{\"key\":\"d\"}]}");
    for (int limit = 1; limit < 8; limit++) {
        list_pages(keys, db, "", limit, NULL);
        assert_string_equal(keys, "a1 b b1 b2 c1 d ");
        list_pages(keys, db, ",\"prefix\":\"b\"", limit, NULL);
        assert_string_equal(keys, "b b1 b2 ");
        list_pages(keys, db, ",\"prefix\":\"b1\"", limit, NULL);
        assert_string_equal(keys, "b1 ");
        list_pages(keys, db, ",\"prefix\":\"bb\"", limit, NULL);
        assert_string_equal(keys, "");
        list_pages(keys, db, ",\"prefix\":\"\"", limit, NULL);
        assert_string_equal(keys, "a1 b b1 b2 c1 d ");
    }
    list_pages(keys, db, "", 3, disturb);
    assert_string_equal(keys, "a1 b b1 b2 c1 c9 d ");
    /* A prefix whose last code point is the last one. */
    holds(
        db, "nodes.put_many", "2",
        "{\"graph\":\"g\",\"items\":[{\"key\":\"\\udbff\\udfff\"},{\"key\":\"\\udbff\\udfffx\"}]}");
    list_pages(keys, db, ",\"prefix\":\"\\udbff\\udfff\"", 1, NULL);
    assert_string_equal(keys, "\xf4\x8f\xbf\xbf \xf4\x8f\xbf\xbfx ");
    /* Cursors: of another list, broken, forged. */
    text = answer(db, "nodes.list", "{\"graph\":\"g\",\"limit\":1}");
    snprintf(cursor, sizeof(cursor), "%s", strstr(text, "\"cursor\":\"") + 10);
    *strchr(cursor, '"') = 0;
    fails(db, "nodes.list", BRANT_INVALID, "cursor", "{\"graph\":\"one\",\"cursor\":\"%s\"}",
          cursor);
    fails(db, "nodes.list", BRANT_INVALID, "cursor",
          "{\"graph\":\"g\",\"prefix\":\"b\",\"cursor\":\"%s\"}", cursor);
    fails(db, "edges.list", BRANT_INVALID, "cursor", "{\"graph\":\"g\",\"cursor\":\"%s\"}", cursor);
    fails(db, "nodes.list", BRANT_INVALID, "cursor", "{\"graph\":\"g\",\"cursor\":\"\"}");
    fails(db, "nodes.list", BRANT_INVALID, "cursor", "{\"graph\":\"g\",\"cursor\":\"a1\"}");
    fails(db, "nodes.list", BRANT_INVALID, "cursor", "{\"graph\":\"g\",\"cursor\":\"%s=\"}",
          cursor);
    for (size_t i = 0; i < strlen(cursor); i++) {
        char *answer_text = NULL, json[512], kept = cursor[i];
        size_t length;
        cursor[i] = kept == 'A' ? 'B' : 'A';
        snprintf(json, sizeof(json), "{\"graph\":\"g\",\"cursor\":\"%s\"}", cursor);
        brant_status status = brant_node_list(&answer_text, &length, db, TEXT(json));
        if (status != BRANT_OK && status != BRANT_INVALID)
            fail_msg("cursor %s: %s", cursor, brant_last_error()->message);
        brant_free(answer_text);
        cursor[i] = kept;
    }
    brant_db_free(db);
}

static void test_delete(void **state) {
    brant_db *db = open_graphs(state);

    holds(db, "nodes.put_many", "4",
          "{\"graph\":\"g\",\"items\":[{\"key\":\"a\"},{\"key\":\"b\"},{\"key\":\"c\"},{\"key\":"
          "\"d\"}]}");
    holds(db, "edges.put_many", "5",
          "{\"graph\":\"g\",\"items\":[{\"source\":\"a\",\"target\":\"b\"},{\"source\":\"b\","
          "\"target\":\"b\"},{\"source\":\"b\",\"target\":\"c\"},{\"source\":\"c\",\"target\":"
          "\"b\"},{\"source\":\"c\",\"target\":\"d\"}]}");
    fails(db, "nodes.delete", BRANT_NOT_FOUND, "no node \"e\"", "{\"graph\":\"g\",\"key\":\"e\"}");
    fails(db, "nodes.delete", BRANT_CONSTRAINT, "4 edges", "{\"graph\":\"g\",\"key\":\"b\"}");
    fails(db, "nodes.delete", BRANT_CONSTRAINT, "4 edges",
          "{\"graph\":\"g\",\"key\":\"b\",\"edges\":\"refuse\"}");
    fails(db, "nodes.delete", BRANT_CONFLICT, "revision 1",
          "{\"graph\":\"g\",\"key\":\"b\",\"edges\":\"delete\",\"revision\":2}");
    is(db, "nodes.delete", "{\"deleted\":true,\"edges\":4}",
       "{\"graph\":\"g\",\"key\":\"b\",\"edges\":\"delete\",\"revision\":1}");
    is(db, "nodes.count", "{\"count\":3}", "{\"graph\":\"g\"}");
    is(db, "edges.count", "{\"count\":1}", "{\"graph\":\"g\"}");
    is(db, "nodes.delete", "{\"deleted\":true,\"edges\":0}", "{\"graph\":\"g\",\"key\":\"a\"}");
    is(db, "nodes.put", "{\"key\":\"b\",\"created\":true,\"revision\":1}",
       "{\"graph\":\"g\",\"key\":\"b\"}");
    is(db, "nodes.neighbors", "{\"items\":[],\"cursor\":null}",
       "{\"graph\":\"g\",\"key\":\"b\",\"direction\":\"both\"}");
    healthy(db);
    brant_db_free(db);
}

/* A failing operation takes back its own changes only; counts, keys and rows agree afterwards. */
static void test_savepoints(void **state) {
    brant_db *db = open_graphs(state);

    holds(db, "transaction.begin", "1", "{}");
    holds(db, "nodes.put_many", "\"created\":2",
          "{\"graph\":\"g\",\"items\":[{\"key\":\"a\"},{\"key\":\"b\"}]}");
    fails(db, "nodes.put_many", BRANT_CONFLICT, NULL,
          "{\"graph\":\"g\",\"items\":[{\"key\":\"c\"},{\"key\":\"a\",\"revision\":5}]}");
    is(db, "nodes.count", "{\"count\":2}", "{\"graph\":\"g\"}");
    holds(db, "transaction.begin", "2", "{}");
    holds(db, "nodes.put_many", "\"created\":1",
          "{\"graph\":\"g\",\"items\":[{\"key\":\"c\"},{\"key\":\"a\",\"attributes\":{\"x\":1}}]}");
    holds(db, "edges.put", "true", "{\"graph\":\"g\",\"source\":\"a\",\"target\":\"c\"}");
    is(db, "nodes.count", "{\"count\":3}", "{\"graph\":\"g\"}");
    healthy(db);
    holds(db, "transaction.rollback", "1", "{}");
    is(db, "nodes.count", "{\"count\":2}", "{\"graph\":\"g\"}");
    is(db, "edges.count", "{\"count\":0}", "{\"graph\":\"g\"}");
    holds(db, "nodes.get", "\"attributes\":{},\"metadata\":{},\"revision\":1",
          "{\"graph\":\"g\",\"key\":\"a\"}");
    is(db, "nodes.exists", "{\"exists\":false}", "{\"graph\":\"g\",\"key\":\"c\"}");
    healthy(db);
    holds(db, "transaction.commit", "0", "{}");
    is(db, "nodes.count", "{\"count\":2}", "{\"graph\":\"g\"}");
    healthy(db);
    brant_db_free(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(test_put),      GRAPH_TEST(test_types),  GRAPH_TEST(test_keys),
        GRAPH_TEST(test_put_many), GRAPH_TEST(test_faults), GRAPH_TEST(test_read),
        GRAPH_TEST(test_list),     GRAPH_TEST(test_delete), GRAPH_TEST(test_savepoints),
    };
    return cmocka_run_group_tests_name("graph_node", tests, NULL, NULL);
}
