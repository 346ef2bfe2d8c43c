/*
 * graph/weight.c: what edges weigh: a number in their attributes, read once for all edges.
 *
 * The handle keeps one such array a graph, as long as nothing of the graph is written. A missing
 * number is kept as NaN, what is no weight as a negative one.
 */
#include <math.h>

#include "graph/filter.h"
#include "graph/view.h"

#define NOT_A_NUMBER (-1.0)
#define NEGATIVE     (-2.0)

static double weight_of(yyjson_val *value) {
    double weight;

    if (!value || yyjson_is_null(value)) return NAN;
    if (!yyjson_is_num(value)) return NOT_A_NUMBER;
    weight = yyjson_get_num(value);
    return weight >= 0 ? weight : NEGATIVE;
}

/* One of each edge, by its number. */
static brant_status load(brant__weights *out, brant__call *call, const brant__snapshot *snapshot,
                         const brant__path *path) {
    brant__statement *statement = NULL;
    brant__json json = {0};
    brant_status status = BRANT_OK;
    bool row;

    out->bytes = ((size_t)snapshot->edges + 1) * sizeof(*out->values);
    out->values = brant__alloc(out->bytes);
    if (!out->values) {
        status = brant__fail_memory();
        goto cleanup;
    }
    for (uint32_t edge = 0; edge < snapshot->edges; edge++) {
        brant__text text;
        if ((edge & BRANT__POLL_MASK) == BRANT__POLL_MASK) BRANT__TRY(brant__db_poll(call->db));
        BRANT__TRY(brant__traverse_statement(
            &statement, call,
            path->field == BRANT__FIELD_METADATA ? BRANT__EDGE_METADATA : BRANT__EDGE_ATTRIBUTES));
        brant__bind_integer(statement, 1, snapshot->edge_rows[edge]);
        BRANT__TRY(brant__step(&row, call->db, statement));
        if (!row) {
            status = brant__fail(BRANT_CORRUPT, "an edge is missing; run db.doctor");
            goto cleanup;
        }
        text = brant__column_text(statement, 0);
        BRANT__TRY(brant__json_parse(&json, text.data, text.length, 0));
        out->values[edge] = weight_of(brant__path_find(json.root, path));
        if (!(out->values[edge] >= 0)) out->faults++;
        brant__reset(statement);
    }
cleanup:
    brant__reset(statement);
    brant__json_free(&json);
    return status;
}

/* The kept ones where they are true, else read. */
static brant_status find(const brant__weights **out, brant__call *call, const brant__graph *graph,
                         const brant__snapshot *snapshot, const brant__path *path) {
    brant__weights made = {.path = NULL};
    brant__graphs *state;
    brant__kept *kept;
    brant_status status;

    *out = NULL;
    BRANT__TRY(brant__graphs_state(&state, call->db));
    BRANT__TRY(brant__kept_find(&kept, call->db, graph));
    *out = &kept->weights;
    if (kept->weights.path && kept->weights.changes == graph->changes &&
        kept->snapshot == snapshot && strlen(kept->weights.path) == path->name.length &&
        memcmp(kept->weights.path, path->name.data, path->name.length) == 0)
        return BRANT_OK;
    brant__weights_drop(&kept->weights);
    made.path = brant__strndup(path->name.data, path->name.length);
    if (!made.path) {
        status = brant__fail_memory();
        goto cleanup;
    }
    BRANT__TRY(load(&made, call, snapshot, path));
    made.changes = graph->changes;
    made.touched = state->dirty;
    brant__kept_make_room(state, kept, made.bytes);
    kept->weights = made;
    return BRANT_OK;
cleanup:
    brant__weights_drop(&made);
    return status;
}

static brant_status fail_weight(brant__call *call, const brant__graph *graph,
                                const brant__snapshot *snapshot, uint32_t edge, double weight,
                                brant__text path) {
    const char *what = weight == NEGATIVE ? "is negative" : "is not a number";
    brant__writer key = {.level = 0};
    brant__json json = {0};
    brant_status status = brant__write_edge_key(&key, call, graph, snapshot, edge);

    if (isnan(weight)) what = "is missing";
    if (status == BRANT_OK && key.buffer.failed) status = brant__fail_memory();
    if (status == BRANT_OK)
        status = brant__json_parse(&json, key.buffer.data, key.buffer.length, 0);
    if (status == BRANT_OK)
        status =
            brant__fail(BRANT_CONSTRAINT, "the weight %s of edge %s %s", brant__quoted(call, path),
                        brant__quoted(call, brant__json_text(json.root)), what);
    brant__json_free(&json);
    brant__buffer_free(&key.buffer);
    return status;
}

brant_status brant__weighing_open(brant__weighing *out, brant__call *call,
                                  const brant__graph *graph, const brant__view *view) {
    yyjson_val *otherwise = brant__json_get(call->input, "default_weight");
    brant__text name = brant__json_get_text(call->input, "weight");
    const brant__snapshot *snapshot = view->snapshot;
    const brant__weights *weights;
    const char *reason = NULL;
    brant__path path;
    brant_status status;

    *out = (brant__weighing){NULL, NULL};
    if (!name.data) return BRANT_OK;
    status = brant__path_parse(&path, &reason, call, BRANT__EDGES, name);
    if (status == BRANT_INVALID)
        return brant__fail(BRANT_INVALID, "/weight: %s", reason ? reason : "not a path");
    if (status != BRANT_OK) return status;
    if (!brant__path_deep(&path))
        return brant__fail(BRANT_INVALID, "/weight: not a path of attributes or metadata");
    BRANT__TRY(brant__path_plain(call, graph->type, BRANT__EDGES, BRANT__NO_TYPE, &path,
                                 BRANT__TEXT("/weight")));
    BRANT__TRY(find(&weights, call, graph, snapshot, &path));
    out->values = weights->values;
    if (weights->faults == 0) return BRANT_OK;
    out->own = brant__alloc(weights->bytes);
    if (!out->own) {
        status = brant__fail_memory();
        goto cleanup;
    }
    for (uint32_t edge = 0; edge < snapshot->edges; edge++) {
        double weight = weights->values[edge];
        if (isnan(weight) && otherwise) weight = yyjson_get_num(otherwise);
        if (!(weight >= 0) && brant__view_takes(view, edge)) {
            status = fail_weight(call, graph, snapshot, edge, weight, name);
            goto cleanup;
        }
        out->own[edge] = weight;
    }
    out->values = out->own;
    return BRANT_OK;
cleanup:
    brant__weighing_close(out);
    return status;
}

void brant__weighing_close(brant__weighing *weighing) {
    brant__free(weighing->own);
    *weighing = (brant__weighing){NULL, NULL};
}
