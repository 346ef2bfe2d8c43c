/*
 * store/sql_json.c: a call of sql.execute as JSON: what is asked, parameters in, rows out.
 *
 * What JSON has not is an object of one member: {"$base64": text} is bytes, {"$number": "Infinity"} a double without an end.
 */
#include <math.h>

#include "store/sql.h"

/* ---- what is asked ------------------------------------------------------------------------------------------------ */

static const brant__sql_form form;

brant_status brant__sql_read_json(brant__sql_request *out, const brant__call *call) {
    yyjson_val *params = brant__json_get(call->input, "params");
    yyjson_val *batch = brant__json_get(call->input, "batch");
    yyjson_val *cursor = brant__json_get(call->input, "cursor");
    yyjson_val *limit = brant__json_get(call->input, "limit");
    *out = (brant__sql_request){
        .form = &form,
        .sql = brant__json_get_text(call->input, "sql"),
        .cursor = yyjson_get_sint(cursor),
        .limit = yyjson_is_uint(limit) ? (size_t)yyjson_get_uint(limit) : 0,
        .runs = batch ? yyjson_arr_size(batch) : 1,
        .goes_on = cursor != NULL,
        .describe = brant__json_bool(brant__json_get(call->input, "describe"), false),
        .script = brant__json_bool(brant__json_get(call->input, "script"), false),
        .close = brant__json_bool(brant__json_get(call->input, "close"), false),
        .batch = batch != NULL,
    };
    out->values.json.params = params;
    yyjson_arr_iter_init(batch, &out->values.json.batch);
    if (limit && out->limit == 0) out->limit = SIZE_MAX; /* none that there is */
    if (cursor && (out->sql.data || params || batch || out->describe || out->script))
        return brant__fail(BRANT_INVALID,
                           "a cursor goes on without \"sql\" and what belongs to it");
    if (!cursor && !out->sql.data)
        return brant__fail(BRANT_INVALID, "\"sql\" must be text, or \"cursor\" be given");
    if (batch && params)
        return brant__fail(BRANT_INVALID, "either \"params\" or \"batch\", not both");
    if (batch && !yyjson_is_arr(batch))
        return brant__fail(BRANT_INVALID, "\"batch\" must be an array");
    return BRANT_OK;
}

/* ---- parameters ------------------------------------------------------------------------------------------------- */

/* JSON has no infinities; SQLite has, and no NaN. */
static bool infinity_of(double *out, brant__text text) {
    const bool negative = brant__text_equal(text, BRANT__TEXT("-Infinity"));
    *out = negative ? -INFINITY : INFINITY;
    return negative || brant__text_equal(text, BRANT__TEXT("Infinity"));
}

/* SQLite takes the decoded bytes over. */
static brant_status bind_bytes(int *out_code, sqlite3_stmt *statement, int index,
                               brant__text base64) {
    brant__buffer bytes = {0};
    if (!brant__base64_decode(&bytes, base64)) {
        const bool failed = bytes.failed;
        brant__buffer_free(&bytes);
        return failed
                   ? brant__fail_memory()
                   : brant__fail(BRANT_INVALID, "parameter %d: \"$base64\" is not base64", index);
    }
    *out_code = bytes.data
                    ? sqlite3_bind_blob64(statement, index, bytes.data, bytes.length, brant__free)
                    : sqlite3_bind_blob64(statement, index, "", 0, SQLITE_STATIC);
    return BRANT_OK;
}

static brant_status bind_value(brant_db *db, sqlite3_stmt *statement, int index, yyjson_val *value,
                               bool stays) {
    int code = SQLITE_OK;
    const bool special = yyjson_is_obj(value) && yyjson_obj_size(value) == 1;
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
                                   stays ? SQLITE_TRANSIENT : SQLITE_STATIC, SQLITE_UTF8);
    } else if (special && yyjson_is_str(yyjson_obj_get(value, "$number"))) {
        double number = 0;
        if (!infinity_of(&number, brant__json_get_text(value, "$number")))
            return brant__fail(BRANT_INVALID,
                               "parameter %d: \"$number\" is neither \"Infinity\" nor "
                               "\"-Infinity\"",
                               index);
        code = sqlite3_bind_double(statement, index, number);
    } else if (special && yyjson_is_str(yyjson_obj_get(value, "$base64"))) {
        const brant_status status =
            bind_bytes(&code, statement, index, brant__json_get_text(value, "$base64"));
        if (status != BRANT_OK) return status;
    } else {
        return brant__fail(BRANT_INVALID,
                           "parameter %d must be null, a boolean, a number, text, {\"$base64\": "
                           "text} for bytes, or {\"$number\": \"Infinity\" or \"-Infinity\"}",
                           index);
    }
    return code == SQLITE_OK ? BRANT_OK : brant__sqlite_fail(db, code, "binding a parameter");
}

static brant_status bind_positions(brant_db *db, sqlite3_stmt *statement, yyjson_val *params,
                                   bool script, bool stays) {
    const int wanted = sqlite3_bind_parameter_count(statement);
    const size_t given = yyjson_arr_size(params);
    if (script ? (size_t)wanted > given : (size_t)wanted != given)
        return brant__fail(BRANT_INVALID,
                           "the statement has %d parameters and %llu values were given", wanted,
                           (unsigned long long)given);
    size_t index, count;
    yyjson_val *value;
    yyjson_arr_foreach(params, index, count, value) {
        if (index == (size_t)wanted) break;
        const brant_status status = bind_value(db, statement, (int)index + 1, value, stays);
        if (status != BRANT_OK) return status;
    }
    return BRANT_OK;
}

/* A name may stand behind several prefixes, which are parameters of their own to SQLite: each gets the value. */
static brant_status bind_names(brant__call *call, sqlite3_stmt *statement, yyjson_val *params,
                               bool stays) {
    const int wanted = sqlite3_bind_parameter_count(statement);
    const size_t given = yyjson_obj_size(params);
    size_t used = 0;
    yyjson_obj_iter members = yyjson_obj_iter_with(params);
    bool *seen = brant__arena_alloc(call->arena, given + 1); /* so many of the members */
    if (!seen) return brant__fail_memory();
    memset(seen, 0, given + 1);
    for (int index = 1; index <= wanted; index++) {
        const char *name = sqlite3_bind_parameter_name(statement, index);
        if (!name || *name == '?')
            return brant__fail(BRANT_INVALID,
                               "parameter %d has no name; give the values as an array", index);
        yyjson_val *value = yyjson_obj_iter_get(&members, name + 1);
        if (!value) return brant__fail(BRANT_INVALID, "no value for parameter \"%.64s\"", name);
        /* The iterator stands behind what it found. */
        bool *at = &seen[members.idx - 1];
        used += !*at;
        *at = true;
        const brant_status status = bind_value(call->db, statement, index, value, stays);
        if (status != BRANT_OK) return status;
    }
    if (used != given)
        return brant__fail(BRANT_INVALID,
                           "the statement has %llu named parameters and %llu values were given",
                           (unsigned long long)used, (unsigned long long)given);
    return BRANT_OK;
}

static brant_status bind_run(brant__call *call, brant__sql_request *asked, sqlite3_stmt *statement,
                             bool stays) {
    yyjson_val *params =
        asked->batch ? yyjson_arr_iter_next(&asked->values.json.batch) : asked->values.json.params;
    if (yyjson_is_obj(params)) return bind_names(call, statement, params, stays);
    if (params && !yyjson_is_arr(params))
        return brant__fail(BRANT_INVALID, "\"params\" must be an array or an object");
    return params || sqlite3_bind_parameter_count(statement) > 0
               ? bind_positions(call->db, statement, params, asked->script, stays)
               : BRANT_OK;
}

/* ---- rows ---------------------------------------------------------------------------------------------------------- */

static void write_bytes(brant__writer *out, const void *bytes, size_t length) {
    brant__write_object(out);
    brant__write_name(out, "$base64");
    brant__write_raw(out, BRANT__TEXT("\""));
    brant__base64_encode(&out->buffer, bytes, length);
    brant__buffer_append_byte(&out->buffer, '"');
    brant__write_end(out);
}

static void write_double(brant__writer *out, double value) {
    if (!isinf(value)) {
        brant__write_double(out, value);
        return;
    }
    brant__write_object(out);
    brant__write_text_member(out, "$number",
                             value < 0 ? BRANT__TEXT("-Infinity") : BRANT__TEXT("Infinity"));
    brant__write_end(out);
}

static void write_column(brant__writer *out, sqlite3_stmt *statement, int column, int type) {
    switch (type) {
    case SQLITE_INTEGER:
        brant__write_integer(out, sqlite3_column_int64(statement, column));
        break;
    case SQLITE_FLOAT:
        write_double(out, sqlite3_column_double(statement, column));
        break;
    case SQLITE_TEXT: {
        const char *text = (const char *)sqlite3_column_text(statement, column);
        const size_t length = (size_t)sqlite3_column_bytes(statement, column);
        if (!text)
            out->buffer.failed = true;
        else if (brant__utf8_check(text, length) == SIZE_MAX)
            brant__write_text(out, brant__text_of(text, length));
        else /* SQLite does not promise UTF-8: what is no text crosses as bytes */
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

static brant_status begin(brant__call *call, const brant__sql_request *asked,
                          sqlite3_stmt *statement) {
    brant__writer *out = call->out;
    (void)asked;
    brant__write_object(out);
    brant__write_name(out, "columns");
    brant__write_array(out);
    for (int column = 0; column < sqlite3_column_count(statement); column++) {
        const char *name = sqlite3_column_name(statement, column);
        if (!name) out->buffer.failed = true; /* want of memory */
        brant__write_text(out, brant__text_string(name ? name : ""));
    }
    brant__write_end(out);
    brant__write_name(out, "rows");
    brant__write_array(out);
    return BRANT_OK;
}

static brant_status row(brant__writer *out, sqlite3_stmt *statement, size_t bytes) {
    brant_status status = BRANT_OK;
    const int columns = sqlite3_column_count(statement);
    brant__write_array(out);
    for (int column = 0; column < columns; column++) {
        int type = SQLITE_NULL;
        size_t length = 0;
        BRANT__TRY(brant__sql_value_measure(&type, &length, out, statement, column, bytes));
        write_column(out, statement, column, type);
    }
    brant__write_end(out);
cleanup:
    return status;
}

static brant_status write_types(brant__call *call, sqlite3_stmt *statement) {
    brant__writer *out = call->out;
    brant_status status = BRANT_OK;
    brant__write_name(out, "types");
    brant__write_array(out);
    for (int column = 0; column < sqlite3_column_count(statement); column++) {
        brant__sql_type type;
        BRANT__TRY(brant__sql_type_get(&type, call->db, statement, column));
        if (!type.declared) {
            brant__write_null(out);
            continue;
        }
        brant__write_object(out);
        brant__write_text_member(out, "type", brant__text_string(type.declared));
        brant__write_bool_member(out, "not_null", type.not_null);
        brant__write_end(out);
    }
    brant__write_end(out);
cleanup:
    return status;
}

static brant_status end(brant__call *call, const brant__sql_request *asked, sqlite3_stmt *statement,
                        const brant__sql_answer *answer) {
    brant__writer *out = call->out;
    brant_status status = BRANT_OK;
    brant__write_end(out); /* of the rows */
    if (asked->describe) BRANT__TRY(write_types(call, statement));
    brant__write_integer_member(out, "changes", answer->changes);
    brant__write_integer_member(out, "last_insert_rowid", answer->last_insert_rowid);
    if (asked->script) {
        brant__write_integer_member(out, "parameters", answer->parameters);
        brant__write_integer_member(out, "tail", (int64_t)answer->tail);
    }
    if (answer->cursor) {
        brant__write_integer_member(out, "cursor", answer->cursor);
    } else if (asked->limit || asked->goes_on) {
        brant__write_name(out, "cursor");
        brant__write_null(out);
    }
    brant__write_end(out);
    if (out->buffer.failed) status = brant__fail_memory();
cleanup:
    return status;
}

static const brant__sql_form form = {.bind = bind_run, .begin = begin, .row = row, .end = end};
