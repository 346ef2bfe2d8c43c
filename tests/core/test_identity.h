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

/* Accounts A to F, each with an email of their letter; ADMIN has access_level admin. */
#define A      ID("a0")
#define B      ID("b0")
#define C      ID("c0")
#define D      ID("d0")
#define E      ID("e0")
#define ADMIN  ID("ad")
#define NOBODY ID("99")
/* Organisations. */
#define X ID("01")
#define Y ID("02")

static inline void make_account(brant_db *db, const char *id, const char *email,
                                const char *access_level) {
    char json[512];
    snprintf(json, sizeof(json), "{\"id\":\"%s\",\"email\":\"%s\",\"access_level\":\"%s\"}", id,
             email, access_level);
    must(db, "accounts.create", json, id);
}

static inline void make_accounts(brant_db *db) {
    make_account(db, A, "a@example.org", "user");
    make_account(db, B, "b@example.org", "user");
    make_account(db, C, "c@example.org", "user");
    make_account(db, D, "d@example.org", "user");
    make_account(db, E, "e@example.org", "service");
    make_account(db, ADMIN, "admin@example.org", "admin");
}

/* Organisation X of A, with B admin, C member and D viewer. */
static inline void make_organization(brant_db *db) {
    must(db, "organizations.create",
         "{\"id\":\"" X "\",\"slug\":\"x\",\"name\":\"X\",\"owner_id\":\"" A "\"}", X);
    must(db, "members.add", "{" MEMBERSHIP(X, B) ",\"level\":\"admin\"}", B);
    must(db, "members.add", "{" MEMBERSHIP(X, C) "}", "\"level\":\"member\"");
    must(db, "members.add", "{" MEMBERSHIP(X, D) ",\"level\":\"viewer\"}", D);
}

/* A file in the test's folder with all of these. */
static inline brant_db *must_open_identity(void **state) {
    brant_db *db = must_open_audited(in_folder(*state, "identity.db"));
    make_accounts(db);
    make_organization(db);
    return db;
}

#endif
