/*
 * graph/erase.c: finding and removing one person's data: texts that are known whole, wherever they stand.
 *
 * What may hold such a text is a table of sources, worked off in order in one transaction. Nodes and edges are first looked through in the
 * order in which they are stored, which notes the rows that match; then each graph's are decided and written together. A dry run
 * does the same and takes it back. Envelopes are left whole: what is in them nobody can find, and a text of theirs that is like a value is chance.
 */
#include <stdlib.h>

#include "crypto/crypto.h"
#include "event/erase.h"
#include "event/event.h"
#include "graph/change.h"
#include "graph/graph.h"
#include "graph/remove.h"

#define LISTED     1000
#define POLL_MASK  4095
#define NEEDLES    8 /* up to so many values are looked for in the text before it is read as JSON */
#define NAME_TRIES 100000

enum {
    NODES_SCAN,
    EDGES_SCAN,
    GRAPHS_SCAN,
    GRAPH_NAMES,
    GRAPH_REDACT,
    NODE_ROW,
    EDGE_ROW,
    ROTATION_BACK,
    STATEMENT_COUNT
};
static const char *const sql[STATEMENT_COUNT] = {
    [NODES_SCAN] = "SELECT row_id, graph, key, attributes, metadata FROM nodes",
    [EDGES_SCAN] = "SELECT row_id, graph, key, attributes, metadata FROM edges",
    [GRAPHS_SCAN] = "SELECT row_id, name, owner_id, project_id, metadata FROM graphs ORDER BY name",
    [GRAPH_NAMES] = "SELECT row_id, name FROM graphs WHERE name > :after ORDER BY name LIMIT 1",
    [GRAPH_REDACT] =
        ("UPDATE graphs SET owner_id = :owner_id, project_id = :project_id, metadata = "
         ":metadata, updated_at = :now, changed_at = :now WHERE row_id = :row_id"),
    [NODE_ROW] = "SELECT key, type, attributes, metadata FROM nodes WHERE row_id = :row_id",
    [EDGE_ROW] =
        "SELECT key, type, attributes, metadata, source, target FROM edges WHERE row_id = :row_id",
    [ROTATION_BACK] = "UPDATE secret_rotations SET key = '', edge_type = -1, edge_target = 0, edge "
                      "= 0, step = step + 1 WHERE key = :key", /* BRANT__ROTATE_FIRST */
};
static const brant__statements statements = {BRANT__TABLE_ERASE, STATEMENT_COUNT, sql};

/* A row that holds a value. */
typedef struct erase_row {
    int64_t graph;
    int64_t row_id;
    bool remove; /* not redacted */
} erase_row;

typedef struct erase_rows {
    erase_row *rows;
    size_t count;
    size_t room;
} erase_rows;

typedef struct erase {
    brant__call *call;
    brant__map values;
    brant__text needles[NEEDLES]; /* the values as JSON texts, with quotes */
    size_t needle_count;          /* 0: too many */
    bool redact;
    brant__text replacement;
    brant__json json; /* scratch */
    brant__buffer attributes;
    brant__buffer metadata;
    erase_rows nodes;
    erase_rows edges;
    brant__writer listed[2]; /* by kind */
    size_t listed_count[2];
    brant__writer refused;
    size_t refused_count;
    bool truncated;
    int64_t counts[2];
    int64_t notifications;
    brant__erased events;
    int64_t graphs;
} erase;

static brant_status get(brant__statement **out, erase *self, int which) {
    return brant__statement_get(out, self->call->db, &statements, (size_t)which);
}

/* ---- texts ----------------------------------------------------------------------------------- */

static bool is_value(const erase *self, brant__text text) {
    int64_t found;

    return text.data && brant__map_get(&self->values, text, &found);
}

static const char *find_bytes(brant__text text, brant__text wanted) {
    const char *at = text.data, *end = text.data + text.length;

    while ((size_t)(end - at) >= wanted.length) {
        at = memchr(at, wanted.data[0], (size_t)(end - at) - wanted.length + 1);
        if (!at) return NULL;
        if (memcmp(at, wanted.data, wanted.length) == 0) return at;
        at++;
    }
    return NULL;
}

/* A quick look: false where the JSON text holds no value for sure. We write every text in one way, and those that were written
 * in another have a backslash. */
static bool may_hold(const erase *self, brant__text text) {
    if (self->needle_count == 0 || memchr(text.data, '\\', text.length)) return true;
    for (size_t i = 0; i < self->needle_count; i++)
        if (find_bytes(text, self->needles[i])) return true;
    return false;
}

static bool is_envelope(yyjson_val *value) {
    return brant__envelope_key_version(value) > 0;
}

/* As deep as JSON may be. `inner`: texts that are arrays in JSON themselves, derived keys, are looked into. */
static brant_status value_holds(bool *out_holds, const erase *self, yyjson_val *value, bool inner) {
    size_t index, count;
    yyjson_val *name, *member;
    brant_status status = BRANT_OK;

    if (yyjson_is_str(value)) {
        brant__text text = brant__json_text(value);
        brant__json json = {0};
        *out_holds = is_value(self, text);
        if (*out_holds || !inner || text.length < 2 || text.data[0] != '[') return BRANT_OK;
        status = brant__json_parse(&json, text.data, text.length, 2);
        if (status == BRANT_OK) status = value_holds(out_holds, self, json.root, false);
        brant__json_free(&json);
        if (status != BRANT_INVALID_JSON && status != BRANT_LIMIT) return status;
        brant__error_code();
        return BRANT_OK;
    }
    if (yyjson_is_arr(value)) {
        yyjson_arr_foreach(value, index, count, member) {
            status = value_holds(out_holds, self, member, inner);
            if (status != BRANT_OK || *out_holds) return status;
        }
    } else if (yyjson_is_obj(value) && !is_envelope(value)) {
        yyjson_obj_foreach(value, index, count, name, member) {
            *out_holds = is_value(self, brant__json_text(name));
            if (!*out_holds) status = value_holds(out_holds, self, member, inner);
            if (status != BRANT_OK || *out_holds) return status;
        }
    }
    return BRANT_OK;
}

static brant_status text_holds(bool *out_holds, erase *self, brant__text text, bool inner) {
    brant_status status;

    *out_holds = false;
    if (!text.data || !may_hold(self, text)) return BRANT_OK;
    status = brant__json_parse(&self->json, text.data, text.length, 0);
    return status == BRANT_OK ? value_holds(out_holds, self, self->json.root, inner) : status;
}

/* The replacement as a member's name: with a number where it is taken. `used`: how often it came before in the object. */
static void append_name(brant__buffer *out, const erase *self, yyjson_val *object, size_t *used) {
    brant__buffer name = {0};

    do {
        brant__buffer_reset(&name);
        brant__buffer_append(&name, self->replacement.data, self->replacement.length);
        if (++*used > 1) brant__buffer_format(&name, " %zu", *used);
    } while (!name.failed && *used < NAME_TRIES && yyjson_obj_getn(object, name.data, name.length));
    brant__json_append_text(out, brant__text_of(name.data ? name.data : "", name.length));
    if (name.failed) out->failed = true;
    brant__buffer_free(&name);
}

static void append_redacted(brant__buffer *out, const erase *self, yyjson_val *value) {
    size_t index, count, used = 0;
    yyjson_val *name, *member;

    if (yyjson_is_str(value) && is_value(self, brant__json_text(value))) {
        brant__json_append_text(out, self->replacement);
    } else if (yyjson_is_arr(value)) {
        brant__buffer_append_byte(out, '[');
        yyjson_arr_foreach(value, index, count, member) {
            if (index > 0) brant__buffer_append_byte(out, ',');
            append_redacted(out, self, member);
        }
        brant__buffer_append_byte(out, ']');
    } else if (yyjson_is_obj(value) && !is_envelope(value)) {
        brant__buffer_append_byte(out, '{');
        yyjson_obj_foreach(value, index, count, name, member) {
            if (index > 0) brant__buffer_append_byte(out, ',');
            if (is_value(self, brant__json_text(name)))
                append_name(out, self, value, &used);
            else
                brant__json_append_text(out, brant__json_text(name));
            brant__buffer_append_byte(out, ':');
            append_redacted(out, self, member);
        }
        brant__buffer_append_byte(out, '}');
    } else {
        brant__json_append(out, value);
    }
}

/* In `out` the text without the values. */
static brant_status redact(brant__buffer *out, erase *self, brant__text text) {
    brant_status status = brant__json_parse(&self->json, text.data, text.length, 0);

    if (status != BRANT_OK) return status;
    brant__buffer_reset(out);
    append_redacted(out, self, self->json.root);
    return out->failed ? brant__fail_memory() : BRANT_OK;
}

/* ---- looking through nodes and edges --------------------------------------------------------- */

static brant_status note_row(erase_rows *rows, erase_row row) {
    erase_row *grown = brant__grow(rows->rows, &rows->room, rows->count, sizeof(*grown));
    if (!grown) return brant__fail_memory();
    rows->rows = grown;
    rows->rows[rows->count++] = row;
    return BRANT_OK;
}

static int compare_rows(const void *a, const void *b) {
    const erase_row *x = a, *y = b;

    if (x->graph != y->graph) return x->graph < y->graph ? -1 : 1;
    return x->row_id < y->row_id ? -1 : x->row_id > y->row_id;
}

static brant_status scan(erase *self, int kind) {
    erase_rows *rows = kind == BRANT__NODES ? &self->nodes : &self->edges;
    brant__statement *statement = NULL;
    size_t seen = 0;
    brant_status status;
    bool row, holds;

    BRANT__TRY(get(&statement, self, kind == BRANT__NODES ? NODES_SCAN : EDGES_SCAN));
    for (;;) {
        BRANT__TRY(brant__step(&row, self->call->db, statement));
        if (!row) break;
        if ((++seen & POLL_MASK) == 0) BRANT__TRY(brant__db_poll(self->call->db));
        holds = is_value(self, brant__column_text(statement, 2));
        if (!holds) BRANT__TRY(text_holds(&holds, self, brant__column_text(statement, 3), false));
        if (!holds) BRANT__TRY(text_holds(&holds, self, brant__column_text(statement, 4), false));
        if (!holds) continue;
        BRANT__TRY(note_row(rows, (erase_row){.graph = brant__column_integer(statement, 1),
                                              .row_id = brant__column_integer(statement, 0)}));
    }
    if (rows->count > 0) qsort(rows->rows, rows->count, sizeof(*rows->rows), compare_rows);
cleanup:
    brant__reset(statement);
    return status;
}

/* Those of one graph. */
static erase_rows of_graph(const erase_rows *rows, int64_t graph) {
    size_t low = 0, high = rows->count, end;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (rows->rows[middle].graph < graph)
            low = middle + 1;
        else
            high = middle;
    }
    for (end = low; end < rows->count && rows->rows[end].graph == graph;)
        end++;
    return (erase_rows){rows->rows + low, end - low, 0};
}

static const erase_row *find_row(const erase_rows *rows, int64_t row_id) {
    const erase_row wanted = {.graph = rows->count ? rows->rows[0].graph : 0, .row_id = row_id};

    if (rows->count == 0) return NULL;
    return bsearch(&wanted, rows->rows, rows->count, sizeof(*rows->rows), compare_rows);
}

/* ---- one graph ------------------------------------------------------------------------------- */

typedef struct erase_graph {
    erase *self;
    brant__graph graph;
    brant__removal removal;
    brant__announcement updated[2];
    erase_rows rows[2]; /* by kind */
} erase_graph;

static void list_row(erase_graph *in, int kind, brant__text key, bool removed) {
    erase *self = in->self;
    brant__writer *out = &self->listed[kind];

    if (self->listed_count[kind] == LISTED) {
        self->truncated = true;
        return;
    }
    self->listed_count[kind]++;
    brant__write_object(out);
    brant__write_text_member(out, "graph", in->graph.name);
    brant__write_text_member(out, "key", key);
    brant__write_text_member(out, "action",
                             removed ? BRANT__TEXT("delete") : BRANT__TEXT("redact"));
    brant__write_end(out);
}

/* Would the redacted row be none that its schema allows? */
static brant_status breaks(bool *out_breaks, erase_graph *in, int kind, uint32_t type) {
    const brant__module *module = in->graph.type->module;
    erase *self = in->self;
    brant_status status;

    *out_breaks = false;
    if (!module->typed) return BRANT_OK;
    status = brant__json_parse(&self->json, self->attributes.data, self->attributes.length, 0);
    if (status != BRANT_OK) return status;
    *out_breaks = !brant__schema_accepts(kind == BRANT__NODES ? module->node_types[type].schema
                                                              : module->edge_types[type].schema,
                                         self->json.root);
    return BRANT_OK;
}

/* What becomes of a row: `remove`, or its redacted values in self->attributes and metadata. `statement` stands on it. */
static brant_status decide(erase_graph *in, int kind, erase_row *row, brant__statement *statement) {
    erase *self = in->self;
    uint32_t type;
    brant_status status = BRANT_OK;

    row->remove = row->remove || !self->redact || is_value(self, brant__column_text(statement, 0));
    if (row->remove) return BRANT_OK;
    BRANT__TRY(brant__read_type(&type, &in->graph, kind, brant__column_integer(statement, 1)));
    BRANT__TRY(redact(&self->attributes, self, brant__column_text(statement, 2)));
    BRANT__TRY(redact(&self->metadata, self, brant__column_text(statement, 3)));
    status = breaks(&row->remove, in, kind, type);
cleanup:
    return status;
}

static brant_status update_row(erase_graph *in, int kind, int64_t row_id) {
    erase *self = in->self;
    brant__statement *update;
    brant_status status;

    BRANT__TRY(brant__change_before(self->call, &in->graph, kind, row_id));
    BRANT__TRY(kind == BRANT__NODES
                   ? brant__node_statement(&update, self->call, BRANT__NODE_UPDATE)
                   : brant__edge_statement(&update, self->call, BRANT__EDGE_UPDATE));
    brant__bind_text(update, 1, brant__text_of(self->attributes.data, self->attributes.length));
    brant__bind_text(update, 2, brant__text_of(self->metadata.data, self->metadata.length));
    brant__bind_integer(update, 3, 1);
    brant__bind_integer(update, 4, brant__db_now(self->call->db));
    brant__bind_integer(update, 5, in->graph.version);
    brant__bind_integer(update, 6, row_id);
    BRANT__TRY(brant__run(self->call->db, update));
    BRANT__TRY(brant__change_after(self->call, &in->graph, kind, row_id));
    in->updated[kind].count++;
    self->counts[kind]++;
cleanup:
    return status;
}

/* Which nodes go: their edges are to know. */
static brant_status decide_nodes(erase_graph *in) {
    erase_rows *rows = &in->rows[BRANT__NODES];
    brant__statement *statement = NULL;
    brant_status status = BRANT_OK;
    bool row;

    for (size_t i = 0; i < rows->count; i++) {
        if ((i & POLL_MASK) == POLL_MASK) BRANT__TRY(brant__db_poll(in->self->call->db));
        BRANT__TRY(get(&statement, in->self, NODE_ROW));
        brant__bind_integer(statement, 1, rows->rows[i].row_id);
        BRANT__TRY(brant__step(&row, in->self->call->db, statement));
        if (row) BRANT__TRY(decide(in, BRANT__NODES, &rows->rows[i], statement));
        brant__reset(statement);
    }
cleanup:
    brant__reset(statement);
    return status;
}

static bool goes(const erase_graph *in, int64_t node) {
    const erase_row *row = find_row(&in->rows[BRANT__NODES], node);

    return row && row->remove;
}

static brant_status do_edge(erase_graph *in, erase_row *row) {
    erase *self = in->self;
    brant__statement *statement = NULL, *shown = NULL;
    brant__edge_ends ends;
    brant__text key;
    brant_status status;
    bool found;

    BRANT__TRY(get(&statement, self, EDGE_ROW));
    brant__bind_integer(statement, 1, row->row_id);
    BRANT__TRY(brant__step(&found, self->call->db, statement));
    if (!found) goto cleanup;
    row->remove = goes(in, brant__column_integer(statement, 4)) ||
                  goes(in, brant__column_integer(statement, 5));
    BRANT__TRY(decide(in, BRANT__EDGES, row, statement));
    BRANT__TRY(brant__edge_row(&shown, self->call, row->row_id));
    BRANT__TRY(brant__edge_ends_read(&ends, &in->graph, shown));
    if (self->listed_count[BRANT__EDGES] < LISTED) {
        BRANT__TRY(brant__edge_key(&key, self->call, &in->graph, &ends));
        list_row(in, BRANT__EDGES, key, row->remove);
    } else {
        self->truncated = true;
    }
    brant__reset(shown);
    shown = NULL;
    brant__reset(statement);
    statement = NULL;
    if (row->remove)
        status = brant__remove_edge(&found, &in->removal, row->row_id);
    else
        status = update_row(in, BRANT__EDGES, row->row_id);
cleanup:
    brant__reset(shown);
    brant__reset(statement);
    return status;
}

static brant_status do_node(erase_graph *in, erase_row *row) {
    erase *self = in->self;
    brant__statement *statement = NULL;
    brant__buffer key = {0};
    brant__text text;
    uint32_t type;
    brant_status status;
    bool found, all;

    BRANT__TRY(get(&statement, self, NODE_ROW));
    brant__bind_integer(statement, 1, row->row_id);
    BRANT__TRY(brant__step(&found, self->call->db, statement));
    if (!found) goto cleanup;
    text = brant__column_text(statement, 0);
    list_row(in, BRANT__NODES, text, row->remove);
    BRANT__TRY(
        brant__read_type(&type, &in->graph, BRANT__NODES, brant__column_integer(statement, 1)));
    if (!row->remove) {
        BRANT__TRY(decide(in, BRANT__NODES, row, statement));
        brant__reset(statement);
        statement = NULL;
        status = update_row(in, BRANT__NODES, row->row_id);
        goto cleanup;
    }
    brant__buffer_append(&key, text.data, text.length);
    if (key.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    brant__reset(statement);
    statement = NULL;
    BRANT__TRY(brant__remove_edges_of(&all, &in->removal, row->row_id, INT64_MAX));
    status =
        brant__remove_node(&in->removal, row->row_id, brant__text_of(key.data, key.length), type);
cleanup:
    brant__reset(statement);
    brant__buffer_free(&key);
    return status;
}

static brant_status do_graph(erase *self, brant__text name, int64_t row_id) {
    erase_graph in = {.self = self, .removal = {.call = self->call}};
    brant__call *call = self->call;
    brant_status status;

    in.rows[BRANT__NODES] = of_graph(&self->nodes, row_id);
    in.rows[BRANT__EDGES] = of_graph(&self->edges, row_id);
    if (in.rows[BRANT__NODES].count == 0 && in.rows[BRANT__EDGES].count == 0) return BRANT_OK;
    BRANT__TRY(brant__graph_find_name(&in.graph, call, name, BRANT__ANY_STATUS));
    BRANT__TRY(brant__removal_begin(&in.removal, call, &in.graph));
    in.removal.nameless = true;
    BRANT__TRY(decide_nodes(&in));
    for (int kind = BRANT__EDGES; kind >= BRANT__NODES; kind--)
        for (size_t i = 0; i < in.rows[kind].count; i++) {
            if ((i & POLL_MASK) == POLL_MASK) BRANT__TRY(brant__db_poll(call->db));
            BRANT__TRY(kind == BRANT__EDGES ? do_edge(&in, &in.rows[kind].rows[i])
                                            : do_node(&in, &in.rows[kind].rows[i]));
        }
    BRANT__TRY(brant__removal_end(&in.removal));
    if (in.removal.nodes == 0 && in.removal.edges == 0)
        BRANT__TRY(brant__graph_changed(call, &in.graph, 0, 0, false));
    BRANT__TRY(brant__announce(call, &in.graph, "edges:updated", &in.updated[BRANT__EDGES]));
    BRANT__TRY(brant__announce(call, &in.graph, "nodes:updated", &in.updated[BRANT__NODES]));
    self->counts[BRANT__NODES] += in.removal.nodes;
    self->counts[BRANT__EDGES] += in.removal.edges;
cleanup:
    brant__removal_free(&in.removal);
    brant__announcement_free(&in.updated[0]);
    brant__announcement_free(&in.updated[1]);
    return status;
}

/* ---- sources --------------------------------------------------------------------------------- */

static brant_status erase_rows_of_graphs(erase *self) {
    brant__statement *statement = NULL;
    brant__text name = BRANT__TEXT("");
    brant_status status;
    bool row;

    BRANT__TRY(scan(self, BRANT__NODES));
    BRANT__TRY(scan(self, BRANT__EDGES));
    while (self->nodes.count > 0 || self->edges.count > 0) {
        brant__text next;
        int64_t row_id;
        BRANT__TRY(get(&statement, self, GRAPH_NAMES));
        brant__bind_text(statement, 1, name);
        BRANT__TRY(brant__step(&row, self->call->db, statement));
        if (!row) break;
        row_id = brant__column_integer(statement, 0);
        next = brant__column_text(statement, 1);
        name = brant__text_of(brant__arena_copy(self->call->arena, next.data, next.length),
                              next.length);
        brant__reset(statement);
        if (!name.data) {
            status = brant__fail_memory();
            goto cleanup;
        }
        BRANT__TRY(do_graph(self, name, row_id));
    }
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status redact_graph(erase *self, brant__text name, int64_t row_id, brant__text owner,
                                 brant__text project, bool owned, bool metadata) {
    brant__statement *statement;
    brant__writer changes = {0};
    brant__graph graph;
    brant_status status;

    BRANT__TRY(brant__graph_find_name(&graph, self->call, name, BRANT__ANY_STATUS));
    graph.owner_id = owner;
    BRANT__TRY(get(&statement, self, GRAPH_REDACT));
    brant__bind_text(statement, 1, owner);
    brant__bind_text(statement, 2, project);
    brant__bind_text(statement, 3, brant__text_of(self->metadata.data, self->metadata.length));
    brant__bind_integer(statement, 4, brant__db_now(self->call->db));
    brant__bind_integer(statement, 5, row_id);
    BRANT__TRY(brant__run(self->call->db, statement));
    self->graphs++;
    brant__write_array(&changes);
    if (owned) brant__write_text(&changes, BRANT__TEXT("owner_id"));
    if (metadata) brant__write_text(&changes, BRANT__TEXT("metadata"));
    brant__write_end(&changes);
    if (changes.buffer.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    status = brant__announce_graph(self->call, &graph, "graph:updated",
                                   brant__text_of(changes.buffer.data, changes.buffer.length));
cleanup:
    brant__buffer_free(&changes.buffer);
    return status;
}

static brant_status copy_text(brant__text *out, erase *self, brant__text text) {
    *out = text;
    if (!text.data) return BRANT_OK;
    out->data = brant__arena_copy(self->call->arena, text.data, text.length);
    return out->data ? BRANT_OK : brant__fail_memory();
}

static void refuse(erase *self, brant__text graph, const char *reason) {
    brant__writer *out = &self->refused;

    if (self->refused_count == LISTED) {
        self->truncated = true;
        return;
    }
    self->refused_count++;
    brant__write_object(out);
    brant__write_text_member(out, "graph", graph);
    brant__write_name(out, "key");
    brant__write_null(out);
    brant__write_text_member(out, "reason", brant__text_string(reason));
    brant__write_end(out);
}

/* How far the rotation of a graph has come is told by a node's key. It goes over the rows again, which changes nothing of those that are done. */
static brant_status erase_places(erase *self) {
    yyjson_val *values = brant__json_get(self->call->input, "values"), *value;
    brant__statement *statement;
    size_t index, count;
    brant_status status = BRANT_OK;

    yyjson_arr_foreach(values, index, count, value) {
        BRANT__TRY(get(&statement, self, ROTATION_BACK));
        brant__bind_text(statement, 1, brant__json_text(value));
        BRANT__TRY(brant__run(self->call->db, statement));
    }
cleanup:
    return status;
}

static brant_status erase_graphs(erase *self) {
    brant__statement *statement = NULL;
    brant_status status;
    bool row;

    BRANT__TRY(get(&statement, self, GRAPHS_SCAN));
    for (;;) {
        brant__text name, owner, project;
        bool owned, in_project, holds;
        BRANT__TRY(brant__step(&row, self->call->db, statement));
        if (!row) break;
        name = brant__column_text(statement, 1);
        owner = brant__column_text(statement, 2);
        project = brant__column_text(statement, 3);
        owned = is_value(self, owner);
        in_project = is_value(self, project);
        if (is_value(self, name)) refuse(self, name, "the graph's name is a value");
        BRANT__TRY(text_holds(&holds, self, brant__column_text(statement, 4), false));
        if (!owned && !in_project && !holds) continue;
        BRANT__TRY(redact(&self->metadata, self, brant__column_text(statement, 4)));
        BRANT__TRY(copy_text(&name, self, name));
        BRANT__TRY(copy_text(&owner, self, owned ? self->replacement : owner));
        BRANT__TRY(copy_text(&project, self, in_project ? (brant__text){NULL, 0} : project));
        BRANT__TRY(redact_graph(self, name, brant__column_integer(statement, 0), owner, project,
                                owned, holds));
    }
    status = erase_places(self);
cleanup:
    brant__reset(statement);
    return status;
}

/* Bytes that hold a value anywhere. */
static bool bytes_hold(const erase *self, brant__text bytes) {
    size_t index, count;
    yyjson_val *value;

    yyjson_arr_foreach(brant__json_get(self->call->input, "values"), index, count, value) {
        if (find_bytes(bytes, brant__json_text(value))) return true;
    }
    return false;
}

static brant_status payload_holds(bool *out_holds, erase *self, brant__payload payload) {
    if (!payload.bytes) return text_holds(out_holds, self, payload.data, true);
    *out_holds = bytes_hold(self, payload.data);
    return BRANT_OK;
}

static brant_status notification_holds(bool *out_holds, void *context, brant__text channel,
                                       brant__payload payload) {
    erase *self = context;

    *out_holds = is_value(self, channel);
    return *out_holds ? BRANT_OK : payload_holds(out_holds, self, payload);
}

static brant_status erase_notifications(erase *self) {
    return brant__event_remove(&self->notifications, self->call->db, notification_holds, self);
}

static bool event_is_value(const void *context, brant__text text) {
    return is_value(context, text);
}

static brant_status event_holds(bool *out_holds, void *context, brant__payload payload) {
    return payload_holds(out_holds, context, payload);
}

static brant_status event_redacted(brant__text *out, void *context, brant__text json) {
    erase *self = context;
    const brant_status status = redact(&self->attributes, self, json);

    *out = brant__text_of(self->attributes.data, self->attributes.length);
    return status;
}

static brant_status erase_events(erase *self) {
    const brant__eraser eraser = {
        .context = self,
        .redact = self->redact,
        .replacement = self->replacement,
        .values = brant__json_get(self->call->input, "values"),
        .is_value = event_is_value,
        .holds = event_holds,
        .redacted = event_redacted,
    };

    return brant__event_erase(&self->events, self->call->db, &eraser);
}

/* What can hold a person's data, in the order in which it is looked at; notifications come last, since the others write some. */
static brant_status (*const sources[])(erase *self) = {
    erase_rows_of_graphs,
    erase_graphs,
    erase_events, /* change logs among them, which the first wrote to */
    erase_notifications,
};

/* ---- the operation --------------------------------------------------------------------------- */

static brant_status read_values(erase *self) {
    yyjson_val *values = brant__json_get(self->call->input, "values"), *value;
    size_t index, count;

    self->needle_count = yyjson_arr_size(values);
    if (self->needle_count > NEEDLES) self->needle_count = 0;
    yyjson_arr_foreach(values, index, count, value) {
        brant__text text = brant__json_text(value);
        if (text.length == 0) return brant__fail(BRANT_INVALID, "a value is empty");
        if (!brant__map_put(&self->values, text, 1)) return brant__fail_memory();
        if (self->needle_count > 0) {
            brant__buffer needle = {0};
            brant__json_append_text(&needle, text);
            self->needles[index].length = needle.length;
            self->needles[index].data =
                needle.failed ? NULL
                              : brant__arena_copy(self->call->arena, needle.data, needle.length);
            brant__buffer_free(&needle);
            if (!self->needles[index].data) return brant__fail_memory();
        }
    }
    if (is_value(self, self->replacement))
        return brant__fail(BRANT_INVALID, "the replacement is a value itself");
    return BRANT_OK;
}

static void write_list(erase *self, const char *name, brant__writer *list) {
    brant__write_end(list);
    brant__write_name(self->call->out, name);
    if (list->buffer.failed)
        self->call->out->buffer.failed = true;
    else
        brant__write_raw(self->call->out, brant__text_of(list->buffer.data, list->buffer.length));
}

/* All but its last member, which is known after the commit: there is room for it then. */
static brant_status answer(erase *self) {
    brant__writer *out = self->call->out;

    brant__write_object(out);
    write_list(self, "nodes", &self->listed[BRANT__NODES]);
    write_list(self, "edges", &self->listed[BRANT__EDGES]);
    brant__write_name(out, "counts");
    brant__write_object(out);
    brant__write_integer_member(out, "nodes", self->counts[BRANT__NODES]);
    brant__write_integer_member(out, "edges", self->counts[BRANT__EDGES]);
    brant__write_integer_member(out, "notifications", self->notifications);
    brant__write_integer_member(out, "graphs", self->graphs);
    brant__write_integer_member(out, "jobs", self->events.jobs);
    brant__write_integer_member(out, "events", self->events.events);
    brant__write_integer_member(out, "schedules", self->events.schedules);
    brant__write_integer_member(out, "rate_limits", self->events.rate_limits);
    brant__write_integer_member(out, "pending", self->events.pending);
    brant__write_integer_member(out, "locks", self->events.locks);
    brant__write_end(out);
    brant__write_bool_member(out, "truncated", self->truncated);
    write_list(self, "refused", &self->refused);
    brant__buffer_reserve(&out->buffer, 64);
    return out->buffer.failed ? brant__fail_memory() : BRANT_OK;
}

static brant_status run(erase *self) {
    brant_status status = BRANT_OK;

    brant__write_array(&self->listed[BRANT__NODES]);
    brant__write_array(&self->listed[BRANT__EDGES]);
    brant__write_array(&self->refused);
    for (size_t i = 0; i < BRANT__COUNT(sources); i++)
        BRANT__TRY(sources[i](self));
    status = answer(self);
cleanup:
    return status;
}

static void erase_free(erase *self) {
    brant__map_free(&self->values);
    brant__json_free(&self->json);
    brant__buffer_free(&self->attributes);
    brant__buffer_free(&self->metadata);
    brant__buffer_free(&self->listed[0].buffer);
    brant__buffer_free(&self->listed[1].buffer);
    brant__buffer_free(&self->refused.buffer);
    brant__free(self->nodes.rows);
    brant__free(self->edges.rows);
}

brant_status brant__db_erase(brant__call *call) {
    erase self = {
        .call = call,
        .redact =
            brant__text_equal(brant__json_get_text(call->input, "action"), BRANT__TEXT("redact")),
        .replacement = brant__json_get_text(call->input, "replacement"),
    };
    bool dry = brant__json_bool(brant__json_get(call->input, "dry_run"), false);
    bool begun = false, scrubbed = false;
    brant_status status;

    if (!self.replacement.data) self.replacement = BRANT__TEXT("[erased]");
    BRANT__TRY(read_values(&self));
    BRANT__TRY(brant__begin(call->db, BRANT__WRITE));
    begun = true;
    BRANT__TRY(brant__kept_dirty(call->db));
    BRANT__TRY(run(&self));
    if (!dry) {
        BRANT__TRY(brant__commit(call->db));
        begun = false;
        if (brant__depth(call->db) == 0) brant__db_scrub(&scrubbed, call->db);
    }
    brant__write_bool_member(call->out, "scrubbed", scrubbed);
    brant__write_end(call->out);
cleanup:
    if (begun) brant__rollback(call->db);
    erase_free(&self);
    return status;
}
