/*
 * graph/rank.c: PageRank by power iteration, with NetworkX's definition: a node that leads nowhere
 * gives its rank to all as the jumps do; done when the ranks changed by less than tolerance times
 * the number of nodes together.
 */
#include <math.h>
#include <stdlib.h>

#include "graph/view.h"

/* Edges by the node that they lead to. */
typedef struct flow {
    size_t *from; /* of node i those from[i] .. from[i + 1] */
    uint32_t *node;
    double *weight; /* NULL: all are 1 */
    double *out;    /* by node: what its edges weigh together */
} flow;

static void flow_close(flow *self) {
    brant__free(self->from);
    brant__free(self->node);
    brant__free(self->weight);
    brant__free(self->out);
}

static brant_status flow_open(flow *self, brant_db *db, const brant__view *view,
                              const double *weights) {
    size_t nodes = view->snapshot->nodes, count = 0, most = view->snapshot->edges;
    brant_status status = BRANT_OK;

    if (view->undirected || view->snapshot->undirected) most *= 2;
    self->from = brant__alloc((nodes + 1) * sizeof(*self->from));
    self->node = brant__alloc((most + 1) * sizeof(*self->node));
    self->out = brant__alloc_zero((nodes + 1) * sizeof(*self->out));
    if (weights) self->weight = brant__alloc((most + 1) * sizeof(*self->weight));
    if (!self->from || !self->node || !self->out || (weights && !self->weight)) {
        status = brant__fail_memory();
        goto cleanup;
    }
    for (uint32_t node = 0; node < nodes; node++) {
        brant__hops hops = brant__hops_of(view, node, true);
        uint32_t source, edge;
        if ((node & BRANT__POLL_MASK) == BRANT__POLL_MASK) BRANT__TRY(brant__db_poll(db));
        self->from[node] = count;
        while (brant__hops_next(view, &hops, &source, &edge)) {
            double weight = weights ? weights[edge] : 1;
            self->node[count] = source;
            if (weights) self->weight[count] = weight;
            self->out[source] += weight;
            count++;
        }
    }
    self->from[nodes] = count;
    for (size_t i = 0; i < nodes; i++)
        if (!isfinite(self->out[i])) {
            status = brant__fail(BRANT_LIMIT, "the weights add up to more than a double holds");
            goto cleanup;
        }
cleanup:
    return status;
}

static double gather(const flow *self, const double *share, size_t node) {
    double sum = 0;

    if (self->weight)
        for (size_t i = self->from[node]; i < self->from[node + 1]; i++)
            sum += share[self->node[i]] * self->weight[i];
    else
        for (size_t i = self->from[node]; i < self->from[node + 1]; i++)
            sum += share[self->node[i]];
    return sum;
}

/* Where jumps lead: a part of 1 each. */
static brant_status read_jumps(double *jumps, brant__call *call, const brant__graph *graph,
                               const brant__view *view) {
    yyjson_val *given = brant__json_get(call->input, "personalization"), *name, *value;
    size_t nodes = view->snapshot->nodes, index, count;
    double sum = 0;

    for (size_t i = 0; i < nodes; i++)
        jumps[i] = given ? 0 : 1 / (double)nodes;
    if (!given) return BRANT_OK;
    yyjson_obj_foreach(given, index, count, name, value) {
        uint32_t node;
        brant_status status = brant__view_node(&node, call, graph, view, brant__json_text(name));
        if (status != BRANT_OK) return status;
        jumps[node] = yyjson_get_num(value);
        if (!(jumps[node] >= 0))
            return brant__fail(BRANT_INVALID, "/personalization: a number is negative");
        sum += jumps[node];
    }
    if (!(sum > 0) || !isfinite(sum))
        return brant__fail(BRANT_INVALID, "/personalization: the sum is not more than 0");
    for (size_t i = 0; i < nodes; i++)
        jumps[i] /= sum;
    return BRANT_OK;
}

typedef struct ranked {
    double score;
    uint32_t node;
} ranked;

static int compare(const void *a, const void *b) {
    const ranked *x = a, *y = b;

    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return x->node < y->node ? -1 : x->node > y->node;
}

static brant_status write_ranks(brant__call *call, const brant__snapshot *snapshot,
                                const double *rank, size_t count) {
    size_t nodes = snapshot->nodes;
    ranked *list = brant__alloc((nodes + 1) * sizeof(*list));
    uint32_t *order = brant__alloc((nodes + 1) * sizeof(*order));

    if (!list || !order) {
        brant__free(list);
        brant__free(order);
        return brant__fail_memory();
    }
    for (uint32_t i = 0; i < nodes; i++)
        list[i] = (ranked){rank[i], i};
    qsort(list, nodes, sizeof(*list), compare);
    for (size_t i = 0; i < nodes; i++)
        order[i] = list[i].node;
    brant__write_name(call->out, "keys");
    brant__write_keys(call->out, snapshot, order, count);
    brant__write_name(call->out, "scores");
    brant__write_array(call->out);
    for (size_t i = 0; i < count; i++)
        brant__write_double(call->out, list[i].score);
    brant__write_end(call->out);
    brant__free(list);
    brant__free(order);
    return BRANT_OK;
}

static double read_number(brant__call *call, const char *name, double otherwise) {
    yyjson_val *value = brant__json_get(call->input, name);

    return value ? yyjson_get_num(value) : otherwise;
}

brant_status brant__graph_pagerank(brant__call *call) {
    double damping = read_number(call, "damping", 0.85),
           tolerance = read_number(call, "tolerance", 1e-6);
    double *rank = NULL, *next = NULL, *share = NULL, *jumps = NULL;
    int64_t limit = INT64_MAX, most, iterations = 0;
    brant__weighing weighing = {NULL, NULL};
    flow edges = {NULL, NULL, NULL, NULL};
    brant__view view = {.snapshot = NULL};
    bool converged = false;
    brant__graph graph;
    size_t nodes;
    brant_status status;

    if (!(damping >= 0 && damping <= 1) || !(tolerance >= 0))
        return brant__fail(BRANT_INVALID, "damping is not in 0..1, or tolerance is negative");
    BRANT__TRY(brant__graph_find(&graph, call, false));
    BRANT__TRY(brant__read_maximum(&most, call, "max_iterations", 100));
    if (brant__json_get(call->input, "limit"))
        BRANT__TRY(brant__limit_read(&limit, call, 1, INT64_MAX));
    BRANT__TRY(brant__view_open(&view, call, &graph, 0));
    BRANT__TRY(brant__weighing_open(&weighing, call, &graph, &view));
    nodes = view.snapshot->nodes;
    rank = brant__alloc((nodes + 1) * sizeof(*rank));
    next = brant__alloc((nodes + 1) * sizeof(*next));
    share = brant__alloc((nodes + 1) * sizeof(*share));
    jumps = brant__alloc((nodes + 1) * sizeof(*jumps));
    if (!rank || !next || !share || !jumps) {
        status = brant__fail_memory();
        goto cleanup;
    }
    BRANT__TRY(read_jumps(jumps, call, &graph, &view));
    BRANT__TRY(flow_open(&edges, call->db, &view, weighing.values));
    for (size_t i = 0; i < nodes; i++)
        rank[i] = 1 / (double)nodes;
    if (nodes == 0) converged = true;
    while (!converged && iterations < most) {
        double dangling = 0, change = 0, *swap = rank;
        BRANT__TRY(brant__db_poll(call->db));
        for (size_t i = 0; i < nodes; i++) {
            if (edges.out[i] == 0) dangling += rank[i];
            share[i] = edges.out[i] == 0 ? 0 : rank[i] / edges.out[i];
        }
        for (size_t i = 0; i < nodes; i++) {
            next[i] = damping * (gather(&edges, share, i) + dangling * jumps[i]) +
                      (1 - damping) * jumps[i];
            change += fabs(next[i] - rank[i]);
        }
        rank = next;
        next = swap;
        iterations++;
        converged = change < (double)nodes * tolerance;
    }
    brant__write_object(call->out);
    BRANT__TRY(
        write_ranks(call, view.snapshot, rank, limit < (int64_t)nodes ? (size_t)limit : nodes));
    brant__write_integer_member(call->out, "iterations", iterations);
    brant__write_bool_member(call->out, "converged", converged);
    brant__write_end(call->out);
cleanup:
    brant__free(rank);
    brant__free(next);
    brant__free(share);
    brant__free(jumps);
    flow_close(&edges);
    brant__weighing_close(&weighing);
    brant__view_close(&view);
    return status;
}
