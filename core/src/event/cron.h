/*
 * event/cron.h: when a schedule fires.
 */
#ifndef BRANT__EVENT_CRON_H
#define BRANT__EVENT_CRON_H

#include "event/zone.h"

#define BRANT__TIME_LEAST INT64_C(-62167219200000) /* 0000-01-01T00:00:00Z in ms */
#define BRANT__TIME_MOST  INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

/* A parsed specification: a bit for each value of a field. */
typedef struct brant__cron {
    int64_t every; /* ms from fire to fire; 0: by the fields */
    uint64_t seconds;
    uint64_t minutes;
    uint64_t hours;
    uint64_t days;     /* bits 1..31 */
    uint64_t months;   /* bits 1..12 */
    uint64_t weekdays; /* bits 0..6, Sunday is 0 */
    bool either;       /* a day is one of `days` or one of `weekdays`; else it is of both */
    bool
        elapsed; /* hours or minutes have * or a step: by what the clock shows; else by what it has reached, once */
} brant__cron;

/* brant/schedule.h says what a spec is. INVALID: the message names the field. */
brant_status brant__cron_parse(brant__cron *out, brant__text spec);

/*
 * The first fire after `after` (ms, within BRANT__TIME_*), for any moment of the zone's past and future. False: none before the year 10000. Bounded: some ten microseconds at worst.
 */
bool brant__cron_next(int64_t *out, const brant__cron *cron, const brant__zone *zone,
                      int64_t after);

#endif
