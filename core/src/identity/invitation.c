/*
 * identity/invitation.c: invitations into organisations, which whoever has the token and the email's account accepts once.
 *
 * What is pending is settled in a write transaction that has read that it is: so of two who accept at once one finds it accepted.
 */
#include "identity/invitation.h"

#include "identity/account.h"
#include "identity/audit.h"
#include "identity/email.h"
#include "identity/input.h"
#include "identity/level.h"
#include "identity/member.h"
#include "identity/organization.h"
#include "identity/token.h"

#define TTL INT64_C(604800000)

enum { FIND, STORED, PENDING, DROP, MEMBER, INSERT, GET, STATE, STATE_OF_ROW, SETTLE, STATEMENTS };
#define STATE_COLUMNS "id, org_id, email, level, status, expires_at FROM brant_invitations WHERE "
static const char *const sql[] = {
    [FIND] = "SELECT (SELECT row_id FROM brant_invitations WHERE kid = :kid), "
             "(SELECT max(row_id) FROM brant_invitations)",
    [STORED] = "SELECT hash, pepper_version FROM brant_invitations WHERE row_id = :row_id",
    [PENDING] = "SELECT row_id, id, expires_at FROM brant_invitations WHERE org_id = :org AND "
                "email = :email AND status = 'pending'",
    [DROP] = "DELETE FROM brant_invitations WHERE row_id = :row_id",
    [MEMBER] = "SELECT 1 FROM brant_accounts a CROSS JOIN brant_members m ON m.org_id = :org AND "
               "m.account_id = a.id WHERE a.email = :email",
    [INSERT] =
        "INSERT INTO brant_invitations (id, org_id, email, level, kid, hash, pepper_version, "
        "invited_by, status, expires_at, metadata, created_at, updated_at) VALUES (:id, :org, "
        ":email, :level, :kid, :hash, :pepper_version, :invited_by, 'pending', :expires_at, "
        ":metadata, :now, :now) RETURNING " BRANT__INVITATION_COLUMNS,
    [GET] = "SELECT " BRANT__INVITATION_COLUMNS " FROM brant_invitations WHERE id = :id",
    [STATE] = "SELECT " STATE_COLUMNS "id = :id",
    [STATE_OF_ROW] = "SELECT " STATE_COLUMNS "row_id = :row_id",
    [SETTLE] = "UPDATE brant_invitations SET status = :status, account_id = :account, updated_at = "
               ":now WHERE id = :id RETURNING " BRANT__INVITATION_COLUMNS,
};
const brant__statements brant__invitation_statements = {BRANT__TABLE_INVITATION, STATEMENTS, sql};

static brant_status get(brant__statement **out, brant_db *db, size_t index) {
    return brant__statement_get(out, db, &brant__invitation_statements, index);
}

static brant_status record(brant__call *call, const brant__actor *actor, const char *action,
                           brant__text org_id, brant__text id, brant__text detail) {
    brant__text resource;
    const brant_status status = brant__resource_of(&resource, call->arena, "invitation", id);
    return status == BRANT_OK ? brant__audit_append(call, actor, action, org_id, resource, detail)
                              : status;
}

/* ---- inviting -------------------------------------------------------------------------------------------------------------- */

typedef struct draft {
    char id[37];
    brant__text org_id, email, level, metadata, invited_by;
    int64_t expires_at;
} draft;

static brant_status read_draft(draft *out, brant__call *call, const brant__actor *actor) {
    yyjson_val *input = call->input, *expires = brant__json_get(input, "expires_at"),
               *ttl = brant__json_get(input, "ttl");
    const brant__text level = brant__json_get_text(input, "level");
    const int64_t now = brant__db_now(call->db);
    brant_status status;
    *out = (draft){.org_id = brant__json_get_text(input, "org_id"),
                   .level = level.data ? level : BRANT__TEXT("member"),
                   .invited_by = actor->id};
    if (expires && ttl) return brant__fail(BRANT_INVALID, "give one of expires_at and ttl");
    out->expires_at =
        expires ? brant__json_integer(expires, 0) : now + brant__json_integer(ttl, TTL);
    if (out->expires_at <= now)
        return brant__fail(BRANT_INVALID, "/expires_at is not in the future");
    BRANT__TRY(
        brant__email_normalize(&out->email, call->arena, brant__json_get_text(input, "email")));
    BRANT__TRY(brant__input_metadata(&out->metadata, call));
    if (!out->metadata.data) out->metadata = BRANT__TEXT("{}");
cleanup:
    return status;
}

static brant_status check_organization(brant_db *db, brant__text org_id) {
    brant__organization organization;
    const brant_status status = brant__organization_find(&organization, db, NULL, org_id);
    if (status != BRANT_OK || organization.status == BRANT__ORGANIZATION_ACTIVE) return status;
    return brant__fail(BRANT_CONFLICT, "organization %.*s is not active", (int)org_id.length,
                       org_id.data);
}

static brant_status check_no_member(brant_db *db, const draft *invitation) {
    brant__statement *statement = NULL;
    bool row = false;
    brant_status status;
    BRANT__TRY(get(&statement, db, MEMBER));
    brant__bind_text(statement, 1, invitation->org_id);
    brant__bind_text(statement, 2, invitation->email);
    BRANT__TRY(brant__step(&row, db, statement));
    if (row)
        status =
            brant__fail(BRANT_EXISTS, "the account of that email is a member of the organization");
cleanup:
    brant__reset(statement);
    return status;
}

/* One that is over makes room for another. */
static brant_status replace(brant_db *db, const draft *invitation) {
    brant__statement *statement = NULL;
    int64_t over = 0;
    bool row = false;
    brant_status status;
    BRANT__TRY(get(&statement, db, PENDING));
    brant__bind_text(statement, 1, invitation->org_id);
    brant__bind_text(statement, 2, invitation->email);
    BRANT__TRY(brant__step(&row, db, statement));
    if (row && brant__column_integer(statement, 2) > brant__db_now(db)) {
        const brant__text id = brant__column_text(statement, 1);
        status = brant__fail(BRANT_EXISTS, "invitation %.*s of that email is pending",
                             (int)id.length, id.data);
        goto cleanup;
    }
    if (row) over = brant__column_integer(statement, 0);
    brant__reset(statement);
    statement = NULL;
    if (!row) goto cleanup;
    BRANT__TRY(get(&statement, db, DROP));
    brant__bind_integer(statement, 1, over);
    status = brant__run(db, statement);
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status insert(brant__call *call, draft *invitation, const brant__token *token) {
    uint8_t hash[BRANT__HASH_SIZE];
    int64_t pepper_version = 0;
    brant__statement *statement = NULL;
    bool row = false;
    brant_status status;
    BRANT__TRY(brant__token_hash(hash, call->db, &pepper_version, brant__token_text(token)));
    BRANT__TRY(brant__db_uuid(call->db, invitation->id));
    BRANT__TRY(get(&statement, call->db, INSERT));
    brant__bind_text(statement, 1, brant__text_of(invitation->id, 36));
    brant__bind_text(statement, 2, invitation->org_id);
    brant__bind_text(statement, 3, invitation->email);
    brant__bind_text(statement, 4, invitation->level);
    brant__bind_text(statement, 5, brant__token_kid(token));
    brant__bind_blob(statement, 6, hash, sizeof hash);
    brant__bind_integer(statement, 7, pepper_version);
    brant__bind_text(statement, 8, invitation->invited_by);
    brant__bind_integer(statement, 9, invitation->expires_at);
    brant__bind_text(statement, 10, invitation->metadata);
    brant__bind_integer(statement, 11, brant__db_now(call->db));
    status = brant__answer_row(&row, call, &brant__invitations_table, statement);
cleanup:
    brant__reset(statement);
    return status;
}

/* Without the email, which is somebody's personal data. */
static brant_status record_created(brant__call *call, const brant__actor *actor,
                                   const draft *invitation, const brant__token *token) {
    brant__facts facts = {0};
    brant__text detail;
    brant_status status;
    brant__facts_begin(&facts);
    brant__facts_text(&facts, "kid", brant__token_kid(token));
    brant__facts_text(&facts, "level", invitation->level);
    BRANT__TRY(brant__facts_end(&detail, &facts));
    status = record(call, actor, "invitations.create", invitation->org_id,
                    brant__text_of(invitation->id, 36), detail);
cleanup:
    brant__facts_free(&facts);
    return status;
}

brant_status brant__invitations_create(brant__call *call) {
    brant__actor actor;
    brant__token token = {0};
    draft invitation;
    brant_status status;
    BRANT__TRY(brant__identity_here(call->db));
    BRANT__TRY(brant__actor_read(&actor, call));
    BRANT__TRY(read_draft(&invitation, call, &actor));
    BRANT__TRY(check_organization(call->db, invitation.org_id));
    BRANT__TRY(
        brant__member_may(call, &actor, invitation.org_id, brant__level_of(invitation.level)));
    BRANT__TRY(check_no_member(call->db, &invitation));
    BRANT__TRY(replace(call->db, &invitation));
    BRANT__TRY(brant__token_make(&token, call->db, BRANT__TOKEN_INVITE));
    brant__write_object(call->out);
    brant__write_name(call->out, "invitation");
    BRANT__TRY(insert(call, &invitation, &token));
    brant__write_text_member(call->out, "token", brant__token_text(&token));
    brant__write_end(call->out);
    status = record_created(call, &actor, &invitation, &token);
cleanup:
    brant__token_wipe(&token);
    return status;
}

/* ---- settling -------------------------------------------------------------------------------------------------------------- */

/* One that is there; texts are in the arena. */
typedef struct present {
    brant__text id, org_id, email, status;
    int level;
    int64_t expires_at;
} present;

/* The statement stands on it, or on none. */
static brant_status read_state(present *out, bool *out_found, brant__call *call,
                               brant__statement *statement) {
    brant_status status = brant__step(out_found, call->db, statement);
    *out = (present){.level = BRANT__LEVEL_NONE};
    if (status != BRANT_OK || !*out_found) goto cleanup;
    BRANT__TRY(brant__arena_text(&out->id, call->arena, brant__column_text(statement, 0)));
    BRANT__TRY(brant__arena_text(&out->org_id, call->arena, brant__column_text(statement, 1)));
    BRANT__TRY(brant__arena_text(&out->email, call->arena, brant__column_text(statement, 2)));
    out->level = brant__level_of(brant__column_text(statement, 3));
    BRANT__TRY(brant__arena_text(&out->status, call->arena, brant__column_text(statement, 4)));
    out->expires_at = brant__column_integer(statement, 5);
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status read_by_id(present *out, brant__call *call, brant__text id) {
    brant__statement *statement = NULL;
    bool found = false;
    brant_status status = get(&statement, call->db, STATE);
    if (status != BRANT_OK) return status;
    brant__bind_text(statement, 1, id);
    status = read_state(out, &found, call, statement);
    return status == BRANT_OK && !found ? brant__row_missing(&brant__invitations_table, id)
                                        : status;
}

/* That of the input's token. */
static brant_status read_by_token(present *out, brant__call *call) {
    const brant__text token = brant__json_get_text(call->input, "token");
    brant__statement *statement = NULL;
    brant__text type, kid;
    int64_t row_id = 0;
    bool found = false;
    brant_status status = BRANT_OK;
    brant__db_secret(call->db);
    if (brant__token_read(&type, &kid, token) && brant__text_equal(type, BRANT__TOKEN_INVITE))
        BRANT__TRY(brant__token_find(&row_id, call->db, &brant__invitation_statements, FIND, STORED,
                                     kid, token));
    if (row_id) {
        BRANT__TRY(get(&statement, call->db, STATE_OF_ROW));
        brant__bind_integer(statement, 1, row_id);
        BRANT__TRY(read_state(out, &found, call, statement));
    }
    if (!found) status = brant__fail(BRANT_AUTH, "the invitation is not valid");
cleanup:
    return status;
}

/* CONFLICT: it is settled; STALE: it is over. */
static brant_status check_pending(const present *invitation, brant_db *db, bool over_too) {
    if (!brant__text_equal(invitation->status, BRANT__TEXT("pending")))
        return brant__fail(BRANT_CONFLICT, "the invitation is %.*s already",
                           (int)invitation->status.length, invitation->status.data);
    if (!over_too && invitation->expires_at <= brant__db_now(db))
        return brant__fail(BRANT_STALE, "the invitation has expired");
    return BRANT_OK;
}

/* Answers the row as it is from now on. */
static brant_status settle(brant__call *call, brant__text id, brant__text state,
                           brant__text account_id) {
    brant__statement *statement = NULL;
    bool row = false;
    const brant_status status = get(&statement, call->db, SETTLE);
    if (status != BRANT_OK) return status;
    brant__bind_text(statement, 1, state);
    brant__bind_text(statement, 2, account_id);
    brant__bind_integer(statement, 3, brant__db_now(call->db));
    brant__bind_text(statement, 4, id);
    return brant__answer_row(&row, call, &brant__invitations_table, statement);
}

/* A session of an organisation has to do with no invitation to another. */
static brant_status check_bound(const brant_db *db, const present *invitation) {
    const brant__text bound = brant__actor_bound(db);
    if (!bound.data || brant__text_equal(bound, invitation->org_id)) return BRANT_OK;
    return brant__fail(BRANT_DENIED, "the session is of another organization");
}

/* Who becomes a member: nobody but the system says it of another. */
static brant_status read_invited(brant__text *out, brant__call *call, const brant__actor *actor,
                                 const present *invitation) {
    brant__standing standing;
    brant__account account;
    brant_status status;
    *out = brant__json_get_text(call->input, "account_id");
    BRANT__TRY(brant__standing_read(&standing, call, actor));
    if (!out->data) *out = standing.id;
    if (!out->data) {
        status = brant__fail(BRANT_INVALID, "/account_id is missing, and no account is the actor");
    } else if (!standing.system && !brant__text_equal(*out, standing.id)) {
        status = brant__fail(BRANT_DENIED, "nobody accepts an invitation for another account");
    } else {
        BRANT__TRY(check_bound(call->db, invitation));
        BRANT__TRY(brant__account_find(&account, call->db, call->arena, *out));
        if (!account.found)
            status = brant__account_missing(*out);
        else if (!brant__text_equal(account.email, invitation->email))
            status = brant__fail(BRANT_DENIED, "the invitation is of another email");
    }
cleanup:
    return status;
}

brant_status brant__invitations_accept(brant__call *call) {
    brant__actor actor;
    brant__text account_id;
    present invitation;
    brant_status status;
    BRANT__TRY(brant__identity_here(call->db));
    BRANT__TRY(read_by_token(&invitation, call));
    BRANT__TRY(brant__actor_read(&actor, call));
    BRANT__TRY(read_invited(&account_id, call, &actor, &invitation));
    BRANT__TRY(check_pending(&invitation, call->db, false));
    BRANT__TRY(check_organization(call->db, invitation.org_id));
    BRANT__TRY(brant__member_insert(call, invitation.org_id, account_id, invitation.level));
    brant__write_object(call->out);
    brant__write_name(call->out, "member");
    BRANT__TRY(brant__member_answer(call, invitation.org_id, account_id));
    brant__write_name(call->out, "invitation");
    BRANT__TRY(settle(call, invitation.id, BRANT__TEXT("accepted"), account_id));
    brant__write_end(call->out);
    status = record(call, &actor, "invitations.accept", invitation.org_id, invitation.id,
                    (brant__text){NULL, 0});
cleanup:
    return status;
}

brant_status brant__invitations_reject(brant__call *call) {
    brant__actor actor;
    present invitation;
    brant_status status;
    BRANT__TRY(brant__identity_here(call->db));
    BRANT__TRY(read_by_token(&invitation, call));
    BRANT__TRY(brant__actor_read(&actor, call));
    BRANT__TRY(check_bound(call->db, &invitation));
    BRANT__TRY(check_pending(&invitation, call->db, false));
    BRANT__TRY(settle(call, invitation.id, BRANT__TEXT("rejected"), (brant__text){NULL, 0}));
    status = record(call, &actor, "invitations.reject", invitation.org_id, invitation.id,
                    (brant__text){NULL, 0});
cleanup:
    return status;
}

/* Whoever may invite to this level may take it back. */
brant_status brant__invitations_cancel(brant__call *call) {
    brant__actor actor;
    present invitation;
    brant_status status;
    BRANT__TRY(brant__identity_here(call->db));
    BRANT__TRY(brant__actor_read(&actor, call));
    BRANT__TRY(read_by_id(&invitation, call, brant__json_get_text(call->input, "id")));
    BRANT__TRY(brant__member_may(call, &actor, invitation.org_id, invitation.level));
    BRANT__TRY(check_pending(&invitation, call->db, true));
    BRANT__TRY(settle(call, invitation.id, BRANT__TEXT("cancelled"), (brant__text){NULL, 0}));
    status = record(call, &actor, "invitations.cancel", invitation.org_id, invitation.id,
                    (brant__text){NULL, 0});
cleanup:
    return status;
}

/* ---- reading --------------------------------------------------------------------------------------------------------------- */

brant_status brant__invitations_get(brant__call *call) {
    const brant_status status = brant__identity_here(call->db);
    return status == BRANT_OK ? brant__answer_row_of(call, &brant__invitations_table,
                                                     &brant__invitation_statements, GET,
                                                     brant__json_get_text(call->input, "id"))
                              : status;
}

brant_status brant__invitations_list(brant__call *call) {
    const brant_status status = brant__identity_here(call->db);
    return status == BRANT_OK
               ? brant__table_list(call, &brant__invitations_table, "invitations.list")
               : status;
}
