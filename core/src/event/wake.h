/*
 * event/wake.h: what the other files of this module know of waking.
 */
#ifndef BRANT__EVENT_WAKE_H
#define BRANT__EVENT_WAKE_H

#include <stdatomic.h>

#include "event/event.h"

/*
 * The fallback check, of each handle that waits: was anything written, are our rows, our socket and the file still there? For writers without our code, files that we can only read,
 * lost datagrams. One a second; while it turns out to be for nothing, less often, down to one in five seconds.
 */
#define BRANT__WAKE_CHECK      1000
#define BRANT__WAKE_CHECK_MOST 5000
/* What is left of a wait when it ends is cleared up while others write only if they end within this; else with the next write, or by who finds it dead. */
#define BRANT__WAKE_PATIENCE 250

/* The state of waking, made when it is first needed. Inside the handle. */
brant_status brant__wake_attach(brant_db *db);

/* brant__handle_visit, but a call of another thread is waited for, until `ended`, an interrupt or closing. */
brant_status brant__wake_enter(brant_db **handle, const atomic_bool *ended);

/* FORKED in a child of the process that opened the handle. Any thread, while the state is kept. */
brant_status brant__wake_forked(const brant_db *db);

/* ---- waiting ---------------------------------------------------------------------------------------------------------------- */

/* Inside the handle, before looking: what a later wait compares with, so that no wake in between is lost. */
uint64_t brant__wake_sequence(brant_db *db);

/*
 * Between brant__wait_begin and brant__wait_end: sleep until the sequence is not `seen` any more, `*ended`, the handle was closed or
 * interrupted (its count is not `interrupts`), `until` (ms of the monotonic clock; INT64_MAX: never) or a check is due.
 */
void brant__wake_wait(brant_db *handle, const atomic_bool *ended, unsigned interrupts,
                      uint64_t seen, int64_t until);

/* End the wait of whoever waits with this flag, after it was set. Any thread. */
void brant__wake_rouse(brant_db *db, const atomic_bool *ended);

/* Leave a cursor that was closed while another thread was inside, for whoever is inside next. False: nobody will be. */
bool brant__wake_orphan(brant_db *db, struct brant_cursor *cursor);
struct brant_cursor *brant__wake_orphans(brant_db *db); /* the list, taken. Inside the handle */

/* A cursor could not look because of the running transaction: all of them are to look when it ends. Inside the handle. */
void brant__wake_defer(brant_db *db);

/* In how many ms the next check is due; 0 also when one found something since `seen`. Any thread, while the state is kept. */
int64_t brant__wake_check_in(brant_db *db, uint64_t seen);

/* ---- the fallback check: inside the handle -------------------------------------------------------------------------------------- */

/* Do the check, when it is due. */
brant_status brant__wake_check(brant_db *db);
/* It found that something was written: all are to look, and to suspect that they missed a wake. */
void brant__wake_suspect(brant_db *db);
/* Before each fetch: is it due to a check that found something since `*seen`? (brant__wake_suspects says so until the next.) */
bool brant__wake_fetching(brant_db *db, uint64_t *seen);
/* Such a fetch yielded something: check often. */
void brant__wake_found(brant_db *db);

/* ---- health: inside the handle ------------------------------------------------------------------------------------------------ */

/* After a check: register again what was lost; true when there was something, and what was committed meanwhile is to be looked at. */
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
