/*
 * tests/core/test_graph.h: what the tests of the metagraph share: calls with formatted input,
 * answers as JSON, some graph types.
 */
#ifndef BRANT_TESTS_GRAPH_H
#define BRANT_TESTS_GRAPH_H

#include "support.h"

#include "base/json.h"

#define FORMAT(text, first) __attribute__((format(printf, text, first)))

static inline char *format_text(const char *format, va_list arguments) {
    char *text = NULL;

    if (vasprintf(&text, format, arguments) < 0) fail_msg("no memory");
    return text;
}

/* The call must succeed; its answer as text, which the next call but three frees. */
static inline const char *answer(brant_db *db, const char *name, const char *format, ...)
    FORMAT(3, 4);
static inline const char *answer(brant_db *db, const char *name, const char *format, ...) {
    static char *kept[4];
    static int turn;
    va_list arguments;
    char *json;

    va_start(arguments, format);
    json = format_text(format, arguments);
    va_end(arguments);
    turn = (turn + 1) % 4;
    brant_free(kept[turn]);
    kept[turn] = must_call(db, name, json, NULL);
    free(json);
    return kept[turn];
}

/* The call must succeed and answer exactly this. */
static inline void is(brant_db *db, const char *name, const char *wanted, const char *format, ...)
    FORMAT(4, 5);
static inline void is(brant_db *db, const char *name, const char *wanted, const char *format, ...) {
    va_list arguments;
    char *json, *got;

    va_start(arguments, format);
    json = format_text(format, arguments);
    va_end(arguments);
    got = must_call(db, name, json, NULL);
    if (strcmp(got, wanted) != 0) fail_msg("%s %s: \"%s\" is not \"%s\"", name, json, got, wanted);
    brant_free(got);
    free(json);
}

/* The call must succeed; its answer must hold the text. */
static inline void holds(brant_db *db, const char *name, const char *wanted, const char *format,
                         ...) FORMAT(4, 5);
static inline void holds(brant_db *db, const char *name, const char *wanted, const char *format,
                         ...) {
    va_list arguments;
    char *json;

    va_start(arguments, format);
    json = format_text(format, arguments);
    va_end(arguments);
    must(db, name, json, wanted);
    free(json);
}

/* The call must fail so, with a message that holds the text. */
static inline void fails(brant_db *db, const char *name, brant_status wanted, const char *message,
                         const char *format, ...) FORMAT(5, 6);
static inline void fails(brant_db *db, const char *name, brant_status wanted, const char *message,
                         const char *format, ...) {
    va_list arguments;
    char *json;

    va_start(arguments, format);
    json = format_text(format, arguments);
    va_end(arguments);
    must_fail(db, name, json, wanted, message);
    free(json);
}

static inline void detail_holds(const char *wanted) {
    const char *detail = brant_last_error()->detail;

    if (!strstr(detail, wanted)) fail_msg("the detail \"%s\" does not hold \"%s\"", detail, wanted);
}

/* The answer of a call, parsed; the caller frees it. */
static inline brant__json parsed(const char *text) {
    brant__json json = {0};

    if (brant__json_parse(&json, text, strlen(text), 0) != BRANT_OK) fail_msg("not JSON: %s", text);
    return json;
}

/* The stored counts are what is stored, and all else that the doctor looks at but SQLite's own
 * check is well. */
static inline void healthy(brant_db *db) {
    const char *text = answer(db, "db.doctor", "{}");
    brant__json json = parsed(text);
    size_t index, count;
    yyjson_val *check;

    yyjson_arr_foreach(brant__json_get(json.root, "checks"), index, count, check) {
        if (!brant__json_bool(brant__json_get(check, "ok"), false))
            fail_msg("the doctor found: %s", text);
    }
    brant__json_free(&json);
}

/* Directed, acyclic on demand; two node types, three edge types with constraints. */
#define TASK_CONFIG(members) "\"Config\":{\"type\":\"object\",\"properties\":{" members "}}"
#define TASK_ENTRIES                                                                               \
    "\"TaskNode\":{\"type\":\"object\",\"properties\":{\"title\":{\"type\":\"string\","            \
    "\"minLength\":1},\"priority\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":9}},"           \
    "\"required\":[\"title\"],\"additionalProperties\":false},"                                    \
    "\"PersonNode\":{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"}}},"        \
    "\"DependsOnEdge\":{\"type\":\"object\",\"properties\":{\"kind\":{\"enum\":[\"blocks\","       \
    "\"informs\"]}},\"additionalProperties\":false},"                                              \
    "\"DependsOnEdgeConstraints\":{\"type\":\"object\",\"properties\":{\"source\":{\"const\":"     \
    "\"Task\"},\"target\":{\"const\":\"Task\"}}},"                                                 \
    "\"AssignedEdge\":{\"type\":\"object\"},"                                                      \
    "\"AssignedEdgeConstraints\":{\"type\":\"object\",\"properties\":{\"source\":{\"const\":"      \
    "\"Task\"},\"target\":{\"const\":\"Person\"},\"max_out\":{\"const\":1},\"max_in\":{\"const\":" \
    "2}}},"                                                                                        \
    "\"RelatedEdge\":{\"type\":\"object\"}"
#define TASK_MODULE(name, config)                                                                  \
    "{\"$id\":\"" name "\",\"$defs\":{" TASK_CONFIG(config) "," TASK_ENTRIES "}}"

static inline void define(brant_db *db, const char *module) {
    holds(db, "graph_types.define", "\"id\":", "{\"module\":%s}", module);
}

#define GRAPH_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_folder, tear_down_folder)

#endif
