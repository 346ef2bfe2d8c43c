/*
 * store/statement.c: prepared statements, one set a handle, and SQLite's errors as ours.
 */
#include "store/handle.h"

/* ---- errors --------------------------------------------------------------------------------------------------- */

brant_status brant__sqlite_status(int code) {
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return BRANT_OK;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return BRANT_BUSY;
    case SQLITE_INTERRUPT:
        return BRANT_INTERRUPTED;
    case SQLITE_READONLY:
        return BRANT_READ_ONLY;
    case SQLITE_NOMEM:
        return BRANT_NO_MEMORY;
    case SQLITE_FULL:
        return BRANT_FULL;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return BRANT_CORRUPT;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_PROTOCOL:
    case SQLITE_IOERR:
        return code == SQLITE_IOERR_NOMEM ? BRANT_NO_MEMORY : BRANT_IO;
    case SQLITE_CONSTRAINT:
        return BRANT_CONSTRAINT;
    case SQLITE_TOOBIG:
        return BRANT_LIMIT;
    case SQLITE_AUTH:
        return BRANT_DENIED;
    default:
        return BRANT_INTERNAL;
    }
}

brant_status brant__sqlite_fail(brant_db *db, int code, const char *what) {
    brant_status status = brant__sqlite_status(code);
    if (status == BRANT_NO_MEMORY) return brant__fail_memory();
    /* The connection was interrupted for a reason, and the busy handler gives up for one: say that. */
    if (status == BRANT_INTERRUPTED || status == BRANT_BUSY) {
        const brant_status reason = brant__db_poll(db);
        if (reason != BRANT_OK) return reason;
    }
    if (status == BRANT_BUSY)
        return brant__fail(BRANT_BUSY, "another writer held %s for more than %lld ms", db->path,
                           (long long)db->options.busy_timeout);
    if (db->denied) return brant__fail(BRANT_DENIED, "%s: %s", db->denied, db->denied_object);
    if (status == BRANT_INTERNAL && db->user_sql) status = BRANT_SQL;
    return brant__fail(status, "%s: %s", what, sqlite3_errmsg(db->sqlite));
}

/* ---- statements ------------------------------------------------------------------------------------------------ */

brant_status brant__execute(brant_db *db, const char *sql) {
    const int code = sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? BRANT_OK : brant__sqlite_fail(db, code, "running a statement");
}

brant_status brant__sqlite_least(int number, const char *what) {
    if (sqlite3_libversion_number() >= number) return BRANT_OK;
    return brant__fail(BRANT_UNSUPPORTED, "%s needs SQLite %d.%d or newer; this is %s", what,
                       number / 1000000, number / 1000 % 1000, sqlite3_libversion());
}

void brant__statements_finalize(brant_db *db) {
    brant__sql_cursors_end(db, 0);
    brant__sql_kept_end(db);
    for (int table = 0; table < BRANT__TABLE_COUNT; table++) {
        for (size_t i = 0; i < db->statement_counts[table]; i++)
            sqlite3_finalize(db->statements[table][i]);
        brant__free(db->statements[table]);
        db->statements[table] = NULL;
        db->statement_counts[table] = 0;
    }
    for (size_t i = 0; i < BRANT__QUERIES_KEPT; i++) {
        sqlite3_finalize(db->queries[i].statement);
        db->queries[i] = (brant__query){.used = 0};
    }
}

brant_status brant__statement_get(brant__statement **out, brant_db *db,
                                  const brant__statements *table, size_t index) {
    *out = NULL;
    if (BRANT__UNLIKELY(!db->statements[table->table])) {
        sqlite3_stmt **made = brant__alloc_zero(table->count * sizeof *made);
        if (!made) return brant__fail_memory();
        db->statements[table->table] = made;
        db->statement_counts[table->table] = table->count;
    }
    sqlite3_stmt **place = &db->statements[table->table][index];
    if (BRANT__UNLIKELY(!*place)) {
        const int code = sqlite3_prepare_v3(db->sqlite, table->sql[index], -1,
                                            SQLITE_PREPARE_PERSISTENT, place, NULL);
        if (code != SQLITE_OK) return brant__sqlite_fail(db, code, "preparing a statement");
    }
    *out = (brant__statement *)*place;
    return BRANT_OK;
}

/* The place of a text, or the one to use for it: free, or the least recently used that is not running. */
static brant__query *find_query(brant_db *db, brant__text sql, uint64_t hash) {
    brant__query *oldest = NULL;
    for (size_t i = 0; i < BRANT__QUERIES_KEPT; i++) {
        brant__query *query = &db->queries[i];
        if (query->statement && query->hash == hash && query->length == sql.length &&
            memcmp(sqlite3_sql(query->statement), sql.data, sql.length) == 0)
            return query;
        if (query->statement && sqlite3_stmt_busy(query->statement)) continue;
        if (!oldest || query->used < oldest->used) oldest = query;
    }
    if (oldest) {
        sqlite3_finalize(oldest->statement);
        *oldest = (brant__query){.used = 0};
    }
    return oldest;
}

brant_status brant__statement_prepare(brant__statement **out, brant_db *db, brant__text sql) {
    *out = NULL;
    if (sql.length > BRANT__QUERY_BYTES)
        return brant__fail(BRANT_LIMIT, "the filter makes an SQL text of more than %zu bytes",
                           BRANT__QUERY_BYTES);
    const uint64_t hash = brant__hash(sql.data, sql.length);
    brant__query *query = find_query(db, sql, hash);
    if (!query) return brant__fail(BRANT_INTERNAL, "too many statements run at once");
    if (!query->statement) {
        const int code = sqlite3_prepare_v3(db->sqlite, sql.data, (int)sql.length,
                                            SQLITE_PREPARE_PERSISTENT, &query->statement, NULL);
        if (code != SQLITE_OK) return brant__sqlite_fail(db, code, "preparing a statement");
        query->length = sql.length;
        query->hash = hash;
    }
    query->used = ++db->query_clock;
    *out = (brant__statement *)query->statement;
    return BRANT_OK;
}

static sqlite3_stmt *raw(brant__statement *statement) {
    return (sqlite3_stmt *)statement;
}

/* sqlite3_bind_* fails only for a wrong index or use, which tests find, and for want of memory, which step reports. */
void brant__bind_integer(brant__statement *statement, int index, int64_t value) {
    sqlite3_bind_int64(raw(statement), index, value);
}
void brant__bind_double(brant__statement *statement, int index, double value) {
    sqlite3_bind_double(raw(statement), index, value);
}
void brant__bind_text(brant__statement *statement, int index, brant__text value) {
    if (value.data)
        sqlite3_bind_text64(raw(statement), index, value.data, value.length, SQLITE_STATIC,
                            SQLITE_UTF8);
    else
        sqlite3_bind_null(raw(statement), index);
}
void brant__bind_blob(brant__statement *statement, int index, const void *bytes, size_t length) {
    sqlite3_bind_blob64(raw(statement), index, bytes ? bytes : "", length, SQLITE_STATIC);
}
void brant__bind_null(brant__statement *statement, int index) {
    sqlite3_bind_null(raw(statement), index);
}

brant_status brant__step(bool *out_row, brant_db *db, brant__statement *statement) {
    const int code = sqlite3_step(raw(statement));
    *out_row = code == SQLITE_ROW;
    if (BRANT__LIKELY(code == SQLITE_ROW || code == SQLITE_DONE)) return BRANT_OK;
    const brant_status status = brant__sqlite_fail(db, code, "running a statement");
    sqlite3_reset(raw(statement)); /* the connection fails once more for want of memory until then */
    brant__transaction_sync(db);
    return status;
}

brant_status brant__run(brant_db *db, brant__statement *statement) {
    bool row = false;
    const brant_status status = brant__step(&row, db, statement);
    brant__reset(statement);
    return status;
}

void brant__reset(brant__statement *statement) {
    if (!statement) return;
    sqlite3_reset(raw(statement));
}

int64_t brant__column_integer(brant__statement *statement, int column) {
    return sqlite3_column_int64(raw(statement), column);
}
double brant__column_double(brant__statement *statement, int column) {
    return sqlite3_column_double(raw(statement), column);
}
bool brant__column_null(brant__statement *statement, int column) {
    return sqlite3_column_type(raw(statement), column) == SQLITE_NULL;
}
int brant__column_type(brant__statement *statement, int column) {
    switch (sqlite3_column_type(raw(statement), column)) {
    case SQLITE_NULL:
        return BRANT__COLUMN_NULL;
    case SQLITE_INTEGER:
        return BRANT__COLUMN_INTEGER;
    case SQLITE_FLOAT:
        return BRANT__COLUMN_DOUBLE;
    default:
        return BRANT__COLUMN_TEXT;
    }
}
brant__text brant__column_text(brant__statement *statement, int column) {
    const char *text = (const char *)sqlite3_column_text(raw(statement), column);
    return brant__text_of(text, text ? (size_t)sqlite3_column_bytes(raw(statement), column) : 0);
}

brant__text brant__column_payload(bool *out_bytes, brant__statement *statement, int column) {
    const int type = sqlite3_column_type(raw(statement), column);
    *out_bytes = type == SQLITE_BLOB;
    if (type == SQLITE_NULL) return (brant__text){NULL, 0};
    const char *data = type == SQLITE_BLOB
                           ? sqlite3_column_blob(raw(statement), column)
                           : (const char *)sqlite3_column_text(raw(statement), column);
    const size_t length = (size_t)sqlite3_column_bytes(raw(statement), column);
    return brant__text_of(data || length > 0 ? data : "", length); /* no bytes have no place */
}

int64_t brant__last_row_id(const brant_db *db) {
    return sqlite3_last_insert_rowid(db->sqlite);
}
int64_t brant__changes(const brant_db *db) {
    return sqlite3_changes64(db->sqlite);
}
