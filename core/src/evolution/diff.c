/*
 * evolution/diff.c: two modules as a list of edits, each with what it means for stored data.
 *
 * The class of a type comes from its relation (relation.c) alone. What is said below it only explains: the two schemas are walked side by side
 * and each rule that one has and the other does not imply becomes an edit; none is called more harmful than the schema it is part of,
 * and one says as much as the whole. Differences of the documents that no rule is behind are edits too: they are identical.
 */
#include <stdlib.h>

#include "evolution/relation.h"

enum { DEEPEST = 100, MOST = 10000 };

enum { ADD, REMOVE, REPLACE };
static const char *const op_names[] = {"add", "remove", "replace"};

typedef struct edit {
    brant__text pointer;
    brant__text reason;
    int op;
    brant__class class;
} edit;

typedef struct differ {
    yyjson_val *documents[2];
    const brant__module *modules[2];
    brant__text containers[2]; /* "$defs", "definitions", "schemas" */
    brant__arena arena;
    brant__buffer edits;
    brant__map covered; /* pointers of edits, and of what stands above them */
    brant__map visited; /* pairs of blocks of the type in hand */
    brant__relation relation;
    brant__buffer pointer; /* scratch */
    brant__class beyond;   /* of the edits that are too many to tell */
    bool failed;
} differ;

static edit *edits_of(const differ *self) {
    void *data = self->edits.data;
    return data;
}

static size_t edit_count(const differ *self) {
    return self->edits.length / sizeof(edit);
}

/* By where the pointer leads to something. */
static int op_at(const differ *self, brant__text pointer) {
    const bool before = yyjson_ptr_getn(self->documents[0], pointer.data, pointer.length) != NULL;
    const bool now = yyjson_ptr_getn(self->documents[1], pointer.data, pointer.length) != NULL;
    if (now && !before) return ADD;
    return before && !now ? REMOVE : REPLACE;
}

static void add_edit(differ *self, brant__text pointer, brant__class class, const char *reason,
                     brant__text name) {
    if (edit_count(self) >= MOST) {
        if (class > self->beyond) self->beyond = class;
        return;
    }
    brant__buffer text = {0};
    if (name.data) {
        brant__json_append_text(&text, name.length <= 80 ? name : brant__text_of(name.data, 0));
        brant__buffer_append_byte(&text, ' ');
    }
    brant__buffer_append(&text, reason, strlen(reason));
    edit made = {
        .pointer = {brant__arena_copy(&self->arena, pointer.data, pointer.length), pointer.length},
        .reason = {text.failed ? NULL : brant__arena_copy(&self->arena, text.data, text.length),
                   text.length},
        .op = op_at(self, pointer),
        .class = class,
    };
    brant__buffer_free(&text);
    if (!made.pointer.data || !made.reason.data) {
        self->failed = true;
        return;
    }
    brant__buffer_append(&self->edits, &made, sizeof(made));
    self->failed = self->failed || self->edits.failed;
}

#define NO_NAME ((brant__text){NULL, 0})

/* ---- pointers -------------------------------------------------------------------------------- */

static const brant__schema *schema_of(const differ *self, brant__spot spot) {
    return self->relation.schemas[spot.side];
}

/* Where a block stands in its module, in self->pointer; `keyword` below it where it is not empty. */
static brant__text pointer_of(differ *self, brant__spot spot, brant__text keyword) {
    const brant__schema *schema = schema_of(self, spot);
    const uint32_t place = schema->blocks[spot.block].place;
    brant__buffer_reset(&self->pointer);
    if (place != BRANT__NONE)
        brant__place_append(&self->pointer, schema->places, schema->text, place);
    if (keyword.length > 0) {
        brant__buffer_append_byte(&self->pointer, '/');
        brant__pointer_append(&self->pointer, keyword);
    }
    if (self->pointer.failed) self->failed = true;
    return brant__text_of(self->pointer.data, self->pointer.failed ? 0 : self->pointer.length);
}

static bool has_keyword(const differ *self, brant__spot spot, brant__text keyword) {
    yyjson_val *json =
        brant__block_json(self->documents[spot.side], schema_of(self, spot), spot.block);
    return yyjson_obj_getn(json, keyword.data, keyword.length) != NULL;
}

/* ---- rules ----------------------------------------------------------------------------------- */

/* What it means that a rule came or grew stricter, and that it went or was loosened. */
static const struct {
    const char *stricter;
    const char *looser;
} reasons[] = {
    [BRANT__OP_MINIMUM] = {"smaller numbers were valid", "smaller numbers are valid now"},
    [BRANT__OP_MAXIMUM] = {"greater numbers were valid", "greater numbers are valid now"},
    [BRANT__OP_EXCLUSIVE_MINIMUM] = {"smaller numbers were valid", "smaller numbers are valid now"},
    [BRANT__OP_EXCLUSIVE_MAXIMUM] = {"greater numbers were valid", "greater numbers are valid now"},
    [BRANT__OP_MULTIPLE_OF] = {"numbers that are not multiples were valid",
                               "other numbers are valid now"},
    [BRANT__OP_MIN_LENGTH] = {"shorter texts were valid", "shorter texts are valid now"},
    [BRANT__OP_MAX_LENGTH] = {"longer texts were valid", "longer texts are valid now"},
    [BRANT__OP_PATTERN] = {"texts that do not match were valid", "other texts are valid now"},
    [BRANT__OP_FORMAT] = {"texts of another format were valid", "other texts are valid now"},
    [BRANT__OP_MIN_ITEMS] = {"shorter arrays were valid", "shorter arrays are valid now"},
    [BRANT__OP_MAX_ITEMS] = {"longer arrays were valid", "longer arrays are valid now"},
    [BRANT__OP_ITEMS] = {"other items were valid", "other items are valid now"},
    [BRANT__OP_CONTAINS] = {"arrays without such items, or with more of them, were valid",
                            "other arrays are valid now"},
    [BRANT__OP_UNIQUE_ITEMS] = {"arrays with equal items were valid",
                                "arrays with equal items are valid now"},
    [BRANT__OP_OBJECT] = {"other members were valid", "other members are valid now"},
    [BRANT__OP_PROPERTY_NAMES] = {"other names were valid", "other names are valid now"},
    [BRANT__OP_MIN_PROPERTIES] = {"smaller objects were valid", "smaller objects are valid now"},
    [BRANT__OP_MAX_PROPERTIES] = {"larger objects were valid", "larger objects are valid now"},
    [BRANT__OP_DEPENDENT_REQUIRED] = {"objects without the dependent properties were valid",
                                      "objects without them are valid now"},
    [BRANT__OP_DEPENDENT_SCHEMA] = {"objects that the dependent schema refuses were valid",
                                    "other objects are valid now"},
    [BRANT__OP_CONST] = {"other values were valid", "other values are valid now"},
    [BRANT__OP_CONST_TEXT] = {"other values were valid", "other values are valid now"},
    [BRANT__OP_ENUM] = {"other values were valid", "other values are valid now"},
    [BRANT__OP_APPLY] = {"other values were valid", "other values are valid now"},
    [BRANT__OP_ANY_OF] = {"values that no branch is shown to accept were valid",
                          "other values are valid now"},
    [BRANT__OP_ONE_OF] = {"values that not exactly one branch is shown to accept were valid",
                          "other values are valid now"},
    [BRANT__OP_NOT] = {"values that it refuses were valid", "other values are valid now"},
    [BRANT__OP_IF] = {"values that a condition refuses were valid", "other values are valid now"},
    [BRANT__OP_UNEVALUATED_ITEMS] = {"other items were valid", "other items are valid now"},
    [BRANT__OP_UNEVALUATED_PROPERTIES] = {"other members were valid",
                                          "other members are valid now"},
};

static void explain(differ *self, brant__spot a, brant__spot b, unsigned depth);

/* Rules of one side that the other does not imply. */
static void explain_rules(differ *self, brant__spot from, brant__spot to, int type, bool stricter,
                          bool skip_items) {
    const brant__spot mine = stricter ? to : from, other = stricter ? from : to;
    uint32_t first, count;
    brant__relation_atoms(&self->relation, mine, type, &first, &count);
    for (uint32_t i = 0; i < count && !self->failed; i++) {
        const brant__atom atom = *brant__relation_atom(&self->relation, first + i);
        if (atom.rule->op == BRANT__OP_OBJECT) continue;
        if (atom.rule->op == BRANT__OP_ITEMS && skip_items) continue;
        if (brant__relation_implied(&self->relation, other, type, &atom)) continue;
        const brant__text keyword = brant__keywords[atom.rule->keyword].name;
        add_edit(self, pointer_of(self, atom.owner, keyword),
                 stricter ? BRANT__BREAKING : BRANT__ADDITIVE,
                 stricter ? reasons[atom.rule->op].stricter : reasons[atom.rule->op].looser,
                 NO_NAME);
    }
    brant__relation_release(&self->relation, first);
}

/* ---- types ----------------------------------------------------------------------------------- */

static bool takes_type(const differ *self, brant__spot spot, int type) {
    static yyjson_val values[] = {{.tag = YYJSON_TYPE_NULL},
                                  {.tag = YYJSON_TYPE_BOOL | YYJSON_SUBTYPE_TRUE}};
    const brant__schema *schema = schema_of(self, spot);
    yyjson_val *value = &values[type == YYJSON_TYPE_BOOL];
    brant__run run = brant__run_begin(schema, value);
    return brant__block_accepts(&run, spot.block, value);
}

static void explain_types(differ *self, brant__spot from, brant__spot to) {
    static const struct {
        int type;
        const char *lost, *gained;
    } types[] = {
        {YYJSON_TYPE_NULL, "null was valid", "null is valid now"},
        {YYJSON_TYPE_BOOL, "booleans were valid", "booleans are valid now"},
        {YYJSON_TYPE_NUM, "numbers were valid", "numbers are valid now"},
        {YYJSON_TYPE_STR, "texts were valid", "texts are valid now"},
        {YYJSON_TYPE_ARR, "arrays were valid", "arrays are valid now"},
        {YYJSON_TYPE_OBJ, "objects were valid", "objects are valid now"},
    };
    for (size_t i = 0; i < BRANT__COUNT(types); i++) {
        const int type = types[i].type;
        unsigned sides[2];
        for (unsigned side = 0; side < 2; side++) {
            const brant__spot spot = side ? to : from;
            uint32_t first, count;
            if (type == YYJSON_TYPE_NULL || type == YYJSON_TYPE_BOOL) {
                sides[side] = takes_type(self, spot, type) ? 2 : 0;
                continue;
            }
            const unsigned bits =
                brant__relation_atoms(&self->relation, spot, type, &first, &count);
            brant__relation_release(&self->relation, first);
            sides[side] = bits & BRANT__TYPE_BIT(type)                              ? 2
                          : type == YYJSON_TYPE_NUM && (bits & BRANT__TYPE_INTEGER) ? 1
                                                                                    : 0;
        }
        if (sides[0] == sides[1]) continue;
        const brant__text keyword = BRANT__TEXT("type");
        const bool before = has_keyword(self, from, keyword), now = has_keyword(self, to, keyword);
        const brant__text pointer =
            pointer_of(self, now ? to : from, now || before ? keyword : BRANT__TEXT(""));
        const bool lost = sides[0] > sides[1];
        const char *reason = lost ? types[i].lost : types[i].gained;
        if (sides[0] + sides[1] == 3)
            reason = lost ? "numbers with a fraction were valid"
                          : "numbers with a fraction are valid now";
        add_edit(self, pointer, lost ? BRANT__BREAKING : BRANT__ADDITIVE, reason, NO_NAME);
    }
}

/* ---- objects --------------------------------------------------------------------------------- */

typedef struct members {
    brant__atom rules[16];
    size_t count;
} members;

static void object_rules(differ *self, brant__spot spot, members *out) {
    uint32_t first, count;
    out->count = 0;
    brant__relation_atoms(&self->relation, spot, YYJSON_TYPE_OBJ, &first, &count);
    for (uint32_t i = 0; i < count && out->count < BRANT__COUNT(out->rules); i++) {
        const brant__atom *atom = brant__relation_atom(&self->relation, first + i);
        if (atom->rule->op == BRANT__OP_OBJECT) out->rules[out->count++] = *atom;
    }
    brant__relation_release(&self->relation, first);
}

static const brant__object *object_of(const differ *self, const brant__atom *atom) {
    return &schema_of(self, atom->owner)->objects[atom->rule->a];
}

/* The property of a name, and whether it is required. Block NONE: there is none. */
typedef struct property {
    brant__spot spot;
    brant__spot required_by;
    bool required;
} property;

static property find_property(const differ *self, const members *rules, brant__text name) {
    property out = {.spot = {0, BRANT__NONE}};
    for (size_t i = 0; i < rules->count; i++) {
        const brant__schema *schema = schema_of(self, rules->rules[i].owner);
        const brant__object *object = object_of(self, &rules->rules[i]);
        const uint32_t found = brant__table_find(schema, &object->table, name.data, name.length);
        if (found == BRANT__NONE) continue;
        const brant__name *entry = &schema->names[object->table.name + found];
        if (entry->required && !out.required) {
            out.required = true;
            out.required_by = rules->rules[i].owner;
        }
        if (entry->block != BRANT__NONE && out.spot.block == BRANT__NONE)
            out.spot = (brant__spot){rules->rules[i].owner.side, entry->block};
    }
    return out;
}

/* The blocks of additionalProperties: TRUE where nothing is said. */
static brant__spot additional_of(const differ *self, const members *rules, uint32_t side) {
    for (size_t i = 0; i < rules->count; i++) {
        const brant__object *object = object_of(self, &rules->rules[i]);
        if (object->additional != BRANT__BLOCK_TRUE) return (brant__spot){side, object->additional};
    }
    return (brant__spot){side, BRANT__BLOCK_TRUE};
}

static bool is_closed(const differ *self, brant__spot spot) {
    const brant__block *block = &schema_of(self, spot)->blocks[spot.block];
    return brant__block_never(block);
}

static void explain_property(differ *self, const members *from, const members *to, brant__text name,
                             unsigned depth) {
    const property before = find_property(self, from, name), now = find_property(self, to, name);
    if (before.spot.block != BRANT__NONE && now.spot.block != BRANT__NONE) {
        explain(self, before.spot, now.spot, depth + 1);
    } else if (now.spot.block != BRANT__NONE) {
        const brant__spot rest = additional_of(self, from, 0);
        const brant__class class =
            brant__relation_class(&self->relation, rest.block, now.spot.block);
        add_edit(self, pointer_of(self, now.spot, NO_NAME), class,
                 class <= BRANT__ADDITIVE ? "is new"
                                          : "is new, and where additional properties are allowed, "
                                            "other values of it may be stored",
                 name);
    } else if (before.spot.block != BRANT__NONE) {
        const brant__spot rest = additional_of(self, to, 1);
        const bool closed = is_closed(self, rest);
        add_edit(self, pointer_of(self, before.spot, NO_NAME),
                 closed ? BRANT__UPCAST
                        : brant__relation_class(&self->relation, before.spot.block, rest.block),
                 closed ? "is gone; casting drops it" : "is gone; its values may stay as they are",
                 name);
    }
    if (now.required && !before.required) {
        const bool filled =
            now.spot.block != BRANT__NONE &&
            brant__block_default(self->documents[1], schema_of(self, now.spot), now.spot.block);
        const brant__text keyword = BRANT__TEXT("required");
        add_edit(self, pointer_of(self, now.required_by, keyword),
                 filled ? BRANT__UPCAST : BRANT__BREAKING,
                 filled ? "is required now; casting fills its default"
                        : "is required now and has no default",
                 name);
    } else if (before.required && !now.required) {
        add_edit(self, pointer_of(self, before.required_by, BRANT__TEXT("required")),
                 BRANT__ADDITIVE, "is not required any more", name);
    }
}

static void explain_objects(differ *self, brant__spot a, brant__spot b, unsigned depth) {
    members from, to;
    object_rules(self, a, &from);
    object_rules(self, b, &to);
    for (int side = 0; side < 2; side++) {
        const members *mine = side ? &from : &to, *other = side ? &to : &from;
        for (size_t i = 0; i < mine->count && !self->failed; i++) {
            const brant__schema *schema = schema_of(self, mine->rules[i].owner);
            const brant__object *object = object_of(self, &mine->rules[i]);
            for (uint32_t n = 0; n < object->table.name_count; n++) {
                const brant__text name =
                    brant__name_text(schema, &schema->names[object->table.name + n]);
                /* The second time only what the first did not see. */
                const property seen = find_property(self, other, name);
                if (side && (seen.spot.block != BRANT__NONE || seen.required)) continue;
                explain_property(self, &from, &to, name, depth);
            }
        }
    }
    const brant__spot before = additional_of(self, &from, 0), now = additional_of(self, &to, 1);
    const brant__text keyword = BRANT__TEXT("additionalProperties");
    const brant__class class = brant__relation_class(&self->relation, before.block, now.block);
    if (class == BRANT__IDENTICAL) return;
    if (is_closed(self, now))
        add_edit(self, pointer_of(self, to.rules[0].owner, keyword), BRANT__UPCAST,
                 "members of other names were valid; casting drops them", NO_NAME);
    else if (class == BRANT__ADDITIVE)
        add_edit(self, pointer_of(self, from.rules[0].owner, keyword), BRANT__ADDITIVE,
                 "members of other names are valid now", NO_NAME);
    else
        explain(self, before, now, depth + 1);
}

/* ---- arrays ---------------------------------------------------------------------------------- */

static bool items_rule(differ *self, brant__spot spot, brant__atom *out) {
    uint32_t first, count, found = 0;
    brant__relation_atoms(&self->relation, spot, YYJSON_TYPE_ARR, &first, &count);
    for (uint32_t i = 0; i < count; i++) {
        const brant__atom *atom = brant__relation_atom(&self->relation, first + i);
        if (atom->rule->op != BRANT__OP_ITEMS) continue;
        *out = *atom;
        found++;
    }
    brant__relation_release(&self->relation, first);
    return found == 1;
}

/* True when the items of both could be compared one by one. */
static bool explain_items(differ *self, brant__spot a, brant__spot b, unsigned depth) {
    brant__atom from, to;
    if (!items_rule(self, a, &from) || !items_rule(self, b, &to) || from.rule->b != to.rule->b ||
        (from.rule->c == BRANT__NONE) != (to.rule->c == BRANT__NONE))
        return false;
    for (uint32_t i = 0; i < from.rule->b && !self->failed; i++)
        explain(self, (brant__spot){a.side, schema_of(self, a)->words[from.rule->a + i]},
                (brant__spot){b.side, schema_of(self, b)->words[to.rule->a + i]}, depth + 1);
    if (from.rule->c != BRANT__NONE)
        explain(self, (brant__spot){a.side, from.rule->c}, (brant__spot){b.side, to.rule->c},
                depth + 1);
    return true;
}

/* ---- a pair of schemas ----------------------------------------------------------------------- */

static bool seen_before(differ *self, brant__spot a, brant__spot b) {
    const uint32_t pair[2] = {a.block, b.block};
    const brant__text key = brant__text_of((const char *)pair, sizeof(pair));
    int64_t known;
    if (brant__map_get(&self->visited, key, &known)) return true;
    if (!brant__map_put(&self->visited, key, 1)) self->failed = true;
    return false;
}

static void explain(differ *self, brant__spot a, brant__spot b, unsigned depth) {
    const brant__class class = brant__relation_class(&self->relation, a.block, b.block);
    const size_t mark = edit_count(self);
    static const int types[] = {YYJSON_TYPE_NUM, YYJSON_TYPE_STR, YYJSON_TYPE_ARR, YYJSON_TYPE_OBJ};
    bool said = false;
    if (class == BRANT__IDENTICAL || self->failed || seen_before(self, a, b)) return;
    if (depth < DEEPEST && a.block > BRANT__BLOCK_FALSE && b.block > BRANT__BLOCK_FALSE) {
        explain_types(self, a, b);
        explain_objects(self, a, b, depth);
        const bool skip_items = explain_items(self, a, b, depth);
        for (size_t i = 0; i < BRANT__COUNT(types); i++) {
            explain_rules(self, a, b, types[i], true, skip_items);
            explain_rules(self, a, b, types[i], false, skip_items);
        }
    }
    for (size_t i = mark; i < edit_count(self); i++) {
        edit *one = &edits_of(self)[i];
        if (one->class > class) one->class = class;
        said = said || one->class == class;
    }
    if (said) return;
    const brant__spot where = b.block > BRANT__BLOCK_FALSE ? b : a;
    add_edit(self, pointer_of(self, where, NO_NAME), class,
             class == BRANT__ADDITIVE ? "other values are valid now"
             : class == BRANT__UPCAST ? "values were valid that casting makes valid again"
                                      : "values were valid that may not be valid now",
             NO_NAME);
}

/* ---- configuration --------------------------------------------------------------------------- */

static yyjson_val *entries_of(const differ *self, int side) {
    return yyjson_obj_getn(self->documents[side], self->containers[side].data,
                           self->containers[side].length);
}

/* Where an entry's literal stands: in the properties of a schema, or in a plain object; the entry itself where it is elsewhere. */
static brant__text literal_pointer(differ *self, int side, brant__text entry, const char *member,
                                   bool *out_there) {
    brant__buffer *pointer = &self->pointer;
    yyjson_val *value = yyjson_obj_getn(entries_of(self, side), entry.data, entry.length);
    yyjson_val *properties = yyjson_obj_get(value, "properties");
    brant__buffer_reset(pointer);
    brant__buffer_append_byte(pointer, '/');
    brant__buffer_append(pointer, self->containers[side].data, self->containers[side].length);
    brant__buffer_append_byte(pointer, '/');
    brant__pointer_append(pointer, entry);
    *out_there = false;
    if (yyjson_obj_get(properties, member) || yyjson_obj_get(value, member)) {
        *out_there = true;
        brant__buffer_format(pointer, "%s/%s",
                             yyjson_obj_get(properties, member) ? "/properties" : "", member);
    }
    if (pointer->failed) self->failed = true;
    return brant__text_of(pointer->data, pointer->failed ? 0 : pointer->length);
}

static void add_literal(differ *self, brant__text entry, const char *member, brant__class class,
                        const char *reason) {
    bool before, now;
    literal_pointer(self, 0, entry, member, &before);
    brant__text pointer = literal_pointer(self, 1, entry, member, &now);
    if (!now && before) pointer = literal_pointer(self, 0, entry, member, &before);
    add_edit(self, pointer, class, reason, NO_NAME);
}

static void compare_limit(differ *self, brant__text entry, const char *member, int64_t from,
                          int64_t to) {
    if (from == to) return;
    const bool lower = to >= 0 && (from < 0 || to < from);
    add_literal(self, entry, member, lower ? BRANT__BREAKING : BRANT__ADDITIVE,
                lower ? "more were allowed" : "more are allowed now");
}

static void compare_flag(differ *self, const char *member, bool from, bool to, bool stricter,
                         const char *was, const char *now) {
    if (from == to) return;
    add_literal(self, BRANT__TEXT("Config"), member,
                to == stricter ? BRANT__BREAKING : BRANT__ADDITIVE, to == stricter ? was : now);
}

static void compare_config(differ *self) {
    const brant__module_config *a = &self->modules[0]->config, *b = &self->modules[1]->config;
    const brant__text entry = BRANT__TEXT("Config");
    if (a->direction != b->direction)
        add_literal(self, entry, "directed", BRANT__BREAKING,
                    "stored edges have ends of another meaning");
    compare_flag(self, "multi", a->multi, b->multi, false, "parallel edges were allowed",
                 "parallel edges are allowed now");
    compare_flag(self, "allow_self_loops", a->allow_self_loops, b->allow_self_loops, false,
                 "self-loops were allowed", "self-loops are allowed now");
    compare_flag(self, "acyclic", a->acyclic, b->acyclic, true, "cycles were allowed",
                 "cycles are allowed now");
    compare_limit(self, entry, "max_nodes", a->max_nodes, b->max_nodes);
    compare_limit(self, entry, "max_edges", a->max_edges, b->max_edges);
}

/* ---- types of nodes and edges ---------------------------------------------------------------- */

static brant__text entry_name(differ *self, brant__text type, const char *suffix) {
    const size_t length = strlen(suffix);
    char *text = brant__arena_alloc(&self->arena, type.length + length + 1);
    if (!text) {
        self->failed = true;
        return BRANT__TEXT("");
    }
    if (type.length > 0) memcpy(text, type.data, type.length);
    memcpy(text + type.length, suffix, length + 1);
    return brant__text_of(text, type.length + length);
}

static void type_gone(differ *self, int side, brant__text type, const char *suffix,
                      const char *reason) {
    bool there;
    const brant__text entry = entry_name(self, type, suffix);
    add_edit(self, literal_pointer(self, side, entry, "", &there),
             side ? BRANT__ADDITIVE : BRANT__BREAKING, reason, NO_NAME);
}

static void compare_type(differ *self, const brant__schema *from, const brant__schema *to) {
    brant__relation_free(&self->relation);
    self->relation = (brant__relation){.schemas = {from, to},
                                       .documents = {self->documents[0], self->documents[1]}};
    brant__map_clear(&self->visited);
    explain(self, (brant__spot){0, from->entry}, (brant__spot){1, to->entry}, 0);
    if (self->relation.failed) self->failed = true;
}

/* Does casting drop the attribute: is there a closed object on the way that does not know it? */
static bool dropped(differ *self, const brant__encrypted *gone) {
    brant__spot spot = {1, self->relation.schemas[1]->entry};
    for (size_t i = 0; i < gone->segment_count; i++) {
        members rules;
        object_rules(self, spot, &rules);
        const property found = find_property(self, &rules, gone->segments[i]);
        if (found.spot.block == BRANT__NONE) return is_closed(self, additional_of(self, &rules, 1));
        spot = found.spot;
    }
    return false;
}

/*
 * Attributes that one of the two types encrypts, by their pointers; rules say nothing of it. What is stored plain stays valid where it is
 * encrypted from now on; an envelope is no value of an attribute that is plain.
 */
static void compare_encrypted(differ *self, const brant__encrypted *from, size_t from_count,
                              const brant__encrypted *to, size_t to_count) {
    const brant__text keyword = BRANT__TEXT("x-encrypted");
    size_t i = 0, j = 0;
    while ((i < from_count || j < to_count) && !self->failed) {
        const int order = i == from_count ? 1
                          : j == to_count ? -1
                                          : brant__text_compare(from[i].pointer, to[j].pointer);
        if (order < 0 && !dropped(self, &from[i]))
            add_edit(self, pointer_of(self, (brant__spot){0, from[i].block}, keyword),
                     BRANT__BREAKING,
                     "is not encrypted any more, but the values that are stored are", NO_NAME);
        else if (order > 0)
            add_edit(self, pointer_of(self, (brant__spot){1, to[j].block}, keyword),
                     BRANT__ADDITIVE,
                     "is encrypted now; values that are stored stay readable, and secrets.rotate "
                     "encrypts them",
                     NO_NAME);
        i += order <= 0;
        j += order >= 0;
    }
}

/* Are all ends of one list in the other, by name? */
static bool ends_within(const brant__module *module, const size_t *ends, size_t count,
                        const brant__module *other, const size_t *wider, size_t wider_count) {
    if (wider_count == SIZE_MAX) return true;
    if (count == SIZE_MAX) return false;
    for (size_t i = 0; i < count; i++) {
        bool found = false;
        for (size_t j = 0; j < wider_count && !found; j++)
            found = brant__text_equal(module->node_types[ends[i]].name,
                                      other->node_types[wider[j]].name);
        if (!found) return false;
    }
    return true;
}

static void compare_ends(differ *self, const brant__edge_type *from, const brant__edge_type *to) {
    const brant__module *a = self->modules[0], *b = self->modules[1];
    const brant__text entry = entry_name(self, from->name, "EdgeConstraints");
    for (int end = 0; end < 2; end++) {
        const size_t *mine = end ? from->targets : from->sources;
        const size_t *other = end ? to->targets : to->sources;
        const size_t mine_count = end ? from->target_count : from->source_count;
        const size_t other_count = end ? to->target_count : to->source_count;
        const char *member = end ? "target" : "source";
        if (!ends_within(a, mine, mine_count, b, other, other_count))
            add_literal(self, entry, member, BRANT__BREAKING, "other ends were allowed");
        else if (!ends_within(b, other, other_count, a, mine, mine_count))
            add_literal(self, entry, member, BRANT__ADDITIVE, "other ends are allowed now");
    }
    compare_limit(self, entry, "max_out", from->max_out, to->max_out);
    compare_limit(self, entry, "max_in", from->max_in, to->max_in);
}

static void compare_node_type(differ *self, const brant__node_type *from,
                              const brant__node_type *to) {
    compare_type(self, from->schema, to->schema);
    compare_encrypted(self, from->encrypted, from->encrypted_count, to->encrypted,
                      to->encrypted_count);
}

static void compare_nodes(differ *self) {
    const brant__module *a = self->modules[0], *b = self->modules[1];
    for (size_t i = 0; i < a->node_type_count && !self->failed; i++) {
        size_t j = 0;
        while (j < b->node_type_count &&
               !brant__text_equal(a->node_types[i].name, b->node_types[j].name))
            j++;
        if (j == b->node_type_count)
            type_gone(self, 0, a->node_types[i].name, "Node", "the node type is gone");
        else
            compare_node_type(self, &a->node_types[i], &b->node_types[j]);
    }
    for (size_t j = 0; j < b->node_type_count && !self->failed; j++) {
        size_t i = 0;
        while (i < a->node_type_count &&
               !brant__text_equal(a->node_types[i].name, b->node_types[j].name))
            i++;
        if (i == a->node_type_count)
            type_gone(self, 1, b->node_types[j].name, "Node", "the node type is new");
    }
}

static void compare_edges(differ *self) {
    const brant__module *a = self->modules[0], *b = self->modules[1];
    for (size_t i = 0; i < a->edge_type_count && !self->failed; i++) {
        size_t j = 0;
        while (j < b->edge_type_count &&
               !brant__text_equal(a->edge_types[i].name, b->edge_types[j].name))
            j++;
        if (j == b->edge_type_count) {
            type_gone(self, 0, a->edge_types[i].name, "Edge", "the edge type is gone");
            continue;
        }
        compare_type(self, a->edge_types[i].schema, b->edge_types[j].schema);
        compare_encrypted(self, a->edge_types[i].encrypted, a->edge_types[i].encrypted_count,
                          b->edge_types[j].encrypted, b->edge_types[j].encrypted_count);
        compare_ends(self, &a->edge_types[i], &b->edge_types[j]);
    }
    for (size_t j = 0; j < b->edge_type_count && !self->failed; j++) {
        size_t i = 0;
        while (i < a->edge_type_count &&
               !brant__text_equal(a->edge_types[i].name, b->edge_types[j].name))
            i++;
        if (i == a->edge_type_count)
            type_gone(self, 1, b->edge_types[j].name, "Edge", "the edge type is new");
    }
}

/* ---- the documents --------------------------------------------------------------------------- */

/* Note an edit's pointer and those above it. */
static void cover(differ *self, brant__text pointer) {
    for (size_t length = pointer.length;; length--) {
        if (length > 0 && length < pointer.length && pointer.data[length] != '/') continue;
        if (!brant__map_put(&self->covered, brant__text_of(pointer.data, length),
                            length == pointer.length))
            self->failed = true;
        if (length == 0) break;
    }
}

/* Does an edit stand here, above or below? */
static bool is_covered(const differ *self, brant__text pointer) {
    int64_t exact;
    if (brant__map_get(&self->covered, pointer, &exact)) return true;
    for (size_t length = pointer.length; length > 0; length--) {
        if (pointer.data[length - 1] != '/') continue;
        if (brant__map_get(&self->covered, brant__text_of(pointer.data, length - 1), &exact) &&
            exact)
            return true;
    }
    return false;
}

static void note_difference(differ *self, brant__buffer *at) {
    const brant__text pointer = brant__text_of(at->data ? at->data : "", at->length);
    if (at->failed) {
        self->failed = true;
        return;
    }
    if (!is_covered(self, pointer))
        add_edit(self, pointer, BRANT__IDENTICAL, "no validation depends on it", NO_NAME);
}

static void compare_values(differ *self, yyjson_val *a, yyjson_val *b, brant__buffer *at);

static void compare_members(differ *self, yyjson_val *a, yyjson_val *b, brant__buffer *at) {
    const size_t before = at->length;
    size_t index, count;
    yyjson_val *key, *value;
    yyjson_obj_foreach(a, index, count, key, value) {
        const brant__text name = brant__json_text(key);
        yyjson_val *other = yyjson_obj_getn(b, name.data, name.length);
        brant__buffer_append_byte(at, '/');
        brant__pointer_append(at, name);
        if (other)
            compare_values(self, value, other, at);
        else
            note_difference(self, at);
        if (!at->failed) at->length = before;
    }
    yyjson_obj_foreach(b, index, count, key, value) {
        const brant__text name = brant__json_text(key);
        if (yyjson_obj_getn(a, name.data, name.length)) continue;
        brant__buffer_append_byte(at, '/');
        brant__pointer_append(at, name);
        note_difference(self, at);
        if (!at->failed) at->length = before;
    }
}

/* Documents nest no deeper than the parser lets them. */
static void compare_values(differ *self, yyjson_val *a, yyjson_val *b, brant__buffer *at) {
    if (self->failed || brant__json_equal(a, b)) return;
    if (yyjson_is_obj(a) && yyjson_is_obj(b)) {
        compare_members(self, a, b, at);
    } else if (yyjson_is_arr(a) && yyjson_is_arr(b) && yyjson_arr_size(a) == yyjson_arr_size(b)) {
        const size_t before = at->length;
        size_t index, count;
        yyjson_val *item, *other = yyjson_arr_get_first(b);
        yyjson_arr_foreach(a, index, count, item) {
            brant__buffer_format(at, "/%zu", index);
            compare_values(self, item, other, at);
            if (!at->failed) at->length = before;
            other = unsafe_yyjson_get_next(other);
        }
    } else {
        note_difference(self, at);
    }
}

static void compare_documents(differ *self) {
    brant__buffer at = {0};
    const size_t count = edit_count(self);
    for (size_t i = 0; i < count && !self->failed; i++)
        cover(self, edits_of(self)[i].pointer);
    compare_values(self, self->documents[0], self->documents[1], &at);
    if (at.failed) self->failed = true;
    brant__buffer_free(&at);
}

/* ---- the answer ------------------------------------------------------------------------------ */

static int by_pointer(const void *left, const void *right) {
    const edit *a = left, *b = right;
    const int order = brant__text_compare(a->pointer, b->pointer);
    if (order != 0) return order;
    if (a->op != b->op) return a->op - b->op;
    return brant__text_compare(a->reason, b->reason);
}

/* Schemas that several types use are walked for each: of equal edits the most harmful stays. */
static void merge(differ *self) {
    edit *all = edits_of(self);
    const size_t count = edit_count(self);
    size_t kept = 0;
    if (count > 0) qsort(all, count, sizeof(*all), by_pointer);
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && by_pointer(&all[kept - 1], &all[i]) == 0) {
            if (all[i].class > all[kept - 1].class) all[kept - 1].class = all[i].class;
        } else {
            all[kept++] = all[i];
        }
    }
    self->edits.length = kept * sizeof(*all);
}

/* The entry that a pointer leads into: its second token. */
static void write_entry(brant__writer *out, brant__text pointer) {
    brant__buffer name = {0};
    size_t at = 1;
    while (at < pointer.length && pointer.data[at] != '/')
        at++;
    for (at++; at < pointer.length && pointer.data[at] != '/'; at++) {
        if (pointer.data[at] == '~' && at + 1 < pointer.length)
            brant__buffer_append_byte(&name, pointer.data[++at] == '0' ? '~' : '/');
        else
            brant__buffer_append_byte(&name, pointer.data[at]);
    }
    if (name.length > 0)
        brant__write_text(out, brant__text_of(name.data, name.length));
    else
        brant__write_null(out);
    if (name.failed) out->buffer.failed = true;
    brant__buffer_free(&name);
}

static void write_edits(const differ *self, brant__writer *out) {
    for (size_t i = 0; i < edit_count(self); i++) {
        const edit *one = &edits_of(self)[i];
        const char *class = brant__class_names[one->class];
        brant__write_object(out);
        brant__write_text_member(out, "op", brant__text_string(op_names[one->op]));
        brant__write_text_member(out, "pointer", one->pointer);
        brant__write_name(out, "entry");
        write_entry(out, one->pointer);
        brant__write_text_member(out, "class", brant__text_string(class));
        brant__write_text_member(out, "reason", one->reason);
        brant__write_end(out);
    }
}

brant_status brant__module_diff(brant__class *out_class, brant__writer *edits, yyjson_val *from,
                                const brant__module *from_module, yyjson_val *to,
                                const brant__module *to_module) {
    static const char *const containers[] = {"$defs", "definitions", "schemas"};
    brant_status status = BRANT_OK;
    differ self = {.documents = {from, to}, .modules = {from_module, to_module}};
    *out_class = BRANT__IDENTICAL;
    for (int side = 0; side < 2; side++) {
        self.containers[side] = BRANT__TEXT("$defs");
        for (size_t i = BRANT__COUNT(containers); i-- > 0;)
            if (yyjson_obj_get(self.documents[side], containers[i]))
                self.containers[side] = brant__text_string(containers[i]);
    }
    if (brant__json_equal(from, to)) return BRANT_OK;
    compare_config(&self);
    if (from_module->typed != to_module->typed)
        add_edit(&self, BRANT__TEXT(""), BRANT__BREAKING,
                 from_module->typed ? "there were types of nodes and edges"
                                    : "there were no types of nodes and edges",
                 NO_NAME);
    if (from_module->typed || to_module->typed) {
        compare_nodes(&self);
        compare_edges(&self);
    }
    *out_class = self.beyond;
    for (size_t i = 0; i < edit_count(&self); i++)
        if (edits_of(&self)[i].class > *out_class) *out_class = edits_of(&self)[i].class;
    if (edits && !self.failed) compare_documents(&self);
    if (self.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    merge(&self);
    if (edits) write_edits(&self, edits);
cleanup:
    brant__relation_free(&self.relation);
    brant__map_free(&self.visited);
    brant__map_free(&self.covered);
    brant__buffer_free(&self.edits);
    brant__buffer_free(&self.pointer);
    brant__arena_free(&self.arena);
    return status;
}
