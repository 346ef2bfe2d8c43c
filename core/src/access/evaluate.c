/*
 * access/evaluate.c: what a subject may.
 */
#include "access/evaluate.h"

#include "access/standing.h"
#include "graph/internal.h"

/* ---- lists of numbers ------------------------------------------------------------------------ */

void brant__numbers_begin(brant__numbers *list) {
    list->items = list->inside;
    list->count = 0;
    list->room = BRANT__NUMBERS_INSIDE;
}

void brant__numbers_free(brant__numbers *list) {
    if (list->items != list->inside) brant__free(list->items);
    brant__numbers_begin(list);
}

bool brant__numbers_grow(brant__numbers *list) {
    uint32_t *grown = brant__alloc(list->room * 2 * sizeof(*grown));

    if (!grown) return false;
    memcpy(grown, list->items, list->count * sizeof(*grown));
    if (list->items != list->inside) brant__free(list->items);
    list->items = grown;
    list->room *= 2;
    return true;
}

/* ---- edges ----------------------------------------------------------------------------------- */

bool brant__edge_lives(const brant__evaluation *self, const brant__access_edge *edge) {
    const brant__access_terms *terms = brant__access_terms_of(self->index, edge);

    if (BRANT__UNLIKELY(terms->broken)) return edge->kind == BRANT__DENIES;
    return !terms->ended && terms->expires_at > self->now;
}

bool brant__edge_concerns(const brant__evaluation *self, const brant__access_edge *edge) {
    const brant__access_terms *terms = brant__access_terms_of(self->index, edge);

    if (BRANT__UNLIKELY(terms->broken)) return edge->kind == BRANT__DENIES;
    return edge->kind == BRANT__DENIES ? brant__scopes_overlap(&terms->scopes, self->scope)
                                       : brant__scopes_cover(&terms->scopes, self->scope);
}

/* What was asked before of these two; NULL: nothing. */
static const brant__known_level *known_of(const brant__evaluation *self, uint32_t principal,
                                          uint32_t group) {
    for (size_t i = 0; i < BRANT__STANDINGS; i++)
        if (self->known[i].level >= 0 && self->known[i].principal == principal &&
            self->known[i].group == group)
            return &self->known[i];
    return NULL;
}

static void know(brant__evaluation *self, uint32_t principal, uint32_t group, int level) {
    self->known[self->next_known] = (brant__known_level){principal, group, level};
    self->next_known = (self->next_known + 1) % BRANT__STANDINGS;
}

/* The member's level as it is now is that of the group, or above. */
static brant_status derived_holds(bool *out, brant__evaluation *self,
                                  const brant__access_edge *edge) {
    const brant__text account = brant__access_account(&self->index->nodes[edge->end[BRANT__OUT]]);
    const brant__known_level *known = known_of(self, edge->end[BRANT__OUT], edge->end[BRANT__IN]);
    brant__text organization;
    int least, level;
    brant_status status;

    *out = false;
    if (!account.data ||
        !brant__access_derived_group(&organization, &least,
                                     brant__access_key(self->index, edge->end[BRANT__IN])))
        return BRANT_OK;
    if (known) {
        *out = known->level >= least;
        return BRANT_OK;
    }
    status = brant__access_member_level(&level, self->call->db, organization, account);
    if (status != BRANT_OK) return status;
    know(self, edge->end[BRANT__OUT], edge->end[BRANT__IN], level);
    *out = level >= least;
    return BRANT_OK;
}

brant_status brant__edge_belongs(bool *out, brant__evaluation *self,
                                 const brant__access_edge *edge) {
    *out = brant__edge_lives(self, edge);
    if (!*out || edge->kind != BRANT__BELONGS_TO ||
        !brant__access_terms_of(self->index, edge)->derived ||
        self->index->nodes[edge->end[BRANT__OUT]].kind != BRANT__PRINCIPAL)
        return BRANT_OK;
    return derived_holds(out, self, edge);
}

bool brant__delegation_holds(const brant__evaluation *self, const brant__access_edge *edge,
                             int64_t behind) {
    const brant__access_terms *terms = brant__access_terms_of(self->index, edge);

    return brant__edge_lives(self, edge) &&
           (!terms->between || self->index->nodes[edge->end[BRANT__IN]].foreign) &&
           (behind == 0 || (terms->may_redelegate && terms->max_depth >= behind)) &&
           brant__edge_concerns(self, edge);
}

/* ---- closures -------------------------------------------------------------------------------- */

/* A node and what it reaches upwards, level by level. */
static brant_status climb(brant__numbers *out, bool *out_too_deep, brant__evaluation *self,
                          uint32_t node) {
    brant__access_index *index = self->index;
    const uint32_t mark = brant__access_search(index, 0);
    size_t begin = 0, end;
    brant_status status = BRANT_OK;

    out->count = 0;
    *out_too_deep = false;
    index->nodes[node].marks[0] = mark;
    if (!brant__numbers_add(out, node)) return brant__fail_memory();
    for (int depth = 0; begin < out->count; depth++, begin = end) {
        end = out->count;
        for (size_t i = begin; i < end; i++) {
            uint32_t at = index->nodes[out->items[i]].first[BRANT__OUT][BRANT__LIST_UP];
            for (; at != BRANT__NOTHING; at = index->edges[at].next[BRANT__OUT]) {
                const brant__access_edge *edge = &index->edges[at];
                brant__access_node *above = &index->nodes[edge->end[BRANT__IN]];
                bool belongs;
                if (above->marks[0] == mark) continue;
                BRANT__TRY(brant__edge_belongs(&belongs, self, edge));
                if (!belongs) continue;
                if (depth == BRANT__ACCESS_DEPTH) {
                    *out_too_deep = true;
                    goto cleanup;
                }
                above->marks[0] = mark;
                if (!brant__numbers_add(out, edge->end[BRANT__IN])) {
                    status = brant__fail_memory();
                    goto cleanup;
                }
            }
        }
    }
cleanup:
    return status;
}

brant_status brant__evaluate_self(brant__evaluation *self, uint32_t node) {
    return climb(&self->self, &self->self_too_deep, self, node);
}

/* Between a node and one of the resource's: by hash, since either may have many edges. */
static uint32_t find_edge(const brant__evaluation *self, uint32_t from, int kind) {
    const brant__numbers *on = kind == BRANT__GRANTS ? &self->on_granted : &self->on_denied;
    const int list = kind == BRANT__GRANTS ? BRANT__LIST_GRANTS : BRANT__LIST_DENIES;

    if (self->index->nodes[from].first[BRANT__OUT][list] == BRANT__NOTHING) return BRANT__NOTHING;
    for (size_t i = 0; i < on->count; i++) {
        const uint32_t edge = brant__access_edge_find(self->index, from, on->items[i], kind);
        if (edge != BRANT__NOTHING && brant__edge_lives(self, &self->index->edges[edge]) &&
            brant__edge_concerns(self, &self->index->edges[edge]))
            return edge;
    }
    return BRANT__NOTHING;
}

uint32_t brant__evaluate_edge(const brant__evaluation *self, int kind) {
    uint32_t edge = BRANT__NOTHING;

    for (size_t i = 0; i < self->self.count && edge == BRANT__NOTHING; i++)
        edge = find_edge(self, self->self.items[i], kind);
    return edge;
}

uint32_t brant__evaluate_agent_denied(const brant__evaluation *self, uint32_t agent) {
    return find_edge(self, agent, BRANT__DENIES);
}

static brant_status foreign_active(bool *out, brant__evaluation *self, uint32_t agent) {
    const brant__known_level *known = known_of(self, agent, BRANT__NOTHING);
    brant_status status;

    if (known) {
        *out = known->level > 0;
        return BRANT_OK;
    }
    status =
        brant__access_foreign_active(out, self->call->db, brant__access_key(self->index, agent));
    if (status == BRANT_OK) know(self, agent, BRANT__NOTHING, *out ? 1 : 0);
    return status;
}

brant_status brant__evaluate_active(bool *out, brant__evaluation *self, uint32_t number) {
    const brant__access_node *node = &self->index->nodes[number];

    *out = !node->suspended;
    if (!*out) return BRANT_OK;
    if (BRANT__UNLIKELY(node->foreign)) return foreign_active(out, self, number);
    if (node->account_length == 0) return BRANT_OK;
    return brant__access_account_active(out, self->call->db, brant__access_account(node));
}

/* ---- subjects -------------------------------------------------------------------------------- */

/* The account is asked last, since that reads the file: who does not count may nothing, however deep it stands. */
brant_status brant__evaluate_right(int *out_answer, brant__evaluation *self, uint32_t node) {
    bool active;
    brant_status status = BRANT_OK;

    *out_answer = BRANT__NO;
    if (self->index->nodes[node].suspended) return BRANT_OK;
    BRANT__TRY(brant__evaluate_self(self, node));
    if (!self->self_too_deep && (brant__evaluate_edge(self, BRANT__GRANTS) == BRANT__NOTHING ||
                                 brant__evaluate_edge(self, BRANT__DENIES) != BRANT__NOTHING))
        goto cleanup;
    BRANT__TRY(brant__evaluate_active(&active, self, node));
    if (active) *out_answer = self->self_too_deep ? BRANT__TOO_DEEP : BRANT__YES;
cleanup:
    return status;
}

/* Does an agent count, wherever it stands in a chain? */
static brant_status agent_counts(bool *out, brant__evaluation *self, uint32_t agent) {
    *out = !self->index->nodes[agent].suspended &&
           brant__evaluate_agent_denied(self, agent) == BRANT__NOTHING;
    return *out ? brant__evaluate_active(out, self, agent) : BRANT_OK;
}

/* Upwards from an agent, by the delegations that hold at their distance: who is reached at a smaller one has fewer to fulfil. */
static brant_status evaluate_agent(int *out_answer, brant__evaluation *self, uint32_t agent) {
    brant__access_index *index = self->index;
    const uint32_t mark = brant__access_search(index, 1);
    brant__numbers reached;
    size_t begin = 0, end;
    bool counts;
    int right;
    brant_status status = BRANT_OK;

    *out_answer = BRANT__NO;
    brant__numbers_begin(&reached);
    BRANT__TRY(agent_counts(&counts, self, agent));
    if (!counts) goto cleanup;
    index->nodes[agent].marks[1] = mark;
    brant__numbers_add(&reached, agent);
    for (int64_t behind = 0; begin < reached.count; behind++, begin = end) {
        end = reached.count;
        for (size_t i = begin; i < end; i++) {
            uint32_t at = index->nodes[reached.items[i]].first[BRANT__IN][BRANT__LIST_DELEGATES];
            for (; at != BRANT__NOTHING; at = index->edges[at].next[BRANT__IN]) {
                const uint32_t from = index->edges[at].end[BRANT__OUT];
                brant__access_node *node = &index->nodes[from];
                if (node->marks[1] == mark ||
                    !brant__delegation_holds(self, &index->edges[at], behind))
                    continue;
                if (behind == BRANT__ACCESS_DELEGATIONS) {
                    *out_answer = BRANT__TOO_DEEP;
                    goto cleanup;
                }
                node->marks[1] = mark;
                if (node->kind == BRANT__AGENT) {
                    BRANT__TRY(agent_counts(&counts, self, from));
                    if (!counts) continue;
                    if (!brant__numbers_add(&reached, from)) {
                        status = brant__fail_memory();
                        goto cleanup;
                    }
                    continue;
                }
                if (node->kind != BRANT__PRINCIPAL) continue;
                BRANT__TRY(brant__evaluate_right(&right, self, from));
                if (right == BRANT__YES) {
                    *out_answer = BRANT__YES;
                    goto cleanup;
                }
                if (right == BRANT__TOO_DEEP) *out_answer = BRANT__TOO_DEEP;
            }
        }
    }
cleanup:
    brant__numbers_free(&reached);
    return status;
}

brant_status brant__evaluate(int *out_answer, brant__evaluation *self, uint32_t subject) {
    *out_answer = BRANT__NO;
    if (subject == BRANT__NOTHING || self->index->nodes[subject].kind == BRANT__RESOURCE)
        return BRANT_OK;
    if (self->on_too_deep) {
        *out_answer = BRANT__TOO_DEEP;
        return BRANT_OK;
    }
    if (self->index->nodes[subject].kind == BRANT__AGENT)
        return evaluate_agent(out_answer, self, subject);
    return brant__evaluate_right(out_answer, self, subject);
}

brant_status brant__access_too_deep(void) {
    return brant__fail(BRANT_LIMIT,
                       "the access graph is too deep to tell: at most %d groups or parents above "
                       "each other, at most %d delegations in a chain",
                       BRANT__ACCESS_DEPTH, BRANT__ACCESS_DELEGATIONS);
}

/* ---- evaluations ----------------------------------------------------------------------------- */

brant_status brant__evaluation_begin(brant__evaluation *out, brant__call *call,
                                     const brant__access_graph *graph, brant__text scope) {
    out->call = call;
    out->index = graph->index;
    out->now = brant__db_now(call->db);
    out->scope = scope;
    out->everything = brant__access_node_find(graph->index, BRANT__TEXT("*"));
    out->resource = BRANT__NOTHING;
    out->on_too_deep = out->self_too_deep = false;
    brant__numbers_begin(&out->on);
    brant__numbers_begin(&out->on_granted);
    brant__numbers_begin(&out->on_denied);
    brant__numbers_begin(&out->self);
    for (size_t i = 0; i < BRANT__STANDINGS; i++)
        out->known[i].level = -1;
    out->next_known = 0;
    if (brant__scope_valid(scope)) return BRANT_OK;
    return brant__fail(BRANT_INVALID,
                       "/scope: %s is no scope: <namespace>:<action>, each * or of a-z 0-9 _ . -",
                       brant__quoted(call, scope));
}

void brant__evaluation_end(brant__evaluation *self) {
    brant__numbers_free(&self->on);
    brant__numbers_free(&self->on_granted);
    brant__numbers_free(&self->on_denied);
    brant__numbers_free(&self->self);
}

brant_status brant__evaluation_set(brant__evaluation *self, brant__text resource) {
    const brant__access_index *index = self->index;
    brant_status status = BRANT_OK;

    self->resource = brant__access_node_find(index, resource);
    self->on.count = self->on_granted.count = self->on_denied.count = 0;
    self->on_too_deep = false;
    if (self->resource != BRANT__NOTHING && index->nodes[self->resource].kind != BRANT__RESOURCE)
        self->resource = BRANT__NOTHING;
    if (self->resource != BRANT__NOTHING)
        BRANT__TRY(climb(&self->on, &self->on_too_deep, self, self->resource));
    if (self->everything != BRANT__NOTHING) {
        bool among = false;
        for (size_t i = 0; i < self->on.count && !among; i++)
            among = self->on.items[i] == self->everything;
        if (!among && !brant__numbers_add(&self->on, self->everything)) return brant__fail_memory();
    }
    for (size_t i = 0; i < self->on.count; i++) {
        const brant__access_node *node = &index->nodes[self->on.items[i]];
        if ((node->first[BRANT__IN][BRANT__LIST_GRANTS] != BRANT__NOTHING &&
             !brant__numbers_add(&self->on_granted, self->on.items[i])) ||
            (node->first[BRANT__IN][BRANT__LIST_DENIES] != BRANT__NOTHING &&
             !brant__numbers_add(&self->on_denied, self->on.items[i]))) {
            status = brant__fail_memory();
            goto cleanup;
        }
    }
cleanup:
    return status;
}

void brant__evaluation_particular(brant__evaluation *self) {
    size_t kept = 0;

    for (size_t i = 0; i < self->on_granted.count; i++)
        if (self->on_granted.items[i] != self->everything)
            self->on_granted.items[kept++] = self->on_granted.items[i];
    self->on_granted.count = kept;
}
