/*
 * event/zone.h: time zones: the offset from UTC at any moment, from compiled files (TZif, RFC 9636) and the rule in their footer.
 *
 * Times are seconds since the Unix epoch. A zone is immutable once made.
 */
#ifndef BRANT__EVENT_ZONE_H
#define BRANT__EVENT_ZONE_H

#include "base/base.h"

typedef struct brant__zone brant__zone;

/* No offset is farther from UTC than this: RFC 9636's bounds. */
#define BRANT__ZONE_OFFSET_LEAST (-89999)
#define BRANT__ZONE_OFFSET_MOST  93599

/*
 * The zone of an IANA name, from the system's files; UTC and Etc/UTC need none. The environment is not asked.
 * INVALID: there is no such zone, or no zones at all: the message says where was looked; the file is damaged, or counts leap seconds.
 */
brant_status brant__zone_load(brant__zone **out, brant__text name);
/* From the bytes of a file, versions 1 to 4. `name` is for messages alone. INVALID as above. */
brant_status brant__zone_parse(brant__zone **out, const void *bytes, size_t length,
                               brant__text name);
void brant__zone_free(brant__zone *zone);

/* A stretch of time with one offset (local = UTC + offset), [from, until); INT64_MIN, INT64_MAX: without end. Neighbours may have the same. */
typedef struct brant__span {
    int64_t from;
    int64_t until;
    int64_t offset;
} brant__span;
/* The one that `at` is in. */
brant__span brant__zone_span(const brant__zone *zone, int64_t at);

/* ---- the calendar: days since 1970-01-01 of the proleptic Gregorian calendar ------------------------------------------------ */

typedef struct brant__date {
    int64_t year;
    int month; /* 1..12 */
    int day;   /* 1..31 */
} brant__date;
int64_t brant__days_of(int64_t year, int month, int day);
brant__date brant__date_of(int64_t days);
int brant__month_length(int64_t year, int month);
static inline int64_t brant__floor_divide(int64_t a, int64_t b) { /* b > 0 */
    return a / b - (a % b < 0);
}
static inline int brant__weekday_of(int64_t days) { /* 0: Sunday */
    return (int)(((days + 4) % 7 + 7) % 7);
}

#endif
