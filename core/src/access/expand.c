/*
 * access/expand.c: who stands behind the grants and denials of a scope on a resource: access.expand, and edges as answers show them.
 */
#include "access/access.h"
#include "access/evaluate.h"
#include "access/order.h"
#include "graph/internal.h"

#define NESTING 24 /* groups within groups; each takes two levels of the writer's 64 */

brant_status brant__access_write_edge(brant__call *call, const brant__access_index *index,
                                      uint32_t number) {
    const brant__access_edge *edge = &index->edges[number];
    const brant__access_terms *terms = brant__access_terms_of(index, edge);
    brant__writer *out = call->out;
    brant__text key;
    const brant_status status = brant__access_edge_key(&key, call, index, number);

    if (status != BRANT_OK) return status;
    brant__write_object(out);
    brant__write_text_member(out, "kind", brant__access_edge_names[edge->kind]);
    brant__write_text_member(out, "source", brant__access_key(index, edge->end[BRANT__OUT]));
    brant__write_text_member(out, "target", brant__access_key(index, edge->end[BRANT__IN]));
    brant__write_text_member(out, "key", key);
    if (terms->scopes.count) brant__scopes_write_member(out, "scopes", &terms->scopes);
    brant__write_end(out);
    return BRANT_OK;
}

typedef struct expansion {
    brant__evaluation evaluation;
    brant__access_graph graph;
    int64_t left; /* nodes that may still be written */
    bool truncated;
    uint32_t mark; /* of those whose members were written */
} expansion;

/* A node with its members, each node's members once: where it comes again it stands without them. */
static brant_status write_node(expansion *self, brant__call *call, uint32_t number, int depth) {
    brant__access_index *index = self->graph.index;
    brant__access_node *node = &index->nodes[number];
    const bool again = node->marks[1] == self->mark;
    brant__writer *out = call->out;
    brant__ordered members = {.items = NULL};
    bool counts;
    brant_status status = BRANT_OK;

    self->left--;
    node->marks[1] = self->mark;
    brant__write_object(out);
    brant__write_text_member(out, "key", brant__access_key(index, number));
    brant__write_text_member(out, "type", brant__access_node_names[node->kind]);
    if (node->kind == BRANT__PRINCIPAL || node->kind == BRANT__AGENT) {
        BRANT__TRY(brant__evaluate_active(&counts, &self->evaluation, number));
        brant__write_bool_member(out, "active", counts);
    } else if (again) {
        brant__write_bool_member(out, "again", true);
    } else {
        BRANT__TRY(brant__ordered_edges(&members, index, number, BRANT__IN, BRANT__LIST_UP));
        brant__write_name(out, "members");
        brant__write_array(out);
        for (size_t i = 0; i < members.count; i++) {
            const brant__access_edge *edge = &index->edges[members.items[i].number];
            BRANT__TRY(brant__edge_belongs(&counts, &self->evaluation, edge));
            if (!counts) continue;
            if (self->left <= 0 || depth == NESTING) {
                self->truncated = true;
                break;
            }
            BRANT__TRY(write_node(self, call, edge->end[BRANT__OUT], depth + 1));
        }
        brant__write_end(out);
    }
    brant__write_end(out);
cleanup:
    brant__ordered_free(&members);
    return status;
}

/* The edges of a kind that count and concern the scope on the resource, by source, then by target. */
static brant_status gather(brant__ordered *out, expansion *self, int kind) {
    const brant__numbers *on =
        kind == BRANT__GRANTS ? &self->evaluation.on_granted : &self->evaluation.on_denied;
    const int list = kind == BRANT__GRANTS ? BRANT__LIST_GRANTS : BRANT__LIST_DENIES;
    const brant__access_index *index = self->graph.index;
    brant__ordered resources = {.items = NULL};
    brant_status status = BRANT_OK;

    for (size_t i = 0; i < on->count; i++)
        BRANT__TRY(
            brant__ordered_add(&resources, brant__access_key(index, on->items[i]), on->items[i]));
    brant__ordered_sort(&resources);
    for (size_t i = 0; i < resources.count; i++) {
        const size_t begin = out->count;
        for (uint32_t at = index->nodes[resources.items[i].number].first[BRANT__IN][list];
             at != BRANT__NOTHING; at = index->edges[at].next[BRANT__IN])
            if (brant__edge_lives(&self->evaluation, &index->edges[at]) &&
                brant__edge_concerns(&self->evaluation, &index->edges[at]))
                BRANT__TRY(brant__ordered_add(
                    out, brant__access_key(index, index->edges[at].end[BRANT__OUT]), at));
        brant__ordered part = {&out->items[begin], out->count - begin, 0};
        brant__ordered_sort(&part);
    }
cleanup:
    brant__ordered_free(&resources);
    return status;
}

static brant_status write_edges(expansion *self, brant__call *call, const char *name, int kind) {
    brant__ordered edges = {.items = NULL};
    brant__writer *out = call->out;
    brant_status status;

    BRANT__TRY(gather(&edges, self, kind));
    brant__write_name(out, name);
    brant__write_array(out);
    for (size_t i = 0; i < edges.count; i++) {
        if (self->left <= 0) {
            self->truncated = true;
            break;
        }
        brant__write_object(out);
        brant__write_name(out, "edge");
        BRANT__TRY(brant__access_write_edge(call, self->graph.index, edges.items[i].number));
        brant__write_name(out, "from");
        BRANT__TRY(write_node(self, call,
                              self->graph.index->edges[edges.items[i].number].end[BRANT__OUT], 0));
        brant__write_end(out);
    }
    brant__write_end(out);
cleanup:
    brant__ordered_free(&edges);
    return status;
}

static brant_status expand(expansion *self, brant__call *call) {
    const brant__text given = brant__json_get_text(call->input, "resource");
    const brant__text resource = given.data ? given : BRANT__TEXT("*");
    brant__writer *out = call->out;
    brant_status status;

    BRANT__TRY(brant__limit_read(&self->left, call, 1000, 10000));
    BRANT__TRY(brant__evaluation_set(&self->evaluation, resource));
    if (self->evaluation.on_too_deep) {
        status = brant__access_too_deep();
        goto cleanup;
    }
    self->mark = brant__access_search(self->graph.index, 1);
    brant__write_object(out);
    brant__write_text_member(out, "resource", resource);
    brant__write_text_member(out, "scope", self->evaluation.scope);
    BRANT__TRY(write_edges(self, call, "grants", BRANT__GRANTS));
    BRANT__TRY(write_edges(self, call, "denies", BRANT__DENIES));
    brant__write_bool_member(out, "truncated", self->truncated);
    brant__write_integer_member(out, "revision", self->graph.revision);
    brant__write_end(out);
cleanup:
    return status;
}

brant_status brant__access_expand(brant__call *call) {
    expansion self = {.left = 0};
    brant_status status = brant__access_need(&self.graph, call);

    if (status != BRANT_OK) return status;
    status = brant__evaluation_begin(&self.evaluation, call, &self.graph,
                                     brant__json_get_text(call->input, "scope"));
    if (status == BRANT_OK) status = expand(&self, call);
    brant__evaluation_end(&self.evaluation);
    return status;
}
