/*
 * extension/host.c: the connection is the host's: it opened it, sets it up, begins and ends transactions on it, and closes it.
 *
 * - Transactions: a call outside any is one of its own; inside the host's it is a savepoint of it (store/transaction.c).
 * - Waking: who is to be woken is found out within the transaction, as always, and signalled when SQLite tells of the host's commit (its WAL hook). SQLite has one such hook a connection, and
 *   its own automatic checkpoint is one: ours checkpoints in its place. Should the host set another one later, waiters notice its commits at their next look.
 * - Closing: sqlite3_close refuses while statements are prepared, but disconnects virtual tables before it looks for them. So a virtual table of ours finalises them, as
 *   those of SQLite's own extensions do.
 * - The host's statements do not change our tables, nor make temporary ones of their names, which would be found in place of ours: the authorizer says no when they are prepared.
 *   A host that sets an authorizer of its own takes that over.
 */
#include "extension/host.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHECKPOINT_PAGES 1000 /* SQLite's own default */

/* ---- hooks of the connection ---------------------------------------------------------------------- */

static int on_wal(void *context, sqlite3 *sqlite, const char *name, int pages) {
    brant__host *host = context;
    if (host->db) {
        host->db->wal_pages = pages;
        brant__host_committed(host->db);
    }
    if (pages >= CHECKPOINT_PAGES)
        sqlite3_wal_checkpoint_v2(sqlite, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return SQLITE_OK;
}

static void on_rollback(void *context) {
    brant__host *host = context;
    if (host->db) brant__host_rolled_back(host->db);
}

static int on_authorize(void *context, int action, const char *a, const char *b,
                        const char *database, const char *trigger) {
    brant__host *host = context;
    (void)trigger;
    /* While a call of ours runs, the statements are ours. */
    if (!host->db || atomic_load(&host->db->state) & BRANT__INSIDE) return SQLITE_OK;
    switch (action) {
    case SQLITE_CREATE_TEMP_TABLE:
    case SQLITE_CREATE_TEMP_VIEW:
        return brant__is_own_table(a) ? SQLITE_DENY : SQLITE_OK;
    case SQLITE_CREATE_VTABLE:
        return brant__is_own_table(a) && sqlite3_stricmp(database, "temp") == 0 ? SQLITE_DENY
                                                                                : SQLITE_OK;
    case SQLITE_CREATE_TEMP_TRIGGER:
        return brant__is_own_table(b) ? SQLITE_DENY : SQLITE_OK;
    case SQLITE_ALTER_TABLE: /* the new name is not told */
        if (a && sqlite3_stricmp(a, "temp") == 0) host->altered = true;
        break;
    default:
        break;
    }
    if (database && sqlite3_stricmp(database, "main") != 0) return SQLITE_OK;
    switch (action) {
    case SQLITE_INSERT:
    case SQLITE_UPDATE:
    case SQLITE_DELETE:
    case SQLITE_DROP_TABLE:
        return brant__is_own_table(a) ? SQLITE_DENY : SQLITE_OK;
    case SQLITE_DROP_TRIGGER:
        return brant__is_own_table(a) || brant__is_own_table(b) ? SQLITE_DENY : SQLITE_OK;
    case SQLITE_ALTER_TABLE:
    case SQLITE_CREATE_INDEX:
    case SQLITE_DROP_INDEX:
    case SQLITE_CREATE_TRIGGER:
        return brant__is_own_table(b) ? SQLITE_DENY : SQLITE_OK;
    default:
        return SQLITE_OK;
    }
}

/* ---- the end of the connection ------------------------------------------------------------------------ */

typedef struct end_table {
    sqlite3_vtab base;
    brant__host *host;
} end_table;

static int end_connect(sqlite3 *sqlite, void *context, int count, const char *const *arguments,
                       sqlite3_vtab **out, char **error) {
    (void)count;
    (void)arguments;
    (void)error;
    end_table *table = sqlite3_malloc(sizeof *table);
    *out = NULL;
    if (!table) return SQLITE_NOMEM;
    *table = (end_table){.host = context};
    const int code = sqlite3_declare_vtab(sqlite, "CREATE TABLE x (value)");
    if (code != SQLITE_OK) {
        sqlite3_free(table);
        return code;
    }
    *out = &table->base;
    return SQLITE_OK;
}

static int end_disconnect(sqlite3_vtab *base) {
    end_table *table = (end_table *)base;
    brant__host_close(table->host);
    sqlite3_free(table);
    return SQLITE_OK;
}

static int end_best_index(sqlite3_vtab *table, sqlite3_index_info *info) {
    (void)table;
    info->estimatedCost = 1;
    return SQLITE_OK;
}

static int end_open(sqlite3_vtab *table, sqlite3_vtab_cursor **out) {
    (void)table;
    *out = sqlite3_malloc(sizeof **out);
    if (!*out) return SQLITE_NOMEM;
    **out = (sqlite3_vtab_cursor){0};
    return SQLITE_OK;
}
static int end_close(sqlite3_vtab_cursor *cursor) {
    sqlite3_free(cursor);
    return SQLITE_OK;
}
static int end_filter(sqlite3_vtab_cursor *cursor, int number, const char *text, int count,
                      sqlite3_value **values) {
    (void)cursor;
    (void)number;
    (void)text;
    (void)count;
    (void)values;
    return SQLITE_OK;
}
static int end_next(sqlite3_vtab_cursor *cursor) {
    (void)cursor;
    return SQLITE_OK;
}
static int end_eof(sqlite3_vtab_cursor *cursor) {
    (void)cursor;
    return 1;
}
static int end_column(sqlite3_vtab_cursor *cursor, sqlite3_context *context, int column) {
    (void)cursor;
    (void)context;
    (void)column;
    return SQLITE_OK;
}
static int end_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *out) {
    (void)cursor;
    *out = 0;
    return SQLITE_OK;
}

static const sqlite3_module end_module = {
    .xConnect = end_connect,
    .xBestIndex = end_best_index,
    .xDisconnect = end_disconnect,
    .xOpen = end_open,
    .xClose = end_close,
    .xFilter = end_filter,
    .xNext = end_next,
    .xEof = end_eof,
    .xColumn = end_column,
    .xRowid = end_rowid,
};

/* ---- life --------------------------------------------------------------------------------------------- */

int brant__host_attach(brant__host *host) {
    const int code = brant__functions_create(host->sqlite);
    if (code != SQLITE_OK) return code;
    return sqlite3_create_module_v2(host->sqlite, "brant_connection", &end_module, host, NULL);
}

void brant__host_close(brant__host *host) {
    brant_db *db = host->db;
    if (!db) return;
    host->db = NULL;
    sqlite3_wal_hook(host->sqlite, NULL, NULL);
    sqlite3_wal_autocheckpoint(host->sqlite, CHECKPOINT_PAGES);
    sqlite3_rollback_hook(host->sqlite, NULL, NULL);
    db->options.mode = BRANT__MODE_RO; /* nothing is written while a connection closes */
    brant_db_free(db);
}

/* What a file of the host's own is to be before brant's tables are added to it, outside any transaction. */
static brant_status prepare(brant_db *db) {
    if (!sqlite3_get_autocommit(db->sqlite))
        return brant__fail(BRANT_MISUSE, "a file cannot be adopted inside a transaction");
    const int code = db->memory
                         ? SQLITE_OK
                         : sqlite3_exec(db->sqlite, "PRAGMA journal_mode=WAL", NULL, NULL, NULL);
    return code == SQLITE_OK ? BRANT_OK
                             : brant__sqlite_fail(db, code, "switching to write-ahead logging");
}

static brant_status identify(brant_db *db, bool adopt) {
    brant__identity identity;
    brant_status status = brant__identity_read(&identity, db->sqlite, db->path);
    if (status != BRANT_OK) return status;
    if (!identity.ours && !adopt)
        return brant__fail(BRANT_NOT_BRANT,
                           "%s is not brant's yet: SELECT brant_adopt() adds its tables", db->path);
    if (identity.ours && identity.format > BRANT__FORMAT && identity.min_writer > BRANT__FORMAT)
        return brant__fail(BRANT_NEWER_FORMAT,
                           "%s has format %lld and this brant %s knows up to %d; upgrade brant",
                           db->path, (long long)identity.format, brant_version(), BRANT__FORMAT);
    if (identity.role >= 0) db->options.role = identity.role;
    if (identity.ours && identity.format >= BRANT__FORMAT) return BRANT_OK;
    if (db->options.mode == BRANT__MODE_RO)
        return brant__fail(BRANT_READ_ONLY,
                           "%s cannot be written, and has to be brought to format %d first",
                           db->path, BRANT__FORMAT);
    BRANT__TRY(prepare(db));
    BRANT__TRY(brant__migrate(db, !identity.empty));
cleanup:
    return status;
}

/* A temporary table of one of our names would be found in place of ours: what is written would be gone with the connection. */
static brant_status refuse_temporary(brant_db *db) {
    sqlite3_stmt *statement = NULL;
    brant_status status = BRANT_OK;
    int code =
        sqlite3_prepare_v2(db->sqlite, "SELECT name FROM temp.sqlite_master", -1, &statement, NULL);
    while (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(statement, 0);
        if (brant__is_own_table(name)) {
            status =
                brant__fail(BRANT_CONFLICT,
                            "the temporary table %s hides brant's own; give it another name", name);
            goto cleanup;
        }
        code = SQLITE_OK;
    }
    if (code != SQLITE_DONE) status = brant__sqlite_fail(db, code, "looking for temporary tables");
cleanup:
    sqlite3_finalize(statement);
    return status;
}

static brant_status set_path(brant_db *db) {
    const char *path = sqlite3_db_filename(db->sqlite, "main");
    struct stat file;
    db->memory = !path || *path == '\0';
    if (db->memory) path = ":memory:";
    char *resolved = db->memory ? NULL : realpath(path, NULL);
    const char *whole = resolved ? resolved : path;
    db->path = brant__strndup(whole, strlen(whole));
    if (db->path && !db->memory && stat(db->path, &file) == 0) {
        db->device = file.st_dev;
        db->inode = file.st_ino;
    }
    free(resolved);
    return db->path ? BRANT_OK : brant__fail_memory();
}

static brant_status set_up(brant__host *host, brant_db *db, bool adopt) {
    brant_status status = BRANT_OK;
    int code = SQLITE_OK;
    BRANT__TRY(brant__options_parse(&db->options, "", 0));
    BRANT__TRY(set_path(db));
    if (sqlite3_db_readonly(db->sqlite, "main") == 1) db->options.mode = BRANT__MODE_RO;
    BRANT__TRY(refuse_temporary(db));
    BRANT__TRY(identify(db, adopt));
    /* The virtual table of the end lives from its first use. */
    code = sqlite3_exec(db->sqlite, "SELECT * FROM brant_connection", NULL, NULL, NULL);
    if (code != SQLITE_OK) {
        status = brant__sqlite_fail(db, code, "watching the connection");
        goto cleanup;
    }
    sqlite3_wal_hook(db->sqlite, on_wal, host);
    sqlite3_rollback_hook(db->sqlite, on_rollback, host);
    sqlite3_set_authorizer(db->sqlite, on_authorize, host);
cleanup:
    return status;
}

brant_status brant__host_open(brant__host *host, bool adopt) {
    if (host->db) {
        if (BRANT__LIKELY(!host->altered)) return BRANT_OK;
        const brant_status found = refuse_temporary(host->db);
        if (found == BRANT_OK) host->altered = false;
        return found;
    }
    brant_db *db = brant__alloc_zero(sizeof *db);
    if (!db) return brant__fail_memory();
    atomic_init(&db->references, 1);
    pthread_mutex_init(&db->lock, NULL);
    db->process = getpid();
    db->sqlite = host->sqlite;
    db->host = true;
    db->checkpoint_at = CHECKPOINT_PAGES;
    atomic_store(&db->state, BRANT__INSIDE);
    const brant_status status = set_up(host, db, adopt);
    if (status == BRANT_OK) {
        host->db = db;
        brant__leave(db);
        return BRANT_OK;
    }
    atomic_store(&db->state, BRANT__CLOSED_FLAG | BRANT__TORN);
    db->options.mode = BRANT__MODE_RO;
    brant__teardown(db);
    brant__db_release(db);
    return status;
}
