/*
 * event/job.h: a job's life, as everything that touches jobs shares it.
 *
 * The invariants: READY holds what can run now and nothing else. Of a key with a limit at most that many are READY or RUNNING, and of those that could be, the best
 * (priority, then id) are READY; the others are BLOCKED. In a queue that is FIFO nothing of a key is READY or RUNNING but its job with the smallest id that is not finished. A job with
 * unmet `after` is BLOCKED with waits > 0. So each change of a job goes through place (it waits) or finish (it leaves).
 */
#ifndef BRANT__EVENT_JOB_H
#define BRANT__EVENT_JOB_H

#include "event/input.h"
#include "event/queue.h"

enum {
    BRANT__JOB_READY,
    BRANT__JOB_DELAYED,
    BRANT__JOB_BLOCKED,
    BRANT__JOB_RUNNING,
    BRANT__JOB_DONE,
    BRANT__JOB_DEAD,
    BRANT__JOB_CANCELLED,
    BRANT__JOB_EXPIRED,
    BRANT__JOB_STATES,
    BRANT__JOB_GONE = BRANT__JOB_STATES /* for brant__job_finish: leave nothing of it */
};
extern const char *const brant__job_state_names[]; /* "ready".. */
int brant__job_state(brant__text name);            /* -1: none of that name */

#define BRANT__JOB_TOPIC "job" /* of those who wait for the end of a job: brant__topic_of_id */
#define BRANT__JOB_BOUND 100   /* rows that one call promotes, takes back, expires or releases */

/* What decides of a job; times are 0 where there is none. */
typedef struct brant__job {
    int64_t id; /* 0: not written yet */
    int64_t queue;
    int state;
    bool cancel;     /* was asked for */
    bool dependants; /* others wait for it */
    bool unique;     /* holds a unique key until it ends */
    bool newest;     /* no job has a greater id */
    int64_t priority;
    int64_t created_at, ready_at, run_at, expires_at, claimed_at, lease_until;
    int64_t attempt, claims;
    int64_t max_attempts; /* 0: the queue's */
    int64_t result_ttl;   /* -1: the queue's */
    int64_t waits;        /* for so many jobs */
    size_t key_length;    /* 0: no key */
    char key[BRANT__NAME_SIZE + 1];
} brant__job;

static inline brant__text brant__job_key(const brant__job *job) {
    return job->key_length ? brant__text_of(job->key, job->key_length) : (brant__text){NULL, 0};
}

/* ---- life (job.c) -------------------------------------------------------------------------------- */

/* *out_found false: no such row. */
brant_status brant__job_read(bool *out_found, brant__job *out, brant_db *db, int64_t id);

/* The greatest id that was ever given, 0 when there was none. */
brant_status brant__job_greatest(int64_t *out_id, brant_db *db);

/*
 * In a write transaction: where does a job that waits belong? Sets job->state (READY, DELAYED, BLOCKED) and ready_at from run_at, waits, key and the queue's policy. A job that has to give way to it is
 * BLOCKED by it. For a job that is about to be inserted; everything else calls place.
 */
brant_status brant__job_decide(brant_db *db, const brant__queue *queue, brant__job *job);

/*
 * In a write transaction: a job that was waiting, running or finished waits (again), as its members say: priority, run_at, waits, attempt. Decides where, writes the row (lease, worker, cancel,
 * finished_at, remove_at and result are emptied), lets the next of its key in where its place became free, and wakes whoever waits for the queue. Writes job->state.
 * The state that it had is job->state when it is called.
 */
brant_status brant__job_place(brant_db *db, const brant__queue *queue, brant__job *job);

/* The same, but it wakes nobody for this job: for who does it for many and then claims some of them. */
brant_status brant__job_place_quietly(brant_db *db, const brant__queue *queue, brant__job *job);

/* In a write transaction: a job of this key left its place, or changed its key: let in who is next. place and finish do it by themselves. */
brant_status brant__job_let_in(brant_db *db, const brant__queue *queue, brant__text key);

/*
 * In a write transaction: the one place where a job leaves, to DONE, DEAD, CANCELLED, EXPIRED or GONE (removed now: also one that is finished already). DONE without a result_ttl is GONE too.
 * Frees its unique key, its place in its key and what waits for it (which is cancelled, where this one did not get done and on_failure says so), notes the id where the greatest goes, counts died, cancelled and
 * expired (completed is counted by who knows how long it ran), wakes "job:<id>" and, where a slot of the queue came free, the queue. `result` is compact JSON or {NULL, 0};
 * `errors` the whole new history or {NULL, 0}: as it is.
 */
brant_status brant__job_finish(brant_db *db, const brant__queue *queue, brant__job *job, int state,
                               brant__text result, brant__text errors);

/* In a write transaction: let on what waits for jobs that are finished, where a call had more of it than it may do; at most BRANT__JOB_BOUND. *out_more: some is left, and one sleeper of some queue is woken for it. */
brant_status brant__job_release_dependants(bool *out_more, brant_db *db);

/* In a write transaction: append {attempt, at, worker?, message, stack?, code?} to a job's history of the newest 20, into `out`. `error`: an object {message, stack?, code?} or text; each text is cut to 16 KiB. */
brant_status brant__job_error(brant__buffer *out, brant_db *db, const brant__job *job,
                              yyjson_val *error);
/* The same with a message of our own. */
brant_status brant__job_error_text(brant__buffer *out, brant_db *db, const brant__job *job,
                                   brant__text message);

/* Write a new history. */
brant_status brant__job_note_errors(brant_db *db, const brant__job *job, brant__text errors);

/* ---- rows (job_row.c) -------------------------------------------------------------------------- */

/* A whole Job as JSON: SELECT " BRANT__JOB_COLUMNS " FROM jobs .., one row of it at a time. */
#define BRANT__JOB_COLUMNS                                                                         \
    "id, queue, state, priority, payload, key, attempt, max_attempts, "                            \
    "run_at, expires_at, lease_until, worker, claimed_at, finished_at, progress, result, errors, " \
    "cancel, schedule, created_at, waits"
/* The row that the statement stands on, as a Job. `queue` is that of the row. Reads what it waits for and its unique key with statements of its own. */
brant_status brant__job_write(brant__writer *out, brant_db *db, const brant__queue *queue,
                              brant__statement *row);

/* ---- enqueueing from inside (job_enqueue.c) ----------------------------------------------------------- */

/* In a write transaction: enqueue as queues.enqueue does. `options`: an object with its members but queue and payload (NULL: none). */
brant_status brant__job_enqueue(int64_t *out_id, brant_db *db, brant__text queue,
                                const brant__payload *payload, yyjson_val *options,
                                brant__text schedule);

/* ---- attempts (job_attempt.c) ------------------------------------------------------------------------------- */

/* Read a running job whose last claim has this token, or STALE. */
brant_status brant__job_held(brant__job *out, brant_db *db, int64_t id, int64_t token);

/*
 * Acknowledge the items ({id, token, result?}) of an array that may be NULL; those that are stale are written as ids to `stale`, a writer inside an array.
 */
brant_status brant__job_ack_items(int64_t *out_acked, brant_db *db, yyjson_val *items,
                                  brant__writer *stale);

/*
 * A running job's attempt failed: retried at `run_at` (0: at once) while attempts are left and `retry`, else DEAD; CANCELLED where that was asked for. Counts it. `errors` is the new history.
 */
brant_status brant__job_retry(brant_db *db, const brant__queue *queue, brant__job *job, bool retry,
                              int64_t run_at, brant__text errors);
/* As brant__job_place_quietly. */
brant_status brant__job_retry_quietly(brant_db *db, const brant__queue *queue, brant__job *job,
                                      bool retry, int64_t run_at, brant__text errors);

/* ---- statements, for the test of their plans --------------------------------------------------------------- */

extern const brant__statements brant__job_statements, brant__job_enqueue_statements,
    brant__job_claim_statements, brant__job_attempt_statements, brant__job_row_statements;

/* ---- operations ------------------------------------------------------------------------------------------ */

brant_status brant__job_ack(brant__call *call);
brant_status brant__job_ack_many(brant__call *call);
brant_status brant__job_fail(brant__call *call);
brant_status brant__job_snooze(brant__call *call);
brant_status brant__job_release(brant__call *call);
brant_status brant__job_heartbeat(brant__call *call);
brant_status brant__job_heartbeat_many(brant__call *call);

#endif
