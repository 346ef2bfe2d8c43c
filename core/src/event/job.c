/*
 * event/job.c: where a job that waits belongs, and what its end sets free.
 */
#include "event/job.h"

#include <stdio.h>

#include "event/metrics.h"
#include "event/waiter.h"

#define ERRORS      20              /* the newest that are kept */
#define ERROR_BYTES ((size_t)16384) /* of each text */

const char *const brant__job_state_names[] = {"ready", "delayed", "blocked",   "running",
                                              "done",  "dead",    "cancelled", "expired"};

int brant__job_state(brant__text name) {
    for (int i = 0; i < BRANT__JOB_STATES; i++)
        if (name.length == strlen(brant__job_state_names[i]) &&
            memcmp(name.data, brant__job_state_names[i], name.length) == 0)
            return i;
    return -1;
}

enum {
    READ,
    GREATEST,
    OCCUPIED,
    READY_OF_KEY,
    BEST_OF_KEY,
    HEAD_OF_KEY,
    MOVE,
    PLACE,
    FINISH,
    REMOVE,
    NOTE_ID,
    FREE_UNIQUE,
    FORGET_WAITS,
    SIZE,
    ANY_READY,
    RELEASE_LATER,
    NEXT_RELEASE,
    RELEASED,
    FORGET_WAIT,
    WAIT_LESS,
    ANY_RELEASE,
    ANY_SLEEPER,
    ERRORS_OF,
    NOTE_ERRORS
};
#define OF_KEY "queue = :queue AND key = :key AND state < 4"
static const char *const sql[] = {
    [READ] =
        "SELECT queue, state, cancel, "
        "EXISTS (SELECT 1 FROM job_dependencies WHERE after = :id), "
        "EXISTS (SELECT 1 FROM job_uniques WHERE job = :id AND until IS NULL), "
        "(SELECT max(id) FROM jobs) = :id, "
        "priority, created_at, ready_at, run_at, expires_at, claimed_at, lease_until, attempt, "
        "claims, max_attempts, ifnull(result_ttl, -1), waits, key FROM jobs WHERE id = :id",
    [GREATEST] = "SELECT max(ifnull((SELECT max(id) FROM jobs), 0), "
                 "ifnull((SELECT value FROM event_sequences WHERE name = 'job'), 0))",
    /* Ready and running ones of a key; at most as many as the limit are counted. */
    [OCCUPIED] =
        "SELECT (SELECT count(*) FROM (SELECT 1 FROM jobs WHERE " OF_KEY " AND state = 0 "
        "AND id <> :id LIMIT :limit)) + (SELECT count(*) FROM (SELECT 1 FROM jobs WHERE " OF_KEY
        " AND state = 3 AND id <> :id LIMIT :limit))",
    [READY_OF_KEY] = "SELECT id, priority FROM jobs WHERE " OF_KEY " AND state = 0 AND id <> :id",
    [BEST_OF_KEY] = "SELECT id, priority FROM jobs WHERE queue = :queue AND waits = 0 "
                    "AND key = :key AND state = 2 AND id <> :id ORDER BY priority DESC, id LIMIT 1",
    [HEAD_OF_KEY] =
        "SELECT (SELECT id FROM jobs WHERE " OF_KEY " AND state = 3 AND id <> :id LIMIT 1), "
        "(SELECT min(id) FROM jobs WHERE " OF_KEY " AND state = 0 AND id <> :id), "
        "(SELECT min(id) FROM jobs WHERE " OF_KEY " AND state = 1 AND id <> :id), "
        "(SELECT min(id) FROM jobs WHERE " OF_KEY " AND state = 2 AND id <> :id)",
    [MOVE] = "UPDATE jobs SET state = :state, ready_at = :ready_at WHERE id = :id",
    [PLACE] = "UPDATE jobs SET state = :state, priority = :priority, run_at = :run_at, "
              "waits = :waits, attempt = :attempt, ready_at = :ready_at, lease_until = NULL, "
              "worker = NULL, cancel = 0, finished_at = NULL, remove_at = NULL, result = NULL "
              "WHERE id = :id",
    [FINISH] = "UPDATE jobs SET state = :state, finished_at = :now, remove_at = :remove_at, "
               "result = :result, errors = ifnull(:errors, errors), lease_until = NULL, waits = 0 "
               "WHERE id = :id",
    [REMOVE] = "DELETE FROM jobs WHERE id = :id",
    [NOTE_ID] = "INSERT INTO event_sequences (name, value) VALUES ('job', :id) "
                "ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
    [FREE_UNIQUE] = "DELETE FROM job_uniques WHERE job = :id AND until IS NULL",
    [FORGET_WAITS] = "DELETE FROM job_dependencies WHERE job = :id",
    [SIZE] = "UPDATE queues SET size = max(size + :count, 0) WHERE row_id = :queue",
    [ANY_READY] = "SELECT 1 FROM jobs WHERE queue = :queue AND state = 0 LIMIT 1",
    [RELEASE_LATER] = "INSERT INTO job_releases (after, state) VALUES (:id, :state) "
                      "ON CONFLICT (after) DO NOTHING",
    [NEXT_RELEASE] = "SELECT r.after, r.state, d.job, d.on_failure FROM job_releases AS r "
                     "LEFT JOIN job_dependencies AS d ON d.after = r.after "
                     "WHERE r.after = (SELECT min(after) FROM job_releases) LIMIT 1",
    [RELEASED] = "DELETE FROM job_releases WHERE after = :id",
    [FORGET_WAIT] = "DELETE FROM job_dependencies WHERE after = :after AND job = :job",
    [WAIT_LESS] = "UPDATE jobs SET waits = :waits WHERE id = :id",
    [ANY_RELEASE] = "SELECT min(after) IS NOT NULL FROM job_releases",
    /* A claim on any queue lets on what waits, whatever queue that is of. */
    [ANY_SLEEPER] = "SELECT w.topic FROM brant_waiters AS w CROSS JOIN queues AS q "
                    "ON q.name = substr(w.topic, 8) WHERE w.topic >= '" BRANT__QUEUE_MARK
                    "' AND w.topic < '\x01queue;' AND q.state <> 1 LIMIT 1",
    [NOTE_ERRORS] = "UPDATE jobs SET errors = :errors WHERE id = :id",
    [ERRORS_OF] = "SELECT errors, worker FROM jobs WHERE id = :id",
};
const brant__statements brant__job_statements = {BRANT__TABLE_JOB, BRANT__COUNT(sql), sql};

static brant_status get(brant__statement **out, brant_db *db, size_t index) {
    return brant__statement_get(out, db, &brant__job_statements, index);
}

static void bind_time(brant__statement *statement, int index, int64_t time) {
    if (time)
        brant__bind_integer(statement, index, time);
    else
        brant__bind_null(statement, index);
}

/* Run a statement whose one parameter is an id. */
static brant_status run_for(brant_db *db, size_t index, int64_t id) {
    brant__statement *statement = NULL;
    const brant_status status = get(&statement, db, index);
    if (status != BRANT_OK) return status;
    brant__bind_integer(statement, 1, id);
    return brant__run(db, statement);
}

/* ---- reading -------------------------------------------------------------------------------------- */

brant_status brant__job_read(bool *out_found, brant__job *out, brant_db *db, int64_t id) {
    brant__statement *row = NULL;
    brant_status status = BRANT_OK;
    *out_found = false;
    BRANT__TRY(get(&row, db, READ));
    brant__bind_integer(row, 1, id);
    BRANT__TRY(brant__step(out_found, db, row));
    if (!*out_found) goto cleanup;
    const int64_t state = brant__column_integer(row, 1);
    const brant__text key = brant__column_text(row, 18);
    if (state < 0 || state >= BRANT__JOB_STATES || key.length > BRANT__NAME_SIZE) {
        status = brant__fail(BRANT_CORRUPT, "the row of job %lld is damaged", (long long)id);
        goto cleanup;
    }
    out->id = id;
    out->queue = brant__column_integer(row, 0);
    out->state = (int)state;
    out->cancel = brant__column_integer(row, 2) != 0;
    out->dependants = brant__column_integer(row, 3) != 0;
    out->unique = brant__column_integer(row, 4) != 0;
    out->newest = brant__column_integer(row, 5) != 0;
    out->priority = brant__column_integer(row, 6);
    out->created_at = brant__column_integer(row, 7);
    out->ready_at = brant__column_integer(row, 8);
    out->run_at = brant__column_integer(row, 9);
    out->expires_at = brant__column_integer(row, 10);
    out->claimed_at = brant__column_integer(row, 11);
    out->lease_until = brant__column_integer(row, 12);
    out->attempt = brant__column_integer(row, 13);
    out->claims = brant__column_integer(row, 14);
    out->max_attempts = brant__column_integer(row, 15);
    out->result_ttl = brant__column_integer(row, 16);
    out->waits = brant__column_integer(row, 17);
    out->key_length = key.length;
    if (key.length) memcpy(out->key, key.data, key.length);
    out->key[key.length] = '\0';
cleanup:
    brant__reset(row);
    return status;
}

brant_status brant__job_greatest(int64_t *out_id, brant_db *db) {
    brant__statement *statement = NULL;
    bool row = false;
    brant_status status = BRANT_OK;
    *out_id = 0;
    BRANT__TRY(get(&statement, db, GREATEST));
    BRANT__TRY(brant__step(&row, db, statement));
    if (row) *out_id = brant__column_integer(statement, 0);
cleanup:
    brant__reset(statement);
    return status;
}

/* ---- keys ------------------------------------------------------------------------------------------- */

static void bind_key(brant__statement *statement, const brant__queue *queue, brant__text key,
                     int64_t id) {
    brant__bind_integer(statement, 1, queue->row_id);
    brant__bind_text(statement, 2, key);
    brant__bind_integer(statement, 3, id);
}

static brant_status move(brant_db *db, int64_t id, int state) {
    brant__statement *statement = NULL;
    const brant_status status = get(&statement, db, MOVE);
    if (status != BRANT_OK) return status;
    brant__bind_integer(statement, 1, state);
    brant__bind_integer(statement, 2, brant__db_now(db));
    brant__bind_integer(statement, 3, id);
    return brant__run(db, statement);
}

/* How many but `id` of the key are ready or running; what is beyond the limit is not counted. */
static brant_status count_occupied(int64_t *out, brant_db *db, const brant__queue *queue,
                                   brant__text key, int64_t id) {
    brant__statement *statement = NULL;
    bool row = false;
    brant_status status = BRANT_OK;
    BRANT__TRY(get(&statement, db, OCCUPIED));
    bind_key(statement, queue, key, id);
    brant__bind_integer(statement, 4, queue->policy.key_concurrency);
    BRANT__TRY(brant__step(&row, db, statement));
    *out = row ? brant__column_integer(statement, 0) : 0;
cleanup:
    brant__reset(statement);
    return status;
}

static bool goes_before(int64_t priority, int64_t id, int64_t other_priority, int64_t other_id) {
    return priority != other_priority ? priority > other_priority : id < other_id;
}

/* The ready one of a key that goes last; *out_id 0: none is ready. They are as many as the limit at most. */
static brant_status last_ready(int64_t *out_id, int64_t *out_priority, brant_db *db,
                               const brant__queue *queue, brant__text key, int64_t id) {
    brant__statement *statement = NULL;
    bool row = false;
    brant_status status = BRANT_OK;
    *out_id = *out_priority = 0;
    BRANT__TRY(get(&statement, db, READY_OF_KEY));
    bind_key(statement, queue, key, id);
    for (;;) {
        BRANT__TRY(brant__step(&row, db, statement));
        if (!row) break;
        const int64_t other = brant__column_integer(statement, 0),
                      priority = brant__column_integer(statement, 1);
        if (*out_id && goes_before(priority, other, *out_priority, *out_id)) continue;
        *out_id = other;
        *out_priority = priority;
    }
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status best_blocked(int64_t *out_id, int64_t *out_priority, brant_db *db,
                                 const brant__queue *queue, brant__text key, int64_t id) {
    brant__statement *statement = NULL;
    bool row = false;
    brant_status status = BRANT_OK;
    *out_id = *out_priority = 0;
    BRANT__TRY(get(&statement, db, BEST_OF_KEY));
    bind_key(statement, queue, key, id);
    BRANT__TRY(brant__step(&row, db, statement));
    if (row) {
        *out_id = brant__column_integer(statement, 0);
        *out_priority = brant__column_integer(statement, 1);
    }
cleanup:
    brant__reset(statement);
    return status;
}

/* Of the others of a key: one that runs, and the smallest id of each waiting state; 0: none. */
typedef struct heads {
    int64_t running, ready, delayed, blocked;
} heads;

static brant_status read_heads(heads *out, brant_db *db, const brant__queue *queue, brant__text key,
                               int64_t id) {
    brant__statement *statement = NULL;
    bool row = false;
    brant_status status = BRANT_OK;
    *out = (heads){0};
    BRANT__TRY(get(&statement, db, HEAD_OF_KEY));
    bind_key(statement, queue, key, id);
    BRANT__TRY(brant__step(&row, db, statement));
    if (row) {
        out->running = brant__column_integer(statement, 0);
        out->ready = brant__column_integer(statement, 1);
        out->delayed = brant__column_integer(statement, 2);
        out->blocked = brant__column_integer(statement, 3);
    }
cleanup:
    brant__reset(statement);
    return status;
}

/* Strictly in order of id: behind whatever is not finished, delayed ones too. */
static brant_status decide_fifo(bool *out_blocked, brant_db *db, const brant__queue *queue,
                                const brant__job *job) {
    const int64_t id = job->id ? job->id : INT64_MAX;
    heads others;
    brant_status status = BRANT_OK;
    *out_blocked = false;
    BRANT__TRY(read_heads(&others, db, queue, brant__job_key(job), job->id));
    *out_blocked = others.running || (others.ready && others.ready < id) ||
                   (others.delayed && others.delayed < id) ||
                   (others.blocked && others.blocked < id);
    if (!*out_blocked && others.ready) status = move(db, others.ready, BRANT__JOB_BLOCKED);
cleanup:
    return status;
}

static brant_status decide_limited(bool *out_blocked, brant_db *db, const brant__queue *queue,
                                   const brant__job *job) {
    const brant__text key = brant__job_key(job);
    const int64_t id = job->id ? job->id : INT64_MAX, limit = queue->policy.key_concurrency;
    int64_t occupied = 0, other = 0, priority = 0;
    brant_status status = BRANT_OK;
    *out_blocked = false;
    BRANT__TRY(count_occupied(&occupied, db, queue, key, job->id));
    if (occupied >= limit) {
        BRANT__TRY(last_ready(&other, &priority, db, queue, key, job->id));
        *out_blocked = !other || !goes_before(job->priority, id, priority, other);
        if (!*out_blocked) status = move(db, other, BRANT__JOB_BLOCKED);
    } else if (occupied == limit - 1 && job->id) { /* the last place is the best one's */
        BRANT__TRY(best_blocked(&other, &priority, db, queue, key, job->id));
        *out_blocked = other && goes_before(priority, other, job->priority, id);
    }
cleanup:
    return status;
}

brant_status brant__job_decide(brant_db *db, const brant__queue *queue, brant__job *job) {
    const int64_t now = brant__db_now(db);
    bool blocked = job->waits > 0;
    brant_status status = BRANT_OK;
    if (!blocked && job->key_length && queue->policy.fifo)
        BRANT__TRY(decide_fifo(&blocked, db, queue, job));
    else if (!blocked && job->key_length && queue->policy.key_concurrency && job->run_at <= now)
        BRANT__TRY(decide_limited(&blocked, db, queue, job));
    job->state = blocked             ? BRANT__JOB_BLOCKED
                 : job->run_at > now ? BRANT__JOB_DELAYED
                                     : BRANT__JOB_READY;
    job->ready_at = now;
cleanup:
    return status;
}

static brant_status announce(brant_db *db, const brant__queue *queue, const brant__job *job) {
    if (queue->state == BRANT__QUEUE_PAUSED) return BRANT_OK;
    if (job->state == BRANT__JOB_READY) return brant__waiter_wake(db, brant__queue_topic(queue), 1);
    if (job->state == BRANT__JOB_DELAYED)
        return brant__waiter_earlier(db, brant__queue_topic(queue), job->run_at);
    return BRANT_OK;
}

static brant_status write_place(brant_db *db, const brant__job *job) {
    brant__statement *statement = NULL;
    brant_status status = BRANT_OK;
    BRANT__TRY(get(&statement, db, PLACE));
    brant__bind_integer(statement, 1, job->state);
    brant__bind_integer(statement, 2, job->priority);
    bind_time(statement, 3, job->run_at);
    brant__bind_integer(statement, 4, job->waits);
    brant__bind_integer(statement, 5, job->attempt);
    brant__bind_integer(statement, 6, job->ready_at);
    brant__bind_integer(statement, 7, job->id);
    status = brant__run(db, statement);
cleanup:
    return status;
}

/* A place of the key may have come free: let in who is next. */
brant_status brant__job_let_in(brant_db *db, const brant__queue *queue, brant__text key) {
    int64_t occupied = 0, id = 0, priority = 0;
    brant__job next;
    bool found = false;
    heads all;
    brant_status status = BRANT_OK;
    if (queue->policy.fifo) {
        BRANT__TRY(read_heads(&all, db, queue, key, 0));
        if (all.running || all.ready || !all.blocked || (all.delayed && all.delayed < all.blocked))
            return BRANT_OK;
        BRANT__TRY(brant__job_read(&found, &next, db, all.blocked));
        if (!found || next.waits > 0) return BRANT_OK;
        BRANT__TRY(brant__job_decide(db, queue, &next));
        BRANT__TRY(write_place(db, &next));
        return announce(db, queue, &next);
    }
    if (!queue->policy.key_concurrency) return BRANT_OK;
    for (int i = 0; i < BRANT__JOB_BOUND; i++) {
        BRANT__TRY(count_occupied(&occupied, db, queue, key, 0));
        if (occupied >= queue->policy.key_concurrency) break;
        BRANT__TRY(best_blocked(&id, &priority, db, queue, key, 0));
        if (!id) break;
        BRANT__TRY(brant__job_read(&found, &next, db, id));
        if (!found) break;
        next.ready_at = brant__db_now(db);
        next.state = next.run_at > next.ready_at ? BRANT__JOB_DELAYED : BRANT__JOB_READY;
        BRANT__TRY(write_place(db, &next));
        BRANT__TRY(announce(db, queue, &next));
    }
cleanup:
    return status;
}

/* ---- waiting ------------------------------------------------------------------------------------------ */

static brant_status count_size(brant_db *db, const brant__queue *queue, int64_t count) {
    brant__statement *statement = NULL;
    if (!queue->policy.max_size) return BRANT_OK;
    const brant_status status = get(&statement, db, SIZE);
    if (status != BRANT_OK) return status;
    brant__bind_integer(statement, 1, count);
    brant__bind_integer(statement, 2, queue->row_id);
    return brant__run(db, statement);
}

brant_status brant__job_place_quietly(brant_db *db, const brant__queue *queue, brant__job *job) {
    const bool finished = job->state > BRANT__JOB_RUNNING;
    brant_status status = BRANT_OK;
    BRANT__TRY(brant__job_decide(db, queue, job));
    BRANT__TRY(write_place(db, job));
    job->cancel = false;
    if (job->key_length) BRANT__TRY(brant__job_let_in(db, queue, brant__job_key(job)));
    if (finished) status = count_size(db, queue, 1);
cleanup:
    return status;
}

/* A slot of a queue with limited concurrency came free: somebody may claim what is ready. */
static brant_status wake_for_slot(brant_db *db, const brant__queue *queue) {
    brant__statement *statement = NULL;
    bool row = false;
    brant_status status = BRANT_OK;
    if (!queue->policy.concurrency || queue->state == BRANT__QUEUE_PAUSED) return BRANT_OK;
    BRANT__TRY(get(&statement, db, ANY_READY));
    brant__bind_integer(statement, 1, queue->row_id);
    BRANT__TRY(brant__step(&row, db, statement));
    brant__reset(statement);
    statement = NULL;
    if (row) status = brant__waiter_wake(db, brant__queue_topic(queue), 1);
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__job_place(brant_db *db, const brant__queue *queue, brant__job *job) {
    const bool ran = job->state == BRANT__JOB_RUNNING;
    brant_status status = BRANT_OK;
    BRANT__TRY(brant__job_place_quietly(db, queue, job));
    BRANT__TRY(announce(db, queue, job));
    if (ran && job->state != BRANT__JOB_READY) status = wake_for_slot(db, queue);
cleanup:
    return status;
}

/* ---- leaving -------------------------------------------------------------------------------------------- */

static brant_status remove_row(brant_db *db, const brant__job *job) {
    brant_status status = run_for(db, REMOVE, job->id);
    if (status == BRANT_OK && job->newest) status = run_for(db, NOTE_ID, job->id);
    return status;
}

static brant_status keep_row(brant_db *db, const brant__job *job, int state, int64_t ttl,
                             brant__text result, brant__text errors) {
    const int64_t now = brant__db_now(db);
    brant__statement *statement = NULL;
    const brant_status status = get(&statement, db, FINISH);
    if (status != BRANT_OK) return status;
    brant__bind_integer(statement, 1, state);
    brant__bind_integer(statement, 2, now);
    bind_time(statement, 3, ttl < 0 ? 0 : now + ttl);
    brant__bind_text(statement, 4, result);
    brant__bind_text(statement, 5, errors);
    brant__bind_integer(statement, 6, job->id);
    return brant__run(db, statement);
}

static brant_status wake_watchers(brant_db *db, int64_t id) {
    brant__topic topic;
    return brant__waiter_wake(db, brant__topic_of_id(&topic, BRANT__JOB_TOPIC, id), INT64_MAX);
}

/* Those who wait for it are let on by brant__job_release_dependants. */
static brant_status leave(brant_db *db, const brant__queue *queue, brant__job *job, int state,
                          brant__text result, brant__text errors) {
    static const int metrics[] = {[BRANT__JOB_DEAD] = BRANT__METRIC_DIED,
                                  [BRANT__JOB_CANCELLED] = BRANT__METRIC_CANCELLED,
                                  [BRANT__JOB_EXPIRED] = BRANT__METRIC_EXPIRED};
    const brant__policy *policy = &queue->policy;
    const int before = job->state;
    brant__statement *statement = NULL;
    int64_t ttl = 0;
    brant_status status = BRANT_OK;
    job->state = state;
    if (state == BRANT__JOB_DONE) ttl = job->result_ttl >= 0 ? job->result_ttl : policy->result_ttl;
    if (state == BRANT__JOB_DEAD) ttl = policy->dead_ttl;
    if (state == BRANT__JOB_CANCELLED || state == BRANT__JOB_EXPIRED) ttl = policy->cancelled_ttl;
    if (state == BRANT__JOB_GONE || (state == BRANT__JOB_DONE && ttl == 0))
        BRANT__TRY(remove_row(db, job));
    else
        BRANT__TRY(keep_row(db, job, state, ttl, result, errors));
    if (before > BRANT__JOB_RUNNING) return BRANT_OK;
    if (job->unique) BRANT__TRY(run_for(db, FREE_UNIQUE, job->id));
    if (job->waits > 0) BRANT__TRY(run_for(db, FORGET_WAITS, job->id));
    if (job->dependants) {
        BRANT__TRY(get(&statement, db, RELEASE_LATER));
        brant__bind_integer(statement, 1, job->id);
        brant__bind_integer(statement, 2, state == BRANT__JOB_GONE ? BRANT__JOB_CANCELLED : state);
        BRANT__TRY(brant__run(db, statement));
    }
    if (job->key_length) BRANT__TRY(brant__job_let_in(db, queue, brant__job_key(job)));
    BRANT__TRY(count_size(db, queue, -1));
    BRANT__TRY(wake_watchers(db, job->id));
    if (before == BRANT__JOB_RUNNING) BRANT__TRY(wake_for_slot(db, queue));
    if (state > BRANT__JOB_DONE && state < BRANT__JOB_GONE)
        status = brant__metric_add(db, queue->row_id, metrics[state], 0, 1);
cleanup:
    return status;
}

brant_status brant__job_finish(brant_db *db, const brant__queue *queue, brant__job *job, int state,
                               brant__text result, brant__text errors) {
    const bool waiting = job->state <= BRANT__JOB_RUNNING;
    bool more = false;
    const brant_status status = leave(db, queue, job, state, result, errors);
    if (status != BRANT_OK || !waiting || !job->dependants) return status;
    return brant__job_release_dependants(&more, db);
}

/* `after` ended with `state`: the job has one less to wait for, or is cancelled. */
static brant_status release(brant_db *db, int64_t after, int64_t state, int64_t id, bool run) {
    brant__statement *statement = NULL;
    brant__buffer errors = {0};
    brant__queue queue;
    brant__job job;
    char message[96];
    bool found = false;
    brant_status status = BRANT_OK;
    BRANT__TRY(get(&statement, db, FORGET_WAIT));
    brant__bind_integer(statement, 1, after);
    brant__bind_integer(statement, 2, id);
    BRANT__TRY(brant__run(db, statement));
    BRANT__TRY(brant__job_read(&found, &job, db, id));
    if (!found || job.state != BRANT__JOB_BLOCKED || job.waits == 0) goto cleanup;
    BRANT__TRY(brant__queue_of(&queue, db, job.queue));
    if (state == BRANT__JOB_DONE || run) {
        if (--job.waits == 0) {
            status = brant__job_place(db, &queue, &job);
            goto cleanup;
        }
        BRANT__TRY(get(&statement, db, WAIT_LESS));
        brant__bind_integer(statement, 1, job.waits);
        brant__bind_integer(statement, 2, id);
        status = brant__run(db, statement);
    } else {
        const int length =
            snprintf(message, sizeof message, "job %lld, which it comes after, is %s",
                     (long long)after, brant__job_state_names[state]);
        BRANT__TRY(
            brant__job_error_text(&errors, db, &job, brant__text_of(message, (size_t)length)));
        status = leave(db, &queue, &job, BRANT__JOB_CANCELLED, (brant__text){NULL, 0},
                       brant__text_of(errors.data, errors.length));
    }
cleanup:
    brant__buffer_free(&errors);
    return status;
}

/* What is left is for the claims to come: let there be one. */
static brant_status wake_any(brant_db *db) {
    char topic[BRANT__QUEUE_MARK_SIZE + BRANT__NAME_SIZE];
    brant__statement *statement = NULL;
    size_t length = 0;
    bool row = false;
    brant_status status = BRANT_OK;
    BRANT__TRY(get(&statement, db, ANY_SLEEPER));
    BRANT__TRY(brant__step(&row, db, statement));
    if (row) {
        const brant__text found = brant__column_text(statement, 0);
        length = found.length < sizeof topic ? found.length : sizeof topic;
        memcpy(topic, found.data, length);
    }
    brant__reset(statement);
    statement = NULL;
    if (length) status = brant__waiter_wake(db, brant__text_of(topic, length), 1);
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__job_release_dependants(bool *out_more, brant_db *db) {
    brant__statement *statement = NULL;
    bool row = false;
    brant_status status = BRANT_OK;
    *out_more = false;
    for (int i = 0; i < BRANT__JOB_BOUND; i++) {
        BRANT__TRY(get(&statement, db, NEXT_RELEASE));
        BRANT__TRY(brant__step(&row, db, statement));
        if (!row) goto cleanup;
        const int64_t after = brant__column_integer(statement, 0),
                      state = brant__column_integer(statement, 1),
                      id = brant__column_integer(statement, 2);
        const bool run = brant__column_integer(statement, 3) != 0;
        brant__reset(statement);
        statement = NULL;
        BRANT__TRY(id ? release(db, after, state, id, run) : run_for(db, RELEASED, after));
    }
    BRANT__TRY(get(&statement, db, ANY_RELEASE));
    BRANT__TRY(brant__step(&row, db, statement));
    *out_more = row && brant__column_integer(statement, 0) != 0;
    brant__reset(statement);
    statement = NULL;
    if (*out_more) status = wake_any(db);
cleanup:
    brant__reset(statement);
    return status;
}

/* ---- history ----------------------------------------------------------------------------------------------- */

/* At most ERROR_BYTES, whole code points. */
static brant__text cut(brant__text text) {
    if (text.length <= ERROR_BYTES) return text;
    size_t length = ERROR_BYTES;
    while (length > 0 && ((unsigned char)text.data[length] & 0xc0) == 0x80)
        length--;
    return brant__text_of(text.data, length);
}

static void write_cut(brant__writer *out, const char *name, brant__text text) {
    if (!text.data) return;
    brant__write_text_member(out, name, cut(text));
}

static brant_status append_error(brant__buffer *out, brant_db *db, const brant__job *job,
                                 brant__text message, brant__text stack, yyjson_val *code) {
    brant__statement *statement = NULL;
    brant__writer writer = {0};
    brant__json before = {0};
    yyjson_val *entry;
    size_t index, count;
    bool row = false;
    brant_status status = BRANT_OK;
    BRANT__TRY(get(&statement, db, ERRORS_OF));
    brant__bind_integer(statement, 1, job->id);
    BRANT__TRY(brant__step(&row, db, statement));
    const brant__text old = row ? brant__column_text(statement, 0) : (brant__text){NULL, 0},
                      worker = row ? brant__column_text(statement, 1) : (brant__text){NULL, 0};
    if (old.data) BRANT__TRY(brant__json_parse(&before, old.data, old.length, 0));
    brant__write_array(&writer);
    yyjson_arr_foreach(before.root, index, count, entry) if (index + ERRORS > count)
        brant__write_value(&writer, entry);
    brant__write_object(&writer);
    brant__write_integer_member(&writer, "attempt", job->attempt);
    brant__write_integer_member(&writer, "at", brant__db_now(db));
    write_cut(&writer, "worker", worker);
    write_cut(&writer, "message", message);
    write_cut(&writer, "stack", stack);
    if (yyjson_is_str(code)) {
        write_cut(&writer, "code", brant__json_text(code));
    } else if (yyjson_is_num(code)) {
        brant__write_name(&writer, "code");
        brant__write_value(&writer, code);
    }
    brant__write_end(&writer);
    brant__write_end(&writer);
    brant__buffer_append(out, writer.buffer.data, writer.buffer.length);
    if (writer.buffer.failed || out->failed) status = brant__fail_memory();
cleanup:
    brant__reset(statement);
    brant__json_free(&before);
    brant__buffer_free(&writer.buffer);
    return status;
}

brant_status brant__job_error(brant__buffer *out, brant_db *db, const brant__job *job,
                              yyjson_val *error) {
    if (yyjson_is_str(error))
        return append_error(out, db, job, brant__json_text(error), (brant__text){NULL, 0}, NULL);
    return append_error(out, db, job, brant__json_get_text(error, "message"),
                        brant__json_get_text(error, "stack"), brant__json_get(error, "code"));
}

brant_status brant__job_error_text(brant__buffer *out, brant_db *db, const brant__job *job,
                                   brant__text message) {
    return append_error(out, db, job, message, (brant__text){NULL, 0}, NULL);
}

brant_status brant__job_note_errors(brant_db *db, const brant__job *job, brant__text errors) {
    brant__statement *statement = NULL;
    const brant_status status = get(&statement, db, NOTE_ERRORS);
    if (status != BRANT_OK) return status;
    brant__bind_text(statement, 1, errors);
    brant__bind_integer(statement, 2, job->id);
    return brant__run(db, statement);
}
