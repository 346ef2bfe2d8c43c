/*
 * tests/core/support.h: what the cmocka tests of the modules share: a folder of their own, a handle on a real file, calls that must succeed or fail.
 */
#ifndef BRANT_TESTS_SUPPORT_H
#define BRANT_TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "brant.h"

#define TEXT(string) (string), strlen(string)

typedef brant_status (*operation_function)(char **, size_t *, brant_db *, const char *, size_t);

/* A new folder under the system's temporary one; remove_folder deletes it with what it holds. */
static inline char *make_folder(void) {
    char *path = strdup("/tmp/brant-test-XXXXXX");
    assert_non_null(mkdtemp(path));
    return path;
}

/* For tests that make thousands of files and lose no power: where nothing waits for a disk, if there is such a place. */
static inline char *make_folder_in_memory(void) {
    char *path = strdup("/dev/shm/brant-test-XXXXXX");
    if (mkdtemp(path)) return path;
    free(path);
    return make_folder();
}

static inline void remove_folder(char *path) {
    DIR *folder = opendir(path);
    struct dirent *entry;
    char name[4096];
    while (folder && (entry = readdir(folder))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (entry->d_type == DT_DIR)
            remove_folder(strdup(name));
        else
            unlink(name);
    }
    if (folder) closedir(folder);
    rmdir(path);
    free(path);
}

/* For tests whose state is a folder. */
static inline int set_up_folder(void **state) {
    *state = make_folder();
    return 0;
}
static inline int tear_down_folder(void **state) {
    remove_folder(*state);
    return 0;
}

static inline int64_t monotonic_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
static inline void pause_ms(long ms) {
    const struct timespec span = {ms / 1000, (ms % 1000) * 1000000};
    nanosleep(&span, NULL);
}

/* `folder`/`name`, in a buffer that the next call but three overwrites. */
static inline const char *in_folder(const char *folder, const char *name) {
    static char names[4][4096];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(names[turn], sizeof names[turn], "%s/%s", folder, name);
    return names[turn];
}

/* The options of who is patient, as a busy machine wants: also in processes that a test starts. */
#define PATIENT "{\"busy_timeout\":600000}"

/* Without options it is patient. */
static inline brant_db *must_open(const char *path, const char *options) {
    brant_db *db = NULL;
    if (!*options) options = PATIENT;
    const brant_status status = brant_open(&db, TEXT(path), TEXT(options));
    if (status != BRANT_OK)
        fail_msg("opening %s: %s: %s", path, brant_last_error()->name, brant_last_error()->message);
    assert_non_null(db);
    return db;
}

static inline void must_not_open(const char *path, const char *options, brant_status wanted,
                                 const char *message) {
    brant_db *db = NULL;
    const brant_status status = brant_open(&db, TEXT(path), TEXT(options));
    if (status != wanted)
        fail_msg("opening %s: wanted %s, got %s: %s", path, brant_status_name(wanted),
                 brant_status_name(status), brant_last_error()->message);
    assert_null(db);
    if (!strstr(brant_last_error()->message, message))
        fail_msg("opening %s: the message \"%s\" does not say \"%s\"", path,
                 brant_last_error()->message, message);
}

/* Call by registry name. The answer must hold `wanted` as text (NULL: anything); the caller frees it. */
static inline char *must_call(brant_db *db, const char *name, const char *json,
                              const char *wanted) {
    char *answer = NULL;
    size_t length = 0;
    const brant_status status = brant_call(&answer, &length, db, TEXT(name), TEXT(json));
    if (status != BRANT_OK)
        fail_msg("%s %s: %s: %s %s", name, json, brant_last_error()->name,
                 brant_last_error()->message, brant_last_error()->detail);
    assert_non_null(answer);
    assert_int_equal(strlen(answer), length);
    if (wanted && !strstr(answer, wanted))
        fail_msg("%s %s: \"%s\" does not hold \"%s\"", name, json, answer, wanted);
    return answer;
}

static inline void must(brant_db *db, const char *name, const char *json, const char *wanted) {
    brant_free(must_call(db, name, json, wanted));
}

static inline void must_fail(brant_db *db, const char *name, const char *json, brant_status wanted,
                             const char *message) {
    char *answer = NULL;
    size_t length = 1;
    const brant_status status = brant_call(&answer, &length, db, TEXT(name), TEXT(json));
    if (status != wanted)
        fail_msg("%s %s: wanted %s, got %s: %s", name, json, brant_status_name(wanted),
                 brant_status_name(status), status ? brant_last_error()->message : answer);
    assert_null(answer);
    assert_int_equal(length, 0);
    assert_int_equal(brant_last_error()->code, wanted);
    if (message && !strstr(brant_last_error()->message, message))
        fail_msg("%s %s: the message \"%s\" does not say \"%s\"", name, json,
                 brant_last_error()->message, message);
}

/* The number that a query gives. */
static inline int64_t number(brant_db *db, const char *sql) {
    char json[1024];
    long long value = -1;
    snprintf(json, sizeof json, "{\"sql\":\"%s\"}", sql);
    char *answer = must_call(db, "sql.execute", json, NULL);
    const char *rows = strstr(answer, "\"rows\":[[");
    if (!rows || sscanf(rows, "\"rows\":[[%lld", &value) != 1) fail_msg("%s: %s", sql, answer);
    brant_free(answer);
    return value;
}

/* db.doctor finds nothing. */
static inline void must_be_well(brant_db *db) {
    static const char end[] = "],\"ok\":true}";
    char *answer = must_call(db, "db.doctor", "", NULL);
    if (strstr(answer, "\"ok\":false") || strcmp(answer + strlen(answer) - strlen(end), end) != 0)
        fail_msg("db.doctor: %s", answer);
    brant_free(answer);
}

static inline brant_cursor *must_listen_to(brant_db *db, const char *pattern) {
    brant_cursor *cursor = NULL;
    char json[256];
    snprintf(json, sizeof json, "{\"channels\":[\"%s\"]}", pattern);
    if (brant_event_listen(&cursor, db, TEXT(json)) != BRANT_OK)
        fail_msg("listen: %s", brant_last_error()->message);
    return cursor;
}

#endif
