/*
 * access/check.c: yes or no: access.check and check_many, and what other modules ask.
 */
#include "access/access.h"
#include "access/evaluate.h"
#include "event/input.h"
#include "graph/internal.h"

static brant__text resource_of(yyjson_val *item) {
    const brant__text given = brant__json_get_text(item, "resource");

    return given.data ? given : BRANT__TEXT("*");
}

/* LIMIT: it cannot be told. */
static brant_status decide(bool *out_allowed, brant__call *call, const brant__access_graph *graph,
                           brant__text subject, brant__text scope, brant__text resource) {
    brant__evaluation evaluation;
    int answer;
    brant_status status;

    *out_allowed = false;
    BRANT__TRY(brant__evaluation_begin(&evaluation, call, graph, scope));
    BRANT__TRY(brant__evaluation_set(&evaluation, resource));
    BRANT__TRY(
        brant__evaluate(&answer, &evaluation, brant__access_node_find(graph->index, subject)));
    *out_allowed = answer == BRANT__YES;
    if (answer == BRANT__TOO_DEEP) status = brant__access_too_deep();
cleanup:
    brant__evaluation_end(&evaluation);
    return status;
}

static brant_status decide_item(bool *out_allowed, brant__call *call,
                                const brant__access_graph *graph, yyjson_val *item) {
    return decide(out_allowed, call, graph, brant__json_get_text(item, "subject"),
                  brant__json_get_text(item, "scope"), resource_of(item));
}

brant_status brant__access_check(brant__call *call) {
    brant__writer *out = call->out;
    brant__access_graph graph;
    bool allowed;
    brant_status status;

    BRANT__TRY(brant__access_need(&graph, call));
    BRANT__TRY(decide_item(&allowed, call, &graph, call->input));
    brant__write_object(out);
    brant__write_bool_member(out, "allowed", allowed);
    brant__write_integer_member(out, "revision", graph.revision);
    brant__write_end(out);
cleanup:
    return status;
}

/* The record becomes the item's answer, unless it is a failure of the whole. */
static brant_status answer_item(brant__writer *out, brant_status status, bool allowed) {
    if (status != BRANT_OK && status != BRANT_INVALID && status != BRANT_LIMIT) return status;
    brant__write_object(out);
    if (status == BRANT_OK) {
        brant__write_bool_member(out, "allowed", allowed);
    } else {
        brant__write_name(out, "error");
        brant__write_object(out);
        brant__write_text_member(out, "code", brant__text_string(brant_status_name(status)));
        brant__write_text_member(out, "message", brant__text_string(brant_last_error()->message));
        brant__write_end(out);
        (void)brant__error_code();
    }
    brant__write_end(out);
    return BRANT_OK;
}

brant_status brant__access_check_many(brant__call *call) {
    yyjson_val *items = brant__json_get(call->input, "items"), *item;
    brant__writer *out = call->out;
    brant__access_graph graph;
    yyjson_arr_iter iterator;
    bool allowed;
    brant_status status;

    BRANT__TRY(brant__input_batch(call->db, items, "/items"));
    BRANT__TRY(brant__access_need(&graph, call));
    brant__write_object(out);
    brant__write_name(out, "items");
    brant__write_array(out);
    yyjson_arr_iter_init(items, &iterator);
    while ((item = yyjson_arr_iter_next(&iterator))) {
        BRANT__TRY(brant__db_poll(call->db));
        status = decide_item(&allowed, call, &graph, item);
        BRANT__TRY(answer_item(out, status, allowed));
    }
    brant__write_end(out);
    brant__write_integer_member(out, "revision", graph.revision);
    brant__write_end(out);
cleanup:
    return status;
}

/* ---- for other modules ----------------------------------------------------------------------- */

brant_status brant__access_right(bool *out_right, brant__call *call, brant__text name,
                                 brant__text subject, brant__text scope, brant__text resource) {
    brant__access_graph graph;
    bool found;
    brant_status status = brant__access_open(&found, &graph, call, name);

    *out_right = false;
    if (status != BRANT_OK || !found) return status;
    return decide(out_right, call, &graph, subject, scope, resource);
}

brant_status brant__access_right_on(bool *out_right, brant__call *call, brant__text name,
                                    brant__text subject, brant__text scope, brant__text resource) {
    brant__evaluation evaluation;
    brant__access_graph graph;
    int answer = BRANT__NO;
    bool found;
    brant_status status = brant__access_open(&found, &graph, call, name);

    *out_right = false;
    if (status != BRANT_OK || !found) return status;
    BRANT__TRY(brant__evaluation_begin(&evaluation, call, &graph, scope));
    BRANT__TRY(brant__evaluation_set(&evaluation, resource));
    brant__evaluation_particular(&evaluation);
    BRANT__TRY(
        brant__evaluate(&answer, &evaluation, brant__access_node_find(graph.index, subject)));
    if (answer == BRANT__TOO_DEEP) status = brant__access_too_deep();
    *out_right = answer == BRANT__YES;
cleanup:
    brant__evaluation_end(&evaluation);
    return status;
}

brant_status brant__access_denied(bool *out_denied, brant__call *call, brant__text name,
                                  brant__text subject, brant__text scope, brant__text resource) {
    brant__evaluation evaluation;
    brant__access_graph graph;
    uint32_t node;
    bool found;
    brant_status status = brant__access_open(&found, &graph, call, name);

    *out_denied = false;
    if (status != BRANT_OK || !found) return status;
    BRANT__TRY(brant__evaluation_begin(&evaluation, call, &graph, scope));
    BRANT__TRY(brant__evaluation_set(&evaluation, resource));
    node = brant__access_node_find(graph.index, subject);
    if (node == BRANT__NOTHING) goto cleanup;
    BRANT__TRY(brant__evaluate_self(&evaluation, node));
    if (evaluation.on_too_deep || evaluation.self_too_deep)
        status = brant__access_too_deep();
    else
        *out_denied = brant__evaluate_edge(&evaluation, BRANT__DENIES) != BRANT__NOTHING;
cleanup:
    brant__evaluation_end(&evaluation);
    return status;
}

/* The scopes of all edges of a kind that count, from self to "*"; a broken deny is of everything. */
static brant_status collect(brant__scopes *out, brant__evaluation *self, int kind) {
    static brant__text everything[] = {{"*:*", 3}};
    const brant__scopes all = {everything, 1};
    brant__scopes sum;
    brant_status status = BRANT_OK;

    for (size_t i = 0; i < self->self.count; i++) {
        const uint32_t edge =
            brant__access_edge_find(self->index, self->self.items[i], self->everything, kind);
        const brant__access_terms *terms;
        if (edge == BRANT__NOTHING || !brant__edge_lives(self, &self->index->edges[edge])) continue;
        terms = brant__access_terms_of(self->index, &self->index->edges[edge]);
        BRANT__TRY(brant__scopes_union(&sum, self->call->arena, out,
                                       terms->broken ? &all : &terms->scopes));
        *out = sum;
    }
    /* They are the index's, which the next call may change. */
    for (size_t i = 0; i < out->count; i++)
        BRANT__TRY(brant__arena_text(&out->items[i], self->call->arena, out->items[i]));
cleanup:
    return status;
}

brant_status brant__access_held(brant__scopes *out_scopes, brant__scopes *out_denies,
                                brant__call *call, brant__text principal) {
    brant__evaluation evaluation;
    brant__access_graph graph;
    uint32_t node;
    bool found, active;
    brant_status status = brant__access_open(&found, &graph, call, BRANT__TEXT("access"));

    *out_scopes = *out_denies = (brant__scopes){NULL, 0};
    if (status != BRANT_OK || !found) return status;
    BRANT__TRY(brant__evaluation_begin(&evaluation, call, &graph, BRANT__TEXT("*:*")));
    node = brant__access_node_find(graph.index, principal);
    if (node == BRANT__NOTHING || evaluation.everything == BRANT__NOTHING ||
        graph.index->nodes[node].kind != BRANT__PRINCIPAL)
        goto cleanup;
    BRANT__TRY(brant__evaluate_self(&evaluation, node));
    if (evaluation.self_too_deep) {
        status = brant__access_too_deep();
        goto cleanup;
    }
    BRANT__TRY(collect(out_denies, &evaluation, BRANT__DENIES));
    BRANT__TRY(brant__evaluate_active(&active, &evaluation, node));
    if (active) status = collect(out_scopes, &evaluation, BRANT__GRANTS);
cleanup:
    if (status != BRANT_OK) *out_scopes = *out_denies = (brant__scopes){NULL, 0};
    brant__evaluation_end(&evaluation);
    return status;
}
