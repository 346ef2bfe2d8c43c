/*
 * event/watch.h: cursors that are ready or asleep: queues.watch, jobs.watch, locks.watch and consumers.watch.
 *
 * Level-triggered: each look asks whether there is something now. When there is not, the watch goes to sleep in the transaction that found nothing, so that whoever makes something ready
 * later finds it in the wait queue. A watch that has yielded does not sleep: its caller takes what there is, and what it leaves behind is found by the next look.
 */
#ifndef BRANT__EVENT_WATCH_H
#define BRANT__EVENT_WATCH_H

#include "event/event.h"

typedef struct brant__watch brant__watch;

/*
 * In a transaction of either kind: append what there is and count it, or say in out->until when to look again though nobody wakes. It may change the topic that is slept on.
 * It may be asked twice of which the first, in a read transaction, found nothing.
 */
typedef brant_status (*brant__watch_look)(brant__fetch *out, brant_db *db, brant__watch *self,
                                          brant__writer *writer);

/* The first member of what a look needs, which is one allocation. */
struct brant__watch {
    brant__watch_look look;
    brant__text topic; /* lives in `bytes` */
    brant__topic bytes;
    int64_t ticket; /* 0: does not sleep */
    int64_t until;  /* when it looks by itself */
};

/* `size` zeroed bytes that begin with a watch; NULL: no memory. Set topic, then open. */
void *brant__watch_new(size_t size, brant__watch_look look);
/* Takes the watch over also when it fails. */
brant_status brant__watch_open(brant_cursor **out_cursor, brant_db *db, brant__watch *self);

#endif
