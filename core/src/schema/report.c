/*
 * schema/report.c: running a program over a value that it does not accept, and saying why: all violations, each with its place.
 *
 * The walk follows the rules as validate.c does, and asks validate.c wherever it only needs a yes or no. Messages speak of the schema, never of
 * the value; member names of the value stand in pointers. Of an encrypted value not even those: it has one violation, which names a keyword.
 */
#include "schema/program.h"

/* Nested levels that are reported: one level takes more stack here than in validate.c. A value is validated again on the way down. */
enum { REPORT_FRAMES = 2048, REPORT_STEPS = 16 };

typedef struct reporter {
    brant__run run;
    brant__writer *out;
    brant__buffer pointer; /* of the value in hand */
    brant__buffer schema;  /* pointer of the rule, scratch */
    brant__buffer message; /* scratch */
    brant__map secrets;    /* addresses of what is encrypted: 1 where that was reported */
    size_t count;
    uint32_t frames;
} reporter;

static void report_block(reporter *report, uint32_t number, yyjson_val *value);

/* ---- writing ------------------------------------------------------------------------------------------------------------ */

/* Write a violation of `keyword` with what stands in report->message. */
static void violation(reporter *report, uint32_t number, brant__text keyword) {
    brant__buffer_reset(&report->schema);
    const brant__schema *program = report->run.schema;
    const uint32_t place = program->blocks[number].place;
    if (report->count++ < BRANT__VIOLATIONS) {
        if (place != BRANT__NONE)
            brant__place_append(&report->schema, program->places, program->text, place);
        if (keyword.length > 0) {
            brant__buffer_append_byte(&report->schema, '/');
            brant__buffer_append(&report->schema, keyword.data, keyword.length);
        }
        brant__writer *out = report->out;
        brant__write_object(out);
        brant__write_text_member(out, "instance",
                                 brant__text_of(report->pointer.data, report->pointer.length));
        brant__write_text_member(out, "schema",
                                 brant__text_of(report->schema.data, report->schema.length));
        brant__write_text_member(out, "keyword", keyword);
        brant__write_text_member(out, "message",
                                 brant__text_of(report->message.data, report->message.length));
        brant__write_end(out);
    }
    brant__buffer_reset(&report->message);
}

static void say(reporter *report, const char *text) {
    brant__buffer_append(&report->message, text, strlen(text));
}

static void violate(reporter *report, uint32_t number, int keyword, const char *message) {
    say(report, message);
    violation(report, number, brant__keywords[keyword].name);
}

/* Text within quotes, cut to a length that suits a message. */
static void say_text(reporter *report, brant__text text) {
    enum { LONGEST = 120 };
    size_t length = text.length;
    if (length > LONGEST) {
        length = LONGEST;
        while (length > 0 && ((uint8_t)text.data[length] & 0xC0) == 0x80)
            length--;
    }
    brant__json_append_text(&report->message, brant__text_of(text.data, length));
    if (length < text.length) say(report, "...");
}

static void say_constant(reporter *report, uint32_t constant) {
    yyjson_val *value = report->run.schema->constants[constant];
    if (yyjson_is_str(value))
        say_text(report, brant__json_text(value));
    else if (!yyjson_is_ctn(value))
        brant__json_append(&report->message, value);
    else
        say(report, yyjson_is_obj(value) ? "a certain object" : "a certain array");
}

static void say_count(reporter *report, const char *before, uint64_t count, const char *one,
                      const char *many) {
    brant__buffer_format(&report->message, "%s%llu %s", before, (unsigned long long)count,
                         count == 1 ? one : many);
}

/* ---- moving -------------------------------------------------------------------------------------------------------------- */

static size_t enter_member(reporter *report, brant__text name) {
    const size_t before = report->pointer.length;
    brant__buffer_append_byte(&report->pointer, '/');
    brant__pointer_append(&report->pointer, name);
    return before;
}

static size_t enter_item(reporter *report, size_t index) {
    const size_t before = report->pointer.length;
    brant__buffer_format(&report->pointer, "/%zu", index);
    return before;
}

static void leave(reporter *report, size_t before) {
    if (!report->pointer.failed) report->pointer.length = before;
}

/* ---- types ---------------------------------------------------------------------------------------------------------------- */

static const char *type_name(yyjson_val *value) {
    switch (yyjson_get_type(value)) {
    case YYJSON_TYPE_NULL:
        return "null";
    case YYJSON_TYPE_BOOL:
        return "a boolean";
    case YYJSON_TYPE_NUM:
        return brant__number_integral(value) ? "an integer" : "a number with a fraction";
    case YYJSON_TYPE_STR:
        return "a string";
    case YYJSON_TYPE_ARR:
        return "an array";
    case YYJSON_TYPE_OBJ:
        return "an object";
    default:
        return "nothing";
    }
}

static void wrong_type(reporter *report, uint32_t number, yyjson_val *value) {
    static const struct {
        unsigned bits;
        const char *name;
    } types[] = {
        {BRANT__TYPE_BIT(YYJSON_TYPE_STR), "a string"},
        {BRANT__TYPE_INTEGER, "an integer"},
        {BRANT__TYPE_BIT(YYJSON_TYPE_NUM), "a number"},
        {BRANT__TYPE_BIT(YYJSON_TYPE_BOOL), "a boolean"},
        {BRANT__TYPE_BIT(YYJSON_TYPE_OBJ), "an object"},
        {BRANT__TYPE_BIT(YYJSON_TYPE_ARR), "an array"},
        {BRANT__TYPE_BIT(YYJSON_TYPE_NULL), "null"},
    };
    const brant__block *block = &report->run.schema->blocks[number];
    const unsigned accepted =
        block->types | (brant__block_nullable(block) ? BRANT__TYPE_BIT(YYJSON_TYPE_NULL) : 0);
    say(report, "must be ");
    const char *separator = "";
    for (size_t i = 0; i < BRANT__COUNT(types); i++) {
        if (!(accepted & types[i].bits)) continue;
        say(report, separator);
        say(report, types[i].name);
        separator = " or ";
    }
    say(report, ", not ");
    violate(report, number, BRANT__KEYWORD_TYPE, type_name(value));
}

/* A place where the schema is false: nothing is allowed there. */
static void never(reporter *report, uint32_t number) {
    const brant__schema *program = report->run.schema;
    const uint32_t place = program->blocks[number].place;
    const int keyword = place == BRANT__NONE ? -1 : program->places[place].keyword;
    const bool keyed = place != BRANT__NONE && program->places[place].kind != BRANT__PLACE_ROOT &&
                       program->places[place].kind != BRANT__PLACE_RAW;
    if (keyed && (keyword == BRANT__KEYWORD_ADDITIONAL_PROPERTIES ||
                  keyword == BRANT__KEYWORD_UNEVALUATED_PROPERTIES)) {
        say(report, "is not a property that the schema knows");
    } else if (keyed &&
               (keyword == BRANT__KEYWORD_ITEMS || keyword == BRANT__KEYWORD_ADDITIONAL_ITEMS ||
                keyword == BRANT__KEYWORD_UNEVALUATED_ITEMS)) {
        say(report, "is an item too many");
    } else {
        say(report, "is not allowed");
    }
    violation(report, number, BRANT__TEXT(""));
}

/* ---- groups ---------------------------------------------------------------------------------------------------------------- */

static void report_scalar(reporter *report, uint32_t number, const brant__rule *rule) {
    const brant__schema *program = report->run.schema;
    switch ((brant__operation)rule->op) {
    case BRANT__OP_MINIMUM:
        say(report, "must be at least ");
        break;
    case BRANT__OP_MAXIMUM:
        say(report, "must be at most ");
        break;
    case BRANT__OP_EXCLUSIVE_MINIMUM:
        say(report, "must be greater than ");
        break;
    case BRANT__OP_EXCLUSIVE_MAXIMUM:
        say(report, "must be less than ");
        break;
    case BRANT__OP_MULTIPLE_OF:
        say(report, "must be a multiple of ");
        break;
    case BRANT__OP_MIN_LENGTH:
        say_count(report, "must have at least ", rule->n, "character", "characters");
        break;
    case BRANT__OP_MAX_LENGTH:
        say_count(report, "must have at most ", rule->n, "character", "characters");
        break;
    case BRANT__OP_FORMAT:
        say(report, brant__format_message((int)rule->a));
        break;
    case BRANT__OP_PATTERN:
        say(report, "must match the pattern ");
        say_text(report, brant__pattern_source(program->patterns[rule->a]));
        break;
    default:
        break;
    }
    if (rule->op <= BRANT__OP_MULTIPLE_OF) say_constant(report, program->numbers[rule->a].constant);
    violation(report, number, brant__keywords[rule->keyword].name);
}

static void report_items(reporter *report, const brant__rule *rule, yyjson_val *value) {
    const brant__schema *program = report->run.schema;
    size_t index, count;
    yyjson_val *item;
    yyjson_arr_foreach(value, index, count, item) {
        const uint32_t block = index < rule->b ? program->words[rule->a + index] : rule->c;
        if (block == BRANT__NONE) break;
        const size_t before = enter_item(report, index);
        report_block(report, block, item);
        leave(report, before);
    }
}

static void report_contains(reporter *report, uint32_t number, const brant__rule *rule,
                            yyjson_val *value) {
    uint32_t found = 0;
    size_t index, count;
    yyjson_val *item;
    yyjson_arr_foreach(value, index, count, item) found +=
        brant__block_accepts(&report->run, rule->c, item);
    if (found < rule->a) {
        say_count(report, "must contain at least ", rule->a, "item that fits", "items that fit");
        violation(report, number,
                  rule->a == 1 ? BRANT__TEXT("contains") : BRANT__TEXT("minContains"));
    }
    if (found > rule->b) {
        say_count(report, "must contain at most ", rule->b, "item that fits", "items that fit");
        violation(report, number, BRANT__TEXT("maxContains"));
    }
}

static void report_array(reporter *report, uint32_t number, const brant__rule *rule,
                         yyjson_val *value) {
    switch ((brant__operation)rule->op) {
    case BRANT__OP_ITEMS:
        report_items(report, rule, value);
        return;
    case BRANT__OP_CONTAINS:
        report_contains(report, number, rule, value);
        return;
    case BRANT__OP_MIN_ITEMS:
        say_count(report, "must have at least ", rule->n, "item", "items");
        break;
    case BRANT__OP_MAX_ITEMS:
        say_count(report, "must have at most ", rule->n, "item", "items");
        break;
    case BRANT__OP_UNIQUE_ITEMS:
        say(report, "must not have two equal items");
        break;
    default:
        break;
    }
    violation(report, number, brant__keywords[rule->keyword].name);
}

static void report_members(reporter *report, uint32_t number, const brant__object *object,
                           yyjson_val *value) {
    const brant__schema *program = report->run.schema;
    size_t index, count;
    yyjson_val *key, *member;
    for (uint32_t i = 0; i < object->table.name_count; i++) {
        const brant__name *name = &program->names[object->table.name + i];
        const brant__text text = brant__name_text(program, name);
        if (!name->required || yyjson_obj_getn(value, text.data, text.length)) continue;
        say(report, "must have the property ");
        say_text(report, text);
        violation(report, number, BRANT__TEXT("required"));
    }
    yyjson_obj_foreach(value, index, count, key, member) {
        const brant__text text = brant__json_text(key);
        const size_t before = enter_member(report, text);
        const uint32_t found = brant__table_find(program, &object->table, text.data, text.length);
        const uint32_t block =
            found == BRANT__NONE ? BRANT__NONE : program->names[object->table.name + found].block;
        bool evaluated = block != BRANT__NONE;
        if (evaluated) report_block(report, block, member);
        for (uint32_t i = 0; i < object->pattern_count; i++) {
            const uint32_t *pair = program->words + object->pattern + (size_t)2 * i;
            if (brant__run_match(&report->run, pair[0], text.data, text.length) == 0) continue;
            evaluated = true;
            report_block(report, pair[1], member);
        }
        if (!evaluated) report_block(report, object->additional, member);
        leave(report, before);
    }
}

static void report_names(reporter *report, uint32_t number, const brant__rule *rule,
                         yyjson_val *value) {
    size_t index, count;
    yyjson_val *key, *member;
    yyjson_obj_foreach(value, index, count, key, member) {
        if (brant__block_accepts(&report->run, rule->c, key)) continue;
        const size_t before = enter_member(report, brant__json_text(key));
        violate(report, number, BRANT__KEYWORD_PROPERTY_NAMES, "has a name that is not allowed");
        report_block(report, rule->c, key);
        leave(report, before);
    }
}

static void report_dependents(reporter *report, uint32_t number, const brant__rule *rule,
                              yyjson_val *value) {
    const brant__schema *program = report->run.schema;
    for (uint32_t i = 1; i < rule->b; i++) {
        const brant__text text = brant__name_text(program, &program->names[rule->a + i]);
        if (yyjson_obj_getn(value, text.data, text.length)) continue;
        say(report, "must have the property ");
        say_text(report, text);
        say(report, " because it has ");
        say_text(report, brant__name_text(program, &program->names[rule->a]));
        violation(report, number, brant__keywords[rule->keyword].name);
    }
}

static void report_object(reporter *report, uint32_t number, const brant__rule *rule,
                          yyjson_val *value) {
    switch ((brant__operation)rule->op) {
    case BRANT__OP_OBJECT:
        report_members(report, number, &report->run.schema->objects[rule->a], value);
        return;
    case BRANT__OP_PROPERTY_NAMES:
        report_names(report, number, rule, value);
        return;
    case BRANT__OP_DEPENDENT_REQUIRED:
        report_dependents(report, number, rule, value);
        return;
    case BRANT__OP_DEPENDENT_SCHEMA:
        report_block(report, rule->c, value);
        return;
    case BRANT__OP_MIN_PROPERTIES:
        say_count(report, "must have at least ", rule->n, "property", "properties");
        break;
    case BRANT__OP_MAX_PROPERTIES:
        say_count(report, "must have at most ", rule->n, "property", "properties");
        break;
    default:
        break;
    }
    violation(report, number, brant__keywords[rule->keyword].name);
}

/* ---- any value -------------------------------------------------------------------------------------------------------------- */

static void report_enum(reporter *report, uint32_t number, const brant__choice *choice) {
    enum { LONGEST = 240 };
    yyjson_val *values = report->run.schema->constants[choice->constant];
    say(report, yyjson_arr_size(values) == 1 ? "must be " : "must be one of ");
    size_t index, count;
    yyjson_val *value;
    yyjson_arr_foreach(values, index, count, value) {
        if (index > 0) say(report, ", ");
        if (report->message.length > LONGEST) {
            brant__buffer_format(&report->message, "and %zu more", count - index);
            break;
        }
        if (yyjson_is_str(value))
            say_text(report, brant__json_text(value));
        else if (yyjson_is_ctn(value))
            say(report, yyjson_is_obj(value) ? "a certain object" : "a certain array");
        else
            brant__json_append(&report->message, value);
    }
    violation(report, number, BRANT__TEXT("enum"));
}

/* True when a literal says that the block is not meant: its own const or enum, or that of a property which the value has. */
static bool ruled_out(reporter *report, uint32_t number, yyjson_val *value, unsigned depth) {
    const brant__schema *program = report->run.schema;
    const brant__block *block = &program->blocks[number];
    if (brant__block_exempts(block, value)) return false;
    if (!brant__block_type_accepts(block, value)) return true;
    for (uint32_t i = block->first[BRANT__GROUP_COMMON]; i < block->first[BRANT__GROUP_COUNT];
         i++) {
        const brant__rule *rule = &program->rules[i];
        const bool literal = rule->op == BRANT__OP_CONST || rule->op == BRANT__OP_CONST_TEXT ||
                             rule->op == BRANT__OP_ENUM;
        if (literal && !brant__rule_accepts(&report->run, rule, value)) return true;
        if (rule->op == BRANT__OP_APPLY && ruled_out(report, rule->c, value, depth)) return true;
    }
    if (depth == 0 || !yyjson_is_obj(value)) return false;
    for (uint32_t i = block->first[BRANT__GROUP_OBJECT]; i < block->first[BRANT__GROUP_COMMON];
         i++) {
        const brant__rule *rule = &program->rules[i];
        if (rule->op != BRANT__OP_OBJECT) continue;
        const brant__table *table = &program->objects[rule->a].table;
        for (uint32_t j = 0; j < table->name_count; j++) {
            const brant__name *name = &program->names[table->name + j];
            const brant__text text = brant__name_text(program, name);
            yyjson_val *member =
                name->block == BRANT__NONE ? NULL : yyjson_obj_getn(value, text.data, text.length);
            if (!member) continue;
            const brant__block *inner = &program->blocks[name->block];
            for (uint32_t k = inner->first[BRANT__GROUP_COMMON];
                 k < inner->first[BRANT__GROUP_COUNT]; k++) {
                const brant__rule *fixed = &program->rules[k];
                const bool literal =
                    fixed->op == BRANT__OP_CONST || fixed->op == BRANT__OP_CONST_TEXT;
                if (literal && !brant__rule_accepts(&report->run, fixed, member)) return true;
            }
        }
    }
    return false;
}

/*
 * Nothing of anyOf or oneOf fits. Where types and literals leave one alternative (a discriminated union, a nullable type), what is wrong with
 * that one is what helps.
 */
static void report_alternatives(reporter *report, uint32_t number, const brant__rule *rule,
                                yyjson_val *value) {
    const uint32_t *blocks = report->run.schema->words + rule->a;
    uint32_t meant = BRANT__NONE, candidates = 0;
    for (uint32_t i = 0; i < rule->b; i++) {
        if (ruled_out(report, blocks[i], value, 1)) continue;
        meant = blocks[i];
        candidates++;
    }
    if (candidates == 1) {
        report_block(report, meant, value);
        return;
    }
    say_count(report, "must fit one of ", rule->b, "alternative", "alternatives");
    violation(report, number, brant__keywords[rule->keyword].name);
}

static void report_one_of(reporter *report, uint32_t number, const brant__rule *rule,
                          yyjson_val *value) {
    uint32_t accepted = 0;
    for (uint32_t i = 0; i < rule->b; i++) {
        accepted +=
            brant__block_accepts(&report->run, report->run.schema->words[rule->a + i], value);
    }
    if (accepted == 0) {
        report_alternatives(report, number, rule, value);
    } else if (accepted > 1) {
        brant__buffer_format(&report->message, "must fit exactly one of %u alternatives, fits %u",
                             (unsigned)rule->b, (unsigned)accepted);
        violation(report, number, BRANT__TEXT("oneOf"));
    }
}

static void report_unevaluated(reporter *report, const brant__rule *rule, yyjson_val *value) {
    const bool object = rule->op == BRANT__OP_UNEVALUATED_PROPERTIES;
    brant__chunk chunk = brant__chunk_first(value);
    while (brant__chunk_next(&report->run, rule, value, &chunk)) {
        yyjson_val *at = chunk.first;
        for (unsigned i = 0; i < chunk.count; i++) {
            yyjson_val *member = object ? yyjson_obj_iter_get_val(at) : at;
            const size_t before = object ? enter_member(report, brant__json_text(at))
                                         : enter_item(report, chunk.start + i);
            if (!(chunk.evaluated >> i & 1)) report_block(report, rule->c, member);
            leave(report, before);
            at = unsafe_yyjson_get_next(member);
        }
    }
}

static void report_common(reporter *report, uint32_t number, const brant__rule *rule,
                          yyjson_val *value) {
    const brant__schema *program = report->run.schema;
    switch ((brant__operation)rule->op) {
    case BRANT__OP_CONST:
    case BRANT__OP_CONST_TEXT:
        say(report, "must be ");
        say_constant(report, rule->a);
        violation(report, number, BRANT__TEXT("const"));
        break;
    case BRANT__OP_ENUM:
        report_enum(report, number, &program->choices[rule->c]);
        break;
    case BRANT__OP_APPLY:
        report_block(report, rule->c, value);
        break;
    case BRANT__OP_ANY_OF:
        report_alternatives(report, number, rule, value);
        break;
    case BRANT__OP_ONE_OF:
        report_one_of(report, number, rule, value);
        break;
    case BRANT__OP_NOT:
        violate(report, number, BRANT__KEYWORD_NOT, "must not fit the schema of \"not\"");
        break;
    case BRANT__OP_UNEVALUATED_ITEMS:
    case BRANT__OP_UNEVALUATED_PROPERTIES:
        report_unevaluated(report, rule, value);
        break;
    case BRANT__OP_IF:
        report_block(report, brant__block_accepts(&report->run, rule->c, value) ? rule->a : rule->b,
                     value);
        break;
    default:
        break;
    }
}

/* What is left to say when a limit, and no rule, is why the value is rejected. */
static void violate_limit(reporter *report, uint32_t number, uint32_t limits) {
    if (limits & BRANT__RUN_STEPS)
        say(report, "the schema takes too many steps to decide");
    else if (limits & BRANT__RUN_FRAMES)
        say(report, "the schema is nested too deeply for this value");
    else
        say(report, "a pattern takes too many steps to decide");
    violation(report, number,
              limits & (BRANT__RUN_STEPS | BRANT__RUN_FRAMES) ? BRANT__TEXT("")
                                                              : BRANT__TEXT("pattern"));
}

/* True for a rule whose violations are those of schemas below it, where a limit may have been hit. */
static bool leads_on(const brant__rule *rule) {
    switch ((brant__operation)rule->op) {
    case BRANT__OP_ITEMS:
    case BRANT__OP_OBJECT:
    case BRANT__OP_DEPENDENT_SCHEMA:
    case BRANT__OP_APPLY:
    case BRANT__OP_IF:
    case BRANT__OP_UNEVALUATED_ITEMS:
    case BRANT__OP_UNEVALUATED_PROPERTIES:
        return true;
    default:
        return false;
    }
}

static void report_rules(reporter *report, uint32_t number, int group, yyjson_val *value) {
    const brant__schema *program = report->run.schema;
    const brant__block *block = &program->blocks[number];
    for (uint32_t i = block->first[group]; i < block->first[group + 1]; i++) {
        const brant__rule *rule = &program->rules[i];
        const bool accepted = brant__rule_accepts(&report->run, rule, value);
        const uint32_t limits = report->run.exhausted;
        if (accepted && limits == 0) continue;
        /* A limit is forgotten in order to find the place where it was hit; without steps there is no looking. */
        const size_t before = report->count;
        report->run.exhausted = limits & BRANT__RUN_STEPS;
        if (limits & BRANT__RUN_STEPS) {
            report->frames = 0;
        } else if (limits == 0 || leads_on(rule)) {
            switch (group) {
            case BRANT__GROUP_ARRAY:
                report_array(report, number, rule, value);
                break;
            case BRANT__GROUP_OBJECT:
                report_object(report, number, rule, value);
                break;
            case BRANT__GROUP_COMMON:
                report_common(report, number, rule, value);
                break;
            default:
                report_scalar(report, number, rule);
                break;
            }
        }
        if (limits && report->count == before) violate_limit(report, number, limits);
        if (!(report->run.exhausted & BRANT__RUN_STEPS)) report->run.exhausted = 0;
    }
}

/* ---- what is encrypted ------------------------------------------------------------------------------------------------------ */

/* The first rule of a block that refuses the value, $ref and allOf followed; NULL: none, or it is the type. *out_block: whose it is. */
static const brant__rule *refusal(reporter *report, uint32_t number, yyjson_val *value,
                                  uint32_t *out_block) {
    const brant__schema *program = report->run.schema;
    const brant__block *block = &program->blocks[number];
    const int groups[] = {brant__group_of(yyjson_get_type(value)), BRANT__GROUP_COMMON};
    *out_block = number;
    if (!brant__block_type_accepts(block, value)) return NULL;
    for (size_t g = 0; g < BRANT__COUNT(groups); g++) {
        for (uint32_t i = groups[g] < 0 ? 0 : block->first[groups[g]];
             groups[g] >= 0 && i < block->first[groups[g] + 1]; i++) {
            const brant__rule *rule = &program->rules[i];
            if (brant__rule_accepts(&report->run, rule, value)) continue;
            return rule->op == BRANT__OP_APPLY ? refusal(report, rule->c, value, out_block) : rule;
        }
    }
    return NULL;
}

static bool misses_required(const brant__schema *program, const brant__object *object,
                            yyjson_val *value) {
    for (uint32_t i = 0; i < object->table.name_count; i++) {
        const brant__name *name = &program->names[object->table.name + i];
        const brant__text text = brant__name_text(program, name);
        if (name->required && !yyjson_obj_getn(value, text.data, text.length)) return true;
    }
    return false;
}

/* One violation for each encrypted value, which shows nothing of it: neither what is in it nor which rule within it was broken. */
static void report_secret(reporter *report, uint32_t number, yyjson_val *value) {
    const brant__schema *program = report->run.schema;
    const brant__text key = brant__value_key(&value);
    uint32_t owner = number;
    int64_t said = 0;
    if (brant__map_get(&report->secrets, key, &said) && said) return;
    if (brant__block_accepts(&report->run, number, value) && report->run.exhausted == 0) return;
    brant__text keyword = BRANT__TEXT("");
    if (report->run.exhausted == 0) {
        const brant__rule *rule = refusal(report, number, value, &owner);
        if (rule)
            keyword = rule->op == BRANT__OP_OBJECT &&
                              misses_required(program, &program->objects[rule->a], value)
                          ? BRANT__TEXT("required")
                          : brant__keywords[rule->keyword].name;
        else if (program->blocks[owner].types != 0)
            keyword = BRANT__TEXT("type");
    }
    if (!(report->run.exhausted & BRANT__RUN_STEPS)) report->run.exhausted = 0;
    say(report, "the value of an encrypted attribute is not acceptable");
    if (keyword.length > 0) {
        say(report, ": ");
        brant__buffer_append(&report->message, keyword.data, keyword.length);
    }
    violation(report, owner, keyword);
    if (!brant__map_put(&report->secrets, key, 1)) report->message.failed = true;
}

static bool is_secret(const reporter *report, yyjson_val *value) {
    int64_t said;
    return report->secrets.count > 0 &&
           brant__map_get(&report->secrets, brant__value_key(&value), &said);
}

/* ---- a value ---------------------------------------------------------------------------------------------------------------- */

static void report_block(reporter *report, uint32_t number, yyjson_val *value) {
    const brant__block *block = &report->run.schema->blocks[number];
    if (report->frames == 0) return;
    if (brant__block_exempts(block, value)) return;
    if (is_secret(report, value)) {
        report_secret(report, number, value);
        return;
    }
    if (!brant__block_type_accepts(block, value)) {
        if (block->types == 0)
            never(report, number);
        else
            wrong_type(report, number, value);
        return;
    }
    report->frames--;
    switch (yyjson_get_type(value)) {
    case YYJSON_TYPE_NUM:
        report_rules(report, number, BRANT__GROUP_NUMBER, value);
        break;
    case YYJSON_TYPE_STR:
        report_rules(report, number, BRANT__GROUP_STRING, value);
        break;
    case YYJSON_TYPE_ARR:
        report_rules(report, number, BRANT__GROUP_ARRAY, value);
        break;
    case YYJSON_TYPE_OBJ:
        report_rules(report, number, BRANT__GROUP_OBJECT, value);
        break;
    default:
        break;
    }
    report_rules(report, number, BRANT__GROUP_COMMON, value);
    if (report->frames > 0 || !(report->run.exhausted & BRANT__RUN_STEPS)) report->frames++;
}

size_t brant__schema_violations(const brant__schema *schema, yyjson_val *value, brant__text prefix,
                                brant__writer *out) {
    if (brant__schema_accepts(schema, value)) return 0;
    reporter report = {
        .run = brant__run_begin(schema, value),
        .out = out,
        .frames = REPORT_FRAMES,
    };
    report.run.steps *= REPORT_STEPS;
    brant__buffer_append(&report.pointer, prefix.data, prefix.length);
    if (!brant__schema_secrets(&report.secrets, schema, value)) out->buffer.failed = true;
    if (!out->buffer.failed) report_block(&report, schema->entry, value);
    if (report.count == 0) {
        /* Deeper down than is reported. */
        say(&report, "does not fit the schema");
        violation(&report, schema->entry, BRANT__TEXT(""));
    }
    if (report.pointer.failed || report.schema.failed || report.message.failed)
        out->buffer.failed = true;
    const size_t count = report.count;
    brant__map_free(&report.secrets);
    brant__buffer_free(&report.message);
    brant__buffer_free(&report.schema);
    brant__buffer_free(&report.pointer);
    return count;
}

void brant__violation_first(char out[BRANT__VIOLATION_TEXT], brant__text array) {
    brant__json json = {0};
    brant__buffer text = {0};
    out[0] = '\0';
    if (brant__json_parse(&json, array.data, array.length, 0) == BRANT_OK) {
        yyjson_val *first = yyjson_arr_get_first(json.root);
        const brant__text instance = brant__json_get_text(first, "instance");
        const brant__text message = brant__json_get_text(first, "message");
        brant__buffer_append(&text, instance.data, instance.length);
        if (instance.length > 0) brant__buffer_append(&text, ": ", 2);
        brant__buffer_append(&text, message.data, message.length);
        if (!text.failed && text.data) {
            /* Where it is cut in the middle of a code point, the record mends it. */
            const size_t length =
                text.length < BRANT__VIOLATION_TEXT - 1 ? text.length : BRANT__VIOLATION_TEXT - 1;
            memcpy(out, text.data, length);
            out[length] = '\0';
        }
    }
    brant__buffer_free(&text);
    brant__json_free(&json);
}
