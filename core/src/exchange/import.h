/*
 * exchange/import.h: what graphs.import (import.c), its sources (source.c, split.c) and its formats (read_*.c) share.
 */
#ifndef BRANT__EXCHANGE_IMPORT_H
#define BRANT__EXCHANGE_IMPORT_H

#include "exchange/internal.h"

/* ---- bytes (source.c) ------------------------------------------------------------------------ */

/* A text, or a file of which a piece is in memory. */
typedef struct brant__source {
    int file; /* -1: a text */
    int64_t size;
    int64_t modified; /* ns */
    brant__text text;
    char *piece;
    size_t capacity;
    int64_t piece_at;
    size_t piece_length;
    size_t longest; /* what may be asked for at once */
} brant__source;

brant_status brant__source_open(brant__source *source, brant__call *call, brant__text path,
                                size_t longest);
void brant__source_text(brant__source *source, brant__text text);
void brant__source_close(brant__source *source);
/*
 * The bytes at `offset`: at least `length` of them, fewer only at the end; as many as are in memory. Borrowed until the next call. LIMIT where
 * `length` is beyond `longest`; CONFLICT where the file became shorter; IO.
 */
brant_status brant__source_get(brant__text *out, brant__source *source, int64_t offset,
                               size_t length);
/* FNV-1a of the first 64 KiB. */
brant_status brant__source_digest(uint64_t *out, brant__source *source);

/* ---- JSON in pieces (split.c) ---------------------------------------------------------------- */

typedef struct brant__range {
    int64_t begin;
    int64_t end;
} brant__range;

/* INVALID_JSON with the offset. */
brant_status brant__source_fail(int64_t offset, const char *what);
/* *io_offset on to the first byte that is no white space; *out_byte -1 at the end. */
brant_status brant__skip_space(int *out_byte, brant__source *source, int64_t *io_offset);
/* The end of the value that begins at `offset`, without reading into it but for its strings and brackets. */
brant_status brant__skip_value(int64_t *out_end, brant__source *source, brant__call *call,
                               int64_t offset);
/*
 * The next element of an array. *io_offset stands after the `[`, or after an element; *out_found false: it stands after the `]`.
 */
brant_status brant__next_element(bool *out_found, brant__range *out, brant__source *source,
                                 brant__call *call, int64_t *io_offset);

/* ---- importing (import.c) -------------------------------------------------------------------- */

typedef struct brant__import brant__import;

/* What a document says of its graph. */
typedef struct brant__document {
    int direction; /* as in brant__module_config; -1: it does not say */
    bool multi;
    bool loops;
    bool is_graph;          /* it says direction and multi */
    brant__text metadata;   /* JSON, in the call's arena; {NULL, 0}: none */
    brant__text graph_type; /* {NULL, 0}: none named */
} brant__document;

typedef struct brant__import_format {
    const char *name;
    bool kept; /* what begin found is kept with the progress */
    /* Look at the whole document; fills import->document and what the format needs. */
    brant_status (*begin)(brant__import *import);
    /*
     * The item at import->position, which is moved on: written to import->items by brant__import_item, or noted as a fault. *out_found
     * false: there is none any more.
     */
    brant_status (*next)(bool *out_found, brant__import *import);
} brant__import_format;

extern const brant__import_format brant__graphology_import; /* read_json.c */
extern const brant__import_format brant__node_link_import;
extern const brant__import_format brant__ndjson_import;
extern const brant__import_format brant__csv_import;    /* read_csv.c */
extern const brant__import_format brant__otlp_import;   /* read_otlp.c */
extern const brant__import_format brant__memory_import; /* memory.c */

/* Where an import stands: all that is kept between batches. */
typedef struct brant__place {
    int64_t section; /* a format's own; 0 at first */
    int64_t offset;
    int64_t index; /* of the next item */
    int64_t nodes;
    int64_t edges;
    int64_t failed;
    bool done;
} brant__place;

struct brant__import {
    brant__call *call;
    const brant__import_format *format;
    brant__source source;
    brant__document document;
    brant__graph graph;
    bool part_edges; /* csv */
    yyjson_val *node_type;
    yyjson_val *edge_type;
    bool insert;
    bool skip;
    brant__place place;
    bool resumed;
    brant__json json;   /* the item */
    brant__arena arena; /* of a batch */
    brant__json batch_json;

    /* The batch: nodes or edges. */
    bool full;     /* it goes before the next item */
    bool yielding; /* what breaks a rule of the graph type is left out, and is no fault */
    bool missing;  /* only what is not there is made, and nothing is a fault: what needs it tells */
    int kind;
    brant__writer items;
    size_t count;
    size_t batch;
    int64_t *indexes; /* of its items in the document */

    /* The faults that were skipped. */
    brant__writer faults;
    size_t fault_count;

    /* For the formats. */
    brant__range nodes_range;
    brant__range edges_range;
    brant__buffer scratch;
    brant__json header;  /* csv; otlp: what an attribute of ours holds */
    bool numbers_differ; /* node_link: a node may have another form of a number than its edges */
};

/* The call, with the batch's memory. */
static inline brant__call brant__import_call(brant__import *import) {
    brant__call call = *import->call;

    call.out = NULL;
    call.arena = &import->arena;
    return call;
}

/*
 * Begin an item of this kind: an object is open in import->items. False: the batch is full or of the other kind and goes first; the item, at which the place
 * still stands, comes again.
 */
bool brant__import_begin_item(brant__import *import, int kind);
/* The item ends; the place moves to `offset`, and to the next number. */
void brant__import_end_item(brant__import *import, int64_t offset);
/* An item that is nothing to write: only the place moves. */
void brant__import_pass(brant__import *import, int64_t offset);
/*
 * The item is at fault as the error record says, and ends at `offset`. With errors "skip" that is noted: BRANT_OK, and the place moves. Else the failure, with the number of the
 * item. What concerns the call and not the item (memory, an interrupt) always fails.
 */
brant_status brant__import_fault(brant__import *import, brant__text key, int64_t offset);
/*
 * The attributes of the open item, as libraries have them: "@type" (typed graphs), "@metadata" and the rest, but for the members in `without`, which ends with NULL.
 * NULL: none.
 */
void brant__import_attributes(brant__import *import, int kind, yyjson_val *attributes,
                              const char *const *without);
/* The next line that is not blank, and the offset behind it (read_json.c). */
brant_status brant__next_line(bool *out_found, brant__range *out, brant__import *import,
                              int64_t *io_offset);
/* The item's bytes parsed into import->json. A fault of the JSON has its offset in the document. */
brant_status brant__import_parse(brant__import *import, brant__range range);

#endif
