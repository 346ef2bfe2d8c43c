/*
 * tests/core/test_key_races.c: processes that rotate, revoke, verify and accept at once on one file.
 */
#include <stdatomic.h>
#include <sys/mman.h>

#include "support_key.h"

#include "child.h"

#define RACERS 4
#define ROUNDS 12

/* What the children find is in a page that all have. */
typedef struct shared {
    atomic_int won, refused, revoked;
    atomic_int late; /* verifications that began after the answer of a revocation and succeeded */
    atomic_int before, after;
    atomic_int end;
    char input[WORD * 2];
} shared;
static shared *page;

static brant_status call_with(brant_db *db, const char *name, const char *input) {
    char *answer = NULL;
    size_t length = 0;
    const brant_status status = brant_call(&answer, &length, db, TEXT(name), TEXT(input));
    brant_free(answer);
    return status;
}

static brant_db *open_here(const char *path) {
    brant_db *db = NULL;
    CHECK(brant_open(&db, TEXT(path), TEXT(PATIENT)) == BRANT_OK);
    CHECK(brant_keyring_load(db, TEXT(IDENTITY_RING)) == BRANT_OK);
    return db;
}

/* ---- one of several wins --------------------------------------------------------------------------------------------- */

static const char *race_name;
static brant_status race_lost;

static void race(child *self) {
    brant_db *db = open_here(self->path);
    say(self);
    if (!hear(self)) _exit(1);
    const brant_status status = call_with(db, race_name, page->input);
    if (status == BRANT_OK)
        page->won++;
    else if (status == race_lost)
        page->refused++;
    else
        CHECK(status == BRANT_OK);
    brant_db_free(db);
}

/* All do the same at once: one succeeds, the others are told `lost`. */
static void must_win_once(const char *path, const char *name, brant_status lost) {
    child children[RACERS];
    race_name = name;
    race_lost = lost;
    page->won = page->refused = 0;
    for (int i = 0; i < RACERS; i++)
        fork_child(&children[i], race, path, i);
    for (int i = 0; i < RACERS; i++)
        assert_true(hear(&children[i]));
    for (int i = 0; i < RACERS; i++)
        say(&children[i]);
    for (int i = 0; i < RACERS; i++)
        must_end(&children[i], 0);
    assert_int_equal(page->won, 1);
    assert_int_equal(page->refused, RACERS - 1);
}

static brant_db *open_ringed(const char *path) {
    brant_db *db = must_open(path, "");
    must_load(db, IDENTITY_RING);
    return db;
}

/* The input of the racers; `"` for '. */
__attribute__((__format__(__printf__, 1, 2))) static void set_input(const char *format, ...) {
    va_list values;
    va_start(values, format);
    vsnprintf(page->input, sizeof page->input, format, values);
    va_end(values);
    for (char *at = page->input; *at; at++)
        if (*at == '\'') *at = '"';
}

static void test_rotated_once(void **state) {
    const char *path = in_folder(*state, "a.db");
    for (int round = 0; round < ROUNDS; round++) {
        brant_db *db = open_ringed(path);
        char email[64];
        snprintf(email, sizeof email, "a%d@example.com", round);
        const word account = new_account(db, email, "user");
        const word id = take(ask(db, "api_keys.create",
                                 "{'owner_id':'%s','name':'k','scopes':['*:*']}", account.text),
                             "id");
        set_input("{'id':'%s'}", id.text);
        brant_db_free(db);
        must_win_once(path, "api_keys.rotate", BRANT_CONFLICT);
        db = open_ringed(path);
        assert_int_equal(number(db, "SELECT count(*) FROM brant_api_keys"), 2 * (round + 1));
        brant_db_free(db);
    }
}

static void test_accepted_once(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = open_ringed(path);
    const word owner = new_account(db, "owner@example.com", "user");
    const word org = new_organization(db, "acme", owner.text);
    brant_db_free(db);
    for (int round = 0; round < ROUNDS; round++) {
        db = open_ringed(path);
        char email[64];
        snprintf(email, sizeof email, "a%d@example.com", round);
        const word account = new_account(db, email, "user");
        const word token =
            take(ask(db, "invitations.create", "{'org_id':'%s','email':'%s'}", org.text, email),
                 "token");
        set_input("{'token':'%s','account_id':'%s'}", token.text, account.text);
        brant_db_free(db);
        must_win_once(path, "invitations.accept", BRANT_CONFLICT);
        db = open_ringed(path);
        assert_int_equal(number(db, "SELECT count(*) FROM brant_members"), round + 2);
        brant_db_free(db);
    }
}

/* ---- revoked is revoked -------------------------------------------------------------------------------------------------- */

/*
 * It reads whether the revocation was answered before it verifies: a success then is one too late. Another process, another clock, another cache: only the file says it.
 */
static void verify_all_the_time(child *self) {
    brant_db *db = open_here(self->path);
    say(self);
    if (!hear(self)) _exit(1);
    while (!page->end) {
        const bool revoked = page->revoked;
        const brant_status status = call_with(db, "api_keys.verify", page->input);
        CHECK(status == BRANT_OK || status == BRANT_AUTH);
        if (revoked)
            page->after++;
        else if (status == BRANT_OK)
            page->before++;
        if (revoked && status == BRANT_OK) page->late++;
    }
    brant_db_free(db);
}

static void test_revoked_for_all(void **state) {
    const char *path = in_folder(*state, "a.db");
    for (int round = 0; round < ROUNDS; round++) {
        child children[2];
        brant_db *db = open_ringed(path);
        char email[64];
        snprintf(email, sizeof email, "a%d@example.com", round);
        const word account = new_account(db, email, "user");
        char *made = ask(db, "api_keys.create", "{'owner_id':'%s','name':'k','scopes':['*:*']}",
                         account.text);
        set_input("{'token':'%s'}", member_of(made, "token").text);
        const word id = take(made, "id");
        brant_db_free(db);
        page->revoked = page->late = page->before = page->after = page->end = 0;
        for (int i = 0; i < 2; i++)
            fork_child(&children[i], verify_all_the_time, path, i);
        for (int i = 0; i < 2; i++)
            assert_true(hear(&children[i]));
        db = open_ringed(path);
        for (int i = 0; i < 2; i++)
            say(&children[i]);
        for (const int64_t begun = monotonic_ms();
             page->before < 20 && monotonic_ms() - begun < 120000;)
            pause_ms(1);
        tell(db, "api_keys.revoke", "{'id':'%s'}", id.text);
        page->revoked = 1;
        for (const int64_t begun = monotonic_ms();
             page->after < 100 && monotonic_ms() - begun < 120000;)
            pause_ms(1);
        page->end = 1;
        for (int i = 0; i < 2; i++)
            must_end(&children[i], 0);
        brant_db_free(db);
        assert_true(page->before >= 20);
        assert_true(page->after >= 100);
        assert_int_equal(page->late, 0);
    }
}

int main(void) {
    page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return 1;
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_folder, tear_down_children)
    const struct CMUnitTest tests[] = {
        TEST(test_rotated_once),
        TEST(test_accepted_once),
        TEST(test_revoked_for_all),
    };
    return cmocka_run_group_tests_name("key_races", tests, NULL, NULL);
}
