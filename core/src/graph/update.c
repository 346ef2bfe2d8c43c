/*
 * graph/update.c: a graph type takes another module.
 *
 * What leaves stored data valid is applied at once. Anything else needs a greater version: rows keep theirs (type_version) until
 * migrate.c has brought them to it. Rows of node_types and edge_types keep their ids by name, since nodes, edges and indexes refer to them.
 */
#include "graph/evolve.h"
#include "graph/index.h"

brant_status brant__graph_type_diff(brant__call *call) {
    brant__text name = brant__json_get_text(call->input, "name");
    brant__given_module given = {0};
    brant__json stored = {0};
    brant__writer edits = {0};
    const brant__type *type;
    brant__type_row row;
    brant__class class;
    brant_status status;

    BRANT__TRY(brant__type_row_need(&row, call, name));
    BRANT__TRY(brant__type_row_load(&type, call, &row));
    BRANT__TRY(brant__stored_document(&stored, call, &row));
    BRANT__TRY(brant__given_module_read(&given, call, brant__json_get(call->input, "module")));
    brant__write_array(&edits);
    BRANT__TRY(brant__module_diff(&class, &edits, stored.root, type->module, given.document,
                                  given.module));
    brant__write_end(&edits);
    if (edits.buffer.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    const char *class_name = brant__class_names[class];
    brant__write_object(call->out);
    brant__write_text_member(call->out, "class", brant__text_string(class_name));
    brant__write_name(call->out, "edits");
    brant__write_raw(call->out, brant__text_of(edits.buffer.data, edits.buffer.length));
    brant__write_end(call->out);
cleanup:
    brant__buffer_free(&edits.buffer);
    brant__given_module_free(&given);
    brant__json_free(&stored);
    return status;
}

/* ---- what an update must not do --------------------------------------------------------------- */

static brant_status has_rows(bool *out, brant__call *call, int kind, int64_t type) {
    brant__statement *statement = NULL;
    brant_status status;

    BRANT__TRY(brant__evolve_statement(&statement, call->db, BRANT__EVOLVE_TYPE_ROWS));
    brant__bind_integer(statement, 1, kind);
    brant__bind_integer(statement, 2, type);
    status = brant__step(out, call->db, statement);
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status count_rows(int64_t *out_nodes, int64_t *out_edges, brant__call *call,
                               int64_t type) {
    brant__statement *statement = NULL;
    brant_status status;
    bool found;

    *out_nodes = *out_edges = 0;
    BRANT__TRY(brant__evolve_statement(&statement, call->db, BRANT__EVOLVE_GRAPH_ROWS));
    brant__bind_integer(statement, 1, type);
    BRANT__TRY(brant__step(&found, call->db, statement));
    *out_nodes = brant__column_integer(statement, 0);
    *out_edges = brant__column_integer(statement, 1);
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status refuse_removals(brant__call *call, const brant__type *type,
                                    const brant__module *module) {
    const brant__module *stored = type->module;
    brant_status status = BRANT_OK;
    bool used;

    for (size_t i = 0; stored->typed && i < stored->node_type_count; i++) {
        if (module->typed &&
            brant__module_node(module, stored->node_types[i].name) != BRANT__NO_TYPE)
            continue;
        BRANT__TRY(has_rows(&used, call, BRANT__NODES, type->node_types[i]));
        if (used) {
            status =
                brant__fail(BRANT_CONSTRAINT, "there are nodes of type %s, which would be gone",
                            brant__quoted(call, stored->node_types[i].name));
            goto cleanup;
        }
    }
    for (size_t i = 0; stored->typed && i < stored->edge_type_count; i++) {
        if (module->typed &&
            brant__module_edge(module, stored->edge_types[i].name) != BRANT__NO_TYPE)
            continue;
        BRANT__TRY(has_rows(&used, call, BRANT__EDGES, type->edge_types[i]));
        if (used) {
            status =
                brant__fail(BRANT_CONSTRAINT, "there are edges of type %s, which would be gone",
                            brant__quoted(call, stored->edge_types[i].name));
            goto cleanup;
        }
    }
cleanup:
    return status;
}

/* What rows are stored by: it cannot change under them. */
static brant_status refuse_shapes(const brant__type *type, const brant__module *module,
                                  int64_t nodes, int64_t edges) {
    const brant__module_config *a = &type->module->config, *b = &module->config;

    if (type->module->typed != module->typed && nodes + edges > 0)
        return brant__fail(BRANT_CONSTRAINT, module->typed
                                                 ? "there are nodes or edges without a type"
                                                 : "there are nodes or edges with a type");
    if (edges > 0 && a->direction != b->direction)
        return brant__fail(BRANT_CONSTRAINT, "there are edges: `directed` stays as it is");
    if (edges > 0 && a->multi != b->multi)
        return brant__fail(BRANT_CONSTRAINT, "there are edges: `multi` stays as it is");
    return BRANT_OK;
}

static brant_status check_version(brant__class class, int64_t stored, int64_t version) {
    if (version < stored)
        return brant__fail(BRANT_CONSTRAINT, "version %lld is less than the stored one, %lld",
                           (long long)version, (long long)stored);
    if (class >= BRANT__UPCAST && version == stored)
        return brant__fail(
            BRANT_CONSTRAINT,
            "the change is %s: it needs the member version, greater than %lld, and then "
            "graph_types.migrate",
            brant__class_names[class], (long long)stored);
    return BRANT_OK;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* A type without rows, with the indexes on it. */
static brant_status drop_type(brant__call *call, const brant__type *type, int kind,
                              int64_t row_id) {
    brant__statement *statement;
    brant_status status;

    BRANT__TRY(brant__indexes_drop(call, type->row_id, kind, row_id));
    BRANT__TRY(brant__evolve_statement(&statement, call->db,
                                       kind == BRANT__NODES ? BRANT__EVOLVE_NODE_TYPE_DELETE
                                                            : BRANT__EVOLVE_EDGE_TYPE_DELETE));
    brant__bind_integer(statement, 1, row_id);
    status = brant__run(call->db, statement);
cleanup:
    return status;
}

static brant_status update_edge_type(brant__call *call, const brant__module *module,
                                     const brant__edge_type *edge, int64_t row_id) {
    brant__statement *statement;
    brant__writer ends[2] = {{.level = 0}, {.level = 0}};
    brant_status status;

    BRANT__TRY(brant__evolve_statement(&statement, call->db, BRANT__EVOLVE_EDGE_TYPE_UPDATE));
    for (int end = 0; end < 2; end++) {
        const size_t count = end ? edge->target_count : edge->source_count;
        brant__text text = {NULL, 0};
        if (count != SIZE_MAX) {
            brant__write_ends(&ends[end], module, end ? edge->targets : edge->sources, count);
            if (ends[end].buffer.failed) {
                status = brant__fail_memory();
                goto cleanup;
            }
            text = brant__text_of(ends[end].buffer.data, ends[end].buffer.length);
        }
        brant__bind_text(statement, 1 + end, text);
    }
    brant__bind_integer(statement, 3, brant__db_now(call->db));
    brant__bind_integer(statement, 4, row_id);
    status = brant__run(call->db, statement);
cleanup:
    brant__buffer_free(&ends[0].buffer);
    brant__buffer_free(&ends[1].buffer);
    return status;
}

/* Rows of the types that stay keep their ids. */
static brant_status write_types(brant__call *call, const brant__type *type,
                                const brant__module *module) {
    const brant__module *stored = type->module;
    brant_status status = BRANT_OK;

    for (size_t i = 0; stored->typed && i < stored->node_type_count; i++)
        if (!module->typed ||
            brant__module_node(module, stored->node_types[i].name) == BRANT__NO_TYPE)
            BRANT__TRY(drop_type(call, type, BRANT__NODES, type->node_types[i]));
    for (size_t i = 0; stored->typed && i < stored->edge_type_count; i++)
        if (!module->typed ||
            brant__module_edge(module, stored->edge_types[i].name) == BRANT__NO_TYPE)
            BRANT__TRY(drop_type(call, type, BRANT__EDGES, type->edge_types[i]));
    for (size_t i = 0; module->typed && i < module->node_type_count; i++)
        if (!stored->typed ||
            brant__module_node(stored, module->node_types[i].name) == BRANT__NO_TYPE)
            BRANT__TRY(brant__type_insert_node(call, module, i, type->row_id));
    for (size_t i = 0; module->typed && i < module->edge_type_count; i++) {
        const uint32_t index =
            stored->typed ? brant__module_edge(stored, module->edge_types[i].name) : BRANT__NO_TYPE;
        if (index == BRANT__NO_TYPE)
            BRANT__TRY(brant__type_insert_edge(call, module, i, type->row_id));
        else
            BRANT__TRY(
                update_edge_type(call, module, &module->edge_types[i], type->edge_types[index]));
    }
cleanup:
    return status;
}

static brant_status write_type_row(brant__call *call, const brant__type_row *row,
                                   const brant__given_module *given, yyjson_val *source,
                                   int64_t version, yyjson_val *metadata) {
    brant__statement *statement;
    brant__buffer module = {0}, before = {0}, free_members = {0};
    brant__writer config = {0};
    brant_status status;

    brant__json_append(&module, given->document);
    if (given->text.length > 0) brant__json_append(&before, source);
    if (metadata) brant__json_append(&free_members, metadata);
    brant__write_config(&config, &given->module->config);
    if (module.failed || before.failed || free_members.failed || config.buffer.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    BRANT__TRY(brant__evolve_statement(&statement, call->db, BRANT__EVOLVE_TYPE_UPDATE));
    brant__bind_text(statement, 1, brant__text_of(module.data, module.length));
    brant__bind_text(statement, 2, brant__text_of(config.buffer.data, config.buffer.length));
    brant__bind_integer(statement, 3, version);
    brant__bind_text(statement, 4, brant__text_of(before.data, before.length));
    brant__bind_text(statement, 5, brant__text_of(free_members.data, free_members.length));
    brant__bind_integer(statement, 6, brant__db_now(call->db));
    brant__bind_integer(statement, 7, row->row_id);
    BRANT__TRY(brant__run(call->db, statement));
    if (brant__module_encrypts(given->module))
        status = brant__db_require_writer(call->db, BRANT__ENCRYPTING_FORMAT);
cleanup:
    brant__buffer_free(&module);
    brant__buffer_free(&before);
    brant__buffer_free(&free_members);
    brant__buffer_free(&config.buffer);
    return status;
}

static brant_status begin_migration(brant__call *call, int64_t type, int64_t from, int64_t to,
                                    int64_t total) {
    brant__statement *statement;
    brant_status status =
        brant__evolve_statement(&statement, call->db, BRANT__EVOLVE_MIGRATION_BEGIN);

    if (status != BRANT_OK) return status;
    brant__bind_integer(statement, 1, type);
    brant__bind_integer(statement, 2, from);
    brant__bind_integer(statement, 3, to);
    brant__bind_integer(statement, 4, total);
    brant__bind_integer(statement, 5, brant__db_now(call->db));
    return brant__run(call->db, statement);
}

brant_status brant__graph_type_update(brant__call *call) {
    brant__text name = brant__json_get_text(call->input, "name");
    yyjson_val *source = brant__json_get(call->input, "module");
    yyjson_val *metadata = brant__json_get(call->input, "metadata");
    brant__given_module given = {0};
    brant__json stored = {0};
    const brant__type *type;
    brant__type_row row;
    brant__class class;
    int64_t version, nodes, edges;
    brant_status status;

    BRANT__TRY(brant__type_row_need(&row, call, name));
    BRANT__TRY(brant__type_writable(call, &row));
    BRANT__TRY(brant__type_row_load(&type, call, &row));
    BRANT__TRY(brant__stored_document(&stored, call, &row));
    BRANT__TRY(brant__given_module_read(&given, call, source));
    if (given.module->node_type_count >= UINT16_MAX ||
        given.module->edge_type_count >= UINT16_MAX) {
        status = brant__fail(BRANT_LIMIT, "a graph type has at most %d types of nodes or edges",
                             UINT16_MAX - 1);
        goto cleanup;
    }
    BRANT__TRY(
        brant__module_diff(&class, NULL, stored.root, type->module, given.document, given.module));
    version = brant__json_integer(brant__json_get(call->input, "version"), row.version);
    BRANT__TRY(check_version(class, row.version, version));
    BRANT__TRY(count_rows(&nodes, &edges, call, row.row_id));
    BRANT__TRY(refuse_removals(call, type, given.module));
    BRANT__TRY(refuse_shapes(type, given.module, nodes, edges));
    if (brant__module_encrypts(given.module))
        BRANT__TRY(brant__indexes_plain(call, type, given.module));

    BRANT__TRY(brant__kept_dirty(call->db));
    BRANT__TRY(write_types(call, type, given.module));
    BRANT__TRY(write_type_row(call, &row, &given, source, version, metadata));
    if (version > row.version)
        BRANT__TRY(begin_migration(call, row.row_id, row.version, version, nodes + edges));
    if (brant__module_encrypts(given.module)) {
        BRANT__TRY(brant__type_find(&type, call, name, false));
        BRANT__TRY(brant__retention_plain(call, type));
    }
    status = brant__type_answer(call, name);
cleanup:
    brant__given_module_free(&given);
    brant__json_free(&stored);
    return status;
}
