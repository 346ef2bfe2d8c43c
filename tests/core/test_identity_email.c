/*
 * tests/core/test_identity_email.c: what makes two email addresses or two slugs one, and what is refused.
 */
#include "support.h"

#include "identity/email.h"
#include "identity/punycode.h"
#include "identity/slug.h"
#include "test_base_allocator.h"

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
        {"a@", NULL, "the domain is empty"},
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
        {"a@b@c.d", NULL, "\"b@c\" in the domain has what no domain may have: U+0040"},
        {"a@b", NULL, "\"b\" in the domain is its only label"},
        {"a@b.", NULL, "has an empty label"},
        {"a@.b", NULL, "has an empty label"},
        {"a@b..c", NULL, "has an empty label"},
        {"a@b.c.", NULL, "has an empty label"},
        {"a@-b.c", NULL, "hyphen"},
        {"a@b-.c", NULL, "hyphen"},
        {"a@b_c.d", NULL, "\"b_c\" in the domain has what no domain may have: U+005F"},
        {"a@b .c", NULL, "no domain may have: U+0020"},
        {"a@" SIXTY_THREE "x.org", NULL, "more than 63 bytes"},
        {"a@[192.0.2.1]", NULL, "an address stands in place"},
        {"a@192.0.2.1", NULL, "\"1\" in the domain is a number"},
        {"a@b.c\n", NULL, "\"c?\" in the domain has what no domain may have: U+000A"},
    };
    (void)state;
    EXPECT(brant__email_normalize, table);
}

/* Ways to write a domain that make no other account. */
static void test_one_domain(void **state) {
    static const expectation table[] = {
        {"a@b\u00FCcher.example", "a@xn--bcher-kva.example", NULL},
        {"A@B\u00FCcher.Example", "a@xn--bcher-kva.example", NULL},
        {"a@B\u00DCCHER.EXAMPLE", "a@xn--bcher-kva.example", NULL},
        {"a@bu\u0308cher.example", "a@xn--bcher-kva.example", NULL},
        {"a@xn--bcher-kva.example", "a@xn--bcher-kva.example", NULL},
        {"a@XN--Bcher-KVA.example", "a@xn--bcher-kva.example", NULL},
        {"a@\uFF58\uFF4E\uFF0D\uFF0Dbcher-kva.example", "a@xn--bcher-kva.example", NULL},
        {"a@b\u00FC\u00ADch\u200Ber.example", "a@xn--bcher-kva.example", NULL},
        {"a@\uFF22\u00FC\uFF43\uFF48er\uFF0E\uFF45xample", "a@xn--bcher-kva.example", NULL},
        {"a@b\u00FCcher\u3002example", "a@xn--bcher-kva.example", NULL},
        {"a@b\u00FCcher\uFF61example", "a@xn--bcher-kva.example", NULL},
        {"a@EXAMPLE\uFF0E\u212Aelvin", "a@example.kelvin", NULL}, /* the Kelvin sign is a k */
        /* IDNA 2008 tells these apart from what IDNA 2003 made of them. */
        {"a@fa\u00DF.de", "a@xn--fa-hia.de", NULL},
        {"a@FA\u1E9E.de", "a@xn--fa-hia.de", NULL},
        {"a@fass.de", "a@fass.de", NULL},
        {"a@\u03B2\u03CC\u03BB\u03BF\u03C2.com", "a@xn--nxasmm1c.com", NULL},
        {"a@\u03B2\u03CC\u03BB\u03BF\u03C3.com", "a@xn--nxasmq6b.com", NULL},
        /* What looks alike is another. */
        {"a@\u0430pple.com", "a@xn--pple-43d.com", NULL},
        {"a@a.\u4F8B\u3048", "a@a.xn--r8jz45g", NULL},
        {"a@\uAC01.kr", "a@xn--p39a.kr", NULL},
        {"a@\u1100\u1161\u11A8.kr", "a@xn--p39a.kr", NULL},
        {"a@r3---s.example", "a@r3---s.example", NULL},
    };
    (void)state;
    EXPECT(brant__email_normalize, table);
}

static void test_labels_refused(void **state) {
    static const expectation table[] = {
        {"a@\u2603.net", NULL, "\"\u2603\" in the domain has what no domain may have: U+2603"},
        {"a@\U0001F4A9.la", NULL, "U+1F4A9"},
        {"a@\u0301a.de", NULL, "begins with a combining mark: U+0301"},
        {"a@a\u202Eb.de", NULL, "\"a?b\" in the domain has what no domain may have: U+202E"},
        {"a@a\U000E0041b.de", NULL, "U+E0041"},
        {"a@a\u2024b.de", NULL, "U+2024"}, /* a leader that stands for a full stop */
        {"a@\u2488com", NULL, "U+2488"},
        {"a@b\uFE6Ba.de", NULL, "U+0040"},
        {"a@\u2100b.de", NULL, "has what no domain may have: U+002F"}, /* a/c */
        {"a@\u0378.de", NULL, "U+0378"},                               /* unassigned */
        {"a@\uE000.de", NULL, "U+E000"},
        {"a@\u33C6.example", NULL, "U+2215"}, /* C over kg */
        {"a@\u0640\u0628.de", NULL, "U+0640"},
        {"a@-\u00FC.de", NULL, "begins or ends with a hyphen"},
        {"a@\u00FC-.de", NULL, "begins or ends with a hyphen"},
        {"a@\u00FCb--c.de", NULL, "places three and four"},
        {"a@xn--b\u00FCcher.de", NULL, "places three and four"},
        {"a@xn--.de", NULL, "begins or ends with a hyphen"},
        {"a@xn--a.de", NULL, "no domain may have: U+0080"},
        {"a@xn--abc-.de", NULL, "begins or ends with a hyphen"},
        {"a@xn--99999999.de", NULL, "is no encoded label"},
        {"a@xn---bbk.de", NULL, "is not how what it stands for is encoded"},
        {"a@xn--n3h.net", NULL, "\"xn--n3h\" in the domain has what no domain may have: U+2603"},
        {"a@xn--u-ccb.com", NULL, "is not in the normal form"},
        {"a@xn--ls8h.la", NULL, "U+1F4A9"},
        {"a@xn--mnchen-psa.de", NULL, "has what no domain may have: U+00DC"}, /* a capital */
        {"a@\u3002de", NULL, "has an empty label"},
        {"a@\u00AD.de", NULL, "has an empty label"},
        {"a@b.\uFF11\uFF12", NULL, "\"12\" in the domain is a number"},
        {"a@" SIXTY "\u00FC.de", NULL, "has more than 63 bytes in the DNS"},
    };
    (void)state;
    EXPECT(brant__email_normalize, table);
}

/* RFC 5892, appendix A. */
static void test_context(void **state) {
    static const expectation table[] = {
        {"a@l\u00B7l.cat", "a@xn--ll-0ea.cat", NULL},
        {"a@a\u00B7l.cat", NULL, "may not stand where it stands: U+00B7"},
        {"a@l\u00B7.cat", NULL, "U+00B7"},
        {"a@\u0375\u03B2.com", "a@xn--wva6j.com", NULL},
        {"a@\u0375b.com", NULL, "U+0375"},
        {"a@\u05D0\u05F3.com", "a@xn--4db4e.com", NULL},
        {"a@a\u05F3.com", NULL, "U+05F3"},
        {"a@\u30A2\u30FB.com", "a@xn--cckzj.com", NULL},
        {"a@a\u30FBb.com", NULL, "U+30FB"},
        {"a@\u0628\u0661.com", "a@xn--ngb8i.com", NULL},
        {"a@\u0628\u0661\u06F1.com", NULL, "U+0661"},
        {"a@\u0628\u06F1\u0661.com", NULL, "U+06F1"},
        /* Joiners: behind a virama, or between letters that would be joined. */
        {"a@\u0915\u094D\u200D\u0937.com", "a@xn--11b2ezcw70k.com", NULL},
        {"a@\u0915\u094D\u200C\u0937.com", "a@xn--11b2ezcs70k.com", NULL},
        {"a@\u0915\u094D\u0937.com", "a@xn--11b2ezc.com", NULL},
        {"a@a\u200Db.com", NULL, "U+200D"},
        {"a@\u0628\u200D\u0628.com", NULL, "U+200D"},
        {"a@\u0646\u0627\u0645\u0647\u200C\u0627\u06CC.com", "a@xn--mgba3gch31f060k.com", NULL},
        {"a@\u0627\u200C\u0628.com", NULL, "U+200C"}, /* alef does not join what follows */
        {"a@\u0628\u200C\u0621.com", NULL, "U+200C"}, /* hamza joins nothing */
        {"a@\u0628\u064E\u200C\u064E\u0628.com", "a@xn--ngba7ia3604a.com", NULL},
        {"a@a\u200Cb.com", NULL, "U+200C"},
        {"a@\u200Cb.com", NULL, "U+200C"},
        {"a@\u0628\u200C.com", NULL, "U+200C"},
    };
    (void)state;
    EXPECT(brant__email_normalize, table);
}

/* RFC 5893, 2. */
static void test_direction(void **state) {
    static const expectation table[] = {
        {"a@\u05D0\u05D1.com", "a@xn--4dbc.com", NULL},
        {"a@\u05D01\u05B0.com", "a@xn--1-6fc8g.com", NULL},
        {"a@\u05D0a.com", NULL, "mixes directions"},
        {"a@a\u05D0.com", NULL, "mixes directions"},
        {"a@1\u05D0.com", NULL, "\"1\u05D0\" in the domain mixes directions"},
        {"a@\u05D0\u0661.com", "a@xn--4db40a.com", NULL},
        {"a@\u05D01\u0661.com", NULL, "mixes directions"},
        {"a@\u0661\u05D0.com", NULL, "mixes directions"},
        {"a@1.\u05D0.com", NULL, "\"1\" in the domain mixes directions"},
        {"a@1.xn--4db.com", NULL, "\"1\" in the domain mixes directions"},
        {"a@1.com", "a@1.com", NULL},
    };
    (void)state;
    EXPECT(brant__email_normalize, table);
}

/* RFC 3492, 7.1. */
static void test_punycode(void **state) {
    static const struct {
        const char *encoded;
        size_t count;
        int32_t points[40];
    } table[] = {
        {"egbpdaj6bu4bxfgehfvwxn",
         17,
         {0x0644, 0x064A, 0x0647, 0x0645, 0x0627, 0x0628, 0x062A, 0x0643, 0x0644, 0x0645, 0x0648,
          0x0634, 0x0639, 0x0631, 0x0628, 0x064A, 0x061F}},
        {"ihqwcrb4cv8a8dqg056pqjye",
         9,
         {0x4ED6, 0x4EEC, 0x4E3A, 0x4EC0, 0x4E48, 0x4E0D, 0x8BF4, 0x4E2D, 0x6587}},
        {"ihqwctvzc91f659drss3x8bo0yb",
         9,
         {0x4ED6, 0x5011, 0x7232, 0x4EC0, 0x9EBD, 0x4E0D, 0x8AAA, 0x4E2D, 0x6587}},
        {"Proprostnemluvesky-uyb24dma41a",
         22,
         {0x0050, 0x0072, 0x006F, 0x010D, 0x0070, 0x0072, 0x006F, 0x0073, 0x0074, 0x011B, 0x006E,
          0x0065, 0x006D, 0x006C, 0x0075, 0x0076, 0x00ED, 0x010D, 0x0065, 0x0073, 0x006B, 0x0079}},
        {"4dbcagdahymbxekheh6e0a7fei0b",
         22,
         {0x05DC, 0x05DE, 0x05D4, 0x05D4, 0x05DD, 0x05E4, 0x05E9, 0x05D5, 0x05D8, 0x05DC, 0x05D0,
          0x05DE, 0x05D3, 0x05D1, 0x05E8, 0x05D9, 0x05DD, 0x05E2, 0x05D1, 0x05E8, 0x05D9, 0x05EA}},
        {"i1baa7eci9glrd9b2ae1bj0hfcgg6iyaf8o0a1dig0cd",
         30,
         {0x092F, 0x0939, 0x0932, 0x094B, 0x0917, 0x0939, 0x093F, 0x0928, 0x094D, 0x0926,
          0x0940, 0x0915, 0x094D, 0x092F, 0x094B, 0x0902, 0x0928, 0x0939, 0x0940, 0x0902,
          0x092C, 0x094B, 0x0932, 0x0938, 0x0915, 0x0924, 0x0947, 0x0939, 0x0948, 0x0902}},
        {"n8jok5ay5dzabd5bym9f0cm5685rrjetr6pdxa",
         18,
         {0x306A, 0x305C, 0x307F, 0x3093, 0x306A, 0x65E5, 0x672C, 0x8A9E, 0x3092, 0x8A71, 0x3057,
          0x3066, 0x304F, 0x308C, 0x306A, 0x3044, 0x306E, 0x304B}},
        {"989aomsvi5e83db1d2a355cv1e0vak1dwrv93d5xbh15a0dt30a5jpsd879ccm6fea98c",
         24,
         {0xC138, 0xACC4, 0xC758, 0xBAA8, 0xB4E0, 0xC0AC, 0xB78C, 0xB4E4,
          0xC774, 0xD55C, 0xAD6D, 0xC5B4, 0xB97C, 0xC774, 0xD574, 0xD55C,
          0xB2E4, 0xBA74, 0xC5BC, 0xB9C8, 0xB098, 0xC88B, 0xC744, 0xAE4C}},
        {"b1abfaaepdrnnbgefbadotcwatmq2g4l",
         28,
         {0x043F, 0x043E, 0x0447, 0x0435, 0x043C, 0x0443, 0x0436, 0x0435, 0x043E, 0x043D,
          0x0438, 0x043D, 0x0435, 0x0433, 0x043E, 0x0432, 0x043E, 0x0440, 0x044F, 0x0442,
          0x043F, 0x043E, 0x0440, 0x0443, 0x0441, 0x0441, 0x043A, 0x0438}},
        {"PorqunopuedensimplementehablarenEspaol-fmd56a",
         40,
         {0x0050, 0x006F, 0x0072, 0x0071, 0x0075, 0x00E9, 0x006E, 0x006F, 0x0070, 0x0075,
          0x0065, 0x0064, 0x0065, 0x006E, 0x0073, 0x0069, 0x006D, 0x0070, 0x006C, 0x0065,
          0x006D, 0x0065, 0x006E, 0x0074, 0x0065, 0x0068, 0x0061, 0x0062, 0x006C, 0x0061,
          0x0072, 0x0065, 0x006E, 0x0045, 0x0073, 0x0070, 0x0061, 0x00F1, 0x006F, 0x006C}},
        {"TisaohkhngthchnitingVit-kjcr8268qyxafd2f1b9g",
         31,
         {0x0054, 0x1EA1, 0x0069, 0x0073, 0x0061, 0x006F, 0x0068, 0x1ECD, 0x006B, 0x0068, 0x00F4,
          0x006E, 0x0067, 0x0074, 0x0068, 0x1EC3, 0x0063, 0x0068, 0x1EC9, 0x006E, 0x00F3, 0x0069,
          0x0074, 0x0069, 0x1EBF, 0x006E, 0x0067, 0x0056, 0x0069, 0x1EC7, 0x0074}},
        {"3B-ww4c5e180e575a65lsy2b",
         8,
         {0x0033, 0x5E74, 0x0042, 0x7D44, 0x91D1, 0x516B, 0x5148, 0x751F}},
        {"-with-SUPER-MONKEYS-pc58ag80a8qai00g7n9n",
         24,
         {0x5B89, 0x5BA4, 0x5948, 0x7F8E, 0x6075, 0x002D, 0x0077, 0x0069,
          0x0074, 0x0068, 0x002D, 0x0053, 0x0055, 0x0050, 0x0045, 0x0052,
          0x002D, 0x004D, 0x004F, 0x004E, 0x004B, 0x0045, 0x0059, 0x0053}},
        {"Hello-Another-Way--fc4qua05auwb3674vfr0b",
         25,
         {0x0048, 0x0065, 0x006C, 0x006C, 0x006F, 0x002D, 0x0041, 0x006E, 0x006F,
          0x0074, 0x0068, 0x0065, 0x0072, 0x002D, 0x0057, 0x0061, 0x0079, 0x002D,
          0x305D, 0x308C, 0x305E, 0x308C, 0x306E, 0x5834, 0x6240}},
        {"2-u9tlzr9756bt3uc0v",
         8,
         {0x3072, 0x3068, 0x3064, 0x5C4B, 0x6839, 0x306E, 0x4E0B, 0x0032}},
        {"MajiKoi5-783gue6qz075azm5e",
         13,
         {0x004D, 0x0061, 0x006A, 0x0069, 0x3067, 0x004B, 0x006F, 0x0069, 0x3059, 0x308B, 0x0035,
          0x79D2, 0x524D}},
        {"de-jg4avhby1noc0d",
         9,
         {0x30D1, 0x30D5, 0x30A3, 0x30FC, 0x0064, 0x0065, 0x30EB, 0x30F3, 0x30D0}},
        {"d9juau41awczczp", 7, {0x305D, 0x306E, 0x30B9, 0x30D4, 0x30FC, 0x30C9, 0x3067}},
        {"-> $1.00 <--",
         11,
         {0x002D, 0x003E, 0x0020, 0x0024, 0x0031, 0x002E, 0x0030, 0x0030, 0x0020, 0x003C, 0x002D}},
    };
    static const char *const refused[] = {
        "\xC3\xBC-a", "a!", "99999999", "a-b_", "zzzzzzzz", "a-9999999999999999", "0x", "1b1b1b-z9",
    };
    (void)state;
    for (size_t row = 0; row < BRANT__COUNT(table); row++) {
        char encoded[128];
        int32_t points[64];
        size_t length, count;
        assert_true(brant__punycode_encode(encoded, &length, sizeof encoded, table[row].points,
                                           table[row].count));
        assert_int_equal(length, strlen(table[row].encoded));
        assert_memory_equal(encoded, table[row].encoded, length);
        assert_false(brant__punycode_encode(encoded, &count, length - 1, table[row].points,
                                            table[row].count));
        assert_true(brant__punycode_decode(points, &count, BRANT__COUNT(points),
                                           brant__text_string(table[row].encoded)));
        assert_int_equal(count, table[row].count);
        assert_memory_equal(points, table[row].points, count * sizeof *points);
        assert_false(brant__punycode_decode(points, &length, count - 1,
                                            brant__text_string(table[row].encoded)));
    }
    for (size_t row = 0; row < BRANT__COUNT(refused); row++) {
        int32_t points[64];
        size_t count;
        if (brant__punycode_decode(points, &count, BRANT__COUNT(points),
                                   brant__text_string(refused[row])))
            fail_msg("%s is taken", refused[row]);
    }
}

static void test_bounds(void **state) {
    static const char mark[] = "\xCC\x81";
    char email[BRANT__EMAIL_INPUT_MOST + 2] = "a@b.";
    brant__arena arena = {NULL};
    brant__text out;
    size_t length = 4;
    (void)state;
    /* As many bytes as are taken, of what only falls apart the more. */
    while (length + 3 <= BRANT__EMAIL_INPUT_MOST) {
        memcpy(email + length, "\xEF\xB7\xBA", 3); /* U+FDFA: 18 points */
        length += 3;
    }
    assert_int_equal(brant__email_normalize(&out, &arena, brant__text_of(email, length)),
                     BRANT_INVALID);
    for (length = 4; length + 2 <= BRANT__EMAIL_INPUT_MOST; length += 2)
        memcpy(email + length, mark, 2);
    assert_int_equal(brant__email_normalize(&out, &arena, brant__text_of(email, length)),
                     BRANT_INVALID);
    /* Invisible points make no length. */
    for (length = 4; length + 2 <= BRANT__EMAIL_INPUT_MOST - 2; length += 2)
        memcpy(email + length, "\xC2\xAD", 2);
    memcpy(email + length, "de", 2);
    brant__error_clear();
    assert_int_equal(brant__email_normalize(&out, &arena, brant__text_of(email, length + 2)),
                     BRANT_OK);
    assert_string_equal(out.data, "a@b.de");
    memset(email + 1024, 'x', 1);
    brant__error_clear();
    assert_int_equal(brant__email_normalize(&out, &arena, brant__text_of(email, 1025)),
                     BRANT_INVALID);
    assert_non_null(strstr(brant_last_error()->message, "has 1025 bytes, more than 1024"));
    brant__error_clear();
    assert_int_equal(brant__email_normalize(&out, &arena, BRANT__TEXT("a@b\xC3.de")),
                     BRANT_INVALID);
    assert_string_equal(brant_last_error()->message, "/email: is not UTF-8");
    brant__arena_free(&arena);
}

static void test_want_of_memory(void **state) {
    static const struct {
        normalize_function normalize;
        const char *input;
    } table[] = {
        {brant__email_normalize, "a@b\u00FCcher.example"},
        {brant__slug_normalize, "acme"},
    };
    (void)state;
    for (size_t row = 0; row < BRANT__COUNT(table); row++) {
        brant__arena arena = {NULL};
        brant__text out = BRANT__TEXT("?");
        failing_allocator_start(0);
        brant__error_clear();
        assert_int_equal(table[row].normalize(&out, &arena, brant__text_string(table[row].input)),
                         BRANT_NO_MEMORY);
        assert_null(out.data);
        brant__arena_free(&arena);
        assert_int_equal(failing.alive, 0);
        failing_allocator_stop();
    }
}

static void test_nul(void **state) {
    brant__arena arena = {NULL};
    brant__text out;
    (void)state;
    brant__error_clear();
    assert_int_equal(brant__email_normalize(&out, &arena, BRANT__TEXT("a\0b@a.b")), BRANT_INVALID);
    assert_int_equal(brant__error_code(), BRANT_INVALID);
    assert_int_equal(brant__email_normalize(&out, &arena, BRANT__TEXT("a@a.b\0c")), BRANT_INVALID);
    assert_int_equal(brant__error_code(), BRANT_INVALID);
    assert_int_equal(brant__slug_normalize(&out, &arena, BRANT__TEXT("a\0b")), BRANT_INVALID);
    assert_int_equal(brant__error_code(), BRANT_INVALID);
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

int main(int count, char **arguments) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ascii),
        cmocka_unit_test(test_one_domain),
        cmocka_unit_test(test_labels_refused),
        cmocka_unit_test(test_context),
        cmocka_unit_test(test_direction),
        cmocka_unit_test(test_punycode),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_want_of_memory),
        cmocka_unit_test(test_nul),
        cmocka_unit_test(test_slugs),
    };
    if (count > 1) cmocka_set_test_filter(arguments[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
