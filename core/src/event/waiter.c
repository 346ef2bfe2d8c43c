/*
 * event/waiter.c: the wait queue: rows of brant_waiters, one a sleeper.
 *
 * Tickets grow within a topic, and within a handle: a row that is there with our ticket and our socket is the one that we wrote, and order of ticket is order of coming.
 * The handle keeps a list of the tickets that it holds: what a closed cursor or a closing handle leaves is deleted, or, when somebody took it out to wake us
 * and nobody of us has looked since, the wake is passed on. A ticket whose transaction was rolled back looks like one that was taken: then somebody wakes for nothing.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "event/waiter.h"

#include <unistd.h>

#include "event/socket.h"
#include "event/wake.h"

#define STAGGER      20 /* ms */
#define STAGGER_MOST 50 /* times */

enum {
    NEWEST,
    INSERT,
    DELETE_TICKET,
    FIND,
    FIRST,
    TAKE,
    EARLIEST,
    DEADLINES,
    FORGET,
    SOCKET_AFTER
};
static const char *const sql[] = {
    [NEWEST] = "SELECT max(ticket) FROM brant_waiters WHERE topic = :topic",
    [INSERT] = "INSERT INTO brant_waiters (topic, ticket, socket, until, created_at) "
               "VALUES (:topic, :ticket, :socket, :until, :now)",
    [DELETE_TICKET] = "DELETE FROM brant_waiters WHERE topic = :topic AND ticket = :ticket "
                      "AND socket = :socket",
    [FIND] = "SELECT 1 FROM brant_waiters WHERE topic = :topic AND ticket = :ticket "
             "AND socket = :socket",
    [FIRST] = "SELECT ticket, socket FROM brant_waiters WHERE topic = :topic "
              "ORDER BY ticket LIMIT 1",
    [TAKE] = "DELETE FROM brant_waiters WHERE topic = :topic AND ticket = :ticket",
    [EARLIEST] = "SELECT ticket, socket FROM brant_waiters WHERE topic = :topic "
                 "AND until IS NOT NULL AND until <= :at ORDER BY until LIMIT 1",
    [DEADLINES] = "SELECT until FROM brant_waiters WHERE topic = :topic AND until IS NOT NULL "
                  "ORDER BY until LIMIT :limit",
    [FORGET] = "DELETE FROM brant_waiters WHERE socket = :socket",
    [SOCKET_AFTER] = "SELECT socket FROM brant_waiters WHERE socket > :after "
                     "ORDER BY socket LIMIT 1",
};
const brant__statements brant__waiter_statements = {BRANT__TABLE_WAITER, BRANT__COUNT(sql), sql};

typedef struct ticket {
    int64_t number;
    brant__text topic; /* owned */
    bool dropped;      /* its cursor is gone; the row is to go with the next write */
    bool done;         /* it has, in the running transaction */
    bool fresh;        /* it was made in the running transaction */
    bool taken;        /* it was not there: the wake is to be passed on */
} ticket;

typedef struct waiter {
    pid_t process;
    ticket *tickets;
    size_t count, capacity;
    int64_t last; /* the greatest number that this handle ever had */
} waiter;

static waiter *waiter_of(const brant_db *db) {
    return brant__state(db, BRANT__SLOT_WAITER);
}

static brant_status get(brant__statement **out, brant_db *db, size_t index) {
    return brant__statement_get(out, db, &brant__waiter_statements, index);
}

/* ---- the tickets that this handle holds ---------------------------------------------------------------------------------- */

static ticket *find(waiter *self, brant__text topic, int64_t number) {
    for (size_t i = 0; i < self->count; i++)
        if (self->tickets[i].number == number && brant__text_equal(self->tickets[i].topic, topic))
            return &self->tickets[i];
    return NULL;
}

static void forget(waiter *self, ticket *entry) {
    brant__free((char *)(uintptr_t)entry->topic.data);
    *entry = self->tickets[--self->count];
}

static brant_status remember(waiter *self, brant__text topic, int64_t number) {
    ticket *grown = brant__grow(self->tickets, &self->capacity, self->count, sizeof(*grown));
    if (!grown) return brant__fail_memory();
    self->tickets = grown;
    const char *copy = brant__strndup(topic.data, topic.length);
    if (!copy) return brant__fail_memory();
    self->tickets[self->count++] =
        (ticket){.number = number, .topic = brant__text_of(copy, topic.length), .fresh = true};
    return BRANT_OK;
}

/* Our row, or *out_taken: it was there no more. */
static brant_status delete_row(bool *out_taken, brant_db *db, brant__text topic, int64_t number) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    char socket[BRANT__SOCKET_ID + 1];
    *out_taken = true;
    if (!brant__wake_address(socket, db)) return BRANT_OK;
    BRANT__TRY(get(&statement, db, DELETE_TICKET));
    brant__bind_text(statement, 1, topic);
    brant__bind_integer(statement, 2, number);
    brant__bind_text(statement, 3, brant__text_of(socket, BRANT__SOCKET_ID));
    BRANT__TRY(brant__run(db, statement));
    *out_taken = brant__changes(db) == 0;
cleanup:
    return status;
}

/* ---- hooks ------------------------------------------------------------------------------------------------------------------ */

static brant_status waiter_before_commit(brant_db *db, void *state) {
    waiter *self = state;
    brant_status status = BRANT_OK;
    bool taken = false;
    /* All of ours are deleted before a wake is passed on: it is for others. */
    for (size_t i = 0; i < self->count; i++) {
        ticket *entry = &self->tickets[i];
        if (!entry->dropped || entry->done) continue;
        BRANT__TRY(delete_row(&entry->taken, db, entry->topic, entry->number));
        entry->done = true;
        taken = taken || entry->taken;
    }
    for (size_t i = 0; taken && i < self->count; i++) {
        ticket *entry = &self->tickets[i];
        if (!entry->taken) continue;
        BRANT__TRY(brant__waiter_wake(db, entry->topic, 1));
        entry->taken = false;
    }
cleanup:
    return status;
}

static void waiter_after_commit(brant_db *db, void *state) {
    waiter *self = state;
    (void)db;
    for (size_t i = self->count; i-- > 0;) {
        self->tickets[i].fresh = false;
        if (self->tickets[i].done) forget(self, &self->tickets[i]);
    }
}

static void waiter_after_rollback(brant_db *db, void *state, unsigned depth) {
    waiter *self = state;
    (void)db;
    for (size_t i = self->count; depth == 0 && i-- > 0;) {
        self->tickets[i].done = self->tickets[i].taken = false;
        if (self->tickets[i].fresh) forget(self, &self->tickets[i]);
    }
}

/* A write of our own for nothing but what was dropped. Quietly; what cannot be written now waits. */
static void write_dropped(brant_db *db) {
    brant__kept_error kept;
    if (brant__depth(db) > 0) return;
    brant__error_keep(&kept);
    if (brant__begin_soon(db, brant__monotonic_now() + BRANT__WAKE_PATIENCE) == BRANT_OK &&
        brant__commit(db) != BRANT_OK)
        brant__rollback(db);
    brant__error_restore(&kept);
}

static void waiter_destroy(brant_db *db, void *state) {
    waiter *self = state;
    for (size_t i = 0; i < self->count; i++)
        self->tickets[i].dropped = true;
    if (self->count > 0 && self->process == getpid()) write_dropped(db);
    while (self->count > 0)
        forget(self, &self->tickets[self->count - 1]);
    brant__free(self->tickets);
    brant__free(self);
}

static const brant__hooks hooks = {
    .before_commit = waiter_before_commit,
    .after_commit = waiter_after_commit,
    .after_rollback = waiter_after_rollback,
    .destroy = waiter_destroy,
};

static brant_status attach(waiter **out, brant_db *db) {
    brant_status status = brant__wake_attach(db);
    *out = waiter_of(db);
    if (status != BRANT_OK || *out) return status;
    waiter *self = brant__alloc_zero(sizeof *self);
    if (!self) return brant__fail_memory();
    self->process = getpid();
    brant__attach(db, BRANT__SLOT_WAITER, &hooks, self);
    *out = self;
    return BRANT_OK;
}

/* ---- sleeping --------------------------------------------------------------------------------------------------------------- */

brant_status brant__waiter_sleep(int64_t *out_ticket, brant_db *db, brant__text topic,
                                 int64_t until) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    waiter *self = NULL;
    char socket[BRANT__SOCKET_ID + 1];
    int64_t number = 0;
    bool row = false, remembered = false;
    *out_ticket = 0;
    BRANT__TRY(attach(&self, db));
    if (!brant__wake_address(socket, db)) return BRANT_OK;
    BRANT__TRY(get(&statement, db, NEWEST));
    brant__bind_text(statement, 1, topic);
    BRANT__TRY(brant__step(&row, db, statement));
    if (row) number = brant__column_integer(statement, 0);
    brant__reset(statement);
    statement = NULL;
    /* A number that nobody reaches by counting is not ours: a file that somebody tampered with. */
    if (number < self->last || number > INT64_MAX / 2) number = self->last;
    number++;
    BRANT__TRY(remember(self, topic, number));
    remembered = true;
    self->last = number;
    BRANT__TRY(get(&statement, db, INSERT));
    brant__bind_text(statement, 1, topic);
    brant__bind_integer(statement, 2, number);
    brant__bind_text(statement, 3, brant__text_of(socket, BRANT__SOCKET_ID));
    if (until == INT64_MAX)
        brant__bind_null(statement, 4);
    else
        brant__bind_integer(statement, 4, until);
    brant__bind_integer(statement, 5, brant__db_now(db));
    BRANT__TRY(brant__run(db, statement));
    *out_ticket = number;
    return BRANT_OK;
cleanup:
    brant__reset(statement);
    /* SQLite may have rolled everything back for want of memory: then it is forgotten already. */
    ticket *entry = remembered ? find(self, topic, number) : NULL;
    if (entry) forget(self, entry);
    return status;
}

brant_status brant__waiter_leave(brant_db *db, brant__text topic, int64_t number) {
    waiter *self = waiter_of(db);
    bool taken = false;
    if (number == 0) return BRANT_OK;
    const brant_status status = delete_row(&taken, db, topic, number);
    ticket *entry = status == BRANT_OK && self ? find(self, topic, number) : NULL;
    if (entry) entry->done = true; /* ours until that is committed */
    return status;
}

void brant__waiter_drop(brant_db *db, brant__text topic, int64_t number) {
    waiter *self = NULL;
    if (number == 0 || brant__db_closed(db) || !(self = waiter_of(db)) || self->process != getpid())
        return;
    ticket *entry = find(self, topic, number);
    if (!entry) return;
    entry->dropped = true;
    write_dropped(db);
}

brant_status brant__waiter_asleep(bool *out, brant_db *db, brant__text topic, int64_t number) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    char socket[BRANT__SOCKET_ID + 1];
    *out = false;
    if (number == 0 || brant__wake_suspects(db) || !brant__wake_address(socket, db))
        return BRANT_OK;
    BRANT__TRY(get(&statement, db, FIND));
    brant__bind_text(statement, 1, topic);
    brant__bind_integer(statement, 2, number);
    brant__bind_text(statement, 3, brant__text_of(socket, BRANT__SOCKET_ID));
    BRANT__TRY(brant__step(out, db, statement));
cleanup:
    brant__reset(statement);
    return status;
}

/* ---- waking ----------------------------------------------------------------------------------------------------------------- */

/* Take the sleeper out that the statement, which is bound, finds first. *out_row: there was one; *out_woken: it lives. */
static brant_status take_first(bool *out_row, bool *out_woken, brant_db *db,
                               brant__statement *first, brant__text topic) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    char bytes[BRANT__SOCKET_ID + 1] = {0};
    *out_woken = false;
    BRANT__TRY(brant__step(out_row, db, first));
    if (!*out_row) goto cleanup;
    const int64_t number = brant__column_integer(first, 0);
    brant__text socket = brant__column_text(first, 1);
    const bool valid = brant__socket_id_valid(socket);
    if (valid) memcpy(bytes, socket.data, BRANT__SOCKET_ID);
    brant__reset(first);
    BRANT__TRY(get(&statement, db, TAKE));
    brant__bind_text(statement, 1, topic);
    brant__bind_integer(statement, 2, number);
    BRANT__TRY(brant__run(db, statement));
    if (!valid) goto cleanup;
    socket = brant__text_of(bytes, BRANT__SOCKET_ID);
    BRANT__TRY(brant__wake_alive(out_woken, db, socket));
    if (*out_woken) status = brant__wake_send(db, socket);
cleanup:
    brant__reset(first);
    return status;
}

brant_status brant__waiter_wake(brant_db *db, brant__text topic, int64_t count) {
    brant_status status = brant__wake_attach(db);
    brant__statement *statement = NULL;
    bool row = true;
    while (status == BRANT_OK && row && count > 0) {
        bool woken = false;
        BRANT__TRY(get(&statement, db, FIRST));
        brant__bind_text(statement, 1, topic);
        BRANT__TRY(take_first(&row, &woken, db, statement, topic));
        if (woken) count--;
    }
cleanup:
    return status;
}

brant_status brant__waiter_earlier(brant_db *db, brant__text topic, int64_t at) {
    brant_status status = brant__wake_attach(db);
    brant__statement *statement = NULL;
    char bytes[BRANT__SOCKET_ID + 1] = {0};
    bool row = true, alive = false;
    while (status == BRANT_OK && !alive) {
        BRANT__TRY(get(&statement, db, EARLIEST));
        brant__bind_text(statement, 1, topic);
        brant__bind_integer(statement, 2, at);
        BRANT__TRY(brant__step(&row, db, statement));
        if (!row) break;
        const int64_t number = brant__column_integer(statement, 0);
        const brant__text socket = brant__column_text(statement, 1);
        const bool valid = brant__socket_id_valid(socket);
        if (valid) memcpy(bytes, socket.data, BRANT__SOCKET_ID);
        brant__reset(statement);
        if (valid) {
            BRANT__TRY(brant__wake_alive(&alive, db, brant__text_of(bytes, BRANT__SOCKET_ID)));
            continue; /* the dead one's rows are gone */
        }
        BRANT__TRY(get(&statement, db, TAKE));
        brant__bind_text(statement, 1, topic);
        brant__bind_integer(statement, 2, number);
        BRANT__TRY(brant__run(db, statement));
    }
    brant__reset(statement);
    return status == BRANT_OK && !alive ? brant__waiter_wake(db, topic, 1) : status;
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__waiter_deadline(int64_t *out, brant_db *db, brant__text topic, int64_t at) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    bool row = false;
    *out = at;
    if (at > INT64_MAX - STAGGER * STAGGER_MOST) return BRANT_OK;
    BRANT__TRY(get(&statement, db, DEADLINES));
    brant__bind_text(statement, 1, topic);
    brant__bind_integer(statement, 2, STAGGER_MOST);
    for (;;) {
        BRANT__TRY(brant__step(&row, db, statement));
        if (!row || brant__column_integer(statement, 0) > *out) break;
        *out += STAGGER;
    }
cleanup:
    brant__reset(statement);
    return status;
}

/* ---- for wake.c ------------------------------------------------------------------------------------------------------------- */

bool brant__waiter_any(const brant_db *db) {
    const waiter *self = waiter_of(db);
    return self && self->count > 0;
}

brant_status brant__waiter_forget(brant_db *db, brant__text socket) {
    brant__statement *statement = NULL;
    const brant_status status = get(&statement, db, FORGET);
    if (status != BRANT_OK) return status;
    brant__bind_text(statement, 1, socket);
    return brant__run(db, statement);
}

brant_status brant__waiter_socket_after(char *out, brant_db *db, brant__text after) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    char from[BRANT__SOCKET_ID + 1] = {0}; /* `after` may be `out` */
    bool row = false;
    if (after.length > BRANT__SOCKET_ID) after.length = BRANT__SOCKET_ID;
    memcpy(from, after.data, after.length);
    out[0] = '\0';
    BRANT__TRY(get(&statement, db, SOCKET_AFTER));
    brant__bind_text(statement, 1, brant__text_of(from, after.length));
    BRANT__TRY(brant__step(&row, db, statement));
    if (row) {
        const brant__text socket = brant__column_text(statement, 0);
        const size_t length = socket.length < BRANT__SOCKET_ID ? socket.length : BRANT__SOCKET_ID;
        memcpy(out, socket.data, length);
        out[length] = '\0';
    }
cleanup:
    brant__reset(statement);
    return status;
}
