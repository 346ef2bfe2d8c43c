/*
 * event/job_attempt.c: what the holder of a running job does with it. The token is how often the job was claimed, so that whoever held it before is told STALE.
 */
#include <math.h>

#include "event/job.h"
#include "event/metrics.h"
#include "event/queue_watch.h"
#include "event/waiter.h"

enum { HEARTBEAT };
static const char *const sql[] = {
    [HEARTBEAT] = "UPDATE jobs SET lease_until = :until, progress = ifnull(:progress, progress) "
                  "WHERE id = :id",
};
const brant__statements brant__job_attempt_statements = {BRANT__TABLE_JOB_ATTEMPT,
                                                         BRANT__COUNT(sql), sql};

static const brant__text none = {NULL, 0};

/* *out_held false: stale. */
static brant_status read_held(bool *out_held, brant__job *out, brant_db *db, int64_t id,
                              int64_t token) {
    const brant_status status = brant__job_read(out_held, out, db, id);
    *out_held = *out_held && out->state == BRANT__JOB_RUNNING && out->claims == token;
    return status;
}

brant_status brant__job_held(brant__job *out, brant_db *db, int64_t id, int64_t token) {
    bool held = false;
    const brant_status status = read_held(&held, out, db, id, token);
    if (status != BRANT_OK || held) return status;
    return brant__fail(BRANT_STALE,
                       "job %lld is not held with token %lld: it ended, or its lease did",
                       (long long)id, (long long)token);
}

/* The job that the input's id and token say, and its queue. */
static brant_status read_input(brant__job *job, brant__queue *queue, brant__call *call) {
    const brant_status status =
        brant__job_held(job, call->db, brant__json_integer(brant__json_get(call->input, "id"), 0),
                        brant__json_integer(brant__json_get(call->input, "token"), -1));
    return status == BRANT_OK ? brant__queue_of(queue, call->db, job->queue) : status;
}

/* ---- acknowledging ------------------------------------------------------------------------------------ */

/* The compact JSON of a result in `buffer`; {NULL, 0}: none. */
static brant_status read_result(brant__text *out, brant_db *db, yyjson_val *result,
                                brant__buffer *buffer) {
    const size_t limit = brant__db_limits(db)->document;
    *out = none;
    if (!result) return BRANT_OK;
    brant__buffer_reset(buffer);
    brant__json_append(buffer, result);
    if (buffer->failed) return brant__fail_memory();
    if (buffer->length > limit)
        return brant__fail(BRANT_LIMIT, "the result takes %zu bytes; at most %zu are allowed",
                           buffer->length, limit);
    *out = brant__text_of(buffer->data, buffer->length);
    return BRANT_OK;
}

brant_status brant__job_ack_items(int64_t *out_acked, brant_db *db, yyjson_val *items,
                                  brant__writer *stale) {
    brant__measures ran = {0};
    brant__buffer buffer = {0};
    brant__queue queue = {0};
    brant__job job;
    brant__text result;
    yyjson_val *item;
    size_t index, count;
    bool held = false;
    brant_status status = BRANT_OK;
    *out_acked = 0;
    yyjson_arr_foreach(items, index, count, item) {
        const int64_t id = brant__json_integer(brant__json_get(item, "id"), 0);
        BRANT__TRY(read_held(&held, &job, db, id,
                             brant__json_integer(brant__json_get(item, "token"), -1)));
        if (!held) {
            brant__write_integer(stale, id);
            continue;
        }
        if (job.queue != queue.row_id) {
            if (ran.used)
                BRANT__TRY(brant__measures_add(db, queue.row_id, BRANT__METRIC_COMPLETED, &ran));
            BRANT__TRY(brant__queue_of(&queue, db, job.queue));
        }
        BRANT__TRY(read_result(&result, db, brant__json_get(item, "result"), &buffer));
        brant__measure(&ran, brant__db_now(db) - job.claimed_at);
        BRANT__TRY(brant__job_finish(db, &queue, &job, BRANT__JOB_DONE, result, none));
        ++*out_acked;
    }
    if (ran.used) status = brant__measures_add(db, queue.row_id, BRANT__METRIC_COMPLETED, &ran);
cleanup:
    brant__buffer_free(&buffer);
    return status;
}

brant_status brant__job_ack(brant__call *call) {
    brant_db *db = call->db;
    brant__buffer buffer = {0};
    brant__queue queue;
    brant__job job;
    brant__text result;
    brant_status status = BRANT_OK;
    BRANT__TRY(read_input(&job, &queue, call));
    BRANT__TRY(read_result(&result, db, brant__json_get(call->input, "result"), &buffer));
    BRANT__TRY(brant__metric_add(db, queue.row_id, BRANT__METRIC_COMPLETED,
                                 brant__db_now(db) - job.claimed_at, 1));
    BRANT__TRY(brant__job_finish(db, &queue, &job, BRANT__JOB_DONE, result, none));
    brant__write_object(call->out);
    brant__write_end(call->out);
cleanup:
    brant__buffer_free(&buffer);
    return status;
}

brant_status brant__job_ack_many(brant__call *call) {
    yyjson_val *items = brant__json_get(call->input, "items");
    int64_t acked = 0;
    brant_status status = BRANT_OK;
    BRANT__TRY(brant__input_batch(call->db, items, "/items"));
    brant__write_object(call->out);
    brant__write_name(call->out, "stale");
    brant__write_array(call->out);
    BRANT__TRY(brant__job_ack_items(&acked, call->db, items, call->out));
    brant__write_end(call->out);
    brant__write_integer_member(call->out, "acked", acked);
    brant__write_end(call->out);
cleanup:
    return status;
}

/* ---- failing ---------------------------------------------------------------------------------------------- */

static brant_status retry_job(brant_db *db, const brant__queue *queue, brant__job *job, bool retry,
                              int64_t run_at, brant__text errors, bool quietly) {
    const int64_t most = job->max_attempts ? job->max_attempts : queue->policy.max_attempts;
    brant_status status = BRANT_OK;
    BRANT__TRY(brant__metric_add(db, queue->row_id, BRANT__METRIC_FAILED, 0, 1));
    if (job->cancel) return brant__job_finish(db, queue, job, BRANT__JOB_CANCELLED, none, errors);
    if (!retry || job->attempt >= most)
        return brant__job_finish(db, queue, job, BRANT__JOB_DEAD, none, errors);
    BRANT__TRY(brant__metric_add(db, queue->row_id, BRANT__METRIC_RETRIED, 0, 1));
    BRANT__TRY(brant__job_note_errors(db, job, errors));
    job->run_at = run_at;
    status = quietly ? brant__job_place_quietly(db, queue, job) : brant__job_place(db, queue, job);
cleanup:
    return status;
}

brant_status brant__job_retry(brant_db *db, const brant__queue *queue, brant__job *job, bool retry,
                              int64_t run_at, brant__text errors) {
    return retry_job(db, queue, job, retry, run_at, errors, false);
}

brant_status brant__job_retry_quietly(brant_db *db, const brant__queue *queue, brant__job *job,
                                      bool retry, int64_t run_at, brant__text errors) {
    return retry_job(db, queue, job, retry, run_at, errors, true);
}

/* min(max, base * factor^(attempt - 1)), and by chance so much more or less. */
static brant_status backoff(int64_t *out_delay, brant_db *db, const brant__policy *policy,
                            int64_t attempt) {
    uint64_t random = 0;
    double delay =
        policy->backoff_base * pow(policy->backoff_factor, attempt > 1 ? (double)attempt - 1 : 0);
    brant_status status = BRANT_OK;
    *out_delay = 0;
    if (!(delay < policy->backoff_max)) delay = policy->backoff_max;
    if (policy->backoff_jitter > 0) {
        BRANT__TRY(brant__db_random(db, &random, sizeof random));
        delay *= 1 + policy->backoff_jitter * ((double)(random >> 11) * 0x1p-52 - 1);
    }
    *out_delay = (int64_t)llround(delay);
cleanup:
    return status;
}

static void write_outcome(brant__writer *out, const brant__job *job) {
    const char *state = brant__job_state_names[job->state];
    brant__write_object(out);
    brant__write_text_member(out, "state", brant__text_string(state));
    if (job->state < BRANT__JOB_RUNNING && job->run_at)
        brant__write_integer_member(out, "run_at", job->run_at);
    brant__write_end(out);
}

brant_status brant__job_fail(brant__call *call) {
    brant_db *db = call->db;
    yyjson_val *given = brant__json_get(call->input, "delay");
    brant__buffer errors = {0};
    brant__queue queue;
    brant__job job;
    int64_t delay = 0;
    brant_status status = BRANT_OK;
    BRANT__TRY(read_input(&job, &queue, call));
    if (given)
        delay = brant__json_integer(given, 0);
    else
        BRANT__TRY(backoff(&delay, db, &queue.policy, job.attempt));
    BRANT__TRY(brant__job_error(&errors, db, &job, brant__json_get(call->input, "error")));
    BRANT__TRY(brant__job_retry(
        db, &queue, &job, brant__json_bool(brant__json_get(call->input, "retry"), true),
        delay ? brant__db_now(db) + delay : 0, brant__text_of(errors.data, errors.length)));
    write_outcome(call->out, &job);
cleanup:
    brant__buffer_free(&errors);
    return status;
}

/* Back to those that wait, as if this attempt had not begun. */
static brant_status give_back(brant__call *call, int64_t delay) {
    brant_db *db = call->db;
    brant__queue queue;
    brant__job job;
    brant_status status = BRANT_OK;
    BRANT__TRY(read_input(&job, &queue, call));
    if (job.cancel) {
        BRANT__TRY(brant__job_finish(db, &queue, &job, BRANT__JOB_CANCELLED, none, none));
    } else {
        job.attempt = job.attempt > 0 ? job.attempt - 1 : 0;
        job.run_at = delay ? brant__db_now(db) + delay : 0;
        BRANT__TRY(brant__job_place(db, &queue, &job));
    }
    write_outcome(call->out, &job);
cleanup:
    return status;
}

brant_status brant__job_snooze(brant__call *call) {
    return give_back(call, brant__json_integer(brant__json_get(call->input, "delay"), 0));
}

brant_status brant__job_release(brant__call *call) {
    return give_back(call, 0);
}

/* ---- heartbeats --------------------------------------------------------------------------------------------- */

/* A lease that is not said is the queue's, and never shorter than what the claim gave. */
static brant_status extend(int64_t *out_until, brant_db *db, const brant__queue *queue,
                           const brant__job *job, yyjson_val *lease, brant__text progress) {
    brant__statement *statement = NULL;
    const int64_t now = brant__db_now(db);
    brant_status status = BRANT_OK;
    *out_until = 0;
    if (lease) {
        *out_until = now + brant__json_integer(lease, 0);
    } else {
        *out_until = now + queue->policy.lease;
        if (*out_until < job->lease_until && job->claimed_at <= now) *out_until = job->lease_until;
    }
    BRANT__TRY(brant__statement_get(&statement, db, &brant__job_attempt_statements, HEARTBEAT));
    brant__bind_integer(statement, 1, *out_until);
    brant__bind_text(statement, 2, progress);
    brant__bind_integer(statement, 3, job->id);
    BRANT__TRY(brant__run(db, statement));
    /* Who sleeps until it ends may sleep too long. */
    if (*out_until < job->lease_until)
        status = brant__waiter_earlier(db, brant__queue_topic(queue), *out_until);
cleanup:
    return status;
}

brant_status brant__job_heartbeat(brant__call *call) {
    brant_db *db = call->db;
    brant__buffer buffer = {0};
    brant__queue queue;
    brant__job job;
    brant__text progress;
    int64_t until = 0;
    brant_status status = BRANT_OK;
    BRANT__TRY(read_input(&job, &queue, call));
    BRANT__TRY(read_result(&progress, db, brant__json_get(call->input, "progress"), &buffer));
    BRANT__TRY(extend(&until, db, &queue, &job, brant__json_get(call->input, "lease"), progress));
    BRANT__TRY(brant__queue_pass_on(db, &queue));
    brant__write_object(call->out);
    brant__write_integer_member(call->out, "lease_until", until);
    brant__write_bool_member(call->out, "cancel_requested", job.cancel);
    brant__write_end(call->out);
cleanup:
    brant__buffer_free(&buffer);
    return status;
}

brant_status brant__job_heartbeat_many(brant__call *call) {
    brant_db *db = call->db;
    yyjson_val *items = brant__json_get(call->input, "items"), *item,
               *lease = brant__json_get(call->input, "lease");
    brant__writer *out = call->out;
    brant__queue queue = {0};
    brant__job job;
    size_t index, count;
    int64_t until = 0;
    bool held = false;
    brant_status status = BRANT_OK;
    BRANT__TRY(brant__input_batch(db, items, "/items"));
    brant__write_object(out);
    brant__write_name(out, "items");
    brant__write_array(out);
    yyjson_arr_foreach(items, index, count, item) {
        const int64_t id = brant__json_integer(brant__json_get(item, "id"), 0);
        BRANT__TRY(read_held(&held, &job, db, id,
                             brant__json_integer(brant__json_get(item, "token"), -1)));
        if (held && job.queue != queue.row_id) {
            BRANT__TRY(brant__queue_of(&queue, db, job.queue));
            BRANT__TRY(brant__queue_pass_on(db, &queue));
        }
        if (held) BRANT__TRY(extend(&until, db, &queue, &job, lease, none));
        brant__write_object(out);
        brant__write_integer_member(out, "id", id);
        if (held) brant__write_integer_member(out, "lease_until", until);
        if (!held || job.cancel) {
            brant__write_name(out, held ? "cancel_requested" : "stale");
            brant__write_bool(out, true);
        }
        brant__write_end(out);
    }
    brant__write_end(out);
    brant__write_end(out);
cleanup:
    return status;
}
