/*
 * graph/filter.h: filters, and the paths that they, orders and indexes name.
 *
 * A filter is parsed once, written as an SQL condition and bound. Names are literals in the text, values are always bound. graph.h says what filters mean.
 */
#ifndef BRANT__GRAPH_FILTER_H
#define BRANT__GRAPH_FILTER_H

#include "graph/internal.h"

/* ---- paths (path.c) -------------------------------------------------------------------------- */

enum {
    BRANT__FIELD_KEY,
    BRANT__FIELD_TYPE,
    BRANT__FIELD_REVISION,
    BRANT__FIELD_CREATED_AT,
    BRANT__FIELD_UPDATED_AT,
    BRANT__FIELD_TYPE_VERSION,
    BRANT__FIELD_SOURCE,
    BRANT__FIELD_TARGET,
    BRANT__FIELD_ATTRIBUTES,
    BRANT__FIELD_METADATA
};

#define BRANT__PATH_LITERALS 8

/* A field: a column, or a place in attributes or metadata. Texts are in the call's arena or the input. */
typedef struct brant__path {
    int field;
    brant__text name; /* as it was given */
    brant__text *segments;
    size_t segment_count;
    brant__text literals[BRANT__PATH_LITERALS]; /* SQL literals of JSON paths; at most one of them
                                                   is there in a document */
    size_t literal_count;
} brant__path;

/* `kind`: BRANT__NODES, BRANT__EDGES. INVALID leaves the error record alone and says why in
 * *out_reason. */
brant_status brant__path_parse(brant__path *out, const char **out_reason, brant__call *call,
                               int kind, brant__text name);
static inline bool brant__path_deep(const brant__path *path) {
    return path->field >= BRANT__FIELD_ATTRIBUTES;
}
/* The value in a parsed attributes or metadata object; NULL where there is none. */
yyjson_val *brant__path_find(yyjson_val *root, const brant__path *path);

/* ---- paths that are encrypted (plain.c) ------------------------------------------------------ */

/*
 * INVALID where the path is an encrypted attribute, in one, or an object that holds one: of the type `index`, or with BRANT__NO_TYPE of any of
 * that kind. `pointer`: of the path in the input.
 */
brant_status brant__path_plain(brant__call *call, const brant__type *type, int kind, uint32_t index,
                               const brant__path *path, brant__text pointer);

/* Its parts. The encrypted attribute of a type that a path meets, as above; NULL: none. */
const brant__encrypted *brant__path_encrypted(const brant__module *module, int kind, uint32_t index,
                                              const brant__path *path);
/* The same for a JSON pointer from the attributes on. */
const brant__encrypted *brant__pointer_encrypted(const brant__module *module, int kind,
                                                 uint32_t index, brant__text pointer);
brant_status brant__path_refused(brant__call *call, const brant__module *module, int kind,
                                 uint32_t index, const brant__encrypted *encrypted,
                                 brant__text pointer);
/* "attributes.a.b", for messages. In the call's arena. */
const char *brant__encrypted_name(brant__call *call, const brant__encrypted *encrypted);

/* The order of kinds; the first column of each path in an index. */
enum {
    BRANT__KIND_NULL, /* and missing */
    BRANT__KIND_FALSE,
    BRANT__KIND_TRUE,
    BRANT__KIND_NUMBER,
    BRANT__KIND_TEXT,
    BRANT__KIND_OTHER
};

/* Expressions. `alias` of the table, or NULL. kind, type, each: only of deep paths. */
void brant__path_column(brant__buffer *sql, const brant__path *path, const char *alias);
void brant__path_value(brant__buffer *sql, const brant__path *path, const char *alias);
void brant__path_kind(brant__buffer *sql, const brant__path *path, const char *alias);
void brant__path_type(brant__buffer *sql, const brant__path *path,
                      const char *alias); /* json_type: NULL where it is missing */
void brant__path_each(brant__buffer *sql, const brant__path *path,
                      const char *alias); /* json_each of its value */

/* ---- filters (filter.c) ---------------------------------------------------------------------- */

typedef struct brant__filter brant__filter;

/*
 * `member`: the pointer of `value` in the input without the first slash, for messages ("filter", "options/filter"). A filter lives as long as the call; the graph may go.
 * NULL value: *out NULL, everything. INVALID; also where it looks into what one of the types encrypts that it leaves possible.
 */
brant_status brant__filter_parse(brant__filter **out, brant__call *call, const brant__graph *graph,
                                 int kind, yyjson_val *value, const char *member);
/* The same where only rows of the type `index` are asked for (BRANT__NO_TYPE: of all). */
brant_status brant__filter_parse_of(brant__filter **out, brant__call *call,
                                    const brant__graph *graph, int kind, uint32_t index,
                                    yyjson_val *value, const char *member);

/*
 * Appends a condition on a row of nodes or edges ("1" where the filter is NULL). It does not name the graph. Parameters are written `?`: bind them with
 * brant__filter_bind at the place they have among the others; *parameter goes on. Binding does not look at the graph type, which may have changed since.
 */
void brant__filter_sql(brant__buffer *sql, const brant__filter *filter, const char *alias);
void brant__filter_bind(brant__statement *statement, const brant__filter *filter, int *parameter);

/*
 * What a filter says of a deep path in every match: `kind`, that it is one number or text kind, `value`, that it is one value. An order by that path leaves
 * them out, since SQLite finds the order of an index only in the terms that are not constant.
 */
typedef struct brant__pin {
    bool kind;
    bool value;
} brant__pin;
brant__pin brant__filter_pin(const brant__filter *filter, const brant__path *path);

/* Should the edges be asked by their own table, or from the graph's nodes on? `filter` may be NULL. */
brant_status brant__filter_table(bool *out_itself, brant__call *call, const brant__graph *graph,
                                 const brant__filter *filter);

/* " AND type = n" where the graph has only one type, for the sake of indexes on it. */
void brant__filter_type_sql(brant__buffer *sql, const brant__graph *graph, int kind,
                            const char *alias);

/* The key of an edge as users see it, of graphs that are not multi too. */
void brant__edge_key_sql(brant__buffer *sql, const char *alias);

/* Row ids of the nodes or edges of the graph that match a filter that is not NULL, sorted; brant__free. */
brant_status brant__filter_rows(int64_t **out_rows, size_t *out_count, brant__call *call,
                                const brant__graph *graph, const brant__filter *filter);

/* As brant__statement_prepare. */
static inline brant_status brant__query_prepare(brant__statement **out, brant__call *call,
                                                brant__text sql) {
    return brant__statement_prepare(out, call->db, sql);
}

#endif
