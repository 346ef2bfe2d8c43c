/*
 * identity/table.c: what the tables of identity hold, and rows of theirs as JSON.
 *
 * The tables themselves are made by core/sql; a test holds the two together. What a column's text may be beyond its length (an email, a slug) its own file says.
 */
#include "identity/table.h"

#include "identity/email.h"

const char *const brant__level_names[] = {"viewer", "member", "admin", "owner", NULL};
const char *const brant__access_level_names[] = {"user", "service", "admin", NULL};

static const char *const account_statuses[] = {"active", "inactive", NULL};
static const char *const organization_statuses[] = {"active", "suspended", "deleting", NULL};
static const char *const member_statuses[] = {"active", "suspended", NULL};
static const char *const invitation_statuses[] = {"pending", "accepted", "rejected", "cancelled",
                                                  NULL};
static const char *const schemes[] = {"brant1", "legacy-sha256", NULL};
static const char *const actor_types[] = {"account", "api_key", "agent", "service", "system", NULL};

#define UUID "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"

/* ---- columns that several tables have ---------------------------------------------------------------------------------- */

#define METADATA(on_insert, on_update)                                                             \
    {.name = "metadata",                                                                           \
     .kind = BRANT__AS_OBJECT,                                                                     \
     .insert = (on_insert),                                                                        \
     .update = (on_update),                                                                        \
     .description = "Whatever the host keeps with it"}
#define CREATED_AT                                                                                 \
    {.name = "created_at", .kind = BRANT__AS_INTEGER, .description = "ms since the Unix epoch"}
#define UPDATED_AT                                                                                 \
    {.name = "updated_at", .kind = BRANT__AS_INTEGER, .description = "ms since the Unix epoch"}
#define ROW_ID {.name = "row_id", .kind = BRANT__AS_INTEGER, .secret = true}
#define HASH   {.name = "hash", .kind = BRANT__AS_BYTES, .secret = true}
/* An id that the library makes. */
#define ID {.name = "id", .pattern = UUID, .description = "UUIDv7: in order of creation"}

/* ---- the tables ----------------------------------------------------------------------------------------------------------- */

static const brant__column accounts[] = {
    ROW_ID,
    {.name = "id",
     .pattern = UUID,
     .insert = BRANT__OPTIONAL,
     .update = BRANT__REQUIRED,
     .description = "Lower-case UUID; made as UUIDv7 where none is given"},
    {.name = "email",
     .least = 1,
     .most = 254,
     .given = 1024,
     .insert = BRANT__REQUIRED,
     .update = BRANT__OPTIONAL,
     .description = "Normalised, unique"},
    {.name = "name",
     .nullable = true,
     .least = 1,
     .most = 255,
     .insert = BRANT__OPTIONAL,
     .update = BRANT__OPTIONAL,
     .description = "To show"},
    {.name = "access_level",
     .filter = true,
     .values = brant__access_level_names,
     .insert = BRANT__OPTIONAL,
     .update = BRANT__OPTIONAL,
     .description = "What the account may do outside organisations; user where none is given"},
    {.name = "status",
     .filter = true,
     .values = account_statuses,
     .description = "Of an inactive account nothing works"},
    METADATA(BRANT__OPTIONAL, BRANT__OPTIONAL),
    CREATED_AT,
    UPDATED_AT,
};

static const brant__column organizations[] = {
    ROW_ID,
    {.name = "id",
     .pattern = UUID,
     .insert = BRANT__OPTIONAL,
     .update = BRANT__REQUIRED,
     .description = "Lower-case UUID; made as UUIDv7 where none is given"},
    {.name = "slug",
     .least = 1,
     .most = 63,
     .insert = BRANT__REQUIRED,
     .update = BRANT__OPTIONAL,
     .description = "Short name, normalised, unique"},
    {.name = "name",
     .least = 1,
     .most = 255,
     .insert = BRANT__REQUIRED,
     .update = BRANT__OPTIONAL,
     .description = "To show"},
    {.name = "owner_id",
     .filter = true,
     .pattern = UUID,
     .insert = BRANT__OPTIONAL,
     .description = "The account that has it, a member of level owner; the actor where none is "
                    "given"},
    {.name = "status", .filter = true, .values = organization_statuses},
    METADATA(BRANT__OPTIONAL, BRANT__OPTIONAL),
    CREATED_AT,
    UPDATED_AT,
};

static const brant__column members[] = {
    ROW_ID,
    ID,
    {.name = "org_id",
     .filter = true,
     .pattern = UUID,
     .insert = BRANT__REQUIRED,
     .update = BRANT__REQUIRED,
     .description = "The organisation"},
    {.name = "account_id",
     .filter = true,
     .pattern = UUID,
     .insert = BRANT__REQUIRED,
     .update = BRANT__REQUIRED,
     .description = "Who is a member of it"},
    {.name = "level",
     .filter = true,
     .values = brant__level_names,
     .insert = BRANT__OPTIONAL,
     .update = BRANT__REQUIRED,
     .description = "Each may what those before it may; member where none is given"},
    {.name = "status", .filter = true, .values = member_statuses},
    METADATA(BRANT__ABSENT, BRANT__ABSENT),
    CREATED_AT,
    UPDATED_AT,
};

static const brant__column invitations[] = {
    ROW_ID,
    ID,
    {.name = "org_id",
     .filter = true,
     .pattern = UUID,
     .insert = BRANT__REQUIRED,
     .description = "The organisation"},
    {.name = "kid", .description = "The part of the token by which it is found"},
    {.name = "email",
     .filter = true,
     .least = 1,
     .most = 254,
     .given = 1024,
     .insert = BRANT__REQUIRED,
     .normalize = brant__email_normalize,
     .description = "Whose it is, normalised"},
    {.name = "level",
     .values = brant__level_names,
     .insert = BRANT__OPTIONAL,
     .description = "What the member will be; member where none is given"},
    HASH,
    {.name = "pepper_version",
     .kind = BRANT__AS_INTEGER,
     .description = "Version of the ring's pepper that the token is stored with"},
    {.name = "invited_by", .nullable = true, .description = "The actor's id"},
    {.name = "account_id", .nullable = true, .pattern = UUID, .description = "Who accepted it"},
    {.name = "status",
     .filter = true,
     .values = invitation_statuses,
     .description = "A pending one that expires_at has passed is over"},
    {.name = "expires_at",
     .kind = BRANT__AS_INTEGER,
     .insert = BRANT__OPTIONAL,
     .description = "ms since the Unix epoch"},
    {.name = "ttl",
     .kind = BRANT__AS_INTEGER,
     .virtual = true,
     .insert = BRANT__OPTIONAL,
     .description = "Instead of expires_at: ms from now"},
    METADATA(BRANT__OPTIONAL, BRANT__ABSENT),
    CREATED_AT,
    UPDATED_AT,
};

static const brant__column api_keys[] = {
    ROW_ID,
    ID,
    {.name = "kid", .description = "The part of the token by which it is found"},
    {.name = "type",
     .filter = true,
     .pattern = "^[a-z]{1,12}$",
     .insert = BRANT__OPTIONAL,
     .description = "What follows brant_ in the token; key where none is given"},
    {.name = "scheme", .filter = true, .values = schemes, .description = "How hash is made"},
    HASH,
    {.name = "pepper_version",
     .kind = BRANT__AS_INTEGER,
     .description = "Version of the ring's pepper that the token is stored with; 0: none"},
    {.name = "owner_id",
     .filter = true,
     .pattern = UUID,
     .insert = BRANT__OPTIONAL,
     .description = "The account whose key it is; the actor where none is given"},
    {.name = "org_id",
     .nullable = true,
     .filter = true,
     .pattern = UUID,
     .insert = BRANT__OPTIONAL,
     .description = "The organisation in which it works"},
    {.name = "name", .least = 1, .most = 255, .insert = BRANT__REQUIRED, .description = "To show"},
    {.name = "scopes",
     .kind = BRANT__AS_LIST,
     .insert = BRANT__REQUIRED,
     .description = "What it may do, of what its owner may"},
    {.name = "expires_at",
     .kind = BRANT__AS_INTEGER,
     .nullable = true,
     .insert = BRANT__OPTIONAL,
     .description = "ms since the Unix epoch"},
    {.name = "revoked_at",
     .kind = BRANT__AS_INTEGER,
     .nullable = true,
     .description = "ms since the Unix epoch"},
    {.name = "last_used_at",
     .kind = BRANT__AS_INTEGER,
     .nullable = true,
     .description = "ms since the Unix epoch, exact to a minute"},
    {.name = "rotated_from",
     .nullable = true,
     .pattern = UUID,
     .description = "The key in whose place it was made"},
    METADATA(BRANT__OPTIONAL, BRANT__ABSENT),
    CREATED_AT,
    UPDATED_AT,
};

static const brant__column audit[] = {
    {.name = "seq", .kind = BRANT__AS_INTEGER, .description = "Without gaps"},
    ID,
    {.name = "org_id", .nullable = true, .filter = true, .insert = BRANT__OPTIONAL},
    {.name = "actor_type", .values = actor_types},
    {.name = "actor_id", .nullable = true, .filter = true},
    {.name = "action",
     .filter = true,
     .least = 1,
     .most = 255,
     .insert = BRANT__REQUIRED,
     .description = "The operation's name, or one of the host's own"},
    {.name = "resource",
     .nullable = true,
     .filter = true,
     .most = 1024,
     .insert = BRANT__OPTIONAL,
     .description = "<kind>:<id>"},
    {.name = "detail", .kind = BRANT__AS_OBJECT, .insert = BRANT__OPTIONAL},
    {.name = "metadata", .kind = BRANT__AS_OBJECT},
    {.name = "personal",
     .kind = BRANT__AS_OBJECT,
     .virtual = true,
     .insert = BRANT__OPTIONAL,
     .description = "Texts that are hashed with the subject's salt"},
    {.name = "subject",
     .virtual = true,
     .least = 1,
     .insert = BRANT__OPTIONAL,
     .description = "Whom they are about"},
    CREATED_AT,
    {.name = "key_version",
     .kind = BRANT__AS_INTEGER,
     .description = "Version of the ring's audit key"},
    {.name = "hash", .kind = BRANT__AS_BYTES, .description = "Of the row and the one before it"},
};

/* Whose rows audit*.c reads and writes by itself. */
#define AUDIT_COLUMNS                                                                              \
    "seq, id, org_id, actor_type, actor_id, action, resource, detail, metadata, created_at, "      \
    "key_version, hash"

#define TABLE(nouns, one, sql, shown_columns, organization, of)                                    \
    {.noun = (nouns),                                                                              \
     .row = (one),                                                                                 \
     .name = (sql),                                                                                \
     .shown = (shown_columns),                                                                     \
     .of_organization = (organization),                                                            \
     .count = BRANT__COUNT(of),                                                                    \
     .columns = (of)}

const brant__table brant__accounts_table =
    TABLE("accounts", "account", "brant_accounts", BRANT__ACCOUNT_COLUMNS,
          "id IN (SELECT account_id FROM brant_members WHERE org_id = ?)", accounts);
const brant__table brant__organizations_table =
    TABLE("organizations", "organization", "brant_organizations", BRANT__ORGANIZATION_COLUMNS,
          "id = ?", organizations);
const brant__table brant__members_table =
    TABLE("members", "member", "brant_members", BRANT__MEMBER_COLUMNS, "org_id = ?", members);
const brant__table brant__invitations_table =
    TABLE("invitations", "invitation", "brant_invitations", BRANT__INVITATION_COLUMNS, "org_id = ?",
          invitations);
const brant__table brant__api_keys_table =
    TABLE("api_keys", "API key", "brant_api_keys", BRANT__API_KEY_COLUMNS, "org_id = ?", api_keys);
const brant__table brant__audit_table =
    TABLE("audit_logs", "audit row", "brant_audit_logs", AUDIT_COLUMNS, NULL, audit);

const brant__table *const brant__identity_tables[BRANT__IDENTITY_TABLES] = {
    &brant__accounts_table,    &brant__organizations_table, &brant__members_table,
    &brant__invitations_table, &brant__api_keys_table,      &brant__audit_table,
};

/* ---- rows ----------------------------------------------------------------------------------------------------------------- */

static void write_value(brant__writer *out, const brant__column *column,
                        brant__statement *statement, int index) {
    brant__buffer text = {0};
    brant__text bytes;
    bool stored_bytes = false;

    if (brant__column_null(statement, index)) {
        brant__write_null(out);
        return;
    }
    switch (column->kind) {
    case BRANT__AS_INTEGER:
        brant__write_integer(out, brant__column_integer(statement, index));
        break;
    case BRANT__AS_OBJECT:
    case BRANT__AS_LIST:
        brant__write_raw(out, brant__column_text(statement, index));
        break;
    case BRANT__AS_BYTES:
        bytes = brant__column_payload(&stored_bytes, statement, index);
        brant__base64url_encode(&text, bytes.data, bytes.length);
        if (text.failed)
            out->buffer.failed = true;
        else
            brant__write_text(out, brant__text_of(text.data ? text.data : "", text.length));
        brant__buffer_free(&text);
        break;
    default:
        brant__write_text(out, brant__column_text(statement, index));
        break;
    }
}

void brant__row_write(brant__writer *out, const brant__table *table, brant__statement *statement,
                      int first) {
    brant__write_object(out);
    for (size_t i = 0; i < table->count; i++) {
        const brant__column *column = &table->columns[i];
        if (column->secret || column->virtual) continue;
        brant__write_name(out, column->name);
        write_value(out, column, statement, first++);
    }
    brant__write_end(out);
}
