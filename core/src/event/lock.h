/*
 * event/lock.h: named leases, as the operations and the scheduler use them.
 */
#ifndef BRANT__EVENT_LOCK_H
#define BRANT__EVENT_LOCK_H

#include "brant/lock.h"
#include "event/event.h"

extern const brant__statements brant__lock_statements;

#define BRANT__LOCK_TTL      INT64_C(30000)
#define BRANT__LOCK_TTL_MOST INT64_C(31622400000) /* 366 days */

typedef struct brant__lock {
    bool acquired;
    int64_t token; /* of whoever holds it */
    int64_t expires_at;
    brant__text owner; /* lives in the arena, or is the caller's */
} brant__lock;

/* In a write transaction: take or renew the lease, if nobody else holds it. */
brant_status brant__lock_acquire(brant__lock *out, brant_db *db, brant__arena *arena,
                                 brant__text name, brant__text owner, int64_t ttl);
/* In a write transaction: give the lease back if the token is still that of its holder; quietly nothing otherwise. */
brant_status brant__lock_give_back(bool *out_released, brant_db *db, brant__text name,
                                   int64_t token);
/* When it is free: 0 now, else the end of the lease. */
brant_status brant__lock_free_at(int64_t *out, brant_db *db, brant__text name);

/*
 * In a write transaction that did not get the lock: sleep until it is released, broken or ends, as one of those who sleep for it.
 * `*ticket` is that of the last sleep, 0: none, and stays asleep if it can.
 */
brant_status brant__lock_sleep(int64_t *out_until, int64_t *ticket, brant_db *db, brant__text name,
                               int64_t free_at);

/* Part of db.maintain, in transactions of its own: remove leases that ended long ago. */
brant_status brant__lock_maintain(int64_t *out_removed, brant_db *db);

brant_status brant__locks_acquire(brant__call *call);
brant_status brant__locks_refresh(brant__call *call);
brant_status brant__locks_release(brant__call *call);
brant_status brant__locks_break(brant__call *call);
brant_status brant__locks_get(brant__call *call);
brant_status brant__locks_list(brant__call *call);
brant_status brant__locks_watch(brant_cursor **out_cursor, brant__call *call);

#endif
