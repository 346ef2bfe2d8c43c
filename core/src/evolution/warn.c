/*
 * evolution/warn.c: what a module says that works and is probably not meant: the definition succeeds, and its answer tells.
 *
 * - a helper that nothing refers to: where a tool merged it by name only, its properties are missing elsewhere (TypeBox's Composite of a Ref)
 * - an entry whose name is nearly that of a type
 * - a `format` that is not checked
 * - a `default` that its own schema refuses: casting will not fill it
 * - a required property that a closed object refuses
 * - closed parts of an allOf: each refuses the properties of the others
 * - edge types of a module without node types: they mean nothing
 * - a type that accepts no object
 */
#include "evolution/evolution.h"
#include "schema/compile.h"

enum { MOST = 100, DEFAULTS = 1000 };

typedef struct warner {
    brant__writer *out;
    size_t count;
    size_t defaults; /* looked at */
    brant__compiler compiler;
    brant__buffer pointer;
    uint32_t sites;
    uint8_t *used; /* of each site: something refers to it, or below it */
} warner;

static brant__site *site_at(const warner *self, uint32_t site) {
    return &BRANT__VECTOR(self->compiler.sites, brant__site)[site];
}

static void warn(warner *self, uint32_t site, const char *below, const char *message) {
    if (self->count++ >= MOST) return;
    brant__buffer_reset(&self->pointer);
    brant__site_append(&self->compiler, &self->pointer, site);
    brant__buffer_append(&self->pointer, below, strlen(below));
    brant__write_object(self->out);
    brant__write_text_member(self->out, "pointer",
                             brant__text_of(self->pointer.data, self->pointer.length));
    brant__write_text_member(self->out, "message", brant__text_string(message));
    brant__write_end(self->out);
}

/* ---- entries --------------------------------------------------------------------------------- */

static bool is_entry(const warner *self, uint32_t number) {
    const brant__site *site = site_at(self, number);
    return number > 0 && site->parent == 0 && site->kind == BRANT__PLACE_MEMBER &&
           (site->keyword == BRANT__KEYWORD_DEFS || site->keyword == BRANT__KEYWORD_DEFINITIONS ||
            site->keyword == BRANT__KEYWORD_SCHEMAS);
}

static bool ends_with(brant__text name, const char *suffix) {
    const size_t length = strlen(suffix);
    if (name.length < length) return false;
    for (size_t i = 0; i < length; i++) {
        const char c = name.data[name.length - length + i];
        if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != suffix[i]) return false;
    }
    return true;
}

static bool begins_with(brant__text name, const char *prefix) {
    const size_t length = strlen(prefix);
    return name.length > length && memcmp(name.data, prefix, length) == 0 &&
           name.data[length] >= 'A' && name.data[length] <= 'Z';
}

static void check_name(warner *self, uint32_t site) {
    static const char *const endings[] = {"node",           "edge",       "nodes",
                                          "edges",          "constraint", "edgeconstraint",
                                          "nodeconstraint", "constraints"};
    const brant__text name = site_at(self, site)->text;
    brant__text type;
    if (brant__entry_kind(name, &type) != BRANT__ENTRY_HELPER) return;
    if (brant__text_equal(name, BRANT__TEXT("BaseNode")) ||
        brant__text_equal(name, BRANT__TEXT("BaseEdge")))
        return;
    if (name.length == 6 && ends_with(name, "config")) {
        warn(self, site, "", "is a helper: the configuration is the entry \"Config\"");
        return;
    }
    bool near = begins_with(name, "Node") || begins_with(name, "Edge");
    for (size_t i = 0; i < BRANT__COUNT(endings); i++)
        near = near || ends_with(name, endings[i]);
    if (near)
        warn(self, site, "",
             "is a helper: types are entries named <Name>Node, <Name>Edge, <Name>EdgeConstraints");
}

/* What is referred to, and what stands above it. */
static void mark_used(warner *self) {
    for (uint32_t i = 0; i < self->sites; i++) {
        yyjson_val *schema = site_at(self, i)->schema;
        static const char *const keywords[] = {"$ref", "$dynamicRef"};
        for (size_t k = 0; k < BRANT__COUNT(keywords); k++) {
            const brant__text reference = brant__json_get_text(schema, keywords[k]);
            if (!reference.data) continue;
            uint32_t target = brant__bundle_resolve(&self->compiler, i, reference, false);
            /* A schema that refers to itself does not make itself used. */
            for (uint32_t above = i; above != BRANT__NONE && target != BRANT__NONE;
                 above = site_at(self, above)->parent)
                if (above == target) target = BRANT__NONE;
            for (; target != BRANT__NONE; target = site_at(self, target)->parent)
                self->used[target] = 1;
        }
    }
}

static void check_use(warner *self, uint32_t number) {
    const brant__site *site = site_at(self, number);
    brant__text type;
    if (self->used[number] || brant__entry_kind(site->text, &type) != BRANT__ENTRY_HELPER) return;
    if (!yyjson_obj_get(site->schema, "properties")) return;
    warn(self, number, "",
         "is not referred to by any entry: where it was composed into another one by name "
         "(TypeBox's "
         "Composite of a Ref) its properties were dropped; compose with allOf (Intersect) instead");
}

/* ---- schemas --------------------------------------------------------------------------------- */

static void check_required(warner *self, uint32_t number) {
    yyjson_val *schema = site_at(self, number)->schema;
    yyjson_val *properties = yyjson_obj_get(schema, "properties");
    size_t index, count;
    yyjson_val *name;
    if (!yyjson_is_false(yyjson_obj_get(schema, "additionalProperties")) ||
        yyjson_obj_get(schema, "patternProperties"))
        return;
    yyjson_arr_foreach(yyjson_obj_get(schema, "required"), index, count, name) {
        char below[40];
        if (yyjson_obj_getn(properties, yyjson_get_str(name), yyjson_get_len(name))) continue;
        snprintf(below, sizeof(below), "/required/%zu", index);
        warn(self, number, below,
             "is required and not among the properties of a closed object: no value is valid");
    }
}

static yyjson_val *target_of(warner *self, yyjson_val *schema) {
    const brant__text reference = brant__json_get_text(schema, "$ref");
    const uint32_t site = brant__bundle_site(&self->compiler, schema);
    if (!reference.data || site == BRANT__NONE) return schema;
    const uint32_t target = brant__bundle_resolve(&self->compiler, site, reference, false);
    return target == BRANT__NONE ? schema : site_at(self, target)->schema;
}

static void check_parts(warner *self, uint32_t number) {
    yyjson_val *parts = yyjson_obj_get(site_at(self, number)->schema, "allOf");
    size_t index, count;
    yyjson_val *part;
    yyjson_arr_foreach(parts, index, count, part) {
        yyjson_val *schema = target_of(self, part);
        char below[40];
        bool others = false;
        if (!yyjson_is_false(yyjson_obj_get(schema, "additionalProperties"))) continue;
        size_t at, size, n, names;
        yyjson_val *other, *key, *value;
        yyjson_arr_foreach(parts, at, size, other) {
            if (at == index) continue;
            yyjson_obj_foreach(yyjson_obj_get(target_of(self, other), "properties"), n, names, key,
                               value) {
                (void)value;
                others = others || !yyjson_obj_getn(yyjson_obj_get(schema, "properties"),
                                                    yyjson_get_str(key), yyjson_get_len(key));
            }
        }
        snprintf(below, sizeof(below), "/allOf/%zu", index);
        if (others)
            warn(self, number, below,
                 "is closed (additionalProperties: false) and refuses the properties of the other "
                 "parts; close the whole with unevaluatedProperties instead");
    }
}

static brant_status check_default(warner *self, uint32_t number) {
    yyjson_val *schema = site_at(self, number)->schema;
    yyjson_val *value = yyjson_obj_get(schema, "default");
    brant__schema *compiled = NULL;
    if (!value || number == 0 || self->defaults++ >= DEFAULTS) return BRANT_OK;
    const brant_status status =
        brant__schema_compile(&compiled, self->compiler.bundle, schema, BRANT__TEXT(""));
    if (status == BRANT_OK && !brant__schema_accepts(compiled, value))
        warn(self, number, "/default", "is not valid itself: it will not be filled in");
    brant__schema_free(compiled);
    return status;
}

/* Values that a schema has for an encrypted attribute. */
static void check_encrypted(warner *self, uint32_t number) {
    static const char *const keywords[] = {"default", "const", "enum", "example", "examples"};
    yyjson_val *schema = site_at(self, number)->schema;
    char below[16];

    if (!yyjson_is_true(yyjson_obj_get(schema, "x-encrypted"))) return;
    for (size_t i = 0; i < BRANT__COUNT(keywords); i++) {
        if (!yyjson_obj_get(schema, keywords[i])) continue;
        snprintf(below, sizeof(below), "/%s", keywords[i]);
        warn(self, number, below,
             "is not encrypted: the module is stored as it is, so no secret may stand in it");
    }
}

static brant_status check_schema(warner *self, uint32_t number) {
    yyjson_val *schema = site_at(self, number)->schema;
    const brant__text format = brant__json_get_text(schema, "format");
    if (!yyjson_is_obj(schema)) return BRANT_OK;
    if (format.data && brant__format_find(format) < 0)
        warn(self, number, "/format", "is not a format that is checked: any text is valid");
    check_required(self, number);
    check_parts(self, number);
    check_encrypted(self, number);
    return check_default(self, number);
}

static void check_types(warner *self, const brant__module *module) {
    static yyjson_val empty = {.tag = YYJSON_TYPE_OBJ};
    for (uint32_t i = 1; i < self->sites; i++) {
        brant__text type;
        if (!is_entry(self, i)) continue;
        const int kind = brant__entry_kind(site_at(self, i)->text, &type);
        if (kind != BRANT__ENTRY_NODE && kind != BRANT__ENTRY_EDGE) continue;
        if (kind == BRANT__ENTRY_EDGE && !module->typed)
            warn(self, i, "",
                 "is ignored: a module without <Name>Node entries has no types, and its edges have "
                 "any attributes");
        for (size_t n = 0; n < module->node_type_count + module->edge_type_count; n++) {
            const bool node = n < module->node_type_count;
            const brant__schema *schema =
                node ? module->node_types[n].schema
                     : module->edge_types[n - module->node_type_count].schema;
            const brant__text name = node ? module->node_types[n].name
                                          : module->edge_types[n - module->node_type_count].name;
            if (node != (kind == BRANT__ENTRY_NODE) || !brant__text_equal(name, type)) continue;
            if (!brant__block_type_accepts(&schema->blocks[schema->entry], &empty))
                warn(self, i, "", "accepts no object: attributes are objects");
        }
    }
}

brant_status brant__module_warnings(brant__writer *out, yyjson_val *document,
                                    const brant__module *module) {
    brant_status status = BRANT_OK;
    warner self = {.out = out};
    brant__compiler_begin(&self.compiler, document);
    self.sites = BRANT__VECTOR_COUNT(self.compiler.sites, brant__site);
    self.used = brant__alloc_zero(self.sites + 1);
    if (!self.used || brant__compiler_failed(&self.compiler)) {
        status = brant__fail_memory();
        goto cleanup;
    }
    mark_used(&self);
    check_types(&self, module);
    for (uint32_t i = 0; i < self.sites; i++) {
        if (is_entry(&self, i)) {
            check_name(&self, i);
            check_use(&self, i);
        }
        BRANT__TRY(check_schema(&self, i));
    }
    if (self.pointer.failed || brant__compiler_failed(&self.compiler))
        status = brant__fail_memory();
cleanup:
    brant__free(self.used);
    brant__buffer_free(&self.pointer);
    brant__compiler_discard(&self.compiler);
    return status;
}
