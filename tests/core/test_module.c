/*
 * Modules: entries by name, Config, constraints, faults with their pointers, memory.
 */
#include "test_schema.h"

static brant__module *read_module(const char *text) {
    brant__json json = parsed(text);
    brant__module *module = NULL;
    brant__error_clear();
    if (brant__module_parse(&module, json.root) != BRANT_OK)
        fail_msg("%s: %s", brant_last_error()->message, text);
    brant__json_free(&json); /* the module needs it no more */
    return module;
}

#define CALL                                                                                       \
    "\"CallNode\":{\"type\":\"object\",\"properties\":{\"status\":{\"$ref\":\"Status\"}},"         \
    "\"required\":[\"status\"]},"                                                                  \
    "\"Status\":{\"enum\":[\"running\",\"done\"]}"

static void entries_are_found_by_name(void **state) {
    (void)state;
    brant__module *module = read_module(
        "{\"$id\":\"call\",\"$defs\":{" CALL
        ",\"AgentNode\":true,\"TriggeredEdge\":{\"type\":\"object\"},\"BelongsToEdge\":false,"
        "\"Node\":{},\"Edge\":{},\"helper_of_mine\":{}}}");
    assert_true(brant__text_equal(module->id, BRANT__TEXT("call")));
    assert_true(module->typed);
    assert_int_equal(module->node_type_count, 2);
    assert_true(brant__text_equal(module->node_types[0].name, BRANT__TEXT("Call")));
    assert_true(brant__text_equal(module->node_types[1].name, BRANT__TEXT("Agent")));
    assert_int_equal(module->edge_type_count, 2);
    assert_true(brant__text_equal(module->edge_types[0].name, BRANT__TEXT("Triggered")));
    assert_true(brant__text_equal(module->edge_types[1].name, BRANT__TEXT("BelongsTo")));
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(module->edge_types[i].source_count, SIZE_MAX);
        assert_int_equal(module->edge_types[i].target_count, SIZE_MAX);
        assert_int_equal(module->edge_types[i].max_out, -1);
        assert_int_equal(module->edge_types[i].max_in, -1);
    }
    brant__json good = parsed("{\"status\":\"done\"}"), bad = parsed("{\"status\":\"lost\"}");
    assert_true(accepts(module->node_types[0].schema, good.root));
    assert_false(accepts(module->node_types[0].schema, bad.root));
    assert_true(accepts(module->node_types[1].schema, bad.root));
    assert_false(accepts(module->edge_types[1].schema, good.root));
    brant__json_free(&bad);
    brant__json_free(&good);
    brant__module_free(module);
}

/* What TypeBox prints of a module that takes in an entry of another one: "Base" is there twice, with the same $id. */
static void a_name_that_is_there_twice_is_the_innermost(void **state) {
    (void)state;
    brant__module *module = read_module(
        "{\"$defs\":{\"Base\":{\"$id\":\"Base\",\"required\":[\"n\"]},"
        "\"Taken\":{\"$id\":\"Taken\",\"$ref\":\"Shape\",\"$defs\":{"
        "\"Base\":{\"$id\":\"Base\",\"required\":[\"id\"]},"
        "\"Shape\":{\"$id\":\"Shape\",\"properties\":{\"base\":{\"$ref\":\"Base\"}}}}},"
        "\"TaskNode\":{\"$id\":\"TaskNode\",\"properties\":{\"mine\":{\"$ref\":\"Base\"},"
        "\"theirs\":{\"$ref\":\"Taken\"}}}}}");
    const brant__schema *task = module->node_types[0].schema;
    brant__json good = parsed("{\"mine\":{\"n\":1},\"theirs\":{\"base\":{\"id\":1}}}");
    brant__json bad[] = {parsed("{\"mine\":{\"id\":1}}"),
                         parsed("{\"theirs\":{\"base\":{\"n\":1}}}")};
    assert_true(accepts(task, good.root));
    for (size_t i = 0; i < BRANT__COUNT(bad); i++) {
        assert_false(accepts(task, bad[i].root));
        brant__json_free(&bad[i]);
    }
    brant__json_free(&good);
    brant__module_free(module);
}

static void without_nodes_it_is_untyped(void **state) {
    (void)state;
    static const char *const texts[] = {"{}", "{\"$defs\":{}}",
                                        "{\"$defs\":{\"Helper\":{\"type\":\"object\"}}}"};
    for (size_t i = 0; i < BRANT__COUNT(texts); i++) {
        brant__module *module = read_module(texts[i]);
        assert_false(module->typed);
        assert_int_equal(module->node_type_count, 0);
        assert_int_equal(module->edge_type_count, 0);
        assert_int_equal(module->id.length, 0);
        brant__module_free(module);
    }
}

static void definitions_serve_as_well(void **state) {
    (void)state;
    brant__module *module = read_module(
        "{\"definitions\":{\"ANode\":{\"$ref\":\"#/definitions/B\"},\"B\":{\"type\":\"null\"}}}");
    assert_int_equal(module->node_type_count, 1);
    brant__module_free(module);
}

typedef struct configuration {
    const char *entry;
    brant__module_config config;
} configuration;

#define DEFAULTS BRANT__DIRECTED, false, true, false, -1, -1

static const configuration configurations[] = {
    {"{}", {DEFAULTS}},
    {"{\"type\":\"object\"}", {DEFAULTS}},
    {"{\"directed\":\"undirected\",\"multi\":true,\"allow_self_loops\":false,\"acyclic\":true,"
     "\"max_nodes\":0,\"max_edges\":9}",
     {BRANT__UNDIRECTED, true, false, true, 0, 9}},
    {"{\"title\":\"T\",\"description\":\"d\",\"directed\":\"mixed\"}",
     {BRANT__MIXED, false, true, false, -1, -1}},
    {"{\"type\":\"object\",\"properties\":{\"directed\":{\"const\":\"mixed\"},\"multi\":{\"const\":"
     "true},\"max_nodes\":{\"const\":5.0}}}",
     {BRANT__MIXED, true, true, false, 5, -1}},
    {"{\"properties\":{\"directed\":{\"enum\":[\"undirected\"]},\"max_edges\":{\"anyOf\":[{"
     "\"const\":7},{\"type\":\"null\"}],\"default\":7}}}",
     {BRANT__UNDIRECTED, false, true, false, -1, 7}},
    {"{\"$ref\":\"Base\"}", {BRANT__DIRECTED, true, true, false, -1, -1}},
    {"{\"allOf\":[{\"$ref\":\"#/$defs/"
     "Base\"},{\"properties\":{\"directed\":{\"const\":\"mixed\"},\"multi\":{\"const\":false}}}]}",
     {BRANT__MIXED, false, true, false, -1, -1}},
};

static void config_is_read(void **state) {
    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(configurations); i++) {
        const configuration *expected = &configurations[i];
        brant__buffer text = {0};
        /* A base may leave open what the module fixes. */
        brant__buffer_format(
            &text,
            "{\"$defs\":{\"Base\":{\"properties\":{\"directed\":{\"enum\":[\"directed\",\"mixed\"]}"
            ",\"multi\":{\"const\":true}}},\"Config\":%s}}",
            expected->entry);
        brant__buffer_append_byte(&text, '\0');
        brant__module *module = read_module(text.data);
        const brant__module_config *config = &module->config;
        const bool same = config->direction == expected->config.direction &&
                          config->multi == expected->config.multi &&
                          config->allow_self_loops == expected->config.allow_self_loops &&
                          config->acyclic == expected->config.acyclic &&
                          config->max_nodes == expected->config.max_nodes &&
                          config->max_edges == expected->config.max_edges;
        if (!same) fail_msg("%s", expected->entry);
        brant__module_free(module);
        brant__buffer_free(&text);
    }
}

static void constraints_are_read(void **state) {
    (void)state;
    static const char *const forms[] = {
        "{\"type\":\"object\",\"properties\":{\"source\":{\"const\":\"A\"},\"target\":{\"anyOf\":[{"
        "\"const\":\"C\"},{\"const\":\"A\"}]},\"max_out\":{\"const\":3}}}",
        "{\"properties\":{\"source\":{\"enum\":[\"A\",\"A\"]},\"target\":{\"enum\":[\"C\",\"A\"]},"
        "\"max_out\":{\"enum\":[3]}}}",
        "{\"properties\":{\"source\":{\"oneOf\":[{\"const\":\"A\"}]},\"target\":{\"oneOf\":[{"
        "\"type\":\"string\",\"const\":\"C\"},{\"const\":\"A\"}]},\"max_out\":{\"const\":3}}}",
        "{\"source\":\"A\",\"target\":[\"C\",\"A\"],\"max_out\":3,\"description\":\"d\"}",
    };
    for (size_t i = 0; i < BRANT__COUNT(forms); i++) {
        brant__buffer text = {0};
        brant__buffer_format(&text,
                             "{\"$defs\":{\"LinksEdgeConstraints\":%s,\"ANode\":{},\"BNode\":{},"
                             "\"CNode\":{},\"LinksEdge\":{},\"OtherEdge\":{}}}",
                             forms[i]);
        brant__buffer_append_byte(&text, '\0');
        brant__module *module = read_module(text.data);
        const brant__edge_type *edge = &module->edge_types[0];
        assert_int_equal(edge->source_count, 1);
        assert_int_equal(edge->sources[0], 0);
        assert_int_equal(edge->target_count, 2);
        assert_int_equal(edge->targets[0], 2);
        assert_int_equal(edge->targets[1], 0);
        assert_int_equal(edge->max_out, 3);
        assert_int_equal(edge->max_in, -1);
        assert_int_equal(module->edge_types[1].source_count, SIZE_MAX);
        brant__module_free(module);
        brant__buffer_free(&text);
    }
}

typedef struct fault {
    const char *module;
    const char *instance;
    const char *message;
} fault;

static const fault faults[] = {
    {"[]", "", "must be an object with $defs"},
    {"3", "", "must be an object with $defs"},
    {"{\"$defs\":[]}", "/$defs", "object of named schemas"},
    {"{\"$defs\":{\"callNode\":{}}}", "/$defs/callNode", "PascalCase"},
    {"{\"$defs\":{\"Call_1Node\":{}}}", "/$defs/Call_1Node", "PascalCase"},
    {"{\"definitions\":{\"\\u00c4Edge\":{}}}",
     "/definitions/\xc3\x84"
     "Edge",
     "PascalCase"},
    {"{\"$defs\":{\"a/bEdgeConstraints\":{}}}", "/$defs/a~1bEdgeConstraints", "PascalCase"},
    {"{\"$defs\":{\"ANode\":{\"properties\":{\"x\":{\"type\":\"strin\"}}}}}",
     "/$defs/ANode/properties/x/type", "must be one of"},
    {"{\"$defs\":{\"ANode\":{},\"Unused\":{\"pattern\":\"(\"}}}", "/$defs/Unused/pattern",
     "regular expression"},
    {"{\"$defs\":{\"ANode\":{\"$ref\":\"Bnode\"}}}", "/$defs/ANode/$ref",
     "\"Bnode\" is not within the bundle"},
    {"{\"$defs\":{\"ANode\":{\"$ref\":\"ANode\"}}}", "/$defs/ANode", "never ends"},
    {"{\"$defs\":{\"ANode\":{\"minLenght\":1}}}", "/$defs/ANode/minLenght", "minLength"},
    {"{\"$defs\":{\"Config\":3}}", "/$defs/Config", "must be a schema"},
    {"{\"$defs\":{\"Config\":{\"directed\":true}}}", "/$defs/Config/directed", "\"undirected\""},
    {"{\"$defs\":{\"Config\":{\"properties\":{\"directed\":{\"type\":\"string\"}}}}}",
     "/$defs/Config/properties/directed", "literal"},
    {"{\"$defs\":{\"Config\":{\"properties\":{\"multi\":{\"const\":1}}}}}",
     "/$defs/Config/properties/multi", "true or false"},
    {"{\"$defs\":{\"Config\":{\"max_nodes\":-1}}}", "/$defs/Config/max_nodes", "not negative"},
    {"{\"$defs\":{\"Config\":{\"max_edges\":1.5}}}", "/$defs/Config/max_edges", "integer"},
    {"{\"$defs\":{\"Config\":{\"Directed\":\"mixed\"}}}", "/$defs/Config/Directed",
     "must be one of directed, multi"},
    {"{\"$defs\":{\"Config\":{\"allOf\":[{\"properties\":{\"x/y\":{\"const\":1}}}]}}}",
     "/$defs/Config/allOf/0/properties/x~1y", "must be one of directed"},
    {"{\"$defs\":{\"ANode\":{},\"XEdgeConstraints\":{\"source\":\"A\"}}}",
     "/$defs/XEdgeConstraints", "edge type that the module does not have"},
    {"{\"$defs\":{\"ANode\":{},\"XEdge\":{},\"XEdgeConstraints\":{\"source\":\"B\"}}}",
     "/$defs/XEdgeConstraints/source", "\"B\" is not a node type"},
    {"{\"$defs\":{\"ANode\":{},\"XEdge\":{},\"XEdgeConstraints\":{\"source\":\"ANode\"}}}",
     "/$defs/XEdgeConstraints/source", "not a node type"},
    {"{\"$defs\":{\"ANode\":{},\"XEdge\":{},\"XEdgeConstraints\":{\"properties\":{\"target\":{"
     "\"type\":\"string\"}}}}}",
     "/$defs/XEdgeConstraints/properties/target", "literals"},
    {"{\"$defs\":{\"ANode\":{},\"XEdge\":{},\"XEdgeConstraints\":{\"max_in\":\"1\"}}}",
     "/$defs/XEdgeConstraints/max_in", "integer"},
    {"{\"$defs\":{\"ANode\":{},\"XEdge\":{},\"XEdgeConstraints\":{\"sources\":[\"A\"]}}}",
     "/$defs/XEdgeConstraints/sources", "must be one of source, target"},
};

static void faults_have_pointers(void **state) {
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < BRANT__COUNT(faults); i++) {
        const fault *expected = &faults[i];
        brant__json json = parsed(expected->module);
        brant__module *module = NULL;
        brant__error_clear();
        const brant_status status = brant__module_parse(&module, json.root);
        if (status != BRANT_VALIDATION)
            fail_msg("%s: %s", expected->module, brant_status_name(status));
        assert_null(module);
        brant__json detail = parsed(brant_last_error()->detail);
        yyjson_val *first = yyjson_arr_get_first(yyjson_obj_get(detail.root, "violations"));
        const char *instance = yyjson_get_str(yyjson_obj_get(first, "instance")),
                   *message = yyjson_get_str(yyjson_obj_get(first, "message"));
        if (strcmp(instance, expected->instance) != 0 || !strstr(message, expected->message)) {
            print_error("%s: %s %s\n", expected->module, instance, message);
            wrong++;
        }
        brant__json_free(&detail);
        brant__json_free(&json);
    }
    assert_int_equal(wrong, 0);
}

static void reading_without_memory(void **state) {
    (void)state;
    brant__json json = parsed(
        "{\"$id\":\"m\",\"$defs\":{" CALL ",\"LinksEdge\":{\"properties\":{\"p\":{\"pattern\":\"^"
        "a\"}}},\"LinksEdgeConstraints\":{\"source\":[\"Call\"]},"
        "\"Config\":{\"allOf\":[{\"properties\":{\"multi\":{\"const\":true}}}]}}}");
    for (size_t successes = 0;; successes++) {
        brant__module *module = NULL;
        failing_allocator_start(successes);
        brant__error_clear();
        const brant_status status = brant__module_parse(&module, json.root);
        const bool refused = failing.failed;
        assert_true(status == BRANT_OK ? module != NULL : module == NULL);
        assert_true(status == BRANT_OK || status == BRANT_NO_MEMORY);
        brant__module_free(module);
        assert_int_equal(failing.alive, 0);
        failing_allocator_stop();
        if (!refused) {
            assert_int_equal(status, BRANT_OK);
            break;
        }
    }
    brant__json_free(&json);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_found_by_name),
        cmocka_unit_test(a_name_that_is_there_twice_is_the_innermost),
        cmocka_unit_test(without_nodes_it_is_untyped),
        cmocka_unit_test(definitions_serve_as_well),
        cmocka_unit_test(config_is_read),
        cmocka_unit_test(constraints_are_read),
        cmocka_unit_test(faults_have_pointers),
        cmocka_unit_test(reading_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
