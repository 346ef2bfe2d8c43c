/*
 * tests/bench/sql.c: what a short statement of the user's own SQL costs: by its primary key, inserted in a running transaction, and bytes in and out.
 *
 * usage: sql [samples]
 *
 * Medians of samples of some calls each, in CPU time; the statements take turns, so that what else the machine does meets all of them. "new text" differs each time, so that it is
 * prepared: the difference to the same text is what keeping statements saves.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "support.h"

enum { CALLS = 50, KINDS = 5, BYTES = 16384 };

static const char *const what[KINDS] = {"SELECT by key", "SELECT by key, new text", "INSERT",
                                        "INSERT, new text", "16 KiB of bytes in and out"};
static char blob[BYTES / 3 * 4 + 5], input[BYTES * 2];

static void run(brant_db *db, int kind, long i) {
    char *answer = NULL, mark[24] = "";
    size_t length = 0;
    if (kind == 1 || kind == 3) snprintf(mark, sizeof mark, "/* %ld */", i);
    if (kind < 2)
        snprintf(input, sizeof input,
                 "{\"sql\":\"SELECT id, name, price FROM goods WHERE id = ? AND price > "
                 "0%s\",\"params\":[%ld]}",
                 mark, i % 1000 + 1);
    else if (kind < 4)
        snprintf(input, sizeof input,
                 "{\"sql\":\"INSERT INTO goods (name, price) VALUES (?, "
                 "?)%s\",\"params\":[\"a thing\",%ld.5]}",
                 mark, i);
    else
        snprintf(input, sizeof input, "{\"sql\":\"SELECT ?\",\"params\":[{\"$base64\":\"%s\"}]}",
                 blob);
    check(brant_sql_execute(&answer, &length, db, input, strlen(input)), "sql.execute");
    brant_free(answer);
}

static int by_size(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double now(void) {
    struct timespec at;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at); /* other programs do not count */
    return (double)at.tv_sec * 1e9 + (double)at.tv_nsec;
}

int main(int argc, char **argv) {
    const long samples = argc > 1 ? atol(argv[1]) : 200;
    brant_db *db = NULL;
    double *took[KINDS];
    long turn = 0;
    if (samples < 1) return 1;
    memset(blob, 'Q', BYTES / 3 * 4);
    check(brant_open(&db, ":memory:", 8, "", 0), "open");
    must_call(db, "sql.execute",
              "{\"sql\":\"CREATE TABLE goods (id INTEGER PRIMARY KEY, name TEXT, price REAL)\"}");
    must_call(db, "transaction.begin", "{}");
    for (long i = 0; i < 1000; i++)
        run(db, 2, i);
    for (int kind = 0; kind < KINDS; kind++)
        if (!(took[kind] = calloc((size_t)samples, sizeof **took))) return 1;
    for (long sample = 0; sample < samples; sample++)
        for (int kind = 0; kind < KINDS; kind++) {
            const double from = now();
            for (int i = 0; i < CALLS; i++)
                run(db, kind, turn++);
            took[kind][sample] = (now() - from) / CALLS;
        }
    for (int kind = 0; kind < KINDS; kind++) {
        qsort(took[kind], (size_t)samples, sizeof **took, by_size);
        printf("%-28s %8.2f us\n", what[kind], took[kind][samples / 2] / 1000);
        free(took[kind]);
    }
    brant_db_free(db);
    return 0;
}
