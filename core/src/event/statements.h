/*
 * event/statements.h: the SQL of notifications, shared by notify.c (which writes) and listen.c (which reads). Waking has its own, in wake.c.
 */
#ifndef BRANT__EVENT_STATEMENTS_H
#define BRANT__EVENT_STATEMENTS_H

#include "store/store.h"

enum {
    BRANT__EVENT_INSERT,
    BRANT__EVENT_COUNT_UP,
    BRANT__EVENT_CUT,
    BRANT__EVENT_PRUNE,
    BRANT__EVENT_COUNT_DOWN,
    BRANT__EVENT_RECOUNT,
    BRANT__EVENT_OLDEST,
    BRANT__EVENT_AGED,
    BRANT__EVENT_AGED_ROWS,
    BRANT__EVENT_KEEP,
    BRANT__EVENT_LIST,
    BRANT__EVENT_DELETE,
    BRANT__EVENT_ALL,
    BRANT__EVENT_EMPTY_COUNT,
    BRANT__EVENT_EMPTY_CUT,
    BRANT__EVENT_EMPTY_DELETE,
    BRANT__EVENT_EMPTY_NOTE,
    BRANT__EVENT_CHANNELS,
    BRANT__EVENT_CHANNEL_DELETE,
    BRANT__EVENT_HEAD,
    BRANT__EVENT_GAPS,
    BRANT__EVENT_GAPS_CHANNEL,
    BRANT__EVENT_SCAN,
    BRANT__EVENT_SCAN_CHANNEL,
    BRANT__EVENT_STATEMENTS
};

extern const brant__statements brant__event_statements; /* notify.c */

/* How long the notifications of a channel are kept, where nothing else is said. */
#define BRANT__EVENT_KEPT INT64_C(10000)
#define BRANT__EVENT_AGE  INT64_C(86400000)

/* Remove the oldest `excess` of a channel, in a write transaction. */
brant_status brant__event_prune(brant_db *db, brant__text channel, int64_t excess);

#endif
