/*
 * identity/idna.c: see idna.h. The only file that knows utf8proc.
 */
#include "identity/idna.h"

#include <utf8proc.h>

#include "identity/idna_table.h"

enum { SHARP_S = 0xDF, CAPITAL_SHARP_S = 0x1E9E, FINAL_SIGMA = 0x3C2 };
enum { NON_JOINER = 0x200C, JOINER = 0x200D, IDEOGRAPHIC_STOP = 0x3002 };
enum { FULLWIDTH_STOP = 0xFF0E, HALFWIDTH_STOP = 0xFF61 };
/* Of the canonical combining classes. */
enum { VIRAMA = 9 };
/* No point decomposes to more (U+FDFA). */
enum { DECOMPOSED_MOST = 18 };

static const unsigned int nfc = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
static const unsigned int nfkc_folded =
    UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD;

static bool within(int32_t point, int32_t first, int32_t last) {
    return point >= first && point <= last;
}

static char kind_of(int32_t point, const point_span *spans, size_t count, char otherwise) {
    size_t low = 0, high = count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (point > spans[middle].last)
            low = middle + 1;
        else if (point < spans[middle].first)
            high = middle;
        else
            return spans[middle].kind;
    }
    return otherwise;
}

/* ---- normalisation --------------------------------------------------------------------------- */

/* Decomposes `point` to `out` of DECOMPOSED_MOST. */
static size_t decompose(int32_t *out, int32_t point, unsigned int options) {
    int boundary = 0;
    const utf8proc_ssize_t count =
        utf8proc_decompose_char(point, out, DECOMPOSED_MOST, (utf8proc_option_t)options, &boundary);

    if (count >= 0 && count <= DECOMPOSED_MOST) return (size_t)count;
    out[0] = point;
    return 1;
}

/* Of decomposed points, in place: canonical order, then composition. */
static size_t compose(int32_t *points, size_t count) {
    for (size_t i = 1; i < count; i++) {
        const int32_t point = points[i];
        const utf8proc_propval_t class = utf8proc_get_property(point)->combining_class;
        size_t to = i;
        if (class == 0) continue;
        for (; to > 0 && utf8proc_get_property(points[to - 1])->combining_class > class; to--)
            points[to] = points[to - 1];
        points[to] = point;
    }
    return (size_t)utf8proc_normalize_utf32(points, (utf8proc_ssize_t)count,
                                            (utf8proc_option_t)nfc);
}

/* UTS #46 does not drop these, although they do not show: what sets directions of writing, and tags. */
static bool is_invisible_instruction(int32_t point) {
    return point == 0x061C || within(point, 0x200E, 0x200F) || within(point, 0x202A, 0x202E) ||
           within(point, 0x2066, 0x2069) || within(point, 0xE0000, 0xE007F);
}

static size_t map_point(int32_t *out, int32_t point) {
    size_t count;

    switch (point) {
    case SHARP_S:
    case FINAL_SIGMA:
    case NON_JOINER:
    case JOINER:
        out[0] = point;
        return 1;
    case CAPITAL_SHARP_S:
        out[0] = SHARP_S;
        return 1;
    case IDEOGRAPHIC_STOP:
    case FULLWIDTH_STOP:
    case HALFWIDTH_STOP:
        out[0] = '.';
        return 1;
    default:
        break;
    }
    if (is_invisible_instruction(point)) {
        out[0] = point;
        return 1;
    }
    count = decompose(out, point, nfkc_folded | UTF8PROC_IGNORE);
    for (size_t i = 0; i < count; i++) {
        if (out[i] != '.' || point == '.') continue;
        out[0] = point;
        return 1;
    }
    return count;
}

bool brant__idna_map(int32_t *out, size_t *out_count, size_t room, brant__text domain) {
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)domain.data;
    utf8proc_ssize_t left = (utf8proc_ssize_t)domain.length;
    size_t count = 0;

    *out_count = 0;
    while (left > 0) {
        int32_t point, mapped[DECOMPOSED_MOST];
        const utf8proc_ssize_t length = utf8proc_iterate(at, left, &point);
        size_t more;
        if (length <= 0) return false;
        more = map_point(mapped, point);
        if (more > room - count) return false;
        memcpy(out + count, mapped, more * sizeof *out);
        count += more;
        at += length;
        left -= length;
    }
    *out_count = compose(out, count);
    return true;
}

static bool is_nfc(const int32_t *label, size_t count) {
    int32_t points[BRANT__IDNA_MOST * 4 + DECOMPOSED_MOST]; /* NFD of one in NFC has at most four */
    size_t length = 0;

    for (size_t i = 0; i < count; i++) {
        if (BRANT__COUNT(points) - length < DECOMPOSED_MOST) return false;
        length += decompose(points + length, label[i], nfc);
    }
    return compose(points, length) == count && memcmp(points, label, count * sizeof *label) == 0;
}

/* ---- code points (RFC 5892) ------------------------------------------------------------------ */

typedef enum validity { DISALLOWED, VALID, CONTEXT_JOINER, CONTEXT_OTHER } validity;

/* 2.6, or -1. */
static int exception_of(int32_t point) {
    switch (point) {
    case SHARP_S:
    case FINAL_SIGMA:
    case 0x06FD:
    case 0x06FE:
    case 0x0F0B:
    case 0x3007:
        return VALID;
    case 0x00B7:
    case 0x0375:
    case 0x05F3:
    case 0x05F4:
    case 0x30FB:
        return CONTEXT_OTHER;
    case 0x0640:
    case 0x07FA:
    case 0x302E:
    case 0x302F:
    case 0x3031:
    case 0x3032:
    case 0x3033:
    case 0x3034:
    case 0x3035:
    case 0x303B:
        return DISALLOWED;
    default:
        return within(point, 0x0660, 0x0669) || within(point, 0x06F0, 0x06F9) ? CONTEXT_OTHER : -1;
    }
}

/* 2.2: does folding of case or compatibility change it? */
static bool is_stable(int32_t point) {
    int32_t folded[DECOMPOSED_MOST];

    return compose(folded, decompose(folded, point, nfkc_folded)) == 1 && folded[0] == point;
}

/* 2.1: letters, marks and digits. */
static bool is_letter_or_digit(utf8proc_propval_t category) {
    switch (category) {
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
        return true;
    default:
        return false;
    }
}

/* 2.9: the leading, vowel and trailing jamo of which syllables are made. */
static bool is_old_hangul_jamo(int32_t point) {
    return within(point, 0x1100, 0x11FF) || within(point, 0xA960, 0xA97C) ||
           within(point, 0xD7B0, 0xD7C6) || within(point, 0xD7CB, 0xD7FB);
}

/* 2.4: marks for symbols, notes of music. */
static bool is_of_ignorable_block(int32_t point) {
    return within(point, 0x20D0, 0x20FF) || within(point, 0x1D100, 0x1D1FF) ||
           within(point, 0x1D200, 0x1D24F);
}

/* Section 3. What it lets through last are letters, marks and digits alone, so that of 2.3 only what is ignorable by default is left to ask. */
static validity validity_of(int32_t point) {
    const utf8proc_property_t *property = utf8proc_get_property(point);
    const int exception = exception_of(point);

    if (exception >= 0) return (validity)exception;
    if (property->category == UTF8PROC_CATEGORY_CN) return DISALLOWED;
    if (point == '-' || within(point, '0', '9') || within(point, 'a', 'z')) return VALID;
    if (point == NON_JOINER || point == JOINER) return CONTEXT_JOINER;
    if (is_old_hangul_jamo(point) || !is_stable(point) || property->ignorable ||
        is_of_ignorable_block(point))
        return DISALLOWED;
    return is_letter_or_digit(property->category) ? VALID : DISALLOWED;
}

/* ---- context (RFC 5892, appendix A) ---------------------------------------------------------- */

static bool is_mark(int32_t point) {
    const utf8proc_propval_t category = utf8proc_get_property(point)->category;
    return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_MC ||
           category == UTF8PROC_CATEGORY_ME;
}

static char joining_type(int32_t point) {
    const utf8proc_propval_t category = utf8proc_get_property(point)->category;
    const bool transparent = category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_ME ||
                             category == UTF8PROC_CATEGORY_CF;
    return kind_of(point, joining_types, BRANT__COUNT(joining_types), transparent ? 'T' : 'U');
}

static char script_of(int32_t point) {
    return kind_of(point, scripts, BRANT__COUNT(scripts), '\0');
}

/* A.1's second: does it part two letters that would be joined? */
static bool parts_joined(const int32_t *label, size_t count, size_t at) {
    size_t before = at, after = at + 1;
    char type;

    while (before > 0 && joining_type(label[before - 1]) == 'T')
        before--;
    while (after < count && joining_type(label[after]) == 'T')
        after++;
    if (before == 0 || after == count) return false;
    type = joining_type(label[before - 1]);
    if (type != 'L' && type != 'D') return false;
    type = joining_type(label[after]);
    return type == 'R' || type == 'D';
}

static bool has_within(const int32_t *label, size_t count, int32_t first, int32_t last) {
    for (size_t i = 0; i < count; i++) {
        if (within(label[i], first, last)) return true;
    }
    return false;
}

static bool has_japanese(const int32_t *label, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (script_of(label[i]) == 'J') return true;
    }
    return false;
}

static bool is_in_context(const int32_t *label, size_t count, size_t at) {
    const int32_t before = at > 0 ? label[at - 1] : -1, after = at + 1 < count ? label[at + 1] : -1;

    switch (label[at]) {
    case NON_JOINER:
    case JOINER:
        if (at > 0 && utf8proc_get_property(before)->combining_class == VIRAMA) return true;
        return label[at] == NON_JOINER && parts_joined(label, count, at);
    case 0x00B7: /* the middle dot of Catalan */
        return before == 'l' && after == 'l';
    case 0x0375: /* the Greek lower numeral sign */
        return script_of(after) == 'G';
    case 0x05F3: /* geresh and gershayim */
    case 0x05F4:
        return script_of(before) == 'H';
    case 0x30FB: /* the Katakana middle dot */
        return has_japanese(label, count);
    default: /* Arabic-Indic digits, those of Persian, not both */
        return within(label[at], 0x0660, 0x0669) ? !has_within(label, count, 0x06F0, 0x06F9)
                                                 : !has_within(label, count, 0x0660, 0x0669);
    }
}

const char *brant__idna_check(int32_t *out_point, const int32_t *label, size_t count) {
    *out_point = -1;
    if (!is_nfc(label, count)) return "is not in the normal form (NFC)";
    if (count >= 4 && label[2] == '-' && label[3] == '-')
        return "has hyphens in places three and four";
    if (count == 0 || label[0] == '-' || label[count - 1] == '-')
        return "begins or ends with a hyphen";
    for (size_t i = 0; i < count; i++) {
        const validity valid = validity_of(label[i]);
        *out_point = label[i];
        if (i == 0 && is_mark(label[0])) return "begins with a combining mark";
        if (valid == DISALLOWED) return "has what no domain may have";
        if (valid != VALID && !is_in_context(label, count, i))
            return "has what may not stand where it stands";
    }
    *out_point = -1;
    return NULL;
}

/* ---- direction (RFC 5893) -------------------------------------------------------------------- */

static utf8proc_bidi_class_t direction_of(int32_t point) {
    return (utf8proc_bidi_class_t)utf8proc_get_property(point)->bidi_class;
}

bool brant__idna_right_to_left(const int32_t *label, size_t count) {
    for (size_t i = 0; i < count; i++) {
        switch (direction_of(label[i])) {
        case UTF8PROC_BIDI_CLASS_R:
        case UTF8PROC_BIDI_CLASS_AL:
        case UTF8PROC_BIDI_CLASS_AN:
            return true;
        default:
            break;
        }
    }
    return false;
}

/* Conditions 2 and 5. */
static bool may_stand(utf8proc_bidi_class_t direction, bool right_to_left) {
    switch (direction) {
    case UTF8PROC_BIDI_CLASS_EN:
    case UTF8PROC_BIDI_CLASS_ES:
    case UTF8PROC_BIDI_CLASS_CS:
    case UTF8PROC_BIDI_CLASS_ET:
    case UTF8PROC_BIDI_CLASS_ON:
    case UTF8PROC_BIDI_CLASS_BN:
    case UTF8PROC_BIDI_CLASS_NSM:
        return true;
    case UTF8PROC_BIDI_CLASS_R:
    case UTF8PROC_BIDI_CLASS_AL:
    case UTF8PROC_BIDI_CLASS_AN:
        return right_to_left;
    case UTF8PROC_BIDI_CLASS_L:
        return !right_to_left;
    default:
        return false;
    }
}

bool brant__idna_bidi(const int32_t *label, size_t count) {
    const utf8proc_bidi_class_t first = direction_of(label[0]);
    const bool right_to_left = first == UTF8PROC_BIDI_CLASS_R || first == UTF8PROC_BIDI_CLASS_AL;
    bool european = false, arabic = false;
    utf8proc_bidi_class_t last = first;

    if (!right_to_left && first != UTF8PROC_BIDI_CLASS_L) return false;
    for (size_t i = 0; i < count; i++) {
        const utf8proc_bidi_class_t direction = direction_of(label[i]);
        if (!may_stand(direction, right_to_left)) return false;
        european = european || direction == UTF8PROC_BIDI_CLASS_EN;
        arabic = arabic || direction == UTF8PROC_BIDI_CLASS_AN;
        if (direction != UTF8PROC_BIDI_CLASS_NSM) last = direction;
    }
    if (!right_to_left) return last == UTF8PROC_BIDI_CLASS_L || last == UTF8PROC_BIDI_CLASS_EN;
    return !(european && arabic) &&
           (last == UTF8PROC_BIDI_CLASS_R || last == UTF8PROC_BIDI_CLASS_AL ||
            last == UTF8PROC_BIDI_CLASS_EN || last == UTF8PROC_BIDI_CLASS_AN);
}

/* ---- messages -------------------------------------------------------------------------------- */

void brant__idna_show(char *out, size_t size, const int32_t *label, size_t count) {
    static const char more[] = "...";
    size_t length = 0;

    for (size_t i = 0; i < count; i++) {
        const utf8proc_propval_t category = utf8proc_get_property(label[i])->category;
        const bool shows = category != UTF8PROC_CATEGORY_CN && category < UTF8PROC_CATEGORY_ZL;
        if (size - length < 4 + sizeof more) {
            memcpy(out + length, more, sizeof more);
            return;
        }
        length +=
            (size_t)utf8proc_encode_char(shows ? label[i] : '?', (utf8proc_uint8_t *)out + length);
    }
    out[length] = '\0';
}
