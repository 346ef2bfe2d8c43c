/*
 * schema/unevaluated.c: what unevaluatedProperties and unevaluatedItems leave over.
 *
 * Nothing is noted down while a value is validated. A rule that needs to know asks afterwards: which members do the other schemas that apply to
 * this same value, and accept it, look at? Members are looked at in runs of 64, one bit each, so nothing is allocated.
 */
#include "schema/program.h"

/* Run `mark` over one more schema that applies to the value and is known to accept it. */
static void mark_block(brant__run *run, uint32_t number, yyjson_val *value, brant__chunk *chunk,
                       const brant__rule *asking);

static void mark_members(brant__run *run, const brant__object *object, brant__chunk *chunk) {
    const brant__schema *schema = run->schema;
    if (object->closed) {
        chunk->evaluated = UINT64_MAX;
        return;
    }
    yyjson_val *key = chunk->first;
    for (unsigned i = 0; i < chunk->count;
         i++, key = unsafe_yyjson_get_next(yyjson_obj_iter_get_val(key))) {
        if (chunk->evaluated >> i & 1) continue;
        const brant__text name = brant__text_of(yyjson_get_str(key), yyjson_get_len(key));
        const uint32_t found = brant__table_find(schema, &object->table, name.data, name.length);
        bool evaluated =
            found != BRANT__NONE && schema->names[object->table.name + found].block != BRANT__NONE;
        for (uint32_t pattern = 0; pattern < object->pattern_count && !evaluated; pattern++) {
            evaluated = brant__run_match(run, schema->words[object->pattern + 2 * pattern],
                                         name.data, name.length) == 1;
        }
        if (evaluated) chunk->evaluated |= UINT64_C(1) << i;
    }
}

static void mark_items(const brant__rule *rule, brant__chunk *chunk) {
    if (rule->c != BRANT__NONE || rule->b >= chunk->start + 64)
        chunk->evaluated = UINT64_MAX;
    else if (rule->b > chunk->start)
        chunk->evaluated |= (UINT64_C(1) << (rule->b - chunk->start)) - 1;
}

static void mark_contained(brant__run *run, const brant__rule *rule, brant__chunk *chunk) {
    yyjson_val *item = chunk->first;
    for (unsigned i = 0; i < chunk->count; i++, item = unsafe_yyjson_get_next(item)) {
        if (chunk->evaluated >> i & 1) continue;
        if (brant__block_accepts(run, rule->c, item)) chunk->evaluated |= UINT64_C(1) << i;
    }
}

static void mark_rule(brant__run *run, const brant__rule *rule, yyjson_val *value,
                      brant__chunk *chunk) {
    const brant__schema *schema = run->schema;
    switch ((brant__operation)rule->op) {
    case BRANT__OP_OBJECT:
        mark_members(run, &schema->objects[rule->a], chunk);
        break;
    case BRANT__OP_ITEMS:
        mark_items(rule, chunk);
        break;
    case BRANT__OP_CONTAINS:
        mark_contained(run, rule, chunk);
        break;
    case BRANT__OP_APPLY:
        mark_block(run, rule->c, value, chunk, NULL);
        break;
    case BRANT__OP_DEPENDENT_SCHEMA: {
        const brant__text name = brant__name_text(schema, &schema->names[rule->a]);
        if (yyjson_obj_getn(value, name.data, name.length))
            mark_block(run, rule->c, value, chunk, NULL);
        break;
    }
    case BRANT__OP_ANY_OF:
    case BRANT__OP_ONE_OF:
        for (uint32_t i = 0; i < rule->b; i++) {
            const uint32_t block = schema->words[rule->a + i];
            if (brant__block_accepts(run, block, value)) mark_block(run, block, value, chunk, NULL);
        }
        break;
    case BRANT__OP_IF:
        if (brant__block_accepts(run, rule->c, value)) {
            mark_block(run, rule->c, value, chunk, NULL);
            mark_block(run, rule->a, value, chunk, NULL);
        } else {
            mark_block(run, rule->b, value, chunk, NULL);
        }
        break;
    case BRANT__OP_UNEVALUATED_PROPERTIES:
        if (yyjson_is_obj(value)) chunk->evaluated = UINT64_MAX;
        break;
    case BRANT__OP_UNEVALUATED_ITEMS:
        if (yyjson_is_arr(value)) chunk->evaluated = UINT64_MAX;
        break;
    default:
        break;
    }
}

static void mark_block(brant__run *run, uint32_t number, yyjson_val *value, brant__chunk *chunk,
                       const brant__rule *asking) {
    const brant__block *block = &run->schema->blocks[number];
    const int group = yyjson_is_obj(value) ? BRANT__GROUP_OBJECT : BRANT__GROUP_ARRAY;
    if (!brant__run_enter(run)) return;
    for (uint32_t i = block->first[group]; i < block->first[group + 1]; i++)
        mark_rule(run, &run->schema->rules[i], value, chunk);
    for (uint32_t i = block->first[BRANT__GROUP_COMMON]; i < block->first[BRANT__GROUP_COUNT];
         i++) {
        if (&run->schema->rules[i] != asking) mark_rule(run, &run->schema->rules[i], value, chunk);
    }
    brant__run_leave(run);
}

brant__chunk brant__chunk_first(yyjson_val *value) {
    return (brant__chunk){.left = yyjson_get_len(value),
                          .next =
                              yyjson_get_len(value) > 0 ? unsafe_yyjson_get_first(value) : NULL};
}

bool brant__chunk_next(brant__run *run, const brant__rule *rule, yyjson_val *value,
                       brant__chunk *chunk) {
    if (chunk->left == 0) return false;
    chunk->start += chunk->count;
    chunk->first = chunk->next;
    chunk->count = chunk->left < 64 ? (unsigned)chunk->left : 64;
    chunk->left -= chunk->count;
    chunk->evaluated = 0;
    mark_block(run, rule->a, value, chunk, rule);
    for (unsigned i = 0; i < chunk->count && chunk->left > 0; i++) {
        chunk->next = unsafe_yyjson_get_next(
            yyjson_is_obj(value) ? yyjson_obj_iter_get_val(chunk->next) : chunk->next);
    }
    return true;
}

bool brant__unevaluated_accept(brant__run *run, const brant__rule *rule, yyjson_val *value) {
    const bool object = rule->op == BRANT__OP_UNEVALUATED_PROPERTIES;
    if (object ? !yyjson_is_obj(value) : !yyjson_is_arr(value)) return true;
    if (rule->c == BRANT__BLOCK_TRUE) return true;
    brant__chunk chunk = brant__chunk_first(value);
    while (brant__chunk_next(run, rule, value, &chunk)) {
        yyjson_val *at = chunk.first;
        for (unsigned i = 0; i < chunk.count; i++) {
            yyjson_val *member = object ? yyjson_obj_iter_get_val(at) : at;
            if (!(chunk.evaluated >> i & 1) && !brant__block_accepts(run, rule->c, member))
                return false;
            at = unsafe_yyjson_get_next(member);
        }
    }
    return true;
}
