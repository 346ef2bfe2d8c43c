/*
 * store/function.c: SQL functions that the statements on graphs use.
 *
 * None of them may stand in the schema (an index, a trigger, a view): the file must stay readable without us.
 */
#include "base/json.h"
#include "store/handle.h"

static brant__text argument(sqlite3_value *value) {
    const char *text = (const char *)sqlite3_value_text(value);
    return brant__text_of(text, text ? (size_t)sqlite3_value_bytes(value) : 0);
}

/* A fault of a function is the statement's: what it left in the record is not told. */
static void fail(sqlite3_context *context, brant_status status) {
    brant__error_code();
    if (status == BRANT_NO_MEMORY)
        sqlite3_result_error_nomem(context);
    else
        sqlite3_result_error(context, "a stored value is not JSON", -1);
}

/* brant_json_equal(a, b): are two JSON texts the same value? NULL where one is NULL. */
static void json_equal(sqlite3_context *context, int count, sqlite3_value **values) {
    brant__json a = {0}, b = {0};
    const brant__text left = argument(values[0]), right = argument(values[1]);
    (void)count;
    if (!left.data || !right.data) return;
    brant_status status = brant__json_parse(&a, left.data, left.length, 0);
    if (status == BRANT_OK) status = brant__json_parse(&b, right.data, right.length, 0);
    if (status == BRANT_OK)
        sqlite3_result_int(context, brant__json_equal(a.root, b.root));
    else
        fail(context, status);
    brant__json_free(&b);
    brant__json_free(&a);
}

/* brant_edge_key(source, type or NULL, target): the key of an edge that has none of its own. */
static void edge_key(sqlite3_context *context, int count, sqlite3_value **values) {
    brant__buffer key = {0};
    (void)count;
    for (int i = 0; i < 3; i++) {
        const brant__text text = argument(values[i]);
        brant__buffer_append_byte(&key, i == 0 ? '[' : ',');
        if (text.data)
            brant__json_append_text(&key, text);
        else
            brant__buffer_append(&key, "null", 4);
    }
    brant__buffer_append_byte(&key, ']');
    if (key.failed)
        sqlite3_result_error_nomem(context);
    else
        sqlite3_result_text64(context, key.data, key.length, SQLITE_TRANSIENT, SQLITE_UTF8);
    brant__buffer_free(&key);
}

int brant__functions_create(sqlite3 *sqlite) {
    const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
    const int code = sqlite3_create_function_v2(sqlite, "brant_json_equal", 2, flags, NULL,
                                                json_equal, NULL, NULL, NULL);
    return code == SQLITE_OK ? sqlite3_create_function_v2(sqlite, "brant_edge_key", 3, flags, NULL,
                                                          edge_key, NULL, NULL, NULL)
                             : code;
}
