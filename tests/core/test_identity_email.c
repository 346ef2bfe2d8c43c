/*
 * tests/core/test_identity_email.c: what makes two email addresses or two slugs one, and what is refused.
 */
#include "support.h"

#include "identity/email.h"
#include "identity/slug.h"

typedef brant_status (*normalize_function)(brant__text *, brant__arena *, brant__text);

typedef struct expectation {
    const char *input;
    const char *output;  /* NULL: refused */
    const char *message; /* a part of it */
} expectation;

static void expect(normalize_function normalize, const expectation *row) {
    brant__arena arena = {NULL};
    brant__text out = BRANT__TEXT("?"), again;
    brant_status status;

    brant__error_clear();
    status = normalize(&out, &arena, brant__text_string(row->input));
    if (row->output) {
        if (status != BRANT_OK) fail_msg("%s: %s", row->input, brant_last_error()->message);
        assert_string_equal(out.data, row->output);
        assert_int_equal(out.length, strlen(row->output));
        assert_int_equal(normalize(&again, &arena, out), BRANT_OK);
        assert_true(brant__text_equal(again, out));
    } else {
        const char *message = brant_last_error()->message;
        if (status != BRANT_INVALID) fail_msg("%s is taken: %s", row->input, out.data);
        assert_null(out.data);
        if (!strstr(message, row->message))
            fail_msg("%s: \"%s\" does not say \"%s\"", row->input, message, row->message);
        assert_int_equal(message[0], '/');
        assert_null(strchr(message, '\n'));
        assert_true(strlen(message) < 300);
    }
    brant__arena_free(&arena);
}

#define EXPECT(normalize, table)                                                                   \
    for (size_t row = 0; row < BRANT__COUNT(table); row++)                                         \
    expect(normalize, (table) + row)

#define TEN         "abcdefghij"
#define SIXTY       TEN TEN TEN TEN TEN TEN
#define SIXTY_THREE SIXTY "xyz"

static void test_ascii(void **state) {
    static const expectation table[] = {
        {"ada@example.org", "ada@example.org", NULL},
        {"Ada.Lovelace+Notes@Mail.EXAMPLE.Org", "ada.lovelace+notes@mail.example.org", NULL},
        {"!#$%&'*+-/=?^_`{|}~@a.b", "!#$%&'*+-/=?^_`{|}~@a.b", NULL},
        {"a@1.2.c-d", "a@1.2.c-d", NULL},
        {"a@" SIXTY_THREE ".org", "a@" SIXTY_THREE ".org", NULL},
        {SIXTY "wxyz@a.b", SIXTY "wxyz@a.b", NULL},
        {"a@" SIXTY_THREE "." SIXTY_THREE "." SIXTY_THREE "." SIXTY,
         "a@" SIXTY_THREE "." SIXTY_THREE "." SIXTY_THREE "." SIXTY, NULL},
        {"ab@" SIXTY_THREE "." SIXTY_THREE "." SIXTY_THREE "." SIXTY, NULL,
         "255 bytes, more than 254"},
        {"", NULL, "\"\" has no \"@\""},
        {"ada", NULL, "\"ada\" has no \"@\""},
        {"@a.b", NULL, "nothing stands before \"@\""},
        {"a@", NULL, "nothing stands behind \"@\""},
        {SIXTY "vwxyz@a.b", NULL, "65 bytes stand before \"@\", more than 64"},
        {"\"ada\"@a.b", NULL, "is quoted"},
        {".a@a.b", NULL, "has a dot at its start"},
        {"a..b@a.b", NULL, "two in a row"},
        {"a.@a.b", NULL, "\"a.\" has a dot at its end"},
        {"a b@a.b", NULL, "cannot stand before \"@\""},
        {" a@a.b", NULL, "cannot stand before \"@\""},
        {"Ada <a@a.b>", NULL, "cannot stand before \"@\""},
        {"a\nb@a.b", NULL, "\"a?b\" has a character"},
        {"a\x7F@a.b", NULL, "\"a?\" has a character"},
        {"a(b)@a.b", NULL, "cannot stand before \"@\""},
        {"\xD0\xB0@a.b", NULL, "is not ASCII"},
        {"a@b@c.d", NULL, "\"b@c\" has a character"},
        {"a@b", NULL, "\"b\" is one label"},
        {"a@b.", NULL, "has an empty label"},
        {"a@.b", NULL, "has an empty label"},
        {"a@b..c", NULL, "has an empty label"},
        {"a@b.c.", NULL, "has an empty label"},
        {"a@-b.c", NULL, "hyphen"},
        {"a@b-.c", NULL, "hyphen"},
        {"a@b_c.d", NULL, "\"b_c\" has a character that no label"},
        {"a@b .c", NULL, "has a character that no label"},
        {"a@" SIXTY_THREE "x.org", NULL, "more than 63 bytes"},
        {"a@[192.0.2.1]", NULL, "is an address, not a domain"},
        {"a@192.0.2.1", NULL, "ends with a number"},
        {"a@b.c\n", NULL, "\"c?\" has a character"},
    };
    (void)state;
    EXPECT(brant__email_normalize, table);
}

static void test_nul(void **state) {
    brant__arena arena = {NULL};
    brant__text out;
    (void)state;
    assert_int_equal(brant__email_normalize(&out, &arena, BRANT__TEXT("a\0b@a.b")), BRANT_INVALID);
    assert_int_equal(brant__email_normalize(&out, &arena, BRANT__TEXT("a@a.b\0c")), BRANT_INVALID);
    assert_int_equal(brant__slug_normalize(&out, &arena, BRANT__TEXT("a\0b")), BRANT_INVALID);
    brant__arena_free(&arena);
}

static void test_slugs(void **state) {
    static const expectation table[] = {
        {"a", "a", NULL},
        {"7", "7", NULL},
        {"Acme-Works-2", "acme-works-2", NULL},
        {"a--b", "a--b", NULL},
        {SIXTY_THREE, SIXTY_THREE, NULL},
        {"", NULL, "is empty"},
        {SIXTY_THREE "x", NULL, "has 64 bytes, more than 63"},
        {"-a", NULL, "\"-a\" begins or ends with a hyphen"},
        {"a-", NULL, "begins or ends with a hyphen"},
        {"-", NULL, "begins or ends with a hyphen"},
        {"xn--bcher-kva", NULL, "places three and four"},
        {"XN--a", NULL, "places three and four"},
        {"ab--c", NULL, "places three and four"},
        {"a_b", NULL, "byte 1 is none of the letters"},
        {"a.b", NULL, "byte 1 is none of the letters"},
        {"a b", NULL, "byte 1"},
        {"a/../b", NULL, "byte 1"},
        {"a\n", NULL, "byte 1"},
        {"\xD0\xB0"
         "cme",
         NULL, "byte 0"}, /* a Cyrillic a */
        {"\xEF\xBC\xA1"
         "cme",
         NULL, "byte 0"},                     /* a fullwidth A */
        {"acme\xEF\xBC\x8E", NULL, "byte 4"}, /* a fullwidth dot */
        {"\xC4\xB1nc", NULL, "byte 0"},       /* a dotless i */
        {"\xC4\xB0nc", NULL, "byte 0"},       /* a dotted capital I */
        {"\xE2\x84\xAA"
         "elvin",
         NULL, "byte 0"},
        {"acme\xE2\x80\x8B", NULL, "byte 4"}, /* a space of no width */
        {"e\xCC\x81", NULL, "byte 1"},        /* a combining accent */
    };
    (void)state;
    EXPECT(brant__slug_normalize, table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ascii),
        cmocka_unit_test(test_nul),
        cmocka_unit_test(test_slugs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
