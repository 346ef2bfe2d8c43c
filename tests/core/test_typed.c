/*
 * tests/core/test_typed.c: typed operations: their specs stand alone and say the truth, and what is kept of a type lives as long as the type.
 */
#include "schema/schema.h"
#include "support_ring.h"
#include "test_graph.h"

#define SHOP                                                                                       \
    "{\"$id\":\"shop\",\"$defs\":{\"PersonNode\":{\"type\":\"object\",\"properties\":{\"name\":{"  \
    "\"type\":\"string\",\"minLength\":1},\"home\":{\"$ref\":\"Address\"}},\"required\":["         \
    "\"name\"]},\"KnowsEdge\":{\"type\":\"object\",\"properties\":{\"since\":{\"type\":"           \
    "\"integer\"}},\"required\":[\"since\"]},\"Address\":{\"type\":\"object\",\"properties\":{"    \
    "\"city\":{\"type\":\"string\"}}}}}"

static brant__schema *schema_of(yyjson_val *spec, const char *member) {
    yyjson_val *document = brant__json_get(spec, member);
    brant__schema *schema = NULL;

    if (brant__schema_compile(&schema, document, document, BRANT__TEXT("")) != BRANT_OK)
        fail_msg("%s of %s: %s", member, yyjson_get_str(brant__json_get(spec, "name")),
                 brant_last_error()->message);
    return schema;
}

static bool accepts(const brant__schema *schema, const char *text) {
    brant__json json = parsed(text);
    const bool accepted = brant__schema_accepts(schema, json.root);

    brant__json_free(&json);
    return accepted;
}

/* The spec of that name; NULL where there is none. */
static yyjson_val *spec_of(yyjson_val *list, const char *name) {
    size_t index, count;
    yyjson_val *spec;

    yyjson_arr_foreach(brant__json_get(list, "items"), index, count, spec) {
        if (yyjson_equals_str(brant__json_get(spec, "name"), name)) return spec;
    }
    return NULL;
}

static void test_specs(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    brant__json list;
    size_t index, count;
    yyjson_val *spec;

    define(db, SHOP);
    list = parsed(answer(db, "operations.list", "{\"graph_type\":\"shop\"}"));
    assert_int_equal(yyjson_arr_size(brant__json_get(list.root, "items")), 14);
    yyjson_arr_foreach(brant__json_get(list.root, "items"), index, count, spec) {
        brant__schema_free(schema_of(spec, "input_schema"));
        brant__schema_free(schema_of(spec, "output_schema"));
    }
    static const struct {
        const char *name, *member, *text;
        bool accepted;
    } rows[] = {
        {"types.shop.Person.put", "input_schema",
         "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"name\":\"A\",\"home\":{\"city\":\"U\"}}"
         "}",
         true},
        {"types.shop.Person.put", "input_schema",
         "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"name\":\"A\",\"home\":{\"city\":1}}}",
         false},
        {"types.shop.Person.put", "input_schema",
         "{\"graph\":\"g\",\"key\":\"a\",\"type\":\"Person\"}", false},
        {"types.shop.Person.get", "output_schema",
         "{\"key\":\"a\",\"type\":\"Person\",\"attributes\":{\"name\":\"A\"},\"metadata\":{},"
         "\"revision\":1,\"created_at\":1,\"updated_at\":1,\"type_version\":1}",
         true},
        {"types.shop.Person.get", "output_schema",
         "{\"key\":\"a\",\"type\":\"Person\",\"attributes\":{},\"metadata\":{},\"revision\":1,"
         "\"created_at\":1,\"updated_at\":1,\"type_version\":1}",
         false},
        {"types.shop.Knows.find", "output_schema", "{\"items\":[],\"cursor\":null}", true},
        {"types.shop.Knows.find", "output_schema", "{\"items\":[{\"key\":\"e\"}],\"cursor\":null}",
         false},
    };
    for (size_t i = 0; i < BRANT__COUNT(rows); i++) {
        spec = spec_of(list.root, rows[i].name);
        assert_non_null(spec);
        brant__schema *schema = schema_of(spec, rows[i].member);
        if (accepts(schema, rows[i].text) != rows[i].accepted)
            fail_msg("%s should %s %s", rows[i].name, rows[i].accepted ? "accept" : "reject",
                     rows[i].text);
        brant__schema_free(schema);
    }
    brant__json_free(&list);
    brant_db_free(db);
}

/* What the operations answer is what their specs say. */
static void test_answers_fit(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    brant__json list;

    define(db, SHOP);
    holds(db, "graphs.create", "id", "{\"name\":\"g\",\"graph_type\":\"shop\"}");
    list = parsed(answer(db, "operations.list", "{\"graph_type\":\"shop\"}"));
    static const char *const calls[][2] = {
        {"types.shop.Person.insert",
         "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"name\":\"A\"}}"},
        {"types.shop.Person.put",
         "{\"graph\":\"g\",\"key\":\"b\",\"attributes\":{\"name\":\"B\"}}"},
        {"types.shop.Knows.put",
         "{\"graph\":\"g\",\"source\":\"a\",\"target\":\"b\",\"attributes\":{\"since\":3}}"},
        {"types.shop.Person.get", "{\"graph\":\"g\",\"key\":\"a\"}"},
        {"types.shop.Person.find", "{\"graph\":\"g\"}"},
        {"types.shop.Knows.find", "{\"graph\":\"g\"}"},
        {"types.shop.Person.count", "{\"graph\":\"g\"}"},
        {"types.shop.Person.patch", "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"home\":{}}}"},
        {"types.shop.Person.delete", "{\"graph\":\"g\",\"key\":\"a\",\"edges\":\"delete\"}"},
    };
    for (size_t i = 0; i < BRANT__COUNT(calls); i++) {
        yyjson_val *spec = spec_of(list.root, calls[i][0]);
        assert_non_null(spec);
        brant__schema *input = schema_of(spec, "input_schema");
        brant__schema *output = schema_of(spec, "output_schema");
        assert_true(accepts(input, calls[i][1]));
        const char *text = answer(db, calls[i][0], "%s", calls[i][1]);
        if (!accepts(output, text)) fail_msg("%s: %s", calls[i][0], text);
        brant__schema_free(output);
        brant__schema_free(input);
    }
    brant__json_free(&list);
    brant_db_free(db);
}

/* More types than a handle keeps, another handle that replaces one, and a rollback. */
static void test_kept(void **state) {
    brant_db *a = must_open(in_folder(*state, "a.db"), ""),
             *b = must_open(in_folder(*state, "a.db"), "");

    for (int i = 0; i < 80; i++) {
        holds(a, "graph_types.define", "id",
              "{\"name\":\"t%d\",\"module\":{\"$defs\":{\"ANode\":{\"properties\":{\"n\":{"
              "\"const\":%d}"
              "}}}}}",
              i, i);
        holds(a, "graphs.create", "id", "{\"name\":\"g%d\",\"graph_type\":\"t%d\"}", i, i);
    }
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 80; i++) {
            char name[40];
            snprintf(name, sizeof(name), "types.t%d.A.put", i);
            holds(a, name, "\"key\"", "{\"graph\":\"g%d\",\"key\":\"k\",\"attributes\":{\"n\":%d}}",
                  i, i);
            fails(a, name, BRANT_INVALID, "/attributes/n",
                  "{\"graph\":\"g%d\",\"key\":\"k\",\"attributes\":{\"n\":%d}}", i, i + 1);
        }
    holds(a, "graph_types.define", "id", "{\"name\":\"u\",\"module\":{\"$defs\":{\"ANode\":{}}}}");
    holds(b, "operations.list", "types.u.A.put", "{\"graph_type\":\"u\"}");
    holds(a, "graph_types.delete", "true", "{\"name\":\"u\"}");
    fails(b, "operations.list", BRANT_NOT_FOUND, "\"u\"", "{\"graph_type\":\"u\"}");
    holds(a, "graph_types.define", "id", "{\"name\":\"u\",\"module\":{\"$defs\":{\"BNode\":{}}}}");
    holds(b, "operations.list", "types.u.B.put", "{\"graph_type\":\"u\"}");

    holds(b, "transaction.begin", "1", "{}");
    holds(b, "graph_types.define", "id", "{\"name\":\"v\",\"module\":{\"$defs\":{\"ANode\":{}}}}");
    holds(b, "operations.list", "types.v.A.put", "{\"graph_type\":\"v\"}");
    holds(b, "transaction.rollback", "0", "{}");
    fails(b, "types.v.A.count", BRANT_NOT_FOUND, "\"v\"", "{\"graph\":\"g\"}");
    brant_db_free(a);
    brant_db_free(b);
}

/* ---- encrypted attributes ------------------------------------------------------------------------------------------------- */

#define VAULT                                                                                      \
    "{\"$id\":\"vault\",\"$defs\":{\"KeyNode\":{\"properties\":{\"value\":{\"$ref\":\"Text\"}},"   \
    "\"required\":[\"value\"]},\"OpensEdge\":{\"properties\":{\"pin\":{\"type\":\"string\","       \
    "\"x-encrypted\":true}}},\"Text\":{\"type\":\"string\",\"minLength\":3,\"x-encrypted\":true}}" \
    "}"

/* The specs as somebody reads them who knows nothing of x-encrypted. */
static brant__json as_others_read(const char *text) {
    brant__buffer plain = {0};
    static const char word[] = "x-encrypted";
    for (const char *at; (at = strstr(text, word)); text = at + sizeof(word) - 1) {
        brant__buffer_append(&plain, text, (size_t)(at - text));
        brant__buffer_append(&plain, "title-of-no-use", 15);
    }
    brant__buffer_append(&plain, text, strlen(text) + 1);
    brant__json json = parsed(plain.data);
    brant__buffer_free(&plain);
    return json;
}

static void test_encrypted(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    brant__json list;

    define(db, VAULT);
    holds(db, "graphs.create", "id", "{\"name\":\"g\",\"graph_type\":\"vault\"}");
    must_load(db, RING_1);
    list = as_others_read(answer(db, "operations.list", "{\"graph_type\":\"vault\"}"));
    static const char *const calls[][2] = {
        {"types.vault.Key.insert",
         "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"value\":\"Canary\"}}"},
        {"types.vault.Key.put",
         "{\"graph\":\"g\",\"key\":\"b\",\"attributes\":{\"value\":\"Canary\"}}"},
        {"types.vault.Key.put",
         "{\"graph\":\"g\",\"key\":\"b\",\"attributes\":{\"value\":{\"$redacted\":true}}}"},
        {"types.vault.Opens.put",
         "{\"graph\":\"g\",\"source\":\"a\",\"target\":\"b\",\"attributes\":{\"pin\":\"Canary\"}}"},
        {"types.vault.Key.get", "{\"graph\":\"g\",\"key\":\"a\"}"},
        {"types.vault.Key.find", "{\"graph\":\"g\"}"},
        {"types.vault.Opens.find", "{\"graph\":\"g\"}"},
        {"types.vault.Key.patch",
         "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"value\":\"other Canary\"}}"},
    };
    for (size_t i = 0; i < BRANT__COUNT(calls); i++) {
        yyjson_val *spec = spec_of(list.root, calls[i][0]);
        assert_non_null(spec);
        brant__schema *input = schema_of(spec, "input_schema");
        brant__schema *output = schema_of(spec, "output_schema");
        if (!accepts(input, calls[i][1])) fail_msg("%s", calls[i][1]);
        const char *text = answer(db, calls[i][0], "%s", calls[i][1]);
        if (!accepts(output, text) || strstr(text, "anary")) fail_msg("%s: %s", calls[i][0], text);
        brant__schema_free(output);
        brant__schema_free(input);
    }
    brant__json_free(&list);
    /* What is stored goes back as it was read. */
    char *stored = strdup(answer(db, "types.vault.Key.get", "{\"graph\":\"g\",\"key\":\"a\"}"));
    brant__json node = parsed(stored);
    char *envelope = yyjson_val_write(brant__json_get(node.root, "attributes"), 0, NULL);
    assert_non_null(strstr(envelope, "\"$enc\":2"));
    holds(db, "types.vault.Key.put", "\"key\"", "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":%s}",
          envelope);
    holds(db, "nodes.open_secret", "\"other Canary\"",
          "{\"graph\":\"g\",\"key\":\"a\",\"path\":\"attributes.value\"}");
    free(envelope);
    free(stored);
    brant__json_free(&node);
    /* A value that is refused is not shown, and neither is a name in it. */
    static const char *const wrong[] = {"{\"value\":{\"Canary\":1}}", "{\"value\":[\"Canary\"]}",
                                        "{\"value\":null}"};
    for (size_t i = 0; i < BRANT__COUNT(wrong); i++) {
        fails(db, "types.vault.Key.put", BRANT_INVALID, "/attributes/value",
              "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":%s}", wrong[i]);
        assert_null(strstr(brant_last_error()->message, "anary"));
        assert_null(strstr(brant_last_error()->detail, "anary"));
        assert_non_null(strstr(brant_last_error()->detail, "an encrypted attribute is not"));
    }
    brant_db_free(db);
}

static void test_names(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    static const char *const names[] = {"types.",
                                        "types..",
                                        "types...get",
                                        "types.a.get",
                                        "types.call.x.",
                                        "types.call.Call.get.get",
                                        "types.call.Call.GET",
                                        "types.call..get"};
    brant_cursor *cursor = NULL;
    char *text = NULL;
    size_t length = 0;

    for (size_t i = 0; i < BRANT__COUNT(names); i++)
        fails(db, names[i], BRANT_NOT_FOUND, "no ", "{\"graph\":\"g\",\"key\":\"k\"}");
    assert_int_equal(brant_call_open(&cursor, db, TEXT("types.call.Call.get"), TEXT("{}")),
                     BRANT_MISUSE);
    assert_int_not_equal(brant_call(&text, &length, NULL, TEXT("types.call.Call.get"), TEXT("{}")),
                         BRANT_OK);
    assert_int_not_equal(
        brant_operation_list(&text, &length, NULL, TEXT("{\"graph_type\":\"call\"}")), BRANT_OK);
    brant_db_free(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {GRAPH_TEST(test_specs), GRAPH_TEST(test_answers_fit),
                                       GRAPH_TEST(test_kept), GRAPH_TEST(test_names),
                                       GRAPH_TEST(test_encrypted)};
    return cmocka_run_group_tests_name("typed", tests, NULL, NULL);
}
