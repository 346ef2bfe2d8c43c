/* The hash and the map from bytes to a 64-bit value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "test_base_allocator.h"

/* ---- the hash -------------------------------------------------------------------------------- */

static int bits(uint64_t value) {
    int count = 0;

    for (; value; value &= value - 1)
        count++;
    return count;
}

static void equal_bytes_hash_alike_wherever_they_lie(void **state) {
    char memory[200 + 16];

    (void)state;
    for (size_t length = 0; length <= 200; length++) {
        uint64_t expected = 0;
        for (size_t shift = 0; shift < 16; shift++) {
            uint64_t hash;
            for (size_t i = 0; i < length; i++)
                memory[shift + i] = (char)(i * 7 + 1);
            hash = brant__hash(memory + shift, length);
            if (shift == 0) expected = hash;
            assert_true(hash == expected);
        }
    }
    assert_true(brant__hash(NULL, 0) == brant__hash("", 0));
}

static void any_flipped_bit_changes_half_of_the_hash(void **state) {
    unsigned char memory[130];

    (void)state;
    for (size_t i = 0; i < sizeof(memory); i++)
        memory[i] = (unsigned char)(i * 31);
    for (size_t length = 1; length <= sizeof(memory); length++) {
        uint64_t hash = brant__hash(memory, length);
        int changed = 0;
        for (size_t bit = 0; bit < length * 8; bit++) {
            int difference;
            memory[bit / 8] ^= (unsigned char)(1U << bit % 8);
            difference = bits(hash ^ brant__hash(memory, length));
            memory[bit / 8] ^= (unsigned char)(1U << bit % 8);
            assert_in_range(difference, 8, 56);
            changed += difference;
        }
        assert_in_range(changed / (int)(length * 8), 27, 37);
    }
}

static void lengths_and_seeds_matter(void **state) {
    static const char zeros[64];

    (void)state;
    for (size_t a = 0; a < sizeof(zeros); a++) {
        for (size_t b = 0; b < a; b++)
            assert_true(brant__hash(zeros, a) != brant__hash(zeros, b));
        assert_true(brant__hash_seeded(zeros, a, 1) != brant__hash_seeded(zeros, a, 2));
    }
    assert_true(brant__hash_seed() != 0);
    assert_true(brant__hash_seed() == brant__hash_seed());
}

static int compare_numbers(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static void counted_names_do_not_collide(void **state) {
    enum { COUNT = 200000 };
    uint64_t *hashes = malloc(COUNT * sizeof(*hashes));

    (void)state;
    assert_non_null(hashes);
    for (int i = 0; i < COUNT; i++) {
        char name[32];
        int length = snprintf(name, sizeof(name), "node:%d", i);
        hashes[i] = brant__hash(name, (size_t)length);
    }
    qsort(hashes, COUNT, sizeof(*hashes), compare_numbers);
    for (int i = 1; i < COUNT; i++)
        assert_true(hashes[i] != hashes[i - 1]);
    free(hashes);
}

/* ---- the map --------------------------------------------------------------------------------- */

static void an_empty_map_has_nothing(void **state) {
    brant__map map = {0};
    int64_t value = 5;

    (void)state;
    assert_false(brant__map_get(&map, BRANT__TEXT("a"), &value));
    assert_int_equal(value, 0);
    assert_false(brant__map_remove(&map, BRANT__TEXT("a")));
    brant__map_clear(&map);
    brant__map_free(&map);
}

static void put_get_replace_remove(void **state) {
    brant__map map = {0};
    char key[] = "key";
    int64_t value = 0;

    (void)state;
    assert_true(brant__map_put(&map, brant__text_of(key, 3), 1));
    memset(key, 'x', 3); /* the map has its own copy */
    assert_true(brant__map_get(&map, BRANT__TEXT("key"), &value));
    assert_int_equal(value, 1);
    assert_true(brant__map_get(&map, BRANT__TEXT("key"), NULL));
    assert_true(brant__map_put(&map, BRANT__TEXT("key"), INT64_MIN));
    assert_int_equal(map.count, 1);
    assert_true(brant__map_get(&map, BRANT__TEXT("key"), &value));
    assert_true(value == INT64_MIN);
    assert_true(brant__map_remove(&map, BRANT__TEXT("key")));
    assert_false(brant__map_remove(&map, BRANT__TEXT("key")));
    assert_false(brant__map_get(&map, BRANT__TEXT("key"), &value));
    assert_int_equal(map.count, 0);
    brant__map_free(&map);
}

static void keys_are_bytes(void **state) {
    brant__map map = {0};
    int64_t value = 0;

    (void)state;
    assert_true(brant__map_put(&map, brant__text_of(NULL, 0), 1));
    assert_true(brant__map_put(&map, brant__text_of("\0", 1), 2));
    assert_true(brant__map_put(&map, brant__text_of("\0\0", 2), 3));
    assert_true(brant__map_put(&map, brant__text_of("a\0b", 3), 4));
    assert_true(brant__map_put(&map, BRANT__TEXT("a"), 5));
    assert_int_equal(map.count, 5);
    assert_true(brant__map_get(&map, BRANT__TEXT(""), &value));
    assert_int_equal(value, 1);
    assert_true(brant__map_get(&map, brant__text_of("\0\0", 2), &value));
    assert_int_equal(value, 3);
    assert_true(brant__map_get(&map, brant__text_of("a\0b", 3), &value));
    assert_int_equal(value, 4);
    brant__map_free(&map);
}

/* A long random walk against a plain array. */
static void behaves_like_an_array(void **state) {
    enum { KEYS = 700, STEPS = 300000 };
    brant__map map = {0};
    int64_t expected[KEYS];
    bool there[KEYS] = {false};
    size_t count = 0;
    uint32_t random = 1;

    (void)state;
    for (int step = 0; step < STEPS; step++) {
        char key[16];
        int i, length;
        int64_t value = 0;
        bool grows = step / 20000 % 2 == 0; /* fuller and emptier in turns */
        random = random * 1664525 + 1013904223;
        i = (int)(random >> 8) % KEYS;
        length = snprintf(key, sizeof(key), "k%d", i);
        if ((random >> 28) < (grows ? 10 : 4)) {
            assert_true(brant__map_put(&map, brant__text_of(key, (size_t)length), step));
            if (!there[i]) count++;
            there[i] = true;
            expected[i] = step;
        } else {
            assert_int_equal(brant__map_remove(&map, brant__text_of(key, (size_t)length)),
                             there[i]);
            if (there[i]) count--;
            there[i] = false;
        }
        assert_int_equal(map.count, count);
        if (step % 1000 != 0) continue;
        for (i = 0; i < KEYS; i++) {
            length = snprintf(key, sizeof(key), "k%d", i);
            assert_int_equal(brant__map_get(&map, brant__text_of(key, (size_t)length), &value),
                             there[i]);
            if (there[i]) assert_int_equal(value, expected[i]);
        }
    }
    brant__map_free(&map);
    assert_null(map.entries);
}

static void clear_keeps_the_memory(void **state) {
    brant__map map = {0};
    size_t asked = 0;

    (void)state;
    failing_allocator_start(SIZE_MAX);
    for (int round = 0; round < 6; round++) {
        for (int i = 0; i < 100; i++) {
            char key[16];
            int length = snprintf(key, sizeof(key), "key%d", i);
            assert_false(brant__map_get(&map, brant__text_of(key, (size_t)length), NULL));
            assert_true(brant__map_put(&map, brant__text_of(key, (size_t)length), i));
        }
        assert_int_equal(map.count, 100);
        brant__map_clear(&map);
        assert_int_equal(map.count, 0);
        if (round == 3) asked = failing.asked;
    }
    assert_int_equal(failing.asked, asked);
    brant__map_free(&map);
    assert_int_equal(failing.alive, 0);
    failing_allocator_stop();
}

/* Keys that come and go must not let the memory of the map grow without end. */
static void removed_keys_give_their_memory_back(void **state) {
    brant__map map = {0};
    int64_t value = 0;

    (void)state;
    for (int i = 0; i < 200000; i++) {
        char key[64];
        int length = snprintf(key, sizeof(key), "a key that is somewhat longer than most %d", i);
        assert_true(brant__map_put(&map, brant__text_of(key, (size_t)length), i));
        if (i < 50) continue;
        length = snprintf(key, sizeof(key), "a key that is somewhat longer than most %d", i - 50);
        assert_true(brant__map_remove(&map, brant__text_of(key, (size_t)length)));
        assert_true(map.live + map.dead < 64000);
    }
    assert_int_equal(map.count, 50);
    assert_true(brant__map_get(&map, BRANT__TEXT("a key that is somewhat longer than most 199999"),
                               &value));
    assert_int_equal(value, 199999);
    brant__map_free(&map);
}

static void map_survives_failure(void **state) {
    (void)state;
    for (size_t n = 0;; n++) {
        brant__map map = {0};
        bool done = true;
        int put = 0;
        failing_allocator_start(n);
        for (int i = 0; i < 3000 && done; i++) {
            char key[16];
            int length = snprintf(key, sizeof(key), "key%d", i);
            done = brant__map_put(&map, brant__text_of(key, (size_t)length), i);
            put += done;
        }
        assert_int_equal(map.count, put);
        for (int i = 0; i < put; i++) {
            char key[16];
            int length = snprintf(key, sizeof(key), "key%d", i);
            int64_t value = -1;
            assert_true(brant__map_get(&map, brant__text_of(key, (size_t)length), &value));
            assert_int_equal(value, i);
            if (i % 2) assert_true(brant__map_remove(&map, brant__text_of(key, (size_t)length)));
        }
        brant__map_free(&map);
        assert_int_equal(failing.alive, 0);
        assert_true(!done == failing.failed || done);
        failing_allocator_stop();
        if (done) break;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_bytes_hash_alike_wherever_they_lie),
        cmocka_unit_test(any_flipped_bit_changes_half_of_the_hash),
        cmocka_unit_test(lengths_and_seeds_matter),
        cmocka_unit_test(counted_names_do_not_collide),
        cmocka_unit_test(an_empty_map_has_nothing),
        cmocka_unit_test(put_get_replace_remove),
        cmocka_unit_test(keys_are_bytes),
        cmocka_unit_test(behaves_like_an_array),
        cmocka_unit_test(clear_keeps_the_memory),
        cmocka_unit_test(removed_keys_give_their_memory_back),
        cmocka_unit_test(map_survives_failure),
    };

    return cmocka_run_group_tests_name("base/map", tests, NULL, NULL);
}
