/*
 * tests/bench/session.c: what the rules of a session cost: nodes.get through sessions of different identities beside nodes.get of the trusted handle.
 *
 * usage: session [nodes] [samples]
 *
 * Medians of samples of some calls each; the handles take turns, so that what else the machine does meets all of them.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "support.h"

enum { CALLS = 50, HANDLES = 5 };

static const struct {
    const char *what;
    const char *identity; /* NULL: the handle itself */
} handles[HANDLES] = {
    {"trusted handle", NULL},
    {"scopes", "{\"id\":\"ann\",\"scopes\":[\"*:read\",\"*:write\"],\"denies\":[\"secrets:*\"]}"},
    {"scopes, owned graph", "{\"id\":\"own\",\"scopes\":[\"*:read\",\"*:write\"]}"},
    {"a resource", "{\"id\":\"ann\",\"resources\":{\"graph:g\":[\"read\"]}}"},
    {"scopes, principal", "{\"id\":\"ann\",\"scopes\":[\"*:read\"],\"principal\":\"account:ann\"}"},
};

static void get(brant_db *db, const char *graph, long key) {
    char *answer = NULL, input[80];
    size_t length = 0;
    snprintf(input, sizeof input, "{\"graph\":\"%s\",\"key\":\"n%ld\"}", graph, key);
    check(brant_node_get(&answer, &length, db, input, strlen(input)), "nodes.get");
    brant_free(answer);
}

static int by_size(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    const long nodes = argc > 1 ? atol(argv[1]) : 10000, samples = argc > 2 ? atol(argv[2]) : 2000;
    char path[] = "/tmp/brant-bench-XXXXXX", file[64], input[200];
    brant_db *db = NULL, *of[HANDLES] = {NULL};
    double *took[HANDLES];
    uint64_t dice = 1;
    if (nodes < 1 || samples < 1 || !mkdtemp(path)) return 1;
    snprintf(file, sizeof file, "%s/a.db", path);
    check(brant_open(&db, file, strlen(file), "", 0), "open");
    must_call(db, "graph_types.define",
              "{\"name\":\"t\",\"module\":{\"$defs\":{\"TNode\":{\"type\":\"object\"}}}}");
    must_call(db, "graphs.create", "{\"name\":\"g\",\"graph_type\":\"t\"}");
    must_call(db, "graphs.create", "{\"name\":\"h\",\"graph_type\":\"t\",\"owner_id\":\"own\"}");
    must_call(db, "graphs.create",
              "{\"name\":\"access\",\"graph_type\":\"access\",\"changes\":true}");
    must_call(
        db, "nodes.put",
        "{\"graph\":\"access\",\"key\":\"account:ann\",\"type\":\"Principal\",\"attributes\":{"
        "\"kind\":\"account\"}}");
    must_call(db, "transaction.begin", "");
    for (long i = 0; i < nodes; i++)
        for (const char *graph = "gh"; *graph; graph++) {
            snprintf(
                input, sizeof input,
                "{\"graph\":\"%c\",\"key\":\"n%ld\",\"type\":\"T\",\"attributes\":{\"x\":%ld}}",
                *graph, i, i);
            must_call(db, "nodes.put", input);
        }
    must_call(db, "transaction.commit", "");
    for (int i = 0; i < HANDLES; i++) {
        took[i] = malloc((size_t)samples * sizeof *took[i]);
        if (!took[i]) return 1;
        of[i] = db;
        if (handles[i].identity)
            check(brant_session_open(&of[i], db, handles[i].identity, strlen(handles[i].identity)),
                  handles[i].what);
    }
    for (long sample = -samples / 10; sample < samples; sample++)
        for (int i = 0; i < HANDLES; i++) {
            const double start = now_us();
            for (int j = 0; j < CALLS; j++) {
                dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
                get(of[i], i == 2 ? "h" : "g", (long)((dice >> 33) % (uint64_t)nodes));
            }
            if (sample >= 0) took[i][sample] = (now_us() - start) / CALLS;
        }
    double trusted = 0;
    for (int i = 0; i < HANDLES; i++) {
        qsort(took[i], (size_t)samples, sizeof *took[i], by_size);
        if (i == 0) trusted = took[0][samples / 2];
        printf("%-22s nodes.get %6.2f us, %+.2f us\n", handles[i].what, took[i][samples / 2],
               took[i][samples / 2] - trusted);
        if (of[i] != db) brant_db_free(of[i]);
        free(took[i]);
    }
    brant_db_free(db);
    unlink(file);
    rmdir(path);
    return 0;
}
