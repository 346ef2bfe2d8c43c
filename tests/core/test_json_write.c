/* Writing: values, strings, numbers, the writer's commas, and what it does without memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>
#include <math.h>
#include <stdio.h>

#include "base/json.h"
#include "test_base_allocator.h"

static void assert_written(brant__buffer *buffer, const char *expected) {
    assert_false(buffer->failed);
    if (buffer->length != strlen(expected) ||
        (buffer->length && memcmp(buffer->data, expected, buffer->length) != 0)) {
        fail_msg("%.*s, not %s", (int)buffer->length, buffer->data ? buffer->data : "", expected);
    }
}

/* ---- the writer ------------------------------------------------------------------------------ */

static void all_kinds_with_their_commas(void **state) {
    brant__writer writer = {0};
    brant__json json = {0};

    (void)state;
    assert_int_equal(brant__json_parse(&json, "[ 1, {\"x\": 2} ]", 15, 0), BRANT_OK);
    brant__write_object(&writer);
    brant__write_name(&writer, "null");
    brant__write_null(&writer);
    brant__write_name(&writer, "true");
    brant__write_bool(&writer, true);
    brant__write_name_text(&writer, BRANT__TEXT("fal\"se"));
    brant__write_bool(&writer, false);
    brant__write_name(&writer, "integer");
    brant__write_integer(&writer, -5);
    brant__write_name(&writer, "double");
    brant__write_double(&writer, 2.5);
    brant__write_name(&writer, "text");
    brant__write_text(&writer, BRANT__TEXT("a\nb"));
    brant__write_name(&writer, "value");
    brant__write_value(&writer, json.root);
    brant__write_name(&writer, "no value");
    brant__write_value(&writer, NULL);
    brant__write_name(&writer, "raw");
    brant__write_raw(&writer, BRANT__TEXT("{\"r\":[]}"));
    brant__write_name(&writer, "array");
    brant__write_array(&writer);
    brant__write_integer(&writer, 1);
    brant__write_array(&writer);
    brant__write_end(&writer);
    brant__write_object(&writer);
    brant__write_end(&writer);
    brant__write_text(&writer, BRANT__TEXT(""));
    brant__write_raw(&writer, BRANT__TEXT("0"));
    brant__write_null(&writer);
    brant__write_end(&writer);
    brant__write_name(&writer, "last");
    brant__write_object(&writer);
    brant__write_name(&writer, "");
    brant__write_integer(&writer, 0);
    brant__write_end(&writer);
    brant__write_end(&writer);
    assert_written(&writer.buffer,
                   "{\"null\":null,\"true\":true,\"fal\\\"se\":false,\"integer\":-5,\"double\":2.5,"
                   "\"text\":\"a\\nb\","
                   "\"value\":[1,{\"x\":2}],\"no "
                   "value\":null,\"raw\":{\"r\":[]},\"array\":[1,[],{},\"\",0,null],"
                   "\"last\":{\"\":0}}");
    assert_int_equal(writer.level, 0);
    brant__buffer_free(&writer.buffer);
    brant__json_free(&json);
}

static void a_single_value_is_a_document(void **state) {
    brant__writer writer = {0};

    (void)state;
    brant__write_text(&writer, BRANT__TEXT("alone"));
    assert_written(&writer.buffer, "\"alone\"");
    brant__buffer_free(&writer.buffer);
}

static void sixty_four_levels_and_no_more(void **state) {
    brant__writer writer = {0};
    brant__json json = {0};
    char deep[1024];

    (void)state;
    for (int i = 0; i < 64; i++) {
        if (i % 2) {
            brant__write_object(&writer);
            brant__write_name(&writer, "o");
        } else {
            brant__write_array(&writer);
            brant__write_integer(&writer, i);
        }
    }
    /* What is copied does not count. */
    memset(deep, '[', 448);
    memset(deep + 448, ']', 448);
    brant__write_raw(&writer, brant__text_of(deep, 896));
    for (int i = 0; i < 64; i++)
        brant__write_end(&writer);
    assert_false(writer.buffer.failed);
    assert_int_equal(brant__json_parse(&json, writer.buffer.data, writer.buffer.length, 0),
                     BRANT_OK);
    brant__json_free(&json);
    brant__buffer_free(&writer.buffer);

    writer = (brant__writer){0};
    for (int i = 0; i < 65; i++)
        brant__write_array(&writer);
    assert_true(writer.buffer.failed);
    brant__buffer_free(&writer.buffer);
}

/* Levels that are left and entered again forget what they were. */
static void levels_are_used_again(void **state) {
    brant__writer writer = {0};

    (void)state;
    brant__write_array(&writer);
    for (int i = 0; i < 3; i++) {
        brant__write_object(&writer);
        brant__write_name(&writer, "a");
        brant__write_array(&writer);
        brant__write_integer(&writer, i);
        brant__write_integer(&writer, i);
        brant__write_end(&writer);
        brant__write_name(&writer, "b");
        brant__write_object(&writer);
        brant__write_end(&writer);
        brant__write_end(&writer);
        brant__write_array(&writer);
        brant__write_array(&writer);
        brant__write_end(&writer);
        brant__write_end(&writer);
    }
    brant__write_end(&writer);
    assert_written(
        &writer.buffer,
        "[{\"a\":[0,0],\"b\":{}},[[]],{\"a\":[1,1],\"b\":{}},[[]],{\"a\":[2,2],\"b\":{}},[[]]]");
    brant__buffer_free(&writer.buffer);
}

static void an_end_too_many_is_a_failure(void **state) {
    brant__writer writer = {0};

    (void)state;
    brant__write_array(&writer);
    brant__write_end(&writer);
    assert_false(writer.buffer.failed);
    brant__write_end(&writer);
    assert_true(writer.buffer.failed);
    brant__buffer_free(&writer.buffer);

    writer = (brant__writer){0};
    brant__write_object(&writer);
    brant__write_name(&writer, "no value");
    brant__write_end(&writer);
    assert_true(writer.buffer.failed);
    brant__buffer_free(&writer.buffer);
}

/* ---- strings --------------------------------------------------------------------------------- */

static void only_what_must_be_is_escaped(void **state) {
    static const char *const escapes[0x20] = {
        ['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n", ['\f'] = "\\f", ['\r'] = "\\r",
    };

    (void)state;
    for (int c = 0; c < 0x80; c++) {
        brant__buffer buffer = {0};
        char byte = (char)c, expected[16];
        if (c == '"' || c == '\\')
            snprintf(expected, sizeof(expected), "\"\\%c\"", c);
        else if (c < 0x20 && escapes[c])
            snprintf(expected, sizeof(expected), "\"%s\"", escapes[c]);
        else if (c < 0x20)
            snprintf(expected, sizeof(expected), "\"\\u%04x\"", (unsigned)c);
        else
            snprintf(expected, sizeof(expected), "\"%c\"", c);
        brant__json_append_text(&buffer, brant__text_of(&byte, 1));
        assert_written(&buffer, expected);
        brant__buffer_free(&buffer);
    }
}

static void other_text_stays_as_it_is(void **state) {
    brant__buffer buffer = {0};

    (void)state;
    brant__json_append_text(
        &buffer,
        BRANT__TEXT("caf\xC3\xA9 \xE2\x80\xA8\xE2\x82\xAC \xF0\x9F\x90\xA6 </script> \x7F"));
    assert_written(&buffer,
                   "\"caf\xC3\xA9 \xE2\x80\xA8\xE2\x82\xAC \xF0\x9F\x90\xA6 </script> \x7F\"");
    brant__buffer_reset(&buffer);
    brant__json_append_text(&buffer, (brant__text){NULL, 0});
    assert_written(&buffer, "\"\"");
    brant__buffer_free(&buffer);
}

/* Every byte that needs an escape at every place of strings of every small length, read back by the
 * parser. */
static void strings_of_all_shapes_come_back(void **state) {
    static const char specials[] = {'"', '\\', '\n', '\x01', '\0', '\x1F',
                                    ' ', '!',  '#',  '[',    ']',  '\x7F'};

    (void)state;
    for (size_t length = 0; length < 40; length++) {
        for (size_t at = 0; at < length || at == 0; at++) {
            for (size_t s = 0; s < sizeof(specials); s++) {
                brant__buffer buffer = {0};
                brant__json json = {0};
                brant__text back;
                /* Right up to the end of its memory. */
                char *text = malloc(length ? length : 1);
                assert_non_null(text);
                memset(text, 'x', length);
                if (length) text[at] = specials[s];
                if (length > at + 9) text[at + 9] = specials[(s + 1) % sizeof(specials)];
                brant__json_append_text(&buffer, brant__text_of(text, length));
                assert_int_equal(brant__json_parse(&json, buffer.data, buffer.length, 0), BRANT_OK);
                back = brant__json_text(json.root);
                assert_true(brant__text_equal(back, brant__text_of(text, length)));
                free(text);
                brant__json_free(&json);
                brant__buffer_free(&buffer);
            }
        }
    }
}

static void a_text_of_escapes_only(void **state) {
    brant__buffer buffer = {0};
    brant__json json = {0};
    size_t length = 100000;
    char *text = calloc(length, 1);

    (void)state;
    assert_non_null(text);
    brant__json_append_text(&buffer, brant__text_of(text, length));
    assert_int_equal(buffer.length, length * 6 + 2);
    assert_int_equal(brant__json_parse(&json, buffer.data, buffer.length, 0), BRANT_OK);
    assert_true(brant__text_equal(brant__json_text(json.root), brant__text_of(text, length)));
    free(text);
    brant__json_free(&json);
    brant__buffer_free(&buffer);
}

/* ---- numbers --------------------------------------------------------------------------------- */

static void integers_are_exact(void **state) {
    static const int64_t values[] = {0,
                                     1,
                                     -1,
                                     9,
                                     10,
                                     -10,
                                     99,
                                     100,
                                     12345,
                                     1000000000,
                                     -2147483648LL,
                                     9007199254740993,
                                     INT64_MAX,
                                     INT64_MIN};

    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(values); i++) {
        brant__writer writer = {0};
        char expected[32];
        snprintf(expected, sizeof(expected), "%lld", (long long)values[i]);
        brant__write_integer(&writer, values[i]);
        assert_written(&writer.buffer, expected);
        brant__buffer_free(&writer.buffer);
    }
}

static void doubles_are_shortest_and_stay_doubles(void **state) {
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0.0, "0.0"},
        {-0.0, "-0.0"},
        {1.0, "1.0"},
        {-1.5, "-1.5"},
        {0.1, "0.1"},
        {1e21, "1e21"},
        {1e-7, "1e-7"},
        {5e-324, "5e-324"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1e15, "1000000000000000.0"},
        {9007199254740992.0, "9007199254740992.0"},
        {1.7976931348623157e308, "1.7976931348623157e308"},
        {100.0, "100.0"},
        {1.0 / 3.0, "0.3333333333333333"},
        {NAN, "null"},
        {INFINITY, "null"},
        {-INFINITY, "null"},
    };

    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(cases); i++) {
        brant__writer writer = {0};
        brant__write_double(&writer, cases[i].value);
        assert_written(&writer.buffer, cases[i].text);
        brant__buffer_free(&writer.buffer);
    }
}

static void random_doubles_come_back_bit_by_bit(void **state) {
    uint64_t bits = 88172645463325252;
    brant__json json = {0};
    brant__writer writer = {0};

    (void)state;
    for (int i = 0; i < 200000; i++) {
        double value, back;
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        memcpy(&value, &bits, sizeof(value));
        if (!isfinite(value)) continue;
        brant__buffer_reset(&writer.buffer);
        brant__write_double(&writer, value);
        assert_int_equal(brant__json_parse(&json, writer.buffer.data, writer.buffer.length, 0),
                         BRANT_OK);
        assert_true(yyjson_is_real(json.root));
        back = yyjson_get_real(json.root);
        assert_memory_equal(&back, &value, sizeof(value));
    }
    brant__json_free(&json);
    brant__buffer_free(&writer.buffer);
}

static void the_text_of_a_number_alone(void **state) {
    static const char *const numbers[] = {
        "0",
        "7",
        "-7",
        "10",
        "9223372036854775807",
        "-9223372036854775808",
        "18446744073709549568",
        "0.5",
        "-1.7976931348623157e308",
    };
    char text[BRANT__NUMBER_SIZE];
    brant__json json = {0};
    yyjson_val number;

    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(numbers); i++) {
        assert_int_equal(brant__json_parse(&json, numbers[i], strlen(numbers[i]), 0), BRANT_OK);
        assert_int_equal(brant__json_number(text, json.root), strlen(numbers[i]));
        assert_string_equal(text, numbers[i]);
    }
    assert_int_equal(brant__json_parse(&json, "\"1\"", 3, 0), BRANT_OK);
    assert_int_equal(brant__json_number(text, json.root), 0);
    assert_int_equal(brant__json_number(text, NULL), 0);
    number.tag = YYJSON_TYPE_NUM | YYJSON_SUBTYPE_REAL;
    number.uni.f64 = NAN;
    assert_int_equal(brant__json_number(text, &number), 0);
    number.uni.f64 = -INFINITY;
    assert_int_equal(brant__json_number(text, &number), 0);
    brant__json_free(&json);
}

/* Neither reading nor writing may care for the decimal comma of the process. */
static void the_locale_does_not_matter(void **state) {
    static const char *const locales[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE"};
    char *text = NULL;
    size_t length = 0;
    const char *set = NULL;

    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(locales) && !set; i++)
        set = setlocale(LC_ALL, locales[i]);
    if (!set)
        print_message("no locale with a decimal comma is installed: only the C locale was tried\n");
    assert_int_equal(brant_json_compact(&text, &length, "[1.50, 2.5e-3]", 14), BRANT_OK);
    assert_string_equal(text, "[1.5,0.0025]");
    brant_free(text);
    setlocale(LC_ALL, "C");
}

/* ---- values ---------------------------------------------------------------------------------- */

static void a_part_of_a_document_is_copied(void **state) {
    static const char document[] = "{\"a\":[1,{\"b\":[true,\"x\\ty\"]},[]],\"c\":{}}";
    brant__json json = {0};
    brant__buffer buffer = {0};
    yyjson_val *a;

    (void)state;
    assert_int_equal(brant__json_parse(&json, document, sizeof(document) - 1, 0), BRANT_OK);
    a = brant__json_get(json.root, "a");
    brant__json_append(&buffer, a);
    assert_written(&buffer, "[1,{\"b\":[true,\"x\\ty\"]},[]]");
    brant__buffer_reset(&buffer);
    brant__json_append(&buffer, yyjson_arr_get(a, 1));
    assert_written(&buffer, "{\"b\":[true,\"x\\ty\"]}");
    brant__buffer_reset(&buffer);
    brant__json_append(&buffer, brant__json_get(json.root, "c"));
    brant__json_append(&buffer, NULL);
    brant__json_append(&buffer, yyjson_arr_get(a, 0));
    assert_written(&buffer, "{}null1");
    brant__buffer_free(&buffer);
    brant__json_free(&json);
}

static void writing_survives_failure(void **state) {
    brant__json json = {0};
    char *text;
    size_t length;

    (void)state;
    assert_int_equal(
        brant__json_parse(&json, "{\"a\":[1.5,-2,\"x\\ny\",null,true,{}],\"b\":\"plain\"}", 46, 0),
        BRANT_OK);
    for (size_t n = 0;; n++) {
        brant__writer writer = {0};
        brant_status status;
        brant__error_clear();
        failing_allocator_start(n);
        brant__write_array(&writer);
        for (int i = 0; i < 200; i++) {
            brant__write_object(&writer);
            brant__write_name(&writer, "id");
            brant__write_integer(&writer, i);
            brant__write_name_text(&writer, BRANT__TEXT("na\"me"));
            brant__write_text(&writer, BRANT__TEXT("a text with \x01\x02\x03 escapes"));
            brant__write_name(&writer, "value");
            brant__write_value(&writer, json.root);
            brant__write_name(&writer, "double");
            brant__write_double(&writer, i / 8.0);
            brant__write_end(&writer);
        }
        brant__write_end(&writer);
        text = NULL;
        status = brant__buffer_take(&text, &length, &writer.buffer);
        if (status == BRANT_OK) {
            brant__json all = {0};
            failing.left = SIZE_MAX;
            assert_int_equal(brant__json_parse(&all, text, length, 0), BRANT_OK);
            assert_int_equal(yyjson_arr_size(all.root), 200);
            brant__json_free(&all);
        } else {
            assert_int_equal(status, BRANT_NO_MEMORY);
            assert_null(text);
            assert_true(failing.failed);
        }
        brant_free(text);
        assert_int_equal(failing.alive, 0);
        failing_allocator_stop();
        if (status == BRANT_OK) {
            assert_true(n > 3);
            break;
        }
    }
    brant__json_free(&json);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_kinds_with_their_commas),
        cmocka_unit_test(a_single_value_is_a_document),
        cmocka_unit_test(sixty_four_levels_and_no_more),
        cmocka_unit_test(levels_are_used_again),
        cmocka_unit_test(an_end_too_many_is_a_failure),
        cmocka_unit_test(only_what_must_be_is_escaped),
        cmocka_unit_test(other_text_stays_as_it_is),
        cmocka_unit_test(strings_of_all_shapes_come_back),
        cmocka_unit_test(a_text_of_escapes_only),
        cmocka_unit_test(integers_are_exact),
        cmocka_unit_test(doubles_are_shortest_and_stay_doubles),
        cmocka_unit_test(random_doubles_come_back_bit_by_bit),
        cmocka_unit_test(the_text_of_a_number_alone),
        cmocka_unit_test(the_locale_does_not_matter),
        cmocka_unit_test(a_part_of_a_document_is_copied),
        cmocka_unit_test(writing_survives_failure),
    };

    return cmocka_run_group_tests_name("json/write", tests, NULL, NULL);
}
