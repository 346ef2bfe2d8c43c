/*
 * event/rate_limit.c: sliding windows and token buckets.
 *
 * A limit has a time of its own, which never goes back: the clock, plus `ahead`, by which the clock was set back. All times in the rows are of it, so that a
 * clock that jumps back neither gives anything twice nor keeps anybody waiting for longer than a period.
 *
 * Sliding window. What is taken in one millisecond is one row of rate_limit_hits, with how much had ever been taken before it and how much with it. So what a
 * window holds is a difference of two rows, however many are between, and no window of `period` ms ever holds more than the limit. Rows that left the window are
 * removed by those who take, a few at a time.
 *
 * Token bucket. `level` counts parts of a token, `period` of them to one: each millisecond adds `limit` parts, so that nothing is ever rounded.
 */
#include "event/rate_limit.h"

#include "event/input.h"
#include "event/listing.h"

#define PRUNE  16   /* rows that left the window, removed by one take, which adds one */
#define CHUNK  1000 /* rows removed in one transaction of maintenance */
#define CHUNKS 50   /* transactions in one call of it */

enum {
    GET,
    PUT,
    OLDEST,
    FIRST,
    ENOUGH,
    HIT,
    FORGET,
    FORGET_ALL,
    DELETE,
    LIST,
    IDLE,
    FORGET_SOME,
    STATEMENTS
};
static const char *const sql[] = {
    [GET] = "SELECT kind, \"limit\", period, burst, ahead, at, level, full_at FROM rate_limits "
            "WHERE name = :name",
    [PUT] = "INSERT INTO rate_limits (name, kind, \"limit\", period, burst, ahead, at, level, "
            "full_at) VALUES (:name, :kind, :limit, :period, :burst, :ahead, :at, :level, "
            ":full_at) ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, "
            "\"limit\" = excluded.\"limit\", period = excluded.period, burst = excluded.burst, "
            "ahead = excluded.ahead, at = excluded.at, level = excluded.level, "
            "full_at = excluded.full_at",
    [OLDEST] = "SELECT at, before FROM rate_limit_hits WHERE name = :name ORDER BY at LIMIT 1",
    [FIRST] = "SELECT at, before FROM rate_limit_hits WHERE name = :name AND at > :from "
              "ORDER BY at LIMIT 1",
    [ENOUGH] = "SELECT at FROM rate_limit_hits WHERE name = :name AND at >= :from AND "
               "total >= :total ORDER BY at LIMIT 1",
    [HIT] = "INSERT INTO rate_limit_hits (name, at, before, total) VALUES (:name, :at, :before, "
            ":total) ON CONFLICT (name, at) DO UPDATE SET total = excluded.total",
    [FORGET] = "DELETE FROM rate_limit_hits WHERE name = :name AND at IN (SELECT at FROM "
               "rate_limit_hits WHERE name = :name AND at <= :through ORDER BY at LIMIT :most)",
    [FORGET_ALL] = "DELETE FROM rate_limit_hits WHERE name = :name",
    [DELETE] = "DELETE FROM rate_limits WHERE name = :name",
    [LIST] =
        "SELECT kind, \"limit\", period, burst, name FROM rate_limits WHERE " BRANT__LISTING_FROM(
            "name") " ORDER BY name",
    [IDLE] = "SELECT name FROM rate_limits WHERE full_at <= :now ORDER BY full_at LIMIT 1",
    [FORGET_SOME] = "DELETE FROM rate_limit_hits WHERE name = :name AND at IN (SELECT at FROM "
                    "rate_limit_hits WHERE name = :name ORDER BY at LIMIT :most)",
};
const brant__statements brant__rate_limit_statements = {BRANT__TABLE_RATE_LIMIT, STATEMENTS, sql};

static brant_status get(brant__statement **out, brant_db *db, size_t index, brant__text name) {
    const brant_status status = brant__statement_get(out, db, &brant__rate_limit_statements, index);
    if (status == BRANT_OK) brant__bind_text(*out, 1, name);
    return status;
}

/* What is known of a limit, brought to its own present. */
typedef struct state {
    bool known;
    brant__rate_limit limit; /* as it was last taken from; without the name */
    bool moved;              /* the clock was set back since the last write */
    int64_t ahead;
    int64_t now;   /* of its own time */
    int64_t at;    /* when the row was written */
    int64_t level; /* bucket: parts of tokens in it; window: all that was ever taken */
    int64_t full_at;
    int64_t first;  /* window: when the first row in it was written */
    int64_t before; /* what had been taken before that row */
    bool stale;     /* there are rows that left the window */
} state;

static int64_t capacity_of(const brant__rate_limit *limit) {
    if (limit->kind == BRANT__SLIDING_WINDOW) return limit->limit;
    return limit->burst > 0 ? limit->burst : limit->limit;
}

static int64_t divide_up(int64_t a, int64_t b) {
    return a / b + (a % b != 0);
}

/* ---- reading ------------------------------------------------------------------------------------------------------------- */

static brant_status read_row(state *out, brant_db *db, brant__text name) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    *out = (state){.now = brant__db_now(db)};
    BRANT__TRY(get(&statement, db, GET, name));
    BRANT__TRY(brant__step(&out->known, db, statement));
    if (out->known) {
        out->limit.kind = (int)brant__column_integer(statement, 0);
        out->limit.limit = brant__column_integer(statement, 1);
        out->limit.period = brant__column_integer(statement, 2);
        out->limit.burst = brant__column_integer(statement, 3);
        out->ahead = brant__column_integer(statement, 4);
        out->at = brant__column_integer(statement, 5);
        out->level = brant__column_integer(statement, 6);
        out->full_at = brant__column_integer(statement, 7);
        out->moved = out->now + out->ahead < out->at;
        if (out->moved) out->ahead = out->at - out->now;
        out->now += out->ahead;
    }
cleanup:
    brant__reset(statement);
    return status;
}

/* The first row in the window; `level` where there is none, so that nothing is in it. */
static brant_status read_window(state *self, brant_db *db, const brant__rate_limit *limit) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    const int64_t from = self->now - limit->period;
    bool row = false;
    self->before = self->level;
    BRANT__TRY(get(&statement, db, OLDEST, limit->name));
    BRANT__TRY(brant__step(&row, db, statement));
    if (row && brant__column_integer(statement, 0) <= from) {
        self->stale = true;
        brant__reset(statement);
        BRANT__TRY(get(&statement, db, FIRST, limit->name));
        brant__bind_integer(statement, 2, from);
        BRANT__TRY(brant__step(&row, db, statement));
    }
    if (row) {
        self->first = brant__column_integer(statement, 0);
        self->before = brant__column_integer(statement, 1);
    }
cleanup:
    brant__reset(statement);
    return status;
}

/* What the bucket holds now, by how it was last used; then in the parts of how it is used now, of which a broken token is lost. */
static void refill(state *self, const brant__rate_limit *limit) {
    const int64_t capacity = capacity_of(limit) * limit->period;
    if (!self->known) {
        self->level = capacity;
        return;
    }
    const brant__rate_limit *last = &self->limit;
    const int64_t full = capacity_of(last) * last->period, elapsed = self->now - self->at;
    if (elapsed >= divide_up(full - self->level, last->limit))
        self->level = full;
    else
        self->level += elapsed * last->limit;
    if (last->period != limit->period) self->level = self->level / last->period * limit->period;
    if (self->level > capacity) self->level = capacity;
}

static brant_status read_state(state *out, brant_db *db, const brant__rate_limit *limit) {
    brant_status status;
    BRANT__TRY(read_row(out, db, limit->name));
    if (out->known && out->limit.kind != limit->kind) { /* begins anew */
        out->known = false;
        out->stale = out->limit.kind == BRANT__SLIDING_WINDOW;
        out->level = 0;
    }
    if (limit->kind == BRANT__TOKEN_BUCKET)
        refill(out, limit);
    else if (out->known)
        BRANT__TRY(read_window(out, db, limit));
cleanup:
    return status;
}

/* ---- deciding ------------------------------------------------------------------------------------------------------------ */

/* When the window will have room for `cost`. */
static brant_status find_room(int64_t *out_at, brant_db *db, const state *self,
                              const brant__rate_limit *limit, int64_t cost) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    bool row = false;
    BRANT__TRY(get(&statement, db, ENOUGH, limit->name));
    brant__bind_integer(statement, 2, self->first);
    brant__bind_integer(statement, 3, self->level + cost - limit->limit);
    BRANT__TRY(brant__step(&row, db, statement));
    *out_at = row ? brant__column_integer(statement, 0) + limit->period : self->full_at;
cleanup:
    brant__reset(statement);
    return status;
}

/* Decide, and note in `self` what is left; nothing is written. */
static brant_status decide(brant__rate *out, brant_db *db, state *self,
                           const brant__rate_limit *limit, int64_t cost, bool take) {
    *out = (brant__rate){.allowed = false};
    if (limit->kind == BRANT__TOKEN_BUCKET) {
        const int64_t price = cost * limit->period;
        const int64_t capacity = capacity_of(limit) * limit->period;
        out->allowed = self->level >= price;
        if (!out->allowed) out->retry_after = divide_up(price - self->level, limit->limit);
        if (out->allowed && take) self->level -= price;
        out->remaining = self->level / limit->period;
        self->full_at = self->now + divide_up(capacity - self->level, limit->limit);
    } else {
        const int64_t used = self->level - self->before;
        out->allowed = used + cost <= limit->limit;
        if (!out->allowed) {
            int64_t at = 0;
            const brant_status status = find_room(&at, db, self, limit, cost);
            if (status != BRANT_OK) return status;
            out->retry_after = at - self->now;
        }
        const int64_t taken = used + (out->allowed && take ? cost : 0);
        out->remaining = taken < limit->limit ? limit->limit - taken : 0;
        if (out->allowed && take && cost > 0)
            self->full_at = self->now + limit->period;
        else if (used == 0)
            self->full_at = self->now;
    }
    out->reset_at = self->full_at - self->ahead;
    return BRANT_OK;
}

static brant_status forget(brant_db *db, const state *self, const brant__rate_limit *limit) {
    brant__statement *statement = NULL;
    const bool all = !self->known;
    const brant_status status = get(&statement, db, all ? FORGET_ALL : FORGET, limit->name);
    if (status != BRANT_OK) return status;
    if (!all) {
        brant__bind_integer(statement, 2, self->now - limit->period);
        brant__bind_integer(statement, 3, PRUNE);
    }
    return brant__run(db, statement);
}

static brant_status add_hit(brant_db *db, state *self, brant__text name, int64_t cost) {
    brant__statement *statement = NULL;
    const brant_status status = get(&statement, db, HIT, name);
    if (status != BRANT_OK) return status;
    brant__bind_integer(statement, 2, self->now);
    brant__bind_integer(statement, 3, self->level);
    self->level += cost;
    brant__bind_integer(statement, 4, self->level);
    return brant__run(db, statement);
}

brant_status brant__rate_limit_take(brant__rate *out, brant_db *db, const brant__rate_limit *limit,
                                    int64_t cost) {
    brant_status status;
    brant__statement *statement = NULL;
    state self;
    *out = (brant__rate){.allowed = false};
    BRANT__TRY(read_state(&self, db, limit));
    BRANT__TRY(decide(out, db, &self, limit, cost, true));
    /* A refusal changes nothing, but that the clock was set back, from where on time counts. */
    if (!out->allowed && !self.moved) goto cleanup;
    if (self.stale) BRANT__TRY(forget(db, &self, limit));
    if (limit->kind == BRANT__SLIDING_WINDOW && out->allowed && cost > 0)
        BRANT__TRY(add_hit(db, &self, limit->name, cost));
    self.at = self.now;
    BRANT__TRY(get(&statement, db, PUT, limit->name));
    brant__bind_integer(statement, 2, limit->kind);
    brant__bind_integer(statement, 3, limit->limit);
    brant__bind_integer(statement, 4, limit->period);
    brant__bind_integer(statement, 5, limit->kind == BRANT__TOKEN_BUCKET ? capacity_of(limit) : 0);
    brant__bind_integer(statement, 6, self.ahead);
    brant__bind_integer(statement, 7, self.at);
    brant__bind_integer(statement, 8, self.level);
    brant__bind_integer(statement, 9, self.full_at);
    status = brant__run(db, statement);
cleanup:
    return status;
}

brant_status brant__rate_limit_peek(brant__rate *out, brant_db *db, const brant__rate_limit *limit,
                                    int64_t cost) {
    state self;
    brant_status status = read_state(&self, db, limit);
    *out = (brant__rate){.allowed = false};
    return status == BRANT_OK ? decide(out, db, &self, limit, cost, false) : status;
}

brant_status brant__rate_limit_reset(bool *out_known, brant_db *db, brant__text name) {
    brant_status status;
    brant__statement *statement = NULL;
    if (out_known) *out_known = false;
    BRANT__TRY(get(&statement, db, FORGET_ALL, name));
    BRANT__TRY(brant__run(db, statement));
    BRANT__TRY(get(&statement, db, DELETE, name));
    BRANT__TRY(brant__run(db, statement));
    if (out_known) *out_known = brant__changes(db) > 0;
cleanup:
    return status;
}

/* ---- maintenance --------------------------------------------------------------------------------------------------------- */

/* In a write transaction: the next limit that is whole again goes, rows of its window first, at most CHUNK. */
static brant_status remove_idle(int64_t *removed, bool *out_more, brant_db *db) {
    brant_status status;
    brant__statement *idle = NULL, *statement = NULL;
    int64_t rows = 0;
    *out_more = false;
    BRANT__TRY(brant__statement_get(&idle, db, &brant__rate_limit_statements, IDLE));
    while (rows < CHUNK) {
        brant__bind_integer(idle, 1, brant__db_now(db));
        BRANT__TRY(brant__step(out_more, db, idle));
        if (!*out_more) break;
        const brant__text name = brant__column_text(idle, 0); /* lives until the reset */
        BRANT__TRY(get(&statement, db, FORGET_SOME, name));
        brant__bind_integer(statement, 2, CHUNK);
        BRANT__TRY(brant__run(db, statement));
        rows += brant__changes(db) + 1;
        if (brant__changes(db) < CHUNK) {
            BRANT__TRY(get(&statement, db, DELETE, name));
            BRANT__TRY(brant__run(db, statement));
            ++*removed;
        }
        brant__reset(idle);
    }
cleanup:
    brant__reset(idle);
    return status;
}

brant_status brant__rate_limit_maintain(int64_t *out_removed, brant_db *db) {
    brant_status status = BRANT_OK;
    bool begun = false, more = true;
    *out_removed = 0;
    for (int chunk = 0; more && chunk < CHUNKS; chunk++) {
        BRANT__TRY(brant__db_poll(db));
        BRANT__TRY(brant__begin(db, BRANT__WRITE));
        begun = true;
        BRANT__TRY(remove_idle(out_removed, &more, db));
        BRANT__TRY(brant__commit(db));
        begun = false;
    }
cleanup:
    if (begun) brant__rollback(db);
    return status;
}

/* ---- operations ---------------------------------------------------------------------------------------------------------- */

static brant_status check_name(brant__text name) {
    const brant_status status = brant__input_name(name, "/name");
    if (status != BRANT_OK || name.data[0] != BRANT__RATE_LIMIT_MARK) return status;
    return brant__fail(BRANT_INVALID, "/name must not begin with U+0001");
}

static brant_status read_input(brant__rate_limit *out, int64_t *out_cost, brant__call *call) {
    const brant__text kind = brant__json_get_text(call->input, "kind");
    yyjson_val *burst = brant__json_get(call->input, "burst");
    *out = (brant__rate_limit){
        .name = brant__json_get_text(call->input, "name"),
        .kind = brant__text_equal(kind, BRANT__TEXT("token_bucket")) ? BRANT__TOKEN_BUCKET
                                                                     : BRANT__SLIDING_WINDOW,
        .limit = brant__json_integer(brant__json_get(call->input, "limit"), 1),
        .period = brant__json_integer(brant__json_get(call->input, "period"), 1),
        .burst = brant__json_integer(burst, 0),
    };
    *out_cost = brant__json_integer(brant__json_get(call->input, "cost"), 1);
    if (burst && out->kind == BRANT__SLIDING_WINDOW)
        return brant__fail(BRANT_INVALID, "/burst: a sliding window has none");
    if (*out_cost > capacity_of(out))
        return brant__fail(
            BRANT_INVALID, "/cost: %lld is more than the %s of %lld: it could never be taken",
            (long long)*out_cost, burst ? "burst" : "limit", (long long)capacity_of(out));
    return check_name(out->name);
}

static void write_rate(brant__writer *out, const brant__rate *rate, bool decision) {
    if (decision) {
        brant__write_bool_member(out, "allowed", rate->allowed);
    }
    brant__write_integer_member(out, "remaining", rate->remaining);
    if (decision) brant__write_integer_member(out, "retry_after", rate->retry_after);
    brant__write_integer_member(out, "reset_at", rate->reset_at);
}

static brant_status answer(brant__call *call, bool take) {
    brant_status status;
    brant__rate_limit limit;
    brant__rate rate;
    int64_t cost = 1;
    BRANT__TRY(read_input(&limit, &cost, call));
    BRANT__TRY(take ? brant__rate_limit_take(&rate, call->db, &limit, cost)
                    : brant__rate_limit_peek(&rate, call->db, &limit, cost));
    brant__write_object(call->out);
    write_rate(call->out, &rate, true);
    brant__write_end(call->out);
cleanup:
    return status;
}

brant_status brant__rate_limits_take(brant__call *call) {
    return answer(call, true);
}

brant_status brant__rate_limits_peek(brant__call *call) {
    return answer(call, false);
}

brant_status brant__rate_limits_reset(brant__call *call) {
    const brant__text name = brant__json_get_text(call->input, "name");
    bool known = false;
    brant_status status = check_name(name);
    if (status == BRANT_OK) status = brant__rate_limit_reset(&known, call->db, name);
    if (status != BRANT_OK) return status;
    brant__write_object(call->out);
    brant__write_bool_member(call->out, "reset", known);
    brant__write_end(call->out);
    return BRANT_OK;
}

static brant_status write_limit(brant__writer *out, brant_db *db, const brant__rate_limit *limit) {
    brant__rate rate;
    const brant_status status = brant__rate_limit_peek(&rate, db, limit, 0);
    if (status != BRANT_OK) return status;
    brant__write_object(out);
    brant__write_text_member(out, "name", limit->name);
    brant__write_text_member(out, "kind",
                             limit->kind == BRANT__TOKEN_BUCKET ? BRANT__TEXT("token_bucket")
                                                                : BRANT__TEXT("sliding_window"));
    brant__write_integer_member(out, "limit", limit->limit);
    brant__write_integer_member(out, "period", limit->period);
    if (limit->kind == BRANT__TOKEN_BUCKET) brant__write_integer_member(out, "burst", limit->burst);
    write_rate(out, &rate, false);
    brant__write_end(out);
    return BRANT_OK;
}

brant_status brant__rate_limits_list(brant__call *call) {
    brant_status status;
    brant__statement *statement = NULL;
    brant__listing list = brant__listing_read(call);
    bool row = false;
    BRANT__TRY(brant__statement_get(&statement, call->db, &brant__rate_limit_statements, LIST));
    brant__listing_bind(statement, &list, BRANT__TEXT("\x01\xff")); /* behind the library's own */
    brant__listing_begin(call);
    for (;;) {
        BRANT__TRY(brant__step(&row, call->db, statement));
        if (!row) break;
        const brant__rate_limit limit = {
            .name = brant__column_text(statement, 4),
            .kind = (int)brant__column_integer(statement, 0),
            .limit = brant__column_integer(statement, 1),
            .period = brant__column_integer(statement, 2),
            .burst = brant__column_integer(statement, 3),
        };
        bool wanted = false;
        BRANT__TRY(brant__listing_take(&wanted, &list, call, limit.name));
        if (!wanted) break;
        BRANT__TRY(write_limit(call->out, call->db, &limit));
    }
    brant__listing_end(&list, call);
cleanup:
    brant__reset(statement);
    return status;
}
