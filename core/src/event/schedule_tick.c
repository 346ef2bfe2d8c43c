/*
 * event/schedule_tick.c: firing what is due.
 *
 * Each fire is a savepoint of its own: a queue that takes no job keeps no other schedule from firing, and the fire is over all the same.
 *
 * A tick notes the clock. When the next finds that it was set back, the next fires of schedules may be farther ahead than their specs say, and are looked at once.
 */
#include "event/schedule.h"

#define LATE INT64_C(60000) /* ms: of one that is skipped when it is late, this is not late */
#define SETBACK                                                                                    \
    INT64_C(10800000) /* ms: as Vixie's cron: what is more is a correction of the clock */
#define MADE_UP 1000  /* fires of one schedule in one tick: the most that catch_up may be */

static brant_status get(brant__statement **out, brant_db *db, size_t index) {
    return brant__statement_get(out, db, &brant__schedule_statements, index);
}

/* ---- fires that are due ----------------------------------------------------------------------------------------------------- */

typedef struct due {
    int64_t at[MADE_UP]; /* ascending */
    size_t count;
} due;

/* The newest `most` fires from the one that is due first, `from`, up to now. The window grows until it holds as many, so that a long rest does not cost its length. */
static void find_due(due *out, const brant__cron *cron, const brant__zone *zone, int64_t from,
                     int64_t now, size_t most) {
    out->count = 0;
    if (cron->every > 0) {
        const int64_t total = (now - from) / cron->every + 1;
        const int64_t kept = total < (int64_t)most ? total : (int64_t)most;
        for (int64_t i = total - kept; i < total; i++)
            out->at[out->count++] = from + i * cron->every;
        return;
    }
    for (int64_t window = 1000;; window *= 4) {
        const bool all = window > now - from;
        int64_t at = all ? from - 1 : now - window;
        size_t seen = 0;
        while (brant__cron_next(&at, cron, zone, at) && at <= now)
            out->at[seen++ % most] = at;
        if (seen < most && !all) continue;
        out->count = seen < most ? seen : most;
        /* Turn the ring so that the oldest stands first. */
        const size_t first = seen > most ? seen % most : 0;
        int64_t turned[MADE_UP];
        for (size_t i = 0; i < out->count; i++)
            turned[i] = out->at[(first + i) % most];
        memcpy(out->at, turned, out->count * sizeof *turned);
        break;
    }
    /* The time zone may have changed since it was computed. */
    if (out->count == 0) out->at[out->count++] = from;
}

/* Which fires a schedule makes up, and when the next one is. */
static void choose(due *out, int64_t *out_next, const brant__cron *cron, const brant__zone *zone,
                   const brant__schedule *schedule, int64_t now) {
    int64_t next = 0;
    const bool any = brant__cron_next(&next, cron, zone, schedule->next_at);
    if (!any || next > now) { /* the usual case: this one alone is due */
        out->at[0] = schedule->next_at;
        out->count = 1;
        *out_next = any ? next : INT64_MAX;
    } else {
        const int64_t most = schedule->misfire == BRANT__MISFIRE_ALL ? schedule->catch_up : 1;
        find_due(out, cron, zone, schedule->next_at, now,
                 (size_t)(most < 1         ? 1
                          : most > MADE_UP ? MADE_UP
                                           : most));
        const int64_t base = cron->every > 0 ? out->at[out->count - 1] : now;
        *out_next = brant__cron_next(&next, cron, zone, base) ? next : INT64_MAX;
    }
    if (schedule->misfire == BRANT__MISFIRE_SKIP && now - out->at[out->count - 1] >= LATE)
        out->count = 0;
}

/* ---- firing ---------------------------------------------------------------------------------------------------------------- */

/* Failures that are the queue's or the options' own, and say nothing of the file. */
static bool is_refusal(brant_status status) {
    return status == BRANT_CONFLICT || status == BRANT_LIMIT || status == BRANT_INVALID ||
           status == BRANT_NOT_FOUND || status == BRANT_EXISTS;
}

static void write_error(brant__writer *out) {
    const brant_error *error = brant_last_error();
    brant__write_name(out, "error");
    brant__write_object(out);
    brant__write_text_member(out, "code", brant__text_string(error->name));
    brant__write_text_member(out, "message", brant__text_string(error->message));
    brant__write_end(out);
    brant__error_code();
}

static brant_status fire(brant_db *db, const brant__schedule *schedule, int64_t at,
                         brant__writer *out) {
    int64_t id = 0;
    brant_status status = brant__begin(db, BRANT__WRITE);
    if (status != BRANT_OK) return status;
    status = brant__schedule_enqueue(&id, db, schedule);
    if (status == BRANT_OK) status = brant__commit(db);
    if (status != BRANT_OK) brant__rollback(db);
    if (status != BRANT_OK && !is_refusal(status)) return status;
    brant__write_object(out);
    brant__write_text_member(out, "name", schedule->name);
    if (status == BRANT_OK) brant__write_integer_member(out, "id", id);
    brant__write_integer_member(out, "at", at);
    if (status != BRANT_OK) write_error(out);
    brant__write_end(out);
    return out->buffer.failed ? brant__fail_memory() : BRANT_OK;
}

static brant_status note_fired(brant_db *db, brant__text name, int64_t next_at,
                               const int64_t *last_at, size_t fired) {
    brant__statement *statement = NULL;
    const brant_status status = get(&statement, db, BRANT__SCHEDULE_FIRED);
    if (status != BRANT_OK) return status;
    if (next_at == INT64_MAX)
        brant__bind_null(statement, 1);
    else
        brant__bind_integer(statement, 1, next_at);
    if (last_at)
        brant__bind_integer(statement, 2, *last_at);
    else
        brant__bind_null(statement, 2);
    brant__bind_integer(statement, 3, (int64_t)fired);
    brant__bind_text(statement, 4, name);
    return brant__run(db, statement);
}

/* What a tick needs all along. */
typedef struct ticker {
    brant_db *db;
    brant__arena *arena;
    brant__zones zones;
    int64_t now;
    due due;
} ticker;

static brant_status read_spec(brant__cron *cron, const brant__zone **zone, ticker *self,
                              const brant__schedule *schedule) {
    const brant_status status = brant__cron_parse(cron, schedule->spec);
    if (status != BRANT_OK) return status;
    return brant__zones_get(zone, &self->zones, self->arena, schedule->timezone);
}

/* Fire one that is due, at most `most` times. */
static brant_status fire_schedule(int64_t *fired, ticker *self, const brant__schedule *schedule,
                                  size_t most, brant__writer *out) {
    brant_status status;
    brant__cron cron;
    const brant__zone *zone = NULL;
    int64_t next_at = INT64_MAX;
    size_t count = 0;
    status = read_spec(&cron, &zone, self, schedule);
    if (status == BRANT_INVALID) {
        /* Its time zone is gone from this machine: it waits a minute, and keeps nobody up. */
        brant__write_object(out);
        brant__write_text_member(out, "name", schedule->name);
        brant__write_integer_member(out, "at", schedule->next_at);
        write_error(out);
        brant__write_end(out);
        ++*fired;
        return note_fired(self->db, schedule->name, self->now + LATE, NULL, 0);
    }
    BRANT__TRY(status);
    choose(&self->due, &next_at, &cron, zone, schedule, self->now);
    for (; count < self->due.count && count < most; count++)
        BRANT__TRY(fire(self->db, schedule, self->due.at[count], out));
    *fired += (int64_t)count;
    if (count < self->due.count) next_at = self->due.at[count];
    status = note_fired(self->db, schedule->name, next_at,
                        count > 0 ? &self->due.at[count - 1] : NULL, count);
cleanup:
    return status;
}

/* ---- a clock that was set back ------------------------------------------------------------------------------------------------ */

/* The next fire of a schedule whose next fire is ahead, now that the clock was set back by `by`. */
static int64_t rebase(const brant__cron *cron, const brant__zone *zone, int64_t next_at,
                      int64_t now, int64_t by) {
    int64_t first = 0, second = 0;
    if (!brant__cron_next(&first, cron, zone, now)) return next_at;
    if (cron->every > 0) return next_at > first ? first : next_at;
    if (!cron->elapsed) return by > SETBACK && next_at > first ? first : next_at;
    /* Not the first: it may have been a moment ago. */
    if (!brant__cron_next(&second, cron, zone, first)) return next_at;
    return next_at > second ? second : next_at;
}

static brant_status rebase_all(ticker *self, int64_t by) {
    brant_status status;
    brant__statement *ahead = NULL, *statement = NULL;
    struct moved {
        struct moved *next;
        brant__text name;
        int64_t next_at;
    } *list = NULL;
    bool row = false;
    BRANT__TRY(get(&ahead, self->db, BRANT__SCHEDULE_AHEAD));
    brant__bind_integer(ahead, 1, self->now);
    for (;;) {
        brant__cron cron;
        const brant__zone *zone = NULL;
        BRANT__TRY(brant__step(&row, self->db, ahead));
        if (!row) break;
        const brant__schedule schedule = brant__schedule_row(ahead);
        status = read_spec(&cron, &zone, self, &schedule);
        if (status == BRANT_INVALID) {
            brant__error_code();
            continue;
        }
        BRANT__TRY(status);
        const int64_t next_at = rebase(&cron, zone, schedule.next_at, self->now, by);
        if (next_at == schedule.next_at) continue;
        struct moved *moved = brant__arena_alloc(self->arena, sizeof *moved);
        const char *name = brant__arena_copy(self->arena, schedule.name.data, schedule.name.length);
        if (!moved || !name) {
            status = brant__fail_memory();
            goto cleanup;
        }
        *moved = (struct moved){list, brant__text_of(name, schedule.name.length), next_at};
        list = moved;
    }
    brant__reset(ahead);
    for (; list; list = list->next) {
        BRANT__TRY(get(&statement, self->db, BRANT__SCHEDULE_MOVE));
        brant__bind_integer(statement, 1, list->next_at);
        brant__bind_text(statement, 2, list->name);
        BRANT__TRY(brant__run(self->db, statement));
    }
cleanup:
    brant__reset(ahead);
    return status;
}

static brant_status check_clock(ticker *self) {
    brant_status status;
    brant__statement *statement = NULL;
    bool row = false;
    BRANT__TRY(get(&statement, self->db, BRANT__SCHEDULE_CLOCK));
    BRANT__TRY(brant__step(&row, self->db, statement));
    const int64_t last = row ? brant__column_integer(statement, 0) : self->now;
    brant__reset(statement);
    statement = NULL;
    if (row && last == self->now) goto cleanup;
    if (last > self->now) BRANT__TRY(rebase_all(self, last - self->now));
    BRANT__TRY(get(&statement, self->db, BRANT__SCHEDULE_CLOCK_PUT));
    brant__bind_integer(statement, 1, self->now);
    BRANT__TRY(brant__run(self->db, statement));
cleanup:
    brant__reset(statement);
    return status;
}

/* ---- a tick ------------------------------------------------------------------------------------------------------------------- */

static brant_status read_due(brant__schedule **out, size_t *out_count, ticker *self, int64_t most) {
    brant_status status;
    brant__statement *statement = NULL;
    bool row = false;
    *out_count = 0;
    *out = brant__arena_alloc(self->arena, (size_t)most * sizeof **out);
    if (!*out) return brant__fail_memory();
    BRANT__TRY(get(&statement, self->db, BRANT__SCHEDULE_DUE));
    brant__bind_integer(statement, 1, self->now);
    brant__bind_integer(statement, 2, most);
    for (;;) {
        BRANT__TRY(brant__step(&row, self->db, statement));
        if (!row) break;
        brant__schedule *schedule = &(*out)[(*out_count)++];
        *schedule = brant__schedule_row(statement);
        BRANT__TRY(brant__schedule_keep(schedule, self->arena));
    }
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status read_first(int64_t *out, brant_db *db) {
    brant_status status;
    brant__statement *statement = NULL;
    bool row = false;
    *out = INT64_MAX;
    BRANT__TRY(get(&statement, db, BRANT__SCHEDULE_FIRST));
    brant__bind_integer(statement, 1, INT64_MIN);
    BRANT__TRY(brant__step(&row, db, statement));
    if (row) *out = brant__column_integer(statement, 0);
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__schedule_tick(int64_t *out_fired, int64_t *out_next, brant_db *db,
                                  brant__arena *arena, int64_t limit, brant__writer *out) {
    brant_status status = BRANT_OK;
    brant__schedule *schedules = NULL;
    size_t count = 0;
    *out_fired = 0;
    *out_next = INT64_MAX;
    ticker *self = brant__alloc_zero(sizeof *self);
    if (!self) return brant__fail_memory();
    self->db = db;
    self->arena = arena;
    self->now = brant__db_now(db);
    BRANT__TRY(check_clock(self));
    BRANT__TRY(read_due(&schedules, &count, self, limit));
    for (size_t i = 0; i < count && *out_fired < limit; i++)
        BRANT__TRY(
            fire_schedule(out_fired, self, &schedules[i], (size_t)(limit - *out_fired), out));
    status = read_first(out_next, db);
cleanup:
    brant__zones_free(&self->zones);
    brant__free(self);
    return status;
}
