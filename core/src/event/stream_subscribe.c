/*
 * event/stream_subscribe.c: a cursor over a stream: what is there behind its position, then what comes.
 *
 * The registration and the first position are of one write transaction: what is published later is told. A look reads the events behind `position` in one
 * scan, as many as the batch allows, and moves it only when all has been written.
 *
 * Gaps. Where the position is before trimmed_through, events were trimmed that it had not read: that is told first. The offsets mean something else when the file was restored
 * (the history's name in row 0 of brant_wake has changed, or the newest offset is before the position) or the stream was deleted and made again (another row): then
 * a gap from 0 says so, and the cursor goes on behind what its consumer has saved there, so that effects saved with offsets stay once; without a consumer, behind the newest
 * after a restore, from the beginning of a new stream.
 */
#include "event/consumer.h"
#include "event/stream.h"
#include "event/wake.h"

#define BATCH      256
#define FETCH_SIZE (8u << 20) /* bytes of items after which a look ends */
#define EPOCH_SIZE 32

enum { EPOCH };
static const char *const sql[] = {
    [EPOCH] = "SELECT socket FROM brant_wake WHERE row_id = 0",
};
static const brant__statements statements = {BRANT__TABLE_STREAM_SUBSCRIBE, BRANT__COUNT(sql), sql};

typedef struct subscription {
    brant__arena arena;   /* the names */
    brant__text name;     /* of the stream */
    brant__text consumer; /* {NULL, 0}: none */
    brant__stream_keys keys;
    int64_t batch;
    int64_t registration;
    int64_t row_id; /* of the stream; 0: it is not there yet */
    int64_t position;
    char epoch[EPOCH_SIZE]; /* the history that the position belongs to */
    size_t epoch_length;    /* 0: nobody had given it a name */
} subscription;

static brant_status read_epoch(char epoch[EPOCH_SIZE], size_t *out_length, brant_db *db) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    bool row = false;
    *out_length = 0;
    BRANT__TRY(brant__statement_get(&statement, db, &statements, EPOCH));
    BRANT__TRY(brant__step(&row, db, statement));
    if (row) {
        const brant__text name = brant__column_text(statement, 0);
        if (name.length == EPOCH_SIZE) {
            memcpy(epoch, name.data, EPOCH_SIZE);
            *out_length = EPOCH_SIZE;
        }
    }
cleanup:
    brant__reset(statement);
    return status;
}

/* ---- fetching ----------------------------------------------------------------------------------------------------------------- */

static void write_gap(brant__writer *writer, int64_t from, int64_t to) {
    brant__write_object(writer);
    brant__write_name(writer, "gap");
    brant__stream_write_gap(writer, from, to);
    brant__write_end(writer);
}

/* Where to go on when offsets mean something else than before. */
static brant_status begin_anew(int64_t *out_position, brant_db *db, const subscription *self,
                               const brant__stream *stream, int64_t through) {
    brant_status status = BRANT_OK;
    brant__consumer consumer;
    bool found = false;
    const bool same = stream->row_id == self->row_id;
    *out_position = same && !self->consumer.data ? through : stream->trimmed_through;
    if (self->consumer.data)
        BRANT__TRY(brant__consumer_find(&found, &consumer, db, stream->row_id, self->consumer));
    if (found) *out_position = consumer.offset;
cleanup:
    return status;
}

static brant_status fetch_events(brant__fetch *found, int64_t *position, brant_db *db,
                                 subscription *self, brant__writer *writer, int64_t through) {
    brant_status status = BRANT_OK;
    brant__stream_reader reader;
    brant__stream_event event;
    bool row = false;
    const size_t start = writer->buffer.length;
    BRANT__TRY(brant__stream_reader_open(&reader, db, self->row_id, *position, through, false,
                                         &self->keys));
    for (;;) {
        BRANT__TRY(brant__stream_reader_next(&row, &event, &reader));
        if (!row) {
            *position = through;
            break;
        }
        if (found->count >= (size_t)self->batch || writer->buffer.length - start > FETCH_SIZE) {
            found->more = true;
            break;
        }
        brant__stream_write(writer, &event);
        brant__buffer_append_byte(&writer->buffer, '}');
        found->count++;
        *position = event.offset;
    }
cleanup:
    brant__stream_reader_close(&reader);
    return status;
}

static brant_status subscribe_fetch(brant__fetch *found, brant_db *db, void *state,
                                    brant__writer *writer) {
    subscription *self = state;
    brant_status status = BRANT_OK;
    brant__stream stream;
    bool exists = false;
    char epoch[EPOCH_SIZE];
    size_t epoch_length = 0;
    const int64_t row_id = self->row_id;
    int64_t position = self->position;
    BRANT__TRY(brant__stream_find(&exists, &stream, db, self->name));
    const int64_t open = exists ? brant__stream_uncommitted_from(db, stream.row_id) : INT64_MAX;
    if (open == 0) { /* what was removed may come back */
        brant__wake_defer(db);
        return BRANT_OK;
    }
    if (!exists) return BRANT_OK;
    BRANT__TRY(read_epoch(epoch, &epoch_length, db));
    const int64_t through = stream.last < open ? stream.last : open - 1;
    const bool renamed = self->epoch_length > 0 &&
                         (epoch_length == 0 || memcmp(epoch, self->epoch, EPOCH_SIZE) != 0);
    if (self->row_id ==
        0) { /* the first time that it is there: what the handle's own transaction made may not stay */
        if (through == 0) return BRANT_OK;
        self->row_id = stream.row_id;
    }
    if (stream.row_id != self->row_id || renamed || through < position) {
        BRANT__TRY(begin_anew(&position, db, self, &stream, through));
        write_gap(writer, 0, position);
        found->count++;
        self->row_id = stream.row_id;
    }
    if (position < stream.trimmed_through && stream.trimmed_through <= through) {
        write_gap(writer, position + 1, stream.trimmed_through);
        found->count++;
        position = stream.trimmed_through;
    }
    if (position < through) BRANT__TRY(fetch_events(found, &position, db, self, writer, through));
    /* Room for the end of the answer, too: what is counted as delivered is delivered. */
    if (!brant__buffer_reserve(&writer->buffer, 16)) {
        status = brant__fail_memory();
        goto cleanup;
    }
    self->position = position;
    self->epoch_length = epoch_length;
    memcpy(self->epoch, epoch, epoch_length);
    return BRANT_OK;
cleanup:
    self->row_id = row_id; /* as the position */
    return status;
}

static void subscribe_destroy(brant_db *db, void *state) {
    subscription *self = state;
    if (!self) return;
    brant__wake_unregister(db, self->registration);
    brant__stream_keys_free(&self->keys);
    brant__arena_free(&self->arena);
    brant__free(self);
}

static const brant__cursor_kind subscribe_kind = {subscribe_fetch, subscribe_destroy,
                                                  BRANT__FETCH_READ, false};

/* ---- opening ------------------------------------------------------------------------------------------------------------------ */

static brant_status keep(brant__text *out, subscription *self, brant__text text,
                         const char *pointer) {
    const brant_status status = brant__input_name(text, pointer);
    if (status != BRANT_OK) return status;
    const char *copy = brant__arena_copy(&self->arena, text.data, text.length);
    if (!copy) return brant__fail_memory();
    *out = brant__text_of(copy, text.length);
    return BRANT_OK;
}

/* Of a consumer: behind what it saved; one that is new is made, so that retention and lag know of it. */
static brant_status begin_consumer(brant_db *db, subscription *self, yyjson_val *from,
                                   bool read_only) {
    brant_status status = BRANT_OK;
    brant__stream stream;
    brant__consumer consumer;
    bool exists = false, found = false;
    int64_t offset = 0;
    if (read_only) {
        BRANT__TRY(brant__stream_find(&exists, &stream, db, self->name));
        if (!exists) return BRANT_OK;
    } else {
        BRANT__TRY(brant__stream_ensure(&stream, db, self->name));
    }
    BRANT__TRY(brant__consumer_find(&found, &consumer, db, stream.row_id, self->consumer));
    if (!found) BRANT__TRY(brant__stream_position(&offset, db, &stream, from, "start", "/from"));
    if (found && consumer.kind == BRANT__GROUP)
        return brant__fail(BRANT_CONFLICT, "/consumer: \"%.*s\" is a group",
                           (int)self->consumer.length, self->consumer.data);
    if (!found && !read_only)
        BRANT__TRY(brant__consumer_ensure(&consumer, db, &stream, self->consumer, BRANT__CONSUMER,
                                          offset, "/consumer"));
    self->row_id = stream.row_id;
    self->position = found ? consumer.offset : offset;
cleanup:
    return status;
}

static brant_status begin_plain(brant_db *db, subscription *self, yyjson_val *from) {
    brant_status status = BRANT_OK;
    brant__stream stream;
    bool exists = false;
    BRANT__TRY(brant__stream_find(&exists, &stream, db, self->name));
    BRANT__TRY(brant__stream_position(&self->position, db, &stream, from, "end", "/from"));
    if (exists) self->row_id = stream.row_id;
cleanup:
    return status;
}

brant_status brant__streams_subscribe(brant_cursor **out_cursor, brant__call *call) {
    brant_status status = BRANT_OK;
    subscription *self = NULL;
    bool begun = false;
    brant__topic topic;
    brant_db *db = call->db;
    yyjson_val *from = brant__json_get(call->input, "from");
    const brant__text consumer = brant__json_get_text(call->input, "consumer");
    const bool read_only = brant__db_read_only(db);
    if (brant__depth(db) > 0)
        return brant__fail(BRANT_MISUSE, "a subscription cannot begin inside a transaction: what "
                                         "is committed after could not be told");
    if (!(self = brant__alloc_zero(sizeof *self))) return brant__fail_memory();
    BRANT__TRY(keep(&self->name, self, brant__json_get_text(call->input, "stream"), "/stream"));
    if (consumer.data) BRANT__TRY(keep(&self->consumer, self, consumer, "/consumer"));
    BRANT__TRY(brant__stream_keys_read(&self->keys, brant__json_get(call->input, "keys")));
    self->batch = brant__json_integer(brant__json_get(call->input, "batch"), BATCH);
    BRANT__TRY(brant__wake_attach(db));
    BRANT__TRY(brant__begin(db, read_only ? BRANT__READ : BRANT__WRITE));
    begun = true;
    const brant__text text = brant__topic_of(&topic, "stream", self->name, (brant__text){NULL, 0});
    BRANT__TRY(brant__wake_register(&self->registration, db, &text, 1));
    BRANT__TRY(consumer.data ? begin_consumer(db, self, from, read_only)
                             : begin_plain(db, self, from));
    BRANT__TRY(read_epoch(self->epoch, &self->epoch_length, db));
    BRANT__TRY(brant__commit(db));
    begun = false;
    subscription *given = self;
    self = NULL; /* the cursor's now, also when it fails */
    status = brant__cursor_new(out_cursor, db, &subscribe_kind, given);
cleanup:
    if (begun) brant__rollback(db);
    subscribe_destroy(db, self);
    return status;
}
