/* The allocator seam, the arena and the buffer, with and without memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test_base_allocator.h"

/* ---- the allocator --------------------------------------------------------------------------- */

static void size_zero_gives_a_pointer(void **state) {
    void *memory = brant__alloc(0);

    (void)state;
    assert_non_null(memory);
    memory = brant__realloc(memory, 0);
    assert_non_null(memory);
    brant__free(memory);
    memory = brant__realloc(NULL, 10);
    assert_non_null(memory);
    brant__free(memory);
    brant__free(NULL);
    brant_free(NULL);
}

static void lists_grow(void **state) {
    int *list = NULL, *grown;
    size_t room = 0;

    (void)state;
    for (size_t count = 0; count < 1000; count++) {
        grown = brant__grow(list, &room, count, sizeof(*list));
        assert_non_null(grown);
        assert_true(room > count);
        list = grown;
        list[count] = (int)count;
    }
    for (int i = 0; i < 1000; i++)
        assert_int_equal(list[i], i);
    /* Without memory all is as it was; while there is room none is asked for. */
    room = 1000;
    failing_allocator_start(0);
    assert_ptr_equal(brant__grow(list, &room, 999, sizeof(*list)), list);
    assert_null(brant__grow(list, &room, 1000, sizeof(*list)));
    failing_allocator_stop();
    assert_int_equal(room, 1000);
    assert_int_equal(list[999], 999);
    room = SIZE_MAX / 8;
    assert_null(brant__grow(list, &room, room, sizeof(*list)));
    brant__free(list);
}

static void texts_in_an_arena(void **state) {
    brant__arena arena = {0};
    brant__text text = {NULL, 7};

    (void)state;
    assert_int_equal(brant__arena_text(&text, &arena, brant__text_string("a text")), BRANT_OK);
    assert_true(brant__text_equal(text, BRANT__TEXT("a text")));
    assert_int_equal(brant__arena_text(&text, &arena, BRANT__TEXT("")), BRANT_OK);
    assert_non_null(text.data);
    assert_int_equal(text.length, 0);
    assert_int_equal(brant__arena_text(&text, &arena, (brant__text){NULL, 0}), BRANT_NO_MEMORY);
    assert_null(text.data);
    brant__arena_free(&arena);
    failing_allocator_start(0);
    assert_int_equal(brant__arena_text(&text, &arena, BRANT__TEXT("a")), BRANT_NO_MEMORY);
    failing_allocator_stop();
    assert_null(text.data);
    assert_int_equal(text.length, 0);
    brant__arena_free(&arena);
}

static void zeroed_and_copied(void **state) {
    char *zero = brant__alloc_zero(100), *copy = brant__strndup("abcdef", 3),
         *empty = brant__strndup(NULL, 0);

    (void)state;
    for (int i = 0; i < 100; i++)
        assert_int_equal(zero[i], 0);
    assert_string_equal(copy, "abc");
    assert_string_equal(empty, "");
    assert_null(brant__strndup("a", SIZE_MAX));
    brant__free(zero);
    brant__free(copy);
    brant__free(empty);
}

static void a_replaced_allocator_is_used(void **state) {
    char *text = NULL;
    size_t length = 0;
    brant_allocator current;

    (void)state;
    failing_allocator_start(SIZE_MAX);
    brant__allocator_get(&current);
    assert_true(current.allocate == failing_allocate);
    assert_int_equal(brant_json_compact(&text, &length, " [ 1 ] ", 7), BRANT_OK);
    assert_true(failing.asked > 0);
    assert_int_equal(failing.alive, 1);
    brant_free(text);
    assert_int_equal(failing.alive, 0);
    failing_allocator_stop();
    brant__allocator_get(&current);
    assert_true(current.allocate != failing_allocate);
}

/* ---- the arena ------------------------------------------------------------------------------- */

static void arena_memory_is_aligned_and_apart(void **state) {
    brant__arena arena = {0};
    char *pieces[500];

    (void)state;
    for (size_t i = 0; i < 500; i++) {
        pieces[i] = brant__arena_alloc(&arena, i);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % 16, 0);
        memset(pieces[i], (int)(i & 0xFF), i);
    }
    for (size_t i = 0; i < 500; i++) {
        for (size_t j = 0; j < i; j++)
            assert_int_equal((unsigned char)pieces[i][j], i & 0xFF);
    }
    assert_ptr_not_equal(pieces[0], pieces[1]);
    brant__arena_free(&arena);
    assert_null(arena.head);
    brant__arena_free(&arena);
}

static void arena_takes_any_size(void **state) {
    brant__arena arena = {0};
    char *small = brant__arena_alloc(&arena, 8), *large, *after;

    (void)state;
    large = brant__arena_alloc(&arena, (size_t)10 << 20);
    assert_non_null(large);
    memset(large, 1, (size_t)10 << 20);
    /* The large piece did not push the block with room aside. */
    after = brant__arena_alloc(&arena, 8);
    assert_ptr_equal(after, small + 16);
    assert_null(brant__arena_alloc(&arena, SIZE_MAX));
    assert_null(brant__arena_alloc(&arena, SIZE_MAX - 15));
    assert_null(brant__arena_copy(&arena, "a", SIZE_MAX));
    brant__arena_free(&arena);
}

static void arena_copies_end_with_nul(void **state) {
    brant__arena arena = {0};

    (void)state;
    assert_string_equal(brant__arena_copy(&arena, "abcdef", 4), "abcd");
    assert_string_equal(brant__arena_copy(&arena, NULL, 0), "");
    brant__arena_free(&arena);
}

static void arena_settles_to_no_allocation(void **state) {
    brant__arena arena = {0};
    size_t asked;

    (void)state;
    failing_allocator_start(SIZE_MAX);
    brant__arena_reset(&arena);
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < 1000; i++)
            assert_non_null(brant__arena_alloc(&arena, 40));
        brant__arena_reset(&arena);
    }
    assert_int_equal(failing.alive, 1);
    asked = failing.asked;
    for (int i = 0; i < 500; i++)
        assert_non_null(brant__arena_alloc(&arena, 40));
    brant__arena_reset(&arena);
    assert_int_equal(failing.asked, asked);
    brant__arena_free(&arena);
    assert_int_equal(failing.alive, 0);
    failing_allocator_stop();
}

static void arena_survives_failure(void **state) {
    (void)state;
    for (size_t n = 0;; n++) {
        brant__arena arena = {0};
        bool done = true;
        failing_allocator_start(n);
        for (int i = 0; i < 2000 && done; i++) {
            char *piece = brant__arena_copy(&arena, "0123456789", 10);
            done = piece != NULL;
            if (piece) assert_string_equal(piece, "0123456789");
        }
        assert_true(done != failing.failed);
        brant__arena_free(&arena);
        assert_int_equal(failing.alive, 0);
        failing_allocator_stop();
        if (done) {
            assert_true(n > 1);
            break;
        }
    }
}

/* ---- the buffer ------------------------------------------------------------------------------ */

static void buffer_collects_and_hands_over(void **state) {
    brant__buffer buffer = {0};
    char *text = NULL;
    size_t length = 0;

    (void)state;
    brant__buffer_append(&buffer, "abc", 3);
    brant__buffer_append(&buffer, NULL, 0);
    brant__buffer_append_byte(&buffer, 'd');
    brant__buffer_format(&buffer, "%d-%s", 42, "x");
    assert_int_equal(brant__buffer_take(&text, &length, &buffer), BRANT_OK);
    assert_string_equal(text, "abcd42-x");
    assert_int_equal(length, 8);
    assert_null(buffer.data);
    assert_int_equal(buffer.length, 0);
    assert_int_equal(buffer.capacity, 0);
    brant_free(text);
}

static void an_empty_buffer_gives_empty_text(void **state) {
    brant__buffer buffer = {0};
    char *text = NULL;

    (void)state;
    assert_int_equal(brant__buffer_take(&text, NULL, &buffer), BRANT_OK);
    assert_string_equal(text, "");
    brant_free(text);
}

static void buffer_keeps_nul_bytes(void **state) {
    brant__buffer buffer = {0};
    char *text = NULL;
    size_t length = 0;

    (void)state;
    brant__buffer_append(&buffer, "a\0b", 3);
    assert_int_equal(brant__buffer_take(&text, &length, &buffer), BRANT_OK);
    assert_int_equal(length, 3);
    assert_memory_equal(text, "a\0b\0", 4);
    brant_free(text);
}

static void buffer_formats_what_is_longer_than_its_room(void **state) {
    brant__buffer buffer = {0};
    char word[3001];

    (void)state;
    memset(word, 'w', 3000);
    word[3000] = '\0';
    for (int i = 0; i < 10; i++)
        brant__buffer_format(&buffer, "<%s>", word);
    assert_false(buffer.failed);
    assert_int_equal(buffer.length, 30020);
    for (size_t i = 0; i < 10; i++) {
        assert_int_equal(buffer.data[i * 3002], '<');
        assert_int_equal(buffer.data[i * 3002 + 3001], '>');
    }
    brant__buffer_free(&buffer);
}

static void reserve_gives_room_and_refuses_the_impossible(void **state) {
    brant__buffer buffer = {0};

    (void)state;
    assert_true(brant__buffer_reserve(&buffer, 1000));
    assert_true(buffer.capacity > 1000);
    assert_int_equal(buffer.length, 0);
    brant__buffer_append(&buffer, "x", 1);
    assert_false(brant__buffer_reserve(&buffer, SIZE_MAX));
    assert_true(buffer.failed);
    assert_false(brant__buffer_reserve(&buffer, 1));
    brant__buffer_reset(&buffer);
    assert_true(brant__buffer_reserve(&buffer, 1));
    brant__buffer_free(&buffer);
    assert_null(buffer.data);
    brant__buffer_free(&buffer);
}

static void reset_keeps_the_memory(void **state) {
    brant__buffer buffer = {0};

    (void)state;
    failing_allocator_start(SIZE_MAX);
    for (int round = 0; round < 3; round++) {
        size_t asked = failing.asked;
        for (int i = 0; i < 10000; i++)
            brant__buffer_append(&buffer, "0123456789", 10);
        if (round > 0) assert_int_equal(failing.asked, asked);
        assert_int_equal(buffer.length, 100000);
        brant__buffer_reset(&buffer);
        assert_int_equal(buffer.length, 0);
    }
    brant__buffer_free(&buffer);
    assert_int_equal(failing.alive, 0);
    failing_allocator_stop();
}

static void take_gives_back_what_is_unused(void **state) {
    brant__buffer buffer = {0};
    char *text = NULL;
    size_t length = 0, asked;

    (void)state;
    failing_allocator_start(SIZE_MAX);
    brant__buffer_reserve(&buffer, (size_t)1 << 20);
    brant__buffer_append(&buffer, "small", 5);
    asked = failing.asked;
    assert_int_equal(brant__buffer_take(&text, &length, &buffer), BRANT_OK);
    assert_int_equal(failing.asked, asked + 1);
    assert_string_equal(text, "small");
    brant_free(text);
    failing_allocator_stop();
}

static void failure_is_sticky_and_said_at_the_end(void **state) {
    (void)state;
    for (size_t n = 0;; n++) {
        brant__buffer buffer = {0};
        char *text = NULL;
        size_t length = 7;
        brant_status status;

        brant__error_clear();
        failing_allocator_start(n);
        for (int i = 0; i < 3000; i++) {
            brant__buffer_append(&buffer, "abc", 3);
            brant__buffer_append_byte(&buffer, ',');
            brant__buffer_format(&buffer, "%d", i);
        }
        status = brant__buffer_take(&text, &length, &buffer);
        if (status == BRANT_OK) {
            assert_int_equal(strlen(text), length);
            brant_free(text);
        } else {
            assert_int_equal(status, BRANT_NO_MEMORY);
            assert_int_equal(brant_last_error()->code, BRANT_NO_MEMORY);
            assert_null(text);
            assert_int_equal(length, 0);
            assert_null(buffer.data);
            assert_true(failing.failed);
        }
        assert_int_equal(failing.alive, 0);
        failing_allocator_stop();
        if (status == BRANT_OK) break;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(size_zero_gives_a_pointer),
        cmocka_unit_test(lists_grow),
        cmocka_unit_test(texts_in_an_arena),
        cmocka_unit_test(zeroed_and_copied),
        cmocka_unit_test(a_replaced_allocator_is_used),
        cmocka_unit_test(arena_memory_is_aligned_and_apart),
        cmocka_unit_test(arena_takes_any_size),
        cmocka_unit_test(arena_copies_end_with_nul),
        cmocka_unit_test(arena_settles_to_no_allocation),
        cmocka_unit_test(arena_survives_failure),
        cmocka_unit_test(buffer_collects_and_hands_over),
        cmocka_unit_test(an_empty_buffer_gives_empty_text),
        cmocka_unit_test(buffer_keeps_nul_bytes),
        cmocka_unit_test(buffer_formats_what_is_longer_than_its_room),
        cmocka_unit_test(reserve_gives_room_and_refuses_the_impossible),
        cmocka_unit_test(reset_keeps_the_memory),
        cmocka_unit_test(take_gives_back_what_is_unused),
        cmocka_unit_test(failure_is_sticky_and_said_at_the_end),
    };

    return cmocka_run_group_tests_name("base/memory", tests, NULL, NULL);
}
