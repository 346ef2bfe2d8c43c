/*
 * event/cursor.c: cursors: fetch what is there, else wait and fetch again.
 *
 * A cursor has one owner, who frees it, and at most one thread in brant_cursor_next (`busy`). `ended` is set once, by whoever closes; the state of its kind is
 * destroyed once (`spent`): by the closer when nobody is in next and the handle is free, by the thread in next as it leaves, or by whoever is inside the
 * handle next (an orphan). `references` counts the owner, the thread in next and the orphans' list.
 */
#include <pthread.h>

#include "event/wake.h"

/* ms until it is looked again after another writer was in the way: at first, and at most, since it may hold up the loop of who looks */
#define BUSY_AGAIN   20
#define BUSY_LONGEST 200

struct brant_cursor {
    brant_db *handle;                         /* by which it was opened, and is read; retained */
    brant_db *db;                             /* the connection under it */
    const struct brant__operation *operation; /* which opened it */
    const brant__cursor_kind *kind;
    void *state;
    atomic_bool ended;
    pthread_mutex_t mutex; /* for what follows */
    bool busy;
    bool spent;
    uint64_t suspicions; /* of the fallback check, that it has looked after */
    bool exhausted;      /* nothing will ever come any more */
    int64_t until; /* of the monotonic clock: when to look again by itself, as the last look said */
    int64_t put_off; /* by how many ms the last look was, for another writer; 0: it was not */
    unsigned references;
    brant_cursor *next; /* orphan: under the mutex of the list */
};

/* What it cannot write now is no failure of the call. */
static void destroy(const brant__cursor_kind *kind, brant_db *db, void *state) {
    brant__kept_error kept;
    brant__error_keep(&kept);
    kind->destroy(db, state);
    brant__error_restore(&kept);
}

brant_status brant__cursor_new(brant_cursor **out_cursor, brant_db *db,
                               const brant__cursor_kind *kind, void *state) {
    brant_cursor *cursor = NULL;
    brant_status status = brant__wake_attach(db);
    *out_cursor = NULL;
    if (status != BRANT_OK) goto cleanup;
    brant__cursor_bury(db, brant__wake_orphans(db));
    cursor = brant__alloc_zero(sizeof *cursor);
    if (!cursor || pthread_mutex_init(&cursor->mutex, NULL) != 0) {
        status = brant__fail_memory();
        goto cleanup;
    }
    cursor->handle = brant__db_handle(db);
    brant__db_retain(cursor->handle);
    cursor->db = db;
    cursor->operation = brant__db_running(db);
    cursor->kind = kind;
    cursor->state = state;
    cursor->references = 1;
    atomic_init(&cursor->ended, false);
    *out_cursor = cursor;
    return BRANT_OK;
cleanup:
    brant__free(cursor);
    destroy(kind, db, state);
    return status;
}

static void release(brant_cursor *cursor) {
    pthread_mutex_lock(&cursor->mutex);
    const bool last = --cursor->references == 0;
    pthread_mutex_unlock(&cursor->mutex);
    if (!last) return;
    pthread_mutex_destroy(&cursor->mutex);
    brant__db_release(cursor->handle);
    brant__free(cursor);
}

/* ---- the end ------------------------------------------------------------------------------------------------------------ */

brant_cursor **brant__cursor_link(brant_cursor *cursor) {
    return &cursor->next;
}

void brant__cursor_bury(brant_db *db, brant_cursor *list) {
    while (list) {
        brant_cursor *cursor = list;
        list = cursor->next;
        destroy(cursor->kind, db, cursor->state);
        release(cursor);
    }
}

/* For the one thread that found the cursor ended and nobody inside. */
static void destroy_state(brant_cursor *cursor) {
    brant_db *db = cursor->db; /* also when the shell was taken back */
    brant__kept_error kept;
    brant__error_keep(&kept);
    const brant_status status = brant__handle_visit(&db);
    bool left = false;
    if (status == BRANT_MISUSE && brant__wait_begin(db) == BRANT_OK) {
        pthread_mutex_lock(&cursor->mutex);
        cursor->references++;
        pthread_mutex_unlock(&cursor->mutex);
        left = brant__wake_orphan(db, cursor);
        brant__wait_end(db);
        if (!left) release(cursor);
    }
    if (!left) cursor->kind->destroy(db, cursor->state);
    if (status == BRANT_OK) brant__leave(db);
    brant__error_restore(&kept);
}

/* Ended, nobody in next, and not done before: then it is this thread's. Under the mutex. */
static bool claim_spent(brant_cursor *cursor) {
    if (!atomic_load(&cursor->ended) || cursor->busy || cursor->spent) return false;
    cursor->spent = true;
    return true;
}

static void rouse(brant_cursor *cursor) {
    brant__kept_error kept;
    brant__error_keep(&kept);
    if (brant__wait_begin(cursor->db) == BRANT_OK) {
        brant__wake_rouse(cursor->db, &cursor->ended);
        brant__wait_end(cursor->db);
    }
    brant__error_restore(&kept);
}

static void close_cursor(brant_cursor *cursor) {
    pthread_mutex_lock(&cursor->mutex);
    atomic_store(&cursor->ended, true);
    const bool mine = claim_spent(cursor);
    const bool waits = cursor->busy;
    pthread_mutex_unlock(&cursor->mutex);
    if (mine) destroy_state(cursor);
    if (waits) rouse(cursor);
}

brant_status brant_cursor_close(brant_cursor *cursor) {
    brant__error_clear();
    if (cursor) close_cursor(cursor);
    return BRANT_OK;
}

void brant_cursor_free(brant_cursor *cursor) {
    if (!cursor) return;
    close_cursor(cursor);
    release(cursor);
}

/* ---- next ------------------------------------------------------------------------------------------------------------------ */

typedef struct visit {
    brant__fetch found;
    uint64_t seen;
} visit;

/* Moments of the database's clock, which may jump, become spans as soon as they are known. A kind that asks for what is past does not make us spin. */
static int64_t monotonic_of(brant_db *db, int64_t moment) {
    if (moment == INT64_MAX) return INT64_MAX;
    const int64_t now = brant__db_now(db), start = brant__monotonic_now();
    if (moment <= now) return start + 1;
    return moment - now > INT64_MAX - start ? INT64_MAX : start + (moment - now);
}

/* For brant_cursor_wait and the wait that may follow. */
static void note(brant_cursor *cursor, const brant__fetch *found, uint64_t suspicions,
                 int64_t put_off) {
    const bool again = found->count > 0 || found->more;
    const int64_t until = again ? 0 : monotonic_of(cursor->db, found->until);
    pthread_mutex_lock(&cursor->mutex);
    cursor->until = until;
    cursor->suspicions = suspicions;
    cursor->put_off = put_off;
    if (found->end || (cursor->kind->ends && !again)) cursor->exhausted = true;
    pthread_mutex_unlock(&cursor->mutex);
}

/* With a transaction of the kind's choice. */
static brant_status fetch(visit *out, brant_cursor *cursor, brant__writer *writer) {
    brant_db *db = cursor->db;
    const brant__cursor_kind *kind = cursor->kind;
    brant_status status = BRANT_OK;
    bool begun = false;
    if (kind->transaction == BRANT__FETCH_READ) {
        BRANT__TRY(brant__begin(db, BRANT__READ));
        begun = true;
    }
    BRANT__TRY(kind->fetch(&out->found, db, cursor->state, writer));
    if (begun && brant__commit(db) != BRANT_OK) { /* what was read is read */
        (void)brant__error_code();
        brant__rollback(db);
    }
    return BRANT_OK;
cleanup:
    if (begun) brant__rollback(db);
    return status;
}

/* Another writer was in the way of going to sleep, or of what the cursor does itself: nothing was there, and it is looked again soon. */
static int64_t put_off(brant__fetch *found, brant_db *db, brant__writer *writer,
                       const brant__writer *before, int64_t last) {
    const brant__buffer buffer = writer->buffer;
    *writer = *before;
    writer->buffer = buffer;
    writer->buffer.length = before->buffer.length;
    const int64_t by = last == 0 ? BUSY_AGAIN : last < BUSY_LONGEST / 2 ? 2 * last : BUSY_LONGEST;
    *found = (brant__fetch){.until = brant__db_now(db) + by};
    brant__error_clear();
    return by;
}

/* One look: enter, one snapshot, fetch, leave. */
static brant_status look(visit *out, brant_cursor *cursor, brant__writer *writer) {
    const brant__writer before = *writer;
    brant_db *db = cursor->handle;
    const int transaction = cursor->kind->transaction;
    uint64_t suspicions = cursor->suspicions;
    int64_t again = 0;
    *out = (visit){.found.until = INT64_MAX};
    brant_status status = brant__wake_enter(&db, &cursor->ended);
    if (status != BRANT_OK) return status;
    brant__db_running_set(db, cursor->operation);
    brant__cursor_bury(db, brant__wake_orphans(db));
    if (transaction != BRANT__FETCH_NONE && !brant__transaction_lost(db))
        BRANT__TRY(brant__wake_check(db));
    out->seen = brant__wake_sequence(db);
    if (transaction != BRANT__FETCH_NONE) {
        if (brant__transaction_lost(db))
            goto cleanup; /* its owner has not rolled back yet: nothing to be seen until then */
        if (transaction == BRANT__FETCH_OWN && brant__depth(db) > 0) {
            brant__wake_defer(db);
            goto cleanup;
        }
    }
    const brant__session *session = brant__db_session(db);
    if (BRANT__UNLIKELY(session != NULL) && !brant__transaction_lost(db))
        BRANT__TRY(session->rules->look(db, session));
    const bool suspects = brant__wake_fetching(db, &suspicions);
    BRANT__TRY(fetch(out, cursor, writer));
    if (suspects && out->found.count > 0) brant__wake_found(db);
    if (transaction != BRANT__FETCH_NONE) {
        if (brant__wake_repair(db)) out->found.more = true;
        if (out->found.count == 0) BRANT__TRY(brant__wake_file_check(db));
    }
cleanup:
    if (status == BRANT_BUSY && !cursor->kind->ends) {
        again = put_off(&out->found, db, writer, &before, cursor->put_off);
        suspicions = cursor->suspicions; /* what was suspected was not looked after */
        status = BRANT_OK;
    }
    if (status == BRANT_OK) note(cursor, &out->found, suspicions, again);
    brant__leave(db);
    return status;
}

/* The wait ended. Was it for anything but the fallback check, which is done here, or does that say so, then look again. */
static brant_status glance(bool *out_again, brant_cursor *cursor, const visit *last,
                           int64_t until) {
    brant_db *db = cursor->handle;
    *out_again = true;
    if (brant__monotonic_now() >= until) return BRANT_OK;
    brant_status status = brant__wake_enter(&db, &cursor->ended);
    if (status != BRANT_OK) return status;
    brant__cursor_bury(db, brant__wake_orphans(db));
    if (brant__transaction_lost(db)) goto cleanup;
    BRANT__TRY(brant__wake_check(db));
    BRANT__TRY(brant__wake_file_check(db));
    *out_again = brant__wake_repair(db) || brant__wake_sequence(db) != last->seen ||
                 brant__db_now(db) >= last->found.until; /* the clock may have been set */
cleanup:
    if (status == BRANT_BUSY) { /* the look will say */
        brant__error_clear();
        status = BRANT_OK;
    }
    brant__leave(db);
    return status;
}

/* Why the wait is over, if it is. */
static brant_status check(brant_cursor *cursor, unsigned interrupts) {
    if (atomic_load(&cursor->ended)) return brant__fail(BRANT_CLOSED, "the cursor is closed");
    if (brant__db_closed(cursor->handle))
        return brant__fail(BRANT_CLOSED, "the database handle is closed");
    if (brant__db_interrupts(cursor->handle) != interrupts)
        return brant__fail(BRANT_INTERRUPTED, "the wait was interrupted");
    return BRANT_OK;
}

static brant_status next_items(brant_cursor *cursor, brant__writer *writer, int64_t timeout) {
    brant_db *handle = cursor->handle;
    const unsigned interrupts = brant__db_interrupts(handle);
    const int64_t start = brant__monotonic_now();
    const int64_t until = timeout < 0 || timeout > INT64_MAX - start ? INT64_MAX : start + timeout;
    for (;;) {
        visit seen;
        if (cursor->exhausted) return check(cursor, interrupts);
        brant_status status = look(&seen, cursor, writer);
        if (status != BRANT_OK || seen.found.count > 0) return status;
        status = check(cursor, interrupts);
        if (status != BRANT_OK) return status;
        if (cursor->exhausted) return BRANT_OK;
        if (seen.found.more) continue;
        if (brant__monotonic_now() >= until) return BRANT_OK;
        const int64_t due = cursor->until < until ? cursor->until : until;
        for (bool again = false; !again;) {
            status = brant__wait_begin(handle);
            if (status != BRANT_OK) return status;
            brant__wake_wait(handle, &cursor->ended, interrupts, seen.seen, due);
            brant__wait_end(handle);
            status = check(cursor, interrupts);
            if (status == BRANT_OK) status = glance(&again, cursor, &seen, due);
            if (status != BRANT_OK) return status;
        }
    }
}

brant_status brant_cursor_next(char **out_json, size_t *out_json_len, brant_cursor *cursor,
                               int64_t timeout) {
    brant_status status = BRANT_OK;
    brant__writer writer = {0};
    brant__error_clear();
    *out_json = NULL;
    *out_json_len = 0;
    if (!cursor) return brant__fail(BRANT_INVALID, "the cursor is NULL");
    pthread_mutex_lock(&cursor->mutex);
    const bool taken = cursor->busy, ended = atomic_load(&cursor->ended);
    if (!taken && !ended) {
        cursor->busy = true;
        cursor->references++;
    }
    pthread_mutex_unlock(&cursor->mutex);
    if (ended) return brant__fail(BRANT_CLOSED, "the cursor is closed");
    if (taken)
        return brant__fail(BRANT_MISUSE,
                           "another thread waits on the cursor; open one for each thread");

    brant__write_array(&writer);
    status = next_items(cursor, &writer, timeout);
    brant__write_end(&writer);
    if (status == BRANT_OK) status = brant__buffer_take(out_json, out_json_len, &writer.buffer);
    brant__buffer_free(&writer.buffer);

    pthread_mutex_lock(&cursor->mutex);
    cursor->busy = false;
    const bool mine = claim_spent(cursor);
    pthread_mutex_unlock(&cursor->mutex);
    if (mine) destroy_state(cursor);
    release(cursor);
    return brant__answer(status);
}

brant_status brant_cursor_wait(int64_t *out_ms, brant_cursor *cursor) {
    brant__error_clear();
    *out_ms = 0;
    if (!cursor) return brant__fail(BRANT_INVALID, "the cursor is NULL");
    pthread_mutex_lock(&cursor->mutex);
    const bool exhausted = cursor->exhausted, ended = atomic_load(&cursor->ended);
    const int64_t until = cursor->until;
    const uint64_t suspicions = cursor->suspicions;
    const bool was_put_off = cursor->put_off > 0;
    pthread_mutex_unlock(&cursor->mutex);
    if (ended) return brant__fail(BRANT_CLOSED, "the cursor is closed");
    if (exhausted) {
        *out_ms = -1;
        return BRANT_OK;
    }
    brant_status status = brant__wait_begin(cursor->handle);
    if (status != BRANT_OK) return status;
    status = brant__wake_forked(cursor->db);
    const int64_t left = until - brant__monotonic_now(),
                  check = brant__wake_check_in(cursor->db, suspicions);
    if (status == BRANT_OK) *out_ms = left < 0 ? 0 : left < check || was_put_off ? left : check;
    brant__wait_end(cursor->handle);
    return brant__answer(status);
}
