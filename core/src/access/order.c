/*
 * access/order.c: lists by key.
 */
#include "access/order.h"

#include <stdlib.h>

static int compare(const void *a, const void *b) {
    const brant__keyed *x = a, *y = b;
    const int order = brant__text_compare(x->key, y->key);

    return order ? order : (x->number > y->number) - (x->number < y->number);
}

void brant__ordered_free(brant__ordered *list) {
    brant__free(list->items);
    *list = (brant__ordered){.items = NULL};
}

brant_status brant__ordered_add(brant__ordered *list, brant__text key, uint32_t number) {
    brant__keyed *grown = brant__grow(list->items, &list->room, list->count, sizeof(*grown));

    if (!grown) return brant__fail_memory();
    list->items = grown;
    list->items[list->count++] = (brant__keyed){key, number};
    return BRANT_OK;
}

void brant__ordered_sort(brant__ordered *list) {
    if (list->count > 1) qsort(list->items, list->count, sizeof(*list->items), compare);
}

/* Kinds that share a list never lead from one node to the same other: their ends are of different types. */
brant_status brant__ordered_edges(brant__ordered *list, const brant__access_index *index,
                                  uint32_t node, int way, int edges) {
    brant_status status = BRANT_OK;

    list->count = 0;
    for (uint32_t at = index->nodes[node].first[way][edges]; at != BRANT__NOTHING;
         at = index->edges[at].next[way])
        BRANT__TRY(
            brant__ordered_add(list, brant__access_key(index, index->edges[at].end[!way]), at));
    brant__ordered_sort(list);
cleanup:
    return status;
}

static void sink(brant__ordered *list, size_t at) {
    for (;;) {
        size_t least = at;
        for (size_t below = 2 * at + 1; below <= 2 * at + 2 && below < list->count; below++)
            if (compare(&list->items[below], &list->items[least]) < 0) least = below;
        if (least == at) return;
        const brant__keyed moved = list->items[at];
        list->items[at] = list->items[least];
        list->items[least] = moved;
        at = least;
    }
}

void brant__ordered_heap(brant__ordered *list) {
    for (size_t i = list->count / 2; i-- > 0;)
        sink(list, i);
}

brant__keyed brant__ordered_take(brant__ordered *list) {
    const brant__keyed least = list->items[0];

    list->items[0] = list->items[--list->count];
    sink(list, 0);
    return least;
}
