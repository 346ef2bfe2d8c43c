/*
 * store/transaction.c: nested transactions, and what the modules above do when one ends.
 *
 * The outermost write begins IMMEDIATE, so that no read turns into a write and meets a BUSY that no waiting can cure. Nested levels are
 * savepoints named by their depth.
 */
#include "store/handle.h"

#include <time.h>

#define SOON 2 /* ms between tries */

/* Savepoints of the first levels stay prepared: every statement that writes inside a transaction has one. */
#define KEPT_LEVELS 4
#define LEVELS(verb)                                                                               \
    [verb] = #verb " brant_0", [verb + 1] = #verb " brant_1", [verb + 2] = #verb " brant_2",       \
    [verb + 3] = #verb " brant_3"

enum {
    BEGIN_WRITE,
    BEGIN_READ,
    SNAPSHOT,
    COMMIT,
    TEAR,
    SAVEPOINT,
    RELEASE = SAVEPOINT + KEPT_LEVELS
};
static const char *const sql[] = {
    [BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [BEGIN_READ] = "BEGIN",
    [SNAPSHOT] =
        "SELECT 1 FROM brant_meta LIMIT 1", /* BEGIN alone fixes no snapshot: the first read does */
    [COMMIT] = "COMMIT",
    [TEAR] = "BEGIN IMMEDIATE", /* which would write: take_back */
    LEVELS(SAVEPOINT),
    LEVELS(RELEASE),
};
static const brant__statements statements = {BRANT__TABLE_STORE, BRANT__COUNT(sql), sql};

#define CHECKPOINT_PAGES 10000 /* 40 MB of WAL */

/* SQLite asks its progress handler also when a statement has done its work, and would call a commit that is made interrupted. */
static brant_status run(brant_db *db, size_t index) {
    brant__statement *statement = NULL;
    brant_status status = brant__statement_get(&statement, db, &statements, index);
    if (status != BRANT_OK) return status;
    db->unasked = true;
    status = brant__run(db, statement);
    db->unasked = false;
    return status;
}

/* `verb` is SAVEPOINT or RELEASE. */
static brant_status run_savepoint(brant_db *db, size_t verb, unsigned level) {
    char text[48];
    if (level < KEPT_LEVELS) return run(db, verb + level);
    sqlite3_snprintf(sizeof text, text, "%s brant_%u", verb == SAVEPOINT ? "SAVEPOINT" : "RELEASE",
                     level);
    db->unasked = true;
    const brant_status status = brant__execute(db, text);
    db->unasked = false;
    return status;
}

static bool end_what_runs(brant_db *db) {
    sqlite3_stmt *statement = NULL;
    bool ran = false;
    while ((statement = sqlite3_next_stmt(db->sqlite, statement)))
        if (sqlite3_stmt_busy(statement)) {
            sqlite3_reset(statement);
            ran = true;
        }
    return ran;
}

/* Each time anew: nothing can be compiled any more when it is needed, and nothing tells that a statement would have to be. */
static brant_status compile_tear(brant_db *db) {
    brant__statement *tear = NULL;
    sqlite3_stmt **made = db->statements[BRANT__TABLE_STORE];
    if (made) {
        sqlite3_finalize(made[TEAR]);
        made[TEAR] = NULL;
    }
    return brant__statement_get(&tear, db, &statements, TEAR);
}

/* A want of memory that is over at once is not to cost the transaction around, unless SQLite itself rolled it back for that. */
static int undo(brant_db *db, const char *text) {
    const int code = sqlite3_exec(db->sqlite, text, NULL, NULL, NULL);
    return code == SQLITE_NOMEM ? sqlite3_exec(db->sqlite, text, NULL, NULL, NULL) : code;
}

/*
 * Takes back what an interrupted call has done, however often it is interrupted: what stays would be committed by what comes next. An interrupt holds for all that begins as long as a statement runs. What runs
 * of ours ends: cursors; and what an operation steps on, with the whole transaction, so that it does not go on as if nothing were. What runs of a host's does not end for us, but the whole transaction goes when
 * a statement that would write is interrupted: TEAR. False: there is no memory to do it with.
 */
static bool take_back(brant_db *db, const char *text) {
    int code;
    while ((code = undo(db, text)) == SQLITE_INTERRUPT) {
        if (db->host) {
            sqlite3_stmt *tear = db->statements[BRANT__TABLE_STORE][TEAR];
            if (sqlite3_get_autocommit(db->sqlite)) return true;
            code = sqlite3_step(tear);
            sqlite3_reset(tear);
            if (code == SQLITE_INTERRUPT) return true;
        } else if (db->sql_cursors) {
            brant__sql_cursors_end(db, 0);
        } else if (end_what_runs(db)) {
            text = "ROLLBACK";
        }
    }
    return code == SQLITE_OK || sqlite3_get_autocommit(db->sqlite);
}

/* When there is no memory for it, again before the next transaction begins. */
static void take_back_all(brant_db *db) {
    db->stuck = !take_back(db, "ROLLBACK");
}

bool brant__transaction_stuck(const brant_db *db) {
    return db->stuck;
}

unsigned brant__depth(const brant_db *db) {
    return db->depth;
}

static void note_rollback(brant_db *db, unsigned depth) {
    for (int slot = 0; slot < BRANT__SLOT_COUNT; slot++) {
        void *state = brant__state(db, slot);
        if (state && db->hooks[slot]->after_rollback)
            db->hooks[slot]->after_rollback(db, state, depth);
    }
}

static void note_end(brant_db *db) {
    for (int slot = 0; slot < BRANT__SLOT_COUNT; slot++) {
        void *state = brant__state(db, slot);
        if (state && db->hooks[slot]->after_end) db->hooks[slot]->after_end(db, state);
    }
}

void brant__transaction_sync(brant_db *db) {
    if (db->depth == 0 || db->joined || db->lost || !db->sqlite ||
        !sqlite3_get_autocommit(db->sqlite))
        return;
    db->lost = true;
    note_rollback(db, 0);
}

/* What is left of an inner level must not be committed: as if SQLite had rolled all of it back, which is done with the outermost level. */
static void lose(brant_db *db) {
    if (db->joined) {
        db->torn = true;
        return;
    }
    db->lost = db->stuck = true;
    note_rollback(db, 0);
}

bool brant__transaction_lost(brant_db *db) {
    brant__transaction_sync(db);
    return db->lost;
}

brant_status brant__transaction_check(brant_db *db) {
    if (BRANT__LIKELY(!brant__transaction_lost(db))) return BRANT_OK;
    return brant__fail(BRANT_MISUSE, "the whole transaction was rolled back when one of its "
                                     "operations ended early; roll it back, then begin anew");
}

/* ---- on a host's connection --------------------------------------------------------------------------------------- */

/* What is committed, or not, by the host later: only the event module, which has its waiters to wake then, keeps what it knows. */
static void note_joined(brant_db *db) {
    for (int slot = 0; slot < BRANT__SLOT_COUNT; slot++) {
        void *state = brant__state(db, slot);
        if (slot != BRANT__SLOT_EVENT && state && db->hooks[slot]->after_rollback)
            db->hooks[slot]->after_rollback(db, state, 0);
    }
}

void brant__host_committed(brant_db *db) {
    void *state = brant__state(db, BRANT__SLOT_EVENT);
    db->stuck = false;
    /* In our own COMMIT, which tells everybody, there is still a level. */
    if (db->depth == 0 && state) db->hooks[BRANT__SLOT_EVENT]->after_commit(db, state);
}

void brant__host_rolled_back(brant_db *db) {
    db->stuck = false;
    if (db->depth == 0) note_rollback(db, 0);
}

/* A statement that writes is running: then nothing can be begun or ended, and what we do is a part of it. */
static bool host_writes(const brant_db *db) {
    sqlite3_stmt *statement = NULL;
    while ((statement = sqlite3_next_stmt(db->sqlite, statement)))
        if (sqlite3_stmt_busy(statement) && !sqlite3_stmt_readonly(statement)) return true;
    return false;
}

/* The outermost level inside the host's transaction or statement. *out_joined false: there is none, and ours is begun as usual. */
static brant_status join(bool *out_joined, brant_db *db, int mode) {
    brant_status status = BRANT_OK;
    const bool writes = host_writes(db);
    db->joined = *out_joined = writes || !sqlite3_get_autocommit(db->sqlite);
    db->bare = writes || mode == BRANT__READ;
    db->torn = false;
    db->changed[0] = sqlite3_total_changes(db->sqlite);
    if (db->joined && !db->bare) status = run_savepoint(db, SAVEPOINT, 0);
    if (status != BRANT_OK) db->joined = false;
    return status;
}

static brant_status leave_joined(brant_db *db) {
    brant_status status = BRANT_OK;
    if (db->torn)
        return brant__fail(BRANT_MISUSE,
                           "what failed in part cannot be taken back without memory, nor while a "
                           "statement of the host writes: then call it by a SELECT");
    if (!db->bare) BRANT__TRY(run_savepoint(db, RELEASE, 0));
    db->depth = 0;
    db->joined = false;
    if (db->mode == BRANT__WRITE) note_joined(db);
cleanup:
    return status;
}

/*
 * Without a savepoint: outside a transaction the host's statement, which fails, takes back what was done. Inside one SQLite lets it stand unless the statement keeps a journal of its own, which
 * cannot be known: half an operation must not be committed, so what wrote takes the whole transaction with it, as a full disk does.
 */
static void rollback_joined(brant_db *db) {
    const bool wrote = sqlite3_total_changes(db->sqlite) != db->changed[0];
    const bool whole = db->bare ? db->mode == BRANT__WRITE && wrote
                                : !take_back(db, "ROLLBACK TO brant_0; RELEASE brant_0");
    db->depth = 0;
    db->joined = false;
    note_joined(db);
    if (whole && !sqlite3_get_autocommit(db->sqlite)) (void)take_back(db, "ROLLBACK");
}

/* ---- levels ------------------------------------------------------------------------------------------------------- */

brant_status brant__begin(brant_db *db, int mode) {
    brant_status status = BRANT_OK;
    BRANT__TRY(brant__transaction_check(db));
    /* First: a reader of Go's is opened so, whose user knows of the transaction alone. */
    if (mode == BRANT__WRITE && db->depth > 0 && db->mode == BRANT__READ)
        return brant__fail(BRANT_READ_ONLY, "the running transaction is a read transaction");
    if (mode == BRANT__WRITE && db->options.mode == BRANT__MODE_RO)
        return brant__fail(BRANT_READ_ONLY, "%s was opened read-only", db->path);
    if (db->depth > 0) {
        /* A read inside sees what the outer sees and has nothing to take back: no savepoint. */
        if (mode == BRANT__WRITE && !db->bare) BRANT__TRY(run_savepoint(db, SAVEPOINT, db->depth));
        if (BRANT__UNLIKELY(db->bare)) db->changed[db->depth] = sqlite3_total_changes(db->sqlite);
        db->nested_read[db->depth / 64] &= ~((uint64_t)1 << (db->depth % 64));
        if (mode == BRANT__READ) db->nested_read[db->depth / 64] |= (uint64_t)1 << (db->depth % 64);
        db->depth++;
        return BRANT_OK;
    }
    bool joined = false;
    if (BRANT__UNLIKELY(db->stuck)) {
        take_back_all(db);
        if (db->stuck) return brant__fail_memory();
        note_rollback(db, 0);
    }
    if (BRANT__UNLIKELY(db->host)) {
        BRANT__TRY(compile_tear(db));
        BRANT__TRY(join(&joined, db, mode));
    }
    if (!joined) BRANT__TRY(run(db, mode == BRANT__WRITE ? BEGIN_WRITE : BEGIN_READ));
    db->mode = mode;
    db->depth = 1;
    if (BRANT__UNLIKELY(db->guarded) && mode == BRANT__WRITE &&
        (status = brant__tenant_check(db)) != BRANT_OK)
        brant__rollback(db);
cleanup:
    return status;
}

brant_status brant__begin_now(brant_db *db) {
    db->impatient = true;
    const brant_status status = brant__begin(db, BRANT__WRITE);
    db->impatient = false;
    return status;
}

brant_status brant__begin_soon(brant_db *db, int64_t end) {
    const struct timespec pause = {.tv_nsec = SOON * 1000000L};
    for (;;) {
        const brant_status status = brant__begin_now(db);
        if (status != BRANT_BUSY || brant__monotonic_now() >= end) return status;
        (void)brant__error_code();
        nanosleep(&pause, NULL);
    }
}

/* A level without a savepoint. */
static bool nested_read(const brant_db *db, unsigned level) {
    return (db->joined && db->bare) || db->nested_read[level / 64] >> (level % 64) & 1;
}

/* Checkpoint when the WAL is long, and, when a reader held it back, not again at each commit but after as much growth. */
static void checkpoint(brant_db *db) {
    if (db->wal_pages < db->checkpoint_at) return;
    int length = 0, done = 0;
    sqlite3_wal_checkpoint_v2(db->sqlite, NULL, SQLITE_CHECKPOINT_PASSIVE, &length, &done);
    db->checkpoint_at = done >= length ? CHECKPOINT_PAGES : db->wal_pages + CHECKPOINT_PAGES;
}

brant_status brant__commit(brant_db *db) {
    brant_status status = BRANT_OK;
    if (db->depth == 0) return brant__fail(BRANT_MISUSE, "no transaction is running");
    BRANT__TRY(brant__transaction_check(db));
    if (BRANT__UNLIKELY(db->sql_cursors)) brant__sql_cursors_end(db, db->depth);
    if (db->depth > 1) {
        const unsigned level = db->depth - 1;
        if (!nested_read(db, level)) BRANT__TRY(run_savepoint(db, RELEASE, level));
        db->depth--;
        for (int slot = 0; slot < BRANT__SLOT_COUNT; slot++) {
            void *state = brant__state(db, slot);
            if (state && db->hooks[slot]->after_release)
                db->hooks[slot]->after_release(db, state, db->depth);
        }
        return BRANT_OK;
    }
    if (db->mode == BRANT__WRITE)
        for (int slot = 0; slot < BRANT__SLOT_COUNT; slot++) {
            void *state = brant__state(db, slot);
            if (state && db->hooks[slot]->before_commit)
                BRANT__TRY(db->hooks[slot]->before_commit(db, state));
        }
    if (db->joined) return leave_joined(db);
    BRANT__TRY(run(db, COMMIT));
    db->depth = 0;
    if (db->mode == BRANT__WRITE) {
        if (BRANT__UNLIKELY(db->guarded)) brant__tenant_wrote(db);
        for (int slot = 0; slot < BRANT__SLOT_COUNT; slot++) {
            void *state = brant__state(db, slot);
            if (state && db->hooks[slot]->after_commit) db->hooks[slot]->after_commit(db, state);
        }
        checkpoint(db);
    }
    note_end(db);
cleanup:
    if (status != BRANT_OK) brant__transaction_sync(db);
    return status;
}

void brant__rollback(brant_db *db) {
    if (db->depth == 0) return;
    if (BRANT__UNLIKELY(db->sql_cursors)) brant__sql_cursors_end(db, db->depth);
    if (brant__transaction_lost(db)) { /* taken back already, unless it was given up */
        if (--db->depth > 0) return;
        db->lost = false;
        if (BRANT__UNLIKELY(db->stuck)) take_back_all(db);
        note_end(db);
        return;
    }
    /* These run also when the call was interrupted; what they may fail with is of no use to anybody. */
    if (db->depth > 1) {
        const unsigned level = db->depth - 1;
        bool taken = true;
        if (!nested_read(db, level)) {
            char text[64];
            sqlite3_snprintf(sizeof text, text, "ROLLBACK TO brant_%u; RELEASE brant_%u", level,
                             level);
            taken = take_back(db, text);
        } else if (db->bare && sqlite3_total_changes(db->sqlite) != db->changed[level]) {
            db->torn = true;
        }
        db->depth--;
        note_rollback(db, db->depth);
        if (!taken) lose(db);
        return;
    }
    if (db->joined) {
        rollback_joined(db);
        return;
    }
    take_back_all(db);
    db->depth = 0;
    note_rollback(db, 0);
    note_end(db);
}

/* ---- operations --------------------------------------------------------------------------------------------------- */

static brant_status write_depth(brant__call *call) {
    brant__write_integer_object(call->out, "depth", call->db->depth);
    return BRANT_OK;
}

/* A session ends what it began, not what the program that gave it out, or another session, did. */
static brant_status check_owner(const brant_db *db) {
    if (!db->session || db->begun_by[db->depth - 1] == db->shell->number) return BRANT_OK;
    return brant__fail(BRANT_DENIED, "the session did not begin the running transaction");
}

brant_status brant__transaction_begin(brant__call *call) {
    brant_db *db = call->db;
    const brant__text mode = brant__json_get_text(call->input, "mode");
    const bool write = !mode.data || brant__text_equal(mode, BRANT__TEXT("write"));
    if (!write && !brant__text_equal(mode, BRANT__TEXT("read")))
        return brant__fail(BRANT_INVALID, "mode must be \"write\" or \"read\"");
    if (db->depth >= BRANT__TRANSACTION_DEPTH)
        return brant__fail(BRANT_LIMIT, "transactions nest at most %d deep",
                           BRANT__TRANSACTION_DEPTH);
    const bool outermost = db->depth == 0;
    brant_status status = brant__begin(db, write ? BRANT__WRITE : BRANT__READ);
    if (status == BRANT_OK && outermost && !write && (status = run(db, SNAPSHOT)) != BRANT_OK)
        brant__rollback(db);
    if (status != BRANT_OK) return status;
    db->begun_by[db->depth - 1] = db->session ? db->shell->number : 0;
    return write_depth(call);
}

brant_status brant__transaction_commit(brant__call *call) {
    brant_status status = BRANT_OK;
    if (call->db->depth > 0) BRANT__TRY(check_owner(call->db));
    BRANT__TRY(brant__commit(call->db));
    return write_depth(call);
cleanup:
    return status;
}

brant_status brant__transaction_rollback(brant__call *call) {
    if (call->db->depth == 0) return brant__fail(BRANT_MISUSE, "no transaction is running");
    const brant_status status = check_owner(call->db);
    if (status != BRANT_OK) return status;
    brant__rollback(call->db);
    return write_depth(call);
}
