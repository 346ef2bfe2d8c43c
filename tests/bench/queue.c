/*
 * tests/bench/queue.c: what enqueueing, claiming and acknowledging cost, and whether a claim stays flat beside a backlog that cannot run.
 *
 *     bench_queue [jobs [runs [backlog]]]
 *
 * Single operations are a transaction each, synchronous=NORMAL, payloads of 100 bytes; batches of 10, 100 and 1000. Then single claims with acks beside `backlog` jobs (0: left out) that are delayed, dead, of
 * a paused queue, of another queue, or blocked behind one key. Medians of `runs`, a new file each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "brant.h"

#define RUNS_MAX 31
#define PAYLOAD                                                                                    \
    "{\"text\":"                                                                                   \
    "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"  \
    "\"}"

typedef brant_status (*operation)(char **, size_t *, brant_db *, const char *, size_t);

static void fail(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int compare(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *values, int count) {
    qsort(values, (size_t)count, sizeof *values, compare);
    return values[count / 2];
}

static char *ask(brant_db *db, operation operation, const char *json) {
    char *answer;
    size_t length;
    if (operation(&answer, &length, db, json, strlen(json)) != BRANT_OK)
        fail(json, brant_last_error()->message);
    return answer;
}

static void call(brant_db *db, operation operation, const char *json) {
    brant_free(ask(db, operation, json));
}

static brant_db *open_file(const char *path) {
    brant_db *db;
    if (brant_open(&db, path, strlen(path), "{}", 2) != BRANT_OK)
        fail(path, brant_last_error()->message);
    return db;
}

static void remove_file(brant_db *db, const char *path) {
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    char file[128];
    brant_db_free(db);
    for (size_t i = 0; i < 3; i++) {
        snprintf(file, sizeof file, "%s%s", path, suffixes[i]);
        unlink(file);
    }
}

/* The ids and tokens of an answer to queues.claim as items of jobs.ack_many; how many. */
static int ack_items(char *out, const char *answer) {
    int count = 0;
    char *at = out;
    for (const char *item = answer; (item = strstr(item, "{\"id\":")); item++, count++)
        at += sprintf(at, "%s{\"id\":%lld,\"token\":%lld}", count ? "," : "", atoll(item + 6),
                      atoll(strstr(item, "\"token\":") + 8));
    *at = '\0';
    return count;
}

/* ---- throughput ----------------------------------------------------------------------------------- */

enum { ENQUEUE, CLAIM, ACK, KINDS };

static char text[1 << 20], items[1 << 20];

static void enqueue(brant_db *db, const char *queue, int count, const char *options) {
    char *at = text + sprintf(text, "{\"queue\":\"%s\",\"items\":[", queue);
    for (int i = 0; i < count; i++)
        at += sprintf(at, "%s{\"payload\":" PAYLOAD "%s}", i ? "," : "", options);
    strcpy(at, "]}");
    call(db, brant_queue_enqueue_many, text);
}

static void measure(double seconds[KINDS], const char *path, int jobs, int batch) {
    brant_db *db = open_file(path);
    char **claimed = calloc((size_t)jobs, sizeof *claimed);
    double start = now();
    if (!claimed) fail("memory", "none");
    for (int i = 0; i < jobs; i += batch)
        if (batch == 1)
            call(db, brant_queue_enqueue, "{\"queue\":\"q\",\"payload\":" PAYLOAD "}");
        else
            enqueue(db, "q", batch, "");
    seconds[ENQUEUE] = now() - start;
    snprintf(text, sizeof text, "{\"queue\":\"q\",\"limit\":%d}", batch);
    start = now();
    for (int i = 0; i < jobs / batch; i++)
        claimed[i] = ask(db, brant_queue_claim, text);
    seconds[CLAIM] = now() - start;
    seconds[ACK] = 0;
    for (int i = 0; i < jobs / batch; i++) {
        if (ack_items(items, claimed[i]) != batch) fail("claim", "too few jobs");
        if (batch == 1)
            strcpy(text, items);
        else
            snprintf(text, sizeof text, "{\"items\":[%s]}", items);
        start = now();
        call(db, batch == 1 ? brant_job_ack : brant_job_ack_many, text);
        seconds[ACK] += now() - start;
        brant_free(claimed[i]);
    }
    free(claimed);
    remove_file(db, path);
}

/* ---- flatness ---------------------------------------------------------------------------------------- */

static const char *const backlogs[] = {"nothing",        "delayed", "dead",
                                       "a paused queue", "foreign", "blocked"};

static void bury(brant_db *db, int count) {
    for (int i = 0; i < count; i += 1000) {
        enqueue(db, "q", 1000, ",\"max_attempts\":1");
        char *answer = ask(db, brant_queue_claim, "{\"queue\":\"q\",\"limit\":1000}");
        call(db, brant_transaction_begin, "{}");
        for (const char *item = answer; (item = strstr(item, "{\"id\":")); item++) {
            snprintf(text, sizeof text, "{\"id\":%lld,\"token\":1,\"error\":\"x\"}",
                     atoll(item + 6));
            call(db, brant_job_fail, text);
        }
        call(db, brant_transaction_commit, "{}");
        brant_free(answer);
    }
}

static void pile(brant_db *db, int backlog, int count) {
    static const char *const options[] = {"", ",\"delay\":100000000,\"priority\":9", "", "",
                                          "", ",\"key\":\"k\",\"priority\":9"};
    static const char *const queues[] = {"", "q", "", "paused", "foreign", "q"};
    if (backlog == 2) {
        bury(db, count);
        return;
    }
    if (backlog == 3) call(db, brant_queue_configure, "{\"queue\":\"paused\"}");
    if (backlog == 3) call(db, brant_queue_pause, "{\"queue\":\"paused\"}");
    if (backlog == 5) call(db, brant_queue_configure, "{\"queue\":\"q\",\"key_concurrency\":1}");
    for (int i = 0; i < count; i += 1000)
        enqueue(db, queues[backlog], 1000, options[backlog]);
    if (backlog == 5) call(db, brant_queue_claim, "{\"queue\":\"q\",\"lease\":100000000}");
}

/* Median of single claims, us. */
static double claim_beside(const char *path, int backlog, int count) {
    enum { SAMPLES = 2000 };
    static double samples[SAMPLES];
    brant_db *db = open_file(path);
    if (backlog) pile(db, backlog, count);
    enqueue(db, "q", SAMPLES, "");
    call(db, brant_db_maintain, "{}");
    for (int i = 0; i < SAMPLES; i++) {
        const double start = now();
        char *answer = ask(db, brant_queue_claim, "{\"queue\":\"q\"}");
        samples[i] = now() - start;
        if (ack_items(items, answer) != 1) fail("claim", "nothing");
        brant_free(answer);
        call(db, brant_job_ack, items);
    }
    remove_file(db, path);
    return median(samples, SAMPLES) * 1e6;
}

int main(int argc, char **argv) {
    static const int batches[] = {1, 10, 100, 1000};
    const int jobs = argc > 1 ? atoi(argv[1]) : 50000, runs = argc > 2 ? atoi(argv[2]) : 5,
              backlog = argc > 3 ? atoi(argv[3]) : 1000000;
    double seconds[KINDS], all[KINDS][RUNS_MAX], none = 0;
    char folder[] = "/tmp/brant-bench-XXXXXX", path[64];
    if (jobs < 1000 || jobs % 1000 || runs < 1 || runs > RUNS_MAX || backlog % 1000)
        fail("usage", "jobs and backlog in thousands, runs from 1 to 31");
    if (!mkdtemp(folder)) fail(folder, "cannot be made");
    snprintf(path, sizeof path, "%s/q.db", folder);
    printf("%d jobs of 100 bytes, synchronous=NORMAL, medians of %d runs, jobs/s\n%-12s %10s %10s "
           "%10s\n",
           jobs, runs, "transaction", "enqueue", "claim", "ack");
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
        for (int run = 0; run < runs; run++) {
            measure(seconds, path, jobs, batches[i]);
            for (int kind = 0; kind < KINDS; kind++)
                all[kind][run] = seconds[kind];
        }
        printf("%-12d %10.0f %10.0f %10.0f\n", batches[i], jobs / median(all[ENQUEUE], runs),
               jobs / median(all[CLAIM], runs), jobs / median(all[ACK], runs));
        fflush(stdout);
    }
    if (backlog) printf("a claim beside %d jobs that cannot run\n", backlog);
    for (size_t i = 0; backlog && i < sizeof backlogs / sizeof *backlogs; i++) {
        const double us = claim_beside(path, (int)i, backlog);
        if (i == 0) none = us;
        printf("%-16s %8.1f us %6.2f\n", backlogs[i], us, us / none);
        fflush(stdout);
    }
    rmdir(folder);
    return 0;
}
