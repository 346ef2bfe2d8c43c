/*
 * event/stream_publish.c: appending to a stream.
 *
 * An event's time is the operation's, but never before that of the event in front of it: a clock that goes back must not break the search by time.
 */
#include <stdio.h>

#include "event/consumer.h"
#include "event/stream.h"

#define LOG    "changes:"
#define LOG_ID 36

enum { INSERT };
static const char *const sql[] = {
    [INSERT] = "INSERT INTO stream_events (id, payload, created_at, key) VALUES (:id, :payload, "
               ":at, :key)",
};
static const brant__statements statements = {BRANT__TABLE_STREAM_PUBLISH, BRANT__COUNT(sql), sql};

brant_status brant__publisher_begin(brant__publisher *self, brant_db *db, brant__text stream) {
    *self = (brant__publisher){.db = db, .name = stream};
    const brant_status status = brant__stream_ensure(&self->stream, db, stream);
    if (status != BRANT_OK) return status;
    const int64_t now = brant__db_now(db);
    self->at = now > self->stream.newest_at ? now : self->stream.newest_at;
    return BRANT_OK;
}

brant_status brant__publisher_append(int64_t *out_offset, brant__publisher *self, brant__text key,
                                     brant__payload payload) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    const int64_t offset = self->stream.last + 1;
    if (out_offset) *out_offset = 0;
    if (offset > BRANT__STREAM_OFFSET)
        return brant__fail(BRANT_LIMIT, "the stream has had 2^%d events", BRANT__STREAM_BITS);
    if (self->first == 0) BRANT__TRY(brant__stream_note(self->db, self->stream.row_id, offset));
    BRANT__TRY(brant__statement_get(&statement, self->db, &statements, INSERT));
    brant__bind_integer(statement, 1, brant__stream_id(self->stream.row_id, offset));
    brant__payload_bind(statement, 2, payload);
    brant__bind_integer(statement, 3, self->at);
    brant__bind_text(statement, 4, key);
    BRANT__TRY(brant__run(self->db, statement));
    if (self->first == 0) self->first = offset;
    self->stream.last = offset;
    self->stream.newest_at = self->at;
    if (out_offset) *out_offset = offset;
cleanup:
    return status;
}

brant_status brant__publisher_end(brant__publisher *self) {
    brant__topic topic;
    brant_status status = BRANT_OK;
    if (self->first == 0) return BRANT_OK;
    const int64_t count = self->stream.last - self->first + 1;
    BRANT__TRY(brant__wake_touch(
        self->db, brant__topic_of(&topic, "stream", self->name, (brant__text){NULL, 0})));
    if (self->stream.groups) BRANT__TRY(brant__groups_wake(self->db, self->stream.row_id, count));
    status = brant__stream_retain_count(self->db, &self->stream, count);
cleanup:
    return status;
}

/* The change log of a graph tells what the graph did, and nothing else: "changes:" and a graph's id (graph/change.h). */
static brant_status refuse_log(brant__text name) {
    const size_t head = sizeof LOG - 1;
    if (name.length != head + LOG_ID || memcmp(name.data, LOG, head) != 0) return BRANT_OK;
    for (size_t i = 0; i < LOG_ID; i++) {
        const char c = name.data[head + i];
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return BRANT_OK;
    }
    return brant__fail(BRANT_CONFLICT, "/stream: \"%.*s\" is the change log of a graph",
                       (int)name.length, name.data);
}

brant_status brant__stream_publish(int64_t *out_offset, brant_db *db, brant__text stream,
                                   brant__text key, brant__text json) {
    brant__publisher publisher;
    brant_status status = refuse_log(stream);
    if (out_offset) *out_offset = 0;
    if (status == BRANT_OK) status = brant__publisher_begin(&publisher, db, stream);
    if (status == BRANT_OK)
        status =
            brant__publisher_append(out_offset, &publisher, key, (brant__payload){json, false});
    return status == BRANT_OK ? brant__publisher_end(&publisher) : status;
}

/* ---- operations -------------------------------------------------------------------------------------------------------------- */

/* One item: an object with payload? and key?. */
static brant_status append_item(int64_t *out_offset, brant__publisher *publisher,
                                brant__buffer *buffer, yyjson_val *item, const char *pointer) {
    brant__payload payload;
    const brant__text key = brant__json_get_text(item, "key");
    brant_status status = brant__payload_read(&payload, buffer, publisher->db, item, pointer);
    if (status != BRANT_OK) return status;
    if (key.data &&
        (key.length == 0 || key.length > BRANT__EVENT_NAME_SIZE || memchr(key.data, 0, key.length)))
        return brant__fail(BRANT_INVALID, "%s/key must be a text of 1 to %d bytes without NUL",
                           pointer, BRANT__EVENT_NAME_SIZE);
    return brant__publisher_append(out_offset, publisher, key, payload);
}

brant_status brant__streams_publish(brant__call *call) {
    brant_status status = BRANT_OK;
    brant__buffer buffer = {0};
    brant__publisher publisher;
    int64_t offset = 0;
    const brant__text name = brant__json_get_text(call->input, "stream");
    BRANT__TRY(refuse_log(name));
    BRANT__TRY(brant__publisher_begin(&publisher, call->db, name));
    BRANT__TRY(append_item(&offset, &publisher, &buffer, call->input, ""));
    BRANT__TRY(brant__publisher_end(&publisher));
    brant__write_integer_object(call->out, "offset", offset);
cleanup:
    brant__buffer_free(&buffer);
    return status;
}

brant_status brant__streams_publish_many(brant__call *call) {
    brant_status status = BRANT_OK;
    brant__buffer buffer = {0};
    brant__publisher publisher;
    char pointer[48];
    const brant__text name = brant__json_get_text(call->input, "stream");
    yyjson_val *items = brant__json_get(call->input, "items"), *item = NULL;
    size_t index = 0, count = yyjson_arr_size(items);
    BRANT__TRY(refuse_log(name));
    BRANT__TRY(brant__input_batch(call->db, items, "/items"));
    BRANT__TRY(brant__publisher_begin(&publisher, call->db, name));
    yyjson_arr_foreach(items, index, count, item) {
        if ((index & 4095) == 4095) BRANT__TRY(brant__db_poll(call->db));
        snprintf(pointer, sizeof pointer, "/items/%zu", index);
        BRANT__TRY(append_item(NULL, &publisher, &buffer, item, pointer));
    }
    BRANT__TRY(brant__publisher_end(&publisher));
    brant__write_object(call->out);
    brant__write_integer_member(call->out, "first", publisher.first);
    brant__write_integer_member(call->out, "last", publisher.stream.last);
    brant__write_end(call->out);
cleanup:
    brant__buffer_free(&buffer);
    return status;
}
