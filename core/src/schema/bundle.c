/*
 * schema/bundle.c: where the schemas of a bundle stand, and what a $ref means. Nothing outside the bundle is ever looked at.
 *
 * Only places where the vocabulary puts a schema are searched, so an "$id" within a const or an unknown keyword names nothing.
 * A $ref is, in this order: a fragment ("#", "#/pointer", "#anchor") of the resource that it stands in; the bare name of an entry of an enclosing
 * $defs or definitions, innermost first; a URI that resolves to the $id of a resource of the bundle. The last two may have a fragment too.
 */
#include "embedded.h"
#include "schema/compile.h"

static brant__site *site_at(brant__compiler *compiler, uint32_t site) {
    return &BRANT__VECTOR(compiler->sites, brant__site)[site];
}

void brant__compiler_no_memory(brant__compiler *compiler) {
    compiler->no_memory = true;
}

/* ---- pointers ---------------------------------------------------------------------------------------------------- */

void brant__pointer_append(brant__buffer *out, brant__text token) {
    size_t from = 0;
    for (size_t i = 0; i < token.length; i++) {
        if (token.data[i] != '~' && token.data[i] != '/') continue;
        brant__buffer_append(out, token.data + from, i - from);
        brant__buffer_append(out, token.data[i] == '~' ? "~0" : "~1", 2);
        from = i + 1;
    }
    brant__buffer_append(out, token.data + from, token.length - from);
}

static void append_step(brant__buffer *out, int kind, int keyword, uint32_t index,
                        brant__text text) {
    if (kind == BRANT__PLACE_ROOT) return;
    if (kind == BRANT__PLACE_RAW) {
        brant__buffer_append(out, text.data, text.length);
        return;
    }
    brant__buffer_append_byte(out, '/');
    brant__buffer_append(out, brant__keywords[keyword].name.data,
                         brant__keywords[keyword].name.length);
    if (kind == BRANT__PLACE_MEMBER) {
        brant__buffer_append_byte(out, '/');
        brant__pointer_append(out, text);
    } else if (kind == BRANT__PLACE_ITEM) {
        brant__buffer_format(out, "/%u", (unsigned)index);
    }
}

/* Schemas nest no deeper than documents do, so neither does this. */
void brant__place_append(brant__buffer *out, const brant__place *places, const char *text,
                         uint32_t place) {
    const brant__place *step = &places[place];
    if (step->parent != BRANT__NONE) brant__place_append(out, places, text, step->parent);
    append_step(out, step->kind, step->keyword, step->index,
                brant__text_of(text + step->text, step->length));
}

void brant__site_append(brant__compiler *compiler, brant__buffer *out, uint32_t site) {
    const brant__site *step = site_at(compiler, site);
    if (step->parent != BRANT__NONE) brant__site_append(compiler, out, step->parent);
    append_step(out, step->kind, step->keyword, step->index, step->text);
}

/* ---- faults ------------------------------------------------------------------------------------------------------ */

enum { LONGEST_POINTER = 160 }; /* in a message */

void brant__fault(brant__compiler *compiler, uint32_t site, brant__text keyword, brant__text tail,
                  const char *format, ...) {
    if (compiler->fault_count++ >= BRANT__VIOLATIONS) return;
    brant__buffer pointer = {0};
    brant__site_append(compiler, &pointer, site);
    if (keyword.length > 0) {
        brant__buffer_append_byte(&pointer, '/');
        brant__pointer_append(&pointer, keyword);
    }
    brant__buffer_append(&pointer, tail.data, tail.length);
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    const int written = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    size_t length = written < 0 ? 0 : (size_t)written;
    if (length >= sizeof(text)) {
        /* Cut at a code point. */
        length = sizeof(text) - 1;
        while (length > 0 && ((uint8_t)text[length] & 0xC0) == 0x80)
            length--;
    }
    brant__writer *out = &compiler->faults;
    brant__write_object(out);
    brant__write_text_member(out, "instance", brant__text_of(pointer.data, pointer.length));
    brant__write_text_member(out, "schema", BRANT__TEXT(""));
    brant__write_text_member(out, "keyword", keyword);
    brant__write_text_member(out, "message", brant__text_of(text, length));
    brant__write_end(out);
    if (compiler->fault_count == 1) {
        if (pointer.length > 0) {
            /* The whole pointer is in the violation. */
            size_t shown = pointer.length < LONGEST_POINTER ? pointer.length : LONGEST_POINTER;
            while (shown < pointer.length && ((uint8_t)pointer.data[shown] & 0xC0) == 0x80)
                shown--;
            brant__buffer_append(&compiler->message, pointer.data, shown);
            brant__buffer_append(&compiler->message, shown < pointer.length ? "...: " : ": ",
                                 shown < pointer.length ? 5 : 2);
        }
        brant__buffer_append(&compiler->message, text, length);
    }
    if (pointer.failed) brant__compiler_no_memory(compiler);
    brant__buffer_free(&pointer);
}

/* Schemas are told apart by their addresses. */
static brant__text schema_key(yyjson_val *const *schema) {
    return brant__text_of((const char *)schema, sizeof(void *));
}

/* ---- scan -------------------------------------------------------------------------------------------------------- */

typedef struct step {
    uint8_t kind;
    uint8_t keyword;
    uint32_t index;
    brant__text text;
} step;

static void scan(brant__compiler *compiler, yyjson_val *schema, uint32_t parent, step where,
                 unsigned depth);

/* The key of an anchor: the resource's number, then the name. */
static brant__text anchor_key(brant__compiler *compiler, uint32_t resource, brant__text name) {
    brant__buffer_reset(&compiler->scratch);
    brant__buffer_append(&compiler->scratch, &resource, sizeof(resource));
    brant__buffer_append(&compiler->scratch, name.data, name.length);
    return brant__text_of(compiler->scratch.data, compiler->scratch.length);
}

static bool anchor_name(brant__text name) {
    if (name.length == 0) return false;
    for (size_t i = 0; i < name.length; i++) {
        const char c = name.data[i];
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || !((c >= '0' && c <= '9') || c == '-' || c == '.'))) return false;
    }
    return true;
}

static void note_anchor(brant__compiler *compiler, uint32_t site, yyjson_val *value, int keyword) {
    if (!value) return;
    const brant__text name = brant__json_text(value);
    const brant__text keyword_name = brant__keywords[keyword].name;
    if (!anchor_name(name)) {
        brant__fault(compiler, site, keyword_name, BRANT__TEXT(""),
                     "must be a name: a letter or _, then letters, digits, _, - and .");
        return;
    }
    const brant__text key = anchor_key(compiler, site_at(compiler, site)->resource, name);
    int64_t other;
    if (brant__map_get(&compiler->by_anchor, key, &other) && other != (int64_t)site) {
        brant__fault(compiler, site, keyword_name, BRANT__TEXT(""),
                     "the anchor \"%.*s\" is there already", (int)name.length, name.data);
        return;
    }
    if (!brant__map_put(&compiler->by_anchor, key, site)) brant__compiler_no_memory(compiler);
    if (keyword != BRANT__KEYWORD_DYNAMIC_ANCHOR) return;
    int64_t count = 0;
    brant__map_get(&compiler->by_dynamic, name, &count);
    if (!brant__map_put(&compiler->by_dynamic, name, count + 1))
        brant__compiler_no_memory(compiler);
    if (count == 1) brant__dynamic_note(compiler, site, name);
}

uint32_t brant__bundle_dynamic(brant__compiler *compiler, uint32_t resource, brant__text name) {
    int64_t site;
    if (!brant__map_get(&compiler->by_anchor, anchor_key(compiler, resource, name), &site))
        return BRANT__NONE;
    const brant__text dynamic =
        brant__json_get_text(site_at(compiler, (uint32_t)site)->schema, "$dynamicAnchor");
    return brant__text_equal(dynamic, name) ? (uint32_t)site : BRANT__NONE;
}

static void note_plain_name(brant__compiler *compiler, uint32_t site, brant__text name) {
    const brant__text key = anchor_key(compiler, site_at(compiler, site)->resource, name);
    if (!brant__map_put(&compiler->by_anchor, key, site)) brant__compiler_no_memory(compiler);
}

/*
 * An entry whose $id is its name, as TypeBox has them: where two modules that were taken in have an entry of that name, each is found by its
 * name, innermost first.
 */
static bool is_own_name(brant__compiler *compiler, uint32_t site, brant__text id) {
    static const char *const containers[] = {"$defs", "definitions"};
    const uint32_t parent = site_at(compiler, site)->parent;
    for (size_t i = 0; parent != BRANT__NONE && i < BRANT__COUNT(containers); i++) {
        yyjson_val *entries = yyjson_obj_get(site_at(compiler, parent)->schema, containers[i]);
        if (yyjson_obj_getn(entries, id.data, id.length) == site_at(compiler, site)->schema)
            return true;
    }
    return false;
}

/* A schema with an $id of its own begins a resource; draft-07's {"$id": "#name"} is an anchor. */
static void note_id(brant__compiler *compiler, uint32_t site, yyjson_val *value) {
    if (!value) return;
    brant__text id = brant__json_text(value);
    if (!yyjson_is_str(value)) {
        brant__fault(compiler, site, BRANT__TEXT("$id"), BRANT__TEXT(""), "must be a string");
        return;
    }
    if (id.length > 0 && id.data[id.length - 1] == '#') id.length--;
    if (id.length == 0) return;
    if (id.data[0] == '#') {
        note_plain_name(compiler, site, brant__text_of(id.data + 1, id.length - 1));
        return;
    }
    const char *hash = memchr(id.data, '#', id.length);
    brant__text name = {NULL, 0};
    if (hash) {
        if (!site_at(compiler, site)->legacy) {
            brant__fault(compiler, site, BRANT__TEXT("$id"), BRANT__TEXT(""),
                         "must not have a fragment");
            return;
        }
        name = brant__text_of(hash + 1, id.length - (size_t)(hash - id.data) - 1);
        id.length = (size_t)(hash - id.data);
    }
    const brant__text base = site_at(compiler, site_at(compiler, site)->resource)->base;
    brant__buffer_reset(&compiler->scratch);
    brant__uri_resolve(&compiler->scratch, base, id);
    const brant__text absolute = brant__text_of(compiler->scratch.data, compiler->scratch.length);
    int64_t other;
    if (name.data && brant__text_equal(absolute, base)) {
        note_plain_name(compiler, site, name);
        return;
    }
    const bool taken = brant__map_get(&compiler->by_id, absolute, &other);
    if (taken && !is_own_name(compiler, site, id)) {
        brant__fault(compiler, site, BRANT__TEXT("$id"), BRANT__TEXT(""),
                     "another schema of the bundle has this $id");
        return;
    }
    char *copy = brant__arena_copy(&compiler->arena, absolute.data, absolute.length);
    if (!copy || compiler->scratch.failed ||
        (!taken && !brant__map_put(&compiler->by_id, absolute, site))) {
        brant__compiler_no_memory(compiler);
        return;
    }
    brant__site *self = site_at(compiler, site);
    self->resource = site;
    self->base = brant__text_of(copy, absolute.length);
    if (name.data) note_plain_name(compiler, site, name);
}

/* What a $schema says of the schema that has it and of those below. Only up to draft-07 matters. */
static bool legacy_dialect(brant__text dialect, bool inherited) {
    static const char *const legacy[] = {"json-schema.org/draft-07/", "json-schema.org/draft-06/",
                                         "json-schema.org/draft-04/", "json-schema.org/draft-03/"};
    const char *at = dialect.data ? strstr(dialect.data, "://") : NULL;
    if (!dialect.data) return inherited;
    if (!at) return false;
    for (size_t i = 0; i < BRANT__COUNT(legacy); i++) {
        if (strncmp(at + 3, legacy[i], strlen(legacy[i])) == 0) return true;
    }
    return false;
}

static void scan_member(brant__compiler *compiler, uint32_t site, int keyword, yyjson_val *value,
                        unsigned depth) {
    const uint8_t number = (uint8_t)keyword;
    const int shape = brant__keywords[keyword].shape;
    if (shape == BRANT__ONE_SCHEMA || (shape == BRANT__SCHEMA_OR_ARRAY && !yyjson_is_arr(value))) {
        scan(compiler, value, site, (step){BRANT__PLACE_KEYWORD, number, 0, {NULL, 0}}, depth + 1);
    } else if (yyjson_is_arr(value) &&
               (shape == BRANT__SCHEMA_ARRAY || shape == BRANT__SCHEMA_OR_ARRAY)) {
        size_t index, count;
        yyjson_val *item;
        yyjson_arr_foreach(value, index, count, item) {
            scan(compiler, item, site,
                 (step){BRANT__PLACE_ITEM, number, (uint32_t)index, {NULL, 0}}, depth + 1);
        }
    } else if (yyjson_is_obj(value) &&
               (shape == BRANT__SCHEMA_MAP || shape == BRANT__SCHEMA_OR_NAMES)) {
        size_t index, count;
        yyjson_val *key, *item;
        yyjson_obj_foreach(value, index, count, key, item) {
            if (shape == BRANT__SCHEMA_OR_NAMES && yyjson_is_arr(item)) continue;
            scan(compiler, item, site,
                 (step){BRANT__PLACE_MEMBER, number, 0, brant__json_text(key)}, depth + 1);
        }
    }
}

/* Values that are no schemas get a site too: a fault can then say where. */
static void scan(brant__compiler *compiler, yyjson_val *schema, uint32_t parent, step where,
                 unsigned depth) {
    if (compiler->no_memory) return;
    const uint32_t number = BRANT__VECTOR_COUNT(compiler->sites, brant__site);
    brant__site site = {.schema = schema,
                        .parent = parent,
                        .resource = parent,
                        .block = BRANT__NONE,
                        .packed = BRANT__NONE};
    site.kind = where.kind;
    site.keyword = where.keyword;
    site.index = where.index;
    site.text = where.text;
    site.resource = parent == BRANT__NONE ? number : site_at(compiler, parent)->resource;
    if (yyjson_is_obj(schema))
        site.legacy = legacy_dialect(brant__json_get_text(schema, "$schema"),
                                     parent != BRANT__NONE && site_at(compiler, parent)->legacy);
    brant__buffer_append(&compiler->sites, &site, sizeof(site));
    if (compiler->sites.failed ||
        !brant__map_put(&compiler->by_schema, schema_key(&schema), number)) {
        brant__compiler_no_memory(compiler);
        return;
    }
    if (!yyjson_is_obj(schema)) return;
    if (depth > BRANT__JSON_DEPTH) {
        brant__fault(compiler, number, BRANT__TEXT(""), BRANT__TEXT(""),
                     "schemas are nested deeper than %d", BRANT__JSON_DEPTH);
        return;
    }
    if (!(site.legacy && yyjson_obj_get(schema, "$ref")))
        note_id(compiler, number, yyjson_obj_get(schema, "$id"));
    note_anchor(compiler, number, yyjson_obj_get(schema, "$anchor"), BRANT__KEYWORD_ANCHOR);
    note_anchor(compiler, number, yyjson_obj_get(schema, "$dynamicAnchor"),
                BRANT__KEYWORD_DYNAMIC_ANCHOR);
    size_t index, count;
    yyjson_val *key, *value;
    yyjson_obj_foreach(schema, index, count, key, value) {
        const int keyword = brant__keyword_find(brant__json_text(key));
        if (keyword == BRANT__KEYWORD_SCHEMAS && parent != BRANT__NONE) continue;
        if (keyword < BRANT__KEYWORD_COUNT) scan_member(compiler, number, keyword, value, depth);
    }
}

/* The metaschemas are the only documents outside the bundle: they are part of the library. True when the URI is that of one, which is then known. */
static bool load_metaschema(brant__compiler *compiler, brant__text uri) {
    for (size_t i = 0; i < brant__metaschemas_count && i < BRANT__COUNT(compiler->metaschemas);
         i++) {
        const brant__embedded *file = &brant__metaschemas[i];
        brant__json *json = &compiler->metaschemas[i];
        if (json->root) continue;
        if (brant__json_parse(json, file->data, file->size, 0) != BRANT_OK) {
            brant__compiler_no_memory(compiler);
            return false;
        }
        brant__text id = brant__json_get_text(json->root, "$id");
        if (id.length > 0 && id.data[id.length - 1] == '#') id.length--;
        if (brant__text_equal(id, uri)) {
            scan(compiler, json->root, BRANT__NONE,
                 (step){BRANT__PLACE_RAW, 0, 0, brant__json_get_text(json->root, "$id")}, 0);
            return !compiler->no_memory;
        }
        brant__json_free(json);
    }
    return false;
}

void brant__bundle_scan(brant__compiler *compiler) {
    scan(compiler, compiler->bundle, BRANT__NONE, (step){BRANT__PLACE_ROOT, 0, 0, {NULL, 0}}, 0);
    /* At once, since their $dynamicAnchors count; a relative $ref finds them later. */
    const uint32_t count = BRANT__VECTOR_COUNT(compiler->sites, brant__site);
    for (uint32_t site = 0; site < count && !compiler->no_memory; site++) {
        brant__text uri = brant__json_get_text(site_at(compiler, site)->schema, "$ref");
        if (uri.length < 8 || memcmp(uri.data, "http", 4) != 0) continue;
        const char *hash = memchr(uri.data, '#', uri.length);
        if (hash) uri.length = (size_t)(hash - uri.data);
        int64_t known;
        if (!brant__map_get(&compiler->by_id, uri, &known)) load_metaschema(compiler, uri);
    }
}

uint32_t brant__bundle_site(brant__compiler *compiler, yyjson_val *schema) {
    int64_t site;
    if (!brant__map_get(&compiler->by_schema, schema_key(&schema), &site)) return BRANT__NONE;
    return (uint32_t)site;
}

static uint32_t add_below(brant__compiler *compiler, yyjson_val *schema, uint32_t parent,
                          brant__text pointer) {
    const uint32_t number = BRANT__VECTOR_COUNT(compiler->sites, brant__site);
    char *copy = brant__arena_copy(&compiler->arena, pointer.data, pointer.length);
    if (!copy) {
        brant__compiler_no_memory(compiler);
        return BRANT__NONE;
    }
    scan(compiler, schema, parent,
         (step){BRANT__PLACE_RAW, 0, 0, brant__text_of(copy, pointer.length)}, 0);
    return compiler->no_memory ? BRANT__NONE : number;
}

uint32_t brant__bundle_add(brant__compiler *compiler, yyjson_val *schema, brant__text pointer) {
    return add_below(compiler, schema, 0, pointer);
}

/* ---- references -------------------------------------------------------------------------------------------------- */

static uint32_t unresolved(brant__compiler *compiler, brant__text reference, const char *why) {
    brant__buffer_reset(&compiler->scratch);
    brant__buffer_append(&compiler->scratch, "\"", 1);
    brant__buffer_append(&compiler->scratch, reference.data,
                         reference.length < 200 ? reference.length : 200);
    brant__buffer_append(&compiler->scratch, "\" ", 2);
    brant__buffer_append(&compiler->scratch, why, strlen(why));
    return BRANT__NONE;
}

/* One reference token of a pointer, unescaped; false when an escape is bad. */
static bool unescape(brant__buffer *out, brant__text token) {
    for (size_t i = 0; i < token.length; i++) {
        char c = token.data[i];
        if (c == '~') {
            if (i + 1 == token.length || (token.data[i + 1] != '0' && token.data[i + 1] != '1'))
                return false;
            c = token.data[++i] == '0' ? '~' : '/';
        }
        brant__buffer_append_byte(out, c);
    }
    return true;
}

static yyjson_val *child(yyjson_val *value, brant__text token) {
    if (yyjson_is_obj(value)) return yyjson_obj_getn(value, token.data, token.length);
    if (!yyjson_is_arr(value) || token.length == 0 || token.length > 9) return NULL;
    if (token.data[0] == '0' && token.length > 1) return NULL;
    size_t index = 0;
    for (size_t i = 0; i < token.length; i++) {
        if (token.data[i] < '0' || token.data[i] > '9') return NULL;
        index = index * 10 + (size_t)(token.data[i] - '0');
    }
    return yyjson_arr_get(value, index);
}

/* Follow a pointer from a schema. `pointer` begins with "/". */
static uint32_t follow(brant__compiler *compiler, uint32_t root, brant__text pointer,
                       brant__text reference) {
    yyjson_val *value = site_at(compiler, root)->schema;
    uint32_t known = root; /* the last schema on the way, and where the pointer went on from it */
    size_t known_end = 0, at = 0;
    brant__buffer token = {0};
    uint32_t result = BRANT__NONE;
    while (at < pointer.length) {
        const size_t from = ++at;
        while (at < pointer.length && pointer.data[at] != '/')
            at++;
        brant__buffer_reset(&token);
        if (!unescape(&token, brant__text_of(pointer.data + from, at - from))) {
            result = unresolved(compiler, reference, "is not a JSON pointer");
            goto cleanup;
        }
        value = child(value, brant__text_of(token.data, token.length));
        if (!value) {
            result = unresolved(compiler, reference, "refers to nothing");
            goto cleanup;
        }
        const uint32_t site = brant__bundle_site(compiler, value);
        if (site != BRANT__NONE) {
            known = site;
            known_end = at;
        }
    }
    if (known_end == pointer.length) {
        result = known;
        goto cleanup;
    }
    /* A keyword's own value ("#/$defs") is no schema; what an unknown keyword holds may be one. */
    const brant__text rest = brant__text_of(pointer.data + known_end, pointer.length - known_end);
    const bool one_token = memchr(rest.data + 1, '/', rest.length - 1) == NULL;
    if (one_token && brant__keyword_find(brant__text_of(rest.data + 1, rest.length - 1)) !=
                         BRANT__KEYWORD_UNKNOWN) {
        result = unresolved(compiler, reference, "refers to something that is no schema");
        goto cleanup;
    }
    result = add_below(compiler, value, known, rest);
cleanup:
    if (token.failed) brant__compiler_no_memory(compiler);
    brant__buffer_free(&token);
    return result;
}

/* `fragment` is what follows the "#"; pointers begin at `root`, anchors are those of its resource. */
static uint32_t resolve_fragment(brant__compiler *compiler, uint32_t root, brant__text fragment,
                                 brant__text reference) {
    if (fragment.length == 0) return root;
    brant__buffer decoded = {0};
    uint32_t result;
    if (!brant__uri_decode(&decoded, fragment)) {
        result = unresolved(compiler, reference, "has a bad percent escape");
    } else if (decoded.data && decoded.data[0] == '/') {
        result = follow(compiler, root, brant__text_of(decoded.data, decoded.length), reference);
    } else {
        int64_t site;
        const brant__text key = anchor_key(compiler, site_at(compiler, root)->resource,
                                           brant__text_of(decoded.data, decoded.length));
        result =
            brant__map_get(&compiler->by_anchor, key, &site)
                ? (uint32_t)site
                : unresolved(compiler, reference, "refers to nothing: no schema has that $anchor");
    }
    if (decoded.failed) brant__compiler_no_memory(compiler);
    brant__buffer_free(&decoded);
    return result;
}

/* The entry of an enclosing $defs or definitions (or of the document's schemas), innermost first. */
static uint32_t resolve_name(brant__compiler *compiler, uint32_t site, brant__text name) {
    for (; site != BRANT__NONE; site = site_at(compiler, site)->parent) {
        yyjson_val *schema = site_at(compiler, site)->schema;
        static const char *const containers[] = {"$defs", "definitions", "schemas"};
        const size_t count = site_at(compiler, site)->parent == BRANT__NONE ? 3 : 2;
        for (size_t i = 0; i < count; i++) {
            yyjson_val *entries = yyjson_obj_get(schema, containers[i]);
            yyjson_val *entry = yyjson_obj_getn(entries, name.data, name.length);
            if (entry) return brant__bundle_site(compiler, entry);
        }
    }
    return BRANT__NONE;
}

static uint32_t resolve(brant__compiler *compiler, uint32_t site, brant__text reference) {
    const uint32_t resource = site_at(compiler, site)->resource;
    if (reference.length == 0) return resource;
    const char *hash = memchr(reference.data, '#', reference.length);
    if (hash == reference.data) {
        return resolve_fragment(compiler, resource, brant__text_of(hash + 1, reference.length - 1),
                                reference);
    }
    const size_t length = hash ? (size_t)(hash - reference.data) : reference.length;
    const uint32_t entry = resolve_name(compiler, site, brant__text_of(reference.data, length));
    if (entry != BRANT__NONE) {
        if (!hash) return entry;
        return resolve_fragment(compiler, entry,
                                brant__text_of(hash + 1, reference.length - length - 1), reference);
    }
    brant__buffer absolute = {0};
    brant__uri_resolve(&absolute, site_at(compiler, resource)->base,
                       brant__text_of(reference.data, length));
    int64_t target;
    bool found = false;
    if (!absolute.failed) {
        const brant__text uri = brant__text_of(absolute.data, absolute.length);
        found = brant__map_get(&compiler->by_id, uri, &target) ||
                (load_metaschema(compiler, uri) && brant__map_get(&compiler->by_id, uri, &target));
    }
    if (absolute.failed) brant__compiler_no_memory(compiler);
    brant__buffer_free(&absolute);
    if (!found) {
        return unresolved(compiler, reference,
                          "is not within the bundle: refer to an entry of $defs by its name or by "
                          "\"#/$defs/Name\"");
    }
    return hash ? resolve_fragment(compiler, (uint32_t)target,
                                   brant__text_of(hash + 1, reference.length - length - 1),
                                   reference)
                : (uint32_t)target;
}

uint32_t brant__bundle_resolve(brant__compiler *compiler, uint32_t site, brant__text reference,
                               bool dynamic) {
    const uint32_t target = resolve(compiler, site, reference);
    if (!dynamic || target == BRANT__NONE) return target;
    /* With one $dynamicAnchor of the name in the whole bundle there is nothing to choose from. */
    const brant__text name =
        brant__json_get_text(site_at(compiler, target)->schema, "$dynamicAnchor");
    const char *hash = memchr(reference.data, '#', reference.length);
    const size_t from = hash ? (size_t)(hash - reference.data) + 1 : reference.length;
    int64_t count;
    if (!name.data ||
        !brant__text_equal(name, brant__text_of(reference.data + from, reference.length - from)))
        return target;
    if (brant__map_get(&compiler->by_dynamic, name, &count) && count > 1) {
        const uint32_t outermost = brant__dynamic_find(compiler, compiler->environment, name);
        if (outermost != BRANT__NONE) return outermost;
    }
    return target;
}
