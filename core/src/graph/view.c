/*
 * graph/view.c: a snapshot as one operation sees it, and its numbers as the keys that users know.
 */
#include "graph/view.h"

#include <stdlib.h>

#include "graph/filter.h"

/* ---- filters --------------------------------------------------------------------------------- */

bool brant__view_filters(brant__call *call) {
    return brant__json_get(call->input, "edge_filter") ||
           brant__json_get(call->input, "node_filter");
}

/* The nodes that match, as bits. */
static brant_status read_nodes(uint64_t **out_bits, brant__call *call, const brant__graph *graph,
                               const brant__snapshot *snapshot, brant__filter *filter) {
    int64_t *rows = NULL;
    size_t count;
    brant_status status = brant__filter_rows(&rows, &count, call, graph, filter);

    if (status != BRANT_OK) return status;
    *out_bits = brant__bits(snapshot->nodes);
    if (!*out_bits) status = brant__fail_memory();
    for (size_t i = 0; *out_bits && i < count; i++) {
        uint32_t node = brant__snapshot_number(snapshot, rows[i]);
        if (node != BRANT__NO_NODE) brant__bit_set(*out_bits, node);
    }
    brant__free(rows);
    return status;
}

static int compare_rows(const void *key, const void *element) {
    int64_t x = *(const int64_t *)key, y = *(const int64_t *)element;

    return x < y ? -1 : x > y;
}

/* The edges that match. A snapshot knows the rows of its edges, not the edges of rows: each edge is
 * looked up among the rows, in a bit a row where those are not too far apart. */
static brant_status read_edges(uint64_t **out_bits, brant__call *call, const brant__graph *graph,
                               const brant__snapshot *snapshot, brant__filter *filter) {
    uint64_t span, *matched = NULL;
    int64_t *rows = NULL;
    size_t count;
    brant_status status = brant__filter_rows(&rows, &count, call, graph, filter);

    if (status != BRANT_OK) return status;
    *out_bits = brant__bits(snapshot->edges);
    if (!*out_bits) {
        status = brant__fail_memory();
        goto cleanup;
    }
    if (count == 0) goto cleanup;
    span = (uint64_t)rows[count - 1] - (uint64_t)rows[0];
    if (span < 64 * (uint64_t)count + 4096) {
        matched = brant__bits((size_t)span + 1);
        if (!matched) {
            status = brant__fail_memory();
            goto cleanup;
        }
        for (size_t i = 0; i < count; i++) {
            uint64_t at = (uint64_t)rows[i] - (uint64_t)rows[0];
            matched[at >> 6] |= UINT64_C(1) << (at & 63);
        }
    }
    for (uint32_t edge = 0; edge < snapshot->edges; edge++) {
        uint64_t at = (uint64_t)snapshot->edge_rows[edge] - (uint64_t)rows[0];
        if (matched ? at <= span && (matched[at >> 6] >> (at & 63) & 1)
                    : bsearch(&snapshot->edge_rows[edge], rows, count, sizeof(*rows),
                              compare_rows) != NULL)
            brant__bit_set(*out_bits, edge);
    }
cleanup:
    brant__free(matched);
    brant__free(rows);
    return status;
}

/* ---- opening --------------------------------------------------------------------------------- */

brant_status brant__view_open(brant__view *view, brant__call *call, const brant__graph *graph,
                              int members) {
    size_t types = graph->type->module->edge_type_count + 1;
    brant__filter *edges = NULL, *nodes = NULL;
    const brant__snapshot *snapshot;
    uint8_t *wanted;
    brant_status status;

    *view = (brant__view){.directions = BRANT__GO_OUT};
    view->undirected = brant__graph_undirected(graph);
    if (view->undirected) view->directions = BRANT__GO_OUT | BRANT__GO_IN;
    if (members & BRANT__VIEW_DIRECTION)
        BRANT__TRY(brant__read_direction(&view->directions, call, graph));
    BRANT__TRY(brant__read_types(&wanted, call, graph));
    if (wanted) {
        view->types = brant__alloc(types);
        if (!view->types) {
            status = brant__fail_memory();
            goto cleanup;
        }
        memcpy(view->types, wanted, types);
    }
    BRANT__TRY(brant__filter_parse(&edges, call, graph, BRANT__EDGES,
                                   brant__json_get(call->input, "edge_filter"), "edge_filter"));
    if (members & BRANT__VIEW_NODE_FILTER)
        BRANT__TRY(brant__filter_parse(&nodes, call, graph, BRANT__NODES,
                                       brant__json_get(call->input, "node_filter"), "node_filter"));
    if (members & BRANT__VIEW_FILTER)
        BRANT__TRY(brant__filter_parse(&nodes, call, graph, BRANT__NODES,
                                       brant__json_get(call->input, "filter"), "filter"));
    BRANT__TRY(brant__snapshot_get(&snapshot, call, graph));
    brant__snapshot_retain(snapshot);
    view->snapshot = snapshot;
    if (edges) BRANT__TRY(read_edges(&view->edges, call, graph, snapshot, edges));
    if (nodes) BRANT__TRY(read_nodes(&view->nodes, call, graph, snapshot, nodes));
    return BRANT_OK;
cleanup:
    brant__view_close(view);
    return status;
}

void brant__view_close(brant__view *view) {
    brant__snapshot_release(view->snapshot);
    brant__free(view->types);
    brant__free(view->edges);
    brant__free(view->nodes);
    *view = (brant__view){.snapshot = NULL};
}

/* ---- input ----------------------------------------------------------------------------------- */

static brant_status number_of(uint32_t *out_node, const brant__view *view, int64_t row_id) {
    *out_node = brant__snapshot_number(view->snapshot, row_id);
    if (*out_node != BRANT__NO_NODE) return BRANT_OK;
    return brant__fail(BRANT_INTERNAL, "a snapshot lacks a node");
}

brant_status brant__view_node(uint32_t *out_node, brant__call *call, const brant__graph *graph,
                              const brant__view *view, brant__text key) {
    brant__node_ref ref;
    brant_status status = brant__node_find(&ref, NULL, call, graph, key);

    *out_node = BRANT__NO_NODE;
    if (status != BRANT_OK) return status;
    if (!ref.row_id) return brant__node_missing(call, graph, key);
    return number_of(out_node, view, ref.row_id);
}

brant_status brant__view_nodes(uint32_t **out_nodes, size_t *out_count, brant__call *call,
                               const brant__graph *graph, const brant__view *view, yyjson_val *keys,
                               bool once) {
    size_t index, count = yyjson_arr_size(keys), listed = 0,
                  most = brant__db_limits(call->db)->batch;
    uint64_t *seen = NULL;
    uint32_t *nodes;
    brant__lookup lookup;
    yyjson_val *key;
    brant_status status;

    *out_nodes = NULL;
    *out_count = 0;
    if (count > most) return brant__fail(BRANT_LIMIT, "more than %zu keys (limits.batch)", most);
    nodes = brant__arena_alloc(call->arena, (count + 1) * sizeof(*nodes));
    if (once) seen = brant__bits(view->snapshot->nodes);
    if (!nodes || (once && !seen)) {
        status = brant__fail_memory();
        goto cleanup;
    }
    BRANT__TRY(brant__lookup_begin(&lookup, call, graph, count));
    yyjson_arr_foreach(keys, index, count, key) {
        brant__node_ref ref;
        BRANT__TRY(brant__lookup_node(&ref, &lookup, brant__json_text(key)));
        if (!ref.row_id) {
            status = brant__node_missing(call, graph, brant__json_text(key));
            goto cleanup;
        }
        BRANT__TRY(number_of(&nodes[listed], view, ref.row_id));
        if (once) {
            if (brant__bit(seen, nodes[listed])) continue;
            brant__bit_set(seen, nodes[listed]);
        }
        listed++;
    }
    *out_nodes = nodes;
    *out_count = listed;
cleanup:
    brant__free(seen);
    return status;
}

brant_status brant__read_maximum(int64_t *out, brant__call *call, const char *name,
                                 int64_t otherwise) {
    yyjson_val *value = brant__json_get(call->input, name);

    *out = value ? brant__json_integer(value, -1) : otherwise;
    if (*out >= 0) return BRANT_OK;
    *out = 0;
    return brant__fail(BRANT_INVALID, "%s is not 0 or more", name);
}

/* ---- output ---------------------------------------------------------------------------------- */

/* Room for a value of so many bytes, with what stands before it. NULL without memory. */
static char *begin_raw(brant__writer *out, size_t bytes) {
    if (!brant__buffer_reserve(&out->buffer, bytes + 2)) return NULL;
    brant__write_raw(out, (brant__text){"", 0});
    return out->buffer.failed ? NULL : out->buffer.data + out->buffer.length;
}

static void end_raw(brant__writer *out, const char *at) {
    out->buffer.length = (size_t)(at - out->buffer.data);
}

void brant__write_keys(brant__writer *out, const brant__snapshot *snapshot, const uint32_t *nodes,
                       size_t count) {
    const size_t *text_from = snapshot->text_from;
    const char *text = snapshot->text.data;
    size_t bytes = count + 2;
    char *at;

    if (nodes)
        for (size_t i = 0; i < count; i++)
            bytes += text_from[nodes[i] + 1] - text_from[nodes[i]];
    else
        bytes += text_from[count];
    at = begin_raw(out, bytes);
    if (!at) return;
    *at++ = '[';
    for (size_t i = 0; i < count; i++) {
        size_t node = nodes ? nodes[i] : i, from = text_from[node],
               length = text_from[node + 1] - from;
        if (i) *at++ = ',';
        memcpy(at, text + from, length);
        at += length;
    }
    *at++ = ']';
    end_raw(out, at);
}

static char *write_number(char *at, uint32_t value) {
    char digits[10];
    size_t count = 0;

    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    while (count)
        *at++ = digits[--count];
    return at;
}

void brant__write_numbers(brant__writer *out, const uint32_t *numbers, size_t count) {
    char *at = begin_raw(out, count * 11 + 2);

    if (!at) return;
    *at++ = '[';
    for (size_t i = 0; i < count; i++) {
        if (i) *at++ = ',';
        if (numbers[i] == UINT32_MAX) {
            *at++ = '-';
            *at++ = '1';
        } else {
            at = write_number(at, numbers[i]);
        }
    }
    *at++ = ']';
    end_raw(out, at);
}

static brant__text key_text(const brant__snapshot *snapshot, uint32_t node) {
    size_t from = snapshot->text_from[node];

    return brant__text_of(snapshot->text.data + from, snapshot->text_from[node + 1] - from);
}

/* The key that is derived from the edge's ends. */
static brant_status write_derived(brant__writer *out, const brant__graph *graph,
                                  const brant__snapshot *snapshot, uint32_t edge) {
    brant__text type = brant__type_edge_name(graph->type, snapshot->out.type[edge]), part;
    brant__buffer key = {0};

    brant__buffer_append_byte(&key, '[');
    part = key_text(snapshot, brant__snapshot_source(snapshot, edge));
    brant__buffer_append(&key, part.data, part.length);
    brant__buffer_append_byte(&key, ',');
    if (type.data)
        brant__json_append_text(&key, type);
    else
        brant__buffer_append(&key, "null", 4);
    brant__buffer_append_byte(&key, ',');
    part = key_text(snapshot, snapshot->out.node[edge]);
    brant__buffer_append(&key, part.data, part.length);
    brant__buffer_append_byte(&key, ']');
    if (key.failed)
        out->buffer.failed = true;
    else
        brant__write_text(out, brant__text_of(key.data, key.length));
    brant__buffer_free(&key);
    return BRANT_OK;
}

brant_status brant__write_edge_key(brant__writer *out, brant__call *call, const brant__graph *graph,
                                   const brant__snapshot *snapshot, uint32_t edge) {
    brant__statement *statement;
    brant__text key;
    brant_status status;
    bool row;

    if (!snapshot->named) return write_derived(out, graph, snapshot, edge);
    status = brant__traverse_statement(&statement, call, BRANT__EDGE_NAME);
    if (status != BRANT_OK) return status;
    brant__bind_integer(statement, 1, snapshot->edge_rows[edge]);
    BRANT__TRY(brant__step(&row, call->db, statement));
    if (!row) {
        status = brant__fail(BRANT_CORRUPT, "an edge is missing; run db.doctor");
        goto cleanup;
    }
    key = brant__column_text(statement, 0);
    if (key.data)
        brant__write_text(out, key);
    else
        status = write_derived(out, graph, snapshot, edge);
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__write_edge_keys(brant__writer *out, brant__call *call,
                                    const brant__graph *graph, const brant__snapshot *snapshot,
                                    const uint32_t *edges, size_t count) {
    brant_status status = BRANT_OK;

    brant__write_array(out);
    for (size_t i = 0; i < count; i++) {
        BRANT__TRY(brant__write_edge_key(out, call, graph, snapshot, edges[i]));
        if ((i & BRANT__POLL_MASK) == BRANT__POLL_MASK) BRANT__TRY(brant__db_poll(call->db));
    }
    brant__write_end(out);
cleanup:
    return status;
}
