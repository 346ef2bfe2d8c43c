/*
 * schema/keyword.c: the vocabulary: what is a keyword, what only annotates, what is refused.
 *
 * A name that nobody knows is an annotation, as the standard says, with two exceptions that fail closed: a name that is nearly an assertion's (a
 * misspelt "minLenght" would silently accept everything), and an assertion of another dialect.
 */
#include "schema/program.h"

#define KEYWORD(name, text, shape) {{(text), sizeof(text) - 1}, (shape)},
const brant__keyword brant__keywords[BRANT__KEYWORD_COUNT] = {BRANT__KEYWORD_LIST(KEYWORD)};
#undef KEYWORD

static const char *const annotations[] = {
    "$comment",         "$schema",
    "$vocabulary",      "contentEncoding",
    "contentMediaType", "contentSchema",
    "default",          "deprecated",
    "description",      "discriminator",
    "example",          "examples",
    "externalDocs",     "id",
    "readOnly",         "title",
    "writeOnly",        "xml",
};

/* Assertions of other drafts and of well-known extensions: ignoring them would accept what they are there to refuse. */
static const char *const refused[] = {
    "$recursiveAnchor",
    "$recursiveRef",
    "disallow",
    "divisibleBy",
    "exclusiveMaximumTimestamp",
    "exclusiveMinimumTimestamp",
    "extends",
    "formatExclusiveMaximum",
    "formatExclusiveMinimum",
    "formatMaximum",
    "formatMinimum",
    "instanceOf",
    "maxByteLength",
    "maximumTimestamp",
    "minByteLength",
    "minimumTimestamp",
    "multipleOfTimestamp",
    "patternRequired",
    "propertyDependencies",
    "typeof",
    "uniqueItemProperties",
};

static bool among(brant__text name, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (strlen(names[i]) == name.length && memcmp(names[i], name.data, name.length) == 0)
            return true;
    }
    return false;
}

int brant__keyword_find(brant__text name) {
    for (int i = 0; i < BRANT__KEYWORD_COUNT; i++) {
        if (brant__text_equal(brant__keywords[i].name, name)) return i;
    }
    if (among(name, annotations, BRANT__COUNT(annotations))) return BRANT__KEYWORD_ANNOTATION;
    if (among(name, refused, BRANT__COUNT(refused))) return BRANT__KEYWORD_REFUSED;
    return BRANT__KEYWORD_UNKNOWN;
}

/* ---- misspellings --------------------------------------------------------------------------------------------------------- */

enum { LONGEST = 24 };

static unsigned least(unsigned a, unsigned b) {
    return a < b ? a : b;
}

/* Insertions, deletions, replacements and swaps of neighbours that make `a` from `b`; both at most LONGEST long. */
static unsigned distance(brant__text a, brant__text b) {
    unsigned rows[3][LONGEST + 1];
    for (unsigned j = 0; j <= b.length; j++)
        rows[0][j] = j;
    for (unsigned i = 1; i <= a.length; i++) {
        unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        row[0] = i;
        for (unsigned j = 1; j <= b.length; j++) {
            const bool same = a.data[i - 1] == b.data[j - 1];
            row[j] = least(least(above[j] + 1, row[j - 1] + 1), above[j - 1] + !same);
            const bool swapped =
                i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2] && a.data[i - 2] == b.data[j - 1];
            if (swapped) row[j] = least(row[j], before[j - 2] + 1);
        }
    }
    return rows[a.length % 3][b.length];
}

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* The same letters, whatever their case and with "_" or "-" between them. */
static bool same_letters(brant__text a, brant__text b) {
    size_t i = 0, j = 0;
    for (;; i++, j++) {
        while (i < a.length && (a.data[i] == '_' || a.data[i] == '-'))
            i++;
        if (i == a.length || j == b.length) return i == a.length && j == b.length;
        if (lower(a.data[i]) != lower(b.data[j])) return false;
    }
}

int brant__keyword_near(brant__text name) {
    if (name.length == 0 || name.length > LONGEST) return -1;
    for (int i = 0; i < BRANT__KEYWORD_COUNT; i++) {
        const brant__text keyword = brant__keywords[i].name;
        /* A misspelt x-encrypted would store what is secret as it is. */
        const bool encrypts = i == BRANT__KEYWORD_ENCRYPTED && lower(name.data[0]) == 'x';
        const bool asserts =
            i <= BRANT__KEYWORD_UNEVALUATED_ITEMS || i == BRANT__KEYWORD_NULLABLE || encrypts;
        if (!asserts) continue;
        if (same_letters(name, keyword)) return i;
        /* Short names have neighbours that mean something else: "const" and "cost". */
        const unsigned bound = keyword.length >= 15  ? 3
                               : keyword.length >= 9 ? 2
                               : keyword.length >= 6 ? 1
                                                     : 0;
        if (bound > 0 && distance(name, keyword) <= bound) return i;
    }
    return -1;
}
