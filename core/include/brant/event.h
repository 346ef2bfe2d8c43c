/*
 * brant/event.h: notify and listen.
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

/* events.notify {"channel": text, "payload"?: any JSON (null)} -> {"id": n}. Ids grow in commit order. */
BRANT_API brant_status brant_event_notify(char **out_json, size_t *out_json_len, brant_db *db, const char *json,
                                          size_t json_len);

/*
 * events.listen {"channels": [pattern..]} -> a cursor of {id, channel, payload, created_at}
 * Patterns are globs: `*` any bytes, `?` one code point, [abc] [a-z] [^a] sets, `\` the next character itself.
 * The cursor yields what is committed after this call returned, in commit order, each once. Where it was too slow and retention
 * removed what it had not read, it yields {"channel", "gap": {"from", "to"}} (ids, inclusive) in that place instead.
 * MISUSE: inside a transaction (what is committed after could not be told).
 */
BRANT_API brant_status brant_event_listen(brant_cursor **out_cursor, brant_db *db, const char *json, size_t json_len);

#ifdef __cplusplus
}
#endif
#endif
