/*
 * event/consumer.c: consumers: a name, and the offset up to which it has processed a stream.
 *
 * A saved offset never goes back but by consumers.seek. Saved in the transaction of the effect, an event takes effect once.
 */
#include "event/consumer.h"

enum { COUNT, PROCESSED, FIND, INSERT, GROUPS_ON, GROUPS_OFF, COMMIT, SEEK, ALL, DELETE };
static const char *const sql[] = {
    [COUNT] = "SELECT count(*) FROM stream_consumers WHERE stream = :stream",
    [PROCESSED] = "SELECT min(\"offset\") FROM stream_consumers WHERE stream = :stream",
    [FIND] = "SELECT row_id, kind, \"offset\", next, token, updated_at FROM stream_consumers "
             "WHERE stream = :stream AND name = :name",
    [INSERT] = "INSERT INTO stream_consumers (stream, name, kind, \"offset\", next, token, "
               "created_at, updated_at) VALUES (:stream, :name, :kind, :offset, :next, :token, "
               ":now, :now)",
    [GROUPS_ON] = "UPDATE streams SET groups = 1 WHERE row_id = :stream AND groups = 0",
    [GROUPS_OFF] = "UPDATE streams SET groups = 0 WHERE row_id = :stream AND NOT EXISTS (SELECT 1 "
                   "FROM stream_consumers WHERE stream = :stream AND kind = 1)",
    [COMMIT] = "UPDATE stream_consumers SET \"offset\" = :offset, updated_at = :now "
               "WHERE row_id = :row AND \"offset\" < :offset",
    [SEEK] = "UPDATE stream_consumers SET \"offset\" = :offset, updated_at = :now "
             "WHERE row_id = :row",
    [ALL] = "SELECT row_id, kind, \"offset\", next, token, updated_at, name FROM stream_consumers "
            "WHERE stream = :stream ORDER BY name",
    [DELETE] = "DELETE FROM stream_consumers WHERE row_id = :row",
};
static const brant__statements statements = {BRANT__TABLE_CONSUMER, BRANT__COUNT(sql), sql};

static const char *const kind_names[] = {"consumer", "group"};

static brant_status get(brant__statement **out, brant_db *db, size_t index) {
    return brant__statement_get(out, db, &statements, index);
}

static brant_status run_one(brant_db *db, size_t index, int64_t value) {
    brant__statement *statement = NULL;
    const brant_status status = get(&statement, db, index);
    if (status != BRANT_OK) return status;
    brant__bind_integer(statement, 1, value);
    return brant__run(db, statement);
}

/* ---- all of a stream ----------------------------------------------------------------------------------------------------------- */

static brant_status aggregate(int64_t *out, brant_db *db, size_t index, int64_t stream,
                              int64_t otherwise) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    bool row = false;
    *out = otherwise;
    BRANT__TRY(get(&statement, db, index));
    brant__bind_integer(statement, 1, stream);
    BRANT__TRY(brant__step(&row, db, statement));
    if (row && !brant__column_null(statement, 0)) *out = brant__column_integer(statement, 0);
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__consumers_count(int64_t *out_count, brant_db *db, int64_t stream) {
    return aggregate(out_count, db, COUNT, stream, 0);
}

brant_status brant__consumers_processed(int64_t *out_offset, brant_db *db, int64_t stream) {
    return aggregate(out_offset, db, PROCESSED, stream, INT64_MAX);
}

static void read_consumer(brant__consumer *out, brant__statement *row) {
    *out = (brant__consumer){
        .row_id = brant__column_integer(row, 0),
        .kind = brant__column_integer(row, 1) ? BRANT__GROUP : BRANT__CONSUMER,
        .offset = brant__column_integer(row, 2),
        .next = brant__column_integer(row, 3),
        .token = brant__column_integer(row, 4),
        .updated_at = brant__column_integer(row, 5),
    };
}

brant_status brant__consumers_drop(brant_db *db, int64_t stream) {
    brant_status status = BRANT_OK;
    brant__statement *all = NULL;
    bool row = false;
    BRANT__TRY(get(&all, db, ALL));
    brant__bind_integer(all, 1, stream);
    for (;;) {
        brant__consumer consumer;
        BRANT__TRY(brant__step(&row, db, all));
        if (!row) break;
        read_consumer(&consumer, all);
        if (consumer.kind == BRANT__GROUP)
            BRANT__TRY(brant__group_end(db, consumer.row_id, consumer.token));
        BRANT__TRY(run_one(db, DELETE, consumer.row_id));
    }
cleanup:
    brant__reset(all);
    return status;
}

/* ---- one ------------------------------------------------------------------------------------------------------------------------ */

brant_status brant__consumer_find(bool *out_found, brant__consumer *out, brant_db *db,
                                  int64_t stream, brant__text name) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    *out_found = false;
    *out = (brant__consumer){0};
    BRANT__TRY(get(&statement, db, FIND));
    brant__bind_integer(statement, 1, stream);
    brant__bind_text(statement, 2, name);
    BRANT__TRY(brant__step(out_found, db, statement));
    if (*out_found) read_consumer(out, statement);
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status check_kind(const brant__consumer *consumer, brant__text name, int kind,
                               const char *pointer) {
    if (consumer->kind == kind) return BRANT_OK;
    return brant__fail(BRANT_CONFLICT, "%s: \"%.*s\" is a %s", pointer, (int)name.length, name.data,
                       kind_names[consumer->kind]);
}

brant_status brant__consumer_get(brant__consumer *out, brant_db *db, const brant__stream *stream,
                                 brant__text name, int kind, const char *pointer) {
    brant_status status = BRANT_OK;
    bool found = false;
    BRANT__TRY(brant__input_name(name, pointer));
    BRANT__TRY(brant__consumer_find(&found, out, db, stream->row_id, name));
    if (!found)
        return brant__fail(BRANT_NOT_FOUND, "the stream has no %s \"%.*s\"", kind_names[kind],
                           (int)name.length, name.data);
    status = check_kind(out, name, kind, pointer);
cleanup:
    return status;
}

brant_status brant__consumer_ensure(brant__consumer *out, brant_db *db, brant__stream *stream,
                                    brant__text name, int kind, int64_t offset,
                                    const char *pointer) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    bool found = false;
    int64_t token = 0;
    BRANT__TRY(brant__input_name(name, pointer));
    BRANT__TRY(brant__consumer_find(&found, out, db, stream->row_id, name));
    if (found) return check_kind(out, name, kind, pointer);
    if (kind == BRANT__GROUP) BRANT__TRY(brant__group_token_floor(&token, db));
    *out = (brant__consumer){.kind = kind,
                             .offset = offset,
                             .next = offset + 1,
                             .token = token,
                             .updated_at = brant__db_now(db)};
    BRANT__TRY(get(&statement, db, INSERT));
    brant__bind_integer(statement, 1, stream->row_id);
    brant__bind_text(statement, 2, name);
    brant__bind_integer(statement, 3, kind);
    brant__bind_integer(statement, 4, offset);
    brant__bind_integer(statement, 5, out->next);
    brant__bind_integer(statement, 6, token);
    brant__bind_integer(statement, 7, out->updated_at);
    BRANT__TRY(brant__run(db, statement));
    out->row_id = brant__last_row_id(db);
    if (kind == BRANT__GROUP && !stream->groups) {
        BRANT__TRY(run_one(db, GROUPS_ON, stream->row_id));
        stream->groups = true;
    }
cleanup:
    return status;
}

brant_status brant__stream_position(int64_t *out_offset, brant_db *db, const brant__stream *stream,
                                    yyjson_val *from, const char *otherwise, const char *pointer) {
    yyjson_val *time = brant__json_get(from, "time");
    *out_offset = 0;
    if (time) return brant__stream_offset_at(out_offset, db, stream, brant__json_integer(time, 0));
    if (yyjson_is_num(from)) {
        *out_offset = brant__json_integer(from, -1);
        if (*out_offset >= 0 && *out_offset <= stream->last) return BRANT_OK;
        return brant__fail(BRANT_INVALID, "%s: %lld is not between 0 and the last offset, %lld",
                           pointer, (long long)*out_offset, (long long)stream->last);
    }
    const brant__text text = from ? brant__json_text(from) : brant__text_string(otherwise);
    *out_offset =
        brant__text_equal(text, BRANT__TEXT("end")) ? stream->last : stream->trimmed_through;
    return BRANT_OK;
}

/* ---- JSON ----------------------------------------------------------------------------------------------------------------------- */

/* How many events it has not processed, as far as offsets tell. */
static brant_status lag_of(int64_t *out_lag, int64_t *out_pending, brant_db *db,
                           const brant__stream *stream, const brant__consumer *consumer) {
    const int64_t from =
        consumer->offset > stream->trimmed_through ? consumer->offset : stream->trimmed_through;
    *out_pending = 0;
    *out_lag = stream->last - from;
    if (consumer->kind == BRANT__CONSUMER) return BRANT_OK;
    const int64_t handed =
        consumer->next - 1 > stream->trimmed_through ? consumer->next - 1 : stream->trimmed_through;
    const brant_status status = brant__group_pending(out_pending, db, consumer->row_id);
    *out_lag = stream->last - handed + *out_pending;
    return status;
}

static void write_position(brant__writer *out, const brant__consumer *consumer, int64_t lag) {
    const char *kind = kind_names[consumer->kind];
    brant__write_text_member(out, "kind", brant__text_string(kind));
    brant__write_integer_member(out, "offset", consumer->offset);
    brant__write_integer_member(out, "lag", lag);
}

static brant_status write_consumer(brant__writer *out, brant_db *db, brant__text stream_name,
                                   const brant__stream *stream, brant__text name,
                                   const brant__consumer *consumer) {
    int64_t lag = 0, pending = 0;
    const brant_status status = lag_of(&lag, &pending, db, stream, consumer);
    if (status != BRANT_OK) return status;
    brant__write_object(out);
    brant__write_text_member(out, "stream", stream_name);
    brant__write_text_member(out, "consumer", name);
    write_position(out, consumer, lag);
    if (consumer->kind == BRANT__GROUP) brant__write_integer_member(out, "pending", pending);
    brant__write_integer_member(out, "updated_at", consumer->updated_at);
    brant__write_end(out);
    return BRANT_OK;
}

/* For streams.stats: how long the oldest event that it has not processed has been there. */
static brant_status write_lag(brant__writer *out, brant_db *db, const brant__stream *stream,
                              brant__text name, const brant__consumer *consumer) {
    brant_status status = BRANT_OK;
    int64_t lag = 0, pending = 0, offset = 0, at = 0;
    BRANT__TRY(lag_of(&lag, &pending, db, stream, consumer));
    BRANT__TRY(brant__stream_first_behind(&offset, &at, db, stream, consumer->offset));
    brant__write_object(out);
    brant__write_text_member(out, "name", name);
    write_position(out, consumer, lag);
    const int64_t age = offset > 0 ? brant__db_now(db) - at : 0;
    brant__write_integer_member(out, "lag_ms", age > 0 ? age : 0);
    brant__write_end(out);
cleanup:
    return status;
}

brant_status brant__consumers_write(brant__writer *out, brant_db *db, const brant__stream *stream) {
    brant_status status = BRANT_OK;
    brant__statement *all = NULL;
    bool row = false;
    brant__write_name(out, "consumers");
    brant__write_array(out);
    BRANT__TRY(get(&all, db, ALL));
    brant__bind_integer(all, 1, stream->row_id);
    for (;;) {
        brant__consumer consumer;
        BRANT__TRY(brant__step(&row, db, all));
        if (!row) break;
        read_consumer(&consumer, all);
        BRANT__TRY(write_lag(out, db, stream, brant__column_text(all, 6), &consumer));
    }
    brant__write_end(out);
cleanup:
    brant__reset(all);
    return status;
}

/* ---- operations ------------------------------------------------------------------------------------------------------------------- */

brant_status brant__consumers_commit(brant__call *call) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    brant__stream stream;
    brant__consumer consumer;
    const int64_t offset = brant__json_integer(brant__json_get(call->input, "offset"), -1);
    BRANT__TRY(brant__stream_get(&stream, call->db, brant__json_get_text(call->input, "stream")));
    if (offset < 0 || offset > stream.last)
        return brant__fail(BRANT_INVALID,
                           "/offset: %lld is not between 0 and the last offset, %lld",
                           (long long)offset, (long long)stream.last);
    BRANT__TRY(brant__consumer_ensure(&consumer, call->db, &stream,
                                      brant__json_get_text(call->input, "consumer"),
                                      BRANT__CONSUMER, offset, "/consumer"));
    if (consumer.offset < offset) {
        BRANT__TRY(get(&statement, call->db, COMMIT));
        brant__bind_integer(statement, 1, offset);
        brant__bind_integer(statement, 2, brant__db_now(call->db));
        brant__bind_integer(statement, 3, consumer.row_id);
        BRANT__TRY(brant__run(call->db, statement));
        consumer.offset = offset;
    }
    brant__write_integer_object(call->out, "offset", consumer.offset);
cleanup:
    return status;
}

brant_status brant__consumers_seek(brant__call *call) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    brant__stream stream;
    brant__consumer consumer;
    bool found = false;
    int64_t offset = 0;
    const brant__text name = brant__json_get_text(call->input, "consumer");
    BRANT__TRY(brant__stream_get(&stream, call->db, brant__json_get_text(call->input, "stream")));
    BRANT__TRY(brant__stream_position(&offset, call->db, &stream,
                                      brant__json_get(call->input, "to"), "start", "/to"));
    BRANT__TRY(brant__consumer_find(&found, &consumer, call->db, stream.row_id, name));
    if (!found)
        BRANT__TRY(brant__consumer_ensure(&consumer, call->db, &stream, name, BRANT__CONSUMER,
                                          offset, "/consumer"));
    BRANT__TRY(get(&statement, call->db, SEEK));
    brant__bind_integer(statement, 1, offset);
    brant__bind_integer(statement, 2, brant__db_now(call->db));
    brant__bind_integer(statement, 3, consumer.row_id);
    BRANT__TRY(brant__run(call->db, statement));
    if (consumer.kind == BRANT__GROUP) {
        BRANT__TRY(brant__group_seek(call->db, consumer.row_id, offset));
        if (offset < stream.last)
            BRANT__TRY(brant__group_wake(call->db, consumer.row_id, stream.last - offset));
    }
    brant__write_integer_object(call->out, "offset", offset);
cleanup:
    return status;
}

/* Of either kind. */
static brant_status find_any(brant__stream *out_stream, brant__consumer *out, brant__call *call) {
    bool found = false;
    const brant__text name = brant__json_get_text(call->input, "consumer");
    brant_status status = BRANT_OK;
    BRANT__TRY(
        brant__stream_get(out_stream, call->db, brant__json_get_text(call->input, "stream")));
    BRANT__TRY(brant__input_name(name, "/consumer"));
    BRANT__TRY(brant__consumer_find(&found, out, call->db, out_stream->row_id, name));
    if (!found)
        status = brant__fail(BRANT_NOT_FOUND, "the stream has no consumer \"%.*s\"",
                             (int)name.length, name.data);
cleanup:
    return status;
}

brant_status brant__consumers_get(brant__call *call) {
    brant__stream stream;
    brant__consumer consumer;
    const brant_status status = find_any(&stream, &consumer, call);
    return status == BRANT_OK
               ? write_consumer(call->out, call->db, brant__json_get_text(call->input, "stream"),
                                &stream, brant__json_get_text(call->input, "consumer"), &consumer)
               : status;
}

brant_status brant__consumers_list(brant__call *call) {
    brant_status status = BRANT_OK;
    brant__statement *all = NULL;
    brant__stream stream;
    bool row = false;
    const brant__text name = brant__json_get_text(call->input, "stream");
    BRANT__TRY(brant__stream_get(&stream, call->db, name));
    brant__write_object(call->out);
    brant__write_name(call->out, "items");
    brant__write_array(call->out);
    BRANT__TRY(get(&all, call->db, ALL));
    brant__bind_integer(all, 1, stream.row_id);
    for (;;) {
        brant__consumer consumer;
        BRANT__TRY(brant__step(&row, call->db, all));
        if (!row) break;
        read_consumer(&consumer, all);
        BRANT__TRY(write_consumer(call->out, call->db, name, &stream, brant__column_text(all, 6),
                                  &consumer));
    }
    brant__write_end(call->out);
    brant__write_end(call->out);
cleanup:
    brant__reset(all);
    return status;
}

brant_status brant__consumers_delete(brant__call *call) {
    brant_status status = BRANT_OK;
    brant__stream stream;
    brant__consumer consumer;
    BRANT__TRY(find_any(&stream, &consumer, call));
    if (consumer.kind == BRANT__GROUP)
        BRANT__TRY(brant__group_end(call->db, consumer.row_id, consumer.token));
    BRANT__TRY(run_one(call->db, DELETE, consumer.row_id));
    if (consumer.kind == BRANT__GROUP) BRANT__TRY(run_one(call->db, GROUPS_OFF, stream.row_id));
    brant__write_object(call->out);
    brant__write_end(call->out);
cleanup:
    return status;
}
