/*
 * graph/node_put.c: writing nodes, one or many.
 *
 * Two passes. The first judges the items in order and writes nothing: each finds its slot (one for
 * each key of the batch), and a slot knows whether its node is stored and what the items so far
 * made of it. The second writes the slots: new nodes in order, many rows a statement. So an
 * operation with faults reports them all, and a key that comes twice is written once. An item at
 * fault leaves no trace in its slot, so that the others can be written without it.
 */
#include "graph/change.h"
#include "graph/seal.h"

#define POLL_MASK 4095

typedef struct node_slot {
    brant__text key;
    yyjson_val *attributes;
    brant__text
        sealed; /* the attributes as they are stored, where the type encrypts; else {NULL, 0} */
    yyjson_val *metadata; /* NULL: as stored */
    brant__node_ref ref;  /* row_id 0: new, until it is written */
    int64_t revision;     /* as the items so far leave it; -1: stored and not read yet */
    uint32_t puts;        /* 0: all its items are at fault */
    bool created;
} node_slot;

typedef struct node_put {
    brant__call *call;
    brant__graph graph;
    brant__lookup lookup;
    brant__faults faults;
    brant__items items;
    int mode;
    node_slot *slots;
    size_t count;
    size_t good; /* items */
    size_t created;
    brant__slot_set set;
    yyjson_val *empty;     /* {} */
    yyjson_val *last_type; /* the type given last, and its index */
    uint32_t last_index;
    brant__buffer text; /* attributes and metadata of the rows of one statement */
} node_put;

/* ---- judging --------------------------------------------------------------------------------- */

#define NO_VIOLATIONS ((brant__text){NULL, 0})

/* The index of the type that an item gives; BRANT__NO_TYPE: none of the graph type's. */
static uint32_t given_type(node_put *put, yyjson_val *type) {
    brant__text name = brant__json_text(type);

    if (!put->graph.type->module->typed) return BRANT__NO_TYPE;
    if (put->last_type && brant__text_equal(brant__json_text(put->last_type), name))
        return put->last_index;
    put->last_index = brant__type_node(put->graph.type, name);
    put->last_type = type;
    return put->last_index;
}

static brant_status find_slot(node_slot **out, node_put *put, const brant__item *item) {
    uint64_t hash = brant__hash_seeded(item->key.data, item->key.length, brant__hash_seed());
    size_t at = (size_t)hash;
    uint32_t slot;
    node_slot *made;
    brant_status status = BRANT_OK;

    while (brant__slot_set_next(&slot, &at, &put->set, hash))
        if (brant__text_equal(put->slots[slot].key, item->key)) {
            *out = &put->slots[slot];
            return BRANT_OK;
        }
    made = &put->slots[put->count];
    *made = (node_slot){.key = item->key, .ref = {0, BRANT__NO_TYPE}};
    if (put->faults.single || item->revision)
        status = brant__node_find(&made->ref, &made->revision, put->call, &put->graph, item->key);
    else
        status = brant__lookup_node(&made->ref, &put->lookup, item->key);
    if (status != BRANT_OK) return status;
    if (!made->ref.row_id) {
        made->ref.type = BRANT__NO_TYPE;
        made->created = true;
    } else if (!put->faults.single && !item->revision) {
        made->revision = -1;
    }
    brant__slot_set_add(&put->set, hash, (uint32_t)put->count++);
    *out = made;
    return BRANT_OK;
}

/* The revision of a stored node that was found in the kept keys. */
static brant_status read_revision(node_put *put, node_slot *slot) {
    brant__statement *statement = NULL;
    brant_status status;
    bool row;

    BRANT__TRY(brant__node_statement(&statement, put->call, BRANT__NODE_REVISION));
    brant__bind_integer(statement, 1, slot->ref.row_id);
    BRANT__TRY(brant__step(&row, put->call->db, statement));
    slot->revision = (row ? brant__column_integer(statement, 0) : 0) + slot->puts;
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status judge(node_put *put, size_t index, const brant__item *item) {
    const brant__module *module = put->graph.type->module;
    brant__call *call = put->call;
    brant__faults *faults = &put->faults;
    yyjson_val *attributes = item->attributes ? item->attributes : put->empty;
    node_slot *slot;
    const char *message;
    brant__text sealed;
    uint32_t type;
    brant_status status;

    status = brant__key_check(&message, call->db, item->key);
    if (status != BRANT_OK)
        return brant__fault_add(faults, index, item->key, NO_VIOLATIONS, status, "%s", message);
    status = find_slot(&slot, put, item);
    if (status != BRANT_OK) return status;

    if (put->mode != BRANT__PUT && (!slot->created || slot->puts > 0))
        return brant__fault_add(faults, index, item->key, NO_VIOLATIONS, BRANT_EXISTS,
                                "node %s exists already", brant__quoted(call, item->key));
    if (item->type) {
        type = given_type(put, item->type);
        if (type == BRANT__NO_TYPE)
            return brant__fault_add(faults, index, item->key, NO_VIOLATIONS, BRANT_INVALID,
                                    "graph type %s has no node type %s%s",
                                    brant__quoted(call, brant__text_string(put->graph.type->name)),
                                    brant__quoted(call, brant__json_text(item->type)),
                                    brant__type_choices(call, put->graph.type, false));
        if (slot->ref.type != BRANT__NO_TYPE && slot->ref.type != type)
            return brant__fault_add(
                faults, index, item->key, NO_VIOLATIONS, BRANT_CONSTRAINT,
                "node %s is of type %s, which stays", brant__quoted(call, item->key),
                brant__quoted(call, brant__type_node_name(put->graph.type, slot->ref.type)));
    } else if (slot->ref.type != BRANT__NO_TYPE) {
        type = slot->ref.type;
    } else if (!module->typed || module->node_type_count == 1) {
        type = 0;
    } else {
        return brant__fault_add(faults, index, item->key, NO_VIOLATIONS, BRANT_INVALID,
                                "a new node of graph type %s needs a type%s",
                                brant__quoted(call, brant__text_string(put->graph.type->name)),
                                brant__type_choices(call, put->graph.type, false));
    }

    if (item->revision) {
        int64_t wanted = brant__json_integer(item->revision, -1);
        if (slot->revision < 0) {
            status = read_revision(put, slot);
            if (status != BRANT_OK) return status;
        }
        if (wanted != slot->revision)
            return brant__fault_add(
                faults, index, item->key, NO_VIOLATIONS, BRANT_CONFLICT,
                slot->revision ? "node %s has revision %lld, not %lld"
                               : "node %s does not exist: its revision is %lld, not %lld",
                brant__quoted(call, item->key), (long long)slot->revision, (long long)wanted);
    }
    if (!yyjson_is_obj(attributes))
        return brant__fault_add(faults, index, item->key, NO_VIOLATIONS, BRANT_INVALID,
                                "attributes are not an object");
    if (item->metadata && !yyjson_is_obj(item->metadata))
        return brant__fault_add(faults, index, item->key, NO_VIOLATIONS, BRANT_INVALID,
                                "metadata is not an object");
    if (module->typed && !brant__schema_accepts(module->node_types[type].schema, attributes)) {
        brant__text violations;
        size_t count;
        status = brant__violations(&violations, &count, call, module->node_types[type].schema,
                                   attributes);
        if (status != BRANT_OK) return status;
        char first[BRANT__VIOLATION_TEXT];
        brant__violation_first(first, violations);
        return brant__fault_add(faults, index, item->key, violations, BRANT_VALIDATION,
                                "the attributes of node %s do not satisfy node type %s: %s%s",
                                brant__quoted(call, item->key),
                                brant__quoted(call, module->node_types[type].name), first,
                                count == 1 ? "" : ", and more");
    }
    if (slot->created && slot->puts == 0 && module->config.max_nodes >= 0 &&
        put->graph.nodes + (int64_t)put->created >= module->config.max_nodes)
        return brant__fault_add(faults, index, item->key, NO_VIOLATIONS, BRANT_CONSTRAINT,
                                "graph %s may have %lld nodes",
                                brant__quoted(call, put->graph.name),
                                (long long)module->config.max_nodes);
    if (brant__type_encrypts(put->graph.type, BRANT__NODES, type)) {
        status =
            brant__seal_item(&sealed, call, &put->graph, BRANT__NODES, type, item->key, attributes,
                             slot->ref.row_id, slot->sealed, put->mode == BRANT__REPLAY);
        if (status != BRANT_OK) return brant__seal_fault(faults, index, item->key, status);
        slot->sealed = sealed;
    }
    if (slot->created && slot->puts == 0) put->created++;
    slot->ref.type = type;
    slot->attributes = attributes;
    if (item->metadata) slot->metadata = item->metadata;
    if (slot->revision >= 0) slot->revision++;
    slot->puts++;
    put->good++;
    return BRANT_OK;
}

/* ---- writing --------------------------------------------------------------------------------- */

static brant_status update(node_put *put, const node_slot *slot) {
    brant__statement *statement;
    brant__text attributes = {NULL, 0}, metadata = {NULL, 0};
    brant_status status;

    BRANT__TRY(brant__values_write(&attributes, &metadata, &put->text, slot->sealed,
                                   slot->attributes, slot->metadata));
    BRANT__TRY(brant__change_before(put->call, &put->graph, BRANT__NODES, slot->ref.row_id));
    BRANT__TRY(brant__node_statement(&statement, put->call, BRANT__NODE_UPDATE));
    brant__bind_text(statement, 1, attributes);
    brant__bind_text(statement, 2, metadata);
    brant__bind_integer(statement, 3, slot->puts);
    brant__bind_integer(statement, 4, brant__db_now(put->call->db));
    brant__bind_integer(statement, 5, put->graph.version);
    brant__bind_integer(statement, 6, slot->ref.row_id);
    BRANT__TRY(brant__run(put->call->db, statement));
    status = brant__change_after(put->call, &put->graph, BRANT__NODES, slot->ref.row_id);
cleanup:
    return status;
}

static brant_status insert_one(node_put *put, node_slot *slot) {
    brant__statement *statement;
    brant__text attributes = {NULL, 0}, metadata = {NULL, 0};
    brant_status status;

    BRANT__TRY(brant__values_write(&attributes, &metadata, &put->text, slot->sealed,
                                   slot->attributes, slot->metadata));
    BRANT__TRY(brant__node_statement(&statement, put->call, BRANT__NODE_INSERT));
    brant__bind_integer(statement, 1, put->graph.row_id);
    brant__bind_integer(statement, 2, brant__db_now(put->call->db));
    brant__bind_integer(statement, 3, put->graph.version);
    brant__bind_text(statement, 4, slot->key);
    brant__bind_integer(statement, 5, brant__type_node_row(put->graph.type, slot->ref.type));
    brant__bind_text(statement, 6, attributes);
    brant__bind_text(statement, 7, metadata);
    brant__bind_integer(statement, 8, slot->puts);
    BRANT__TRY(brant__run(put->call->db, statement));
    slot->ref.row_id = brant__last_row_id(put->call->db);
    status = brant__change_after(put->call, &put->graph, BRANT__NODES, slot->ref.row_id);
cleanup:
    return status;
}

static brant_status insert_rows(node_put *put, node_slot *const *slots) {
    brant__statement *statement;
    size_t ends[BRANT__ROWS];
    int64_t last;
    brant_status status;

    brant__buffer_reset(&put->text);
    for (size_t i = 0; i < BRANT__ROWS; i++) {
        brant__attributes_write(&put->text, slots[i]->sealed, slots[i]->attributes);
        ends[i] = put->text.length;
    }
    if (put->text.failed) return brant__fail_memory();
    BRANT__TRY(brant__node_statement(&statement, put->call, BRANT__NODE_INSERT_ROWS));
    brant__bind_integer(statement, 1, put->graph.row_id);
    brant__bind_integer(statement, 2, brant__db_now(put->call->db));
    brant__bind_integer(statement, 3, put->graph.version);
    for (size_t i = 0; i < BRANT__ROWS; i++) {
        size_t begin = i ? ends[i - 1] : 0;
        int first = 4 + 3 * (int)i;
        brant__bind_text(statement, first, slots[i]->key);
        brant__bind_integer(statement, first + 1,
                            brant__type_node_row(put->graph.type, slots[i]->ref.type));
        brant__bind_text(statement, first + 2,
                         brant__text_of(put->text.data + begin, ends[i] - begin));
    }
    BRANT__TRY(brant__run(put->call->db, statement));
    /* We hold the write lock, and SQLite numbers the rows of one statement one after the other. */
    last = brant__last_row_id(put->call->db);
    for (size_t i = 0; i < BRANT__ROWS; i++) {
        slots[i]->ref.row_id = last - (int64_t)(BRANT__ROWS - 1 - i);
        BRANT__TRY(brant__change_after(put->call, &put->graph, BRANT__NODES, slots[i]->ref.row_id));
    }
cleanup:
    return status;
}

static brant_status write_slots(node_put *put) {
    node_slot *pending[BRANT__ROWS];
    size_t waiting = 0;
    brant_status status = BRANT_OK;

    for (size_t i = 0; i < put->count; i++) {
        node_slot *slot = &put->slots[i];
        if ((i & POLL_MASK) == POLL_MASK) BRANT__TRY(brant__db_poll(put->call->db));
        if (slot->puts == 0) continue;
        if (!slot->created) {
            BRANT__TRY(update(put, slot));
        } else if (slot->metadata || slot->puts > 1) {
            for (size_t at = 0; at < waiting; at++)
                BRANT__TRY(insert_one(put, pending[at]));
            waiting = 0;
            BRANT__TRY(insert_one(put, slot));
        } else {
            pending[waiting++] = slot;
            if (waiting < BRANT__ROWS) continue;
            BRANT__TRY(insert_rows(put, pending));
            waiting = 0;
        }
    }
    for (size_t at = 0; at < waiting; at++)
        BRANT__TRY(insert_one(put, pending[at]));
cleanup:
    return status;
}

/* Counts, kept keys, notifications. */
static brant_status finish(node_put *put) {
    const brant__module *module = put->graph.type->module;
    brant__announcement created = {0}, updated = {0};
    int64_t *counts;
    size_t types = module->node_type_count + 1;
    brant_status status;

    counts = brant__arena_alloc(put->call->arena, types * sizeof(*counts));
    if (!counts) return brant__fail_memory();
    memset(counts, 0, types * sizeof(*counts));
    for (size_t i = 0; i < put->count; i++) {
        const node_slot *slot = &put->slots[i];
        if (slot->puts == 0) continue;
        brant__announcement_add(slot->created ? &created : &updated, slot->key);
        if (!slot->created) continue;
        counts[slot->ref.type]++;
        brant__lookup_added(&put->lookup, slot->key, slot->ref);
    }
    for (uint32_t i = 0; i < types - 1 || i == 0; i++)
        BRANT__TRY(brant__graph_counted(put->call, &put->graph, BRANT__NODES,
                                        brant__type_node_row(put->graph.type, i), counts[i]));
    BRANT__TRY(
        brant__graph_changed(put->call, &put->graph, (int64_t)put->created, 0, put->created > 0));
    brant__lookup_end(&put->lookup);
    BRANT__TRY(brant__announce(put->call, &put->graph, "nodes:created", &created));
    BRANT__TRY(brant__announce(put->call, &put->graph, "nodes:updated", &updated));
cleanup:
    brant__announcement_free(&created);
    brant__announcement_free(&updated);
    return status;
}

static void answer(node_put *put) {
    brant__writer *out = put->call->out;

    brant__write_object(out);
    if (put->faults.single) {
        brant__write_text_member(out, "key", put->slots[0].key);
        brant__write_bool_member(out, "created", put->slots[0].created);
        brant__write_integer_member(out, "revision", put->slots[0].revision);
    } else {
        brant__write_integer_member(out, "created", (int64_t)put->created);
        if (put->mode == BRANT__PUT) {
            brant__write_integer_member(out, "updated", (int64_t)(put->good - put->created));
        }
        brant__items_answer(out, &put->items);
    }
    brant__write_end(out);
}

static brant_status judge_all(node_put *put) {
    unsigned allowed = BRANT__ITEM_KEY | BRANT__ITEM_TYPE | BRANT__ITEM_ATTRIBUTES |
                       BRANT__ITEM_METADATA |
                       (put->mode == BRANT__PUT ? (unsigned)BRANT__ITEM_REVISION : 0u);
    brant_status status;

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

brant_status brant__nodes_put(brant__call *call, int mode, bool single) {
    node_put put = {.call = call, .faults = {.call = call, .single = single}, .mode = mode};
    brant__graphs *state;
    brant_status status;

    BRANT__TRY(brant__graph_find(&put.graph, call, true));
    brant__seal_watch(call->db, put.graph.type);
    BRANT__TRY(brant__items_begin(&put.items, call, &put.faults, single));
    BRANT__TRY(brant__graphs_state(&state, call->db));
    put.empty = state->empty.root;
    put.slots = brant__alloc((put.items.count + 1) * sizeof(*put.slots));
    if (!put.slots) {
        status = brant__fail_memory();
        goto cleanup;
    }
    BRANT__TRY(brant__slot_set_begin(&put.set, put.items.count));
    BRANT__TRY(brant__lookup_begin(&put.lookup, call, &put.graph, put.items.count));
    BRANT__TRY(judge_all(&put));
    if (!put.items.skip) BRANT__TRY(brant__faults_report(&put.faults));
    if (put.good > 0) {
        BRANT__TRY(brant__kept_dirty(call->db));
        BRANT__TRY(write_slots(&put));
        BRANT__TRY(finish(&put));
    }
    answer(&put);
cleanup:
    brant__buffer_free(&put.text);
    brant__slot_set_free(&put.set);
    brant__free(put.slots);
    brant__items_free(&put.items);
    return status;
}
