/*
 * tests/bench/single_commit.c: writes that are each a transaction of their own, synchronous=NORMAL.
 *
 *     bench_single_commit [writes [runs]]
 *
 * Typed and validated nodes.put (new keys, then the same keys again; new ones of which one attribute is encrypted), edges.put, and, no writes, the opening of those secrets; beside them plain SQLite that inserts the same nodes,
 * one prepared row in one transaction each, same table and indexes, no JSON, no validation, no notification. Medians of `runs`, a new file each.
 */
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "brant.h"

#define RUNS_MAX 31

static void fail(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static double now(void) {
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void call(brant_status (*operation)(char **, size_t *, brant_db *, const char *, size_t),
                 brant_db *db, const char *json) {
    char *answer;
    size_t length;

    if (operation(&answer, &length, db, json, strlen(json)) != BRANT_OK)
        fail(json, brant_last_error()->message);
    brant_free(answer);
}

static const char module[] =
    "{\"module\":{\"$id\":\"jobs\",\"$defs\":{\"Config\":{\"type\":\"object\",\"properties\":{"
    "\"directed\":{\"const\":\"directed\"}}},"
    "\"JobNode\":{\"type\":\"object\",\"properties\":{\"title\":{\"type\":\"string\",\"minLength\":"
    "1},\"status\":{\"enum\":[\"pending\",\"running\",\"done\"]},"
    "\"priority\":{\"type\":\"integer\",\"minimum\":0},\"owner\":{\"type\":\"string\"},\"labels\":{"
    "\"type\":\"array\",\"items\":{\"type\":\"string\"}}},"
    "\"required\":[\"title\",\"status\"],\"additionalProperties\":false},"
    "\"SealedNode\":{\"type\":\"object\",\"properties\":{\"owner\":{\"type\":\"string\",\"x-"
    "encrypted\":"
    "true}}},"
    "\"AfterEdge\":{\"type\":\"object\",\"properties\":{\"reason\":{\"type\":\"string\"}}}}}}";
static const char ring[] =
    "{\"keys\":[{\"version\":1,\"key\":\"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\"}]}";
#define ATTRIBUTES                                                                                 \
    "{\"title\":\"render the frames of scene %d\",\"status\":\"%s\",\"priority\":3,\"owner\":"     \
    "\"agent-17\",\"labels\":[\"video\",\"batch\",\"night\"]}"

enum { PUT, REPLACE, EDGE, SEALED, OPENED, PLAIN, KINDS };
static double seconds[KINDS][RUNS_MAX];

static void measure_brant(const char *path, int writes, int run) {
    brant_db *db;
    char text[512];
    double start;

    if (brant_open(&db, path, strlen(path), "{}", 2) != BRANT_OK)
        fail(path, brant_last_error()->message);
    if (brant_keyring_load(db, ring, strlen(ring)) != BRANT_OK)
        fail("ring", brant_last_error()->message);
    call(brant_graph_type_define, db, module);
    call(brant_graph_create, db, "{\"name\":\"jobs\",\"graph_type\":\"jobs\"}");
    start = now();
    for (int i = 0; i < writes; i++) {
        snprintf(
            text, sizeof text,
            "{\"graph\":\"jobs\",\"key\":\"job-%08d\",\"type\":\"Job\",\"attributes\":" ATTRIBUTES
            "}",
            i, i, "pending");
        call(brant_node_put, db, text);
    }
    seconds[PUT][run] = now() - start;
    start = now();
    for (int i = 0; i < writes; i++) {
        snprintf(text, sizeof text,
                 "{\"graph\":\"jobs\",\"key\":\"job-%08d\",\"attributes\":" ATTRIBUTES "}", i, i,
                 "running");
        call(brant_node_put, db, text);
    }
    seconds[REPLACE][run] = now() - start;
    start = now();
    for (int i = 0; i < writes; i++) {
        snprintf(
            text, sizeof text,
            "{\"graph\":\"jobs\",\"source\":\"job-%08d\",\"target\":\"job-%08d\",\"attributes\":"
            "{\"reason\":\"order\"}}",
            i, (i + 1) % writes);
        call(brant_edge_put, db, text);
    }
    seconds[EDGE][run] = now() - start;
    start = now();
    for (int i = 0; i < writes; i++) {
        snprintf(text, sizeof text,
                 "{\"graph\":\"jobs\",\"key\":\"sealed-%08d\",\"type\":\"Sealed\","
                 "\"attributes\":" ATTRIBUTES "}",
                 i, i, "pending");
        call(brant_node_put, db, text);
    }
    seconds[SEALED][run] = now() - start;
    start = now();
    for (int i = 0; i < writes; i++) {
        snprintf(text, sizeof text,
                 "{\"graph\":\"jobs\",\"key\":\"sealed-%08d\",\"path\":\"attributes.owner\"}", i);
        call(brant_node_open_secret, db, text);
    }
    seconds[OPENED][run] = now() - start;
    brant_close(db);
    brant_db_free(db);
}

static void measure_plain(const char *path, int writes, int run) {
    sqlite3_stmt *insert, *begin, *commit;
    sqlite3 *db;
    char key[32], attributes[256];
    double start;

    if (sqlite3_open(path, &db) != SQLITE_OK) fail(path, sqlite3_errmsg(db));
    if (sqlite3_exec(db,
                     "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
                     "CREATE TABLE nodes (row_id INTEGER PRIMARY KEY, graph INTEGER NOT NULL, key "
                     "TEXT NOT NULL, type INTEGER NOT NULL, revision INTEGER NOT NULL DEFAULT 1,"
                     " attributes TEXT NOT NULL DEFAULT '{}', metadata TEXT NOT NULL DEFAULT '{}', "
                     "created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL) STRICT;"
                     "CREATE UNIQUE INDEX nodes_key ON nodes (graph, key)",
                     NULL, NULL, NULL) != SQLITE_OK)
        fail("plain SQLite", sqlite3_errmsg(db));
    sqlite3_prepare_v2(db,
                       "INSERT INTO nodes (graph, key, type, attributes, created_at, updated_at) "
                       "VALUES (1, ?, 1, ?, ?, ?)",
                       -1, &insert, NULL);
    sqlite3_prepare_v2(db, "BEGIN IMMEDIATE", -1, &begin, NULL);
    sqlite3_prepare_v2(db, "COMMIT", -1, &commit, NULL);
    start = now();
    for (int i = 0; i < writes; i++) {
        snprintf(key, sizeof key, "job-%08d", i);
        snprintf(attributes, sizeof attributes, ATTRIBUTES, i, "pending");
        sqlite3_step(begin);
        sqlite3_reset(begin);
        sqlite3_bind_text(insert, 1, key, -1, SQLITE_STATIC);
        sqlite3_bind_text(insert, 2, attributes, -1, SQLITE_STATIC);
        sqlite3_bind_int64(insert, 3, 1750000000000 + i);
        sqlite3_bind_int64(insert, 4, 1750000000000 + i);
        if (sqlite3_step(insert) != SQLITE_DONE) fail("plain SQLite", sqlite3_errmsg(db));
        sqlite3_reset(insert);
        sqlite3_step(commit);
        sqlite3_reset(commit);
    }
    seconds[PLAIN][run] = now() - start;
    sqlite3_finalize(insert);
    sqlite3_finalize(begin);
    sqlite3_finalize(commit);
    sqlite3_close(db);
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

int main(int argc, char **argv) {
    static const char *const names[KINDS] = {
        "nodes.put, new, validated",      "nodes.put, replaced",        "edges.put, new",
        "nodes.put, new, a secret in it", "nodes.open_secret (a read)", "plain SQLite insert"};
    int writes = argc > 1 ? atoi(argv[1]) : 20000, runs = argc > 2 ? atoi(argv[2]) : 5;
    char folder[] = "/tmp/brant-bench-XXXXXX", path[64];

    if (writes < 2 || runs < 1 || runs > RUNS_MAX)
        fail("usage", "writes from 2, runs from 1 to 31");
    if (!mkdtemp(folder)) fail(folder, "cannot be made");
    for (int run = 0; run < runs; run++) {
        static const char *const suffixes[] = {"", "-wal", "-shm"};
        snprintf(path, sizeof path, "%s/brant%d.db", folder, run);
        measure_brant(path, writes, run);
        snprintf(path, sizeof path, "%s/plain%d.db", folder, run);
        measure_plain(path, writes, run);
        for (size_t i = 0; i < 3; i++) {
            char file[96];
            snprintf(file, sizeof file, "%s%s", path, suffixes[i]);
            unlink(file);
            snprintf(file, sizeof file, "%s/brant%d.db%s", folder, run, suffixes[i]);
            unlink(file);
        }
    }
    printf("%d writes, each a commit, synchronous=NORMAL, %d runs\n", writes, runs);
    for (int kind = 0; kind < KINDS; kind++) {
        qsort(seconds[kind], (size_t)runs, sizeof(double), compare);
        printf("%-30s %9.0f/s\n", names[kind], writes / seconds[kind][runs / 2]);
    }
    rmdir(folder);
    return 0;
}
