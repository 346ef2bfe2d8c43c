/* The error record: first error wins, bounds, valid UTF-8 on one line, one record per thread,
 * nothing leaks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "test_base_allocator.h"

static int clear(void **state) {
    (void)state;
    brant__error_clear();
    return 0;
}

static void assert_no_error(void) {
    const brant_error *error = brant_last_error();

    assert_non_null(error);
    assert_int_equal(error->code, BRANT_OK);
    assert_string_equal(error->name, "OK");
    assert_string_equal(error->message, "");
    assert_int_equal(error->message_len, 0);
    assert_string_equal(error->detail, "{}");
    assert_int_equal(error->detail_len, 2);
}

static void empty_until_something_failed(void **state) {
    (void)state;
    assert_no_error();
}

static void filled_by_a_failure(void **state) {
    const brant_error *error;

    (void)state;
    assert_int_equal(
        brant__fail(BRANT_NOT_FOUND, "no node \"%s\" in graph \"%s\"", "libc7", "debian"),
        BRANT_NOT_FOUND);
    error = brant_last_error();
    assert_int_equal(error->code, BRANT_NOT_FOUND);
    assert_string_equal(error->name, "NOT_FOUND");
    assert_string_equal(error->message, "no node \"libc7\" in graph \"debian\"");
    assert_int_equal(error->message_len, strlen(error->message));
    assert_string_equal(error->detail, "{}");
    assert_int_equal(error->detail_len, 2);
}

static void first_error_wins(void **state) {
    (void)state;
    brant__fail_detail(BRANT_CONSTRAINT, BRANT__TEXT("{\"edge\":1}"), "first");
    assert_int_equal(brant__fail(BRANT_INTERNAL, "second"), BRANT_CONSTRAINT);
    assert_int_equal(brant__fail_memory(), BRANT_CONSTRAINT);
    assert_int_equal(brant_last_error()->code, BRANT_CONSTRAINT);
    assert_string_equal(brant_last_error()->message, "first");
    assert_string_equal(brant_last_error()->detail, "{\"edge\":1}");
}

static void clearing_empties_it(void **state) {
    (void)state;
    brant__fail(BRANT_BUSY, "busy");
    brant__error_clear();
    assert_no_error();
    brant__fail(BRANT_FULL, "full");
    assert_string_equal(brant_last_error()->message, "full");
}

static void taking_it_back_leaves_room_for_the_next(void **state) {
    const brant_error *error;

    (void)state;
    brant__fail_detail(BRANT_VALIDATION, BRANT__TEXT("{\"violations\":[]}"), "not valid");
    error = brant_last_error();
    assert_int_equal(brant__error_code(), BRANT_VALIDATION);
    assert_no_error();
    assert_int_equal(brant__error_code(), BRANT_OK);

    /* The texts may be said again, with more around them. */
    brant__fail_detail(BRANT_VALIDATION, brant__text_of(error->detail, error->detail_len),
                       "item %d: %s", 3, error->message);
    assert_string_equal(brant_last_error()->message, "item 3: not valid");
    assert_string_equal(brant_last_error()->detail, "{\"violations\":[]}");
}

static void an_empty_detail_is_an_empty_object(void **state) {
    (void)state;
    brant__fail_detail(BRANT_INVALID, (brant__text){NULL, 0}, "x");
    assert_string_equal(brant_last_error()->detail, "{}");
}

static void a_long_message_is_cut_at_a_code_point(void **state) {
    char text[1200];

    (void)state;
    /* Every offset of a four-byte code point against the bound. */
    for (size_t shift = 0; shift < 4; shift++) {
        const brant_error *error;
        memset(text, 'a', shift);
        for (size_t i = shift; i + 4 < sizeof(text); i += 4)
            memcpy(text + i, "\xF0\x9F\x90\xA6", 5);
        brant__error_clear();
        brant__fail(BRANT_INVALID, "%s", text);
        error = brant_last_error();
        assert_in_range(error->message_len, 500, 511);
        assert_int_equal(strlen(error->message), error->message_len);
        assert_int_equal(brant__utf8_check(error->message, error->message_len), SIZE_MAX);
        assert_null(strchr(error->message, '?'));
        assert_int_equal((error->message_len - shift) % 4, 0);
    }
    brant__error_clear();
    memset(text, 'x', 511);
    text[511] = '\0';
    brant__fail(BRANT_INVALID, "%s", text);
    assert_int_equal(brant_last_error()->message_len, 511);
}

static void a_message_is_one_line_of_valid_utf8(void **state) {
    (void)state;
    brant__fail(BRANT_INVALID, "a\nb\tc\r%sd\x7F", "\x01");
    assert_string_equal(brant_last_error()->message, "a b c  d ");
    brant__error_clear();
    brant__fail(BRANT_INVALID, "%s", "caf\xC3\xA9 \xFF\xFE \xC3");
    assert_string_equal(brant_last_error()->message, "caf\xC3\xA9 ?? ?");
}

static char *long_detail(size_t size) {
    char *detail = malloc(size + 1);

    assert_non_null(detail);
    memset(detail, 'x', size);
    memcpy(detail, "{\"a\":\"", 6);
    memcpy(detail + size - 2, "\"}", 3);
    return detail;
}

static void details_of_all_sizes_are_kept(void **state) {
    static const size_t sizes[] = {8,    511,   512,    513, 4095, 4096,
                                   4097, 20000, 100000, 8,   600,  500000};

    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(sizes); i++) {
        char *detail = long_detail(sizes[i]);
        brant__error_clear();
        brant__fail_detail(BRANT_VALIDATION, brant__text_of(detail, sizes[i]), "size %zu",
                           sizes[i]);
        assert_int_equal(brant_last_error()->detail_len, sizes[i]);
        assert_string_equal(brant_last_error()->detail, detail);
        free(detail);
    }
}

static void an_absurd_detail_is_dropped(void **state) {
    size_t size = (size_t)4 << 20;
    char *detail = long_detail(size);

    (void)state;
    brant__fail_detail(BRANT_VALIDATION, brant__text_of(detail, size), "absurd");
    assert_int_equal(brant_last_error()->code, BRANT_VALIDATION);
    assert_string_equal(brant_last_error()->message, "absurd");
    assert_string_equal(brant_last_error()->detail, "{}");
    free(detail);
}

static void memory_failure_writes_no_text_of_its_own(void **state) {
    (void)state;
    assert_int_equal(brant__fail_memory(), BRANT_NO_MEMORY);
    assert_int_equal(brant_last_error()->code, BRANT_NO_MEMORY);
    assert_true(brant_last_error()->message_len > 0);
}

/* A short or a long detail, over one that is short, long or none. */
static void what_is_kept_comes_back(void **state) {
    static const size_t sizes[] = {0, 20, 5000, 200000};
    char *detail = long_detail(200000);

    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(sizes); i++)
        for (size_t j = 0; j < BRANT__COUNT(sizes); j++)
            for (int restored = 0; restored < 2; restored++) {
                brant__kept_error kept;
                const size_t size = sizes[restored ? i : j];
                char *first = sizes[i] ? long_detail(sizes[i]) : NULL,
                     *second = sizes[j] ? long_detail(sizes[j]) : NULL;
                brant__error_clear();
                if (first)
                    brant__fail_detail(BRANT_STALE, brant__text_of(first, sizes[i]), "kept %zu", i);
                brant__error_keep(&kept);
                assert_no_error();
                if (second)
                    brant__fail_detail(BRANT_BUSY, brant__text_of(second, sizes[j]), "%zu", j);
                if (restored)
                    brant__error_restore(&kept);
                else
                    brant__error_forget(&kept);
                if (size == 0) {
                    assert_no_error();
                } else {
                    char message[16];
                    snprintf(message, sizeof message, restored ? "kept %zu" : "%zu",
                             restored ? i : j);
                    assert_int_equal(brant_last_error()->code, restored ? BRANT_STALE : BRANT_BUSY);
                    assert_string_equal(brant_last_error()->message, message);
                    assert_int_equal(brant_last_error()->message_len, strlen(message));
                    assert_string_equal(brant_last_error()->detail, restored ? first : second);
                    assert_int_equal(brant_last_error()->detail_len, size);
                }
                /* And it is one like any other. */
                brant__error_clear();
                brant__fail_detail(BRANT_FULL, brant__text_of(detail, 200000), "full");
                assert_string_equal(brant_last_error()->detail, detail);
                free(first);
                free(second);
            }
    free(detail);
}

static void *fail_without_memory(void *argument) {
    brant__fail_detail(BRANT_VALIDATION, brant__text_of(argument, 5000), "message");
    assert_int_equal(brant_last_error()->code, BRANT_VALIDATION);
    assert_string_equal(brant_last_error()->message, "message");
    assert_string_equal(brant_last_error()->detail, "{}");
    return NULL;
}

static void no_memory_for_a_detail_leaves_it_empty(void **state) {
    char *detail = long_detail(5000);
    pthread_t thread;

    (void)state;
    /* On a thread of its own, which has no block from an earlier test. */
    failing_allocator_start(0);
    assert_int_equal(pthread_create(&thread, NULL, fail_without_memory, detail), 0);
    pthread_join(thread, NULL);
    assert_true(failing.failed);
    failing_allocator_stop();
    free(detail);
}

static void *fail_on_thread(void *argument) {
    char *detail = long_detail(30000);

    (void)argument;
    if (brant_last_error()->code != BRANT_OK) return NULL;
    brant__fail_detail(BRANT_STALE, brant__text_of(detail, 30000), "of the thread");
    free(detail);
    if (brant_last_error()->detail_len != 30000) return NULL;
    return (void *)(uintptr_t)brant_last_error()->code;
}

static void each_thread_has_its_own_and_frees_it(void **state) {
    (void)state;
    brant__fail(BRANT_BUSY, "of the main thread");
    failing_allocator_start(SIZE_MAX);
    for (int i = 0; i < 32; i++) {
        pthread_t thread;
        void *result = NULL;
        assert_int_equal(pthread_create(&thread, NULL, fail_on_thread, NULL), 0);
        pthread_join(thread, &result);
        assert_int_equal((uintptr_t)result, BRANT_STALE);
        assert_int_equal(failing.alive, 0);
    }
    assert_int_equal(failing.asked, 32);
    failing_allocator_stop();
    assert_int_equal(brant_last_error()->code, BRANT_BUSY);
    assert_string_equal(brant_last_error()->message, "of the main thread");
}

static void *reuse_on_thread(void *argument) {
    char *detail = long_detail(3000);

    (void)argument;
    for (int i = 0; i < 1000; i++) {
        brant__error_clear();
        brant__fail_detail(BRANT_STALE, brant__text_of(detail, 3000), "again");
    }
    free(detail);
    return NULL;
}

static void the_block_of_a_detail_is_reused(void **state) {
    pthread_t thread;

    (void)state;
    failing_allocator_start(SIZE_MAX);
    assert_int_equal(pthread_create(&thread, NULL, reuse_on_thread, NULL), 0);
    pthread_join(thread, NULL);
    assert_int_equal(failing.asked, 1);
    assert_int_equal(failing.alive, 0);
    failing_allocator_stop();
}

static void *shrink_on_thread(void *argument) {
    char *detail = long_detail(200000);
    size_t *alive = argument;

    brant__fail_detail(BRANT_STALE, brant__text_of(detail, 200000), "large");
    alive[0] = failing.alive;
    brant__error_clear();
    brant__fail(BRANT_STALE, "small");
    brant__error_clear();
    alive[1] = failing.alive;
    free(detail);
    return NULL;
}

static void a_large_block_is_given_back(void **state) {
    pthread_t thread;
    size_t alive[2] = {0, 0};

    (void)state;
    failing_allocator_start(SIZE_MAX);
    assert_int_equal(pthread_create(&thread, NULL, shrink_on_thread, alive), 0);
    pthread_join(thread, NULL);
    assert_int_equal(alive[0], 1);
    assert_int_equal(alive[1], 0);
    assert_int_equal(failing.alive, 0);
    failing_allocator_stop();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(empty_until_something_failed, clear),
        cmocka_unit_test_setup(filled_by_a_failure, clear),
        cmocka_unit_test_setup(first_error_wins, clear),
        cmocka_unit_test_setup(clearing_empties_it, clear),
        cmocka_unit_test_setup(taking_it_back_leaves_room_for_the_next, clear),
        cmocka_unit_test_setup(an_empty_detail_is_an_empty_object, clear),
        cmocka_unit_test_setup(a_long_message_is_cut_at_a_code_point, clear),
        cmocka_unit_test_setup(a_message_is_one_line_of_valid_utf8, clear),
        cmocka_unit_test_setup(details_of_all_sizes_are_kept, clear),
        cmocka_unit_test_setup(an_absurd_detail_is_dropped, clear),
        cmocka_unit_test_setup(memory_failure_writes_no_text_of_its_own, clear),
        cmocka_unit_test_setup(what_is_kept_comes_back, clear),
        cmocka_unit_test_setup(no_memory_for_a_detail_leaves_it_empty, clear),
        cmocka_unit_test_setup(each_thread_has_its_own_and_frees_it, clear),
        cmocka_unit_test_setup(the_block_of_a_detail_is_reused, clear),
        cmocka_unit_test_setup(a_large_block_is_given_back, clear),
    };

    return cmocka_run_group_tests_name("base/error", tests, NULL, NULL);
}
