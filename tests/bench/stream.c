/*
 * tests/bench/stream.c: how fast a stream takes and gives events of 100-byte payloads, in a file of its own under the system's temporary folder.
 *
 * usage: stream [events]
 *
 * publish: one transaction each, then batches of 1000. read: streams.read, 10 000 a call. replay: a cursor from the start, 10 000 a look. follow: one event published,
 * read and its offset saved, in turn. share: claimed and acknowledged by a member of a group, 100 a call, also with many pending.
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

static char *call(brant_db *db, const char *name, const char *json) {
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

/* Everything through a cursor. */
static void replay(brant_db *db, long count) {
    static const char json[] = "{\"stream\":\"s\",\"from\":\"start\",\"batch\":10000}";
    brant_cursor *cursor = NULL;
    check(brant_stream_subscribe(&cursor, db, json, sizeof json - 1), "subscribe");
    long seen = 0;
    double spent = 0;
    while (seen < count) {
        char *answer = NULL;
        size_t length = 0;
        const double start = now();
        check(brant_cursor_next(&answer, &length, cursor, 0), "next");
        spent += now() - start;
        const long items = count_items(answer);
        brant_free(answer);
        if (items == 0) break;
        seen += items;
    }
    brant_cursor_free(cursor);
    show("replay by a cursor, 10 000 a look", seen, spent);
}

/* An effect-less consumer that saves each offset: publish, next and commit are in turn. */
static void follow(brant_db *db, const char *payload, long count) {
    static const char subscription[] = "{\"stream\":\"live\",\"consumer\":\"c\"}";
    brant_cursor *cursor = NULL;
    char json[400];
    check(brant_stream_subscribe(&cursor, db, subscription, sizeof subscription - 1), "subscribe");
    const double start = now();
    for (long i = 0; i < count; i++) {
        char *answer = NULL;
        size_t length = 0;
        snprintf(json, sizeof json, "{\"stream\":\"live\",\"payload\":%s}", payload);
        brant_free(call(db, "streams.publish", json));
        check(brant_cursor_next(&answer, &length, cursor, 0), "next");
        snprintf(json, sizeof json, "{\"stream\":\"live\",\"consumer\":\"c\",\"offset\":%lld}",
                 (long long)last_offset(answer));
        brant_free(answer);
        brant_free(call(db, "consumers.commit", json));
    }
    show("publish, next, commit in turn", count, now() - start);
    brant_cursor_free(cursor);
}

/* `pending` events are claimed and left; then others are claimed and acknowledged, 100 a call. */
static void share(brant_db *db, long count, long pending) {
    char *json = malloc(100 * 48 + 200);
    for (long i = 0; i < pending; i += 1000)
        brant_free(call(db, "consumers.claim",
                        "{\"stream\":\"s\",\"group\":\"g\",\"member\":\"slow\",\"limit\":1000,"
                        "\"lease\":3600000}"));
    long seen = 0;
    const double start = now();
    while (seen < count) {
        char *answer = call(db, "consumers.claim",
                            "{\"stream\":\"s\",\"group\":\"g\",\"member\":\"m\",\"limit\":100}");
        size_t size = (size_t)sprintf(json, "{\"stream\":\"s\",\"group\":\"g\",\"items\":[");
        long items = 0;
        for (const char *at = answer; (at = strstr(at, "{\"offset\":")); at++, items++)
            size += (size_t)sprintf(json + size, "%s{\"offset\":%lld,\"token\":%lld}",
                                    items ? "," : "", strtoll(at + 10, NULL, 10),
                                    strtoll(strstr(at, "\"token\":") + 8, NULL, 10));
        sprintf(json + size, "]}");
        brant_free(answer);
        if (items == 0) break;
        brant_free(call(db, "consumers.ack", json));
        seen += items;
    }
    printf("%-36s %9ld events %10.0f /s\n",
           pending ? "claim, ack of 100; 100 000 pending" : "claim, ack of 100", seen,
           (double)seen / (now() - start));
    free(json);
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
    replay(db, count);
    follow(db, payload, count / 50);
    share(db, count / 10, 0);
    share(db, count / 10, count >= 500000 ? 100000 : 0);
    brant_db_free(db);
    snprintf(path, sizeof path, "rm -rf %s", folder);
    return system(path) == 0 ? 0 : 1;
}
