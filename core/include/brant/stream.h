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
 *
 * Exactly once. A consumer that commits its offset in the transaction of the effect (transaction.begin .. consumers.commit .. transaction.commit) has each event take effect
 * once, whenever it is killed. One that commits after the effect has it at least once.
 */
#ifndef BRANT_STREAM_H
#define BRANT_STREAM_H

#include "event.h"
#include "store.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- streams ---------------------------------------------------------------------------------------------------------------- */

/*
 * streams.configure {"stream", "max_age"?: ms, "max_count"?: n, "keep_unread"?: bool, "compact"?: bool, "compact_after"?: ms} -> Stream
 * What it keeps. An absent member changes nothing; null: back to the default.
 * max_age, max_count (null: without bound): older events, or the oldest beyond so many, are trimmed: by count as others are published, a few hundred more than that may be there meanwhile;
 * by age in db.maintain. keep_unread (false): of these only what all consumers and groups have processed; with max_count 0, all of that.
 * compact (false): db.maintain keeps of each key the newest event; events without a key stay. A null payload with a key is a tombstone: it goes, too, compact_after ms (0) after it was
 * published. With keep_unread nothing is compacted that is unread.
 * Stream: {"stream", "first": the oldest offset that is there (last + 1: none), "last": the newest that was given (0: none), "count", "policy": {the five}, "consumers": how many,
 * "trimmed_through": offset, "created_at", "updated_at"}
 */
BRANT_API brant_status brant_stream_configure(char **out_json, size_t *out_json_len, brant_db *db,
                                              const char *json, size_t json_len);

/* streams.get {"stream"} -> Stream. NOT_FOUND. */
BRANT_API brant_status brant_stream_get(char **out_json, size_t *out_json_len, brant_db *db,
                                        const char *json, size_t json_len);

/* streams.list {"prefix"?, "limit"?: 1..10000 (100), "after"?: name} -> {"items": [Stream..], "next"?: name}: by name, byte by byte; next: go on after it. */
BRANT_API brant_status brant_stream_list(char **out_json, size_t *out_json_len, brant_db *db,
                                         const char *json, size_t json_len);

/*
 * streams.delete {"stream", "force"?: bool} -> {"deleted": n events}
 * At once for everybody; the rows of many events go bit by bit, with db.maintain. CONFLICT: it has consumers or groups; with force they go, too. NOT_FOUND.
 */
BRANT_API brant_status brant_stream_delete(char **out_json, size_t *out_json_len, brant_db *db,
                                           const char *json, size_t json_len);

/*
 * streams.publish {"stream", "payload"?: any JSON | "payload_base64"?: text, "key"?: text} -> {"offset": n}
 * Seen by others after the commit, never when it is rolled back.
 * LIMIT: the payload is larger than a document may be. CONFLICT: the stream is the change log of a graph ("changes:" and its id), which only the graph writes.
 */
BRANT_API brant_status brant_stream_publish(char **out_json, size_t *out_json_len, brant_db *db,
                                            const char *json, size_t json_len);

/*
 * streams.publish_many {"stream", "items": [{"payload"? | "payload_base64"?, "key"?}..]} -> {"first": n, "last": n}
 * All or none, with offsets one after the other. LIMIT: more items than a batch may have. CONFLICT: as above.
 */
BRANT_API brant_status brant_stream_publish_many(char **out_json, size_t *out_json_len,
                                                 brant_db *db, const char *json, size_t json_len);

/*
 * streams.read {"stream", "after"?: offset (0), "since"?: ms, "limit"?: 1..100000 (1000), "keys"?: [1..1000 keys], "reverse"?: bool}
 *   -> {"items": [Event..], "next"?: offset, "gap"?: {"from", "to"}}
 * The events behind `after`, in order. since: of these, those not older than that time. keys: of these, those with one of the keys. reverse: the newest first; then those before `after`
 * (absent: from the newest on). next: there are more, and this is the `after` to go on with. An answer ends early when it is longer than 16 MiB. gap: some behind `after` were
 * trimmed; not told with since or reverse. In a transaction its own events are read, too.
 * NOT_FOUND: the stream.
 */
BRANT_API brant_status brant_stream_read(char **out_json, size_t *out_json_len, brant_db *db,
                                         const char *json, size_t json_len);

/* streams.latest {"stream", "key"} -> Event: the newest of the key, also when it is a tombstone. NOT_FOUND: the stream, or there is none. */
BRANT_API brant_status brant_stream_latest(char **out_json, size_t *out_json_len, brant_db *db,
                                           const char *json, size_t json_len);

/*
 * streams.subscribe {"stream", "consumer"?, "from"?: "start" | "end" | offset | {"time": ms}, "keys"?: [1..1000 keys], "batch"?: 1..10000 (256)}
 *   -> a cursor of Event and {"gap": {"from", "to"}}
 * What is there, then what comes, in order, each once, at most `batch` at a look, which ends early at 8 MiB. from: "start": the oldest that is there; an
 * offset: behind it; a time: the events of that time and later. Without a consumer "end" is the default: what is committed after this call. A consumer begins behind its saved offset; only one that is
 * new begins with `from` (default "start"), and is made. The cursor saves nothing: consumers.commit does. consumers.seek does not move a cursor that is open.
 * {"gap"}: these offsets were trimmed before they were read (with keys: some of them may have had one). A gap from 0: the file was restored, or the stream was deleted and made anew; everything may have
 * changed, and the cursor goes on behind `to`: behind what its consumer has saved there, or else, after a restore, behind the newest. A stream that was deleted yields nothing until it
 * is there again. What the handle's own transaction published is not shown before its commit.
 * Two cursors of one consumer both get all: a group shares.
 * MISUSE: inside a transaction; INVALID: an offset beyond the newest; CONFLICT: the consumer is a group.
 */
BRANT_API brant_status brant_stream_subscribe(brant_cursor **out_cursor, brant_db *db,
                                              const char *json, size_t json_len);

/*
 * streams.trim {"stream", "before"?: offset, "max_count"?: n, "max_age"?: ms} -> {"trimmed": n}
 * Remove the oldest now: those before an offset, beyond a count, older than an age; what any of them says, read or not. Who had not read them is told of a gap. INVALID: none given. NOT_FOUND.
 */
BRANT_API brant_status brant_stream_trim(char **out_json, size_t *out_json_len, brant_db *db,
                                         const char *json, size_t json_len);

/* streams.compact {"stream"} -> {"removed": n}: compaction (streams.configure) now, whether the stream's policy has it or not. NOT_FOUND. */
BRANT_API brant_status brant_stream_compact(char **out_json, size_t *out_json_len, brant_db *db,
                                            const char *json, size_t json_len);

/*
 * streams.stats {"stream"?} -> {"stream", "first", "last", "count", "oldest_at"?, "newest_at"?, "rates": {"published": per second, over the last 5 minutes},
 *   "consumers": [{"name", "kind": "consumer" | "group", "offset", "lag": events, "lag_ms": age of the oldest that is not processed}..]}; without a stream {"items": [these..]}
 * NOT_FOUND.
 */
BRANT_API brant_status brant_stream_stats(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

/* ---- consumers -------------------------------------------------------------------------------------------------------------- */

/*
 * consumers.commit {"stream", "consumer", "offset"} -> {"offset": the saved one}
 * What is up to this offset was processed. Never goes back: a lower one answers what is saved. Makes a consumer that is not there.
 * NOT_FOUND: the stream; INVALID: beyond the newest offset; CONFLICT: it is a group.
 */
BRANT_API brant_status brant_consumer_commit(char **out_json, size_t *out_json_len, brant_db *db,
                                             const char *json, size_t json_len);

/*
 * consumers.seek {"stream", "consumer", "to": "start" | "end" | offset | {"time": ms}} -> {"offset": n}
 * The one that may go back: the consumer, or group, goes on behind this offset. What a group has handed out is forgotten: its tokens are stale. Makes a consumer that is not there.
 * NOT_FOUND: the stream; INVALID: beyond the newest offset.
 */
BRANT_API brant_status brant_consumer_seek(char **out_json, size_t *out_json_len, brant_db *db,
                                           const char *json, size_t json_len);

/*
 * consumers.get {"stream", "consumer"} -> {"stream", "consumer", "kind": "consumer" | "group", "offset": what is up to it was processed, "lag": how many were not (as far as offsets
 *   tell), "pending"?: of a group, how many are handed out and not acknowledged, "updated_at"}
 * NOT_FOUND: the stream, or it.
 */
BRANT_API brant_status brant_consumer_get(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

/* consumers.list {"stream"} -> {"items": [as consumers.get..]}, by name. NOT_FOUND: the stream. */
BRANT_API brant_status brant_consumer_list(char **out_json, size_t *out_json_len, brant_db *db,
                                           const char *json, size_t json_len);

/* consumers.delete {"stream", "consumer"} -> {}: a consumer or group. NOT_FOUND. */
BRANT_API brant_status brant_consumer_delete(char **out_json, size_t *out_json_len, brant_db *db,
                                             const char *json, size_t json_len);

/* ---- groups ------------------------------------------------------------------------------------------------------------------- */

/*
 * consumers.claim {"stream", "group", "member", "limit"?: 1..1000 (1), "lease"?: ms (30000), "from"?: "start" (default) | "end" | offset | {"time": ms}}
 *   -> {"items": [Event + {"token": n, "delivery": n}..], "gap"?: {"from", "to"}}
 * Each event goes to one member, until it is acknowledged or its lease ends: then to whoever claims next, with a new token; delivery says how often it was. Those come first, then new
 * ones, each by offset. Stream and group are made where they are not there; `from` is for that.
 * gap: of the events from one offset to the other some were trimmed before they were acknowledged; others were acknowledged, or are still with a member. The cost does not grow with what is pending.
 * CONFLICT: the group is a consumer.
 */
BRANT_API brant_status brant_consumer_claim(char **out_json, size_t *out_json_len, brant_db *db,
                                            const char *json, size_t json_len);

/*
 * consumers.ack {"stream", "group", "items": [{"offset", "token"}..]} -> {"acked": n, "stale": [offsets]}
 * Processed. stale: the token is not of the event's last claim, or it is pending no more. The group's offset is what is up to it was acknowledged.
 * NOT_FOUND: the stream, or the group.
 */
BRANT_API brant_status brant_consumer_ack(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

/* consumers.extend {"stream", "group", "items": [{"offset", "token"}..], "lease"?: ms (30000)} -> as consumers.ack: their leases end so much later than now. */
BRANT_API brant_status brant_consumer_extend(char **out_json, size_t *out_json_len, brant_db *db,
                                             const char *json, size_t json_len);

/* consumers.release {"stream", "group", "items": [{"offset", "token"}..]} -> as consumers.ack: to others at once. */
BRANT_API brant_status brant_consumer_release(char **out_json, size_t *out_json_len, brant_db *db,
                                              const char *json, size_t json_len);

/*
 * consumers.watch {"stream", "group", "from"?: as consumers.claim} -> a cursor of {"ready": true}
 * Each look yields one while there is something to claim; else it sleeps until there is: one of the members who sleep is woken for each event that was published, or released, and one when
 * a lease ends. Stream and group are made where they are not there. The cursor fails with NOT_FOUND when they are deleted.
 * CONFLICT: the group is a consumer; READ_ONLY.
 */
BRANT_API brant_status brant_consumer_watch(brant_cursor **out_cursor, brant_db *db,
                                            const char *json, size_t json_len);

#ifdef __cplusplus
}
#endif
#endif
