/*
 * event/erase.c: removing or redacting what of jobs, streams, schedules, rate limits and locks holds a person's data.
 *
 * Each table is walked by its key, one row a query, so that whatever a removal does to other rows disturbs nothing.
 */
#include "event/erase.h"

#include "event/job.h"
#include "event/stream.h"

#define POLL_MASK 1023

enum {
    JOB,
    JOB_REDACT,
    JOB_UNIQUE,
    UNIQUES_DELETE,
    EVENT,
    EVENT_REDACT,
    EVENT_DELETE,
    STREAM_NAME,
    STREAM_HOLE,
    SCHEDULE,
    SCHEDULE_REDACT,
    SCHEDULE_DELETE,
    LIMIT_DELETE,
    HITS_DELETE,
    MEMBER_REDACT,
    OWNER_REDACT,
    STATEMENT_COUNT
};
static const char *const sql[STATEMENT_COUNT] = {
    [JOB] = "SELECT id, key, worker, payload, result, progress, errors FROM jobs WHERE id > :after "
            "ORDER BY id LIMIT 1",
    [JOB_REDACT] = "UPDATE jobs SET worker = :worker, payload = :payload, result = :result, "
                   "progress = :progress, errors = :errors WHERE id = :id",
    [JOB_UNIQUE] = "SELECT key FROM job_uniques WHERE job = :job",
    [UNIQUES_DELETE] = "DELETE FROM job_uniques WHERE key = :key",
    [EVENT] = "SELECT id, key, payload FROM stream_events WHERE id > :after ORDER BY id LIMIT 1",
    [EVENT_REDACT] = "UPDATE stream_events SET payload = :payload WHERE id = :id",
    [EVENT_DELETE] = "DELETE FROM stream_events WHERE id = :id",
    [STREAM_NAME] = "SELECT name FROM streams WHERE row_id = :stream",
    [STREAM_HOLE] = "UPDATE streams SET holes = holes + 1 WHERE row_id = :stream",
    [SCHEDULE] = "SELECT name, payload, options FROM schedules WHERE name > :after ORDER BY name "
                 "LIMIT 1",
    [SCHEDULE_REDACT] = "UPDATE schedules SET payload = :payload, options = :options WHERE name = "
                        ":name",
    [SCHEDULE_DELETE] = "DELETE FROM schedules WHERE name = :name",
    [LIMIT_DELETE] = "DELETE FROM rate_limits WHERE name = :name",
    [HITS_DELETE] = "DELETE FROM rate_limit_hits WHERE name = :name",
    [MEMBER_REDACT] = "UPDATE stream_pending SET member = :replacement WHERE member = :value",
    [OWNER_REDACT] = "UPDATE locks SET owner = :replacement WHERE owner = :value",
};
static const brant__statements statements = {BRANT__TABLE_EVENT_ERASE, STATEMENT_COUNT, sql};

typedef struct erasing {
    brant_db *db;
    const brant__eraser *eraser;
    brant__erased *done;
    brant__buffer texts[5]; /* redacted columns */
    size_t seen;
} erasing;

static brant_status get(brant__statement **out, erasing *self, int which) {
    return brant__statement_get(out, self->db, &statements, (size_t)which);
}

static brant_status poll(erasing *self) {
    return (++self->seen & POLL_MASK) == 0 ? brant__db_poll(self->db) : BRANT_OK;
}

static bool is_value(const erasing *self, brant__text text) {
    return text.data && self->eraser->is_value(self->eraser->context, text);
}

static brant_status holds(bool *out, erasing *self, brant__payload payload) {
    *out = false;
    if (!payload.data.data) return BRANT_OK;
    return self->eraser->holds(out, self->eraser->context, payload);
}

static brant_status run_with_text(erasing *self, int which, brant__text text) {
    brant__statement *statement;
    const brant_status status = get(&statement, self, which);

    if (status != BRANT_OK) return status;
    brant__bind_text(statement, 1, text);
    return brant__run(self->db, statement);
}

static brant_status run_with_id(erasing *self, int which, int64_t id) {
    brant__statement *statement;
    const brant_status status = get(&statement, self, which);

    if (status != BRANT_OK) return status;
    brant__bind_integer(statement, 1, id);
    return brant__run(self->db, statement);
}

/*
 * A column as it will be: redacted in self->texts[index] where it holds a value. *out_left: what it holds cannot be redacted: bytes, a value inside a text. Not changed otherwise.
 */
static brant_status redact(brant__payload *out, bool *out_left, erasing *self, size_t index,
                           brant__payload column) {
    brant__buffer *text = &self->texts[index];
    brant__text redacted;
    bool found;
    brant_status status;

    *out = column;
    BRANT__TRY(holds(&found, self, column));
    if (!found) return BRANT_OK;
    *out_left = column.bytes;
    if (column.bytes) return BRANT_OK;
    BRANT__TRY(self->eraser->redacted(&redacted, self->eraser->context, column.data));
    brant__buffer_reset(text);
    brant__buffer_append(text, redacted.data, redacted.length);
    if (text->failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    out->data = brant__text_of(text->data, text->length);
    BRANT__TRY(holds(&found, self, *out));
    if (found) *out_left = true;
cleanup:
    return status;
}

/* ---- jobs ------------------------------------------------------------------------------------------------------------------ */

#define COLUMNS 4 /* payload, result, progress, errors */

static brant_status has_unique(bool *out, erasing *self, int64_t id) {
    brant__statement *statement = NULL;
    bool row;
    brant_status status;

    *out = false;
    BRANT__TRY(get(&statement, self, JOB_UNIQUE));
    brant__bind_integer(statement, 1, id);
    for (;;) {
        BRANT__TRY(brant__step(&row, self->db, statement));
        if (!row) break;
        *out = *out || is_value(self, brant__column_text(statement, 0));
    }
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status remove_job(erasing *self, int64_t id) {
    brant__queue queue;
    brant__job job;
    bool found;
    brant_status status;

    BRANT__TRY(brant__job_read(&found, &job, self->db, id));
    if (!found) goto cleanup;
    BRANT__TRY(brant__queue_of(&queue, self->db, job.queue));
    status = brant__job_finish(self->db, &queue, &job, BRANT__JOB_GONE, (brant__text){NULL, 0},
                               (brant__text){NULL, 0});
cleanup:
    return status;
}

/* `row` stands on the job. *out_left: it is to go. */
static brant_status redact_job(erasing *self, brant__statement *row, int64_t id, bool *out_left) {
    const brant__text worker = brant__column_text(row, 2);
    brant__payload columns[COLUMNS];
    brant__statement *update;
    brant_status status = BRANT_OK;

    for (int i = 0; i < COLUMNS; i++)
        BRANT__TRY(
            redact(&columns[i], out_left, self, (size_t)i, brant__payload_column(row, 3 + i)));
    if (*out_left) goto cleanup;
    BRANT__TRY(get(&update, self, JOB_REDACT));
    brant__bind_text(update, 1, is_value(self, worker) ? self->eraser->replacement : worker);
    for (int i = 0; i < COLUMNS; i++)
        brant__payload_bind(update, 2 + i, columns[i]);
    brant__bind_integer(update, 2 + COLUMNS, id);
    status = brant__run(self->db, update);
cleanup:
    return status;
}

static brant_status look_at_job(erasing *self, brant__statement *row, int64_t id,
                                bool *out_remove) {
    bool any = is_value(self, brant__column_text(row, 2)), found, unique;
    brant_status status;

    BRANT__TRY(has_unique(&unique, self, id));
    *out_remove = is_value(self, brant__column_text(row, 1)) || (unique && !self->eraser->redact);
    for (int i = 0; i < COLUMNS && !any; i++) {
        BRANT__TRY(holds(&found, self, brant__payload_column(row, 3 + i)));
        any = found;
    }
    if (!any && !*out_remove) goto cleanup;
    self->done->jobs++;
    if (!self->eraser->redact) *out_remove = true;
    if (!*out_remove) status = redact_job(self, row, id, out_remove);
cleanup:
    return status;
}

static brant_status erase_jobs(erasing *self) {
    brant__statement *row = NULL;
    int64_t id = 0;
    size_t index, count;
    yyjson_val *value;
    brant_status status;
    bool found, remove;

    for (;;) {
        BRANT__TRY(poll(self));
        BRANT__TRY(get(&row, self, JOB));
        brant__bind_integer(row, 1, id);
        BRANT__TRY(brant__step(&found, self->db, row));
        if (!found) break;
        id = brant__column_integer(row, 0);
        BRANT__TRY(look_at_job(self, row, id, &remove));
        brant__reset(row);
        row = NULL;
        if (remove) BRANT__TRY(remove_job(self, id));
    }
    brant__reset(row);
    row = NULL;
    /* Also those that outlive their jobs. */
    yyjson_arr_foreach(self->eraser->values, index, count, value) {
        BRANT__TRY(run_with_text(self, UNIQUES_DELETE, brant__json_text(value)));
    }
cleanup:
    brant__reset(row);
    return status;
}

/* ---- streams ---------------------------------------------------------------------------------------------------------------- */

static bool is_change_key(brant__text key) {
    return key.length > 2 && (key.data[0] == 'n' || key.data[0] == 'e') && key.data[1] == ':';
}

/* A key is a value, or is so behind the mark of a change log; a derived edge key holds it as JSON does. */
static brant_status key_holds(bool *out, erasing *self, brant__text key) {
    *out = is_value(self, key);
    if (*out || !key.data || !is_change_key(key)) return BRANT_OK;
    key = brant__text_of(key.data + 2, key.length - 2);
    *out = is_value(self, key);
    if (*out || key.data[0] != '[') return BRANT_OK;
    const brant_status status = holds(out, self, (brant__payload){key, false});
    if (status != BRANT_INVALID_JSON && status != BRANT_LIMIT) return status;
    (void)brant__error_code(); /* a key like any other */
    *out = false;
    return BRANT_OK;
}

static brant_status remove_event(erasing *self, int64_t id) {
    const int64_t row_id = id >> BRANT__STREAM_BITS;
    brant__statement *statement = NULL;
    brant__buffer name = {0};
    brant__stream stream;
    brant__text text;
    bool found;
    brant_status status;

    BRANT__TRY(get(&statement, self, STREAM_NAME));
    brant__bind_integer(statement, 1, row_id);
    BRANT__TRY(brant__step(&found, self->db, statement));
    if (found) {
        text = brant__column_text(statement, 0);
        brant__buffer_append(&name, text.data, text.length);
    }
    brant__reset(statement);
    statement = NULL;
    if (name.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    if (found) {
        BRANT__TRY(brant__stream_get(&stream, self->db, brant__text_of(name.data, name.length)));
        BRANT__TRY(brant__stream_hold_head(self->db, &stream));
        BRANT__TRY(run_with_id(self, STREAM_HOLE, row_id));
    }
    status = run_with_id(self, EVENT_DELETE, id);
cleanup:
    brant__reset(statement);
    brant__buffer_free(&name);
    return status;
}

static brant_status redact_event(erasing *self, brant__payload payload, int64_t id,
                                 bool *out_left) {
    brant__statement *update;
    brant_status status;

    BRANT__TRY(redact(&payload, out_left, self, 0, payload));
    if (*out_left) goto cleanup;
    BRANT__TRY(get(&update, self, EVENT_REDACT));
    brant__payload_bind(update, 1, payload);
    brant__bind_integer(update, 2, id);
    status = brant__run(self->db, update);
cleanup:
    return status;
}

static brant_status erase_events(erasing *self) {
    brant__statement *row = NULL;
    int64_t id = 0;
    brant_status status;
    bool found, in_key, in_payload = false, remove;

    for (;;) {
        brant__payload payload;
        BRANT__TRY(poll(self));
        BRANT__TRY(get(&row, self, EVENT));
        brant__bind_integer(row, 1, id);
        BRANT__TRY(brant__step(&found, self->db, row));
        if (!found) break;
        id = brant__column_integer(row, 0);
        payload = brant__payload_column(row, 2);
        BRANT__TRY(key_holds(&in_key, self, brant__column_text(row, 1)));
        BRANT__TRY(holds(&in_payload, self, payload));
        remove = in_key || (in_payload && !self->eraser->redact);
        if (in_payload && !remove) BRANT__TRY(redact_event(self, payload, id, &remove));
        brant__reset(row);
        row = NULL;
        if (!remove && !in_payload) continue;
        if (self->done->events++ == 0) BRANT__TRY(brant__stream_changes(self->db));
        if (remove) BRANT__TRY(remove_event(self, id));
    }
cleanup:
    brant__reset(row);
    return status;
}

/* ---- schedules, rate limits -------------------------------------------------------------------------------------------------- */

/* `row` stands on it. Its name is in self->texts[2]. */
static brant_status look_at_schedule(erasing *self, brant__statement *row, bool *out_remove) {
    const brant__text name = brant__text_of(self->texts[2].data, self->texts[2].length);
    brant__payload columns[2] = {brant__payload_column(row, 1), brant__payload_column(row, 2)};
    brant__statement *update;
    bool any = false, found;
    brant_status status = BRANT_OK;

    *out_remove = false;
    for (int i = 0; i < 2; i++) {
        BRANT__TRY(holds(&found, self, columns[i]));
        any = any || found;
    }
    if (!any) goto cleanup;
    self->done->schedules++;
    *out_remove = !self->eraser->redact;
    for (size_t i = 0; i < 2 && !*out_remove; i++)
        BRANT__TRY(redact(&columns[i], out_remove, self, i, columns[i]));
    if (*out_remove) goto cleanup;
    BRANT__TRY(get(&update, self, SCHEDULE_REDACT));
    brant__payload_bind(update, 1, columns[0]);
    brant__payload_bind(update, 2, columns[1]);
    brant__bind_text(update, 3, name);
    status = brant__run(self->db, update);
cleanup:
    return status;
}

static brant_status erase_schedules(erasing *self) {
    brant__buffer *name = &self->texts[2];
    brant__statement *row = NULL;
    brant_status status;
    bool found, remove;

    brant__buffer_reset(name);
    for (;;) {
        brant__text text;
        BRANT__TRY(poll(self));
        BRANT__TRY(get(&row, self, SCHEDULE));
        brant__bind_text(row, 1, brant__text_of(name->data ? name->data : "", name->length));
        BRANT__TRY(brant__step(&found, self->db, row));
        if (!found) break;
        text = brant__column_text(row, 0);
        brant__buffer_reset(name);
        brant__buffer_append(name, text.data, text.length);
        if (name->failed) {
            status = brant__fail_memory();
            goto cleanup;
        }
        BRANT__TRY(look_at_schedule(self, row, &remove));
        brant__reset(row);
        row = NULL;
        if (remove)
            BRANT__TRY(
                run_with_text(self, SCHEDULE_DELETE, brant__text_of(name->data, name->length)));
    }
cleanup:
    brant__reset(row);
    return status;
}

static brant_status erase_rate_limits(erasing *self) {
    size_t index, count;
    yyjson_val *value;
    brant_status status = BRANT_OK;

    yyjson_arr_foreach(self->eraser->values, index, count, value) {
        BRANT__TRY(run_with_text(self, LIMIT_DELETE, brant__json_text(value)));
        self->done->rate_limits += brant__changes(self->db);
        BRANT__TRY(run_with_text(self, HITS_DELETE, brant__json_text(value)));
    }
cleanup:
    return status;
}

/* ---- members of groups, owners of locks ---------------------------------------------------------------------------------------- */

static brant_status replace(int64_t *out_count, erasing *self, int which, brant__text value) {
    brant__statement *statement;
    const brant_status status = get(&statement, self, which);

    if (status != BRANT_OK) return status;
    brant__bind_text(statement, 1, self->eraser->replacement);
    brant__bind_text(statement, 2, value);
    const brant_status done = brant__run(self->db, statement);
    if (done == BRANT_OK) *out_count += brant__changes(self->db);
    return done;
}

static brant_status erase_holders(erasing *self) {
    size_t index, count;
    yyjson_val *value;
    brant_status status = BRANT_OK;

    yyjson_arr_foreach(self->eraser->values, index, count, value) {
        const brant__text text = brant__json_text(value);
        BRANT__TRY(brant__db_poll(self->db));
        BRANT__TRY(replace(&self->done->pending, self, MEMBER_REDACT, text));
        BRANT__TRY(replace(&self->done->locks, self, OWNER_REDACT, text));
    }
cleanup:
    return status;
}

brant_status brant__event_erase(brant__erased *out, brant_db *db, const brant__eraser *eraser) {
    erasing self = {.db = db, .eraser = eraser, .done = out};
    brant_status status;

    *out = (brant__erased){0};
    BRANT__TRY(erase_jobs(&self));
    BRANT__TRY(erase_events(&self));
    BRANT__TRY(erase_schedules(&self));
    BRANT__TRY(erase_rate_limits(&self));
    status = erase_holders(&self);
cleanup:
    for (size_t i = 0; i < BRANT__COUNT(self.texts); i++)
        brant__buffer_free(&self.texts[i]);
    return status;
}
