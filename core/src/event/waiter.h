/*
 * event/waiter.h: the wait queue: whoever finds nothing sleeps on a topic, and whoever makes n things ready wakes n of those who sleep.
 *
 * A level-triggered cursor uses it so, in its fetch, in a write transaction of its own:
 *   1. look; is there something: yield it, and leave the queue if a ticket is held;
 *   2. else sleep, and remember the ticket; `until` of the look is brant__waiter_deadline of when something is due;
 *   3. at the next look, while asleep() says so and nothing is due, there is nothing; else leave, and begin at 1.
 * Sleeping is in the transaction that found nothing, and writers are serialised, so whoever makes something ready later finds the sleeper.
 *
 * A wake may be lost with the process that got it. So it is passed on: when a cursor or a handle that was woken is closed before it looked; by whoever claims and leaves something behind; by
 * the deadlines of others; at last by the fallback check, after which asleep() says no once. So looking may be for nothing, too.
 */
#ifndef BRANT__EVENT_WAITER_H
#define BRANT__EVENT_WAITER_H

#include "event/event.h"

/*
 * In the write transaction that found nothing: this handle sleeps on the topic, behind those who sleep already, until `until` at the latest (ms of the database's clock; INT64_MAX: never;
 * nothing but others' brant__waiter_earlier and _deadline look at it: to look then is for the cursor). A cursor holds at most one ticket. 0: no socket could be made,
 * and the fallback check is relied on; asleep() then says no, the rest does nothing. ":memory:" works too.
 */
brant_status brant__waiter_sleep(int64_t *out_ticket, brant_db *db, brant__text topic,
                                 int64_t until);

/* In a write transaction: awake, and about to look. Quiet when the row was taken, or the ticket is 0. */
brant_status brant__waiter_leave(brant_db *db, brant__text topic, int64_t ticket);

/* From destroy: as leave, quietly, now or with the next write. Was it woken and has not left, the wake is passed on. */
void brant__waiter_drop(brant_db *db, brant__text topic, int64_t ticket);

/* Is it still asleep? False: woken, or the fallback check found that something was written: then leave, and look. */
brant_status brant__waiter_asleep(bool *out, brant_db *db, brant__text topic, int64_t ticket);

/*
 * In a write transaction: take up to `count` sleepers out, who slept longest first; they are signalled after the commit. INT64_MAX: all. Who is dead is removed and passed over. When nobody
 * sleeps it is one probe of an index.
 */
brant_status brant__waiter_wake(brant_db *db, brant__text topic, int64_t count);

/* In a write transaction: something will be there at `at`. If none of the sleepers wakes by itself by then, wake one, who will sleep until then. */
brant_status brant__waiter_earlier(brant_db *db, brant__text topic, int64_t at);

/*
 * For who is about to sleep until `at`, when something is due: `at` when nobody else sleeps until then, else later by 20 ms for each who does, at most by 50 times as much. So that
 * one looks at a due time, and the next when it did not: who looks and leaves nothing behind leaves nothing to the others but sleep.
 */
brant_status brant__waiter_deadline(int64_t *out, brant_db *db, brant__text topic, int64_t at);

/* For the test of their plans. */
extern const brant__statements brant__waiter_statements;

/* ---- for wake.c ------------------------------------------------------------------------------------------------------------ */

bool brant__waiter_any(const brant_db *db); /* does this handle hold tickets? */
/* In a write transaction: delete the rows of a socket. */
brant_status brant__waiter_forget(brant_db *db, brant__text socket);
/* Part of db.maintain: the least socket id among the rows that is greater than `after`; "" when there is none. In a transaction. `out` has 33 bytes. */
brant_status brant__waiter_socket_after(char *out, brant_db *db, brant__text after);

#endif
