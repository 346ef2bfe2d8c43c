/*
 * access/write.c: rows of an access graph, read for those who write it, and written (write.h).
 */
#include "access/write.h"

#include "access/derive.h"
#include "event/event.h"
#include "graph/remove.h"
#include "identity/audit.h"
#include "identity/membership.h"

#define BATCH 500 /* items of one write */

enum { NODE, EDGE, EDGES_OUT, EDGES_IN, NODES_FROM, STATEMENT_COUNT };

#define ARC(other)                                                                                 \
    "SELECT e.row_id, e.attributes, e.metadata, n.key, n.type, n.row_id FROM edges e "             \
    "CROSS JOIN nodes n ON n.row_id = e." other

static const char *const sql[STATEMENT_COUNT] = {
    [NODE] = "SELECT row_id, key, type, attributes FROM nodes WHERE graph = :graph AND key = :key",
    [EDGE] = "SELECT row_id, attributes, metadata FROM edges INDEXED BY edges_out WHERE source = "
             ":source AND type = :type AND target = :target ORDER BY row_id LIMIT 1",
    [EDGES_OUT] = (ARC("target") " WHERE e.source = :node AND e.type = :type"
                                 " ORDER BY e.target, e.row_id"),
    [EDGES_IN] =
        (ARC("source") " WHERE e.target = :node AND e.type = :type ORDER BY e.source, e.row_id"),
    [NODES_FROM] = "SELECT row_id, key, type, attributes FROM nodes WHERE graph = :graph AND key "
                   ">= :from AND key < :before ORDER BY key",
};
const brant__statements brant__access_write_statements = {BRANT__TABLE_ACCESS_WRITE,
                                                          STATEMENT_COUNT, sql};

static brant_status get(brant__statement **out, const brant__access_edit *edit, int which) {
    return brant__statement_get(out, edit->call->db, &brant__access_write_statements,
                                (size_t)which);
}

/* ---- the graph --------------------------------------------------------------------------------------- */

static bool is_access(const brant__graph *graph) {
    return strcmp(graph->type->name, "access") == 0;
}

static brant_status look_again(brant__access_edit *edit) {
    const brant__text name = edit->graph.name;

    return brant__graph_find_name(&edit->graph, edit->call, name, BRANT__TO_WRITE);
}

static brant_status make_graph(brant__access_edit *edit) {
    const brant__text none = {NULL, 0};
    brant__writer input = {0};
    brant_status status;

    brant__write_object(&input);
    brant__write_text_member(&input, "name", edit->graph.name);
    brant__write_text_member(&input, "graph_type", BRANT__TEXT("access"));
    brant__write_bool_member(&input, "changes", true);
    brant__write_end(&input);
    BRANT__TRY(brant__access_run(edit, brant__graph_create, &input.buffer));
    /* Of a tenant's the members are asked for: so that its groups are there to be given something. */
    if (brant__hub_of(edit->call->db)) {
        BRANT__TRY(brant__access_derive(NULL, edit->call, none, none));
        status = look_again(edit);
    }
cleanup:
    brant__buffer_free(&input.buffer);
    return status;
}

brant_status brant__access_begin(brant__access_edit *out, brant__call *call) {
    const brant__text given = brant__json_get_text(call->input, "graph");
    const brant__text name = given.data ? given : BRANT__ACCESS_GRAPH;
    brant_status status;

    *out = (brant__access_edit){.call = call, .now = brant__db_now(call->db)};
    BRANT__TRY(brant__actor_read(&out->actor, call));
    status = brant__graph_find_name(&out->graph, call, name, BRANT__TO_WRITE);
    if (status == BRANT_NOT_FOUND) {
        (void)brant__error_code();
        out->graph.name = name;
        status = make_graph(out);
    }
    if (status == BRANT_OK && !is_access(&out->graph))
        status = brant__fail(BRANT_INVALID, "graph %s is of graph type %s, not access",
                             brant__quoted(call, name),
                             brant__quoted(call, brant__text_string(out->graph.type->name)));
cleanup:
    return status;
}

brant_status brant__access_begin_at(bool *out_found, brant__access_edit *out, brant__call *call,
                                    brant__text name) {
    brant_status status;

    *out = (brant__access_edit){.call = call,
                                .now = brant__db_now(call->db),
                                .actor = {.type = BRANT__TEXT("system"), .trusted = true}};
    status = brant__graph_find_name(&out->graph, call, name, BRANT__TO_WRITE);
    *out_found = status == BRANT_OK && is_access(&out->graph);
    if (status != BRANT_NOT_FOUND) return status;
    (void)brant__error_code();
    return BRANT_OK;
}

/* ---- reading rows --------------------------------------------------------------------------------------- */

/* row_id, key, type, attributes */
static brant_status read_node(brant__access_entity *out, const brant__access_edit *edit,
                              brant__statement *row) {
    brant__arena *arena = edit->call->arena;
    uint32_t type;
    brant_status status;

    BRANT__TRY(brant__read_type(&type, &edit->graph, BRANT__NODES, brant__column_integer(row, 2)));
    BRANT__TRY(brant__arena_text(&out->key, arena, brant__column_text(row, 1)));
    BRANT__TRY(brant__arena_text(&out->attributes, arena, brant__column_text(row, 3)));
    out->type = brant__type_node_name(edit->graph.type, type);
    out->row_id = brant__column_integer(row, 0);
cleanup:
    return status;
}

brant_status brant__access_entity_find(brant__access_entity *out, const brant__access_edit *edit,
                                       brant__text key) {
    brant__statement *statement = NULL;
    bool row;
    brant_status status;

    *out = (brant__access_entity){.key = key};
    BRANT__TRY(get(&statement, edit, NODE));
    brant__bind_integer(statement, 1, edit->graph.row_id);
    brant__bind_text(statement, 2, key);
    BRANT__TRY(brant__step(&row, edit->call->db, statement));
    if (row) status = read_node(out, edit, statement);
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__access_entity_need(brant__access_entity *out, const brant__access_edit *edit,
                                       brant__text key) {
    const brant_status status = brant__access_entity_find(out, edit, key);

    if (status != BRANT_OK || out->row_id) return status;
    return brant__node_missing(edit->call, &edit->graph, key);
}

brant_status brant__access_entities_from(brant__statement **out, const brant__access_edit *edit,
                                         brant__text prefix) {
    char *after = brant__arena_copy(edit->call->arena, prefix.data, prefix.length);
    brant_status status;

    *out = NULL;
    if (!after) return brant__fail_memory();
    after[prefix.length - 1]++;
    status = get(out, edit, NODES_FROM);
    if (status != BRANT_OK) return status;
    brant__bind_integer(*out, 1, edit->graph.row_id);
    brant__bind_text(*out, 2, prefix);
    brant__bind_text(*out, 3, brant__text_of(after, prefix.length));
    return BRANT_OK;
}

brant_status brant__access_entity_next(bool *out_found, brant__access_entity *node,
                                       const brant__access_edit *edit,
                                       brant__statement *statement) {
    brant_status status = brant__step(out_found, edit->call->db, statement);

    if (status == BRANT_OK && *out_found) status = read_node(node, edit, statement);
    return status;
}

static brant_status copy_scopes(brant__scopes *out, brant__arena *arena, yyjson_val *array) {
    brant_status status = brant__scopes_read(out, arena, array, "/scopes");

    for (size_t i = 0; i < out->count && status == BRANT_OK; i++)
        status = brant__arena_text(&out->items[i], arena, out->items[i]);
    return status;
}

static int64_t read_time(yyjson_val *attributes, const char *name) {
    return brant__json_integer(brant__json_get(attributes, name), BRANT__NEVER);
}

static brant_status read_edge(brant__access_link *out, const brant__access_edit *edit,
                              int64_t row_id, brant__text attributes, brant__text metadata) {
    brant__arena *arena = edit->call->arena;
    brant__json json = {0};
    brant__text text;
    brant_status status;

    *out = BRANT__ACCESS_LINK_NONE;
    BRANT__TRY(brant__json_parse(&json, attributes.data, attributes.length, 0));
    BRANT__TRY(copy_scopes(&out->scopes, arena, brant__json_get(json.root, "scopes")));
    out->expires_at = read_time(json.root, "expires_at");
    out->revoked_at = read_time(json.root, "revoked_at");
    out->max_depth = brant__json_integer(brant__json_get(json.root, "max_depth"), 0);
    out->may_redelegate = brant__json_bool(brant__json_get(json.root, "may_redelegate"), false);
    out->derived = brant__json_bool(brant__json_get(json.root, "derived"), false);
    out->pending =
        brant__text_equal(brant__json_get_text(json.root, "state"), BRANT__TEXT("pending"));
    text = brant__json_get_text(json.root, "level");
    if (text.data) BRANT__TRY(brant__arena_text(&out->level, arena, text));
    text = brant__json_get_text(json.root, "delegation_id");
    if (text.data) BRANT__TRY(brant__arena_text(&out->delegation_id, arena, text));
    if (!brant__text_equal(metadata, BRANT__TEXT("{}"))) {
        BRANT__TRY(brant__json_parse(&json, metadata.data, metadata.length, 0));
        if (copy_scopes(&out->seeded, arena, brant__json_get(json.root, "seeded")) != BRANT_OK) {
            status = brant__error_code();
            if (status != BRANT_INVALID) { /* what somebody wrote there by other ways is nothing */
                status = brant__fail_memory();
                goto cleanup;
            }
            out->seeded = (brant__scopes){NULL, 0};
            status = BRANT_OK;
        }
        out->was_seeded = out->seeded.count > 0;
        if (brant__json_bool(brant__json_get(json.root, "derived"), false)) out->derived = true;
    }
    out->row_id = row_id;
cleanup:
    brant__json_free(&json);
    return status;
}

static int64_t edge_type(const brant__access_edit *edit, const char *type) {
    const uint32_t index = brant__type_edge(edit->graph.type, brant__text_string(type));

    return index == BRANT__NO_TYPE ? -1 : brant__type_edge_row(edit->graph.type, index);
}

brant_status brant__access_link_find(brant__access_link *out, const brant__access_edit *edit,
                                     const brant__access_entity *source, const char *type,
                                     const brant__access_entity *target) {
    brant__statement *statement = NULL;
    bool row;
    brant_status status;

    *out = BRANT__ACCESS_LINK_NONE;
    if (!source->row_id || !target->row_id) return BRANT_OK;
    BRANT__TRY(get(&statement, edit, EDGE));
    brant__bind_integer(statement, 1, source->row_id);
    brant__bind_integer(statement, 2, edge_type(edit, type));
    brant__bind_integer(statement, 3, target->row_id);
    BRANT__TRY(brant__step(&row, edit->call->db, statement));
    if (row)
        status = read_edge(out, edit, brant__column_integer(statement, 0),
                           brant__column_text(statement, 1), brant__column_text(statement, 2));
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__access_links(brant__statement **out, const brant__access_edit *edit,
                                 int64_t node, const char *type, int direction) {
    brant_status status;

    *out = NULL;
    status = get(out, edit, direction == BRANT__ACCESS_OUT ? EDGES_OUT : EDGES_IN);
    if (status != BRANT_OK) return status;
    brant__bind_integer(*out, 1, node);
    brant__bind_integer(*out, 2, edge_type(edit, type));
    return BRANT_OK;
}

brant_status brant__access_link_next(bool *out_found, brant__access_link *edge,
                                     brant__access_entity *other, const brant__access_edit *edit,
                                     brant__statement *statement) {
    uint32_t type;
    brant_status status;

    *other = (brant__access_entity){.row_id = 0};
    BRANT__TRY(brant__step(out_found, edit->call->db, statement));
    if (!*out_found) goto cleanup;
    BRANT__TRY(read_edge(edge, edit, brant__column_integer(statement, 0),
                         brant__column_text(statement, 1), brant__column_text(statement, 2)));
    BRANT__TRY(brant__arena_text(&other->key, edit->call->arena, brant__column_text(statement, 3)));
    BRANT__TRY(
        brant__read_type(&type, &edit->graph, BRANT__NODES, brant__column_integer(statement, 4)));
    other->type = brant__type_node_name(edit->graph.type, type);
    other->row_id = brant__column_integer(statement, 5);
cleanup:
    return status;
}

brant_status brant__access_arcs(brant__access_arc **out, size_t *out_count,
                                const brant__access_edit *edit, int64_t node, const char *type,
                                int direction) {
    brant__statement *statement = NULL;
    brant__access_arc *list = NULL;
    size_t count = 0, room = 0;
    bool found;
    brant_status status;

    *out = NULL;
    *out_count = 0;
    BRANT__TRY(brant__access_links(&statement, edit, node, type, direction));
    for (;;) {
        brant__access_arc *grown = brant__grow(list, &room, count, sizeof(*list));
        if (!grown) {
            status = brant__fail_memory();
            goto cleanup;
        }
        list = grown;
        if ((count & 255) == 255) BRANT__TRY(brant__db_poll(edit->call->db));
        BRANT__TRY(brant__access_link_next(&found, &list[count].link, &list[count].other, edit,
                                           statement));
        if (!found) break;
        count++;
    }
    *out = brant__arena_alloc(edit->call->arena, (count + 1) * sizeof(*list));
    if (!*out) {
        status = brant__fail_memory();
        goto cleanup;
    }
    memcpy(*out, list, count * sizeof(*list));
    *out_count = count;
cleanup:
    brant__free(list);
    brant__reset(statement);
    return status;
}

/* ---- writing rows ---------------------------------------------------------------------------------------- */

brant_status brant__access_run(brant__access_edit *edit, brant__handler handler,
                               const brant__buffer *input) {
    brant__writer answer = {0};
    brant__json json = {0};
    brant__call call = {.db = edit->call->db, .out = &answer, .arena = edit->call->arena};
    brant_status status;

    if (input->failed) return brant__fail_memory();
    BRANT__TRY(brant__json_parse(&json, input->data, input->length,
                                 BRANT__JSON_DEPTH + BRANT__JSON_AROUND));
    call.input = json.root;
    BRANT__TRY(handler(&call));
    status = answer.buffer.failed ? brant__fail_memory() : look_again(edit);
cleanup:
    brant__json_free(&json);
    brant__buffer_free(&answer.buffer);
    return status;
}

brant__writer *brant__access_item(brant__access_batch *batch) {
    if (batch->count++ == 0) {
        brant__buffer_reset(&batch->items.buffer);
        batch->items = (brant__writer){.buffer = batch->items.buffer};
        brant__write_object(&batch->items);
        brant__write_text_member(&batch->items, "graph", batch->edit->graph.name);
        brant__write_name(&batch->items, "items");
        brant__write_array(&batch->items);
    }
    brant__write_object(&batch->items);
    return &batch->items;
}

brant_status brant__access_batch_end(brant__access_batch *batch) {
    brant_status status;

    if (batch->count == 0) return BRANT_OK;
    brant__write_end(&batch->items);
    brant__write_end(&batch->items);
    status = brant__access_run(batch->edit, batch->handler, &batch->items.buffer);
    batch->written += (int64_t)batch->count;
    batch->count = 0;
    return status;
}

brant_status brant__access_item_end(brant__access_batch *batch) {
    const size_t most = brant__db_limits(batch->edit->call->db)->batch;

    brant__write_end(&batch->items);
    return batch->count < BATCH && batch->count < most ? BRANT_OK : brant__access_batch_end(batch);
}

void brant__access_batch_free(brant__access_batch *batch) {
    brant__buffer_free(&batch->items.buffer);
}

void brant__access_link_write(brant__writer *out, brant__text source, const char *type,
                              brant__text target, const brant__access_link *edge) {
    const bool role = strcmp(type, "HasRole") == 0;

    brant__write_text_member(out, "source", source);
    brant__write_text_member(out, "type", brant__text_string(type));
    brant__write_text_member(out, "target", target);
    brant__write_name(out, "attributes");
    brant__write_object(out);
    if (edge->scopes.count) brant__scopes_write_member(out, "scopes", &edge->scopes);
    if (edge->expires_at != BRANT__NEVER)
        brant__write_integer_member(out, "expires_at", edge->expires_at);
    if (edge->max_depth) brant__write_integer_member(out, "max_depth", edge->max_depth);
    if (edge->may_redelegate) brant__write_bool_member(out, "may_redelegate", true);
    if (edge->revoked_at != BRANT__NEVER)
        brant__write_integer_member(out, "revoked_at", edge->revoked_at);
    if (edge->pending) brant__write_text_member(out, "state", BRANT__TEXT("pending"));
    if (edge->delegation_id.data)
        brant__write_text_member(out, "delegation_id", edge->delegation_id);
    if (edge->derived && !role) brant__write_bool_member(out, "derived", true);
    if (edge->level.data) brant__write_text_member(out, "level", edge->level);
    brant__write_end(out);
    if (edge->seeded.count || (role && edge->derived)) {
        brant__write_name(out, "metadata");
        brant__write_object(out);
        if (edge->seeded.count) brant__scopes_write_member(out, "seeded", &edge->seeded);
        if (role && edge->derived) brant__write_bool_member(out, "derived", true);
        brant__write_end(out);
    } else if (edge->was_seeded) {
        brant__write_name(out, "metadata");
        brant__write_raw(out, BRANT__TEXT("{}"));
    }
}

brant_status brant__access_entity_put(brant__access_entity *out, brant__access_edit *edit,
                                      brant__text key, const char *type, brant__text attributes) {
    brant__writer input = {0};
    brant_status status;

    brant__write_object(&input);
    brant__write_text_member(&input, "graph", edit->graph.name);
    brant__write_text_member(&input, "key", key);
    brant__write_text_member(&input, "type", brant__text_string(type));
    brant__write_name(&input, "attributes");
    brant__write_raw(&input, attributes);
    brant__write_end(&input);
    BRANT__TRY(brant__access_run(edit, brant__node_put, &input.buffer));
    status = brant__access_entity_need(out, edit, key);
cleanup:
    brant__buffer_free(&input.buffer);
    return status;
}

brant_status brant__access_resource(brant__access_entity *out, brant__access_edit *edit,
                                    brant__text key) {
    const char *colon = memchr(key.data, ':', key.length);
    brant__writer attributes = {0};
    brant_status status;

    BRANT__TRY(brant__access_entity_find(out, edit, key));
    if (out->row_id) goto cleanup;
    brant__write_object(&attributes);
    if (colon && colon != key.data)
        brant__write_text_member(&attributes, "kind",
                                 brant__text_of(key.data, (size_t)(colon - key.data)));
    brant__write_end(&attributes);
    status = attributes.buffer.failed
                 ? brant__fail_memory()
                 : brant__access_entity_put(
                       out, edit, key, "Resource",
                       brant__text_of(attributes.buffer.data, attributes.buffer.length));
cleanup:
    brant__buffer_free(&attributes.buffer);
    return status;
}

brant_status brant__access_link_put(brant__access_link *edge, brant__access_edit *edit,
                                    const brant__access_entity *source, const char *type,
                                    const brant__access_entity *target) {
    brant__access_link made;
    brant__writer input = {0};
    brant_status status;

    brant__write_object(&input);
    brant__write_text_member(&input, "graph", edit->graph.name);
    brant__access_link_write(&input, source->key, type, target->key, edge);
    brant__write_end(&input);
    BRANT__TRY(brant__access_run(edit, brant__edge_put, &input.buffer));
    BRANT__TRY(brant__access_link_find(&made, edit, source, type, target));
    edge->row_id = made.row_id;
cleanup:
    brant__buffer_free(&input.buffer);
    return status;
}

brant_status brant__access_links_remove(brant__access_edit *edit, const int64_t *rows,
                                        size_t count) {
    brant__removal removal = {.call = edit->call};
    bool found;
    brant_status status = BRANT_OK;

    if (count == 0) return BRANT_OK;
    BRANT__TRY(brant__removal_begin(&removal, edit->call, &edit->graph));
    for (size_t i = 0; i < count; i++) {
        if ((i & 255) == 255) BRANT__TRY(brant__db_poll(edit->call->db));
        BRANT__TRY(brant__remove_edge(&found, &removal, rows[i]));
    }
    status = brant__removal_end(&removal);
cleanup:
    brant__removal_free(&removal);
    return status;
}

brant_status brant__access_entity_remove(int64_t *out_edges, brant__access_edit *edit,
                                         const brant__access_entity *node) {
    brant__removal removal = {.call = edit->call};
    bool all;
    brant_status status;

    *out_edges = 0;
    BRANT__TRY(brant__removal_begin(&removal, edit->call, &edit->graph));
    BRANT__TRY(brant__remove_edges_of(&all, &removal, node->row_id, INT64_MAX));
    BRANT__TRY(brant__remove_node(&removal, node->row_id, node->key,
                                  brant__type_node(edit->graph.type, node->type)));
    BRANT__TRY(brant__removal_end(&removal));
    *out_edges = removal.edges;
cleanup:
    brant__removal_free(&removal);
    return status;
}

/* ---- telling --------------------------------------------------------------------------------------------- */

void brant__access_detail(brant__writer *out, const brant__access_edit *edit,
                          const brant__scopes *scopes, int64_t expires_at) {
    brant__write_text_member(out, "graph", edit->graph.name);
    if (scopes && scopes->count) brant__scopes_write_member(out, "scopes", scopes);
    if (expires_at != BRANT__NEVER) brant__write_integer_member(out, "expires_at", expires_at);
}

brant_status brant__access_audit(brant__access_edit *edit, const char *action, brant__text org_id,
                                 brant__text resource, brant__writer *detail) {
    brant__write_end(detail);
    if (detail->buffer.failed) return brant__fail_memory();
    return brant__audit_append(edit->call, &edit->actor, action, org_id, resource,
                               brant__text_of(detail->buffer.data, detail->buffer.length));
}

brant_status brant__access_delegation_changed(brant__access_edit *edit, brant__text principal,
                                              brant__text agent) {
    brant__writer payload = {0};
    brant_status status;

    brant__write_object(&payload);
    brant__write_text_member(&payload, "principal_id", principal);
    brant__write_text_member(&payload, "agent_id", agent);
    brant__write_end(&payload);
    status = payload.buffer.failed
                 ? brant__fail_memory()
                 : brant__notify(NULL, edit->call->db, BRANT__TEXT("acl:delegation_changed"),
                                 brant__text_of(payload.buffer.data, payload.buffer.length));
    brant__buffer_free(&payload.buffer);
    return status;
}

void brant__access_revision(brant__access_edit *edit) {
    brant__write_integer_member(edit->call->out, "revision", edit->graph.changes);
}

brant_status brant__access_answer_edge(brant__access_edit *edit, int64_t row_id) {
    brant__writer *out = edit->call->out;
    brant_status status;

    brant__write_object(out);
    brant__write_name(out, "edge");
    status = brant__write_edge_of_row(edit->call, &edit->graph, row_id);
    brant__access_revision(edit);
    brant__write_end(out);
    return status;
}

/* ---- input ------------------------------------------------------------------------------------------------- */

brant_status brant__access_scopes(brant__scopes *out, brant__call *call) {
    const brant_status status =
        brant__scopes_read(out, call->arena, brant__json_get(call->input, "scopes"), "/scopes");

    if (status == BRANT_OK) brant__scopes_reduce(out);
    return status;
}

brant_status brant__access_expiry(int64_t *out, const brant__access_edit *edit) {
    yyjson_val *given = brant__json_get(edit->call->input, "expires_at");

    *out = brant__json_integer(given, BRANT__NEVER);
    if (!given || *out > edit->now) return BRANT_OK;
    return brant__fail(BRANT_INVALID, "/expires_at has passed");
}
