/*
 * tests/core/test_graph_write.c: what the forms of writing many refuse, lines of JSON, marking and purging, retention, versions of types.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "test_graph.h"

static int64_t clock_now = 1000000;
static int64_t read_clock(void *context) {
    (void)context;
    return clock_now;
}

static brant_db *open_clock(const char *path, const char *options) {
    const brant_sources sources = {.now = read_clock};
    brant_db *db = NULL;

    assert_int_equal(brant_open_with(&db, TEXT(path), TEXT(options), &sources), BRANT_OK);
    return db;
}

static void create(brant_db *db, const char *name, const char *type) {
    holds(db, "graphs.create", "\"id\"", "{\"name\":\"%s\",\"graph_type\":\"%s\"}", name, type);
}

/* ---- lines ----------------------------------------------------------------------------------- */

static void test_lines(void **state) {
    brant_db *db =
        must_open(in_folder(*state, "a.db"), "{\"limits\":{\"batch\":3,\"depth\":6,\"key\":8}}");

    create(db, "g", "open");
#define LINES(text) "{\"graph\":\"g\",\"items\":\"" text "\"}"
    must(db, "nodes.put_many", LINES("{\\\"key\\\":\\\"a\\\"}"), "\"created\":1");
    must(db, "nodes.put_many", LINES("\\n\\r\\n \\t \\n{\\\"key\\\":\\\"a\\\"} \\r\\n\\n"),
         "{\"created\":0,\"updated\":1}");
    must(db, "nodes.put_many", LINES(""), "{\"created\":0,\"updated\":0}");
    /* Each kind of a bad line; offsets are of the whole text. */
    must_fail(db, "nodes.put_many", LINES("{\\\"key\\\":\\\"b\\\"}\\n{\\\"key\\\":}"),
              BRANT_INVALID_JSON, "item 1: ");
    detail_holds("{\"items\":[{\"index\":1,\"key\":null,\"code\":\"INVALID_JSON\",\"message\":");
    detail_holds("\"offset\":19}]}");
    must_fail(db, "nodes.put_many", LINES("{\\\"key\\\":\\\"b\\\",\\\"key\\\":\\\"c\\\"}"),
              BRANT_INVALID_JSON, NULL);
    must_fail(db, "nodes.put_many", LINES("{\\\"key\\\":\\\"b\\\\u0000\\\"}"), BRANT_INVALID,
              "NUL");
    must_fail(db, "nodes.put_many", LINES("{\\\"key\\\":\\\"\\\\ud800\\\"}"), BRANT_INVALID_JSON,
              NULL);
    must_fail(db, "nodes.put_many", LINES("{\\\"key\\\":\\\"b\\\"},{\\\"key\\\":\\\"c\\\"}"),
              BRANT_INVALID_JSON, NULL);
    /* Halves that would fit together. */
    must_fail(db, "nodes.put_many", LINES("{\\\"key\\\":\\\"b\\\"\\n\\\"attributes\\\":{}}"),
              BRANT_INVALID_JSON, "item 0");
    must_fail(db, "nodes.put_many", LINES("[]"), BRANT_INVALID, "no JSON object");
    must_fail(db, "nodes.put_many", LINES("{}"), BRANT_INVALID, "key is empty");
    must_fail(db, "nodes.put_many", LINES("{\\\"key\\\":\\\"123456789\\\"}"), BRANT_LIMIT, NULL);
    must_fail(db, "nodes.put_many", LINES("{\\\"key\\\":1}"), BRANT_INVALID, "another kind");
    must_fail(db, "nodes.put_many", LINES("{\\\"key\\\":\\\"b\\\",\\\"attributes\\\":[]}"),
              BRANT_INVALID, "\"attributes\"");
    must_fail(db, "nodes.put_many", LINES("{\\\"key\\\":\\\"b\\\",\\\"metadata\\\":null}"),
              BRANT_INVALID, "\"metadata\"");
    must_fail(db, "nodes.put_many", LINES("{\\\"key\\\":\\\"b\\\",\\\"revision\\\":-1}"),
              BRANT_INVALID, "\"revision\"");
    must_fail(db, "nodes.put_many", LINES("{\\\"key\\\":\\\"b\\\",\\\"type\\\":1}"), BRANT_INVALID,
              "\"type\"");
    must_fail(db, "nodes.put_many", LINES("{\\\"key\\\":\\\"b\\\",\\\"source\\\":\\\"a\\\"}"),
              BRANT_INVALID, "no member \"source\"");
    must_fail(db, "nodes.insert_many", LINES("{\\\"key\\\":\\\"b\\\",\\\"revision\\\":0}"),
              BRANT_INVALID, "no member \"revision\"");
    must_fail(db, "edges.put_many", LINES("{\\\"source\\\":\\\"a\\\"}"), BRANT_INVALID,
              "source or target");
    must_fail(db, "edges.put_many",
              LINES("{\\\"source\\\":\\\"a\\\",\\\"target\\\":\\\"a\\\",\\\"undirected\\\":1}"),
              BRANT_INVALID, "\"undirected\"");
    must_fail(db, "edges.patch_many", LINES("{\\\"attributes\\\":{}}"), BRANT_INVALID, "key");
    /* As deep as an array's items could be, and one more. */
    must(db, "nodes.put_many", LINES("{\\\"key\\\":\\\"b\\\",\\\"attributes\\\":{\\\"a\\\":[[]]}}"),
         "\"created\":1");
    must_fail(db, "nodes.put_many",
              LINES("{\\\"key\\\":\\\"b\\\",\\\"attributes\\\":{\\\"a\\\":[[[]]]}}"), BRANT_LIMIT,
              NULL);
    /* More items than a batch may have, good or bad. */
    must(db, "nodes.put_many", LINES("x\\nx\\nx\",\"errors\":\"skip"), "\"failed\":3");
    must_fail(db, "nodes.put_many", LINES("x\\nx\\nx\\nx\",\"errors\":\"skip"), BRANT_LIMIT,
              "limits.batch");
    must_fail(
        db, "nodes.patch_many",
        "{\"graph\":\"g\",\"items\":[{\"key\":\"a\",\"attributes\":{}},{\"key\":\"a\","
        "\"attributes\":{}},{\"key\":\"a\",\"attributes\":{}},{\"key\":\"a\",\"attributes\":{}}]}",
        BRANT_LIMIT, "limits.batch");
    must_fail(db, "nodes.delete_many", "{\"graph\":\"g\",\"keys\":[\"a\",\"b\",\"c\",\"d\"]}",
              BRANT_LIMIT, "limits.batch");
    /* What the schema refuses is no item, whatever becomes of errors. */
    must_fail(db, "nodes.put_many",
              "{\"graph\":\"g\",\"errors\":\"skip\",\"items\":[{\"key\":\"c\"},{\"x\":1}]}",
              BRANT_INVALID, "/items/1");
    must_fail(db, "nodes.put_many", "{\"graph\":\"g\",\"errors\":\"no\",\"items\":[]}",
              BRANT_INVALID, "/errors");
    healthy(db);
    brant_db_free(db);
}

/* Of many faults the first 100 are told, all are counted, and the good items are there. */
static void test_many_faults(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    brant__buffer lines = {0};
    brant__json json;
    yyjson_val *list;

    create(db, "g", "open");
    for (int i = 0; i < 1000; i++)
        brant__buffer_format(&lines, i % 2 ? "{\\\"key\\\":\\\"k%d\\\"}\\n" : "bad %d\\n", i);
    brant__buffer_append(&lines, "", 1);
    json = parsed(answer(db, "nodes.put_many",
                         "{\"graph\":\"g\",\"errors\":\"skip\",\"items\":\"%s\"}", lines.data));
    list = brant__json_get(json.root, "items");
    assert_int_equal(brant__json_integer(brant__json_get(json.root, "created"), 0), 500);
    assert_int_equal(brant__json_integer(brant__json_get(json.root, "failed"), 0), 500);
    assert_int_equal(yyjson_arr_size(list), 100);
    assert_int_equal(brant__json_integer(brant__json_get(yyjson_arr_get(list, 99), "index"), 0),
                     198);
    brant__json_free(&json);
    /* As many good lines as there was room for. */
    brant__buffer_reset(&lines);
    for (int i = 0; i < 256; i++)
        brant__buffer_format(&lines, "{\\\"key\\\":\\\"l%d\\\"}\\n", i);
    brant__buffer_append(&lines, "", 1);
    is(db, "nodes.put_many", "{\"created\":256,\"updated\":0}",
       "{\"graph\":\"g\",\"items\":\"%s\"}", lines.data);
    brant__buffer_free(&lines);
    fails(db, "nodes.patch_many", BRANT_INVALID, "item 0: the attributes are missing",
          "{\"graph\":\"g\",\"items\":\"{\\\"key\\\":\\\"l0\\\"}\"}");
    healthy(db);
    brant_db_free(db);
}

/* ---- patches --------------------------------------------------------------------------------- */

static void test_patch_limits(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "{\"limits\":{\"document\":1024}}");

    create(db, "g", "open");
    must(db, "nodes.put", "{\"graph\":\"g\",\"key\":\"a\"}", "true");
    for (int i = 0; i < 3; i++) {
        char text[701];
        memset(text, 'x', 700);
        text[700] = 0;
        if (i == 0)
            holds(db, "nodes.patch", "\"changed\":true",
                  "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"a%d\":\"%s\"}}", i, text);
        else
            fails(db, "nodes.patch", BRANT_LIMIT, "limits.document",
                  "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"a%d\":\"%s\"}}", i, text);
    }
    must(db, "nodes.patch", "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"a0\":null}}",
         "{\"key\":\"a\",\"revision\":3,\"changed\":true}");
    /* The same number written in another way is no change. */
    must(db, "nodes.patch", "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"n\":1}}",
         "\"revision\":4");
    must(db, "nodes.patch", "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"n\":1.0}}",
         "{\"key\":\"a\",\"revision\":4,\"changed\":false}");
    must(db, "graphs.update", "{\"name\":\"g\",\"status\":\"archived\"}", NULL);
    must_fail(db, "nodes.patch", "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{}}",
              BRANT_CONSTRAINT, "archived");
    must_fail(db, "nodes.insert", "{\"graph\":\"g\",\"key\":\"b\"}", BRANT_CONSTRAINT, "archived");
    must_fail(db, "nodes.delete_many", "{\"graph\":\"g\",\"filter\":{}}", BRANT_CONSTRAINT,
              "archived");
    brant_db_free(db);
}

/* ---- notifications --------------------------------------------------------------------------- */

static void notified(brant_cursor *cursor, const char *wanted) {
    char *items = NULL;
    size_t length = 0;

    assert_int_equal(brant_cursor_next(&items, &length, cursor, 0), BRANT_OK);
    if (!strstr(items, wanted)) fail_msg("%s does not hold %s", items, wanted);
    brant_free(items);
}

static void test_notifications(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    brant_cursor *cursor = NULL;

    create(db, "g", "open");
    assert_int_equal(brant_event_listen(&cursor, db, TEXT("{\"channels\":[\"*\"]}")), BRANT_OK);
    must(db, "nodes.insert_many", "{\"graph\":\"g\",\"items\":[{\"key\":\"a\"},{\"key\":\"b\"}]}",
         NULL);
    notified(cursor, "\"count\":2,\"keys\":[\"a\",\"b\"],\"truncated\":false");
    must(db, "nodes.put_many",
         "{\"graph\":\"g\",\"errors\":\"skip\",\"items\":[{\"key\":\"c\",\"revision\":7}]}",
         "\"failed\":1");
    notified(cursor, "[]");
    must(db, "nodes.patch_many",
         "{\"graph\":\"g\",\"items\":[{\"key\":\"a\",\"attributes\":{\"x\":1}},{\"key\":\"b\","
         "\"attributes\":{}"
         "},{\"key\":\"a\",\"attributes\":{\"x\":2}}]}",
         "{\"updated\":2,\"unchanged\":1}");
    notified(cursor, "\"count\":1,\"keys\":[\"a\"],\"truncated\":false");
    must(db, "nodes.patch", "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"x\":2}}", "false");
    notified(cursor, "[]");
    must(db, "edges.insert", "{\"graph\":\"g\",\"source\":\"a\",\"target\":\"b\"}", NULL);
    notified(cursor, "edges:created");
    must(db, "nodes.delete_many", "{\"graph\":\"g\",\"keys\":[\"a\"],\"edges\":\"delete\"}", NULL);
    notified(cursor, "\"channel\":\"edges:deleted\"");
    must(db, "graphs.delete", "{\"name\":\"g\"}", NULL);
    notified(cursor, "graph:deleted");
    must(db, "graphs.update", "{\"name\":\"g\",\"status\":\"draft\"}", NULL);
    notified(cursor, "\"changes\":[\"status\"]");
    must(db, "graphs.purge", "{\"name\":\"g\"}", NULL);
    notified(cursor, "graph:purged");
    brant_cursor_free(cursor);
    brant_db_free(db);
}

/* ---- purging some at a time ------------------------------------------------------------------ */

/* The counts are true after every call, whatever the limit, and another graph stays. */
static void test_purge(void **state) {
    for (int limit = 1; limit < 60; limit += 6) {
        brant_db *db = must_open(in_folder(*state, "purge.db"), "");
        int calls = 0;
        char *text;

        define(db, TASK_MODULE("jobs", ""));
        for (int graph = 0; graph < 2; graph++) {
            brant__buffer nodes = {0}, edges = {0};
            holds(db, "graphs.create", "\"id\"", "{\"name\":\"g%d\",\"graph_type\":\"jobs\"}",
                  graph);
            for (int i = 0; i < 20; i++) {
                brant__buffer_format(
                    &nodes, "%s{\"key\":\"%d\",\"type\":\"Task\",\"attributes\":{\"title\":\"x\"}}",
                    i ? "," : "", i);
                brant__buffer_format(&edges,
                                     "%s{\"source\":\"7\",\"target\":\"%d\",\"type\":\"Related\"},{"
                                     "\"source\":\"%d\",\"target\":\"%d\",\"type\":\"DependsOn\"}",
                                     i ? "," : "", i, i, (i + 1) % 20);
            }
            brant__buffer_append(&nodes, "", 1);
            brant__buffer_append(&edges, "", 1);
            holds(db, "nodes.put_many", "20", "{\"graph\":\"g%d\",\"items\":[%s]}", graph,
                  nodes.data);
            holds(db, "edges.put_many", "40", "{\"graph\":\"g%d\",\"items\":[%s]}", graph,
                  edges.data);
            brant__buffer_free(&nodes);
            brant__buffer_free(&edges);
        }
        for (;;) {
            char input[64];
            snprintf(input, sizeof input, "{\"name\":\"g0\",\"limit\":%d}", limit);
            text = must_call(db, "graphs.purge", input, NULL);
            healthy(db);
            calls++;
            if (strstr(text, "\"purged\":true")) break;
            brant_free(text);
            holds(db, "graphs.get", "\"status\":\"deleted\"", "{\"name\":\"g0\"}");
        }
        brant_free(text);
        assert_int_equal(calls, (60 + limit - 1) / limit);
        is(db, "edges.count", "{\"count\":40}", "{\"graph\":\"g1\"}");
        brant_db_free(db);
        unlink(in_folder(*state, "purge.db"));
    }
}

/* ---- retention ------------------------------------------------------------------------------- */

#define DAY    "86400000"
#define DAY_MS INT64_C(86400000)

static void maintained(brant_db *db, const char *wanted) {
    char text[200];

    snprintf(text, sizeof text, "\"retention\":{%s}", wanted);
    must(db, "db.maintain", "{}", text);
}

static void test_retention_of_graphs(void **state) {
    brant_db *db = open_clock(in_folder(*state, "a.db"), "{\"system\":true}");

    create(db, "used", "open");
    create(db, "left", "open");
    must(db, "nodes.put", "{\"graph\":\"left\",\"key\":\"a\"}", "true");
    must(db, "graph_types.set_retention",
         "{\"name\":\"open\",\"rules\":{\"archive_after\":" DAY ",\"delete_after\":172800000,"
         "\"purge_after\":259200000}}",
         "\"archive_after\"");
    must(db, "graph_types.get", "{\"name\":\"open\"}", "\"retention\":{\"archive_after\":" DAY);
    maintained(db, "\"archived\":0,\"deleted\":0,\"purged\":0,\"nodes\":0,\"edges\":0");
    clock_now += DAY_MS;
    must(db, "nodes.put", "{\"graph\":\"used\",\"key\":\"a\"}", "true"); /* a change of the graph */
    maintained(db, "\"archived\":1,\"deleted\":0,\"purged\":0,\"nodes\":0,\"edges\":0");
    must(db, "graphs.get", "{\"name\":\"left\"}", "archived");
    must(db, "graphs.get", "{\"name\":\"used\"}", "active");
    clock_now += DAY_MS; /* archiving was no change */
    maintained(db, "\"archived\":1,\"deleted\":1,\"purged\":0,\"nodes\":0,\"edges\":0");
    must(db, "graphs.get", "{\"name\":\"left\"}", "deleted");
    must(db, "graphs.update", "{\"name\":\"used\",\"status\":\"active\"}", NULL);
    clock_now += DAY_MS - 1;
    maintained(db, "\"archived\":0,\"deleted\":0,\"purged\":0,\"nodes\":0,\"edges\":0");
    clock_now += 1;
    maintained(db, "\"archived\":1,\"deleted\":0,\"purged\":1,\"nodes\":1,\"edges\":0");
    must_fail(db, "graphs.get", "{\"name\":\"left\"}", BRANT_NOT_FOUND, NULL);
    healthy(db);
    must(db, "transaction.begin", "{}", "1");
    must_fail(db, "db.maintain", "{}", BRANT_MISUSE, NULL);
    must(db, "transaction.rollback", "{}", "0");
    brant_db_free(db);
}

/* More rows than go in one transaction; what was changed since stays; edges before nodes. */
static void test_retention_of_rows(void **state) {
    brant_db *db = open_clock(in_folder(*state, "a.db"), "");
    brant__buffer nodes = {0}, edges = {0};

    define(db, TASK_MODULE("jobs", ""));
    create(db, "g", "jobs");
    for (int i = 0; i < 2500; i++) {
        brant__buffer_format(&nodes,
                             "%s{\"key\":\"%04d\",\"type\":\"Task\",\"attributes\":{\"title\":"
                             "\"x\",\"priority\":%d}}",
                             i ? "," : "", i, i % 5);
        brant__buffer_format(&edges,
                             "%s{\"source\":\"%04d\",\"target\":\"%04d\",\"type\":\"Related\"}",
                             i ? "," : "", i, (i + 1) % 2500);
    }
    brant__buffer_append(&nodes, "", 1);
    brant__buffer_append(&edges, "", 1);
    holds(db, "nodes.put_many", "2500", "{\"graph\":\"g\",\"items\":[%s]}", nodes.data);
    holds(db, "edges.put_many", "2500", "{\"graph\":\"g\",\"items\":[%s]}", edges.data);
    must(
        db, "graph_types.set_retention",
        "{\"name\":\"jobs\",\"rules\":{\"nodes\":[{\"type\":\"Task\",\"filter\":{\"attributes."
        "priority\":{"
        "\"$ne\":2}},\"older_than\":1000}],\"edges\":[{\"type\":\"DependsOn\",\"older_than\":0}]}}",
        NULL);
    maintained(db, "\"archived\":0,\"deleted\":0,\"purged\":0,\"nodes\":0,\"edges\":0");
    clock_now += 1001;
    must(db, "nodes.patch", "{\"graph\":\"g\",\"key\":\"0000\",\"attributes\":{\"title\":\"y\"}}",
         "true");
    maintained(db, "\"archived\":0,\"deleted\":0,\"purged\":0,\"nodes\":1999,\"edges\":2500");
    is(db, "nodes.count", "{\"count\":501}", "{\"graph\":\"g\"}");
    must(db, "nodes.exists", "{\"graph\":\"g\",\"key\":\"0000\"}", "true");
    healthy(db);
    must(db, "graph_types.set_retention",
         "{\"name\":\"jobs\",\"rules\":{\"nodes\":[{\"older_than\":0,\"by\":\"created_at\"}]}}",
         NULL);
    maintained(db, "\"archived\":0,\"deleted\":0,\"purged\":0,\"nodes\":501,\"edges\":0");
    must(db, "graph_types.set_retention", "{\"name\":\"jobs\",\"rules\":null}",
         "{\"name\":\"jobs\",\"rules\":null}");
    must_fail(db, "graph_types.set_retention",
              "{\"name\":\"jobs\",\"rules\":{\"nodes\":[{\"older_than\":-1}]}}", BRANT_INVALID,
              NULL);
    must_fail(
        db, "graph_types.set_retention",
        "{\"name\":\"jobs\",\"rules\":{\"nodes\":[{\"older_than\":1,\"by\":\"attributes\"}]}}",
        BRANT_INVALID, "/rules/nodes/0/by");
    must_fail(db, "graph_types.set_retention",
              "{\"name\":\"jobs\",\"rules\":{\"nodes\":[{\"older_than\":1},"
              "{\"older_than\":1,\"type\":\"None\"}]}}",
              BRANT_INVALID, "\"/rules/nodes/1/type\": graph type");
    must_fail(
        db, "graph_types.set_retention",
        "{\"name\":\"jobs\",\"rules\":{\"edges\":[{\"older_than\":1,\"by\":\"attributes.a..b\"}]}}",
        BRANT_INVALID, "\"/rules/edges/0/by/attributes.a..b\": ");
    must_fail(db, "graph_types.set_retention", "{\"name\":\"call\",\"rules\":{}}", BRANT_DENIED,
              NULL);
    brant__buffer_free(&nodes);
    brant__buffer_free(&edges);
    healthy(db);
    brant_db_free(db);
}

/* Another handle changes the graph type between the transactions: what was read of it is gone, and the rows go all the same. */
typedef struct updating {
    brant_db *db;
    atomic_bool stop;
    atomic_int updates;
} updating;

static void *update_type(void *context) {
    static const char text[] =
        "{\"name\":\"busy\",\"metadata\":{},\"module\":{\"$id\":\"busy\",\"$defs\":{\"ANode\":true,"
        "\"BNode\":true}}}";
    updating *self = context;

    while (!atomic_load(&self->stop)) {
        char *out = NULL;
        size_t length;
        if (brant_call(&out, &length, self->db, TEXT("graph_types.update"), TEXT(text)) == BRANT_OK)
            self->updates++;
        brant_free(out);
    }
    return NULL;
}

static void test_retention_beside_updates(void **state) {
    brant_db *db = open_clock(in_folder(*state, "a.db"), "");
    updating other = {.db = must_open(in_folder(*state, "a.db"), "")};
    brant__buffer nodes = {0};
    pthread_t thread;

    define(db, "{\"$id\":\"busy\",\"$defs\":{\"ANode\":true,\"BNode\":true}}");
    create(db, "g", "busy");
    for (int i = 0; i < 12000; i++)
        brant__buffer_format(&nodes, "%s{\"key\":\"%d\",\"type\":\"A\"}", i ? "," : "", i);
    brant__buffer_append(&nodes, "", 1);
    holds(db, "nodes.put_many", "12000", "{\"graph\":\"g\",\"items\":[%s]}", nodes.data);
    brant__buffer_free(&nodes);
    must(db, "graph_types.set_retention",
         "{\"name\":\"busy\",\"rules\":{\"nodes\":[{\"type\":\"A\",\"older_than\":0}]}}", NULL);
    clock_now += 1;
    assert_int_equal(pthread_create(&thread, NULL, update_type, &other), 0);
    for (const int64_t begun = monotonic_ms(); !other.updates && monotonic_ms() - begun < 60000;)
        pause_ms(1); /* it runs, and goes on beside what follows */
    maintained(db, "\"archived\":0,\"deleted\":0,\"purged\":0,\"nodes\":12000,\"edges\":0");
    atomic_store(&other.stop, true);
    pthread_join(thread, NULL);
    assert_true(other.updates > 0);
    healthy(db);
    brant_db_free(other.db);
    brant_db_free(db);
}

/* ---- versions -------------------------------------------------------------------------------- */

static void test_type_version(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");

    holds(db, "graph_types.define", "\"version\":7",
          "{\"version\":7,\"module\":{\"$id\":\"v\",\"$defs\":{\"ANode\":true,\"BEdge\":true}}}");
    create(db, "g", "v");
    must(db, "nodes.put_many", "{\"graph\":\"g\",\"items\":[{\"key\":\"a\"},{\"key\":\"b\"}]}",
         NULL);
    must(db, "edges.insert", "{\"graph\":\"g\",\"source\":\"a\",\"target\":\"b\"}", NULL);
    holds(db, "sql.execute", "[[2,7,1,7]]",
          "{\"sql\":\"SELECT (SELECT count(*) FROM nodes WHERE type_version = 7), (SELECT "
          "max(type_version) FROM nodes), (SELECT count(*) FROM edges), (SELECT max(type_version) "
          "FROM "
          "edges)\"}");
    brant_db_free(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(test_lines),
        GRAPH_TEST(test_many_faults),
        GRAPH_TEST(test_patch_limits),
        GRAPH_TEST(test_notifications),
        GRAPH_TEST(test_purge),
        GRAPH_TEST(test_retention_of_graphs),
        GRAPH_TEST(test_retention_of_rows),
        GRAPH_TEST(test_retention_beside_updates),
        GRAPH_TEST(test_type_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
