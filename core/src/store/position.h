/*
 * store/position.h: where a list goes on: the members `cursor` and `limit` of what lists rows in pages.
 */
#ifndef BRANT__STORE_POSITION_H
#define BRANT__STORE_POSITION_H

#include "store/store.h"

/* The last row of a page, in what its order is made of. */
typedef struct brant__position {
    bool given;
    uint8_t section;
    int64_t numbers[3];
    brant__text text;
} brant__position;

/* A check that says of which list a cursor is: of its operation and of what picks its rows. */
typedef uint64_t brant__list;
brant__list brant__list_of(const char *operation);
void brant__list_filter(brant__list *list, brant__text text);

/* The member `cursor` of the input; its text is in the call's arena. INVALID: it is not one of this list. */
brant_status brant__position_read(brant__position *out, brant__call *call, brant__list list);
/* The member `cursor` of the answer; NULL: null, there are no more. */
void brant__position_write(brant__writer *out, const brant__position *position, brant__list list);

/* The member `limit` of the input. INVALID out of 1..maximum. */
brant_status brant__limit_read(int64_t *out_limit, brant__call *call, int64_t otherwise,
                               int64_t maximum);

#endif
