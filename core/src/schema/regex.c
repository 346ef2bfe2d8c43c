/*
 * schema/regex.c: regular expressions as ECMA-262 has them with its "u" flag, checked and written for PCRE2.
 *
 * What the two read differently is written out: "." and \s (classes), \v, \cX, \u escapes and surrogate pairs, property names, a literal "{". What
 * only PCRE2 has is refused: \A, \Z, \a, possessive and atomic groups, comments, recursion, (?P<..>). Of ECMA-262's annex B the escapes of
 * punctuation ("\-", "\_", "\@") and lone brackets and braces are accepted, because people write them.
 */
#include "schema/program.h"

/* White space and line ends, and what is neither, as the inside of a class. */
#define SPACE                                                                                      \
    "\\t-\\r "                                                                                     \
    "\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}"
#define NO_SPACE                                                                                   \
    "\\x{0}-\\x{8}\\x{e}-\\x{1f}!-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}"  \
    "\\x{202a}-\\x{202e}"                                                                          \
    "\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{d7ff}\\x{e000}-\\x{fefe}\\x{ff00}-\\x{"   \
    "10ffff}"
#define NO_LINE_END "[^\\n\\r\\x{2028}\\x{2029}]"

typedef struct translation {
    const char *data;
    size_t length;
    size_t at;
    brant__buffer *out; /* NULL: check only */
    const char *why;
    unsigned groups;    /* that capture */
    unsigned reference; /* the highest number referred to */
    unsigned depth;
} translation;

static bool refuse(translation *self, const char *why) {
    if (!self->why) self->why = why;
    return false;
}

static void put(translation *self, const char *text) {
    if (self->out) brant__buffer_append(self->out, text, strlen(text));
}

static void put_bytes(translation *self, const char *data, size_t length) {
    if (self->out) brant__buffer_append(self->out, data, length);
}

static void put_code(translation *self, uint32_t code) {
    if (self->out) brant__buffer_format(self->out, "\\x{%x}", (unsigned)code);
}

static char peek(const translation *self, size_t ahead) {
    return self->length - self->at > ahead ? self->data[self->at + ahead] : '\0';
}

/* Take `text` if it comes next. */
static bool take(translation *self, const char *text) {
    const size_t length = strlen(text);
    if (self->length - self->at < length || memcmp(self->data + self->at, text, length) != 0)
        return false;
    self->at += length;
    return true;
}

static bool digit(char c) {
    return c >= '0' && c <= '9';
}
static bool letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int hexadecimal(char c) {
    if (digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* `count` hexadecimal digits. */
static bool read_hexadecimal(translation *self, int count, uint32_t *out_code) {
    uint32_t code = 0;
    for (int i = 0; i < count; i++) {
        const int value = hexadecimal(peek(self, 0));
        if (value < 0) return refuse(self, "\\x and \\u must be followed by hexadecimal digits");
        code = code << 4 | (uint32_t)value;
        self->at++;
    }
    *out_code = code;
    return true;
}

/* What follows \u; two escapes that are a surrogate pair are one character. */
static bool read_unicode(translation *self, uint32_t *out_code) {
    uint32_t code = 0;
    if (take(self, "{")) {
        if (peek(self, 0) == '}') return refuse(self, "\\u{} must hold hexadecimal digits");
        while (!take(self, "}")) {
            uint32_t one;
            if (!read_hexadecimal(self, 1, &one)) return false;
            code = code << 4 | one;
            if (code > 0x10FFFF) return refuse(self, "\\u{} must not be above 10FFFF");
        }
    } else if (!read_hexadecimal(self, 4, &code)) {
        return false;
    }
    if (code >= 0xD800 && code <= 0xDBFF && take(self, "\\u")) {
        uint32_t low;
        if (!read_hexadecimal(self, 4, &low)) return false;
        if (low < 0xDC00 || low > 0xDFFF) return refuse(self, "a lone surrogate matches nothing");
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    if (code >= 0xD800 && code <= 0xDFFF) return refuse(self, "a lone surrogate matches nothing");
    *out_code = code;
    return true;
}

/* ---- properties ----------------------------------------------------------------------------------------------------------- */

/* General categories by their long names; PCRE2 knows the short ones only. */
static const char *const categories[][2] = {
    {"Cased_Letter", "L&"},
    {"LC", "L&"},
    {"Close_Punctuation", "Pe"},
    {"Combining_Mark", "M"},
    {"Connector_Punctuation", "Pc"},
    {"Control", "Cc"},
    {"Currency_Symbol", "Sc"},
    {"Dash_Punctuation", "Pd"},
    {"Decimal_Number", "Nd"},
    {"Enclosing_Mark", "Me"},
    {"Final_Punctuation", "Pf"},
    {"Format", "Cf"},
    {"Initial_Punctuation", "Pi"},
    {"Letter", "L"},
    {"Letter_Number", "Nl"},
    {"Line_Separator", "Zl"},
    {"Lowercase_Letter", "Ll"},
    {"Mark", "M"},
    {"Math_Symbol", "Sm"},
    {"Modifier_Letter", "Lm"},
    {"Modifier_Symbol", "Sk"},
    {"Nonspacing_Mark", "Mn"},
    {"Number", "N"},
    {"Open_Punctuation", "Ps"},
    {"Other", "C"},
    {"Other_Letter", "Lo"},
    {"Other_Number", "No"},
    {"Other_Punctuation", "Po"},
    {"Other_Symbol", "So"},
    {"Paragraph_Separator", "Zp"},
    {"Private_Use", "Co"},
    {"Punctuation", "P"},
    {"Separator", "Z"},
    {"Space_Separator", "Zs"},
    {"Spacing_Mark", "Mc"},
    {"Surrogate", "Cs"},
    {"Symbol", "S"},
    {"Titlecase_Letter", "Lt"},
    {"Unassigned", "Cn"},
    {"Uppercase_Letter", "Lu"},
    {"cntrl", "Cc"},
    {"digit", "Nd"},
    {"punct", "P"},
};

static bool strip(brant__text *text, const char *prefix) {
    const size_t length = strlen(prefix);
    if (text->length <= length || memcmp(text->data, prefix, length) != 0) return false;
    *text = brant__text_of(text->data + length, text->length - length);
    return true;
}

/* "{...}" after \p or \P. */
static bool property(translation *self, bool negated) {
    if (!take(self, "{")) return refuse(self, "\\p must be followed by {Property}");
    const size_t from = self->at;
    while (letter(peek(self, 0)) || digit(peek(self, 0)) || peek(self, 0) == '_' ||
           peek(self, 0) == '=')
        self->at++;
    brant__text name = brant__text_of(self->data + from, self->at - from);
    if (name.length == 0 || name.length > 100 || !take(self, "}"))
        return refuse(self, "\\p must be followed by {Property}");
    const bool category = strip(&name, "General_Category=") || strip(&name, "gc=");
    const char *before = "";
    if (!category && (strip(&name, "Script=") || strip(&name, "sc=")))
        before = "sc:";
    else if (!category && (strip(&name, "Script_Extensions=") || strip(&name, "scx=")))
        before = "scx:";
    if (brant__text_equal(name, BRANT__TEXT("Assigned"))) {
        put(self, negated ? "\\p{Cn}" : "\\P{Cn}");
        return true;
    }
    put(self, negated ? "\\P{" : "\\p{");
    put(self, before);
    bool written = false;
    for (size_t i = 0; i < BRANT__COUNT(categories) && !*before && !written; i++) {
        written = brant__text_equal(name, brant__text_string(categories[i][0]));
        if (written) put(self, categories[i][1]);
    }
    if (!written) put_bytes(self, name.data, name.length);
    put(self, "}");
    return true;
}

/* ---- escapes -------------------------------------------------------------------------------------------------------------- */

/* An escape of one character, after the backslash. */
static bool character_escape(translation *self, uint32_t *out_code) {
    const char c = peek(self, 0);
    if (self->at == self->length) return refuse(self, "ends in a lone backslash");
    self->at++;
    switch (c) {
    case 't':
        *out_code = '\t';
        return true;
    case 'n':
        *out_code = '\n';
        return true;
    case 'v':
        *out_code = '\v';
        return true;
    case 'f':
        *out_code = '\f';
        return true;
    case 'r':
        *out_code = '\r';
        return true;
    case 'x':
        return read_hexadecimal(self, 2, out_code);
    case 'u':
        return read_unicode(self, out_code);
    case 'c':
        if (!letter(peek(self, 0))) return refuse(self, "\\c must be followed by a letter");
        *out_code = (uint32_t)self->data[self->at++] & 31;
        return true;
    case '0':
        if (digit(peek(self, 0))) return refuse(self, "octal escapes are not part of ECMA-262");
        *out_code = 0;
        return true;
    default:
        break;
    }
    if (letter(c) || digit(c)) return refuse(self, "has an escape that ECMA-262 does not know");
    if ((uint8_t)c < 0x80) {
        *out_code = (uint32_t)c;
        return true;
    }
    self->at--; /* a character beyond ASCII stands for itself */
    return refuse(self, "escapes a character that needs none");
}

/* \d, \s, \p{..} and the like, after the backslash; `inside` a class or not. False without refusal when it is no such escape. */
static bool class_escape(translation *self, bool inside) {
    const char c = peek(self, 0);
    if (!c || !strchr("dDwWsSpP", c)) return false;
    self->at++;
    switch (c) {
    case 's':
        put(self, inside ? SPACE : "[" SPACE "]");
        return true;
    case 'S':
        put(self, inside ? NO_SPACE : "[" NO_SPACE "]");
        return true;
    case 'p':
    case 'P':
        return property(self, c == 'P');
    default:
        put_bytes(self, (const char[]){'\\', c}, 2);
        return true;
    }
}

/* ---- classes -------------------------------------------------------------------------------------------------------------- */

/* A member of a class that is one character; its code, written or not by the caller. `out_wide`: it is a whole class and is written. */
static bool class_member(translation *self, uint32_t *out_code, bool *out_wide) {
    *out_wide = false;
    if (take(self, "\\")) {
        if (class_escape(self, true)) {
            *out_wide = true;
            return true;
        }
        if (self->why) return false;
        if (take(self, "b")) {
            *out_code = '\b';
            return true;
        }
        return character_escape(self, out_code);
    }
    const uint8_t first = (uint8_t)self->data[self->at++];
    uint32_t code = first;
    int more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : first >= 0xC0 ? 1 : 0;
    if (more > 0) code = first & (0x3Fu >> more);
    for (; more > 0; more--)
        code = code << 6 | ((uint8_t)self->data[self->at++] & 0x3F);
    *out_code = code;
    return true;
}

/* After the opening bracket. */
static bool class_body(translation *self) {
    put(self, "[");
    if (take(self, "^")) put(self, "^");
    while (!take(self, "]")) {
        if (self->at == self->length) return refuse(self, "has a [ without its ]");
        uint32_t from = 0, to = 0;
        bool wide;
        if (!class_member(self, &from, &wide)) return false;
        if (!wide) put_code(self, from);
        if (peek(self, 0) != '-' || peek(self, 1) == ']' || peek(self, 1) == '\0') continue;
        self->at++;
        if (wide) {
            put_code(self, '-');
            continue;
        }
        if (peek(self, 0) == '\\' && peek(self, 1) && strchr("dDwWsSpP", peek(self, 1))) {
            put_code(self, '-'); /* "a-\d": the hyphen stands for itself */
            continue;
        }
        put(self, "-");
        if (!class_member(self, &to, &wide)) return false;
        if (to < from) return refuse(self, "has a range in the wrong order");
        put_code(self, to);
    }
    put(self, "]");
    return true;
}

/* ---- groups and quantifiers ------------------------------------------------------------------------------------------------ */

/* A group's name with its closing bracket. */
static bool group_name(translation *self) {
    const size_t from = self->at;
    while (letter(peek(self, 0)) || peek(self, 0) == '_' ||
           (self->at > from && digit(peek(self, 0))))
        self->at++;
    if (self->at == from || !take(self, ">"))
        return refuse(self, "has a bad group name: letters, digits and _ only");
    put_bytes(self, self->data + from, self->at - from);
    return true;
}

/* After the opening parenthesis. */
static bool group(translation *self) {
    static const char *const plain[] = {"?:", "?=", "?!", "?<=", "?<!", "?i:", "?-i:"};
    self->depth++;
    put(self, "(");
    if (peek(self, 0) != '?') {
        if (peek(self, 0) == '*') return refuse(self, "has nothing to repeat");
        self->groups++;
        return true;
    }
    for (size_t i = 0; i < BRANT__COUNT(plain); i++) {
        if (!take(self, plain[i])) continue;
        put(self, plain[i]);
        return true;
    }
    if (!take(self, "?<")) return refuse(self, "has a group that ECMA-262 does not know");
    put(self, "?<");
    self->groups++;
    return group_name(self);
}

/* "{n}", "{n,}" or "{n,m}" at the position; its length, or 0. */
static size_t bounds(const translation *self) {
    size_t ahead = 1;
    if (peek(self, 0) != '{' || !digit(peek(self, 1))) return 0;
    while (digit(peek(self, ahead)))
        ahead++;
    if (peek(self, ahead) == ',') ahead++;
    while (digit(peek(self, ahead)))
        ahead++;
    return peek(self, ahead) == '}' ? ahead + 1 : 0;
}

/* "{n,m}" with m less than n, of any number of digits. */
static bool out_of_order(brant__text bounds) {
    const char *comma = memchr(bounds.data, ',', bounds.length);
    if (!comma || comma[1] == '}') return false;
    const char *low = bounds.data + 1, *high = comma + 1;
    while (*low == '0' && low + 1 < comma)
        low++;
    while (*high == '0' && high[1] != '}')
        high++;
    const ptrdiff_t low_length = comma - low, high_length = bounds.data + bounds.length - 1 - high;
    if (low_length != high_length) return low_length > high_length;
    return memcmp(low, high, (size_t)low_length) > 0;
}

/* A quantifier if one comes next. */
static bool quantifier(translation *self) {
    const char c = peek(self, 0);
    const size_t length = c == '*' || c == '+' || c == '?' ? 1 : bounds(self);
    if (length == 0) return true;
    if (c == '{' && out_of_order(brant__text_of(self->data + self->at, length)))
        return refuse(self, "has the numbers of a quantifier out of order");
    put_bytes(self, self->data + self->at, length);
    self->at += length;
    if (take(self, "?")) put(self, "?");
    return true;
}

/* ---- patterns ------------------------------------------------------------------------------------------------------------- */

/* An escape outside classes, after the backslash. `out_item`: something that may be repeated. */
static bool escape(translation *self, bool *out_item) {
    const char c = peek(self, 0);
    if (c == 'b' || c == 'B') {
        self->at++;
        put(self, c == 'b' ? "\\b" : "\\B");
        *out_item = false;
        return true;
    }
    if (class_escape(self, false)) return true;
    if (self->why) return false;
    if (take(self, "k<")) {
        put(self, "\\k<");
        return group_name(self);
    }
    if (c >= '1' && c <= '9') {
        unsigned number = 0;
        while (digit(peek(self, 0)) && number < 100000)
            number = number * 10 + (unsigned)(self->data[self->at++] - '0');
        if (number > self->reference) self->reference = number;
        if (self->out) brant__buffer_format(self->out, "\\g{%u}", number);
        return true;
    }
    uint32_t code = 0;
    if (!character_escape(self, &code)) return false;
    put_code(self, code);
    return true;
}

/* One item with its quantifier. */
static bool item(translation *self) {
    bool repeatable = true;
    const char c = self->data[self->at++];
    switch (c) {
    case '\\':
        if (!escape(self, &repeatable)) return false;
        break;
    case '[':
        if (!class_body(self)) return false;
        break;
    case '(':
        return group(self);
    case ')':
        if (self->depth-- == 0) return refuse(self, "has a ) without its (");
        put(self, ")");
        break;
    case '|':
    case '^':
    case '$':
        put_bytes(self, &c, 1);
        repeatable = false;
        break;
    case '.':
        put(self, NO_LINE_END);
        break;
    case '*':
    case '+':
    case '?':
        return refuse(self, "has nothing to repeat");
    case '{':
        self->at--;
        if (bounds(self) > 0) return refuse(self, "has nothing to repeat");
        self->at++;
        put(self, "\\{");
        break;
    case '}':
        put(self, "\\}");
        break;
    case ']':
        put(self, "\\]");
        break;
    default:
        put_bytes(self, &c, 1);
        /* The other bytes of a character. */
        while (self->at < self->length && ((uint8_t)self->data[self->at] & 0xC0) == 0x80)
            put_bytes(self, self->data + self->at++, 1);
        break;
    }
    return !repeatable || quantifier(self);
}

bool brant__regex_translate(brant__buffer *out, brant__text source, const char **out_why) {
    translation self = {.data = source.data, .length = source.length, .out = out};
    bool good = true;
    while (good && self.at < self.length)
        good = item(&self);
    if (good && self.depth > 0) good = refuse(&self, "has a ( without its )");
    if (good && self.reference > self.groups)
        good = refuse(&self, "refers to a group that it does not have");
    if (out_why) *out_why = self.why;
    return good;
}
