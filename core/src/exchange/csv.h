/*
 * exchange/csv.h: what writing and reading CSV agree on: columns that are ours, and cells of attributes.
 *
 * RFC 4180 with a header line. A column of another name than ours is an attribute; its cell is a text as it is, or JSON where the text begins as a
 * value other than text does and is acceptable JSON. So a text that could be mistaken for JSON is written as a JSON text, as is the empty
 * one; an empty cell is an attribute that is not there.
 */
#ifndef BRANT__EXCHANGE_CSV_H
#define BRANT__EXCHANGE_CSV_H

#include "exchange/internal.h"

enum {
    BRANT__CSV_KEY,
    BRANT__CSV_SOURCE,
    BRANT__CSV_TARGET,
    BRANT__CSV_TYPE,
    BRANT__CSV_UNDIRECTED,
    BRANT__CSV_ATTRIBUTES,
    BRANT__CSV_METADATA,
    BRANT__CSV_OURS
};
extern const char *const brant__csv_names[BRANT__CSV_OURS];

/* The number of one of our columns, or BRANT__CSV_OURS. Source, target and undirected are only of edges. */
int brant__csv_column(brant__text name, bool edges);

/* Would a cell be read as JSON? `json` is a parser to use; its root is the value then. */
bool brant__csv_is_json(brant__json *json, brant__text cell);

#endif
