/*
 * event/schedule.h: schedules, as the files of this module share them.
 */
#ifndef BRANT__EVENT_SCHEDULE_H
#define BRANT__EVENT_SCHEDULE_H

#include "brant/schedule.h"
#include "event/cron.h"
#include "event/event.h"
#include "event/input.h"

enum { BRANT__MISFIRE_SKIP, BRANT__MISFIRE_ONE, BRANT__MISFIRE_ALL };

enum {
    BRANT__SCHEDULE_GET,
    BRANT__SCHEDULE_PUT,
    BRANT__SCHEDULE_LIST,
    BRANT__SCHEDULE_DELETE,
    BRANT__SCHEDULE_PAUSE,
    BRANT__SCHEDULE_DUE,
    BRANT__SCHEDULE_AHEAD,
    BRANT__SCHEDULE_FIRST,
    BRANT__SCHEDULE_FIRED,
    BRANT__SCHEDULE_MOVE,
    BRANT__SCHEDULE_CLOCK,
    BRANT__SCHEDULE_CLOCK_PUT,
    BRANT__SCHEDULE_STATEMENTS
};
extern const brant__statements brant__schedule_statements; /* schedule.c */

/* A row. Texts are borrowed from it, or live in an arena. */
typedef struct brant__schedule {
    brant__text name, queue, spec, timezone;
    brant__payload payload;
    brant__text options; /* JSON */
    int misfire;
    int64_t catch_up;
    bool paused;
    int64_t next_at; /* INT64_MAX: none */
    int64_t last_at; /* INT64_MIN: none */
    int64_t fired;
    int64_t created_at, updated_at;
} brant__schedule;

brant__schedule brant__schedule_row(brant__statement *statement);
/* Make copies of its texts, so that the statement may be reset. */
brant_status brant__schedule_keep(brant__schedule *schedule, brant__arena *arena);

/* Time zones for one call: each is read once. Zero-initialise. */
#define BRANT__ZONES 8
typedef struct brant__zones {
    struct {
        brant__text name; /* lives as long as this does */
        brant__zone *zone;
    } items[BRANT__ZONES];
    size_t next;
} brant__zones;
brant_status brant__zones_get(const brant__zone **out, brant__zones *zones, brant__arena *arena,
                              brant__text name);
void brant__zones_free(brant__zones *zones);

/* In a write transaction: enqueue its job. */
brant_status brant__schedule_enqueue(int64_t *out_id, brant_db *db,
                                     const brant__schedule *schedule);

/* In a write transaction: fire what is due, at most `limit`, and write a Fire for each into `out`, which stands inside an array. *out_next: the next fire of all, INT64_MAX: none. */
brant_status brant__schedule_tick(int64_t *out_fired, int64_t *out_next, brant_db *db,
                                  brant__arena *arena, int64_t limit, brant__writer *out);

/* The topic that wakes whoever runs the scheduler. */
brant__text brant__schedule_topic(brant__topic *topic);

brant_status brant__schedules_set(brant__call *call);
brant_status brant__schedules_get(brant__call *call);
brant_status brant__schedules_list(brant__call *call);
brant_status brant__schedules_delete(brant__call *call);
brant_status brant__schedules_pause(brant__call *call);
brant_status brant__schedules_resume(brant__call *call);
brant_status brant__schedules_trigger(brant__call *call);
brant_status brant__schedules_next(brant__call *call);
brant_status brant__schedules_tick(brant__call *call);
brant_status brant__schedules_run(brant_cursor **out_cursor, brant__call *call);

#endif
