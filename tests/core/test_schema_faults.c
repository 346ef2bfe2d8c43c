/*
 * Schemas that are refused: where the fault is, which keyword, and what the message says. And those that must not be refused.
 */
#include "test_schema.h"

typedef struct fault {
    const char *schema;
    const char *instance; /* JSON pointer */
    const char *keyword;
    const char *message; /* a part of it */
} fault;

static const fault faults[] = {
    {"3", "", "", "must be a schema"},
    {"{\"properties\":{\"a\":3}}", "/properties/a", "", "must be a schema"},
    {"{\"type\":\"text\"}", "/type", "type", "must be one of \"null\""},
    {"{\"type\":3}", "/type", "type", "must be the name of a type"},
    {"{\"type\":[]}", "/type", "type", "one or more"},
    {"{\"type\":[\"null\",\"int\"]}", "/type/1", "type", "must be one of"},
    {"{\"type\":[\"null\",\"null\"]}", "/type/1", "type", "already"},
    {"{\"type\":\"any\"}", "/type", "type", "must be one of"},
    {"{\"enum\":[]}", "/enum", "enum", "one or more"},
    {"{\"enum\":\"a\"}", "/enum", "enum", "array"},
    {"{\"minimum\":\"1\"}", "/minimum", "minimum", "number"},
    {"{\"exclusiveMaximum\":true}", "/exclusiveMaximum", "exclusiveMaximum", "number"},
    {"{\"multipleOf\":0}", "/multipleOf", "multipleOf", "greater than 0"},
    {"{\"multipleOf\":-1.5}", "/multipleOf", "multipleOf", "greater than 0"},
    {"{\"minLength\":-1}", "/minLength", "minLength", "not negative"},
    {"{\"maxItems\":1.5}", "/maxItems", "maxItems", "integer"},
    {"{\"minProperties\":\"1\"}", "/minProperties", "minProperties", "integer"},
    {"{\"minContains\":-1}", "/minContains", "minContains", "integer"},
    {"{\"pattern\":3}", "/pattern", "pattern", "string"},
    {"{\"pattern\":\"(\"}", "/pattern", "pattern", "has a ( without its )"},
    {"{\"pattern\":\"[a\"}", "/pattern", "pattern", "has a [ without its ]"},
    {"{\"patternProperties\":{\"a/(\":true}}", "/patternProperties/a~1(", "patternProperties",
     "regular expression"},
    {"{\"format\":1}", "/format", "format", "string"},
    {"{\"uniqueItems\":1}", "/uniqueItems", "uniqueItems", "true or false"},
    {"{\"nullable\":1}", "/nullable", "nullable", "true or false"},
    {"{\"items\":3}", "/items", "", "must be a schema"},
    {"{\"items\":[true],\"prefixItems\":[true]}", "/items", "items", "beside prefixItems"},
    {"{\"prefixItems\":{}}", "/prefixItems", "prefixItems", "array of one or more schemas"},
    {"{\"required\":\"a\"}", "/required", "required", "array of strings"},
    {"{\"required\":[1]}", "/required", "required", "array of strings"},
    {"{\"properties\":{\"a\":{\"required\":true}}}", "/properties/a/required", "required",
     "draft-03"},
    {"{\"properties\":[]}", "/properties", "properties", "object"},
    {"{\"patternProperties\":[]}", "/patternProperties", "patternProperties", "object"},
    {"{\"dependentRequired\":[]}", "/dependentRequired", "dependentRequired", "object"},
    {"{\"dependentRequired\":{\"a\":[1]}}", "/dependentRequired/a", "dependentRequired",
     "array of strings"},
    {"{\"dependentSchemas\":{\"a\":[]}}", "/dependentSchemas/a", "", "must be a schema"},
    {"{\"allOf\":{}}", "/allOf", "allOf", "array of one or more schemas"},
    {"{\"anyOf\":[]}", "/anyOf", "anyOf", "array of one or more schemas"},
    {"{\"oneOf\":[true,1]}", "/oneOf/1", "", "must be a schema"},
    {"{\"not\":null}", "/not", "", "must be a schema"},

    /* references */
    {"{\"$ref\":3}", "/$ref", "$ref", "string"},
    {"{\"$ref\":\"#/$defs/A\"}", "/$ref", "$ref", "\"#/$defs/A\" refers to nothing"},
    {"{\"$ref\":\"#/$defs/A/items/0\",\"$defs\":{\"A\":{\"items\":[]}}}", "/$ref", "$ref",
     "refers to nothing"},
    {"{\"$ref\":\"#/allOf/01\",\"allOf\":[true,true]}", "/$ref", "$ref", "refers to nothing"},
    {"{\"$ref\":\"#/$defs\",\"$defs\":{\"A\":true}}", "/$ref", "$ref", "no schema"},
    {"{\"$ref\":\"#/mine\",\"mine\":3}", "/mine", "", "must be a schema"},
    {"{\"$ref\":\"#/a~2b\"}", "/$ref", "$ref", "not a JSON pointer"},
    {"{\"$ref\":\"#/a%zz\"}", "/$ref", "$ref", "percent"},
    {"{\"$ref\":\"#nowhere\"}", "/$ref", "$ref", "no schema has that $anchor"},
    {"{\"$ref\":\"Other\"}", "/$ref", "$ref", "not within the bundle"},
    {"{\"$ref\":\"https://example.com/schema.json\"}", "/$ref", "$ref", "not within the bundle"},
    {"{\"$ref\":\"file:///etc/passwd\"}", "/$ref", "$ref", "not within the bundle"},
    {"{\"$anchor\":\"1\"}", "/$anchor", "$anchor", "must be a name"},
    {"{\"$defs\":{\"A\":{\"$anchor\":\"x\"},\"B\":{\"$anchor\":\"x\"}}}", "/$defs/B/$anchor",
     "$anchor", "already"},
    {"{\"$id\":3}", "/$id", "$id", "string"},
    {"{\"$id\":\"https://example.com/#frag\"}", "/$id", "$id", "fragment"},
    {"{\"$defs\":{\"A\":{\"$id\":\"x:y\"},\"B\":{\"$id\":\"x:y\"}}}", "/$defs/B/$id", "$id",
     "another schema"},
    {"{\"$ref\":\"#\"}", "", "", "never ends"},
    {"{\"$ref\":\"A\",\"$defs\":{\"A\":{\"allOf\":[{\"$ref\":\"B\"}]},\"B\":{\"anyOf\":[true,{\"$"
     "ref\":\"A\"}]}}}",
     "/$defs/A", "", "never ends"},
    {"{\"if\":{\"$ref\":\"#\"}}", "", "", "never ends"},
    {"{\"not\":{\"$ref\":\"#\"}}", "", "", "never ends"},
    {"{\"dependentSchemas\":{\"a\":{\"$ref\":\"#\"}}}", "", "", "never ends"},
    {"{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":{\"$ref\":\"#\"}}}", "", "",
     "no finite value"},
    {"{\"type\":\"array\",\"minItems\":1,\"items\":{\"$ref\":\"#\"}}", "", "", "no finite value"},
    {"{\"type\":\"array\",\"minItems\":2,\"prefixItems\":[true,{\"$ref\":\"#\"}]}", "", "",
     "no finite value"},
    {"{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":{\"anyOf\":[{\"$ref\":\"#\"},"
     "{\"allOf\":[{\"$ref\":\"#\"}]}]}}}",
     "", "", "no finite value"},

    /* what asserts something that is not done, or nearly is a keyword */
    {"{\"$recursiveRef\":\"#\"}", "/$recursiveRef", "$recursiveRef", "not supported"},
    {"{\"divisibleBy\":3}", "/divisibleBy", "divisibleBy", "not supported"},
    {"{\"formatMinimum\":\"a\"}", "/formatMinimum", "formatMinimum", "not supported"},
    {"{\"minLenght\":3}", "/minLenght", "minLenght", "\"minLength\""},
    {"{\"MinLength\":3}", "/MinLength", "MinLength", "\"minLength\""},
    {"{\"one_of\":[]}", "/one_of", "one_of", "\"oneOf\""},
    {"{\"requierd\":[]}", "/requierd", "requierd", "\"required\""},
    {"{\"additionalProperty\":false}", "/additionalProperty", "additionalProperty",
     "\"additionalProperties\""},
    {"{\"$foo\":1}", "/$foo", "$foo", "reserved"},
};

static void faults_are_found(void **state) {
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < BRANT__COUNT(faults); i++) {
        const fault *expected = &faults[i];
        brant__json json = parsed(expected->schema);
        brant__schema *schema = NULL;
        brant__error_clear();
        if (brant__schema_compile(&schema, json.root, json.root, BRANT__TEXT("")) == BRANT_OK) {
            print_error("%s is accepted\n", expected->schema);
            brant__schema_free(schema);
            brant__json_free(&json);
            wrong++;
            continue;
        }
        assert_null(schema);
        assert_int_equal(brant_last_error()->code, BRANT_VALIDATION);
        brant__json detail = parsed(brant_last_error()->detail);
        yyjson_val *first = yyjson_arr_get_first(yyjson_obj_get(detail.root, "violations"));
        const char *instance = yyjson_get_str(yyjson_obj_get(first, "instance"));
        const char *keyword = yyjson_get_str(yyjson_obj_get(first, "keyword"));
        const char *message = yyjson_get_str(yyjson_obj_get(first, "message"));
        if (strcmp(instance, expected->instance) != 0 || strcmp(keyword, expected->keyword) != 0 ||
            !strstr(message, expected->message)) {
            print_error("%s: \"%s\" \"%s\" %s\n", expected->schema, instance, keyword, message);
            wrong++;
        }
        brant__json_free(&detail);
        brant__json_free(&json);
    }
    assert_int_equal(wrong, 0);
}

/* Recursion that can end, names near keywords that are none, annotations. */
static const char *const fine[] = {
    "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#\"}}}",
    "{\"required\":[\"a\"],\"properties\":{\"a\":{\"$ref\":\"#\"}}}", /* a string will do */
    "{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":{\"anyOf\":[{\"$ref\":\"#\"},{"
    "\"type\":\"null\"}]}}}",
    "{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":{\"type\":\"array\",\"items\":"
    "{\"$ref\":\"#\"}}}}",
    "{\"type\":\"object\",\"nullable\":true,\"required\":[\"a\"],\"properties\":{\"a\":{\"$ref\":"
    "\"#\"}}}",
    "{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":false}}", /* accepts nothing, and does not recur */
    "{\"type\":\"string\",\"allOf\":[{\"type\":\"integer\"}]}",
    "{\"cost\":1,\"note\":\"n\",\"allow\":1,\"definition\":\"d\",\"label\":\"l\",\"widget\":{},"
    "\"kind\":1,\"container\":1,\"errorMessage\":\"\"}",
    "{\"discriminator\":{\"propertyName\":\"k\"},\"xml\":{},\"externalDocs\":{},\"id\":\"x\",\"$"
    "vocabulary\":{}}",
    "{\"format\":\"password\"}",
    "{\"$id\":\"\"}",
    "{\"$id\":\"urn:uuid:deadbeef-1234-00ff-00ff-4321feebdaed\"}",
    "{\"const\":{\"$ref\":3,\"type\":\"nonsense\"},\"enum\":[{\"$anchor\":\"1\"}],\"default\":{\"$"
    "id\":3}}",
};

static void others_are_not(void **state) {
    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(fine); i++)
        brant__schema_free(compiled(fine[i]));
}

static void all_faults_at_once(void **state) {
    (void)state;
    brant__json json = parsed("{\"type\":\"x\",\"properties\":{\"a\":{\"minimum\":\"1\"},\"b\":{\"$"
                              "ref\":\"#/nothing\"}}}");
    brant__schema *schema = NULL;
    brant__error_clear();
    assert_int_equal(brant__schema_compile(&schema, json.root, json.root, BRANT__TEXT("")),
                     BRANT_VALIDATION);
    assert_memory_equal(brant_last_error()->message, "/type: must be one of", 21);
    brant__json detail = parsed(brant_last_error()->detail);
    assert_int_equal(yyjson_arr_size(yyjson_obj_get(detail.root, "violations")), 3);
    brant__json_free(&detail);
    brant__json_free(&json);
}

/* An entry that is reached by its pointer, and one that the scan does not know. */
static void entries_of_a_bundle(void **state) {
    (void)state;
    brant__json json = parsed("{\"$defs\":{\"A\":{\"$ref\":\"B\"},\"B\":{\"type\":\"integer\"}},"
                              "\"other\":{\"x/y\":{\"$ref\":\"B\",\"minimum\":\"1\"}}}");
    brant__json one = parsed("1"), text = parsed("\"1\"");
    yyjson_val *entry = yyjson_obj_get(yyjson_obj_get(json.root, "$defs"), "A");
    brant__schema *schema = NULL;
    assert_int_equal(brant__schema_compile(&schema, json.root, entry, BRANT__TEXT("/$defs/A")),
                     BRANT_OK);
    assert_true(accepts(schema, one.root));
    assert_false(accepts(schema, text.root));
    brant__schema_free(schema);
    entry = yyjson_obj_get(yyjson_obj_get(json.root, "other"), "x/y");
    brant__error_clear();
    assert_int_equal(brant__schema_compile(&schema, json.root, entry, BRANT__TEXT("/other/x~1y")),
                     BRANT_VALIDATION);
    assert_string_equal(brant_last_error()->message, "/other/x~1y/minimum: must be a number");
    brant__json_free(&text);
    brant__json_free(&one);
    brant__json_free(&json);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_are_found),
        cmocka_unit_test(others_are_not),
        cmocka_unit_test(all_faults_at_once),
        cmocka_unit_test(entries_of_a_bundle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
