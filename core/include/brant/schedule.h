/*
 * brant/schedule.h: schedules: jobs that are enqueued at times that cron tells, or at intervals. All but the subscription are operations (store.h says what that means).
 *
 * A schedule fires when somebody runs the scheduler (schedules.run, in as many processes as wanted) or calls schedules.tick. A fire enqueues its job and moves the schedule's next fire in
 * one transaction, so that nothing fires twice, whoever runs it. Times are ms since the Unix epoch.
 *
 * spec. Five fields, minute 0-59, hour 0-23, day of month 1-31, month 1-12 or JAN-DEC, day of week 0-7 or SUN-SAT (0 and 7 are Sunday), or six with second 0-59 in front. A field is a
 * list, with commas, of *, a, a-b, each with /step (a/step: from a on). Names are three letters of any case. Where neither day field begins with *, a day of either is meant, else one
 * of both, as Vixie's cron has it. Or a word: @yearly (@annually), @monthly, @weekly, @daily (@midnight), @hourly; or "@every <duration>", 90s, 1h30m, 500ms (of ms, s, m, h,
 * d; 1 ms to 3660 days), from when it is set on. A date that no year has is INVALID.
 *
 * timezone. An IANA name, of the system's files; UTC needs none. When its clock is put forward or back (daylight saving time): a spec whose minutes and hours have neither * nor a step
 * runs once for each of its times: the first time where an hour repeats, at the first moment after the gap where one is skipped. Others run whenever the clock shows their times.
 *
 * misfire: what becomes of fires that came due while nobody ran the scheduler. "one": all of them are one, that of the last; "all": each is made up, but no more than
 * the newest `catch_up`; "skip": none, unless it is the last and less than a minute old.
 *
 * When the clock is set back, a spec with fixed minutes and hours waits until its next fire comes, if that is three hours or less, and fires nothing twice; else the clock was wrong, and it goes on
 * by the new time. Others go on within two intervals.
 *
 * Schedule: {"name", "spec", "timezone", "queue", "payload" | "payload_base64", "options", "misfire", "catch_up", "paused", "next_at"?: ms, "last_at"?: ms, "fired": n,
 * "created_at", "updated_at"}. next_at is not there when the spec has no more fires.
 * Names of schedules are texts of 1 to 255 bytes without NUL (INVALID).
 */
#ifndef BRANT_SCHEDULE_H
#define BRANT_SCHEDULE_H

#include "event.h"
#include "store.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * schedules.set {"name", "spec", "queue", "timezone"? ("UTC"), "payload"? | "payload_base64"?, "options"?: {"priority", "key", "max_attempts", "expires_in", "result_ttl", "unique"},
 *                "misfire"?: "skip" | "one" | "all" ("one"), "catch_up"?: 1..1000 (100)} -> Schedule
 * Makes or replaces it. With the spec and the time zone that it had it keeps its next fire; it stays paused if it was. options: of the jobs, as in queues.enqueue.
 * INVALID: the spec, with the name of the field; the time zone, with where it was looked for.
 */
BRANT_API brant_status brant_schedule_set(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

/* schedules.get {"name"} -> Schedule. NOT_FOUND. */
BRANT_API brant_status brant_schedule_get(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

/* schedules.list {"prefix"?: text, "limit"?: 1..10000 (100), "after"?: name} -> {"items": [Schedule..], "next"?: name}, by name. */
BRANT_API brant_status brant_schedule_list(char **out_json, size_t *out_json_len, brant_db *db,
                                           const char *json, size_t json_len);

/* schedules.delete {"name"} -> {}. Its jobs stay. NOT_FOUND. */
BRANT_API brant_status brant_schedule_delete(char **out_json, size_t *out_json_len, brant_db *db,
                                             const char *json, size_t json_len);

/* schedules.pause {"name"} -> Schedule. It does not fire. NOT_FOUND. */
BRANT_API brant_status brant_schedule_pause(char **out_json, size_t *out_json_len, brant_db *db,
                                            const char *json, size_t json_len);

/* schedules.resume {"name"} -> Schedule. Fires again from now on; those of the pause are not made up. Not paused: nothing changes. NOT_FOUND. */
BRANT_API brant_status brant_schedule_resume(char **out_json, size_t *out_json_len, brant_db *db,
                                             const char *json, size_t json_len);

/* schedules.trigger {"name"} -> {"id": of the job}. Its job now, besides its fires; also when it is paused. NOT_FOUND; CONFLICT, LIMIT: the queue takes none. */
BRANT_API brant_status brant_schedule_trigger(char **out_json, size_t *out_json_len, brant_db *db,
                                              const char *json, size_t json_len);

/*
 * schedules.next {"spec", "timezone"? ("UTC"), "after"?: ms (now), "count"?: 1..1000 (1)} -> {"items": [ms..]}
 * The fires after that time, from the year 0 to 9999; fewer than `count` when there are no more. `db` may be NULL.
 */
BRANT_API brant_status brant_schedule_next(char **out_json, size_t *out_json_len, brant_db *db,
                                           const char *json, size_t json_len);

/*
 * schedules.tick {"limit"?: 1..1000 (100)} -> {"fired": [Fire..], "next_at"?: ms}
 * Fire what is due, at most `limit`, in one transaction. Fire: {"name", "id": of the job, "at": the time of the schedule} or, where the queue took no job (it drains, is full, or
 * the options are wrong by now), {"name", "at", "error": {"code", "message"}}. next_at: of all that are not paused; in the past: there is more due.
 */
BRANT_API brant_status brant_schedule_tick(char **out_json, size_t *out_json_len, brant_db *db,
                                           const char *json, size_t json_len);

/*
 * schedules.run {"owner"?: text (one of its own), "ttl"?: ms 100..3600000 (15000)} -> a cursor of Fire
 * Runs the scheduler while it is asked for its next items: brant_cursor_next fires what is due and sleeps until the next is. Of all who run it one is the leader, who holds the lock
 * "brant:scheduler" for `ttl` at a time; the others sleep, and one takes over at once when the leader's cursor is freed, or when its lease ends. A schedule
 * that is set wakes the leader.
 * READ_ONLY: the file cannot be written.
 */
BRANT_API brant_status brant_schedule_run(brant_cursor **out_cursor, brant_db *db, const char *json,
                                          size_t json_len);

#ifdef __cplusplus
}
#endif
#endif
