/*
 * graph/graph_type.c: graph types, stored and built in, and the parsed modules that a handle keeps.
 *
 * A graph type never changes once it is defined: the same name with another module is refused. The modules that are built into the
 * library (open, ..) are there in every file: they are read from the library until a graph uses one, which stores it. Their ids are
 * the same in every file, and their times are 0.
 */
#include "embedded.h"
#include "graph/internal.h"

enum { TYPE_BY_NAME, TYPE_LIST, TYPE_INSERT, TYPE_MODULE, TYPE_USED, TYPE_DELETE, NODE_TYPES, NODE_TYPE_INSERT, NODE_TYPES_DELETE,
       EDGE_TYPES, EDGE_TYPE_INSERT, EDGE_TYPES_DELETE, STATEMENT_COUNT };

#define TYPE_COLUMNS "row_id, id, name, scope, version, changes, metadata, created_at, updated_at"

static const char *const sql[STATEMENT_COUNT] = {
    [TYPE_BY_NAME] = "SELECT " TYPE_COLUMNS " FROM graph_types WHERE name = :name",
    [TYPE_LIST] = "SELECT " TYPE_COLUMNS " FROM graph_types WHERE name > :after ORDER BY name LIMIT :limit",
    [TYPE_INSERT] = "INSERT INTO graph_types (id, name, scope, version, config, module, metadata, created_at, updated_at)"
                    " VALUES (:id, :name, :scope, :version, :config, :module, :metadata, :now, :now)",
    [TYPE_MODULE] = "SELECT module FROM graph_types WHERE row_id = :row_id",
    [TYPE_USED] = "SELECT name FROM graphs WHERE graph_type = :row_id LIMIT 1",
    [TYPE_DELETE] = "DELETE FROM graph_types WHERE row_id = :row_id",
    [NODE_TYPES] = "SELECT row_id, name FROM node_types WHERE graph_type = :graph_type",
    [NODE_TYPE_INSERT] = "INSERT INTO node_types (id, graph_type, name, created_at, updated_at)"
                         " VALUES (:id, :graph_type, :name, :now, :now)",
    [NODE_TYPES_DELETE] = "DELETE FROM node_types WHERE graph_type = :graph_type",
    [EDGE_TYPES] = "SELECT row_id, name FROM edge_types WHERE graph_type = :graph_type",
    [EDGE_TYPE_INSERT] = "INSERT INTO edge_types (id, graph_type, name, source, target, created_at, updated_at)"
                         " VALUES (:id, :graph_type, :name, :source, :target, :now, :now)",
    [EDGE_TYPES_DELETE] = "DELETE FROM edge_types WHERE graph_type = :graph_type",
};
static const brant__statements statements = {BRANT__TABLE_TYPE, STATEMENT_COUNT, sql};

/* A row of graph_types. Texts are copies in the call's arena, or static. */
typedef struct type_row {
    int64_t row_id;
    brant__text id;
    brant__text name;
    brant__text scope;
    int64_t version;
    int64_t changes;
    brant__text metadata;
    int64_t created_at;
    int64_t updated_at;
} type_row;

/* ---- built-in modules ------------------------------------------------------------------------------------------------------ */

static brant__text builtin_name(const brant__embedded *builtin)
{
    return brant__text_of(builtin->name, strlen(builtin->name));
}

static const brant__embedded *builtin_find(brant__text name)
{
    for (size_t i = 0; i < brant__modules_count; i++)
        if (brant__text_equal(builtin_name(&brant__modules[i]), name)) return &brant__modules[i];
    return NULL;
}

/* A UUIDv7 of time 0 whose random part is a hash (FNV-1a) of the name. */
static void builtin_id(char out[37], brant__text name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    uint8_t random[10] = {0};

    for (size_t i = 0; i < name.length; i++) hash = (hash ^ (unsigned char)name.data[i]) * UINT64_C(0x100000001b3);
    for (size_t i = 0; i < 8; i++) random[2 + i] = (uint8_t)(hash >> (8 * i));
    brant__uuid_v7(out, 0, random);
}

static brant_status builtin_row(type_row *out, brant__call *call, const brant__embedded *builtin)
{
    char id[37];

    builtin_id(id, builtin_name(builtin));
    *out = (type_row){
        .id = {brant__arena_copy(call->arena, id, 36), 36},
        .name = builtin_name(builtin),
        .scope = BRANT__TEXT("system"),
        .version = 1,
        .metadata = BRANT__TEXT("{}"),
    };
    return out->id.data ? BRANT_OK : brant__fail_memory();
}

/* ---- rows --------------------------------------------------------------------------------------------------------------------- */

static brant__text copy(brant__call *call, brant__text text)
{
    return brant__text_of(brant__arena_copy(call->arena, text.data, text.length), text.length);
}

static brant_status read_row(type_row *out, brant__call *call, brant__statement *row)
{
    *out = (type_row){
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
static brant_status find_row(bool *out_found, type_row *out, brant__call *call, brant__text name)
{
    brant__statement *statement = NULL;
    const brant__embedded *builtin;
    brant_status status;

    *out_found = false;
    BRANT__TRY(brant__statement_get(&statement, call->db, &statements, TYPE_BY_NAME));
    brant__bind_text(statement, 1, name);
    BRANT__TRY(brant__step(out_found, call->db, statement));
    if (*out_found) {
        status = read_row(out, call, statement);
    } else if ((builtin = builtin_find(name))) {
        *out_found = true;
        status = builtin_row(out, call, builtin);
    }
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status fail_missing(brant__call *call, brant__text name)
{
    return brant__fail(BRANT_NOT_FOUND, "no graph type %s", brant__quoted(call, name));
}

/* ---- parsed types ----------------------------------------------------------------------------------------------------------------- */

void brant__type_free(brant__type *type)
{
    if (!type) return;
    brant__module_free(type->module);
    brant__free(type->node_types);
    brant__free(type->edge_types);
    brant__free(type->name);
    brant__free(type->id);
    brant__free(type);
}

/* Fill the row ids of a module's types from node_types or edge_types. */
static brant_status read_type_rows(brant__type *type, brant_db *db, int which)
{
    brant__statement *statement = NULL;
    brant_status status;
    bool row;

    BRANT__TRY(brant__statement_get(&statement, db, &statements, (size_t)which));
    brant__bind_integer(statement, 1, type->row_id);
    for (;;) {
        brant__text name;
        uint32_t index;
        BRANT__TRY(brant__step(&row, db, statement));
        if (!row) break;
        name = brant__column_text(statement, 1);
        index = which == NODE_TYPES ? brant__type_node(type, name) : brant__type_edge(type, name);
        if (index == BRANT__NO_TYPE) continue;
        (which == NODE_TYPES ? type->node_types : type->edge_types)[index] = brant__column_integer(statement, 0);
    }
cleanup:
    brant__reset(statement);
    return status;
}

/* Parse the module of a type: the stored text, or the built-in one. */
static brant_status parse_type(brant__type *type, brant_db *db)
{
    brant__statement *statement = NULL;
    brant__json json = {0};
    brant__text text = {NULL, 0};
    brant_status status;
    bool row = false;

    if (type->row_id) {
        BRANT__TRY(brant__statement_get(&statement, db, &statements, TYPE_MODULE));
        brant__bind_integer(statement, 1, type->row_id);
        BRANT__TRY(brant__step(&row, db, statement));
        if (row) text = brant__column_text(statement, 0);
    } else {
        const brant__embedded *builtin = builtin_find(brant__text_of(type->name, strlen(type->name)));
        if (builtin) text = brant__text_of(builtin->data, builtin->size);
    }
    if (!text.data) {
        status = brant__fail(BRANT_CORRUPT, "a graph type has no module; run db.doctor");
        goto cleanup;
    }
    BRANT__TRY(brant__json_parse(&json, text.data, text.length, 0));
    BRANT__TRY(brant__module_parse(&type->module, json.root));
    if (type->module->node_type_count >= UINT16_MAX || type->module->edge_type_count >= UINT16_MAX) {
        status = brant__fail(BRANT_LIMIT, "a graph type has at most %d types of nodes or edges", UINT16_MAX - 1);
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

brant_status brant__type_load(const brant__type **out_type, brant_db *db, int64_t row_id, brant__text id, int64_t changes,
                              brant__text name)
{
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
        if (kept->row_id == row_id && strlen(kept->id) == id.length && memcmp(kept->id, id.data, id.length) == 0) {
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
        BRANT__TRY(read_type_rows(type, db, NODE_TYPES));
        BRANT__TRY(read_type_rows(type, db, EDGE_TYPES));
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

static brant_status load_row(const brant__type **out_type, brant__call *call, const type_row *row)
{
    return brant__type_load(out_type, call->db, row->row_id, row->id, row->changes, row->name);
}

uint32_t brant__type_node(const brant__type *type, brant__text name)
{
    for (size_t i = 0; i < type->module->node_type_count; i++)
        if (brant__text_equal(type->module->node_types[i].name, name)) return (uint32_t)i;
    return BRANT__NO_TYPE;
}

uint32_t brant__type_edge(const brant__type *type, brant__text name)
{
    for (size_t i = 0; i < type->module->edge_type_count; i++)
        if (brant__text_equal(type->module->edge_types[i].name, name)) return (uint32_t)i;
    return BRANT__NO_TYPE;
}

static uint32_t index_of_row(const int64_t *rows, size_t count, int64_t row_id)
{
    for (size_t i = 0; i < count; i++)
        if (rows[i] == row_id) return (uint32_t)i;
    return BRANT__NO_TYPE;
}

uint32_t brant__type_node_of_row(const brant__type *type, int64_t row_id)
{
    if (!type->module->typed) return row_id == 0 ? 0 : BRANT__NO_TYPE;
    return index_of_row(type->node_types, type->module->node_type_count, row_id);
}

uint32_t brant__type_edge_of_row(const brant__type *type, int64_t row_id)
{
    if (!type->module->typed) return row_id == 0 ? 0 : BRANT__NO_TYPE;
    return index_of_row(type->edge_types, type->module->edge_type_count, row_id);
}

/* ---- writing ---------------------------------------------------------------------------------------------------------------------------- */

static void write_config(brant__writer *out, const brant__module_config *config)
{
    static const char *const directions[] = {"directed", "undirected", "mixed"};
    const char *direction = directions[config->direction];

    brant__write_object(out);
    brant__write_name(out, "directed");
    brant__write_text(out, brant__text_of(direction, strlen(direction)));
    brant__write_name(out, "multi");
    brant__write_bool(out, config->multi);
    brant__write_name(out, "allow_self_loops");
    brant__write_bool(out, config->allow_self_loops);
    brant__write_name(out, "acyclic");
    brant__write_bool(out, config->acyclic);
    brant__write_name(out, "max_nodes");
    if (config->max_nodes < 0)
        brant__write_null(out);
    else
        brant__write_integer(out, config->max_nodes);
    brant__write_name(out, "max_edges");
    if (config->max_edges < 0)
        brant__write_null(out);
    else
        brant__write_integer(out, config->max_edges);
    brant__write_end(out);
}

/* Names of node types by index; any: null. */
static void write_ends(brant__writer *out, const brant__module *module, const size_t *ends, size_t count)
{
    if (count == SIZE_MAX) {
        brant__write_null(out);
        return;
    }
    brant__write_array(out);
    for (size_t i = 0; i < count; i++) brant__write_text(out, module->node_types[ends[i]].name);
    brant__write_end(out);
}

static brant_status write_type(brant__call *call, const type_row *row, bool with_module)
{
    brant__writer *out = call->out;
    brant__statement *statement = NULL;
    const brant__type *type;
    const brant__module *module;
    brant_status status;

    BRANT__TRY(load_row(&type, call, row));
    module = type->module;
    brant__write_object(out);
    brant__write_name(out, "id");
    brant__write_text(out, row->id);
    brant__write_name(out, "name");
    brant__write_text(out, row->name);
    brant__write_name(out, "scope");
    brant__write_text(out, row->scope);
    brant__write_name(out, "version");
    brant__write_integer(out, row->version);
    brant__write_name(out, "config");
    write_config(out, &module->config);
    brant__write_name(out, "node_types");
    brant__write_array(out);
    if (module->typed)
        for (size_t i = 0; i < module->node_type_count; i++) brant__write_text(out, module->node_types[i].name);
    brant__write_end(out);
    brant__write_name(out, "edge_types");
    brant__write_array(out);
    for (size_t i = 0; module->typed && i < module->edge_type_count; i++) {
        const brant__edge_type *edge = &module->edge_types[i];
        brant__write_object(out);
        brant__write_name(out, "name");
        brant__write_text(out, edge->name);
        brant__write_name(out, "source");
        write_ends(out, module, edge->sources, edge->source_count);
        brant__write_name(out, "target");
        write_ends(out, module, edge->targets, edge->target_count);
        brant__write_end(out);
    }
    brant__write_end(out);
    if (with_module) {
        brant__write_name(out, "module");
        if (row->row_id) {
            bool found;
            BRANT__TRY(brant__statement_get(&statement, call->db, &statements, TYPE_MODULE));
            brant__bind_integer(statement, 1, row->row_id);
            BRANT__TRY(brant__step(&found, call->db, statement));
            brant__write_raw(out, found ? brant__column_text(statement, 0) : BRANT__TEXT("null"));
        } else {
            const brant__embedded *builtin = builtin_find(row->name);
            brant__json json = {0};
            status = brant__json_parse(&json, builtin->data, builtin->size, 0);
            if (status == BRANT_OK) brant__write_value(out, json.root);
            brant__json_free(&json);
            if (status != BRANT_OK) goto cleanup;
        }
    }
    brant__write_name(out, "metadata");
    brant__write_raw(out, row->metadata);
    brant__write_name(out, "created_at");
    brant__write_integer(out, row->created_at);
    brant__write_name(out, "updated_at");
    brant__write_integer(out, row->updated_at);
    brant__write_end(out);
cleanup:
    brant__reset(statement);
    return status;
}

/* ---- storing ------------------------------------------------------------------------------------------------------------------------------- */

/* The rows of node_types and edge_types. */
static brant_status insert_types(brant__call *call, const brant__module *module, int64_t row_id)
{
    brant__statement *statement = NULL;
    brant__writer ends[2] = {{.level = 0}, {.level = 0}};
    int64_t now = brant__db_now(call->db);
    brant_status status = BRANT_OK;
    char id[37];

    for (size_t i = 0; i < module->node_type_count; i++) {
        BRANT__TRY(brant__db_uuid(call->db, id));
        BRANT__TRY(brant__statement_get(&statement, call->db, &statements, NODE_TYPE_INSERT));
        brant__bind_text(statement, 1, brant__text_of(id, 36));
        brant__bind_integer(statement, 2, row_id);
        brant__bind_text(statement, 3, module->node_types[i].name);
        brant__bind_integer(statement, 4, now);
        BRANT__TRY(brant__run(call->db, statement));
    }
    for (size_t i = 0; i < module->edge_type_count; i++) {
        const brant__edge_type *edge = &module->edge_types[i];
        BRANT__TRY(brant__db_uuid(call->db, id));
        BRANT__TRY(brant__statement_get(&statement, call->db, &statements, EDGE_TYPE_INSERT));
        brant__bind_text(statement, 1, brant__text_of(id, 36));
        brant__bind_integer(statement, 2, row_id);
        brant__bind_text(statement, 3, edge->name);
        for (int end = 0; end < 2; end++) {
            size_t count = end ? edge->target_count : edge->source_count;
            brant__buffer_free(&ends[end].buffer);
            ends[end] = (brant__writer){.level = 0};
            if (count == SIZE_MAX) {
                brant__bind_null(statement, 4 + end);
                continue;
            }
            write_ends(&ends[end], module, end ? edge->targets : edge->sources, count);
            if (ends[end].buffer.failed) {
                status = brant__fail_memory();
                goto cleanup;
            }
            brant__bind_text(statement, 4 + end, brant__text_of(ends[end].buffer.data, ends[end].buffer.length));
        }
        brant__bind_integer(statement, 6, now);
        BRANT__TRY(brant__run(call->db, statement));
    }
cleanup:
    brant__buffer_free(&ends[0].buffer);
    brant__buffer_free(&ends[1].buffer);
    return status;
}

/* Store a module that is parsed already; fills row_id. */
static brant_status insert_type(type_row *row, brant__call *call, yyjson_val *json, const brant__module *module)
{
    brant__statement *statement = NULL;
    brant__buffer text = {0};
    brant__writer config = {0};
    brant_status status;

    BRANT__TRY(brant__kept_dirty(call->db));
    brant__json_append(&text, json);
    write_config(&config, &module->config);
    if (text.failed || config.buffer.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    BRANT__TRY(brant__statement_get(&statement, call->db, &statements, TYPE_INSERT));
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
cleanup:
    brant__buffer_free(&text);
    brant__buffer_free(&config.buffer);
    return status;
}

static brant_status store_builtin(type_row *row, brant__call *call)
{
    const brant__embedded *builtin = builtin_find(row->name);
    brant__module *module = NULL;
    brant__json json = {0};
    brant_status status;

    BRANT__TRY(brant__json_parse(&json, builtin->data, builtin->size, 0));
    BRANT__TRY(brant__module_parse(&module, json.root));
    BRANT__TRY(insert_type(row, call, json.root, module));
cleanup:
    brant__module_free(module);
    brant__json_free(&json);
    return status;
}

brant_status brant__type_find(const brant__type **out_type, brant__call *call, brant__text name, bool store)
{
    type_row row;
    bool found;
    brant_status status = find_row(&found, &row, call, name);

    *out_type = NULL;
    if (status != BRANT_OK) return status;
    if (!found) return fail_missing(call, name);
    if (store && !row.row_id) {
        status = store_builtin(&row, call);
        if (status != BRANT_OK) return status;
    }
    return load_row(out_type, call, &row);
}

/* ---- operations ------------------------------------------------------------------------------------------------------------------------------- */

/* Is this module the one that is stored under the row, or built in? */
static brant_status same_module(bool *out_same, brant__call *call, const type_row *row, yyjson_val *module)
{
    brant__statement *statement = NULL;
    brant__json json = {0};
    brant__text text = {NULL, 0};
    brant_status status;
    bool found;

    *out_same = false;
    if (row->row_id) {
        BRANT__TRY(brant__statement_get(&statement, call->db, &statements, TYPE_MODULE));
        brant__bind_integer(statement, 1, row->row_id);
        BRANT__TRY(brant__step(&found, call->db, statement));
        if (found) text = brant__column_text(statement, 0);
    } else {
        const brant__embedded *builtin = builtin_find(row->name);
        text = brant__text_of(builtin->data, builtin->size);
    }
    BRANT__TRY(brant__json_parse(&json, text.data, text.length, 0));
    *out_same = brant__json_equal(json.root, module);
cleanup:
    brant__reset(statement);
    brant__json_free(&json);
    return status;
}

brant_status brant__graph_type_define(brant__call *call)
{
    yyjson_val *json = brant__json_get(call->input, "module");
    yyjson_val *metadata = brant__json_get(call->input, "metadata");
    brant__text name = brant__json_get_text(call->input, "name");
    brant__text scope = brant__json_get_text(call->input, "scope");
    int64_t version = brant__json_integer(brant__json_get(call->input, "version"), 1);
    brant__module *module = NULL;
    brant__buffer text = {0};
    type_row row;
    bool found, same;
    char id[37];
    brant_status status;

    BRANT__TRY(brant__module_parse(&module, json));
    if (!name.data) name = module->id;
    BRANT__TRY(brant__name_check(call->db, "the graph type's name (member name, or the module's $id)", name));
    if (version < 1) {
        status = brant__fail(BRANT_INVALID, "version is less than 1");
        goto cleanup;
    }
    if (metadata && !yyjson_is_obj(metadata)) {
        status = brant__fail(BRANT_INVALID, "metadata is not an object");
        goto cleanup;
    }
    if (scope.data && !brant__text_equal(scope, BRANT__TEXT("user")) && !brant__text_equal(scope, BRANT__TEXT("tenant")) &&
        !brant__text_equal(scope, BRANT__TEXT("system"))) {
        status = brant__fail(BRANT_INVALID, "scope is none of user, tenant, system");
        goto cleanup;
    }
    BRANT__TRY(find_row(&found, &row, call, name));
    if (found) {
        BRANT__TRY(same_module(&same, call, &row, json));
        if (!same || row.version != version || (scope.data && !brant__text_equal(scope, row.scope))) {
            status = brant__fail(BRANT_EXISTS, "another graph type is named %s (version %lld)", brant__quoted(call, name),
                                 (long long)row.version);
            goto cleanup;
        }
        status = write_type(call, &row, false);
        goto cleanup;
    }
    if (!scope.data) scope = BRANT__TEXT("user");
    if (brant__text_equal(scope, BRANT__TEXT("system")) && !brant__db_system(call->db)) {
        status = brant__fail(BRANT_DENIED, "graph types of scope system are changed by a handle that was opened with system: true");
        goto cleanup;
    }
    if (metadata) brant__json_append(&text, metadata);
    if (text.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    BRANT__TRY(brant__db_uuid(call->db, id));
    row = (type_row){
        .id = {id, 36},
        .name = name,
        .scope = scope,
        .version = version,
        .metadata = metadata ? brant__text_of(text.data, text.length) : BRANT__TEXT("{}"),
        .created_at = brant__db_now(call->db),
        .updated_at = brant__db_now(call->db),
    };
    BRANT__TRY(insert_type(&row, call, json, module));
    status = write_type(call, &row, false);
cleanup:
    brant__buffer_free(&text);
    brant__module_free(module);
    return status;
}

brant_status brant__graph_type_get(brant__call *call)
{
    brant__text name = brant__json_get_text(call->input, "name");
    type_row row;
    bool found;
    brant_status status = find_row(&found, &row, call, name);

    if (status != BRANT_OK) return status;
    return found ? write_type(call, &row, true) : fail_missing(call, name);
}

/* The built-in module with the smallest name above `after` that is not stored. */
static brant_status next_builtin(const brant__embedded **out, brant__call *call, brant__text after)
{
    brant_status status;

    for (;;) {
        const brant__embedded *next = NULL;
        type_row row;
        bool found;
        *out = NULL;
        for (size_t i = 0; i < brant__modules_count; i++) {
            const brant__embedded *builtin = &brant__modules[i];
            if (brant__text_compare(builtin_name(builtin), after) <= 0) continue;
            if (!next || brant__text_compare(builtin_name(builtin), builtin_name(next)) < 0) next = builtin;
        }
        if (!next) return BRANT_OK;
        status = find_row(&found, &row, call, builtin_name(next));
        if (status != BRANT_OK) return status;
        if (found && row.row_id == 0) {
            *out = next;
            return BRANT_OK;
        }
        after = builtin_name(next);
    }
}

brant_status brant__graph_type_list(brant__call *call)
{
    brant__list list = brant__list_of("graph_types.list");
    brant__statement *statement = NULL;
    const brant__embedded *builtin;
    brant__position position;
    type_row row;
    int64_t limit, count = 0;
    bool stored;
    brant_status status;

    BRANT__TRY(brant__limit_read(&limit, call, 100, 10000));
    BRANT__TRY(brant__position_read(&position, call, list));
    if (!position.text.data) position.text = BRANT__TEXT("");
    BRANT__TRY(next_builtin(&builtin, call, position.text));
    BRANT__TRY(brant__statement_get(&statement, call->db, &statements, TYPE_LIST));
    brant__bind_text(statement, 1, position.text);
    brant__bind_integer(statement, 2, limit + 1);
    BRANT__TRY(brant__step(&stored, call->db, statement));
    if (stored) BRANT__TRY(read_row(&row, call, statement));
    brant__write_object(call->out);
    brant__write_name(call->out, "items");
    brant__write_array(call->out);
    while (count < limit && (stored || builtin)) {
        if (stored && (!builtin || brant__text_compare(row.name, builtin_name(builtin)) < 0)) {
            BRANT__TRY(write_type(call, &row, false));
            position.text = row.name;
            BRANT__TRY(brant__step(&stored, call->db, statement));
            if (stored) BRANT__TRY(read_row(&row, call, statement));
        } else {
            type_row built_in;
            BRANT__TRY(builtin_row(&built_in, call, builtin));
            BRANT__TRY(write_type(call, &built_in, false));
            position.text = built_in.name;
            BRANT__TRY(next_builtin(&builtin, call, position.text));
        }
        count++;
    }
    brant__write_end(call->out);
    brant__position_write(call->out, stored || builtin ? &position : NULL, list);
    brant__write_end(call->out);
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status delete_rows(brant__call *call, int which, int64_t row_id)
{
    brant__statement *statement;
    brant_status status = brant__statement_get(&statement, call->db, &statements, (size_t)which);

    if (status != BRANT_OK) return status;
    brant__bind_integer(statement, 1, row_id);
    return brant__run(call->db, statement);
}

brant_status brant__graph_type_delete(brant__call *call)
{
    brant__text name = brant__json_get_text(call->input, "name");
    brant__statement *statement = NULL;
    type_row row;
    bool found, used;
    brant_status status;

    BRANT__TRY(find_row(&found, &row, call, name));
    if (!found) {
        status = fail_missing(call, name);
        goto cleanup;
    }
    if (builtin_find(name)) {
        status = brant__fail(BRANT_DENIED, "graph type %s is built in", brant__quoted(call, name));
        goto cleanup;
    }
    if (brant__text_equal(row.scope, BRANT__TEXT("system")) && !brant__db_system(call->db)) {
        status = brant__fail(BRANT_DENIED, "graph types of scope system are changed by a handle that was opened with system: true");
        goto cleanup;
    }
    BRANT__TRY(brant__statement_get(&statement, call->db, &statements, TYPE_USED));
    brant__bind_integer(statement, 1, row.row_id);
    BRANT__TRY(brant__step(&used, call->db, statement));
    if (used) {
        status = brant__fail(BRANT_CONSTRAINT, "graph type %s is used by graph %s", brant__quoted(call, name),
                             brant__quoted(call, brant__column_text(statement, 0)));
        goto cleanup;
    }
    BRANT__TRY(brant__kept_dirty(call->db));
    BRANT__TRY(delete_rows(call, NODE_TYPES_DELETE, row.row_id));
    BRANT__TRY(delete_rows(call, EDGE_TYPES_DELETE, row.row_id));
    BRANT__TRY(delete_rows(call, TYPE_DELETE, row.row_id));
    brant__type_forget(call->db, row.id);
    brant__write_object(call->out);
    brant__write_name(call->out, "deleted");
    brant__write_bool(call->out, true);
    brant__write_end(call->out);
cleanup:
    brant__reset(statement);
    return status;
}

/* ---- validation without writing ------------------------------------------------------------------------------------------------------------------ */

/* A violation that no schema has. */
static void write_violation(brant__writer *out, brant__text schema, const char *keyword, const char *message)
{
    brant__write_object(out);
    brant__write_name(out, "instance");
    brant__write_text(out, BRANT__TEXT(""));
    brant__write_name(out, "schema");
    brant__write_text(out, schema);
    brant__write_name(out, "keyword");
    brant__write_text(out, brant__text_of(keyword, strlen(keyword)));
    brant__write_name(out, "message");
    brant__write_text(out, brant__text_of(message, strlen(message)));
    brant__write_end(out);
}

/* The constraint on one end of an edge type. `given` may be missing: then nothing is said of it. */
static brant_status check_end(size_t *count, brant__call *call, const brant__type *type, const brant__edge_type *edge, bool source,
                              yyjson_val *given, brant__writer *out)
{
    const size_t *allowed = source ? edge->sources : edge->targets;
    size_t allowed_count = source ? edge->source_count : edge->target_count;
    const char *what = source ? "source" : "target";
    brant__buffer pointer = {0};
    brant_status status = BRANT_OK;
    uint32_t index;

    if (!given || yyjson_is_null(given)) return BRANT_OK;
    index = brant__type_node(type, brant__json_text(given));
    if (index == BRANT__NO_TYPE)
        return brant__fail(BRANT_INVALID, "graph type %s has no node type %s", brant__quoted(call, brant__text_of(type->name, strlen(type->name))),
                           brant__quoted(call, brant__json_text(given)));
    if (allowed_count == SIZE_MAX) return BRANT_OK;
    for (size_t i = 0; i < allowed_count; i++)
        if (allowed[i] == index) return BRANT_OK;
    ++*count;
    brant__buffer_append(&pointer, "/$defs/", 7);
    brant__buffer_append(&pointer, edge->name.data, edge->name.length);
    brant__buffer_format(&pointer, "EdgeConstraints/properties/%s", what);
    if (pointer.failed)
        status = brant__fail_memory();
    else
        write_violation(out, brant__text_of(pointer.data, pointer.length), what, "edges of this type do not have such an end");
    brant__buffer_free(&pointer);
    return status;
}

static brant_status validate(brant__call *call, bool edge)
{
    brant__text graph_type = brant__json_get_text(call->input, "graph_type");
    yyjson_val *name = brant__json_get(call->input, "type");
    yyjson_val *attributes = brant__json_get(call->input, "attributes");
    brant__writer violations = {0};
    const brant__schema *schema = NULL;
    const brant__type *type;
    size_t count = 0;
    uint32_t index = 0;
    brant_status status;

    BRANT__TRY(brant__type_find(&type, call, graph_type, false));
    if (type->module->typed) {
        index = edge ? brant__type_edge(type, brant__json_text(name)) : brant__type_node(type, brant__json_text(name));
        if (!name || yyjson_is_null(name) || index == BRANT__NO_TYPE) {
            status = brant__fail(BRANT_INVALID, "graph type %s has no %s type %s", brant__quoted(call, graph_type), edge ? "edge" : "node",
                                 name && yyjson_is_str(name) ? brant__quoted(call, brant__json_text(name)) : "null");
            goto cleanup;
        }
        schema = edge ? type->module->edge_types[index].schema : type->module->node_types[index].schema;
    } else if (name && !yyjson_is_null(name)) {
        status = brant__fail(BRANT_INVALID, "graph type %s has no types; type is null", brant__quoted(call, graph_type));
        goto cleanup;
    }
    brant__write_array(&violations);
    if (attributes && !yyjson_is_obj(attributes)) {
        count++;
        write_violation(&violations, BRANT__TEXT(""), "type", "attributes are an object");
    } else if (schema) {
        brant__graphs *state;
        BRANT__TRY(brant__graphs_state(&state, call->db));
        count += brant__schema_violations(schema, attributes ? attributes : state->empty.root, BRANT__TEXT(""), &violations);
    }
    if (edge && schema) {
        BRANT__TRY(check_end(&count, call, type, &type->module->edge_types[index], true,
                             brant__json_get(call->input, "source_type"), &violations));
        BRANT__TRY(check_end(&count, call, type, &type->module->edge_types[index], false,
                             brant__json_get(call->input, "target_type"), &violations));
    }
    brant__write_end(&violations);
    if (violations.buffer.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    brant__write_object(call->out);
    brant__write_name(call->out, "valid");
    brant__write_bool(call->out, count == 0);
    brant__write_name(call->out, "violations");
    brant__write_raw(call->out, brant__text_of(violations.buffer.data, violations.buffer.length));
    brant__write_end(call->out);
cleanup:
    brant__buffer_free(&violations.buffer);
    return status;
}

brant_status brant__graph_type_validate_node(brant__call *call)
{
    return validate(call, false);
}

brant_status brant__graph_type_validate_edge(brant__call *call)
{
    return validate(call, true);
}
