/*
 * operation/worker.h: the library's own worker.
 */
#ifndef BRANT__OPERATION_WORKER_H
#define BRANT__OPERATION_WORKER_H

#include "store/store.h"

typedef struct brant__worked {
    int64_t jobs;   /* that were done */
    int64_t failed; /* that ended otherwise */
    int64_t steps;
} brant__worked;

/* Part of db.maintain, outside a transaction: get on with the jobs of the library's queues, in bounded transactions of its own. */
brant_status brant__worker_run(brant__worked *out, brant_db *db);

#endif
