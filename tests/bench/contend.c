/*
 * tests/bench/contend.c: processes that work on one queue at once, beside one alone.
 *
 * usage: contend [processes] [seconds] [rounds]
 *
 * Each enqueues, claims and acknowledges, a transaction each, as fast as it can. Shown: operations a second of one alone and of all together, and what the slowest got of its fair share;
 * the longest that one operation took. Medians of the rounds.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "brant.h"

typedef struct tally {
    long operations;
    int64_t longest; /* ns */
} tally;

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

/* A member of the answer that is a whole number. */
static long long ask(tally *tally, brant_db *db, const char *operation, const char *json,
                     const char *member, long long *out_second, const char *second) {
    char *answer = NULL;
    size_t length = 0;
    const int64_t begin = now_ns();
    check(brant_call(&answer, &length, db, operation, strlen(operation), json, strlen(json)),
          operation);
    const int64_t took = now_ns() - begin;
    if (took > tally->longest) tally->longest = took;
    tally->operations++;
    const char *found = member ? strstr(answer, member) : NULL;
    const long long value = found ? strtoll(found + strlen(member), NULL, 10) : 0;
    if (second && (found = strstr(answer, second)))
        *out_second = strtoll(found + strlen(second), NULL, 10);
    brant_free(answer);
    return value;
}

static void work(const char *path, tally *tally, int64_t until) {
    static const char job[] =
        "{\"queue\":\"q\",\"payload\":{\"text\":\"0123456789012345678901234567890"
        "123456789012345678901234567890123456789012345678901234567\"}}";
    brant_db *db = NULL;
    check(brant_open(&db, path, strlen(path), "", 0), "open");
    while (now_ns() < until) {
        char ack[96];
        long long token = 0;
        ask(tally, db, "queues.enqueue", job, NULL, NULL, NULL);
        const long long id =
            ask(tally, db, "queues.claim", "{\"queue\":\"q\"}", "\"id\":", &token, "\"token\":");
        if (!id) continue;
        snprintf(ack, sizeof ack, "{\"id\":%lld,\"token\":%lld}", id, token);
        ask(tally, db, "jobs.ack", ack, NULL, NULL, NULL);
    }
    brant_db_free(db);
}

static void run(const char *folder, int round, int count, double seconds, tally *tallies) {
    char path[256];
    brant_db *db = NULL;
    snprintf(path, sizeof path, "%s/%d-%d.db", folder, round, count);
    check(brant_open(&db, path, strlen(path), "", 0), "open");
    brant_db_free(db);
    const int64_t until = now_ns() + (int64_t)(seconds * 1e9);
    memset(tallies, 0, (size_t)count * sizeof *tallies);
    for (int i = 0; i < count; i++)
        if (fork() == 0) {
            work(path, &tallies[i], until);
            _exit(0);
        }
    int status = 0;
    while (wait(&status) > 0)
        if (status != 0) exit(1);
}

static int by_size(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int count) {
    qsort(values, (size_t)count, sizeof *values, by_size);
    return values[count / 2];
}

int main(int argument_count, char **arguments) {
    const int processes = argument_count > 1 ? atoi(arguments[1]) : 4;
    const double seconds = argument_count > 2 ? strtod(arguments[2], NULL) : 3;
    const int rounds = argument_count > 3 ? atoi(arguments[3]) : 3;
    char folder[] = "/tmp/brant-contend-XXXXXX";
    if (processes < 1 || rounds < 1 || !mkdtemp(folder)) return 2;
    tally *tallies = mmap(NULL, (size_t)processes * sizeof *tallies, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    double *alone = calloc((size_t)rounds, sizeof *alone),
           *together = calloc((size_t)rounds, sizeof *together),
           *share = calloc((size_t)rounds, sizeof *share),
           *longest = calloc((size_t)rounds, sizeof *longest);
    if (tallies == MAP_FAILED || !alone || !together || !share || !longest) return 2;
    for (int round = 0; round < rounds; round++) {
        run(folder, round, 1, seconds, tallies);
        alone[round] = (double)tallies[0].operations / seconds;
        run(folder, round, processes, seconds, tallies);
        long total = 0, least = tallies[0].operations;
        for (int i = 0; i < processes; i++) {
            total += tallies[i].operations;
            if (tallies[i].operations < least) least = tallies[i].operations;
            const double ms = (double)tallies[i].longest / 1e6;
            if (ms > longest[round]) longest[round] = ms;
        }
        together[round] = (double)total / seconds;
        share[round] = (double)least * processes / (double)total;
    }
    const double one = median(alone, rounds), all = median(together, rounds);
    printf("one process           %9.0f operations/s\n", one);
    printf("%d processes           %9.0f operations/s, %.2f times one; the slowest got %.2f of its "
           "fair "
           "share, the longest operation took %.0f ms\n",
           processes, all, all / one, median(share, rounds), median(longest, rounds));
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command) == 0 ? 0 : 1;
}
