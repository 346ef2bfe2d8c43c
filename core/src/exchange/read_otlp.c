/*
 * exchange/read_otlp.c: OpenTelemetry traces as JSON (OTLP/JSON), one document or one a line, as calls.
 *
 * The document is read three times: first its spans become nodes, then parents become edges, then links do, and give way where
 * a trace's links go round. What is parsed at once is an element of resourceSpans; members that nobody knows are passed over, as the
 * protocol asks. place.section holds the phase, whether the place is inside resourceSpans, and how many items of the element at
 * the place are done.
 *
 * A span that write_otlp.c made of a call has the whole call in its attribute brant.call, a link an edge in brant.edge: they become what they were.
 */
#include "exchange/import.h"

enum { PHASE_NODES, PHASE_PARENTS, PHASE_LINKS, PHASE_END, PHASE_MASK = 3 };
enum { INSIDE = 4, DONE_SHIFT = 3 };

#define ID_BYTES 64

static brant_status begin(brant__import *import) {
    import->document.graph_type = BRANT__TEXT("call");
    return BRANT_OK;
}

static brant_status fail(const char *what) {
    return brant__fail(BRANT_INVALID, "%s", what);
}

/* ---- documents ------------------------------------------------------------------------------- */

/* Over a member's name, at which the offset stands, and its colon. */
static brant_status read_name(bool *out_spans, brant__import *import, int64_t *io_offset) {
    brant__range name = {*io_offset, 0};
    int byte;
    brant_status status;

    BRANT__TRY(brant__skip_value(&name.end, &import->source, import->call, name.begin));
    BRANT__TRY(brant__import_parse(import, name));
    if (!yyjson_is_str(import->json.root)) {
        status = brant__source_fail(name.begin, "a member has no name");
        goto cleanup;
    }
    *out_spans = yyjson_equals_str(import->json.root, "resourceSpans");
    *io_offset = name.end;
    BRANT__TRY(brant__skip_space(&byte, &import->source, io_offset));
    if (byte != ':') {
        status = brant__source_fail(*io_offset, "a colon is missing");
        goto cleanup;
    }
    ++*io_offset;
    status = brant__skip_space(&byte, &import->source, io_offset);
cleanup:
    return status;
}

/*
 * Over members of the document, from one (`first`) or from behind one: to behind the bracket of resourceSpans, or where there is
 * none to behind the document. `first` is true until resourceSpans has been read, so one that comes again is a fault.
 */
static brant_status read_members(bool *out_found, brant__import *import, int64_t *io_offset,
                                 bool first) {
    const bool before = first;
    bool spans;
    int byte;
    brant_status status;

    *out_found = false;
    for (;; first = false) {
        BRANT__TRY(brant__skip_space(&byte, &import->source, io_offset));
        if (byte == '}') {
            ++*io_offset;
            goto cleanup;
        }
        if (!first) {
            if (byte != ',') {
                status = brant__source_fail(*io_offset, "the document is not closed");
                goto cleanup;
            }
            ++*io_offset;
            BRANT__TRY(brant__skip_space(&byte, &import->source, io_offset));
        }
        BRANT__TRY(read_name(&spans, import, io_offset));
        if (!spans) {
            BRANT__TRY(brant__skip_value(io_offset, &import->source, import->call, *io_offset));
            continue;
        }
        if (!before) {
            status = brant__source_fail(*io_offset, "resourceSpans is there twice");
            goto cleanup;
        }
        BRANT__TRY(brant__skip_space(&byte, &import->source, io_offset));
        if (byte != '[') {
            status = fail("resourceSpans is no array");
            goto cleanup;
        }
        ++*io_offset;
        *out_found = true;
        goto cleanup;
    }
cleanup:
    return status;
}

/* From the begin of a document to behind the bracket of the next resourceSpans. */
static brant_status enter(bool *out_found, brant__import *import, int64_t *io_offset) {
    int byte;
    brant_status status;

    for (;;) {
        *out_found = false;
        BRANT__TRY(brant__skip_space(&byte, &import->source, io_offset));
        if (byte < 0) goto cleanup;
        if (byte != '{') {
            status = brant__source_fail(*io_offset, "the document is no object");
            goto cleanup;
        }
        ++*io_offset;
        BRANT__TRY(read_members(out_found, import, io_offset, true));
        if (*out_found) goto cleanup;
    }
cleanup:
    return status;
}

/* The element at the place; *out_found false: the phase has no more. */
static brant_status find_element(bool *out_found, brant__range *out, brant__import *import) {
    brant__place *place = &import->place;
    int64_t offset = place->offset;
    brant_status status;

    for (;;) {
        if (!(place->section & INSIDE)) {
            BRANT__TRY(enter(out_found, import, &offset));
            if (!*out_found) goto cleanup;
            place->section |= INSIDE;
            place->offset = offset;
        }
        BRANT__TRY(brant__next_element(out_found, out, &import->source, import->call, &offset));
        if (*out_found) goto cleanup;
        BRANT__TRY(read_members(out_found, import, &offset, false));
        place->section &= ~(int64_t)INSIDE;
        place->offset = offset;
    }
cleanup:
    return status;
}

/* ---- spans ----------------------------------------------------------------------------------- */

/* <trace id>-<span id>, lower-case, appended. Ids are hexadecimal. */
static brant_status write_id(brant__buffer *out, yyjson_val *id) {
    brant__text text = brant__json_text(id);

    if (text.length == 0 || text.length > ID_BYTES) return fail("an id is missing or too long");
    for (size_t i = 0; i < text.length; i++) {
        char byte = text.data[i];
        if (byte >= 'A' && byte <= 'F') byte = (char)(byte - 'A' + 'a');
        if (!((byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f')))
            return fail("an id is not hexadecimal");
        brant__buffer_append_byte(out, byte);
    }
    return BRANT_OK;
}

static brant_status read_key(brant__text *out, brant__import *import, yyjson_val *trace,
                             yyjson_val *span) {
    brant__buffer text = {0};
    brant_status status;

    BRANT__TRY(write_id(&text, trace));
    brant__buffer_append_byte(&text, '-');
    BRANT__TRY(write_id(&text, span));
    out->data = text.failed ? NULL : brant__arena_copy(&import->arena, text.data, text.length);
    out->length = text.length;
    if (!out->data) status = brant__fail_memory();
cleanup:
    brant__buffer_free(&text);
    return status;
}

/* Nanoseconds as a number or its text, in ms. False: there is none. */
static bool read_time(int64_t *out, yyjson_val *value) {
    brant__text text = brant__json_text(value);
    uint64_t time = 0;

    if (yyjson_is_uint(value)) {
        time = yyjson_get_uint(value);
    } else {
        if (text.length == 0 || text.length > 19) return false;
        for (size_t i = 0; i < text.length; i++) {
            if (text.data[i] < '0' || text.data[i] > '9') return false;
            time = time * 10 + (uint64_t)(text.data[i] - '0');
        }
    }
    *out = (int64_t)(time / 1000000);
    return time > 0;
}

/* The text of an attribute of a resource. */
static brant__text attribute(yyjson_val *attributes, const char *name) {
    size_t index, count;
    yyjson_val *item;

    yyjson_arr_foreach(attributes, index, count, item) {
        if (yyjson_equals_str(yyjson_obj_get(item, "key"), name))
            return brant__json_get_text(yyjson_obj_get(item, "value"), "stringValue");
    }
    return (brant__text){NULL, 0};
}

typedef struct otlp_span {
    yyjson_val *value;
    yyjson_val *scope;
    yyjson_val *scope_spans;
    yyjson_val *resource;
    yyjson_val *resource_spans;
    yyjson_val *whole; /* what brant.call says, in import->header; NULL: nothing */
    brant__text key;
    brant__text parent; /* {NULL, 0}: none */
} otlp_span;

/* An id of zeros is none. */
static bool is_id(yyjson_val *value) {
    const brant__text text = brant__json_text(value);

    for (size_t i = 0; i < text.length; i++)
        if (text.data[i] != '0') return true;
    return false;
}

/* The JSON object that an attribute of ours has, in import->header; NULL where there is none that is well formed. */
static brant_status read_ours(yyjson_val **out, brant__import *import, yyjson_val *attributes,
                              const char *name) {
    const brant__text text = attribute(attributes, name);
    brant_status status;

    *out = NULL;
    if (!text.data) return BRANT_OK;
    status = brant__json_parse(&import->header, text.data, text.length, 0);
    if (status == BRANT_NO_MEMORY) return status;
    if (status != BRANT_OK)
        brant__error_code();
    else if (yyjson_is_obj(import->header.root))
        *out = import->header.root;
    return BRANT_OK;
}

static brant_status read_whole(otlp_span *span, brant__import *import) {
    const brant__text parent = brant__json_get_text(span->whole, "parent");
    brant_status status;

    BRANT__TRY(
        brant__arena_text(&span->key, &import->arena, brant__json_get_text(span->whole, "key")));
    if (parent.length > 0) status = brant__arena_text(&span->parent, &import->arena, parent);
cleanup:
    return status;
}

static brant_status read_span(otlp_span *span, brant__import *import) {
    yyjson_val *parent = yyjson_obj_get(span->value, "parentSpanId");
    yyjson_val *trace = yyjson_obj_get(span->value, "traceId");
    brant_status status;

    span->key = span->parent = (brant__text){NULL, 0};
    if (!yyjson_is_obj(span->value)) return fail("the span is no object");
    BRANT__TRY(read_ours(&span->whole, import, yyjson_obj_get(span->value, "attributes"),
                         BRANT__OTLP_CALL));
    if (brant__json_get_text(span->whole, "key").length > 0 &&
        yyjson_is_obj(yyjson_obj_get(span->whole, "attributes"))) {
        status = read_whole(span, import);
        goto cleanup;
    }
    span->whole = NULL;
    BRANT__TRY(read_key(&span->key, import, trace, yyjson_obj_get(span->value, "spanId")));
    if (is_id(parent)) status = read_key(&span->parent, import, trace, parent);
cleanup:
    return status;
}

static void write_text_member(brant__writer *out, const char *name, brant__text text) {
    if (text.length == 0) return;
    brant__write_text_member(out, name, text);
}

static bool is_error(yyjson_val *status) {
    yyjson_val *code = yyjson_obj_get(status, "code");

    return brant__json_integer(code, 0) == 2 || yyjson_equals_str(code, "STATUS_CODE_ERROR");
}

/* What a call has no attribute for. */
static void write_rest(brant__writer *out, const otlp_span *span) {
    static const char *const taken[] = {"traceId", "spanId", "parentSpanId", "name"};
    const struct {
        const char *name;
        yyjson_val *value;
    } around[] = {
        {"resource", span->resource},
        {"resource_schema_url", yyjson_obj_get(span->resource_spans, "schemaUrl")},
        {"scope", span->scope},
        {"scope_schema_url", yyjson_obj_get(span->scope_spans, "schemaUrl")},
    };
    size_t index, count;
    yyjson_val *name, *value;

    brant__write_name(out, "metadata");
    brant__write_object(out);
    brant__write_name(out, "otlp");
    brant__write_object(out);
    yyjson_obj_foreach(span->value, index, count, name, value) {
        bool known = false;
        for (size_t i = 0; i < BRANT__COUNT(taken); i++)
            known = known || yyjson_equals_str(name, taken[i]);
        for (size_t i = 0; i < BRANT__COUNT(around); i++)
            known = known || yyjson_equals_str(name, around[i].name);
        if (known) continue;
        brant__write_name_text(out, brant__json_text(name));
        brant__write_value(out, value);
    }
    for (size_t i = 0; i < BRANT__COUNT(around); i++)
        if (around[i].value) {
            brant__write_name(out, around[i].name);
            brant__write_value(out, around[i].value);
        }
    brant__write_end(out);
    brant__write_end(out);
}

static void write_whole(brant__import *import, const otlp_span *span) {
    brant__writer *out = &import->items;
    yyjson_val *metadata = yyjson_obj_get(span->whole, "metadata");

    brant__write_text_member(out, "key", span->key);
    brant__write_text_member(out, "type", BRANT__TEXT("Call"));
    if (metadata) {
        brant__write_name(out, "metadata");
        brant__write_value(out, metadata);
    }
    brant__write_name(out, "attributes");
    brant__write_value(out, yyjson_obj_get(span->whole, "attributes"));
}

static void write_call(brant__import *import, const otlp_span *span) {
    brant__writer *out = &import->items;
    yyjson_val *status = yyjson_obj_get(span->value, "status");
    brant__text name = brant__json_get_text(span->value, "name");
    brant__text key = span->key;
    size_t dash = (size_t)((const char *)memchr(key.data, '-', key.length) - key.data);
    int64_t began = 0, ended = 0;
    bool has_began = read_time(&began, yyjson_obj_get(span->value, "startTimeUnixNano"));
    bool has_ended = read_time(&ended, yyjson_obj_get(span->value, "endTimeUnixNano"));

    write_text_member(out, "key", key);
    brant__write_text_member(out, "type", BRANT__TEXT("Call"));
    write_rest(out, span);
    brant__write_name(out, "attributes");
    brant__write_object(out);
    write_text_member(out, "request_id", key);
    write_text_member(out, "operation_id", name.length ? name : key);
    write_text_member(out, "namespace",
                      attribute(yyjson_obj_get(span->resource, "attributes"), "service.name"));
    brant__write_name(out, "status");
    if (is_error(status)) {
        brant__write_text(out, BRANT__TEXT("error"));
        brant__write_name(out, "error");
        brant__write_object(out);
        write_text_member(out, "code", BRANT__TEXT("ERROR"));
        write_text_member(out, "message", brant__json_get_text(status, "message"));
        brant__write_end(out);
    } else {
        brant__write_text(out, has_ended ? BRANT__TEXT("completed") : BRANT__TEXT("running"));
    }
    write_text_member(out, "parent_request_id", span->parent);
    if (has_began) {
        brant__write_integer_member(out, "requested_at", began);
        brant__write_integer_member(out, "started_at", began);
    }
    if (has_ended) brant__write_integer_member(out, "completed_at", ended);
    write_text_member(out, "trace_id", brant__text_of(key.data, dash));
    write_text_member(out, "span_id", brant__text_of(key.data + dash + 1, key.length - dash - 1));
    brant__write_end(out);
}

/* ---- items ----------------------------------------------------------------------------------- */

/* Items of one element are numbered; those before `done` are written. */
typedef struct otlp_element {
    brant__import *import;
    int64_t done;
    int64_t number;
    int64_t end; /* of the element */
    bool full;
} otlp_element;

/* After an item: the place stays at the element, one item further. */
static void advance(otlp_element *element) {
    element->number++;
    element->import->place.section += (int64_t)1 << DONE_SHIFT;
}

static brant_status fault(otlp_element *element, brant__text key) {
    brant_status status = brant__import_fault(element->import, key, element->import->place.offset);

    if (status == BRANT_OK) advance(element);
    return status;
}

static bool is_done(otlp_element *element) {
    if (element->number >= element->done) return false;
    element->number++;
    return true;
}

/* An edge of the span: from a call that triggered it, or one that a link tells. */
typedef struct otlp_edge {
    brant__text type;
    brant__text source;
    brant__text target;
    brant__text other; /* of the two, the one that need not be there */
    bool linked;
    yyjson_val *link; /* the attributes of a link that is not ours; NULL: none */
    yyjson_val *ours; /* what brant.edge says; NULL: nothing */
} otlp_edge;

static void write_edge_content(brant__writer *out, const otlp_edge *edge) {
    static const char *const members[] = {"attributes", "metadata"};

    if (edge->link) {
        brant__write_name(out, "attributes");
        brant__write_object(out);
        brant__write_name(out, "attributes");
        brant__write_value(out, edge->link);
        brant__write_end(out);
    }
    for (size_t i = 0; i < BRANT__COUNT(members); i++) {
        yyjson_val *value = yyjson_obj_get(edge->ours, members[i]);
        if (!value) continue;
        brant__write_name(out, members[i]);
        brant__write_value(out, value);
    }
}

static brant_status write_edge(otlp_element *element, const otlp_edge *edge) {
    brant__import *import = element->import;
    brant__call call = brant__import_call(import);
    brant__node_ref ref;
    brant_status status = brant__node_find(&ref, NULL, &call, &import->graph, edge->other);

    if (status != BRANT_OK) return status;
    /* A parent or a linked span that is not among the traces: the node says it. */
    if (!ref.row_id) {
        element->import->place.section += (int64_t)1 << DONE_SHIFT;
        element->number++;
        return BRANT_OK;
    }
    import->yielding = edge->linked;
    if (!brant__import_begin_item(import, BRANT__EDGES)) {
        element->full = true;
        return BRANT_OK;
    }
    brant__write_text_member(&import->items, "source", edge->source);
    brant__write_text_member(&import->items, "target", edge->target);
    brant__write_text_member(&import->items, "type", edge->type);
    write_edge_content(&import->items, edge);
    brant__import_end_item(import, import->place.offset);
    advance(element);
    return BRANT_OK;
}

static brant_status write_link(otlp_element *element, const otlp_span *span, yyjson_val *link) {
    yyjson_val *attributes = yyjson_obj_get(link, "attributes");
    otlp_edge edge = {.type = BRANT__TEXT("Links"), .source = span->key, .linked = true};
    brant__text source, target;
    brant_status status;

    BRANT__TRY(read_ours(&edge.ours, element->import, attributes, BRANT__OTLP_EDGE));
    source = brant__json_get_text(edge.ours, "source");
    target = brant__json_get_text(edge.ours, "target");
    if (brant__json_get_text(edge.ours, "type").length > 0 &&
        (source.length > 0) != (target.length > 0)) {
        edge.type = brant__json_get_text(edge.ours, "type");
        edge.source = source.length > 0 ? source : span->key;
        edge.target = target.length > 0 ? target : span->key;
        edge.other = source.length > 0 ? source : target;
        return write_edge(element, &edge);
    }
    edge.ours = NULL;
    edge.link = attributes;
    status = read_key(&edge.target, element->import, yyjson_obj_get(link, "traceId"),
                      yyjson_obj_get(link, "spanId"));
    edge.other = edge.target;
    status = status == BRANT_OK ? write_edge(element, &edge) : fault(element, span->key);
cleanup:
    return status;
}

static brant_status write_edges(otlp_element *element, otlp_span *span, bool links) {
    size_t index, count;
    yyjson_val *link;
    brant_status status = read_span(span, element->import);

    if (status != BRANT_OK) {
        /* It was a fault among the nodes. */
        if (status == BRANT_NO_MEMORY) return status;
        brant__error_code();
        return BRANT_OK;
    }
    if (!links) {
        const otlp_edge edge = {.type = BRANT__TEXT("Triggered"),
                                .source = span->parent,
                                .target = span->key,
                                .other = span->parent};
        if (span->parent.data && !is_done(element)) status = write_edge(element, &edge);
        return status;
    }
    yyjson_arr_foreach(yyjson_obj_get(span->value, "links"), index, count, link) {
        if (status != BRANT_OK || element->full) break;
        if (!is_done(element)) status = write_link(element, span, link);
    }
    return status;
}

static brant_status write_node(otlp_element *element, otlp_span *span) {
    brant_status status;

    if (is_done(element)) return BRANT_OK;
    status = read_span(span, element->import);
    if (status != BRANT_OK) return fault(element, span->key);
    if (!brant__import_begin_item(element->import, BRANT__NODES)) {
        element->full = true;
        return BRANT_OK;
    }
    if (span->whole)
        write_whole(element->import, span);
    else
        write_call(element->import, span);
    brant__import_end_item(element->import, element->import->place.offset);
    advance(element);
    return BRANT_OK;
}

static brant_status write_element(otlp_element *element) {
    yyjson_val *root = element->import->json.root, *scopes, *scope, *value;
    const int64_t phase = element->import->place.section & PHASE_MASK;
    size_t index, count, place, places;
    otlp_span span = {.resource_spans = root, .resource = yyjson_obj_get(root, "resource")};
    brant_status status = BRANT_OK;

    scopes = yyjson_obj_get(root, "scopeSpans");
    if (!scopes) scopes = yyjson_obj_get(root, "instrumentationLibrarySpans");
    yyjson_arr_foreach(scopes, index, count, scope) {
        span.scope_spans = scope;
        span.scope = yyjson_obj_get(scope, "scope");
        yyjson_arr_foreach(yyjson_obj_get(scope, "spans"), place, places, value) {
            span.value = value;
            status = phase == PHASE_NODES ? write_node(element, &span)
                                          : write_edges(element, &span, phase == PHASE_LINKS);
            if (status != BRANT_OK || element->full) return status;
        }
    }
    return status;
}

static brant_status next(bool *out_found, brant__import *import) {
    brant__place *place = &import->place;
    brant__range range;
    otlp_element element = {.import = import};
    brant_status status = BRANT_OK;

    *out_found = false;
    while ((place->section & PHASE_MASK) < PHASE_END) {
        BRANT__TRY(find_element(out_found, &range, import));
        if (*out_found) break;
        /* Edges look for nodes that are written. */
        place->section = (place->section & PHASE_MASK) + 1;
        place->offset = 0;
        if (import->count > 0) {
            import->full = true;
            *out_found = true;
            goto cleanup;
        }
    }
    if (!*out_found) goto cleanup;
    BRANT__TRY(brant__import_parse(import, range));
    element.done = place->section >> DONE_SHIFT;
    element.end = range.end;
    BRANT__TRY(write_element(&element));
    if (!element.full) {
        place->offset = element.end;
        place->section &= PHASE_MASK | INSIDE;
    }
cleanup:
    return status;
}

const brant__import_format brant__otlp_import = {.name = "otlp", .begin = begin, .next = next};
