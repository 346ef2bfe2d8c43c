/*
 * tests/bench/audit.c: rows added to the audit log, each a transaction of its own and many in one, and the log verified, synchronous=NORMAL.
 *
 *     bench_audit [rows [runs]]
 *
 * Beside them plain SQLite that inserts the same rows into the same table with the same indexes, without hashes, anchor and stream event. In a tenant's file rows are not published.
 * Medians of `runs`, new files each.
 */
#include <sqlite3.h>
#include <stdbool.h>
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
                 brant_db *db, const char *json, const char *wanted) {
    char *answer;
    size_t length;
    if (operation(&answer, &length, db, json, strlen(json)) != BRANT_OK)
        fail(json, brant_last_error()->message);
    if (wanted && !strstr(answer, wanted)) fail(json, answer);
    brant_free(answer);
}

static const char ring[] = "{\"keys\":[{\"purpose\":\"audit\",\"version\":1,\"key\":"
                           "\"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\"}]}";
#define ORG    "0190aaaa-0000-7000-8000-00000000000a"
#define ACTOR  "0190bbbb-0000-7000-8000-0000000000%02d"
#define DETAIL "{\"membership_level\":\"member\",\"changes\":[\"level\",\"status\"]}"

enum { SINGLE, SINGLE_MANY, TENANT, TENANT_MANY, PLAIN, PLAIN_MANY, VERIFY, KINDS };
static double seconds[KINDS][RUNS_MAX];

static double append(brant_db *db, int rows, int batch) {
    char text[512];
    const double start = now();
    for (int i = 0; i < rows; i++) {
        if (i % batch == 0 && batch > 1) call(brant_transaction_begin, db, "{}", NULL);
        snprintf(text, sizeof text,
                 "{\"action\":\"orders.update\",\"resource\":\"order:%08d\",\"org_id\":\"" ORG
                 "\",\"detail\":" DETAIL ",\"actor\":{\"type\":\"agent\",\"id\":\"" ACTOR "\"}}",
                 i, i % 100);
        call(brant_audit_append, db, text, NULL);
        if ((i + 1) % batch == 0 && batch > 1) call(brant_transaction_commit, db, "{}", NULL);
    }
    return now() - start;
}

static void measure_brant(const char *path, int rows, int run, bool tenant) {
    const char *options = tenant ? "{\"role\":\"tenant\"}" : "{}";
    brant_db *db;
    char wanted[64];
    if (brant_open(&db, path, strlen(path), options, strlen(options)) != BRANT_OK)
        fail(path, brant_last_error()->message);
    if (brant_keyring_load(db, ring, strlen(ring)) != BRANT_OK)
        fail("ring", brant_last_error()->message);
    seconds[tenant ? TENANT : SINGLE][run] = append(db, rows, 1);
    seconds[tenant ? TENANT_MANY : SINGLE_MANY][run] = append(db, rows, rows);
    if (tenant) {
        const double start = now();
        snprintf(wanted, sizeof wanted, "\"ok\":true,\"truncated\":false,\"rows\":%d,", 2 * rows);
        call(brant_audit_verify, db, "{}", wanted);
        seconds[VERIFY][run] = (now() - start) / 2;
    }
    brant_close(db);
    brant_db_free(db);
}

static const char schema[] =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; CREATE TABLE logs (seq INTEGER PRIMARY "
    "KEY, id TEXT NOT NULL, org_id TEXT, actor_type TEXT NOT NULL, actor_id TEXT, action TEXT NOT "
    "NULL, resource TEXT, detail TEXT NOT NULL, metadata TEXT NOT NULL, created_at INTEGER NOT "
    "NULL, key_version INTEGER NOT NULL, hash BLOB NOT NULL) STRICT; CREATE INDEX logs_action ON "
    "logs (action); CREATE INDEX logs_actor ON logs (actor_id) WHERE actor_id IS NOT NULL; CREATE "
    "INDEX logs_resource ON logs (resource) WHERE resource IS NOT NULL; CREATE INDEX logs_org ON "
    "logs (org_id) WHERE org_id IS NOT NULL";

static double insert_plain(sqlite3 *db, int first, int rows, int batch) {
    sqlite3_stmt *insert, *begin, *commit;
    char id[37], resource[32], actor[37];
    const unsigned char hash[32] = {0};
    sqlite3_prepare_v2(db,
                       "INSERT INTO logs VALUES (?, ?, '" ORG
                       "', 'agent', ?, 'orders.update', ?, '" DETAIL "', '{}', ?, 1, ?)",
                       -1, &insert, NULL);
    sqlite3_prepare_v2(db, "BEGIN IMMEDIATE", -1, &begin, NULL);
    sqlite3_prepare_v2(db, "COMMIT", -1, &commit, NULL);
    const double start = now();
    for (int i = 0; i < rows; i++) {
        if (i % batch == 0) {
            sqlite3_step(begin);
            sqlite3_reset(begin);
        }
        snprintf(id, sizeof id, "0190cccc-0000-7000-8000-%012d", i);
        snprintf(actor, sizeof actor, ACTOR, i % 100);
        snprintf(resource, sizeof resource, "order:%08d", i);
        sqlite3_bind_int(insert, 1, first + i);
        sqlite3_bind_text(insert, 2, id, -1, SQLITE_STATIC);
        sqlite3_bind_text(insert, 3, actor, -1, SQLITE_STATIC);
        sqlite3_bind_text(insert, 4, resource, -1, SQLITE_STATIC);
        sqlite3_bind_int64(insert, 5, 1750000000000 + i);
        sqlite3_bind_blob(insert, 6, hash, sizeof hash, SQLITE_STATIC);
        if (sqlite3_step(insert) != SQLITE_DONE) fail("plain SQLite", sqlite3_errmsg(db));
        sqlite3_reset(insert);
        if ((i + 1) % batch == 0) {
            sqlite3_step(commit);
            sqlite3_reset(commit);
        }
    }
    const double spent = now() - start;
    sqlite3_finalize(insert);
    sqlite3_finalize(begin);
    sqlite3_finalize(commit);
    return spent;
}

static void measure_plain(const char *path, int rows, int run) {
    sqlite3 *db;
    if (sqlite3_open(path, &db) != SQLITE_OK ||
        sqlite3_exec(db, schema, NULL, NULL, NULL) != SQLITE_OK)
        fail(path, sqlite3_errmsg(db));
    seconds[PLAIN][run] = insert_plain(db, 1, rows, 1);
    seconds[PLAIN_MANY][run] = insert_plain(db, rows + 1, rows, rows);
    sqlite3_close(db);
}

static void remove_file(const char *path) {
    static const char *const endings[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        char name[96];
        snprintf(name, sizeof name, "%s%s", path, endings[i]);
        unlink(name);
    }
}

static int compare(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

int main(int argc, char **argv) {
    static const char *const names[KINDS] = {"audit.append, a commit each",
                                             "audit.append, one commit",
                                             "the same, a tenant's file",
                                             "the same, one commit",
                                             "plain SQLite, a commit each",
                                             "plain SQLite, one commit",
                                             "audit.verify"};
    const int rows = argc > 1 ? atoi(argv[1]) : 20000, runs = argc > 2 ? atoi(argv[2]) : 5;
    char folder[] = "/tmp/brant-bench-XXXXXX", path[64];
    if (rows < 1 || runs < 1 || runs > RUNS_MAX) fail("usage", "rows from 1, runs from 1 to 31");
    if (!mkdtemp(folder)) fail(folder, "cannot be made");
    for (int run = 0; run < runs; run++) {
        snprintf(path, sizeof path, "%s/single.db", folder);
        measure_brant(path, rows, run, false);
        remove_file(path);
        snprintf(path, sizeof path, "%s/tenant.db", folder);
        measure_brant(path, rows, run, true);
        remove_file(path);
        snprintf(path, sizeof path, "%s/plain.db", folder);
        measure_plain(path, rows, run);
        remove_file(path);
    }
    printf("%d rows, synchronous=NORMAL, %d runs\n", rows, runs);
    for (int kind = 0; kind < KINDS; kind++) {
        qsort(seconds[kind], (size_t)runs, sizeof(double), compare);
        printf("%-30s %9.0f/s\n", names[kind], rows / seconds[kind][runs / 2]);
    }
    rmdir(folder);
    return 0;
}
