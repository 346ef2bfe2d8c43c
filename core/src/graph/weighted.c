/*
 * graph/weighted.c: cheapest ways (Dijkstra).
 *
 * What is least is the pair of cost and hops. Costs are sums of doubles from the source on. Without
 * a bound on hops each node has one label, its least; with one a node may have several, each
 * dearer than the one before and of fewer hops: those are all that a way within the bound can need.
 */
#include <math.h>
#include <stdlib.h>

#include "graph/view.h"

#define NO_LABEL UINT32_MAX

/* Labels of one search at most: 24 bytes each, and 8 for the queue. */
#define LABELS ((size_t)1 << 24)

/* One way to a node: the best of its cost and hops. */
typedef struct label {
    double cost;
    uint32_t hops;
    uint32_t node;
    uint32_t from; /* the label before; NO_LABEL: the source */
    uint32_t next; /* the node's label before this one, of lower cost and more hops */
} label;

typedef struct search {
    brant_db *db;
    const brant__view *view;
    const double *weights;
    int64_t max_depth;
    double max_cost;
    label *labels;
    size_t count;
    size_t capacity;
    uint32_t *last;  /* by node: its newest label; NO_LABEL: none */
    uint32_t *place; /* by label: where it is in the heap; NO_LABEL: taken out */
    uint32_t *heap;  /* labels, the least first */
    size_t heap_count;
    bool overflow;
} search;

/* ---- heap ------------------------------------------------------------------------------------ */

/* A total order: also of labels that are equal, so that nothing depends on how they came. */
static bool less(const label *a, const label *b) {
    if (a->cost != b->cost) return a->cost < b->cost;
    if (a->hops != b->hops) return a->hops < b->hops;
    return a->node < b->node;
}

static void put(search *self, size_t at, uint32_t which) {
    self->heap[at] = which;
    self->place[which] = (uint32_t)at;
}

static void rise(search *self, size_t at) {
    uint32_t which = self->heap[at];

    while (at > 0) {
        size_t above = (at - 1) / 4;
        if (!less(&self->labels[which], &self->labels[self->heap[above]])) break;
        put(self, at, self->heap[above]);
        at = above;
    }
    put(self, at, which);
}

static void sink(search *self, size_t at) {
    uint32_t which = self->heap[at];

    for (;;) {
        size_t first = at * 4 + 1, least = first;
        if (first >= self->heap_count) break;
        for (size_t i = first + 1; i < first + 4 && i < self->heap_count; i++)
            if (less(&self->labels[self->heap[i]], &self->labels[self->heap[least]])) least = i;
        if (!less(&self->labels[self->heap[least]], &self->labels[which])) break;
        put(self, at, self->heap[least]);
        at = least;
    }
    put(self, at, which);
}

static uint32_t take(search *self) {
    uint32_t least = self->heap[0];

    self->place[least] = NO_LABEL;
    if (--self->heap_count > 0) {
        self->heap[0] = self->heap[self->heap_count];
        sink(self, 0);
    }
    return least;
}

/* ---- labels ---------------------------------------------------------------------------------- */

static bool grow(void **memory, size_t size, size_t capacity) {
    void *grown = brant__realloc(*memory, size * capacity);

    if (grown) *memory = grown;
    return grown != NULL;
}

static brant_status add(search *self, uint32_t node, double cost, uint32_t hops, uint32_t from) {
    if (self->count == self->capacity) {
        size_t capacity = self->capacity * 2;
        if (self->count >= LABELS && self->count > self->view->snapshot->nodes)
            return brant__fail(BRANT_LIMIT, "too many ways of different cost and length; a lower "
                                            "max_depth, or none, needs fewer");
        if (!grow((void **)&self->labels, sizeof(*self->labels), capacity) ||
            !grow((void **)&self->place, sizeof(*self->place), capacity) ||
            !grow((void **)&self->heap, sizeof(*self->heap), capacity))
            return brant__fail_memory();
        self->capacity = capacity;
    }
    self->labels[self->count] = (label){cost, hops, node, from, self->last[node]};
    self->last[node] = (uint32_t)self->count;
    self->heap[self->heap_count] = (uint32_t)self->count++;
    rise(self, self->heap_count++);
    return BRANT_OK;
}

/* A way to a node was found by the label `from`. */
static brant_status offer(search *self, uint32_t node, double cost, uint32_t from) {
    uint32_t hops = self->labels[from].hops + 1, known = self->last[node];
    label *old;

    if (known == NO_LABEL) return add(self, node, cost, hops, from);
    old = &self->labels[known];
    if (self->place[known] == NO_LABEL) {
        /* Settled, at no more than this cost: only fewer hops are of use, where they are bounded. */
        if (self->max_depth == INT64_MAX || hops >= old->hops) return BRANT_OK;
        return add(self, node, cost, hops, from);
    }
    if (self->max_depth != INT64_MAX) {
        /* Not settled yet: it may be beaten in both, or stand beside the other. */
        for (uint32_t i = known; i != NO_LABEL && self->place[i] != NO_LABEL;
             i = self->labels[i].next) {
            label *open = &self->labels[i];
            if (open->cost <= cost && open->hops <= hops) {
                if (open->cost == cost && open->hops == hops &&
                    self->labels[from].node < self->labels[open->from].node)
                    open->from = from;
                return BRANT_OK;
            }
            if (cost <= open->cost && hops <= open->hops) {
                open->cost = cost;
                open->hops = hops;
                open->from = from;
                rise(self, self->place[i]);
                return BRANT_OK;
            }
        }
        return add(self, node, cost, hops, from);
    }
    if (cost < old->cost || (cost == old->cost && hops < old->hops)) {
        old->cost = cost;
        old->hops = hops;
        old->from = from;
        rise(self, self->place[known]);
    } else if (cost == old->cost && hops == old->hops &&
               self->labels[from].node < self->labels[old->from].node) {
        old->from = from;
    }
    return BRANT_OK;
}

/* Is there a settled label of the node that is as good in both? Those are dominated. */
static bool dominated(const search *self, uint32_t which) {
    const label *self_label = &self->labels[which];

    if (self->max_depth == INT64_MAX) return false;
    for (uint32_t i = self->last[self_label->node]; i != NO_LABEL; i = self->labels[i].next)
        if (i != which && self->place[i] == NO_LABEL && self->labels[i].hops <= self_label->hops)
            return true;
    return false;
}

static brant_status search_open(search *self, brant__call *call, const brant__view *view,
                                const double *weights, uint32_t source, int64_t max_depth,
                                double max_cost) {
    size_t nodes = view->snapshot->nodes;

    *self = (search){.db = call->db, .view = view, .weights = weights};
    /* No way without a loop is longer than this: such a bound is none. */
    self->max_depth = max_depth >= (int64_t)nodes ? INT64_MAX : max_depth;
    self->max_cost = max_cost;
    self->capacity = nodes + 1;
    self->labels = brant__alloc(self->capacity * sizeof(*self->labels));
    self->place = brant__alloc(self->capacity * sizeof(*self->place));
    self->heap = brant__alloc(self->capacity * sizeof(*self->heap));
    self->last = brant__alloc((nodes + 1) * sizeof(*self->last));
    if (!self->labels || !self->place || !self->heap || !self->last) return brant__fail_memory();
    memset(self->last, 0xFF, nodes * sizeof(*self->last));
    return add(self, source, 0, 0, NO_LABEL);
}

static void search_close(search *self) {
    brant__free(self->labels);
    brant__free(self->place);
    brant__free(self->heap);
    brant__free(self->last);
}

/* Settle the least label and look on from it. *out NO_LABEL: none is left. */
static brant_status settle(uint32_t *out, search *self) {
    const brant__view *view = self->view;
    uint32_t which, next, edge;
    brant__hops hops;
    brant_status status = BRANT_OK;

    *out = NO_LABEL;
    do {
        if (self->heap_count == 0) return BRANT_OK;
        which = take(self);
    } while (dominated(self, which));
    *out = which;
    if ((int64_t)self->labels[which].hops >= self->max_depth) return BRANT_OK;
    hops = brant__hops_of(view, self->labels[which].node, false);
    while (brant__hops_next(view, &hops, &next, &edge)) {
        double cost = self->labels[which].cost + self->weights[edge];
        if (!brant__view_enters(view, next)) continue;
        if (!(cost <= self->max_cost)) {
            if (!isfinite(cost)) self->overflow = true;
            continue;
        }
        if (!isfinite(cost)) {
            self->overflow = true;
            continue;
        }
        BRANT__TRY(offer(self, next, cost, which));
    }
cleanup:
    return status;
}

/* ---- two nodes ------------------------------------------------------------------------------- */

/* The settled label of a node with these hops, or NO_LABEL. */
static uint32_t label_of(const search *self, uint32_t node, uint32_t hops) {
    for (uint32_t i = self->last[node]; i != NO_LABEL; i = self->labels[i].next)
        if (self->place[i] == NO_LABEL && self->labels[i].hops == hops) return i;
    return NO_LABEL;
}

/*
 * The labels on the cheapest ways to the one that was settled last, marked from it back: an edge is
 * on one where it leads from label to label at exactly what the second costs. Then from the source
 * on the least each time.
 */
static brant_status trace(brant__way *out, brant__call *call, const search *self, uint32_t end) {
    const label *labels = self->labels;
    uint32_t length = labels[end].hops, at, *queue = NULL;
    uint64_t *on = brant__bits(self->count);
    size_t head = 0, count = 0;
    brant_status status = BRANT_OK;

    out->nodes = brant__arena_alloc(call->arena, ((size_t)length + 1) * sizeof(*out->nodes));
    out->edges = brant__arena_alloc(call->arena, ((size_t)length + 1) * sizeof(*out->edges));
    queue = brant__alloc((self->count + 1) * sizeof(*queue));
    if (!on || !queue || !out->nodes || !out->edges) {
        status = brant__fail_memory();
        goto cleanup;
    }
    brant__bit_set(on, end);
    queue[count++] = end;
    for (; head < count; head++) {
        const label *to = &labels[queue[head]];
        brant__hops hops = brant__hops_of(self->view, to->node, true);
        uint32_t node, edge;
        if (to->hops == 0) continue;
        if ((head & BRANT__POLL_MASK) == BRANT__POLL_MASK) BRANT__TRY(brant__db_poll(call->db));
        while (brant__hops_next(self->view, &hops, &node, &edge)) {
            uint32_t from = label_of(self, node, to->hops - 1);
            if (from == NO_LABEL || brant__bit(on, from) ||
                labels[from].cost + self->weights[edge] != to->cost)
                continue;
            brant__bit_set(on, from);
            queue[count++] = from;
        }
    }
    at = 0; /* the source's label is the first of all */
    out->nodes[0] = labels[at].node;
    for (uint32_t i = 0; i < length; i++) {
        brant__hops hops = brant__hops_of(self->view, labels[at].node, false);
        uint32_t node, edge, to = NO_LABEL;
        do {
            if (!brant__hops_next(self->view, &hops, &node, &edge)) {
                status = brant__fail(BRANT_INTERNAL, "a cheapest way was lost");
                goto cleanup;
            }
            to = label_of(self, node, i + 1);
        } while (to == NO_LABEL || !brant__bit(on, to) ||
                 labels[at].cost + self->weights[edge] != labels[to].cost);
        out->nodes[i + 1] = node;
        out->edges[i] = edge;
        at = to;
    }
    out->length = length;
    out->cost = labels[end].cost;
cleanup:
    brant__free(on);
    brant__free(queue);
    return status;
}

static brant_status fail_overflow(void) {
    return brant__fail(BRANT_LIMIT, "the costs add up to more than a double holds");
}

brant_status brant__way_cheap(brant__way *out, brant__call *call, const brant__view *view,
                              const double *weights, uint32_t source, uint32_t target,
                              int64_t max_depth) {
    uint32_t which = NO_LABEL;
    search self = {.count = 0};
    brant_status status;

    *out = (brant__way){.length = UINT32_MAX};
    BRANT__TRY(search_open(&self, call, view, weights, source, max_depth, INFINITY));
    for (size_t steps = 1;; steps++) {
        if ((steps & BRANT__POLL_MASK) == 0) BRANT__TRY(brant__db_poll(call->db));
        BRANT__TRY(settle(&which, &self));
        if (which == NO_LABEL || self.labels[which].node == target) break;
    }
    if (which != NO_LABEL)
        status = trace(out, call, &self, which);
    else if (self.overflow)
        status = fail_overflow();
cleanup:
    search_close(&self);
    return status;
}

/* ---- all nodes ------------------------------------------------------------------------------- */

static int compare_numbers(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

brant_status brant__distances_cheap(brant__distances *out, brant__call *call,
                                    const brant__view *view, const double *weights, uint32_t source,
                                    int64_t max_depth, double max_cost, size_t limit) {
    size_t nodes = view->snapshot->nodes, run = 0;
    uint32_t *best = brant__alloc((nodes + 1) * sizeof(*best)); /* by node: its first label */
    uint32_t *place = brant__alloc((nodes + 1) * sizeof(*place));
    search self = {.count = 0};
    brant_status status;

    *out = (brant__distances){.count = 0};
    out->nodes = brant__alloc((nodes + 1) * sizeof(*out->nodes));
    out->costs = brant__alloc((nodes + 1) * sizeof(*out->costs));
    out->parents = brant__alloc((nodes + 1) * sizeof(*out->parents));
    if (!best || !place || !out->nodes || !out->costs || !out->parents) {
        status = brant__fail_memory();
        goto cleanup;
    }
    memset(best, 0xFF, nodes * sizeof(*best));
    BRANT__TRY(search_open(&self, call, view, weights, source, max_depth, max_cost));
    for (size_t steps = 1;; steps++) {
        uint32_t which, node;
        if ((steps & BRANT__POLL_MASK) == 0) BRANT__TRY(brant__db_poll(call->db));
        BRANT__TRY(settle(&which, &self));
        if (which == NO_LABEL) break;
        node = self.labels[which].node;
        if (best[node] != NO_LABEL) continue; /* dearer, for others' sake */
        /* Those of one cost come together; which of them the limit keeps is known when all came. */
        if (out->count > limit && self.labels[which].cost > out->costs[out->count - 1]) break;
        best[node] = which;
        out->nodes[out->count] = node;
        out->costs[out->count++] = self.labels[which].cost;
    }
    if (self.overflow && max_cost == INFINITY) {
        status = fail_overflow();
        goto cleanup;
    }
    for (size_t i = 1; i <= out->count; i++) {
        if (i < out->count && out->costs[i] == out->costs[run]) continue;
        qsort(out->nodes + run, i - run, sizeof(*out->nodes), compare_numbers);
        run = i;
    }
    for (size_t i = 0; i < out->count; i++)
        place[out->nodes[i]] = (uint32_t)i;
    if (out->count > limit) {
        out->count = limit;
        out->truncated = true;
    }
    for (size_t i = 0; i < out->count; i++) {
        uint32_t from = self.labels[best[out->nodes[i]]].from;
        out->parents[i] = from == NO_LABEL ? BRANT__NO_NODE : place[self.labels[from].node];
        /* The limit may have cut off one that costs the same. */
        if (out->parents[i] != BRANT__NO_NODE && out->parents[i] >= out->count)
            out->parents[i] = BRANT__NO_NODE;
    }
cleanup:
    brant__free(best);
    brant__free(place);
    search_close(&self);
    return status;
}
