/*
 * graph/graph.c: graphs: looked up by name, created, changed, marked deleted, and their counts.
 * Removing them for good is purge.c.
 *
 * graphs.nodes, graphs.edges and graph_counts are kept by the write path: each operation adds once
 * what it did.
 */
#include "graph/change.h"
#include "graph/type.h"

enum {
    GRAPH_FIND,
    GRAPH_ROW,
    GRAPH_LIST,
    GRAPH_INSERT,
    GRAPH_UPDATE,
    GRAPH_CHANGED,
    GRAPH_COUNTED,
    GRAPH_MARK,
    STATEMENT_COUNT
};

#define GRAPH_COLUMNS                                                                              \
    "g.row_id, g.id, g.name, t.name, g.owner_id, g.project_id, g.status, g.metadata, g.nodes, "    \
    "g.edges,"                                                                                     \
    " g.created_at, g.updated_at, g.change_stream IS NOT NULL, t.scope"

static const char *const sql[STATEMENT_COUNT] = {
    /* Everything that an operation on nodes or edges asks of its graph. */
    [GRAPH_FIND] =
        ("SELECT g.row_id, g.id, g.owner_id, g.status, g.nodes, g.edges, g.shape, t.row_id, t.id, "
         "t.changes, t.name, g.changes, t.version, g.change_stream, t.scope"
         " FROM graphs g JOIN graph_types t ON t.row_id = g.graph_type WHERE g.name = :name"),
    [GRAPH_ROW] =
        ("SELECT " GRAPH_COLUMNS
         " FROM graphs g JOIN graph_types t ON t.row_id = g.graph_type WHERE g.name = :name"),
    [GRAPH_LIST] =
        ("SELECT " GRAPH_COLUMNS
         " FROM graphs g CROSS JOIN graph_types t ON t.row_id = g.graph_type"
         " WHERE g.name > :after AND (:graph_type IS NULL OR t.name = :graph_type) AND (:status IS "
         "NULL AND g.status <> 'deleted' OR g.status = :status)"
         " ORDER BY g.name LIMIT :limit"),
    [GRAPH_INSERT] =
        ("INSERT INTO graphs (id, name, graph_type, owner_id, project_id, status, metadata, "
         "created_at, updated_at, changed_at)"
         " VALUES (:id, :name, :graph_type, :owner_id, :project_id, :status, :metadata, :now, "
         ":now, :now)"),
    /* What is not given stays; owner and project can be given as NULL. */
    [GRAPH_UPDATE] =
        ("UPDATE graphs SET owner_id = CASE WHEN :owner_given THEN :owner_id ELSE owner_id END,"
         " project_id = CASE WHEN :project_given THEN :project_id ELSE project_id END,"
         " status = coalesce(:status, status), metadata = coalesce(:metadata, metadata), "
         "updated_at = :now, changed_at = :now"
         " WHERE row_id = :row_id"),
    [GRAPH_CHANGED] =
        ("UPDATE graphs SET nodes = nodes + :nodes, edges = edges + :edges, changes = "
         "changes + 1, shape = shape + :shape, changed_at = coalesce(:now, changed_at)"
         " WHERE row_id = :row_id"),
    [GRAPH_COUNTED] =
        ("INSERT INTO graph_counts (graph, kind, type, count) VALUES (:graph, :kind, :type, "
         ":change)"
         " ON CONFLICT (graph, kind, type) DO UPDATE SET count = count + excluded.count"),
    [GRAPH_MARK] = ("UPDATE graphs SET status = :status, updated_at = :now, changed_at = CASE WHEN "
                    ":quiet THEN changed_at ELSE :now END WHERE row_id = :row_id"),
};
static const brant__statements statements = {BRANT__TABLE_GRAPH, STATEMENT_COUNT, sql};

static brant_status get(brant__statement **out, brant__call *call, int which) {
    return brant__statement_get(out, call->db, &statements, (size_t)which);
}

static brant_status fail_missing(brant__call *call, brant__text name) {
    return brant__fail(BRANT_NOT_FOUND, "no graph %s", brant__quoted(call, name));
}

/* ---- for nodes and edges --------------------------------------------------------------------- */

/* {NULL, 0} for NULL. */
static brant_status copy_column(brant__text *out, brant__call *call, brant__statement *row,
                                int column) {
    *out = brant__column_text(row, column);
    if (!out->data) return BRANT_OK;
    out->data = brant__arena_copy(call->arena, out->data, out->length);
    return out->data ? BRANT_OK : brant__fail_memory();
}

/* Whether a session may see the graph: asked with texts of its own, since the answer may read graphs, too. */
static brant_status check_session(bool *out_visible, brant__call *call, brant__text name,
                                  brant__text owner_id, brant__text type, brant__text scope) {
    const brant__session *session = brant__db_session(call->db);
    brant__session_graph graph = {.name = name};

    *out_visible = true;
    if (BRANT__LIKELY(!session)) return BRANT_OK;
    if (owner_id.data) {
        graph.owner_id = brant__text_of(
            brant__arena_copy(call->arena, owner_id.data, owner_id.length), owner_id.length);
        if (!graph.owner_id.data) return brant__fail_memory();
    }
    graph.type =
        brant__text_of(brant__arena_copy(call->arena, type.data, type.length), type.length);
    graph.scope =
        brant__text_of(brant__arena_copy(call->arena, scope.data, scope.length), scope.length);
    if (!graph.type.data || !graph.scope.data) return brant__fail_memory();
    return session->rules->graph(out_visible, call, session, &graph);
}

brant_status brant__graph_find_name(brant__graph *out, brant__call *call, brant__text name,
                                    int use) {
    brant__statement *statement = NULL;
    brant__text stored;
    brant_status status;
    bool found, visible;

    *out = (brant__graph){0};
    BRANT__TRY(get(&statement, call, GRAPH_FIND));
    brant__bind_text(statement, 1, name);
    BRANT__TRY(brant__step(&found, call->db, statement));
    if (found) {
        stored = brant__column_text(statement, 3);
        out->archived = brant__text_equal(stored, BRANT__TEXT("archived"));
        out->deleted = brant__text_equal(stored, BRANT__TEXT("deleted"));
    }
    if (!found || (out->deleted && use != BRANT__ANY_STATUS)) {
        status = fail_missing(call, name);
        goto cleanup;
    }
    out->row_id = brant__column_integer(statement, 0);
    out->name = name;
    BRANT__TRY(copy_column(&out->id, call, statement, 1));
    BRANT__TRY(copy_column(&out->owner_id, call, statement, 2));
    BRANT__TRY(copy_column(&out->change_stream, call, statement, 13));
    out->nodes = brant__column_integer(statement, 4);
    out->edges = brant__column_integer(statement, 5);
    out->shape = brant__column_integer(statement, 6);
    out->changes = brant__column_integer(statement, 11);
    status = brant__type_load(&out->type, call->db, brant__column_integer(statement, 7),
                              brant__column_text(statement, 8), brant__column_integer(statement, 9),
                              brant__column_text(statement, 10));
    out->version = brant__column_integer(statement, 12);
    if (status != BRANT_OK) goto cleanup;
    BRANT__TRY(check_session(&visible, call, name, out->owner_id, brant__column_text(statement, 10),
                             brant__column_text(statement, 14)));
    if (!visible)
        status = fail_missing(call, name);
    else if (use == BRANT__TO_WRITE && out->archived)
        status = brant__fail(BRANT_CONSTRAINT, "graph %s is archived", brant__quoted(call, name));
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__graph_find(brant__graph *out_graph, brant__call *call, bool write) {
    const brant_status status =
        brant__graph_find_name(out_graph, call, brant__json_get_text(call->input, "graph"),
                               write ? BRANT__TO_WRITE : BRANT__TO_READ);

    /* Nobody knows whether what was to be written there is a secret. */
    if (write && status != BRANT_OK) brant__db_secret(call->db);
    return status;
}

brant_status brant__graph_changed(brant__call *call, brant__graph *graph, int64_t nodes,
                                  int64_t edges, bool shape) {
    brant__statement *statement;
    brant_status status = brant__change_end(graph);

    if (status == BRANT_OK) status = get(&statement, call, GRAPH_CHANGED);
    if (status != BRANT_OK) return status;
    brant__bind_integer(statement, 1, nodes);
    brant__bind_integer(statement, 2, edges);
    brant__bind_integer(statement, 3, shape);
    if (graph->kept_time)
        brant__bind_null(statement, 4);
    else
        brant__bind_integer(statement, 4, brant__db_now(call->db));
    brant__bind_integer(statement, 5, graph->row_id);
    status = brant__run(call->db, statement);
    if (status != BRANT_OK) return status;
    graph->nodes += nodes;
    graph->edges += edges;
    graph->shape += shape;
    graph->changes++;
    return BRANT_OK;
}

brant_status brant__graph_counted(brant__call *call, const brant__graph *graph, int kind,
                                  int64_t type_row, int64_t change) {
    brant__statement *statement;
    brant_status status;

    if (change == 0) return BRANT_OK;
    status = get(&statement, call, GRAPH_COUNTED);
    if (status != BRANT_OK) return status;
    brant__bind_integer(statement, 1, graph->row_id);
    brant__bind_integer(statement, 2, kind);
    brant__bind_integer(statement, 3, type_row);
    brant__bind_integer(statement, 4, change);
    return brant__run(call->db, statement);
}

/* ---- operations ------------------------------------------------------------------------------ */

static void write_member(brant__writer *out, const char *name, brant__statement *row, int column) {
    brant__write_name(out, name);
    brant__write_text_or_null(out, brant__column_text(row, column));
}

static void write_number(brant__writer *out, const char *name, brant__statement *row, int column) {
    brant__write_integer_member(out, name, brant__column_integer(row, column));
}

static void write_row(brant__writer *out, brant__statement *row) {
    brant__write_object(out);
    write_member(out, "id", row, 1);
    write_member(out, "name", row, 2);
    write_member(out, "graph_type", row, 3);
    write_member(out, "owner_id", row, 4);
    write_member(out, "project_id", row, 5);
    write_member(out, "status", row, 6);
    brant__write_name(out, "metadata");
    brant__write_raw(out, brant__column_text(row, 7));
    write_number(out, "nodes", row, 8);
    write_number(out, "edges", row, 9);
    write_number(out, "created_at", row, 10);
    write_number(out, "updated_at", row, 11);
    brant__write_bool_member(out, "changes", brant__column_integer(row, 12) != 0);
    brant__write_end(out);
}

static brant_status answer(brant__call *call, brant__text name) {
    brant__statement *statement = NULL;
    brant_status status;
    bool found;

    BRANT__TRY(get(&statement, call, GRAPH_ROW));
    brant__bind_text(statement, 1, name);
    BRANT__TRY(brant__step(&found, call->db, statement));
    if (found)
        write_row(call->out, statement);
    else
        status = fail_missing(call, name);
cleanup:
    brant__reset(statement);
    return status;
}

/* The members that create and update share. `given` where the member is there at all. */
typedef struct members {
    bool owner_given;
    bool project_given;
    brant__text owner_id;
    brant__text project_id;
    brant__text status;
    brant__text metadata; /* JSON in the call's arena */
} members;

static brant_status read_members(members *out, brant__call *call) {
    yyjson_val *owner = brant__json_get(call->input, "owner_id");
    yyjson_val *project = brant__json_get(call->input, "project_id");
    yyjson_val *metadata = brant__json_get(call->input, "metadata");

    *out = (members){
        .owner_given = owner != NULL,
        .project_given = project != NULL,
        .owner_id = brant__json_text(owner),
        .project_id = brant__json_text(project),
        .status = brant__json_get_text(call->input, "status"),
    };
    if (out->status.data && !brant__text_equal(out->status, BRANT__TEXT("draft")) &&
        !brant__text_equal(out->status, BRANT__TEXT("active")) &&
        !brant__text_equal(out->status, BRANT__TEXT("archived")))
        return brant__fail(BRANT_INVALID, "status is none of draft, active, archived");
    if (metadata) {
        brant__buffer text = {0};
        if (!yyjson_is_obj(metadata))
            return brant__fail(BRANT_INVALID, "metadata is not an object");
        brant__json_append(&text, metadata);
        out->metadata.length = text.length;
        out->metadata.data =
            text.failed ? NULL : brant__arena_copy(call->arena, text.data, text.length);
        brant__buffer_free(&text);
        if (!out->metadata.data) return brant__fail_memory();
    }
    return BRANT_OK;
}

/* A graph of scope user belongs to the session that creates it. */
static brant_status own_new(members *given, brant__call *call, brant__text name) {
    const brant__session *session = brant__db_session(call->db);
    brant__type_row row;
    brant_status status;

    if (BRANT__LIKELY(!session)) return BRANT_OK;
    BRANT__TRY(brant__type_row_need(&row, call, brant__json_get_text(call->input, "graph_type")));
    if (!given->owner_given && brant__text_equal(row.scope, BRANT__TEXT("user")))
        given->owner_id = session->id;
    status = session->rules->owner(call, session, name, (brant__text){NULL, 0}, given->owner_id);
cleanup:
    return status;
}

/* Nobody but its owner gives a graph away, and nobody takes one. */
static brant_status own_again(const members *given, brant__call *call, const brant__graph *graph) {
    const brant__session *session = brant__db_session(call->db);

    if (BRANT__LIKELY(!session) || !given->owner_given) return BRANT_OK;
    if (given->owner_id.data
            ? graph->owner_id.data && brant__text_equal(given->owner_id, graph->owner_id)
            : !graph->owner_id.data)
        return BRANT_OK;
    return session->rules->owner(call, session, graph->name,
                                 graph->owner_id.data ? graph->owner_id : BRANT__TEXT(""),
                                 given->owner_id);
}

brant_status brant__graph_create(brant__call *call) {
    brant__text name = brant__json_get_text(call->input, "name");
    brant__statement *statement = NULL;
    const brant__type *type;
    brant__graph graph;
    members given;
    bool found;
    char id[37];
    brant_status status;

    BRANT__TRY(brant__name_check(call->db, "the graph's name", name));
    BRANT__TRY(read_members(&given, call));
    BRANT__TRY(own_new(&given, call, name));
    BRANT__TRY(get(&statement, call, GRAPH_ROW));
    brant__bind_text(statement, 1, name);
    BRANT__TRY(brant__step(&found, call->db, statement));
    brant__reset(statement);
    if (found) {
        status =
            brant__fail(BRANT_EXISTS, "a graph is named %s already", brant__quoted(call, name));
        goto cleanup;
    }
    BRANT__TRY(
        brant__type_find(&type, call, brant__json_get_text(call->input, "graph_type"), true));
    BRANT__TRY(brant__db_uuid(call->db, id));
    BRANT__TRY(get(&statement, call, GRAPH_INSERT));
    brant__bind_text(statement, 1, brant__text_of(id, 36));
    brant__bind_text(statement, 2, name);
    brant__bind_integer(statement, 3, type->row_id);
    brant__bind_text(statement, 4, given.owner_id);
    brant__bind_text(statement, 5, given.project_id);
    brant__bind_text(statement, 6, given.status.data ? given.status : BRANT__TEXT("active"));
    brant__bind_text(statement, 7, given.metadata.data ? given.metadata : BRANT__TEXT("{}"));
    brant__bind_integer(statement, 8, brant__db_now(call->db));
    BRANT__TRY(brant__run(call->db, statement));
    graph = (brant__graph){.row_id = brant__last_row_id(call->db),
                           .id = {id, 36},
                           .name = name,
                           .owner_id = given.owner_id,
                           .type = type};
    if (brant__db_session(call->db)) /* may it write such a graph? */
        BRANT__TRY(brant__graph_find_name(&graph, call, name, BRANT__TO_READ));
    BRANT__TRY(brant__change_switch(
        call, &graph, brant__json_bool(brant__json_get(call->input, "changes"), false)));
    BRANT__TRY(brant__announce_graph(call, &graph, "graph:created", (brant__text){NULL, 0}));
    status = answer(call, name);
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__graph_get(brant__call *call) {
    const brant__text name = brant__json_get_text(call->input, "name");
    brant__graph graph;
    brant_status status = BRANT_OK;

    if (brant__db_session(call->db))
        status = brant__graph_find_name(&graph, call, name, BRANT__ANY_STATUS);
    return status == BRANT_OK ? answer(call, name) : status;
}

/* What a session may not have is left out, for whatever reason; pages are the shorter for it. */
static brant_status check_listed(bool *out_visible, brant__call *call, brant__statement *row) {
    const brant_status status =
        check_session(out_visible, call, brant__column_text(row, 2), brant__column_text(row, 4),
                      brant__column_text(row, 3), brant__column_text(row, 13));

    if (status != BRANT_DENIED) return status;
    *out_visible = false;
    (void)brant__error_code();
    return BRANT_OK;
}

brant_status brant__graph_list(brant__call *call) {
    brant__text graph_type = brant__json_get_text(call->input, "graph_type");
    brant__text wanted = brant__json_get_text(call->input, "status");
    brant__list list = brant__list_of("graphs.list");
    brant__statement *statement = NULL;
    brant__position position;
    int64_t limit, count = 0;
    bool row, visible;
    brant_status status;

    brant__list_filter(&list, graph_type);
    brant__list_filter(&list, wanted);
    BRANT__TRY(brant__limit_read(&limit, call, 100, 10000));
    BRANT__TRY(brant__position_read(&position, call, list));
    BRANT__TRY(get(&statement, call, GRAPH_LIST));
    brant__bind_text(statement, 1, position.given ? position.text : BRANT__TEXT(""));
    brant__bind_text(statement, 2, graph_type);
    brant__bind_text(statement, 3, wanted);
    brant__bind_integer(statement, 4, limit + 1);
    brant__write_object(call->out);
    brant__write_name(call->out, "items");
    brant__write_array(call->out);
    for (;;) {
        brant__text name;
        BRANT__TRY(brant__step(&row, call->db, statement));
        if (!row || count == limit) break;
        BRANT__TRY(check_listed(&visible, call, statement));
        if (visible) write_row(call->out, statement);
        if (++count < limit) continue;
        name = brant__column_text(statement, 2);
        position.text =
            brant__text_of(brant__arena_copy(call->arena, name.data, name.length), name.length);
        if (!position.text.data) {
            status = brant__fail_memory();
            goto cleanup;
        }
    }
    brant__write_end(call->out);
    brant__position_write(call->out, row ? &position : NULL, list);
    brant__write_end(call->out);
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__graph_update(brant__call *call) {
    brant__text name = brant__json_get_text(call->input, "name");
    yyjson_val *logged = brant__json_get(call->input, "changes");
    brant__statement *statement = NULL;
    brant__writer changes = {0};
    brant__graph graph;
    members given;
    brant_status status;

    BRANT__TRY(read_members(&given, call));
    BRANT__TRY(brant__graph_find_name(&graph, call, name, BRANT__ANY_STATUS));
    if (graph.deleted && !given.status.data) { /* only a status brings it back */
        status = fail_missing(call, name);
        goto cleanup;
    }
    BRANT__TRY(own_again(&given, call, &graph));
    BRANT__TRY(get(&statement, call, GRAPH_UPDATE));
    brant__bind_integer(statement, 1, given.owner_given);
    brant__bind_text(statement, 2, given.owner_id);
    brant__bind_integer(statement, 3, given.project_given);
    brant__bind_text(statement, 4, given.project_id);
    brant__bind_text(statement, 5, given.status);
    brant__bind_text(statement, 6, given.metadata);
    brant__bind_integer(statement, 7, brant__db_now(call->db));
    brant__bind_integer(statement, 8, graph.row_id);
    BRANT__TRY(brant__run(call->db, statement));
    if (logged) BRANT__TRY(brant__change_switch(call, &graph, brant__json_bool(logged, false)));

    brant__write_array(&changes);
    if (given.owner_given) {
        graph.owner_id = given.owner_id;
        brant__write_text(&changes, BRANT__TEXT("owner_id"));
    }
    if (given.project_given) brant__write_text(&changes, BRANT__TEXT("project_id"));
    if (given.status.data) brant__write_text(&changes, BRANT__TEXT("status"));
    if (given.metadata.data) brant__write_text(&changes, BRANT__TEXT("metadata"));
    if (logged) brant__write_text(&changes, BRANT__TEXT("changes"));
    brant__write_end(&changes);
    if (changes.buffer.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    BRANT__TRY(brant__announce_graph(call, &graph, "graph:updated",
                                     brant__text_of(changes.buffer.data, changes.buffer.length)));
    status = answer(call, name);
cleanup:
    brant__reset(statement);
    brant__buffer_free(&changes.buffer);
    return status;
}

/* ---- deleting -------------------------------------------------------------------------------- */

brant_status brant__graph_mark(brant__call *call, brant__graph *graph, const char *wanted) {
    brant__statement *statement;
    bool deleted = strcmp(wanted, "deleted") == 0;
    brant_status status = get(&statement, call, GRAPH_MARK);

    if (status != BRANT_OK) return status;
    brant__bind_text(statement, 1, brant__text_string(wanted));
    brant__bind_integer(statement, 2, brant__db_now(call->db));
    brant__bind_integer(statement, 3, graph->kept_time);
    brant__bind_integer(statement, 4, graph->row_id);
    status = brant__run(call->db, statement);
    if (status != BRANT_OK) return status;
    graph->deleted = deleted;
    return brant__announce_graph(call, graph, deleted ? "graph:deleted" : "graph:updated",
                                 deleted ? (brant__text){NULL, 0} : BRANT__TEXT("[\"status\"]"));
}

brant_status brant__graph_delete(brant__call *call) {
    brant__graph graph;
    brant_status status;

    BRANT__TRY(brant__graph_find_name(&graph, call, brant__json_get_text(call->input, "name"),
                                      BRANT__TO_READ));
    BRANT__TRY(brant__graph_mark(call, &graph, "deleted"));
    brant__write_object(call->out);
    brant__write_bool_member(call->out, "deleted", true);
    brant__write_integer_member(call->out, "nodes", graph.nodes);
    brant__write_integer_member(call->out, "edges", graph.edges);
    brant__write_end(call->out);
cleanup:
    return status;
}
