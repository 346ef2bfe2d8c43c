/*
 * identity/audit_append.c: audit.append, .prove, .erase_subject: rows of the application's own, and personal data in them.
 *
 * Personal data never stands in the log, which nobody could take it out of again: its hash with a salt of the person's does. Without the salt nobody finds it by trying.
 */
#include "identity/audit.h"

#define SALT_SIZE      32
#define HEX_SIZE       (2 * (size_t)BRANT__HASH_SIZE)
#define PERSONAL_LABEL "brant audit personal 1"

enum { SALT, SALT_INSERT, SALT_DELETE };
static const char *const sql[] = {
    [SALT] = "SELECT salt FROM brant_audit_subjects WHERE subject = :subject",
    [SALT_INSERT] = "INSERT INTO brant_audit_subjects (subject, salt, created_at) "
                    "VALUES (:subject, :salt, :now)",
    [SALT_DELETE] = "DELETE FROM brant_audit_subjects WHERE subject = :subject",
};
static const brant__statements statements = {BRANT__TABLE_AUDIT_SUBJECT, BRANT__COUNT(sql), sql};

/* Rows with these are the library's to write, so that they always say what happened. */
static const char *const namespaces[] = {
    "access",   "accounts",    "api_keys", "audit",         "auth",    "db",
    "identity", "invitations", "members",  "organizations", "secrets", "tenants"};

static brant_status check_action(brant__text action) {
    const char *dot = memchr(action.data, '.', action.length);
    const brant__text name =
        brant__text_of(action.data, dot ? (size_t)(dot - action.data) : action.length);
    for (size_t i = 0; i < BRANT__COUNT(namespaces); i++)
        if (brant__text_equal(name, brant__text_string(namespaces[i])))
            return brant__fail(BRANT_INVALID,
                               "/action: rows of namespace \"%s\" are written by brant alone",
                               namespaces[i]);
    return BRANT_OK;
}

/* ---- personal data ---------------------------------------------------------------------------------- */

static brant_status find_salt(bool *out_found, uint8_t salt[SALT_SIZE], brant_db *db,
                              brant__text subject) {
    brant__statement *statement = NULL;
    bool bytes;
    brant_status status;
    *out_found = false;
    BRANT__TRY(brant__statement_get(&statement, db, &statements, SALT));
    brant__bind_text(statement, 1, subject);
    BRANT__TRY(brant__step(out_found, db, statement));
    if (!*out_found) goto cleanup;
    const brant__text stored = brant__column_payload(&bytes, statement, 0);
    if (bytes && stored.length == SALT_SIZE)
        memcpy(salt, stored.data, SALT_SIZE);
    else
        status = brant__fail(BRANT_CORRUPT, "the salt of an audit subject is damaged");
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status ensure_salt(uint8_t salt[SALT_SIZE], brant_db *db, brant__text subject) {
    brant__statement *statement = NULL;
    bool found = false;
    brant_status status;
    BRANT__TRY(find_salt(&found, salt, db, subject));
    if (found) goto cleanup;
    BRANT__TRY(brant__db_random(db, salt, SALT_SIZE));
    BRANT__TRY(brant__statement_get(&statement, db, &statements, SALT_INSERT));
    brant__bind_text(statement, 1, subject);
    brant__bind_blob(statement, 2, salt, SALT_SIZE);
    brant__bind_integer(statement, 3, brant__db_now(db));
    status = brant__run(db, statement);
cleanup:
    return status;
}

static void hash_personal(char out[HEX_SIZE], const uint8_t salt[SALT_SIZE], brant__text text) {
    static const char digits[] = "0123456789abcdef";
    uint8_t hash[BRANT__HASH_SIZE];
    const brant__text parts[] = {BRANT__TEXT(PERSONAL_LABEL),
                                 brant__text_of((const char *)salt, SALT_SIZE), text};
    brant__plain_hash(hash, parts, BRANT__COUNT(parts));
    for (size_t i = 0; i < sizeof hash; i++) {
        out[2 * i] = digits[hash[i] >> 4];
        out[2 * i + 1] = digits[hash[i] & 15];
    }
}

static brant_status write_personal(brant__writer *out, brant_db *db, brant__text subject,
                                   yyjson_val *personal) {
    uint8_t salt[SALT_SIZE];
    size_t i, count;
    yyjson_val *name, *value;
    const brant_status status = ensure_salt(salt, db, subject);
    if (status != BRANT_OK) return status;
    brant__write_name(out, "personal");
    brant__write_object(out);
    yyjson_obj_foreach(personal, i, count, name, value) {
        char hex[HEX_SIZE];
        hash_personal(hex, salt, brant__json_text(value));
        brant__write_name_text(out, brant__json_text(name));
        brant__write_text(out, brant__text_of(hex, sizeof hex));
    }
    brant__write_end(out);
    brant__wipe(salt, sizeof salt);
    return BRANT_OK;
}

/* ---- audit.append ------------------------------------------------------------------------------------- */

/* What is given, and the hashes of what is personal. */
static brant_status write_detail(brant__writer *out, brant__call *call) {
    yyjson_val *detail = brant__json_get(call->input, "detail"),
               *personal = brant__json_get(call->input, "personal"), *name, *value;
    size_t i, count;
    brant_status status = BRANT_OK;
    brant__write_object(out);
    yyjson_obj_foreach(detail, i, count, name, value) {
        const brant__text text = brant__json_text(name);
        if (brant__text_equal(text, BRANT__TEXT("reason")) ||
            brant__text_equal(text, BRANT__TEXT("personal")))
            return brant__fail(BRANT_INVALID, "/detail/%s: brant writes this member itself",
                               text.data);
        brant__write_name_text(out, text);
        brant__write_value(out, value);
    }
    if (personal)
        status =
            write_personal(out, call->db, brant__json_get_text(call->input, "subject"), personal);
    brant__write_end(out);
    return status == BRANT_OK && out->buffer.failed ? brant__fail_memory() : status;
}

/* Where it was done: a session that is bound to an organisation says nothing about another. */
static brant_status read_organization(brant__text *out, brant__call *call) {
    const brant__text bound = brant__actor_bound(call->db);
    *out = brant__json_get_text(call->input, "org_id");
    if (out->data && bound.data && !brant__text_equal(*out, bound))
        return brant__fail(BRANT_DENIED, "/org_id: the session is of another organization");
    if (bound.data) *out = bound;
    return BRANT_OK;
}

brant_status brant__audit_append_operation(brant__call *call) {
    const brant__text action = brant__json_get_text(call->input, "action");
    brant__writer detail = {0};
    uint8_t hash[BRANT__HASH_SIZE];
    int64_t seq = 0;
    brant__actor actor;
    brant__text org_id;
    brant_status status;
    BRANT__TRY(check_action(action));
    BRANT__TRY(read_organization(&org_id, call));
    BRANT__TRY(brant__actor_read(&actor, call));
    BRANT__TRY(write_detail(&detail, call));
    BRANT__TRY(brant__audit_add(&seq, hash, call, &actor, action, org_id,
                                brant__json_get_text(call->input, "resource"),
                                brant__text_of(detail.buffer.data, detail.buffer.length)));
    brant__write_object(call->out);
    brant__write_integer_member(call->out, "seq", seq);
    brant__audit_write_hash(call->out, "hash", hash);
    brant__write_end(call->out);
cleanup:
    brant__buffer_free(&detail.buffer);
    return status;
}

/* ---- audit.prove, .erase_subject ------------------------------------------------------------------------ */

static brant_status read_personal(char out[HEX_SIZE], bool *out_found, brant_db *db, int64_t seq,
                                  brant__text name) {
    brant__statement *statement = NULL;
    brant__json json = {0};
    brant__audit_row row;
    bool found = false;
    brant_status status;
    *out_found = false;
    BRANT__TRY(brant__audit_find(&found, &row, &statement, db, seq));
    if (!found || !brant__audit_shown(db, &row)) {
        status =
            brant__fail(BRANT_NOT_FOUND, "there is no row %lld in the audit log", (long long)seq);
        goto cleanup;
    }
    BRANT__TRY(brant__json_parse(&json, row.detail.data, row.detail.length, 0));
    const brant__text hex = brant__json_text(
        yyjson_obj_getn(brant__json_get(json.root, "personal"), name.data, name.length));
    *out_found = hex.length == HEX_SIZE;
    if (*out_found) memcpy(out, hex.data, HEX_SIZE);
cleanup:
    brant__reset(statement);
    brant__json_free(&json);
    return status;
}

brant_status brant__audit_prove(brant__call *call) {
    const brant__text subject = brant__json_get_text(call->input, "subject");
    uint8_t salt[SALT_SIZE];
    char stored[HEX_SIZE], made[HEX_SIZE];
    bool found = false, known = false;
    brant_status status;
    BRANT__TRY(read_personal(stored, &found, call->db,
                             brant__json_integer(brant__json_get(call->input, "seq"), 0),
                             brant__json_get_text(call->input, "name")));
    BRANT__TRY(find_salt(&known, salt, call->db, subject));
    if (!known) {
        status = brant__fail(BRANT_NOT_FOUND, "the subject has no salt: it was erased, or no row "
                                              "has personal data of it");
        goto cleanup;
    }
    hash_personal(made, salt, brant__json_get_text(call->input, "text"));
    brant__wipe(salt, sizeof salt);
    brant__write_object(call->out);
    brant__write_bool_member(call->out, "proven",
                             found && brant__bytes_equal(stored, made, HEX_SIZE));
    brant__write_end(call->out);
cleanup:
    return status;
}

static brant_status erase(bool *out_erased, brant__call *call) {
    brant__statement *statement = NULL;
    const brant__text none = {NULL, 0};
    brant__actor actor;
    brant_status status;
    BRANT__TRY(brant__actor_read(&actor, call));
    BRANT__TRY(brant__statement_get(&statement, call->db, &statements, SALT_DELETE));
    brant__bind_text(statement, 1, brant__json_get_text(call->input, "subject"));
    BRANT__TRY(brant__run(call->db, statement));
    *out_erased = brant__changes(call->db) > 0;
    /* Not who it was: that is what is to be forgotten. */
    if (*out_erased)
        status = brant__audit_append(call, &actor, "audit.erase_subject", none, none, none);
cleanup:
    return status;
}

brant_status brant__audit_erase_subject(brant__call *call) {
    bool erased = false, scrubbed = false;
    brant_status status = brant__audit_whole(call->db);
    if (status == BRANT_OK) status = brant__begin(call->db, BRANT__WRITE);
    if (status != BRANT_OK) return status;
    status = erase(&erased, call);
    if (status == BRANT_OK) status = brant__commit(call->db);
    if (status != BRANT_OK) {
        brant__rollback(call->db);
        return status;
    }
    if (brant__depth(call->db) == 0) brant__db_scrub(&scrubbed, call->db);
    brant__write_object(call->out);
    brant__write_bool_member(call->out, "erased", erased);
    brant__write_bool_member(call->out, "scrubbed", scrubbed);
    brant__write_end(call->out);
    return BRANT_OK;
}
