/*
 * graph/count.c: how many: walks of a length, edges of a node.
 */
#include <stdlib.h>

#include "graph/view.h"

/* ---- walks ----------------------------------------------------------------------------------- */

/* More than is counted. Sums stay here: a count that got so far is too large, and stays so. */
#define TOO_MANY ((uint64_t)INT64_MAX + 1)

static uint64_t add(uint64_t a, uint64_t b) {
    return b > TOO_MANY - a ? TOO_MANY : a + b;
}

/* How many hops a node has, forwards or back, each edge counted each time. */
static uint32_t hops_at(const brant__view *view, uint32_t node, bool back) {
    brant__hops hops = brant__hops_of(view, node, back);
    uint32_t count = 0, next, edge;

    /* A plain list of one direction is counted where it stands. */
    if (!view->edges && !view->snapshot->undirected &&
        (hops.out == hops.out_end) != (hops.in == hops.in_end)) {
        bool out = hops.out < hops.out_end;
        const uint16_t *type = out ? view->snapshot->out.type : view->snapshot->in.type;
        uint32_t from = out ? hops.out : hops.in, end = out ? hops.out_end : hops.in_end;
        if (hops.skip_in == BRANT__NO_NODE && !view->nodes) {
            if (!view->types) return end - from;
            for (uint32_t at = from; at < end; at++)
                count += view->types[type[at]] != 0;
            return count;
        }
    }
    while (brant__hops_next(view, &hops, &next, &edge))
        count += back || brant__view_enters(view, next);
    return count;
}

/* The first step of all walks from everywhere: to[i] of them end at node i. */
static brant_status first_step(uint64_t *to, brant_db *db, const brant__view *view) {
    brant_status status = BRANT_OK;

    for (uint32_t node = 0; node < view->snapshot->nodes; node++) {
        if ((node & BRANT__POLL_MASK) == BRANT__POLL_MASK) BRANT__TRY(brant__db_poll(db));
        to[node] = brant__view_enters(view, node) ? hops_at(view, node, true) : 0;
    }
cleanup:
    return status;
}

/* The last step of all walks to anywhere: how many there are. */
static brant_status last_step(uint64_t *out_count, const uint64_t *by, brant_db *db,
                              const brant__view *view) {
    uint64_t sum = 0;
    brant_status status = BRANT_OK;

    for (uint32_t node = 0; node < view->snapshot->nodes; node++) {
        uint64_t hops;
        if ((node & BRANT__POLL_MASK) == BRANT__POLL_MASK) BRANT__TRY(brant__db_poll(db));
        if (by[node] == 0) continue;
        hops = hops_at(view, node, false);
        if (hops == 0) continue;
        sum = by[node] > TOO_MANY / hops ? TOO_MANY : add(sum, by[node] * hops);
    }
    *out_count = sum;
cleanup:
    return status;
}

/* One step of all walks: by[i] of them end at node i. */
static brant_status step(uint64_t *to, const uint64_t *by, brant_db *db, const brant__view *view) {
    uint32_t nodes = view->snapshot->nodes;
    brant_status status = BRANT_OK;

    memset(to, 0, (size_t)nodes * sizeof(*to));
    for (uint32_t node = 0; node < nodes; node++) {
        uint32_t next, edge;
        brant__hops hops;
        if ((node & BRANT__POLL_MASK) == BRANT__POLL_MASK) BRANT__TRY(brant__db_poll(db));
        if (by[node] == 0) continue;
        hops = brant__hops_of(view, node, false);
        while (brant__hops_next(view, &hops, &next, &edge))
            if (brant__view_enters(view, next)) to[next] = add(to[next], by[node]);
    }
cleanup:
    return status;
}

/* Those that end at a target; *out_any: any at all. */
static uint64_t ended(bool *out_any, const uint64_t *by, size_t nodes, const uint32_t *targets,
                      size_t target_count) {
    uint64_t sum = 0;

    *out_any = false;
    for (size_t i = 0; i < nodes; i++) {
        if (by[i]) *out_any = true;
        if (!targets) sum = add(sum, by[i]);
    }
    for (size_t i = 0; targets && i < target_count; i++)
        sum = add(sum, by[targets[i]]);
    return sum;
}

brant_status brant__graph_count_walks(brant__call *call) {
    yyjson_val *from = brant__json_get(call->input, "sources"),
               *to = brant__json_get(call->input, "targets");
    bool up_to = brant__json_bool(brant__json_get(call->input, "up_to"), false), any;
    uint64_t *here = NULL, *there = NULL, total = 0;
    uint32_t *sources = NULL, *targets = NULL;
    size_t nodes, source_count = 0, target_count = 0;
    brant__view view = {.snapshot = NULL};
    brant__graph graph;
    int64_t length;
    brant_status status;

    BRANT__TRY(brant__graph_find(&graph, call, false));
    BRANT__TRY(brant__read_maximum(&length, call, "length", -1));
    if (length > 10000) {
        status = brant__fail(BRANT_INVALID, "length is not in 0..10000");
        goto cleanup;
    }
    BRANT__TRY(
        brant__view_open(&view, call, &graph, BRANT__VIEW_DIRECTION | BRANT__VIEW_NODE_FILTER));
    nodes = view.snapshot->nodes;
    if (from)
        BRANT__TRY(brant__view_nodes(&sources, &source_count, call, &graph, &view, from, true));
    if (to) BRANT__TRY(brant__view_nodes(&targets, &target_count, call, &graph, &view, to, true));
    here = brant__alloc_zero((nodes + 1) * sizeof(*here));
    there = brant__alloc((nodes + 1) * sizeof(*there));
    if (!here || !there) {
        status = brant__fail_memory();
        goto cleanup;
    }
    for (size_t i = 0; i < (from ? source_count : nodes); i++)
        here[from ? sources[i] : i] = 1;
    if (!up_to && length == 0) total = ended(&any, here, nodes, targets, target_count);
    for (int64_t i = 1; i <= length; i++) {
        uint64_t *swap = here, count;
        BRANT__TRY(brant__db_poll(call->db));
        if (i == length && !up_to && !to) {
            BRANT__TRY(last_step(&total, here, call->db, &view));
            break;
        }
        BRANT__TRY(i == 1 && !from ? first_step(there, call->db, &view)
                                   : step(there, here, call->db, &view));
        here = there;
        there = swap;
        count = ended(&any, here, nodes, targets, target_count);
        if (up_to)
            total = add(total, count);
        else if (i == length)
            total = count;
        if (!any || (up_to && total == TOO_MANY)) break;
    }
    if (total == TOO_MANY) {
        status = brant__fail(BRANT_LIMIT, "there are more than 9223372036854775807 walks");
        goto cleanup;
    }
    brant__write_integer_object(call->out, "count", (int64_t)total);
cleanup:
    brant__free(here);
    brant__free(there);
    brant__view_close(&view);
    return status;
}

/* ---- degrees --------------------------------------------------------------------------------- */

static uint32_t degree_of(const brant__view *view, uint32_t node) {
    bool both = view->directions == (BRANT__GO_OUT | BRANT__GO_IN);
    brant__hops hops = brant__hops_of(view, node, false);
    uint32_t degree = 0, next, edge;

    while (brant__hops_next(view, &hops, &next, &edge))
        degree += both && next == node ? 2 : 1;
    return degree;
}

/* By degree, and those of one degree as they stood: counted, then placed. */
static brant_status sort_degrees(uint32_t **nodes, uint32_t *degrees, size_t count,
                                 brant__call *call, bool descending) {
    uint32_t *begin = NULL, *sorted, *sizes = NULL, highest = 0;
    brant_status status = BRANT_OK;

    for (size_t i = 0; i < count; i++)
        if (degrees[i] > highest) highest = degrees[i];
    begin = brant__alloc_zero(((size_t)highest + 2) * sizeof(*begin));
    sizes = brant__alloc((count + 1) * sizeof(*sizes));
    sorted = brant__arena_alloc(call->arena, (count + 1) * sizeof(*sorted));
    if (!begin || !sizes || !sorted) {
        status = brant__fail_memory();
        goto cleanup;
    }
    memcpy(sizes, degrees, count * sizeof(*sizes));
    for (size_t i = 0; i < count; i++)
        begin[(descending ? highest - sizes[i] : sizes[i]) + 1]++;
    for (size_t i = 1; i < (size_t)highest + 2; i++)
        begin[i] += begin[i - 1];
    for (size_t i = 0; i < count; i++) {
        uint32_t at = begin[descending ? highest - sizes[i] : sizes[i]]++;
        sorted[at] = *nodes ? (*nodes)[i] : (uint32_t)i;
        degrees[at] = sizes[i];
    }
    *nodes = sorted;
cleanup:
    brant__free(begin);
    brant__free(sizes);
    return status;
}

static int compare_numbers(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

brant_status brant__graph_degrees(brant__call *call) {
    yyjson_val *keys = brant__json_get(call->input, "keys"),
               *descending = brant__json_get(call->input, "descending");
    brant__view view = {.snapshot = NULL};
    uint32_t *nodes = NULL, *degrees = NULL;
    int64_t limit = INT64_MAX;
    brant__graph graph;
    size_t count;
    brant_status status;

    BRANT__TRY(brant__graph_find(&graph, call, false));
    if (brant__json_get(call->input, "limit"))
        BRANT__TRY(brant__limit_read(&limit, call, 1, INT64_MAX));
    BRANT__TRY(brant__view_open(&view, call, &graph, BRANT__VIEW_DIRECTION));
    count = view.snapshot->nodes;
    if (keys) BRANT__TRY(brant__view_nodes(&nodes, &count, call, &graph, &view, keys, false));
    if (keys && descending) qsort(nodes, count, sizeof(*nodes), compare_numbers);
    degrees = brant__alloc((count + 1) * sizeof(*degrees));
    if (!degrees) {
        status = brant__fail_memory();
        goto cleanup;
    }
    for (size_t i = 0; i < count; i++) {
        if ((i & BRANT__POLL_MASK) == BRANT__POLL_MASK) BRANT__TRY(brant__db_poll(call->db));
        degrees[i] = degree_of(&view, nodes ? nodes[i] : (uint32_t)i);
    }
    if (descending)
        BRANT__TRY(sort_degrees(&nodes, degrees, count, call, yyjson_is_true(descending)));
    if (limit < (int64_t)count) count = (size_t)limit;
    brant__write_object(call->out);
    brant__write_name(call->out, "keys");
    brant__write_keys(call->out, view.snapshot, nodes, count);
    brant__write_name(call->out, "degrees");
    brant__write_numbers(call->out, degrees, count);
    brant__write_end(call->out);
cleanup:
    brant__free(degrees);
    brant__view_close(&view);
    return status;
}
