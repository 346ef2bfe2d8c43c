/*
 * graph/change.c: writing the change log of a graph (change.h).
 *
 * Events are made of the rows as they stand in the file, so that all writers have one way to say what they did: what was there before,
 * then what is there now; a row that is gone was deleted. The row before is kept as text in the handle's state.
 */
#include "graph/change.h"

#include "event/stream.h"
#include "graph/seal.h"

#define POLL_MASK 1023

enum { NODE, EDGE, ALL_NODES, ALL_EDGES, SWITCH, STATEMENT_COUNT };

/* Columns: key, type, source, target, attributes, metadata, revision, orientation. */
#define NODE_COLUMNS "key, type, NULL, NULL, attributes, metadata, revision, 0"
#define EDGE_COLUMNS                                                                               \
    "e.key, e.type, s.key, t.key, e.attributes, e.metadata, e.revision, e.orientation"

static const char *const sql[STATEMENT_COUNT] = {
    [NODE] = "SELECT " NODE_COLUMNS " FROM nodes WHERE row_id = :row_id",
    [EDGE] = "SELECT " EDGE_COLUMNS " FROM " BRANT__EDGE_TABLES " WHERE e.row_id = :row_id",
    [ALL_NODES] = "SELECT " NODE_COLUMNS " FROM nodes WHERE graph = :graph ORDER BY key",
    /* Edges have no index by graph: by their sources. */
    [ALL_EDGES] = ("SELECT " EDGE_COLUMNS
                   " FROM nodes s CROSS JOIN edges e ON e.source = s.row_id CROSS JOIN nodes t ON "
                   "t.row_id = e.target WHERE s.graph = :graph ORDER BY s.key"),
    [SWITCH] = "UPDATE graphs SET change_stream = :stream WHERE row_id = :row_id",
};
static const brant__statements statements = {BRANT__TABLE_CHANGE, STATEMENT_COUNT, sql};

static brant_status get(brant__statement **out, brant__call *call, int which) {
    return brant__statement_get(out, call->db, &statements, (size_t)which);
}

/* ---- rows as members ------------------------------------------------------------------------------------------------------ */

static void write_type(brant__writer *out, const brant__graph *graph, int kind, uint32_t type) {
    const brant__text name = kind == BRANT__NODES ? brant__type_node_name(graph->type, type)
                                                  : brant__type_edge_name(graph->type, type);

    brant__write_name(out, "type");
    brant__write_text_or_null(out, name);
}

/* What of a row can change. */
static brant_status write_values(brant__writer *out, const brant__graph *graph, int kind,
                                 uint32_t type, brant__statement *row) {
    const brant__text metadata = brant__column_text(row, 5);
    const brant_status status =
        brant__write_redacted(out, graph->type, kind, type, brant__column_text(row, 4));

    if (status != BRANT_OK) return status;
    if (!brant__text_equal(metadata, BRANT__TEXT("{}"))) {
        brant__write_name(out, "metadata");
        brant__write_raw(out, metadata);
    }
    brant__write_integer_member(out, "revision", brant__column_integer(row, 6));
    return BRANT_OK;
}

static void clear(brant__writer *writer) {
    brant__buffer_reset(&writer->buffer);
    *writer = (brant__writer){.buffer = writer->buffer};
}

/* What stays of a row, in state->head: members of an open object, and the stream's key. */
static brant_status write_head(brant__change_rows *state, const brant__graph *graph, int kind,
                               brant__statement *row, uint32_t *out_type) {
    const int64_t orientation = brant__column_integer(row, 7);
    brant__edge_ends ends = {.key = brant__column_text(row, 0),
                             .source = brant__column_text(row, 2),
                             .target = brant__column_text(row, 3)};
    brant__writer *out = &state->head;
    brant_status status = brant__read_type(&ends.type, graph, kind, brant__column_integer(row, 1));

    if (status != BRANT_OK) return status;
    *out_type = ends.type;
    brant__buffer_reset(&state->key);
    brant__buffer_append(&state->key, kind == BRANT__NODES ? "n:" : "e:", 2);
    if (ends.key.data)
        brant__buffer_append(&state->key, ends.key.data, ends.key.length);
    else
        brant__edge_key_append(&state->key, graph, &ends);
    if (state->key.failed) return brant__fail_memory();
    clear(out);
    brant__write_object(out);
    brant__write_text_member(out, "kind",
                             kind == BRANT__NODES ? BRANT__TEXT("node") : BRANT__TEXT("edge"));
    brant__write_text_member(out, "key",
                             brant__text_of(state->key.data + 2, state->key.length - 2));
    write_type(out, graph, kind, ends.type);
    if (kind == BRANT__EDGES) {
        brant__write_text_member(out, "source", ends.source);
        brant__write_text_member(out, "target", ends.target);
        if (brant__graph_mixed(graph)) {
            brant__write_bool_member(out, "undirected",
                                     (orientation & BRANT__UNDIRECTED_EDGE) != 0);
        }
        if (orientation & BRANT__ENDS_TURNED) {
            brant__write_bool_member(out, "turned", true);
        }
    }
    return out->buffer.failed ? brant__fail_memory() : BRANT_OK;
}

/* ---- one row ---------------------------------------------------------------------------------------------------------------- */

static brant_status state_of(brant__change_rows **out, brant_db *db) {
    brant__graphs *state;
    const brant_status status = brant__graphs_state(&state, db);

    *out = status == BRANT_OK ? &state->change : NULL;
    return status;
}

/* The row; *out_row false: there is none. The caller resets. */
static brant_status read_row(brant__statement **out, bool *out_row, brant__call *call, int kind,
                             int64_t row_id) {
    brant_status status = get(out, call, kind == BRANT__NODES ? NODE : EDGE);

    if (status != BRANT_OK) return status;
    brant__bind_integer(*out, 1, row_id);
    return brant__step(out_row, call->db, *out);
}

brant_status brant__change_read(brant__call *call, brant__graph *graph, int kind, int64_t row_id) {
    brant__statement *row = NULL;
    brant__change_rows *state;
    uint32_t type = 0;
    bool found;
    brant_status status;

    BRANT__TRY(state_of(&state, call->db));
    graph->before_row = 0;
    BRANT__TRY(read_row(&row, &found, call, kind, row_id));
    if (!found) goto cleanup;
    BRANT__TRY(write_head(state, graph, kind, row, &type));
    clear(&state->before);
    brant__write_object(&state->before);
    write_type(&state->before, graph, kind, type);
    BRANT__TRY(write_values(&state->before, graph, kind, type, row));
    brant__write_end(&state->before);
    if (state->before.buffer.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    graph->before_kind = kind;
    graph->before_row = row_id;
cleanup:
    brant__reset(row);
    return status;
}

/* Append an event: `payload` is complete. */
static brant_status append(brant__call *call, brant__graph *graph, brant__writer *payload,
                           brant__text key) {
    brant_status status = BRANT_OK;

    if (payload->buffer.failed) return brant__fail_memory();
    if (!graph->log.db)
        BRANT__TRY(brant__publisher_begin(&graph->log, call->db, graph->change_stream));
    status = brant__publisher_append(
        NULL, &graph->log, key,
        (brant__payload){brant__text_of(payload->buffer.data, payload->buffer.length), false});
cleanup:
    return status;
}

/* The event of what stands in state->head, with the row as it is now (NULL: gone) and as it was before (`before`). */
static brant_status publish(brant__call *call, brant__graph *graph, int kind, uint32_t type,
                            brant__change_rows *state, brant__statement *row, bool before,
                            bool snapshot) {
    brant__writer *out = &state->head;
    brant_status status = BRANT_OK;

    brant__write_text_member(out, "op", row ? BRANT__TEXT("put") : BRANT__TEXT("delete"));
    if (row) status = write_values(out, graph, kind, type, row);
    if (status != BRANT_OK) return status;
    if (snapshot) {
        brant__write_bool_member(out, "snapshot", true);
    }
    if (before) {
        brant__write_name(out, "before");
        brant__write_raw(out,
                         brant__text_of(state->before.buffer.data, state->before.buffer.length));
    }
    brant__write_end(out);
    return append(call, graph, out, brant__text_of(state->key.data, state->key.length));
}

brant_status brant__change_publish(brant__call *call, brant__graph *graph, int kind,
                                   int64_t row_id) {
    brant__statement *row = NULL;
    brant__change_rows *state;
    uint32_t type = BRANT__NO_TYPE;
    bool found, before;
    brant_status status;

    BRANT__TRY(state_of(&state, call->db));
    before = graph->before_row == row_id && graph->before_kind == kind;
    graph->before_row = 0;
    BRANT__TRY(read_row(&row, &found, call, kind, row_id));
    if (!found && !before) goto cleanup;
    if (!before)
        BRANT__TRY(write_head(state, graph, kind, row, &type));
    else if (found)
        BRANT__TRY(brant__read_type(&type, graph, kind, brant__column_integer(row, 1)));
    status = publish(call, graph, kind, type, state, found ? row : NULL, before, false);
cleanup:
    brant__reset(row);
    return status;
}

brant_status brant__change_end(brant__graph *graph) {
    brant_status status = BRANT_OK;

    if (graph->log.db) status = brant__publisher_end(&graph->log);
    graph->log = (brant__publisher){0};
    return status;
}

/* ---- the log itself --------------------------------------------------------------------------------------------------------- */

static brant_status publish_mark(brant__call *call, brant__graph *graph, brant__change_rows *state,
                                 const char *op) {
    brant__writer *out = &state->head;

    clear(out);
    brant__write_object(out);
    brant__write_text_member(out, "op", brant__text_string(op));
    brant__write_text_member(out, "kind", BRANT__TEXT("graph"));
    brant__write_text_member(out, "key", graph->name);
    brant__write_integer_member(out, "nodes", graph->nodes);
    brant__write_integer_member(out, "edges", graph->edges);
    brant__write_end(out);
    return append(call, graph, out, BRANT__CHANGE_MARK);
}

static brant_status publish_all(brant__call *call, brant__graph *graph, brant__change_rows *state,
                                int kind) {
    brant__statement *row = NULL;
    size_t seen = 0;
    uint32_t type;
    bool found;
    brant_status status;

    BRANT__TRY(get(&row, call, kind == BRANT__NODES ? ALL_NODES : ALL_EDGES));
    brant__bind_integer(row, 1, graph->row_id);
    for (;;) {
        BRANT__TRY(brant__step(&found, call->db, row));
        if (!found) break;
        if ((++seen & POLL_MASK) == 0) BRANT__TRY(brant__db_poll(call->db));
        BRANT__TRY(write_head(state, graph, kind, row, &type));
        BRANT__TRY(publish(call, graph, kind, type, state, row, false, true));
    }
cleanup:
    brant__reset(row);
    return status;
}

brant_status brant__change_stream_name(brant__text *out, brant__call *call,
                                       const brant__graph *graph) {
    brant__buffer name = {0};

    brant__buffer_append(&name, "changes:", 8);
    brant__buffer_append(&name, graph->id.data, graph->id.length);
    out->length = name.length;
    out->data = name.failed ? NULL : brant__arena_copy(call->arena, name.data, name.length);
    brant__buffer_free(&name);
    return out->data ? BRANT_OK : brant__fail_memory();
}

brant_status brant__change_switch(brant__call *call, brant__graph *graph, bool on) {
    brant__statement *statement;
    brant__change_rows *state;
    brant_status status = BRANT_OK;

    if (on == brant__change_logged(graph)) return BRANT_OK;
    BRANT__TRY(state_of(&state, call->db));
    if (on) {
        BRANT__TRY(brant__change_stream_name(&graph->change_stream, call, graph));
        BRANT__TRY(publish_mark(call, graph, state, "begin"));
        BRANT__TRY(publish_all(call, graph, state, BRANT__NODES));
        BRANT__TRY(publish_all(call, graph, state, BRANT__EDGES));
    } else {
        BRANT__TRY(publish_mark(call, graph, state, "end"));
    }
    BRANT__TRY(brant__change_end(graph));
    if (!on) graph->change_stream = (brant__text){NULL, 0};
    BRANT__TRY(get(&statement, call, SWITCH));
    brant__bind_text(statement, 1, graph->change_stream);
    brant__bind_integer(statement, 2, graph->row_id);
    status = brant__run(call->db, statement);
cleanup:
    return status;
}

brant_status brant__change_drop(brant__call *call, const brant__graph *graph) {
    brant__text name;
    brant_status status = brant__change_stream_name(&name, call, graph);

    return status == BRANT_OK ? brant__stream_drop(call->db, name) : status;
}
