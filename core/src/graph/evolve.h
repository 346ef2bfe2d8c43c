/*
 * graph/evolve.h: what update.c, check.c and migrate.c share: stored rows judged by a module.
 */
#ifndef BRANT__GRAPH_EVOLVE_H
#define BRANT__GRAPH_EVOLVE_H

#include "evolution/evolution.h"
#include "graph/type.h"

enum {
    BRANT__EVOLVE_MODULE_BY_ID,
    BRANT__EVOLVE_SOURCE,
    BRANT__EVOLVE_SOURCE_SET,
    BRANT__EVOLVE_TYPE_UPDATE,
    BRANT__EVOLVE_NODE_TYPE_DELETE,
    BRANT__EVOLVE_EDGE_TYPE_DELETE,
    BRANT__EVOLVE_EDGE_TYPE_UPDATE,
    BRANT__EVOLVE_TYPE_ROWS,
    BRANT__EVOLVE_GRAPH_ROWS,
    BRANT__EVOLVE_MIGRATION,
    BRANT__EVOLVE_MIGRATION_BEGIN,
    BRANT__EVOLVE_MIGRATION_STEP,
    BRANT__EVOLVE_MIGRATION_DELETE,
    BRANT__EVOLVE_NODES,
    BRANT__EVOLVE_EDGES,
    BRANT__EVOLVE_NODE_UPDATE,
    BRANT__EVOLVE_NODE_TOUCH,
    BRANT__EVOLVE_EDGE_UPDATE,
    BRANT__EVOLVE_EDGE_TOUCH,
    BRANT__EVOLVE_GRAPH,
    BRANT__EVOLVE_STATEMENTS
};
brant_status brant__evolve_statement(brant__statement **out, brant_db *db, int which);

/* Imports of stored graph types, by name or $id, and of built-in modules. Zero-initialise but for the call, free. */
typedef struct brant__stored_modules {
    brant__call *call;
    brant__json parsed[64];
    size_t count;
    brant__builtins builtins;
} brant__stored_modules;
brant_status brant__stored_modules_find(yyjson_val **out_module, void *context, brant__text name);
void brant__stored_modules_free(brant__stored_modules *modules);

/* A module as it was given, closed and parsed. Zero-initialise, free. */
typedef struct brant__given_module {
    brant__buffer text; /* empty: it imports nothing */
    brant__json json;
    yyjson_val *document;
    brant__module *module;
} brant__given_module;
brant_status brant__given_module_read(brant__given_module *out, brant__call *call,
                                      yyjson_val *given);
void brant__given_module_free(brant__given_module *module);

/* The stored module of a row, parsed; the caller frees it. */
brant_status brant__stored_document(brant__json *out, brant__call *call,
                                    const brant__type_row *row);

/* Is it the name of a type in `patches`? An edge type that shares its name with a node type is <Type>Edge. */
bool brant__patch_names_type(const brant__module *module, brant__text name);
/* INVALID: an operation of the (checked) patches does more to what a type encrypts than to remove it, or to move or copy something there. */
brant_status brant__patches_plain(brant__call *call, const brant__module *module,
                                  yyjson_val *patches);

/* Rows judged by a module. Zero-initialise, set the first members, free. */
typedef struct brant__judge {
    brant__call *call;
    const brant__type *type;     /* as stored: names of types by row id */
    const brant__module *module; /* that judges */
    yyjson_val *document;
    yyjson_val *patches; /* by type; NULL: none */
    /* of the row judged last */
    brant__json json;
    brant__buffer patched;
    brant__cast cast;
    bool valid;   /* as it is, after its patch */
    bool changed; /* by patch or cast: `text` is what it becomes */
    bool failing;
    brant__text text;
    /* of all */
    brant__writer failures; /* stands inside an array */
    size_t failure_count;
} brant__judge;

/* A row of EVOLVE_NODES or EVOLVE_EDGES. Texts are borrowed from the statement. */
typedef struct brant__evolve_row {
    int64_t row_id;
    int64_t graph;
    brant__text key;
    int64_t type;
    brant__text attributes;
    brant__text source; /* edges: keys, types and whether both ends are one */
    brant__text target;
    int64_t source_type;
    int64_t target_type;
    bool loop;
    bool undirected; /* of a mixed graph */
} brant__evolve_row;
void brant__evolve_row_read(brant__evolve_row *out, int kind, brant__statement *statement);

/* Judge one row; a failing one is noted with its violations while there are few. */
brant_status brant__judge_row(brant__judge *self, int kind, const brant__evolve_row *row);
/* A row that was well so far fails after all: `message` says why. */
brant_status brant__judge_fail(brant__judge *self, int kind, const brant__evolve_row *row,
                               const char *keyword, const char *message);
void brant__judge_free(brant__judge *self);

/* The key of a row as users see it. */
brant_status brant__evolve_key(brant__text *out, brant__call *call, const brant__type *type,
                               int kind, const brant__evolve_row *row);
/* A graph by row id, in the call's arena. */
brant_status brant__evolve_graph(brant__graph *out, brant__call *call, const brant__type *type,
                                 int64_t row_id);

#endif
