/*
 * event/queue.h: a queue's row and its policy, parsed once.
 *
 * A handle keeps the policies of the queues that it used last; each use looks at the queue's row, in the same transaction, whether what is kept is still true. A brant__queue is a
 * copy, true until the end of the operation that asked for it.
 */
#ifndef BRANT__EVENT_QUEUE_H
#define BRANT__EVENT_QUEUE_H

#include "event/event.h"
#include "event/input.h"

#define BRANT__NAME_SIZE BRANT__EVENT_NAME_SIZE /* of a queue, a key, a worker */

/* 0 where it says none, unless said otherwise. */
typedef struct brant__policy {
    int64_t lease;
    int64_t max_attempts;
    double backoff_base, backoff_factor, backoff_max, backoff_jitter;
    int64_t concurrency;
    int64_t key_concurrency;
    bool fifo;
    int64_t rate_limit, rate_period;
    int64_t result_ttl;
    int64_t dead_ttl;      /* -1: for ever */
    int64_t cancelled_ttl; /* -1: for ever */
    int64_t max_size;      /* then queues.size counts the jobs that wait or run */
} brant__policy;

enum { BRANT__QUEUE_ACTIVE, BRANT__QUEUE_PAUSED, BRANT__QUEUE_DRAINING };
extern const char *const brant__queue_state_names[];

/* The topic of those who wait for a queue's jobs, as brant__topic_of makes it: the mark, the kind, a colon and the name. */
#define BRANT__QUEUE_TOPIC     "queue"
#define BRANT__QUEUE_MARK      "\x01" BRANT__QUEUE_TOPIC ":"
#define BRANT__QUEUE_MARK_SIZE (sizeof BRANT__QUEUE_MARK - 1)

typedef struct brant__queue {
    int64_t row_id;
    int64_t revision;
    int64_t created_at, updated_at;
    int state;
    brant__policy policy;
    size_t name_length;
    char topic[BRANT__QUEUE_MARK_SIZE + BRANT__NAME_SIZE]; /* of the wait queue */
} brant__queue;

static inline brant__text brant__queue_name(const brant__queue *queue) {
    return brant__text_of(queue->topic + BRANT__QUEUE_MARK_SIZE, queue->name_length);
}
static inline brant__text brant__queue_topic(const brant__queue *queue) {
    return brant__text_of(queue->topic, BRANT__QUEUE_MARK_SIZE + queue->name_length);
}

/* In a transaction. *out_found false: there is none. */
brant_status brant__queue_look_up(bool *out_found, brant__queue *out, brant_db *db,
                                  brant__text name);
/* NOT_FOUND with a message where there is none. */
brant_status brant__queue_get(brant__queue *out, brant_db *db, brant__text name);
/* In a write transaction: makes it, with the defaults, where there is none. INVALID: the name. */
brant_status brant__queue_ensure(brant__queue *out, brant_db *db, brant__text name);
/* The queue of a job, by its row id. CORRUPT where there is none. */
brant_status brant__queue_of(brant__queue *out, brant_db *db, int64_t row_id);

/* ---- claimable (job_claim.c) ------------------------------------------------------------------- */

/*
 * For queues.watch, in a transaction of any kind: would a claim now give something, or get on with what is due? *out_until: when to look again although nothing was
 * written (ms; INT64_MAX: never): the next due time, lease end, expiry or token of the rate limit. Reads as many rows as a claim does.
 */
brant_status brant__queue_claimable(bool *out_claimable, int64_t *out_until, brant_db *db,
                                    const brant__queue *queue);

/*
 * For db.maintain, in a write transaction: what a claim does before it takes: promotes what is due, takes back ended leases, expires, lets on dependants; bounded, and wakes as many sleepers as jobs became
 * ready. *out_more: a bound was met.
 */
brant_status brant__queue_settle(bool *out_more, brant_db *db, const brant__queue *queue);

/* For the test of their plans; from brant__queue_rare_statements on those that change all jobs of a queue. */
extern const brant__statements brant__queue_statements;
extern const size_t brant__queue_rare_statements;

/* ---- operations -------------------------------------------------------------------------------- */

brant_status brant__queue_configure(brant__call *call);
brant_status brant__queue_get_one(brant__call *call);
brant_status brant__queue_list(brant__call *call);
brant_status brant__queue_pause(brant__call *call);
brant_status brant__queue_resume(brant__call *call);
brant_status brant__queue_drain(brant__call *call);
brant_status brant__queue_delete(brant__call *call);
brant_status brant__queue_enqueue(brant__call *call);
brant_status brant__queue_enqueue_many(brant__call *call);
brant_status brant__queue_claim(brant__call *call);

#endif
