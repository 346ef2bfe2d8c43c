/*
 * event/stream.h: streams, as the files of this module and the modules above use them.
 *
 * An event's id is its stream's row id * 2^40 + its offset: a stream is a range of one tree, a publish appends to it, and nothing else has to be written:
 * the last offset is that of the newest event (or `head`, when the newest were removed).
 */
#ifndef BRANT__EVENT_STREAM_H
#define BRANT__EVENT_STREAM_H

#include "brant/stream.h"
#include "event/event.h"
#include "event/input.h"
#include "store/store.h"

#define BRANT__STREAM_BITS   40
#define BRANT__STREAM_OFFSET ((INT64_C(1) << BRANT__STREAM_BITS) - 1) /* the greatest */

static inline int64_t brant__stream_id(int64_t row_id, int64_t offset) {
    return row_id * (INT64_C(1) << BRANT__STREAM_BITS) + offset;
}

/* ---- the row (stream.c) --------------------------------------------------------------------------------------------------- */

typedef struct brant__stream {
    int64_t row_id;
    int64_t last;      /* the newest offset that was given; 0: none */
    int64_t newest_at; /* when */
    int64_t trimmed_through;
    int64_t holes;
    int64_t compacted_through;
    int64_t max_age;   /* -1: none */
    int64_t max_count; /* -1: none */
    bool keep_unread;
    bool compact;
    int64_t compact_after;
    bool groups;
    int64_t created_at;
    int64_t updated_at;
} brant__stream;

/* How many events there are. */
static inline int64_t brant__stream_count(const brant__stream *stream) {
    return stream->last - stream->trimmed_through - stream->holes;
}

/* In any transaction. Not there: *out_found false. INVALID: no name of a stream. */
brant_status brant__stream_find(bool *out_found, brant__stream *out, brant_db *db,
                                brant__text name);
/* NOT_FOUND when it is not there. */
brant_status brant__stream_get(brant__stream *out, brant_db *db, brant__text name);
/* In a write transaction: made with defaults when it is not there. */
brant_status brant__stream_ensure(brant__stream *out, brant_db *db, brant__text name);
/* In a write transaction, before the newest events are removed: the offsets after it go on behind `last`. */
brant_status brant__stream_hold_head(brant_db *db, const brant__stream *stream);

/*
 * What the handle's own open transaction wrote, for its cursors: offsets from there on are not committed; INT64_MAX: all are. 0: events were removed, or a stream: nothing
 * can be told until the transaction ends.
 */
int64_t brant__stream_uncommitted_from(brant_db *db, int64_t row_id);
/* In a write transaction: events from this offset on are written. */
brant_status brant__stream_note(brant_db *db, int64_t row_id, int64_t from);
/* In a write transaction: something else than a publish changes streams. */
brant_status brant__stream_changes(brant_db *db);

/*
 * In a write transaction: the stream goes with its consumers and groups (stream_drop.c). Its events are left to maintenance. Quiet where there is none.
 */
brant_status brant__stream_drop(brant_db *db, brant__text name);

/* ---- publishing (stream_publish.c) ----------------------------------------------------------------------------------------- */

/* One event: the stream is made when it is not there. In a write transaction. `key` may be {NULL, 0}; `json` is compact, or {NULL, 0}: null. */
brant_status brant__stream_publish(int64_t *out_offset, brant_db *db, brant__text stream,
                                   brant__text key, brant__text json);

/*
 * Many: begin, append.., end, within one write transaction; other writes may come between, but none that publishes to, trims or deletes this stream. The name is borrowed until the end.
 * Zero-initialise; nothing is to be freed.
 */
typedef struct brant__publisher {
    brant_db *db;
    brant__text name;
    brant__stream stream;
    int64_t at;    /* created_at of its events */
    int64_t first; /* offset of its first; 0: none */
} brant__publisher;
brant_status brant__publisher_begin(brant__publisher *self, brant_db *db, brant__text stream);
brant_status brant__publisher_append(int64_t *out_offset, brant__publisher *self, brant__text key,
                                     brant__payload payload);
/* Wakes who waits for the stream. */
brant_status brant__publisher_end(brant__publisher *self);

/* ---- reading (stream_read.c) ----------------------------------------------------------------------------------------------- */

typedef struct brant__stream_event {
    int64_t offset;
    int64_t created_at;
    brant__text key; /* {NULL, 0}: none */
    brant__payload payload;
} brant__stream_event; /* texts are borrowed from the row: until the next step */

/*
 * The events with after < offset <= through, in order; downwards when `reverse`. The statement is the handle's only one of its direction: reset it before another scan begins (a call of an operation
 * on streams may begin one). brant__stream_next reads a row: *out_row false: no more.
 */
brant_status brant__stream_scan(brant__statement **out, brant_db *db, int64_t row_id, int64_t after,
                                int64_t through, bool reverse);
brant_status brant__stream_next(bool *out_row, brant__stream_event *out, brant_db *db,
                                brant__statement *scan);
/* One event; *out_found false: it was removed. The statement is to be reset, also then. */
brant_status brant__stream_at(bool *out_found, brant__stream_event *out, brant__statement **out_row,
                              brant_db *db, int64_t row_id, int64_t offset);
/* The offset after which the events of `time` and later stand. */
brant_status brant__stream_offset_at(int64_t *out_offset, brant_db *db, const brant__stream *stream,
                                     int64_t time);
/* The oldest event that is there: its offset, or last + 1, and when. */
brant_status brant__stream_oldest(int64_t *out_offset, int64_t *out_at, brant_db *db,
                                  const brant__stream *stream);

/* An event as JSON without its closing brace, fast. */
void brant__stream_write(brant__writer *writer, const brant__stream_event *event);
/* {"from": n, "to": n} */
void brant__stream_write_gap(brant__writer *writer, int64_t from, int64_t to);

/* ---- operations ------------------------------------------------------------------------------------------------------------ */

brant_status brant__streams_publish(brant__call *call);
brant_status brant__streams_publish_many(brant__call *call);
brant_status brant__streams_read(brant__call *call);

#endif
