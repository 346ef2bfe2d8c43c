/*
 * tests/core/support_key.h: what the tests of keys and invitations share: a ring with pepper and audit key, calls whose input is formatted, members of answers, accounts and organisations.
 *
 * JSON is written with ' for " here.
 */
#ifndef BRANT_TESTS_SUPPORT_KEY_H
#define BRANT_TESTS_SUPPORT_KEY_H

#include "fake_clock.h"
#include "support_ring.h"

#include "identity/token.h"

#define PURPOSE(purpose, version, state, key)                                                      \
    "{\"purpose\":\"" purpose "\",\"version\":" #version ",\"state\":\"" state "\",\"key\":\"" key \
    "\"}"
#define AUDIT_KEY_1    PURPOSE("audit", 1, "active", KEY_1)
#define PEPPER_1       PURPOSE("pepper", 1, "active", KEY_2)
#define PEPPER_1_OLD   PURPOSE("pepper", 1, "decrypt_only", KEY_2)
#define PEPPER_1_OFF   PURPOSE("pepper", 1, "disabled", KEY_2)
#define PEPPER_2       PURPOSE("pepper", 2, "active", KEY_3)
#define IDENTITY_RING  RING(AUDIT_KEY_1 "," PEPPER_1)
#define NEXT_RING      RING(AUDIT_KEY_1 "," PEPPER_1_OLD "," PEPPER_2)
#define WITHOUT_PEPPER RING(AUDIT_KEY_1)

#define WORD 1024
typedef struct word {
    char text[WORD];
} word;

static char input_text[8192];

__attribute__((__format__(__printf__, 1, 0))) static inline const char *
write_input(const char *format, va_list values) {
    const int length = vsnprintf(input_text, sizeof input_text, format, values);
    assert_in_range(length, 0, sizeof input_text - 1);
    for (char *at = input_text; *at; at++)
        if (*at == '\'') *at = '"';
    return input_text;
}

/* Freed by brant_free. */
__attribute__((__format__(__printf__, 3, 4))) static inline char *
ask(brant_db *db, const char *name, const char *format, ...) {
    va_list values;
    va_start(values, format);
    const char *input = write_input(format, values);
    va_end(values);
    return must_call(db, name, input, NULL);
}

__attribute__((__format__(__printf__, 3, 4))) static inline void
tell(brant_db *db, const char *name, const char *format, ...) {
    va_list values;
    va_start(values, format);
    const char *input = write_input(format, values);
    va_end(values);
    must(db, name, input, NULL);
}

__attribute__((__format__(__printf__, 5, 6))) static inline void
refused(brant_db *db, const char *name, brant_status wanted, const char *message,
        const char *format, ...) {
    va_list values;
    va_start(values, format);
    const char *input = write_input(format, values);
    va_end(values);
    must_fail(db, name, input, wanted, message);
}

/* What stands behind the first "name": of the answer: a text without its quotes, or what else there is up to a comma or the end of the object. */
static inline word member_of(const char *answer, const char *name) {
    char begin[64];
    word found = {{0}};
    snprintf(begin, sizeof begin, "\"%s\":", name);
    const char *at = strstr(answer, begin);
    if (!at) fail_msg("no %s in %s", name, answer);
    at += strlen(begin);
    size_t length = *at == '"'   ? strcspn(++at, "\"")
                    : *at == '[' ? strcspn(at, "]") + 1
                                 : strcspn(at, ",}");
    assert_in_range(length, 0, sizeof found.text - 1);
    memcpy(found.text, at, length);
    return found;
}

/* The same of an answer, which is freed. */
static inline word take(char *answer, const char *name) {
    const word found = member_of(answer, name);
    brant_free(answer);
    return found;
}

static inline bool shows(const char *answer, const char *wanted) {
    char text[1024];
    assert_in_range(strlen(wanted), 0, sizeof text - 1);
    for (char *at = strcpy(text, wanted); *at; at++)
        if (*at == '\'') *at = '"';
    return strstr(answer, text) != NULL;
}
#define must_hold(answer, wanted)                                                                  \
    do {                                                                                           \
        if (!shows(answer, wanted)) fail_msg("%s does not hold %s", answer, wanted);               \
    } while (0)

/* Another token by one digit, whose checksum is right: what somebody makes who tries. */
static inline void forge(char *token, size_t digit) {
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const size_t before = strlen(token) - BRANT__TOKEN_CRC;
    token[digit] = token[digit] == 'x' ? 'y' : 'x';
    uint32_t crc = brant__crc32(brant__text_of(token, before));
    for (size_t i = BRANT__TOKEN_CRC; i > 0; i--, crc /= 62)
        token[before + i - 1] = digits[crc % 62];
    brant__text type, kid;
    assert_true(brant__token_read(&type, &kid, brant__text_string(token)));
}

static inline word new_account(brant_db *db, const char *email, const char *access_level) {
    return take(
        ask(db, "accounts.create", "{'email':'%s','access_level':'%s'}", email, access_level),
        "id");
}

static inline word new_organization(brant_db *db, const char *slug, const char *owner_id) {
    return take(ask(db, "organizations.create", "{'slug':'%s','name':'%s','owner_id':'%s'}", slug,
                    slug, owner_id),
                "id");
}

static inline void add_member(brant_db *db, const char *org_id, const char *account_id,
                              const char *level) {
    tell(db, "members.add", "{'org_id':'%s','account_id':'%s','level':'%s'}", org_id, account_id,
         level);
}

/* A file with a ring, at the fake clock. */
static inline brant_db *open_identity(const char *path) {
    brant_db *db = open_with_clock(path);
    must_load(db, IDENTITY_RING);
    return db;
}

#endif
