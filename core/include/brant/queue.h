/*
 * brant/queue.h: queues of jobs that are done at least once.
 *
 * A job is a row, written in the caller's transaction: it is there after the commit, together with whatever else was committed. Its state is ready (can run now), delayed
 * (until run_at), blocked (its key is taken, or it comes after jobs that are not finished), running (claimed, until its lease ends), and then done, dead, cancelled or expired. Ids grow in the order of
 * enqueueing and are never used twice.
 *
 * A claim hands a job out for a lease, with a token that no other claim of the job has. Whoever comes with an older token is told STALE: the job ended, or its lease did and
 * it was made ready again, or claimed by somebody else or by the same worker. A lease that has ended is taken back by the next claim, not before: until then its holder may still
 * extend or acknowledge it. So a job may begin more than once; its effects are to be written in the transaction of its ack, or to be the same when written twice.
 *
 * What a claim costs does not depend on what cannot run: delayed, blocked, dead and foreign jobs and those of paused queues are never looked at. Each call promotes, takes back, expires and
 * lets on at most 100 jobs, and the next goes on; a claim that would hand out nothing else expires up to 10 000 that are in its way.
 *
 * Names of queues, keys and workers are texts of 1 to 255 bytes without NUL. Payloads are JSON (`payload`) or bytes (`payload_base64`). Times are ms.
 */
#ifndef BRANT_QUEUE_H
#define BRANT_QUEUE_H

#include "event.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- queues -------------------------------------------------------------------------------------- */

/*
 * queues.configure {"queue", ...policy} -> queue: {"queue", "state": "active" | "paused" | "draining", "policy": {..all members}, "revision", "created_at", "updated_at"}
 * Makes the queue where there is none. The members given are changed; null takes one back to its default. They are:
 *   lease            30000 ms: how long a claim lasts without a heartbeat
 *   max_attempts     20: attempts that fail, or whose lease ends, before a job is dead
 *   backoff          {"base": 1000, "factor": 2, "max": 3600000, "jitter": 0.2}: after attempt n a job waits min(max, base * factor^(n-1)) ms, by chance up to `jitter` of it more or less
 *   concurrency      null: most that run at once
 *   key_concurrency  null: most of one key that run at once; those with the highest priority, then the smallest id, go first
 *   fifo             false. true: per key strictly in order of id, one at a time; one that is delayed or waits for its retry holds those behind it. Jobs without a key are free.
 *   rate_limit       null, or {"limit", "period" ms}: in no window of that length are more jobs claimed
 *   result_ttl       0 ms: how long a done job is kept with its result; 0: it is deleted at once
 *   dead_ttl         null: a dead job is kept until it is pruned
 *   cancelled_ttl    86400000 ms: how long cancelled and expired jobs are kept
 *   max_size         null: most jobs that wait or run; then enqueueing is LIMIT
 * A change of key_concurrency or fifo puts all waiting jobs with keys in order at once, and of max_size counts them: that takes as long as there are many.
 */
BRANT_API brant_status brant_queue_configure(char **out_json, size_t *out_json_len, brant_db *db,
                                             const char *json, size_t json_len);

/* queues.get {"queue"} -> queue. NOT_FOUND. */
BRANT_API brant_status brant_queue_get(char **out_json, size_t *out_json_len, brant_db *db,
                                       const char *json, size_t json_len);

/* queues.list {"prefix"?, "limit"?: 1..10000 (100), "after"?: name} -> {"items": [queue..], "next"?: name to go on after}, by name */
BRANT_API brant_status brant_queue_list(char **out_json, size_t *out_json_len, brant_db *db,
                                        const char *json, size_t json_len);

/* queues.pause {"queue"} -> queue. Nothing is claimed; what runs goes on. NOT_FOUND. */
BRANT_API brant_status brant_queue_pause(char **out_json, size_t *out_json_len, brant_db *db,
                                         const char *json, size_t json_len);

/* queues.resume {"queue"} -> queue. Active again, also after queues.drain; wakes who waits. NOT_FOUND. */
BRANT_API brant_status brant_queue_resume(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

/* queues.drain {"queue"} -> queue. Nothing new is taken (enqueueing is CONFLICT); what is there is worked off. NOT_FOUND. */
BRANT_API brant_status brant_queue_drain(char **out_json, size_t *out_json_len, brant_db *db,
                                         const char *json, size_t json_len);

/*
 * queues.delete {"queue", "force"?: bool (false)} -> {"deleted": jobs}
 * With its jobs, in one transaction, which takes as long as there are many. Jobs of other queues that come after one of them are cancelled, unless their on_failure is "run".
 * CONFLICT: jobs are running, without force; their holders are told STALE. NOT_FOUND.
 */
BRANT_API brant_status brant_queue_delete(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

/* ---- enqueueing ------------------------------------------------------------------------------------ */

/*
 * queues.enqueue {"queue", "payload"? | "payload_base64"?, options..} -> {"id", "state", "duplicate": bool, "action": "enqueued" | "skipped" | "replaced" | "rescheduled"}
 * Makes the queue, with the defaults, where there is none. Options:
 *   priority     0; higher is claimed first, then the smaller id
 *   delay ms, or run_at: not before
 *   expires_in ms, or expires_at: expired unless it was claimed once by then
 *   key          for key_concurrency and fifo
 *   max_attempts, result_ttl: instead of the queue's
 *   after        [id..], at most 1000: blocked until all of them are done. A job that is gone counts as done. When one ends dead, cancelled or expired, also when it did so before:
 *   on_failure   "cancel" (default): this one is cancelled; "run": it counts as done
 *   unique       {"key", "window"? ms, "on_conflict"?: "skip" (default) | "replace" | "reschedule"}: one job of the queue has the key, until it ends; with a window until that is over, whether it ended or not.
 *                Another one is not enqueued: the answer has the id and the state of the first, duplicate true. "replace": if that waits, payload, priority, key, times, max_attempts, result_ttl and
 *                after become the new ones; "reschedule": only its delay or run_at.
 * CONFLICT: the queue is being drained; LIMIT: it has max_size jobs, or the payload is larger than a document may be; NOT_FOUND: an id in `after` that was never given. CONFLICT also: a job that is to be replaced would come after itself, or after a younger one that may wait for it.
 */
BRANT_API brant_status brant_queue_enqueue(char **out_json, size_t *out_json_len, brant_db *db,
                                           const char *json, size_t json_len);

/*
 * queues.enqueue_many {"queue", "items": [{"payload"?, options..}..]} -> {"ids": [..], "duplicates": n}
 * All or nothing. `after` may hold {"item": i} for an item that stands before in the batch, so that chains and graphs of jobs are one call. The id of a duplicate is that of the first.
 */
BRANT_API brant_status brant_queue_enqueue_many(char **out_json, size_t *out_json_len, brant_db *db,
                                                const char *json, size_t json_len);

/* ---- claiming ---------------------------------------------------------------------------------------- */

/*
 * queues.claim {"queue", "worker"?: text, "limit"?: 1..10000 (1), "lease"?: ms, "ack"?: [{"id", "token", "result"?}..]} -> {"items": [claimed..], "acked"?: n, "stale"?: [id..]}
 * claimed: {"id", "token", "queue", "payload" | "payload_base64", "attempt" (this one, from 1), "max_attempts", "priority", "key"?, "progress"?, "schedule"?, "created_at", "lease_until"}
 * The jobs with the highest priority, then the smallest id. None when the queue is paused, does not exist, is at its concurrency or rate limit, or nothing is ready. `ack` acknowledges others first, in the same
 * transaction; those that are stale are named.
 * A job whose lease ended is ready again with the error "lease ended", or dead when no attempt is left.
 */
BRANT_API brant_status brant_queue_claim(char **out_json, size_t *out_json_len, brant_db *db,
                                         const char *json, size_t json_len);

/* ---- what a holder does -------------------------------------------------------------------------------- */

/* jobs.ack {"id", "token", "result"?: any JSON} -> {}. Done. The result is kept for result_ttl. STALE. */
BRANT_API brant_status brant_job_ack(char **out_json, size_t *out_json_len, brant_db *db,
                                     const char *json, size_t json_len);

/* jobs.ack_many {"items": [{"id", "token", "result"?}..]} -> {"acked": n, "stale": [id..]} */
BRANT_API brant_status brant_job_ack_many(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

/*
 * jobs.fail {"id", "token", "error": {"message", "stack"?, "code"?} | text, "retry"?: bool (true), "delay"?: ms} -> {"state": "delayed" | "ready" | "blocked" | "dead" | "cancelled", "run_at"?}
 * The attempt counts. The job waits for `delay`, or the queue's backoff; it is dead when no attempt is left or `retry` is false, and cancelled when that was asked for. The newest 20 errors are kept, each text cut to 16 KiB. STALE.
 */
BRANT_API brant_status brant_job_fail(char **out_json, size_t *out_json_len, brant_db *db,
                                      const char *json, size_t json_len);

/* jobs.snooze {"id", "token", "delay": ms} -> {"state", "run_at"?}. It waits again; the attempt does not count. "cancelled" when that was asked for. STALE. */
BRANT_API brant_status brant_job_snooze(char **out_json, size_t *out_json_len, brant_db *db,
                                        const char *json, size_t json_len);

/* jobs.release {"id", "token"} -> {"state"}. Given back at once; the attempt does not count. "cancelled" when that was asked for. STALE. */
BRANT_API brant_status brant_job_release(char **out_json, size_t *out_json_len, brant_db *db,
                                         const char *json, size_t json_len);

/*
 * jobs.heartbeat {"id", "token", "lease"?: ms from now, "progress"?: any JSON} -> {"lease_until", "cancel_requested": bool}
 * Without `lease` the queue's, and never less than the claim gave. The progress stays with the job over its attempts. STALE.
 */
BRANT_API brant_status brant_job_heartbeat(char **out_json, size_t *out_json_len, brant_db *db,
                                           const char *json, size_t json_len);

/* jobs.heartbeat_many {"items": [{"id", "token"}..], "lease"?} -> {"items": [{"id", "lease_until"? | "stale": true, "cancel_requested"?: true}..]}, in the same order */
BRANT_API brant_status brant_job_heartbeat_many(char **out_json, size_t *out_json_len, brant_db *db,
                                                const char *json, size_t json_len);

/* ---- looking ----------------------------------------------------------------------------------- */

/*
 * jobs.get {"id": n} -> Job
 * Job = {id, queue, state: "ready|delayed|blocked|running|done|dead|cancelled|expired", priority, payload (bytes: payload_base64), key?, attempt (how many began that count),
 * max_attempts, run_at?, expires_at?, lease_until?, worker?, claimed_at?, finished_at?, progress?, result?, errors: [{attempt, at, worker?, message, stack?, code?}..] (the newest 20),
 * after: [ids that it still waits for], unique_key? (that it holds), cancel_requested, schedule?, created_at}. Members with ? are left out where there is nothing.
 * NOT_FOUND: never given, or gone: a job that is done goes at once unless the queue or the job has a result_ttl.
 */
BRANT_API brant_status brant_job_get(char **out_json, size_t *out_json_len, brant_db *db,
                                     const char *json, size_t json_len);

/*
 * jobs.list {"queue", "state"?, "key"?, "limit"? (100; at most 1000), "after"? id} -> {"items": [Job..], "next"? id}
 * By id. `next` is the `after` of the next page. For people: where most jobs are of other queues or states, a page reads an index of the queue's jobs to its end (some 100 ms for a million).
 * NOT_FOUND: the queue.
 */
BRANT_API brant_status brant_job_list(char **out_json, size_t *out_json_len, brant_db *db,
                                      const char *json, size_t json_len);

/*
 * queues.stats {"queue"?} -> Stats, or {"items": [Stats..]} of all queues by name
 * Stats = {queue, state: "active|paused|draining", ready, delayed, blocked, running, done, dead, cancelled, expired (how many there are), oldest_ready_at?, oldest_age (ms that the job that has been
 * ready longest has; 0: none is ready), next_run_at? (of the delayed), enqueued, claimed, completed, failed (attempts), retried, died (ever), rates: {enqueued, completed, failed} (a second, over the last five minutes),
 * wait: Histogram (from ready to claim), run: Histogram (from claim to ack)}; Histogram = {count, sum (ms), p50, p95, p99 (interpolated within their bucket), buckets: [{le (ms), count}..]
 * (powers of two; empty ones are left out)} of the last hour. What is there is counted: some tens of nanoseconds for each job of the queue.
 * NOT_FOUND: the queue.
 */
BRANT_API brant_status brant_queue_stats(char **out_json, size_t *out_json_len, brant_db *db,
                                         const char *json, size_t json_len);

/* ---- changing by hand -------------------------------------------------------------------------- */

/*
 * jobs.cancel {"id"} -> {"state": "cancelled"|"running"}
 * One that waits is cancelled now. Of one that runs the cancel is asked for: jobs.cancels and jobs.heartbeat tell its worker, who ends it with jobs.fail, and it is "cancelled" then; a worker that
 * acks all the same has done it. Asking again changes nothing.
 * NOT_FOUND: as jobs.get. CONFLICT: it has finished.
 */
BRANT_API brant_status brant_job_cancel(char **out_json, size_t *out_json_len, brant_db *db,
                                        const char *json, size_t json_len);

/*
 * jobs.requeue {"id", "payload"?|"payload_base64"?} -> {"state": "ready"|"blocked"}
 * A dead, cancelled or expired job again: at once, attempts from 0, without its expiry; its errors are kept. Also in a queue that drains or is full.
 * NOT_FOUND: as jobs.get. CONFLICT: it waits, runs or is done.
 */
BRANT_API brant_status brant_job_requeue(char **out_json, size_t *out_json_len, brant_db *db,
                                         const char *json, size_t json_len);

/*
 * jobs.requeue_many {"queue", "state"?: "dead"|"cancelled"|"expired" ("dead"), "limit"? (1000; at most 10000)} -> {"requeued": n}
 * As jobs.requeue, those that ended first first. NOT_FOUND: the queue.
 */
BRANT_API brant_status brant_job_requeue_many(char **out_json, size_t *out_json_len, brant_db *db,
                                              const char *json, size_t json_len);

/*
 * jobs.delete {"id"} -> {}
 * Leaves nothing of it; where a jobs.watch sleeps on it, it is cancelled, and goes with the next db.maintain. What waits for it goes on as if it had been cancelled, unless it was finished.
 * NOT_FOUND: as jobs.get. CONFLICT: it runs.
 */
BRANT_API brant_status brant_job_delete(char **out_json, size_t *out_json_len, brant_db *db,
                                        const char *json, size_t json_len);

/*
 * jobs.update {"id", "priority"?, "run_at"? ms, "payload"?|"payload_base64"?} -> Job
 * Of a job that waits; what is not given stays. A run_at that is now or past: at once.
 * NOT_FOUND: as jobs.get. CONFLICT: it runs or has finished.
 */
BRANT_API brant_status brant_job_update(char **out_json, size_t *out_json_len, brant_db *db,
                                        const char *json, size_t json_len);

/*
 * queues.prune {"queue", "states"?: of "dead", "done", "cancelled", "expired" (all), "older_than"? ms since they ended (0), "limit"? (1000; at most 10000)} -> {"pruned": n}
 * Removes finished jobs, the oldest of each state first. db.maintain does it by itself for those whose time to live has passed. NOT_FOUND: the queue.
 */
BRANT_API brant_status brant_queue_prune(char **out_json, size_t *out_json_len, brant_db *db,
                                         const char *json, size_t json_len);

/* ---- waiting ----------------------------------------------------------------------------------- */

/*
 * queues.watch {"queue"} -> a cursor of {"queue", "ready": true}
 * Each look that finds something that queues.claim would give yields one item; then claim. When there is nothing the cursor sleeps: of n that sleep on a queue, in any process, one is woken for each job that becomes
 * ready, and when a job is due, a lease ends or the rate limit has a token again, one wakes by itself. Another may have claimed meanwhile: then the claim is empty, and the next look sleeps again.
 * Where a woken process dies before it claims, the next is woken by the next claim, enqueue or heartbeat, and without these by the fallback check (event.h).
 * The queue need not be there yet. While the handle has a transaction open the cursor finds nothing.
 */
BRANT_API brant_status brant_queue_watch(brant_cursor **out_cursor, brant_db *db, const char *json,
                                         size_t json_len);

/*
 * jobs.cancels {"queue", "worker"} -> a cursor of {"id", "token"}
 * The running jobs of this worker (as it named itself in queues.claim) whose cancel was asked for, also before the cursor was opened; each once a claim.
 */
BRANT_API brant_status brant_job_cancels(brant_cursor **out_cursor, brant_db *db, const char *json,
                                         size_t json_len);

/*
 * jobs.watch {"id"} -> a cursor of one Job (as jobs.get), when it has finished, at once if it has; then it ends. One that is gone: {"id", "state": "done"},
 * since what ends otherwise is kept; "cancelled" where its queue is gone.
 * NOT_FOUND: never given.
 */
BRANT_API brant_status brant_job_watch(brant_cursor **out_cursor, brant_db *db, const char *json,
                                       size_t json_len);

#ifdef __cplusplus
}
#endif
#endif
