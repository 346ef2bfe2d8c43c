/*
 * Violations: where they are, which keyword of which schema, and what they say.
 */
#include "test_schema.h"

typedef struct expectation {
    const char *schema;
    const char *instance;
    const char *violations; /* "instance schema keyword: message" a line each */
} expectation;

static const expectation expectations[] = {
    {"{\"type\":\"string\"}", "1", " /type type: must be a string, not an integer\n"},
    {"{\"type\":[\"string\",\"null\"]}", "1.5",
     " /type type: must be a string or null, not a number with a fraction\n"},
    {"{\"type\":\"integer\",\"nullable\":true}", "[]",
     " /type type: must be an integer or null, not an array\n"},
    {"{\"enum\":[\"a\",2,null,{\"x\":1}]}", "3",
     " /enum enum: must be one of \"a\", 2, null, a certain object\n"},
    {"{\"enum\":[\"a\"]}", "3", " /enum enum: must be \"a\"\n"},
    {"{\"const\":\"a\\\"b\"}", "3", " /const const: must be \"a\\\"b\"\n"},
    {"{\"const\":[1]}", "3", " /const const: must be a certain array\n"},
    {"{\"minimum\":2.5,\"multipleOf\":2}", "1",
     " /minimum minimum: must be at least 2.5\n /multipleOf multipleOf: must be a multiple of 2\n"},
    {"{\"exclusiveMaximum\":2}", "2", " /exclusiveMaximum exclusiveMaximum: must be less than 2\n"},
    {"{\"minimum\":2,\"exclusiveMinimum\":true}", "2",
     " /exclusiveMinimum exclusiveMinimum: must be greater than 2\n"},
    {"{\"minLength\":1,\"pattern\":\"^a/\"}", "\"\"",
     " /minLength minLength: must have at least 1 character\n /pattern pattern: must match the "
     "pattern \"^a/\"\n"},
    {"{\"maxLength\":2}", "\"abc\"", " /maxLength maxLength: must have at most 2 characters\n"},
    {"{\"format\":\"date\"}", "\"today\"", " /format format: must be a date, like 2024-01-31\n"},
    {"{\"items\":{\"type\":\"null\"}}", "[null,1,2]",
     "/1 /items/type type: must be null, not an integer\n/2 /items/type type: must be null, not an "
     "integer\n"},
    {"{\"prefixItems\":[true,{\"const\":1}],\"items\":false}", "[0,0,0]",
     "/1 /prefixItems/1/const const: must be 1\n/2 /items : is an item too many\n"},
    {"{\"minItems\":2,\"maxItems\":0,\"uniqueItems\":true}", "[1]",
     " /minItems minItems: must have at least 2 items\n /maxItems maxItems: must have at most 0 "
     "items\n"},
    {"{\"uniqueItems\":true}", "[1,1]",
     " /uniqueItems uniqueItems: must not have two equal items\n"},
    {"{\"contains\":{\"const\":1}}", "[]",
     " /contains contains: must contain at least 1 item that fits\n"},
    {"{\"contains\":{\"const\":1},\"minContains\":2,\"maxContains\":0}", "[1]",
     " /minContains minContains: must contain at least 2 items that fit\n /maxContains "
     "maxContains: must contain at most 0 items that fit\n"},
    {"{\"required\":[\"a\",\"b\"],\"properties\":{\"c\":{\"type\":\"null\"}},"
     "\"additionalProperties\":false}",
     "{\"c\":1,\"d~/\":2}",
     " /required required: must have the property \"a\"\n /required required: must have the "
     "property \"b\"\n"
     "/c /properties/c/type type: must be null, not an integer\n/d~0~1 /additionalProperties : is "
     "not a property that the schema knows\n"},
    {"{\"patternProperties\":{\"^a/\":{\"minimum\":3}}}", "{\"a/b\":1}",
     "/a~1b /patternProperties/^a~1/minimum minimum: must be at least 3\n"},
    {"{\"propertyNames\":{\"maxLength\":1}}", "{\"ab\":1}",
     "/ab /propertyNames propertyNames: has a name that is not allowed\n/ab "
     "/propertyNames/maxLength maxLength: must have at most 1 character\n"},
    {"{\"minProperties\":1}", "{}",
     " /minProperties minProperties: must have at least 1 property\n"},
    {"{\"dependentRequired\":{\"a\":[\"b\",\"c\"]}}", "{\"a\":1,\"c\":1}",
     " /dependentRequired dependentRequired: must have the property \"b\" because it has \"a\"\n"},
    {"{\"dependentSchemas\":{\"a\":{\"required\":[\"b\"]}}}", "{\"a\":1}",
     " /dependentSchemas/a/required required: must have the property \"b\"\n"},
    {"{\"not\":{\"type\":\"null\"}}", "null", " /not not: must not fit the schema of \"not\"\n"},
    {"{\"if\":true,\"then\":{\"const\":1}}", "2", " /then/const const: must be 1\n"},
    {"{\"allOf\":[{\"minimum\":3},{\"$ref\":\"#/$defs/E\"}],\"$defs\":{\"E\":{\"multipleOf\":2}}}",
     "1",
     " /allOf/0/minimum minimum: must be at least 3\n /$defs/E/multipleOf multipleOf: must be a "
     "multiple of 2\n"},
    {"false", "1", "  : is not allowed\n"},
    {"{\"properties\":{\"a\":false}}", "{\"a\":1}", "/a /properties/a : is not allowed\n"},
    {"{\"properties\":{\"a\":true},\"unevaluatedProperties\":false}", "{\"a\":1,\"b\":1}",
     "/b /unevaluatedProperties : is not a property that the schema knows\n"},
    {"{\"prefixItems\":[true],\"unevaluatedItems\":{\"type\":\"null\"}}", "[1,2]",
     "/1 /unevaluatedItems/type type: must be null, not an integer\n"},

    /* alternatives: what is wrong with the one that is meant, where types or literals tell */
    {"{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"integer\"}]}", "null",
     " /anyOf anyOf: must fit one of 2 alternatives\n"},
    {"{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"string\",\"minLength\":2}]}", "\"a\"",
     " /anyOf/1/minLength minLength: must have at least 2 characters\n"},
    {"{\"oneOf\":[{\"properties\":{\"k\":{\"const\":\"a\"},\"n\":{\"type\":\"integer\"}}},{"
     "\"properties\":{\"k\":{\"const\":\"b\"}}}]}",
     "{\"k\":\"a\",\"n\":\"x\"}",
     "/n /oneOf/0/properties/n/type type: must be an integer, not a string\n"},
    {"{\"oneOf\":[{\"$ref\":\"A\"},{\"$ref\":\"B\"}],\"$defs\":{\"A\":{\"type\":\"object\","
     "\"properties\":{\"k\":{\"const\":\"a\"}},\"required\":[\"v\"]},"
     "\"B\":{\"type\":\"object\",\"properties\":{\"k\":{\"const\":\"b\"}}}}}",
     "{\"k\":\"a\"}", " /$defs/A/required required: must have the property \"v\"\n"},
    {"{\"oneOf\":[{\"minimum\":1},{\"minimum\":2},{\"minimum\":9}]}", "3",
     " /oneOf oneOf: must fit exactly one of 3 alternatives, fits 2\n"},
    {"{\"anyOf\":[{\"minimum\":7},{\"maximum\":1}]}", "3",
     " /anyOf anyOf: must fit one of 2 alternatives\n"},
};

static void append(brant__buffer *out, yyjson_val *violation, const char *name, const char *after) {
    const brant__text text = brant__json_get_text(violation, name);
    assert_non_null(text.data);
    brant__buffer_append(out, text.data, text.length);
    brant__buffer_append(out, after, strlen(after));
}

static void violations_say_where_and_why(void **state) {
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < BRANT__COUNT(expectations); i++) {
        const expectation *expected = &expectations[i];
        brant__schema *schema = compiled(expected->schema);
        brant__json instance = parsed(expected->instance);
        size_t told;
        char *text = violations(schema, instance.root, "", &told);
        brant__json json = parsed(text);
        brant__buffer lines = {0};
        size_t index, count;
        yyjson_val *violation;
        yyjson_arr_foreach(json.root, index, count, violation) {
            assert_int_equal(yyjson_obj_size(violation), 4);
            append(&lines, violation, "instance", " ");
            append(&lines, violation, "schema", " ");
            append(&lines, violation, "keyword", ": ");
            append(&lines, violation, "message", "\n");
        }
        brant__buffer_append_byte(&lines, '\0');
        assert_int_equal(told, count);
        if (strcmp(lines.data, expected->violations) != 0) {
            print_error("%s of %s:\n%s", expected->schema, expected->instance, lines.data);
            wrong++;
        }
        brant__buffer_free(&lines);
        brant__json_free(&json);
        brant_free(text);
        brant__json_free(&instance);
        brant__schema_free(schema);
    }
    assert_int_equal(wrong, 0);
}

static void a_prefix_stands_before_pointers(void **state) {
    (void)state;
    brant__schema *schema = compiled("{\"items\":{\"type\":\"null\"}}");
    brant__json json = parsed("[1]");
    size_t count;
    char *text = violations(schema, json.root, "/attributes", &count);
    assert_int_equal(count, 1);
    assert_non_null(strstr(text, "\"instance\":\"/attributes/0\""));
    brant_free(text);
    brant__json_free(&json);
    brant__schema_free(schema);
}

static void at_most_so_many_are_written(void **state) {
    (void)state;
    brant__schema *schema = compiled("{\"items\":{\"type\":\"null\"}}");
    brant__buffer items = {0};
    for (int i = 0; i < 5 * BRANT__VIOLATIONS; i++)
        brant__buffer_append(&items, i ? ",1" : "[1", 2);
    brant__buffer_append(&items, "]", 2);
    brant__json json = parsed(items.data);
    size_t count;
    char *text = violations(schema, json.root, "", &count);
    brant__json list = parsed(text);
    assert_int_equal(yyjson_arr_size(list.root), BRANT__VIOLATIONS);
    assert_int_equal(count, 5 * BRANT__VIOLATIONS);
    brant__json_free(&list);
    brant_free(text);
    brant__json_free(&json);
    brant__buffer_free(&items);
    brant__schema_free(schema);
}

/* A value may be a secret: no message repeats one. */
static void values_are_not_repeated(void **state) {
    (void)state;
    brant__schema *schema =
        compiled("{\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{\"const\":\"x\"},\"c\":{"
                 "\"enum\":[\"x\"]},\"d\":{\"pattern\":\"^x\"},"
                 "\"e\":{\"format\":\"uuid\"},\"f\":{\"anyOf\":[{\"minLength\":99},{\"maxLength\":"
                 "1}]},\"g\":{\"not\":{}},"
                 "\"h\":{\"maxLength\":1},\"i\":false}}");
    brant__json json = parsed("{\"a\":\"SECRET\",\"b\":\"SECRET\",\"c\":\"SECRET\",\"d\":"
                              "\"SECRET\",\"e\":\"SECRET\",\"f\":\"SECRET\",\"g\":\"SECRET\","
                              "\"h\":\"SECRET\",\"i\":\"SECRET\"}");
    size_t count;
    char *text = violations(schema, json.root, "", &count);
    assert_int_equal(count, 9);
    assert_null(strstr(text, "SECRET"));
    brant_free(text);
    brant__json_free(&json);
    brant__schema_free(schema);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(violations_say_where_and_why),
        cmocka_unit_test(a_prefix_stands_before_pointers),
        cmocka_unit_test(at_most_so_many_are_written),
        cmocka_unit_test(values_are_not_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
