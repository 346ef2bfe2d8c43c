/*
 * access/order.h: nodes and edges of an access graph in the order of keys, so that an answer does not depend on how the rows came.
 */
#ifndef BRANT__ACCESS_ORDER_H
#define BRANT__ACCESS_ORDER_H

#include "access/index.h"

/* Numbers with a key each. Zero-initialise. */
typedef struct brant__keyed {
    brant__text key; /* borrowed */
    uint32_t number;
} brant__keyed;
typedef struct brant__ordered {
    brant__keyed *items;
    size_t count;
    size_t room;
} brant__ordered;
void brant__ordered_free(brant__ordered *list);
brant_status brant__ordered_add(brant__ordered *list, brant__text key, uint32_t number);
void brant__ordered_sort(brant__ordered *list); /* all of it */

/* The edges of a node's list, by the keys of their other ends; what the list held is gone. */
brant_status brant__ordered_edges(brant__ordered *list, const brant__access_index *index,
                                  uint32_t node, int way, int edges);

/* As a heap: begin, then take what is least of what is left. */
void brant__ordered_heap(brant__ordered *list);
brant__keyed brant__ordered_take(brant__ordered *list);

#endif
