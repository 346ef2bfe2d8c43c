/*
 * tests/core/test_hub_memory.c: a small life of a hub with its first, second, third .. allocation failing, brant's own and SQLite's: each call succeeds or says NO_MEMORY, and whoever opens the folder
 * next finds it whole: tenants that are made can be used, and what was to be deleted is gone.
 */
#include "failing_allocator.h"

#include "support_hub.h"
#include "support_ring.h"

#define ORG_A "0192d3a4-7c1e-7000-8000-00000000000a"
#define ORG_B "0192d3a4-7c1e-7000-8000-00000000000b"
#define OWNER "00000000-0000-7000-8000-0000000000a0"

#define MEMBER "00000000-0000-7000-8000-0000000000a1"

#define RING_ALL                                                                                   \
    "{\"keys\":[{\"purpose\":\"audit\",\"version\":1,\"key\":\"" KEY_1 "\"},"                      \
    "{\"purpose\":\"pepper\",\"version\":1,\"key\":\"" KEY_2 "\"}]}"

static long allocation;

/* Done, or not for want of memory; what follows from that is NOT_FOUND, or ALREADY there. */
static bool done(brant_status status, const char *what) {
    assert_int_equal(brant_last_error()->code, status);
    if (status == BRANT_OK) return true;
    if (status != BRANT_NO_MEMORY)
        fail_msg("allocation %ld: %s: %s: %s", allocation, what, brant_last_error()->name,
                 brant_last_error()->message);
    return false;
}

static bool run(brant_db *db, const char *name, const char *json) {
    char *answer = NULL;
    size_t length = 0;
    const bool good = done(brant_call(&answer, &length, db, TEXT(name), TEXT(json)), name);
    brant_free(answer);
    return good;
}

static void use(brant_hub *hub, const char *org_id) {
    brant_db *db = NULL;
    if (!done(brant_hub_acquire(&db, hub, TEXT(org_id)), "acquire")) return;
    run(db, "events.notify", "{\"channel\":\"c\"}");
    brant_hub_release(hub, db);
    brant_db_free(db);
}

/* One token, made where nothing fails. */
static char token[200];

static void live(brant_hub *hub, const char *folder) {
    brant_db *system = brant_hub_system(hub), *session = NULL;
    char input[800], *answer = NULL;
    size_t length = 0;
    if (!done(brant_hub_keyring_load(hub, TEXT(RING_ALL)), "ring")) return;
    use(hub, ORG_A);
    use(hub, ORG_B);
    run(system, "members.add",
        "{\"org_id\":\"" ORG_A "\",\"account_id\":\"" MEMBER "\"}"); /* its graph follows, or not */
    run(system, "tenants.list", "{\"limit\":1}");
    run(system, "tenants.get", "{\"org_id\":\"" ORG_A "\"}");
    run(system, "tenants.migrate", "{}");
    run(system, "tenants.maintain", "{}");
    run(system, "tenants.apply",
        "{\"operation\":\"graph_types.define\",\"input\":{\"name\":\"t\",\"module\":{}}}");
    snprintf(input, sizeof input,
             "{\"org_id\":\"" ORG_A "\",\"path\":\"%s/a.backup\",\"overwrite\":true}", folder);
    if (run(system, "tenants.backup", input)) {
        snprintf(input, sizeof input, "{\"org_id\":\"" ORG_A "\",\"path\":\"%s/a.backup\"}",
                 folder);
        run(system, "tenants.restore", input);
    }
    if (done(brant_hub_authenticate(&session, &answer, &length, hub, TEXT(token)), "authenticate"))
        run(session, "graphs.list", "{}");
    brant_free(answer);
    brant_db_free(session);
    run(system, "organizations.delete", "{\"id\":\"" ORG_B "\"}");
}

static void prepare(const char *path) {
    brant_hub *hub = must_open_hub(path, "{\"max_open\":2}");
    brant_db *system = brant_hub_system(hub);
    assert_int_equal(brant_hub_keyring_load(hub, TEXT(RING_ALL)), BRANT_OK);
    must(system, "accounts.create", "{\"id\":\"" OWNER "\",\"email\":\"a@example.org\"}", NULL);
    must(system, "organizations.create",
         "{\"id\":\"" ORG_A "\",\"slug\":\"a\",\"name\":\"A\",\"owner_id\":\"" OWNER "\"}", NULL);
    must(system, "organizations.create",
         "{\"id\":\"" ORG_B "\",\"slug\":\"b\",\"name\":\"B\",\"owner_id\":\"" OWNER "\"}", NULL);
    char *answer = must_call(system, "api_keys.create",
                             "{\"owner_id\":\"" OWNER "\",\"org_id\":\"" ORG_A
                             "\",\"name\":\"k\",\"scopes\":[\"graphs:read\"]}",
                             NULL);
    const char *at = strstr(answer, "\"token\":\"");
    assert_non_null(at);
    snprintf(token, sizeof token, "%.*s", (int)strcspn(at + 9, "\""), at + 9);
    brant_free(answer);
    must(system, "accounts.create", "{\"id\":\"" MEMBER "\",\"email\":\"m@example.org\"}", NULL);
    brant_db *tenant = must_acquire(hub, ORG_A);
    must(tenant, "access.put", "{\"key\":\"g\",\"type\":\"Group\"}", NULL);
    give_back(hub, tenant);
    brant_hub_free(hub);
}

/* The look whether a tenant's file is still there, at the beginning of a transaction, has no memory: the transaction has not begun. */
static void test_want_at_the_beginning(void **state) {
    char path[100];
    snprintf(path, sizeof path, "%s/hub", (const char *)*state);
    prepare(path);
    brant_hub *hub = must_open_hub(path, "");
    brant_db *db = must_acquire(hub, ORG_A), *other = must_acquire(hub, ORG_A);
    failures = 1;
    for (allocation = 0; failures > 0; allocation++) {
        /* The statement is to be prepared anew. */
        must(other, "sql.execute",
             allocation % 2 ? "{\"sql\":\"DROP TABLE IF EXISTS extra\"}"
                            : "{\"sql\":\"CREATE TABLE extra (x)\"}",
             NULL);
        failures = 0;
        countdown = allocation;
        run(db, "events.notify", "{\"channel\":\"c\"}");
        countdown = -1;
        must(db, "events.notify", "{\"channel\":\"c\"}", NULL);
    }
    assert_true(allocation > 20);
    give_back(hub, db);
    give_back(hub, other);
    brant_hub_free(hub);
}

static void test_want(void **state) {
    const char *folder = *state;
    const char *step = getenv("BRANT_MEMORY_STEP");
    char path[100], file[200], command[600];
    snprintf(path, sizeof path, "%s/hub", folder);
    prepare(path);
    snprintf(command, sizeof command, "cp -r %s %s.before", path, path);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof command, "rm -rf %s && cp -r %s.before %s", path, path, path);
    bool failed = true;
    for (allocation = 0; failed; allocation += step ? atol(step) : 499) {
        brant_hub *hub = NULL;
        assert_int_equal(system(command), 0);
        failures = 0;
        countdown = allocation;
        if (done(brant_hub_open(&hub, TEXT(path), TEXT("{\"max_open\":2}")), "open"))
            live(hub, folder);
        brant_hub_free(hub);
        failed = failures > 0;
        countdown = -1;
        hub = must_open_hub(path, "");
        give_back(hub, must_acquire(hub, ORG_A));
        brant_db *b = NULL;
        const brant_status status = brant_hub_acquire(&b, hub, TEXT(ORG_B));
        if (status != BRANT_OK && status != BRANT_NOT_FOUND)
            fail_msg("allocation %ld: %s", allocation, brant_last_error()->message);
        if (b) must(b, "events.channels", "{}", NULL);
        snprintf(file, sizeof file, "%s/tenant-" ORG_B ".db", path);
        if (!b && access(file, F_OK) == 0)
            fail_msg("allocation %ld: a deleted organisation's file stays", allocation);
        brant_db_free(b);
        must(brant_hub_system(hub), "tenants.maintain", "{}", "\"synced\":{\"");
        must(brant_hub_system(hub), "tenants.maintain", "{}",
             "\"synced\":{\"added\":0,\"removed\":0,\"changed\":0}");
        must(brant_hub_system(hub), "tenants.list", "{\"filter\":{\"status\":\"deleting\"}}",
             "\"items\":[]");
        brant_hub_free(hub);
    }
    assert_true(allocation > 1000);
}

static int set_up(void **state) {
    *state = make_folder_in_memory();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_want, set_up, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_want_at_the_beginning, set_up, tear_down_folder),
    };
    if (!failing_allocator_install()) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
