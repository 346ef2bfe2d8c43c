/*
 * The primitives under the test vectors of Wycheproof, where they are at hand: the folder that BRANT_VECTORS names, or ../shared/vectors beside the source. The project holds
 * no copy. Every case is run that the formats can meet: XChaCha20-Poly1305 with its nonce of 24 bytes, AES-256-GCM with a nonce of 12, HMAC-SHA256 with a whole or a cut
 * tag, PBKDF2-HMAC-SHA256.
 */
#include <sodium.h>
#include <sys/stat.h>

#include "test_crypto.h"

typedef struct tally {
    size_t run, inapplicable;
} tally;

typedef void (*case_runner)(yyjson_val *group, yyjson_val *test, const char *name, bool valid,
                            tally *counts);

static brant__text bytes_of(brant__buffer *out, yyjson_val *object, const char *name) {
    const brant__text hex = brant__json_get_text(object, name);
    size_t length = 0;
    brant__buffer_reset(out);
    assert_non_null(hex.data);
    assert_true(brant__buffer_reserve(out, hex.length / 2 + 16));
    assert_int_equal(sodium_hex2bin((unsigned char *)out->data, hex.length / 2, hex.data,
                                    hex.length, NULL, &length, NULL),
                     0);
    out->length = length;
    return brant__text_of(out->data, length);
}

static int64_t number_of(yyjson_val *object, const char *name) {
    return brant__json_integer(brant__json_get(object, name), -1);
}

static void run_aead(yyjson_val *test, const char *name, bool valid, bool gcm) {
    brant__buffer key = {0}, nonce = {0}, data = {0}, text = {0}, sealed = {0}, tag = {0},
                  work = {0};
    bytes_of(&key, test, "key");
    bytes_of(&nonce, test, "iv");
    bytes_of(&data, test, "aad");
    bytes_of(&text, test, "msg");
    bytes_of(&sealed, test, "ct");
    bytes_of(&tag, test, "tag");
    assert_int_equal(tag.length, BRANT__TAG_SIZE);
    brant__buffer_append(&sealed, tag.data, tag.length);
    brant__buffer_append(&work, sealed.data, sealed.length);
    const uint8_t *key_bytes = (const uint8_t *)key.data,
                  *nonce_bytes = (const uint8_t *)nonce.data;
    uint8_t *bytes = (uint8_t *)work.data;
    const bool opened =
        gcm ? brant__gcm_open(bytes, work.length, key_bytes, nonce_bytes, data.data, data.length)
            : brant__xchacha_open(bytes, work.length, key_bytes, nonce_bytes, data.data,
                                  data.length);
    if (opened != valid) fail_msg("%s: opening %s", name, opened ? "succeeds" : "fails");
    if (opened && text.length && memcmp(bytes, text.data, text.length) != 0)
        fail_msg("%s: opened to something else", name);
    if (valid && !gcm) {
        brant__buffer_reset(&work);
        brant__buffer_append(&work, text.data, text.length);
        assert_true(brant__buffer_reserve(&work, BRANT__TAG_SIZE));
        brant__xchacha_seal((uint8_t *)work.data, text.length, key_bytes, nonce_bytes, data.data,
                            data.length);
        if (memcmp(work.data, sealed.data, sealed.length) != 0)
            fail_msg("%s: sealed to something else", name);
    }
    brant__buffer *const all[] = {&key, &nonce, &data, &text, &sealed, &tag, &work};
    for (size_t i = 0; i < BRANT__COUNT(all); i++)
        brant__buffer_free(all[i]);
}

static void run_xchacha(yyjson_val *group, yyjson_val *test, const char *name, bool valid,
                        tally *counts) {
    if (number_of(group, "ivSize") != 192) {
        counts->inapplicable++;
        return;
    }
    assert_int_equal(number_of(group, "keySize"), 256);
    counts->run++;
    run_aead(test, name, valid, false);
}

static void run_gcm(yyjson_val *group, yyjson_val *test, const char *name, bool valid,
                    tally *counts) {
    if (number_of(group, "ivSize") != 96 || number_of(group, "keySize") != 256) {
        counts->inapplicable++;
        return;
    }
    assert_int_equal(number_of(group, "tagSize"), 128);
    counts->run++;
    run_aead(test, name, valid, true);
}

static void run_hmac(yyjson_val *group, yyjson_val *test, const char *name, bool valid,
                     tally *counts) {
    brant__buffer key = {0}, message = {0}, tag = {0};
    uint8_t made[BRANT__HMAC_SIZE];
    const brant__text key_bytes = bytes_of(&key, test, "key"),
                      message_bytes = bytes_of(&message, test, "msg"),
                      tag_bytes = bytes_of(&tag, test, "tag");
    assert_int_equal(tag_bytes.length * 8, number_of(group, "tagSize"));
    assert_true(tag_bytes.length <= sizeof made);
    brant__hmac_sha256(made, key_bytes, message_bytes);
    if ((memcmp(made, tag_bytes.data, tag_bytes.length) == 0) != valid) fail_msg("%s", name);
    counts->run++;
    brant__buffer_free(&key);
    brant__buffer_free(&message);
    brant__buffer_free(&tag);
}

static void run_pbkdf2(yyjson_val *group, yyjson_val *test, const char *name, bool valid,
                       tally *counts) {
    brant__buffer password = {0}, salt = {0}, wanted = {0};
    uint8_t made[128];
    (void)group;
    const brant__text password_bytes = bytes_of(&password, test, "password"),
                      salt_bytes = bytes_of(&salt, test, "salt"),
                      wanted_bytes = bytes_of(&wanted, test, "dk");
    assert_true(wanted_bytes.length <= sizeof made);
    brant__pbkdf2(made, wanted_bytes.length, password_bytes, salt_bytes,
                  number_of(test, "iterationCount"));
    if ((memcmp(made, wanted_bytes.data, wanted_bytes.length) == 0) != valid) fail_msg("%s", name);
    counts->run++;
    brant__buffer_free(&password);
    brant__buffer_free(&salt);
    brant__buffer_free(&wanted);
}

/* Skips the running test where there is no such file. */
static void run_file(const char *file, case_runner run, size_t wanted, size_t wanted_inapplicable) {
    const char *vectors = getenv("BRANT_VECTORS");
    char path[1024], name[256];
    struct stat status;
    tally counts = {0, 0};
    size_t i, j, count, inner;
    yyjson_val *group, *test;
    snprintf(path, sizeof path, "%s/wycheproof/%s",
             vectors ? vectors : BRANT_SOURCE_DIR "/../shared/vectors", file);
    if (stat(path, &status) != 0) {
        print_message("skipped: there is no %s\n", path);
        skip();
    }
    yyjson_doc *doc = yyjson_read_file(path, 0, NULL, NULL);
    yyjson_val *root = yyjson_doc_get_root(doc);
    assert_non_null(doc);
    yyjson_arr_foreach(yyjson_obj_get(root, "testGroups"), i, count, group) {
        yyjson_arr_foreach(yyjson_obj_get(group, "tests"), j, inner, test) {
            const brant__text result = brant__json_get_text(test, "result");
            snprintf(name, sizeof name, "%s, case %lld (%s)", file,
                     (long long)number_of(test, "tcId"),
                     yyjson_get_str(yyjson_obj_get(test, "comment")));
            const bool valid = brant__text_equal(result, BRANT__TEXT("valid"));
            assert_true(valid || brant__text_equal(result, BRANT__TEXT("invalid")));
            run(group, test, name, valid, &counts);
        }
    }
    print_message("%s: %zu cases run, %zu inapplicable\n", file, counts.run, counts.inapplicable);
    assert_int_equal(counts.run + counts.inapplicable, number_of(root, "numberOfTests"));
    assert_int_equal(counts.run, wanted);
    assert_int_equal(counts.inapplicable, wanted_inapplicable);
    yyjson_doc_free(doc);
}

static void xchacha(void **state) {
    (void)state;
    run_file("xchacha20_poly1305_test.json", run_xchacha, 306, 9);
}

static void gcm(void **state) {
    (void)state;
    if (!brant__gcm_available()) {
        print_message("skipped: this processor has no AES\n");
        skip();
    }
    run_file("aes_gcm_test.json", run_gcm, 66, 250);
}

static void hmac(void **state) {
    (void)state;
    run_file("hmac_sha256_test.json", run_hmac, 174, 0);
}

static void pbkdf2(void **state) {
    (void)state;
    run_file("pbkdf2_hmacsha256_test.json", run_pbkdf2, 60, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(xchacha),
        cmocka_unit_test(gcm),
        cmocka_unit_test(hmac),
        cmocka_unit_test(pbkdf2),
    };
    if (brant__sodium_ready() != BRANT_OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
