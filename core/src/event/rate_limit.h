/*
 * event/rate_limit.h: rate limits, as the operations and the queues use them.
 */
#ifndef BRANT__EVENT_RATE_LIMIT_H
#define BRANT__EVENT_RATE_LIMIT_H

#include "brant/lock.h"
#include "store/store.h"

extern const brant__statements brant__rate_limit_statements;

enum { BRANT__SLIDING_WINDOW, BRANT__TOKEN_BUCKET };

#define BRANT__RATE_LIMIT_MOST   INT64_C(100000000)   /* of limit, burst and cost */
#define BRANT__RATE_LIMIT_PERIOD INT64_C(31622400000) /* 366 days */
#define BRANT__RATE_LIMIT_MARK                                                                     \
    '\x01' /* names that begin with it are the library's own: not listed */

/* `burst` is that of a bucket, 0: as limit. The caller has checked the bounds: 1 .. BRANT__RATE_LIMIT_*. */
typedef struct brant__rate_limit {
    brant__text name;
    int kind;
    int64_t limit;
    int64_t period;
    int64_t burst;
} brant__rate_limit;

typedef struct brant__rate {
    bool allowed;
    int64_t remaining;   /* what could be taken at once after this */
    int64_t retry_after; /* ms until the same could be taken; 0 when allowed */
    int64_t reset_at;    /* when all of it is there again */
} brant__rate;

/* In a write transaction: take `cost` (at most the limit, or the burst) at once or not at all. */
brant_status brant__rate_limit_take(brant__rate *out, brant_db *db, const brant__rate_limit *limit,
                                    int64_t cost);
/* The same, taking nothing. `cost` 0 asks what remains. */
brant_status brant__rate_limit_peek(brant__rate *out, brant_db *db, const brant__rate_limit *limit,
                                    int64_t cost);
/* In a write transaction: as if nothing had ever been taken. *out_known may be NULL: was there anything of that name? */
brant_status brant__rate_limit_reset(bool *out_known, brant_db *db, brant__text name);

/* Part of db.maintain, in transactions of its own: remove what says nothing any more. */
brant_status brant__rate_limit_maintain(int64_t *out_removed, brant_db *db);

brant_status brant__rate_limits_take(brant__call *call);
brant_status brant__rate_limits_peek(brant__call *call);
brant_status brant__rate_limits_reset(brant__call *call);
brant_status brant__rate_limits_list(brant__call *call);

#endif
