/*
 * What is said of encrypted values: that one is not acceptable, and by which keyword. Nothing of the value, nothing of what is in it, whichever schema
 * judges it and wherever that stands.
 */
#include "test_schema.h"

/* ---- envelopes are accepted ------------------------------------------------------------------ */

typedef struct acceptance {
    const char *schema, *instance;
    bool valid;
} acceptance;

#define V(schema) "{\"properties\":{\"v\":" schema "}}"
#define SHORT     "{\"x-encrypted\":true,\"type\":\"string\",\"minLength\":3}"

static const acceptance acceptances[] = {
    {V(SHORT), "{\"v\":\"abc\"}", true},
    {V(SHORT), "{\"v\":\"ab\"}", false},
    {V(SHORT), "{\"v\":{\"$enc\":2}}", true},
    {V(SHORT), "{\"v\":{\"$enc\":\"what it is, others judge\",\"x\":[1]}}", true},
    {V(SHORT), "{\"v\":{\"$redacted\":true}}", true},
    {V(SHORT), "{\"v\":{\"enc\":2}}", false},
    {V(SHORT), "{\"v\":{\"a\":{\"$enc\":2}}}", false},
    {V(SHORT), "{\"v\":[{\"$enc\":2}]}", false},
    {V(SHORT), "{\"v\":\"$enc\"}", true},
    {V("{\"x-encrypted\":false,\"type\":\"string\"}"), "{\"v\":{\"$enc\":2}}", false},
    {V("{\"type\":\"string\"}"), "{\"v\":{\"$enc\":2}}", false},
    /* What applies it is encrypted with it. */
    {V("{\"type\":\"string\",\"allOf\":[" SHORT "]}"), "{\"v\":{\"$enc\":2}}", true},
    {"{\"properties\":{\"v\":{\"maxLength\":9,\"type\":\"string\",\"$ref\":\"k\"}},\"$defs\":{"
     "\"k\":{\"$ref\":\"l\"},\"l\":" SHORT "}}",
     "{\"v\":{\"$enc\":2}}", true},
    {V("{\"x-encrypted\":true,\"const\":1,\"enum\":[1],\"not\":{},\"anyOf\":[false],\"oneOf\":["
       "false],\"if\":{},\"then\":false,\"additionalProperties\":false,\"required\":[\"x\"],"
       "\"maxProperties\":0,\"unevaluatedProperties\":false,\"propertyNames\":false,"
       "\"dependentRequired\":{\"$enc\":[\"x\"]},\"dependentSchemas\":{\"$enc\":false},"
       "\"allOf\":[false]}"),
     "{\"v\":{\"$enc\":2}}", true},
    /* It is there: its parent knows it, and counts it. */
    {"{\"properties\":{\"v\":" SHORT "},\"required\":[\"v\"],\"unevaluatedProperties\":false,"
     "\"additionalProperties\":false,\"minProperties\":1}",
     "{\"v\":{\"$enc\":2}}", true},
    {"{\"x-encrypted\":true,\"type\":[\"string\",\"object\"],\"required\":[\"a\"]}", "{\"a\":1}",
     true},
    {"{\"x-encrypted\":true,\"type\":[\"string\",\"object\"],\"required\":[\"a\"]}", "{\"b\":1}",
     false},
    {"{\"x-encrypted\":true,\"type\":\"string\",\"nullable\":true}", "null", true},
    {"{\"x-encrypted\":true,\"type\":\"string\",\"nullable\":true}", "1", false},
};

static void envelopes_are_accepted(void **state) {
    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(acceptances); i++) {
        brant__schema *schema = compiled(acceptances[i].schema);
        brant__json json = parsed(acceptances[i].instance);
        if (accepts(schema, json.root) != acceptances[i].valid)
            fail_msg("%s: %s", acceptances[i].schema, acceptances[i].instance);
        brant__json_free(&json);
        brant__schema_free(schema);
    }
}

/* ---- nothing is shown ------------------------------------------------------------------------ */

/* Keywords beside x-encrypted, a value that they refuse, and the keyword that is named. "Canary" and 271828 are only in values. */
static const struct {
    const char *keywords, *value, *named;
} beside[] = {
    {"\"type\":\"integer\"", "\"Canary\"", "type"},
    {"\"type\":\"string\"", "271828", "type"},
    {"\"type\":\"string\"", "{\"Canary\":1}", "type"},
    {"\"type\":\"string\"", "[\"Canary\"]", "type"},
    {"\"const\":\"a\"", "\"Canary\"", "const"},
    {"\"const\":[1]", "[\"Canary\"]", "const"},
    {"\"enum\":[\"a\",1]", "\"Canary\"", "enum"},
    {"\"minimum\":1000000", "271828", "minimum"},
    {"\"maximum\":1", "271828", "maximum"},
    {"\"exclusiveMinimum\":1000000", "271828", "exclusiveMinimum"},
    {"\"exclusiveMaximum\":1", "271828", "exclusiveMaximum"},
    {"\"multipleOf\":3.5", "271828", "multipleOf"},
    {"\"minLength\":100", "\"Canary\"", "minLength"},
    {"\"maxLength\":1", "\"Canary\"", "maxLength"},
    {"\"pattern\":\"^a\"", "\"Canary\"", "pattern"},
    {"\"format\":\"date\"", "\"Canary\"", "format"},
    {"\"items\":{\"type\":\"null\"}", "[null,\"Canary\"]", "items"},
    {"\"items\":{\"properties\":{\"a\":false}}", "[{\"a\":\"Canary\"}]", "items"},
    {"\"prefixItems\":[{\"const\":1}]", "[\"Canary\"]", "items"},
    {"\"minItems\":9", "[\"Canary\"]", "minItems"},
    {"\"maxItems\":0", "[\"Canary\"]", "maxItems"},
    {"\"uniqueItems\":true", "[\"Canary\",\"Canary\"]", "uniqueItems"},
    {"\"contains\":{\"const\":1}", "[\"Canary\"]", "contains"},
    {"\"contains\":{\"type\":\"string\"},\"maxContains\":0", "[\"Canary\"]", "contains"},
    {"\"required\":[\"a\"]", "{\"Canary\":1}", "required"},
    {"\"properties\":{\"a\":{\"type\":\"null\"}}", "{\"a\":\"Canary\"}", "properties"},
    {"\"additionalProperties\":false", "{\"Canary\":\"Canary\"}", "properties"},
    {"\"additionalProperties\":{\"additionalProperties\":{\"type\":\"null\"}}",
     "{\"Canary\":{\"Canary\":\"Canary\"}}", "properties"},
    {"\"patternProperties\":{\"^C\":{\"maxLength\":1}}", "{\"Canary\":\"Canary\"}", "properties"},
    {"\"propertyNames\":{\"maxLength\":1}", "{\"Canary\":1}", "propertyNames"},
    {"\"minProperties\":2", "{\"Canary\":1}", "minProperties"},
    {"\"maxProperties\":0", "{\"Canary\":1}", "maxProperties"},
    {"\"dependentRequired\":{\"a\":[\"b\"]}", "{\"a\":\"Canary\"}", "dependentRequired"},
    {"\"dependentSchemas\":{\"a\":{\"required\":[\"b\"]}}", "{\"a\":\"Canary\"}",
     "dependentSchemas"},
    {"\"dependencies\":{\"a\":[\"b\"]}", "{\"a\":\"Canary\"}", "dependencies"},
    {"\"unevaluatedProperties\":false", "{\"Canary\":1}", "unevaluatedProperties"},
    {"\"unevaluatedItems\":false", "[\"Canary\"]", "unevaluatedItems"},
    {"\"not\":{\"type\":\"string\"}", "\"Canary\"", "not"},
    {"\"anyOf\":[{\"type\":\"null\"},{\"additionalProperties\":false}]", "{\"Canary\":1}", "anyOf"},
    {"\"oneOf\":[{},{}]", "\"Canary\"", "oneOf"},
    {"\"oneOf\":[{\"required\":[\"a\"]}]", "{\"Canary\":1}", "oneOf"},
    {"\"if\":{\"type\":\"object\"},\"then\":{\"additionalProperties\":false}", "{\"Canary\":1}",
     "if"},
    {"\"if\":{\"type\":\"null\"},\"else\":{\"maxLength\":1}", "\"Canary\"", "if"},
    {"\"allOf\":[{\"maxLength\":1}]", "\"Canary\"", "maxLength"},
    {"\"allOf\":[{\"allOf\":[{\"type\":\"null\"}]}]", "\"Canary\"", "type"},
    {"\"allOf\":[false]", "\"Canary\"", ""},
    {"\"type\":\"Date\"", "\"Canary\"", "type"},
    {"\"type\":\"null\",\"nullable\":true", "\"Canary\"", "type"},
};

static void shows_nothing(const char *schema_text, const char *instance, const char *text) {
    char first[BRANT__VIOLATION_TEXT];
    brant__violation_first(first, brant__text_of(text, strlen(text)));
    if (strstr(text, "anary") || strstr(text, "2718") || strstr(first, "anary"))
        fail_msg("%s: %s: %s", schema_text, instance, text);
}

static void the_value_has_one_violation(void **state) {
    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(beside); i++) {
        char schema_text[300], instance[100], expected[300];
        size_t count;
        const char *named = beside[i].named;
        snprintf(schema_text, sizeof(schema_text),
                 V("{\"properties\":{\"w\":{\"x-encrypted\":true,%s}}}"), beside[i].keywords);
        snprintf(instance, sizeof(instance), "{\"v\":{\"w\":%s}}", beside[i].value);
        brant__schema *schema = compiled(schema_text);
        brant__json json = parsed(instance);
        char *text = violations(schema, json.root, "/attributes", &count);
        snprintf(expected, sizeof(expected),
                 "\"keyword\":\"%s\",\"message\":\"the value of an encrypted attribute is not "
                 "acceptable%s%s\"}]",
                 named, *named ? ": " : "", named);
        if (count != 1 || strncmp(text, "[{\"instance\":\"/attributes/v/w\",", 31) != 0 ||
            strlen(text) < strlen(expected) ||
            strcmp(text + strlen(text) - strlen(expected), expected) != 0)
            fail_msg("%s: %s: %s", schema_text, instance, text);
        shows_nothing(schema_text, instance, text);
        brant_free(text);
        brant__json_free(&json);
        brant__schema_free(schema);
    }
}

/* The encrypted attribute is v; others judge it too, or what it stands in. */
static const struct {
    const char *keywords, *instance;
} around[] = {
    {"\"const\":{\"v\":1}", "{\"v\":\"Canary\"}"},
    {"\"enum\":[{\"v\":1}]", "{\"v\":{\"Canary\":1}}"},
    {"\"not\":{}", "{\"v\":\"Canary\"}"},
    {"\"minProperties\":5", "{\"v\":\"Canary\"}"},
    {"\"additionalProperties\":{\"type\":\"string\"}", "{\"v\":\"Canary\",\"w\":1}"},
    {"\"allOf\":[{\"additionalProperties\":{\"type\":\"null\"}}]", "{\"v\":{\"Canary\":1}}"},
    {"\"allOf\":[{\"additionalProperties\":{\"additionalProperties\":false}}]",
     "{\"v\":{\"Canary\":1}}"},
    {"\"allOf\":[{\"properties\":{\"v\":{\"propertyNames\":{\"maxLength\":1}}}}]",
     "{\"v\":{\"Canary\":\"Canary\"}}"},
    {"\"patternProperties\":{\"^v\":{\"items\":{\"properties\":{\"Canary\":false}}}}",
     "{\"v\":[{\"Canary\":1}]}"},
    {"\"patternProperties\":{\"^v\":false}", "{\"v\":\"Canary\"}"},
    {"\"unevaluatedProperties\":{\"type\":\"string\"},\"allOf\":[{\"additionalProperties\":false}]",
     "{\"v\":\"Canary\"}"},
    {"\"anyOf\":[{\"properties\":{\"v\":{\"additionalProperties\":false}}}]",
     "{\"v\":{\"Canary\":1}}"},
    {"\"oneOf\":[{\"properties\":{\"v\":{\"items\":false}}}]", "{\"v\":[\"Canary\"]}"},
    {"\"if\":{\"required\":[\"v\"]},\"then\":{\"properties\":{\"v\":{\"additionalProperties\":"
     "false}}}",
     "{\"v\":{\"Canary\":1}}"},
    {"\"dependentSchemas\":{\"v\":{\"properties\":{\"v\":{\"additionalProperties\":false}}}}",
     "{\"v\":{\"Canary\":1}}"},
    {"\"dependentRequired\":{\"v\":[\"w\"]}", "{\"v\":\"Canary\"}"},
    {"\"propertyNames\":{\"minLength\":2}", "{\"v\":\"Canary\"}"},
    {"\"$ref\":\"#/$defs/r\",\"$defs\":{\"r\":{\"properties\":{\"v\":{\"required\":[\"a\"],"
     "\"additionalProperties\":false}}}}",
     "{\"v\":{\"Canary\":1}}"},
};

static void the_others_show_nothing_either(void **state) {
    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(around); i++) {
        char schema_text[400];
        size_t count;
        snprintf(schema_text, sizeof(schema_text),
                 "{\"properties\":{\"v\":{\"x-encrypted\":true}},%s}", around[i].keywords);
        brant__schema *schema = compiled(schema_text);
        brant__json json = parsed(around[i].instance);
        char *text = violations(schema, json.root, "", &count);
        if (count == 0) fail_msg("%s: %s is valid", schema_text, around[i].instance);
        shows_nothing(schema_text, around[i].instance, text);
        brant_free(text);
        brant__json_free(&json);
        brant__schema_free(schema);
    }
}

/* By itself a schema may have x-encrypted wherever it likes; a module may not. */
static const struct {
    const char *schema, *instance;
} anywhere[] = {
    {"{\"items\":{\"x-encrypted\":true,\"additionalProperties\":false}}", "[{\"Canary\":1}]"},
    {"{\"prefixItems\":[{\"x-encrypted\":true,\"items\":false}]}", "[[\"Canary\"]]"},
    {"{\"uniqueItems\":true,\"items\":{\"x-encrypted\":true}}", "[\"Canary\",\"Canary\"]"},
    {"{\"contains\":{\"x-encrypted\":true,\"type\":\"null\"},\"items\":{\"additionalProperties\":"
     "false}}",
     "[{\"Canary\":1}]"},
    {"{\"anyOf\":[{\"properties\":{\"v\":{\"x-encrypted\":true,\"type\":\"null\"}}},{"
     "\"properties\":"
     "{\"v\":{\"additionalProperties\":false}}}]}",
     "{\"v\":{\"Canary\":1}}"},
    {"{\"additionalProperties\":{\"x-encrypted\":true,\"additionalProperties\":false}}",
     "{\"v\":{\"Canary\":1}}"},
    {"{\"patternProperties\":{\"v\":{\"x-encrypted\":true,\"additionalProperties\":false}}}",
     "{\"v\":{\"Canary\":1}}"},
    {"{\"unevaluatedProperties\":{\"x-encrypted\":true,\"additionalProperties\":false}}",
     "{\"v\":{\"Canary\":1}}"},
    {"{\"unevaluatedItems\":{\"x-encrypted\":true,\"additionalProperties\":false}}",
     "[{\"Canary\":1}]"},
    {"{\"not\":{\"properties\":{\"v\":{\"x-encrypted\":true}}},\"properties\":{\"v\":{"
     "\"additionalProperties\":false}}}",
     "{\"v\":{\"Canary\":1}}"},
    {"{\"dependentSchemas\":{\"v\":{\"properties\":{\"v\":{\"x-encrypted\":true,"
     "\"additionalProperties\":false}}}}}",
     "{\"v\":{\"Canary\":1}}"},
    {"{\"if\":{\"properties\":{\"v\":{\"x-encrypted\":true}}},\"then\":{\"properties\":{\"v\":{"
     "\"additionalProperties\":false}}}}",
     "{\"v\":{\"Canary\":1}}"},
    {"{\"propertyNames\":{\"x-encrypted\":true,\"maxLength\":1}}", "{\"Canary\":1}"},
    {"{\"x-encrypted\":true,\"propertyNames\":{\"maxLength\":1}}", "{\"Canary\":1}"},
};

static void nowhere_else_either(void **state) {
    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(anywhere); i++) {
        size_t count;
        brant__schema *schema = compiled(anywhere[i].schema);
        brant__json json = parsed(anywhere[i].instance);
        char *text = violations(schema, json.root, "", &count);
        if (count == 0) fail_msg("%s: %s is valid", anywhere[i].schema, anywhere[i].instance);
        shows_nothing(anywhere[i].schema, anywhere[i].instance, text);
        brant_free(text);
        brant__json_free(&json);
        brant__schema_free(schema);
    }
}

/* What is beside it is told as ever. */
static void its_neighbours_are_told(void **state) {
    (void)state;
    size_t count;
    brant__schema *schema =
        compiled("{\"properties\":{\"v\":{\"x-encrypted\":true,\"type\":\"string\"},\"w\":{"
                 "\"additionalProperties\":{\"type\":\"null\"}}},\"required\":[\"u\"]}");
    brant__json json = parsed("{\"w\":{\"a\":1},\"v\":{\"Canary\":1}}");
    char *text = violations(schema, json.root, "", &count);
    assert_int_equal(count, 3);
    assert_non_null(strstr(text, "/w/a"));
    assert_non_null(strstr(text, "must be null, not an integer"));
    assert_non_null(strstr(text, "must have the property \\\"u\\\""));
    shows_nothing("", "", text);
    brant_free(text);
    brant__json_free(&json);
    brant__schema_free(schema);
}

/* However many schemas refuse it, wherever they stand. */
static void it_is_told_once(void **state) {
    (void)state;
    size_t count;
    brant__schema *schema = compiled(
        "{\"properties\":{\"v\":{\"x-encrypted\":true,\"type\":\"string\",\"maxLength\":1}},"
        "\"patternProperties\":{\"^v\":{\"maxLength\":2}},\"allOf\":[{\"properties\":{\"v\":{"
        "\"pattern\":\"^a\",\"minLength\":100}}},{\"additionalProperties\":{\"const\":1}}]}");
    brant__json json = parsed("{\"v\":\"Canary\"}");
    char *text = violations(schema, json.root, "", &count);
    assert_int_equal(count, 1);
    shows_nothing("", "", text);
    brant_free(text);
    brant__json_free(&json);
    brant__schema_free(schema);
}

/* Where looking for what is secret hits a limit, all is. */
static void limits_hide_everything(void **state) {
    (void)state;
    brant__buffer text = {0};
    size_t count;
    brant__buffer_format(&text, "{\"properties\":{\"v\":{\"x-encrypted\":true}},\"$defs\":{");
    for (int i = 0; i < 30; i++)
        brant__buffer_format(&text, "%s\"d%d\":{\"anyOf\":[{\"$ref\":\"d%d\"},{\"$ref\":\"d%d\"}]}",
                             i ? "," : "", i, i + 1, i + 1);
    brant__buffer_format(&text,
                         ",\"d30\":{\"items\":{\"type\":\"null\"}}},\"$ref\":\"d0\",\"allOf\":"
                         "[{\"additionalProperties\":{\"additionalProperties\":false}}]}");
    brant__buffer_append_byte(&text, '\0');
    brant__schema *schema = compiled(text.data);
    brant__json json = parsed("{\"w\":{\"Canary\":1}}");
    char *said = violations(schema, json.root, "", &count);
    assert_int_equal(count, 1);
    assert_non_null(strstr(said, "the value of an encrypted attribute"));
    shows_nothing(text.data, "", said);
    brant_free(said);
    brant__json_free(&json);
    brant__schema_free(schema);
    brant__buffer_free(&text);
}

/* Every allocation fails once: then nothing is said at all. */
static void memory_may_be_missing(void **state) {
    (void)state;
    brant__schema *schema =
        compiled("{\"properties\":{\"v\":{\"x-encrypted\":true,\"type\":\"string\"}},\"allOf\":[{"
                 "\"additionalProperties\":{\"additionalProperties\":false}}]}");
    brant__json json = parsed("{\"v\":{\"Canary\":1}}");
    bool failed = true;
    size_t tries = 0;
    for (; failed; tries++) {
        brant__writer writer = {0};
        failing_allocator_start(tries);
        brant__write_array(&writer);
        assert_true(brant__schema_violations(schema, json.root, BRANT__TEXT(""), &writer) > 0);
        brant__write_end(&writer);
        failed = writer.buffer.failed;
        brant__buffer_append_byte(&writer.buffer, '\0');
        if (!writer.buffer.failed) shows_nothing("", "", writer.buffer.data);
        brant__buffer_free(&writer.buffer);
        assert_int_equal(failing.alive, 0);
        failing_allocator_stop();
        assert_true(tries < 1000);
    }
    assert_true(tries > 3);
    brant__json_free(&json);
    brant__schema_free(schema);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(envelopes_are_accepted),
        cmocka_unit_test(the_value_has_one_violation),
        cmocka_unit_test(the_others_show_nothing_either),
        cmocka_unit_test(nowhere_else_either),
        cmocka_unit_test(its_neighbours_are_told),
        cmocka_unit_test(it_is_told_once),
        cmocka_unit_test(limits_hide_everything),
        cmocka_unit_test(memory_may_be_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
