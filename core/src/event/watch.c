/*
 * event/watch.c: ready or asleep.
 *
 * A read transaction comes first, so that whoever sleeps on, and whoever finds something, writes nothing. Read-only handles cannot sleep in the wait queue: the fallback check wakes them.
 */
#include "event/watch.h"

#include "event/waiter.h"

/* *out_done: it sleeps on, or it found something, or finding nothing is all it can do. */
static brant_status look_quietly(bool *out_done, brant__fetch *out, brant_db *db,
                                 brant__watch *self, brant__writer *writer) {
    brant_status status = BRANT_OK;
    bool begun = false, asleep = false;
    BRANT__TRY(brant__begin(db, BRANT__READ));
    begun = true;
    if (self->ticket != 0) {
        BRANT__TRY(brant__waiter_asleep(&asleep, db, self->topic, self->ticket));
        *out_done = asleep && brant__db_now(db) < self->until;
    } else {
        BRANT__TRY(self->look(out, db, self, writer));
        self->until = out->until;
        *out_done = out->count > 0 || brant__db_read_only(db);
    }
    BRANT__TRY(brant__commit(db));
    begun = false;
cleanup:
    if (begun) brant__rollback(db);
    return status;
}

/* Look again, and go to sleep with it. */
static brant_status look_or_sleep(brant__fetch *out, brant_db *db, brant__watch *self,
                                  brant__writer *writer) {
    const brant__watch before = *self;
    brant_status status = BRANT_OK;
    bool begun = false;
    BRANT__TRY(brant__begin(db, BRANT__WRITE));
    begun = true;
    BRANT__TRY(brant__waiter_leave(db, self->topic, self->ticket));
    self->ticket = 0;
    out->until = INT64_MAX;
    BRANT__TRY(self->look(out, db, self, writer));
    self->until = out->until;
    if (out->count == 0) {
        if (self->until != INT64_MAX)
            BRANT__TRY(brant__waiter_deadline(&self->until, db, self->topic, self->until));
        BRANT__TRY(brant__waiter_sleep(&self->ticket, db, self->topic, self->until));
    }
    BRANT__TRY(brant__commit(db));
    begun = false;
cleanup:
    if (begun) brant__rollback(db);
    if (status != BRANT_OK) *self = before;
    return status;
}

static brant_status watch_fetch(brant__fetch *out, brant_db *db, void *state,
                                brant__writer *writer) {
    brant__watch *self = state;
    brant_status status = BRANT_OK;
    bool done = false;
    BRANT__TRY(look_quietly(&done, out, db, self, writer));
    if (!done) BRANT__TRY(look_or_sleep(out, db, self, writer));
    out->until = self->until;
    /* Room for the end of the answer, too: a cursor that has told its last does not tell it again. */
    if (!brant__buffer_reserve(&writer->buffer, 16)) status = brant__fail_memory();
cleanup:
    return status;
}

static void watch_destroy(brant_db *db, void *state) {
    brant__watch *self = state;
    brant__waiter_drop(db, self->topic, self->ticket);
    brant__free(self);
}

void *brant__watch_new(size_t size, brant__watch_look look) {
    brant__watch *self = brant__alloc_zero(size);
    if (!self) return NULL;
    self->look = look;
    self->until = INT64_MAX;
    return self;
}

brant_status brant__watch_open(brant_cursor **out_cursor, brant_db *db, brant__watch *self) {
    static const brant__cursor_kind kind = {
        .fetch = watch_fetch, .destroy = watch_destroy, .transaction = BRANT__FETCH_OWN};
    return brant__cursor_new(out_cursor, db, &kind, self);
}
