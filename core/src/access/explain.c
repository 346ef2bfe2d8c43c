/*
 * access/explain.c: why, or why not: access.explain.
 *
 * evaluate.c answers; what is written here is found by the same searches, in the order of keys, and says the first that answers so.
 */
#include "access/access.h"
#include "access/evaluate.h"
#include "access/order.h"
#include "graph/internal.h"

#define TRIED 100 /* chains of an answer */

/* Nodes as a search reached them, each with the edge that it was reached by and the place of the node before. */
typedef struct trail {
    brant__numbers nodes;
    brant__numbers edges;
    brant__numbers before;
    brant__ordered next; /* edges of the node that is looked at */
} trail;

static void trail_begin(trail *self) {
    brant__numbers_begin(&self->nodes);
    brant__numbers_begin(&self->edges);
    brant__numbers_begin(&self->before);
    self->next = (brant__ordered){.items = NULL};
}

static void trail_free(trail *self) {
    brant__numbers_free(&self->nodes);
    brant__numbers_free(&self->edges);
    brant__numbers_free(&self->before);
    brant__ordered_free(&self->next);
}

static brant_status trail_add(trail *self, uint32_t node, uint32_t edge, size_t before) {
    return brant__numbers_add(&self->nodes, node) && brant__numbers_add(&self->edges, edge) &&
                   brant__numbers_add(&self->before, (uint32_t)before)
               ? BRANT_OK
               : brant__fail_memory();
}

typedef struct explanation {
    brant__evaluation evaluation;
    brant__access_graph graph;
    trail up;             /* from a principal to its groups and roles */
    trail chain;          /* from an agent to those it acts for */
    brant__ordered tried; /* JSON of chains, in the call's arena */
} explanation;

static brant__text key_of(const explanation *self, uint32_t node) {
    return brant__access_key(self->graph.index, node);
}

/* ---- a principal, a group, a role ------------------------------------------------------------ */

/* The edge of a kind that is the least: its source reached first, then by the key of its target. */
static brant_status find_least(uint32_t *out_edge, size_t *out_at, explanation *self, int kind) {
    const brant__numbers *on =
        kind == BRANT__GRANTS ? &self->evaluation.on_granted : &self->evaluation.on_denied;
    const brant__access_index *index = self->graph.index;

    *out_edge = BRANT__NOTHING;
    for (size_t i = 0; i < self->up.nodes.count && *out_edge == BRANT__NOTHING; i++)
        for (size_t j = 0; j < on->count; j++) {
            const uint32_t edge =
                brant__access_edge_find(index, self->up.nodes.items[i], on->items[j], kind);
            if (edge == BRANT__NOTHING ||
                !brant__edge_lives(&self->evaluation, &index->edges[edge]) ||
                !brant__edge_concerns(&self->evaluation, &index->edges[edge]))
                continue;
            if (*out_edge != BRANT__NOTHING &&
                brant__text_compare(key_of(self, on->items[j]),
                                    key_of(self, index->edges[*out_edge].end[BRANT__IN])) > 0)
                continue;
            *out_edge = edge;
            *out_at = i;
        }
    return BRANT_OK;
}

/* As brant__evaluate_self, with the way. It is not too deep. */
static brant_status climb(explanation *self, uint32_t node) {
    brant__access_index *index = self->graph.index;
    const uint32_t mark = brant__access_search(index, 0);
    trail *up = &self->up;
    bool belongs;
    brant_status status;

    up->nodes.count = up->edges.count = up->before.count = 0;
    index->nodes[node].marks[0] = mark;
    BRANT__TRY(trail_add(up, node, BRANT__NOTHING, 0));
    for (size_t i = 0; i < up->nodes.count; i++) {
        BRANT__TRY(
            brant__ordered_edges(&up->next, index, up->nodes.items[i], BRANT__OUT, BRANT__LIST_UP));
        for (size_t j = 0; j < up->next.count; j++) {
            const uint32_t edge = up->next.items[j].number;
            const uint32_t above = index->edges[edge].end[BRANT__IN];
            if (index->nodes[above].marks[0] == mark) continue;
            BRANT__TRY(brant__edge_belongs(&belongs, &self->evaluation, &index->edges[edge]));
            if (!belongs) continue;
            index->nodes[above].marks[0] = mark;
            BRANT__TRY(trail_add(up, above, edge, i));
        }
    }
cleanup:
    return status;
}

static const char *why_not_active(const explanation *self, uint32_t node) {
    if (self->graph.index->nodes[node].suspended) return "suspended";
    return self->graph.index->nodes[node].foreign ? "not active in its organization"
                                                  : "the account is not active";
}

/* Why somebody who is no agent may not; *out_denied: by what edge, or BRANT__NOTHING. */
static brant_status why_not(const char **out_why, uint32_t *out_denied, explanation *self,
                            uint32_t node) {
    bool active;
    size_t at;
    brant_status status;

    *out_denied = BRANT__NOTHING;
    BRANT__TRY(brant__evaluate_active(&active, &self->evaluation, node));
    if (!active) {
        *out_why = why_not_active(self, node);
        goto cleanup;
    }
    BRANT__TRY(brant__evaluate_self(&self->evaluation, node));
    if (self->evaluation.self_too_deep) {
        *out_why = "groups nest too deep";
        goto cleanup;
    }
    BRANT__TRY(climb(self, node));
    BRANT__TRY(find_least(out_denied, &at, self, BRANT__DENIES));
    *out_why = *out_denied == BRANT__NOTHING ? "nothing grants it" : "denied";
cleanup:
    return status;
}

/* The edges from a node to the edge that grants, of a path that is open. */
static brant_status write_granted(explanation *self, brant__call *call, uint32_t node) {
    brant__numbers way;
    uint32_t edge;
    size_t at = 0;
    brant_status status;

    brant__numbers_begin(&way);
    BRANT__TRY(climb(self, node));
    BRANT__TRY(find_least(&edge, &at, self, BRANT__GRANTS));
    for (; at > 0; at = self->up.before.items[at])
        if (!brant__numbers_add(&way, self->up.edges.items[at])) {
            status = brant__fail_memory();
            goto cleanup;
        }
    for (size_t i = way.count; i-- > 0;)
        BRANT__TRY(brant__access_write_edge(call, self->graph.index, way.items[i]));
    status = brant__access_write_edge(call, self->graph.index, edge);
cleanup:
    brant__numbers_free(&way);
    return status;
}

/* ---- an agent -------------------------------------------------------------------------------- */

static const char *why_not_delegated(const explanation *self, const brant__access_edge *edge,
                                     int64_t behind) {
    const brant__access_terms *terms = brant__access_terms_of(self->graph.index, edge);

    if (terms->broken) return "the delegation is not valid";
    if (terms->ended) return "the delegation is revoked or not in force";
    if (terms->expires_at <= self->evaluation.now) return "the delegation has expired";
    if (terms->between && !self->graph.index->nodes[edge->end[BRANT__IN]].foreign)
        return "it is of another organization and gives nothing here";
    if (behind > 0 && !terms->may_redelegate) return "it may not be delegated further";
    if (behind > 0 && terms->max_depth < behind) return "it may not be delegated so far";
    return "the delegation does not cover the scope";
}

/* A chain that failed: the keys from the agent to whoever stands at its end, and why. */
static brant_status note_tried(explanation *self, brant__call *call, size_t at, uint32_t last,
                               const char *why) {
    const trail *chain = &self->chain;
    brant__numbers way;
    brant__writer made = {0};
    brant__text text;
    brant_status status = BRANT_OK;

    brant__numbers_begin(&way);
    for (;; at = chain->before.items[at]) {
        if (!brant__numbers_add(&way, chain->nodes.items[at])) made.buffer.failed = true;
        if (at == 0) break;
    }
    brant__write_object(&made);
    brant__write_name(&made, "chain");
    brant__write_array(&made);
    for (size_t i = way.count; i-- > 0;)
        brant__write_text(&made, key_of(self, way.items[i]));
    if (last != BRANT__NOTHING) brant__write_text(&made, key_of(self, last));
    brant__write_end(&made);
    brant__write_text_member(&made, "why", brant__text_string(why));
    brant__write_end(&made);
    if (made.buffer.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    BRANT__TRY(brant__arena_text(&text, call->arena,
                                 brant__text_of(made.buffer.data, made.buffer.length)));
    status = brant__ordered_add(&self->tried, text, 0);
cleanup:
    brant__numbers_free(&way);
    brant__buffer_free(&made.buffer);
    return status;
}

/* Look at a node that a delegation which holds leads from. *out_found: a principal who may. */
static brant_status try_delegator(bool *out_found, explanation *self, brant__call *call, size_t at,
                                  uint32_t edge, uint32_t from) {
    const brant__access_node *node = &self->graph.index->nodes[from];
    const char *why;
    uint32_t denied;
    bool active;
    int right;
    brant_status status = BRANT_OK;

    *out_found = false;
    if (node->kind == BRANT__AGENT) {
        BRANT__TRY(brant__evaluate_active(&active, &self->evaluation, from));
        if (!active) return note_tried(self, call, at, from, why_not_active(self, from));
        if (brant__evaluate_agent_denied(&self->evaluation, from) != BRANT__NOTHING)
            return note_tried(self, call, at, from, "denied");
        return trail_add(&self->chain, from, edge, at);
    }
    if (node->kind != BRANT__PRINCIPAL) return BRANT_OK;
    BRANT__TRY(brant__evaluate_right(&right, &self->evaluation, from));
    if (right == BRANT__YES) {
        *out_found = true;
        status = trail_add(&self->chain, from, edge, at);
        goto cleanup;
    }
    BRANT__TRY(why_not(&why, &denied, self, from));
    status = note_tried(self, call, at, from, why);
cleanup:
    return status;
}

/* The search of evaluate.c, in the order of keys. *out_found: the last node of the chain may, and the agent by it. */
static brant_status search_chains(bool *out_found, explanation *self, brant__call *call,
                                  uint32_t agent) {
    brant__access_index *index = self->graph.index;
    const uint32_t mark = brant__access_search(index, 1);
    trail *chain = &self->chain;
    size_t end = 0;
    int64_t behind = -1;
    brant_status status;

    *out_found = false;
    index->nodes[agent].marks[1] = mark;
    BRANT__TRY(trail_add(chain, agent, BRANT__NOTHING, 0));
    for (size_t i = 0; i < chain->nodes.count; i++) {
        if (i == end) {
            end = chain->nodes.count;
            behind++;
        }
        BRANT__TRY(brant__ordered_edges(&chain->next, index, chain->nodes.items[i], BRANT__IN,
                                        BRANT__LIST_DELEGATES));
        if (chain->next.count == 0)
            BRANT__TRY(note_tried(self, call, i, BRANT__NOTHING, "nobody delegates to it"));
        for (size_t j = 0; j < chain->next.count; j++) {
            const uint32_t edge = chain->next.items[j].number;
            const uint32_t from = index->edges[edge].end[BRANT__OUT];
            if (index->nodes[from].marks[1] == mark) continue;
            if (!brant__delegation_holds(&self->evaluation, &index->edges[edge], behind)) {
                BRANT__TRY(note_tried(self, call, i, from,
                                      why_not_delegated(self, &index->edges[edge], behind)));
                continue;
            }
            index->nodes[from].marks[1] = mark;
            BRANT__TRY(try_delegator(out_found, self, call, i, edge, from));
            if (*out_found) goto cleanup;
        }
    }
cleanup:
    return status;
}

/* ---- the answer ------------------------------------------------------------------------------ */

static brant_status write_denied_by(explanation *self, brant__call *call, uint32_t edge) {
    if (edge == BRANT__NOTHING) return BRANT_OK;
    brant__write_name(call->out, "denied_by");
    return brant__access_write_edge(call, self->graph.index, edge);
}

static void write_reason(brant__call *call, const char *reason) {
    brant__write_text_member(call->out, "reason", brant__text_string(reason));
}

static brant_status explain_right(explanation *self, brant__call *call, uint32_t subject,
                                  bool allowed) {
    const char *why;
    uint32_t denied;
    brant_status status;

    if (!allowed) {
        BRANT__TRY(why_not(&why, &denied, self, subject));
        write_reason(call, why);
        status = write_denied_by(self, call, denied);
        goto cleanup;
    }
    write_reason(call, "granted");
    brant__write_name(call->out, "path");
    brant__write_array(call->out);
    BRANT__TRY(write_granted(self, call, subject));
    brant__write_end(call->out);
cleanup:
    return status;
}

/* The deny of an agent that is the least by its resource's key. */
static brant_status agent_denied_by(uint32_t *out, explanation *self, uint32_t agent) {
    size_t at;
    brant_status status;

    self->up.nodes.count = self->up.edges.count = self->up.before.count = 0;
    BRANT__TRY(trail_add(&self->up, agent, BRANT__NOTHING, 0));
    status = find_least(out, &at, self, BRANT__DENIES);
cleanup:
    return status;
}

static brant_status explain_agent(explanation *self, brant__call *call, uint32_t agent) {
    const trail *chain = &self->chain;
    uint32_t denied;
    size_t at;
    bool found, active;
    brant_status status;

    BRANT__TRY(agent_denied_by(&denied, self, agent));
    BRANT__TRY(brant__evaluate_active(&active, &self->evaluation, agent));
    if (!active || denied != BRANT__NOTHING) {
        write_reason(call, active ? "denied" : why_not_active(self, agent));
        if (active) status = write_denied_by(self, call, denied);
        goto cleanup;
    }
    BRANT__TRY(search_chains(&found, self, call, agent));
    write_reason(call, found ? "granted by delegation" : "no delegation gives it");
    if (found) {
        brant__write_name(call->out, "path");
        brant__write_array(call->out);
        /* From the agent on: the one that was found stands last. */
        brant__numbers way;
        brant__numbers_begin(&way);
        for (at = chain->nodes.count - 1; at > 0 && status == BRANT_OK;
             at = chain->before.items[at])
            if (!brant__numbers_add(&way, chain->edges.items[at])) status = brant__fail_memory();
        for (size_t i = way.count; i-- > 0 && status == BRANT_OK;)
            status = brant__access_write_edge(call, self->graph.index, way.items[i]);
        brant__numbers_free(&way);
        if (status == BRANT_OK)
            status = write_granted(self, call, chain->nodes.items[chain->nodes.count - 1]);
        if (status != BRANT_OK) goto cleanup;
        brant__write_end(call->out);
    }
    brant__ordered_sort(&self->tried);
    brant__write_name(call->out, "tried");
    brant__write_array(call->out);
    for (size_t i = 0; i < self->tried.count && i < TRIED; i++)
        brant__write_raw(call->out, self->tried.items[i].key);
    brant__write_end(call->out);
cleanup:
    return status;
}

static brant_status explain(explanation *self, brant__call *call) {
    const brant__text resource = brant__json_get_text(call->input, "resource");
    const uint32_t subject =
        brant__access_node_find(self->graph.index, brant__json_get_text(call->input, "subject"));
    int answer;
    brant_status status;

    BRANT__TRY(
        brant__evaluation_set(&self->evaluation, resource.data ? resource : BRANT__TEXT("*")));
    BRANT__TRY(brant__evaluate(&answer, &self->evaluation, subject));
    if (answer == BRANT__TOO_DEEP) {
        status = brant__access_too_deep();
        goto cleanup;
    }
    brant__write_object(call->out);
    brant__write_bool_member(call->out, "allowed", answer == BRANT__YES);
    if (subject == BRANT__NOTHING)
        write_reason(call, "unknown subject");
    else if (self->graph.index->nodes[subject].kind == BRANT__RESOURCE)
        write_reason(call, "a resource is no subject");
    else if (self->graph.index->nodes[subject].kind == BRANT__AGENT)
        status = explain_agent(self, call, subject);
    else
        status = explain_right(self, call, subject, answer == BRANT__YES);
    if (status != BRANT_OK) goto cleanup;
    brant__write_integer_member(call->out, "revision", self->graph.revision);
    brant__write_end(call->out);
cleanup:
    return status;
}

brant_status brant__access_explain(brant__call *call) {
    explanation self = {.tried = {NULL, 0, 0}};
    brant_status status;

    trail_begin(&self.up);
    trail_begin(&self.chain);
    status = brant__access_need(&self.graph, call);
    if (status != BRANT_OK) return status;
    status = brant__evaluation_begin(&self.evaluation, call, &self.graph,
                                     brant__json_get_text(call->input, "scope"));
    if (status == BRANT_OK) status = explain(&self, call);
    brant__evaluation_end(&self.evaluation);
    trail_free(&self.up);
    trail_free(&self.chain);
    brant__ordered_free(&self.tried);
    return status;
}
