/*
 * graph/history.c: reading the change log of a graph (change.h): its events, what differs between two moments, and a graph as it was.
 *
 * The state at an offset is what the newest begin of the log up to there left (its snapshot), and after it of each row the last event. Both
 * walks go through the stream once and ask the index by key for the rows' other events, so that nothing but the answer is held in memory.
 * Of secrets the log has {"$redacted": true} (seal.h): a row that has one counts as updated where it was written, and is replayed with that in the place of the value.
 * A log that lacks an event between its begin and the end of what is asked (retention, compaction, erasure) is refused: CONFLICT.
 */
#include "graph/change.h"

#define POLL_MASK   1023
#define BATCH_ITEMS 1000
#define BATCH_BYTES ((size_t)8 << 20)
#define BATCH_DEPTH 8

enum { RANGE, MARK, COUNT, LAST, FIRST, STATEMENT_COUNT };

#define BY_KEY "INDEXED BY stream_events_key WHERE (id >> 40) = :stream AND key = :key"

static const char *const sql[STATEMENT_COUNT] = {
    [RANGE] = ("SELECT id, payload, created_at, key FROM stream_events WHERE id > :after AND id <= "
               ":to ORDER BY id LIMIT :limit"),
    [MARK] =
        "SELECT id, payload FROM stream_events " BY_KEY " AND id <= :to ORDER BY id DESC LIMIT 1",
    [COUNT] = "SELECT count(*) FROM stream_events WHERE id > :from AND id <= :to",
    /* Of each row of a kind the last event of the range. */
    [LAST] = ("SELECT e.id, e.payload, e.key FROM stream_events e NOT INDEXED"
              " WHERE e.id > :from AND e.id <= :to AND e.key >= :low AND e.key < :high"
              " AND NOT EXISTS (SELECT 1 FROM stream_events l INDEXED BY stream_events_key"
              " WHERE (l.id >> 40) = :stream AND l.key = e.key AND l.id > e.id AND l.id <= :to)"
              " ORDER BY e.id"),
    [FIRST] = "SELECT payload FROM stream_events " BY_KEY " AND id > :from ORDER BY id LIMIT 1",
};
static const brant__statements statements = {BRANT__TABLE_HISTORY, STATEMENT_COUNT, sql};

typedef struct history {
    brant__call *call;
    brant__graph graph;
    brant__stream stream;
    int64_t base;     /* id of the offset 0 */
    int64_t begin;    /* offset of the begin that an answer stands on */
    int64_t complete; /* and of the end of its snapshot */
} history;

static brant_status get(brant__statement **out, brant__call *call, int which) {
    return brant__statement_get(out, call->db, &statements, (size_t)which);
}

/* ---- the log ----------------------------------------------------------------------------------------------------------------- */

/* The log of the input's graph, also of one that ended. */
static brant_status open_log(history *self, brant__call *call) {
    brant__text name;
    bool found;
    brant_status status;

    *self = (history){.call = call};
    BRANT__TRY(brant__graph_find(&self->graph, call, false));
    BRANT__TRY(brant__change_stream_name(&name, call, &self->graph));
    BRANT__TRY(brant__stream_find(&found, &self->stream, call->db, name));
    if (!found)
        status = brant__fail(BRANT_CONFLICT,
                             "graph %s has no change log; graphs.update with changes begins one",
                             brant__quoted(call, self->graph.name));
    self->base = brant__stream_id(self->stream.row_id, 0);
cleanup:
    return status;
}

/* An offset or {"time": ms}; `value` NULL: the end of the log. */
static brant_status read_moment(int64_t *out, history *self, const char *name, yyjson_val *value) {
    *out = self->stream.last;
    if (!value) return BRANT_OK;
    if (yyjson_is_obj(value)) {
        const int64_t time = brant__json_integer(brant__json_get(value, "time"), 0);
        return brant__stream_offset_at(out, self->call->db, &self->stream,
                                       time < INT64_MAX ? time + 1 : time);
    }
    *out = brant__json_integer(value, -1);
    if (*out < 0 || *out > self->stream.last)
        return brant__fail(BRANT_INVALID, "%s: the log of graph %s has the offsets 1..%lld", name,
                           brant__quoted(self->call, self->graph.name),
                           (long long)self->stream.last);
    return BRANT_OK;
}

static brant_status fail_begin(const history *self, int64_t offset) {
    return brant__fail(BRANT_CONFLICT,
                       "the change log of graph %s does not say how it was at offset %lld: %s",
                       brant__quoted(self->call, self->graph.name), (long long)offset,
                       self->stream.trimmed_through > 0 ? "its beginning was removed by retention"
                                                        : "the log was not on then");
}

/* Find the begin that says how the graph was at `offset`. */
static brant_status find_begin(history *self, int64_t offset) {
    brant__statement *statement = NULL;
    brant__json json = {0};
    brant__text payload;
    bool found, begins = false;
    brant_status status;

    BRANT__TRY(get(&statement, self->call, MARK));
    brant__bind_integer(statement, 1, self->stream.row_id);
    brant__bind_text(statement, 2, BRANT__CHANGE_MARK);
    brant__bind_integer(statement, 3, self->base + offset);
    BRANT__TRY(brant__step(&found, self->call->db, statement));
    if (found) {
        payload = brant__column_text(statement, 1);
        BRANT__TRY(brant__json_parse(&json, payload.data, payload.length, 0));
        begins = brant__text_equal(brant__json_get_text(json.root, "op"), BRANT__TEXT("begin"));
        self->begin = brant__column_integer(statement, 0) & BRANT__STREAM_OFFSET;
    }
    if (!begins) {
        status = fail_begin(self, offset);
        goto cleanup;
    }
    self->complete = self->begin + brant__json_integer(brant__json_get(json.root, "nodes"), 0) +
                     brant__json_integer(brant__json_get(json.root, "edges"), 0);
    if (offset < self->complete)
        status = brant__fail(BRANT_CONFLICT,
                             "the change log of graph %s was beginning at offset %lld; from offset "
                             "%lld it is complete",
                             brant__quoted(self->call, self->graph.name), (long long)offset,
                             (long long)self->complete);
cleanup:
    brant__reset(statement);
    brant__json_free(&json);
    return status;
}

/* Every event from after `from` to `to` is there. */
static brant_status check_complete(history *self, int64_t from, int64_t to) {
    brant__statement *statement = NULL;
    bool row;
    brant_status status;

    BRANT__TRY(get(&statement, self->call, COUNT));
    brant__bind_integer(statement, 1, self->base + from);
    brant__bind_integer(statement, 2, self->base + to);
    BRANT__TRY(brant__step(&row, self->call->db, statement));
    if (brant__column_integer(statement, 0) != to - from)
        status = brant__fail(BRANT_CONFLICT,
                             "the change log of graph %s lacks events between the offsets %lld and "
                             "%lld, which retention, compaction or erasure removed",
                             brant__quoted(self->call, self->graph.name), (long long)from,
                             (long long)to);
cleanup:
    brant__reset(statement);
    return status;
}

/* The last events of the rows of one kind. */
static brant_status last_events(brant__statement **out, history *self, int kind, int64_t from,
                                int64_t to) {
    const brant_status status = get(out, self->call, LAST);

    if (status != BRANT_OK) return status;
    brant__bind_integer(*out, 1, self->base + from);
    brant__bind_integer(*out, 2, self->base + to);
    brant__bind_text(*out, 3, kind == BRANT__NODES ? BRANT__TEXT("n:") : BRANT__TEXT("e:"));
    brant__bind_text(*out, 4, kind == BRANT__NODES ? BRANT__TEXT("n;") : BRANT__TEXT("e;"));
    brant__bind_integer(*out, 5, self->stream.row_id);
    return BRANT_OK;
}

/* ---- graphs.changes ------------------------------------------------------------------------------------------------------------ */

brant_status brant__graph_changes(brant__call *call) {
    const int64_t after = brant__json_integer(brant__json_get(call->input, "after"), 0);
    brant__writer *out = call->out;
    brant__statement *statement = NULL;
    int64_t limit, last = 0, count = 0;
    history self;
    bool row;
    brant_status status;

    BRANT__TRY(brant__limit_read(&limit, call, 1000, 10000));
    BRANT__TRY(open_log(&self, call));
    BRANT__TRY(get(&statement, call, RANGE));
    brant__bind_integer(statement, 1,
                        self.base + (after < self.stream.last ? after : self.stream.last));
    brant__bind_integer(statement, 2, self.base + self.stream.last);
    brant__bind_integer(statement, 3, limit);
    brant__write_object(out);
    brant__write_name(out, "items");
    brant__write_array(out);
    for (;; count++) {
        BRANT__TRY(brant__step(&row, call->db, statement));
        if (!row) break;
        last = brant__column_integer(statement, 0) & BRANT__STREAM_OFFSET;
        brant__write_object(out);
        brant__write_integer_member(out, "offset", last);
        brant__write_text_member(out, "key", brant__column_text(statement, 3));
        brant__write_name(out, "payload");
        brant__write_raw(out, brant__column_text(statement, 1));
        brant__write_integer_member(out, "created_at", brant__column_integer(statement, 2));
        brant__write_end(out);
    }
    brant__write_end(out);
    if (count == limit && last < self.stream.last) brant__write_integer_member(out, "next", last);
    if (after < self.stream.trimmed_through) {
        brant__write_name(out, "gap");
        brant__write_object(out);
        brant__write_integer_member(out, "from", after + 1);
        brant__write_integer_member(out, "to", self.stream.trimmed_through);
        brant__write_end(out);
    }
    brant__write_end(out);
cleanup:
    brant__reset(statement);
    return status;
}

/* ---- graphs.diff --------------------------------------------------------------------------------------------------------------- */

enum { CREATED, UPDATED, DELETED, SAME };

typedef struct difference {
    history history;
    int64_t from;
    int64_t to;
    int64_t left; /* keys that may still be listed */
    bool truncated;
    brant__json last;
    brant__json first;
    brant__writer lists[3];
} difference;

/* What a row was before the range: the `before` of its first event there; NULL: it was not. */
static brant_status first_before(yyjson_val **out, difference *self, brant__text key) {
    history *log = &self->history;
    brant__statement *statement = NULL;
    brant__text payload;
    bool found;
    brant_status status;

    *out = NULL;
    BRANT__TRY(get(&statement, log->call, FIRST));
    brant__bind_integer(statement, 1, log->stream.row_id);
    brant__bind_text(statement, 2, key);
    brant__bind_integer(statement, 3, log->base + self->from);
    BRANT__TRY(brant__step(&found, log->call->db, statement));
    if (!found) goto cleanup;
    payload = brant__column_text(statement, 0);
    BRANT__TRY(brant__json_parse(&self->first, payload.data, payload.length,
                                 BRANT__JSON_DEPTH + BATCH_DEPTH));
    *out = brant__json_get(self->first.root, "before");
cleanup:
    brant__reset(statement);
    return status;
}

/* A secret is in it: the log does not say whether it is another now. */
static bool has_redacted(yyjson_val *object) {
    size_t index, count;
    yyjson_val *name, *value;

    if (brant__is_redacted(object)) return true;
    yyjson_obj_foreach(object, index, count, name, value) {
        if (yyjson_is_obj(value) && has_redacted(value)) return true;
    }
    return false;
}

/* A member; {} and none are the same. */
static bool same_member(yyjson_val *a, yyjson_val *b, const char *name) {
    yyjson_val *left = brant__json_get(a, name), *right = brant__json_get(b, name);

    if (!left || !right) return yyjson_obj_size(left) == 0 && yyjson_obj_size(right) == 0;
    return brant__json_equal(left, right);
}

static brant_status judge(int *out, difference *self, brant__text key, yyjson_val *event) {
    const bool there = brant__text_equal(brant__json_get_text(event, "op"), BRANT__TEXT("put"));
    yyjson_val *before;
    const brant_status status = first_before(&before, self, key);

    if (status != BRANT_OK) return status;
    if (!before)
        *out = there ? CREATED : SAME;
    else if (!there)
        *out = DELETED;
    else
        *out = brant__text_equal(brant__json_get_text(before, "type"),
                                 brant__json_get_text(event, "type")) &&
                       same_member(before, event, "attributes") &&
                       same_member(before, event, "metadata") &&
                       !has_redacted(brant__json_get(event, "attributes"))
                   ? SAME
                   : UPDATED;
    return BRANT_OK;
}

static brant_status differ(difference *self, int kind) {
    static const char *const names[] = {"created", "updated", "deleted"};
    brant__writer *out = self->history.call->out;
    brant__statement *statement = NULL;
    size_t seen = 0;
    brant_status status;
    bool row;

    for (int i = 0; i < 3; i++) {
        brant__buffer_reset(&self->lists[i].buffer);
        self->lists[i] = (brant__writer){.buffer = self->lists[i].buffer};
        brant__write_array(&self->lists[i]);
    }
    BRANT__TRY(last_events(&statement, &self->history, kind, self->from, self->to));
    for (;;) {
        brant__text payload;
        int what;
        BRANT__TRY(brant__step(&row, self->history.call->db, statement));
        if (!row) break;
        if ((++seen & POLL_MASK) == 0) BRANT__TRY(brant__db_poll(self->history.call->db));
        payload = brant__column_text(statement, 1);
        BRANT__TRY(brant__json_parse(&self->last, payload.data, payload.length,
                                     BRANT__JSON_DEPTH + BATCH_DEPTH));
        BRANT__TRY(judge(&what, self, brant__column_text(statement, 2), self->last.root));
        if (what == SAME) continue;
        if (self->left == 0) {
            self->truncated = true;
            break;
        }
        self->left--;
        brant__write_text(&self->lists[what], brant__json_get_text(self->last.root, "key"));
    }
    brant__write_object(out);
    for (int i = 0; i < 3; i++) {
        brant__write_end(&self->lists[i]);
        if (self->lists[i].buffer.failed) {
            status = brant__fail_memory();
            goto cleanup;
        }
        brant__write_name(out, names[i]);
        brant__write_raw(out,
                         brant__text_of(self->lists[i].buffer.data, self->lists[i].buffer.length));
    }
    brant__write_end(out);
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__graph_diff(brant__call *call) {
    brant__writer *out = call->out;
    difference self = {.from = 0};
    brant_status status;

    BRANT__TRY(brant__limit_read(&self.left, call, 10000, 1000000));
    BRANT__TRY(open_log(&self.history, call));
    BRANT__TRY(
        read_moment(&self.from, &self.history, "from", brant__json_get(call->input, "from")));
    BRANT__TRY(read_moment(&self.to, &self.history, "to", brant__json_get(call->input, "to")));
    if (self.from > self.to) {
        status = brant__fail(BRANT_INVALID, "from (offset %lld) is after to (offset %lld)",
                             (long long)self.from, (long long)self.to);
        goto cleanup;
    }
    BRANT__TRY(find_begin(&self.history, self.to));
    if (self.from < self.history.complete) {
        /* Before it, the graph was empty, or not there: the log began with it. */
        if (self.history.begin == 1 && self.history.complete == 1 && self.from == 0) {
            self.from = 1;
        } else {
            status = fail_begin(&self.history, self.from);
            goto cleanup;
        }
    }
    if (self.to < self.from) self.to = self.from;
    BRANT__TRY(check_complete(&self.history, self.from, self.to));
    brant__write_object(out);
    brant__write_integer_member(out, "from", self.from);
    brant__write_integer_member(out, "to", self.to);
    brant__write_name(out, "nodes");
    BRANT__TRY(differ(&self, BRANT__NODES));
    brant__write_name(out, "edges");
    BRANT__TRY(differ(&self, BRANT__EDGES));
    brant__write_bool_member(out, "truncated", self.truncated);
    brant__write_end(out);
cleanup:
    brant__json_free(&self.last);
    brant__json_free(&self.first);
    for (int i = 0; i < 3; i++)
        brant__buffer_free(&self.lists[i].buffer);
    return status;
}

/* ---- graphs.replay --------------------------------------------------------------------------------------------------------------- */

typedef struct replay {
    history history;
    brant__text into;
    bool typed; /* the new graph */
    int64_t offset;
    int64_t counts[2];
    size_t most; /* items of a batch */
    size_t count;
    brant__writer items;
    brant__json batch;
    brant__json event;
    brant__buffer key;
    brant__writer answer;
    brant__arena arena;
} replay;

static void clear(brant__writer *writer) {
    brant__buffer_reset(&writer->buffer);
    *writer = (brant__writer){.buffer = writer->buffer};
}

/* Run an operation on what stands in self->items. */
static brant_status run(replay *self, brant__handler handler) {
    brant__call call = {.db = self->history.call->db, .out = &self->answer, .arena = &self->arena};
    brant_status status;

    if (self->items.buffer.failed) return brant__fail_memory();
    status = brant__json_parse(&self->batch, self->items.buffer.data, self->items.buffer.length,
                               BRANT__JSON_DEPTH + BATCH_DEPTH);
    if (status != BRANT_OK) return status;
    brant__arena_reset(&self->arena);
    clear(&self->answer);
    call.input = self->batch.root;
    status = handler(&call);
    return status == BRANT_OK && self->answer.buffer.failed ? brant__fail_memory() : status;
}

static void begin_batch(replay *self) {
    clear(&self->items);
    self->count = 0;
    brant__write_object(&self->items);
    brant__write_text_member(&self->items, "graph", self->into);
    brant__write_name(&self->items, "items");
    brant__write_array(&self->items);
}

static brant_status insert_nodes(brant__call *call) {
    return brant__nodes_put(call, BRANT__REPLAY, false);
}

static brant_status insert_edges(brant__call *call) {
    return brant__edges_put(call, BRANT__REPLAY, false);
}

static brant_status flush(replay *self, int kind) {
    brant_status status;

    if (self->count == 0) return BRANT_OK;
    brant__write_end(&self->items);
    brant__write_end(&self->items);
    status = run(self, kind == BRANT__NODES ? insert_nodes : insert_edges);
    self->counts[kind] += (int64_t)self->count;
    begin_batch(self);
    return status;
}

static void copy_member(brant__writer *out, yyjson_val *event, const char *name, const char *as) {
    yyjson_val *value = brant__json_get(event, name);

    if (!value || yyjson_is_null(value)) return;
    brant__write_name(out, as);
    brant__write_value(out, value);
}

/* True where an edge's key says no more than its ends and type. */
static bool derived(replay *self, yyjson_val *event) {
    brant__buffer *key = &self->key;
    yyjson_val *type = brant__json_get(event, "type");

    brant__buffer_reset(key);
    brant__buffer_append_byte(key, '[');
    brant__json_append(key, brant__json_get(event, "source"));
    brant__buffer_append_byte(key, ',');
    brant__json_append(key, type);
    brant__buffer_append_byte(key, ',');
    brant__json_append(key, brant__json_get(event, "target"));
    brant__buffer_append_byte(key, ']');
    return brant__text_equal(brant__json_get_text(event, "key"),
                             brant__text_of(key->data ? key->data : "", key->length));
}

static brant_status add_item(replay *self, int kind, yyjson_val *event) {
    const bool turned = brant__json_bool(brant__json_get(event, "turned"), false);
    brant__writer *out = &self->items;

    brant__write_object(out);
    if (kind == BRANT__EDGES) {
        copy_member(out, event, "source", turned ? "target" : "source");
        copy_member(out, event, "target", turned ? "source" : "target");
        copy_member(out, event, "undirected", "undirected");
    }
    if (kind == BRANT__NODES || !derived(self, event)) copy_member(out, event, "key", "key");
    if (self->typed) copy_member(out, event, "type", "type");
    copy_member(out, event, "attributes", "attributes");
    copy_member(out, event, "metadata", "metadata");
    brant__write_end(out);
    self->count++;
    if (out->buffer.failed || self->key.failed) return brant__fail_memory();
    if (self->count < self->most && out->buffer.length < BATCH_BYTES) return BRANT_OK;
    return flush(self, kind);
}

static brant_status replay_kind(replay *self, int kind) {
    history *log = &self->history;
    brant__statement *statement = NULL;
    size_t seen = 0;
    brant_status status;
    bool row;

    begin_batch(self);
    BRANT__TRY(last_events(&statement, log, kind, log->begin, self->offset));
    for (;;) {
        brant__text payload;
        BRANT__TRY(brant__step(&row, log->call->db, statement));
        if (!row) break;
        if ((++seen & POLL_MASK) == 0) BRANT__TRY(brant__db_poll(log->call->db));
        payload = brant__column_text(statement, 1);
        BRANT__TRY(brant__json_parse(&self->event, payload.data, payload.length,
                                     BRANT__JSON_DEPTH + BATCH_DEPTH));
        if (!brant__text_equal(brant__json_get_text(self->event.root, "op"), BRANT__TEXT("put")))
            continue;
        BRANT__TRY(add_item(self, kind, self->event.root));
    }
    status = flush(self, kind);
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status create(replay *self) {
    brant__call *call = self->history.call;
    const char *type = self->history.graph.type->name;
    yyjson_val *given = brant__json_get(call->input, "graph_type");
    brant__writer *out = &self->items;
    brant__graph made;
    brant_status status;

    brant__write_object(out);
    brant__write_text_member(out, "name", self->into);
    brant__write_name(out, "graph_type");
    if (given)
        brant__write_value(out, given);
    else
        brant__write_text(out, brant__text_string(type));
    brant__write_end(out);
    BRANT__TRY(run(self, brant__graph_create));
    BRANT__TRY(brant__graph_find_name(&made, call, self->into, BRANT__TO_WRITE));
    self->typed = made.type->module->typed;
cleanup:
    return status;
}

brant_status brant__graph_replay(brant__call *call) {
    const size_t batch = brant__db_limits(call->db)->batch;
    brant__writer *out = call->out;
    replay self = {.into = brant__json_get_text(call->input, "into"),
                   .most = batch < BATCH_ITEMS ? batch : BATCH_ITEMS};
    brant_status status;

    BRANT__TRY(open_log(&self.history, call));
    BRANT__TRY(read_moment(&self.offset, &self.history, "to", brant__json_get(call->input, "to")));
    BRANT__TRY(find_begin(&self.history, self.offset));
    BRANT__TRY(check_complete(&self.history, self.history.begin, self.offset));
    BRANT__TRY(create(&self));
    BRANT__TRY(replay_kind(&self, BRANT__NODES));
    BRANT__TRY(replay_kind(&self, BRANT__EDGES));
    brant__write_object(out);
    brant__write_text_member(out, "graph", self.into);
    brant__write_integer_member(out, "offset", self.offset);
    brant__write_integer_member(out, "nodes", self.counts[BRANT__NODES]);
    brant__write_integer_member(out, "edges", self.counts[BRANT__EDGES]);
    brant__write_end(out);
cleanup:
    brant__buffer_free(&self.items.buffer);
    brant__buffer_free(&self.answer.buffer);
    brant__buffer_free(&self.key);
    brant__json_free(&self.batch);
    brant__json_free(&self.event);
    brant__arena_free(&self.arena);
    return status;
}
