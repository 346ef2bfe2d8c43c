/*
 * event/event.h: notifications, cursors and waking, as the modules above use them.
 */
#ifndef BRANT__EVENT_H
#define BRANT__EVENT_H

#include "brant/event.h"
#include "store/store.h"

/*
 * Write a notification in the running write transaction and note its channel as a topic to wake. `payload` is compact JSON. *out_id may be NULL.
 */
brant_status brant__notify(int64_t *out_id, brant_db *db, brant__text channel, brant__text payload);

/* ---- cursors (cursor.c) -------------------------------------------------------------------------------------------------- */

#define BRANT__CURSOR_ITEMS 256

/*
 * A kind of cursor. `fetch` runs inside the handle and in a read transaction and appends the items that are there now to `out`, a writer that stands inside an array,
 * at most BRANT__CURSOR_ITEMS; *out_more: bounded work ended before all was looked at, so ask again without waiting. What it yields counts as
 * delivered, so it moves its position only when `out` has not failed. `destroy` runs inside the handle, or with the handle closed, once.
 * The handle's own transaction may be open: rows from brant__wake_uncommitted_from on are not to be shown.
 *
 * One that is `finite` reads nothing of the file: its `fetch` runs in no transaction, or in whichever is open, and its items end: "none" is the end, for which nobody waits.
 */
typedef struct brant__cursor_kind {
    brant_status (*fetch)(size_t *out_count, bool *out_more, brant_db *db, void *state,
                          brant__writer *out);
    void (*destroy)(brant_db *db, void *state);
    bool finite;
} brant__cursor_kind;

/* Takes `state` over also when it fails. Inside the handle. */
brant_status brant__cursor_new(brant_cursor **out_cursor, brant_db *db,
                               const brant__cursor_kind *kind, void *state);

/* ---- wake (wake.c) --------------------------------------------------------------------------------------------------------- */

/*
 * Register patterns for this handle, in a write transaction (nested: the registration is found missing and made again within a second, should the outer one roll back);
 * *out_id identifies the registration. Read-only files and ":memory:": no registration, 0. A commit later than ours that touches a matching topic wakes the handle.
 */
brant_status brant__wake_register(int64_t *out_id, brant_db *db, const brant__text *patterns,
                                  size_t count);
/* Take a registration back; quietly does nothing where the file cannot be written now. */
void brant__wake_unregister(brant_db *db, int64_t id);
/* In a write transaction: waiters of this topic are woken after its commit. */
brant_status brant__wake_touch(brant_db *db, brant__text topic);
/* How often this handle was woken by a commit: for tests and statistics. */
uint64_t brant__wake_count(brant_db *db);

/* ---- operations ------------------------------------------------------------------------------------------------------------- */

brant_status brant__event_notify(brant__call *call);
brant_status brant__event_listen(brant_cursor **out_cursor, brant_db *db, yyjson_val *input);
/*
 * Remove the notifications that `holds` says, in the running write transaction. Who has not read them is told of a gap.
 */
typedef brant_status (*brant__event_holds)(bool *out_holds, void *context, brant__text channel,
                                           brant__text payload);
brant_status brant__event_remove(int64_t *out_count, brant_db *db, brant__event_holds holds,
                                 void *context);
/* Part of db.maintain: retention. */
brant_status brant__event_maintain(int64_t *out_pruned, brant_db *db);

#endif
