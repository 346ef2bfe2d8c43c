/*
 * access/entity.c: the nodes of an access graph, and where resources hang: access.put, .remove, .set_parent.
 *
 * What the library derives from membership (groups org:..) and seeds from the registry is its own: nobody writes or removes it by hand.
 */
#include "access/derive.h"
#include "access/hold.h"

static brant_status refuse_own(const brant__access_edit *edit, brant__text key, const char *why) {
    return brant__fail(BRANT_DENIED, "node %s is %s", brant__quoted(edit->call, key), why);
}

/* Is it one that nobody writes by hand? DENIED. */
static brant_status check_own(const brant__access_edit *edit, const brant__access_entity *node) {
    brant__json json = {0};
    brant_status status = BRANT_OK;

    if (!node->row_id) return BRANT_OK;
    BRANT__TRY(brant__json_parse(&json, node->attributes.data, node->attributes.length, 0));
    if (brant__access_is(node, "Group") && brant__json_get(json.root, "org_id"))
        status = refuse_own(edit, node->key, "made of members: it follows them");
    else if (brant__json_bool(brant__json_get(json.root, "seeded"), false))
        status = refuse_own(edit, node->key, "made by access.seed");
cleanup:
    brant__json_free(&json);
    return status;
}

/* The attributes of a node that is put by hand. DENIED: those that are the library's. */
static brant_status check_attributes(const brant__access_edit *edit, brant__text key,
                                     brant__text type, yyjson_val *attributes) {
    static const struct {
        const char *type;
        const char *name;
    } own[] = {{"Group", "org_id"},
               {"Group", "level"},
               {"Role", "seeded"},
               {"Resource", "seeded"},
               {"Agent", "foreign"}};

    for (size_t i = 0; i < BRANT__COUNT(own); i++)
        if (brant__text_equal(type, brant__text_string(own[i].type)) &&
            brant__json_get(attributes, own[i].name))
            return brant__fail(BRANT_DENIED, "/attributes/%s is the library's to give",
                               own[i].name);
    if (brant__text_equal(type, BRANT__TEXT("Group")) && brant__access_derived_key(key))
        return refuse_own(edit, key, "of the keys of groups that are made of members");
    return BRANT_OK;
}

#define ACCOUNT     "account:"
#define ACCOUNT_LEN (sizeof(ACCOUNT) - 1)

/* What an agent has of the library's and keeps: whom of another organisation it stands for. */
static brant_status write_kept(brant__writer *out, const brant__access_entity *node) {
    brant__json json = {0};
    yyjson_val *foreign;
    brant_status status = BRANT_OK;

    if (!brant__access_is(node, "Agent")) return BRANT_OK;
    BRANT__TRY(brant__json_parse(&json, node->attributes.data, node->attributes.length, 0));
    foreign = brant__json_get(json.root, "foreign");
    if (foreign) {
        brant__write_name(out, "foreign");
        brant__write_value(out, foreign);
    }
cleanup:
    brant__json_free(&json);
    return status;
}

/* Write the attributes, over those that `node` has now: a principal account:<id> is that account's, and no other is. */
static brant_status write_attributes(brant__writer *out, const brant__access_entity *node,
                                     brant__text type, yyjson_val *attributes) {
    const brant__text key = node->key;
    const brant__text given = brant__json_get_text(attributes, "account_id");
    const bool principal = brant__text_equal(type, BRANT__TEXT("Principal"));
    const bool account =
        principal && key.length > ACCOUNT_LEN && memcmp(key.data, ACCOUNT, ACCOUNT_LEN) == 0;
    const brant__text id = account
                               ? brant__text_of(key.data + ACCOUNT_LEN, key.length - ACCOUNT_LEN)
                               : (brant__text){NULL, 0};
    size_t index, count;
    yyjson_val *name, *value;
    brant_status status;

    if (principal && given.data && !(account && brant__text_equal(given, id)))
        return brant__fail(BRANT_INVALID,
                           "the principal of an account has the key account:<account_id>");
    brant__write_object(out);
    yyjson_obj_foreach(attributes, index, count, name, value) {
        brant__write_name_text(out, brant__json_text(name));
        brant__write_value(out, value);
    }
    if (account && !given.data) brant__write_text_member(out, "account_id", id);
    status = write_kept(out, node);
    if (status != BRANT_OK) return status;
    brant__write_end(out);
    return out->buffer.failed ? brant__fail_memory() : BRANT_OK;
}

static brant_status answer_node(brant__access_edit *edit, brant__text key) {
    brant__call *call = edit->call;
    brant__statement *statement = NULL;
    bool row;
    brant_status status;

    BRANT__TRY(brant__node_statement(&statement, call, BRANT__NODE_GET));
    brant__bind_integer(statement, 1, edit->graph.row_id);
    brant__bind_text(statement, 2, key);
    BRANT__TRY(brant__step(&row, call->db, statement));
    status = row ? brant__write_node(call->out, call, &edit->graph, statement)
                 : brant__node_missing(call, &edit->graph, key);
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__access_put(brant__call *call) {
    static const char *const types[] = {"Principal", "Agent", "Group", "Role", "Resource"};
    const brant__text key = brant__json_get_text(call->input, "key");
    const brant__text given = brant__json_get_text(call->input, "type");
    yyjson_val *attributes = brant__json_get(call->input, "attributes");
    const char *type = types[0];
    brant__writer written = {0}, detail = {0};
    brant__access_edit edit;
    brant__access_entity node;
    brant_status status;

    for (size_t i = 0; i < BRANT__COUNT(types); i++)
        if (brant__text_equal(given, brant__text_string(types[i]))) type = types[i];
    BRANT__TRY(brant__access_begin(&edit, call));
    BRANT__TRY(brant__access_entity_find(&node, &edit, key));
    BRANT__TRY(check_own(&edit, &node));
    BRANT__TRY(check_attributes(&edit, key, given, attributes));
    BRANT__TRY(write_attributes(&written, &node, given, attributes));
    BRANT__TRY(brant__access_entity_put(
        &node, &edit, key, type, brant__text_of(written.buffer.data, written.buffer.length)));
    brant__write_object(&detail);
    brant__access_detail(&detail, &edit, NULL, BRANT__NEVER);
    brant__write_text_member(&detail, "type", node.type);
    /* The log keeps for ever what it is told: no names. */
    if (brant__json_get(attributes, "status"))
        brant__write_text_member(&detail, "status", brant__json_get_text(attributes, "status"));
    BRANT__TRY(brant__access_audit(&edit, "access.put", (brant__text){NULL, 0}, key, &detail));
    status = answer_node(&edit, key);
cleanup:
    brant__buffer_free(&written.buffer);
    brant__buffer_free(&detail.buffer);
    return status;
}

/* ---- removing --------------------------------------------------------------------------------------------- */

/* With a group, a role or a resource go the denials that came by it: to be rid of them is a right. */
static brant_status judge_removal(const brant__access_edit *edit,
                                  const brant__access_entity *node) {
    const bool resource = brant__access_is(node, "Resource");
    brant__access_list denied = {0};
    brant_status status = BRANT_OK;

    if (!brant__access_judged(edit)) return BRANT_OK;
    if (resource)
        BRANT__TRY(brant__access_on_resource(&denied, edit, node->row_id, "Denies"));
    else if (brant__access_is(node, "Group") || brant__access_is(node, "Role"))
        BRANT__TRY(brant__access_of_subject(&denied, edit, node->row_id, "Denies"));
    status = brant__access_require_all(edit, &denied, resource ? node->key : (brant__text){NULL, 0},
                                       BRANT__WIDENING);
cleanup:
    brant__access_list_free(&denied);
    return status;
}

/* A principal that is in an organisation leaves that first. */
static brant_status check_member(const brant__access_edit *edit, const brant__access_entity *node) {
    brant__statement *statement = NULL;
    brant__access_entity other;
    brant__access_link edge;
    bool found;
    brant_status status;

    BRANT__TRY(brant__access_links(&statement, edit, node->row_id, "BelongsTo", BRANT__ACCESS_OUT));
    for (;;) {
        BRANT__TRY(brant__access_link_next(&found, &edge, &other, edit, statement));
        if (!found) break;
        if (!edge.derived) continue;
        status = refuse_own(edit, node->key, "a member of an organisation");
        goto cleanup;
    }
cleanup:
    brant__reset(statement);
    return status;
}

/* Tell of each delegation that goes with a node. */
static brant_status tell_delegations(brant__access_edit *edit, const brant__access_entity *node) {
    brant__access_arc *arcs;
    size_t count;
    brant_status status = BRANT_OK;

    for (int direction = BRANT__ACCESS_OUT; direction <= BRANT__ACCESS_IN; direction++) {
        BRANT__TRY(brant__access_arcs(&arcs, &count, edit, node->row_id, "Delegates", direction));
        for (size_t i = 0; i < count; i++) {
            const bool out = direction == BRANT__ACCESS_OUT;
            if (arcs[i].link.delegation_id.data) {
                status = refuse_own(edit, node->key,
                                    "in a delegation between organisations: "
                                    "revoke that first");
                goto cleanup;
            }
            BRANT__TRY(brant__access_delegation_changed(edit, out ? node->key : arcs[i].other.key,
                                                        out ? arcs[i].other.key : node->key));
        }
    }
cleanup:
    return status;
}

brant_status brant__access_remove(brant__call *call) {
    const brant__text key = brant__json_get_text(call->input, "key");
    brant__writer detail = {0};
    brant__access_edit edit;
    brant__access_entity node;
    int64_t edges;
    brant_status status;

    BRANT__TRY(brant__access_begin(&edit, call));
    BRANT__TRY(brant__access_entity_need(&node, &edit, key));
    BRANT__TRY(check_own(&edit, &node));
    BRANT__TRY(check_member(&edit, &node));
    BRANT__TRY(judge_removal(&edit, &node));
    BRANT__TRY(tell_delegations(&edit, &node));
    BRANT__TRY(brant__access_entity_remove(&edges, &edit, &node));
    brant__write_object(&detail);
    brant__access_detail(&detail, &edit, NULL, BRANT__NEVER);
    brant__write_text_member(&detail, "type", node.type);
    brant__write_integer_member(&detail, "edges", edges);
    BRANT__TRY(brant__access_audit(&edit, "access.remove", (brant__text){NULL, 0}, key, &detail));
    brant__write_object(call->out);
    brant__write_bool_member(call->out, "removed", true);
    brant__write_integer_member(call->out, "edges", edges);
    brant__access_revision(&edit);
    brant__write_end(call->out);
cleanup:
    brant__buffer_free(&detail.buffer);
    return status;
}

/* ---- the tree of resources ---------------------------------------------------------------------------------- */

/* Is `wanted` the node, or above it? */
static brant_status is_above(bool *out, const brant__access_edit *edit,
                             const brant__access_entity *node, int64_t wanted) {
    brant__map seen = {0};
    brant__access_arc *arcs;
    int64_t *rows = NULL, known;
    size_t count = 1, room = 0, found;
    brant_status status = BRANT_OK;

    *out = node->row_id == wanted;
    rows = brant__grow(NULL, &room, 0, sizeof(*rows));
    if (!rows) return brant__fail_memory();
    rows[0] = node->row_id;
    while (count > 0 && !*out) {
        const int64_t row = rows[--count];
        const brant__text key = {(const char *)&row, sizeof(row)};
        if (brant__map_get(&seen, key, &known)) continue;
        if (!brant__map_put(&seen, key, 1)) {
            status = brant__fail_memory();
            goto cleanup;
        }
        BRANT__TRY(brant__db_poll(edit->call->db));
        BRANT__TRY(brant__access_arcs(&arcs, &found, edit, row, "Parent", BRANT__ACCESS_OUT));
        for (size_t i = 0; i < found; i++) {
            int64_t *grown = brant__grow(rows, &room, count, sizeof(*rows));
            if (!grown) {
                status = brant__fail_memory();
                goto cleanup;
            }
            rows = grown;
            rows[count++] = arcs[i].other.row_id;
            if (arcs[i].other.row_id == wanted) *out = true;
        }
    }
cleanup:
    brant__map_free(&seen);
    brant__free(rows);
    return status;
}

/* What is given above the new parent comes to hold here, what is denied above the old one ceases to: the actor must hold it here. */
static brant_status judge_parent(const brant__access_edit *edit, const brant__access_entity *child,
                                 const brant__access_entity *parent) {
    brant__access_list terms = {0};
    brant_status status = BRANT_OK;

    if (!brant__access_judged(edit)) return BRANT_OK;
    if (parent) BRANT__TRY(brant__access_on_resource(&terms, edit, parent->row_id, "Grants"));
    BRANT__TRY(brant__access_on_resource(&terms, edit, child->row_id, "Denies"));
    status = brant__access_require_all(edit, &terms, child->key, BRANT__WIDENING);
cleanup:
    brant__access_list_free(&terms);
    return status;
}

/* Take the parents away but for one; *out_kept: that one is there. */
static brant_status drop_parents(bool *out_kept, int64_t *out_dropped, brant__access_edit *edit,
                                 const brant__access_entity *child,
                                 const brant__access_entity *parent) {
    brant__access_arc *arcs;
    int64_t *rows;
    size_t count, dropped = 0;
    brant_status status;

    *out_kept = false;
    *out_dropped = 0;
    BRANT__TRY(brant__access_arcs(&arcs, &count, edit, child->row_id, "Parent", BRANT__ACCESS_OUT));
    rows = brant__arena_alloc(edit->call->arena, (count + 1) * sizeof(*rows));
    if (!rows) {
        status = brant__fail_memory();
        goto cleanup;
    }
    for (size_t i = 0; i < count; i++) {
        if (parent && arcs[i].other.row_id == parent->row_id)
            *out_kept = true;
        else
            rows[dropped++] = arcs[i].link.row_id;
    }
    *out_dropped = (int64_t)dropped;
    status = brant__access_links_remove(edit, rows, dropped);
cleanup:
    return status;
}

brant_status brant__access_set_parent(brant__call *call) {
    const brant__text given = brant__json_get_text(call->input, "parent");
    brant__writer detail = {0};
    brant__access_edit edit;
    brant__access_entity child, above;
    const brant__access_entity *parent = given.data ? &above : NULL;
    brant__access_link edge = BRANT__ACCESS_LINK_NONE;
    bool kept, cycle;
    int64_t dropped;
    brant_status status;

    BRANT__TRY(brant__access_begin(&edit, call));
    BRANT__TRY(
        brant__access_resource(&child, &edit, brant__json_get_text(call->input, "resource")));
    BRANT__TRY(check_own(&edit, &child));
    if (brant__text_equal(child.key, BRANT__ANYWHERE)) {
        status = brant__fail(BRANT_CONSTRAINT, "everything is part of nothing");
        goto cleanup;
    }
    if (parent) {
        BRANT__TRY(brant__access_resource(&above, &edit, given));
        BRANT__TRY(is_above(&cycle, &edit, &above, child.row_id));
        if (cycle) {
            status = brant__fail(BRANT_CONSTRAINT, "resource %s would be part of itself",
                                 brant__quoted(call, child.key));
            goto cleanup;
        }
    }
    BRANT__TRY(judge_parent(&edit, &child, parent));
    BRANT__TRY(drop_parents(&kept, &dropped, &edit, &child, parent));
    if (parent && !kept) BRANT__TRY(brant__access_link_put(&edge, &edit, &child, "Parent", parent));
    brant__write_object(&detail);
    brant__access_detail(&detail, &edit, NULL, BRANT__NEVER);
    brant__write_name(&detail, "parent");
    brant__write_text_or_null(&detail, given);
    BRANT__TRY(brant__access_audit(&edit, "access.set_parent", (brant__text){NULL, 0}, child.key,
                                   &detail));
    brant__write_object(call->out);
    brant__write_bool_member(call->out, "changed", dropped > 0 || (parent && !kept));
    brant__access_revision(&edit);
    brant__write_end(call->out);
cleanup:
    brant__buffer_free(&detail.buffer);
    return status;
}
