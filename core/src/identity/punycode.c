/*
 * identity/punycode.c: see punycode.h. Names are those of RFC 3492, sections 5 and 6.
 */
#include "identity/punycode.h"

enum {
    BASE = 36,
    T_MIN = 1,
    T_MAX = 26,
    SKEW = 38,
    DAMP = 700,
    INITIAL_BIAS = 72,
    INITIAL_N = 128
};

static uint32_t adapt(uint32_t delta, uint32_t count, bool first) {
    uint32_t k = 0;

    delta = first ? delta / DAMP : delta / 2;
    delta += delta / count;
    for (; delta > (BASE - T_MIN) * T_MAX / 2; k += BASE)
        delta /= BASE - T_MIN;
    return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

static uint32_t threshold(uint32_t k, uint32_t bias) {
    if (k <= bias + T_MIN) return T_MIN;
    return k >= bias + T_MAX ? T_MAX : k - bias;
}

static bool is_scalar(int32_t point) {
    return point >= 0 && point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
}

/* ---- encoding -------------------------------------------------------------------------------- */

typedef struct output {
    char *bytes;
    size_t length;
    size_t room;
} output;

static bool put(output *out, char byte) {
    if (out->length == out->room) return false;
    out->bytes[out->length++] = byte;
    return true;
}

static bool put_digit(output *out, uint32_t digit) {
    return put(out, (char)(digit < 26 ? 'a' + digit : '0' + (digit - 26)));
}

static bool put_delta(output *out, uint32_t delta, uint32_t bias) {
    for (uint32_t k = BASE;; k += BASE) {
        const uint32_t t = threshold(k, bias);
        if (delta < t) return put_digit(out, delta);
        if (!put_digit(out, t + (delta - t) % (BASE - t))) return false;
        delta = (delta - t) / (BASE - t);
    }
}

bool brant__punycode_encode(char *out, size_t *out_length, size_t room, const int32_t *points,
                            size_t count) {
    output to = {out, 0, room};
    uint32_t n = INITIAL_N, delta = 0, bias = INITIAL_BIAS, basic, handled;

    *out_length = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_scalar(points[i])) return false;
        if (points[i] < INITIAL_N && !put(&to, (char)points[i])) return false;
    }
    basic = handled = (uint32_t)to.length;
    if (basic > 0 && !put(&to, '-')) return false;
    for (; handled < count; delta++, n++) {
        uint32_t next = UINT32_MAX;
        for (size_t i = 0; i < count; i++) {
            const uint32_t point = (uint32_t)points[i];
            if (point >= n && point < next) next = point;
        }
        if (next - n > (UINT32_MAX - delta) / (handled + 1)) return false;
        delta += (next - n) * (handled + 1);
        n = next;
        for (size_t i = 0; i < count; i++) {
            if ((uint32_t)points[i] < n && ++delta == 0) return false;
            if ((uint32_t)points[i] != n) continue;
            if (!put_delta(&to, delta, bias)) return false;
            bias = adapt(delta, handled + 1, handled == basic);
            delta = 0;
            handled++;
        }
    }
    *out_length = to.length;
    return true;
}

/* ---- decoding -------------------------------------------------------------------------------- */

/* BASE for what is none. */
static uint32_t digit_of(char byte) {
    if (byte >= 'a' && byte <= 'z') return (uint32_t)(byte - 'a');
    if (byte >= 'A' && byte <= 'Z') return (uint32_t)(byte - 'A');
    if (byte >= '0' && byte <= '9') return (uint32_t)(byte - '0') + 26;
    return BASE;
}

/* Adds the number at `*at`, which moves behind it, to `*i`. */
static bool take_delta(uint32_t *i, size_t *at, brant__text text, uint32_t bias) {
    uint32_t weight = 1;

    for (uint32_t k = BASE;; k += BASE) {
        const uint32_t t = threshold(k, bias);
        const uint32_t digit = *at < text.length ? digit_of(text.data[(*at)++]) : BASE;
        if (digit == BASE || digit > (UINT32_MAX - *i) / weight) return false;
        *i += digit * weight;
        if (digit < t) return true;
        if (weight > UINT32_MAX / (BASE - t)) return false;
        weight *= BASE - t;
    }
}

bool brant__punycode_decode(int32_t *out, size_t *out_count, size_t room, brant__text text) {
    uint32_t n = INITIAL_N, i = 0, bias = INITIAL_BIAS;
    size_t basic = text.length, at, count = 0;

    *out_count = 0;
    while (basic > 0 && text.data[basic - 1] != '-')
        basic--;
    at = basic;
    if (basic > 0) basic--; /* the delimiter */
    for (; count < basic; count++) {
        if (count == room || (unsigned char)text.data[count] >= INITIAL_N) return false;
        out[count] = text.data[count];
    }
    for (; at < text.length; i++) {
        const uint32_t before = i;
        uint32_t length;
        if (count == room || !take_delta(&i, &at, text, bias)) return false;
        length = (uint32_t)++count;
        bias = adapt(i - before, length, before == 0);
        if (i / length > 0x10FFFF - n) return false;
        n += i / length;
        i %= length;
        if (!is_scalar((int32_t)n)) return false;
        memmove(out + i + 1, out + i, (count - 1 - i) * sizeof *out);
        out[i] = (int32_t)n;
    }
    *out_count = count;
    return true;
}
