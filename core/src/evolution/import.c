/*
 * evolution/import.c: a module closed under the entries that it takes from other modules.
 *
 * `$ref: "other#/$defs/Entry"` names an entry of another module where "other" is nothing of this one's own. The entry, and what it refers to, is
 * copied to `$defs/other/$defs/Entry`, and every reference to it or within it becomes a pointer from the root: so the bundle needs nobody else,
 * recursion stays what it was, and two copies of one module (its own, and one that came along with a third) do not meet. Copies have no
 * $id and no anchors, since nothing refers to them by those any more.
 */
#include "embedded.h"
#include "evolution/evolution.h"
#include "schema/compile.h"

enum { MODULES = 64 };
#define LEGACY  "http://json-schema.org/draft-07/schema#"
#define CURRENT "https://json-schema.org/draft/2020-12/schema"

typedef struct import {
    brant__text name; /* before the "#" */
    brant__text key;  /* of its copy */
    yyjson_val *module;
    brant__compiler compiler;
    uint32_t *tops; /* of each site the entry that it is in; 0: none */
    uint8_t *needed;
    uint32_t sites;
} import;

typedef struct closer {
    yyjson_val *document;
    brant__text container; /* "$defs", "definitions" or "schemas" */
    const brant__import_source *source;
    brant__compiler compiler;
    import *imports;
    size_t count;
    brant__arena arena;
    brant__map rewritten; /* number of a site: 1 + import */
    brant__buffer *out;
} closer;

static brant__site *site_at(const brant__compiler *compiler, uint32_t site) {
    return &BRANT__VECTOR(compiler->sites, brant__site)[site];
}

static brant__text site_key(const uint32_t *site) {
    return brant__text_of((const char *)site, sizeof(*site));
}

/* ---- other modules --------------------------------------------------------------------------- */

static brant_status open_import(import *made, closer *self, brant__text name, yyjson_val *module) {
    *made = (import){.name = name, .module = module};
    brant__compiler_begin(&made->compiler, module);
    made->sites = BRANT__VECTOR_COUNT(made->compiler.sites, brant__site);
    made->tops = brant__arena_alloc(&self->arena, (made->sites + 1) * sizeof(*made->tops));
    made->needed = brant__arena_alloc(&self->arena, made->sites + 1);
    self->count++;
    if (!made->tops || !made->needed || brant__compiler_failed(&made->compiler))
        return brant__fail_memory();
    memset(made->needed, 0, made->sites + 1);
    for (uint32_t i = 0; i < made->sites; i++) {
        const brant__site *site = site_at(&made->compiler, i);
        const bool entry =
            site->parent == 0 && site->kind == BRANT__PLACE_MEMBER &&
            (site->keyword == BRANT__KEYWORD_DEFS || site->keyword == BRANT__KEYWORD_DEFINITIONS ||
             site->keyword == BRANT__KEYWORD_SCHEMAS);
        made->tops[i] = entry                                   ? i
                        : i == 0 || site->parent == BRANT__NONE ? 0
                                                                : made->tops[site->parent];
    }
    return BRANT_OK;
}

/* *out NULL: nobody knows the name. */
static brant_status find_import(import **out, closer *self, brant__text name) {
    yyjson_val *module = NULL;
    *out = NULL;
    for (size_t i = 0; i < self->count; i++) {
        if (!brant__text_equal(self->imports[i].name, name)) continue;
        *out = &self->imports[i];
        return BRANT_OK;
    }
    brant_status status = self->source->find(&module, self->source->context, name);
    if (status != BRANT_OK || !module) return status;
    if (self->count == MODULES)
        return brant__fail(BRANT_LIMIT, "a module imports from at most %d others", MODULES);
    *out = &self->imports[self->count];
    return open_import(*out, self, name, module);
}

/* The site that a reference at a site of the other module means; NONE with the compiler's message. */
static uint32_t resolve(import *other, uint32_t site, brant__text reference) {
    return brant__bundle_resolve(&other->compiler, site, reference, false);
}

static const char *const references[] = {"$ref", "$dynamicRef"};

/* `where`: the pointer of the reference in this module; empty where it stands in another. */
static brant_status fail_reference(brant__text where, brant__text reference, const char *why) {
    char text[160];
    brant__writer detail = {0};
    const int length = reference.length < 120 ? (int)reference.length : 120;
    snprintf(text, sizeof(text), "%s", why);
    brant__write_object(&detail);
    brant__write_name(&detail, "violations");
    brant__write_array(&detail);
    brant__write_object(&detail);
    brant__write_text_member(&detail, "instance", where);
    brant__write_text_member(&detail, "schema", BRANT__TEXT(""));
    brant__write_text_member(&detail, "keyword", BRANT__TEXT("$ref"));
    brant__write_text_member(&detail, "message", brant__text_string(text));
    brant__write_end(&detail);
    brant__write_end(&detail);
    brant__write_end(&detail);
    const brant_status status =
        detail.buffer.failed
            ? brant__fail_memory()
            : brant__fail_detail(
                  BRANT_VALIDATION, brant__text_of(detail.buffer.data, detail.buffer.length),
                  "%.*s%s\"%.*s\" %s", (int)(where.length < 200 ? where.length : 200), where.data,
                  where.length > 0 ? ": " : "", length, reference.data, text);
    brant__buffer_free(&detail.buffer);
    return status;
}

/* Mark the entry of a target as needed; *out_new when it was not. */
static brant_status need(import *other, uint32_t target, brant__text where, brant__text reference,
                         bool *out_new) {
    if (target == BRANT__NONE)
        return fail_reference(where, reference,
                              "refers to nothing in the module that it is taken from");
    const uint32_t top = other->tops[target];
    if (top == 0)
        return fail_reference(where, reference,
                              "refers to a module as a whole: only its entries can be taken");
    if (other->needed[top]) return BRANT_OK;
    other->needed[top] = 1;
    *out_new = true;
    return BRANT_OK;
}

/* What the needed entries refer to is needed. */
static brant_status close_import(import *other) {
    brant_status status = BRANT_OK;
    bool more = true;
    while (more) {
        more = false;
        for (uint32_t i = 0; i < other->sites; i++) {
            if (!other->needed[other->tops[i]] || other->tops[i] == 0) continue;
            for (size_t r = 0; r < BRANT__COUNT(references); r++) {
                const brant__text reference =
                    brant__json_get_text(site_at(&other->compiler, i)->schema, references[r]);
                if (!reference.data) continue;
                BRANT__TRY(
                    need(other, resolve(other, i, reference), BRANT__TEXT(""), reference, &more));
            }
        }
    }
cleanup:
    return status;
}

/* ---- references of this module ---------------------------------------------------------------- */

static brant_status find_references(closer *self) {
    const uint32_t sites = BRANT__VECTOR_COUNT(self->compiler.sites, brant__site);
    brant__buffer where = {0};
    brant_status status = BRANT_OK;
    bool more;
    for (uint32_t i = 0; i < sites; i++) {
        const brant__text reference =
            brant__json_get_text(site_at(&self->compiler, i)->schema, "$ref");
        const char *hash = reference.data ? memchr(reference.data, '#', reference.length) : NULL;
        import *other;
        if (!hash || hash == reference.data) continue;
        if (brant__bundle_resolve(&self->compiler, i, reference, false) != BRANT__NONE) continue;
        const size_t length = (size_t)(hash - reference.data);
        BRANT__TRY(find_import(&other, self, brant__text_of(reference.data, length)));
        if (!other) continue; /* compiling will say so */
        const uint32_t target = resolve(other, 0, brant__text_of(hash, reference.length - length));
        brant__buffer_reset(&where);
        brant__site_append(&self->compiler, &where, i);
        brant__buffer_append(&where, "/$ref", 5);
        if (where.failed) {
            status = brant__fail_memory();
            goto cleanup;
        }
        BRANT__TRY(need(other, target, brant__text_of(where.data, where.length), reference, &more));
        if (!brant__map_put(&self->rewritten, site_key(&i), 1 + (other - self->imports))) {
            status = brant__fail_memory();
            goto cleanup;
        }
    }
    for (size_t i = 0; i < self->count; i++)
        BRANT__TRY(close_import(&self->imports[i]));
    if (brant__compiler_failed(&self->compiler)) status = brant__fail_memory();
cleanup:
    brant__buffer_free(&where);
    return status;
}

/* A key that no entry has and that is not taken for a type. */
static brant_status choose_key(closer *self, import *other) {
    static const char *const endings[] = {"Node", "Edge", "EdgeConstraints", "Config"};
    yyjson_val *entries =
        yyjson_obj_getn(self->document, self->container.data, self->container.length);
    brant__buffer key = {0};
    brant_status status = BRANT_OK;
    bool taken = false;
    brant__buffer_append(&key, other->name.data, other->name.length);
    for (size_t i = 0; i < BRANT__COUNT(endings); i++) {
        const size_t length = strlen(endings[i]);
        taken = taken || (key.length >= length &&
                          memcmp(key.data + key.length - length, endings[i], length) == 0);
    }
    for (;;) {
        taken = taken || yyjson_obj_getn(entries, key.data, key.length);
        for (import *one = self->imports; one < other; one++)
            taken = taken || brant__text_equal(one->key, brant__text_of(key.data, key.length));
        if (!taken || key.failed) break;
        brant__buffer_append_byte(&key, '_');
        taken = false;
    }
    other->key = brant__text_of(
        key.failed ? NULL : brant__arena_copy(&self->arena, key.data, key.length), key.length);
    if (!other->key.data) status = brant__fail_memory();
    brant__buffer_free(&key);
    return status;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* The JSON string of a reference to a site of another module, at its copy. */
static void write_reference(closer *self, import *other, uint32_t target) {
    brant__buffer pointer = {0}, text = {0};
    static const char from[] = "/schemas/";
    size_t skip = 0;
    if (target == BRANT__NONE) { /* it was there before: memory is missing */
        self->out->failed = true;
        return;
    }
    brant__site_append(&other->compiler, &pointer, target);
    brant__buffer_append(&text, "#/", 2);
    brant__buffer_append(&text, self->container.data, self->container.length);
    brant__buffer_append_byte(&text, '/');
    brant__pointer_append(&text, other->key);
    if (pointer.length >= sizeof(from) - 1 && memcmp(pointer.data, from, sizeof(from) - 1) == 0) {
        brant__buffer_append(&text, "/$defs/", 7);
        skip = sizeof(from) - 1;
    }
    for (size_t i = skip; i < pointer.length; i++)
        brant__buffer_append_byte(&text, pointer.data[i]);
    /* It is a URI's fragment. */
    brant__buffer_reset(&pointer);
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] == '%')
            brant__buffer_append(&pointer, "%25", 3);
        else
            brant__buffer_append_byte(&pointer, text.data[i]);
    }
    brant__json_append_text(self->out, brant__text_of(pointer.data, pointer.length));
    if (pointer.failed || text.failed) self->out->failed = true;
    brant__buffer_free(&pointer);
    brant__buffer_free(&text);
}

static void write_imports(closer *self, bool first);

/* A value of this module (`other` NULL) or of another, with its references rewritten. Documents nest no deeper than the parser lets them. */
static void write(closer *self, import *other, yyjson_val *value) {
    brant__compiler *compiler = other ? &other->compiler : &self->compiler;
    brant__buffer *out = self->out;
    size_t index, count;
    yyjson_val *key, *item;
    if (yyjson_is_arr(value)) {
        brant__buffer_append_byte(out, '[');
        yyjson_arr_foreach(value, index, count, item) {
            if (index > 0) brant__buffer_append_byte(out, ',');
            write(self, other, item);
        }
        brant__buffer_append_byte(out, ']');
        return;
    }
    if (!yyjson_is_obj(value)) {
        brant__json_append(out, value);
        return;
    }
    uint32_t site = brant__bundle_site(compiler, value);
    bool first = true;
    brant__buffer_append_byte(out, '{');
    yyjson_obj_foreach(value, index, count, key, item) {
        const brant__text name = brant__json_text(key);
        const bool reference = brant__text_equal(name, BRANT__TEXT("$ref")) ||
                               (other && brant__text_equal(name, BRANT__TEXT("$dynamicRef")));
        int64_t from = 0;
        if (other && site != BRANT__NONE &&
            (brant__text_equal(name, BRANT__TEXT("$id")) ||
             brant__text_equal(name, BRANT__TEXT("$anchor")) ||
             brant__text_equal(name, BRANT__TEXT("$dynamicAnchor"))))
            continue;
        if (!first) brant__buffer_append_byte(out, ',');
        first = false;
        if (reference && other && site != BRANT__NONE && yyjson_is_str(item)) {
            /* Where both are, a $dynamicRef that is a pointer is a second $ref. */
            if (brant__text_equal(name, BRANT__TEXT("$ref")) || !yyjson_obj_get(value, "$ref"))
                brant__buffer_append(out, "\"$ref\":", 7);
            else
                brant__buffer_append(out, "\"$dynamicRef\":", 14);
            write_reference(self, other, resolve(other, site, brant__json_text(item)));
            continue;
        }
        brant__json_append_text(out, name);
        brant__buffer_append_byte(out, ':');
        if (reference && !other && site != BRANT__NONE &&
            brant__map_get(&self->rewritten, site_key(&site), &from)) {
            import *target = &self->imports[from - 1];
            const brant__text text = brant__json_text(item);
            const char *hash = memchr(text.data, '#', text.length);
            write_reference(
                self, target,
                resolve(target, 0, brant__text_of(hash, text.length - (size_t)(hash - text.data))));
        } else if (!other && value == self->document && brant__text_equal(name, self->container) &&
                   yyjson_is_obj(item)) {
            size_t at, entries;
            yyjson_val *entry, *schema;
            brant__buffer_append_byte(out, '{');
            yyjson_obj_foreach(item, at, entries, entry, schema) {
                if (at > 0) brant__buffer_append_byte(out, ',');
                brant__json_append_text(out, brant__json_text(entry));
                brant__buffer_append_byte(out, ':');
                write(self, other, schema);
            }
            write_imports(self, yyjson_obj_size(item) == 0);
            brant__buffer_append_byte(out, '}');
        } else {
            write(self, other, item);
        }
    }
    brant__buffer_append_byte(out, '}');
}

/* The copies, as members. */
static void write_imports(closer *self, bool first) {
    brant__buffer *out = self->out;
    static const struct {
        int keyword, other;
        const char *name;
    } groups[] = {{BRANT__KEYWORD_DEFS, BRANT__KEYWORD_SCHEMAS, "$defs"},
                  {BRANT__KEYWORD_DEFINITIONS, BRANT__KEYWORD_DEFINITIONS, "definitions"}};
    for (size_t i = 0; i < self->count; i++) {
        import *other = &self->imports[i];
        bool begun = false;
        if (!first) brant__buffer_append_byte(out, ',');
        first = false;
        brant__json_append_text(out, other->key);
        brant__buffer_append(out, ":{", 2);
        /* What stands beside a $ref counts in one dialect and not in the other. */
        if (site_at(&other->compiler, 0)->legacy != site_at(&self->compiler, 0)->legacy) {
            brant__buffer_format(out, "\"$schema\":\"%s\"",
                                 site_at(&other->compiler, 0)->legacy ? LEGACY : CURRENT);
            begun = true;
        }
        for (size_t g = 0; g < BRANT__COUNT(groups); g++) {
            bool empty = true;
            for (uint32_t at = 0; at < other->sites; at++) {
                const brant__site *site = site_at(&other->compiler, at);
                if (other->tops[at] != at || !other->needed[at]) continue;
                if (site->keyword != groups[g].keyword && site->keyword != groups[g].other)
                    continue;
                if (empty) {
                    if (begun) brant__buffer_append_byte(out, ',');
                    brant__buffer_format(out, "\"%s\":{", groups[g].name);
                } else {
                    brant__buffer_append_byte(out, ',');
                }
                begun = true;
                empty = false;
                brant__json_append_text(out, site->text);
                brant__buffer_append_byte(out, ':');
                write(self, other, site->schema);
            }
            if (!empty) brant__buffer_append_byte(out, '}');
        }
        brant__buffer_append_byte(out, '}');
    }
}

brant_status brant__module_close(brant__buffer *out, yyjson_val *module,
                                 const brant__import_source *source) {
    static const char *const containers[] = {"$defs", "definitions", "schemas"};
    brant_status status = BRANT_OK;
    closer self = {.document = module, .source = source, .out = out};
    for (size_t i = 0; i < BRANT__COUNT(containers) && !self.container.data; i++)
        if (yyjson_is_obj(yyjson_obj_get(module, containers[i])))
            self.container = brant__text_string(containers[i]);
    if (!self.container.data) return BRANT_OK; /* no entries: nothing is taken */
    self.imports = brant__alloc_zero(MODULES * sizeof(*self.imports));
    if (!self.imports) return brant__fail_memory();
    brant__compiler_begin(&self.compiler, module);
    if (brant__compiler_failed(&self.compiler)) {
        status = brant__fail_memory();
        goto cleanup;
    }
    BRANT__TRY(find_references(&self));
    if (self.count == 0) goto cleanup;
    for (size_t i = 0; i < self.count; i++)
        BRANT__TRY(choose_key(&self, &self.imports[i]));
    write(&self, NULL, module);
    for (size_t i = 0; i < self.count; i++)
        out->failed = out->failed || brant__compiler_failed(&self.imports[i].compiler);
    if (out->failed) status = brant__fail_memory();
cleanup:
    for (size_t i = 0; i < self.count; i++)
        brant__compiler_discard(&self.imports[i].compiler);
    brant__compiler_discard(&self.compiler);
    brant__map_free(&self.rewritten);
    brant__arena_free(&self.arena);
    brant__free(self.imports);
    return status;
}

/* ---- built-in modules ------------------------------------------------------------------------ */

brant_status brant__builtins_find(yyjson_val **out_module, void *context, brant__text name) {
    brant__builtins *self = context;
    *out_module = NULL;
    for (size_t i = 0; i < brant__modules_count && i < BRANT__COUNT(self->parsed); i++) {
        const brant__embedded *builtin = &brant__modules[i];
        if (!brant__text_equal(brant__text_string(builtin->name), name)) continue;
        if (!self->parsed[i].root) {
            const brant_status status =
                brant__json_parse(&self->parsed[i], builtin->data, builtin->size, 0);
            if (status != BRANT_OK) return status;
        }
        *out_module = self->parsed[i].root;
        return BRANT_OK;
    }
    return BRANT_OK;
}

void brant__builtins_free(brant__builtins *builtins) {
    for (size_t i = 0; i < BRANT__COUNT(builtins->parsed); i++)
        brant__json_free(&builtins->parsed[i]);
}
