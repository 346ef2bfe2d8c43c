/*
 * identity/member.c: members of organisations: added, raised and lowered, suspended, removed.
 *
 * Two kinds of rules. What the actor may: read from its own membership as it is now (level.h). What must hold whoever acts: an organisation has an active owner, and its owner_id is of level
 * owner; so whoever has that is transferred from, never removed.
 */
#include "identity/member.h"

#include "access/derive.h"
#include "event/event.h"
#include "identity/account.h"
#include "identity/audit.h"
#include "identity/input.h"
#include "identity/membership.h"
#include "identity/organization.h"

#define OF_ONE "WHERE org_id = :org AND account_id = :account"

enum {
    ROW,
    FIND,
    INSERT,
    SET_LEVEL,
    SET_STATUS,
    DELETE,
    OF_ORGANIZATION,
    OF_ACCOUNT,
    DELETE_OF_ORGANIZATION,
    DELETE_OF_ACCOUNT,
    STATEMENTS
};
static const char *const sql[] = {
    [ROW] = "SELECT " BRANT__MEMBER_COLUMNS " FROM brant_members " OF_ONE,
    [FIND] = "SELECT level, status FROM brant_members " OF_ONE,
    [INSERT] = "INSERT INTO brant_members (id, org_id, account_id, level, status, created_at, "
               "updated_at) VALUES (:id, :org, :account, :level, 'active', :now, :now)",
    [SET_LEVEL] = "UPDATE brant_members SET level = :level, updated_at = :now " OF_ONE,
    [SET_STATUS] = "UPDATE brant_members SET status = :status, updated_at = :now " OF_ONE,
    [DELETE] = "DELETE FROM brant_members " OF_ONE,
    [OF_ORGANIZATION] = "SELECT org_id, account_id FROM brant_members WHERE org_id = :id",
    [OF_ACCOUNT] = "SELECT org_id, account_id FROM brant_members WHERE account_id = :id",
    [DELETE_OF_ORGANIZATION] = "DELETE FROM brant_members WHERE org_id = :id",
    [DELETE_OF_ACCOUNT] = "DELETE FROM brant_members WHERE account_id = :id",
};
const brant__statements brant__member_statements = {BRANT__TABLE_MEMBER, STATEMENTS, sql};

static brant_status get(brant__statement **out, brant_db *db, size_t index) {
    return brant__statement_get(out, db, &brant__member_statements, index);
}

/* ---- rows ------------------------------------------------------------------------------------------------------------------ */

brant_status brant__member_find(brant__member *out, brant_db *db, brant__text org_id,
                                brant__text account_id) {
    brant__statement *statement = NULL;
    brant_status status;

    *out = (brant__member){0};
    BRANT__TRY(get(&statement, db, FIND));
    brant__bind_text(statement, 1, org_id);
    brant__bind_text(statement, 2, account_id);
    BRANT__TRY(brant__step(&out->found, db, statement));
    if (!out->found) goto cleanup;
    out->level = brant__level_of(brant__column_text(statement, 0));
    out->active = brant__text_equal(brant__column_text(statement, 1), BRANT__TEXT("active"));
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status missing(brant__text org_id, brant__text account_id) {
    return brant__fail(BRANT_NOT_FOUND, "account %.*s is no member of organization %.*s",
                       (int)account_id.length, account_id.data, (int)org_id.length, org_id.data);
}

brant_status brant__member_answer(brant__call *call, brant__text org_id, brant__text account_id) {
    brant__statement *statement = NULL;
    bool found = false;
    brant_status status = get(&statement, call->db, ROW);

    if (status != BRANT_OK) return status;
    brant__bind_text(statement, 1, org_id);
    brant__bind_text(statement, 2, account_id);
    status = brant__answer_row(&found, call, &brant__members_table, statement);
    return status == BRANT_OK && !found ? missing(org_id, account_id) : status;
}

/* Set one column of one membership. */
static brant_status set_column(brant_db *db, size_t index, brant__text value, brant__text org_id,
                               brant__text account_id) {
    brant__statement *statement = NULL;
    const brant_status status = get(&statement, db, index);

    if (status != BRANT_OK) return status;
    brant__bind_text(statement, 1, value);
    brant__bind_integer(statement, 2, brant__db_now(db));
    brant__bind_text(statement, 3, org_id);
    brant__bind_text(statement, 4, account_id);
    return brant__run(db, statement);
}

static brant_status delete_one(brant_db *db, brant__text org_id, brant__text account_id) {
    brant__statement *statement = NULL;
    const brant_status status = get(&statement, db, DELETE);

    if (status != BRANT_OK) return status;
    brant__bind_text(statement, 1, org_id);
    brant__bind_text(statement, 2, account_id);
    return brant__run(db, statement);
}

/* ---- what is told ------------------------------------------------------------------------------------------------------------ */

/* `level` {NULL, 0}: the event says nothing of it. */
static brant_status notify(brant_db *db, const char *channel, brant__text org_id,
                           brant__text account_id, brant__text level) {
    brant__facts facts = {0};
    brant__text payload;
    brant_status status;

    brant__facts_begin(&facts);
    brant__facts_text(&facts, "org_id", org_id);
    brant__facts_text(&facts, "account_id", account_id);
    if (level.data) brant__facts_text(&facts, "membership_level", level);
    BRANT__TRY(brant__facts_end(&payload, &facts));
    status = brant__notify(NULL, db, brant__text_string(channel), payload);
cleanup:
    brant__facts_free(&facts);
    return status;
}

/* In the audit log: the account is the resource; `from` and `to` where a level changed, {NULL, 0} otherwise. */
static brant_status record(brant__call *call, const brant__actor *actor, const char *action,
                           brant__text org_id, brant__text account_id, brant__text from,
                           brant__text to) {
    brant__facts facts = {0};
    brant__text resource, detail;
    brant_status status;

    BRANT__TRY(brant__resource_of(&resource, call->arena, "account", account_id));
    brant__facts_begin(&facts);
    if (from.data) brant__facts_text(&facts, "from", from);
    if (to.data) brant__facts_text(&facts, "level", to);
    BRANT__TRY(brant__facts_end(&detail, &facts));
    status = brant__audit_append(call, actor, action, org_id, resource, detail);
cleanup:
    brant__facts_free(&facts);
    return status;
}

/* ---- for others ----------------------------------------------------------------------------------------------------------------- */

/*
 * Memberships changed: one, those of an organisation (account_id {NULL, 0}) or of an account (org_id {NULL, 0}). Brings the access graph of the file to it; a tenant's is in a file of its own, which the
 * hub does the same with after the commit. Whether account and organisation are active is not in that graph: it is asked at every evaluation.
 */
static brant_status members_changed(brant__call *call, brant__text org_id, brant__text account_id) {
    if (brant__db_role(call->db) == BRANT__ROLE_SINGLE)
        return brant__access_derive(NULL, call, org_id, account_id);
    if (org_id.data) brant__hub_changed(call->db, org_id, account_id);
    return BRANT_OK;
}

/* NOT_FOUND, CONFLICT: who becomes a member must be there and in use. */
static brant_status check_account(brant_db *db, brant__text account_id) {
    brant__account account;
    const brant_status status = brant__account_find(&account, db, NULL, account_id);

    if (status != BRANT_OK) return status;
    if (!account.found) return brant__account_missing(account_id);
    if (!account.active)
        return brant__fail(BRANT_CONFLICT, "account %.*s is not active", (int)account_id.length,
                           account_id.data);
    return BRANT_OK;
}

static brant_status insert(brant_db *db, brant__text org_id, brant__text account_id, int level) {
    brant__statement *statement = NULL;
    char id[37];
    brant_status status = brant__db_uuid(db, id);

    if (status == BRANT_OK) status = get(&statement, db, INSERT);
    if (status != BRANT_OK) return status;
    brant__bind_text(statement, 1, brant__text_of(id, 36));
    brant__bind_text(statement, 2, org_id);
    brant__bind_text(statement, 3, account_id);
    brant__bind_text(statement, 4, brant__level_name(level));
    brant__bind_integer(statement, 5, brant__db_now(db));
    return brant__run(db, statement);
}

brant_status brant__member_insert(brant__call *call, brant__text org_id, brant__text account_id,
                                  int level) {
    brant__organization organization;
    brant__member member;
    brant_status status;

    BRANT__TRY(brant__organization_hold(&organization, call->db, call->arena, org_id));
    BRANT__TRY(check_account(call->db, account_id));
    BRANT__TRY(brant__member_find(&member, call->db, org_id, account_id));
    if (member.found)
        return brant__fail(BRANT_EXISTS, "account %.*s is a member of the organization already",
                           (int)account_id.length, account_id.data);
    BRANT__TRY(insert(call->db, org_id, account_id, level));
    BRANT__TRY(notify(call->db, "org:member_added", org_id, account_id, brant__level_name(level)));
    status = members_changed(call, org_id, account_id);
cleanup:
    return status;
}

brant_status brant__members_delete(int64_t *out_count, brant__call *call, brant__text org_id,
                                   brant__text account_id) {
    const bool organization = org_id.data != NULL;
    const brant__text id = organization ? org_id : account_id;
    brant__statement *statement = NULL;
    bool row = false;
    brant_status status;

    *out_count = 0;
    BRANT__TRY(get(&statement, call->db, organization ? OF_ORGANIZATION : OF_ACCOUNT));
    brant__bind_text(statement, 1, id);
    for (;;) {
        BRANT__TRY(brant__step(&row, call->db, statement));
        if (!row) break;
        BRANT__TRY(notify(call->db, "org:member_removed", brant__column_text(statement, 0),
                          brant__column_text(statement, 1), (brant__text){NULL, 0}));
        if (!organization) /* each in a graph of its own, where there is a hub */
            brant__hub_changed(call->db, brant__column_text(statement, 0), account_id);
        ++*out_count;
    }
    brant__reset(statement);
    BRANT__TRY(
        get(&statement, call->db, organization ? DELETE_OF_ORGANIZATION : DELETE_OF_ACCOUNT));
    brant__bind_text(statement, 1, id);
    BRANT__TRY(brant__run(call->db, statement));
    if (*out_count > 0) status = members_changed(call, org_id, account_id);
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__member_set_level(brant__call *call, brant__text org_id, brant__text account_id,
                                     int level) {
    brant_status status;

    BRANT__TRY(set_column(call->db, SET_LEVEL, brant__level_name(level), org_id, account_id));
    BRANT__TRY(
        notify(call->db, "org:member_updated", org_id, account_id, brant__level_name(level)));
    status = members_changed(call, org_id, account_id);
cleanup:
    return status;
}

/* ---- operations ----------------------------------------------------------------------------------------------------------------- */

/* A change of one membership, as it is asked for. */
typedef struct change {
    brant__call *call;
    const char *action; /* the operation's name */
    brant__text org_id, account_id;
    brant__actor actor;
    brant__standing standing;
    brant__organization organization;
    brant__member member; /* as it is before */
    int own;              /* the actor's level; of the system OWNER */
} change;

/* Who asks, of which organisation; `needed` is the least level that does such a thing. */
static brant_status begin(change *self, brant__call *call, const char *action, int needed) {
    brant_status status;

    *self = (change){.call = call,
                     .action = action,
                     .org_id = brant__json_get_text(call->input, "org_id"),
                     .account_id = brant__json_get_text(call->input, "account_id")};
    BRANT__TRY(brant__identity_here(call->db));
    BRANT__TRY(brant__actor_read(&self->actor, call));
    BRANT__TRY(brant__organization_hold(&self->organization, call->db, call->arena, self->org_id));
    BRANT__TRY(brant__standing_read(&self->standing, call, &self->actor));
    status = brant__level_require(&self->own, call, &self->standing, self->org_id, needed);
cleanup:
    return status;
}

/* Nobody gives a level above their own, and only an owner changes what an owner is. */
static brant_status check_level(const change *self, int level) {
    if (level <= self->own) return BRANT_OK;
    return brant__fail(BRANT_DENIED,
                       "an owner's membership is changed, and made, by owners alone; "
                       "account %.*s is %s there",
                       (int)self->standing.id.length, self->standing.id.data,
                       brant__level_names[self->own - 1]);
}

/* And nobody gives one that holds more than the session by which they give it. */
static brant_status check_given(const change *self, int level) {
    const brant_status status = check_level(self, level);
    return status == BRANT_OK
               ? brant__session_require(self->call->db, brant__scopes_of_level(level))
               : status;
}

/* The membership, which must be there and not above the actor. */
static brant_status find(change *self) {
    const brant_status status =
        brant__member_find(&self->member, self->call->db, self->org_id, self->account_id);

    if (status != BRANT_OK) return status;
    if (!self->member.found) return missing(self->org_id, self->account_id);
    return self->member.level == BRANT__LEVEL_OWNER ? check_level(self, BRANT__LEVEL_OWNER)
                                                    : BRANT_OK;
}

/* What is left of the organisation when the account is no owner of it any more: `stays` where it keeps its level, and is suspended. */
static brant_status check_owner(const change *self, bool stays) {
    if (self->member.level != BRANT__LEVEL_OWNER) return BRANT_OK;
    if (!stays && brant__text_equal(self->organization.owner_id, self->account_id))
        return brant__fail(BRANT_CONSTRAINT,
                           "account %.*s has the organization: organizations.transfer gives it to "
                           "another",
                           (int)self->account_id.length, self->account_id.data);
    return brant__owner_remains(self->call->db, self->org_id, self->account_id);
}

/* Log, event, access graph. */
static brant_status finish(const change *self, const char *channel, brant__text level) {
    const brant__text none = {NULL, 0};
    brant_status status;

    BRANT__TRY(
        record(self->call, &self->actor, self->action, self->org_id, self->account_id, none, none));
    BRANT__TRY(notify(self->call->db, channel, self->org_id, self->account_id, level));
    status = members_changed(self->call, self->org_id, self->account_id);
cleanup:
    return status;
}

brant_status brant__members_add(brant__call *call) {
    const brant__text wanted = brant__json_get_text(call->input, "level");
    const int level = wanted.data ? brant__level_of(wanted) : BRANT__LEVEL_MEMBER;
    change self;
    brant_status status;

    BRANT__TRY(begin(&self, call, "members.add", BRANT__LEVEL_ADMIN));
    BRANT__TRY(check_given(&self, level));
    BRANT__TRY(brant__member_insert(call, self.org_id, self.account_id, level));
    BRANT__TRY(record(call, &self.actor, self.action, self.org_id, self.account_id,
                      (brant__text){NULL, 0}, brant__level_name(level)));
    status = brant__member_answer(call, self.org_id, self.account_id);
cleanup:
    return status;
}

brant_status brant__members_get(brant__call *call) {
    const brant_status status = brant__identity_here(call->db);
    if (status != BRANT_OK) return status;
    return brant__member_answer(call, brant__json_get_text(call->input, "org_id"),
                                brant__json_get_text(call->input, "account_id"));
}

brant_status brant__members_list(brant__call *call) {
    const brant_status status = brant__identity_here(call->db);
    return status == BRANT_OK ? brant__table_list(call, &brant__members_table, "members.list")
                              : status;
}

brant_status brant__members_set_level(brant__call *call) {
    const int level = brant__level_of(brant__json_get_text(call->input, "level"));
    change self;
    brant_status status;

    BRANT__TRY(begin(&self, call, "members.set_level", BRANT__LEVEL_ADMIN));
    BRANT__TRY(find(&self));
    BRANT__TRY(check_level(&self, level));
    if (level != self.member.level) {
        if (level > self.member.level) BRANT__TRY(check_given(&self, level));
        BRANT__TRY(check_owner(&self, false));
        BRANT__TRY(brant__member_set_level(call, self.org_id, self.account_id, level));
        BRANT__TRY(record(call, &self.actor, self.action, self.org_id, self.account_id,
                          brant__level_name(self.member.level), brant__level_name(level)));
    }
    status = brant__member_answer(call, self.org_id, self.account_id);
cleanup:
    return status;
}

static brant_status set_active(brant__call *call, const char *action, bool active) {
    change self;
    brant_status status;

    BRANT__TRY(begin(&self, call, action, BRANT__LEVEL_ADMIN));
    BRANT__TRY(find(&self));
    if (active != self.member.active) {
        if (active)
            BRANT__TRY(check_given(&self, self.member.level));
        else
            BRANT__TRY(check_owner(&self, true));
        BRANT__TRY(set_column(call->db, SET_STATUS,
                              active ? BRANT__TEXT("active") : BRANT__TEXT("suspended"),
                              self.org_id, self.account_id));
        BRANT__TRY(finish(&self, "org:member_updated", brant__level_name(self.member.level)));
    }
    status = brant__member_answer(call, self.org_id, self.account_id);
cleanup:
    return status;
}

brant_status brant__members_suspend(brant__call *call) {
    return set_active(call, "members.suspend", false);
}

brant_status brant__members_resume(brant__call *call) {
    return set_active(call, "members.resume", true);
}

static brant_status end_membership(change *self) {
    brant_status status;

    BRANT__TRY(find(self));
    BRANT__TRY(check_owner(self, false));
    BRANT__TRY(delete_one(self->call->db, self->org_id, self->account_id));
    BRANT__TRY(finish(self, "org:member_removed", (brant__text){NULL, 0}));
    brant__write_object(self->call->out);
    brant__write_bool_member(self->call->out, "removed", true);
    brant__write_end(self->call->out);
cleanup:
    return status;
}

brant_status brant__members_remove(brant__call *call) {
    change self;
    const brant_status status = begin(&self, call, "members.remove", BRANT__LEVEL_ADMIN);
    return status == BRANT_OK ? end_membership(&self) : status;
}

brant_status brant__members_leave(brant__call *call) {
    change self;
    const brant_status status = begin(&self, call, "members.leave", BRANT__LEVEL_VIEWER);

    if (status != BRANT_OK) return status;
    if (!self.account_id.data) {
        if (self.standing.system)
            return brant__fail(BRANT_INVALID,
                               "/account_id is missing, and the actor is no account");
        self.account_id = self.standing.id;
    }
    if (!self.standing.system && !brant__text_equal(self.account_id, self.standing.id))
        return brant__fail(BRANT_DENIED, "nobody leaves for another: members.remove ends another's "
                                         "membership");
    return end_membership(&self);
}
