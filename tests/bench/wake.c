/*
 * tests/bench/wake.c: how soon a waiting process has read what another committed, and what waiting costs.
 *
 * usage: wake [rounds] [waiters] [seconds]
 *
 * 1. Two processes: one commits a notification, the other waits for it and answers with one of its own, which the first waits for. A round is timed from before
 *    the commit to the other side having read the row, by the machine's monotonic clock, which both share; the writer's own time to commit is in it and is
 *    shown apart.
 *    Once with events.notify and events.listen, once with queues.enqueue and queues.watch, whose waiters sleep in the wait queue.
 * 2. `waiters` handles, each waited for, none woken: their processor time over some seconds: threads of one process, then processes.
 * 3. What a commit costs that concerns none, one or all of so many.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
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

/* An operation by its name, whose answer is of no interest. */
static void call(brant_db *db, const char *name, const char *json) {
    char *answer = NULL;
    size_t length = 0;
    check(brant_call(&answer, &length, db, name, strlen(name), json, strlen(json)), name);
    brant_free(answer);
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

/* ---- the wait queue ---- */

static brant_cursor *watch(brant_db *db, const char *queue) {
    brant_cursor *cursor = NULL;
    char json[128];
    static const char name[] = "queues.watch";
    snprintf(json, sizeof json, "{\"queue\":\"%s\"}", queue);
    check(brant_call_open(&cursor, db, name, strlen(name), json, strlen(json)), name);
    return cursor;
}

/* Wait until something is ready, claim it, and acknowledge it with the next claim, as a worker does. */
static void work(brant_db *db, brant_cursor *cursor, const char *queue, int64_t *id,
                 int64_t *token) {
    char json[200];
    for (;;) {
        char *answer = NULL;
        size_t length = 0;
        if (*id)
            snprintf(json, sizeof json, "{\"queue\":\"%s\",\"ack\":[{\"id\":%lld,\"token\":%lld}]}",
                     queue, (long long)*id, (long long)*token);
        else
            snprintf(json, sizeof json, "{\"queue\":\"%s\"}", queue);
        *id = 0;
        check(brant_call(&answer, &length, db, "queues.claim", 12, json, strlen(json)), "claim");
        const char *found = strstr(answer, "\"id\":"), *fence = strstr(answer, "\"token\":");
        if (found && fence) {
            *id = strtoll(found + 5, NULL, 10);
            *token = strtoll(fence + 8, NULL, 10);
        }
        brant_free(answer);
        if (*id) return;
        check(brant_cursor_next(&answer, &length, cursor, 10000), "next");
        if (length == 2) {
            fprintf(stderr, "no job within 10 s\n");
            exit(1);
        }
        brant_free(answer);
    }
}

static void jobs(const char *path, int rounds) {
    int ready[2], answers[2];
    if (pipe(ready) != 0 || pipe(answers) != 0) exit(1);
    const pid_t child = fork();
    if (child == 0) {
        brant_db *db = open_file(path);
        int64_t id = 0, token = 0;
        brant_cursor *cursor = watch(db, "ping");
        if (write(ready[1], "r", 1) != 1) _exit(1);
        for (int i = 0; i < rounds; i++) {
            work(db, cursor, "ping", &id, &token);
            const int64_t claimed = now_ns();
            if (write(answers[1], &claimed, sizeof claimed) != sizeof claimed) _exit(1);
        }
        brant_cursor_free(cursor);
        brant_db_free(db);
        _exit(0);
    }
    char byte;
    if (read(ready[0], &byte, 1) != 1) exit(1);
    brant_db *db = open_file(path);
    int64_t *whole = calloc((size_t)rounds, sizeof *whole),
            *wake = calloc((size_t)rounds, sizeof *wake);
    for (int i = 0; i < rounds; i++) {
        const struct timespec pause = {0, 300000};
        int64_t claimed = 0;
        nanosleep(&pause, NULL);
        const int64_t begin = now_ns();
        call(db, "queues.enqueue", "{\"queue\":\"ping\",\"payload\":1}");
        const int64_t committed = now_ns();
        if (read(answers[0], &claimed, sizeof claimed) != sizeof claimed) exit(1);
        whole[i] = claimed - begin;
        wake[i] = claimed > committed ? claimed - committed : 0;
    }
    show("enqueue called -> other claimed", whole, rounds);
    show("  enqueue returned -> claimed", wake, rounds);
    brant_db_free(db);
    waitpid(child, NULL, 0);
    free(whole);
    free(wake);
}

/* ---- waiting ---- */

static void *wait_idle(void *cursor) {
    char *answer = NULL;
    size_t length = 0;
    (void)brant_cursor_next(&answer, &length, cursor, -1);
    brant_free(answer);
    return NULL;
}

static double processor_seconds_of(pid_t process) {
    struct timespec used;
    clockid_t clock;
    if (clock_getcpuclockid(process, &clock) != 0 || clock_gettime(clock, &used) != 0) exit(1);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

/* The same in a process each. */
static void idle_processes(const char *path, int waiters, int seconds) {
    pid_t *processes = calloc((size_t)waiters, sizeof *processes);
    double before = 0, after = 0;
    int ready[2];
    char byte;
    if (pipe(ready) != 0) exit(1);
    for (int i = 0; i < waiters; i++) {
        if ((processes[i] = fork()) != 0) continue;
        brant_cursor *cursor = listen_to(open_file(path), "nothing:*");
        if (write(ready[1], "r", 1) != 1) _exit(1);
        wait_idle(cursor);
        _exit(0);
    }
    for (int i = 0; i < waiters; i++)
        if (read(ready[0], &byte, 1) != 1) exit(1);
    sleep(8); /* until the checks have backed off */
    for (int i = 0; i < waiters; i++)
        before += processor_seconds_of(processes[i]);
    sleep((unsigned)seconds);
    for (int i = 0; i < waiters; i++)
        after += processor_seconds_of(processes[i]);
    printf("%d idle waiters, a process each: %.3f %% of one processor\n", waiters,
           (after - before) / seconds * 100);
    for (int i = 0; i < waiters; i++) {
        kill(processes[i], SIGKILL);
        waitpid(processes[i], NULL, 0);
    }
    free(processes);
    brant_db *db = open_file(path);
    call(db, "db.maintain", "{}"); /* their rows and sockets */
    brant_db_free(db);
}

static void commits(const char *path, int waiters, const char *what, const char *channel) {
    enum { COUNT = 1000 };
    brant_db *writer = open_file(path);
    notify(writer, channel, 0);
    const int64_t begin = now_ns();
    for (int i = 0; i < COUNT; i++)
        notify(writer, channel, i);
    printf("a notify that concerns %s of %d waiters: %.1f us\n", what, waiters,
           (double)(now_ns() - begin) / 1e3 / COUNT);
    brant_db_free(writer);
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
    commits(path, waiters, "none", "other");
    sleep(8); /* until the checks have backed off */
    const double before = processor_seconds();
    sleep((unsigned)seconds);
    const double used = processor_seconds() - before;
    printf("%d idle waiters, threads of one process: %.3f %% of one processor\n", waiters,
           used / seconds * 100);
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
    const int seconds = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 20;
    char folder[] = "/tmp/brant-wake-XXXXXX", path[64], file[80];
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    if (!mkdtemp(folder)) return 1;
    snprintf(path, sizeof path, "%s/wake.db", folder);
    ping_pong(path, rounds);
    jobs(path, rounds);
    commits(path, 0, "none", "other");
    idle_processes(path, waiters, seconds);
    idle(path, waiters, seconds);
    for (int i = 0; i < 3; i++) {
        snprintf(file, sizeof file, "%s%s", path, suffixes[i]);
        unlink(file);
    }
    snprintf(file, sizeof file, "rm -rf %s.wake",
             path); /* sockets of the killed, too young for db.maintain */
    if (system(file) != 0) return 1;
    if (rmdir(folder) != 0) fprintf(stderr, "%s is not empty\n", folder);
    return 0;
}
