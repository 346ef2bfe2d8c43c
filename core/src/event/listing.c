/*
 * event/listing.c: pages by name.
 */
#include "event/listing.h"

brant__listing brant__listing_read(brant__call *call) {
    const brant__text prefix = brant__json_get_text(call->input, "prefix"),
                      after = brant__json_get_text(call->input, "after");
    return (brant__listing){.prefix = prefix.data ? prefix : BRANT__TEXT(""),
                            .after = after.data ? after : BRANT__TEXT(""),
                            .limit =
                                brant__json_integer(brant__json_get(call->input, "limit"), 100)};
}

void brant__listing_bind(brant__statement *statement, const brant__listing *list,
                         brant__text least) {
    brant__text from = list->prefix;
    if (brant__text_compare(list->after, from) > 0) from = list->after;
    if (brant__text_compare(least, from) > 0) from = least;
    brant__bind_text(statement, 1, from);
    brant__bind_text(statement, 2, list->after);
}

void brant__listing_begin(brant__call *call) {
    brant__write_object(call->out);
    brant__write_name(call->out, "items");
    brant__write_array(call->out);
}

brant_status brant__listing_take(bool *out_wanted, brant__listing *list, brant__call *call,
                                 brant__text name) {
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

void brant__listing_end(brant__listing *list, brant__call *call) {
    brant__write_end(call->out);
    if (list->more) brant__write_text_member(call->out, "next", list->last);
    brant__write_end(call->out);
}
