/*
 * Regular expressions: what ECMA-262 means by them, what is refused, and what happens at the limits.
 */
#include <time.h>

#include "schema/program.h"
#include "test_schema.h"

typedef struct match {
    const char *pattern;
    const char *text;
    int result;
} match;

static const match matches[] = {
    {"abc", "xabcx", 1},
    {"^abc$", "abc", 1},
    {"^abc$", "abc\n", 0},
    {"^abc", "xabc", 0},
    {"", "", 1},
    {"a|b", "b", 1},
    {"^(?:a|b)+$", "abba", 1},
    {"^a{2,3}$", "aa", 1},
    {"^a{2,3}$", "aaaa", 0},
    {"^a{2}$", "aa", 1},
    {"^a{2,}?$", "aaaa", 1},
    {"^a{,2}$", "a{,2}", 1}, /* no quantifier in ECMA-262 */
    {"^{}$", "{}", 1},
    {"^a{$", "a{", 1},
    {"^x{a}$", "x{a}", 1},
    {"^]$", "]", 1},
    {"^\\d$", "7", 1},
    {"^\\d$", "\xd9\xa3", 0}, /* ARABIC-INDIC DIGIT THREE */
    {"^\\D$", "\xd9\xa3", 1},
    {"^\\w$", "\xc3\xa9", 0},
    {"^\\W$", "\xc3\xa9", 1},
    {"^\\s$", "\xc2\xa0", 1},     /* NO-BREAK SPACE */
    {"^\\s$", "\xef\xbb\xbf", 1}, /* ZERO WIDTH NO-BREAK SPACE */
    {"^\\S$", "\xc2\xa0", 0},
    {"^\\S$", "\xe2\x80\x8b", 1},
    {"^[\\s]$", "\xe3\x80\x80", 1},
    {"^[^\\s]$", "\xe3\x80\x80", 0},
    {"^[\\S]$", "\xe3\x80\x80", 0},
    {"^[\\S]$", "\xf0\x9f\x92\xa9", 1},
    {"^[^\\S]$", " ", 1},
    {"^[\\d\\-x]$", "-", 1},
    {"^[\\d-x]$", "-", 1},
    {"^[a-\\d]$", "-", 1},
    {"^[\\w.-]+$", "a.b-c_d", 1},
    {"^[a-]$", "-", 1},
    {"^[-a]$", "-", 1},
    {"^[]$", "a", 0},
    {"^[^]$", "\n", 1},
    {"^[[:alpha:]]$", ":]", 1}, /* a class of [ : a l p h, then ] */
    {"^[[:alpha:]]$", "b", 0},
    {"^[\\b]$", "\b", 1},
    {"\\bcat\\b", "a cat b", 1},
    {"\\Bcat", "cat", 0},
    {"^.$", "\xf0\x9f\x92\xa9", 1}, /* one character, whatever its length */
    {"^.$", "\n", 0},
    {"^.$", "\r", 0},
    {"^.$", "\xe2\x80\xa8", 0}, /* LINE SEPARATOR */
    {"^\\t\\n\\v\\f\\r$", "\t\n\v\f\r", 1},
    {"^\\cA\\cj$", "\x01\n", 1},
    {"^\\x41\\u0042\\u{43}\\u{1f4a9}$", "ABC\xf0\x9f\x92\xa9", 1},
    {"^\\ud83d\\udca9+$", "\xf0\x9f\x92\xa9\xf0\x9f\x92\xa9", 1},
    {"^[\\ud83d\\udca8-\\ud83d\\udcaa]$", "\xf0\x9f\x92\xa9", 1},
    {"^\xf0\x9f\x90\xb2*$", "\xf0\x9f\x90\xb2\xf0\x9f\x90\xb2", 1},
    {"^[\xc3\xa4-\xc3\xbc]$", "\xc3\xb6", 1},
    {"^\\p{L}+$", "a\xc3\xa4\xce\xb2", 1},
    {"^\\p{Letter}+$", "a\xc3\xa4\xce\xb2", 1},
    {"^\\p{Lu}$", "a", 0},
    {"^\\P{Lu}$", "a", 1},
    {"^\\p{Script=Greek}+$", "\xce\xb1\xce\xb2", 1},
    {"^\\p{sc=Latin}$", "\xce\xb1", 0},
    {"^\\p{gc=Uppercase_Letter}$", "A", 1},
    {"^\\p{digit}$", "\xd9\xa3", 1},
    {"^\\p{Assigned}$", "a", 1},
    {"^\\p{ASCII}$", "\xc3\xa4", 0},
    {"^\\p{Emoji}$", "\xf0\x9f\x92\xa9", 1},
    {"^[\\p{L}\\d]+$",
     "\xc3\xa4"
     "1",
     1},
    {"^(a)\\1$", "aa", 1},
    {"^(a)\\1$", "ab", 0},
    {"^(?:(a)|b)\\1c$", "bc", 1}, /* a group that took no part matches the empty text */
    {"^(?<n>a)\\k<n>$", "aa", 1},
    {"^(?=a)a$", "a", 1},
    {"^(?!a).$", "a", 0},
    {"(?<=a)b", "ab", 1},
    {"(?<!a)b", "ab", 0},
    {"^(?i:A)b$", "ab", 1},
    {"^\\-\\_\\@\\/\\.\\\\$", "-_@/.\\", 1},
    {"^\\^\\$\\*\\+\\?\\(\\)\\[\\]\\{\\}\\|$", "^$*+?()[]{}|", 1},
    {"^\\0$", "\0", 0}, /* the text ends there */
    {"#x", "a#x", 1},
    {"^a b$", "a b", 1},
    {"^(?:[A-Za-z0-9_'+\\-]+\\.)*[A-Za-z0-9_'+\\-]*[A-Za-z0-9_+-]@(?:[A-Za-z0-9][A-Za-z0-9\\-]*\\.)"
     "+[A-Za-z]{2,}$",
     "joe.doe@example.com", 1},
};

static void expressions_mean_what_ecma_262_says(void **state) {
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < BRANT__COUNT(matches); i++) {
        brant__pattern *pattern = NULL;
        brant__buffer message = {0};
        const brant__text source = brant__text_of(matches[i].pattern, strlen(matches[i].pattern));
        if (brant__pattern_compile(&pattern, source, &message) != BRANT_OK) {
            print_error("%s: %.*s\n", matches[i].pattern, (int)message.length, message.data);
            wrong++;
        } else if (brant__pattern_match(pattern, matches[i].text, strlen(matches[i].text)) !=
                   matches[i].result) {
            print_error("%s should %s %s\n", matches[i].pattern,
                        matches[i].result ? "match" : "not match", matches[i].text);
            wrong++;
        } else {
            assert_true(brant__text_equal(brant__pattern_source(pattern), source));
        }
        brant__buffer_free(&message);
        brant__pattern_free(pattern);
    }
    assert_int_equal(wrong, 0);
}

static const char *const refused[] = {
    "(",          ")",      "a)",          "[a",      "[b-a]",     "*",
    "+a",         "?",      "a**",         "a++",     "a{1}{2}",   "{1}",
    "^*",         "a|*",    "(*)",         "(*UTF)a", "\\",        "\\a",
    "\\A",        "\\Z",    "\\z",         "\\h",     "\\R",       "\\X",
    "\\Q",        "\\E",    "\\G",         "\\K",     "\\e",       "\\N",
    "\\C",        "\\1",    "(a)\\2",      "\\01",    "\\x4",      "\\xg0",
    "\\u12",      "\\u{}",  "\\u{110000}", "\\ud83d", "\\udca9",   "\\ud83d\\u0041",
    "\\c1",       "\\p",    "\\p{",        "\\p{}",   "\\pL",      "\\p{No_Such_Property}",
    "(?P<n>a)",   "(?P=n)", "(?#c)",       "(?>a)",   "(?|a)",     "(?(1)a)",
    "(?R)",       "(?x:a)", "(?i)a",       "(?<1>a)", "(?<n",      "\\k<n>",
    "\\k",        "a{3,2}", "[\\a]",       "[\\1]",   "[\\ud83d]", "(?<n>a)(?<n>b)",
    "\\\xc3\xa4",
};

static void others_are_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(refused); i++) {
        brant__pattern *pattern = NULL;
        brant__buffer message = {0};
        const brant_status status = brant__pattern_compile(
            &pattern, brant__text_of(refused[i], strlen(refused[i])), &message);
        if (status != BRANT_VALIDATION) fail_msg("%s is accepted", refused[i]);
        assert_null(pattern);
        assert_true(message.length > 10);
        brant__buffer_free(&message);
    }
}

/* The regex format looks at the syntax alone, so it knows more than `pattern` can do. */
static void the_format_is_the_syntax(void **state) {
    (void)state;
    assert_true(brant__regex_translate(NULL, BRANT__TEXT("(?<=a+)b"), NULL));
    brant__pattern *pattern = NULL;
    brant__buffer message = {0};
    assert_int_equal(brant__pattern_compile(&pattern, BRANT__TEXT("(?<=a+)b"), &message),
                     BRANT_VALIDATION);
    brant__buffer_free(&message);
}

static const struct {
    const char *pattern;
    const char *unit;
    size_t count;
} hostile[] = {
    {"^(a+)+$", "a", 5000},
    {"^(a|a)*$", "a", 5000},
    {"^(a|aa)+$", "a", 5000},
    {"(.*)*x", "a", 5000},
    {"^(([a-z])+.)+[A-Z]([a-z])+$", "a", 5000},
    {"^(?:a?){40}a{40}$", "a", 39},
};

/* A match that backtracks for ever gives up, soon, and counts as neither. */
static void hostile_matches_give_up(void **state) {
    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(hostile); i++) {
        brant__pattern *pattern = NULL;
        brant__buffer message = {0}, text = {0};
        const brant__text source = brant__text_of(hostile[i].pattern, strlen(hostile[i].pattern));
        assert_int_equal(brant__pattern_compile(&pattern, source, &message), BRANT_OK);
        for (size_t n = 0; n < hostile[i].count; n++)
            brant__buffer_append(&text, hostile[i].unit, strlen(hostile[i].unit));
        brant__buffer_append_byte(&text, '!');
        const clock_t before = clock();
        const int result = brant__pattern_match(pattern, text.data, text.length);
        const double seconds = (double)(clock() - before) / CLOCKS_PER_SEC;
        if (result == 1) fail_msg("%s matches", hostile[i].pattern);
        if (seconds > 2) fail_msg("%s took %.1f s", hostile[i].pattern, seconds);
        brant__buffer_free(&text);
        brant__pattern_free(pattern);
    }
}

static char *violations_of_text(const char *schema_text, const char *text, size_t length,
                                size_t *out_count) {
    brant__schema *schema = compiled(schema_text);
    brant__buffer json = {0};
    brant__json_append_text(&json, brant__text_of(text, length));
    brant__buffer_append_byte(&json, '\0');
    brant__json value = parsed(json.data);
    char *found = violations(schema, value.root, "", out_count);
    assert_int_equal(brant__schema_accepts(schema, value.root), *out_count == 0);
    brant__json_free(&value);
    brant__buffer_free(&json);
    brant__schema_free(schema);
    return found;
}

/* Giving up rejects, also where a plain "no" would accept. */
static void giving_up_rejects(void **state) {
    (void)state;
    static const char *const schemas[] = {
        "{\"pattern\":\"^(a+)+$\"}",
        "{\"not\":{\"pattern\":\"^(a+)+$\"}}",
        "{\"anyOf\":[{\"pattern\":\"^(a+)+$\"},true]}",
        "{\"if\":{\"pattern\":\"^(a+)+$\"},\"else\":true}",
    };
    char text[3001];
    memset(text, 'a', sizeof(text));
    text[3000] = '!';
    for (size_t i = 0; i < BRANT__COUNT(schemas); i++) {
        size_t count;
        char *found = violations_of_text(schemas[i], text, sizeof(text), &count);
        assert_true(count > 0);
        if (!strstr(found, "a pattern takes too many steps")) fail_msg("%s: %s", schemas[i], found);
        brant_free(found);
    }
}

/* Long texts are no reason to give up. */
static void long_texts_match(void **state) {
    (void)state;
    const size_t length = 2000000;
    char *text = malloc(length);
    assert_non_null(text);
    memset(text, 'a', length);
    static const char *const patterns[] = {"^a+$", "^[a-z]*$", "a$", "^(?:aa)+$", "^a(?:a|b)*a$"};
    for (size_t i = 0; i < BRANT__COUNT(patterns); i++) {
        brant__pattern *pattern = NULL;
        brant__buffer message = {0};
        assert_int_equal(brant__pattern_compile(
                             &pattern, brant__text_of(patterns[i], strlen(patterns[i])), &message),
                         BRANT_OK);
        const int result = brant__pattern_match(pattern, text, i >= 3 ? 50000 : length);
        if (result != 1) fail_msg("%s: %d", patterns[i], result);
        brant__pattern_free(pattern);
    }
    free(text);
}

static brant__pattern *pattern_of(const char *source) {
    brant__pattern *pattern = NULL;
    brant__buffer message = {0};
    const brant_status status =
        brant__pattern_compile(&pattern, brant__text_of(source, strlen(source)), &message);
    brant__buffer_free(&message);
    assert_true(status == BRANT_OK || status == BRANT_VALIDATION);
    return pattern;
}

static void which_patterns_are_simple(void **state) {
    (void)state;
    static const char *const simple[] = {
        "^[a-z0-9_-]+$",
        "^abc$",
        "^abc",
        "abc$",
        "abc",
        "",
        "^",
        "$",
        "^$",
        "^.*$",
        "^(.*)$",
        "^[A-Z][a-z]*$",
        "^\\d{4}-\\d{2}$",
        "^x?y",
        "^\\w+@",
        "^\\.[\\]\\-/]{2,}",
        "^a\\$$",
        "\xc3\xa9$",
        "^[0-9a-f]{8}-[0-9a-f]{4}$",
    };
    static const char *const others[] = {
        "^(a|b)$", "a|b",   "^a*a$",          "^[^a]$",   "[a-z]",       "^.$",
        "^a+?$",   "\\bx",  "^\\s+$",         "^[a-z]*b", "^\xc3\xa9*$", "^[\xc3\xa9]$",
        "^a?b?a$", "^\\D$", "^[\\da-z]*\\w$", "x\\d",     "^a^b",
    };
    for (size_t i = 0; i < BRANT__COUNT(simple); i++) {
        brant__pattern *pattern = pattern_of(simple[i]);
        if (!pattern || !brant__pattern_simple(pattern)) fail_msg("%s is not simple", simple[i]);
        brant__pattern_free(pattern);
    }
    for (size_t i = 0; i < BRANT__COUNT(others); i++) {
        brant__pattern *pattern = pattern_of(others[i]);
        if (!pattern || brant__pattern_simple(pattern)) fail_msg("%s is simple", others[i]);
        brant__pattern_free(pattern);
    }
}

static uint64_t random_state = 88172645463325252u;
static size_t below(size_t count) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (size_t)(random_state % count);
}

/* Both ways of matching agree, on expressions and texts made of the same few parts. */
static void direct_matches_are_those_of_pcre2(void **state) {
    (void)state;
    static const char *const parts[] = {"a",        "b",    "ab", "[ab]",  "[a-c]", "[\\w-]",
                                        "\\d",      "\\w",  "-",  "1",     "[0-9]", "\\.",
                                        "\xc3\xa9", "[^a]", ".",  "(a|b)", "\\$",   "[.$]"};
    static const char *const quantifiers[] = {"",  "",    "",      "*",    "+",
                                              "?", "{2}", "{1,2}", "{2,}", "{0}"};
    static const char *const texts[] = {"a",
                                        "b",
                                        "c",
                                        "ab",
                                        "1",
                                        "_",
                                        "-",
                                        ".",
                                        "$",
                                        "\n",
                                        "\xc3\xa9",
                                        "\xe2\x80\xa8",
                                        "\xe2\x80\xa7",
                                        "\r"};
    size_t simple = 0;
    for (int round = 0; round < 4000; round++) {
        char source[128] = "";
        if (below(4)) strcat(source, "^");
        for (size_t i = below(5); i > 0; i--) {
            strncat(source, parts[below(BRANT__COUNT(parts))], 16);
            strncat(source, quantifiers[below(BRANT__COUNT(quantifiers))], 16);
        }
        if (round % 100 == 0) snprintf(source, sizeof(source), "^(.*)");
        if (below(3)) strncat(source, "$", 2);
        brant__pattern *pattern = pattern_of(source);
        if (!pattern || !brant__pattern_simple(pattern)) {
            brant__pattern_free(pattern);
            continue;
        }
        simple++;
        for (int i = 0; i < 60; i++) {
            char text[64] = "";
            for (size_t n = below(7); n > 0; n--)
                strncat(text, texts[below(BRANT__COUNT(texts))], 8);
            const int direct = brant__pattern_match(pattern, text, strlen(text));
            const int searched = brant__pattern_search(pattern, text, strlen(text));
            if (direct != searched)
                fail_msg("%s on \"%s\": %d, not %d", source, text, direct, searched);
        }
        brant__pattern_free(pattern);
    }
    assert_true(simple > 500);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expressions_mean_what_ecma_262_says),
        cmocka_unit_test(others_are_refused),
        cmocka_unit_test(the_format_is_the_syntax),
        cmocka_unit_test(hostile_matches_give_up),
        cmocka_unit_test(giving_up_rejects),
        cmocka_unit_test(long_texts_match),
        cmocka_unit_test(which_patterns_are_simple),
        cmocka_unit_test(direct_matches_are_those_of_pcre2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
