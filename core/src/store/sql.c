/*
 * store/sql.c: the user's own SQL on the same connection, in the same transaction.
 *
 * One statement a call; parameters and rows cross as JSON. What it may touch is the authorizer's matter.
 */
#include <ctype.h>
#include <math.h>

#include "store/handle.h"

/* ---- parameters ------------------------------------------------------------------------------------------------- */

static brant_status bind_value(brant_db *db, sqlite3_stmt *statement, int index,
                               yyjson_val *value) {
    int code = SQLITE_OK;
    if (!value || yyjson_is_null(value)) {
        code = sqlite3_bind_null(statement, index);
    } else if (yyjson_is_bool(value)) {
        code = sqlite3_bind_int(statement, index, yyjson_get_bool(value));
    } else if (yyjson_is_sint(value) ||
               (yyjson_is_uint(value) && yyjson_get_uint(value) <= INT64_MAX)) {
        code = sqlite3_bind_int64(statement, index, yyjson_get_sint(value));
    } else if (yyjson_is_num(value)) {
        code = sqlite3_bind_double(statement, index, yyjson_get_num(value));
    } else if (yyjson_is_str(value)) {
        code = sqlite3_bind_text64(statement, index, yyjson_get_str(value), yyjson_get_len(value),
                                   SQLITE_STATIC, SQLITE_UTF8);
    } else if (yyjson_is_obj(value) && yyjson_obj_size(value) == 1 &&
               yyjson_is_str(yyjson_obj_get(value, "$base64"))) {
        brant__buffer bytes = {0};
        if (!brant__base64_decode(&bytes, brant__json_get_text(value, "$base64"))) {
            brant__buffer_free(&bytes);
            return brant__fail(BRANT_INVALID, "parameter %d: \"$base64\" is not base64", index);
        }
        code = sqlite3_bind_blob64(statement, index, bytes.data ? bytes.data : "", bytes.length,
                                   SQLITE_TRANSIENT);
        brant__buffer_free(&bytes);
    } else {
        return brant__fail(BRANT_INVALID,
                           "parameter %d must be null, a boolean, a number, text, or {\"$base64\": "
                           "text} for bytes",
                           index);
    }
    return code == SQLITE_OK ? BRANT_OK : brant__sqlite_fail(db, code, "binding a parameter");
}

static brant_status bind_positions(brant_db *db, sqlite3_stmt *statement, yyjson_val *params) {
    const int wanted = sqlite3_bind_parameter_count(statement);
    if ((size_t)wanted != yyjson_arr_size(params))
        return brant__fail(BRANT_INVALID,
                           "the statement has %d parameters and %llu values were given", wanted,
                           (unsigned long long)yyjson_arr_size(params));
    size_t index, count;
    yyjson_val *value;
    yyjson_arr_foreach(params, index, count, value) {
        const brant_status status = bind_value(db, statement, (int)index + 1, value);
        if (status != BRANT_OK) return status;
    }
    return BRANT_OK;
}

static brant_status bind_names(brant_db *db, sqlite3_stmt *statement, yyjson_val *params) {
    const int wanted = sqlite3_bind_parameter_count(statement);
    size_t used = 0;
    for (int index = 1; index <= wanted; index++) {
        const char *name = sqlite3_bind_parameter_name(statement, index);
        if (!name || *name == '?')
            return brant__fail(BRANT_INVALID,
                               "parameter %d has no name; give the values as an array", index);
        yyjson_val *value = yyjson_obj_get(params, name + 1);
        if (!value) return brant__fail(BRANT_INVALID, "no value for parameter \"%.64s\"", name);
        const brant_status status = bind_value(db, statement, index, value);
        if (status != BRANT_OK) return status;
        used++;
    }
    if (used != yyjson_obj_size(params))
        return brant__fail(BRANT_INVALID,
                           "the statement has %llu named parameters and %llu values were given",
                           (unsigned long long)used, (unsigned long long)yyjson_obj_size(params));
    return BRANT_OK;
}

/* ---- rows ---------------------------------------------------------------------------------------------------------- */

/* SQLite does not promise valid UTF-8 in what a user stored through other ways: bytes that are not text cross as bytes. */
static void write_bytes(brant__writer *out, const void *bytes, size_t length) {
    brant__buffer text = {0};
    brant__base64_encode(&text, bytes, length);
    brant__write_object(out);
    brant__write_text_member(out, "$base64",
                             brant__text_of(text.data ? text.data : "", text.length));
    brant__write_end(out);
    if (text.failed) out->buffer.failed = true;
    brant__buffer_free(&text);
}

static void write_column(brant__writer *out, sqlite3_stmt *statement, int column) {
    switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
        brant__write_integer(out, sqlite3_column_int64(statement, column));
        break;
    case SQLITE_FLOAT:
        brant__write_double(out, sqlite3_column_double(statement, column));
        break;
    case SQLITE_TEXT: {
        const char *text = (const char *)sqlite3_column_text(statement, column);
        const size_t length = (size_t)sqlite3_column_bytes(statement, column);
        if (!text)
            out->buffer.failed = true;
        else if (brant__utf8_check(text, length) == SIZE_MAX)
            brant__write_text(out, brant__text_of(text, length));
        else
            write_bytes(out, text, length);
        break;
    }
    case SQLITE_BLOB: {
        const void *bytes = sqlite3_column_blob(statement, column);
        write_bytes(out, bytes, (size_t)sqlite3_column_bytes(statement, column));
        break;
    }
    default:
        brant__write_null(out);
        break;
    }
}

static void write_columns(brant__writer *out, sqlite3_stmt *statement) {
    brant__write_name(out, "columns");
    brant__write_array(out);
    for (int column = 0; column < sqlite3_column_count(statement); column++) {
        const char *name = sqlite3_column_name(statement, column);
        brant__write_text(out, brant__text_string(name ? name : ""));
    }
    brant__write_end(out);
}

static brant_status write_rows(brant__call *call, sqlite3_stmt *statement) {
    const size_t most = call->db->options.limits.batch, bytes = call->db->options.limits.document;
    size_t rows = 0;
    int code;
    brant__write_name(call->out, "rows");
    brant__write_array(call->out);
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        if (++rows > most)
            return brant__fail(BRANT_LIMIT, "the statement yields more than %llu rows; add LIMIT",
                               (unsigned long long)most);
        brant__write_array(call->out);
        for (int column = 0; column < sqlite3_column_count(statement); column++) {
            /* Before it is written: one value can be a thousand times what is allowed. */
            const int type = sqlite3_column_type(statement, column);
            const size_t length = type == SQLITE_TEXT || type == SQLITE_BLOB
                                      ? (size_t)sqlite3_column_bytes(statement, column)
                                      : 0;
            if (length > bytes || call->out->buffer.length > bytes - length)
                return brant__fail(BRANT_LIMIT, "the rows are larger than %llu bytes; add LIMIT",
                                   (unsigned long long)bytes);
            write_column(call->out, statement, column);
        }
        brant__write_end(call->out);
    }
    brant__write_end(call->out);
    return code == SQLITE_DONE ? BRANT_OK
                               : brant__sqlite_fail(call->db, code, "running the statement");
}

/* ---- the operation --------------------------------------------------------------------------------------------------- */

static bool only_space(const char *text, const char *end) {
    for (;;) {
        while (text < end && (isspace((unsigned char)*text) || *text == ';'))
            text++;
        if (end - text >= 2 && text[0] == '-' && text[1] == '-') {
            while (text < end && *text != '\n')
                text++;
        } else if (end - text >= 2 && text[0] == '/' && text[1] == '*') {
            text += 2;
            while (end - text >= 2 && !(text[0] == '*' && text[1] == '/'))
                text++;
            text = end - text >= 2 ? text + 2 : end;
        } else {
            return text == end;
        }
    }
}

static brant_status prepare(sqlite3_stmt **out, brant_db *db, brant__text sql) {
    const char *tail = NULL;
    if (sql.length > 1000000)
        return brant__fail(BRANT_LIMIT, "the SQL text is longer than 1000000 bytes");
    const int code = sqlite3_prepare_v3(db->sqlite, sql.data, (int)sql.length, 0, out, &tail);
    if (code != SQLITE_OK) return brant__sqlite_fail(db, code, "the SQL text");
    if (!*out) return brant__fail(BRANT_SQL, "the SQL text holds no statement");
    if (!only_space(tail, sql.data + sql.length))
        return brant__fail(BRANT_SQL,
                           "the SQL text holds more than one statement; run them one at a time");
    return BRANT_OK;
}

brant_status brant__sql_execute(brant__call *call) {
    brant_db *db = call->db;
    brant_status status = BRANT_OK;
    sqlite3_stmt *statement = NULL;
    const brant__text sql = brant__json_get_text(call->input, "sql");
    yyjson_val *params = brant__json_get(call->input, "params");
    bool began = false;
    if (!sql.data) return brant__fail(BRANT_INVALID, "\"sql\" must be text");
    db->user_sql = true;
    db->denied = NULL;
    db->alters = false;
    BRANT__TRY(brant__transaction_check(db));
    BRANT__TRY(prepare(&statement, db, sql));
    /* Its own transaction when none runs: a write takes the lock at once, a read one snapshot. */
    if (db->depth == 0 || !sqlite3_stmt_readonly(statement)) {
        db->user_sql = false;
        BRANT__TRY(brant__begin(db, sqlite3_stmt_readonly(statement) ? BRANT__READ : BRANT__WRITE));
        began = true;
        db->user_sql = true;
    }
    if (yyjson_is_obj(params))
        BRANT__TRY(bind_names(db, statement, params));
    else if (params && !yyjson_is_arr(params))
        status = brant__fail(BRANT_INVALID, "\"params\" must be an array or an object");
    else if (params || sqlite3_bind_parameter_count(statement) > 0)
        BRANT__TRY(bind_positions(db, statement, params));
    if (status != BRANT_OK) goto cleanup;
    const int64_t before = sqlite3_total_changes64(db->sqlite);
    brant__write_object(call->out);
    write_columns(call->out, statement);
    BRANT__TRY(write_rows(call, statement));
    brant__write_integer_member(
        call->out, "changes",
        sqlite3_stmt_readonly(statement) ? 0 : sqlite3_total_changes64(db->sqlite) - before);
    brant__write_integer_member(call->out, "last_insert_rowid",
                                sqlite3_last_insert_rowid(db->sqlite));
    brant__write_end(call->out);
    if (call->out->buffer.failed)
        status = brant__fail_memory(); /* before the commit, which could not be taken back */
cleanup:
    sqlite3_finalize(statement);
    db->user_sql = false;
    db->denied = NULL;
    if (began) {
        if (status == BRANT_OK) status = brant__commit(db);
        if (status != BRANT_OK) brant__rollback(db);
    }
    return status;
}
