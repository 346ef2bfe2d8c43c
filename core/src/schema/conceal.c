/*
 * schema/conceal.c: which parts of a value are secret, before anything is said about it.
 *
 * A value is secret where any schema that may judge it is encrypted, whether by $ref, in a branch that does not hold, or below a condition: whoever
 * wrote it there meant it so. What another schema would say about the same value, or about what is in it, is then not said either.
 */
#include "schema/program.h"

typedef struct concealer {
    brant__run run;
    brant__map *secrets;
    bool failed;
} concealer;

static void look(concealer *self, uint32_t number, yyjson_val *value);

brant__text brant__value_key(yyjson_val *const *value) {
    return brant__text_of((const char *)value, sizeof(*value));
}

static void conceal(concealer *self, yyjson_val *value) {
    if (!brant__map_put(self->secrets, brant__value_key(&value), 0)) self->failed = true;
}

static void look_all(concealer *self, const brant__rule *rule, yyjson_val *value) {
    for (uint32_t i = 0; i < rule->b; i++)
        look(self, self->run.schema->words[rule->a + i], value);
}

static void look_at_members(concealer *self, const brant__object *object, yyjson_val *value) {
    const brant__schema *schema = self->run.schema;
    size_t index, count;
    yyjson_val *key, *member;
    yyjson_obj_foreach(value, index, count, key, member) {
        const brant__text name = brant__json_text(key);
        const uint32_t found = brant__table_find(schema, &object->table, name.data, name.length);
        const uint32_t block =
            found == BRANT__NONE ? BRANT__NONE : schema->names[object->table.name + found].block;
        bool known = block != BRANT__NONE;
        if (known) look(self, block, member);
        for (uint32_t i = 0; i < object->pattern_count; i++) {
            const uint32_t *pair = schema->words + object->pattern + (size_t)2 * i;
            if (brant__run_match(&self->run, pair[0], name.data, name.length) == 0) continue;
            known = true;
            look(self, pair[1], member);
        }
        if (!known) look(self, object->additional, member);
    }
}

static void look_inside(concealer *self, uint32_t block, yyjson_val *value) {
    size_t index, count;
    yyjson_val *key, *item;
    yyjson_arr_foreach(value, index, count, item) look(self, block, item);
    yyjson_obj_foreach(value, index, count, key, item) look(self, block, item);
}

static void look_at_items(concealer *self, const brant__rule *rule, yyjson_val *value) {
    size_t index, count;
    yyjson_val *item;
    yyjson_arr_foreach(value, index, count, item) {
        const uint32_t block = index < rule->b ? self->run.schema->words[rule->a + index] : rule->c;
        if (block != BRANT__NONE) look(self, block, item);
    }
}

static void look_by(concealer *self, const brant__rule *rule, yyjson_val *value) {
    switch ((brant__operation)rule->op) {
    case BRANT__OP_OBJECT:
        look_at_members(self, &self->run.schema->objects[rule->a], value);
        break;
    case BRANT__OP_ITEMS:
        look_at_items(self, rule, value);
        break;
    case BRANT__OP_PROPERTY_NAMES:
        /* Names stand in pointers, so the whole object is secret where they are. */
        if (brant__block_encrypted(&self->run.schema->blocks[rule->c])) conceal(self, value);
        break;
    case BRANT__OP_CONTAINS:
    case BRANT__OP_UNEVALUATED_ITEMS:
    case BRANT__OP_UNEVALUATED_PROPERTIES:
        look_inside(self, rule->c, value);
        break;
    case BRANT__OP_APPLY:
    case BRANT__OP_NOT:
    case BRANT__OP_DEPENDENT_SCHEMA:
        look(self, rule->c, value);
        break;
    case BRANT__OP_ANY_OF:
    case BRANT__OP_ONE_OF:
        look_all(self, rule, value);
        break;
    case BRANT__OP_IF:
        look(self, rule->c, value);
        look(self, rule->a, value);
        look(self, rule->b, value);
        break;
    default:
        break;
    }
}

static void look(concealer *self, uint32_t number, yyjson_val *value) {
    const brant__block *block = &self->run.schema->blocks[number];
    const int group = brant__group_of(yyjson_get_type(value));
    if (self->failed) return;
    if (brant__block_encrypted(block)) {
        conceal(self, value);
        return;
    }
    if (block->first[0] == block->first[BRANT__GROUP_COUNT] || !brant__run_enter(&self->run))
        return;
    for (uint32_t i = block->first[BRANT__GROUP_COMMON]; i < block->first[BRANT__GROUP_COUNT]; i++)
        look_by(self, &self->run.schema->rules[i], value);
    for (uint32_t i = group < 0 ? 0 : block->first[group];
         group >= 0 && i < block->first[group + 1]; i++)
        look_by(self, &self->run.schema->rules[i], value);
    brant__run_leave(&self->run);
}

bool brant__schema_secrets(brant__map *out, const brant__schema *schema, yyjson_val *value) {
    concealer self = {.run = brant__run_begin(schema, value), .secrets = out};
    if (!schema->encrypts) return true;
    self.run.frames = BRANT__CONCEAL_FRAMES;
    look(&self, schema->entry, value);
    /* A limit was hit: nobody knows what else is secret. */
    if (self.run.exhausted) conceal(&self, value);
    return !self.failed;
}
