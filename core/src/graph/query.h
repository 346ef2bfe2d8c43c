/*
 * graph/query.h: lists and counts of nodes and edges: what was asked, and how pages in an order of the caller's are made.
 */
#ifndef BRANT__GRAPH_QUERY_H
#define BRANT__GRAPH_QUERY_H

#include "graph/filter.h"

/* What the input of a list or count says. */
typedef struct brant__query_input {
    brant__call *call;
    int kind; /* BRANT__NODES, BRANT__EDGES */
    brant__graph graph;
    bool any_type;
    uint32_t type_index; /* BRANT__NO_TYPE: any */
    int64_t type_row;
    brant__filter *filter; /* NULL: none */
    bool ordered;          /* `order_by` or `descending` is given */
    brant__path order;
    bool order_given;
    bool descending;
    brant__text prefix; /* of node keys */
    brant__text before; /* the first key that has not the prefix */
    bool by_source;
    bool by_target;
    int64_t source; /* row ids; 0: no such node */
    int64_t target;
    int64_t limit;
    brant__list list;
    brant__position position;
} brant__query_input;

/* A page while it is made. */
typedef struct brant__page {
    const brant__query_input *input;
    int64_t count;
    bool more;
    brant__position position; /* of the last item */
} brant__page;

/* ---- query.c --------------------------------------------------------------------------------- */

/* `operation` names the list, for its cursors. Borrowed from the call. */
brant_status brant__query_read(brant__query_input *out, brant__call *call, int kind,
                               const char *operation);
/* True where the answer is empty whatever is stored: an end that does not exist. */
bool brant__query_nothing(const brant__query_input *input);

/* True where page.c makes the list: it is filtered or ordered, and not better read as it stands. */
brant_status brant__query_pages(bool *out_pages, const brant__query_input *input);

/* What list does instead, for edges: the text for one source, or of one target. */
void brant__query_edge_sql(brant__buffer *sql, const brant__query_input *input);

/* ---- page.c ---------------------------------------------------------------------------------- */

/* Writes the items of a page in the order asked for; fills count, more and position. */
brant_status brant__page_write(brant__page *page);
/* The SQL of a first page (no position), and its values. */
brant_status brant__page_sql(brant__buffer *sql, const brant__query_input *input);
void brant__page_bind(brant__statement *statement, const brant__query_input *input);

/* Appends "FROM .. WHERE .." with all conditions; the graph is the first parameter. */
brant_status brant__query_from(brant__buffer *sql, const brant__query_input *input);
void brant__query_bind(brant__statement *statement, const brant__query_input *input,
                       int *parameter);

/* ---- plans (explain.c) ----------------------------------------------------------------------- */

/* Are there indexes on attributes that a plan could have? */
brant_status brant__plan_worthwhile(bool *out_any, const brant__query_input *input);
/* Does the plan of a first page find its rows by an index on attributes, or edges by their keys and ends? */
brant_status brant__plan_indexed(bool *out_indexed, const brant__query_input *input,
                                 brant__text sql);

/* ---- searches (search.c) --------------------------------------------------------------------- */

/* What a user writes, as FTS5 takes it; in the call's arena. INVALID. */
brant_status brant__search_parse(brant__text *out, brant__call *call, brant__text query);

#endif
