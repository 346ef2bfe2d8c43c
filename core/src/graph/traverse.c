/*
 * graph/traverse.c: one step from a node: its neighbours, through the indexes. Further ways are
 * closure.c.
 */
#include <stdlib.h>

#include "graph/internal.h"

/* edges first: the order of the loops is ours, SQLite keeps it for CROSS JOIN. */
#define NEIGHBOR_COLUMNS "e.key, e.type, n.key, n.type, e.attributes, n.row_id, e.row_id"
#define BY_TARGET        "edges e CROSS JOIN nodes n ON n.row_id = e.target"
#define BY_SOURCE        "edges e CROSS JOIN nodes n ON n.row_id = e.source"

static const char *const sql[BRANT__TRAVERSE_STATEMENTS] = {
    [BRANT__NEIGHBORS_OUT] =
        ("SELECT " NEIGHBOR_COLUMNS " FROM " BY_TARGET " WHERE e.source = :node"
         " AND (e.type, e.target, e.row_id) > (:type, :other, :row) ORDER BY "
         "e.type, e.target, e.row_id LIMIT :limit"),
    [BRANT__NEIGHBORS_OUT_TYPE] =
        ("SELECT " NEIGHBOR_COLUMNS " FROM " BY_TARGET " WHERE e.source = :node AND e.type = :type"
         " AND (e.target, e.row_id) > (:other, :row) ORDER BY e.target, e.row_id LIMIT :limit"),
    /* Without `loops` a self-loop is left out: it was among those that go out. */
    [BRANT__NEIGHBORS_IN] =
        ("SELECT " NEIGHBOR_COLUMNS " FROM " BY_SOURCE " WHERE e.target = :node"
         " AND (e.type, e.source, e.row_id) > (:type, :other, :row) AND (:loops "
         "OR e.source <> :node)"
         " ORDER BY e.type, e.source, e.row_id LIMIT :limit"),
    [BRANT__NEIGHBORS_IN_TYPE] =
        ("SELECT " NEIGHBOR_COLUMNS " FROM " BY_SOURCE " WHERE e.target = :node AND e.type = :type"
         " AND (e.source, e.row_id) > (:other, :row) AND (:loops OR e.source <> :node)"
         " ORDER BY e.source, e.row_id LIMIT :limit"),
    /* In mixed graphs, of the other direction's edges only these; a self-loop is among that direction's own. */
    [BRANT__NEIGHBORS_UNDIRECTED_OUT] =
        ("SELECT " NEIGHBOR_COLUMNS " FROM " BY_TARGET " WHERE e.source = :node"
         " AND (e.type, e.target, e.row_id) > (:type, :other, :row) AND e.orientation & 1"
         " AND e.target <> :node ORDER BY e.type, e.target, e.row_id LIMIT :limit"),
    [BRANT__NEIGHBORS_UNDIRECTED_OUT_TYPE] =
        ("SELECT " NEIGHBOR_COLUMNS " FROM " BY_TARGET " WHERE e.source = :node AND e.type = :type"
         " AND (e.target, e.row_id) > (:other, :row) AND e.orientation & 1 AND e.target <> :node"
         " ORDER BY e.target, e.row_id LIMIT :limit"),
    [BRANT__NEIGHBORS_UNDIRECTED_IN] =
        ("SELECT " NEIGHBOR_COLUMNS " FROM " BY_SOURCE " WHERE e.target = :node"
         " AND (e.type, e.source, e.row_id) > (:type, :other, :row) AND e.orientation & 1"
         " AND e.source <> :node ORDER BY e.type, e.source, e.row_id LIMIT :limit"),
    [BRANT__NEIGHBORS_UNDIRECTED_IN_TYPE] =
        ("SELECT " NEIGHBOR_COLUMNS " FROM " BY_SOURCE " WHERE e.target = :node AND e.type = :type"
         " AND (e.source, e.row_id) > (:other, :row) AND e.orientation & 1 AND e.source <> :node"
         " ORDER BY e.source, e.row_id LIMIT :limit"),
    [BRANT__WALK_OUT] = "SELECT e.target, e.type FROM edges e WHERE e.source = :node",
    [BRANT__WALK_IN] = "SELECT e.source, e.type FROM edges e WHERE e.target = :node",
    [BRANT__ARCS_OUT] = "SELECT target FROM edges WHERE source = :node",
    [BRANT__ARCS_IN] = "SELECT source FROM edges WHERE target = :node",
    [BRANT__ALL_NODES] = "SELECT row_id, key FROM nodes WHERE graph = :graph ORDER BY key",
    [BRANT__ALL_ARCS] =
        ("SELECT source, type, target, row_id FROM edges INDEXED BY edges_out WHERE source "
         "BETWEEN :first AND :last"),
    [BRANT__ARCS_OF] = "SELECT source, type, target, row_id FROM edges WHERE source = :source "
                       "ORDER BY type, target, row_id",
    /* With whether they are undirected, which no index knows. */
    [BRANT__ALL_ARCS_MIXED] = ("SELECT source, type, target, row_id, orientation & 1 FROM edges "
                               "INDEXED BY edges_out WHERE source BETWEEN :first AND :last"),
    [BRANT__ARCS_OF_MIXED] = "SELECT source, type, target, row_id, orientation & 1 FROM edges "
                             "WHERE source = :source ORDER BY type, target, row_id",
    [BRANT__NODE_KEY] = "SELECT key FROM nodes WHERE row_id = :row_id",
    [BRANT__NODE_ROW] = ("SELECT key, type, attributes, metadata, revision, created_at, updated_at "
                         "FROM nodes WHERE row_id = :row_id"),
    [BRANT__EDGE_NAME] = "SELECT key FROM edges WHERE row_id = :row_id",
    [BRANT__EDGE_NAMED] = ("SELECT 1 FROM edges INDEXED BY edges_key WHERE graph = :graph AND key "
                           "IS NOT NULL LIMIT 1"),
    [BRANT__EDGE_ATTRIBUTES] = "SELECT attributes FROM edges WHERE row_id = :row_id",
    [BRANT__EDGE_METADATA] = "SELECT metadata FROM edges WHERE row_id = :row_id",
};
static const brant__statements statements = {BRANT__TABLE_TRAVERSE, BRANT__TRAVERSE_STATEMENTS,
                                             sql};

brant_status brant__traverse_statement(brant__statement **out, brant__call *call, int which) {
    return brant__statement_get(out, call->db, &statements, (size_t)which);
}

/* ---- input ----------------------------------------------------------------------------------- */

brant_status brant__read_direction(int *out, brant__call *call, const brant__graph *graph) {
    brant__text direction = brant__json_get_text(call->input, "direction");

    *out = BRANT__GO_OUT;
    if (brant__text_equal(direction, BRANT__TEXT("in")))
        *out = BRANT__GO_IN;
    else if (brant__text_equal(direction, BRANT__TEXT("both")))
        *out = BRANT__GO_OUT | BRANT__GO_IN;
    else if (direction.data && !brant__text_equal(direction, BRANT__TEXT("out")))
        return brant__fail(BRANT_INVALID, "direction is none of out, in, both");
    if (brant__graph_undirected(graph)) *out = BRANT__GO_OUT | BRANT__GO_IN;
    return BRANT_OK;
}

brant_status brant__read_types(uint8_t **out, brant__call *call, const brant__graph *graph) {
    yyjson_val *names = brant__json_get(call->input, "edge_types"), *name;
    size_t index, count, types = graph->type->module->edge_type_count + 1;

    *out = NULL;
    if (!names || yyjson_is_null(names)) return BRANT_OK;
    *out = brant__arena_alloc(call->arena, types);
    if (!*out) return brant__fail_memory();
    memset(*out, 0, types);
    yyjson_arr_foreach(names, index, count, name) {
        uint32_t type = graph->type->module->typed
                            ? brant__type_edge(graph->type, brant__json_text(name))
                            : BRANT__NO_TYPE;
        if (type == BRANT__NO_TYPE)
            return brant__fail(BRANT_INVALID, "graph type %s has no edge type %s",
                               brant__quoted(call, brant__text_string(graph->type->name)),
                               brant__quoted(call, brant__json_text(name)));
        (*out)[type] = 1;
    }
    return BRANT_OK;
}

/* ---- neighbours ------------------------------------------------------------------------------ */

typedef struct neighbor_page {
    brant__call *call;
    brant__graph graph;
    brant__text key;
    int64_t node;
    int directions;
    int64_t limit;
    int64_t count;
    bool more;
    brant__position position;
} neighbor_page;

static brant_status write_neighbors(neighbor_page *page, brant__statement *statement, int section) {
    brant__writer *out = page->call->out;
    brant_status status;
    bool row;

    for (;;) {
        brant__edge_ends ends;
        brant__text other, name;
        uint32_t type;
        BRANT__TRY(brant__step(&row, page->call->db, statement));
        if (!row) break;
        if (page->count == page->limit) {
            page->more = true;
            break;
        }
        other = brant__column_text(statement, 2);
        ends.key = brant__column_text(statement, 0);
        ends.source = section ? other : page->key;
        ends.target = section ? page->key : other;
        BRANT__TRY(brant__read_type(&ends.type, &page->graph, BRANT__EDGES,
                                    brant__column_integer(statement, 1)));
        BRANT__TRY(brant__read_type(&type, &page->graph, BRANT__NODES,
                                    brant__column_integer(statement, 3)));
        name = brant__type_node_name(page->graph.type, type);
        brant__write_object(out);
        brant__write_text_member(out, "key", other);
        brant__write_name(out, "type");
        brant__write_text_or_null(out, name);
        brant__write_name(out, "edge");
        brant__write_object(out);
        BRANT__TRY(brant__write_edge_start(out, page->call, &page->graph, &ends,
                                           brant__column_text(statement, 4)));
        brant__write_end(out);
        brant__write_end(out);
        page->count++;
        page->position = (brant__position){
            .given = true,
            .section = (uint8_t)section,
            .numbers = {brant__column_integer(statement, 1), brant__column_integer(statement, 5),
                        brant__column_integer(statement, 6)},
        };
    }
cleanup:
    brant__reset(statement);
    return status;
}

/* The edges of one direction: all, or those of one type (`type_row` not negative), after a place.
 */
static brant_status list_neighbors(neighbor_page *page, int section, int64_t type_row,
                                   const int64_t after[3]) {
    bool whole = (page->directions & (section ? BRANT__GO_IN : BRANT__GO_OUT)) != 0;
    int which = section ? (whole ? BRANT__NEIGHBORS_IN : BRANT__NEIGHBORS_UNDIRECTED_IN)
                        : (whole ? BRANT__NEIGHBORS_OUT : BRANT__NEIGHBORS_UNDIRECTED_OUT);
    brant__statement *statement;
    int parameter = 1;
    brant_status status;

    if (type_row >= 0) which++;
    status = brant__traverse_statement(&statement, page->call, which);
    if (status != BRANT_OK) return status;
    brant__bind_integer(statement, parameter++, page->node);
    brant__bind_integer(statement, parameter++, type_row >= 0 ? type_row : after[0]);
    brant__bind_integer(statement, parameter++, after[1]);
    brant__bind_integer(statement, parameter++, after[2]);
    if (section && whole)
        brant__bind_integer(statement, parameter++, !(page->directions & BRANT__GO_OUT));
    brant__bind_integer(statement, parameter, page->limit - page->count + 1);
    return write_neighbors(page, statement, section);
}

static int compare_integers(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

brant_status brant__node_neighbors(brant__call *call) {
    brant__list list = brant__list_of("nodes.neighbors");
    neighbor_page page = {.call = call, .key = brant__json_get_text(call->input, "key")};
    brant__position begin;
    int64_t *types = NULL;
    size_t type_count = 0;
    uint8_t *wanted;
    brant__node_ref ref;
    brant_status status;

    BRANT__TRY(brant__graph_find(&page.graph, call, false));
    BRANT__TRY(brant__limit_read(&page.limit, call, 1000, 10000));
    BRANT__TRY(brant__read_direction(&page.directions, call, &page.graph));
    BRANT__TRY(brant__read_types(&wanted, call, &page.graph));
    brant__list_filter(&list, page.graph.id);
    brant__list_filter(&list, page.key);
    brant__list_filter(&list, brant__text_of((const char *)&(char){(char)page.directions}, 1));
    if (wanted) {
        size_t count = page.graph.type->module->edge_type_count;
        types = brant__arena_alloc(call->arena, (count + 1) * sizeof(*types));
        if (!types) {
            status = brant__fail_memory();
            goto cleanup;
        }
        for (uint32_t i = 0; i < count; i++)
            if (wanted[i]) types[type_count++] = brant__type_edge_row(page.graph.type, i);
        qsort(types, type_count, sizeof(*types), compare_integers);
        for (size_t i = 0; i < type_count; i++) {
            brant__text name = brant__type_edge_name(
                page.graph.type, brant__type_edge_of_row(page.graph.type, types[i]));
            brant__list_filter(&list, name);
        }
    }
    BRANT__TRY(brant__position_read(&begin, call, list));
    BRANT__TRY(brant__node_find(&ref, NULL, call, &page.graph, page.key));
    if (!ref.row_id) {
        status = brant__node_missing(call, &page.graph, page.key);
        goto cleanup;
    }
    page.node = ref.row_id;
    brant__write_object(call->out);
    brant__write_name(call->out, "items");
    brant__write_array(call->out);
    for (int section = 0; section < 2 && !page.more; section++) {
        static const int64_t first[3] = {-1, 0, 0};
        if ((!(page.directions & (section ? BRANT__GO_IN : BRANT__GO_OUT)) &&
             !brant__graph_mixed(&page.graph)) ||
            (begin.given && section < begin.section))
            continue;
        bool here = begin.given && section == begin.section;
        if (!wanted) {
            BRANT__TRY(list_neighbors(&page, section, -1, here ? begin.numbers : first));
            continue;
        }
        for (size_t i = 0; i < type_count && !page.more; i++) {
            if (here && types[i] < begin.numbers[0]) continue;
            BRANT__TRY(
                list_neighbors(&page, section, types[i],
                               here && types[i] == begin.numbers[0] ? begin.numbers : first));
        }
    }
    brant__write_end(call->out);
    brant__position_write(call->out, page.more ? &page.position : NULL, list);
    brant__write_end(call->out);
cleanup:
    return status;
}
