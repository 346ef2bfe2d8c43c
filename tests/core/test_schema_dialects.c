/*
 * Dialects: what draft-07 means differently, the metaschemas that are built in, $dynamicRef, and the types that TypeBox adds. A row without a schema belongs
 * to the one above.
 */
#include "test_schema.h"

typedef struct row {
    const char *schema;
    const char *instance;
    bool valid;
} row;

static const row rows[] = {
    /* ---- definitions, and $ref beside others ---- */
    {"{\"$schema\":\"http://json-schema.org/draft-07/"
     "schema#\",\"definitions\":{\"i\":{\"type\":\"integer\"}},\"$ref\":\"#/definitions/i\"}",
     "1", true},
    {NULL, "\"1\"", false},
    {"{\"$schema\":\"http://json-schema.org/draft-07/"
     "schema#\",\"definitions\":{\"a\":{\"type\":\"array\"}},\"properties\":{\"x\":{\"$ref\":\"#/"
     "definitions/a\",\"maxItems\":1}}}",
     "{\"x\":[1,2]}", true},
    {NULL, "{\"x\":1}", false},
    {"{\"$defs\":{\"a\":{\"type\":\"array\"}},\"properties\":{\"x\":{\"$ref\":\"#/$defs/"
     "a\",\"maxItems\":1}}}",
     "{\"x\":[1,2]}", false},
    {"{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"$ref\":\"#/definitions/"
     "i\",\"minLength\":-1,\"definitions\":{\"i\":{\"type\":\"integer\"}}}",
     "1", true},
    {"{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"$id\":\"http://x/base/"
     "\",\"definitions\":{\"f\":{\"$id\":\"http://x/"
     "foo.json\",\"type\":\"string\"},\"b\":{\"$id\":\"foo.json\",\"type\":\"number\"}},\"allOf\":["
     "{\"$id\":\"http://x/\",\"$ref\":\"foo.json\"}]}",
     "1", true},
    {NULL, "\"a\"", false},
    {"{\"$schema\":\"http://json-schema.org/draft-07/"
     "schema#\",\"properties\":{\"$ref\":{\"type\":\"string\"}}}",
     "{\"$ref\":\"a\"}", true},
    {NULL, "{\"$ref\":1}", false},
    {"{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"properties\":{\"a\":{\"$ref\":\"#/"
     "definitions/t~1i~0l%25\"}},\"definitions\":{\"t/i~l%\":{\"type\":\"integer\"}}}",
     "{\"a\":1}", true},
    {NULL, "{\"a\":\"b\"}", false},
    {"{\"$schema\":\"http://json-schema.org/draft-06/schema#\",\"$ref\":\"#/definitions/"
     "i\",\"type\":\"string\",\"definitions\":{\"i\":{\"type\":\"integer\"}}}",
     "1", true},
    {"{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"$ref\":\"#/definitions/"
     "i\",\"maximum\":3,\"definitions\":{\"i\":{\"type\":\"integer\"}}}",
     "4", false},
    {NULL, "3", true},
    {"{\"$schema\":\"https://json-schema.org/draft/2020-12/"
     "schema\",\"properties\":{\"old\":{\"$schema\":\"http://json-schema.org/draft-07/"
     "schema#\",\"$ref\":\"#/$defs/i\",\"maximum\":3},\"new\":{\"$ref\":\"#/$defs/"
     "i\",\"maximum\":3}},\"$defs\":{\"i\":{\"type\":\"integer\"}}}",
     "{\"old\":4}", true},
    {NULL, "{\"new\":4}", false},
    /* ---- $id: anchors, bases ---- */
    {"{\"$schema\":\"http://json-schema.org/draft-07/"
     "schema#\",\"allOf\":[{\"$ref\":\"#foo\"}],\"definitions\":{\"A\":{\"$id\":\"#foo\",\"type\":"
     "\"integer\"}}}",
     "1", true},
    {NULL, "\"a\"", false},
    {"{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"allOf\":[{\"$ref\":\"http://x/"
     "bar#foo\"}],\"definitions\":{\"A\":{\"$id\":\"http://x/bar#foo\",\"type\":\"integer\"}}}",
     "1", true},
    {NULL, "\"a\"", false},
    {"{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"$id\":\"http://x/"
     "root\",\"allOf\":[{\"$ref\":\"http://x/"
     "nested.json#foo\"}],\"definitions\":{\"A\":{\"$id\":\"nested.json\",\"definitions\":{\"B\":{"
     "\"$id\":\"#foo\",\"type\":\"integer\"}}}}}",
     "1", true},
    {NULL, "\"a\"", false},
    {"{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"$id\":\"http://x/"
     "root\",\"allOf\":[{\"$ref\":\"http://x/"
     "root#foo\"}],\"definitions\":{\"A\":{\"$id\":\"root#foo\",\"type\":\"integer\"}}}",
     "1", true},
    {NULL, "\"a\"", false},
    {"{\"$schema\":\"http://json-schema.org/draft-07/"
     "schema#\",\"$id\":\"urn:uuid:deadbeef-1234-00ff-ff00-4321feebdaed\",\"properties\":{\"a\":{"
     "\"$ref\":\"urn:uuid:deadbeef-1234-00ff-ff00-4321feebdaed#/definitions/"
     "s\"}},\"definitions\":{\"s\":{\"type\":\"string\"}}}",
     "{\"a\":\"b\"}", true},
    {NULL, "{\"a\":1}", false},
    {"{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"$ref\":\"http://x/"
     "if\",\"if\":{\"$id\":\"http://x/if\",\"type\":\"integer\"}}",
     "1", true},
    {NULL, "\"a\"", false},
    {"{\"$schema\":\"http://json-schema.org/draft-07/"
     "schema#\",\"definitions\":{\"c\":{\"const\":{\"$id\":\"#not\"}}},\"if\":{\"const\":\"skip\"},"
     "\"then\":true,\"else\":{\"$ref\":\"#/definitions/c\"}}",
     "\"skip\"", true},
    {NULL, "{\"$id\":\"#not\"}", true},
    {NULL, "1", false},
    {"{\"$schema\":\"http://json-schema.org/draft-07/"
     "schema#\",\"definitions\":{\"e\":{\"enum\":[{\"$id\":\"http://x/"
     "e.json\",\"type\":\"null\"}]},\"n\":{\"$id\":\"http://x/"
     "e.json\",\"type\":\"string\"}},\"anyOf\":[{\"$ref\":\"#/definitions/e\"},{\"$ref\":\"http://"
     "x/e.json\"}]}",
     "{\"$id\":\"http://x/e.json\",\"type\":\"null\"}", true},
    {NULL, "\"a\"", true},
    {NULL, "null", false},
    {"{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"$id\":\"http://x/"
     "tree\",\"properties\":{\"nodes\":{\"type\":\"array\",\"items\":{\"$ref\":\"node\"}}},"
     "\"required\":[\"nodes\"],\"definitions\":{\"node\":{\"$id\":\"http://x/"
     "node\",\"properties\":{\"value\":{\"type\":\"number\"},\"subtree\":{\"$ref\":\"tree\"}},"
     "\"required\":[\"value\"]}}}",
     "{\"nodes\":[{\"value\":1,\"subtree\":{\"nodes\":[{\"value\":2}]}}]}", true},
    {NULL, "{\"nodes\":[{\"value\":1,\"subtree\":{\"nodes\":[{\"value\":\"2\"}]}}]}", false},
    /* ---- items, additionalItems, contains ---- */
    {"{\"$schema\":\"http://json-schema.org/draft-07/"
     "schema#\",\"items\":[{\"type\":\"integer\"},{\"type\":\"string\"}]}",
     "[1,\"a\"]", true},
    {NULL, "[\"a\",1]", false},
    {NULL, "[1]", true},
    {NULL, "[1,\"a\",null]", true},
    {NULL, "[]", true},
    {NULL, "{\"0\":\"x\"}", true},
    {"{\"$schema\":\"http://json-schema.org/draft-07/"
     "schema#\",\"items\":[{\"type\":\"integer\"}],\"additionalItems\":{\"type\":\"string\"}}",
     "[1,\"a\",\"b\"]", true},
    {NULL, "[1,2]", false},
    {"{\"$schema\":\"http://json-schema.org/draft-07/"
     "schema#\",\"items\":[{\"type\":\"integer\"}],\"additionalItems\":false}",
     "[1]", true},
    {NULL, "[1,2]", false},
    {"{\"$schema\":\"http://json-schema.org/draft-07/"
     "schema#\",\"items\":[],\"additionalItems\":false}",
     "[]", true},
    {NULL, "[1]", false},
    {"{\"$schema\":\"http://json-schema.org/draft-07/"
     "schema#\",\"items\":{\"type\":\"integer\"},\"additionalItems\":false}",
     "[1,2]", true},
    {NULL, "[\"a\"]", false},
    {"{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"additionalItems\":false}", "[1,2]",
     true},
    {"{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"items\":[true,false]}", "[1]",
     true},
    {NULL, "[1,2]", false},
    {"{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"items\":false}", "[]", true},
    {NULL, "[1]", false},
    {"{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"contains\":{\"minimum\":5}}",
     "[1,5]", true},
    {NULL, "[1]", false},
    {NULL, "[]", false},
    {NULL, "{}", true},
    {"{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"contains\":false}", "[]", false},
    {NULL, "[\"a\"]", false},
    {NULL, "\"a\"", true},
    /* ---- dependencies ---- */
    {"{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"dependencies\":{\"b\":[\"a\"]}}",
     "{\"b\":1}", false},
    {NULL, "{\"a\":1,\"b\":1}", true},
    {NULL, "{}", true},
    {NULL, "[\"b\"]", true},
    {"{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"dependencies\":{\"b\":[]}}",
     "{\"b\":1}", true},
    {"{\"$schema\":\"http://json-schema.org/draft-07/"
     "schema#\",\"dependencies\":{\"b\":{\"properties\":{\"a\":{\"type\":\"integer\"}}}}}",
     "{\"b\":1,\"a\":\"x\"}", false},
    {NULL, "{\"b\":1,\"a\":1}", true},
    {NULL, "{\"a\":\"x\"}", true},
    {"{\"$schema\":\"http://json-schema.org/draft-07/"
     "schema#\",\"dependencies\":{\"a\":true,\"b\":false}}",
     "{\"a\":1}", true},
    {NULL, "{\"b\":1}", false},
    {NULL, "{}", true},
    {"{\"$schema\":\"http://json-schema.org/draft-07/"
     "schema#\",\"dependencies\":{\"a\\tb\":{\"minProperties\":3},\"c'd\":{\"required\":[\"e\"]}}}",
     "{\"a\\tb\":1,\"x\":1}", false},
    {NULL, "{\"c'd\":1}", false},
    {NULL, "{\"c'd\":1,\"e\":1}", true},
    {"{\"$schema\":\"http://json-schema.org/draft-07/"
     "schema#\",\"properties\":{\"a\":{}},\"dependencies\":{\"a\":{\"properties\":{\"b\":{}},"
     "\"additionalProperties\":false}}}",
     "{\"a\":1}", false},
    {NULL, "{\"b\":1}", true},
    /* ---- numbers, const, propertyNames, if ---- */
    {"{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"exclusiveMinimum\":1.1}", "1.1",
     false},
    {NULL, "1.2", true},
    {NULL, "\"x\"", true},
    {"{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"exclusiveMaximum\":3}", "3",
     false},
    {NULL, "2.9", true},
    {"{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"const\":false}", "false", true},
    {NULL, "0", false},
    {NULL, "[false]", false},
    {"{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"const\":0}", "0", true},
    {NULL, "-0.0", true},
    {NULL, "0.0", true},
    {NULL, "false", false},
    {"{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"const\":{\"a\":false}}",
     "{\"a\":false}", true},
    {NULL, "{\"a\":0}", false},
    {"{\"$schema\":\"http://json-schema.org/draft-07/"
     "schema#\",\"propertyNames\":{\"maxLength\":2}}",
     "{\"ab\":1}", true},
    {NULL, "{\"abc\":1}", false},
    {"{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"propertyNames\":false}", "{}",
     true},
    {NULL, "{\"a\":1}", false},
    {"{\"$schema\":\"http://json-schema.org/draft-07/"
     "schema#\",\"if\":{\"exclusiveMaximum\":0},\"then\":{\"minimum\":-10},\"else\":{"
     "\"multipleOf\":2}}",
     "-1", true},
    {NULL, "-100", false},
    {NULL, "3", false},
    {NULL, "4", true},
    {"{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"then\":{\"const\":0}}", "1", true},
    {"{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"if\":{\"const\":0}}", "1", true},
    {"{\"$schema\":\"http://json-schema.org/draft-07/"
     "schema#\",\"allOf\":[{\"if\":{\"exclusiveMaximum\":0}},{\"then\":{\"minimum\":-10}},{"
     "\"else\":{\"multipleOf\":2}}]}",
     "-100", true},
    {NULL, "3", true},
    {"{\"$schema\":\"http://json-schema.org/draft-07/"
     "schema#\",\"else\":{\"const\":\"o\"},\"if\":{\"const\":\"y\"},\"then\":{\"const\":\"y\"}}",
     "\"y\"", true},
    {NULL, "\"o\"", true},
    {NULL, "\"n\"", false},
    /* ---- what only annotates ---- */
    {"{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"contentMediaType\":\"application/"
     "json\",\"contentEncoding\":\"base64\"}",
     "\"{:}\"", true},
    {NULL, "\"eyJmb28iOi%iYmFyIn0K\"", true},
    {"{\"$schema\":\"http://json-schema.org/draft-07/"
     "schema#\",\"default\":[],\"properties\":{\"a\":{\"type\":\"integer\",\"default\":[]}}}",
     "{}", true},
    {NULL, "{\"a\":1}", true},
    {"{\"$schema\":\"http://json-schema.org/draft-07/"
     "schema#\",\"$comment\":\"c\",\"examples\":[1],\"readOnly\":true,\"title\":\"t\"}",
     "1", true},
    /* ---- the metaschemas ---- */
    {"{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"$ref\":\"http://json-schema.org/"
     "draft-07/schema#\"}",
     "{\"minLength\":1}", true},
    {NULL, "{\"minLength\":-1}", false},
    {NULL, "{\"definitions\":{\"a\":{\"type\":\"integer\"}}}", true},
    {NULL, "{\"definitions\":{\"a\":{\"type\":1}}}", false},
    {NULL, "{\"items\":[{\"type\":\"none\"}]}", false},
    {NULL, "true", true},
    {NULL, "3", false},
    {NULL, "{\"dependencies\":{\"a\":[\"b\",\"b\"]}}", false},
    {NULL, "{\"additionalItems\":{\"not\":{\"maxItems\":1.5}}}", false},
    {"{\"$ref\":\"https://json-schema.org/draft/2020-12/schema\"}", "{\"minLength\":1}", true},
    {NULL, "{\"minLength\":-1}", false},
    {NULL, "{\"$defs\":{\"a\":{\"type\":\"integer\"}}}", true},
    {NULL, "{\"$defs\":{\"a\":{\"type\":1}}}", false},
    {NULL, "{\"prefixItems\":[{\"type\":\"none\"}]}", false},
    {NULL, "{\"items\":[]}", false},
    {NULL, "{\"unevaluatedItems\":{\"$anchor\":\"1\"}}", false},
    {NULL, "{\"pattern\":\"(\"}", false},
    {NULL, "{\"$id\":\"a#b\"}", false},
    {NULL, "{\"allOf\":[]}", false},
    {NULL, "false", true},
    {"{\"$id\":\"http://x/mine\",\"$schema\":\"https://json-schema.org/draft/2020-12/"
     "schema\",\"$dynamicAnchor\":\"meta\",\"allOf\":[{\"$ref\":\"https://json-schema.org/draft/"
     "2020-12/schema\"},{\"properties\":{\"title\":{\"maxLength\":3}}}]}",
     "{\"title\":\"abc\"}", true},
    {NULL, "{\"properties\":{\"a\":{\"title\":\"abcd\"}}}", false},
    {NULL, "{\"properties\":{\"a\":{\"title\":\"abc\",\"type\":\"int\"}}}", false},
    /* ---- $dynamicRef ---- */
    {"{\"$id\":\"http://x/"
     "root\",\"$ref\":\"list\",\"$defs\":{\"t\":{\"$dynamicAnchor\":\"item\",\"type\":\"string\"},"
     "\"l\":{\"$id\":\"list\",\"type\":\"array\",\"items\":{\"$dynamicRef\":\"#item\"},\"$defs\":{"
     "\"d\":{\"$dynamicAnchor\":\"item\"}}}}}",
     "[\"a\"]", true},
    {NULL, "[1]", false},
    {"{\"$id\":\"http://x/"
     "root\",\"$ref\":\"list\",\"$defs\":{\"t\":{\"$anchor\":\"item\",\"type\":\"string\"},\"l\":{"
     "\"$id\":\"list\",\"type\":\"array\",\"items\":{\"$dynamicRef\":\"#item\"},\"$defs\":{\"d\":{"
     "\"$dynamicAnchor\":\"item\"}}}}}",
     "[1]", true},
    {"{\"$id\":\"http://x/"
     "root\",\"$ref\":\"list\",\"$defs\":{\"t\":{\"$dynamicAnchor\":\"item\",\"type\":\"string\"},"
     "\"l\":{\"$id\":\"list\",\"type\":\"array\",\"items\":{\"$dynamicRef\":\"#/$defs/"
     "d\"},\"$defs\":{\"d\":{\"$dynamicAnchor\":\"item\"}}}}}",
     "[1]", true},
    {"{\"$id\":\"http://x/"
     "root\",\"$ref\":\"list\",\"$defs\":{\"t\":{\"$dynamicAnchor\":\"item\",\"type\":\"string\"},"
     "\"l\":{\"$id\":\"list\",\"type\":\"array\",\"items\":{\"$dynamicRef\":\"#item\"},\"$defs\":{"
     "\"d\":{\"$anchor\":\"item\"}}}}}",
     "[1]", true},
    {"{\"$id\":\"http://x/"
     "main\",\"if\":{\"properties\":{\"k\":{\"const\":\"n\"}},\"required\":[\"k\"]},\"then\":{\"$"
     "ref\":\"numbers\"},\"else\":{\"$ref\":\"texts\"},\"$defs\":{\"g\":{\"$id\":\"generic\","
     "\"properties\":{\"list\":{\"items\":{\"$dynamicRef\":\"#it\"}}},\"$defs\":{\"d\":{\"$"
     "dynamicAnchor\":\"it\"}}},\"n\":{\"$id\":\"numbers\",\"$defs\":{\"i\":{\"$dynamicAnchor\":"
     "\"it\",\"type\":\"number\"}},\"$ref\":\"generic\"},\"t\":{\"$id\":\"texts\",\"$defs\":{\"i\":"
     "{\"$dynamicAnchor\":\"it\",\"type\":\"string\"}},\"$ref\":\"generic\"}}}",
     "{\"k\":\"n\",\"list\":[1.5]}", true},
    {NULL, "{\"k\":\"n\",\"list\":[\"a\"]}", false},
    {NULL, "{\"list\":[\"a\"]}", true},
    {NULL, "{\"list\":[1]}", false},
    {"{\"$id\":\"http://x/"
     "strict\",\"$dynamicAnchor\":\"node\",\"$ref\":\"tree\",\"unevaluatedProperties\":false,\"$"
     "defs\":{\"t\":{\"$id\":\"tree\",\"$dynamicAnchor\":\"node\",\"type\":\"object\","
     "\"properties\":{\"data\":true,\"children\":{\"type\":\"array\",\"items\":{\"$dynamicRef\":\"#"
     "node\"}}}}}}",
     "{\"children\":[{\"data\":1}]}", true},
    {NULL, "{\"children\":[{\"daat\":1}]}", false},
    {NULL, "{\"daat\":1}", false},
    {"{\"$id\":\"http://x/"
     "tree\",\"$dynamicAnchor\":\"node\",\"type\":\"object\",\"properties\":{\"children\":{"
     "\"type\":\"array\",\"items\":{\"$dynamicRef\":\"#node\"}}},\"$defs\":{\"s\":{\"$id\":"
     "\"strict\",\"$dynamicAnchor\":\"node\",\"$ref\":\"tree\",\"maxProperties\":1}}}",
     "{\"children\":[{\"a\":1,\"b\":2}]}", true},
    {NULL, "{\"children\":[1]}", false},
    {"{\"$id\":\"http://x/"
     "base\",\"$ref\":\"outer\",\"$defs\":{\"i\":{\"$id\":\"inner\",\"$dynamicAnchor\":\"a\","
     "\"type\":\"object\",\"additionalProperties\":{\"$dynamicRef\":\"#a\"}},\"o\":{\"$id\":"
     "\"outer\",\"$dynamicAnchor\":\"a\",\"anyOf\":[{\"type\":\"string\"},{\"$ref\":\"inner\"}]}}}",
     "\"x\"", true},
    {NULL, "{\"k\":\"x\"}", true},
    {NULL, "{\"k\":1}", false},
    {NULL, "{\"k\":{\"l\":\"x\"}}", true},
    {NULL, "{\"k\":{\"l\":1}}", false},
    /* ---- TypeBox's values of JavaScript ---- */
    {"{\"type\":\"Date\"}", "\"2024-01-31T12:00:00.000Z\"", true},
    {NULL, "\"2024-01-31\"", false},
    {NULL, "1706702400000", false},
    {"{\"type\":\"Uint8Array\"}", "\"\"", true},
    {NULL, "\"aGVsbG8=\"", true},
    {NULL, "\"aGVsbG8\"", false},
    {NULL, "\"aGVs bG8=\"", false},
    {NULL, "\"aGVsbG=8\"", false},
    {NULL, "\"====\"", false},
    {NULL, "[1,2]", false},
    {"{\"type\":\"object\",\"properties\":{\"at\":{\"type\":\"Date\"}},\"required\":[\"at\"]}",
     "{\"at\":\"2024-01-31T12:00:00+01:00\"}", true},
    {NULL, "{\"at\":null}", false},
    {"{\"type\":\"array\",\"items\":[{\"type\":\"string\"},{\"type\":\"number\"}],"
     "\"additionalItems\":false,\"minItems\":2,\"maxItems\":2}",
     "[\"a\",1]", true},
    {NULL, "[\"a\"]", false},
    {NULL, "[1,\"a\"]", false},
    {NULL, "[\"a\",1,2]", false},
    {"{\"anyOf\":[{\"type\":\"object\",\"properties\":{\"k\":{\"const\":\"a\"},\"n\":{\"type\":"
     "\"number\"}},\"required\":[\"k\",\"n\"]},{\"type\":\"object\",\"properties\":{\"k\":{"
     "\"const\":\"b\"}},\"required\":[\"k\"]}],\"discriminator\":{\"propertyName\":\"k\","
     "\"mapping\":{\"a\":\"#/x\"}}}",
     "{\"k\":\"a\",\"n\":1}", true},
    {NULL, "{\"k\":\"a\"}", false},
    {NULL, "{\"k\":\"b\"}", true},
    {NULL, "{\"k\":\"c\"}", false},
    {"{\"type\":\"object\",\"patternProperties\":{\"^(.*)$\":{\"type\":\"number\"}}}", "{\"a\":1}",
     true},
    {NULL, "{\"a\":\"b\"}", false},
};

static void rows_hold(void **state) {
    (void)state;
    brant__schema *schema = NULL;
    size_t wrong = 0;
    const char *text = NULL;
    for (size_t i = 0; i < BRANT__COUNT(rows); i++) {
        if (rows[i].schema) {
            brant__schema_free(schema);
            text = rows[i].schema;
            schema = compiled(text);
        }
        brant__json json = parsed(rows[i].instance);
        if (accepts(schema, json.root) != rows[i].valid) {
            print_error("%s should %s %s\n", text, rows[i].valid ? "accept" : "reject",
                        rows[i].instance);
            wrong++;
        }
        brant__json_free(&json);
    }
    brant__schema_free(schema);
    assert_int_equal(wrong, 0);
}

static void refuses(const char *text, const char *instance, const char *message) {
    brant__json json = parsed(text);
    brant__schema *schema = NULL;
    brant__error_clear();
    if (brant__schema_compile(&schema, json.root, json.root, BRANT__TEXT("")) == BRANT_OK)
        fail_msg("%s is accepted", text);
    assert_int_equal(brant_last_error()->code, BRANT_VALIDATION);
    if (!strstr(brant_last_error()->detail, instance) ||
        !strstr(brant_last_error()->message, message))
        fail_msg("%s: %s %s", text, brant_last_error()->message, brant_last_error()->detail);
    brant__json_free(&json);
}

static void what_cannot_work_is_refused(void **state) {
    (void)state;
    refuses("{\"$id\":\"http://x/a#b\"}", "\"/$id\"", "fragment");
    refuses("{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"$ref\":\"#none\"}",
            "\"/$ref\"", "nothing");
    refuses("{\"$ref\":\"http://json-schema.org/draft-04/schema#\"}", "\"/$ref\"", "bundle");
    refuses("{\"type\":\"Date\",\"minimumTimestamp\":3}", "\"/minimumTimestamp\"", "not supported");
    refuses("{\"type\":\"Uint8Array\",\"maxByteLength\":3}", "\"/maxByteLength\"", "not supported");
    refuses("{\"type\":[\"Date\"]}", "\"/type/0\"", "must be one of");
    refuses("{\"type\":\"undefined\"}", "\"/type\"", "must be one of");
}

/* Names and resources beyond what is told apart are refused, and so is a product of both that would be too large. */
static void anchors_have_an_end(void **state) {
    (void)state;
    brant__buffer text = {0};
    for (int names = 16; names <= 17; names++) {
        brant__buffer_reset(&text);
        brant__buffer_format(&text, "{\"$dynamicRef\":\"#n0\",\"$defs\":{");
        for (int i = 0; i < names; i++)
            brant__buffer_format(&text,
                                 "%s\"a%d\":{\"$dynamicAnchor\":\"n%d\"},\"b%d\":{\"$id\":"
                                 "\"r%d\",\"$dynamicAnchor\":\"n%d\"}",
                                 i ? "," : "", i, i, i, i, i);
        brant__buffer_append(&text, "}}", 3);
        if (names == 16)
            brant__schema_free(compiled(text.data));
        else
            refuses(text.data, "$dynamicAnchor", "too many");
    }
    /* Each resource leads to all others, in any order. */
    brant__buffer_reset(&text);
    brant__buffer_format(&text, "{\"$defs\":{");
    for (int i = 0; i < 12; i++) {
        brant__buffer_format(&text,
                             "%s\"r%d\":{\"$id\":\"http://x/r%d\",\"$defs\":{\"d\":{"
                             "\"$dynamicAnchor\":\"n%d\"},\"e\":{\"$dynamicAnchor\":\"n%d\"}},"
                             "\"properties\":{",
                             i ? "," : "", i, i, i, (i + 1) % 12);
        for (int j = 0; j < 12; j++)
            brant__buffer_format(&text, "%s\"p%d\":{\"$ref\":\"http://x/r%d\"}", j ? "," : "", j,
                                 j);
        brant__buffer_append(&text, "}}", 2);
    }
    brant__buffer_format(&text, "},\"$ref\":\"http://x/r0\"}");
    refuses(text.data, "$dynamicAnchor", "too many");
    brant__buffer_free(&text);
}

static bool module_accepts(const char *formats, unsigned flags) {
    char text[400];
    brant__module *module = NULL;
    snprintf(text, sizeof(text),
             "{%s\"$defs\":{\"ANode\":{\"properties\":{\"e\":{\"format\":\"email\"}}}}}", formats);
    brant__json json = parsed(text);
    brant__error_clear();
    if (brant__module_parse_as(&module, json.root, flags) != BRANT_OK)
        fail_msg("%s: %s", text, brant_last_error()->message);
    brant__json_free(&json);
    json = parsed("{\"e\":\"none\"}");
    const bool accepted = accepts(module->node_types[0].schema, json.root);
    brant__json_free(&json);
    brant__module_free(module);
    return accepted;
}

static void a_module_says_whether_formats_assert(void **state) {
    (void)state;
    assert_false(module_accepts("", 0));
    assert_false(module_accepts("\"x-formats\":\"assert\",", 0));
    assert_true(module_accepts("\"x-formats\":\"annotate\",", 0));
    assert_true(module_accepts("", BRANT__FORMAT_ANNOTATES));
    assert_true(module_accepts("\"x-formats\":\"assert\",", BRANT__FORMAT_ANNOTATES));
    assert_false(module_accepts("\"x-formats\":\"annotate\",", BRANT__FORMAT_ASSERTS));
    static const char *const wrong[] = {"\"no\"", "true", "null"};
    for (size_t i = 0; i < BRANT__COUNT(wrong); i++) {
        char text[100];
        brant__module *module = NULL;
        snprintf(text, sizeof(text), "{\"x-formats\":%s,\"$defs\":{}}", wrong[i]);
        brant__json json = parsed(text);
        brant__error_clear();
        assert_int_equal(brant__module_parse(&module, json.root), BRANT_VALIDATION);
        assert_non_null(strstr(brant_last_error()->detail, "\"/x-formats\""));
        brant__json_free(&json);
    }
}

/* Every allocation fails once. */
static void memory_may_be_missing(void **state) {
    (void)state;
    static const char text[] =
        "{\"$id\":\"http://x/root\",\"allOf\":[{\"$ref\":\"list\"},{\"$ref\":"
        "\"http://json-schema.org/draft-07/schema#\"}],\"$defs\":{\"t\":{\"$dynamicAnchor\":"
        "\"item\"},\"l\":{\"$id\":\"list\",\"items\":{\"$dynamicRef\":\"#item\"},\"$defs\":{"
        "\"d\":{\"$dynamicAnchor\":\"item\"}}}}}";
    brant__json json = parsed(text);
    brant_status status = BRANT_NO_MEMORY;
    size_t successes = 0;
    for (; status == BRANT_NO_MEMORY; successes++) {
        brant__schema *schema = NULL;
        failing_allocator_start(successes);
        brant__error_clear();
        status = brant__schema_compile(&schema, json.root, json.root, BRANT__TEXT(""));
        assert_true((status == BRANT_OK) == (schema != NULL));
        brant__schema_free(schema);
        assert_int_equal(failing.alive, 0);
        failing_allocator_stop();
    }
    assert_int_equal(status, BRANT_OK);
    assert_true(successes > 50);
    brant__json_free(&json);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold),
        cmocka_unit_test(what_cannot_work_is_refused),
        cmocka_unit_test(anchors_have_an_end),
        cmocka_unit_test(a_module_says_whether_formats_assert),
        cmocka_unit_test(memory_may_be_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
