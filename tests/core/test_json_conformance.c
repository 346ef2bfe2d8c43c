/*
 * What is JSON and what is not: a table of texts with their compact form, or with the fault that
 * they have.
 *
 * Names say what a case is about: y_ is accepted, n_ refused by RFC 8259, s_ refused by brant's own
 * strictness.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"

#define NOWHERE SIZE_MAX /* any offset within the text */

typedef struct json_case {
    const char *name;
    const char *text;
    size_t length;
    const char *compact; /* NULL: refused */
    size_t offset;
} json_case;

#define Y(name, text, compact) {"y_" name, text, sizeof(text) - 1, compact, 0}
#define SAME(name, text)       {"y_" name, text, sizeof(text) - 1, text, 0}
#define N(name, text, offset)  {"n_" name, text, sizeof(text) - 1, NULL, offset}
#define S(name, text, offset)  {"s_" name, text, sizeof(text) - 1, NULL, offset}

static const json_case cases[] = {
    /* structure */
    SAME("object_empty", "{}"),
    SAME("array_empty", "[]"),
    SAME("scalar_null", "null"),
    SAME("scalar_true", "true"),
    SAME("scalar_false", "false"),
    SAME("scalar_string", "\"a\""),
    SAME("scalar_string_empty", "\"\""),
    SAME("scalar_number", "42"),
    SAME("scalar_negative", "-1"),
    SAME("array_of_all", "[null,true,false,0,1.5,\"s\",[],{}]"),
    SAME("object_of_all",
         "{\"a\":null,\"b\":true,\"c\":false,\"d\":0,\"e\":1.5,\"f\":\"s\",\"g\":[],\"h\":{}}"),
    SAME("nested", "[[[[]]],{\"a\":{\"b\":[{}]}}]"),
    SAME("order_is_kept", "{\"z\":1,\"a\":2,\"m\":3}"),
    SAME("name_empty", "{\"\":0}"),
    Y("space_all_kinds", " \t\r\n[ \t\r\n1 \t\r\n, \t\r\n2 \t\r\n] \t\r\n", "[1,2]"),
    Y("space_in_object", "{ \"a\" : 1 , \"b\" : [ ] }", "{\"a\":1,\"b\":[]}"),
    Y("space_pretty", "{\n    \"a\": [\n        1,\n        2\n    ]\n}\n", "{\"a\":[1,2]}"),
    Y("space_around_scalar", " 1 ", "1"),
    SAME("same_name_in_other_objects",
         "{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":[{\"a\":1},{\"a\":2}]}}"),
    SAME("names_by_case", "{\"a\":1,\"A\":2}"),
    Y("names_of_other_normal_form", "{\"\\u00e9\":1,\"e\\u0301\":2}",
      "{\"\xC3\xA9\":1,\"e\xCC\x81\":2}"),
    N("nothing", "", 0),
    N("only_space", " \n ", 3),
    N("two_values", "1 2", 2),
    N("two_objects", "{}{}", 2),
    N("text_after", "[] x", 3),
    N("comma_after", "[],", 2),
    N("array_open", "[", 1),
    N("array_open_after_value", "[1", 2),
    N("array_open_after_comma", "[1,", NOWHERE),
    N("array_trailing_comma", "[1,]", NOWHERE),
    N("array_only_comma", "[,]", 1),
    N("array_leading_comma", "[,1]", 1),
    N("array_double_comma", "[1,,2]", NOWHERE),
    N("array_no_comma", "[1 2]", 3),
    N("array_colon", "[1:2]", 2),
    N("array_wrong_end", "[1}", 2),
    N("array_extra_end", "[1]]", 3),
    N("array_semicolon", "[1;2]", 2),
    N("array_named", "[\"a\":1]", 4),
    N("object_open", "{", 1),
    N("object_open_after_name", "{\"a\"", 4),
    N("object_open_after_colon", "{\"a\":", 5),
    N("object_open_after_value", "{\"a\":1", 6),
    N("object_open_after_comma", "{\"a\":1,", NOWHERE),
    N("object_trailing_comma", "{\"a\":1,}", NOWHERE),
    N("object_only_comma", "{,}", 1),
    N("object_double_comma", "{\"a\":1,,\"b\":2}", NOWHERE),
    N("object_no_colon", "{\"a\" 1}", 5),
    N("object_double_colon", "{\"a\"::1}", 5),
    N("object_equals", "{\"a\"=1}", 4),
    N("object_no_value", "{\"a\"}", 4),
    N("object_no_value_after_colon", "{\"a\":}", 5),
    N("object_wrong_end", "{\"a\":1]", 6),
    N("object_number_as_name", "{1:1}", 1),
    N("object_null_as_name", "{null:1}", 1),
    N("object_array_as_name", "{[]:1}", 1),
    N("object_bare_name", "{a:1}", 1),
    N("object_single_quotes", "{'a':1}", 1),
    N("object_only_values", "{\"a\",\"b\"}", 4),
    N("end_alone", "]", 0),
    N("end_object_alone", "}", 0),
    N("colon_alone", ":", 0),
    N("comma_alone", ",", 0),
    N("line_comment", "[1 // one\n]", 3),
    N("block_comment", "[1 /* one */]", 3),
    N("hash_comment", "# x\n1", 0),
    N("comment_at_end", "[]/**/", 2),
    N("word", "nul", NOWHERE),
    N("word_true_upper", "True", 0),
    N("word_null_upper", "NULL", 0),
    N("word_longer", "nulls", NOWHERE),
    N("word_undefined", "undefined", 0),
    N("word_in_array", "[truth]", NOWHERE),
    N("space_vertical_tab", "[\v1]", 1),
    N("space_form_feed", "[\f1]", 1),
    N("space_no_break",
      "[\xC2\xA0"
      "1]",
      1),
    N("space_ideographic",
      "[\xE3\x80\x80"
      "1]",
      1),
    N("nul_after", "1\0", 1),
    N("nul_before",
      "\0"
      "1",
      0),
    N("nul_inside", "[1\0]", 2),
    N("nul_alone", "\0", 0),
    N("byte_order_mark", "\xEF\xBB\xBF[]", 0),
    N("byte_order_mark_alone", "\xEF\xBB\xBF", 0),
    N("utf16_le", "\xFF\xFE[\0]\0", 0),
    N("utf16_be", "\xFE\xFF\0[\0]", 0),
    N("utf16_without_mark", "[\0]\0", 1),

    /* numbers */
    SAME("zero", "0"),
    Y("minus_zero", "-0", "0"),
    SAME("minus_zero_double", "-0.0"),
    Y("minus_zero_exponent", "-0e5", "-0.0"),
    Y("zero_exponent", "0e999999", "0.0"),
    SAME("int_max", "9223372036854775807"),
    SAME("int_min", "-9223372036854775808"),
    SAME("int_two_to_53", "9007199254740992"),
    SAME("int_two_to_53_and_1", "9007199254740993"),
    SAME("int_two_to_63", "9223372036854775808"),
    SAME("int_largest_double_below_two_to_64", "18446744073709549568"),
    SAME("int_next_double_above_two_to_63", "9223372036854777856"),
    Y("double_integral", "1.0", "1.0"),
    Y("double_trailing_zeros", "1.50000", "1.5"),
    Y("double_exponent", "1e2", "100.0"),
    Y("double_exponent_upper", "1E2", "100.0"),
    Y("double_exponent_plus", "1e+2", "100.0"),
    Y("double_exponent_minus", "1e-2", "0.01"),
    Y("double_exponent_leading_zero", "1e02", "100.0"),
    SAME("double_tenth", "0.1"),
    SAME("double_shortest", "0.30000000000000004"),
    SAME("double_largest", "1.7976931348623157e308"),
    SAME("double_least", "5e-324"),
    SAME("double_least_normal", "2.2250738585072014e-308"),
    Y("double_below_half_least", "2e-324", "0.0"),
    Y("double_vanishes", "1e-400", "0.0"),
    Y("double_vanishes_negative", "-1e-400", "-0.0"),
    Y("double_many_digits", "0.1000000000000000055511151231257827021181583404541015625", "0.1"),
    Y("double_half_way_to_even", "9007199254740993.0", "9007199254740992.0"),
    Y("double_half_way_and_more", "9007199254740993.00000000000000000000000000000001",
      "9007199254740994.0"),
    Y("double_long_integer_with_fraction", "123456789012345678901234567890.0",
      "1.2345678901234568e29"),
    Y("double_round_down_to_largest", "1.7976931348623158e308", "1.7976931348623157e308"),
    SAME("double_1e21", "1e21"),
    Y("double_1e22", "1e22", "1e22"),
    S("int_between_doubles_above_two_to_63", "9223372036854775809", 0),
    S("int_two_to_64_less_1", "18446744073709551615", 0),
    S("int_two_to_64", "18446744073709551616", 0),
    S("int_below_min", "-9223372036854775809", 0),
    S("int_20_digits_negative", "-18446744073709551615", 0),
    S("int_1e20_written_out", "[100000000000000000000]", 1),
    S("int_long", "[0, 123456789012345678901234567890]", 4),
    S("double_too_large", "1e400", 0),
    S("double_too_small_negative", "[-1e400]", 1),
    S("double_just_too_large", "{\"a\":1.7976931348623159e308}", 5),
    S("double_exponent_huge", "[\"]1e999,\\\"\",1e99999999999999999999]", 13),
    N("number_plus", "+1", 0),
    N("number_leading_zero", "01", NOWHERE),
    N("number_leading_zeros", "[-00]", NOWHERE),
    N("number_leading_zero_negative", "-01", NOWHERE),
    N("number_point_first", ".5", 0),
    N("number_minus_point", "-.5", 1),
    N("number_point_last", "[1.]", 3),
    N("number_point_exponent", "[1.e1]", 3),
    N("number_two_points", "[1.2.3]", 4),
    N("number_exponent_empty", "[1e]", 3),
    N("number_exponent_sign_only", "[1e+]", 4),
    N("number_exponent_fraction", "[1e1.5]", 4),
    N("number_minus_alone", "-", 1),
    N("number_minus_space", "- 1", 1),
    N("number_double_minus", "--1", 1),
    N("number_hex", "0x1F", 1),
    N("number_octal", "0o7", 1),
    N("number_underscore", "1_000", 1),
    N("number_comma", "1,5", 1),
    N("number_suffix", "1f", 1),
    N("number_nan", "NaN", 0),
    N("number_nan_in_array", "[nan]", NOWHERE),
    N("number_infinity", "Infinity", 0),
    N("number_inf", "[inf]", 1),
    N("number_minus_infinity", "-Infinity", 1),
    N("number_expression", "1+2", 1),
    N("number_full_width", "\xEF\xBC\x91", 0),

    /* strings */
    SAME("string_ascii", "\" !#$%&'()*+,-./:;<=>?@[]^_`{|}~\""),
    SAME("string_delete", "\"\x7F\""),
    SAME("string_escapes_needed", "\"\\\"\\\\\\b\\f\\n\\r\\t\""),
    Y("string_slash", "\"\\/\"", "\"/\""),
    SAME("string_control_escapes", "\"\\u0000\\u0001\\u001f\""),
    Y("string_control_escapes_upper", "\"\\u001F\\u000A\\u0008\"", "\"\\u001f\\n\\b\""),
    Y("string_escaped_ascii", "\"\\u0041\\u007f\\u0022\\u005C\"", "\"A\x7F\\\"\\\\\""),
    Y("string_escaped_two_bytes", "\"\\u00e9\\u00E9\\u07FF\"", "\"\xC3\xA9\xC3\xA9\xDF\xBF\""),
    Y("string_escaped_three_bytes", "\"\\u0800\\u20aC\\uFFFF\\uD7FF\\uE000\"",
      "\"\xE0\xA0\x80\xE2\x82\xAC\xEF\xBF\xBF\xED\x9F\xBF\xEE\x80\x80\""),
    Y("string_escaped_four_bytes", "\"\\uD83D\\udc26\\uD800\\uDC00\\uDBFF\\uDFFF\"",
      "\"\xF0\x9F\x90\xA6\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\""),
    SAME("string_utf8", "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x90\xA6\""),
    SAME("string_line_separators", "\"\xE2\x80\xA8\xE2\x80\xA9\""),
    SAME("string_noncharacters", "\"\xEF\xBF\xBE\xF4\x8F\xBF\xBF\""),
    SAME("string_mark_inside", "\"\xEF\xBB\xBF\""),
    SAME("string_like_json", "\"{\\\"a\\\":[1,2]}\""),
    SAME("string_backslash_u_escaped", "\"\\\\u0000\""),
    SAME("string_nul_in_value", "{\"a\":\"\\u0000\"}"),
    SAME("name_with_escaped_backslash_u", "{\"\\\\u0000\":1}"),
    Y("name_escaped", "{\"\\u0061\\n\":1}", "{\"a\\n\":1}"),
    SAME("string_long_with_escape_at_end", "\"0123456789012345678901234567890123456789\\n\""),
    SAME("string_escape_in_each_place",
         "[\"\\n1234567\",\"0\\n234567\",\"01\\n34567\",\"012\\n4567\",\"0123\\n567\","
         "\"01234\\n67\",\"012345\\n7\",\"0123456\\n\"]"),
    N("string_open", "\"", 1),
    N("string_open_long", "[\"abc", NOWHERE),
    N("string_open_after_escape", "\"\\", NOWHERE),
    N("string_open_escaped_quote", "\"\\\"", NOWHERE),
    N("string_single_quotes", "'a'", 0),
    N("string_raw_newline", "\"a\nb\"", 2),
    N("string_raw_tab", "\"\t\"", 1),
    N("string_raw_nul", "\"a\0b\"", 2),
    N("string_raw_unit_separator", "\"\x1F\"", 1),
    N("string_escape_unknown", "\"\\x41\"", NOWHERE),
    N("string_escape_single_quote", "\"\\'\"", NOWHERE),
    N("string_escape_zero", "\"\\0\"", NOWHERE),
    N("string_escape_upper", "\"\\N\"", NOWHERE),
    N("string_escape_newline", "\"\\\n\"", NOWHERE),
    N("string_escape_utf8", "\"\\\xC3\xA9\"", NOWHERE),
    N("string_u_short", "\"\\u12\"", NOWHERE),
    N("string_u_none", "\"\\u\"", NOWHERE),
    N("string_u_not_hex", "\"\\u12G4\"", NOWHERE),
    N("string_u_braces", "\"\\u{41}\"", NOWHERE),
    N("string_u_upper", "\"\\U0041\"", NOWHERE),
    N("string_lone_high", "\"\\uD800\"", 1),
    N("string_lone_low", "\"\\uDC00\"", 1),
    N("string_high_high", "\"\\uD800\\uD800\"", 1),
    N("string_low_high", "\"\\uDC00\\uD800\"", 1),
    N("string_high_then_text", "\"ab\\uD800x\"", 3),
    N("string_high_then_escape", "\"\\uD800\\n\"", 1),
    N("string_high_then_short", "\"\\uD800\\uDC\"", NOWHERE),
    N("string_high_then_ascii_escape", "\"\\uD800\\u0041\"", 1),
    N("string_pair_then_low", "\"\\uD83D\\uDC26\\uDC26\"", 13),
    N("string_escaped_backslash_then_high", "\"\\\\uD83D\\uD83D\"", 8),
    N("name_lone_surrogate", "{\"\\uDFFF\":1}", 2),
    N("utf8_continuation_alone", "\"\x80\"", 1),
    N("utf8_invalid_byte", "\"a\xFF\"", 2),
    N("utf8_cut_two", "\"\xC3\"", 1),
    N("utf8_cut_three", "\"\xE2\x82\"", 1),
    N("utf8_cut_four", "\"\xF0\x9F\x90\"", 1),
    N("utf8_over_long_two", "\"\xC0\xAF\"", 1),
    N("utf8_over_long_three", "\"\xE0\x80\xAF\"", 1),
    N("utf8_over_long_four", "\"\xF0\x80\x80\xAF\"", 1),
    N("utf8_over_long_nul", "\"\xC0\x80\"", 1),
    N("utf8_surrogate", "\"\xED\xA0\x80\"", 1),
    N("utf8_surrogate_pair", "\"\xED\xA0\xBD\xED\xB0\xA6\"", 1),
    N("utf8_too_large", "\"\xF4\x90\x80\x80\"", 1),
    N("utf8_five_bytes", "\"\xF8\x88\x80\x80\x80\"", 1),
    N("utf8_latin1", "\"caf\xE9\"", 4),
    N("utf8_after_long_text", "[1,\"a long text before the fault \xC3\xA9 \xFE\"]", 36),
    N("utf8_in_name", "{\"\xFF\":1}", 2),
    N("utf8_outside_string", "[\xFF]", 1),

    /* names */
    S("twice", "{\"a\":1,\"a\":1}", 7),
    S("twice_empty", "{\"\":1,\"\":2}", 6),
    S("twice_after_unescaping", "{\"a\":1, \"\\u0061\":2}", 8),
    S("twice_deep", "[{\"x\":{\"b\":[],\"a\":{\"q\":\"}\\\"{\"},\"a\":1}}]", 31),
    S("twice_not_next", "{\"a\":1,\"b\":2,\"c\":3,\"a\":4}", 19),
    S("three_times", "{\"a\":1,\"a\":2,\"a\":3}", 7),
    S("twice_in_second_of_two", "[{\"a\":1},{\"a\":1,\"b\":2,\"b\":3}]", 22),
    S("nul_in_name", "{\"a\\u0000b\":1}", 1),
    S("nul_is_name", "{\"b\":1,\"\\u0000\":1}", 7),
    S("nul_in_name_after_backslash", "{\"\\\\\\u0000\":1}", 1),
};

static void each_case(void **state) {
    size_t failures = 0;

    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(cases); i++) {
        const json_case *one = &cases[i];
        /* No byte behind the text may matter, and none may be read: ASan guards the end. */
        char *copy = malloc(one->length ? one->length : 1);
        char *compact = NULL;
        size_t compact_len = 0;
        brant_status status;

        assert_non_null(copy);
        memcpy(copy, one->text, one->length);
        status = brant_json_compact(&compact, &compact_len, copy, one->length);
        if (one->compact) {
            if (status != BRANT_OK || strcmp(compact, one->compact) != 0 ||
                compact_len != strlen(compact)) {
                print_error("%s: %s, %s\n", one->name, brant_status_name(status),
                            compact ? compact : "-");
                failures++;
            }
        } else {
            const brant_error *error = brant_last_error();
            char *end = NULL;
            unsigned long long offset = 0;
            bool has_offset = strncmp(error->detail, "{\"offset\":", 10) == 0;
            if (has_offset) offset = strtoull(error->detail + 10, &end, 10);
            if (status != BRANT_INVALID_JSON || compact || compact_len != 0 ||
                error->code != status || error->message_len == 0 || !has_offset ||
                strcmp(end, "}") != 0 || offset > one->length ||
                (one->offset != NOWHERE && offset != one->offset)) {
                print_error("%s: %s, %s %s\n", one->name, brant_status_name(status), error->message,
                            error->detail);
                failures++;
            }
        }
        brant_free(compact);
        free(copy);
    }
    assert_int_equal(failures, 0);
}

static void what_is_compact_stays_as_it_is(void **state) {
    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(cases); i++) {
        char *again = NULL;
        size_t length = 0;
        if (!cases[i].compact) continue;
        assert_int_equal(
            brant_json_compact(&again, &length, cases[i].compact, strlen(cases[i].compact)),
            BRANT_OK);
        assert_string_equal(again, cases[i].compact);
        brant_free(again);
    }
}

/* Everything must hold wherever a value stands: alone, and deep in a larger document with and
 * without spaces. */
static void each_case_within_others(void **state) {
    static const char *const frames[][2] = {
        {"[", "]"},
        {"{\"v\":", "}"},
        {"[{\"before\":[1,\"two\"],\"v\":[0.5,", "],\"after\":{}}]"},
        {"{\n  \"v\" : [\n    true,\n    ", "\n  ]\n}\n"},
    };
    size_t failures = 0;

    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(cases); i++) {
        const json_case *one = &cases[i];
        /* A frame mends or changes these. */
        if (!one->compact && (one->length == 0 || strstr(one->name, "open") ||
                              strstr(one->name, "_alone") || strstr(one->name, "comma") ||
                              strstr(one->name, "end") || strstr(one->name, "only_"))) {
            continue;
        }
        for (size_t f = 0; f < BRANT__COUNT(frames); f++) {
            brant__buffer text = {0};
            char *compact = NULL;
            size_t length = 0;
            brant_status status;
            brant__buffer_append(&text, frames[f][0], strlen(frames[f][0]));
            brant__buffer_append(&text, one->text, one->length);
            brant__buffer_append(&text, frames[f][1], strlen(frames[f][1]));
            status = brant_json_compact(&compact, &length, text.data, text.length);
            if (status != (one->compact ? BRANT_OK : BRANT_INVALID_JSON) ||
                (one->compact && !strstr(compact, one->compact))) {
                print_error("%s in frame %zu: %s\n", one->name, f, brant_status_name(status));
                failures++;
            }
            /* Where a fault of the strictness pass stands is exact in every surrounding. */
            if (one->name[0] == 's') {
                char detail[64];
                snprintf(detail, sizeof(detail), "{\"offset\":%zu}",
                         strlen(frames[f][0]) + one->offset);
                if (strcmp(brant_last_error()->detail, detail) != 0) {
                    print_error("%s in frame %zu: %s, not %s\n", one->name, f,
                                brant_last_error()->detail, detail);
                    failures++;
                }
            }
            brant_free(compact);
            brant__buffer_free(&text);
        }
    }
    assert_int_equal(failures, 0);
}

/* Every prefix of a document is refused, and every change of one byte is either refused or valid:
 * no crash, no hang. */
static void prefixes_and_mutations(void **state) {
    static const char document[] =
        "{\"name\":\"caf\xC3\xA9 \\u00e9\\uD83D\\uDC26\\n\",\"n\":[0,-1.5e-3,18446744073709549568,"
        "true,false,null],\"o\":{\"\":{},\"x\":[[],[{}]]}}";
    char text[sizeof(document)];
    char *compact = NULL;
    size_t length = 0;

    (void)state;
    for (size_t cut = 0; cut < sizeof(document) - 1; cut++) {
        char *prefix = malloc(cut ? cut : 1);
        assert_non_null(prefix);
        memcpy(prefix, document, cut);
        assert_int_equal(brant_json_compact(&compact, &length, prefix, cut), BRANT_INVALID_JSON);
        free(prefix);
    }
    for (size_t at = 0; at < sizeof(document) - 1; at++) {
        for (int byte = 0; byte < 256; byte++) {
            brant_status status;
            memcpy(text, document, sizeof(document));
            text[at] = (char)byte;
            status = brant_json_compact(&compact, &length, text, sizeof(text) - 1);
            assert_true(status == BRANT_OK || status == BRANT_INVALID_JSON);
            if (status == BRANT_OK) {
                char *again = NULL;
                size_t again_length = 0;
                assert_int_equal(brant__utf8_check(compact, length), SIZE_MAX);
                assert_int_equal(brant_json_compact(&again, &again_length, compact, length),
                                 BRANT_OK);
                assert_string_equal(again, compact);
                brant_free(again);
            }
            brant_free(compact);
        }
    }
}

/* ---- depth ----------------------------------------------------------------------------------- */

static brant_status compact_nested(const char *open, const char *middle, const char *close,
                                   size_t depth) {
    brant__buffer text = {0};
    char *compact = NULL;
    size_t length = 0;
    brant_status status;

    for (size_t i = 0; i < depth; i++)
        brant__buffer_append(&text, open, strlen(open));
    brant__buffer_append(&text, middle, strlen(middle));
    for (size_t i = 0; i < depth; i++)
        brant__buffer_append(&text, close, strlen(close));
    status = brant_json_compact(&compact, &length, text.data, text.length);
    if (status == BRANT_OK) {
        assert_int_equal(length, text.length);
        assert_memory_equal(compact, text.data, length);
    }
    brant_free(compact);
    brant__buffer_free(&text);
    return status;
}

static void depth_is_limited(void **state) {
    (void)state;
    assert_int_equal(compact_nested("[", "", "]", 512), BRANT_OK);
    assert_int_equal(compact_nested("[", "1", "]", 512), BRANT_OK);
    assert_int_equal(compact_nested("{\"a\":", "1", "}", 512), BRANT_OK);
    assert_int_equal(compact_nested("[{\"a\":", "1", "}]", 256), BRANT_OK);
    assert_int_equal(compact_nested("[", "", "]", 513), BRANT_LIMIT);
    assert_string_equal(brant_last_error()->detail, "{\"offset\":512}");
    assert_int_equal(compact_nested("{\"a\":", "1", "}", 513), BRANT_LIMIT);
    assert_string_equal(brant_last_error()->detail, "{\"offset\":2560}");
    assert_int_equal(compact_nested("[", "", "]", 100000), BRANT_LIMIT);
    assert_int_equal(compact_nested("{\"a\":", "1", "}", 100000), BRANT_LIMIT);
    assert_int_equal(compact_nested("[", "", "", 100000), BRANT_INVALID_JSON);
    assert_int_equal(compact_nested("{\"a\":", "", "", 100000), BRANT_INVALID_JSON);
    assert_int_equal(compact_nested("[{\"a\":", "", "", 100000), BRANT_INVALID_JSON);
    assert_int_equal(compact_nested("", "", "]", 100000), BRANT_INVALID_JSON);
}

/* Depth is what is open at once, not what was opened. */
static void many_siblings_are_not_deep(void **state) {
    brant__buffer text = {0};
    char *compact = NULL;
    size_t length = 0;

    (void)state;
    brant__buffer_append_byte(&text, '[');
    for (int i = 0; i < 3000; i++)
        brant__buffer_append(&text, "[[]],{\"a\":{}},", 14);
    brant__buffer_append(&text, "0]", 2);
    assert_int_equal(brant_json_compact(&compact, &length, text.data, text.length), BRANT_OK);
    assert_int_equal(length, text.length);
    brant_free(compact);
    brant__buffer_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_case),
        cmocka_unit_test(what_is_compact_stays_as_it_is),
        cmocka_unit_test(each_case_within_others),
        cmocka_unit_test(prefixes_and_mutations),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(many_siblings_are_not_deep),
    };

    print_message("%zu cases\n", BRANT__COUNT(cases));
    return cmocka_run_group_tests_name("json/conformance", tests, NULL, NULL);
}
