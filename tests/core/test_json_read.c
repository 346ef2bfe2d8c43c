/* Reading values, and their equality. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/json.h"
#include "test_base_allocator.h"

static yyjson_val *parse(brant__json *json, const char *text) {
    if (brant__json_parse(json, text, strlen(text), 0) != BRANT_OK) fail_msg("%s", text);
    return json->root;
}

static void text_of_strings_only(void **state) {
    brant__json json = {0};
    yyjson_val *root =
        parse(&json, "{\"s\":\"a\\u0000b\",\"e\":\"\",\"n\":1,\"z\":null,\"a\":[\"x\"]}");
    brant__text text = brant__json_get_text(root, "s");

    (void)state;
    assert_int_equal(text.length, 3);
    assert_memory_equal(text.data, "a\0b", 3);
    text = brant__json_get_text(root, "e");
    assert_non_null(text.data);
    assert_int_equal(text.length, 0);
    assert_null(brant__json_get_text(root, "n").data);
    assert_null(brant__json_get_text(root, "z").data);
    assert_null(brant__json_get_text(root, "a").data);
    assert_null(brant__json_get_text(root, "missing").data);
    assert_null(brant__json_text(NULL).data);
    assert_int_equal(brant__json_text(NULL).length, 0);
    brant__json_free(&json);
}

static void integers(void **state) {
    static const struct {
        const char *text;
        int64_t value; /* -77 is what is given otherwise */
    } cases[] = {
        {"0", 0},
        {"-0", 0},
        {"1", 1},
        {"-1", -1},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
        {"9223372036854775808", -77},
        {"1.0", 1},
        {"-0.0", 0},
        {"-3.0", -3},
        {"1e3", 1000},
        {"9007199254740993.0", 9007199254740992},
        {"-9223372036854775808.0", INT64_MIN},
        {"9223372036854775808.0", -77},
        {"-9223372036854777856.0", -77},
        {"9223372036854774784.0", 9223372036854774784},
        {"1.5", -77},
        {"1e-300", -77},
        {"1e300", -77},
        {"-1e300", -77},
        {"\"1\"", -77},
        {"true", -77},
        {"null", -77},
        {"[1]", -77},
        {"{}", -77},
    };

    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(cases); i++) {
        brant__json json = {0};
        int64_t value = brant__json_integer(parse(&json, cases[i].text), -77);
        if (value != cases[i].value) fail_msg("%s", cases[i].text);
        brant__json_free(&json);
    }
    assert_int_equal(brant__json_integer(NULL, 5), 5);
}

static void bools(void **state) {
    brant__json json = {0};

    (void)state;
    assert_true(brant__json_bool(parse(&json, "true"), false));
    assert_false(brant__json_bool(parse(&json, "false"), true));
    assert_true(brant__json_bool(parse(&json, "1"), true));
    assert_false(brant__json_bool(parse(&json, "1"), false));
    assert_true(brant__json_bool(parse(&json, "null"), true));
    assert_true(brant__json_bool(NULL, true));
    assert_false(brant__json_bool(NULL, false));
    brant__json_free(&json);
}

/* ---- equality -------------------------------------------------------------------------------- */

static bool equal_texts(const char *a_text, const char *b_text) {
    brant__json a = {0}, b = {0};
    bool equal, reverse;

    parse(&a, a_text);
    parse(&b, b_text);
    equal = brant__json_equal(a.root, b.root);
    reverse = brant__json_equal(b.root, a.root);
    if (equal != reverse) fail_msg("%s and %s: not symmetric", a_text, b_text);
    brant__json_free(&a);
    brant__json_free(&b);
    return equal;
}

/* Values of one line are equal to each other and to those of no other line. */
static const char *const classes[][6] = {
    {"null"},
    {"true", " true "},
    {"false"},
    {"0", "-0", "0.0", "-0.0", "0e5", "1e-400"},
    {"1", "1.0", "1e0", "10e-1"},
    {"-1", "-1.0"},
    {"1.5", "15e-1"},
    {"-1.5"},
    {"0.1", "0.10", "0.1000000000000000055511151231257827"},
    {"0.30000000000000004"},
    {"0.3"},
    {"9007199254740992", "9007199254740992.0", "9007199254740993.0"},
    {"9007199254740993"},
    {"9223372036854775807"},
    {"9223372036854775806"},
    {"9223372036854775808", "9223372036854775808.0", "9223372036854775807.0"},
    {"-9223372036854775808", "-9223372036854775808.0"},
    {"-9223372036854775807"},
    {"18446744073709549568", "18446744073709549568.0"},
    {"18446744073709551616.0", "1.8446744073709552e19"},
    {"-18446744073709549568.0"},
    {"1e300"},
    {"5e-324"},
    {"\"\""},
    {"\"0\""},
    {"\"1\"", "\"\\u0031\""},
    {"\"null\""},
    {"\"\\u00e9\"", "\"\xC3\xA9\""},
    {"\"e\\u0301\""},
    {"\"a\\u0000b\""},
    {"\"a\\u0000c\""},
    {"\"a\""},
    {"[]", "[ ]"},
    {"[[]]"},
    {"[null]"},
    {"[1]", "[1.0]"},
    {"[1,2]", "[1.0,2]"},
    {"[2,1]"},
    {"[1,2,3]"},
    {"[[1],2]"},
    {"[1,[2]]"},
    {"{}"},
    {"[{}]"},
    {"{\"a\":1}", "{\"a\":1.0}", "{\"\\u0061\":1}"},
    {"{\"a\":2}"},
    {"{\"b\":1}"},
    {"{\"a\":null}"},
    {"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", "{\"b\":2.0,\"a\":1e0}"},
    {"{\"a\":2,\"b\":1}"},
    {"{\"a\":1,\"c\":2}"},
    {"{\"a\":{\"x\":[{\"p\":1,\"q\":2}],\"y\":2},\"b\":3}",
     "{\"b\":3,\"a\":{\"y\":2,\"x\":[{\"q\":2,\"p\":1}]}}"},
    {"{\"a\":{\"x\":[{\"p\":1,\"q\":3}],\"y\":2},\"b\":3}"},
    {"{\"a\":[1,2],\"b\":[]}", "{\"b\":[],\"a\":[1,2]}"},
    {"{\"a\":[2,1],\"b\":[]}"},
};

static void values_of_a_class_are_equal_and_no_others(void **state) {
    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(classes); i++) {
        for (size_t j = 0; j < 6 && classes[i][j]; j++) {
            for (size_t k = 0; k < BRANT__COUNT(classes); k++) {
                for (size_t l = 0; l < 6 && classes[k][l]; l++) {
                    if (equal_texts(classes[i][j], classes[k][l]) != (i == k)) {
                        fail_msg("%s and %s", classes[i][j], classes[k][l]);
                    }
                }
            }
        }
    }
}

static void nothing_equals_nothing(void **state) {
    brant__json json = {0};

    (void)state;
    parse(&json, "null");
    assert_true(brant__json_equal(NULL, NULL));
    assert_false(brant__json_equal(json.root, NULL));
    assert_false(brant__json_equal(NULL, json.root));
    assert_true(brant__json_equal(json.root, json.root));
    brant__json_free(&json);
}

/* `count` members in an order given by a stride, one of them different when `odd` is within. */
static void write_object(brant__buffer *text, size_t count, size_t stride, size_t odd,
                         const char *odd_name) {
    brant__buffer_reset(text);
    brant__buffer_append_byte(text, '{');
    for (size_t i = 0; i < count; i++) {
        size_t member = i * stride % count;
        if (i > 0) brant__buffer_append_byte(text, ',');
        if (member == odd && odd_name)
            brant__buffer_format(text, "\"%s\":{\"v\":[%zu]}", odd_name, member);
        else
            brant__buffer_format(text, "\"member %zu\":{\"v\":[%zu]}", member,
                                 member == odd ? member + 1 : member);
    }
    brant__buffer_append_byte(text, '}');
}

static void objects_of_all_sizes_and_orders(void **state) {
    static const size_t counts[] = {2, 15, 16, 17, 128, 129, 1000};

    (void)state;
    for (int without_memory = 0; without_memory < 2; without_memory++) {
        for (size_t c = 0; c < BRANT__COUNT(counts); c++) {
            brant__buffer a_text = {0}, b_text = {0};
            brant__json a = {0}, b = {0}, value = {0}, name = {0};
            size_t count = counts[c];
            size_t stride = count == 2 ? 1 : count % 7 ? 7 : 11; /* coprime with the count */

            write_object(&a_text, count, 1, SIZE_MAX, NULL);
            assert_int_equal(brant__json_parse(&a, a_text.data, a_text.length, 0), BRANT_OK);
            write_object(&b_text, count, stride, SIZE_MAX, NULL);
            assert_int_equal(brant__json_parse(&b, b_text.data, b_text.length, 0), BRANT_OK);
            write_object(&b_text, count, stride, count - 1, NULL);
            assert_int_equal(brant__json_parse(&value, b_text.data, b_text.length, 0), BRANT_OK);
            write_object(&b_text, count, stride, count - 1, "other");
            assert_int_equal(brant__json_parse(&name, b_text.data, b_text.length, 0), BRANT_OK);

            /* Without memory for an index the answer is the same, only slower. */
            if (without_memory) failing_allocator_start(0);
            assert_true(brant__json_equal(a.root, b.root));
            assert_true(brant__json_equal(b.root, a.root));
            assert_false(brant__json_equal(a.root, value.root));
            assert_false(brant__json_equal(value.root, a.root));
            assert_false(brant__json_equal(a.root, name.root));
            assert_false(brant__json_equal(name.root, a.root));
            if (without_memory) failing_allocator_stop();

            brant__json_free(&a);
            brant__json_free(&b);
            brant__json_free(&value);
            brant__json_free(&name);
            brant__buffer_free(&a_text);
            brant__buffer_free(&b_text);
        }
    }
}

static void the_deepest_documents_are_compared(void **state) {
    char text[1025];
    brant__json a = {0}, b = {0};

    (void)state;
    memset(text, '[', 512);
    memset(text + 512, ']', 512);
    assert_int_equal(brant__json_parse(&a, text, 1024, 0), BRANT_OK);
    assert_int_equal(brant__json_parse(&b, text, 1024, 0), BRANT_OK);
    assert_true(brant__json_equal(a.root, b.root));
    text[512] = '1';
    memset(text + 513, ']', 512);
    assert_int_equal(brant__json_parse(&b, text, 1025, 0), BRANT_OK);
    assert_false(brant__json_equal(a.root, b.root));
    brant__json_free(&a);
    brant__json_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_of_strings_only),
        cmocka_unit_test(integers),
        cmocka_unit_test(bools),
        cmocka_unit_test(values_of_a_class_are_equal_and_no_others),
        cmocka_unit_test(nothing_equals_nothing),
        cmocka_unit_test(objects_of_all_sizes_and_orders),
        cmocka_unit_test(the_deepest_documents_are_compared),
    };

    return cmocka_run_group_tests_name("json/read", tests, NULL, NULL);
}
