/*
 * event/listing.h: pages of things that are listed by their names: {prefix?, limit?, after?} -> {items, next?}.
 *
 * The statement has BRANT__LISTING_FROM in its WHERE and orders by name, so that it begins at the first row of the page; brant__listing_take says where the page ends.
 */
#ifndef BRANT__EVENT_LISTING_H
#define BRANT__EVENT_LISTING_H

#include "store/store.h"

/* Its parameters are the first two of the statement. One lower bound: of two, SQLite would search by one and walk to the other. */
#define BRANT__LISTING_FROM(name) name " >= :from AND " name " <> :after"

typedef struct brant__listing {
    brant__text prefix; /* "" where there is none */
    brant__text after;  /* "" where there is none */
    int64_t limit;
    int64_t count;
    brant__text last;
    bool more;
} brant__listing;

brant__listing brant__listing_read(brant__call *call);
/* The parameters of BRANT__LISTING_FROM; `least`: names before it are not listed, {NULL, 0}: all are. */
void brant__listing_bind(brant__statement *statement, const brant__listing *list,
                         brant__text least);
void brant__listing_begin(brant__call *call);
/* Is the row of this name on the page? The first that is not ends it. */
brant_status brant__listing_take(bool *out_wanted, brant__listing *list, brant__call *call,
                                 brant__text name);
void brant__listing_end(brant__listing *list, brant__call *call);

#endif
