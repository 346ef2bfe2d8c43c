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

/* Of a row of streams, read with BRANT__STREAM_COLUMNS from column 0; without what only the newest event knows. */
#define BRANT__STREAM_COLUMNS                                                                      \
    "row_id, head, newest_at, trimmed_through, holes, compacted_through, max_age, max_count, "     \
    "keep_unread, compact, compact_after, groups, created_at, updated_at"
void brant__stream_read_row(brant__stream *out, brant__statement *statement);
/* Add that. */
brant_status brant__stream_read_newest(brant__stream *stream, brant_db *db);

/* Where this handle's maintenance goes on. */
typedef struct brant__stream_place {
    int64_t stream;
    int64_t orphan;
} brant__stream_place;
brant_status brant__stream_places(brant__stream_place **out, brant_db *db);

/* Delete a stream with its events, consumers and groups; quiet where there is none. In a write transaction (stream_configure.c). */
brant_status brant__stream_drop(brant_db *db, brant__text stream);

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
/* Wakes who waits for the stream, and removes what it does not keep. */
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
/* The first event behind an offset, and when; 0: there is none. */
brant_status brant__stream_first_behind(int64_t *out_offset, int64_t *out_at, brant_db *db,
                                        const brant__stream *stream, int64_t offset);
/* The oldest event that is there: its offset, or last + 1, and when. */
brant_status brant__stream_oldest(int64_t *out_offset, int64_t *out_at, brant_db *db,
                                  const brant__stream *stream);

/* Keys that are asked for; zero-initialise, brant__stream_keys_free. None: all events. (stream_keys.c) */
typedef struct brant__stream_keys {
    brant__text *keys; /* owned, each once */
    size_t count;
    brant__arena arena;
    brant__map set;
} brant__stream_keys;
/* From an array of texts; NULL: all events. INVALID: no key. */
brant_status brant__stream_keys_read(brant__stream_keys *out, yyjson_val *array);
void brant__stream_keys_free(brant__stream_keys *self);

/*
 * As a scan, of the events with these keys: rows are filtered where there are few, else each key's own are found by index and merged. Close it, whatever
 * open or next said. (stream_keys.c)
 */
typedef struct brant__stream_reader {
    brant_db *db;
    const brant__stream_keys *keys;
    int64_t row_id, after, through;
    bool reverse;
    brant__statement *scan;            /* of the rows; NULL: merged */
    brant__statement *row;             /* of the event that was read last */
    struct brant__key_source *sources; /* a heap: the next event's first */
    size_t live;                       /* of them */
} brant__stream_reader;
brant_status brant__stream_reader_open(brant__stream_reader *out, brant_db *db, int64_t row_id,
                                       int64_t after, int64_t through, bool reverse,
                                       const brant__stream_keys *keys);
brant_status brant__stream_reader_next(bool *out_row, brant__stream_event *out,
                                       brant__stream_reader *self);
void brant__stream_reader_close(brant__stream_reader *self);

/* An event as JSON without its closing brace, fast. */
void brant__stream_write(brant__writer *writer, const brant__stream_event *event);
/* {"from": n, "to": n} */
void brant__stream_write_gap(brant__writer *writer, int64_t from, int64_t to);

/* ---- removing (stream_trim.c) --------------------------------------------------------------------------------------------- */

/* In a write transaction: remove the events up to an offset, at most `limit` of them, and note it. */
brant_status brant__stream_trim(int64_t *out_removed, brant_db *db, brant__stream *stream,
                                int64_t through, int64_t limit);
/* What the policy lets go of, at most `limit` events. */
brant_status brant__stream_retain(int64_t *out_removed, brant_db *db, brant__stream *stream,
                                  int64_t limit);
/* After `published` events: keep the count near max_count, a little work each time. */
brant_status brant__stream_retain_count(brant_db *db, brant__stream *stream, int64_t published);
/* Events of a stream that has no row any more. */
brant_status brant__stream_remove_events(int64_t *out_removed, brant_db *db, int64_t row_id,
                                         int64_t limit);

/*
 * Part of db.maintain, outside a transaction: retention, compaction, and the events of deleted streams, in bounded transactions, at most 50 000 events a call; the next call
 * of the handle goes on where this one ended.
 */
typedef struct brant__streams_done {
    int64_t trimmed;
    int64_t compacted;
} brant__streams_done;
brant_status brant__streams_maintain(brant__streams_done *out, brant_db *db);

/* ---- operations ------------------------------------------------------------------------------------------------------------ */

brant_status brant__streams_compact(brant__call *call);
brant_status brant__streams_configure(brant__call *call);
brant_status brant__streams_delete(brant__call *call);
brant_status brant__streams_get(brant__call *call);
brant_status brant__streams_latest(brant__call *call);
brant_status brant__streams_list(brant__call *call);
brant_status brant__streams_publish(brant__call *call);
brant_status brant__streams_publish_many(brant__call *call);
brant_status brant__streams_read(brant__call *call);
brant_status brant__streams_stats(brant__call *call);
brant_status brant__streams_subscribe(brant_cursor **out_cursor, brant__call *call);
brant_status brant__streams_trim(brant__call *call);

#endif
