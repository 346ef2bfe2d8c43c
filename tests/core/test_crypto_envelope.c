/*
 * tests/core/test_crypto_envelope.c: what an envelope holds, and that it opens only as it was made, where it was made for, and under one key.
 */
#include <sodium.h>

#include "test_crypto.h"

static const char ring[] =
    "{\"keys\":[{\"version\":12,\"key\":\"" KEY_A
    "\"},{\"version\":13,\"state\":\"decrypt_only\",\"key\":\"" KEY_B "\"}]}";
static const char password_ring[] =
    "{\"keys\":[{\"version\":12,\"password\":\"pass\"," KDF "}]," CHEAP "}";

/* ---- what it holds ------------------------------------------------------------------------------ */

static void values_of_every_size_come_back(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    static const size_t sizes[] = {2,   3,    4,    63,   64,   65,    511,    512,
                                   513, 1000, 1023, 1024, 4096, 65535, 100000, 3000000};
    for (int round = 0; round < 3; round++) {
        must_load(db, round == 0   ? ring
                      : round == 1 ? password_ring
                                   : "{\"keys\":[{\"version\":1,\"key\":\"" KEY_A
                                     "\"}],\"padding\":100}");
        for (size_t i = 0; i < BRANT__COUNT(sizes); i++) {
            char *text = malloc(sizes[i]);
            memset(text, 'x', sizes[i]);
            text[0] = text[sizes[i] - 1] = '"';
            char *envelope = must_seal(db, &here, brant__text_of(text, sizes[i]));
            opens_to(db, &here, envelope, brant__text_of(text, sizes[i]));
            brant_free(envelope);
            free(text);
        }
    }
    must_load(db, ring);
    static const char *const values[] = {"0", "null", "true", "\"\"", "{}", "[1,2]", "-1.5e300"};
    for (size_t i = 0; i < BRANT__COUNT(values); i++) {
        char *envelope = must_seal(db, &here, brant__text_string(values[i]));
        opens_to(db, &here, envelope, brant__text_string(values[i]));
        brant_free(envelope);
    }
    brant_db_free(db);
}

static size_t sealed_length(const char *envelope) {
    const char *from = strstr(envelope, "\"ct\":\"") + 6;
    return (size_t)(strchr(from, '"') - from) * 3 / 4 - BRANT__TAG_SIZE;
}

static void padding_hides_the_length(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    static const struct {
        const char *padding;
        size_t length, wanted;
    } cases[] = {{"0", 3, 3},       {"0", 64, 64},       {"2", 3, 4},     {"2", 4, 4},
                 {"64", 2, 64},     {"64", 64, 64},      {"64", 65, 128}, {"100", 101, 200},
                 {"4096", 2, 4096}, {"4096", 4097, 8192}};
    for (size_t i = 0; i < BRANT__COUNT(cases); i++) {
        char json[256], text[8192];
        snprintf(json, sizeof json,
                 "{\"keys\":[{\"version\":1,\"key\":\"" KEY_A "\"}],\"padding\":%s}",
                 cases[i].padding);
        must_load(db, json);
        memset(text, ' ', sizeof text); /* spaces within a text are no padding */
        text[0] = text[cases[i].length - 1] = '"';
        char *envelope = must_seal(db, &here, brant__text_of(text, cases[i].length));
        assert_int_equal(sealed_length(envelope), cases[i].wanted);
        must_load(db, "{\"keys\":[{\"version\":1,\"key\":\"" KEY_A "\"}]}");
        opens_to(db, &here, envelope, brant__text_of(text, cases[i].length));
        brant_free(envelope);
    }
    brant_db_free(db);
}

static void no_two_are_alike(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    enum { MANY = 2000 };
    static char nonces[MANY][33];
    must_load(db, ring);
    for (int i = 0; i < MANY; i++) {
        char *envelope = must_seal(db, &here, BRANT__TEXT("1"));
        memcpy(nonces[i], strstr(envelope, "\"n\":\"") + 5, 32);
        brant_free(envelope);
    }
    qsort(nonces, MANY, sizeof nonces[0], (int (*)(const void *, const void *))strcmp);
    for (int i = 1; i < MANY; i++)
        assert_string_not_equal(nonces[i - 1], nonces[i]);
    brant_db_free(db);
}

static void what_looks_like_one(void **state) {
    static const struct {
        const char *text;
        bool like;
        int64_t version;
    } cases[] = {
        {"{\"$enc\":1}", true, 0},
        {"{\"a\":1,\"$enc\":null}", true, 0},
        {"{\"$redacted\":true}", true, 0},
        {"{}", false, 0},
        {"[]", false, 0},
        {"\"$enc\"", false, 0},
        {"{\"a\":{\"$enc\":2}}", false, 0},
        {"null", false, 0},
    };
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    brant__json parsed = {0};
    for (size_t i = 0; i < BRANT__COUNT(cases); i++) {
        assert_int_equal(brant__json_parse(&parsed, TEXT(cases[i].text), 0), BRANT_OK);
        assert_int_equal(brant__envelope_like(parsed.root), cases[i].like);
        assert_int_equal(brant__envelope_key_version(parsed.root), 0);
    }
    assert_false(brant__envelope_like(NULL));
    assert_int_equal(brant__envelope_key_version(NULL), 0);
    must_load(db, password_ring);
    char *envelope = must_seal(db, &here, BRANT__TEXT("1"));
    brant_keyring_unload(db); /* telling the version needs no key */
    assert_int_equal(brant__json_parse(&parsed, TEXT(envelope), 0), BRANT_OK);
    assert_true(brant__envelope_like(parsed.root));
    assert_int_equal(brant__envelope_key_version(parsed.root), 12);
    brant__json_free(&parsed);
    brant_free(envelope);
    brant_db_free(db);
}

/* ---- changes ------------------------------------------------------------------------------------ */

static bool same(yyjson_val *a, yyjson_val *b, const char *name) {
    yyjson_val *x = brant__json_get(a, name), *y = brant__json_get(b, name);
    return x && y && brant__json_equal(x, y);
}

/* What is told of an envelope that was changed in one place. */
static brant_status code_of(yyjson_val *from, yyjson_val *to) {
    static const char *const others[] = {"$enc", "n", "c", "ct"};
    yyjson_val *version = brant__json_get(to, "kv"), *kdf = brant__json_get(to, "kdf");
    for (size_t i = 0; i < BRANT__COUNT(others); i++)
        if (!same(from, to, others[i])) return BRANT_AUTH;
    if (yyjson_obj_size(from) != yyjson_obj_size(to)) return BRANT_AUTH;
    if (!same(from, to, "alg"))
        return yyjson_is_str(brant__json_get(to, "alg")) ? BRANT_UNSUPPORTED : BRANT_AUTH;
    if (!same(from, to, "kv"))
        return yyjson_is_uint(version) && yyjson_get_uint(version) > 0 ? BRANT_NOT_FOUND
                                                                       : BRANT_AUTH;
    if (!kdf || !same(brant__json_get(from, "kdf"), kdf, "alg") ||
        !same(brant__json_get(from, "kdf"), kdf, "s"))
        return BRANT_AUTH;
    yyjson_val *passes = brant__json_get(kdf, "t"), *memory = brant__json_get(kdf, "m");
    if (!yyjson_is_uint(passes) || !yyjson_is_uint(memory) || yyjson_get_uint(passes) == 0 ||
        yyjson_get_uint(memory) == 0)
        return BRANT_AUTH;
    return yyjson_get_uint(passes) > 4 || yyjson_get_uint(memory) < 8192 ||
                   yyjson_get_uint(memory) > 131072
               ? BRANT_LIMIT
               : BRANT_AUTH;
}

/* Every byte, every other value. */
static void change_every_byte(brant_db *db, const char *ring_json) {
    must_load(db, ring_json);
    char *envelope = must_seal(db, &here, BRANT__TEXT("\"canary\""));
    const size_t length = strlen(envelope);
    size_t counts[BRANT_STATUS_COUNT] = {0}, changes = 0;
    brant__json from = {0}, to = {0};
    assert_int_equal(brant__json_parse(&from, envelope, length, 0), BRANT_OK);
    opens_to(db, &here, envelope, BRANT__TEXT("\"canary\""));
    for (size_t at = 0; at < length; at++) {
        const char kept = envelope[at];
        for (int value = 0; value < 256; value++) {
            if ((char)value == kept) continue;
            envelope[at] = (char)value;
            brant__error_clear();
            const brant_status json = brant__json_parse(&to, envelope, length, 0);
            const brant_status wanted =
                json == BRANT_OK ? code_of(from.root, to.root) : BRANT_INVALID_JSON;
            const brant_status got = open_text(NULL, db, &here, brant__text_of(envelope, length));
            if (got == BRANT_OK || got != wanted)
                fail_msg("byte %zu as %d: wanted %s, got %s: %.*s", at, value,
                         brant_status_name(wanted), brant_status_name(got), (int)length, envelope);
            counts[got]++;
            changes++;
        }
        envelope[at] = kept;
    }
    opens_to(db, &here, envelope, BRANT__TEXT("\"canary\""));
    print_message("%zu changes: %zu no JSON, %zu AUTH, %zu UNSUPPORTED, %zu NOT_FOUND, %zu LIMIT\n",
                  changes, counts[BRANT_INVALID_JSON], counts[BRANT_AUTH],
                  counts[BRANT_UNSUPPORTED], counts[BRANT_NOT_FOUND], counts[BRANT_LIMIT]);
    assert_int_equal(changes, length * 255);
    brant__json_free(&from);
    brant__json_free(&to);
    brant_free(envelope);
}

static void every_changed_byte_is_noticed(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    change_every_byte(db, "{\"keys\":[{\"version\":12,\"key\":\"" KEY_A "\"}]}");
    change_every_byte(db, password_ring);
    brant_db_free(db);
}

/* An envelope of these members' own, those of `mask` the other's. */
static void mix(char *out, size_t size, yyjson_val *one, yyjson_val *other, unsigned mask) {
    static const char *const names[] = {"$enc", "alg", "kv", "n", "c", "ct", "kdf"};
    brant__writer writer = {0};
    brant__write_object(&writer);
    for (unsigned i = 0; i < BRANT__COUNT(names); i++) {
        yyjson_val *value = brant__json_get(mask >> i & 1 ? other : one, names[i]);
        if (!value) continue;
        brant__write_name(&writer, names[i]);
        brant__write_value(&writer, value);
    }
    brant__write_end(&writer);
    assert_true(writer.buffer.length < size);
    memcpy(out, writer.buffer.data, writer.buffer.length);
    out[writer.buffer.length] = '\0';
    brant__buffer_free(&writer.buffer);
}

/* All ways to make one envelope out of two; only the two themselves open. */
static void swap_members(brant_db *db, const char *first, const char *second) {
    brant__json one = {0}, other = {0};
    char text[1024];
    size_t refused = 0;
    assert_int_equal(brant__json_parse(&one, TEXT(first), 0), BRANT_OK);
    assert_int_equal(brant__json_parse(&other, TEXT(second), 0), BRANT_OK);
    for (unsigned mask = 0; mask < 128; mask++) {
        mix(text, sizeof text, one.root, other.root, mask);
        if (strcmp(text, first) == 0 || strcmp(text, second) == 0) continue;
        opens_not(db, &here, text, BRANT_AUTH);
        refused++;
    }
    assert_true(refused >= 56);
    brant__json_free(&one);
    brant__json_free(&other);
}

static void members_of_two_make_no_third(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    must_load(db, ring);
    char *first = must_seal(db, &here, BRANT__TEXT("\"first\"")),
         *second = must_seal(db, &here, BRANT__TEXT("\"other\""));
    must_load(db, "{\"keys\":[{\"version\":12,\"state\":\"decrypt_only\",\"key\":\"" KEY_A
                  "\"},{\"version\":13,\"key\":\"" KEY_B "\"}]}");
    char *third = must_seal(db, &here, BRANT__TEXT("\"third\""));
    swap_members(db, first, second);
    swap_members(db, first, third);
    /* With passwords: another salt, and a raw key beside. */
    must_load(db, password_ring);
    char *derived = must_seal(db, &here, BRANT__TEXT("\"a\""));
    must_load(db,
              "{\"keys\":[{\"version\":12,\"password\":\"pass\",\"kdf\":{\"alg\":"
              "\"argon2id13\",\"s\":\"AQECAwQFBgcICQoLDA0ODw\",\"t\":2,\"m\":9216}}]," CHEAP "}");
    char *salted = must_seal(db, &here, BRANT__TEXT("\"b\""));
    swap_members(db, derived, salted);
    must_load(db, "{\"keys\":[{\"version\":12,\"state\":\"decrypt_only\",\"password\":\"pass\"," KDF
                  "},{\"version\":13,\"key\":\"" KEY_B "\"}]," CHEAP "}");
    swap_members(db, derived, third);
    char *const all[] = {first, second, third, derived, salted};
    for (size_t i = 0; i < BRANT__COUNT(all); i++)
        brant_free(all[i]);
    brant_db_free(db);
}

static void nothing_is_cut_or_longer(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    static const char *const members[] = {"\"n\":\"", "\"c\":\"", "\"ct\":\"", "\"alg\":\""};
    char text[1024];
    must_load(db, ring);
    char *envelope = must_seal(db, &here, BRANT__TEXT("\"some text that is a little longer\""));
    for (size_t i = 0; i < BRANT__COUNT(members); i++) {
        const char *from = strstr(envelope, members[i]) + strlen(members[i]),
                   *end = strchr(from, '"');
        const brant_status wanted = i == 3 ? BRANT_UNSUPPORTED : BRANT_AUTH;
        for (const char *cut = from; cut < end; cut++) { /* the end, and the beginning */
            snprintf(text, sizeof text, "%.*s%s", (int)(cut - envelope), envelope, end);
            opens_not(db, &here, text, wanted);
            snprintf(text, sizeof text, "%.*s%s", (int)(from - envelope), envelope, cut + 1);
            opens_not(db, &here, text, wanted);
        }
        static const char *const more[] = {"A", "AA", "AAA", "AAAA", "=", "==", "\\n", " "};
        for (size_t j = 0; j < BRANT__COUNT(more); j++) {
            snprintf(text, sizeof text, "%.*s%s%s", (int)(end - envelope), envelope, more[j], end);
            opens_not(db, &here, text, wanted);
        }
    }
    static const char *const members_more[] = {"\"x\":1", "\"kdf\":null", "\"\":\"\"", KDF};
    for (size_t i = 0; i < BRANT__COUNT(members_more); i++) {
        snprintf(text, sizeof text, "%.*s,%s}", (int)strlen(envelope) - 1, envelope,
                 members_more[i]);
        opens_not(db, &here, text, BRANT_AUTH);
        snprintf(text, sizeof text, "{%s,%s", members_more[i], envelope + 1);
        opens_not(db, &here, text, BRANT_AUTH);
    }
    /* The text itself. */
    for (size_t length = 0; length < strlen(envelope); length++)
        assert_int_equal(open_text(NULL, db, &here, brant__text_of(envelope, length)),
                         BRANT_INVALID_JSON);
    brant_free(envelope);
    brant_db_free(db);
}

static void only_its_place_opens_it(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    const brant__context place = {brant__text_string("tenant"), brant__text_string("graph"),
                                  brant__text_string("node"), brant__text_string("key"),
                                  brant__text_string("/path")};
    brant__text parts[5] = {place.tenant_id, place.graph_id, place.kind, place.key, place.path};
    static const char *const others[] = {"", "x", "tenan", "tenant ", "TENANT", "node", "graph"};
    must_load(db, ring);
    char *envelope = must_seal(db, &place, BRANT__TEXT("1"));
    opens_to(db, &place, envelope, BRANT__TEXT("1"));
    for (size_t i = 0; i < 5; i++) {
        brant__text moved[5];
        for (size_t j = 0; j < BRANT__COUNT(others); j++) {
            memcpy(moved, parts, sizeof moved);
            if (brant__text_equal(moved[i], brant__text_string(others[j]))) continue;
            moved[i] = brant__text_string(others[j]);
            const brant__context there = {moved[0], moved[1], moved[2], moved[3], moved[4]};
            opens_not(db, &there, envelope, BRANT_AUTH);
        }
        for (size_t j = 0; j < i; j++) { /* two that change places */
            memcpy(moved, parts, sizeof moved);
            moved[i] = parts[j];
            moved[j] = parts[i];
            const brant__context there = {moved[0], moved[1], moved[2], moved[3], moved[4]};
            opens_not(db, &there, envelope, BRANT_AUTH);
        }
    }
    /* The same bytes in a row, cut elsewhere. */
    static const char row[] = "tenantgraphnodekey/path";
    size_t opened = 0;
    for (size_t a = 0; a <= 23; a++)
        for (size_t b = a; b <= 23; b++) {
            const brant__context there = {brant__text_of(row, a), brant__text_of(row + a, b - a),
                                          brant__text_string("node"), brant__text_of(row + 15, 3),
                                          brant__text_of(row + 18, 5)};
            opened += open_text(NULL, db, &there, brant__text_string(envelope)) == BRANT_OK;
        }
    assert_int_equal(opened, 1);
    /* Longer than what is worked on without memory of its own. */
    char *key = malloc(65536);
    memset(key, 'k', 65536);
    brant__context large = place;
    large.key = brant__text_of(key, 65536);
    char *far = must_seal(db, &large, BRANT__TEXT("2"));
    opens_to(db, &large, far, BRANT__TEXT("2"));
    large.key.length--;
    opens_not(db, &large, far, BRANT_AUTH);
    for (size_t length = 600; length < 1100; length++) {
        large.key.length = length;
        char *near = must_seal(db, &large, BRANT__TEXT("3"));
        opens_to(db, &large, near, BRANT__TEXT("3"));
        brant_free(near);
    }
    brant_free(far);
    free(key);
    brant_free(envelope);
    brant_db_free(db);
}

/* ---- one key ------------------------------------------------------------------------------------ */

/* Made by tests/crypto/two_keys.py. The place is `here`, the keys are those of KEY_A and KEY_B under version 1. */
static const char two_keys[] =
    "{\"$enc\":2,\"alg\":\"xc20p-b2\",\"kv\":1,\"n\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYX\",\"c\":"
    "\"-Ao4J1yj-ZJ-_u0KN2ZFJGfrhEi6BIws5lX5HkK-ak8\",\"ct\":\"80_C6qJEWsud7Uxskic5PC67N3fnXW_C_"
    "LbyfyK2H0VcdhDAQbWfZd7aItjFIDtUBHrb2DvqO6R4vuTC8QHyNCMQiRFixDC9PtByxuazMas\"}";
static const char two_keys_text[] =
    "\"opens under oneaaqhqzk key of tmEID@,zcDx1N'PtQ key of the two\"";

static size_t put(uint8_t *out, const void *bytes, uint8_t length) {
    memset(out, 0, 8);
    out[0] = length;
    memcpy(out + 8, bytes, length);
    return (size_t)length + 8;
}

/* The two halves that a ring key of 32 equal bytes gives, worked out here once more. */
static void derive(uint8_t out[64], uint8_t *place, size_t *place_length, uint8_t letter,
                   const uint8_t nonce[24]) {
    uint8_t message[512], key[32];
    const uint8_t version[8] = {1};
    size_t at = 0;
    memset(key, letter, sizeof key);
    *place_length = put(place, "t", 1);
    *place_length += put(place + *place_length, "g", 1);
    *place_length += put(place + *place_length, "node", 4);
    *place_length += put(place + *place_length, "k", 1);
    *place_length += put(place + *place_length, "/value", 6);
    at += put(message + at, "brant envelope 2", 16);
    at += put(message + at, "xc20p-b2", 8);
    at += put(message + at, version, 8);
    at += put(message + at, "", 0);
    at += put(message + at, place, (uint8_t)*place_length);
    at += put(message + at, nonce, 24);
    crypto_generichash(out, 64, message, at, key, sizeof key);
}

static void a_ciphertext_of_two_keys_opens_under_one(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    uint8_t keys[64], place[128], nonce[24], bytes[128];
    size_t place_length = 0, length = 0;
    const char *sealed = strstr(two_keys, "\"ct\":\"") + 6;
    for (uint8_t i = 0; i < sizeof nonce; i++)
        nonce[i] = i;
    for (int i = 0; i < 2; i++) { /* the bare primitive takes it under both */
        assert_int_equal(sodium_base642bin(bytes, sizeof bytes, sealed, strlen(sealed) - 2, NULL,
                                           &length, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING),
                         0);
        assert_int_equal(length, 64 + BRANT__TAG_SIZE);
        derive(keys, place, &place_length, (uint8_t)("AB"[i]), nonce);
        assert_true(brant__xchacha_open(bytes, length, keys, nonce, place, place_length));
        assert_int_equal(memcmp(bytes, two_keys_text, 64) == 0, i == 0);
    }
    must_load(db, "{\"keys\":[{\"version\":1,\"key\":\"" KEY_A "\"}]}");
    opens_to(db, &here, two_keys, brant__text_string(two_keys_text));
    must_load(db, "{\"keys\":[{\"version\":1,\"key\":\"" KEY_B "\"}]}");
    opens_not(db, &here, two_keys, BRANT_AUTH);
    brant_db_free(db);
}

/* A forged commitment to another key does not help: what it opens is not of that key. */
static void a_commitment_to_another_key_opens_nothing(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    must_load(db, "{\"keys\":[{\"version\":1,\"key\":\"" KEY_A "\"}]}");
    char *envelope = must_seal(db, &here, BRANT__TEXT("\"a\""));
    uint8_t keys[64], place[128], nonce[24];
    size_t place_length = 0;
    char digits[64];
    assert_int_equal(sodium_base642bin(nonce, sizeof nonce, strstr(envelope, "\"n\":\"") + 5, 32,
                                       NULL, NULL, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING),
                     0);
    derive(keys, place, &place_length, 'B', nonce);
    sodium_bin2base64(digits, sizeof digits, keys + 32, 32,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    memcpy(strstr(envelope, "\"c\":\"") + 5, digits, 43);
    opens_not(db, &here, envelope, BRANT_AUTH);
    must_load(db, "{\"keys\":[{\"version\":1,\"key\":\"" KEY_B "\"}]}");
    opens_not(db, &here, envelope, BRANT_AUTH);
    brant_free(envelope);
    brant_db_free(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(values_of_every_size_come_back, set_up_folder,
                                        tear_down_folder),
        cmocka_unit_test_setup_teardown(padding_hides_the_length, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(no_two_are_alike, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(what_looks_like_one, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(every_changed_byte_is_noticed, set_up_folder,
                                        tear_down_folder),
        cmocka_unit_test_setup_teardown(members_of_two_make_no_third, set_up_folder,
                                        tear_down_folder),
        cmocka_unit_test_setup_teardown(nothing_is_cut_or_longer, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(only_its_place_opens_it, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(a_ciphertext_of_two_keys_opens_under_one, set_up_folder,
                                        tear_down_folder),
        cmocka_unit_test_setup_teardown(a_commitment_to_another_key_opens_nothing, set_up_folder,
                                        tear_down_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
