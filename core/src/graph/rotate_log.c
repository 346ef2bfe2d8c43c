/*
 * graph/rotate_log.c: what the change log of a graph still has of values that were plain when they were logged.
 *
 * Events of today have {"$redacted": true} at encrypted places (change.c). Older ones are brought to that: looked through outside the write lock, and an event is written only
 * while it is still what was read; one that changed is looked at again.
 */
#include "event/stream.h"
#include "graph/change.h"
#include "graph/rotate.h"

#define BYTES_MOST ((size_t)16 << 20) /* of events that are to be written */

enum { EVENT_REDACT };
static const char *const sql[] = {
    [EVENT_REDACT] =
        "UPDATE stream_events SET payload = :redacted WHERE id = :id AND payload = :read",
};
const brant__statements brant__rotate_log_statements = {BRANT__TABLE_ROTATE_LOG, BRANT__COUNT(sql),
                                                        sql};

typedef struct redacted_event {
    struct redacted_event *next;
    int64_t offset;
    brant__text was;
    brant__text is;
} redacted_event;

typedef struct log_batch {
    brant__call *call;
    const brant__graph *graph;
    brant__arena arena;
    brant__json json;
    brant__buffer text;
    yyjson_val **values; /* of the event in hand, that are to be redacted */
    size_t count;
    size_t room;
    redacted_event *first, **last;
    size_t bytes;
    int64_t stream; /* its row id; 0: none */
    int64_t through;
    int64_t looked;
    bool end;
} log_batch;

/* ---- one event ------------------------------------------------------------------------------- */

static bool is_target(const log_batch *self, yyjson_val *value) {
    for (size_t i = 0; i < self->count; i++)
        if (self->values[i] == value) return true;
    return false;
}

static brant_status add_target(log_batch *self, yyjson_val *attributes,
                               const brant__encrypted *where) {
    yyjson_val *value = brant__encrypted_find(attributes, where), **values;

    if (!value || brant__is_redacted(value) || is_target(self, value)) return BRANT_OK;
    values = brant__grow(self->values, &self->room, self->count, sizeof(*values));
    if (!values) return brant__fail_memory();
    self->values = values;
    values[self->count++] = value;
    return BRANT_OK;
}

/* Values in the members of a row, as it was or is. A type that is not there any more may have been renamed: then all places count that any type of the kind encrypts. */
static brant_status add_targets(log_batch *self, int kind, yyjson_val *members) {
    const brant__type *type = self->graph->type;
    yyjson_val *attributes = brant__json_get(members, "attributes");
    const brant__text name = brant__json_get_text(members, "type");
    const brant__encrypted *list;
    brant_status status = BRANT_OK;
    const uint32_t index =
        kind == BRANT__NODES ? brant__type_node(type, name) : brant__type_edge(type, name);
    const uint32_t types = (uint32_t)(kind == BRANT__NODES ? type->module->node_type_count
                                                           : type->module->edge_type_count);

    if (!attributes) return BRANT_OK;
    for (uint32_t i = index == BRANT__NO_TYPE ? 0 : index; i < types; i++) {
        const size_t count = brant__type_encrypted(&list, type, kind, i);
        for (size_t at = 0; at < count; at++)
            BRANT__TRY(add_target(self, attributes, &list[at]));
        if (index != BRANT__NO_TYPE) break;
    }
cleanup:
    return status;
}

/* Into self->text; what is to be redacted stands below objects only. */
static void append_redacted(log_batch *self, yyjson_val *value) {
    brant__buffer *out = &self->text;
    size_t index, members;
    yyjson_val *name, *member;

    if (is_target(self, value)) {
        brant__buffer_append(out, BRANT__REDACTED, sizeof(BRANT__REDACTED) - 1);
        return;
    }
    if (!yyjson_is_obj(value)) {
        brant__json_append(out, value);
        return;
    }
    brant__buffer_append_byte(out, '{');
    yyjson_obj_foreach(value, index, members, name, member) {
        if (index > 0) brant__buffer_append_byte(out, ',');
        brant__json_append_text(out, brant__json_text(name));
        brant__buffer_append_byte(out, ':');
        append_redacted(self, member);
    }
    brant__buffer_append_byte(out, '}');
}

static brant_status note_event(log_batch *self, int64_t offset, brant__text was) {
    redacted_event *event = brant__arena_alloc(&self->arena, sizeof(*event));
    brant_status status;

    brant__buffer_reset(&self->text);
    append_redacted(self, self->json.root);
    if (!event || self->text.failed) return brant__fail_memory();
    *event = (redacted_event){.offset = offset};
    BRANT__TRY(brant__arena_text(&event->was, &self->arena, was));
    BRANT__TRY(brant__arena_text(&event->is, &self->arena,
                                 brant__text_of(self->text.data, self->text.length)));
    *self->last = event;
    self->last = &event->next;
    self->bytes += was.length;
cleanup:
    return status;
}

static brant_status look_at(log_batch *self, const brant__stream_event *event) {
    yyjson_val *root;
    brant__text kind;
    int which;
    brant_status status = BRANT_OK;

    if (!event->payload.data.data || event->payload.bytes) return BRANT_OK;
    BRANT__TRY(brant__json_parse(&self->json, event->payload.data.data, event->payload.data.length,
                                 BRANT__JSON_DEPTH + BRANT__JSON_AROUND));
    root = self->json.root;
    kind = brant__json_get_text(root, "kind");
    if (brant__text_equal(kind, BRANT__TEXT("node")))
        which = BRANT__NODES;
    else if (brant__text_equal(kind, BRANT__TEXT("edge")))
        which = BRANT__EDGES;
    else
        goto cleanup;
    self->count = 0;
    BRANT__TRY(add_targets(self, which, root));
    BRANT__TRY(add_targets(self, which, brant__json_get(root, "before")));
    if (self->count > 0) status = note_event(self, event->offset, event->payload.data);
cleanup:
    return status;
}

/* ---- a batch --------------------------------------------------------------------------------- */

static brant_status find_stream(bool *out_found, brant__stream *out, brant__call *call,
                                const brant__graph *graph) {
    brant__text name;
    brant_status status = brant__change_stream_name(&name, call, graph);

    *out_found = false;
    if (status == BRANT_OK) status = brant__stream_find(out_found, out, call->db, name);
    return status;
}

brant_status brant__rotate_log_find(bool *out_found, brant__call *call, const brant__graph *graph) {
    brant__stream stream;

    return find_stream(out_found, &stream, call, graph);
}

/* In a read transaction. */
static brant_status read_events(log_batch *self, int64_t after, int64_t limit) {
    brant_db *db = self->call->db;
    brant__statement *scan = NULL;
    brant__stream stream;
    brant__stream_event event;
    bool found;
    brant_status status;

    self->through = after;
    BRANT__TRY(find_stream(&found, &stream, self->call, self->graph));
    self->end = true;
    if (!found) goto cleanup;
    self->stream = stream.row_id;
    BRANT__TRY(brant__stream_scan(&scan, db, stream.row_id, after, stream.last, false));
    for (;;) {
        self->end = false;
        if (self->looked == limit || self->bytes > BYTES_MOST) break;
        if ((self->looked & 255) == 255) BRANT__TRY(brant__db_poll(db));
        BRANT__TRY(brant__stream_next(&found, &event, db, scan));
        self->end = !found;
        if (!found) break;
        BRANT__TRY(look_at(self, &event));
        self->looked++;
        self->through = event.offset;
    }
cleanup:
    brant__reset(scan);
    return status;
}

static brant_status write_events(log_batch *self, bool *out_any) {
    brant_db *db = self->call->db;
    brant__statement *update;
    brant__stream stream;
    bool found;
    brant_status status = BRANT_OK;

    *out_any = false;
    if (!self->first) return BRANT_OK;
    BRANT__TRY(find_stream(&found, &stream, self->call, self->graph));
    if (!found || stream.row_id != self->stream) goto cleanup; /* gone, with its events */
    BRANT__TRY(brant__stream_changes(db));
    for (redacted_event *event = self->first; event; event = event->next) {
        BRANT__TRY(brant__statement_get(&update, db, &brant__rotate_log_statements, EVENT_REDACT));
        brant__bind_text(update, 1, event->is);
        brant__bind_integer(update, 2, brant__stream_id(self->stream, event->offset));
        brant__bind_text(update, 3, event->was);
        BRANT__TRY(brant__run(db, update));
        if (brant__changes(db) == 0) {
            /* It has changed since, or is gone: the next batch begins with it. */
            self->through = event->offset - 1;
            self->end = false;
            break;
        }
        *out_any = true;
    }
cleanup:
    return status;
}

brant_status brant__rotate_log(bool *out_ours, int64_t *out_looked, brant__call *call,
                               const brant__graph *graph, brant__rotation *rotation,
                               int64_t limit) {
    log_batch self = {.call = call, .graph = graph};
    brant__rotation next = *rotation;
    bool begun = false, any;
    brant_status status;

    *out_ours = false;
    *out_looked = 0;
    self.last = &self.first;
    BRANT__TRY(brant__begin(call->db, BRANT__READ));
    begun = true;
    BRANT__TRY(read_events(&self, rotation->event, limit));
    BRANT__TRY(brant__commit(call->db));
    begun = false;
    BRANT__TRY(brant__begin(call->db, BRANT__WRITE));
    begun = true;
    BRANT__TRY(write_events(&self, &any));
    next.event = self.through;
    next.traces = next.traces || any;
    if (self.end) next.stage = BRANT__ROTATE_DONE;
    BRANT__TRY(brant__rotation_write(out_ours, call, graph->id, &next));
    if (!*out_ours) goto cleanup; /* what another did stands */
    BRANT__TRY(brant__commit(call->db));
    begun = false;
    next.step++;
    *rotation = next;
    *out_looked = self.looked;
cleanup:
    if (begun) brant__rollback(call->db);
    if (status != BRANT_OK) *out_ours = false;
    brant__json_free(&self.json);
    brant__buffer_free(&self.text);
    brant__free(self.values);
    brant__arena_free(&self.arena);
    return status;
}
