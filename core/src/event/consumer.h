/*
 * event/consumer.h: who reads a stream and remembers where: consumers and groups.
 */
#ifndef BRANT__EVENT_CONSUMER_H
#define BRANT__EVENT_CONSUMER_H

#include "event/stream.h"

/* ---- all of a stream (consumer.c) ------------------------------------------------------------------------------------------- */

brant_status brant__consumers_count(int64_t *out_count, brant_db *db, int64_t stream);
/* What is up to this offset was processed by all; INT64_MAX: there is none. */
brant_status brant__consumers_processed(int64_t *out_offset, brant_db *db, int64_t stream);
/* In a write transaction: delete all, with what groups have pending. */
brant_status brant__consumers_drop(brant_db *db, int64_t stream);
/* "consumers": [..] of streams.stats, in a running object. */
brant_status brant__consumers_write(brant__writer *out, brant_db *db, const brant__stream *stream);

/* ---- one (consumer.c) ---------------------------------------------------------------------------------------------------------- */

enum { BRANT__CONSUMER, BRANT__GROUP };

typedef struct brant__consumer {
    int64_t row_id;
    int kind;
    int64_t offset; /* what is up to it was processed */
    int64_t next;   /* of a group: the first that was handed to no member */
    int64_t token;  /* of a group: the last */
    int64_t updated_at;
} brant__consumer;

/* Not there: *out_found false. */
brant_status brant__consumer_find(bool *out_found, brant__consumer *out, brant_db *db,
                                  int64_t stream, brant__text name);
/* NOT_FOUND when there is none; CONFLICT when it is of the other kind. `pointer` is that of the name: "/group". */
brant_status brant__consumer_get(brant__consumer *out, brant_db *db, const brant__stream *stream,
                                 brant__text name, int kind, const char *pointer);
/* In a write transaction: made behind `offset` when it is not there; CONFLICT as above. */
brant_status brant__consumer_ensure(brant__consumer *out, brant_db *db, brant__stream *stream,
                                    brant__text name, int kind, int64_t offset,
                                    const char *pointer);
/* Where to begin: "start", "end", an offset to go on after, {"time": ms}; NULL: `otherwise`, which is "start" or "end". */
brant_status brant__stream_position(int64_t *out_offset, brant_db *db, const brant__stream *stream,
                                    yyjson_val *from, const char *otherwise, const char *pointer);

/* ---- groups (group.c) ------------------------------------------------------------------------------------------------------------ */

/* In a write transaction: `count` events are there for each group of the stream. */
brant_status brant__groups_wake(brant_db *db, int64_t stream, int64_t count);
brant_status brant__group_wake(brant_db *db, int64_t group, int64_t count);
/* How many are handed out and not acknowledged. */
brant_status brant__group_pending(int64_t *out_count, brant_db *db, int64_t group);
/* In a write transaction: nothing is pending any more, and the group goes on behind `offset`. */
brant_status brant__group_seek(brant_db *db, int64_t group, int64_t offset);
/* In a write transaction: its pending goes, and its tokens are never given again. */
brant_status brant__group_end(brant_db *db, int64_t group, int64_t token);
/* The greatest token of the groups that are gone. */
brant_status brant__group_token_floor(int64_t *out_token, brant_db *db);

/* ---- operations ------------------------------------------------------------------------------------------------------------------ */

brant_status brant__consumers_ack(brant__call *call);
brant_status brant__consumers_claim(brant__call *call);
brant_status brant__consumers_commit(brant__call *call);
brant_status brant__consumers_delete(brant__call *call);
brant_status brant__consumers_extend(brant__call *call);
brant_status brant__consumers_get(brant__call *call);
brant_status brant__consumers_list(brant__call *call);
brant_status brant__consumers_release(brant__call *call);
brant_status brant__consumers_seek(brant__call *call);
brant_status brant__consumers_watch(brant_cursor **out_cursor, brant__call *call);

#endif
