/*
 * event/job_claim.c: claiming: what is due is promoted, ended leases are taken back, what is too late expires, and the best that are ready are handed out.
 *
 * Nothing here looks past a row: each statement begins at the end of an index where the rows are that it wants, and reads no more than it uses.
 */
#include "event/job.h"
#include "event/metrics.h"
#include "event/queue_watch.h"
#include "event/waiter.h"

enum {
    DUTIES,
    DUE,
    PROMOTE,
    ENDED,
    AHEAD,
    SHIFT,
    LATE,
    RUNNING,
    READY,
    CLAIM,
    TAKEN,
    TAKEN_BEFORE,
    TAKEN_FIRST,
    TAKE,
    FORGET_TAKEN,
    NEXT_TOKEN,
    ANY_READY,
    NEXT_TIMES
};
#define IS_DUE   "queue = :queue AND state = 1 AND run_at <= :now"
#define IS_ENDED "queue = :queue AND state = 3 AND lease_until <= :now"
#define IS_LATE                                                                                    \
    "queue = :queue AND expires_at <= :now AND expires_at IS NOT NULL AND state < 3 AND claims = " \
    "0"
static const char *const sql[] = {
    [DUTIES] = "SELECT EXISTS (SELECT 1 FROM jobs WHERE " IS_DUE "), "
               "EXISTS (SELECT 1 FROM jobs WHERE " IS_ENDED "), "
               "EXISTS (SELECT 1 FROM jobs WHERE " IS_LATE "), "
               "(SELECT min(after) FROM job_releases) IS NOT NULL, "
               "(SELECT claimed_at FROM jobs WHERE queue = :queue AND state = 3 "
               "ORDER BY lease_until DESC LIMIT 1) > :now",
    [DUE] = "SELECT id, key IS NULL FROM jobs WHERE " IS_DUE " ORDER BY run_at LIMIT :limit",
    [PROMOTE] = "UPDATE jobs SET state = 0, ready_at = run_at WHERE id = :id",
    [ENDED] = "SELECT id FROM jobs WHERE " IS_ENDED " ORDER BY lease_until LIMIT :limit",
    /* The clock was set back: a lease ends no later than it was to last. */
    [AHEAD] = "SELECT id, claimed_at FROM jobs WHERE queue = :queue AND state = 3 "
              "ORDER BY lease_until DESC LIMIT :limit",
    [SHIFT] = "UPDATE jobs SET lease_until = lease_until - claimed_at + :now, claimed_at = :now "
              "WHERE id = :id",
    [LATE] = "SELECT id FROM jobs WHERE " IS_LATE " ORDER BY expires_at LIMIT :limit",
    [RUNNING] = "SELECT count(*) FROM (SELECT 1 FROM jobs WHERE queue = :queue AND state = 3 "
                "LIMIT :limit)",
    [READY] = "SELECT id, payload, attempt, max_attempts, priority, key, "
              "progress, schedule, created_at, ready_at, expires_at, claims FROM jobs "
              "WHERE queue = :queue AND state = 0 ORDER BY priority DESC, id LIMIT :limit",
    [CLAIM] = "UPDATE jobs SET state = 3, attempt = attempt + 1, claims = claims + 1, "
              "lease_until = :until, worker = :worker, claimed_at = :now WHERE id = :id",
    [TAKEN] = "SELECT total, at FROM queue_claims WHERE queue = :queue ORDER BY at DESC LIMIT 1",
    [TAKEN_BEFORE] = "SELECT total, at FROM queue_claims WHERE queue = :queue AND at <= :start "
                     "ORDER BY at DESC LIMIT 1",
    [TAKEN_FIRST] = "SELECT total, at FROM queue_claims WHERE queue = :queue ORDER BY at LIMIT 1",
    [TAKE] = "INSERT INTO queue_claims (queue, at, total) VALUES (:queue, :now, :total) "
             "ON CONFLICT (queue, at) DO UPDATE SET total = excluded.total",
    [FORGET_TAKEN] = "DELETE FROM queue_claims WHERE queue = :queue AND at < :at",
    [NEXT_TOKEN] = "SELECT at FROM queue_claims WHERE queue = :queue AND total > :total "
                   "ORDER BY total LIMIT 1",
    [ANY_READY] = "SELECT 1 FROM jobs WHERE queue = :queue AND state = 0 LIMIT 1",
    [NEXT_TIMES] =
        "SELECT (SELECT min(run_at) FROM jobs WHERE queue = :queue AND state = 1), "
        "(SELECT min(lease_until) FROM jobs WHERE queue = :queue AND state = 3), "
        "(SELECT min(expires_at) FROM jobs WHERE queue = :queue AND expires_at IS NOT NULL "
        "AND state < 3 AND claims = 0)",
};
const brant__statements brant__job_claim_statements = {BRANT__TABLE_JOB_CLAIM, BRANT__COUNT(sql),
                                                       sql};

static brant_status get(brant__statement **out, brant_db *db, size_t index) {
    return brant__statement_get(out, db, &brant__job_claim_statements, index);
}

/* ---- duties: what a claim does before it looks ------------------------------------------------------- */

typedef struct settlement {
    int64_t ready; /* how many became so, for whom nobody was woken yet */
    bool more;     /* a bound was met */
} settlement;

typedef struct ids {
    size_t count;
    int64_t id[BRANT__JOB_BOUND];
    int64_t other[BRANT__JOB_BOUND]; /* the second column */
} ids;

/* The rows that a statement yields, at most BRANT__JOB_BOUND: to change them while it runs would mislead it. */
static brant_status collect(ids *out, brant_db *db, size_t index, const brant__queue *queue,
                            bool now) {
    brant__statement *statement = NULL;
    bool row = false;
    brant_status status = BRANT_OK;
    out->count = 0;
    BRANT__TRY(get(&statement, db, index));
    brant__bind_integer(statement, 1, queue->row_id);
    if (now) brant__bind_integer(statement, 2, brant__db_now(db));
    brant__bind_integer(statement, now ? 3 : 2, BRANT__JOB_BOUND);
    while (out->count < BRANT__JOB_BOUND) {
        BRANT__TRY(brant__step(&row, db, statement));
        if (!row) break;
        out->other[out->count] = brant__column_integer(statement, 1);
        out->id[out->count++] = brant__column_integer(statement, 0);
    }
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status promote_due(settlement *done, brant_db *db, const brant__queue *queue) {
    brant__statement *statement = NULL;
    brant__job job;
    ids due;
    bool found = false;
    brant_status status = BRANT_OK;
    BRANT__TRY(collect(&due, db, DUE, queue, true));
    for (size_t i = 0; i < due.count; i++) {
        if (due.other[i]) { /* without a key it is in nobody's way */
            BRANT__TRY(get(&statement, db, PROMOTE));
            brant__bind_integer(statement, 1, due.id[i]);
            BRANT__TRY(brant__run(db, statement));
            done->ready++;
            continue;
        }
        BRANT__TRY(brant__job_read(&found, &job, db, due.id[i]));
        if (!found) continue;
        BRANT__TRY(brant__job_place_quietly(db, queue, &job));
        done->ready += job.state == BRANT__JOB_READY;
    }
    done->more |= due.count == BRANT__JOB_BOUND;
cleanup:
    return status;
}

static brant_status take_back(settlement *done, brant_db *db, const brant__queue *queue) {
    brant__buffer errors = {0};
    brant__job job;
    ids ended;
    bool found = false;
    brant_status status = BRANT_OK;
    BRANT__TRY(collect(&ended, db, ENDED, queue, true));
    for (size_t i = 0; i < ended.count; i++) {
        BRANT__TRY(brant__job_read(&found, &job, db, ended.id[i]));
        if (!found) continue;
        brant__buffer_reset(&errors);
        BRANT__TRY(brant__job_error_text(&errors, db, &job, BRANT__TEXT("lease ended")));
        BRANT__TRY(brant__job_retry_quietly(db, queue, &job, true, 0,
                                            brant__text_of(errors.data, errors.length)));
        done->ready += job.state == BRANT__JOB_READY;
    }
    done->more |= ended.count == BRANT__JOB_BOUND;
cleanup:
    brant__buffer_free(&errors);
    return status;
}

static brant_status expire(settlement *done, brant_db *db, const brant__queue *queue) {
    const brant__text none = {NULL, 0};
    brant__job job;
    ids late;
    bool found = false;
    brant_status status = BRANT_OK;
    BRANT__TRY(collect(&late, db, LATE, queue, true));
    for (size_t i = 0; i < late.count; i++) {
        BRANT__TRY(brant__job_read(&found, &job, db, late.id[i]));
        /* One that came after another of them was cancelled with it. */
        if (found && job.state < BRANT__JOB_RUNNING)
            BRANT__TRY(brant__job_finish(db, queue, &job, BRANT__JOB_EXPIRED, none, none));
    }
    done->more |= late.count == BRANT__JOB_BOUND;
cleanup:
    return status;
}

/* Leases that were given by a clock that was ahead of today's: their holders may be gone, and nobody would wait that long. */
static brant_status shift_leases(brant_db *db, const brant__queue *queue) {
    const int64_t now = brant__db_now(db);
    brant__statement *statement = NULL;
    ids last;
    brant_status status = BRANT_OK;
    BRANT__TRY(collect(&last, db, AHEAD, queue, false));
    for (size_t i = 0; i < last.count; i++) {
        if (last.other[i] <= now) continue;
        BRANT__TRY(get(&statement, db, SHIFT));
        brant__bind_integer(statement, 1, now);
        brant__bind_integer(statement, 2, last.id[i]);
        BRANT__TRY(brant__run(db, statement));
    }
cleanup:
    return status;
}

typedef struct queue_duties {
    bool due, ended, late, releases;
    bool ahead; /* a lease was given by a clock that is set back since */
} queue_duties;

static brant_status look_for_duties(queue_duties *out, brant_db *db, const brant__queue *queue) {
    brant__statement *statement = NULL;
    bool row = false;
    brant_status status = BRANT_OK;
    *out = (queue_duties){false};
    BRANT__TRY(get(&statement, db, DUTIES));
    brant__bind_integer(statement, 1, queue->row_id);
    brant__bind_integer(statement, 2, brant__db_now(db));
    BRANT__TRY(brant__step(&row, db, statement));
    if (row) {
        out->due = brant__column_integer(statement, 0) != 0;
        out->ended = brant__column_integer(statement, 1) != 0;
        out->late = brant__column_integer(statement, 2) != 0;
        out->releases = brant__column_integer(statement, 3) != 0;
        out->ahead = brant__column_integer(statement, 4) != 0;
    }
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status settle(settlement *out, brant_db *db, const brant__queue *queue) {
    queue_duties duties;
    bool more = false;
    brant_status status = BRANT_OK;
    *out = (settlement){0};
    BRANT__TRY(look_for_duties(&duties, db, queue));
    if (duties.ended) BRANT__TRY(take_back(out, db, queue));
    if (duties.late) BRANT__TRY(expire(out, db, queue));
    if (duties.due) BRANT__TRY(promote_due(out, db, queue));
    if (duties.releases) BRANT__TRY(brant__job_release_dependants(&more, db));
    if (duties.ahead) BRANT__TRY(shift_leases(db, queue));
    out->more |= more;
cleanup:
    return status;
}

/* Wakes as many as jobs became ready, but those that the caller claims itself; and one for what is left to do. */
static brant_status wake_settled(brant_db *db, const brant__queue *queue, const settlement *done,
                                 int64_t claimed) {
    const int64_t count = done->ready - claimed;
    if (queue->state == BRANT__QUEUE_PAUSED || (count <= 0 && !done->more)) return BRANT_OK;
    return brant__waiter_wake(db, brant__queue_topic(queue), count > 0 ? count : 1);
}

brant_status brant__queue_settle(bool *out_more, brant_db *db, const brant__queue *queue) {
    settlement done;
    const brant_status status = settle(&done, db, queue);
    *out_more = done.more;
    return status == BRANT_OK ? wake_settled(db, queue, &done, 0) : status;
}

/* ---- limits ------------------------------------------------------------------------------------------------- */

#define NO_TIME INT64_MIN /* there is no row */

static brant_status read_pair(int64_t *out, int64_t *out_second, brant_db *db, size_t index,
                              const brant__queue *queue, int64_t parameter) {
    brant__statement *statement = NULL;
    bool row = false;
    brant_status status = BRANT_OK;
    *out = 0;
    *out_second = NO_TIME;
    BRANT__TRY(get(&statement, db, index));
    brant__bind_integer(statement, 1, queue->row_id);
    if (index != TAKEN && index != TAKEN_FIRST) brant__bind_integer(statement, 2, parameter);
    BRANT__TRY(brant__step(&row, db, statement));
    if (row) {
        *out = brant__column_integer(statement, 0);
        if (index != NEXT_TOKEN && index != RUNNING)
            *out_second = brant__column_integer(statement, 1);
    }
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status run_at(brant_db *db, size_t index, const brant__queue *queue, int64_t at) {
    brant__statement *statement = NULL;
    const brant_status status = get(&statement, db, index);
    if (status != BRANT_OK) return status;
    brant__bind_integer(statement, 1, queue->row_id);
    brant__bind_integer(statement, 2, at);
    return brant__run(db, statement);
}

static brant_status write_taken(brant_db *db, const brant__queue *queue, int64_t at,
                                int64_t total) {
    brant__statement *statement = NULL;
    const brant_status status = get(&statement, db, TAKE);
    if (status != BRANT_OK) return status;
    brant__bind_integer(statement, 1, queue->row_id);
    brant__bind_integer(statement, 2, at);
    brant__bind_integer(statement, 3, total);
    return brant__run(db, statement);
}

/*
 * The rate limit: queue_claims has how many had been claimed in all at each ms where any were, and in its first row how many before, so that those of the last period are a difference of two
 * rows. Exact: no window of that length has more. *out_before: how many had been claimed a period before `end`.
 */
static brant_status read_before(int64_t *out_before, int64_t *out_at, brant_db *db,
                                const brant__queue *queue, int64_t end) {
    brant_status status =
        read_pair(out_before, out_at, db, TAKEN_BEFORE, queue, end - queue->policy.rate_period);
    /* The period became longer than what is known. */
    if (status == BRANT_OK && *out_at == NO_TIME)
        status = read_pair(out_before, out_at, db, TAKEN_FIRST, queue, 0);
    return status;
}

static brant_status read_rate(int64_t *out_free, int64_t *out_total, brant_db *db,
                              const brant__queue *queue) {
    int64_t last = 0, before = 0, at = 0;
    brant_status status = BRANT_OK;
    BRANT__TRY(read_pair(out_total, &last, db, TAKEN, queue, 0));
    BRANT__TRY(read_before(&before, &at, db, queue, brant__db_now(db)));
    *out_free = queue->policy.rate_limit - (*out_total - before);
    if (*out_free < 0) *out_free = 0;
cleanup:
    return status;
}

/* A clock that was set back: what was claimed later than now was claimed now, or it would count for longer than a period. */
static brant_status settle_rate(brant_db *db, const brant__queue *queue) {
    const int64_t now = brant__db_now(db);
    int64_t total = 0, last = 0, before = 0, at = 0;
    brant_status status = BRANT_OK;
    BRANT__TRY(read_pair(&total, &last, db, TAKEN, queue, 0));
    if (last <= now) goto cleanup;
    BRANT__TRY(read_before(&before, &at, db, queue, last));
    BRANT__TRY(run_at(db, FORGET_TAKEN, queue, INT64_MAX));
    BRANT__TRY(write_taken(db, queue, now - queue->policy.rate_period, before));
    status = write_taken(db, queue, now, total);
cleanup:
    return status;
}

static brant_status take_tokens(brant_db *db, const brant__queue *queue, int64_t total,
                                int64_t count) {
    const int64_t now = brant__db_now(db);
    int64_t before = 0, at = 0;
    brant_status status = BRANT_OK;
    BRANT__TRY(read_pair(&before, &at, db, TAKEN, queue, 0));
    if (at == NO_TIME) BRANT__TRY(write_taken(db, queue, now - queue->policy.rate_period, 0));
    BRANT__TRY(write_taken(db, queue, now, total + count));
    BRANT__TRY(read_before(&before, &at, db, queue, now));
    status = run_at(db, FORGET_TAKEN, queue, at);
cleanup:
    return status;
}

/* How many may be claimed now, at most `limit`. *out_total: of the rate limit. */
static brant_status read_capacity(int64_t *out, int64_t *out_total, brant_db *db,
                                  const brant__queue *queue, int64_t limit) {
    const brant__policy *policy = &queue->policy;
    int64_t running = 0, none = 0, tokens = 0;
    brant_status status = BRANT_OK;
    *out = limit;
    *out_total = 0;
    if (policy->concurrency) {
        BRANT__TRY(read_pair(&running, &none, db, RUNNING, queue, policy->concurrency));
        if (policy->concurrency - running < *out) *out = policy->concurrency - running;
    }
    if (policy->rate_limit) {
        BRANT__TRY(read_rate(&tokens, out_total, db, queue));
        if (tokens < *out) *out = tokens;
    }
cleanup:
    return status;
}

/* ---- claiming ------------------------------------------------------------------------------------------------- */

typedef struct job_claim {
    brant_db *db;
    const brant__queue *queue;
    brant__text worker;
    int64_t until;
    int64_t *ids; /* claimed, then expired from the other end */
    size_t count, capacity, expired;
    brant__measures waited;
} job_claim;

#define EXPIRED_BOUND ((size_t)100 * BRANT__JOB_BOUND) /* that one claim gets out of its way */

static void write_claimed(brant__writer *out, const job_claim *claim, brant__statement *row) {
    const brant__text key = brant__column_text(row, 5), progress = brant__column_text(row, 6),
                      schedule = brant__column_text(row, 7);
    brant__write_object(out);
    brant__write_integer_member(out, "id", brant__column_integer(row, 0));
    brant__write_integer_member(out, "token", brant__column_integer(row, 11) + 1);
    brant__write_text_member(out, "queue", brant__queue_name(claim->queue));
    brant__payload_write(out, brant__payload_column(row, 1));
    brant__write_integer_member(out, "attempt", brant__column_integer(row, 2) + 1);
    brant__write_integer_member(out, "max_attempts",
                                brant__column_null(row, 3) ? claim->queue->policy.max_attempts
                                                           : brant__column_integer(row, 3));
    brant__write_integer_member(out, "priority", brant__column_integer(row, 4));
    if (key.data) brant__write_text_member(out, "key", key);
    if (progress.data) {
        brant__write_name(out, "progress");
        brant__write_raw(out, progress);
    }
    if (schedule.data) brant__write_text_member(out, "schedule", schedule);
    brant__write_integer_member(out, "created_at", brant__column_integer(row, 8));
    brant__write_integer_member(out, "lease_until", claim->until);
    brant__write_end(out);
}

/* The best that are ready, written as they are claimed in a moment; those among them that are too late are noted. */
static brant_status select_ready(job_claim *claim, brant__writer *out) {
    const int64_t now = brant__db_now(claim->db);
    brant__statement *row = NULL;
    bool found = false;
    brant_status status = BRANT_OK;
    claim->expired = 0;
    BRANT__TRY(get(&row, claim->db, READY));
    brant__bind_integer(row, 1, claim->queue->row_id);
    brant__bind_integer(row, 2, (int64_t)claim->capacity);
    for (;;) {
        BRANT__TRY(brant__step(&found, claim->db, row));
        if (!found) break;
        const int64_t expires_at = brant__column_integer(row, 10);
        if (expires_at && expires_at <= now && brant__column_integer(row, 11) == 0) {
            claim->ids[claim->capacity - ++claim->expired] = brant__column_integer(row, 0);
            continue;
        }
        brant__measure(&claim->waited,
                       now - brant__column_integer(row, brant__column_null(row, 9) ? 8 : 9));
        claim->ids[claim->count++] = brant__column_integer(row, 0);
        write_claimed(out, claim, row);
    }
cleanup:
    brant__reset(row);
    return status;
}

static brant_status mark_running(job_claim *claim) {
    brant__statement *statement = NULL;
    brant_status status = BRANT_OK;
    BRANT__TRY(get(&statement, claim->db, CLAIM));
    brant__bind_integer(statement, 1, claim->until);
    brant__bind_text(statement, 2, claim->worker);
    brant__bind_integer(statement, 3, brant__db_now(claim->db));
    for (size_t i = 0; i < claim->count; i++) {
        brant__bind_integer(statement, 4, claim->ids[i]);
        BRANT__TRY(brant__run(claim->db, statement));
    }
cleanup:
    return status;
}

static brant_status expire_found(job_claim *claim) {
    const brant__text none = {NULL, 0};
    brant__job job;
    bool found = false;
    brant_status status = BRANT_OK;
    for (size_t i = 0; i < claim->expired; i++) {
        BRANT__TRY(brant__job_read(&found, &job, claim->db, claim->ids[claim->capacity - 1 - i]));
        if (found && job.state < BRANT__JOB_RUNNING)
            BRANT__TRY(
                brant__job_finish(claim->db, claim->queue, &job, BRANT__JOB_EXPIRED, none, none));
    }
cleanup:
    return status;
}

/* Until something is found: nothing handed out is to say that nothing is ready, not that many were too late. */
static brant_status select_or_expire(job_claim *claim, brant__writer *out) {
    size_t expired = 0;
    brant_status status = BRANT_OK;
    do {
        BRANT__TRY(select_ready(claim, out));
        if (claim->expired) BRANT__TRY(expire_found(claim));
        expired += claim->expired;
    } while (claim->count == 0 && claim->expired && expired < EXPIRED_BOUND);
    /* The rest is for the claims to come: let there be one. */
    if (claim->count == 0 && claim->expired)
        status = brant__waiter_wake(claim->db, brant__queue_topic(claim->queue), 1);
cleanup:
    return status;
}

static brant_status claim_ready(int64_t *out_count, brant__call *call, const brant__queue *queue,
                                int64_t limit) {
    brant_db *db = call->db;
    const int64_t lease =
        brant__json_integer(brant__json_get(call->input, "lease"), queue->policy.lease);
    job_claim claim = {.db = db,
                       .queue = queue,
                       .worker = brant__json_get_text(call->input, "worker"),
                       .until = brant__db_now(db) + lease};
    int64_t capacity = 0, total = 0;
    brant_status status = BRANT_OK;
    if (queue->policy.rate_limit) BRANT__TRY(settle_rate(db, queue));
    BRANT__TRY(read_capacity(&capacity, &total, db, queue, limit));
    if (capacity <= 0) return BRANT_OK;
    claim.capacity = (size_t)capacity;
    claim.ids = brant__arena_alloc(call->arena, claim.capacity * sizeof *claim.ids);
    if (!claim.ids) return brant__fail_memory();
    BRANT__TRY(select_or_expire(&claim, call->out));
    if (claim.count == 0) return BRANT_OK;
    BRANT__TRY(mark_running(&claim));
    if (queue->policy.rate_limit) BRANT__TRY(take_tokens(db, queue, total, (int64_t)claim.count));
    BRANT__TRY(brant__measures_add(db, queue->row_id, BRANT__METRIC_CLAIMED, &claim.waited));
    *out_count = (int64_t)claim.count;
    BRANT__TRY(brant__queue_pass_on(db, queue));
    status = brant__waiter_earlier(db, brant__queue_topic(queue), claim.until);
cleanup:
    return status;
}

brant_status brant__queue_claim(brant__call *call) {
    brant_db *db = call->db;
    const brant__text name = brant__json_get_text(call->input, "queue");
    const int64_t limit = brant__json_integer(brant__json_get(call->input, "limit"), 1);
    yyjson_val *acks = brant__json_get(call->input, "ack"),
               *worker = brant__json_get(call->input, "worker");
    brant__writer stale = {0};
    brant__queue queue;
    settlement done;
    int64_t acked = 0, claimed = 0;
    bool found = false;
    brant_status status = BRANT_OK;
    if (worker) BRANT__TRY(brant__input_name(brant__json_text(worker), "/worker"));
    if (acks) {
        BRANT__TRY(brant__input_batch(db, acks, "/ack"));
        brant__write_array(&stale);
        BRANT__TRY(brant__job_ack_items(&acked, db, acks, &stale));
        brant__write_end(&stale);
        if (stale.buffer.failed) {
            status = brant__fail_memory();
            goto cleanup;
        }
    }
    BRANT__TRY(brant__queue_look_up(&found, &queue, db, name));
    if (!found) BRANT__TRY(brant__input_name(name, "/queue"));
    brant__write_object(call->out);
    brant__write_name(call->out, "items");
    brant__write_array(call->out);
    if (found) {
        BRANT__TRY(settle(&done, db, &queue));
        if (queue.state != BRANT__QUEUE_PAUSED)
            BRANT__TRY(claim_ready(&claimed, call, &queue, limit));
        BRANT__TRY(wake_settled(db, &queue, &done, claimed));
    }
    brant__write_end(call->out);
    if (acks) {
        brant__write_integer_member(call->out, "acked", acked);
        brant__write_name(call->out, "stale");
        brant__write_raw(call->out, brant__text_of(stale.buffer.data, stale.buffer.length));
    }
    brant__write_end(call->out);
cleanup:
    brant__buffer_free(&stale.buffer);
    return status;
}

/* ---- what a claim would find -------------------------------------------------------------------------------------- */

static brant_status any_ready(bool *out, brant_db *db, const brant__queue *queue) {
    brant__statement *statement = NULL;
    brant_status status = BRANT_OK;
    *out = false;
    BRANT__TRY(get(&statement, db, ANY_READY));
    brant__bind_integer(statement, 1, queue->row_id);
    status = brant__step(out, db, statement);
cleanup:
    brant__reset(statement);
    return status;
}

/* The first time at which there is something to do although nothing is written. */
static brant_status next_time(int64_t *out, brant_db *db, const brant__queue *queue) {
    brant__statement *statement = NULL;
    bool row = false;
    brant_status status = BRANT_OK;
    *out = INT64_MAX;
    BRANT__TRY(get(&statement, db, NEXT_TIMES));
    brant__bind_integer(statement, 1, queue->row_id);
    BRANT__TRY(brant__step(&row, db, statement));
    for (int i = 0; row && i < 3; i++) {
        const int64_t time = brant__column_integer(statement, i);
        if (!brant__column_null(statement, i) && time < *out) *out = time;
    }
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__queue_claimable(bool *out_claimable, int64_t *out_until, brant_db *db,
                                    const brant__queue *queue) {
    const int64_t now = brant__db_now(db);
    int64_t capacity = 0, total = 0, at = 0, none = 0;
    queue_duties duties;
    bool ready = false;
    brant_status status = BRANT_OK;
    *out_claimable = false;
    *out_until = INT64_MAX;
    if (queue->state == BRANT__QUEUE_PAUSED) return BRANT_OK;
    BRANT__TRY(look_for_duties(&duties, db, queue));
    *out_claimable = duties.due || duties.ended || duties.late || duties.releases || duties.ahead;
    if (*out_claimable) return BRANT_OK;
    BRANT__TRY(any_ready(&ready, db, queue));
    if (ready) {
        BRANT__TRY(read_capacity(&capacity, &total, db, queue, 1));
        *out_claimable = capacity > 0;
        if (*out_claimable) return BRANT_OK;
    }
    BRANT__TRY(next_time(out_until, db, queue));
    if (ready && queue->policy.rate_limit) {
        BRANT__TRY(read_pair(&at, &none, db, NEXT_TOKEN, queue, total - queue->policy.rate_limit));
        /* Of a clock that was set back the next claim makes it now. */
        at = (at < now ? at : now) + queue->policy.rate_period;
        if (at > now && at < *out_until) *out_until = at;
    }
cleanup:
    return status;
}
