/*
 * access/list.c: all resources that a subject may do something on, all subjects that may do it: access.list_objects and list_subjects.
 *
 * Both gather whoever might be on the list by following grants, which is cheap, and ask evaluate.c of each in the order of keys until the page is full: so a list says what a check says.
 */
#include "access/access.h"
#include "access/evaluate.h"
#include "access/order.h"
#include "graph/internal.h"

#define POLL_MASK 1023

/* A page that is being made. */
typedef struct page {
    brant__evaluation evaluation;
    brant__access_graph graph;
    brant__list list;
    brant__position position;
    int64_t limit;
    brant__ordered candidates;
    brant__numbers seen; /* those that were gathered, to go on from */
} page;

/* The filters are what the list is of. */
static brant_status page_begin(page *self, brant__call *call, const char *operation) {
    static const char *const filters[] = {"graph", "subject", "scope", "resource", "kind"};
    brant_status status;

    self->candidates = (brant__ordered){.items = NULL};
    brant__numbers_begin(&self->seen);
    BRANT__TRY(brant__access_need(&self->graph, call));
    status = brant__evaluation_begin(&self->evaluation, call, &self->graph,
                                     brant__json_get_text(call->input, "scope"));
    if (status != BRANT_OK) brant__evaluation_end(&self->evaluation);
    if (status != BRANT_OK) goto cleanup;
    self->list = brant__list_of(operation);
    for (size_t i = 0; i < BRANT__COUNT(filters); i++)
        brant__list_filter(&self->list, brant__json_get_text(call->input, filters[i]));
    status = brant__limit_read(&self->limit, call, 100, 10000);
    if (status == BRANT_OK) status = brant__position_read(&self->position, call, self->list);
    if (status != BRANT_OK) brant__evaluation_end(&self->evaluation);
cleanup:
    return status;
}

static void page_end(page *self) {
    brant__evaluation_end(&self->evaluation);
    brant__ordered_free(&self->candidates);
    brant__numbers_free(&self->seen);
}

static brant_status add_candidate(page *self, uint32_t node, brant__text key) {
    if (self->position.given && brant__text_compare(key, self->position.text) <= 0) return BRANT_OK;
    return brant__ordered_add(&self->candidates, key, node);
}

/* Once a search. */
static brant_status see(page *self, uint32_t mark, uint32_t node) {
    brant__access_node *seen = &self->graph.index->nodes[node];

    if (seen->marks[1] == mark) return BRANT_OK;
    seen->marks[1] = mark;
    return brant__numbers_add(&self->seen, node) ? BRANT_OK : brant__fail_memory();
}

/* What lies below those that were seen, from `begin` on, by the edges of a list. */
static brant_status see_below(page *self, uint32_t mark, size_t begin, int way, int list) {
    const brant__access_index *index = self->graph.index;
    brant_status status = BRANT_OK;

    for (size_t i = begin; i < self->seen.count; i++) {
        if ((i & POLL_MASK) == POLL_MASK) BRANT__TRY(brant__db_poll(self->evaluation.call->db));
        for (uint32_t at = index->nodes[self->seen.items[i]].first[way][list]; at != BRANT__NOTHING;
             at = index->edges[at].next[way])
            BRANT__TRY(see(self, mark, index->edges[at].end[!way]));
    }
cleanup:
    return status;
}

/* ---- pages ----------------------------------------------------------------------------------- */

typedef brant_status (*judge)(int *out_answer, page *self, const brant__keyed *candidate);

/* The candidates that are judged well, in order, until the page is full. */
static brant_status answer(page *self, brant__call *call, judge decides) {
    brant__position next = {.given = true};
    brant__writer *out = call->out;
    int64_t count = 0, judged = 0;
    bool more = false;
    int answer;
    brant_status status = BRANT_OK;

    brant__ordered_heap(&self->candidates);
    brant__write_object(out);
    brant__write_name(out, "items");
    brant__write_array(out);
    while (self->candidates.count > 0) {
        const brant__keyed candidate = brant__ordered_take(&self->candidates);
        if ((++judged & POLL_MASK) == 0) BRANT__TRY(brant__db_poll(call->db));
        BRANT__TRY(decides(&answer, self, &candidate));
        if (answer == BRANT__TOO_DEEP) {
            status = brant__access_too_deep();
            goto cleanup;
        }
        if (answer == BRANT__NO) continue;
        more = count == self->limit;
        if (more) break;
        brant__write_text(out, candidate.key);
        next.text = candidate.key;
        count++;
    }
    brant__write_end(out);
    brant__position_write(out, more ? &next : NULL, self->list);
    brant__write_integer_member(out, "revision", self->graph.revision);
    brant__write_end(out);
cleanup:
    return status;
}

/* ---- objects --------------------------------------------------------------------------------- */

typedef struct objects {
    page page; /* first */
    uint32_t subject;
} objects;

static brant_status judge_object(int *out_answer, page *self, const brant__keyed *candidate) {
    const brant_status status = brant__evaluation_set(&self->evaluation, candidate->key);

    if (status != BRANT_OK) return status;
    return brant__evaluate(out_answer, &self->evaluation, ((objects *)self)->subject);
}

/* The resources that a principal's own edges grant the scope on. *out_all: the one that is everything is among them. */
static brant_status see_granted(page *self, uint32_t mark, bool *out_all, uint32_t principal) {
    const brant__access_index *index = self->graph.index;
    brant__evaluation *evaluation = &self->evaluation;
    brant_status status = BRANT_OK;

    BRANT__TRY(brant__evaluate_self(evaluation, principal));
    for (size_t i = 0; i < evaluation->self.count; i++)
        for (uint32_t at =
                 index->nodes[evaluation->self.items[i]].first[BRANT__OUT][BRANT__LIST_GRANTS];
             at != BRANT__NOTHING; at = index->edges[at].next[BRANT__OUT]) {
            const brant__access_edge *edge = &index->edges[at];
            if (!brant__edge_lives(evaluation, edge) || !brant__edge_concerns(evaluation, edge))
                continue;
            if (edge->end[BRANT__IN] == evaluation->everything) *out_all = true;
            BRANT__TRY(see(self, mark, edge->end[BRANT__IN]));
        }
cleanup:
    return status;
}

/* Whose grants a subject may come to: its own, of an agent those of whoever stands above it. */
static brant_status see_sources(page *self, brant__numbers *out, uint32_t subject) {
    const uint32_t mark = brant__access_search(self->graph.index, 1);
    brant_status status;

    BRANT__TRY(see(self, mark, subject));
    if (self->graph.index->nodes[subject].kind == BRANT__AGENT)
        BRANT__TRY(see_below(self, mark, 0, BRANT__IN, BRANT__LIST_DELEGATES));
    for (size_t i = 0; i < self->seen.count; i++)
        if (!brant__numbers_add(out, self->seen.items[i])) {
            status = brant__fail_memory();
            goto cleanup;
        }
    self->seen.count = 0;
cleanup:
    return status;
}

static bool is_of_kind(brant__text key, brant__text kind) {
    return !kind.data || (key.length > kind.length && key.data[kind.length] == ':' &&
                          memcmp(key.data, kind.data, kind.length) == 0);
}

static brant_status gather_objects(objects *self, brant__text kind) {
    brant__access_index *index = self->page.graph.index;
    brant__numbers sources;
    bool all = false;
    uint32_t mark;
    brant_status status;

    brant__numbers_begin(&sources);
    BRANT__TRY(see_sources(&self->page, &sources, self->subject));
    mark = brant__access_search(index, 1);
    for (size_t i = 0; i < sources.count; i++)
        if (index->nodes[sources.items[i]].kind != BRANT__AGENT)
            BRANT__TRY(see_granted(&self->page, mark, &all, sources.items[i]));
    if (!all) {
        BRANT__TRY(see_below(&self->page, mark, 0, BRANT__IN, BRANT__LIST_UP));
        for (size_t i = 0; i < self->page.seen.count; i++) {
            const brant__text key = brant__access_key(index, self->page.seen.items[i]);
            if (is_of_kind(key, kind))
                BRANT__TRY(add_candidate(&self->page, self->page.seen.items[i], key));
        }
        goto cleanup;
    }
    for (uint32_t i = 0; i < index->node_end; i++) {
        const brant__access_node *node = &index->nodes[i];
        if (node->key && node->kind == BRANT__RESOURCE && i != self->page.evaluation.everything &&
            is_of_kind(brant__access_key(index, i), kind))
            BRANT__TRY(add_candidate(&self->page, i, brant__access_key(index, i)));
    }
    if (!kind.data)
        status = add_candidate(&self->page, self->page.evaluation.everything, BRANT__TEXT("*"));
cleanup:
    brant__numbers_free(&sources);
    return status;
}

brant_status brant__access_list_objects(brant__call *call) {
    objects self;
    int everything;
    brant_status status = page_begin(&self.page, call, "access.list_objects");

    if (status != BRANT_OK) return status;
    self.subject = brant__access_node_find(self.page.graph.index,
                                           brant__json_get_text(call->input, "subject"));
    /* Too deep to tell of anything, also where nothing is granted. */
    BRANT__TRY(brant__evaluation_set(&self.page.evaluation, BRANT__TEXT("*")));
    BRANT__TRY(brant__evaluate(&everything, &self.page.evaluation, self.subject));
    if (everything == BRANT__TOO_DEEP) {
        status = brant__access_too_deep();
        goto cleanup;
    }
    if (self.subject != BRANT__NOTHING &&
        self.page.graph.index->nodes[self.subject].kind != BRANT__RESOURCE)
        BRANT__TRY(gather_objects(&self, brant__json_get_text(call->input, "kind")));
    status = answer(&self.page, call, judge_object);
cleanup:
    page_end(&self.page);
    return status;
}

/* ---- subjects -------------------------------------------------------------------------------- */

static brant_status judge_subject(int *out_answer, page *self, const brant__keyed *candidate) {
    return brant__evaluate(out_answer, &self->evaluation, candidate->number);
}

/* Who is granted it on the resource, who belongs to them, and to whom those delegate. */
static brant_status gather_subjects(page *self, brant__text kind) {
    brant__access_index *index = self->graph.index;
    const brant__evaluation *evaluation = &self->evaluation;
    const int wanted = kind.data ? brant__access_node_kind(kind) : BRANT__ACCESS_NODE_KINDS;
    const uint32_t mark = brant__access_search(index, 1);
    brant_status status = BRANT_OK;

    for (size_t i = 0; i < evaluation->on_granted.count; i++)
        for (uint32_t at =
                 index->nodes[evaluation->on_granted.items[i]].first[BRANT__IN][BRANT__LIST_GRANTS];
             at != BRANT__NOTHING; at = index->edges[at].next[BRANT__IN])
            if (brant__edge_lives(evaluation, &index->edges[at]) &&
                brant__edge_concerns(evaluation, &index->edges[at]))
                BRANT__TRY(see(self, mark, index->edges[at].end[BRANT__OUT]));
    BRANT__TRY(see_below(self, mark, 0, BRANT__IN, BRANT__LIST_UP));
    BRANT__TRY(see_below(self, mark, 0, BRANT__OUT, BRANT__LIST_DELEGATES));
    for (size_t i = 0; i < self->seen.count; i++)
        if (!kind.data || index->nodes[self->seen.items[i]].kind == wanted)
            BRANT__TRY(add_candidate(self, self->seen.items[i],
                                     brant__access_key(index, self->seen.items[i])));
cleanup:
    return status;
}

brant_status brant__access_list_subjects(brant__call *call) {
    const brant__text given = brant__json_get_text(call->input, "resource");
    page self;
    brant_status status = page_begin(&self, call, "access.list_subjects");

    if (status != BRANT_OK) return status;
    BRANT__TRY(brant__evaluation_set(&self.evaluation, given.data ? given : BRANT__TEXT("*")));
    if (self.evaluation.on_too_deep) {
        status = brant__access_too_deep();
        goto cleanup;
    }
    BRANT__TRY(gather_subjects(&self, brant__json_get_text(call->input, "kind")));
    status = answer(&self, call, judge_subject);
cleanup:
    page_end(&self);
    return status;
}
