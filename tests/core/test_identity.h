/*
 * tests/core/test_identity.h: files with accounts and organisations, for the tests of identity. Ids are given, so that the tests can name them: UUIDs that end in a letter and digits.
 */
#ifndef BRANT_TESTS_IDENTITY_H
#define BRANT_TESTS_IDENTITY_H

#include "support_audit.h"

#define ID(last) "00000000-0000-7000-8000-0000000000" last /* two hexadecimal digits */

/* Members of an input. */
#define ACTOR(id)        "\"actor\":{\"id\":\"" id "\"}"
#define MEMBERSHIP(o, a) "\"org_id\":\"" o "\",\"account_id\":\"" a "\""

/* Accounts, each with an email of their first letter. EVE is a service; ADMIN has access_level admin. */
#define ANN    ID("a0")
#define BOB    ID("b0")
#define CARA   ID("c0")
#define DAN    ID("d0")
#define EVE    ID("e0")
#define ADMIN  ID("ad")
#define NOBODY ID("99")
/* Organisations. */
#define ORG   ID("01")
#define OTHER ID("02")

static inline void make_account(brant_db *db, const char *id, const char *email,
                                const char *access_level) {
    char json[512];
    snprintf(json, sizeof(json), "{\"id\":\"%s\",\"email\":\"%s\",\"access_level\":\"%s\"}", id,
             email, access_level);
    must(db, "accounts.create", json, id);
}

static inline void make_accounts(brant_db *db) {
    make_account(db, ANN, "a@example.org", "user");
    make_account(db, BOB, "b@example.org", "user");
    make_account(db, CARA, "c@example.org", "user");
    make_account(db, DAN, "d@example.org", "user");
    make_account(db, EVE, "e@example.org", "service");
    make_account(db, ADMIN, "admin@example.org", "admin");
}

/* Organisation ORG of ANN, with BOB admin, CARA member and DAN viewer. */
static inline void make_organization(brant_db *db) {
    must(db, "organizations.create",
         "{\"id\":\"" ORG "\",\"slug\":\"x\",\"name\":\"X\",\"owner_id\":\"" ANN "\"}", ORG);
    must(db, "members.add", "{" MEMBERSHIP(ORG, BOB) ",\"level\":\"admin\"}", BOB);
    must(db, "members.add", "{" MEMBERSHIP(ORG, CARA) "}", "\"level\":\"member\"");
    must(db, "members.add", "{" MEMBERSHIP(ORG, DAN) ",\"level\":\"viewer\"}", DAN);
}

/* A file in the test's folder with all of these. */
static inline brant_db *must_open_identity(void **state) {
    brant_db *db = must_open_audited(in_folder(*state, "identity.db"));
    make_accounts(db);
    make_organization(db);
    return db;
}

/* What came since the last look holds the text. */
static inline void must_yield(brant_cursor *cursor, const char *wanted) {
    char *items = NULL;
    size_t length = 0;
    assert_int_equal(brant_cursor_next(&items, &length, cursor, 0), BRANT_OK);
    if (!strstr(items, wanted)) fail_msg("\"%s\" is not in %s", wanted, items);
    brant_free(items);
}
static inline void must_yield_nothing(brant_cursor *cursor) {
    char *items = NULL;
    size_t length = 0;
    assert_int_equal(brant_cursor_next(&items, &length, cursor, 0), BRANT_OK);
    assert_string_equal(items, "[]");
    brant_free(items);
}

#endif
