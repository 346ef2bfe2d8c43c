/*
 * event/stream_read.c: events out of a stream: by offset, by time, and as JSON.
 *
 * A row costs a step of its statement and one run of appends: the payload is copied as it is stored.
 */
#include "event/consumer.h"
#include "event/stream.h"

#define ANSWER_SIZE (16u << 20) /* bytes of items after which an answer ends */
#define LIMIT       1000

enum { SCAN, SCAN_REVERSE, AT, FROM, LATEST, ALL };
static const char *const sql[] = {
    [SCAN] = "SELECT id, payload, created_at, key FROM stream_events "
             "WHERE id > :after AND id <= :through ORDER BY id",
    [SCAN_REVERSE] = "SELECT id, payload, created_at, key FROM stream_events "
                     "WHERE id > :after AND id <= :through ORDER BY id DESC",
    [AT] = "SELECT id, payload, created_at, key FROM stream_events WHERE id = :id",
    [FROM] = "SELECT id, created_at FROM stream_events WHERE id >= :from AND id <= :through "
             "ORDER BY id LIMIT 1",
    [LATEST] = "SELECT id, payload, created_at, key FROM stream_events "
               "WHERE id >> 40 = :row AND key = :key ORDER BY id DESC LIMIT 1",
    [ALL] = "SELECT " BRANT__STREAM_COLUMNS ", name FROM streams ORDER BY name",
};
static const brant__statements statements = {BRANT__TABLE_STREAM_READ, BRANT__COUNT(sql), sql};

static brant_status get(brant__statement **out, brant_db *db, size_t index) {
    return brant__statement_get(out, db, &statements, index);
}

/* ---- rows -------------------------------------------------------------------------------------------------------------------- */

brant_status brant__stream_scan(brant__statement **out, brant_db *db, int64_t row_id, int64_t after,
                                int64_t through, bool reverse) {
    const brant_status status = get(out, db, reverse ? SCAN_REVERSE : SCAN);
    if (status != BRANT_OK) return status;
    brant__bind_integer(*out, 1, brant__stream_id(row_id, after));
    brant__bind_integer(*out, 2, brant__stream_id(row_id, through));
    return BRANT_OK;
}

static void read_event(brant__stream_event *out, brant__statement *row) {
    out->offset = brant__column_integer(row, 0) & BRANT__STREAM_OFFSET;
    out->payload = brant__payload_column(row, 1);
    out->created_at = brant__column_integer(row, 2);
    out->key = brant__column_text(row, 3);
}

brant_status brant__stream_next(bool *out_row, brant__stream_event *out, brant_db *db,
                                brant__statement *scan) {
    const brant_status status = brant__step(out_row, db, scan);
    if (*out_row) read_event(out, scan);
    return status;
}

brant_status brant__stream_at(bool *out_found, brant__stream_event *out, brant__statement **out_row,
                              brant_db *db, int64_t row_id, int64_t offset) {
    *out_found = false;
    const brant_status status = get(out_row, db, AT);
    if (status != BRANT_OK) return status;
    brant__bind_integer(*out_row, 1, brant__stream_id(row_id, offset));
    return brant__stream_next(out_found, out, db, *out_row);
}

/* The first event from `from` through `through`. */
static brant_status first_from(int64_t *out_offset, int64_t *out_at, brant_db *db, int64_t row_id,
                               int64_t from, int64_t through) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    bool row = false;
    *out_offset = 0;
    *out_at = 0;
    BRANT__TRY(get(&statement, db, FROM));
    brant__bind_integer(statement, 1, brant__stream_id(row_id, from));
    brant__bind_integer(statement, 2, brant__stream_id(row_id, through));
    BRANT__TRY(brant__step(&row, db, statement));
    if (row) {
        *out_offset = brant__column_integer(statement, 0) & BRANT__STREAM_OFFSET;
        *out_at = brant__column_integer(statement, 1);
    }
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__stream_first_behind(int64_t *out_offset, int64_t *out_at, brant_db *db,
                                        const brant__stream *stream, int64_t offset) {
    return first_from(out_offset, out_at, db, stream->row_id, offset + 1, stream->last);
}

brant_status brant__stream_oldest(int64_t *out_offset, int64_t *out_at, brant_db *db,
                                  const brant__stream *stream) {
    const brant_status status = first_from(out_offset, out_at, db, stream->row_id,
                                           stream->trimmed_through + 1, stream->last);
    if (*out_offset == 0) *out_offset = stream->last + 1;
    return status;
}

brant_status brant__stream_offset_at(int64_t *out_offset, brant_db *db, const brant__stream *stream,
                                     int64_t time) {
    /* What is up to `low` is older; what is from `high` on is not. */
    int64_t low = stream->trimmed_through, high = stream->last + 1;
    *out_offset = 0;
    while (low + 1 < high) {
        const int64_t middle = low + (high - low) / 2;
        int64_t found = 0, at = 0;
        const brant_status status = first_from(&found, &at, db, stream->row_id, middle, high - 1);
        if (status != BRANT_OK) return status;
        if (found > 0 && at < time)
            low = found;
        else
            high = middle;
    }
    *out_offset = high - 1;
    return BRANT_OK;
}

/* ---- JSON -------------------------------------------------------------------------------------------------------------------- */

#define NUMBER           20 /* digits of the greatest */
#define PUT(to, literal) (memcpy((to), (literal), sizeof(literal) - 1), (to) += sizeof(literal) - 1)

/* The digits of a number that is not negative. */
static char *put_number(char *to, int64_t value) {
    static const char pairs[] = "000102030405060708091011121314151617181920212223242526272829303132"
                                "33343536373839404142434445"
                                "464748495051525354555657585960616263646566676869707172737475767778"
                                "79808182838485868788899091"
                                "9293949596979899";
    char digits[NUMBER];
    char *at = digits + NUMBER;
    uint64_t left = (uint64_t)value;
    while (left >= 100) {
        at -= 2;
        memcpy(at, pairs + left % 100 * 2, 2);
        left /= 100;
    }
    if (left >= 10) {
        at -= 2;
        memcpy(at, pairs + left * 2, 2);
    } else {
        *--at = (char)('0' + left);
    }
    const size_t length = (size_t)(digits + NUMBER - at);
    memcpy(to, at, length);
    return to + length;
}

void brant__stream_write(brant__writer *writer, const brant__stream_event *event) {
    brant__buffer *buffer = &writer->buffer;
    brant__write_raw(writer, BRANT__TEXT("{\"offset\":"));
    if (!brant__buffer_reserve(buffer, 6 * event->key.length + event->payload.data.length + 128))
        return;
    char *to = put_number(buffer->data + buffer->length, event->offset);
    if (event->key.data) {
        PUT(to, ",\"key\":");
        buffer->length = (size_t)(to - buffer->data);
        brant__json_append_text(buffer, event->key);
        to = buffer->data + buffer->length;
    }
    if (BRANT__LIKELY(!event->payload.bytes && event->payload.data.data)) {
        PUT(to, ",\"payload\":");
        memcpy(to, event->payload.data.data, event->payload.data.length);
        to += event->payload.data.length;
    } else if (!event->payload.bytes) {
        PUT(to, ",\"payload\":null");
    } else {
        PUT(to, ",\"payload_base64\":\"");
        buffer->length = (size_t)(to - buffer->data);
        brant__base64_encode(buffer, event->payload.data.data, event->payload.data.length);
        brant__buffer_append_byte(buffer, '"');
        if (!brant__buffer_reserve(buffer, 64)) return;
        to = buffer->data + buffer->length;
    }
    PUT(to, ",\"created_at\":");
    to = put_number(to, event->created_at);
    buffer->length = (size_t)(to - buffer->data);
}

void brant__stream_write_gap(brant__writer *writer, int64_t from, int64_t to) {
    brant__write_object(writer);
    brant__write_integer_member(writer, "from", from);
    brant__write_integer_member(writer, "to", to);
    brant__write_end(writer);
}

/* ---- operations -------------------------------------------------------------------------------------------------------------- */

/* Items while there are any, up to the limit; *out_next: the offset of the last of them when there are more, else 0. */
static brant_status write_items(int64_t *out_next, brant__call *call, brant__stream_reader *reader,
                                int64_t limit) {
    brant_status status = BRANT_OK;
    brant__stream_event event;
    bool row = false;
    int64_t last = 0;
    const size_t start = call->out->buffer.length;
    *out_next = 0;
    for (int64_t count = 0;; count++) {
        if ((count & 4095) == 4095) BRANT__TRY(brant__db_poll(call->db));
        BRANT__TRY(brant__stream_reader_next(&row, &event, reader));
        if (!row) break;
        if (count == limit || call->out->buffer.length - start > ANSWER_SIZE) {
            *out_next = last;
            break;
        }
        last = event.offset;
        brant__stream_write(call->out, &event);
        brant__buffer_append_byte(&call->out->buffer, '}');
    }
cleanup:
    return status;
}

brant_status brant__streams_read(brant__call *call) {
    brant_status status = BRANT_OK;
    brant__stream stream;
    brant__stream_keys keys = {0};
    brant__stream_reader reader = {0};
    yyjson_val *since = brant__json_get(call->input, "since");
    const bool reverse = brant__json_bool(brant__json_get(call->input, "reverse"), false);
    const int64_t after = brant__json_integer(brant__json_get(call->input, "after"),
                                              reverse ? BRANT__STREAM_OFFSET : 0);
    const int64_t limit = brant__json_integer(brant__json_get(call->input, "limit"), LIMIT);
    int64_t low = 0, high = 0, next = 0, gap = 0;
    BRANT__TRY(brant__stream_get(&stream, call->db, brant__json_get_text(call->input, "stream")));
    BRANT__TRY(brant__stream_keys_read(&keys, brant__json_get(call->input, "keys")));
    high = stream.last;
    if (since)
        BRANT__TRY(brant__stream_offset_at(&low, call->db, &stream,
                                           brant__json_integer(since, INT64_MAX)));
    if (reverse) {
        if (after <= high) high = after - 1;
    } else {
        if (after > low) low = after;
        if (!since && low < stream.trimmed_through) gap = stream.trimmed_through;
    }
    brant__write_object(call->out);
    brant__write_name(call->out, "items");
    brant__write_array(call->out);
    if (low < high) {
        BRANT__TRY(
            brant__stream_reader_open(&reader, call->db, stream.row_id, low, high, reverse, &keys));
        BRANT__TRY(write_items(&next, call, &reader, limit));
    }
    brant__write_end(call->out);
    if (next > 0) brant__write_integer_member(call->out, "next", next);
    if (gap > 0) {
        brant__write_name(call->out, "gap");
        brant__stream_write_gap(call->out, low + 1, gap);
    }
    brant__write_end(call->out);
cleanup:
    brant__stream_reader_close(&reader);
    brant__stream_keys_free(&keys);
    return status;
}

brant_status brant__streams_latest(brant__call *call) {
    brant_status status = BRANT_OK;
    brant__stream stream;
    brant__statement *statement = NULL;
    brant__stream_event event;
    bool row = false;
    const brant__text key = brant__json_get_text(call->input, "key");
    BRANT__TRY(brant__stream_get(&stream, call->db, brant__json_get_text(call->input, "stream")));
    BRANT__TRY(get(&statement, call->db, LATEST));
    brant__bind_integer(statement, 1, stream.row_id);
    brant__bind_text(statement, 2, key);
    BRANT__TRY(brant__stream_next(&row, &event, call->db, statement));
    if (!row) {
        status = brant__fail(BRANT_NOT_FOUND, "the stream has no event of this key");
        goto cleanup;
    }
    brant__stream_write(call->out, &event);
    brant__buffer_append_byte(&call->out->buffer, '}');
cleanup:
    brant__reset(statement);
    return status;
}

/* ---- figures ----------------------------------------------------------------------------------------------------------------- */

#define RATE_SPAN 300000 /* ms */

static brant_status write_stats(brant__call *call, brant__text name, const brant__stream *stream) {
    brant_status status = BRANT_OK;
    brant__writer *out = call->out;
    int64_t first = 0, oldest_at = 0, before = 0;
    BRANT__TRY(brant__stream_oldest(&first, &oldest_at, call->db, stream));
    BRANT__TRY(
        brant__stream_offset_at(&before, call->db, stream, brant__db_now(call->db) - RATE_SPAN));
    brant__write_object(out);
    brant__write_text_member(out, "stream", name);
    brant__write_integer_member(out, "first", first);
    brant__write_integer_member(out, "last", stream->last);
    brant__write_integer_member(out, "count", brant__stream_count(stream));
    if (first <= stream->last) brant__write_integer_member(out, "oldest_at", oldest_at);
    if (stream->last > 0) brant__write_integer_member(out, "newest_at", stream->newest_at);
    brant__write_name(out, "rates");
    brant__write_object(out);
    brant__write_name(out, "published");
    brant__write_double(out, (double)(stream->last - before) / (RATE_SPAN / 1000.0));
    brant__write_end(out);
    BRANT__TRY(brant__consumers_write(out, call->db, stream));
    brant__write_end(out);
cleanup:
    return status;
}

brant_status brant__streams_stats(brant__call *call) {
    brant_status status = BRANT_OK;
    brant__stream stream;
    brant__statement *all = NULL;
    bool row = false;
    const brant__text name = brant__json_get_text(call->input, "stream");
    if (name.data) {
        BRANT__TRY(brant__stream_get(&stream, call->db, name));
        return write_stats(call, name, &stream);
    }
    brant__write_object(call->out);
    brant__write_name(call->out, "items");
    brant__write_array(call->out);
    BRANT__TRY(get(&all, call->db, ALL));
    for (;;) {
        BRANT__TRY(brant__step(&row, call->db, all));
        if (!row) break;
        brant__stream_read_row(&stream, all);
        BRANT__TRY(brant__stream_read_newest(&stream, call->db));
        BRANT__TRY(write_stats(call, brant__column_text(all, 14), &stream));
    }
    brant__write_end(call->out);
    brant__write_end(call->out);
cleanup:
    brant__reset(all);
    return status;
}
