/*
 * store/sql.c: the user's own SQL on the same connection, in the same transaction.
 *
 * One statement a call. What it may touch is the authorizer's matter. A query that is read in parts stays open between calls as a cursor, known by a
 * number, and ends with the transaction that it was opened in. How a call's values cross, as JSON or in a frame, is its form's matter.
 */
#include "store/sql.h"

#define MOST_CURSORS 100
#define PART_ROWS    1000    /* of a part, where nothing is said */
#define PART_BYTES   1000000 /* of the rows of a part, after which it is as long as it may be */

/* ---- what is asked ------------------------------------------------------------------------------------------------ */

static brant_status check_request(const brant__sql_request *asked, const brant_db *db) {
    const size_t batch = db->options.limits.batch;
    if (asked->limit > batch)
        return brant__fail(BRANT_INVALID, "\"limit\" must be 1 to %llu rows",
                           (unsigned long long)batch);
    if (asked->goes_on) return BRANT_OK;
    if (asked->close && !asked->limit)
        return brant__fail(BRANT_INVALID, "\"close\" goes with \"cursor\" or \"limit\"");
    if (!asked->batch) return BRANT_OK;
    if (asked->script || asked->limit)
        return brant__fail(BRANT_INVALID, "\"batch\" goes with neither \"script\" nor \"limit\"");
    if (asked->runs > batch)
        return brant__fail(BRANT_LIMIT, "\"batch\" has more than %llu members",
                           (unsigned long long)batch);
    return BRANT_OK;
}

/* ---- running -------------------------------------------------------------------------------------------------------- */

/* How far a call is. */
typedef struct progress {
    size_t most; /* rows; SIZE_MAX: all */
    bool reads;  /* the statement only reads: it can end, or pause, anywhere */
    bool
        pauses; /* behind `most` rows, or large ones, a cursor goes on; else no more are answered */
    bool begun; /* columns are written, rows are being */
    bool at_row; /* the statement stands on a row that was not written yet */
    brant__sql_answer answer;
} progress;

/* The columns are those of a statement that was stepped: only then it is known to be that of the schema of now. */
static brant_status begin_rows(progress *self, brant__call *call, const brant__sql_request *asked,
                               sqlite3_stmt *statement) {
    if (self->begun) return BRANT_OK;
    self->begun = true;
    return asked->form->begin(call, asked, statement);
}

brant_status brant__sql_value_measure(int *out_type, size_t *out_length, const brant__writer *out,
                                      sqlite3_stmt *statement, int column, size_t bytes) {
    const int type = sqlite3_column_type(statement, column);
    const size_t length = type == SQLITE_TEXT || type == SQLITE_BLOB
                              ? (size_t)sqlite3_column_bytes(statement, column)
                              : 0;
    *out_type = type;
    *out_length = length;
    if (length <= bytes && out->buffer.length <= bytes - length) return BRANT_OK;
    return brant__fail(BRANT_LIMIT, "the rows are larger than %llu bytes; add LIMIT",
                       (unsigned long long)bytes);
}

/* Run it once, with what is bound, or go on. */
static brant_status write_rows(brant__call *call, const brant__sql_request *asked,
                               sqlite3_stmt *statement, progress *to) {
    const size_t batch = call->db->options.limits.batch, bytes = call->db->options.limits.document;
    const size_t from = call->out->buffer.length;
    brant_status status = BRANT_OK;
    int code = SQLITE_ROW;
    for (;;) {
        size_t *rows = &to->answer.rows;
        if (to->reads && !to->pauses && *rows == to->most) return BRANT_OK;
        if (!to->at_row) code = sqlite3_step(statement);
        to->at_row = code == SQLITE_ROW;
        /* First: describing columns overwrites what SQLite says of the step. */
        if (!to->at_row && code != SQLITE_DONE)
            return brant__sqlite_fail(call->db, code, "running the statement");
        BRANT__TRY(begin_rows(to, call, asked, statement));
        if (!to->at_row) break;
        if (to->pauses && (*rows == to->most || call->out->buffer.length - from > PART_BYTES))
            return BRANT_OK;
        to->at_row = false;
        if (*rows == to->most) continue; /* what writes is done to its end */
        if (++*rows > batch)
            return brant__fail(BRANT_LIMIT, "the statement yields more than %llu rows; add LIMIT",
                               (unsigned long long)batch);
        BRANT__TRY(asked->form->row(call->out, statement, bytes));
    }
cleanup:
    return status;
}

/* Once with the values of "params", or with each of "batch". */
static brant_status run(brant__call *call, brant__sql_request *asked, sqlite3_stmt *statement,
                        progress *to) {
    brant_db *db = call->db;
    brant_status status = BRANT_OK;
    for (size_t i = 0; i < asked->runs; i++) {
        const int64_t before = sqlite3_total_changes64(db->sqlite);
        if (i > 0) sqlite3_reset(statement);
        BRANT__TRY(asked->form->bind(call, asked, statement, to->pauses));
        BRANT__TRY(write_rows(call, asked, statement, to));
        /* Of a statement that writes no rows SQLite says what it said of the one before. */
        if (sqlite3_total_changes64(db->sqlite) != before)
            to->answer.changes += sqlite3_changes64(db->sqlite);
    }
    BRANT__TRY(begin_rows(to, call, asked, statement)); /* of an empty batch */
cleanup:
    return status;
}

/* ---- cursors -------------------------------------------------------------------------------------------------------- */

struct brant__sql_cursor {
    brant__sql_cursor *next;
    brant__sql_statement statement; /* stands on a row that was not written yet */
    int64_t id;
    unsigned depth; /* of the transaction that it ends with */
    unsigned owner; /* the session's shell; 0: a trusted call */
};

static unsigned owner_of(const brant_db *db) {
    return db->session ? db->shell->number : 0;
}

static void close_cursor(brant_db *db, brant__sql_cursor **place) {
    brant__sql_cursor *cursor = *place;
    *place = cursor->next;
    brant__sql_statement_end(db, &cursor->statement);
    brant__free(cursor);
}

void brant__sql_cursors_end(brant_db *db, unsigned depth) {
    brant__sql_cursor **place = &db->sql_cursors;
    while (*place)
        if ((*place)->depth >= depth)
            close_cursor(db, place);
        else
            place = &(*place)->next;
}

/* Takes the statement over when it succeeds. */
static brant_status open_cursor(brant__sql_cursor **out, brant_db *db,
                                brant__sql_statement *statement) {
    unsigned open = 0;
    for (const brant__sql_cursor *other = db->sql_cursors; other; other = other->next)
        open++;
    if (open >= MOST_CURSORS)
        return brant__fail(BRANT_LIMIT, "%u queries are open in the transaction; close some", open);
    brant__sql_cursor *cursor = brant__alloc_zero(sizeof *cursor);
    if (!cursor) return brant__fail_memory();
    *cursor = (brant__sql_cursor){.next = db->sql_cursors,
                                  .statement = *statement,
                                  .id = ++db->sql_cursor_last,
                                  .depth = db->depth,
                                  .owner = owner_of(db)};
    statement->sqlite = NULL;
    *out = db->sql_cursors = cursor;
    return BRANT_OK;
}

static brant__sql_cursor **find_cursor(brant_db *db, int64_t id) {
    brant__sql_cursor **place = &db->sql_cursors;
    while (*place && ((*place)->id != id || (*place)->owner != owner_of(db)))
        place = &(*place)->next;
    return *place ? place : NULL;
}

/* The next part of an open cursor, or its end. One that fails is closed. */
static brant_status go_on(brant__call *call, const brant__sql_request *asked) {
    brant_db *db = call->db;
    brant_status status = BRANT_OK;
    progress to = {.most = asked->limit ? asked->limit : PART_ROWS,
                   .reads = true,
                   .pauses = !asked->close,
                   .at_row = true};
    BRANT__TRY(brant__transaction_check(db));
    brant__sql_cursor **place = find_cursor(db, asked->cursor);
    if (!place)
        return brant__fail(BRANT_MISUSE, "no query is open under that cursor: it was read to its "
                                         "end, closed, interrupted, or its transaction is over");
    sqlite3_stmt *statement = (*place)->statement.sqlite;
    status = begin_rows(&to, call, asked, statement);
    if (status == BRANT_OK && (!asked->close || asked->limit)) {
        db->user_sql = true;
        status = write_rows(call, asked, statement, &to);
        db->user_sql = false;
    }
    if (asked->close) to.at_row = false;
    if (status == BRANT_OK) {
        to.answer.last_insert_rowid = sqlite3_last_insert_rowid(db->sqlite);
        to.answer.cursor = to.at_row ? asked->cursor : 0;
        status = asked->form->end(call, asked, statement, &to.answer);
    }
    if (status != BRANT_OK || !to.at_row) close_cursor(db, place);
cleanup:
    db->denied = NULL;
    return status;
}

/* ---- the operation --------------------------------------------------------------------------------------------------- */

static brant_status execute(brant__call *call, brant__sql_request *asked) {
    brant_db *db = call->db;
    brant_status status = BRANT_OK;
    brant__sql_statement statement = {.sqlite = NULL};
    brant__sql_cursor *cursor = NULL;
    progress to = {.most = SIZE_MAX};
    bool began = false;
    BRANT__TRY(check_request(asked, db));
    if (asked->goes_on) return go_on(call, asked);
    db->user_sql = true;
    db->denied = NULL;
    db->alters = false;
    BRANT__TRY(brant__transaction_check(db));
    BRANT__TRY(brant__sql_statement_get(&statement, db, asked->sql, asked->script));
    to.reads = sqlite3_stmt_readonly(statement.sqlite);
    to.pauses = asked->limit && to.reads && !asked->close;
    if (to.pauses || asked->close) to.most = asked->limit;
    /* Its own transaction when none runs: a write takes the lock at once, a read one snapshot. */
    if (db->depth == 0 || !to.reads) {
        db->user_sql = false;
        BRANT__TRY(brant__begin(db, to.reads ? BRANT__READ : BRANT__WRITE));
        began = true;
        db->user_sql = true;
    }
    BRANT__TRY(run(call, asked, statement.sqlite, &to));
    to.answer.last_insert_rowid = sqlite3_last_insert_rowid(db->sqlite);
    to.answer.parameters = (unsigned)sqlite3_bind_parameter_count(statement.sqlite);
    to.answer.tail = statement.tail;
    if (to.at_row && began) {
        status = brant__fail(BRANT_MISUSE,
                             "there are more than %llu rows, or large ones: they are read in parts "
                             "inside a transaction, or end with \"close\"",
                             (unsigned long long)asked->limit);
        goto cleanup;
    }
    sqlite3_stmt *const sqlite = statement.sqlite;
    if (to.at_row) {
        BRANT__TRY(open_cursor(&cursor, db, &statement));
        to.answer.cursor = cursor->id;
    }
    /* Before the commit, which could not be taken back. */
    BRANT__TRY(asked->form->end(call, asked, sqlite, &to.answer));
cleanup:
    brant__sql_statement_end(db, &statement);
    if (status != BRANT_OK && cursor) close_cursor(db, &db->sql_cursors); /* it is the first */
    db->user_sql = false;
    db->denied = NULL;
    if (began) {
        if (status == BRANT_OK) status = brant__commit(db);
        if (status != BRANT_OK) brant__rollback(db);
    }
    return status;
}

brant_status brant__sql_execute(brant__call *call) {
    brant__sql_request asked;
    const brant_status status = brant__sql_read_json(&asked, call);
    return status == BRANT_OK ? execute(call, &asked) : status;
}

brant_status brant__sql_run(brant__call *call) {
    brant__sql_request asked;
    const brant_status status = brant__sql_read_frame(&asked, call);
    return status == BRANT_OK ? execute(call, &asked) : status;
}
