/*
 * operation/typed.c: operations of the types of a graph type: types.<graph_type>.<Type>.<verb>.
 *
 * Each is an operation on nodes or edges whose type is fixed, and whose spec has the type's own schema in the place of "any attributes". Specs and compiled input
 * schemas are made when they are first asked for, and live as long as the parsed graph type that the handle keeps.
 */
#include "evolution/evolution.h"
#include "graph/seal.h"
#include "graph/type.h"
#include "operation/operation.h"
#include "operation/session.h"

/* A verb is there when the operation behind it is. Changed: what it names must be of the type. */
static const struct {
    const char *verb;
    const char *nodes, *edges;
    bool one; /* has a key whose type must be looked at: the operation behind takes no type */
    bool attributes; /* takes whole attributes */
} verbs[] = {
    {"count", "nodes.count", "edges.count", false, false},
    {"delete", "nodes.delete", "edges.delete", true, false},
    {"find", "nodes.list", "edges.list", false, false},
    {"get", "nodes.get", "edges.get", true, false},
    {"insert", "nodes.insert", "edges.insert", false, true},
    {"patch", "nodes.patch", "edges.patch", true, false},
    {"put", "nodes.put", "edges.put", false, true},
};

enum { VERBS = BRANT__COUNT(verbs) };

static brant__text text_of(const char *text) {
    return brant__text_string(text);
}

/* ---- names ---------------------------------------------------------------------------------------------------------- */

typedef struct name {
    brant__text graph_type, type;
    size_t verb;
} name;

/* "types.", the name of a graph type (which may have dots), a type, a verb. */
static bool read_name(name *out, brant__text text) {
    static const char prefix[] = "types.";
    size_t ends[2], found = 0;
    if (text.length < sizeof(prefix) || memcmp(text.data, prefix, sizeof(prefix) - 1) != 0)
        return false;
    for (size_t i = text.length; i >= sizeof(prefix) && found < 2; i--)
        if (text.data[i - 1] == '.') ends[found++] = i;
    if (found < 2) return false;
    const brant__text verb = brant__text_of(text.data + ends[0], text.length - ends[0]);
    out->type = brant__text_of(text.data + ends[1], ends[0] - ends[1] - 1);
    out->graph_type = brant__text_of(text.data + sizeof(prefix) - 1, ends[1] - sizeof(prefix));
    for (out->verb = 0; out->verb < VERBS; out->verb++)
        if (brant__text_equal(verb, text_of(verbs[out->verb].verb))) return true;
    return false;
}

static const brant__operation *behind(size_t verb, bool edge) {
    const brant__operation *operations = NULL;
    size_t count = 0;
    if (brant__registry(&operations, &count) != BRANT_OK) return NULL;
    return brant__operation_find(operations, count,
                                 text_of(edge ? verbs[verb].edges : verbs[verb].nodes));
}

/* ---- what a parsed graph type keeps --------------------------------------------------------------------------------- */

/* One type: of nodes, or of edges where no node type has the name; else <Name>Edge. */
typedef struct entry {
    brant__text label; /* in names of operations */
    bool edge;
    size_t index;
} entry;

typedef struct derived {
    brant__json module;
    brant__json wide;      /* the module in specs, where it encrypts something */
    brant__text container; /* "$defs", "definitions" or "schemas" */
    brant__text id;        /* by which the module stands in the $defs of a spec */
    bool own_id;           /* the module has it */
    unsigned flags;
    brant__arena arena;
    entry *entries; /* in order of their labels */
    size_t count;
    brant__schema **inputs; /* VERBS for each entry; NULL: not asked for yet */
} derived;

static void release(void *memory) {
    derived *self = memory;
    if (!self) return;
    for (size_t i = 0; self->inputs && i < self->count * VERBS; i++)
        brant__schema_free(self->inputs[i]);
    brant__free(self->inputs);
    brant__free(self->entries);
    brant__arena_free(&self->arena);
    brant__json_free(&self->wide);
    brant__json_free(&self->module);
    brant__free(self);
}

static int by_label(const void *a, const void *b) {
    return brant__text_compare(((const entry *)a)->label, ((const entry *)b)->label);
}

static brant_status list_entries(derived *self, const brant__type *type) {
    const brant__module *module = type->module;
    self->entries = brant__alloc_zero((module->node_type_count + module->edge_type_count + 1) *
                                      sizeof(*self->entries));
    if (!self->entries) return brant__fail_memory();
    for (size_t i = 0; i < module->node_type_count; i++)
        self->entries[self->count++] = (entry){.label = module->node_types[i].name, .index = i};
    for (size_t i = 0; i < module->edge_type_count; i++) {
        brant__text label = module->edge_types[i].name;
        if (brant__type_node(type, label) != BRANT__NO_TYPE) {
            brant__buffer longer = {0};
            brant__buffer_append(&longer, label.data, label.length);
            brant__buffer_append(&longer, "Edge", 4);
            const char *copy =
                longer.failed ? NULL : brant__arena_copy(&self->arena, longer.data, longer.length);
            label = brant__text_of(copy, longer.length);
            brant__buffer_free(&longer);
            if (!copy) return brant__fail_memory();
            if (brant__type_node(type, label) != BRANT__NO_TYPE) continue;
        }
        self->entries[self->count++] = (entry){.label = label, .edge = true, .index = i};
    }
    qsort(self->entries, self->count, sizeof(*self->entries), by_label);
    self->inputs = brant__alloc_zero((self->count * VERBS + 1) * sizeof(*self->inputs));
    return self->inputs ? BRANT_OK : brant__fail_memory();
}

static brant_status read_module(derived *self, brant_db *db, const brant__type *type) {
    static const char *const containers[] = {"$defs", "definitions", "schemas"};
    brant__statement *statement = NULL;
    brant__buffer wide = {0};
    brant__text text;
    brant_status status;
    BRANT__TRY(brant__type_row_module(&text, &statement, db, type->row_id, text_of(type->name)));
    BRANT__TRY(brant__json_parse(&self->module, text.data, text.length, 0));
    BRANT__TRY(brant__module_widen(&wide, self->module.root, type->module));
    if (wide.length > 0) BRANT__TRY(brant__json_parse(&self->wide, wide.data, wide.length, 0));
    for (size_t i = 0; i < BRANT__COUNT(containers) && !self->container.data; i++)
        if (yyjson_obj_get(self->module.root, containers[i]))
            self->container = text_of(containers[i]);
    self->id = brant__json_get_text(self->module.root, "$id");
    self->own_id = self->id.length > 0;
    if (self->own_id) {
        const char *hash = memchr(self->id.data, '#', self->id.length);
        if (hash) self->id.length = (size_t)(hash - self->id.data);
    } else {
        brant__buffer urn = {0};
        brant__buffer_format(&urn, "urn:uuid:%s", type->id);
        const char *copy =
            urn.failed ? NULL : brant__arena_copy(&self->arena, urn.data, urn.length);
        self->id = brant__text_of(copy, urn.length);
        brant__buffer_free(&urn);
        if (!copy) status = brant__fail_memory();
    }
    if (yyjson_equals_str(yyjson_obj_get(self->module.root, "x-formats"), "annotate"))
        self->flags = BRANT__FORMAT_ANNOTATES;
cleanup:
    brant__buffer_free(&wide);
    brant__reset(statement);
    return status;
}

static brant_status derive(derived **out, brant_db *db, const brant__type *type) {
    brant__type *kept = (brant__type *)type; /* the attachment alone is written */
    brant_status status = BRANT_OK;
    *out = kept->attachment;
    if (*out) return BRANT_OK;
    derived *self = brant__alloc_zero(sizeof(*self));
    if (!self) return brant__fail_memory();
    BRANT__TRY(read_module(self, db, type));
    if (type->module->typed) BRANT__TRY(list_entries(self, type));
    kept->attachment = self;
    kept->attachment_free = release;
    *out = self;
    self = NULL;
cleanup:
    release(self);
    return status;
}

/* The module as others read it: what stands for a value is valid at encrypted attributes. */
static yyjson_val *wide_module(const derived *self) {
    return self->wide.root ? self->wide.root : self->module.root;
}

/* ---- specs ---------------------------------------------------------------------------------------------------------- */

/* {"$ref": the type's schema}, its members alone */
static void write_reference(brant__writer *out, const derived *self, const brant__type *type,
                            const entry *of) {
    brant__buffer reference = {0};
    const brant__text type_name = of->edge ? type->module->edge_types[of->index].name
                                           : type->module->node_types[of->index].name;
    brant__buffer_append(&reference, self->id.data, self->id.length);
    brant__buffer_append(&reference, "#/", 2);
    brant__buffer_append(&reference, self->container.data, self->container.length);
    brant__buffer_append_byte(&reference, '/');
    brant__buffer_append(&reference, type_name.data, type_name.length);
    brant__buffer_append(&reference, of->edge ? "Edge" : "Node", 4);
    brant__write_text_member(out, "$ref", brant__text_of(reference.data, reference.length));
    if (reference.failed) out->buffer.failed = true;
    brant__buffer_free(&reference);
}

/* The module as a resource of its own, so that its references stay what they are. */
static void write_module(brant__writer *out, const derived *self, yyjson_val *document,
                         yyjson_val *defs) {
    size_t index, count;
    yyjson_val *key, *value;
    brant__write_name(out, "$defs");
    brant__write_object(out);
    yyjson_obj_foreach(defs, index, count, key, value) {
        if (brant__text_equal(brant__json_text(key), self->id)) continue;
        brant__write_name_text(out, brant__json_text(key));
        brant__write_value(out, value);
    }
    brant__write_name_text(out, self->id);
    if (self->own_id) {
        brant__write_value(out, document);
    } else {
        brant__write_object(out);
        brant__write_text_member(out, "$id", self->id);
        yyjson_obj_foreach(document, index, count, key, value) {
            if (yyjson_equals_str(key, "$id")) continue;
            brant__write_name_text(out, brant__json_text(key));
            brant__write_value(out, value);
        }
        brant__write_end(out);
    }
    brant__write_end(out);
}

/* `document`: the module, as this library or as others read it. */
static void write_input(brant__writer *out, const derived *self, yyjson_val *document,
                        const brant__type *type, const entry *of, size_t verb, yyjson_val *schema) {
    size_t index, count, inner, members;
    yyjson_val *key, *value, *member_name, *member;
    brant__write_object(out);
    yyjson_obj_foreach(schema, index, count, key, value) {
        if (yyjson_equals_str(key, "$defs") && verbs[verb].attributes) continue;
        brant__write_name_text(out, brant__json_text(key));
        if (!yyjson_equals_str(key, "properties")) {
            brant__write_value(out, value);
            continue;
        }
        brant__write_object(out);
        yyjson_obj_foreach(value, inner, members, member_name, member) {
            if (yyjson_equals_str(member_name, "type")) continue;
            brant__write_name_text(out, brant__json_text(member_name));
            if (verbs[verb].attributes && yyjson_equals_str(member_name, "attributes")) {
                brant__write_object(out);
                write_reference(out, self, type, of);
                brant__write_end(out);
            } else {
                brant__write_value(out, member);
            }
        }
        brant__write_end(out);
    }
    if (verbs[verb].attributes) write_module(out, self, document, yyjson_obj_get(schema, "$defs"));
    brant__write_end(out);
}

/* A node or an edge whose attributes are the type's: members beside the operation's own. */
static void write_item(brant__writer *out, const derived *self, const brant__type *type,
                       const entry *of) {
    brant__write_text_member(out, "$ref",
                             of->edge ? BRANT__TEXT("#/$defs/edge") : BRANT__TEXT("#/$defs/node"));
    brant__write_name(out, "properties");
    brant__write_object(out);
    brant__write_name(out, "attributes");
    brant__write_object(out);
    write_reference(out, self, type, of);
    brant__write_end(out);
    brant__write_end(out);
}

static void write_output(brant__writer *out, const derived *self, const brant__type *type,
                         const entry *of, size_t verb, yyjson_val *schema) {
    const bool get = strcmp(verbs[verb].verb, "get") == 0;
    yyjson_val *properties = yyjson_obj_get(schema, "properties");
    size_t index, count;
    yyjson_val *key, *value;
    if (!get && strcmp(verbs[verb].verb, "find") != 0) {
        brant__write_value(out, schema);
        return;
    }
    brant__write_object(out);
    if (get) {
        write_item(out, self, type, of);
    } else {
        yyjson_obj_foreach(schema, index, count, key, value) {
            if (yyjson_equals_str(key, "$defs") || yyjson_equals_str(key, "properties")) continue;
            brant__write_name_text(out, brant__json_text(key));
            brant__write_value(out, value);
        }
        brant__write_name(out, "properties");
        brant__write_object(out);
        yyjson_obj_foreach(properties, index, count, key, value) {
            brant__write_name_text(out, brant__json_text(key));
            if (!yyjson_equals_str(key, "items")) {
                brant__write_value(out, value);
                continue;
            }
            brant__write_object(out);
            brant__write_text_member(out, "type", BRANT__TEXT("array"));
            brant__write_name(out, "items");
            brant__write_object(out);
            write_item(out, self, type, of);
            brant__write_end(out);
            brant__write_end(out);
        }
        brant__write_end(out);
    }
    write_module(out, self, wide_module(self), yyjson_obj_get(schema, "$defs"));
    brant__write_end(out);
}

static void write_title(brant__writer *out, const entry *of, size_t verb) {
    static const char *const words[] = {"Count",      "Delete one", "Find",   "Get one",
                                        "Insert one", "Patch one",  "Put one"};
    brant__buffer title = {0};
    brant__buffer_format(&title, "%s: ", words[verb]);
    brant__buffer_append(&title, of->label.data, of->label.length);
    brant__write_text(out, brant__text_of(title.data, title.length));
    if (title.failed) out->buffer.failed = true;
    brant__buffer_free(&title);
}

/* Those of the operation behind, and what a name that is looked up adds. */
static void write_errors(brant__writer *out, yyjson_val *errors) {
    bool missing = false, invalid = false;
    size_t index, count;
    yyjson_val *code;
    brant__write_array(out);
    yyjson_arr_foreach(errors, index, count, code) {
        missing = missing || yyjson_equals_str(code, "NOT_FOUND");
        invalid = invalid || yyjson_equals_str(code, "INVALID");
        brant__write_value(out, code);
    }
    if (!missing) brant__write_text(out, BRANT__TEXT("NOT_FOUND"));
    if (!invalid) brant__write_text(out, BRANT__TEXT("INVALID"));
    brant__write_end(out);
}

static brant_status write_spec(brant__writer *out, const derived *self, const brant__type *type,
                               const entry *of, size_t verb, const brant__operation *operation) {
    brant_status status;
    brant__json spec = {0};
    brant__buffer full = {0};
    size_t index, count;
    yyjson_val *key, *value;
    BRANT__TRY(brant__json_parse(&spec, operation->spec, operation->spec_len, 0));
    brant__buffer_format(&full, "types.%s.%.*s.%s", type->name, (int)of->label.length,
                         of->label.data, verbs[verb].verb);
    brant__write_object(out);
    yyjson_obj_foreach(spec.root, index, count, key, value) {
        brant__write_name_text(out, brant__json_text(key));
        if (yyjson_equals_str(key, "name"))
            brant__write_text(out, brant__text_of(full.data, full.length));
        else if (yyjson_equals_str(key, "namespace"))
            brant__write_text(out, BRANT__TEXT("types"));
        else if (yyjson_equals_str(key, "title"))
            write_title(out, of, verb);
        else if (yyjson_equals_str(key, "input_schema"))
            write_input(out, self, wide_module(self), type, of, verb, value);
        else if (yyjson_equals_str(key, "output_schema"))
            write_output(out, self, type, of, verb, value);
        else if (yyjson_equals_str(key, "errors"))
            write_errors(out, value);
        else
            brant__write_value(out, value);
    }
    brant__write_end(out);
    if (full.failed || out->buffer.failed) status = brant__fail_memory();
cleanup:
    brant__buffer_free(&full);
    brant__json_free(&spec);
    return status;
}

brant_status brant__typed_list(brant__call *call) {
    const brant__type *type = NULL;
    derived *self = NULL;
    brant_status status;
    const brant__text space = brant__json_get_text(call->input, "namespace");
    BRANT__TRY(
        brant__type_find(&type, call, brant__json_get_text(call->input, "graph_type"), false));
    BRANT__TRY(derive(&self, call->db, type));
    brant__write_object(call->out);
    brant__write_name(call->out, "items");
    brant__write_array(call->out);
    for (size_t i = 0; i < self->count; i++) {
        if (space.data && !brant__text_equal(space, BRANT__TEXT("types"))) break;
        BRANT__TRY(brant__db_poll(call->db));
        for (size_t verb = 0; verb < VERBS; verb++) {
            const brant__operation *operation = behind(verb, self->entries[i].edge);
            if (operation)
                BRANT__TRY(write_spec(call->out, self, type, &self->entries[i], verb, operation));
        }
    }
    brant__write_end(call->out);
    brant__write_end(call->out);
cleanup:
    return status;
}

/* ---- running -------------------------------------------------------------------------------------------------------- */

/* The compiled input schema of an entry's verb, made at the first call. */
static brant_status input_schema(const brant__schema **out, derived *self, const brant__type *type,
                                 size_t at, size_t verb, const brant__operation *operation) {
    brant__schema **place = &self->inputs[at * VERBS + verb];
    brant_status status = BRANT_OK;
    brant__json spec = {0}, schema = {0};
    brant__writer text = {0};
    if (!*place) {
        BRANT__TRY(brant__json_parse(&spec, operation->spec, operation->spec_len, 0));
        write_input(&text, self, self->module.root, type, &self->entries[at], verb,
                    yyjson_obj_get(spec.root, "input_schema"));
        if (text.buffer.failed) {
            status = brant__fail_memory();
            goto cleanup;
        }
        BRANT__TRY(brant__json_parse(&schema, text.buffer.data, text.buffer.length, 0));
        BRANT__TRY(brant__schema_compile_as(place, schema.root, schema.root, BRANT__TEXT(""),
                                            self->flags));
    }
    *out = *place;
cleanup:
    brant__json_free(&schema);
    brant__json_free(&spec);
    brant__buffer_free(&text.buffer);
    return status;
}

/* The graph must be one of the graph type. */
static brant_status check_graph(brant__call *call, const brant__type *type) {
    brant__graph graph;
    const brant_status status = brant__graph_find(&graph, call, false);
    if (status != BRANT_OK) return status;
    if (strcmp(graph.type->id, type->id) == 0) return BRANT_OK;
    return brant__fail(
        BRANT_INVALID, "graph %s is of graph type %s, not of %s", brant__quoted(call, graph.name),
        brant__quoted(call, text_of(graph.type->name)), brant__quoted(call, text_of(type->name)));
}

/* What the key names must be of the type: asked as anybody would. `answer`: what get says. */
static brant_status check_one(brant__writer *answer, brant__call *call, bool edge,
                              brant__text type) {
    brant_status status;
    brant__json json = {0};
    brant__call get = *call;
    size_t get_verb = 0;
    while (strcmp(verbs[get_verb].verb, "get") != 0)
        get_verb++;
    get.out = answer;
    BRANT__TRY(behind(get_verb, edge)->handler(&get));
    if (answer->buffer.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    BRANT__TRY(brant__json_parse(&json, answer->buffer.data, answer->buffer.length, 0));
    if (!brant__text_equal(brant__json_get_text(json.root, "type"), type))
        status = brant__fail(BRANT_NOT_FOUND, "%s %s is not of type %s", edge ? "edge" : "node",
                             brant__quoted(call, brant__json_get_text(call->input, "key")),
                             brant__quoted(call, type));
cleanup:
    brant__json_free(&json);
    return status;
}

/* The input with the type. */
static brant_status fix_type(brant__json *out, yyjson_val *input, brant__text type) {
    brant__writer text = {0};
    size_t index, count;
    yyjson_val *key, *value;
    brant__write_object(&text);
    brant__write_text_member(&text, "type", type);
    yyjson_obj_foreach(input, index, count, key, value) {
        brant__write_name_text(&text, brant__json_text(key));
        brant__write_value(&text, value);
    }
    brant__write_end(&text);
    const brant_status status =
        text.buffer.failed ? brant__fail_memory()
                           : brant__json_parse(out, text.buffer.data, text.buffer.length, 0);
    brant__buffer_free(&text.buffer);
    return status;
}

static brant_status unknown(brant__call *call) {
    return brant__fail(
        BRANT_NOT_FOUND,
        "no operation %s; operations.list {\"graph_type\"} has those of a graph type",
        brant__quoted(call, call->name));
}

/* A session has to hold what the operation behind asks for. Before the type is known: that of nodes or that of edges. */
static brant_status admit(brant__call *call, size_t verb) {
    const brant__operation *either = NULL;
    bool judge = false;
    brant_status status = BRANT_OK;
    if (!brant__db_session(call->db)) return BRANT_OK;
    for (int edge = 0; edge < 2; edge++) {
        const brant__operation *operation = behind(verb, edge == 1);
        if (!operation) continue;
        if (either) (void)brant__error_code(); /* of nodes' */
        either = operation;
        status = brant__session_admit(&judge, call->db, operation);
        if (status == BRANT_OK) return BRANT_OK;
    }
    return status;
}

/* The operation behind it runs, by its own rules. */
static brant_status admit_as(brant__call *call, const brant__operation *operation) {
    bool judge = false;
    brant__db_running_set(call->db, operation);
    brant_status status = brant__session_admit(&judge, call->db, operation);
    if (status == BRANT_OK && judge) status = brant__session_judge(call, operation);
    return status;
}

static brant_status run_typed(brant__call *call) {
    const brant__type *type = NULL;
    const brant__schema *schema = NULL;
    derived *self = NULL;
    brant__json input = {0};
    brant__writer answer = {0};
    brant_status status;
    size_t at = 0;
    name called;
    if (!read_name(&called, call->name)) return unknown(call);
    BRANT__TRY(admit(call, called.verb));
    BRANT__TRY(brant__type_find(&type, call, called.graph_type, false));
    brant__seal_watch(call->db, type);
    BRANT__TRY(derive(&self, call->db, type));
    while (at < self->count && !brant__text_equal(self->entries[at].label, called.type))
        at++;
    const brant__operation *operation =
        at < self->count ? behind(called.verb, self->entries[at].edge) : NULL;
    if (!operation) {
        status = unknown(call);
        goto cleanup;
    }
    BRANT__TRY(admit_as(call, operation));
    const entry of = self->entries[at];
    const brant__text fixed =
        of.edge ? type->module->edge_types[of.index].name : type->module->node_types[of.index].name;
    BRANT__TRY(input_schema(&schema, self, type, at, called.verb, operation));
    if (!brant__schema_accepts(schema, call->input)) {
        status = brant__input_refuse(call->name, NULL, schema, call->input);
        goto cleanup;
    }
    BRANT__TRY(check_graph(call, type));
    if (verbs[called.verb].one) {
        BRANT__TRY(check_one(&answer, call, of.edge, fixed));
    } else {
        BRANT__TRY(fix_type(&input, call->input, fixed));
        call->input = input.root;
    }
    if (strcmp(verbs[called.verb].verb, "get") == 0)
        brant__write_raw(call->out, brant__text_of(answer.buffer.data, answer.buffer.length));
    else
        status = operation->handler(call);
cleanup:
    brant__buffer_free(&answer.buffer);
    brant__json_free(&input);
    return status;
}

static const brant__operation query = {
    .name = "types", .kind = BRANT__QUERY, .own_transaction = true, .handler = run_typed};
static const brant__operation mutation = {
    .name = "types", .kind = BRANT__MUTATION, .own_transaction = true, .handler = run_typed};

const brant__operation *brant__typed_operation(brant__text text) {
    name called;
    if (!read_name(&called, text)) return NULL;
    const brant__operation *operation = behind(called.verb, false);
    return !operation || operation->kind == BRANT__QUERY ? &query : &mutation;
}
