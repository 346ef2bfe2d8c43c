/*
 * store/handle.h: the inside of a handle, for core/src/store only.
 *
 * `state` has two flags and a count: INSIDE (a call runs), CLOSED (brant_close was called), and how many waits are on. Whoever makes it
 * CLOSED alone (no call, no wait) adds TORN and tears down: exactly one thread gets there.
 * `sqlite` is NULL after teardown; `lock` protects it against an interrupt from another thread, and nothing else.
 * A shell (shell.c) has such a state of its own: a call is INSIDE it and everything beneath, a wait is counted in each.
 */
#ifndef BRANT__STORE_HANDLE_H
#define BRANT__STORE_HANDLE_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#if defined(BRANT_EXTENSION)
#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3 /* every function is the host's */
/* Not among an extension's: the host has done it. */
#define sqlite3_initialize() SQLITE_OK
#else
#include <sqlite3.h>
#endif

#include "store/store.h"

#define BRANT__APPLICATION_ID 0x6272616e /* "bran" */

#define BRANT__TRANSACTION_DEPTH 120 /* for users; the library's own levels come on top */

#define BRANT__INSIDE      1u
#define BRANT__CLOSED_FLAG 2u
#define BRANT__TORN        4u
#define BRANT__VISIT       8u /* with INSIDE: a cursor looks; calls wait for it */
#define BRANT__WAIT        16u

    typedef struct brant__options {
    int mode; /* BRANT__MODE_* */
    bool full;
    int role;
    bool role_given;
    int64_t busy_timeout;
    bool group;
    bool adopt;
    bool network;
    bool system;
    bool foreign_keys;
    brant__limits limits;
    int64_t cache;
} brant__options;

enum { BRANT__MODE_CREATE, BRANT__MODE_RW, BRANT__MODE_RO };
extern const char *const brant__mode_names[];
extern const char *const brant__role_names[];

#define BRANT__QUERIES_KEPT 32

#define BRANT__SQL_KEPT 64

/* A statement that was made for a filter, or a user's (sql_statement.c), kept by its text. */
typedef struct brant__query {
    sqlite3_stmt *statement; /* has its own copy of the text */
    size_t length;
    uint64_t hash;
    uint64_t used;
    bool session; /* a user's: judged as a session's */
} brant__query;

typedef struct brant__sql_cursor brant__sql_cursor; /* sql.c */

struct brant_db {
    atomic_uint state;
    atomic_int references;
    atomic_uint interrupts;
    atomic_llong deadline; /* system clock, 0: none */
    pthread_mutex_t lock;
    sqlite3 *sqlite;
    pid_t process;

    brant__options options;
    brant_sources sources;
    char *path; /* absolute, or ":memory:" */
    bool memory;
    dev_t device;
    ino_t inode;

    unsigned call_interrupts; /* `interrupts` when the running call entered */
    int64_t now;              /* of the running call; 0: not read yet */
    bool user_sql;            /* the authorizer guards what is being prepared or run */
    bool alters;              /* what is being prepared drops or renames a table of the user's */
    bool passing; /* what is being prepared of the user's does more than read and write rows */
    const char *denied; /* why the authorizer refused, static */
    char denied_object[96];
    int64_t busy_since;
    bool impatient; /* BUSY at once */
    bool unasked;   /* what runs is not asked whether to go on */

    unsigned depth;
    int mode;    /* of the outermost transaction */
    bool host;   /* the connection is the host's of the loadable extension (extension/host.c) */
    bool joined; /* of a host: the outermost level stands inside what the host began */
    bool bare;   /* joined, and a statement of the host is writing: no savepoint can be made */
    bool
        torn; /* bare, and a level that wrote was rolled back: only the host's whole transaction can take it back */
    int changed[(BRANT__TRANSACTION_DEPTH / 64 + 1) *
                64]; /* bare: SQLite's count of changes when each level began */
    bool
        lost; /* SQLite rolled the whole transaction back by itself: its levels are still to be ended */
    bool stuck; /* it was given up, but SQLite has not taken it back, for want of memory */
    uint64_t nested_read[BRANT__TRANSACTION_DEPTH / 64 +
                         1]; /* bit n: level n is a read inside another, without a savepoint */
    int64_t found_format;    /* of the file, when it was opened */
    bool guarded;            /* a tenant's file, which may be gone: writes look (tenant.c) */
    bool alive;              /* a tenant's file was not gone when its data had version `alive_at` */
    unsigned alive_at;
    int wal_pages;     /* after the last commit */
    int checkpoint_at; /* WAL pages at which the next commit checkpoints */

    sqlite3_stmt **statements[BRANT__TABLE_COUNT];
    brant__query queries[BRANT__QUERIES_KEPT];
    uint64_t query_clock;
    size_t statement_counts[BRANT__TABLE_COUNT];

    const brant__hooks *hooks[BRANT__SLOT_COUNT];
    _Atomic(void *) slots[BRANT__SLOT_COUNT];

    brant__sql_cursor *sql_cursors; /* open, the newest first */
    int64_t sql_cursor_last;
    brant__query sql_kept[BRANT__SQL_KEPT]; /* statements of the user's that do not run */
    uint64_t sql_seen[BRANT__SQL_KEPT];     /* hashes of texts that were run once */

    brant__scratch scratch;
    bool secret; /* the running operation had one: brant__db_secret */

    /* Of the running call. */
    brant_db *shell;               /* by which it came; NULL: by none */
    const brant__session *session; /* NULL: it is trusted */
    const struct brant__operation *operation;
    unsigned begun_by[BRANT__TRANSACTION_DEPTH]; /* the session's shell; 0: a trusted call */
    atomic_uint shells;                          /* so many were made: their numbers */

    /* Of a shell, which has none of the above but the life, the deadline, interrupts and the session. */
    brant_db *beneath; /* retained; NULL: it is no shell */
    brant_db *connection;
    const brant__shell_kind *kind;
    void *kind_state;
    unsigned number;     /* from 1, never given again on this connection */
    unsigned height;     /* shells beneath, and itself */
    atomic_bool entered; /* its call is inside the connection */
};

/* Set the record from SQLite's last error on this connection. `what` names what was tried. */
brant_status brant__sqlite_fail(brant_db *db, int code, const char *what);
/* The status for an SQLite result code, no record. */
brant_status brant__sqlite_status(int code);

/* transaction.c, of a host's connection: its own transaction was committed, or taken back. */
void brant__host_committed(brant_db *db);
void brant__host_rolled_back(brant_db *db);

/* options.c */
brant_status brant__options_parse(brant__options *options, const char *json, size_t json_len);

/* descriptor.c */
brant_status
brant__descriptor_watch(void); /* before the first open: note which descriptors our SQLite owns */
brant_status
brant__descriptor_guard(const char *path); /* FOREIGN_SQLITE when another owns one on this file */
brant_status brant__network_guard(const char *path);

/* migration.c */
brant_status brant__migrate(brant_db *db, bool adopt);
/* Identity of an open connection: is it ours, which format, which role. Shared by open, restore and backup. */
typedef struct brant__identity {
    bool empty; /* no tables at all */
    bool ours;
    bool deleted; /* it says that it is gone (tenant.c) */
    int64_t format;
    int64_t min_reader;
    int64_t min_writer;
    int role;
} brant__identity;
brant_status brant__identity_read(brant__identity *out, sqlite3 *sqlite, const char *path);
brant_status brant__meta_set(brant_db *db, const char *name, brant__text value);

/* authorizer.c */
bool brant__is_own_table(const char *table); /* NULL: no */
int brant__authorize(void *context, int action, const char *a, const char *b, const char *database,
                     const char *trigger);

/* tenant.c: CLOSED when the file is gone; at the beginning of a write transaction. And: this handle has committed, which is no reason to look again. */
brant_status brant__tenant_check(brant_db *db);
void brant__tenant_wrote(brant_db *db);
/* The organisation that a file says to be of; "": it does not say. */
brant_status brant__organization_read(char out[37], sqlite3 *sqlite);

/* function.c: the functions that our SQL uses. */
int brant__functions_create(sqlite3 *sqlite);

/* Why the running call should end, or BRANT_OK; sets no record. */
brant_status brant__call_over(const brant_db *db);

/* migration.c: the number that a statement gives; 0: it gives none. Sets no record, but of a handle's connection. */
brant_status brant__pragma_integer(int64_t *out, sqlite3 *sqlite, const char *sql);
brant_status brant__db_integer(int64_t *out, brant_db *db, const char *sql);

/* handle.c: release everything but the memory of the handle. */
void brant__teardown(brant_db *db);
/* statement.c */
void brant__statements_finalize(brant_db *db);
/* sql.c: close the cursors of transactions of that depth and deeper ones. */
void brant__sql_cursors_end(brant_db *db, unsigned depth);
void brant__sql_kept_end(brant_db *db); /* sql_statement.c: finalize what is kept */
/*
 * transaction.c: notice that SQLite rolled the whole transaction back by itself (disk full, I/O error, want of memory, an interrupted
 * write, the user's ON CONFLICT ROLLBACK). Its levels stay until they are rolled back, and MISUSE answers what is tried in them meanwhile:
 * else the calls that follow would commit one by one.
 */
void brant__transaction_sync(brant_db *db);
brant_status brant__transaction_check(brant_db *db); /* MISUSE when it is lost */

#endif
