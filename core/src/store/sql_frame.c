/*
 * store/sql_frame.c: a call of sql.execute in frames: what is asked, parameters in, rows out. brant/store.h has the layout (brant_sql_run).
 *
 * A frame in is hostile until it was read: what is taken from it is looked at here. Its texts and bytes are bound where they stand.
 */
#include "store/sql.h"

#define HEADER 48u /* of an answer: what is known at its end only */
#define FLAGS                                                                                      \
    (BRANT_SQL_DESCRIBE | BRANT_SQL_SCRIPT | BRANT_SQL_CLOSE | BRANT_SQL_BATCH | BRANT_SQL_CURSOR)

/* ---- numbers ------------------------------------------------------------------------------------------------------ */

static uint32_t read_u32(const char *from) {
    const unsigned char *at = (const unsigned char *)from;
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint64_t read_u64(const char *from) {
    return read_u32(from) | (uint64_t)read_u32(from + 4) << 32;
}

static void store_u32(char *to, uint32_t number) {
    for (unsigned i = 0; i < 4; i++)
        to[i] = (char)(number >> 8 * i & 255u);
}

static void store_u64(char *to, uint64_t number) {
    for (unsigned i = 0; i < 8; i++)
        to[i] = (char)(number >> 8 * i & 255u);
}

/* ---- what is asked ------------------------------------------------------------------------------------------------ */

typedef struct frame {
    const char *at, *end;
} frame;

static brant_status too_short(void) {
    return brant__fail(BRANT_INVALID, "the request ends before all of it was read");
}

static bool take_u32(uint32_t *out, frame *from) {
    if (from->end - from->at < 4) return false;
    *out = read_u32(from->at);
    from->at += 4;
    return true;
}

static bool take_u64(uint64_t *out, frame *from) {
    if (from->end - from->at < 8) return false;
    *out = read_u64(from->at);
    from->at += 8;
    return true;
}

/* A length, and so many bytes. */
static bool take_bytes(brant__text *out, frame *from) {
    uint32_t length = 0;
    if (!take_u32(&length, from) || (size_t)(from->end - from->at) < length) return false;
    *out = brant__text_of(from->at, length);
    from->at += length;
    return true;
}

static const brant__sql_form form;

brant_status brant__sql_read_frame(brant__sql_request *out, const brant__call *call) {
    frame from = {call->frame.data, call->frame.data + call->frame.length};
    uint32_t flags = 0, limit = 0, runs = 1;
    uint64_t cursor = 0;
    brant__text sql = {NULL, 0};
    if (!take_u32(&flags, &from) || !take_u32(&limit, &from)) return too_short();
    if (flags & ~(uint32_t)FLAGS)
        return brant__fail(BRANT_INVALID, "the request has flags %lu, of which some are unknown",
                           (unsigned long)flags);
    const bool goes_on = (flags & BRANT_SQL_CURSOR) != 0;
    if (goes_on) {
        if (flags & ~(uint32_t)(BRANT_SQL_CURSOR | BRANT_SQL_CLOSE))
            return brant__fail(BRANT_INVALID, "a cursor goes on with BRANT_SQL_CLOSE or nothing");
        if (!take_u64(&cursor, &from)) return too_short();
        if (from.at != from.end)
            return brant__fail(BRANT_INVALID, "the request has more than a cursor");
    } else {
        if (!take_bytes(&sql, &from) || !take_u32(&runs, &from)) return too_short();
        if (sql.length == 0) return brant__fail(BRANT_INVALID, "the request has no SQL text");
        if (brant__utf8_check(sql.data, sql.length) != SIZE_MAX)
            return brant__fail(BRANT_INVALID, "the SQL text is not UTF-8");
        if (!(flags & BRANT_SQL_BATCH) && runs != 1)
            return brant__fail(BRANT_INVALID, "without BRANT_SQL_BATCH there is one run, not %lu",
                               (unsigned long)runs);
        if (runs == 0 && from.at != from.end)
            return brant__fail(BRANT_INVALID, "the request has more than its runs");
    }
    *out = (brant__sql_request){.form = &form,
                                .sql = sql,
                                .cursor = (int64_t)cursor,
                                .limit = limit,
                                .runs = runs,
                                .goes_on = goes_on,
                                .describe = (flags & BRANT_SQL_DESCRIBE) != 0,
                                .script = (flags & BRANT_SQL_SCRIPT) != 0,
                                .close = (flags & BRANT_SQL_CLOSE) != 0,
                                .batch = (flags & BRANT_SQL_BATCH) != 0};
    out->values.frame.at = from.at;
    out->values.frame.end = from.end;
    out->values.frame.left = runs;
    return BRANT_OK;
}

/* ---- parameters --------------------------------------------------------------------------------------------------- */

/* The value that stands `nth` in its run. */
static brant_status take_value(brant__sql_value *out, frame *from, size_t nth) {
    bool whole = true;
    if (from->at == from->end) return too_short();
    *out = (brant__sql_value){.type = (unsigned char)*from->at++};
    switch (out->type) {
    case SQLITE_INTEGER:
    case SQLITE_FLOAT:
        whole = take_u64(&out->bits, from);
        break;
    case SQLITE_TEXT:
        whole = take_bytes(&out->bytes, from);
        if (whole && brant__utf8_check(out->bytes.data, out->bytes.length) != SIZE_MAX)
            return brant__fail(BRANT_INVALID, "parameter %zu: the text is not UTF-8", nth);
        break;
    case SQLITE_BLOB:
        whole = take_bytes(&out->bytes, from);
        break;
    case SQLITE_NULL:
        break;
    default:
        return brant__fail(BRANT_INVALID, "parameter %zu is of type %d, which there is not", nth,
                           out->type);
    }
    return whole ? BRANT_OK : too_short();
}

static brant_status bind_value(brant_db *db, sqlite3_stmt *statement, int index,
                               const brant__sql_value *value, bool stays) {
    const sqlite3_destructor_type keeping = stays ? SQLITE_TRANSIENT : SQLITE_STATIC;
    const brant__text bytes = value->bytes;
    double number;
    int code;
    switch (value->type) {
    case SQLITE_INTEGER:
        code = sqlite3_bind_int64(statement, index, (int64_t)value->bits);
        break;
    case SQLITE_FLOAT:
        memcpy(&number, &value->bits, sizeof number);
        code = sqlite3_bind_double(statement, index, number);
        break;
    case SQLITE_TEXT:
        code =
            sqlite3_bind_text64(statement, index, bytes.data, bytes.length, keeping, SQLITE_UTF8);
        break;
    case SQLITE_BLOB:
        code = sqlite3_bind_blob64(statement, index, bytes.data, bytes.length, keeping);
        break;
    default:
        code = sqlite3_bind_null(statement, index);
        break;
    }
    return code == SQLITE_OK ? BRANT_OK : brant__sqlite_fail(db, code, "binding a parameter");
}

static brant_status bind_positions(brant_db *db, frame *from, sqlite3_stmt *statement,
                                   uint32_t given, bool script, bool stays) {
    const unsigned wanted = (unsigned)sqlite3_bind_parameter_count(statement);
    brant_status status = BRANT_OK;
    if (script ? wanted > given : wanted != given)
        return brant__fail(BRANT_INVALID,
                           "the statement has %u parameters and %lu values were given", wanted,
                           (unsigned long)given);
    for (uint32_t i = 0; i < given; i++) {
        brant__sql_value value;
        BRANT__TRY(take_value(&value, from, (size_t)i + 1));
        if (i < wanted) BRANT__TRY(bind_value(db, statement, (int)i + 1, &value, stays));
    }
cleanup:
    return status;
}

/* Of these the one of that name; they are looked for in the order in which they stand, which is the statement's where somebody wrote both. */
static brant__sql_name *find_name(brant__sql_name *names, size_t count, size_t *from,
                                  brant__text name) {
    for (size_t i = 0; i < count; i++) {
        const size_t at = *from + i < count ? *from + i : *from + i - count;
        if (!brant__text_equal(names[at].name, name)) continue;
        *from = at + 1 < count ? at + 1 : 0;
        return &names[at];
    }
    return NULL;
}

static brant_status wrong_names(unsigned wanted, uint32_t given) {
    return brant__fail(BRANT_INVALID,
                       "the statement has %u parameters and %lu values with names were given",
                       wanted, (unsigned long)given);
}

/* A name may stand behind several prefixes, which are parameters of their own to SQLite: each gets the value. */
static brant_status bind_names(brant__call *call, brant__sql_request *asked, frame *from,
                               sqlite3_stmt *statement, uint32_t given, bool stays) {
    const unsigned wanted = (unsigned)sqlite3_bind_parameter_count(statement);
    brant_status status = BRANT_OK;
    size_t used = 0, next = 0;
    if (given > wanted) return wrong_names(wanted, given);
    if (given > asked->values.frame.room) {
        asked->values.frame.names =
            brant__arena_alloc(call->arena, given * sizeof *asked->values.frame.names);
        if (!asked->values.frame.names) return brant__fail_memory();
        asked->values.frame.room = given;
    }
    brant__sql_name *const names = asked->values.frame.names;
    for (uint32_t i = 0; i < given; i++) {
        names[i].used = false;
        if (!take_bytes(&names[i].name, from)) return too_short();
        BRANT__TRY(take_value(&names[i].value, from, (size_t)i + 1));
    }
    for (unsigned index = 1; index <= wanted; index++) {
        const char *name = sqlite3_bind_parameter_name(statement, (int)index);
        if (!name || *name == '?')
            return brant__fail(BRANT_INVALID,
                               "parameter %u has no name; give the values by position", index);
        brant__sql_name *found = find_name(names, given, &next, brant__text_string(name + 1));
        if (!found) return brant__fail(BRANT_INVALID, "no value for parameter \"%.64s\"", name);
        used += !found->used;
        found->used = true;
        BRANT__TRY(bind_value(call->db, statement, (int)index, &found->value, stays));
    }
    if (used != given) return wrong_names(wanted, given);
cleanup:
    return status;
}

static brant_status bind_run(brant__call *call, brant__sql_request *asked, sqlite3_stmt *statement,
                             bool stays) {
    frame from = {asked->values.frame.at, asked->values.frame.end};
    uint32_t given = 0, named = 0;
    brant_status status = BRANT_OK;
    if (!take_u32(&given, &from) || !take_u32(&named, &from)) return too_short();
    if (named > 1) return brant__fail(BRANT_INVALID, "values are named (1) or not (0)");
    BRANT__TRY(named ? bind_names(call, asked, &from, statement, given, stays)
                     : bind_positions(call->db, &from, statement, given, asked->script, stays));
    asked->values.frame.at = from.at;
    if (--asked->values.frame.left == 0 && from.at != from.end)
        return brant__fail(BRANT_INVALID, "the request has more than its runs");
cleanup:
    return status;
}

/* ---- rows ---------------------------------------------------------------------------------------------------------- */

static void append_u32(brant__buffer *out, uint32_t number) {
    if (!brant__buffer_reserve(out, 4)) return;
    store_u32(out->data + out->length, number);
    out->length += 4;
}

static void append_text(brant__buffer *out, const char *text) {
    const size_t length = strlen(text);
    append_u32(out, (uint32_t)length);
    brant__buffer_append(out, text, length);
}

static void append_number(brant__buffer *out, int type, uint64_t bits) {
    if (!brant__buffer_reserve(out, 9)) return;
    out->data[out->length] = (char)type;
    store_u64(out->data + out->length + 1, bits);
    out->length += 9;
}

static void append_bytes(brant__buffer *out, int type, const void *bytes, size_t length) {
    if (!brant__buffer_reserve(out, length + 5)) return;
    out->data[out->length] = (char)type;
    store_u32(out->data + out->length + 1, (uint32_t)length); /* SQLite's are shorter than 2^31 */
    if (length > 0) memcpy(out->data + out->length + 5, bytes, length);
    out->length += length + 5;
}

static void append_value(brant__buffer *out, sqlite3_stmt *statement, int column, int type,
                         size_t length) {
    double number;
    uint64_t bits;
    const void *bytes;
    switch (type) {
    case SQLITE_INTEGER:
        append_number(out, type, (uint64_t)sqlite3_column_int64(statement, column));
        break;
    case SQLITE_FLOAT:
        number = sqlite3_column_double(statement, column);
        memcpy(&bits, &number, sizeof bits);
        append_number(out, type, bits);
        break;
    case SQLITE_TEXT:
        bytes = sqlite3_column_text(statement, column);
        if (!bytes)
            out->failed = true; /* want of memory */
        else /* SQLite does not promise UTF-8: what is no text crosses as bytes */
            append_bytes(out, brant__utf8_check(bytes, length) == SIZE_MAX ? type : SQLITE_BLOB,
                         bytes, length);
        break;
    case SQLITE_BLOB:
        append_bytes(out, type, sqlite3_column_blob(statement, column), length);
        break;
    default:
        brant__buffer_append_byte(out, SQLITE_NULL);
        break;
    }
}

static brant_status begin(brant__call *call, const brant__sql_request *asked,
                          sqlite3_stmt *statement) {
    static const char zeros[HEADER] = {0};
    brant__buffer *out = &call->out->buffer;
    const int columns = sqlite3_column_count(statement);
    brant_status status = BRANT_OK;
    brant__buffer_append(out, zeros, HEADER);
    for (int column = 0; column < columns; column++) {
        const char *name = sqlite3_column_name(statement, column);
        if (!name) return brant__fail_memory();
        append_text(out, name);
    }
    for (int column = 0; column < columns && asked->describe; column++) {
        brant__sql_type type;
        BRANT__TRY(brant__sql_type_get(&type, call->db, statement, column));
        brant__buffer_append_byte(out, (char)(!type.declared ? 0 : type.not_null ? 2 : 1));
        if (type.declared) append_text(out, type.declared);
    }
cleanup:
    return status;
}

static brant_status row(brant__writer *out, sqlite3_stmt *statement, size_t bytes) {
    brant_status status = BRANT_OK;
    const int columns = sqlite3_column_count(statement);
    for (int column = 0; column < columns; column++) {
        int type = SQLITE_NULL;
        size_t length = 0;
        BRANT__TRY(brant__sql_value_measure(&type, &length, out, statement, column, bytes));
        append_value(&out->buffer, statement, column, type, length);
    }
cleanup:
    return status;
}

static brant_status end(brant__call *call, const brant__sql_request *asked, sqlite3_stmt *statement,
                        const brant__sql_answer *answer) {
    brant__buffer *out = &call->out->buffer;
    (void)asked;
    if (out->failed) return brant__fail_memory();
    store_u64(out->data, (uint64_t)answer->changes);
    store_u64(out->data + 8, (uint64_t)answer->last_insert_rowid);
    store_u64(out->data + 16, (uint64_t)answer->cursor);
    store_u64(out->data + 24, answer->tail);
    store_u32(out->data + 32, answer->parameters);
    store_u32(out->data + 36, (uint32_t)sqlite3_column_count(statement));
    store_u64(out->data + 40, answer->rows);
    return BRANT_OK;
}

static const brant__sql_form form = {.bind = bind_run, .begin = begin, .row = row, .end = end};
