/*
 * event/event.h: notifications, cursors and waking, as the modules above use them.
 */
#ifndef BRANT__EVENT_H
#define BRANT__EVENT_H

#include "brant/event.h"
#include "event/input.h"
#include "store/store.h"

/*
 * Write a notification in the running write transaction and note its channel as a topic to wake. `payload` is compact JSON. *out_id may be NULL.
 */
brant_status brant__notify(int64_t *out_id, brant_db *db, brant__text channel, brant__text payload);

/* ---- cursors (cursor.c) -------------------------------------------------------------------------------------------------- */

#define BRANT__CURSOR_ITEMS 256

/* What a look found: `count` items were appended; `more`: look again at once, bounded work ended before all was looked at; `until`: the time of the database's
 * clock (ms) at which to look again by itself, INT64_MAX (what it is set to before): never; `end`: after these items there is nothing, for ever. */
typedef struct brant__fetch {
    size_t count;
    bool more;
    int64_t until;
    bool end;
} brant__fetch;

enum {
    BRANT__FETCH_READ, /* in a read transaction */
    BRANT__FETCH_OWN, /* it begins and commits transactions of its own; not called while the handle's user has one open */
    BRANT__FETCH_NONE, /* in none, or in whichever is open: it reads nothing of the file */
};

/*
 * A kind of cursor. `fetch` runs inside the handle and appends the items that are there now to `writer`, which stands inside an array, at most BRANT__CURSOR_ITEMS.
 * What it yields counts as delivered, so it moves its position only when `writer` has not failed. It is called once more than there was reason to: whoever was woken
 * for nothing finds nothing; and after BUSY, which leaves `state` as it was. `destroy` runs inside the handle, or with the handle closed, once; what it fails with is dropped.
 * Of FETCH_READ, the handle's own transaction may be open: rows from brant__wake_uncommitted_from on are not to be shown.
 * Of FETCH_OWN, it is as if nothing were there while one is open, and the cursor looks as soon as it has ended.
 * `ends`: the first "none" is the end, for which nobody waits.
 */
typedef struct brant__cursor_kind {
    brant_status (*fetch)(brant__fetch *out, brant_db *db, void *state, brant__writer *writer);
    void (*destroy)(brant_db *db, void *state);
    int transaction;
    bool ends;
} brant__cursor_kind;

/* Takes `state` over also when it fails. Inside the handle. */
brant_status brant__cursor_new(brant_cursor **out_cursor, brant_db *db,
                               const brant__cursor_kind *kind, void *state);

/* ---- wake (wake.c) --------------------------------------------------------------------------------------------------------- */

/*
 * Topics of our own begin with a byte that keeps them apart from channels: no pattern of events.listen matches them, and they are compared as they are, not as globs. Make them with
 * brant__topic_of: <mark><kind>:<name>, and for two names <mark><kind>:<name>/<more>.
 */
#define BRANT__TOPIC_MARK '\x01'
#define BRANT__TOPIC_SIZE 640
typedef struct brant__topic {
    char bytes[BRANT__TOPIC_SIZE];
} brant__topic;
/* The text lives in `topic`. `kind` is a word of ours ("queue"); names of more than 255 bytes are cut. `more` {NULL, 0}: there is none. */
brant__text brant__topic_of(brant__topic *topic, const char *kind, brant__text name,
                            brant__text more);
/* Of what has a number that is never given again: a job, a group. */
brant__text brant__topic_of_id(brant__topic *topic, const char *kind, int64_t id);

/*
 * Register patterns (globs of channels, or topics of our own) for this handle, in a write transaction (nested: the registration is found missing and made again by the next check, should the outer one roll back);
 * *out_id identifies the registration. Read-only files and ":memory:": no registration, 0. A commit later than ours that touches a matching topic wakes the handle.
 */
brant_status brant__wake_register(int64_t *out_id, brant_db *db, const brant__text *patterns,
                                  size_t count);
/* Take a registration back; quietly does nothing where the file cannot be written now. */
void brant__wake_unregister(brant_db *db, int64_t id);
/* In a write transaction: all who registered for this topic are woken after its commit. */
brant_status brant__wake_touch(brant_db *db, brant__text topic);
/* In a write transaction, after brant__wake_touch was called once on the handle: everybody is. */
void brant__wake_touch_all(brant_db *db);
/* How often this handle was woken by a commit: for tests and statistics. */
uint64_t brant__wake_count(brant_db *db);

/* ---- operations ------------------------------------------------------------------------------------------------------------- */

brant_status brant__event_channels(brant__call *call);
brant_status brant__event_notify(brant__call *call);
brant_status brant__event_set_retention(brant__call *call);
brant_status brant__event_listen(brant_cursor **out_cursor, brant_db *db, yyjson_val *input);
/*
 * Remove the notifications that `holds` says, in the running write transaction. Who has not read them is told of a gap.
 */
typedef brant_status (*brant__event_holds)(bool *out_holds, void *context, brant__text channel,
                                           brant__payload payload);
brant_status brant__event_remove(int64_t *out_count, brant_db *db, brant__event_holds holds,
                                 void *context);
/* db.restore, of which those who wait are told. */
brant_status brant__event_restore(brant__call *call);
/* Part of db.maintain: retention. */
brant_status brant__event_maintain(int64_t *out_pruned, brant_db *db);

#endif
