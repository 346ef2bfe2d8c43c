/*
 * identity/organization.c: organisations: made with their owner, changed, handed over, suspended, deleted.
 *
 * In a hub an organisation has a file of its own. Making that is left to its first use, and deleting it to the hub: organizations.delete marks the row in the transaction that the caller sees, and the
 * hub removes the file, then the rows, however often it is interrupted. Without a hub the rows go at once.
 */
#include "identity/organization.h"

#include "event/event.h"
#include "identity/account.h"
#include "identity/audit.h"
#include "identity/input.h"
#include "identity/member.h"
#include "identity/membership.h"
#include "identity/slug.h"

enum {
    ROW,
    ROW_BY_SLUG,
    FIND,
    ID_OF_SLUG,
    INSERT,
    UPDATE,
    SET_OWNER,
    SET_STATUS,
    DELETE_INVITATIONS,
    DELETE_KEYS,
    DELETE,
    STATEMENTS
};
static const char *const sql[] = {
    [ROW] = "SELECT " BRANT__ORGANIZATION_COLUMNS " FROM brant_organizations WHERE id = :id",
    [ROW_BY_SLUG] =
        "SELECT " BRANT__ORGANIZATION_COLUMNS " FROM brant_organizations WHERE slug = :slug",
    [FIND] = "SELECT status, owner_id FROM brant_organizations WHERE id = :id",
    [ID_OF_SLUG] = "SELECT id FROM brant_organizations WHERE slug = :slug",
    [INSERT] = "INSERT INTO brant_organizations (id, slug, name, owner_id, status, metadata, "
               "created_at, updated_at) VALUES (:id, :slug, :name, :owner, 'active', :metadata, "
               ":now, :now)",
    [UPDATE] = "UPDATE brant_organizations SET slug = :slug, name = :name, metadata = :metadata, "
               "updated_at = :now WHERE id = :id",
    [SET_OWNER] = "UPDATE brant_organizations SET owner_id = :owner, updated_at = :now WHERE id = "
                  ":id",
    [SET_STATUS] = "UPDATE brant_organizations SET status = :status, updated_at = :now WHERE id = "
                   ":id",
    [DELETE_INVITATIONS] = "DELETE FROM brant_invitations WHERE org_id = :id",
    [DELETE_KEYS] = "DELETE FROM brant_api_keys WHERE org_id = :id",
    [DELETE] = "DELETE FROM brant_organizations WHERE id = :id",
};
const brant__statements brant__organization_statements = {BRANT__TABLE_ORGANIZATION, STATEMENTS,
                                                          sql};

static brant_status get(brant__statement **out, brant_db *db, size_t index) {
    return brant__statement_get(out, db, &brant__organization_statements, index);
}

/* ---- finding ------------------------------------------------------------------------------------------------------------- */

brant_status brant__organization_find(brant__organization *out, brant_db *db, brant__arena *arena,
                                      brant__text id) {
    brant__statement *statement = NULL;
    bool row = false;
    brant_status status;

    *out = (brant__organization){0};
    BRANT__TRY(get(&statement, db, FIND));
    brant__bind_text(statement, 1, id);
    BRANT__TRY(brant__step(&row, db, statement));
    if (!row) {
        status = brant__row_missing(&brant__organizations_table, id);
        goto cleanup;
    }
    const brant__text text = brant__column_text(statement, 0);
    out->status = brant__text_equal(text, BRANT__TEXT("active")) ? BRANT__ORGANIZATION_ACTIVE
                  : brant__text_equal(text, BRANT__TEXT("suspended"))
                      ? BRANT__ORGANIZATION_SUSPENDED
                      : BRANT__ORGANIZATION_DELETING;
    if (arena) status = brant__arena_text(&out->owner_id, arena, brant__column_text(statement, 1));
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status check_kept(const brant__organization *organization, brant__text id) {
    if (organization->status != BRANT__ORGANIZATION_DELETING) return BRANT_OK;
    return brant__fail(BRANT_CONFLICT, "organization %.*s is being deleted", (int)id.length,
                       id.data);
}

brant_status brant__organization_hold(brant__organization *out, brant_db *db, brant__arena *arena,
                                      brant__text id) {
    const brant_status status = brant__organization_find(out, db, arena, id);
    return status == BRANT_OK ? check_kept(out, id) : status;
}

static brant_status answer(brant__call *call, brant__text id) {
    return brant__answer_row_of(call, &brant__organizations_table, &brant__organization_statements,
                                ROW, id);
}

/* EXISTS where another organisation than `self` has this normalised slug. */
static brant_status check_slug(brant_db *db, brant__text slug, brant__text self) {
    brant__statement *statement = NULL;
    bool row = false;
    brant_status status;

    BRANT__TRY(get(&statement, db, ID_OF_SLUG));
    brant__bind_text(statement, 1, slug);
    BRANT__TRY(brant__step(&row, db, statement));
    if (row && !brant__text_equal(brant__column_text(statement, 0), self))
        status = brant__fail(BRANT_EXISTS, "an organization with slug \"%.*s\" exists already",
                             (int)slug.length, slug.data);
cleanup:
    brant__reset(statement);
    return status;
}

/* ---- a change of one ------------------------------------------------------------------------------------------------------ */

typedef struct change {
    brant__call *call;
    const char *action; /* the operation's name */
    brant__text id;
    brant__actor actor;
    brant__standing standing;
    brant__organization organization; /* as it is before */
} change;

static brant_status begin(change *self, brant__call *call, const char *action) {
    brant_status status;

    *self = (change){.call = call, .action = action, .id = brant__json_get_text(call->input, "id")};
    BRANT__TRY(brant__identity_here(call->db));
    BRANT__TRY(brant__actor_read(&self->actor, call));
    BRANT__TRY(brant__organization_find(&self->organization, call->db, call->arena, self->id));
    status = brant__standing_read(&self->standing, call, &self->actor);
cleanup:
    return status;
}

/* DENIED unless the actor is one of the owners, also while the organisation is suspended; or, with `admin`, of access_level admin. */
static brant_status check_owner(const change *self, bool admin) {
    const brant__standing *actor = &self->standing;
    brant__member member;
    brant_status status;

    if (actor->system || (admin && actor->admin)) return BRANT_OK;
    if (actor->org.data && !brant__text_equal(actor->org, self->id))
        return brant__fail(BRANT_DENIED, "the session is of another organization");
    status = brant__member_find(&member, self->call->db, self->id, actor->id);
    if (status != BRANT_OK) return status;
    if (member.active && member.level == BRANT__LEVEL_OWNER && actor->most == BRANT__LEVEL_OWNER)
        return BRANT_OK;
    return brant__fail(BRANT_DENIED, "account %.*s is no active owner of the organization",
                       (int)actor->id.length, actor->id.data);
}

/*
 * In the audit log, and as an event where `channel` is not NULL: with the names of what changed where `changes` is not, and the log says to whom it went where `to` is not {NULL, 0}.
 */
static brant_status tell(const change *self, const char *channel, const char *const *changes,
                         brant__text to) {
    brant__facts facts = {0};
    brant__text resource, text;
    brant_status status;

    BRANT__TRY(brant__resource_of(&resource, self->call->arena, "organization", self->id));
    brant__facts_begin(&facts);
    if (changes) brant__facts_changes(&facts, changes);
    if (to.data) {
        brant__facts_text(&facts, "from", self->organization.owner_id);
        brant__facts_text(&facts, "to", to);
    }
    BRANT__TRY(brant__facts_end(&text, &facts));
    BRANT__TRY(
        brant__audit_append(self->call, &self->actor, self->action, self->id, resource, text));
    if (!channel) goto cleanup;
    brant__facts_begin(&facts);
    brant__facts_text(&facts, "org_id", self->id);
    if (changes) brant__facts_changes(&facts, changes);
    BRANT__TRY(brant__facts_end(&text, &facts));
    status = brant__notify(NULL, self->call->db, brant__text_string(channel), text);
cleanup:
    brant__facts_free(&facts);
    return status;
}

/* ---- making ------------------------------------------------------------------------------------------------------------------ */

typedef struct row {
    brant__text id, slug, name, owner_id, metadata;
} row;

static brant_status insert(brant_db *db, const row *self) {
    brant__statement *statement = NULL;
    const brant_status status = get(&statement, db, INSERT);

    if (status != BRANT_OK) return status;
    brant__bind_text(statement, 1, self->id);
    brant__bind_text(statement, 2, self->slug);
    brant__bind_text(statement, 3, self->name);
    brant__bind_text(statement, 4, self->owner_id);
    brant__bind_text(statement, 5, self->metadata.data ? self->metadata : BRANT__TEXT("{}"));
    brant__bind_integer(statement, 6, brant__db_now(db));
    return brant__run(db, statement);
}

/* Whose it will be: nobody makes one for another but the system and admins. */
static brant_status read_owner(brant__text *out, brant__call *call, const brant__standing *actor) {
    *out = brant__json_get_text(call->input, "owner_id");
    if (actor->org.data)
        return brant__fail(BRANT_DENIED, "the session is of an organization, and makes no other");
    if (!out->data) {
        *out = actor->id;
        if (actor->system)
            return brant__fail(BRANT_INVALID, "/owner_id is missing, and the actor is no account");
    }
    if (actor->system || actor->admin || brant__text_equal(*out, actor->id)) return BRANT_OK;
    return brant__fail(BRANT_DENIED,
                       "/owner_id: making an organization for another needs access_level admin");
}

static brant_status tell_created(brant__call *call, const brant__actor *actor, const row *made) {
    brant__facts facts = {0};
    brant__text resource, text;
    brant_status status;

    BRANT__TRY(brant__resource_of(&resource, call->arena, "organization", made->id));
    brant__facts_begin(&facts);
    brant__facts_text(&facts, "slug", made->slug);
    brant__facts_text(&facts, "owner_id", made->owner_id);
    BRANT__TRY(brant__facts_end(&text, &facts));
    BRANT__TRY(brant__audit_append(call, actor, "organizations.create", made->id, resource, text));
    brant__facts_begin(&facts);
    brant__facts_text(&facts, "org_id", made->id);
    brant__facts_text(&facts, "slug", made->slug);
    brant__facts_text(&facts, "owner_id", made->owner_id);
    BRANT__TRY(brant__facts_end(&text, &facts));
    status = brant__notify(NULL, call->db, BRANT__TEXT("org:created"), text);
cleanup:
    brant__facts_free(&facts);
    return status;
}

/* EXISTS: the id is one of an organisation. */
static brant_status check_id(brant__call *call, brant__text id) {
    brant__statement *statement = NULL;
    bool found = false;
    brant_status status;

    BRANT__TRY(get(&statement, call->db, FIND));
    brant__bind_text(statement, 1, id);
    BRANT__TRY(brant__step(&found, call->db, statement));
    if (found)
        status = brant__fail(BRANT_EXISTS, "an organization %.*s exists already", (int)id.length,
                             id.data);
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__organizations_create(brant__call *call) {
    row made = {0};
    brant__actor actor;
    brant__standing standing;
    brant_status status;

    BRANT__TRY(brant__identity_here(call->db));
    BRANT__TRY(brant__actor_read(&actor, call));
    BRANT__TRY(brant__standing_read(&standing, call, &actor));
    BRANT__TRY(read_owner(&made.owner_id, call, &standing));
    BRANT__TRY(brant__input_id(&made.id, call));
    BRANT__TRY(brant__input_label(&made.name, call));
    BRANT__TRY(brant__input_metadata(&made.metadata, call));
    BRANT__TRY(
        brant__slug_normalize(&made.slug, call->arena, brant__json_get_text(call->input, "slug")));
    BRANT__TRY(check_id(call, made.id));
    BRANT__TRY(brant__id_check_new(call->db, made.id));
    BRANT__TRY(check_slug(call->db, made.slug, made.id));
    BRANT__TRY(insert(call->db, &made));
    BRANT__TRY(tell_created(call, &actor, &made));
    BRANT__TRY(brant__member_insert(call, made.id, made.owner_id, BRANT__LEVEL_OWNER));
    status = answer(call, made.id);
cleanup:
    return status;
}

/* ---- reading ------------------------------------------------------------------------------------------------------------------ */

brant_status brant__organizations_get(brant__call *call) {
    const brant__text id = brant__json_get_text(call->input, "id"),
                      given = brant__json_get_text(call->input, "slug");
    brant__statement *statement = NULL;
    brant__text slug;
    bool found = false;
    brant_status status;

    BRANT__TRY(brant__identity_here(call->db));
    if ((id.data != NULL) == (given.data != NULL))
        return brant__fail(BRANT_INVALID, "an organization is found by /id or by /slug");
    if (id.data) return answer(call, id);
    BRANT__TRY(brant__slug_normalize(&slug, call->arena, given));
    BRANT__TRY(get(&statement, call->db, ROW_BY_SLUG));
    brant__bind_text(statement, 1, slug);
    BRANT__TRY(brant__answer_row(&found, call, &brant__organizations_table, statement));
    if (!found)
        status = brant__fail(BRANT_NOT_FOUND, "no organization with slug \"%.*s\"",
                             (int)slug.length, slug.data);
cleanup:
    return status;
}

brant_status brant__organizations_list(brant__call *call) {
    const brant_status status = brant__identity_here(call->db);
    return status == BRANT_OK
               ? brant__table_list(call, &brant__organizations_table, "organizations.list")
               : status;
}

/* ---- changing ----------------------------------------------------------------------------------------------------------------- */

static brant_status read_row(row *out, brant__call *call, brant__text id) {
    brant__statement *statement = NULL;
    brant__text *const fields[] = {&out->slug, &out->name, &out->metadata};
    static const int columns[] = {1, 2, 5}; /* of BRANT__ORGANIZATION_COLUMNS */
    bool found = false;
    brant_status status;

    *out = (row){.id = id};
    BRANT__TRY(get(&statement, call->db, ROW));
    brant__bind_text(statement, 1, id);
    BRANT__TRY(brant__step(&found, call->db, statement));
    for (size_t i = 0; found && i < BRANT__COUNT(fields); i++)
        BRANT__TRY(
            brant__arena_text(fields[i], call->arena, brant__column_text(statement, columns[i])));
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status write_row(brant_db *db, const row *self) {
    brant__statement *statement = NULL;
    const brant_status status = get(&statement, db, UPDATE);

    if (status != BRANT_OK) return status;
    brant__bind_text(statement, 1, self->slug);
    brant__bind_text(statement, 2, self->name);
    brant__bind_text(statement, 3, self->metadata);
    brant__bind_integer(statement, 4, brant__db_now(db));
    brant__bind_text(statement, 5, self->id);
    return brant__run(db, statement);
}

/* `wanted`, where it is given; notes its name when that is something else. */
static void set(brant__text *field, brant__text wanted, const char *name, const char **changes,
                size_t *count) {
    if (!wanted.data || brant__text_equal(*field, wanted)) return;
    *field = wanted;
    changes[(*count)++] = name;
}

brant_status brant__organizations_update(brant__call *call) {
    const brant__text given = brant__json_get_text(call->input, "slug");
    brant__text slug = {NULL, 0}, name, metadata;
    const char *changes[4] = {NULL};
    size_t count = 0;
    int own = BRANT__LEVEL_NONE;
    change self;
    row now;
    brant_status status;

    BRANT__TRY(begin(&self, call, "organizations.update"));
    BRANT__TRY(brant__level_require(&own, call, &self.standing, self.id, BRANT__LEVEL_ADMIN));
    BRANT__TRY(check_kept(&self.organization, self.id));
    BRANT__TRY(brant__input_label(&name, call));
    BRANT__TRY(brant__input_metadata(&metadata, call));
    if (given.data) BRANT__TRY(brant__slug_normalize(&slug, call->arena, given));
    BRANT__TRY(read_row(&now, call, self.id));
    set(&now.slug, slug, "slug", changes, &count);
    set(&now.name, name, "name", changes, &count);
    set(&now.metadata, metadata, "metadata", changes, &count);
    if (count > 0) {
        BRANT__TRY(check_slug(call->db, now.slug, self.id));
        BRANT__TRY(write_row(call->db, &now));
        BRANT__TRY(tell(&self, "org:updated", changes, (brant__text){NULL, 0}));
    }
    status = answer(call, self.id);
cleanup:
    return status;
}

/* Set one column of the row. */
static brant_status set_column(brant_db *db, size_t index, brant__text value, brant__text id) {
    brant__statement *statement = NULL;
    const brant_status status = get(&statement, db, index);

    if (status != BRANT_OK) return status;
    brant__bind_text(statement, 1, value);
    brant__bind_integer(statement, 2, brant__db_now(db));
    brant__bind_text(statement, 3, id);
    return brant__run(db, statement);
}

/* Who gets it must be able to use it. */
static brant_status check_heir(brant__member *out, const change *self, brant__text to) {
    brant__account account;
    brant_status status = brant__account_find(&account, self->call->db, NULL, to);

    if (status != BRANT_OK) return status;
    if (!account.found) return brant__account_missing(to);
    status = brant__member_find(out, self->call->db, self->id, to);
    if (status != BRANT_OK) return status;
    if (out->found && out->active && account.active) return BRANT_OK;
    return brant__fail(BRANT_CONFLICT, "account %.*s is no active member of the organization",
                       (int)to.length, to.data);
}

brant_status brant__organizations_transfer(brant__call *call) {
    static const char *const changes[] = {"owner_id", NULL};
    const brant__text to = brant__json_get_text(call->input, "to");
    int own = BRANT__LEVEL_NONE;
    brant__member heir;
    change self;
    brant_status status;

    BRANT__TRY(begin(&self, call, "organizations.transfer"));
    BRANT__TRY(brant__level_require(&own, call, &self.standing, self.id, BRANT__LEVEL_OWNER));
    BRANT__TRY(check_kept(&self.organization, self.id));
    BRANT__TRY(check_heir(&heir, &self, to));
    if (heir.level != BRANT__LEVEL_OWNER) {
        BRANT__TRY(brant__session_require(call->db, brant__scopes_of_level(BRANT__LEVEL_OWNER)));
        BRANT__TRY(brant__member_set_level(call, self.id, to, BRANT__LEVEL_OWNER));
    }
    if (!brant__text_equal(self.organization.owner_id, to)) {
        BRANT__TRY(set_column(call->db, SET_OWNER, to, self.id));
        BRANT__TRY(tell(&self, "org:updated", changes, to));
    }
    status = answer(call, self.id);
cleanup:
    return status;
}

static brant_status set_status(const change *self, const char *text) {
    static const char *const changes[] = {"status", NULL};
    brant_status status;

    BRANT__TRY(set_column(self->call->db, SET_STATUS, brant__text_string(text), self->id));
    status = tell(self, "org:updated", changes, (brant__text){NULL, 0});
cleanup:
    return status;
}

brant_status brant__organizations_suspend(brant__call *call) {
    change self;
    brant_status status;

    BRANT__TRY(begin(&self, call, "organizations.suspend"));
    BRANT__TRY(check_owner(&self, true));
    BRANT__TRY(check_kept(&self.organization, self.id));
    if (self.organization.status == BRANT__ORGANIZATION_ACTIVE)
        BRANT__TRY(set_status(&self, "suspended"));
    status = answer(call, self.id);
cleanup:
    return status;
}

brant_status brant__organizations_resume(brant__call *call) {
    change self;
    brant_status status;

    BRANT__TRY(begin(&self, call, "organizations.resume"));
    BRANT__TRY(check_owner(&self, true));
    BRANT__TRY(check_kept(&self.organization, self.id));
    if (self.organization.status == BRANT__ORGANIZATION_SUSPENDED) {
        /* While it was suspended its owners may have gone out of use. */
        BRANT__TRY(brant__owner_remains(call->db, self.id, BRANT__TEXT("")));
        BRANT__TRY(set_status(&self, "active"));
        /* Nobody reached its tenant meanwhile. */
        brant__hub_changed(call->db, self.id, (brant__text){NULL, 0});
    }
    status = answer(call, self.id);
cleanup:
    return status;
}

/* ---- deleting ----------------------------------------------------------------------------------------------------------------- */

static brant_status delete_rows(brant_db *db, size_t index, brant__text id) {
    brant__statement *statement = NULL;
    const brant_status status = get(&statement, db, index);

    if (status != BRANT_OK) return status;
    brant__bind_text(statement, 1, id);
    return brant__run(db, statement);
}

brant_status brant__organization_remove(brant__call *call, brant__text id) {
    brant__facts facts = {0};
    brant__text payload;
    int64_t members = 0;
    brant_status status;

    BRANT__TRY(brant__members_delete(&members, call, id, (brant__text){NULL, 0}));
    for (size_t i = DELETE_INVITATIONS; i <= DELETE; i++)
        BRANT__TRY(delete_rows(call->db, i, id));
    BRANT__TRY(brant__id_note_deleted(call->db, id));
    brant__facts_begin(&facts);
    brant__facts_text(&facts, "org_id", id);
    BRANT__TRY(brant__facts_end(&payload, &facts));
    status = brant__notify(NULL, call->db, BRANT__TEXT("org:deleted"), payload);
cleanup:
    brant__facts_free(&facts);
    return status;
}

brant_status brant__organizations_delete(brant__call *call) {
    change self;
    brant_status status;

    BRANT__TRY(begin(&self, call, "organizations.delete"));
    BRANT__TRY(check_owner(&self, false));
    if (brant__db_role(call->db) == BRANT__ROLE_SYSTEM) {
        if (self.organization.status != BRANT__ORGANIZATION_DELETING)
            BRANT__TRY(set_status(&self, "deleting"));
        return answer(call, self.id);
    }
    /* What is answered, and by what brant__access_derive knows that its groups go. */
    BRANT__TRY(set_column(call->db, SET_STATUS, BRANT__TEXT("deleted"), self.id));
    BRANT__TRY(answer(call, self.id));
    BRANT__TRY(tell(&self, NULL, NULL, (brant__text){NULL, 0}));
    status = brant__organization_remove(call, self.id);
cleanup:
    return status;
}
