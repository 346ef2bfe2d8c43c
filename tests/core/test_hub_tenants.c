/*
 * tenants.*: lists, maintenance, migration and changes of graph types over all tenants, backup and restore; and other processes on the same folder.
 */
#define _GNU_SOURCE
#include <sqlite3.h>
#include <sys/stat.h>

#include "child.h"
#include "hub/hub.h"
#include "support_hub.h"
#include "support_plan.h"
#include "support_ring.h"

#define ORG_A "0192d3a4-7c1e-7000-8000-00000000000a"
#define ORG_B "0192d3a4-7c1e-7000-8000-00000000000b"
#define ORG_C "0192d3a4-7c1e-7000-8000-00000000000c"

#define RING_AUDIT                                                                                 \
    "{\"keys\":[{\"version\":1,\"key\":\"" KEY_1 "\"},{\"purpose\":\"audit\",\"version\":1,"       \
    "\"key\":\"" KEY_2 "\"}]}"

#define HUB_PATH(state)                                                                            \
    char path[256];                                                                                \
    snprintf(path, sizeof path, "%s/hub", (const char *)*(state))

static bool exists(const char *folder, const char *name) {
    struct stat there;
    return lstat(in_folder(folder, name), &there) == 0;
}

static void copy_file(const char *from, const char *to) {
    char command[8300];
    snprintf(command, sizeof command, "cp %s %s", from, to);
    assert_int_equal(system(command), 0);
}

/* Three organisations, of which the first two have a file. */
static brant_hub *make_hub(const char *path) {
    brant_hub *hub = must_open_hub(path, "");
    insert_org(brant_hub_system(hub), ORG_A, "a");
    insert_org(brant_hub_system(hub), ORG_B, "b");
    insert_org(brant_hub_system(hub), ORG_C, "c");
    give_back(hub, must_acquire(hub, ORG_A));
    give_back(hub, must_acquire(hub, ORG_B));
    return hub;
}

static void test_list(void **state) {
    HUB_PATH(state);
    brant_hub *hub = make_hub(path);
    brant_db *db = brant_hub_system(hub), *single = must_open(in_folder(*state, "x.db"), "");
    must(db, "tenants.get", "{\"org_id\":\"" ORG_A "\"}",
         "\"status\":\"active\",\"state\":\"made\"");
    must(db, "tenants.get", "{\"org_id\":\"" ORG_A "\"}", "\"format\":7,\"open\":1");
    must(db, "tenants.get", "{\"org_id\":\"" ORG_C "\"}",
         "\"state\":\"none\",\"file\":null,\"size\":0,\"format\":null,\"open\":0");
    must_fail(db, "tenants.get", "{\"org_id\":\"0192d3a4-7c1e-7000-8000-00000000000d\"}",
              BRANT_NOT_FOUND, NULL);
    must_fail(db, "tenants.get", "{\"org_id\":\"../x\"}", BRANT_INVALID, NULL);
    must_fail(single, "tenants.list", "{}", BRANT_MISUSE, "hub");
    must_fail(single, "tenants.stats", "{}", BRANT_MISUSE, NULL);
    brant_db_free(single);
    set_org_status(db, ORG_B, "suspended");
    must(db, "tenants.list", "{\"filter\":{\"status\":\"suspended\"}}", ORG_B);
    char *page = must_call(db, "tenants.list", "{\"limit\":2}", "\"slug\":\"b\"");
    const char *cursor = strstr(page, "\"cursor\":\"");
    assert_non_null(cursor);
    char input[300];
    snprintf(input, sizeof input, "{\"limit\":2,%.*s}", (int)strcspn(cursor, "}"), cursor);
    brant_free(page);
    must(db, "tenants.list", input, "\"slug\":\"c\"");
    must(db, "tenants.list", input, "\"cursor\":null");
    snprintf(input + strlen(input) - 1, 60, ",\"filter\":{\"status\":\"active\"}}");
    must_fail(db, "tenants.list", input, BRANT_INVALID, NULL);
    must(db, "tenants.stats", "{}", "\"open\":2,\"idle\":2,\"pinned\":0");
    must(db, "tenants.stats", "{}", "\"opened\":2,\"made\":2,\"evicted\":0");
    brant_hub_free(hub);
}

/* No statement on the system file looks at all rows, or sorts, whatever many organisations there are. */
static void test_plans(void **state) {
    const brant__statements *const tables[] = {
        &brant__tenant_state_statements, &brant__tenant_statements,
        &brant__tenant_list_statements,  &brant__tenant_walk_statements,
        &brant__delegation_statements,   &brant__tenant_member_statements};
    HUB_PATH(state);
    brant_hub_free(must_open_hub(path, ""));
    for (size_t i = 0; i < BRANT__COUNT(tables); i++)
        for (size_t j = 0; j < tables[i]->count; j++)
            /* Those of delegations that are under way are few, and are sorted. */
            if (!strstr(tables[i]->sql[j], "INDEXED BY brant_delegations_open"))
                must_plan_well(in_folder(path, "system.db"), &tables[i]->sql[j], 1);
}

static void test_maintain(void **state) {
    HUB_PATH(state);
    brant_hub *hub = make_hub(path);
    brant_db *db = brant_hub_system(hub);
    must(db, "tenants.maintain", "{}", "\"org_id\":\"" ORG_B "\",\"ok\":true,\"result\":{");
    assert_int_equal(brant_hub_keyring_load(hub, TEXT(RING_AUDIT)), BRANT_OK);
    brant_db *tenant = must_acquire(hub, ORG_A);
    must(tenant, "audit.append", "{\"action\":\"x.y\"}", "\"seq\":1");
    give_back(hub, tenant);
    must(db, "tenants.maintain", "{}", "\"seq\":1");
    assert_int_equal(number(db, "SELECT count(*) FROM brant_audit_checkpoints"), 1);
    must(db, "tenants.maintain", "{\"limit\":1}", "\"cursor\":\"");
    /* One that fails does not stop the others. */
    assert_int_equal(unlink(in_folder(path, "tenant-" ORG_B ".db")), 0);
    brant_hub_free(hub);
    hub = must_open_hub(path, "");
    db = brant_hub_system(hub);
    must(db, "tenants.maintain", "{}", "\"ok\":false,\"error\":{\"code\":\"CORRUPT\"");
    must(db, "tenants.maintain", "{}", "\"org_id\":\"" ORG_A "\",\"ok\":true");
    must(db, "transaction.begin", "{}", NULL);
    must_fail(db, "tenants.maintain", "{}", BRANT_MISUSE, NULL);
    must_fail(db, "tenants.migrate", "{}", BRANT_MISUSE, NULL);
    must_fail(db, "tenants.apply", "{\"operation\":\"graph_types.delete\",\"input\":{}}",
              BRANT_MISUSE, NULL);
    must_fail(db, "tenants.backup", "{\"org_id\":\"" ORG_A "\",\"path\":\"/tmp/x\"}", BRANT_MISUSE,
              NULL);
    must_fail(db, "tenants.restore", "{\"org_id\":\"" ORG_A "\",\"path\":\"/tmp/x\"}", BRANT_MISUSE,
              NULL);
    must(db, "transaction.rollback", "{}", NULL);
    brant_hub_free(hub);
}

static void test_apply(void **state) {
    HUB_PATH(state);
    brant_hub *hub = make_hub(path);
    brant_db *db = brant_hub_system(hub), *b = must_acquire(hub, ORG_B);
    must(b, "graph_types.define", "{\"name\":\"t\",\"module\":{\"$defs\":{\"ANode\":true}}}", NULL);
    char *answer =
        must_call(db, "tenants.apply",
                  "{\"operation\":\"graph_types.define\",\"input\":{\"name\":\"t\",\"module\":{}}}",
                  "\"org_id\":\"" ORG_A "\",\"ok\":true,\"result\":{");
    assert_non_null(
        strstr(answer, "\"org_id\":\"" ORG_B "\",\"ok\":false,\"error\":{\"code\":\"EXISTS\""));
    assert_null(strstr(answer, ORG_C));
    brant_free(answer);
    must_fail(db, "tenants.apply", "{\"operation\":\"db.erase\",\"input\":{}}", BRANT_INVALID,
              NULL);
    give_back(hub, b);
    brant_hub_free(hub);
}

static void test_backup(void **state) {
    HUB_PATH(state);
    char input[600], copy[300];
    brant_hub *hub = make_hub(path);
    brant_db *db = brant_hub_system(hub), *a = must_acquire(hub, ORG_A);
    snprintf(copy, sizeof copy, "%s/a.backup", (const char *)*state);
    must(a, "graph_types.define", "{\"name\":\"kept\",\"module\":{}}", NULL);
    snprintf(input, sizeof input, "{\"org_id\":\"" ORG_A "\",\"path\":\"%s\"}", copy);
    must(db, "tenants.backup", input, "\"pages\":");
    must_fail(db, "tenants.backup", input, BRANT_EXISTS, NULL);
    must(a, "graph_types.define", "{\"name\":\"lost\",\"module\":{}}", NULL);
    must(db, "tenants.restore", input, "\"pages\":"); /* while somebody has it open */
    must(a, "graph_types.get", "{\"name\":\"kept\"}", NULL);
    must_fail(a, "graph_types.get", "{\"name\":\"lost\"}", BRANT_NOT_FOUND, NULL);
    give_back(hub, a);
    /* Of another organisation; into the folder; out of it. */
    snprintf(input, sizeof input, "{\"org_id\":\"" ORG_B "\",\"path\":\"%s\"}", copy);
    must_fail(db, "tenants.restore", input, BRANT_CONFLICT, "organisation");
    must(db, "tenants.get", "{\"org_id\":\"" ORG_B "\"}", "\"state\":\"made\"");
    snprintf(input, sizeof input, "{\"org_id\":\"" ORG_B "\",\"path\":\"%s/tenant-" ORG_A ".db\"}",
             path);
    must_fail(db, "tenants.restore", input, BRANT_INVALID, NULL);
    must_fail(db, "tenants.backup", input, BRANT_INVALID, NULL);
    snprintf(input, sizeof input, "{\"org_id\":\"" ORG_B "\",\"path\":\"%s/../hub/new.db\"}", path);
    must_fail(db, "tenants.backup", input, BRANT_INVALID, NULL);
    snprintf(input, sizeof input, "{\"org_id\":\"" ORG_B "\",\"path\":\"%s/none.backup\"}",
             (const char *)*state);
    must_fail(db, "tenants.restore", input, BRANT_NOT_FOUND, NULL);
    /* A handle of one tenant does not reach another's file that way, either. */
    brant_db *b = must_acquire(hub, ORG_B);
    snprintf(input, sizeof input, "{\"path\":\"%s/tenant-" ORG_A ".db\"}", path);
    must_fail(b, "db.restore", input, BRANT_CONFLICT, NULL);
    give_back(hub, b);
    /* The file is lost; the backup is not. */
    brant_hub_free(hub);
    assert_int_equal(unlink(in_folder(path, "tenant-" ORG_A ".db")), 0);
    hub = must_open_hub(path, "");
    must_not_acquire(hub, TEXT(ORG_A), BRANT_CORRUPT);
    snprintf(input, sizeof input, "{\"org_id\":\"" ORG_A "\",\"path\":\"%s\"}", copy);
    must(brant_hub_system(hub), "tenants.restore", input, NULL);
    a = must_acquire(hub, ORG_A);
    must(a, "graph_types.get", "{\"name\":\"kept\"}", NULL);
    give_back(hub, a);
    brant_hub_free(hub);
}

/* A file of an older format, which never was in a hub. */
static void put_old_tenant(const char *path, const char *name) {
    sqlite3 *raw = NULL;
    char to[300];
    snprintf(to, sizeof to, "%s/%s", path, name);
    copy_file(BRANT_SOURCE_DIR "/tests/core/data/format_6.db", to);
    assert_int_equal(sqlite3_open(to, &raw), SQLITE_OK);
    assert_int_equal(sqlite3_exec(raw, "UPDATE brant_meta SET value = 'tenant' WHERE name = 'role'",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(raw);
}

static void test_migrate(void **state) {
    HUB_PATH(state);
    brant_hub *hub = must_open_hub(path, "");
    insert_org(brant_hub_system(hub), ORG_A, "a");
    insert_org(brant_hub_system(hub), ORG_B, "b");
    give_back(hub, must_acquire(hub, ORG_B));
    brant_hub_free(hub);
    hub = must_open_hub(path, "");
    put_old_tenant(path, "tenant-" ORG_A ".db");
    execute_inside(brant_hub_system(hub), "INSERT INTO brant_tenants (org_id, state, created_at, "
                                          "updated_at) VALUES ('" ORG_A "', 'made', 1, 1)");
    char *answer = must_call(brant_hub_system(hub), "tenants.migrate", "{}",
                             "\"org_id\":\"" ORG_A "\",\"ok\":true,\"from\":6,\"to\":7");
    assert_non_null(strstr(answer, "\"org_id\":\"" ORG_B "\",\"ok\":true,\"from\":7,\"to\":7"));
    brant_free(answer);
    brant_db *a = must_acquire(hub, ORG_A);
    must_be_well(a);
    assert_int_equal(number(a, "SELECT count(*) FROM brant_meta WHERE name = 'org_id'"), 1);
    must(brant_hub_system(hub), "tenants.get", "{\"org_id\":\"" ORG_A "\"}", "\"file\":\"");
    give_back(hub, a);
    brant_hub_free(hub);
}

/* ---- other processes ------------------------------------------------------------------------------------------------------ */

static brant_hub *child_hub(child *self) {
    brant_hub *hub = NULL;
    CHECK(brant_hub_open(&hub, TEXT(self->path), TEXT("{\"busy_timeout\":600000}")) == BRANT_OK);
    return hub;
}

static bool child_call(brant_db *db, const char *name, const char *json, brant_status wanted) {
    char *answer = NULL;
    size_t length = 0;
    const brant_status status = brant_call(&answer, &length, db, TEXT(name), TEXT(json));
    brant_free(answer);
    return status == wanted;
}

static void migrate_all(child *self) {
    brant_hub *hub = child_hub(self);
    char *answer = NULL;
    size_t length = 0;
    say(self);
    hear(self);
    CHECK(brant_tenant_migrate(&answer, &length, brant_hub_system(hub), "", 0) == BRANT_OK);
    CHECK(strstr(answer, "\"ok\":true") && !strstr(answer, "\"ok\":false"));
    brant_free(answer);
    brant_hub_free(hub);
}

static void test_migrate_at_once(void **state) {
    HUB_PATH(state);
    child children[2];
    char id[37], slug[16], name[64], sql[300];
    brant_hub *hub = must_open_hub(path, "");
    for (unsigned i = 0; i < 8; i++) {
        snprintf(slug, sizeof slug, "org-%u", i);
        insert_org(brant_hub_system(hub), org_id(id, i), slug);
        snprintf(name, sizeof name, "tenant-%s.db", id);
        put_old_tenant(path, name);
        snprintf(sql, sizeof sql,
                 "INSERT INTO brant_tenants (org_id, state, created_at, updated_at) VALUES "
                 "('%s', 'made', 1, 1)",
                 id);
        execute_inside(brant_hub_system(hub), sql);
    }
    brant_hub_free(hub);
    for (int i = 0; i < 2; i++)
        fork_child(&children[i], migrate_all, path, i);
    for (int i = 0; i < 2; i++)
        hear(&children[i]);
    for (int i = 0; i < 2; i++)
        say(&children[i]);
    for (int i = 0; i < 2; i++)
        must_end(&children[i], 0);
    hub = must_open_hub(path, "");
    for (unsigned i = 0; i < 8; i++) {
        brant_db *db = must_acquire(hub, org_id(id, i));
        must_be_well(db);
        give_back(hub, db);
    }
    brant_hub_free(hub);
}

/* Writes to its tenant until it may not any more. What it was told last is the rest of its answer. */
static void write_on(child *self) {
    brant_hub *hub = child_hub(self);
    brant_db *db = NULL;
    CHECK(brant_hub_acquire(&db, hub, TEXT(ORG_A)) == BRANT_OK);
    say(self);
    for (;;) {
        char *answer = NULL;
        size_t length = 0;
        const brant_status status =
            brant_event_notify(&answer, &length, db, TEXT("{\"channel\":\"c\"}"));
        brant_free(answer);
        if (status == BRANT_CLOSED) break;
        CHECK(status == BRANT_OK);
        /* Acknowledged: so the file was there, or was to be deleted with it, then. */
    }
    CHECK(child_call(db, "graphs.list", "{}", BRANT_CLOSED));
    brant_hub_release(hub, db);
    brant_db_free(db);
    CHECK(brant_hub_acquire(&db, hub, TEXT(ORG_A)) == BRANT_NOT_FOUND);
    brant_hub_free(hub);
}

/* Has the file open without a hub. */
static void write_alone(child *self) {
    brant_db *db = NULL;
    char name[300];
    brant_status status;
    snprintf(name, sizeof name, "%s/tenant-" ORG_A ".db", self->path);
    CHECK(brant_open(&db, TEXT(name), TEXT("{\"mode\":\"rw\",\"busy_timeout\":600000}")) ==
          BRANT_OK);
    say(self);
    do {
        char *answer = NULL;
        size_t length = 0;
        status = brant_event_notify(&answer, &length, db, TEXT("{\"channel\":\"c\"}"));
        brant_free(answer);
    } while (status == BRANT_OK);
    CHECK(status == BRANT_CLOSED);
    brant_db_free(db);
}

static void test_delete_under_others(void **state) {
    HUB_PATH(state);
    child children[3];
    brant_hub_free(make_hub(path));
    fork_child(&children[0], write_on, path, 0);
    fork_child(&children[1], write_on, path, 1);
    fork_child(&children[2], write_alone, path, 2);
    for (int i = 0; i < 3; i++)
        hear(&children[i]);
    brant_hub *hub = must_open_hub(path, "{\"busy_timeout\":600000}");
    pause_ms(50);
    set_org_status(brant_hub_system(hub), ORG_A, "deleting");
    assert_false(exists(path, "tenant-" ORG_A ".db"));
    for (int i = 0; i < 3; i++)
        must_end(&children[i], 0);
    must_fail(brant_hub_system(hub), "tenants.get", "{\"org_id\":\"" ORG_A "\"}", BRANT_NOT_FOUND,
              NULL);
    brant_hub_free(hub);
    hub = must_open_hub(path, "");
    assert_false(exists(path, "tenant-" ORG_A ".db-wal"));
    assert_false(exists(path, "tenant-" ORG_A ".db-shm"));
    brant_hub_free(hub);
}

/* What cannot be removed keeps its organisation, which is being deleted until it is gone. */
static void test_what_stays_is_not_deleted(void **state) {
    HUB_PATH(state);
    static const char *const endings[] = {"", "-wal"};
    char name[600];
    brant_hub *hub = make_hub(path);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        if (i > 0) insert_org(brant_hub_system(hub), ORG_C, "c");
        snprintf(name, sizeof name, "%s/tenant-" ORG_C ".db%s", path, endings[i]);
        assert_int_equal(mkdir(name, 0700), 0);
        set_org_status(brant_hub_system(hub), ORG_C, "deleting");
        must(brant_hub_system(hub), "tenants.get", "{\"org_id\":\"" ORG_C "\"}",
             "\"status\":\"deleting\"");
        brant_hub_free(hub);
        hub = must_open_hub(path, ""); /* in vain once more */
        must(brant_hub_system(hub), "tenants.get", "{\"org_id\":\"" ORG_C "\"}",
             "\"status\":\"deleting\"");
        assert_int_equal(rmdir(name), 0);
        brant_hub_free(hub);
        hub = must_open_hub(path, "");
        must_fail(brant_hub_system(hub), "tenants.get", "{\"org_id\":\"" ORG_C "\"}",
                  BRANT_NOT_FOUND, NULL);
    }
    brant_hub_free(hub);
}

/* Whoever is of an organisation may there what its owner gives, and nothing with the tenants of others. */
static void test_sessions(void **state) {
    static const char identity[] = "{\"id\":\"x\",\"scopes\":[\"*:*\"],\"files\":[\"read\","
                                   "\"write\"],\"organization\":\"" ORG_A "\"}";
    static const char *const denied[][2] = {
        {"tenants.list", "{}"},
        {"tenants.stats", "{}"},
        {"tenants.migrate", "{}"},
        {"tenants.maintain", "{}"},
        {"tenants.apply", "{\"operation\":\"graph_types.delete\",\"input\":{\"name\":\"t\"}}"},
        {"tenants.get", "{\"org_id\":\"" ORG_B "\"}"},
        {"tenants.backup", "{\"org_id\":\"" ORG_B "\",\"path\":\"/nowhere/b\"}"},
        {"tenants.restore", "{\"org_id\":\"" ORG_B "\",\"path\":\"/nowhere/b\"}"},
        {"tenants.delegations", "{}"},
        {"tenants.delegations", "{\"filter\":{\"from_org\":\"" ORG_B "\"}}"},
        {"tenants.delegate", "{\"from_org\":\"" ORG_B "\",\"from\":\"p\",\"to_org\":\"" ORG_A
                             "\",\"to\":\"bot\",\"scopes\":[\"nodes:read\"]}"},
    };
    HUB_PATH(state);
    brant_hub *hub = make_hub(path);
    brant_db *session = NULL;
    assert_int_equal(brant_session_open(&session, brant_hub_system(hub), TEXT(identity)), BRANT_OK);
    for (size_t i = 0; i < sizeof denied / sizeof *denied; i++)
        must_fail(session, denied[i][0], denied[i][1], BRANT_DENIED, "reaches no other's tenant");
    must(session, "tenants.get", "{\"org_id\":\"" ORG_A "\"}", ORG_A);
    must(session, "tenants.delegations", "{\"filter\":{\"from_org\":\"" ORG_A "\"}}", "[]");
    must(session, "tenants.delegations", "{\"filter\":{\"to_org\":\"" ORG_A "\"}}", "[]");
    brant_db_free(session);
    brant_hub_free(hub);
}

/* One of the organisations that are there, and how many there are. */
static int64_t pick(char out_id[37], brant_db *system, unsigned dice) {
    char json[200], *answer = NULL;
    size_t length = 0;
    int64_t count = 0;
    CHECK(brant_sql_execute(&answer, &length, system,
                            TEXT("{\"sql\":\"SELECT count(*) FROM brant_organizations\"}")) ==
          BRANT_OK);
    count = atoll(strstr(answer, "[[") + 2);
    brant_free(answer);
    out_id[0] = '\0';
    snprintf(json, sizeof json,
             "{\"sql\":\"SELECT id FROM brant_organizations ORDER BY id LIMIT 1 OFFSET %d\"}",
             count ? (int)(dice % count) : 0);
    CHECK(brant_sql_execute(&answer, &length, system, TEXT(json)) == BRANT_OK);
    const char *at = strstr(answer, "[[\"");
    if (at) snprintf(out_id, 37, "%.36s", at + 3);
    brant_free(answer);
    return *out_id ? count : 0; /* another may have deleted the last meanwhile */
}

/* Makes, deletes and uses organisations, its own and the others', at random until it is killed. An id is never used again. */
static void live(child *self) {
    char id[37], sql[400];
    unsigned dice = (unsigned)self->number * 2654435761u + 1, made = 0;
    brant_hub *hub = child_hub(self);
    brant_db *system = brant_hub_system(hub);
    say(self);
    for (;;) {
        brant_db *db = NULL;
        dice = dice * 1664525u + 1013904223u;
        const int64_t count = pick(id, system, dice >> 8);
        if (count >= 6 || (count > 0 && (dice >> 24) % 4 == 0)) {
            snprintf(sql, sizeof sql,
                     "UPDATE brant_organizations SET status = 'deleting' WHERE id = '%s'", id);
        } else {
            org_id(id, ((unsigned)self->number + 1) * 100000 + made++);
            snprintf(sql, sizeof sql,
                     "INSERT INTO brant_organizations (id, slug, name, owner_id, status, "
                     "created_at, updated_at) VALUES ('%s', '%s', 'O', 'n', 'active', 1, 1)",
                     id, id);
        }
        CHECK(brant__enter(system) == BRANT_OK);
        CHECK(brant__begin(system, BRANT__WRITE) == BRANT_OK);
        CHECK(brant__execute(system, sql) == BRANT_OK);
        CHECK(brant__commit(system) == BRANT_OK);
        brant__leave(system);
        if (pick(id, system, dice >> 4) == 0) continue;
        const brant_status status = brant_hub_acquire(&db, hub, id, 36);
        CHECK(status == BRANT_OK || status == BRANT_NOT_FOUND);
        if (status != BRANT_OK) continue;
        char *answer = NULL;
        size_t length = 0;
        const brant_status wrote =
            brant_event_notify(&answer, &length, db, TEXT("{\"channel\":\"c\"}"));
        CHECK(wrote == BRANT_OK || wrote == BRANT_CLOSED);
        brant_free(answer);
        if (dice % 2) brant_hub_release(hub, db);
        brant_db_free(db);
    }
}

/* Each file in the folder is the system's or belongs to an organisation that is there. Those tenants; whole. */
static void must_be_whole(const char *path) {
    char known[4000] = "", id[37];
    brant_hub *hub = must_open_hub(path, "{\"max_open\":8}");
    brant_db *system = brant_hub_system(hub);
    assert_int_equal(
        number(system, "SELECT count(*) FROM brant_organizations WHERE status = 'deleting'"), 0);
    char *answer = must_call(system, "tenants.list", "{}", NULL);
    for (const char *at = answer; (at = strstr(at, "\"org_id\":\"")); at += 10) {
        snprintf(id, sizeof id, "%.36s", at + 10);
        strcat(known, id);
        assert_true(strlen(known) + sizeof id < sizeof known);
        brant_db *db = must_acquire(hub, id);
        assert_int_equal(number(db, "SELECT count(*) FROM brant_meta WHERE name = 'org_id'"), 1);
        give_back(hub, db);
    }
    brant_free(answer);
    brant_hub_free(hub);
    DIR *folder = opendir(path);
    struct dirent *entry;
    assert_non_null(folder);
    while ((entry = readdir(folder))) {
        const char *name = entry->d_name;
        if (*name == '.' || strncmp(name, "system.db", 9) == 0) continue;
        assert_int_equal(strncmp(name, "tenant-", 7), 0);
        snprintf(id, sizeof id, "%.36s", name + 7);
        if (!strstr(known, id) || strstr(name, "-new")) fail_msg("%s was left behind", name);
    }
    closedir(folder);
}

/* Whenever it is killed, what is there afterwards is whole or gone. */
static void test_kills(void **state) {
    HUB_PATH(state);
    brant_hub_free(make_hub(path));
    for (int round = 0; round < 40; round++) {
        child children[2];
        for (int i = 0; i < 2; i++)
            fork_child(&children[i], live, path, 2 * round + i);
        for (int i = 0; i < 2; i++)
            hear(&children[i]);
        pause_ms(3 + (round * 37) % 41);
        for (int i = 0; i < 2; i++) {
            kill(children[i].process, SIGKILL);
            must_end(&children[i], -SIGKILL);
        }
        must_be_whole(path);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_folder, tear_down_children)

int main(int count, char **arguments) {
    const struct CMUnitTest tests[] = {
        TEST(test_list),
        TEST(test_plans),
        TEST(test_maintain),
        TEST(test_apply),
        TEST(test_backup),
        TEST(test_migrate),
        TEST(test_migrate_at_once),
        TEST(test_delete_under_others),
        TEST(test_what_stays_is_not_deleted),
        TEST(test_sessions),
        TEST(test_kills),
    };
    if (count > 1) cmocka_set_test_filter(arguments[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
