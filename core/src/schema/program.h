/*
 * schema/program.h: the flat program that a schema is compiled to, and the seams between the files of this module.
 *
 * A program is one allocation of arrays that refer to each other by index; beside it stand only the constants (one JSON document) and the
 * compiled patterns. It is never written after it is packed. A block is one schema: which types it accepts, and rules grouped by the type of
 * instance that they concern, so that a scalar meets none of the others. Blocks 0 and 1 are the schemas true and false.
 *
 * Invariants that the compiler establishes and the validator relies on: no cycle of blocks that apply to the same instance, no
 * chain of such blocks longer than BRANT__SCHEMA_HEIGHT, member names of an instance are unique (base/json.h refuses others).
 */
#ifndef BRANT__SCHEMA_PROGRAM_H
#define BRANT__SCHEMA_PROGRAM_H

#include "schema/schema.h"

/* The longest chain of schemas that apply to one instance. */
#define BRANT__SCHEMA_HEIGHT 250
/* Nested evaluations of one run: bounds the stack whatever schema and instance are. */
#define BRANT__SCHEMA_FRAMES 4096
/* Blocks entered in one run, at once and per value of the instance: bounds the time of schemas that multiply (allOf of allOf of ...). */
#define BRANT__SCHEMA_STEPS       (UINT64_C(1) << 22)
#define BRANT__SCHEMA_VALUE_STEPS 256

/* ---- keywords ----------------------------------------------------------------------------------------------------- */

/* Where subschemas stand in a keyword's value. */
enum {
    BRANT__NO_SCHEMA,
    BRANT__ONE_SCHEMA,
    BRANT__SCHEMA_ARRAY,
    BRANT__SCHEMA_MAP,
    BRANT__SCHEMA_OR_ARRAY, /* items of draft-07 */
    BRANT__SCHEMA_OR_NAMES  /* dependencies of draft-07: a map of schemas or of arrays of names */
};

/* X(constant, name, shape) */
#define BRANT__KEYWORD_LIST(X)                                                                     \
    X(TYPE, "type", BRANT__NO_SCHEMA)                                                              \
    X(CONST, "const", BRANT__NO_SCHEMA)                                                            \
    X(ENUM, "enum", BRANT__NO_SCHEMA)                                                              \
    X(PROPERTIES, "properties", BRANT__SCHEMA_MAP)                                                 \
    X(REQUIRED, "required", BRANT__NO_SCHEMA)                                                      \
    X(ADDITIONAL_PROPERTIES, "additionalProperties", BRANT__ONE_SCHEMA)                            \
    X(PATTERN_PROPERTIES, "patternProperties", BRANT__SCHEMA_MAP)                                  \
    X(PROPERTY_NAMES, "propertyNames", BRANT__ONE_SCHEMA)                                          \
    X(MIN_PROPERTIES, "minProperties", BRANT__NO_SCHEMA)                                           \
    X(MAX_PROPERTIES, "maxProperties", BRANT__NO_SCHEMA)                                           \
    X(DEPENDENT_REQUIRED, "dependentRequired", BRANT__NO_SCHEMA)                                   \
    X(DEPENDENT_SCHEMAS, "dependentSchemas", BRANT__SCHEMA_MAP)                                    \
    X(DEPENDENCIES, "dependencies", BRANT__SCHEMA_OR_NAMES)                                        \
    X(ITEMS, "items", BRANT__SCHEMA_OR_ARRAY)                                                      \
    X(PREFIX_ITEMS, "prefixItems", BRANT__SCHEMA_ARRAY)                                            \
    X(ADDITIONAL_ITEMS, "additionalItems", BRANT__ONE_SCHEMA)                                      \
    X(MIN_ITEMS, "minItems", BRANT__NO_SCHEMA)                                                     \
    X(MAX_ITEMS, "maxItems", BRANT__NO_SCHEMA)                                                     \
    X(UNIQUE_ITEMS, "uniqueItems", BRANT__NO_SCHEMA)                                               \
    X(CONTAINS, "contains", BRANT__ONE_SCHEMA)                                                     \
    X(MIN_CONTAINS, "minContains", BRANT__NO_SCHEMA)                                               \
    X(MAX_CONTAINS, "maxContains", BRANT__NO_SCHEMA)                                               \
    X(MIN_LENGTH, "minLength", BRANT__NO_SCHEMA)                                                   \
    X(MAX_LENGTH, "maxLength", BRANT__NO_SCHEMA)                                                   \
    X(PATTERN, "pattern", BRANT__NO_SCHEMA)                                                        \
    X(FORMAT, "format", BRANT__NO_SCHEMA)                                                          \
    X(MINIMUM, "minimum", BRANT__NO_SCHEMA)                                                        \
    X(MAXIMUM, "maximum", BRANT__NO_SCHEMA)                                                        \
    X(EXCLUSIVE_MINIMUM, "exclusiveMinimum", BRANT__NO_SCHEMA)                                     \
    X(EXCLUSIVE_MAXIMUM, "exclusiveMaximum", BRANT__NO_SCHEMA)                                     \
    X(MULTIPLE_OF, "multipleOf", BRANT__NO_SCHEMA)                                                 \
    X(ALL_OF, "allOf", BRANT__SCHEMA_ARRAY)                                                        \
    X(ANY_OF, "anyOf", BRANT__SCHEMA_ARRAY)                                                        \
    X(ONE_OF, "oneOf", BRANT__SCHEMA_ARRAY)                                                        \
    X(NOT, "not", BRANT__ONE_SCHEMA)                                                               \
    X(IF, "if", BRANT__ONE_SCHEMA)                                                                 \
    X(THEN, "then", BRANT__ONE_SCHEMA)                                                             \
    X(ELSE, "else", BRANT__ONE_SCHEMA)                                                             \
    X(UNEVALUATED_PROPERTIES, "unevaluatedProperties", BRANT__ONE_SCHEMA)                          \
    X(UNEVALUATED_ITEMS, "unevaluatedItems", BRANT__ONE_SCHEMA)                                    \
    X(REF, "$ref", BRANT__NO_SCHEMA)                                                               \
    X(DYNAMIC_REF, "$dynamicRef", BRANT__NO_SCHEMA)                                                \
    X(DEFS, "$defs", BRANT__SCHEMA_MAP)                                                            \
    X(DEFINITIONS, "definitions", BRANT__SCHEMA_MAP)                                               \
    X(SCHEMAS, "schemas",                                                                          \
      BRANT__SCHEMA_MAP) /* of a whole document: what zod prints for a registry */                 \
    X(ID, "$id", BRANT__NO_SCHEMA)                                                                 \
    X(ANCHOR, "$anchor", BRANT__NO_SCHEMA)                                                         \
    X(DYNAMIC_ANCHOR, "$dynamicAnchor", BRANT__NO_SCHEMA)                                          \
    X(NULLABLE, "nullable", BRANT__NO_SCHEMA)                                                      \
    X(ENCRYPTED, "x-encrypted", BRANT__NO_SCHEMA)

#define BRANT__KEYWORD_ENUM(name, text, shape) BRANT__KEYWORD_##name,
enum { BRANT__KEYWORD_LIST(BRANT__KEYWORD_ENUM) BRANT__KEYWORD_COUNT };
#undef BRANT__KEYWORD_ENUM

/* What else a member's name can be. */
enum {
    BRANT__KEYWORD_ANNOTATION = BRANT__KEYWORD_COUNT, /* known, asserts nothing */
    BRANT__KEYWORD_REFUSED, /* asserts something that this validator does not do */
    BRANT__KEYWORD_UNKNOWN
};

typedef struct brant__keyword {
    brant__text name;
    int shape;
} brant__keyword;
extern const brant__keyword brant__keywords[BRANT__KEYWORD_COUNT];
int brant__keyword_find(brant__text name);
/* The assertion that a name which is no keyword was probably meant to be, or -1. */
int brant__keyword_near(brant__text name);

/* ---- the program ---------------------------------------------------------------------------------------------------- */

#define BRANT__NONE UINT32_MAX
enum { BRANT__BLOCK_TRUE, BRANT__BLOCK_FALSE };

/* Types of a block: bit n for yyjson's type n; numbers besides have a bit for "integers only". */
#define BRANT__TYPE_BIT(type) (1u << (type))
#define BRANT__TYPE_INTEGER   (1u << 1)
#define BRANT__TYPE_ANY                                                                            \
    (BRANT__TYPE_BIT(YYJSON_TYPE_NULL) | BRANT__TYPE_BIT(YYJSON_TYPE_BOOL) |                       \
     BRANT__TYPE_BIT(YYJSON_TYPE_NUM) | BRANT__TYPE_BIT(YYJSON_TYPE_STR) |                         \
     BRANT__TYPE_BIT(YYJSON_TYPE_ARR) | BRANT__TYPE_BIT(YYJSON_TYPE_OBJ))

/* The groups of a block's rules; a group ends where the next begins. */
enum {
    BRANT__GROUP_NUMBER,
    BRANT__GROUP_STRING,
    BRANT__GROUP_ARRAY,
    BRANT__GROUP_OBJECT,
    BRANT__GROUP_COMMON,
    BRANT__GROUP_COUNT
};
/* Of the rules for one of yyjson's types, besides the common ones; -1: none. */
static inline int brant__group_of(int type) {
    switch (type) {
    case YYJSON_TYPE_NUM:
        return BRANT__GROUP_NUMBER;
    case YYJSON_TYPE_STR:
        return BRANT__GROUP_STRING;
    case YYJSON_TYPE_ARR:
        return BRANT__GROUP_ARRAY;
    case YYJSON_TYPE_OBJ:
        return BRANT__GROUP_OBJECT;
    default:
        return -1;
    }
}

/* Bit n: of the values of yyjson's type n. Null where it is nullable; what stands for a value where the value is encrypted. */
#define BRANT__EXEMPT_NULL   (1u << YYJSON_TYPE_NULL)
#define BRANT__EXEMPT_SEALED (1u << YYJSON_TYPE_OBJ)

typedef struct brant__block {
    uint8_t types;
    uint8_t
        plain; /* the types of which no value is exempt: nearly always the only look at a type */
    uint8_t exempt; /* what is accepted whatever else is said: BRANT__EXEMPT_* */
    uint8_t height; /* of the chains of blocks below that apply to the same instance, at most */
    uint32_t place;
    uint32_t first[BRANT__GROUP_COUNT + 1];
} brant__block;

static inline bool brant__block_nullable(const brant__block *block) {
    return (block->exempt & BRANT__EXEMPT_NULL) != 0;
}
/* The values of the block's instances are encrypted: it says so itself, or a block that it applies ($ref, allOf) does. */
static inline bool brant__block_encrypted(const brant__block *block) {
    return (block->exempt & BRANT__EXEMPT_SEALED) != 0;
}
/* The schema false. */
static inline bool brant__block_never(const brant__block *block) {
    return block->types == 0 && block->exempt == 0;
}
/* Accepted whatever the block's rules say? */
static inline bool brant__block_exempts(const brant__block *block, yyjson_val *value) {
    const yyjson_type type = yyjson_get_type(value);
    return BRANT__UNLIKELY(block->exempt >> type & 1u) &&
           (type == YYJSON_TYPE_NULL || brant__envelope_like(value));
}

/* What a rule's operands mean is said beside each operation. "blocks" and "names" are runs of `b` words beginning at word `a`. */
typedef enum brant__operation {
    BRANT__OP_MINIMUM, /* a: number */
    BRANT__OP_MAXIMUM,
    BRANT__OP_EXCLUSIVE_MINIMUM,
    BRANT__OP_EXCLUSIVE_MAXIMUM,
    BRANT__OP_MULTIPLE_OF,
    BRANT__OP_MIN_LENGTH, /* n */
    BRANT__OP_MAX_LENGTH,
    BRANT__OP_PATTERN, /* a: pattern */
    BRANT__OP_FORMAT,  /* a: format */
    BRANT__OP_MIN_ITEMS,
    BRANT__OP_MAX_ITEMS,
    BRANT__OP_ITEMS,          /* blocks of the first items; c: block of the rest */
    BRANT__OP_CONTAINS,       /* c: block; a: at least; b: at most, or BRANT__NONE */
    BRANT__OP_UNIQUE_ITEMS,   /* nothing */
    BRANT__OP_OBJECT,         /* a: object */
    BRANT__OP_PROPERTY_NAMES, /* c: block */
    BRANT__OP_MIN_PROPERTIES,
    BRANT__OP_MAX_PROPERTIES,
    BRANT__OP_DEPENDENT_REQUIRED, /* names: the first is the one that the others follow from */
    BRANT__OP_DEPENDENT_SCHEMA,   /* a: name; c: block */
    BRANT__OP_CONST,              /* a: constant */
    BRANT__OP_CONST_TEXT,         /* a: constant; c: name */
    BRANT__OP_ENUM,               /* c: choice */
    BRANT__OP_APPLY,              /* c: block ($ref, a member of allOf) */
    BRANT__OP_ANY_OF,             /* blocks */
    BRANT__OP_ONE_OF,             /* blocks */
    BRANT__OP_NOT,                /* c: block */
    BRANT__OP_IF,                 /* c: block; a: block of then; b: block of else */
    BRANT__OP_UNEVALUATED_ITEMS,  /* c: block; a: the block that the rule belongs to */
    BRANT__OP_UNEVALUATED_PROPERTIES
} brant__operation;

typedef struct brant__rule {
    uint8_t op;
    uint8_t keyword;
    uint16_t spare;
    uint32_t c;
    union {
        struct {
            uint32_t a, b;
        };
        uint64_t n;
    };
} brant__rule;

/* A name and what belongs to it, found by a table. */
typedef struct brant__name {
    uint32_t text;
    uint32_t length;
    uint32_t block;    /* BRANT__NONE: named by `required` only */
    uint32_t required; /* 1 or 0 */
} brant__name;

/* A hash table over a run of names, made to have few or no collisions. Slots hold 1 + the name's place in the run. */
typedef struct brant__table {
    uint32_t name;
    uint32_t name_count;
    uint32_t slot;
    uint32_t mask; /* the number of slots, a power of two, less one */
    uint64_t seed; /* 0: the whole name is hashed */
} brant__table;

typedef struct brant__object {
    brant__table table;
    uint32_t required;
    uint32_t pattern; /* words: pattern, block */
    uint32_t pattern_count;
    uint32_t additional;
    bool closed; /* additionalProperties is present */
} brant__object;

typedef struct brant__choice {
    brant__table table; /* its texts */
    uint32_t constant;  /* the whole array */
    uint32_t others;    /* words: constants that are no texts */
    uint32_t other_count;
} brant__choice;

/* A number as an exact integer, or as a double; `digits` times 10 to the `exponent` is its shortest decimal form. */
typedef struct brant__number {
    bool integer;
    bool negative;
    int exponent;
    uint64_t magnitude; /* of the integer */
    uint64_t digits;
    double real;
    uint32_t constant;
} brant__number;

/* Where a schema stands in its bundle: the parent's place, a keyword, and a member's name or an item's index. */
enum {
    BRANT__PLACE_ROOT,
    BRANT__PLACE_KEYWORD,
    BRANT__PLACE_MEMBER,
    BRANT__PLACE_ITEM,
    BRANT__PLACE_RAW
};
typedef struct brant__place {
    uint32_t parent;
    uint8_t kind;
    uint8_t keyword;
    uint32_t text; /* the member's name; RAW: the pointer from the parent on */
    uint32_t length;
    uint32_t index;
} brant__place;

typedef struct brant__pattern brant__pattern;

struct brant__schema {
    uint32_t entry;
    uint32_t block_count;
    bool encrypts; /* some block does */
    const brant__block *blocks;
    const brant__rule *rules;
    const uint32_t *words;
    const brant__number *numbers;
    const brant__name *names;
    const uint32_t *slots;
    const brant__object *objects;
    const brant__choice *choices;
    const brant__place *places;
    const char *text;
    yyjson_val *const *constants;
    brant__pattern **patterns;
    uint32_t pattern_count;
    brant__json constants_json;
};

static inline brant__text brant__name_text(const brant__schema *schema, const brant__name *name) {
    return brant__text_of(schema->text + name->text, name->length);
}
/* The JSON pointer of a place, appended. `parent` of a root is BRANT__NONE. */
void brant__place_append(brant__buffer *out, const brant__place *places, const char *text,
                         uint32_t place);

/* ---- compile.c ------------------------------------------------------------------------------------------------------- */

/* Compile every schema of a bundle and keep nothing: all its faults at once. */
brant_status brant__schema_check(yyjson_val *bundle);

/* ---- table.c --------------------------------------------------------------------------------------------------------- */

/* Add a table over `names` (which are all different) to `slots`. */
brant__table brant__table_build(brant__buffer *slots, const brant__name *names, uint32_t first,
                                uint32_t count, const char *text);

static inline uint64_t brant__table_hash(const char *data, size_t length, uint64_t seed) {
    uint64_t head = 0, tail = 0;
    if (length >= 8) {
        memcpy(&head, data, 8);
        memcpy(&tail, data + length - 8, 8);
    } else if (length >= 4) {
        uint32_t half[2];
        memcpy(&half[0], data, 4);
        memcpy(&half[1], data + length - 4, 4);
        head = half[0];
        tail = half[1];
    } else if (length > 0) {
        head = (uint8_t)data[0];
        tail = (uint64_t)(uint8_t)data[length / 2] << 8 | (uint8_t)data[length - 1];
    }
    const uint64_t mixed = (head ^ (tail * UINT64_C(0x9E3779B97F4A7C15)) ^ length) * seed;
    return mixed ^ mixed >> 32;
}

/* The index of a text within the table's names, or BRANT__NONE. */
static inline uint32_t brant__table_find(const brant__schema *schema, const brant__table *table,
                                         const char *data, size_t length) {
    if (table->name_count == 0) return BRANT__NONE;
    const uint64_t hash =
        table->seed ? brant__table_hash(data, length, table->seed) : brant__hash(data, length);
    for (uint32_t slot = (uint32_t)hash & table->mask;; slot = (slot + 1) & table->mask) {
        const uint32_t entry = schema->slots[table->slot + slot];
        if (entry == 0) return BRANT__NONE;
        const brant__name *name = &schema->names[table->name + entry - 1];
        if (name->length == length && memcmp(schema->text + name->text, data, length) == 0)
            return entry - 1;
    }
}

/* ---- encrypted.c ----------------------------------------------------------------------------------------------------- */

/*
 * The encrypted attributes of a type with this schema, allocated from the arena, in order of their pointers. Where one cannot be told by a pointer
 * alone, `fault` is called with the pointer of the x-encrypted within the bundle and a message, and the answer is of no use.
 */
typedef void (*brant__encrypted_fault)(void *context, brant__text pointer, const char *message);
brant_status brant__schema_encrypted(brant__encrypted **out, size_t *out_count,
                                     const brant__schema *schema, brant__arena *arena,
                                     brant__encrypted_fault fault, void *context);

/* Does an x-encrypted: true stand anywhere in it? For what takes no part: a mark that does nothing would leave a secret as it is. */
bool brant__marks_encrypted(yyjson_val *value);

/* ---- conceal.c ------------------------------------------------------------------------------------------------------- */

/*
 * Put the addresses of the value's parts that are secret into `out`, each with 0; of what is in them none. False without memory.
 */
enum { BRANT__CONCEAL_FRAMES = 2048 };
bool brant__schema_secrets(brant__map *out, const brant__schema *schema, yyjson_val *value);
/* The key of a value in such a map. */
brant__text brant__value_key(yyjson_val *const *value);

/* ---- number.c -------------------------------------------------------------------------------------------------------- */

/* `decimal`: also the shortest decimal form, which multipleOf alone needs. */
brant__number brant__number_of(yyjson_val *value, bool decimal);
/* -1, 0, 1, exactly, also between integers and doubles. */
int brant__number_compare(const brant__number *a, const brant__number *b);
/* Of the decimal numbers as they are written in their shortest form: 0.3 is a multiple of 0.1. */
bool brant__number_multiple(const brant__number *value, const brant__number *divisor);
/* True for an integer and for a double without a fraction. */
bool brant__number_integral(yyjson_val *value);

/* ---- pattern.c ------------------------------------------------------------------------------------------------------- */

/* VALIDATION with a message in the buffer (and nothing in the error record) when the pattern is bad. */
brant_status brant__pattern_compile(brant__pattern **out_pattern, brant__text source,
                                    brant__buffer *message);
void brant__pattern_free(brant__pattern *pattern);
brant__text brant__pattern_source(const brant__pattern *pattern);
/* 1: matches, 0: does not, -1: gave up at a limit. */
int brant__pattern_match(const brant__pattern *pattern, const char *data, size_t length);
/* The same by PCRE2, also for what is simple: slower. */
int brant__pattern_search(const brant__pattern *pattern, const char *data, size_t length);
bool brant__pattern_simple(const brant__pattern *pattern);

/* ---- direct.c -------------------------------------------------------------------------------------------------------- */

typedef struct brant__direct brant__direct;
/* NULL where the expression is not simple. `source` is an expression that pattern.c accepts. NO_MEMORY without an error record. */
brant_status brant__direct_compile(brant__direct **out_direct, brant__text source);
void brant__direct_free(brant__direct *direct);
bool brant__direct_match(const brant__direct *direct, const char *data, size_t length);

/* ---- regex.c --------------------------------------------------------------------------------------------------------- */

/* ECMA-262 to PCRE2; `out` NULL: only check. False: `*out_why` (may be NULL) says what the expression does wrong. */
bool brant__regex_translate(brant__buffer *out, brant__text source, const char **out_why);

/* ---- idna.c ---------------------------------------------------------------------------------------------------------- */

/* RFC 5891 and 5892: what follows "xn--" in a label decodes to one that is allowed. */
bool brant__idna_label(const char *data, size_t length);

/* ---- format.c -------------------------------------------------------------------------------------------------------- */

/* The number of a format that is asserted, or -1. BRANT__FORMAT_BASE64 has no name: it is TypeBox's type Uint8Array. */
enum { BRANT__FORMAT_BASE64 };
int brant__format_find(brant__text name);
bool brant__format_accepts(int format, const char *data, size_t length);
/* "must be a date and time like ..." */
const char *brant__format_message(int format);

/* ---- validate.c ------------------------------------------------------------------------------------------------------ */

/* One evaluation of a program. */
enum { BRANT__RUN_FRAMES = 1, BRANT__RUN_STEPS = 2, BRANT__RUN_PATTERN = 4 };
typedef struct brant__run {
    const brant__schema *schema;
    uint32_t frames;
    uint32_t exhausted; /* the limits that were hit: whatever the result, the value is rejected */
    uint64_t steps;
} brant__run;
static inline brant__run brant__run_begin(const brant__schema *schema, yyjson_val *value) {
    const uint64_t values =
        yyjson_is_ctn(value) ? (uint64_t)(unsafe_yyjson_get_next(value) - value) : 1;
    return (brant__run){schema, BRANT__SCHEMA_FRAMES, 0,
                        BRANT__SCHEMA_STEPS + BRANT__SCHEMA_VALUE_STEPS * values};
}
/* Count one more level and step; false when there are no more, or a limit was hit before: what follows cannot matter. */
static inline bool brant__run_enter(brant__run *run) {
    if (BRANT__UNLIKELY(run->steps == 0 || run->frames == 0 || run->exhausted)) {
        run->exhausted |= run->steps == 0    ? BRANT__RUN_STEPS
                          : run->frames == 0 ? BRANT__RUN_FRAMES
                                             : 0;
        return false;
    }
    run->steps--;
    run->frames--;
    return true;
}
static inline void brant__run_leave(brant__run *run) {
    run->frames++;
}
bool brant__block_accepts(brant__run *run, uint32_t block, yyjson_val *value);
bool brant__rule_accepts(brant__run *run, const brant__rule *rule, yyjson_val *value);
bool brant__block_type_accepts(const brant__block *block, yyjson_val *value);
int brant__run_match(brant__run *run, uint32_t pattern, const char *data, size_t length);
bool brant__items_unique(yyjson_val *array);
bool brant__choice_accepts(const brant__schema *schema, const brant__choice *choice,
                           yyjson_val *value);

/* ---- unevaluated.c --------------------------------------------------------------------------------------------------- */

/* Up to 64 members or items of a value, in order, and which of them are evaluated. */
typedef struct brant__chunk {
    yyjson_val *first; /* key or item */
    yyjson_val *next;
    size_t start;
    size_t left; /* after this chunk */
    unsigned count;
    uint64_t evaluated; /* bit n: the nth of the chunk */
} brant__chunk;
brant__chunk brant__chunk_first(yyjson_val *value);
/* Move to the next chunk; false at the end. `rule` is an unevaluated rule whose fellows have accepted the value. */
bool brant__chunk_next(brant__run *run, const brant__rule *rule, yyjson_val *value,
                       brant__chunk *chunk);
bool brant__unevaluated_accept(brant__run *run, const brant__rule *rule, yyjson_val *value);

#endif
