/*
 * identity/level.c: see level.h.
 *
 * Invariants are read in the write transaction that would break them. A write transaction is the only one of its file from its begin on, in whatever process: so of two owners who
 * leave at once the second sees that the first has gone.
 */
#include "identity/level.h"

#include "identity/table.h"

/* Members that count as owners: `m` and their account `a`. */
#define ACTIVE_OWNER "m.level = 'owner' AND m.status = 'active' AND a.status = 'active'"

enum { LEVEL, OTHER_OWNER, LAST_OWNED, STATEMENTS };
static const char *const sql[] = {
    [LEVEL] = "SELECT m.level FROM brant_members m CROSS JOIN brant_organizations o ON o.id = "
              "m.org_id CROSS JOIN brant_accounts a ON a.id = m.account_id "
              "WHERE m.org_id = :org AND m.account_id = :account AND m.status = 'active' "
              "AND o.status = 'active' AND a.status = 'active'",
    [OTHER_OWNER] =
        "SELECT 1 FROM brant_members m CROSS JOIN brant_accounts a ON a.id = m.account_id "
        "WHERE m.org_id = :org AND m.account_id <> :account AND " ACTIVE_OWNER " LIMIT 1",
    [LAST_OWNED] =
        "SELECT o.slug FROM brant_members w CROSS JOIN brant_organizations o ON o.id = w.org_id "
        "WHERE w.account_id = :account AND w.level = 'owner' AND w.status = 'active' "
        "AND o.status = 'active' AND NOT EXISTS (SELECT 1 FROM brant_members m "
        "CROSS JOIN brant_accounts a ON a.id = m.account_id WHERE m.org_id = w.org_id "
        "AND m.account_id <> w.account_id AND " ACTIVE_OWNER ") LIMIT 1",
};
const brant__statements brant__level_statements = {BRANT__TABLE_IDENTITY, STATEMENTS, sql};

static brant_status get(brant__statement **out, brant_db *db, size_t index) {
    return brant__statement_get(out, db, &brant__level_statements, index);
}

int brant__level_of(brant__text name) {
    for (int i = 0; brant__level_names[i]; i++)
        if (brant__text_equal(name, brant__text_string(brant__level_names[i]))) return i + 1;
    return BRANT__LEVEL_NONE;
}

brant__text brant__level_name(int level) {
    if (level == BRANT__LEVEL_NONE) return (brant__text){NULL, 0};
    return brant__text_string(brant__level_names[level - 1]);
}

brant_status brant__member_level(int *out_level, brant_db *db, brant__text org_id,
                                 brant__text account_id) {
    brant__statement *statement = NULL;
    bool row = false;
    brant_status status;

    *out_level = BRANT__LEVEL_NONE;
    BRANT__TRY(get(&statement, db, LEVEL));
    brant__bind_text(statement, 1, org_id);
    brant__bind_text(statement, 2, account_id);
    BRANT__TRY(brant__step(&row, db, statement));
    if (row) *out_level = brant__level_of(brant__column_text(statement, 0));
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__level_require(int *out_level, brant__call *call, const brant__standing *actor,
                                  brant__text org_id, int level) {
    brant_status status;

    *out_level = BRANT__LEVEL_OWNER;
    if (actor->system) return BRANT_OK;
    *out_level = BRANT__LEVEL_NONE;
    if (actor->org.data && !brant__text_equal(actor->org, org_id))
        return brant__fail(BRANT_DENIED, "the session is of another organization");
    status = brant__member_level(out_level, call->db, org_id, actor->id);
    if (*out_level > actor->most) *out_level = actor->most;
    if (status != BRANT_OK || *out_level >= level) return status;
    if (*out_level == BRANT__LEVEL_NONE)
        return brant__fail(BRANT_DENIED,
                           "account %.*s is no active member of that organization, or it is not "
                           "active",
                           (int)actor->id.length, actor->id.data);
    return brant__fail(BRANT_DENIED, "that needs level %s; account %.*s is %s there",
                       brant__level_names[level - 1], (int)actor->id.length, actor->id.data,
                       brant__level_names[*out_level - 1]);
}

brant_status brant__member_may(brant__call *call, const brant__actor *actor, brant__text org_id,
                               int level) {
    brant__standing standing;
    int own = BRANT__LEVEL_NONE;
    brant_status status = brant__standing_read(&standing, call, actor);

    if (status == BRANT_OK)
        status = brant__level_require(&own, call, &standing, org_id,
                                      level > BRANT__LEVEL_ADMIN ? level : BRANT__LEVEL_ADMIN);
    if (status == BRANT_OK)
        status = brant__session_require(call->db, brant__scopes_of_level(level));
    return status;
}

/* ---- owners ----------------------------------------------------------------------------------------------------------------- */

brant_status brant__owner_remains(brant_db *db, brant__text org_id, brant__text account_id) {
    brant__statement *statement = NULL;
    bool row = false;
    brant_status status;

    BRANT__TRY(get(&statement, db, OTHER_OWNER));
    brant__bind_text(statement, 1, org_id);
    brant__bind_text(statement, 2, account_id);
    BRANT__TRY(brant__step(&row, db, statement));
    if (!row && account_id.length == 0)
        status = brant__fail(BRANT_CONSTRAINT, "the organization has no active owner");
    else if (!row)
        status = brant__fail(BRANT_CONSTRAINT,
                             "account %.*s is the last active owner of the organization",
                             (int)account_id.length, account_id.data);
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__owners_remain(brant_db *db, brant__text account_id) {
    brant__statement *statement = NULL;
    bool row = false;
    brant_status status;

    BRANT__TRY(get(&statement, db, LAST_OWNED));
    brant__bind_text(statement, 1, account_id);
    BRANT__TRY(brant__step(&row, db, statement));
    if (row) {
        const brant__text slug = brant__column_text(statement, 0);
        status = brant__fail(BRANT_CONSTRAINT,
                             "account %.*s is the last active owner of organization \"%.*s\"",
                             (int)account_id.length, account_id.data, (int)slug.length, slug.data);
    }
cleanup:
    brant__reset(statement);
    return status;
}
