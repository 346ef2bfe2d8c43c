/*
 * schema/direct.c: simple regular expressions, matched without a regular expression engine.
 *
 * A simple expression is a row of pieces, from the beginning of the text on ("^") or up to its end ("$"): literal characters, and sets of ASCII characters with a
 * quantifier. Each piece takes as much as it can and gives nothing back, which is right because a piece with a choice is only accepted where nothing that may follow
 * it begins with one of its own characters. All other expressions are left to pattern.c, and so is the question whether an expression is one at all.
 */
#include "schema/program.h"

enum { PIECES = 24, NO_END = UINT32_MAX };

typedef struct piece {
    uint32_t least, most;
    uint64_t set[2]; /* of ASCII; empty: a literal */
    uint32_t text;   /* of the literal: where it stands in the direct's text */
    uint32_t length;
} piece;

struct brant__direct {
    bool from_start;
    bool to_end;
    bool one_line; /* "^.*$" */
    uint32_t count;
    char *text;
    piece pieces[];
};

typedef struct reader {
    brant__text source;
    size_t at;
    uint32_t count;
    char *text;
    uint32_t text_length;
    piece pieces[PIECES];
} reader;

/* ---- sets ---------------------------------------------------------------------------------------------------------------- */

static void add(uint64_t set[2], unsigned from, unsigned to) {
    for (unsigned c = from; c <= to; c++)
        set[c >> 6] |= UINT64_C(1) << (c & 63);
}

static bool has(const uint64_t set[2], unsigned char c) {
    return c < 128 && (set[c >> 6] >> (c & 63) & 1);
}

static bool is_literal(const piece *one) {
    return !one->set[0] && !one->set[1];
}

/* \d, \w: true, added to the set. */
static bool add_class(uint64_t set[2], char name) {
    if (name != 'd' && name != 'w') return false;
    add(set, '0', '9');
    if (name == 'd') return true;
    add(set, 'a', 'z');
    add(set, 'A', 'Z');
    add(set, '_', '_');
    return true;
}

/* ---- reading ------------------------------------------------------------------------------------------------------------- */

static bool more(const reader *self) {
    return self->at < self->source.length;
}
static char peek(const reader *self) {
    return self->source.data[self->at];
}
static bool escapable(char c) {
    return c != '\0' && strchr("^$\\.*+?()[]{}|/", c) != NULL;
}

/* One character of a class, or -1: something that is not simple. */
static int class_character(reader *self) {
    unsigned char c = (unsigned char)peek(self);
    self->at++;
    if (c >= 128 || c == '[') return -1;
    if (c != '\\') return c;
    if (!more(self)) return -1;
    c = (unsigned char)peek(self);
    self->at++;
    return c == '-' || escapable((char)c) ? c : -1;
}

static bool read_class(reader *self, uint64_t set[2]) {
    self->at++;
    if (more(self) && peek(self) == '^') return false;
    while (more(self) && peek(self) != ']') {
        if (peek(self) == '\\' && self->at + 1 < self->source.length &&
            add_class(set, self->source.data[self->at + 1])) {
            self->at += 2;
            if (more(self) && peek(self) == '-' && self->at + 1 < self->source.length &&
                self->source.data[self->at + 1] != ']')
                return false;
            continue;
        }
        const int from = class_character(self);
        int to = from;
        if (from < 0) return false;
        if (self->at + 1 < self->source.length && peek(self) == '-' &&
            self->source.data[self->at + 1] != ']') {
            self->at++;
            to = class_character(self);
            if (to < from) return false;
        }
        add(set, (unsigned)from, (unsigned)to);
    }
    if (!more(self) || (!set[0] && !set[1])) return false;
    self->at++;
    return true;
}

static bool read_number(reader *self, uint32_t *out) {
    const size_t from = self->at;
    *out = 0;
    while (more(self) && peek(self) >= '0' && peek(self) <= '9' && self->at - from < 6)
        *out = *out * 10 + (uint32_t)(self->source.data[self->at++] - '0');
    return self->at > from;
}

/* True without a quantifier too. Lazy ones are not simple. */
static bool read_quantifier(reader *self, piece *one) {
    one->least = one->most = 1;
    if (!more(self)) return true;
    switch (peek(self)) {
    case '*':
        one->least = 0;
        one->most = NO_END;
        break;
    case '+':
        one->most = NO_END;
        break;
    case '?':
        one->least = 0;
        break;
    case '{':
        self->at++;
        if (!read_number(self, &one->least)) return false;
        one->most = one->least;
        if (more(self) && peek(self) == ',') {
            self->at++;
            if (!read_number(self, &one->most)) one->most = NO_END;
        }
        if (!more(self) || peek(self) != '}' || one->most < one->least) return false;
        break;
    default:
        return true;
    }
    self->at++;
    return !more(self) || peek(self) != '?';
}

static bool quantified(const reader *self) {
    return more(self) && strchr("*+?{", peek(self)) != NULL && peek(self) != '\0';
}

static piece *add_piece(reader *self, piece one) {
    if (self->count == PIECES) return NULL;
    self->pieces[self->count] = one;
    return &self->pieces[self->count++];
}

/* A byte that stands for itself: part of the literal before it, or (quantified) a set. */
static bool read_literal(reader *self, char c) {
    piece one = {.least = 1, .most = 1};
    piece *last = self->count > 0 ? &self->pieces[self->count - 1] : NULL;
    const unsigned char byte = (unsigned char)c;
    if (quantified(self)) {
        if (byte >= 128) return false;
        add(one.set, byte, byte);
        return read_quantifier(self, &one) && add_piece(self, one);
    }
    if (!last || !is_literal(last)) {
        one.text = self->text_length;
        last = add_piece(self, one);
        if (!last) return false;
    }
    self->text[self->text_length++] = c;
    last->length++;
    return true;
}

static bool read_piece(reader *self) {
    const char c = peek(self);
    piece one = {0};
    if (c == '[')
        return read_class(self, one.set) && read_quantifier(self, &one) && add_piece(self, one);
    self->at++;
    if (c == '\\') {
        if (!more(self)) return false;
        const char escaped = self->source.data[self->at++];
        if (add_class(one.set, escaped)) return read_quantifier(self, &one) && add_piece(self, one);
        return escapable(escaped) && read_literal(self, escaped);
    }
    if (escapable(c) && c != '/') return false; /* a group, an alternative, a dot, an assertion */
    return read_literal(self, c);
}

/* May a piece with a choice take what the rest needs? */
static bool overlaps(const piece *one, const reader *self, uint32_t next) {
    for (; next < self->count; next++) {
        const piece *other = &self->pieces[next];
        if (is_literal(other)) return has(one->set, (unsigned char)self->text[other->text]);
        if ((one->set[0] & other->set[0]) || (one->set[1] & other->set[1])) return true;
        if (other->least > 0) return false;
    }
    return false;
}

static bool unambiguous(const reader *self, bool from_start) {
    for (uint32_t i = 0; i < self->count; i++) {
        const piece *one = &self->pieces[i];
        /* Not from the start: one literal only. */
        if (is_literal(one) ? !from_start && self->count > 1 : !from_start) return false;
        if (one->least != one->most && overlaps(one, self, i + 1)) return false;
    }
    return true;
}

/* Is the last "$" of the expression an assertion? */
static bool ends_with_dollar(brant__text source) {
    size_t backslashes = 0;
    if (source.length == 0 || source.data[source.length - 1] != '$') return false;
    while (backslashes + 1 < source.length && source.data[source.length - 2 - backslashes] == '\\')
        backslashes++;
    return backslashes % 2 == 0;
}

brant_status brant__direct_compile(brant__direct **out_direct, brant__text source) {
    brant_status status = BRANT_NO_MEMORY;
    brant__direct *direct = NULL;
    *out_direct = NULL;
    const bool one_line = brant__text_equal(source, BRANT__TEXT("^.*$")) ||
                          brant__text_equal(source, BRANT__TEXT("^(.*)$"));
    const bool from_start = source.length > 0 && source.data[0] == '^';
    const bool to_end = ends_with_dollar(source);
    reader self = {.source = brant__text_of(source.data, source.length - to_end), .at = from_start};
    if (source.length > 1000) return BRANT_OK;
    self.text = brant__alloc(source.length + 1);
    if (!self.text) goto cleanup;
    status = BRANT_OK;
    while (!one_line && more(&self))
        if (!read_piece(&self)) goto cleanup;
    if (!unambiguous(&self, from_start)) goto cleanup;
    direct = brant__alloc_zero(sizeof(*direct) + self.count * sizeof(piece));
    if (!direct) {
        status = BRANT_NO_MEMORY;
        goto cleanup;
    }
    direct->from_start = from_start;
    direct->to_end = to_end;
    direct->one_line = one_line;
    direct->count = self.count;
    if (self.count > 0) memcpy(direct->pieces, self.pieces, self.count * sizeof(piece));
    direct->text = self.text;
    self.text = NULL;
    *out_direct = direct;
cleanup:
    brant__free(self.text);
    return status;
}

void brant__direct_free(brant__direct *direct) {
    if (!direct) return;
    brant__free(direct->text);
    brant__free(direct);
}

/* ---- matching ------------------------------------------------------------------------------------------------------------ */

/* No line terminator of ECMA-262: LF, CR, U+2028, U+2029. */
static bool one_line(const char *data, size_t length) {
    for (size_t i = 0; i < length; i++) {
        const unsigned char c = (unsigned char)data[i];
        if (c == '\n' || c == '\r') return false;
        if (c == 0xE2 && length - i >= 3 && (unsigned char)data[i + 1] == 0x80 &&
            ((unsigned char)data[i + 2] & 0xFE) == 0xA8)
            return false;
    }
    return true;
}

static bool contains(const char *data, size_t length, const char *part, size_t part_length) {
    while (length >= part_length) {
        const char *at = memchr(data, part[0], length - part_length + 1);
        if (!at) return false;
        if (memcmp(at, part, part_length) == 0) return true;
        length -= (size_t)(at - data) + 1;
        data = at + 1;
    }
    return false;
}

bool brant__direct_match(const brant__direct *direct, const char *data, size_t length) {
    const piece *pieces = direct->pieces;
    size_t at = 0;
    if (direct->one_line) return one_line(data, length);
    if (!direct->from_start) {
        if (direct->count == 0) return true;
        const char *part = direct->text + pieces[0].text;
        const size_t size = pieces[0].length;
        if (!direct->to_end) return contains(data, length, part, size);
        return length >= size && memcmp(data + length - size, part, size) == 0;
    }
    for (const piece *end = pieces + direct->count; pieces < end; pieces++) {
        if (is_literal(pieces)) {
            if (length - at < pieces->length ||
                memcmp(data + at, direct->text + pieces->text, pieces->length) != 0)
                return false;
            at += pieces->length;
            continue;
        }
        const size_t left = length - at;
        const size_t most = at + (pieces->most < left ? pieces->most : left);
        const size_t from = at;
        while (at < most && has(pieces->set, (unsigned char)data[at]))
            at++;
        if (at - from < pieces->least) return false;
    }
    return !direct->to_end || at == length;
}
