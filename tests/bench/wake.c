/*
 * tests/bench/wake.c: how soon a waiting process has read what another committed, and what waiting costs.
 *
 * usage: wake [rounds] [waiters] [seconds]
 *
 * 1. Two processes: one commits a notification, the other waits for it and answers with one of its own, which the first waits for. A round is timed from before
 *    the commit to the other side having read the row, by the machine's monotonic clock, which both share; the writer's own time to commit is in it and is
 *    shown apart.
 * 2. `waiters` handles in one process, each waited for by a thread, none woken: their processor time over some seconds.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "brant.h"

static void check(brant_status status, const char *what) {
    if (status == BRANT_OK) return;
    fprintf(stderr, "%s: %s: %s\n", what, brant_last_error()->name, brant_last_error()->message);
    exit(1);
}

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static brant_db *open_file(const char *path) {
    brant_db *db = NULL;
    check(brant_open(&db, path, strlen(path), "", 0), "open");
    return db;
}

static brant_cursor *listen_to(brant_db *db, const char *pattern) {
    brant_cursor *cursor = NULL;
    char json[128];
    snprintf(json, sizeof json, "{\"channels\":[\"%s\"]}", pattern);
    check(brant_event_listen(&cursor, db, json, strlen(json)), "listen");
    return cursor;
}

static void notify(brant_db *db, const char *channel, int64_t payload) {
    char json[128];
    char *answer = NULL;
    size_t length = 0;
    snprintf(json, sizeof json, "{\"channel\":\"%s\",\"payload\":%lld}", channel,
             (long long)payload);
    check(brant_event_notify(&answer, &length, db, json, strlen(json)), "notify");
    brant_free(answer);
}

/* Wait for one item; its payload, an integer. */
static int64_t await(brant_cursor *cursor) {
    char *answer = NULL;
    size_t length = 0;
    check(brant_cursor_next(&answer, &length, cursor, 10000), "next");
    const char *payload = strstr(answer, "\"payload\":");
    if (!payload) {
        fprintf(stderr, "no item within 10 s\n");
        exit(1);
    }
    const int64_t value = strtoll(payload + strlen("\"payload\":"), NULL, 10);
    brant_free(answer);
    return value;
}

static int by_size(const void *a, const void *b) {
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void show(const char *what, int64_t *times, int count) {
    qsort(times, (size_t)count, sizeof *times, by_size);
    printf("%-34s p50 %7.1f us  p90 %7.1f us  p99 %7.1f us  max %8.1f us\n", what,
           (double)times[count / 2] / 1e3, (double)times[count * 9 / 10] / 1e3,
           (double)times[count * 99 / 100] / 1e3, (double)times[count - 1] / 1e3);
}

static void ping_pong(const char *path, int rounds) {
    int ready[2];
    if (pipe(ready) != 0) exit(1);
    brant_db_free(open_file(path)); /* made, and closed before fork */
    const pid_t child = fork();
    if (child == 0) {
        brant_db *db = open_file(path);
        brant_cursor *cursor = listen_to(db, "ping");
        if (write(ready[1], "r", 1) != 1) _exit(1);
        for (int i = 0; i < rounds; i++) {
            (void)await(cursor);
            notify(db, "pong", now_ns()); /* now the row has been read */
        }
        brant_cursor_free(cursor);
        brant_db_free(db);
        _exit(0);
    }
    char byte;
    if (read(ready[0], &byte, 1) != 1) exit(1);
    brant_db *db = open_file(path);
    brant_cursor *cursor = listen_to(db, "pong");
    int64_t *whole = calloc((size_t)rounds, sizeof *whole),
            *commit = calloc((size_t)rounds, sizeof *commit),
            *wake = calloc((size_t)rounds, sizeof *wake);
    for (int i = 0; i < rounds; i++) {
        const struct timespec pause = {0, 200000}; /* the other side is asleep again */
        nanosleep(&pause, NULL);
        const int64_t begin = now_ns();
        notify(db, "ping", i);
        const int64_t committed = now_ns();
        const int64_t read_at = await(cursor);
        whole[i] = read_at - begin;
        commit[i] = committed - begin;
        wake[i] = read_at > committed ? read_at - committed : 0;
    }
    show("notify called -> other has read it", whole, rounds);
    show("  the notify call alone", commit, rounds);
    show("  notify returned -> other has read", wake, rounds);
    brant_cursor_free(cursor);
    brant_db_free(db);
    waitpid(child, NULL, 0);
    free(whole);
    free(commit);
    free(wake);
}

static void *wait_idle(void *cursor) {
    char *answer = NULL;
    size_t length = 0;
    (void)brant_cursor_next(&answer, &length, cursor, -1);
    brant_free(answer);
    return NULL;
}

static double processor_seconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void idle(const char *path, int waiters, int seconds) {
    brant_db **handles = calloc((size_t)waiters, sizeof *handles);
    brant_cursor **cursors = calloc((size_t)waiters, sizeof *cursors);
    pthread_t *threads = calloc((size_t)waiters, sizeof *threads);
    for (int i = 0; i < waiters; i++) {
        handles[i] = open_file(path);
        cursors[i] = listen_to(handles[i], "nothing:*");
        pthread_create(&threads[i], NULL, wait_idle, cursors[i]);
    }
    sleep(1);
    const double before = processor_seconds();
    sleep((unsigned)seconds);
    const double used = processor_seconds() - before;
    printf("%d idle waiters: %.2f ms of processor time a second, %.1f us each\n", waiters,
           used / seconds * 1e3, used / seconds / waiters * 1e6);

    brant_db *writer = open_file(path);
    const int64_t begin = now_ns();
    for (int i = 0; i < 1000; i++)
        notify(writer, "other", i);
    printf("a notify that concerns none of %d waiters: %.1f us\n", waiters,
           (double)(now_ns() - begin) / 1e6);
    brant_db_free(writer);

    for (int i = 0; i < waiters; i++)
        brant_close(handles[i]);
    for (int i = 0; i < waiters; i++) {
        pthread_join(threads[i], NULL);
        brant_cursor_free(cursors[i]);
        brant_db_free(handles[i]);
    }
    free(handles);
    free(cursors);
    free(threads);
}

int main(int argc, char **argv) {
    const int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 5000;
    const int waiters = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 100;
    const int seconds = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 5;
    char folder[] = "/tmp/brant-wake-XXXXXX", path[64], file[80];
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    if (!mkdtemp(folder)) return 1;
    snprintf(path, sizeof path, "%s/wake.db", folder);
    ping_pong(path, rounds);
    idle(path, waiters, seconds);
    for (int i = 0; i < 3; i++) {
        snprintf(file, sizeof file, "%s%s", path, suffixes[i]);
        unlink(file);
    }
    if (rmdir(folder) != 0) fprintf(stderr, "%s is not empty\n", folder);
    return 0;
}
