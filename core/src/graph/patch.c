/*
 * graph/patch.c: nodes and edges changed by merge patches (RFC 7386), one or many.
 *
 * A patch needs what is stored: each item is read, merged, judged and written before the next one, so that only one row is in
 * memory at a time. Items at fault write nothing; where they end the operation, it is rolled back as a whole.
 */
#include "graph/change.h"
#include "graph/seal.h"

#define NO_VIOLATIONS ((brant__text){NULL, 0})

enum { NODE, STATEMENT_COUNT };
static const char *const sql[STATEMENT_COUNT] = {
    [NODE] = "SELECT row_id, type, revision, attributes, metadata FROM nodes WHERE graph = :graph "
             "AND key = :key",
};
static const brant__statements statements = {BRANT__TABLE_PATCH, STATEMENT_COUNT, sql};

/* A row that an item means, until the next one. */
typedef struct patch_row {
    brant__statement *statement; /* stands on the row; NULL: there is none */
    brant__text key;             /* in the call's arena, or the item's */
    int64_t row_id;
    int64_t revision;
    uint32_t type;
    brant__text attributes; /* the statement's */
    brant__text metadata;
} patch_row;

/* What a merge made of an object. */
typedef struct patch_value {
    brant__buffer text;
    brant__json json;
    bool changed;
} patch_value;

typedef struct patch_batch {
    brant__call *call;
    brant__graph graph;
    int kind;
    brant__faults faults;
    brant__items items;
    brant__json stored;
    brant__buffer opened; /* what is merged into, where the type encrypts */
    brant__json base;
    patch_value attributes;
    patch_value metadata;
    brant__map seen; /* rows that were written: each is announced once */
    brant__announcement updated;
    size_t changed;
    size_t unchanged;
    brant__text key; /* of the last item */
    int64_t revision;
} patch_batch;

static brant_status find_node(patch_row *out, patch_batch *patch, const brant__item *item) {
    brant__statement *statement = NULL;
    brant_status status;
    bool row;

    BRANT__TRY(brant__statement_get(&statement, patch->call->db, &statements, NODE));
    brant__bind_integer(statement, 1, patch->graph.row_id);
    brant__bind_text(statement, 2, item->key);
    BRANT__TRY(brant__step(&row, patch->call->db, statement));
    if (!row) goto cleanup;
    BRANT__TRY(brant__read_type(&out->type, &patch->graph, BRANT__NODES,
                                brant__column_integer(statement, 1)));
    out->statement = statement;
    out->key = item->key;
    out->row_id = brant__column_integer(statement, 0);
    out->revision = brant__column_integer(statement, 2);
    out->attributes = brant__column_text(statement, 3);
    out->metadata = brant__column_text(statement, 4);
    return BRANT_OK;
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status find_edge(patch_row *out, patch_batch *patch, const brant__item *item) {
    brant__edge_ref ref;
    brant__edge_ends ends;
    brant_status status;

    BRANT__TRY(brant__edge_find(&ref, patch->call, &patch->graph, item->key));
    if (!ref.row_id) return BRANT_OK;
    BRANT__TRY(brant__edge_row(&out->statement, patch->call, ref.row_id));
    BRANT__TRY(brant__edge_ends_read(&ends, &patch->graph, out->statement));
    BRANT__TRY(brant__edge_key(&out->key, patch->call, &patch->graph, &ends));
    if (ends.key.data) {
        out->key.data = brant__arena_copy(patch->call->arena, ends.key.data, ends.key.length);
        if (!out->key.data) {
            status = brant__fail_memory();
            goto cleanup;
        }
    }
    out->row_id = ref.row_id;
    out->revision = ref.revision;
    out->type = ref.type;
    out->attributes = brant__column_text(out->statement, 4);
    out->metadata = brant__column_text(out->statement, 5);
cleanup:
    return status;
}

/* *out_fault: a code and no failure where the result is too large. `sealed`: of attributes of a type that encrypts, their row. */
static brant_status merge(brant_status *out_fault, patch_value *out, patch_batch *patch,
                          brant__text stored, yyjson_val *change, const patch_row *sealed) {
    yyjson_val *base;
    brant_status status = BRANT_OK;

    *out_fault = BRANT_OK;
    out->changed = false;
    if (!change) return BRANT_OK;
    BRANT__TRY(brant__json_parse(&patch->stored, stored.data, stored.length, 0));
    base = patch->stored.root;
    if (BRANT__UNLIKELY(sealed != NULL)) {
        brant__buffer_reset(&patch->opened);
        BRANT__TRY(brant__seal_open_for(&patch->opened, patch->call, &patch->graph, patch->kind,
                                        sealed->type, sealed->key, base, change));
        BRANT__TRY(brant__json_parse(&patch->base, patch->opened.data, patch->opened.length, 0));
        base = patch->base.root;
    }
    brant__buffer_reset(&out->text);
    brant__json_merge(&out->text, base, change);
    if (out->text.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    if (out->text.length > brant__db_limits(patch->call->db)->document) {
        *out_fault = BRANT_LIMIT;
        goto cleanup;
    }
    BRANT__TRY(brant__json_parse(&out->json, out->text.data, out->text.length, 0));
    out->changed = !brant__text_equal(stored, brant__text_of(out->text.data, out->text.length)) &&
                   !brant__json_equal(patch->stored.root, out->json.root);
cleanup:
    return status;
}

/* The merged attributes of a type that encrypts, as they are stored. */
static brant_status seal_attributes(patch_batch *patch, const patch_row *row) {
    patch_value *value = &patch->attributes;
    brant__buffer text = {0};
    brant_status status = BRANT_OK;

    if (!value->changed) return BRANT_OK;
    BRANT__TRY(brant__json_parse(&patch->stored, row->attributes.data, row->attributes.length, 0));
    BRANT__TRY(brant__seal_changed(&text, patch->call, &patch->graph, patch->kind, row->type,
                                   row->key, value->json.root, patch->stored.root));
    brant__buffer_free(&value->text);
    value->text = text;
    text = (brant__buffer){0};
    /* {"$redacted": true} may have stood for what is stored anyway. */
    BRANT__TRY(brant__json_parse(&value->json, value->text.data, value->text.length, 0));
    value->changed = !brant__json_equal(patch->stored.root, value->json.root);
cleanup:
    brant__buffer_free(&text);
    return status;
}

static brant_status judge_values(bool *out_good, patch_batch *patch, size_t index,
                                 const brant__item *item, const patch_row *row) {
    const brant__module *module = patch->graph.type->module;
    bool nodes = patch->kind == BRANT__NODES;
    bool encrypts = brant__type_encrypts(patch->graph.type, patch->kind, row->type);
    brant_status fault, status;

    *out_good = false;
    status = merge(&fault, &patch->attributes, patch, row->attributes, item->attributes,
                   encrypts ? row : NULL);
    if (encrypts && status != BRANT_OK)
        return brant__seal_fault(&patch->faults, index, row->key, status);
    if (status == BRANT_OK && fault == BRANT_OK)
        status = merge(&fault, &patch->metadata, patch, row->metadata, item->metadata, NULL);
    if (status != BRANT_OK) return status;
    if (fault != BRANT_OK)
        return brant__fault_add(&patch->faults, index, row->key, NO_VIOLATIONS, fault,
                                "the patched value would be longer than limits.document");
    if (module->typed && item->attributes) {
        const brant__schema *schema =
            nodes ? module->node_types[row->type].schema : module->edge_types[row->type].schema;
        brant__text name =
            nodes ? module->node_types[row->type].name : module->edge_types[row->type].name;
        brant__text violations;
        char first[BRANT__VIOLATION_TEXT];
        size_t count;
        if (!brant__schema_accepts(schema, patch->attributes.json.root)) {
            status = brant__violations(&violations, &count, patch->call, schema,
                                       patch->attributes.json.root);
            if (status != BRANT_OK) return status;
            brant__violation_first(first, violations);
            return brant__fault_add(
                &patch->faults, index, row->key, violations, BRANT_VALIDATION,
                "the patched attributes of %s %s would not satisfy %s type %s: %s%s",
                nodes ? "node" : "edge", brant__quoted(patch->call, row->key),
                nodes ? "node" : "edge", brant__quoted(patch->call, name), first,
                count == 1 ? "" : ", and more");
        }
    }
    if (encrypts) {
        status = seal_attributes(patch, row);
        if (status != BRANT_OK) return brant__seal_fault(&patch->faults, index, row->key, status);
    }
    *out_good = true;
    return BRANT_OK;
}

static brant__text value_text(const patch_value *value, brant__text stored) {
    return value->changed ? brant__text_of(value->text.data, value->text.length) : stored;
}

/* The row's statement still stands: what it holds may be bound. */
static brant_status write_row(patch_batch *patch, patch_row *row) {
    brant__text id = {(const char *)&row->row_id, sizeof(row->row_id)};
    brant__statement *update;
    int64_t seen;
    brant_status status;

    if (patch->changed == 0) BRANT__TRY(brant__kept_dirty(patch->call->db));
    BRANT__TRY(brant__change_before(patch->call, &patch->graph, patch->kind, row->row_id));
    BRANT__TRY(patch->kind == BRANT__NODES
                   ? brant__node_statement(&update, patch->call, BRANT__NODE_UPDATE)
                   : brant__edge_statement(&update, patch->call, BRANT__EDGE_UPDATE));
    brant__bind_text(update, 1, value_text(&patch->attributes, row->attributes));
    brant__bind_text(update, 2, value_text(&patch->metadata, (brant__text){NULL, 0}));
    brant__bind_integer(update, 3, 1);
    brant__bind_integer(update, 4, brant__db_now(patch->call->db));
    brant__bind_integer(update, 5, patch->graph.version);
    brant__bind_integer(update, 6, row->row_id);
    BRANT__TRY(brant__run(patch->call->db, update));
    BRANT__TRY(brant__change_after(patch->call, &patch->graph, patch->kind, row->row_id));
    patch->changed++;
    row->revision++;
    if (brant__map_get(&patch->seen, id, &seen)) goto cleanup;
    if (!brant__map_put(&patch->seen, id, 1)) {
        status = brant__fail_memory();
        goto cleanup;
    }
    brant__announcement_add(&patch->updated, row->key);
cleanup:
    return status;
}

static brant_status patch_item(patch_batch *patch, size_t index, const brant__item *item) {
    patch_row row = {.statement = NULL};
    bool good;
    brant_status status;

    if (item->key.length == 0)
        return brant__fault_add(&patch->faults, index, item->key, NO_VIOLATIONS, BRANT_INVALID,
                                "the key is missing or empty");
    if (!item->attributes) /* of a line: the operation's schema has not seen it */
        return brant__fault_add(&patch->faults, index, item->key, NO_VIOLATIONS, BRANT_INVALID,
                                "the attributes are missing");
    BRANT__TRY(patch->kind == BRANT__NODES ? find_node(&row, patch, item)
                                           : find_edge(&row, patch, item));
    if (!row.statement) {
        status = brant__fault_add(
            &patch->faults, index, item->key, NO_VIOLATIONS, BRANT_NOT_FOUND,
            "no %s %s in graph %s", patch->kind == BRANT__NODES ? "node" : "edge",
            brant__quoted(patch->call, item->key), brant__quoted(patch->call, patch->graph.name));
        goto cleanup;
    }
    if (item->revision && brant__json_integer(item->revision, -1) != row.revision) {
        status = brant__fault_add(&patch->faults, index, row.key, NO_VIOLATIONS, BRANT_CONFLICT,
                                  "%s %s has revision %lld, not %lld",
                                  patch->kind == BRANT__NODES ? "node" : "edge",
                                  brant__quoted(patch->call, row.key), (long long)row.revision,
                                  (long long)brant__json_integer(item->revision, -1));
        goto cleanup;
    }
    BRANT__TRY(judge_values(&good, patch, index, item, &row));
    if (!good) goto cleanup;
    if (patch->attributes.changed || patch->metadata.changed)
        BRANT__TRY(write_row(patch, &row));
    else
        patch->unchanged++;
    patch->key = row.key;
    patch->revision = row.revision;
cleanup:
    brant__reset(row.statement);
    return status;
}

static void answer(patch_batch *patch) {
    brant__writer *out = patch->call->out;

    brant__write_object(out);
    if (patch->faults.single) {
        brant__write_text_member(out, "key", patch->key);
        brant__write_integer_member(out, "revision", patch->revision);
        brant__write_bool_member(out, "changed", patch->changed > 0);
    } else {
        brant__write_integer_member(out, "updated", (int64_t)patch->changed);
        brant__write_integer_member(out, "unchanged", (int64_t)patch->unchanged);
        brant__items_answer(out, &patch->items);
    }
    brant__write_end(out);
}

static brant_status run(brant__call *call, int kind, bool single) {
    patch_batch patch = {.call = call, .kind = kind, .faults = {.call = call, .single = single}};
    unsigned allowed =
        BRANT__ITEM_KEY | BRANT__ITEM_ATTRIBUTES | BRANT__ITEM_METADATA | BRANT__ITEM_REVISION;
    brant_status status;

    BRANT__TRY(brant__graph_find(&patch.graph, call, true));
    brant__seal_watch(call->db, patch.graph.type);
    BRANT__TRY(brant__items_begin(&patch.items, call, &patch.faults, single));
    for (;;) {
        brant__item item;
        yyjson_val *value;
        size_t index;
        bool good;
        BRANT__TRY(brant__items_next(&value, &index, &patch.items));
        if (!value) break;
        BRANT__TRY(brant__item_check(&good, &patch.items, index, value, allowed));
        if (!good) continue;
        brant__item_read(&item, value);
        BRANT__TRY(patch_item(&patch, index, &item));
    }
    if (!patch.items.skip) BRANT__TRY(brant__faults_report(&patch.faults));
    if (patch.changed > 0) {
        BRANT__TRY(brant__graph_changed(call, &patch.graph, 0, 0, false));
        BRANT__TRY(brant__announce(call, &patch.graph,
                                   kind == BRANT__NODES ? "nodes:updated" : "edges:updated",
                                   &patch.updated));
    }
    answer(&patch);
cleanup:
    brant__announcement_free(&patch.updated);
    brant__map_free(&patch.seen);
    brant__json_free(&patch.stored);
    brant__buffer_free(&patch.opened);
    brant__json_free(&patch.base);
    brant__buffer_free(&patch.attributes.text);
    brant__json_free(&patch.attributes.json);
    brant__buffer_free(&patch.metadata.text);
    brant__json_free(&patch.metadata.json);
    brant__items_free(&patch.items);
    return status;
}

brant_status brant__node_patch(brant__call *call) {
    return run(call, BRANT__NODES, true);
}

brant_status brant__node_patch_many(brant__call *call) {
    return run(call, BRANT__NODES, false);
}

brant_status brant__edge_patch(brant__call *call) {
    return run(call, BRANT__EDGES, true);
}

brant_status brant__edge_patch_many(brant__call *call) {
    return run(call, BRANT__EDGES, false);
}
