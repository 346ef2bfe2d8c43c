/*
 * tests/core/test_rotate.c: secrets.rotate and secrets.status: every value comes under the new key once, whatever happens meanwhile, and none is lost.
 */
#define _GNU_SOURCE
#include <sqlite3.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "child.h"
#include "failing_allocator.h"
#include "support_plan.h"
#include "support_ring.h"
#include "test_graph.h"

#include "graph/rotate.h"

/* Without and with encryption: two places in a node, one in an edge, and types that have none. */
#define MODULE_WITH(mark, note_mark)                                                               \
    "{\"$id\":\"vault\",\"$defs\":{\"ItemNode\":{\"type\":\"object\",\"properties\":{"             \
    "\"value\":{\"type\":\"string\"" mark "},\"db\":{\"type\":\"object\",\"properties\":{"         \
    "\"password\":{\"type\":\"object\"" mark "}}},\"note\":{\"type\":\"string\"" note_mark         \
    "}}},\"UserNode\":{"                                                                           \
    "\"type\":\"object\"},\"MayUseEdge\":{\"type\":\"object\",\"properties\":{\"token\":{"         \
    "\"type\":[\"string\",\"integer\"]" mark "}}}}}"
#define MODULE(mark) MODULE_WITH(mark, "")
#define PLAIN        MODULE("")
#define ENCRYPTED    MODULE(",\"x-encrypted\":true")
#define MORE         MODULE_WITH(",\"x-encrypted\":true", ",\"x-encrypted\":true")

static void update(brant_db *db) {
    holds(db, "graph_types.update", "\"vault\"", "{\"name\":\"vault\",\"module\":%s}", ENCRYPTED);
}

#define ROTATE(db, wanted, ...) holds(db, "secrets.rotate", wanted, __VA_ARGS__)
#define STATUS(db, wanted)      holds(db, "secrets.status", wanted, "{}")

/* n items "i0".., each with two values, a user and n links with one: 3 * n values, all plain. */
static void fill_vault(brant_db *db, int n, bool changes) {
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
    if (changes) /* an event that says how the row was before */
        holds(db, "nodes.patch", "\"key\"",
              "{\"graph\":\"g\",\"key\":\"i0\",\"attributes\":{},\"metadata\":{\"m\":1}}");
    update(db);
}

static brant_db *open_vault(const char *path, int n, bool changes) {
    brant_db *db = must_open(path, "");
    fill_vault(db, n, changes);
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

/* ---- sealing and rotating ------------------------------------------------------------------------- */

static void test_seal_and_rotate(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = open_vault(path, 5, true);
    STATUS(db, "{\"keys\":[{\"version\":0,\"state\":\"plain\",\"count\":15}],\"total\":15,"
               "\"rotation\":null}");
    fails(db, "secrets.rotate", BRANT_NOT_FOUND, "key ring", "{}");
    must_load(db, RING_1);
    fails(db, "secrets.rotate", BRANT_NOT_FOUND, "no graph \"h\"", "{\"graph\":\"h\"}");
    fails(db, "secrets.status", BRANT_NOT_FOUND, "no graph \"h\"", "{\"graph\":\"h\"}");
    const int64_t changes = number(db, "SELECT changes FROM graphs"),
                  sum = number(db, "SELECT sum(revision + updated_at) FROM nodes"),
                  edges = number(db, "SELECT sum(revision + updated_at) FROM edges"),
                  changed_at = number(db, "SELECT changed_at FROM graphs"),
                  events = number(db, "SELECT count(*) FROM stream_events"),
                  notes = number(db, "SELECT count(*) FROM notifications");
    pause_ms(2);
    assert_true(database_holds(path, "canary"));
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
    assert_false(database_holds(path, "canary"));
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
    must_load(db, RING_2);
    STATUS(db, "{\"version\":1,\"state\":\"decrypt_only\",\"count\":15}");
    /* A row at a time, each call on a handle of its own. */
    int calls = 0;
    for (bool done = false; !done; calls++) {
        brant_db *other = must_open(path, "");
        must_load(other, RING_2);
        done = strstr(answer(other, "secrets.rotate", "{\"batch\":1}"), "\"done\":true");
        if (calls == 2)
            STATUS(other,
                   "\"done\":false,\"rewrapped\":6,\"sealed\":0,\"failed\":0,\"remaining\":7");
        brant_db_free(other);
        assert_true(calls < 40);
    }
    assert_in_range(calls, 10, 35);
    opens_all(db, 5);
    must_load(db, RING(NEW(2)));
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

static void run_sql(const char *path, const char *sql) {
    sqlite3 *raw = NULL;
    char *message = NULL;
    assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
    if (sqlite3_exec(raw, sql, NULL, NULL, &message) != SQLITE_OK) fail_msg("%s", message);
    sqlite3_close(raw);
}

/* ---- in between ----------------------------------------------------------------------------------- */

/* Something happens while a batch is in nobody's lock: when the n-th value is sealed. */
static struct {
    brant_db *db, *other;
    const char *path;
    void (*action)(void);
    int at; /* so many values from now; negative: never */
    int calls;
} hook;

static int random_with_hook(void *context, void *bytes, size_t length) {
    (void)context;
    hook.calls++;
    if (hook.at >= 0 && hook.at-- == 0) {
        if (!hook.action) return -1;
        hook.action();
    }
    return getrandom(bytes, length, 0) == (ssize_t)length ? 0 : -1;
}

static const brant_sources hooked = {.random = random_with_hook};

/* A vault of 5 under key 1, in hook.db, which has ring 2, as has hook.other. */
static void set_hook(const char *path) {
    hook.path = path;
    hook.at = -1;
    assert_int_equal(brant_open_with(&hook.db, TEXT(path), "", 0, &hooked), BRANT_OK);
    fill_vault(hook.db, 5, false);
    must_load(hook.db, RING_1);
    ROTATE(hook.db, "\"done\":true", "{\"limit\":99}");
    must_load(hook.db, RING_2);
    hook.other = must_open(path, "");
    must_load(hook.other, RING_2);
}

static void when(int at, void (*action)(void)) {
    hook.at = at;
    hook.action = action;
}

static void unhook(void) {
    healthy(hook.db);
    brant_db_free(hook.other);
    brant_db_free(hook.db);
}

static void change_rows(void) {
    brant_db *db = hook.other;
    must_load(db, RING_1); /* also one who is behind */
    holds(db, "nodes.put", "\"created\":false",
          "{\"graph\":\"g\",\"key\":\"i0\",\"type\":\"Item\",\"attributes\":{\"value\":\"new\"}}");
    must_load(db, RING_2);
    holds(db, "nodes.patch", "\"key\":\"i1\"",
          "{\"graph\":\"g\",\"key\":\"i1\",\"attributes\":{\"note\":\"changed\"}}");
    holds(
        db, "nodes.put", "\"created\":false",
        "{\"graph\":\"g\",\"key\":\"i2\",\"type\":\"Item\",\"attributes\":{\"value\":\"newer\"}}");
    holds(db, "nodes.delete", "\"deleted\"",
          "{\"graph\":\"g\",\"key\":\"i4\",\"edges\":\"delete\"}");
    /* The row id of the one that went. */
    must_load(db, RING_1);
    holds(db, "nodes.put", "\"created\":true",
          "{\"graph\":\"g\",\"key\":\"other\",\"type\":\"Item\",\"attributes\":{\"value\":\"o\"}}");
    must_load(db, RING_2);
}

static void test_rows_change_in_between(void **state) {
    for (int at = 0; at < 10; at += 3) {
        set_hook(in_folder(*state, at == 0   ? "0.db"
                                   : at == 3 ? "3.db"
                                   : at == 6 ? "6.db"
                                             : "9.db"));
        when(at, change_rows);
        ROTATE(hook.db, "\"failed\":0", "{\"limit\":99}");
        assert_true(hook.at < 0);
        ROTATE(hook.db, "\"done\":true", "{\"limit\":99}");
        STATUS(hook.db,
               "{\"keys\":[{\"version\":2,\"state\":\"active\",\"count\":11}],\"total\":11,");
        opens(hook.db, "node", "i0", "/value", "{\"value\":\"new\",");
        opens(hook.db, "node", "i1", "/value", "{\"value\":\"canary-v1\",");
        opens(hook.db, "node", "i1", "/db/password", "{\"value\":{\"p\":\"canary-p1\"},");
        holds(hook.db, "nodes.get", "\"note\":\"changed\"", "{\"graph\":\"g\",\"key\":\"i1\"}");
        opens(hook.db, "node", "i2", "/value", "{\"value\":\"newer\",");
        opens(hook.db, "node", "i3", "/value", "{\"value\":\"canary-v3\",");
        opens(hook.db, "node", "other", "/value", "{\"value\":\"o\",");
        opens(hook.db, "edge", "i3", "/token", "{\"value\":\"canary-t3\",");
        unhook();
    }
}

static const char *hooked_path;

static void rename_row(void) {
    run_sql(hooked_path, "UPDATE nodes SET key = 'moved' WHERE key = 'i4'");
}

/* Another row of the same id with the same plain values, as if one had gone and one had come: sealed for its own place. */
static void test_row_id_comes_back(void **state) {
    hooked_path = in_folder(*state, "a.db");
    hook.at = -1;
    assert_int_equal(brant_open_with(&hook.db, TEXT(hooked_path), "", 0, &hooked), BRANT_OK);
    fill_vault(hook.db, 5, false);
    must_load(hook.db, RING_1);
    hook.other = must_open(hooked_path, "");
    when(2, rename_row);
    ROTATE(hook.db, "\"done\":true,\"key_version\":1,\"rewrapped\":0,\"sealed\":15,",
           "{\"limit\":99}");
    opens(hook.db, "node", "moved", "/value", "{\"value\":\"canary-v4\",");
    opens(hook.db, "node", "moved", "/db/password", "{\"value\":{\"p\":\"canary-p4\"},");
    unhook();
}

static void rotate_too(void) {
    ROTATE(hook.other, "\"rewrapped\":10,\"sealed\":0,\"failed\":0", "{\"batch\":5}");
}

/* Another goes on with the same batch: it is done once, and counted once. */
static void test_another_goes_on(void **state) {
    set_hook(in_folder(*state, "a.db"));
    when(3, rotate_too);
    ROTATE(hook.db, "{\"done\":false,\"key_version\":2,\"rewrapped\":0,\"sealed\":0,\"failed\":0,",
           "{\"batch\":5}");
    ROTATE(hook.db, "\"done\":true,\"key_version\":2,\"rewrapped\":5,", "{\"limit\":9}");
    STATUS(hook.db, "\"rewrapped\":15,\"sealed\":0,\"failed\":0,");
    opens_all(hook.db, 5);
    unhook();
}

static void rotate_to_3(void) {
    must_load(hook.other, RING_3);
    ROTATE(hook.other, "\"done\":false,\"key_version\":3,\"rewrapped\":2,", "{\"batch\":1}");
}

static void test_newer_key_in_between(void **state) {
    set_hook(in_folder(*state, "a.db"));
    when(3, rotate_to_3);
    fails(hook.db, "secrets.rotate", BRANT_CONFLICT, "key version 3", "{\"limit\":9}");
    STATUS(hook.db, "{\"keys\":[{\"version\":1,\"state\":\"decrypt_only\",\"count\":13},"
                    "{\"version\":3,\"state\":\"unknown\",\"count\":2}]");
    must_load(hook.db, RING_3);
    ROTATE(hook.db, "\"done\":true,\"key_version\":3,\"rewrapped\":13,", "{\"limit\":9}");
    opens_all(hook.db, 5);
    unhook();
}

/* The first rotation is half done. */
static void test_second_key(void **state) {
    set_hook(in_folder(*state, "a.db"));
    ROTATE(hook.db, "\"done\":false,\"key_version\":2,\"rewrapped\":6,", "{\"batch\":3}");
    must_load(hook.db, RING_3);
    ROTATE(hook.db, "\"done\":true,\"key_version\":3,\"rewrapped\":15,\"sealed\":0,\"failed\":0,",
           "{\"limit\":9}");
    STATUS(hook.db, "{\"keys\":[{\"version\":3,\"state\":\"active\",\"count\":15}],\"total\":15,"
                    "\"rotation\":{\"key_version\":3,\"done\":true,\"rewrapped\":15,");
    must_load(hook.db, RING(NEW(3)));
    opens_all(hook.db, 5);
    fails(hook.other, "secrets.rotate", BRANT_CONFLICT, "does not take back", "{}");
    unhook();
}

static void change_type(void) {
    holds(hook.other, "graph_types.update", "\"vault\"",
          "{\"name\":\"vault\",\"module\":%s,\"metadata\":{\"a\":1}}", ENCRYPTED);
}

static void test_type_changes_in_between(void **state) {
    set_hook(in_folder(*state, "a.db"));
    when(3, change_type);
    ROTATE(hook.db, "\"rewrapped\":0,", "{\"batch\":5}");
    ROTATE(hook.db, "\"done\":true,\"key_version\":2,\"rewrapped\":15,", "{\"limit\":9}");
    opens_all(hook.db, 5);
    unhook();
}

static void change_file(void) {
    run_sql(hook.path, "UPDATE brant_meta SET value = 'x' || value WHERE name = 'id'");
}

/* As when a backup of another file that has the same rows is restored: what was sealed for the former would not open. */
static void test_file_changes_in_between(void **state) {
    set_hook(in_folder(*state, "a.db"));
    when(3, change_file);
    ROTATE(hook.db, "\"rewrapped\":0,\"sealed\":0,\"failed\":0,", "{\"batch\":5}");
    run_sql(hook.path, "UPDATE brant_meta SET value = substr(value, 2) WHERE name = 'id'");
    ROTATE(hook.db, "\"done\":true,\"key_version\":2,\"rewrapped\":15,", "{\"limit\":9}");
    opens_all(hook.db, 5);
    unhook();
}

static void purge(void) {
    holds(hook.other, "graphs.purge", "\"purged\":true", "{\"name\":\"g\"}");
}

static void test_graph_goes_in_between(void **state) {
    set_hook(in_folder(*state, "a.db"));
    when(3, purge);
    ROTATE(hook.db, "\"done\":true,\"key_version\":2,\"rewrapped\":0,\"sealed\":0,\"failed\":0,",
           "{\"limit\":9}");
    assert_int_equal(number(hook.db, "SELECT count(*) FROM secret_rotations"), 0);
    unhook();
}

static void interrupt(void) {
    brant_interrupt(hook.db);
}

/* Interrupted, or without random bytes: whole batches are done, the rest is as it was. */
static void test_stopped_in_the_middle(void **state) {
    set_hook(in_folder(*state, "a.db"));
    when(7, interrupt);
    fails(hook.db, "secrets.rotate", BRANT_INTERRUPTED, "", "{\"batch\":2,\"limit\":99}");
    STATUS(hook.db, "\"done\":false,\"rewrapped\":8,");
    when(1, NULL);
    char *text = NULL;
    size_t length = 0;
    assert_true(brant_call(&text, &length, hook.db, TEXT("secrets.rotate"),
                           TEXT("{\"batch\":2,\"limit\":99}")) != BRANT_OK);
    STATUS(hook.db, "\"done\":false,\"rewrapped\":8,");
    must_load(hook.db, RING_2);
    opens_all(hook.db, 5);
    ROTATE(hook.db, "\"done\":true,\"key_version\":2,\"rewrapped\":7,", "{\"limit\":99}");
    opens_all(hook.db, 5);
    unhook();
}

/* ---- what does not open ----------------------------------------------------------------------------- */

/* How far it came is told by a key, which db.erase may be about: then it goes over the rows again. */
static void test_erased_in_the_middle(void **state) {
    brant_db *db = open_vault(in_folder(*state, "a.db"), 5, false);
    must_load(db, RING_1);
    ROTATE(db, "\"done\":false", "{\"batch\":2}");
    assert_int_equal(number(db, "SELECT count(*) FROM secret_rotations WHERE key = 'i1'"), 1);
    holds(db, "db.erase", "\"nodes\":1", "{\"values\":[\"i1\"]}");
    assert_int_equal(number(db, "SELECT count(*) FROM secret_rotations WHERE key = 'i1'"), 0);
    ROTATE(db, "\"done\":true", "{\"limit\":1000}");
    STATUS(db, "{\"keys\":[{\"version\":1,\"state\":\"active\",\"count\":12}],\"total\":12,");
    brant_db_free(db);
}

static void test_what_does_not_open(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = open_vault(path, 8, false);
    must_load(db, RING_1);
    ROTATE(db, "\"done\":true", "{\"limit\":99}");
    brant_db_free(db);
#define SET(key, value)                                                                            \
    "UPDATE nodes SET attributes = json_set(attributes, '$.value', " value ") WHERE key = '" key   \
    "';"
#define VALUE "json(json_extract(attributes, '$.value'))"
    run_sql(path, SET("i0", "json_set(" VALUE ", '$.n', 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYX')") //
            SET("i1", "json((SELECT json_extract(attributes, '$.value') FROM nodes WHERE key = "
                      "'i7'))")                               //
            SET("i2", "json('{\"$enc\":2}')")                 //
            SET("i3", "json_set(" VALUE ", '$.kv', 9)")       //
            SET("i4", "json_set(" VALUE ", '$.alg', 'none')") //
            SET("i5", "json('{\"$redacted\":true,\"x\":1}')") //
            SET("i6", "json('{\"$redacted\":true}')"));
    db = must_open(path, "");
    must_load(db, RING_2);
    STATUS(db,
           "{\"keys\":[{\"version\":0,\"state\":\"plain\",\"count\":2},{\"version\":1,\"state\":"
           "\"decrypt_only\",\"count\":20},{\"version\":9,\"state\":\"unknown\",\"count\":1}],"
           "\"total\":23,");
    const char *before = answer(db, "sql.execute",
                                "{\"sql\":\"SELECT json_extract(attributes, "
                                "'$.value') FROM nodes WHERE key < 'i6'\"}");
    for (int again = 0; again < 2; again++) {
        char wanted[200];
        snprintf(
            wanted, sizeof wanted,
            "{\"done\":true,\"key_version\":2,\"rewrapped\":%d,\"sealed\":0,\"failed\":6,"
            "\"failures\":[{\"graph\":\"g\",\"kind\":\"node\",\"key\":\"i0\",\"path\":\"/value\","
            "\"code\":\"AUTH\",",
            again ? 0 : 17);
        ROTATE(db, wanted, "{\"limit\":99}");
        ROTATE(db, "\"key\":\"i3\",\"path\":\"/value\",\"code\":\"NOT_FOUND\"", "{\"limit\":99}");
        ROTATE(db, "\"key\":\"i4\",\"path\":\"/value\",\"code\":\"UNSUPPORTED\"", "{\"limit\":99}");
        ROTATE(db, "\"key\":\"i5\",\"path\":\"/value\",\"code\":\"AUTH\"", "{\"limit\":99}");
        ROTATE(db,
               "\"keys\":[{\"version\":0,\"count\":2},{\"version\":1,\"count\":3},"
               "{\"version\":2,\"count\":17},{\"version\":9,\"count\":1}]",
               "{\"limit\":99}");
    }
    STATUS(db, "\"done\":true,\"rewrapped\":17,\"sealed\":0,\"failed\":6,\"remaining\":0");
    assert_string_equal(answer(db, "sql.execute",
                               "{\"sql\":\"SELECT json_extract(attributes, "
                               "'$.value') FROM nodes WHERE key < 'i6'\"}"),
                        before);
    /* The other places of those rows were rotated. */
    opens(db, "node", "i0", "/db/password", "\"key_version\":2");
    opens(db, "node", "i7", "/value", "{\"value\":\"canary-v7\",\"key_version\":2}");
    healthy(db);
    brant_db_free(db);
}

/* More failures than are told. */
/* What failed is deleted, and as many come behind the place that are under another key, but open: it is not done. */
static void test_failures_hide_nothing(void **state) {
    brant_db *db = open_vault(in_folder(*state, "a.db"), 5, false);
    must_load(db, RING_1);
    ROTATE(db, "\"done\":true", "{\"limit\":99}");
    must_load(db, RING("" NEW(2)));
    holds(db, "nodes.put", "true",
          "{\"graph\":\"g\",\"key\":\"z\",\"type\":\"Item\",\"attributes\":{\"value\":\"z\"}}");
    must_load(db, RING(OLD(2) "," NEW(3)));
    ROTATE(db, "\"failed\":10,", "{\"batch\":5}");
    for (int i = 0; i < 5; i++)
        holds(db, "nodes.delete", "true", "{\"graph\":\"g\",\"key\":\"i%d\",\"edges\":\"delete\"}",
              i);
    must_load(db, RING("" NEW(2)));
    holds(db, "nodes.put", "true",
          "{\"graph\":\"g\",\"key\":\"i0\",\"type\":\"Item\",\"attributes\":{\"value\":\"a\"}}");
    must_load(db, RING(OLD(2) "," NEW(3)));
    ROTATE(db, "\"keys\":[{\"version\":3,\"count\":2}]", "{\"limit\":99}");
    brant_db_free(db);
}

static void test_many_failures(void **state) {
    brant_db *db = open_vault(in_folder(*state, "a.db"), 60, false);
    must_load(db, RING_1);
    ROTATE(db, "\"sealed\":180", "{\"limit\":99}");
    must_load(db, RING(NEW(2)));
    const char *text = answer(db, "secrets.rotate", "{\"limit\":99,\"batch\":7}");
    int told = 0;
    for (const char *at = text; (at = strstr(at, "\"code\":")); at++)
        told++;
    assert_int_equal(told, 100);
    assert_non_null(strstr(text, "\"failed\":180,"));
    assert_non_null(strstr(text, "\"done\":true,"));
    must_load(db, RING_2);
    opens_all(db, 60);
    brant_db_free(db);
}

/* ---- graphs, transactions, traces --------------------------------------------------------------------- */

static void test_graphs_of_every_status(void **state) {
    brant_db *db = open_vault(in_folder(*state, "a.db"), 2, false);
    must_load(db, RING_1);
    for (int i = 0; i < 3; i++) {
        holds(db, "graphs.create", "\"h", "{\"name\":\"h%d\",\"graph_type\":\"secret\"}", i);
        holds(db, "nodes.put", "true",
              "{\"graph\":\"h%d\",\"key\":\"k\",\"type\":\"Secret\",\"attributes\":{\"value\":%d}}",
              i, i);
    }
    holds(db, "graphs.update", "archived", "{\"name\":\"h0\",\"status\":\"archived\"}");
    holds(db, "graphs.delete", "\"", "{\"name\":\"h1\"}");
    must_load(db, RING_2);
    ROTATE(db, "\"done\":true,\"key_version\":2,\"rewrapped\":1,", "{\"graph\":\"h2\"}");
    ROTATE(db, "\"done\":true,\"key_version\":2,\"rewrapped\":1,", "{\"graph\":\"h1\"}");
    holds(db, "secrets.status",
          "{\"keys\":[{\"version\":2,\"state\":\"active\",\"count\":1}],\"total\":1,",
          "{\"graph\":\"h1\"}");
    ROTATE(db, "\"done\":true,\"key_version\":2,\"rewrapped\":1,\"sealed\":6,", "{\"limit\":99}");
    STATUS(db, "{\"keys\":[{\"version\":2,\"state\":\"active\",\"count\":9}],\"total\":9,");
    holds(db, "graphs.update", "active", "{\"name\":\"h1\",\"status\":\"active\"}");
    holds(db, "nodes.open_secret", "{\"value\":1,\"key_version\":2}",
          "{\"graph\":\"h1\",\"key\":\"k\",\"path\":\"attributes.value\"}");
    opens_all(db, 2);
    holds(db, "graphs.purge", "true", "{\"name\":\"h2\"}");
    assert_int_equal(number(db, "SELECT count(*) FROM secret_rotations"), 3);
    healthy(db);
    brant_db_free(db);
}

static void test_in_a_transaction(void **state) {
    brant_db *db = open_vault(in_folder(*state, "a.db"), 3, true);
    must_load(db, RING_1);
    must(db, "transaction.begin", "{}", NULL);
    ROTATE(db,
           "{\"done\":true,\"key_version\":1,\"rewrapped\":0,\"sealed\":9,\"failed\":0,"
           "\"failures\":[],\"remaining\":0,\"scrubbed\":false,",
           "{\"batch\":2,\"limit\":99}");
    must(db, "transaction.rollback", "{}", NULL);
    STATUS(db, "{\"keys\":[{\"version\":0,\"state\":\"plain\",\"count\":9}],\"total\":9,"
               "\"rotation\":null}");
    must(db, "transaction.begin", "{}", NULL);
    ROTATE(db, "\"sealed\":9,", "{\"batch\":2,\"limit\":99}");
    must(db, "transaction.commit", "{}", NULL);
    opens_all(db, 3);
    ROTATE(db, "\"sealed\":0,\"failed\":0,\"failures\":[],\"remaining\":0,\"scrubbed\":true,",
           "{}");
    brant_db_free(db);
}

/* All three rows of each kind are sealed by being written. */
static void write_all(brant_db *db) {
    for (int i = 0; i < 3; i++) {
        holds(db, "nodes.patch", "\"key\"",
              "{\"graph\":\"g\",\"key\":\"i%d\",\"attributes\":{\"note\":\"x\"}}", i);
        holds(db, "edges.patch", "\"key\"",
              "{\"graph\":\"g\",\"key\":\"[\\\"u\\\",\\\"MayUse\\\",\\\"i%d\\\"]\",\"attributes\":{"
              "\"to\":null}}",
              i);
    }
}

/* Nothing of what was plain stays, however it came to be sealed, once nobody reads the old state. */
static void test_no_traces(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db_free(open_vault(path, 3, true));
    brant_db *db = must_open(path, "{\"busy_timeout\":100}"), *reader = must_open(path, "");
    must_load(db, RING_1);
    /* All rows are sealed by being written: the log still knows. */
    write_all(db);
    STATUS(db, "{\"keys\":[{\"version\":1,");
    assert_true(database_holds(path, "canary"));
    must(reader, "transaction.begin", "{\"mode\":\"read\"}", NULL);
    must(reader, "nodes.list", "{\"graph\":\"g\"}", NULL);
    holds(db, "nodes.patch", "\"key\"",
          "{\"graph\":\"g\",\"key\":\"i0\",\"attributes\":{\"note\":\"y\"}}");
    ROTATE(db, "\"sealed\":0,\"failed\":0,\"failures\":[],\"remaining\":0,\"scrubbed\":false,",
           "{\"limit\":99}");
    must(reader, "transaction.commit", "{}", NULL);
    ROTATE(db, "\"scrubbed\":true,", "{\"limit\":99}");
    brant_db_free(reader);
    assert_false(database_holds(path, "canary"));
    opens_all(db, 3);
    /* The log is whole otherwise, and replayed it is the graph but for the secrets. */
    holds(db, "graphs.replay", "\"nodes\":4,\"edges\":3",
          "{\"graph\":\"g\",\"into\":\"copy\",\"to\":%d}",
          (int)number(db, "SELECT max(id) & 1099511627775 FROM stream_events"));
    healthy(db);
    brant_db_free(db);
}

/* The graph is purged before what was plain in it could be scrubbed. */
static void test_no_traces_of_a_purged_graph(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db_free(open_vault(path, 3, true));
    brant_db *db = must_open(path, "{\"busy_timeout\":100}"), *reader = must_open(path, "");
    must_load(db, RING_1);
    must(reader, "transaction.begin", "{\"mode\":\"read\"}", NULL);
    must(reader, "nodes.list", "{\"graph\":\"g\"}", NULL);
    ROTATE(db, "\"scrubbed\":false,", "{\"limit\":99}");
    holds(db, "graphs.delete", "\"", "{\"name\":\"g\"}");
    holds(db, "graphs.purge", "\"purged\":true", "{\"name\":\"g\"}");
    ROTATE(db, "\"scrubbed\":false,", "{\"limit\":99}");
    must(reader, "transaction.commit", "{}", NULL);
    assert_true(database_holds(path, "canary"));
    ROTATE(db, "\"scrubbed\":true,", "{\"limit\":99}");
    brant_db_free(reader);
    assert_false(database_holds(path, "canary"));
    assert_int_equal(number(db, "SELECT count(*) FROM secret_rotations"), 0);
    brant_db_free(db);
}

/* Without a change log the file alone is rewritten. */
static void test_no_traces_without_log(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = open_vault(path, 3, false);
    must_load(db, RING_1);
    ROTATE(db, "\"scrubbed\":true,", "{\"limit\":99}");
    assert_false(database_holds(path, "canary"));
    brant_db_free(db);
}

/* No rotation sealed what was plain, and no log has it, but the pages and the write-ahead log. */
static void test_no_traces_of_what_was_written_over(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = open_vault(path, 3, false);
    must_load(db, RING_1);
    write_all(db);
    STATUS(db, "{\"keys\":[{\"version\":1,");
    assert_true(database_holds(path, "canary"));
    holds(db, "transaction.begin", "{", "{}");
    ROTATE(db, "\"sealed\":0,\"failed\":0,\"failures\":[],\"remaining\":0,\"scrubbed\":false,",
           "{\"limit\":99}");
    holds(db, "transaction.commit", "{", "{}");
    ROTATE(db, "\"sealed\":0,\"failed\":0,\"failures\":[],\"remaining\":0,\"scrubbed\":true,",
           "{\"limit\":99}");
    assert_false(database_holds(path, "canary"));
    opens_all(db, 3);
    brant_db_free(db);
}

/* A type encrypts more after a rotation was done, and all rows are sealed by being written: the log is looked through again. */
static void test_type_encrypts_more(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = open_vault(path, 3, true);
    must_load(db, RING_1);
    ROTATE(db, "\"done\":true", "{\"limit\":99}");
    holds(db, "nodes.patch", "\"key\"",
          "{\"graph\":\"g\",\"key\":\"i0\",\"attributes\":{\"note\":\"canary-note\"}}");
    ROTATE(db, "\"scrubbed\":true", "{\"limit\":99}");
    assert_true(database_holds(path, "canary-note"));
    holds(db, "graph_types.update", "\"vault\"", "{\"name\":\"vault\",\"module\":%s}", MORE);
    for (int i = 0; i < 3; i++)
        holds(db, "nodes.patch", "\"key\"",
              "{\"graph\":\"g\",\"key\":\"i%d\",\"attributes\":{\"note\":\"new\"}}", i);
    ROTATE(db, "\"sealed\":0,\"failed\":0,\"failures\":[],\"remaining\":0,\"scrubbed\":true",
           "{\"limit\":99}");
    assert_false(database_holds(path, "canary-note"));
    opens_all(db, 3);
    brant_db_free(db);
}

/* Jobs wait for a handle whose key is not older than what they are for. */
static void test_background(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = open_vault(path, 3, false), *other = must_open(path, "");
    must_load(db, RING_1);
    ROTATE(db, "{\"job\":1}", "{\"background\":true}");
    ROTATE(db, "{\"job\":1}", "{\"background\":true,\"batch\":2}");
    must(other, "db.maintain", "{}", "\"worked\":{\"jobs\":0,\"failed\":0,\"steps\":0}");
    must(db, "db.maintain", "{}", "\"worked\":{\"jobs\":1,\"failed\":0,");
    must(db, "jobs.get", "{\"id\":1}", "\"done\":true,\"key_version\":1,");
    opens_all(db, 3);
    must_load(db, RING_2);
    must_load(other, RING_1);
    ROTATE(db, "{\"job\":2}", "{\"background\":true}");
    must(other, "db.maintain", "{}", "\"worked\":{\"jobs\":0,\"failed\":0,\"steps\":0}");
    must(db, "db.maintain", "{}", "\"worked\":{\"jobs\":1,\"failed\":0,");
    /* Rows that do not open do not stop it. */
    must_load(db, RING(NEW(3)));
    ROTATE(db, "{\"job\":3}", "{\"background\":true,\"graph\":\"g\",\"batch\":1}");
    must(db, "db.maintain", "{}", "\"worked\":{\"jobs\":1,\"failed\":0,");
    must(db, "jobs.get", "{\"id\":3}", "\"code\":\"NOT_FOUND\"");
    STATUS(db, "{\"keys\":[{\"version\":2,\"state\":\"unknown\",\"count\":9}]");
    brant_db_free(other);
    brant_db_free(db);
}

/* A log in many batches. */
static void test_log_in_batches(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = open_vault(path, 10, true);
    must_load(db, RING_1);
    for (int calls = 0; !strstr(answer(db, "secrets.rotate", "{\"batch\":3}"), "\"done\":true");)
        assert_true(++calls < 60);
    assert_false(database_holds(path, "canary"));
    opens_all(db, 10);
    brant_db_free(db);
}

/* The log changes while a batch of it is read: what another erased does not come back. */
static struct {
    brant_db *db;
    long at; /* the allocation before which it happens; negative: never */
    bool done;
} erasing = {.at = -1};

static void *allocate_and_erase(void *context, size_t size) {
    char *text = NULL;
    size_t length = 0;
    brant__kept_error kept; /* on this thread, in the middle of a call */
    if (erasing.at < 0 || erasing.at-- > 0) return allocate(context, size);
    brant__error_keep(&kept);
    if (brant_call(&text, &length, erasing.db, TEXT("transaction.begin"), TEXT("{}")) == BRANT_OK) {
        holds(erasing.db, "db.erase", "\"events\":", "{\"values\":[\"n1\"],\"action\":\"redact\"}");
        must(erasing.db, "transaction.commit", "{}", NULL);
        erasing.done = true;
    } /* else the batch is being written */
    brant__error_restore(&kept);
    brant_free(text);
    return allocate(context, size);
}

static void test_log_changes_in_between(void **state) {
    static const brant_allocator erases = {allocate_and_erase, release, NULL},
                                 usual = {allocate, release, NULL};
    int in_time = 0;
    for (int at = 0; at < 12; at++) {
        char name[16];
        snprintf(name, sizeof name, "%d.db", at);
        const char *path = in_folder(*state, name);
        brant_db *db = open_vault(path, 2, true), *other = must_open(path, "{\"busy_timeout\":0}");
        must_load(db, RING_1);
        /* Five rows: what is left is the log. */
        ROTATE(db, "\"done\":false,\"key_version\":1,\"rewrapped\":0,\"sealed\":6,",
               "{\"batch\":4}");
        erasing.db = other;
        erasing.at = at;
        erasing.done = false;
        brant_allocator_set(&erases);
        ROTATE(db, "\"done\":true", "{}");
        brant_allocator_set(&usual);
        erasing.at = -1;
        if (erasing.done) {
            in_time++;
            assert_null(strstr(answer(db, "graphs.changes", "{\"graph\":\"g\"}"), "\"n1\""));
        }
        ROTATE(db, "\"done\":true", "{\"limit\":99}");
        assert_null(strstr(answer(db, "graphs.changes", "{\"graph\":\"g\"}"), "canary"));
        brant_db_free(other);
        brant_db_free(db);
    }
    assert_true(in_time > 1);
}

/* ---- processes ------------------------------------------------------------------------------------------ */

#define PROCESSES 3
#define ROWS      120

static void rotate_in_child(child *self) {
    brant_db *db = NULL;
    char *text = NULL;
    size_t length = 0;
    CHECK(brant_open(&db, TEXT(self->path), TEXT("{\"busy_timeout\":30000}")) == BRANT_OK);
    CHECK(brant_keyring_load(db, TEXT(RING_2)) == BRANT_OK);
    say(self);
    hear(self);
    for (bool done = false; !done; brant_free(text)) {
        CHECK(brant_call(&text, &length, db, TEXT("secrets.rotate"), TEXT("{\"batch\":7}")) ==
              BRANT_OK);
        CHECK(strstr(text, "\"failed\":0,"));
        done = strstr(text, "\"done\":true");
    }
    brant_db_free(db);
}

static void write_in_child(child *self) {
    brant_db *db = NULL;
    char *text = NULL, json[300];
    size_t length = 0;
    CHECK(brant_open(&db, TEXT(self->path), TEXT("{\"busy_timeout\":30000}")) == BRANT_OK);
    CHECK(brant_keyring_load(db, TEXT(self->number ? RING_1 : RING_2)) == BRANT_OK);
    say(self);
    hear(self);
    for (int i = self->number; i < ROWS; i += 2) {
        snprintf(json, sizeof json,
                 "{\"graph\":\"g\",\"key\":\"i%d\",\"type\":\"Item\",\"attributes\":{\"value\":"
                 "\"written-%d\"}}",
                 i % 3 ? i : ROWS + i, i);
        CHECK(brant_call(&text, &length, db, TEXT("nodes.put"), TEXT(json)) == BRANT_OK);
        brant_free(text);
    }
    brant_db_free(db);
}

static void test_processes(void **state) {
    const char *path = in_folder(*state, "a.db");
    child children[PROCESSES + 2];
    brant_db *db = open_vault(path, ROWS, false);
    must_load(db, RING_1);
    ROTATE(db, "\"done\":true", "{\"limit\":99}");
    brant_db_free(db);
    for (int i = 0; i < PROCESSES; i++)
        fork_child(&children[i], rotate_in_child, path, i);
    for (int i = 0; i < 2; i++)
        fork_child(&children[PROCESSES + i], write_in_child, path, i);
    for (int i = 0; i < PROCESSES + 2; i++)
        hear(&children[i]);
    for (int i = 0; i < PROCESSES + 2; i++)
        say(&children[i]);
    for (int i = 0; i < PROCESSES + 2; i++)
        must_end(&children[i], 0);
    db = must_open(path, "");
    must_load(db, RING_2);
    ROTATE(db, "\"done\":true", "{\"limit\":99}");
    must_load(db, RING(NEW(2)));
    int values = 0;
    for (int i = 0; i < 2 * ROWS; i++) {
        const bool old = i < ROWS, written = old ? i % 3 != 0 : i % 3 == 0;
        char key[16], wanted[64];
        if (!old && !written) continue;
        snprintf(key, sizeof key, "i%d", i);
        snprintf(wanted, sizeof wanted,
                 written ? "{\"value\":\"written-%d\",\"key_version\":2}"
                         : "{\"value\":\"canary-v%d\",\"key_version\":2}",
                 i % ROWS);
        opens(db, "node", key, "/value", wanted);
        if (old) opens(db, "edge", key, "/token", "\"key_version\":2");
        values += 1 + old + !written;
    }
    char wanted[100];
    snprintf(wanted, sizeof wanted,
             "{\"keys\":[{\"version\":2,\"state\":\"active\",\"count\":%d}],", values);
    STATUS(db, wanted);
    must_be_well(db);
    brant_db_free(db);
}

/* ---- want of memory, plans -------------------------------------------------------------------------------- */

static void fails_each(brant_db *db, const char *json, const char *ring) {
    for (long n = 0;; n++) {
        char *text = NULL;
        size_t length = 0;
        must(db, "transaction.begin", "{}", NULL);
        must_load(db, ring);
        failures = 0;
        countdown = n;
        const brant_status status =
            brant_call(&text, &length, db, TEXT("secrets.rotate"), TEXT(json));
        countdown = -1;
        if (status != BRANT_OK && status != BRANT_NO_MEMORY)
            fail_msg("after %ld: %s: %s", n, brant_status_name(status),
                     brant_last_error()->message);
        brant_free(text);
        if (status == BRANT_OK) must(db, "secrets.status", "{}", "\"total\":9");
        must(db, "transaction.rollback", "{}", NULL);
        if (!failures) return;
    }
}

static void test_want_of_memory(void **state) {
    brant_db *db = open_vault(in_folder(*state, "a.db"), 3, true);
    fails_each(db, "{\"batch\":2,\"limit\":99}", RING_1);
    fails_each(db, "{\"background\":true,\"graph\":\"g\"}", RING_1);
    must_load(db, RING_1);
    ROTATE(db, "\"done\":true", "{\"limit\":99}");
    fails_each(db, "{\"limit\":99}", RING_2);
    fails_each(db, "{\"limit\":99}", RING(NEW(2)));
    /* Outside a transaction what was done is done. */
    must_load(db, RING_2);
    for (long n = 0;; n += 7) {
        char *text = NULL;
        size_t length = 0;
        failures = 0;
        countdown = n;
        const brant_status status = brant_call(&text, &length, db, TEXT("secrets.rotate"),
                                               TEXT("{\"batch\":1,\"limit\":99}"));
        countdown = -1;
        if (status != BRANT_OK && status != BRANT_NO_MEMORY)
            fail_msg("after %ld: %s", n, brant_last_error()->message);
        brant_free(text);
        if (!failures) break;
    }
    opens_all(db, 3);
    STATUS(db, "{\"keys\":[{\"version\":2,\"state\":\"active\",\"count\":9}],");
    must_be_well(db);
    brant_db_free(db);
}

static void test_plans(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db_free(open_vault(path, 1, true));
    must_plan_well(path, brant__rotate_row_statements.sql, brant__rotate_row_statements.count);
    must_plan_well(path, brant__rotate_log_statements.sql, brant__rotate_log_statements.count);
    must_plan_well(path, brant__rotate_state_statements.sql,
                   brant__rotate_state_statements.count - BRANT__ROTATE_STATE_SCANS);
}

int main(void) {
    if (!failing_allocator_install()) return 1;
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(test_seal_and_rotate),
        GRAPH_TEST(test_min_writer),
        GRAPH_TEST(test_rows_change_in_between),
        GRAPH_TEST(test_row_id_comes_back),
        GRAPH_TEST(test_another_goes_on),
        GRAPH_TEST(test_newer_key_in_between),
        GRAPH_TEST(test_second_key),
        GRAPH_TEST(test_type_changes_in_between),
        GRAPH_TEST(test_file_changes_in_between),
        GRAPH_TEST(test_graph_goes_in_between),
        GRAPH_TEST(test_stopped_in_the_middle),
        GRAPH_TEST(test_erased_in_the_middle),
        GRAPH_TEST(test_what_does_not_open),
        GRAPH_TEST(test_failures_hide_nothing),
        GRAPH_TEST(test_many_failures),
        GRAPH_TEST(test_graphs_of_every_status),
        GRAPH_TEST(test_in_a_transaction),
        GRAPH_TEST(test_no_traces),
        GRAPH_TEST(test_no_traces_of_a_purged_graph),
        GRAPH_TEST(test_no_traces_without_log),
        GRAPH_TEST(test_no_traces_of_what_was_written_over),
        GRAPH_TEST(test_type_encrypts_more),
        GRAPH_TEST(test_background),
        GRAPH_TEST(test_log_in_batches),
        GRAPH_TEST(test_log_changes_in_between),
        GRAPH_TEST(test_processes),
        GRAPH_TEST(test_want_of_memory),
        GRAPH_TEST(test_plans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
