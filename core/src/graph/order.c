/*
 * graph/order.c: topological order, and cycles.
 *
 * A cycle uses no edge twice. Nodes that undirected edges join are a group, in which there is a way
 * between any two. So there is a cycle where an undirected edge joins what is joined already, and
 * else where directed edges lead from group to group and back, or from a group to itself. In
 * directed graphs each node is a group of its own; in undirected ones there is nothing else.
 */
#include <stdlib.h>

#include "graph/view.h"

#define NONE UINT32_MAX

/* Nodes and edges in turn: edge i leads from node i to the next, the last to the first. */
typedef struct cycle {
    uint32_t *nodes;
    uint32_t *edges;
    size_t count;
    size_t capacity;
} cycle;

static void cycle_free(cycle *self) {
    brant__free(self->nodes);
    brant__free(self->edges);
}

static brant_status cycle_add(cycle *self, uint32_t node, uint32_t edge) {
    if (self->count == self->capacity) {
        size_t capacity = self->capacity ? self->capacity * 2 : 64;
        uint32_t *grown = brant__realloc(self->nodes, capacity * sizeof(*grown));
        if (!grown) return brant__fail_memory();
        self->nodes = grown;
        grown = brant__realloc(self->edges, capacity * sizeof(*grown));
        if (!grown) return brant__fail_memory();
        self->edges = grown;
        self->capacity = capacity;
    }
    self->nodes[self->count] = node;
    self->edges[self->count++] = edge;
    return BRANT_OK;
}

static bool both_ways(const brant__view *view, uint32_t edge) {
    return view->undirected ||
           (view->snapshot->undirected && brant__bit(view->snapshot->undirected, edge));
}

/* ---- groups ---------------------------------------------------------------------------------- */

typedef struct groups {
    const brant__view *view;
    brant_db *db;
    uint32_t *of;     /* by node: the least of its group */
    uint32_t *first;  /* by group: where its members begin; one more at the end */
    uint32_t *member; /* by number */
    uint32_t *left;   /* by group: directed edges that lead to groups that stayed */
    uint8_t *gone;    /* by group */
    uint32_t *queue;
} groups;

static uint32_t root_of(uint32_t *of, uint32_t node) {
    while (of[node] != node) {
        of[node] = of[of[node]];
        node = of[node];
    }
    return node;
}

/* *out_edge: the first undirected edge that closes a cycle with those before it, or NONE. */
static brant_status join(uint32_t *out_source, uint32_t *out_edge, groups *self) {
    const brant__view *view = self->view;
    const brant__arcs *out = &view->snapshot->out;
    uint32_t nodes = view->snapshot->nodes;
    brant_status status = BRANT_OK;

    *out_source = *out_edge = NONE;
    for (uint32_t node = 0; node < nodes; node++)
        self->of[node] = node;
    if (!view->undirected && !view->snapshot->undirected) return BRANT_OK;
    for (uint32_t node = 0; node < nodes; node++) {
        if ((node & BRANT__POLL_MASK) == BRANT__POLL_MASK) BRANT__TRY(brant__db_poll(self->db));
        if (!brant__view_enters(view, node)) continue;
        for (uint32_t edge = out->from[node]; edge < out->from[node + 1]; edge++) {
            uint32_t a, b;
            if (!both_ways(view, edge) || !brant__view_takes(view, edge) ||
                !brant__view_enters(view, out->node[edge]))
                continue;
            a = root_of(self->of, node);
            b = root_of(self->of, out->node[edge]);
            if (a == b) {
                *out_source = node;
                *out_edge = edge;
                return BRANT_OK;
            }
            if (a < b)
                self->of[b] = a;
            else
                self->of[a] = b;
        }
    }
    for (uint32_t node = 0; node < nodes; node++)
        self->of[node] = root_of(self->of, node);
cleanup:
    return status;
}

/* The way between two nodes of a group along undirected edges before `before`, which are a forest.
 * It goes to the cycle's end, but for its last node. */
static brant_status connect(cycle *out, groups *self, uint32_t from, uint32_t to, uint32_t before) {
    const brant__view *view = self->view;
    size_t nodes = view->snapshot->nodes, head = 0, count = 0;
    uint32_t *back = brant__alloc((nodes + 1) * sizeof(*back)); /* towards `to`, by node */
    uint32_t *edges = brant__alloc((nodes + 1) * sizeof(*edges));
    uint32_t *queue = brant__alloc((nodes + 1) * sizeof(*queue));
    brant_status status = BRANT_OK;

    if (!back || !edges || !queue) {
        status = brant__fail_memory();
        goto cleanup;
    }
    memset(back, 0xFF, nodes * sizeof(*back));
    back[to] = to;
    queue[count++] = to;
    while (head < count && back[from] == NONE) {
        uint32_t node = queue[head++], next, edge;
        brant__hops hops = brant__hops_of(view, node, false);
        while (brant__hops_next(view, &hops, &next, &edge)) {
            if (edge >= before || back[next] != NONE || !both_ways(view, edge) ||
                !brant__view_enters(view, next))
                continue;
            back[next] = node;
            edges[next] = edge;
            queue[count++] = next;
        }
    }
    if (back[from] == NONE) {
        status = brant__fail(BRANT_INTERNAL, "a group fell apart");
        goto cleanup;
    }
    for (uint32_t node = from; node != to; node = back[node])
        BRANT__TRY(cycle_add(out, node, edges[node]));
cleanup:
    brant__free(back);
    brant__free(edges);
    brant__free(queue);
    return status;
}

static void list_members(groups *self) {
    uint32_t nodes = self->view->snapshot->nodes;

    for (uint32_t node = 0; node < nodes; node++)
        self->first[self->of[node] + 2]++;
    for (size_t i = 2; i < (size_t)nodes + 2; i++)
        self->first[i] += self->first[i - 1];
    for (uint32_t node = 0; node < nodes; node++)
        self->member[self->first[self->of[node] + 1]++] = node;
}

/* Take groups away that lead to none, until all that stayed lead to one that stayed. */
static brant_status strip(groups *self) {
    const brant__view *view = self->view;
    uint32_t nodes = view->snapshot->nodes, next, edge;
    size_t head = 0, count = 0;
    brant__hops hops;
    brant_status status = BRANT_OK;

    for (uint32_t node = 0; node < nodes; node++) {
        if ((node & BRANT__POLL_MASK) == BRANT__POLL_MASK) BRANT__TRY(brant__db_poll(self->db));
        if (!brant__view_enters(view, node)) continue;
        hops = brant__hops_of(view, node, false);
        while (brant__hops_next(view, &hops, &next, &edge))
            if (!both_ways(view, edge) && brant__view_enters(view, next))
                self->left[self->of[node]]++;
    }
    for (uint32_t group = 0; group < nodes; group++) {
        if (self->left[group] > 0) continue;
        self->gone[group] = 1;
        self->queue[count++] = group;
    }
    for (; head < count; head++) {
        uint32_t group = self->queue[head];
        if ((head & BRANT__POLL_MASK) == BRANT__POLL_MASK) BRANT__TRY(brant__db_poll(self->db));
        for (uint32_t i = self->first[group]; i < self->first[group + 1]; i++) {
            if (!brant__view_enters(view, self->member[i])) continue;
            hops = brant__hops_of(view, self->member[i], true);
            while (brant__hops_next(view, &hops, &next, &edge)) {
                uint32_t before = self->of[next];
                if (both_ways(view, edge) || !brant__view_enters(view, next) ||
                    self->gone[before] || --self->left[before] > 0)
                    continue;
                self->gone[before] = 1;
                self->queue[count++] = before;
            }
        }
    }
cleanup:
    return status;
}

/* The first edge that leads from a group that stayed to one that stayed. */
static void lead_on(uint32_t *out_source, uint32_t *out_target, uint32_t *out_edge,
                    const groups *self, uint32_t group) {
    const brant__view *view = self->view;

    *out_source = *out_target = *out_edge = NONE;
    for (uint32_t i = self->first[group]; i < self->first[group + 1]; i++) {
        uint32_t next, edge;
        brant__hops hops;
        if (!brant__view_enters(view, self->member[i])) continue;
        hops = brant__hops_of(view, self->member[i], false);
        while (brant__hops_next(view, &hops, &next, &edge)) {
            if (both_ways(view, edge) || self->gone[self->of[next]] ||
                !brant__view_enters(view, next))
                continue;
            *out_source = self->member[i];
            *out_target = next;
            *out_edge = edge;
            return;
        }
    }
}

/* From the least group that stayed on, until one comes again. */
static brant_status go_round(cycle *out, groups *self) {
    uint32_t nodes = self->view->snapshot->nodes, group = 0, source, target, edge;
    cycle steps = {NULL, NULL, 0, 0};
    uint32_t *place = self->left; /* by group: which step leads on from there */
    size_t begin;
    brant_status status = BRANT_OK;

    while (group < nodes && self->gone[group])
        group++;
    if (group == nodes) return BRANT_OK;
    memset(place, 0xFF, (size_t)nodes * sizeof(*place));
    while (place[group] == NONE) {
        lead_on(&source, &target, &edge, self, group);
        if (edge == NONE) {
            status = brant__fail(BRANT_INTERNAL, "a cycle was lost");
            goto cleanup;
        }
        place[group] = (uint32_t)steps.count;
        BRANT__TRY(cycle_add(&steps, source, edge));
        group = self->of[target];
    }
    begin = place[group];
    for (size_t i = begin; i < steps.count; i++) {
        size_t next = i + 1 < steps.count ? i + 1 : begin;
        BRANT__TRY(cycle_add(out, steps.nodes[i], steps.edges[i]));
        target = self->view->snapshot->out.node[steps.edges[i]];
        if (target != steps.nodes[next])
            BRANT__TRY(connect(out, self, target, steps.nodes[next], NONE));
    }
cleanup:
    cycle_free(&steps);
    return status;
}

/* Begin with the least node. */
static brant_status turn(cycle *self) {
    size_t least = 0;
    uint32_t *turned;

    for (size_t i = 1; i < self->count; i++)
        if (self->nodes[i] < self->nodes[least]) least = i;
    if (least == 0) return BRANT_OK;
    turned = brant__alloc(self->count * sizeof(*turned));
    if (!turned) return brant__fail_memory();
    for (int which = 0; which < 2; which++) {
        uint32_t *list = which ? self->edges : self->nodes;
        for (size_t i = 0; i < self->count; i++)
            turned[i] = list[(least + i) % self->count];
        memcpy(list, turned, self->count * sizeof(*list));
    }
    brant__free(turned);
    return BRANT_OK;
}

/* A cycle of the view; count 0: none. */
static brant_status find_cycle(cycle *out, brant_db *db, const brant__view *view) {
    size_t nodes = view->snapshot->nodes;
    groups self = {.view = view, .db = db};
    uint32_t source, edge;
    brant_status status;

    self.of = brant__alloc((nodes + 1) * sizeof(*self.of));
    self.first = brant__alloc_zero((nodes + 2) * sizeof(*self.first));
    self.member = brant__alloc((nodes + 1) * sizeof(*self.member));
    self.left = brant__alloc_zero((nodes + 1) * sizeof(*self.left));
    self.gone = brant__alloc_zero(nodes + 1);
    self.queue = brant__alloc((nodes + 1) * sizeof(*self.queue));
    if (!self.of || !self.first || !self.member || !self.left || !self.gone || !self.queue) {
        status = brant__fail_memory();
        goto cleanup;
    }
    BRANT__TRY(join(&source, &edge, &self));
    if (edge != NONE) {
        BRANT__TRY(cycle_add(out, source, edge));
        BRANT__TRY(connect(out, &self, view->snapshot->out.node[edge], source, edge));
    } else if (!view->undirected) {
        list_members(&self);
        BRANT__TRY(strip(&self));
        BRANT__TRY(go_round(out, &self));
    }
    if (out->count > 0) status = turn(out);
cleanup:
    brant__free(self.of);
    brant__free(self.first);
    brant__free(self.member);
    brant__free(self.left);
    brant__free(self.gone);
    brant__free(self.queue);
    return status;
}

brant_status brant__graph_find_cycle(brant__call *call) {
    cycle found = {NULL, NULL, 0, 0};
    brant__view view = {.snapshot = NULL};
    brant__writer *out = call->out;
    brant__graph graph;
    brant_status status;

    BRANT__TRY(brant__graph_find(&graph, call, false));
    BRANT__TRY(brant__view_open(&view, call, &graph, BRANT__VIEW_NODE_FILTER));
    BRANT__TRY(find_cycle(&found, call->db, &view));
    brant__write_object(out);
    brant__write_bool_member(out, "found", found.count > 0);
    brant__write_name(out, "keys");
    brant__write_keys(out, view.snapshot, found.nodes, found.count);
    brant__write_name(out, "edges");
    BRANT__TRY(brant__write_edge_keys(out, call, &graph, view.snapshot, found.edges, found.count));
    brant__write_end(out);
cleanup:
    cycle_free(&found);
    brant__view_close(&view);
    return status;
}

/* ---- topological order ----------------------------------------------------------------------- */

static brant_status fail_cycle(brant__call *call, const brant__graph *graph,
                               const brant__view *view) {
    cycle found = {NULL, NULL, 0, 0};
    brant__writer detail = {.level = 0};
    brant_status status;

    BRANT__TRY(find_cycle(&found, call->db, view));
    brant__write_object(&detail);
    brant__write_name(&detail, "cycle");
    brant__write_keys(&detail, view->snapshot, found.nodes, found.count);
    brant__write_end(&detail);
    if (detail.buffer.failed)
        status = brant__fail_memory();
    else
        status = brant__fail_detail(
            BRANT_CONSTRAINT, brant__text_of(detail.buffer.data, detail.buffer.length),
            "graph %s has a cycle of %zu %s: there is no topological order",
            brant__quoted(call, graph->name), found.count, found.count == 1 ? "node" : "nodes");
cleanup:
    cycle_free(&found);
    brant__buffer_free(&detail.buffer);
    return status;
}

/* An undirected edge leaves no order. */
static brant_status check_directed(brant__call *call, const brant__graph *graph,
                                   const brant__view *view) {
    const brant__snapshot *snapshot = view->snapshot;

    if (view->undirected)
        return brant__fail(BRANT_CONSTRAINT, "graph %s is undirected: its nodes have no order",
                           brant__quoted(call, graph->name));
    for (uint32_t node = 0; snapshot->undirected && node < snapshot->nodes; node++) {
        for (uint32_t edge = snapshot->out.from[node]; edge < snapshot->out.from[node + 1];
             edge++) {
            uint32_t ends[2] = {node, snapshot->out.node[edge]};
            brant__writer detail = {.level = 0};
            brant_status status;
            if (!brant__bit(snapshot->undirected, edge) || !brant__view_takes(view, edge) ||
                !brant__view_enters(view, ends[0]) || !brant__view_enters(view, ends[1]))
                continue;
            brant__write_object(&detail);
            brant__write_name(&detail, "cycle");
            brant__write_keys(&detail, snapshot, ends, ends[0] == ends[1] ? 1 : 2);
            brant__write_end(&detail);
            status = detail.buffer.failed
                         ? brant__fail_memory()
                         : brant__fail_detail(
                               BRANT_CONSTRAINT,
                               brant__text_of(detail.buffer.data, detail.buffer.length),
                               "graph %s has an undirected edge, whose ends have no order",
                               brant__quoted(call, graph->name));
            brant__buffer_free(&detail.buffer);
            return status;
        }
    }
    return BRANT_OK;
}

/* level[i]: the generation of node i. *out_count: how many nodes have one. */
static brant_status find_levels(uint32_t *level, uint32_t *left, uint32_t *queue, size_t *out_count,
                                brant_db *db, const brant__view *view) {
    uint32_t nodes = view->snapshot->nodes, next, edge;
    size_t count = 0;
    brant__hops hops;
    brant_status status = BRANT_OK;

    *out_count = 0;
    for (uint32_t node = 0; node < nodes; node++) {
        if ((node & BRANT__POLL_MASK) == BRANT__POLL_MASK) BRANT__TRY(brant__db_poll(db));
        if (!brant__view_enters(view, node)) continue;
        hops = brant__hops_of(view, node, true);
        while (brant__hops_next(view, &hops, &next, &edge))
            if (brant__view_enters(view, next)) left[node]++;
        if (left[node] > 0) continue;
        level[node] = 0;
        queue[count++] = node;
    }
    for (size_t head = 0; head < count; head++) {
        uint32_t node = queue[head];
        if ((head & BRANT__POLL_MASK) == BRANT__POLL_MASK) BRANT__TRY(brant__db_poll(db));
        hops = brant__hops_of(view, node, false);
        while (brant__hops_next(view, &hops, &next, &edge)) {
            if (!brant__view_enters(view, next) || --left[next] > 0) continue;
            level[next] = level[node] + 1; /* the last to come is of the latest generation */
            queue[count++] = next;
        }
    }
    *out_count = count;
cleanup:
    return status;
}

brant_status brant__graph_topological_order(brant__call *call) {
    uint32_t *level = NULL, *left = NULL, *queue = NULL, *begin = NULL, levels = 0;
    brant__view view = {.snapshot = NULL};
    size_t nodes, count, wanted = 0;
    brant__graph graph;
    brant_status status;

    BRANT__TRY(brant__graph_find(&graph, call, false));
    BRANT__TRY(brant__view_open(&view, call, &graph, BRANT__VIEW_NODE_FILTER));
    BRANT__TRY(check_directed(call, &graph, &view));
    nodes = view.snapshot->nodes;
    level = brant__alloc((nodes + 1) * sizeof(*level));
    left = brant__alloc_zero((nodes + 1) * sizeof(*left));
    queue = brant__alloc((nodes + 1) * sizeof(*queue));
    begin = brant__alloc_zero((nodes + 2) * sizeof(*begin));
    if (!level || !left || !queue || !begin) {
        status = brant__fail_memory();
        goto cleanup;
    }
    BRANT__TRY(find_levels(level, left, queue, &count, call->db, &view));
    for (uint32_t node = 0; node < nodes; node++)
        if (brant__view_enters(&view, node)) wanted++;
    if (count < wanted) {
        status = fail_cycle(call, &graph, &view);
        goto cleanup;
    }
    /* By generation, and in each by number. */
    for (size_t i = 0; i < count; i++) {
        uint32_t at = level[queue[i]];
        begin[at + 1]++;
        if (at + 1 > levels) levels = at + 1;
    }
    for (uint32_t i = 1; i <= levels; i++)
        begin[i] += begin[i - 1];
    memcpy(left, begin,
           ((size_t)levels + 1 < nodes + 1 ? (size_t)levels + 1 : nodes + 1) * sizeof(*left));
    for (uint32_t node = 0; node < nodes; node++)
        if (brant__view_enters(&view, node)) queue[left[level[node]]++] = node;
    brant__write_object(call->out);
    brant__write_name(call->out, "keys");
    brant__write_keys(call->out, view.snapshot, queue, count);
    brant__write_name(call->out, "generations");
    brant__write_numbers(call->out, begin, levels);
    brant__write_end(call->out);
cleanup:
    brant__free(level);
    brant__free(left);
    brant__free(queue);
    brant__free(begin);
    brant__view_close(&view);
    return status;
}
