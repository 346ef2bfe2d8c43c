/*
 * base/text.c: UTF-8, glob patterns, base64.
 */
#include "base/base.h"

int brant__text_compare(brant__text a, brant__text b) {
    size_t common = a.length < b.length ? a.length : b.length;
    int order = common ? memcmp(a.data, b.data, common) : 0;

    if (order != 0) return order < 0 ? -1 : 1;
    return (a.length > b.length) - (a.length < b.length);
}

/* ---- UTF-8 ----------------------------------------------------------------------------------- */

#define HIGH_BITS UINT64_C(0x8080808080808080)

static inline bool is_continuation(unsigned char byte) {
    return (byte & 0xC0) == 0x80;
}

/* Length of the well-formed sequence at `at` (RFC 3629, section 4), or 0. */
static size_t sequence_length(const unsigned char *at, size_t left) {
    unsigned char lead = at[0];

    if (lead < 0x80) return 1;
    if (lead < 0xC2 || lead > 0xF4) return 0;
    if (left < 2) return 0;
    if (lead < 0xE0) return is_continuation(at[1]) ? 2 : 0;
    if (left < 3 || !is_continuation(at[2])) return 0;
    if (lead < 0xF0) {
        unsigned char lowest = lead == 0xE0 ? 0xA0 : 0x80;
        unsigned char highest = lead == 0xED ? 0x9F : 0xBF; /* no surrogates */
        return at[1] >= lowest && at[1] <= highest ? 3 : 0;
    }
    if (left < 4 || !is_continuation(at[3])) return 0;
    return at[1] >= (lead == 0xF0 ? 0x90 : 0x80) && at[1] <= (lead == 0xF4 ? 0x8F : 0xBF) ? 4 : 0;
}

size_t brant__utf8_check(const char *text, size_t length) {
    const unsigned char *bytes = (const unsigned char *)text;
    size_t i = 0;

    while (i < length) {
        size_t sequence;
        while (length - i >= 8) {
            uint64_t word;
            memcpy(&word, bytes + i, sizeof(word));
            if (word & HIGH_BITS) break;
            i += 8;
        }
        if (i == length) break;
        sequence = sequence_length(bytes + i, length - i);
        if (sequence == 0) return i;
        i += sequence;
    }
    return SIZE_MAX;
}

size_t brant__utf8_length(const char *text, size_t length) {
    size_t count = 0;

    for (size_t i = 0; i < length; i++)
        count += !is_continuation((unsigned char)text[i]);
    return count;
}

/* The code point at `*at`, which moves behind it. A byte that starts none counts as a point beyond
 * Unicode. */
static uint32_t next_point(const char *text, size_t length, size_t *at) {
    const unsigned char *bytes = (const unsigned char *)text + *at;
    size_t sequence = sequence_length(bytes, length - *at);

    switch (sequence) {
    case 1:
        *at += 1;
        return bytes[0];
    case 2:
        *at += 2;
        return (uint32_t)(bytes[0] & 0x1F) << 6 | (bytes[1] & 0x3F);
    case 3:
        *at += 3;
        return (uint32_t)(bytes[0] & 0x0F) << 12 | (uint32_t)(bytes[1] & 0x3F) << 6 |
               (bytes[2] & 0x3F);
    case 4:
        *at += 4;
        return (uint32_t)(bytes[0] & 0x07) << 18 | (uint32_t)(bytes[1] & 0x3F) << 12 |
               (uint32_t)(bytes[2] & 0x3F) << 6 | (bytes[3] & 0x3F);
    default:
        *at += 1;
        return 0x110000U + bytes[0];
    }
}

/* ---- glob patterns --------------------------------------------------------------------------- */

/* The member at `*at`, which moves behind it; false where the pattern ends. */
static bool set_member(brant__text pattern, size_t *at, uint32_t *out_point) {
    if (*at < pattern.length && pattern.data[*at] == '\\') *at += 1;
    if (*at >= pattern.length) return false;
    *out_point = next_point(pattern.data, pattern.length, at);
    return true;
}

/*
 * Match one code point against the set whose `[` is at `*at`, which moves behind its `]`. A `]`
 * that comes first is a member; `\` makes the next character a member. False, too, for a set
 * without an end.
 */
static bool match_set(brant__text pattern, size_t *at, uint32_t point) {
    size_t i = *at + 1;
    bool negated = false, found = false, first = true;

    if (i < pattern.length && pattern.data[i] == '^') {
        negated = true;
        i++;
    }
    for (;; first = false) {
        uint32_t low, high;
        if (i < pattern.length && pattern.data[i] == ']' && !first) break;
        if (!set_member(pattern, &i, &low)) return false;
        high = low;
        if (pattern.length - i >= 2 && pattern.data[i] == '-' && pattern.data[i + 1] != ']') {
            i++;
            if (!set_member(pattern, &i, &high)) return false;
        }
        if (low <= point && point <= high) found = true;
    }
    *at = i + 1;
    return found != negated;
}

bool brant__glob_match(brant__text pattern, brant__text text) {
    size_t p = 0, t = 0;
    /* Where to go on after the last `*`, and from which text. */
    size_t star_p = SIZE_MAX, star_t = 0;

    while (t < text.length) {
        bool matched = false;
        if (p < pattern.length) {
            size_t p_next = p + 1, t_next = t;
            switch (pattern.data[p]) {
            case '*':
                star_p = p = p_next;
                star_t = t;
                continue;
            case '?':
                next_point(text.data, text.length, &t_next);
                matched = true;
                break;
            case '[': {
                uint32_t point = next_point(text.data, text.length, &t_next);
                p_next = p;
                matched = match_set(pattern, &p_next, point);
                break;
            }
            case '\\':
                t_next = t + 1;
                matched = p_next < pattern.length && pattern.data[p_next] == text.data[t];
                p_next++;
                break;
            default:
                t_next = t + 1;
                matched = pattern.data[p] == text.data[t];
                break;
            }
            if (matched) {
                p = p_next;
                t = t_next;
            }
        }
        if (matched) continue;
        /*
         * Only the last star can help: what an earlier one could give it can be had by this one. So
         * the time is at most pattern times text.
         */
        if (star_p == SIZE_MAX) return false;
        next_point(text.data, text.length, &star_t);
        p = star_p;
        t = star_t;
    }
    while (p < pattern.length && pattern.data[p] == '*')
        p++;
    return p == pattern.length;
}

/* ---- base64 ---------------------------------------------------------------------------------- */

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void brant__base64_encode(brant__buffer *out, const void *bytes, size_t length) {
    const uint8_t *at = bytes;
    size_t groups = length / 3, rest = length % 3;
    char *to;

    if (groups >= SIZE_MAX / 8) {
        out->failed = true;
        return;
    }
    if (!brant__buffer_reserve(out, (groups + 1) * 4)) return;
    to = out->data + out->length;
    for (size_t i = 0; i < groups; i++, at += 3) {
        uint32_t word = (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];
        *to++ = base64_digits[word >> 18];
        *to++ = base64_digits[word >> 12 & 63];
        *to++ = base64_digits[word >> 6 & 63];
        *to++ = base64_digits[word & 63];
    }
    if (rest) {
        uint32_t word = (uint32_t)at[0] << 16 | (rest == 2 ? (uint32_t)at[1] << 8 : 0);
        *to++ = base64_digits[word >> 18];
        *to++ = base64_digits[word >> 12 & 63];
        *to++ = rest == 2 ? base64_digits[word >> 6 & 63] : '=';
        *to++ = '=';
    }
    out->length = (size_t)(to - out->data);
}

/* Arithmetic instead of a table or branches on the digit: what is decoded may be key material. -1:
 * no digit. */
static int digit_value(unsigned char c) {
    int value = -1;

    value += ((0x40 - c) & (c - 0x5B)) >> 8 & (c - 64); /* A-Z */
    value += ((0x60 - c) & (c - 0x7B)) >> 8 & (c - 70); /* a-z */
    value += ((0x2F - c) & (c - 0x3A)) >> 8 & (c + 5);  /* 0-9 */
    value += ((0x2A - c) & (c - 0x2C)) >> 8 & 63;       /* + */
    value += ((0x2E - c) & (c - 0x30)) >> 8 & 64;       /* / */
    return value;
}

bool brant__base64_decode(brant__buffer *out, brant__text text) {
    const unsigned char *at = (const unsigned char *)text.data;
    size_t padding = 0, groups = text.length / 4;
    int bad = 0;
    uint8_t *to;

    if (text.length % 4 != 0) return false;
    if (text.length == 0) return !out->failed;
    if (at[text.length - 1] == '=') padding = at[text.length - 2] == '=' ? 2 : 1;
    if (!brant__buffer_reserve(out, groups * 3)) return false;
    to = (uint8_t *)out->data + out->length;

    for (size_t i = 0; i < groups; i++, at += 4) {
        size_t missing = i + 1 == groups ? padding : 0;
        int a = digit_value(at[0]), b = digit_value(at[1]);
        int c = missing >= 2 ? 0 : digit_value(at[2]);
        int d = missing >= 1 ? 0 : digit_value(at[3]);
        uint32_t word = (uint32_t)(a & 63) << 18 | (uint32_t)(b & 63) << 12 |
                        (uint32_t)(c & 63) << 6 | (uint32_t)(d & 63);
        bad |= a | b | c | d; /* negative when one is */
        to[0] = (uint8_t)(word >> 16);
        to[1] = (uint8_t)(word >> 8);
        to[2] = (uint8_t)word;
        to += 3;
        /* Bits that padding leaves over are zero in canonical text. */
        if (missing == 2 && (word & 0xFFFF) != 0) return false;
        if (missing == 1 && (word & 0xFF) != 0) return false;
    }
    if (bad < 0) return false;
    out->length += groups * 3 - padding;
    return true;
}

/* ---- base64url -------------------------------------------------------------------------------- */

/* The values of A-Z a-z 0-9 - _, again by arithmetic. */
static int url_value(unsigned char c) {
    int value = -1;

    value += ((0x40 - c) & (c - 0x5B)) >> 8 & (c - 64); /* A-Z */
    value += ((0x60 - c) & (c - 0x7B)) >> 8 & (c - 70); /* a-z */
    value += ((0x2F - c) & (c - 0x3A)) >> 8 & (c + 5);  /* 0-9 */
    value += ((0x2C - c) & (c - 0x2E)) >> 8 & 63;       /* - */
    value += ((0x5E - c) & (c - 0x60)) >> 8 & 64;       /* _ */
    return value;
}

static char url_digit(uint32_t six) {
    int value = (int)(six & 63), digit = 'A' + value;

    digit += (25 - value) >> 8 & ('a' - 'Z' - 1);
    digit += (51 - value) >> 8 & ('0' - 'z' - 1);
    digit += (61 - value) >> 8 & ('-' - '9' - 1);
    digit += (62 - value) >> 8 & ('_' - '-' - 1);
    return (char)digit;
}

void brant__base64url_encode(brant__buffer *out, const void *bytes, size_t length) {
    const uint8_t *at = bytes;
    size_t groups = length / 3, rest = length % 3;
    char *to;

    if (groups >= SIZE_MAX / 8) {
        out->failed = true;
        return;
    }
    if (!brant__buffer_reserve(out, (groups + 1) * 4)) return;
    to = out->data + out->length;
    for (size_t i = 0; i < groups; i++, at += 3, to += 4) {
        uint32_t word = (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];
        for (int j = 0; j < 4; j++)
            to[j] = url_digit(word >> (18 - 6 * j));
    }
    if (rest) {
        uint32_t word = (uint32_t)at[0] << 16 | (rest == 2 ? (uint32_t)at[1] << 8 : 0);
        *to++ = url_digit(word >> 18);
        *to++ = url_digit(word >> 12);
        if (rest == 2) *to++ = url_digit(word >> 6);
    }
    out->length = (size_t)(to - out->data);
}

/* The bytes of a text whose length can be that of a base64url; room for them is the caller's. */
static bool url_decode(uint8_t *to, brant__text text) {
    const unsigned char *at = (const unsigned char *)text.data;
    size_t groups = text.length / 4, rest = text.length % 4;
    int bad = 0;

    for (size_t i = 0; i < groups; i++, at += 4, to += 3) {
        int a = url_value(at[0]), b = url_value(at[1]), c = url_value(at[2]), d = url_value(at[3]);
        uint32_t word = (uint32_t)(a & 63) << 18 | (uint32_t)(b & 63) << 12 |
                        (uint32_t)(c & 63) << 6 | (uint32_t)(d & 63);
        bad |= a | b | c | d; /* negative when one is */
        to[0] = (uint8_t)(word >> 16);
        to[1] = (uint8_t)(word >> 8);
        to[2] = (uint8_t)word;
    }
    if (rest) {
        int a = url_value(at[0]), b = url_value(at[1]), c = rest == 3 ? url_value(at[2]) : 0;
        uint32_t word =
            (uint32_t)(a & 63) << 18 | (uint32_t)(b & 63) << 12 | (uint32_t)(c & 63) << 6;
        bad |= a | b | c;
        *to++ = (uint8_t)(word >> 16);
        if (rest == 3) *to++ = (uint8_t)(word >> 8);
        /* Bits that are left over are zero in canonical text. */
        if (word & (rest == 3 ? 0xFF : 0xFFFF)) bad = -1;
    }
    return bad >= 0;
}

bool brant__base64url_decode(brant__buffer *out, brant__text text) {
    size_t size = text.length / 4 * 3 + (text.length % 4 * 3) / 4;

    if (text.length % 4 == 1) return false;
    if (text.length == 0) return !out->failed;
    if (!brant__buffer_reserve(out, size)) return false;
    if (!url_decode((uint8_t *)out->data + out->length, text)) return false;
    out->length += size;
    return true;
}

bool brant__base64url_read(void *out, size_t size, brant__text text) {
    if (text.length != size / 3 * 4 + (size % 3 ? size % 3 + 1 : 0)) return false;
    return text.length == 0 || url_decode(out, text);
}
