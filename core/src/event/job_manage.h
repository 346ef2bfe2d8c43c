/*
 * event/job_manage.h: what people do to jobs besides working them, and what db.maintain does.
 */
#ifndef BRANT__EVENT_JOB_MANAGE_H
#define BRANT__EVENT_JOB_MANAGE_H

#include "event/queue.h"

/* For the test of plans. */
extern const brant__statements brant__job_manage_statements, brant__queue_maintain_statements;

brant_status brant__job_cancel(brant__call *call);
brant_status brant__job_requeue(brant__call *call);
brant_status brant__job_requeue_many(brant__call *call);
brant_status brant__job_delete(brant__call *call);
brant_status brant__job_update(brant__call *call);
brant_status brant__queue_prune(brant__call *call);

/*
 * Part of db.maintain, outside a transaction: what is due in queues that nobody claims from, finished jobs and results that were kept long enough, unique keys whose window has
 * ended, metrics. In bounded transactions of its own. *out_removed: jobs that went.
 */
brant_status brant__queue_maintain(int64_t *out_removed, brant_db *db);

#endif
