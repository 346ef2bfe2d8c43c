/*
 * graph/component.c: connected components: weak ones by union, strong ones as Tarjan found them.
 */
#include "graph/view.h"

#define NONE UINT32_MAX

/* ---- weak ------------------------------------------------------------------------------------ */

static uint32_t root_of(uint32_t *above, uint32_t node) {
    while (above[node] != node) {
        above[node] = above[above[node]];
        node = above[node];
    }
    return node;
}

/* of[i]: a node of its component; the roots are the least. */
static brant_status join_weak(uint32_t *of, brant_db *db, const brant__view *view) {
    const brant__arcs *out = &view->snapshot->out;
    uint32_t nodes = view->snapshot->nodes;
    brant_status status = BRANT_OK;

    for (uint32_t node = 0; node < nodes; node++)
        of[node] = node;
    for (uint32_t node = 0; node < nodes; node++) {
        if ((node & BRANT__POLL_MASK) == BRANT__POLL_MASK) BRANT__TRY(brant__db_poll(db));
        if (!brant__view_enters(view, node)) continue;
        for (uint32_t edge = out->from[node]; edge < out->from[node + 1]; edge++) {
            uint32_t a, b;
            if (!brant__view_takes(view, edge) || !brant__view_enters(view, out->node[edge]))
                continue;
            a = root_of(of, node);
            b = root_of(of, out->node[edge]);
            if (a < b)
                of[b] = a;
            else
                of[a] = b;
        }
    }
    for (uint32_t node = 0; node < nodes; node++)
        of[node] = root_of(of, node);
cleanup:
    return status;
}

/* ---- strong ---------------------------------------------------------------------------------- */

typedef struct frame {
    brant__hops hops;
    uint32_t node;
} frame;

typedef struct tarjan {
    const brant__view *view;
    uint32_t *of;    /* NONE until the component is complete */
    uint32_t *index; /* in the order of coming there, from 1; 0: not yet */
    uint32_t *low;   /* the least index that is known to be reached */
    uint32_t *stack; /* nodes of components that are not complete */
    size_t stacked;
    frame *frames;
    size_t depth;
    size_t capacity;
    uint32_t next;
    uint32_t components;
} tarjan;

static brant_status enter(tarjan *self, uint32_t node) {
    frame *grown = brant__grow(self->frames, &self->capacity, self->depth, sizeof(*grown));
    if (!grown) return brant__fail_memory();
    self->frames = grown;
    self->index[node] = self->low[node] = self->next++;
    self->stack[self->stacked++] = node;
    self->frames[self->depth++] = (frame){brant__hops_of(self->view, node, false), node};
    return BRANT_OK;
}

static brant_status visit(tarjan *self, brant_db *db, uint32_t root) {
    brant_status status;

    BRANT__TRY(enter(self, root));
    while (self->depth > 0) {
        frame *top = &self->frames[self->depth - 1];
        uint32_t node = top->node, next = NONE, edge, low = self->low[node];
        brant__hops hops = top->hops;
        bool deeper = false;
        while (brant__hops_next(self->view, &hops, &next, &edge)) {
            if (self->index[next] == 0) {
                if (!brant__view_enters(self->view, next)) continue;
                deeper = true;
                break;
            }
            if (self->of[next] == NONE && self->index[next] < low) low = self->index[next];
        }
        self->low[node] = low;
        if (deeper) {
            top->hops = hops;
            if ((self->next & BRANT__POLL_MASK) == 0) BRANT__TRY(brant__db_poll(db));
            BRANT__TRY(enter(self, next));
            continue;
        }
        if (low == self->index[node]) {
            uint32_t member;
            do {
                member = self->stack[--self->stacked];
                self->of[member] = self->components;
            } while (member != node);
            self->components++;
        }
        if (--self->depth > 0) {
            uint32_t above = self->frames[self->depth - 1].node;
            if (low < self->low[above]) self->low[above] = low;
        }
    }
cleanup:
    return status;
}

static brant_status find_strong(uint32_t *of, brant_db *db, const brant__view *view) {
    size_t nodes = view->snapshot->nodes;
    tarjan self = {.view = view, .of = of, .next = 1};
    brant_status status = BRANT_OK;

    self.index = brant__alloc_zero((nodes + 1) * sizeof(*self.index));
    self.low = brant__alloc((nodes + 1) * sizeof(*self.low));
    self.stack = brant__alloc((nodes + 1) * sizeof(*self.stack));
    if (!self.index || !self.low || !self.stack) {
        status = brant__fail_memory();
        goto cleanup;
    }
    memset(of, 0xFF, nodes * sizeof(*of));
    for (uint32_t node = 0; node < nodes; node++) {
        if (self.index[node] || !brant__view_enters(view, node)) continue;
        if ((node & BRANT__POLL_MASK) == BRANT__POLL_MASK) BRANT__TRY(brant__db_poll(db));
        BRANT__TRY(visit(&self, db, node));
    }
cleanup:
    brant__free(self.index);
    brant__free(self.low);
    brant__free(self.stack);
    brant__free(self.frames);
    return status;
}

/* ---- operation ------------------------------------------------------------------------------- */

brant_status brant__graph_components(brant__call *call) {
    brant__text connection = brant__json_get_text(call->input, "connection");
    bool strong = brant__text_equal(connection, BRANT__TEXT("strong"));
    uint32_t *of = NULL, *number = NULL, *listed = NULL, *sizes = NULL, count = 0;
    brant__view view = {.snapshot = NULL};
    brant__writer *out = call->out;
    brant__graph graph;
    size_t nodes, kept = 0;
    brant_status status;

    if (connection.data && !strong && !brant__text_equal(connection, BRANT__TEXT("weak")))
        return brant__fail(BRANT_INVALID, "connection is none of weak, strong");
    BRANT__TRY(brant__graph_find(&graph, call, false));
    BRANT__TRY(brant__view_open(&view, call, &graph, BRANT__VIEW_NODE_FILTER));
    nodes = view.snapshot->nodes;
    of = brant__alloc((nodes + 1) * sizeof(*of));
    number = brant__alloc((nodes + 1) * sizeof(*number));
    listed = brant__alloc((nodes + 1) * sizeof(*listed));
    sizes = brant__alloc_zero((nodes + 1) * sizeof(*sizes));
    if (!of || !number || !listed || !sizes) {
        status = brant__fail_memory();
        goto cleanup;
    }
    status = strong && !view.undirected ? find_strong(of, call->db, &view)
                                        : join_weak(of, call->db, &view);
    if (status != BRANT_OK) goto cleanup;
    memset(number, 0xFF, nodes * sizeof(*number));
    for (uint32_t node = 0; node < nodes; node++) {
        if (!brant__view_enters(&view, node)) continue;
        if (number[of[node]] == NONE) number[of[node]] = count++;
        sizes[number[of[node]]]++;
        listed[kept] = node;
        of[kept++] = number[of[node]]; /* not behind what is read */
    }
    brant__write_object(out);
    brant__write_integer_member(out, "count", count);
    brant__write_name(out, "keys");
    brant__write_keys(out, view.snapshot, view.nodes ? listed : NULL, kept);
    brant__write_name(out, "components");
    brant__write_numbers(out, of, kept);
    brant__write_name(out, "sizes");
    brant__write_numbers(out, sizes, count);
    brant__write_end(out);
cleanup:
    brant__free(of);
    brant__free(number);
    brant__free(listed);
    brant__free(sizes);
    brant__view_close(&view);
    return status;
}
