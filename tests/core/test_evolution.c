/*
 * tests/core/test_evolution.c: modules without a database: classes keyword by keyword, casting, JSON Patch, imports, warnings.
 */
#include "test_graph.h"

#include "evolution/relation.h"
#include "test_base_allocator.h"

/* ---- classes ------------------------------------------------------------------------------------------------------------- */

typedef struct change {
    const char *from;
    const char *to;
    brant__class class;
} change;

#define I BRANT__IDENTICAL
#define A BRANT__ADDITIVE
#define U BRANT__UPCAST
#define B BRANT__BREAKING

/* An object with the property p, closed. */
#define P(schema)                                                                                  \
    "{\"type\":\"object\",\"properties\":{\"p\":" schema "},\"additionalProperties\":false}"

static const change changes[] = {
    /* type */
    {"{\"type\":\"integer\"}", "{\"type\":\"number\"}", A},
    {"{\"type\":\"number\"}", "{\"type\":\"integer\"}", B},
    {"{\"type\":\"string\"}", "{\"type\":[\"string\",\"null\"]}", A},
    {"{\"type\":[\"string\",\"null\"]}", "{\"type\":\"string\"}", B},
    {"{\"type\":\"string\"}", "{\"type\":\"string\",\"nullable\":true}", A},
    {"{\"type\":\"string\",\"nullable\":true}",
     "{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"string\"}]}", I},
    {"{\"type\":\"integer\"}", "{\"type\":\"number\",\"multipleOf\":1}", I},
    {"true", "{}", I},
    {"{\"type\":\"string\"}", "false", B},
    {"false", "{\"type\":\"string\"}", A},
    {"{\"type\":\"string\",\"title\":\"a\"}", "{\"type\":\"string\",\"title\":\"b\"}", I},
    /* const, enum */
    {"{\"const\":\"a\"}", "{\"enum\":[\"a\",\"b\"]}", A},
    {"{\"enum\":[\"a\",\"b\"]}", "{\"enum\":[\"b\",\"a\"]}", I},
    {"{\"enum\":[\"a\",\"b\"]}", "{\"enum\":[\"a\"]}", B},
    {"{\"enum\":[\"a\",1]}", "{\"type\":[\"string\",\"integer\"]}", A},
    {"{\"anyOf\":[{\"const\":\"a\"},{\"const\":\"b\"}]}", "{\"enum\":[\"a\",\"b\"]}", I},
    {"{\"type\":\"string\",\"enum\":[\"a\",1]}", "{\"const\":\"a\"}", I},
    {"{\"const\":1}", "{\"const\":1.0}", I},
    /* numbers */
    {"{\"minimum\":1}", "{\"minimum\":0}", A},
    {"{\"minimum\":0}", "{\"minimum\":1}", B},
    {"{\"minimum\":1}", "{\"exclusiveMinimum\":1}", B},
    {"{\"exclusiveMinimum\":1}", "{\"minimum\":1}", A},
    {"{\"maximum\":1}", "{\"maximum\":2}", A},
    {"{\"maximum\":1}", "{\"exclusiveMaximum\":1}", B},
    {"{\"minimum\":1,\"exclusiveMinimum\":true}", "{\"exclusiveMinimum\":1}", I},
    {"{\"multipleOf\":6}", "{\"multipleOf\":3}", A},
    {"{\"multipleOf\":3}", "{\"multipleOf\":6}", B},
    {"{\"type\":\"number\",\"multipleOf\":2}", "{\"type\":\"integer\"}", A},
    /* strings */
    {"{\"minLength\":1}", "{\"minLength\":0}", A},
    {"{\"maxLength\":5}", "{\"maxLength\":4}", B},
    {"{\"pattern\":\"^a\"}", "{\"pattern\":\"^a\"}", I},
    {"{\"pattern\":\"^a\"}", "{\"pattern\":\"^b\"}", B},
    {"{\"pattern\":\"^a\"}", "{}", A},
    {"{\"format\":\"date\"}", "{}", A},
    {"{}", "{\"format\":\"date\"}", B},
    {"{}", "{\"format\":\"phone\"}", I},
    /* arrays */
    {"{\"items\":{\"type\":\"integer\"}}", "{\"items\":{\"type\":\"number\"}}", A},
    {"{\"items\":{\"type\":\"number\"}}", "{\"items\":{\"type\":\"integer\"}}", B},
    {"{\"items\":" P("{\"type\":\"string\"}") "}",
     "{\"items\":{\"type\":\"object\",\"additionalProperties\":false}}", U},
    {"{\"uniqueItems\":true,\"items\":" P("true") "}",
     "{\"uniqueItems\":true,\"items\":{\"type\":\"object\",\"additionalProperties\":false}}", B},
    {"{\"minItems\":2}", "{\"minItems\":1}", A},
    {"{\"maxItems\":1}", "{\"uniqueItems\":true}", A},
    {"{\"uniqueItems\":true}", "{}", A},
    {"{}", "{\"uniqueItems\":true}", B},
    {"{\"prefixItems\":[{\"type\":\"string\"}]}",
     "{\"prefixItems\":[{\"type\":\"string\"},{\"type\":\"string\"}]}", B},
    {"{\"items\":[{\"type\":\"string\"}],\"additionalItems\":false}",
     "{\"prefixItems\":[{\"type\":\"string\"}],\"items\":false}", I},
    {"{\"contains\":{\"type\":\"integer\"}}", "{\"contains\":{\"type\":\"number\"}}", A},
    {"{\"contains\":{\"type\":\"integer\"},\"maxContains\":2}",
     "{\"contains\":{\"type\":\"number\"},\"maxContains\":2}", B},
    {"{\"contains\":true,\"minContains\":2}", "{\"contains\":true,\"minContains\":1}", A},
    {"{\"unevaluatedItems\":false,\"prefixItems\":[true]}",
     "{\"unevaluatedItems\":false,\"prefixItems\":[true]}", I},
    /* objects */
    {P("{\"type\":\"string\"}"), P("{\"type\":\"string\"},\"q\":{\"type\":\"string\"}"), A},
    {"{\"properties\":{\"p\":{\"type\":\"string\"}}}",
     "{\"properties\":{\"p\":{\"type\":\"string\"},\"q\":{\"type\":\"string\"}}}", B},
    {"{\"properties\":{\"p\":{\"type\":\"string\"}}}",
     "{\"properties\":{\"p\":{\"type\":\"string\"},\"q\":{}}}", I},
    {P("{\"type\":\"string\"},\"q\":{\"type\":\"string\"}"), P("{\"type\":\"string\"}"), U},
    {"{\"properties\":{\"p\":{\"type\":\"string\"}}}", "{\"properties\":{}}", A},
    {P("{\"type\":\"string\"}"),
     "{\"type\":\"object\",\"properties\":{\"p\":{\"type\":\"string\"}},\"required\":[\"p\"],"
     "\"additionalProperties\":false}",
     B},
    {P("{\"type\":\"string\"}"),
     "{\"type\":\"object\",\"properties\":{\"p\":{\"type\":\"string\",\"default\":\"x\"}},"
     "\"required\":[\"p\"],\"additionalProperties\":false}",
     U},
    {P("{\"type\":\"string\"}"),
     "{\"type\":\"object\",\"properties\":{\"p\":{\"type\":\"string\",\"default\":7}},\"required\":"
     "[\"p\"],\"additionalProperties\":false}",
     B},
    {"{\"required\":[\"p\"]}", "{}", A},
    {"{\"type\":\"object\"}", "{\"type\":\"object\",\"additionalProperties\":false}", U},
    {"{\"type\":\"object\",\"additionalProperties\":false}", "{\"type\":\"object\"}", A},
    {"{\"additionalProperties\":{\"type\":\"integer\"}}",
     "{\"additionalProperties\":{\"type\":\"number\"}}", A},
    {P("{\"type\":\"integer\"}"), "{\"additionalProperties\":{\"type\":\"integer\"}}", A},
    {"{\"patternProperties\":{\"^a\":{\"type\":\"integer\"}},\"additionalProperties\":false}",
     "{\"patternProperties\":{\"^a\":{\"type\":\"number\"}},\"additionalProperties\":false}", A},
    {P("{\"type\":\"integer\"}"),
     "{\"type\":\"object\",\"patternProperties\":{\"^p\":{\"type\":\"number\"}},"
     "\"additionalProperties\":false}",
     A},
    {"{\"minProperties\":1}", "{\"minProperties\":2}", B},
    {"{\"required\":[\"a\",\"b\"],\"type\":\"object\"}", "{\"minProperties\":2}", A},
    {"{\"maxProperties\":1}", "{\"maxProperties\":2}", A},
    {"{\"propertyNames\":{\"maxLength\":2}}", "{\"propertyNames\":{\"maxLength\":3}}", A},
    {"{\"dependentRequired\":{\"a\":[\"b\",\"c\"]}}", "{\"dependentRequired\":{\"a\":[\"c\"]}}", A},
    {"{\"dependentRequired\":{\"a\":[\"b\"]}}", "{\"dependentRequired\":{\"a\":[\"c\"]}}", B},
    {"{\"dependentSchemas\":{\"a\":{\"minProperties\":2}}}",
     "{\"dependentSchemas\":{\"a\":{\"minProperties\":1}}}", A},
    {"{\"unevaluatedProperties\":false,\"properties\":{\"a\":true}}",
     "{\"unevaluatedProperties\":false,\"properties\":{\"a\":true}}", I},
    {"{\"unevaluatedProperties\":false,\"properties\":{\"a\":true}}",
     "{\"properties\":{\"a\":true}}", A},
    {"{\"unevaluatedProperties\":false,\"properties\":{\"a\":true,\"b\":true}}",
     "{\"unevaluatedProperties\":false,\"properties\":{\"a\":true}}", B},
    /* for the same value */
    {"{\"anyOf\":[{\"type\":\"string\"}]}",
     "{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"string\"}]}", A},
    {"{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"string\"}]}",
     "{\"anyOf\":[{\"type\":\"string\"}]}", B},
    {"{\"oneOf\":[{\"type\":\"string\"},{\"type\":\"integer\"}]}",
     "{\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"string\"},{\"type\":\"null\"}]}", A},
    {"{\"oneOf\":[{\"minLength\":1},{\"type\":\"integer\"}]}",
     "{\"oneOf\":[{\"minLength\":1},{\"type\":\"integer\"},{\"type\":\"string\"}]}", B},
    {"{\"oneOf\":[{\"type\":\"string\"},{\"type\":\"integer\"}]}",
     "{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"string\"}]}", I},
    {"{\"oneOf\":[{\"properties\":{\"k\":{\"const\":\"x\"}},\"required\":[\"k\"],\"type\":"
     "\"object\"}]}",
     "{\"oneOf\":[{\"properties\":{\"k\":{\"const\":\"y\"}},\"required\":[\"k\"],\"type\":"
     "\"object\"},{\"properties\":{\"k\":{\"const\":\"x\"}},\"required\":[\"k\"],\"type\":"
     "\"object\"}]}",
     A},
    {"{\"allOf\":[{\"type\":\"object\"},{\"required\":[\"a\"]}]}",
     "{\"type\":\"object\",\"required\":[\"a\"]}", I},
    {"{\"allOf\":[{\"minimum\":1}]}", "{\"allOf\":[{\"minimum\":1},{\"maximum\":3}]}", B},
    {"{\"not\":{\"type\":\"string\"}}", "{\"not\":{\"type\":[\"string\",\"null\"]}}", B},
    {"{\"not\":{\"type\":[\"string\",\"null\"]}}", "{\"not\":{\"type\":\"string\"}}", A},
    {"{\"type\":\"integer\"}", "{\"not\":{\"type\":\"string\"}}", A},
    {"{\"if\":{\"type\":\"string\"},\"then\":{\"minLength\":2}}",
     "{\"if\":{\"type\":\"string\"},\"then\":{\"minLength\":1}}", A},
    {"{\"if\":{\"type\":\"string\"},\"then\":{\"minLength\":2},\"else\":false}",
     "{\"type\":\"string\",\"minLength\":2}", I},
    /* references, recursion */
    {"{\"$ref\":\"#/$defs/T\",\"$defs\":{\"T\":{\"type\":\"string\"}}}", "{\"type\":\"string\"}",
     I},
    {"{\"$ref\":\"#/$defs/T\",\"$defs\":{\"T\":" P("{\"$ref\":\"#/$defs/T\"}") "}}",
     "{\"$ref\":\"#/$defs/T\",\"$defs\":{\"T\":" P("{\"$ref\":\"#/$defs/T\"},\"q\":true") "}}", A},
    {"{\"$ref\":\"#/$defs/T\",\"$defs\":{\"T\":" P("{\"$ref\":\"#/$defs/T\"},\"q\":true") "}}",
     "{\"$ref\":\"#/$defs/T\",\"$defs\":{\"T\":" P("{\"$ref\":\"#/$defs/T\"}") "}}", U},
    {"{\"$ref\":\"#/$defs/T\",\"$defs\":{\"T\":" P(
         "{\"$ref\":\"#/$defs/T\"},\"q\":{\"type\":\"string\"}") "}}",
     "{\"$ref\":\"#/$defs/T\",\"$defs\":{\"T\":" P(
         "{\"$ref\":\"#/$defs/T\"},\"q\":{\"type\":\"null\"}") "}}",
     B},
    /* unions that casting decides */
    {P("{\"type\":\"string\"},\"q\":true"),
     "{\"anyOf\":[{\"type\":\"null\"}," P("{\"type\":\"string\"}") "]}", U},
};

static brant__class class_of(const char *from, const char *to) {
    const char *texts[] = {from, to};
    brant__json json[2] = {{0}, {0}};
    brant__schema *schemas[2] = {NULL, NULL};
    for (int i = 0; i < 2; i++) {
        json[i] = parsed(texts[i]);
        if (brant__schema_compile(&schemas[i], json[i].root, json[i].root, BRANT__TEXT("")) !=
            BRANT_OK)
            fail_msg("%s: %s", texts[i], brant_last_error()->message);
    }
    brant__relation relation = {.schemas = {schemas[0], schemas[1]},
                                .documents = {json[0].root, json[1].root}};
    const brant__class class =
        brant__relation_class(&relation, schemas[0]->entry, schemas[1]->entry);
    brant__relation_free(&relation);
    for (int i = 0; i < 2; i++) {
        brant__schema_free(schemas[i]);
        brant__json_free(&json[i]);
    }
    return class;
}

static void test_classes(void **state) {
    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(changes); i++) {
        const brant__class class = class_of(changes[i].from, changes[i].to);
        if (class != changes[i].class)
            fail_msg("%s -> %s: %s, wanted %s", changes[i].from, changes[i].to,
                     brant__class_names[class], brant__class_names[changes[i].class]);
        assert_int_equal(class_of(changes[i].to, changes[i].to), BRANT__IDENTICAL);
    }
}

/* ---- the operations, without a handle ------------------------------------------------------------------------------------- */

#define MODULE(entries) "{\"$id\":\"m\",\"$defs\":{" entries "}}"
#define NODE(schema)    MODULE("\"TNode\":" schema)

static void test_diff(void **state) {
    (void)state;
    is(NULL, "modules.diff", "{\"class\":\"identical\",\"edits\":[]}", "{\"from\":%s,\"to\":%s}",
       NODE("true"), NODE("true"));
    is(NULL, "modules.diff",
       "{\"class\":\"identical\",\"edits\":[{\"op\":\"add\",\"pointer\":\"/$defs/TNode/title\","
       "\"entry\":\"TNode\",\"class\":\"identical\",\"reason\":\"no validation depends on it\"}]}",
       "{\"from\":%s,\"to\":%s}", NODE("{}"), NODE("{\"title\":\"x\"}"));
    is(NULL, "modules.diff",
       "{\"class\":\"upcast\",\"edits\":[{\"op\":\"add\",\"pointer\":\"/$defs/TNode/properties/"
       "a~1b\","
       "\"entry\":\"TNode\",\"class\":\"additive\",\"reason\":\"\\\"a/b\\\" is new\"},"
       "{\"op\":\"add\",\"pointer\":\"/$defs/TNode/"
       "required\",\"entry\":\"TNode\",\"class\":\"upcast\","
       "\"reason\":\"\\\"a/b\\\" is required now; casting fills its default\"}]}",
       "{\"from\":%s,\"to\":%s}", NODE("{\"type\":\"object\",\"additionalProperties\":false}"),
       NODE("{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"a/b\":{\"type\":"
            "\"integer\",\"default\":1}},\"required\":[\"a/b\"]}"));
    holds(NULL, "modules.diff",
          "{\"class\":\"breaking\",\"edits\":[{\"op\":\"remove\",\"pointer\":\"/$defs/TNode\","
          "\"entry\":\"TNode\",\"class\":\"breaking\"",
          "{\"from\":%s,\"to\":%s}", MODULE("\"TNode\":{},\"SNode\":{}"), MODULE("\"SNode\":{}"));
    holds(NULL, "modules.diff",
          "{\"class\":\"additive\",\"edits\":[{\"op\":\"add\",\"pointer\":\"/$defs/TNode\"",
          "{\"from\":%s,\"to\":%s}", MODULE("\"SNode\":{}"), MODULE("\"TNode\":{},\"SNode\":{}"));
    /* Configuration and constraints. */
#define CONFIG(members) MODULE("\"Config\":{\"properties\":{" members "}},\"TNode\":{}")
    static const struct {
        const char *from, *to, *wanted;
    } configs[] = {
        {CONFIG("\"acyclic\":{\"const\":false}"), CONFIG("\"acyclic\":{\"const\":true}"),
         "\"breaking\",\"edits\":[{\"op\":\"replace\",\"pointer\":\"/$defs/Config/properties/"
         "acyclic\""},
        {CONFIG("\"acyclic\":{\"const\":true}"), CONFIG(""),
         "\"additive\",\"edits\":[{\"op\":\"remove\""},
        {CONFIG(""), CONFIG("\"max_nodes\":{\"const\":3}"),
         "\"breaking\",\"edits\":[{\"op\":\"add\""},
        {CONFIG("\"max_nodes\":{\"const\":3}"), CONFIG("\"max_nodes\":{\"const\":4}"),
         "\"additive\""},
        {CONFIG("\"multi\":{\"const\":true}"), CONFIG("\"multi\":{\"const\":false}"),
         "\"breaking\""},
        {CONFIG("\"allow_self_loops\":{\"const\":false}"),
         CONFIG("\"allow_self_loops\":{\"const\":true}"), "\"additive\""},
        {CONFIG(""), CONFIG("\"directed\":{\"const\":\"undirected\"}"), "\"breaking\""},
        {MODULE("\"TNode\":{},\"EEdge\":{},\"EEdgeConstraints\":{\"max_out\":2}"),
         MODULE("\"TNode\":{},\"EEdge\":{},\"EEdgeConstraints\":{\"max_out\":1,\"source\":\"T\"}"),
         "\"breaking\""},
        {MODULE("\"TNode\":{},\"EEdge\":{},\"EEdgeConstraints\":{\"source\":\"T\"}"),
         MODULE("\"TNode\":{},\"EEdge\":{}"), "\"additive\""},
        {MODULE("\"TNode\":{}"), MODULE("\"T\":{}"), "\"breaking\""},
    };
    for (size_t i = 0; i < BRANT__COUNT(configs); i++)
        holds(NULL, "modules.diff", configs[i].wanted, "{\"from\":%s,\"to\":%s}", configs[i].from,
              configs[i].to);
    fails(NULL, "modules.diff", BRANT_VALIDATION, "type", "{\"from\":%s,\"to\":%s}", NODE("{}"),
          NODE("{\"type\":\"x\"}"));
    fails(NULL, "modules.diff", BRANT_INVALID, "from", "{\"to\":{}}");
}

static void test_a_helper_is_explained_once(void **state) {
    (void)state;
    is(NULL, "modules.diff",
       "{\"class\":\"breaking\",\"edits\":[{\"op\":\"replace\",\"pointer\":\"/$defs/S/"
       "minLength\",\"entry\":\"S\","
       "\"class\":\"breaking\",\"reason\":\"shorter texts were valid\"}]}",
       "{\"from\":%s,\"to\":%s}",
       MODULE("\"TNode\":{\"properties\":{\"a\":{\"$ref\":\"S\"}}},\"UNode\":{\"properties\":{"
              "\"b\":{\"$ref\":\"S\"}}},\"S\":{\"type\":\"string\",\"minLength\":1}"),
       MODULE("\"TNode\":{\"properties\":{\"a\":{\"$ref\":\"S\"}}},\"UNode\":{\"properties\":{"
              "\"b\":{\"$ref\":\"S\"}}},\"S\":{\"type\":\"string\",\"minLength\":2}"));
}

static const struct {
    const char *schema, *attributes, *wanted;
} casts[] = {
    {"{\"properties\":{\"a\":{\"type\":\"integer\",\"default\":1}},\"required\":[\"a\"]}", "{}",
     "{\"attributes\":{\"a\":1},\"changed\":true,\"edits\":[{\"op\":\"add\",\"path\":\"/"
     "a\",\"value\":1}],\"valid\":true,\"violations\":[]}"},
    {"{\"properties\":{\"a\":{\"type\":\"integer\",\"default\":1}}}", "{\"b\":2}",
     "{\"attributes\":{\"b\":2,\"a\":1},\"changed\":true,"},
    /* A default that is not valid is not filled in. */
    {"{\"properties\":{\"a\":{\"type\":\"integer\",\"default\":\"x\"}}}", "{}",
     "{\"attributes\":{},\"changed\":false,\"edits\":[],\"valid\":true,"},
    {"{\"properties\":{\"a\":{\"type\":\"integer\",\"default\":\"x\"}},\"required\":[\"a\"]}", "{}",
     "{\"attributes\":{},\"changed\":false,\"edits\":[],\"valid\":false,\"violations\":[{"
     "\"instance\":\"\""},
    /* Invalid values stay, also optional ones. */
    {"{\"properties\":{\"a\":{\"type\":\"integer\",\"default\":1},\"b\":{\"type\":\"string\"}}}",
     "{\"a\":\"x\",\"b\":5}",
     "{\"attributes\":{\"a\":\"x\",\"b\":5},\"changed\":false,\"edits\":[],\"valid\":false,"},
    /* Closed objects drop, at any depth; the pointer of a/b is escaped. */
    {"{\"additionalProperties\":false,\"properties\":{\"o\":{\"type\":\"object\","
     "\"additionalProperties\":false}}}",
     "{\"o\":{\"a/b\":1,\"~\":2},\"x\":3}",
     "{\"attributes\":{\"o\":{}},\"changed\":true,\"edits\":[{\"op\":\"remove\",\"path\":\"/o/"
     "a~1b\"},{\"op\":\"remove\",\"path\":\"/o/~0\"},{\"op\":\"remove\",\"path\":\"/x\"}],"},
    {"{\"properties\":{\"l\":{\"items\":{\"type\":\"object\",\"properties\":{\"k\":{\"default\":0}}"
     ",\"required\":[\"k\"]}}}}",
     "{\"l\":[{\"k\":1},{}]}",
     "{\"attributes\":{\"l\":[{\"k\":1},{\"k\":0}]},\"changed\":true,\"edits\":[{\"op\":\"add\","
     "\"path\":\"/l/1/k\",\"value\":0}],"},
    /* Unions: the tag decides; what is valid stays. */
    {"{\"properties\":{\"u\":{\"oneOf\":[{\"type\":\"object\",\"properties\":{\"k\":{\"const\":"
     "\"x\"},\"n\":{\"type\":\"integer\",\"default\":7}},\"required\":[\"k\",\"n\"]},"
     "{\"type\":\"object\",\"properties\":{\"k\":{\"const\":\"y\"},\"n\":{\"type\":\"integer\","
     "\"default\":8}},\"required\":[\"k\",\"n\"]}]}}}",
     "{\"u\":{\"k\":\"y\"}}", "{\"attributes\":{\"u\":{\"k\":\"y\",\"n\":8}},\"changed\":true,"},
    {"{\"properties\":{\"u\":{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"object\","
     "\"additionalProperties\":false,\"properties\":{\"a\":{\"type\":\"string\"}}}]}}}",
     "{\"u\":{\"a\":\"s\",\"z\":1}}", "{\"attributes\":{\"u\":{\"a\":\"s\"}},\"changed\":true,"},
    {"{\"properties\":{\"u\":{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"integer\"}]}}}",
     "{\"u\":[1]}", "{\"attributes\":{\"u\":[1]},\"changed\":false,\"edits\":[],\"valid\":false,"},
    /* Composition. */
    {"{\"allOf\":[{\"properties\":{\"a\":{\"default\":1}},\"required\":[\"a\"]},{\"properties\":{"
     "\"b\":{\"default\":2}},\"required\":[\"b\"]}]}",
     "{}", "{\"attributes\":{\"a\":1,\"b\":2},"},
    {"{\"allOf\":[{\"properties\":{\"a\":true}},{\"properties\":{\"b\":true}}],"
     "\"unevaluatedProperties\":false}",
     "{\"a\":1,\"c\":2}", "{\"attributes\":{\"a\":1},\"changed\":true,"},
    /* A default that would break another rule is left out. */
    {"{\"properties\":{\"a\":{\"default\":1}},\"maxProperties\":1}", "{\"b\":1}",
     "{\"attributes\":{\"b\":1},\"changed\":false,"},
    /* Recursion ends with the value. */
    {"{\"properties\":{\"t\":{\"$ref\":\"#/$defs/"
     "TNode\"},\"d\":{\"default\":0}},\"required\":[\"d\"]}",
     "{\"t\":{\"t\":{}}}", "{\"attributes\":{\"t\":{\"t\":{\"d\":0},\"d\":0},\"d\":0},"},
    {"{\"properties\":{\"t\":{\"$ref\":\"#/$defs/TNode\",\"default\":{}}}}", "{}",
     "{\"attributes\":{\"t\":{}},\"changed\":true,"},
    {"{\"properties\":{\"a\":{\"$ref\":\"#/$defs/D\"}},\"required\":[\"a\"]}", "{}",
     "{\"attributes\":{\"a\":5},"},
};

static void test_cast(void **state) {
    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(casts); i++)
        holds(NULL, "modules.cast", casts[i].wanted,
              "{\"module\":{\"$defs\":{\"TNode\":%s,\"D\":{\"default\":5}}},\"node_type\":\"T\","
              "\"attributes\":%s}",
              casts[i].schema, casts[i].attributes);
    holds(NULL, "modules.cast", "{\"attributes\":{\"w\":0}",
          "{\"module\":%s,\"edge_type\":\"E\",\"attributes\":{}}",
          MODULE("\"TNode\":{},\"EEdge\":{\"properties\":{\"w\":{\"default\":0}}}"));
    is(NULL, "modules.cast",
       "{\"attributes\":{\"a\":1},\"changed\":false,\"edits\":[],\"valid\":true,\"violations\":[]}",
       "{\"module\":{},\"node_type\":null,\"attributes\":{\"a\":1}}");
    fails(NULL, "modules.cast", BRANT_INVALID, "node_type", "{\"module\":{},\"attributes\":{}}");
    fails(NULL, "modules.cast", BRANT_INVALID, "no such node type",
          "{\"module\":%s,\"node_type\":\"X\",\"attributes\":{}}", NODE("{}"));
    fails(NULL, "modules.cast", BRANT_INVALID, "no types",
          "{\"module\":{},\"node_type\":\"X\",\"attributes\":{}}");
}

static void test_cast_is_bounded(void **state) {
    enum { DEPTH = 500 };
    (void)state;
    /* A recursive union, and a value that goes all the way down and fits nowhere. */
    brant__buffer text = {0};
    static const char begin[] =
        "{\"module\":{\"$defs\":{\"TNode\":{\"properties\":{\"u\":{\"anyOf\":[{\"$ref\":\"#/$defs/"
        "TNode\"},{\"$ref\":\"#/$defs/TNode\"},{\"type\":\"string\"}]},\"n\":{\"type\":\"null\"}}}"
        "}},\"node_type\":\"T\",\"attributes\":";
    char *answer = NULL;
    size_t length;
    brant__buffer_append(&text, begin, sizeof(begin) - 1);
    for (int i = 0; i < DEPTH; i++)
        brant__buffer_append(&text, "{\"u\":", 5);
    brant__buffer_append(&text, "{\"n\":1}", 7);
    for (int i = 0; i <= DEPTH; i++)
        brant__buffer_append_byte(&text, '}');
    const brant_status status = brant_module_cast(&answer, &length, NULL, text.data, text.length);
    assert_true(status == BRANT_OK || status == BRANT_LIMIT);
    brant_free(answer);
    brant__buffer_free(&text);
}

/* ---- JSON Patch ------------------------------------------------------------------------------------------------------------- */

typedef struct patch_case {
    const char *document, *patch;
    const char *wanted; /* NULL: fails with `code` */
    brant_status code;
} patch_case;

/* RFC 6902, appendix A, and what it leaves out. */
static const patch_case patches[] = {
    {"{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\"}]",
     "{\"foo\":\"bar\",\"baz\":\"qux\"}", 0},
    {"{\"foo\":[\"bar\",\"baz\"]}", "[{\"op\":\"add\",\"path\":\"/foo/1\",\"value\":\"qux\"}]",
     "{\"foo\":[\"bar\",\"qux\",\"baz\"]}", 0},
    {"{\"baz\":\"qux\",\"foo\":\"bar\"}", "[{\"op\":\"remove\",\"path\":\"/baz\"}]",
     "{\"foo\":\"bar\"}", 0},
    {"{\"foo\":[\"bar\",\"qux\",\"baz\"]}", "[{\"op\":\"remove\",\"path\":\"/foo/1\"}]",
     "{\"foo\":[\"bar\",\"baz\"]}", 0},
    {"{\"baz\":\"qux\",\"foo\":\"bar\"}",
     "[{\"op\":\"replace\",\"path\":\"/baz\",\"value\":\"boo\"}]",
     "{\"baz\":\"boo\",\"foo\":\"bar\"}", 0},
    {"{\"foo\":{\"bar\":\"baz\",\"waldo\":\"fred\"},\"qux\":{\"corge\":\"grault\"}}",
     "[{\"op\":\"move\",\"from\":\"/foo/waldo\",\"path\":\"/qux/thud\"}]",
     "{\"foo\":{\"bar\":\"baz\"},\"qux\":{\"corge\":\"grault\",\"thud\":\"fred\"}}", 0},
    {"{\"foo\":[\"all\",\"grass\",\"cows\",\"eat\"]}",
     "[{\"op\":\"move\",\"from\":\"/foo/1\",\"path\":\"/foo/3\"}]",
     "{\"foo\":[\"all\",\"cows\",\"eat\",\"grass\"]}", 0},
    {"{\"baz\":\"qux\",\"foo\":[\"a\",2,\"c\"]}",
     "[{\"op\":\"test\",\"path\":\"/baz\",\"value\":\"qux\"},{\"op\":\"test\",\"path\":\"/foo/"
     "1\",\"value\":2}]",
     "{\"baz\":\"qux\",\"foo\":[\"a\",2,\"c\"]}", 0},
    {"{\"baz\":\"qux\"}", "[{\"op\":\"test\",\"path\":\"/baz\",\"value\":\"bar\"}]", NULL,
     BRANT_CONFLICT},
    {"{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/child\",\"value\":{\"grandchild\":{}}}]",
     "{\"foo\":\"bar\",\"child\":{\"grandchild\":{}}}", 0},
    {"{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\",\"xyz\":123}]",
     "{\"foo\":\"bar\",\"baz\":\"qux\"}", 0},
    {"{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/baz/bat\",\"value\":\"qux\"}]", NULL,
     BRANT_INVALID},
    {"{\"/\":9,\"~1\":10}", "[{\"op\":\"test\",\"path\":\"/~01\",\"value\":10}]",
     "{\"/\":9,\"~1\":10}", 0},
    {"{\"/\":9,\"~1\":10}", "[{\"op\":\"test\",\"path\":\"/~01\",\"value\":\"10\"}]", NULL,
     BRANT_CONFLICT},
    {"{\"foo\":[\"bar\"]}", "[{\"op\":\"add\",\"path\":\"/foo/-\",\"value\":[\"abc\",\"def\"]}]",
     "{\"foo\":[\"bar\",[\"abc\",\"def\"]]}", 0},
    /* besides */
    {"{\"a\":1}", "[]", "{\"a\":1}", 0},
    {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"\",\"value\":[1]}]", "[1]", 0},
    {"{\"a/b\":1}", "[{\"op\":\"replace\",\"path\":\"/a~1b\",\"value\":2}]", "{\"a/b\":2}", 0},
    {"{\"a\":{\"b\":1}}", "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/a/c\"}]",
     "{\"a\":{\"b\":1,\"c\":{\"b\":1}}}", 0},
    {"{\"\":1}", "[{\"op\":\"remove\",\"path\":\"/\"}]", "{}", 0},
    {"{\"a\":1}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":1.0}]", "{\"a\":1}", 0},
    {"{\"a\":9223372036854775807}",
     "[{\"op\":\"test\",\"path\":\"/a\",\"value\":9223372036854775806}]", NULL, BRANT_CONFLICT},
    {"{\"a\":1}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a\"}]", "{\"a\":1}", 0},
    {"{\"a\":{}}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a/b\"}]", NULL, BRANT_INVALID},
    {"{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"/b\"}]", NULL, BRANT_INVALID},
    {"{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"/b\",\"value\":1}]", NULL, BRANT_INVALID},
    {"{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"\"}]", NULL, BRANT_INVALID},
    {"{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"a\"}]", NULL, BRANT_INVALID},
    {"{\"a~\":1}", "[{\"op\":\"remove\",\"path\":\"/a~\"}]", NULL, BRANT_INVALID},
    {"{\"a~2\":1}", "[{\"op\":\"remove\",\"path\":\"/a~2\"}]", NULL, BRANT_INVALID},
    {"[1,2]", "[{\"op\":\"remove\",\"path\":\"/01\"}]", NULL, BRANT_INVALID},
    {"[1,2]", "[{\"op\":\"remove\",\"path\":\"/-\"}]", NULL, BRANT_INVALID},
    {"[1,2]", "[{\"op\":\"remove\",\"path\":\"/2\"}]", NULL, BRANT_INVALID},
    {"[1,2]", "[{\"op\":\"add\",\"path\":\"/3\",\"value\":1}]", NULL, BRANT_INVALID},
    {"[1,2]", "[{\"op\":\"add\",\"path\":\"/2\",\"value\":3}]", "[1,2,3]", 0},
    {"[1,2]", "[{\"op\":\"add\",\"path\":\"/99999999999\",\"value\":3}]", NULL, BRANT_INVALID},
    {"{}", "[{\"op\":\"spam\",\"path\":\"/a\"}]", NULL, BRANT_INVALID},
    {"{}", "[{\"op\":\"add\",\"path\":\"/a\"}]", NULL, BRANT_INVALID},
    {"{}", "[{\"op\":\"add\",\"value\":1}]", NULL, BRANT_INVALID},
    {"{}", "[{\"path\":\"/a\",\"value\":1}]", NULL, BRANT_INVALID},
    {"{}", "[{\"op\":\"move\",\"path\":\"/a\"}]", NULL, BRANT_INVALID},
    {"5", "[{\"op\":\"add\",\"path\":\"/a\",\"value\":1}]", NULL, BRANT_INVALID},
};

static void test_patch(void **state) {
    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(patches); i++) {
        const patch_case *one = &patches[i];
        char wanted[400];
        if (!one->wanted) {
            fails(NULL, "modules.patch", one->code, "patch operation 0",
                  "{\"document\":%s,\"patch\":%s}", one->document, one->patch);
            detail_holds("{\"index\":0,\"pointer\":");
            continue;
        }
        snprintf(wanted, sizeof(wanted), "{\"document\":%s}", one->wanted);
        is(NULL, "modules.patch", wanted, "{\"document\":%s,\"patch\":%s}", one->document,
           one->patch);
    }
}

/* Each copy doubles the document, or nests it deeper. */
static void test_patch_is_bounded(void **state) {
    (void)state;
    static const char *const copies[] = {"{\"op\":\"copy\",\"from\":\"\",\"path\":\"/a\"}",
                                         "{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/a/-\"}"};
    for (int kind = 0; kind < 2; kind++) {
        brant__buffer text = {0};
        char *answer = NULL;
        size_t length;
        static const char begin[] = "{\"document\":{\"a\":[1]},\"patch\":[";
        brant__buffer_append(&text, begin, sizeof(begin) - 1);
        for (int i = 0; i < 2000; i++)
            brant__buffer_format(&text, "%s%s", i ? "," : "", copies[kind]);
        brant__buffer_append(&text, "]}", 2);
        assert_int_equal(brant_module_patch(&answer, &length, NULL, text.data, text.length),
                         BRANT_LIMIT);
        assert_null(answer);
        brant__buffer_free(&text);
    }
}

/* ---- types, validation, imports, warnings ---------------------------------------------------------------------------------- */

static void test_types(void **state) {
    (void)state;
    is(NULL, "modules.types",
       "{\"id\":\"m\",\"config\":{\"directed\":\"directed\",\"multi\":false,\"allow_self_loops\":"
       "true,\"acyclic\":true,"
       "\"max_nodes\":null,\"max_edges\":null},\"node_types\":[{\"name\":\"T\",\"schema\":{"
       "\"type\":\"object\"},\"encrypted\":[]}],\"edge_types\":"
       "[{\"name\":\"E\",\"schema\":true,\"encrypted\":[],\"source\":[\"T\"],\"target\":null,\"max_"
       "out\":1,\"max_"
       "in\":null}],\"warnings\":[]}",
       "{\"module\":%s}",
       MODULE("\"Config\":{\"acyclic\":true},\"TNode\":{\"type\":\"object\"},\"EEdge\":true,"
              "\"EEdgeConstraints\":{\"source\":\"T\",\"max_out\":1}"));
    holds(NULL, "modules.types", "{\"id\":null,", "{\"module\":{}}");
    /* Bases make no types. */
    holds(NULL, "modules.types", "\"node_types\":[{\"name\":\"T\",", "{\"module\":%s}",
          MODULE("\"BaseNode\":{},\"BaseEdge\":{},\"TNode\":{\"$ref\":\"BaseNode\"}"));
    fails(NULL, "modules.types", BRANT_VALIDATION, NULL, "{\"module\":{\"$defs\":1}}");
    assert_int_equal(brant_module_types(&(char *){NULL}, &(size_t){0}, NULL, TEXT("[]")),
                     BRANT_INVALID);
    assert_int_equal(brant_module_types(&(char *){NULL}, &(size_t){0}, NULL, TEXT("{\"module\"")),
                     BRANT_INVALID_JSON);
}

static void test_validate(void **state) {
    (void)state;
    const char *module =
        MODULE("\"TNode\":{\"properties\":{\"d\":{\"format\":\"date\"}}},\"SNode\":{},\"EEdge\":{},"
               "\"EEdgeConstraints\":{\"source\":\"T\"}");
    is(NULL, "modules.validate_node", "{\"valid\":true,\"violations\":[]}",
       "{\"module\":%s,\"type\":\"T\",\"attributes\":{\"d\":\"2024-01-31\"}}", module);
    holds(NULL, "modules.validate_node", "{\"valid\":false,\"violations\":[{\"instance\":\"/d\"",
          "{\"module\":%s,\"type\":\"T\",\"attributes\":{\"d\":\"x\"}}", module);
    holds(NULL, "modules.validate_node", "{\"valid\":true",
          "{\"module\":%s,\"type\":\"T\",\"attributes\":{\"d\":\"x\"},\"formats\":\"annotate\"}",
          module);
    holds(NULL, "modules.validate_node", "attributes are an object",
          "{\"module\":%s,\"type\":\"T\",\"attributes\":5}", module);
    fails(NULL, "modules.validate_node", BRANT_INVALID, "the module has no node type \"X\"",
          "{\"module\":%s,\"type\":\"X\",\"attributes\":{}}", module);
    fails(NULL, "modules.validate_node", BRANT_INVALID, "no types; type is null",
          "{\"module\":{},\"type\":\"X\",\"attributes\":{}}");
    holds(NULL, "modules.validate_node", "{\"valid\":true",
          "{\"module\":{},\"type\":null,\"attributes\":{}}");
    holds(NULL, "modules.validate_edge", "{\"valid\":true",
          "{\"module\":%s,\"type\":\"E\",\"attributes\":{},\"source_type\":\"T\",\"target_type\":"
          "\"S\"}",
          module);
    holds(NULL, "modules.validate_edge", "\"keyword\":\"source\"",
          "{\"module\":%s,\"type\":\"E\",\"attributes\":{},\"source_type\":\"S\"}", module);
}

/* Types that refer to one another in many ways: too much to reason about, and nothing has changed. */
static void test_what_is_the_same(void **state) {
    enum { TYPES = 100, BRANCHES = 20 };
    brant__buffer module = {0}, input = {0};
    (void)state;
    brant__buffer_format(&module, "{\"$defs\":{\"TNode\":{\"$ref\":\"#/$defs/U0\"}");
    for (int i = 0; i < TYPES; i++) {
        brant__buffer_format(&module, ",\"U%d\":{\"anyOf\":[", i);
        for (int j = 0; j < BRANCHES; j++) {
            brant__buffer_format(&module, "%s{\"required\":[\"p%d\"],\"properties\":{",
                                 j ? "," : "", j);
            for (int k = 0; k < BRANCHES; k++)
                brant__buffer_format(&module, "%s\"p%d\":{\"$ref\":\"#/$defs/U%d\"}", k ? "," : "",
                                     k, (k * 7 + i) % TYPES);
            brant__buffer_format(&module, "}}");
        }
        brant__buffer_format(&module, "]}");
    }
    brant__buffer_format(&input, "{\"from\":%.*s}},\"to\":%.*s}}}", (int)module.length,
                         (const char *)module.data, (int)module.length, (const char *)module.data);
    assert_false(input.failed);
    char *out = NULL;
    size_t length;
    assert_int_equal(brant_module_diff(&out, &length, NULL, input.data, input.length), BRANT_OK);
    assert_string_equal(out, "{\"class\":\"identical\",\"edits\":[]}");
    brant_free(out);
    brant__buffer_free(&module);
    brant__buffer_free(&input);
}

static void test_imports_of_built_in_modules(void **state) {
    (void)state;
    holds(NULL, "modules.types",
          "\"schema\":{\"allOf\":[{\"$ref\":\"#/$defs/metagraph/$defs/BaseNode\"},",
          "{\"module\":%s}",
          MODULE("\"TNode\":{\"allOf\":[{\"$ref\":\"metagraph#/$defs/"
                 "BaseNode\"},{\"properties\":{\"a\":{\"type\":\"string\"}}}]}"));
    holds(NULL, "modules.types", "\"directed\":\"undirected\",\"multi\":false,", "{\"module\":%s}",
          MODULE("\"TNode\":{},\"Config\":{\"allOf\":[{\"$ref\":\"metagraph#/$defs/"
                 "Config\"},{\"properties\":{\"directed\":{\"const\":\"undirected\"}}}]}"));
    fails(NULL, "modules.types", BRANT_VALIDATION, "refers to nothing", "{\"module\":%s}",
          NODE("{\"$ref\":\"metagraph#/$defs/Nobody\"}"));
    fails(NULL, "modules.types", BRANT_VALIDATION, "as a whole", "{\"module\":%s}",
          NODE("{\"$ref\":\"metagraph#\"}"));
    fails(NULL, "modules.types", BRANT_VALIDATION, "\"nobody#/$defs/X\"", "{\"module\":%s}",
          NODE("{\"$ref\":\"nobody#/$defs/X\"}"));
    /* What is the module's own is not taken from elsewhere. */
    holds(NULL, "modules.types", "{\"$ref\":\"metagraph#/$defs/BaseNode\"}", "{\"module\":%s}",
          MODULE("\"TNode\":{\"$ref\":\"metagraph#/$defs/"
                 "BaseNode\"},\"metagraph\":{\"$defs\":{\"BaseNode\":{}}}"));
}

static const struct {
    const char *entries, *pointer, *message;
} warnings[] = {
    {"\"TNode\":{},\"Base\":{\"properties\":{\"a\":{}}}", "/$defs/Base", "Composite"},
    {"\"TNode\":{},\"tasknode\":{}", "/$defs/tasknode", "types are entries named"},
    {"\"TNode\":{},\"NodeTask\":{}", "/$defs/NodeTask", "types are entries named"},
    {"\"TNode\":{},\"config\":{}", "/$defs/config", "the entry \\\"Config\\\""},
    {"\"TNode\":{},\"TEdges\":{}", "/$defs/TEdges", "types are entries named"},
    {"\"TNode\":{\"properties\":{\"a\":{\"format\":\"phone\"}}}",
     "/$defs/TNode/properties/a/format", "not a format that is checked"},
    {"\"TNode\":{\"properties\":{\"a\":{\"type\":\"string\",\"default\":1}}}",
     "/$defs/TNode/properties/a/default", "not valid itself"},
    {"\"TNode\":{\"additionalProperties\":false,\"required\":[\"a\"]}", "/$defs/TNode/required/0",
     "closed object"},
    {"\"TNode\":{\"allOf\":[{\"additionalProperties\":false,\"properties\":{\"a\":{}}},{"
     "\"properties\":{\"b\":{}}}]}",
     "/$defs/TNode/allOf/0", "refuses the properties of the other"},
    {"\"TEdge\":{}", "/$defs/TEdge", "is ignored"},
    {"\"TNode\":{\"type\":\"string\"}", "/$defs/TNode", "accepts no object"},
    {"\"TNode\":{\"properties\":{\"a\":{\"x-encrypted\":true,\"default\":\"s\"}}}",
     "/$defs/TNode/properties/a/default", "no secret may stand in it"},
    {"\"TNode\":{\"properties\":{\"a\":{\"x-encrypted\":true,\"const\":\"s\"}}}",
     "/$defs/TNode/properties/a/const", "no secret may stand in it"},
};

static void test_warnings(void **state) {
    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(warnings); i++) {
        char wanted[200];
        snprintf(wanted, sizeof(wanted),
                 "\"warnings\":[{\"pointer\":\"%s\",\"message\":", warnings[i].pointer);
        holds(NULL, "modules.types", wanted, "{\"module\":{\"$defs\":{%s}}}", warnings[i].entries);
        holds(NULL, "modules.types", warnings[i].message, "{\"module\":{\"$defs\":{%s}}}",
              warnings[i].entries);
    }
    /* Nothing to say of what is well. */
    static const char *const good[] = {
        "\"TNode\":{\"$ref\":\"Base\"},\"Base\":{\"properties\":{\"a\":{\"format\":\"date\","
        "\"default\":\"2024-01-31\"}}}",
        "\"BaseNode\":{},\"TNode\":{\"allOf\":[{\"$ref\":\"BaseNode\"}],\"unevaluatedProperties\":"
        "false}",
    };
    for (size_t i = 0; i < BRANT__COUNT(good); i++)
        holds(NULL, "modules.types", "\"warnings\":[]}", "{\"module\":{\"$defs\":{%s}}}", good[i]);
}

/* ---- calls with and without a handle ----------------------------------------------------------------------------------------- */

static void test_handles(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "{\"limits\":{\"document\":1024}}");
    holds(db, "modules.types", "{\"id\":\"m\"", "{\"module\":%s}", NODE("{}"));
    /* With a handle its limits and its life count. */
    fails(db, "modules.types", BRANT_LIMIT, "the limit is 1024",
          "{\"module\":{\"description\":\"%01100d\"}}", 0);
    holds(NULL, "modules.types", "{\"id\":null", "{\"module\":{\"description\":\"%01100d\"}}", 0);
    assert_int_equal(brant_close(db), BRANT_OK);
    fails(db, "modules.types", BRANT_CLOSED, NULL, "{\"module\":{}}");
    brant_db_free(db);
    holds(NULL, "operations.list", "\"modules.cast\"", "{\"namespace\":\"modules\"}");
    fails(NULL, "modules.types", BRANT_INVALID, "other", "{\"module\":{},\"other\":1}");
}

/* ---- want of memory ---------------------------------------------------------------------------------------------------------- */

#define RICH                                                                                       \
    "{\"$id\":\"m\",\"$defs\":{\"Config\":{\"$ref\":\"metagraph#/$defs/Config\"},\"TNode\":{"      \
    "\"allOf\":[{\"$ref\":\"metagraph#/$defs/BaseNode\"},{\"$ref\":\"Tree\"}],"                    \
    "\"unevaluatedProperties\":false},\"Tree\":{\"properties\":{\"u\":{\"anyOf\":[{\"type\":"      \
    "\"null\"},{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"n\":{"        \
    "\"default\":1}}}]},\"below\":{\"items\":{\"$ref\":\"Tree\"}},\"f\":{\"format\":\"phone\","    \
    "\"pattern\":\"^a\",\"default\":1}}},\"Lost\":{\"properties\":{}},\"EEdge\":{},"               \
    "\"EEdgeConstraints\":{\"source\":\"T\"}}}"
#define OTHER                                                                                      \
    "{\"$id\":\"m\",\"$defs\":{\"TNode\":{\"properties\":{\"below\":{\"items\":{\"type\":"         \
    "\"string\"}},\"f\":{\"enum\":[\"a\"]},\"new\":{}},\"required\":[\"f\"]},\"SNode\":{}}}"

static const struct {
    operation_function function;
    const char *input;
} hungry[] = {
    {brant_module_types, "{\"module\":" RICH "}"},
    {brant_module_diff, "{\"from\":" RICH ",\"to\":" OTHER "}"},
    {brant_module_diff, "{\"from\":" OTHER ",\"to\":" RICH "}"},
    {brant_module_cast,
     "{\"module\":" RICH
     ",\"node_type\":\"T\",\"attributes\":{\"u\":{\"z\":1},\"below\":[{}],\"x\":2}}"},
    {brant_module_validate_node,
     "{\"module\":" RICH ",\"type\":\"T\",\"attributes\":{\"u\":1,\"x\":2}}"},
    {brant_module_validate_edge,
     "{\"module\":" RICH ",\"type\":\"E\",\"attributes\":1,\"source_type\":\"T\"}"},
    {brant_module_patch, "{\"document\":{\"a\":[1],\"b\":{}},\"patch\":[{\"op\":\"copy\",\"from\":"
                         "\"/a\",\"path\":\"/b/c\"},"
                         "{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/"
                         "d\"},{\"op\":\"test\",\"path\":\"/b/c\",\"value\":[1]},"
                         "{\"op\":\"replace\",\"path\":\"/d/"
                         "0\",\"value\":{\"x\":\"y\"}},{\"op\":\"remove\",\"path\":\"/b\"}]}"},
};

static void test_want_of_memory(void **state) {
    (void)state;
    holds(NULL, "operations.list", "modules", "{\"namespace\":\"modules\"}"); /* it stays */
    for (size_t i = 0; i < BRANT__COUNT(hungry); i++) {
        for (size_t n = 0;; n++) {
            char *text = NULL;
            size_t length = 0;
            failing_allocator_start(n);
            const brant_status status =
                hungry[i].function(&text, &length, NULL, TEXT(hungry[i].input));
            const bool failed = failing.failed;
            brant_free(text);
            const size_t alive = failing.alive;
            failing_allocator_stop();
            if (alive != 0) fail_msg("%zu: %zu blocks leak after %zu", i, alive, n);
            if (status == BRANT_OK && !failed) break;
            if (failed && status != BRANT_OK && status != BRANT_NO_MEMORY)
                fail_msg("%zu: %s after %zu allocations: %s", i, brant_status_name(status), n,
                         brant_last_error()->message);
            if (!failed) fail_msg("%zu: %s", i, brant_last_error()->message);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_diff),
        cmocka_unit_test(test_a_helper_is_explained_once),
        cmocka_unit_test(test_cast),
        cmocka_unit_test(test_cast_is_bounded),
        cmocka_unit_test(test_patch),
        cmocka_unit_test(test_patch_is_bounded),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_validate),
        cmocka_unit_test(test_what_is_the_same),
        cmocka_unit_test(test_imports_of_built_in_modules),
        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_want_of_memory),
        GRAPH_TEST(test_handles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
