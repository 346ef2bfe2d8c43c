/*
 * Hashes for the modules above, crypto/hash.c. The known answers are those of another implementation (Python's hashlib) for the message that crypto/crypto.h defines.
 */
#include "test_crypto.h"

#define PEPPER(version, state, key)                                                                \
    "{\"purpose\":\"pepper\",\"version\":" #version ",\"state\":\"" state "\",\"key\":\"" key "\"" \
    "}"

static const brant__text parts[] = {{"label", 5}, {NULL, 0}, {"", 0}, {"abc", 3}};

static void hash_is(const uint8_t hash[BRANT__HASH_SIZE], const char *hex) {
    char text[2 * BRANT__HASH_SIZE + 1];
    for (size_t i = 0; i < BRANT__HASH_SIZE; i++)
        snprintf(text + 2 * i, 3, "%02x", hash[i]);
    assert_string_equal(text, hex);
}

static brant_status keyed(uint8_t out[BRANT__HASH_SIZE], int64_t *version, brant_db *db,
                          int purpose) {
    brant__error_clear();
    assert_int_equal(brant__enter(db), BRANT_OK);
    const brant_status status =
        brant__keyed_hash(out, db, purpose, version, parts, BRANT__COUNT(parts));
    brant__leave(db);
    return status;
}

static void known_answers(void **state) {
    uint8_t hash[BRANT__HASH_SIZE];
    int64_t version = 0;
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    must_load(db, RING(PEPPER(1, "decrypt_only", KEY_1) "," PEPPER(2, "active", KEY_2)));
    assert_int_equal(keyed(hash, &version, db, BRANT__PURPOSE_PEPPER), BRANT_OK);
    assert_int_equal(version, 2);
    hash_is(hash, "fb11b6deea4ae5670f904395ffcdfb846f6fa7a6ca4b058545d819e18aef2239");
    version = 1;
    assert_int_equal(keyed(hash, &version, db, BRANT__PURPOSE_PEPPER), BRANT_OK);
    assert_int_equal(version, 1);
    hash_is(hash, "a522da63d052448c5ac64212ce769beea84177e9262d7a35a896dbd720fed271");
    brant__plain_hash(hash, parts, BRANT__COUNT(parts));
    hash_is(hash, "cadf0226b4637329ab83fe176cdee5f08aa6c2cc7a768621ff3761470c13a697");
    brant__sha256(hash, brant__text_string("abc"));
    hash_is(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    brant_db_free(db);
}

/* The parts' borders count, and NULL is not "". */
static void no_two_lists_are_the_same(void **state) {
    static const brant__text lists[][2] = {
        {{"ab", 2}, {"c", 1}}, {{"a", 1}, {"bc", 2}},   {{"abc", 3}, {"", 0}},
        {{"", 0}, {"abc", 3}}, {{"abc", 3}, {NULL, 0}}, {{NULL, 0}, {"abc", 3}},
    };
    uint8_t hashes[BRANT__COUNT(lists) + 1][BRANT__HASH_SIZE];
    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(lists); i++)
        brant__plain_hash(hashes[i], lists[i], 2);
    brant__plain_hash(hashes[BRANT__COUNT(lists)], lists[2], 1);
    for (size_t i = 0; i <= BRANT__COUNT(lists); i++)
        for (size_t other = 0; other < i; other++)
            assert_false(brant__bytes_equal(hashes[i], hashes[other], BRANT__HASH_SIZE));
    for (size_t bit = 0; bit < BRANT__HASH_SIZE * 8; bit++) {
        memcpy(hashes[1], hashes[0], BRANT__HASH_SIZE);
        assert_true(brant__bytes_equal(hashes[0], hashes[1], BRANT__HASH_SIZE));
        hashes[1][bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(brant__bytes_equal(hashes[0], hashes[1], BRANT__HASH_SIZE));
    }
}

static void a_key_that_is_not_there(void **state) {
    static const struct {
        const char *ring; /* NULL: none */
        int64_t version;
        const char *message;
    } cases[] = {
        {NULL, 0, "the handle has no key ring"},
        {NULL, 1, "the handle has no key ring"},
        {RING(NEW(1)), 0, "the key ring has no active key for audit"},
        {RING(NEW(1)), 1, "the key ring has no version 1 of the keys for audit"},
        {RING("{\"purpose\":\"audit\",\"version\":1,\"state\":\"decrypt_only\",\"key\":\"" KEY_1
              "\"}"),
         0, "the key ring has no active key for audit"},
        {RING("{\"purpose\":\"audit\",\"version\":1,\"state\":\"disabled\",\"key\":\"" KEY_1 "\"}"),
         1, "version 1 of the keys for audit is disabled"},
        {RING("{\"purpose\":\"audit\",\"version\":1,\"state\":\"destroyed\"}"), 1,
         "version 1 of the keys for audit is destroyed"},
    };
    static const uint8_t zeros[BRANT__HASH_SIZE];
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    for (size_t i = 0; i < BRANT__COUNT(cases); i++) {
        uint8_t hash[BRANT__HASH_SIZE] = {1};
        int64_t version = cases[i].version;
        if (cases[i].ring) must_load(db, cases[i].ring);
        assert_int_equal(keyed(hash, &version, db, BRANT__PURPOSE_AUDIT), BRANT_NOT_FOUND);
        assert_ptr_equal(strstr(brant_last_error()->message, cases[i].message),
                         brant_last_error()->message);
        assert_int_equal(version, cases[i].version);
        assert_memory_equal(hash, zeros, sizeof hash);
    }
    brant_db_free(db);
}

/* The same key again, which the first use derived. */
static void a_key_from_a_password(void **state) {
    uint8_t hash[BRANT__HASH_SIZE], again[BRANT__HASH_SIZE];
    int64_t version = 0;
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    must_load(db, "{\"keys\":[{\"purpose\":\"audit\",\"version\":7,\"password\":\"p\"," KDF
                  "}]," CHEAP "}");
    assert_int_equal(keyed(hash, &version, db, BRANT__PURPOSE_AUDIT), BRANT_OK);
    assert_int_equal(version, 7);
    assert_int_equal(keyed(again, &version, db, BRANT__PURPOSE_AUDIT), BRANT_OK);
    assert_memory_equal(hash, again, sizeof hash);
    brant_db_free(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(known_answers, set_up_folder, tear_down_folder),
        cmocka_unit_test(no_two_lists_are_the_same),
        cmocka_unit_test_setup_teardown(a_key_that_is_not_there, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(a_key_from_a_password, set_up_folder, tear_down_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
