/*
 * event/schedule.c: the rows of schedules: setting, reading, pausing, and when a spec fires.
 */
#include "event/schedule.h"

#include "event/job.h"
#include "event/listing.h"

#define COLUMNS                                                                                    \
    "name, queue, spec, timezone, payload, options, misfire, catch_up, paused, next_at, last_at, " \
    "fired, created_at, updated_at"

static const char *const sql[] = {
    [BRANT__SCHEDULE_GET] = "SELECT " COLUMNS " FROM schedules WHERE name = :name",
    [BRANT__SCHEDULE_PUT] =
        "INSERT INTO schedules (name, queue, spec, timezone, payload, options, misfire, catch_up, "
        "next_at, created_at, updated_at) VALUES (:name, :queue, :spec, :timezone, :payload, "
        ":options, :misfire, :catch_up, :next_at, :now, :now) ON CONFLICT (name) DO UPDATE SET "
        "queue = excluded.queue, spec = excluded.spec, timezone = excluded.timezone, "
        "payload = excluded.payload, options = excluded.options, misfire = excluded.misfire, "
        "catch_up = excluded.catch_up, next_at = excluded.next_at, "
        "updated_at = excluded.updated_at",
    [BRANT__SCHEDULE_LIST] =
        "SELECT " COLUMNS " FROM schedules WHERE " BRANT__LISTING_FROM("name") " ORDER BY name",
    [BRANT__SCHEDULE_DELETE] = "DELETE FROM schedules WHERE name = :name",
    [BRANT__SCHEDULE_PAUSE] = "UPDATE schedules SET paused = :paused, next_at = :next_at, "
                              "updated_at = :now WHERE name = :name",
    [BRANT__SCHEDULE_DUE] = "SELECT " COLUMNS " FROM schedules WHERE paused = 0 AND "
                            "next_at IS NOT NULL AND next_at <= :now ORDER BY next_at LIMIT :most",
    [BRANT__SCHEDULE_AHEAD] = "SELECT " COLUMNS " FROM schedules WHERE paused = 0 AND "
                              "next_at IS NOT NULL AND next_at > :now",
    [BRANT__SCHEDULE_FIRST] = "SELECT next_at FROM schedules WHERE paused = 0 AND next_at IS NOT "
                              "NULL AND next_at > :after ORDER BY next_at LIMIT 1",
    [BRANT__SCHEDULE_FIRED] = "UPDATE schedules SET next_at = :next_at, last_at = "
                              "coalesce(:last_at, last_at), fired = fired + :fired WHERE name = "
                              ":name",
    [BRANT__SCHEDULE_MOVE] = "UPDATE schedules SET next_at = :next_at WHERE name = :name",
    [BRANT__SCHEDULE_CLOCK] = "SELECT value FROM event_sequences WHERE name = 'schedule_clock'",
    [BRANT__SCHEDULE_CLOCK_PUT] =
        "INSERT INTO event_sequences (name, value) VALUES ('schedule_clock', :now) "
        "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
};
const brant__statements brant__schedule_statements = {BRANT__TABLE_SCHEDULE,
                                                      BRANT__SCHEDULE_STATEMENTS, sql};

static const char *const misfires[] = {"skip", "one", "all"};

static brant_status get(brant__statement **out, brant_db *db, size_t index) {
    return brant__statement_get(out, db, &brant__schedule_statements, index);
}

/* ---- rows ---------------------------------------------------------------------------------------------------------------- */

static int misfire_of(brant__text text) {
    for (size_t i = 0; i < BRANT__COUNT(misfires); i++)
        if (brant__text_equal(text, brant__text_string(misfires[i]))) return (int)i;
    return BRANT__MISFIRE_ONE;
}

brant__schedule brant__schedule_row(brant__statement *statement) {
    return (brant__schedule){
        .name = brant__column_text(statement, 0),
        .queue = brant__column_text(statement, 1),
        .spec = brant__column_text(statement, 2),
        .timezone = brant__column_text(statement, 3),
        .payload = brant__payload_column(statement, 4),
        .options = brant__column_text(statement, 5),
        .misfire = misfire_of(brant__column_text(statement, 6)),
        .catch_up = brant__column_integer(statement, 7),
        .paused = brant__column_integer(statement, 8) != 0,
        .next_at =
            brant__column_null(statement, 9) ? INT64_MAX : brant__column_integer(statement, 9),
        .last_at =
            brant__column_null(statement, 10) ? INT64_MIN : brant__column_integer(statement, 10),
        .fired = brant__column_integer(statement, 11),
        .created_at = brant__column_integer(statement, 12),
        .updated_at = brant__column_integer(statement, 13),
    };
}

brant_status brant__schedule_keep(brant__schedule *schedule, brant__arena *arena) {
    brant__text *const texts[] = {&schedule->name,     &schedule->queue,   &schedule->spec,
                                  &schedule->timezone, &schedule->options, &schedule->payload.data};
    for (size_t i = 0; i < BRANT__COUNT(texts); i++) {
        if (!texts[i]->data) continue;
        texts[i]->data = brant__arena_copy(arena, texts[i]->data, texts[i]->length);
        if (!texts[i]->data) return brant__fail_memory();
    }
    return BRANT_OK;
}

/* NOT_FOUND with a message where there is none. Its texts live in the arena. */
static brant_status find(brant__schedule *out, brant__call *call, brant__text name) {
    brant_status status;
    brant__statement *statement = NULL;
    bool row = false;
    BRANT__TRY(brant__input_name(name, "/name"));
    BRANT__TRY(get(&statement, call->db, BRANT__SCHEDULE_GET));
    brant__bind_text(statement, 1, name);
    BRANT__TRY(brant__step(&row, call->db, statement));
    if (!row) {
        status = brant__fail(BRANT_NOT_FOUND, "there is no schedule \"%.*s\"", (int)name.length,
                             name.data);
        goto cleanup;
    }
    *out = brant__schedule_row(statement);
    status = brant__schedule_keep(out, call->arena);
cleanup:
    brant__reset(statement);
    return status;
}

static void write_schedule(brant__writer *out, const brant__schedule *schedule) {
    const char *misfire = misfires[schedule->misfire];
    brant__write_object(out);
    brant__write_text_member(out, "name", schedule->name);
    brant__write_text_member(out, "spec", schedule->spec);
    brant__write_text_member(out, "timezone", schedule->timezone);
    brant__write_text_member(out, "queue", schedule->queue);
    brant__payload_write(out, schedule->payload);
    brant__write_name(out, "options");
    brant__write_raw(out, schedule->options);
    brant__write_text_member(out, "misfire", brant__text_string(misfire));
    brant__write_integer_member(out, "catch_up", schedule->catch_up);
    brant__write_bool_member(out, "paused", schedule->paused);
    if (schedule->next_at != INT64_MAX)
        brant__write_integer_member(out, "next_at", schedule->next_at);
    if (schedule->last_at != INT64_MIN)
        brant__write_integer_member(out, "last_at", schedule->last_at);
    brant__write_integer_member(out, "fired", schedule->fired);
    brant__write_integer_member(out, "created_at", schedule->created_at);
    brant__write_integer_member(out, "updated_at", schedule->updated_at);
    brant__write_end(out);
}

static brant_status answer(brant__call *call, brant__text name) {
    brant__schedule schedule;
    const brant_status status = find(&schedule, call, name);
    if (status == BRANT_OK) write_schedule(call->out, &schedule);
    return status;
}

/* ---- time zones ---------------------------------------------------------------------------------------------------------- */

brant_status brant__zones_get(const brant__zone **out, brant__zones *zones, brant__arena *arena,
                              brant__text name) {
    brant__zone *zone = NULL;
    *out = NULL;
    for (size_t i = 0; i < BRANT__ZONES; i++)
        if (zones->items[i].zone && brant__text_equal(zones->items[i].name, name)) {
            *out = zones->items[i].zone;
            return BRANT_OK;
        }
    const char *copy = brant__arena_copy(arena, name.data, name.length);
    if (!copy) return brant__fail_memory();
    const brant_status status = brant__zone_load(&zone, name);
    if (status != BRANT_OK) return status;
    const size_t place = zones->next++ % BRANT__ZONES;
    brant__zone_free(zones->items[place].zone);
    zones->items[place].zone = zone;
    zones->items[place].name = brant__text_of(copy, name.length);
    *out = zone;
    return BRANT_OK;
}

void brant__zones_free(brant__zones *zones) {
    for (size_t i = 0; i < BRANT__ZONES; i++)
        brant__zone_free(zones->items[i].zone);
}

/* The first fire after a time, INT64_MAX where there is none. */
static brant_status first_fire(int64_t *out, brant__text spec, brant__text timezone,
                               int64_t after) {
    brant_status status;
    brant__cron cron;
    brant__zone *zone = NULL;
    *out = INT64_MAX;
    BRANT__TRY(brant__cron_parse(&cron, spec));
    BRANT__TRY(brant__zone_load(&zone, timezone));
    if (!brant__cron_next(out, &cron, zone, after)) *out = INT64_MAX;
cleanup:
    brant__zone_free(zone);
    return status;
}

brant__text brant__schedule_topic(brant__topic *topic) {
    return brant__topic_of(topic, "schedule", BRANT__TEXT(""), (brant__text){NULL, 0});
}

static brant_status wake_leader(brant_db *db) {
    brant__topic topic;
    return brant__wake_touch(db, brant__schedule_topic(&topic));
}

static void bind_time(brant__statement *statement, int index, int64_t at) {
    if (at == INT64_MAX)
        brant__bind_null(statement, index);
    else
        brant__bind_integer(statement, index, at);
}

/* ---- operations ---------------------------------------------------------------------------------------------------------- */

static brant__text text_or(yyjson_val *object, const char *name, brant__text otherwise) {
    const brant__text text = brant__json_get_text(object, name);
    return text.data ? text : otherwise;
}

static brant_status put(brant__call *call, const brant__schedule *schedule) {
    brant__statement *statement = NULL;
    const char *misfire = misfires[schedule->misfire];
    const brant_status status = get(&statement, call->db, BRANT__SCHEDULE_PUT);
    if (status != BRANT_OK) return status;
    brant__bind_text(statement, 1, schedule->name);
    brant__bind_text(statement, 2, schedule->queue);
    brant__bind_text(statement, 3, schedule->spec);
    brant__bind_text(statement, 4, schedule->timezone);
    brant__payload_bind(statement, 5, schedule->payload);
    brant__bind_text(statement, 6, schedule->options);
    brant__bind_text(statement, 7, brant__text_string(misfire));
    brant__bind_integer(statement, 8, schedule->catch_up);
    bind_time(statement, 9, schedule->next_at);
    brant__bind_integer(statement, 10, brant__db_now(call->db));
    return brant__run(call->db, statement);
}

/* The next fire of a schedule that is set: the one that it had, if it fires as it did. */
static brant_status choose_next(int64_t *out, brant__call *call, const brant__schedule *set) {
    brant_status status;
    brant__statement *statement = NULL;
    bool row = false, same = false;
    BRANT__TRY(get(&statement, call->db, BRANT__SCHEDULE_GET));
    brant__bind_text(statement, 1, set->name);
    BRANT__TRY(brant__step(&row, call->db, statement));
    if (row) {
        const brant__schedule before = brant__schedule_row(statement);
        same = brant__text_equal(before.spec, set->spec) &&
               brant__text_equal(before.timezone, set->timezone);
        *out = before.next_at;
    }
    brant__reset(statement);
    statement = NULL;
    int64_t first = 0;
    BRANT__TRY(first_fire(&first, set->spec, set->timezone, brant__db_now(call->db)));
    if (!same) *out = first;
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__schedules_set(brant__call *call) {
    brant_status status;
    brant__buffer payload = {0}, options = {0};
    yyjson_val *given = brant__json_get(call->input, "options");
    brant__schedule schedule = {
        .name = brant__json_get_text(call->input, "name"),
        .queue = brant__json_get_text(call->input, "queue"),
        .spec = brant__json_get_text(call->input, "spec"),
        .timezone = text_or(call->input, "timezone", BRANT__TEXT("UTC")),
        .misfire = misfire_of(brant__json_get_text(call->input, "misfire")),
        .catch_up = brant__json_integer(brant__json_get(call->input, "catch_up"), 100),
    };
    BRANT__TRY(brant__input_name(schedule.name, "/name"));
    BRANT__TRY(brant__input_name(schedule.queue, "/queue"));
    BRANT__TRY(brant__payload_read(&schedule.payload, &payload, call->db, call->input, ""));
    if (given)
        brant__json_append(&options, given);
    else
        brant__buffer_append(&options, "{}", 2);
    if (options.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    schedule.options = brant__text_of(options.data, options.length);
    BRANT__TRY(choose_next(&schedule.next_at, call, &schedule));
    BRANT__TRY(put(call, &schedule));
    BRANT__TRY(wake_leader(call->db));
    status = answer(call, schedule.name);
cleanup:
    brant__buffer_free(&options);
    brant__buffer_free(&payload);
    return status;
}

brant_status brant__schedules_get(brant__call *call) {
    return answer(call, brant__json_get_text(call->input, "name"));
}

brant_status brant__schedules_list(brant__call *call) {
    brant_status status;
    brant__statement *statement = NULL;
    brant__listing list = brant__listing_read(call);
    bool row = false;
    BRANT__TRY(get(&statement, call->db, BRANT__SCHEDULE_LIST));
    brant__listing_bind(statement, &list, (brant__text){NULL, 0});
    brant__listing_begin(call);
    for (;;) {
        BRANT__TRY(brant__step(&row, call->db, statement));
        if (!row) break;
        const brant__schedule schedule = brant__schedule_row(statement);
        bool wanted = false;
        BRANT__TRY(brant__listing_take(&wanted, &list, call, schedule.name));
        if (!wanted) break;
        write_schedule(call->out, &schedule);
    }
    brant__listing_end(&list, call);
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__schedules_delete(brant__call *call) {
    brant_status status;
    brant__schedule schedule;
    brant__statement *statement = NULL;
    BRANT__TRY(find(&schedule, call, brant__json_get_text(call->input, "name")));
    BRANT__TRY(get(&statement, call->db, BRANT__SCHEDULE_DELETE));
    brant__bind_text(statement, 1, schedule.name);
    BRANT__TRY(brant__run(call->db, statement));
    brant__write_object(call->out);
    brant__write_end(call->out);
cleanup:
    return status;
}

static brant_status set_paused(brant__call *call, bool paused) {
    brant_status status;
    brant__schedule schedule;
    brant__statement *statement = NULL;
    BRANT__TRY(find(&schedule, call, brant__json_get_text(call->input, "name")));
    if (schedule.paused == paused) goto cleanup;
    if (!paused)
        BRANT__TRY(first_fire(&schedule.next_at, schedule.spec, schedule.timezone,
                              brant__db_now(call->db)));
    BRANT__TRY(get(&statement, call->db, BRANT__SCHEDULE_PAUSE));
    brant__bind_integer(statement, 1, paused);
    bind_time(statement, 2, schedule.next_at);
    brant__bind_integer(statement, 3, brant__db_now(call->db));
    brant__bind_text(statement, 4, schedule.name);
    BRANT__TRY(brant__run(call->db, statement));
    BRANT__TRY(wake_leader(call->db));
cleanup:
    return status == BRANT_OK ? answer(call, schedule.name) : status;
}

brant_status brant__schedules_pause(brant__call *call) {
    return set_paused(call, true);
}

brant_status brant__schedules_resume(brant__call *call) {
    return set_paused(call, false);
}

brant_status brant__schedule_enqueue(int64_t *out_id, brant_db *db,
                                     const brant__schedule *schedule) {
    brant__json options = {0};
    brant_status status;
    *out_id = 0;
    BRANT__TRY(brant__json_parse(&options, schedule->options.data, schedule->options.length, 0));
    status = brant__job_enqueue(out_id, db, schedule->queue, &schedule->payload, options.root,
                                schedule->name);
cleanup:
    brant__json_free(&options);
    return status;
}

brant_status brant__schedules_trigger(brant__call *call) {
    brant_status status;
    brant__schedule schedule;
    int64_t id = 0;
    BRANT__TRY(find(&schedule, call, brant__json_get_text(call->input, "name")));
    BRANT__TRY(brant__schedule_enqueue(&id, call->db, &schedule));
    brant__write_integer_object(call->out, "id", id);
cleanup:
    return status;
}

brant_status brant__schedules_next(brant__call *call) {
    brant_status status;
    brant__cron cron;
    brant__zone *zone = NULL;
    const int64_t now = call->db ? brant__db_now(call->db) : brant__system_now();
    int64_t at = brant__json_integer(brant__json_get(call->input, "after"), now);
    const int64_t count = brant__json_integer(brant__json_get(call->input, "count"), 1);
    BRANT__TRY(brant__cron_parse(&cron, brant__json_get_text(call->input, "spec")));
    BRANT__TRY(brant__zone_load(&zone, text_or(call->input, "timezone", BRANT__TEXT("UTC"))));
    brant__write_object(call->out);
    brant__write_name(call->out, "items");
    brant__write_array(call->out);
    for (int64_t i = 0; i < count && brant__cron_next(&at, &cron, zone, at); i++)
        brant__write_integer(call->out, at);
    brant__write_end(call->out);
    brant__write_end(call->out);
cleanup:
    brant__zone_free(zone);
    return status;
}

brant_status brant__schedules_tick(brant__call *call) {
    brant_status status;
    int64_t fired = 0, next_at = INT64_MAX;
    brant__write_object(call->out);
    brant__write_name(call->out, "fired");
    brant__write_array(call->out);
    BRANT__TRY(brant__schedule_tick(&fired, &next_at, call->db, call->arena,
                                    brant__json_integer(brant__json_get(call->input, "limit"), 100),
                                    call->out));
    brant__write_end(call->out);
    if (next_at != INT64_MAX) brant__write_integer_member(call->out, "next_at", next_at);
    brant__write_end(call->out);
cleanup:
    return status;
}
