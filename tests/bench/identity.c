/*
 * tests/bench/identity.c: how long it takes to verify an API key, beside what nobody who stores keys hashed can leave out: a select by a unique text, and one keyed BLAKE2b.
 *
 * usage: identity [keys] [samples]
 *
 * Medians of samples of some calls each, of random keys of the file, all with their use noted within the minute. The rival is bare: SQLite's own API on a file of its own with the same keys, each
 * select in a transaction of its own, as SQLite has it where none was begun, and libsodium's BLAKE2b of 75 bytes; no JSON, no rows of account, organisation and member, no check of any state.
 */
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "support.h"

enum { CALLS = 20, TOKEN = 96 };

typedef struct subject {
    brant_db *db;
    sqlite3 *rival;
    sqlite3_stmt *select;
    long keys;
    char (*inputs)[TOKEN + 16]; /* {"token":".."} */
    char (*kids)[17];
    uint64_t dice;
    const char *operation;
    const char *fixed; /* the input; NULL: a random key's */
    brant_status wanted;
    unsigned char hash[32];
} subject;

static void check_rival(int code, sqlite3 *db) {
    if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW) return;
    fprintf(stderr, "sqlite: %s\n", sqlite3_errmsg(db));
    exit(1);
}

static size_t draw(subject *work) {
    work->dice = work->dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)((work->dice >> 33) % (uint64_t)work->keys);
}

/* ---- what is measured ------------------------------------------------------------------------------------------------- */

static void do_call(subject *work) {
    char *answer = NULL;
    size_t length = 0;
    const char *input = work->fixed ? work->fixed : work->inputs[draw(work)];
    const brant_status status = brant_call(&answer, &length, work->db, work->operation,
                                           strlen(work->operation), input, strlen(input));
    if (status != work->wanted) check(status ? status : BRANT_INTERNAL, input);
    brant_free(answer);
}

static void do_select(subject *work) {
    const size_t key = draw(work);
    sqlite3_bind_text(work->select, 1, work->kids[key], 16, SQLITE_STATIC);
    check_rival(sqlite3_step(work->select), work->rival);
    if (sqlite3_column_bytes(work->select, 0) != 32) exit(1);
    sqlite3_reset(work->select);
}

static void do_hash(subject *work) {
    static const unsigned char key[32] = {7};
    crypto_generichash(work->hash, sizeof work->hash, (const unsigned char *)work->inputs[0], 75,
                       key, sizeof key);
}

static void do_rival(subject *work) {
    do_select(work);
    do_hash(work);
    if (sodium_memcmp(work->hash, work->inputs[0], sizeof work->hash) == 0) exit(1);
}

static int by_size(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef struct times {
    double median, p99;
} times;

/* Microseconds a call. */
static times measure(void (*call)(subject *), subject *work, long samples) {
    double *took = malloc((size_t)samples * sizeof *took);
    if (!took) exit(1);
    for (long i = -samples / 10; i < samples; i++) {
        const double start = now_us();
        for (int j = 0; j < CALLS; j++)
            call(work);
        if (i >= 0) took[i] = (now_us() - start) / CALLS;
    }
    qsort(took, (size_t)samples, sizeof *took, by_size);
    const times found = {took[samples / 2], took[samples * 99 / 100]};
    free(took);
    return found;
}

/* ---- the files ------------------------------------------------------------------------------------------------------------ */

static char *ask(brant_db *db, const char *name, const char *input) {
    char *answer = NULL;
    size_t length = 0;
    check(brant_call(&answer, &length, db, name, strlen(name), input, strlen(input)), name);
    return answer;
}

static void copy_member(char *out, size_t size, const char *answer, const char *name) {
    char begin[32];
    snprintf(begin, sizeof begin, "\"%s\":\"", name);
    const char *at = strstr(answer, begin);
    if (!at) exit(1);
    at += strlen(begin);
    snprintf(out, size, "%.*s", (int)strcspn(at, "\""), at);
}

static void make(subject *work) {
    static const char ring[] =
        "{\"keys\":[{\"purpose\":\"pepper\",\"version\":1,\"key\":"
        "\"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\"},{\"purpose\":\"audit\",\"version\":1,"
        "\"key\":\"AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI\"}]}";
    char owner[40], org[40], input[512];
    check(brant_keyring_load(work->db, ring, strlen(ring)), "ring");
    char *answer = ask(work->db, "accounts.create", "{\"email\":\"ann@example.com\"}");
    copy_member(owner, sizeof owner, answer, "id");
    brant_free(answer);
    snprintf(input, sizeof input, "{\"slug\":\"acme\",\"name\":\"Acme\",\"owner_id\":\"%s\"}",
             owner);
    answer = ask(work->db, "organizations.create", input);
    copy_member(org, sizeof org, answer, "id");
    brant_free(answer);
    brant_free(ask(work->db, "transaction.begin", "{}"));
    snprintf(input, sizeof input,
             "{\"owner_id\":\"%s\",\"org_id\":\"%s\",\"name\":\"key\",\"scopes\":[\"nodes:read\","
             "\"nodes:write\",\"edges:read\"]}",
             owner, org);
    for (long i = 0; i < work->keys; i++) {
        char token[TOKEN];
        answer = ask(work->db, "api_keys.create", input);
        copy_member(token, sizeof token, answer, "token");
        copy_member(work->kids[i], sizeof *work->kids, answer, "kid");
        snprintf(work->inputs[i], sizeof *work->inputs, "{\"token\":\"%s\"}", token);
        brant_free(answer);
    }
    /* Each is used now, so that no use is noted while it is measured. */
    for (long i = 0; i < work->keys; i++)
        brant_free(ask(work->db, "api_keys.verify", work->inputs[i]));
    brant_free(ask(work->db, "transaction.commit", "{}"));
}

static void make_rival(subject *work, const char *path) {
    sqlite3_stmt *insert = NULL;
    check_rival(sqlite3_open(path, &work->rival), work->rival);
    check_rival(sqlite3_exec(work->rival,
                             "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; "
                             "CREATE TABLE keys (id INTEGER PRIMARY KEY, kid TEXT NOT NULL UNIQUE, "
                             "hash BLOB NOT NULL, rest TEXT NOT NULL); BEGIN",
                             NULL, NULL, NULL),
                work->rival);
    check_rival(sqlite3_prepare_v2(work->rival,
                                   "INSERT INTO keys (kid, hash, rest) VALUES (?, ?, "
                                   "printf('%.*c', 200, 'x'))",
                                   -1, &insert, NULL),
                work->rival);
    for (long i = 0; i < work->keys; i++) {
        sqlite3_bind_text(insert, 1, work->kids[i], 16, SQLITE_STATIC);
        sqlite3_bind_blob(insert, 2, work->inputs[i], 32, SQLITE_STATIC);
        check_rival(sqlite3_step(insert), work->rival);
        sqlite3_reset(insert);
    }
    sqlite3_finalize(insert);
    check_rival(sqlite3_exec(work->rival, "COMMIT", NULL, NULL, NULL), work->rival);
    check_rival(sqlite3_prepare_v2(work->rival, "SELECT hash FROM keys WHERE kid = ?", -1,
                                   &work->select, NULL),
                work->rival);
}

static void remove_files(const char *folder) {
    static const char *const names[] = {"a.db", "a.db-wal", "a.db-shm",
                                        "b.db", "b.db-wal", "b.db-shm"};
    char path[128];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

static void print(const char *what, times found) {
    printf("%-44s %7.2f us  p99 %7.2f\n", what, found.median, found.p99);
}

int main(int count, char **arguments) {
    subject work = {.keys = count > 1 ? atol(arguments[1]) : 20000, .dice = 1};
    const long samples = count > 2 ? atol(arguments[2]) : 3000;
    char folder[] = "/tmp/brant-bench-XXXXXX", path[64], rival[64];
    struct utsname system;
    char wrong[TOKEN + 16];
    if (work.keys < 1 || samples < 10 || !mkdtemp(folder) || sodium_init() < 0) return 1;
    snprintf(path, sizeof path, "%s/a.db", folder);
    snprintf(rival, sizeof rival, "%s/b.db", folder);
    work.inputs = calloc((size_t)work.keys, sizeof *work.inputs);
    work.kids = calloc((size_t)work.keys, sizeof *work.kids);
    if (!work.inputs || !work.kids) return 1;
    check(brant_open(&work.db, path, strlen(path), "", 0), "open");
    make(&work);
    make_rival(&work, rival);
    uname(&system);
    printf("%s %s, %ld processors; brant %s, SQLite %s, libsodium %s; %ld keys, medians of %ld "
           "samples of %d calls\n",
           system.sysname, system.machine, sysconf(_SC_NPROCESSORS_ONLN), brant_version(),
           sqlite3_libversion(), sodium_version_string(), work.keys, samples, CALLS);
    work.operation = "api_keys.verify";
    const times verify = measure(do_call, &work, samples);
    print("api_keys.verify", verify);
    const times bare = measure(do_rival, &work, samples);
    print("rival: bare select by kid + keyed BLAKE2b", bare);
    print("  the select alone", measure(do_select, &work, samples));
    print("  BLAKE2b alone", measure(do_hash, &work, samples));
    work.operation = "auth.authenticate";
    print("auth.authenticate", measure(do_call, &work, samples));
    work.operation = "api_keys.verify";
    work.wanted = BRANT_AUTH;
    work.fixed = "{\"token\":\"brant_key_0000000000000000_"
                 "000000000000000000000000000000000000000000003cIk2\"}";
    print("api_keys.verify, kid that there is not", measure(do_call, &work, samples));
    snprintf(wrong, sizeof wrong, "%s", work.inputs[0]);
    wrong[60] = wrong[60] == 'a' ? 'b' : 'a';
    work.fixed = wrong;
    print("api_keys.verify, wrong checksum", measure(do_call, &work, samples));
    printf("api_keys.verify takes %.1f times the rival; target 20 us: %s\n",
           verify.median / bare.median, verify.median <= 20 ? "met" : "NOT met");
    sqlite3_finalize(work.select);
    sqlite3_close(work.rival);
    brant_db_free(work.db);
    remove_files(folder);
    return 0;
}
