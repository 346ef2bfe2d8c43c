/*
 * tests/core/test_hub_access.c: access graphs of tenants follow the memberships in the system file: at once, or by tenants.maintain where something came between.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdbool.h>
#include <sys/wait.h>

#include "support_audit.h"
#include "support_commit.h"
#include "support_hub.h"

#define A                "0192d3a4-7c1e-7000-8000-00000000000a"
#define OWN              "00000000-0000-7000-8000-0000000000a0"
#define ANN              "00000000-0000-7000-8000-0000000000a1"
#define MEMBER(id, more) "{\"org_id\":\"" A "\",\"account_id\":\"" id "\"" more "}"

static void make_organization(brant_hub *hub, const char *id, const char *slug) {
    char json[512];
    snprintf(json, sizeof json,
             "{\"id\":\"%s\",\"slug\":\"%s\",\"name\":\"N\",\"owner_id\":\"" OWN "\"}", id, slug);
    must(brant_hub_system(hub), "organizations.create", json, id);
}

static brant_hub *open_again(void **state, const char *options) {
    brant_hub *hub = must_open_hub(in_folder(*state, "hub"), options);
    assert_int_equal(brant_hub_keyring_load(hub, TEXT(AUDIT_1)), BRANT_OK);
    return hub;
}

/* What an operation on the tenant of an organisation answers has in it. */
static void in_tenant(brant_hub *hub, const char *org, const char *name, const char *json,
                      const char *wanted) {
    brant_db *db = must_acquire(hub, org);
    must(db, name, json, wanted);
    give_back(hub, db);
}

static void grant(brant_hub *hub, const char *org, const char *level) {
    char json[256];
    snprintf(json, sizeof json,
             "{\"subject\":\"org:%s:%s\",\"scopes\":[\"nodes:read\"],\"resource\":\"graph:x\"}",
             org, level);
    in_tenant(hub, org, "access.grant", json, NULL);
}

static bool may_in(brant_hub *hub, const char *org, const char *account) {
    char json[256];
    brant_db *db = must_acquire(hub, org);
    snprintf(json, sizeof json,
             "{\"subject\":\"account:%s\",\"scope\":\"nodes:read\",\"resource\":\"graph:x\"}",
             account);
    char *answer = must_call(db, "access.check", json, NULL);
    give_back(hub, db);
    const bool allowed = strstr(answer, "\"allowed\":true") != NULL;
    brant_free(answer);
    return allowed;
}

/* The group that an account is in, as the edges say; "": none. */
static bool is_in(brant_hub *hub, const char *org, const char *account, const char *level) {
    char json[256], text[128];
    brant_db *db = must_acquire(hub, org);
    snprintf(json, sizeof json,
             "{\"graph\":\"access\",\"filter\":{\"source\":\"account:%s\",\"type\":\"BelongsTo\"}}",
             account);
    char *answer = must_call(db, "edges.list", json, NULL);
    give_back(hub, db);
    snprintf(text, sizeof text, "\"target\":\"org:%s:%s\"", org, level);
    const bool is = *level ? strstr(answer, text) != NULL : !strstr(answer, "\"target\"");
    brant_free(answer);
    return is;
}

#define may(account)       may_in(hub, A, account)
#define in(account, level) is_in(hub, A, account, level)

/* Organisation A of OWN; members may read graph x. */
static brant_hub *make_hub(void **state, const char *options) {
    brant_hub *hub = open_again(state, options);
    brant_db *system = brant_hub_system(hub);
    must(system, "accounts.create", "{\"id\":\"" OWN "\",\"email\":\"o@example.org\"}", NULL);
    must(system, "accounts.create", "{\"id\":\"" ANN "\",\"email\":\"a@example.org\"}", NULL);
    make_organization(hub, A, "a");
    grant(hub, A, "member"); /* the groups are there as the graph is made */
    return hub;
}

static void test_follows(void **state) {
    brant_hub *hub = make_hub(state, "");
    brant_db *system = brant_hub_system(hub);
    assert_true(may(OWN) && in(OWN, "owner"));
    assert_false(may(ANN));
    must(system, "members.add", MEMBER(ANN, ""), NULL);
    assert_true(may(ANN) && in(ANN, "member"));
    must(system, "members.set_level", MEMBER(ANN, ",\"level\":\"viewer\""), NULL);
    assert_true(!may(ANN) && in(ANN, "viewer") && !in(ANN, "member"));
    must(system, "members.set_level", MEMBER(ANN, ",\"level\":\"admin\""), NULL);
    assert_true(may(ANN) && in(ANN, "admin"));
    must(system, "members.suspend", MEMBER(ANN, ""), NULL);
    assert_true(!may(ANN) && in(ANN, ""));
    must(system, "members.resume", MEMBER(ANN, ""), NULL);
    assert_true(may(ANN) && in(ANN, "admin"));
    must(system, "members.remove", MEMBER(ANN, ""), NULL);
    assert_true(!may(ANN) && in(ANN, ""));
    must(system, "members.add", MEMBER(ANN, ""), NULL);
    must(system, "organizations.transfer", "{\"id\":\"" A "\",\"to\":\"" ANN "\"}", NULL);
    assert_true(may(ANN) && in(ANN, "owner"));
    must(system, "organizations.transfer", "{\"id\":\"" A "\",\"to\":\"" OWN "\"}", NULL);
    must(system, "accounts.delete", "{\"id\":\"" ANN "\"}", NULL);
    assert_true(!may(ANN) && in(ANN, ""));
    in_tenant(hub, A, "audit.verify", "{}", "\"ok\":true");
    must(system, "tenants.maintain", "{}", "\"synced\":{\"added\":0,\"removed\":0,\"changed\":0}");
    brant_hub_free(hub);
}

/* A denial binds whoever is in the group, as soon as they are. */
static void test_denied(void **state) {
    brant_hub *hub = make_hub(state, "");
    brant_db *system = brant_hub_system(hub);
    in_tenant(hub, A, "access.deny",
              "{\"subject\":\"org:" A ":admin\",\"scopes\":[\"nodes:*\"],\"resource\":\"graph:x\"}",
              NULL);
    must(system, "members.add", MEMBER(ANN, ",\"level\":\"admin\""), NULL);
    assert_true(!may(ANN) && in(ANN, "admin"));
    must(system, "members.set_level", MEMBER(ANN, ",\"level\":\"member\""), NULL);
    assert_true(may(ANN));
    brant_hub_free(hub);
}

/* Only what was committed, once and in one go. */
static void test_transaction(void **state) {
    brant_hub *hub = make_hub(state, "");
    brant_db *system = brant_hub_system(hub);
    must(system, "transaction.begin", "{}", NULL);
    must(system, "members.add", MEMBER(ANN, ""), NULL);
    assert_true(in(ANN, ""));
    must(system, "transaction.rollback", "{}", NULL);
    assert_true(in(ANN, "") && !may(ANN));
    must(system, "transaction.begin", "{}", NULL);
    must(system, "members.add", MEMBER(ANN, ""), NULL);
    must(system, "members.set_level", MEMBER(ANN, ",\"level\":\"admin\""), NULL);
    must(system, "transaction.commit", "{}", NULL);
    assert_true(in(ANN, "admin") && may(ANN));

    /* Also on another handle of the system file. */
    brant_db *other = must_acquire(hub, "");
    must(other, "members.remove", MEMBER(ANN, ""), NULL);
    give_back(hub, other);
    assert_true(in(ANN, "") && !may(ANN));
    brant_hub_free(hub);
}

#define maintain(wanted) must(brant_hub_system(hub), "tenants.maintain", "{}", wanted)

/* What cannot be done now is left, and nobody waits long. */
static void test_left(void **state) {
    brant_hub *hub = make_hub(state, "{\"max_open\":1,\"busy_timeout\":600000}");
    brant_db *system = brant_hub_system(hub), *db = must_acquire(hub, A);
    int64_t before = brant__monotonic_now();
    must(system, "members.add", MEMBER(ANN, ""), NULL); /* no handle is free */
    assert_true(brant__monotonic_now() - before < 300000);
    give_back(hub, db);
    assert_true(in(ANN, "") && !may(ANN));
    maintain("\"synced\":{\"added\":1,\"removed\":0,\"changed\":0}");
    assert_true(may(ANN));
    brant_hub_free(hub);

    hub = open_again(state, "{\"max_open\":4,\"busy_timeout\":600000}");
    system = brant_hub_system(hub);
    db = must_acquire(hub, A);
    must(db, "transaction.begin", "{\"mode\":\"write\"}",
         NULL); /* somebody writes: this very thread */
    before = brant__monotonic_now();
    must(system, "members.set_level", MEMBER(ANN, ",\"level\":\"admin\""), NULL);
    assert_true(brant__monotonic_now() - before < 300000);
    must(db, "transaction.rollback", "{}", NULL);
    give_back(hub, db);
    assert_true(in(ANN, "member"));
    maintain("\"synced\":{\"added\":0,\"removed\":0,\"changed\":1}");
    assert_true(in(ANN, "admin") && may(ANN));

    /* While the organisation is suspended nobody gets in. */
    must(system, "organizations.suspend", "{\"id\":\"" A "\"}", NULL);
    must(system, "members.remove", MEMBER(ANN, ""), NULL);
    must(system, "organizations.resume", "{\"id\":\"" A "\"}", NULL);
    assert_true(in(ANN, "") && !may(ANN));
    must(system, "organizations.delete", "{\"id\":\"" A "\"}", NULL);
    must(system, "tenants.maintain", "{}", "\"items\":[]");
    brant_hub_free(hub);
}

/* Do it in a process that dies after the commit in the system file, and before that in the tenant's. */
static void die_between(void **state, const char *name, const char *json) {
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
        brant_db *db = NULL; /* so that it is open, and idle */
        if (brant_hub_acquire(&db, hub, TEXT(A)) != BRANT_OK) _exit(3);
        brant_db_free(db);
        commits_left = 1;
        (void)brant_call(&answer, &length, brant_hub_system(hub), TEXT(name), TEXT(json));
        _exit(4);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
}

static void test_killed(void **state) {
    brant_hub_free(make_hub(state, ""));
    die_between(state, "members.add", MEMBER(ANN, ""));
    brant_hub *hub = open_again(state, "");
    assert_true(in(ANN, "") && !may(ANN));
    maintain("\"synced\":{\"added\":1,\"removed\":0,\"changed\":0}");
    assert_true(in(ANN, "member") && may(ANN));
    brant_hub_free(hub);

    die_between(state, "members.remove", MEMBER(ANN, ""));
    hub = open_again(state, "");
    assert_true(in(ANN, "member") && !may(ANN)); /* it gives nothing all the same */
    maintain("\"synced\":{\"added\":0,\"removed\":1,\"changed\":0}");
    assert_true(in(ANN, ""));
    brant_hub_free(hub);
}

/* An account of many organisations goes: some follow at once, the others by maintain; those without a graph are left alone. */
static void test_many(void **state) {
    enum { MANY = 12 };
    brant_hub *hub = make_hub(state, "{\"max_open\":4,\"busy_timeout\":600000}");
    brant_db *system = brant_hub_system(hub);
    char id[37], slug[16], json[256];
    int left = 0;
    for (unsigned i = 0; i <= MANY; i++) {
        snprintf(slug, sizeof slug, "s%u", i);
        make_organization(hub, org_id(id, 100 + i), slug);
        if (i < MANY) grant(hub, id, "member");
        snprintf(json, sizeof json, "{\"org_id\":\"%s\",\"account_id\":\"" ANN "\"}", id);
        must(system, "members.add", json, NULL);
        if (i < MANY) assert_true(may_in(hub, id, ANN));
    }
    give_back(hub, must_acquire(hub, id));
    must(system, "accounts.delete", "{\"id\":\"" ANN "\"}", NULL);
    for (unsigned i = 0; i < MANY; i++) {
        assert_false(may_in(hub, org_id(id, 100 + i), ANN));
        left += !is_in(hub, id, ANN, "");
    }
    assert_true(left >= MANY - 8 && left < MANY);
    maintain("\"removed\":1");
    for (unsigned i = 0; i < MANY; i++)
        assert_true(is_in(hub, org_id(id, 100 + i), ANN, ""));
    char *answer = must_call(system, "tenants.maintain", "{}", NULL);
    assert_null(strstr(answer, "\"removed\":1"));
    brant_free(answer);
    org_id(id, 100 + MANY);
    in_tenant(hub, id, "graphs.list", "{}", "\"items\":[]");
    brant_hub_free(hub);
}

/* A backup has the members of then. */
static void test_restored(void **state) {
    brant_hub *hub = make_hub(state, "");
    brant_db *system = brant_hub_system(hub);
    char json[400];
    snprintf(json, sizeof json, "{\"org_id\":\"" A "\",\"path\":\"%s\"}",
             in_folder(*state, "copy"));
    must(system, "tenants.backup", json, NULL);
    must(system, "members.add", MEMBER(ANN, ""), NULL);
    must(system, "tenants.restore", json, NULL);
    assert_true(in(ANN, "member") && may(ANN));
    brant_hub_free(hub);
}

/* A session that makes the graph finds the members in it, and itself cannot write what is derived. */
static void test_session(void **state) {
    brant_hub *hub = make_hub(state, "");
    char org[37], json[400];
    make_organization(hub, org_id(org, 1), "one");
    brant_db *db = must_acquire(hub, org), *session = NULL;
    snprintf(json, sizeof json,
             "{\"id\":\"k\",\"actor_type\":\"api_key\",\"scopes\":[\"access:*\",\"nodes:read\"],"
             "\"organization\":\"%s\",\"level\":\"owner\",\"principal\":\"account:" OWN "\"}",
             org);
    assert_int_equal(brant_session_open(&session, db, TEXT(json)), BRANT_OK);
    snprintf(json, sizeof json, "{\"subject\":\"org:%s:owner\",\"scopes\":[\"nodes:read\"]}", org);
    must(session, "access.grant", json, "\"revision\"");
    must(session, "access.check", "{\"subject\":\"account:" OWN "\",\"scope\":\"nodes:read\"}",
         "\"allowed\":true");
    brant_db_free(session);
    give_back(hub, db);
    assert_true(is_in(hub, org, OWN, "owner"));
    brant_hub_free(hub);
}

typedef struct changer {
    brant_hub *hub;
    char account[37];
    int failed;
} changer;

static void *change(void *context) {
    changer *self = context;
    char json[128], *answer = NULL;
    size_t length = 0;
    brant_db *system = NULL;
    snprintf(json, sizeof json, "{\"org_id\":\"" A "\",\"account_id\":\"%s\"}", self->account);
    self->failed = brant_hub_acquire(&system, self->hub, "", 0) != BRANT_OK;
    for (int i = 0; i < 9 && !self->failed; i++) {
        const char *name = i % 2 == 0 ? "members.add" : "members.remove";
        self->failed = brant_call(&answer, &length, system, TEXT(name), TEXT(json)) != BRANT_OK;
        brant_free(answer);
    }
    brant_db_free(system);
    return NULL;
}

/* Threads that change other members of the same organisation, with fewer handles than they could use. */
static void test_threads(void **state) {
    enum { THREADS = 3 };
    brant_hub *hub = make_hub(state, "{\"max_open\":4,\"busy_timeout\":600000}");
    changer changers[THREADS];
    pthread_t threads[THREADS];
    char json[128];
    for (unsigned i = 0; i < THREADS; i++) {
        changers[i] = (changer){.hub = hub};
        org_id(changers[i].account, 200 + i);
        snprintf(json, sizeof json, "{\"id\":\"%s\",\"email\":\"t%u@example.org\"}",
                 changers[i].account, i);
        must(brant_hub_system(hub), "accounts.create", json, NULL);
    }
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, change, &changers[i]), 0);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(changers[i].failed, 0);
    }
    maintain("\"ok\":true"); /* a handle may have been wanting */
    for (size_t i = 0; i < THREADS; i++)
        assert_true(in(changers[i].account, "member") && may(changers[i].account));
    brant_hub_free(hub);
}

/* More in one transaction than is noted of it. */
static void test_bulk(void **state) {
    enum { BULK = 300 };
    brant_hub *hub = make_hub(state, "");
    brant_db *system = brant_hub_system(hub);
    char id[37], json[160];
    must(system, "transaction.begin", "{}", NULL);
    for (unsigned i = 0; i < BULK; i++) {
        org_id(id, 1000 + i);
        snprintf(json, sizeof json, "{\"id\":\"%s\",\"email\":\"b%u@example.org\"}", id, i);
        must(system, "accounts.create", json, NULL);
        snprintf(json, sizeof json, "{\"org_id\":\"" A "\",\"account_id\":\"%s\"}", id);
        must(system, "members.add", json, NULL);
    }
    must(system, "transaction.commit", "{}", NULL);
    assert_true(may(org_id(id, 1000)));
    assert_false(may(org_id(id, 1000 + BULK - 1)));
    maintain("\"synced\":{\"added\":44,\"removed\":0,\"changed\":0}");
    assert_true(may(org_id(id, 1000 + BULK - 1)));
    brant_hub_free(hub);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_follows, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_denied, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_transaction, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_left, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_killed, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_many, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_restored, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_session, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_threads, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_bulk, set_up_folder, tear_down_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
