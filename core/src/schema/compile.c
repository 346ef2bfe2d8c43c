/*
 * schema/compile.c: from a schema to rules.
 *
 * Blocks are filled from a queue, so nothing here recurses: a rule that needs another schema names its block, which is queued when it is new.
 * Faults do not stop the work, so that one answer names them all; a program with faults is thrown away.
 */
#include "schema/compile.h"

/* ---- building ----------------------------------------------------------------------------------------------------- */

typedef struct definition {
    brant__compiler *compiler;
    uint32_t site;
    yyjson_val *members[BRANT__KEYWORD_COUNT];
} definition;

#define NOTHING BRANT__TEXT("")

static void fault(definition *source, int keyword, const char *message) {
    brant__fault(source->compiler, source->site, brant__keywords[keyword].name, NOTHING, "%s",
                 message);
}

static void fault_at(definition *source, int keyword, size_t index, const char *message) {
    char tail[24];
    const int length = snprintf(tail, sizeof(tail), "/%zu", index);
    brant__fault(source->compiler, source->site, brant__keywords[keyword].name,
                 brant__text_of(tail, (size_t)length), "%s", message);
}

static void fault_member(definition *source, int keyword, brant__text name, const char *message) {
    brant__buffer tail = {0};
    brant__buffer_append_byte(&tail, '/');
    brant__pointer_append(&tail, name);
    brant__fault(source->compiler, source->site, brant__keywords[keyword].name,
                 brant__text_of(tail.data, tail.length), "%s", message);
    if (tail.failed) brant__compiler_no_memory(source->compiler);
    brant__buffer_free(&tail);
}

static void emit(definition *source, int group, brant__rule rule, brant__operation operation,
                 int keyword) {
    rule.op = (uint8_t)operation;
    rule.keyword = (uint8_t)keyword;
    brant__buffer_append(&source->compiler->groups[group], &rule, sizeof(rule));
}

static uint32_t add_word(brant__compiler *compiler, uint32_t word) {
    const uint32_t index = BRANT__VECTOR_COUNT(compiler->words, uint32_t);
    brant__buffer_append(&compiler->words, &word, sizeof(word));
    return index;
}

static uint32_t add_text(brant__compiler *compiler, brant__text text) {
    const uint32_t offset = (uint32_t)compiler->text.length;
    brant__buffer_append(&compiler->text, text.data, text.length);
    return offset;
}

static uint32_t add_name(brant__compiler *compiler, brant__text text, uint32_t block,
                         bool required) {
    const uint32_t index = BRANT__VECTOR_COUNT(compiler->names, brant__name);
    const brant__name name = {add_text(compiler, text), (uint32_t)text.length, block, required};
    brant__buffer_append(&compiler->names, &name, sizeof(name));
    return index;
}

static uint32_t add_constant(brant__compiler *compiler, yyjson_val *value) {
    brant__write_value(&compiler->constants, value);
    return compiler->constant_count++;
}

static uint32_t add_number(brant__compiler *compiler, yyjson_val *value, bool decimal) {
    const uint32_t index = BRANT__VECTOR_COUNT(compiler->numbers, brant__number);
    brant__number number = brant__number_of(value, decimal);
    number.constant = add_constant(compiler, value);
    brant__buffer_append(&compiler->numbers, &number, sizeof(number));
    return index;
}

/* The block of a site, queued when it is new. A schema that is a boolean needs none of its own. */
uint32_t brant__compile_site(brant__compiler *compiler, uint32_t number) {
    if (number == BRANT__NONE || compiler->no_memory) return BRANT__BLOCK_TRUE;
    brant__site *site = &BRANT__VECTOR(compiler->sites, brant__site)[number];
    if (yyjson_is_true(site->schema)) return BRANT__BLOCK_TRUE;
    const uint32_t environment =
        brant__dynamic_enter(compiler, compiler->environment, site->resource);
    const uint32_t known =
        environment ? brant__dynamic_block(compiler, number, environment) : site->block;
    if (known != BRANT__NONE) return known;
    const brant__block block = {.types = BRANT__TYPE_ANY, .place = number};
    const brant__pending pending = {number, environment,
                                    BRANT__VECTOR_COUNT(compiler->blocks, brant__block)};
    if (environment)
        brant__dynamic_keep(compiler, number, environment, pending.block);
    else
        site->block = pending.block;
    brant__buffer_append(&compiler->blocks, &block, sizeof(block));
    brant__buffer_append(&compiler->queue, &pending, sizeof(pending));
    return pending.block;
}

static uint32_t block_of(brant__compiler *compiler, yyjson_val *schema) {
    return brant__compile_site(compiler, brant__bundle_site(compiler, schema));
}

/* Blocks of an array of schemas as a run of words; a fault unless it is a non-empty array. */
static bool add_blocks(definition *source, int keyword, yyjson_val *value, brant__rule *rule) {
    brant__compiler *compiler = source->compiler;
    if (!yyjson_is_arr(value) || yyjson_arr_size(value) == 0) {
        fault(source, keyword, "must be an array of one or more schemas");
        return false;
    }
    rule->a = BRANT__VECTOR_COUNT(compiler->words, uint32_t);
    rule->b = (uint32_t)yyjson_arr_size(value);
    size_t index, count;
    yyjson_val *item;
    yyjson_arr_foreach(value, index, count, item) add_word(compiler, block_of(compiler, item));
    return true;
}

/* ---- types, const, enum ---------------------------------------------------------------------------------------------- */

static unsigned type_bits(brant__text name) {
    static const struct {
        const char *name;
        unsigned bits;
    } types[] = {
        {"null", BRANT__TYPE_BIT(YYJSON_TYPE_NULL)},
        {"boolean", BRANT__TYPE_BIT(YYJSON_TYPE_BOOL)},
        {"integer", BRANT__TYPE_INTEGER},
        {"number", BRANT__TYPE_BIT(YYJSON_TYPE_NUM)},
        {"string", BRANT__TYPE_BIT(YYJSON_TYPE_STR)},
        {"array", BRANT__TYPE_BIT(YYJSON_TYPE_ARR)},
        {"object", BRANT__TYPE_BIT(YYJSON_TYPE_OBJ)},
    };
    for (size_t i = 0; i < BRANT__COUNT(types); i++) {
        if (strlen(types[i].name) == name.length &&
            memcmp(types[i].name, name.data, name.length) == 0)
            return types[i].bits;
    }
    return 0;
}

/* TypeBox's Date and Uint8Array are what their values are in JSON: a date and time, and base64. */
static bool javascript_type(definition *source, brant__text name) {
    const bool date = brant__text_equal(name, BRANT__TEXT("Date"));
    if (!date && !brant__text_equal(name, BRANT__TEXT("Uint8Array"))) return false;
    const int format = date ? brant__format_find(BRANT__TEXT("date-time")) : BRANT__FORMAT_BASE64;
    const brant__rule rule = {.a = (uint32_t)format};
    emit(source, BRANT__GROUP_STRING, rule, BRANT__OP_FORMAT, BRANT__KEYWORD_TYPE);
    return true;
}

static unsigned compile_type(definition *source) {
    yyjson_val *value = source->members[BRANT__KEYWORD_TYPE];
    static const char expected[] = "must be one of \"null\", \"boolean\", \"integer\", \"number\", "
                                   "\"string\", \"array\", \"object\"";
    if (!value) return BRANT__TYPE_ANY;
    if (yyjson_is_str(value)) {
        if (javascript_type(source, brant__json_text(value)))
            return BRANT__TYPE_BIT(YYJSON_TYPE_STR);
        const unsigned bits = type_bits(brant__json_text(value));
        if (bits == 0) fault(source, BRANT__KEYWORD_TYPE, expected);
        return bits;
    }
    if (!yyjson_is_arr(value) || yyjson_arr_size(value) == 0) {
        fault(source, BRANT__KEYWORD_TYPE,
              "must be the name of a type or an array of one or more of them");
        return 0;
    }
    unsigned bits = 0;
    size_t index, count;
    yyjson_val *item;
    yyjson_arr_foreach(value, index, count, item) {
        const unsigned one = yyjson_is_str(item) ? type_bits(brant__json_text(item)) : 0;
        if (one == 0)
            fault_at(source, BRANT__KEYWORD_TYPE, index, expected);
        else if (bits & one)
            fault_at(source, BRANT__KEYWORD_TYPE, index, "is there already");
        bits |= one;
    }
    return bits;
}

static void compile_const(definition *source) {
    yyjson_val *value = source->members[BRANT__KEYWORD_CONST];
    if (!value) return;
    brant__compiler *compiler = source->compiler;
    brant__rule rule = {.a = add_constant(compiler, value)};
    if (!yyjson_is_str(value)) {
        emit(source, BRANT__GROUP_COMMON, rule, BRANT__OP_CONST, BRANT__KEYWORD_CONST);
        return;
    }
    rule.c = add_name(compiler, brant__json_text(value), BRANT__NONE, false);
    emit(source, BRANT__GROUP_COMMON, rule, BRANT__OP_CONST_TEXT, BRANT__KEYWORD_CONST);
}

static void compile_enum(definition *source) {
    yyjson_val *value = source->members[BRANT__KEYWORD_ENUM];
    if (!value) return;
    brant__compiler *compiler = source->compiler;
    if (!yyjson_is_arr(value) || yyjson_arr_size(value) == 0) {
        fault(source, BRANT__KEYWORD_ENUM, "must be an array of one or more values");
        return;
    }
    brant__choice choice = {.others = BRANT__VECTOR_COUNT(compiler->words, uint32_t)};
    const uint32_t first = BRANT__VECTOR_COUNT(compiler->names, brant__name);
    brant__map seen = {0};
    size_t index, count;
    yyjson_val *item;
    yyjson_arr_foreach(value, index, count, item) {
        if (!yyjson_is_str(item)) {
            add_word(compiler, add_constant(compiler, item));
            choice.other_count++;
            continue;
        }
        const brant__text text = brant__json_text(item);
        int64_t before;
        if (brant__map_get(&seen, text, &before)) continue;
        if (!brant__map_put(&seen, text, 1)) brant__compiler_no_memory(compiler);
        add_name(compiler, text, BRANT__NONE, false);
    }
    brant__map_free(&seen);
    choice.constant = add_constant(compiler, value);
    if (compiler->names.failed || compiler->text.failed) {
        brant__compiler_no_memory(compiler);
        return;
    }
    const uint32_t names = BRANT__VECTOR_COUNT(compiler->names, brant__name) - first;
    choice.table = brant__table_build(&compiler->slots, BRANT__VECTOR(compiler->names, brant__name),
                                      first, names, compiler->text.data);
    const brant__rule rule = {.c = BRANT__VECTOR_COUNT(compiler->choices, brant__choice)};
    brant__buffer_append(&compiler->choices, &choice, sizeof(choice));
    emit(source, BRANT__GROUP_COMMON, rule, BRANT__OP_ENUM, BRANT__KEYWORD_ENUM);
}

/* ---- numbers and strings ---------------------------------------------------------------------------------------------- */

/* A bound. Its exclusive form is a number of its own, or (draft-04, OpenAPI 3.0) true beside the inclusive one. */
static void compile_bound(definition *source, int keyword, brant__operation operation,
                          int exclusive_keyword, brant__operation exclusive) {
    yyjson_val *value = source->members[keyword], *strict = source->members[exclusive_keyword];
    if (value && !yyjson_is_num(value)) {
        fault(source, keyword, "must be a number");
    } else if (value) {
        const bool open = yyjson_is_true(strict);
        const brant__rule rule = {.a = add_number(source->compiler, value, false)};
        emit(source, BRANT__GROUP_NUMBER, rule, open ? exclusive : operation,
             open ? exclusive_keyword : keyword);
    }
    if (yyjson_is_num(strict)) {
        const brant__rule rule = {.a = add_number(source->compiler, strict, false)};
        emit(source, BRANT__GROUP_NUMBER, rule, exclusive, exclusive_keyword);
    } else if (strict && !(yyjson_is_bool(strict) && value)) {
        fault(source, exclusive_keyword, "must be a number");
    }
}

static void compile_number(definition *source) {
    compile_bound(source, BRANT__KEYWORD_MINIMUM, BRANT__OP_MINIMUM,
                  BRANT__KEYWORD_EXCLUSIVE_MINIMUM, BRANT__OP_EXCLUSIVE_MINIMUM);
    compile_bound(source, BRANT__KEYWORD_MAXIMUM, BRANT__OP_MAXIMUM,
                  BRANT__KEYWORD_EXCLUSIVE_MAXIMUM, BRANT__OP_EXCLUSIVE_MAXIMUM);
    yyjson_val *divisor = source->members[BRANT__KEYWORD_MULTIPLE_OF];
    if (!divisor) return;
    if (!yyjson_is_num(divisor) || yyjson_get_num(divisor) <= 0) {
        fault(source, BRANT__KEYWORD_MULTIPLE_OF, "must be a number greater than 0");
        return;
    }
    const brant__rule rule = {.a = add_number(source->compiler, divisor, true)};
    emit(source, BRANT__GROUP_NUMBER, rule, BRANT__OP_MULTIPLE_OF, BRANT__KEYWORD_MULTIPLE_OF);
}

/* A keyword whose value is a count; false without it. */
static bool read_count(definition *source, int keyword, uint64_t *out_count) {
    yyjson_val *value = source->members[keyword];
    if (!value) return false;
    if (yyjson_is_uint(value)) {
        *out_count = yyjson_get_uint(value);
        return true;
    }
    const double real = yyjson_is_real(value) ? yyjson_get_real(value) : -1;
    if (!(real >= 0) || !brant__number_integral(value)) {
        fault(source, keyword, "must be an integer that is not negative");
        return false;
    }
    *out_count = real < 18446744073709551615.0 ? (uint64_t)real : UINT64_MAX;
    return true;
}

static void compile_count(definition *source, int keyword, int group, brant__operation operation,
                          bool lower) {
    brant__rule rule = {0};
    if (!read_count(source, keyword, &rule.n)) return;
    if (lower ? rule.n > 0 : rule.n < UINT64_MAX) emit(source, group, rule, operation, keyword);
}

static uint32_t add_pattern(definition *source, int keyword, brant__text text, bool member) {
    brant__compiler *compiler = source->compiler;
    brant__pattern *pattern = NULL;
    brant__buffer message = {0};
    const brant_status status = brant__pattern_compile(&pattern, text, &message);
    uint32_t result = BRANT__NONE;
    if (status == BRANT_OK) {
        result = BRANT__VECTOR_COUNT(compiler->patterns, brant__pattern *);
        brant__buffer_append(&compiler->patterns, &pattern, sizeof(void *));
        if (compiler->patterns.failed) {
            brant__pattern_free(pattern);
            brant__compiler_no_memory(compiler);
        }
    } else if (status == BRANT_NO_MEMORY || message.failed) {
        brant__compiler_no_memory(compiler);
    } else {
        brant__buffer_append_byte(&message, '\0');
        const char *why = message.failed ? "is not a regular expression" : message.data;
        if (member)
            fault_member(source, keyword, text, why);
        else
            fault(source, keyword, why);
    }
    brant__buffer_free(&message);
    return result;
}

static void compile_string(definition *source) {
    compile_count(source, BRANT__KEYWORD_MIN_LENGTH, BRANT__GROUP_STRING, BRANT__OP_MIN_LENGTH,
                  true);
    compile_count(source, BRANT__KEYWORD_MAX_LENGTH, BRANT__GROUP_STRING, BRANT__OP_MAX_LENGTH,
                  false);
    yyjson_val *pattern = source->members[BRANT__KEYWORD_PATTERN];
    if (pattern && !yyjson_is_str(pattern)) {
        fault(source, BRANT__KEYWORD_PATTERN, "must be a string");
    } else if (pattern) {
        const brant__rule rule = {
            .a = add_pattern(source, BRANT__KEYWORD_PATTERN, brant__json_text(pattern), false)};
        if (rule.a != BRANT__NONE)
            emit(source, BRANT__GROUP_STRING, rule, BRANT__OP_PATTERN, BRANT__KEYWORD_PATTERN);
    }
    yyjson_val *format = source->members[BRANT__KEYWORD_FORMAT];
    if (format && !yyjson_is_str(format)) {
        fault(source, BRANT__KEYWORD_FORMAT, "must be a string");
    } else if (format) {
        const int number = brant__format_find(brant__json_text(format));
        const brant__rule rule = {.a = (uint32_t)number};
        const bool asserted = !(source->compiler->flags & BRANT__FORMAT_ANNOTATES);
        if (number >= 0 && asserted)
            emit(source, BRANT__GROUP_STRING, rule, BRANT__OP_FORMAT, BRANT__KEYWORD_FORMAT);
    }
}

/* ---- arrays ---------------------------------------------------------------------------------------------------------- */

static void compile_items(definition *source) {
    yyjson_val *items = source->members[BRANT__KEYWORD_ITEMS];
    yyjson_val *prefix = source->members[BRANT__KEYWORD_PREFIX_ITEMS];
    yyjson_val *rest = items;
    int prefix_keyword = BRANT__KEYWORD_PREFIX_ITEMS, keyword = BRANT__KEYWORD_ITEMS;
    if (yyjson_is_arr(items)) {
        if (prefix) {
            fault(source, BRANT__KEYWORD_ITEMS, "must be a schema beside prefixItems");
            return;
        }
        prefix = items;
        prefix_keyword = BRANT__KEYWORD_ITEMS;
        keyword = BRANT__KEYWORD_ADDITIONAL_ITEMS;
        rest = source->members[BRANT__KEYWORD_ADDITIONAL_ITEMS];
    }
    if (!prefix && !rest) return;
    brant__rule rule = {.c = rest ? block_of(source->compiler, rest) : BRANT__NONE};
    if (prefix &&
        !(yyjson_is_arr(prefix) && yyjson_arr_size(prefix) == 0 &&
          prefix_keyword == BRANT__KEYWORD_ITEMS) &&
        !add_blocks(source, prefix_keyword, prefix, &rule)) {
        return;
    }
    emit(source, BRANT__GROUP_ARRAY, rule, BRANT__OP_ITEMS, keyword);
}

static uint32_t clamp(uint64_t count) {
    return count < BRANT__NONE ? (uint32_t)count : BRANT__NONE;
}

static void compile_array(definition *source) {
    compile_count(source, BRANT__KEYWORD_MIN_ITEMS, BRANT__GROUP_ARRAY, BRANT__OP_MIN_ITEMS, true);
    compile_count(source, BRANT__KEYWORD_MAX_ITEMS, BRANT__GROUP_ARRAY, BRANT__OP_MAX_ITEMS, false);
    compile_items(source);
    uint64_t at_least = 1, at_most = UINT64_MAX;
    read_count(source, BRANT__KEYWORD_MIN_CONTAINS, &at_least);
    read_count(source, BRANT__KEYWORD_MAX_CONTAINS, &at_most);
    yyjson_val *contains = source->members[BRANT__KEYWORD_CONTAINS];
    if (contains) {
        const brant__rule rule = {
            .c = block_of(source->compiler, contains), .a = clamp(at_least), .b = clamp(at_most)};
        emit(source, BRANT__GROUP_ARRAY, rule, BRANT__OP_CONTAINS, BRANT__KEYWORD_CONTAINS);
    }
    yyjson_val *unique = source->members[BRANT__KEYWORD_UNIQUE_ITEMS];
    if (unique && !yyjson_is_bool(unique))
        fault(source, BRANT__KEYWORD_UNIQUE_ITEMS, "must be true or false");
    const brant__rule rule = {0};
    if (yyjson_is_true(unique))
        emit(source, BRANT__GROUP_ARRAY, rule, BRANT__OP_UNIQUE_ITEMS, BRANT__KEYWORD_UNIQUE_ITEMS);
}

/* ---- objects --------------------------------------------------------------------------------------------------------- */

/* An array of names; faults unless it is one. `tail`: the member of the keyword that holds it. */
static bool check_names(definition *source, int keyword, yyjson_val *value, brant__text member) {
    static const char expected[] = "must be an array of strings";
    bool good = yyjson_is_arr(value);
    size_t index, count;
    yyjson_val *item;
    yyjson_arr_foreach(value, index, count, item) good = good && yyjson_is_str(item);
    if (good) return true;
    if (member.data)
        fault_member(source, keyword, member, expected);
    else
        fault(source, keyword,
              yyjson_is_bool(value) ? "must be an array of strings (a boolean is draft-03)"
                                    : expected);
    return false;
}

static bool check_map(definition *source, int keyword) {
    yyjson_val *value = source->members[keyword];
    if (value && !yyjson_is_obj(value)) fault(source, keyword, "must be an object");
    return yyjson_is_obj(value);
}

static void add_patterns(definition *source, brant__object *object) {
    if (!check_map(source, BRANT__KEYWORD_PATTERN_PROPERTIES)) return;
    brant__compiler *compiler = source->compiler;
    object->pattern = BRANT__VECTOR_COUNT(compiler->words, uint32_t);
    size_t index, count;
    yyjson_val *key, *value;
    yyjson_obj_foreach(source->members[BRANT__KEYWORD_PATTERN_PROPERTIES], index, count, key,
                       value) {
        const uint32_t pattern =
            add_pattern(source, BRANT__KEYWORD_PATTERN_PROPERTIES, brant__json_text(key), true);
        if (pattern == BRANT__NONE) continue;
        add_word(compiler, pattern);
        add_word(compiler, block_of(compiler, value));
        object->pattern_count++;
    }
}

/* One rule for properties, required, patternProperties and additionalProperties: the members are walked once. */
static void compile_members(definition *source) {
    brant__compiler *compiler = source->compiler;
    yyjson_val *required = source->members[BRANT__KEYWORD_REQUIRED];
    yyjson_val *properties = source->members[BRANT__KEYWORD_PROPERTIES];
    yyjson_val *additional = source->members[BRANT__KEYWORD_ADDITIONAL_PROPERTIES];
    if (!required && !properties && !additional &&
        !source->members[BRANT__KEYWORD_PATTERN_PROPERTIES])
        return;
    if (required &&
        !check_names(source, BRANT__KEYWORD_REQUIRED, required, brant__text_of(NULL, 0)))
        required = NULL;
    if (!check_map(source, BRANT__KEYWORD_PROPERTIES)) properties = NULL;

    brant__object object = {.additional =
                                additional ? block_of(compiler, additional) : BRANT__BLOCK_TRUE,
                            .closed = additional != NULL};
    const uint32_t first = BRANT__VECTOR_COUNT(compiler->names, brant__name);
    brant__map names = {0};
    size_t index, count;
    yyjson_val *value;
    yyjson_obj_iter left = yyjson_obj_iter_with(properties);
    for (yyjson_val *key = yyjson_obj_iter_next(&left); key; key = yyjson_obj_iter_next(&left)) {
        const brant__text text = brant__json_text(key);
        const uint32_t name =
            add_name(compiler, text, block_of(compiler, yyjson_obj_iter_get_val(key)), false);
        if (!brant__map_put(&names, text, name)) brant__compiler_no_memory(compiler);
    }
    if (compiler->names.failed || compiler->no_memory) goto no_memory;
    yyjson_arr_foreach(required, index, count, value) {
        const brant__text text = brant__json_text(value);
        int64_t name;
        if (!brant__map_get(&names, text, &name)) {
            name = add_name(compiler, text, BRANT__NONE, false);
            if (compiler->names.failed || !brant__map_put(&names, text, name)) goto no_memory;
        }
        uint32_t *flag = &BRANT__VECTOR(compiler->names, brant__name)[name].required;
        object.required += 1 - *flag;
        *flag = 1;
    }
    add_patterns(source, &object);
    if (compiler->text.failed) goto no_memory;
    const uint32_t name_count = BRANT__VECTOR_COUNT(compiler->names, brant__name) - first;
    const brant__name *all = BRANT__VECTOR(compiler->names, brant__name);
    object.table =
        brant__table_build(&compiler->slots, all, first, name_count, compiler->text.data);
    const brant__rule rule = {.a = BRANT__VECTOR_COUNT(compiler->objects, brant__object)};
    brant__buffer_append(&compiler->objects, &object, sizeof(object));
    emit(source, BRANT__GROUP_OBJECT, rule, BRANT__OP_OBJECT, BRANT__KEYWORD_PROPERTIES);
    brant__map_free(&names);
    return;
no_memory:
    brant__compiler_no_memory(compiler);
    brant__map_free(&names);
}

static void dependent_required(definition *source, int keyword, yyjson_val *key,
                               yyjson_val *names) {
    brant__compiler *compiler = source->compiler;
    if (!check_names(source, keyword, names, brant__json_text(key))) return;
    brant__rule rule = {.a = BRANT__VECTOR_COUNT(compiler->names, brant__name),
                        .b = (uint32_t)yyjson_arr_size(names) + 1};
    add_name(compiler, brant__json_text(key), BRANT__NONE, false);
    size_t index, count;
    yyjson_val *item;
    yyjson_arr_foreach(names, index, count, item)
        add_name(compiler, brant__json_text(item), BRANT__NONE, false);
    emit(source, BRANT__GROUP_OBJECT, rule, BRANT__OP_DEPENDENT_REQUIRED, keyword);
}

static void compile_dependencies(definition *source, int keyword) {
    if (!check_map(source, keyword)) return;
    brant__compiler *compiler = source->compiler;
    size_t index, count;
    yyjson_val *key, *value;
    yyjson_obj_foreach(source->members[keyword], index, count, key, value) {
        if (keyword == BRANT__KEYWORD_DEPENDENT_REQUIRED ||
            (keyword == BRANT__KEYWORD_DEPENDENCIES && yyjson_is_arr(value))) {
            dependent_required(source, keyword, key, value);
            continue;
        }
        brant__rule rule = {.a = add_name(compiler, brant__json_text(key), BRANT__NONE, false),
                            .c = block_of(compiler, value)};
        emit(source, BRANT__GROUP_OBJECT, rule, BRANT__OP_DEPENDENT_SCHEMA, keyword);
    }
}

static void compile_object(definition *source) {
    compile_count(source, BRANT__KEYWORD_MIN_PROPERTIES, BRANT__GROUP_OBJECT,
                  BRANT__OP_MIN_PROPERTIES, true);
    compile_count(source, BRANT__KEYWORD_MAX_PROPERTIES, BRANT__GROUP_OBJECT,
                  BRANT__OP_MAX_PROPERTIES, false);
    compile_members(source);
    yyjson_val *names = source->members[BRANT__KEYWORD_PROPERTY_NAMES];
    if (names) {
        const brant__rule rule = {.c = block_of(source->compiler, names)};
        emit(source, BRANT__GROUP_OBJECT, rule, BRANT__OP_PROPERTY_NAMES,
             BRANT__KEYWORD_PROPERTY_NAMES);
    }
    compile_dependencies(source, BRANT__KEYWORD_DEPENDENT_REQUIRED);
    compile_dependencies(source, BRANT__KEYWORD_DEPENDENT_SCHEMAS);
    compile_dependencies(source, BRANT__KEYWORD_DEPENDENCIES);
}

/* ---- schemas for the same instance --------------------------------------------------------------------------------- */

static void compile_reference(definition *source, int keyword) {
    yyjson_val *value = source->members[keyword];
    if (!value) return;
    brant__compiler *compiler = source->compiler;
    if (!yyjson_is_str(value)) {
        fault(source, keyword, "must be a string");
        return;
    }
    const bool dynamic = keyword == BRANT__KEYWORD_DYNAMIC_REF;
    const uint32_t target =
        brant__bundle_resolve(compiler, source->site, brant__json_text(value), dynamic);
    if (compiler->no_memory) return;
    if (target == BRANT__NONE) {
        brant__fault(compiler, source->site, brant__keywords[keyword].name, NOTHING, "%.*s",
                     (int)compiler->scratch.length, compiler->scratch.data);
        return;
    }
    const brant__rule rule = {.c = brant__compile_site(compiler, target)};
    emit(source, BRANT__GROUP_COMMON, rule, BRANT__OP_APPLY, keyword);
}

static void compile_applicators(definition *source) {
    brant__compiler *compiler = source->compiler;
    compile_reference(source, BRANT__KEYWORD_REF);
    compile_reference(source, BRANT__KEYWORD_DYNAMIC_REF);
    yyjson_val *value = source->members[BRANT__KEYWORD_ALL_OF];
    brant__rule rule = {0};
    if (value && add_blocks(source, BRANT__KEYWORD_ALL_OF, value, &rule) &&
        !compiler->words.failed) {
        for (uint32_t i = 0; i < rule.b; i++) {
            const brant__rule one = {.c = BRANT__VECTOR(compiler->words, uint32_t)[rule.a + i]};
            emit(source, BRANT__GROUP_COMMON, one, BRANT__OP_APPLY, BRANT__KEYWORD_ALL_OF);
        }
    }
    value = source->members[BRANT__KEYWORD_ANY_OF];
    if (value && add_blocks(source, BRANT__KEYWORD_ANY_OF, value, &rule)) {
        emit(source, BRANT__GROUP_COMMON, rule, BRANT__OP_ANY_OF, BRANT__KEYWORD_ANY_OF);
    }
    value = source->members[BRANT__KEYWORD_ONE_OF];
    if (value && add_blocks(source, BRANT__KEYWORD_ONE_OF, value, &rule)) {
        emit(source, BRANT__GROUP_COMMON, rule, BRANT__OP_ONE_OF, BRANT__KEYWORD_ONE_OF);
    }
    value = source->members[BRANT__KEYWORD_NOT];
    if (value) {
        rule = (brant__rule){.c = block_of(compiler, value)};
        emit(source, BRANT__GROUP_COMMON, rule, BRANT__OP_NOT, BRANT__KEYWORD_NOT);
    }
    value = source->members[BRANT__KEYWORD_IF];
    if (value) {
        yyjson_val *then = source->members[BRANT__KEYWORD_THEN],
                   *otherwise = source->members[BRANT__KEYWORD_ELSE];
        rule = (brant__rule){.c = block_of(compiler, value)};
        rule.a = then ? block_of(compiler, then) : BRANT__BLOCK_TRUE;
        rule.b = otherwise ? block_of(compiler, otherwise) : BRANT__BLOCK_TRUE;
        emit(source, BRANT__GROUP_COMMON, rule, BRANT__OP_IF, BRANT__KEYWORD_IF);
    }
}

/* After all others, which say what is left over. */
static void compile_unevaluated(definition *source, uint32_t block) {
    static const struct {
        int keyword;
        brant__operation operation;
    } both[] = {{BRANT__KEYWORD_UNEVALUATED_PROPERTIES, BRANT__OP_UNEVALUATED_PROPERTIES},
                {BRANT__KEYWORD_UNEVALUATED_ITEMS, BRANT__OP_UNEVALUATED_ITEMS}};
    for (size_t i = 0; i < BRANT__COUNT(both); i++) {
        yyjson_val *value = source->members[both[i].keyword];
        if (!value) continue;
        const brant__rule rule = {.c = block_of(source->compiler, value), .a = block};
        emit(source, BRANT__GROUP_COMMON, rule, both[i].operation, both[i].keyword);
    }
}

/* ---- a block --------------------------------------------------------------------------------------------------------- */

static void refuse_misspelling(definition *source, brant__text name) {
    const int meant = brant__keyword_near(name);
    if (meant >= 0) {
        brant__fault(source->compiler, source->site, name, NOTHING,
                     "is not a keyword: \"%s\" is (an annotation of your own begins with x-)",
                     brant__keywords[meant].name.data);
    } else if (name.length > 0 && name.data[0] == '$') {
        brant__fault(source->compiler, source->site, name, NOTHING,
                     "is not a keyword, and names with $ are reserved for keywords");
    }
}

static void read_members(definition *source, yyjson_val *schema) {
    size_t index, count;
    yyjson_val *key, *value;
    yyjson_obj_foreach(schema, index, count, key, value) {
        const brant__text name = brant__json_text(key);
        const int keyword = brant__keyword_find(name);
        if (keyword < BRANT__KEYWORD_COUNT) {
            source->members[keyword] = value;
        } else if (keyword == BRANT__KEYWORD_REFUSED) {
            brant__fault(source->compiler, source->site, name, NOTHING, "is not supported");
        } else if (keyword == BRANT__KEYWORD_UNKNOWN) {
            refuse_misspelling(source, name);
        }
    }
}

/* Draft-07: "All other properties in a "$ref" object MUST be ignored." */
static void drop_siblings(definition *source) {
    yyjson_val *reference = source->members[BRANT__KEYWORD_REF];
    yyjson_val *encrypted = source->members[BRANT__KEYWORD_ENCRYPTED];
    if (!reference) return;
    for (int keyword = 0; keyword < BRANT__KEYWORD_COUNT; keyword++)
        if (keyword != BRANT__KEYWORD_DEFS && keyword != BRANT__KEYWORD_DEFINITIONS &&
            brant__marks_encrypted(source->members[keyword]))
            fault(source, keyword,
                  "has x-encrypted and would not count: up to draft-07 nothing does beside a $ref; "
                  "put both into an allOf");
    memset(source->members, 0, sizeof(source->members));
    source->members[BRANT__KEYWORD_REF] = reference;
    /* No draft knows it, and what is marked must never be stored as it is. */
    source->members[BRANT__KEYWORD_ENCRYPTED] = encrypted;
}

static bool read_flag(definition *source, int keyword) {
    yyjson_val *value = source->members[keyword];
    if (value && !yyjson_is_bool(value)) fault(source, keyword, "must be true or false");
    return yyjson_is_true(value);
}

/* What a block applies to its own values ($ref, allOf) holds for them: so does that they are encrypted. No chain is longer than the height. */
static void spread_encryption(brant__compiler *compiler) {
    brant__block *blocks = BRANT__VECTOR(compiler->blocks, brant__block);
    const brant__rule *rules = BRANT__VECTOR(compiler->rules, brant__rule);
    bool changed = compiler->encrypts && blocks && rules;
    for (int round = 0; changed && round <= BRANT__SCHEMA_HEIGHT; round++) {
        changed = false;
        for (uint32_t i = BRANT__VECTOR_COUNT(compiler->blocks, brant__block); i-- > 0;) {
            brant__block *block = &blocks[i];
            for (uint32_t at = block->first[BRANT__GROUP_COMMON];
                 !brant__block_encrypted(block) && at < block->first[BRANT__GROUP_COUNT]; at++) {
                if (rules[at].op != BRANT__OP_APPLY ||
                    !brant__block_encrypted(&blocks[rules[at].c]))
                    continue;
                block->exempt |= BRANT__EXEMPT_SEALED;
                changed = true;
            }
        }
    }
}

static void compile_block(brant__compiler *compiler, brant__pending pending) {
    const uint32_t number = pending.site;
    const brant__site site = BRANT__VECTOR(compiler->sites, brant__site)[number];
    brant__block block = {.place = number};
    compiler->environment = pending.environment;
    if (yyjson_is_obj(site.schema)) {
        definition source = {.compiler = compiler, .site = number};
        for (int group = 0; group < BRANT__GROUP_COUNT; group++)
            brant__buffer_reset(&compiler->groups[group]);
        read_members(&source, site.schema);
        if (site.legacy) drop_siblings(&source);
        block.types = (uint8_t)compile_type(&source);
        block.exempt =
            (uint8_t)((read_flag(&source, BRANT__KEYWORD_NULLABLE) ? BRANT__EXEMPT_NULL : 0) |
                      (read_flag(&source, BRANT__KEYWORD_ENCRYPTED) ? BRANT__EXEMPT_SEALED : 0));
        compiler->encrypts = compiler->encrypts || brant__block_encrypted(&block);
        compile_number(&source);
        compile_string(&source);
        compile_array(&source);
        compile_object(&source);
        compile_const(&source);
        compile_enum(&source);
        compile_applicators(&source);
        compile_unevaluated(&source, pending.block);
        for (int group = 0; group < BRANT__GROUP_COUNT; group++) {
            const brant__buffer *rules = &compiler->groups[group];
            block.first[group] = BRANT__VECTOR_COUNT(compiler->rules, brant__rule);
            brant__buffer_append(&compiler->rules, rules->data, rules->length);
            if (rules->failed) brant__compiler_no_memory(compiler);
        }
        block.first[BRANT__GROUP_COUNT] = BRANT__VECTOR_COUNT(compiler->rules, brant__rule);
    } else if (!yyjson_is_false(site.schema)) {
        brant__fault(compiler, number, NOTHING, NOTHING,
                     "must be a schema: an object, true or false");
    }
    if (!compiler->blocks.failed)
        BRANT__VECTOR(compiler->blocks, brant__block)[pending.block] = block;
}

void brant__compile_blocks(brant__compiler *compiler) {
    for (size_t i = 0; !brant__compiler_failed(compiler) && !compiler->dynamic_refused &&
                       i < BRANT__VECTOR_COUNT(compiler->queue, brant__pending);
         i++) {
        compile_block(compiler, BRANT__VECTOR(compiler->queue, brant__pending)[i]);
    }
    compiler->environment = 0;
    if (brant__compiler_failed(compiler)) return;
    spread_encryption(compiler);
    for (uint32_t i = 0; i < BRANT__VECTOR_COUNT(compiler->blocks, brant__block); i++) {
        brant__block *block = &BRANT__VECTOR(compiler->blocks, brant__block)[i];
        block->plain = (uint8_t)(block->types & ~block->exempt);
    }
}
