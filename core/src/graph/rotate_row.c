/*
 * graph/rotate_row.c: the rows of a graph whose type encrypts something, one after another.
 *
 * Nodes are walked by their keys. Edges have no index by graph: by their sources, and of one source in the order of edges_out. So any row can be gone on after,
 * and a batch costs what it reads.
 */
#include "graph/change.h"
#include "graph/rotate.h"

#define POLL_MASK 255

enum { NODES, SOURCES, EDGES, NODE, EDGE, NODE_WRITE, EDGE_WRITE, STATEMENT_COUNT };
static const char *const sql[STATEMENT_COUNT] = {
    [NODES] = "SELECT row_id, key, type, attributes FROM nodes WHERE graph = :graph AND key > "
              ":after ORDER BY key",
    [SOURCES] = "SELECT row_id, key FROM nodes WHERE graph = :graph AND key >= :from ORDER BY key",
    [EDGES] = ("SELECT e.row_id, e.key, e.type, e.attributes, t.key, e.target FROM edges e CROSS "
               "JOIN nodes t ON t.row_id = e.target WHERE e.source = :source AND (e.type, "
               "e.target, e.row_id) > (:type, :target, :edge) ORDER BY e.type, e.target, e.row_id"),
    [NODE] = "SELECT row_id, key, type, attributes, graph FROM nodes WHERE row_id = :row_id",
    [EDGE] = "SELECT e.row_id, e.key, e.type, e.attributes, e.graph, s.key, t.key FROM " //
    BRANT__EDGE_TABLES " WHERE e.row_id = :row_id",
    /* The value is the same: nothing that says when or how often it changed does. */
    [NODE_WRITE] = "UPDATE nodes SET attributes = :attributes WHERE row_id = :row_id",
    [EDGE_WRITE] = "UPDATE edges SET attributes = :attributes WHERE row_id = :row_id",
};
const brant__statements brant__rotate_row_statements = {BRANT__TABLE_ROTATE_ROW, STATEMENT_COUNT,
                                                        sql};

static brant_status get(brant__statement **out, brant__call *call, int which) {
    return brant__statement_get(out, call->db, &brant__rotate_row_statements, (size_t)which);
}

/* ---- a row ----------------------------------------------------------------------------------- */

/* Of a row whose first columns are row id, key, type and attributes. *out_wanted false: its type encrypts nothing. */
static brant_status take(bool *out_wanted, brant__rotate_row *out, brant__rotate_scan *self,
                         brant__statement *row, brant__text source, brant__text target) {
    const brant__type *type = self->graph->type;
    const int64_t type_row = brant__column_integer(row, 2);
    const uint32_t index = self->kind == BRANT__NODES ? brant__type_node_of_row(type, type_row)
                                                      : brant__type_edge_of_row(type, type_row);

    *out_wanted = brant__type_encrypts(type, self->kind, index);
    if (!*out_wanted) return BRANT_OK;
    *out = (brant__rotate_row){
        .row_id = brant__column_integer(row, 0),
        .type = index,
        .key = brant__column_text(row, 1),
        .attributes = brant__column_text(row, 3),
    };
    if (!out->attributes.data) return brant__fail_memory();
    if (out->key.data) return BRANT_OK;
    if (self->kind == BRANT__NODES) return brant__fail_memory();
    brant__buffer_reset(&self->key);
    brant__edge_key_append(&self->key, self->graph,
                           &(brant__edge_ends){.type = index, .source = source, .target = target});
    out->key = brant__text_of(self->key.data, self->key.length);
    return self->key.failed ? brant__fail_memory() : BRANT_OK;
}

/* ---- one after another ----------------------------------------------------------------------- */

brant_status brant__rotate_scan_begin(brant__rotate_scan *self, brant__call *call,
                                      const brant__graph *graph, int kind,
                                      brant__rotate_place place) {
    brant_status status;

    self->call = call;
    self->graph = graph;
    self->kind = kind;
    self->place = place;
    self->goes_on = true;
    status = get(&self->nodes, call, kind == BRANT__NODES ? NODES : SOURCES);
    if (status != BRANT_OK) return status;
    brant__bind_integer(self->nodes, 1, graph->row_id);
    brant__bind_text(self->nodes, 2, place.key);
    return BRANT_OK;
}

static brant_status poll(brant__rotate_scan *self) {
    return (++self->seen & POLL_MASK) == 0 ? brant__db_poll(self->call->db) : BRANT_OK;
}

/* The next node that may be a source; the edges of the one that a scan goes on with begin behind its place. */
static brant_status next_source(bool *out_row, brant__rotate_scan *self) {
    brant__text key;
    brant_status status;

    BRANT__TRY(poll(self));
    BRANT__TRY(brant__step(out_row, self->call->db, self->nodes));
    if (!*out_row) goto cleanup;
    key = brant__column_text(self->nodes, 1);
    if (!self->goes_on || !brant__text_equal(key, self->place.key))
        self->place = BRANT__ROTATE_FIRST;
    self->goes_on = false;
    self->place.key = key;
    BRANT__TRY(get(&self->edges, self->call, EDGES));
    brant__bind_integer(self->edges, 1, brant__column_integer(self->nodes, 0));
    brant__bind_integer(self->edges, 2, self->place.edge_type);
    brant__bind_integer(self->edges, 3, self->place.edge_target);
    brant__bind_integer(self->edges, 4, self->place.edge);
cleanup:
    return status;
}

static brant_status next_edge(bool *out_row, brant__rotate_row *out, brant__rotate_scan *self) {
    bool wanted = false;
    brant_status status = BRANT_OK;

    *out_row = true;
    while (!wanted) {
        if (!self->edges) {
            BRANT__TRY(next_source(out_row, self));
            if (!*out_row) break;
        }
        BRANT__TRY(poll(self));
        BRANT__TRY(brant__step(out_row, self->call->db, self->edges));
        if (!*out_row) {
            brant__reset(self->edges);
            self->edges = NULL;
            continue;
        }
        self->place.edge = brant__column_integer(self->edges, 0);
        self->place.edge_type = brant__column_integer(self->edges, 2);
        self->place.edge_target = brant__column_integer(self->edges, 5);
        BRANT__TRY(take(&wanted, out, self, self->edges, self->place.key,
                        brant__column_text(self->edges, 4)));
    }
cleanup:
    return status;
}

brant_status brant__rotate_scan_next(bool *out_row, brant__rotate_row *out,
                                     brant__rotate_scan *self) {
    bool wanted = false;
    brant_status status = BRANT_OK;

    if (self->kind == BRANT__EDGES) return next_edge(out_row, out, self);
    while (!wanted) {
        BRANT__TRY(poll(self));
        BRANT__TRY(brant__step(out_row, self->call->db, self->nodes));
        if (!*out_row) break;
        self->place.key = brant__column_text(self->nodes, 1);
        BRANT__TRY(
            take(&wanted, out, self, self->nodes, (brant__text){NULL, 0}, (brant__text){NULL, 0}));
    }
cleanup:
    return status;
}

void brant__rotate_scan_end(brant__rotate_scan *self) {
    brant__reset(self->nodes);
    brant__reset(self->edges);
    brant__buffer_free(&self->key);
    *self = (brant__rotate_scan){0};
}

/* ---- one by its row id ----------------------------------------------------------------------- */

brant_status brant__rotate_row_read(bool *out_found, brant__rotate_row *out,
                                    brant__rotate_scan *self, brant__call *call,
                                    const brant__graph *graph, int kind, int64_t row_id) {
    const bool edge = kind == BRANT__EDGES;
    brant_status status;

    self->call = call;
    self->graph = graph;
    self->kind = kind;
    brant__reset(self->nodes);
    BRANT__TRY(get(&self->nodes, call, edge ? EDGE : NODE));
    brant__bind_integer(self->nodes, 1, row_id);
    BRANT__TRY(brant__step(out_found, call->db, self->nodes));
    if (*out_found && brant__column_integer(self->nodes, 4) != graph->row_id) *out_found = false;
    if (!*out_found) goto cleanup;
    status = take(out_found, out, self, self->nodes,
                  edge ? brant__column_text(self->nodes, 5) : (brant__text){NULL, 0},
                  edge ? brant__column_text(self->nodes, 6) : (brant__text){NULL, 0});
cleanup:
    return status;
}

brant_status brant__rotate_row_write(brant__call *call, int kind, int64_t row_id,
                                     brant__text attributes) {
    brant__statement *statement;
    const brant_status status =
        get(&statement, call, kind == BRANT__NODES ? NODE_WRITE : EDGE_WRITE);

    if (status != BRANT_OK) return status;
    brant__bind_text(statement, 1, attributes);
    brant__bind_integer(statement, 2, row_id);
    return brant__run(call->db, statement);
}
