/*
 * event/queue.c: queues: their policies, and what a handle keeps of them.
 *
 * The policy that is stored is what was configured; everything else has its default here. What is kept was read in some transaction; it is used after a look at the row (row id, name,
 * revision and time of change), and forgotten at each rollback, since another writer may bring the counters to what our undone transaction had given them.
 */
#include "event/queue.h"

#include <math.h>

#include "event/job.h"
#include "event/listing.h"
#include "event/waiter.h"

#define KEPT 32

const char *const brant__queue_state_names[] = {"active", "paused", "draining"};

enum {
    CHECK,
    READ,
    READ_ROW,
    INSERT,
    LIST,
    SET_STATE,
    SET_POLICY,
    RUNNING,
    ACTIVE,
    GREATEST_FINISHED,
    REMOVE_UNIQUES,
    REMOVE_CLAIMS,
    REMOVE_METRICS,
    REMOVE,
    COUNT,
    FREE_ALL,
    DELAY_BLOCKED,
    REMOVE_FINISHED,
    RANK_KEYS,
    ORDER_KEYS
};
#define COLUMNS "row_id, name, state, policy, revision, created_at, updated_at"
static const char *const sql[] = {
    [CHECK] = "SELECT state, revision, updated_at FROM queues WHERE row_id = :row AND name = :name",
    [READ] = "SELECT " COLUMNS " FROM queues WHERE name = :name",
    [READ_ROW] = "SELECT " COLUMNS " FROM queues WHERE row_id = :row",
    [INSERT] = "INSERT INTO queues (name, created_at, updated_at) VALUES (:name, :now, :now)",
    [LIST] = "SELECT " COLUMNS " FROM queues WHERE " BRANT__LISTING_FROM("name") " ORDER BY name",
    [SET_STATE] = "UPDATE queues SET state = :state, revision = revision + 1, updated_at = :now "
                  "WHERE row_id = :row",
    [SET_POLICY] = "UPDATE queues SET policy = :policy, revision = revision + 1, "
                   "updated_at = :now WHERE row_id = :row",
    [COUNT] = "UPDATE queues SET size = "
              "(SELECT count(*) FROM jobs WHERE queue = :row AND state = 0) + "
              "(SELECT count(*) FROM jobs WHERE queue = :row AND state = 1) + "
              "(SELECT count(*) FROM jobs WHERE queue = :row AND state = 2) + "
              "(SELECT count(*) FROM jobs WHERE queue = :row AND state = 3) WHERE row_id = :row",
    /* The three ways to order keys anew: without any rule, the best of each key, and each key's oldest. */
    [FREE_ALL] = "UPDATE jobs SET state = CASE WHEN run_at > :now THEN 1 ELSE 0 END, "
                 "ready_at = :now WHERE queue = :queue AND state = 2 AND waits = 0",
    [DELAY_BLOCKED] = "UPDATE jobs SET state = 1 WHERE queue = :queue AND state = 2 "
                      "AND waits = 0 AND run_at > :now",
    [RANK_KEYS] =
        "WITH ranked AS MATERIALIZED (SELECT id AS job, state AS old, CASE WHEN row_number() OVER "
        "(PARTITION BY key ORDER BY priority DESC, id) <= :limit - (SELECT count(*) FROM jobs AS r "
        "WHERE r.queue = :queue AND r.key = w.key AND r.state = 3 AND r.state < 4) "
        "THEN 0 ELSE 2 END AS new FROM jobs AS w WHERE queue = :queue AND key IS NOT NULL "
        "AND state < 4 AND (state = 0 OR (state = 2 AND waits = 0))) "
        "UPDATE jobs SET state = new, ready_at = :now FROM ranked "
        "WHERE jobs.id = ranked.job AND old <> new",
    [ORDER_KEYS] =
        "WITH ordered AS MATERIALIZED (SELECT id AS job, state AS old, run_at AS at, "
        "EXISTS (SELECT 1 FROM jobs AS o WHERE o.queue = :queue AND o.key = w.key AND o.state = 3 "
        "AND o.state < 4) OR EXISTS (SELECT 1 FROM jobs AS o WHERE o.queue = :queue AND "
        "o.key = w.key AND o.state IN (0, 1, 2) AND o.state < 4 AND o.id < w.id) AS held "
        "FROM jobs AS w WHERE queue = :queue AND key IS NOT NULL AND state < 4 "
        "AND (state = 0 OR (state = 2 AND waits = 0))) "
        "UPDATE jobs SET state = CASE WHEN held THEN 2 WHEN at > :now THEN 1 ELSE 0 END, "
        "ready_at = :now FROM ordered WHERE jobs.id = ordered.job AND (old = 0) = held",
    [RUNNING] = "SELECT 1 FROM jobs WHERE queue = :queue AND state = 3 LIMIT 1",
    [ACTIVE] = "SELECT id FROM jobs WHERE queue = :queue AND state = 2 UNION ALL "
               "SELECT id FROM jobs WHERE queue = :queue AND state = 1 UNION ALL "
               "SELECT id FROM jobs WHERE queue = :queue AND state = 0 UNION ALL "
               "SELECT id FROM jobs WHERE queue = :queue AND state = 3 LIMIT 1",
    [GREATEST_FINISHED] =
        "INSERT INTO event_sequences (name, value) SELECT 'job', id FROM jobs WHERE id = "
        "(SELECT max(id) FROM jobs) ON CONFLICT (name) DO UPDATE SET value = "
        "max(value, excluded.value)",
    [REMOVE_FINISHED] = "DELETE FROM jobs WHERE queue = :queue AND state > 3",
    [REMOVE_UNIQUES] = "DELETE FROM job_uniques WHERE queue = :queue",
    [REMOVE_CLAIMS] = "DELETE FROM queue_claims WHERE queue = :queue",
    [REMOVE_METRICS] = "DELETE FROM queue_metrics WHERE queue = :queue",
    [REMOVE] = "DELETE FROM queues WHERE row_id = :queue",
};
const size_t brant__queue_rare_statements = RANK_KEYS;
const brant__statements brant__queue_statements = {BRANT__TABLE_QUEUE, BRANT__COUNT(sql), sql};

static brant_status get(brant__statement **out, brant_db *db, size_t index) {
    return brant__statement_get(out, db, &brant__queue_statements, index);
}

/* ---- policies ------------------------------------------------------------------------------------ */

static const brant__policy defaults = {.lease = 30000,
                                       .max_attempts = 20,
                                       .backoff_base = 1000,
                                       .backoff_factor = 2,
                                       .backoff_max = 3600000,
                                       .backoff_jitter = 0.2,
                                       .dead_ttl = -1,
                                       .cancelled_ttl = 86400000};

static const char *const members[] = {
    "lease",      "max_attempts", "backoff",  "concurrency",   "key_concurrency", "fifo",
    "rate_limit", "result_ttl",   "dead_ttl", "cancelled_ttl", "max_size",
};

static double number(yyjson_val *value, double otherwise) {
    return yyjson_is_num(value) ? yyjson_get_num(value) : otherwise;
}

static void read_policy(brant__policy *out, yyjson_val *from) {
    yyjson_val *backoff = brant__json_get(from, "backoff"),
               *rate = brant__json_get(from, "rate_limit");
    *out = defaults;
    out->lease = brant__json_integer(brant__json_get(from, "lease"), out->lease);
    out->max_attempts =
        brant__json_integer(brant__json_get(from, "max_attempts"), out->max_attempts);
    out->backoff_base = number(brant__json_get(backoff, "base"), out->backoff_base);
    out->backoff_factor = number(brant__json_get(backoff, "factor"), out->backoff_factor);
    out->backoff_max = number(brant__json_get(backoff, "max"), out->backoff_max);
    out->backoff_jitter = number(brant__json_get(backoff, "jitter"), out->backoff_jitter);
    out->concurrency = brant__json_integer(brant__json_get(from, "concurrency"), 0);
    out->key_concurrency = brant__json_integer(brant__json_get(from, "key_concurrency"), 0);
    out->fifo = brant__json_bool(brant__json_get(from, "fifo"), false);
    out->rate_limit = brant__json_integer(brant__json_get(rate, "limit"), 0);
    out->rate_period = brant__json_integer(brant__json_get(rate, "period"), 0);
    out->result_ttl = brant__json_integer(brant__json_get(from, "result_ttl"), 0);
    out->dead_ttl = brant__json_integer(brant__json_get(from, "dead_ttl"), out->dead_ttl);
    out->cancelled_ttl =
        brant__json_integer(brant__json_get(from, "cancelled_ttl"), out->cancelled_ttl);
    out->max_size = brant__json_integer(brant__json_get(from, "max_size"), 0);
}

static void write_limit(brant__writer *out, const char *name, int64_t value, int64_t none) {
    brant__write_name(out, name);
    if (value == none)
        brant__write_null(out);
    else
        brant__write_integer(out, value);
}

static void write_policy(brant__writer *out, const brant__policy *policy) {
    brant__write_object(out);
    brant__write_integer_member(out, "lease", policy->lease);
    brant__write_integer_member(out, "max_attempts", policy->max_attempts);
    brant__write_name(out, "backoff");
    brant__write_object(out);
    brant__write_integer_member(out, "base", (int64_t)policy->backoff_base);
    brant__write_name(out, "factor");
    brant__write_double(out, policy->backoff_factor);
    brant__write_integer_member(out, "max", (int64_t)policy->backoff_max);
    brant__write_name(out, "jitter");
    brant__write_double(out, policy->backoff_jitter);
    brant__write_end(out);
    write_limit(out, "concurrency", policy->concurrency, 0);
    write_limit(out, "key_concurrency", policy->key_concurrency, 0);
    brant__write_bool_member(out, "fifo", policy->fifo);
    brant__write_name(out, "rate_limit");
    if (policy->rate_limit) {
        brant__write_object(out);
        brant__write_integer_member(out, "limit", policy->rate_limit);
        brant__write_integer_member(out, "period", policy->rate_period);
        brant__write_end(out);
    } else {
        brant__write_null(out);
    }
    brant__write_integer_member(out, "result_ttl", policy->result_ttl);
    write_limit(out, "dead_ttl", policy->dead_ttl, -1);
    write_limit(out, "cancelled_ttl", policy->cancelled_ttl, -1);
    write_limit(out, "max_size", policy->max_size, 0);
    brant__write_end(out);
}

static void write_queue(brant__writer *out, const brant__queue *queue) {
    brant__write_object(out);
    brant__write_text_member(out, "queue", brant__queue_name(queue));
    brant__write_text_member(out, "state",
                             brant__text_of(brant__queue_state_names[queue->state],
                                            strlen(brant__queue_state_names[queue->state])));
    brant__write_name(out, "policy");
    write_policy(out, &queue->policy);
    brant__write_integer_member(out, "revision", queue->revision);
    brant__write_integer_member(out, "created_at", queue->created_at);
    brant__write_integer_member(out, "updated_at", queue->updated_at);
    brant__write_end(out);
}

/* ---- what is kept ---------------------------------------------------------------------------------- */

typedef struct kept_queues {
    brant__queue queues[KEPT]; /* by the hash of the name; row_id 0: empty */
} kept_queues;

static void kept_after_rollback(brant_db *db, void *state, unsigned depth) {
    kept_queues *kept = state;
    (void)db;
    (void)depth;
    for (size_t i = 0; i < KEPT; i++)
        kept->queues[i].row_id = 0;
}

static void kept_destroy(brant_db *db, void *state) {
    (void)db;
    brant__free(state);
}

static const brant__hooks hooks = {.after_rollback = kept_after_rollback, .destroy = kept_destroy};

static brant_status kept_of(kept_queues **out, brant_db *db) {
    *out = brant__state(db, BRANT__SLOT_QUEUE);
    if (BRANT__LIKELY(*out)) return BRANT_OK;
    *out = brant__alloc_zero(sizeof **out);
    if (!*out) return brant__fail_memory();
    brant__attach(db, BRANT__SLOT_QUEUE, &hooks, *out);
    return BRANT_OK;
}

/* The row that the statement stands on, parsed. */
static brant_status read_row(brant__queue *out, brant__statement *row) {
    brant__json json = {0};
    const brant__text name = brant__column_text(row, 1), policy = brant__column_text(row, 3);
    const int64_t state = brant__column_integer(row, 2);
    brant_status status = BRANT_OK;
    if (name.length > BRANT__NAME_SIZE || state < 0 || state > BRANT__QUEUE_DRAINING)
        return brant__fail(BRANT_CORRUPT, "the row of a queue is damaged");
    *out = (brant__queue){.row_id = brant__column_integer(row, 0),
                          .state = (int)state,
                          .revision = brant__column_integer(row, 4),
                          .created_at = brant__column_integer(row, 5),
                          .updated_at = brant__column_integer(row, 6),
                          .name_length = name.length};
    memcpy(out->topic, BRANT__QUEUE_MARK, BRANT__QUEUE_MARK_SIZE);
    if (name.length) memcpy(out->topic + BRANT__QUEUE_MARK_SIZE, name.data, name.length);
    BRANT__TRY(brant__json_parse(&json, policy.data, policy.length, 0));
    read_policy(&out->policy, json.root);
cleanup:
    brant__json_free(&json);
    return status;
}

/* Is what is kept still what the row says? */
static brant_status check(bool *out_true, brant_db *db, const brant__queue *queue) {
    brant__statement *statement = NULL;
    bool row = false;
    brant_status status = BRANT_OK;
    *out_true = false;
    BRANT__TRY(get(&statement, db, CHECK));
    brant__bind_integer(statement, 1, queue->row_id);
    brant__bind_text(statement, 2, brant__queue_name(queue));
    BRANT__TRY(brant__step(&row, db, statement));
    *out_true = row && brant__column_integer(statement, 0) == queue->state &&
                brant__column_integer(statement, 1) == queue->revision &&
                brant__column_integer(statement, 2) == queue->updated_at;
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status load(bool *out_found, brant__queue *out, brant_db *db, kept_queues *kept,
                         brant__statement *statement) {
    brant_status status = BRANT_OK;
    BRANT__TRY(brant__step(out_found, db, statement));
    if (!*out_found) goto cleanup;
    BRANT__TRY(read_row(out, statement));
    const brant__text name = brant__queue_name(out);
    kept->queues[brant__hash(name.data, name.length) % KEPT] = *out;
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__queue_look_up(bool *out_found, brant__queue *out, brant_db *db,
                                  brant__text name) {
    kept_queues *kept = NULL;
    brant__statement *statement = NULL;
    brant_status status = BRANT_OK;
    *out_found = false;
    BRANT__TRY(kept_of(&kept, db));
    const brant__queue *queue = &kept->queues[brant__hash(name.data, name.length) % KEPT];
    if (queue->row_id && brant__text_equal(brant__queue_name(queue), name)) {
        BRANT__TRY(check(out_found, db, queue));
        if (*out_found) {
            *out = *queue;
            return BRANT_OK;
        }
    }
    BRANT__TRY(get(&statement, db, READ));
    brant__bind_text(statement, 1, name);
    status = load(out_found, out, db, kept, statement);
cleanup:
    return status;
}

brant_status brant__queue_of(brant__queue *out, brant_db *db, int64_t row_id) {
    kept_queues *kept = NULL;
    brant__statement *statement = NULL;
    bool found = false;
    brant_status status = BRANT_OK;
    BRANT__TRY(kept_of(&kept, db));
    for (size_t i = 0; i < KEPT; i++) {
        if (kept->queues[i].row_id != row_id) continue;
        BRANT__TRY(check(&found, db, &kept->queues[i]));
        if (!found) break;
        *out = kept->queues[i];
        return BRANT_OK;
    }
    BRANT__TRY(get(&statement, db, READ_ROW));
    brant__bind_integer(statement, 1, row_id);
    BRANT__TRY(load(&found, out, db, kept, statement));
    if (!found) status = brant__fail(BRANT_CORRUPT, "a job's queue is missing");
cleanup:
    return status;
}

/* ---- by name ----------------------------------------------------------------------------------------- */

brant_status brant__queue_get(brant__queue *out, brant_db *db, brant__text name) {
    bool found = false;
    const brant_status status = brant__queue_look_up(&found, out, db, name);
    if (status != BRANT_OK || found) return status;
    return brant__fail(BRANT_NOT_FOUND, "no queue \"%.*s\"", (int)name.length, name.data);
}

brant_status brant__queue_ensure(brant__queue *out, brant_db *db, brant__text name) {
    brant__statement *statement = NULL;
    bool found = false;
    brant_status status = BRANT_OK;
    BRANT__TRY(brant__queue_look_up(&found, out, db, name));
    if (BRANT__LIKELY(found)) return BRANT_OK;
    BRANT__TRY(brant__input_name(name, "/queue"));
    BRANT__TRY(get(&statement, db, INSERT));
    brant__bind_text(statement, 1, name);
    brant__bind_integer(statement, 2, brant__db_now(db));
    BRANT__TRY(brant__run(db, statement));
    BRANT__TRY(brant__queue_look_up(&found, out, db, name));
cleanup:
    return status;
}

static brant_status answer(brant__call *call, brant__text name) {
    brant__queue queue;
    const brant_status status = brant__queue_get(&queue, call->db, name);
    if (status == BRANT_OK) write_queue(call->out, &queue);
    return status;
}

brant_status brant__queue_get_one(brant__call *call) {
    return answer(call, brant__json_get_text(call->input, "queue"));
}

brant_status brant__queue_list(brant__call *call) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    brant__listing list = brant__listing_read(call);
    brant__queue queue;
    bool row = false, wanted = false;
    BRANT__TRY(get(&statement, call->db, LIST));
    brant__listing_bind(statement, &list, (brant__text){NULL, 0});
    brant__listing_begin(call);
    for (;;) {
        BRANT__TRY(brant__step(&row, call->db, statement));
        if (!row) break;
        BRANT__TRY(brant__listing_take(&wanted, &list, call, brant__column_text(statement, 1)));
        if (!wanted) break;
        BRANT__TRY(read_row(&queue, statement));
        write_queue(call->out, &queue);
    }
    brant__listing_end(&list, call);
cleanup:
    brant__reset(statement);
    return status;
}

/* ---- changing ----------------------------------------------------------------------------------------- */

static brant_status set_state(brant__call *call, int state) {
    const brant__text name = brant__json_get_text(call->input, "queue");
    brant__statement *statement = NULL;
    brant__queue queue;
    brant_status status = BRANT_OK;
    BRANT__TRY(brant__queue_get(&queue, call->db, name));
    if (queue.state != state) {
        BRANT__TRY(get(&statement, call->db, SET_STATE));
        brant__bind_integer(statement, 1, state);
        brant__bind_integer(statement, 2, brant__db_now(call->db));
        brant__bind_integer(statement, 3, queue.row_id);
        BRANT__TRY(brant__run(call->db, statement));
        if (state != BRANT__QUEUE_PAUSED)
            BRANT__TRY(brant__waiter_wake(call->db, brant__queue_topic(&queue), INT64_MAX));
    }
    status = answer(call, name);
cleanup:
    return status;
}

brant_status brant__queue_pause(brant__call *call) {
    return set_state(call, BRANT__QUEUE_PAUSED);
}
brant_status brant__queue_resume(brant__call *call) {
    return set_state(call, BRANT__QUEUE_ACTIVE);
}
brant_status brant__queue_drain(brant__call *call) {
    return set_state(call, BRANT__QUEUE_DRAINING);
}

/* The rule of keys changed: what is ready and what is blocked is put in order at once. */
static brant_status order_keys(brant_db *db, const brant__queue *queue) {
    const int64_t now = brant__db_now(db);
    brant__statement *statement = NULL;
    brant_status status = BRANT_OK;
    if (queue->policy.fifo) {
        BRANT__TRY(get(&statement, db, ORDER_KEYS));
        brant__bind_integer(statement, 1, queue->row_id);
        brant__bind_integer(statement, 2, now);
    } else if (queue->policy.key_concurrency) {
        BRANT__TRY(get(&statement, db, DELAY_BLOCKED));
        brant__bind_integer(statement, 1, queue->row_id);
        brant__bind_integer(statement, 2, now);
        BRANT__TRY(brant__run(db, statement));
        BRANT__TRY(get(&statement, db, RANK_KEYS));
        brant__bind_integer(statement, 1, queue->policy.key_concurrency);
        brant__bind_integer(statement, 2, queue->row_id);
        brant__bind_integer(statement, 3, now);
    } else {
        BRANT__TRY(get(&statement, db, FREE_ALL));
        brant__bind_integer(statement, 1, now);
        brant__bind_integer(statement, 2, queue->row_id);
    }
    status = brant__run(db, statement);
cleanup:
    return status;
}

/* What is stored after the members of `input` were changed: null takes one back to its default. */
static brant_status merge_policy(brant__writer *out, brant_db *db, brant__text name,
                                 yyjson_val *input) {
    brant__statement *statement = NULL;
    brant__json stored = {0};
    bool row = false;
    brant_status status = BRANT_OK;
    BRANT__TRY(get(&statement, db, READ));
    brant__bind_text(statement, 1, name);
    BRANT__TRY(brant__step(&row, db, statement));
    const brant__text text = brant__column_text(statement, 3);
    BRANT__TRY(brant__json_parse(&stored, text.data, text.length, 0));
    brant__write_object(out);
    for (size_t i = 0; i < BRANT__COUNT(members); i++) {
        yyjson_val *given = brant__json_get(input, members[i]),
                   *old = brant__json_get(stored.root, members[i]);
        if (given ? yyjson_is_null(given) : !old) continue;
        brant__write_name(out, members[i]);
        if (yyjson_is_obj(given) && yyjson_is_obj(old)) {
            brant__buffer merged = {0};
            brant__json_merge(&merged, old, given);
            if (merged.failed)
                status = brant__fail_memory();
            else
                brant__write_raw(out, brant__text_of(merged.data, merged.length));
            brant__buffer_free(&merged);
            if (status != BRANT_OK) goto cleanup;
        } else {
            brant__write_value(out, given ? given : old);
        }
    }
    brant__write_end(out);
    if (out->buffer.failed) status = brant__fail_memory();
cleanup:
    brant__reset(statement);
    brant__json_free(&stored);
    return status;
}

brant_status brant__queue_configure(brant__call *call) {
    brant_db *db = call->db;
    const brant__text name = brant__json_get_text(call->input, "queue");
    brant__statement *statement = NULL;
    brant__writer policy = {0};
    brant__queue before, queue;
    brant_status status = BRANT_OK;
    BRANT__TRY(brant__queue_ensure(&before, db, name));
    BRANT__TRY(merge_policy(&policy, db, name, call->input));
    BRANT__TRY(get(&statement, db, SET_POLICY));
    brant__bind_text(statement, 1, brant__text_of(policy.buffer.data, policy.buffer.length));
    brant__bind_integer(statement, 2, brant__db_now(db));
    brant__bind_integer(statement, 3, before.row_id);
    BRANT__TRY(brant__run(db, statement));
    BRANT__TRY(brant__queue_get(&queue, db, name));
    if (queue.policy.fifo != before.policy.fifo ||
        queue.policy.key_concurrency != before.policy.key_concurrency)
        BRANT__TRY(order_keys(db, &queue));
    if (queue.policy.max_size && !before.policy.max_size) {
        BRANT__TRY(get(&statement, db, COUNT));
        brant__bind_integer(statement, 1, queue.row_id);
        BRANT__TRY(brant__run(db, statement));
    }
    BRANT__TRY(brant__waiter_wake(db, brant__queue_topic(&queue), INT64_MAX));
    write_queue(call->out, &queue);
cleanup:
    brant__buffer_free(&policy.buffer);
    return status;
}

/* ---- deleting ------------------------------------------------------------------------------------------- */

static brant_status run_for(brant_db *db, size_t index, int64_t queue) {
    brant__statement *statement = NULL;
    const brant_status status = get(&statement, db, index);
    if (status != BRANT_OK) return status;
    if (index != GREATEST_FINISHED) brant__bind_integer(statement, 1, queue);
    return brant__run(db, statement);
}

/* One job after the other, since each has those who wait for it; the finished ones at once. */
static brant_status delete_jobs(int64_t *out_count, brant_db *db, const brant__queue *queue) {
    brant__statement *statement = NULL;
    brant__job job;
    bool row = false, found = false;
    brant_status status = BRANT_OK;
    BRANT__TRY(get(&statement, db, ACTIVE));
    for (;; ++*out_count) {
        brant__bind_integer(statement, 1, queue->row_id);
        BRANT__TRY(brant__step(&row, db, statement));
        const int64_t id = row ? brant__column_integer(statement, 0) : 0;
        brant__reset(statement);
        if (!row) break;
        BRANT__TRY(brant__job_read(&found, &job, db, id));
        BRANT__TRY(brant__job_finish(db, queue, &job, BRANT__JOB_GONE, (brant__text){NULL, 0},
                                     (brant__text){NULL, 0}));
        if (*out_count % 1024 == 0) BRANT__TRY(brant__db_poll(db));
    }
    BRANT__TRY(run_for(db, GREATEST_FINISHED, 0));
    BRANT__TRY(run_for(db, REMOVE_FINISHED, queue->row_id));
    *out_count += brant__changes(db);
    return BRANT_OK;
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__queue_delete(brant__call *call) {
    static const size_t rest[] = {REMOVE_UNIQUES, REMOVE_CLAIMS, REMOVE_METRICS, REMOVE};
    brant_db *db = call->db;
    brant__statement *statement = NULL;
    brant__queue queue;
    int64_t count = 0;
    bool row = false;
    brant_status status = BRANT_OK;
    BRANT__TRY(brant__queue_get(&queue, db, brant__json_get_text(call->input, "queue")));
    BRANT__TRY(get(&statement, db, RUNNING));
    brant__bind_integer(statement, 1, queue.row_id);
    BRANT__TRY(brant__step(&row, db, statement));
    brant__reset(statement);
    if (row && !brant__json_bool(brant__json_get(call->input, "force"), false))
        return brant__fail(BRANT_CONFLICT, "jobs of queue \"%.*s\" are running",
                           (int)queue.name_length, brant__queue_name(&queue).data);
    BRANT__TRY(delete_jobs(&count, db, &queue));
    for (size_t i = 0; i < BRANT__COUNT(rest); i++)
        BRANT__TRY(run_for(db, rest[i], queue.row_id));
    BRANT__TRY(brant__waiter_wake(db, brant__queue_topic(&queue), INT64_MAX));
    brant__write_integer_object(call->out, "deleted", count);
cleanup:
    return status;
}
