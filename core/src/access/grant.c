/*
 * access/grant.c: giving and denying scopes, assigning roles and groups, taking it all back: access.grant, .deny, .assign, .revoke.
 *
 * A pair of nodes has one edge of a type. What access.seed gave is kept apart from what was given at run time (metadata.seeded), since each goes without the other.
 */
#include "access/grant.h"

#include "access/hold.h"

static bool contains(const brant__scopes *scopes, brant__text scope) {
    for (size_t i = 0; i < scopes->count; i++)
        if (brant__text_equal(scopes->items[i], scope)) return true;
    return false;
}

brant_status brant__access_runtime(brant__scopes *out, brant__arena *arena,
                                   const brant__access_link *edge) {
    out->count = 0;
    out->items = brant__arena_alloc(arena, (edge->scopes.count + 1) * sizeof(*out->items));
    if (!out->items) return brant__fail_memory();
    for (size_t i = 0; i < edge->scopes.count; i++)
        if (!contains(&edge->seeded, edge->scopes.items[i]))
            out->items[out->count++] = edge->scopes.items[i];
    return BRANT_OK;
}

brant_status brant__access_combine(brant__access_link *edge, brant__arena *arena,
                                   const brant__scopes *runtime, const brant__scopes *seeded) {
    const brant__scopes given = *seeded; /* it may be the edge's own */
    const size_t room = runtime->count + given.count + 1;
    brant__text *scopes = brant__arena_alloc(arena, room * sizeof(*scopes));
    brant__text *own = brant__arena_alloc(arena, room * sizeof(*own));

    if (!scopes || !own) return brant__fail_memory();
    edge->scopes = (brant__scopes){scopes, 0};
    edge->seeded = (brant__scopes){own, 0};
    for (size_t i = 0; i < runtime->count; i++)
        scopes[edge->scopes.count++] = runtime->items[i];
    for (size_t i = 0; i < given.count; i++) {
        if (contains(runtime, given.items[i])) continue;
        scopes[edge->scopes.count++] = given.items[i];
        own[edge->seeded.count++] = given.items[i];
    }
    return BRANT_OK;
}

/* ---- grants and denials -------------------------------------------------------------------------------------- */

/* Add scopes to what an edge says. CONFLICT: it has others, which end at another time. */
static brant_status add_scopes(brant__access_link *edge, const brant__access_edit *edit,
                               const brant__scopes *scopes, int64_t expires_at) {
    brant__arena *arena = edit->call->arena;
    const brant__scopes none = {NULL, 0};
    const bool live = brant__access_live(edge, edit->now);
    brant__scopes runtime, united;
    brant_status status;

    if (live && edge->expires_at != expires_at && brant__scopes_uncovered(scopes, &edge->scopes))
        return brant__fail(BRANT_CONFLICT, "there is one with other scopes that ends at another "
                                           "time: revoke it first, or give its expires_at");
    BRANT__TRY(brant__access_runtime(&runtime, arena, edge));
    BRANT__TRY(brant__scopes_union(&united, arena, live ? &runtime : &none, scopes));
    status = brant__access_combine(edge, arena, &united, live ? &edge->seeded : &none);
    edge->expires_at = expires_at;
cleanup:
    return status;
}

static brant_status grant(brant__call *call, const char *type, const char *action, int what) {
    const brant__text given = brant__json_get_text(call->input, "resource");
    brant__writer detail = {0};
    brant__access_edit edit;
    brant__access_entity subject, resource;
    brant__access_link edge;
    brant__scopes scopes;
    int64_t expires_at;
    brant_status status;

    BRANT__TRY(brant__access_begin(&edit, call));
    BRANT__TRY(brant__access_scopes(&scopes, call));
    BRANT__TRY(brant__access_expiry(&expires_at, &edit));
    BRANT__TRY(
        brant__access_entity_need(&subject, &edit, brant__json_get_text(call->input, "subject")));
    BRANT__TRY(brant__access_require(&edit, &scopes, given.data ? given : BRANT__ANYWHERE, what));
    BRANT__TRY(brant__access_resource(&resource, &edit, given.data ? given : BRANT__ANYWHERE));
    BRANT__TRY(brant__access_link_find(&edge, &edit, &subject, type, &resource));
    BRANT__TRY(add_scopes(&edge, &edit, &scopes, expires_at));
    BRANT__TRY(brant__access_link_put(&edge, &edit, &subject, type, &resource));
    brant__write_object(&detail);
    brant__access_detail(&detail, &edit, &scopes, expires_at);
    brant__write_text_member(&detail, "resource", resource.key);
    BRANT__TRY(brant__access_audit(&edit, action, (brant__text){NULL, 0}, subject.key, &detail));
    status = brant__access_answer_edge(&edit, edge.row_id);
cleanup:
    brant__buffer_free(&detail.buffer);
    return status;
}

brant_status brant__access_grant(brant__call *call) {
    return grant(call, "Grants", "access.grant", BRANT__WIDENING);
}

brant_status brant__access_deny(brant__call *call) {
    return grant(call, "Denies", "access.deny", BRANT__NARROWING);
}

/* ---- roles and groups ------------------------------------------------------------------------------------------ */

static brant_status refuse_derived(void) {
    return brant__fail(BRANT_DENIED, "that is made of an organisation's members, and follows them");
}

/* A group that is made of members takes no others. */
static brant_status check_group(const brant__access_entity *group) {
    brant__json json = {0};
    brant_status status;

    BRANT__TRY(brant__json_parse(&json, group->attributes.data, group->attributes.length, 0));
    if (brant__json_get(json.root, "org_id")) status = refuse_derived();
cleanup:
    brant__json_free(&json);
    return status;
}

brant_status brant__access_assign(brant__call *call) {
    const brant__text role = brant__json_get_text(call->input, "role");
    const brant__text group = brant__json_get_text(call->input, "group");
    const char *type = role.data ? "HasRole" : "BelongsTo";
    brant__writer detail = {0};
    brant__access_list given = {0};
    brant__access_edit edit;
    brant__access_entity subject, target;
    brant__access_link edge;
    int64_t expires_at;
    brant_status status;

    if (!role.data == !group.data)
        return brant__fail(BRANT_INVALID, "one of role and group is needed, and not both");
    if (group.data && brant__json_get(call->input, "expires_at"))
        return brant__fail(BRANT_INVALID, "/expires_at: only roles are assigned for a time");
    BRANT__TRY(brant__access_begin(&edit, call));
    BRANT__TRY(brant__access_expiry(&expires_at, &edit));
    BRANT__TRY(
        brant__access_entity_need(&subject, &edit, brant__json_get_text(call->input, "subject")));
    BRANT__TRY(brant__access_entity_need(&target, &edit, role.data ? role : group));
    BRANT__TRY(brant__access_link_find(&edge, &edit, &subject, type, &target));
    if (edge.derived) {
        status = refuse_derived();
        goto cleanup;
    }
    if (group.data) BRANT__TRY(check_group(&target));
    if (brant__access_judged(&edit)) {
        BRANT__TRY(brant__access_of_subject(&given, &edit, target.row_id, "Grants"));
        BRANT__TRY(
            brant__access_require_all(&edit, &given, (brant__text){NULL, 0}, BRANT__WIDENING));
        brant__access_list_free(&given);
        BRANT__TRY(brant__access_of_subject(&given, &edit, target.row_id, "Denies"));
        BRANT__TRY(
            brant__access_require_all(&edit, &given, (brant__text){NULL, 0}, BRANT__NARROWING));
    }
    edge.expires_at = expires_at;
    BRANT__TRY(brant__access_link_put(&edge, &edit, &subject, type, &target));
    brant__write_object(&detail);
    brant__access_detail(&detail, &edit, NULL, expires_at);
    brant__write_text_member(&detail, role.data ? "role" : "group", target.key);
    BRANT__TRY(
        brant__access_audit(&edit, "access.assign", (brant__text){NULL, 0}, subject.key, &detail));
    status = brant__access_answer_edge(&edit, edge.row_id);
cleanup:
    brant__access_list_free(&given);
    brant__buffer_free(&detail.buffer);
    return status;
}

/* ---- taking back -------------------------------------------------------------------------------------------------- */

/*
 * Take scopes out of a set: those that are covered by one of `taken`. CONSTRAINT: one of `taken` is a part of a wider scope of the set, of which there is no rest to leave.
 */
static brant_status take_scopes(brant__scopes *out, const brant__access_edit *edit,
                                const brant__scopes *from, const brant__scopes *taken) {
    for (size_t j = 0; j < from->count; j++) {
        if (brant__scopes_cover(taken, from->items[j])) continue;
        for (size_t i = 0; i < taken->count; i++)
            if (brant__scope_overlaps(taken->items[i], from->items[j]))
                return brant__fail(BRANT_CONSTRAINT,
                                   "%s cannot be taken out of %s: revoke that, or deny it",
                                   brant__quoted(edit->call, taken->items[i]),
                                   brant__quoted(edit->call, from->items[j]));
    }
    *out = (brant__scopes){
        brant__arena_alloc(edit->call->arena, (from->count + 1) * sizeof(*out->items)), 0};
    if (!out->items) return brant__fail_memory();
    for (size_t j = 0; j < from->count; j++)
        if (!brant__scopes_cover(taken, from->items[j])) out->items[out->count++] = from->items[j];
    return BRANT_OK;
}

enum { GRANT, DENY, ROLE, GROUP, DELEGATION };
static const struct {
    const char *name;
    const char *type;
} kinds[] = {[GRANT] = {"grant", "Grants"},
             [DENY] = {"deny", "Denies"},
             [ROLE] = {"role", "HasRole"},
             [GROUP] = {"group", "BelongsTo"},
             [DELEGATION] = {"delegation", "Delegates"}};

typedef struct revocation {
    brant__access_edit edit;
    brant__access_entity subject, target;
    brant__access_link edge;
    brant__scopes scopes; /* NULL: all */
    int kind;
} revocation;

/* To end a denial is to give what was denied; with a role or a group go the denials that came by it. */
static brant_status judge_revocation(revocation *self) {
    const brant__access_edit *edit = &self->edit;
    const brant__scopes *scopes = self->scopes.items ? &self->scopes : &self->edge.scopes;
    brant__access_list terms = {0};
    brant__text key;
    brant_status status = BRANT_OK;

    if (!brant__access_judged(edit)) return BRANT_OK;
    switch (self->kind) {
    case GRANT:
        return brant__access_require(edit, scopes, self->target.key, BRANT__NARROWING);
    case DENY:
        return brant__access_require(edit, scopes, self->target.key, BRANT__WIDENING);
    case DELEGATION: /* either end may */
        BRANT__TRY(brant__access_actor_key(&key, edit));
        if (key.data &&
            (brant__text_equal(key, self->subject.key) || brant__text_equal(key, self->target.key)))
            return BRANT_OK;
        return brant__access_require_admin(edit);
    default:
        BRANT__TRY(brant__access_of_subject(&terms, edit, self->target.row_id, "Denies"));
        BRANT__TRY(
            brant__access_require_all(edit, &terms, (brant__text){NULL, 0}, BRANT__WIDENING));
        brant__access_list_free(&terms);
        BRANT__TRY(brant__access_of_subject(&terms, edit, self->target.row_id, "Grants"));
        status = brant__access_require_all(edit, &terms, (brant__text){NULL, 0}, BRANT__NARROWING);
    }
cleanup:
    brant__access_list_free(&terms);
    return status;
}

/* *out_changed false: nothing that was asked for was there. */
static brant_status revoke(bool *out_changed, revocation *self) {
    brant__access_edit *edit = &self->edit;
    brant__access_link left = self->edge;
    brant_status status = BRANT_OK;

    *out_changed = false;
    if (!self->edge.row_id) return BRANT_OK;
    if (self->kind == DELEGATION && self->edge.revoked_at != BRANT__NEVER) return BRANT_OK;
    if (self->edge.derived) return refuse_derived();
    left.scopes.count = 0;
    if (self->scopes.items) {
        brant__scopes runtime;
        BRANT__TRY(take_scopes(&left.scopes, edit, &self->edge.scopes, &self->scopes));
        if (left.scopes.count == self->edge.scopes.count) return BRANT_OK;
        BRANT__TRY(take_scopes(&left.seeded, edit, &self->edge.seeded, &self->scopes));
        BRANT__TRY(brant__access_runtime(&runtime, edit->call->arena, &left));
        BRANT__TRY(brant__access_combine(&left, edit->call->arena, &runtime, &left.seeded));
    }
    BRANT__TRY(judge_revocation(self));
    *out_changed = true;
    if (left.scopes.count > 0) {
        status = brant__access_link_put(&left, edit, &self->subject, kinds[self->kind].type,
                                        &self->target);
    } else if (self->kind == DELEGATION) {
        left = self->edge;
        left.revoked_at = edit->now;
        status = brant__access_link_put(&left, edit, &self->subject, "Delegates", &self->target);
    } else {
        status = brant__access_links_remove(edit, &self->edge.row_id, 1);
    }
    if (status == BRANT_OK && self->kind == DELEGATION)
        status = brant__access_delegation_changed(edit, self->subject.key, self->target.key);
cleanup:
    return status;
}

brant_status brant__access_revoke(brant__call *call) {
    const brant__text kind = brant__json_get_text(call->input, "kind");
    const brant__text target = brant__json_get_text(call->input, "target");
    revocation self = {.kind = GRANT};
    brant__writer detail = {0};
    bool changed;
    brant_status status;

    while (self.kind < DELEGATION &&
           !brant__text_equal(kind, brant__text_string(kinds[self.kind].name)))
        self.kind++;
    if (!target.data && self.kind != GRANT && self.kind != DENY)
        return brant__fail(BRANT_INVALID, "/target is missing");
    if (brant__json_get(call->input, "scopes")) {
        if (self.kind == ROLE || self.kind == GROUP)
            return brant__fail(BRANT_INVALID, "/scopes: a role or a group goes as a whole");
        BRANT__TRY(brant__access_scopes(&self.scopes, call));
    }
    BRANT__TRY(brant__access_begin(&self.edit, call));
    BRANT__TRY(brant__access_entity_need(&self.subject, &self.edit,
                                         brant__json_get_text(call->input, "subject")));
    BRANT__TRY(brant__access_entity_find(&self.target, &self.edit,
                                         target.data ? target : BRANT__ANYWHERE));
    BRANT__TRY(brant__access_link_find(&self.edge, &self.edit, &self.subject, kinds[self.kind].type,
                                       &self.target));
    BRANT__TRY(revoke(&changed, &self));
    brant__write_object(&detail);
    brant__access_detail(&detail, &self.edit, &self.scopes, BRANT__NEVER);
    brant__write_text_member(&detail, "kind", kind);
    brant__write_text_member(&detail, "target", self.target.key);
    brant__write_integer_member(&detail, "revoked", changed);
    BRANT__TRY(brant__access_audit(&self.edit, "access.revoke", (brant__text){NULL, 0},
                                   self.subject.key, &detail));
    brant__write_object(call->out);
    brant__write_integer_member(call->out, "revoked", changed);
    brant__access_revision(&self.edit);
    brant__write_end(call->out);
cleanup:
    brant__buffer_free(&detail.buffer);
    return status;
}
