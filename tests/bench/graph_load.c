/*
 * tests/bench/graph_load.c: how fast a graph loads and how fast it is walked.
 *
 *     bench_graph_load [nodes [edges [batch [runs [shuffle]]]]]
 *
 * A synthetic package graph (107 000 nodes and 415 000 edges by default, attributes of 30 to 200
 * bytes, few very popular targets), typed and validated, is loaded through nodes.put_many and
 * edges.put_many in JSON batches, on a file, one transaction a batch. With -DBRANT_BENCH_SQLITE
 * (and libsqlite3 linked) the same rows are inserted by a plain SQLite program besides: same
 * tables, same indexes, one prepared row at a time, keys resolved already, no JSON. Medians of
 * `runs`. Edges come by source, as importers read them, or with `shuffle` in no order.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "brant.h"

#ifdef BRANT_BENCH_SQLITE
#include <sqlite3.h>
#endif

typedef struct text {
    char *data;
    size_t length, capacity;
} text;

static void fail(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static void add(text *out, const char *bytes, size_t length) {
    if (out->length + length + 1 > out->capacity) {
        out->capacity = (out->length + length + 1) * 2;
        out->data = realloc(out->data, out->capacity);
        if (!out->data) fail("memory", "none left");
    }
    memcpy(out->data + out->length, bytes, length);
    out->length += length;
    out->data[out->length] = 0;
}

static uint64_t random_state = 20240601;

static uint32_t draw(uint32_t below) {
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((random_state >> 33) % below);
}

static double seconds(clockid_t clock) {
    struct timespec now;

    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- the data -------------------------------------------------------------------------------- */

typedef struct data {
    size_t nodes, edges, batch;
    char (*keys)[32];
    char **node_attributes;
    uint32_t *source, *target;
    char **edge_attributes;
    uint8_t *type;
    text *node_batches, *edge_batches;
    size_t node_batch_count, edge_batch_count;
} data;

static const char *const sections[] = {"admin", "devel", "doc",    "games",
                                       "libs",  "net",   "python", "utils"};
static const char *const edge_types[] = {"Depends", "Recommends", "Suggests", "Breaks"};
#define MODULE                                                                                     \
    "{\"$id\":\"packages\",\"$defs\":{"                                                            \
    "\"Config\":{\"type\":\"object\",\"properties\":{\"directed\":{\"const\":\"directed\"},"       \
    "\"multi\":{\"const\":false}}},"                                                               \
    "\"PackageNode\":{\"type\":\"object\",\"properties\":{\"version\":{\"type\":\"string\"},"      \
    "\"section\":{\"enum\":[\"admin\",\"devel\",\"doc\",\"games\",\"libs\",\"net\",\"python\","    \
    "\"utils\"]},"                                                                                 \
    "\"size\":{\"type\":\"integer\",\"minimum\":0},\"description\":{\"type\":\"string\","          \
    "\"maxLength\":500}},\"required\":[\"version\",\"size\"],\"additionalProperties\":false},"     \
    "\"Relation\":{\"type\":\"object\",\"properties\":{\"version\":{\"type\":\"string\"},"         \
    "\"operator\":{\"enum\":[\"<<\",\"<=\",\"=\",\">=\",\">>\"]},\"note\":{\"type\":\"string\"}}," \
    "\"required\":[\"version\"]},"                                                                 \
    "\"DependsEdge\":{\"$ref\":\"#/$defs/Relation\"},\"RecommendsEdge\":{\"$ref\":\"#/$defs/"      \
    "Relation\"},"                                                                                 \
    "\"SuggestsEdge\":{\"$ref\":\"#/$defs/Relation\"},\"BreaksEdge\":{\"$ref\":\"#/$defs/"         \
    "Relation\"},"                                                                                 \
    "\"DependsEdgeConstraints\":{\"type\":\"object\",\"properties\":{\"source\":{\"const\":"       \
    "\"Package\"},\"target\":{\"const\":\"Package\"}}}}}"

static char *words(size_t length) {
    static const char *const list[] = {"library", "shared", "for",     "tool",   "data", "runtime",
                                       "files",   "and",    "network", "parser", "fast", "common"};
    text out = {NULL, 0, 0};

    add(&out, "", 0);
    while (out.length < length) {
        const char *word = list[draw(12)];
        if (out.length) add(&out, " ", 1);
        add(&out, word, strlen(word));
    }
    return out.data;
}

static void make_data(data *d) {
    char line[512];
    uint8_t *seen;

    d->keys = malloc(d->nodes * sizeof(*d->keys));
    d->node_attributes = malloc(d->nodes * sizeof(char *));
    d->source = malloc(d->edges * sizeof(uint32_t));
    d->target = malloc(d->edges * sizeof(uint32_t));
    d->edge_attributes = malloc(d->edges * sizeof(char *));
    d->type = malloc(d->edges);
    for (size_t i = 0; i < d->nodes; i++) {
        char *description = words(draw(130));
        static const char *const stems[] = {"lib",   "python3-", "golang-", "r-cran-",
                                            "node-", "ruby-",    "gnome-",  "x"};
        snprintf(d->keys[i], sizeof(d->keys[i]), "%s%c%c%zu%s", stems[draw(8)], 'a' + (int)draw(26),
                 'a' + (int)draw(26), i, draw(3) ? "" : "-dev");
        snprintf(line, sizeof(line),
                 "{\"version\":\"%u.%u-%u\",\"section\":\"%s\",\"size\":%u,\"description\":\"%s\"}",
                 draw(20), draw(100), draw(9), sections[draw(8)], draw(10000000), description);
        d->node_attributes[i] = strdup(line);
        free(description);
    }
    /* By source, as an importer reads packages; distinct by source, type and target. */
    seen = calloc(d->nodes * 4, 1);
    for (size_t i = 0, source = 0, left = 0, first = 0; i < d->edges;) {
        uint32_t target, type;
        if (left == 0) {
            for (size_t j = first; j < i; j++)
                seen[(size_t)d->target[j] * 4 + d->type[j]] = 0;
            first = i;
            source = i * d->nodes / d->edges;
            if (i && source <= d->source[i - 1])
                source = d->source[i - 1] + 1 < d->nodes ? d->source[i - 1] + 1
                                                         : draw((uint32_t)d->nodes);
            left = 1 + draw(7);
        }
        target = draw(3) ? draw((uint32_t)d->nodes) : draw(1 + draw(1 + draw((uint32_t)d->nodes)));
        type = draw(10) < 7 ? 0 : 1 + draw(3);
        left--;
        if (target == source || seen[(size_t)target * 4 + type]) continue;
        seen[(size_t)target * 4 + type] = 1;
        d->source[i] = (uint32_t)source;
        d->target[i] = target;
        d->type[i] = (uint8_t)type;
        {
            char *note = words(draw(120));
            snprintf(line, sizeof(line),
                     "{\"version\":\"%u.%u\",\"operator\":\">=\",\"note\":\"%s\"}", draw(20),
                     draw(100), note);
            free(note);
        }
        d->edge_attributes[i++] = strdup(line);
    }
    free(seen);
}

static void shuffle(data *d) {
    for (size_t i = d->edges - 1; i > 0; i--) {
        size_t j = draw((uint32_t)i + 1);
        uint32_t source = d->source[i], target = d->target[i];
        char *attributes = d->edge_attributes[i];
        uint8_t type = d->type[i];
        d->source[i] = d->source[j];
        d->target[i] = d->target[j];
        d->edge_attributes[i] = d->edge_attributes[j];
        d->type[i] = d->type[j];
        d->source[j] = source;
        d->target[j] = target;
        d->edge_attributes[j] = attributes;
        d->type[j] = type;
    }
}

static void make_batches(data *d) {
    char line[1024];

    d->node_batch_count = (d->nodes + d->batch - 1) / d->batch;
    d->edge_batch_count = (d->edges + d->batch - 1) / d->batch;
    d->node_batches = calloc(d->node_batch_count, sizeof(text));
    d->edge_batches = calloc(d->edge_batch_count, sizeof(text));
    for (size_t i = 0; i < d->nodes; i++) {
        text *out = &d->node_batches[i / d->batch];
        int length = snprintf(
            line, sizeof(line), "%s{\"key\":\"%s\",\"type\":\"Package\",\"attributes\":%s}",
            i % d->batch ? "," : "{\"graph\":\"g\",\"items\":[", d->keys[i], d->node_attributes[i]);
        add(out, line, (size_t)length);
        if (i % d->batch == d->batch - 1 || i == d->nodes - 1) add(out, "]}", 2);
    }
    for (size_t i = 0; i < d->edges; i++) {
        text *out = &d->edge_batches[i / d->batch];
        int length =
            snprintf(line, sizeof(line),
                     "%s{\"source\":\"%s\",\"target\":\"%s\",\"type\":\"%s\",\"attributes\":%s}",
                     i % d->batch ? "," : "{\"graph\":\"g\",\"items\":[", d->keys[d->source[i]],
                     d->keys[d->target[i]], edge_types[d->type[i]], d->edge_attributes[i]);
        add(out, line, (size_t)length);
        if (i % d->batch == d->batch - 1 || i == d->edges - 1) add(out, "]}", 2);
    }
}

/* ---- measuring ------------------------------------------------------------------------------- */

enum {
    NODES,
    EDGES,
    CLOSURE_COLD,
    CLOSURE_WARM,
    CLOSURE_SMALL,
    GETS,
    PUTS,
    RAW_NODES,
    RAW_EDGES,
    FIGURES
};
static const char *const names[FIGURES] = {"nodes.put_many",
                                           "edges.put_many",
                                           "nodes.closure of a hub, cold",
                                           "nodes.closure of a hub, warm",
                                           "nodes.closure, depth 2, by index",
                                           "nodes.get",
                                           "nodes.put of one, in a transaction",
                                           "raw SQLite nodes",
                                           "raw SQLite edges"};

typedef struct figure {
    double wall[16], cpu[16], count;
    int runs;
} figure;
static figure figures[FIGURES];
static double begun_wall, begun_cpu;

static void begin(void) {
    begun_wall = seconds(CLOCK_MONOTONIC);
    begun_cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
}

static void end(int which, double count) {
    figure *f = &figures[which];

    f->cpu[f->runs] = seconds(CLOCK_PROCESS_CPUTIME_ID) - begun_cpu;
    f->wall[f->runs++] = seconds(CLOCK_MONOTONIC) - begun_wall;
    f->count = count;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static void report(void) {
    printf("%-38s %10s %10s %14s\n", "median", "wall ms", "CPU ms", "a second (CPU)");
    for (int i = 0; i < FIGURES; i++) {
        figure *f = &figures[i];
        if (!f->runs) continue;
        qsort(f->wall, (size_t)f->runs, sizeof(double), compare);
        qsort(f->cpu, (size_t)f->runs, sizeof(double), compare);
        printf("%-38s %10.2f %10.2f %14.0f\n", names[i], f->wall[f->runs / 2] * 1e3,
               f->cpu[f->runs / 2] * 1e3, f->count / f->cpu[f->runs / 2]);
    }
}

static size_t call(brant_db *db, const char *name, const char *json, size_t length) {
    char *answer;
    size_t answer_length;

    if (brant_call(&answer, &answer_length, db, name, strlen(name), json, length) != BRANT_OK)
        fail(name, brant_last_error()->message);
    brant_free(answer);
    return answer_length;
}

static void forget(const char *path) {
    char name[4200];
    static const char *const ends[] = {"", "-wal", "-shm"};

    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof(name), "%s%s", path, ends[i]);
        unlink(name);
    }
}

static void run_brant(const data *d, const char *path) {
    static const char define[] = "{\"module\":" MODULE "}",
                      create[] = "{\"name\":\"g\",\"graph_type\":\"packages\"}";
    char json[256];
    brant_db *db;
    size_t bytes = 0;
    uint32_t *degree = calloc(d->nodes, sizeof(uint32_t));
    size_t hub = 0;

    forget(path);
    if (brant_open(&db, path, strlen(path), "", 0) != BRANT_OK)
        fail(path, brant_last_error()->message);
    call(db, "graph_types.define", define, sizeof(define) - 1);
    call(db, "graphs.create", create, sizeof(create) - 1);
    begin();
    for (size_t i = 0; i < d->node_batch_count; i++)
        call(db, "nodes.put_many", d->node_batches[i].data, d->node_batches[i].length);
    end(NODES, (double)d->nodes);
    begin();
    for (size_t i = 0; i < d->edge_batch_count; i++)
        call(db, "edges.put_many", d->edge_batches[i].data, d->edge_batches[i].length);
    end(EDGES, (double)d->edges);

    for (size_t i = 0; i < d->edges; i++)
        if (++degree[d->target[i]] > degree[hub]) hub = d->target[i];
    snprintf(json, sizeof(json), "{\"graph\":\"g\",\"keys\":[\"%s\"],\"direction\":\"in\"}",
             d->keys[hub]);
    begin();
    bytes = call(db, "nodes.closure", json, strlen(json));
    end(CLOSURE_COLD, 1);
    begin();
    for (int i = 0; i < 10; i++)
        call(db, "nodes.closure", json, strlen(json));
    end(CLOSURE_WARM, 10);
    figures[CLOSURE_WARM].wall[figures[CLOSURE_WARM].runs - 1] /= 10;
    figures[CLOSURE_WARM].cpu[figures[CLOSURE_WARM].runs - 1] /= 10;
    figures[CLOSURE_WARM].count = 1;
    begin();
    for (size_t i = 0; i < 10000; i++) {
        snprintf(json, sizeof(json), "{\"graph\":\"g\",\"key\":\"%s\"}",
                 d->keys[i * 7919 % d->nodes]);
        call(db, "nodes.get", json, strlen(json));
    }
    end(GETS, 10000);
    call(db, "transaction.begin", "{}", 2);
    begin();
    for (size_t i = 0; i < 10000; i++) {
        snprintf(json, sizeof(json),
                 "{\"graph\":\"g\",\"key\":\"%s\",\"attributes\":{\"version\":\"1\",\"size\":%zu}}",
                 d->keys[i * 7919 % d->nodes], i);
        call(db, "nodes.put", json, strlen(json));
    }
    end(PUTS, 10000);
    call(db, "transaction.commit", "{}", 2);
    brant_close(db);
    brant_db_free(db);
    if (brant_open(&db, path, strlen(path), "", 0) != BRANT_OK)
        fail(path, brant_last_error()->message);
    begin();
    for (size_t i = 0; i < 1000; i++) {
        snprintf(json, sizeof(json), "{\"graph\":\"g\",\"keys\":[\"%s\"],\"max_depth\":2}",
                 d->keys[i * 7919 % d->nodes]);
        call(db, "nodes.closure", json, strlen(json));
    }
    end(CLOSURE_SMALL, 1000);
    brant_close(db);
    brant_db_free(db);
    free(degree);
    printf("closure of %s: %zu bytes of answer\n", d->keys[hub], bytes);
}

#ifdef BRANT_BENCH_SQLITE
static void sql(sqlite3 *db, const char *statements) {
    if (sqlite3_exec(db, statements, NULL, NULL, NULL) != SQLITE_OK)
        fail(statements, sqlite3_errmsg(db));
}

static void run_raw(const data *d, const char *path) {
    sqlite3 *db;
    sqlite3_stmt *node, *edge;

    forget(path);
    if (sqlite3_open(path, &db) != SQLITE_OK) fail(path, sqlite3_errmsg(db));
    sql(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536;"
            "CREATE TABLE nodes (row_id INTEGER PRIMARY KEY, graph INTEGER NOT NULL, key TEXT NOT "
            "NULL, type INTEGER NOT NULL, revision INTEGER NOT NULL DEFAULT 1,"
            " attributes TEXT NOT NULL DEFAULT '{}', metadata TEXT NOT NULL DEFAULT '{}', "
            "created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL) STRICT;"
            "CREATE UNIQUE INDEX nodes_key ON nodes (graph, key);"
            "CREATE TABLE edges (row_id INTEGER PRIMARY KEY, graph INTEGER NOT NULL, key TEXT, "
            "type INTEGER NOT NULL, source INTEGER NOT NULL, target INTEGER NOT NULL,"
            " revision INTEGER NOT NULL DEFAULT 1, attributes TEXT NOT NULL DEFAULT '{}', metadata "
            "TEXT NOT NULL DEFAULT '{}', created_at INTEGER NOT NULL,"
            " updated_at INTEGER NOT NULL) STRICT;"
            "CREATE INDEX edges_out ON edges (source, type, target);"
            "CREATE INDEX edges_in ON edges (target, type, source);"
            "CREATE UNIQUE INDEX edges_key ON edges (graph, key) WHERE key IS NOT NULL;");
    sqlite3_prepare_v2(db,
                       "INSERT INTO nodes (graph, key, type, attributes, created_at, updated_at) "
                       "VALUES (1, ?1, 1, ?2, ?3, ?3)",
                       -1, &node, NULL);
    sqlite3_prepare_v2(db,
                       "INSERT INTO edges (graph, type, source, target, attributes, created_at, "
                       "updated_at) VALUES (1, ?1, ?2, ?3, ?4, ?5, ?5)",
                       -1, &edge, NULL);
    begin();
    for (size_t i = 0; i < d->nodes; i++) {
        if (i % d->batch == 0) sql(db, "BEGIN IMMEDIATE");
        sqlite3_bind_text(node, 1, d->keys[i], -1, SQLITE_STATIC);
        sqlite3_bind_text(node, 2, d->node_attributes[i], -1, SQLITE_STATIC);
        sqlite3_bind_int64(node, 3, INT64_C(1750000000000));
        if (sqlite3_step(node) != SQLITE_DONE) fail("insert", sqlite3_errmsg(db));
        sqlite3_reset(node);
        if (i % d->batch == d->batch - 1 || i == d->nodes - 1) sql(db, "COMMIT");
    }
    end(RAW_NODES, (double)d->nodes);
    begin();
    for (size_t i = 0; i < d->edges; i++) {
        if (i % d->batch == 0) sql(db, "BEGIN IMMEDIATE");
        sqlite3_bind_int64(edge, 1, d->type[i] + 1);
        sqlite3_bind_int64(edge, 2, d->source[i] + 1);
        sqlite3_bind_int64(edge, 3, d->target[i] + 1);
        sqlite3_bind_text(edge, 4, d->edge_attributes[i], -1, SQLITE_STATIC);
        sqlite3_bind_int64(edge, 5, INT64_C(1750000000000));
        if (sqlite3_step(edge) != SQLITE_DONE) fail("insert", sqlite3_errmsg(db));
        sqlite3_reset(edge);
        if (i % d->batch == d->batch - 1 || i == d->edges - 1) sql(db, "COMMIT");
    }
    end(RAW_EDGES, (double)d->edges);
    sqlite3_finalize(node);
    sqlite3_finalize(edge);
    sqlite3_close(db);
}
#endif

int main(int argc, char **argv) {
    data d = {.nodes = 107000, .edges = 415000, .batch = 20000};
    int runs = 3;
    char folder[] = "/tmp/brant-bench-XXXXXX", path[128];

    if (argc > 1) d.nodes = strtoul(argv[1], NULL, 10);
    if (argc > 2) d.edges = strtoul(argv[2], NULL, 10);
    if (argc > 3) d.batch = strtoul(argv[3], NULL, 10);
    if (argc > 4) runs = (int)strtoul(argv[4], NULL, 10);
    if (runs < 1 || runs > 16 || d.nodes < 100 || d.batch < 1 || !mkdtemp(folder))
        fail("arguments", "not usable");
    make_data(&d);
    if (argc > 5) shuffle(&d);
    make_batches(&d);
    printf("%zu nodes, %zu edges%s, batches of %zu, %d runs\n", d.nodes, d.edges,
           argc > 5 ? " shuffled" : "", d.batch, runs);
    snprintf(path, sizeof(path), "%s/graph.db", folder);
    for (int i = 0; i < runs; i++) {
        run_brant(&d, path);
        forget(path);
#ifdef BRANT_BENCH_SQLITE
        run_raw(&d, path);
        forget(path);
#endif
    }
    report();
    snprintf(path, sizeof(path), "rm -rf %s", folder);
    return system(path) != 0;
}
