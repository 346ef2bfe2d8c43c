/*
 * access/hold.c: what somebody holds, as the graph stands before they write to it (hold.h).
 */
#include "access/hold.h"

#include "access/access.h"
#include "identity/input.h"

/* As evaluation bounds them: what is deeper grants nothing, so that nothing of it needs to be held. */
#define DELEGATIONS 16

enum { ACCOUNT, STATEMENT_COUNT };
static const char *const sql[STATEMENT_COUNT] = {
    [ACCOUNT] = "SELECT access_level FROM brant_accounts WHERE id = :id AND status = 'active'",
};
static const brant__statements statements = {BRANT__TABLE_ACCESS_HOLD, STATEMENT_COUNT, sql};

bool brant__access_judged(const brant__access_edit *edit) {
    return brant__db_session(edit->call->db) ||
           !brant__text_equal(edit->actor.type, BRANT__TEXT("system"));
}

brant_status brant__access_actor_key(brant__text *out, const brant__access_edit *edit) {
    const brant__session *session = brant__db_session(edit->call->db);

    *out = (brant__text){NULL, 0};
    if (session && session->principal.data) {
        *out = session->principal;
        return BRANT_OK;
    }
    if (!edit->actor.id.data) return BRANT_OK;
    return brant__resource_of(out, edit->call->arena, "account", edit->actor.id);
}

/* What the account holds by itself in this file. */
static brant_status account_covers(bool *out, const brant__access_edit *edit, brant__text scope) {
    brant__statement *statement = NULL;
    bool row;
    brant_status status;

    *out = false;
    BRANT__TRY(brant__statement_get(&statement, edit->call->db, &statements, ACCOUNT));
    brant__bind_text(statement, 1, edit->actor.id);
    BRANT__TRY(brant__step(&row, edit->call->db, statement));
    if (row)
        *out =
            brant__scopes_cover(brant__scopes_of_access(brant__column_text(statement, 0)), scope);
cleanup:
    brant__reset(statement);
    return status;
}

/* What the session may not itself, nor one in which it was opened. */
static brant_status session_holds(bool *out, const brant__access_edit *edit,
                                  const brant__session *session, brant__text scope,
                                  brant__text resource) {
    const brant__text graph = edit->graph.name;
    bool denied = false;
    brant_status status = BRANT_OK;

    *out = brant__scopes_cover(session->within, scope) &&
           !brant__scopes_overlap(session->denies, scope);
    if (!*out) return BRANT_OK;
    *out = brant__scopes_cover(session->scopes, scope);
    if (!session->principal.data) return BRANT_OK;
    if (!*out)
        return brant__access_right(out, edit->call, graph, session->principal, scope, resource);
    status = brant__access_denied(&denied, edit->call, graph, session->principal, scope, resource);
    *out = !denied;
    return status;
}

static brant_status holds(bool *out, const brant__access_edit *edit, brant__text scope,
                          brant__text resource) {
    const brant__session *session = brant__db_session(edit->call->db);
    brant__text key;
    brant_status status = BRANT_OK;

    *out = !brant__access_judged(edit);
    if (*out) return BRANT_OK;
    if (session) {
        *out = true;
        for (; session && *out && status == BRANT_OK; session = session->outer)
            status = session_holds(out, edit, session, scope, resource);
        return status;
    }
    if (!edit->actor.id.data) return BRANT_OK;
    status = account_covers(out, edit, scope);
    if (status != BRANT_OK || *out) return status;
    status = brant__access_actor_key(&key, edit);
    if (status != BRANT_OK) return status;
    return brant__access_right(out, edit->call, edit->graph.name, key, scope, resource);
}

/* Does the actor administer the graph? */
static brant_status administers(bool *out, const brant__access_edit *edit) {
    brant__text resource;
    const brant_status status =
        brant__resource_of(&resource, edit->call->arena, "graph", edit->graph.name);

    if (status != BRANT_OK) return status;
    return holds(out, edit, BRANT__TEXT("access:admin"), resource);
}

brant_status brant__access_require_admin(const brant__access_edit *edit) {
    bool may = false;
    const brant_status status = administers(&may, edit);

    if (status != BRANT_OK || may) return status;
    return brant__fail(BRANT_DENIED, "only who has access:admin on the access graph may do that");
}

static brant_status refuse(const brant__access_edit *edit, brant__text scope,
                           brant__text resource) {
    brant__writer detail = {0};
    brant_status status;

    brant__write_object(&detail);
    brant__write_text_member(&detail, "scope", scope);
    brant__write_text_member(&detail, "resource", resource);
    brant__write_end(&detail);
    status = detail.buffer.failed
                 ? brant__fail_memory()
                 : brant__fail_detail(
                       BRANT_DENIED, brant__text_of(detail.buffer.data, detail.buffer.length),
                       "nobody gives what they do not hold: %s on %s",
                       brant__quoted(edit->call, scope), brant__quoted(edit->call, resource));
    brant__buffer_free(&detail.buffer);
    return status;
}

brant_status brant__access_require(const brant__access_edit *edit, const brant__scopes *scopes,
                                   brant__text resource, int what) {
    bool held = !brant__access_judged(edit);
    brant_status status = BRANT_OK;

    if (held) return BRANT_OK;
    for (size_t i = 0; i < scopes->count; i++) {
        BRANT__TRY(holds(&held, edit, scopes->items[i], resource));
        if (held) continue;
        if (what == BRANT__NARROWING) BRANT__TRY(administers(&held, edit));
        return held ? BRANT_OK : refuse(edit, scopes->items[i], resource);
    }
cleanup:
    return status;
}

static bool lets(const brant__session *session, brant__text scope) {
    for (; session; session = session->outer)
        if (!brant__scopes_cover(session->within, scope) ||
            brant__scopes_overlap(session->denies, scope) ||
            !(session->principal.data || brant__scopes_cover(session->scopes, scope)))
            return false;
    return true;
}

brant_status brant__access_require_let(const brant__access_edit *edit,
                                       const brant__scopes *scopes) {
    for (size_t i = 0; i < scopes->count; i++)
        if (!lets(brant__db_session(edit->call->db), scopes->items[i]))
            return refuse(edit, scopes->items[i], BRANT__ANYWHERE);
    return BRANT_OK;
}

brant_status brant__access_require_all(const brant__access_edit *edit,
                                       const brant__access_list *list, brant__text resource,
                                       int what) {
    brant_status status = BRANT_OK;

    for (size_t i = 0; i < list->count && status == BRANT_OK; i++)
        status = brant__access_require(edit, &list->items[i].scopes,
                                       resource.data ? resource : list->items[i].resource, what);
    return status;
}

/* ---- what hangs on a node -------------------------------------------------------------------------------- */

/* Nodes that were reached, by row. */
typedef struct reached {
    brant__map seen;
    int64_t *rows;
    size_t count;
    size_t room;
} reached;

static brant_status reach(reached *self, int64_t row) {
    const brant__text key = {(const char *)&row, sizeof(row)};
    int64_t *rows, seen;

    if (brant__map_get(&self->seen, key, &seen)) return BRANT_OK;
    rows = brant__grow(self->rows, &self->room, self->count, sizeof(*rows));
    if (!rows) return brant__fail_memory();
    self->rows = rows;
    if (!brant__map_put(&self->seen, key, 1)) return brant__fail_memory();
    rows[self->count++] = row;
    return BRANT_OK;
}

static void reached_free(reached *self) {
    brant__map_free(&self->seen);
    brant__free(self->rows);
}

/* The other ends of the live edges of a type at a node. */
static brant_status spread(reached *self, const brant__access_edit *edit, int64_t row,
                           const char *type, int direction) {
    brant__statement *statement = NULL;
    brant__access_entity other;
    brant__access_link edge;
    bool found;
    brant_status status;

    BRANT__TRY(brant__access_links(&statement, edit, row, type, direction));
    for (;;) {
        BRANT__TRY(brant__access_link_next(&found, &edge, &other, edit, statement));
        if (!found) break;
        if (brant__access_live(&edge, edit->now)) BRANT__TRY(reach(self, other.row_id));
    }
cleanup:
    brant__reset(statement);
    return status;
}

void brant__access_list_free(brant__access_list *list) {
    brant__free(list->items);
    *list = (brant__access_list){NULL, 0, 0};
}

static brant_status add_terms(brant__access_list *out, const brant__access_edit *edit, int64_t row,
                              const char *type, int direction) {
    brant__statement *statement = NULL;
    brant__access_entity other;
    brant__access_link edge;
    bool found;
    brant_status status;

    BRANT__TRY(brant__access_links(&statement, edit, row, type, direction));
    for (;;) {
        brant__access_given *items;
        BRANT__TRY(brant__access_link_next(&found, &edge, &other, edit, statement));
        if (!found) break;
        if (!brant__access_live(&edge, edit->now)) continue;
        items = brant__grow(out->items, &out->room, out->count, sizeof(*items));
        if (!items) {
            status = brant__fail_memory();
            goto cleanup;
        }
        out->items = items;
        items[out->count++] = (brant__access_given){edge.scopes, other.key};
    }
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status reach_subject(reached *self, const brant__access_edit *edit, int64_t subject) {
    brant_status status;

    BRANT__TRY(reach(self, subject));
    for (size_t i = 0; i < self->count; i++) {
        BRANT__TRY(brant__db_poll(edit->call->db));
        BRANT__TRY(spread(self, edit, self->rows[i], "BelongsTo", BRANT__ACCESS_OUT));
        BRANT__TRY(spread(self, edit, self->rows[i], "HasRole", BRANT__ACCESS_OUT));
    }
cleanup:
    return status;
}

brant_status brant__access_of_subject(brant__access_list *out, const brant__access_edit *edit,
                                      int64_t subject, const char *type) {
    reached self = {0};
    brant_status status;

    BRANT__TRY(reach_subject(&self, edit, subject));
    for (size_t i = 0; i < self.count; i++)
        BRANT__TRY(add_terms(out, edit, self.rows[i], type, BRANT__ACCESS_OUT));
cleanup:
    reached_free(&self);
    return status;
}

brant_status brant__access_on_resource(brant__access_list *out, const brant__access_edit *edit,
                                       int64_t resource, const char *type) {
    reached self = {0};
    brant_status status;

    BRANT__TRY(reach(&self, resource));
    for (size_t i = 0; i < self.count; i++) {
        BRANT__TRY(brant__db_poll(edit->call->db));
        BRANT__TRY(spread(&self, edit, self.rows[i], "Parent", BRANT__ACCESS_OUT));
        BRANT__TRY(add_terms(out, edit, self.rows[i], type, BRANT__ACCESS_IN));
    }
cleanup:
    reached_free(&self);
    return status;
}

/* ---- holding anything ------------------------------------------------------------------------------------- */

/* Is there something that this one was given with a scope, on which the subject has the right to it? */
static brant_status has_any(bool *out, const brant__access_edit *edit,
                            const brant__access_entity *subject, int64_t giver, brant__text scope) {
    reached self = {0};
    brant__statement *statement = NULL;
    brant__access_entity resource;
    brant__access_link edge;
    bool found;
    brant_status status;

    *out = false;
    BRANT__TRY(reach_subject(&self, edit, giver));
    for (size_t i = 0; i < self.count; i++) {
        BRANT__TRY(
            brant__access_links(&statement, edit, self.rows[i], "Grants", BRANT__ACCESS_OUT));
        for (;;) {
            BRANT__TRY(brant__access_link_next(&found, &edge, &resource, edit, statement));
            if (!found) break;
            if (!brant__access_live(&edge, edit->now) || !brant__scopes_cover(&edge.scopes, scope))
                continue;
            BRANT__TRY(brant__access_right(out, edit->call, edit->graph.name, subject->key, scope,
                                           resource.key));
            if (*out) goto cleanup;
        }
        brant__reset(statement);
        statement = NULL;
    }
cleanup:
    brant__reset(statement);
    reached_free(&self);
    return status;
}

brant_status brant__access_holds_somewhere(bool *out, const brant__access_edit *edit,
                                           const brant__access_entity *subject, brant__text scope) {
    reached self = {0};
    size_t end;
    brant_status status;

    *out = false;
    BRANT__TRY(reach(&self, subject->row_id));
    for (size_t i = 0, depth = 0; depth <= DELEGATIONS && i < self.count; depth++) {
        for (end = self.count; i < end; i++) {
            BRANT__TRY(brant__db_poll(edit->call->db));
            BRANT__TRY(has_any(out, edit, subject, self.rows[i], scope));
            if (*out) goto cleanup;
            BRANT__TRY(spread(&self, edit, self.rows[i], "Delegates", BRANT__ACCESS_IN));
        }
    }
cleanup:
    reached_free(&self);
    return status;
}
