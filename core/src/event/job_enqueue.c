/*
 * event/job_enqueue.c: new jobs: their options, what they come after, and unique keys.
 */
#include "event/job.h"

#include <stdio.h>

#include "event/metrics.h"
#include "event/queue_watch.h"
#include "event/waiter.h"

enum { INSERT, INSERT_ID, GROW, STATE, UNIQUE, SET_UNIQUE, WAIT, FORGET_WAITS, REPLACE };
#define NEW_ID                                                                                     \
    "max(ifnull((SELECT max(id) FROM jobs), 0), "                                                  \
    "ifnull((SELECT value FROM event_sequences WHERE name = 'job'), 0)) + 1"
#define COLUMNS                                                                                    \
    "queue, state, priority, payload, created_at, key, run_at, expires_at, max_attempts, "         \
    "result_ttl, waits, schedule, id"
#define VALUES                                                                                     \
    ":queue, :state, :priority, :payload, :now, :key, :run_at, :expires_at, :max_attempts, "       \
    ":result_ttl, :waits, :schedule"
static const char *const sql[] = {
    [INSERT] = "INSERT INTO jobs (" COLUMNS ") VALUES (" VALUES ", " NEW_ID ")",
    [INSERT_ID] = "INSERT INTO jobs (" COLUMNS ") VALUES (" VALUES ", :id)",
    [GROW] = "UPDATE queues SET size = size + 1 WHERE row_id = :queue AND size < :limit",
    [STATE] = "SELECT state FROM jobs WHERE id = :id",
    [UNIQUE] = "SELECT job, until, since FROM job_uniques WHERE queue = :queue AND key = :key",
    [SET_UNIQUE] = "INSERT OR REPLACE INTO job_uniques (queue, key, job, until, since) "
                   "VALUES (:queue, :key, :job, :until, :now)",
    [WAIT] = "INSERT INTO job_dependencies (after, job, on_failure) VALUES (:after, :job, :run)",
    [FORGET_WAITS] = "DELETE FROM job_dependencies WHERE job = :id",
    [REPLACE] = "UPDATE jobs SET payload = :payload, key = :key, expires_at = :expires_at, "
                "max_attempts = :max_attempts, result_ttl = :result_ttl WHERE id = :id",
};
const brant__statements brant__job_enqueue_statements = {BRANT__TABLE_JOB_ENQUEUE,
                                                         BRANT__COUNT(sql), sql};

static brant_status get(brant__statement **out, brant_db *db, size_t index) {
    return brant__statement_get(out, db, &brant__job_enqueue_statements, index);
}

/* What enqueueing a few jobs of one queue shares. */
typedef struct job_batch {
    brant_db *db;
    brant__queue queue;
    brant__buffer payload; /* of the job at hand */
    int64_t *ids;          /* of the batch so far; NULL: there is no batch */
    size_t count;
    int64_t next_id; /* of a batch */
    int64_t enqueued, ready, duplicates;
    int64_t due; /* the first run_at of those that are delayed */
} job_batch;

/* A job that is asked for. Texts are borrowed from the input. */
typedef struct job_request {
    brant__payload payload;
    brant__text schedule;
    yyjson_val *after;
    bool run_on_failure;
    brant__text unique;
    int64_t window; /* -1: none */
    brant__text on_conflict;
    int64_t
        failed; /* one that it comes after and that did not get done, where that cancels it; 0: none */
    int64_t failed_state;
    int64_t newest;   /* the greatest id that it waits for */
    int64_t replaced; /* the job that it replaces; 0: none */
    bool itself;      /* it waits for that one */
    brant__job job;
} job_request;

typedef struct job_result {
    int64_t id;
    int state;
    bool duplicate;
    const char *action;
} job_result;

/* ---- options ---------------------------------------------------------------------------------------- */

static brant_status read_name(brant__text *out, yyjson_val *value, const char *pointer) {
    *out = brant__json_text(value);
    return value ? brant__input_name(*out, pointer) : BRANT_OK;
}

static brant_status read_times(brant__job *job, yyjson_val *input, int64_t now) {
    yyjson_val *delay = brant__json_get(input, "delay"), *run_at = brant__json_get(input, "run_at"),
               *in = brant__json_get(input, "expires_in"),
               *at = brant__json_get(input, "expires_at");
    if (delay && run_at) return brant__fail(BRANT_INVALID, "delay and run_at exclude each other");
    if (in && at) return brant__fail(BRANT_INVALID, "expires_in and expires_at exclude each other");
    job->run_at = delay ? now + brant__json_integer(delay, 0) : brant__json_integer(run_at, 0);
    if (delay && job->run_at == now) job->run_at = 0;
    job->expires_at = in ? now + brant__json_integer(in, 0) : brant__json_integer(at, 0);
    if (at && job->expires_at == 0) job->expires_at = 1; /* 0: never */
    return BRANT_OK;
}

/* `payload` NULL: the input's. */
static brant_status read_request(job_request *out, job_batch *batch, yyjson_val *input,
                                 const brant__payload *payload, brant__text schedule) {
    yyjson_val *unique = brant__json_get(input, "unique");
    brant__text key;
    char pointer[32] = "";
    brant_status status = BRANT_OK;
    *out = (job_request){.schedule = schedule, .window = -1};
    out->job = (brant__job){.queue = batch->queue.row_id, .created_at = brant__db_now(batch->db)};
    if (batch->ids) snprintf(pointer, sizeof pointer, "/items/%zu", batch->count);
    if (payload)
        out->payload = *payload;
    else
        BRANT__TRY(brant__payload_read(&out->payload, &batch->payload, batch->db, input, pointer));
    BRANT__TRY(read_name(&key, brant__json_get(input, "key"), "/key"));
    out->job.key_length = key.length;
    if (key.length) memcpy(out->job.key, key.data, key.length);
    out->job.priority = brant__json_integer(brant__json_get(input, "priority"), 0);
    out->job.max_attempts = brant__json_integer(brant__json_get(input, "max_attempts"), 0);
    out->job.result_ttl = brant__json_integer(brant__json_get(input, "result_ttl"), -1);
    BRANT__TRY(read_times(&out->job, input, out->job.created_at));
    out->after = brant__json_get(input, "after");
    out->run_on_failure =
        brant__text_equal(brant__json_get_text(input, "on_failure"), BRANT__TEXT("run"));
    BRANT__TRY(read_name(&out->unique, brant__json_get(unique, "key"), "/unique/key"));
    out->window = brant__json_integer(brant__json_get(unique, "window"), -1);
    out->on_conflict = brant__json_get_text(unique, "on_conflict");
cleanup:
    return status;
}

/* ---- what it comes after -------------------------------------------------------------------------------- */

/* *out_state: BRANT__JOB_DONE for one that is gone. NOT_FOUND: the id was never given. */
static brant_status state_of(int *out_state, brant_db *db, int64_t id) {
    brant__statement *statement = NULL;
    int64_t greatest = 0;
    bool row = false;
    brant_status status = BRANT_OK;
    *out_state = BRANT__JOB_DONE;
    BRANT__TRY(get(&statement, db, STATE));
    brant__bind_integer(statement, 1, id);
    BRANT__TRY(brant__step(&row, db, statement));
    if (row) {
        *out_state = (int)brant__column_integer(statement, 0);
    } else {
        BRANT__TRY(brant__job_greatest(&greatest, db));
        if (id > greatest || id < 1)
            status = brant__fail(BRANT_NOT_FOUND, "no job %lld to come after", (long long)id);
    }
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status id_after(int64_t *out_id, const job_batch *batch, yyjson_val *entry) {
    yyjson_val *item = brant__json_get(entry, "item");
    const int64_t index = brant__json_integer(item, -1);
    *out_id = brant__json_integer(entry, 0);
    if (!yyjson_is_obj(entry)) return BRANT_OK;
    if (!batch->ids)
        return brant__fail(BRANT_INVALID, "after: an item is one of queues.enqueue_many alone");
    if (index < 0 || (size_t)index >= batch->count)
        return brant__fail(BRANT_INVALID,
                           "/items/%zu/after: item %lld is not an earlier one of the batch",
                           batch->count, (long long)index);
    *out_id = batch->ids[index];
    return BRANT_OK;
}

static bool repeats(const job_batch *batch, yyjson_val *after, size_t before, int64_t id) {
    yyjson_val *entry;
    size_t index, count;
    int64_t other = 0;
    yyjson_arr_foreach(after, index, count, entry) {
        if (index >= before) break;
        if (id_after(&other, batch, entry) == BRANT_OK && other == id) return true;
    }
    return false;
}

/* Those that are not finished; with `job`, they are written down, else counted. */
static brant_status read_after(job_request *request, job_batch *batch, int64_t job) {
    yyjson_val *entry;
    size_t index, count;
    int64_t id = 0;
    int state = 0;
    brant__statement *statement = NULL;
    brant_status status = BRANT_OK;
    yyjson_arr_foreach(request->after, index, count, entry) {
        BRANT__TRY(id_after(&id, batch, entry));
        if (repeats(batch, request->after, index, id)) continue;
        BRANT__TRY(state_of(&state, batch->db, id));
        if (state > BRANT__JOB_DONE && !request->run_on_failure) {
            request->failed = id;
            request->failed_state = state;
        }
        if (state > BRANT__JOB_RUNNING) continue;
        if (!job) {
            request->job.waits++;
            if (id > request->newest) request->newest = id;
            if (id == request->replaced) request->itself = true;
            continue;
        }
        BRANT__TRY(get(&statement, batch->db, WAIT));
        brant__bind_integer(statement, 1, id);
        brant__bind_integer(statement, 2, job);
        brant__bind_integer(statement, 3, request->run_on_failure);
        BRANT__TRY(brant__run(batch->db, statement));
    }
cleanup:
    return status;
}

/* Its waits are written, or it is cancelled at once. */
static brant_status settle_after(job_result *out, job_request *request, job_batch *batch) {
    brant_db *db = batch->db;
    brant__buffer errors = {0};
    bool found = false;
    brant_status status = BRANT_OK;
    if (!request->failed) return request->job.waits ? read_after(request, batch, out->id) : status;
    char message[96];
    const int length =
        snprintf(message, sizeof message, "job %lld, which it comes after, is %s",
                 (long long)request->failed, brant__job_state_names[request->failed_state]);
    BRANT__TRY(brant__job_read(&found, &request->job, db, out->id));
    BRANT__TRY(
        brant__job_error_text(&errors, db, &request->job, brant__text_of(message, (size_t)length)));
    BRANT__TRY(brant__job_finish(db, &batch->queue, &request->job, BRANT__JOB_CANCELLED,
                                 (brant__text){NULL, 0},
                                 brant__text_of(errors.data, errors.length)));
    out->state = BRANT__JOB_CANCELLED;
cleanup:
    brant__buffer_free(&errors);
    return status;
}

/* ---- unique keys -------------------------------------------------------------------------------------------- */

/* *out_id: the job that holds the key; 0: it is free. */
static brant_status unique_holder(int64_t *out_id, const job_request *request, job_batch *batch) {
    const int64_t now = request->job.created_at;
    brant__statement *statement = NULL;
    bool row = false;
    brant_status status = BRANT_OK;
    *out_id = 0;
    BRANT__TRY(get(&statement, batch->db, UNIQUE));
    brant__bind_integer(statement, 1, batch->queue.row_id);
    brant__bind_text(statement, 2, request->unique);
    BRANT__TRY(brant__step(&row, batch->db, statement));
    if (!row) goto cleanup;
    const int64_t until = brant__column_integer(statement, 1),
                  since = brant__column_integer(statement, 2);
    /* Over; also where the clock was set back since by more than the window: it lasts twice as long as it is at most. */
    if (!brant__column_null(statement, 1) && (until <= now || since - now > until - since))
        goto cleanup;
    *out_id = brant__column_integer(statement, 0);
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status hold_unique(const job_request *request, job_batch *batch, int64_t id) {
    brant__statement *statement = NULL;
    const brant_status status = get(&statement, batch->db, SET_UNIQUE);
    if (status != BRANT_OK) return status;
    brant__bind_integer(statement, 1, batch->queue.row_id);
    brant__bind_text(statement, 2, request->unique);
    brant__bind_integer(statement, 3, id);
    if (request->window >= 0)
        brant__bind_integer(statement, 4, request->job.created_at + request->window);
    else
        brant__bind_null(statement, 4);
    brant__bind_integer(statement, 5, request->job.created_at);
    return brant__run(batch->db, statement);
}

static void bind_time(brant__statement *statement, int index, int64_t time) {
    if (time)
        brant__bind_integer(statement, index, time);
    else
        brant__bind_null(statement, index);
}

static void bind_ttl(brant__statement *statement, int index, int64_t ttl) {
    if (ttl >= 0)
        brant__bind_integer(statement, index, ttl);
    else
        brant__bind_null(statement, index);
}

/* The waiting job is what the request says from now on; its id, age, attempts and unique key stay. */
static brant_status replace(job_result *out, job_request *request, job_batch *batch,
                            brant__job *other) {
    brant_db *db = batch->db;
    const brant__job *job = &request->job;
    const brant__job before = *other;
    brant__statement *statement = NULL;
    brant_status status = BRANT_OK;
    request->replaced = other->id;
    if (request->after) BRANT__TRY(read_after(request, batch, 0));
    if (request->itself || (request->newest > other->id &&
                            (other->dependants || (job->key_length && batch->queue.policy.fifo))))
        return brant__fail(BRANT_CONFLICT,
                           "job %lld cannot come after job %lld: others wait for it already",
                           (long long)other->id, (long long)request->newest);
    BRANT__TRY(get(&statement, db, REPLACE));
    brant__payload_bind(statement, 1, request->payload);
    brant__bind_text(statement, 2, brant__job_key(job));
    bind_time(statement, 3, job->expires_at);
    bind_time(statement, 4, job->max_attempts);
    bind_ttl(statement, 5, job->result_ttl);
    brant__bind_integer(statement, 6, other->id);
    BRANT__TRY(brant__run(db, statement));
    if (before.waits) {
        BRANT__TRY(get(&statement, db, FORGET_WAITS));
        brant__bind_integer(statement, 1, other->id);
        BRANT__TRY(brant__run(db, statement));
    }
    other->priority = job->priority;
    other->run_at = job->run_at;
    other->expires_at = job->expires_at;
    other->waits = job->waits;
    other->key_length = job->key_length;
    memcpy(other->key, job->key, sizeof other->key);
    BRANT__TRY(brant__job_place(db, &batch->queue, other));
    if (before.key_length && !brant__text_equal(brant__job_key(&before), brant__job_key(other)))
        BRANT__TRY(brant__job_let_in(db, &batch->queue, brant__job_key(&before)));
    out->state = other->state;
    status = settle_after(out, request, batch);
cleanup:
    return status;
}

static brant_status settle_duplicate(job_result *out, job_request *request, job_batch *batch) {
    const bool replaces = brant__text_equal(request->on_conflict, BRANT__TEXT("replace")),
               reschedules = brant__text_equal(request->on_conflict, BRANT__TEXT("reschedule"));
    brant__job other;
    bool found = false;
    brant_status status = BRANT_OK;
    batch->duplicates++;
    out->duplicate = true;
    out->action = "skipped";
    BRANT__TRY(brant__job_read(&found, &other, batch->db, out->id));
    out->state = found ? other.state : BRANT__JOB_DONE;
    if (!found || other.state >= BRANT__JOB_RUNNING || !(replaces || reschedules)) goto cleanup;
    if (replaces) {
        out->action = "replaced";
        status = replace(out, request, batch, &other);
        goto cleanup;
    }
    out->action = "rescheduled";
    other.run_at = request->job.run_at;
    BRANT__TRY(brant__job_place(batch->db, &batch->queue, &other));
    out->state = other.state;
cleanup:
    return status;
}

/* ---- enqueueing -------------------------------------------------------------------------------------------------- */

static brant_status grow(job_batch *batch) {
    const brant__queue *queue = &batch->queue;
    brant__statement *statement = NULL;
    brant_status status = BRANT_OK;
    BRANT__TRY(get(&statement, batch->db, GROW));
    brant__bind_integer(statement, 1, queue->row_id);
    brant__bind_integer(statement, 2, queue->policy.max_size);
    BRANT__TRY(brant__run(batch->db, statement));
    if (brant__changes(batch->db) == 0)
        status = brant__fail(BRANT_LIMIT, "queue \"%.*s\" is full: %lld jobs wait or run",
                             (int)queue->name_length, brant__queue_name(queue).data,
                             (long long)queue->policy.max_size);
cleanup:
    return status;
}

static brant_status insert(int64_t *out_id, job_batch *batch, const job_request *request) {
    const brant__job *job = &request->job;
    brant__statement *statement = NULL;
    brant_status status = BRANT_OK;
    BRANT__TRY(get(&statement, batch->db, batch->next_id ? INSERT_ID : INSERT));
    brant__bind_integer(statement, 1, job->queue);
    brant__bind_integer(statement, 2, job->state);
    brant__bind_integer(statement, 3, job->priority);
    brant__payload_bind(statement, 4, request->payload);
    brant__bind_integer(statement, 5, job->created_at);
    brant__bind_text(statement, 6, brant__job_key(job));
    bind_time(statement, 7, job->run_at);
    bind_time(statement, 8, job->expires_at);
    bind_time(statement, 9, job->max_attempts);
    bind_ttl(statement, 10, job->result_ttl);
    brant__bind_integer(statement, 11, job->waits);
    brant__bind_text(statement, 12, request->schedule);
    if (batch->next_id) brant__bind_integer(statement, 13, batch->next_id);
    BRANT__TRY(brant__run(batch->db, statement));
    *out_id = brant__last_row_id(batch->db);
    if (batch->next_id) batch->next_id++;
cleanup:
    return status;
}

static brant_status enqueue(job_result *out, job_batch *batch, job_request *request) {
    brant__job *job = &request->job;
    brant_status status = BRANT_OK;
    *out = (job_result){.action = "enqueued"};
    if (request->unique.data) {
        BRANT__TRY(unique_holder(&out->id, request, batch));
        if (out->id) return settle_duplicate(out, request, batch);
    }
    if (batch->queue.policy.max_size) BRANT__TRY(grow(batch));
    if (request->after) BRANT__TRY(read_after(request, batch, 0));
    if (request->failed) {
        job->state = BRANT__JOB_BLOCKED;
        job->waits = 0;
    } else {
        BRANT__TRY(brant__job_decide(batch->db, &batch->queue, job));
    }
    BRANT__TRY(insert(&out->id, batch, request));
    out->state = job->state;
    batch->enqueued++;
    if (job->state == BRANT__JOB_READY) batch->ready++;
    if (job->state == BRANT__JOB_DELAYED && (!batch->due || job->run_at < batch->due))
        batch->due = job->run_at;
    if (request->unique.data) BRANT__TRY(hold_unique(request, batch, out->id));
    if (request->after) status = settle_after(out, request, batch);
cleanup:
    return status;
}

static brant_status begin(job_batch *out, brant_db *db, brant__text queue) {
    brant_status status = BRANT_OK;
    *out = (job_batch){.db = db};
    BRANT__TRY(brant__queue_ensure(&out->queue, db, queue));
    if (out->queue.state == BRANT__QUEUE_DRAINING)
        status = brant__fail(BRANT_CONFLICT, "queue \"%.*s\" is being drained and takes no jobs",
                             (int)queue.length, queue.data);
cleanup:
    return status;
}

/* Counted and announced together. */
static brant_status end(job_batch *batch) {
    const brant__queue *queue = &batch->queue;
    brant_status status = BRANT_OK;
    if (batch->enqueued)
        BRANT__TRY(brant__metric_add(batch->db, queue->row_id, BRANT__METRIC_ENQUEUED, 0,
                                     batch->enqueued));
    if (queue->state == BRANT__QUEUE_PAUSED) goto cleanup;
    if (batch->ready)
        BRANT__TRY(brant__waiter_wake(batch->db, brant__queue_topic(queue), batch->ready));
    if (batch->due)
        BRANT__TRY(brant__waiter_earlier(batch->db, brant__queue_topic(queue), batch->due));
    status = brant__queue_pass_on(batch->db, queue);
cleanup:
    return status;
}

brant_status brant__job_enqueue(int64_t *out_id, brant_db *db, brant__text queue,
                                const brant__payload *payload, yyjson_val *options,
                                brant__text schedule) {
    job_batch batch = {0};
    job_request request;
    job_result result = {0};
    brant_status status = BRANT_OK;
    *out_id = 0;
    BRANT__TRY(begin(&batch, db, queue));
    BRANT__TRY(read_request(&request, &batch, options, payload, schedule));
    BRANT__TRY(enqueue(&result, &batch, &request));
    BRANT__TRY(end(&batch));
    *out_id = result.id;
cleanup:
    brant__buffer_free(&batch.payload);
    return status;
}

brant_status brant__queue_enqueue(brant__call *call) {
    job_batch batch = {0};
    job_request request;
    job_result result;
    brant_status status = BRANT_OK;
    BRANT__TRY(begin(&batch, call->db, brant__json_get_text(call->input, "queue")));
    BRANT__TRY(read_request(&request, &batch, call->input, NULL, (brant__text){NULL, 0}));
    BRANT__TRY(enqueue(&result, &batch, &request));
    BRANT__TRY(end(&batch));
    const char *state = brant__job_state_names[result.state];
    brant__write_object(call->out);
    brant__write_integer_member(call->out, "id", result.id);
    brant__write_text_member(call->out, "state", brant__text_string(state));
    brant__write_bool_member(call->out, "duplicate", result.duplicate);
    brant__write_text_member(call->out, "action", brant__text_string(result.action));
    brant__write_end(call->out);
cleanup:
    brant__buffer_free(&batch.payload);
    return status;
}

brant_status brant__queue_enqueue_many(brant__call *call) {
    brant_db *db = call->db;
    yyjson_val *items = brant__json_get(call->input, "items"), *item;
    size_t index, count;
    job_batch batch = {0};
    job_request request;
    job_result result;
    int64_t greatest = 0;
    brant_status status = BRANT_OK;
    BRANT__TRY(brant__input_batch(db, items, "/items"));
    BRANT__TRY(begin(&batch, db, brant__json_get_text(call->input, "queue")));
    batch.ids = brant__arena_alloc(call->arena, (yyjson_arr_size(items) + 1) * sizeof *batch.ids);
    if (!batch.ids) {
        status = brant__fail_memory();
        goto cleanup;
    }
    BRANT__TRY(brant__job_greatest(&greatest, db));
    batch.next_id = greatest + 1;
    brant__write_object(call->out);
    brant__write_name(call->out, "ids");
    brant__write_array(call->out);
    yyjson_arr_foreach(items, index, count, item) {
        BRANT__TRY(read_request(&request, &batch, item, NULL, (brant__text){NULL, 0}));
        BRANT__TRY(enqueue(&result, &batch, &request));
        batch.ids[batch.count++] = result.id;
        brant__write_integer(call->out, result.id);
    }
    BRANT__TRY(end(&batch));
    brant__write_end(call->out);
    brant__write_integer_member(call->out, "duplicates", batch.duplicates);
    brant__write_end(call->out);
cleanup:
    brant__buffer_free(&batch.payload);
    return status;
}
