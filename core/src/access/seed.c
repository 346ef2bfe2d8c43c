/*
 * access/seed.c: access.seed: definitions are written apart from what is given at run time, so that they can be written again after each release.
 *
 *     Resource operation:<name> {kind, required_scopes, seeded} -> namespace:<namespace> -> operations
 *     Role role:viewer | member | admin | owner {name, seeded} -Grants-> Resource "*", the scopes of the level
 *
 * A second time it changes nothing. Of a node that is there it takes its own attributes over and leaves the others; a seeded one that is no more goes, with what hung on it. Scopes of a seeded
 * role that it gave itself stand in the edge's metadata.seeded: what was given besides stays.
 */
#include "access/seed.h"

#include "access/grant.h"
#include "identity/input.h"
#include "identity/level.h"

#define TOP BRANT__TEXT("operations")

typedef struct seed {
    brant__access_edit edit;
    brant__access_batch nodes;
    brant__access_batch edges;
    brant__map wanted; /* keys */
    brant__json json;
    int64_t changed;
} seed;

static brant_status want(seed *self, brant__text key) {
    return brant__map_put(&self->wanted, key, 1) ? BRANT_OK : brant__fail_memory();
}

/* ---- nodes ----------------------------------------------------------------------------------------------------- */

/* The attributes of a seeded node; `scopes` NULL: it needs none. */
static void write_own(brant__writer *out, const char *kind, brant__text name,
                      const brant__scopes *scopes) {
    if (kind) brant__write_text_member(out, "kind", brant__text_string(kind));
    if (name.data) brant__write_text_member(out, "name", name);
    if (scopes) brant__scopes_write_member(out, "required_scopes", scopes);
    brant__write_bool_member(out, "seeded", true);
}

static bool is_own(yyjson_val *name) {
    return yyjson_equals_str(name, "kind") || yyjson_equals_str(name, "name") ||
           yyjson_equals_str(name, "required_scopes") || yyjson_equals_str(name, "seeded");
}

/* Put a node, unless it is as it should be already. */
static brant_status put_node(seed *self, brant__text key, const char *type, const char *kind,
                             brant__text name, const brant__scopes *scopes) {
    brant__access_entity node;
    brant__writer attributes = {0};
    brant__json wanted = {0};
    brant__writer *out;
    size_t index, count;
    yyjson_val *member, *value;
    brant_status status;

    BRANT__TRY(want(self, key));
    BRANT__TRY(brant__access_entity_find(&node, &self->edit, key));
    if (node.row_id)
        BRANT__TRY(brant__json_parse(&self->json, node.attributes.data, node.attributes.length, 0));
    brant__write_object(&attributes);
    write_own(&attributes, kind, name, scopes);
    yyjson_obj_foreach(node.row_id ? self->json.root : NULL, index, count, member, value) {
        if (is_own(member)) continue;
        brant__write_name_text(&attributes, brant__json_text(member));
        brant__write_value(&attributes, value);
    }
    brant__write_end(&attributes);
    if (attributes.buffer.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    if (brant__access_is(&node, type)) {
        BRANT__TRY(brant__json_parse(&wanted, attributes.buffer.data, attributes.buffer.length, 0));
        if (brant__json_equal(wanted.root, self->json.root)) goto cleanup;
    }
    out = brant__access_item(&self->nodes);
    brant__write_text_member(out, "key", key);
    brant__write_text_member(out, "type", brant__text_string(type));
    brant__write_name(out, "attributes");
    brant__write_raw(out, brant__text_of(attributes.buffer.data, attributes.buffer.length));
    status = brant__access_item_end(&self->nodes);
cleanup:
    brant__json_free(&wanted);
    brant__buffer_free(&attributes.buffer);
    return status;
}

static brant__text namespace_of(brant__text operation) {
    const char *dot = memchr(operation.data, '.', operation.length);

    return brant__text_of(operation.data, dot ? (size_t)(dot - operation.data) : operation.length);
}

static brant_status put_nodes(seed *self, const brant__seed_operation *operations, size_t count) {
    const brant__text none = {NULL, 0};
    brant__text key, space, last = none;
    brant_status status;

    BRANT__TRY(put_node(self, TOP, "Resource", "operations", none, NULL));
    for (size_t i = 0; i < count; i++) {
        BRANT__TRY(
            brant__resource_of(&key, self->edit.call->arena, "operation", operations[i].name));
        BRANT__TRY(put_node(self, key, "Resource", "operation", none, &operations[i].scopes));
        space = namespace_of(operations[i].name);
        if (last.data && brant__text_equal(space, last)) continue;
        last = space;
        BRANT__TRY(brant__resource_of(&key, self->edit.call->arena, "namespace", space));
        BRANT__TRY(put_node(self, key, "Resource", "namespace", none, NULL));
    }
    for (int level = BRANT__LEVEL_VIEWER; level <= BRANT__LEVEL_OWNER; level++) {
        BRANT__TRY(
            brant__resource_of(&key, self->edit.call->arena, "role", brant__level_name(level)));
        BRANT__TRY(put_node(self, key, "Role", NULL, brant__level_name(level), NULL));
    }
    status = brant__access_batch_end(&self->nodes);
cleanup:
    return status;
}

/* ---- edges ------------------------------------------------------------------------------------------------------ */

static brant_status put_parent(seed *self, brant__text child, brant__text parent) {
    brant__access_entity source, target;
    brant__access_link link;
    brant_status status;

    BRANT__TRY(brant__access_entity_need(&source, &self->edit, child));
    BRANT__TRY(brant__access_entity_need(&target, &self->edit, parent));
    BRANT__TRY(brant__access_link_find(&link, &self->edit, &source, "Parent", &target));
    if (link.row_id) goto cleanup;
    brant__access_link_write(brant__access_item(&self->edges), child, "Parent", parent, &link);
    status = brant__access_item_end(&self->edges);
cleanup:
    return status;
}

static brant_status put_parents(seed *self, const brant__seed_operation *operations, size_t count) {
    brant__text key, parent = {NULL, 0}, space, last = {NULL, 0};
    brant_status status = BRANT_OK;

    for (size_t i = 0; i < count; i++) {
        space = namespace_of(operations[i].name);
        if (!last.data || !brant__text_equal(space, last)) {
            BRANT__TRY(brant__resource_of(&parent, self->edit.call->arena, "namespace", space));
            BRANT__TRY(put_parent(self, parent, TOP));
            last = space;
        }
        BRANT__TRY(
            brant__resource_of(&key, self->edit.call->arena, "operation", operations[i].name));
        BRANT__TRY(put_parent(self, key, parent));
    }
    status = brant__access_batch_end(&self->edges);
cleanup:
    return status;
}

static bool same_scopes(const brant__scopes *a, const brant__scopes *b) {
    if (a->count != b->count) return false;
    for (size_t i = 0; i < a->count; i++)
        if (!brant__text_equal(a->items[i], b->items[i])) return false;
    return true;
}

/* What a level's role gives: on everything. */
static brant_status put_role(seed *self, const brant__access_entity *everything, int level) {
    brant__arena *arena = self->edit.call->arena;
    brant__access_entity role;
    brant__access_link link, wanted;
    brant__scopes runtime;
    brant__text key;
    brant_status status;

    BRANT__TRY(brant__resource_of(&key, self->edit.call->arena, "role", brant__level_name(level)));
    BRANT__TRY(brant__access_entity_need(&role, &self->edit, key));
    BRANT__TRY(brant__access_link_find(&link, &self->edit, &role, "Grants", everything));
    wanted = link;
    BRANT__TRY(brant__access_runtime(&runtime, arena, &link));
    BRANT__TRY(brant__access_combine(&wanted, arena, &runtime, brant__scopes_of_level(level)));
    if (link.expires_at != BRANT__NEVER) wanted.expires_at = BRANT__NEVER;
    if (link.row_id && link.expires_at == BRANT__NEVER &&
        same_scopes(&link.scopes, &wanted.scopes) && same_scopes(&link.seeded, &wanted.seeded))
        goto cleanup;
    brant__access_link_write(brant__access_item(&self->edges), key, "Grants", BRANT__ANYWHERE,
                             &wanted);
    status = brant__access_item_end(&self->edges);
cleanup:
    return status;
}

static brant_status put_roles(seed *self) {
    brant__access_entity everything;
    brant_status status;

    BRANT__TRY(brant__access_resource(&everything, &self->edit, BRANT__ANYWHERE));
    for (int level = BRANT__LEVEL_VIEWER; level <= BRANT__LEVEL_OWNER; level++)
        BRANT__TRY(put_role(self, &everything, level));
    status = brant__access_batch_end(&self->edges);
cleanup:
    return status;
}

/* ---- what is no more --------------------------------------------------------------------------------------------- */

static brant_status remove_old(seed *self, brant__text prefix) {
    brant__statement *statement = NULL;
    brant__access_entity *old = NULL, node;
    size_t count = 0, room = 0;
    int64_t edges, known;
    bool found;
    brant_status status;

    BRANT__TRY(brant__access_entities_from(&statement, &self->edit, prefix));
    for (;;) {
        brant__access_entity *grown;
        BRANT__TRY(brant__access_entity_next(&found, &node, &self->edit, statement));
        if (!found) break;
        if (brant__map_get(&self->wanted, node.key, &known)) continue;
        BRANT__TRY(brant__json_parse(&self->json, node.attributes.data, node.attributes.length, 0));
        if (!brant__json_bool(brant__json_get(self->json.root, "seeded"), false)) continue;
        grown = brant__grow(old, &room, count, sizeof(*old));
        if (!grown) {
            status = brant__fail_memory();
            goto cleanup;
        }
        old = grown;
        old[count++] = node;
    }
    brant__reset(statement);
    statement = NULL;
    for (size_t i = 0; i < count; i++) {
        BRANT__TRY(brant__access_entity_remove(&edges, &self->edit, &old[i]));
        self->changed += 1 + edges;
    }
cleanup:
    brant__reset(statement);
    brant__free(old);
    return status;
}

brant_status brant__access_seed_with(brant__call *call, const brant__seed_operation *operations,
                                     size_t count) {
    seed self = {.changed = 0};
    brant__writer detail = {0}, *out = call->out;
    brant_status status;

    self.nodes = (brant__access_batch){.edit = &self.edit, .handler = brant__node_put_many};
    self.edges = (brant__access_batch){.edit = &self.edit, .handler = brant__edge_put_many};
    BRANT__TRY(brant__access_begin(&self.edit, call));
    BRANT__TRY(put_nodes(&self, operations, count));
    BRANT__TRY(put_parents(&self, operations, count));
    BRANT__TRY(put_roles(&self));
    BRANT__TRY(remove_old(&self, BRANT__TEXT("operation:")));
    BRANT__TRY(remove_old(&self, BRANT__TEXT("namespace:")));
    BRANT__TRY(remove_old(&self, BRANT__TEXT("role:")));
    self.changed += self.nodes.written + self.edges.written;
    brant__write_object(&detail);
    brant__access_detail(&detail, &self.edit, NULL, BRANT__NEVER);
    brant__write_integer_member(&detail, "changed", self.changed);
    BRANT__TRY(brant__access_audit(&self.edit, "access.seed", (brant__text){NULL, 0},
                                   (brant__text){NULL, 0}, &detail));
    brant__write_object(out);
    brant__write_integer_member(out, "operations", (int64_t)count);
    brant__write_integer_member(out, "roles", BRANT__LEVEL_OWNER);
    brant__write_integer_member(out, "changed", self.changed);
    brant__access_revision(&self.edit);
    brant__write_end(out);
cleanup:
    brant__access_batch_free(&self.nodes);
    brant__access_batch_free(&self.edges);
    brant__map_free(&self.wanted);
    brant__json_free(&self.json);
    brant__buffer_free(&detail.buffer);
    return status;
}
