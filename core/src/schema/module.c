/*
 * schema/module.c: from a module document to node types, edge types and configuration.
 *
 * The whole module is checked first, so that one answer names the faults of all its schemas; what a Config or a constraint says is read afterwards.
 * An entry's schema is compiled within the whole document, so references reach every other entry.
 */
#include "schema/program.h"

typedef struct reader {
    brant__module *module;
    yyjson_val *document;
    const char *container; /* "/$defs/" or "/definitions/" */
    yyjson_val *entries;
    brant__writer faults;
    size_t fault_count;
    brant__buffer message; /* of the first fault */
    brant__buffer pointer; /* scratch */
} reader;

/* ---- faults --------------------------------------------------------------------------------------------------------------- */

/* Record a fault at an entry, or at a member within it. */
static void fault(reader *self, brant__text entry, brant__text member, const char *message) {
    if (self->fault_count++ >= BRANT__VIOLATIONS) return;
    brant__buffer *pointer = &self->pointer;
    brant__buffer_reset(pointer);
    if (entry.length > 0) {
        brant__buffer_append(pointer, self->container, strlen(self->container));
        brant__pointer_append(pointer, entry);
    }
    if (member.length > 0) {
        brant__buffer_append_byte(pointer, '/');
        brant__buffer_append(pointer, member.data, member.length);
    }
    const brant__text where = brant__text_of(pointer->data, pointer->length);
    brant__writer *out = &self->faults;
    brant__write_object(out);
    brant__write_name(out, "instance");
    brant__write_text(out, where);
    brant__write_name(out, "schema");
    brant__write_text(out, BRANT__TEXT(""));
    brant__write_name(out, "keyword");
    brant__write_text(out, BRANT__TEXT(""));
    brant__write_name(out, "message");
    brant__write_text(out, brant__text_of(message, strlen(message)));
    brant__write_end(out);
    if (self->fault_count > 1) return;
    brant__buffer_append(&self->message, where.data, where.length);
    if (where.length > 0) brant__buffer_append(&self->message, ": ", 2);
    brant__buffer_append(&self->message, message, strlen(message));
}

#define WHOLE ((brant__text){NULL, 0})

/* ---- names ---------------------------------------------------------------------------------------------------------------- */

static bool strip(brant__text *name, const char *suffix) {
    const size_t length = strlen(suffix);
    if (name->length < length || memcmp(name->data + name->length - length, suffix, length) != 0) return false;
    name->length -= length;
    return true;
}

static bool pascal_case(brant__text name) {
    if (name.length == 0 || name.data[0] < 'A' || name.data[0] > 'Z') return false;
    for (size_t i = 1; i < name.length; i++) {
        const char c = name.data[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))) return false;
    }
    return true;
}

enum { HELPER, CONFIG, NODE, EDGE, CONSTRAINTS };

/* What an entry is, and the type's name. A helper may be named anything, but not like a type with a bad name. */
static int classify(brant__text entry, brant__text *out_name) {
    static const struct {
        const char *suffix;
        int kind;
    } kinds[] = {{"EdgeConstraints", CONSTRAINTS}, {"Node", NODE}, {"Edge", EDGE}};
    *out_name = entry;
    if (brant__text_equal(entry, BRANT__TEXT("Config"))) return CONFIG;
    for (size_t i = 0; i < BRANT__COUNT(kinds); i++) {
        if (strip(out_name, kinds[i].suffix) && out_name->length > 0) return kinds[i].kind;
        *out_name = entry;
    }
    return HELPER;
}

/* ---- literals ------------------------------------------------------------------------------------------------------------- */

/* The literal members of an entry: `properties` of an object schema, or the plain object itself. */
static yyjson_val *literals(yyjson_val *entry, bool *out_schema) {
    yyjson_val *properties = yyjson_obj_get(entry, "properties");
    *out_schema = yyjson_is_obj(properties) || yyjson_equals_str(yyjson_obj_get(entry, "type"), "object");
    return *out_schema ? properties : entry;
}

/* Members of a plain object that say nothing about the graph type: title, description. */
static bool plain_member(brant__text name) { return brant__keyword_find(name) == BRANT__KEYWORD_ANNOTATION; }

/* The value of one literal: a const, an enum of one value, or (plain object) the value itself. NULL when it is none. */
static yyjson_val *literal(yyjson_val *value, bool schema) {
    if (!yyjson_is_obj(value)) return schema ? NULL : value;
    yyjson_val *fixed = yyjson_obj_get(value, "const");
    yyjson_val *choice = yyjson_obj_get(value, "enum");
    if (fixed) return fixed;
    return yyjson_arr_size(choice) == 1 ? yyjson_arr_get_first(choice) : NULL;
}

static void member_fault(reader *self, brant__text entry, bool schema, const char *member, const char *message) {
    char pointer[64];
    const int length = snprintf(pointer, sizeof(pointer), "%s%s", schema ? "properties/" : "", member);
    fault(self, entry, brant__text_of(pointer, (size_t)length), message);
}

/* Read a member as what its output pointer says; one of the three is not NULL. */
static void read_literal(reader *self, brant__text entry, bool schema, const char *member, yyjson_val *value, bool *flag, int64_t *limit,
                         int *direction) {
    yyjson_val *fixed = literal(value, schema);
    if (flag) {
        if (!yyjson_is_bool(fixed)) member_fault(self, entry, schema, member, "must be the literal true or false");
        *flag = brant__json_bool(fixed, *flag);
    } else if (limit) {
        *limit = brant__json_integer(fixed, -2);
        if (*limit < 0) member_fault(self, entry, schema, member, "must be a literal integer that is not negative");
    } else {
        static const char *const names[] = {"directed", "undirected", "mixed"};
        for (int i = 0; i < 3; i++) {
            if (yyjson_equals_str(fixed, names[i])) {
                *direction = i;
                return;
            }
        }
        member_fault(self, entry, schema, member, "must be the literal \"directed\", \"undirected\" or \"mixed\"");
    }
}

static void unknown_member(reader *self, brant__text entry, bool schema, brant__text name, const char *message) {
    brant__buffer escaped = {0};
    if (schema) brant__buffer_append(&escaped, "properties/", 11);
    brant__pointer_append(&escaped, name);
    fault(self, entry, brant__text_of(escaped.data, escaped.length), message);
    if (escaped.failed) self->message.failed = true;
    brant__buffer_free(&escaped);
}

/* ---- Config --------------------------------------------------------------------------------------------------------------- */

static void read_config(reader *self, yyjson_val *value) {
    const brant__text entry = BRANT__TEXT("Config");
    brant__module_config *config = &self->module->config;
    const struct {
        const char *name;
        bool *flag;
        int64_t *limit;
        int *direction;
    } members[] = {
        {"directed", NULL, NULL, &config->direction}, {"multi", &config->multi, NULL, NULL},
        {"allow_self_loops", &config->allow_self_loops, NULL, NULL}, {"acyclic", &config->acyclic, NULL, NULL},
        {"max_nodes", NULL, &config->max_nodes, NULL}, {"max_edges", NULL, &config->max_edges, NULL},
    };
    if (!yyjson_is_obj(value)) {
        fault(self, entry, WHOLE, "must be an object");
        return;
    }
    bool schema;
    yyjson_obj_iter left = yyjson_obj_iter_with(literals(value, &schema));
    for (yyjson_val *key = yyjson_obj_iter_next(&left); key; key = yyjson_obj_iter_next(&left)) {
        yyjson_val *member = yyjson_obj_iter_get_val(key);
        const brant__text name = brant__json_text(key);
        size_t found = 0;
        while (found < BRANT__COUNT(members) && !yyjson_equals_str(key, members[found].name)) found++;
        if (found < BRANT__COUNT(members)) {
            read_literal(self, entry, schema, members[found].name, member, members[found].flag, members[found].limit, members[found].direction);
        } else if (schema || !plain_member(name)) {
            unknown_member(self, entry, schema, name,
                           "must be one of directed, multi, allow_self_loops, acyclic, max_nodes, max_edges");
        }
    }
}

/* ---- edge constraints ------------------------------------------------------------------------------------------------------ */

static size_t node_type(const brant__module *module, brant__text name) {
    for (size_t i = 0; i < module->node_type_count; i++) {
        if (brant__text_equal(module->node_types[i].name, name)) return i;
    }
    return SIZE_MAX;
}

static void add_end(reader *self, brant__text entry, bool schema, const char *member, yyjson_val *value, size_t *ends, size_t *count) {
    if (!yyjson_is_str(value)) {
        member_fault(self, entry, schema, member, "must name node types by literals: const, enum, or anyOf of const");
        return;
    }
    const brant__text name = brant__json_text(value);
    const size_t index = node_type(self->module, name);
    if (index == SIZE_MAX) {
        char message[200];
        snprintf(message, sizeof(message), "\"%.*s\" is not a node type of the module", (int)(name.length < 100 ? name.length : 100), name.data);
        member_fault(self, entry, schema, member, message);
        return;
    }
    for (size_t i = 0; i < *count; i++) {
        if (ends[i] == index) return;
    }
    ends[(*count)++] = index;
}

static brant_status read_ends(reader *self, brant__text entry, bool schema, const char *member, yyjson_val *value, size_t **out_ends,
                              size_t *out_count) {
    size_t *ends = brant__arena_alloc(&self->module->arena, (self->module->node_type_count + 1) * sizeof(*ends));
    if (!ends) return brant__fail_memory();
    size_t count = 0, index, size;
    yyjson_val *item;
    yyjson_val *choices = yyjson_is_arr(value) ? value : yyjson_obj_get(value, "enum");
    yyjson_val *branches = yyjson_obj_get(value, "anyOf");
    if (!branches) branches = yyjson_obj_get(value, "oneOf");
    if (yyjson_is_arr(choices)) {
        yyjson_arr_foreach(choices, index, size, item) add_end(self, entry, schema, member, item, ends, &count);
    } else if (yyjson_is_arr(branches)) {
        yyjson_arr_foreach(branches, index, size, item) {
            add_end(self, entry, schema, member, literal(item, true), ends, &count);
        }
    } else {
        add_end(self, entry, schema, member, literal(value, schema), ends, &count);
    }
    *out_ends = ends;
    *out_count = count;
    return BRANT_OK;
}

static brant_status read_constraints(reader *self, brant__text entry, yyjson_val *value, brant__edge_type *edge) {
    if (!yyjson_is_obj(value)) {
        fault(self, entry, WHOLE, "must be an object");
        return BRANT_OK;
    }
    bool schema;
    brant_status status = BRANT_OK;
    yyjson_obj_iter left = yyjson_obj_iter_with(literals(value, &schema));
    for (yyjson_val *key = yyjson_obj_iter_next(&left); key; key = yyjson_obj_iter_next(&left)) {
        yyjson_val *member = yyjson_obj_iter_get_val(key);
        const brant__text name = brant__json_text(key);
        if (yyjson_equals_str(key, "source")) {
            BRANT__TRY(read_ends(self, entry, schema, "source", member, &edge->sources, &edge->source_count));
        } else if (yyjson_equals_str(key, "target")) {
            BRANT__TRY(read_ends(self, entry, schema, "target", member, &edge->targets, &edge->target_count));
        } else if (yyjson_equals_str(key, "max_out")) {
            read_literal(self, entry, schema, "max_out", member, NULL, &edge->max_out, NULL);
        } else if (yyjson_equals_str(key, "max_in")) {
            read_literal(self, entry, schema, "max_in", member, NULL, &edge->max_in, NULL);
        } else if (schema || !plain_member(name)) {
            unknown_member(self, entry, schema, name, "must be one of source, target, max_out, max_in");
        }
    }
cleanup:
    return status;
}

/* ---- types ---------------------------------------------------------------------------------------------------------------- */

static brant_status compile_entry(reader *self, brant__text entry, yyjson_val *value, brant__schema **out_schema) {
    brant__buffer_reset(&self->pointer);
    brant__buffer_append(&self->pointer, self->container, strlen(self->container));
    brant__pointer_append(&self->pointer, entry);
    if (self->pointer.failed) return brant__fail_memory();
    return brant__schema_compile(out_schema, self->document, value, brant__text_of(self->pointer.data, self->pointer.length));
}

static brant_status copy_name(reader *self, brant__text name, brant__text *out_name) {
    char *copy = brant__arena_copy(&self->module->arena, name.data, name.length);
    if (!copy) return brant__fail_memory();
    *out_name = brant__text_of(copy, name.length);
    return BRANT_OK;
}

/* Count the entries of each kind, check their names, and make room. */
static brant_status survey(reader *self) {
    size_t nodes = 0, edges = 0;
    yyjson_obj_iter left = yyjson_obj_iter_with(self->entries);
    for (yyjson_val *key = yyjson_obj_iter_next(&left); key; key = yyjson_obj_iter_next(&left)) {
        const brant__text entry = brant__json_text(key);
        brant__text name;
        const int kind = classify(entry, &name);
        if (kind != NODE && kind != EDGE && kind != CONSTRAINTS) continue;
        nodes += kind == NODE;
        edges += kind == EDGE;
        if (!pascal_case(name)) fault(self, entry, WHOLE, "must be named in PascalCase: a capital letter, then letters and digits");
    }
    brant__module *module = self->module;
    module->typed = nodes > 0;
    module->node_types = brant__arena_alloc(&module->arena, nodes * sizeof(*module->node_types));
    module->edge_types = brant__arena_alloc(&module->arena, edges * sizeof(*module->edge_types));
    return module->node_types && module->edge_types ? BRANT_OK : brant__fail_memory();
}

static brant_status read_types(reader *self) {
    brant_status status = BRANT_OK;
    brant__module *module = self->module;
    yyjson_obj_iter left = yyjson_obj_iter_with(self->entries);
    for (yyjson_val *key = yyjson_obj_iter_next(&left); key; key = yyjson_obj_iter_next(&left)) {
        yyjson_val *value = yyjson_obj_iter_get_val(key);
        const brant__text entry = brant__json_text(key);
        brant__text name;
        const int kind = classify(entry, &name);
        if (kind == NODE) {
            brant__node_type *type = &module->node_types[module->node_type_count];
            memset(type, 0, sizeof(*type));
            BRANT__TRY(copy_name(self, name, &type->name));
            module->node_type_count++;
            BRANT__TRY(compile_entry(self, entry, value, &type->schema));
        } else if (kind == EDGE) {
            brant__edge_type *type = &module->edge_types[module->edge_type_count];
            memset(type, 0, sizeof(*type));
            type->source_count = type->target_count = SIZE_MAX;
            type->max_out = type->max_in = -1;
            BRANT__TRY(copy_name(self, name, &type->name));
            module->edge_type_count++;
            BRANT__TRY(compile_entry(self, entry, value, &type->schema));
        }
    }
cleanup:
    return status;
}

/* Config and constraints, when all types are known. */
static brant_status read_rules(reader *self) {
    brant_status status = BRANT_OK;
    brant__module *module = self->module;
    yyjson_obj_iter left = yyjson_obj_iter_with(self->entries);
    for (yyjson_val *key = yyjson_obj_iter_next(&left); key; key = yyjson_obj_iter_next(&left)) {
        yyjson_val *value = yyjson_obj_iter_get_val(key);
        const brant__text entry = brant__json_text(key);
        brant__text name;
        const int kind = classify(entry, &name);
        if (kind == CONFIG) {
            read_config(self, value);
        } else if (kind == CONSTRAINTS) {
            size_t edge = 0;
            while (edge < module->edge_type_count && !brant__text_equal(module->edge_types[edge].name, name)) edge++;
            if (edge == module->edge_type_count) fault(self, entry, WHOLE, "constrains an edge type that the module does not have");
            else BRANT__TRY(read_constraints(self, entry, value, &module->edge_types[edge]));
        }
    }
cleanup:
    return status;
}

static brant_status finish(reader *self) {
    if (self->fault_count == 0) return BRANT_OK;
    brant__write_end(&self->faults);
    brant__write_end(&self->faults);
    if (self->faults.buffer.failed || self->message.failed || self->pointer.failed) return brant__fail_memory();
    const brant__text detail = brant__text_of(self->faults.buffer.data, self->faults.buffer.length);
    return brant__fail_detail(BRANT_VALIDATION, detail, "%.*s", (int)self->message.length, self->message.data);
}

brant_status brant__module_parse(brant__module **out_module, yyjson_val *document) {
    *out_module = NULL;
    brant_status status = BRANT_OK;
    reader self = {.document = document, .container = "/$defs/"};
    brant__module *module = brant__alloc_zero(sizeof(*module));
    if (!module) return brant__fail_memory();
    self.module = module;
    module->config = (brant__module_config){.direction = BRANT__DIRECTED, .allow_self_loops = true, .max_nodes = -1, .max_edges = -1};
    brant__write_object(&self.faults);
    brant__write_name(&self.faults, "violations");
    brant__write_array(&self.faults);

    if (!yyjson_is_obj(document)) {
        fault(&self, WHOLE, WHOLE, "a module must be an object with $defs");
        BRANT__TRY(finish(&self));
    }
    self.entries = yyjson_obj_get(document, "$defs");
    yyjson_val *definitions = yyjson_obj_get(document, "definitions");
    if (!self.entries && definitions) {
        self.entries = definitions;
        self.container = "/definitions/";
    }
    if (self.entries && !yyjson_is_obj(self.entries)) {
        fault(&self, WHOLE, BRANT__TEXT("$defs"), "must be an object of named schemas");
        BRANT__TRY(finish(&self));
    }
    const brant__text id = brant__json_get_text(document, "$id");
    if (id.length > 0) BRANT__TRY(copy_name(&self, id, &module->id));
    BRANT__TRY(survey(&self));
    BRANT__TRY(finish(&self));
    BRANT__TRY(brant__schema_check(document));
    BRANT__TRY(read_types(&self));
    BRANT__TRY(read_rules(&self));
    BRANT__TRY(finish(&self));
    *out_module = module;
    module = NULL;
cleanup:
    brant__buffer_free(&self.pointer);
    brant__buffer_free(&self.message);
    brant__buffer_free(&self.faults.buffer);
    brant__module_free(module);
    return status;
}

void brant__module_free(brant__module *module) {
    if (!module) return;
    for (size_t i = 0; i < module->node_type_count; i++) brant__schema_free(module->node_types[i].schema);
    for (size_t i = 0; i < module->edge_type_count; i++) brant__schema_free(module->edge_types[i].schema);
    brant__arena_free(&module->arena);
    brant__free(module);
}
