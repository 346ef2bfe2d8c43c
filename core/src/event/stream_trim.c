/*
 * event/stream_trim.c: what a stream does not keep: retention, compaction, events of streams that were deleted.
 *
 * Trimming removes from the oldest end and says so in trimmed_through: whoever stands before it is told of a gap. All else (compaction, erasure) leaves holes, which are
 * counted and are no gaps. Compaction goes through the events that are new since the last time, and for each removes the older ones of its key: the work is in
 * proportion to what was published, and each event is removed once.
 */
#include "event/consumer.h"
#include "event/stream.h"

#define CHUNK  1000  /* rows that one transaction of maintenance removes or looks at */
#define CHUNKS 50    /* transactions in one call of it */
#define SLACK  500   /* more than max_count there may be at most: then as many go at once */
#define NAMES  10000 /* streams that one call of maintenance looks at */

enum {
    NTH,
    TRIM,
    TRIMMED,
    REMOVED,
    KEYED,
    OLDER,
    COMPACTED,
    TOMBSTONES,
    DELETE_EVENT,
    CANDIDATES,
    FIRST_EVENT,
    STREAM_EXISTS,
    DELETE_SOME
};
static const char *const sql[] = {
    [NTH] = "SELECT id FROM stream_events WHERE id > :after AND id <= :through "
            "ORDER BY id LIMIT 1 OFFSET :skip",
    [TRIM] = "DELETE FROM stream_events WHERE id > :after AND id <= :through",
    [TRIMMED] = "UPDATE streams SET trimmed_through = :through, holes = :holes WHERE row_id = :row",
    [REMOVED] = "UPDATE streams SET holes = holes + :count WHERE row_id = :row",
    [KEYED] = "SELECT id, key FROM stream_events WHERE id > :after AND id <= :through "
              "ORDER BY id LIMIT :limit",
    [OLDER] = "DELETE FROM stream_events WHERE id >> 40 = :row AND key = :key AND id < :id",
    [COMPACTED] = "UPDATE streams SET compacted_through = :through WHERE row_id = :row",
    [TOMBSTONES] = "SELECT id, created_at FROM stream_events INDEXED BY stream_events_tombstones "
                   "WHERE key IS NOT NULL AND payload IS NULL AND id > :after AND id <= :through "
                   "ORDER BY id LIMIT :limit",
    [DELETE_EVENT] = "DELETE FROM stream_events WHERE id = :id",
    [CANDIDATES] =
        "SELECT row_id, name FROM streams WHERE row_id > :after AND (max_age IS NOT NULL "
        "OR max_count IS NOT NULL OR compact <> 0) ORDER BY row_id LIMIT 1",
    [FIRST_EVENT] = "SELECT id FROM stream_events WHERE id >= :from ORDER BY id LIMIT 1",
    [STREAM_EXISTS] = "SELECT 1 FROM streams WHERE row_id = :row",
    [DELETE_SOME] = "DELETE FROM stream_events WHERE id IN (SELECT id FROM stream_events "
                    "WHERE id >= :from AND id < :end ORDER BY id LIMIT :limit)",
};
static const brant__statements statements = {BRANT__TABLE_STREAM_TRIM, BRANT__COUNT(sql), sql};

static brant_status get(brant__statement **out, brant_db *db, size_t index) {
    return brant__statement_get(out, db, &statements, index);
}

/* Run a statement of up to three integers. */
static brant_status run(brant_db *db, size_t index, int count, int64_t a, int64_t b, int64_t c) {
    brant__statement *statement = NULL;
    const int64_t values[] = {a, b, c};
    const brant_status status = get(&statement, db, index);
    if (status != BRANT_OK) return status;
    for (int i = 0; i < count; i++)
        brant__bind_integer(statement, i + 1, values[i]);
    return brant__run(db, statement);
}

/* ---- trimming ----------------------------------------------------------------------------------------------------------------- */

/* The offset of the event before which there are `skip` others, up to `through`; 0: there are not so many. */
static brant_status nth(int64_t *out_offset, brant_db *db, const brant__stream *stream,
                        int64_t through, int64_t skip) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    bool row = false;
    *out_offset = 0;
    BRANT__TRY(get(&statement, db, NTH));
    brant__bind_integer(statement, 1, brant__stream_id(stream->row_id, stream->trimmed_through));
    brant__bind_integer(statement, 2, brant__stream_id(stream->row_id, through));
    brant__bind_integer(statement, 3, skip);
    BRANT__TRY(brant__step(&row, db, statement));
    if (row) *out_offset = brant__column_integer(statement, 0) & BRANT__STREAM_OFFSET;
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__stream_trim(int64_t *out_removed, brant_db *db, brant__stream *stream,
                                int64_t through, int64_t limit) {
    brant_status status = BRANT_OK;
    *out_removed = 0;
    if (through > stream->last) through = stream->last;
    if (through <= stream->trimmed_through) return BRANT_OK;
    if (limit < through - stream->trimmed_through) {
        int64_t cut = 0;
        BRANT__TRY(nth(&cut, db, stream, through, limit - 1));
        if (cut > 0) through = cut;
    }
    BRANT__TRY(brant__stream_changes(db));
    BRANT__TRY(brant__stream_hold_head(db, stream));
    BRANT__TRY(run(db, TRIM, 2, brant__stream_id(stream->row_id, stream->trimmed_through),
                   brant__stream_id(stream->row_id, through), 0));
    const int64_t removed = brant__changes(db);
    const int64_t holes = stream->holes - (through - stream->trimmed_through - removed);
    BRANT__TRY(run(db, TRIMMED, 3, through, holes > 0 ? holes : 0, stream->row_id));
    stream->holes = holes > 0 ? holes : 0;
    stream->trimmed_through = through;
    *out_removed = removed;
cleanup:
    return status;
}

/* Through which offset the policy lets events go, at most `limit` of them by count; not beyond what is unread where that is kept. */
static brant_status retention_through(int64_t *out_through, brant_db *db,
                                      const brant__stream *stream, int64_t limit) {
    brant_status status = BRANT_OK;
    int64_t through = 0, by_age = 0, unread = INT64_MAX;
    *out_through = 0;
    const int64_t count = brant__stream_count(stream);
    if (stream->max_count >= 0 && count > stream->max_count) {
        const int64_t excess = count - stream->max_count;
        if (excess >= count)
            through = stream->last;
        else
            BRANT__TRY(
                nth(&through, db, stream, stream->last, (excess < limit ? excess : limit) - 1));
    }
    if (stream->max_age >= 0) {
        const int64_t now = brant__db_now(db);
        BRANT__TRY(brant__stream_offset_at(&by_age, db, stream, now - stream->max_age));
        if (by_age > through) through = by_age;
    }
    if (stream->keep_unread && through > stream->trimmed_through) {
        BRANT__TRY(brant__consumers_processed(&unread, db, stream->row_id));
        if (unread < through) through = unread;
    }
    *out_through = through;
cleanup:
    return status;
}

brant_status brant__stream_retain(int64_t *out_removed, brant_db *db, brant__stream *stream,
                                  int64_t limit) {
    int64_t through = 0;
    *out_removed = 0;
    const brant_status status = retention_through(&through, db, stream, limit);
    return status == BRANT_OK ? brant__stream_trim(out_removed, db, stream, through, limit)
                              : status;
}

brant_status brant__stream_retain_count(brant_db *db, brant__stream *stream, int64_t published) {
    int64_t removed = 0;
    const int64_t slack = stream->max_count / 4 < SLACK ? stream->max_count / 4 : SLACK;
    if (stream->max_count < 0 || brant__stream_count(stream) <= stream->max_count + slack)
        return BRANT_OK;
    return brant__stream_retain(&removed, db, stream, published + CHUNK);
}

/* ---- compaction --------------------------------------------------------------------------------------------------------------- */

typedef struct keyed_event {
    int64_t id;
    brant__text key;
} keyed_event;

static brant_status compact_chunk(int64_t *out_looked, int64_t *out_removed, brant_db *db,
                                  brant__stream *stream, int64_t through) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    brant__arena arena = {0};
    keyed_event *events = NULL;
    size_t count = 0;
    bool row = false;
    int64_t last = through;
    *out_looked = *out_removed = 0;
    events = brant__arena_alloc(&arena, CHUNK * sizeof *events);
    if (!events) {
        status = brant__fail_memory();
        goto cleanup;
    }
    const int64_t from = stream->compacted_through > stream->trimmed_through
                             ? stream->compacted_through
                             : stream->trimmed_through;
    BRANT__TRY(get(&statement, db, KEYED));
    brant__bind_integer(statement, 1, brant__stream_id(stream->row_id, from));
    brant__bind_integer(statement, 2, brant__stream_id(stream->row_id, through));
    brant__bind_integer(statement, 3, CHUNK);
    for (;;) {
        BRANT__TRY(brant__step(&row, db, statement));
        if (!row) break;
        const int64_t id = brant__column_integer(statement, 0);
        const brant__text key = brant__column_text(statement, 1);
        if (++*out_looked == CHUNK) last = id & BRANT__STREAM_OFFSET;
        if (!key.data) continue;
        const char *copy = brant__arena_copy(&arena, key.data, key.length);
        if (!copy) {
            status = brant__fail_memory();
            goto cleanup;
        }
        events[count++] = (keyed_event){id, brant__text_of(copy, key.length)};
    }
    brant__reset(statement);
    for (size_t i = 0; i < count; i++) {
        BRANT__TRY(get(&statement, db, OLDER));
        brant__bind_integer(statement, 1, stream->row_id);
        brant__bind_text(statement, 2, events[i].key);
        brant__bind_integer(statement, 3, events[i].id);
        BRANT__TRY(brant__run(db, statement));
        *out_removed += brant__changes(db);
    }
    BRANT__TRY(run(db, COMPACTED, 2, last, stream->row_id, 0));
    stream->compacted_through = last;
cleanup:
    brant__reset(statement);
    brant__arena_free(&arena);
    return status;
}

/* Those whose time is over; what is older of their keys is gone. They are in order of time. */
static brant_status remove_tombstones(int64_t *out_removed, brant_db *db,
                                      const brant__stream *stream) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    int64_t ids[CHUNK];
    size_t count = 0;
    bool row = false;
    *out_removed = 0;
    BRANT__TRY(get(&statement, db, TOMBSTONES));
    brant__bind_integer(statement, 1, brant__stream_id(stream->row_id, stream->trimmed_through));
    brant__bind_integer(statement, 2, brant__stream_id(stream->row_id, stream->compacted_through));
    brant__bind_integer(statement, 3, CHUNK);
    for (;;) {
        BRANT__TRY(brant__step(&row, db, statement));
        if (!row || brant__column_integer(statement, 1) > brant__db_now(db) - stream->compact_after)
            break;
        ids[count++] = brant__column_integer(statement, 0);
    }
    brant__reset(statement);
    if (count > 0) BRANT__TRY(brant__stream_hold_head(db, stream));
    for (size_t i = 0; i < count; i++)
        BRANT__TRY(run(db, DELETE_EVENT, 1, ids[i], 0, 0));
    *out_removed = (int64_t)count;
cleanup:
    brant__reset(statement);
    return status;
}

/* In a write transaction: a bounded step. *out_more: there may be more to do. */
static brant_status compact_step(int64_t *out_removed, bool *out_more, brant_db *db,
                                 brant__stream *stream) {
    brant_status status = BRANT_OK;
    int64_t through = stream->last, unread = INT64_MAX, looked = 0, older = 0, tombstones = 0;
    *out_removed = 0;
    *out_more = false;
    if (stream->keep_unread) {
        BRANT__TRY(brant__consumers_processed(&unread, db, stream->row_id));
        if (unread < through) through = unread;
    }
    BRANT__TRY(brant__stream_changes(db));
    if (through > stream->compacted_through)
        BRANT__TRY(compact_chunk(&looked, &older, db, stream, through));
    BRANT__TRY(remove_tombstones(&tombstones, db, stream));
    if (older + tombstones > 0)
        BRANT__TRY(run(db, REMOVED, 2, older + tombstones, stream->row_id, 0));
    stream->holes += older + tombstones;
    *out_removed = older + tombstones;
    *out_more = looked == CHUNK || tombstones == CHUNK;
cleanup:
    return status;
}

/* ---- removing what is nobody's -------------------------------------------------------------------------------------------- */

brant_status brant__stream_remove_events(int64_t *out_removed, brant_db *db, int64_t row_id,
                                         int64_t limit) {
    const brant_status status = run(db, DELETE_SOME, 3, brant__stream_id(row_id, 0),
                                    brant__stream_id(row_id + 1, 0), limit);
    *out_removed = status == BRANT_OK ? brant__changes(db) : 0;
    return status;
}

static brant_status first_row(bool *out_row, int64_t *out_value, brant_db *db, size_t index,
                              int64_t value) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    *out_row = false;
    *out_value = 0;
    BRANT__TRY(get(&statement, db, index));
    brant__bind_integer(statement, 1, value);
    BRANT__TRY(brant__step(out_row, db, statement));
    if (*out_row) *out_value = brant__column_integer(statement, 0);
cleanup:
    brant__reset(statement);
    return status;
}

/* The first stream from *from on that has events and no row; 0: none. */
static brant_status find_orphan(int64_t *out_row_id, int64_t *from, brant_db *db) {
    *out_row_id = 0;
    for (int looked = 0; looked < NAMES; looked++) {
        bool row = false, exists = false;
        int64_t id = 0, one = 0;
        brant_status status = first_row(&row, &id, db, FIRST_EVENT, brant__stream_id(*from, 0));
        if (status != BRANT_OK) return status;
        if (!row) {
            *from = 0;
            return BRANT_OK;
        }
        *from = id >> BRANT__STREAM_BITS;
        status = first_row(&exists, &one, db, STREAM_EXISTS, *from);
        if (status != BRANT_OK) return status;
        if (!exists) {
            *out_row_id = *from;
            return BRANT_OK;
        }
        ++*from;
    }
    return BRANT_OK;
}

/* ---- maintenance ------------------------------------------------------------------------------------------------------------ */

/* Is there anything to remove? In any transaction. */
static brant_status is_due(bool *out_due, brant_db *db, const brant__stream *stream) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    bool row = false;
    int64_t through = 0, unread = INT64_MAX;
    *out_due = false;
    BRANT__TRY(retention_through(&through, db, stream, CHUNK));
    *out_due = through > stream->trimmed_through;
    if (*out_due || !stream->compact) goto cleanup;
    if (stream->keep_unread) BRANT__TRY(brant__consumers_processed(&unread, db, stream->row_id));
    through = stream->last < unread ? stream->last : unread;
    *out_due = through > stream->compacted_through;
    if (*out_due) goto cleanup;
    BRANT__TRY(get(&statement, db, TOMBSTONES));
    brant__bind_integer(statement, 1, brant__stream_id(stream->row_id, stream->trimmed_through));
    brant__bind_integer(statement, 2, brant__stream_id(stream->row_id, stream->compacted_through));
    brant__bind_integer(statement, 3, 1);
    BRANT__TRY(brant__step(&row, db, statement));
    *out_due =
        row && brant__column_integer(statement, 1) <= brant__db_now(db) - stream->compact_after;
cleanup:
    brant__reset(statement);
    return status;
}

/* The first stream behind *after that is due; *after becomes its row id, 0: there is none. `name` is a buffer of 256 bytes. */
static brant_status find_due(brant__text *out_name, char *name, int64_t *after, brant_db *db) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    brant__stream stream;
    bool row = false, found = false, due = false;
    *out_name = (brant__text){NULL, 0};
    for (int looked = 0; looked < NAMES; looked++) {
        BRANT__TRY(get(&statement, db, CANDIDATES));
        brant__bind_integer(statement, 1, *after);
        BRANT__TRY(brant__step(&row, db, statement));
        *after = row ? brant__column_integer(statement, 0) : 0;
        if (!row) break;
        const brant__text text = brant__column_text(statement, 1);
        const size_t length = text.length < 256 ? text.length : 255;
        memcpy(name, text.data, length);
        brant__reset(statement);
        BRANT__TRY(brant__stream_find(&found, &stream, db, brant__text_of(name, length)));
        if (found) BRANT__TRY(is_due(&due, db, &stream));
        if (!due) continue;
        *out_name = brant__text_of(name, length);
        break;
    }
cleanup:
    brant__reset(statement);
    return status;
}

/* In a write transaction: one step of a stream that was found to be due. */
static brant_status maintain_stream(brant__streams_done *done, bool *out_more, brant_db *db,
                                    brant__text name) {
    brant_status status = BRANT_OK;
    brant__stream stream;
    bool found = false, more = false;
    int64_t trimmed = 0, compacted = 0;
    *out_more = false;
    BRANT__TRY(brant__stream_find(&found, &stream, db, name));
    if (!found) return BRANT_OK;
    BRANT__TRY(brant__stream_retain(&trimmed, db, &stream, CHUNK));
    if (stream.compact) BRANT__TRY(compact_step(&compacted, &more, db, &stream));
    done->trimmed += trimmed;
    done->compacted += compacted;
    *out_more = more || trimmed >= CHUNK;
cleanup:
    return status;
}

brant_status brant__streams_maintain(brant__streams_done *out, brant_db *db) {
    brant_status status = BRANT_OK;
    char buffer[256];
    bool begun = false;
    *out = (brant__streams_done){0};
    brant__stream_place *place = NULL;
    BRANT__TRY(brant__stream_places(&place, db));
    for (int chunk = 0; chunk < CHUNKS;) {
        brant__text name;
        int64_t orphan = 0, removed = 0;
        BRANT__TRY(brant__db_poll(db));
        BRANT__TRY(brant__begin(db, BRANT__READ));
        begun = true;
        BRANT__TRY(find_due(&name, buffer, &place->stream, db));
        if (!name.data) BRANT__TRY(find_orphan(&orphan, &place->orphan, db));
        brant__rollback(db);
        begun = false;
        if (!name.data && orphan == 0) break;
        for (bool more = true; more && chunk < CHUNKS; chunk++) {
            BRANT__TRY(brant__begin(db, BRANT__WRITE));
            begun = true;
            if (name.data)
                BRANT__TRY(maintain_stream(out, &more, db, name));
            else {
                BRANT__TRY(brant__stream_remove_events(&removed, db, orphan, CHUNK));
                more = removed == CHUNK;
            }
            BRANT__TRY(brant__commit(db));
            begun = false;
        }
    }
cleanup:
    if (begun) brant__rollback(db);
    return status;
}

/* ---- operations ------------------------------------------------------------------------------------------------------------------ */

brant_status brant__streams_trim(brant__call *call) {
    brant_status status = BRANT_OK;
    brant__stream stream;
    int64_t through = 0, cut = 0, removed = 0;
    yyjson_val *before = brant__json_get(call->input, "before");
    yyjson_val *max_count = brant__json_get(call->input, "max_count");
    yyjson_val *max_age = brant__json_get(call->input, "max_age");
    if (!before && !max_count && !max_age)
        return brant__fail(BRANT_INVALID, "one of before, max_count, max_age is needed");
    BRANT__TRY(brant__stream_get(&stream, call->db, brant__json_get_text(call->input, "stream")));
    if (before) through = brant__json_integer(before, 1) - 1;
    if (max_count) {
        const int64_t excess = brant__stream_count(&stream) - brant__json_integer(max_count, 0);
        if (excess > 0) BRANT__TRY(nth(&cut, call->db, &stream, stream.last, excess - 1));
        if (cut > through) through = cut;
    }
    if (max_age) {
        const int64_t now = brant__db_now(call->db);
        BRANT__TRY(brant__stream_offset_at(&cut, call->db, &stream,
                                           now - brant__json_integer(max_age, now)));
        if (cut > through) through = cut;
    }
    BRANT__TRY(brant__stream_trim(&removed, call->db, &stream, through, INT64_MAX));
    brant__write_integer_object(call->out, "trimmed", removed);
cleanup:
    return status;
}

brant_status brant__streams_compact(brant__call *call) {
    brant_status status = BRANT_OK;
    brant__stream stream;
    int64_t removed = 0, total = 0;
    bool more = true;
    BRANT__TRY(brant__stream_get(&stream, call->db, brant__json_get_text(call->input, "stream")));
    while (more) {
        BRANT__TRY(brant__db_poll(call->db));
        BRANT__TRY(compact_step(&removed, &more, call->db, &stream));
        total += removed;
    }
    brant__write_integer_object(call->out, "removed", total);
cleanup:
    return status;
}
