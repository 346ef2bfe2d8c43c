/*
 * graph/subgraph.c: some nodes of a graph, and the edges between them.
 */
#include <stdlib.h>

#include "graph/view.h"

/* An edge of one source, as edges are ordered: by type's order of creation, then target. */
typedef struct place {
    int64_t type_row;
    uint32_t edge; /* of one source they are by target */
} place;

static int compare(const void *a, const void *b) {
    const place *x = a, *y = b;

    if (x->type_row != y->type_row) return x->type_row < y->type_row ? -1 : 1;
    return x->edge < y->edge ? -1 : x->edge > y->edge;
}

static brant_status write_nodes(brant__call *call, const brant__graph *graph,
                                const brant__snapshot *snapshot, const uint64_t *chosen) {
    brant__statement *statement = NULL;
    brant_status status = BRANT_OK;
    bool row;

    brant__write_array(call->out);
    for (uint32_t node = 0; node < snapshot->nodes; node++) {
        if ((node & BRANT__POLL_MASK) == BRANT__POLL_MASK) BRANT__TRY(brant__db_poll(call->db));
        if (!brant__bit(chosen, node)) continue;
        BRANT__TRY(brant__traverse_statement(&statement, call, BRANT__NODE_ROW));
        brant__bind_integer(statement, 1, snapshot->rows[node]);
        BRANT__TRY(brant__step(&row, call->db, statement));
        if (!row) {
            status = brant__fail(BRANT_CORRUPT, "a node is missing; run db.doctor");
            goto cleanup;
        }
        BRANT__TRY(brant__write_node(call->out, call, graph, statement));
        brant__reset(statement);
    }
    brant__write_end(call->out);
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status write_edges(bool *out_truncated, brant__call *call, const brant__graph *graph,
                                const brant__view *view, const uint64_t *chosen, int64_t limit) {
    const brant__snapshot *snapshot = view->snapshot;
    place *places = NULL;
    uint32_t widest = 0;
    bool full = false;
    brant_status status = BRANT_OK;

    for (uint32_t node = 0; node < snapshot->nodes; node++) {
        uint32_t width = snapshot->out.from[node + 1] - snapshot->out.from[node];
        if (width > widest) widest = width;
    }
    places = brant__alloc(((size_t)widest + 1) * sizeof(*places));
    if (!places) {
        status = brant__fail_memory();
        goto cleanup;
    }
    brant__write_array(call->out);
    for (uint32_t node = 0; node < snapshot->nodes && !full; node++) {
        size_t count = 0;
        if ((node & BRANT__POLL_MASK) == BRANT__POLL_MASK) BRANT__TRY(brant__db_poll(call->db));
        if (!brant__bit(chosen, node)) continue;
        for (uint32_t edge = snapshot->out.from[node]; edge < snapshot->out.from[node + 1]; edge++)
            if (brant__bit(chosen, snapshot->out.node[edge]) && brant__view_takes(view, edge))
                places[count++] =
                    (place){brant__type_edge_row(graph->type, snapshot->out.type[edge]), edge};
        qsort(places, count, sizeof(*places), compare);
        for (size_t i = 0; i < count; i++) {
            if (limit-- == 0) {
                *out_truncated = full = true;
                break;
            }
            BRANT__TRY(brant__write_edge_of_row(call, graph, snapshot->edge_rows[places[i].edge]));
        }
    }
    brant__write_end(call->out);
cleanup:
    brant__free(places);
    return status;
}

brant_status brant__graph_subgraph(brant__call *call) {
    yyjson_val *keys = brant__json_get(call->input, "keys");
    uint64_t *chosen = NULL;
    brant__view view = {.snapshot = NULL};
    bool truncated = false;
    uint32_t *nodes = NULL;
    brant__graph graph;
    int64_t limit, left;
    size_t count = 0;
    brant_status status;

    if (keys && brant__json_get(call->input, "filter"))
        return brant__fail(BRANT_INVALID, "keys and filter were both given");
    BRANT__TRY(brant__graph_find(&graph, call, false));
    BRANT__TRY(brant__limit_read(&limit, call, 10000, INT64_MAX));
    BRANT__TRY(brant__view_open(&view, call, &graph, BRANT__VIEW_FILTER));
    if (keys) BRANT__TRY(brant__view_nodes(&nodes, &count, call, &graph, &view, keys, true));
    chosen = brant__bits(view.snapshot->nodes);
    if (!chosen) {
        status = brant__fail_memory();
        goto cleanup;
    }
    for (size_t i = 0; i < count; i++)
        brant__bit_set(chosen, nodes[i]);
    left = limit;
    for (uint32_t node = 0; node < view.snapshot->nodes; node++) {
        if (keys ? !brant__bit(chosen, node) : !brant__view_enters(&view, node)) continue;
        if (left == 0) {
            truncated = true;
            chosen[node >> 6] &= ~(UINT64_C(1) << (node & 63));
            continue;
        }
        left--;
        brant__bit_set(chosen, node);
    }
    brant__write_object(call->out);
    brant__write_name(call->out, "nodes");
    BRANT__TRY(write_nodes(call, &graph, view.snapshot, chosen));
    brant__write_name(call->out, "edges");
    BRANT__TRY(write_edges(&truncated, call, &graph, &view, chosen, limit));
    brant__write_bool_member(call->out, "truncated", truncated);
    brant__write_end(call->out);
cleanup:
    brant__free(chosen);
    brant__view_close(&view);
    return status;
}
