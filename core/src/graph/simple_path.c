/*
 * graph/simple_path.c: all simple paths between two nodes, the shortest first.
 *
 * Each path that was found leaves the others in as many sets as it has nodes: those that share its
 * beginning up to one node and go on otherwise (Lawler's division of Yen's search). Of each set the
 * least path is known as soon as the set is, so that the least of all is among those, and a path
 * costs at most one search for each of its nodes, in whatever graph.
 */
#include <stdlib.h>

#include "graph/view.h"

#define UNREACHED UINT32_MAX

/* Of the paths that are held at one time. */
#define PATH_BYTES ((size_t)256 << 20)

/* The least path of a set: those that begin with its first `fixed` + 1 nodes and then go to none of
 * `banned`. */
typedef struct candidate {
    uint32_t *nodes; /* length + 1 */
    uint32_t length;
    uint32_t fixed;
    uint32_t *banned;
    uint32_t banned_count;
    uint32_t banned_capacity;
} candidate;

typedef struct search {
    brant__call *call;
    const brant__view *view;
    uint32_t source;
    uint32_t target;
    uint32_t max_depth;
    uint32_t *left;    /* by node: hops to the target in the whole graph */
    uint32_t *around;  /* the same without the nodes of the beginning, where `stamp` says so */
    uint32_t *stamp;   /* by node: the search that `around` is of */
    uint32_t *blocked; /* by node: the search in which it is taken */
    uint32_t *first;   /* by node: the search in which it may not come first */
    uint32_t *wanted;  /* by node: the search in which it may come first */
    uint32_t *queue;
    uint32_t *path; /* max_depth + 1 */
    uint32_t serial;
    size_t steps;
    candidate *heap; /* the least first */
    size_t count;
    size_t capacity;
    candidate *found;
    size_t found_count;
    size_t limit;
    size_t bytes;
} search;

/* ---- candidates ------------------------------------------------------------------------------ */

static int compare(const void *a, const void *b) {
    const candidate *x = a, *y = b;

    if (x->length != y->length) return x->length < y->length ? -1 : 1;
    for (uint32_t i = 0; i <= x->length; i++)
        if (x->nodes[i] != y->nodes[i]) return x->nodes[i] < y->nodes[i] ? -1 : 1;
    return 0;
}

static size_t bytes_of(const candidate *of) {
    return ((size_t)of->length + 1 + of->banned_capacity) * sizeof(uint32_t) + sizeof(*of);
}

static void discard(search *self, candidate *of) {
    self->bytes -= bytes_of(of);
    brant__free(of->nodes);
    brant__free(of->banned);
}

static void rise(search *self, size_t at) {
    candidate moved = self->heap[at];

    while (at > 0 && compare(&moved, &self->heap[(at - 1) / 2]) < 0) {
        self->heap[at] = self->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    self->heap[at] = moved;
}

static candidate take(search *self) {
    candidate least = self->heap[0], moved = self->heap[--self->count];
    size_t at = 0;

    for (;;) {
        size_t below = at * 2 + 1;
        if (below >= self->count) break;
        if (below + 1 < self->count && compare(&self->heap[below + 1], &self->heap[below]) < 0)
            below++;
        if (compare(&moved, &self->heap[below]) <= 0) break;
        self->heap[at] = self->heap[below];
        at = below;
    }
    if (self->count > 0) self->heap[at] = moved;
    return least;
}

/* More candidates than can come to be answers, one apart that says there are more, may go. */
static void prune(search *self, bool force) {
    size_t needed = self->limit - self->found_count + 1;

    if (self->count <= needed || (!force && self->count < 2 * needed + 1024)) return;
    qsort(self->heap, self->count, sizeof(*self->heap), compare);
    while (self->count > needed)
        discard(self, &self->heap[--self->count]);
}

/* ---- the least path of a set ----------------------------------------------------------------- */

static bool open_to(const search *self, uint32_t node) {
    return self->blocked[node] != self->serial && brant__view_enters(self->view, node);
}

/* Along hops that fall by one, from path[at] on; false where there is no such way. */
static bool fall(search *self, uint32_t at, uint32_t left, bool around) {
    while (left > 0) {
        brant__hops hops = brant__hops_of(self->view, self->path[at], false);
        uint32_t next, edge;
        do {
            if (!brant__hops_next(self->view, &hops, &next, &edge)) return false;
        } while (!open_to(self, next) ||
                 (around ? self->stamp[next] != self->serial || self->around[next] != left - 1
                         : self->left[next] != left - 1));
        self->path[++at] = next;
        left--;
    }
    return true;
}

/*
 * From the target back around what is blocked, until a level has nodes that may come first.
 * *out_first: the least of them.
 */
static brant_status search_around(search *self, uint32_t *out_first, uint32_t most) {
    uint32_t found = BRANT__NO_NODE;
    size_t head = 0, count = 0;
    brant_status status = BRANT_OK;

    *out_first = BRANT__NO_NODE;
    self->queue[count++] = self->target;
    self->stamp[self->target] = self->serial;
    self->around[self->target] = 0;
    if (self->wanted[self->target] == self->serial) found = self->target;
    while (head < count) {
        uint32_t node = self->queue[head++], next, edge, hops_left = self->around[node];
        brant__hops hops;
        if (found != BRANT__NO_NODE && hops_left >= self->around[found]) break;
        if (hops_left >= most) break;
        hops = brant__hops_of(self->view, node, true);
        while (brant__hops_next(self->view, &hops, &next, &edge)) {
            if ((++self->steps & 0xFFFF) == 0) BRANT__TRY(brant__db_poll(self->call->db));
            if (self->stamp[next] == self->serial || !open_to(self, next)) continue;
            self->stamp[next] = self->serial;
            self->around[next] = hops_left + 1;
            self->queue[count++] = next;
            if (self->wanted[next] == self->serial &&
                (found == BRANT__NO_NODE || (self->around[found] == hops_left + 1 && next < found)))
                found = next;
        }
    }
    *out_first = found;
cleanup:
    return status;
}

/* Into self->path, whose first `fixed` + 1 nodes are there. *out_length UNREACHED: the set is
 * empty. */
static brant_status complete(uint32_t *out_length, search *self, uint32_t fixed,
                             const uint32_t *banned, uint32_t banned_count) {
    uint32_t first = BRANT__NO_NODE, next, edge, most = self->max_depth - fixed;
    brant__hops hops;
    brant_status status;

    *out_length = UNREACHED;
    if (most == 0) return BRANT_OK;
    if (++self->serial == 0) return brant__fail(BRANT_LIMIT, "too many searches");
    for (uint32_t i = 0; i <= fixed; i++)
        self->blocked[self->path[i]] = self->serial;
    for (uint32_t i = 0; i < banned_count; i++)
        self->first[banned[i]] = self->serial;
    hops = brant__hops_of(self->view, self->path[fixed], false);
    while (brant__hops_next(self->view, &hops, &next, &edge)) {
        if ((++self->steps & 0xFFFF) == 0) {
            status = brant__db_poll(self->call->db);
            if (status != BRANT_OK) return status;
        }
        if (!open_to(self, next) || self->first[next] == self->serial || self->left[next] >= most)
            continue;
        self->wanted[next] = self->serial;
        if (first == BRANT__NO_NODE || self->left[next] < self->left[first]) first = next;
    }
    if (first == BRANT__NO_NODE) return BRANT_OK;
    /* What is the least in the whole graph is the least here, unless it is blocked. */
    self->path[fixed + 1] = first;
    if (fall(self, fixed + 1, self->left[first], false)) {
        *out_length = fixed + 1 + self->left[first];
        return BRANT_OK;
    }
    status = search_around(self, &first, most - 1);
    if (status != BRANT_OK || first == BRANT__NO_NODE) return status;
    self->path[fixed + 1] = first;
    if (!fall(self, fixed + 1, self->around[first], true))
        return brant__fail(BRANT_INTERNAL, "a path was lost");
    *out_length = fixed + 1 + self->around[first];
    return BRANT_OK;
}

/* Takes `banned` over, also when it fails. */
static brant_status push(search *self, uint32_t fixed, uint32_t *banned, uint32_t banned_count,
                         uint32_t banned_capacity) {
    candidate made = {NULL, 0, fixed, banned, banned_count, banned_capacity}, *heap;
    brant_status status;

    BRANT__TRY(complete(&made.length, self, fixed, banned, banned_count));
    if (made.length == UNREACHED) goto cleanup;
    heap = brant__grow(self->heap, &self->capacity, self->count, sizeof(*heap));
    if (!heap) {
        status = brant__fail_memory();
        goto cleanup;
    }
    self->heap = heap;
    made.nodes = brant__alloc(((size_t)made.length + 1) * sizeof(*made.nodes));
    if (!made.nodes) {
        status = brant__fail_memory();
        goto cleanup;
    }
    memcpy(made.nodes, self->path, ((size_t)made.length + 1) * sizeof(*made.nodes));
    self->bytes += bytes_of(&made);
    self->heap[self->count] = made;
    rise(self, self->count++);
    if (self->bytes > PATH_BYTES) prune(self, true);
    if (self->bytes > PATH_BYTES)
        return brant__fail(BRANT_LIMIT, "the paths take more than 256 MiB; ask for fewer");
    return BRANT_OK;
cleanup:
    brant__free(banned);
    return status;
}

/* The sets that a path leaves. Takes its list of banned nodes. */
static brant_status divide(search *self, candidate *path) {
    uint32_t *banned = path->banned, count = path->banned_count, capacity = path->banned_capacity;
    brant_status status = BRANT_OK;

    self->bytes -= capacity * sizeof(*banned);
    path->banned = NULL;
    path->banned_count = path->banned_capacity = 0;
    for (uint32_t fixed = path->fixed; fixed < path->length; fixed++) {
        if (count == capacity) {
            uint32_t more = capacity ? capacity * 2 : 1;
            uint32_t *grown = brant__realloc(banned, more * sizeof(*grown));
            if (!grown) {
                brant__free(banned);
                return brant__fail_memory();
            }
            banned = grown;
            capacity = more;
        }
        banned[count++] = path->nodes[fixed + 1];
        memcpy(self->path, path->nodes, ((size_t)fixed + 1) * sizeof(*self->path));
        status = push(self, fixed, banned, count, capacity);
        if (status != BRANT_OK) return status;
        banned = NULL;
        count = capacity = 0;
    }
    prune(self, false);
    return status;
}

/* ---- the search ------------------------------------------------------------------------------ */

/* How far the target is from each node, as far as that matters. */
static brant_status measure(search *self) {
    size_t head = 0, count = 0;
    brant_status status = BRANT_OK;

    memset(self->left, 0xFF, (size_t)self->view->snapshot->nodes * sizeof(*self->left));
    self->left[self->target] = 0;
    self->queue[count++] = self->target;
    for (; head < count; head++) {
        uint32_t node = self->queue[head], next, edge;
        brant__hops hops;
        if (self->left[node] >= self->max_depth) break;
        if ((head & BRANT__POLL_MASK) == BRANT__POLL_MASK)
            BRANT__TRY(brant__db_poll(self->call->db));
        hops = brant__hops_of(self->view, node, true);
        while (brant__hops_next(self->view, &hops, &next, &edge)) {
            if (self->left[next] != UNREACHED || !brant__view_enters(self->view, next)) continue;
            self->left[next] = self->left[node] + 1;
            self->queue[count++] = next;
        }
    }
cleanup:
    return status;
}

static brant_status run(search *self) {
    size_t nodes = self->view->snapshot->nodes;
    uint32_t **zeroed[] = {&self->stamp, &self->blocked, &self->first, &self->wanted};
    brant_status status;

    for (size_t i = 0; i < BRANT__COUNT(zeroed); i++) {
        *zeroed[i] = brant__alloc_zero((nodes + 1) * sizeof(uint32_t));
        if (!*zeroed[i]) return brant__fail_memory();
    }
    self->left = brant__alloc((nodes + 1) * sizeof(uint32_t));
    self->around = brant__alloc((nodes + 1) * sizeof(uint32_t));
    self->queue = brant__alloc((nodes + 1) * sizeof(uint32_t));
    self->path = brant__alloc(((size_t)self->max_depth + 2) * sizeof(uint32_t));
    if (!self->left || !self->around || !self->queue || !self->path) return brant__fail_memory();
    BRANT__TRY(measure(self));
    self->path[0] = self->source;
    BRANT__TRY(push(self, 0, NULL, 0, 0));
    while (self->count > 0 && self->found_count < self->limit) {
        candidate least = take(self);
        if ((self->found_count & (self->found_count - 1)) == 0) { /* 0 or a power of two: full */
            size_t capacity = self->found_count ? self->found_count * 2 : 1;
            candidate *grown = brant__realloc(self->found, capacity * sizeof(*grown));
            if (!grown) {
                discard(self, &least);
                return brant__fail_memory();
            }
            self->found = grown;
        }
        self->found[self->found_count++] = least;
        BRANT__TRY(divide(self, &self->found[self->found_count - 1]));
    }
cleanup:
    return status;
}

static void search_close(search *self) {
    for (size_t i = 0; i < self->count; i++)
        discard(self, &self->heap[i]);
    for (size_t i = 0; i < self->found_count; i++)
        discard(self, &self->found[i]);
    brant__free(self->heap);
    brant__free(self->found);
    brant__free(self->left);
    brant__free(self->around);
    brant__free(self->stamp);
    brant__free(self->blocked);
    brant__free(self->first);
    brant__free(self->wanted);
    brant__free(self->queue);
    brant__free(self->path);
}

/* ---- operation ------------------------------------------------------------------------------- */

static brant_status write_edges(search *self, const brant__graph *graph, const candidate *path) {
    brant__writer *out = self->call->out;
    brant_status status = BRANT_OK;

    brant__write_array(out);
    for (uint32_t i = 0; i < path->length; i++) {
        brant__hops hops = brant__hops_of(self->view, path->nodes[i], false);
        uint32_t next, edge;
        while (brant__hops_next(self->view, &hops, &next, &edge) && next != path->nodes[i + 1]) {
        }
        BRANT__TRY(brant__write_edge_key(out, self->call, graph, self->view->snapshot, edge));
    }
    brant__write_end(out);
cleanup:
    return status;
}

brant_status brant__graph_paths(brant__call *call) {
    brant__view view = {.snapshot = NULL};
    search self = {.call = call, .view = &view};
    candidate none = {&self.source, 0, 0, NULL, 0, 0};
    brant__writer *out = call->out;
    int64_t limit, max_depth;
    const candidate *found;
    brant__graph graph;
    size_t count;
    brant_status status;

    BRANT__TRY(brant__graph_find(&graph, call, false));
    BRANT__TRY(brant__limit_read(&limit, call, 100, 100000));
    BRANT__TRY(brant__read_maximum(&max_depth, call, "max_depth", 0));
    if (max_depth < 1 || max_depth > 1000) {
        status = brant__fail(BRANT_INVALID, "max_depth is not in 1..1000");
        goto cleanup;
    }
    BRANT__TRY(
        brant__view_open(&view, call, &graph, BRANT__VIEW_DIRECTION | BRANT__VIEW_NODE_FILTER));
    BRANT__TRY(brant__view_node(&self.source, call, &graph, &view,
                                brant__json_get_text(call->input, "source")));
    BRANT__TRY(brant__view_node(&self.target, call, &graph, &view,
                                brant__json_get_text(call->input, "target")));
    self.max_depth = (uint32_t)max_depth;
    self.limit = (size_t)limit;
    if (self.source != self.target && brant__view_enters(&view, self.target))
        BRANT__TRY(run(&self));
    found = self.source == self.target ? &none : self.found;
    count = self.source == self.target ? 1 : self.found_count;
    brant__write_object(out);
    brant__write_name(out, "paths");
    brant__write_array(out);
    for (size_t i = 0; i < count; i++)
        brant__write_keys(out, view.snapshot, found[i].nodes, (size_t)found[i].length + 1);
    brant__write_end(out);
    brant__write_name(out, "edges");
    brant__write_array(out);
    for (size_t i = 0; i < count; i++) {
        if ((i & 255) == 255) BRANT__TRY(brant__db_poll(call->db));
        BRANT__TRY(write_edges(&self, &graph, &found[i]));
    }
    brant__write_end(out);
    brant__write_bool_member(out, "truncated", self.count > 0);
    brant__write_end(out);
cleanup:
    search_close(&self);
    brant__view_close(&view);
    return status;
}
