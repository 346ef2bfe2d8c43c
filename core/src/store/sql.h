/*
 * store/sql.h: the parts of the operation sql.execute, for core/src/store only: statements of the user's, kept by their text (sql_statement.c), and
 * the two forms in which a call crosses: JSON (sql_json.c) and frames (sql_frame.c). sql.c runs them.
 */
#ifndef BRANT__STORE_SQL_H
#define BRANT__STORE_SQL_H

#include "store/handle.h"

/* ---- statements (sql_statement.c) --------------------------------------------------------------------------------------- */

/* A statement that whoever has it may run: nobody else does meanwhile. */
typedef struct brant__sql_statement {
    sqlite3_stmt *sqlite;
    size_t tail;   /* where the text behind it begins, of a script; 0: there is none */
    size_t length; /* of the text that it is kept by; 0: it is not kept */
    uint64_t hash; /* of the text */
    bool session;  /* it was judged as a session's */
} brant__sql_statement;

/*
 * The text's one statement, or of a `script` its first; prepared, or one that was kept. What is kept is never another's: a session's statements were judged by a session's
 * rules, and are for sessions alone. SQLite prepares it anew, and has it judged anew, when the schema has changed. Give it back with brant__sql_statement_end.
 * SQL: the text is wrong, holds nothing, or, of no script, more than one statement. LIMIT: it is longer than 1 MB. Between db->user_sql = true and false.
 */
brant_status brant__sql_statement_get(brant__sql_statement *out, brant_db *db, brant__text sql,
                                      bool script);
/* Keep it for its next use, or not. Its rows and values are void. NULL in `sqlite` is fine. */
void brant__sql_statement_end(brant_db *db, brant__sql_statement *statement);

/* What the definition of its table says of a column of a statement that was stepped. */
typedef struct brant__sql_type {
    const char *declared; /* "": nothing; NULL: the column is an expression */
    bool not_null;
} brant__sql_type;
brant_status brant__sql_type_get(brant__sql_type *out, brant_db *db, sqlite3_stmt *statement,
                                 int column);

/* ---- forms --------------------------------------------------------------------------------------------------------------- */

typedef struct brant__sql_form brant__sql_form;

/* A value in a frame. */
typedef struct brant__sql_value {
    int type; /* SQLite's */
    uint64_t bits;
    brant__text bytes;
} brant__sql_value;

typedef struct brant__sql_name {
    brant__text name;
    brant__sql_value value;
    bool used;
} brant__sql_name;

/* What a call asks for. */
typedef struct brant__sql_request {
    const brant__sql_form *form;
    brant__text sql;
    int64_t cursor; /* when it goes on with one, instead of all else but limit and close */
    size_t limit;   /* 0: none */
    size_t runs;
    bool goes_on, describe, script, close, batch;
    union {
        struct {
            yyjson_val *params;    /* of the one run that is no batch; NULL: none were given */
            yyjson_arr_iter batch; /* the runs that are left */
        } json;
        struct {
            const char *at, *end; /* the runs that are left */
            size_t left;
            brant__sql_name *names; /* room for those of one run, in the call's arena */
            size_t room;
        } frame;
    } values;
} brant__sql_request;

typedef struct brant__sql_answer {
    size_t rows; /* of all runs */
    int64_t changes;
    int64_t last_insert_rowid;
    int64_t cursor; /* 0: none */
    size_t tail;
    unsigned parameters;
} brant__sql_answer;

struct brant__sql_form {
    /*
     * Bind the values of the next run. Of a script those that are left are for the statements behind it. `stays`: the statement outlives the call, so that texts are copied; else they
     * are the input's.
     */
    brant_status (*bind)(brant__call *call, brant__sql_request *asked, sqlite3_stmt *statement,
                         bool stays);
    /* The columns, of a statement that was stepped, and what else stands before the rows. */
    brant_status (*begin)(brant__call *call, const brant__sql_request *asked,
                          sqlite3_stmt *statement);
    /* LIMIT: the rows get larger than `bytes`. */
    brant_status (*row)(brant__writer *out, sqlite3_stmt *statement, size_t bytes);
    /* What stands behind the rows. NO_MEMORY: the answer is not whole. */
    brant_status (*end)(brant__call *call, const brant__sql_request *asked, sqlite3_stmt *statement,
                        const brant__sql_answer *answer);
};

/* Both read what sql.c has to know; the values are read when they are bound. */
brant_status brant__sql_read_json(brant__sql_request *out, const brant__call *call);
brant_status brant__sql_read_frame(brant__sql_request *out, const brant__call *call);

/* A row's value: its type, and of text and bytes the length. LIMIT: with it the answer gets larger than `bytes`; asked before it is written, for one can be a thousand times that. */
brant_status brant__sql_value_measure(int *out_type, size_t *out_length, const brant__writer *out,
                                      sqlite3_stmt *statement, int column, size_t bytes);

#endif
