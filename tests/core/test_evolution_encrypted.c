/*
 * tests/core/test_evolution_encrypted.c: modules with encrypted attributes, without a database: validation, differences, casts, types.
 */
#include "test_graph.h"

#include "evolution/evolution.h"
#include "test_base_allocator.h"

#define NODE(schema) "{\"$id\":\"m\",\"$defs\":{\"TNode\":" schema "}}"
#define P(schema)    "{\"properties\":{\"p\":" schema "}}"
#define CLOSED(properties)                                                                         \
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{" properties "}}"
#define TEXT_P "{\"type\":\"string\"}"
#define ENC_P  "{\"type\":\"string\",\"x-encrypted\":true}"

static void test_validate(void **state) {
    (void)state;
    const char *module = NODE(P(ENC_P));
    is(NULL, "modules.validate_node", "{\"valid\":true,\"violations\":[]}",
       "{\"module\":%s,\"type\":\"T\",\"attributes\":{\"p\":{\"$enc\":2}}}", module);
    is(NULL, "modules.validate_node", "{\"valid\":true,\"violations\":[]}",
       "{\"module\":%s,\"type\":\"T\",\"attributes\":{\"p\":{\"$redacted\":true}}}", module);
    is(NULL, "modules.validate_node",
       "{\"valid\":false,\"violations\":[{\"instance\":\"/p\",\"schema\":\"/$defs/TNode/properties/"
       "p/type\",\"keyword\":\"type\",\"message\":\"the value of an encrypted attribute is not "
       "acceptable: type\"}]}",
       "{\"module\":%s,\"type\":\"T\",\"attributes\":{\"p\":{\"Canary\":1}}}", module);
    is(NULL, "modules.validate_edge",
       "{\"valid\":false,\"violations\":[{\"instance\":\"/p/w\",\"schema\":\"/$defs/EEdge/"
       "properties/p/properties/w/maxLength\",\"keyword\":\"maxLength\",\"message\":\"the value of "
       "an encrypted attribute is not acceptable: maxLength\"}]}",
       "{\"module\":{\"$defs\":{\"TNode\":{},\"EEdge\":%s}},\"type\":\"E\",\"attributes\":{\"p\":{"
       "\"w\":\"Canary\"}}}",
       P("{\"properties\":{\"w\":{\"x-encrypted\":true,\"maxLength\":2}}}"));
    fails(NULL, "modules.validate_node", BRANT_VALIDATION,
          "/$defs/TNode/properties/p/items/x-encrypted: cannot stand below \"items\"",
          "{\"module\":%s,\"type\":\"T\",\"attributes\":{}}", NODE(P("{\"items\":" ENC_P "}")));
}

static const struct {
    const char *from, *to, *wanted;
} changes[] = {
    {NODE(P(TEXT_P)), NODE(P(ENC_P)),
     "{\"class\":\"additive\",\"edits\":[{\"op\":\"add\",\"pointer\":\"/$defs/TNode/properties/p/"
     "x-encrypted\",\"entry\":\"TNode\",\"class\":\"additive\",\"reason\":\"is encrypted now; "
     "values that are stored stay readable, and secrets.rotate encrypts them\"}]}"},
    {NODE(P(ENC_P)), NODE(P(TEXT_P)),
     "{\"class\":\"breaking\",\"edits\":[{\"op\":\"remove\",\"pointer\":\"/$defs/TNode/properties/"
     "p/"
     "x-encrypted\",\"entry\":\"TNode\",\"class\":\"breaking\",\"reason\":\"is not encrypted any "
     "more, but the values that are stored are\"}]}"},
    {NODE(P(ENC_P)), NODE(P(ENC_P)), "{\"class\":\"identical\",\"edits\":[]}"},
    {NODE(P("{\"x-encrypted\":true}")), NODE(P("{\"x-encrypted\":false}")),
     "{\"class\":\"breaking\",\"edits\":[{\"op\":\"replace\","},
    /* By another way it is the same. */
    {NODE(P(ENC_P)),
     "{\"$id\":\"m\",\"$defs\":{\"TNode\":{\"allOf\":[{\"$ref\":\"B\"}]},\"B\":" P(
         "{\"$ref\":\"S\"}") ",\"S\":" ENC_P "}}",
     "{\"class\":\"identical\","},
    /* Its rules count as ever. */
    {NODE(P(ENC_P)), NODE(P("{\"type\":\"string\",\"x-encrypted\":true,\"minLength\":1}")),
     "{\"class\":\"breaking\",\"edits\":[{\"op\":\"add\",\"pointer\":\"/$defs/TNode/properties/p/"
     "minLength\","},
    {NODE(P(TEXT_P)), NODE(P("{\"x-encrypted\":true}")), "{\"class\":\"additive\","},
    /* It comes and goes. */
    {NODE(CLOSED("")), NODE(CLOSED("\"p\":" ENC_P)), "{\"class\":\"additive\","},
    {NODE(CLOSED("\"p\":" ENC_P)), NODE(CLOSED("")), "{\"class\":\"upcast\","},
    {NODE(P(ENC_P)), NODE("{}"), "{\"class\":\"breaking\","},
    {NODE(P(CLOSED("\"s\":" ENC_P))), NODE(P(CLOSED(""))), "{\"class\":\"upcast\","},
    {NODE(P(CLOSED("\"s\":" ENC_P))), NODE(P(CLOSED("\"s\":" TEXT_P))), "{\"class\":\"breaking\","},
    /* The whole was, and a part is. */
    {NODE(P("{\"x-encrypted\":true}")), NODE(P(P("{\"x-encrypted\":true}"))),
     "{\"class\":\"breaking\","},
};

static void test_diff(void **state) {
    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(changes); i++)
        holds(NULL, "modules.diff", changes[i].wanted, "{\"from\":%s,\"to\":%s}", changes[i].from,
              changes[i].to);
    holds(NULL, "modules.diff", "\"/$defs/EEdge/properties/p/x-encrypted\"",
          "{\"from\":{\"$defs\":{\"TNode\":{},\"EEdge\":{}}},\"to\":{\"$defs\":{\"TNode\":{},"
          "\"EEdge\":%s}}}",
          P("{\"x-encrypted\":true}"));
}

/* What a schema that would change anything else leaves alone. */
static void test_cast(void **state) {
    (void)state;
    static const char *const stands[] = {"{\"$enc\":2,\"kv\":1,\"x\":{}}", "{\"$redacted\":true}"};
    static const char *const schemas[] = {
        "{\"x-encrypted\":true,\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
        "\"d\":{\"default\":1}},\"required\":[\"d\"]}",
        "{\"x-encrypted\":true,\"properties\":{\"d\":{\"default\":1},\"x\":{\"properties\":{\"e\":{"
        "\"default\":1}}}}}",
        "{\"x-encrypted\":true,\"anyOf\":[{\"additionalProperties\":false,\"properties\":{\"kv\":"
        "true}},{\"type\":\"null\"}]}",
        "{\"allOf\":[{\"x-encrypted\":true,\"properties\":{\"d\":{\"default\":1}}}]}",
    };
    for (size_t i = 0; i < BRANT__COUNT(stands); i++)
        for (size_t j = 0; j < BRANT__COUNT(schemas); j++) {
            char wanted[200];
            snprintf(wanted, sizeof(wanted),
                     "{\"attributes\":{\"p\":%s,\"q\":1},\"changed\":true,\"edits\":[{\"op\":"
                     "\"add\",\"path\":\"/q\",\"value\":1}],\"valid\":true,\"violations\":[]}",
                     stands[i]);
            is(NULL, "modules.cast", wanted,
               "{\"module\":{\"$defs\":{\"TNode\":{\"properties\":{\"p\":%s,\"q\":{\"default\":1}},"
               "\"required\":[\"q\"]}}},\"node_type\":\"T\",\"attributes\":{\"p\":%s}}",
               schemas[j], stands[i]);
        }
    /* A plain value is cast as any. */
    holds(NULL, "modules.cast", "{\"attributes\":{\"p\":{\"d\":1}},",
          "{\"module\":{\"$defs\":{\"TNode\":{\"properties\":{\"p\":%s}}}},\"node_type\":\"T\","
          "\"attributes\":{\"p\":{}}}",
          schemas[0]);
    holds(NULL, "modules.cast",
          "\"violations\":[{\"instance\":\"/p\",\"schema\":\"/$defs/TNode/properties/p/type\","
          "\"keyword\":\"type\",\"message\":\"the value of an encrypted",
          "{\"module\":%s,\"node_type\":\"T\",\"attributes\":{\"p\":{\"Canary\":1}}}",
          NODE(P(ENC_P)));
}

static void test_types(void **state) {
    (void)state;
    holds(NULL, "modules.types",
          "\"x-encrypted\":true}}},\"encrypted\":[\"/a~1b\",\"/p\"]}],\"edge_types\":[{\"name\":"
          "\"E\",\"schema\":true,\"encrypted\":[],",
          "{\"module\":{\"$defs\":{\"TNode\":{\"properties\":{\"p\":%s,\"a/b\":%s}},\"EEdge\":"
          "true}}}",
          ENC_P, ENC_P);
}

/* What others read accepts both, and the module's own words stay where a $ref finds them. */
static void test_widen(void **state) {
    (void)state;
    static const char text[] =
        "{\"$defs\":{\"TNode\":{\"properties\":{\"p\":{\"$ref\":\"S\"},\"q\":{\"type\":\"string\","
        "\"allOf\":[{\"$ref\":\"#/$defs/S\"}]},\"r\":{\"const\":{\"x-encrypted\":true}},"
        "\"x-encrypted\":{\"type\":\"null\"}}},\"S\":{\"$anchor\":\"s\",\"type\":\"string\","
        "\"minLength\":3,\"x-encrypted\":true}}}";
    static const char wide[] =
        "{\"$defs\":{\"TNode\":{\"properties\":{\"p\":{\"x-encrypted\":true,\"anyOf\":[{\"$ref\":"
        "\"S\"},{\"type\":\"object\",\"required\":[\"$enc\"]},{\"type\":\"object\",\"required\":["
        "\"$redacted\"]}]},\"q\":{\"x-encrypted\":true,\"anyOf\":[{\"type\":\"string\",\"allOf\":[{"
        "\"x-encrypted\":true,\"anyOf\":[{\"$ref\":\"#/$defs/"
        "S\"},{\"type\":\"object\",\"required\":["
        "\"$enc\"]},{\"type\":\"object\",\"required\":[\"$redacted\"]}]}]},{\"type\":\"object\","
        "\"required\":[\"$enc\"]},{\"type\":\"object\",\"required\":[\"$redacted\"]}]},\"r\":{"
        "\"const\":{\"x-encrypted\":true}},\"x-encrypted\":{\"type\":\"null\"}}},\"S\":{"
        "\"$anchor\":\"s\",\"x-encrypted\":true,\"anyOf\":[{\"type\":\"string\",\"minLength\":3},{"
        "\"type\":\"object\",\"required\":[\"$enc\"]},{\"type\":\"object\",\"required\":["
        "\"$redacted\"]}]}}}";
    brant__json json = {0};
    brant__module *module = NULL;
    assert_int_equal(brant__json_parse(&json, text, strlen(text), 0), BRANT_OK);
    assert_int_equal(brant__module_parse(&module, json.root), BRANT_OK);
    brant_status status = BRANT_NO_MEMORY;
    for (size_t n = 0; status == BRANT_NO_MEMORY; n++) {
        brant__buffer out = {0};
        failing_allocator_start(n);
        status = brant__module_widen(&out, json.root, module);
        if (status == BRANT_OK) {
            assert_int_equal(out.length, sizeof(wide) - 1);
            assert_memory_equal(out.data, wide, out.length);
        }
        brant__buffer_free(&out);
        assert_int_equal(failing.alive, 0);
        failing_allocator_stop();
    }
    assert_int_equal(status, BRANT_OK);
    brant__module_free(module);
    brant__json_free(&json);

    brant__buffer out = {0};
    assert_int_equal(brant__json_parse(&json, TEXT("{\"$defs\":{\"TNode\":{}}}"), 0), BRANT_OK);
    assert_int_equal(brant__module_parse(&module, json.root), BRANT_OK);
    assert_int_equal(brant__module_widen(&out, json.root, module), BRANT_OK);
    assert_int_equal(out.length, 0);
    brant__module_free(module);
    brant__json_free(&json);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_validate), cmocka_unit_test(test_diff),  cmocka_unit_test(test_cast),
        cmocka_unit_test(test_types),    cmocka_unit_test(test_widen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
