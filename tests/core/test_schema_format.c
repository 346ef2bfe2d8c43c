/*
 * The formats that are asserted, row by row, so that they are tested where the public suite is not at hand.
 */
#include "schema/program.h"
#include "test_schema.h"

static const struct {
    const char *format;
    const char *text;
    bool valid;
} rows[] = {
    {"date-time", "1963-06-19T08:30:06.283185Z", true},
    {"date-time", "1998-12-31T23:59:60Z", true},
    {"date-time", "1990-12-31t15:59:50.1-08:00", true},
    {"date-time", "1963-06-19 08:30:06Z", false},
    {"date-time", "1990-02-31T15:59:59Z", false},
    {"date-time", "1998-12-31T22:59:60Z", false},
    {"date-time", "1985-04-12T23:20:50", false},
    {"date-time", "1985-04-12T23:20:50.Z", false},
    {"date-time", "1985-04-12T23:20:50+01", false},
    {"date-time", "", false},
    {"date", "2024-02-29", true},
    {"date", "2000-02-29", true},
    {"date", "2023-02-29", false},
    {"date", "1900-02-29", false},
    {"date", "2024-13-01", false},
    {"date", "2024-00-01", false},
    {"date", "2024-01-00", false},
    {"date", "2024-1-1", false},
    {"date", "2024-01-01 ", false},
    {"time", "08:30:06Z", true},
    {"time", "08:30:06.5+00:20", true},
    {"time", "01:29:60+01:30", true},
    {"time", "24:00:00Z", false},
    {"time", "08:60:00Z", false},
    {"time", "08:30:61Z", false},
    {"time", "08:30:06", false},
    {"time", "08:30:06+24:00", false},
    {"time", "08:30:06Z+1", false},
    {"time", "8:30:06Z", false},
    {"duration", "P4DT12H30M5S", true},
    {"duration", "P1Y2M3D", true},
    {"duration", "PT36H", true},
    {"duration", "P2W", true},
    {"duration", "PT0S", true},
    {"duration", "P", false},
    {"duration", "PT", false},
    {"duration", "P1", false},
    {"duration", "PT1D", false},
    {"duration", "P1Y2D", false},
    {"duration", "PT1H2S", false},
    {"duration", "P1W1D", false},
    {"duration", "P0.5D", false},
    {"duration", "-P1D", false},
    {"duration", "P1DT", false},
    {"duration", "1D", false},
    {"duration", "", false},
    {"email", "joe.bloggs@example.com", true},
    {"email", "\"joe bloggs\"@example.com", true},
    {"email", "a+b@[127.0.0.1]", true},
    {"email", "a@[IPv6:::1]", true},
    {"email", "te~st@x", true},
    {"email", "joe", false},
    {"email", "@example.com", false},
    {"email", "joe@", false},
    {"email", ".a@b.c", false},
    {"email", "a.@b.c", false},
    {"email", "a..b@c.d", false},
    {"email", "a b@c.d", false},
    {"email", "\"a@b.c", false},
    {"email", "a@[300.0.0.1]", false},
    {"email", "a@b@c", false},
    {"email", "a@-b.c", false},
    {"hostname", "www.example.com", true},
    {"hostname", "a", true},
    {"hostname", "1host", true},
    {"hostname", "a--b.com", true},
    {"hostname", "xn--ll-0ea", true},
    {"hostname", "xn--4dbc5h", true},
    {"hostname", "", false},
    {"hostname", ".", false},
    {"hostname", "a.", false},
    {"hostname", "-a", false},
    {"hostname", "a-", false},
    {"hostname", "a_b", false},
    {"hostname", "a..b", false},
    {"hostname", "xn--X", false},
    {"hostname", "xn--al-0ea", false},
    {"hostname", "xn--hello-zed", false},
    {"hostname", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
    {"hostname",
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     false},
    {"ipv4", "192.0.2.1", true},
    {"ipv4", "0.0.0.0", true},
    {"ipv4", "255.255.255.255", true},
    {"ipv4", "256.0.0.1", false},
    {"ipv4", "1.2.3", false},
    {"ipv4", "1.2.3.4.5", false},
    {"ipv4", "01.2.3.4", false},
    {"ipv4", "1.2.3.", false},
    {"ipv4", "1.2.3.4 ", false},
    {"ipv4", "0x7f.0.0.1", false},
    {"ipv6", "::", true},
    {"ipv6", "::1", true},
    {"ipv6", "1::", true},
    {"ipv6", "1:2:3:4:5:6:7:8", true},
    {"ipv6", "::ffff:192.0.2.1", true},
    {"ipv6", "1::d6:192.168.0.1", true},
    {"ipv6", "1:2:3:4:5:6:7", false},
    {"ipv6", "1:2:3:4:5:6:7:8:9", false},
    {"ipv6", "::1::", false},
    {"ipv6", "12345::", false},
    {"ipv6", ":1", false},
    {"ipv6", "1:", false},
    {"ipv6", "1:2:3:4:5:6:7:1.2.3.4", false},
    {"ipv6", "::1%eth0", false},
    {"ipv6", "[::1]", false},
    {"ipv6", "::g", false},
    {"ipv6", "1:2:3:4:5:6:7::8:9", false},
    {"uri", "http://foo.bar/?q=Test%20x#y", true},
    {"uri", "urn:oasis:names", true},
    {"uri", "mailto:a@b.c", true},
    {"uri", "ldap://[2001:db8::7]/c=GB", true},
    {"uri", "http://[v1.x]:80", true},
    {"uri", "a:", true},
    {"uri", "//foo.bar/", false},
    {"uri", "/abc", false},
    {"uri", "http:// x", false},
    {"uri", "1a://b", false},
    {"uri", "http://a/%6G", false},
    {"uri", "http://a:b/", false},
    {"uri", "http://[::1", false},
    {"uri", "http://a/<", false},
    {"uri",
     "http://a/\xc3\xa9"
     "",
     false},
    {"uri", "http://a@b@c/", false},
    {"uri", "", false},
    {"uri-reference", "", true},
    {"uri-reference", "#f", true},
    {"uri-reference", "/abc", true},
    {"uri-reference", "?q", true},
    {"uri-reference", "a/b", true},
    {"uri-reference", "./a:b", true},
    {"uri-reference", "//x", true},
    {"uri-reference", "http://a", true},
    {"uri-reference", "1:b", false},
    {"uri-reference", "\\x", false},
    {"uri-reference", "/a b", false},
    {"uri-reference", "#a\\b", false},
    {"uri-reference", "//[::1", false},
    {"uuid", "2eb8aa08-AA98-11ea-b4Aa-73b441d16380", true},
    {"uuid", "2eb8aa08aa9811eab4aa73b441d16380", false},
    {"uuid", "2eb8aa08-aa98-11ea-b4ga-73b441d16380", false},
    {"uuid", "2eb8aa08-aa98-11ea-b4aa-73b441d1638", false},
    {"uuid", "urn:uuid:2eb8aa08-aa98-11ea-b4aa-73b441d16380", false},
    {"json-pointer", "", true},
    {"json-pointer", "/", true},
    {"json-pointer", "/a/0", true},
    {"json-pointer", "/a~0b~1c", true},
    {"json-pointer", "a", false},
    {"json-pointer", "/~", false},
    {"json-pointer", "/~2", false},
    {"json-pointer", "#/a", false},
    {"regex", "([abc])+\\s+$", true},
    {"regex", "", true},
    {"regex", "(?<n>a)\\k<n>", true},
    {"regex", "^(abc]", false},
    {"regex", "(", false},
    {"regex", "\\a", false},
    {"regex", "(?P<n>x)", false},
    {"regex", "a**", false},
    {"regex", "a{2,1}", false},
    {"regex", "a{10,9}", false},
    {"regex", "a{99999999999999999999,99999999999999999998}", false},
    {"regex", "a{0010,10}", true},
    {"regex", "a{9,10}", true},
    {"regex", "a{0,0}?", true},
    {"regex", "a{2,}", true},
};

static void rows_hold(void **state) {
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < BRANT__COUNT(rows); i++) {
        const int format =
            brant__format_find(brant__text_of(rows[i].format, strlen(rows[i].format)));
        assert_true(format >= 0);
        /* A copy of just its size, so that a look beyond the end is seen. */
        const size_t length = strlen(rows[i].text);
        char *text = malloc(length + (length == 0));
        assert_non_null(text);
        memcpy(text, rows[i].text, length);
        if (brant__format_accepts(format, text, length) != rows[i].valid) {
            print_error("%s should %s \"%s\"\n", rows[i].format,
                        rows[i].valid ? "accept" : "reject", rows[i].text);
            wrong++;
        }
        free(text);
        assert_memory_equal(brant__format_message(format), "must be a", 9);
    }
    assert_int_equal(wrong, 0);
}

/* Cut anywhere, a text is refused or accepted, and nothing beyond its end is read. */
static void nothing_is_read_beyond_the_end(void **state) {
    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(rows); i++) {
        const int format =
            brant__format_find(brant__text_of(rows[i].format, strlen(rows[i].format)));
        for (size_t length = 0; length <= strlen(rows[i].text); length++) {
            char *text = malloc(length + (length == 0));
            assert_non_null(text);
            memcpy(text, rows[i].text, length);
            (void)brant__format_accepts(format, text, length);
            free(text);
        }
    }
}

static void others_are_annotations(void **state) {
    (void)state;
    assert_int_equal(brant__format_find(BRANT__TEXT("idn-email")), -1);
    brant__schema *schema = compiled("{\"format\":\"idn-email\"}");
    brant__json json = parsed("\"not one\"");
    assert_true(accepts(schema, json.root));
    brant__schema_free(schema);

    schema = NULL;
    brant__json document = parsed("{\"format\":\"uuid\"}");
    assert_int_equal(brant__schema_compile_as(&schema, document.root, document.root,
                                              BRANT__TEXT(""), BRANT__FORMAT_ANNOTATES),
                     BRANT_OK);
    assert_true(accepts(schema, json.root));
    brant__schema_free(schema);
    brant__json_free(&document);
    brant__json_free(&json);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold),
        cmocka_unit_test(nothing_is_read_beyond_the_end),
        cmocka_unit_test(others_are_annotations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
