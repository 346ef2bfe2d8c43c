/*
 * event/erase.h: the part of db.erase that is about events: what of jobs, streams, schedules, rate limits and locks holds a person's data.
 */
#ifndef BRANT__EVENT_ERASE_H
#define BRANT__EVENT_ERASE_H

#include "event/input.h"

/* Who knows what is looked for. All run inside the transaction; `context` is theirs. */
typedef struct brant__eraser {
    void *context;
    bool redact; /* put the replacement in its place where that can be; else what holds it goes */
    brant__text replacement;
    yyjson_val *values; /* array of texts */
    bool (*is_value)(const void *context, brant__text text);
    brant_status (*holds)(bool *out_holds, void *context, brant__payload payload);
    /* JSON without the values; borrowed until the next call. */
    brant_status (*redacted)(brant__text *out, void *context, brant__text json);
} brant__eraser;

typedef struct brant__erased {
    int64_t jobs;
    int64_t events;
    int64_t schedules;
    int64_t rate_limits;
    int64_t pending;
    int64_t locks;
} brant__erased;

/*
 * In a write transaction. Jobs: payload, result, progress, errors, worker; key and unique key. Events of streams: payload and key, also as the change log of a graph writes keys. Schedules: payload and
 * options. Rate limits: the name. A key cannot be redacted, nor can bytes: then the job or event goes. An event that goes leaves a hole in its stream.
 * Members of groups that have events pending, and owners of locks: the name is replaced whatever the action, since what they hold is theirs by its token, and nobody else's before its lease ends.
 */
brant_status brant__event_erase(brant__erased *out, brant_db *db, const brant__eraser *eraser);

#endif
