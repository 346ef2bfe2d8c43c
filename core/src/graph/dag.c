/*
 * graph/dag.c: adding edges to an acyclic graph one after the other, refusing those that would close a cycle with the graph and
 * the edges before them.
 *
 * Directed: a topological order that follows the edges (Pearce and Kelly, "A Dynamic Topological Sort Algorithm for Directed
 * Acyclic Graphs", 2006): an edge that agrees with the order costs nothing, one that does not is searched for only between the places
 * of its ends. The order begins as one of the graph with all the edges that may come, as far as these have one: where they close
 * no cycle at all, nothing is ever searched. Undirected: sets of nodes that are joined.
 */
#include <stdlib.h>

#include "graph/dag.h"

#define POLL_MASK 65535

typedef struct order_link {
    uint32_t node;
    uint32_t next; /* + 1; 0: the last */
} order_link;

struct brant__dag {
    brant__call *call;
    const brant__snapshot *snapshot; /* the handle's, for the call */
    bool undirected;
    bool harmless;   /* nothing that may come closes a cycle */
    uint32_t *place; /* directed: in the order; undirected: the node that a node was joined to */
    uint32_t *node;  /* at a place; scratch */
    uint32_t *first[2];
    order_link *links[2]; /* of added edges: out, in */
    size_t count;
    size_t room;
    uint32_t *seen; /* number of the search that saw a node */
    uint32_t search;
    uint64_t *moved; /* place and node of what a search saw */
    uint64_t steps;
};

void brant__dag_free(brant__dag *order) {
    if (!order) return;
    brant__free(order->place);
    brant__free(order->node);
    brant__free(order->seen);
    brant__free(order->moved);
    for (int i = 0; i < 2; i++) {
        brant__free(order->first[i]);
        brant__free(order->links[i]);
    }
    brant__free(order);
}

static const brant__arcs *arcs_of(const brant__dag *order, int direction) {
    return direction ? &order->snapshot->in : &order->snapshot->out;
}

static void link_ends(brant__dag *order, uint32_t source, uint32_t target) {
    order->links[0][order->count] = (order_link){target, order->first[0][source]};
    order->links[1][order->count] = (order_link){source, order->first[1][target]};
    order->first[0][source] = order->first[1][target] = (uint32_t)++order->count;
}

static void unlink_all(brant__dag *order) {
    size_t bytes = ((size_t)order->snapshot->nodes + 1) * sizeof(uint32_t);

    memset(order->first[0], 0, bytes);
    memset(order->first[1], 0, bytes);
    order->count = 0;
}

static brant_status poll(brant__dag *order) {
    return (++order->steps & POLL_MASK) ? BRANT_OK : brant__db_poll(order->call->db);
}

/* ---- the first order ------------------------------------------------------------------------- */

/*
 * Give places to the nodes that have none (`seen` is 0) and whose predecessors have all one, from `placed` on; with the edges that
 * may come, or without. Returns how many nodes have a place then.
 */
static size_t give_places(brant__dag *order, uint32_t *left, size_t placed, bool links) {
    const brant__snapshot *snapshot = order->snapshot;
    size_t head = placed;

    for (uint32_t i = 0; i < snapshot->nodes; i++) {
        if (order->seen[i]) continue;
        left[i] = 0;
        for (uint32_t at = snapshot->in.from[i]; at < snapshot->in.from[i + 1]; at++)
            left[i] += !order->seen[snapshot->in.node[at]];
        for (uint32_t at = links ? order->first[1][i] : 0; at; at = order->links[1][at - 1].next)
            left[i]++;
    }
    for (uint32_t i = 0; i < snapshot->nodes; i++)
        if (!order->seen[i] && left[i] == 0) order->node[placed++] = i;
    while (head < placed) {
        uint32_t node = order->node[head];
        order->seen[node] = 1;
        order->place[node] = (uint32_t)head++;
        for (uint32_t at = snapshot->out.from[node]; at < snapshot->out.from[node + 1]; at++)
            if (--left[snapshot->out.node[at]] == 0) order->node[placed++] = snapshot->out.node[at];
        for (uint32_t at = links ? order->first[0][node] : 0; at; at = order->links[0][at - 1].next)
            if (--left[order->links[0][at - 1].node] == 0)
                order->node[placed++] = order->links[0][at - 1].node;
    }
    return placed;
}

static brant_status begin_directed(brant__dag *order, const brant__pair *candidates, size_t count) {
    size_t nodes = order->snapshot->nodes, placed;
    uint32_t *left = brant__alloc((nodes + 1) * sizeof(*left));

    if (!left) return brant__fail_memory();
    for (size_t i = 0; i < count; i++) {
        uint32_t source = brant__snapshot_number(order->snapshot, candidates[i].source),
                 target = brant__snapshot_number(order->snapshot, candidates[i].target);
        if (source != UINT32_MAX && target != UINT32_MAX && source != target)
            link_ends(order, source, target);
    }
    placed = give_places(order, left, 0, true);
    order->harmless = placed == nodes;
    unlink_all(order);
    if (placed < nodes) placed = give_places(order, left, placed, false);
    brant__free(left);
    memset(order->seen, 0, (nodes + 1) * sizeof(*order->seen));
    if (placed == nodes) return BRANT_OK;
    return brant__fail(BRANT_CONSTRAINT, "the graph is to be acyclic, and has a cycle already");
}

/* ---- undirected ------------------------------------------------------------------------------ */

static uint32_t root_of(brant__dag *order, uint32_t node) {
    while (order->place[node] != node) {
        order->place[node] = order->place[order->place[node]];
        node = order->place[node];
    }
    return node;
}

/* False where the nodes were joined already. */
static bool join(brant__dag *order, uint32_t a, uint32_t b) {
    a = root_of(order, a);
    b = root_of(order, b);
    if (a == b) return false;
    /* `node` is a root's size here. */
    if (order->node[a] < order->node[b]) {
        uint32_t swap = a;
        a = b;
        b = swap;
    }
    order->place[b] = a;
    order->node[a] += order->node[b];
    return true;
}

static void begin_undirected(brant__dag *order) {
    const brant__snapshot *snapshot = order->snapshot;

    for (uint32_t i = 0; i < snapshot->nodes; i++) {
        order->place[i] = i;
        order->node[i] = 1;
    }
    for (uint32_t i = 0; i < snapshot->nodes; i++)
        for (uint32_t at = snapshot->out.from[i]; at < snapshot->out.from[i + 1]; at++)
            join(order, i, snapshot->out.node[at]);
}

brant_status brant__dag_begin(brant__dag **out, brant__call *call, const brant__graph *graph,
                              const brant__pair *candidates, size_t count) {
    brant__dag *order = brant__alloc_zero(sizeof(*order));
    size_t nodes;
    brant_status status;

    *out = NULL;
    if (!order) return brant__fail_memory();
    order->call = call;
    order->undirected = brant__graph_undirected(graph);
    BRANT__TRY(brant__snapshot_get(&order->snapshot, call, graph));
    nodes = (size_t)order->snapshot->nodes + 1;
    order->place = brant__alloc(nodes * sizeof(*order->place));
    order->node = brant__alloc(nodes * sizeof(*order->node));
    if (!order->undirected) {
        order->room = count;
        order->seen = brant__alloc_zero(nodes * sizeof(*order->seen));
        order->moved = brant__alloc(nodes * sizeof(*order->moved));
        for (int i = 0; i < 2; i++) {
            order->first[i] = brant__alloc_zero(nodes * sizeof(**order->first));
            order->links[i] = brant__alloc((count + 1) * sizeof(**order->links));
        }
        if (!order->seen || !order->moved || !order->first[0] || !order->first[1] ||
            !order->links[0] || !order->links[1]) {
            status = brant__fail_memory();
            goto cleanup;
        }
    }
    if (!order->place || !order->node) {
        status = brant__fail_memory();
        goto cleanup;
    }
    if (order->undirected)
        begin_undirected(order);
    else
        BRANT__TRY(begin_directed(order, candidates, count));
    *out = order;
    return BRANT_OK;
cleanup:
    brant__dag_free(order);
    return status;
}

/* ---- adding ---------------------------------------------------------------------------------- */

static int compare_moved(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* What is reached from a node, forward up to a place, or backward down to one, as place and node in `out`. *out_met: `wanted` was. */
static brant_status reach(bool *out_met, uint64_t *out, size_t *out_count, brant__dag *order,
                          uint32_t from, uint32_t bound, uint32_t wanted, int direction) {
    const brant__arcs *arcs = arcs_of(order, direction);
    size_t head = 0, count = 0;
    brant_status status;

    order->search++;
    order->seen[from] = order->search;
    out[count++] = (uint64_t)order->place[from] << 32 | from;
    while (head < count) {
        uint32_t node = (uint32_t)out[head++];
        uint32_t at = arcs->from[node], link = order->first[direction][node];
        while (at < arcs->from[node + 1] || link) {
            uint32_t next;
            if (at < arcs->from[node + 1]) {
                next = arcs->node[at++];
            } else {
                next = order->links[direction][link - 1].node;
                link = order->links[direction][link - 1].next;
            }
            status = poll(order);
            if (status != BRANT_OK) return status;
            if (next == wanted) {
                *out_met = true;
                return BRANT_OK;
            }
            if (order->seen[next] == order->search ||
                (direction ? order->place[next] < bound : order->place[next] > bound))
                continue;
            order->seen[next] = order->search;
            out[count++] = (uint64_t)order->place[next] << 32 | next;
        }
    }
    *out_count = count;
    return BRANT_OK;
}

static brant_status add_directed(bool *out_closed, brant__dag *order, uint32_t source,
                                 uint32_t target) {
    size_t behind = 0, ahead = 0, at = 0;
    uint32_t *places = order->node; /* scratch: both lists together are no more than the nodes */
    brant_status status;

    if (order->place[source] > order->place[target]) {
        bool met = false;
        status =
            reach(out_closed, order->moved, &ahead, order, target, order->place[source], source, 0);
        if (status != BRANT_OK || *out_closed) return status;
        status = reach(&met, order->moved + ahead, &behind, order, source, order->place[target],
                       target, 1);
        if (status != BRANT_OK) return status;
        /* What leads to the source takes the lower of all these places, what follows the target the higher; each in its own order. */
        qsort(order->moved, ahead, sizeof(*order->moved), compare_moved);
        qsort(order->moved + ahead, behind, sizeof(*order->moved), compare_moved);
        for (size_t i = 0, j = ahead; i < ahead || j < ahead + behind;) {
            bool first = j == ahead + behind || (i < ahead && order->moved[i] < order->moved[j]);
            places[at++] = (uint32_t)(order->moved[first ? i++ : j++] >> 32);
        }
        at = 0;
        for (size_t i = 0; i < behind; i++)
            order->place[(uint32_t)order->moved[ahead + i]] = places[at++];
        for (size_t i = 0; i < ahead; i++)
            order->place[(uint32_t)order->moved[i]] = places[at++];
    }
    if (order->count < order->room) link_ends(order, source, target);
    return BRANT_OK;
}

brant_status brant__dag_add(bool *out_closed, brant__dag *order, int64_t source_row,
                            int64_t target_row) {
    uint32_t source = brant__snapshot_number(order->snapshot, source_row),
             target = brant__snapshot_number(order->snapshot, target_row);

    *out_closed = false;
    if (source == UINT32_MAX || target == UINT32_MAX)
        return brant__fail(BRANT_INTERNAL, "a node is not in the snapshot of its graph");
    if (order->undirected) {
        *out_closed = !join(order, source, target);
        return BRANT_OK;
    }
    if (source == target) {
        *out_closed = true;
        return BRANT_OK;
    }
    return order->harmless ? BRANT_OK : add_directed(out_closed, order, source, target);
}
