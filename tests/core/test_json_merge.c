/*
 * tests/core/test_json_merge.c: merge patches: the cases of RFC 7386's appendix A, and what it leaves to us (order, many members, depth).
 */
#include "support.h"

#include "base/json.h"

static char *merged(const char *target, const char *patch) {
    brant__json a = {0}, b = {0}, check = {0};
    brant__buffer out = {0};
    char *text = NULL;
    size_t length;

    if (target) assert_int_equal(brant__json_parse(&a, target, strlen(target), 0), BRANT_OK);
    assert_int_equal(brant__json_parse(&b, patch, strlen(patch), 0), BRANT_OK);
    brant__json_merge(&out, target ? a.root : NULL, b.root);
    assert_int_equal(brant__buffer_take(&text, &length, &out), BRANT_OK);
    assert_int_equal(brant__json_parse(&check, text, length, 0), BRANT_OK);
    brant__json_free(&a);
    brant__json_free(&b);
    brant__json_free(&check);
    return text;
}

static void gives(const char *target, const char *patch, const char *wanted) {
    char *text = merged(target, patch);

    if (strcmp(text, wanted) != 0)
        fail_msg("%s patched with %s is %s, not %s", target ? target : "nothing", patch, text,
                 wanted);
    brant_free(text);
}

static void test_rfc_7386(void **state) {
    (void)state;
    gives("{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}");
    gives("{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}");
    gives("{\"a\":\"b\"}", "{\"a\":null}", "{}");
    gives("{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}");
    gives("{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}");
    gives("{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}");
    gives("{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}");
    gives("{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}");
    gives("[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]");
    gives("{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]");
    gives("{\"a\":\"foo\"}", "null", "null");
    gives("{\"a\":\"foo\"}", "\"bar\"", "\"bar\"");
    gives("{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}");
    gives("[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}");
    gives("{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}");
    /* Section 3's document. */
    gives("{\"title\":\"Goodbye!\",\"author\":{\"givenName\":\"John\",\"familyName\":\"Doe\"},"
          "\"tags\":[\"example\",\"sample\"],\"content\":\"This will be unchanged\"}",
          "{\"title\":\"Hello!\",\"phoneNumber\":\"+01-123-456-7890\",\"author\":{\"familyName\":"
          "null},\"tags\":[\"example\"]}",
          "{\"title\":\"Hello!\",\"author\":{\"givenName\":\"John\"},\"tags\":[\"example\"],"
          "\"content\":\"This will be unchanged\",\"phoneNumber\":\"+01-123-456-7890\"}");
}

static void test_values(void **state) {
    (void)state;
    gives(NULL, "{\"a\":{\"b\":null,\"c\":1}}", "{\"a\":{\"c\":1}}");
    gives("{\"a\":1}", "{\"a\":{\"b\":null}}", "{\"a\":{}}");
    gives("{\"a\":{\"b\":1}}", "{\"a\":5}", "{\"a\":5}");
    gives("{\"a\":[null]}", "{\"b\":[null,{\"c\":null}]}",
          "{\"a\":[null],\"b\":[null,{\"c\":null}]}"); /* arrays are taken as they are */
    gives("{\"n\":9223372036854775807}", "{\"m\":1e300,\"s\":\"\\u0000\\\"\"}",
          "{\"n\":9223372036854775807,\"m\":1e300,\"s\":\"\\u0000\\\"\"}");
    gives("{\"a\\\"b\":1,\"\":2}", "{\"a\\\"b\":null,\"\":3}", "{\"\":3}");
    gives("{\"ab\":1}", "{\"a\":null,\"abc\":null}", "{\"ab\":1}");
}

/* Above the number of members that are compared one by one the names are hashed: the same result. */
static void test_many_members(void **state) {
    (void)state;
    for (int count = 14; count <= 2000; count = count < 20 ? count + 1 : count * 4) {
        brant__buffer target = {0}, patch = {0}, wanted = {0};
        for (int i = 0; i < count; i++)
            brant__buffer_format(&target, "%c\"k%d\":%d", i ? ',' : '{', i, i);
        for (int i = 0; i < count; i++)
            brant__buffer_format(&patch, i % 3 ? "%c\"k%d\":null" : "%c\"k%d\":{\"x\":%d}",
                                 i ? ',' : '{', i * 2, i);
        for (int i = 0, first = 1; i < count; i++) {
            if (i % 2 == 0 && i / 2 % 3) continue;
            brant__buffer_format(&wanted, i % 2 ? "%c\"k%d\":%d" : "%c\"k%d\":{\"x\":%d}",
                                 first ? '{' : ',', i, i % 2 ? i : i / 2);
            first = 0;
        }
        for (int i = (count + 1) / 2; i < count; i++)
            if (i % 3 == 0) brant__buffer_format(&wanted, ",\"k%d\":{\"x\":%d}", i * 2, i);
        brant__buffer_append(&target, "}", 2);
        brant__buffer_append(&patch, "}", 2);
        brant__buffer_append(&wanted, "}", 2);
        gives(target.data, patch.data, wanted.data);
        brant__buffer_free(&target);
        brant__buffer_free(&patch);
        brant__buffer_free(&wanted);
    }
}

static void test_depth(void **state) {
    enum { DEPTH = 510 };
    brant__buffer patch = {0};
    char *text;

    (void)state;
    for (int i = 0; i < DEPTH; i++)
        brant__buffer_append(&patch, "{\"a\":", 5);
    brant__buffer_append(&patch, "1", 1);
    for (int i = 0; i < DEPTH; i++)
        brant__buffer_append(&patch, "}", 1);
    brant__buffer_append(&patch, "", 1);
    gives("{}", patch.data, patch.data);
    gives(patch.data, patch.data, patch.data);
    text = merged(patch.data, "{\"a\":{\"a\":null}}");
    assert_string_equal(text, "{\"a\":{}}");
    brant_free(text);
    brant__buffer_free(&patch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc_7386),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_many_members),
        cmocka_unit_test(test_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
