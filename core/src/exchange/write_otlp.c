/*
 * exchange/write_otlp.c: OpenTelemetry traces as JSON (OTLP/JSON), of a graph of calls.
 *
 * A call that an import made of a span has in metadata.otlp what a call has no attribute for, and is that span again. Any other call
 * becomes a span whose attribute brant.call holds the whole call, so that an import makes the same call of it; edges that a span
 * has no place for are links with the attribute brant.edge. Spans that follow one another share a resource and a scope where these are equal.
 */
#include "crypto/crypto.h"
#include "exchange/internal.h"

#define TRACE_DIGITS 32
#define SPAN_DIGITS  16
#define MAX_DEPTH    512               /* of calls above one another */
#define ARENA_BYTES  ((size_t)1 << 20) /* of texts that are kept from one span to the next */

/* A call as a span is made of it: texts are in the export's arena, or borrowed from the item. */
typedef struct otlp_call {
    brant__text key;
    int64_t row_id;
    yyjson_val *attributes;
    yyjson_val *span; /* metadata.otlp; NULL: no import made it */
    brant__text trace;
    brant__text id;
    brant__text parent;    /* its key; {NULL, 0}: none */
    brant__text parent_id; /* its span's */
} otlp_call;

/* Into memory that lasts as long as the call is written. */
static brant_status copy(brant__text *io_text, brant__export *export) {
    export->arena_bytes += io_text->length;
    return brant__arena_text(io_text, &export->arena, *io_text);
}

/* ---- ids ------------------------------------------------------------------------------------- */

static bool is_hex(brant__text text, size_t digits) {
    bool zero = true;

    if (text.length != digits) return false;
    for (size_t i = 0; i < digits; i++) {
        const char byte = text.data[i];
        if (!((byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f'))) return false;
        zero = zero && byte == '0';
    }
    return !zero;
}

/* The first digits of the key's SHA-256. */
static brant_status make_id(brant__text *out, brant__export *export, brant__text key,
                            size_t digits) {
    static const char hex[] = "0123456789abcdef";
    uint8_t hash[BRANT__HASH_SIZE];
    char text[TRACE_DIGITS];

    brant__sha256(hash, key);
    for (size_t i = 0; i < digits; i++)
        text[i] = hex[i % 2 ? hash[i / 2] & 15 : hash[i / 2] >> 4];
    *out = brant__text_of(text, digits);
    return copy(out, export);
}

static brant_status query(brant__statement **out, brant__export *export, const char *sql) {
    return brant__query_prepare(out, export->call, brant__text_string(sql));
}

/* The name of an edge's type, from the column of its row. */
static brant_status read_edge_type(brant__text *out, brant__export *export, brant__statement *row,
                                   int column) {
    uint32_t type;
    brant_status status =
        brant__read_type(&type, &export->graph, BRANT__EDGES, brant__column_integer(row, column));

    if (status == BRANT_OK) *out = brant__type_edge_name(export->graph.type, type);
    return status;
}

static bool is_triggered(brant__text type) {
    return brant__text_equal(type, BRANT__TEXT("Triggered"));
}

/* What the ids of a call's span come from. Texts are in the export's arena. */
typedef struct otlp_ids {
    int64_t row_id;
    brant__text trace; /* its attributes; {NULL, 0}: none */
    brant__text span;
    brant__text parent; /* the key of the call that triggered it */
    int64_t parent_row; /* 0: none did */
    bool kept;          /* of a span that was imported */
} otlp_ids;

/*
 * The calls that were read last, in the arena: a call is asked for by its own span and by those of all that it led to. The arena is
 * emptied between two spans, when it has grown.
 */
struct brant__otlp_calls {
    otlp_ids slots[4096]; /* by row_id */
};

static brant_status read_text(brant__text *out, brant__export *export, brant__statement *row,
                              int column) {
    *out = brant__column_text(row, column);
    return out->data ? copy(out, export) : BRANT_OK;
}

/* Of several that triggered it: whom parent_request_id names, else the first by its key. */
static brant_status query_ids(otlp_ids *out, brant__export *export) {
    brant__statement *statement = NULL;
    brant__text type;
    brant_status status;
    bool row, first = true;

    BRANT__TRY(query(&statement, export,
                     "SELECT n.attributes ->> '$.trace_id', n.attributes ->> '$.span_id', "
                     "n.metadata ->> '$.otlp' IS NOT NULL, s.row_id, s.key, e.type FROM nodes n "
                     "LEFT JOIN edges e ON e.target = n.row_id AND e.metadata = '{}' "
                     "LEFT JOIN nodes s ON s.row_id = e.source WHERE n.row_id = ? "
                     "ORDER BY s.key <> n.attributes ->> '$.parent_request_id', s.key"));
    brant__bind_integer(statement, 1, out->row_id);
    for (;; first = false) {
        BRANT__TRY(brant__step(&row, export->call->db, statement));
        if (!row) break;
        if (first) {
            BRANT__TRY(read_text(&out->trace, export, statement, 0));
            BRANT__TRY(read_text(&out->span, export, statement, 1));
            out->kept = brant__column_integer(statement, 2) && out->trace.data && out->span.data;
        }
        out->parent_row = brant__column_integer(statement, 3);
        if (!out->parent_row) break;
        BRANT__TRY(read_edge_type(&type, export, statement, 5));
        if (is_triggered(type)) {
            status = read_text(&out->parent, export, statement, 4);
            break;
        }
        out->parent_row = 0;
    }
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status read_ids(otlp_ids *out, brant__export *export, int64_t row_id) {
    otlp_ids *slot;
    brant_status status;

    if (!export->calls) {
        export->calls = brant__arena_alloc(&export->arena, sizeof *export->calls);
        if (!export->calls) return brant__fail_memory();
        memset(export->calls, 0, sizeof *export->calls);
    }
    slot = &export->calls->slots[(uint64_t)row_id % BRANT__COUNT(export->calls->slots)];
    if (slot->row_id == row_id) {
        *out = *slot;
        return BRANT_OK;
    }
    *out = (otlp_ids){.row_id = row_id};
    status = query_ids(out, export);
    if (status == BRANT_OK) *slot = *out;
    return status;
}

static brant_status span_id(brant__text *out, brant__export *export, brant__text key,
                            const otlp_ids *ids) {
    *out = ids->span;
    return ids->kept || is_hex(ids->span, SPAN_DIGITS) ? BRANT_OK
                                                       : make_id(out, export, key, SPAN_DIGITS);
}

/* A trace without an id has one of the call that all began with. */
static brant_status trace_id(brant__text *out, brant__export *export, brant__text key,
                             otlp_ids ids) {
    brant_status status;

    for (int depth = 1;; depth++) {
        *out = ids.trace;
        if (ids.kept || is_hex(ids.trace, TRACE_DIGITS)) return BRANT_OK;
        if (!ids.parent_row) break;
        key = ids.parent;
        if (depth == MAX_DEPTH) break;
        BRANT__TRY(read_ids(&ids, export, ids.parent_row));
    }
    status = make_id(out, export, key, TRACE_DIGITS);
cleanup:
    return status;
}

/* Of a span that was imported: what it came with. */
static void ids_of_span(otlp_call *call) {
    brant__text parent = brant__json_get_text(call->attributes, "parent_request_id");
    const char *dash = parent.data ? memchr(parent.data, '-', parent.length) : NULL;

    call->trace = brant__json_get_text(call->attributes, "trace_id");
    call->id = brant__json_get_text(call->attributes, "span_id");
    call->parent = parent;
    if (dash)
        call->parent_id =
            brant__text_of(dash + 1, parent.length - (size_t)(dash + 1 - parent.data));
}

static brant_status read_call(otlp_call *out, brant__export *export, const brant__export_item *item,
                              yyjson_val *metadata) {
    yyjson_val *span = yyjson_obj_get(metadata, "otlp");
    otlp_ids ids, parent;
    brant_status status = BRANT_OK;

    *out = (otlp_call){.key = item->key, .row_id = item->row_id, .attributes = item->attributes};
    if (yyjson_is_obj(span)) {
        out->span = span;
        ids_of_span(out);
        return BRANT_OK;
    }
    BRANT__TRY(read_ids(&ids, export, item->row_id));
    BRANT__TRY(span_id(&out->id, export, item->key, &ids));
    BRANT__TRY(trace_id(&out->trace, export, item->key, ids));
    if (!ids.parent_row || ids.kept) goto cleanup;
    out->parent = ids.parent;
    BRANT__TRY(read_ids(&parent, export, ids.parent_row));
    status = span_id(&out->parent_id, export, ids.parent, &parent);
cleanup:
    return status;
}

/* ---- links ----------------------------------------------------------------------------------- */

static void write_attribute(brant__writer *out, const char *name, brant__text value) {
    brant__write_object(out);
    brant__write_text_member(out, "key", brant__text_string(name));
    brant__write_name(out, "value");
    brant__write_object(out);
    brant__write_text_member(out, "stringValue", value);
    brant__write_end(out);
    brant__write_end(out);
}

/* Digits of links are as they came. */
static bool same_id(brant__text digits, brant__text id) {
    bool same = digits.length == id.length;

    for (size_t i = 0; same && i < id.length; i++) {
        const char byte = digits.data[i];
        same = id.data[i] == (byte >= 'A' && byte <= 'F' ? (char)(byte - 'A' + 'a') : byte);
    }
    return same;
}

/* Does a link of the span say this edge already? By its ids, or by what brant.edge of it says. */
static bool is_linked(const otlp_call *call, brant__text edge, bool plain, brant__text trace,
                      brant__text id) {
    yyjson_val *link, *attribute;
    size_t index, count, place, places;

    yyjson_arr_foreach(yyjson_obj_get(call->span, "links"), index, count, link) {
        bool ours = false;
        yyjson_arr_foreach(yyjson_obj_get(link, "attributes"), place, places, attribute) {
            if (!yyjson_equals_str(yyjson_obj_get(attribute, "key"), BRANT__OTLP_EDGE)) continue;
            ours = true;
            if (brant__text_equal(
                    brant__json_get_text(yyjson_obj_get(attribute, "value"), "stringValue"), edge))
                return true;
        }
        if (!ours && plain && same_id(brant__json_get_text(link, "traceId"), trace) &&
            same_id(brant__json_get_text(link, "spanId"), id))
            return true;
    }
    return false;
}

static brant_status write_link(brant__writer *out, bool *io_open, brant__export *export,
                               const otlp_call *call, brant__statement *row, brant__text type) {
    const brant__text key = brant__column_text(row, 0);
    const brant__text attributes = brant__column_text(row, 3),
                      metadata = brant__column_text(row, 4);
    brant__writer edge = {0};
    brant__text other = key, trace, id, text;
    otlp_ids ids;
    brant_status status;

    brant__write_object(&edge);
    brant__write_text_member(&edge, "type", type);
    brant__write_text_member(&edge, is_triggered(type) ? "source" : "target", key);
    if (!brant__text_equal(attributes, BRANT__TEXT("{}"))) {
        brant__write_name(&edge, "attributes");
        brant__write_raw(&edge, attributes);
    }
    if (!brant__text_equal(metadata, BRANT__TEXT("{}"))) {
        brant__write_name(&edge, "metadata");
        brant__write_raw(&edge, metadata);
    }
    brant__write_end(&edge);
    if (edge.buffer.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    text = brant__text_of(edge.buffer.data, edge.buffer.length);
    BRANT__TRY(copy(&other, export));
    BRANT__TRY(read_ids(&ids, export, brant__column_integer(row, 1)));
    BRANT__TRY(span_id(&id, export, other, &ids));
    BRANT__TRY(trace_id(&trace, export, other, ids));
    if (is_linked(call, text, brant__text_equal(type, BRANT__TEXT("Links")), trace, id))
        goto cleanup;
    if (!*io_open) {
        *io_open = true;
        brant__write_name(out, "links");
        brant__write_array(out);
    }
    brant__write_object(out);
    brant__write_text_member(out, "traceId", trace);
    brant__write_text_member(out, "spanId", id);
    brant__write_name(out, "attributes");
    brant__write_array(out);
    write_attribute(out, BRANT__OTLP_EDGE, text);
    brant__write_end(out);
    brant__write_end(out);
cleanup:
    brant__buffer_free(&edge.buffer);
    return status;
}

/* Edges that the span's parent and its own links do not say; those from it, then those of other parents. */
static brant_status write_links(brant__writer *out, brant__export *export, const otlp_call *call) {
    static const char *const rows[] = {
        "SELECT t.key, t.row_id, e.type, e.attributes, e.metadata FROM edges e CROSS JOIN nodes t "
        "ON t.row_id = e.target WHERE e.source = ? ORDER BY e.type, t.key",
        "SELECT s.key, s.row_id, e.type, e.attributes, e.metadata FROM edges e CROSS JOIN nodes s "
        "ON s.row_id = e.source WHERE e.target = ? ORDER BY s.key"};
    brant__statement *statement = NULL;
    yyjson_val *link;
    size_t index, count;
    brant__text type;
    bool open = false, row;
    brant_status status = BRANT_OK;

    if (yyjson_is_arr(yyjson_obj_get(call->span, "links"))) {
        open = true;
        brant__write_name(out, "links");
        brant__write_array(out);
        yyjson_arr_foreach(yyjson_obj_get(call->span, "links"), index, count, link)
            brant__write_value(out, link);
    }
    for (int i = 0; i < 2; i++) {
        BRANT__TRY(query(&statement, export, rows[i]));
        brant__bind_integer(statement, 1, call->row_id);
        for (;;) {
            BRANT__TRY(brant__step(&row, export->call->db, statement));
            if (!row) break;
            BRANT__TRY(read_edge_type(&type, export, statement, 2));
            const bool parent = is_triggered(type);
            /* An edge Triggered is told by the one that was triggered. */
            if (parent != (i == 1)) continue;
            if (parent && brant__text_equal(brant__column_text(statement, 0), call->parent) &&
                brant__text_equal(brant__column_text(statement, 4), BRANT__TEXT("{}")))
                continue;
            BRANT__TRY(write_link(out, &open, export, call, statement, type));
        }
        brant__reset(statement);
        statement = NULL;
    }
    if (open) brant__write_end(out);
cleanup:
    brant__reset(statement);
    return status;
}

/* ---- spans ----------------------------------------------------------------------------------- */

static void write_time(brant__writer *out, const char *name, int64_t ms) {
    char text[32];

    if (ms <= 0 || ms > INT64_MAX / 1000000) return;
    snprintf(text, sizeof text, "%lld000000", (long long)ms);
    brant__write_text_member(out, name, brant__text_string(text));
}

static void write_whole_call(brant__writer *out, const otlp_call *call,
                             const brant__export_item *item) {
    brant__writer whole = {0};
    const brant__text code =
        brant__json_get_text(yyjson_obj_get(call->attributes, "error"), "code");

    brant__write_object(&whole);
    brant__write_text_member(&whole, "key", call->key);
    if (call->parent.data) brant__write_text_member(&whole, "parent", call->parent);
    brant__write_name(&whole, "attributes");
    brant__write_raw(&whole, item->attributes_text);
    if (item->metadata.data) {
        brant__write_name(&whole, "metadata");
        brant__write_raw(&whole, item->metadata);
    }
    brant__write_end(&whole);
    brant__write_name(out, "attributes");
    brant__write_array(out);
    write_attribute(out, BRANT__OTLP_CALL, brant__text_of(whole.buffer.data, whole.buffer.length));
    if (code.data) write_attribute(out, "error.type", code);
    brant__write_end(out);
    out->buffer.failed = out->buffer.failed || whole.buffer.failed;
    brant__buffer_free(&whole.buffer);
}

static brant_status write_made_span(brant__writer *out, brant__export *export,
                                    const otlp_call *call, const brant__export_item *item) {
    yyjson_val *attributes = call->attributes, *error = yyjson_obj_get(attributes, "error");
    const brant__text state = brant__json_get_text(attributes, "status");
    const int64_t began = brant__json_integer(yyjson_obj_get(attributes, "started_at"), 0);
    brant_status status;

    brant__write_integer_member(out, "kind", 1);
    write_time(out, "startTimeUnixNano",
               began ? began : brant__json_integer(yyjson_obj_get(attributes, "requested_at"), 0));
    write_time(out, "endTimeUnixNano",
               brant__json_integer(yyjson_obj_get(attributes, "completed_at"), 0));
    write_whole_call(out, call, item);
    BRANT__TRY(write_links(out, export, call));
    brant__write_name(out, "status");
    brant__write_object(out);
    if (brant__text_equal(state, BRANT__TEXT("error"))) {
        brant__write_integer_member(out, "code", 2);
        if (yyjson_is_str(yyjson_obj_get(error, "message")))
            brant__write_text_member(out, "message", brant__json_get_text(error, "message"));
    } else if (brant__text_equal(state, BRANT__TEXT("completed"))) {
        brant__write_integer_member(out, "code", 1);
    }
    brant__write_end(out);
cleanup:
    return status;
}

static brant_status write_kept_span(brant__writer *out, brant__export *export,
                                    const otlp_call *call) {
    static const char *const elsewhere[] = {"resource", "resource_schema_url", "scope",
                                            "scope_schema_url"};
    size_t index, count;
    yyjson_val *name, *value;
    bool linked = false;
    brant_status status = BRANT_OK;

    yyjson_obj_foreach(call->span, index, count, name, value) {
        bool known = false;
        for (size_t i = 0; i < BRANT__COUNT(elsewhere); i++)
            known = known || yyjson_equals_str(name, elsewhere[i]);
        if (known) continue;
        if (yyjson_equals_str(name, "links") && yyjson_is_arr(value)) {
            linked = true;
            BRANT__TRY(write_links(out, export, call));
            continue;
        }
        brant__write_name_text(out, brant__json_text(name));
        brant__write_value(out, value);
    }
    if (!linked) status = write_links(out, export, call);
cleanup:
    return status;
}

static brant_status write_span(brant__writer *out, brant__export *export, const otlp_call *call,
                               const brant__export_item *item) {
    brant_status status;

    brant__write_object(out);
    brant__write_text_member(out, "traceId", call->trace);
    brant__write_text_member(out, "spanId", call->id);
    if (call->parent_id.data) brant__write_text_member(out, "parentSpanId", call->parent_id);
    brant__write_text_member(out, "name", brant__json_get_text(call->attributes, "operation_id"));
    status =
        call->span ? write_kept_span(out, export, call) : write_made_span(out, export, call, item);
    brant__write_end(out);
    return status;
}

/* ---- groups ---------------------------------------------------------------------------------- */

static void write_schema_url(brant__writer *out, const otlp_call *call, const char *name) {
    const brant__text url = brant__json_get_text(call->span, name);

    if (url.data) brant__write_text_member(out, "schemaUrl", url);
}

/* The begin of resourceSpans' element, and of its scopeSpans', up to the arrays: with their own braces left open. */
static void write_group(brant__writer *resource, brant__writer *scope, const otlp_call *call) {
    yyjson_val *value = yyjson_obj_get(call->span, "resource");
    const brant__text name = brant__json_get_text(call->attributes, "namespace");

    brant__write_object(resource);
    if (value) {
        brant__write_name(resource, "resource");
        brant__write_value(resource, value);
    } else if (!call->span) {
        brant__write_name(resource, "resource");
        brant__write_object(resource);
        brant__write_name(resource, "attributes");
        brant__write_array(resource);
        write_attribute(resource, "service.name", name.data ? name : BRANT__TEXT("brant"));
        brant__write_end(resource);
        brant__write_end(resource);
    }
    write_schema_url(resource, call, "resource_schema_url");
    brant__write_name(resource, "scopeSpans");
    brant__write_array(resource);

    value = yyjson_obj_get(call->span, "scope");
    brant__write_object(scope);
    if (value) {
        brant__write_name(scope, "scope");
        brant__write_value(scope, value);
    } else if (!call->span) {
        brant__write_name(scope, "scope");
        brant__write_object(scope);
        brant__write_text_member(scope, "name", BRANT__TEXT("brant"));
        brant__write_end(scope);
    }
    write_schema_url(scope, call, "scope_schema_url");
    brant__write_name(scope, "spans");
    brant__write_array(scope);
}

static bool same(const brant__buffer *a, const brant__buffer *b) {
    return brant__text_equal(brant__text_of(a->data, a->length),
                             brant__text_of(b->data, b->length));
}

/* export->group becomes the call's; *out_resource, *out_scope: it differs in that. */
static brant_status enter_group(bool *out_resource, bool *out_scope, brant__export *export,
                                const otlp_call *call) {
    brant__writer writers[2] = {{.buffer = {0}}, {.buffer = {0}}};

    write_group(&writers[0], &writers[1], call);
    *out_resource = !same(&writers[0].buffer, &export->group[0]);
    *out_scope = *out_resource || !same(&writers[1].buffer, &export->group[1]);
    for (int i = 0; i < 2; i++) {
        brant__buffer_free(&export->group[i]);
        export->group[i] = writers[i].buffer;
    }
    return writers[0].buffer.failed || writers[1].buffer.failed ? brant__fail_memory() : BRANT_OK;
}

/* At the begin of a further page: the group of the span that the page before ended with. */
static brant_status resume_group(brant__export *export) {
    brant__statement *statement = NULL;
    brant__json attributes = {0}, metadata = {0};
    otlp_call call = {0};
    yyjson_val *span;
    bool row, resource, scope;
    brant_status status;

    BRANT__TRY(query(&statement, export,
                     "SELECT attributes, metadata FROM nodes WHERE graph = ? AND key = ?"));
    brant__bind_integer(statement, 1, export->graph.row_id);
    brant__bind_text(statement, 2, export->after);
    BRANT__TRY(brant__step(&row, export->call->db, statement));
    if (!row) {
        status = brant__fail(BRANT_INVALID, "the cursor is not one of this list");
        goto cleanup;
    }
    brant__text text = brant__column_text(statement, 0);
    BRANT__TRY(brant__json_parse(&attributes, text.data, text.length, 0));
    text = brant__column_text(statement, 1);
    BRANT__TRY(brant__json_parse(&metadata, text.data, text.length, 0));
    span = yyjson_obj_get(metadata.root, "otlp");
    call.attributes = attributes.root;
    call.span = yyjson_is_obj(span) ? span : NULL;
    status = enter_group(&resource, &scope, export, &call);
cleanup:
    brant__json_free(&metadata);
    brant__json_free(&attributes);
    brant__reset(statement);
    return status;
}

static brant_status begin(brant__export *export) {
    brant__export_append(export, "{\"resourceSpans\":[");
    return BRANT_OK;
}

static brant_status node(brant__export *export, const brant__export_item *item) {
    brant__json metadata = {0};
    otlp_call call;
    bool resource, scope;
    brant_status status;

    if (export->arena_bytes > ARENA_BYTES) {
        brant__arena_reset(&export->arena);
        export->arena_bytes = 0;
        export->calls = NULL;
    }
    BRANT__TRY(brant__json_parse(&metadata, item->metadata.data ? item->metadata.data : "{}",
                                 item->metadata.data ? item->metadata.length : 2, 0));
    BRANT__TRY(read_call(&call, export, item, metadata.root));
    if (!item->first && export->group[0].length == 0) BRANT__TRY(resume_group(export));
    BRANT__TRY(enter_group(&resource, &scope, export, &call));
    if (!item->first) brant__export_append(export, resource ? "]}]}," : scope ? "]}," : ",");
    if (resource)
        brant__buffer_append(&export->text, export->group[0].data, export->group[0].length);
    if (scope) brant__buffer_append(&export->text, export->group[1].data, export->group[1].length);
    brant__buffer_reset(&export->item.buffer);
    export->item = (brant__writer){.buffer = export->item.buffer};
    BRANT__TRY(write_span(&export->item, export, &call, item));
    brant__buffer_append(&export->text, export->item.buffer.data, export->item.buffer.length);
cleanup:
    brant__json_free(&metadata);
    return status;
}

static brant_status middle(brant__export *export) {
    brant__export_append(export, export->after.length > 0 ? "]}]}]}" : "]}");
    return BRANT_OK;
}

const brant__export_format brant__otlp_format = {
    .name = "otlp", .begin = begin, .node = node, .middle = middle};
