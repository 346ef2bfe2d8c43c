/*
 * access/delegate.c: access.delegate. A principal delegates what it holds; an agent what was delegated to it to go on with: no more scopes, no longer, and one level less.
 */
#include "access/delegate.h"

#include "access/hold.h"

brant_status brant__access_delegation_read(brant__access_link *out,
                                           const brant__access_edit *edit) {
    yyjson_val *input = edit->call->input;
    brant_status status;

    *out = BRANT__ACCESS_LINK_NONE;
    BRANT__TRY(brant__access_scopes(&out->scopes, edit->call));
    BRANT__TRY(brant__access_expiry(&out->expires_at, edit));
    out->max_depth = brant__json_integer(brant__json_get(input, "max_depth"), 0);
    out->may_redelegate = brant__json_bool(brant__json_get(input, "may_redelegate"), false);
cleanup:
    return status;
}

/* May an agent pass a scope on, on these terms, by one of the delegations that it has? */
static brant_status passes_on(bool *out, const brant__access_arc *held, size_t count,
                              const brant__access_edit *edit, const brant__access_link *terms,
                              brant__text scope) {
    *out = false;
    for (size_t i = 0; i < count && !*out; i++) {
        const brant__access_link *edge = &held[i].link;
        *out = brant__access_live(edge, edit->now) && edge->may_redelegate &&
               edge->max_depth > terms->max_depth && edge->expires_at >= terms->expires_at &&
               brant__scopes_cover(&edge->scopes, scope);
    }
    return BRANT_OK;
}

brant_status brant__access_delegation_check(const brant__access_edit *edit,
                                            const brant__access_entity *from,
                                            const brant__access_link *terms) {
    const bool agent = brant__access_is(from, "Agent");
    brant__access_arc *held = NULL;
    size_t count = 0;
    bool good;
    brant_status status = BRANT_OK;

    if (agent)
        BRANT__TRY(
            brant__access_arcs(&held, &count, edit, from->row_id, "Delegates", BRANT__ACCESS_IN));
    for (size_t i = 0; i < terms->scopes.count; i++) {
        const brant__text scope = terms->scopes.items[i];
        if (agent) {
            BRANT__TRY(passes_on(&good, held, count, edit, terms, scope));
            if (!good) {
                status = brant__fail(
                    BRANT_DENIED,
                    "agent %s has no delegation of %s that it may pass on so far and so long",
                    brant__quoted(edit->call, from->key), brant__quoted(edit->call, scope));
                goto cleanup;
            }
        }
        BRANT__TRY(brant__access_holds_somewhere(&good, edit, from, scope));
        if (!good) {
            status =
                brant__fail(BRANT_DENIED, "%s does not hold %s on anything",
                            brant__quoted(edit->call, from->key), brant__quoted(edit->call, scope));
            goto cleanup;
        }
    }
cleanup:
    return status;
}

static brant_status is_actor(bool *out, const brant__access_edit *edit,
                             const brant__access_entity *node) {
    brant__text key;
    const brant_status status = brant__access_actor_key(&key, edit);

    *out = status == BRANT_OK && key.data && brant__text_equal(key, node->key);
    return status;
}

brant_status brant__access_delegation_judge(const brant__access_edit *edit,
                                            const brant__access_entity *from,
                                            const brant__access_link *terms) {
    bool own;
    brant_status status;

    if (!brant__access_judged(edit)) return BRANT_OK;
    BRANT__TRY(brant__access_require_let(edit, &terms->scopes));
    BRANT__TRY(is_actor(&own, edit, from));
    if (own) goto cleanup;
    BRANT__TRY(brant__access_require_admin(edit));
    status = brant__access_require(edit, &terms->scopes, BRANT__ANYWHERE, BRANT__WIDENING);
cleanup:
    return status;
}

brant_status brant__access_delegation_may_end(const brant__access_edit *edit,
                                              const brant__access_entity *from) {
    bool own;
    brant_status status;

    if (!brant__access_judged(edit)) return BRANT_OK;
    status = is_actor(&own, edit, from);
    return status != BRANT_OK || own ? status : brant__access_require_admin(edit);
}

brant_status brant__access_delegate(brant__call *call) {
    const brant__text to = brant__json_get_text(call->input, "to");
    brant__writer detail = {0};
    brant__access_edit edit;
    brant__access_entity from, agent;
    brant__access_link edge, terms;
    brant_status status;

    BRANT__TRY(brant__access_begin(&edit, call));
    BRANT__TRY(brant__access_delegation_read(&terms, &edit));
    BRANT__TRY(brant__access_entity_need(&from, &edit, brant__json_get_text(call->input, "from")));
    BRANT__TRY(brant__access_delegation_judge(&edit, &from, &terms));
    BRANT__TRY(brant__access_delegation_check(&edit, &from, &terms));
    BRANT__TRY(brant__access_entity_find(&agent, &edit, to));
    if (!agent.row_id)
        BRANT__TRY(brant__access_entity_put(&agent, &edit, to, "Agent", BRANT__TEXT("{}")));
    BRANT__TRY(brant__access_link_find(&edge, &edit, &from, "Delegates", &agent));
    if (edge.delegation_id.data) {
        status = brant__fail(BRANT_DENIED, "that delegation is one between organisations: "
                                           "tenants.revoke_delegation ends it");
        goto cleanup;
    }
    BRANT__TRY(brant__access_link_put(&terms, &edit, &from, "Delegates", &agent));
    BRANT__TRY(brant__access_delegation_changed(&edit, from.key, agent.key));
    brant__write_object(&detail);
    brant__access_detail(&detail, &edit, &terms.scopes, terms.expires_at);
    brant__write_text_member(&detail, "to", agent.key);
    brant__write_integer_member(&detail, "max_depth", terms.max_depth);
    BRANT__TRY(
        brant__access_audit(&edit, "access.delegate", (brant__text){NULL, 0}, from.key, &detail));
    status = brant__access_answer_edge(&edit, terms.row_id);
cleanup:
    brant__buffer_free(&detail.buffer);
    return status;
}
