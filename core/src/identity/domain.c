/*
 * identity/domain.c: see domain.h.
 */
#include "identity/domain.h"

#include <stdio.h>

#include "identity/idna.h"
#include "identity/punycode.h"

/* A domain of 253 bytes has fewer composed points, none of which decomposes to more than four. */
#define POINTS_MOST ((BRANT__DOMAIN_MOST + 3) * 4)
/* What of a label a message repeats. */
#define SHOWN 100

static const char prefix[] = "xn--";
enum { PREFIX_LENGTH = sizeof prefix - 1 };

typedef struct domain {
    const char *pointer;
    char *out;
    size_t length;
    size_t labels;
    const int32_t *label; /* the one that is looked at */
    size_t count;
    bool right_to_left;    /* a label is */
    const int32_t *unruly; /* one that breaks RFC 5893's rule, or NULL */
    size_t unruly_count;
} domain;

static brant_status refuse(const domain *in, const char *problem, int32_t point) {
    char shown[SHOWN], named[16] = "";

    brant__idna_show(shown, sizeof shown, in->label, in->count);
    if (point >= 0) (void)snprintf(named, sizeof named, ": U+%04X", (unsigned int)point);
    return brant__fail(BRANT_INVALID, "%s: \"%s\" in the domain %s%s", in->pointer, shown, problem,
                       named);
}

static bool is_digit(int32_t point) {
    return point >= '0' && point <= '9';
}

static bool is_all(const int32_t *label, size_t count, bool (*test)(int32_t)) {
    for (size_t i = 0; i < count; i++) {
        if (!test(label[i])) return false;
    }
    return true;
}

static bool is_ascii(int32_t point) {
    return point < 0x80;
}

/* As the DNS's host names have them. */
static brant_status check_ascii(const domain *in) {
    for (size_t i = 0; i < in->count; i++) {
        const int32_t point = in->label[i];
        if (point != '-' && !is_digit(point) && (point < 'a' || point > 'z'))
            return refuse(in, "has what no domain may have", point);
    }
    if (in->label[0] == '-' || in->label[in->count - 1] == '-')
        return refuse(in, "begins or ends with a hyphen", -1);
    return BRANT_OK;
}

static brant_status check_unicode(const domain *in, const int32_t *label, size_t count) {
    int32_t point;
    const char *problem = brant__idna_check(&point, label, count);

    return problem ? refuse(in, problem, point) : BRANT_OK;
}

static void note_direction(domain *in, const int32_t *label, size_t count) {
    if (brant__idna_right_to_left(label, count)) in->right_to_left = true;
    if (in->unruly || brant__idna_bidi(label, count)) return;
    in->unruly = in->label;
    in->unruly_count = in->count;
}

static brant_status put(domain *in, const char *label, size_t length) {
    if (length > BRANT__LABEL_MOST) return refuse(in, "has more than 63 bytes in the DNS", -1);
    if (in->length + (in->labels > 0) + length > BRANT__DOMAIN_MOST)
        return brant__fail(BRANT_INVALID, "%s: the domain has more than %d bytes in the DNS",
                           in->pointer, BRANT__DOMAIN_MOST);
    if (in->labels++ > 0) in->out[in->length++] = '.';
    memcpy(in->out + in->length, label, length);
    in->length += length;
    return BRANT_OK;
}

/* Writes the A-label of `label`, which may be what in->label decodes to. */
static bool encode(char *out, size_t *out_length, const int32_t *label, size_t count) {
    memcpy(out, prefix, PREFIX_LENGTH);
    if (!brant__punycode_encode(out + PREFIX_LENGTH, out_length, BRANT__LABEL_MOST - PREFIX_LENGTH,
                                label, count))
        return false;
    *out_length += PREFIX_LENGTH;
    return true;
}

static brant_status add_unicode(domain *in) {
    char encoded[BRANT__LABEL_MOST];
    size_t length;
    brant_status status;

    if (in->count > BRANT__IDNA_MOST) return refuse(in, "has more than 63 bytes in the DNS", -1);
    status = check_unicode(in, in->label, in->count);
    if (status != BRANT_OK) return status;
    if (!encode(encoded, &length, in->label, in->count))
        return refuse(in, "has more than 63 bytes in the DNS", -1);
    note_direction(in, in->label, in->count);
    return put(in, encoded, length);
}

static brant_status add_ascii(domain *in) {
    char label[BRANT__LABEL_MOST], encoded[BRANT__LABEL_MOST];
    int32_t decoded[BRANT__IDNA_MOST];
    size_t count, length;
    brant_status status = check_ascii(in);

    if (status != BRANT_OK) return status;
    if (in->count > BRANT__LABEL_MOST) return refuse(in, "has more than 63 bytes in the DNS", -1);
    for (size_t i = 0; i < in->count; i++)
        label[i] = (char)in->label[i];
    if (in->count < PREFIX_LENGTH || memcmp(label, prefix, PREFIX_LENGTH) != 0) {
        note_direction(in, in->label, in->count);
        return put(in, label, in->count);
    }
    if (!brant__punycode_decode(decoded, &count, BRANT__IDNA_MOST,
                                brant__text_of(label + PREFIX_LENGTH, in->count - PREFIX_LENGTH)))
        return refuse(in, "is no encoded label, as its start says", -1);
    status = check_unicode(in, decoded, count);
    if (status != BRANT_OK) return status;
    if (!encode(encoded, &length, decoded, count) || length != in->count ||
        memcmp(encoded, label, length) != 0)
        return refuse(in, "is not how what it stands for is encoded", -1);
    note_direction(in, decoded, count);
    return put(in, label, in->count);
}

brant_status brant__domain_normalize(char out[BRANT__DOMAIN_MOST + 1], size_t *out_length,
                                     brant__text text, const char *pointer) {
    domain in = {.pointer = pointer, .out = out};
    int32_t points[POINTS_MOST];
    size_t count, from = 0;

    *out_length = 0;
    if (text.length == 0) return brant__fail(BRANT_INVALID, "%s: the domain is empty", pointer);
    if (text.data[0] == '[')
        return brant__fail(BRANT_INVALID, "%s: an address stands in place of a domain", pointer);
    if (!brant__idna_map(points, &count, POINTS_MOST, text))
        return brant__fail(BRANT_INVALID, "%s: the domain has more than %d bytes in the DNS",
                           pointer, BRANT__DOMAIN_MOST);
    for (size_t i = 0; i <= count; i++) {
        brant_status status;
        if (i < count && points[i] != '.') continue;
        in.label = points + from;
        in.count = i - from;
        from = i + 1;
        if (in.count == 0)
            return brant__fail(BRANT_INVALID, "%s: the domain has an empty label", pointer);
        status = is_all(in.label, in.count, is_ascii) ? add_ascii(&in) : add_unicode(&in);
        if (status != BRANT_OK) return status;
    }
    if (in.labels < 2) return refuse(&in, "is its only label, where there are at least two", -1);
    if (is_all(in.label, in.count, is_digit))
        return refuse(&in, "is a number and the last label", -1);
    if (in.right_to_left && in.unruly) {
        in.label = in.unruly;
        in.count = in.unruly_count;
        return refuse(&in, "mixes directions of writing, or does beside a label from right to left",
                      -1);
    }
    out[in.length] = '\0';
    *out_length = in.length;
    return BRANT_OK;
}
