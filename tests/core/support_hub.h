/*
 * tests/core/support_hub.h: hubs for tests, and organisations that stand in their system file without the rules of organizations.create.
 */
#ifndef BRANT_TESTS_SUPPORT_HUB_H
#define BRANT_TESTS_SUPPORT_HUB_H

#include "store/store.h"
#include "support.h"

static inline brant_hub *must_open_hub(const char *path, const char *options) {
    brant_hub *hub = NULL;
    const brant_status status = brant_hub_open(&hub, TEXT(path), TEXT(options));
    if (status != BRANT_OK)
        fail_msg("opening the hub %s: %s: %s", path, brant_last_error()->name,
                 brant_last_error()->message);
    assert_non_null(hub);
    return hub;
}

static inline brant_db *must_acquire(brant_hub *hub, const char *org_id) {
    brant_db *db = NULL;
    const brant_status status = brant_hub_acquire(&db, hub, TEXT(org_id));
    if (status != BRANT_OK)
        fail_msg("acquiring %s: %s: %s", org_id, brant_last_error()->name,
                 brant_last_error()->message);
    assert_non_null(db);
    return db;
}

static inline void must_not_acquire(brant_hub *hub, const char *org_id, size_t length,
                                    brant_status wanted) {
    brant_db *db = NULL;
    const brant_status status = brant_hub_acquire(&db, hub, org_id, length);
    if (status != wanted)
        fail_msg("acquiring %s: wanted %s, got %s: %s", org_id, brant_status_name(wanted),
                 brant_status_name(status), brant_last_error()->message);
    assert_string_equal(brant_last_error()->name, brant_status_name(wanted));
    assert_null(db);
}

/* Give it back and free it. */
static inline void give_back(brant_hub *hub, brant_db *db) {
    assert_int_equal(brant_hub_release(hub, db), BRANT_OK);
    brant_db_free(db);
}

/* Write to brant's own tables, which sql.execute refuses. */
static inline void execute_inside(brant_db *db, const char *sql) {
    assert_int_equal(brant__handle_enter(&db), BRANT_OK);
    assert_int_equal(brant__begin(db, BRANT__WRITE), BRANT_OK);
    if (brant__execute(db, sql) != BRANT_OK) fail_msg("%s", brant_last_error()->message);
    assert_int_equal(brant__commit(db), BRANT_OK);
    brant__leave(db);
}

/* The nth of its kind. */
static inline const char *org_id(char out[37], unsigned n) {
    snprintf(out, 37, "0192d3a4-7c1e-7000-8000-%012x", n);
    return out;
}

static inline void insert_org(brant_db *system, const char *id, const char *slug) {
    char sql[400];
    snprintf(sql, sizeof sql,
             "INSERT INTO brant_organizations (id, slug, name, owner_id, status, created_at, "
             "updated_at) VALUES ('%s', '%s', 'An organisation', 'nobody', 'active', 1, 1)",
             id, slug);
    execute_inside(system, sql);
}

static inline void set_org_status(brant_db *system, const char *id, const char *status) {
    char sql[200];
    snprintf(sql, sizeof sql, "UPDATE brant_organizations SET status = '%s' WHERE id = '%s'",
             status, id);
    execute_inside(system, sql);
}

#endif
