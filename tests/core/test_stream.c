/*
 * tests/core/test_stream.c: streams: offsets, reading, subscriptions, retention, compaction.
 */
#define _GNU_SOURCE
#include "support.h"

static int set_up(void **state) {
    *state = make_folder();
    return 0;
}

static int tear_down(void **state) {
    remove_folder(*state);
    return 0;
}

static brant_db *open_file(void **state) {
    return must_open(in_folder(*state, "a.db"), "");
}

/* ---- publishing and reading ------------------------------------------------------------------------------------------------ */

static void test_offsets(void **state) {
    brant_db *db = open_file(state);
    must(db, "streams.publish", "{\"stream\":\"s\",\"payload\":{\"a\":[1,2.5,\"\\u00e9\"]}}",
         "{\"offset\":1}");
    must(db, "streams.publish", "{\"stream\":\"t\"}", "{\"offset\":1}");
    must(db, "transaction.begin", "{}", NULL);
    must(db, "streams.publish", "{\"stream\":\"s\",\"payload\":2}", "{\"offset\":2}");
    must(db, "streams.read", "{\"stream\":\"s\",\"after\":1}", "\"payload\":2");
    must(db, "transaction.rollback", "{}", NULL);
    must(db, "streams.publish_many",
         "{\"stream\":\"s\",\"items\":[{\"payload\":\"x\",\"key\":\"k\\n\"},{\"payload_base64\":"
         "\"AAEC/w==\"},{\"payload_base64\":\"\"}]}",
         "{\"first\":2,\"last\":4}");
    char *all = must_call(db, "streams.read", "{\"stream\":\"s\"}", NULL);
    assert_non_null(strstr(all, "{\"items\":[{\"offset\":1,\"payload\":{\"a\":[1,2.5,\"\xc3\xa9\"]}"
                                ",\"created_at\":"));
    assert_non_null(strstr(all, "{\"offset\":2,\"key\":\"k\\n\",\"payload\":\"x\","));
    assert_non_null(strstr(all, "{\"offset\":3,\"payload_base64\":\"AAEC/w==\",\"created_at\":"));
    assert_non_null(strstr(all, "{\"offset\":4,\"payload_base64\":\"\",\"created_at\":"));
    assert_null(strstr(all, "next"));
    assert_null(strstr(all, "gap"));
    brant_free(all);
    must(db, "streams.read", "{\"stream\":\"s\",\"limit\":2}", "\"next\":2");
    must(db, "streams.read", "{\"stream\":\"s\",\"limit\":2,\"after\":2}", "\"offset\":4");
    must(db, "streams.read", "{\"stream\":\"s\",\"limit\":1,\"reverse\":true}", "\"next\":4");
    must(db, "streams.read", "{\"stream\":\"s\",\"limit\":1,\"reverse\":true,\"after\":4}",
         "[{\"offset\":3");
    must(db, "streams.read", "{\"stream\":\"s\",\"after\":99}", "{\"items\":[]}");
    must(db, "streams.read", "{\"stream\":\"t\"}", "\"payload\":null");
    brant_db_free(db);
}

static void test_bad_input(void **state) {
    brant_db *db = open_file(state);
    must_fail(db, "streams.read", "{\"stream\":\"s\"}", BRANT_NOT_FOUND, "no stream \"s\"");
    must_fail(db, "streams.publish", "{\"stream\":\"\"}", BRANT_INVALID, "/stream");
    must_fail(db, "streams.publish", "{\"stream\":\"a\\u0000b\"}", BRANT_INVALID, "/stream");
    must_fail(db, "streams.publish", "{\"stream\":\"s\",\"payload\":1,\"payload_base64\":\"\"}",
              BRANT_INVALID, "exclude each other");
    must_fail(db, "streams.publish", "{\"stream\":\"s\",\"payload_base64\":\"A\"}", BRANT_INVALID,
              "/payload_base64");
    must_fail(db, "streams.publish_many",
              "{\"stream\":\"s\",\"items\":[{},{\"key\":\"a\\u0000\"}]}", BRANT_INVALID,
              "/items/1/key");
    must_fail(db, "streams.read", "{\"stream\":\"s\"}", BRANT_NOT_FOUND, NULL); /* all or none */
    brant_db_free(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_offsets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bad_input, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
