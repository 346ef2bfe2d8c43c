/*
 * tests/bench/pairs/peer.c: a side of pairs.py in C. Arguments: send|echo, the file, rounds.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "brant.h"

static void check(brant_status status) {
    if (status == BRANT_OK) return;
    fprintf(stderr, "%s: %s\n", brant_last_error()->name, brant_last_error()->message);
    exit(1);
}

static long long now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void notify(brant_db *db, const char *channel, long long payload) {
    char json[96], *answer = NULL;
    size_t length = 0;
    const int size =
        snprintf(json, sizeof json, "{\"channel\":\"%s\",\"payload\":%lld}", channel, payload);
    check(brant_event_notify(&answer, &length, db, json, (size_t)size));
    brant_free(answer);
}

static long long await(brant_cursor *cursor) {
    char *answer = NULL;
    size_t length = 0;
    check(brant_cursor_next(&answer, &length, cursor, -1));
    const long long payload = strtoll(strstr(answer, "\"payload\":") + 10, NULL, 10);
    brant_free(answer);
    return payload;
}

int main(int count, char **arguments) {
    brant_db *db = NULL;
    brant_cursor *cursor = NULL;
    char json[48];
    if (count != 4) return 2;
    const int echo = strcmp(arguments[1], "echo") == 0, rounds = atoi(arguments[3]);
    check(brant_open(&db, arguments[2], strlen(arguments[2]), "", 0));
    const int size = snprintf(json, sizeof json, "{\"channels\":[\"%s\"]}", echo ? "ping" : "pong");
    check(brant_event_listen(&cursor, db, json, (size_t)size));
    if (echo) {
        puts("ready");
        fflush(stdout);
    }
    for (int n = 0; n < rounds; n++) {
        const struct timespec pause = {0, 1000000};
        if (echo) {
            (void)await(cursor);
            notify(db, "pong", now_ns());
            continue;
        }
        nanosleep(&pause, NULL);
        notify(db, "ping", n);
        const long long committed = now_ns();
        printf("%lld\n", await(cursor) - committed);
    }
    brant_cursor_free(cursor);
    brant_db_free(db);
    return 0;
}
