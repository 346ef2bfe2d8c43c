/*
 * graph/edge_write.c: writing the edges of a batch that was judged.
 *
 * New edges are written in the order of source, type and target, so that the index by source grows
 * in its own order; many rows a statement. In acyclic graphs a few are tested one by one before
 * they are written, and many together afterwards: a failure takes all back.
 */
#include <stdlib.h>

#include "graph/change.h"
#include "graph/edge_put.h"

#define POLL_MASK     4095
#define NO_VIOLATIONS ((brant__text){NULL, 0})

static brant_status update(brant__edge_batch *put, const brant__edge_slot *slot) {
    brant__statement *statement;
    brant__text attributes = {NULL, 0}, metadata = {NULL, 0};
    brant_status status;

    BRANT__TRY(brant__values_write(&attributes, &metadata, &put->text, slot->sealed,
                                   slot->attributes, slot->metadata));
    BRANT__TRY(brant__change_before(put->call, &put->graph, BRANT__EDGES, slot->row_id));
    BRANT__TRY(brant__edge_statement(&statement, put->call, BRANT__EDGE_UPDATE));
    brant__bind_text(statement, 1, attributes);
    brant__bind_text(statement, 2, metadata);
    brant__bind_integer(statement, 3, slot->puts);
    brant__bind_integer(statement, 4, brant__db_now(put->call->db));
    brant__bind_integer(statement, 5, put->graph.version);
    brant__bind_integer(statement, 6, slot->row_id);
    BRANT__TRY(brant__run(put->call->db, statement));
    status = brant__change_after(put->call, &put->graph, BRANT__EDGES, slot->row_id);
cleanup:
    return status;
}

static brant_status insert_one(brant__edge_batch *put, brant__edge_slot *slot) {
    brant__statement *statement;
    brant__text attributes = {NULL, 0}, metadata = {NULL, 0};
    brant_status status;

    BRANT__TRY(brant__values_write(&attributes, &metadata, &put->text, slot->sealed,
                                   slot->attributes, slot->metadata));
    BRANT__TRY(brant__edge_statement(&statement, put->call, BRANT__EDGE_INSERT));
    brant__bind_integer(statement, 1, put->graph.row_id);
    brant__bind_integer(statement, 2, brant__db_now(put->call->db));
    brant__bind_integer(statement, 3, put->graph.version);
    brant__bind_text(statement, 4, slot->key);
    brant__bind_integer(statement, 5, brant__type_edge_row(put->graph.type, slot->type));
    brant__bind_integer(statement, 6, slot->source);
    brant__bind_integer(statement, 7, slot->target);
    brant__bind_integer(statement, 8, slot->orientation);
    brant__bind_text(statement, 9, attributes);
    brant__bind_text(statement, 10, metadata);
    brant__bind_integer(statement, 11, slot->puts);
    BRANT__TRY(brant__run(put->call->db, statement));
    slot->row_id = brant__last_row_id(put->call->db);
    status = brant__change_after(put->call, &put->graph, BRANT__EDGES, slot->row_id);
cleanup:
    return status;
}

static brant_status insert_rows(brant__edge_batch *put, brant__edge_slot *const *slots) {
    brant__statement *statement;
    size_t ends[BRANT__ROWS];
    int64_t first_row;
    brant_status status;

    brant__buffer_reset(&put->text);
    for (size_t i = 0; i < BRANT__ROWS; i++) {
        brant__attributes_write(&put->text, slots[i]->sealed, slots[i]->attributes);
        ends[i] = put->text.length;
    }
    if (put->text.failed) return brant__fail_memory();
    BRANT__TRY(brant__edge_statement(&statement, put->call, BRANT__EDGE_INSERT_ROWS));
    brant__bind_integer(statement, 1, put->graph.row_id);
    brant__bind_integer(statement, 2, brant__db_now(put->call->db));
    brant__bind_integer(statement, 3, put->graph.version);
    for (size_t i = 0; i < BRANT__ROWS; i++) {
        size_t begin = i ? ends[i - 1] : 0;
        int first = 4 + 6 * (int)i;
        brant__bind_text(statement, first, slots[i]->key);
        brant__bind_integer(statement, first + 1,
                            brant__type_edge_row(put->graph.type, slots[i]->type));
        brant__bind_integer(statement, first + 2, slots[i]->source);
        brant__bind_integer(statement, first + 3, slots[i]->target);
        brant__bind_integer(statement, first + 4, slots[i]->orientation);
        brant__bind_text(statement, first + 5,
                         brant__text_of(put->text.data + begin, ends[i] - begin));
    }
    BRANT__TRY(brant__run(put->call->db, statement));
    if (BRANT__LIKELY(!brant__change_logged(&put->graph))) goto cleanup;
    /* SQLite numbers the rows of one statement one after the other. */
    first_row = brant__last_row_id(put->call->db) - (BRANT__ROWS - 1);
    for (int i = 0; i < BRANT__ROWS; i++)
        BRANT__TRY(brant__change_after(put->call, &put->graph, BRANT__EDGES, first_row + i));
cleanup:
    return status;
}

/* What new edges are sorted by. */
typedef struct edge_place {
    int64_t source;
    int64_t target;
    uint32_t type;
    uint32_t slot;
} edge_place;

static int compare_places(const void *a, const void *b) {
    const edge_place *x = a, *y = b;

    if (x->source != y->source) return x->source < y->source ? -1 : 1;
    if (x->type != y->type) return x->type < y->type ? -1 : 1;
    if (x->target != y->target) return x->target < y->target ? -1 : 1;
    return x->slot < y->slot ? -1 : x->slot > y->slot;
}

static brant_status insert_sorted(brant__edge_batch *put) {
    brant__edge_slot *pending[BRANT__ROWS];
    edge_place *places;
    size_t waiting = 0, count = 0;
    brant_status status = BRANT_OK;

    places = brant__alloc((put->created + 1) * sizeof(*places));
    if (!places) return brant__fail_memory();
    for (size_t i = 0; i < put->count; i++) {
        const brant__edge_slot *slot = &put->slots[i];
        if (slot->created)
            places[count++] = (edge_place){slot->source, slot->target, slot->type, (uint32_t)i};
    }
    qsort(places, count, sizeof(*places), compare_places);
    for (size_t i = 0; i < count; i++) {
        brant__edge_slot *slot = &put->slots[places[i].slot];
        if ((i & POLL_MASK) == POLL_MASK) BRANT__TRY(brant__db_poll(put->call->db));
        if (slot->metadata || slot->puts > 1) {
            for (size_t at = 0; at < waiting; at++)
                BRANT__TRY(insert_one(put, pending[at]));
            waiting = 0;
            BRANT__TRY(insert_one(put, slot));
            continue;
        }
        pending[waiting++] = slot;
        if (waiting < BRANT__ROWS) continue;
        BRANT__TRY(insert_rows(put, pending));
        waiting = 0;
    }
    for (size_t at = 0; at < waiting; at++)
        BRANT__TRY(insert_one(put, pending[at]));
cleanup:
    brant__free(places);
    return status;
}

brant_status brant__edge_fault_cycle(brant__edge_batch *put, const brant__edge_slot *slot) {
    brant__text key;
    brant__edge_ends ends = {slot->key, slot->type, slot->source_key, slot->target_key};
    brant_status status = brant__edge_key(&key, put->call, &put->graph, &ends);

    if (status != BRANT_OK) return status;
    return brant__fault_add(&put->faults, slot->index, key, NO_VIOLATIONS, BRANT_CONSTRAINT,
                            "graph type %s is acyclic, and the edge from %s to %s closes a cycle",
                            brant__quoted(put->call, brant__text_string(put->graph.type->name)),
                            brant__quoted(put->call, slot->source_key),
                            brant__quoted(put->call, slot->target_key));
}

/* Few new edges of an acyclic graph, each tested before it is written. */
static brant_status insert_acyclic(brant__edge_batch *put) {
    brant_status status = BRANT_OK;

    for (size_t i = 0; i < put->count; i++) {
        brant__edge_slot *slot = &put->slots[i];
        bool closed;
        if (!slot->created) continue;
        BRANT__TRY(brant__cycle_closed_by(&closed, put->call, &put->graph, slot->source,
                                          slot->target, NULL, 0));
        if (closed) {
            BRANT__TRY(brant__edge_fault_cycle(put, slot));
            status = brant__faults_report(&put->faults);
            goto cleanup;
        }
        BRANT__TRY(insert_one(put, slot));
    }
cleanup:
    return status;
}

/* Many new edges of an acyclic graph are written already: look for a cycle, and for a new edge on
 * it. After brant__graph_changed. */
static brant_status test_acyclic(brant__edge_batch *put) {
    brant__map places = {0};
    int64_t *rows;
    size_t count;
    brant_status status;

    BRANT__TRY(brant__cycle_find(&rows, &count, put->call, &put->graph));
    if (count == 0) goto cleanup;
    for (size_t i = 0; i < count; i++)
        if (!brant__map_put(&places, brant__text_of((const char *)&rows[i], sizeof(rows[i])),
                            (int64_t)i)) {
            status = brant__fail_memory();
            goto cleanup;
        }
    for (size_t i = 0; i < put->count; i++) {
        const brant__edge_slot *slot = &put->slots[i];
        int64_t source, target;
        if (!slot->created ||
            !brant__map_get(&places,
                            brant__text_of((const char *)&slot->source, sizeof(slot->source)),
                            &source) ||
            !brant__map_get(&places,
                            brant__text_of((const char *)&slot->target, sizeof(slot->target)),
                            &target))
            continue;
        if ((size_t)target != ((size_t)source + 1) % count &&
            !(put->undirected && (size_t)source == ((size_t)target + 1) % count))
            continue;
        BRANT__TRY(brant__edge_fault_cycle(put, slot));
        break;
    }
    status =
        put->faults.count
            ? brant__faults_report(&put->faults)
            : brant__fail(BRANT_CONSTRAINT, "graph type %s is acyclic, and graph %s has a cycle",
                          brant__quoted(put->call, brant__text_string(put->graph.type->name)),
                          brant__quoted(put->call, put->graph.name));
cleanup:
    brant__map_free(&places);
    return status;
}

static brant_status announce(brant__edge_batch *put) {
    brant__announcement created = {0}, updated = {0};
    brant_status status = BRANT_OK;

    for (size_t i = 0; i < put->count; i++) {
        const brant__edge_slot *slot = &put->slots[i];
        brant__announcement *announcement = slot->created ? &created : &updated;
        brant__edge_ends ends = {slot->key, slot->type, slot->source_key, slot->target_key};
        brant__text key = {NULL, 0};
        if (slot->puts == 0) continue;
        if (!brant__announcement_full(announcement))
            BRANT__TRY(brant__edge_key(&key, put->call, &put->graph, &ends));
        brant__announcement_add(announcement, key);
    }
    BRANT__TRY(brant__announce(put->call, &put->graph, "edges:created", &created));
    BRANT__TRY(brant__announce(put->call, &put->graph, "edges:updated", &updated));
cleanup:
    brant__announcement_free(&created);
    brant__announcement_free(&updated);
    return status;
}

static brant_status write_all(brant__edge_batch *put) {
    const brant__module *module = put->graph.type->module;
    bool test = module->config.acyclic && !put->tested;
    bool test_each = test && put->created <= BRANT__CYCLE_TESTS;
    size_t types = module->edge_type_count + 1;
    int64_t *counts;
    brant_status status;

    counts = brant__arena_alloc(put->call->arena, types * sizeof(*counts));
    if (!counts) return brant__fail_memory();
    memset(counts, 0, types * sizeof(*counts));
    for (size_t i = 0; i < put->count; i++) {
        brant__edge_slot *slot = &put->slots[i];
        if (slot->created) {
            counts[slot->type]++;
            continue;
        }
        if ((i & POLL_MASK) == POLL_MASK) BRANT__TRY(brant__db_poll(put->call->db));
        if (slot->puts > 0) BRANT__TRY(update(put, slot));
    }
    BRANT__TRY(test_each ? insert_acyclic(put) : insert_sorted(put));
    for (uint32_t i = 0; i < types - 1 || i == 0; i++)
        BRANT__TRY(brant__graph_counted(put->call, &put->graph, BRANT__EDGES,
                                        brant__type_edge_row(put->graph.type, i), counts[i]));
    BRANT__TRY(
        brant__graph_changed(put->call, &put->graph, 0, (int64_t)put->created, put->created > 0));
    brant__lookup_end(&put->lookup);
    if (test && !test_each && put->created > 0) BRANT__TRY(test_acyclic(put));
    status = announce(put);
cleanup:
    return status;
}

static brant_status answer(brant__edge_batch *put) {
    brant__writer *out = put->call->out;

    brant__write_object(out);
    if (put->faults.single) {
        const brant__edge_slot *slot = &put->slots[0];
        brant__edge_ends ends = {slot->key, slot->type, slot->source_key, slot->target_key};
        brant__text key;
        brant_status status = brant__edge_key(&key, put->call, &put->graph, &ends);
        if (status != BRANT_OK) return status;
        brant__write_text_member(out, "key", key);
        brant__write_bool_member(out, "created", slot->created);
        brant__write_integer_member(out, "revision", slot->revision);
    } else {
        brant__write_integer_member(out, "created", (int64_t)put->created);
        if (put->mode == BRANT__PUT) {
            brant__write_integer_member(out, "updated", (int64_t)(put->good - put->created));
        }
        brant__items_answer(out, &put->items);
    }
    brant__write_end(out);
    return BRANT_OK;
}

brant_status brant__edges_write(brant__edge_batch *put) {
    brant_status status;

    if (put->good > 0) {
        status = brant__kept_dirty(put->call->db);
        if (status == BRANT_OK) status = write_all(put);
        if (status != BRANT_OK) return status;
    }
    return answer(put);
}
