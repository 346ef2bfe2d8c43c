/*
 * graph/type.h: rows of graph types, for type.c, which keeps them, and graph_type.c, whose
 * operations they are.
 */
#ifndef BRANT__GRAPH_TYPE_H
#define BRANT__GRAPH_TYPE_H

#include "embedded.h"
#include "graph/internal.h"

enum {
    BRANT__TYPE_BY_NAME,
    BRANT__TYPE_LIST,
    BRANT__TYPE_INSERT,
    BRANT__TYPE_MODULE,
    BRANT__TYPE_USED,
    BRANT__TYPE_DELETE,
    BRANT__NODE_TYPES,
    BRANT__NODE_TYPE_INSERT,
    BRANT__NODE_TYPES_DELETE,
    BRANT__EDGE_TYPES,
    BRANT__EDGE_TYPE_INSERT,
    BRANT__EDGE_TYPES_DELETE,
    BRANT__TYPE_STATEMENTS
};
brant_status brant__type_statement(brant__statement **out, brant_db *db, int which);

/* A row of graph_types. Texts are copies in the call's arena, or static. */
typedef struct brant__type_row {
    int64_t row_id; /* 0: built in and not stored */
    brant__text id;
    brant__text name;
    brant__text scope;
    int64_t version;
    int64_t changes;
    brant__text metadata;
    int64_t created_at;
    int64_t updated_at;
} brant__type_row;

/* The row that a statement stands on: TYPE_BY_NAME or TYPE_LIST. */
brant_status brant__type_row_read(brant__type_row *out, brant__call *call,
                                  brant__statement *statement);
/* *out_found false: neither stored nor built in. */
brant_status brant__type_row_find(bool *out_found, brant__type_row *out, brant__call *call,
                                  brant__text name);
/* The same; NOT_FOUND where there is none. */
brant_status brant__type_row_need(brant__type_row *out, brant__call *call, brant__text name);
brant_status brant__type_row_load(const brant__type **out_type, brant__call *call,
                                  const brant__type_row *row);
#define BRANT__ENCRYPTING_FORMAT                                                                   \
    6 /* code of an older one would write plaintext where a type encrypts */

/* Store a module that is parsed already, with its types; fills row_id. */
brant_status brant__type_row_store(brant__type_row *row, brant__call *call, yyjson_val *json,
                                   const brant__module *module);
/* The text of its module, stored or built in: borrowed until *out_statement, which the caller
 * resets, is. */
brant_status brant__type_row_module(brant__text *out_text, brant__statement **out_statement,
                                    brant_db *db, int64_t row_id, brant__text name);
/* DENIED: built in, or of scope system and the handle is not. */
brant_status brant__type_writable(brant__call *call, const brant__type_row *row);
/* The graph type with its warnings, as it is stored now (graph_type.c). */
brant_status brant__type_answer(brant__call *call, brant__text name);
/* The row of one type of a module. */
brant_status brant__type_insert_node(brant__call *call, const brant__module *module, size_t index,
                                     int64_t row_id);
brant_status brant__type_insert_edge(brant__call *call, const brant__module *module, size_t index,
                                     int64_t row_id);

const brant__embedded *brant__builtin_find(brant__text name);
static inline brant__text brant__builtin_name(const brant__embedded *builtin) {
    return brant__text_string(builtin->name);
}
/* A module to import from, not a graph type. */
static inline bool brant__builtin_imported(brant__text name) {
    return brant__text_equal(name, BRANT__TEXT("metagraph"));
}
brant_status brant__builtin_row(brant__type_row *out, brant__call *call,
                                const brant__embedded *builtin);

/* The member `retention` of a stored type (retention.c). */
brant_status brant__retention_write(brant__call *call, int64_t type_row);
/* CONSTRAINT: a stored rule looks at what the type, as it is now, encrypts, or fits it no longer. */
brant_status brant__retention_plain(brant__call *call, const brant__type *type);

#endif
