/*
 * What a change log costs: loading, putting again, patching one by one, with the log off and on; replaying. Usage: bench_changes [nodes]
 */
#include <brant.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void call(brant_db *db, const char *name, const char *json) {
    char *out = NULL;
    size_t length;
    if (brant_call(&out, &length, db, name, strlen(name), json, strlen(json)) != BRANT_OK) {
        fprintf(stderr, "%s: %s\n", name, brant_last_error()->message);
        exit(1);
    }
    brant_free(out);
}

#define BATCH 1000
#define ITEM  160

static void put_many(brant_db *db, int nodes, int turn) {
    char *json = malloc(BATCH * ITEM + 100);
    for (int at = 0; at < nodes; at += BATCH) {
        size_t length = (size_t)sprintf(json, "{\"graph\":\"g\",\"items\":[");
        for (int i = at; i < at + BATCH; i++)
            length += (size_t)sprintf(json + length,
                                      "%s{\"key\":\"node-%d\",\"attributes\":{\"n\":%d,\"turn\":%d,"
                                      "\"text\":\"some words about a node of the "
                                      "graph\"}}",
                                      i > at ? "," : "", i, i, turn);
        sprintf(json + length, "]}");
        call(db, "nodes.put_many", json);
    }
    free(json);
}

static void edges(brant_db *db, int nodes) {
    char *json = malloc(BATCH * ITEM + 100);
    for (int at = 0; at < nodes; at += BATCH) {
        size_t length = (size_t)sprintf(json, "{\"graph\":\"g\",\"items\":[");
        for (int i = at; i < at + BATCH; i++)
            length +=
                (size_t)sprintf(json + length, "%s{\"source\":\"node-%d\",\"target\":\"node-%d\"}",
                                i > at ? "," : "", i, (int)((long long)i * 7919 % nodes));
        sprintf(json + length, "]}");
        call(db, "edges.put_many", json);
    }
    free(json);
}

static void patch(brant_db *db, int count) {
    char json[200];
    for (int i = 0; i < count; i++) {
        sprintf(json, "{\"graph\":\"g\",\"key\":\"node-%d\",\"attributes\":{\"turn\":%d}}", i, -i);
        call(db, "nodes.patch", json);
    }
}

static double run(const char *what, int count, double begin) {
    const double end = seconds();
    printf("  %-22s %9.0f rows/s\n", what, count / (end - begin));
    return seconds();
}

int main(int argc, char **argv) {
    const int nodes = argc > 1 ? atoi(argv[1]) / BATCH * BATCH : 100000;
    for (int logged = 0; logged < 2; logged++) {
        const char *path = "/tmp/bench_changes.db";
        brant_db *db = NULL;
        unlink(path);
        unlink("/tmp/bench_changes.db-wal");
        if (brant_open(&db, path, strlen(path), "", 0) != BRANT_OK) return 1;
        call(db, "graphs.create",
             logged ? "{\"name\":\"g\",\"graph_type\":\"open\",\"changes\":true}"
                    : "{\"name\":\"g\",\"graph_type\":\"open\"}");
        printf("change log %s\n", logged ? "on" : "off");
        double begin = seconds();
        put_many(db, nodes, 0);
        begin = run("nodes, new", nodes, begin);
        edges(db, nodes);
        begin = run("edges, new", nodes, begin);
        put_many(db, nodes, 1);
        begin = run("nodes, put again", nodes, begin);
        patch(db, 10000);
        begin = run("nodes.patch, each", 10000, begin);
        if (logged) {
            char json[100];
            sprintf(json, "{\"graph\":\"g\",\"to\":%d,\"into\":\"then\"}", 2 * nodes + 1);
            call(db, "graphs.replay", json);
            begin = run("graphs.replay", 2 * nodes, begin);
            sprintf(json, "{\"graph\":\"g\",\"from\":%d,\"limit\":1000000}", 2 * nodes + 1);
            call(db, "graphs.diff", json);
            begin = run("graphs.diff", nodes + 10000, begin);
        }
        call(db, "nodes.delete_many", "{\"graph\":\"g\",\"filter\":{},\"edges\":\"delete\"}");
        run("delete all", 2 * nodes, begin);
        brant_db_free(db);
        unlink(path);
    }
    return 0;
}
