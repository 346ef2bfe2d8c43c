/*
 * x-encrypted: where it may stand and what a module says of it.
 */
#include "test_schema.h"

static brant_status parse(brant__module **out, const char *defs) {
    brant__buffer text = {0};
    brant__buffer_format(&text, "{\"$defs\":{%s}}", defs);
    brant__buffer_append_byte(&text, '\0');
    brant__json json = parsed(text.data);
    brant__error_clear();
    const brant_status status = brant__module_parse(out, json.root);
    brant__json_free(&json);
    brant__buffer_free(&text);
    return status;
}

/* ---- places that are fine -------------------------------------------------------------------- */

#define ENC "{\"x-encrypted\":true}"

/* The entries, and the pointers of AEdge or ANode, each followed by a blank. */
static const struct {
    const char *defs, *pointers;
} fine[] = {
    {"\"ANode\":{\"properties\":{\"value\":" ENC "}}", "/value "},
    {"\"ANode\":{\"properties\":{\"value\":{\"x-encrypted\":false}}}", ""},
    {"\"ANode\":{\"properties\":{\"z\":" ENC ",\"db\":{\"properties\":{\"password\":" ENC
     ",\"user\":{}}},\"a/b~c\":" ENC "}}",
     "/a~1b~0c /db/password /z "},
    {"\"ANode\":{\"properties\":{\"value\":{\"$ref\":\"Key\"}}},\"Key\":{\"type\":\"string\","
     "\"x-encrypted\":true}",
     "/value "},
    {"\"ANode\":{\"properties\":{\"value\":{\"type\":\"string\",\"allOf\":[{\"$ref\":\"Key\"}]}}},"
     "\"Key\":{\"$ref\":\"Deep\"},\"Deep\":" ENC,
     "/value "},
    {"\"ANode\":{\"allOf\":[{\"$ref\":\"Base\"},{\"properties\":{\"y\":" ENC "}}]},\"Base\":{"
     "\"properties\":{\"x\":" ENC "}}",
     "/x /y "},
    /* Two ways to the same place, and two places by one reference. */
    {"\"ANode\":{\"allOf\":[{\"$ref\":\"Base\"},{\"$ref\":\"Base\"}]},\"Base\":{\"properties\":{"
     "\"x\":" ENC "}}",
     "/x "},
    {"\"ANode\":{\"properties\":{\"a\":{\"$ref\":\"P\"},\"b\":{\"$ref\":\"P\"}}},\"P\":{"
     "\"properties\":{\"s\":" ENC "}}",
     "/a/s /b/s "},
    /* What is in an encrypted attribute may be anything. */
    {"\"ANode\":{\"properties\":{\"value\":{\"x-encrypted\":true,\"items\":{\"anyOf\":[{\"type\":"
     "\"string\"},{\"const\":1}]}}}}",
     "/value "},
    {"\"ANode\":{\"properties\":{\"v\":{\"x-encrypted\":true,\"$ref\":\"Tree\"}}},\"Tree\":{"
     "\"additionalProperties\":{\"$ref\":\"Tree\"}}",
     "/v "},
    /* Others that describe the attribute say nothing, or that there is none. */
    {"\"ANode\":{\"properties\":{\"value\":" ENC "},\"additionalProperties\":false,\"anyOf\":[{"
     "\"required\":[\"value\"]},{\"properties\":{\"value\":false}}],\"allOf\":[{\"properties\":{"
     "\"value\":{\"description\":\"d\"}}}]}",
     "/value "},
    {"\"ANode\":{\"allOf\":[{\"properties\":{\"value\":{\"type\":\"string\",\"x-encrypted\":true}}}"
     ",{\"properties\":{\"value\":{\"minLength\":8,\"x-encrypted\":true}}}]}",
     "/value "},
    /* Nobody refers to it. */
    {"\"ANode\":{},\"Loose\":{\"items\":" ENC "}", ""},
    {"\"ANode\":{\"$defs\":{\"in\":{\"items\":" ENC "}}}", ""},
    /* Recursion elsewhere. */
    {"\"ANode\":{\"properties\":{\"s\":" ENC ",\"next\":{\"$ref\":\"T\"}}},\"T\":{\"properties\":{"
     "\"next\":{\"$ref\":\"T\"}}}",
     "/s "},
    /* Draft-07 lets nothing count beside a $ref, but this is no word of its. */
    {"\"ANode\":{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"properties\":{\"v\":{"
     "\"$ref\":\"#/$defs/T\",\"x-encrypted\":true}}},\"T\":{\"type\":\"string\"}",
     "/v "},
    /* What stands in its definitions is found by a $ref. */
    {"\"ANode\":{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"$ref\":"
     "\"#/$defs/ANode/definitions/T\",\"definitions\":{\"T\":{\"properties\":{\"v\":" ENC "}}}}",
     "/v "},
    {"\"BNode\":{},\"AEdge\":{\"properties\":{\"value\":" ENC "}}", "/value "},
};

static void its_places_are_known(void **state) {
    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(fine); i++) {
        brant__module *module = NULL;
        brant__buffer text = {0};
        if (parse(&module, fine[i].defs) != BRANT_OK)
            fail_msg("%s: %s", fine[i].defs, brant_last_error()->message);
        const bool edge = module->edge_type_count > 0;
        const brant__encrypted *all =
            edge ? module->edge_types[0].encrypted : module->node_types[0].encrypted;
        const size_t count =
            edge ? module->edge_types[0].encrypted_count : module->node_types[0].encrypted_count;
        for (size_t n = 0; n < count; n++) {
            brant__buffer again = {0};
            brant__buffer_append(&text, all[n].pointer.data, all[n].pointer.length);
            brant__buffer_append_byte(&text, ' ');
            for (size_t s = 0; s < all[n].segment_count; s++) {
                brant__buffer_append_byte(&again, '/');
                brant__pointer_append(&again, all[n].segments[s]);
            }
            assert_true(
                brant__text_equal(all[n].pointer, brant__text_of(again.data, again.length)));
            brant__buffer_free(&again);
        }
        brant__buffer_append_byte(&text, '\0');
        if (strcmp(text.data, fine[i].pointers) != 0)
            fail_msg("%s: %s, not %s", fine[i].defs, text.data, fine[i].pointers);
        brant__buffer_free(&text);
        brant__module_free(module);
    }
}

/* ---- places that are not --------------------------------------------------------------------- */

static const struct {
    const char *defs, *pointer, *message;
} wrong[] = {
    {"\"ANode\":{\"properties\":{\"v\":{\"x-encrypted\":1}}}",
     "/$defs/ANode/properties/v/x-encrypted", "must be true or false"},
    {"\"ANode\":{\"properties\":{\"v\":{\"x-encrypted\":\"true\"}}}",
     "/$defs/ANode/properties/v/x-encrypted", "must be true or false"},
    {"\"ANode\":{\"properties\":{\"v\":{\"x-encrypt\":true}}}",
     "/$defs/ANode/properties/v/x-encrypt", "\"x-encrypted\" is"},
    {"\"ANode\":{\"properties\":{\"v\":{\"xEncrypted\":true}}}",
     "/$defs/ANode/properties/v/xEncrypted", "\"x-encrypted\" is"},
    {"\"ANode\":{\"x-encrypted\":true}", "/$defs/ANode/x-encrypted", "as a whole"},
    {"\"ANode\":{\"$ref\":\"Base\"},\"Base\":" ENC, "/$defs/Base/x-encrypted", "as a whole"},
    {"\"ANode\":{\"properties\":{\"l\":{\"items\":" ENC "}}}",
     "/$defs/ANode/properties/l/items/x-encrypted", "below \\\"items\\\""},
    {"\"ANode\":{\"properties\":{\"l\":{\"items\":{\"properties\":{\"s\":" ENC "}}}}}",
     "/$defs/ANode/properties/l/items/properties/s/x-encrypted", "below \\\"items\\\""},
    {"\"ANode\":{\"properties\":{\"l\":{\"prefixItems\":[{}," ENC "]}}}",
     "/$defs/ANode/properties/l/prefixItems/1/x-encrypted", "below \\\"prefixItems\\\""},
    {"\"ANode\":{\"properties\":{\"l\":{\"contains\":" ENC "}}}",
     "/$defs/ANode/properties/l/contains/x-encrypted", "below \\\"contains\\\""},
    {"\"ANode\":{\"additionalProperties\":" ENC "}",
     "/$defs/ANode/additionalProperties/x-encrypted", "below \\\"additionalProperties\\\""},
    {"\"ANode\":{\"patternProperties\":{\"^s\":" ENC "}}",
     "/$defs/ANode/patternProperties/^s/x-encrypted", "below \\\"patternProperties\\\""},
    {"\"ANode\":{\"patternProperties\":{\"^a\":{},\"^s\":{\"properties\":{\"x\":" ENC "}}}}",
     "/$defs/ANode/patternProperties/^s/properties/x/x-encrypted",
     "below \\\"patternProperties\\\""},
    {"\"ANode\":{\"propertyNames\":" ENC "}", "/$defs/ANode/propertyNames/x-encrypted",
     "below \\\"propertyNames\\\""},
    {"\"ANode\":{\"unevaluatedProperties\":" ENC "}",
     "/$defs/ANode/unevaluatedProperties/x-encrypted", "below \\\"unevaluatedProperties\\\""},
    {"\"ANode\":{\"properties\":{\"l\":{\"unevaluatedItems\":" ENC "}}}",
     "/$defs/ANode/properties/l/unevaluatedItems/x-encrypted", "below \\\"unevaluatedItems\\\""},
    {"\"ANode\":{\"anyOf\":[{\"properties\":{\"v\":" ENC "}},{}]}",
     "/$defs/ANode/anyOf/0/properties/v/x-encrypted", "below \\\"anyOf\\\""},
    {"\"ANode\":{\"properties\":{\"v\":{\"anyOf\":[" ENC ",{\"type\":\"null\"}]}}}",
     "/$defs/ANode/properties/v/anyOf/0/x-encrypted", "below \\\"anyOf\\\""},
    {"\"ANode\":{\"oneOf\":[{\"properties\":{\"v\":" ENC "}}]}",
     "/$defs/ANode/oneOf/0/properties/v/x-encrypted", "below \\\"oneOf\\\""},
    {"\"ANode\":{\"not\":{\"properties\":{\"v\":" ENC "}}}",
     "/$defs/ANode/not/properties/v/x-encrypted", "below \\\"not\\\""},
    {"\"ANode\":{\"if\":{\"properties\":{\"v\":" ENC "}}}",
     "/$defs/ANode/if/properties/v/x-encrypted", "below \\\"if\\\""},
    {"\"ANode\":{\"if\":{},\"then\":{\"properties\":{\"v\":" ENC "}}}",
     "/$defs/ANode/then/properties/v/x-encrypted", "below \\\"then\\\""},
    {"\"ANode\":{\"if\":{},\"else\":{\"properties\":{\"v\":" ENC "}}}",
     "/$defs/ANode/else/properties/v/x-encrypted", "below \\\"else\\\""},
    {"\"ANode\":{\"dependentSchemas\":{\"a\":{\"properties\":{\"v\":" ENC "}}}}",
     "/$defs/ANode/dependentSchemas/a/properties/v/x-encrypted", "below \\\"dependentSchemas\\\""},
    /* Also where it is fine by another way. */
    {"\"ANode\":{\"properties\":{\"v\":{\"$ref\":\"K\"},\"l\":{\"items\":{\"$ref\":\"K\"}}}},"
     "\"K\":" ENC,
     "/$defs/K/x-encrypted", "below \\\"items\\\""},
    /* Within another. */
    {"\"ANode\":{\"properties\":{\"v\":{\"x-encrypted\":true,\"properties\":{\"w\":" ENC "}}}}",
     "/$defs/ANode/properties/v/properties/w/x-encrypted", "encrypted as a whole already"},
    {"\"ANode\":{\"properties\":{\"v\":{\"x-encrypted\":true,\"items\":" ENC "}}}",
     "/$defs/ANode/properties/v/items/x-encrypted", "encrypted as a whole already"},
    {"\"ANode\":{\"allOf\":[{\"properties\":{\"v\":" ENC
     "}},{\"properties\":{\"v\":{\"properties\":{"
     "\"w\":" ENC "}}}}]}",
     "/$defs/ANode/allOf/1/properties/v/properties/w/x-encrypted", "encrypted as a whole already"},
    /* At any depth. */
    {"\"ANode\":{\"properties\":{\"s\":" ENC ",\"child\":{\"$ref\":\"ANode\"}}}",
     "/$defs/ANode/properties/s/x-encrypted", "contains itself"},
    {"\"ANode\":{\"properties\":{\"a\":{\"$ref\":\"P\"}}},\"P\":{\"properties\":{\"b\":{\"$ref\":"
     "\"Q\"}}},\"Q\":{\"allOf\":[{\"properties\":{\"s\":" ENC ",\"p\":{\"$ref\":\"P\"}}}]}",
     "/$defs/Q/allOf/0/properties/s/x-encrypted", "contains itself"},
    /* Others that judge the value. */
    {"\"ANode\":{\"allOf\":[{\"properties\":{\"v\":" ENC "}},{\"properties\":{\"v\":{\"type\":"
     "\"string\"}}}]}",
     "/$defs/ANode/allOf/1/properties/v", "give it"},
    {"\"ANode\":{\"properties\":{\"v\":" ENC
     "},\"patternProperties\":{\"^v\":{\"type\":\"string\"}}}",
     "/$defs/ANode/patternProperties/^v", "no condition, union or pattern"},
    {"\"ANode\":{\"properties\":{\"v\":" ENC "},\"allOf\":[{\"additionalProperties\":{\"type\":"
     "\"string\"}}]}",
     "/$defs/ANode/allOf/0/additionalProperties", "no condition, union or pattern"},
    {"\"ANode\":{\"properties\":{\"v\":" ENC
     "},\"anyOf\":[{\"properties\":{\"v\":{\"const\":1}}}]}",
     "/$defs/ANode/anyOf/0/properties/v", "no condition, union or pattern"},
    {"\"ANode\":{\"properties\":{\"v\":" ENC "},\"if\":{\"properties\":{\"v\":{\"minLength\":8}}}}",
     "/$defs/ANode/if/properties/v", "no condition, union or pattern"},
    {"\"ANode\":{\"properties\":{\"v\":" ENC "},\"not\":{\"properties\":{\"v\":{\"const\":1}}}}",
     "/$defs/ANode/not/properties/v", "no condition, union or pattern"},
    {"\"ANode\":{\"properties\":{\"db\":{\"properties\":{\"v\":" ENC
     "}}},\"oneOf\":[{\"properties\":{"
     "\"db\":{\"properties\":{\"v\":{\"const\":1}}}}}]}",
     "/$defs/ANode/oneOf/0/properties/db/properties/v", "no condition, union or pattern"},
    {"\"AEdge\":{\"properties\":{\"v\":" ENC "}}", "/$defs/AEdge", "without node types"},
    /* Draft-07 would not look at it: no mark is passed over in silence. */
    {"\"ANode\":{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"$ref\":\"T\","
     "\"properties\":{\"v\":" ENC "}},\"T\":{\"type\":\"object\"}",
     "/$defs/ANode/properties", "up to draft-07 nothing does beside a $ref"},
    {"\"ANode\":{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"$ref\":\"T\","
     "\"allOf\":[{\"properties\":{\"v\":{\"properties\":{\"w\":" ENC "}}}}]},\"T\":true",
     "/$defs/ANode/allOf", "put both into an allOf"},
    /* Neither configuration nor constraints have attributes. */
    {"\"ANode\":{},\"Config\":{\"type\":\"object\",\"properties\":{\"directed\":{\"const\":"
     "\"directed\",\"x-encrypted\":true}}}",
     "/$defs/Config", "attributes of node types and edge types alone"},
    {"\"ANode\":{},\"BEdge\":{},\"BEdgeConstraints\":{\"type\":\"object\",\"properties\":{"
     "\"source\":{\"const\":\"A\",\"x-encrypted\":true}}}",
     "/$defs/BEdgeConstraints", "attributes of node types and edge types alone"},
};

static void other_places_are_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(wrong); i++) {
        brant__module *module = NULL;
        char where[300];
        assert_int_equal(parse(&module, wrong[i].defs), BRANT_VALIDATION);
        assert_null(module);
        const char *detail = brant_last_error()->detail;
        snprintf(where, sizeof(where), "{\"violations\":[{\"instance\":\"%s\",", wrong[i].pointer);
        const char *message = strstr(detail, "\"message\":\"");
        if (strncmp(detail, where, strlen(where)) != 0 || !message ||
            (!strstr(message, wrong[i].message) &&
             !strstr(brant_last_error()->message, wrong[i].message)))
            fail_msg("%s: %s", wrong[i].defs, detail);
    }
}

/* ---- limits ---------------------------------------------------------------------------------- */

/* Ways double at each step. */
static void ways_without_end_are_refused(void **state) {
    (void)state;
    brant__buffer text = {0};
    brant__module *module = NULL;
    brant__buffer_format(&text, "\"ANode\":{\"properties\":{\"v\":{\"$ref\":\"E0\"}}}");
    for (int i = 0; i < 25; i++)
        brant__buffer_format(
            &text, ",\"E%d\":{\"properties\":{\"a\":{\"$ref\":\"E%d\"},\"b\":{\"$ref\":\"E%d\"}}}",
            i, i + 1, i + 1);
    brant__buffer_format(&text, ",\"E25\":{\"items\":" ENC "}");
    brant__buffer_append_byte(&text, '\0');
    assert_int_equal(parse(&module, text.data), BRANT_VALIDATION);
    brant__buffer_free(&text);

    brant__buffer_format(&text, "\"ANode\":{\"properties\":{\"v\":{\"$ref\":\"E0\"}}}");
    for (int i = 0; i < 40; i++)
        brant__buffer_format(&text, ",\"E%d\":{\"properties\":{\"a\":{\"$ref\":\"E%d\"}}}", i,
                             i + 1);
    brant__buffer_format(&text, ",\"E40\":" ENC);
    brant__buffer_append_byte(&text, '\0');
    assert_int_equal(parse(&module, text.data), BRANT_VALIDATION);
    assert_non_null(strstr(brant_last_error()->message, "deeper than 32"));
    brant__buffer_free(&text);

    brant__buffer_format(&text, "\"ANode\":{\"properties\":{");
    for (int i = 0; i < 1001; i++)
        brant__buffer_format(&text, "%s\"p%d\":" ENC, i ? "," : "", i);
    brant__buffer_format(&text, "}}");
    brant__buffer_append_byte(&text, '\0');
    assert_int_equal(parse(&module, text.data), BRANT_VALIDATION);
    assert_non_null(strstr(brant_last_error()->message, "at most 1000"));
    brant__buffer_free(&text);
}

/* Every allocation fails once. */
static void memory_may_be_missing(void **state) {
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        brant__buffer text = {0};
        brant__buffer_format(&text, "{\"$defs\":{%s}}", i ? wrong[6].defs : fine[2].defs);
        brant__buffer_append_byte(&text, '\0');
        brant__json json = parsed(text.data);
        brant_status status = BRANT_NO_MEMORY;
        size_t tries = 0;
        for (; status == BRANT_NO_MEMORY; tries++) {
            brant__module *module = NULL;
            failing_allocator_start(tries);
            brant__error_clear();
            status = brant__module_parse(&module, json.root);
            brant__module_free(module);
            brant__error_clear();
            assert_int_equal(failing.alive, 0);
            failing_allocator_stop();
        }
        assert_int_equal(status, i ? BRANT_VALIDATION : BRANT_OK);
        assert_true(tries > 50);
        brant__json_free(&json);
        brant__buffer_free(&text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_places_are_known),
        cmocka_unit_test(other_places_are_refused),
        cmocka_unit_test(ways_without_end_are_refused),
        cmocka_unit_test(memory_may_be_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
