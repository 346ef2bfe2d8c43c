/*
 * schema/link.c: the last steps of a compilation: what applies to the same instance must end, and the program becomes one allocation.
 */
#include "schema/compile.h"

/* ---- schemas that apply to the same instance ------------------------------------------------------------------------ */

typedef struct frame {
    uint32_t block;
    uint32_t next; /* edge */
} frame;

/* The blocks that a rule applies to the rule's own instance, appended. */
static void append_edges(const brant__compiler *compiler, brant__buffer *edges, const brant__rule *rule) {
    switch (rule->op) {
    case BRANT__OP_IF:
        brant__buffer_append(edges, &rule->a, sizeof(rule->a));
        brant__buffer_append(edges, &rule->b, sizeof(rule->b));
        brant__buffer_append(edges, &rule->c, sizeof(rule->c));
        break;
    case BRANT__OP_APPLY:
    case BRANT__OP_NOT:
    case BRANT__OP_DEPENDENT_SCHEMA:
        brant__buffer_append(edges, &rule->c, sizeof(rule->c));
        break;
    case BRANT__OP_ANY_OF:
    case BRANT__OP_ONE_OF:
        brant__buffer_append(edges, &BRANT__VECTOR(compiler->words, uint32_t)[rule->a], rule->b * sizeof(uint32_t));
        break;
    default:
        break;
    }
}

/* edges[first[n]] up to edges[first[n + 1]] are those of block n. */
static void collect_edges(const brant__compiler *compiler, brant__buffer *first, brant__buffer *edges) {
    const uint32_t count = BRANT__VECTOR_COUNT(compiler->blocks, brant__block);
    for (uint32_t i = 0; i <= count; i++) {
        const uint32_t at = BRANT__VECTOR_COUNT(*edges, uint32_t);
        brant__buffer_append(first, &at, sizeof(at));
        if (i == count) break;
        const brant__block *block = &BRANT__VECTOR(compiler->blocks, brant__block)[i];
        for (uint32_t rule = block->first[0]; rule < block->first[BRANT__GROUP_COUNT]; rule++) {
            append_edges(compiler, edges, &BRANT__VECTOR(compiler->rules, brant__rule)[rule]);
        }
    }
}

enum { NEW, OPEN, DONE };

/* Depth first from one block; false after a fault. */
static bool visit(brant__compiler *compiler, uint32_t start, uint8_t *states, const uint32_t *first, const uint32_t *edges, brant__buffer *stack) {
    brant__block *blocks = BRANT__VECTOR(compiler->blocks, brant__block);
    const frame bottom = {start, first[start]};
    brant__buffer_reset(stack);
    brant__buffer_append(stack, &bottom, sizeof(bottom));
    states[start] = OPEN;
    while (stack->length > 0 && !stack->failed) {
        frame *top = &BRANT__VECTOR(*stack, frame)[BRANT__VECTOR_COUNT(*stack, frame) - 1];
        const uint32_t block = top->block;
        if (top->next == first[block + 1]) {
            unsigned height = 0;
            for (uint32_t edge = first[block]; edge < first[block + 1]; edge++) {
                const unsigned below = blocks[edges[edge]].height + 1u;
                if (below > height) height = below;
            }
            if (height > BRANT__SCHEMA_HEIGHT) {
                brant__fault(compiler, blocks[block].place, BRANT__TEXT(""), BRANT__TEXT(""),
                             "more than %d schemas in a row apply to one value", BRANT__SCHEMA_HEIGHT);
                return false;
            }
            blocks[block].height = (uint8_t)height;
            states[block] = DONE;
            stack->length -= sizeof(frame);
            continue;
        }
        const uint32_t next = edges[top->next++];
        if (states[next] == OPEN) {
            brant__fault(compiler, blocks[next].place, BRANT__TEXT(""), BRANT__TEXT(""),
                         "applies to a value only by way of itself: a $ref that never ends");
            return false;
        }
        if (states[next] == NEW) {
            const frame deeper = {next, first[next]};
            states[next] = OPEN;
            brant__buffer_append(stack, &deeper, sizeof(deeper));
        }
    }
    return true;
}

void brant__program_check(brant__compiler *compiler) {
    const uint32_t count = BRANT__VECTOR_COUNT(compiler->blocks, brant__block);
    brant__buffer first = {0}, edges = {0}, stack = {0};
    uint8_t *states = brant__alloc_zero(count);
    collect_edges(compiler, &first, &edges);
    bool good = states && !first.failed && !edges.failed;
    for (uint32_t block = 0; good && block < count; block++) {
        if (states[block] != NEW) continue;
        good = visit(compiler, block, states, BRANT__VECTOR(first, uint32_t), BRANT__VECTOR(edges, uint32_t), &stack);
    }
    if (!states || first.failed || edges.failed || stack.failed) brant__compiler_no_memory(compiler);
    brant__free(states);
    brant__buffer_free(&stack);
    brant__buffer_free(&edges);
    brant__buffer_free(&first);
}

/* ---- packing --------------------------------------------------------------------------------------------------------- */

/* Give the places of all blocks, and those above them, numbers in the program. */
static void pack_places(brant__compiler *compiler) {
    brant__site *sites = BRANT__VECTOR(compiler->sites, brant__site);
    const uint32_t count = BRANT__VECTOR_COUNT(compiler->blocks, brant__block);
    for (uint32_t i = 0; i < count; i++) {
        brant__block *block = &BRANT__VECTOR(compiler->blocks, brant__block)[i];
        uint32_t site = block->place, below = BRANT__NONE;
        while (site != BRANT__NONE) {
            const bool known = sites[site].packed != BRANT__NONE;
            if (!known) {
                sites[site].packed = BRANT__VECTOR_COUNT(compiler->places, brant__place);
                const brant__text text = sites[site].text;
                const brant__place place = {
                    .parent = BRANT__NONE,
                    .kind = sites[site].kind,
                    .keyword = sites[site].keyword,
                    .index = sites[site].index,
                    .text = (uint32_t)compiler->text.length,
                    .length = (uint32_t)text.length,
                };
                brant__buffer_append(&compiler->text, text.data, text.length);
                brant__buffer_append(&compiler->places, &place, sizeof(place));
                if (compiler->places.failed) return;
            }
            if (below == BRANT__NONE) block->place = sites[site].packed;
            else BRANT__VECTOR(compiler->places, brant__place)[below].parent = sites[site].packed;
            if (known) break;
            below = sites[site].packed;
            site = sites[site].parent;
        }
    }
}

/* The size of an array in the program, which keeps the next one aligned. */
static size_t padded(size_t size) { return (size + 15) & ~(size_t)15; }

static const void *place_array(char **at, const brant__buffer *buffer) {
    const void *array = *at;
    if (buffer->length > 0) memcpy(*at, buffer->data, buffer->length);
    *at += padded(buffer->length);
    return array;
}

brant_status brant__program_pack(brant__schema **out_schema, brant__compiler *compiler, uint32_t entry) {
    brant_status status = BRANT_OK;
    brant__schema *schema = NULL;
    brant__write_end(&compiler->constants);
    pack_places(compiler);
    const brant__buffer *const arrays[] = {
        &compiler->blocks, &compiler->rules,   &compiler->words,   &compiler->numbers, &compiler->names,    &compiler->slots,
        &compiler->objects, &compiler->choices, &compiler->places, &compiler->text,    &compiler->patterns,
    };
    const size_t constants_size = compiler->constant_count * sizeof(yyjson_val *);
    size_t size = padded(sizeof(*schema)) + padded(constants_size);
    for (size_t i = 0; i < BRANT__COUNT(arrays); i++) {
        if (arrays[i]->failed) return brant__fail_memory();
        if (arrays[i]->length > UINT32_MAX / 2) return brant__fail(BRANT_LIMIT, "the schema is too large");
        size += padded(arrays[i]->length);
    }
    if (compiler->constants.buffer.failed) return brant__fail_memory();
    schema = brant__alloc_zero(size);
    if (!schema) return brant__fail_memory();
    const brant__buffer *constants = &compiler->constants.buffer;
    BRANT__TRY(brant__json_parse(&schema->constants_json, constants->data, constants->length, 0));

    char *at = (char *)schema + padded(sizeof(*schema));
    yyjson_val **values = (yyjson_val **)(void *)at;
    at += padded(constants_size);
    size_t index, count;
    yyjson_val *value;
    yyjson_arr_foreach(schema->constants_json.root, index, count, value) values[index] = value;
    schema->constants = values;
    schema->blocks = place_array(&at, &compiler->blocks);
    schema->rules = place_array(&at, &compiler->rules);
    schema->words = place_array(&at, &compiler->words);
    schema->numbers = place_array(&at, &compiler->numbers);
    schema->names = place_array(&at, &compiler->names);
    schema->slots = place_array(&at, &compiler->slots);
    schema->objects = place_array(&at, &compiler->objects);
    schema->choices = place_array(&at, &compiler->choices);
    schema->places = place_array(&at, &compiler->places);
    schema->text = place_array(&at, &compiler->text);
    schema->patterns = (brant__pattern **)(void *)at;
    place_array(&at, &compiler->patterns);
    schema->pattern_count = BRANT__VECTOR_COUNT(compiler->patterns, brant__pattern *);
    brant__buffer_reset(&compiler->patterns);
    schema->entry = entry;
    *out_schema = schema;
    schema = NULL;
cleanup:
    brant__schema_free(schema);
    return status;
}

void brant__schema_free(brant__schema *schema) {
    if (!schema) return;
    for (uint32_t i = 0; i < schema->pattern_count; i++) brant__pattern_free(schema->patterns[i]);
    brant__json_free(&schema->constants_json);
    brant__free(schema);
}
