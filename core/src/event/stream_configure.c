/*
 * event/stream_configure.c: what streams there are, and how each is kept.
 */
#include "event/consumer.h"
#include "event/listing.h"
#include "event/stream.h"

#define REMOVED_ATONCE 10000 /* events that go with their stream; more go with maintenance */

enum { CONFIGURE, LIST, DELETE };
static const char *const sql[] = {
    [CONFIGURE] = "UPDATE streams SET max_age = :max_age, max_count = :max_count, "
                  "keep_unread = :keep_unread, compact = :compact, compact_after = :compact_after, "
                  "updated_at = :now WHERE row_id = :row",
    [LIST] = "SELECT " BRANT__STREAM_COLUMNS
             ", name FROM streams WHERE " BRANT__LISTING_FROM("name") " ORDER BY name",
    [DELETE] = "DELETE FROM streams WHERE row_id = :row",
};
static const brant__statements statements = {BRANT__TABLE_STREAM_CONFIGURE, BRANT__COUNT(sql), sql};

static brant_status get(brant__statement **out, brant_db *db, size_t index) {
    return brant__statement_get(out, db, &statements, index);
}

/* ---- JSON --------------------------------------------------------------------------------------------------------------------- */

static void write_number(brant__writer *out, const char *name, int64_t value) {
    brant__write_name(out, name);
    if (value < 0)
        brant__write_null(out);
    else
        brant__write_integer(out, value);
}

static brant_status write_stream(brant__writer *out, brant_db *db, brant__text name,
                                 const brant__stream *stream) {
    brant_status status = BRANT_OK;
    int64_t first = 0, at = 0, consumers = 0;
    BRANT__TRY(brant__stream_oldest(&first, &at, db, stream));
    BRANT__TRY(brant__consumers_count(&consumers, db, stream->row_id));
    brant__write_object(out);
    brant__write_text_member(out, "stream", name);
    write_number(out, "first", first);
    write_number(out, "last", stream->last);
    write_number(out, "count", brant__stream_count(stream));
    brant__write_name(out, "policy");
    brant__write_object(out);
    write_number(out, "max_age", stream->max_age);
    write_number(out, "max_count", stream->max_count);
    brant__write_bool_member(out, "keep_unread", stream->keep_unread);
    brant__write_bool_member(out, "compact", stream->compact);
    write_number(out, "compact_after", stream->compact_after);
    brant__write_end(out);
    write_number(out, "consumers", consumers);
    write_number(out, "trimmed_through", stream->trimmed_through);
    write_number(out, "created_at", stream->created_at);
    write_number(out, "updated_at", stream->updated_at);
    brant__write_end(out);
cleanup:
    return status;
}

/* ---- operations ----------------------------------------------------------------------------------------------------------------- */

/* A member that is absent changes nothing; null: back to the default. */
static void read_number(int64_t *value, yyjson_val *input, const char *name, int64_t otherwise) {
    yyjson_val *given = brant__json_get(input, name);
    if (given) *value = brant__json_integer(given, otherwise);
}

static void read_bool(bool *value, yyjson_val *input, const char *name) {
    yyjson_val *given = brant__json_get(input, name);
    if (given) *value = brant__json_bool(given, false);
}

static void bind_or_null(brant__statement *statement, int index, int64_t value) {
    if (value < 0)
        brant__bind_null(statement, index);
    else
        brant__bind_integer(statement, index, value);
}

brant_status brant__streams_configure(brant__call *call) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    brant__stream stream;
    const brant__text name = brant__json_get_text(call->input, "stream");
    BRANT__TRY(brant__stream_ensure(&stream, call->db, name));
    read_number(&stream.max_age, call->input, "max_age", -1);
    read_number(&stream.max_count, call->input, "max_count", -1);
    read_bool(&stream.keep_unread, call->input, "keep_unread");
    read_bool(&stream.compact, call->input, "compact");
    read_number(&stream.compact_after, call->input, "compact_after", 0);
    stream.updated_at = brant__db_now(call->db);
    BRANT__TRY(get(&statement, call->db, CONFIGURE));
    bind_or_null(statement, 1, stream.max_age);
    bind_or_null(statement, 2, stream.max_count);
    brant__bind_integer(statement, 3, stream.keep_unread);
    brant__bind_integer(statement, 4, stream.compact);
    brant__bind_integer(statement, 5, stream.compact_after);
    brant__bind_integer(statement, 6, stream.updated_at);
    brant__bind_integer(statement, 7, stream.row_id);
    BRANT__TRY(brant__run(call->db, statement));
    status = write_stream(call->out, call->db, name, &stream);
cleanup:
    return status;
}

brant_status brant__streams_get(brant__call *call) {
    brant__stream stream;
    const brant__text name = brant__json_get_text(call->input, "stream");
    const brant_status status = brant__stream_get(&stream, call->db, name);
    return status == BRANT_OK ? write_stream(call->out, call->db, name, &stream) : status;
}

/* What a session may not touch is left out. */
static brant_status check_listed(bool *out_shown, brant_db *db, brant__text name) {
    const brant__session *session = brant__db_session(db);
    *out_shown = true;
    if (!session) return BRANT_OK;
    const brant_status status = session->rules->stream(db, session, name);
    if (status != BRANT_DENIED) return status;
    *out_shown = false;
    (void)brant__error_code();
    return BRANT_OK;
}

brant_status brant__streams_list(brant__call *call) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    brant__listing list = brant__listing_read(call);
    brant__stream stream;
    bool row = false, wanted = false, shown = true;
    BRANT__TRY(get(&statement, call->db, LIST));
    brant__listing_bind(statement, &list, (brant__text){NULL, 0});
    brant__listing_begin(call);
    for (;;) {
        BRANT__TRY(brant__step(&row, call->db, statement));
        if (!row) break;
        const brant__text name = brant__column_text(statement, 14);
        BRANT__TRY(brant__listing_take(&wanted, &list, call, name));
        if (!wanted) break;
        BRANT__TRY(check_listed(&shown, call->db, name));
        if (!shown) continue;
        brant__stream_read_row(&stream, statement);
        BRANT__TRY(brant__stream_read_newest(&stream, call->db));
        BRANT__TRY(write_stream(call->out, call->db, name, &stream));
    }
    brant__listing_end(&list, call);
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status drop(brant_db *db, brant__text name, const brant__stream *stream) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    brant__topic topic;
    int64_t removed = 0;
    BRANT__TRY(brant__stream_changes(db));
    BRANT__TRY(brant__consumers_drop(db, stream->row_id));
    BRANT__TRY(get(&statement, db, DELETE));
    brant__bind_integer(statement, 1, stream->row_id);
    BRANT__TRY(brant__run(db, statement));
    BRANT__TRY(brant__stream_remove_events(&removed, db, stream->row_id, REMOVED_ATONCE));
    status = brant__wake_touch(db, brant__topic_of(&topic, "stream", name, (brant__text){NULL, 0}));
cleanup:
    return status;
}

brant_status brant__stream_drop(brant_db *db, brant__text name) {
    brant__stream stream;
    bool found = false;
    const brant_status status = brant__stream_find(&found, &stream, db, name);
    return status == BRANT_OK && found ? drop(db, name, &stream) : status;
}

brant_status brant__streams_delete(brant__call *call) {
    brant_status status = BRANT_OK;
    brant__stream stream;
    int64_t consumers = 0;
    const brant__text name = brant__json_get_text(call->input, "stream");
    const bool force = brant__json_bool(brant__json_get(call->input, "force"), false);
    BRANT__TRY(brant__stream_get(&stream, call->db, name));
    BRANT__TRY(brant__consumers_count(&consumers, call->db, stream.row_id));
    if (consumers > 0 && !force)
        return brant__fail(BRANT_CONFLICT,
                           "the stream \"%.*s\" has consumers (%lld); delete them, or force",
                           (int)name.length, name.data, (long long)consumers);
    BRANT__TRY(drop(call->db, name, &stream));
    brant__write_integer_object(call->out, "deleted", brant__stream_count(&stream));
cleanup:
    return status;
}
