/*
 * exchange/internal.h: what the files of this module share.
 *
 * - export.c: graphs.export: pages, the rows of nodes and edges in their order
 * - write_json.c, write_csv.c, write_graphml.c, write_drawing.c, write_otlp.c: formats that are written
 * - survey.c: the names and kinds of all attributes, for formats that declare them first
 * - memory.c: the reference MCP memory server's file, both ways
 * - arrays.c: graphs.arrays
 * - import.c: graphs.import: batches, progress, faults
 * - source.c: the bytes of an import, a text or a file read piece by piece
 * - split.c: a large JSON document cut into items, without ever holding it
 * - read_json.c, read_csv.c, read_otlp.c: from items to nodes and edges
 * - key.c: keys that are not brant's as brant's, and back
 */
#ifndef BRANT__EXCHANGE_INTERNAL_H
#define BRANT__EXCHANGE_INTERNAL_H

#include "exchange/exchange.h"
#include "graph/filter.h"
#include "graph/internal.h"

/* ---- keys (key.c) ---------------------------------------------------------------------------- */

/*
 * Any JSON value as a node key, appended: text as it is, else json:<compact JSON>. Text that is empty, has a NUL, or begins with json: is
 * written in the second form too, so that the way back is never in doubt.
 */
void brant__key_of_value(brant__buffer *out, yyjson_val *value);
/* The way back: the compact JSON of the value. */
void brant__value_of_key(brant__buffer *out, brant__text key);

/* The key of an edge of a NetworkX multigraph, whose keys are only unique among the edges of the same ends: the JSON text [source, target, key]. */
void brant__edge_key_of_value(brant__buffer *out, brant__text source, brant__text target,
                              yyjson_val *key);

/* The same for keys that are always text (graphology): only what brant has no key for is changed. */
void brant__key_of_text(brant__buffer *out, brant__text text);
/* The text, in `scratch` where it is not the key itself. */
brant__text brant__text_of_key(brant__buffer *scratch, brant__text key);

/* ---- writing (export.c) ---------------------------------------------------------------------- */

typedef struct brant__export brant__export;

/* A node or an edge as it is written. Texts are borrowed for the call of the writer. */
typedef struct brant__export_item {
    brant__text key;    /* of an edge {NULL, 0} where ends and type say it */
    bool first;         /* of the document's nodes, or of its edges */
    brant__text type;   /* {NULL, 0} in an untyped graph */
    brant__text source; /* as they were given */
    brant__text target;
    bool undirected; /* by itself or by its graph */
    yyjson_val *attributes;
    brant__text attributes_text;
    brant__text metadata; /* {NULL, 0} where it is {} */
    int64_t source_row;
    int64_t target_row;
    int64_t row_id;
} brant__export_item;

typedef struct brant__export_format {
    const char *name;
    brant_status (*begin)(brant__export *export);
    brant_status (*node)(brant__export *export, const brant__export_item *item);
    brant_status (*middle)(brant__export *export); /* between nodes and edges */
    brant_status (*edge)(brant__export *export, const brant__export_item *item);
    brant_status (*end)(brant__export *export);
} brant__export_format;

extern const brant__export_format brant__graphology_format; /* write_json.c */
extern const brant__export_format brant__node_link_format;
extern const brant__export_format brant__ndjson_format;
extern const brant__export_format brant__csv_format;     /* write_csv.c */
extern const brant__export_format brant__graphml_format; /* write_graphml.c */
extern const brant__export_format brant__dot_format;     /* write_drawing.c */
extern const brant__export_format brant__mermaid_format;
extern const brant__export_format brant__memory_format; /* memory.c */
extern const brant__export_format brant__otlp_format;   /* write_otlp.c */

/* Attributes of spans and of links, by which read_otlp.c makes the same calls and edges again. */
#define BRANT__OTLP_CALL "brant.call"
#define BRANT__OTLP_EDGE "brant.edge"

struct brant__export {
    brant__call *call;
    brant__graph graph;
    const brant__export_format *format;
    bool nodes; /* of CSV, what the part is; else both */
    bool edges;
    const char *edges_name; /* of node_link */
    brant__text metadata;   /* the graph's, JSON */
    brant__filter *filter;
    brant__filter *edge_filter;
    brant__buffer text; /* the page */
    brant__writer item; /* for one item of it */
    brant__buffer scratch[2];
    brant__buffer redacted; /* attributes of a type that encrypts */
    brant__text columns;    /* of CSV: an array of names, as JSON; the same on all pages */
    brant__json names;      /* that array, and its names */
    brant__text *column_names;
    size_t column_count;
    brant__text
        after; /* key of the node that was written last, when a page begins and behind the last node; empty: none */
    brant__arena arena;              /* of otlp, for some spans */
    size_t arena_bytes;              /* of texts in it */
    struct brant__otlp_calls *calls; /* in it, or NULL */
    brant__buffer group[2]; /* of otlp: what the last span's resource and scope begin with */
};

/* To the page's text, whose failure export.c looks for after each item. */
static inline void brant__export_append(brant__export *export, const char *text) {
    brant__buffer_append(&export->text, text, strlen(text));
}

/* CONSTRAINT: the format cannot carry this. `what` begins the message: node "x", edge "y". */
brant_status brant__export_refuse(brant__export *export, const brant__export_item *item,
                                  const char *why);

/* ---- attributes of all (survey.c) ------------------------------------------------------------ */

/* Kinds of values, as bits. */
enum {
    BRANT__IS_BOOL = 1,
    BRANT__IS_INTEGER = 2,
    BRANT__IS_DOUBLE = 4,
    BRANT__IS_TEXT = 8,
    BRANT__IS_OTHER = 16 /* null, arrays, objects */
};
int brant__kind_of(yyjson_val *value);

typedef struct brant__survey_name {
    brant__text name;
    int kinds;
} brant__survey_name;

/* Names by their bytes. In the call's arena. `metadata`: some item has one. */
typedef struct brant__survey {
    brant__survey_name *names;
    size_t count;
    bool metadata;
} brant__survey;
brant_status brant__survey_take(brant__survey *out, brant__export *export, int kind);

/* Rows of all nodes or edges that the export takes, for the survey: `type`, `attributes` and `metadata` are the columns 1, 2 and 3. */
brant_status brant__export_all(brant__statement **out, brant__export *export, int kind);
/* Attributes as they leave (graph/seal.h): *text where the type encrypts nothing, else borrowed until the next row. */
brant_status brant__export_redact(brant__text *text, brant__export *export, int kind,
                                  uint32_t type);

#endif
