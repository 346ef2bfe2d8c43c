/*
 * identity/email.c: see email.h.
 */
#include "identity/email.h"

#include "identity/domain.h"

/* What of an input a message repeats. */
#define SHOWN 64

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

static brant_status refuse(brant__text part, const char *problem) {
    char shown[SHOWN + 1];
    const size_t length = part.length < SHOWN ? part.length : SHOWN;

    for (size_t i = 0; i < length; i++) /* what shows, on one line */
        shown[i] = part.data[i] < 0x20 || part.data[i] >= 0x7F ? '?' : part.data[i];
    shown[length] = '\0';
    return brant__fail(BRANT_INVALID, "/email: \"%s%s\" %s", shown,
                       length < part.length ? "..." : "", problem);
}

/* Writes `local` in lower case to `out`. */
static brant_status normalize_local(char out[BRANT__EMAIL_LOCAL_MOST], brant__text local) {
    if (local.length == 0) return brant__fail(BRANT_INVALID, "/email: nothing stands before \"@\"");
    if (local.length > BRANT__EMAIL_LOCAL_MOST)
        return brant__fail(BRANT_INVALID, "/email: %zu bytes stand before \"@\", more than %d",
                           local.length, BRANT__EMAIL_LOCAL_MOST);
    if (local.data[0] == '"')
        return refuse(local, "is quoted, which is not supported before \"@\"");
    for (size_t i = 0; i < local.length; i++) {
        out[i] = lower(local.data[i]);
        if ((unsigned char)out[i] >= 0x80)
            return refuse(local, "is not ASCII, as what stands before \"@\" must be");
        if (out[i] == '.' && (i == 0 || out[i - 1] == '.'))
            return refuse(local, "has a dot at its start or two in a row");
        if (out[i] != '.' && !is_atext(out[i]))
            return refuse(local, "has a character that cannot stand before \"@\"");
    }
    if (out[local.length - 1] == '.') return refuse(local, "has a dot at its end");
    return BRANT_OK;
}

brant_status brant__email_normalize(brant__text *out, brant__arena *arena, brant__text email) {
    char to[BRANT__EMAIL_LOCAL_MOST + 1 + BRANT__DOMAIN_MOST + 1];
    const char *at;
    brant__text local, domain;
    size_t length;
    brant_status status;

    *out = (brant__text){NULL, 0};
    if (email.length > BRANT__EMAIL_INPUT_MOST)
        return brant__fail(BRANT_INVALID, "/email: has %zu bytes, more than %d", email.length,
                           BRANT__EMAIL_INPUT_MOST);
    if (brant__utf8_check(email.data, email.length) != SIZE_MAX)
        return brant__fail(BRANT_INVALID, "/email: is not UTF-8");
    at = email.length ? memchr(email.data, '@', email.length) : NULL;
    if (!at) return refuse(email, "has no \"@\"");
    local = brant__text_of(email.data, (size_t)(at - email.data));
    domain = brant__text_of(at + 1, email.length - local.length - 1);
    status = normalize_local(to, local);
    if (status != BRANT_OK) return status;
    to[local.length] = '@';
    status = brant__domain_normalize(to + local.length + 1, &length, domain, "/email");
    if (status != BRANT_OK) return status;
    length += local.length + 1;
    if (length > BRANT__EMAIL_LENGTH_MOST)
        return brant__fail(BRANT_INVALID, "/email: has %zu bytes, more than %d", length,
                           BRANT__EMAIL_LENGTH_MOST);
    return brant__arena_text(out, arena, brant__text_of(to, length));
}
