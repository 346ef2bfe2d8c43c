/*
 * store/store.h: what the modules above know of a handle: entering, transactions, statements, and a place for state of their own.
 *
 * Only core/src/store includes sqlite3.h. A module above writes its SQL in a table of named statements and runs it with
 * brant__statement_get, brant__bind_*, brant__step and brant__column_*.
 */
#ifndef BRANT__STORE_H
#define BRANT__STORE_H

#include "base/base.h"
#include "base/json.h"
#include "brant/store.h"

#define BRANT__FORMAT 7 /* the newest format this code writes: the number of the last migration */

/* ---- entering a handle (handle.c) -------------------------------------------------------------------------------------- */

/*
 * Every use of a handle stands between enter and leave. Enter fails with CLOSED, MISUSE (another thread is inside) or FORKED. *handle becomes the
 * connection that it stands for (itself, or that of a shell): what is done inside is done with that, and that is left. Leave runs the teardown of
 * what was closed meanwhile. brant__error_clear is the caller's.
 */
brant_status brant__handle_enter(brant_db **handle);
void brant__leave(brant_db *db);
brant_status brant__enter(brant_db *db); /* the same for what is known to be a connection */

/*
 * Enter for a moment, to look for a cursor: a call that comes meanwhile waits for the leave instead of failing, so that those who wait disturb nobody.
 * MISUSE while anybody is inside: try again a little later.
 */
brant_status brant__handle_visit(brant_db **handle);
brant_status brant__visit(brant_db *db); /* a connection */

/*
 * A wait stands between wait_begin and wait_end, outside enter/leave: it keeps the handle from being torn down while a descriptor is
 * polled. wait_begin fails with CLOSED.
 */
brant_status brant__wait_begin(brant_db *handle);
void brant__wait_end(brant_db *handle);

void brant__db_retain(brant_db *handle); /* keep its memory, for a cursor or a shell */
void brant__db_release(brant_db *handle);

/* open.c: the status of an errno, and a record with `what` and the path. */
brant_status brant__system_fail(const char *what, const char *path, int error);

/* brant_close, but the record stays as it was. */
void brant__db_close(brant_db *handle);
bool brant__db_closed(const brant_db *handle);
/* INTERRUPTED, TIMEOUT or CLOSED when the running call should end; long loops in C ask every few thousand steps. */
brant_status brant__db_poll(brant_db *db);
/* How often brant_interrupt was called: a wait that sees it change ends. */
unsigned brant__db_interrupts(const brant_db *handle);

/* ---- shells (shell.c) ------------------------------------------------------------------------------------------------- */

typedef struct brant__session brant__session;
struct brant__call;

/*
 * A shell is a handle that stands for another one, which may be a shell itself: the same connection, transactions and state of modules, entered by one thread at a
 * time as before, but a life, deadline and interrupts of its own. brant_close takes it back, from any thread: what runs through it ends with CLOSED, as do its cursors' waits,
 * and nothing enters by it any more; the handle that it stands for goes on. Whoever closes that one closes its shells. Its memory is released by brant_db_free and keeps that of the handle beneath.
 * A transaction stays when the shell in which it was begun is closed.
 */
typedef struct brant__shell_kind {
    /* Each time it is entered, inside the connection; a failure ends the call. NULL: nothing. */
    brant_status (*enter)(brant_db *db, void *state);
    /* Once: it was closed and nobody is or waits in it. Any thread, inside nothing; the handle beneath has its memory. NULL: nothing. */
    void (*destroy)(brant_db *handle, void *state);
} brant__shell_kind;

/*
 * `session`, which lives until `destroy`, says who calls through it; NULL: whoever calls through `handle`. CLOSED: the handle is. LIMIT: shells upon shells, more than 16.
 * The state is the caller's when it fails. Any thread.
 */
brant_status brant__shell_open(brant_db **out_shell, brant_db *handle,
                               const brant__shell_kind *kind, void *state,
                               const brant__session *session);
/* Its state when it is a shell of this kind, else NULL. */
void *brant__shell_state(const brant_db *handle, const brant__shell_kind *kind);

/* Who calls through it; NULL: it is trusted. The handle is kept meanwhile: entered or waited in. */
const brant__session *brant__shell_session(const brant_db *handle);

/* The connection under a handle: itself when it is no shell. */
brant_db *brant__db_connection(brant_db *handle);
/* The handle by which the running call came. Between enter and leave. */
brant_db *brant__db_handle(brant_db *db);

/* ---- facts ----------------------------------------------------------------------------------------------------------- */

typedef struct brant__limits {
    size_t document;
    unsigned depth;
    size_t key;
    size_t batch;
} brant__limits;

const brant__limits *brant__db_limits(const brant_db *db);
const char *brant__db_path(const brant_db *db); /* absolute; ":memory:" */
bool brant__db_memory(const brant_db *db);
bool brant__db_read_only(const brant_db *db);
bool brant__db_system(const brant_db *db);
enum { BRANT__ROLE_SINGLE, BRANT__ROLE_SYSTEM, BRANT__ROLE_TENANT, BRANT__ROLE_COUNT };
int brant__db_role(const brant_db *db);
bool brant__db_group(const brant_db *db); /* permissions "group" */
/* Read once per operation: the same value until the operation ends. */
int64_t brant__db_now(brant_db *db);
brant_status brant__db_random(brant_db *db, void *bytes, size_t length);
brant_status brant__db_uuid(brant_db *db, char out[37]);

/* In a write transaction: no brant that knows less than this format opens the file to write it from now on. */
brant_status brant__db_require_writer(brant_db *db, int64_t format);

/* ---- who calls ---------------------------------------------------------------------------------------------------------- */

/* What a graph rule looks at. */
typedef struct brant__session_graph {
    brant__text name;
    brant__text owner_id; /* {NULL, 0}: none */
    brant__text type;     /* the graph type's name and scope */
    brant__text scope;
} brant__session_graph;

/* What a session may do, for the modules beneath operation/session.c, which has the rules. In a transaction; of `call` they need db and arena, and input where there is one. */
typedef struct brant__session_rules {
    /* May the running operation work on this graph? *out_visible false: to this session there is none. DENIED: it must not be written. */
    brant_status (*graph)(bool *out_visible, struct brant__call *call,
                          const brant__session *session, const brant__session_graph *graph);
    /* DENIED: the graph may not get this owner, {NULL, 0}: none. `before`: whose it is, {NULL, 0}: nobody's, or it is new. */
    brant_status (*owner)(struct brant__call *call, const brant__session *session,
                          brant__text graph, brant__text before, brant__text owner);
    /* DENIED where the running operation may not touch the stream. */
    brant_status (*stream)(brant_db *db, const brant__session *session, brant__text name);
    /* May a notification be told? */
    brant_status (*hear)(bool *out, brant_db *db, const brant__session *session,
                         brant__text channel, brant__text payload);
    /* DENIED: what opened the cursor that looks now is not allowed any more. Outside a transaction, or in the handle's own. */
    brant_status (*look)(brant_db *db, const brant__session *session);
    /* DENIED: the channel is the library's. */
    brant_status (*notify)(const brant__session *session, brant__text channel);
} brant__session_rules;

struct brant__scopes; /* identity/scope.h */

/* The identity of a session (brant/session.h), as the modules above see it. Borrowed, whole for the running call; absent texts are {NULL, 0}. */
struct brant__session {
    const brant__session_rules *rules;
    const struct brant__scopes *scopes, *within, *denies;
    const brant__session *outer; /* in which it was opened, and may all that it may; NULL: none */
    brant__text id;              /* of the identity: an account's id */
    brant__text actor_type;      /* "account", "api_key", "agent", "service" */
    brant__text reason;
    brant__text principal; /* the key of its node in the access graph */
    brant__text organization;
    brant__text level;
    brant__text key; /* the API key that it came with */
};

/* Of the running call: NULL when it is trusted. Between enter and leave. */
const brant__session *brant__db_session(const brant_db *db);
/* What the library reads to judge a session it reads by itself: NULL, and afterwards what this gave. */
const brant__session *brant__db_session_set(brant_db *db, const brant__session *session);
/* DENIED when a session calls: what gives more than any scope says. */
brant_status brant__db_trusted(const brant_db *db, const char *what);
/* The running operation, for its session's rules: of a cursor's look, that which opened it. NULL: none that is one. */
struct brant__operation;
const struct brant__operation *brant__db_running(const brant_db *db);
void brant__db_running_set(brant_db *db, const struct brant__operation *operation);

/* ---- files of tenants (tenant.c) ---------------------------------------------------------------------------------------- */

/* An empty tenant's file of this format, from which others are copied. Immutable. */
typedef struct brant__image brant__image;
brant_status brant__image_make(brant__image **out);
void brant__image_free(brant__image *image); /* NULL is fine */
/* A new file, which must not be there yet. `durable`: on disk when it returns. The ids are 36 characters. */
brant_status brant__image_write(const brant__image *image, const char *path, bool group,
                                bool durable, const char *id, const char *org_id, int64_t now);

/* The organisation that the file says to be of; "" where it does not say. Between enter and leave, as all below. */
brant_status brant__tenant_organization(char out[37], brant_db *db);
/* In a transaction of its own. */
brant_status brant__tenant_claim(brant_db *db, const char *org_id);
/*
 * Say in the file that it is gone, in a transaction of its own: nothing is committed in it from then on, by no handle of any process (CLOSED), and nobody opens it (NOT_FOUND).
 */
brant_status brant__tenant_bury(brant_db *db);

/* The format that the file had when this handle was opened. */
int64_t brant__db_found_format(const brant_db *db);

/* Closing leaves the write-ahead log as it is, which is quick; its pages since the last checkpoint; and a checkpoint as far as readers allow. */
void brant__db_keep_log(brant_db *db);
int brant__db_log_pages(const brant_db *db);
void brant__db_checkpoint(brant_db *db);

/* ---- transactions (transaction.c) --------------------------------------------------------------------------------------- */

enum { BRANT__READ, BRANT__WRITE };

/* Nested ones are savepoints. Between enter and leave. */
brant_status brant__begin(brant_db *db, int mode);
/* The same of a write transaction that nobody waits for: BUSY at once while another writes. On a host's connection the host's patience counts. */
brant_status brant__begin_now(brant_db *db);
/* The same for which one waits until `end` of the monotonic clock, however long the busy timeout is: of what may be left undone. The record is empty before. */
brant_status brant__begin_soon(brant_db *db, int64_t end);
brant_status brant__commit(brant_db *db);
/* Never fails as far as the caller is concerned, keeps the error record. */
void brant__rollback(brant_db *db);
/* There was no memory for that: what was open still is, with its lock, until the next one begins or the handle is closed. */
bool brant__transaction_stuck(const brant_db *db);
unsigned brant__depth(const brant_db *db);
bool brant__transaction_lost(
    brant_db *
        db); /* SQLite took the running one back by itself: nothing can begin before its rollback */

/* ---- state of the modules above ------------------------------------------------------------------------------------------ */

enum {
    BRANT__SLOT_GRAPH,
    BRANT__SLOT_EVENT,
    BRANT__SLOT_QUEUE,
    BRANT__SLOT_WAITER,
    BRANT__SLOT_STREAM,
    BRANT__SLOT_KEYRING,
    BRANT__SLOT_ACCESS,
    BRANT__SLOT_HUB,
    BRANT__SLOT_COUNT
};

/* Any member may be NULL. All but `interrupt` run inside the handle. */
typedef struct brant__hooks {
    brant_status (*before_commit)(
        brant_db *db,
        void *state); /* outermost write transaction, still open; a failure keeps it open */
    void (*after_commit)(brant_db *db, void *state); /* outermost write transaction, durable */
    /* `depth`: how many levels are left; 0 when the whole transaction went. What was noted on deeper levels is void. */
    void (*after_rollback)(brant_db *db, void *state, unsigned depth);
    void (*before_restore)(brant_db *db,
                           void *state); /* the file is about to become another's copy */
    void (*after_restore)(brant_db *db, void *state); /* it has, or not; before after_rollback(0) */
    void (*after_release)(brant_db *db, void *state, unsigned depth); /* a nested level was kept */
    void (*after_end)(brant_db *db,
                      void *state); /* outermost transaction, read or write, is over, either way */
    void (*forget)(brant_db *db,
                   void *state); /* give back memory that held rows: brant__db_secret */
    void (*interrupt)(brant_db *db, void *state); /* end waits; any thread; also when closing */
    void (*destroy)(brant_db *db,
                    void *state); /* last: the connection is still open, or NULL never was */
} brant__hooks;

/* A module attaches its state when it is first needed. The hooks are static. Fails with NO_MEMORY never; replaces nothing. */
void brant__attach(brant_db *db, int slot, const brant__hooks *hooks, void *state);
void *brant__state(const brant_db *db, int slot); /* NULL before attach; safe from any thread */

/* ---- statements (statement.c) ------------------------------------------------------------------------------------------- */

typedef struct brant__statement brant__statement; /* a prepared statement */

/* One a module, static. Parameters are written :name and bound by the order of their first appearance, from 1. */
typedef struct brant__statements {
    int table; /* BRANT__TABLE_* */
    size_t count;
    const char *const *sql;
} brant__statements;
enum {
    BRANT__TABLE_STORE,
    BRANT__TABLE_TYPE,
    BRANT__TABLE_EVOLVE,
    BRANT__TABLE_GRAPH,
    BRANT__TABLE_NODE,
    BRANT__TABLE_EDGE,
    BRANT__TABLE_TRAVERSE,
    BRANT__TABLE_PATCH,
    BRANT__TABLE_REMOVE,
    BRANT__TABLE_PURGE,
    BRANT__TABLE_RETENTION,
    BRANT__TABLE_ERASE,
    BRANT__TABLE_EVENT,
    BRANT__TABLE_WAKE,
    BRANT__TABLE_SIGNAL,
    BRANT__TABLE_WAITER,
    BRANT__TABLE_QUEUE,
    BRANT__TABLE_JOB,
    BRANT__TABLE_JOB_ENQUEUE,
    BRANT__TABLE_JOB_CLAIM,
    BRANT__TABLE_JOB_ATTEMPT,
    BRANT__TABLE_JOB_ROW,
    BRANT__TABLE_JOB_READ,
    BRANT__TABLE_JOB_MANAGE,
    BRANT__TABLE_JOB_WATCH,
    BRANT__TABLE_QUEUE_STATS,
    BRANT__TABLE_QUEUE_MAINTAIN,
    BRANT__TABLE_QUEUE_WATCH,
    BRANT__TABLE_METRICS,
    BRANT__TABLE_STREAM,
    BRANT__TABLE_STREAM_CONFIGURE,
    BRANT__TABLE_STREAM_PUBLISH,
    BRANT__TABLE_STREAM_READ,
    BRANT__TABLE_STREAM_KEYS,
    BRANT__TABLE_STREAM_SUBSCRIBE,
    BRANT__TABLE_STREAM_TRIM,
    BRANT__TABLE_CONSUMER,
    BRANT__TABLE_GROUP,
    BRANT__TABLE_LOCK,
    BRANT__TABLE_RATE_LIMIT,
    BRANT__TABLE_SCHEDULE,
    BRANT__TABLE_CHANGE,
    BRANT__TABLE_HISTORY,
    BRANT__TABLE_CALL,
    BRANT__TABLE_PROMETHEUS,
    BRANT__TABLE_EVENT_ERASE,
    BRANT__TABLE_CRYPTO,
    BRANT__TABLE_SEAL,
    BRANT__TABLE_ROTATE_ROW,
    BRANT__TABLE_ROTATE_LOG,
    BRANT__TABLE_ROTATE_STATE,
    BRANT__TABLE_IDENTITY,
    BRANT__TABLE_ACCOUNT,
    BRANT__TABLE_ORGANIZATION,
    BRANT__TABLE_MEMBER,
    BRANT__TABLE_INVITATION,
    BRANT__TABLE_API_KEY,
    BRANT__TABLE_AUTHENTICATE,
    BRANT__TABLE_AUDIT,
    BRANT__TABLE_AUDIT_SUBJECT,
    BRANT__TABLE_AUDIT_VERIFY,
    BRANT__TABLE_AUDIT_CHECKPOINT,
    BRANT__TABLE_ACCESS,
    BRANT__TABLE_ACCESS_FOLLOW,
    BRANT__TABLE_ACCESS_WRITE,
    BRANT__TABLE_ACCESS_HOLD,
    BRANT__TABLE_ACCESS_DERIVE,
    BRANT__TABLE_TENANT,
    BRANT__TABLE_TENANT_FILE,
    BRANT__TABLE_TENANT_STATE,
    BRANT__TABLE_TENANT_LIST,
    BRANT__TABLE_TENANT_WALK,
    BRANT__TABLE_TENANT_MEMBER,
    BRANT__TABLE_DELEGATION,
    BRANT__TABLE_SESSION,
    BRANT__TABLE_COUNT
};

/* The statement, prepared at its first use on this handle. Borrowed. Bind every parameter: it keeps those of its last use. Finish with brant__reset. */
brant_status brant__statement_get(brant__statement **out, brant_db *db,
                                  const brant__statements *statements, size_t index);

#define BRANT__QUERY_BYTES ((size_t)1 << 20)
/*
 * A statement that was written for one call, prepared by its text. The handle keeps the ones used last. It must be reset before the same text
 * is asked for again. LIMIT: the text is longer than 1 MiB.
 */
brant_status brant__statement_prepare(brant__statement **out, brant_db *db, brant__text sql);

/* Run SQL text that yields nothing: statements that change the schema. */
brant_status brant__execute(brant_db *db, const char *sql);
/* UNSUPPORTED: the SQLite that runs is older than that (3051003 is 3.51.3), which only the host of the extension brings; `what` needs it. */
brant_status brant__sqlite_least(int number, const char *what);

/* Is there anything in the text, of at most INT_MAX bytes, that indexes of text hold a word for? */
brant_status brant__has_word(bool *out_has, brant_db *db, brant__text text);

/* A failed bind is reported by the next step. Text is not copied: it must live until reset. {NULL, 0} binds NULL. */
void brant__bind_integer(brant__statement *statement, int index, int64_t value);
void brant__bind_double(brant__statement *statement, int index, double value);
void brant__bind_text(brant__statement *statement, int index, brant__text value);
void brant__bind_blob(brant__statement *statement, int index, const void *bytes, size_t length);
void brant__bind_null(brant__statement *statement, int index);

/* The next row. *out_row false: done. Maps SQLite's errors to ours and sets the record. */
brant_status brant__step(bool *out_row, brant_db *db, brant__statement *statement);
/* A statement that yields no row: step, then reset. */
brant_status brant__run(brant_db *db, brant__statement *statement);
void brant__reset(brant__statement *statement); /* NULL is fine */

int64_t brant__column_integer(brant__statement *statement, int column);
double brant__column_double(brant__statement *statement, int column);
brant__text brant__column_text(brant__statement *statement,
                               int column); /* {NULL, 0} for NULL; borrowed until the next step */
/* Text or bytes as they are stored, with *out_bytes saying which; {NULL, 0} for NULL. Borrowed until the next step. */
brant__text brant__column_payload(bool *out_bytes, brant__statement *statement, int column);
bool brant__column_null(brant__statement *statement, int column);
enum { BRANT__COLUMN_NULL, BRANT__COLUMN_INTEGER, BRANT__COLUMN_DOUBLE, BRANT__COLUMN_TEXT };
int brant__column_type(brant__statement *statement, int column); /* bytes count as text */

int64_t brant__last_row_id(const brant_db *db);
int64_t brant__changes(const brant_db *db); /* rows changed by the last statement */

/* ---- operations ---------------------------------------------------------------------------------------------------------- */

/*
 * One call of an operation: its input is parsed and has passed the operation's input schema; the handler writes exactly one JSON value to `out`.
 * It runs inside enter/leave and inside a transaction of its kind (mutation: write; query: read), which is committed when it returns BRANT_OK and
 * rolled back otherwise; those that must not (transaction.*, db.backup, db.restore, db.maintain) say so in the registry. `arena` lives for the call.
 */
typedef struct brant__call {
    brant_db *db;
    yyjson_val *input;
    brant__writer *out;
    brant__arena *arena;
    brant__text name;  /* as it was called; of typed operations alone */
    brant__text frame; /* instead of `input`, of brant__sql_run alone */
} brant__call;

typedef brant_status (*brant__handler)(brant__call *call);

brant_status brant__transaction_begin(brant__call *call);
brant_status brant__transaction_commit(brant__call *call);
brant_status brant__transaction_rollback(brant__call *call);
brant_status brant__sql_execute(brant__call *call);
brant_status brant__sql_run(brant__call *call); /* the same by call->frame (brant_sql_run) */
brant_status brant__db_info(brant__call *call);
brant_status brant__db_doctor(brant__call *call);
brant_status brant__db_backup(brant__call *call);
brant_status brant__db_restore(brant__call *call);

/* Part of db.maintain: look for foreign descriptors, refresh planner statistics, checkpoint. Outside a transaction. */
brant_status brant__db_tidy(int64_t *out_wal_pages, brant_db *db);

/*
 * Leave nothing of what was removed before in the file, which is rewritten, and in its log; outside a transaction. *out_clean: done; a reader, another writer, a full disk or an
 * interrupt may prevent it. Sets no error record.
 */
void brant__db_scrub(bool *out_clean, brant_db *db);

/* Scratch of a handle for one call; the arena is reset and the writer emptied by the caller. */
typedef struct brant__scratch {
    brant__json json;
    brant__arena arena;
    brant__writer writer;
} brant__scratch;
brant__scratch *brant__db_scratch(brant_db *db);

/*
 * A plaintext secret was in the hands of the running operation, as input, as answer or between: when the handle is left, whether the operation
 * succeeded or not, all memory is wiped that the handle keeps for the next one (its scratch, and through `forget` what the modules keep). Whatever
 * was allocated besides is wiped when it is freed. Cheap; any number of times; between enter and leave.
 */
void brant__db_secret(brant_db *db);

#endif
