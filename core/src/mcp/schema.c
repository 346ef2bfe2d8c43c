/*
 * mcp/schema.c: schemas as clients take them: one document, in which every reference is "#/$defs/<name>".
 *
 * A spec's schema has definitions beside it, of which most are of other operations, and typed ones have whole modules among them, whose entries refer to each other by
 * the module's name. Here only what is needed is copied, a module's entry as <module>.<Entry>, and names of documents ($id, $schema) go. A reference that leads nowhere becomes a schema that
 * takes anything: the operation checks its input itself. A list of types becomes a choice. A schema that is nothing but a reference becomes what it refers to, since clients look for "properties" at the root.
 */
#include <stdio.h>
#include <stdlib.h>

#include "mcp/mcp.h"

#define DEPTH 200

typedef struct flattening {
    yyjson_mut_doc *doc;
    yyjson_val *definitions; /* of the schema */
    yyjson_mut_val *needed;  /* as they are written */
} flattening;

static yyjson_mut_val *flatten(flattening *self, yyjson_val *value, yyjson_val *module, int depth);

/* A definition's name in what is written: of a module with its own. False: too long. */
static bool name_of(char *out, size_t size, yyjson_val *module, const char *name, size_t length) {
    const char *id = yyjson_get_str(yyjson_obj_get(module, "$id"));
    const int used = snprintf(out, size, "%s%s%.*s", module ? (id ? id : "module") : "",
                              module ? "." : "", (int)length, name);

    if (used < 0 || (size_t)used >= size) return false;
    for (char *at = out; *at; at++)
        if (!(*at >= 'a' && *at <= 'z') && !(*at >= 'A' && *at <= 'Z') &&
            !(*at >= '0' && *at <= '9') && !strchr("_.-", *at))
            *at = '_';
    return true;
}

/* The module whose $id is this, among the definitions. */
static yyjson_val *module_of(const flattening *self, const char *id, size_t length) {
    size_t at, count;
    yyjson_val *name, *value;

    yyjson_obj_foreach(self->definitions, at, count, name, value) {
        if (yyjson_equals_strn(yyjson_obj_get(value, "$id"), id, length)) return value;
    }
    return NULL;
}

/* What a reference becomes; NULL: it leads nowhere. */
static yyjson_mut_val *refer(flattening *self, const char *reference, yyjson_val *module,
                             int depth) {
    static const char prefix[] = "#/$defs/";
    const char *hash = strchr(reference, '#'), *entry, *rest;
    char name[512], out[1024];
    yyjson_val *target;
    size_t length;

    if (hash != reference) { /* "call#/$defs/CallNode", or "Entry" of this module */
        yyjson_val *other = hash ? module_of(self, reference, (size_t)(hash - reference)) : module;
        if (!other) return NULL;
        module = other;
    }
    if (hash && strncmp(hash, prefix, sizeof prefix - 1) != 0) return NULL;
    entry = hash ? hash + sizeof prefix - 1 : reference;
    length = strcspn(entry, "/");
    rest = entry + length;
    target = yyjson_obj_getn(module ? yyjson_obj_get(module, "$defs") : self->definitions, entry,
                             length);
    if (!target || !name_of(name, sizeof name, module, entry, length)) return NULL;
    if (!yyjson_mut_obj_get(self->needed, name)) {
        /* It stands there before it is copied: it may refer to itself. */
        yyjson_mut_val *key = yyjson_mut_strcpy(self->doc, name);
        yyjson_mut_obj_add(self->needed, key, yyjson_mut_null(self->doc));
        yyjson_mut_val *copy = flatten(self, target, module, depth + 1);
        if (!copy) return NULL;
        yyjson_mut_obj_put(self->needed, yyjson_mut_strcpy(self->doc, name), copy);
    }
    const int used = snprintf(out, sizeof out, "#/$defs/%s%s", name, rest);
    if (used < 0 || (size_t)used >= sizeof out) return NULL;
    return yyjson_mut_strcpy(self->doc, out);
}

/* Is the keyword one that says something of values of this type alone? */
static bool is_of_type(const char *type, const char *keyword) {
    static const char number[] = " minimum maximum exclusiveMinimum exclusiveMaximum multipleOf ";
    static const struct {
        const char *type, *keywords;
    } all[] = {
        {"array", " items prefixItems contains minContains maxContains minItems maxItems "
                  "uniqueItems "},
        {"integer", number},
        {"number", number},
        {"object", " properties patternProperties additionalProperties propertyNames required "
                   "dependentRequired minProperties maxProperties "},
        {"string", " minLength maxLength pattern format "},
    };
    const size_t length = strlen(keyword);

    if (length == 0 || strchr(keyword, ' ')) return false;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (strcmp(all[i].type, type) != 0) continue;
        for (const char *at = all[i].keywords; (at = strstr(at, keyword)); at += length)
            if (at[-1] == ' ' && at[length] == ' ') return true;
    }
    return false;
}

/* A schema of several types becomes a choice of schemas of one: clients whose models take schemas of another dialect know no list of types. */
static void split_types(const flattening *self, yyjson_mut_val *schema) {
    yyjson_mut_val *types = yyjson_mut_obj_get(schema, "type"), *choices, *branch, *type, *name,
                   *item;
    size_t at, count, member, members;

    if (!yyjson_mut_is_arr(types) || yyjson_mut_obj_get(schema, "anyOf")) return;
    yyjson_mut_arr_foreach(types, at, count, type) {
        if (!yyjson_mut_is_str(type)) return;
    }
    choices = yyjson_mut_arr(self->doc);
    yyjson_mut_arr_foreach(types, at, count, type) {
        branch = yyjson_mut_arr_add_obj(self->doc, choices);
        yyjson_mut_obj_add_strcpy(self->doc, branch, "type", yyjson_mut_get_str(type));
        yyjson_mut_obj_foreach(schema, member, members, name, item) {
            if (is_of_type(yyjson_mut_get_str(type), yyjson_mut_get_str(name)))
                yyjson_mut_obj_add(branch, yyjson_mut_val_mut_copy(self->doc, name),
                                   yyjson_mut_val_mut_copy(self->doc, item));
        }
    }
    yyjson_mut_obj_iter rest = yyjson_mut_obj_iter_with(schema);
    while ((name = yyjson_mut_obj_iter_next(&rest))) {
        bool moved = yyjson_mut_equals_str(name, "type");
        yyjson_mut_arr_foreach(types, at, count, type) moved =
            moved || is_of_type(yyjson_mut_get_str(type), yyjson_mut_get_str(name));
        if (moved) yyjson_mut_obj_iter_remove(&rest);
    }
    yyjson_mut_obj_add_val(self->doc, schema, "anyOf", choices);
}

static yyjson_mut_val *flatten(flattening *self, yyjson_val *value, yyjson_val *module, int depth) {
    size_t at, count;
    yyjson_val *name, *item;
    yyjson_mut_val *out;

    if (depth > DEPTH) return yyjson_mut_obj(self->doc);
    if (yyjson_is_arr(value)) {
        out = yyjson_mut_arr(self->doc);
        yyjson_arr_foreach(value, at, count, item)
            yyjson_mut_arr_append(out, flatten(self, item, module, depth + 1));
        return out;
    }
    if (!yyjson_is_obj(value)) return yyjson_val_mut_copy(self->doc, value);
    out = yyjson_mut_obj(self->doc);
    yyjson_obj_foreach(value, at, count, name, item) {
        const char *text = yyjson_get_str(name);
        /* Under `properties` these are names of members, whose schemas are no texts. */
        if (yyjson_is_str(item) && (strcmp(text, "$id") == 0 || strcmp(text, "$schema") == 0 ||
                                    strcmp(text, "$dynamicRef") == 0))
            continue;
        if (depth == 0 && !module && strcmp(text, "$defs") == 0) continue;
        yyjson_mut_val *made;
        if (yyjson_is_str(item) && strcmp(text, "$ref") == 0) {
            made = refer(self, yyjson_get_str(item), module, depth);
            if (!made) continue;
        } else if (strcmp(text, "enum") == 0 || strcmp(text, "const") == 0 ||
                   strcmp(text, "default") == 0 || strcmp(text, "examples") == 0 ||
                   strcmp(text, "dependentRequired") == 0) {
            made = yyjson_val_mut_copy(self->doc, item);
        } else {
            made = flatten(self, item, module, depth + 1);
        }
        yyjson_mut_obj_add(out, yyjson_val_mut_copy(self->doc, name), made);
    }
    split_types(self, out);
    return out;
}

/* Does a schema refer to the definition? */
static bool refers(yyjson_mut_val *value, const char *reference) {
    const char *own = yyjson_mut_get_str(yyjson_mut_obj_get(value, "$ref"));
    size_t at, count;
    yyjson_mut_val *name, *item;

    if (own && strcmp(own, reference) == 0) return true;
    if (yyjson_mut_is_obj(value)) {
        yyjson_mut_obj_foreach(value, at, count, name, item) {
            if (refers(item, reference)) return true;
        }
    }
    yyjson_mut_arr_foreach(value, at, count, item) {
        if (refers(item, reference)) return true;
    }
    return false;
}

/* The members of the definition that the root refers to, at the root; it goes where nothing else refers to it. */
static void unfold(flattening *self, yyjson_mut_val *root) {
    const char *reference = yyjson_mut_get_str(yyjson_mut_obj_get(root, "$ref"));
    yyjson_mut_val *target, *name, *item;
    size_t at, count;

    if (!reference || strncmp(reference, "#/$defs/", 8) != 0) return;
    target = yyjson_mut_obj_get(self->needed, reference + 8);
    if (!yyjson_mut_is_obj(target) || yyjson_mut_obj_get(target, "$ref")) return;
    yyjson_mut_obj_remove_key(root, "$ref");
    yyjson_mut_obj_foreach(target, at, count, name, item) {
        if (!yyjson_mut_obj_get(root, yyjson_mut_get_str(name)))
            yyjson_mut_obj_add(root, yyjson_mut_val_mut_copy(self->doc, name),
                               yyjson_mut_val_mut_copy(self->doc, item));
    }
    if (!refers(root, reference) && !refers(self->needed, reference))
        yyjson_mut_obj_remove_key(self->needed, reference + 8);
}

yyjson_mut_val *mcp_schema(yyjson_mut_doc *doc, yyjson_val *schema) {
    flattening self = {.doc = doc, .definitions = yyjson_obj_get(schema, "$defs")};
    yyjson_mut_val *out;

    self.needed = yyjson_mut_obj(doc);
    out = flatten(&self, schema, NULL, 0);
    if (!yyjson_mut_is_obj(out)) return yyjson_mut_obj(doc);
    unfold(&self, out);
    /* What the protocol asks of inputs and outputs, and all of ours are. */
    if (!yyjson_mut_obj_get(out, "type")) yyjson_mut_obj_add_str(doc, out, "type", "object");
    if (yyjson_mut_obj_size(self.needed) > 0)
        yyjson_mut_obj_add_val(doc, out, "$defs", self.needed);
    return out;
}
