/*
 * tests/core/test_hub_delegation.c: delegations between organisations: what each side has of them, who may, and processes that are killed before each commit of one.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/wait.h>

#include "support_audit.h"
#include "support_commit.h"
#include "support_hub.h"

#define A   "0192d3a4-7c1e-7000-8000-00000000000a"
#define B   "0192d3a4-7c1e-7000-8000-00000000000b"
#define BOT "foreign:" B ":bot"

#define DELEGATE(terms)                                                                            \
    "{\"from_org\":\"" A "\",\"from\":\"p\",\"to_org\":\"" B "\",\"to\":\"bot\"," terms "}"
#define READ "\"scopes\":[\"nodes:read\"]"
#define ASK(subject)                                                                               \
    "{\"subject\":\"" subject "\",\"scope\":\"nodes:read\",\"resource\":\"graph:x\"}"

static void make_organization(brant_hub *hub, const char *id, const char *slug) {
    char json[512];
    brant_db *system = brant_hub_system(hub);
    snprintf(json, sizeof json,
             "{\"id\":\"%s\",\"slug\":\"%s\",\"name\":\"N\",\"owner_id\":\"" A "\"}", id, slug);
    must(system, "organizations.create", json, id);
}

static brant_hub *open_again(void **state) {
    brant_hub *hub = must_open_hub(in_folder(*state, "hub"), "");
    assert_int_equal(brant_hub_keyring_load(hub, TEXT(AUDIT_1)), BRANT_OK);
    return hub;
}

/* Organisations A and B; principal p of A may nodes:*. */
static brant_hub *make_hub(void **state) {
    brant_hub *hub = open_again(state);
    must(brant_hub_system(hub), "accounts.create", "{\"id\":\"" A "\",\"email\":\"a@example.org\"}",
         NULL);
    make_organization(hub, A, "a");
    make_organization(hub, B, "b");
    brant_db *db = must_acquire(hub, A);
    must(db, "access.put",
         "{\"key\":\"p\",\"type\":\"Principal\",\"attributes\":{\"kind\":\"service\"}}", NULL);
    must(db, "access.grant",
         "{\"subject\":\"p\",\"scopes\":[\"nodes:*\"],\"resource\":\"graph:x\"}", NULL);
    give_back(hub, db);
    return hub;
}

/* What an operation answers of a tenant. */
static char *ask(brant_hub *hub, const char *org, const char *name, const char *json) {
    brant_db *db = must_acquire(hub, org);
    char *answer = must_call(db, name, json, NULL);
    give_back(hub, db);
    return answer;
}

static void must_answer(brant_hub *hub, const char *org, const char *name, const char *json,
                        const char *wanted) {
    char *answer = ask(hub, org, name, json);
    if (!strstr(answer, wanted)) fail_msg("%s %s: %s is not in %s", name, json, wanted, answer);
    brant_free(answer);
}

static bool may(brant_hub *hub, const char *org, const char *subject) {
    char json[256];
    snprintf(json, sizeof json,
             "{\"subject\":\"%s\",\"scope\":\"nodes:read\",\"resource\":\"graph:x\"}", subject);
    char *answer = ask(hub, org, "access.check", json);
    const bool allowed = strstr(answer, "\"allowed\":true") != NULL;
    brant_free(answer);
    return allowed;
}

static void put_agent(brant_hub *hub, const char *org, const char *key, const char *status) {
    char json[256];
    snprintf(json, sizeof json,
             "{\"key\":\"%s\",\"type\":\"Agent\",\"attributes\":{\"status\":\"%s\"}}", key, status);
    must_answer(hub, org, "access.put", json, status);
}

static void execute_on(brant_hub *hub, const char *org, const char *sql) {
    brant_db *db = must_acquire(hub, org);
    execute_inside(db, sql);
    give_back(hub, db);
}

/* The state of the only delegation; its id. */
static bool is_state(brant_hub *hub, const char *wanted, char id[37]) {
    char text[64];
    char *answer = must_call(brant_hub_system(hub), "tenants.delegations", "{}", NULL);
    const char *found = strstr(answer, "\"id\":\"");
    snprintf(text, sizeof text, "\"state\":\"%s\"", wanted);
    const bool is = strstr(answer, text) != NULL;
    if (id && found) snprintf(id, 37, "%s", found + 6);
    brant_free(answer);
    return is;
}

static void end_it(brant_hub *hub, const char *id) {
    char json[128];
    snprintf(json, sizeof json, "{\"id\":\"%s\"}", id);
    must(brant_hub_system(hub), "tenants.revoke_delegation", json, "\"state\":\"revoked\"");
}

static void test_delegate(void **state) {
    brant_hub *hub = make_hub(state);
    brant_db *system = brant_hub_system(hub);
    char id[37] = "";
    must(system, "tenants.delegate", DELEGATE(READ ",\"expires_at\":4000000000000"),
         "\"terms\":{\"scopes\":[\"nodes:read\"],\"expires_at\":4000000000000},\"state\":"
         "\"active\"");
    assert_true(is_state(hub, "active", id));
    assert_true(may(hub, A, BOT));
    must_answer(hub, A, "nodes.get", "{\"graph\":\"access\",\"key\":\"" BOT "\"}",
                "{\"foreign\":{\"org_id\":\"" B "\",\"key\":\"bot\"}}");
    must_answer(hub, B, "nodes.get", "{\"graph\":\"access\",\"key\":\"foreign:" A ":p\"}",
                "{\"foreign\":{\"org_id\":\"" A "\",\"key\":\"p\"}}");
    must_answer(hub, B, "edges.list", "{\"graph\":\"access\",\"filter\":{\"target\":\"bot\"}}", id);
    assert_false(may(hub, B, "bot")); /* it gives nothing there */
    must_fail(system, "tenants.delegate", DELEGATE(READ), BRANT_CONFLICT, "already");
    assert_true(may(hub, A, BOT));
    must(system, "tenants.delegations", "{\"filter\":{\"to_org\":\"" B "\",\"state\":\"active\"}}",
         id);
    must(system, "tenants.delegations", "{\"filter\":{\"from_org\":\"" B "\"}}", "\"items\":[]");
    must(system, "tenants.delegations", "{\"limit\":1,\"filter\":{\"from_org\":\"" A "\"}}",
         "\"cursor\":\"");

    /* By hand nobody makes one, and anybody who may ends it. */
    brant_db *db = must_acquire(hub, A);
    must_fail(db, "access.delegate", "{\"from\":\"p\",\"to\":\"" BOT "\"," READ "}", BRANT_DENIED,
              "between organisations");
    must_fail(db, "access.remove", "{\"key\":\"p\"}", BRANT_DENIED, "between organisations");
    give_back(hub, db);
    end_it(hub, id);
    assert_false(may(hub, A, BOT));
    must_answer(hub, B, "edges.list", "{\"graph\":\"access\",\"filter\":{\"target\":\"bot\"}}",
                "\"revoked_at\":");
    end_it(hub, id);

    /* Again, after that. */
    must(system, "tenants.delegate", DELEGATE(READ), "\"state\":\"active\"");
    assert_true(may(hub, A, BOT));
    must_answer(hub, A, "audit.verify", "{}", "\"ok\":true");
    must_answer(hub, B, "audit.verify", "{}", "\"ok\":true");
    must(system, "audit.verify", "{}", "\"ok\":true");
    brant_hub_free(hub);
}

static void test_refused(void **state) {
    brant_hub *hub = make_hub(state);
    brant_db *system = brant_hub_system(hub), *db;
    must_fail(system, "tenants.delegate", DELEGATE("\"scopes\":[\"jobs:read\"]"), BRANT_DENIED,
              "does not hold");
    assert_true(is_state(hub, "revoked", NULL)); /* and not later either */
    must_fail(system, "tenants.delegate", DELEGATE("\"scopes\":[\"jobs\"]"), BRANT_INVALID,
              "/scopes");
    must_fail(system, "tenants.delegate", DELEGATE(READ ",\"expires_at\":1"), BRANT_INVALID,
              "/expires_at");
    must_fail(system, "tenants.delegate",
              "{\"from_org\":\"" A "\",\"from\":\"p\",\"to_org\":\"" A "\",\"to\":\"bot\"," READ
              "}",
              BRANT_INVALID, "/to_org");
    must_fail(system, "tenants.delegate",
              "{\"from_org\":\"" A "\",\"from\":\"q\",\"to_org\":\"" B "\",\"to\":\"bot\"," READ
              "}",
              BRANT_NOT_FOUND, "\"q\"");
    must_fail(
        system, "tenants.delegate",
        "{\"from_org\":\"" A
        "\",\"from\":\"p\",\"to_org\":\"0192d3a4-7c1e-7000-8000-00000000000c\",\"to\":\"bot\"," READ
        "}",
        BRANT_NOT_FOUND, "no organisation");
    must_fail(system, "tenants.delegate", DELEGATE(READ ",\"actor\":{\"id\":\"" A "\"}"),
              BRANT_DENIED, "access:admin");
    must_fail(system, "tenants.revoke_delegation", "{\"id\":\"x\"}", BRANT_NOT_FOUND, "\"x\"");
    must(system, "transaction.begin", "{}", NULL);
    must_fail(system, "tenants.delegate", DELEGATE(READ), BRANT_MISUSE, "transaction");
    must(system, "transaction.rollback", "{}", NULL);
    db = must_acquire(hub, B);
    must_fail(db, "tenants.delegate", DELEGATE(READ), BRANT_MISUSE, "system file");
    must(db, "access.put", "{\"key\":\"bot\",\"type\":\"Group\"}", NULL);
    give_back(hub, db);
    must_fail(system, "tenants.delegate", DELEGATE(READ), BRANT_CONSTRAINT, NULL);
    assert_false(may(hub, A, BOT));
    must(system, "organizations.suspend", "{\"id\":\"" B "\"}", NULL);
    must_fail(system, "tenants.delegate", DELEGATE(READ), BRANT_DENIED, "suspended");
    must(system, "tenants.delegations", "{\"filter\":{\"state\":\"pending\"}}", "\"items\":[]");
    must(system, "tenants.delegations", "{\"filter\":{\"state\":\"active\"}}", "\"items\":[]");
    brant_hub_free(hub);
}

/* What ends an agent in its own organisation ends what it has of another at once, and what it passed on there. */
static void test_suspended(void **state) {
    brant_hub *hub = make_hub(state);
    brant_db *system = brant_hub_system(hub);
    must(system, "tenants.delegate", DELEGATE(READ ",\"may_redelegate\":true,\"max_depth\":1"),
         "\"state\":\"active\"");
    must_answer(hub, A, "access.delegate", "{\"from\":\"" BOT "\",\"to\":\"helper\"," READ "}",
                "\"edge\":");
    must_answer(hub, A, "access.put",
                "{\"key\":\"q\",\"type\":\"Principal\",\"attributes\":{\"kind\":\"service\"}}", "");
    must_answer(hub, A, "access.grant",
                "{\"subject\":\"q\",\"scopes\":[\"nodes:read\"],\"resource\":\"graph:x\"}", "");
    assert_true(may(hub, A, BOT) && may(hub, A, "helper"));

    put_agent(hub, B, "bot", "suspended");
    assert_false(may(hub, A, BOT) || may(hub, A, "helper"));
    must_answer(hub, A, "access.explain", ASK(BOT),
                "\"reason\":\"not active in its organization\"");
    must_answer(hub, A, "access.explain", ASK("helper"),
                "\"why\":\"not active in its organization\"");
    must_answer(hub, A, "access.list_subjects",
                "{\"scope\":\"nodes:read\",\"resource\":\"graph:x\",\"kind\":\"Agent\"}",
                "\"items\":[]");
    must_answer(hub, A, "access.list_objects", "{\"subject\":\"" BOT "\",\"scope\":\"nodes:read\"}",
                "\"items\":[]");
    /* Nor does another way lead to it. */
    must_answer(hub, A, "access.delegate", "{\"from\":\"q\",\"to\":\"" BOT "\"," READ "}",
                "\"edge\":");
    assert_false(may(hub, A, BOT));
    put_agent(hub, B, "bot", "active");
    assert_true(may(hub, A, BOT) && may(hub, A, "helper"));

    /* Here, too; it is told still whom it stands for. */
    put_agent(hub, A, BOT, "suspended");
    assert_false(may(hub, A, BOT) || may(hub, A, "helper"));
    must_answer(hub, A, "nodes.get", "{\"graph\":\"access\",\"key\":\"" BOT "\"}",
                "\"foreign\":{\"org_id\":\"" B "\",\"key\":\"bot\"}");
    put_agent(hub, A, BOT, "active");
    assert_true(may(hub, A, BOT));

    must(system, "organizations.suspend", "{\"id\":\"" B "\"}", NULL);
    assert_false(may(hub, A, BOT) || may(hub, A, "helper"));
    must(system, "organizations.resume", "{\"id\":\"" B "\"}", NULL);
    assert_true(may(hub, A, BOT));
    execute_on(hub, B, "DELETE FROM edges");
    execute_on(hub, B, "DELETE FROM nodes WHERE key = 'bot'");
    assert_false(may(hub, A, BOT));
    brant_hub_free(hub);

    /* Where the hub has no handle left to look with, it is not told; a file alone has nobody to ask. */
    hub = must_open_hub(in_folder(*state, "hub"), "{\"max_open\":1,\"busy_timeout\":20}");
    brant_db *db = must_acquire(hub, A);
    must(db, "access.check", ASK("q"), "\"allowed\":true");
    must_fail(db, "access.check", ASK(BOT), BRANT_BUSY, "max_open");
    give_back(hub, db);
    brant_hub_free(hub);
    db = must_open(in_folder(*state, "hub/tenant-" A ".db"), "");
    must(db, "access.check", ASK(BOT), "\"allowed\":false");
    brant_db_free(db);
}

/* What the agent's side sees gives nothing, whatever its delegator there has from elsewhere. */
static void test_mirror(void **state) {
    brant_hub *hub = make_hub(state);
    brant_db *system = brant_hub_system(hub);
    must_answer(hub, A, "access.delegate",
                "{\"from\":\"p\",\"to\":\"agent\",\"may_redelegate\":true,\"max_depth\":3," READ
                "}",
                "\"edge\":");
    must_answer(hub, B, "access.put",
                "{\"key\":\"q\",\"type\":\"Principal\",\"attributes\":{\"kind\":\"service\"}}", "");
    must_answer(hub, B, "access.grant",
                "{\"subject\":\"q\",\"scopes\":[\"nodes:read\"],\"resource\":\"graph:x\"}", "");
    must(system, "tenants.delegate",
         "{\"from_org\":\"" B "\",\"from\":\"q\",\"to_org\":\"" A
         "\",\"to\":\"agent\",\"may_redelegate\":true,\"max_depth\":3," READ "}",
         "\"state\":\"active\"");
    assert_true(may(hub, B, "foreign:" A ":agent"));
    must(system, "tenants.delegate",
         "{\"from_org\":\"" A "\",\"from\":\"agent\",\"to_org\":\"" B "\",\"to\":\"bot\"," READ "}",
         "\"state\":\"active\"");
    assert_true(may(hub, A, BOT));
    assert_false(may(hub, B, "bot"));
    must_answer(hub, B, "access.explain", ASK("bot"),
                "\"why\":\"it is of another organization and gives nothing here\"");
    must_fail(system, "tenants.delegate",
              "{\"from_org\":\"" A "\",\"from\":\"p\",\"to_org\":\"" B "\",\"to\":\"foreign:" A
              ":agent\"," READ "}",
              BRANT_INVALID, "/to");
    brant_hub_free(hub);
}

/* ---- killed --------------------------------------------------------------------------------------------------- */

/* Do it in another process that dies before its commit of this number. False: it had no more, and did it. */
static bool dies(void **state, const char *name, const char *json, int commit) {
    int status = 0;
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        sqlite3_auto_extension((void (*)(void))watch_commits);
        brant_hub *hub = NULL;
        const char *path = in_folder(*state, "hub");
        char *answer = NULL;
        size_t length = 0;
        if (brant_hub_open(&hub, TEXT(path), "", 0) != BRANT_OK) _exit(1);
        if (brant_hub_keyring_load(hub, TEXT(AUDIT_1)) != BRANT_OK) _exit(2);
        commits_left = commit;
        _exit(brant_call(&answer, &length, brant_hub_system(hub), TEXT(name), TEXT(json)) ==
                      BRANT_OK
                  ? 0
                  : 3);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 7);
    return WEXITSTATUS(status) == 7;
}

/* As A's file alone says, without a ring that lets anything be finished. */
static bool may_alone(void **state) {
    brant_hub *hub = must_open_hub(in_folder(*state, "hub"), "");
    const bool is = may(hub, A, BOT);
    brant_hub_free(hub);
    return is;
}

static bool has_mirror(void **state) {
    brant_hub *hub = must_open_hub(in_folder(*state, "hub"), "");
    char *answer = ask(hub, B, "graphs.list", "{}");
    bool has = strstr(answer, "\"access\"") != NULL;
    brant_free(answer);
    if (has) {
        answer =
            ask(hub, B, "edges.list", "{\"graph\":\"access\",\"filter\":{\"target\":\"bot\"}}");
        has = strstr(answer, "delegation_id") && !strstr(answer, "revoked_at");
        brant_free(answer);
    }
    brant_hub_free(hub);
    return has;
}

static void test_killed(void **state) {
    char id[37] = "", json[128];
    int commit = 0, seen = 0, inactive = 0;
    brant_hub_free(make_hub(state));
    for (;; commit++) {
        const bool died = dies(state, "tenants.delegate", DELEGATE(READ), commit);
        brant_hub *hub = must_open_hub(in_folder(*state, "hub"), "");
        /* Never one that the system file knows nothing of. */
        const bool pending = is_state(hub, "pending", NULL), active = is_state(hub, "active", NULL);
        brant_hub_free(hub);
        if (!pending && !active) {
            assert_true(died && !may_alone(state));
            continue;
        }
        /* Never one of which the other side knows nothing; its row says so last. */
        const bool gives = may_alone(state), mirrored = has_mirror(state);
        assert_true(mirrored || !gives);
        assert_true(gives || !active);
        seen += pending;
        inactive += pending && !gives;
        hub = open_again(state); /* it is finished */
        assert_true(is_state(hub, "active", id));
        assert_true(may(hub, A, BOT));
        must(brant_hub_system(hub), "tenants.delegations", "{\"filter\":{\"state\":\"pending\"}}",
             "\"items\":[]");
        brant_hub_free(hub);

        /* And the way back, killed as often. */
        snprintf(json, sizeof json, "{\"id\":\"%s\"}", id);
        for (int back = 0;; back++) {
            const bool again = dies(state, "tenants.revoke_delegation", json, back);
            if (back > 0) assert_false(may_alone(state)); /* its first commit is what counts */
            if (!again) break;
        }
        hub = open_again(state);
        must(brant_hub_system(hub), "tenants.delegations", "{\"filter\":{\"state\":\"revoked\"}}",
             id);
        must_answer(hub, A, "audit.verify", "{}", "\"ok\":true");
        must_answer(hub, B, "audit.verify", "{}", "\"ok\":true");
        must(brant_hub_system(hub), "audit.verify", "{}", "\"ok\":true");
        execute_inside(brant_hub_system(hub), "DELETE FROM brant_delegations");
        brant_hub_free(hub);
        if (!died) break;
    }
    /* Between each two of the steps; only the last finds it active. */
    assert_int_equal(seen, 4);
    assert_int_equal(inactive, 3);
}

/* What is pending and cannot be any more, ends. */
static void test_reconcile_refuses(void **state) {
    brant_hub_free(make_hub(state));
    int commit = 0;
    for (bool pending = false; !pending; commit++) {
        assert_true(dies(state, "tenants.delegate", DELEGATE(READ), commit));
        brant_hub *hub = must_open_hub(in_folder(*state, "hub"), "");
        pending = is_state(hub, "pending", NULL);
        brant_hub_free(hub);
    }
    brant_db *db = must_open(in_folder(*state, "hub/tenant-" A ".db"), "");
    must_load(db, AUDIT_1);
    must(db, "access.revoke", "{\"kind\":\"grant\",\"subject\":\"p\",\"target\":\"graph:x\"}",
         "\"revoked\":1");
    brant_db_free(db);
    brant_hub *hub = open_again(state);
    assert_true(is_state(hub, "revoked", NULL));
    assert_false(may(hub, A, BOT));
    brant_hub_free(hub);
}

static void test_deleted(void **state) {
    brant_hub *hub = make_hub(state);
    brant_db *system = brant_hub_system(hub);
    must(system, "tenants.delegate", DELEGATE(READ), "\"state\":\"active\"");
    must(system, "organizations.delete", "{\"id\":\"" B "\"}", NULL);
    must(system, "tenants.maintain", "{}", "\"ok\":true");
    assert_true(is_state(hub, "revoked", NULL));
    assert_false(may(hub, A, BOT));
    must(system, "organizations.delete", "{\"id\":\"" A "\"}", NULL);
    must(system, "tenants.delegations", "{}", "\"items\":[]");
    brant_hub_free(hub);
}

/* ---- threads ------------------------------------------------------------------------------------------------------------ */

#define RING_KEYS                                                                                  \
    RING(AUDIT_KEY(1, "active", KEY_1) ",{\"purpose\":\"pepper\",\"version\":1,\"key\":\"" KEY_2   \
                                       "\"}")

typedef struct crowd {
    brant_hub *hub;
    char token[200];
    atomic_int stop;
    atomic_int failed; /* the line of what did */
} crowd;

#define WELL(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) atomic_store(&self->failed, __LINE__);                                   \
    } while (0)

static void *authenticate(void *context) {
    crowd *self = context;
    while (!atomic_load(&self->stop)) {
        brant_db *session = NULL;
        char *answer = NULL;
        size_t length = 0;
        WELL(brant_hub_authenticate(&session, &answer, &length, self->hub, TEXT(self->token)) ==
             BRANT_OK);
        brant_free(answer);
        answer = NULL;
        WELL(brant_call(&answer, &length, session, TEXT("graphs.list"), TEXT("{}")) == BRANT_OK);
        brant_free(answer);
        brant_db_free(session);
    }
    return NULL;
}

static void *ask_on(void *context) {
    static const char json[] = ASK(BOT);
    crowd *self = context;
    while (!atomic_load(&self->stop)) {
        brant_db *db = NULL;
        char *answer = NULL;
        size_t length = 0;
        WELL(brant_hub_acquire(&db, self->hub, TEXT(A)) == BRANT_OK);
        WELL(brant_call(&answer, &length, db, TEXT("access.check"), TEXT(json)) == BRANT_OK);
        brant_free(answer);
        brant_db_free(db);
    }
    return NULL;
}

/* Delegations come and go on a handle of the system file while others use the tenants, and keys of theirs. */
static void test_threads(void **state) {
    crowd self = {.hub = make_hub(state)};
    pthread_t threads[4];
    brant_db *system = NULL;
    assert_int_equal(brant_hub_keyring_load(self.hub, TEXT(RING_KEYS)), BRANT_OK);
    char *answer = must_call(brant_hub_system(self.hub), "api_keys.create",
                             "{\"owner_id\":\"" A "\",\"org_id\":\"" A
                             "\",\"name\":\"k\",\"scopes\":[\"graphs:read\"]}",
                             "\"token\":\"");
    const char *at = strstr(answer, "\"token\":\"") + 9;
    snprintf(self.token, sizeof self.token, "%.*s", (int)strcspn(at, "\""), at);
    brant_free(answer);
    for (size_t i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, i % 2 ? authenticate : ask_on, &self);
    assert_int_equal(brant_hub_acquire(&system, self.hub, NULL, 0), BRANT_OK);
    for (int i = 0; i < 6; i++) {
        char json[100];
        answer = must_call(system, "tenants.delegate", DELEGATE(READ), "\"state\":\"active\"");
        at = strstr(answer, "\"id\":\"") + 6;
        snprintf(json, sizeof json, "{\"id\":\"%.36s\"}", at);
        brant_free(answer);
        must(system, "tenants.revoke_delegation", json, "\"state\":\"revoked\"");
        assert_int_equal(brant_hub_keyring_load(self.hub, TEXT(RING_KEYS)), BRANT_OK);
    }
    atomic_store(&self.stop, 1);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    if (self.failed) fail_msg("line %d", self.failed);
    brant_db_free(system);
    brant_hub_free(self.hub);
}

int main(void) {
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up_folder, tear_down_folder)
    const struct CMUnitTest tests[] = {
        TEST(test_delegate), TEST(test_refused), TEST(test_killed),    TEST(test_reconcile_refuses),
        TEST(test_deleted),  TEST(test_threads), TEST(test_suspended), TEST(test_mirror),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
