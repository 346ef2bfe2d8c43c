/*
 * tests/bench/hub.c: what a hub costs with many tenants: making one, opening a cold one, taking a warm one; descriptors and memory. Beside plain SQLite on copies of the same files.
 *
 * usage: hub [tenants] [max_open]
 *
 * A cold sample is the first query on a file that is not open: acquire and nodes.get, or sqlite3_open, the two pragmas that make it alike, and one prepared SELECT. They take turns. Closing is
 * counted apart: of a hub it is a part of the next acquire, which evicts.
 */
#include <dirent.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "support.h"

#define RING                                                                                       \
    "{\"keys\":[{\"purpose\":\"audit\",\"version\":1,"                                             \
    "\"key\":\"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\"}]}"
#define OWNER  "00000000-0000-7000-8000-0000000000a0"
#define ID     "00000000-0000-7000-9000-%012lx"
#define WARMED 2000

static void get(brant_db *db) {
    static const char input[] = "{\"graph\":\"g\",\"key\":\"k\"}";
    char *answer = NULL;
    size_t length = 0;
    check(brant_node_get(&answer, &length, db, input, sizeof input - 1), "nodes.get");
    brant_free(answer);
}

static brant_db *acquire(brant_hub *hub, long tenant) {
    char id[64];
    brant_db *db = NULL;
    snprintf(id, sizeof id, ID, (unsigned long)tenant);
    check(brant_hub_acquire(&db, hub, id, 36), "acquire");
    return db;
}

static void give_back(brant_hub *hub, brant_db *db) {
    check(brant_hub_release(hub, db), "release");
    brant_db_free(db);
}

static void rival(const char *path, double *opened, double *closed) {
    static const char sql[] =
        "SELECT n.attributes FROM graphs AS g CROSS JOIN nodes AS n ON n.graph = g.row_id"
        " WHERE g.name = 'g' AND n.key = 'k'";
    const double start = now_us();
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) ||
        sqlite3_exec(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL", NULL, NULL, NULL) ||
        sqlite3_prepare_v2(db, sql, -1, &statement, NULL) ||
        sqlite3_step(statement) != SQLITE_ROW) {
        fprintf(stderr, "%s: %s\n", path, sqlite3_errmsg(db));
        exit(1);
    }
    *opened = now_us() - start;
    sqlite3_finalize(statement);
    sqlite3_close(db);
    *closed = now_us() - start - *opened;
}

static int by_size(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(const char *what, double *took, long count) {
    qsort(took, (size_t)count, sizeof *took, by_size);
    printf("%-46s median %9.1f us   p99 %9.1f us\n", what, took[count / 2],
           took[(long)((double)count * 0.99)]);
}

static long count_descriptors(void) {
    long count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (folder && readdir(folder))
        count++;
    if (folder) closedir(folder);
    return count;
}

static long resident_kb(void) {
    long size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file && fscanf(file, "%ld %ld", &size, &resident) != 2) resident = 0;
    if (file) fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

int main(int argc, char **argv) {
    const long tenants = argc > 1 ? atol(argv[1]) : 1000, most = argc > 2 ? atol(argv[2]) : 64;
    char path[] = "/tmp/brant-bench-XXXXXX", input[400], options[60], file[200];
    double *took = calloc((size_t)tenants + WARMED, sizeof *took),
           *other = calloc((size_t)tenants, sizeof *other),
           *closing = calloc((size_t)tenants, sizeof *closing);
    brant_hub *hub = NULL;
    if (tenants < 1 || most < 1 || !took || !other || !closing || !mkdtemp(path)) return 1;
    snprintf(options, sizeof options, "{\"max_open\":%ld}", most);
    snprintf(file, sizeof file, "%s/hub", path);
    check(brant_hub_open(&hub, file, strlen(file), options, strlen(options)), "open");
    check(brant_hub_keyring_load(hub, RING, sizeof RING - 1), "ring");
    brant_db *system = brant_hub_system(hub);
    must_call(system, "accounts.create", "{\"id\":\"" OWNER "\",\"email\":\"a@example.org\"}");
    must_call(system, "transaction.begin", "");
    for (long i = 0; i < tenants; i++) {
        snprintf(input, sizeof input,
                 "{\"id\":\"" ID "\",\"slug\":\"org-%ld\",\"name\":\"O\",\"owner_id\":\"" OWNER
                 "\"}",
                 (unsigned long)i, i);
        must_call(system, "organizations.create", input);
    }
    must_call(system, "transaction.commit", "");

    for (long i = 0; i < tenants; i++) {
        const double start = now_us();
        brant_db *db = acquire(hub, i);
        took[i] = now_us() - start;
        must_call(db, "graph_types.define", "{\"name\":\"t\",\"module\":{}}");
        must_call(db, "graphs.create", "{\"name\":\"g\",\"graph_type\":\"t\"}");
        must_call(db, "nodes.put", "{\"graph\":\"g\",\"key\":\"k\",\"attributes\":{\"x\":1}}");
        give_back(hub, db);
    }
    report("first acquire, which makes the file", took, tenants);
    brant_hub_free(hub);
    snprintf(input, sizeof input,
             "cd %s && mkdir rival && for f in hub/tenant-*.db; do cp $f rival/; "
             "if [ -f $f-wal ]; then cp $f-wal rival/; fi; done",
             path);
    FILE *copying = popen(input, "r");
    if (!copying || pclose(copying) != 0) return 1;

    const long before = resident_kb();
    snprintf(file, sizeof file, "%s/hub", path);
    check(brant_hub_open(&hub, file, strlen(file), options, strlen(options)), "open");
    for (long i = 0; i < tenants; i++) {
        const long tenant =
            (i * 7919) % tenants; /* each once, where tenants is no multiple of it */
        double start = now_us();
        brant_db *db = acquire(hub, tenant);
        get(db);
        took[i] = now_us() - start;
        give_back(hub, db);
        snprintf(file, sizeof file, "%s/rival/tenant-" ID ".db", path, (unsigned long)tenant);
        rival(file, &other[i], &closing[i]);
    }
    report("cold: acquire (with eviction) and nodes.get", took, tenants);
    report("plain SQLite: open, one SELECT", other, tenants);
    report("plain SQLite: close", closing, tenants);
    for (long i = -100; i < WARMED; i++) {
        const double start = now_us();
        brant_db *db = acquire(hub, (tenants - 1) * 7919 % tenants);
        get(db);
        if (i >= 0) took[i] = now_us() - start;
        give_back(hub, db);
    }
    report("warm: acquire and nodes.get", took, WARMED);
    for (long i = -100; i < WARMED; i++) {
        brant_db *db = acquire(hub, (tenants - 1) * 7919 % tenants);
        get(db);
        const double start = now_us();
        get(db);
        if (i >= 0) took[i] = now_us() - start;
        give_back(hub, db);
    }
    report("warm: nodes.get alone", took, WARMED);
    printf("%ld tenants, max_open %ld: %ld descriptors, %ld KB more resident\n", tenants, most,
           count_descriptors(), resident_kb() - before);
    brant_hub_free(hub);
    snprintf(input, sizeof input, "rm -rf %s", path);
    FILE *removing = popen(input, "r");
    if (removing) pclose(removing);
    free(took);
    free(other);
    free(closing);
    return 0;
}
