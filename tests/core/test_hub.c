/*
 * Hubs: the folder, tenants that are made at their first use, handles that are lent, evicted and taken back, and organisations that are suspended or deleted.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "identity/membership.h"
#include "support_hub.h"

#define ORG_A "0192d3a4-7c1e-7000-8000-00000000000a"
#define ORG_B "0192d3a4-7c1e-7000-8000-00000000000b"

static bool exists(const char *folder, const char *name) {
    struct stat there;
    return lstat(in_folder(folder, name), &there) == 0;
}

static void make_graph(brant_db *db, const char *name) {
    char json[100];
    snprintf(json, sizeof json, "{\"name\":\"%s\",\"graph_type\":\"notes\"}", name);
    must(db, "graph_types.define", "{\"name\":\"notes\",\"module\":{}}", NULL);
    must(db, "graphs.create", json, NULL);
}

/* Versions from before hubs do not write to their files. */
static void must_need_writer(brant_db *db, int format) {
    char wanted[32];
    snprintf(wanted, sizeof wanted, "\"rows\":[[%d]]", format);
    must(db, "sql.execute", "{\"sql\":\"SELECT value FROM brant_meta WHERE name = 'min_writer'\"}",
         wanted);
}

static void test_folder(void **state) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", (const char *)*state, "hub");
    brant_hub *hub = must_open_hub(path, "");
    struct stat there;
    assert_int_equal(stat(path, &there), 0);
    assert_int_equal(there.st_mode & 07777, 0700);
    assert_true(exists(path, "system.db"));
    must(brant_hub_system(hub), "db.info", "{}", "\"role\":\"system\"");
    must_need_writer(brant_hub_system(hub), 7);
    brant_hub_free(hub);
    hub = must_open_hub(path, "{\"mode\":\"rw\"}");
    assert_int_equal(brant_hub_close(hub), BRANT_OK);
    assert_int_equal(brant_hub_close(hub), BRANT_OK);
    must_not_acquire(hub, TEXT(ORG_A), BRANT_CLOSED);
    assert_int_equal(brant_check(brant_hub_system(hub)), BRANT_CLOSED);
    brant_hub_free(hub);
    brant_hub_free(NULL);
    assert_int_equal(brant_hub_close(NULL), BRANT_OK);
    assert_null(brant_hub_system(NULL));
}

static void test_options(void **state) {
    static const struct {
        const char *options;
        brant_status wanted;
    } cases[] = {
        {"[]", BRANT_INVALID},
        {"{\"mode\":\"ro\"}", BRANT_INVALID},
        {"{\"max_open\":0}", BRANT_INVALID},
        {"{\"max_open\":100001}", BRANT_INVALID},
        {"{\"cache\":1}", BRANT_INVALID},
        {"{\"role\":\"tenant\"}", BRANT_INVALID},
        {"{\"busy_timeout\":-1}", BRANT_INVALID},
        {"{\"durability\":\"some\"}", BRANT_INVALID},
        {"{\"foreign_keys\":1}", BRANT_INVALID},
        {"{\"max_open\":1,\"max_open\":2}", BRANT_INVALID_JSON},
        {"{\"mode\":\"rw\"}", BRANT_NOT_FOUND},
    };
    char path[256];
    snprintf(path, sizeof path, "%s/%s", (const char *)*state, "none");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        brant_hub *hub = NULL;
        const brant_status status = brant_hub_open(&hub, TEXT(path), TEXT(cases[i].options));
        if (status != cases[i].wanted)
            fail_msg("%s: %s: %s", cases[i].options, brant_status_name(status),
                     brant_last_error()->message);
        assert_null(hub);
    }
    brant_hub *hub = NULL;
    assert_int_equal(brant_hub_open(&hub, "", 0, "", 0), BRANT_INVALID);
    assert_int_equal(brant_hub_open(&hub, "a\0b", 3, "", 0), BRANT_INVALID);
    assert_int_equal(brant_hub_open(&hub, "\xff", 1, "", 0), BRANT_INVALID);
    assert_int_equal(brant_hub_open(&hub, TEXT("/proc/none/such"), "", 0), BRANT_NOT_FOUND);
    FILE *file = fopen(in_folder(*state, "file"), "w");
    fclose(file);
    assert_int_equal(brant_hub_open(&hub, TEXT(in_folder(*state, "file")), "", 0), BRANT_NOT_BRANT);
    hub = must_open_hub(in_folder(*state, "all"),
                        "{\"mode\":\"create\",\"durability\":\"full\",\"max_open\":5,"
                        "\"cache\":65536,\"busy_timeout\":100,\"permissions\":\"group\","
                        "\"network\":true,\"limits\":{\"batch\":10}}");
    insert_org(brant_hub_system(hub), ORG_A, "a");
    brant_db *db = must_acquire(hub, ORG_A);
    must(db, "db.info", "{}", "\"durability\":\"full\"");
    give_back(hub, db);
    brant_hub_free(hub);
}

/* A tenant's file is that of nobody else, has an id of its own, and works without the hub. */
static void test_first_use(void **state) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", (const char *)*state, "hub");
    brant_hub *hub = must_open_hub(path, "");
    must_not_acquire(hub, TEXT(ORG_A), BRANT_NOT_FOUND);
    insert_org(brant_hub_system(hub), ORG_A, "a");
    insert_org(brant_hub_system(hub), ORG_B, "b");
    assert_false(exists(path, "tenant-" ORG_A ".db"));
    brant_db *a = must_acquire(hub, ORG_A), *b = must_acquire(hub, ORG_B);
    assert_true(exists(path, "tenant-" ORG_A ".db"));
    must(a, "db.info", "{}", "\"role\":\"tenant\"");
    must_need_writer(a, 7);
    make_graph(a, "g");
    must(a, "nodes.put", "{\"graph\":\"g\",\"key\":\"k\"}", NULL);
    must_fail(b, "nodes.get", "{\"graph\":\"g\",\"key\":\"k\"}", BRANT_NOT_FOUND, NULL);
    char *ids[2] = {
        must_call(a, "sql.execute",
                  "{\"sql\":\"SELECT value FROM brant_meta WHERE name IN ('id','created_at') "
                  "ORDER BY name\"}",
                  NULL),
        must_call(b, "sql.execute",
                  "{\"sql\":\"SELECT value FROM brant_meta WHERE name IN ('id','created_at') "
                  "ORDER BY name\"}",
                  NULL)};
    assert_string_not_equal(ids[0], ids[1]);
    assert_null(strstr(ids[0], "\"0000"));
    brant_free(ids[0]);
    brant_free(ids[1]);
    must(a, "db.doctor", "{}", "\"ok\":true");
    give_back(hub, a);
    give_back(hub, b);
    a = must_acquire(hub, ORG_A);
    must(a, "nodes.get", "{\"graph\":\"g\",\"key\":\"k\"}", NULL);
    give_back(hub, a);
    brant_hub_free(hub);
    a = must_open(in_folder(path, "tenant-" ORG_A ".db"), "{\"role\":\"tenant\"}");
    must(a, "nodes.get", "{\"graph\":\"g\",\"key\":\"k\"}", NULL);
    brant_db_free(a);
}

static void test_ids(void **state) {
    static const char *const wrong[] = {
        "../x",
        "a/b",
        "0192D3A4-7C1E-7000-8000-00000000000A",
        "0192d3a4-7c1e-7000-8000-00000000000",
        "0192d3a4-7c1e-7000-8000-00000000000aa",
        "0192d3a4-7c1e-7000-8000-00000000000g",
        "0192d3a4x7c1e-7000-8000-00000000000a",
        "../../../../../../../../etc/passwd..",
        "0192d3a4-7c1e-7000-8000-0000000000\xd9\xa1",
        "0192d3a4-7c1e-7000-8000-0000000000/a",
        "................................/../",
    };
    brant_hub *hub = must_open_hub(in_folder(*state, "hub"), "");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        must_not_acquire(hub, TEXT(wrong[i]), BRANT_INVALID);
    must_not_acquire(hub, "0192d3a4-7c1e-7000-8000-00000000000\0", 36, BRANT_INVALID);
    must_not_acquire(hub, "0192d3a4-7c1e-7000-8000-00000000000a\0x", 38, BRANT_INVALID);
    char *much = calloc(1, 1 << 20);
    memset(much, 'a', 1 << 20);
    must_not_acquire(hub, much, 1 << 20, BRANT_INVALID);
    free(much);
    brant_hub_free(hub);
}

/* What stands in the folder under a tenant's name and is none, or another's. */
static void test_links_and_strangers(void **state) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", (const char *)*state, "hub");
    char target[4096], name[4096];
    brant_hub *hub = must_open_hub(path, "");
    insert_org(brant_hub_system(hub), ORG_A, "a");
    insert_org(brant_hub_system(hub), ORG_B, "b");
    give_back(hub, must_acquire(hub, ORG_A));
    brant_hub_free(hub);
    snprintf(target, sizeof target, "%s", in_folder(path, "tenant-" ORG_A ".db"));
    snprintf(name, sizeof name, "%s", in_folder(path, "tenant-" ORG_B ".db"));
    assert_int_equal(symlink(target, name), 0);
    hub = must_open_hub(path, "");
    must_not_acquire(hub, TEXT(ORG_B), BRANT_NOT_BRANT);
    assert_int_equal(unlink(name), 0);
    assert_int_equal(rename(target, name), 0);
    must_not_acquire(hub, TEXT(ORG_B), BRANT_CORRUPT);
    must_not_acquire(hub, TEXT(ORG_A), BRANT_CORRUPT); /* its own is missing */
    assert_int_equal(rename(name, target), 0);
    give_back(hub, must_acquire(hub, ORG_A));
    assert_int_equal(mkdir(name, 0700), 0);
    must_not_acquire(hub, TEXT(ORG_B), BRANT_NOT_BRANT);
    assert_int_equal(rmdir(name), 0);
    brant_hub_free(hub);
    assert_int_equal(unlink(in_folder(path, "system.db")), 0);
    assert_int_equal(symlink("elsewhere.db", in_folder(path, "system.db")), 0);
    hub = NULL;
    assert_int_equal(brant_hub_open(&hub, TEXT(path), "", 0), BRANT_NOT_BRANT);
    assert_null(hub);
}

static void test_handles(void **state) {
    brant_hub *hub = must_open_hub(in_folder(*state, "hub"), ""),
              *other = must_open_hub(in_folder(*state, "other"), "");
    insert_org(brant_hub_system(hub), ORG_A, "a");
    brant_db *first = must_acquire(hub, ORG_A), *second = must_acquire(hub, ORG_A);
    assert_ptr_not_equal(first, second);
    make_graph(first, "g");
    must(second, "graphs.get", "{\"name\":\"g\"}", NULL);
    /* A transaction that was left open goes when the handle does. */
    must(first, "transaction.begin", "{}", NULL);
    make_graph(first, "lost");
    assert_int_equal(brant_hub_release(other, first), BRANT_MISUSE);
    assert_int_equal(brant_hub_release(hub, first), BRANT_OK);
    must_fail(first, "graphs.list", "{}", BRANT_CLOSED, NULL);
    assert_int_equal(brant_check(first), BRANT_CLOSED);
    assert_int_equal(brant_hub_release(hub, first), BRANT_OK);
    brant_db *third = must_acquire(hub, ORG_A);
    must_fail(third, "graphs.get", "{\"name\":\"lost\"}", BRANT_NOT_FOUND, NULL);
    must_fail(first, "graphs.list", "{}", BRANT_CLOSED, NULL);
    brant_db_free(first);
    brant_db_free(third); /* without a release */
    give_back(hub, second);
    assert_int_equal(brant_hub_release(hub, NULL), BRANT_OK);
    assert_int_equal(brant_hub_release(hub, brant_hub_system(hub)), BRANT_MISUSE);
    /* The system file has handles, too. */
    brant_db *system = NULL;
    assert_int_equal(brant_hub_acquire(&system, hub, NULL, 0), BRANT_OK);
    must(system, "db.info", "{}", "\"role\":\"system\"");
    /* They go on to whoever is next. */
    must_fail(system, "sql.execute", "{\"sql\":\"PRAGMA foreign_keys=ON\"}", BRANT_DENIED,
              "option of the hub");
    must(system, "sql.execute", "{\"sql\":\"PRAGMA foreign_keys\"}", "[[0]]");
    /* Handles outlive the hub as closed ones. */
    brant_hub_free(hub);
    must_fail(system, "db.info", "{}", BRANT_CLOSED, NULL);
    brant_db_free(system);
    brant_hub_free(other);
}

/* Cursors of a handle that was given back end; those of others go on. */
static void test_cursors(void **state) {
    brant_hub *hub = must_open_hub(in_folder(*state, "hub"), "");
    brant_cursor *cursor = NULL, *kept = NULL;
    char *items = NULL;
    size_t length = 0;
    insert_org(brant_hub_system(hub), ORG_A, "a");
    brant_db *db = must_acquire(hub, ORG_A), *listener = must_acquire(hub, ORG_A);
    assert_int_equal(brant_event_listen(&cursor, db, TEXT("{\"channels\":[\"c\"]}")), BRANT_OK);
    assert_int_equal(brant_event_listen(&kept, listener, TEXT("{\"channels\":[\"c\"]}")), BRANT_OK);
    assert_int_equal(brant_hub_release(hub, db), BRANT_OK);
    assert_int_equal(brant_cursor_next(&items, &length, cursor, 1000), BRANT_CLOSED);
    brant_cursor_free(cursor);
    brant_db_free(db);
    db = must_acquire(hub, ORG_A);
    must(db, "events.notify", "{\"channel\":\"c\",\"payload\":1}", NULL);
    assert_int_equal(brant_cursor_next(&items, &length, kept, 5000), BRANT_OK);
    assert_non_null(strstr(items, "\"c\""));
    brant_free(items);
    brant_cursor_free(kept);
    give_back(hub, db);
    give_back(hub, listener);
    brant_hub_free(hub);
}

static size_t count_descriptors(void) {
    size_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (folder && readdir(folder))
        count++;
    if (folder) closedir(folder);
    return count;
}

static int set_up_in_memory(void **state) {
    *state = make_folder_in_memory();
    return 0;
}

static void test_bounds(void **state) {
    char id[37], slug[16];
    brant_hub *hub =
        must_open_hub(in_folder(*state, "hub"), "{\"max_open\":8,\"busy_timeout\":50}");
    brant_db *held[8], *db = NULL;
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(slug, sizeof slug, "org-%u", i);
        insert_org(brant_hub_system(hub), org_id(id, i), slug);
    }
    const size_t before = count_descriptors();
    for (unsigned i = 0; i < 1000; i++) {
        db = must_acquire(hub, org_id(id, i));
        make_graph(db, "g");
        give_back(hub, db);
        assert_in_range(count_descriptors(), before, before + 8 * 4);
    }
    for (unsigned i = 0; i < 8; i++)
        held[i] = must_acquire(hub, org_id(id, i * 100));
    const int64_t start = monotonic_ms();
    must_not_acquire(hub, TEXT(org_id(id, 5)), BRANT_BUSY);
    assert_in_range(monotonic_ms() - start, 45, 60000);
    give_back(hub, held[3]);
    give_back(hub, must_acquire(hub, org_id(id, 5)));
    for (unsigned i = 0; i < 8; i++) {
        if (i == 3) continue;
        must(held[i], "graphs.get", "{\"name\":\"g\"}", NULL); /* none was closed meanwhile */
        give_back(hub, held[i]);
    }
    brant_hub_free(hub);
}

static void test_suspended(void **state) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", (const char *)*state, "hub");
    brant_hub *hub = must_open_hub(path, "");
    insert_org(brant_hub_system(hub), ORG_A, "a");
    insert_org(brant_hub_system(hub), ORG_B, "b");
    brant_db *a = must_acquire(hub, ORG_A), *b = must_acquire(hub, ORG_B);
    set_org_status(brant_hub_system(hub), ORG_A, "suspended");
    must_fail(a, "graphs.list", "{}", BRANT_DENIED, NULL);
    must(b, "graphs.list", "{}", NULL);
    must_not_acquire(hub, TEXT(ORG_A), BRANT_DENIED);
    set_org_status(brant_hub_system(hub), ORG_A, "active");
    must(a, "graphs.list", "{}", NULL);
    give_back(hub, a);
    give_back(hub, b);
    brant_hub_free(hub);
}

static void test_deleted(void **state) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", (const char *)*state, "hub");
    brant_hub *hub = must_open_hub(path, "{\"busy_timeout\":300}");
    insert_org(brant_hub_system(hub), ORG_A, "a");
    insert_org(brant_hub_system(hub), ORG_B, "b");
    brant_db *a = must_acquire(hub, ORG_A), *b = must_acquire(hub, ORG_B),
             *outside = must_open(in_folder(path, "tenant-" ORG_A ".db"), "{\"mode\":\"rw\"}");
    make_graph(outside, "g");
    must(a, "transaction.begin", "{}", NULL); /* ends with its handle */
    set_org_status(brant_hub_system(hub), ORG_A, "deleting");
    must_fail(a, "graphs.list", "{}", BRANT_CLOSED, NULL);
    assert_false(exists(path, "tenant-" ORG_A ".db"));
    assert_false(exists(path, "tenant-" ORG_A ".db-wal"));
    assert_false(exists(path, "tenant-" ORG_A ".db.wake"));
    must_fail(outside, "graphs.create", "{\"name\":\"h\",\"graph_type\":\"notes\"}", BRANT_CLOSED,
              NULL);
    must_not_acquire(hub, TEXT(ORG_A), BRANT_NOT_FOUND);
    must(brant_hub_system(hub), "sql.execute",
         "{\"sql\":\"SELECT count(*) FROM brant_organizations\"}", "[[1]]");
    must(b, "graphs.list", "{}", NULL);
    brant_db_free(outside);
    brant_db_free(a);
    give_back(hub, b);
    brant_hub_free(hub);
    assert_false(exists(path, "tenant-" ORG_A ".db-wal"));
}

/* A writer outside holds the delete up; the next look finishes it. */
static void test_delete_finished_later(void **state) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", (const char *)*state, "hub");
    brant_hub *hub = must_open_hub(path, "{\"busy_timeout\":50}");
    insert_org(brant_hub_system(hub), ORG_A, "a");
    give_back(hub, must_acquire(hub, ORG_A));
    brant_db *outside = must_open(in_folder(path, "tenant-" ORG_A ".db"), "{\"mode\":\"rw\"}");
    must(outside, "transaction.begin", "{}", NULL);
    set_org_status(brant_hub_system(hub), ORG_A, "deleting");
    assert_true(exists(path, "tenant-" ORG_A ".db"));
    must_not_acquire(hub, TEXT(ORG_A), BRANT_NOT_FOUND);
    make_graph(outside, "g");
    must(outside, "transaction.commit", "{}", NULL); /* acknowledged, and deleted with the rest */
    brant_hub_free(hub);
    hub = must_open_hub(path, "");
    assert_false(exists(path, "tenant-" ORG_A ".db"));
    must_fail(outside, "graphs.create", "{\"name\":\"h\",\"graph_type\":\"notes\"}", BRANT_CLOSED,
              NULL);
    brant_db_free(outside);
    brant_hub_free(hub);
}

/* Two hubs of one folder; what one keeps open the other deletes, and makes again under the same id. */
static void test_made_again(void **state) {
    char path[256];
    snprintf(path, sizeof path, "%s/hub", (const char *)*state);
    brant_hub *hub = must_open_hub(path, ""), *other = must_open_hub(path, "");
    insert_org(brant_hub_system(hub), ORG_A, "a");
    brant_db *held = must_acquire(hub, ORG_A), *db = must_acquire(hub, ORG_A);
    must(db, "events.notify", "{\"channel\":\"old\"}", NULL);
    give_back(hub, db);
    set_org_status(brant_hub_system(other), ORG_A, "deleting");
    insert_org(brant_hub_system(other), ORG_A, "a");
    pause_ms(2);
    db = must_acquire(other, ORG_A);
    must(db, "events.notify", "{\"channel\":\"new\"}", NULL);
    must_fail(held, "events.channels", "{}", BRANT_CLOSED, NULL);
    brant_db *again = must_acquire(hub, ORG_A);
    assert_int_equal(number(again, "SELECT count(*) FROM notifications WHERE channel = 'new'"), 1);
    assert_int_equal(number(again, "SELECT count(*) FROM notifications"), 1);
    give_back(hub, held);
    give_back(hub, again);
    give_back(other, db);
    brant_hub_free(hub);
    brant_hub_free(other);
}

static void test_members(void **state) {
    brant_hub *hub = must_open_hub(in_folder(*state, "hub"), "");
    brant_db *system = brant_hub_system(hub);
    int level = -1;
    insert_org(system, ORG_A, "a");
    execute_inside(system, "INSERT INTO brant_accounts (id, email, access_level, status, "
                           "created_at, updated_at) VALUES ('x', 'x@y.z', 'user', 'active', 1, 1)");
    execute_inside(system, "INSERT INTO brant_members (id, org_id, account_id, level, status, "
                           "created_at, updated_at) VALUES ('m', '" ORG_A
                           "', 'x', 'admin', 'active', 1, 1)");
    brant_db *db = must_acquire(hub, ORG_A), *inside = db;
    assert_int_equal(brant__handle_enter(&inside), BRANT_OK);
    assert_true(brant__hub_of(inside));
    assert_int_equal(brant__hub_member(&level, inside, BRANT__TEXT("x")), BRANT_OK);
    assert_int_equal(level, 3);
    assert_int_equal(brant__hub_member(&level, inside, BRANT__TEXT("y")), BRANT_OK);
    assert_int_equal(level, 0);
    brant__leave(inside);
    execute_inside(system, "UPDATE brant_accounts SET status = 'inactive'");
    inside = db;
    assert_int_equal(brant__handle_enter(&inside), BRANT_OK);
    assert_int_equal(brant__hub_member(&level, inside, BRANT__TEXT("x")), BRANT_OK);
    assert_int_equal(level, 0);
    brant__leave(inside);
    assert_false(brant__hub_of(brant_hub_system(hub)));
    give_back(hub, db);
    brant_hub_free(hub);
}

#define RING                                                                                       \
    "{\"keys\":[{\"version\":%d,\"key\":\"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ%s\"}]}"

static void test_keys(void **state) {
    char ring[300];
    brant_hub *hub = must_open_hub(in_folder(*state, "hub"), "");
    insert_org(brant_hub_system(hub), ORG_A, "a");
    insert_org(brant_hub_system(hub), ORG_B, "b");
    brant_db *held = must_acquire(hub, ORG_A), *db = NULL;
    /* Whoever has none gets none, either: not that of the one before. */
    snprintf(ring, sizeof ring, RING, 7, "I");
    db = must_acquire(hub, ORG_B);
    assert_int_equal(brant_keyring_load(db, TEXT(ring)), BRANT_OK);
    give_back(hub, db);
    db = must_acquire(hub, ORG_B);
    must(db, "keyring.info", "{}", "\"keys\":[]");
    give_back(hub, db);
    snprintf(ring, sizeof ring, RING, 1, "E");
    assert_int_equal(brant_hub_keyring_load(hub, TEXT(ring)), BRANT_OK);
    must(brant_hub_system(hub), "keyring.info", "{}", "\"version\":1");
    must(held, "keyring.info", "{}", "\"keys\":[]");
    give_back(hub, held);
    db = must_acquire(hub, ORG_A);
    must(db, "keyring.info", "{}", "\"version\":1");
    /* One of the caller's own stays nobody else's. */
    snprintf(ring, sizeof ring, RING, 7, "I");
    assert_int_equal(brant_keyring_load(db, TEXT(ring)), BRANT_OK);
    give_back(hub, db);
    db = must_acquire(hub, ORG_A);
    must(db, "keyring.info", "{}", "\"version\":1");
    give_back(hub, db);
    assert_int_equal(brant_hub_keyring_load(hub, TEXT("{\"keys\":1}")), BRANT_INVALID);
    must(brant_hub_system(hub), "keyring.info", "{}", "\"version\":1");
    db = must_acquire(hub, ORG_B);
    must(db, "keyring.info", "{}", "\"version\":1");
    give_back(hub, db);
    assert_int_equal(brant_hub_keyring_unload(hub), BRANT_OK);
    db = must_acquire(hub, ORG_B);
    must(db, "keyring.info", "{}", "\"keys\":[]");
    give_back(hub, db);
    brant_hub_free(hub);
}

static void *make_one(void *hub) {
    give_back(hub, must_acquire(hub, ORG_B));
    return NULL;
}

/* Who waits to write the system file keeps nobody from the tenants' files. */
static void test_writer_waits(void **state) {
    brant_hub *hub = must_open_hub(in_folder(*state, "hub"), "{\"busy_timeout\":600000}");
    brant_db *system = brant_hub_system(hub), *db = NULL;
    struct timespec pause = {0, 1000000}, begun, ended;
    pthread_t thread;
    insert_org(system, ORG_A, "a");
    insert_org(system, ORG_B, "b");
    db = must_acquire(hub, ORG_A);
    must(system, "transaction.begin", "{\"mode\":\"write\"}", NULL);
    clock_gettime(CLOCK_MONOTONIC, &begun);
    assert_int_equal(pthread_create(&thread, NULL, make_one, hub), 0);
    for (int i = 0; i < 100; i++) {
        must(db, "events.notify", "{\"channel\":\"c\"}", NULL);
        nanosleep(&pause, NULL);
    }
    clock_gettime(CLOCK_MONOTONIC, &ended);
    must(system, "transaction.commit", "{}", NULL);
    assert_in_range(ended.tv_sec - begun.tv_sec, 0, 300);
    pthread_join(thread, NULL);
    give_back(hub, db);
    brant_hub_free(hub);
}

typedef struct crowd {
    brant_hub *hub;
    unsigned number;
    atomic_uint *failures;
} crowd;

static void *work(void *context) {
    const crowd *self = context;
    char id[37];
    for (unsigned i = 0; i < 200; i++) {
        brant_db *db = NULL;
        char *answer = NULL;
        size_t length = 0;
        org_id(id, (self->number * 7 + i * 13) % 20);
        if (brant_hub_acquire(&db, self->hub, id, 36) != BRANT_OK ||
            brant_event_notify(&answer, &length, db, TEXT("{\"channel\":\"c\"}")) != BRANT_OK)
            atomic_fetch_add(self->failures, 1);
        brant_free(answer);
        if (i % 3) brant_hub_release(self->hub, db);
        brant_db_free(db);
    }
    return NULL;
}

static void test_threads(void **state) {
    brant_hub *hub = must_open_hub(in_folder(*state, "hub"), "{\"max_open\":6,\"busy_timeout\":600000}");
    pthread_t threads[8];
    crowd crowds[8];
    atomic_uint failures = 0;
    char id[37], slug[16];
    for (unsigned i = 0; i < 20; i++) {
        snprintf(slug, sizeof slug, "org-%u", i);
        insert_org(brant_hub_system(hub), org_id(id, i), slug);
    }
    for (unsigned i = 0; i < 8; i++) {
        crowds[i] = (crowd){hub, i, &failures};
        pthread_create(&threads[i], NULL, work, &crowds[i]);
    }
    for (unsigned i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(failures, 0);
    int64_t sum = 0;
    for (unsigned i = 0; i < 20; i++) {
        brant_db *db = must_acquire(hub, org_id(id, i));
        char *answer =
            must_call(db, "sql.execute", "{\"sql\":\"SELECT count(*) FROM notifications\"}", NULL);
        sum += atoll(strstr(answer, "[[") + 2);
        brant_free(answer);
        give_back(hub, db);
    }
    assert_int_equal(sum, 8 * 200);
    brant_hub_free(hub);
}

typedef struct end {
    brant_hub *hub;
    atomic_int strange; /* a status that nothing explains */
    atomic_bool stop;
    atomic_uint ids[6]; /* of the organisations that are there, or were a moment ago */
} end;

/* Works until the hub closes, on organisations that come and go. */
static void *work_to_the_end(void *context) {
    end *self = context;
    char id[37];
    for (unsigned i = 0; !atomic_load(&self->stop); i++) {
        brant_db *db = NULL;
        char *answer = NULL;
        size_t length = 0;
        org_id(id, atomic_load(&self->ids[i % 6]));
        brant_status status = brant_hub_acquire(&db, self->hub, id, 36);
        if (status == BRANT_OK)
            status = brant_event_notify(&answer, &length, db, TEXT("{\"channel\":\"c\"}"));
        if (status != BRANT_OK && status != BRANT_CLOSED && status != BRANT_NOT_FOUND &&
            status != BRANT_DENIED)
            atomic_store(&self->strange, (int)status);
        brant_free(answer);
        if (i % 2) brant_hub_release(self->hub, db);
        brant_db_free(db);
    }
    return NULL;
}

static void test_close_under_threads(void **state) {
    end self = {.hub = must_open_hub(in_folder(*state, "hub"),
                                     "{\"max_open\":4,\"busy_timeout\":600000}")};
    brant_db *system = brant_hub_system(self.hub);
    pthread_t threads[4];
    char id[37];
    for (unsigned i = 0; i < 6; i++) {
        atomic_store(&self.ids[i], i);
        insert_org(system, org_id(id, i), id);
    }
    for (unsigned i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, work_to_the_end, &self);
    for (unsigned i = 0; i < 12; i++) {
        atomic_uint *number = &self.ids[i % 6];
        pause_ms(5);
        set_org_status(system, org_id(id, atomic_load(number)), i % 3 ? "suspended" : "deleting");
        pause_ms(5);
        if (i % 3) {
            set_org_status(system, id, "active");
        } else {
            insert_org(system, org_id(id, 100 + i), id); /* an id is never used again */
            atomic_store(number, 100 + i);
        }
    }
    brant_hub_close(self.hub);
    pause_ms(5);
    atomic_store(&self.stop, true);
    for (unsigned i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    if (self.strange) fail_msg("%s", brant_status_name((brant_status)self.strange));
    brant_hub_free(self.hub);
}

int main(int count, char **arguments) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_folder, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_options, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_first_use, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_ids, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_links_and_strangers, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_handles, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_cursors, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_bounds, set_up_in_memory, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_suspended, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_deleted, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_delete_finished_later, set_up_folder,
                                        tear_down_folder),
        cmocka_unit_test_setup_teardown(test_made_again, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_members, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_keys, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_writer_waits, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_threads, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_close_under_threads, set_up_folder, tear_down_folder),
    };
    if (count > 1) cmocka_set_test_filter(arguments[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
