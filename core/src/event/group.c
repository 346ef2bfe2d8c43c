/*
 * event/group.c: groups: members that share a stream, one event to one member.
 *
 * `next` is the first offset that was handed to nobody; what was handed out and not acknowledged is a row of stream_pending, with the token of its claim. A claim takes back what
 * is over its lease (by an index on the lease: however much is pending, it costs what it takes), then goes on at `next`. The group's offset is what is up to it was acknowledged: the
 * first pending one bounds it. An event that was removed meanwhile is nobody's: one that was trimmed is told in a gap, when its lease has ended.
 */
#include <stdlib.h>

#include "event/consumer.h"
#include "event/waiter.h"
#include "event/watch.h"

#define LEASE 30000
#define LOST  1000 /* pending events whose removal one claim clears up */

enum {
    GROUPS,
    STALE,
    REDELIVER,
    HAND_OUT,
    ADVANCE,
    FIRST_PENDING,
    SETTLE,
    ACK,
    EXTEND,
    RELEASE,
    FORGET,
    FORGET_ALL,
    PENDING,
    SEEK,
    TOKEN,
    HOLD_TOKEN,
    FIRST_LEASE
};
static const char *const sql[] = {
    [GROUPS] = "SELECT row_id FROM stream_consumers WHERE stream = :stream AND kind = 1",
    [STALE] = "SELECT \"offset\", deliveries FROM stream_pending WHERE consumer = :group "
              "AND lease_until <= :now ORDER BY lease_until, \"offset\" LIMIT :limit",
    [REDELIVER] = "UPDATE stream_pending SET member = :member, token = :token, "
                  "deliveries = deliveries + 1, lease_until = :until "
                  "WHERE consumer = :group AND \"offset\" = :offset",
    [HAND_OUT] = "INSERT INTO stream_pending (member, token, lease_until, consumer, \"offset\", "
                 "deliveries) VALUES (:member, :token, :until, :group, :offset, 1)",
    [ADVANCE] = "UPDATE stream_consumers SET next = :next, token = :token, \"offset\" = :offset, "
                "updated_at = :now WHERE row_id = :group",
    [FIRST_PENDING] = "SELECT min(\"offset\") FROM stream_pending WHERE consumer = :group",
    [SETTLE] = "UPDATE stream_consumers SET \"offset\" = :offset, updated_at = :now "
               "WHERE row_id = :group",
    [ACK] = "DELETE FROM stream_pending WHERE consumer = :group AND \"offset\" = :offset "
            "AND token = :token AND lease_until > 0",
    [EXTEND] = "UPDATE stream_pending SET lease_until = :until WHERE consumer = :group "
               "AND \"offset\" = :offset AND token = :token AND lease_until > 0",
    [RELEASE] = "UPDATE stream_pending SET lease_until = 0 WHERE consumer = :group "
                "AND \"offset\" = :offset AND token = :token AND lease_until > 0",
    [FORGET] = "DELETE FROM stream_pending WHERE consumer = :group AND \"offset\" = :offset",
    [FORGET_ALL] = "DELETE FROM stream_pending WHERE consumer = :group",
    [PENDING] = "SELECT count(*) FROM stream_pending WHERE consumer = :group",
    [SEEK] = "UPDATE stream_consumers SET next = :offset + 1 WHERE row_id = :group",
    [TOKEN] = "SELECT value FROM event_sequences WHERE name = 'group'",
    [HOLD_TOKEN] = "INSERT INTO event_sequences (name, value) VALUES ('group', :token) "
                   "ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
    [FIRST_LEASE] = "SELECT min(lease_until) FROM stream_pending WHERE consumer = :group",
};
static const brant__statements statements = {BRANT__TABLE_GROUP, BRANT__COUNT(sql), sql};

static brant_status get(brant__statement **out, brant_db *db, size_t index) {
    return brant__statement_get(out, db, &statements, index);
}

/* Run a statement of up to four integers. */
static brant_status run(brant_db *db, size_t index, int count, int64_t a, int64_t b, int64_t c,
                        int64_t d) {
    brant__statement *statement = NULL;
    const int64_t values[] = {a, b, c, d};
    const brant_status status = get(&statement, db, index);
    if (status != BRANT_OK) return status;
    for (int i = 0; i < count; i++)
        brant__bind_integer(statement, i + 1, values[i]);
    return brant__run(db, statement);
}

/* The one number of a statement of one parameter; `otherwise` where there is none. */
static brant_status read_number(int64_t *out, brant_db *db, size_t index, int64_t value,
                                int64_t otherwise) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    bool row = false;
    *out = otherwise;
    BRANT__TRY(get(&statement, db, index));
    if (index != TOKEN) brant__bind_integer(statement, 1, value);
    BRANT__TRY(brant__step(&row, db, statement));
    if (row && !brant__column_null(statement, 0)) *out = brant__column_integer(statement, 0);
cleanup:
    brant__reset(statement);
    return status;
}

/* ---- waking ------------------------------------------------------------------------------------------------------------------- */

/* Row ids are never given again, and names may hold anything. */
static brant__text topic_of(brant__topic *topic, int64_t group) {
    return brant__topic_of_id(topic, "group", group);
}

brant_status brant__group_wake(brant_db *db, int64_t group, int64_t count) {
    brant__topic topic;
    return brant__waiter_wake(db, topic_of(&topic, group), count);
}

brant_status brant__groups_wake(brant_db *db, int64_t stream, int64_t count) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    bool row = false;
    BRANT__TRY(get(&statement, db, GROUPS));
    brant__bind_integer(statement, 1, stream);
    for (;;) {
        BRANT__TRY(brant__step(&row, db, statement));
        if (!row) break;
        BRANT__TRY(brant__group_wake(db, brant__column_integer(statement, 0), count));
    }
cleanup:
    brant__reset(statement);
    return status;
}

/* ---- for consumer.c ---------------------------------------------------------------------------------------------------------- */

brant_status brant__group_pending(int64_t *out_count, brant_db *db, int64_t group) {
    return read_number(out_count, db, PENDING, group, 0);
}

brant_status brant__group_seek(brant_db *db, int64_t group, int64_t offset) {
    const brant_status status = run(db, FORGET_ALL, 1, group, 0, 0, 0);
    return status == BRANT_OK ? run(db, SEEK, 2, offset, group, 0, 0) : status;
}

brant_status brant__group_end(brant_db *db, int64_t group, int64_t token) {
    brant_status status = run(db, FORGET_ALL, 1, group, 0, 0, 0);
    if (status == BRANT_OK) status = run(db, HOLD_TOKEN, 1, token, 0, 0, 0);
    return status == BRANT_OK ? brant__group_wake(db, group, INT64_MAX) : status;
}

brant_status brant__group_token_floor(int64_t *out_token, brant_db *db) {
    return read_number(out_token, db, TOKEN, 0, 0);
}

/* ---- claiming ------------------------------------------------------------------------------------------------------------------ */

typedef struct claim {
    brant__call *call;
    brant__stream stream;
    brant__consumer group;
    brant__text member;
    int64_t limit;
    int64_t until; /* of the lease */
    int64_t count;
    int64_t gap_from, gap_to; /* 0: none */
} claim;

typedef struct stale_event {
    int64_t offset;
    int64_t deliveries;
} stale_event;

static int by_offset(const void *a, const void *b) {
    const int64_t x = ((const stale_event *)a)->offset, y = ((const stale_event *)b)->offset;
    return (x > y) - (x < y);
}

static void note_gap(claim *self, int64_t from, int64_t to) {
    if (self->gap_from == 0 || from < self->gap_from) self->gap_from = from;
    if (to > self->gap_to) self->gap_to = to;
}

static void write_item(claim *self, const brant__stream_event *event, int64_t delivery) {
    brant__writer *out = self->call->out;
    brant__stream_write(out, event);
    brant__buffer_format(&out->buffer, ",\"token\":%lld,\"delivery\":%lld}",
                         (long long)self->group.token, (long long)delivery);
    self->count++;
}

/* The event again, if it is still there; else it is pending no more. */
static brant_status redeliver(claim *self, const stale_event *stale) {
    brant_status status = BRANT_OK;
    brant_db *db = self->call->db;
    brant__statement *row = NULL, *statement = NULL;
    brant__stream_event event;
    bool found = false;
    BRANT__TRY(brant__stream_at(&found, &event, &row, db, self->stream.row_id, stale->offset));
    if (!found) {
        if (stale->offset <= self->stream.trimmed_through)
            note_gap(self, stale->offset, stale->offset);
        status = run(db, FORGET, 2, self->group.row_id, stale->offset, 0, 0);
        goto cleanup;
    }
    write_item(self, &event, stale->deliveries + 1);
    BRANT__TRY(get(&statement, db, REDELIVER));
    brant__bind_text(statement, 1, self->member);
    brant__bind_integer(statement, 2, self->group.token);
    brant__bind_integer(statement, 3, self->until);
    brant__bind_integer(statement, 4, self->group.row_id);
    brant__bind_integer(statement, 5, stale->offset);
    status = brant__run(db, statement);
cleanup:
    brant__reset(row);
    return status;
}

/* What is over its lease, by offset. *out_left: there may be more of it. */
static brant_status take_back(claim *self, bool *out_left) {
    brant_status status = BRANT_OK;
    brant_db *db = self->call->db;
    brant__statement *statement = NULL;
    bool row = false;
    const size_t most = (size_t)self->limit;
    int64_t cleared = 0;
    *out_left = false;
    stale_event *events = brant__arena_alloc(self->call->arena, most * sizeof *events);
    if (!events) return brant__fail_memory();
    do {
        size_t count = 0;
        const int64_t before = self->count;
        BRANT__TRY(get(&statement, db, STALE));
        brant__bind_integer(statement, 1, self->group.row_id);
        brant__bind_integer(statement, 2, brant__db_now(db));
        brant__bind_integer(statement, 3, self->limit - self->count);
        for (;;) {
            BRANT__TRY(brant__step(&row, db, statement));
            if (!row) break;
            events[count].offset = brant__column_integer(statement, 0);
            events[count++].deliveries = brant__column_integer(statement, 1);
        }
        brant__reset(statement);
        qsort(events, count, sizeof *events, by_offset);
        for (size_t i = 0; i < count; i++)
            BRANT__TRY(redeliver(self, &events[i]));
        *out_left = count > 0;
        cleared += (int64_t)count - (self->count - before);
    } while (*out_left && self->count < self->limit && cleared < LOST);
cleanup:
    brant__reset(statement);
    return status;
}

/* What nobody had. */
static brant_status hand_out(claim *self) {
    brant_status status = BRANT_OK;
    brant_db *db = self->call->db;
    brant__statement *scan = NULL, *statement = NULL;
    brant__stream_event event;
    bool row = false;
    if (self->group.next <= self->stream.trimmed_through) {
        note_gap(self, self->group.next, self->stream.trimmed_through);
        self->group.next = self->stream.trimmed_through + 1;
    }
    if (self->count == self->limit || self->group.next > self->stream.last) return BRANT_OK;
    BRANT__TRY(brant__stream_scan(&scan, db, self->stream.row_id, self->group.next - 1,
                                  self->stream.last, false));
    for (;;) {
        BRANT__TRY(brant__stream_next(&row, &event, db, scan));
        if (!row) {
            self->group.next = self->stream.last + 1;
            break;
        }
        if (self->count == self->limit) break;
        write_item(self, &event, 1);
        BRANT__TRY(get(&statement, db, HAND_OUT));
        brant__bind_text(statement, 1, self->member);
        brant__bind_integer(statement, 2, self->group.token);
        brant__bind_integer(statement, 3, self->until);
        brant__bind_integer(statement, 4, self->group.row_id);
        brant__bind_integer(statement, 5, event.offset);
        BRANT__TRY(brant__run(db, statement));
        self->group.next = event.offset + 1;
    }
cleanup:
    brant__reset(scan);
    return status;
}

/* What is up to it was acknowledged. */
static brant_status settled(int64_t *out_offset, brant_db *db, const brant__consumer *group) {
    const brant_status status =
        read_number(out_offset, db, FIRST_PENDING, group->row_id, group->next);
    --*out_offset;
    return status;
}

/* Write what changed, and tell the others. */
static brant_status finish(claim *self, bool left) {
    brant_status status = BRANT_OK;
    brant_db *db = self->call->db;
    brant__statement *statement = NULL;
    brant__topic topic;
    int64_t offset = 0;
    BRANT__TRY(settled(&offset, db, &self->group));
    BRANT__TRY(get(&statement, db, ADVANCE));
    brant__bind_integer(statement, 1, self->group.next);
    brant__bind_integer(statement, 2, self->group.token);
    brant__bind_integer(statement, 3, offset);
    brant__bind_integer(statement, 4, brant__db_now(db));
    brant__bind_integer(statement, 5, self->group.row_id);
    BRANT__TRY(brant__run(db, statement));
    const brant__text text = topic_of(&topic, self->group.row_id);
    if (left || self->group.next <= self->stream.last) BRANT__TRY(brant__waiter_wake(db, text, 1));
    if (self->count > 0) status = brant__waiter_earlier(db, text, self->until);
cleanup:
    return status;
}

/* The stream and the group, made where they are not there. */
static brant_status ensure(brant__stream *out_stream, brant__consumer *out_group, brant_db *db,
                           brant__text stream, brant__text group, yyjson_val *from) {
    brant_status status = BRANT_OK;
    int64_t offset = 0;
    bool found = false;
    BRANT__TRY(brant__stream_ensure(out_stream, db, stream));
    BRANT__TRY(brant__input_name(group, "/group"));
    BRANT__TRY(brant__consumer_find(&found, out_group, db, out_stream->row_id, group));
    if (!found) BRANT__TRY(brant__stream_position(&offset, db, out_stream, from, "start", "/from"));
    status =
        brant__consumer_ensure(out_group, db, out_stream, group, BRANT__GROUP, offset, "/group");
cleanup:
    return status;
}

brant_status brant__consumers_claim(brant__call *call) {
    brant_status status = BRANT_OK;
    claim self = {.call = call};
    bool left = false;
    brant_db *db = call->db;
    self.member = brant__json_get_text(call->input, "member");
    self.limit = brant__json_integer(brant__json_get(call->input, "limit"), 1);
    self.until =
        brant__db_now(db) + brant__json_integer(brant__json_get(call->input, "lease"), LEASE);
    BRANT__TRY(brant__input_name(self.member, "/member"));
    BRANT__TRY(ensure(&self.stream, &self.group, db, brant__json_get_text(call->input, "stream"),
                      brant__json_get_text(call->input, "group"),
                      brant__json_get(call->input, "from")));
    self.group.token++;
    const int64_t next = self.group.next;
    brant__write_object(call->out);
    brant__write_name(call->out, "items");
    brant__write_array(call->out);
    BRANT__TRY(take_back(&self, &left));
    BRANT__TRY(hand_out(&self));
    brant__write_end(call->out);
    if (self.gap_from > 0) {
        brant__write_name(call->out, "gap");
        brant__stream_write_gap(call->out, self.gap_from, self.gap_to);
    }
    brant__write_end(call->out);
    if (self.count > 0 || self.gap_from > 0 || left || self.group.next != next)
        status = finish(&self, left && self.count == self.limit);
cleanup:
    return status;
}

/* ---- acknowledging ------------------------------------------------------------------------------------------------------------ */

/* Run a statement for each {offset, token}; those of another claim are stale. */
static brant_status each_item(brant__call *call, size_t index, brant__consumer *out_group,
                              int64_t *out_done, int64_t until) {
    brant_status status = BRANT_OK;
    brant_db *db = call->db;
    brant__stream stream;
    yyjson_val *items = brant__json_get(call->input, "items"), *item = NULL;
    size_t at = 0, count = yyjson_arr_size(items);
    *out_done = 0;
    BRANT__TRY(brant__input_batch(db, items, "/items"));
    BRANT__TRY(brant__stream_get(&stream, db, brant__json_get_text(call->input, "stream")));
    BRANT__TRY(brant__consumer_get(out_group, db, &stream,
                                   brant__json_get_text(call->input, "group"), BRANT__GROUP,
                                   "/group"));
    brant__write_object(call->out);
    brant__write_name(call->out, "stale");
    brant__write_array(call->out);
    yyjson_arr_foreach(items, at, count, item) {
        const int64_t offset = brant__json_integer(brant__json_get(item, "offset"), 0);
        const int64_t token = brant__json_integer(brant__json_get(item, "token"), 0);
        if (index == EXTEND)
            BRANT__TRY(run(db, index, 4, until, out_group->row_id, offset, token));
        else
            BRANT__TRY(run(db, index, 3, out_group->row_id, offset, token, 0));
        if (brant__changes(db) > 0)
            ++*out_done;
        else
            brant__write_integer(call->out, offset);
    }
    brant__write_end(call->out);
    brant__write_integer_member(call->out, "acked", *out_done);
    brant__write_end(call->out);
cleanup:
    return status;
}

brant_status brant__consumers_ack(brant__call *call) {
    brant_status status = BRANT_OK;
    brant__consumer group;
    int64_t done = 0, offset = 0;
    BRANT__TRY(each_item(call, ACK, &group, &done, 0));
    if (done == 0) return BRANT_OK;
    BRANT__TRY(settled(&offset, call->db, &group));
    status = run(call->db, SETTLE, 3, offset, brant__db_now(call->db), group.row_id, 0);
cleanup:
    return status;
}

brant_status brant__consumers_extend(brant__call *call) {
    brant__consumer group;
    int64_t done = 0;
    const int64_t until =
        brant__db_now(call->db) + brant__json_integer(brant__json_get(call->input, "lease"), LEASE);
    return each_item(call, EXTEND, &group, &done, until);
}

brant_status brant__consumers_release(brant__call *call) {
    brant__consumer group;
    int64_t done = 0;
    const brant_status status = each_item(call, RELEASE, &group, &done, 0);
    return status == BRANT_OK && done > 0 ? brant__group_wake(call->db, group.row_id, done)
                                          : status;
}

/* ---- watching ------------------------------------------------------------------------------------------------------------------ */

typedef struct watcher {
    brant__watch watch;
    brant__text stream, group; /* in the memory behind */
} watcher;

static brant_status look(brant__fetch *out, brant_db *db, brant__watch *watch,
                         brant__writer *writer) {
    const watcher *self = (const watcher *)watch;
    const int64_t now = brant__db_now(db);
    brant_status status = BRANT_OK;
    brant__stream stream;
    brant__consumer group;
    int64_t offset = 0, at = 0;
    /* Not made again: whoever deleted it did not mean all events to be handed out anew. */
    BRANT__TRY(brant__stream_get(&stream, db, self->stream));
    BRANT__TRY(brant__consumer_get(&group, db, &stream, self->group, BRANT__GROUP, "/group"));
    watch->topic = topic_of(&watch->bytes, group.row_id);
    BRANT__TRY(read_number(&out->until, db, FIRST_LEASE, group.row_id, INT64_MAX));
    if (out->until > now && group.next > stream.trimmed_through)
        BRANT__TRY(brant__stream_first_behind(&offset, &at, db, &stream, group.next - 1));
    if (out->until > now && group.next > stream.trimmed_through && offset == 0) goto cleanup;
    brant__write_object(writer);
    brant__write_bool_member(writer, "ready", true);
    brant__write_end(writer);
    out->count = 1;
cleanup:
    return status;
}

brant_status brant__consumers_watch(brant_cursor **out_cursor, brant__call *call) {
    brant_status status = BRANT_OK;
    brant__stream stream;
    brant__consumer group;
    bool begun = false;
    brant_db *db = call->db;
    const brant__text name = brant__json_get_text(call->input, "stream");
    const brant__text group_name = brant__json_get_text(call->input, "group");
    BRANT__TRY(brant__begin(db, BRANT__WRITE));
    begun = true;
    BRANT__TRY(ensure(&stream, &group, db, name, group_name, brant__json_get(call->input, "from")));
    BRANT__TRY(brant__commit(db));
    begun = false;
    watcher *self = brant__watch_new(sizeof *self + name.length + group_name.length, look);
    if (!self) return brant__fail_memory();
    char *names = (char *)(self + 1);
    memcpy(names, name.data, name.length);
    memcpy(names + name.length, group_name.data, group_name.length);
    self->stream = brant__text_of(names, name.length);
    self->group = brant__text_of(names + name.length, group_name.length);
    self->watch.topic = topic_of(&self->watch.bytes, group.row_id);
    return brant__watch_open(out_cursor, db, &self->watch);
cleanup:
    if (begun) brant__rollback(db);
    return status;
}
