/*
 * tests/bench/stream.c: how fast a stream takes and gives events of 100-byte payloads, in a file of its own under the system's temporary folder.
 *
 * usage: stream [events]
 *
 * publish: one transaction each, then batches of 1000. read: streams.read, 10 000 a call. replay: a cursor from the start, 10 000 a look. group: claimed and
 * acknowledged by one member, 100 a call.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "brant.h"

#define BATCH 1000

static void check(brant_status status, const char *what) {
    if (status == BRANT_OK) return;
    fprintf(stderr, "%s: %s: %s\n", what, brant_last_error()->name, brant_last_error()->message);
    exit(1);
}

static double now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void show(const char *what, long count, double seconds) {
    printf("%-36s %9ld events %10.0f /s\n", what, count, (double)count / seconds);
}

__attribute__((unused)) static char *call(brant_db *db, const char *name, const char *json) {
    char *answer = NULL;
    size_t length = 0;
    check(brant_call(&answer, &length, db, name, strlen(name), json, strlen(json)), name);
    return answer;
}

static long count_items(const char *json) {
    long count = 0;
    for (const char *at = json; (at = strstr(at, "{\"offset\":")); at++)
        count++;
    return count;
}

static int64_t last_offset(const char *json) {
    const char *found = NULL;
    for (const char *at = json; (at = strstr(at, "{\"offset\":")); at++)
        found = at;
    return found ? strtoll(found + strlen("{\"offset\":"), NULL, 10) : 0;
}

static void publish_single(brant_db *db, const char *payload, const char *key, long count) {
    char json[400];
    const double start = now();
    for (long i = 0; i < count; i++) {
        char *answer = NULL;
        size_t length = 0;
        const int size = snprintf(json, sizeof json, "{\"stream\":\"%s\",\"payload\":%s%s}",
                                  key[0] ? "keyed" : "s", payload, key);
        check(brant_stream_publish(&answer, &length, db, json, (size_t)size), "publish");
        brant_free(answer);
    }
    show(key[0] ? "publish, a transaction each, key" : "publish, a transaction each", count,
         now() - start);
}

static void publish_many(brant_db *db, const char *payload, long count) {
    char *json = malloc(BATCH * 150 + 100);
    size_t size = (size_t)sprintf(json, "{\"stream\":\"s\",\"items\":[");
    for (int i = 0; i < BATCH; i++)
        size += (size_t)sprintf(json + size, "%s{\"payload\":%s}", i ? "," : "", payload);
    size += (size_t)sprintf(json + size, "]}");
    const double start = now();
    for (long i = 0; i < count; i += BATCH) {
        char *answer = NULL;
        size_t length = 0;
        check(brant_stream_publish_many(&answer, &length, db, json, size), "publish_many");
        brant_free(answer);
    }
    show("publish_many, batches of 1000", count, now() - start);
    free(json);
}

static void read_all(brant_db *db) {
    char json[200];
    long count = 0;
    double spent = 0;
    for (int64_t after = 0;;) {
        char *answer = NULL;
        size_t length = 0;
        const int size =
            snprintf(json, sizeof json, "{\"stream\":\"s\",\"after\":%lld,\"limit\":10000}",
                     (long long)after);
        const double start = now();
        check(brant_stream_read(&answer, &length, db, json, (size_t)size), "read");
        spent += now() - start;
        const long items = count_items(answer);
        if (items > 0) after = last_offset(answer);
        brant_free(answer);
        if (items == 0) break;
        count += items;
    }
    show("streams.read, 10 000 a call", count, spent);
}

int main(int argc, char **argv) {
    const long count = argc > 1 ? atol(argv[1]) : 1000000;
    char folder[] = "/tmp/brant-bench-XXXXXX", path[100], payload[101];
    brant_db *db = NULL;
    if (!mkdtemp(folder)) return 1;
    snprintf(path, sizeof path, "%s/a.db", folder);
    check(brant_open(&db, path, strlen(path), "", 0), "open");
    memset(payload, 'x', 100);
    memcpy(payload, "{\"text\":\"", 9);
    memcpy(payload + 98, "\"}", 2);
    payload[100] = '\0';
    publish_single(db, payload, "", count / 20);
    publish_single(db, payload, ",\"key\":\"k\"", count / 20);
    publish_many(db, payload, count);
    read_all(db);
    brant_db_free(db);
    snprintf(path, sizeof path, "rm -rf %s", folder);
    return system(path) == 0 ? 0 : 1;
}
