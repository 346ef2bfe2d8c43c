/*
 * event/job_read.c: jobs.get and jobs.list.
 *
 * There is no index on (queue, id): it would cost each enqueue as much as the ready index does, for a listing that people do now and then. A page is taken from the
 * jobs of all queues in order of id first; if these are mostly other queues' or in other states, the indexes of the states are asked for what is missing: they
 * cover the queue's own jobs alone, but must be read to their end, since none of them is in order of id.
 */
#include <stdlib.h>

#include "event/job.h"
#include "event/job_read.h"

#define PAGE 100                     /* items by default */
#define ROOM (BRANT__JOB_STATES + 1) /* what the walk found, and each state */
#define PER_ROW                                                                                    \
    20 /* of other queues or states that are looked at for one that fits, before the indexes are asked */

enum {
    JOB,
    WALK,
    KEYED,
    READY, /* from here on they sort: all of one state of a queue */
    DELAYED,
    BLOCKED,
    RUNNING,
    FINISHED,
    KEYED_FINISHED,
    STATEMENT_COUNT
};
static const char *const sql[STATEMENT_COUNT] = {
    [JOB] = "SELECT " BRANT__JOB_COLUMNS " FROM jobs WHERE id = :id",
    [WALK] = "SELECT id, queue, state, key FROM jobs WHERE id > :after ORDER BY id LIMIT :limit",
    [READY] = "SELECT id FROM jobs INDEXED BY jobs_ready WHERE queue = :queue AND state = 0 AND id "
              "> :after ORDER BY id LIMIT :limit",
    [DELAYED] = "SELECT id FROM jobs INDEXED BY jobs_due WHERE queue = :queue AND state = 1 AND id "
                "> :after ORDER BY id LIMIT :limit",
    [BLOCKED] = "SELECT id FROM jobs INDEXED BY jobs_blocked WHERE queue = :queue AND state = 2 "
                "AND id > :after ORDER BY id LIMIT :limit",
    [RUNNING] = "SELECT id FROM jobs INDEXED BY jobs_leases WHERE queue = :queue AND state = 3 AND "
                "id > :after ORDER BY id LIMIT :limit",
    [FINISHED] = "SELECT id FROM jobs INDEXED BY jobs_finished WHERE queue = :queue AND state = "
                 ":state AND state > 3 AND id > :after ORDER BY id LIMIT :limit",
    [KEYED] = "SELECT id FROM jobs INDEXED BY jobs_keys WHERE queue = :queue AND state = :state "
              "AND key = :key AND state < 4 AND id > :after ORDER BY id LIMIT :limit",
    [KEYED_FINISHED] =
        "SELECT id FROM jobs INDEXED BY jobs_finished WHERE queue = :queue AND state = :state AND "
        "state > 3 AND key = :key AND id > :after ORDER BY id LIMIT :limit",
};
const brant__statements brant__job_read_statements = {BRANT__TABLE_JOB_READ, STATEMENT_COUNT, sql};

static brant_status get(brant__statement **out, brant_db *db, int which) {
    return brant__statement_get(out, db, &brant__job_read_statements, (size_t)which);
}

/* ---- one job --------------------------------------------------------------------------------- */

brant_status brant__job_show(bool *out_found, brant__writer *out, brant_db *db, int64_t id) {
    brant_status status = BRANT_OK;
    brant__statement *job = NULL;
    brant__queue queue;
    BRANT__TRY(get(&job, db, JOB));
    brant__bind_integer(job, 1, id);
    BRANT__TRY(brant__step(out_found, db, job));
    if (!*out_found) goto cleanup;
    BRANT__TRY(brant__queue_of(&queue, db, brant__column_integer(job, 1)));
    BRANT__TRY(brant__job_write(out, db, &queue, job));
cleanup:
    brant__reset(job);
    return status;
}

brant_status brant__job_missing(int64_t id) {
    return brant__fail(BRANT_NOT_FOUND,
                       "there is no job %lld; one that is done is gone unless its result is kept",
                       (long long)id);
}

brant_status brant__job_get(brant__call *call) {
    const int64_t id = brant__json_integer(brant__json_get(call->input, "id"), 0);
    bool found = false;
    const brant_status status = brant__job_show(&found, call->out, call->db, id);
    if (status != BRANT_OK) return status;
    return found ? BRANT_OK : brant__job_missing(id);
}

/* ---- a page of them -------------------------------------------------------------------------- */

typedef struct page {
    brant_db *db;
    int64_t queue;
    int state; /* -1: any */
    brant__text key;
    int64_t after;
    size_t limit; /* of what is looked for: one more than is answered */
    size_t count;
    int64_t *ids; /* room for ROOM times `limit` */
} page;

static bool fits(const page *self, brant__statement *statement) {
    return brant__column_integer(statement, 1) == self->queue &&
           (self->state < 0 || brant__column_integer(statement, 2) == self->state) &&
           (!self->key.data || brant__text_equal(brant__column_text(statement, 3), self->key));
}

/* In order of id, over all queues, for a while. *out_ended: there are enough, or no more. */
static brant_status walk(bool *out_ended, page *self) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    const int64_t most = (int64_t)self->limit * PER_ROW;
    int64_t seen = 0;
    bool row = false;
    BRANT__TRY(get(&statement, self->db, WALK));
    brant__bind_integer(statement, 1, self->after);
    brant__bind_integer(statement, 2, most);
    while (self->count < self->limit) {
        BRANT__TRY(brant__step(&row, self->db, statement));
        if (!row) break;
        seen++;
        self->after = brant__column_integer(statement, 0);
        if (fits(self, statement)) self->ids[self->count++] = self->after;
    }
    *out_ended = self->count == self->limit || seen < most;
cleanup:
    brant__reset(statement);
    return status;
}

/* The first that a statement finds behind those that the walk saw. */
static brant_status ask(page *self, int which, int state, size_t limit) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    const bool stated = which == KEYED || which == FINISHED || which == KEYED_FINISHED;
    int index = 1;
    bool row = false;
    BRANT__TRY(get(&statement, self->db, which));
    brant__bind_integer(statement, index++, self->queue);
    if (stated) brant__bind_integer(statement, index++, state);
    if (which == KEYED || which == KEYED_FINISHED) brant__bind_text(statement, index++, self->key);
    brant__bind_integer(statement, index++, self->after);
    brant__bind_integer(statement, index, (int64_t)limit);
    for (;;) {
        BRANT__TRY(brant__step(&row, self->db, statement));
        if (!row) break;
        self->ids[self->count++] = brant__column_integer(statement, 0);
    }
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status ask_state(page *self, int state, size_t limit) {
    static const int plain[] = {[BRANT__JOB_READY] = READY,
                                [BRANT__JOB_DELAYED] = DELAYED,
                                [BRANT__JOB_BLOCKED] = BLOCKED,
                                [BRANT__JOB_RUNNING] = RUNNING};
    const bool finished = state > BRANT__JOB_RUNNING;
    if (self->key.data) return ask(self, finished ? KEYED_FINISHED : KEYED, state, limit);
    if (finished) return ask(self, FINISHED, state, limit);
    return ask(self, plain[state], state, limit);
}

static int by_id(const void *a, const void *b) {
    const int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return left < right ? -1 : left > right;
}

static brant_status find(page *self) {
    brant_status status = BRANT_OK;
    bool ended = false;
    BRANT__TRY(walk(&ended, self));
    if (ended) goto cleanup;
    const size_t missing = self->limit - self->count;
    for (int state = 0; state < BRANT__JOB_STATES; state++)
        if (self->state < 0 || self->state == state) BRANT__TRY(ask_state(self, state, missing));
    /* The rest of each is behind what is sorted: the first `limit` of all are among them. */
    qsort(self->ids, self->count, sizeof *self->ids, by_id);
cleanup:
    return status;
}

brant_status brant__job_list(brant__call *call) {
    brant_status status = BRANT_OK;
    yyjson_val *input = call->input;
    const size_t limit = (size_t)brant__json_integer(brant__json_get(input, "limit"), PAGE);
    const brant__text state = brant__json_get_text(input, "state");
    brant__queue queue;
    page self = {.db = call->db,
                 .state = state.data ? brant__job_state(state) : -1,
                 .key = brant__json_get_text(input, "key"),
                 .after = brant__json_integer(brant__json_get(input, "after"), 0),
                 .limit = limit + 1};
    bool found = false;
    BRANT__TRY(brant__queue_get(&queue, call->db, brant__json_get_text(input, "queue")));
    self.queue = queue.row_id;
    self.ids = brant__arena_alloc(call->arena, ROOM * self.limit * sizeof *self.ids);
    if (!self.ids) return brant__fail_memory();
    BRANT__TRY(find(&self));
    brant__write_object(call->out);
    brant__write_name(call->out, "items");
    brant__write_array(call->out);
    for (size_t i = 0; i < self.count && i < limit; i++)
        BRANT__TRY(brant__job_show(&found, call->out, call->db, self.ids[i]));
    brant__write_end(call->out);
    if (self.count > limit) brant__write_integer_member(call->out, "next", self.ids[limit - 1]);
    brant__write_end(call->out);
cleanup:
    return status;
}
