/*
 * mcp/memory_read.c: reading the memory: all of it, what a search finds, entities by name; within the budget.
 *
 * Answers that fit have everything in the order in which it was told, as the reference's. Of those that do not, entities come first, the best ones of a search, then relations
 * of these, and the answer says how many there are.
 */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <wctype.h>

#include "mcp/memory.h"

#define PAGE 2000

/* An entity or a relation that may be shown. */
typedef struct found {
    yyjson_mut_val *value; /* as it is shown, in the answer's document */
    const char *name;      /* of an entity; of a relation its key */
    double position;
    int rank; /* of a search: 0 is best */
} found;

typedef struct reading {
    mcp_server *server;
    mcp_answer *answer;
    found *entities, *relations;
    size_t entity_count, entity_capacity, relation_count, relation_capacity;
    bool more_relations; /* some were not read */
    brant_status status;
} reading;

static void reading_begin(reading *self, mcp_answer *answer, mcp_server *server) {
    *self = (reading){.server = server, .answer = answer};
    answer->doc = mcp_doc();
}

static found *grow(found **list, size_t *count, size_t *capacity) {
    if (*count == *capacity) {
        *capacity = *capacity ? *capacity * 2 : 64;
        *list = mcp_grow(*list, *capacity, sizeof **list);
    }
    return &(*list)[(*count)++];
}

static void add_entity(reading *self, yyjson_val *node, int rank) {
    yyjson_mut_doc *doc = self->answer->doc;
    yyjson_val *attributes = yyjson_obj_get(node, "attributes");
    yyjson_val *observations = yyjson_obj_get(attributes, "observations");
    found *one = grow(&self->entities, &self->entity_count, &self->entity_capacity);

    *one = (found){.value = yyjson_mut_obj(doc), .rank = rank};
    yyjson_mut_val *name = yyjson_val_mut_copy(doc, yyjson_obj_get(node, "key"));
    one->name = yyjson_mut_get_str(name);
    one->position = yyjson_get_num(yyjson_obj_get(attributes, "position"));
    yyjson_mut_obj_add_val(doc, one->value, "name", name);
    yyjson_mut_obj_add_val(doc, one->value, "entityType",
                           yyjson_val_mut_copy(doc, yyjson_obj_get(attributes, "entityType")));
    yyjson_mut_obj_add_val(doc, one->value, "observations",
                           observations ? yyjson_val_mut_copy(doc, observations)
                                        : yyjson_mut_arr(doc));
}

static void add_relation(reading *self, yyjson_val *edge) {
    yyjson_mut_doc *doc = self->answer->doc;
    yyjson_val *attributes = yyjson_obj_get(edge, "attributes");
    found *one = grow(&self->relations, &self->relation_count, &self->relation_capacity);

    *one = (found){.value = yyjson_mut_obj(doc)};
    yyjson_mut_val *key = yyjson_val_mut_copy(doc, yyjson_obj_get(edge, "key"));
    one->name = yyjson_mut_get_str(key);
    one->position = yyjson_get_num(yyjson_obj_get(attributes, "position"));
    yyjson_mut_obj_add_val(doc, one->value, "from",
                           yyjson_val_mut_copy(doc, yyjson_obj_get(edge, "source")));
    yyjson_mut_obj_add_val(doc, one->value, "to",
                           yyjson_val_mut_copy(doc, yyjson_obj_get(edge, "target")));
    yyjson_mut_obj_add_val(doc, one->value, "relationType",
                           yyjson_val_mut_copy(doc, yyjson_obj_get(attributes, "relationType")));
}

/* ---- lists --------------------------------------------------------------------------------------- */

/* Each item of all pages of a list, until `each` says false. The input is given up. */
static void each_item(reading *self, const char *operation, yyjson_mut_doc *input, int limit,
                      bool (*each)(reading *, yyjson_val *, void *), void *context) {
    yyjson_mut_val *root = yyjson_mut_doc_get_root(input);
    bool on = true;

    yyjson_mut_obj_add_int(input, root, "limit", limit);
    while (on && self->status == BRANT_OK) {
        yyjson_doc *page = NULL;
        yyjson_val *item, *cursor;
        size_t at, count;
        if (atomic_load(&self->server->cancelled)) self->status = BRANT_INTERRUPTED;
        if (self->status == BRANT_OK)
            self->status = mcp_ask(&page, self->server->agent.session, operation, input);
        if (self->status != BRANT_OK) break;
        yyjson_arr_foreach(yyjson_obj_get(yyjson_doc_get_root(page), "items"), at, count, item) {
            on = each(self, item, context) && self->status == BRANT_OK;
            if (!on) break;
        }
        cursor = yyjson_obj_get(yyjson_doc_get_root(page), "cursor");
        on = on && yyjson_is_str(cursor);
        if (on) {
            yyjson_mut_obj_remove_key(root, "cursor");
            yyjson_mut_obj_add_val(input, root, "cursor", yyjson_val_mut_copy(input, cursor));
        }
        yyjson_doc_free(page);
    }
    yyjson_mut_doc_free(input);
}

static yyjson_mut_doc *ordered(const mcp_server *server) {
    yyjson_mut_doc *input = mcp_memory_input(server);

    yyjson_mut_obj_add_str(input, yyjson_mut_doc_get_root(input), "order_by",
                           "attributes.position");
    return input;
}

/* How many tokens are left for a list that is read to be shown from its beginning. */
static bool take_entity(reading *self, yyjson_val *node, void *context) {
    size_t *left = context;

    if (!yyjson_ptr_get(node, "/attributes/entityType")) return true;
    add_entity(self, node, 0);
    if (self->status != BRANT_OK) return false;
    const size_t tokens = mcp_document_tokens(self->entities[self->entity_count - 1].value) + 1;
    if (tokens > *left) return false; /* the one that is too much stays, so that it is seen */
    *left -= tokens;
    return true;
}

static bool take_relation(reading *self, yyjson_val *edge, void *context) {
    size_t *left = context;

    add_relation(self, edge);
    if (self->status != BRANT_OK) return false;
    const size_t tokens = mcp_document_tokens(self->relations[self->relation_count - 1].value) + 1;
    if (tokens > *left) return false;
    *left -= tokens;
    return true;
}

/* Relations from or to the shown entities, each once. */
static void relations_of(reading *self, size_t shown) {
    static const char *const ends[] = {"source", "target"};
    size_t left = self->server->options.max_tokens;

    for (size_t i = 0; i < shown && self->status == BRANT_OK; i++) {
        for (int end = 0; end < 2; end++) {
            yyjson_mut_doc *input = mcp_memory_input(self->server);
            const size_t before = self->relation_count;
            yyjson_mut_obj_add_strcpy(input, yyjson_mut_doc_get_root(input), ends[end],
                                      self->entities[i].name);
            each_item(self, "edges.list", input, PAGE, take_relation, &left);
            if (self->relation_count > before && left < 64) {
                self->more_relations = true;
                return;
            }
        }
    }
}

/* ---- answers ------------------------------------------------------------------------------------- */

static int by_position(const void *a, const void *b) {
    const found *left = a, *right = b;

    if (left->position != right->position) return left->position < right->position ? -1 : 1;
    return strcmp(left->name, right->name);
}

static int by_rank(const void *a, const void *b) {
    const found *left = a, *right = b;

    if (left->rank != right->rank) return left->rank < right->rank ? -1 : 1;
    return by_position(a, b);
}

static void sort(found *list, size_t count, int (*order)(const void *, const void *)) {
    if (count > 1) qsort(list, count, sizeof *list, order);
}

static void drop_twins(reading *self) {
    size_t kept = 0;

    sort(self->relations, self->relation_count, by_position);
    for (size_t i = 0; i < self->relation_count; i++)
        if (kept == 0 || strcmp(self->relations[kept - 1].name, self->relations[i].name) != 0)
            self->relations[kept++] = self->relations[i];
    self->relation_count = kept;
}

/* How many of them fit. *io_left: tokens. */
static size_t fit(const found *list, size_t count, size_t *io_left) {
    for (size_t i = 0; i < count; i++) {
        const size_t tokens = mcp_document_tokens(list[i].value) + 1;
        if (tokens > *io_left) return i;
        *io_left -= tokens;
    }
    return count;
}

static int64_t count_of(reading *self, const char *operation, bool entities) {
    yyjson_mut_doc *input = mcp_memory_input(self->server);
    yyjson_doc *read = NULL;
    int64_t count = -1;

    if (entities) {
        yyjson_mut_val *filter =
            yyjson_mut_obj_add_obj(input, yyjson_mut_doc_get_root(input), "filter");
        yyjson_mut_val *there = yyjson_mut_obj_add_obj(input, filter, "attributes.entityType");
        yyjson_mut_obj_add_bool(input, there, "$exists", true);
    }
    if (mcp_memory_ask(&read, self->server, operation, input) == BRANT_OK)
        count = yyjson_get_sint(yyjson_obj_get(yyjson_doc_get_root(read), "count"));
    yyjson_doc_free(read);
    return count;
}

/*
 * The answer of what was found, entities in their order, the first `shown` of them. `all_entities`, `all_relations`: how many there are, -1 as many as were
 * found.
 */
static void finish(reading *self, size_t shown, int64_t all_entities, int64_t all_relations) {
    mcp_answer *answer = self->answer;
    yyjson_mut_doc *doc = answer->doc;
    yyjson_mut_val *root, *entities, *relations;
    size_t left = self->server->options.max_tokens - 32, shown_relations;
    char text[320];

    if (self->status != BRANT_OK) {
        mcp_answer_error(answer);
        goto cleanup;
    }
    root = yyjson_mut_doc_get_root(doc);
    entities = yyjson_mut_obj_add_arr(doc, root, "entities");
    relations = yyjson_mut_obj_add_arr(doc, root, "relations");
    fit(self->entities, shown, &left);
    shown_relations = fit(self->relations, self->relation_count, &left);
    sort(self->entities, shown, by_position);
    for (size_t i = 0; i < shown; i++)
        yyjson_mut_arr_append(entities, self->entities[i].value);
    for (size_t i = 0; i < shown_relations; i++)
        yyjson_mut_arr_append(relations, self->relations[i].value);
    if (all_entities < 0) all_entities = (int64_t)self->entity_count;
    const bool cut_entities = (int64_t)shown < all_entities;
    const bool cut_relations = self->more_relations || shown_relations < self->relation_count ||
                               (all_relations >= 0 && (int64_t)shown_relations < all_relations);
    if (cut_entities || cut_relations) {
        snprintf(text, sizeof text,
                 "Cut to %zu tokens: %zu of %lld entities, %zu%s relations. search_nodes with "
                 "fewer hits, or open_nodes with names, show the rest.",
                 self->server->options.max_tokens, shown, (long long)all_entities, shown_relations,
                 cut_relations ? " of more" : "");
        answer->notice = mcp_copy(text, strlen(text));
    }
    /* One entity that alone is too long. */
    if (!mcp_shorten(answer, self->server->options.max_tokens, NULL))
        mcp_answer_fail(answer, "LIMIT: the answer does not fit %zu tokens",
                        self->server->options.max_tokens);
cleanup:
    free(self->entities);
    free(self->relations);
}

void mcp_memory_read(mcp_answer *answer, mcp_server *server) {
    size_t left = server->options.max_tokens - 32, shown;
    int64_t entities, relations;
    reading self;

    reading_begin(&self, answer, server);
    entities = count_of(&self, "nodes.count", true);
    relations = count_of(&self, "edges.count", false);
    /* Where not all fits, a quarter is for relations. */
    each_item(&self, "nodes.list", ordered(server), PAGE, take_entity, &left);
    if (self.status == BRANT_OK) {
        if ((int64_t)self.entity_count < entities || left == 0) {
            left = server->options.max_tokens * 3 / 4;
            shown = fit(self.entities, self.entity_count, &left);
            if (shown == 0 && self.entity_count > 0) shown = 1;
        } else {
            shown = self.entity_count;
        }
        left = server->options.max_tokens;
        each_item(&self, "edges.list", ordered(server), PAGE, take_relation, &left);
    } else {
        shown = 0;
    }
    finish(&self, shown, entities, relations);
}

/* Entities are there, in the order in which they are wanted. */
static void show(reading *self) {
    size_t left = self->server->options.max_tokens - 32, shown;

    shown = self->status == BRANT_OK ? fit(self->entities, self->entity_count, &left) : 0;
    if (shown < self->entity_count) {
        left = self->server->options.max_tokens * 3 / 4;
        shown = fit(self->entities, self->entity_count, &left);
        if (shown == 0 && self->status == BRANT_OK && self->entity_count > 0) shown = 1;
    }
    relations_of(self, shown);
    drop_twins(self);
    finish(self, shown, -1, -1);
}

void mcp_memory_open_nodes(mcp_answer *answer, mcp_server *server, yyjson_val *names) {
    yyjson_mut_doc *input;
    yyjson_mut_val *keys;
    yyjson_doc *read = NULL;
    yyjson_val *name, *node;
    size_t at, count;
    reading self;

    reading_begin(&self, answer, server);
    input = mcp_memory_input(server);
    keys = yyjson_mut_obj_add_arr(input, yyjson_mut_doc_get_root(input), "keys");
    yyjson_arr_foreach(names, at, count, name) {
        if (mcp_is_name(name)) yyjson_mut_arr_append(keys, yyjson_val_mut_copy(input, name));
    }
    if (yyjson_mut_arr_size(keys) > 0)
        self.status = mcp_memory_ask(&read, server, "nodes.get_many", input);
    else
        yyjson_mut_doc_free(input);
    yyjson_arr_foreach(yyjson_obj_get(yyjson_doc_get_root(read), "items"), at, count, node) {
        bool again = false;
        if (!yyjson_ptr_get(node, "/attributes/entityType")) continue;
        for (size_t i = 0; i < self.entity_count && !again; i++)
            again = yyjson_equals_str(yyjson_obj_get(node, "key"), self.entities[i].name);
        if (!again) add_entity(&self, node, 0);
    }
    yyjson_doc_free(read);
    sort(self.entities, self.entity_count, by_position);
    show(&self);
}

/* ---- searching ----------------------------------------------------------------------------------- */

typedef struct search {
    mcp_buffer query, text; /* in lower case */
    locale_t locale;
} search;

/* UTF-8 in lower case, code point by code point; out->data is NUL-terminated. */
static void lower(mcp_buffer *out, locale_t locale, const char *text, size_t length) {
    out->length = 0;
    mcp_append(out, "", 0);
    for (size_t i = 0; i < length;) {
        const unsigned char byte = (unsigned char)text[i];
        const size_t size = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
        if (i + size > length) break;
        uint32_t point = size == 1 ? byte : byte & (0xffu >> (size + 1));
        for (size_t k = 1; k < size; k++)
            point = point << 6 | ((unsigned char)text[i + k] & 0x3f);
        i += size;
        if (point < 0x80) {
            const char plain = (char)(point >= 'A' && point <= 'Z' ? point + 32 : point);
            mcp_append(out, &plain, 1);
            continue;
        }
        if (locale) point = (uint32_t)towlower_l((wint_t)point, locale);
        char bytes[4];
        size_t used;
        if (point < 0x80) {
            bytes[0] = (char)point;
            used = 1;
        } else if (point < 0x800) {
            bytes[0] = (char)(0xc0 | point >> 6);
            used = 2;
        } else if (point < 0x10000) {
            bytes[0] = (char)(0xe0 | point >> 12);
            used = 3;
        } else {
            bytes[0] = (char)(0xf0 | point >> 18);
            used = 4;
        }
        for (size_t k = 1; k < used; k++)
            bytes[k] = (char)(0x80 | ((point >> (6 * (used - 1 - k))) & 0x3f));
        mcp_append(out, bytes, used);
    }
}

static bool has(search *self, yyjson_val *value) {
    if (!yyjson_is_str(value)) return false;
    lower(&self->text, self->locale, yyjson_get_str(value), yyjson_get_len(value));
    return memmem(self->text.data, self->text.length, self->query.data, self->query.length);
}

/* The name itself, a part of it, of the type, of an observation. */
static bool match(reading *self, yyjson_val *node, void *context) {
    search *wanted = context;
    yyjson_val *attributes = yyjson_obj_get(node, "attributes"), *text;
    yyjson_val *type = yyjson_obj_get(attributes, "entityType");
    size_t at, count;

    if (!type) return true;
    if (has(wanted, yyjson_obj_get(node, "key"))) {
        add_entity(self, node, wanted->text.length == wanted->query.length ? 0 : 1);
        return true;
    }
    if (has(wanted, type)) {
        add_entity(self, node, 2);
        return true;
    }
    yyjson_arr_foreach(yyjson_obj_get(attributes, "observations"), at, count, text) {
        if (!has(wanted, text)) continue;
        add_entity(self, node, 3);
        break;
    }
    return true;
}

static bool take_hit(reading *self, yyjson_val *item, void *context) {
    int *rank = context;
    yyjson_val *node = yyjson_obj_get(item, "node");

    if (yyjson_ptr_get(node, "/attributes/entityType")) add_entity(self, node, (*rank)++);
    return *rank < 50;
}

/* Where the words do not stand together anywhere: all of them, then any of them, in the index of texts, best first. */
static void search_words(reading *self, const char *query, bool any) {
    yyjson_mut_doc *input = mcp_memory_input(self->server);
    mcp_buffer words = {0};
    int rank = 0;

    while (*query) {
        size_t length = 0;
        while (query[length] && ((unsigned char)query[length] >= 0x80 ||
                                 (query[length] >= '0' && query[length] <= '9') ||
                                 ((query[length] | 32) >= 'a' && (query[length] | 32) <= 'z')))
            length++;
        if (length > 0) {
            if (words.length > 0) mcp_append_text(&words, any ? " OR " : " ");
            mcp_append_text(&words, "\"");
            mcp_append(&words, query, length);
            mcp_append_text(&words, "\"");
        }
        query += length + (query[length] ? 1 : 0);
    }
    if (words.length > 0) {
        yyjson_mut_obj_add_strncpy(input, yyjson_mut_doc_get_root(input), "query", words.data,
                                   words.length);
        each_item(self, "nodes.search", input, 50, take_hit, &rank);
        /* Without the index there are no words. */
        if (self->status == BRANT_CONSTRAINT || self->status == BRANT_INVALID)
            self->status = BRANT_OK;
    } else {
        yyjson_mut_doc_free(input);
    }
    mcp_buffer_free(&words);
}

void mcp_memory_search(mcp_answer *answer, mcp_server *server, const char *query) {
    search wanted = {.locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0)};
    reading self;

    reading_begin(&self, answer, server);
    lower(&wanted.query, wanted.locale, query, strlen(query));
    each_item(&self, "nodes.list", mcp_memory_input(server), PAGE, match, &wanted);
    if (self.status == BRANT_OK && self.entity_count == 0) search_words(&self, query, false);
    if (self.status == BRANT_OK && self.entity_count == 0) search_words(&self, query, true);
    sort(self.entities, self.entity_count, by_rank);
    show(&self);
    mcp_buffer_free(&wanted.query);
    mcp_buffer_free(&wanted.text);
    if (wanted.locale) freelocale(wanted.locale);
}
