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

/* ---- base64 and base64url ---------------------------------------------------------------------- */

/*
 * By arithmetic instead of tables or branches on a digit, since it may be key material; and on whole blocks of bytes, which compilers make vectors of: a
 * ciphertext, or the bytes of a row, takes longer to spell than to read otherwise. The two alphabets differ in their last two digits.
 */
#define BLOCK_DIGITS ((size_t)64)
#define BLOCK_BYTES  ((size_t)48)

/* All ones where `c` is from `low` to `high`. */
static inline uint8_t within(uint8_t c, uint8_t low, uint8_t high) {
    return (uint8_t)-(uint8_t)((uint8_t)(c - low) <= (uint8_t)(high - low));
}

/* 255: no digit. */
static inline uint8_t digit_value(uint8_t c, bool url) {
    const uint8_t last = url ? '-' : '+', slash = url ? '_' : '/';
    return (uint8_t)((within(c, 'A', 'Z') & (uint8_t)(c - 'A' + 1)) +
                     (within(c, 'a', 'z') & (uint8_t)(c - 'a' + 27)) +
                     (within(c, '0', '9') & (uint8_t)(c - '0' + 53)) +
                     (within(c, last, last) & 63) + (within(c, slash, slash) & 64) - 1);
}

static inline uint8_t value_digit(uint8_t value, bool url) {
    const uint8_t last = url ? '-' : '+', slash = url ? '_' : '/';
    return (uint8_t)((within(value, 0, 25) & (uint8_t)(value + 'A')) +
                     (within(value, 26, 51) & (uint8_t)(value - 26 + 'a')) +
                     (within(value, 52, 61) & (uint8_t)(value - 52 + '0')) +
                     (within(value, 62, 62) & last) + (within(value, 63, 63) & slash));
}

/* In place. 0, or 255 where one was no digit. */
static inline uint8_t block_values(uint8_t digits[BLOCK_DIGITS], bool url) {
    uint8_t bad = 0;

    for (size_t i = 0; i < BLOCK_DIGITS; i++)
        digits[i] = digit_value(digits[i], url);
    for (size_t i = 0; i < BLOCK_DIGITS; i++)
        bad |= within(digits[i], 64, 255);
    return bad;
}

/* The values of three bytes and, of the last group, of the zeros behind them. */
static inline void split_group(uint8_t values[4], const uint8_t *bytes, size_t count) {
    uint32_t word = (uint32_t)bytes[0] << 16 | (count > 1 ? (uint32_t)bytes[1] << 8 : 0) |
                    (count > 2 ? bytes[2] : 0);

    for (int i = 0; i < 4; i++)
        values[i] = (uint8_t)(word >> (18 - 6 * i) & 63);
}

static inline uint32_t join_group(const uint8_t values[4]) {
    return (uint32_t)(values[0] & 63) << 18 | (uint32_t)(values[1] & 63) << 12 |
           (uint32_t)(values[2] & 63) << 6 | (uint32_t)(values[3] & 63);
}

/* The digits of all bytes, without padding; room for them is the caller's. */
static inline void encode(uint8_t *to, const uint8_t *at, size_t length, bool url) {
    uint8_t block[BLOCK_DIGITS];

    while (length > 0) {
        const size_t part = length < BLOCK_BYTES ? length : BLOCK_BYTES, rest = part % 3;
        const size_t digits = part / 3 * 4 + (rest ? rest + 1 : 0);
        if (part < BLOCK_BYTES) memset(block, 0, sizeof(block));
        for (size_t i = 0; i < part / 3; i++)
            split_group(block + 4 * i, at + 3 * i, 3);
        if (rest) split_group(block + part / 3 * 4, at + part - rest, rest);
        for (size_t i = 0; i < BLOCK_DIGITS; i++)
            block[i] = value_digit(block[i], url);
        memcpy(to, block, digits);
        to += digits;
        at += part;
        length -= part;
    }
    brant__wipe(block, sizeof(block));
}

/* The bytes of digits, whose number is no multiple of four and one; room for them is the caller's. */
static inline bool decode(uint8_t *to, const uint8_t *at, size_t left, bool url) {
    uint8_t block[BLOCK_DIGITS], bad = 0;

    while (left > 0) {
        const size_t part = left < BLOCK_DIGITS ? left : BLOCK_DIGITS, rest = part % 4;
        if (part < BLOCK_DIGITS) memset(block, 'A', sizeof(block));
        memcpy(block, at, part);
        bad |= block_values(block, url);
        for (size_t i = 0; i + 4 <= part; i += 4, to += 3) {
            const uint32_t word = join_group(block + i);
            to[0] = (uint8_t)(word >> 16);
            to[1] = (uint8_t)(word >> 8);
            to[2] = (uint8_t)word;
        }
        if (rest) {
            const uint32_t word = join_group(block + part - rest);
            *to++ = (uint8_t)(word >> 16);
            if (rest == 3) *to++ = (uint8_t)(word >> 8);
            /* Bits that are left over are zero in canonical text. */
            if (word & (rest == 3 ? 0xFF : 0xFFFF)) bad = 255;
        }
        at += part;
        left -= part;
    }
    brant__wipe(block, sizeof(block));
    return bad == 0;
}

static bool reserve_digits(brant__buffer *out, size_t length) {
    if (length / 3 < SIZE_MAX / 8) return brant__buffer_reserve(out, (length / 3 + 1) * 4);
    out->failed = true;
    return false;
}

void brant__base64_encode(brant__buffer *out, const void *bytes, size_t length) {
    if (!reserve_digits(out, length)) return;
    encode((uint8_t *)out->data + out->length, bytes, length, false);
    out->length += length / 3 * 4 + (length % 3 ? length % 3 + 1 : 0);
    for (size_t rest = length % 3; rest % 3; rest++)
        out->data[out->length++] = '=';
}

bool brant__base64_decode(brant__buffer *out, brant__text text) {
    size_t digits = text.length;

    if (digits % 4 != 0) return false;
    if (digits == 0) return !out->failed;
    for (int padding = 0; padding < 2 && text.data[digits - 1] == '='; padding++)
        digits--;
    const size_t size = digits / 4 * 3 + digits % 4 * 3 / 4;
    if (!brant__buffer_reserve(out, size)) return false;
    if (!decode((uint8_t *)out->data + out->length, (const uint8_t *)text.data, digits, false))
        return false;
    out->length += size;
    return true;
}

void brant__base64url_encode(brant__buffer *out, const void *bytes, size_t length) {
    if (!reserve_digits(out, length)) return;
    encode((uint8_t *)out->data + out->length, bytes, length, true);
    out->length += length / 3 * 4 + (length % 3 ? length % 3 + 1 : 0);
}

bool brant__base64url_decode(brant__buffer *out, brant__text text) {
    const size_t size = text.length / 4 * 3 + text.length % 4 * 3 / 4;

    if (text.length % 4 == 1) return false;
    if (text.length == 0) return !out->failed;
    if (!brant__buffer_reserve(out, size)) return false;
    if (!decode((uint8_t *)out->data + out->length, (const uint8_t *)text.data, text.length, true))
        return false;
    out->length += size;
    return true;
}

bool brant__base64url_read(void *out, size_t size, brant__text text) {
    if (text.length != size / 3 * 4 + (size % 3 ? size % 3 + 1 : 0)) return false;
    return decode(out, (const uint8_t *)text.data, text.length, true);
}
