/*
 * store/sql_statement.c: prepared statements of the user's own SQL, the ones used last kept by their text.
 *
 * Who runs one takes it out of what is kept and puts it back, so that nobody meets it while it runs. The authorizer judges when a statement is prepared, and anew when
 * SQLite prepares it anew: one is kept for those only whom it would judge alike, the trusted or sessions. Kept is what reads and writes rows. A PRAGMA says what was so when
 * it was prepared, and EXPLAIN what its plan was; what changes the schema is out of date after it ran.
 */
#include <ctype.h>

#include "store/sql.h"

#define MOST_TEXT ((size_t)1000000)
#define MOST_KEPT ((size_t)16384) /* bytes of a text that is kept */

/* ---- what is kept ------------------------------------------------------------------------------------------------ */

/* Take it out, if it is there. */
static void take(brant__sql_statement *out, brant_db *db, brant__text sql, uint64_t hash) {
    for (size_t i = 0; i < BRANT__SQL_KEPT; i++) {
        brant__query *kept = &db->sql_kept[i];
        if (!kept->statement || kept->hash != hash || kept->length != sql.length ||
            kept->session != (db->session != NULL) ||
            memcmp(sqlite3_sql(kept->statement), sql.data, sql.length) != 0)
            continue;
        out->sqlite = kept->statement;
        *kept = (brant__query){.used = 0};
        return;
    }
}

/* In a free place, or that of the least recently used. */
static void keep(brant_db *db, const brant__sql_statement *statement) {
    brant__query *place = &db->sql_kept[0];
    for (size_t i = 0; i < BRANT__SQL_KEPT && place->statement; i++)
        if (!db->sql_kept[i].statement || db->sql_kept[i].used < place->used)
            place = &db->sql_kept[i];
    sqlite3_finalize(place->statement);
    *place = (brant__query){.statement = statement->sqlite,
                            .length = statement->length,
                            .hash = statement->hash,
                            .session = statement->session,
                            .used = ++db->query_clock};
}

void brant__sql_kept_end(brant_db *db) {
    for (size_t i = 0; i < BRANT__SQL_KEPT; i++) {
        sqlite3_finalize(db->sql_kept[i].statement);
        db->sql_kept[i] = (brant__query){.used = 0};
    }
}

void brant__sql_statement_end(brant_db *db, brant__sql_statement *statement) {
    if (!statement->sqlite) return;
    if (statement->length > 0) {
        sqlite3_reset(statement->sqlite);
        sqlite3_clear_bindings(statement->sqlite);
        keep(db, statement);
    } else {
        sqlite3_finalize(statement->sqlite);
    }
    statement->sqlite = NULL;
}

/* ---- preparing ----------------------------------------------------------------------------------------------------- */

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

/* Was this text run before, and not long ago? A text that comes once is not worth its place: keeping it costs twice what preparing it does. */
static bool seen(brant_db *db, uint64_t hash) {
    uint64_t *place = &db->sql_seen[hash % BRANT__SQL_KEPT];
    const bool again = *place == hash;
    *place = hash;
    return again;
}

static brant_status prepare(brant__sql_statement *out, brant_db *db, brant__text sql, bool script) {
    const bool again = sql.length <= MOST_KEPT && seen(db, out->hash);
    const char *const end = sql.data + sql.length, *tail = NULL;
    db->passing = false;
    const int code = sqlite3_prepare_v3(db->sqlite, sql.data, (int)sql.length,
                                        again ? SQLITE_PREPARE_PERSISTENT : 0, &out->sqlite, &tail);
    if (code != SQLITE_OK) return brant__sqlite_fail(db, code, "the SQL text");
    if (!out->sqlite) return brant__fail(BRANT_SQL, "the SQL text holds no statement");
    if (again && tail == end && !db->passing && !sqlite3_stmt_isexplain(out->sqlite))
        out->length = sql.length;
    if (only_space(tail, end)) return BRANT_OK;
    if (script) {
        out->tail = (size_t)(tail - sql.data);
        return BRANT_OK;
    }
    brant__sql_statement_end(db, out);
    return brant__fail(BRANT_SQL,
                       "the SQL text holds more than one statement; run them one at a time");
}

brant_status brant__sql_statement_get(brant__sql_statement *out, brant_db *db, brant__text sql,
                                      bool script) {
    *out = (brant__sql_statement){.session = db->session != NULL};
    if (sql.length > MOST_TEXT)
        return brant__fail(BRANT_LIMIT, "the SQL text is longer than %zu bytes", MOST_TEXT);
    while (sql.length > 0 && isspace((unsigned char)sql.data[sql.length - 1]))
        sql.length--;
    if (sql.length <= MOST_KEPT) {
        out->hash = brant__hash(sql.data, sql.length);
        take(out, db, sql, out->hash);
        if (out->sqlite) {
            out->length = sql.length;
            return BRANT_OK;
        }
    }
    return prepare(out, db, sql, script);
}

/* ---- types of columns ---------------------------------------------------------------------------------------------- */

brant_status brant__sql_type_get(brant__sql_type *out, brant_db *db, sqlite3_stmt *statement,
                                 int column) {
    const char *table = sqlite3_column_table_name(statement, column);
    const char *origin = sqlite3_column_origin_name(statement, column);
    const char *declared = sqlite3_column_decltype(statement, column);
    int not_null = 0, primary = 0, counts_up = 0;
    *out = (brant__sql_type){.declared = NULL};
    if (!table || !origin) return BRANT_OK;
    /* A virtual table's columns, or a view's, may not be known: then nothing is said of NULL. */
    const int code =
        sqlite3_table_column_metadata(db->sqlite, sqlite3_column_database_name(statement, column),
                                      table, origin, NULL, NULL, &not_null, &primary, &counts_up);
    if (code == SQLITE_NOMEM) return brant__fail_memory();
    *out = (brant__sql_type){.declared = declared ? declared : "",
                             .not_null = code == SQLITE_OK && not_null};
    return BRANT_OK;
}
