/*
 * brant/stream.h: streams: append-only, read by offset, by consumers that remember where they are, or by groups that share the work. All but the subscriptions are
 * operations (store.h says what that means).
 *
 * A stream is made by its first use. Offsets begin at 1 and are given in commit order without a gap; none is given twice, whatever is removed.
 * Names of streams, consumers, groups and members, and keys of events, are texts of 1 to 255 bytes without NUL (INVALID).
 * A payload is any JSON (`payload`; absent: null) or bytes (`payload_base64`; answered so). An event's created_at (ms) never is before that of the event in front of it,
 * also when the clock goes back.
 *
 * Event: {"offset": n, "key"?: text, "payload": any | "payload_base64": text, "created_at": ms}
 * A gap {"from", "to"} (offsets, inclusive) stands for events that were trimmed before they were read: nothing is left out without saying so. What compaction
 * or db.erase removed is no gap.
 */
#ifndef BRANT_STREAM_H
#define BRANT_STREAM_H

#include "event.h"
#include "store.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * streams.publish {"stream", "payload"?: any JSON | "payload_base64"?: text, "key"?: text} -> {"offset": n}
 * Seen by others after the commit, never when it is rolled back.
 * LIMIT: the payload is larger than a document may be.
 */
BRANT_API brant_status brant_stream_publish(char **out_json, size_t *out_json_len, brant_db *db,
                                            const char *json, size_t json_len);

/*
 * streams.publish_many {"stream", "items": [{"payload"? | "payload_base64"?, "key"?}..]} -> {"first": n, "last": n}
 * All or none, with offsets one after the other. LIMIT: more items than a batch may have.
 */
BRANT_API brant_status brant_stream_publish_many(char **out_json, size_t *out_json_len,
                                                 brant_db *db, const char *json, size_t json_len);

/*
 * streams.read {"stream", "after"?: offset (0), "since"?: ms, "limit"?: 1..100000 (1000), "reverse"?: bool}
 *   -> {"items": [Event..], "next"?: offset, "gap"?: {"from", "to"}}
 * The events behind `after`, in order. since: of these, those not older than that time. reverse: the newest first; then those before `after` (absent: from the newest on).
 * next: there are more, and this is the `after` to go on with. An answer ends early when it is longer than 16 MiB. gap: some behind `after` were trimmed; not told with
 * since or reverse. In a transaction its own events are read, too.
 * NOT_FOUND: the stream.
 */
BRANT_API brant_status brant_stream_read(char **out_json, size_t *out_json_len, brant_db *db,
                                         const char *json, size_t json_len);

#ifdef __cplusplus
}
#endif
#endif
