/*
 * tests/core/test_rotate.c: secrets.rotate and secrets.status: every value comes under the new key once, whatever happens meanwhile, and none is lost.
 */
#define _GNU_SOURCE
#include <sys/stat.h>

#include "child.h"
#include "test_graph.h"

#include "graph/rotate.h"

#define KEY_1 "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE"
#define KEY_2 "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI"
#define KEY_3 "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM"

#define OLD(version)                                                                               \
    "{\"version\":" #version ",\"state\":\"decrypt_only\",\"key\":\"" KEY_##version "\"}"
#define NEW(version) "{\"version\":" #version ",\"key\":\"" KEY_##version "\"}"
#define RING(keys)   "{\"keys\":[" keys "]}"
#define RING_1       RING(NEW(1))
#define RING_2       RING(OLD(1) "," NEW(2))
#define RING_3       RING(OLD(1) "," OLD(2) "," NEW(3))

/* Without and with encryption: two places in a node, one in an edge, and types that have none. */
#define MODULE(mark)                                                                               \
    "{\"$id\":\"vault\",\"$defs\":{\"ItemNode\":{\"type\":\"object\",\"properties\":{"             \
    "\"value\":{\"type\":\"string\"" mark "},\"db\":{\"type\":\"object\",\"properties\":{"         \
    "\"password\":{\"type\":\"object\"" mark "}}},\"note\":{\"type\":\"string\"}}},\"UserNode\":{" \
    "\"type\":\"object\"},\"MayUseEdge\":{\"type\":\"object\",\"properties\":{\"token\":{"         \
    "\"type\":[\"string\",\"integer\"]" mark "}}}}}"
#define PLAIN     MODULE("")
#define ENCRYPTED MODULE(",\"x-encrypted\":true")

static void update(brant_db *db) {
    holds(db, "graph_types.update", "\"vault\"", "{\"name\":\"vault\",\"module\":%s}", ENCRYPTED);
}

static void load(brant_db *db, const char *ring) {
    if (brant_keyring_load(db, TEXT(ring)) != BRANT_OK)
        fail_msg("%s: %s", ring, brant_last_error()->message);
}

#define ROTATE(db, wanted, ...) holds(db, "secrets.rotate", wanted, __VA_ARGS__)
#define STATUS(db, wanted)      holds(db, "secrets.status", wanted, "{}")

/* n items "i0".., each with two values, a user and n links with one: 3 * n values, all plain. */
static brant_db *open_vault(const char *path, int n, bool changes) {
    brant_db *db = must_open(path, "");
    define(db, PLAIN);
    holds(db, "graphs.create", "\"vault\"",
          "{\"name\":\"g\",\"graph_type\":\"vault\",\"changes\":%s}", changes ? "true" : "false");
    holds(db, "nodes.put", "true", "{\"graph\":\"g\",\"key\":\"u\",\"type\":\"User\"}");
    for (int i = 0; i < n; i++) {
        holds(db, "nodes.put", "true",
              "{\"graph\":\"g\",\"key\":\"i%d\",\"type\":\"Item\",\"attributes\":{\"value\":"
              "\"canary-v%d\",\"db\":{\"host\":\"h\",\"password\":{\"p\":\"canary-p%d\"}},"
              "\"note\":\"n%d\"}}",
              i, i, i, i);
        holds(db, "edges.put", "true",
              "{\"graph\":\"g\",\"source\":\"u\",\"target\":\"i%d\",\"type\":\"MayUse\","
              "\"attributes\":{\"token\":\"canary-t%d\",\"to\":%d}}",
              i, i, i);
    }
    update(db);
    return db;
}

/* What is stored at a place, opened. */
static void opens(brant_db *db, const char *kind, const char *key, const char *path,
                  const char *wanted) {
    const bool node = strcmp(kind, "node") == 0;
    const char *text = answer(
        db, "sql.execute",
        node
            ? "{\"sql\":\"SELECT json_extract(n.attributes, ?), g.id FROM nodes n JOIN graphs g ON "
              "g.row_id = n.graph WHERE n.key = ?\",\"params\":[\"$%s\",\"%s\"]}"
            : "{\"sql\":\"SELECT json_extract(e.attributes, ?), g.id FROM edges e JOIN graphs g ON "
              "g.row_id = e.graph JOIN nodes t ON t.row_id = e.target WHERE t.key = ?\","
              "\"params\":[\"$%s\",\"%s\"]}",
        strcmp(path, "/db/password") == 0 ? ".db.password"
        : strcmp(path, "/token") == 0     ? ".token"
                                          : ".value",
        key);
    brant__json json = parsed(text);
    yyjson_val *row = yyjson_arr_get_first(brant__json_get(json.root, "rows"));
    char derived[64], *sql_text;
    if (!row) fail_msg("no %s %s", kind, key);
    sql_text = strndup(yyjson_get_str(yyjson_arr_get(row, 0)), 4096);
    snprintf(derived, sizeof derived, "%s", key);
    if (!node) snprintf(derived, sizeof derived, "[\\\"u\\\",\\\"MayUse\\\",\\\"%s\\\"]", key);
    holds(
        db, "envelopes.open", wanted,
        "{\"envelope\":%s,\"context\":{\"graph_id\":\"%s\",\"kind\":\"%s\",\"key\":\"%s\",\"path\":"
        "\"%s\"}}",
        sql_text, yyjson_get_str(yyjson_arr_get(row, 1)), kind, derived, path);
    free(sql_text);
    brant__json_free(&json);
}

static void opens_all(brant_db *db, int n) {
    for (int i = 0; i < n; i++) {
        char key[16], wanted[64];
        snprintf(key, sizeof key, "i%d", i);
        snprintf(wanted, sizeof wanted, "{\"value\":\"canary-v%d\",", i);
        opens(db, "node", key, "/value", wanted);
        snprintf(wanted, sizeof wanted, "{\"value\":{\"p\":\"canary-p%d\"},", i);
        opens(db, "node", key, "/db/password", wanted);
        snprintf(wanted, sizeof wanted, "{\"value\":\"canary-t%d\",", i);
        opens(db, "edge", key, "/token", wanted);
    }
}

/* Every byte of the file and what SQLite keeps beside it. */
static bool in_file(const char *path, const char *wanted) {
    static const char *const endings[] = {"", "-wal"};
    bool found = false;
    for (size_t i = 0; i < 2; i++) {
        char name[4200], *bytes;
        struct stat file;
        snprintf(name, sizeof name, "%s%s", path, endings[i]);
        if (stat(name, &file) != 0 || file.st_size == 0) continue;
        FILE *in = fopen(name, "rb");
        bytes = malloc((size_t)file.st_size);
        assert_int_equal(fread(bytes, 1, (size_t)file.st_size, in), file.st_size);
        found = found || memmem(bytes, (size_t)file.st_size, wanted, strlen(wanted));
        free(bytes);
        fclose(in);
    }
    return found;
}

/* ---- sealing and rotating ------------------------------------------------------------------------- */

static void test_seal_and_rotate(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = open_vault(path, 5, true);
    STATUS(db, "{\"keys\":[{\"version\":0,\"state\":\"plain\",\"count\":15}],\"total\":15,"
               "\"rotation\":null}");
    fails(db, "secrets.rotate", BRANT_NOT_FOUND, "key ring", "{}");
    load(db, RING_1);
    fails(db, "secrets.rotate", BRANT_NOT_FOUND, "no graph \"h\"", "{\"graph\":\"h\"}");
    fails(db, "secrets.status", BRANT_NOT_FOUND, "no graph \"h\"", "{\"graph\":\"h\"}");
    const int64_t changes = number(db, "SELECT changes FROM graphs"),
                  sum = number(db, "SELECT sum(revision + updated_at) FROM nodes"),
                  edges = number(db, "SELECT sum(revision + updated_at) FROM edges"),
                  changed_at = number(db, "SELECT changed_at FROM graphs"),
                  events = number(db, "SELECT count(*) FROM stream_events"),
                  notes = number(db, "SELECT count(*) FROM notifications");
    assert_true(in_file(path, "canary"));
    ROTATE(db,
           "{\"done\":true,\"key_version\":1,\"rewrapped\":0,\"sealed\":15,\"failed\":0,"
           "\"failures\":[],\"remaining\":0,\"scrubbed\":true,\"keys\":[{\"version\":1,"
           "\"count\":15}]}",
           "{\"limit\":1000}");
    opens_all(db, 5);
    assert_true(number(db, "SELECT changes FROM graphs") > changes);
    assert_int_equal(number(db, "SELECT sum(revision + updated_at) FROM nodes"), sum);
    assert_int_equal(number(db, "SELECT sum(revision + updated_at) FROM edges"), edges);
    assert_int_equal(number(db, "SELECT changed_at FROM graphs"), changed_at);
    assert_int_equal(number(db, "SELECT count(*) FROM stream_events"), events);
    assert_int_equal(number(db, "SELECT count(*) FROM notifications"), notes);
    assert_false(in_file(path, "canary"));
    holds(db, "graphs.changes",
          "\"attributes\":{\"value\":{\"$redacted\":true},\"db\":{\"host\":"
          "\"h\",\"password\":{\"$redacted\":true}},\"note\":\"n0\"}",
          "{\"graph\":\"g\"}");
    STATUS(db, "{\"keys\":[{\"version\":1,\"state\":\"active\",\"count\":15}],\"total\":15,"
               "\"rotation\":{\"key_version\":1,\"done\":true,\"rewrapped\":0,\"sealed\":15,"
               "\"failed\":0,\"remaining\":0,");
    /* Nothing is at stake: nothing is done. */
    const int64_t before = number(db, "SELECT changes FROM graphs");
    ROTATE(db,
           "{\"done\":true,\"key_version\":1,\"rewrapped\":0,\"sealed\":0,\"failed\":0,"
           "\"failures\":[],\"remaining\":0,\"scrubbed\":true",
           "{\"graph\":\"g\"}");
    assert_int_equal(number(db, "SELECT changes FROM graphs"), before);
    load(db, RING_2);
    STATUS(db, "{\"version\":1,\"state\":\"decrypt_only\",\"count\":15}");
    /* A row at a time, each call on a handle of its own. */
    int calls = 0;
    for (bool done = false; !done; calls++) {
        brant_db *other = must_open(path, "");
        load(other, RING_2);
        done = strstr(answer(other, "secrets.rotate", "{\"batch\":1}"), "\"done\":true");
        if (calls == 2)
            STATUS(other,
                   "\"done\":false,\"rewrapped\":6,\"sealed\":0,\"failed\":0,\"remaining\":7");
        brant_db_free(other);
        assert_true(calls < 40);
    }
    assert_in_range(calls, 10, 25);
    opens_all(db, 5);
    load(db, RING(NEW(2)));
    opens_all(db, 5); /* without the old one */
    STATUS(db, "{\"keys\":[{\"version\":2,\"state\":\"active\",\"count\":15}],\"total\":15,");
    assert_int_equal(number(db, "SELECT sum(revision + updated_at) FROM nodes"), sum);
    healthy(db);
    brant_db_free(db);
}

/* Files of a type that encrypts are not for writers that know nothing of it. */
static void test_min_writer(void **state) {
    static const char sql[] = "SELECT value FROM brant_meta WHERE name = 'min_writer'";
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    define(db, PLAIN);
    assert_int_equal(number(db, sql), 1);
    update(db);
    assert_int_equal(number(db, sql), 6);
    brant_db_free(db);
    db = must_open(in_folder(*state, "b.db"), "");
    must(db, "graphs.create", "{\"name\":\"s\",\"graph_type\":\"open\"}", NULL);
    assert_int_equal(number(db, sql), 1);
    must(db, "graphs.create", "{\"name\":\"t\",\"graph_type\":\"secret\"}", NULL);
    assert_int_equal(number(db, sql), 6);
    brant_db_free(db);
    db = must_open(in_folder(*state, "c.db"), "");
    define(db, ENCRYPTED);
    assert_int_equal(number(db, sql), 6);
    brant_db_free(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(test_seal_and_rotate),
        GRAPH_TEST(test_min_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
