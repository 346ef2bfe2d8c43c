/*
 * event/stream_keys.c: the events of some keys, in order.
 *
 * Few rows are read and filtered. Many are not: each key is a source of its own offsets, some at a time from the index, and a heap merges them, so that reading
 * a rare key costs what it yields, however long the stream is.
 */
#include "event/stream.h"

#define KEYS  1000
#define AHEAD 32 /* offsets that a source holds */
#define FEW   64 /* rows for each key: up to as many are filtered */

enum { UP, DOWN };
static const char *const sql[] = {
    [UP] = "SELECT id FROM stream_events WHERE id >> 40 = :row AND key = :key "
           "AND id > :after AND id <= :through ORDER BY id LIMIT :limit",
    [DOWN] = "SELECT id FROM stream_events WHERE id >> 40 = :row AND key = :key "
             "AND id > :after AND id <= :through ORDER BY id DESC LIMIT :limit",
};
static const brant__statements statements = {BRANT__TABLE_STREAM_KEYS, BRANT__COUNT(sql), sql};

typedef struct brant__key_source {
    brant__text key;
    int64_t offsets[AHEAD];
    size_t at, count;
} source;

/* ---- the keys ------------------------------------------------------------------------------------------------------------------ */

brant_status brant__stream_keys_read(brant__stream_keys *out, yyjson_val *array) {
    const size_t count = yyjson_arr_size(array);
    if (!array) return BRANT_OK;
    if (!yyjson_is_arr(array) || count == 0 || count > KEYS)
        return brant__fail(BRANT_INVALID, "/keys must be an array of 1 to %d keys", KEYS);
    out->keys = brant__arena_alloc(&out->arena, count * sizeof *out->keys);
    if (!out->keys) return brant__fail_memory();
    for (size_t i = 0; i < count; i++) {
        const brant__text key = brant__json_text(yyjson_arr_get(array, i));
        int64_t known = 0;
        if (!key.data) return brant__fail(BRANT_INVALID, "/keys/%zu is not a text", i);
        if (brant__map_get(&out->set, key, &known)) continue;
        const char *copy = brant__arena_copy(&out->arena, key.data, key.length);
        if (!copy || !brant__map_put(&out->set, key, 1)) return brant__fail_memory();
        out->keys[out->count++] = brant__text_of(copy, key.length);
    }
    return BRANT_OK;
}

void brant__stream_keys_free(brant__stream_keys *self) {
    brant__map_free(&self->set);
    brant__arena_free(&self->arena);
    *self = (brant__stream_keys){0};
}

/* ---- the merge ------------------------------------------------------------------------------------------------------------------- */

/* The source's next offsets, behind what it yielded. */
static brant_status fill(brant__stream_reader *self, source *from) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    bool row = false;
    int64_t after = self->after, through = self->through;
    if (from->count > 0) {
        const int64_t last = from->offsets[from->count - 1];
        if (self->reverse)
            through = last - 1;
        else
            after = last;
    }
    from->at = from->count = 0;
    BRANT__TRY(brant__statement_get(&statement, self->db, &statements, self->reverse ? DOWN : UP));
    brant__bind_integer(statement, 1, self->row_id);
    brant__bind_text(statement, 2, from->key);
    brant__bind_integer(statement, 3, brant__stream_id(self->row_id, after));
    brant__bind_integer(statement, 4, brant__stream_id(self->row_id, through));
    brant__bind_integer(statement, 5, AHEAD);
    for (;;) {
        BRANT__TRY(brant__step(&row, self->db, statement));
        if (!row) break;
        from->offsets[from->count++] = brant__column_integer(statement, 0) & BRANT__STREAM_OFFSET;
    }
cleanup:
    brant__reset(statement);
    return status;
}

static bool before(const brant__stream_reader *self, const source *a, const source *b) {
    const int64_t x = a->offsets[a->at], y = b->offsets[b->at];
    return self->reverse ? x > y : x < y;
}

/* Let the source at `at` sink to its place. */
static void sink(brant__stream_reader *self, size_t at) {
    source *heap = self->sources;
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < self->live; child++)
            if (before(self, &heap[child], &heap[least])) least = child;
        if (least == at) return;
        const source moved = heap[at];
        heap[at] = heap[least];
        heap[least] = moved;
        at = least;
    }
}

static brant_status begin_merge(brant__stream_reader *self) {
    self->sources = brant__alloc(self->keys->count * sizeof *self->sources);
    if (!self->sources) return brant__fail_memory();
    for (size_t i = 0; i < self->keys->count; i++) {
        source *added = &self->sources[self->live];
        added->key = self->keys->keys[i];
        added->at = added->count = 0;
        const brant_status status = fill(self, added);
        if (status != BRANT_OK) return status;
        if (added->count > 0) self->live++;
    }
    for (size_t i = self->live / 2; i-- > 0;)
        sink(self, i);
    return BRANT_OK;
}

static brant_status merged(int64_t *out_offset, brant__stream_reader *self) {
    source *first = &self->sources[0];
    *out_offset = first->offsets[first->at++];
    if (first->at == first->count) {
        const bool last = first->count < AHEAD;
        const brant_status status = last ? BRANT_OK : fill(self, first);
        if (status != BRANT_OK) return status;
        if (last || first->count == 0) *first = self->sources[--self->live];
    }
    sink(self, 0);
    return BRANT_OK;
}

/* ---- the reader ------------------------------------------------------------------------------------------------------------------ */

brant_status brant__stream_reader_open(brant__stream_reader *out, brant_db *db, int64_t row_id,
                                       int64_t after, int64_t through, bool reverse,
                                       const brant__stream_keys *keys) {
    *out = (brant__stream_reader){.db = db,
                                  .keys = keys,
                                  .row_id = row_id,
                                  .after = after,
                                  .through = through,
                                  .reverse = reverse};
    if (keys->count > 0 && through - after > FEW * (int64_t)keys->count) return begin_merge(out);
    return brant__stream_scan(&out->scan, db, row_id, after, through, reverse);
}

brant_status brant__stream_reader_next(bool *out_row, brant__stream_event *out,
                                       brant__stream_reader *self) {
    brant_status status = BRANT_OK;
    int64_t offset = 0, known = 0;
    *out_row = false;
    if (BRANT__LIKELY(self->scan != NULL)) {
        do {
            BRANT__TRY(brant__stream_next(out_row, out, self->db, self->scan));
        } while (*out_row && self->keys->count > 0 &&
                 !(out->key.data && brant__map_get(&self->keys->set, out->key, &known)));
        return BRANT_OK;
    }
    brant__reset(self->row);
    self->row = NULL;
    if (self->live == 0) return BRANT_OK;
    BRANT__TRY(merged(&offset, self));
    status = brant__stream_at(out_row, out, &self->row, self->db, self->row_id, offset);
cleanup:
    return status;
}

void brant__stream_reader_close(brant__stream_reader *self) {
    brant__reset(self->scan);
    brant__reset(self->row);
    brant__free(self->sources);
    *self = (brant__stream_reader){0};
}
