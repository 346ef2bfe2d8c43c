/*
 * event/metrics.c: see event/metrics.h.
 *
 * A row is (queue, minute, kind, bucket). `minute` is of the epoch; the hour's first minute stands for the hour once that is folded, and 0 for all before. Folding
 * an hour is one INSERT..SELECT onto the target and one DELETE, so a crash between two of them costs nothing.
 */
#include "event/metrics.h"

/* What a row's sum stops at, so that no faulty clock makes sums overflow: an hour's rows added up are below 2^63. */
#define MOST "2251799813685248"

#define MINUTE     INT64_C(60000)
#define HOUR       60    /* minutes */
#define KEPT       120   /* minutes until they become hours */
#define KEPT_HOURS 11520 /* minutes until hours become one: eight days */
#define RATE       5     /* minutes that a rate is taken over */
#define FOLDS      16    /* hours folded in one transaction */
#define FOLDS_CALL 1600  /* and in one call: a hundred transactions */

enum { ADD, TOTALS, RECENT, MEASURED, NEXT_QUEUE, NEXT_MINUTE, FOLDED, FOLD, STATEMENT_COUNT };
static const char *const sql[STATEMENT_COUNT] = {
    [ADD] = "INSERT INTO queue_metrics (queue, minute, kind, bucket, count, sum) VALUES "
            "(:queue, :minute, :kind, :bucket, :count, :sum) ON CONFLICT DO UPDATE SET "
            "count = count + excluded.count, sum = min(sum + excluded.sum, " MOST ")",
    [TOTALS] = "SELECT kind, count FROM queue_metrics WHERE queue = :queue",
    [RECENT] = "SELECT minute, kind, count FROM queue_metrics WHERE queue = :queue AND minute >= "
               ":from",
    [MEASURED] = "SELECT kind, bucket, count, sum FROM queue_metrics WHERE queue = :queue AND "
                 "minute > :from",
    [NEXT_QUEUE] = "SELECT queue FROM queue_metrics WHERE queue > :after ORDER BY queue LIMIT 1",
    [NEXT_MINUTE] = "SELECT minute FROM queue_metrics WHERE queue = :queue AND minute > :after AND "
                    "minute < :before ORDER BY minute LIMIT 1",
    [FOLD] = "INSERT INTO queue_metrics (queue, minute, kind, bucket, count, sum) SELECT queue, "
             ":target, kind, bucket, sum(count), sum(sum) FROM queue_metrics WHERE queue = :queue "
             "AND minute > :after AND minute < :before GROUP BY kind, bucket ON CONFLICT DO UPDATE "
             "SET count = count + excluded.count, sum = min(sum + excluded.sum, " MOST ")",
    [FOLDED] = "DELETE FROM queue_metrics WHERE queue = :queue AND minute > :after AND minute < "
               ":before",
};
const brant__statements brant__metrics_statements = {BRANT__TABLE_METRICS, STATEMENT_COUNT, sql};

static brant_status get(brant__statement **out, brant_db *db, int which) {
    return brant__statement_get(out, db, &brant__metrics_statements, (size_t)which);
}

/* ---- counting -------------------------------------------------------------------------------- */

static int bucket_of(int64_t ms) {
    int bucket = 0;
    while (bucket < BRANT__METRIC_BUCKETS - 1 && INT64_C(1) << bucket < ms)
        bucket++;
    return bucket;
}

static brant_status add(brant_db *db, int64_t queue, int kind, int bucket, int64_t count,
                        int64_t sum) {
    brant__statement *statement = NULL;
    const brant_status status = get(&statement, db, ADD);
    if (status != BRANT_OK) return status;
    brant__bind_integer(statement, 1, queue);
    brant__bind_integer(statement, 2, brant__db_now(db) / MINUTE);
    brant__bind_integer(statement, 3, kind);
    brant__bind_integer(statement, 4, bucket);
    brant__bind_integer(statement, 5, count);
    brant__bind_integer(statement, 6, sum);
    return brant__run(db, statement);
}

/* No clock's fault makes a sum overflow: what took longer than the last bucket's bound took as long as that. */
static int64_t sane(int64_t ms) {
    const int64_t longest = INT64_C(1) << (BRANT__METRIC_BUCKETS - 1);
    return ms < 0 ? 0 : ms > longest ? longest : ms;
}

brant_status brant__metric_add(brant_db *db, int64_t queue, int kind, int64_t ms, int64_t count) {
    if (count <= 0) return BRANT_OK;
    ms = sane(ms);
    return add(db, queue, kind, bucket_of(ms), count, ms * count);
}

void brant__measure(brant__measures *measures, int64_t ms) {
    ms = sane(ms);
    const int bucket = bucket_of(ms);
    measures->used |= UINT64_C(1) << bucket;
    measures->count[bucket]++;
    measures->sum[bucket] += ms;
}

brant_status brant__measures_add(brant_db *db, int64_t queue, int kind, brant__measures *measures) {
    brant_status status = BRANT_OK;
    for (int bucket = 0; measures->used >> bucket; bucket++) {
        if (!(measures->used >> bucket & 1)) continue;
        BRANT__TRY(add(db, queue, kind, bucket, measures->count[bucket], measures->sum[bucket]));
        measures->count[bucket] = measures->sum[bucket] = 0;
    }
    measures->used = 0;
cleanup:
    return status;
}

/* ---- reading --------------------------------------------------------------------------------- */

static bool is_kind(int64_t kind) {
    return kind >= 0 && kind < BRANT__METRIC_KINDS;
}

static brant_status read_rates(brant__metrics *out, brant_db *db, int64_t queue) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    bool row = false;
    const int64_t now = brant__db_now(db), oldest = now / MINUTE - RATE;
    /* Of the oldest minute only the part that is within. */
    const double share = 1 - (double)(now % MINUTE) / (double)MINUTE;
    BRANT__TRY(get(&statement, db, RECENT));
    brant__bind_integer(statement, 1, queue);
    brant__bind_integer(statement, 2, oldest);
    for (;;) {
        BRANT__TRY(brant__step(&row, db, statement));
        if (!row) break;
        const int64_t kind = brant__column_integer(statement, 1);
        const double count = (double)brant__column_integer(statement, 2);
        if (is_kind(kind))
            out->rates[kind] +=
                brant__column_integer(statement, 0) == oldest ? count * share : count;
    }
    for (int kind = 0; kind < BRANT__METRIC_KINDS; kind++)
        out->rates[kind] /= RATE * 60;
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__metrics_read(brant__metrics *out, brant_db *db, int64_t queue) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    bool row = false;
    memset(out, 0, sizeof *out);
    BRANT__TRY(get(&statement, db, TOTALS));
    brant__bind_integer(statement, 1, queue);
    for (;;) {
        BRANT__TRY(brant__step(&row, db, statement));
        if (!row) break;
        const int64_t kind = brant__column_integer(statement, 0);
        if (is_kind(kind)) out->totals[kind] += brant__column_integer(statement, 1);
    }
    brant__reset(statement);
    BRANT__TRY(get(&statement, db, MEASURED));
    brant__bind_integer(statement, 1, queue);
    brant__bind_integer(statement, 2, brant__db_now(db) / MINUTE - HOUR);
    for (;;) {
        BRANT__TRY(brant__step(&row, db, statement));
        if (!row) break;
        const int64_t kind = brant__column_integer(statement, 0);
        const int64_t bucket = brant__column_integer(statement, 1);
        if (bucket < 0 || bucket >= BRANT__METRIC_BUCKETS) continue;
        brant__measures *measures = kind == BRANT__METRIC_CLAIMED     ? &out->wait
                                    : kind == BRANT__METRIC_COMPLETED ? &out->run
                                                                      : NULL;
        if (!measures) continue;
        measures->used |= UINT64_C(1) << bucket;
        measures->count[bucket] += brant__column_integer(statement, 2);
        measures->sum[bucket] += brant__column_integer(statement, 3);
    }
    BRANT__TRY(read_rates(out, db, queue));
cleanup:
    brant__reset(statement);
    return status;
}

/* The time that `part` of them did not exceed, as if those of a bucket were spread evenly over it. */
static double percentile(const brant__measures *measures, int64_t count, double part) {
    double rank = part * (double)count;
    for (int bucket = 0; bucket < BRANT__METRIC_BUCKETS; bucket++) {
        const double here = (double)measures->count[bucket];
        if (here > 0 && rank <= here) {
            const double upper = (double)(INT64_C(1) << bucket);
            const double lower = bucket == 0 ? 0 : upper / 2;
            return lower + (upper - lower) * rank / here;
        }
        rank -= here;
    }
    return 0;
}

void brant__metrics_write_histogram(brant__writer *out, const brant__measures *measures) {
    static const struct {
        const char *name;
        double part;
    } percentiles[] = {{"p50", 0.5}, {"p95", 0.95}, {"p99", 0.99}};
    int64_t count = 0, sum = 0;
    for (int bucket = 0; bucket < BRANT__METRIC_BUCKETS; bucket++) {
        count += measures->count[bucket];
        sum += measures->sum[bucket];
    }
    brant__write_object(out);
    brant__write_integer_member(out, "count", count);
    brant__write_integer_member(out, "sum", sum);
    for (size_t i = 0; i < BRANT__COUNT(percentiles); i++) {
        brant__write_name(out, percentiles[i].name);
        brant__write_double(out, percentile(measures, count, percentiles[i].part));
    }
    brant__write_name(out, "buckets");
    brant__write_array(out);
    for (int bucket = 0; bucket < BRANT__METRIC_BUCKETS; bucket++) {
        if (measures->count[bucket] == 0) continue;
        brant__write_object(out);
        brant__write_integer_member(out, "le", INT64_C(1) << bucket);
        brant__write_integer_member(out, "count", measures->count[bucket]);
        brant__write_end(out);
    }
    brant__write_end(out);
    brant__write_end(out);
}

/* ---- folding --------------------------------------------------------------------------------- */

static brant_status next(bool *out_found, int64_t *value, brant_db *db,
                         brant__statement *statement) {
    const brant_status status = brant__step(out_found, db, statement);
    if (status == BRANT_OK && *out_found) *value = brant__column_integer(statement, 0);
    brant__reset(statement);
    return status;
}

/* Rows of the minutes between the two go to the target, which is not one of them. */
static brant_status fold(brant_db *db, int64_t queue, int64_t target, int64_t after,
                         int64_t before) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    BRANT__TRY(get(&statement, db, FOLD));
    brant__bind_integer(statement, 1, target);
    brant__bind_integer(statement, 2, queue);
    brant__bind_integer(statement, 3, after);
    brant__bind_integer(statement, 4, before);
    BRANT__TRY(brant__run(db, statement));
    BRANT__TRY(get(&statement, db, FOLDED));
    brant__bind_integer(statement, 1, queue);
    brant__bind_integer(statement, 2, after);
    brant__bind_integer(statement, 3, before);
    BRANT__TRY(brant__run(db, statement));
cleanup:
    return status;
}

/* In a write transaction: fold up to FOLDS hours from where *queue and *after stand; none when there is nothing left. */
static brant_status fold_some(int *out_folds, bool *out_more, brant_db *db, int64_t *queue,
                              int64_t *after) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    const int64_t now = brant__db_now(db) / MINUTE;
    const int64_t before = (now - KEPT) / HOUR * HOUR, old = (now - KEPT_HOURS) / HOUR * HOUR;
    *out_folds = 0;
    *out_more = true;
    while (*out_folds < FOLDS) {
        int64_t minute = 0;
        bool found = false;
        BRANT__TRY(get(&statement, db, NEXT_MINUTE));
        brant__bind_integer(statement, 1, *queue);
        brant__bind_integer(statement, 2, *after);
        brant__bind_integer(statement, 3, before);
        BRANT__TRY(next(&found, &minute, db, statement));
        if (!found) {
            BRANT__TRY(get(&statement, db, NEXT_QUEUE));
            brant__bind_integer(statement, 1, *queue);
            BRANT__TRY(next(&found, queue, db, statement));
            *after = 0;
            if (found) continue;
            *out_more = false;
            break;
        }
        const int64_t hour = minute / HOUR * HOUR;
        if (minute < old) {
            BRANT__TRY(fold(db, *queue, 0, minute - 1, hour + HOUR));
        } else if (minute != hour) {
            BRANT__TRY(fold(db, *queue, hour, hour, hour + HOUR));
        } else { /* an hour by now, or its first minute: are there others? */
            *after = hour;
            continue;
        }
        *after = hour + HOUR - 1;
        ++*out_folds;
    }
cleanup:
    return status;
}

brant_status brant__metrics_maintain(brant_db *db) {
    brant_status status = BRANT_OK;
    int64_t queue = INT64_MIN, after = 0;
    bool begun = false, more = true;
    for (int done = 0, folds = 0; more && done < FOLDS_CALL; done += folds) {
        BRANT__TRY(brant__db_poll(db));
        BRANT__TRY(brant__begin(db, BRANT__WRITE));
        begun = true;
        BRANT__TRY(fold_some(&folds, &more, db, &queue, &after));
        BRANT__TRY(brant__commit(db));
        begun = false;
    }
cleanup:
    if (begun) brant__rollback(db);
    return status;
}
