/*
 * graph/calls.c: the events of the call protocol, and the graph that is made of them.
 *
 * A projection takes the next events of the stream, folds those of one call into what is stored of it, and writes calls, edges and the
 * consumer's offset in one transaction: killed at any moment, it goes on where its last commit left it, and each event counts once.
 * Folding does not mind the order: what a request says is taken once, a status only ever rises (requested, running, responded, then the first of completed, aborted, error),
 * the output is the newest by its time. A call that is named before its request is known stands there as a placeholder until then.
 */
#include "event/stream.h"
#include "graph/graph.h"
#include "graph/seal.h"

#define STREAM BRANT__TEXT("call-protocol")
#define PLACEHOLDER                                                                                \
    BRANT__TEXT("unknown") /* the operation of a call whose request is not known yet */
#define OWN_METADATA "call_protocol"
#define NAME_SIZE    255
#define FAULTS       100
#define NONE         SIZE_MAX

enum { NODE, CONSUMER, COMMIT, STATEMENT_COUNT };
static const char *const sql[STATEMENT_COUNT] = {
    [NODE] = "SELECT attributes, metadata FROM nodes WHERE graph = :graph AND key = :key",
    [CONSUMER] =
        "SELECT \"offset\" FROM stream_consumers WHERE stream = :stream AND name = :name AND "
        "kind = 0",
    [COMMIT] =
        ("INSERT INTO stream_consumers (stream, name, \"offset\", created_at, updated_at) VALUES "
         "(:stream, :name, :offset, :now, :now) ON CONFLICT (stream, name) DO UPDATE SET "
         "\"offset\" = max(\"offset\", excluded.\"offset\"), updated_at = excluded.updated_at"),
};
static const brant__statements statements = {BRANT__TABLE_CALL, STATEMENT_COUNT, sql};

static brant_status get(brant__statement **out, brant__call *call, int which) {
    return brant__statement_get(out, call->db, &statements, (size_t)which);
}

/* ---- events -------------------------------------------------------------------------------------------------------------------- */

enum { ANY, NAME, TEXT, TIME, KIND, ERROR, IDENTITY, CALLS };

/* `request`: taken from the request alone. `attribute`: a member of the call. */
static const struct {
    const char *name;
    int kind;
    bool request;
    bool attribute;
} members[] = {
    {"request_id", NAME, true, true},
    {"operation_id", TEXT, true, true},
    {"namespace", ANY, true, true},
    {"type", KIND, true, true},
    {"input", ANY, true, true},
    {"output", ANY, false, true},
    {"error", ERROR, false, true},
    {"identity", IDENTITY, true, true},
    {"parent_request_id", NAME, true, true},
    {"deadline", TIME, true, true},
    {"started_at", TIME, false, true},
    {"trace_id", TEXT, true, true},
    {"span_id", TEXT, true, true},
    {"at", TIME, false, false},
    {"depends_on", CALLS, true, false},
};

/* In the order of their rank; those behind `responded` end a call. */
static const struct {
    const char *event;
    const char *status;
    int rank;
} events[] = {
    {"call.requested", "requested", 1}, {NULL, "running", 2},
    {"call.responded", "responded", 3}, {"call.completed", "completed", 4},
    {"call.aborted", "aborted", 4},     {"call.error", "error", 4},
};
enum { REQUESTED = 0, RESPONDED = 2, FAILED = 5, END_RANK = 4 };

static bool is_text(yyjson_val *value, size_t most) {
    return yyjson_is_str(value) && yyjson_get_len(value) >= 1 && yyjson_get_len(value) <= most &&
           !memchr(yyjson_get_str(value), 0, yyjson_get_len(value));
}

static bool only_texts(yyjson_val *array) {
    size_t index, count;
    yyjson_val *value;

    if (!yyjson_is_arr(array)) return false;
    yyjson_arr_foreach(array, index, count, value) {
        if (!yyjson_is_str(value)) return false;
    }
    return true;
}

static bool is_error(yyjson_val *value) {
    yyjson_val *message = brant__json_get(value, "message");

    return yyjson_is_str(brant__json_get(value, "code")) && (!message || yyjson_is_str(message)) &&
           yyjson_obj_size(value) == (message ? 2 : 1);
}

static bool is_identity(yyjson_val *value) {
    yyjson_val *scopes = brant__json_get(value, "scopes");
    yyjson_val *resources = brant__json_get(value, "resources"), *name, *ids;
    size_t index, count;

    if (!is_text(brant__json_get(value, "id"), SIZE_MAX) || (scopes && !only_texts(scopes)) ||
        (resources && !yyjson_is_obj(resources)) ||
        yyjson_obj_size(value) != 1u + (scopes != NULL) + (resources != NULL))
        return false;
    yyjson_obj_foreach(resources, index, count, name, ids) {
        if (!only_texts(ids)) return false;
    }
    return true;
}

/* A request_id, or {"request_id", "reason"?}. */
static bool is_call(yyjson_val *value) {
    yyjson_val *reason = brant__json_get(value, "reason");

    if (!yyjson_is_obj(value)) return is_text(value, NAME_SIZE);
    return is_text(brant__json_get(value, "request_id"), NAME_SIZE) &&
           (!reason || yyjson_is_str(reason)) && yyjson_obj_size(value) == (reason ? 2 : 1);
}

static bool is_kind(yyjson_val *value, int kind) {
    size_t index, count;
    yyjson_val *item;

    switch (kind) {
    case NAME:
        return is_text(value, NAME_SIZE);
    case TEXT:
        return is_text(value, SIZE_MAX);
    case TIME:
        return brant__json_integer(value, -1) == brant__json_integer(value, -2);
    case KIND:
        return yyjson_equals_str(value, "query") || yyjson_equals_str(value, "mutation") ||
               yyjson_equals_str(value, "subscription");
    case ERROR:
        return is_error(value);
    case IDENTITY:
        return is_identity(value);
    case CALLS:
        if (!yyjson_is_arr(value)) return false;
        yyjson_arr_foreach(value, index, count, item) {
            if (!is_call(item)) return false;
        }
        return true;
    default:
        return true;
    }
}

/* Which event it is; INVALID where it is none of the protocol's. */
static brant_status check_event(int *out, yyjson_val *event) {
    const brant__text name = brant__json_get_text(event, "event");

    for (*out = 0; *out < (int)BRANT__COUNT(events); ++*out)
        if (events[*out].event && brant__text_equal(name, brant__text_string(events[*out].event)))
            break;
    if (*out == (int)BRANT__COUNT(events))
        return brant__fail(BRANT_INVALID, "/event is none of call.requested, call.responded, "
                                          "call.completed, call.aborted, call.error");
    for (size_t i = 0; i < BRANT__COUNT(members); i++) {
        yyjson_val *value = brant__json_get(event, members[i].name);
        if (value && !is_kind(value, members[i].kind))
            return brant__fail(BRANT_INVALID, "/%s is not what the call protocol has there",
                               members[i].name);
    }
    if (!brant__json_get(event, "request_id"))
        return brant__fail(BRANT_INVALID, "/request_id is missing");
    if (*out == REQUESTED && !brant__json_get(event, "operation_id"))
        return brant__fail(BRANT_INVALID, "/operation_id of a request is missing");
    if (*out == FAILED && !brant__json_get(event, "error"))
        return brant__fail(BRANT_INVALID, "/error of call.error is missing");
    return BRANT_OK;
}

/* A session does not say of a call that another made it. */
static brant_status check_caller(brant__call *call) {
    const brant__session *session = brant__db_session(call->db);
    yyjson_val *identity = brant__json_get(call->input, "identity");

    if (!session || !identity ||
        brant__text_equal(brant__json_get_text(identity, "id"), session->id))
        return BRANT_OK;
    return brant__fail(BRANT_DENIED, "/identity/id is not the session's");
}

brant_status brant__call_publish(brant__call *call) {
    yyjson_val *input = call->input, *stream = brant__json_get(input, "stream");
    const brant__text id = brant__json_get_text(input, "request_id");
    brant__writer payload = {0};
    int64_t offset;
    int which;
    brant_status status;

    BRANT__TRY(check_event(&which, input));
    BRANT__TRY(check_caller(call));
    brant__write_object(&payload);
    brant__write_name(&payload, "event");
    brant__write_value(&payload, brant__json_get(input, "event"));
    for (size_t i = 0; i < BRANT__COUNT(members); i++) {
        yyjson_val *value = brant__json_get(input, members[i].name);
        if (value) {
            brant__write_name(&payload, members[i].name);
            brant__write_value(&payload, value);
        } else if (strcmp(members[i].name, "at") == 0) {
            brant__write_integer_member(&payload, "at", brant__db_now(call->db));
        }
    }
    brant__write_end(&payload);
    if (payload.buffer.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    BRANT__TRY(brant__stream_publish(&offset, call->db, stream ? brant__json_text(stream) : STREAM,
                                     id,
                                     brant__text_of(payload.buffer.data, payload.buffer.length)));
    brant__write_integer_object(call->out, "offset", offset);
cleanup:
    brant__buffer_free(&payload.buffer);
    return status;
}

/* ---- calls ---------------------------------------------------------------------------------------------------------------------- */

/* A call of the batch, as the events so far leave it. Texts are in the arena. */
typedef struct folded {
    brant__text key;
    brant__text attributes; /* {NULL, 0}: nothing is known of it yet */
    brant__text metadata;
    bool changed;
} folded;

typedef struct projection {
    brant__call *call;
    brant__graph graph;
    brant__text graph_name;
    brant__arena arena;
    folded *calls;
    size_t count;
    size_t room;
    brant__map places; /* by key */
    brant__writer edges[2];
    size_t edge_count[2];
    brant__json event;
    brant__json attributes;
    brant__json metadata;
    brant__writer scratch;
    brant__json batch;
    brant__writer answer;
    brant__writer faults;
    size_t fault_count;
    int64_t projected;
} projection;

enum { TRIGGERED, DEPENDS_ON };
static const char *const edge_types[] = {"Triggered", "DependsOn"};

static void clear(brant__writer *writer) {
    brant__buffer_reset(&writer->buffer);
    *writer = (brant__writer){.buffer = writer->buffer};
}

static brant_status copy(brant__text *out, projection *self, brant__text text) {
    *out = (brant__text){NULL, 0};
    if (!text.data) return BRANT_OK;
    *out = brant__text_of(brant__arena_copy(&self->arena, text.data, text.length), text.length);
    return out->data ? BRANT_OK : brant__fail_memory();
}

/* The place of a call, with what is stored of it. */
static brant_status find_call(size_t *out, projection *self, brant__text key) {
    brant__statement *statement = NULL;
    folded *calls, *made;
    int64_t place;
    bool row;
    brant_status status;

    if (brant__map_get(&self->places, key, &place)) {
        *out = (size_t)place;
        return BRANT_OK;
    }
    calls = brant__grow(self->calls, &self->room, self->count, sizeof(*calls));
    if (!calls) return brant__fail_memory();
    self->calls = calls;
    made = &calls[self->count];
    *made = (folded){.changed = false};
    BRANT__TRY(copy(&made->key, self, key));
    BRANT__TRY(get(&statement, self->call, NODE));
    brant__bind_integer(statement, 1, self->graph.row_id);
    brant__bind_text(statement, 2, key);
    BRANT__TRY(brant__step(&row, self->call->db, statement));
    if (row) {
        BRANT__TRY(copy(&made->attributes, self, brant__column_text(statement, 0)));
        BRANT__TRY(copy(&made->metadata, self, brant__column_text(statement, 1)));
    }
    if (!brant__map_put(&self->places, made->key, (int64_t)self->count)) {
        status = brant__fail_memory();
        goto cleanup;
    }
    *out = self->count++;
cleanup:
    brant__reset(statement);
    return status;
}

static int rank_of(brant__text status) {
    for (size_t i = 0; i < BRANT__COUNT(events); i++)
        if (brant__text_equal(status, brant__text_string(events[i].status))) return events[i].rank;
    return 0;
}

/* What was there, and what is known of it now: members of an open object. `event` NULL: nothing but that there is such a call. */
typedef struct known {
    bool request;      /* its request is known */
    int64_t output_at; /* INT64_MIN: it has no output */
} known;

static known read_known(yyjson_val *metadata) {
    yyjson_val *own = brant__json_get(metadata, OWN_METADATA);

    return (known){
        .request = own && !brant__json_bool(brant__json_get(own, "placeholder"), false),
        .output_at = brant__json_integer(brant__json_get(own, "output_at"), INT64_MIN),
    };
}

static void write_metadata(brant__writer *out, yyjson_val *metadata, known now) {
    size_t index, count;
    yyjson_val *name, *value;

    brant__write_object(out);
    yyjson_obj_foreach(metadata, index, count, name, value) {
        if (yyjson_equals_str(name, OWN_METADATA)) continue;
        brant__write_name_text(out, brant__json_text(name));
        brant__write_value(out, value);
    }
    brant__write_name(out, OWN_METADATA);
    brant__write_object(out);
    if (!now.request) {
        brant__write_bool_member(out, "placeholder", true);
    }
    if (now.output_at != INT64_MIN) brant__write_integer_member(out, "output_at", now.output_at);
    brant__write_end(out);
    brant__write_end(out);
}

/* `which` -1: no event, the call is only named. */
static void write_attributes(brant__writer *out, brant__text key, yyjson_val *old,
                             yyjson_val *event, int which, known was, known *now) {
    const int64_t at = brant__json_integer(brant__json_get(event, "at"), 0);
    const brant__text status = brant__json_get_text(old, "status");
    const int old_rank = rank_of(status), rank = which < 0 ? 0 : events[which].rank;
    const bool request = which == REQUESTED && !was.request;
    const bool ends = rank == END_RANK && old_rank < END_RANK;
    yyjson_val *requested_at = brant__json_get(old, "requested_at");
    yyjson_val *completed_at = brant__json_get(old, "completed_at");

    *now = was;
    now->request = was.request || request;
    brant__write_object(out);
    for (size_t i = 0; i < BRANT__COUNT(members); i++) {
        yyjson_val *stored = brant__json_get(old, members[i].name);
        yyjson_val *given = brant__json_get(event, members[i].name), *value = stored;
        if (!members[i].attribute) continue;
        if (i == 0) {
            brant__write_text_member(out, "request_id", key);
            continue;
        }
        if (members[i].request) {
            if (request && given) value = given;
            /* Better than nothing. */
            if (!now->request && !stored) value = given;
        } else if (strcmp(members[i].name, "output") == 0) {
            if (given && at >= was.output_at) {
                value = given;
                now->output_at = at;
            }
        } else if (strcmp(members[i].name, "error") == 0) {
            if (ends) value = given;
        } else if (!stored) {
            value = given;
        }
        if (value) {
            brant__write_name(out, members[i].name);
            brant__write_value(out, value);
        } else if (i == 1) {
            brant__write_text_member(out, "operation_id", PLACEHOLDER);
        }
    }
    if (rank > old_rank)
        brant__write_text_member(out, "status", brant__text_string(events[which].status));
    else
        brant__write_text_member(out, "status", status.data ? status : BRANT__TEXT("requested"));
    if (request)
        brant__write_integer_member(out, "requested_at", at);
    else if (requested_at)
        brant__write_integer_member(out, "requested_at", brant__json_integer(requested_at, 0));
    if (ends)
        brant__write_integer_member(out, "completed_at", at);
    else if (completed_at)
        brant__write_integer_member(out, "completed_at", brant__json_integer(completed_at, 0));
    brant__write_end(out);
}

static brant_status parse_stored(brant__json *json, brant__text text) {
    return brant__json_parse(json, text.data ? text.data : "{}", text.data ? text.length : 2, 0);
}

/* Fold an event into its call. *out_request: it is the call's request, and the first. */
static brant_status fold(bool *out_request, projection *self, size_t place, yyjson_val *event,
                         int which) {
    folded *item = &self->calls[place];
    brant__writer *out = &self->scratch;
    brant__text attributes;
    known was, now;
    brant_status status;

    *out_request = false;
    BRANT__TRY(parse_stored(&self->attributes, item->attributes));
    BRANT__TRY(parse_stored(&self->metadata, item->metadata));
    was = read_known(self->metadata.root);
    clear(out);
    write_attributes(out, item->key, self->attributes.root, event, which, was, &now);
    if (out->buffer.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    attributes = brant__text_of(out->buffer.data, out->buffer.length);
    *out_request = now.request && !was.request;
    if (item->attributes.data && brant__text_equal(attributes, item->attributes) &&
        now.request == was.request && now.output_at == was.output_at)
        goto cleanup; /* repeated */
    item->changed = true;
    BRANT__TRY(copy(&item->attributes, self, attributes));
    clear(out);
    write_metadata(out, self->metadata.root, now);
    if (out->buffer.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    status = copy(&item->metadata, self, brant__text_of(out->buffer.data, out->buffer.length));
cleanup:
    return status;
}

/* A call that an edge names: there, if need be as a placeholder. */
static brant_status name_call(projection *self, brant__text key) {
    size_t place;
    bool request;
    brant_status status = find_call(&place, self, key);

    if (status != BRANT_OK || self->calls[place].attributes.data) return status;
    return fold(&request, self, place, NULL, -1);
}

static brant_status add_edge(projection *self, int type, brant__text source, brant__text target,
                             yyjson_val *reason) {
    brant__writer *out = &self->edges[type];

    self->edge_count[type]++;
    brant__write_object(out);
    brant__write_text_member(out, "source", source);
    brant__write_text_member(out, "target", target);
    brant__write_text_member(out, "type", brant__text_string(edge_types[type]));
    if (reason) {
        brant__write_name(out, "attributes");
        brant__write_object(out);
        brant__write_name(out, "reason");
        brant__write_value(out, reason);
        brant__write_end(out);
    }
    brant__write_end(out);
    return out->buffer.failed ? brant__fail_memory() : BRANT_OK;
}

/* The edges that a request makes; edges to itself are none. */
static brant_status add_edges(projection *self, yyjson_val *event) {
    const brant__text key = brant__json_get_text(event, "request_id");
    const brant__text parent = brant__json_get_text(event, "parent_request_id");
    size_t index, count;
    yyjson_val *value;
    brant_status status = BRANT_OK;

    if (parent.data && !brant__text_equal(parent, key)) {
        BRANT__TRY(name_call(self, parent));
        BRANT__TRY(add_edge(self, TRIGGERED, parent, key, NULL));
    }
    yyjson_arr_foreach(brant__json_get(event, "depends_on"), index, count, value) {
        const brant__text other = yyjson_is_obj(value) ? brant__json_get_text(value, "request_id")
                                                       : brant__json_text(value);
        if (brant__text_equal(other, key)) continue;
        BRANT__TRY(name_call(self, other));
        BRANT__TRY(add_edge(self, DEPENDS_ON, key, other, brant__json_get(value, "reason")));
    }
cleanup:
    return status;
}

static void note_fault(projection *self, int64_t offset, brant__text key, brant__text message) {
    brant__writer *out = &self->faults;

    if (self->fault_count++ >= FAULTS) return;
    brant__write_object(out);
    if (offset > 0) brant__write_integer_member(out, "offset", offset);
    if (key.data) brant__write_text_member(out, "key", key);
    brant__write_text_member(out, "message", message);
    brant__write_end(out);
}

/* What is no event of the protocol is passed over, and told. */
static brant_status take_event(projection *self, const brant__stream_event *event) {
    const brant_error *error;
    brant__text key;
    bool request;
    size_t place;
    int which;
    brant_status status = BRANT_INVALID;

    if (event->payload.bytes || !event->payload.data.data)
        status = brant__fail(BRANT_INVALID, "the event is not a JSON object");
    else
        status = brant__json_parse(&self->event, event->payload.data.data,
                                   event->payload.data.length, 0);
    if (status == BRANT_OK) status = check_event(&which, self->event.root);
    if (status == BRANT_INVALID || status == BRANT_LIMIT) {
        error = brant_last_error();
        note_fault(self, event->offset, event->key,
                   brant__text_of(error->message, error->message_len));
        (void)brant__error_code();
        return BRANT_OK;
    }
    if (status != BRANT_OK) return status;
    key = brant__json_get_text(self->event.root, "request_id");
    BRANT__TRY(find_call(&place, self, key));
    BRANT__TRY(fold(&request, self, place, self->event.root, which));
    if (request) BRANT__TRY(add_edges(self, self->event.root));
    self->projected++;
cleanup:
    return status;
}

/* ---- writing -------------------------------------------------------------------------------------------------------------------- */

/* Run put_many on self->scratch; its faults join ours. */
static brant_status run(projection *self, brant__handler handler) {
    brant__arena arena = {0};
    brant__call call = {.db = self->call->db, .out = &self->answer, .arena = &arena};
    size_t index, count;
    yyjson_val *fault;
    brant_status status;

    if (self->scratch.buffer.failed) return brant__fail_memory();
    BRANT__TRY(brant__json_parse(&self->batch, self->scratch.buffer.data,
                                 self->scratch.buffer.length, BRANT__JSON_DEPTH + 8));
    clear(&self->answer);
    call.input = self->batch.root;
    BRANT__TRY(handler(&call));
    if (self->answer.buffer.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    BRANT__TRY(
        brant__json_parse(&self->batch, self->answer.buffer.data, self->answer.buffer.length, 0));
    yyjson_arr_foreach(brant__json_get(self->batch.root, "items"), index, count, fault) {
        note_fault(self, 0, brant__json_get_text(fault, "key"),
                   brant__json_get_text(fault, "message"));
    }
cleanup:
    brant__arena_free(&arena);
    return status;
}

static void begin_batch(projection *self) {
    brant__writer *out = &self->scratch;

    clear(out);
    brant__write_object(out);
    brant__write_text_member(out, "graph", self->graph_name);
    brant__write_text_member(out, "errors", BRANT__TEXT("skip"));
    brant__write_name(out, "items");
}

static brant_status write_calls(projection *self) {
    const size_t most = brant__db_limits(self->call->db)->batch;
    brant__writer *out = &self->scratch;
    size_t count = 0;
    brant_status status = BRANT_OK;

    for (size_t i = 0; i < self->count; i++) {
        const folded *item = &self->calls[i];
        if (!item->changed) continue;
        if (count == 0) {
            begin_batch(self);
            brant__write_array(out);
        }
        brant__write_object(out);
        brant__write_text_member(out, "key", item->key);
        brant__write_text_member(out, "type", BRANT__TEXT("Call"));
        brant__write_name(out, "attributes");
        brant__write_raw(out, item->attributes);
        brant__write_name(out, "metadata");
        brant__write_raw(out, item->metadata);
        brant__write_end(out);
        if (++count < most) continue;
        brant__write_end(out);
        brant__write_end(out);
        BRANT__TRY(run(self, brant__node_put_many));
        count = 0;
    }
    if (count == 0) goto cleanup;
    brant__write_end(out);
    brant__write_end(out);
    status = run(self, brant__node_put_many);
cleanup:
    return status;
}

static brant_status write_edges(projection *self, int type) {
    brant__writer *list = &self->edges[type];

    if (self->edge_count[type] == 0) return BRANT_OK;
    brant__write_end(list);
    if (list->buffer.failed) return brant__fail_memory();
    begin_batch(self);
    brant__write_raw(&self->scratch, brant__text_of(list->buffer.data, list->buffer.length));
    brant__write_end(&self->scratch);
    return run(self, brant__edge_put_many);
}

/* ---- the projection ------------------------------------------------------------------------------------------------------------- */

static brant_status read_offset(int64_t *out, projection *self, const brant__stream *stream,
                                brant__text consumer) {
    brant__statement *statement = NULL;
    bool row;
    brant_status status;

    *out = 0;
    BRANT__TRY(get(&statement, self->call, CONSUMER));
    brant__bind_integer(statement, 1, stream->row_id);
    brant__bind_text(statement, 2, consumer);
    BRANT__TRY(brant__step(&row, self->call->db, statement));
    if (row) *out = brant__column_integer(statement, 0);
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status write_offset(projection *self, const brant__stream *stream,
                                 brant__text consumer, int64_t offset) {
    brant__statement *statement;
    const brant_status status = get(&statement, self->call, COMMIT);

    if (status != BRANT_OK) return status;
    brant__bind_integer(statement, 1, stream->row_id);
    brant__bind_text(statement, 2, consumer);
    brant__bind_integer(statement, 3, offset);
    brant__bind_integer(statement, 4, brant__db_now(self->call->db));
    return brant__run(self->call->db, statement);
}

static brant_status check_graph(projection *self) {
    const brant__type *type = self->graph.type;

    if (brant__type_node(type, BRANT__TEXT("Call")) != BRANT__NO_TYPE &&
        brant__type_edge(type, BRANT__TEXT("Triggered")) != BRANT__NO_TYPE &&
        brant__type_edge(type, BRANT__TEXT("DependsOn")) != BRANT__NO_TYPE && type->module->typed)
        return BRANT_OK;
    return brant__fail(BRANT_INVALID, "graph %s is of graph type %s, not call",
                       brant__quoted(self->call, self->graph.name),
                       brant__quoted(self->call, brant__text_string(type->name)));
}

/* The consumer's name: given, or calls:<graph>. */
static brant_status name_consumer(brant__text *out, projection *self) {
    brant__buffer name = {0};

    *out = brant__json_get_text(self->call->input, "consumer");
    if (!out->data) {
        brant__buffer_append(&name, "calls:", 6);
        brant__buffer_append(&name, self->graph_name.data, self->graph_name.length);
        out->length = name.length;
        out->data =
            name.failed ? NULL : brant__arena_copy(self->call->arena, name.data, name.length);
        brant__buffer_free(&name);
        if (!out->data) return brant__fail_memory();
    }
    return brant__input_name(*out, "/consumer");
}

static brant_status take_events(projection *self, const brant__stream *stream, int64_t *offset,
                                int64_t limit) {
    brant__statement *scan = NULL;
    brant__stream_event event;
    int64_t seen = 0;
    bool row;
    brant_status status;

    BRANT__TRY(
        brant__stream_scan(&scan, self->call->db, stream->row_id, *offset, stream->last, false));
    for (; seen < limit; seen++) {
        BRANT__TRY(brant__stream_next(&row, &event, self->call->db, scan));
        if (!row) {
            *offset = stream->last; /* what is not there any more will not come */
            break;
        }
        BRANT__TRY(take_event(self, &event));
        *offset = event.offset;
    }
cleanup:
    brant__reset(scan);
    return status;
}

static void answer(projection *self, int64_t offset, bool more, int64_t from, int64_t trimmed) {
    brant__writer *out = self->call->out;

    brant__write_object(out);
    brant__write_integer_member(out, "projected", self->projected);
    brant__write_integer_member(out, "offset", offset);
    brant__write_bool_member(out, "more", more);
    brant__write_integer_member(out, "failed", (int64_t)self->fault_count);
    if (self->fault_count > 0) {
        brant__write_end(&self->faults);
        brant__write_name(out, "faults");
        brant__write_raw(out, brant__text_of(self->faults.buffer.data, self->faults.buffer.length));
        if (self->faults.buffer.failed) out->buffer.failed = true;
    }
    if (from < trimmed) {
        brant__write_name(out, "gap");
        brant__stream_write_gap(out, from + 1, trimmed);
    }
    brant__write_end(out);
}

brant_status brant__call_project(brant__call *call) {
    projection self = {.call = call, .graph_name = brant__json_get_text(call->input, "graph")};
    yyjson_val *name = brant__json_get(call->input, "stream");
    const int64_t limit = brant__json_integer(brant__json_get(call->input, "limit"), 1000);
    brant__stream stream = {0};
    brant__text consumer;
    int64_t offset = 0, from = 0;
    bool found;
    brant_status status;

    for (int i = 0; i < 2; i++)
        brant__write_array(&self.edges[i]);
    brant__write_array(&self.faults);
    BRANT__TRY(brant__graph_find(&self.graph, call, true));
    BRANT__TRY(check_graph(&self));
    brant__seal_watch(call->db, self.graph.type);
    /* An event whose call cannot be sealed is not passed over: there are no others. */
    if (brant__module_encrypts(self.graph.type->module)) BRANT__TRY(brant__keyring_ready(call->db));
    BRANT__TRY(name_consumer(&consumer, &self));
    BRANT__TRY(
        brant__stream_find(&found, &stream, call->db, name ? brant__json_text(name) : STREAM));
    if (found) {
        BRANT__TRY(read_offset(&from, &self, &stream, consumer));
        offset = from;
    }
    if (found && from < stream.last) {
        BRANT__TRY(take_events(&self, &stream, &offset, limit));
        BRANT__TRY(write_calls(&self));
        BRANT__TRY(write_edges(&self, TRIGGERED));
        BRANT__TRY(write_edges(&self, DEPENDS_ON));
        BRANT__TRY(write_offset(&self, &stream, consumer, offset));
    }
    answer(&self, offset, offset < stream.last, from, stream.trimmed_through);
cleanup:
    brant__free(self.calls);
    brant__map_free(&self.places);
    brant__arena_free(&self.arena);
    brant__json_free(&self.event);
    brant__json_free(&self.attributes);
    brant__json_free(&self.metadata);
    brant__json_free(&self.batch);
    brant__buffer_free(&self.scratch.buffer);
    brant__buffer_free(&self.answer.buffer);
    brant__buffer_free(&self.faults.buffer);
    for (int i = 0; i < 2; i++)
        brant__buffer_free(&self.edges[i].buffer);
    return status;
}
