/*
 * tests/core/test_crypto.c: envelopes and the ring of a handle, by the functions that the modules above use.
 */
#include "support.h"

#include "crypto/crypto.h"

#define KEY_1 "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE"
#define KEY_2 "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI"

static const brant__context here = {{"t", 1}, {"g", 1}, {"node", 4}, {"k", 1}, {"/value", 6}};

static void must_load(brant_db *db, const char *json) {
    if (brant_keyring_load(db, TEXT(json)) != BRANT_OK)
        fail_msg("%s: %s", json, brant_last_error()->message);
}

static void test_round_trip(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    brant__buffer sealed = {0}, opened = {0};
    brant__json parsed = {0};
    int64_t version = 0;
    brant__error_clear();
    assert_int_equal(brant__enter(db), BRANT_OK);
    assert_int_equal(brant__keyring_ready(db), BRANT_NOT_FOUND);
    assert_int_equal(brant__keyring_active(db), 0);
    brant__leave(db);
    must_load(db, "{\"keys\":[{\"version\":1,\"key\":\"" KEY_1
                  "\",\"state\":\"decrypt_only\"},{\"version\":7,\"key\":\"" KEY_2 "\"}]}");
    assert_int_equal(brant__enter(db), BRANT_OK);
    assert_int_equal(brant__keyring_ready(db), BRANT_OK);
    assert_int_equal(brant__keyring_active(db), 7);
    assert_int_equal(brant__envelope_seal(&sealed, db, &here, BRANT__TEXT("{\"a\":[1,2]}")),
                     BRANT_OK);
    assert_int_equal(brant__json_parse(&parsed, sealed.data, sealed.length, 0), BRANT_OK);
    assert_true(brant__envelope_like(parsed.root));
    assert_int_equal(brant__envelope_key_version(parsed.root), 7);
    assert_int_equal(brant__envelope_open(&opened, &version, db, &here, parsed.root), BRANT_OK);
    assert_int_equal(version, 7);
    assert_true(brant__text_equal(brant__text_of(opened.data, opened.length),
                                  BRANT__TEXT("{\"a\":[1,2]}")));
    brant__text id;
    assert_int_equal(brant__file_id(&id, db), BRANT_OK);
    assert_int_equal(id.length, 36);
    brant__leave(db);
    assert_int_equal(brant_keyring_unload(db), BRANT_OK);
    assert_int_equal(brant__enter(db), BRANT_OK);
    brant__buffer_wipe(&opened);
    assert_int_equal(brant__envelope_open(&opened, &version, db, &here, parsed.root),
                     BRANT_NOT_FOUND);
    brant__leave(db);
    brant__json_free(&parsed);
    brant__buffer_free(&sealed);
    brant__buffer_free(&opened);
    brant_db_free(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip, set_up_folder, tear_down_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
