/*
 * graph/internal.h: what the files of this module share.
 *
 * - state.c: what a handle keeps: parsed graph types; of some graphs their keys and adjacency
 * - type.c: graph types as they are kept: rows, built-in modules, parsed modules (type.h)
 * - graph_type.c: the operations on graph types; validate.c: validation without writing
 * - update.c, check.c, migrate.c: graph types that change, and stored rows (evolve.h, evolve.c)
 * - graph.c: graphs, looked up by name; purge.c: removed for good
 * - node.c, node_put.c: nodes read, written
 * - edge.c, edge_put.c, edge_write.c: edges read, judged, written (edge_put.h)
 * - seal.c: attributes that their type encrypts, on their way in and out; secret.c: one of them, opened (seal.h)
 * - patch.c: nodes and edges patched; remove.c: deleted (remove.h)
 * - retention.c: what goes by itself; erase.c: a person's data
 * - calls.c: the call protocol and its graph
 * - change.c: the change log, written (change.h); history.c: read: differences, replays
 * - batch.c: the items of a batch: keys, faults, knowing an item again; items.c: reading them
 * - filter.c, path.c: filters, and the fields they name (filter.h)
 * - query.c: lists and counts; page.c: ordered pages; explain.c: their plans; search.c (query.h)
 * - index.c: indexes on attributes (index.h)
 * - row.c: rows as JSON, derived edge keys
 * - keys.c: from node keys to row ids
 * - snapshot.c: a graph's adjacency in memory; acyclic.c: cycles; dag.c: cycles of many
 *   new edges
 * - traverse.c: neighbours; closure.c: closures
 * - view.c: a snapshot as an operation sees it: directions, filters (view.h); weight.c: weights of edges
 * - walk.c, shortest.c, weighted.c, simple_path.c, count.c, order.c, component.c, rank.c, subgraph.c: on views
 * - announce.c: notifications
 */
#ifndef BRANT__GRAPH_INTERNAL_H
#define BRANT__GRAPH_INTERNAL_H

#include <stdatomic.h>

#include "event/event.h"
#include "event/stream.h"
#include "graph/graph.h"
#include "schema/schema.h"
#include "store/position.h"

/* ---- graph types (type.c) -------------------------------------------------------------------- */

/* A parsed graph type. The handle keeps it; borrowed for the call. */
typedef struct brant__type {
    char *id; /* text of the row's id: never used twice, so that with `changes` it names the
                 module's text */
    char *name;
    int64_t row_id; /* 0: built in and not stored */
    int64_t changes;
    brant__module *module;
    int64_t *node_types; /* row ids, in the module's order */
    int64_t *edge_types;
    uint64_t used;
    unsigned touched; /* as in brant__keys */
    void *attachment; /* what others made of it (operation/typed.c), freed with it */
    void (*attachment_free)(void *attachment);
} brant__type;

void brant__type_free(brant__type *type);

/* The parsed type of a row; `id` and `changes` say whether a kept one is true. */
brant_status brant__type_load(const brant__type **out_type, brant_db *db, int64_t row_id,
                              brant__text id, int64_t changes, brant__text name);
/* By name, stored or built in. NOT_FOUND. With `store`, a built-in one that is not stored yet is
 * stored (write transaction). */
brant_status brant__type_find(const brant__type **out_type, brant__call *call, brant__text name,
                              bool store);

/* Indexes in the module by name or row id; BRANT__NO_TYPE where there is none. In an untyped graph
 * row id 0 is index 0. */
uint32_t brant__type_node(const brant__type *type, brant__text name);
uint32_t brant__type_edge(const brant__type *type, brant__text name);
uint32_t brant__type_node_of_row(const brant__type *type, int64_t row_id);
uint32_t brant__type_edge_of_row(const brant__type *type, int64_t row_id);
static inline int64_t brant__type_node_row(const brant__type *type, uint32_t index) {
    return type->module->typed ? type->node_types[index] : 0;
}
static inline int64_t brant__type_edge_row(const brant__type *type, uint32_t index) {
    return type->module->typed ? type->edge_types[index] : 0;
}
/* {NULL, 0} in an untyped graph. */
static inline brant__text brant__type_node_name(const brant__type *type, uint32_t index) {
    return type->module->typed ? type->module->node_types[index].name : (brant__text){NULL, 0};
}
static inline brant__text brant__type_edge_name(const brant__type *type, uint32_t index) {
    return type->module->typed ? type->module->edge_types[index].name : (brant__text){NULL, 0};
}

/* ---- graphs (graph.c) ------------------------------------------------------------------------ */

/* A graph that was looked up. Texts are copies in the call's arena. */
typedef struct brant__graph {
    int64_t row_id;
    brant__text id;
    brant__text name;
    brant__text owner_id; /* {NULL, 0}: none */
    int64_t nodes;
    int64_t edges;
    int64_t shape;   /* grows when nodes or edges come or go */
    int64_t changes; /* grows with every write */
    int64_t version; /* of the type, as it is stored */
    bool archived;
    bool deleted;
    bool kept_time;            /* what is done to it does not count as its change: retention */
    brant__text change_stream; /* {NULL, 0}: no change log */
    brant__publisher log;      /* its batch (change.h) */
    int64_t before_row;        /* what the handle keeps of how a row was; 0: none */
    int before_kind;
    const brant__type *type;
} brant__graph;

/* The graph that the input's member `graph` names. NOT_FOUND; `write`: CONSTRAINT where it is
 * archived. */
brant_status brant__graph_find(brant__graph *out_graph, brant__call *call, bool write);
/* By name, which must live as long as *out_graph. A graph that is marked deleted is NOT_FOUND but for
 * BRANT__ANY_STATUS. */
enum { BRANT__TO_READ, BRANT__TO_WRITE, BRANT__ANY_STATUS };
brant_status brant__graph_find_name(brant__graph *out_graph, brant__call *call, brant__text name,
                                    int use);
/* Give it the status "deleted" or "archived", with its notification. */
brant_status brant__graph_mark(brant__call *call, brant__graph *graph, const char *wanted);

/*
 * What an operation did to a graph, at its end: one UPDATE, and one upsert for each type whose
 * count changed. Notes the new shape in `graph`.
 */
brant_status brant__graph_changed(brant__call *call, brant__graph *graph, int64_t nodes,
                                  int64_t edges, bool shape);
enum { BRANT__NODES, BRANT__EDGES };
brant_status brant__graph_counted(brant__call *call, const brant__graph *graph, int kind,
                                  int64_t type_row, int64_t change);

/* True where the type's config says undirected. */
static inline bool brant__graph_undirected(const brant__graph *graph) {
    return graph->type->module->config.direction == BRANT__UNDIRECTED;
}
/* True where edges say themselves whether they are undirected: BRANT__UNDIRECTED_EDGE. */
static inline bool brant__graph_mixed(const brant__graph *graph) {
    return graph->type->module->config.direction == BRANT__MIXED;
}
/* Bits of edges.orientation. */
enum {
    BRANT__UNDIRECTED_EDGE = 1, /* of a mixed graph; those of an undirected graph are not marked */
    BRANT__ENDS_TURNED = 2      /* undirected, stored in byte order, given the other way round */
};
static inline bool brant__graph_multi(const brant__graph *graph) {
    return graph->type->module->config.multi;
}

/* ---- what a handle keeps (state.c) ----------------------------------------------------------- */

typedef struct brant__snapshot brant__snapshot;

/* Keys of one graph's nodes. `complete`: a key that is not in the map is not in the graph. */
typedef struct brant__keys {
    brant__map map;
    int64_t shape;    /* of the graph that this is true of; -1: not in use */
    unsigned touched; /* depth of the transaction whose uncommitted writes this knows; 0: none */
    bool complete;
} brant__keys;

/* A number of each edge of a snapshot, read from the edges' attributes (weight.c). */
typedef struct brant__weights {
    char *path; /* NULL: none are kept */
    double *values;
    size_t faults; /* how many are no weight */
    size_t bytes;
    int64_t changes; /* of the graph that these are true of */
    unsigned touched;
} brant__weights;

/* What is kept of one graph. */
typedef struct brant__kept {
    char *id;
    uint64_t used;
    brant__keys keys;
    brant__snapshot *snapshot;
    int64_t snapshot_shape;
    unsigned snapshot_touched;
    brant__weights weights; /* of the snapshot's edges */
} brant__kept;

/*
 * Numbers by node for searches that see few of them: what is below `base` is of an earlier search, so that nothing needs to be cleared. 16 bytes a node of the
 * largest graph that was searched.
 */
typedef struct brant__marks {
    uint32_t *hops[2]; /* base + hops from one end, from the other */
    uint32_t *queue[2];
    size_t nodes;
    uint32_t base;
} brant__marks;
/* For a new search in a graph of so many nodes; hops are at most `nodes`. NO_MEMORY. */
brant_status brant__marks_begin(brant__marks **out_marks, brant_db *db, size_t nodes);

/* What writing a change log needs for one row (change.c). */
typedef struct brant__change_rows {
    brant__writer head;   /* the event */
    brant__writer before; /* the row as it was */
    brant__buffer key;
} brant__change_rows;

#define BRANT__TYPES_KEPT     64
#define BRANT__GRAPHS_KEPT    8
#define BRANT__KEYS_KEPT      ((size_t)1 << 20) /* keys of all kept graphs together */
#define BRANT__SNAPSHOT_BYTES ((size_t)1 << 30) /* of one snapshot, and of all kept ones */
#define BRANT__SNAPSHOT_NODES ((int64_t)UINT32_MAX - 1)

typedef struct brant__graphs {
    brant__type *types[BRANT__TYPES_KEPT];
    brant__kept graphs[BRANT__GRAPHS_KEPT];
    uint64_t clock;
    unsigned dirty; /* deepest level of the running transaction with writes to a graph; 0: none */
    size_t walk_edges; /* a closure that reads more edges through the indexes takes a snapshot;
                          tests change it */
    brant__json empty; /* {} */
    brant__marks marks;
    brant__change_rows change;
} brant__graphs;

brant_status brant__graphs_state(brant__graphs **out_state, brant_db *db);
/* The place of a graph, made where there is none. Never NULL. NO_MEMORY. */
brant_status brant__kept_find(brant__kept **out_kept, brant_db *db, const brant__graph *graph);
/* Before an operation's first write to a graph. */
brant_status brant__kept_dirty(brant_db *db);
void brant__keys_drop(brant__keys *keys);
void brant__kept_drop_snapshot(brant__kept *kept);
void brant__weights_drop(brant__weights *weights);
/* Drop what is kept of other graphs until `bytes` more fit into the bound of all. */
void brant__kept_make_room(brant__graphs *state, const brant__kept *wanted, size_t bytes);
/* Drop the parsed type of an id. */
void brant__type_forget(brant_db *db, brant__text id);

/* ---- node keys (keys.c) ---------------------------------------------------------------------- */

typedef struct brant__node_ref {
    int64_t row_id; /* 0: no such node */
    uint32_t type;
} brant__node_ref;

/* Looking up many keys in one operation. */
typedef struct brant__lookup {
    brant__call *call;
    const brant__graph *graph;
    brant__keys *keys; /* NULL: nothing is kept */
    brant__statement *find;
    brant__text last; /* the key that was asked last, and its answer */
    brant__node_ref last_ref;
} brant__lookup;

/* `expected`: how many keys will be asked; many are worth loading or remembering. */
brant_status brant__lookup_begin(brant__lookup *lookup, brant__call *call,
                                 const brant__graph *graph, size_t expected);
brant_status brant__lookup_node(brant__node_ref *out_ref, brant__lookup *lookup, brant__text key);
/* True when the keys kept prove that no key is in the graph but those that are found in them. */
bool brant__lookup_complete(const brant__lookup *lookup);
/* After writes of this operation, before brant__graph_changed: the kept keys follow. */
void brant__lookup_added(brant__lookup *lookup, brant__text key, brant__node_ref ref);
void brant__lookup_removed(brant__lookup *lookup, brant__text key);
/* After brant__graph_changed: the kept keys are true of the new shape. */
void brant__lookup_end(brant__lookup *lookup);

/* ---- items of a batch (batch.c) -------------------------------------------------------------- */

#define BRANT__FAULTS 100

typedef struct brant__fault {
    size_t index;
    brant_status code;
    brant__text key;
    const char *message;
    brant__text violations; /* JSON array, or {NULL, 0} */
    size_t offset;          /* of the byte in a text of lines; SIZE_MAX: none */
} brant__fault;

/* What is wrong with the items: those with the lowest indexes. `single`: the operation has one
 * item, and its fault is the operation's. */
typedef struct brant__faults {
    brant__call *call;
    bool single;
    size_t total;
    size_t count;
    brant__fault list[BRANT__FAULTS];
} brant__faults;

/* Note a fault and go on: BRANT_OK, or NO_MEMORY. `violations` may be {NULL, 0}; texts but `key`
 * and `violations` are copied. */
brant_status brant__fault_add(brant__faults *faults, size_t index, brant__text key,
                              brant__text violations, brant_status code, const char *format, ...)
    BRANT__PRINTF(6, 7);
/* Of a line that is not JSON, with the offset of the byte. */
brant_status brant__fault_add_at(brant__faults *faults, size_t index, size_t offset,
                                 brant_status code, const char *format, ...) BRANT__PRINTF(5, 6);
/* BRANT_OK where there was none; else the operation's failure, with its detail. */
brant_status brant__faults_report(brant__faults *faults);
/* The faults as a JSON array, by index. */
void brant__faults_write(brant__writer *out, brant__faults *faults);

/* ---- what a writing operation is given (items.c) --------------------------------------------- */

/* What an item does with what is stored. */
enum {
    BRANT__PUT,
    BRANT__INSERT,
    BRANT__REPLAY /* an insert of what the change log has: {"$redacted": true} where a secret was */
};

typedef struct brant__items {
    brant__call *call;
    brant__faults *faults;
    bool single; /* the input itself is the only item */
    bool skip;   /* items at fault are left out; otherwise they end the operation */
    bool lines;
    size_t count; /* with the bad lines */
    size_t given;
    uint32_t *indexes; /* of the good lines; NULL: every item is good so far */
    brant__json json;
    yyjson_val *array;
    yyjson_arr_iter iterator;
} brant__items;

/* The member `errors` is "skip". */
bool brant__errors_skip(const brant__call *call);
/* The member `items`, an array or lines; `single`: the input. Bad lines are faults already. LIMIT:
 * limits.batch. brant__items_free also after a failure. */
brant_status brant__items_begin(brant__items *items, brant__call *call, brant__faults *faults,
                                bool single);
/* The next item and its number; NULL at the end. */
brant_status brant__items_next(yyjson_val **out_item, size_t *out_index, brant__items *items);
void brant__items_rewind(brant__items *items);
void brant__items_free(brant__items *items);
/* With errors: "skip", the members `failed` and `items` of the open answer. */
void brant__items_answer(brant__writer *out, const brant__items *items);

enum {
    BRANT__ITEM_KEY = 1,
    BRANT__ITEM_TYPE = 2,
    BRANT__ITEM_SOURCE = 4,
    BRANT__ITEM_TARGET = 8,
    BRANT__ITEM_METADATA = 16,
    BRANT__ITEM_REVISION = 32,
    BRANT__ITEM_ATTRIBUTES = 64,
    BRANT__ITEM_UNDIRECTED = 128,
};
/* An item's members; {NULL, 0} and NULL: not given, or a null type. */
typedef struct brant__item {
    brant__text key;
    brant__text source;
    brant__text target;
    yyjson_val *type;
    yyjson_val *attributes;
    yyjson_val *metadata;
    yyjson_val *revision;
    yyjson_val *undirected;
} brant__item;
void brant__item_read(brant__item *out, yyjson_val *object);
/* What the operation's schema says of an item of an array, for one that was a line. *out_good
 * false: its fault is noted. */
brant_status brant__item_check(bool *out_good, brant__items *items, size_t index,
                               yyjson_val *object, unsigned allowed);

/* The attributes of a row as JSON text, appended: `sealed` where their type encrypts (seal.h), else {NULL, 0} and as they were given. */
static inline void brant__attributes_write(brant__buffer *text, brant__text sealed,
                                           yyjson_val *attributes) {
    if (BRANT__UNLIKELY(sealed.data != NULL))
        brant__buffer_append(text, sealed.data, sealed.length);
    else
        brant__json_append(text, attributes);
}
/* With metadata, in `text` and borrowed from it; {NULL, 0} for metadata that is left alone. */
brant_status brant__values_write(brant__text *out_attributes, brant__text *out_metadata,
                                 brant__buffer *text, brant__text sealed, yyjson_val *attributes,
                                 yyjson_val *metadata);

/* The violations of attributes as a JSON array in the call's arena; *out_count 0: none. */
brant_status brant__violations(brant__text *out_array, size_t *out_count, brant__call *call,
                               const brant__schema *schema, yyjson_val *value);

/* Text for a message: in quotes, on one line, cut at some length. In the call's arena; "" without
 * memory. */
const char *brant__quoted(brant__call *call, brant__text text);
/* For a message: ": " and the names of a graph type's node types, or edge types, in quotes, the
 * first of them where there are many; or that it has none. In the call's arena; "" without memory. */
const char *brant__type_choices(brant__call *call, const brant__type *type, bool edges);

/* Keys that may be written: 1 byte up to limits.key, no NUL. INVALID or LIMIT, and *out_message
 * says why. */
brant_status brant__key_check(const char **out_message, const brant_db *db, brant__text key);
/* The same for a name, as a failure. */
brant_status brant__name_check(const brant_db *db, const char *what, brant__text name);

/* A set of numbers of slots, found by hash; the caller compares. */
typedef struct brant__slot_cell {
    uint32_t hash;
    uint32_t slot; /* + 1; 0: free */
} brant__slot_cell;
typedef struct brant__slot_set {
    brant__slot_cell *cells;
    size_t mask;
} brant__slot_set;
brant_status brant__slot_set_begin(brant__slot_set *set, size_t items);
void brant__slot_set_free(brant__slot_set *set);
static inline void brant__slot_set_add(brant__slot_set *set, uint64_t hash, uint32_t slot) {
    size_t at = (size_t)hash & set->mask;

    while (set->cells[at].slot)
        at = (at + 1) & set->mask;
    set->cells[at] = (brant__slot_cell){(uint32_t)(hash >> 32), slot + 1};
}
/* for (at = first; brant__slot_set_next(&slot, &at, set, hash);) compare slot */
static inline bool brant__slot_set_next(uint32_t *out_slot, size_t *at, const brant__slot_set *set,
                                        uint64_t hash) {
    for (;; ++*at) {
        const brant__slot_cell *cell = &set->cells[*at & set->mask];
        if (!cell->slot) return false;
        if (cell->hash != (uint32_t)(hash >> 32)) continue;
        *out_slot = cell->slot - 1;
        ++*at;
        return true;
    }
}

/* ---- rows (row.c) ---------------------------------------------------------------------------- */

/* The columns of a node: key, type, attributes, metadata, revision, created_at, updated_at */
brant_status brant__write_node(brant__writer *out, brant__call *call, const brant__graph *graph,
                               brant__statement *row);

/* Of an edge: key (or {NULL, 0}), and what it is derived from. */
typedef struct brant__edge_ends {
    brant__text key;
    uint32_t type;
    brant__text source;
    brant__text target;
} brant__edge_ends;
/* The key as users see it, in the call's arena; borrowed from `ends` where it has one. */
brant_status brant__edge_key(brant__text *out_key, brant__call *call, const brant__graph *graph,
                             const brant__edge_ends *ends);
/* Append the derived key. */
void brant__edge_key_append(brant__buffer *out, const brant__graph *graph,
                            const brant__edge_ends *ends);
/* The members key, type, source, target, attributes of the open object. */
brant_status brant__write_edge_start(brant__writer *out, brant__call *call,
                                     const brant__graph *graph, const brant__edge_ends *ends,
                                     brant__text attributes);
/* A type's name of a row of this graph; CORRUPT where there is none. */
brant_status brant__read_type(uint32_t *out_type, const brant__graph *graph, int kind,
                              int64_t row_id);

/* ["source", "type" or null, "target"]: *out_derived false where the text is something else. Texts
 * are in the call's arena. */
brant_status brant__edge_key_parse(bool *out_derived, brant__text *out_source,
                                   brant__text *out_type, brant__text *out_target,
                                   brant__call *call, brant__text key);

/* ---- nodes and edges ------------------------------------------------------------------------- */

/* One, or many; BRANT__PUT, BRANT__INSERT, BRANT__REPLAY. */
brant_status brant__nodes_put(brant__call *call, int mode, bool single);
brant_status brant__edges_put(brant__call *call, int mode, bool single);

/* One node by key; row_id 0 where there is none. *out_revision may be NULL. */
brant_status brant__node_find(brant__node_ref *out_ref, int64_t *out_revision, brant__call *call,
                              const brant__graph *graph, brant__text key);
brant_status brant__node_missing(brant__call *call, const brant__graph *graph,
                                 brant__text key); /* NOT_FOUND */

/* One edge by its key as users write it, also the text of its ends; row_id 0 where there is none. */
typedef struct brant__edge_ref {
    int64_t row_id;
    int64_t revision;
    uint32_t type;
} brant__edge_ref;
brant_status brant__edge_find(brant__edge_ref *out, brant__call *call, const brant__graph *graph,
                              brant__text key);
brant_status brant__edge_missing(brant__call *call, const brant__graph *graph,
                                 brant__text key); /* NOT_FOUND */
/* The row of BRANT__EDGE_GET, and what its key is made of; the caller resets. */
brant_status brant__edge_row(brant__statement **out, brant__call *call, int64_t row_id);
brant_status brant__edge_ends_read(brant__edge_ends *out, const brant__graph *graph,
                                   brant__statement *row);

/* Up to this many rows go into one INSERT. */
#define BRANT__ROWS 16

/* Columns of a node as brant__write_node reads them. */
#define BRANT__NODE_COLUMNS "key, type, attributes, metadata, revision, created_at, updated_at"
/* Columns of an edge as it is read: key, type, source's key, target's key, attributes, metadata,
 * revision, times; then its place. */
#define BRANT__EDGE_COLUMNS                                                                        \
    "e.key, e.type, s.key, t.key, e.attributes, e.metadata, e.revision, e.created_at, "            \
    "e.updated_at, e.target, e.row_id, e.orientation"
/* Edges first: the order of the loops is ours, SQLite keeps it for CROSS JOIN. */
#define BRANT__EDGE_TABLES                                                                         \
    "edges e CROSS JOIN nodes s ON s.row_id = e.source CROSS JOIN nodes t ON t.row_id = e.target"

/* The edge of such a row, as an object (edge.c). */
brant_status brant__write_edge(brant__call *call, const brant__graph *graph, brant__statement *row);

/* The statements on nodes and edges that several files use (node.c, edge.c). */
enum {
    BRANT__NODE_FIND,
    BRANT__NODE_REVISION,
    BRANT__NODE_KEYS,
    BRANT__NODE_GET,
    BRANT__NODE_LIST,
    BRANT__NODE_LIST_TYPE,
    BRANT__NODE_COUNT,
    BRANT__NODE_INSERT_ROWS,
    BRANT__NODE_INSERT,
    BRANT__NODE_UPDATE,
    BRANT__NODE_STATEMENTS
};
brant_status brant__node_statement(brant__statement **out, brant__call *call, int which);

enum {
    BRANT__EDGE_BY_KEY,
    BRANT__EDGE_BY_ENDS,
    BRANT__EDGE_ANY_OUT,
    BRANT__EDGE_GET,
    BRANT__EDGE_COUNT,
    BRANT__EDGE_SOURCES,
    BRANT__EDGE_LIST,
    BRANT__EDGE_LIST_TYPE,
    BRANT__EDGE_LIST_TARGET,
    BRANT__EDGE_INSERT_ROWS,
    BRANT__EDGE_INSERT,
    BRANT__EDGE_UPDATE,
    BRANT__EDGE_DEGREE_OUT,
    BRANT__EDGE_DEGREE_IN,
    BRANT__EDGE_DEGREE_UNDIRECTED_OUT,
    BRANT__EDGE_DEGREE_UNDIRECTED_IN,
    BRANT__EDGE_TYPES_OUT,
    BRANT__EDGE_TYPES_IN,
    BRANT__EDGE_STATEMENTS
};
brant_status brant__edge_statement(brant__statement **out, brant__call *call, int which);
/* An edge by its row, as users see it. */
brant_status brant__write_edge_of_row(brant__call *call, const brant__graph *graph, int64_t row_id);
const char *brant__edge_sql(int which); /* its text; static */

/* And on adjacency (traverse.c). */
enum {
    BRANT__NEIGHBORS_OUT,
    BRANT__NEIGHBORS_OUT_TYPE,
    BRANT__NEIGHBORS_IN,
    BRANT__NEIGHBORS_IN_TYPE,
    BRANT__NEIGHBORS_UNDIRECTED_OUT,
    BRANT__NEIGHBORS_UNDIRECTED_OUT_TYPE,
    BRANT__NEIGHBORS_UNDIRECTED_IN,
    BRANT__NEIGHBORS_UNDIRECTED_IN_TYPE,
    BRANT__WALK_OUT,
    BRANT__WALK_IN,
    BRANT__ARCS_OUT,
    BRANT__ARCS_IN,
    BRANT__ALL_NODES,
    BRANT__ALL_ARCS,
    BRANT__ARCS_OF,
    BRANT__ALL_ARCS_MIXED,
    BRANT__ARCS_OF_MIXED,
    BRANT__NODE_KEY,
    BRANT__NODE_ROW,
    BRANT__EDGE_NAME,
    BRANT__EDGE_NAMED,
    BRANT__EDGE_ATTRIBUTES,
    BRANT__EDGE_METADATA,
    BRANT__TRAVERSE_STATEMENTS
};
brant_status brant__traverse_statement(brant__statement **out, brant__call *call, int which);

enum { BRANT__GO_OUT = 1, BRANT__GO_IN = 2 };
/* The member `direction`. In undirected graphs every edge is both. */
brant_status brant__read_direction(int *out_directions, brant__call *call,
                                   const brant__graph *graph);
/* The member `edge_types` as a set: wanted[i] is not 0 for index i. *out_wanted NULL: all. In the
 * call's arena. */
brant_status brant__read_types(uint8_t **out_wanted, brant__call *call, const brant__graph *graph);

/* ---- adjacency (snapshot.c) ------------------------------------------------------------------ */

/* Arcs of one direction: of node i those from[i] .. from[i + 1], by the other node's number. */
typedef struct brant__arcs {
    uint32_t *from;
    uint32_t *node;
    uint16_t *type; /* index in the module */
    uint32_t *edge; /* the edge's number: its place in `out`; NULL there */
} brant__arcs;

/*
 * Nodes are numbered by the order of their keys' bytes; edges by source, target, type's row and row. Immutable;
 * counted, since cursors hold it longer than the handle does.
 */
struct brant__snapshot {
    atomic_uint references;
    uint32_t nodes;
    uint32_t edges;
    size_t bytes;
    size_t *text_from; /* of node i the JSON text of its key, with quotes: text.data[text_from[i]]
                          .. text_from[i + 1] */
    brant__buffer text;
    int64_t *rows; /* row ids by number */
    int64_t first_row;
    int64_t last_row;
    uint32_t *numbers; /* of row id first_row + i its number, UINT32_MAX: none; NULL where row ids
                          are too sparse */
    uint32_t *by_row;  /* then this: numbers in the order of their row ids */
    brant__arcs out;
    brant__arcs in;
    int64_t *edge_rows;   /* row ids by number */
    bool named;           /* some edges have keys of their own; the others' are derived */
    uint64_t *undirected; /* in a mixed graph a bit an edge; NULL elsewhere */
};

/* The snapshot as the graph is now, built where the handle has none. LIMIT: too large. */
brant_status brant__snapshot_get(const brant__snapshot **out_snapshot, brant__call *call,
                                 const brant__graph *graph);
/* The kept one where it is true, or NULL. */
brant_status brant__snapshot_kept(const brant__snapshot **out_snapshot, brant__call *call,
                                  const brant__graph *graph);
/* One more, or one less, who holds it; the last frees it. NULL is fine. */
void brant__snapshot_retain(const brant__snapshot *snapshot);
void brant__snapshot_release(const brant__snapshot *snapshot);
/* The node that an edge goes out from; the other end is out.node[edge]. */
uint32_t brant__snapshot_source(const brant__snapshot *snapshot, uint32_t edge);
/* A node's number by row id; UINT32_MAX: none. */
uint32_t brant__snapshot_number(const brant__snapshot *snapshot, int64_t row_id);

/* ---- acyclic graphs (acyclic.c) -------------------------------------------------------------- */

/* Two nodes, by row id. */
typedef struct brant__pair {
    int64_t source;
    int64_t target;
} brant__pair;
/* Would an edge between these nodes close a cycle in the graph as it is now, with some edges more
 * (few: each step looks at all)? By the index, and by a snapshot where that is too far. */
brant_status brant__cycle_closed_by(bool *out_closed, brant__call *call, const brant__graph *graph,
                                    int64_t source, int64_t target, const brant__pair *more,
                                    size_t more_count);
/*
 * One cycle of the graph as it is now: the row ids of its nodes in order, in the call's arena;
 * *out_count 0: none.
 */
brant_status brant__cycle_find(int64_t **out_rows, size_t *out_count, brant__call *call,
                               const brant__graph *graph);

/* ---- notifications (announce.c) -------------------------------------------------------------- */

#define BRANT__ANNOUNCED_KEYS 100

/* What one operation did on one channel. Zero-initialise; `keys` holds the first of them as a JSON
 * array without its end. */
typedef struct brant__announcement {
    size_t count;
    size_t listed;
    brant__buffer keys;
} brant__announcement;

static inline bool brant__announcement_full(const brant__announcement *announcement) {
    return announcement->listed >= BRANT__ANNOUNCED_KEYS;
}
/* One more; its key is kept while there are few. */
void brant__announcement_add(brant__announcement *announcement, brant__text key);
/* Send it and free it; nothing where the count is 0. */
brant_status brant__announce(brant__call *call, const brant__graph *graph, const char *channel,
                             brant__announcement *announcement);
void brant__announcement_free(brant__announcement *announcement);
/* graph:created, graph:updated (`changes`: a JSON array of member names), graph:deleted. `changes`
 * may be {NULL, 0}. */
brant_status brant__announce_graph(brant__call *call, const brant__graph *graph,
                                   const char *channel, brant__text changes);

#endif
