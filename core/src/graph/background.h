/*
 * graph/background.h: a long operation as a job of a queue of the library, which db.maintain works (operation/worker.c).
 */
#ifndef BRANT__GRAPH_BACKGROUND_H
#define BRANT__GRAPH_BACKGROUND_H

#include "store/store.h"

/*
 * In a write transaction: enqueue {"operation", "input": the members of the call's input of these names}, and answer {"job": id}. One of each `unique` waits in the queue: asked for again
 * it takes the newer input.
 */
brant_status brant__background(brant__call *call, const char *queue, const char *operation,
                               brant__text unique, const char *const *members, size_t count);

#endif
