/*
 * event/wake.h: what the other files of this module know of waking.
 */
#ifndef BRANT__EVENT_WAKE_H
#define BRANT__EVENT_WAKE_H

#include <stdatomic.h>

#include "event/event.h"

/* How long a wait sleeps at most before it looks by itself: for writers without our code, files we can only read, a lost datagram. */
#define BRANT__WAKE_TICK 1000

/* The state of waking, made when it is first needed. Inside the handle. */
brant_status brant__wake_attach(brant_db *db);

/* brant__visit, but a call of another thread is waited for, until `ended`, an interrupt or closing. */
brant_status brant__wake_enter(brant_db *db, const atomic_bool *ended);

/* ---- waiting ---------------------------------------------------------------------------------------------------------------- */

/* Inside the handle, before looking: what a later wait compares with, so that no wake in between is lost. */
uint64_t brant__wake_sequence(brant_db *db);

/*
 * Between brant__wait_begin and brant__wait_end: sleep until the sequence is not `seen` any more, `*ended`, the handle was closed or
 * interrupted (its count is not `interrupts`), `until` (ms of the monotonic clock; INT64_MAX: never) or the tick.
 */
void brant__wake_wait(brant_db *db, const atomic_bool *ended, unsigned interrupts, uint64_t seen,
                      int64_t until);

/* End the wait of whoever waits with this flag, after it was set. Any thread. */
void brant__wake_rouse(brant_db *db, const atomic_bool *ended);

/* Leave a cursor that was closed while another thread was inside, for whoever is inside next. False: nobody will be. */
bool brant__wake_orphan(brant_db *db, struct brant_cursor *cursor);
struct brant_cursor *brant__wake_orphans(brant_db *db); /* the list, taken. Inside the handle */

/* A cursor could not look because of the running transaction: all of them are to look when it ends. Inside the handle. */
void brant__wake_defer(brant_db *db);

/* In how many ms the next check by itself is due, 0..BRANT__WAKE_TICK. Any thread. */
int64_t brant__wake_check_in(brant_db *db);

/* ---- health: inside the handle ------------------------------------------------------------------------------------------------ */

/* Once a second at most: are our registrations and our socket still there? */
brant_status brant__wake_look(brant_db *db);
/* After it: register again what was lost; true when there was something, and what was committed meanwhile is to be looked at. */
bool brant__wake_repair(brant_db *db);
/* IO when the file was deleted or another one stands in its place. */
brant_status brant__wake_file_check(brant_db *db);
/* Part of db.maintain: forget the dead, in the running write transaction or one of its own. */
void brant__wake_maintain(brant_db *db);

/* ---- for waiter.c: inside the handle, in a write transaction ---------------------------------------------------------------- */

/* How rows of the file name this handle: the id of its socket, which is made when it is first needed. False: nobody could reach it. `out` has 33 bytes. */
bool brant__wake_address(char *out, brant_db *db);
/* Would a datagram reach anybody? Rows of a socket that is dead are deleted, all of them. */
brant_status brant__wake_alive(bool *out, brant_db *db, brant__text socket);
/* The running look is due to the fallback check, not to a wake: whoever sleeps may have missed one. */
bool brant__wake_suspects(const brant_db *db);
/* Send it one after the commit. */
brant_status brant__wake_send(brant_db *db, brant__text socket);

/* ---- this handle's own open transaction ---------------------------------------------------------------------------------------- */

/* A notification was written; what is not committed is not shown to our own cursors either. */
void brant__wake_uncommitted(brant_db *db, int64_t id);
/* The first id that is not committed, or INT64_MAX. */
int64_t brant__wake_uncommitted_from(brant_db *db);

/* ---- cursor.c ------------------------------------------------------------------------------------------------------------------ */

/* Destroy the kinds' states of a list of orphans. Inside the handle, or while it is destroyed. */
void brant__cursor_bury(brant_db *db, struct brant_cursor *list);
struct brant_cursor **brant__cursor_link(struct brant_cursor *cursor);

#endif
