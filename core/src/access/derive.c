/*
 * access/derive.c: membership in an access graph (derive.h), and access.sync, which makes it anew.
 */
#include "access/derive.h"

#include "access/standing.h"
#include "access/write.h"
#include "identity/input.h"
#include "identity/level.h"
#include "identity/membership.h"

#define ORG            "org:"
#define PRINCIPAL      "account:"
#define ACCOUNT_LENGTH (sizeof(PRINCIPAL) - 1)
#define NONE           BRANT__LEVEL_NONE

enum { MEMBER, MEMBERS, ORGANIZATIONS_OF, ORGANIZATIONS, ORGANIZATION, ACCOUNT, STATEMENT_COUNT };
static const char *const sql[STATEMENT_COUNT] = {
    [MEMBER] = "SELECT level FROM brant_members WHERE org_id = :org AND account_id = :account AND "
               "status = 'active'",
    [MEMBERS] = "SELECT account_id, level FROM brant_members WHERE org_id = :org AND status = "
                "'active' ORDER BY account_id",
    [ORGANIZATIONS_OF] =
        "SELECT org_id FROM brant_members WHERE account_id = :account ORDER BY org_id",
    [ORGANIZATIONS] = "SELECT id FROM brant_organizations ORDER BY id",
    [ORGANIZATION] = "SELECT 1 FROM brant_organizations WHERE id = :org AND status <> 'deleted'",
    [ACCOUNT] = "SELECT access_level FROM brant_accounts WHERE id = :account",
};
static const brant__statements statements = {BRANT__TABLE_ACCESS_DERIVE, STATEMENT_COUNT, sql};

typedef struct sync {
    brant__access_edit edit;
    brant__text org;
    bool tables; /* this file has the accounts */
    int64_t added;
    int64_t removed;
    int64_t changed;
} sync;

static brant_status get(brant__statement **out, const sync *self, int which) {
    return brant__statement_get(out, self->edit.call->db, &statements, (size_t)which);
}

/* The groups of an organisation by level, at NONE its own; each is in the one before it. */
typedef struct groups {
    brant__access_entity of[BRANT__LEVEL_OWNER + 1];
} groups;

bool brant__access_derived_key(brant__text key) {
    return key.length >= sizeof(ORG) - 1 && memcmp(key.data, ORG, sizeof(ORG) - 1) == 0;
}

static brant_status principal_key(brant__text *out, const sync *self, brant__text account) {
    return brant__resource_of(out, self->edit.call->arena, "account", account);
}

static brant_status group_key(brant__text *out, const sync *self, int level) {
    const brant__text name = brant__level_name(level);
    brant__buffer text = {0};
    brant_status status;

    brant__buffer_append(&text, ORG, sizeof(ORG) - 1);
    brant__buffer_append(&text, self->org.data, self->org.length);
    if (name.data) {
        brant__buffer_append_byte(&text, ':');
        brant__buffer_append(&text, name.data, name.length);
    }
    status = text.failed ? brant__fail_memory()
                         : brant__arena_text(out, self->edit.call->arena,
                                             brant__text_of(text.data, text.length));
    brant__buffer_free(&text);
    return status;
}

/* The organisation of a group's key and, as they are derived, its level; NONE: of no level. */
static bool parse_key(brant__text *out_org, int *out_level, brant__text key) {
    if (!brant__access_derived_key(key)) return false;
    if (brant__access_derived_group(out_org, out_level, key)) return true;
    *out_org = brant__text_of(key.data + sizeof(ORG) - 1, key.length - (sizeof(ORG) - 1));
    *out_level = NONE;
    return true;
}

/* ---- groups --------------------------------------------------------------------------------------------------- */

static brant_status put_group(brant__access_entity *out, sync *self, int level) {
    brant__writer attributes = {0};
    brant__text key;
    brant_status status;

    BRANT__TRY(group_key(&key, self, level));
    BRANT__TRY(brant__access_entity_find(out, &self->edit, key));
    if (out->row_id) goto cleanup;
    brant__write_object(&attributes);
    brant__write_text_member(&attributes, "org_id", self->org);
    if (level != NONE) brant__write_text_member(&attributes, "level", brant__level_name(level));
    brant__write_end(&attributes);
    status = attributes.buffer.failed
                 ? brant__fail_memory()
                 : brant__access_entity_put(
                       out, &self->edit, key, "Group",
                       brant__text_of(attributes.buffer.data, attributes.buffer.length));
cleanup:
    brant__buffer_free(&attributes.buffer);
    return status;
}

/* A derived edge, which is there, or is made. */
static brant_status put_link(sync *self, const brant__access_entity *source, const char *type,
                             const brant__access_entity *target, brant__text level) {
    brant__access_link link;
    brant_status status;

    BRANT__TRY(brant__access_link_find(&link, &self->edit, source, type, target));
    if (link.row_id && link.derived && link.expires_at == BRANT__NEVER &&
        brant__text_equal(link.level, level))
        goto cleanup;
    link = BRANT__ACCESS_LINK_NONE;
    link.derived = true;
    link.level = level;
    status = brant__access_link_put(&link, &self->edit, source, type, target);
cleanup:
    return status;
}

/* With the roles of the levels. */
static brant_status put_groups(groups *out, sync *self) {
    const brant__text none = {NULL, 0};
    brant__access_entity role;
    brant__text key;
    brant_status status;

    BRANT__TRY(put_group(&out->of[NONE], self, NONE));
    for (int level = BRANT__LEVEL_VIEWER; level <= BRANT__LEVEL_OWNER; level++) {
        brant__access_entity *group = &out->of[level];
        BRANT__TRY(put_group(group, self, level));
        BRANT__TRY(put_link(self, group, "BelongsTo", &out->of[level - 1], none));
        BRANT__TRY(
            brant__resource_of(&key, self->edit.call->arena, "role", brant__level_name(level)));
        BRANT__TRY(brant__access_entity_find(&role, &self->edit, key));
        if (brant__access_is(&role, "Role"))
            BRANT__TRY(put_link(self, group, "HasRole", &role, none));
    }
cleanup:
    return status;
}

/* An organisation that is no more leaves no groups. */
static brant_status remove_groups(sync *self) {
    brant__access_entity group;
    brant__text key;
    int64_t edges;
    brant_status status = BRANT_OK;

    for (int level = NONE; level <= BRANT__LEVEL_OWNER; level++) {
        BRANT__TRY(group_key(&key, self, level));
        BRANT__TRY(brant__access_entity_find(&group, &self->edit, key));
        if (!group.row_id) continue;
        BRANT__TRY(brant__access_entity_remove(&edges, &self->edit, &group));
        self->removed++;
    }
cleanup:
    return status;
}

/* ---- members ----------------------------------------------------------------------------------------------------- */

/* The principal of an account, which is made where it is missing. */
static brant_status put_principal(brant__access_entity *out, sync *self, brant__text account) {
    brant__writer attributes = {0};
    brant__statement *statement = NULL;
    brant__text key, kind = BRANT__TEXT("account");
    bool row;
    brant_status status;

    BRANT__TRY(principal_key(&key, self, account));
    BRANT__TRY(brant__access_entity_find(out, &self->edit, key));
    if (out->row_id) goto cleanup;
    if (self->tables) {
        BRANT__TRY(get(&statement, self, ACCOUNT));
        brant__bind_text(statement, 1, account);
        BRANT__TRY(brant__step(&row, self->edit.call->db, statement));
        if (row && brant__text_equal(brant__column_text(statement, 0), BRANT__TEXT("service")))
            kind = BRANT__TEXT("service");
        brant__reset(statement);
        statement = NULL;
    }
    brant__write_object(&attributes);
    brant__write_text_member(&attributes, "kind", kind);
    brant__write_text_member(&attributes, "account_id", account);
    brant__write_end(&attributes);
    status = attributes.buffer.failed
                 ? brant__fail_memory()
                 : brant__access_entity_put(
                       out, &self->edit, key, "Principal",
                       brant__text_of(attributes.buffer.data, attributes.buffer.length));
cleanup:
    brant__reset(statement);
    brant__buffer_free(&attributes.buffer);
    return status;
}

/* Have an account be in the group of its level, which is NONE where it is no member, and in no other of the organisation. */
static brant_status place(sync *self, const groups *in, brant__text account, int level) {
    brant__access_entity principal;
    brant__access_arc *arcs;
    brant__text key, org;
    size_t count, stale = 0;
    int64_t *rows;
    int of;
    bool there = false;
    brant_status status;

    BRANT__TRY(principal_key(&key, self, account));
    if (level != NONE)
        BRANT__TRY(put_principal(&principal, self, account));
    else
        BRANT__TRY(brant__access_entity_find(&principal, &self->edit, key));
    if (!principal.row_id) goto cleanup;
    BRANT__TRY(brant__access_arcs(&arcs, &count, &self->edit, principal.row_id, "BelongsTo",
                                  BRANT__ACCESS_OUT));
    rows = brant__arena_alloc(self->edit.call->arena, (count + 1) * sizeof(*rows));
    if (!rows) {
        status = brant__fail_memory();
        goto cleanup;
    }
    for (size_t i = 0; i < count; i++) {
        if (!parse_key(&org, &of, arcs[i].other.key) || !brant__text_equal(org, self->org))
            continue;
        if (of == level && level != NONE && arcs[i].link.derived &&
            brant__level_of(arcs[i].link.level) == level)
            there = true;
        else if (of == level && level != NONE)
            continue; /* put_link makes it well */
        else
            rows[stale++] = arcs[i].link.row_id;
    }
    BRANT__TRY(brant__access_links_remove(&self->edit, rows, stale));
    if (level != NONE && !there)
        BRANT__TRY(
            put_link(self, &principal, "BelongsTo", &in->of[level], brant__level_name(level)));
    if (level == NONE)
        self->removed += stale > 0;
    else if (stale > 0)
        self->changed++;
    else
        self->added += !there;
cleanup:
    return status;
}

/* Who is to be in an organisation. */
typedef struct member {
    brant__text account;
    int level;
} member;
typedef struct member_list {
    member *items;
    size_t count;
    size_t room;
    brant__map places; /* by account */
} member_list;

/* The last one said of an account counts. */
static brant_status add_member(member_list *list, const sync *self, brant__text account,
                               brant__text level) {
    member *items;
    int64_t at;
    brant_status status;

    if (brant__map_get(&list->places, account, &at)) {
        list->items[at].level = brant__level_of(level);
        return BRANT_OK;
    }
    items = brant__grow(list->items, &list->room, list->count, sizeof(*items));
    if (!items) return brant__fail_memory();
    list->items = items;
    items[list->count].level = brant__level_of(level);
    status = brant__arena_text(&items[list->count].account, self->edit.call->arena, account);
    if (status != BRANT_OK) return status;
    if (!brant__map_put(&list->places, account, (int64_t)list->count)) return brant__fail_memory();
    list->count++;
    return BRANT_OK;
}

static brant_status read_members(member_list *out, const sync *self, yyjson_val *given) {
    brant__statement *statement = NULL;
    size_t index, count;
    yyjson_val *value;
    bool row;
    brant_status status = BRANT_OK;

    yyjson_arr_foreach(given, index, count, value) {
        const brant__text state = brant__json_get_text(value, "status");
        if (state.data && !brant__text_equal(state, BRANT__TEXT("active"))) continue;
        BRANT__TRY(add_member(out, self, brant__json_get_text(value, "account_id"),
                              brant__json_get_text(value, "level")));
    }
    if (given) goto cleanup;
    BRANT__TRY(get(&statement, self, MEMBERS));
    brant__bind_text(statement, 1, self->org);
    for (;;) {
        BRANT__TRY(brant__step(&row, self->edit.call->db, statement));
        if (!row) break;
        BRANT__TRY(add_member(out, self, brant__column_text(statement, 0),
                              brant__column_text(statement, 1)));
    }
cleanup:
    brant__reset(statement);
    return status;
}

/* Whoever is in one of the groups and not among the members goes. */
static brant_status expel(sync *self, const groups *from, const member_list *members) {
    brant__access_arc *arcs;
    size_t count;
    int64_t at;
    brant_status status = BRANT_OK;

    for (int level = BRANT__LEVEL_VIEWER; level <= BRANT__LEVEL_OWNER; level++) {
        BRANT__TRY(brant__access_arcs(&arcs, &count, &self->edit, from->of[level].row_id,
                                      "BelongsTo", BRANT__ACCESS_IN));
        for (size_t j = 0; j < count; j++) {
            const brant__text key = arcs[j].other.key;
            if (!brant__access_is(&arcs[j].other, "Principal")) continue;
            if (key.length > ACCOUNT_LENGTH && memcmp(key.data, PRINCIPAL, ACCOUNT_LENGTH) == 0 &&
                brant__map_get(
                    &members->places,
                    brant__text_of(key.data + ACCOUNT_LENGTH, key.length - ACCOUNT_LENGTH), &at))
                continue;
            BRANT__TRY(brant__access_links_remove(&self->edit, &arcs[j].link.row_id, 1));
            self->removed++;
        }
    }
cleanup:
    return status;
}

/* `given` NULL: as the tables say. */
static brant_status sync_organization(sync *self, yyjson_val *given) {
    groups of;
    member_list members = {0};
    brant_status status;

    BRANT__TRY(read_members(&members, self, given));
    BRANT__TRY(put_groups(&of, self));
    BRANT__TRY(expel(self, &of, &members));
    for (size_t i = 0; i < members.count; i++) {
        BRANT__TRY(brant__db_poll(self->edit.call->db));
        BRANT__TRY(place(self, &of, members.items[i].account, members.items[i].level));
    }
cleanup:
    brant__free(members.items);
    brant__map_free(&members.places);
    return status;
}

static brant_status has_organization(bool *out, const sync *self) {
    brant__statement *statement = NULL;
    brant_status status;

    BRANT__TRY(get(&statement, self, ORGANIZATION));
    brant__bind_text(statement, 1, self->org);
    status = brant__step(out, self->edit.call->db, statement);
cleanup:
    brant__reset(statement);
    return status;
}

/* As the tables say, of the whole organisation. */
static brant_status sync_table(sync *self) {
    bool there;
    const brant_status status = has_organization(&there, self);

    if (status != BRANT_OK) return status;
    return there ? sync_organization(self, NULL) : remove_groups(self);
}

/* As the tables say, of one account. */
static brant_status sync_account(sync *self, brant__text account) {
    groups of;
    brant__statement *statement = NULL;
    int level = NONE;
    bool row;
    brant_status status;

    BRANT__TRY(get(&statement, self, MEMBER));
    brant__bind_text(statement, 1, self->org);
    brant__bind_text(statement, 2, account);
    BRANT__TRY(brant__step(&row, self->edit.call->db, statement));
    if (row) level = brant__level_of(brant__column_text(statement, 0));
    brant__reset(statement);
    statement = NULL;
    if (level != NONE) BRANT__TRY(put_groups(&of, self));
    status = place(self, &of, account, level);
cleanup:
    brant__reset(statement);
    return status;
}

/* ---- organisations ------------------------------------------------------------------------------------------------ */

/* Each once, in the order in which they were found. */
typedef struct name_list {
    brant__text *items;
    size_t count;
    size_t room;
    brant__map seen;
} name_list;

static brant_status add_name(name_list *list, const sync *self, brant__text name) {
    brant__text *items;
    int64_t seen;
    brant_status status;

    if (brant__map_get(&list->seen, name, &seen)) return BRANT_OK;
    items = brant__grow(list->items, &list->room, list->count, sizeof(*items));
    if (!items) return brant__fail_memory();
    list->items = items;
    status = brant__arena_text(&items[list->count], self->edit.call->arena, name);
    if (status != BRANT_OK) return status;
    if (!brant__map_put(&list->seen, name, 1)) return brant__fail_memory();
    list->count++;
    return BRANT_OK;
}

static void name_list_free(name_list *list) {
    brant__free(list->items);
    brant__map_free(&list->seen);
}

static brant_status add_rows(name_list *out, const sync *self, int which, brant__text account) {
    brant__statement *statement = NULL;
    bool row;
    brant_status status;

    BRANT__TRY(get(&statement, self, which));
    if (account.data) brant__bind_text(statement, 1, account);
    for (;;) {
        BRANT__TRY(brant__step(&row, self->edit.call->db, statement));
        if (!row) break;
        BRANT__TRY(add_name(out, self, brant__column_text(statement, 0)));
    }
cleanup:
    brant__reset(statement);
    return status;
}

/* Those of the tables, and those that the graph still has. */
static brant_status list_all(name_list *out, const sync *self) {
    brant__statement *statement = NULL;
    brant__access_entity group;
    brant__text org;
    int level;
    bool found;
    brant_status status;

    BRANT__TRY(add_rows(out, self, ORGANIZATIONS, (brant__text){NULL, 0}));
    BRANT__TRY(brant__access_entities_from(&statement, &self->edit, BRANT__TEXT(ORG)));
    for (;;) {
        BRANT__TRY(brant__access_entity_next(&found, &group, &self->edit, statement));
        if (!found) break;
        if (parse_key(&org, &level, group.key)) BRANT__TRY(add_name(out, self, org));
    }
cleanup:
    brant__reset(statement);
    return status;
}

/* Those that an account is a member of, and those in whose groups it is. */
static brant_status list_of_account(name_list *out, const sync *self, brant__text account) {
    brant__access_entity principal;
    brant__access_arc *arcs;
    brant__text key, org;
    size_t count;
    int level;
    brant_status status;

    BRANT__TRY(add_rows(out, self, ORGANIZATIONS_OF, account));
    BRANT__TRY(principal_key(&key, self, account));
    BRANT__TRY(brant__access_entity_find(&principal, &self->edit, key));
    if (!principal.row_id) goto cleanup;
    BRANT__TRY(brant__access_arcs(&arcs, &count, &self->edit, principal.row_id, "BelongsTo",
                                  BRANT__ACCESS_OUT));
    for (size_t i = 0; i < count; i++)
        if (parse_key(&org, &level, arcs[i].other.key)) BRANT__TRY(add_name(out, self, org));
cleanup:
    return status;
}

/* As the hub of a tenant's file says, of one account or, {NULL, 0}, of all. */
static brant_status sync_hub(sync *self, brant__text account) {
    brant__json members = {0};
    groups of;
    int level;
    brant_status status;

    BRANT__TRY(brant__hub_members(&members, self->edit.call->db, account));
    if (!account.data) {
        status = sync_organization(self, members.root);
        goto cleanup;
    }
    level = brant__level_of(brant__json_get_text(yyjson_arr_get_first(members.root), "level"));
    if (level != NONE) BRANT__TRY(put_groups(&of, self));
    status = place(self, &of, account, level);
cleanup:
    brant__json_free(&members);
    return status;
}

brant_status brant__access_derive(brant__derived *out, brant__call *call, brant__text org_id,
                                  brant__text account_id) {
    sync self = {.org = org_id, .tables = brant__db_role(call->db) != BRANT__ROLE_TENANT};
    name_list list = {0};
    bool found;
    brant_status status;

    BRANT__TRY(brant__access_begin_at(&found, &self.edit, call, BRANT__ACCESS_GRAPH));
    if (!found) goto cleanup;
    if (!self.tables) {
        self.org = brant__hub_organization(call->db);
        if (self.org.data) status = sync_hub(&self, account_id);
        goto cleanup;
    }
    if (org_id.data) {
        status = account_id.data ? sync_account(&self, account_id) : sync_table(&self);
        goto cleanup;
    }
    BRANT__TRY(list_of_account(&list, &self, account_id));
    for (size_t i = 0; i < list.count; i++) {
        self.org = list.items[i];
        BRANT__TRY(sync_account(&self, account_id));
    }
cleanup:
    if (out && status == BRANT_OK)
        *out = (brant__derived){found, self.added, self.removed, self.changed};
    name_list_free(&list);
    return status;
}

/* ---- access.sync --------------------------------------------------------------------------------------------------- */

static brant_status check_input(const sync *self, yyjson_val *members) {
    if (self->tables && members)
        return brant__fail(BRANT_INVALID, "/members: this file has its own, which count");
    if (!self->tables && (!members || !self->org.data))
        return brant__fail(BRANT_INVALID, "a tenant's file needs org_id and members");
    return BRANT_OK;
}

brant_status brant__access_sync(brant__call *call) {
    yyjson_val *members = brant__json_get(call->input, "members");
    sync self = {.org = brant__json_get_text(call->input, "org_id"),
                 .tables = brant__db_role(call->db) != BRANT__ROLE_TENANT};
    brant__writer detail = {0};
    name_list list = {0};
    brant_status status;

    BRANT__TRY(check_input(&self, members));
    BRANT__TRY(brant__access_begin(&self.edit, call));
    if (!self.tables) {
        BRANT__TRY(sync_organization(&self, members));
    } else if (self.org.data) {
        BRANT__TRY(sync_table(&self));
    } else {
        BRANT__TRY(list_all(&list, &self));
        for (size_t i = 0; i < list.count; i++) {
            self.org = list.items[i];
            BRANT__TRY(sync_table(&self));
        }
        self.org = (brant__text){NULL, 0};
    }
    brant__write_object(&detail);
    brant__access_detail(&detail, &self.edit, NULL, BRANT__NEVER);
    brant__write_integer_member(&detail, "added", self.added);
    brant__write_integer_member(&detail, "removed", self.removed);
    brant__write_integer_member(&detail, "changed", self.changed);
    BRANT__TRY(
        brant__access_audit(&self.edit, "access.sync", self.org, (brant__text){NULL, 0}, &detail));
    brant__write_object(call->out);
    brant__write_integer_member(call->out, "added", self.added);
    brant__write_integer_member(call->out, "removed", self.removed);
    brant__write_integer_member(call->out, "changed", self.changed);
    brant__access_revision(&self.edit);
    brant__write_end(call->out);
cleanup:
    name_list_free(&list);
    brant__buffer_free(&detail.buffer);
    return status;
}
