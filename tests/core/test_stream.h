/*
 * tests/core/test_stream.h: what the tests of streams and of consumers share: a clock, cursors and their items in short.
 */
#ifndef BRANT_TESTS_STREAM_H
#define BRANT_TESTS_STREAM_H

#include "support.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <time.h>

static inline int set_up(void **state) {
    *state = make_folder();
    return 0;
}

static inline int tear_down(void **state) {
    remove_folder(*state);
    return 0;
}

/* The clock of handles that open_at opened. */
static int64_t clock_ms = 1000000;

static inline int64_t read_clock(void *context) {
    (void)context;
    return clock_ms;
}

static inline int read_random(void *context, void *bytes, size_t length) {
    static unsigned char next;
    (void)context;
    for (size_t i = 0; i < length; i++)
        ((unsigned char *)bytes)[i] = (unsigned char)(next += 37);
    return 0;
}

static inline brant_db *open_at(const char *path) {
    static const brant_sources sources = {read_clock, read_random, NULL};
    brant_db *db = NULL;
    assert_int_equal(brant_open_with(&db, TEXT(path), "", 0, &sources), BRANT_OK);
    return db;
}

static inline brant_cursor *must_subscribe(brant_db *db, const char *json) {
    brant_cursor *cursor = NULL;
    if (brant_stream_subscribe(&cursor, db, TEXT(json)) != BRANT_OK)
        fail_msg("subscribing %s: %s", json, brant_last_error()->message);
    return cursor;
}

/* Items or events of an answer in short: "1=payload 2:key=payload gap(3,4)". */
static inline const char *short_items(const char *answer) {
    static _Thread_local char line[1 << 20];
    size_t used = 0;
    line[0] = '\0';
    for (const char *at = answer; *at; at++) {
        long long offset = 0, from = 0, to = 0;
        char key[64] = "", payload[64] = "";
        if (sscanf(at, "{\"offset\":%lld,\"key\":\"%63[^\"]\",\"payload\":%63[^,}]", &offset, key,
                   payload) == 3)
            used += (size_t)snprintf(line + used, sizeof line - used, "%s%lld:%s=%s",
                                     used ? " " : "", offset, key, payload);
        else if (sscanf(at, "{\"offset\":%lld,\"payload\":%63[^,}]", &offset, payload) == 2)
            used += (size_t)snprintf(line + used, sizeof line - used, "%s%lld=%s", used ? " " : "",
                                     offset, payload);
        else if (sscanf(at, "\"gap\":{\"from\":%lld,\"to\":%lld}", &from, &to) == 2)
            used += (size_t)snprintf(line + used, sizeof line - used, "%sgap(%lld,%lld)",
                                     used ? " " : "", from, to);
        assert_true(used < sizeof line);
    }
    return line;
}

static inline const char *next_items(brant_cursor *cursor, int64_t timeout) {
    char *answer = NULL;
    size_t length = 0;
    if (brant_cursor_next(&answer, &length, cursor, timeout) != BRANT_OK)
        fail_msg("next: %s: %s", brant_last_error()->name, brant_last_error()->message);
    const char *line = short_items(answer);
    brant_free(answer);
    return line;
}

static inline void expect_next(brant_cursor *cursor, const char *wanted) {
    assert_string_equal(next_items(cursor, 0), wanted);
}

static inline void expect_items(brant_db *db, const char *name, const char *json,
                                const char *wanted) {
    char *answer = must_call(db, name, json, NULL);
    const char *line = short_items(answer);
    if (strcmp(line, wanted) != 0) fail_msg("%s %s: \"%s\", not \"%s\"", name, json, line, wanted);
    brant_free(answer);
}

/* Events with payloads from..to on stream s, one call. */
static inline void publish_range(brant_db *db, int from, int to) {
    char *json = malloc(64 + (size_t)(to - from + 1) * 32);
    size_t used = (size_t)sprintf(json, "{\"stream\":\"s\",\"items\":[");
    for (int i = from; i <= to; i++)
        used += (size_t)sprintf(json + used, "%s{\"payload\":%d}", i > from ? "," : "", i);
    sprintf(json + used, "]}");
    must(db, "streams.publish_many", json, NULL);
    free(json);
}

static inline void publish_keyed(brant_db *db, const char *key, const char *payload) {
    char json[200];
    snprintf(json, sizeof json, "{\"stream\":\"s\",\"key\":\"%s\",\"payload\":%s}", key, payload);
    must(db, "streams.publish", json, NULL);
}

/* The plan of a statement of ours must use what is wanted, and scan or sort nothing. */
static inline void must_plan(const char *path, const char *sql, const char *wanted) {
    sqlite3 *sqlite = NULL;
    sqlite3_stmt *statement = NULL;
    char text[2048], plan[4096] = "";
    snprintf(text, sizeof text, "EXPLAIN QUERY PLAN %s", sql);
    assert_int_equal(sqlite3_open_v2(path, &sqlite, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    if (sqlite3_prepare_v2(sqlite, text, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(sqlite));
    while (sqlite3_step(statement) == SQLITE_ROW) {
        strncat(plan, (const char *)sqlite3_column_text(statement, 3),
                sizeof plan - strlen(plan) - 2);
        strcat(plan, ";");
    }
    sqlite3_finalize(statement);
    sqlite3_close(sqlite);
    if (!strstr(plan, wanted) || strstr(plan, "SCAN") || strstr(plan, "TEMP B-TREE"))
        fail_msg("%s: plan \"%s\"", sql, plan);
}

#endif
