/*
 * event/stream.c: the row of a stream, and what the handle's open transaction has done to streams.
 */
#include "event/stream.h"

enum { FIND, NEWEST, CREATE, HOLD_HEAD };
static const char *const sql[] = {
    [FIND] = "SELECT " BRANT__STREAM_COLUMNS " FROM streams WHERE name = :name",
    [NEWEST] = "SELECT id, created_at FROM stream_events WHERE id > :from AND id < :end "
               "ORDER BY id DESC LIMIT 1",
    [CREATE] = "INSERT INTO streams (name, created_at, updated_at) VALUES (:name, :now, :now)",
    [HOLD_HEAD] = "UPDATE streams SET head = max(head, :last), newest_at = max(newest_at, :at) "
                  "WHERE row_id = :row",
};
static const brant__statements statements = {BRANT__TABLE_STREAM, BRANT__COUNT(sql), sql};

static brant_status get(brant__statement **out, brant_db *db, size_t index) {
    return brant__statement_get(out, db, &statements, index);
}

/* ---- the open transaction --------------------------------------------------------------------------------------------------- */

#define TOUCHED 16 /* streams of one transaction that are told apart */

typedef struct stream_state {
    brant__stream_place place;
    bool changed;
    size_t count;
    struct {
        int64_t row_id, from;
    } streams[TOUCHED];
} stream_state;

static void forget(brant_db *db, void *state) {
    stream_state *self = state;
    (void)db;
    self->changed = false;
    self->count = 0;
}

/* Of what a nested level took back nothing is known: it stays, and hides no more than what is not committed. */
static void after_rollback(brant_db *db, void *state, unsigned depth) {
    if (depth == 0) forget(db, state);
}

static void destroy(brant_db *db, void *state) {
    (void)db;
    brant__free(state);
}

static const brant__hooks hooks = {
    .after_commit = forget, .after_rollback = after_rollback, .destroy = destroy};

static brant_status attach(stream_state **out, brant_db *db) {
    *out = brant__state(db, BRANT__SLOT_STREAM);
    if (*out) return BRANT_OK;
    *out = brant__alloc_zero(sizeof **out);
    if (!*out) return brant__fail_memory();
    brant__attach(db, BRANT__SLOT_STREAM, &hooks, *out);
    return BRANT_OK;
}

brant_status brant__stream_changes(brant_db *db) {
    stream_state *self = NULL;
    const brant_status status = attach(&self, db);
    if (status == BRANT_OK) self->changed = true;
    return status;
}

brant_status brant__stream_note(brant_db *db, int64_t row_id, int64_t from) {
    stream_state *self = NULL;
    const brant_status status = attach(&self, db);
    if (status != BRANT_OK) return status;
    for (size_t i = 0; i < self->count; i++)
        if (self->streams[i].row_id == row_id) {
            if (from < self->streams[i].from) self->streams[i].from = from;
            return BRANT_OK;
        }
    if (self->count == TOUCHED) {
        self->changed = true;
        return BRANT_OK;
    }
    self->streams[self->count].row_id = row_id;
    self->streams[self->count++].from = from;
    return BRANT_OK;
}

brant_status brant__stream_places(brant__stream_place **out, brant_db *db) {
    stream_state *self = NULL;
    const brant_status status = attach(&self, db);
    *out = self ? &self->place : NULL;
    return status;
}

int64_t brant__stream_uncommitted_from(brant_db *db, int64_t row_id) {
    const stream_state *self = brant__state(db, BRANT__SLOT_STREAM);
    if (!self) return INT64_MAX;
    if (self->changed) return 0;
    for (size_t i = 0; i < self->count; i++)
        if (self->streams[i].row_id == row_id) return self->streams[i].from;
    return INT64_MAX;
}

/* ---- the row ----------------------------------------------------------------------------------------------------------------- */

static int64_t column_or_none(brant__statement *statement, int column) {
    return brant__column_null(statement, column) ? -1 : brant__column_integer(statement, column);
}

/* The newest event, which may be newer than what the row says. */
brant_status brant__stream_read_newest(brant__stream *stream, brant_db *db) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    bool row = false;
    BRANT__TRY(get(&statement, db, NEWEST));
    brant__bind_integer(statement, 1, brant__stream_id(stream->row_id, stream->last));
    brant__bind_integer(statement, 2, brant__stream_id(stream->row_id + 1, 0));
    BRANT__TRY(brant__step(&row, db, statement));
    if (row) {
        const int64_t at = brant__column_integer(statement, 1);
        stream->last = brant__column_integer(statement, 0) & BRANT__STREAM_OFFSET;
        if (at > stream->newest_at) stream->newest_at = at;
    }
cleanup:
    brant__reset(statement);
    return status;
}

void brant__stream_read_row(brant__stream *out, brant__statement *statement) {
    *out = (brant__stream){
        .row_id = brant__column_integer(statement, 0),
        .last = brant__column_integer(statement, 1),
        .newest_at = brant__column_integer(statement, 2),
        .trimmed_through = brant__column_integer(statement, 3),
        .holes = brant__column_integer(statement, 4),
        .compacted_through = brant__column_integer(statement, 5),
        .max_age = column_or_none(statement, 6),
        .max_count = column_or_none(statement, 7),
        .keep_unread = brant__column_integer(statement, 8) != 0,
        .compact = brant__column_integer(statement, 9) != 0,
        .compact_after = brant__column_integer(statement, 10),
        .groups = brant__column_integer(statement, 11) != 0,
        .created_at = brant__column_integer(statement, 12),
        .updated_at = brant__column_integer(statement, 13),
    };
}

brant_status brant__stream_find(bool *out_found, brant__stream *out, brant_db *db,
                                brant__text name) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    *out_found = false;
    *out = (brant__stream){0};
    BRANT__TRY(brant__input_name(name, "/stream"));
    const brant__session *session = brant__db_session(db);
    if (BRANT__UNLIKELY(session != NULL)) BRANT__TRY(session->rules->stream(db, session, name));
    BRANT__TRY(get(&statement, db, FIND));
    brant__bind_text(statement, 1, name);
    BRANT__TRY(brant__step(out_found, db, statement));
    if (*out_found) {
        brant__stream_read_row(out, statement);
        status = brant__stream_read_newest(out, db);
    }
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__stream_get(brant__stream *out, brant_db *db, brant__text name) {
    bool found = false;
    const brant_status status = brant__stream_find(&found, out, db, name);
    if (status != BRANT_OK || found) return status;
    return brant__fail(BRANT_NOT_FOUND, "no stream \"%.*s\"", (int)name.length, name.data);
}

brant_status brant__stream_ensure(brant__stream *out, brant_db *db, brant__text name) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    bool found = false;
    BRANT__TRY(brant__stream_find(&found, out, db, name));
    if (found) return BRANT_OK;
    BRANT__TRY(get(&statement, db, CREATE));
    brant__bind_text(statement, 1, name);
    brant__bind_integer(statement, 2, brant__db_now(db));
    BRANT__TRY(brant__run(db, statement));
    if (brant__last_row_id(db) >= INT64_MAX >> BRANT__STREAM_BITS)
        return brant__fail(BRANT_LIMIT, "the file has had too many streams");
    status = brant__stream_find(&found, out, db, name);
cleanup:
    return status;
}

brant_status brant__stream_hold_head(brant_db *db, const brant__stream *stream) {
    brant__statement *statement = NULL;
    const brant_status status = get(&statement, db, HOLD_HEAD);
    if (status != BRANT_OK) return status;
    brant__bind_integer(statement, 1, stream->last);
    brant__bind_integer(statement, 2, stream->newest_at);
    brant__bind_integer(statement, 3, stream->row_id);
    return brant__run(db, statement);
}
