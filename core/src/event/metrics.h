/*
 * event/metrics.h: what happened in a queue: how often, and how long it took.
 *
 * Counted by minute in the writer's own transaction; db.maintain folds minutes into hours after two hours, and hours into one total after eight days. What is
 * measured (CLAIMED: from ready to claim; COMPLETED: from claim to ack) is counted by the power of two of its milliseconds.
 */
#ifndef BRANT__EVENT_METRICS_H
#define BRANT__EVENT_METRICS_H

#include "store/store.h"

enum {
    BRANT__METRIC_ENQUEUED,
    BRANT__METRIC_CLAIMED,   /* measured */
    BRANT__METRIC_COMPLETED, /* measured */
    BRANT__METRIC_FAILED,
    BRANT__METRIC_RETRIED,
    BRANT__METRIC_DIED,
    BRANT__METRIC_CANCELLED,
    BRANT__METRIC_EXPIRED,
    BRANT__METRIC_KINDS
};

#define BRANT__METRIC_BUCKETS 44 /* bucket b: up to 2^b ms and more than 2^(b-1); 0: up to 1 ms */

/* For the test of plans: the first so many neither scan nor sort. */
#define BRANT__METRICS_PLAIN 7
extern const brant__statements brant__metrics_statements;

/* Count `count` of a kind that each took `ms` (0 where nothing is measured; a negative time, of a clock set back, is 0). In a write transaction; one upsert. */
brant_status brant__metric_add(brant_db *db, int64_t queue, int kind, int64_t ms, int64_t count);

/* Many at once that took different times: note each, then one upsert a bucket. Zero-initialise; emptied by the write. */
typedef struct brant__measures {
    uint64_t used; /* bit b: bucket b is not empty */
    int64_t count[BRANT__METRIC_BUCKETS];
    int64_t sum[BRANT__METRIC_BUCKETS];
} brant__measures;
void brant__measure(brant__measures *measures, int64_t ms);
brant_status brant__measures_add(brant_db *db, int64_t queue, int kind, brant__measures *measures);

/* ---- reading --------------------------------------------------------------------------------- */

typedef struct brant__metrics {
    int64_t totals[BRANT__METRIC_KINDS]; /* ever */
    double rates[BRANT__METRIC_KINDS];   /* a second, over the last five minutes */
    brant__measures wait, run;           /* the last hour's CLAIMED and COMPLETED */
} brant__metrics;

/* In a read transaction. */
brant_status brant__metrics_read(brant__metrics *out, brant_db *db, int64_t queue);

/*
 * {"count", "sum", "p50", "p95", "p99", "buckets": [{"le", "count"}..]}: percentiles are interpolated within their bucket, 0 when nothing was measured; buckets
 * that are empty are left out.
 */
void brant__metrics_write_histogram(brant__writer *out, const brant__measures *measures);

/* Part of db.maintain: fold what is old, in bounded transactions of its own. */
brant_status brant__metrics_maintain(brant_db *db);

#endif
