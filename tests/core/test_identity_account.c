/*
 * tests/core/test_identity_account.c: accounts: what each operation does, who may, and what is told of it.
 */
#include "test_identity.h"

static void an_account_is_made_and_found(void **state) {
    brant_db *db = must_open_audited(in_folder(*state, "a.db"));
    must(db, "accounts.create",
         "{\"id\":\"" A "\",\"email\":\"Ada@Example.ORG\",\"metadata\":{\"n\":[1, 2]}}",
         "{\"id\":\"" A "\",\"email\":\"ada@example.org\",\"name\":null,\"access_level\":\"user\","
         "\"status\":\"active\",\"metadata\":{\"n\":[1,2]},\"created_at\":");
    must(db, "accounts.get", "{\"id\":\"" A "\"}", "ada@example.org");
    must(db, "accounts.find", "{\"email\":\"ADA@example.org\"}", A);
    must_fail(db, "accounts.get", "{\"id\":\"" B "\"}", BRANT_NOT_FOUND, "no account " B);
    must_fail(db, "accounts.find", "{\"email\":\"b@example.org\"}", BRANT_NOT_FOUND,
              "b@example.org");
    must_fail(db, "accounts.find", "{\"email\":\"b\"}", BRANT_INVALID, "/email: ");
    must_fail(db, "accounts.create", "{\"email\":\"aDa@example.org\"}", BRANT_EXISTS,
              "an account with email \"ada@example.org\" exists already");
    must_fail(db, "accounts.create", "{\"email\":\"x@example.org\",\"id\":\"" A "\"}", BRANT_EXISTS,
              A);
    must_fail(db, "accounts.create", "{\"email\":\"x@example.org\",\"id\":\"A\"}", BRANT_INVALID,
              "/id");
    must_fail(db, "accounts.create", "{\"email\":\"x@example.org\",\"name\":\"a\\u0000b\"}",
              BRANT_INVALID, "/name");
    must_be_well(db);
    brant_db_free(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_account_is_made_and_found, set_up_folder,
                                        tear_down_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
