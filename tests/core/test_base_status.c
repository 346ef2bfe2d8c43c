/* The status codes: their names, texts and numbers, and the version. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base.h"

static void every_code_has_its_name_and_text(void **state) {
    (void)state;
#define CHECK(name, number, text)                                                                  \
    assert_int_equal(BRANT_##name, number);                                                        \
    assert_string_equal(brant_status_name(number), #name);                                         \
    assert_string_equal(brant_status_text(number), text);
    BRANT_STATUS_LIST(CHECK)
#undef CHECK
}

/* Numbers are a contract with every file and every binding: a change here is a break. */
static void numbers_never_change(void **state) {
    (void)state;
    assert_int_equal(BRANT_OK, 0);
    assert_int_equal(BRANT_INVALID, 1);
    assert_int_equal(BRANT_INVALID_JSON, 2);
    assert_int_equal(BRANT_VALIDATION, 3);
    assert_int_equal(BRANT_NOT_FOUND, 4);
    assert_int_equal(BRANT_EXISTS, 5);
    assert_int_equal(BRANT_CONFLICT, 6);
    assert_int_equal(BRANT_CONSTRAINT, 7);
    assert_int_equal(BRANT_BUSY, 8);
    assert_int_equal(BRANT_TIMEOUT, 9);
    assert_int_equal(BRANT_INTERRUPTED, 10);
    assert_int_equal(BRANT_CLOSED, 11);
    assert_int_equal(BRANT_MISUSE, 12);
    assert_int_equal(BRANT_READ_ONLY, 13);
    assert_int_equal(BRANT_DENIED, 14);
    assert_int_equal(BRANT_LIMIT, 15);
    assert_int_equal(BRANT_NOT_BRANT, 16);
    assert_int_equal(BRANT_NEWER_FORMAT, 17);
    assert_int_equal(BRANT_FOREIGN_SQLITE, 18);
    assert_int_equal(BRANT_NETWORK_FS, 19);
    assert_int_equal(BRANT_CORRUPT, 20);
    assert_int_equal(BRANT_FULL, 21);
    assert_int_equal(BRANT_IO, 22);
    assert_int_equal(BRANT_NO_MEMORY, 23);
    assert_int_equal(BRANT_SQL, 24);
    assert_int_equal(BRANT_STALE, 25);
    assert_int_equal(BRANT_AUTH, 26);
    assert_int_equal(BRANT_UNSUPPORTED, 27);
    assert_int_equal(BRANT_FORKED, 28);
    assert_int_equal(BRANT_INTERNAL, 29);
}

static void other_numbers_are_unknown(void **state) {
    static const brant_status others[] = {-1, BRANT_STATUS_COUNT, 1000, INT32_MAX, INT32_MIN};

    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(others); i++) {
        assert_string_equal(brant_status_name(others[i]), "UNKNOWN");
        assert_non_null(brant_status_text(others[i]));
    }
}

static void the_version_is_three_numbers(void **state) {
    const char *version = brant_version();
    int dots = 0;

    (void)state;
    assert_non_null(version);
    for (const char *at = version; *at; at++) {
        if (*at == '.')
            dots++;
        else if (*at < '0' || *at > '9')
            break; /* a pre-release mark may follow */
    }
    assert_int_equal(dots, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_its_name_and_text),
        cmocka_unit_test(numbers_never_change),
        cmocka_unit_test(other_numbers_are_unknown),
        cmocka_unit_test(the_version_is_three_numbers),
    };

    return cmocka_run_group_tests_name("base/status", tests, NULL, NULL);
}
