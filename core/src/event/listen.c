/*
 * event/listen.c: a cursor over the notifications of some channels.
 *
 * Its position `last` is the id through which everything was looked at, whether it matched or not. The registration and the first position
 * are of one write transaction: what commits later has a greater id and sees the registration.
 *
 * Gaps. A channel's row says through which id retention removed notifications; where that is beyond `last` some may have been missed. They are told before
 * whatever of the channel remains, and remembered in `told`, since `last` may need several fetches to get past them. When the file was restored,
 * ids begin to mean something else: the history's name in row 0 of brant_wake has changed, or the newest id is less than `last`. Then
 * everything through the newest may have been missed.
 */
#include "event/event.h"
#include "event/statements.h"
#include "event/wake.h"

#define PATTERN_SIZE 1024
#define PATTERNS     1000
#define SCAN         10000      /* rows looked at in one fetch */
#define FETCH_SIZE   (4u << 20) /* bytes of items after which a fetch ends */
#define EPOCH_SIZE   32

typedef struct listener {
    brant__arena arena; /* the patterns */
    brant__text *patterns;
    size_t count;
    bool exact; /* one channel, by name */
    int64_t registration;
    int64_t last;
    char epoch[EPOCH_SIZE]; /* the history that `last` belongs to */
    size_t epoch_length;    /* 0: nobody had given it a name */
    brant__map told;        /* channel ('': all) -> through which id its gap was told */
    int64_t told_through;
} listener;

static brant_status get(brant__statement **out, brant_db *db, size_t index) {
    return brant__statement_get(out, db, &brant__event_statements, index);
}

/* The newest id ever given, and the name of the history. */
static brant_status read_head(int64_t *out_newest, char epoch[EPOCH_SIZE], size_t *out_epoch_length,
                              brant_db *db) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    bool row = false;
    *out_newest = 0;
    *out_epoch_length = 0;
    BRANT__TRY(get(&statement, db, BRANT__EVENT_HEAD));
    BRANT__TRY(brant__step(&row, db, statement));
    if (row) {
        const brant__text name = brant__column_text(statement, 1);
        *out_newest = brant__column_integer(statement, 0);
        if (name.length == EPOCH_SIZE) {
            memcpy(epoch, name.data, EPOCH_SIZE);
            *out_epoch_length = EPOCH_SIZE;
        }
    }
cleanup:
    brant__reset(statement);
    return status;
}

/* ---- items ------------------------------------------------------------------------------------------------------------------ */

static bool matches(const listener *self, brant__text channel) {
    for (size_t i = 0; i < self->count; i++)
        if (brant__glob_match(self->patterns[i], channel)) return true;
    return false;
}

static void write_gap(brant__writer *out, brant__text channel, int64_t from, int64_t to) {
    brant__write_object(out);
    brant__write_text_member(out, "channel", channel);
    brant__write_name(out, "gap");
    brant__write_object(out);
    brant__write_integer_member(out, "from", from);
    brant__write_integer_member(out, "to", to);
    brant__write_end(out);
    brant__write_end(out);
}

/* A gap of which the channels are not known: one for each pattern, or one for all when they are too many. */
static void write_gaps(size_t *count, const listener *self, brant__writer *out, int64_t from,
                       int64_t to) {
    const bool each = self->count <= BRANT__CURSOR_ITEMS;
    for (size_t i = 0; each && i < self->count; i++)
        write_gap(out, self->patterns[i], from, to);
    if (!each) write_gap(out, BRANT__TEXT("*"), from, to);
    *count += each ? self->count : 1;
}

static void write_item(brant__writer *out, brant__statement *statement, brant__text channel) {
    brant__write_object(out);
    brant__write_integer_member(out, "id", brant__column_integer(statement, 0));
    brant__write_text_member(out, "channel", channel);
    brant__write_name(out, brant__column_integer(statement, 4) ? "payload_base64" : "payload");
    if (brant__column_integer(statement, 4))
        brant__write_text(out, brant__column_text(statement, 2));
    else
        brant__write_raw(out, brant__column_text(statement, 2));
    brant__write_integer_member(out, "created_at", brant__column_integer(statement, 3));
    brant__write_end(out);
}

/* ---- fetching ----------------------------------------------------------------------------------------------------------------- */

static brant_status fetch_gaps(size_t *count, bool *out_more, brant_db *db, listener *self,
                               brant__writer *out) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    bool row = false;
    BRANT__TRY(get(&statement, db, self->exact ? BRANT__EVENT_GAPS_CHANNEL : BRANT__EVENT_GAPS));
    if (self->exact) brant__bind_text(statement, 1, self->patterns[0]);
    brant__bind_integer(statement, self->exact ? 2 : 1, self->last);
    for (;;) {
        BRANT__TRY(brant__step(&row, db, statement));
        if (!row) break;
        const brant__text channel = brant__column_text(statement, 0);
        const int64_t through = brant__column_integer(statement, 1);
        const bool all = channel.length == 0;
        int64_t from = self->last, told = 0;
        if (!all && !matches(self, channel)) continue;
        if (brant__map_get(&self->told, channel, &told) && told > from) from = told;
        if (through <= from) continue;
        if (*count > 0 && *count + (all ? self->count : 1) > BRANT__CURSOR_ITEMS) {
            *out_more = true;
            break;
        }
        if (all)
            write_gaps(count, self, out, from + 1, through);
        else {
            write_gap(out, channel, from + 1, through);
            ++*count;
        }
        /* Told now or, if the answer fails for want of memory, once more. */
        if (out->buffer.failed || !brant__map_put(&self->told, channel, through)) {
            status = brant__fail_memory();
            goto cleanup;
        }
        if (through > self->told_through) self->told_through = through;
    }
cleanup:
    brant__reset(statement);
    return status;
}

/* What a session may not hear is as if it had another channel. */
static brant_status check_session(bool *out_hidden, brant_db *db, brant__statement *row,
                                  brant__text channel) {
    const brant__session *session = brant__db_session(db);
    bool told = true;
    brant_status status = BRANT_OK;
    if (BRANT__UNLIKELY(session != NULL))
        status = session->rules->hear(&told, db, session, channel,
                                      brant__column_integer(row, 4) ? (brant__text){NULL, 0}
                                                                    : brant__column_text(row, 2));
    *out_hidden = !told;
    return status;
}

static brant_status fetch_rows(size_t *count, bool *out_more, int64_t *last, brant_db *db,
                               const listener *self, brant__writer *out, int64_t upper) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    bool row = false, hidden = false;
    int64_t looked = 0;
    BRANT__TRY(get(&statement, db, self->exact ? BRANT__EVENT_SCAN_CHANNEL : BRANT__EVENT_SCAN));
    int index = 1;
    if (self->exact) brant__bind_text(statement, index++, self->patterns[0]);
    brant__bind_integer(statement, index++, *last);
    brant__bind_integer(statement, index++, upper);
    brant__bind_integer(statement, index, SCAN);
    for (;;) {
        BRANT__TRY(brant__step(&row, db, statement));
        if (!row) break;
        const brant__text channel = brant__column_text(statement, 1);
        BRANT__TRY(check_session(&hidden, db, statement, channel));
        if (!hidden && (self->exact || matches(self, channel))) {
            if (*count >= BRANT__CURSOR_ITEMS || (*count > 0 && out->buffer.length >= FETCH_SIZE)) {
                *out_more = true;
                goto cleanup;
            }
            write_item(out, statement, channel);
            ++*count;
        }
        *last = brant__column_integer(statement, 0);
        looked++;
    }
    if (looked == SCAN)
        *out_more = true;
    else
        *last = upper;
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status listen_fetch(brant__fetch *found, brant_db *db, void *state,
                                 brant__writer *out) {
    listener *self = state;
    brant_status status = BRANT_OK;
    char epoch[EPOCH_SIZE];
    size_t epoch_length = 0;
    int64_t newest = 0, last = self->last;
    BRANT__TRY(read_head(&newest, epoch, &epoch_length, db));
    const bool renamed = self->epoch_length > 0 &&
                         (epoch_length == 0 || memcmp(epoch, self->epoch, EPOCH_SIZE) != 0);
    const int64_t open = brant__wake_uncommitted_from(db);
    const int64_t upper = newest < open ? newest : open - 1;
    if (renamed || newest < last) {
        write_gaps(&found->count, self, out, 0, upper);
        last = upper;
        brant__map_clear(&self->told);
    } else if (upper > last) {
        BRANT__TRY(fetch_gaps(&found->count, &found->more, db, self, out));
        if (!found->more)
            BRANT__TRY(fetch_rows(&found->count, &found->more, &last, db, self, out, upper));
    }
    /* Room for the end of the answer, too: what is counted as delivered is delivered. */
    if (!brant__buffer_reserve(&out->buffer, 16)) {
        status = brant__fail_memory();
        goto cleanup;
    }
    self->last = last;
    self->epoch_length = epoch_length;
    memcpy(self->epoch, epoch, epoch_length);
    if (self->told.count > 0 && last >= self->told_through) brant__map_clear(&self->told);
cleanup:
    if (status != BRANT_OK)
        brant__map_clear(&self->told); /* a gap may be told twice, but never not at all */
    return status;
}

static void listen_destroy(brant_db *db, void *state) {
    listener *self = state;
    if (!self) return;
    brant__wake_unregister(db, self->registration);
    brant__map_free(&self->told);
    brant__free(self->patterns);
    brant__arena_free(&self->arena);
    brant__free(self);
}

static const brant__cursor_kind listen_kind = {listen_fetch, listen_destroy, BRANT__FETCH_READ,
                                               false};

/* ---- opening ------------------------------------------------------------------------------------------------------------------ */

static bool is_exact(brant__text pattern) {
    for (size_t i = 0; i < pattern.length; i++)
        if (strchr("*?[\\", pattern.data[i])) return false;
    return true;
}

static brant_status read_patterns(listener *self, yyjson_val *input) {
    yyjson_val *channels = NULL;
    if (!yyjson_is_obj(input)) return brant__fail(BRANT_INVALID, "the input is not an object");
    yyjson_obj_iter members = yyjson_obj_iter_with(input);
    yyjson_val *name = NULL;
    while ((name = yyjson_obj_iter_next(&members))) {
        if (!yyjson_equals_str(name, "channels"))
            return brant__fail(BRANT_INVALID, "/%.*s: unknown member",
                               (int)(yyjson_get_len(name) < 64 ? yyjson_get_len(name) : 64),
                               yyjson_get_str(name));
        channels = yyjson_obj_iter_get_val(name);
    }
    if (!yyjson_is_arr(channels) || yyjson_arr_size(channels) == 0)
        return brant__fail(BRANT_INVALID, "/channels must be an array of one or more patterns");
    const size_t count = yyjson_arr_size(channels);
    if (count > PATTERNS)
        return brant__fail(BRANT_LIMIT, "/channels: %zu patterns; at most %d are allowed", count,
                           PATTERNS);
    self->patterns = brant__alloc_zero(count * sizeof *self->patterns);
    if (!self->patterns) return brant__fail_memory();
    for (size_t i = 0; i < count; i++) {
        const brant__text pattern = brant__json_text(yyjson_arr_get(channels, i));
        if (!pattern.data || pattern.length == 0 || pattern.length > PATTERN_SIZE ||
            memchr(pattern.data, 0, pattern.length))
            return brant__fail(BRANT_INVALID,
                               "/channels/%zu must be a text of 1 to %d bytes without NUL", i,
                               PATTERN_SIZE);
        const char *copy = brant__arena_copy(&self->arena, pattern.data, pattern.length);
        if (!copy) return brant__fail_memory();
        self->patterns[i] = brant__text_of(copy, pattern.length);
    }
    self->count = count;
    self->exact = count == 1 && is_exact(self->patterns[0]);
    return BRANT_OK;
}

brant_status brant__event_listen(brant_cursor **out_cursor, brant_db *db, yyjson_val *input) {
    brant_status status = BRANT_OK;
    listener *self = NULL;
    bool begun = false;
    *out_cursor = NULL;
    if (brant__depth(db) > 0)
        return brant__fail(BRANT_MISUSE, "listening cannot begin inside a transaction: what is "
                                         "committed after could not be told");
    if (!(self = brant__alloc_zero(sizeof *self))) return brant__fail_memory();
    BRANT__TRY(read_patterns(self, input));
    BRANT__TRY(brant__wake_attach(db));
    BRANT__TRY(brant__begin(db, brant__db_read_only(db) ? BRANT__READ : BRANT__WRITE));
    begun = true;
    BRANT__TRY(brant__wake_register(&self->registration, db, self->patterns, self->count));
    BRANT__TRY(read_head(&self->last, self->epoch, &self->epoch_length, db));
    BRANT__TRY(brant__commit(db));
    begun = false;
    listener *given = self;
    self = NULL; /* the cursor's now, also when it fails */
    status = brant__cursor_new(out_cursor, db, &listen_kind, given);
cleanup:
    if (begun) brant__rollback(db);
    listen_destroy(db, self);
    return status;
}
