/*
 * brant/lock.h: named leases with fencing tokens, and rate limits. All but the subscription are operations (store.h says what that means).
 *
 * Names of locks, owners and limits are texts of 1 to 255 bytes without NUL (INVALID); those that begin with "brant:" are the library's. Times are ms.
 *
 * Locks. A lock is held by an owner until a moment, unless it is refreshed; then it is free, whether the owner lives or not. So who holds one may have lost it without
 * knowing: give its token to whatever the lock protects, and let that refuse a token smaller than one it has seen. Tokens grow for ever within a file, also across
 * releases, restarts and restores. The owner is a name of the caller's choice: the same name twice is the same owner, so threads or processes that exclude each other need
 * different ones.
 * When the clock is set back, a lease that is met from then on lasts as long as it was given at the most.
 *
 * Lock: {"name", "owner", "token", "acquired_at", "expires_at"}
 */
#ifndef BRANT_LOCK_H
#define BRANT_LOCK_H

#include "event.h"
#include "store.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * locks.acquire {"name", "owner", "ttl"?: ms 1..31622400000 (30000)} -> {"acquired": bool, "token"?: n, "expires_at": ms, "owner": text}
 * Does not wait: locks.watch tells when to try again. `owner` and `expires_at` are those of whoever holds it now; the token is there when that is the caller. An owner that
 * holds it already keeps its token, and its lease ends `ttl` from now.
 */
BRANT_API brant_status brant_lock_acquire(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

/*
 * locks.refresh {"name", "token", "ttl"?: ms (as long as it was given before)} -> {"expires_at": ms}
 * STALE: the lease with this token is over, by time, release, break or another's.
 */
BRANT_API brant_status brant_lock_refresh(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

/* locks.release {"name", "token"} -> {}. Wakes one of those who watch. STALE: as locks.refresh; nothing is released. */
BRANT_API brant_status brant_lock_release(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

/* locks.break {"name"} -> {"token": of the lease that is over now}. Whoever holds it. NOT_FOUND: nobody does. */
BRANT_API brant_status brant_lock_break(char **out_json, size_t *out_json_len, brant_db *db,
                                        const char *json, size_t json_len);

/* locks.get {"name"} -> Lock. NOT_FOUND: nobody holds it. */
BRANT_API brant_status brant_lock_get(char **out_json, size_t *out_json_len, brant_db *db,
                                      const char *json, size_t json_len);

/*
 * locks.list {"prefix"?: text, "limit"?: 1..10000 (100), "after"?: name} -> {"items": [Lock..], "next"?: name}
 * Those that are held, by name. next: there are more, and this is the `after` to go on with.
 */
BRANT_API brant_status brant_lock_list(char **out_json, size_t *out_json_len, brant_db *db,
                                       const char *json, size_t json_len);

/*
 * locks.watch {"name"} -> a cursor of {"free": true}
 * Each look that finds the lock free yields one item; while it is held the cursor sleeps. So: next, then locks.acquire, and next again if another was faster. Of those who
 * sleep one is woken when the lock is released or broken, who slept longest first, and when a lease ends one after the other, some 20 ms apart.
 */
BRANT_API brant_status brant_lock_watch(brant_cursor **out_cursor, brant_db *db, const char *json,
                                        size_t json_len);

/*
 * rate_limits.take {"name", "kind": "sliding_window" | "token_bucket", "limit": 1..100000000, "period": ms 1..31622400000, "burst"?: of a bucket, 1..100000000 (limit),
 *                   "cost"?: 1..100000000 (1)}
 *   -> {"allowed": bool, "remaining": n, "retry_after": ms, "reset_at": ms}
 * Take `cost` at once, or nothing.
 * sliding_window: no window of `period` ms ever holds more than `limit`, exactly: a window is any (t - period, t].
 * token_bucket: the bucket holds `burst` at most, and begins full; `limit` tokens per `period` come back, evenly and exactly.
 * remaining: what could be taken at once after this; retry_after: the ms after which the same could be taken if nobody else takes anything, 0 when it was allowed;
 * reset_at: when all of it is there again.
 * What was taken under a name counts on when limit, period or burst change; a longer period finds what was taken within the shorter one, a bucket then loses the broken part of a token. With another kind
 * it begins anew. When the clock is set back, time goes on from where it was: nothing is given twice, and nobody waits longer.
 * INVALID: a cost that is more than the limit, or the burst; a burst of a sliding window.
 */
BRANT_API brant_status brant_rate_limit_take(char **out_json, size_t *out_json_len, brant_db *db,
                                             const char *json, size_t json_len);

/* rate_limits.peek {as rate_limits.take} -> as rate_limits.take, as if it were done, but nothing is taken: `remaining` is what there is. */
BRANT_API brant_status brant_rate_limit_peek(char **out_json, size_t *out_json_len, brant_db *db,
                                             const char *json, size_t json_len);

/* rate_limits.reset {"name"} -> {"reset": bool}. As if nothing had ever been taken. false: nothing had. */
BRANT_API brant_status brant_rate_limit_reset(char **out_json, size_t *out_json_len, brant_db *db,
                                              const char *json, size_t json_len);

/*
 * rate_limits.list {"prefix"?: text, "limit"?: 1..10000 (100), "after"?: name}
 *   -> {"items": [{"name", "kind", "limit", "period", "burst"?, "remaining", "reset_at"}..], "next"?: name}
 * As they were last taken from, by name. db.maintain removes those that are whole again.
 */
BRANT_API brant_status brant_rate_limit_list(char **out_json, size_t *out_json_len, brant_db *db,
                                             const char *json, size_t json_len);

#ifdef __cplusplus
}
#endif
#endif
