/*
 * schema/termination.c: refusing what could not be evaluated, or what no finite value satisfies.
 */
#include "schema/compile.h"

/* ---- schemas that apply to the same instance ------------------------------------------------------------------------ */

typedef struct frame {
    uint32_t block;
    uint32_t next; /* edge */
} frame;

/* The blocks that a rule applies to the rule's own instance, appended. */
static void append_edges(const brant__compiler *compiler, brant__buffer *edges,
                         const brant__rule *rule) {
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
        brant__buffer_append(edges, &BRANT__VECTOR(compiler->words, uint32_t)[rule->a],
                             rule->b * sizeof(uint32_t));
        break;
    default:
        break;
    }
}

/* edges[first[n]] up to edges[first[n + 1]] are those of block n. */
static void collect_edges(const brant__compiler *compiler, brant__buffer *first,
                          brant__buffer *edges) {
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
static bool visit(brant__compiler *compiler, uint32_t start, uint8_t *states, const uint32_t *first,
                  const uint32_t *edges, brant__buffer *stack) {
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
                             "more than %d schemas in a row apply to one value",
                             BRANT__SCHEMA_HEIGHT);
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

/* False after a fault. */
static bool check_circles(brant__compiler *compiler) {
    const uint32_t count = BRANT__VECTOR_COUNT(compiler->blocks, brant__block);
    brant__buffer first = {0}, edges = {0}, stack = {0};
    uint8_t *states = brant__alloc_zero(count);
    collect_edges(compiler, &first, &edges);
    const uint32_t *all = BRANT__VECTOR(edges, uint32_t);
    bool good = states && !first.failed && !edges.failed;
    for (uint32_t block = 0; good && all && block < count; block++) {
        if (states[block] == NEW)
            good = visit(compiler, block, states, BRANT__VECTOR(first, uint32_t), all, &stack);
    }
    if (!states || first.failed || edges.failed || stack.failed)
        brant__compiler_no_memory(compiler);
    brant__free(states);
    brant__buffer_free(&stack);
    brant__buffer_free(&edges);
    brant__buffer_free(&first);
    return good;
}

/* ---- recursion that needs an infinite value ---------------------------------------------------------------------------- */

/*
 * For each block the types of which it may accept a value, when its members may be values that other blocks accept. The least solution counts only
 * values that can be built from the bottom up; the greatest also those that would never end. A block that has some in the greatest and none in the
 * least needs an infinite value. What is not looked at (const, not, if, contains, ...) is taken to accept.
 */
typedef struct solution {
    const brant__compiler *compiler;
    uint8_t *types;
} solution;

/* More rounds than nesting that people write; beyond it nothing is concluded. */
enum { ROUNDS = 200 };

static const uint32_t *words(const solution *self, const brant__rule *rule) {
    return &BRANT__VECTOR(self->compiler->words, uint32_t)[rule->a];
}

/* An object is possible when every required property is. */
static bool object_possible(const solution *self, const brant__rule *rule) {
    const brant__object *object = &BRANT__VECTOR(self->compiler->objects, brant__object)[rule->a];
    const brant__name *names = BRANT__VECTOR(self->compiler->names, brant__name);
    for (uint32_t i = 0; i < object->table.name_count; i++) {
        const brant__name *name = &names[object->table.name + i];
        if (name->required && name->block != BRANT__NONE && self->types[name->block] == 0)
            return false;
    }
    return true;
}

/* An array is possible when the items that it must have are. */
static bool array_possible(const solution *self, const brant__block *block) {
    const brant__rule *rules = BRANT__VECTOR(self->compiler->rules, brant__rule);
    uint64_t least = 0;
    for (uint32_t i = block->first[BRANT__GROUP_ARRAY]; i < block->first[BRANT__GROUP_ARRAY + 1];
         i++) {
        if (rules[i].op == BRANT__OP_MIN_ITEMS) least = rules[i].n;
    }
    for (uint32_t i = block->first[BRANT__GROUP_ARRAY]; i < block->first[BRANT__GROUP_ARRAY + 1];
         i++) {
        if (rules[i].op != BRANT__OP_ITEMS) continue;
        for (uint32_t item = 0; item < rules[i].b && item < least; item++) {
            if (self->types[words(self, &rules[i])[item]] == 0) return false;
        }
        if (least > rules[i].b && rules[i].c != BRANT__NONE && self->types[rules[i].c] == 0)
            return false;
    }
    return true;
}

static uint8_t possible_types(const solution *self, const brant__block *block) {
    const brant__rule *rules = BRANT__VECTOR(self->compiler->rules, brant__rule);
    unsigned types = block->types;
    if (types & BRANT__TYPE_INTEGER) types |= BRANT__TYPE_BIT(YYJSON_TYPE_NUM);
    for (uint32_t i = block->first[BRANT__GROUP_OBJECT]; i < block->first[BRANT__GROUP_OBJECT + 1];
         i++) {
        if (rules[i].op == BRANT__OP_OBJECT && !object_possible(self, &rules[i]))
            types &= ~BRANT__TYPE_BIT(YYJSON_TYPE_OBJ);
    }
    if (!array_possible(self, block)) types &= ~BRANT__TYPE_BIT(YYJSON_TYPE_ARR);
    for (uint32_t i = block->first[BRANT__GROUP_COMMON]; i < block->first[BRANT__GROUP_COUNT];
         i++) {
        const brant__rule *rule = &rules[i];
        if (rule->op == BRANT__OP_APPLY) types &= self->types[rule->c];
        if (rule->op != BRANT__OP_ANY_OF && rule->op != BRANT__OP_ONE_OF) continue;
        unsigned any = 0;
        for (uint32_t branch = 0; branch < rule->b; branch++)
            any |= self->types[words(self, rule)[branch]];
        types &= any;
    }
    if (brant__block_nullable(block)) types |= BRANT__TYPE_BIT(YYJSON_TYPE_NULL);
    return (uint8_t)(types & ~BRANT__TYPE_INTEGER);
}

/* False when the rounds did not suffice. Blocks mostly need those behind them. */
static bool solve(const solution *self) {
    const brant__block *blocks = BRANT__VECTOR(self->compiler->blocks, brant__block);
    bool changed = true;
    for (int round = 0; changed && round < ROUNDS; round++) {
        changed = false;
        for (uint32_t i = BRANT__VECTOR_COUNT(self->compiler->blocks, brant__block); i-- > 0;) {
            const uint8_t types = possible_types(self, &blocks[i]);
            changed = changed || types != self->types[i];
            self->types[i] = types;
        }
    }
    return !changed;
}

static void check_finite(brant__compiler *compiler) {
    const uint32_t count = BRANT__VECTOR_COUNT(compiler->blocks, brant__block);
    const solution least = {compiler, brant__alloc_zero(count)},
                   greatest = {compiler, brant__alloc_zero(count)};
    if (!least.types || !greatest.types) {
        brant__compiler_no_memory(compiler);
    } else {
        memset(greatest.types, 0xFF, count);
        const bool solved = solve(&least) && solve(&greatest);
        for (uint32_t i = 0; solved && i < count; i++) {
            if (least.types[i] != 0 || greatest.types[i] == 0) continue;
            brant__fault(compiler, BRANT__VECTOR(compiler->blocks, brant__block)[i].place,
                         BRANT__TEXT(""), BRANT__TEXT(""),
                         "requires itself within itself: no finite value can satisfy it");
        }
    }
    brant__free(least.types);
    brant__free(greatest.types);
}

void brant__program_check(brant__compiler *compiler) {
    if (check_circles(compiler)) check_finite(compiler);
}
