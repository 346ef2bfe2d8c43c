/*
 * brant/event.h: notify, listen, cursors and waking.
 *
 * A notification is a row, written in the caller's transaction: it is seen after the commit, never before, and never when
 * it is rolled back. Channels are names of 1 to 255 bytes of UTF-8 without NUL. Each channel keeps its newest 10 000 notifications, for a day; a
 * busy channel never evicts a quiet one.
 */
#ifndef BRANT_EVENT_H
#define BRANT_EVENT_H

#include "store.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A cursor: what cannot be one answer. Its items may go on for ever (events.listen), or end (nodes.walk: it says so). Opened by brant_call_open or a function that names it; it keeps its handle's shell
 * alive, and ends (CLOSED) when the handle is closed.
 */
typedef struct brant_cursor brant_cursor;

/*
 * The next items as a JSON array, at most 256 (of streams.subscribe: its batch); "[]" when none came within `timeout` ms (0: do not wait; negative: wait until one
 * comes). Of a cursor that ends, "[]" at once, whatever the timeout, says that it is at its end; what it yields was there when it was opened. Waiting uses no CPU and does not occupy the handle. Several threads may wait on the cursors of one handle;
 * one cursor serves one thread at a time (MISUSE). To look, it enters the handle for some microseconds; while another thread's call is inside it waits
 * for that to end, whatever the timeout. Another writer who is in the way of going to sleep, or of what the cursor does itself (schedules.run), is waited for as by any
 * call, and after that the look is repeated: none came meanwhile. What the handle's own open transaction wrote is not shown before its commit.
 * CLOSED: cursor or handle; INTERRUPTED: brant_interrupt during the wait; IO: the database file was deleted, or another one is in its place.
 */
BRANT_API brant_status brant_cursor_next(char **out_json, size_t *out_json_len,
                                         brant_cursor *cursor, int64_t timeout);

/*
 * For event loops: in how many ms at most to look (brant_cursor_next, timeout 0) although the wake descriptor did not become readable: because something is due then, another writer
 * was in the way of the last look, or for the fallback check. -1: never, the cursor is at its end. 0: look at once, the last look may not have taken all. To be asked after each look.
 * CLOSED: cursor or handle.
 */
BRANT_API brant_status brant_cursor_wait(int64_t *out_ms, brant_cursor *cursor);

/* End a cursor and its wait, from any thread; any number of times. NULL is fine. */
BRANT_API brant_status brant_cursor_close(brant_cursor *cursor);

/* Free the shell of a cursor: closes it first. brant_last_error stays as it was. For finalisers. NULL is fine. */
BRANT_API void brant_cursor_free(brant_cursor *cursor);

/*
 * The handle's wake descriptor: readable when a commit by any process touched what one of the handle's cursors waits for, when the file was restored, and when
 * the handle is closed. Non-blocking, close-on-exec, owned by the handle: dup it to keep it in an event loop, never read
 * it. On readable (now and then for nothing): brant_wake_acknowledge, then brant_cursor_next(timeout 0) on each cursor. A commit by a program without our code,
 * or on a file that we can only read, does not signal, and what is due at a time does not either: so look at each cursor also after brant_cursor_wait.
 * Such a commit is noticed, by waits and by event loops, within one second while there are such, and within five when there have been none for some seconds; so are
 * a file that was deleted or replaced, and a wake that was lost with the process that was to send it. That check is all that a sleeping waiter costs: some 40 us of a processor.
 * After fork, parent and child must not both use what was opened before: in the child every call on such a handle or cursor fails with FORKED, but for those that close and free,
 * which release memory and leave the parent's file, socket and registrations alone. The child opens handles of its own.
 * UNSUPPORTED: ":memory:".
 */
BRANT_API brant_status brant_wake_fd(int *out_fd, brant_db *db);

/* Make the wake descriptor unreadable until the next wake. */
BRANT_API brant_status brant_wake_acknowledge(brant_db *db);

/* events.notify {"channel": text, "payload"?: any JSON (null) | "payload_base64"?: bytes} -> {"id": n}. Ids grow in commit order. INVALID: both payloads, no base64; LIMIT: larger than a document. */
BRANT_API brant_status brant_event_notify(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

/*
 * events.listen {"channels": [pattern..]} -> a cursor of {id, channel, payload | payload_base64, created_at}
 * Patterns are globs: `*` any bytes, `?` one code point, [abc] [a-z] [^a] sets, `\` the next character itself.
 * The cursor yields what is committed after this call returned, in commit order, each once. Where it was too slow and retention
 * removed what it had not read, it yields {"channel", "gap": {"from", "to"}} (ids, inclusive) in that place instead: of these some
 * may have been missed. Where the channel is not known any more, `channel` is the pattern. A gap from 0 says that the file was restored: everything may have
 * changed, and ids begin again behind `to`.
 * At most 1000 patterns of 1 to 1024 bytes, 64 KiB together (LIMIT).
 * MISUSE: inside a transaction (what is committed after could not be told).
 */
BRANT_API brant_status brant_event_listen(brant_cursor **out_cursor, brant_db *db, const char *json,
                                          size_t json_len);

/*
 * events.set_retention {"channel", "count"?: 1.. | null, "age"?: ms, 1.. | null} -> {"channel", "count", "newest_at"?, "kept_count", "kept_age"}
 * How many notifications of a channel are kept, and for how long; null: as of all channels (10 000, a day); what is not given stays. Holds before the first notification, too, and stays when the channel
 * is empty. The oldest beyond `count` go at once, later with the notifications that follow (there may be a twentieth more, at most 500); what is too old goes with db.maintain. Listeners
 * that have not read it are told of a gap.
 */
BRANT_API brant_status brant_event_set_retention(char **out_json, size_t *out_json_len,
                                                 brant_db *db, const char *json, size_t json_len);

/*
 * events.channels {"prefix"?, "limit"?: 1..10000 (100), "after"?: channel} -> {"items": [{channel, count, newest_at?, kept_count, kept_age}..], "next"?: channel}
 * By the bytes of their names. `count`: notifications that are there; `next`: where to go on, none at the end.
 */
BRANT_API brant_status brant_event_channels(char **out_json, size_t *out_json_len, brant_db *db,
                                            const char *json, size_t json_len);

#ifdef __cplusplus
}
#endif
#endif
