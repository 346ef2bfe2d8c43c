/*
 * graph/evolve.c: stored rows judged by a module, and modules closed under what is stored.
 */
#include "graph/evolve.h"
#include "graph/filter.h"

#define FAILURES 100

static const char *const sql[BRANT__EVOLVE_STATEMENTS] = {
    [BRANT__EVOLVE_MODULE_BY_ID] =
        ("SELECT module FROM graph_types WHERE json_extract(module, '$.\"$id\"') = :id"
         " ORDER BY row_id LIMIT 1"),
    [BRANT__EVOLVE_SOURCE] = "SELECT source FROM graph_types WHERE row_id = :row_id",
    [BRANT__EVOLVE_SOURCE_SET] = "UPDATE graph_types SET source = :source WHERE row_id = :row_id",
    [BRANT__EVOLVE_TYPE_UPDATE] =
        ("UPDATE graph_types SET module = :module, config = :config, version = :version, source = "
         ":source, metadata = coalesce(:metadata, metadata), changes = changes + 1, updated_at = "
         ":now WHERE row_id = :row_id"),
    [BRANT__EVOLVE_NODE_TYPE_DELETE] = "DELETE FROM node_types WHERE row_id = :row_id",
    [BRANT__EVOLVE_EDGE_TYPE_DELETE] = "DELETE FROM edge_types WHERE row_id = :row_id",
    [BRANT__EVOLVE_EDGE_TYPE_UPDATE] = ("UPDATE edge_types SET source = :source, target = :target, "
                                        "updated_at = :now WHERE row_id = :row_id"),
    [BRANT__EVOLVE_TYPE_ROWS] =
        "SELECT 1 FROM graph_counts WHERE kind = :kind AND type = :type AND count > 0 LIMIT 1",
    [BRANT__EVOLVE_GRAPH_ROWS] =
        ("SELECT coalesce(sum(nodes), 0), coalesce(sum(edges), 0) FROM graphs"
         " WHERE graph_type = :graph_type"),
    [BRANT__EVOLVE_MIGRATION] =
        ("SELECT from_version, to_version, node, edge, total, migrated, unchanged, failed, done, "
         "started_at, updated_at FROM graph_type_migrations WHERE graph_type = :graph_type"),
    [BRANT__EVOLVE_MIGRATION_BEGIN] =
        ("INSERT INTO graph_type_migrations (graph_type, from_version, to_version, total, "
         "started_at, updated_at) VALUES (:graph_type, :from, :to, :total, :now, :now)"
         " ON CONFLICT (graph_type) DO UPDATE SET to_version = excluded.to_version,"
         " from_version = CASE WHEN done THEN excluded.from_version ELSE from_version END,"
         " node = 0, edge = 0, total = excluded.total, migrated = 0, unchanged = 0, failed = 0,"
         " done = 0, started_at = excluded.started_at, updated_at = excluded.updated_at"),
    [BRANT__EVOLVE_MIGRATION_STEP] =
        ("UPDATE graph_type_migrations SET node = :node, edge = :edge, migrated = :migrated,"
         " unchanged = :unchanged, failed = :failed, done = :done, updated_at = :now"
         " WHERE graph_type = :graph_type"),
    [BRANT__EVOLVE_MIGRATION_DELETE] =
        "DELETE FROM graph_type_migrations WHERE graph_type = :graph_type",
    [BRANT__EVOLVE_NODES] =
        ("SELECT n.row_id, n.graph, n.key, n.type, n.attributes"
         " FROM nodes n CROSS JOIN graphs g ON g.row_id = n.graph"
         " WHERE n.row_id > :after AND n.type_version < :version AND g.graph_type = :graph_type"
         " ORDER BY n.row_id LIMIT :limit"),
    [BRANT__EVOLVE_EDGES] =
        ("SELECT e.row_id, e.graph, e.key, e.type, e.attributes, s.key, t.key, s.type, t.type,"
         " e.source = e.target, e.orientation FROM edges e CROSS JOIN graphs g ON g.row_id = "
         "e.graph"
         " CROSS JOIN nodes s ON s.row_id = e.source CROSS JOIN nodes t ON t.row_id = e.target"
         " WHERE e.row_id > :after AND e.type_version < :version AND g.graph_type = :graph_type"
         " ORDER BY e.row_id LIMIT :limit"),
    [BRANT__EVOLVE_NODE_UPDATE] =
        ("UPDATE nodes SET attributes = :attributes, revision = revision + 1, updated_at = :now,"
         " type_version = :version WHERE row_id = :row_id"),
    [BRANT__EVOLVE_NODE_TOUCH] = "UPDATE nodes SET type_version = :version WHERE row_id = :row_id",
    [BRANT__EVOLVE_EDGE_UPDATE] =
        ("UPDATE edges SET attributes = :attributes, revision = revision + 1, updated_at = :now,"
         " type_version = :version WHERE row_id = :row_id"),
    [BRANT__EVOLVE_EDGE_TOUCH] = "UPDATE edges SET type_version = :version WHERE row_id = :row_id",
    [BRANT__EVOLVE_GRAPH] = "SELECT id, name, owner_id, change_stream, nodes, edges, shape FROM "
                            "graphs WHERE row_id = :row_id",
};
static const brant__statements statements = {BRANT__TABLE_EVOLVE, BRANT__EVOLVE_STATEMENTS, sql};

brant_status brant__evolve_statement(brant__statement **out, brant_db *db, int which) {
    return brant__statement_get(out, db, &statements, (size_t)which);
}

/* ---- modules --------------------------------------------------------------------------------- */

static brant_status find_by_id(bool *out_found, brant__stored_modules *self, brant__text id) {
    brant__statement *statement = NULL;
    brant_status status;

    BRANT__TRY(brant__evolve_statement(&statement, self->call->db, BRANT__EVOLVE_MODULE_BY_ID));
    brant__bind_text(statement, 1, id);
    BRANT__TRY(brant__step(out_found, self->call->db, statement));
    if (*out_found) {
        const brant__text text = brant__column_text(statement, 0);
        status = brant__json_parse(&self->parsed[self->count], text.data, text.length, 0);
    }
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__stored_modules_find(yyjson_val **out_module, void *context, brant__text name) {
    brant__stored_modules *self = context;
    brant__type_row row;
    bool found;
    brant_status status;

    *out_module = NULL;
    if (self->count == BRANT__COUNT(self->parsed))
        return brant__fail(BRANT_LIMIT, "a module imports from too many others");
    BRANT__TRY(brant__type_row_find(&found, &row, self->call, name));
    if (found && !row.row_id) return brant__builtins_find(out_module, &self->builtins, name);
    if (found)
        status = brant__stored_document(&self->parsed[self->count], self->call, &row);
    else
        status = find_by_id(&found, self, name);
    if (status == BRANT_OK && found) *out_module = self->parsed[self->count++].root;
cleanup:
    return status;
}

void brant__stored_modules_free(brant__stored_modules *modules) {
    for (size_t i = 0; i < BRANT__COUNT(modules->parsed); i++)
        brant__json_free(&modules->parsed[i]);
    brant__builtins_free(&modules->builtins);
}

brant_status brant__given_module_read(brant__given_module *out, brant__call *call,
                                      yyjson_val *given) {
    brant__stored_modules *stored = brant__alloc_zero(sizeof(*stored));
    brant__import_source source = {brant__stored_modules_find, stored};
    brant_status status;

    if (!stored) return brant__fail_memory();
    stored->call = call;
    out->document = given;
    BRANT__TRY(brant__module_close(&out->text, given, &source));
    if (out->text.length > 0) {
        BRANT__TRY(brant__json_parse(&out->json, out->text.data, out->text.length, 0));
        out->document = out->json.root;
    }
    status = brant__module_parse(&out->module, out->document);
cleanup:
    brant__stored_modules_free(stored);
    brant__free(stored);
    return status;
}

void brant__given_module_free(brant__given_module *module) {
    brant__module_free(module->module);
    brant__json_free(&module->json);
    brant__buffer_free(&module->text);
}

brant_status brant__stored_document(brant__json *out, brant__call *call,
                                    const brant__type_row *row) {
    brant__statement *statement = NULL;
    brant__text text;
    brant_status status =
        brant__type_row_module(&text, &statement, call->db, row->row_id, row->name);

    if (status == BRANT_OK) status = brant__json_parse(out, text.data, text.length, 0);
    brant__reset(statement);
    return status;
}

/* ---- rows ------------------------------------------------------------------------------------ */

void brant__evolve_row_read(brant__evolve_row *out, int kind, brant__statement *statement) {
    *out = (brant__evolve_row){
        .row_id = brant__column_integer(statement, 0),
        .graph = brant__column_integer(statement, 1),
        .key = brant__column_text(statement, 2),
        .type = brant__column_integer(statement, 3),
        .attributes = brant__column_text(statement, 4),
    };
    if (kind == BRANT__NODES) return;
    out->source = brant__column_text(statement, 5);
    out->target = brant__column_text(statement, 6);
    out->source_type = brant__column_integer(statement, 7);
    out->target_type = brant__column_integer(statement, 8);
    out->loop = brant__column_integer(statement, 9) != 0;
    out->undirected = (brant__column_integer(statement, 10) & BRANT__UNDIRECTED_EDGE) != 0;
}

brant_status brant__evolve_key(brant__text *out, brant__call *call, const brant__type *type,
                               int kind, const brant__evolve_row *row) {
    brant__graph graph = {.type = type};
    brant__edge_ends ends = {.key = row->key, .source = row->source, .target = row->target};

    *out = row->key;
    if (kind == BRANT__NODES || row->key.data) return BRANT_OK;
    ends.type = brant__type_edge_of_row(type, row->type);
    if (ends.type == BRANT__NO_TYPE) return brant__read_type(&ends.type, &graph, kind, row->type);
    return brant__edge_key(out, call, &graph, &ends);
}

brant_status brant__evolve_graph(brant__graph *out, brant__call *call, const brant__type *type,
                                 int64_t row_id) {
    brant__statement *statement = NULL;
    brant__text *texts[] = {&out->id, &out->name, &out->owner_id, &out->change_stream};
    brant_status status;
    bool found;

    *out = (brant__graph){.row_id = row_id, .type = type};
    BRANT__TRY(brant__evolve_statement(&statement, call->db, BRANT__EVOLVE_GRAPH));
    brant__bind_integer(statement, 1, row_id);
    BRANT__TRY(brant__step(&found, call->db, statement));
    if (!found) {
        status = brant__fail(BRANT_CORRUPT, "a row is of a graph that is not there; run db.doctor");
        goto cleanup;
    }
    for (int i = 0; i < (int)BRANT__COUNT(texts); i++) {
        const brant__text text = brant__column_text(statement, i);
        if (!text.data) continue;
        *texts[i] =
            brant__text_of(brant__arena_copy(call->arena, text.data, text.length), text.length);
        if (!texts[i]->data) status = brant__fail_memory();
    }
    out->nodes = brant__column_integer(statement, 4);
    out->edges = brant__column_integer(statement, 5);
    out->shape = brant__column_integer(statement, 6);
cleanup:
    brant__reset(statement);
    return status;
}

/* ---- judging --------------------------------------------------------------------------------- */

/* The index of a row's type in the module that judges; NO_TYPE where it has none of the name. */
static uint32_t type_index(const brant__judge *self, int kind, int64_t row_id) {
    const brant__module *module = self->module, *stored = self->type->module;
    const uint32_t index = kind == BRANT__NODES ? brant__type_node_of_row(self->type, row_id)
                                                : brant__type_edge_of_row(self->type, row_id);

    if (!module->typed && !stored->typed) return 0;
    if (index == BRANT__NO_TYPE || !module->typed || !stored->typed) return BRANT__NO_TYPE;
    if (module == stored) return index;
    if (kind == BRANT__NODES) {
        for (size_t i = 0; i < module->node_type_count; i++)
            if (brant__text_equal(module->node_types[i].name, stored->node_types[index].name))
                return (uint32_t)i;
    } else {
        for (size_t i = 0; i < module->edge_type_count; i++)
            if (brant__text_equal(module->edge_types[i].name, stored->edge_types[index].name))
                return (uint32_t)i;
    }
    return BRANT__NO_TYPE;
}

static void write_violation(brant__writer *out, const char *keyword, const char *message,
                            brant__text more) {
    brant__buffer text = {0};

    brant__buffer_append(&text, message, strlen(message));
    brant__buffer_append(&text, more.data, more.length);
    brant__write_object(out);
    brant__write_text_member(out, "instance", BRANT__TEXT(""));
    brant__write_text_member(out, "schema", BRANT__TEXT(""));
    brant__write_text_member(out, "keyword", brant__text_string(keyword));
    brant__write_text_member(out, "message", brant__text_of(text.data, text.length));
    brant__write_end(out);
    if (text.failed) out->buffer.failed = true;
    brant__buffer_free(&text);
}

static bool end_allowed(const brant__judge *self, const size_t *ends, size_t count, int64_t type) {
    const uint32_t index = count == SIZE_MAX ? 0 : type_index(self, BRANT__NODES, type);

    if (count == SIZE_MAX) return true;
    for (size_t i = 0; i < count; i++)
        if (ends[i] == index) return true;
    return false;
}

/* What an edge breaks besides its schema. */
static void judge_edge(brant__judge *self, const brant__edge_type *edge,
                       const brant__evolve_row *row, brant__writer *out) {
    const brant__text nothing = BRANT__TEXT("");
    const bool undirected = self->module->config.direction == BRANT__UNDIRECTED || row->undirected;
    const bool straight =
        !edge || (end_allowed(self, edge->sources, edge->source_count, row->source_type) &&
                  end_allowed(self, edge->targets, edge->target_count, row->target_type));
    const bool turned = edge && undirected &&
                        end_allowed(self, edge->sources, edge->source_count, row->target_type) &&
                        end_allowed(self, edge->targets, edge->target_count, row->source_type);

    if (row->loop && !self->module->config.allow_self_loops) {
        self->failing = true;
        write_violation(out, "allow_self_loops", "is a self-loop", nothing);
    }
    if (!straight && !turned) {
        self->failing = true;
        write_violation(out, "source", "has ends that edges of this type do not have", nothing);
    }
}

/* Without "Edge" at its end; {NULL, 0} where it has none. */
static brant__text without_suffix(brant__text name) {
    const brant__text suffix = BRANT__TEXT("Edge");
    const size_t rest = name.length - suffix.length;

    if (name.length <= suffix.length || memcmp(name.data + rest, suffix.data, suffix.length) != 0)
        return (brant__text){NULL, 0};
    return brant__text_of(name.data, rest);
}

bool brant__patch_names_type(const brant__module *module, brant__text name) {
    const brant__text shared = without_suffix(name);

    if (!module->typed) return false;
    return brant__module_node(module, name) != BRANT__NO_TYPE ||
           brant__module_edge(module, name) != BRANT__NO_TYPE ||
           (shared.data && brant__module_node(module, shared) != BRANT__NO_TYPE &&
            brant__module_edge(module, shared) != BRANT__NO_TYPE);
}

/* Of a type's rows; NULL: none. */
static yyjson_val *find_patch(const brant__module *module, yyjson_val *patches, int kind,
                              brant__text type) {
    size_t index, count;
    yyjson_val *name, *patch;

    if (!patches || !type.data) return NULL;
    if (kind == BRANT__NODES || brant__module_node(module, type) == BRANT__NO_TYPE)
        return yyjson_obj_getn(patches, type.data, type.length);
    yyjson_obj_foreach(patches, index, count, name, patch) {
        if (brant__text_equal(without_suffix(brant__json_text(name)), type)) return patch;
    }
    return NULL;
}

static brant_status refuse_encrypted(brant__call *call, const brant__module *module, int kind,
                                     uint32_t type, size_t operation, const char *member,
                                     const brant__encrypted *encrypted) {
    const bool nodes = kind == BRANT__NODES;
    const brant__text name = nodes ? module->node_types[type].name : module->edge_types[type].name;

    return brant__fail(BRANT_INVALID,
                       "patch operation %zu: its %s meets %s, which is encrypted by %s type %s: a "
                       "patch can only remove it, or move or copy there",
                       operation, member, brant__encrypted_name(call, encrypted),
                       nodes ? "node" : "edge", brant__quoted(call, name));
}

/* A value that is written there is the same for all, and would stand in a job; one that is taken from there would be an envelope that opens nowhere. What comes from elsewhere in the
 * row is sealed (brant__seal_changed). */
static brant_status operation_plain(brant__call *call, const brant__module *module, int kind,
                                    uint32_t type, size_t index, yyjson_val *operation) {
    const brant__text op = brant__json_get_text(operation, "op");
    const brant__text path = brant__json_get_text(operation, "path");
    const brant__text from = brant__json_get_text(operation, "from");
    const bool comes =
        brant__text_equal(op, BRANT__TEXT("move")) || brant__text_equal(op, BRANT__TEXT("copy"));
    const brant__encrypted *to = brant__pointer_encrypted(module, kind, type, path);
    const brant__encrypted *source =
        comes ? brant__pointer_encrypted(module, kind, type, from) : NULL;

    if (brant__text_equal(op, BRANT__TEXT("remove"))) return BRANT_OK;
    if (to && (!comes || path.length > to->pointer.length))
        return refuse_encrypted(call, module, kind, type, index, "path", to);
    if (source) return refuse_encrypted(call, module, kind, type, index, "from", source);
    return BRANT_OK;
}

static brant_status patch_plain(brant__call *call, const brant__module *module, int kind,
                                uint32_t type, yyjson_val *patch) {
    size_t index, count;
    yyjson_val *operation;
    brant_status status = BRANT_OK;

    yyjson_arr_foreach(patch, index, count, operation)
        BRANT__TRY(operation_plain(call, module, kind, type, index, operation));
cleanup:
    return status;
}

brant_status brant__patches_plain(brant__call *call, const brant__module *module,
                                  yyjson_val *patches) {
    brant_status status = BRANT_OK;

    for (uint32_t i = 0; module->typed && i < module->node_type_count; i++)
        BRANT__TRY(
            patch_plain(call, module, BRANT__NODES, i,
                        find_patch(module, patches, BRANT__NODES, module->node_types[i].name)));
    for (uint32_t i = 0; module->typed && i < module->edge_type_count; i++)
        BRANT__TRY(
            patch_plain(call, module, BRANT__EDGES, i,
                        find_patch(module, patches, BRANT__EDGES, module->edge_types[i].name)));
cleanup:
    return status;
}

static brant_status apply_patch(brant__judge *self, int kind, brant__text type,
                                brant__writer *violations) {
    yyjson_val *patch = find_patch(self->module, self->patches, kind, type);
    brant_status status;

    if (!patch) return BRANT_OK;
    brant__buffer_reset(&self->patched);
    status = brant__patch_apply(&self->patched, self->json.root, patch,
                                brant__db_limits(self->call->db)->document);
    if (status == BRANT_INVALID || status == BRANT_CONFLICT || status == BRANT_LIMIT) {
        const brant_error *error = brant_last_error();
        self->failing = true;
        write_violation(violations, "patch", "",
                        brant__text_of(error->message, error->message_len));
        (void)brant__error_code();
        return BRANT_OK;
    }
    if (status != BRANT_OK) return status;
    status = brant__json_parse(&self->json, self->patched.data, self->patched.length, 0);
    if (status != BRANT_OK) return status;
    if (!yyjson_is_obj(self->json.root)) {
        self->failing = true;
        write_violation(violations, "patch", "makes attributes that are no object",
                        BRANT__TEXT(""));
    }
    self->text = brant__text_of(self->patched.data, self->patched.length);
    return BRANT_OK;
}

static brant_status judge_attributes(brant__judge *self, const brant__schema *schema,
                                     brant__writer *violations) {
    brant_status status;

    if (brant__schema_accepts(schema, self->json.root)) {
        self->valid = true;
        return BRANT_OK;
    }
    status = brant__cast_value(&self->cast, schema, self->document, self->json.root);
    if (status == BRANT_LIMIT) {
        (void)brant__error_code();
        self->failing = true;
        write_violation(violations, "cast", "takes too many steps to be cast", BRANT__TEXT(""));
        return BRANT_OK;
    }
    if (status != BRANT_OK) return status;
    if (self->cast.valid) {
        self->changed = true;
        self->text = brant__text_of(self->cast.text.data, self->cast.text.length);
        return BRANT_OK;
    }
    self->failing = true;
    brant__schema_violations(schema, self->cast.json.root, BRANT__TEXT(""), violations);
    return BRANT_OK;
}

static brant_status note_failure(brant__judge *self, int kind, const brant__evolve_row *row,
                                 const brant__writer *violations) {
    brant__writer *out = &self->failures;
    brant__graph graph;
    brant__text key;
    brant_status status;

    if (self->failure_count++ >= FAILURES) return BRANT_OK;
    BRANT__TRY(brant__evolve_graph(&graph, self->call, self->type, row->graph));
    BRANT__TRY(brant__evolve_key(&key, self->call, self->type, kind, row));
    brant__write_object(out);
    brant__write_text_member(out, "graph", graph.name);
    brant__write_text_member(out, "key", key);
    brant__write_name(out, "violations");
    brant__write_raw(out, brant__text_of(violations->buffer.data, violations->buffer.length));
    brant__write_end(out);
cleanup:
    return status;
}

brant_status brant__judge_row(brant__judge *self, int kind, const brant__evolve_row *row) {
    const uint32_t index = type_index(self, kind, row->type);
    const brant__edge_type *edge = NULL;
    const brant__schema *schema = NULL;
    brant__text name = {NULL, 0};
    brant__writer violations = {0};
    brant_status status;

    self->valid = self->changed = self->failing = false;
    self->text = row->attributes;
    brant__write_array(&violations);
    BRANT__TRY(brant__json_parse(&self->json, row->attributes.data, row->attributes.length, 0));
    if (index == BRANT__NO_TYPE) {
        self->failing = true;
        write_violation(&violations, "type", "is of a type that the module does not have",
                        BRANT__TEXT(""));
    } else if (self->module->typed && kind == BRANT__NODES) {
        name = self->module->node_types[index].name;
        schema = self->module->node_types[index].schema;
    } else if (self->module->typed) {
        edge = &self->module->edge_types[index];
        name = edge->name;
        schema = edge->schema;
    }
    if (kind == BRANT__EDGES && !self->failing) judge_edge(self, edge, row, &violations);
    BRANT__TRY(apply_patch(self, kind, name, &violations));
    self->changed =
        self->text.data != row->attributes.data && !brant__text_equal(self->text, row->attributes);
    if (schema && !self->failing)
        BRANT__TRY(judge_attributes(self, schema, &violations));
    else
        self->valid = !self->failing;
    brant__write_end(&violations);
    if (violations.buffer.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    if (self->failing) status = note_failure(self, kind, row, &violations);
cleanup:
    brant__buffer_free(&violations.buffer);
    return status;
}

brant_status brant__judge_fail(brant__judge *self, int kind, const brant__evolve_row *row,
                               const char *keyword, const char *message) {
    brant__writer violations = {0};
    brant_status status;

    self->failing = true;
    brant__write_array(&violations);
    write_violation(&violations, keyword, message, BRANT__TEXT(""));
    brant__write_end(&violations);
    status = violations.buffer.failed ? brant__fail_memory()
                                      : note_failure(self, kind, row, &violations);
    brant__buffer_free(&violations.buffer);
    return status;
}

void brant__judge_free(brant__judge *self) {
    brant__json_free(&self->json);
    brant__buffer_free(&self->patched);
    brant__cast_free(&self->cast);
    brant__buffer_free(&self->failures.buffer);
}
