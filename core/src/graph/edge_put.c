/*
 * graph/edge_put.c: writing edges, one or many.
 *
 * Two passes, as in node_put.c. Which edge an item means: with an explicit key the edge of that
 * key; without, in a graph that is not multi, the edge of its ends and type; without, in a multi
 * graph, a new one.
 */
#include "graph/edge_put.h"

#include "graph/seal.h"

#define POLL_MASK     4095
#define NO_VIOLATIONS ((brant__text){NULL, 0})

/* Sources are asked whether they have edges at all while at least one in two of those asked has
 * none. */
#define PROBES_AT_LEAST 64

/* ---- finding the edge that an item means ----------------------------------------------------- */

static uint64_t hash_key(brant__text key) {
    return brant__hash_seeded(key.data, key.length, brant__hash_seed());
}

static uint64_t hash_ends(int64_t source, uint32_t type, int64_t target) {
    uint64_t hash = ((uint64_t)source * UINT64_C(0x9E3779B97F4A7C15)) ^ type;

    hash = (hash ^ (hash >> 32)) * UINT64_C(0xD1342543DE82EF95) + (uint64_t)target;
    hash = (hash ^ (hash >> 29)) * UINT64_C(0xA0761D6478BD642F);
    return hash ^ (hash >> 32);
}

static brant__edge_slot *slot_by_key(brant__edge_batch *put, brant__text key) {
    uint64_t hash = hash_key(key);
    size_t at = (size_t)hash;
    uint32_t slot;

    while (brant__slot_set_next(&slot, &at, &put->by_key, hash))
        if (brant__text_equal(put->slots[slot].key, key)) return &put->slots[slot];
    return NULL;
}

static brant__edge_slot *slot_by_ends(brant__edge_batch *put, const brant__edge_slot *wanted) {
    uint64_t hash = hash_ends(wanted->source, wanted->type, wanted->target);
    size_t at = (size_t)hash;
    uint32_t slot;

    while (brant__slot_set_next(&slot, &at, &put->by_ends, hash)) {
        brant__edge_slot *found = &put->slots[slot];
        if (found->source == wanted->source && found->target == wanted->target &&
            found->type == wanted->type &&
            !((found->orientation ^ wanted->orientation) & BRANT__UNDIRECTED_EDGE))
            return found;
    }
    return NULL;
}

/* Make a slot known by what it can be found by. */
static void register_slot(brant__edge_batch *put, const brant__edge_slot *slot) {
    uint32_t number = (uint32_t)(slot - put->slots);

    if (slot->key.data) brant__slot_set_add(&put->by_key, hash_key(slot->key), number);
    if (!put->multi)
        brant__slot_set_add(&put->by_ends, hash_ends(slot->source, slot->type, slot->target),
                            number);
}

/* The stored edge of an explicit key, as a new slot; *out NULL: there is none. */
static brant_status load_by_key(brant__edge_slot **out, brant__edge_batch *put, brant__text key,
                                const brant__edge_slot *wanted) {
    brant__statement *statement = NULL;
    brant__edge_slot *made;
    brant_status status;
    bool row;

    *out = NULL;
    if (put->graph.edges == 0) return BRANT_OK;
    BRANT__TRY(brant__edge_statement(&statement, put->call, BRANT__EDGE_BY_KEY));
    brant__bind_integer(statement, 1, put->graph.row_id);
    brant__bind_text(statement, 2, key);
    BRANT__TRY(brant__step(&row, put->call->db, statement));
    if (!row) goto cleanup;
    made = &put->slots[put->count];
    *made = *wanted;
    made->key = key;
    made->row_id = brant__column_integer(statement, 0);
    made->source = brant__column_integer(statement, 2);
    made->target = brant__column_integer(statement, 3);
    made->revision = brant__column_integer(statement, 4);
    made->orientation = (uint8_t)brant__column_integer(statement, 5);
    BRANT__TRY(brant__read_type(&made->type, &put->graph, BRANT__EDGES,
                                brant__column_integer(statement, 1)));
    put->count++;
    register_slot(put, made);
    *out = made;
cleanup:
    brant__reset(statement);
    return status;
}

/*
 * True where a source has no stored edges, so that none of its items needs to be looked up. A load
 * that comes by source asks once a source, and not once an edge; where the answer is no too often,
 * nothing is asked.
 */
static brant_status probe_source(bool *out_fresh, brant__edge_batch *put, int64_t source) {
    brant__statement *statement = NULL;
    brant_status status = BRANT_OK;
    bool row;

    *out_fresh = false;
    if (put->probed == source) {
        *out_fresh = put->probed_fresh;
        return BRANT_OK;
    }
    if (put->items.count < PROBES_AT_LEAST ||
        (put->probes >= PROBES_AT_LEAST && put->probes_fresh * 2 < put->probes))
        return BRANT_OK;
    BRANT__TRY(brant__edge_statement(&statement, put->call, BRANT__EDGE_ANY_OUT));
    brant__bind_integer(statement, 1, source);
    BRANT__TRY(brant__step(&row, put->call->db, statement));
    put->probed = source;
    put->probed_fresh = *out_fresh = !row;
    put->probes++;
    put->probes_fresh += !row;
cleanup:
    brant__reset(statement);
    return status;
}

/* The stored edge of ends and type, as a new slot; *out NULL: there is none. */
static brant_status load_by_ends(brant__edge_slot **out, brant__edge_batch *put,
                                 const brant__edge_slot *wanted) {
    brant__statement *statement = NULL;
    brant__text key;
    brant__edge_slot *made;
    brant_status status;
    bool row, fresh;

    *out = NULL;
    if (put->graph.edges == 0) return BRANT_OK;
    status = probe_source(&fresh, put, wanted->source);
    if (status != BRANT_OK || fresh) return status;
    BRANT__TRY(brant__edge_statement(&statement, put->call, BRANT__EDGE_BY_ENDS));
    brant__bind_integer(statement, 1, wanted->source);
    brant__bind_integer(statement, 2, brant__type_edge_row(put->graph.type, wanted->type));
    brant__bind_integer(statement, 3, wanted->target);
    brant__bind_integer(statement, 4, wanted->orientation & BRANT__UNDIRECTED_EDGE);
    BRANT__TRY(brant__step(&row, put->call->db, statement));
    if (!row) goto cleanup;
    made = &put->slots[put->count];
    *made = *wanted;
    made->row_id = brant__column_integer(statement, 0);
    made->revision = brant__column_integer(statement, 1);
    made->orientation = (uint8_t)brant__column_integer(statement, 3);
    key = brant__column_text(statement, 2);
    made->key = key;
    if (key.data) {
        made->key.data = brant__arena_copy(put->call->arena, key.data, key.length);
        if (!made->key.data) {
            status = brant__fail_memory();
            goto cleanup;
        }
    }
    put->count++;
    register_slot(put, made);
    *out = made;
cleanup:
    brant__reset(statement);
    return status;
}

/* ---- judging --------------------------------------------------------------------------------- */

/* What an item is called in its fault: its key, or the one that would be derived. */
static brant__text item_key(brant__edge_batch *put, const brant__item *item) {
    brant__buffer text = {0};
    brant__text key = item->key;

    if (key.data || put->multi || !item->source.data || !item->target.data) return key;
    brant__buffer_append_byte(&text, '[');
    brant__json_append_text(&text, item->source);
    brant__buffer_append_byte(&text, ',');
    if (item->type)
        brant__json_append(&text, item->type);
    else
        brant__buffer_append(&text, "null", 4);
    brant__buffer_append_byte(&text, ',');
    brant__json_append_text(&text, item->target);
    brant__buffer_append_byte(&text, ']');
    key.length = text.length;
    key.data = text.failed ? NULL : brant__arena_copy(put->call->arena, text.data, text.length);
    brant__buffer_free(&text);
    return key;
}

#define FAULT(code, ...)                                                                           \
    brant__fault_add(&put->faults, index, item_key(put, item), NO_VIOLATIONS, code, __VA_ARGS__)

static const char *type_name(brant__edge_batch *put) {
    return brant__quoted(put->call, brant__text_string(put->graph.type->name));
}

/* The index of the type that an item gives; BRANT__NO_TYPE: none of the graph type's. */
static uint32_t given_type(brant__edge_batch *put, yyjson_val *type) {
    if (!put->graph.type->module->typed) return BRANT__NO_TYPE;
    if (put->last_type &&
        brant__text_equal(brant__json_text(put->last_type), brant__json_text(type)))
        return put->last_index;
    put->last_index = brant__type_edge(put->graph.type, brant__json_text(type));
    put->last_type = type;
    return put->last_index;
}

/*
 * In a mixed graph that is not multi, the key of an undirected edge that was given none: stored with it, so that what
 * is derived from ends and type alone stays the key of the directed one.
 */
#define UNDIRECTED_END ",\"undirected\"]"

static brant_status undirected_key(brant__text *out_key, brant__edge_batch *put,
                                   const brant__edge_slot *slot) {
    brant__edge_ends ends = {{NULL, 0}, slot->type, slot->source_key, slot->target_key};
    brant__buffer text = {0};
    brant_status status = brant__edge_key(out_key, put->call, &put->graph, &ends);

    if (status != BRANT_OK) return status;
    brant__buffer_append(&text, out_key->data, out_key->length - 1);
    brant__buffer_append(&text, UNDIRECTED_END, sizeof(UNDIRECTED_END) - 1);
    out_key->length = text.length;
    out_key->data =
        text.failed ? NULL : brant__arena_copy(put->call->arena, text.data, text.length);
    brant__buffer_free(&text);
    return out_key->data ? BRANT_OK : brant__fail_memory();
}

static bool is_undirected_key(brant__text key) {
    const size_t end = sizeof(UNDIRECTED_END) - 1;

    return key.length > end && key.data[0] == '[' &&
           memcmp(key.data + key.length - end, UNDIRECTED_END, end) == 0;
}

/* Is the edge undirected? As the graph is; in a mixed graph as the item says, or as it is stored. */
static brant_status read_undirected(bool *out_undirected, brant__edge_batch *put,
                                    const brant__item *item, const brant__edge_slot *wanted) {
    brant__edge_slot *slot;

    *out_undirected = put->undirected;
    if (!put->mixed) return BRANT_OK;
    if (item->undirected) {
        *out_undirected = yyjson_is_true(item->undirected);
    } else if (item->key.data) {
        slot = slot_by_key(put, item->key);
        if (!slot) {
            brant_status status = load_by_key(&slot, put, item->key, wanted);
            if (status != BRANT_OK) return status;
        }
        *out_undirected = slot && (slot->orientation & BRANT__UNDIRECTED_EDGE);
    }
    return BRANT_OK;
}

static brant_status find_ends(brant__node_ref *out_source, brant__node_ref *out_target,
                              brant__edge_batch *put, const brant__item *item) {
    brant_status status;

    if (put->last_source.data && brant__text_equal(put->last_source, item->source)) {
        *out_source = put->last_source_ref;
    } else {
        status = brant__lookup_node(out_source, &put->lookup, item->source);
        if (status != BRANT_OK) return status;
        put->last_source = item->source;
        put->last_source_ref = *out_source;
    }
    return brant__lookup_node(out_target, &put->lookup, item->target);
}

static bool end_allowed(const size_t *allowed, size_t count, uint32_t type) {
    if (count == SIZE_MAX) return true;
    for (size_t i = 0; i < count; i++)
        if (allowed[i] == type) return true;
    return false;
}

enum { GOING_OUT = 1, COMING_IN = 2 };

/* Add to how many edges of a type a node has in these directions, with those of this batch. */
static brant_status degree_add(int64_t *out_degree, brant__edge_batch *put, int64_t node,
                               uint32_t type, uint32_t directions, int64_t change) {
    const struct {
        int64_t node;
        uint32_t type;
        uint32_t directions;
    } key = {node, type, directions};
    brant__text text = {(const char *)&key, sizeof(key)};
    brant__statement *statement = NULL;
    brant_status status = BRANT_OK;
    bool row;

    *out_degree = 0;
    if (!brant__map_get(&put->degrees, text, out_degree) && put->graph.edges > 0) {
        for (uint32_t direction = GOING_OUT; direction <= COMING_IN; direction++) {
            if (!(directions & direction)) continue;
            BRANT__TRY(brant__edge_statement(&statement, put->call,
                                             direction == GOING_OUT ? BRANT__EDGE_DEGREE_OUT
                                                                    : BRANT__EDGE_DEGREE_IN));
            brant__bind_integer(statement, 1, node);
            brant__bind_integer(statement, 2, brant__type_edge_row(put->graph.type, type));
            BRANT__TRY(brant__step(&row, put->call->db, statement));
            *out_degree += brant__column_integer(statement, 0);
            brant__reset(statement);
            if (!put->mixed) continue;
            BRANT__TRY(brant__edge_statement(&statement, put->call,
                                             direction == GOING_OUT
                                                 ? BRANT__EDGE_DEGREE_UNDIRECTED_IN
                                                 : BRANT__EDGE_DEGREE_UNDIRECTED_OUT));
            brant__bind_integer(statement, 1, node);
            brant__bind_integer(statement, 2, brant__type_edge_row(put->graph.type, type));
            BRANT__TRY(brant__step(&row, put->call->db, statement));
            *out_degree += brant__column_integer(statement, 0);
            brant__reset(statement);
        }
    }
    *out_degree += change;
    if (!brant__map_put(&put->degrees, text, *out_degree)) status = brant__fail_memory();
cleanup:
    brant__reset(statement);
    return status;
}

/* One of the limits that a new edge counts against. */
typedef struct degree_limit {
    int64_t limit;
    int64_t node;
    brant__text key;
    uint32_t directions;
} degree_limit;

/*
 * In an undirected graph an edge counts for both its ends, against the lower limit; an undirected edge of a mixed graph goes
 * out of both its ends and comes in at both.
 */
static size_t list_limits(degree_limit out[4], const brant__edge_batch *put,
                          const brant__edge_slot *slot) {
    const brant__edge_type *type = &put->graph.type->module->edge_types[slot->type];
    bool turned = (slot->orientation & BRANT__UNDIRECTED_EDGE) != 0;
    int64_t lower = type->max_in < 0 || (type->max_out >= 0 && type->max_out < type->max_in)
                        ? type->max_out
                        : type->max_in;
    size_t count = 0;

    for (int end = 0; end < 2; end++) {
        int64_t node = end ? slot->target : slot->source;
        brant__text key = end ? slot->target_key : slot->source_key;
        if (put->undirected) {
            if (lower >= 0) out[count++] = (degree_limit){lower, node, key, GOING_OUT | COMING_IN};
            continue;
        }
        if ((!end || turned) && type->max_out >= 0)
            out[count++] = (degree_limit){type->max_out, node, key, GOING_OUT};
        if ((end || turned) && type->max_in >= 0)
            out[count++] = (degree_limit){type->max_in, node, key, COMING_IN};
    }
    return count;
}

/* Take an edge back that was counted against the first `count` of its limits. */
static brant_status forget_degrees(brant__edge_batch *put, const brant__edge_slot *slot,
                                   const degree_limit *limits, size_t count) {
    int64_t degree;
    brant_status status = BRANT_OK;

    for (size_t i = 0; i < count && status == BRANT_OK; i++)
        status = degree_add(&degree, put, limits[i].node, slot->type, limits[i].directions, -1);
    return status;
}

static brant_status judge_degrees(brant__edge_batch *put, size_t index, const brant__item *item,
                                  const brant__edge_slot *slot) {
    degree_limit limits[4];
    size_t count = list_limits(limits, put, slot);

    for (size_t i = 0; i < count; i++) {
        int64_t degree;
        brant_status status =
            degree_add(&degree, put, limits[i].node, slot->type, limits[i].directions, 1);
        if (status != BRANT_OK) return status;
        if (degree <= limits[i].limit) continue;
        status = forget_degrees(put, slot, limits, i + 1);
        if (status != BRANT_OK) return status;
        return FAULT(BRANT_CONSTRAINT, "node %s may have %lld edges of type %s%s",
                     brant__quoted(put->call, limits[i].key), (long long)limits[i].limit,
                     brant__quoted(put->call, put->graph.type->module->edge_types[slot->type].name),
                     limits[i].directions == GOING_OUT   ? " that go out"
                     : limits[i].directions == COMING_IN ? " that come in"
                                                         : "");
    }
    return BRANT_OK;
}

/* Would a new edge close a cycle with the graph and the new edges before it? */
static brant_status judge_cycle(brant__edge_batch *put, brant__edge_slot *slot) {
    bool closed;
    brant_status status;

    if (put->dag) {
        status = brant__dag_add(&closed, put->dag, slot->source, slot->target);
    } else {
        status = brant__cycle_closed_by(&closed, put->call, &put->graph, slot->source, slot->target,
                                        put->pairs, put->created);
        if (status == BRANT_OK && !closed)
            put->pairs[put->created] = (brant__pair){slot->source, slot->target};
    }
    if (status != BRANT_OK || !closed) return status;
    return brant__edge_fault_cycle(put, slot);
}

/* What only a new edge can break. */
static brant_status judge_new(brant__edge_batch *put, size_t index, const brant__item *item,
                              const brant__edge_slot *slot, uint32_t source_type,
                              uint32_t target_type) {
    const brant__module *module = put->graph.type->module;

    if (slot->source == slot->target && !module->config.allow_self_loops)
        return FAULT(BRANT_CONSTRAINT, "graph type %s allows no self-loops, as of node %s",
                     type_name(put), brant__quoted(put->call, slot->source_key));
    if (slot->source == slot->target && module->config.acyclic)
        return FAULT(BRANT_CONSTRAINT,
                     "graph type %s is acyclic, and an edge from node %s to itself is a cycle",
                     type_name(put), brant__quoted(put->call, slot->source_key));
    if (slot->orientation & BRANT__UNDIRECTED_EDGE && module->config.acyclic)
        return FAULT(BRANT_CONSTRAINT,
                     "graph type %s is acyclic, and an undirected edge goes both ways",
                     type_name(put));
    if (module->config.max_edges >= 0 &&
        put->graph.edges + (int64_t)put->created >= module->config.max_edges)
        return FAULT(BRANT_CONSTRAINT, "graph %s may have %lld edges",
                     brant__quoted(put->call, put->graph.name),
                     (long long)module->config.max_edges);
    if (!module->typed) return BRANT_OK;
    {
        const brant__edge_type *type = &module->edge_types[slot->type];
        bool fits = end_allowed(type->sources, type->source_count, source_type) &&
                    end_allowed(type->targets, type->target_count, target_type);
        /* Undirected: the ends were put in order; either way will do. */
        if (!fits && (put->undirected || (slot->orientation & BRANT__UNDIRECTED_EDGE)))
            fits = end_allowed(type->sources, type->source_count, target_type) &&
                   end_allowed(type->targets, type->target_count, source_type);
        if (!fits)
            return FAULT(BRANT_CONSTRAINT, "edges of type %s do not go from a %s to a %s",
                         brant__quoted(put->call, type->name),
                         brant__quoted(put->call, module->node_types[source_type].name),
                         brant__quoted(put->call, module->node_types[target_type].name));
        if (type->max_out >= 0 || type->max_in >= 0) return judge_degrees(put, index, item, slot);
    }
    return BRANT_OK;
}

/* All that only a new edge can break; *out_good false: a fault is noted, and nothing of the edge is
 * remembered. */
static brant_status judge_made(bool *out_good, brant__edge_batch *put, size_t index,
                               const brant__item *item, brant__edge_slot *slot,
                               uint32_t source_type, uint32_t target_type) {
    size_t faults = put->faults.total;
    degree_limit limits[4];
    brant_status status = judge_new(put, index, item, slot, source_type, target_type);

    *out_good = faults == put->faults.total;
    if (status != BRANT_OK || !*out_good || !put->tested) return status;
    status = judge_cycle(put, slot);
    *out_good = faults == put->faults.total;
    if (status != BRANT_OK || *out_good || !put->graph.type->module->typed) return status;
    return forget_degrees(put, slot, limits, list_limits(limits, put, slot));
}

/*
 * Does a given key say what it would be derived from? Of the item's own ends it is no explicit key
 * (and may give the type); of others it is refused.
 */
static brant_status read_derived(bool *out_refused, brant__edge_batch *put, brant__item *item,
                                 brant__edge_slot *wanted) {
    brant__text source, type, target;
    uint32_t index;
    bool derived;
    brant_status status;

    *out_refused = false;
    if (put->multi) return BRANT_OK;
    status = brant__edge_key_parse(&derived, &source, &type, &target, put->call, item->key);
    if (status != BRANT_OK || !derived) return status;
    *out_refused = true;
    if (wanted->orientation & BRANT__UNDIRECTED_EDGE) return BRANT_OK; /* a directed edge's */
    if (put->undirected && brant__text_compare(source, target) > 0) {
        brant__text swap = source;
        source = target;
        target = swap;
    }
    if (!brant__text_equal(source, wanted->source_key) ||
        !brant__text_equal(target, wanted->target_key))
        return BRANT_OK;
    if ((type.data != NULL) != put->graph.type->module->typed) return BRANT_OK;
    if (item->type && (!type.data || !brant__text_equal(type, brant__json_text(item->type))))
        return BRANT_OK;
    index = type.data ? brant__type_edge(put->graph.type, type) : 0;
    if (index == BRANT__NO_TYPE) return BRANT_OK;
    *out_refused = false;
    wanted->type = index;
    item->key = (brant__text){NULL, 0};
    return BRANT_OK;
}

/* The key that a new edge is stored with where it was given none: nothing where ends and type say enough. */
static brant_status name_slot(brant__edge_slot *slot, brant__edge_batch *put) {
    char id[37];
    brant_status status;

    if (slot->key.data) return BRANT_OK;
    if (!put->multi)
        return slot->orientation & BRANT__UNDIRECTED_EDGE ? undirected_key(&slot->key, put, slot)
                                                          : BRANT_OK;
    status = brant__db_uuid(put->call->db, id);
    if (status != BRANT_OK) return status;
    slot->key = brant__text_of(brant__arena_copy(put->call->arena, id, 36), 36);
    return slot->key.data ? BRANT_OK : brant__fail_memory();
}

/* What an item's attributes are as they are stored, in *out_sealed; *out_good false: a fault is noted. */
static brant_status seal(bool *out_good, brant__text *out_sealed, brant__edge_batch *put,
                         size_t index, const brant__item *item, brant__edge_slot *slot,
                         yyjson_val *attributes) {
    brant__edge_ends ends;
    brant__text key;
    brant_status status = name_slot(slot, put);

    *out_good = false;
    if (status != BRANT_OK) return status;
    ends = (brant__edge_ends){slot->key, slot->type, slot->source_key, slot->target_key};
    status = brant__edge_key(&key, put->call, &put->graph, &ends);
    if (status != BRANT_OK) return status;
    status = brant__seal_item(out_sealed, put->call, &put->graph, BRANT__EDGES, slot->type, key,
                              attributes, slot->row_id, slot->sealed, put->mode == BRANT__REPLAY);
    *out_good = status == BRANT_OK;
    return *out_good ? BRANT_OK
                     : brant__seal_fault(&put->faults, index, item_key(put, item), status);
}

/* Take a new edge that is well into the batch: *slot is then its place there. */
static brant_status keep_slot(brant__edge_slot **slot, brant__edge_batch *put) {
    brant__edge_slot *kept = &put->slots[put->count];
    const bool found_again = (*slot)->key.data || !put->multi;
    brant_status status;

    *kept = **slot;
    status = name_slot(kept, put);
    if (status != BRANT_OK) return status;
    if (found_again) register_slot(put, kept);
    put->count++;
    put->created++;
    *slot = kept;
    return BRANT_OK;
}

static brant_status judge(brant__edge_batch *put, size_t index, brant__item *item) {
    const brant__module *module = put->graph.type->module;
    brant__call *call = put->call;
    yyjson_val *attributes = item->attributes ? item->attributes : put->empty;
    brant__node_ref source, target;
    brant__edge_slot wanted = {.source_key = item->source,
                               .target_key = item->target,
                               .type = BRANT__NO_TYPE,
                               .index = (uint32_t)index};
    brant__edge_slot *slot = NULL, *taken = NULL;
    brant__text sealed = {NULL, 0};
    const char *message;
    bool refused, undirected, good, made = false;
    brant_status status;

    /* The ends. */
    if (item->source.length == 0 || item->target.length == 0)
        return FAULT(BRANT_INVALID, "source or target is missing or empty");
    status = find_ends(&source, &target, put, item);
    if (status != BRANT_OK) return status;
    if (!source.row_id || !target.row_id)
        return FAULT(BRANT_NOT_FOUND, "no node %s in graph %s",
                     brant__quoted(call, source.row_id ? item->target : item->source),
                     brant__quoted(call, put->graph.name));
    if (item->undirected && !yyjson_is_bool(item->undirected))
        return FAULT(BRANT_INVALID, "undirected is not a boolean");
    if (item->undirected && !put->mixed && yyjson_is_true(item->undirected) != put->undirected)
        return FAULT(BRANT_INVALID, "edges of graph type %s are %s", type_name(put),
                     put->undirected ? "undirected" : "directed");
    status = read_undirected(&undirected, put, item, &wanted);
    if (status != BRANT_OK) return status;
    if (undirected && put->mixed) wanted.orientation = BRANT__UNDIRECTED_EDGE;
    if (undirected && brant__text_compare(item->source, item->target) > 0) {
        brant__node_ref swap = source;
        source = target;
        target = swap;
        wanted.source_key = item->target;
        wanted.target_key = item->source;
        wanted.orientation |= BRANT__ENDS_TURNED;
    }
    wanted.source = source.row_id;
    wanted.target = target.row_id;

    /* The key, and the type, which an edge that is known by its key has already. */
    if (item->key.data) {
        status = read_derived(&refused, put, item, &wanted);
        if (status != BRANT_OK) return status;
        if (refused)
            return FAULT(BRANT_INVALID, "the key is the one of other ends or another type");
    }
    if (item->key.data) {
        status = brant__key_check(&message, call->db, item->key);
        if (status != BRANT_OK) return FAULT(status, "%s", message);
        slot = slot_by_key(put, item->key);
        if (!slot) {
            status = load_by_key(&slot, put, item->key, &wanted);
            if (status != BRANT_OK) return status;
        }
    }
    if (item->type) {
        wanted.type = given_type(put, item->type);
        if (wanted.type == BRANT__NO_TYPE)
            return FAULT(BRANT_INVALID, "graph type %s has no edge type %s%s", type_name(put),
                         brant__quoted(call, brant__json_text(item->type)),
                         brant__type_choices(call, put->graph.type, true));
    } else if (slot) {
        wanted.type = slot->type;
    } else if (wanted.type != BRANT__NO_TYPE) {
        /* The derived key said it. */
    } else if (!module->typed || module->edge_type_count == 1) {
        wanted.type = 0;
    } else if (module->edge_type_count == 0) {
        return FAULT(BRANT_INVALID, "graph type %s has no edge types", type_name(put));
    } else {
        return FAULT(BRANT_INVALID, "a new edge of graph type %s needs a type%s", type_name(put),
                     brant__type_choices(call, put->graph.type, true));
    }

    if (put->mixed && !put->multi && item->key.data && is_undirected_key(item->key)) {
        brant__text own;
        status = undirected_key(&own, put, &wanted);
        if (status != BRANT_OK) return status;
        if (!undirected || !brant__text_equal(own, item->key))
            return FAULT(BRANT_INVALID, "the key is the one of other ends or another type");
    }

    /* The edge. */
    if (slot) {
        if (slot->source != wanted.source || slot->target != wanted.target ||
            slot->type != wanted.type ||
            ((slot->orientation ^ wanted.orientation) & BRANT__UNDIRECTED_EDGE))
            return FAULT(BRANT_CONSTRAINT, "edge %s has other ends or another type, which stay",
                         brant__quoted(call, item->key));
    } else {
        if (!put->multi) {
            taken = slot_by_ends(put, &wanted);
            if (!taken) {
                status = load_by_ends(&taken, put, &wanted);
                if (status != BRANT_OK) return status;
            }
        }
        if (taken && item->key.data)
            return FAULT(BRANT_CONSTRAINT,
                         "there is an edge of these ends and type with another key already");
        slot = taken;
    }
    if (slot && put->mode != BRANT__PUT) return FAULT(BRANT_EXISTS, "the edge exists already");
    if (!slot) {
        slot = &wanted;
        slot->created = made = true;
        slot->key = item->key;
    }

    /* What is asked of it. */
    if (item->revision) {
        int64_t required = brant__json_integer(item->revision, -1);
        if (required != slot->revision)
            return FAULT(BRANT_CONFLICT,
                         slot->revision ? "the edge has revision %lld, not %lld"
                                        : "the edge does not exist: its revision is %lld, not %lld",
                         (long long)slot->revision, (long long)required);
    }
    if (!yyjson_is_obj(attributes)) return FAULT(BRANT_INVALID, "attributes are not an object");
    if (item->metadata && !yyjson_is_obj(item->metadata))
        return FAULT(BRANT_INVALID, "metadata is not an object");
    if (module->typed &&
        !brant__schema_accepts(module->edge_types[slot->type].schema, attributes)) {
        brant__text violations;
        size_t count;
        status = brant__violations(&violations, &count, call, module->edge_types[slot->type].schema,
                                   attributes);
        if (status != BRANT_OK) return status;
        char first[BRANT__VIOLATION_TEXT];
        brant__violation_first(first, violations);
        return brant__fault_add(
            &put->faults, index, item_key(put, item), violations, BRANT_VALIDATION,
            "the attributes of the edge from %s to %s do not satisfy edge type %s: %s%s",
            brant__quoted(call, item->source), brant__quoted(call, item->target),
            brant__quoted(call, module->edge_types[slot->type].name), first,
            count == 1 ? "" : ", and more");
    }
    if (brant__type_encrypts(put->graph.type, BRANT__EDGES, slot->type)) {
        status = seal(&good, &sealed, put, index, item, slot, attributes);
        if (status != BRANT_OK || !good) return status;
    }
    if (made) {
        status = judge_made(&good, put, index, item, slot, source.type, target.type);
        if (status != BRANT_OK || !good) return status;
        status = keep_slot(&slot, put);
        if (status != BRANT_OK) return status;
    }
    slot->attributes = attributes;
    slot->sealed = sealed;
    if (item->metadata) slot->metadata = item->metadata;
    slot->revision++;
    slot->puts++;
    put->good++;
    return BRANT_OK;
}

/* ---- all of them ----------------------------------------------------------------------------- */

/* Where new edges are tested as they come: the ends of all of them, as far as they exist. */
static brant_status begin_dag(brant__edge_batch *put) {
    brant__pair *pairs = brant__alloc((put->items.count + 1) * sizeof(*pairs));
    size_t count = 0;
    brant_status status;

    if (!pairs) return brant__fail_memory();
    for (;;) {
        brant__item item;
        brant__node_ref source, target;
        yyjson_val *value;
        size_t index;
        BRANT__TRY(brant__items_next(&value, &index, &put->items));
        if (!value) break;
        brant__item_read(&item, value);
        if (item.source.length == 0 || item.target.length == 0) continue;
        BRANT__TRY(find_ends(&source, &target, put, &item));
        if (source.row_id && target.row_id)
            pairs[count++] = (brant__pair){source.row_id, target.row_id};
    }
    brant__items_rewind(&put->items);
    status = brant__dag_begin(&put->dag, put->call, &put->graph, pairs, count);
cleanup:
    brant__free(pairs);
    return status;
}

static brant_status judge_all(brant__edge_batch *put) {
    unsigned allowed = BRANT__ITEM_SOURCE | BRANT__ITEM_TARGET | BRANT__ITEM_KEY |
                       BRANT__ITEM_TYPE | BRANT__ITEM_UNDIRECTED | BRANT__ITEM_ATTRIBUTES |
                       BRANT__ITEM_METADATA |
                       (put->mode == BRANT__PUT ? (unsigned)BRANT__ITEM_REVISION : 0u);
    brant_status status = BRANT_OK;

    put->tested = put->items.skip && put->graph.type->module->config.acyclic;
    if (put->tested && put->items.count > BRANT__CYCLE_TESTS) BRANT__TRY(begin_dag(put));
    for (;;) {
        brant__item item;
        yyjson_val *value;
        size_t index;
        bool good;
        BRANT__TRY(brant__items_next(&value, &index, &put->items));
        if (!value) break;
        BRANT__TRY(brant__item_check(&good, &put->items, index, value, allowed));
        if (!good) continue;
        brant__item_read(&item, value);
        BRANT__TRY(judge(put, index, &item));
    }
cleanup:
    return status;
}

brant_status brant__edges_put(brant__call *call, int mode, bool single) {
    brant__edge_batch put = {
        .call = call, .faults = {.call = call, .single = single}, .mode = mode};
    brant__graphs *state;
    brant_status status;

    BRANT__TRY(brant__graph_find(&put.graph, call, true));
    brant__seal_watch(call->db, put.graph.type);
    put.undirected = brant__graph_undirected(&put.graph);
    put.mixed = brant__graph_mixed(&put.graph);
    put.multi = brant__graph_multi(&put.graph);
    BRANT__TRY(brant__items_begin(&put.items, call, &put.faults, single));
    BRANT__TRY(brant__graphs_state(&state, call->db));
    put.empty = state->empty.root;
    put.slots = brant__alloc((put.items.count + 1) * sizeof(*put.slots));
    if (!put.slots) {
        status = brant__fail_memory();
        goto cleanup;
    }
    if (!put.multi) BRANT__TRY(brant__slot_set_begin(&put.by_ends, put.items.count));
    BRANT__TRY(brant__slot_set_begin(&put.by_key, put.items.count));
    BRANT__TRY(brant__lookup_begin(&put.lookup, call, &put.graph, put.items.count * 2));
    BRANT__TRY(judge_all(&put));
    if (!put.items.skip) BRANT__TRY(brant__faults_report(&put.faults));
    status = brant__edges_write(&put);
cleanup:
    brant__dag_free(put.dag);
    brant__map_free(&put.degrees);
    brant__buffer_free(&put.text);
    brant__slot_set_free(&put.by_key);
    brant__slot_set_free(&put.by_ends);
    brant__free(put.slots);
    brant__items_free(&put.items);
    return status;
}
