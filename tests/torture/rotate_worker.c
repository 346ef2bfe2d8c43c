/*
 * torture/rotate_worker.c: what rotate.py runs and kills.
 *
 * usage: torture_rotate fill FILE RING COUNT                       put secrets "s0".., whose values are "fill-<n>-" and a rest
 *        torture_rotate plain FILE RING COUNT                      put others, "p0".., whose values are "canary-<n>", before their type encrypts; with a change log
 *        torture_rotate write FILE RING LEDGER NAME FIRST STEP COUNT   change s<FIRST>, s<FIRST + STEP>.. and add others, until the input ends
 *        torture_rotate rotate FILE RING BATCH                     rotate until it is done; the last answer
 *        torture_rotate dump FILE RING GRAPH                       each secret: key, key version, value
 *        torture_rotate call FILE RING OPERATION INPUT             the answer
 *        torture_rotate primitives FILE RING COUNT                 ns of processor time to open and seal one value of 64 bytes
 *
 * RING is a file that holds a key ring. A writer notes "> key value" before a put and "+ key value" after it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "brant.h"
#include "crypto/crypto.h"

#define GRAPH "secrets"
#define LATE  "late" /* whose type encrypts later */
#define PAGE  1000

static brant_db *db;

static void die(const char *what) {
    const brant_error *error = brant_last_error();
    fprintf(stderr, "%s: %s: %s\n", what, error->name, error->message);
    exit(error->code == BRANT_CONFLICT ? 3 : 1);
}

__attribute__((format(printf, 2, 3))) static char *ask(const char *operation, const char *format,
                                                       ...) {
    va_list arguments;
    char *input = NULL, *answer = NULL;
    size_t length = 0;
    va_start(arguments, format);
    const int size = vasprintf(&input, format, arguments);
    va_end(arguments);
    if (size < 0) abort();
    if (brant_call(&answer, &length, db, operation, strlen(operation), input, (size_t)size) !=
        BRANT_OK)
        die(operation);
    free(input);
    return answer;
}

static void open_with_ring(const char *file, const char *ring) {
    static const char options[] = "{\"busy_timeout\":600000}";
    static char text[1 << 16];
    FILE *in = fopen(ring, "rb");
    if (!in) abort();
    const size_t length = fread(text, 1, sizeof text, in);
    fclose(in);
    if (brant_open(&db, file, strlen(file), options, strlen(options)) != BRANT_OK) die("open");
    if (brant_keyring_load(db, text, length) != BRANT_OK) die("key ring");
}

static void put_all(const char *graph, const char *key, const char *value, long count) {
    for (long from = 0; from < count; from += PAGE) {
        char *items = malloc(PAGE * 160), *at = items;
        if (!items) abort();
        for (long i = from; i < from + PAGE && i < count; i++)
            at += sprintf(at,
                          "%s{\"key\":\"%s%ld\",\"type\":\"Secret\",\"attributes\":{\"value\":"
                          "\"%s-%ld-%048ld\"}}",
                          i > from ? "," : "", key, i, value, i, i);
        brant_free(ask("nodes.put_many", "{\"graph\":\"%s\",\"items\":[%s]}", graph, items));
        free(items);
    }
}

static void fill(long count) {
    brant_free(ask("graphs.create", "{\"name\":\"" GRAPH "\",\"graph_type\":\"secret\"}"));
    put_all(GRAPH, "s", "fill", count);
}

#define LATE_MODULE                                                                                \
    "{\"$id\":\"" LATE "\",\"$defs\":{\"SecretNode\":{\"type\":\"object\",\"properties\":{"        \
    "\"value\":{\"type\":\"string\"%s}}}}}"

static void fill_plain(long count) {
    brant_free(ask("graph_types.define", "{\"module\":" LATE_MODULE "}", ""));
    brant_free(ask("graphs.create",
                   "{\"name\":\"" LATE "\",\"graph_type\":\"" LATE "\",\"changes\":true}"));
    put_all(LATE, "p", "canary", count);
    brant_free(ask("graph_types.update", "{\"name\":\"" LATE "\",\"module\":" LATE_MODULE "}",
                   ",\"x-encrypted\":true"));
}

/* ---- writing ---------------------------------------------------------------------------------- */

static void note(int ledger, char mark, const char *key, const char *value) {
    char line[200];
    const int length = snprintf(line, sizeof line, "%c %s %s\n", mark, key, value);
    if (write(ledger, line, (size_t)length) != length) abort();
}

static void put(int ledger, const char *key, const char *value) {
    char wanted[200];
    note(ledger, '>', key, value);
    brant_free(ask("nodes.put",
                   "{\"graph\":\"" GRAPH "\",\"key\":\"%s\",\"type\":\"Secret\",\"attributes\":{"
                   "\"value\":\"%s\"}}",
                   key, value));
    note(ledger, '+', key, value);
    char *opened =
        ask("nodes.open_secret",
            "{\"graph\":\"" GRAPH "\",\"key\":\"%s\",\"path\":\"attributes.value\"}", key);
    snprintf(wanted, sizeof wanted, "{\"value\":\"%s\",", value);
    if (strncmp(opened, wanted, strlen(wanted)) != 0) {
        fprintf(stderr, "%s is %s, not %s\n", key, opened, value);
        exit(1);
    }
    brant_free(opened);
}

static void write_until_end(const char *path, const char *name, long first, long step, long count) {
    const int ledger = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    unsigned short seed[3] = {(unsigned short)now.tv_nsec, (unsigned short)getpid(), 7};
    if (ledger < 0) abort();
    for (long n = 0; poll(&input, 1, 1) == 0; n++) {
        char key[64], value[100];
        if (n % 5 == 4)
            snprintf(key, sizeof key, "%s-%ld-%ld", name, (long)getpid(), n);
        else
            snprintf(key, sizeof key, "s%ld",
                     first + step * (nrand48(seed) % ((count - first + step - 1) / step)));
        snprintf(value, sizeof value, "%s-%ld-%ld-%048ld", name, (long)getpid(), n, n);
        put(ledger, key, value);
    }
    close(ledger);
}

/* ---- rotating, looking -------------------------------------------------------------------------- */

static void rotate(const char *batch) {
    for (bool done = false; !done;) {
        char *answer = ask("secrets.rotate", "{\"batch\":%s}", batch);
        done = strstr(answer, "{\"done\":true");
        if (strstr(answer, "\"failed\":0,") == NULL || done) puts(answer);
        brant_free(answer);
    }
}

static void call(const char *operation, const char *input) {
    char *answer = ask(operation, "%s", input);
    puts(answer);
    brant_free(answer);
}

/* The text of a member in an answer of ours, which has no escapes here. */
static const char *member(char **at, const char *name, char end) {
    char *found = strstr(*at, name);
    if (!found) return NULL;
    found += strlen(name);
    *at = strchr(found, end);
    if (!*at) abort();
    *(*at)++ = '\0';
    return found;
}

static void dump(const char *graph) {
    char cursor[4096] = "";
    for (;;) {
        char *answer = ask("nodes.list", "{\"graph\":\"%s\",\"limit\":%d%s}", graph, PAGE, cursor);
        char *at = answer;
        const char *key, *next;
        while ((key = member(&at, "{\"key\":\"", '"'))) {
            char *opened =
                ask("nodes.open_secret",
                    "{\"graph\":\"%s\",\"key\":\"%s\",\"path\":\"attributes.value\"}", graph, key);
            char *from = opened;
            const char *value = member(&from, "{\"value\":\"", '"');
            const char *version = member(&from, "\"key_version\":", '}');
            printf("%s\t%s\t%s\n", key, version, value);
            brant_free(opened);
        }
        next = member(&at, "\"cursor\":\"", '"');
        if (next) snprintf(cursor, sizeof cursor, ",\"cursor\":\"%s\"", next);
        brant_free(answer);
        if (!next) return;
    }
}

/* Without rows and locks: the same calls on one value. */
static void primitives(long count) {
    const brant__context here = {BRANT__TEXT("tenant"), BRANT__TEXT("graph"), BRANT__TEXT("node"),
                                 BRANT__TEXT("s12345"), BRANT__TEXT("/value")};
    const brant__text value =
        BRANT__TEXT("\"012345678901234567890123456789012345678901234567890123456789ab\"");
    brant__buffer sealed = {0}, opened = {0};
    brant__json json = {0};
    struct timespec from, to;
    if (brant__enter(db) != BRANT_OK || brant__envelope_seal(&sealed, db, &here, value) != BRANT_OK)
        die("seal");
    if (brant__json_parse(&json, sealed.data, sealed.length, 0) != BRANT_OK) die("parse");
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    for (long i = 0; i < count; i++) {
        brant__buffer_reset(&opened);
        brant__buffer_reset(&sealed);
        if (brant__envelope_open(&opened, NULL, db, &here, json.root) != BRANT_OK ||
            brant__envelope_seal(&sealed, db, &here, brant__text_of(opened.data, opened.length)) !=
                BRANT_OK)
            die("open and seal");
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    printf("%.0f\n",
           ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) /
               (double)count);
    brant__leave(db);
    brant__json_free(&json);
    brant__buffer_free(&sealed);
    brant__buffer_free(&opened);
}

int main(int count, char **arguments) {
    if (count < 4) return 2;
    const char *what = arguments[1];
    open_with_ring(arguments[2], arguments[3]);
    if (strcmp(what, "fill") == 0 && count == 5)
        fill(atol(arguments[4]));
    else if (strcmp(what, "write") == 0 && count == 9)
        write_until_end(arguments[4], arguments[5], atol(arguments[6]), atol(arguments[7]),
                        atol(arguments[8]));
    else if (strcmp(what, "rotate") == 0 && count == 5)
        rotate(arguments[4]);
    else if (strcmp(what, "plain") == 0 && count == 5)
        fill_plain(atol(arguments[4]));
    else if (strcmp(what, "dump") == 0 && count == 5)
        dump(arguments[4]);
    else if (strcmp(what, "call") == 0 && count == 6)
        call(arguments[4], arguments[5]);
    else if (strcmp(what, "primitives") == 0 && count == 5)
        primitives(atol(arguments[4]));
    else
        return 2;
    brant_db_free(db);
    return fflush(stdout) == 0 ? 0 : 1;
}
