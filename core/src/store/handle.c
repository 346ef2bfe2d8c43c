/*
 * store/handle.c: entering and leaving, closing and interrupting from any thread, and the facts of a handle.
 */
#include "store/handle.h"

#include <sched.h>
#include <time.h>
#include <unistd.h>

const char *const brant__mode_names[] = {"create", "rw", "ro"};
const char *const brant__role_names[] = {"single", "system", "tenant"};

/* ---- life ----------------------------------------------------------------------------------------------------- */

static void scratch_free(brant__scratch *scratch) {
    brant__json_free(&scratch->json);
    brant__arena_free(&scratch->arena);
    brant__buffer_free(&scratch->writer.buffer);
}

void brant__db_retain(brant_db *db) {
    atomic_fetch_add_explicit(&db->references, 1, memory_order_relaxed);
}

void brant__db_release(brant_db *db) {
    while (db && atomic_fetch_sub_explicit(&db->references, 1, memory_order_acq_rel) == 1) {
        brant_db *beneath = db->beneath;
        pthread_mutex_destroy(&db->lock);
        scratch_free(&db->scratch);
        brant__free(db->path);
        brant__free(db);
        db = beneath;
    }
}

/*
 * An interrupt holds until a statement begins while no other runs: a connection that is closed right behind one would take it for its own and leave the WAL behind, which the last one
 * writes back and removes.
 */
static void close_sqlite(sqlite3 *sqlite) {
    if (sqlite && sqlite3_is_interrupted(sqlite))
        sqlite3_exec(sqlite, "SELECT 1", NULL, NULL, NULL);
    sqlite3_close_v2(sqlite);
}

void brant__teardown(brant_db *db) {
    if (db->beneath) {
        if (db->kind->destroy) db->kind->destroy(db->beneath, db->kind_state);
        return;
    }
    const bool here = db->process == getpid();
    if (here && db->sqlite) {
        while (db->depth > 0)
            brant__rollback(db);
        for (int slot = BRANT__SLOT_COUNT - 1; slot >= 0; slot--) {
            void *state = brant__state(db, slot);
            if (state && db->hooks[slot]->destroy) db->hooks[slot]->destroy(db, state);
            atomic_store_explicit(&db->slots[slot], NULL, memory_order_release);
        }
    }
    brant__statements_finalize(db);
    pthread_mutex_lock(&db->lock);
    sqlite3 *sqlite = db->sqlite;
    db->sqlite = NULL;
    pthread_mutex_unlock(&db->lock);
    /* After fork the connection belongs to the parent: closing it here would drop the parent's locks and delete its WAL. */
    if (here && !db->host) close_sqlite(sqlite);
    scratch_free(&db->scratch);
}

static bool closed_one(const brant_db *db) {
    return (atomic_load_explicit(&((brant_db *)db)->state, memory_order_relaxed) &
            BRANT__CLOSED_FLAG) != 0;
}

/* Tear down if this is the thread that found the handle closed and empty: for whoever closed it, whatever else this thread's call failed with. */
static void finish(brant_db *db) {
    unsigned expected = BRANT__CLOSED_FLAG;
    brant__kept_error kept;
    if (!atomic_compare_exchange_strong(&db->state, &expected, BRANT__CLOSED_FLAG | BRANT__TORN))
        return;
    brant__error_keep(&kept);
    brant__teardown(db);
    brant__error_restore(&kept);
}

/* Of a shell: also those of others look whether it is they who are meant. */
static void end_waits(brant_db *handle) {
    brant_db *db = brant__db_connection(handle);
    for (int slot = 0; slot < BRANT__SLOT_COUNT; slot++) {
        void *state = brant__state(db, slot);
        if (state && db->hooks[slot]->interrupt) db->hooks[slot]->interrupt(db, state);
    }
}

static void interrupt_sqlite(brant_db *handle) {
    brant_db *db = brant__db_connection(handle);
    if (db != handle && !atomic_load(&handle->entered)) return; /* another's call may run */
    pthread_mutex_lock(&db->lock);
    if (db->sqlite) sqlite3_interrupt(db->sqlite);
    pthread_mutex_unlock(&db->lock);
}

/* What runs and waits in the handle is to look why. Nobody tears down the connection of a shell meanwhile; when it is closed there is nothing left to do. */
static void rouse(brant_db *db, bool inside) {
    brant__kept_error kept;
    brant__error_keep(&kept);
    if (!db->beneath || brant__wait_begin(db->connection) == BRANT_OK) {
        if (inside) interrupt_sqlite(db);
        end_waits(db);
        if (db->beneath) brant__wait_end(db->connection);
    }
    brant__error_restore(&kept);
}

void brant__db_close(brant_db *db) {
    /* Counts as a wait while it works, so that nobody tears down what end_waits touches. */
    const unsigned before = atomic_fetch_add(&db->state, BRANT__WAIT);
    if (!(before & BRANT__TORN)) {
        atomic_fetch_or(&db->state, BRANT__CLOSED_FLAG);
        rouse(db, before & BRANT__INSIDE);
    }
    atomic_fetch_sub(&db->state, BRANT__WAIT);
    finish(db);
}

brant_status brant_close(brant_db *db) {
    brant__error_clear();
    if (db) brant__db_close(db);
    return BRANT_OK;
}

void brant_db_free(brant_db *db) {
    if (!db) return;
    brant__db_close(db);
    brant__db_release(db);
}

brant_status brant_interrupt(brant_db *db) {
    brant__error_clear();
    if (!db) return brant__fail(BRANT_INVALID, "the handle is NULL");
    const unsigned before = atomic_fetch_add(&db->state, BRANT__WAIT);
    if (!(before & BRANT__TORN)) {
        atomic_fetch_add(&db->interrupts, 1);
        rouse(db, before & BRANT__INSIDE);
    }
    atomic_fetch_sub(&db->state, BRANT__WAIT);
    finish(db);
    return BRANT_OK;
}

brant_status brant_deadline_set(brant_db *db, int64_t deadline) {
    brant__error_clear();
    if (!db) return brant__fail(BRANT_INVALID, "the handle is NULL");
    if (deadline < 0) return brant__fail(BRANT_INVALID, "a deadline is ms since the epoch, or 0");
    atomic_store_explicit(&db->deadline, deadline, memory_order_relaxed);
    return BRANT_OK;
}

/* ---- entering --------------------------------------------------------------------------------------------------- */

static brant_status refuse(unsigned state) {
    if (state & BRANT__CLOSED_FLAG)
        return brant__fail(BRANT_CLOSED, "the database handle is closed");
    return brant__fail(
        BRANT_MISUSE,
        "the handle is in use by another thread; give each thread its own, or serialise the calls");
}

brant_status brant_check(brant_db *db) {
    brant__error_clear();
    if (BRANT__UNLIKELY(!db)) return brant__fail(BRANT_INVALID, "the handle is NULL");
    if (BRANT__UNLIKELY(brant__db_closed(db))) return refuse(BRANT__CLOSED_FLAG);
    return BRANT_OK;
}

static void leave_one(brant_db *db) {
    const unsigned before = atomic_fetch_and_explicit(&db->state, ~(BRANT__INSIDE | BRANT__VISIT),
                                                      memory_order_release);
    if (BRANT__UNLIKELY(before & BRANT__CLOSED_FLAG)) finish(db);
}

/* Until a visit is over: some microseconds, rarely the time that it takes to become the writer. */
static void await_visit(unsigned tries) {
    const struct timespec nap = {0, tries < 64 ? 20000 : 500000};
    if (tries < 16)
        sched_yield();
    else
        nanosleep(&nap, NULL);
}

static brant_status refuse_forked(const brant_db *db) {
    return brant__fail(BRANT_FORKED,
                       "the handle was opened by process %ld before fork; open one in this process",
                       (long)db->process);
}

/* The innermost shell last: each stands between enter and leave for itself. */
static brant_status enter_one(brant_db *db, unsigned as) {
    unsigned state = atomic_load_explicit(&db->state, memory_order_relaxed);
    for (unsigned tries = 0;;) {
        if (BRANT__UNLIKELY(state & (BRANT__INSIDE | BRANT__CLOSED_FLAG))) {
            /* After fork nobody is inside any more who could leave. */
            if (!(state & BRANT__CLOSED_FLAG) && db->process != getpid()) return refuse_forked(db);
            if (state & BRANT__CLOSED_FLAG || !(state & BRANT__VISIT) || as & BRANT__VISIT)
                return refuse(state);
            await_visit(tries++);
            state = atomic_load_explicit(&db->state, memory_order_relaxed);
        } else if (atomic_compare_exchange_weak_explicit(&db->state, &state, state | as,
                                                         memory_order_acquire,
                                                         memory_order_relaxed)) {
            break;
        }
    }
    if (BRANT__UNLIKELY(db->process != getpid())) {
        leave_one(db);
        return refuse_forked(db);
    }
    db->call_interrupts = atomic_load_explicit(&db->interrupts, memory_order_relaxed);
    const int64_t deadline = atomic_load_explicit(&db->deadline, memory_order_relaxed);
    if (BRANT__UNLIKELY(deadline && brant__system_now() >= deadline)) {
        leave_one(db);
        return brant__fail(BRANT_TIMEOUT, "the deadline passed before the call began");
    }
    return BRANT_OK;
}

/* All above the connection, in the reverse order of entering. At most 16. */
static void leave_shells(brant_db *shell) {
    if (!shell->beneath) return;
    leave_shells(shell->beneath);
    atomic_store_explicit(&shell->entered, false, memory_order_relaxed);
    leave_one(shell);
}

/* From the outside in: who is refused by a shell never disturbs what it stands for. */
static brant_status enter_shells(brant_db *shell, unsigned as) {
    brant_db *at = shell, *db = shell->connection;
    brant_status status = BRANT_OK;
    for (; at->beneath; at = at->beneath)
        if ((status = enter_one(at, as)) != BRANT_OK) goto cleanup;
    BRANT__TRY(enter_one(db, as));
    db->shell = shell;
    db->session = shell->session;
    for (at = shell; at->beneath; at = at->beneath)
        atomic_store_explicit(&at->entered, true, memory_order_relaxed);
    db->now = 0;
    db->operation = NULL;
    for (at = shell; at->beneath; at = at->beneath) {
        if (!at->kind->enter) continue;
        status = at->kind->enter(db, at->kind_state);
        if (status == BRANT_OK) continue;
        brant__leave(db);
        return status;
    }
    return BRANT_OK;
cleanup:
    for (brant_db *entered = shell; entered != at;) {
        brant_db *beneath = entered->beneath;
        leave_one(entered);
        entered = beneath;
    }
    return status;
}

/* An interrupt holds for what begins as long as a statement is open: what the interrupted call left open is closed. */
static void close_interrupted(brant_db *db) {
    if (BRANT__UNLIKELY(db->sql_cursors) && sqlite3_is_interrupted(db->sqlite))
        brant__sql_cursors_end(db, 0);
}

static brant_status enter(brant_db **handle, unsigned as) {
    brant_db *db = *handle;
    if (BRANT__UNLIKELY(!db)) return brant__fail(BRANT_INVALID, "the handle is NULL");
    if (db->beneath) {
        const brant_status status = enter_shells(db, as);
        if (status == BRANT_OK) {
            *handle = db->connection;
            close_interrupted(db->connection);
        }
        return status;
    }
    const brant_status status = enter_one(db, as);
    if (status != BRANT_OK) return status;
    db->now = 0;
    db->operation = NULL;
    close_interrupted(db);
    return BRANT_OK;
}

brant_status brant__handle_enter(brant_db **handle) {
    return enter(handle, BRANT__INSIDE);
}

brant_status brant__handle_visit(brant_db **handle) {
    return enter(handle, BRANT__INSIDE | BRANT__VISIT);
}

brant_status brant__enter(brant_db *db) {
    return enter(&db, BRANT__INSIDE);
}

brant_status brant__visit(brant_db *db) {
    return enter(&db, BRANT__INSIDE | BRANT__VISIT);
}

void brant__db_secret(brant_db *db) {
    db->secret = true;
}

/* Freeing wipes; the next operation takes its scratch anew. */
static void forget_secret(brant_db *db) {
    db->secret = false;
    scratch_free(&db->scratch);
    for (int slot = 0; slot < BRANT__SLOT_COUNT; slot++) {
        void *state = brant__state(db, slot);
        if (state && db->hooks[slot]->forget) db->hooks[slot]->forget(db, state);
    }
}

void brant__leave(brant_db *db) {
    brant_db *shell = db->shell;
    if (BRANT__UNLIKELY(db->secret)) forget_secret(db);
    db->shell = NULL;
    db->session = NULL;
    leave_one(db);
    if (shell) leave_shells(shell);
}

static void wait_end_one(brant_db *db) {
    atomic_fetch_sub(&db->state, BRANT__WAIT);
    if (BRANT__UNLIKELY(closed_one(db))) finish(db);
}

brant_status brant__wait_begin(brant_db *handle) {
    for (brant_db *at = handle; at; at = at->beneath) {
        const unsigned before = atomic_fetch_add(&at->state, BRANT__WAIT);
        if (!(before & BRANT__CLOSED_FLAG)) continue;
        brant_db *refused = at->beneath;
        while (handle != refused) {
            brant_db *beneath = handle->beneath;
            wait_end_one(handle);
            handle = beneath;
        }
        return refuse(before);
    }
    return BRANT_OK;
}

void brant__wait_end(brant_db *handle) {
    while (handle) {
        brant_db *beneath = handle->beneath;
        wait_end_one(handle);
        handle = beneath;
    }
}

bool brant__db_closed(const brant_db *handle) {
    for (; handle; handle = handle->beneath)
        if (closed_one(handle)) return true;
    return false;
}

unsigned brant__db_interrupts(const brant_db *handle) {
    unsigned interrupts = 0;
    for (; handle; handle = handle->beneath)
        interrupts += atomic_load(&((brant_db *)handle)->interrupts);
    return interrupts;
}

brant_status brant__call_over(const brant_db *db) {
    for (brant_db *at = db->shell ? db->shell : (brant_db *)db; at; at = at->beneath) {
        if (closed_one(at)) return BRANT_CLOSED;
        if (atomic_load_explicit(&at->interrupts, memory_order_relaxed) != at->call_interrupts)
            return BRANT_INTERRUPTED;
        const int64_t deadline = atomic_load_explicit(&at->deadline, memory_order_relaxed);
        if (deadline && brant__system_now() >= deadline) return BRANT_TIMEOUT;
    }
    return BRANT_OK;
}

brant_status brant__db_poll(brant_db *db) {
    const brant_status over = brant__call_over(db);
    if (BRANT__LIKELY(over == BRANT_OK)) return BRANT_OK;
    if (over == BRANT_CLOSED) return refuse(BRANT__CLOSED_FLAG);
    return over == BRANT_INTERRUPTED
               ? brant__fail(BRANT_INTERRUPTED, "the call was interrupted")
               : brant__fail(BRANT_TIMEOUT, "the deadline passed during the call");
}

/* ---- facts -------------------------------------------------------------------------------------------------------- */

const brant__limits *brant__db_limits(const brant_db *db) {
    return &db->options.limits;
}
const char *brant__db_path(const brant_db *db) {
    return db->path;
}
bool brant__db_memory(const brant_db *db) {
    return db->memory;
}
bool brant__db_read_only(const brant_db *db) {
    return db->options.mode == BRANT__MODE_RO;
}
bool brant__db_system(const brant_db *db) {
    return db->options.system && !db->session;
}

int brant__db_role(const brant_db *db) {
    return db->options.role;
}
bool brant__db_group(const brant_db *db) {
    return db->options.group;
}
brant__scratch *brant__db_scratch(brant_db *db) {
    return &db->scratch;
}

int64_t brant__db_now(brant_db *db) {
    if (db->now == 0)
        db->now = db->sources.now ? db->sources.now(db->sources.context) : brant__system_now();
    return db->now;
}

brant_status brant__db_random(brant_db *db, void *bytes, size_t length) {
    const bool done = db->sources.random
                          ? db->sources.random(db->sources.context, bytes, length) == 0
                          : brant__system_random(bytes, length);
    return done ? BRANT_OK : brant__fail(BRANT_IO, "the source of random bytes failed");
}

brant_status brant__db_uuid(brant_db *db, char out[37]) {
    uint8_t random[10];
    out[0] = '\0';
    const brant_status status = brant__db_random(db, random, sizeof random);
    if (status == BRANT_OK) brant__uuid_v7(out, brant__db_now(db), random);
    return status;
}

/* ---- who calls ------------------------------------------------------------------------------------------------------ */

const brant__session *brant__db_session(const brant_db *db) {
    return db->session;
}

const brant__session *brant__db_session_set(brant_db *db, const brant__session *session) {
    const brant__session *former = db->session;
    db->session = session;
    return former;
}

brant_status brant__db_trusted(const brant_db *db, const char *what) {
    if (!db->session) return BRANT_OK;
    return brant__fail(BRANT_DENIED, "a session cannot %s", what);
}

const struct brant__operation *brant__db_running(const brant_db *db) {
    return db->operation;
}

void brant__db_running_set(brant_db *db, const struct brant__operation *operation) {
    db->operation = operation;
}

/* ---- state of the modules above ------------------------------------------------------------------------------------ */

void brant__attach(brant_db *db, int slot, const brant__hooks *hooks, void *state) {
    db->hooks[slot] = hooks;
    atomic_store_explicit(&db->slots[slot], state, memory_order_release);
}

void *brant__state(const brant_db *db, int slot) {
    return atomic_load_explicit(&((brant_db *)db)->slots[slot], memory_order_acquire);
}
