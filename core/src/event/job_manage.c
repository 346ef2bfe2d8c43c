/*
 * event/job_manage.c: jobs.cancel, jobs.requeue, jobs.delete, jobs.update and queues.prune.
 *
 * A job that changes goes through brant__job_place or brant__job_finish like any other: what they keep true is kept here too.
 */
#include "event/job_manage.h"
#include "event/job.h"
#include "event/job_read.h"
#include "event/queue_watch.h"

#define MANY 1000 /* jobs that one call requeues or prunes by default */

enum { ASK_CANCEL, RENEW, SET_PAYLOAD, WATCHED, REMOVE_SOON, FINISHED, STATEMENT_COUNT };
static const char *const sql[STATEMENT_COUNT] = {
    [ASK_CANCEL] = "UPDATE jobs SET cancel = 1 WHERE id = :id",
    /* What ended it is history; its claims go on: they are the tokens. */
    [RENEW] = "UPDATE jobs SET expires_at = NULL, progress = NULL WHERE id = :id",
    [SET_PAYLOAD] = "UPDATE jobs SET payload = :payload WHERE id = :id",
    [WATCHED] = "SELECT 1 FROM brant_waiters WHERE topic = :topic LIMIT 1",
    [REMOVE_SOON] = "UPDATE jobs SET remove_at = finished_at WHERE id = :id",
    [FINISHED] = "SELECT id FROM jobs INDEXED BY jobs_finished WHERE queue = :queue AND state = "
                 ":state AND state > 3 AND finished_at <= :before ORDER BY finished_at LIMIT "
                 ":limit",
};
const brant__statements brant__job_manage_statements = {BRANT__TABLE_JOB_MANAGE, STATEMENT_COUNT,
                                                        sql};

static brant_status get(brant__statement **out, brant_db *db, int which) {
    return brant__statement_get(out, db, &brant__job_manage_statements, (size_t)which);
}

static brant_status run_on(brant_db *db, int which, int64_t id) {
    brant__statement *statement = NULL;
    const brant_status status = get(&statement, db, which);
    if (status != BRANT_OK) return status;
    brant__bind_integer(statement, 1, id);
    return brant__run(db, statement);
}

static const brant__text none = {NULL, 0};

/* The job that the input names, and its queue. */
static brant_status read_job(brant__job *job, brant__queue *queue, brant__call *call) {
    const int64_t id = brant__json_integer(brant__json_get(call->input, "id"), 0);
    bool found = false;
    brant_status status = brant__job_read(&found, job, call->db, id);
    if (status != BRANT_OK) return status;
    if (!found) return brant__job_missing(id);
    return brant__queue_of(queue, call->db, job->queue);
}

static brant_status conflict(const brant__job *job, const char *wanted) {
    return brant__fail(BRANT_CONFLICT, "job %lld is %s; %s", (long long)job->id,
                       brant__job_state_names[job->state], wanted);
}

static void write_state(brant__call *call, int state) {
    const char *name = brant__job_state_names[state];
    brant__write_object(call->out);
    brant__write_text_member(call->out, "state", brant__text_string(name));
    brant__write_end(call->out);
}

brant_status brant__job_cancel(brant__call *call) {
    brant_status status = BRANT_OK;
    brant__job job;
    brant__queue queue;
    BRANT__TRY(read_job(&job, &queue, call));
    if (job.state > BRANT__JOB_RUNNING)
        return conflict(&job, "only what has not finished can be cancelled");
    if (job.state == BRANT__JOB_RUNNING) {
        if (!job.cancel) {
            BRANT__TRY(run_on(call->db, ASK_CANCEL, job.id));
            BRANT__TRY(brant__job_cancel_touch(call->db, brant__queue_name(&queue)));
        }
        write_state(call, BRANT__JOB_RUNNING);
        return BRANT_OK;
    }
    BRANT__TRY(brant__job_finish(call->db, &queue, &job, BRANT__JOB_CANCELLED, none, none));
    write_state(call, BRANT__JOB_CANCELLED);
cleanup:
    return status;
}

/* Does anybody wait for its end? */
static brant_status is_watched(bool *out, brant_db *db, int64_t id) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    brant__topic topic;
    BRANT__TRY(get(&statement, db, WATCHED));
    brant__bind_text(statement, 1, brant__topic_of_id(&topic, BRANT__JOB_TOPIC, id));
    BRANT__TRY(brant__step(out, db, statement));
cleanup:
    brant__reset(statement);
    return status;
}

/* Who waits for the end of a job that is gone takes it for done: a waiting one goes with the next db.maintain then, cancelled. */
brant_status brant__job_delete(brant__call *call) {
    brant_status status = BRANT_OK;
    brant__job job;
    brant__queue queue;
    bool watched = false;
    BRANT__TRY(read_job(&job, &queue, call));
    if (job.state == BRANT__JOB_RUNNING)
        return conflict(&job, "cancel it, and delete it when its worker has ended it");
    if (job.state < BRANT__JOB_RUNNING) BRANT__TRY(is_watched(&watched, call->db, job.id));
    BRANT__TRY(brant__job_finish(call->db, &queue, &job,
                                 watched ? BRANT__JOB_CANCELLED : BRANT__JOB_GONE, none, none));
    if (watched) BRANT__TRY(run_on(call->db, REMOVE_SOON, job.id));
    brant__write_object(call->out);
    brant__write_end(call->out);
cleanup:
    return status;
}

/* ---- again ----------------------------------------------------------------------------------- */

static brant_status set_payload(brant__call *call, int64_t id) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    brant__buffer buffer = {0};
    brant__payload payload;
    if (!brant__json_get(call->input, "payload") && !brant__json_get(call->input, "payload_base64"))
        return BRANT_OK;
    BRANT__TRY(brant__payload_read(&payload, &buffer, call->db, call->input, ""));
    BRANT__TRY(get(&statement, call->db, SET_PAYLOAD));
    brant__payload_bind(statement, 1, payload);
    brant__bind_integer(statement, 2, id);
    BRANT__TRY(brant__run(call->db, statement));
cleanup:
    brant__buffer_free(&buffer);
    return status;
}

static brant_status requeue(brant_db *db, const brant__queue *queue, brant__job *job) {
    const brant_status status = run_on(db, RENEW, job->id);
    if (status != BRANT_OK) return status;
    job->attempt = 0;
    job->expires_at = 0;
    job->run_at = 0;
    job->waits = 0;
    return brant__job_place(db, queue, job);
}

brant_status brant__job_requeue(brant__call *call) {
    brant_status status = BRANT_OK;
    brant__job job;
    brant__queue queue;
    BRANT__TRY(read_job(&job, &queue, call));
    if (job.state <= BRANT__JOB_DONE)
        return conflict(&job, "only what is dead, cancelled or expired can be queued again");
    BRANT__TRY(set_payload(call, job.id));
    BRANT__TRY(requeue(call->db, &queue, &job));
    write_state(call, job.state);
cleanup:
    return status;
}

/* ---- many of them ---------------------------------------------------------------------------- */

/* Ids of a queue's jobs that ended in a state, the oldest first. */
static brant_status find_finished(int64_t *out_ids, size_t *out_count, brant_db *db, int64_t queue,
                                  int state, int64_t before, size_t limit) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    bool row = false;
    *out_count = 0;
    BRANT__TRY(get(&statement, db, FINISHED));
    brant__bind_integer(statement, 1, queue);
    brant__bind_integer(statement, 2, state);
    brant__bind_integer(statement, 3, before);
    brant__bind_integer(statement, 4, (int64_t)limit);
    while (*out_count < limit) {
        BRANT__TRY(brant__step(&row, db, statement));
        if (!row) break;
        out_ids[(*out_count)++] = brant__column_integer(statement, 0);
    }
cleanup:
    brant__reset(statement);
    return status;
}

/* What was asked for by limit, and room for so many ids. */
static brant_status make_room(int64_t **out_ids, size_t *out_limit, brant__call *call) {
    *out_limit = (size_t)brant__json_integer(brant__json_get(call->input, "limit"), MANY);
    *out_ids = brant__arena_alloc(call->arena, *out_limit * sizeof **out_ids);
    return *out_ids ? BRANT_OK : brant__fail_memory();
}

brant_status brant__job_requeue_many(brant__call *call) {
    brant_status status = BRANT_OK;
    const brant__text state = brant__json_get_text(call->input, "state");
    brant__queue queue;
    brant__job job;
    int64_t *ids = NULL;
    size_t limit = 0, count = 0;
    bool found = false;
    BRANT__TRY(brant__queue_get(&queue, call->db, brant__json_get_text(call->input, "queue")));
    BRANT__TRY(make_room(&ids, &limit, call));
    BRANT__TRY(find_finished(ids, &count, call->db, queue.row_id,
                             state.data ? brant__job_state(state) : BRANT__JOB_DEAD, INT64_MAX,
                             limit));
    for (size_t i = 0; i < count; i++) {
        BRANT__TRY(brant__job_read(&found, &job, call->db, ids[i]));
        if (found) BRANT__TRY(requeue(call->db, &queue, &job));
    }
    brant__write_integer_object(call->out, "requeued", (int64_t)count);
cleanup:
    return status;
}

brant_status brant__queue_prune(brant__call *call) {
    brant_status status = BRANT_OK;
    static const int all[] = {BRANT__JOB_DONE, BRANT__JOB_DEAD, BRANT__JOB_CANCELLED,
                              BRANT__JOB_EXPIRED};
    yyjson_val *states = brant__json_get(call->input, "states");
    const int64_t age = brant__json_integer(brant__json_get(call->input, "older_than"), 0);
    brant__queue queue;
    brant__job job;
    int64_t *ids = NULL;
    size_t limit = 0, pruned = 0;
    bool found = false;
    BRANT__TRY(brant__queue_get(&queue, call->db, brant__json_get_text(call->input, "queue")));
    BRANT__TRY(make_room(&ids, &limit, call));
    const size_t kinds = states ? yyjson_arr_size(states) : BRANT__COUNT(all);
    for (size_t kind = 0; kind < kinds && pruned < limit; kind++) {
        const int state =
            states ? brant__job_state(brant__json_text(yyjson_arr_get(states, kind))) : all[kind];
        size_t count = 0;
        BRANT__TRY(find_finished(ids, &count, call->db, queue.row_id, state,
                                 brant__db_now(call->db) - age, limit - pruned));
        for (size_t i = 0; i < count; i++) {
            BRANT__TRY(brant__job_read(&found, &job, call->db, ids[i]));
            if (!found) continue;
            BRANT__TRY(brant__job_finish(call->db, &queue, &job, BRANT__JOB_GONE, none, none));
            pruned++;
        }
    }
    brant__write_integer_object(call->out, "pruned", (int64_t)pruned);
cleanup:
    return status;
}

/* ---- changing -------------------------------------------------------------------------------- */

brant_status brant__job_update(brant__call *call) {
    brant_status status = BRANT_OK;
    yyjson_val *priority = brant__json_get(call->input, "priority");
    yyjson_val *run_at = brant__json_get(call->input, "run_at");
    brant__job job;
    brant__queue queue;
    bool found = false;
    BRANT__TRY(read_job(&job, &queue, call));
    if (job.state > BRANT__JOB_BLOCKED) return conflict(&job, "only what waits can be changed");
    BRANT__TRY(set_payload(call, job.id));
    if (priority || run_at) {
        job.priority = brant__json_integer(priority, job.priority);
        job.run_at = brant__json_integer(run_at, job.run_at);
        BRANT__TRY(brant__job_place(call->db, &queue, &job));
    }
    status = brant__job_show(&found, call->out, call->db, job.id);
cleanup:
    return status;
}
