/*
 * tests/core/test_identity_race.c: two processes change the same organisation at the same moment: what each may do alone, one of them does, and an active owner remains.
 */
#define _GNU_SOURCE
#include "test_identity.h"

#include "child.h"

#define ROUNDS 120

/* Names in the texts below: ^a ^b ^c accounts of the round, ^o its organisation, ^n its number. */
static void expand(char *out, size_t room, const char *text, int round) {
    size_t length = 0;
    for (; *text && length + 40 < room; text++) {
        if (*text != '^') {
            out[length++] = *text;
            continue;
        }
        text++;
        length += (size_t)(*text == 'n' ? snprintf(out + length, room - length, "%d", round)
                                        : snprintf(out + length, room - length,
                                                   "00000000-0000-7000-8000-%x%011x",
                                                   *text == 'o' ? 0xd : *text - 'a' + 0xa, round));
    }
    out[length] = 0;
}

typedef struct act {
    const char *operation, *input;
    brant_status otherwise; /* what it fails with when the other was first */
} act;

#define IN_ORG(account) "\"org_id\":\"^o\",\"account_id\":\"" account "\""
#define BY(account)     "\"actor\":{\"id\":\"" account "\"}"

/*
 * The organisation of ^a, with ^b as another owner and ^c as a third where the round begins with ^a out of use.
 */
static const struct race {
    const char *name;
    bool third;
    act acts[2];
} races[] = {
    {"two owners leave",
     true,
     {{"members.leave", "{\"org_id\":\"^o\"," BY("^b") "}", BRANT_CONSTRAINT},
      {"members.leave", "{\"org_id\":\"^o\"," BY("^c") "}", BRANT_CONSTRAINT}}},
    {"one owner is lowered, one suspended",
     true,
     {{"members.set_level", "{" IN_ORG("^b") ",\"level\":\"viewer\"}", BRANT_CONSTRAINT},
      {"members.suspend", "{" IN_ORG("^c") "}", BRANT_CONSTRAINT}}},
    {"one owner's account goes out of use, one is removed",
     false,
     {{"accounts.deactivate", "{\"id\":\"^a\"}", BRANT_CONSTRAINT},
      {"members.remove", "{" IN_ORG("^b") "}", BRANT_CONSTRAINT}}},
    {"one owner's account goes out of use, one is deleted",
     false,
     {{"accounts.deactivate", "{\"id\":\"^a\"}", BRANT_CONSTRAINT},
      {"accounts.delete", "{\"id\":\"^b\"}", BRANT_CONSTRAINT}}},
    {"both owners' accounts go out of use",
     false,
     {{"accounts.deactivate", "{\"id\":\"^a\"," BY("^a") "}", BRANT_CONSTRAINT},
      {"accounts.deactivate", "{\"id\":\"^b\"," BY("^b") "}", BRANT_CONSTRAINT}}},
    {"it is transferred to one who leaves",
     false,
     {{"organizations.transfer", "{\"id\":\"^o\",\"to\":\"^b\"," BY("^a") "}", BRANT_CONFLICT},
      {"members.leave", "{\"org_id\":\"^o\"," BY("^b") "}", BRANT_CONSTRAINT}}},
    {"two accounts of one email",
     false,
     {{"accounts.create", "{\"email\":\"New^n@example.org\"}", BRANT_EXISTS},
      {"accounts.create", "{\"email\":\"new^n@EXAMPLE.org\"}", BRANT_EXISTS}}},
    {"two organisations of one slug",
     false,
     {{"organizations.create", "{\"slug\":\"New-^n\",\"name\":\"1\"," BY("^a") "}", BRANT_EXISTS},
      {"organizations.create", "{\"slug\":\"new-^n\",\"name\":\"2\"," BY("^b") "}", BRANT_EXISTS}}},
};
#define RACES ((int)(sizeof(races) / sizeof(*races)))

/* ---- in the children --------------------------------------------------------------------------- */

static void take_part(child *self) {
    brant_db *db = NULL;
    CHECK(brant_open(&db, TEXT(self->path), TEXT(PATIENT)) == BRANT_OK);
    CHECK(brant_keyring_load(db, TEXT(AUDIT_1)) == BRANT_OK);
    say(self);
    for (int round = 0; round < ROUNDS; round++) {
        const act *mine = &races[round % RACES].acts[self->number];
        char input[512], *answer = NULL, outcome = '1';
        size_t length = 0;
        expand(input, sizeof(input), mine->input, round);
        CHECK(hear(self));
        const brant_status status =
            brant_call(&answer, &length, db, TEXT(mine->operation), TEXT(input));
        brant_free(answer);
        CHECK(status == BRANT_OK || status == mine->otherwise);
        if (status != BRANT_OK) outcome = '0';
        CHECK(write(self->to, &outcome, 1) == 1);
    }
    brant_db_free(db);
}

/* ---- in the parent ----------------------------------------------------------------------------- */

static void do_one(brant_db *db, const char *operation, const char *input, int round) {
    char json[512];
    expand(json, sizeof(json), input, round);
    must(db, operation, json, NULL);
}

static void prepare(brant_db *db, int round) {
    const struct race *race = &races[round % RACES];
    do_one(db, "accounts.create", "{\"id\":\"^a\",\"email\":\"a^n@example.org\"}", round);
    do_one(db, "accounts.create", "{\"id\":\"^b\",\"email\":\"b^n@example.org\"}", round);
    do_one(db, "organizations.create",
           "{\"id\":\"^o\",\"slug\":\"o-^n\",\"name\":\"O\",\"owner_id\":\"^a\"}", round);
    do_one(db, "members.add", "{" IN_ORG("^b") ",\"level\":\"owner\"}", round);
    if (!race->third) return;
    do_one(db, "accounts.create", "{\"id\":\"^c\",\"email\":\"c^n@example.org\"}", round);
    do_one(db, "members.add", "{" IN_ORG("^c") ",\"level\":\"owner\"}", round);
    do_one(db, "accounts.deactivate", "{\"id\":\"^a\"}", round);
}

static int outcome_of(child *self) {
    char outcome = 'x';
    if (read(self->from, &outcome, 1) != 1) fail_msg("a child ended");
    assert_true(outcome == '0' || outcome == '1');
    return outcome - '0';
}

static void one_of_two_is_first(void **state) {
    const char *path = in_folder(*state, "a.db");
    child children[2];
    for (int i = 0; i < 2; i++)
        fork_child(&children[i], take_part, path, i);
    for (int i = 0; i < 2; i++)
        assert_true(hear(&children[i]));
    brant_db *db = must_open_audited(path);
    for (int round = 0; round < ROUNDS; round++) {
        int done = 0;
        prepare(db, round);
        /* Each is told first in turn. */
        for (int i = 0; i < 2; i++)
            say(&children[(round / RACES + i) % 2]);
        for (int i = 0; i < 2; i++)
            done += outcome_of(&children[i]);
        if (done != 1)
            fail_msg("round %d, %s: %d of them did", round, races[round % RACES].name, done);
    }
    /* Of every organisation that was made. */
    assert_int_equal(
        number(db, "SELECT count(*) FROM brant_organizations o WHERE NOT EXISTS (SELECT 1 FROM "
                   "brant_members m JOIN brant_accounts a ON a.id = m.account_id WHERE m.org_id = "
                   "o.id AND m.level = 'owner' AND m.status = 'active' AND a.status = 'active') "
                   "OR NOT EXISTS (SELECT 1 FROM brant_members m WHERE m.org_id = o.id AND "
                   "m.account_id = o.owner_id AND m.level = 'owner')"),
        0);
    must_be_well(db);
    brant_db_free(db);
    for (int i = 0; i < 2; i++)
        must_end(&children[i], 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_of_two_is_first, set_up_folder, tear_down_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
