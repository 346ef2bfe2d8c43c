/*
 * event/queue_watch.c: queues.watch, which is ready when a claim would give something, and the wakes that it lost.
 */
#include "event/queue_watch.h"

#include "event/waiter.h"
#include "event/watch.h"

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
    brant__watch watch;
    size_t length;
    char queue[BRANT__NAME_SIZE];
} watcher;

/* A queue that is not there yet is one in which nothing is ready. */
static brant_status look(brant__fetch *out, brant_db *db, brant__watch *watch,
                         brant__writer *writer) {
    const watcher *self = (const watcher *)watch;
    const brant__text name = brant__text_of(self->queue, self->length);
    brant__queue queue;
    bool found = false, claimable = false;
    brant_status status = BRANT_OK;
    BRANT__TRY(brant__queue_look_up(&found, &queue, db, name));
    if (!found) goto cleanup;
    BRANT__TRY(brant__queue_claimable(&claimable, &out->until, db, &queue));
    if (!claimable) goto cleanup;
    brant__write_object(writer);
    brant__write_text_member(writer, "queue", name);
    brant__write_bool_member(writer, "ready", true);
    brant__write_end(writer);
    out->count = 1;
cleanup:
    return status;
}

brant_status brant__queue_watch(brant_cursor **out_cursor, brant__call *call) {
    const brant__text name = brant__json_get_text(call->input, "queue");
    const brant_status status = brant__input_name(name, "/queue");
    if (status != BRANT_OK) return status;
    watcher *self = brant__watch_new(sizeof *self, look);
    if (!self) return brant__fail_memory();
    self->length = name.length;
    memcpy(self->queue, name.data, name.length);
    self->watch.topic =
        brant__topic_of(&self->watch.bytes, BRANT__QUEUE_TOPIC, name, (brant__text){NULL, 0});
    return brant__watch_open(out_cursor, call->db, &self->watch);
}
