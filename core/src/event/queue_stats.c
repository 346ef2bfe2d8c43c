/*
 * event/queue_stats.c: queues.stats.
 *
 * How many there are is counted over the partial indexes, of which each holds one state, rather than kept: counters would be one more row that every enqueue and claim
 * writes, and they would be wrong one day.
 */
#include "event/job.h"
#include "event/job_read.h"

enum { READY, FIRST_READY, COUNT_DELAYED, BLOCKED, RUNNING, FINISHED, NAMES, STATEMENT_COUNT };
static const char *const sql[STATEMENT_COUNT] = {
    /* Those that were ready from the start have no ready_at: the one with the smallest id is the oldest of them. */
    [READY] = "SELECT count(*), min(ready_at), min(CASE WHEN ready_at IS NULL THEN id END) FROM "
              "jobs INDEXED BY jobs_ready WHERE queue = :queue AND state = 0",
    [FIRST_READY] = "SELECT created_at FROM jobs WHERE id = :id",
    [COUNT_DELAYED] = "SELECT count(*), min(run_at) FROM jobs INDEXED BY jobs_due WHERE queue = "
                      ":queue AND state = 1",
    [BLOCKED] = "SELECT count(*) FROM jobs INDEXED BY jobs_blocked WHERE queue = :queue AND state "
                "= 2",
    [RUNNING] = "SELECT count(*) FROM jobs INDEXED BY jobs_leases WHERE queue = :queue AND state = "
                "3",
    [FINISHED] = "SELECT state, count(*) FROM jobs INDEXED BY jobs_finished WHERE queue = :queue "
                 "AND state > 3 GROUP BY state",
    [NAMES] = "SELECT name FROM queues ORDER BY name",
};
const brant__statements brant__queue_stats_statements = {BRANT__TABLE_QUEUE_STATS, STATEMENT_COUNT,
                                                         sql};

static brant_status get(brant__statement **out, brant_db *db, int which) {
    return brant__statement_get(out, db, &brant__queue_stats_statements, (size_t)which);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Up to three integers of the one row of a statement with one parameter. */
static brant_status ask(int64_t out[3], brant_db *db, int which, int64_t parameter, int columns) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    bool row = false;
    out[0] = out[1] = out[2] = 0;
    BRANT__TRY(get(&statement, db, which));
    brant__bind_integer(statement, 1, parameter);
    BRANT__TRY(brant__step(&row, db, statement));
    for (int i = 0; row && i < columns; i++)
        out[i] = brant__column_integer(statement, i);
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status read_finished(brant__queue_stats *out, brant_db *db, int64_t queue) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    bool row = false;
    BRANT__TRY(get(&statement, db, FINISHED));
    brant__bind_integer(statement, 1, queue);
    for (;;) {
        BRANT__TRY(brant__step(&row, db, statement));
        if (!row) break;
        const int64_t state = brant__column_integer(statement, 0);
        if (state >= 0 && state < BRANT__JOB_STATES)
            out->count[state] = brant__column_integer(statement, 1);
    }
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__queue_stats_read(brant__queue_stats *out, brant_db *db,
                                     const brant__queue *queue) {
    brant_status status = BRANT_OK;
    int64_t found[3], first[3];
    const int64_t id = queue->row_id;
    memset(out, 0, sizeof *out);
    BRANT__TRY(ask(found, db, READY, id, 3));
    out->count[BRANT__JOB_READY] = found[0];
    out->oldest_ready = found[1];
    if (found[2] != 0) {
        BRANT__TRY(ask(first, db, FIRST_READY, found[2], 1));
        if (out->oldest_ready == 0 || first[0] < out->oldest_ready) out->oldest_ready = first[0];
    }
    BRANT__TRY(ask(found, db, COUNT_DELAYED, id, 2));
    out->count[BRANT__JOB_DELAYED] = found[0];
    out->next_run = found[1];
    BRANT__TRY(ask(found, db, BLOCKED, id, 1));
    out->count[BRANT__JOB_BLOCKED] = found[0];
    BRANT__TRY(ask(found, db, RUNNING, id, 1));
    out->count[BRANT__JOB_RUNNING] = found[0];
    BRANT__TRY(read_finished(out, db, id));
    BRANT__TRY(brant__metrics_read(&out->metrics, db, id));
cleanup:
    return status;
}

/* ---- the answer ------------------------------------------------------------------------------ */

static void write_stats(brant__writer *out, const brant__queue *queue,
                        const brant__queue_stats *stats, int64_t now) {
    static const struct {
        int kind;
        const char *name;
    } totals[] = {
        {BRANT__METRIC_ENQUEUED, "enqueued"},   {BRANT__METRIC_CLAIMED, "claimed"},
        {BRANT__METRIC_COMPLETED, "completed"}, {BRANT__METRIC_FAILED, "failed"},
        {BRANT__METRIC_RETRIED, "retried"},     {BRANT__METRIC_DIED, "died"},
    };
    static const int rates[] = {0, 2, 3}; /* of those */
    const brant__metrics *metrics = &stats->metrics;
    const int64_t age = now - stats->oldest_ready;
    brant__write_object(out);
    brant__write_text_member(out, "queue", brant__queue_name(queue));
    brant__write_text_member(out, "state",
                             brant__text_of(brant__queue_state_names[queue->state],
                                            strlen(brant__queue_state_names[queue->state])));
    for (int state = 0; state < BRANT__JOB_STATES; state++)
        brant__write_integer_member(out, brant__job_state_names[state], stats->count[state]);
    if (stats->oldest_ready != 0)
        brant__write_integer_member(out, "oldest_ready_at", stats->oldest_ready);
    brant__write_integer_member(out, "oldest_age", stats->oldest_ready == 0 || age < 0 ? 0 : age);
    if (stats->next_run != 0) brant__write_integer_member(out, "next_run_at", stats->next_run);
    for (size_t i = 0; i < BRANT__COUNT(totals); i++)
        brant__write_integer_member(out, totals[i].name, metrics->totals[totals[i].kind]);
    brant__write_name(out, "rates");
    brant__write_object(out);
    for (size_t i = 0; i < BRANT__COUNT(rates); i++) {
        brant__write_name(out, totals[rates[i]].name);
        brant__write_double(out, metrics->rates[totals[rates[i]].kind]);
    }
    brant__write_end(out);
    brant__write_name(out, "wait");
    brant__metrics_write_histogram(out, &metrics->wait);
    brant__write_name(out, "run");
    brant__metrics_write_histogram(out, &metrics->run);
    brant__write_end(out);
}

static brant_status show(brant__call *call, brant__text name) {
    brant_status status = BRANT_OK;
    brant__queue queue;
    brant__queue_stats stats;
    BRANT__TRY(brant__queue_get(&queue, call->db, name));
    BRANT__TRY(brant__queue_stats_read(&stats, call->db, &queue));
    write_stats(call->out, &queue, &stats, brant__db_now(call->db));
cleanup:
    return status;
}

brant_status brant__queue_stats_show(brant__call *call) {
    brant_status status = BRANT_OK;
    brant__statement *names = NULL;
    const brant__text name = brant__json_get_text(call->input, "queue");
    bool row = false;
    if (name.data) return show(call, name);
    brant__write_object(call->out);
    brant__write_name(call->out, "items");
    brant__write_array(call->out);
    BRANT__TRY(get(&names, call->db, NAMES));
    for (;;) {
        BRANT__TRY(brant__db_poll(call->db));
        BRANT__TRY(brant__step(&row, call->db, names));
        if (!row) break;
        BRANT__TRY(show(call, brant__column_text(names, 0)));
    }
    brant__write_end(call->out);
    brant__write_end(call->out);
cleanup:
    brant__reset(names);
    return status;
}
