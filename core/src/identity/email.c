/*
 * identity/email.c: see email.h.
 */
#include "identity/email.h"

/* What of an input a message repeats. */
#define SHOWN 80

static brant_status refuse(brant__text part, const char *problem) {
    char shown[SHOWN + 1];
    size_t length = part.length < SHOWN ? part.length : SHOWN;

    while (length < part.length && ((unsigned char)part.data[length] & 0xC0) == 0x80)
        length--;
    for (size_t i = 0; i < length; i++) /* a message is one line */
        shown[i] = (unsigned char)part.data[i] < 0x20 || part.data[i] == 0x7F ? '?' : part.data[i];
    shown[length] = '\0';
    return brant__fail(BRANT_INVALID, "/email: \"%s%s\" %s", shown,
                       length < part.length ? "..." : "", problem);
}

static bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}
/* RFC 5322's atext. */
static bool is_atext(char c) {
    return is_alphanumeric(c) || (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}
static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Lower-cases `local` in place. */
static brant_status normalize_local(char *local, size_t length) {
    const brant__text text = brant__text_of(local, length);

    if (length == 0) return brant__fail(BRANT_INVALID, "/email: nothing stands before \"@\"");
    if (length > BRANT__EMAIL_LOCAL_MOST)
        return brant__fail(BRANT_INVALID, "/email: %zu bytes stand before \"@\", more than %d",
                           length, BRANT__EMAIL_LOCAL_MOST);
    if (local[0] == '"') return refuse(text, "is quoted, which is not supported before \"@\"");
    for (size_t i = 0; i < length; i++) {
        local[i] = lower(local[i]);
        if ((unsigned char)local[i] >= 0x80)
            return refuse(text, "is not ASCII, as what stands before \"@\" must be");
        if (local[i] == '.' ? i == 0 || local[i - 1] == '.' : !is_atext(local[i]))
            return local[i] == '.' ? refuse(text, "has a dot at its start or two in a row")
                                   : refuse(text, "has a character that cannot stand before \"@\"");
    }
    if (local[length - 1] == '.') return refuse(text, "has a dot at its end");
    return BRANT_OK;
}

/* One label of a domain in lower case. */
static brant_status check_label(brant__text label) {
    if (label.length == 0)
        return brant__fail(BRANT_INVALID, "/email: the domain has an empty label");
    if (label.length > 63) return refuse(label, "has more than 63 bytes, as no label of a domain");
    for (size_t i = 0; i < label.length; i++) {
        if ((unsigned char)label.data[i] >= 0x80)
            return refuse(label, "is not ASCII, as labels of a domain must be");
        if (!is_alphanumeric(label.data[i]) && label.data[i] != '-')
            return refuse(label, "has a character that no label of a domain has");
    }
    if (label.data[0] == '-' || label.data[label.length - 1] == '-')
        return refuse(label, "begins or ends with a hyphen, as no label of a domain");
    return BRANT_OK;
}

static bool all_digits(brant__text label) {
    for (size_t i = 0; i < label.length; i++) {
        if (label.data[i] < '0' || label.data[i] > '9') return false;
    }
    return true;
}

/* Lower-cases `domain` in place. */
static brant_status normalize_domain(char *domain, size_t length) {
    const brant__text whole = brant__text_of(domain, length);
    brant__text label = {domain, 0};
    size_t labels = 0;
    brant_status status;

    if (length == 0) return brant__fail(BRANT_INVALID, "/email: nothing stands behind \"@\"");
    if (domain[0] == '[') return refuse(whole, "is an address, not a domain");
    for (size_t i = 0; i <= length; i++) {
        if (i < length) domain[i] = lower(domain[i]);
        if (i < length && domain[i] != '.') continue;
        label.length = (size_t)(domain + i - label.data);
        status = check_label(label);
        if (status != BRANT_OK) return status;
        labels++;
        if (i < length) label.data = domain + i + 1;
    }
    if (labels < 2) return refuse(whole, "is one label, where a domain has at least two");
    if (all_digits(label)) return refuse(whole, "ends with a number, as no domain");
    return BRANT_OK;
}

brant_status brant__email_normalize(brant__text *out, brant__arena *arena, brant__text email) {
    char *to, *at;
    brant_status status;

    *out = (brant__text){NULL, 0};
    if (email.length > BRANT__EMAIL_LENGTH_MOST)
        return brant__fail(BRANT_INVALID, "/email: has %zu bytes, more than %d", email.length,
                           BRANT__EMAIL_LENGTH_MOST);
    to = brant__arena_copy(arena, email.data, email.length);
    if (!to) return brant__fail_memory();
    at = memchr(to, '@', email.length);
    if (!at) return refuse(email, "has no \"@\"");
    status = normalize_local(to, (size_t)(at - to));
    if (status != BRANT_OK) return status;
    at++;
    status = normalize_domain(at, email.length - (size_t)(at - to));
    if (status == BRANT_OK) *out = brant__text_of(to, email.length);
    return status;
}
