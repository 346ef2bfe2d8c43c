/*
 * tests/core/test_token.c: the text of tokens: known answers, every wrong character, random bytes that are given.
 */
#include "support_ring.h"

#include "identity/token.h"

static uint8_t next_byte;
static uint64_t dice;
enum { BYTES_SAME, BYTES_DICE, BYTES_FAIL };
static int source = BYTES_SAME;

static int given_bytes(void *context, void *bytes, size_t length) {
    (void)context;
    if (source == BYTES_FAIL) return 1;
    for (size_t i = 0; i < length; i++) {
        dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        ((uint8_t *)bytes)[i] = source == BYTES_SAME ? next_byte : (uint8_t)(dice >> 56);
    }
    return 0;
}

static brant_db *open_db(void) {
    static const brant_sources sources = {.random = given_bytes};
    brant_db *db = NULL;
    source = BYTES_DICE;
    assert_int_equal(brant_open_with(&db, TEXT(":memory:"), "", 0, &sources), BRANT_OK);
    return db;
}

static void make(brant__token *out, brant_db *db, const char *type) {
    assert_int_equal(brant__enter(db), BRANT_OK);
    assert_int_equal(brant__token_make(out, db, brant__text_string(type)), BRANT_OK);
    brant__leave(db);
}

/* zlib's and Python's crc32 give these. */
static void test_crc(void **state) {
    (void)state;
    assert_int_equal(brant__crc32(BRANT__TEXT("123456789")), 0xCBF43926);
    assert_int_equal(brant__crc32(BRANT__TEXT("")), 0);
    assert_int_equal(brant__crc32(BRANT__TEXT("The quick brown fox jumps over the lazy dog")),
                     0x414FA339);
}

/* Computed in Python from the header's comment alone. */
static void test_known_answers(void **state) {
    static const struct {
        uint8_t byte;
        const char *type, *token;
    } cases[] = {
        {0x00, "key",
         "brant_key_0000000000000000_000000000000000000000000000000000000000000003cIk2"},
        {0xff, "a", "brant_a_pWE94k9hlxnYxoeV_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp12vOi3Q"},
        {0x5c, "abcdefghijkl",
         "brant_abcdefghijkl_bAqzz2ubQ6Bw3HpM_LtthL4NMqsZUKGKzAr0K6xffUldLEKvEM6Ke2jSzvBM2PCA1E"},
        {0x01, "invite",
         "brant_invite_0P3GqYOsJpHeOIO9_0El6XFXwsUFD8J2vGxsaboW7rZYnQRBP5d9erwRwd294foZAo"},
    };
    brant_db *db = open_db();
    brant__token token;
    (void)state;
    source = BYTES_SAME;
    for (size_t i = 0; i < BRANT__COUNT(cases); i++) {
        next_byte = cases[i].byte;
        make(&token, db, cases[i].type);
        assert_int_equal(token.length, strlen(cases[i].token));
        if (memcmp(token.text, cases[i].token, token.length) != 0)
            fail_msg("%.*s", (int)token.length, token.text);
    }
    source = BYTES_DICE;
    brant_db_free(db);
}

/* Whatever single character changes, is left out or doubled, or changes place with its neighbour: it is no token. */
static void test_read(void **state) {
    brant_db *db = open_db();
    brant__token token;
    brant__text type, kid;
    char text[BRANT__TOKEN_SIZE + 1];
    (void)state;
    for (int round = 0; round < 20; round++) {
        make(&token, db, round % 2 ? "key" : "abcdefghijkl");
        assert_true(brant__token_read(&type, &kid, brant__token_text(&token)));
        assert_int_equal(type.length, round % 2 ? 3 : 12);
        assert_true(brant__text_equal(kid, brant__token_kid(&token)));
        for (size_t at = 0; at < token.length; at++) {
            for (int c = 0; c < 256; c++) {
                memcpy(text, token.text, token.length);
                text[at] = (char)c;
                assert_int_equal(brant__token_read(&type, &kid, brant__text_of(text, token.length)),
                                 text[at] == token.text[at]);
            }
            memcpy(text, token.text, token.length);
            memmove(text + at, text + at + 1, token.length - at - 1);
            assert_false(brant__token_read(&type, &kid, brant__text_of(text, token.length - 1)));
            assert_null(kid.data);
            memcpy(text, token.text, at);
            memcpy(text + at + 1, token.text + at, token.length - at);
            text[at] = token.text[at];
            assert_false(brant__token_read(&type, &kid, brant__text_of(text, token.length + 1)));
            if (at == 0 || token.text[at] == token.text[at - 1]) continue;
            memcpy(text, token.text, token.length);
            text[at] = token.text[at - 1];
            text[at - 1] = token.text[at];
            assert_false(brant__token_read(&type, &kid, brant__text_of(text, token.length)));
        }
        for (size_t length = 0; length < token.length; length++)
            assert_false(brant__token_read(&type, &kid, brant__text_of(token.text, length)));
    }
    brant_db_free(db);
}

static void test_make(void **state) {
    enum { COUNT = 2000 };
    static brant__token made[COUNT];
    int seen[128] = {0};
    brant_db *db = open_db();
    (void)state;
    for (int i = 0; i < COUNT; i++) {
        make(&made[i], db, "key");
        for (int j = 0; j < i; j++)
            assert_false(brant__text_equal(brant__token_kid(&made[i]), brant__token_kid(&made[j])));
        for (size_t at = made[i].kid; at < made[i].length; at++)
            seen[(unsigned char)made[i].text[at]]++;
    }
    for (const char *c = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"; *c; c++)
        assert_in_range(seen[(unsigned char)*c], 1, COUNT * 66); /* each digit is used */
    brant_db_free(db);
}

static void test_random_fails(void **state) {
    brant_db *db = open_db();
    brant__token token;
    (void)state;
    source = BYTES_FAIL;
    brant__error_clear();
    assert_int_equal(brant__enter(db), BRANT_OK);
    assert_int_equal(brant__token_make(&token, db, BRANT__TEXT("key")), BRANT_IO);
    assert_int_equal(token.length, 0);
    brant__leave(db);
    source = BYTES_DICE;
    brant_db_free(db);
}

static void test_types(void **state) {
    (void)state;
    assert_true(brant__token_type_valid(BRANT__TEXT("a")));
    assert_true(brant__token_type_valid(BRANT__TEXT("abcdefghijkl")));
    assert_false(brant__token_type_valid(BRANT__TEXT("")));
    assert_false(brant__token_type_valid(BRANT__TEXT("abcdefghijklm")));
    assert_false(brant__token_type_valid(BRANT__TEXT("Key")));
    assert_false(brant__token_type_valid(BRANT__TEXT("a_b")));
    assert_false(brant__token_type_valid(BRANT__TEXT("k1")));
}

#define PEPPER_1                                                                                   \
    "{\"purpose\":\"pepper\",\"version\":1,\"state\":\"decrypt_only\",\"key\":\"" KEY_1 "\"}"
#define PEPPER_2 "{\"purpose\":\"pepper\",\"version\":2,\"key\":\"" KEY_2 "\"}"

static void test_hash(void **state) {
    brant_db *db = open_db();
    brant__token token;
    uint8_t first[BRANT__HASH_SIZE], second[BRANT__HASH_SIZE];
    int64_t version = 0;
    (void)state;
    make(&token, db, "key");
    brant__error_clear();
    assert_int_equal(brant__enter(db), BRANT_OK);
    assert_int_equal(brant__token_hash(first, db, &version, brant__token_text(&token)),
                     BRANT_NOT_FOUND);
    brant__leave(db);
    must_load(db, RING(PEPPER_1 "," PEPPER_2));
    assert_int_equal(brant__enter(db), BRANT_OK);
    assert_int_equal(brant__token_hash(first, db, &version, brant__token_text(&token)), BRANT_OK);
    assert_int_equal(version, 2);
    version = 1;
    assert_int_equal(brant__token_hash(second, db, &version, brant__token_text(&token)), BRANT_OK);
    assert_memory_not_equal(first, second, sizeof first);
    version = 3;
    brant__error_clear();
    assert_int_equal(brant__token_hash(second, db, &version, brant__token_text(&token)),
                     BRANT_NOT_FOUND);
    brant__leave(db);
    brant_db_free(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc),          cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_read),         cmocka_unit_test(test_make),
        cmocka_unit_test(test_random_fails), cmocka_unit_test(test_types),
        cmocka_unit_test(test_hash),
    };
    return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}
