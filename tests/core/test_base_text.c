/* Text order, UTF-8, glob patterns, base64. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <time.h>

#include "test_base_allocator.h"

/* ---- order ----------------------------------------------------------------------------------- */

static void text_is_ordered_by_bytes(void **state) {
    static const brant__text sorted[] = {
        {"", 0},    {"\0", 1}, {"\0\0", 2}, {"A", 1},        {"a", 1},
        {"a\0", 2}, {"ab", 2}, {"b", 1},    {"\xC3\xA9", 2}, {"\xFF", 1},
    };

    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(sorted); i++) {
        for (size_t j = 0; j < BRANT__COUNT(sorted); j++) {
            int expected = (i > j) - (i < j);
            assert_int_equal(brant__text_compare(sorted[i], sorted[j]), expected);
            assert_int_equal(brant__text_equal(sorted[i], sorted[j]), expected == 0);
        }
    }
    assert_int_equal(brant__text_compare((brant__text){NULL, 0}, BRANT__TEXT("")), 0);
}

/* ---- UTF-8 ----------------------------------------------------------------------------------- */

/* The encoding of a code point, surrogates and too large ones included. */
static size_t encode(char out[4], uint32_t point) {
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (char)(0xC0 | point >> 6);
        out[1] = (char)(0x80 | (point & 0x3F));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (char)(0xE0 | point >> 12);
        out[1] = (char)(0x80 | (point >> 6 & 0x3F));
        out[2] = (char)(0x80 | (point & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | point >> 18);
    out[1] = (char)(0x80 | (point >> 12 & 0x3F));
    out[2] = (char)(0x80 | (point >> 6 & 0x3F));
    out[3] = (char)(0x80 | (point & 0x3F));
    return 4;
}

static void every_code_point_is_valid_but_surrogates(void **state) {
    (void)state;
    for (uint32_t point = 0; point < 0x110000; point++) {
        char bytes[4];
        size_t length = encode(bytes, point);
        bool surrogate = point >= 0xD800 && point <= 0xDFFF;
        size_t expected = surrogate ? 0 : SIZE_MAX;
        if (brant__utf8_check(bytes, length) != expected) fail_msg("U+%04X", point);
        if (!surrogate && brant__utf8_length(bytes, length) != 1) fail_msg("U+%04X", point);
        /* Cut short it is invalid. */
        for (size_t cut = 1; cut < length; cut++)
            assert_int_equal(brant__utf8_check(bytes, cut), 0);
    }
}

/* All byte strings of up to three bytes, against the definition: valid means that decoding and
 * encoding gives it back. */
static bool valid_by_definition(const unsigned char *bytes, size_t length) {
    size_t i = 0;

    while (i < length) {
        size_t sequence = bytes[i] < 0x80       ? 1
                          : bytes[i] >> 5 == 6  ? 2
                          : bytes[i] >> 4 == 14 ? 3
                                                : 0;
        uint32_t point;
        char again[4];
        if (sequence == 0 || length - i < sequence) return false;
        point = sequence == 1 ? bytes[i] : bytes[i] & (0x7FU >> sequence);
        for (size_t j = 1; j < sequence; j++) {
            if (bytes[i + j] >> 6 != 2) return false;
            point = point << 6 | (bytes[i + j] & 0x3F);
        }
        if (point >= 0xD800 && point <= 0xDFFF) return false;
        if (encode(again, point) != sequence || memcmp(again, bytes + i, sequence) != 0)
            return false;
        i += sequence;
    }
    return true;
}

static void all_short_strings(void **state) {
    (void)state;
    for (size_t length = 1; length <= 3; length++) {
        uint32_t end = UINT32_C(1) << 8 * length;
        /* For three bytes, those that begin with an ASCII letter add nothing. */
        for (uint32_t value = length == 3 ? 0x800000 : 0; value < end; value++) {
            unsigned char bytes[3];
            for (size_t i = 0; i < length; i++)
                bytes[i] = (unsigned char)(value >> 8 * (length - 1 - i));
            if ((brant__utf8_check((char *)bytes, length) == SIZE_MAX) !=
                valid_by_definition(bytes, length)) {
                fail_msg("%06X of length %zu", value, length);
            }
        }
    }
}

static void four_byte_sequences_at_their_bounds(void **state) {
    static const struct {
        const char *text;
        bool valid;
    } cases[] = {
        {"\xF0\x90\x80\x80", true},  {"\xF0\x8F\xBF\xBF", false}, {"\xF4\x8F\xBF\xBF", true},
        {"\xF4\x90\x80\x80", false}, {"\xF5\x80\x80\x80", false}, {"\xF1\x80\x80\x80", true},
        {"\xF1\x7F\x80\x80", false}, {"\xF1\x80\xC0\x80", false}, {"\xF1\x80\x80\x7F", false},
        {"\xF8\x88\x80\x80", false}, {"\xFF\xFF\xFF\xFF", false},
    };

    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(cases); i++) {
        assert_int_equal(brant__utf8_check(cases[i].text, 4), cases[i].valid ? SIZE_MAX : 0);
    }
}

static void the_offset_is_that_of_the_first_bad_byte(void **state) {
    char text[64];

    (void)state;
    for (size_t length = 1; length < sizeof(text); length++) {
        for (size_t at = 0; at < length; at++) {
            memset(text, 'a', length);
            assert_int_equal(brant__utf8_check(text, length), SIZE_MAX);
            text[at] = (char)0x80;
            assert_int_equal(brant__utf8_check(text, length), at);
            text[at] = (char)0xC3; /* a sequence that is not continued */
            assert_int_equal(brant__utf8_check(text, length), at);
            if (at + 1 < length) {
                text[at + 1] = (char)0xA9;
                assert_int_equal(brant__utf8_check(text, length), SIZE_MAX);
                assert_int_equal(brant__utf8_length(text, length), length - 1);
            }
        }
    }
    assert_int_equal(brant__utf8_check("", 0), SIZE_MAX);
    assert_int_equal(brant__utf8_length("", 0), 0);
    assert_int_equal(brant__utf8_length("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x90\xA6", 10), 4);
}

/* ---- glob patterns --------------------------------------------------------------------------- */

static void patterns(void **state) {
    static const struct {
        const char *pattern;
        const char *text;
        bool matches;
    } cases[] = {
        /* literals */
        {"", "", true},
        {"", "a", false},
        {"a", "", false},
        {"a", "a", true},
        {"a", "A", false},
        {"a", "b", false},
        {"ab", "a", false},
        {"a", "ab", false},
        {"nodes:put", "nodes:put", true},
        {"\xC3\xA9", "\xC3\xA9", true},
        {"\xC3\xA9", "e", false},
        /* star */
        {"*", "", true},
        {"*", "anything", true},
        {"**", "", true},
        {"**", "x", true},
        {"nodes:*", "nodes:", true},
        {"nodes:*", "nodes:debian", true},
        {"nodes:*", "node:debian", false},
        {"*:put", "nodes:put", true},
        {"*:put", "nodes:puts", false},
        {"a*b*c", "abc", true},
        {"a*b*c", "aXbYbZc", true},
        {"a*b*c", "aXbYc_", false},
        {"*a*", "bab", true},
        {"*a*", "bbb", false},
        {"*ab", "aab", true},
        {"*aab", "aaab", true},
        {"a*a", "a", false},
        {"a*a", "aa", true},
        {"*\xC3\xA9", "caf\xC3\xA9", true},
        {"*/*", "a/b/c", true},
        /* question mark: one code point */
        {"?", "", false},
        {"?", "a", true},
        {"?", "ab", false},
        {"?", "\xC3\xA9", true},
        {"?", "\xE2\x82\xAC", true},
        {"?", "\xF0\x9F\x90\xA6", true},
        {"??", "\xC3\xA9", false},
        {"a?c",
         "a\xC3\xA9"
         "c",
         true},
        {"*?", "", false},
        {"*?", "\xC3\xA9", true},
        {"*?\xA9", "\xC3\xA9", false}, /* never from within a code point */
        {"?*?", "a", false},
        {"?*?", "ab", true},
        {"*??", "\xC3\xA9", false},
        /* sets */
        {"[abc]", "b", true},
        {"[abc]", "d", false},
        {"[abc]", "", false},
        {"[abc]", "ab", false},
        {"[a-c]", "a", true},
        {"[a-c]", "b", true},
        {"[a-c]", "c", true},
        {"[a-c]", "d", false},
        {"[c-a]", "b", false},
        {"[^a-c]", "d", true},
        {"[^a-c]", "b", false},
        {"[^a]", "", false},
        {"[^a]", "\xC3\xA9", true},
        {"[a^]", "^", true},
        {"[-a]", "-", true},
        {"[a-]", "-", true},
        {"[a-]", "b", false},
        {"[a-c-e]", "-", true},
        {"[a-c-e]", "e", true},
        {"[a-c-e]", "d", false},
        {"[]]", "]", true},
        {"[]a]", "a", true},
        {"[^]]", "]", false},
        {"[^]]", "a", true},
        {"[*]", "*", true},
        {"[*]", "a", false},
        {"[?]", "?", true},
        {"[?]", "a", false},
        {"[[]", "[", true},
        {"[\\]]", "]", true},
        {"[\\]]", "\\", false},
        {"[\\^a]", "^", true},
        {"[a\\-c]", "-", true},
        {"[a\\-c]", "b", false},
        {"[\\a-\\c]", "b", true},
        {"[\xC3\xA0-\xC3\xBF]", "\xC3\xA9", true},
        {"[\xC3\xA0-\xC3\xBF]", "e", false},
        {"[\xC3\xA9]", "\xC3\xA8", false},
        {"[\xF0\x9F\x90\xA0-\xF0\x9F\x90\xAF]", "\xF0\x9F\x90\xA6", true},
        {"v[0-9].[0-9]*", "v1.25", true},
        {"v[0-9].[0-9]*", "v1.x", false},
        {"*[0-9]", "abc7", true},
        {"*[0-9]", "abc", false},
        {"[a]*[b]", "a--b", true},
        /* bad sets match nothing */
        {"[", "[", false},
        {"[", "", false},
        {"[a", "a", false},
        {"[]", "]", false},
        {"[]", "", false},
        {"[^]", "^", false},
        {"[^", "a", false},
        {"[a-", "a", false},
        {"[\\", "\\", false},
        {"[a-\\", "a", false},
        {"*[a", "a", false},
        {"*[a", "", false},
        {"a[", "a", false},
        /* escapes */
        {"\\*", "*", true},
        {"\\*", "a", false},
        {"\\?", "?", true},
        {"\\?", "a", false},
        {"\\[a]", "[a]", true},
        {"\\\\", "\\", true},
        {"\\a", "a", true},
        {"\\\xC3\xA9", "\xC3\xA9", true},
        {"*\\*", "ab*", true},
        {"*\\*", "ab", false},
        {"\\", "\\", false}, /* nothing to escape */
        {"\\", "", false},
        {"a\\", "a", false},
    };

    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(cases); i++) {
        /* At the end of memory of their own (ASan guards it), so that a step too far is seen. */
        size_t pattern_length = strlen(cases[i].pattern), text_length = strlen(cases[i].text);
        char *pattern = malloc(pattern_length + 1), *text = malloc(text_length + 1);
        bool matches;
        assert_non_null(pattern);
        assert_non_null(text);
        memcpy(pattern + 1, cases[i].pattern, pattern_length);
        memcpy(text + 1, cases[i].text, text_length);
        matches = brant__glob_match(brant__text_of(pattern + 1, pattern_length),
                                    brant__text_of(text + 1, text_length));
        if (matches != cases[i].matches) fail_msg("%s against %s", cases[i].pattern, cases[i].text);
        free(pattern);
        free(text);
    }
}

static void a_nul_is_a_byte_like_others(void **state) {
    (void)state;
    assert_true(brant__glob_match(brant__text_of("a\0b", 3), brant__text_of("a\0b", 3)));
    assert_false(brant__glob_match(brant__text_of("a\0b", 3), brant__text_of("a\0c", 3)));
    assert_true(brant__glob_match(BRANT__TEXT("a?b"), brant__text_of("a\0b", 3)));
}

/* The simplest matcher there is, exponential, for patterns of literals, `*` and `?`. */
static bool match_simply(const char *pattern, const char *text) {
    if (*pattern == '\0') return *text == '\0';
    if (*pattern == '*')
        return match_simply(pattern + 1, text) || (*text && match_simply(pattern, text + 1));
    return *text && (*pattern == '?' || *pattern == *text) && match_simply(pattern + 1, text + 1);
}

static void all_small_patterns_agree_with_the_simple_matcher(void **state) {
    static const char pattern_digits[] = "ab*?", text_digits[] = "ab";

    (void)state;
    for (int pattern_length = 0; pattern_length <= 5; pattern_length++) {
        for (int p = 0; p < 1 << 2 * pattern_length; p++) {
            char pattern[8] = "";
            for (int i = 0; i < pattern_length; i++)
                pattern[i] = pattern_digits[p >> 2 * i & 3];
            for (int text_length = 0; text_length <= 6; text_length++) {
                for (int t = 0; t < 1 << text_length; t++) {
                    char text[8] = "";
                    bool matches;
                    for (int i = 0; i < text_length; i++)
                        text[i] = text_digits[t >> i & 1];
                    matches = brant__glob_match(brant__text_of(pattern, (size_t)pattern_length),
                                                brant__text_of(text, (size_t)text_length));
                    if (matches != match_simply(pattern, text))
                        fail_msg("%s against %s", pattern, text);
                }
            }
        }
    }
}

static void many_stars_do_not_explode(void **state) {
    enum { STARS = 100, TEXT = 10000 };
    char pattern[STARS * 2 + 1], *text = malloc(TEXT);
    clock_t start = clock();

    (void)state;
    assert_non_null(text);
    for (int i = 0; i < STARS; i++)
        memcpy(pattern + 2 * i, "*a", 2);
    pattern[STARS * 2] = 'b';
    memset(text, 'a', TEXT);
    assert_false(
        brant__glob_match(brant__text_of(pattern, sizeof(pattern)), brant__text_of(text, TEXT)));
    /* Pattern times text is two million steps; a backtracking matcher would not end in our
     * lifetime. */
    assert_true(clock() - start < 5 * CLOCKS_PER_SEC);
    free(text);
}

/* ---- base64 ---------------------------------------------------------------------------------- */

static void the_vectors_of_the_standard(void **state) {
    /* RFC 4648, section 10. */
    static const char *const vectors[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };

    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(vectors); i++) {
        brant__buffer encoded = {0}, decoded = {0};
        brant__base64_encode(&encoded, vectors[i][0], strlen(vectors[i][0]));
        assert_true(brant__text_equal(brant__text_of(encoded.data, encoded.length),
                                      brant__text_of(vectors[i][1], strlen(vectors[i][1]))));
        assert_true(
            brant__base64_decode(&decoded, brant__text_of(vectors[i][1], strlen(vectors[i][1]))));
        assert_true(brant__text_equal(brant__text_of(decoded.data, decoded.length),
                                      brant__text_of(vectors[i][0], strlen(vectors[i][0]))));
        brant__buffer_free(&encoded);
        brant__buffer_free(&decoded);
    }
}

static void bytes_of_every_length_come_back(void **state) {
    unsigned char bytes[300];

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(i * 167 + 13);
    for (size_t length = 0; length <= sizeof(bytes); length++) {
        brant__buffer encoded = {0}, decoded = {0};
        brant__buffer_append(&encoded, "before", 6);
        brant__buffer_append(&decoded, "before", 6);
        brant__base64_encode(&encoded, bytes, length);
        assert_int_equal(encoded.length, 6 + (length + 2) / 3 * 4);
        assert_true(
            brant__base64_decode(&decoded, brant__text_of(encoded.data + 6, encoded.length - 6)));
        assert_int_equal(decoded.length, 6 + length);
        assert_memory_equal(decoded.data, "before", 6);
        if (length) assert_memory_equal(decoded.data + 6, bytes, length);
        /* One digit that is none, anywhere. */
        for (size_t at = 6; at < encoded.length && encoded.data[at] != '='; at++) {
            static const char none[] = "-_ =\n@[`{\x80\xff";
            const char digit = encoded.data[at];
            if (at + 1 == encoded.length) break; /* padding can be right there */
            encoded.data[at] = none[(length + at) % (sizeof none - 1)];
            assert_false(brant__base64_decode(
                &decoded, brant__text_of(encoded.data + 6, encoded.length - 6)));
            assert_int_equal(decoded.length, 6 + length);
            encoded.data[at] = digit;
        }
        brant__buffer_free(&encoded);
        brant__buffer_free(&decoded);
    }
}

static void only_the_alphabet_is_decoded(void **state) {
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    (void)state;
    for (int c = 0; c < 256; c++) {
        const char *digit = c ? strchr(alphabet, c) : NULL;
        for (size_t at = 0; at < 4; at++) {
            brant__buffer out = {0};
            char text[4] = {'A', 'A', 'A', 'A'};
            text[at] = (char)c;
            /* "AAA=" is a text of its own. */
            if (c == '=' && at == 3) continue;
            assert_int_equal(brant__base64_decode(&out, brant__text_of(text, 4)), digit != NULL);
            if (digit) {
                uint32_t word = (uint32_t)(digit - alphabet) << 6 * (3 - at);
                assert_int_equal(out.length, 3);
                assert_int_equal((uint8_t)out.data[0], word >> 16);
                assert_int_equal((uint8_t)out.data[1], word >> 8 & 255);
                assert_int_equal((uint8_t)out.data[2], word & 255);
            } else {
                assert_int_equal(out.length, 0);
            }
            brant__buffer_free(&out);
        }
    }
}

static void only_canonical_text_is_decoded(void **state) {
    static const char *const texts[] = {
        "Z",     "Zg",       "Zg=",          "Zm9",  "Zm9vY",    "=",    "==",   "====",
        "A===",  "Zg==Zg==", "Zm8=Zm9v",     "Z=g=", "=Zg=",     "Zh==", "Zm9=", "Zg==\n",
        " Zg==", "Zm 9v",    "Zm9v\n\n\n\n", "Zm-_", "Zg==AAAA", "=AAA", "AA=A", "A=AA",
    };

    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(texts); i++) {
        brant__buffer out = {0};
        brant__buffer_append(&out, "kept", 4);
        if (brant__base64_decode(&out, brant__text_of(texts[i], strlen(texts[i]))))
            fail_msg("%s", texts[i]);
        assert_int_equal(out.length, 4);
        assert_memory_equal(out.data, "kept", 4);
        brant__buffer_free(&out);
    }
}

static void base64_without_memory(void **state) {
    brant__buffer out = {0};

    (void)state;
    failing_allocator_start(0);
    brant__base64_encode(&out, "foobar", 6);
    assert_true(out.failed);
    brant__buffer_reset(&out);
    assert_false(brant__base64_decode(&out, BRANT__TEXT("Zm9v")));
    assert_true(out.failed);
    failing_allocator_stop();
}

/* ---- base64url -------------------------------------------------------------------------------- */

static const char url_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void url_is_base64_with_two_other_digits_and_no_padding(void **state) {
    unsigned char bytes[300], read[300];

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(i * 167 + 13);
    for (size_t length = 0; length <= sizeof(bytes); length++) {
        brant__buffer plain = {0}, encoded = {0}, decoded = {0};
        brant__base64_encode(&plain, bytes, length);
        while (plain.length && plain.data[plain.length - 1] == '=')
            plain.length--;
        for (size_t i = 0; i < plain.length; i++) {
            if (plain.data[i] == '+') plain.data[i] = '-';
            if (plain.data[i] == '/') plain.data[i] = '_';
        }
        brant__base64url_encode(&encoded, bytes, length);
        assert_int_equal(encoded.length, plain.length);
        if (encoded.length) assert_memory_equal(encoded.data, plain.data, plain.length);
        brant__buffer_append(&decoded, "before", 6);
        assert_true(
            brant__base64url_decode(&decoded, brant__text_of(encoded.data, encoded.length)));
        assert_int_equal(decoded.length, 6 + length);
        assert_memory_equal(decoded.data, "before", 6);
        if (length) assert_memory_equal(decoded.data + 6, bytes, length);
        for (size_t size = length ? length - 1 : 0; size <= length + 1 && size <= 300; size++) {
            const brant__text text = brant__text_of(encoded.data, encoded.length);
            assert_int_equal(brant__base64url_read(read, size, text), size == length);
            if (size == length && length) assert_memory_equal(read, bytes, length);
        }
        brant__buffer_free(&plain);
        brant__buffer_free(&encoded);
        brant__buffer_free(&decoded);
    }
}

/* All texts of up to three bytes, and of four in which one is any. */
static void only_canonical_url_text_is_decoded(void **state) {
    brant__buffer out = {0};
    char text[4];

    (void)state;
    for (int length = 1; length <= 4; length++) {
        for (int a = 0; a < 256; a++) {
            for (int at = 0; at < length; at++) {
                const char *digit = a ? strchr(url_alphabet, a) : NULL;
                const int spare = length == 2 ? 15 : length == 3 ? 3 : 0;
                bool wanted = digit != NULL && length != 1;
                memset(text, 'A', sizeof(text));
                text[at] = (char)a;
                /* Only the last digit has bits that no byte has. */
                if (digit && at == length - 1 && ((digit - url_alphabet) & spare)) wanted = false;
                brant__buffer_reset(&out);
                assert_int_equal(
                    brant__base64url_decode(&out, brant__text_of(text, (size_t)length)), wanted);
                assert_int_equal(out.length, wanted ? length * 3 / 4 : 0);
                if (wanted)
                    assert_int_equal(brant__base64url_read(text, (size_t)length * 3 / 4,
                                                           brant__text_of(text, (size_t)length)),
                                     true);
            }
        }
    }
    assert_false(brant__base64url_decode(&out, BRANT__TEXT("Zg==")));
    assert_false(brant__base64url_decode(&out, BRANT__TEXT("Zm9=")));
    assert_true(brant__base64url_decode(&out, BRANT__TEXT("")));
    assert_false(brant__base64url_read(text, 0, BRANT__TEXT("A")));
    assert_true(brant__base64url_read(text, 0, BRANT__TEXT("")));
    brant__buffer_free(&out);
    failing_allocator_start(0);
    brant__base64url_encode(&out, "foobar", 6);
    assert_true(out.failed);
    brant__buffer_reset(&out);
    assert_false(brant__base64url_decode(&out, BRANT__TEXT("Zm9v")));
    assert_true(out.failed);
    failing_allocator_stop();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_ordered_by_bytes),
        cmocka_unit_test(every_code_point_is_valid_but_surrogates),
        cmocka_unit_test(all_short_strings),
        cmocka_unit_test(four_byte_sequences_at_their_bounds),
        cmocka_unit_test(the_offset_is_that_of_the_first_bad_byte),
        cmocka_unit_test(patterns),
        cmocka_unit_test(a_nul_is_a_byte_like_others),
        cmocka_unit_test(all_small_patterns_agree_with_the_simple_matcher),
        cmocka_unit_test(many_stars_do_not_explode),
        cmocka_unit_test(the_vectors_of_the_standard),
        cmocka_unit_test(bytes_of_every_length_come_back),
        cmocka_unit_test(only_the_alphabet_is_decoded),
        cmocka_unit_test(only_canonical_text_is_decoded),
        cmocka_unit_test(base64_without_memory),
        cmocka_unit_test(url_is_base64_with_two_other_digits_and_no_padding),
        cmocka_unit_test(only_canonical_url_text_is_decoded),
    };

    return cmocka_run_group_tests_name("base/text", tests, NULL, NULL);
}
