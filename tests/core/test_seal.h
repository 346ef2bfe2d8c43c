/*
 * tests/core/test_seal.h: what the tests of encrypted attributes share: a graph whose type encrypts, rings, and looking for traces of a plaintext.
 */
#ifndef BRANT_TESTS_SEAL_H
#define BRANT_TESTS_SEAL_H

#include "support_ring.h"
#include "test_graph.h"

#include <sqlite3.h>

#define REDACTED "{\"$redacted\":true}"

/* Secret encrypts /value (anything), /pin (integer, from 100000 on) and /db/a~1b~0; Uses encrypts /token. */
#define VAULT(config)                                                                              \
    "{\"$id\":\"vault\",\"$defs\":{\"Config\":{\"type\":\"object\",\"properties\":{" config "}},"  \
    "\"SecretNode\":{\"type\":\"object\",\"properties\":{\"value\":{\"x-encrypted\":true},"        \
    "\"pin\":{\"x-encrypted\":true,\"type\":\"integer\",\"minimum\":100000},"                      \
    "\"note\":{\"type\":\"string\"},\"db\":{\"type\":\"object\",\"properties\":{"                  \
    "\"host\":{\"type\":\"string\"},\"a/b~\":{\"x-encrypted\":true,\"type\":\"object\"}}}}},"      \
    "\"PlainNode\":{\"type\":\"object\"},"                                                         \
    "\"UsesEdge\":{\"type\":\"object\",\"properties\":{\"token\":{\"x-encrypted\":true},"          \
    "\"since\":{\"type\":\"integer\"}}}}}"

#define PUT(key, members)                                                                          \
    "{\"graph\":\"g\",\"key\":\"" key "\",\"type\":\"Secret\",\"attributes\":{" members "}}"
#define GET(key)        "{\"graph\":\"g\",\"key\":\"" key "\"}"
#define OPEN(key, path) "{\"graph\":\"g\",\"key\":\"" key "\",\"path\":\"" path "\"}"

/* A new file with graph g of type vault and the ring of key 1. */
static inline brant_db *open_vault_of(const char *path, const char *config) {
    brant_db *db = must_open(path, "");

    must_load(db, RING_1);
    holds(db, "graph_types.define", "\"id\":", "{\"module\":" VAULT("%s") "}", config);
    holds(db, "graphs.create", "\"id\":", "{\"name\":\"g\",\"graph_type\":\"vault\"}");
    return db;
}

static inline brant_db *open_vault(const char *folder) {
    return open_vault_of(in_folder(folder, "a.db"), "");
}

/* What stands at a pointer of a node's attributes as nodes.get answers it; the caller frees it. */
static inline char *envelope(brant_db *db, const char *key, const char *pointer) {
    brant__json json = parsed(answer(db, "nodes.get", "{\"graph\":\"g\",\"key\":\"%s\"}", key));
    yyjson_val *value = yyjson_ptr_get(brant__json_get(json.root, "attributes"), pointer);
    brant__buffer text = {0};
    char *copy;

    if (!value) fail_msg("node %s has nothing at %s", key, pointer);
    brant__json_append(&text, value);
    copy = strndup(text.data, text.length);
    brant__buffer_free(&text);
    brant__json_free(&json);
    return copy;
}

static inline void must_be(brant_db *db, const char *key, const char *pointer, const char *wanted) {
    char *got = envelope(db, key, pointer);

    assert_string_equal(got, wanted);
    free(got);
}

static inline void must_be_sealed(brant_db *db, const char *key, const char *pointer) {
    static const char start[] = "{\"$enc\":2,\"alg\":\"xc20p-b2\",\"kv\":";
    char *got = envelope(db, key, pointer);

    if (strncmp(got, start, sizeof(start) - 1) != 0) fail_msg("%s of %s: %s", pointer, key, got);
    free(got);
}

static inline void opens(brant_db *db, const char *key, const char *path, const char *value,
                         int version) {
    char wanted[512];

    snprintf(wanted, sizeof(wanted), "{\"value\":%s,\"key_version\":%d}", value, version);
    is(db, "nodes.open_secret", wanted, "{\"graph\":\"g\",\"key\":\"%s\",\"path\":\"%s\"}", key,
       path);
}

/* Put what nodes.get answers. */
static inline void put_back(brant_db *db, const char *key) {
    brant__json json = parsed(answer(db, "nodes.get", "{\"graph\":\"g\",\"key\":\"%s\"}", key));
    brant__buffer text = {0};

    brant__json_append(&text, brant__json_get(json.root, "attributes"));
    holds(db, "nodes.put", "\"created\":false",
          "{\"graph\":\"g\",\"key\":\"%s\",\"attributes\":%.*s}", key, (int)text.length, text.data);
    brant__buffer_free(&text);
    brant__json_free(&json);
}

static inline void no_trace_in_error(const char *canary) {
    const brant_error *error = brant_last_error();

    if (strstr(error->message, canary) || strstr(error->detail, canary))
        fail_msg("the error holds %s: %s %s", canary, error->message, error->detail);
}

/* A row as nobody's operation would write it. */
static inline void overwrite(brant_db *db, const char *path, const char *key,
                             const char *attributes) {
    sqlite3 *raw = NULL;
    sqlite3_stmt *statement = NULL;

    (void)db;
    assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(raw, "UPDATE nodes SET attributes = ? WHERE key = ?", -1,
                                        &statement, NULL),
                     SQLITE_OK);
    sqlite3_bind_text(statement, 1, attributes, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, key, -1, SQLITE_STATIC);
    assert_int_equal(sqlite3_step(statement), SQLITE_DONE);
    sqlite3_finalize(statement);
    sqlite3_close(raw);
}

/* Not in any byte of a database of the folder. */
static inline void no_trace(const char *folder, const char *canary) {
    if (database_holds(in_folder(folder, "*.db"), canary)) fail_msg("a file holds %s", canary);
}

#endif
