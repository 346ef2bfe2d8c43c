/*
 * identity/table.h: the tables of identity, each described once: rows as JSON, lists and identity.schemas follow the description.
 */
#ifndef BRANT__IDENTITY_TABLE_H
#define BRANT__IDENTITY_TABLE_H

#include "store/store.h"

/* What a column holds, and how its values stand in JSON. */
enum {
    BRANT__AS_TEXT,
    BRANT__AS_INTEGER,
    BRANT__AS_OBJECT, /* text in the file: compact JSON of an object */
    BRANT__AS_LIST,   /* text in the file: compact JSON of an array of texts */
    BRANT__AS_BYTES,  /* in JSON base64url without padding */
};

/* Is a column among the members that make a row, or change one? */
enum { BRANT__ABSENT, BRANT__OPTIONAL, BRANT__REQUIRED };

typedef struct brant__column {
    const char *name;
    int kind;
    bool nullable;
    bool filter;  /* lists may be filtered by it */
    bool secret;  /* shown to nobody */
    bool virtual; /* no column: a member of inputs alone */
    int insert;   /* in the input that makes a row */
    int update;   /* in the input that changes one, or says which */
    size_t least,
        most; /* bytes of a text, 0: as they are; JSON Schema counts characters, of which there are no more */
    const char *pattern; /* of a text, as JSON Schema has them; NULL: none */
    brant_status (*normalize)(brant__text *out, brant__arena *arena,
                              brant__text text); /* the form that is kept; NULL: as it is given */
    size_t given; /* most bytes of a text in inputs, which is kept in another form; 0: `most` */
    const char *const *values; /* the texts there are, ended by NULL; NULL: any */
    const char *description;
} brant__column;

typedef struct brant__table {
    const char *noun; /* "accounts", as in names of operations */
    const char *row;  /* "account" */
    const char *name; /* in SQL */
    const char *
        shown; /* SQL: the columns but secret ones, in their order, which brant__row_write expects */
    const char *
        of_organization; /* SQL: is a row one of the organisation ?, to which a session is bound; NULL: its own files see to that */
    size_t count;
    const brant__column *columns;
} brant__table;

/* `shown` of each, for statements. */
#define BRANT__ACCOUNT_COLUMNS                                                                     \
    "id, email, name, access_level, status, metadata, created_at, updated_at"
#define BRANT__ORGANIZATION_COLUMNS                                                                \
    "id, slug, name, owner_id, status, metadata, created_at, updated_at"
#define BRANT__MEMBER_COLUMNS                                                                      \
    "id, org_id, account_id, level, status, metadata, created_at, updated_at"
#define BRANT__INVITATION_COLUMNS                                                                  \
    "id, org_id, kid, email, level, pepper_version, invited_by, account_id, status, expires_at, "  \
    "metadata, created_at, updated_at"
#define BRANT__API_KEY_COLUMNS                                                                     \
    "id, kid, type, scheme, pepper_version, owner_id, org_id, name, scopes, expires_at, "          \
    "revoked_at, last_used_at, rotated_from, metadata, created_at, updated_at"

extern const brant__table brant__accounts_table;
extern const brant__table brant__organizations_table;
extern const brant__table brant__members_table;
extern const brant__table brant__invitations_table;
extern const brant__table brant__api_keys_table;
extern const brant__table brant__audit_table;

/* All of them, in the order above. */
#define BRANT__IDENTITY_TABLES 6
extern const brant__table *const brant__identity_tables[BRANT__IDENTITY_TABLES];

/* Words of columns. Levels and access levels stand in the order of their numbers, ended by NULL. */
extern const char
    *const brant__level_names[]; /* "none" is not one: brant__level_names[level - 1] */
extern const char *const brant__access_level_names[]; /* user, service, admin */

/* The row that a statement stands on, as an object; its columns from `first` on are table->shown. */
void brant__row_write(brant__writer *out, const brant__table *table, brant__statement *statement,
                      int first);

/* May the caller see the row of this id? A session of an organisation sees its rows alone (brant__actor_bound), of accounts those of its members. */
brant_status brant__row_shown(bool *out, brant_db *db, const brant__table *table, brant__text id);

/*
 * A list (table_list.c), of what the caller may see: {"limit"?, "cursor"?, "filter"?} -> {"items": [rows in order of id], "cursor": text | null}. `operation` is its registry name.
 * INVALID: a limit out of 1..10000, a cursor of another list or filter, a filter by what no filter is of, or by a value that is no text or integer as the column is.
 */
brant_status brant__table_list(brant__call *call, const brant__table *table, const char *operation);

/*
 * The same, with a condition that is no column's: the member `name` of the filter, a boolean. `yes` and `no` are SQL, in which ?1 is the time of the call. Static texts.
 */
typedef struct brant__condition {
    const char *name;
    const char *yes, *no;
} brant__condition;
brant_status brant__table_list_by(brant__call *call, const brant__table *table,
                                  const char *operation, const brant__condition *condition);

/* identity.schemas (table_schema.c). */
brant_status brant__identity_schemas(brant__call *call);

#endif
