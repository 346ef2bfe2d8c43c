/*
 * schema/module.c: from a module document to node types, edge types and configuration.
 *
 * The whole module is checked first, so that one answer names the faults of all its schemas; what a Config or a constraint says is read afterwards.
 * An entry's schema is compiled within the whole document, so references reach every other entry.
 */
#include "schema/compile.h"

typedef struct reader {
    brant__module *module;
    yyjson_val *document;
    const char *container; /* "/$defs/", "/definitions/" or "/schemas/" */
    yyjson_val *entries;
    unsigned flags; /* of the compilation */
    brant__writer faults;
    size_t fault_count;
    brant__buffer message; /* of the first fault */
    brant__buffer pointer; /* scratch */
} reader;

/* ---- faults --------------------------------------------------------------------------------------------------------------- */

static void fault_at(reader *self, brant__text where, brant__text keyword, const char *message) {
    if (self->fault_count++ >= BRANT__VIOLATIONS) return;
    brant__writer *out = &self->faults;
    brant__write_object(out);
    brant__write_text_member(out, "instance", where);
    brant__write_text_member(out, "schema", BRANT__TEXT(""));
    brant__write_text_member(out, "keyword", keyword);
    brant__write_text_member(out, "message", brant__text_string(message));
    brant__write_end(out);
    if (self->fault_count > 1) return;
    brant__buffer_append(&self->message, where.data, where.length);
    if (where.length > 0) brant__buffer_append(&self->message, ": ", 2);
    brant__buffer_append(&self->message, message, strlen(message));
}

/* Record a fault at an entry, or at a member within it. */
static void fault(reader *self, brant__text entry, brant__text member, const char *message) {
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
    fault_at(self, brant__text_of(pointer->data, pointer->length), BRANT__TEXT(""), message);
}

#define WHOLE ((brant__text){NULL, 0})

/* ---- names ---------------------------------------------------------------------------------------------------------------- */

static bool strip(brant__text *name, const char *suffix) {
    const size_t length = strlen(suffix);
    if (name->length < length || memcmp(name->data + name->length - length, suffix, length) != 0)
        return false;
    name->length -= length;
    return true;
}

static bool pascal_case(brant__text name) {
    if (name.length == 0 || name.data[0] < 'A' || name.data[0] > 'Z') return false;
    for (size_t i = 1; i < name.length; i++) {
        const char c = name.data[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')))
            return false;
    }
    return true;
}

enum {
    HELPER = BRANT__ENTRY_HELPER,
    CONFIG = BRANT__ENTRY_CONFIG,
    NODE = BRANT__ENTRY_NODE,
    EDGE = BRANT__ENTRY_EDGE,
    CONSTRAINTS = BRANT__ENTRY_CONSTRAINTS
};

/* A helper may be named anything, but not like a type with a bad name. */
int brant__entry_kind(brant__text entry, brant__text *out_name) {
    static const struct {
        const char *suffix;
        int kind;
    } kinds[] = {{"EdgeConstraints", CONSTRAINTS}, {"Node", NODE}, {"Edge", EDGE}};
    *out_name = entry;
    if (brant__text_equal(entry, BRANT__TEXT("Config"))) return CONFIG;
    /* What others are built from. */
    if (brant__text_equal(entry, BRANT__TEXT("BaseNode")) ||
        brant__text_equal(entry, BRANT__TEXT("BaseEdge")))
        return HELPER;
    for (size_t i = 0; i < BRANT__COUNT(kinds); i++) {
        if (strip(out_name, kinds[i].suffix) && out_name->length > 0) return kinds[i].kind;
        *out_name = entry;
    }
    return HELPER;
}

/* ---- literals ------------------------------------------------------------------------------------------------------------- */

/*
 * Config and constraints are read from literals: of the properties of an object schema, of the schemas that it is composed from (allOf, $ref), or of
 * a plain object. Own members come after those of bases, so they win.
 */
typedef struct walk {
    reader *self;
    brant__text entry;
    brant__edge_type *edge; /* NULL: the entry is Config */
    brant_status status;
} walk;

/* Where in the entry a member stands: "allOf/0/properties". */
typedef struct location {
    char text[120];
    unsigned depth;
    bool schema;
    bool strict; /* false within a base: what is no literal there is left to others */
} location;

enum { DEEPEST = 16 };

static void member_fault(walk *reading, const location *where, brant__text member,
                         const char *message) {
    if (!where->strict) return;
    brant__buffer path = {0};
    brant__buffer_append(&path, where->text, strlen(where->text));
    if (path.length > 0) brant__buffer_append_byte(&path, '/');
    brant__pointer_append(&path, member);
    fault(reading->self, reading->entry, brant__text_of(path.data, path.length), message);
    if (path.failed) reading->self->message.failed = true;
    brant__buffer_free(&path);
}

/* The value of one literal: const, an enum of one, the one alternative beside null, or (plain object) the value itself; NULL when it is none. */
static yyjson_val *literal(yyjson_val *value, bool schema) {
    if (!yyjson_is_obj(value)) return schema ? NULL : value;
    yyjson_val *fixed = yyjson_obj_get(value, "const");
    if (fixed) return fixed;
    yyjson_val *choice = yyjson_obj_get(value, "enum");
    if (choice) return yyjson_arr_size(choice) == 1 ? yyjson_arr_get_first(choice) : NULL;
    yyjson_val *branches = yyjson_obj_get(value, "anyOf");
    size_t index, count;
    yyjson_val *branch;
    yyjson_arr_foreach(branches, index, count, branch) {
        if (yyjson_equals_str(yyjson_obj_get(branch, "type"), "null")) continue;
        if (fixed) return NULL;
        fixed = yyjson_obj_get(branch, "const");
        if (!fixed) return NULL;
    }
    return fixed;
}

/* A Config's value: its literal, or what it is by default. */
static yyjson_val *setting(yyjson_val *value, bool schema) {
    yyjson_val *fixed = literal(value, schema);
    return fixed || !schema ? fixed : yyjson_obj_get(value, "default");
}

static void read_flag(walk *reading, const location *where, brant__text name, yyjson_val *value,
                      bool *flag) {
    yyjson_val *fixed = setting(value, where->schema);
    if (!yyjson_is_bool(fixed))
        member_fault(reading, where, name, "must be the literal true or false");
    *flag = brant__json_bool(fixed, *flag);
}

static void read_limit(walk *reading, const location *where, brant__text name, yyjson_val *value,
                       int64_t *limit) {
    const int64_t number = brant__json_integer(setting(value, where->schema), -1);
    if (number < 0)
        member_fault(reading, where, name, "must be a literal integer that is not negative");
    else
        *limit = number;
}

static void read_direction(walk *reading, const location *where, brant__text name,
                           yyjson_val *value, int *direction) {
    static const char *const names[] = {"directed", "undirected", "mixed"};
    yyjson_val *fixed = setting(value, where->schema);
    for (int i = 0; i < 3; i++) {
        if (!yyjson_equals_str(fixed, names[i])) continue;
        *direction = i;
        return;
    }
    member_fault(reading, where, name,
                 "must be the literal \"directed\", \"undirected\" or \"mixed\"");
}

/* ---- edge ends ------------------------------------------------------------------------------------------------------------ */

static size_t node_type(const brant__module *module, brant__text name) {
    for (size_t i = 0; i < module->node_type_count; i++) {
        if (brant__text_equal(module->node_types[i].name, name)) return i;
    }
    return SIZE_MAX;
}

typedef struct type_list {
    size_t *types;
    size_t count;
} type_list;

static void add_end(walk *reading, const location *where, brant__text member, yyjson_val *value,
                    type_list *ends) {
    if (!yyjson_is_str(value)) {
        member_fault(reading, where, member,
                     "must name node types by literals: const, enum, or anyOf of const");
        return;
    }
    const brant__text name = brant__json_text(value);
    const size_t index = node_type(reading->self->module, name);
    if (index == SIZE_MAX) {
        char message[200];
        const int length = name.length < 100 ? (int)name.length : 100;
        snprintf(message, sizeof(message), "\"%.*s\" is not a node type of the module", length,
                 name.data);
        member_fault(reading, where, member, message);
        return;
    }
    for (size_t i = 0; i < ends->count; i++) {
        if (ends->types[i] == index) return;
    }
    ends->types[ends->count++] = index;
}

static void read_ends(walk *reading, const location *where, brant__text member, yyjson_val *value,
                      size_t **out_types, size_t *out_count) {
    brant__module *module = reading->self->module;
    type_list ends = {
        brant__arena_alloc(&module->arena, (module->node_type_count + 1) * sizeof(*ends.types)), 0};
    if (!ends.types) {
        reading->status = BRANT_NO_MEMORY;
        return;
    }
    size_t index, size;
    yyjson_val *item;
    yyjson_val *choices = yyjson_is_arr(value) ? value : yyjson_obj_get(value, "enum");
    yyjson_val *branches = yyjson_obj_get(value, "anyOf");
    if (!branches) branches = yyjson_obj_get(value, "oneOf");
    if (yyjson_is_arr(choices)) {
        yyjson_arr_foreach(choices, index, size, item) add_end(reading, where, member, item, &ends);
    } else if (yyjson_is_arr(branches)) {
        yyjson_arr_foreach(branches, index, size, item)
            add_end(reading, where, member, literal(item, true), &ends);
    } else {
        add_end(reading, where, member, literal(value, where->schema), &ends);
    }
    *out_types = ends.types;
    *out_count = ends.count;
}

/* ---- Config and constraints ----------------------------------------------------------------------------------------------- */

static void read_config_member(walk *reading, const location *where, brant__text name,
                               yyjson_val *value) {
    brant__module_config *config = &reading->self->module->config;
    if (brant__text_equal(name, BRANT__TEXT("directed")))
        read_direction(reading, where, name, value, &config->direction);
    else if (brant__text_equal(name, BRANT__TEXT("multi")))
        read_flag(reading, where, name, value, &config->multi);
    else if (brant__text_equal(name, BRANT__TEXT("allow_self_loops")))
        read_flag(reading, where, name, value, &config->allow_self_loops);
    else if (brant__text_equal(name, BRANT__TEXT("acyclic")))
        read_flag(reading, where, name, value, &config->acyclic);
    else if (brant__text_equal(name, BRANT__TEXT("max_nodes")))
        read_limit(reading, where, name, value, &config->max_nodes);
    else if (brant__text_equal(name, BRANT__TEXT("max_edges")))
        read_limit(reading, where, name, value, &config->max_edges);
    else
        member_fault(
            reading, where, name,
            "must be one of directed, multi, allow_self_loops, acyclic, max_nodes, max_edges");
}

static void read_constraint(walk *reading, const location *where, brant__text name,
                            yyjson_val *value) {
    brant__edge_type *edge = reading->edge;
    if (brant__text_equal(name, BRANT__TEXT("source")))
        read_ends(reading, where, name, value, &edge->sources, &edge->source_count);
    else if (brant__text_equal(name, BRANT__TEXT("target")))
        read_ends(reading, where, name, value, &edge->targets, &edge->target_count);
    else if (brant__text_equal(name, BRANT__TEXT("max_out")))
        read_limit(reading, where, name, value, &edge->max_out);
    else if (brant__text_equal(name, BRANT__TEXT("max_in")))
        read_limit(reading, where, name, value, &edge->max_in);
    else
        member_fault(reading, where, name, "must be one of source, target, max_out, max_in");
}

/* The entry that a reference between entries names: "Name", "#/$defs/Name", "#/$defs/other/$defs/Name". */
static yyjson_val *entry_of(reader *self, brant__text reference) {
    brant__buffer decoded = {0};
    yyjson_val *found;
    if (reference.length < 2 || reference.data[0] != '#' || reference.data[1] != '/')
        return yyjson_obj_getn(self->entries, reference.data, reference.length);
    brant__uri_decode(&decoded, brant__text_of(reference.data + 1, reference.length - 1));
    found = decoded.failed ? NULL : yyjson_ptr_getn(self->document, decoded.data, decoded.length);
    if (decoded.failed) self->message.failed = true;
    brant__buffer_free(&decoded);
    return found;
}

static void read_literals(walk *reading, yyjson_val *value, location where) {
    if (!yyjson_is_obj(value)) {
        member_fault(reading, &where, BRANT__TEXT(""), "must be an object");
        return;
    }
    if (where.depth > DEEPEST) return;
    yyjson_val *properties = yyjson_obj_get(value, "properties");
    yyjson_val *parts = yyjson_obj_get(value, "allOf");
    const brant__text reference = brant__json_get_text(value, "$ref");
    where.schema = yyjson_is_obj(properties) || parts || reference.data ||
                   yyjson_equals_str(yyjson_obj_get(value, "type"), "object");
    location inner = {.depth = where.depth + 1};
    if (reference.data) read_literals(reading, entry_of(reading->self, reference), inner);
    size_t index, count;
    yyjson_val *part;
    yyjson_arr_foreach(parts, index, count, part) {
        inner.strict = where.strict;
        snprintf(inner.text, sizeof(inner.text), "%.80s%sallOf/%zu", where.text,
                 where.text[0] ? "/" : "", index);
        read_literals(reading, part, inner);
    }
    if (where.schema)
        snprintf(inner.text, sizeof(inner.text), "%.100s%sproperties", where.text,
                 where.text[0] ? "/" : "");
    else
        inner.text[0] = '\0';
    inner.schema = where.schema;
    inner.strict = where.strict;
    yyjson_obj_iter left = yyjson_obj_iter_with(where.schema ? properties : value);
    for (yyjson_val *key = yyjson_obj_iter_next(&left); key; key = yyjson_obj_iter_next(&left)) {
        const brant__text name = brant__json_text(key);
        /* A plain object may be described too. */
        if (!where.schema && brant__keyword_find(name) == BRANT__KEYWORD_ANNOTATION) continue;
        if (reading->edge)
            read_constraint(reading, &inner, name, yyjson_obj_iter_get_val(key));
        else
            read_config_member(reading, &inner, name, yyjson_obj_iter_get_val(key));
    }
}

static brant_status read_entry(reader *self, brant__text entry, yyjson_val *value,
                               brant__edge_type *edge) {
    walk reading = {.self = self, .entry = entry, .edge = edge};
    read_literals(&reading, value, (location){.strict = true});
    return reading.status == BRANT_OK ? BRANT_OK : brant__fail_memory();
}

/* ---- types ---------------------------------------------------------------------------------------------------------------- */

static brant_status compile_entry(reader *self, brant__text entry, yyjson_val *value,
                                  brant__schema **out_schema) {
    brant__buffer_reset(&self->pointer);
    brant__buffer_append(&self->pointer, self->container, strlen(self->container));
    brant__pointer_append(&self->pointer, entry);
    if (self->pointer.failed) return brant__fail_memory();
    return brant__schema_compile_as(out_schema, self->document, value,
                                    brant__text_of(self->pointer.data, self->pointer.length),
                                    self->flags);
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
        const int kind = brant__entry_kind(entry, &name);
        if (kind != NODE && kind != EDGE && kind != CONSTRAINTS) continue;
        nodes += kind == NODE;
        edges += kind == EDGE;
        if (!pascal_case(name))
            fault(self, entry, WHOLE,
                  "must be named in PascalCase: a capital letter, then letters and digits");
    }
    brant__module *module = self->module;
    module->typed = nodes > 0;
    module->node_types = brant__arena_alloc(&module->arena, nodes * sizeof(*module->node_types));
    module->edge_types = brant__arena_alloc(&module->arena, edges * sizeof(*module->edge_types));
    return module->node_types && module->edge_types ? BRANT_OK : brant__fail_memory();
}

static void encrypted_fault(void *context, brant__text pointer, const char *message) {
    fault_at(context, pointer, BRANT__TEXT("x-encrypted"), message);
}

/* Which attributes are encrypted. Without node types a module has no types at all, and nothing would be. */
static brant_status read_encrypted(reader *self, brant__text entry, const brant__schema *schema,
                                   brant__encrypted **out, size_t *out_count) {
    const brant_status status = brant__schema_encrypted(
        out, out_count, schema, &self->module->arena, encrypted_fault, self);
    if (status == BRANT_OK && *out_count > 0 && !self->module->typed)
        fault(self, entry, WHOLE,
              "has encrypted attributes, but in a module without node types no edge has a type");
    return status;
}

static brant_status read_types(reader *self) {
    brant_status status = BRANT_OK;
    brant__module *module = self->module;
    yyjson_obj_iter left = yyjson_obj_iter_with(self->entries);
    for (yyjson_val *key = yyjson_obj_iter_next(&left); key; key = yyjson_obj_iter_next(&left)) {
        yyjson_val *value = yyjson_obj_iter_get_val(key);
        const brant__text entry = brant__json_text(key);
        brant__text name;
        const int kind = brant__entry_kind(entry, &name);
        if (kind == NODE) {
            brant__node_type *type = &module->node_types[module->node_type_count];
            memset(type, 0, sizeof(*type));
            BRANT__TRY(copy_name(self, name, &type->name));
            module->node_type_count++;
            BRANT__TRY(compile_entry(self, entry, value, &type->schema));
            BRANT__TRY(read_encrypted(self, entry, type->schema, &type->encrypted,
                                      &type->encrypted_count));
        } else if (kind == EDGE) {
            brant__edge_type *type = &module->edge_types[module->edge_type_count];
            memset(type, 0, sizeof(*type));
            type->source_count = type->target_count = SIZE_MAX;
            type->max_out = type->max_in = -1;
            BRANT__TRY(copy_name(self, name, &type->name));
            module->edge_type_count++;
            BRANT__TRY(compile_entry(self, entry, value, &type->schema));
            BRANT__TRY(read_encrypted(self, entry, type->schema, &type->encrypted,
                                      &type->encrypted_count));
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
        const int kind = brant__entry_kind(entry, &name);
        if ((kind == CONFIG || kind == CONSTRAINTS) && brant__marks_encrypted(value))
            fault(self, entry, WHOLE,
                  "has x-encrypted, which marks attributes of node types and edge types alone");
        if (kind == CONFIG) {
            BRANT__TRY(read_entry(self, entry, value, NULL));
        } else if (kind == CONSTRAINTS) {
            size_t edge = 0;
            while (edge < module->edge_type_count &&
                   !brant__text_equal(module->edge_types[edge].name, name))
                edge++;
            if (edge == module->edge_type_count)
                fault(self, entry, WHOLE, "constrains an edge type that the module does not have");
            else
                BRANT__TRY(read_entry(self, entry, value, &module->edge_types[edge]));
        }
    }
cleanup:
    return status;
}

static brant_status finish(reader *self) {
    if (self->fault_count == 0) return BRANT_OK;
    brant__write_end(&self->faults);
    brant__write_end(&self->faults);
    if (self->faults.buffer.failed || self->message.failed || self->pointer.failed)
        return brant__fail_memory();
    const brant__text detail = brant__text_of(self->faults.buffer.data, self->faults.buffer.length);
    return brant__fail_detail(BRANT_VALIDATION, detail, "%.*s", (int)self->message.length,
                              self->message.data);
}

/* What the module says of its formats, unless the caller does. */
static void read_formats(reader *self) {
    static const char *const names[] = {"annotate", "assert"};
    static const unsigned flags[] = {BRANT__FORMAT_ANNOTATES, BRANT__FORMAT_ASSERTS};
    yyjson_val *said = yyjson_obj_get(self->document, "x-formats");
    for (size_t i = 0; i < BRANT__COUNT(names); i++) {
        if (!yyjson_equals_str(said, names[i])) continue;
        if (self->flags == 0) self->flags = flags[i];
        said = NULL;
    }
    if (said) fault(self, WHOLE, BRANT__TEXT("x-formats"), "must be \"assert\" or \"annotate\"");
}

brant_status brant__module_parse(brant__module **out_module, yyjson_val *document) {
    return brant__module_parse_as(out_module, document, 0);
}

brant_status brant__module_parse_as(brant__module **out_module, yyjson_val *document,
                                    unsigned flags) {
    *out_module = NULL;
    brant_status status = BRANT_OK;
    reader self = {.document = document, .container = "/$defs/", .flags = flags};
    brant__module *module = brant__alloc_zero(sizeof(*module));
    if (!module) return brant__fail_memory();
    self.module = module;
    module->config = (brant__module_config){
        .direction = BRANT__DIRECTED, .allow_self_loops = true, .max_nodes = -1, .max_edges = -1};
    brant__write_object(&self.faults);
    brant__write_name(&self.faults, "violations");
    brant__write_array(&self.faults);

    if (!yyjson_is_obj(document)) {
        fault(&self, WHOLE, WHOLE, "a module must be an object with $defs");
        BRANT__TRY(finish(&self));
    }
    static const char *const containers[] = {"/$defs/", "/definitions/", "/schemas/"};
    static const char *const names[] = {"$defs", "definitions", "schemas"};
    for (size_t i = 0; i < BRANT__COUNT(containers) && !self.entries; i++) {
        self.entries = yyjson_obj_get(document, names[i]);
        if (!self.entries) continue;
        self.container = containers[i];
        if (yyjson_is_obj(self.entries)) continue;
        fault(&self, WHOLE, brant__text_string(names[i]), "must be an object of named schemas");
        BRANT__TRY(finish(&self));
    }
    read_formats(&self);
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
    for (size_t i = 0; i < module->node_type_count; i++)
        brant__schema_free(module->node_types[i].schema);
    for (size_t i = 0; i < module->edge_type_count; i++)
        brant__schema_free(module->edge_types[i].schema);
    brant__arena_free(&module->arena);
    brant__free(module);
}
