/*
 * event/schedule_run.c: the cursor that runs the scheduler.
 *
 * Whoever holds the lock ticks, and renews the lease in the same transaction, so that the lease is never over while it fires. The others sleep in the wait queue of the lock: its release
 * wakes one, and its end.
 */
#include "event/lock.h"
#include "event/schedule.h"
#include "event/waiter.h"

#define LOCK BRANT__TEXT("brant:scheduler")
#define TTL  15000

typedef struct runner {
    int64_t ttl;
    int64_t token;        /* of the lock; 0: another leads */
    int64_t registration; /* of a leader, to be woken when a schedule is set */
    int64_t ticket;       /* of one who sleeps */
    int64_t until;        /* and until when */
    size_t owner_length;
    char owner[256];
} runner;

static brant__text lock_topic(brant__topic *topic) {
    return brant__topic_of(topic, "lock", LOCK, (brant__text){NULL, 0});
}

/* Is there nothing to do but to sleep on? */
static brant_status sleeps_on(bool *out, brant_db *db, const runner *self) {
    brant_status status;
    brant__topic topic;
    *out = false;
    if (self->ticket == 0 || brant__db_now(db) >= self->until) return BRANT_OK;
    status = brant__begin(db, BRANT__READ);
    if (status != BRANT_OK) return status;
    status = brant__waiter_asleep(out, db, lock_topic(&topic), self->ticket);
    if (status == BRANT_OK) status = brant__commit(db);
    if (status != BRANT_OK) brant__rollback(db);
    return status;
}

/* In a write transaction, holding the lock. */
static brant_status lead(brant__fetch *out, brant_db *db, runner *self, brant__arena *arena,
                         brant__writer *writer) {
    brant_status status;
    brant__topic topic;
    int64_t fired = 0, next_at = INT64_MAX;
    BRANT__TRY(brant__waiter_leave(db, lock_topic(&topic), self->ticket));
    self->ticket = 0;
    if (self->registration == 0) {
        const brant__text pattern = brant__schedule_topic(&topic);
        BRANT__TRY(brant__wake_register(&self->registration, db, &pattern, 1));
    }
    BRANT__TRY(brant__schedule_tick(&fired, &next_at, db, arena, BRANT__CURSOR_ITEMS / 2, writer));
    /* The lease is renewed when two thirds of it are left at the least. */
    const int64_t renew_at = brant__db_now(db) + self->ttl / 3;
    out->count = (size_t)fired;
    out->more = next_at <= brant__db_now(db);
    out->until = next_at < renew_at ? next_at : renew_at;
cleanup:
    return status;
}

/* In a write transaction: as leader if it can be, else to sleep. */
static brant_status look(brant__fetch *out, brant_db *db, runner *self, brant__arena *arena,
                         brant__writer *writer) {
    brant_status status;
    brant__lock lock;
    BRANT__TRY(brant__lock_acquire(&lock, db, arena, LOCK,
                                   brant__text_of(self->owner, self->owner_length), self->ttl));
    self->token = lock.acquired ? lock.token : 0;
    if (lock.acquired) return lead(out, db, self, arena, writer);
    status = brant__lock_sleep(&self->until, &self->ticket, db, LOCK, lock.expires_at);
    out->until = self->until;
cleanup:
    return status;
}

static brant_status run_fetch(brant__fetch *out, brant_db *db, void *state, brant__writer *writer) {
    runner *self = state, before = *self;
    brant__arena arena = {0};
    bool begun = false, asleep = false;
    brant_status status;
    BRANT__TRY(sleeps_on(&asleep, db, self));
    if (asleep) {
        out->until = self->until;
        goto cleanup;
    }
    BRANT__TRY(brant__begin(db, BRANT__WRITE));
    begun = true;
    BRANT__TRY(look(out, db, self, &arena, writer));
    /* Room for the end of the answer, too: what fired is told. */
    if (!brant__buffer_reserve(&writer->buffer, 16)) {
        status = brant__fail_memory();
        goto cleanup;
    }
    BRANT__TRY(brant__commit(db));
    begun = false;
    if (self->token == 0 && self->registration != 0) { /* another leads now */
        brant__wake_unregister(db, self->registration);
        self->registration = 0;
    }
cleanup:
    if (begun) {
        brant__rollback(db);
        *self = before;
    }
    brant__arena_free(&arena);
    return status;
}

/* The lock goes to the next, unless it cannot be written now: then its lease ends. */
static void give_lock_back(brant_db *db, const runner *self) {
    bool released = false;
    if (self->token == 0 || brant__db_closed(db) || brant__depth(db) > 0) return;
    if (brant__begin(db, BRANT__WRITE) != BRANT_OK) return;
    if (brant__lock_give_back(&released, db, LOCK, self->token) != BRANT_OK ||
        brant__commit(db) != BRANT_OK)
        brant__rollback(db);
}

static void run_destroy(brant_db *db, void *state) {
    runner *self = state;
    brant__topic topic;
    if (!self) return;
    give_lock_back(db, self);
    if (self->ticket > 0) brant__waiter_drop(db, lock_topic(&topic), self->ticket);
    if (self->registration != 0) brant__wake_unregister(db, self->registration);
    brant__free(self);
}

static const brant__cursor_kind run_kind = {run_fetch, run_destroy, BRANT__FETCH_OWN, false};

brant_status brant__schedules_run(brant_cursor **out_cursor, brant__call *call) {
    const brant__text owner = brant__json_get_text(call->input, "owner");
    runner *self = NULL;
    brant_status status = BRANT_OK;
    *out_cursor = NULL;
    if (brant__db_read_only(call->db))
        return brant__fail(BRANT_READ_ONLY, "%s was opened read-only", brant__db_path(call->db));
    if (owner.data) BRANT__TRY(brant__input_name(owner, "/owner"));
    if (!(self = brant__alloc_zero(sizeof *self))) return brant__fail_memory();
    self->ttl = brant__json_integer(brant__json_get(call->input, "ttl"), TTL);
    if (owner.data) {
        memcpy(self->owner, owner.data, owner.length);
        self->owner_length = owner.length;
    } else {
        char id[37];
        BRANT__TRY(brant__db_uuid(call->db, id));
        memcpy(self->owner, id, 36);
        self->owner_length = 36;
    }
    return brant__cursor_new(out_cursor, call->db, &run_kind, self);
cleanup:
    brant__free(self);
    return status;
}
