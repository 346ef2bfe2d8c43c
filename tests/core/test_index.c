/*
 * Indexes on attributes: made, listed, dropped; those of text kept in step by every write; searches and their language; protection
 * from the user's SQL; what the doctor finds.
 */
#include <sqlite3.h>

#include "test_graph.h"

static brant_db *open_notes(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");

    define(db, "{\"$id\":\"notes\",\"$defs\":{"
               "\"NoteNode\":{\"type\":\"object\",\"properties\":{}},"
               "\"TagNode\":{\"type\":\"object\",\"properties\":{}},"
               "\"CitesEdge\":{\"type\":\"object\",\"properties\":{}}}}");
    holds(db, "graphs.create", "\"id\"", "{\"name\":\"g\",\"graph_type\":\"notes\"}");
    holds(db, "graphs.create", "\"id\"", "{\"name\":\"h\",\"graph_type\":\"notes\"}");
    holds(db, "graphs.create", "\"id\"", "{\"name\":\"o\",\"graph_type\":\"open\"}");
    return db;
}

static void test_operations(void **state) {
    brant_db *db = open_notes(state);
    const char *first;

    holds(
        db, "indexes.create",
        "\"name\":\"notes.Note.attributes.title\",\"graph_type\":\"notes\",\"node_type\":\"Note\","
        "\"edge_type\":null,\"of\":\"nodes\",\"kind\":\"value\",\"paths\":[\"attributes.title\"],",
        "{\"graph_type\":\"notes\",\"node_type\":\"Note\",\"paths\":[\"attributes.title\"]}");
    first = answer(db, "indexes.create",
                   "{\"graph_type\":\"notes\",\"edge_type\":\"Cites\",\"name\":\"c\","
                   "\"paths\":[\"attributes.page\",\"updated_at\"]}");
    is(db, "indexes.create", first,
       "{\"graph_type\":\"notes\",\"edge_type\":\"Cites\",\"name\":\"c\","
       "\"paths\":[\"attributes.page\",\"updated_at\"]}");
    holds(db, "indexes.create", "\"of\":\"edges\",\"kind\":\"text\"",
          "{\"graph_type\":\"open\",\"of\":\"edges\",\"kind\":\"text\","
          "\"paths\":[\"attributes/it's \\\"x\\\"/0\"],\"name\":\"odd\"}");
    holds(db, "indexes.list", "\"name\":\"c\"", "{}");
    holds(db, "indexes.list", "{\"items\":[{\"id\":", "{\"graph_type\":\"open\"}");
    fails(db, "indexes.create", BRANT_EXISTS, "another index is named \"c\"",
          "{\"graph_type\":\"notes\",\"edge_type\":\"Cites\",\"name\":\"c\","
          "\"paths\":[\"attributes.page\"]}");
    fails(db, "indexes.create", BRANT_NOT_FOUND, "no graph type",
          "{\"graph_type\":\"nots\",\"node_type\":\"Note\",\"paths\":[\"attributes.x\"]}");
    fails(db, "indexes.list", BRANT_NOT_FOUND, "no graph type", "{\"graph_type\":\"nots\"}");
    fails(db, "indexes.create", BRANT_INVALID, "no node type \"Nope\"",
          "{\"graph_type\":\"notes\",\"node_type\":\"Nope\",\"paths\":[\"attributes.x\"]}");
    fails(db, "indexes.create", BRANT_INVALID, "give one of",
          "{\"graph_type\":\"notes\",\"paths\":[\"attributes.x\"]}");
    fails(db, "indexes.create", BRANT_INVALID, "has types",
          "{\"graph_type\":\"notes\",\"of\":\"nodes\",\"paths\":[\"attributes.x\"]}");
    fails(db, "indexes.create", BRANT_INVALID, "needs no index",
          "{\"graph_type\":\"notes\",\"node_type\":\"Note\",\"paths\":[\"key\"]}");
    fails(db, "indexes.create", BRANT_INVALID, "is twice",
          "{\"graph_type\":\"notes\",\"node_type\":\"Note\",\"paths\":[\"attributes.x\","
          "\"attributes.x\"]}");
    detail_holds("{\"pointer\":\"/paths/1\"}");
    fails(db, "indexes.create", BRANT_INVALID, "is indexed in attributes",
          "{\"graph_type\":\"notes\",\"node_type\":\"Note\",\"kind\":\"text\","
          "\"paths\":[\"updated_at\"]}");
    fails(db, "indexes.create", BRANT_INVALID, "none of key",
          "{\"graph_type\":\"notes\",\"node_type\":\"Note\",\"paths\":[\"title\"]}");
    fails(db, "indexes.delete", BRANT_NOT_FOUND, "no index \"d\"", "{\"name\":\"d\"}");
    healthy(db);
    is(db, "indexes.delete", "{\"deleted\":true}", "{\"name\":\"c\"}");
    is(db, "indexes.delete", "{\"deleted\":true}", "{\"name\":\"odd\"}");
    holds(db, "sql.execute", "\"rows\":[[1]]",
          "{\"sql\":\"SELECT count(*) FROM sqlite_schema WHERE name GLOB "
          "'attribute_[it]*_[0-9]*'\"}");
    /* A graph type takes its indexes with it. */
    holds(db, "graphs.delete", "true", "{\"name\":\"g\"}");
    holds(db, "graphs.delete", "true", "{\"name\":\"h\"}");
    brant_db_free(db);
}

static void test_type_deleted(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");

    define(db, "{\"$id\":\"notes\",\"$defs\":{\"NoteNode\":{\"type\":\"object\"}}}");
    holds(db, "indexes.create", "\"id\"",
          "{\"graph_type\":\"notes\",\"node_type\":\"Note\",\"paths\":[\"attributes.title\"]}");
    holds(db, "indexes.create", "\"id\"",
          "{\"graph_type\":\"notes\",\"node_type\":\"Note\",\"kind\":\"text\",\"name\":\"t\","
          "\"paths\":[\"attributes.title\"]}");
    holds(db, "graph_types.delete", "true", "{\"name\":\"notes\"}");
    is(db, "indexes.list", "{\"items\":[]}", "{}");
    holds(db, "sql.execute", "\"rows\":[[0]]",
          "{\"sql\":\"SELECT count(*) FROM sqlite_schema WHERE name GLOB "
          "'attribute_[it]*_[0-9]*'\"}");
    healthy(db);
    brant_db_free(db);
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The keys that a search finds, sorted; it has them by score. */
static void finds(brant_db *db, const char *members, const char *wanted) {
    brant__json page = parsed(answer(db, "nodes.search", "{%s}", members));
    const char *keys[100];
    char got[512] = "";
    size_t index, count, found = 0;
    yyjson_val *item;
    double last = 1e300;

    yyjson_arr_foreach(brant__json_get(page.root, "items"), index, count, item) {
        double score = yyjson_get_num(brant__json_get(item, "score"));
        assert_true(score <= last);
        last = score;
        keys[found++] = yyjson_get_str(brant__json_get(brant__json_get(item, "node"), "key"));
    }
    qsort(keys, found, sizeof(*keys), by_text);
    for (size_t i = 0; i < found; i++)
        sprintf(got + strlen(got), "%s%s", i ? " " : "", keys[i]);
    brant__json_free(&page);
    if (strcmp(got, wanted) != 0) fail_msg("%s finds \"%s\", not \"%s\"", members, got, wanted);
}

static void add_notes(brant_db *db) {
    holds(db, "nodes.put_many", "\"created\":5",
          "{\"graph\":\"g\",\"items\":["
          "{\"key\":\"a\",\"type\":\"Note\",\"attributes\":{\"title\":\"Brown foxes\","
          "\"body\":\"The quick brown fox jumps over the lazy dog\"}},"
          "{\"key\":\"b\",\"type\":\"Note\",\"attributes\":{\"title\":\"Caf\xc3\xa9\","
          "\"body\":[\"lazy afternoon\",7,\"crossing the fox-hole\"]}},"
          "{\"key\":\"c\",\"type\":\"Note\",\"attributes\":{\"title\":5}},"
          "{\"key\":\"d\",\"type\":\"Note\"},"
          "{\"key\":\"t\",\"type\":\"Tag\",\"attributes\":{\"title\":\"fox\"}}]}");
    holds(
        db, "nodes.put", "true",
        "{\"graph\":\"h\",\"key\":\"other\",\"type\":\"Note\",\"attributes\":{\"title\":\"fox\"}}");
}

static void test_search(void **state) {
    static const char *const cases[][2] = {
        {"fox", "a b"},
        {"FOX", "a b"},
        {"foxes", "a"},
        {"fox*", "a b"},
        {"\\\"quick brown\\\"", "a"},
        {"\\\"brown quick\\\"", ""},
        {"\\\"quick bro\\\"*", "a"},
        {"lazy fox", "a b"},
        {"lazy AND dog", "a"},
        {"cafe OR dog", "a b"},
        {"lazy -dog", "b"},
        {"lazy NOT dog", "b"},
        {"-dog lazy", "b"},
        {"(dog OR afternoon) (quick OR crossing)", "a b"},
        {"fox-hole", "b"},
        {"lazy , dog", "a"},
        {"lazy \xe2\x80\x94 dog", "a"},
        {"\xe2\x80\x9elazy\xe2\x80\x9c NOT \xe2\x80\xa6", "a b"},
        {"title:fox", ""},
        {"NEAR", ""},
        {"\\\"NOT\\\"", ""},
        {"quick OR brown lazy", "a"},
    };
    static const char *const refused[][2] = {
        {"\\\"fox", "the phrase is not closed"},
        {"(fox", "the group is not closed"},
        {"fox)", "closed that was not opened"},
        {"fox AND", "a word is missing at the end"},
        {"AND fox", "stand between two words"},
        {"fox OR", "no word to find"},
        {"OR fox", "no word to find"},
        {"-fox", "only words to leave out"},
        {"NOT fox", "only words to leave out"},
        {"fo*x", "* stands at the end"},
        {"*", "* needs letters"},
        {"...", "no word to find"},
        {"fox OR \xe2\x80\xa6", "no word to find"},
        {"\xe2\x80\x94*", "* needs letters"},
        {"fox NOT", "a word is missing at the end"},
        {"fox \\u0000", "has a NUL"},
        {"()", "no word to find"},
    };
    brant_db *db = open_notes(state);
    char members[300], deep[200] = "";

    fails(db, "nodes.search", BRANT_CONSTRAINT, "no text index covers the nodes",
          "{\"graph\":\"g\",\"query\":\"fox\"}");
    add_notes(db);
    holds(db, "indexes.create", "\"kind\":\"text\"",
          "{\"graph_type\":\"notes\",\"node_type\":\"Note\",\"kind\":\"text\","
          "\"paths\":[\"attributes.title\",\"attributes.body\"]}");
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        snprintf(members, sizeof(members), "\"graph\":\"g\",\"query\":\"%s\"", cases[i][0]);
        finds(db, members, cases[i][1]);
    }
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        fails(db, "nodes.search", BRANT_INVALID, refused[i][1],
              "{\"graph\":\"g\",\"query\":\"%s\"}", refused[i][0]);
        detail_holds("\"offset\":");
    }
    memset(deep, '(', 40);
    fails(db, "nodes.search", BRANT_INVALID, "nested deeper", "{\"graph\":\"g\",\"query\":\"%s\"}",
          deep);
    fails(db, "nodes.search", BRANT_CONSTRAINT, "covers \"Tag\"",
          "{\"graph\":\"g\",\"type\":\"Tag\",\"query\":\"fox\"}");
    fails(db, "nodes.search", BRANT_INVALID, "no node type",
          "{\"graph\":\"g\",\"type\":\"Dog\",\"query\":\"fox\"}");
    fails(db, "edges.search", BRANT_CONSTRAINT, "the edges", "{\"graph\":\"g\",\"query\":\"fox\"}");
    finds(db, "\"graph\":\"g\",\"type\":\"Note\",\"query\":\"fox\"", "a b");
    finds(db, "\"graph\":\"h\",\"query\":\"fox\"", "other");
    finds(db, "\"graph\":\"g\",\"query\":\"fox\",\"filter\":{\"attributes.title\":\"Caf\xc3\xa9\"}",
          "b");
    holds(db, "nodes.search", "\"snippet\":\"The quick brown [fox] jumps",
          "{\"graph\":\"g\",\"query\":\"fox\"}");
    holds(db, "indexes.create", "\"name\":\"tags\"",
          "{\"graph_type\":\"notes\",\"node_type\":\"Tag\",\"kind\":\"text\",\"name\":\"tags\","
          "\"paths\":[\"attributes.title\"]}");
    {
        /* Pages joined are the whole. */
        brant__json page =
            parsed(answer(db, "nodes.search", "{\"graph\":\"g\",\"query\":\"fox\",\"limit\":2}"));
        brant__text cursor = brant__json_get_text(page.root, "cursor");
        assert_int_equal(yyjson_arr_size(brant__json_get(page.root, "items")), 2);
        snprintf(members, sizeof(members),
                 "\"graph\":\"g\",\"query\":\"fox\",\"limit\":2,\"cursor\":\"%.*s\"",
                 (int)cursor.length, cursor.data);
        brant__json_free(&page);
        page = parsed(answer(db, "nodes.search", "{%s}", members));
        assert_int_equal(yyjson_arr_size(brant__json_get(page.root, "items")), 1);
        assert_true(yyjson_is_null(brant__json_get(page.root, "cursor")));
        brant__json_free(&page);
        fails(db, "nodes.search", BRANT_INVALID, "not one of this list",
              "{\"graph\":\"g\",\"query\":\"foxes\",\"cursor\":\"%.*s\"}", (int)cursor.length,
              "AAAA");
    }
    healthy(db);
    brant_db_free(db);
}

static void check_step(brant_db *db, const char *wanted) {
    finds(db, "\"graph\":\"g\",\"query\":\"fox\"", wanted);
    healthy(db);
}

static void test_in_step(void **state) {
    brant_db *db = open_notes(state);

    holds(db, "indexes.create", "\"kind\":\"text\"",
          "{\"graph_type\":\"notes\",\"node_type\":\"Note\",\"kind\":\"text\","
          "\"paths\":[\"attributes.title\",\"metadata.remark\"]}");
    holds(db, "indexes.create", "\"kind\":\"text\"",
          "{\"graph_type\":\"notes\",\"edge_type\":\"Cites\",\"kind\":\"text\",\"name\":\"cites\","
          "\"paths\":[\"attributes.why\"]}");
    add_notes(db);
    check_step(db, "");
    holds(db, "nodes.put", "true",
          "{\"graph\":\"g\",\"key\":\"n\",\"type\":\"Note\",\"attributes\":{\"title\":\"fox\"}}");
    check_step(db, "n");
    holds(db, "nodes.put", "false",
          "{\"graph\":\"g\",\"key\":\"n\",\"attributes\":{\"title\":\"dog\"},"
          "\"metadata\":{\"remark\":\"a fox\"}}");
    check_step(db, "n");
    holds(db, "nodes.put", "false",
          "{\"graph\":\"g\",\"key\":\"n\",\"attributes\":{\"title\":\"dog\"},\"metadata\":{}}");
    check_step(db, "");
    {
        /* Many at a time, through the statements of many rows. */
        char *items = malloc(40000), *end = items;
        for (int i = 0; i < 300; i++)
            end += sprintf(end,
                           "%s{\"key\":\"m%d\",\"type\":\"%s\",\"attributes\":{\"title\":\"%s\"}}",
                           i ? "," : "", i, i % 3 ? "Note" : "Tag", i % 2 ? "fox" : "dog");
        holds(db, "nodes.put_many", "\"created\":300", "{\"graph\":\"h\",\"items\":[%s]}", items);
        holds(db, "nodes.put_many", "\"updated\":300", "{\"graph\":\"h\",\"items\":[%s]}", items);
        free(items);
    }
    {
        brant__json page = parsed(
            answer(db, "nodes.search", "{\"graph\":\"h\",\"query\":\"fox\",\"limit\":1000}"));
        assert_int_equal(yyjson_arr_size(brant__json_get(page.root, "items")), 101);
        brant__json_free(&page);
    }
    healthy(db);
    holds(db, "nodes.put", "false",
          "{\"graph\":\"g\",\"key\":\"n\",\"attributes\":{\"title\":\"fox\"}}");
    holds(db, "edges.put_many", "\"created\":2",
          "{\"graph\":\"g\",\"items\":[{\"key\":\"1\",\"source\":\"a\",\"target\":\"n\","
          "\"attributes\":{\"why\":\"clever fox\"}},{\"key\":\"2\",\"source\":\"b\","
          "\"target\":\"n\"}]}");
    holds(
        db, "edges.search",
        "\"items\":[{\"edge\":{\"key\":\"1\",\"type\":\"Cites\",\"source\":\"a\",\"target\":\"n\"",
        "{\"graph\":\"g\",\"query\":\"clever\"}");
    /* Taken back. */
    holds(db, "transaction.begin", "1", "{}");
    holds(db, "nodes.delete", "\"edges\":2",
          "{\"graph\":\"g\",\"key\":\"n\",\"edges\":\"delete\"}");
    check_step(db, "");
    is(db, "edges.search", "{\"items\":[],\"cursor\":null}",
       "{\"graph\":\"g\",\"query\":\"clever\"}");
    holds(db, "transaction.rollback", "0", "{}");
    check_step(db, "n");
    holds(db, "nodes.delete", "\"edges\":2",
          "{\"graph\":\"g\",\"key\":\"n\",\"edges\":\"delete\"}");
    check_step(db, "");
    /* A backup has the indexes, and a restore brings them back. */
    holds(db, "db.backup", "pages", "{\"path\":\"%s\"}", in_folder(*state, "b.db"));
    holds(db, "graphs.purge", "\"purged\":true", "{\"name\":\"h\"}");
    healthy(db);
    holds(db, "db.restore", "pages", "{\"path\":\"%s\"}", in_folder(*state, "b.db"));
    {
        brant__json page = parsed(
            answer(db, "nodes.search", "{\"graph\":\"h\",\"query\":\"fox\",\"limit\":1000}"));
        assert_int_equal(yyjson_arr_size(brant__json_get(page.root, "items")), 101);
        brant__json_free(&page);
    }
    healthy(db);
    brant_db_free(db);
    db = must_open(in_folder(*state, "a.db"), "{\"mode\":\"ro\"}");
    finds(db, "\"graph\":\"h\",\"query\":\"-dog other fox OR jumps\"", "");
    healthy(db);
    brant_db_free(db);
}

/* A savepoint that made, dropped or filled an index is taken back, and the transaction goes on. */
static void test_savepoints(void **state) {
    static const char make[] = "{\"graph_type\":\"notes\",\"node_type\":\"Note\",\"kind\":"
                               "\"text\",\"name\":\"t\",\"paths\":[\"attributes.title\"]}";
    brant_db *db = open_notes(state);

    add_notes(db);
    holds(db, "transaction.begin", "1", "{}");
    holds(db, "transaction.begin", "2", "{}");
    holds(db, "indexes.create", "\"kind\":\"text\"", make);
    /* At once: the next savepoint would have let FTS5 know of the one that goes. */
    holds(db, "transaction.rollback", "1", "{}");
    fails(db, "nodes.search", BRANT_CONSTRAINT, "no text index",
          "{\"graph\":\"g\",\"query\":\"fox\"}");
    holds(db, "nodes.put", "true",
          "{\"graph\":\"g\",\"key\":\"n\",\"type\":\"Note\",\"attributes\":{\"title\":\"fox\"}}");
    holds(db, "indexes.create", "\"kind\":\"text\"", make);
    finds(db, "\"graph\":\"g\",\"query\":\"fox\"", "n");
    holds(db, "transaction.begin", "2", "{}");
    holds(db, "nodes.delete", "true", "{\"graph\":\"g\",\"key\":\"n\"}");
    holds(db, "indexes.delete", "true", "{\"name\":\"t\"}");
    holds(db, "transaction.rollback", "1", "{}");
    finds(db, "\"graph\":\"g\",\"query\":\"fox\"", "n");
    holds(db, "transaction.commit", "0", "{}");
    finds(db, "\"graph\":\"g\",\"query\":\"fox\"", "n");
    healthy(db);
    brant_db_free(db);
}

/* No index is left out without a word. */
static void test_many_indexes(void **state) {
    brant_db *db = open_notes(state);

    add_notes(db);
    for (int i = 0; i <= 100; i++) {
        if (i == 100) finds(db, "\"graph\":\"g\",\"query\":\"fox\"", "a b");
        holds(db, "indexes.create", "\"kind\":\"text\"",
              "{\"graph_type\":\"notes\",\"node_type\":\"Note\",\"kind\":\"text\","
              "\"paths\":[\"attributes.%s%d\"],\"name\":\"i%d\"}",
              i == 99 ? "body\",\"attributes.x" : "x", i, i);
    }
    fails(db, "nodes.search", BRANT_LIMIT, "more than 100 indexes",
          "{\"graph\":\"g\",\"query\":\"fox\"}");
    holds(db, "indexes.delete", "true", "{\"name\":\"i0\"}");
    finds(db, "\"graph\":\"g\",\"query\":\"fox\"", "a b");
    brant_db_free(db);
}

/* What one handle remembers of an index that another has changed since is no damage. */
static void test_two_handles(void **state) {
    brant_db *db = open_notes(state), *other;

    holds(db, "indexes.create", "\"kind\":\"text\"",
          "{\"graph_type\":\"notes\",\"node_type\":\"Note\",\"kind\":\"text\","
          "\"paths\":[\"attributes.title\"]}");
    other = must_open(in_folder(*state, "a.db"), "");
    add_notes(other);
    finds(db, "\"graph\":\"g\",\"query\":\"foxes\"", "a");
    holds(other, "graphs.purge", "\"purged\":true", "{\"name\":\"g\"}");
    holds(other, "graphs.purge", "\"purged\":true", "{\"name\":\"h\"}");
    healthy(db);
    healthy(other);
    brant_db_free(other);
    brant_db_free(db);
}

static void test_protected(void **state) {
    static const char *const denied[] = {
        "DROP INDEX attribute_index_1",
        "DROP TRIGGER attribute_text_2_insert",
        "DROP TABLE attribute_text_2",
        "DROP VIEW attribute_text_2_rows",
        "DROP TABLE attribute_indexes",
        "DELETE FROM attribute_indexes",
        "DELETE FROM attribute_text_2",
        "INSERT INTO attribute_text_2(attribute_text_2) VALUES('rebuild')",
        "INSERT INTO attribute_text_2(rowid,c0) VALUES(1,'x')",
        "CREATE TABLE attribute_text_3(x)",
        "CREATE VIRTUAL TABLE attribute_text_3 USING fts5(x)",
        "CREATE VIEW attribute_text_3_rows AS SELECT 1",
        "CREATE TEMP TABLE attribute_text_2(x)",
        "CREATE INDEX attribute_index_3 ON mine (x)",
        "CREATE TRIGGER attribute_text_3_insert AFTER INSERT ON mine BEGIN SELECT 1; END",
        "CREATE TEMP TRIGGER attribute_text_3_insert AFTER INSERT ON mine BEGIN SELECT 1; END",
        "ALTER TABLE attribute_text_2 RENAME TO mine_too",
    };
    brant_db *db = open_notes(state);

    holds(db, "indexes.create", "\"id\"",
          "{\"graph_type\":\"notes\",\"node_type\":\"Note\",\"paths\":[\"attributes.title\"]}");
    holds(db, "indexes.create", "\"id\"",
          "{\"graph_type\":\"notes\",\"node_type\":\"Note\",\"kind\":\"text\",\"name\":\"t\","
          "\"paths\":[\"attributes.title\"]}");
    holds(db, "sql.execute", "changes", "{\"sql\":\"CREATE TABLE mine (x)\"}");
    add_notes(db);
    for (size_t i = 0; i < sizeof(denied) / sizeof(*denied); i++)
        fails(db, "sql.execute", BRANT_DENIED, NULL, "{\"sql\":\"%s\"}", denied[i]);
    /* SQLite's own defence. */
    fails(db, "sql.execute", BRANT_SQL, "may not be modified",
          "{\"sql\":\"DELETE FROM attribute_text_2_data\"}");
    fails(db, "sql.execute", BRANT_SQL, "may not be modified",
          "{\"sql\":\"UPDATE attribute_text_2_config SET v = 1\"}");
    /* Reading is free, and the user's own indexes of text too. */
    holds(db, "sql.execute", "\"rows\":[[2]]",
          "{\"sql\":\"SELECT count(*) FROM attribute_text_2 WHERE attribute_text_2 MATCH "
          "'fox OR foxes'\"}");
    holds(db, "sql.execute", "changes", "{\"sql\":\"CREATE VIRTUAL TABLE own USING fts5(x)\"}");
    holds(db, "sql.execute", "changes", "{\"sql\":\"INSERT INTO own VALUES('fox')\"}");
    healthy(db);
    brant_db_free(db);
}

static void test_doctor(void **state) {
    brant_db *db = open_notes(state);
    sqlite3 *raw = NULL;

    holds(db, "indexes.create", "\"id\"",
          "{\"graph_type\":\"notes\",\"node_type\":\"Note\",\"paths\":[\"attributes.title\"]}");
    holds(db, "indexes.create", "\"id\"",
          "{\"graph_type\":\"notes\",\"node_type\":\"Note\",\"kind\":\"text\",\"name\":\"t\","
          "\"paths\":[\"attributes.title\"]}");
    add_notes(db);
    healthy(db);
    brant_db_free(db);
    assert_int_equal(sqlite3_open(in_folder(*state, "a.db"), &raw), SQLITE_OK);
    assert_int_equal(sqlite3_exec(raw,
                                  "DROP TRIGGER attribute_text_2_update;"
                                  "UPDATE nodes SET attributes='{\"title\":\"wolf\"}' WHERE "
                                  "key='a'",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(raw);
    db = must_open(in_folder(*state, "a.db"), "");
    holds(db, "db.doctor", "index 't' lacks a part", "{}");
    holds(db, "db.doctor", "{\"name\":\"text_indexes\",\"problems\":[\"", "{}");
    brant_db_free(db);
    assert_int_equal(sqlite3_open(in_folder(*state, "a.db"), &raw), SQLITE_OK);
    assert_int_equal(sqlite3_exec(raw,
                                  "DELETE FROM nodes WHERE key='b'; DROP TRIGGER "
                                  "attribute_text_2_delete; DELETE FROM nodes WHERE key='c'; "
                                  "UPDATE attribute_indexes SET type=99 WHERE row_id=1",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(raw);
    db = must_open(in_folder(*state, "a.db"), "{\"mode\":\"ro\"}");
    holds(db, "db.doctor", "index of text 2: 1 rows differ", "{}");
    holds(db, "db.doctor", "index 'notes.Note.attributes.title' is of a type that is not there",
          "{}");
    brant_db_free(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(test_operations), GRAPH_TEST(test_type_deleted), GRAPH_TEST(test_search),
        GRAPH_TEST(test_savepoints), GRAPH_TEST(test_many_indexes), GRAPH_TEST(test_two_handles),
        GRAPH_TEST(test_in_step),    GRAPH_TEST(test_protected),    GRAPH_TEST(test_doctor),
    };
    return cmocka_run_group_tests_name("index", tests, NULL, NULL);
}
