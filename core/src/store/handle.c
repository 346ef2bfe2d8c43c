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
    if (atomic_fetch_sub_explicit(&db->references, 1, memory_order_acq_rel) != 1) return;
    pthread_mutex_destroy(&db->lock);
    scratch_free(&db->scratch);
    brant__free(db->path);
    brant__free(db);
}

void brant__teardown(brant_db *db) {
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
    if (here && !db->host) sqlite3_close_v2(sqlite);
    scratch_free(&db->scratch);
}

/* Tear down if this is the thread that found the handle closed and empty. */
static void finish(brant_db *db) {
    unsigned expected = BRANT__CLOSED_FLAG;
    if (atomic_compare_exchange_strong(&db->state, &expected, BRANT__CLOSED_FLAG | BRANT__TORN))
        brant__teardown(db);
}

static void end_waits(brant_db *db) {
    for (int slot = 0; slot < BRANT__SLOT_COUNT; slot++) {
        void *state = brant__state(db, slot);
        if (state && db->hooks[slot]->interrupt) db->hooks[slot]->interrupt(db, state);
    }
}

static void interrupt_sqlite(brant_db *db) {
    pthread_mutex_lock(&db->lock);
    if (db->sqlite) sqlite3_interrupt(db->sqlite);
    pthread_mutex_unlock(&db->lock);
}

brant_status brant_close(brant_db *db) {
    brant__error_clear();
    if (!db) return BRANT_OK;
    /* Counts as a wait while it works, so that nobody tears down what end_waits touches. */
    const unsigned before = atomic_fetch_add(&db->state, BRANT__WAIT);
    if (!(before & BRANT__TORN)) {
        atomic_fetch_or(&db->state, BRANT__CLOSED_FLAG);
        if (before & BRANT__INSIDE) interrupt_sqlite(db);
        end_waits(db);
    }
    atomic_fetch_sub(&db->state, BRANT__WAIT);
    finish(db);
    return BRANT_OK;
}

void brant_db_free(brant_db *db) {
    if (!db) return;
    brant_close(db);
    brant__db_release(db);
}

brant_status brant_interrupt(brant_db *db) {
    brant__error_clear();
    if (!db) return brant__fail(BRANT_INVALID, "the handle is NULL");
    const unsigned before = atomic_fetch_add(&db->state, BRANT__WAIT);
    if (!(before & BRANT__TORN)) {
        atomic_fetch_add(&db->interrupts, 1);
        if (before & BRANT__INSIDE) interrupt_sqlite(db);
        end_waits(db);
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

static brant_status enter(brant_db *db, unsigned as) {
    if (BRANT__UNLIKELY(!db)) return brant__fail(BRANT_INVALID, "the handle is NULL");
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
        brant__leave(db);
        return refuse_forked(db);
    }
    db->call_interrupts = atomic_load_explicit(&db->interrupts, memory_order_relaxed);
    db->now = 0;
    const int64_t deadline = atomic_load_explicit(&db->deadline, memory_order_relaxed);
    if (BRANT__UNLIKELY(deadline && brant__system_now() >= deadline)) {
        brant__leave(db);
        return brant__fail(BRANT_TIMEOUT, "the deadline passed before the call began");
    }
    return BRANT_OK;
}

brant_status brant__enter(brant_db *db) {
    return enter(db, BRANT__INSIDE);
}

brant_status brant__visit(brant_db *db) {
    return enter(db, BRANT__INSIDE | BRANT__VISIT);
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
    if (BRANT__UNLIKELY(db->secret)) forget_secret(db);
    const unsigned before = atomic_fetch_and_explicit(&db->state, ~(BRANT__INSIDE | BRANT__VISIT),
                                                      memory_order_release);
    if (BRANT__UNLIKELY(before & BRANT__CLOSED_FLAG)) finish(db);
}

brant_status brant__wait_begin(brant_db *db) {
    const unsigned before = atomic_fetch_add(&db->state, BRANT__WAIT);
    if (!(before & BRANT__CLOSED_FLAG)) return BRANT_OK;
    brant__wait_end(db);
    return refuse(before);
}

void brant__wait_end(brant_db *db) {
    atomic_fetch_sub(&db->state, BRANT__WAIT);
    if (BRANT__UNLIKELY(brant__db_closed(db))) finish(db);
}

bool brant__db_closed(const brant_db *db) {
    return (atomic_load_explicit(&((brant_db *)db)->state, memory_order_relaxed) &
            BRANT__CLOSED_FLAG) != 0;
}

unsigned brant__db_interrupts(const brant_db *db) {
    return atomic_load(&((brant_db *)db)->interrupts);
}

brant_status brant__db_poll(brant_db *db) {
    if (brant__db_closed(db)) return refuse(BRANT__CLOSED_FLAG);
    if (atomic_load_explicit(&db->interrupts, memory_order_relaxed) != db->call_interrupts)
        return brant__fail(BRANT_INTERRUPTED, "the call was interrupted");
    const int64_t deadline = atomic_load_explicit(&db->deadline, memory_order_relaxed);
    if (deadline && brant__system_now() >= deadline)
        return brant__fail(BRANT_TIMEOUT, "the deadline passed during the call");
    return BRANT_OK;
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
    return db->options.system;
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

/* ---- state of the modules above ------------------------------------------------------------------------------------ */

void brant__attach(brant_db *db, int slot, const brant__hooks *hooks, void *state) {
    db->hooks[slot] = hooks;
    atomic_store_explicit(&db->slots[slot], state, memory_order_release);
}

void *brant__state(const brant_db *db, int slot) {
    return atomic_load_explicit(&((brant_db *)db)->slots[slot], memory_order_acquire);
}
