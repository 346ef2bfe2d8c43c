/* brant__json_parse and its reuse of memory, hostile documents, and the public compaction's
 * contract. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <time.h>

#include "base/json.h"
#include "test_base_allocator.h"

/* The first error wins, so a test begins without one. */
static int clear(void **state) {
    (void)state;
    brant__error_clear();
    return 0;
}

#define PARSE(json, literal) brant__json_parse(json, literal, sizeof(literal) - 1, 0)

static void a_document_can_be_read(void **state) {
    brant__json json = {0};
    yyjson_val *root;

    (void)state;
    assert_int_equal(PARSE(&json, "{\"name\":\"libc7\",\"sizes\":[1,-2,3.5],\"ok\":true}"),
                     BRANT_OK);
    root = json.root;
    assert_ptr_equal(root, yyjson_doc_get_root(json.doc));
    assert_int_equal(yyjson_obj_size(root), 3);
    assert_string_equal(yyjson_get_str(brant__json_get(root, "name")), "libc7");
    assert_int_equal(yyjson_get_int(yyjson_arr_get(brant__json_get(root, "sizes"), 1)), -2);
    assert_true(yyjson_get_bool(brant__json_get(root, "ok")));
    assert_null(brant__json_get(root, "missing"));
    brant__json_free(&json);
    assert_null(json.root);
    assert_null(json.doc);
    assert_null(json.memory);
    brant__json_free(&json);
}

static void the_text_is_not_kept(void **state) {
    char text[] = "[\"abc\"]";
    brant__json json = {0};

    (void)state;
    assert_int_equal(brant__json_parse(&json, text, 7, 0), BRANT_OK);
    memset(text, 'x', sizeof(text));
    assert_string_equal(yyjson_get_str(yyjson_arr_get_first(json.root)), "abc");
    brant__json_free(&json);
}

static void a_failure_leaves_nothing_behind(void **state) {
    static const char *const faults[] = {"", "[", "{\"a\":1,\"a\":2}", "[1e999]", "[\"\xFF\"]"};
    brant__json json = {0};

    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(faults); i++) {
        assert_int_equal(PARSE(&json, "[1]"), BRANT_OK);
        assert_non_null(json.root);
        brant__error_clear();
        assert_int_equal(brant__json_parse(&json, faults[i], strlen(faults[i]), 0),
                         BRANT_INVALID_JSON);
        assert_null(json.root);
        assert_null(json.doc);
    }
    brant__json_free(&json);
}

static void depth_can_be_chosen(void **state) {
    brant__json json = {0};

    (void)state;
    assert_int_equal(brant__json_parse(&json, "1", 1, 1), BRANT_OK);
    assert_int_equal(brant__json_parse(&json, "[1]", 3, 1), BRANT_OK);
    assert_int_equal(brant__json_parse(&json, "[[1]]", 5, 1), BRANT_LIMIT);
    brant__error_clear();
    assert_int_equal(brant__json_parse(&json, "[1,[2],[[3]]]", 13, 2), BRANT_LIMIT);
    assert_string_equal(brant_last_error()->detail, "{\"offset\":8}");
    assert_int_equal(brant__json_parse(&json, "[1,[2],[[3]]]", 13, 3), BRANT_OK);
    assert_int_equal(brant__json_parse(&json, "[1,[2],[[3]]]", 13, 0), BRANT_OK);
    brant__json_free(&json);
}

/* More than the limit cannot be asked for: whatever walks documents relies on it. */
static void depth_cannot_be_beyond_the_limit(void **state) {
    char text[1200];
    brant__json json = {0};

    (void)state;
    memset(text, '[', 529);
    memset(text + 529, ']', 529);
    assert_int_equal(brant__json_parse(&json, text, 1058, 600), BRANT_LIMIT);
    assert_int_equal(brant__json_parse(&json, text + 1, 1056, 600),
                     BRANT_OK); /* 512, and 16 around */
    assert_int_equal(brant__json_parse(&json, text + 16, 1026, 0), BRANT_LIMIT);
    brant__json_free(&json);
}

/* ---- memory ---------------------------------------------------------------------------------- */

static void small_documents_settle_to_no_allocation(void **state) {
    brant__json json = {0};
    size_t asked;
    char text[2000];

    (void)state;
    failing_allocator_start(SIZE_MAX);
    memset(text, ' ', sizeof(text));
    memcpy(text, "{\"a\":[1,2,3],\"b\":{\"c\":\"d\"}}", 27);
    assert_int_equal(brant__json_parse(&json, text, sizeof(text), 0), BRANT_OK);
    asked = failing.asked;
    for (size_t length = 27; length <= sizeof(text); length++) {
        assert_int_equal(brant__json_parse(&json, text, length, 0), BRANT_OK);
        assert_int_equal(yyjson_obj_size(json.root), 2);
    }
    assert_int_equal(failing.asked, asked);
    assert_int_equal(failing.alive, 1);
    brant__json_free(&json);
    assert_int_equal(failing.alive, 0);
    failing_allocator_stop();
}

/* The worst documents there are for a parser that guesses its memory from the length. */
static void dense_documents_of_every_length(void **state) {
    brant__json json = {0};

    (void)state;
    for (size_t count = 1; count < 90000; count += count / 7 + 1) {
        brant__buffer text = {0};
        brant__buffer_append_byte(&text, '[');
        for (size_t i = 0; i < count; i++)
            brant__buffer_append(&text, "0,", 2);
        brant__buffer_append(&text, "0]", 2);
        assert_int_equal(brant__json_parse(&json, text.data, text.length, 0), BRANT_OK);
        assert_int_equal(yyjson_arr_size(json.root), count + 1);
        memset(text.data, '[', text.length);
        brant__error_clear();
        assert_int_equal(brant__json_parse(&json, text.data, text.length, 0), BRANT_INVALID_JSON);
        brant__buffer_free(&text);
    }
    brant__json_free(&json);
}

static void large_documents_are_parsed_and_given_back(void **state) {
    brant__json json = {0};
    brant__buffer text = {0};

    (void)state;
    failing_allocator_start(SIZE_MAX);
    brant__buffer_append_byte(&text, '[');
    for (int i = 0; i < 300000; i++)
        brant__buffer_format(&text, "{\"id\":%d,\"name\":\"n%d\"},", i, i);
    brant__buffer_append(&text, "null]", 5);
    assert_int_equal(brant__json_parse(&json, text.data, text.length, 0), BRANT_OK);
    assert_int_equal(yyjson_arr_size(json.root), 300001);
    brant__buffer_free(&text);

    assert_int_equal(PARSE(&json, "[1]"), BRANT_OK);
    assert_true(json.memory_size <= (size_t)1 << 20);
    assert_int_equal(failing.alive, 1);
    brant__json_free(&json);
    assert_int_equal(failing.alive, 0);
    failing_allocator_stop();
}

static void offsets_in_large_documents_are_exact(void **state) {
    brant__json json = {0};
    brant__buffer text = {0};
    char detail[64];

    (void)state;
    brant__buffer_append_byte(&text, '[');
    for (int i = 0; i < 100000; i++)
        brant__buffer_format(&text, "{\"id\" : %d, \"na\\\"me\":[\"\\\\\",-%d.5e3]},\n", i, i);
    snprintf(detail, sizeof(detail), "{\"offset\":%zu}", text.length);
    brant__buffer_append(&text, "1e999]", 6);
    assert_int_equal(brant__json_parse(&json, text.data, text.length, 0), BRANT_INVALID_JSON);
    assert_string_equal(brant_last_error()->detail, detail);
    brant__buffer_free(&text);
    brant__json_free(&json);
}

static void parsing_survives_failure(void **state) {
    (void)state;
    for (size_t members = 2; members <= 20000; members *= 10) {
        brant__buffer text = {0};
        brant__buffer_append_byte(&text, '{');
        for (size_t i = 0; i < members; i++)
            brant__buffer_format(&text, "\"member %zu\":[%zu,\"x\"],", i, i);
        brant__buffer_append(&text, "\"end\":null}", 11);
        for (size_t n = 0;; n++) {
            brant__json json = {0};
            brant_status status;
            brant__error_clear();
            failing_allocator_start(n);
            status = brant__json_parse(&json, text.data, text.length, 0);
            if (status == BRANT_OK) {
                assert_int_equal(yyjson_obj_size(json.root), members + 1);
            } else {
                assert_int_equal(status, BRANT_NO_MEMORY);
                assert_int_equal(brant_last_error()->code, BRANT_NO_MEMORY);
                assert_null(json.root);
                assert_true(failing.failed);
            }
            brant__json_free(&json);
            assert_int_equal(failing.alive, 0);
            failing_allocator_stop();
            if (status == BRANT_OK) {
                assert_true(n > 0);
                break;
            }
        }
        brant__buffer_free(&text);
    }
}

/* ---- duplicate names ------------------------------------------------------------------------- */

/* One pair in objects of every size, at every place: the quadratic path, the small table and the
 * large one. */
static void a_duplicate_is_found_wherever_it_is(void **state) {
    static const size_t counts[] = {2, 3, 15, 16, 17, 18, 127, 128, 129, 130, 400};

    (void)state;
    for (size_t c = 0; c < BRANT__COUNT(counts); c++) {
        size_t count = counts[c];
        size_t step = count > 30 ? 13 : 1;
        for (size_t second = 0; second <= count; second += step) {
            brant__json json = {0};
            brant__buffer text = {0};
            size_t offset = 0;
            size_t first = second > 0 ? second / 2 : 0;
            brant__buffer_append_byte(&text, '{');
            for (size_t i = 0; i < count; i++) {
                size_t name = second > 0 && i == second ? first : i;
                if (i > 0) brant__buffer_append_byte(&text, ',');
                if (i == second) offset = text.length;
                brant__buffer_format(&text, "\"name_%zu_of_an_object\":[{\"x\":%zu}]", name, i);
            }
            brant__buffer_append_byte(&text, '}');
            brant__error_clear();
            if (second > 0 && second < count && first != second) {
                char detail[64];
                snprintf(detail, sizeof(detail), "{\"offset\":%zu}", offset);
                assert_int_equal(brant__json_parse(&json, text.data, text.length, 0),
                                 BRANT_INVALID_JSON);
                assert_string_equal(brant_last_error()->detail, detail);
            } else {
                assert_int_equal(brant__json_parse(&json, text.data, text.length, 0), BRANT_OK);
            }
            brant__buffer_free(&text);
            brant__json_free(&json);
        }
    }
}

/* Names that a careless signature would take for equal, and only those that are equal are refused.
 */
static void names_that_look_alike_are_not_duplicates(void **state) {
    brant__json json = {0};

    (void)state;
    assert_int_equal(
        PARSE(&json,
              "{\"abcd\":1,\"abca\":2,\"aba\":3,\"abba\":4,\"a\":5,\"aa\":6,\"aaa\":7,\"aaaa\":8,"
              "\"aaaaa\":9,\"aaaaaaaa\":10,\"aaaaaaaaa\":11}"),
        BRANT_OK);
    assert_int_equal(PARSE(&json,
                           "{\"prefix_1_suffix_\":1,\"prefix_2_suffix_\":2,\"prefix_1_suffiy_\":3,"
                           "\"prefix__middle_a_suffix\":4,\"prefix__middle_b_suffix\":5}"),
                     BRANT_OK);
    assert_int_equal(PARSE(&json, "{\"prefix__middle_a_suffix\":4,\"prefix__middle_a_suffix\":5}"),
                     BRANT_INVALID_JSON);
    brant__json_free(&json);
}

/* It may be within a secret. */
static void the_message_does_not_name_the_duplicate(void **state) {
    brant__json json = {0};
    brant__buffer text = {0};

    (void)state;
    assert_int_equal(PARSE(&json, "{\"na\\u006de\":1,\"name\":2}"), BRANT_INVALID_JSON);
    assert_string_equal(brant_last_error()->message, "JSON: duplicate member name at byte 15");

    /* A name of any length and content leaves a message of valid text. */
    for (size_t length = 70; length < 90; length++) {
        brant__buffer_reset(&text);
        for (int twice = 0; twice < 2; twice++) {
            if (twice)
                brant__buffer_append(&text, "\":1,\"", 5);
            else
                brant__buffer_append(&text, "{\"", 2);
            for (size_t i = 0; i < length; i++)
                brant__buffer_append(&text, "\xE2\x82\xAC", 3);
        }
        brant__buffer_append(&text, "\":2}", 4);
        brant__error_clear();
        assert_int_equal(brant__json_parse(&json, text.data, text.length, 0), BRANT_INVALID_JSON);
        assert_non_null(strstr(brant_last_error()->message, "duplicate"));
        assert_int_equal(
            brant__utf8_check(brant_last_error()->message, brant_last_error()->message_len),
            SIZE_MAX);
    }
    brant__buffer_free(&text);
    brant__json_free(&json);
}

/* A million names, all alike but for a few bytes, must take about as long as any million. */
static void many_names_take_linear_time(void **state) {
    brant__json json = {0};
    brant__buffer text = {0};
    clock_t start;

    (void)state;
    brant__buffer_append_byte(&text, '{');
    for (int i = 0; i < 1000000; i++)
        brant__buffer_format(&text, "%s\"%d\":0", i ? "," : "", i);
    brant__buffer_append_byte(&text, '}');
    start = clock();
    assert_int_equal(brant__json_parse(&json, text.data, text.length, 0), BRANT_OK);
    assert_true(clock() - start < 10 * CLOCKS_PER_SEC);
    brant__buffer_free(&text);
    brant__json_free(&json);
}

/* ---- the public function --------------------------------------------------------------------- */

static void compact_checks_its_arguments(void **state) {
    char *text = (char *)1;
    size_t length = 5;

    (void)state;
    assert_int_equal(brant_json_compact(NULL, &length, "1", 1), BRANT_INVALID);
    assert_int_equal(brant_json_compact(&text, &length, NULL, 0), BRANT_INVALID);
    assert_null(text);
    assert_int_equal(length, 0);
    assert_int_equal(brant_last_error()->code, BRANT_INVALID);
    assert_int_equal(brant_json_compact(&text, NULL, " 1 ", 3), BRANT_OK);
    assert_string_equal(text, "1");
    assert_int_equal(brant_last_error()->code, BRANT_OK);
    brant_free(text);
}

static void compact_survives_failure(void **state) {
    static const char document[] = "{\"a\":[1,2.5,\"text\\n\",{\"b\":null}],\"c\":\"\\u00e9\"}";

    (void)state;
    for (size_t n = 0;; n++) {
        char *text = (char *)1;
        size_t length = 1;
        brant_status status;
        failing_allocator_start(n);
        status = brant_json_compact(&text, &length, document, sizeof(document) - 1);
        if (status != BRANT_OK) {
            assert_int_equal(status, BRANT_NO_MEMORY);
            assert_int_equal(brant_last_error()->code, BRANT_NO_MEMORY);
            assert_null(text);
            assert_int_equal(length, 0);
        }
        brant_free(text);
        assert_int_equal(failing.alive, 0);
        failing_allocator_stop();
        if (status == BRANT_OK) {
            assert_true(n > 1);
            break;
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_document_can_be_read, clear),
        cmocka_unit_test_setup(the_text_is_not_kept, clear),
        cmocka_unit_test_setup(a_failure_leaves_nothing_behind, clear),
        cmocka_unit_test_setup(depth_can_be_chosen, clear),
        cmocka_unit_test_setup(depth_cannot_be_beyond_the_limit, clear),
        cmocka_unit_test_setup(small_documents_settle_to_no_allocation, clear),
        cmocka_unit_test_setup(dense_documents_of_every_length, clear),
        cmocka_unit_test_setup(large_documents_are_parsed_and_given_back, clear),
        cmocka_unit_test_setup(offsets_in_large_documents_are_exact, clear),
        cmocka_unit_test_setup(parsing_survives_failure, clear),
        cmocka_unit_test_setup(a_duplicate_is_found_wherever_it_is, clear),
        cmocka_unit_test_setup(names_that_look_alike_are_not_duplicates, clear),
        cmocka_unit_test_setup(the_message_does_not_name_the_duplicate, clear),
        cmocka_unit_test_setup(many_names_take_linear_time, clear),
        cmocka_unit_test_setup(compact_checks_its_arguments, clear),
        cmocka_unit_test_setup(compact_survives_failure, clear),
    };

    return cmocka_run_group_tests_name("json/parse", tests, NULL, NULL);
}
