/*
 * evolution/cast.c: attributes brought to a changed schema: missing members get their default, members that a closed object does not know are
 * dropped, and of a union the branch is taken that fits best. Nothing else is touched: a value that stays invalid stays as it is,
 * and so does an envelope where the attribute is encrypted.
 *
 * A value goes from the document to the text in one walk; only where a union must be decided is what a branch makes of it parsed and
 * validated. Defaults are filled everywhere first; where the whole is not valid then, only those of required members are. What relation.c calls
 * castable relies on the second way. The walk follows the value, so recursive schemas end; depth and steps are bounded.
 */
#include "evolution/relation.h"

enum { DEEPEST = 600, BRANCHES = 64, VALUE_STEPS = 1024 };
#define STEPS (UINT64_C(1) << 22)

typedef struct caster {
    brant__cast *out;
    brant__relation rules; /* of one schema: to collect rules */
    yyjson_val *document;
    const brant__schema *schema;
    brant__buffer path;
    bool fill; /* optional members too */
    uint64_t steps;
    unsigned depth;
    bool failed;
} caster;

static void cast(caster *self, uint32_t block, yyjson_val *value);

/* ---- asking ---------------------------------------------------------------------------------- */

static brant__run begin(const caster *self, yyjson_val *value) {
    brant__run run = brant__run_begin(self->schema, value);
    if (run.steps > self->steps) run.steps = self->steps;
    return run;
}

static bool end(caster *self, const brant__run *run, uint64_t before, bool accepted) {
    const uint64_t used = before - run->steps + 1;
    self->steps -= used < self->steps ? used : self->steps;
    return accepted && run->exhausted == 0;
}

static bool accepts(caster *self, uint32_t block, yyjson_val *value) {
    brant__run run = begin(self, value);
    const uint64_t before = run.steps;
    const bool accepted = brant__block_accepts(&run, block, value);
    return end(self, &run, before, accepted);
}

static bool rule_accepts(caster *self, const brant__rule *rule, yyjson_val *value) {
    brant__run run = begin(self, value);
    const uint64_t before = run.steps;
    const bool accepted = brant__rule_accepts(&run, rule, value);
    return end(self, &run, before, accepted);
}

static brant__atom atom_at(const caster *self, uint32_t index) {
    return *brant__relation_atom(&self->rules, index);
}

/* The rules of a block for a value's type. */
typedef struct view {
    uint32_t first;
    uint32_t count;
} view;

static view look(caster *self, uint32_t block, yyjson_val *value) {
    view out;
    brant__relation_atoms(&self->rules, (brant__spot){0, block}, yyjson_get_type(value), &out.first,
                          &out.count);
    if (self->rules.failed) self->failed = true;
    return out;
}

static const brant__object *object_of(const caster *self, const brant__atom *atom) {
    return &self->schema->objects[atom->rule->a];
}

static const brant__name *named(const caster *self, const brant__object *object, brant__text name) {
    const uint32_t found = brant__table_find(self->schema, &object->table, name.data, name.length);
    return found == BRANT__NONE ? NULL : &self->schema->names[object->table.name + found];
}

static bool is_false(const caster *self, uint32_t block) {
    return brant__block_never(&self->schema->blocks[block]);
}

/* ---- writing --------------------------------------------------------------------------------- */

static void write_value(caster *self, yyjson_val *value) {
    brant__json_append(&self->out->text, value);
}

static void note(caster *self, const char *op, yyjson_val *value) {
    brant__buffer *edits = &self->out->edits;
    brant__buffer_append_byte(edits, edits->length == 0 ? '[' : ',');
    brant__buffer_format(edits, "{\"op\":\"%s\",\"path\":", op);
    brant__json_append_text(edits, brant__text_of(self->path.data, self->path.length));
    if (value) {
        brant__buffer_append(edits, ",\"value\":", 9);
        brant__json_append(edits, value);
    }
    brant__buffer_append_byte(edits, '}');
}

static size_t enter(caster *self, brant__text name) {
    const size_t before = self->path.length;
    brant__buffer_append_byte(&self->path, '/');
    brant__pointer_append(&self->path, name);
    return before;
}

static void leave(caster *self, size_t before) {
    if (!self->path.failed) self->path.length = before;
}

/* ---- members --------------------------------------------------------------------------------- */

enum { GOVERNORS = 16 };

/* The blocks that the object rules of a view put on a member; with `evaluated` only those that look at its name. */
static size_t govern(const caster *self, view rules, brant__text name, bool evaluated,
                     uint32_t blocks[GOVERNORS]) {
    size_t count = 0;
    for (uint32_t i = 0; i < rules.count; i++) {
        const brant__atom atom = atom_at(self, rules.first + i);
        if (atom.rule->op != BRANT__OP_OBJECT) continue;
        const brant__object *object = object_of(self, &atom);
        const brant__name *entry = named(self, object, name);
        bool found = false;
        if (entry && entry->block != BRANT__NONE) {
            found = true;
            if (count < GOVERNORS) blocks[count++] = entry->block;
        }
        for (uint32_t p = 0; p < object->pattern_count; p++) {
            const uint32_t *pair = self->schema->words + object->pattern + (size_t)2 * p;
            if (brant__pattern_match(self->schema->patterns[pair[0]], name.data, name.length) != 1)
                continue;
            found = true;
            if (count < GOVERNORS) blocks[count++] = pair[1];
        }
        if (!found && !evaluated && count < GOVERNORS) blocks[count++] = object->additional;
    }
    return count;
}

static bool
    requires(const caster *self, view rules, brant__text name)
{
    for (uint32_t i = 0; i < rules.count; i++) {
        const brant__atom atom = atom_at(self, rules.first + i);
        if (atom.rule->op != BRANT__OP_OBJECT) continue;
        const brant__name *entry = named(self, object_of(self, &atom), name);
        if (entry && entry->required) return true;
    }
    return false;
}

/* No rule knows the member, and one refuses those that are not known. */
static bool is_unknown(const caster *self, view rules, brant__text name) {
    uint32_t blocks[GOVERNORS];
    bool refused = false, open = false;
    if (govern(self, rules, name, true, blocks) > 0) return false;
    const size_t count = govern(self, rules, name, false, blocks);
    for (size_t i = 0; i < count; i++)
        refused = refused || is_false(self, blocks[i]);
    for (uint32_t i = 0; i < rules.count; i++) {
        const brant__rule *rule = atom_at(self, rules.first + i).rule;
        switch ((brant__operation)rule->op) {
        case BRANT__OP_ANY_OF:
        case BRANT__OP_ONE_OF:
        case BRANT__OP_IF:
        case BRANT__OP_DEPENDENT_SCHEMA:
            open = true; /* they may know it */
            break;
        case BRANT__OP_OBJECT:
            if (self->schema->objects[rule->a].closed) open = open || !refused;
            break;
        default:
            break;
        }
    }
    for (uint32_t i = 0; i < rules.count && !refused && !open; i++) {
        const brant__rule *rule = atom_at(self, rules.first + i).rule;
        refused = rule->op == BRANT__OP_UNEVALUATED_PROPERTIES && is_false(self, rule->c);
    }
    return refused;
}

/* The default of a missing member, which every rule on it accepts; NULL where there is none. */
static yyjson_val *default_of(caster *self, view rules, brant__text name) {
    uint32_t blocks[GOVERNORS];
    const size_t count = govern(self, rules, name, false, blocks);
    yyjson_val *found = NULL;
    if (count == GOVERNORS) return NULL;
    for (size_t i = 0; i < count && !found; i++)
        found = brant__block_default(self->document, self->schema, blocks[i]);
    for (size_t i = 0; i < count && found; i++)
        if (!accepts(self, blocks[i], found)) return NULL;
    return found;
}

static void cast_member(caster *self, view rules, brant__text name, yyjson_val *value) {
    uint32_t blocks[GOVERNORS];
    const size_t count = govern(self, rules, name, false, blocks);
    size_t chosen = 0;
    for (size_t i = 0; count > 1 && i < count; i++) {
        if (accepts(self, blocks[i], value)) continue;
        chosen = i;
        break;
    }
    if (count == 0)
        write_value(self, value);
    else
        cast(self, blocks[chosen], value);
}

static void fill_members(caster *self, view rules, yyjson_val *value, bool empty) {
    brant__buffer *text = &self->out->text;
    brant__map filled = {0};
    int64_t known;
    for (uint32_t i = 0; i < rules.count; i++) {
        const brant__atom atom = atom_at(self, rules.first + i);
        if (atom.rule->op != BRANT__OP_OBJECT) continue;
        const brant__object *object = object_of(self, &atom);
        for (uint32_t n = 0; n < object->table.name_count; n++) {
            const brant__name *entry = &self->schema->names[object->table.name + n];
            const brant__text name = brant__name_text(self->schema, entry);
            if (yyjson_obj_getn(value, name.data, name.length)) continue;
            if (!self->fill && !requires(self, rules, name)) continue;
            if (brant__map_get(&filled, name, &known)) continue;
            yyjson_val *found = default_of(self, rules, name);
            if (!found) continue;
            if (!brant__map_put(&filled, name, 1)) self->failed = true;
            if (!empty) brant__buffer_append_byte(text, ',');
            empty = false;
            brant__json_append_text(text, name);
            brant__buffer_append_byte(text, ':');
            brant__json_append(text, found);
            const size_t before = enter(self, name);
            note(self, "add", found);
            leave(self, before);
        }
    }
    brant__map_free(&filled);
}

static void cast_members(caster *self, view rules, yyjson_val *value) {
    brant__buffer *text = &self->out->text;
    size_t index, count;
    yyjson_val *key, *item;
    bool empty = true;
    brant__buffer_append_byte(text, '{');
    yyjson_obj_foreach(value, index, count, key, item) {
        const brant__text name = brant__json_text(key);
        const size_t before = enter(self, name);
        if (is_unknown(self, rules, name)) {
            note(self, "remove", NULL);
        } else {
            if (!empty) brant__buffer_append_byte(text, ',');
            empty = false;
            brant__json_append_text(text, name);
            brant__buffer_append_byte(text, ':');
            cast_member(self, rules, name, item);
        }
        leave(self, before);
    }
    fill_members(self, rules, value, empty);
    brant__buffer_append_byte(text, '}');
}

static void cast_items(caster *self, view rules, yyjson_val *value) {
    brant__buffer *text = &self->out->text;
    size_t index, count;
    yyjson_val *item;
    brant__buffer_append_byte(text, '[');
    yyjson_arr_foreach(value, index, count, item) {
        const size_t before = self->path.length;
        uint32_t block = BRANT__NONE;
        for (uint32_t i = 0; i < rules.count; i++) {
            const brant__rule *rule = atom_at(self, rules.first + i).rule;
            if (rule->op != BRANT__OP_ITEMS) continue;
            const uint32_t one = index < rule->b ? self->schema->words[rule->a + index] : rule->c;
            if (one != BRANT__NONE && (block == BRANT__NONE || accepts(self, block, item)))
                block = one;
        }
        if (index > 0) brant__buffer_append_byte(text, ',');
        brant__buffer_format(&self->path, "/%zu", index);
        if (block == BRANT__NONE)
            write_value(self, item);
        else
            cast(self, block, item);
        leave(self, before);
    }
    brant__buffer_append_byte(text, ']');
}

/* ---- unions ---------------------------------------------------------------------------------- */

/* How well an object fits a branch, by its members. */
static int fitness(caster *self, uint32_t block, yyjson_val *value) {
    enum { MEMBER = 4, TAG = 100, MISSING = 2, UNKNOWN = 1 };
    const view rules = look(self, block, value);
    int score = 0;
    size_t index, count;
    yyjson_val *key, *item;
    if (!brant__block_type_accepts(&self->schema->blocks[block], value)) score -= 10 * TAG;
    yyjson_obj_foreach(value, index, count, key, item) {
        const brant__text name = brant__json_text(key);
        uint32_t blocks[GOVERNORS];
        const size_t governors = govern(self, rules, name, true, blocks);
        if (is_unknown(self, rules, name)) score -= UNKNOWN;
        for (size_t i = 0; i < governors; i++) {
            const brant__block *one = &self->schema->blocks[blocks[i]];
            bool tag = false;
            for (uint32_t r = one->first[BRANT__GROUP_COMMON]; r < one->first[BRANT__GROUP_COUNT];
                 r++) {
                const int op = self->schema->rules[r].op;
                tag = tag || op == BRANT__OP_CONST || op == BRANT__OP_CONST_TEXT ||
                      op == BRANT__OP_ENUM;
            }
            const bool good = accepts(self, blocks[i], item);
            if (tag)
                score += good ? TAG : -TAG;
            else if (good)
                score += MEMBER;
        }
        if (score > 100000 || score < -100000) break;
    }
    for (uint32_t i = 0; i < rules.count; i++) {
        const brant__atom atom = atom_at(self, rules.first + i);
        if (atom.rule->op != BRANT__OP_OBJECT) continue;
        const brant__object *object = object_of(self, &atom);
        for (uint32_t n = 0; n < object->table.name_count; n++) {
            const brant__name *entry = &self->schema->names[object->table.name + n];
            const brant__text name = brant__name_text(self->schema, entry);
            if (entry->required && !yyjson_obj_getn(value, name.data, name.length))
                score -= MISSING;
        }
    }
    brant__relation_release(&self->rules, rules.first);
    return score;
}

/* Branches from the one that fits best; equal ones stay in order. */
static size_t order_branches(caster *self, const brant__rule *rule, yyjson_val *value,
                             uint32_t order[BRANCHES]) {
    int scores[BRANCHES];
    size_t count = 0;
    for (uint32_t b = 0; b < rule->b && count < BRANCHES; b++, count++) {
        const int score = fitness(self, self->schema->words[rule->a + b], value);
        size_t at = count;
        for (; at > 0 && scores[at - 1] < score; at--) {
            scores[at] = scores[at - 1];
            order[at] = order[at - 1];
        }
        scores[at] = score;
        order[at] = b;
    }
    return count;
}

/* What the branch makes of the value is taken when the union accepts it. */
static bool try_branch(caster *self, const brant__rule *rule, uint32_t branch, yyjson_val *value) {
    brant__cast *out = self->out;
    const size_t text = out->text.length, edits = out->edits.length;
    brant__json json = {0};
    bool good;
    cast(self, self->schema->words[rule->a + branch], value);
    if (out->text.failed || out->edits.failed || self->failed) return false;
    const brant_status status =
        brant__json_parse(&json, out->text.data + text, out->text.length - text, 0);
    if (status == BRANT_NO_MEMORY) self->failed = true;
    if (status != BRANT_OK) (void)brant__error_code();
    good = status == BRANT_OK && rule_accepts(self, rule, json.root);
    brant__json_free(&json);
    if (good) return true;
    out->text.length = text;
    out->edits.length = edits;
    return false;
}

static void cast_union(caster *self, const brant__rule *rule, yyjson_val *value) {
    if (rule_accepts(self, rule, value)) {
        for (uint32_t b = 0; self->fill && b < rule->b; b++) {
            if (!accepts(self, self->schema->words[rule->a + b], value)) continue;
            if (try_branch(self, rule, b, value)) return;
            break;
        }
    } else {
        uint32_t order[BRANCHES];
        const size_t count = order_branches(self, rule, value, order);
        for (size_t i = 0; i < count && self->steps > 0 && !self->failed; i++)
            if (try_branch(self, rule, order[i], value)) return;
    }
    write_value(self, value);
}

/* ---- a value --------------------------------------------------------------------------------- */

static const brant__rule *find_rule(const caster *self, view rules, bool unions) {
    for (uint32_t i = 0; i < rules.count; i++) {
        const brant__rule *rule = atom_at(self, rules.first + i).rule;
        const bool is_union = rule->op == BRANT__OP_ANY_OF || rule->op == BRANT__OP_ONE_OF;
        if (unions ? is_union : rule->op == BRANT__OP_OBJECT || rule->op == BRANT__OP_ITEMS)
            return rule;
    }
    return NULL;
}

/* Members or items first, then the union that stands beside them. */
static void cast_both(caster *self, view rules, const brant__rule *rule, yyjson_val *value) {
    brant__buffer *text = &self->out->text;
    const size_t before = text->length;
    brant__json json = {0};
    if (yyjson_is_obj(value))
        cast_members(self, rules, value);
    else
        cast_items(self, rules, value);
    if (text->failed || self->failed) return;
    if (brant__json_parse(&json, text->data + before, text->length - before, 0) == BRANT_OK) {
        text->length = before;
        cast_union(self, rule, json.root);
    } else {
        if (brant__error_code() == BRANT_NO_MEMORY) self->failed = true;
    }
    brant__json_free(&json);
}

static void cast(caster *self, uint32_t block, yyjson_val *value) {
    const bool over = self->steps == 0 || self->depth >= DEEPEST || self->failed;
    if (over || !yyjson_is_ctn(value) ||
        brant__block_exempts(&self->schema->blocks[block], value) ||
        (!self->fill && accepts(self, block, value))) {
        write_value(self, value);
        return;
    }
    self->depth++;
    const view rules = look(self, block, value);
    self->steps -= self->steps < rules.count ? self->steps : rules.count;
    const brant__rule *choice = find_rule(self, rules, true);
    const bool own = find_rule(self, rules, false) != NULL;
    if (choice && own)
        cast_both(self, rules, choice, value);
    else if (choice)
        cast_union(self, choice, value);
    else if (yyjson_is_obj(value))
        cast_members(self, rules, value);
    else
        cast_items(self, rules, value);
    brant__relation_release(&self->rules, rules.first);
    self->depth--;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static void restart(caster *self, yyjson_val *value, bool fill) {
    const uint64_t values =
        yyjson_is_ctn(value) ? (uint64_t)(unsafe_yyjson_get_next(value) - value) : 1;
    brant__buffer_reset(&self->out->text);
    brant__buffer_reset(&self->out->edits);
    brant__buffer_reset(&self->path);
    self->fill = fill;
    self->depth = 0;
    self->steps = STEPS + VALUE_STEPS * values;
    self->rules.steps = UINT64_MAX;
}

/* Parse what was written and see whether it is valid. */
static brant_status judge(caster *self, bool *out_valid) {
    brant__cast *out = self->out;
    *out_valid = false;
    if (self->failed || self->path.failed || out->text.failed || out->edits.failed)
        return brant__fail_memory();
    const brant_status status = brant__json_parse(&out->json, out->text.data, out->text.length, 0);
    if (status == BRANT_OK) *out_valid = brant__schema_accepts(self->schema, out->json.root);
    return status;
}

brant_status brant__cast_value(brant__cast *out, const brant__schema *schema, yyjson_val *document,
                               yyjson_val *value) {
    brant_status status = BRANT_OK;
    caster self = {
        .out = out, .rules = {.schemas = {schema, schema}}, .document = document, .schema = schema};
    out->valid = false;
    for (int fill = 1; fill >= 0 && !out->valid; fill--) {
        restart(&self, value, fill);
        cast(&self, schema->entry, value);
        if (self.steps == 0 && !fill && !self.failed) {
            status = brant__fail(BRANT_LIMIT, "casting the value takes too many steps");
            goto cleanup;
        }
        BRANT__TRY(judge(&self, &out->valid));
    }
    if (!out->valid && out->edits.length > 0 && brant__schema_accepts(schema, value)) {
        restart(&self, value, false);
        write_value(&self, value);
        BRANT__TRY(judge(&self, &out->valid));
    }
    out->changed = out->edits.length > 0;
    if (out->changed)
        brant__buffer_append_byte(&out->edits, ']');
    else
        brant__buffer_append(&out->edits, "[]", 2);
    if (out->edits.failed) status = brant__fail_memory();
cleanup:
    brant__relation_free(&self.rules);
    brant__buffer_free(&self.path);
    return status;
}

void brant__cast_free(brant__cast *cast) {
    brant__buffer_free(&cast->text);
    brant__buffer_free(&cast->edits);
    brant__json_free(&cast->json);
}
