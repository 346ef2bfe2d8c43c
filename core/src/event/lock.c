/*
 * event/lock.c: named leases with fencing tokens.
 *
 * A row is a lease; one whose time is over is as good as none, and is removed when the lock is taken again, or by db.maintain. Tokens come from event_sequences, so that they grow
 * for ever, whatever becomes of the rows.
 *
 * A lease says when it was renewed, so that a clock that was set back is noticed: who holds it has it from now on for as long as it was given, and no longer. Otherwise a lock
 * whose holder died while the clock was wrong would be held until the clock is wrong again.
 */
#include "event/lock.h"

#include "event/input.h"
#include "event/listing.h"
#include "event/waiter.h"
#include "event/watch.h"

#define CHUNK  1000 /* rows removed in one transaction of maintenance */
#define CHUNKS 50   /* transactions in one call of it */

enum { GET, NEXT_TOKEN, PUT, RENEW, REMOVE, LIST, EXPIRED, STATEMENTS };
static const char *const sql[] = {
    [GET] = "SELECT owner, token, acquired_at, renewed_at, expires_at FROM locks WHERE name = "
            ":name",
    [NEXT_TOKEN] = "INSERT INTO event_sequences (name, value) VALUES ('lock', 1) "
                   "ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
    [PUT] = "INSERT OR REPLACE INTO locks (name, owner, token, acquired_at, renewed_at, "
            "expires_at) VALUES (:name, :owner, :token, :now, :now, :expires_at)",
    [RENEW] = "UPDATE locks SET renewed_at = :now, expires_at = :expires_at WHERE name = :name",
    [REMOVE] = "DELETE FROM locks WHERE name = :name",
    [LIST] = "SELECT owner, token, acquired_at, renewed_at, expires_at, name FROM locks "
             "WHERE " BRANT__LISTING_FROM("name") " ORDER BY name",
    [EXPIRED] = "DELETE FROM locks WHERE name IN (SELECT name FROM locks WHERE expires_at <= :now "
                "ORDER BY expires_at LIMIT :most)",
};
const brant__statements brant__lock_statements = {BRANT__TABLE_LOCK, STATEMENTS, sql};

static brant_status get(brant__statement **out, brant_db *db, size_t index) {
    return brant__statement_get(out, db, &brant__lock_statements, index);
}

static brant__text topic_of(brant__topic *topic, brant__text name) {
    return brant__topic_of(topic, "lock", name, (brant__text){NULL, 0});
}

/* ---- rows ---------------------------------------------------------------------------------------------------------------- */

typedef struct lease {
    brant__text owner; /* {NULL, 0}: free */
    int64_t token;
    int64_t acquired_at;
    int64_t ttl;
    int64_t expires_at;
    bool
        set_back; /* the clock was, since the row was written: the other members say what the row should */
} lease;

/* The lease of a row; borrowed from it. */
static lease lease_of(brant__statement *statement, int64_t now) {
    const int64_t renewed_at = brant__column_integer(statement, 3);
    lease found = {.owner = brant__column_text(statement, 0),
                   .token = brant__column_integer(statement, 1),
                   .acquired_at = brant__column_integer(statement, 2),
                   .expires_at = brant__column_integer(statement, 4)};
    found.ttl = found.expires_at - renewed_at;
    if (now < renewed_at) {
        found.set_back = true;
        found.expires_at = now + found.ttl;
    }
    if (found.expires_at <= now) found = (lease){.owner = {NULL, 0}};
    return found;
}

/* The lease of a lock; its owner's name is in `owner`, which has 256 bytes. */
static brant_status read_lease(lease *out, char *owner, brant_db *db, brant__text name) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    bool row = false;
    *out = (lease){.owner = {NULL, 0}};
    BRANT__TRY(get(&statement, db, GET));
    brant__bind_text(statement, 1, name);
    BRANT__TRY(brant__step(&row, db, statement));
    if (!row) goto cleanup;
    *out = lease_of(statement, brant__db_now(db));
    if (!out->owner.data) goto cleanup;
    if (out->owner.length > 255) out->owner.length = 255;
    memcpy(owner, out->owner.data, out->owner.length);
    out->owner.data = owner;
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status renew(brant_db *db, brant__text name, int64_t expires_at) {
    brant__statement *statement = NULL;
    const brant_status status = get(&statement, db, RENEW);
    if (status != BRANT_OK) return status;
    brant__bind_integer(statement, 1, brant__db_now(db));
    brant__bind_integer(statement, 2, expires_at);
    brant__bind_text(statement, 3, name);
    return brant__run(db, statement);
}

static brant_status next_token(int64_t *out, brant_db *db) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    bool row = false;
    BRANT__TRY(get(&statement, db, NEXT_TOKEN));
    BRANT__TRY(brant__step(&row, db, statement));
    if (row) *out = brant__column_integer(statement, 0);
cleanup:
    brant__reset(statement);
    return status;
}

/* ---- taking and giving back ------------------------------------------------------------------------------------------------ */

/* A lease ends at another time than those who sleep may know of. */
static brant_status tell_end(brant_db *db, brant__text name, int64_t expires_at) {
    brant__topic topic;
    return brant__waiter_earlier(db, topic_of(&topic, name), expires_at);
}

brant_status brant__lock_acquire(brant__lock *out, brant_db *db, brant__arena *arena,
                                 brant__text name, brant__text owner, int64_t ttl) {
    brant_status status;
    brant__statement *statement = NULL;
    const int64_t now = brant__db_now(db);
    char held_by[256];
    lease held;
    *out = (brant__lock){.owner = owner};
    BRANT__TRY(read_lease(&held, held_by, db, name));
    if (held.owner.data && !brant__text_equal(held.owner, owner)) {
        if (held.set_back) {
            BRANT__TRY(renew(db, name, held.expires_at));
            BRANT__TRY(tell_end(db, name, held.expires_at));
        }
        out->token = held.token;
        out->expires_at = held.expires_at;
        out->owner.data = brant__arena_copy(arena, held.owner.data, held.owner.length);
        out->owner.length = held.owner.length;
        return out->owner.data ? BRANT_OK : brant__fail_memory();
    }
    out->expires_at = now + ttl;
    if (held.owner.data) {
        out->token = held.token;
        BRANT__TRY(renew(db, name, out->expires_at));
    } else {
        BRANT__TRY(next_token(&out->token, db));
        BRANT__TRY(get(&statement, db, PUT));
        brant__bind_text(statement, 1, name);
        brant__bind_text(statement, 2, owner);
        brant__bind_integer(statement, 3, out->token);
        brant__bind_integer(statement, 4, now);
        brant__bind_integer(statement, 5, out->expires_at);
        BRANT__TRY(brant__run(db, statement));
    }
    BRANT__TRY(tell_end(db, name, out->expires_at));
    out->acquired = true;
cleanup:
    return status;
}

static brant_status remove_lease(brant_db *db, brant__text name) {
    brant_status status;
    brant__statement *statement = NULL;
    brant__topic topic;
    BRANT__TRY(get(&statement, db, REMOVE));
    brant__bind_text(statement, 1, name);
    BRANT__TRY(brant__run(db, statement));
    status = brant__waiter_wake(db, topic_of(&topic, name), 1);
cleanup:
    return status;
}

brant_status brant__lock_give_back(bool *out_released, brant_db *db, brant__text name,
                                   int64_t token) {
    char owner[256];
    lease held;
    const brant_status status = read_lease(&held, owner, db, name);
    *out_released = status == BRANT_OK && held.owner.data && held.token == token;
    return *out_released ? remove_lease(db, name) : status;
}

brant_status brant__lock_free_at(int64_t *out, brant_db *db, brant__text name) {
    char owner[256];
    lease held;
    const brant_status status = read_lease(&held, owner, db, name);
    *out = held.owner.data ? held.expires_at : 0;
    return status;
}

brant_status brant__lock_maintain(int64_t *out_removed, brant_db *db) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    bool begun = false;
    *out_removed = 0;
    for (int chunk = 0; chunk < CHUNKS; chunk++) {
        BRANT__TRY(brant__db_poll(db));
        BRANT__TRY(brant__begin(db, BRANT__WRITE));
        begun = true;
        BRANT__TRY(get(&statement, db, EXPIRED));
        brant__bind_integer(statement, 1, brant__db_now(db));
        brant__bind_integer(statement, 2, CHUNK);
        BRANT__TRY(brant__run(db, statement));
        const int64_t removed = brant__changes(db);
        BRANT__TRY(brant__commit(db));
        begun = false;
        *out_removed += removed;
        if (removed < CHUNK) break;
    }
cleanup:
    if (begun) brant__rollback(db);
    return status;
}

/* ---- operations ---------------------------------------------------------------------------------------------------------- */

static brant_status fail_stale(brant__text name, int64_t token) {
    return brant__fail(BRANT_STALE, "the lease of lock \"%.*s\" with token %lld is over",
                       (int)name.length, name.data, (long long)token);
}

static brant_status fail_free(brant__text name) {
    return brant__fail(BRANT_NOT_FOUND, "nobody holds lock \"%.*s\"", (int)name.length, name.data);
}

brant_status brant__locks_acquire(brant__call *call) {
    const brant__text name = brant__json_get_text(call->input, "name"),
                      owner = brant__json_get_text(call->input, "owner");
    const int64_t ttl = brant__json_integer(brant__json_get(call->input, "ttl"), BRANT__LOCK_TTL);
    brant__lock lock;
    brant_status status;
    BRANT__TRY(brant__input_name(name, "/name"));
    BRANT__TRY(brant__input_name(owner, "/owner"));
    BRANT__TRY(brant__lock_acquire(&lock, call->db, call->arena, name, owner, ttl));
    brant__write_object(call->out);
    brant__write_bool_member(call->out, "acquired", lock.acquired);
    if (lock.acquired) brant__write_integer_member(call->out, "token", lock.token);
    brant__write_integer_member(call->out, "expires_at", lock.expires_at);
    brant__write_text_member(call->out, "owner", lock.owner);
    brant__write_end(call->out);
cleanup:
    return status;
}

brant_status brant__locks_refresh(brant__call *call) {
    const brant__text name = brant__json_get_text(call->input, "name");
    const int64_t token = brant__json_integer(brant__json_get(call->input, "token"), 0);
    char owner[256];
    lease held;
    brant_status status;
    BRANT__TRY(brant__input_name(name, "/name"));
    BRANT__TRY(read_lease(&held, owner, call->db, name));
    if (!held.owner.data || held.token != token) {
        status = fail_stale(name, token);
        goto cleanup;
    }
    const int64_t expires_at = brant__db_now(call->db) +
                               brant__json_integer(brant__json_get(call->input, "ttl"), held.ttl);
    BRANT__TRY(renew(call->db, name, expires_at));
    BRANT__TRY(tell_end(call->db, name, expires_at));
    brant__write_integer_object(call->out, "expires_at", expires_at);
cleanup:
    return status;
}

brant_status brant__locks_release(brant__call *call) {
    const brant__text name = brant__json_get_text(call->input, "name");
    const int64_t token = brant__json_integer(brant__json_get(call->input, "token"), 0);
    bool released = false;
    brant_status status;
    BRANT__TRY(brant__input_name(name, "/name"));
    BRANT__TRY(brant__lock_give_back(&released, call->db, name, token));
    if (!released) status = fail_stale(name, token);
    brant__write_object(call->out);
    brant__write_end(call->out);
cleanup:
    return status;
}

brant_status brant__locks_break(brant__call *call) {
    const brant__text name = brant__json_get_text(call->input, "name");
    char owner[256];
    lease held;
    brant_status status;
    BRANT__TRY(brant__input_name(name, "/name"));
    BRANT__TRY(read_lease(&held, owner, call->db, name));
    if (!held.owner.data) {
        status = fail_free(name);
        goto cleanup;
    }
    BRANT__TRY(remove_lease(call->db, name));
    brant__write_integer_object(call->out, "token", held.token);
cleanup:
    return status;
}

static void write_lease(brant__writer *out, const lease *held, brant__text name) {
    brant__write_object(out);
    brant__write_text_member(out, "name", name);
    brant__write_text_member(out, "owner", held->owner);
    brant__write_integer_member(out, "token", held->token);
    brant__write_integer_member(out, "acquired_at", held->acquired_at);
    brant__write_integer_member(out, "expires_at", held->expires_at);
    brant__write_end(out);
}

brant_status brant__locks_get(brant__call *call) {
    const brant__text name = brant__json_get_text(call->input, "name");
    char owner[256];
    lease held;
    brant_status status;
    BRANT__TRY(brant__input_name(name, "/name"));
    BRANT__TRY(read_lease(&held, owner, call->db, name));
    if (!held.owner.data) {
        status = fail_free(name);
        goto cleanup;
    }
    write_lease(call->out, &held, name);
cleanup:
    return status;
}

brant_status brant__locks_list(brant__call *call) {
    brant_status status;
    brant__statement *statement = NULL;
    brant__listing list = brant__listing_read(call);
    bool row = false;
    BRANT__TRY(get(&statement, call->db, LIST));
    brant__listing_bind(statement, &list, (brant__text){NULL, 0});
    brant__listing_begin(call);
    for (;;) {
        BRANT__TRY(brant__step(&row, call->db, statement));
        if (!row) break;
        const lease held = lease_of(statement, brant__db_now(call->db));
        if (!held.owner.data) continue;
        const brant__text name = brant__column_text(statement, 5);
        bool wanted = false;
        BRANT__TRY(brant__listing_take(&wanted, &list, call, name));
        if (!wanted) break;
        write_lease(call->out, &held, name);
    }
    brant__listing_end(&list, call);
cleanup:
    brant__reset(statement);
    return status;
}

/* ---- locks.watch --------------------------------------------------------------------------------------------------------- */

brant_status brant__lock_sleep(int64_t *out_until, int64_t *ticket, brant_db *db, brant__text name,
                               int64_t free_at) {
    brant_status status;
    brant__topic topic;
    const brant__text text = topic_of(&topic, name);
    BRANT__TRY(brant__waiter_leave(db, text, *ticket));
    *ticket = 0;
    BRANT__TRY(brant__waiter_deadline(out_until, db, text, free_at));
    status = brant__waiter_sleep(ticket, db, text, *out_until);
cleanup:
    return status;
}

typedef struct watcher {
    brant__watch watch;
    size_t length;
    char name[BRANT__EVENT_NAME_SIZE];
} watcher;

static brant_status look(brant__fetch *out, brant_db *db, brant__watch *watch,
                         brant__writer *writer) {
    const watcher *self = (const watcher *)watch;
    int64_t free_at = 0;
    const brant_status status =
        brant__lock_free_at(&free_at, db, brant__text_of(self->name, self->length));
    if (status != BRANT_OK) return status;
    if (free_at != 0) {
        out->until = free_at;
        return BRANT_OK;
    }
    brant__write_object(writer);
    brant__write_bool_member(writer, "free", true);
    brant__write_end(writer);
    out->count = 1;
    return BRANT_OK;
}

brant_status brant__locks_watch(brant_cursor **out_cursor, brant__call *call) {
    const brant__text name = brant__json_get_text(call->input, "name");
    const brant_status status = brant__input_name(name, "/name");
    if (status != BRANT_OK) return status;
    watcher *self = brant__watch_new(sizeof *self, look);
    if (!self) return brant__fail_memory();
    self->length = name.length;
    memcpy(self->name, name.data, name.length);
    self->watch.topic = topic_of(&self->watch.bytes, name);
    return brant__watch_open(out_cursor, call->db, &self->watch);
}
