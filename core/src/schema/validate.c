/*
 * schema/validate.c: running a program over a value: yes or no, without allocating (but see items_unique).
 *
 * Recursion follows the instance downwards and chains of schemas sideways; BRANT__SCHEMA_FRAMES bounds both together, BRANT__SCHEMA_STEPS the whole.
 * A limit that is hit makes the value rejected whatever else holds: within "not" a mere false would accept it.
 */
#include "schema/program.h"

bool brant__block_type_accepts(const brant__block *block, yyjson_val *value) {
    const yyjson_type type = yyjson_get_type(value);
    if (block->types >> type & 1u) return true;
    return type == YYJSON_TYPE_NUM && (block->types & BRANT__TYPE_INTEGER) &&
           brant__number_integral(value);
}

static bool rules_accept(brant__run *run, uint32_t from, uint32_t to, yyjson_val *value) {
    for (const brant__rule *rule = run->schema->rules + from, *end = run->schema->rules + to;
         rule < end; rule++) {
        if (!brant__rule_accepts(run, rule, value)) return false;
    }
    return true;
}

bool brant__block_accepts(brant__run *run, uint32_t number, yyjson_val *value) {
    const brant__block *block = &run->schema->blocks[number];
    const yyjson_type type = yyjson_get_type(value);
    if (!(block->plain >> type & 1u)) {
        if (brant__block_exempts(block, value)) return true;
        if (!brant__block_type_accepts(block, value)) return false;
    }
    const uint32_t *first = block->first;
    if (first[0] == first[BRANT__GROUP_COUNT]) return true;
    if (!brant__run_enter(run)) return false;
    const int group = brant__group_of(type);
    const bool accepted =
        (group < 0 || rules_accept(run, first[group], first[group + 1], value)) &&
        rules_accept(run, first[BRANT__GROUP_COMMON], first[BRANT__GROUP_COUNT], value);
    brant__run_leave(run);
    return accepted;
}

/* ---- numbers and strings ------------------------------------------------------------------------------------------------ */

static bool number_accepts(const brant__schema *schema, const brant__rule *rule,
                           yyjson_val *value) {
    const brant__number *limit = &schema->numbers[rule->a];
    if (rule->op == BRANT__OP_MULTIPLE_OF) {
        const brant__number number =
            brant__number_of(value, !limit->integer || yyjson_is_real(value));
        return brant__number_multiple(&number, limit);
    }
    int order;
    if (limit->integer && yyjson_is_uint(value)) { /* nearly always */
        const uint64_t magnitude = yyjson_get_uint(value);
        order = limit->negative || magnitude > limit->magnitude ? 1
                : magnitude < limit->magnitude                  ? -1
                                                                : 0;
    } else {
        const brant__number number = brant__number_of(value, false);
        order = brant__number_compare(&number, limit);
    }
    switch (rule->op) {
    case BRANT__OP_MINIMUM:
        return order >= 0;
    case BRANT__OP_MAXIMUM:
        return order <= 0;
    case BRANT__OP_EXCLUSIVE_MINIMUM:
        return order > 0;
    default:
        return order < 0;
    }
}

int brant__run_match(brant__run *run, uint32_t pattern, const char *data, size_t length) {
    const int result = brant__pattern_match(run->schema->patterns[pattern], data, length);
    if (result < 0) run->exhausted |= BRANT__RUN_PATTERN;
    return result;
}

/* A code point takes one to four bytes, so most texts need no counting. */
static bool at_least(yyjson_val *value, uint64_t count) {
    const size_t bytes = yyjson_get_len(value);
    if (bytes < count) return false;
    return bytes / 4 >= count || brant__utf8_length(yyjson_get_str(value), bytes) >= count;
}

static bool at_most(yyjson_val *value, uint64_t count) {
    const size_t bytes = yyjson_get_len(value);
    return bytes <= count || brant__utf8_length(yyjson_get_str(value), bytes) <= count;
}

bool brant__choice_accepts(const brant__schema *schema, const brant__choice *choice,
                           yyjson_val *value) {
    if (yyjson_is_str(value)) {
        return brant__table_find(schema, &choice->table, yyjson_get_str(value),
                                 yyjson_get_len(value)) != BRANT__NONE;
    }
    for (uint32_t i = 0; i < choice->other_count; i++) {
        if (brant__json_equal(schema->constants[schema->words[choice->others + i]], value))
            return true;
    }
    return false;
}

/* ---- arrays ----------------------------------------------------------------------------------------------------------------- */

static bool items_accept(brant__run *run, const brant__rule *rule, yyjson_val *array) {
    const uint32_t *prefix = run->schema->words + rule->a;
    if (rule->c == BRANT__NONE && rule->b == 0) return true;
    size_t index, count;
    yyjson_val *item;
    yyjson_arr_foreach(array, index, count, item) {
        if (index < rule->b) {
            if (!brant__block_accepts(run, prefix[index], item)) return false;
        } else if (rule->c == BRANT__NONE) {
            break;
        } else if (!brant__block_accepts(run, rule->c, item)) {
            return false;
        }
    }
    return true;
}

static bool contains_accept(brant__run *run, const brant__rule *rule, yyjson_val *array) {
    uint32_t found = 0;
    size_t index, count;
    yyjson_val *item;
    yyjson_arr_foreach(array, index, count, item) {
        if (!brant__block_accepts(run, rule->c, item)) continue;
        found++;
        if (rule->b == BRANT__NONE && found >= rule->a) return true;
        if (found > rule->b) return false;
    }
    return found >= rule->a;
}

/* ---- objects ---------------------------------------------------------------------------------------------------------------- */

static bool members_accept(brant__run *run, const brant__object *object, yyjson_val *value) {
    const brant__schema *schema = run->schema;
    const brant__name *names = schema->names + object->table.name;
    const uint32_t name_count = object->table.name_count;
    uint32_t required = 0, expected = 0;
    size_t index, count;
    yyjson_val *key, *member;
    yyjson_obj_foreach(value, index, count, key, member) {
        const char *data = yyjson_get_str(key);
        const size_t length = yyjson_get_len(key);
        bool evaluated = false;
        /* Members mostly come in the order of the properties: the next one is tried before the table. */
        uint32_t found = expected;
        if (expected >= name_count || names[expected].length != length ||
            memcmp(schema->text + names[expected].text, data, length) != 0) {
            found = brant__table_find(schema, &object->table, data, length);
        }
        if (found != BRANT__NONE) {
            expected = found + 1;
            required += names[found].required;
            const uint32_t block = names[found].block;
            if (block != BRANT__NONE) {
                evaluated = true;
                if (!brant__block_accepts(run, block, member)) return false;
            }
        }
        for (uint32_t i = 0; i < object->pattern_count; i++) {
            const uint32_t *pair = schema->words + object->pattern + (size_t)2 * i;
            const int match = brant__run_match(run, pair[0], data, length);
            if (match == 0) continue;
            evaluated = true;
            if (match < 0 || !brant__block_accepts(run, pair[1], member)) return false;
        }
        if (!evaluated && object->additional != BRANT__BLOCK_TRUE &&
            !brant__block_accepts(run, object->additional, member))
            return false;
    }
    return required == object->required;
}

static bool names_accept(brant__run *run, const brant__rule *rule, yyjson_val *value) {
    size_t index, count;
    yyjson_val *key, *member;
    yyjson_obj_foreach(value, index, count, key, member) {
        if (!brant__block_accepts(run, rule->c, key)) return false;
    }
    return true;
}

static bool has_member(const brant__schema *schema, uint32_t name, yyjson_val *value) {
    const brant__text text = brant__name_text(schema, &schema->names[name]);
    return yyjson_obj_getn(value, text.data, text.length) != NULL;
}

static bool dependents_present(const brant__schema *schema, const brant__rule *rule,
                               yyjson_val *value) {
    if (!has_member(schema, rule->a, value)) return true;
    for (uint32_t i = 1; i < rule->b; i++) {
        if (!has_member(schema, rule->a + i, value)) return false;
    }
    return true;
}

/* ---- any value -------------------------------------------------------------------------------------------------------------- */

static bool any_accepts(brant__run *run, const brant__rule *rule, yyjson_val *value) {
    for (uint32_t i = 0; i < rule->b; i++) {
        if (brant__block_accepts(run, run->schema->words[rule->a + i], value)) return true;
    }
    return false;
}

static bool one_accepts(brant__run *run, const brant__rule *rule, yyjson_val *value) {
    unsigned accepted = 0;
    for (uint32_t i = 0; i < rule->b && accepted < 2; i++) {
        accepted += brant__block_accepts(run, run->schema->words[rule->a + i], value);
    }
    return accepted == 1;
}

bool brant__rule_accepts(brant__run *run, const brant__rule *rule, yyjson_val *value) {
    const brant__schema *schema = run->schema;
    switch ((brant__operation)rule->op) {
    case BRANT__OP_MINIMUM:
    case BRANT__OP_MAXIMUM:
    case BRANT__OP_EXCLUSIVE_MINIMUM:
    case BRANT__OP_EXCLUSIVE_MAXIMUM:
    case BRANT__OP_MULTIPLE_OF:
        return number_accepts(schema, rule, value);
    case BRANT__OP_MIN_LENGTH:
        return at_least(value, rule->n);
    case BRANT__OP_MAX_LENGTH:
        return at_most(value, rule->n);
    case BRANT__OP_PATTERN:
        return brant__run_match(run, rule->a, yyjson_get_str(value), yyjson_get_len(value)) == 1;
    case BRANT__OP_FORMAT:
        return brant__format_accepts((int)rule->a, yyjson_get_str(value), yyjson_get_len(value));
    case BRANT__OP_MIN_ITEMS:
    case BRANT__OP_MIN_PROPERTIES:
        return yyjson_get_len(value) >= rule->n;
    case BRANT__OP_MAX_ITEMS:
    case BRANT__OP_MAX_PROPERTIES:
        return yyjson_get_len(value) <= rule->n;
    case BRANT__OP_ITEMS:
        return items_accept(run, rule, value);
    case BRANT__OP_CONTAINS:
        return contains_accept(run, rule, value);
    case BRANT__OP_UNIQUE_ITEMS:
        return brant__items_unique(value);
    case BRANT__OP_OBJECT:
        return members_accept(run, &schema->objects[rule->a], value);
    case BRANT__OP_PROPERTY_NAMES:
        return names_accept(run, rule, value);
    case BRANT__OP_DEPENDENT_REQUIRED:
        return dependents_present(schema, rule, value);
    case BRANT__OP_DEPENDENT_SCHEMA:
        return !has_member(schema, rule->a, value) || brant__block_accepts(run, rule->c, value);
    case BRANT__OP_CONST:
        return brant__json_equal(schema->constants[rule->a], value);
    case BRANT__OP_CONST_TEXT: {
        const brant__name *name = &schema->names[rule->c];
        return yyjson_is_str(value) && yyjson_get_len(value) == name->length &&
               memcmp(yyjson_get_str(value), schema->text + name->text, name->length) == 0;
    }
    case BRANT__OP_ENUM:
        return brant__choice_accepts(schema, &schema->choices[rule->c], value);
    case BRANT__OP_APPLY:
        return brant__block_accepts(run, rule->c, value);
    case BRANT__OP_ANY_OF:
        return any_accepts(run, rule, value);
    case BRANT__OP_ONE_OF:
        return one_accepts(run, rule, value);
    case BRANT__OP_NOT:
        return !brant__block_accepts(run, rule->c, value);
    case BRANT__OP_IF:
        return brant__block_accepts(
            run, brant__block_accepts(run, rule->c, value) ? rule->a : rule->b, value);
    case BRANT__OP_UNEVALUATED_ITEMS:
    case BRANT__OP_UNEVALUATED_PROPERTIES:
        return brant__unevaluated_accept(run, rule, value);
    }
    return false;
}

bool brant__schema_accepts(const brant__schema *schema, yyjson_val *value) {
    brant__run run = brant__run_begin(schema, value);
    return brant__block_accepts(&run, schema->entry, value) && run.exhausted == 0;
}
