/*
 * event/input.h: what the operations on events have in common: names, and payloads that are JSON or bytes.
 */
#ifndef BRANT__EVENT_INPUT_H
#define BRANT__EVENT_INPUT_H

#include "store/store.h"

#define BRANT__EVENT_NAME_SIZE 255

/* INVALID unless the name has 1 to 255 bytes and no NUL. `pointer` says where it stood: "/stream". */
brant_status brant__input_name(brant__text name, const char *pointer);

/* LIMIT when there are more items than one batch may have. `pointer` is that of the array: "/items". */
brant_status brant__input_batch(brant_db *db, yyjson_val *items, const char *pointer);

/* A payload as it is stored: compact JSON (text), bytes (a blob), or null (NULL: data is NULL). */
typedef struct brant__payload {
    brant__text data;
    bool bytes;
} brant__payload;

/*
 * The members `payload` and `payload_base64` of an object; neither: null. What it holds lives in `buffer`, which is emptied first and may serve again.
 * `pointer` is that of the object ("", "/items/3"). INVALID: both, or text that is not base64; LIMIT: larger than a document may be.
 */
brant_status brant__payload_read(brant__payload *out, brant__buffer *buffer, brant_db *db,
                                 yyjson_val *object, const char *pointer);
void brant__payload_bind(brant__statement *statement, int index, brant__payload payload);
brant__payload brant__payload_column(brant__statement *statement, int column);
/* The member `payload` or `payload_base64`, in a running object. */
void brant__payload_write(brant__writer *writer, brant__payload payload);

#endif
