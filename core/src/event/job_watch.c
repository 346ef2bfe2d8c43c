/*
 * event/job_watch.c: jobs.watch, which waits for the end of a job, and jobs.cancels, which tells a worker which of its jobs to give up.
 */
#include "event/job.h"
#include "event/job_read.h"
#include "event/queue_watch.h"
#include "event/watch.h"

enum { CANCELS, STATE, QUEUE, QUEUE_OF, STATEMENT_COUNT };
static const char *const sql[STATEMENT_COUNT] = {
    [CANCELS] = "SELECT id, claims, worker FROM jobs INDEXED BY jobs_cancels WHERE queue = :queue "
                "AND state = 3 AND cancel = 1",
    [STATE] = "SELECT state FROM jobs WHERE id = :id",
    [QUEUE] = "SELECT 1 FROM queues WHERE row_id = :queue",
    [QUEUE_OF] = "SELECT queue FROM jobs WHERE id = :id",
};
const brant__statements brant__job_watch_statements = {BRANT__TABLE_JOB_WATCH, STATEMENT_COUNT,
                                                       sql};

static brant_status get(brant__statement **out, brant_db *db, int which) {
    return brant__statement_get(out, db, &brant__job_watch_statements, (size_t)which);
}

/* ---- jobs.watch ------------------------------------------------------------------------------ */

typedef struct watcher {
    brant__watch watch;
    int64_t id;
    int64_t queue; /* 0: the job was gone when the cursor was opened */
} watcher;

/* *out_ended: it has ended, also when its row is gone. */
static brant_status has_ended(bool *out_ended, brant_db *db, const watcher *self) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    bool row = false;
    BRANT__TRY(get(&statement, db, STATE));
    brant__bind_integer(statement, 1, self->id);
    BRANT__TRY(brant__step(&row, db, statement));
    *out_ended = !row || brant__column_integer(statement, 0) > BRANT__JOB_RUNNING;
cleanup:
    brant__reset(statement);
    return status;
}

/* Of a job that is gone nothing is known but that it was done, or went with its queue: what ends otherwise is kept. */
static brant_status tell_gone(brant_db *db, const watcher *self, brant__writer *writer) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    bool there = true;
    if (self->queue) {
        BRANT__TRY(get(&statement, db, QUEUE));
        brant__bind_integer(statement, 1, self->queue);
        BRANT__TRY(brant__step(&there, db, statement));
    }
    brant__write_object(writer);
    brant__write_integer_member(writer, "id", self->id);
    brant__write_text_member(writer, "state",
                             there ? BRANT__TEXT("done") : BRANT__TEXT("cancelled"));
    brant__write_end(writer);
cleanup:
    brant__reset(statement);
    return status;
}

/* The job as it ended. */
static brant_status look(brant__fetch *out, brant_db *db, brant__watch *watch,
                         brant__writer *writer) {
    const watcher *self = (const watcher *)watch;
    brant_status status = BRANT_OK;
    bool ended = false, found = false;
    BRANT__TRY(has_ended(&ended, db, self));
    if (!ended) goto cleanup;
    BRANT__TRY(brant__job_show(&found, writer, db, self->id));
    if (!found) BRANT__TRY(tell_gone(db, self, writer));
    out->count = 1;
    out->end = true;
cleanup:
    return status;
}

static brant_status find_queue(int64_t *out, brant_db *db, int64_t id) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    bool row = false;
    *out = 0;
    BRANT__TRY(get(&statement, db, QUEUE_OF));
    brant__bind_integer(statement, 1, id);
    BRANT__TRY(brant__step(&row, db, statement));
    if (row) *out = brant__column_integer(statement, 0);
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__job_watch(brant_cursor **out_cursor, brant__call *call) {
    const int64_t id = brant__json_integer(brant__json_get(call->input, "id"), 0);
    int64_t greatest = 0, queue = 0;
    brant_status status = brant__job_greatest(&greatest, call->db);
    if (status == BRANT_OK) status = find_queue(&queue, call->db, id);
    if (status != BRANT_OK) return status;
    if (id < 1 || id > greatest)
        return brant__fail(BRANT_NOT_FOUND, "there was never a job %lld", (long long)id);
    watcher *self = brant__watch_new(sizeof *self, look);
    if (!self) return brant__fail_memory();
    self->id = id;
    self->queue = queue;
    self->watch.topic = brant__topic_of_id(&self->watch.bytes, BRANT__JOB_TOPIC, id);
    return brant__watch_open(out_cursor, call->db, &self->watch);
}

/* ---- jobs.cancels ---------------------------------------------------------------------------- */

brant_status brant__job_cancel_touch(brant_db *db, brant__text queue) {
    brant__topic topic;
    return brant__wake_touch(db, brant__topic_of(&topic, "cancel", queue, (brant__text){NULL, 0}));
}

typedef struct canceller {
    int64_t registration;
    bool registered;    /* at the first look: opening is a read */
    brant__map told;    /* id -> token, of those that are still to be cancelled */
    brant__text worker; /* in the memory behind, as the queue's name */
    brant__text queue;
} canceller;

/* One running job: told, if it is this worker's and was not told before; `now` becomes what was told. */
static brant_status fetch_row(brant__fetch *out, const canceller *self, brant__map *now,
                              brant__statement *statement, brant__writer *writer) {
    const int64_t id = brant__column_integer(statement, 0);
    const int64_t token = brant__column_integer(statement, 1);
    const brant__text key = brant__text_of((const char *)&id, sizeof id);
    int64_t told = 0;
    if (!brant__text_equal(brant__column_text(statement, 2), self->worker)) return BRANT_OK;
    if (!brant__map_get(&self->told, key, &told) || told != token) {
        if (out->count == BRANT__CURSOR_ITEMS) {
            out->more = true;
            return BRANT_OK;
        }
        brant__write_object(writer);
        brant__write_integer_member(writer, "id", id);
        brant__write_integer_member(writer, "token", token);
        brant__write_end(writer);
        out->count++;
    }
    return brant__map_put(now, key, token) ? BRANT_OK : brant__fail_memory();
}

static brant_status fetch_rows(brant__fetch *out, brant_db *db, const canceller *self,
                               brant__map *now, brant__writer *writer) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    brant__queue queue;
    bool row = false;
    BRANT__TRY(brant__queue_look_up(&row, &queue, db, self->queue));
    if (!row) goto cleanup;
    BRANT__TRY(get(&statement, db, CANCELS));
    brant__bind_integer(statement, 1, queue.row_id);
    for (;;) {
        BRANT__TRY(brant__step(&row, db, statement));
        if (!row) break;
        BRANT__TRY(fetch_row(out, self, now, statement, writer));
    }
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status cancels_fetch(brant__fetch *out, brant_db *db, void *state,
                                  brant__writer *writer) {
    canceller *self = state;
    brant_status status = BRANT_OK;
    brant__map now = {0};
    brant__topic topic;
    bool begun = false;
    const bool registers = !self->registered && !brant__db_read_only(db);
    const brant__text pattern =
        brant__topic_of(&topic, "cancel", self->queue, (brant__text){NULL, 0});
    BRANT__TRY(brant__begin(db, registers ? BRANT__WRITE : BRANT__READ));
    begun = true;
    if (registers) BRANT__TRY(brant__wake_register(&self->registration, db, &pattern, 1));
    BRANT__TRY(fetch_rows(out, db, self, &now, writer));
    BRANT__TRY(brant__commit(db));
    begun = false;
    self->registered = true;
    /* Room for the end of the answer, too: what counts as told is told. */
    if (!brant__buffer_reserve(&writer->buffer, 16)) {
        status = brant__fail_memory();
        goto cleanup;
    }
    brant__map_free(&self->told);
    self->told = now;
    now = (brant__map){0};
cleanup:
    if (begun) brant__rollback(db);
    brant__map_free(&now);
    return status;
}

static void cancels_destroy(brant_db *db, void *state) {
    canceller *self = state;
    if (self->registered) brant__wake_unregister(db, self->registration);
    brant__map_free(&self->told);
    brant__free(self);
}

static const brant__cursor_kind cancels_kind = {
    .fetch = cancels_fetch, .destroy = cancels_destroy, .transaction = BRANT__FETCH_OWN};

brant_status brant__job_cancels(brant_cursor **out_cursor, brant__call *call) {
    const brant__text queue = brant__json_get_text(call->input, "queue");
    const brant__text worker = brant__json_get_text(call->input, "worker");
    brant_status status = brant__input_name(queue, "/queue");
    if (status == BRANT_OK) status = brant__input_name(worker, "/worker");
    if (status != BRANT_OK) return status;
    canceller *self = brant__alloc_zero(sizeof *self + queue.length + worker.length);
    if (!self) return brant__fail_memory();
    char *names = (char *)(self + 1);
    memcpy(names, queue.data, queue.length);
    memcpy(names + queue.length, worker.data, worker.length);
    self->queue = brant__text_of(names, queue.length);
    self->worker = brant__text_of(names + queue.length, worker.length);
    return brant__cursor_new(out_cursor, call->db, &cancels_kind, self);
}
