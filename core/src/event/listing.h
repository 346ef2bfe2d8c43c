/*
 * event/listing.h: pages of things that are listed by their names: {prefix?, limit?, after?} -> {items, next?}.
 *
 * The statement yields rows by name, behind `after` and from `prefix` on, at most limit + 1.
 */
#ifndef BRANT__EVENT_LISTING_H
#define BRANT__EVENT_LISTING_H

#include "store/store.h"

typedef struct brant__listing {
    brant__text prefix; /* "" where there is none */
    brant__text after;  /* "" where there is none */
    int64_t limit;
    int64_t count;
    brant__text last;
    bool more;
} brant__listing;

static inline brant__listing brant__listing_read(brant__call *call) {
    const brant__text prefix = brant__json_get_text(call->input, "prefix"),
                      after = brant__json_get_text(call->input, "after");
    return (brant__listing){.prefix = prefix.data ? prefix : BRANT__TEXT(""),
                            .after = after.data ? after : BRANT__TEXT(""),
                            .limit =
                                brant__json_integer(brant__json_get(call->input, "limit"), 100)};
}

static inline void brant__listing_begin(brant__call *call) {
    brant__write_object(call->out);
    brant__write_name(call->out, "items");
    brant__write_array(call->out);
}

/* Is the row of this name on the page? The first that is not ends it. */
static inline brant_status brant__listing_take(bool *out_wanted, brant__listing *list,
                                               brant__call *call, brant__text name) {
    *out_wanted = false;
    if (name.length < list->prefix.length ||
        memcmp(name.data, list->prefix.data, list->prefix.length) != 0)
        return BRANT_OK;
    if (list->count == list->limit) {
        list->more = true;
        return BRANT_OK;
    }
    if (++list->count == list->limit) {
        list->last =
            brant__text_of(brant__arena_copy(call->arena, name.data, name.length), name.length);
        if (!list->last.data) return brant__fail_memory();
    }
    *out_wanted = true;
    return BRANT_OK;
}

static inline void brant__listing_end(brant__listing *list, brant__call *call) {
    brant__write_end(call->out);
    if (list->more) {
        brant__write_name(call->out, "next");
        brant__write_text(call->out, list->last);
    }
    brant__write_end(call->out);
}

#endif
