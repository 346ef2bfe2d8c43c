/*
 * identity/authenticate.c: whose a token is, and what it may now: api_keys.verify and auth.authenticate.
 *
 * One read transaction answers: what is committed before it begins counts, so that a key that was revoked is valid for nobody from then on. Whatever is wrong, the error is the same, and until the
 * secret was found right so is the work. That the key was used is noted behind it, in a transaction of its own that waits for nobody.
 */
#include "access/access.h"
#include "event/event.h"
#include "identity/account.h"
#include "identity/api_key.h"
#include "identity/input.h"
#include "identity/level.h"

#define LEGACY_LEAST 8
#define LEGACY_MOST  512

enum { FIND, STORED, FIND_LEGACY, KEY, ACCOUNT, ORGANIZATION, MEMBER, USED, STATEMENTS };
static const char *const sql[] = {
    [FIND] = "SELECT (SELECT row_id FROM brant_api_keys WHERE kid = :kid), "
             "(SELECT max(row_id) FROM brant_api_keys)",
    [STORED] = "SELECT hash, pepper_version FROM brant_api_keys WHERE row_id = :row_id",
    [FIND_LEGACY] = "SELECT row_id, hash FROM brant_api_keys WHERE hash = :hash AND scheme = "
                    "'legacy-sha256'",
    [KEY] = "SELECT " BRANT__API_KEY_COLUMNS " FROM brant_api_keys WHERE row_id = :row_id",
    [ACCOUNT] = "SELECT " BRANT__ACCOUNT_COLUMNS " FROM brant_accounts WHERE id = :id",
    [ORGANIZATION] =
        "SELECT " BRANT__ORGANIZATION_COLUMNS " FROM brant_organizations WHERE id = :id",
    [MEMBER] = "SELECT level, status FROM brant_members WHERE org_id = :org AND account_id = "
               ":account",
    [USED] = "UPDATE brant_api_keys SET last_used_at = :now WHERE row_id = :row_id AND revoked_at "
             "IS NULL AND (last_used_at IS NULL OR abs(:now - last_used_at) >= :minute)",
};
const brant__statements brant__authenticate_statements = {BRANT__TABLE_AUTHENTICATE, STATEMENTS,
                                                          sql};

/* Where things stand in the lists of columns. */
enum { KEY_ID = 0, KEY_OWNER = 5, KEY_ORG = 6, KEY_SCOPES = 8, KEY_EXPIRES, KEY_REVOKED, KEY_USED };
enum { ACCOUNT_ACCESS = 3, ACCOUNT_STATUS = 4, ORGANIZATION_STATUS = 4 };

typedef struct credential {
    int64_t row_id;
    brant__text id, owner_id, org_id; /* in the arena */
    brant__scopes own;                /* the key's */
    brant__scopes effective;
    brant__holding held;
    brant__text access_level;
    int level;
    bool due; /* its use is to be noted */
} credential;

static brant_status get(brant__statement **out, brant_db *db, size_t index) {
    return brant__statement_get(out, db, &brant__authenticate_statements, index);
}

static brant_status refuse(void) {
    return brant__fail(BRANT_AUTH, "the key is not valid");
}

/* ---- whose it is ----------------------------------------------------------------------------------------------------------- */

static bool is_legacy(brant__text token) {
    return token.length >= LEGACY_LEAST && token.length <= LEGACY_MOST &&
           memcmp(token.data, "brant_", 6) != 0;
}

/* What such a token was made from is not ours to say, so that nothing but its hash finds it. */
static brant_status find_legacy(int64_t *out_row_id, brant_db *db, brant__text token) {
    uint8_t hash[BRANT__HASH_SIZE];
    brant__statement *statement = NULL;
    bool row = false, bytes = false;
    brant_status status;
    *out_row_id = 0;
    brant__sha256(hash, token);
    BRANT__TRY(get(&statement, db, FIND_LEGACY));
    brant__bind_blob(statement, 1, hash, sizeof hash);
    BRANT__TRY(brant__step(&row, db, statement));
    if (!row) goto cleanup;
    const brant__text stored = brant__column_payload(&bytes, statement, 1);
    if (stored.length == sizeof hash && brant__bytes_equal(stored.data, hash, sizeof hash))
        *out_row_id = brant__column_integer(statement, 0);
cleanup:
    brant__reset(statement);
    brant__wipe(hash, sizeof hash);
    return status;
}

static brant_status find(int64_t *out_row_id, brant_db *db, brant__text token) {
    brant__text type, kid;
    brant_status status;
    *out_row_id = 0;
    if (brant__token_read(&type, &kid, token))
        status = brant__token_find(out_row_id, db, &brant__authenticate_statements, FIND, STORED,
                                   kid, token);
    else
        status = is_legacy(token) ? find_legacy(out_row_id, db, token) : BRANT_OK;
    return status == BRANT_OK && *out_row_id == 0 ? refuse() : status;
}

/* ---- what it may now ------------------------------------------------------------------------------------------------------- */

brant_status brant__holding_read(brant__holding *out, brant__call *call, brant__text account_id,
                                 brant__text access_level, int level) {
    brant__scopes granted;
    brant__text principal;
    brant_status status = BRANT_OK;
    *out = (brant__holding){.scopes = level == BRANT__LEVEL_NONE
                                          ? *brant__scopes_of_access(access_level)
                                          : *brant__scopes_of_level(level)};
    /* That of a hub's organisation is in its own file. */
    if (brant__db_role(call->db) != BRANT__ROLE_SINGLE) return BRANT_OK;
    BRANT__TRY(brant__resource_of(&principal, call->arena, "account", account_id));
    BRANT__TRY(brant__access_held(&granted, &out->denies, call, principal));
    /* In this graph stand the groups of all organisations: what one gives is nothing that holds in another. */
    if (level == BRANT__LEVEL_NONE)
        status = brant__scopes_union(&out->scopes, call->arena, &out->scopes, &granted);
cleanup:
    return status;
}

/* The row of a statement with one parameter, as a member of the answer. *out_row false: there is none. The statement stands on it. */
static brant_status step_on(brant__statement **out, bool *out_row, brant_db *db, size_t index,
                            brant__text id) {
    brant_status status = get(out, db, index);
    *out_row = false;
    if (status != BRANT_OK) return status;
    brant__bind_text(*out, 1, id);
    return brant__step(out_row, db, *out);
}

static void write_row(brant__call *call, const char *name, const brant__table *table,
                      brant__statement *statement) {
    brant__write_name(call->out, name);
    brant__row_write(call->out, table, statement, 0);
}

static bool has_text(brant__statement *statement, int column, const char *text) {
    return brant__text_equal(brant__column_text(statement, column), brant__text_string(text));
}

static brant_status read_key(credential *key, brant__call *call) {
    const int64_t now = brant__db_now(call->db);
    brant__statement *statement = NULL;
    brant__text scopes, org;
    bool row = false;
    brant_status status;
    BRANT__TRY(get(&statement, call->db, KEY));
    brant__bind_integer(statement, 1, key->row_id);
    BRANT__TRY(brant__step(&row, call->db, statement));
    if (!row || !brant__column_null(statement, KEY_REVOKED) ||
        (!brant__column_null(statement, KEY_EXPIRES) &&
         brant__column_integer(statement, KEY_EXPIRES) <= now)) {
        status = refuse();
        goto cleanup;
    }
    BRANT__TRY(brant__arena_text(&key->id, call->arena, brant__column_text(statement, KEY_ID)));
    BRANT__TRY(
        brant__arena_text(&key->owner_id, call->arena, brant__column_text(statement, KEY_OWNER)));
    org = brant__column_text(statement, KEY_ORG);
    if (org.data) BRANT__TRY(brant__arena_text(&key->org_id, call->arena, org));
    BRANT__TRY(brant__arena_text(&scopes, call->arena, brant__column_text(statement, KEY_SCOPES)));
    BRANT__TRY(brant__scopes_parse(&key->own, call->arena, scopes));
    const int64_t since = now - brant__column_integer(statement, KEY_USED);
    key->due = brant__column_null(statement, KEY_USED) || since >= BRANT__API_KEY_MINUTE ||
               since <= -BRANT__API_KEY_MINUTE;
    write_row(call, "key", &brant__api_keys_table, statement);
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status read_account(credential *key, brant__call *call) {
    brant__statement *statement = NULL;
    bool row = false;
    brant_status status;
    BRANT__TRY(step_on(&statement, &row, call->db, ACCOUNT, key->owner_id));
    if (!row || !has_text(statement, ACCOUNT_STATUS, "active")) {
        status = refuse();
        goto cleanup;
    }
    BRANT__TRY(brant__arena_text(&key->access_level, call->arena,
                                 brant__column_text(statement, ACCOUNT_ACCESS)));
    write_row(call, "account", &brant__accounts_table, statement);
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status read_member(credential *key, brant_db *db) {
    brant__statement *statement = NULL;
    bool row = false;
    brant_status status;
    BRANT__TRY(get(&statement, db, MEMBER));
    brant__bind_text(statement, 1, key->org_id);
    brant__bind_text(statement, 2, key->owner_id);
    BRANT__TRY(brant__step(&row, db, statement));
    if (row && has_text(statement, 1, "active"))
        key->level = brant__level_of(brant__column_text(statement, 0));
    if (key->level == BRANT__LEVEL_NONE) status = refuse();
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status read_organization(credential *key, brant__call *call) {
    brant__statement *statement = NULL;
    bool row = false;
    brant_status status;
    if (!key->org_id.data) {
        brant__write_name(call->out, "organization");
        brant__write_null(call->out);
        return BRANT_OK;
    }
    BRANT__TRY(step_on(&statement, &row, call->db, ORGANIZATION, key->org_id));
    if (!row || !has_text(statement, ORGANIZATION_STATUS, "active")) {
        status = refuse();
        goto cleanup;
    }
    write_row(call, "organization", &brant__organizations_table, statement);
    status = read_member(key, call->db);
cleanup:
    brant__reset(statement);
    return status;
}

/* What is denied whole is held no more; what is denied in part, `denies` says. */
static void drop_denied(brant__scopes *scopes, const brant__scopes *denies) {
    size_t kept = 0;
    for (size_t i = 0; i < scopes->count; i++)
        if (!brant__scopes_cover(denies, scopes->items[i]))
            scopes->items[kept++] = scopes->items[i];
    scopes->count = kept;
}

/* All that is judged, in a fixed order, into the open object of the answer. */
static brant_status judge(credential *key, brant__call *call) {
    brant_status status;
    BRANT__TRY(find(&key->row_id, call->db, brant__json_get_text(call->input, "token")));
    BRANT__TRY(read_key(key, call));
    BRANT__TRY(read_account(key, call));
    BRANT__TRY(read_organization(key, call));
    BRANT__TRY(brant__holding_read(&key->held, call, key->owner_id, key->access_level, key->level));
    BRANT__TRY(brant__scopes_intersect(&key->effective, call->arena, &key->own, &key->held.scopes));
    drop_denied(&key->effective, &key->held.denies);
cleanup:
    return status;
}

/* ---- that it was used ------------------------------------------------------------------------------------------------------- */

static brant_status write_used(const credential *key, brant_db *db) {
    brant__statement *statement = NULL;
    brant__facts facts = {0};
    brant__text payload;
    brant_status status;
    BRANT__TRY(get(&statement, db, USED));
    brant__bind_integer(statement, 1, brant__db_now(db));
    brant__bind_integer(statement, 2, key->row_id);
    brant__bind_integer(statement, 3, BRANT__API_KEY_MINUTE);
    BRANT__TRY(brant__run(db, statement));
    if (brant__changes(db) == 0) goto cleanup; /* another was faster, or revoked it */
    brant__facts_begin(&facts);
    brant__facts_text(&facts, "key_id", key->id);
    brant__facts_text(&facts, "owner_id", key->owner_id);
    BRANT__TRY(brant__facts_end(&payload, &facts));
    status = brant__notify(NULL, db, BRANT__TEXT("auth:key_verified"), payload);
cleanup:
    brant__facts_free(&facts);
    return status;
}

/* Never fails what was verified: where the file cannot be written, or another writes it, it is noted a next time. */
static void note_use(const credential *key, brant_db *db) {
    if (brant__db_read_only(db)) return;
    brant_status status = brant__begin_now(db);
    if (status == BRANT_OK) {
        status = write_used(key, db);
        if (status == BRANT_OK) status = brant__commit(db);
        if (status != BRANT_OK) brant__rollback(db);
    }
    if (status != BRANT_OK) (void)brant__error_code();
}

/* ---- operations ------------------------------------------------------------------------------------------------------------- */

/*
 * What bounds a session of the key, whatever its account is granted by the access graph: the key's own scopes. Where organisations share a graph, of a key of one of them what the account holds there:
 * else a role in another would count.
 */
static const brant__scopes *bound_of(const credential *key, const brant_db *db) {
    return key->org_id.data && brant__db_role(db) == BRANT__ROLE_SINGLE ? &key->effective
                                                                        : &key->own;
}

/* An identity as brant_session_open takes it. */
static brant_status write_identity(const credential *key, brant__call *call) {
    brant__writer *out = call->out;
    brant__text principal;
    const brant_status status =
        brant__resource_of(&principal, call->arena, "account", key->owner_id);
    if (status != BRANT_OK) return status;
    brant__write_name(out, "identity");
    brant__write_object(out);
    brant__write_text_member(out, "id", key->owner_id);
    brant__write_text_member(out, "actor_type", BRANT__TEXT("api_key"));
    brant__scopes_write_member(out, "scopes", &key->effective);
    brant__scopes_write_member(out, "within", bound_of(key, call->db));
    brant__scopes_write_member(out, "denies", &key->held.denies);
    brant__write_text_member(out, "principal", principal);
    if (key->org_id.data) {
        brant__write_text_member(out, "organization", key->org_id);
        brant__write_text_member(out, "level", brant__level_name(key->level));
    }
    brant__write_text_member(out, "key", key->id);
    brant__write_end(out);
    return BRANT_OK;
}

static brant_status answer(brant__call *call, bool valid, bool identity) {
    credential key = {.row_id = 0};
    bool begun = false;
    brant_status status;
    brant__db_secret(call->db);
    BRANT__TRY(brant__identity_here(call->db));
    BRANT__TRY(brant__begin(call->db, BRANT__READ));
    begun = true;
    brant__write_object(call->out);
    if (valid) brant__write_bool_member(call->out, "valid", true);
    BRANT__TRY(judge(&key, call));
    brant__write_name(call->out, "level");
    brant__write_text_or_null(call->out, brant__level_name(key.level));
    brant__scopes_write_member(call->out, "scopes", &key.effective);
    brant__scopes_write_member(call->out, "denies", &key.held.denies);
    if (identity) BRANT__TRY(write_identity(&key, call));
    brant__write_end(call->out);
    BRANT__TRY(brant__commit(call->db));
    begun = false;
    if (key.due) note_use(&key, call->db);
cleanup:
    if (begun) brant__rollback(call->db);
    return status;
}

brant_status brant__api_keys_verify(brant__call *call) {
    return answer(call, true, false);
}

brant_status brant__auth_authenticate(brant__call *call) {
    return answer(call, false, true);
}
