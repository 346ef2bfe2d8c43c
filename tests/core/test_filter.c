/*
 * Filters: what they match, as against an evaluation in memory; what they refuse; what their SQL uses.
 */
#include "test_graph.h"

#include "graph/filter.h"
#include "store/handle.h"

/* Keys of the nodes that a filter finds, joined by spaces, through the seam that the other modules use. */
static const char *found(brant_db *db, const char *graph_name, const char *filter_text) {
    static char text[8192];
    brant__scratch *scratch = brant__db_scratch(db);
    brant__call call = {.db = db, .out = &scratch->writer, .arena = &scratch->arena};
    brant__json input = {0};
    brant__filter *filter = NULL;
    brant__statement *statement = NULL;
    brant__graph graph;
    int64_t *rows = NULL;
    size_t count = 0;
    char *json = NULL;

    text[0] = 0;
    if (asprintf(&json, "{\"graph\":\"%s\",\"filter\":%s}", graph_name, filter_text) < 0)
        fail_msg("no memory");
    assert_int_equal(brant__json_parse(&input, json, strlen(json), 0), BRANT_OK);
    call.input = input.root;
    brant__error_clear();
    assert_int_equal(brant__enter(db), BRANT_OK);
    assert_int_equal(brant__begin(db, BRANT__READ), BRANT_OK);
    assert_int_equal(brant__graph_find(&graph, &call, false), BRANT_OK);
    if (brant__filter_parse(&filter, &call, &graph, BRANT__NODES,
                            brant__json_get(input.root, "filter"), "filter") != BRANT_OK ||
        brant__filter_rows(&rows, &count, &call, &graph, filter) != BRANT_OK) {
        snprintf(text, sizeof(text), "%s %s", brant_last_error()->message,
                 brant_last_error()->detail);
    } else {
        assert_int_equal(brant__statement_prepare(
                             &statement, db, BRANT__TEXT("SELECT key FROM nodes WHERE row_id = ?")),
                         BRANT_OK);
        for (size_t i = 0; i < count; i++) {
            bool row;
            brant__text key;
            assert_true(i == 0 || rows[i - 1] < rows[i]);
            brant__bind_integer(statement, 1, rows[i]);
            assert_int_equal(brant__step(&row, db, statement), BRANT_OK);
            key = brant__column_text(statement, 0);
            snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%.*s", i ? " " : "",
                     (int)key.length, key.data);
            brant__reset(statement);
        }
    }
    brant__free(rows);
    brant__rollback(db);
    brant__leave(db);
    brant__arena_reset(&scratch->arena);
    brant__json_free(&input);
    free(json);
    return text;
}

static brant_db *open_values(void **state) {
    static const char *const values[][2] = {
        {"null", "null"},
        {"f", "false"},
        {"t", "true"},
        {"n0", "0"},
        {"n1", "1"},
        {"n1.5", "1.5"},
        {"n-3", "-3"},
        {"big", "9007199254740993"},
        {"huge", "9223372036854775807"},
        {"empty", "\"\""},
        {"a", "\"a\""},
        {"ab", "\"ab\""},
        {"b", "\"b\""},
        {"z[", "\"[1]\""},
        {"arr", "[1]"},
        {"arr0", "[]"},
        {"obj", "{\"p\":1,\"q\":[null]}"},
        {"nul", "\"a\\u0000b\""},
        {"texts", "[\"a\",true,null,{\"k\":1},2.5]"},
    };
    brant_db *db = must_open(in_folder(*state, "a.db"), "");

    holds(db, "graphs.create", "\"id\"", "{\"name\":\"g\",\"graph_type\":\"open\"}");
    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
        holds(db, "nodes.put", "\"created\":true",
              "{\"graph\":\"g\",\"key\":\"%s\",\"attributes\":{\"v\":%s}}", values[i][0],
              values[i][1]);
    holds(
        db, "nodes.put", "\"created\":true",
        "{\"graph\":\"g\",\"key\":\"missing\",\"attributes\":{\"a.b\":{\"c/d\":1,\"~\\\"'\\\\\":2,"
        "\"\":3},\"l\":[{\"0\":\"x\"},[5,6]],\"m\":{\"1\":[\"y\"]}},\"metadata\":{\"v\":1}}");
    return db;
}

static void test_matches(void **state) {
    static const char *const cases[][2] = {
        {"{}", "null f t n0 n1 n1.5 n-3 big huge empty a ab b z[ arr arr0 obj nul texts missing"},
        {"{\"attributes.v\":null}", "null missing"},
        {"{\"attributes.v\":{\"$exists\":true,\"$eq\":null}}", "null"},
        {"{\"attributes.v\":{\"$exists\":false}}", "missing"},
        {"{\"attributes.v\":true}", "t"},
        {"{\"attributes.v\":1}", "n1"},
        {"{\"attributes.v\":1.0}", "n1"},
        {"{\"attributes.v\":0}", "n0"},
        {"{\"attributes.v\":9007199254740993}", "big"},
        {"{\"attributes.v\":9007199254740992}", ""},
        {"{\"attributes.v\":9007199254740992.0}", ""},
        {"{\"attributes.v\":{\"$gt\":9007199254740992.0}}", "big huge"},
        {"{\"attributes.v\":{\"$lt\":9223372036854775808,\"$gt\":1}}", "n1.5 big huge"},
        {"{\"attributes.v\":{\"$gte\":1}}", "n1 n1.5 big huge"},
        {"{\"attributes.v\":{\"$lt\":1}}", "n0 n-3"},
        {"{\"attributes.v\":{\"$lte\":1}}", "n0 n1 n-3"},
        {"{\"attributes.v\":{\"$gt\":false}}", "t"},
        {"{\"attributes.v\":{\"$gte\":false}}", "f t"},
        {"{\"attributes.v\":{\"$lt\":true}}", "f"},
        {"{\"attributes.v\":{\"$lte\":true}}", "f t"},
        {"{\"attributes.v\":{\"$lt\":false}}", ""},
        {"{\"attributes.v\":{\"$gt\":\"a\"}}", "ab b nul"},
        {"{\"attributes.v\":{\"$gte\":\"\"}}", "empty a ab b z[ nul"},
        {"{\"attributes.v\":{\"$lt\":\"a\\u0000b\"}}", "empty a z["},
        {"{\"attributes.v\":\"a\\u0000b\"}", "nul"},
        {"{\"attributes.v\":\"[1]\"}", "z["},
        {"{\"attributes.v\":[1]}", "arr"},
        {"{\"attributes.v\":[1.0]}", "arr"},
        {"{\"attributes.v\":{\"$eq\":[]}}", "arr0"},
        {"{\"attributes.v\":{\"q\":[null],\"p\":1.0}}", "obj"},
        {"{\"attributes.v\":{\"$eq\":{}}}", ""},
        {"{\"attributes.v\":{\"$in\":[null,true,1,\"a\",[1],{\"q\":[null],\"p\":1}]}}",
         "null t n1 a arr obj missing"},
        {"{\"attributes.v\":{\"$in\":[]}}", ""},
        {"{\"attributes.v\":{\"$nin\":[null,true,1,\"a\",[1],{\"q\":[null],\"p\":1}]}}",
         "f n0 n1.5 n-3 big huge empty ab b z[ arr0 nul texts"},
        {"{\"attributes.v\":{\"$ne\":\"a\"},\"key\":{\"$in\":[\"a\",\"b\",\"missing\",\"null\"]}}",
         "null b missing"},
        {"{\"attributes.v\":{\"$not\":{\"$gte\":1}},\"key\":{\"$prefix\":\"n\"}}",
         "null n0 n-3 nul"},
        {"{\"attributes.v\":{\"$prefix\":\"a\"}}", "a ab nul"},
        {"{\"attributes.v\":{\"$prefix\":\"\"}}", "empty a ab b z[ nul"},
        {"{\"attributes.v\":{\"$prefix\":\"[\"}}", "z["},
        {"{\"attributes.v\":{\"$contains\":\"b\"}}", "ab b nul"},
        {"{\"attributes.v\":{\"$contains\":\"a\"}}", "a ab nul texts"},
        {"{\"attributes.v\":{\"$contains\":\"\\u0000\"}}", "nul"},
        {"{\"attributes.v\":{\"$contains\":1}}", "arr"},
        {"{\"attributes.v\":{\"$contains\":2.5}}", "texts"},
        {"{\"attributes.v\":{\"$contains\":true}}", "texts"},
        {"{\"attributes.v\":{\"$contains\":null}}", "texts"},
        {"{\"attributes.v\":{\"$contains\":{\"k\":1.0}}}", "texts"},
        {"{\"metadata.v\":1}", "missing"},
        {"{\"attributes/a.b/c~1d\":1}", "missing"},
        {"{\"attributes/a.b/~0\\\"'\\\\\":2}", "missing"},
        {"{\"attributes/a.b/\":3}", "missing"},
        {"{\"attributes.l.0.0\":\"x\"}", "missing"},
        {"{\"attributes.l.1.1\":6}", "missing"},
        {"{\"attributes.l.1.1\":{\"$exists\":true}}", "missing"},
        {"{\"attributes.l.1\":{\"$contains\":6}}", "missing"},
        {"{\"attributes.m.1\":{\"$contains\":\"y\"}}", "missing"},
        {"{\"attributes.m.1.0\":\"y\"}", "missing"},
        {"{\"attributes.m.01\":{\"$exists\":true}}", ""},
        {"{\"key\":\"a\"}", "a"},
        {"{\"key\":1}", ""},
        {"{\"key\":null}", ""},
        {"{\"revision\":1,\"type\":null,\"type_version\":1,\"created_at\":{\"$gt\":0.5},"
         "\"updated_at\":{\"$lt\":1e300,\"$ne\":\"x\"},\"key\":{\"$gt\":\"n\",\"$lte\":\"n1\"}}",
         "n0 n1 n-3"},
        {"{\"revision\":{\"$in\":[1,\"a\",null]},\"key\":{\"$contains\":\"ss\"}}", "missing"},
        {"{\"revision\":{\"$nin\":[1]}}", ""},
        {"{\"revision\":{\"$exists\":false}}", ""},
        {"{\"$or\":[{\"key\":\"a\"},{\"key\":\"b\"},{\"$and\":[{\"key\":\"t\"},{}]}]}", "t a b"},
        {"{\"$not\":{\"attributes.v\":{\"$gte\":\"\"}},\"key\":{\"$lt\":\"c\"}}", "big arr arr0"},
    };
    brant_db *db = open_values(state);

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const char *got;
        got = found(db, "g", cases[i][0]);
        if (strcmp(got, cases[i][1]) != 0)
            fail_msg("%s found \"%s\", not \"%s\"", cases[i][0], got, cases[i][1]);
    }
    brant_db_free(db);
}

static void test_refused(void **state) {
    static const char *const cases[][2] = {
        {"5", "\"/filter\": a filter is an object {\"pointer\":\"/filter\"}"},
        {"{\"attribute.v\":1}", "is none of key, type"},
        {"{\"attributes\":1}", "is none of key, type"},
        {"{\"source\":\"a\"}", "is none of key, type"},
        {"{\"attributes.a..b\":1}", "no empty segment"},
        {"{\"attributes/a~2\":1}", "~ is written ~0"},
        {"{\"attributes.v\":{\"$gx\":1}}", "{\"pointer\":\"/filter/attributes.v/$gx\"}"},
        {"{\"$gt\":1}", "stands below a field"},
        {"{\"$nor\":[]}", "no such operator; there are $eq, "},
        {"{\"attributes/v/w\":{\"$gt\":null}}", "{\"pointer\":\"/filter/attributes~1v~1w/$gt\"}"},
        {"{\"attributes.v\":{\"$gt\":[1]}}", "compares with"},
        {"{\"attributes.v\":{\"$in\":1}}", "takes an array"},
        {"{\"attributes.v\":{\"$exists\":1}}", "takes true or false"},
        {"{\"attributes.v\":{\"$prefix\":1}}", "takes text"},
        {"{\"attributes.v\":{\"$not\":1}}", "takes an object of operators"},
        {"{\"attributes.v\":{\"$gt\":1,\"x\":2}}", "do not mix"},
        {"{\"$and\":[]}", "at least one"},
        {"{\"$or\":[{},{\"$or\":3}]}", "{\"pointer\":\"/filter/$or/1/$or\"}"},
        {"{\"type\":\"Task\"}", "no node type"},
        {"{\"type\":{\"$in\":[null,\"Task\"]}}", "{\"pointer\":\"/filter/type/$in/1\"}"},
        {"{\"attributes.1.2.3.4\":1}", "at most 3 segments of digits"},
    };
    brant_db *db = open_values(state);
    char deep[1024] = "", *many = malloc(200000);

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const char *got = found(db, "g", cases[i][0]);
        if (!strstr(got, cases[i][1]))
            fail_msg("%s says \"%s\", not \"%s\"", cases[i][0], got, cases[i][1]);
    }
    /* 31 levels around one are well, 32 are not. */
    for (int levels = 31; levels <= 32; levels++) {
        deep[0] = 0;
        for (int i = 0; i < levels; i++)
            strcat(deep, "{\"$not\":");
        strcat(deep, "{\"key\":\"a\"}");
        for (int i = 0; i < levels; i++)
            strcat(deep, "}");
        if (levels == 32)
            assert_non_null(strstr(found(db, "g", deep), "nested deeper than 32"));
        else
            assert_non_null(strstr(found(db, "g", deep), "null f t n0"));
    }
    /* 1000 conditions are well, in SQLite too; 1001 are not. */
    for (int conditions = 1000; conditions <= 1001; conditions++) {
        char *end = many + sprintf(many, "{\"$or\":[");
        for (int i = 0; i < conditions; i++)
            end += sprintf(end, "%s{\"attributes.v%d\":\"%d\"}", i ? "," : "", i, i);
        strcpy(end, "]}");
        if (conditions == 1000)
            assert_string_equal(found(db, "g", many), "");
        else
            assert_non_null(strstr(found(db, "g", many), "at most 1000"));
    }
    free(many);
    brant_db_free(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(test_matches),
        GRAPH_TEST(test_refused),
    };
    return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
