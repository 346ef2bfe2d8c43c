/*
 * evolution/relation.c: what one compiled schema says of the values of another.
 *
 * Three questions, each asked for one type of value at a time: is every value of L a value of R (included), does no value satisfy both
 * (disjoint), does casting to R make every value of L valid (castable). null, true and false are not reasoned about but tried, and so
 * are the values of const and enum. A schema is taken for the conjunction of its rules with those of what it applies ($ref, allOf); R's rules
 * must each follow from L, by the rule table below, or, where L is a union, from each of its branches.
 *
 * Schemas recurse: a question that comes up while it is being answered is taken for true, since it is about smaller values then. When the
 * answer turns out false after it was relied on, all that was true is asked again, until nothing changes. False answers are final.
 */
#include "evolution/relation.h"

const char *const brant__class_names[] = {"identical", "additive", "upcast", "breaking"};

enum { INCLUDED, DISJOINT, CASTABLE, SAME };
enum { DEEPEST = 300 };
#define STEPS UINT64_C(4000000)

typedef struct range {
    uint32_t first;
    uint32_t count;
    unsigned types;
} range;

/* The types whose values are reasoned about. */
static const int types_of[] = {YYJSON_TYPE_NUM, YYJSON_TYPE_STR, YYJSON_TYPE_ARR, YYJSON_TYPE_OBJ};

static bool included_at(brant__relation *self, brant__spot l, brant__spot r, int type);
static bool included(brant__relation *self, brant__spot l, brant__spot r);
static bool disjoint_at(brant__relation *self, brant__spot l, brant__spot r, int type);
static bool disjoint(brant__relation *self, brant__spot l, brant__spot r);
static bool castable_at(brant__relation *self, brant__spot l, brant__spot r, int type);
static bool castable(brant__relation *self, brant__spot l, brant__spot r);
static bool same(brant__relation *self, brant__spot l, brant__spot r);

/* ---- reading programs ------------------------------------------------------------------------ */

static const brant__schema *schema_of(const brant__relation *self, brant__spot spot) {
    return self->schemas[spot.side];
}

static const brant__block *block_at(const brant__relation *self, brant__spot spot) {
    return &schema_of(self, spot)->blocks[spot.block];
}

static brant__spot spot_of(const brant__atom *atom, uint32_t block) {
    return (brant__spot){atom->owner.side, block};
}

static brant__spot branch_of(const brant__relation *self, const brant__atom *atom, uint32_t index) {
    return spot_of(atom, schema_of(self, atom->owner)->words[atom->rule->a + index]);
}

static const brant__object *object_of(const brant__relation *self, const brant__atom *atom) {
    return &schema_of(self, atom->owner)->objects[atom->rule->a];
}

static const brant__number *number_of(const brant__relation *self, const brant__atom *atom) {
    return &schema_of(self, atom->owner)->numbers[atom->rule->a];
}

static const brant__name *name_of(const brant__relation *self, const brant__atom *atom,
                                  uint32_t index) {
    return &schema_of(self, atom->owner)->names[index];
}

static brant__text text_of(const brant__relation *self, const brant__atom *atom, uint32_t index) {
    return brant__name_text(schema_of(self, atom->owner), name_of(self, atom, index));
}

static const brant__pattern *pattern_of(const brant__relation *self, const brant__atom *atom,
                                        uint32_t index) {
    return schema_of(self, atom->owner)->patterns[index];
}

static bool step(brant__relation *self) {
    if (self->steps == 0) return false;
    self->steps--;
    return true;
}

static void add_rules(brant__relation *self, brant__spot spot, int type, unsigned *types) {
    const brant__schema *schema = schema_of(self, spot);
    const brant__block *block = block_at(self, spot);
    const int groups[] = {brant__group_of(type), BRANT__GROUP_COMMON};
    /* A number is an integer or not: both bits. */
    *types &=
        block->types |
        (block->types & BRANT__TYPE_BIT(YYJSON_TYPE_NUM) ? (unsigned)BRANT__TYPE_INTEGER : 0u);
    for (size_t g = 0; g < BRANT__COUNT(groups); g++) {
        if (groups[g] < 0) continue;
        for (uint32_t i = block->first[groups[g]]; i < block->first[groups[g] + 1]; i++) {
            const brant__rule *rule = &schema->rules[i];
            if (!step(self)) return;
            if (rule->op == BRANT__OP_APPLY) {
                add_rules(self, (brant__spot){spot.side, rule->c}, type, types);
                continue;
            }
            const brant__atom atom = {spot, rule};
            brant__buffer_append(&self->atoms, &atom, sizeof(atom));
        }
    }
}

unsigned brant__relation_atoms(brant__relation *self, brant__spot spot, int type,
                               uint32_t *out_first, uint32_t *out_count) {
    unsigned types = BRANT__TYPE_ANY | BRANT__TYPE_INTEGER;
    *out_first = (uint32_t)(self->atoms.length / sizeof(brant__atom));
    add_rules(self, spot, type, &types);
    if (self->atoms.failed) self->failed = true;
    *out_count = (uint32_t)(self->atoms.length / sizeof(brant__atom)) - *out_first;
    return types;
}

void brant__relation_release(brant__relation *self, uint32_t first) {
    self->atoms.length = first * sizeof(brant__atom);
}

static range collect(brant__relation *self, brant__spot spot, int type) {
    range out;
    out.types = brant__relation_atoms(self, spot, type, &out.first, &out.count);
    return out;
}

/* By value: the stack may move. */
static brant__atom atom_at(const brant__relation *self, uint32_t index) {
    return *brant__relation_atom(self, index);
}

static bool has_type(unsigned types, int type) {
    return (types & BRANT__TYPE_BIT(type)) ||
           (type == YYJSON_TYPE_NUM && (types & BRANT__TYPE_INTEGER));
}

/* Every number, not just integers; every value of another type. */
static bool whole_type(unsigned types, int type) {
    return (types & BRANT__TYPE_BIT(type)) != 0;
}

/* ---- trying values --------------------------------------------------------------------------- */

/* A value on which the validator gives up proves nothing. */
static bool settle(brant__relation *self, const brant__run *run, bool accepted) {
    if (run->exhausted) self->steps = 0;
    self->steps -= self->steps < 8 ? self->steps : 8;
    return accepted;
}

static bool accepts(brant__relation *self, brant__spot spot, yyjson_val *value) {
    brant__run run = brant__run_begin(schema_of(self, spot), value);
    const bool accepted = brant__block_accepts(&run, spot.block, value);
    return settle(self, &run, accepted);
}

static bool rule_accepts(brant__relation *self, const brant__atom *atom, yyjson_val *value) {
    brant__run run = brant__run_begin(schema_of(self, atom->owner), value);
    const bool accepted = brant__rule_accepts(&run, atom->rule, value);
    return settle(self, &run, accepted);
}

static yyjson_val scalars[3] = {
    {.tag = YYJSON_TYPE_NULL},
    {.tag = YYJSON_TYPE_BOOL | YYJSON_SUBTYPE_TRUE},
    {.tag = YYJSON_TYPE_BOOL | YYJSON_SUBTYPE_FALSE},
};

/* The values that a const or enum among the rules leaves; NULL where there is none. An enum's is its array. */
static yyjson_val *finite(const brant__relation *self, range rules, bool *out_many) {
    for (uint32_t i = 0; i < rules.count; i++) {
        const brant__atom atom = atom_at(self, rules.first + i);
        const brant__schema *schema = schema_of(self, atom.owner);
        *out_many = atom.rule->op == BRANT__OP_ENUM;
        if (atom.rule->op == BRANT__OP_CONST || atom.rule->op == BRANT__OP_CONST_TEXT)
            return schema->constants[atom.rule->a];
        if (*out_many) return schema->constants[schema->choices[atom.rule->c].constant];
    }
    return NULL;
}

typedef bool (*test)(brant__relation *self, const void *context, yyjson_val *value);

/* True when each value of the spot among the finite ones passes. */
static bool each_finite(brant__relation *self, brant__spot spot, int type, yyjson_val *values,
                        bool many, test passes, const void *context) {
    if (!many) {
        if (yyjson_get_type(values) != type || !accepts(self, spot, values)) return true;
        return passes(self, context, values);
    }
    size_t index, count;
    yyjson_val *value;
    yyjson_arr_foreach(values, index, count, value) {
        if (yyjson_get_type(value) != type || !accepts(self, spot, value)) continue;
        if (!passes(self, context, value)) return false;
    }
    return true;
}

/* ---- remembering ----------------------------------------------------------------------------- */

enum { OPEN, RELIED_ON, YES, NO };

/* What is known: YES, NO, or OPEN where it is to be found out (and noted as open). */
static int recall(brant__relation *self, const uint32_t key[6]) {
    const brant__text text = brant__text_of((const char *)key, 6 * sizeof(*key));
    int64_t known;
    if (self->failed || self->depth >= DEEPEST || !step(self)) return NO;
    if (brant__map_get(&self->memo, text, &known)) {
        const int state = (int)(known & 3);
        if (state == NO) return NO;
        if (known >> 2 == (int64_t)self->round) {
            if (state == OPEN &&
                !brant__map_put(&self->memo, text, (int64_t)self->round << 2 | RELIED_ON))
                self->failed = true;
            return YES;
        }
    }
    if (!brant__map_put(&self->memo, text, (int64_t)self->round << 2 | OPEN)) self->failed = true;
    return OPEN;
}

static bool remember(brant__relation *self, const uint32_t key[6], bool answer) {
    const brant__text text = brant__text_of((const char *)key, 6 * sizeof(*key));
    int64_t known = 0;
    if (self->steps == 0 || self->failed) answer = false;
    brant__map_get(&self->memo, text, &known);
    if (!answer && (known & 3) == RELIED_ON) self->unstable = true;
    if (!brant__map_put(&self->memo, text, (int64_t)self->round << 2 | (answer ? YES : NO)))
        self->failed = true;
    return answer && !self->failed;
}

typedef bool (*question)(brant__relation *self, brant__spot l, brant__spot r, int type);

static bool ask(brant__relation *self, uint32_t kind, question find, brant__spot l, brant__spot r,
                int type) {
    const uint32_t key[6] = {kind, l.side, l.block, r.side, r.block, (uint32_t)type};
    const int known = recall(self, key);
    if (known != OPEN) return known == YES;
    self->depth++;
    const bool answer = find(self, l, r, type);
    self->depth--;
    return remember(self, key, answer);
}

static bool is_true(brant__spot spot) {
    return spot.block == BRANT__BLOCK_TRUE;
}

/* ---- members --------------------------------------------------------------------------------- */

typedef bool (*pairwise)(brant__relation *self, brant__spot l, brant__spot r);

/* Blocks that an object rule puts on the member of a name. False when a pattern cannot tell. */
typedef struct governors {
    brant__spot spots[8];
    size_t count;
} governors;

static bool govern(const brant__relation *self, const brant__atom *atom, brant__text name,
                   governors *out) {
    const brant__schema *schema = schema_of(self, atom->owner);
    const brant__object *object = object_of(self, atom);
    const uint32_t found = brant__table_find(schema, &object->table, name.data, name.length);
    out->count = 0;
    if (found != BRANT__NONE && schema->names[object->table.name + found].block != BRANT__NONE)
        out->spots[out->count++] = spot_of(atom, schema->names[object->table.name + found].block);
    for (uint32_t i = 0; i < object->pattern_count; i++) {
        const uint32_t *pair = schema->words + object->pattern + (size_t)2 * i;
        const int match = brant__pattern_match(schema->patterns[pair[0]], name.data, name.length);
        if (match < 0 || (match > 0 && out->count == BRANT__COUNT(out->spots))) return false;
        if (match > 0) out->spots[out->count++] = spot_of(atom, pair[1]);
    }
    if (out->count == 0) out->spots[out->count++] = spot_of(atom, object->additional);
    return true;
}

/* Does one of L's rules on the member of this name relate to the goal? */
static bool member(brant__relation *self, range rules, brant__text name, brant__spot goal,
                   pairwise relates) {
    if (is_true(goal) && relates != disjoint) return true;
    for (uint32_t i = 0; i < rules.count; i++) {
        const brant__atom atom = atom_at(self, rules.first + i);
        governors blocks;
        if (atom.rule->op != BRANT__OP_OBJECT || !govern(self, &atom, name, &blocks)) continue;
        for (size_t b = 0; b < blocks.count; b++)
            if (relates(self, blocks.spots[b], goal)) return true;
    }
    return false;
}

static bool
    requires(const brant__relation *self, range rules, brant__text name)
{
    for (uint32_t i = 0; i < rules.count; i++) {
        const brant__atom atom = atom_at(self, rules.first + i);
        if (atom.rule->op != BRANT__OP_OBJECT) continue;
        const brant__schema *schema = schema_of(self, atom.owner);
        const brant__object *object = object_of(self, &atom);
        const uint32_t found = brant__table_find(schema, &object->table, name.data, name.length);
        if (found != BRANT__NONE && schema->names[object->table.name + found].required) return true;
    }
    return false;
}

/* No value has a member of this name. */
static bool forbids(brant__relation *self, range rules, brant__text name) {
    for (uint32_t i = 0; i < rules.count; i++) {
        const brant__atom atom = atom_at(self, rules.first + i);
        governors blocks;
        if (atom.rule->op != BRANT__OP_OBJECT || !govern(self, &atom, name, &blocks)) continue;
        for (size_t b = 0; b < blocks.count; b++) {
            const brant__block *block = block_at(self, blocks.spots[b]);
            if (brant__block_never(block)) return true;
        }
    }
    return false;
}

static bool same_source(const brant__pattern *a, const brant__pattern *b) {
    return brant__text_equal(brant__pattern_source(a), brant__pattern_source(b));
}

/* The patterns of an object rule: its number in the schema and its block. */
static const uint32_t *pattern_pair(const brant__relation *self, const brant__atom *atom,
                                    uint32_t index) {
    return schema_of(self, atom->owner)->words + object_of(self, atom)->pattern + (size_t)2 * index;
}

/* All members whose names match the pattern relate to the block, by one rule of L. */
static bool pattern_by(brant__relation *self, range rules, const brant__atom *own,
                       const brant__pattern *pattern, brant__spot goal, pairwise relates) {
    const brant__object *object = object_of(self, own);
    for (uint32_t i = 0; i < object->pattern_count; i++) {
        const uint32_t *pair = pattern_pair(self, own, i);
        if (same_source(pattern_of(self, own, pair[0]), pattern) &&
            relates(self, spot_of(own, pair[1]), goal))
            return true;
    }
    if (!relates(self, spot_of(own, object->additional), goal)) return false;
    for (uint32_t i = 0; i < object->pattern_count; i++)
        if (!relates(self, spot_of(own, pattern_pair(self, own, i)[1]), goal)) return false;
    for (uint32_t i = 0; i < object->table.name_count; i++) {
        const brant__name *name = name_of(self, own, object->table.name + i);
        const brant__text text = text_of(self, own, object->table.name + i);
        if (name->block == BRANT__NONE) continue;
        if (brant__pattern_match(pattern, text.data, text.length) == 0) continue;
        if (!member(self, rules, text, goal, relates)) return false;
    }
    return true;
}

/* Is a name looked at by the properties or patterns of an object rule? */
static bool evaluates(const brant__relation *self, const brant__atom *atom, brant__text name) {
    const brant__schema *schema = schema_of(self, atom->owner);
    const brant__object *object = object_of(self, atom);
    const uint32_t found = brant__table_find(schema, &object->table, name.data, name.length);
    if (found != BRANT__NONE && schema->names[object->table.name + found].block != BRANT__NONE)
        return true;
    for (uint32_t i = 0; i < object->pattern_count; i++)
        if (brant__pattern_match(pattern_of(self, atom, pattern_pair(self, atom, i)[0]), name.data,
                                 name.length) == 1)
            return true;
    return false;
}

/* All members that the goal's properties and patterns do not look at relate to its additionalProperties, by one rule of L. */
static bool others_by(brant__relation *self, range rules, const brant__atom *own,
                      const brant__atom *goal, pairwise relates) {
    const brant__object *object = object_of(self, own);
    const brant__object *wanted = object_of(self, goal);
    const brant__spot additional = spot_of(goal, wanted->additional);
    if (!relates(self, spot_of(own, object->additional), additional)) return false;
    for (uint32_t i = 0; i < object->pattern_count; i++) {
        const uint32_t *pair = pattern_pair(self, own, i);
        bool known = false;
        for (uint32_t j = 0; j < wanted->pattern_count && !known; j++)
            known = same_source(pattern_of(self, own, pair[0]),
                                pattern_of(self, goal, pattern_pair(self, goal, j)[0]));
        if (!known && !relates(self, spot_of(own, pair[1]), additional)) return false;
    }
    for (uint32_t i = 0; i < object->table.name_count; i++) {
        const brant__text text = text_of(self, own, object->table.name + i);
        if (name_of(self, own, object->table.name + i)->block == BRANT__NONE) continue;
        if (evaluates(self, goal, text)) continue;
        if (!member(self, rules, text, additional, relates)) return false;
    }
    return true;
}

/* ---- items ----------------------------------------------------------------------------------- */

static uint64_t most_items(const brant__relation *self, range rules) {
    uint64_t most = UINT64_MAX;
    for (uint32_t i = 0; i < rules.count; i++) {
        const brant__atom atom = atom_at(self, rules.first + i);
        if (atom.rule->op == BRANT__OP_MAX_ITEMS && atom.rule->n < most) most = atom.rule->n;
    }
    return most;
}

static bool item(brant__relation *self, range rules, uint64_t index, brant__spot goal,
                 pairwise relates) {
    if (is_true(goal)) return true;
    for (uint32_t i = 0; i < rules.count; i++) {
        const brant__atom atom = atom_at(self, rules.first + i);
        if (atom.rule->op != BRANT__OP_ITEMS) continue;
        const uint32_t block =
            index < atom.rule->b ? branch_of(self, &atom, (uint32_t)index).block : atom.rule->c;
        if (block != BRANT__NONE && relates(self, spot_of(&atom, block), goal)) return true;
    }
    return false;
}

static bool items(brant__relation *self, range rules, const brant__atom *goal, pairwise relates) {
    const uint64_t most = most_items(self, rules);
    for (uint32_t i = 0; i < goal->rule->b && i < most; i++)
        if (!item(self, rules, i, branch_of(self, goal, i), relates)) return false;
    if (goal->rule->c == BRANT__NONE || goal->rule->c == BRANT__BLOCK_TRUE || most <= goal->rule->b)
        return true;
    const brant__spot rest = spot_of(goal, goal->rule->c);
    for (uint32_t i = 0; i < rules.count; i++) {
        const brant__atom own = atom_at(self, rules.first + i);
        if (own.rule->op != BRANT__OP_ITEMS) continue;
        bool good = most <= own.rule->b ||
                    (own.rule->c != BRANT__NONE && relates(self, spot_of(&own, own.rule->c), rest));
        for (uint32_t at = goal->rule->b; good && at < own.rule->b && at < most; at++)
            good = item(self, rules, at, rest, relates);
        if (good) return true;
    }
    return false;
}

/* ---- the rule table: does the goal follow from one of L's rules? ------------------------------ */

typedef bool (*by_rule)(brant__relation *self, const brant__atom *own, const brant__atom *goal,
                        int type);
typedef bool (*by_all)(brant__relation *self, brant__spot l, range rules, const brant__atom *goal,
                       int type);

static bool lower_bound(brant__relation *self, const brant__atom *own, const brant__atom *goal,
                        int type) {
    (void)type;
    const bool open = own->rule->op == BRANT__OP_EXCLUSIVE_MINIMUM;
    if (!open && own->rule->op != BRANT__OP_MINIMUM) return false;
    const int order = brant__number_compare(number_of(self, own), number_of(self, goal));
    return goal->rule->op == BRANT__OP_MINIMUM || open ? order >= 0 : order > 0;
}

static bool upper_bound(brant__relation *self, const brant__atom *own, const brant__atom *goal,
                        int type) {
    (void)type;
    const bool open = own->rule->op == BRANT__OP_EXCLUSIVE_MAXIMUM;
    if (!open && own->rule->op != BRANT__OP_MAXIMUM) return false;
    const int order = brant__number_compare(number_of(self, own), number_of(self, goal));
    return goal->rule->op == BRANT__OP_MAXIMUM || open ? order <= 0 : order < 0;
}

static bool multiple(brant__relation *self, const brant__atom *own, const brant__atom *goal,
                     int type) {
    (void)type;
    return own->rule->op == BRANT__OP_MULTIPLE_OF &&
           brant__number_multiple(number_of(self, own), number_of(self, goal));
}

static bool at_least(brant__relation *self, const brant__atom *own, const brant__atom *goal,
                     int type) {
    (void)self;
    (void)type;
    return own->rule->op == goal->rule->op && own->rule->n >= goal->rule->n;
}

static bool at_most(brant__relation *self, const brant__atom *own, const brant__atom *goal,
                    int type) {
    (void)self;
    (void)type;
    return own->rule->op == goal->rule->op && own->rule->n <= goal->rule->n;
}

static bool same_pattern(brant__relation *self, const brant__atom *own, const brant__atom *goal,
                         int type) {
    (void)type;
    return own->rule->op == BRANT__OP_PATTERN &&
           same_source(pattern_of(self, own, own->rule->a), pattern_of(self, goal, goal->rule->a));
}

static bool same_format(brant__relation *self, const brant__atom *own, const brant__atom *goal,
                        int type) {
    (void)self;
    (void)type;
    return own->rule->op == BRANT__OP_FORMAT && own->rule->a == goal->rule->a;
}

static bool unique(brant__relation *self, const brant__atom *own, const brant__atom *goal,
                   int type) {
    (void)self;
    (void)goal;
    (void)type;
    return own->rule->op == BRANT__OP_UNIQUE_ITEMS ||
           (own->rule->op == BRANT__OP_MAX_ITEMS && own->rule->n <= 1);
}

static bool contains(brant__relation *self, const brant__atom *own, const brant__atom *goal,
                     int type) {
    (void)type;
    if (own->rule->op != BRANT__OP_CONTAINS) return false;
    const brant__spot mine = spot_of(own, own->rule->c), wanted = spot_of(goal, goal->rule->c);
    if (goal->rule->a > 0 && !(own->rule->a >= goal->rule->a && included(self, mine, wanted)))
        return false;
    return goal->rule->b == BRANT__NONE ||
           (own->rule->b != BRANT__NONE && own->rule->b <= goal->rule->b &&
            included(self, wanted, mine));
}

static bool property_names(brant__relation *self, const brant__atom *own, const brant__atom *goal,
                           int type) {
    (void)type;
    return own->rule->op == BRANT__OP_PROPERTY_NAMES &&
           included_at(self, spot_of(own, own->rule->c), spot_of(goal, goal->rule->c),
                       YYJSON_TYPE_STR);
}

static bool dependents(brant__relation *self, const brant__atom *own, const brant__atom *goal,
                       int type) {
    (void)type;
    if (own->rule->op != BRANT__OP_DEPENDENT_REQUIRED ||
        !brant__text_equal(text_of(self, own, own->rule->a), text_of(self, goal, goal->rule->a)))
        return false;
    for (uint32_t i = 1; i < goal->rule->b; i++) {
        bool found = false;
        for (uint32_t j = 1; j < own->rule->b && !found; j++)
            found = brant__text_equal(text_of(self, own, own->rule->a + j),
                                      text_of(self, goal, goal->rule->a + i));
        if (!found) return false;
    }
    return true;
}

static bool dependent_schema(brant__relation *self, const brant__atom *own, const brant__atom *goal,
                             int type) {
    return own->rule->op == BRANT__OP_DEPENDENT_SCHEMA &&
           brant__text_equal(text_of(self, own, own->rule->a),
                             text_of(self, goal, goal->rule->a)) &&
           included_at(self, spot_of(own, own->rule->c), spot_of(goal, goal->rule->c), type);
}

/* The same branches in any order, and none that a value of the others could satisfy too. */
static bool one_of(brant__relation *self, const brant__atom *own, const brant__atom *goal,
                   int type) {
    if (own->rule->op != BRANT__OP_ONE_OF || goal->rule->b > 64) return false;
    uint64_t taken = 0;
    for (uint32_t i = 0; i < own->rule->b; i++) {
        const brant__spot mine = branch_of(self, own, i);
        bool found = false;
        for (uint32_t j = 0; j < goal->rule->b && !found; j++) {
            const brant__spot wanted = branch_of(self, goal, j);
            if (taken >> j & 1 || !included_at(self, mine, wanted, type) ||
                !included_at(self, wanted, mine, type))
                continue;
            taken |= UINT64_C(1) << j;
            found = true;
        }
        if (!found) return false;
    }
    for (uint32_t j = 0; j < goal->rule->b; j++) {
        if (taken >> j & 1) continue;
        for (uint32_t i = 0; i < own->rule->b; i++)
            if (!disjoint_at(self, branch_of(self, own, i), branch_of(self, goal, j), type))
                return false;
    }
    return true;
}

static bool not_wider(brant__relation *self, const brant__atom *own, const brant__atom *goal,
                      int type) {
    return own->rule->op == BRANT__OP_NOT &&
           included_at(self, spot_of(goal, goal->rule->c), spot_of(own, own->rule->c), type);
}

static bool same_condition(brant__relation *self, const brant__atom *own, const brant__atom *goal,
                           int type) {
    const brant__rule *a = own->rule, *b = goal->rule;
    return a->op == BRANT__OP_IF &&
           included_at(self, spot_of(own, a->c), spot_of(goal, b->c), type) &&
           included_at(self, spot_of(goal, b->c), spot_of(own, a->c), type) &&
           included_at(self, spot_of(own, a->a), spot_of(goal, b->a), type) &&
           included_at(self, spot_of(own, a->b), spot_of(goal, b->b), type);
}

/* What is left over depends on all fellow rules: they must be the same. */
static bool same_rest(brant__relation *self, const brant__atom *own, const brant__atom *goal,
                      int type) {
    (void)type;
    return own->rule->op == goal->rule->op &&
           same(self, spot_of(own, own->rule->a), spot_of(goal, goal->rule->a));
}

/* ---- the rule table: does it follow from all of them together? -------------------------------- */

static bool object_by_all(brant__relation *self, brant__spot l, range rules,
                          const brant__atom *goal, int type) {
    const brant__object *object = object_of(self, goal);
    (void)l;
    (void)type;
    for (uint32_t i = 0; i < object->table.name_count; i++) {
        const brant__name *name = name_of(self, goal, object->table.name + i);
        const brant__text text = text_of(self, goal, object->table.name + i);
        if (name->required && !requires(self, rules, text)) return false;
        if (name->block != BRANT__NONE &&
            !member(self, rules, text, spot_of(goal, name->block), included))
            return false;
    }
    for (uint32_t i = 0; i < object->pattern_count; i++) {
        const uint32_t *pair = pattern_pair(self, goal, i);
        const brant__spot wanted = spot_of(goal, pair[1]);
        bool found = is_true(wanted);
        for (uint32_t at = 0; at < rules.count && !found; at++) {
            const brant__atom own = atom_at(self, rules.first + at);
            found =
                own.rule->op == BRANT__OP_OBJECT &&
                pattern_by(self, rules, &own, pattern_of(self, goal, pair[0]), wanted, included);
        }
        if (!found) return false;
    }
    bool found = object->additional == BRANT__BLOCK_TRUE;
    for (uint32_t at = 0; at < rules.count && !found; at++) {
        const brant__atom own = atom_at(self, rules.first + at);
        found = own.rule->op == BRANT__OP_OBJECT && others_by(self, rules, &own, goal, included);
    }
    return found;
}

static bool items_by_all(brant__relation *self, brant__spot l, range rules, const brant__atom *goal,
                         int type) {
    (void)l;
    (void)type;
    return items(self, rules, goal, included);
}

static bool any_by_all(brant__relation *self, brant__spot l, range rules, const brant__atom *goal,
                       int type) {
    (void)rules;
    for (uint32_t i = 0; i < goal->rule->b; i++)
        if (included_at(self, l, branch_of(self, goal, i), type)) return true;
    return false;
}

static bool one_by_all(brant__relation *self, brant__spot l, range rules, const brant__atom *goal,
                       int type) {
    (void)rules;
    for (uint32_t i = 0; i < goal->rule->b; i++) {
        if (!included_at(self, l, branch_of(self, goal, i), type)) continue;
        bool alone = true;
        for (uint32_t j = 0; j < goal->rule->b && alone; j++)
            alone = i == j || disjoint_at(self, l, branch_of(self, goal, j), type);
        if (alone) return true;
    }
    return false;
}

static bool not_by_all(brant__relation *self, brant__spot l, range rules, const brant__atom *goal,
                       int type) {
    (void)rules;
    return disjoint_at(self, l, spot_of(goal, goal->rule->c), type);
}

static bool if_by_all(brant__relation *self, brant__spot l, range rules, const brant__atom *goal,
                      int type) {
    (void)rules;
    const brant__spot condition = spot_of(goal, goal->rule->c);
    const bool then = included_at(self, l, spot_of(goal, goal->rule->a), type);
    const bool otherwise = included_at(self, l, spot_of(goal, goal->rule->b), type);
    if (then && otherwise) return true;
    if (then) return included_at(self, l, condition, type);
    return otherwise && disjoint_at(self, l, condition, type);
}

static bool dependents_by_all(brant__relation *self, brant__spot l, range rules,
                              const brant__atom *goal, int type) {
    (void)l;
    (void)type;
    if (forbids(self, rules, text_of(self, goal, goal->rule->a))) return true;
    for (uint32_t i = 1; i < goal->rule->b; i++)
        if (!requires(self, rules, text_of(self, goal, goal->rule->a + i))) return false;
    return true;
}

static bool dependent_schema_by_all(brant__relation *self, brant__spot l, range rules,
                                    const brant__atom *goal, int type) {
    return forbids(self, rules, text_of(self, goal, goal->rule->a)) ||
           included_at(self, l, spot_of(goal, goal->rule->c), type);
}

static bool required_count(brant__relation *self, brant__spot l, range rules,
                           const brant__atom *goal, int type) {
    (void)l;
    (void)type;
    for (uint32_t i = 0; i < rules.count; i++) {
        const brant__atom own = atom_at(self, rules.first + i);
        if (own.rule->op == BRANT__OP_OBJECT && object_of(self, &own)->required >= goal->rule->n)
            return true;
    }
    return false;
}

static bool unevaluated_by_all(brant__relation *self, brant__spot l, range rules,
                               const brant__atom *goal, int type) {
    (void)self;
    (void)l;
    (void)rules;
    return goal->rule->c == BRANT__BLOCK_TRUE ||
           type !=
               (goal->rule->op == BRANT__OP_UNEVALUATED_ITEMS ? YYJSON_TYPE_ARR : YYJSON_TYPE_OBJ);
}

/* Constants are compared by value before the table is asked. */
static const struct {
    by_rule rule;
    by_all all;
} table[] = {
    [BRANT__OP_MINIMUM] = {lower_bound, NULL},
    [BRANT__OP_MAXIMUM] = {upper_bound, NULL},
    [BRANT__OP_EXCLUSIVE_MINIMUM] = {lower_bound, NULL},
    [BRANT__OP_EXCLUSIVE_MAXIMUM] = {upper_bound, NULL},
    [BRANT__OP_MULTIPLE_OF] = {multiple, NULL},
    [BRANT__OP_MIN_LENGTH] = {at_least, NULL},
    [BRANT__OP_MAX_LENGTH] = {at_most, NULL},
    [BRANT__OP_PATTERN] = {same_pattern, NULL},
    [BRANT__OP_FORMAT] = {same_format, NULL},
    [BRANT__OP_MIN_ITEMS] = {at_least, NULL},
    [BRANT__OP_MAX_ITEMS] = {at_most, NULL},
    [BRANT__OP_ITEMS] = {NULL, items_by_all},
    [BRANT__OP_CONTAINS] = {contains, NULL},
    [BRANT__OP_UNIQUE_ITEMS] = {unique, NULL},
    [BRANT__OP_OBJECT] = {NULL, object_by_all},
    [BRANT__OP_PROPERTY_NAMES] = {property_names, NULL},
    [BRANT__OP_MIN_PROPERTIES] = {at_least, required_count},
    [BRANT__OP_MAX_PROPERTIES] = {at_most, NULL},
    [BRANT__OP_DEPENDENT_REQUIRED] = {dependents, dependents_by_all},
    [BRANT__OP_DEPENDENT_SCHEMA] = {dependent_schema, dependent_schema_by_all},
    [BRANT__OP_CONST] = {NULL, NULL},
    [BRANT__OP_CONST_TEXT] = {NULL, NULL},
    [BRANT__OP_ENUM] = {NULL, NULL},
    [BRANT__OP_APPLY] = {NULL, NULL}, /* followed before */
    [BRANT__OP_ANY_OF] = {NULL, any_by_all},
    [BRANT__OP_ONE_OF] = {one_of, one_by_all},
    [BRANT__OP_NOT] = {not_wider, not_by_all},
    [BRANT__OP_IF] = {same_condition, if_by_all},
    [BRANT__OP_UNEVALUATED_ITEMS] = {same_rest, unevaluated_by_all},
    [BRANT__OP_UNEVALUATED_PROPERTIES] = {same_rest, unevaluated_by_all},
};

/* ---- included -------------------------------------------------------------------------------- */

/* What L must imply: a rule, or (rule NULL) that numbers are integers (`integers`), or that there are none of the type. */
typedef struct goal {
    brant__atom atom;
    bool integers;
} goal;

static bool passes_goal(brant__relation *self, const void *context, yyjson_val *value) {
    const goal *wanted = context;
    if (wanted->atom.rule) return rule_accepts(self, &wanted->atom, value);
    return wanted->integers && brant__number_integral(value);
}

static bool implied(brant__relation *self, brant__spot l, int type, const goal *wanted);

/* Integers are multiples of 1, of 0.5, .. */
static bool every_integer(const brant__number *divisor) {
    static yyjson_val value = {.tag = YYJSON_TYPE_NUM, .uni = {.u64 = 1}};
    const brant__number one = brant__number_of(&value, true);
    return brant__number_multiple(&one, divisor);
}

static bool follows(brant__relation *self, brant__spot l, range rules, int type,
                    const goal *wanted) {
    const brant__rule *rule = wanted->atom.rule;
    if (!rule && !wanted->integers) return false;
    if (!rule && !whole_type(rules.types, type)) return true;
    if (rule && rule->op == BRANT__OP_MULTIPLE_OF && !whole_type(rules.types, type) &&
        every_integer(number_of(self, &wanted->atom)))
        return true;
    for (uint32_t i = 0; i < rules.count; i++) {
        const brant__atom own = atom_at(self, rules.first + i);
        if (!rule) {
            if (own.rule->op == BRANT__OP_MULTIPLE_OF && number_of(self, &own)->integer)
                return true;
        } else if (table[rule->op].rule && table[rule->op].rule(self, &own, &wanted->atom, type)) {
            return true;
        }
    }
    return rule && table[rule->op].all && table[rule->op].all(self, l, rules, &wanted->atom, type);
}

/* Each branch of a union among the rules implies it. */
static bool follows_by_branches(brant__relation *self, range rules, int type, const goal *wanted) {
    for (uint32_t i = 0; i < rules.count; i++) {
        const brant__atom own = atom_at(self, rules.first + i);
        bool all = false;
        if (own.rule->op == BRANT__OP_ANY_OF || own.rule->op == BRANT__OP_ONE_OF) {
            all = true;
            for (uint32_t b = 0; b < own.rule->b && all; b++)
                all = implied(self, branch_of(self, &own, b), type, wanted);
        } else if (own.rule->op == BRANT__OP_IF) {
            all = (implied(self, spot_of(&own, own.rule->a), type, wanted) ||
                   implied(self, spot_of(&own, own.rule->c), type, wanted)) &&
                  implied(self, spot_of(&own, own.rule->b), type, wanted);
        }
        if (all) return true;
    }
    return false;
}

static bool implied(brant__relation *self, brant__spot l, int type, const goal *wanted) {
    if (self->depth >= DEEPEST || !step(self)) return false;
    const range rules = collect(self, l, type);
    bool many, answer;
    yyjson_val *values = finite(self, rules, &many);
    self->depth++;
    if (!has_type(rules.types, type))
        answer = true;
    else if (values)
        answer = each_finite(self, l, type, values, many, passes_goal, wanted);
    else
        answer =
            follows(self, l, rules, type, wanted) || follows_by_branches(self, rules, type, wanted);
    self->depth--;
    brant__relation_release(self, rules.first);
    return answer && self->steps > 0;
}

bool brant__relation_implied(brant__relation *self, brant__spot spot, int type,
                             const brant__atom *atom) {
    const goal wanted = {*atom, false};
    return implied(self, spot, type, &wanted) && !self->unstable;
}

static bool find_included(brant__relation *self, brant__spot l, brant__spot r, int type) {
    const range rules = collect(self, r, type);
    bool answer = true;
    if (!whole_type(rules.types, type)) {
        const goal wanted = {{r, NULL}, has_type(rules.types, type)};
        answer = implied(self, l, type, &wanted);
    }
    for (uint32_t i = 0; i < rules.count && answer; i++) {
        const goal wanted = {atom_at(self, rules.first + i), false};
        answer = implied(self, l, type, &wanted);
    }
    brant__relation_release(self, rules.first);
    return answer;
}

static bool included_at(brant__relation *self, brant__spot l, brant__spot r, int type) {
    if (is_true(r) || (l.side == r.side && l.block == r.block)) return true;
    /* Most of what is compared did not change. */
    if (l.side != r.side && same(self, l, r)) return true;
    return ask(self, INCLUDED, find_included, l, r, type);
}

static bool included(brant__relation *self, brant__spot l, brant__spot r) {
    if (is_true(r) || (l.side == r.side && l.block == r.block)) return true;
    for (size_t i = 0; i < BRANT__COUNT(scalars); i++)
        if (accepts(self, l, &scalars[i]) && !accepts(self, r, &scalars[i])) return false;
    for (size_t i = 0; i < BRANT__COUNT(types_of); i++)
        if (!included_at(self, l, r, types_of[i])) return false;
    return true;
}

/* ---- disjoint -------------------------------------------------------------------------------- */

static bool refused_by(brant__relation *self, const void *context, yyjson_val *value) {
    const brant__spot *other = context;
    return !accepts(self, *other, value);
}

/* A member that one of them requires and that cannot satisfy both. */
static bool disjoint_by_member(brant__relation *self, range mine, range other) {
    for (uint32_t i = 0; i < mine.count; i++) {
        const brant__atom own = atom_at(self, mine.first + i);
        if (own.rule->op != BRANT__OP_OBJECT) continue;
        const brant__object *object = object_of(self, &own);
        for (uint32_t n = 0; n < object->table.name_count; n++) {
            const brant__name *name = name_of(self, &own, object->table.name + n);
            const brant__text text = text_of(self, &own, object->table.name + n);
            if (name->block == BRANT__NONE) continue;
            if (!requires(self, mine, text) && !requires(self, other, text)) continue;
            if (member(self, other, text, spot_of(&own, name->block), disjoint)) return true;
        }
    }
    return false;
}

static bool disjoint_by(brant__relation *self, brant__spot l, range mine, brant__spot r,
                        range other, int type) {
    bool many;
    yyjson_val *values = finite(self, mine, &many);
    if (values) return each_finite(self, l, type, values, many, refused_by, &r);
    if (type == YYJSON_TYPE_OBJ && disjoint_by_member(self, mine, other)) return true;
    for (uint32_t i = 0; i < mine.count; i++) {
        const brant__atom own = atom_at(self, mine.first + i);
        if (own.rule->op == BRANT__OP_NOT && included_at(self, r, spot_of(&own, own.rule->c), type))
            return true;
        if (own.rule->op != BRANT__OP_ANY_OF && own.rule->op != BRANT__OP_ONE_OF) continue;
        bool all = true;
        for (uint32_t b = 0; b < own.rule->b && all; b++)
            all = disjoint_at(self, branch_of(self, &own, b), r, type);
        if (all) return true;
    }
    return false;
}

static bool find_disjoint(brant__relation *self, brant__spot l, brant__spot r, int type) {
    const range mine = collect(self, l, type), other = collect(self, r, type);
    const bool answer = !has_type(mine.types & other.types, type) ||
                        disjoint_by(self, l, mine, r, other, type) ||
                        disjoint_by(self, r, other, l, mine, type);
    brant__relation_release(self, mine.first);
    return answer;
}

static bool disjoint_at(brant__relation *self, brant__spot l, brant__spot r, int type) {
    return ask(self, DISJOINT, find_disjoint, l, r, type);
}

static bool disjoint(brant__relation *self, brant__spot l, brant__spot r) {
    for (size_t i = 0; i < BRANT__COUNT(scalars); i++)
        if (accepts(self, l, &scalars[i]) && accepts(self, r, &scalars[i])) return false;
    for (size_t i = 0; i < BRANT__COUNT(types_of); i++)
        if (!disjoint_at(self, l, r, types_of[i])) return false;
    return true;
}

/* ---- castable -------------------------------------------------------------------------------- */

/* The default that fills a member that is missing: any of the rules on it may state one, and all must accept it. */
static bool has_default(brant__relation *self, range rules, brant__text name) {
    yyjson_val *found = NULL;
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < rules.count; i++) {
            const brant__atom atom = atom_at(self, rules.first + i);
            governors blocks;
            if (atom.rule->op != BRANT__OP_OBJECT) continue;
            if (!govern(self, &atom, name, &blocks)) return false;
            for (size_t b = 0; b < blocks.count; b++) {
                if (pass == 0 && !found)
                    found = brant__block_default(self->documents[blocks.spots[b].side],
                                                 schema_of(self, blocks.spots[b]),
                                                 blocks.spots[b].block);
                if (pass == 1 && !accepts(self, blocks.spots[b], found)) return false;
            }
        }
        if (!found) return false;
    }
    return true;
}

/*
 * Object rules that casting can satisfy one member at a time: nothing else is asked of the object, and each member has one schema.
 */
static bool simple_object(const brant__relation *self, range rules) {
    for (uint32_t i = 0; i < rules.count; i++) {
        const brant__atom atom = atom_at(self, rules.first + i);
        if (atom.rule->op != BRANT__OP_OBJECT) return false;
        const brant__object *object = object_of(self, &atom);
        if (object->pattern_count > 0) return false;
        if (rules.count > 1 && object->additional != BRANT__BLOCK_TRUE) return false;
        for (uint32_t n = 0; n < object->table.name_count; n++) {
            const brant__text name = text_of(self, &atom, object->table.name + n);
            if (name_of(self, &atom, object->table.name + n)->block == BRANT__NONE) {
                if (object->additional != BRANT__BLOCK_TRUE) return false;
                continue;
            }
            for (uint32_t j = 0; j < i; j++) {
                const brant__atom other = atom_at(self, rules.first + j);
                if (evaluates(self, &other, name)) return false;
            }
        }
    }
    return rules.count > 0;
}

static bool object_castable(brant__relation *self, range from, range to) {
    if (!simple_object(self, to)) return false;
    for (uint32_t i = 0; i < to.count; i++) {
        const brant__atom atom = atom_at(self, to.first + i);
        const brant__object *object = object_of(self, &atom);
        for (uint32_t n = 0; n < object->table.name_count; n++) {
            const brant__name *name = name_of(self, &atom, object->table.name + n);
            const brant__text text = text_of(self, &atom, object->table.name + n);
            if (name->required && !requires(self, from, text) && !has_default(self, to, text))
                return false;
            if (name->block != BRANT__NONE &&
                !member(self, from, text, spot_of(&atom, name->block), castable))
                return false;
        }
        if (object->additional == BRANT__BLOCK_TRUE) continue;
        const brant__block *additional = block_at(self, spot_of(&atom, object->additional));
        bool found = brant__block_never(additional); /* they are dropped */
        for (uint32_t at = 0; at < from.count && !found; at++) {
            const brant__atom own = atom_at(self, from.first + at);
            found =
                own.rule->op == BRANT__OP_OBJECT && others_by(self, from, &own, &atom, castable);
        }
        if (!found) return false;
    }
    return true;
}

static bool array_castable(brant__relation *self, brant__spot l, range from, range to) {
    unsigned lists = 0;
    for (uint32_t i = 0; i < to.count; i++) {
        const brant__atom atom = atom_at(self, to.first + i);
        const goal wanted = {atom, false};
        if (atom.rule->op == BRANT__OP_ITEMS) {
            if (lists++ > 0 || !items(self, from, &atom, castable)) return false;
        } else if ((atom.rule->op != BRANT__OP_MIN_ITEMS && atom.rule->op != BRANT__OP_MAX_ITEMS) ||
                   !implied(self, l, YYJSON_TYPE_ARR, &wanted)) {
            return false;
        }
    }
    return lists > 0;
}

static bool branches_disjoint(brant__relation *self, const brant__atom *atom) {
    for (uint32_t i = 0; i < atom->rule->b; i++)
        for (uint32_t j = 0; j < i; j++)
            if (!disjoint(self, branch_of(self, atom, i), branch_of(self, atom, j))) return false;
    return true;
}

static bool castable_to(brant__relation *self, brant__spot l, range from, range to, int type) {
    if (!whole_type(to.types, type)) return false;
    if (type == YYJSON_TYPE_OBJ && object_castable(self, from, to)) return true;
    if (type == YYJSON_TYPE_ARR && array_castable(self, l, from, to)) return true;
    if (to.count != 1) return false;
    const brant__atom atom = atom_at(self, to.first);
    if (atom.rule->op != BRANT__OP_ANY_OF && atom.rule->op != BRANT__OP_ONE_OF) return false;
    if (atom.rule->op == BRANT__OP_ONE_OF && !branches_disjoint(self, &atom)) return false;
    for (uint32_t b = 0; b < atom.rule->b; b++)
        if (castable_at(self, l, branch_of(self, &atom, b), type)) return true;
    return false;
}

static bool find_castable(brant__relation *self, brant__spot l, brant__spot r, int type) {
    if (included_at(self, l, r, type)) return true;
    const range from = collect(self, l, type), to = collect(self, r, type);
    bool answer = !has_type(from.types, type) || castable_to(self, l, from, to, type);
    for (uint32_t i = 0; i < from.count && !answer; i++) {
        const brant__atom own = atom_at(self, from.first + i);
        if (own.rule->op != BRANT__OP_ANY_OF && own.rule->op != BRANT__OP_ONE_OF) continue;
        answer = true;
        for (uint32_t b = 0; b < own.rule->b && answer; b++)
            answer = castable_at(self, branch_of(self, &own, b), r, type);
    }
    brant__relation_release(self, from.first);
    return answer;
}

static bool castable_at(brant__relation *self, brant__spot l, brant__spot r, int type) {
    return ask(self, CASTABLE, find_castable, l, r, type);
}

static bool castable(brant__relation *self, brant__spot l, brant__spot r) {
    if (is_true(r)) return true;
    for (size_t i = 0; i < BRANT__COUNT(scalars); i++)
        if (accepts(self, l, &scalars[i]) && !accepts(self, r, &scalars[i])) return false;
    for (size_t i = 0; i < BRANT__COUNT(types_of); i++)
        if (!castable_at(self, l, r, types_of[i])) return false;
    return true;
}

/* ---- the same rules, whatever they mean ------------------------------------------------------- */

static bool same_block(brant__relation *self, const brant__atom *a, uint32_t left,
                       const brant__atom *b, uint32_t right) {
    if (left == BRANT__NONE || right == BRANT__NONE) return left == right;
    return same(self, spot_of(a, left), spot_of(b, right));
}

static bool same_words(brant__relation *self, const brant__atom *a, const brant__atom *b) {
    if (a->rule->b != b->rule->b) return false;
    for (uint32_t i = 0; i < a->rule->b; i++)
        if (!same(self, branch_of(self, a, i), branch_of(self, b, i))) return false;
    return true;
}

static bool same_object(brant__relation *self, const brant__atom *a, const brant__atom *b) {
    const brant__object *x = object_of(self, a), *y = object_of(self, b);
    if (x->table.name_count != y->table.name_count || x->pattern_count != y->pattern_count ||
        x->closed != y->closed || !same_block(self, a, x->additional, b, y->additional))
        return false;
    for (uint32_t i = 0; i < x->table.name_count; i++) {
        const brant__text text = text_of(self, a, x->table.name + i);
        const uint32_t found =
            brant__table_find(schema_of(self, b->owner), &y->table, text.data, text.length);
        if (found == BRANT__NONE) return false;
        const brant__name *m = name_of(self, a, x->table.name + i),
                          *n = name_of(self, b, y->table.name + found);
        if (m->required != n->required || !same_block(self, a, m->block, b, n->block)) return false;
    }
    for (uint32_t i = 0; i < x->pattern_count; i++) {
        const uint32_t *p = pattern_pair(self, a, i), *q = pattern_pair(self, b, i);
        if (!same_source(pattern_of(self, a, p[0]), pattern_of(self, b, q[0])) ||
            !same_block(self, a, p[1], b, q[1]))
            return false;
    }
    return true;
}

static bool same_rule(brant__relation *self, const brant__atom *a, const brant__atom *b) {
    const brant__rule *x = a->rule, *y = b->rule;
    if (x->op != y->op) return false;
    switch ((brant__operation)x->op) {
    case BRANT__OP_MINIMUM:
    case BRANT__OP_MAXIMUM:
    case BRANT__OP_EXCLUSIVE_MINIMUM:
    case BRANT__OP_EXCLUSIVE_MAXIMUM:
    case BRANT__OP_MULTIPLE_OF:
        return brant__number_compare(number_of(self, a), number_of(self, b)) == 0;
    case BRANT__OP_MIN_LENGTH:
    case BRANT__OP_MAX_LENGTH:
    case BRANT__OP_MIN_ITEMS:
    case BRANT__OP_MAX_ITEMS:
    case BRANT__OP_MIN_PROPERTIES:
    case BRANT__OP_MAX_PROPERTIES:
        return x->n == y->n;
    case BRANT__OP_PATTERN:
        return same_source(pattern_of(self, a, x->a), pattern_of(self, b, y->a));
    case BRANT__OP_FORMAT:
        return x->a == y->a;
    case BRANT__OP_ITEMS:
        return same_words(self, a, b) && same_block(self, a, x->c, b, y->c);
    case BRANT__OP_CONTAINS:
        return x->a == y->a && x->b == y->b && same_block(self, a, x->c, b, y->c);
    case BRANT__OP_UNIQUE_ITEMS:
        return true;
    case BRANT__OP_OBJECT:
        return same_object(self, a, b);
    case BRANT__OP_DEPENDENT_REQUIRED:
        return dependents(self, a, b, YYJSON_TYPE_OBJ) && dependents(self, b, a, YYJSON_TYPE_OBJ);
    case BRANT__OP_DEPENDENT_SCHEMA:
        return brant__text_equal(text_of(self, a, x->a), text_of(self, b, y->a)) &&
               same_block(self, a, x->c, b, y->c);
    case BRANT__OP_CONST:
    case BRANT__OP_CONST_TEXT:
        return brant__json_equal(schema_of(self, a->owner)->constants[x->a],
                                 schema_of(self, b->owner)->constants[y->a]);
    case BRANT__OP_ENUM: {
        const brant__schema *l = schema_of(self, a->owner), *r = schema_of(self, b->owner);
        return brant__json_equal(l->constants[l->choices[x->c].constant],
                                 r->constants[r->choices[y->c].constant]);
    }
    case BRANT__OP_PROPERTY_NAMES:
    case BRANT__OP_APPLY:
    case BRANT__OP_NOT:
        return same_block(self, a, x->c, b, y->c);
    case BRANT__OP_ANY_OF:
    case BRANT__OP_ONE_OF:
        return same_words(self, a, b);
    case BRANT__OP_IF:
        return same_block(self, a, x->a, b, y->a) && same_block(self, a, x->b, b, y->b) &&
               same_block(self, a, x->c, b, y->c);
    case BRANT__OP_UNEVALUATED_ITEMS:
    case BRANT__OP_UNEVALUATED_PROPERTIES:
        return same_block(self, a, x->c, b, y->c);
    }
    return false;
}

static bool find_same(brant__relation *self, brant__spot l, brant__spot r, int type) {
    const brant__block *a = block_at(self, l), *b = block_at(self, r);
    (void)type;
    if (a->types != b->types || a->exempt != b->exempt) return false;
    for (int group = 0; group < BRANT__GROUP_COUNT; group++) {
        const uint32_t count = a->first[group + 1] - a->first[group];
        if (b->first[group + 1] - b->first[group] != count) return false;
        for (uint32_t i = 0; i < count; i++) {
            const brant__atom x = {l, &schema_of(self, l)->rules[a->first[group] + i]};
            const brant__atom y = {r, &schema_of(self, r)->rules[b->first[group] + i]};
            if (!same_rule(self, &x, &y)) return false;
        }
    }
    return true;
}

static bool same(brant__relation *self, brant__spot l, brant__spot r) {
    if (l.block < 2 || r.block < 2) return l.block == r.block;
    return ask(self, SAME, find_same, l, r, 0);
}

/* ---- classes --------------------------------------------------------------------------------- */

brant__class brant__relation_class(brant__relation *self, uint32_t from, uint32_t to) {
    const brant__spot l = {0, from}, r = {1, to};
    brant__class result;
    if (self->round == 0) self->steps = STEPS;
    do {
        /* What a round that was stable found stays true. */
        if (self->round == 0 || self->unstable) self->round++;
        self->unstable = false;
        self->depth = 0;
        if (included(self, l, r))
            result = included(self, r, l) ? BRANT__IDENTICAL : BRANT__ADDITIVE;
        else
            result = castable(self, l, r) ? BRANT__UPCAST : BRANT__BREAKING;
    } while (self->unstable && !self->failed && self->steps > 0);
    return self->steps > 0 && !self->failed ? result : BRANT__BREAKING;
}

void brant__relation_free(brant__relation *self) {
    brant__map_free(&self->memo);
    brant__buffer_free(&self->atoms);
}

/* ---- documents ------------------------------------------------------------------------------- */

static yyjson_val *place_json(yyjson_val *document, const brant__schema *schema, uint32_t number) {
    const brant__place *place = &schema->places[number];
    if (place->parent == BRANT__NONE) return document;
    yyjson_val *parent = place_json(document, schema, place->parent);
    if (place->kind == BRANT__PLACE_ROOT || place->kind == BRANT__PLACE_RAW) return NULL;
    const brant__text keyword = brant__keywords[place->keyword].name;
    yyjson_val *value = yyjson_obj_getn(parent, keyword.data, keyword.length);
    if (place->kind == BRANT__PLACE_MEMBER)
        return yyjson_obj_getn(value, schema->text + place->text, place->length);
    return place->kind == BRANT__PLACE_ITEM ? yyjson_arr_get(value, place->index) : value;
}

yyjson_val *brant__block_json(yyjson_val *document, const brant__schema *schema, uint32_t block) {
    const uint32_t place = schema->blocks[block].place;
    return place == BRANT__NONE ? NULL : place_json(document, schema, place);
}

yyjson_val *brant__schema_json(yyjson_val *document, const brant__schema *schema) {
    return brant__block_json(document, schema, schema->entry);
}

yyjson_val *brant__block_default(yyjson_val *document, const brant__schema *schema,
                                 uint32_t number) {
    const brant__block *block = &schema->blocks[number];
    yyjson_val *found = yyjson_obj_get(brant__block_json(document, schema, number), "default");
    for (uint32_t i = block->first[BRANT__GROUP_COMMON];
         !found && i < block->first[BRANT__GROUP_COUNT]; i++)
        if (schema->rules[i].op == BRANT__OP_APPLY)
            found = brant__block_default(document, schema, schema->rules[i].c);
    return found;
}
