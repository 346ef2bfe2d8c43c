/*
 * identity/account.c: accounts: made, found, changed, put out of use and deleted.
 *
 * An account that is put out of use keeps its rows: its keys and memberships count only while it is active, which is read where they are used. Audit rows name accounts by id; emails stand in no
 * audit row, since those cannot be forgotten.
 */
#include "identity/account.h"

#include "event/event.h"
#include "identity/audit.h"
#include "identity/email.h"
#include "identity/input.h"
#include "identity/level.h"
#include "identity/member.h"

enum {
    ROW,
    ROW_BY_EMAIL,
    FIND,
    ID_OF_EMAIL,
    WAS_DELETED,
    INSERT,
    UPDATE,
    SET_STATUS,
    OWNED,
    DELETE_KEYS,
    DELETE,
    NOTE_DELETED,
    STATEMENTS
};
static const char *const sql[] = {
    [ROW] = "SELECT " BRANT__ACCOUNT_COLUMNS " FROM brant_accounts WHERE id = :id",
    [ROW_BY_EMAIL] = "SELECT " BRANT__ACCOUNT_COLUMNS " FROM brant_accounts WHERE email = :email",
    [FIND] = "SELECT status, access_level, email FROM brant_accounts WHERE id = :id",
    [ID_OF_EMAIL] = "SELECT id FROM brant_accounts WHERE email = :email",
    [WAS_DELETED] = "SELECT 1 FROM brant_deleted_ids WHERE id = :id",
    [INSERT] = "INSERT INTO brant_accounts (id, email, name, access_level, status, metadata, "
               "created_at, updated_at) VALUES (:id, :email, :name, :access_level, 'active', "
               ":metadata, :now, :now)",
    [UPDATE] = "UPDATE brant_accounts SET email = :email, name = :name, access_level = "
               ":access_level, metadata = :metadata, updated_at = :now WHERE id = :id",
    [SET_STATUS] = "UPDATE brant_accounts SET status = :status, updated_at = :now WHERE id = :id",
    [OWNED] = "SELECT slug FROM brant_organizations WHERE owner_id = :id LIMIT 1",
    [DELETE_KEYS] = "DELETE FROM brant_api_keys WHERE owner_id = :id",
    [DELETE] = "DELETE FROM brant_accounts WHERE id = :id",
    [NOTE_DELETED] = "INSERT OR IGNORE INTO brant_deleted_ids (id) VALUES (:id)",
};
const brant__statements brant__account_statements = {BRANT__TABLE_ACCOUNT, STATEMENTS, sql};

static brant_status get(brant__statement **out, brant_db *db, size_t index) {
    return brant__statement_get(out, db, &brant__account_statements, index);
}

/* ---- finding ----------------------------------------------------------------------------------------------------------- */

static int access_level_of(brant__text name) {
    for (int i = BRANT__ACCESS_ADMIN; i > BRANT__ACCESS_USER; i--)
        if (brant__text_equal(name, brant__text_string(brant__access_level_names[i]))) return i;
    return BRANT__ACCESS_USER;
}

brant_status brant__account_find(brant__account *out, brant_db *db, brant__arena *arena,
                                 brant__text id) {
    brant__statement *statement = NULL;
    brant_status status;

    *out = (brant__account){0};
    BRANT__TRY(get(&statement, db, FIND));
    brant__bind_text(statement, 1, id);
    BRANT__TRY(brant__step(&out->found, db, statement));
    if (!out->found) goto cleanup;
    out->active = brant__text_equal(brant__column_text(statement, 0), BRANT__TEXT("active"));
    out->access_level = access_level_of(brant__column_text(statement, 1));
    if (arena) status = brant__arena_text(&out->email, arena, brant__column_text(statement, 2));
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__account_missing(brant__text id) {
    return brant__row_missing(&brant__accounts_table, id);
}

brant_status brant__id_check_new(brant_db *db, brant__text id) {
    brant__statement *statement = NULL;
    bool row = false;
    brant_status status;

    BRANT__TRY(get(&statement, db, WAS_DELETED));
    brant__bind_text(statement, 1, id);
    BRANT__TRY(brant__step(&row, db, statement));
    if (row)
        status = brant__fail(BRANT_EXISTS, "/id: %.*s was deleted, and its id is not given again",
                             (int)id.length, id.data);
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__id_note_deleted(brant_db *db, brant__text id) {
    brant__statement *statement = NULL;
    const brant_status status = get(&statement, db, NOTE_DELETED);

    if (status != BRANT_OK) return status;
    brant__bind_text(statement, 1, id);
    return brant__run(db, statement);
}

static brant_status answer(brant__call *call, brant__text id) {
    return brant__answer_row_of(call, &brant__accounts_table, &brant__account_statements, ROW, id);
}

/* EXISTS where another account than `self` has this normalised email. */
static brant_status check_email(brant_db *db, brant__text email, brant__text self) {
    brant__statement *statement = NULL;
    bool row = false;
    brant_status status;

    BRANT__TRY(get(&statement, db, ID_OF_EMAIL));
    brant__bind_text(statement, 1, email);
    BRANT__TRY(brant__step(&row, db, statement));
    if (row && !brant__text_equal(brant__column_text(statement, 0), self))
        status = brant__fail(BRANT_EXISTS, "an account with email \"%.*s\" exists already",
                             (int)email.length, email.data);
cleanup:
    brant__reset(statement);
    return status;
}

/* ---- who may ------------------------------------------------------------------------------------------------------------- */

static brant_status refuse(brant__text what) {
    return brant__fail(BRANT_DENIED, "%.*s needs access_level admin", (int)what.length, what.data);
}

/* A session makes an admin only where it holds all that one does. What others hold by themselves every account does. */
static brant_status check_given(const brant_db *db, brant__text access_level) {
    if (access_level_of(access_level) != BRANT__ACCESS_ADMIN) return BRANT_OK;
    return brant__session_require(db, brant__scopes_of_access(access_level));
}

/* Begin a change of the account that the member `id` names: by the system, an admin, or with `own` the account itself. */
static brant_status begin(brant__actor *actor, brant__standing *standing, brant__account *account,
                          brant__text *id, brant__call *call, bool own, const char *what) {
    brant_status status;

    *id = brant__json_get_text(call->input, "id");
    BRANT__TRY(brant__identity_here(call->db));
    BRANT__TRY(brant__actor_read(actor, call));
    BRANT__TRY(brant__standing_read(standing, call, actor));
    if (standing->org.data)
        return brant__fail(BRANT_DENIED,
                           "the session is of an organization, and changes no accounts");
    if (!standing->system && !standing->admin && !(own && brant__text_equal(standing->id, *id)))
        return refuse(brant__text_string(what));
    BRANT__TRY(brant__account_find(account, call->db, call->arena, *id));
    if (!account->found) status = brant__account_missing(*id);
cleanup:
    return status;
}

/* ---- what is told --------------------------------------------------------------------------------------------------------- */

static brant_status record(brant__call *call, const brant__actor *actor, const char *action,
                           brant__text id, brant__text detail) {
    brant__text resource;
    const brant_status status = brant__resource_of(&resource, call->arena, "account", id);

    if (status != BRANT_OK) return status;
    return brant__audit_append(call, actor, action, (brant__text){NULL, 0}, resource, detail);
}

/* The names of what changed, in the log and to those who listen. */
static brant_status tell_changes(brant__call *call, const brant__actor *actor, const char *action,
                                 brant__text id, const char *const *changes) {
    brant__facts facts = {0};
    brant__text text;
    brant_status status;

    brant__facts_begin(&facts);
    brant__facts_changes(&facts, changes);
    BRANT__TRY(brant__facts_end(&text, &facts));
    BRANT__TRY(record(call, actor, action, id, text));
    brant__facts_begin(&facts);
    brant__facts_text(&facts, "account_id", id);
    brant__facts_changes(&facts, changes);
    BRANT__TRY(brant__facts_end(&text, &facts));
    status = brant__notify(NULL, call->db, BRANT__TEXT("account:updated"), text);
cleanup:
    brant__facts_free(&facts);
    return status;
}

/* ---- operations ------------------------------------------------------------------------------------------------------------ */

static brant_status insert(brant__call *call, brant__text id, brant__text email, brant__text name,
                           brant__text access_level, brant__text metadata) {
    brant__statement *statement = NULL;
    const brant_status status = get(&statement, call->db, INSERT);

    if (status != BRANT_OK) return status;
    brant__bind_text(statement, 1, id);
    brant__bind_text(statement, 2, email);
    brant__bind_text(statement, 3, name);
    brant__bind_text(statement, 4, access_level);
    brant__bind_text(statement, 5, metadata.data ? metadata : BRANT__TEXT("{}"));
    brant__bind_integer(statement, 6, brant__db_now(call->db));
    return brant__run(call->db, statement);
}

static brant_status tell_created(brant__call *call, const brant__actor *actor, brant__text id,
                                 brant__text email, brant__text access_level) {
    brant__facts facts = {0};
    brant__text text;
    brant_status status;

    brant__facts_begin(&facts);
    brant__facts_text(&facts, "access_level", access_level);
    BRANT__TRY(brant__facts_end(&text, &facts));
    BRANT__TRY(record(call, actor, "accounts.create", id, text));
    brant__facts_begin(&facts);
    brant__facts_text(&facts, "account_id", id);
    brant__facts_text(&facts, "email", email);
    brant__facts_text(&facts, "access_level", access_level);
    BRANT__TRY(brant__facts_end(&text, &facts));
    status = brant__notify(NULL, call->db, BRANT__TEXT("account:created"), text);
cleanup:
    brant__facts_free(&facts);
    return status;
}

brant_status brant__accounts_create(brant__call *call) {
    brant__text access_level = brant__json_get_text(call->input, "access_level");
    brant__text id, email, name, metadata;
    brant__actor actor;
    brant__standing standing;
    brant__account taken;
    brant_status status;

    if (!access_level.data) access_level = BRANT__TEXT("user");
    BRANT__TRY(brant__identity_here(call->db));
    BRANT__TRY(brant__actor_read(&actor, call));
    BRANT__TRY(brant__standing_read(&standing, call, &actor));
    if (!standing.system && !standing.admin) return refuse(BRANT__TEXT("making accounts"));
    BRANT__TRY(check_given(call->db, access_level));
    BRANT__TRY(brant__input_id(&id, call));
    BRANT__TRY(brant__input_label(&name, call));
    BRANT__TRY(brant__input_metadata(&metadata, call));
    BRANT__TRY(
        brant__email_normalize(&email, call->arena, brant__json_get_text(call->input, "email")));
    BRANT__TRY(brant__account_find(&taken, call->db, NULL, id));
    if (taken.found)
        return brant__fail(BRANT_EXISTS, "an account %.*s exists already", (int)id.length, id.data);
    BRANT__TRY(brant__id_check_new(call->db, id));
    BRANT__TRY(check_email(call->db, email, id));
    BRANT__TRY(insert(call, id, email, name, access_level, metadata));
    BRANT__TRY(tell_created(call, &actor, id, email, access_level));
    status = answer(call, id);
cleanup:
    return status;
}

brant_status brant__accounts_get(brant__call *call) {
    const brant_status status = brant__identity_here(call->db);
    return status == BRANT_OK ? answer(call, brant__json_get_text(call->input, "id")) : status;
}

brant_status brant__accounts_find(brant__call *call) {
    brant__statement *statement = NULL;
    brant__text email;
    bool found = false;
    brant_status status;

    BRANT__TRY(brant__identity_here(call->db));
    BRANT__TRY(
        brant__email_normalize(&email, call->arena, brant__json_get_text(call->input, "email")));
    BRANT__TRY(get(&statement, call->db, ROW_BY_EMAIL));
    brant__bind_text(statement, 1, email);
    BRANT__TRY(brant__answer_row(&found, call, &brant__accounts_table, statement));
    if (!found)
        status = brant__fail(BRANT_NOT_FOUND, "no account with email \"%.*s\"", (int)email.length,
                             email.data);
cleanup:
    return status;
}

brant_status brant__accounts_list(brant__call *call) {
    const brant_status status = brant__identity_here(call->db);
    return status == BRANT_OK ? brant__table_list(call, &brant__accounts_table, "accounts.list")
                              : status;
}

/* What an update leaves or sets; borrowed from the input or in the arena. */
typedef struct settings {
    brant__text email, name, access_level, metadata;
} settings;

static brant_status read_settings(settings *out, brant__call *call, brant__text id) {
    brant__statement *statement = NULL;
    brant__text *const fields[] = {&out->email, &out->name, &out->access_level, &out->metadata};
    static const int columns[] = {1, 2, 3, 5}; /* of BRANT__ACCOUNT_COLUMNS */
    bool row = false;
    brant_status status;

    *out = (settings){0};
    BRANT__TRY(get(&statement, call->db, ROW));
    brant__bind_text(statement, 1, id);
    BRANT__TRY(brant__step(&row, call->db, statement));
    for (size_t i = 0; row && i < BRANT__COUNT(fields); i++)
        if (!brant__column_null(statement, columns[i]))
            BRANT__TRY(brant__arena_text(fields[i], call->arena,
                                         brant__column_text(statement, columns[i])));
cleanup:
    brant__reset(statement);
    return status;
}

/* `wanted`, where it is given or `clear`; notes its name when that is something else. */
static void set(brant__text *field, brant__text wanted, bool clear, const char *name,
                const char **changes, size_t *count) {
    if (!wanted.data && !clear) return;
    if ((wanted.data != NULL) == (field->data != NULL) && brant__text_equal(*field, wanted)) return;
    *field = wanted;
    changes[(*count)++] = name;
}

static brant_status write_settings(brant__call *call, brant__text id, const settings *now) {
    brant__statement *statement = NULL;
    const brant_status status = get(&statement, call->db, UPDATE);

    if (status != BRANT_OK) return status;
    brant__bind_text(statement, 1, now->email);
    brant__bind_text(statement, 2, now->name);
    brant__bind_text(statement, 3, now->access_level);
    brant__bind_text(statement, 4, now->metadata);
    brant__bind_integer(statement, 5, brant__db_now(call->db));
    brant__bind_text(statement, 6, id);
    return brant__run(call->db, statement);
}

brant_status brant__accounts_update(brant__call *call) {
    const brant__text given = brant__json_get_text(call->input, "email"),
                      access_level = brant__json_get_text(call->input, "access_level");
    brant__text id, email = {NULL, 0}, name, metadata;
    const char *changes[5] = {NULL};
    size_t count = 0;
    brant__actor actor;
    brant__standing standing;
    brant__account account;
    settings now;
    brant_status status;

    BRANT__TRY(begin(&actor, &standing, &account, &id, call, true, "changing another account"));
    BRANT__TRY(read_settings(&now, call, id));
    BRANT__TRY(brant__input_label(&name, call));
    BRANT__TRY(brant__input_metadata(&metadata, call));
    if (given.data) BRANT__TRY(brant__email_normalize(&email, call->arena, given));
    set(&now.email, email, false, "email", changes, &count);
    set(&now.name, name, yyjson_is_null(brant__json_get(call->input, "name")), "name", changes,
        &count);
    set(&now.metadata, metadata, false, "metadata", changes, &count);
    if (access_level.data && !brant__text_equal(access_level, now.access_level)) {
        if (!standing.system && !standing.admin)
            return refuse(BRANT__TEXT("changing access_level"));
        BRANT__TRY(check_given(call->db, access_level));
    }
    set(&now.access_level, access_level, false, "access_level", changes, &count);
    if (count > 0) {
        BRANT__TRY(check_email(call->db, now.email, id));
        BRANT__TRY(write_settings(call, id, &now));
        BRANT__TRY(tell_changes(call, &actor, "accounts.update", id, changes));
    }
    status = answer(call, id);
cleanup:
    return status;
}

static brant_status set_status(brant__call *call, const brant__actor *actor, const char *action,
                               brant__text id, bool active) {
    static const char *const changes[] = {"status", NULL};
    brant__statement *statement = NULL;
    brant_status status;

    BRANT__TRY(get(&statement, call->db, SET_STATUS));
    brant__bind_text(statement, 1, active ? BRANT__TEXT("active") : BRANT__TEXT("inactive"));
    brant__bind_integer(statement, 2, brant__db_now(call->db));
    brant__bind_text(statement, 3, id);
    BRANT__TRY(brant__run(call->db, statement));
    status = tell_changes(call, actor, action, id, changes);
cleanup:
    return status;
}

brant_status brant__accounts_deactivate(brant__call *call) {
    brant__text id;
    brant__actor actor;
    brant__standing standing;
    brant__account account;
    brant_status status;

    BRANT__TRY(begin(&actor, &standing, &account, &id, call, true, "deactivating another account"));
    if (account.active) {
        BRANT__TRY(brant__owners_remain(call->db, id));
        BRANT__TRY(set_status(call, &actor, "accounts.deactivate", id, false));
    }
    status = answer(call, id);
cleanup:
    return status;
}

brant_status brant__accounts_reactivate(brant__call *call) {
    brant__text id;
    brant__actor actor;
    brant__standing standing;
    brant__account account;
    brant_status status;

    BRANT__TRY(begin(&actor, &standing, &account, &id, call, false, "reactivating an account"));
    if (!account.active) BRANT__TRY(set_status(call, &actor, "accounts.reactivate", id, true));
    status = answer(call, id);
cleanup:
    return status;
}

/* CONSTRAINT while it is the owner_id of an organisation. */
static brant_status check_owned(brant_db *db, brant__text id) {
    brant__statement *statement = NULL;
    bool row = false;
    brant_status status;

    BRANT__TRY(get(&statement, db, OWNED));
    brant__bind_text(statement, 1, id);
    BRANT__TRY(brant__step(&row, db, statement));
    if (row) {
        const brant__text slug = brant__column_text(statement, 0);
        status = brant__fail(BRANT_CONSTRAINT,
                             "account %.*s has organization \"%.*s\": transfer or delete that "
                             "before",
                             (int)id.length, id.data, (int)slug.length, slug.data);
    }
cleanup:
    brant__reset(statement);
    return status;
}

/* Run a statement that deletes rows of the account. */
static brant_status delete_rows(int64_t *out_count, brant_db *db, size_t index, brant__text id) {
    brant__statement *statement = NULL;
    brant_status status = get(&statement, db, index);

    if (status != BRANT_OK) return status;
    brant__bind_text(statement, 1, id);
    status = brant__run(db, statement);
    *out_count = brant__changes(db);
    return status;
}

static brant_status tell_deleted(brant__call *call, const brant__actor *actor, brant__text id) {
    brant__facts facts = {0};
    brant__text text;
    brant_status status;

    BRANT__TRY(record(call, actor, "accounts.delete", id, (brant__text){NULL, 0}));
    brant__facts_begin(&facts);
    brant__facts_text(&facts, "account_id", id);
    BRANT__TRY(brant__facts_end(&text, &facts));
    status = brant__notify(NULL, call->db, BRANT__TEXT("account:deleted"), text);
cleanup:
    brant__facts_free(&facts);
    return status;
}

brant_status brant__accounts_delete(brant__call *call) {
    int64_t keys = 0, members = 0, deleted = 0;
    brant__text id;
    brant__actor actor;
    brant__standing standing;
    brant__account account;
    brant_status status;

    BRANT__TRY(begin(&actor, &standing, &account, &id, call, true, "deleting another account"));
    BRANT__TRY(check_owned(call->db, id));
    BRANT__TRY(brant__owners_remain(call->db, id));
    BRANT__TRY(delete_rows(&keys, call->db, DELETE_KEYS, id));
    BRANT__TRY(brant__members_delete(&members, call, (brant__text){NULL, 0}, id));
    BRANT__TRY(delete_rows(&deleted, call->db, DELETE, id));
    BRANT__TRY(brant__id_note_deleted(call->db, id));
    BRANT__TRY(tell_deleted(call, &actor, id));
    brant__write_object(call->out);
    brant__write_bool_member(call->out, "deleted", true);
    brant__write_integer_member(call->out, "api_keys", keys);
    brant__write_integer_member(call->out, "members", members);
    brant__write_end(call->out);
cleanup:
    return status;
}
