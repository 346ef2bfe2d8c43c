/*
 * tests/core/test_evolution_random.c: the classes of random pairs of small schemas against random values: what is called identical gives the same
 * verdicts, additive keeps valid what was, upcast casts it to what is valid. BRANT_RANDOM_SEED and BRANT_RANDOM_PAIRS choose others.
 */
#include <unistd.h>

#include "test_schema.h"

#include "evolution/relation.h"

static uint64_t state;

static uint32_t next(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32);
}

static unsigned below(unsigned bound) {
    return next() % bound;
}

static bool chance(unsigned percent) {
    return below(100) < percent;
}

/* ---- values ---------------------------------------------------------------------------------------------------------------- */

static const char *const names[] = {"a", "b", "c", "a/b"};
static const char *const scalars[] = {
    "null", "true", "false", "0",     "1",      "2",     "3",       "-1",
    "1.5",  "2.0",  "\"\"",  "\"a\"", "\"ab\"", "\"b\"", "\"abc\"", "\"2024-01-31\""};

static void add(brant__buffer *out, const char *text) {
    brant__buffer_append(out, text, strlen(text));
}

static void value(brant__buffer *out, unsigned depth) {
    const unsigned kind = depth == 0 ? 0 : below(10);
    if (kind < 4) {
        add(out, scalars[below(BRANT__COUNT(scalars))]);
    } else if (kind < 6) {
        const unsigned count = below(4);
        add(out, "[");
        for (unsigned i = 0; i < count; i++) {
            if (i > 0) add(out, ",");
            value(out, depth - 1);
        }
        add(out, "]");
    } else {
        bool first = true;
        add(out, "{");
        for (size_t i = 0; i < BRANT__COUNT(names); i++) {
            if (!chance(45)) continue;
            if (!first) add(out, ",");
            first = false;
            brant__buffer_format(out, "\"%s\":", names[i]);
            value(out, depth - 1);
        }
        add(out, "}");
    }
}

/* A value that a schema of the document may well accept: what it names is taken from it. */
static void instance(brant__buffer *out, yyjson_val *document, yyjson_val *json, unsigned depth) {
    static const char *const unions[] = {"anyOf", "oneOf", "allOf"};
    yyjson_val *fixed = yyjson_obj_get(json, "const"), *choice = yyjson_obj_get(json, "enum");
    yyjson_val *kind = yyjson_obj_get(json, "type");
    if (depth == 0 || chance(8) || !yyjson_is_obj(json)) {
        value(out, depth);
        return;
    }
    if (yyjson_obj_get(json, "$ref")) {
        instance(out, document, yyjson_obj_get(yyjson_obj_get(document, "$defs"), "X"), depth - 1);
        return;
    }
    if (fixed || choice) {
        brant__json_append(
            out, fixed ? fixed : yyjson_arr_get(choice, below((unsigned)yyjson_arr_size(choice))));
        return;
    }
    for (size_t i = 0; i < BRANT__COUNT(unions); i++) {
        yyjson_val *branches = yyjson_obj_get(json, unions[i]);
        if (!branches || chance(30)) continue;
        instance(out, document,
                 yyjson_arr_get(branches, below((unsigned)yyjson_arr_size(branches))), depth - 1);
        return;
    }
    if (yyjson_is_arr(kind)) kind = yyjson_arr_get(kind, below((unsigned)yyjson_arr_size(kind)));
    const bool object = yyjson_equals_str(kind, "object") ||
                        (!kind && yyjson_obj_get(json, "properties") && chance(70));
    const bool array =
        yyjson_equals_str(kind, "array") || (!kind && yyjson_obj_get(json, "items") && chance(70));
    if (object) {
        yyjson_val *required = yyjson_obj_get(json, "required");
        bool first = true;
        brant__buffer_append_byte(out, '{');
        for (size_t i = 0; i < BRANT__COUNT(names); i++) {
            yyjson_val *property = yyjson_obj_get(yyjson_obj_get(json, "properties"), names[i]);
            yyjson_val *rest = yyjson_obj_get(json, "additionalProperties");
            bool needed = false;
            size_t index, count;
            yyjson_val *name;
            yyjson_arr_foreach(required, index, count, name) needed =
                needed || yyjson_equals_str(name, names[i]);
            if (!needed && (!property || chance(35)) && !chance(rest ? 8 : 25)) continue;
            if (!first) brant__buffer_append_byte(out, ',');
            first = false;
            brant__buffer_format(out, "\"%s\":", names[i]);
            instance(out, document, property ? property : rest, depth - 1);
        }
        brant__buffer_append_byte(out, '}');
    } else if (array) {
        yyjson_val *prefix = yyjson_obj_get(json, "prefixItems");
        const unsigned count = below(4);
        brant__buffer_append_byte(out, '[');
        for (unsigned i = 0; i < count; i++) {
            if (i > 0) brant__buffer_append_byte(out, ',');
            instance(out, document,
                     i < yyjson_arr_size(prefix) ? yyjson_arr_get(prefix, i)
                                                 : yyjson_obj_get(json, "items"),
                     depth - 1);
        }
        brant__buffer_append_byte(out, ']');
    } else if (yyjson_equals_str(kind, "string")) {
        add(out, scalars[10 + below(6)]);
    } else if (yyjson_equals_str(kind, "integer") || yyjson_equals_str(kind, "number")) {
        add(out, scalars[3 + below(7)]);
    } else if (kind) {
        add(out, scalars[below(3)]);
    } else {
        value(out, depth);
    }
}

/* ---- schemas --------------------------------------------------------------------------------------------------------------- */

static void schema(brant__buffer *out, unsigned depth);

static void member(brant__buffer *out, bool *first, const char *name) {
    if (!*first) add(out, ",");
    *first = false;
    brant__buffer_format(out, "\"%s\":", name);
}

static void schemas(brant__buffer *out, unsigned depth) {
    const unsigned count = 1 + below(3);
    add(out, "[");
    for (unsigned i = 0; i < count; i++) {
        if (i > 0) add(out, ",");
        schema(out, depth);
    }
    add(out, "]");
}

static void object_keywords(brant__buffer *out, bool *first, unsigned depth) {
    bool none = true;
    if (chance(90)) {
        member(out, first, "properties");
        add(out, "{");
        for (size_t i = 0; i < BRANT__COUNT(names); i++) {
            if (!chance(50)) continue;
            member(out, &none, names[i]);
            schema(out, depth);
        }
        add(out, "}");
    }
    if (chance(40)) {
        none = true;
        member(out, first, "required");
        add(out, "[");
        for (size_t i = 0; i < BRANT__COUNT(names); i++) {
            if (!chance(30)) continue;
            brant__buffer_format(out, "%s\"%s\"", none ? "" : ",", names[i]);
            none = false;
        }
        add(out, "]");
    }
    if (chance(50)) {
        member(out, first, "additionalProperties");
        if (chance(70))
            add(out, "false");
        else
            schema(out, depth);
    }
    if (chance(8)) {
        member(out, first, "patternProperties");
        add(out, chance(50) ? "{\"^a\":" : "{\"b\":");
        schema(out, depth);
        add(out, "}");
    }
    if (chance(5)) {
        member(out, first, chance(50) ? "minProperties" : "maxProperties");
        brant__buffer_format(out, "%u", below(4));
    }
    if (chance(5)) {
        member(out, first, "propertyNames");
        add(out, chance(50) ? "{\"maxLength\":1}" : "{\"enum\":[\"a\",\"b\"]}");
    }
    if (chance(5)) {
        member(out, first, "dependentRequired");
        add(out, chance(50) ? "{\"a\":[\"b\"]}" : "{\"a\":[\"b\",\"c\"]}");
    }
    if (chance(5)) {
        member(out, first, "dependentSchemas");
        add(out, "{\"a\":");
        schema(out, depth);
        add(out, "}");
    }
    if (chance(5)) {
        member(out, first, "unevaluatedProperties");
        add(out, "false");
    }
}

static void array_keywords(brant__buffer *out, bool *first, unsigned depth) {
    if (chance(70)) {
        member(out, first, "items");
        schema(out, depth);
    }
    if (chance(20)) {
        member(out, first, "prefixItems");
        schemas(out, depth);
    }
    if (chance(20)) {
        member(out, first, chance(50) ? "minItems" : "maxItems");
        brant__buffer_format(out, "%u", below(4));
    }
    if (chance(10)) {
        member(out, first, "uniqueItems");
        add(out, chance(80) ? "true" : "false");
    }
    if (chance(10)) {
        member(out, first, "contains");
        schema(out, depth);
        if (chance(30)) {
            member(out, first, chance(50) ? "minContains" : "maxContains");
            brant__buffer_format(out, "%u", below(3));
        }
    }
    if (chance(5)) {
        member(out, first, "unevaluatedItems");
        add(out, "false");
    }
}

static void scalar_keywords(brant__buffer *out, bool *first) {
    static const char *const bounds[] = {"minimum", "maximum", "exclusiveMinimum",
                                         "exclusiveMaximum"};
    static const char *const numbers[] = {"0", "1", "2", "1.5", "-1", "3"};
    if (chance(35)) {
        member(out, first, bounds[below(4)]);
        add(out, numbers[below(6)]);
    }
    if (chance(10)) {
        member(out, first, "multipleOf");
        add(out, numbers[1 + below(3)]);
    }
    if (chance(25)) {
        member(out, first, chance(50) ? "minLength" : "maxLength");
        brant__buffer_format(out, "%u", below(4));
    }
    if (chance(12)) {
        member(out, first, "pattern");
        add(out, chance(50) ? "\"^a\"" : "\"b\"");
    }
    if (chance(8)) {
        member(out, first, "format");
        add(out, chance(70) ? "\"date\"" : "\"uuid\"");
    }
}

static void type(brant__buffer *out, bool *first) {
    static const char *const types[] = {"\"object\"", "\"object\"",  "\"object\"",
                                        "\"array\"",  "\"string\"",  "\"integer\"",
                                        "\"number\"", "\"boolean\"", "\"null\""};
    if (!chance(75)) return;
    member(out, first, "type");
    if (chance(80))
        add(out, types[below(BRANT__COUNT(types))]);
    else
        add(out, chance(50) ? "[\"string\",\"null\"]" : "[\"integer\",\"object\"]");
}

static void applicators(brant__buffer *out, bool *first, unsigned depth) {
    static const char *const lists[] = {"anyOf", "oneOf", "allOf"};
    if (chance(25)) {
        member(out, first, lists[below(3)]);
        schemas(out, depth);
    }
    if (chance(6)) {
        member(out, first, "not");
        schema(out, depth);
    }
    if (chance(5)) {
        member(out, first, "if");
        schema(out, depth);
        if (chance(80)) {
            member(out, first, "then");
            schema(out, depth);
        }
        if (chance(50)) {
            member(out, first, "else");
            schema(out, depth);
        }
    }
}

static void schema(brant__buffer *out, unsigned depth) {
    bool first = true;
    const unsigned kind = below(100);
    if (kind < 4 || depth == 0) {
        static const char *const leaves[] = {"true",
                                             "{\"type\":\"string\"}",
                                             "{\"type\":\"integer\"}",
                                             "{\"type\":\"number\"}",
                                             "false",
                                             "{\"type\":[\"string\",\"null\"]}",
                                             "{\"$ref\":\"#/$defs/X\"}",
                                             "{\"type\":\"string\",\"default\":\"a\"}",
                                             "{\"type\":\"integer\",\"default\":1}",
                                             "{\"type\":\"integer\",\"default\":\"b\"}",
                                             "{\"const\":\"a\"}",
                                             "{\"const\":\"b\"}"};
        add(out, leaves[below(BRANT__COUNT(leaves))]);
        return;
    }
    if (kind < 10) {
        add(out, "{\"$ref\":\"#/$defs/X\"}");
        return;
    }
    add(out, "{");
    if (kind < 18) {
        member(out, &first, "const");
        value(out, 1);
    } else if (kind < 26) {
        member(out, &first, "enum");
        add(out, "[");
        value(out, 1);
        for (unsigned i = below(3); i > 0; i--) {
            add(out, ",");
            value(out, 0);
        }
        add(out, "]");
    } else {
        type(out, &first);
        if (chance(60)) object_keywords(out, &first, depth - 1);
        if (chance(25)) array_keywords(out, &first, depth - 1);
        if (chance(35)) scalar_keywords(out, &first);
        applicators(out, &first, depth - 1);
        if (chance(4)) {
            member(out, &first, "nullable");
            add(out, "true");
        }
    }
    if (chance(20)) {
        member(out, &first, "default");
        value(out, 1);
    }
    add(out, "}");
}

/* An X may be applied to a value by itself: then there is no such schema, and another is made. */
static void document(brant__buffer *out) {
    brant__buffer_reset(out);
    schema(out, 3);
    if (out->length > 2 && out->data[0] == '{') {
        out->length--;
        add(out, ",\"$defs\":{\"X\":");
        schema(out, 2);
        add(out, "}}");
    } else {
        brant__buffer_reset(out);
        add(out, "{\"type\":\"object\"}");
    }
}

/* ---- a second schema that is near the first --------------------------------------------------------------------------------- */

/* Some small places of the text are replaced; what comes out need not be a schema. */
static void mutate(brant__buffer *out, const brant__buffer *from) {
    static const struct {
        const char *old, *new;
    } changes[] = {
        {"\"additionalProperties\":false", "\"additionalProperties\":true"},
        {"\"type\":\"integer\"", "\"type\":\"number\""},
        {"\"type\":\"number\"", "\"type\":\"integer\""},
        {"\"type\":\"string\"", "\"type\":[\"string\",\"null\"]"},
        {"\"minLength\":1", "\"minLength\":0"},
        {"\"minLength\":0", "\"minLength\":2"},
        {"\"required\":[", "\"required\":[\"c\","},
        {"\"required\":[\"a\",", "\"required\":["},
        {"\"anyOf\":[", "\"anyOf\":[{\"type\":\"null\"},"},
        {"\"oneOf\":[", "\"oneOf\":[{\"type\":\"null\"},"},
        {"\"oneOf\"", "\"anyOf\""},
        {"\"anyOf\"", "\"oneOf\""},
        {"\"allOf\":[", "\"allOf\":[{\"type\":\"object\"},"},
        {"\"enum\":[", "\"enum\":[\"zz\","},
        {"\"properties\":{", "\"properties\":{\"d\":{\"type\":\"string\",\"default\":\"x\"},"},
        {"\"properties\":{\"a\":", "\"properties\":{\"a2\":"},
        {"{\"type\":\"object\"", "{\"additionalProperties\":false,\"type\":\"object\""},
        {"\"maximum\":2", "\"maximum\":3"},
        {"\"minimum\":1", "\"exclusiveMinimum\":1"},
        {"\"uniqueItems\":true,", ""},
        {"\"maxItems\":", "\"minItems\":"},
        {"\"not\":", "\"if\":"},
        {"\"then\":", "\"else\":"},
        {"\"const\":\"a\"", "\"enum\":[\"a\",\"b\"]"},
        {"\"contains\":", "\"items\":"},
        {"{}", "true"},
    };
    const char *text = from->data, *end = from->data + from->length;
    brant__buffer_reset(out);
    while (text < end) {
        bool changed = false;
        for (size_t i = 0; i < BRANT__COUNT(changes) && !changed; i++) {
            const size_t length = strlen(changes[i].old);
            if ((size_t)(end - text) < length || memcmp(text, changes[i].old, length) != 0)
                continue;
            if (!chance(25)) continue;
            add(out, changes[i].new);
            text += length;
            changed = true;
        }
        if (changed) continue;
        /* Another bound or count. */
        const bool digit = *text >= '0' && *text <= '3' && text[-1] == ':' && chance(25);
        brant__buffer_append_byte(out, digit ? (char)('0' + below(4)) : *text);
        text++;
    }
}

/* ---- the check -------------------------------------------------------------------------------------------------------------- */

enum { VALUES = 24 };

typedef struct side {
    brant__buffer text;
    brant__json json;
    brant__schema *schema;
} side;

static bool compile(side *self) {
    const brant_status status =
        brant__json_parse(&self->json, self->text.data, self->text.length, 0);
    self->schema = NULL;
    if (status == BRANT_OK && brant__schema_compile(&self->schema, self->json.root, self->json.root,
                                                    BRANT__TEXT("")) == BRANT_OK)
        return true;
    brant__error_clear();
    return false;
}

static unsigned seen[4], accepted, tried;

static void check_value(const side *from, const side *to, brant__class class, yyjson_val *one,
                        const char *text) {
    const bool before = brant__schema_accepts(from->schema, one);
    const bool now = brant__schema_accepts(to->schema, one);
    accepted += before;
    tried++;
    brant__cast cast = {0};
    assert_int_equal(brant__cast_value(&cast, to->schema, to->json.root, one), BRANT_OK);
    if (now && !cast.valid)
        fail_msg("cast made invalid: %s under %.*s gives %.*s", text, (int)to->text.length,
                 to->text.data, (int)cast.text.length, cast.text.data);
    if (cast.valid != brant__schema_accepts(to->schema, cast.json.root))
        fail_msg("cast is wrong about what it made");
    /* The edits say what was done. */
    brant__json edits = {0};
    brant__buffer patched = {0};
    assert_int_equal(brant__json_parse(&edits, cast.edits.data, cast.edits.length, 0), BRANT_OK);
    if (brant__patch_apply(&patched, one, edits.root, (size_t)1 << 20) != BRANT_OK ||
        patched.length != cast.text.length ||
        memcmp(patched.data, cast.text.data, patched.length) != 0) {
        brant__json a = {0};
        const bool equal = patched.length > 0 &&
                           brant__json_parse(&a, patched.data, patched.length, 0) == BRANT_OK &&
                           brant__json_equal(a.root, cast.json.root);
        if (!equal)
            fail_msg("the edits %.*s make %.*s of %s, not %.*s", (int)cast.edits.length,
                     cast.edits.data, (int)patched.length, patched.data, text,
                     (int)cast.text.length, cast.text.data);
        brant__json_free(&a);
    }
    brant__buffer_free(&patched);
    brant__json_free(&edits);
    const bool wrong = (class == BRANT__IDENTICAL && before != now) ||
                       (class == BRANT__ADDITIVE && before && !now) ||
                       (class == BRANT__UPCAST && before && !cast.valid);
    if (wrong)
        fail_msg("%s: %.*s -> %.*s: the value %s (before %d, now %d, cast %.*s)",
                 brant__class_names[class], (int)from->text.length, from->text.data,
                 (int)to->text.length, to->text.data, text, before, now, (int)cast.text.length,
                 cast.text.data);
    brant__cast_free(&cast);
}

static void check_pair(side *from, side *to) {
    brant__relation relation = {.schemas = {from->schema, to->schema},
                                .documents = {from->json.root, to->json.root}};
    const brant__class class =
        brant__relation_class(&relation, from->schema->entry, to->schema->entry);
    brant__relation_free(&relation);
    seen[class]++;
    brant__buffer text = {0};
    brant__json json = {0};
    for (int i = 0; i < VALUES && class != BRANT__BREAKING; i++) {
        brant__buffer_reset(&text);
        if (i % 4 == 0)
            value(&text, 3);
        else
            instance(&text, from->json.root, from->json.root, 6);
        brant__buffer_append_byte(&text, '\0');
        assert_int_equal(brant__json_parse(&json, text.data, text.length - 1, 0), BRANT_OK);
        check_value(from, to, class, json.root, text.data);
    }
    brant__json_free(&json);
    brant__buffer_free(&text);
}

static unsigned long setting(const char *name, unsigned long otherwise) {
    const char *text = getenv(name);
    return text ? strtoul(text, NULL, 10) : otherwise;
}

static void classes_are_true_of_values(void **unused) {
    (void)unused;
    const unsigned long seed = setting("BRANT_RANDOM_SEED", (unsigned long)getpid());
    const unsigned long pairs = setting("BRANT_RANDOM_PAIRS", 20000);
    side from = {0}, to = {0};
    state = UINT64_C(0x9E3779B97F4A7C15) ^ ((uint64_t)seed << 20 | 1);
    print_message("seed %lu\n", seed);
    for (unsigned long done = 0; done < pairs;) {
        document(&from.text);
        if (!compile(&from)) continue;
        for (int i = 0; i < 4; i++) {
            if (i == 0)
                document(&to.text);
            else
                mutate(&to.text, &from.text);
            if (compile(&to)) {
                check_pair(&from, &to);
                done++;
            }
            brant__schema_free(to.schema);
        }
        brant__schema_free(from.schema);
    }
    print_message("%u identical, %u additive, %u upcast, %u breaking\n", seen[0], seen[1], seen[2],
                  seen[3]);
    print_message("%u of %u values were valid before\n", accepted, tried);
    assert_true(accepted * 4 >= tried);
    for (size_t i = 0; i < 4; i++)
        assert_true(seen[i] * 1000 >= pairs); /* all of them are tried */
    brant__json_free(&from.json);
    brant__json_free(&to.json);
    brant__buffer_free(&from.text);
    brant__buffer_free(&to.text);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(classes_are_true_of_values)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
