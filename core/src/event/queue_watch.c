/*
 * event/queue_watch.c: queues.watch: ready or asleep.
 *
 * Level-triggered: each look asks whether a claim would give something now. When it would not, the watcher goes to sleep in the transaction that found nothing, so
 * that whoever makes a job ready later finds it, and wakes as many as there are jobs. A watcher that has yielded does not sleep: its caller claims, and what it leaves behind
 * is found by its next look.
 */
#include "event/queue_watch.h"

#include "event/waiter.h"

#define PATIENCE 50 /* ms in which a woken watcher has claimed, if it lives */

enum { SLEEPS, STRANDED, STATEMENT_COUNT };
/* Two, so that the jobs are not looked at while nobody sleeps: as a condition of STRANDED the other would be asked of each of them. */
static const char *const sql[STATEMENT_COUNT] = {
    [SLEEPS] = "SELECT 1 FROM brant_waiters WHERE topic = :topic LIMIT 1",
    [STRANDED] = "SELECT coalesce(ready_at, created_at) FROM jobs WHERE queue = :queue AND state = "
                 "0 ORDER BY priority DESC, id LIMIT 1",
};
const brant__statements brant__queue_watch_statements = {BRANT__TABLE_QUEUE_WATCH, STATEMENT_COUNT,
                                                         sql};

brant_status brant__queue_pass_on(brant_db *db, const brant__queue *queue) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    bool row = false, claimable = false;
    int64_t ready_at = 0, until = 0;
    BRANT__TRY(brant__statement_get(&statement, db, &brant__queue_watch_statements, SLEEPS));
    brant__bind_text(statement, 1, brant__queue_topic(queue));
    BRANT__TRY(brant__step(&row, db, statement));
    brant__reset(statement);
    if (!row) return BRANT_OK;
    BRANT__TRY(brant__statement_get(&statement, db, &brant__queue_watch_statements, STRANDED));
    brant__bind_integer(statement, 1, queue->row_id);
    BRANT__TRY(brant__step(&row, db, statement));
    if (row) ready_at = brant__column_integer(statement, 0);
    brant__reset(statement);
    if (!row || brant__db_now(db) - ready_at < PATIENCE) return BRANT_OK;
    BRANT__TRY(brant__queue_claimable(&claimable, &until, db, queue));
    if (claimable) status = brant__waiter_wake(db, brant__queue_topic(queue), 1);
    return status;
cleanup:
    brant__reset(statement);
    return status;
}

/* ---- the cursor ------------------------------------------------------------------------------ */

typedef struct watcher {
    int64_t ticket; /* 0: does not sleep */
    int64_t until;  /* when it looks by itself */
    size_t length;
    char topic[6 + BRANT__NAME_SIZE]; /* "queue:" and the name, as that of a brant__queue */
} watcher;

static brant__text topic_of(const watcher *self) {
    return brant__text_of(self->topic, 6 + self->length);
}

/* A queue that is not there yet is one in which nothing is ready. */
static brant_status look(bool *out_claimable, int64_t *out_until, brant_db *db,
                         const watcher *self) {
    brant__queue queue;
    bool found = false;
    *out_claimable = false;
    *out_until = INT64_MAX;
    const brant_status status =
        brant__queue_look_up(&found, &queue, db, brant__text_of(self->topic + 6, self->length));
    if (status != BRANT_OK || !found) return status;
    return brant__queue_claimable(out_claimable, out_until, db, &queue);
}

/* Is there nothing to do: asleep, or, of a watcher that does not sleep, nothing to claim? */
static brant_status look_quietly(bool *out_claimable, bool *out_done, brant_db *db, watcher *self) {
    brant_status status = BRANT_OK;
    bool begun = false, asleep = false;
    *out_claimable = *out_done = false;
    BRANT__TRY(brant__begin(db, BRANT__READ));
    begun = true;
    if (self->ticket != 0) {
        BRANT__TRY(brant__waiter_asleep(&asleep, db, topic_of(self), self->ticket));
        *out_done = asleep && brant__db_now(db) < self->until;
    } else {
        BRANT__TRY(look(out_claimable, &self->until, db, self));
        *out_done = *out_claimable || brant__db_read_only(db);
    }
    BRANT__TRY(brant__commit(db));
    begun = false;
cleanup:
    if (begun) brant__rollback(db);
    return status;
}

/* Look again, and go to sleep with it. */
static brant_status look_or_sleep(bool *out_claimable, brant_db *db, watcher *self) {
    brant_status status = BRANT_OK;
    bool begun = false;
    int64_t due = INT64_MAX, ticket = 0;
    BRANT__TRY(brant__begin(db, BRANT__WRITE));
    begun = true;
    BRANT__TRY(brant__waiter_leave(db, topic_of(self), self->ticket));
    BRANT__TRY(look(out_claimable, &due, db, self));
    if (!*out_claimable) {
        if (due != INT64_MAX) BRANT__TRY(brant__waiter_deadline(&due, db, topic_of(self), due));
        BRANT__TRY(brant__waiter_sleep(&ticket, db, topic_of(self), due));
    }
    BRANT__TRY(brant__commit(db));
    begun = false;
    self->ticket = ticket;
    self->until = due;
cleanup:
    if (begun) brant__rollback(db);
    return status;
}

static brant_status watch_fetch(brant__fetch *out, brant_db *db, void *state,
                                brant__writer *writer) {
    watcher *self = state;
    brant_status status = BRANT_OK;
    bool claimable = false, done = false;
    BRANT__TRY(look_quietly(&claimable, &done, db, self));
    if (!done) BRANT__TRY(look_or_sleep(&claimable, db, self));
    out->until = self->until;
    if (!claimable) goto cleanup;
    brant__write_object(writer);
    brant__write_name(writer, "queue");
    brant__write_text(writer, brant__text_of(self->topic + 6, self->length));
    brant__write_name(writer, "ready");
    brant__write_bool(writer, true);
    brant__write_end(writer);
    out->count = 1;
cleanup:
    return status;
}

static void watch_destroy(brant_db *db, void *state) {
    watcher *self = state;
    brant__waiter_drop(db, topic_of(self), self->ticket);
    brant__free(self);
}

static const brant__cursor_kind watch_kind = {
    .fetch = watch_fetch, .destroy = watch_destroy, .transaction = BRANT__FETCH_OWN};

brant_status brant__queue_watch(brant_cursor **out_cursor, brant__call *call) {
    const brant__text name = brant__json_get_text(call->input, "queue");
    const brant_status status = brant__input_name(name, "/queue");
    if (status != BRANT_OK) return status;
    watcher *self = brant__alloc_zero(sizeof *self);
    if (!self) return brant__fail_memory();
    self->until = INT64_MAX;
    self->length = name.length;
    memcpy(self->topic, "queue:", 6);
    memcpy(self->topic + 6, name.data, name.length);
    return brant__cursor_new(out_cursor, call->db, &watch_kind, self);
}
