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

/*
 * A kind of cursor. `fetch` runs inside the handle and in a read transaction and appends the items that are there now to `out`, a writer that stands inside an array,
 * at most 256. `destroy` runs inside the handle, or with the handle closed, once.
 */
typedef struct brant__cursor_kind {
    brant_status (*fetch)(size_t *out_count, brant_db *db, void *state, brant__writer *out);
    void (*destroy)(brant_db *db, void *state);
} brant__cursor_kind;

/* Takes `state` over also when it fails. Inside the handle. */
brant_status brant__cursor_new(brant_cursor **out_cursor, brant_db *db, const brant__cursor_kind *kind, void *state);

/* ---- wake (wake.c) --------------------------------------------------------------------------------------------------------- */

/* Register patterns for this handle, in a write transaction of its own; *out_id identifies the registration. Read-only files: no registration, 0. */
brant_status brant__wake_register(int64_t *out_id, brant_db *db, const brant__text *patterns, size_t count);
/* Take a registration back; quietly does nothing where the file cannot be written now. */
void brant__wake_unregister(brant_db *db, int64_t id);
/* In a write transaction: waiters of this topic are woken after its commit. */
brant_status brant__wake_touch(brant_db *db, brant__text topic);

/* ---- operations ------------------------------------------------------------------------------------------------------------- */

brant_status brant__event_notify(brant__call *call);
brant_status brant__event_listen(brant_cursor **out_cursor, brant_db *db, yyjson_val *input);
/* Part of db.maintain: retention. */
brant_status brant__event_maintain(int64_t *out_pruned, brant_db *db);

#endif
