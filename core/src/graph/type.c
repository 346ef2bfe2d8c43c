/*
 * graph/type.c: graph types as they are kept: rows, built-in modules, and the parsed modules of a
 * handle.
 *
 * A graph type changes by update.c alone. The modules that are built into the library (open,
 * ..) are there in every file: they are read from the library until a graph uses one, which stores
 * it. Their ids are the same in every file, and their times are 0.
 */
#include "graph/type.h"

#define TYPE_COLUMNS "row_id, id, name, scope, version, changes, metadata, created_at, updated_at"

static const char *const sql[BRANT__TYPE_STATEMENTS] = {
    [BRANT__TYPE_BY_NAME] = ("SELECT " TYPE_COLUMNS " FROM graph_types WHERE name = :name"),
    [BRANT__TYPE_LIST] =
        ("SELECT " TYPE_COLUMNS " FROM graph_types WHERE name > :after ORDER BY name LIMIT :limit"),
    [BRANT__TYPE_INSERT] =
        ("INSERT INTO graph_types (id, name, scope, version, config, module, metadata, created_at, "
         "updated_at)"
         " VALUES (:id, :name, :scope, :version, :config, :module, :metadata, :now, :now)"),
    [BRANT__TYPE_MODULE] = "SELECT module FROM graph_types WHERE row_id = :row_id",
    [BRANT__TYPE_USED] = "SELECT name FROM graphs WHERE graph_type = :row_id LIMIT 1",
    [BRANT__TYPE_DELETE] = "DELETE FROM graph_types WHERE row_id = :row_id",
    [BRANT__NODE_TYPES] = "SELECT row_id, name FROM node_types WHERE graph_type = :graph_type",
    [BRANT__NODE_TYPE_INSERT] =
        ("INSERT INTO node_types (id, graph_type, name, created_at, updated_at)"
         " VALUES (:id, :graph_type, :name, :now, :now)"),
    [BRANT__NODE_TYPES_DELETE] = "DELETE FROM node_types WHERE graph_type = :graph_type",
    [BRANT__EDGE_TYPES] = "SELECT row_id, name FROM edge_types WHERE graph_type = :graph_type",
    [BRANT__EDGE_TYPE_INSERT] =
        ("INSERT INTO edge_types (id, graph_type, name, source, target, created_at, updated_at)"
         " VALUES (:id, :graph_type, :name, :source, :target, :now, :now)"),
    [BRANT__EDGE_TYPES_DELETE] = "DELETE FROM edge_types WHERE graph_type = :graph_type",
};
static const brant__statements statements = {BRANT__TABLE_TYPE, BRANT__TYPE_STATEMENTS, sql};

brant_status brant__type_statement(brant__statement **out, brant_db *db, int which) {
    return brant__statement_get(out, db, &statements, (size_t)which);
}

/* ---- built-in modules ------------------------------------------------------------------------ */

const brant__embedded *brant__builtin_find(brant__text name) {
    for (size_t i = 0; i < brant__modules_count; i++)
        if (brant__text_equal(brant__builtin_name(&brant__modules[i]), name))
            return &brant__modules[i];
    return NULL;
}

/* A UUIDv7 of time 0 whose random part is a hash (FNV-1a) of the name. */
static void builtin_id(char out[37], brant__text name) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    uint8_t random[10] = {0};

    for (size_t i = 0; i < name.length; i++)
        hash = (hash ^ (unsigned char)name.data[i]) * UINT64_C(0x100000001b3);
    for (size_t i = 0; i < 8; i++)
        random[2 + i] = (uint8_t)(hash >> (8 * i));
    brant__uuid_v7(out, 0, random);
}

brant_status brant__builtin_row(brant__type_row *out, brant__call *call,
                                const brant__embedded *builtin) {
    char id[37];

    builtin_id(id, brant__builtin_name(builtin));
    *out = (brant__type_row){
        .id = {brant__arena_copy(call->arena, id, 36), 36},
        .name = brant__builtin_name(builtin),
        .scope = BRANT__TEXT("system"),
        .version = 1,
        .metadata = BRANT__TEXT("{}"),
    };
    return out->id.data ? BRANT_OK : brant__fail_memory();
}

/* ---- rows ------------------------------------------------------------------------------------ */

static brant__text copy(brant__call *call, brant__text text) {
    return brant__text_of(brant__arena_copy(call->arena, text.data, text.length), text.length);
}

brant_status brant__type_row_read(brant__type_row *out, brant__call *call, brant__statement *row) {
    *out = (brant__type_row){
        .row_id = brant__column_integer(row, 0),
        .id = copy(call, brant__column_text(row, 1)),
        .name = copy(call, brant__column_text(row, 2)),
        .scope = copy(call, brant__column_text(row, 3)),
        .version = brant__column_integer(row, 4),
        .changes = brant__column_integer(row, 5),
        .metadata = copy(call, brant__column_text(row, 6)),
        .created_at = brant__column_integer(row, 7),
        .updated_at = brant__column_integer(row, 8),
    };
    if (out->id.data && out->name.data && out->scope.data && out->metadata.data) return BRANT_OK;
    return brant__fail_memory();
}

/* *out_found false: neither stored nor built in. A built-in one that is not stored has row_id 0. */
brant_status brant__type_row_find(bool *out_found, brant__type_row *out, brant__call *call,
                                  brant__text name) {
    brant__statement *statement = NULL;
    const brant__embedded *builtin;
    brant_status status;

    *out_found = false;
    BRANT__TRY(brant__type_statement(&statement, call->db, BRANT__TYPE_BY_NAME));
    brant__bind_text(statement, 1, name);
    BRANT__TRY(brant__step(out_found, call->db, statement));
    if (*out_found) {
        status = brant__type_row_read(out, call, statement);
    } else if ((builtin = brant__builtin_find(name))) {
        *out_found = true;
        status = brant__builtin_row(out, call, builtin);
    }
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__type_row_need(brant__type_row *out, brant__call *call, brant__text name) {
    bool found;
    const brant_status status = brant__type_row_find(&found, out, call, name);

    if (status != BRANT_OK || found) return status;
    return brant__fail(BRANT_NOT_FOUND, "no graph type %s", brant__quoted(call, name));
}

/* ---- parsed types ---------------------------------------------------------------------------- */

void brant__type_free(brant__type *type) {
    if (!type) return;
    if (type->attachment) type->attachment_free(type->attachment);
    brant__module_free(type->module);
    brant__free(type->node_types);
    brant__free(type->edge_types);
    brant__free(type->name);
    brant__free(type->id);
    brant__free(type);
}

/* Fill the row ids of a module's types from node_types or edge_types. */
static brant_status read_type_rows(brant__type *type, brant_db *db, int which) {
    brant__statement *statement = NULL;
    brant_status status;
    bool row;

    BRANT__TRY(brant__type_statement(&statement, db, which));
    brant__bind_integer(statement, 1, type->row_id);
    for (;;) {
        brant__text name;
        uint32_t index;
        BRANT__TRY(brant__step(&row, db, statement));
        if (!row) break;
        name = brant__column_text(statement, 1);
        index = which == BRANT__NODE_TYPES ? brant__type_node(type, name)
                                           : brant__type_edge(type, name);
        if (index == BRANT__NO_TYPE) continue;
        (which == BRANT__NODE_TYPES ? type->node_types : type->edge_types)[index] =
            brant__column_integer(statement, 0);
    }
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__type_row_module(brant__text *out_text, brant__statement **out_statement,
                                    brant_db *db, int64_t row_id, brant__text name) {
    const brant__embedded *builtin;
    brant_status status = BRANT_OK;
    bool row;

    *out_text = (brant__text){NULL, 0};
    *out_statement = NULL;
    if (row_id) {
        BRANT__TRY(brant__type_statement(out_statement, db, BRANT__TYPE_MODULE));
        brant__bind_integer(*out_statement, 1, row_id);
        BRANT__TRY(brant__step(&row, db, *out_statement));
        if (row) *out_text = brant__column_text(*out_statement, 0);
    } else if ((builtin = brant__builtin_find(name))) {
        *out_text = brant__text_of(builtin->data, builtin->size);
    }
    if (!out_text->data)
        status = brant__fail(BRANT_CORRUPT, "a graph type has no module; run db.doctor");
cleanup:
    return status;
}

static brant_status parse_type(brant__type *type, brant_db *db) {
    brant__statement *statement = NULL;
    brant__json json = {0};
    brant__text text;
    brant_status status;

    BRANT__TRY(brant__type_row_module(&text, &statement, db, type->row_id,
                                      brant__text_string(type->name)));
    BRANT__TRY(brant__json_parse(&json, text.data, text.length, 0));
    BRANT__TRY(brant__module_parse(&type->module, json.root));
    if (type->module->node_type_count >= UINT16_MAX ||
        type->module->edge_type_count >= UINT16_MAX) {
        status = brant__fail(BRANT_LIMIT, "a graph type has at most %d types of nodes or edges",
                             UINT16_MAX - 1);
        goto cleanup;
    }
    type->node_types = brant__alloc_zero((type->module->node_type_count + 1) * sizeof(int64_t));
    type->edge_types = brant__alloc_zero((type->module->edge_type_count + 1) * sizeof(int64_t));
    if (!type->node_types || !type->edge_types) status = brant__fail_memory();
cleanup:
    brant__reset(statement);
    brant__json_free(&json);
    return status;
}

brant_status brant__type_load(const brant__type **out_type, brant_db *db, int64_t row_id,
                              brant__text id, int64_t changes, brant__text name) {
    brant__graphs *state;
    brant__type *type = NULL;
    brant__type **place;
    brant_status status;

    *out_type = NULL;
    BRANT__TRY(brant__graphs_state(&state, db));
    place = &state->types[0];
    for (size_t i = 0; i < BRANT__TYPES_KEPT; i++) {
        brant__type *kept = state->types[i];
        if (!kept) {
            if (*place) place = &state->types[i];
            continue;
        }
        if (kept->row_id == row_id && strlen(kept->id) == id.length &&
            memcmp(kept->id, id.data, id.length) == 0) {
            if (kept->changes == changes) {
                kept->used = ++state->clock;
                *out_type = kept;
                return BRANT_OK;
            }
            place = &state->types[i];
            break;
        }
        if (*place && kept->used < (*place)->used) place = &state->types[i];
    }
    type = brant__alloc_zero(sizeof(*type));
    if (!type) {
        status = brant__fail_memory();
        goto cleanup;
    }
    type->row_id = row_id;
    type->changes = changes;
    type->id = brant__strndup(id.data, id.length);
    type->name = brant__strndup(name.data, name.length);
    if (!type->id || !type->name) {
        status = brant__fail_memory();
        goto cleanup;
    }
    BRANT__TRY(parse_type(type, db));
    if (row_id && type->module->typed) {
        BRANT__TRY(read_type_rows(type, db, BRANT__NODE_TYPES));
        BRANT__TRY(read_type_rows(type, db, BRANT__EDGE_TYPES));
    }
    type->used = ++state->clock;
    type->touched = state->dirty;
    brant__type_free(*place);
    *place = type;
    *out_type = type;
    type = NULL;
cleanup:
    brant__type_free(type);
    return status;
}

brant_status brant__type_row_load(const brant__type **out_type, brant__call *call,
                                  const brant__type_row *row) {
    return brant__type_load(out_type, call->db, row->row_id, row->id, row->changes, row->name);
}

uint32_t brant__type_node(const brant__type *type, brant__text name) {
    return brant__module_node(type->module, name);
}

uint32_t brant__type_edge(const brant__type *type, brant__text name) {
    return brant__module_edge(type->module, name);
}

static uint32_t index_of_row(const int64_t *rows, size_t count, int64_t row_id) {
    for (size_t i = 0; i < count; i++)
        if (rows[i] == row_id) return (uint32_t)i;
    return BRANT__NO_TYPE;
}

uint32_t brant__type_node_of_row(const brant__type *type, int64_t row_id) {
    if (!type->module->typed) return row_id == 0 ? 0 : BRANT__NO_TYPE;
    return index_of_row(type->node_types, type->module->node_type_count, row_id);
}

uint32_t brant__type_edge_of_row(const brant__type *type, int64_t row_id) {
    if (!type->module->typed) return row_id == 0 ? 0 : BRANT__NO_TYPE;
    return index_of_row(type->edge_types, type->module->edge_type_count, row_id);
}

/* ---- storing --------------------------------------------------------------------------------- */

brant_status brant__type_insert_node(brant__call *call, const brant__module *module, size_t index,
                                     int64_t row_id) {
    brant__statement *statement;
    brant_status status;
    char id[37];

    BRANT__TRY(brant__db_uuid(call->db, id));
    BRANT__TRY(brant__type_statement(&statement, call->db, BRANT__NODE_TYPE_INSERT));
    brant__bind_text(statement, 1, brant__text_of(id, 36));
    brant__bind_integer(statement, 2, row_id);
    brant__bind_text(statement, 3, module->node_types[index].name);
    brant__bind_integer(statement, 4, brant__db_now(call->db));
    status = brant__run(call->db, statement);
cleanup:
    return status;
}

brant_status brant__type_insert_edge(brant__call *call, const brant__module *module, size_t index,
                                     int64_t row_id) {
    const brant__edge_type *edge = &module->edge_types[index];
    brant__statement *statement;
    brant__writer ends[2] = {{.level = 0}, {.level = 0}};
    brant_status status;
    char id[37];

    BRANT__TRY(brant__db_uuid(call->db, id));
    BRANT__TRY(brant__type_statement(&statement, call->db, BRANT__EDGE_TYPE_INSERT));
    brant__bind_text(statement, 1, brant__text_of(id, 36));
    brant__bind_integer(statement, 2, row_id);
    brant__bind_text(statement, 3, edge->name);
    for (int end = 0; end < 2; end++) {
        size_t count = end ? edge->target_count : edge->source_count;
        if (count == SIZE_MAX) {
            brant__bind_null(statement, 4 + end);
            continue;
        }
        brant__write_ends(&ends[end], module, end ? edge->targets : edge->sources, count);
        if (ends[end].buffer.failed) {
            status = brant__fail_memory();
            goto cleanup;
        }
        brant__bind_text(statement, 4 + end,
                         brant__text_of(ends[end].buffer.data, ends[end].buffer.length));
    }
    brant__bind_integer(statement, 6, brant__db_now(call->db));
    status = brant__run(call->db, statement);
cleanup:
    brant__buffer_free(&ends[0].buffer);
    brant__buffer_free(&ends[1].buffer);
    return status;
}

/* The rows of node_types and edge_types. */
static brant_status insert_types(brant__call *call, const brant__module *module, int64_t row_id) {
    brant_status status = BRANT_OK;

    for (size_t i = 0; i < module->node_type_count; i++)
        BRANT__TRY(brant__type_insert_node(call, module, i, row_id));
    for (size_t i = 0; i < module->edge_type_count; i++)
        BRANT__TRY(brant__type_insert_edge(call, module, i, row_id));
cleanup:
    return status;
}

/* Store a module that is parsed already; fills row_id. */
brant_status brant__type_row_store(brant__type_row *row, brant__call *call, yyjson_val *json,
                                   const brant__module *module) {
    brant__statement *statement = NULL;
    brant__buffer text = {0};
    brant__writer config = {0};
    brant_status status;

    BRANT__TRY(brant__kept_dirty(call->db));
    brant__json_append(&text, json);
    brant__write_config(&config, &module->config);
    if (text.failed || config.buffer.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    BRANT__TRY(brant__type_statement(&statement, call->db, BRANT__TYPE_INSERT));
    brant__bind_text(statement, 1, row->id);
    brant__bind_text(statement, 2, row->name);
    brant__bind_text(statement, 3, row->scope);
    brant__bind_integer(statement, 4, row->version);
    brant__bind_text(statement, 5, brant__text_of(config.buffer.data, config.buffer.length));
    brant__bind_text(statement, 6, brant__text_of(text.data, text.length));
    brant__bind_text(statement, 7, row->metadata);
    brant__bind_integer(statement, 8, row->created_at);
    BRANT__TRY(brant__run(call->db, statement));
    row->row_id = brant__last_row_id(call->db);
    if (module->typed) BRANT__TRY(insert_types(call, module, row->row_id));
    if (brant__module_encrypts(module))
        status = brant__db_require_writer(call->db, BRANT__ENCRYPTING_FORMAT);
cleanup:
    brant__buffer_free(&text);
    brant__buffer_free(&config.buffer);
    return status;
}

static brant_status store_builtin(brant__type_row *row, brant__call *call) {
    const brant__embedded *builtin = brant__builtin_find(row->name);
    brant__module *module = NULL;
    brant__json json = {0};
    brant_status status;

    BRANT__TRY(brant__json_parse(&json, builtin->data, builtin->size, 0));
    BRANT__TRY(brant__module_parse(&module, json.root));
    BRANT__TRY(brant__type_row_store(row, call, json.root, module));
cleanup:
    brant__module_free(module);
    brant__json_free(&json);
    return status;
}

brant_status brant__type_find(const brant__type **out_type, brant__call *call, brant__text name,
                              bool store) {
    brant__type_row row;
    brant_status status = brant__type_row_need(&row, call, name);

    *out_type = NULL;
    if (status != BRANT_OK) return status;
    if (store && !row.row_id && brant__builtin_imported(name))
        return brant__fail(BRANT_INVALID, "metagraph is a module to import from: it has no graphs");
    if (store && !row.row_id) {
        status = store_builtin(&row, call);
        if (status != BRANT_OK) return status;
    }
    return brant__type_row_load(out_type, call, &row);
}
