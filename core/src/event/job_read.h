/*
 * event/job_read.h: jobs and queues as they are shown.
 */
#ifndef BRANT__EVENT_JOB_READ_H
#define BRANT__EVENT_JOB_READ_H

#include "event/metrics.h"
#include "event/queue.h"

/* For the test of plans: the first so many of each neither scan nor sort. */
#define BRANT__JOB_READ_PLAIN    3
#define BRANT__QUEUE_STATS_PLAIN 6
extern const brant__statements brant__job_read_statements, brant__queue_stats_statements;

/* Write the Job of jobs.get; *out_found false: there is none, and nothing is written. In a transaction. */
brant_status brant__job_show(bool *out_found, brant__writer *out, brant_db *db, int64_t id);

/* NOT_FOUND, with its message. */
brant_status brant__job_missing(int64_t id);

brant_status brant__job_get(brant__call *call);
brant_status brant__job_list(brant__call *call);

/* ---- queues.stats (queue_stats.c) -------------------------------------------------------------- */

typedef struct brant__queue_stats {
    int64_t count[8];     /* by state, as BRANT__JOB_READY.. */
    int64_t oldest_ready; /* when it became ready; 0: none is */
    int64_t next_run;     /* of the delayed; 0: none is */
    brant__metrics metrics;
} brant__queue_stats;

/* In a transaction. Counts by index: its time grows with the queue, some tens of ns a job. */
brant_status brant__queue_stats_read(brant__queue_stats *out, brant_db *db,
                                     const brant__queue *queue);

brant_status brant__queue_stats_show(brant__call *call);

#endif
