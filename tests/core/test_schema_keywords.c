/*
 * Every keyword: a table of schemas, instances and whether the one accepts the other. A row without a schema belongs to the one above.
 */
#include "test_schema.h"

typedef struct row {
    const char *schema;
    const char *instance;
    bool valid;
} row;

static const row rows[] = {
    /* ---- boolean and empty schemas ---- */
    {"true", "null", true},
    {NULL, "{\"a\":[1]}", true},
    {"false", "null", false},
    {NULL, "{}", false},
    {"{}", "3", true},
    {"{\"title\":\"t\",\"description\":\"d\",\"default\":3,\"examples\":[1],\"deprecated\":true,"
     "\"readOnly\":true,\"writeOnly\":false,"
     "\"$comment\":\"c\",\"$schema\":\"https://json-schema.org/draft/2020-12/"
     "schema\",\"contentEncoding\":\"base64\",\"x-mine\":{}}",
     "\"anything\"", true},
    {"{\"mine\":{\"type\":\"null\"}}", "3", true}, /* unknown: an annotation */

    /* ---- type ---- */
    {"{\"type\":\"null\"}", "null", true},
    {NULL, "false", false},
    {NULL, "0", false},
    {"{\"type\":\"boolean\"}", "false", true},
    {NULL, "0", false},
    {NULL, "\"true\"", false},
    {"{\"type\":\"integer\"}", "1", true},
    {NULL, "-9223372036854775808", true},
    {NULL, "1.0", true},
    {NULL, "1e3", true},
    {NULL, "1e300", true},
    {NULL, "1.5", false},
    {NULL, "\"1\"", false},
    {"{\"type\":\"number\"}", "1", true},
    {NULL, "1.5", true},
    {NULL, "null", false},
    {"{\"type\":\"string\"}", "\"\"", true},
    {NULL, "1", false},
    {"{\"type\":\"array\"}", "[]", true},
    {NULL, "{}", false},
    {"{\"type\":\"object\"}", "{}", true},
    {NULL, "[]", false},
    {"{\"type\":[\"integer\",\"null\"]}", "null", true},
    {NULL, "7", true},
    {NULL, "7.5", false},
    {NULL, "\"7\"", false},
    {"{\"type\":[\"integer\",\"number\"]}", "7.5", true},

    /* ---- nullable: null is accepted whatever else is said ---- */
    {"{\"type\":\"string\",\"nullable\":true,\"minLength\":2}", "null", true},
    {NULL, "\"ab\"", true},
    {NULL, "\"a\"", false},
    {"{\"enum\":[\"a\"],\"nullable\":true}", "null", true},
    {"{\"nullable\":true,\"allOf\":[{\"$ref\":\"#/$defs/"
     "S\"}],\"$defs\":{\"S\":{\"type\":\"string\"}}}",
     "null", true},
    {NULL, "\"s\"", true},
    {NULL, "3", false},
    {"{\"type\":\"string\",\"nullable\":false}", "null", false},

    /* ---- const ---- */
    {"{\"const\":2}", "2", true},
    {NULL, "2.0", true},
    {NULL, "3", false},
    {NULL, "\"2\"", false},
    {"{\"const\":\"abc\"}", "\"abc\"", true},
    {NULL, "\"abd\"", false},
    {NULL, "\"ab\"", false},
    {NULL, "null", false},
    {"{\"const\":\"\"}", "\"\"", true},
    {NULL, "\" \"", false},
    {"{\"const\":{\"a\":1,\"b\":[1,2]}}", "{\"b\":[1,2.0],\"a\":1.0}", true},
    {NULL, "{\"b\":[2,1],\"a\":1}", false},
    {NULL, "{\"a\":1}", false},
    {"{\"const\":[false]}", "[false]", true},
    {NULL, "[0]", false},
    {"{\"const\":null}", "null", true},
    {NULL, "false", false},
    {"{\"const\":9007199254740993}", "9007199254740993", true},
    {NULL, "9007199254740992", false},
    {"{\"const\":0}", "-0.0", true},

    /* ---- enum ---- */
    {"{\"enum\":[\"a\",\"b\",3,null,{\"c\":1}]}", "\"b\"", true},
    {NULL, "3.0", true},
    {NULL, "null", true},
    {NULL, "{\"c\":1}", true},
    {NULL, "\"c\"", false},
    {NULL, "4", false},
    {NULL, "{}", false},
    {NULL, "\"\"", false},
    {"{\"enum\":[1,2]}", "\"1\"", false},
    {"{\"enum\":[\"a\",\"a\"]}", "\"a\"", true},
    {"{\"enum\":[\"one\",\"two\",\"three\",\"four\",\"five\",\"six\",\"seven\",\"eight\",\"nine\","
     "\"ten\",\"eleven\",\"twelve\"]}",
     "\"seven\"", true},
    {NULL, "\"twelve\"", true},
    {NULL, "\"thirteen\"", false},

    /* ---- numbers ---- */
    {"{\"minimum\":3}", "3", true},
    {NULL, "2.9999999", false},
    {NULL, "\"2\"", true},
    {"{\"maximum\":3}", "3.0", true},
    {NULL, "3.0000001", false},
    {"{\"exclusiveMinimum\":3}", "3", false},
    {NULL, "3.0000001", true},
    {"{\"exclusiveMaximum\":3}", "3", false},
    {NULL, "2", true},
    {"{\"minimum\":3,\"exclusiveMinimum\":true}", "3", false},
    {NULL, "4", true},
    {"{\"maximum\":3,\"exclusiveMaximum\":false}", "3", true},
    {"{\"minimum\":-2.5}", "-2.5", true},
    {NULL, "-3", false},
    {NULL, "-2", true},
    {"{\"maximum\":9007199254740993}", "9007199254740993", true}, /* 2^53 + 1: no double holds it */
    {NULL, "9007199254740994", false},
    {NULL, "9007199254740992.0", true},
    {NULL, "9007199254740994.0", false},
    {"{\"minimum\":9007199254740993}", "9007199254740992", false},
    {NULL, "9007199254740992.0", false},
    {"{\"exclusiveMaximum\":9223372036854775807}", "9223372036854775806", true},
    {NULL, "9223372036854775807", false},
    {NULL, "9223372036854775808.0", false},
    {"{\"minimum\":-9223372036854775808}", "-9223372036854775808", true},
    {NULL, "-9223372036854775809.0", true}, /* the same double */
    {NULL, "-9223372036854777856.0", false},
    {"{\"maximum\":1e300}", "9223372036854775807", true},
    {"{\"minimum\":1e300}", "9223372036854775807", false},
    {"{\"minimum\":-1e300}", "-9223372036854775808", true},
    {"{\"maximum\":0}", "-0.0", true},
    {"{\"exclusiveMinimum\":0}", "-0.0", false},
    {"{\"multipleOf\":2}", "10", true},
    {NULL, "7", false},
    {NULL, "-4", true},
    {NULL, "4.0", true},
    {NULL, "4.5", false},
    {NULL, "0", true},
    {"{\"multipleOf\":0.1}", "0.3", true},
    {NULL, "1", true},
    {NULL, "0.35", false},
    {NULL, "1e22", true},
    {"{\"multipleOf\":0.01}", "4.02", true},
    {NULL, "19.99", true},
    {NULL, "19.999", false},
    {"{\"multipleOf\":0.0001}", "0.0075", true},
    {NULL, "0.00751", false},
    {"{\"multipleOf\":1.5}", "4.5", true},
    {NULL, "35", false},
    {"{\"multipleOf\":7}", "9223372036854775807", true}, /* 2^63 - 1 = 7 * ... */
    {NULL, "9223372036854775806", false},
    {NULL, "1e308", false},
    {"{\"multipleOf\":1e-8}", "12391239123", true},
    {"{\"multipleOf\":123456700000000000000.0}", "123456700000000000000.0", true},
    {NULL, "246913400000000000000.0", true},
    {NULL, "123456800000000000000.0", false},
    {"{\"type\":\"integer\",\"multipleOf\":0.5}", "1e308", true},
    {"{\"type\":\"integer\",\"multipleOf\":0.123456789}", "1e308", false},

    /* ---- strings ---- */
    {"{\"minLength\":2}", "\"ab\"", true},
    {NULL, "\"a\"", false},
    {NULL, "\"\\ud83d\\udca9\"", false}, /* one code point */
    {NULL, "\"\\ud83d\\udca9\\u00e4\"", true},
    {NULL, "1", true},
    {"{\"maxLength\":2}", "\"\\ud83d\\udca9\\ud83d\\udca9\"", true},
    {NULL, "\"abc\"", false},
    {"{\"maxLength\":0}", "\"\"", true},
    {"{\"minLength\":2.0}", "\"a\"", false},
    {"{\"minLength\":1e30}", "\"a\"", false},
    {"{\"maxLength\":1e30}", "\"a\"", true},
    {"{\"pattern\":\"^a+$\"}", "\"aaa\"", true},
    {NULL, "\"aab\"", false},
    {NULL, "\"aaa\\n\"", false},
    {NULL, "7", true},
    {"{\"pattern\":\"b\"}", "\"abc\"", true},
    {"{\"pattern\":\"\"}", "\"\"", true},

    /* ---- arrays ---- */
    {"{\"items\":{\"type\":\"integer\"}}", "[1,2,3]", true},
    {NULL, "[1,\"2\"]", false},
    {NULL, "[]", true},
    {NULL, "{\"0\":\"x\"}", true},
    {"{\"items\":false}", "[]", true},
    {NULL, "[1]", false},
    {"{\"prefixItems\":[{\"type\":\"integer\"},{\"type\":\"string\"}]}", "[1,\"a\",null]", true},
    {NULL, "[1]", true},
    {NULL, "[\"a\",1]", false},
    {"{\"prefixItems\":[{\"type\":\"integer\"}],\"items\":{\"type\":\"string\"}}",
     "[1,\"a\",\"b\"]", true},
    {NULL, "[1,\"a\",2]", false},
    {"{\"items\":[{\"type\":\"integer\"}],\"additionalItems\":false}", "[1]", true},
    {NULL, "[1,2]", false},
    {"{\"items\":[{\"type\":\"integer\"}],\"additionalItems\":{\"type\":\"null\"}}", "[1,null]",
     true},
    {NULL, "[1,2]", false},
    {"{\"items\":[],\"additionalItems\":false}", "[]", true},
    {NULL, "[1]", false},
    {"{\"items\":{},\"additionalItems\":false}", "[1]", true}, /* no meaning beside a schema */
    {"{\"minItems\":1}", "[0]", true},
    {NULL, "[]", false},
    {NULL, "\"\"", true},
    {"{\"maxItems\":1}", "[0]", true},
    {NULL, "[0,0]", false},
    {"{\"uniqueItems\":true}", "[1,2,\"1\",[1],{\"a\":1}]", true},
    {NULL, "[1,1.0]", false},
    {NULL, "[{\"a\":1,\"b\":2},{\"b\":2,\"a\":1}]", false},
    {NULL, "[1,true,0,false]", true},
    {NULL, "[\"a\",\"b\",\"a\"]", false},
    {NULL,
     "[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,"
     "33]",
     true},
    {NULL,
     "[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,0."
     "0]",
     false},
    {NULL,
     "[[],{},null,true,false,\"\",0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,"
     "25,26,[0],[1],{\"a\":0},{\"b\":0},"
     "{\"a\":0,\"b\":1},{\"b\":0,\"a\":1}]",
     true},
    {NULL,
     "[[],{},null,true,false,\"\",0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,"
     "25,26,{\"a\":[1],\"b\":1},"
     "{\"b\":1.0,\"a\":[1.0]}]",
     false},
    {"{\"uniqueItems\":false}", "[1,1]", true},
    {"{\"contains\":{\"type\":\"null\"}}", "[1,null]", true},
    {NULL, "[1]", false},
    {NULL, "[]", false},
    {NULL, "{}", true},
    {"{\"contains\":{\"const\":1},\"minContains\":2}", "[1,2,1]", true},
    {NULL, "[1,2]", false},
    {"{\"contains\":{\"const\":1},\"maxContains\":1}", "[1,2]", true},
    {NULL, "[1,1]", false},
    {NULL, "[2]", false},
    {"{\"contains\":{\"const\":1},\"minContains\":0}", "[]", true},
    {"{\"contains\":{\"const\":1},\"minContains\":0,\"maxContains\":1}", "[1,1]", false},
    {"{\"minContains\":5}", "[]", true}, /* no meaning without contains */

    /* ---- objects ---- */
    {"{\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{\"type\":\"string\"}}}",
     "{\"b\":\"x\",\"a\":1,\"c\":null}", true},
    {NULL, "{\"a\":\"1\"}", false},
    {NULL, "{}", true},
    {NULL, "[]", true},
    {"{\"required\":[\"a\",\"b\"]}", "{\"b\":1,\"a\":null}", true},
    {NULL, "{\"a\":1}", false},
    {NULL, "3", true},
    {"{\"required\":[]}", "{}", true},
    {"{\"required\":[\"a\",\"a\"]}", "{\"a\":1}", true},
    {"{\"required\":[\"a\"],\"additionalProperties\":false}", "{\"a\":1}",
     false}, /* required names no property */
    {"{\"properties\":{\"a\":true},\"additionalProperties\":false}", "{\"a\":1}", true},
    {NULL, "{\"a\":1,\"b\":2}", false},
    {"{\"properties\":{\"a\":false}}", "{\"b\":1}", true},
    {NULL, "{\"a\":1}", false},
    {"{\"additionalProperties\":{\"type\":\"integer\"}}", "{\"x\":1}", true},
    {NULL, "{\"x\":\"1\"}", false},
    {"{\"patternProperties\":{\"^a\":{\"type\":\"integer\"},\"z$\":{\"minimum\":5}}}", "{\"az\":5}",
     true},
    {NULL, "{\"az\":4}", false},
    {NULL, "{\"az\":\"x\"}", false},
    {NULL, "{\"b\":\"x\"}", true},
    {"{\"properties\":{\"ab\":{\"type\":\"integer\"}},\"patternProperties\":{\"^a\":{\"minimum\":2}"
     "},\"additionalProperties\":false}",
     "{\"ab\":2,\"ac\":3}", true},
    {NULL, "{\"ab\":1}", false},
    {NULL, "{\"b\":1}", false},
    {"{\"propertyNames\":{\"maxLength\":2}}", "{\"ab\":1}", true},
    {NULL, "{\"abc\":1}", false},
    {"{\"propertyNames\":{\"enum\":[\"a\",\"b\"]}}", "{\"a\":1}", true},
    {NULL, "{\"c\":1}", false},
    {"{\"propertyNames\":false}", "{}", true},
    {NULL, "{\"a\":1}", false},
    {"{\"minProperties\":1}", "{\"a\":1}", true},
    {NULL, "{}", false},
    {"{\"maxProperties\":1}", "{\"a\":1}", true},
    {NULL, "{\"a\":1,\"b\":2}", false},
    {"{\"dependentRequired\":{\"a\":[\"b\",\"c\"]}}", "{\"a\":1,\"b\":1,\"c\":1}", true},
    {NULL, "{\"b\":1}", true},
    {NULL, "{\"a\":1,\"b\":1}", false},
    {"{\"dependentSchemas\":{\"a\":{\"required\":[\"b\"]}}}", "{\"a\":1,\"b\":1}", true},
    {NULL, "{\"c\":1}", true},
    {NULL, "{\"a\":1}", false},
    {"{\"dependencies\":{\"a\":[\"b\"],\"c\":{\"minProperties\":2}}}", "{\"a\":1,\"b\":1}", true},
    {NULL, "{\"a\":1}", false},
    {NULL, "{\"c\":1}", false},
    {"{\"properties\":{\"abcdefgh1xxxxxxxx\":{\"const\":1},\"abcdefgh2xxxxxxxx\":{\"const\":2},"
     "\"abcdefgh3xxxxxxxx\":{\"const\":3},"
     "\"abcdefgh4xxxxxxxx\":{\"const\":4}},\"additionalProperties\":false}",
     "{\"abcdefgh4xxxxxxxx\":4,\"abcdefgh1xxxxxxxx\":1,\"abcdefgh3xxxxxxxx\":3}",
     true}, /* the quick hash cannot tell them apart */
    {NULL, "{\"abcdefgh2xxxxxxxx\":1}", false},
    {NULL, "{\"abcdefgh5xxxxxxxx\":1}", false},
    {"{\"properties\":{\"\":{\"const\":1},\"a~b\":{\"const\":2},\"\\u00e4\":{\"const\":3}}}",
     "{\"\":1,\"a~b\":2,\"\\u00e4\":3}", true},
    {NULL, "{\"\":2}", false},
    {NULL, "{\"\\u00e4\":2}", false},

    /* ---- applicators ---- */
    {"{\"allOf\":[{\"minimum\":2},{\"maximum\":4}]}", "3", true},
    {NULL, "5", false},
    {NULL, "1", false},
    {"{\"anyOf\":[{\"type\":\"string\"},{\"minimum\":2}]}", "\"a\"", true},
    {NULL, "2", true},
    {NULL, "1", false},
    {"{\"oneOf\":[{\"multipleOf\":2},{\"multipleOf\":3}]}", "4", true},
    {NULL, "9", true},
    {NULL, "6", false},
    {NULL, "5", false},
    {"{\"not\":{\"type\":\"string\"}}", "1", true},
    {NULL, "\"a\"", false},
    {"{\"not\":{}}", "1", false},
    {"{\"not\":{\"not\":{\"type\":\"string\"}}}", "\"a\"", true},
    {"{\"if\":{\"type\":\"string\"},\"then\":{\"minLength\":2},\"else\":{\"minimum\":2}}", "\"ab\"",
     true},
    {NULL, "\"a\"", false},
    {NULL, "2", true},
    {NULL, "1", false},
    {"{\"if\":{\"const\":1},\"then\":false}", "1", false},
    {NULL, "2", true},
    {"{\"then\":false,\"else\":false}", "2", true},
    {"{\"if\":false,\"else\":{\"const\":1}}", "1", true},

    /* ---- references ---- */
    {"{\"$ref\":\"#/$defs/A\",\"$defs\":{\"A\":{\"type\":\"integer\"}}}", "1", true},
    {NULL, "\"1\"", false},
    {"{\"$ref\":\"#/$defs/A\",\"minimum\":3,\"$defs\":{\"A\":{\"type\":\"integer\"}}}", "2",
     false}, /* siblings hold too */
    {"{\"$ref\":\"#/definitions/A\",\"definitions\":{\"A\":{\"type\":\"integer\"}}}", "\"1\"",
     false},
    {"{\"$ref\":\"A\",\"$defs\":{\"A\":{\"type\":\"integer\"}}}", "\"1\"", false},
    {"{\"$ref\":\"A\",\"definitions\":{\"A\":{\"type\":\"integer\"}}}", "\"1\"", false},
    {"{\"$ref\":\"#here\",\"$defs\":{\"A\":{\"$anchor\":\"here\",\"type\":\"integer\"}}}", "\"1\"",
     false},
    {"{\"$ref\":\"#/$defs/a~1b~0c%25d\",\"$defs\":{\"a/b~c%d\":{\"type\":\"integer\"}}}", "\"1\"",
     false},
    {"{\"$ref\":\"#/allOf/1\",\"$defs\":{},\"allOf\":[true,{\"type\":\"integer\"}]}", "\"1\"",
     false},
    {"{\"properties\":{\"p\":{\"$ref\":\"A\",\"$defs\":{\"A\":{\"const\":\"inner\"}}}},\"$defs\":{"
     "\"A\":{\"const\":\"outer\"}}}",
     "{\"p\":\"inner\"}", true}, /* innermost first */
    {NULL, "{\"p\":\"outer\"}", false},
    {"{\"type\":\"object\",\"properties\":{\"next\":{\"$ref\":\"#\"}},\"additionalProperties\":"
     "false}",
     "{\"next\":{\"next\":{}}}", true},
    {NULL, "{\"next\":{\"next\":{\"x\":1}}}", false},
    {"{\"$defs\":{\"Tree\":{\"type\":\"object\",\"properties\":{\"kids\":{\"items\":{\"$ref\":"
     "\"Tree\"}}},\"required\":[\"kids\"]}},"
     "\"$ref\":\"Tree\"}",
     "{\"kids\":[{\"kids\":[]}]}", true},
    {NULL, "{\"kids\":[{}]}", false},
    {"{\"$id\":\"https://example.com/"
     "root.json\",\"$ref\":\"child.json\",\"$defs\":{\"c\":{\"$id\":\"child.json\",\"type\":"
     "\"integer\"}}}",
     "\"1\"", false},
    {"{\"$id\":\"https://example.com/a/b.json\",\"$ref\":\"../"
     "c.json#x\",\"$defs\":{\"c\":{\"$id\":\"/c.json\",\"$defs\":{\"d\":{"
     "\"$anchor\":\"x\",\"type\":\"integer\"}}}}}",
     "\"1\"", false},
    {"{\"$ref\":\"Shared#/$defs/"
     "A\",\"$defs\":{\"Shared\":{\"$defs\":{\"A\":{\"type\":\"integer\"}}}}}",
     "\"1\"", false},
    {"{\"$defs\":{\"A\":{\"$id\":\"A\",\"$ref\":\"B\"},\"B\":{\"$id\":\"B\",\"type\":\"integer\"}},"
     "\"$ref\":\"A\"}",
     "\"1\"", false},
    {"{\"$defs\":{\"A\":{\"$id\":\"A\",\"$ref\":\"B\"},\"B\":{\"$id\":\"B\",\"type\":\"integer\"}},"
     "\"$ref\":\"A\"}",
     "1", true},
    {"{\"$dynamicRef\":\"#node\",\"$defs\":{\"A\":{\"$dynamicAnchor\":\"node\",\"type\":"
     "\"integer\"}}}",
     "\"1\"", false},
    {"{\"mine\":{\"type\":\"integer\"},\"$ref\":\"#/mine\"}", "\"1\"", false},
    {"{\"properties\":{\"$ref\":{\"type\":\"integer\"}}}", "{\"$ref\":1}", true},
    {NULL, "{\"$ref\":\"a\"}", false},
    {"{\"const\":{\"$ref\":\"nothing\"}}", "{\"$ref\":\"nothing\"}", true},

    /* ---- unevaluated ---- */
    {"{\"allOf\":[{\"properties\":{\"a\":true}}],\"unevaluatedProperties\":false}", "{\"a\":1}",
     true},
    {NULL, "{\"a\":1,\"b\":1}", false},
    {"{\"anyOf\":[{\"required\":[\"a\"],\"properties\":{\"a\":true}},{\"required\":[\"b\"],"
     "\"properties\":{\"b\":true}}],"
     "\"unevaluatedProperties\":false}",
     "{\"a\":1}", true},
    {NULL, "{\"a\":1,\"b\":1}", true},
    {NULL, "{\"a\":1,\"c\":1}", false},
    {"{\"if\":{\"properties\":{\"k\":{\"const\":1}},\"required\":[\"k\"]},\"then\":{\"properties\":"
     "{\"a\":true}},\"else\":{\"properties\":{"
     "\"b\":true}},\"unevaluatedProperties\":{\"type\":\"null\"}}",
     "{\"k\":1,\"a\":1}", true},
    {NULL, "{\"k\":2,\"b\":1}", false}, /* "if" fails, so k is not evaluated */
    {NULL, "{\"b\":1,\"z\":null}", true},
    {"{\"$ref\":\"B\",\"properties\":{\"a\":true},\"unevaluatedProperties\":false,\"$defs\":{\"B\":"
     "{\"patternProperties\":{\"^b\":true}}}}",
     "{\"a\":1,\"b1\":1}", true},
    {NULL, "{\"c\":1}", false},
    {"{\"prefixItems\":[true],\"anyOf\":[{\"prefixItems\":[true,{\"const\":2}]},true],"
     "\"unevaluatedItems\":false}",
     "[1,2]", true},
    {NULL, "[1,3]", false},
    {"{\"contains\":{\"type\":\"string\"},\"unevaluatedItems\":{\"type\":\"integer\"}}",
     "[1,\"a\",2]", true},
    {NULL, "[1,\"a\",null]", false},
};

static void rows_hold(void **state) {
    (void)state;
    brant__schema *schema = NULL;
    const char *text = NULL;
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].schema) {
            brant__schema_free(schema);
            text = rows[i].schema;
            schema = compiled(text);
        }
        brant__json instance = parsed(rows[i].instance);
        if (accepts(schema, instance.root) != rows[i].valid) {
            print_error("%s\n    should %s %s\n", text, rows[i].valid ? "accept" : "reject",
                        rows[i].instance);
            wrong++;
        }
        brant__json_free(&instance);
    }
    brant__schema_free(schema);
    assert_int_equal(wrong, 0);
}

/* A value with more members than one word has bits. */
static void unevaluated_members_of_a_large_value(void **state) {
    (void)state;
    brant__schema *schema = compiled("{\"allOf\":[{\"patternProperties\":{\"^k\":true}}],"
                                     "\"unevaluatedProperties\":{\"const\":1},"
                                     "\"prefixItems\":[true,true],\"contains\":{\"const\":0},"
                                     "\"unevaluatedItems\":{\"const\":1}}");
    for (int odd = 0; odd <= 200; odd += 67) {
        brant__buffer object = {0}, array = {0};
        for (int i = 0; i < 200; i++) {
            brant__buffer_format(&object, "%s\"%s%d\":%d", i ? "," : "{", i == odd ? "x" : "k", i,
                                 i == odd ? 2 : 0);
            brant__buffer_format(&array, "%s%d", i ? "," : "[", i == odd ? 2 : i % 2);
        }
        brant__buffer_append(&object, "}", 2);
        brant__buffer_append(&array, "]", 2);
        brant__json json = parsed(object.data);
        assert_int_equal(accepts(schema, json.root), odd >= 200);
        brant__json_free(&json);
        json = parsed(array.data);
        assert_int_equal(accepts(schema, json.root), odd >= 200 || odd < 2);
        brant__json_free(&json);
        brant__buffer_free(&object);
        brant__buffer_free(&array);
    }
    brant__schema_free(schema);
}

static void large_tables_find_every_name(void **state) {
    (void)state;
    brant__buffer schema_text = {0}, good = {0};
    for (int i = 0; i < 3000; i++) {
        brant__buffer_format(&schema_text, "%s\"name_%d_suffix\":{\"const\":%d}",
                             i ? "," : "{\"additionalProperties\":false,\"properties\":{", i, i);
        brant__buffer_format(&good, "%s\"name_%d_suffix\":%d", i ? "," : "{", (i * 7) % 3000,
                             (i * 7) % 3000);
    }
    brant__buffer_append(&schema_text, "}}", 3);
    brant__buffer_append(&good, "}", 2);
    brant__schema *schema = compiled(schema_text.data);
    brant__json json = parsed(good.data);
    assert_true(accepts(schema, json.root));
    brant__json_free(&json);
    json = parsed("{\"name_3000_suffix\":1}");
    assert_false(accepts(schema, json.root));
    brant__json_free(&json);
    brant__schema_free(schema);
    brant__buffer_free(&schema_text);
    brant__buffer_free(&good);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold),
        cmocka_unit_test(unevaluated_members_of_a_large_value),
        cmocka_unit_test(large_tables_find_every_name),
    };
    print_message("%zu rows\n", sizeof(rows) / sizeof(rows[0]));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
