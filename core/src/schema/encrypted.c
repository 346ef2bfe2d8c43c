/*
 * schema/encrypted.c: which attributes of a type are encrypted.
 *
 * What is encrypted is found again by its JSON pointer alone, in every node and edge of the type. So "x-encrypted" may be reached from a type's
 * schema by properties, $ref and allOf only: below an array places shift, and of a union or a condition nobody knows which branch holds. And what is
 * stored there is an envelope, so no other schema of the type may judge the value: each that describes the attribute is encrypted too, or says nothing.
 *
 * The walk goes from the attributes inwards. At each place stand the blocks that certainly apply to the value there (firm: by $ref and allOf) and
 * those that may (loose: by all else). Only places that lead to something encrypted are visited.
 */
#include <stdlib.h>

#include "schema/program.h"

enum { MOST = 1000, DEEPEST = 32 };
#define STEPS (UINT64_C(1) << 22)

typedef struct finder {
    const brant__schema *schema;
    brant__arena *arena;
    brant__encrypted_fault fault;
    void *context;
    uint8_t *leads;       /* blocks from which something encrypted is reached, in whatever way */
    uint8_t *told;        /* blocks with a fault */
    uint8_t *open;        /* firm blocks of the places above */
    uint32_t *seen;       /* the place that a block was last added to */
    uint32_t place;       /* counts the places */
    brant__buffer blocks; /* a stack of uint32_t: the blocks of the places above, and of this one */
    brant__buffer pointer;
    brant__buffer scratch;
    brant__text names[DEEPEST];
    brant__buffer found; /* brant__encrypted */
    uint64_t steps;
    bool failed;
} finder;

static uint32_t *words_of(const brant__buffer *buffer) {
    void *data = buffer->data;
    return data;
}

static uint32_t count_of(const brant__buffer *buffer) {
    return (uint32_t)(buffer->length / sizeof(uint32_t));
}

static void append(brant__buffer *out, uint32_t block) {
    brant__buffer_append(out, &block, sizeof(block));
}

static void append_words(const brant__schema *schema, brant__buffer *out, const brant__rule *rule) {
    brant__buffer_append(out, schema->words + rule->a, rule->b * sizeof(uint32_t));
}

/* ---- blocks that a rule names ---------------------------------------------------------------- */

/* Those that judge the rule's own value; false for a rule that judges what is in it. */
static bool same_value(const brant__schema *schema, brant__buffer *out, const brant__rule *rule) {
    switch ((brant__operation)rule->op) {
    case BRANT__OP_APPLY:
    case BRANT__OP_NOT:
    case BRANT__OP_DEPENDENT_SCHEMA:
        append(out, rule->c);
        return true;
    case BRANT__OP_ANY_OF:
    case BRANT__OP_ONE_OF:
        append_words(schema, out, rule);
        return true;
    case BRANT__OP_IF:
        append(out, rule->c);
        append(out, rule->a);
        append(out, rule->b);
        return true;
    default:
        return false;
    }
}

/* The properties' blocks aside, those that judge what is in the value. */
static void inner_values(const brant__schema *schema, brant__buffer *out, const brant__rule *rule) {
    switch ((brant__operation)rule->op) {
    case BRANT__OP_ITEMS:
        append_words(schema, out, rule);
        if (rule->c != BRANT__NONE) append(out, rule->c);
        break;
    case BRANT__OP_CONTAINS:
    case BRANT__OP_PROPERTY_NAMES:
    case BRANT__OP_UNEVALUATED_ITEMS:
    case BRANT__OP_UNEVALUATED_PROPERTIES:
        append(out, rule->c);
        break;
    case BRANT__OP_OBJECT: {
        const brant__object *object = &schema->objects[rule->a];
        for (uint32_t i = 0; i < object->pattern_count; i++)
            append(out, schema->words[object->pattern + 2 * i + 1]);
        append(out, object->additional);
        break;
    }
    default:
        break;
    }
}

static void properties(const brant__schema *schema, brant__buffer *out, const brant__rule *rule) {
    if (rule->op != BRANT__OP_OBJECT) return;
    const brant__table *table = &schema->objects[rule->a].table;
    for (uint32_t i = 0; i < table->name_count; i++)
        if (schema->names[table->name + i].block != BRANT__NONE)
            append(out, schema->names[table->name + i].block);
}

static void all_blocks(const brant__schema *schema, brant__buffer *out, const brant__rule *rule) {
    if (same_value(schema, out, rule)) return;
    inner_values(schema, out, rule);
    properties(schema, out, rule);
}

static const brant__rule *rules_of(const brant__schema *schema, uint32_t block) {
    return schema->rules + schema->blocks[block].first[0];
}

static const brant__rule *rules_end(const brant__schema *schema, uint32_t block) {
    return schema->rules + schema->blocks[block].first[BRANT__GROUP_COUNT];
}

static void block_names(const brant__schema *schema, brant__buffer *out, uint32_t block) {
    for (const brant__rule *rule = rules_of(schema, block), *end = rules_end(schema, block);
         rule < end; rule++)
        all_blocks(schema, out, rule);
}

/* ---- what leads to something encrypted ------------------------------------------------------- */

/* From the encrypted blocks backwards: `from` of each pair names `to`. */
static void mark_leading(finder *self) {
    const brant__schema *schema = self->schema;
    const uint32_t count = schema->block_count;
    brant__buffer to = {0}, first = {0}, from = {0}, queue = {0};
    for (uint32_t block = 0; block < count; block++) {
        append(&first, count_of(&to));
        block_names(schema, &to, block);
    }
    append(&first, count_of(&to));
    /* Sorted by what is named. */
    uint32_t *starts = brant__alloc_zero(((size_t)count + 1) * sizeof(*starts));
    const uint32_t pairs = count_of(&to);
    if (!starts || to.failed || first.failed ||
        !brant__buffer_reserve(&from, (pairs + (size_t)1) * sizeof(uint32_t))) {
        self->failed = true;
        goto cleanup;
    }
    for (uint32_t i = 0; i < pairs; i++)
        starts[words_of(&to)[i] + 1]++;
    for (uint32_t block = 0; block < count; block++)
        starts[block + 1] += starts[block];
    uint32_t *sources = words_of(&from);
    for (uint32_t block = count; block-- > 0;) {
        for (uint32_t i = words_of(&first)[block]; i < words_of(&first)[block + 1]; i++)
            sources[--starts[words_of(&to)[i] + 1]] = block;
    }
    /* starts[n + 1] is now where those of n begin, and starts[n + 2] where they end. */
    for (uint32_t block = 0; block < count; block++) {
        if (!brant__block_encrypted(&schema->blocks[block])) continue;
        self->leads[block] = 1;
        append(&queue, block);
    }
    for (uint32_t at = 0; !queue.failed && at < count_of(&queue); at++) {
        const uint32_t block = words_of(&queue)[at];
        const uint32_t last = block + 2 <= count ? starts[block + 2] : pairs;
        for (uint32_t i = starts[block + 1]; i < last; i++) {
            if (self->leads[sources[i]]) continue;
            self->leads[sources[i]] = 1;
            append(&queue, sources[i]);
        }
    }
    self->failed = self->failed || queue.failed;
cleanup:
    brant__free(starts);
    brant__buffer_free(&queue);
    brant__buffer_free(&from);
    brant__buffer_free(&first);
    brant__buffer_free(&to);
}

/* ---- faults ---------------------------------------------------------------------------------- */

/* The block that says it, behind those that apply it. */
static uint32_t own_block(const brant__schema *schema, uint32_t block) {
    bool applied = true;
    while (applied) {
        applied = false;
        for (const brant__rule *rule = rules_of(schema, block), *end = rules_end(schema, block);
             rule < end; rule++) {
            if (rule->op != BRANT__OP_APPLY || !brant__block_encrypted(&schema->blocks[rule->c]))
                continue;
            block = rule->c;
            applied = true;
            break;
        }
    }
    return block;
}

static void refuse(finder *self, uint32_t block, bool says_so, const char *message) {
    const brant__schema *schema = self->schema;
    if (self->failed || self->told[block]) return;
    self->told[block] = 1;
    brant__buffer_reset(&self->scratch);
    if (schema->blocks[block].place != BRANT__NONE)
        brant__place_append(&self->scratch, schema->places, schema->text,
                            schema->blocks[block].place);
    if (says_so) brant__buffer_append(&self->scratch, "/x-encrypted", 12);
    if (self->scratch.failed)
        self->failed = true;
    else
        self->fault(self->context, brant__text_of(self->scratch.data, self->scratch.length),
                    message);
}

/* Count the work; false when it is too much, which is a fault. */
static bool spend(finder *self, uint32_t block, uint64_t steps) {
    if (self->steps > steps) {
        self->steps -= steps;
        return true;
    }
    self->steps = 0;
    refuse(self, block, false,
           "takes too many steps: its encrypted attributes are reached in too many ways");
    return false;
}

/* Something encrypted that a leading block leads to: the nearest. */
static uint32_t nearest(finder *self, uint32_t block) {
    brant__buffer queue = {0}, named = {0};
    const uint32_t place = ++self->place;
    uint32_t result = BRANT__NONE;
    append(&queue, block);
    self->seen[block] = place;
    for (uint32_t at = 0; !queue.failed && at < count_of(&queue) && result == BRANT__NONE; at++) {
        const uint32_t next = words_of(&queue)[at];
        if (brant__block_encrypted(&self->schema->blocks[next])) result = next;
        brant__buffer_reset(&named);
        block_names(self->schema, &named, next);
        if (!spend(self, block, 1 + count_of(&named))) break;
        for (uint32_t i = 0; !named.failed && i < count_of(&named); i++) {
            const uint32_t one = words_of(&named)[i];
            if (!self->leads[one] || self->seen[one] == place) continue;
            self->seen[one] = place;
            append(&queue, one);
        }
    }
    if (queue.failed || named.failed) self->failed = true;
    brant__buffer_free(&named);
    brant__buffer_free(&queue);
    return result == BRANT__NONE ? block : own_block(self->schema, result);
}

/* Something encrypted at `block` or below, where the keyword whose value the block stands in leads to. */
static void refuse_below(finder *self, uint32_t block, const char *message) {
    const brant__schema *schema = self->schema;
    const uint32_t place = schema->blocks[block].place;
    const uint32_t which = nearest(self, block);
    const brant__text name = brant__keywords[schema->places[place].keyword].name;
    char text[200];
    snprintf(text, sizeof(text), message, (int)name.length, name.data);
    refuse(self, which, true, text);
}

/* ---- a place --------------------------------------------------------------------------------- */

/* The blocks of a place: first the firm ones. A root is what the place above names: twice the block, plus one where it is loose. */
typedef struct here {
    uint32_t first; /* of the firm ones, in self->blocks */
    uint32_t loose; /* where they end */
    uint32_t end;
} here;

static void add_block(finder *self, uint32_t block) {
    if (block <= BRANT__BLOCK_FALSE || self->seen[block] == self->place) return;
    self->seen[block] = self->place;
    append(&self->blocks, block);
    if (self->blocks.failed) self->failed = true;
}

/* All blocks that judge the same value as the roots do. */
static here gather(finder *self, const uint32_t *roots, uint32_t root_count) {
    const brant__schema *schema = self->schema;
    here out = {.first = count_of(&self->blocks)};
    self->place++;
    for (int loose = 0; loose < 2; loose++) {
        for (uint32_t i = 0; i < root_count; i++)
            if ((int)(roots[i] & 1) == loose) add_block(self, roots[i] >> 1);
        for (uint32_t at = out.first; at < count_of(&self->blocks) && !self->failed; at++) {
            const uint32_t block = words_of(&self->blocks)[at];
            if (!spend(self, block, 1)) break;
            for (const brant__rule *rule = rules_of(schema, block), *end = rules_end(schema, block);
                 rule < end; rule++) {
                if (!loose && rule->op != BRANT__OP_APPLY) continue;
                brant__buffer_reset(&self->scratch);
                if (!same_value(schema, &self->scratch, rule)) continue;
                for (uint32_t i = 0; i < count_of(&self->scratch); i++)
                    add_block(self, words_of(&self->scratch)[i]);
                if (self->scratch.failed) self->failed = true;
                if (!spend(self, block, count_of(&self->scratch))) break;
            }
        }
        if (!loose) out.loose = count_of(&self->blocks);
    }
    out.end = count_of(&self->blocks);
    return out;
}

/* Says nothing of a value, or nothing but that there must be none. */
static bool says_nothing(const brant__schema *schema, uint32_t number) {
    const brant__block *block = &schema->blocks[number];
    if (brant__block_never(block)) return true;
    return block->types == BRANT__TYPE_ANY && block->first[0] == block->first[BRANT__GROUP_COUNT];
}

static void keep(finder *self, uint32_t block, uint32_t depth) {
    brant__encrypted one = {.segment_count = depth, .block = block};
    const uint32_t count = (uint32_t)(self->found.length / sizeof(one));
    if (count == MOST) {
        refuse(self, block, true, "a type has at most 1000 encrypted attributes");
        self->steps = 0;
        return;
    }
    const char *pointer = brant__arena_copy(self->arena, self->pointer.data, self->pointer.length);
    one.pointer = brant__text_of(pointer, self->pointer.length);
    one.segments = brant__arena_alloc(self->arena, depth * sizeof(*one.segments));
    for (uint32_t i = 0; one.segments && i < depth; i++) {
        const char *name =
            brant__arena_copy(self->arena, self->names[i].data, self->names[i].length);
        one.segments[i] = brant__text_of(name, self->names[i].length);
        if (!name) self->failed = true;
    }
    brant__buffer_append(&self->found, &one, sizeof(one));
    if (!pointer || !one.segments || self->pointer.failed || self->found.failed)
        self->failed = true;
}

/* An encrypted attribute: nothing in it is, and whatever else describes it says nothing. */
static void settle(finder *self, here place, const uint32_t *roots, uint32_t root_count,
                   uint32_t encrypted, uint32_t depth) {
    const brant__schema *schema = self->schema;
    if (depth == 0) {
        refuse(self, own_block(schema, encrypted), true,
               "the attributes cannot be encrypted as a whole: mark single ones");
        return;
    }
    brant__buffer inner = {0};
    for (uint32_t i = place.first; i < place.end && !self->failed; i++) {
        for (const brant__rule *rule = rules_of(schema, words_of(&self->blocks)[i]),
                               *end = rules_end(schema, words_of(&self->blocks)[i]);
             rule < end; rule++) {
            brant__buffer_reset(&inner);
            if (!same_value(schema, &inner, rule))
                all_blocks(schema, &inner, rule);
            else if (rule->op == BRANT__OP_APPLY && i < place.loose)
                continue;
            for (uint32_t n = 0; !inner.failed && n < count_of(&inner); n++)
                if (self->leads[words_of(&inner)[n]])
                    refuse_below(self, words_of(&inner)[n],
                                 "stands below \"%.*s\" within an attribute that is encrypted "
                                 "as a whole already");
        }
    }
    self->failed = self->failed || inner.failed;
    brant__buffer_free(&inner);
    for (uint32_t i = 0; i < root_count; i++) {
        const uint32_t block = roots[i] >> 1;
        const bool loose = roots[i] & 1;
        if (says_nothing(schema, block) ||
            (!loose && brant__block_encrypted(&schema->blocks[block])))
            continue;
        refuse(self, block, false,
               loose ? "judges the value of an attribute that is encrypted: what is stored there "
                       "is an envelope, which no condition, union or pattern can look into"
                     : "describes an attribute that another part of the type encrypts: give it "
                       "\"x-encrypted\": true too");
    }
    keep(self, own_block(schema, encrypted), depth);
}

static void visit(finder *self, const uint32_t *roots, uint32_t root_count, uint32_t depth);

/* What of a block's object rule describes the member of this name, as roots. */
static void add_roots(finder *self, brant__buffer *roots, const brant__rule *rule, bool loose,
                      brant__text name) {
    const brant__schema *schema = self->schema;
    const brant__object *object = &schema->objects[rule->a];
    const uint32_t found = brant__table_find(schema, &object->table, name.data, name.length);
    bool known = false;
    if (found != BRANT__NONE && schema->names[object->table.name + found].block != BRANT__NONE) {
        append(roots, schema->names[object->table.name + found].block << 1 | loose);
        known = true;
    }
    for (uint32_t i = 0; i < object->pattern_count; i++) {
        const uint32_t *pair = schema->words + object->pattern + (size_t)2 * i;
        if (brant__pattern_match(schema->patterns[pair[0]], name.data, name.length) == 0) continue;
        append(roots, pair[1] << 1 | 1);
        known = true;
    }
    if (!known) append(roots, object->additional << 1 | 1);
}

/* The member of one name. */
static void descend(finder *self, here place, brant__text name, uint32_t depth) {
    const brant__schema *schema = self->schema;
    const size_t before = self->pointer.length;
    brant__buffer roots = {0};
    if (!spend(self, words_of(&self->blocks)[place.first], place.end - place.first)) return;
    for (uint32_t i = place.first; i < place.end; i++) {
        for (const brant__rule *rule = rules_of(schema, words_of(&self->blocks)[i]),
                               *end = rules_end(schema, words_of(&self->blocks)[i]);
             rule < end; rule++) {
            if (rule->op == BRANT__OP_OBJECT) add_roots(self, &roots, rule, i >= place.loose, name);
        }
    }
    brant__buffer_append_byte(&self->pointer, '/');
    brant__pointer_append(&self->pointer, name);
    self->names[depth] = name;
    if (roots.failed || self->pointer.failed)
        self->failed = true;
    else
        visit(self, words_of(&roots), count_of(&roots), depth + 1);
    if (!self->pointer.failed) self->pointer.length = before;
    brant__buffer_free(&roots);
}

/* Did a firm block before `at` have the property, and lead somewhere by it? */
static bool visited(const finder *self, here place, uint32_t at, brant__text name) {
    const brant__schema *schema = self->schema;
    for (uint32_t i = place.first; i < at; i++) {
        for (const brant__rule *rule = rules_of(schema, words_of(&self->blocks)[i]),
                               *end = rules_end(schema, words_of(&self->blocks)[i]);
             rule < end; rule++) {
            if (rule->op != BRANT__OP_OBJECT) continue;
            const brant__table *table = &schema->objects[rule->a].table;
            const uint32_t found = brant__table_find(schema, table, name.data, name.length);
            if (found == BRANT__NONE) continue;
            const uint32_t block = schema->names[table->name + found].block;
            if (block != BRANT__NONE && self->leads[block]) return true;
        }
    }
    return false;
}

/* The properties of one firm block that lead on, and what leads on in a way that is not allowed. */
static void follow(finder *self, here place, uint32_t at, uint32_t depth) {
    const brant__schema *schema = self->schema;
    const uint32_t block = words_of(&self->blocks)[at];
    for (const brant__rule *rule = rules_of(schema, block), *end = rules_end(schema, block);
         rule < end; rule++) {
        brant__buffer named = {0};
        if (rule->op != BRANT__OP_APPLY && !same_value(schema, &named, rule))
            inner_values(schema, &named, rule);
        for (uint32_t i = 0; !named.failed && i < count_of(&named); i++)
            if (self->leads[words_of(&named)[i]])
                refuse_below(self, words_of(&named)[i],
                             "cannot stand below \"%.*s\": an encrypted attribute is found by its "
                             "JSON pointer, so only properties, $ref and allOf may lead to it");
        self->failed = self->failed || named.failed;
        brant__buffer_free(&named);
        if (rule->op != BRANT__OP_OBJECT) continue;
        const brant__table *table = &schema->objects[rule->a].table;
        for (uint32_t i = 0; i < table->name_count && !self->failed && self->steps > 0; i++) {
            const brant__name *entry = &schema->names[table->name + i];
            const brant__text name = brant__name_text(schema, entry);
            if (entry->block == BRANT__NONE || !self->leads[entry->block] ||
                visited(self, place, at, name))
                continue;
            descend(self, place, name, depth);
        }
    }
}

static void visit(finder *self, const uint32_t *roots, uint32_t root_count, uint32_t depth) {
    const brant__schema *schema = self->schema;
    const here place = gather(self, roots, root_count);
    uint32_t encrypted = BRANT__NONE, again = BRANT__NONE, last = BRANT__NONE;
    for (uint32_t i = place.first; i < place.loose && !self->failed; i++) {
        const uint32_t block = words_of(&self->blocks)[i];
        if (!self->leads[block]) continue;
        last = block;
        if (encrypted == BRANT__NONE && brant__block_encrypted(&schema->blocks[block]))
            encrypted = block;
        if (self->open[block]) again = block;
    }
    if (self->failed || self->steps == 0 || last == BRANT__NONE) {
        /* nothing more to find here */
    } else if (encrypted != BRANT__NONE) {
        settle(self, place, roots, root_count, encrypted, depth);
    } else if (again != BRANT__NONE) {
        refuse(self, nearest(self, again), true,
               "stands in a schema that contains itself by a $ref: it would be at any depth, and "
               "an encrypted attribute is found by its JSON pointer");
    } else if (depth == DEEPEST) {
        refuse(self, nearest(self, last), true, "stands deeper than 32 levels in the attributes");
    } else {
        for (uint32_t i = place.first; i < place.loose; i++)
            self->open[words_of(&self->blocks)[i]] = self->leads[words_of(&self->blocks)[i]];
        for (uint32_t i = place.first; i < place.loose && !self->failed && self->steps > 0; i++)
            if (self->leads[words_of(&self->blocks)[i]]) follow(self, place, i, depth);
        for (uint32_t i = place.first; i < place.loose && !self->failed; i++)
            self->open[words_of(&self->blocks)[i]] = 0;
    }
    if (!self->blocks.failed) self->blocks.length = place.first * sizeof(uint32_t);
}

/* ---- the whole ------------------------------------------------------------------------------- */

static int by_pointer(const void *a, const void *b) {
    const brant__encrypted *left = a, *right = b;
    return brant__text_compare(left->pointer, right->pointer);
}

brant_status brant__schema_encrypted(brant__encrypted **out, size_t *out_count,
                                     const brant__schema *schema, brant__arena *arena,
                                     brant__encrypted_fault fault, void *context) {
    brant_status status = BRANT_OK;
    const size_t count = schema->block_count;
    const uint32_t root = schema->entry << 1;
    *out = NULL;
    *out_count = 0;
    if (!schema->encrypts) return BRANT_OK;
    finder self = {.schema = schema,
                   .arena = arena,
                   .fault = fault,
                   .context = context,
                   .leads = brant__alloc_zero(count),
                   .told = brant__alloc_zero(count),
                   .open = brant__alloc_zero(count),
                   .seen = brant__alloc_zero(count * sizeof(*self.seen)),
                   .steps = STEPS};
    self.failed = !self.leads || !self.told || !self.open || !self.seen;
    if (!self.failed) mark_leading(&self);
    if (!self.failed && schema->entry > BRANT__BLOCK_FALSE) visit(&self, &root, 1, 0);
    const size_t found = self.found.length / sizeof(**out);
    if (!self.failed && found > 0) {
        *out = brant__arena_alloc(arena, self.found.length);
        if (*out) {
            memcpy(*out, self.found.data, self.found.length);
            qsort(*out, found, sizeof(**out), by_pointer);
            *out_count = found;
        }
        self.failed = *out == NULL;
    }
    if (self.failed) status = brant__fail_memory();
    brant__buffer_free(&self.found);
    brant__buffer_free(&self.scratch);
    brant__buffer_free(&self.pointer);
    brant__buffer_free(&self.blocks);
    brant__free(self.seen);
    brant__free(self.open);
    brant__free(self.told);
    brant__free(self.leads);
    return status;
}

bool brant__marks_encrypted(yyjson_val *value) {
    const brant__text keyword = brant__keywords[BRANT__KEYWORD_ENCRYPTED].name;
    size_t index, count;
    yyjson_val *key, *member;
    yyjson_arr_foreach(value, index, count, member) {
        if (brant__marks_encrypted(member)) return true;
    }
    yyjson_obj_foreach(value, index, count, key, member) {
        if (yyjson_is_true(member) && brant__text_equal(brant__json_text(key), keyword))
            return true;
        if (brant__marks_encrypted(member)) return true;
    }
    return false;
}

bool brant__module_encrypts(const brant__module *module) {
    if (!module->typed) return false;
    for (size_t i = 0; i < module->node_type_count; i++)
        if (module->node_types[i].encrypted_count > 0) return true;
    for (size_t i = 0; i < module->edge_type_count; i++)
        if (module->edge_types[i].encrypted_count > 0) return true;
    return false;
}
