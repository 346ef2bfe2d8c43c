/*
 * brant/secret.h: encrypted attributes as a whole: under which keys they are, and bringing them under a new one. All are operations (store.h says what that means).
 *
 * To change keys: load a ring whose active key is new and that still has the old ones (crypto.h), in every process that writes; run secrets.rotate until it is done;
 * then drop the old ones from the ring. What is written meanwhile is sealed with the new key by whoever has it.
 */
#ifndef BRANT_SECRET_H
#define BRANT_SECRET_H

#include "store.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * secrets.rotate {"graph"?: name (all graphs of the file), "batch"?: rows, 1..100000 (1000), "limit"?: batches, 1..1000000 (1), "background"?: bool (false)}
 *   -> {"done", "key_version", "rewrapped", "sealed", "failed", "failures": [{graph, kind: "node" | "edge", key, path: JSON pointer, code, message}..] (at most 100), "remaining": rows,
 *       "scrubbed"?, "keys"?: [{version, count}..]}
 * Bring every value of an attribute that its type encrypts (x-encrypted) under the ring's active key: envelopes of other keys are opened and sealed anew (rewrapped), what is plain since its
 * type began to encrypt later is sealed. The value stays the same, so revision, updated_at and what retention counts from do, and nothing is announced; graphs' change counters
 * grow. Graphs that are archived or marked deleted are rotated too.
 * A batch is read, then opened and sealed without any lock, then written in one transaction together with how far the graph is: a call that was interrupted, or a process that died, goes on after the
 * last batch, and it does not matter how many processes rotate at once, and who writes meanwhile: a row is written only while it is what was read, and looked at again when it
 * changed. Within a transaction of the caller's all is of that one. A batch is of one graph; a call looks at `batch` times `limit` rows at most.
 * A failure's path with "attributes" before it is what nodes.open_secret and edges.open_secret take. What does not open (AUTH: tampered with, moved, of no known form; NOT_FOUND: its key is not in the ring, or disabled; UNSUPPORTED; LIMIT) is told in `failures`, counted in
 * `failed` and left as it is. Called again when it is done, a rotation tries those again.
 * A new active key begins a new rotation by itself, whatever became of the one before. Versions grow: a ring whose active key is older than the one that a graph was or is being rotated
 * to takes nothing back: CONFLICT. So is a ring whose active key is another than the one that the file knows by its version (crypto.h).
 * Then come the graphs' change logs: values that were plain in them become {"$redacted": true}. done: all graphs are through, and a count of all values (`keys`; version 0:
 * plain, or of no known form) finds no other key than the active one's but on those that failed: what others still write with an older ring is rotated again by this or
 * the next call. scrubbed: nothing is left of what was plain in the file and its log, which is rewritten for it where something was; false: a reader or a full disk prevented that,
 * or the call was inside a transaction: call again.
 * The counts are of this call; `remaining` are rows of types that encrypt: near while others write, 0 when done.
 * background: {"job": id} instead: a job of the queue "secret-rotation" (queue.h), which db.maintain works some batches at a time on handles whose active key is not older than any that
 * was rotated to, this rotation's included where the caller has a ring; others pass it over. Its progress and, for a week, its result are {"steps": batches, "answer": as above}. One waits for each graph, and one for all.
 * NOT_FOUND: the handle has no active key; no such graph.
 */
BRANT_API brant_status brant_secret_rotate(char **out_json, size_t *out_json_len, brant_db *db,
                                           const char *json, size_t json_len);

/*
 * secrets.status {"graph"?: name (all graphs of the file)} -> {"keys": [{version, state, count}..], "total", "rotation": null | {key_version, done, rewrapped, sealed, failed, remaining: rows,
 *   started_at, updated_at}}
 * keys: how many values are under each key version, in order; every one is counted. state: what the handle's ring says of it: "active" | "decrypt_only" | "disabled" | "destroyed" |
 * "unknown" (not in the ring, or there is none); of version 0, what is plain or of no known form, "plain". Needs no ring, and opens nothing.
 * rotation: the one to the newest key, its counts since it began. done: no graph that it was begun for is left; graphs that came later are sealed with the active key by themselves.
 */
BRANT_API brant_status brant_secret_status(char **out_json, size_t *out_json_len, brant_db *db,
                                           const char *json, size_t json_len);

#ifdef __cplusplus
}
#endif

#endif
