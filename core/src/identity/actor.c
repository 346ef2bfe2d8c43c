/*
 * identity/actor.c: see actor.h.
 */
#include "identity/actor.h"

#include "identity/account.h"
#include "identity/level.h"

#define ID_MOST 255

/* What a session needs besides an operation's own scopes to do to others what access_level admin may: else accounts:self of an admin would be over everybody. */
static brant__text accounts_admin[] = {{"accounts:admin", sizeof "accounts:admin" - 1}};
static const brant__scopes over_accounts = {accounts_admin, BRANT__COUNT(accounts_admin)};

static brant_status check(const brant__actor *actor) {
    if (actor->id.data && (actor->id.length == 0 || actor->id.length > ID_MOST))
        return brant__fail(BRANT_INVALID, "/actor/id must be a text of 1 to %d bytes", ID_MOST);
    if (!actor->id.data && !brant__text_equal(actor->type, BRANT__TEXT("system")))
        return brant__fail(BRANT_INVALID, "/actor/id is missing: an actor of type \"%.*s\" has one",
                           (int)actor->type.length, actor->type.data);
    if (actor->reason.length > BRANT__REASON_MOST)
        return brant__fail(BRANT_INVALID, "/actor/reason has %zu bytes; at most %d are allowed",
                           actor->reason.length, BRANT__REASON_MOST);
    return BRANT_OK;
}

/* A session is who it is, whatever the input says. */
static brant_status of_session(brant__actor *out, const brant__session *session, brant__text type,
                               brant__text id) {
    if ((id.data && !brant__text_equal(id, session->id)) ||
        (type.data && !brant__text_equal(type, session->actor_type)))
        return brant__fail(BRANT_DENIED, "/actor: a session acts as nobody but itself");
    out->type = session->actor_type;
    out->id = session->id;
    if (!out->reason.data) out->reason = session->reason;
    return BRANT_OK;
}

static brant_status refuse_inactive(brant__text id) {
    return brant__fail(BRANT_DENIED, "the actor, account %.*s, is not active", (int)id.length,
                       id.data);
}

brant_status brant__actor_read(brant__actor *out, brant__call *call) {
    const brant__session *session = brant__db_session(call->db);
    yyjson_val *input = brant__json_get(call->input, "actor");
    const brant__text type = brant__json_get_text(input, "type"),
                      id = brant__json_get_text(input, "id");
    brant__account account;
    brant_status status = BRANT_OK;

    *out = (brant__actor){.reason = brant__json_get_text(input, "reason"), .trusted = !session};
    if (session) {
        status = of_session(out, session, type, id);
    } else {
        out->id = id;
        out->type = type.data ? type : id.data ? BRANT__TEXT("account") : BRANT__TEXT("system");
    }
    if (status == BRANT_OK) status = check(out);
    if (status != BRANT_OK || !out->id.data || brant__db_role(call->db) == BRANT__ROLE_TENANT)
        return status;
    if (!session && !brant__text_equal(out->type, BRANT__TEXT("account"))) return BRANT_OK;
    status = brant__account_find(&account, call->db, NULL, out->id);
    if (status == BRANT_OK && account.found && !account.active) return refuse_inactive(out->id);
    return status;
}

brant__text brant__actor_bound(const brant_db *db) {
    const brant__session *session = brant__db_session(db);
    return session && brant__db_role(db) != BRANT__ROLE_TENANT ? session->organization
                                                               : (brant__text){NULL, 0};
}

static const brant__text *lacking(const brant_db *db, const brant__scopes *scopes) {
    for (const brant__session *session = brant__db_session(db); session; session = session->outer) {
        const brant__text *missing = brant__scopes_uncovered(session->scopes, scopes);
        if (!missing) missing = brant__scopes_uncovered(session->within, scopes);
        for (size_t i = 0; !missing && i < scopes->count; i++)
            if (brant__scopes_overlap(session->denies, scopes->items[i]))
                missing = &scopes->items[i];
        if (missing) return missing;
    }
    return NULL;
}

brant_status brant__session_require(const brant_db *db, const brant__scopes *scopes) {
    const brant__text *missing = lacking(db, scopes);
    if (!missing) return BRANT_OK;
    return brant__fail(BRANT_DENIED, "the session does not hold the scope \"%.*s\"",
                       (int)missing->length, missing->data);
}

brant_status brant__standing_read(brant__standing *out, brant__call *call,
                                  const brant__actor *actor) {
    const brant__session *session = brant__db_session(call->db);
    brant__account account;
    brant_status status;

    *out = (brant__standing){0};
    if (actor->trusted && brant__text_equal(actor->type, BRANT__TEXT("system"))) {
        out->system = true;
        out->most = BRANT__LEVEL_OWNER;
        return BRANT_OK;
    }
    status = brant__account_find(&account, call->db, NULL, actor->id);
    if (status != BRANT_OK) return status;
    if (!account.found)
        return brant__fail(BRANT_DENIED, "the actor, %.*s %.*s, is no account",
                           (int)actor->type.length, actor->type.data, (int)actor->id.length,
                           actor->id.data);
    if (!account.active) return refuse_inactive(actor->id);
    out->id = actor->id;
    out->most = BRANT__LEVEL_OWNER;
    if (session) {
        out->org = session->organization;
        if (session->level.data) out->most = brant__level_of(session->level);
    }
    out->admin = account.access_level == BRANT__ACCESS_ADMIN && !out->org.data &&
                 !lacking(call->db, &over_accounts);
    return BRANT_OK;
}
