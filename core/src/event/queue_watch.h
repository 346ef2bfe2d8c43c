/*
 * event/queue_watch.h: subscriptions of workers: queues.watch, jobs.cancels and jobs.watch.
 */
#ifndef BRANT__EVENT_QUEUE_WATCH_H
#define BRANT__EVENT_QUEUE_WATCH_H

#include "event/queue.h"

/* For the test of plans. */
extern const brant__statements brant__queue_watch_statements, brant__job_watch_statements;

/*
 * In a write transaction, for who claims, enqueues or heartbeats: a wake may be lost with the process that got it. When somebody sleeps although the first job has been ready
 * for longer than any watcher that lives takes to claim it, wake one more. One probe of an index when nobody sleeps.
 */
brant_status brant__queue_pass_on(brant_db *db, const brant__queue *queue);

/* In a write transaction: tell the workers of a queue that the cancel of a running job was asked for. */
brant_status brant__job_cancel_touch(brant_db *db, brant__text queue);

brant_status brant__queue_watch(brant_cursor **out_cursor, brant__call *call);
brant_status brant__job_cancels(brant_cursor **out_cursor, brant__call *call);
brant_status brant__job_watch(brant_cursor **out_cursor, brant__call *call);

#endif
