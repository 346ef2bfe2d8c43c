/*
 * identity/api_key.c: making keys of accounts, rotating and revoking them, taking over those of others, reading them.
 *
 * What a key may is bounded by what its owner holds when it is used (authenticate.c), so that nothing of what is checked here has to stay true.
 */
#include "identity/api_key.h"

#include "identity/account.h"
#include "identity/audit.h"
#include "identity/input.h"
#include "identity/level.h"

#define OVERLAP INT64_C(86400000)

enum { INSERT, GET, STATE, OWNER, SHORTEN, REVOKE, KNOWN, STATEMENTS };
static const char *const sql[] = {
    [INSERT] = "INSERT INTO brant_api_keys (id, kid, type, scheme, hash, pepper_version, owner_id, "
               "org_id, name, scopes, expires_at, rotated_from, metadata, created_at, updated_at) "
               "VALUES (:id, :kid, :type, :scheme, :hash, :pepper_version, :owner_id, :org_id, "
               ":name, :scopes, :expires_at, :rotated_from, :metadata, :now, :now) "
               "RETURNING " BRANT__API_KEY_COLUMNS,
    [GET] = "SELECT " BRANT__API_KEY_COLUMNS " FROM brant_api_keys WHERE id = :id",
    [STATE] = "SELECT k.type, k.owner_id, k.org_id, k.name, k.scopes, k.metadata, k.expires_at, "
              "k.created_at, k.revoked_at, (SELECT s.id FROM brant_api_keys s WHERE s.rotated_from "
              "= k.id) FROM brant_api_keys k WHERE k.id = :id",
    [OWNER] = "SELECT a.status, a.access_level, o.status, m.status, m.level FROM brant_accounts a "
              "LEFT JOIN brant_organizations o ON o.id = :org LEFT JOIN brant_members m ON "
              "m.org_id = o.id AND m.account_id = a.id WHERE a.id = :account",
    [SHORTEN] = "UPDATE brant_api_keys SET expires_at = :at, updated_at = :now WHERE id = :id "
                "RETURNING " BRANT__API_KEY_COLUMNS,
    [REVOKE] = "UPDATE brant_api_keys SET revoked_at = :now, updated_at = :now WHERE id = :id AND "
               "revoked_at IS NULL RETURNING " BRANT__API_KEY_COLUMNS,
    [KNOWN] = "SELECT 1 FROM brant_api_keys WHERE kid = :kid",
};
const brant__statements brant__api_key_statements = {BRANT__TABLE_API_KEY, STATEMENTS, sql};

static brant_status get(brant__statement **out, brant_db *db, size_t index) {
    return brant__statement_get(out, db, &brant__api_key_statements, index);
}

/* A key that is to be made. */
typedef struct draft {
    char id[37];
    brant__text kid, type, scheme, owner_id, org_id, name, metadata, rotated_from;
    brant__scopes scopes;
    uint8_t hash[BRANT__HASH_SIZE];
    int64_t pepper_version;
    bool expires;
    int64_t expires_at;
} draft;

/* ---- who may --------------------------------------------------------------------------------------------------------------- */

/*
 * An account's keys are its own matter, and of those above it in the organisation that the key is of: admins for members and viewers, owners for all but owners. What only ends something
 * (`ending`) owners may do to each other.
 */
static brant_status may_manage(brant__call *call, const brant__standing *actor,
                               brant__text owner_id, brant__text org_id, bool ending) {
    int own = BRANT__LEVEL_NONE, other = BRANT__LEVEL_NONE;
    brant_status status;
    if (actor->system) return BRANT_OK;
    if (actor->org.data && !brant__text_equal(actor->org, org_id))
        return brant__fail(BRANT_DENIED,
                           "the session is of one organization, the key is not of it");
    if (brant__text_equal(actor->id, owner_id)) return BRANT_OK;
    if (!org_id.data)
        return brant__fail(BRANT_DENIED, "a key of no organization is its owner's alone");
    BRANT__TRY(brant__level_require(&own, call, actor, org_id, BRANT__LEVEL_ADMIN));
    BRANT__TRY(brant__member_level(&other, call->db, org_id, owner_id));
    if (other >= own && !(ending && own == BRANT__LEVEL_OWNER))
        status =
            brant__fail(BRANT_DENIED, "account %.*s is not below account %.*s in the organization",
                        (int)owner_id.length, owner_id.data, (int)actor->id.length, actor->id.data);
cleanup:
    return status;
}

static brant_status refuse_scope(brant__text scope, const char *whose) {
    return brant__fail(BRANT_DENIED, "%s does not hold the scope \"%.*s\"", whose,
                       (int)scope.length, scope.data);
}

/* ---- owners ---------------------------------------------------------------------------------------------------------------- */

typedef struct owner {
    brant__text access_level; /* in the arena */
    int level;
} owner;

/* NOT_FOUND: no such account or organisation. CONFLICT: one is not active, or the account no active member. */
static brant_status read_owner(owner *out, brant__call *call, brant__text id, brant__text org_id) {
    const brant__text active = BRANT__TEXT("active");
    brant__statement *statement = NULL;
    bool row = false;
    brant_status status;
    *out = (owner){.level = BRANT__LEVEL_NONE};
    BRANT__TRY(get(&statement, call->db, OWNER));
    brant__bind_text(statement, 1, org_id);
    brant__bind_text(statement, 2, id);
    BRANT__TRY(brant__step(&row, call->db, statement));
    if (!row) {
        status = brant__account_missing(id);
    } else if (!brant__text_equal(brant__column_text(statement, 0), active)) {
        status = brant__fail(BRANT_CONFLICT, "account %.*s is not active", (int)id.length, id.data);
    } else if (org_id.data && brant__column_null(statement, 2)) {
        status = brant__row_missing(&brant__organizations_table, org_id);
    } else if (org_id.data && !brant__text_equal(brant__column_text(statement, 2), active)) {
        status = brant__fail(BRANT_CONFLICT, "organization %.*s is not active", (int)org_id.length,
                             org_id.data);
    } else if (org_id.data && !brant__text_equal(brant__column_text(statement, 3), active)) {
        status =
            brant__fail(BRANT_CONFLICT, "account %.*s is no active member of organization %.*s",
                        (int)id.length, id.data, (int)org_id.length, org_id.data);
    } else {
        if (org_id.data) out->level = brant__level_of(brant__column_text(statement, 4));
        status =
            brant__arena_text(&out->access_level, call->arena, brant__column_text(statement, 1));
    }
cleanup:
    brant__reset(statement);
    return status;
}

/* Nobody but the system of a trusted call makes a key that its owner could not use whole. */
static brant_status check_scopes(brant__call *call, const brant__standing *actor, const owner *of,
                                 brant__text owner_id, const brant__scopes *scopes) {
    brant__holding held;
    brant_status status;
    if (actor->system) return BRANT_OK;
    BRANT__TRY(brant__holding_read(&held, call, owner_id, of->access_level, of->level));
    const brant__text *missing = brant__scopes_uncovered(&held.scopes, scopes);
    status = missing ? refuse_scope(*missing, "the owner of the key") : BRANT_OK;
    if (status == BRANT_OK) status = brant__session_require(call->db, scopes);
cleanup:
    return status;
}

/* ---- making ---------------------------------------------------------------------------------------------------------------- */

static brant_status read_draft(draft *out, brant__call *call, const brant__standing *actor) {
    yyjson_val *input = call->input, *expires = brant__json_get(input, "expires_at");
    brant__text type = brant__json_get_text(input, "type");
    brant_status status;
    *out = (draft){.owner_id = brant__json_get_text(input, "owner_id"),
                   .org_id = brant__json_get_text(input, "org_id"),
                   .type = type.data ? type : BRANT__TEXT("key"),
                   .expires = expires != NULL,
                   .expires_at = brant__json_integer(expires, 0)};
    if (!out->owner_id.data) out->owner_id = actor->id;
    if (!out->owner_id.data)
        return brant__fail(BRANT_INVALID, "/owner_id is missing, and no account is the actor");
    if (out->expires && out->expires_at <= brant__db_now(call->db))
        return brant__fail(BRANT_INVALID, "/expires_at is not in the future");
    BRANT__TRY(brant__input_label(&out->name, call));
    BRANT__TRY(
        brant__scopes_read(&out->scopes, call->arena, brant__json_get(input, "scopes"), "/scopes"));
    brant__scopes_reduce(&out->scopes);
    BRANT__TRY(brant__input_metadata(&out->metadata, call));
    if (!out->metadata.data) out->metadata = BRANT__TEXT("{}");
cleanup:
    return status;
}

/* What is asked for, and by whom, who may have it made. */
static brant_status begin(draft *out, brant__actor *actor, brant__call *call) {
    brant__standing standing;
    owner of;
    brant_status status;
    BRANT__TRY(brant__identity_here(call->db));
    BRANT__TRY(brant__actor_read(actor, call));
    BRANT__TRY(brant__standing_read(&standing, call, actor));
    BRANT__TRY(read_draft(out, call, &standing));
    BRANT__TRY(may_manage(call, &standing, out->owner_id, out->org_id, false));
    BRANT__TRY(read_owner(&of, call, out->owner_id, out->org_id));
    status = check_scopes(call, &standing, &of, out->owner_id, &out->scopes);
cleanup:
    return status;
}

/* The row, as a value of the answer. */
static brant_status insert(brant__call *call, draft *key) {
    brant__statement *statement = NULL;
    brant__writer scopes = {0};
    bool row = false;
    brant_status status;
    BRANT__TRY(brant__db_uuid(call->db, key->id));
    brant__scopes_write(&scopes, &key->scopes);
    if (scopes.buffer.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    BRANT__TRY(get(&statement, call->db, INSERT));
    brant__bind_text(statement, 1, brant__text_of(key->id, 36));
    brant__bind_text(statement, 2, key->kid);
    brant__bind_text(statement, 3, key->type);
    brant__bind_text(statement, 4, key->scheme);
    brant__bind_blob(statement, 5, key->hash, sizeof key->hash);
    brant__bind_integer(statement, 6, key->pepper_version);
    brant__bind_text(statement, 7, key->owner_id);
    brant__bind_text(statement, 8, key->org_id);
    brant__bind_text(statement, 9, key->name);
    brant__bind_text(statement, 10, brant__text_of(scopes.buffer.data, scopes.buffer.length));
    if (key->expires)
        brant__bind_integer(statement, 11, key->expires_at);
    else
        brant__bind_null(statement, 11);
    brant__bind_text(statement, 12, key->rotated_from);
    brant__bind_text(statement, 13, key->metadata);
    brant__bind_integer(statement, 14, brant__db_now(call->db));
    status = brant__answer_row(&row, call, &brant__api_keys_table, statement);
cleanup:
    brant__reset(statement);
    brant__buffer_free(&scopes.buffer);
    return status;
}

/* What the log keeps of a key that was made: nothing by which it could be used. */
static brant_status record(brant__call *call, const brant__actor *actor, const char *action,
                           const draft *key) {
    brant__facts facts = {0};
    brant__text detail, resource;
    brant_status status;
    brant__facts_begin(&facts);
    brant__facts_text(&facts, "kid", key->kid);
    brant__facts_text(&facts, "owner_id", key->owner_id);
    if (key->rotated_from.data) brant__facts_text(&facts, "rotated_from", key->rotated_from);
    brant__scopes_write_member(&facts.writer, "scopes", &key->scopes);
    BRANT__TRY(brant__facts_end(&detail, &facts));
    BRANT__TRY(brant__resource_of(&resource, call->arena, "api_key", brant__text_of(key->id, 36)));
    status = brant__audit_append(call, actor, action, key->org_id, resource, detail);
cleanup:
    brant__facts_free(&facts);
    return status;
}

/* A token for the key, whose texts are borrowed from it. */
static brant_status give_token(brant__token *token, brant__call *call, draft *key) {
    brant_status status = brant__token_make(token, call->db, key->type);
    if (status != BRANT_OK) return status;
    key->kid = brant__token_kid(token);
    key->scheme = BRANT__TEXT("brant1");
    key->pepper_version = 0;
    return brant__token_hash(key->hash, call->db, &key->pepper_version, brant__token_text(token));
}

brant_status brant__api_keys_create(brant__call *call) {
    brant__actor actor;
    brant__token token = {0};
    draft key;
    brant_status status;
    BRANT__TRY(begin(&key, &actor, call));
    BRANT__TRY(give_token(&token, call, &key));
    brant__write_object(call->out);
    brant__write_name(call->out, "key");
    BRANT__TRY(insert(call, &key));
    brant__write_text_member(call->out, "token", brant__token_text(&token));
    brant__write_end(call->out);
    status = record(call, &actor, "api_keys.create", &key);
cleanup:
    brant__token_wipe(&token);
    return status;
}

/* ---- taking over ----------------------------------------------------------------------------------------------------------- */

static uint8_t nibble(char digit) {
    if (digit >= '0' && digit <= '9') return (uint8_t)(digit - '0');
    return (uint8_t)((digit | 0x20) - 'a' + 10);
}

static brant_status refuse_known(brant_db *db, brant__text kid) {
    brant__statement *statement = NULL;
    bool row = false;
    brant_status status;
    BRANT__TRY(get(&statement, db, KNOWN));
    brant__bind_text(statement, 1, kid);
    BRANT__TRY(brant__step(&row, db, statement));
    if (row)
        status =
            brant__fail(BRANT_EXISTS, "there is a key \"%.*s\" already", (int)kid.length, kid.data);
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__api_keys_import(brant__call *call) {
    static const char prefix[] = "legacy-";
    const brant__text hash = brant__json_get_text(call->input, "hash");
    char kid[sizeof prefix - 1 + 16];
    brant__actor actor;
    draft key;
    brant_status status;
    BRANT__TRY(begin(&key, &actor, call));
    /* 64 hexadecimal digits: the schema says so. */
    for (size_t i = 0; i < sizeof key.hash; i++)
        key.hash[i] = (uint8_t)(nibble(hash.data[2 * i]) << 4 | nibble(hash.data[2 * i + 1]));
    memcpy(kid, prefix, sizeof prefix - 1);
    for (size_t i = 0; i < 16; i++)
        kid[sizeof prefix - 1 + i] = "0123456789abcdef"[nibble(hash.data[i])];
    key.kid = brant__text_of(kid, sizeof kid);
    key.scheme = BRANT__TEXT("legacy-sha256");
    BRANT__TRY(refuse_known(call->db, key.kid));
    BRANT__TRY(insert(call, &key));
    status = record(call, &actor, "api_keys.import", &key);
cleanup:
    return status;
}

/* ---- changing -------------------------------------------------------------------------------------------------------------- */

/* A key that is there, as far as it matters to what becomes of it; texts are in the arena. */
typedef struct present {
    draft of;
    brant__text successor; /* {NULL, 0}: it was not rotated */
    bool revoked;
    int64_t created_at;
} present;

static brant_status keep(brant__text *out, brant__call *call, brant__statement *statement,
                         int column) {
    const brant__text text = brant__column_text(statement, column);
    *out = (brant__text){NULL, 0};
    return text.data ? brant__arena_text(out, call->arena, text) : BRANT_OK;
}

static brant_status read_present(present *out, brant__call *call, brant__text id) {
    brant__statement *statement = NULL;
    brant__text scopes;
    bool row = false;
    brant_status status;
    *out = (present){.revoked = false};
    BRANT__TRY(get(&statement, call->db, STATE));
    brant__bind_text(statement, 1, id);
    BRANT__TRY(brant__step(&row, call->db, statement));
    if (!row) {
        status = brant__row_missing(&brant__api_keys_table, id);
        goto cleanup;
    }
    BRANT__TRY(keep(&out->of.type, call, statement, 0));
    BRANT__TRY(keep(&out->of.owner_id, call, statement, 1));
    BRANT__TRY(keep(&out->of.org_id, call, statement, 2));
    BRANT__TRY(keep(&out->of.name, call, statement, 3));
    BRANT__TRY(keep(&scopes, call, statement, 4));
    BRANT__TRY(brant__scopes_parse(&out->of.scopes, call->arena, scopes));
    BRANT__TRY(keep(&out->of.metadata, call, statement, 5));
    out->of.expires = !brant__column_null(statement, 6);
    out->of.expires_at = brant__column_integer(statement, 6);
    out->created_at = brant__column_integer(statement, 7);
    out->revoked = !brant__column_null(statement, 8);
    BRANT__TRY(keep(&out->successor, call, statement, 9));
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status shorten(brant__call *call, brant__text id, int64_t at) {
    brant__statement *statement = NULL;
    bool row = false;
    const brant_status status = get(&statement, call->db, SHORTEN);
    if (status != BRANT_OK) return status;
    brant__bind_integer(statement, 1, at);
    brant__bind_integer(statement, 2, brant__db_now(call->db));
    brant__bind_text(statement, 3, id);
    return brant__answer_row(&row, call, &brant__api_keys_table, statement);
}

static brant_status refuse_rotation(const present *old, brant__text id, int64_t now) {
    if (old->revoked)
        return brant__fail(BRANT_CONFLICT, "API key %.*s is revoked", (int)id.length, id.data);
    if (old->successor.data)
        return brant__fail(BRANT_CONFLICT, "API key %.*s was rotated already: %.*s is in its place",
                           (int)id.length, id.data, (int)old->successor.length,
                           old->successor.data);
    if (old->of.expires && old->of.expires_at <= now)
        return brant__fail(BRANT_CONFLICT, "API key %.*s has expired", (int)id.length, id.data);
    return BRANT_OK;
}

brant_status brant__api_keys_rotate(brant__call *call) {
    const brant__text id = brant__json_get_text(call->input, "id");
    const int64_t now = brant__db_now(call->db);
    int64_t end = now + brant__json_integer(brant__json_get(call->input, "overlap"), OVERLAP);
    brant__actor actor;
    brant__standing standing;
    brant__token token = {0};
    present old;
    owner of;
    brant_status status;
    BRANT__TRY(brant__identity_here(call->db));
    BRANT__TRY(brant__actor_read(&actor, call));
    BRANT__TRY(brant__standing_read(&standing, call, &actor));
    BRANT__TRY(read_present(&old, call, id));
    BRANT__TRY(may_manage(call, &standing, old.of.owner_id, old.of.org_id, false));
    BRANT__TRY(refuse_rotation(&old, id, now));
    BRANT__TRY(read_owner(&of, call, old.of.owner_id, old.of.org_id));
    BRANT__TRY(brant__session_require(call->db, &old.of.scopes));
    if (old.of.expires) {
        if (old.of.expires_at < end) end = old.of.expires_at;
        old.of.expires_at += now - old.created_at; /* lives as long as the one before was to */
    }
    old.of.rotated_from = id;
    BRANT__TRY(give_token(&token, call, &old.of));
    brant__write_object(call->out);
    brant__write_name(call->out, "key");
    BRANT__TRY(insert(call, &old.of));
    brant__write_text_member(call->out, "token", brant__token_text(&token));
    brant__write_name(call->out, "previous");
    BRANT__TRY(shorten(call, id, end));
    brant__write_end(call->out);
    status = record(call, &actor, "api_keys.rotate", &old.of);
cleanup:
    brant__token_wipe(&token);
    return status;
}

static brant_status answer(brant__call *call, brant__text id) {
    return brant__answer_row_of(call, &brant__api_keys_table, &brant__api_key_statements, GET, id);
}

brant_status brant__api_keys_revoke(brant__call *call) {
    const brant__text id = brant__json_get_text(call->input, "id");
    brant__statement *statement = NULL;
    brant__text resource;
    brant__actor actor;
    brant__standing standing;
    present key;
    bool row = false;
    brant_status status;
    BRANT__TRY(brant__identity_here(call->db));
    BRANT__TRY(brant__actor_read(&actor, call));
    BRANT__TRY(brant__standing_read(&standing, call, &actor));
    BRANT__TRY(read_present(&key, call, id));
    BRANT__TRY(may_manage(call, &standing, key.of.owner_id, key.of.org_id, true));
    if (key.revoked) {
        status = answer(call, id);
        goto cleanup;
    }
    BRANT__TRY(get(&statement, call->db, REVOKE));
    brant__bind_integer(statement, 1, brant__db_now(call->db));
    brant__bind_text(statement, 2, id);
    BRANT__TRY(brant__answer_row(&row, call, &brant__api_keys_table, statement));
    BRANT__TRY(brant__resource_of(&resource, call->arena, "api_key", id));
    status = brant__audit_append(call, &actor, "api_keys.revoke", key.of.org_id, resource,
                                 (brant__text){NULL, 0});
cleanup:
    return status;
}

/* ---- reading --------------------------------------------------------------------------------------------------------------- */

brant_status brant__api_keys_get(brant__call *call) {
    const brant_status status = brant__identity_here(call->db);
    return status == BRANT_OK ? answer(call, brant__json_get_text(call->input, "id")) : status;
}

brant_status brant__api_keys_list(brant__call *call) {
    static const brant__condition active = {
        "active", "revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?1)",
        "revoked_at IS NOT NULL OR expires_at <= ?1"};
    const brant_status status = brant__identity_here(call->db);
    return status == BRANT_OK
               ? brant__table_list_by(call, &brant__api_keys_table, "api_keys.list", &active)
               : status;
}
