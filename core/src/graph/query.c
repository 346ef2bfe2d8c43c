/*
 * graph/query.c: nodes and edges listed and counted.
 *
 * What has no filter and the usual order goes through statements of its own, prepared once; edges by their sources, since edges
 * have no index by graph. The rest is page.c's.
 */
#include "graph/query.h"

#define POLL_MASK 4095

/* ---- what is asked --------------------------------------------------------------------------- */

/* The member `type`: *out_any where there is none. INVALID: the graph type has no such type. */
static brant_status read_type(brant__query_input *out) {
    yyjson_val *value = brant__json_get(out->call->input, "type");
    const brant__type *type = out->graph.type;
    brant__text name = brant__json_text(value);
    bool nodes = out->kind == BRANT__NODES;
    uint32_t index = BRANT__NO_TYPE;

    out->type_index = BRANT__NO_TYPE;
    out->any_type = !value || yyjson_is_null(value);
    if (out->any_type) return BRANT_OK;
    if (type->module->typed)
        index = nodes ? brant__type_node(type, name) : brant__type_edge(type, name);
    if (index == BRANT__NO_TYPE)
        return brant__fail(BRANT_INVALID, "graph type %s has no %s type %s",
                           brant__quoted(out->call, brant__text_string(type->name)),
                           nodes ? "node" : "edge", brant__quoted(out->call, name));
    out->type_index = index;
    out->type_row = nodes ? brant__type_node_row(type, index) : brant__type_edge_row(type, index);
    return BRANT_OK;
}

static brant_status read_order(brant__query_input *out) {
    brant__text name = brant__json_get_text(out->call->input, "order_by");
    const char *reason;
    brant_status status;

    out->descending = brant__json_bool(brant__json_get(out->call->input, "descending"), false);
    out->order_given = name.data != NULL;
    out->ordered = out->descending || out->order_given;
    if (!name.data) return BRANT_OK;
    status = brant__path_parse(&out->order, &reason, out->call, out->kind, name);
    if (status == BRANT_INVALID)
        return brant__fail_detail(BRANT_INVALID, BRANT__TEXT("{\"pointer\":\"/order_by\"}"),
                                  "order_by: %s", reason);
    if (status != BRANT_OK) return status;
    return brant__path_plain(out->call, out->graph.type, out->kind, out->type_index, &out->order,
                             BRANT__TEXT("/order_by"));
}

/* The first text that has not the prefix: UTF-8 has no byte 0xFF that could overflow. */
static brant_status read_prefix(brant__query_input *out) {
    char *before;

    out->prefix = brant__json_get_text(out->call->input, "prefix");
    if (out->prefix.length == 0) return BRANT_OK;
    before = brant__arena_copy(out->call->arena, out->prefix.data, out->prefix.length);
    if (!before) return brant__fail_memory();
    before[out->prefix.length - 1] = (char)((unsigned char)before[out->prefix.length - 1] + 1);
    out->before = brant__text_of(before, out->prefix.length);
    return BRANT_OK;
}

static brant_status read_ends(brant__query_input *out) {
    brant__text source = brant__json_get_text(out->call->input, "source");
    brant__text target = brant__json_get_text(out->call->input, "target");
    brant__node_ref ref;
    brant_status status = BRANT_OK;

    out->by_source = source.data != NULL;
    out->by_target = target.data != NULL;
    if (source.data && target.data && brant__graph_undirected(&out->graph) &&
        brant__text_compare(source, target) > 0) {
        brant__text swap = source;
        source = target;
        target = swap;
    }
    if (source.data) {
        BRANT__TRY(brant__node_find(&ref, NULL, out->call, &out->graph, source));
        out->source = ref.row_id;
    }
    if (target.data) {
        BRANT__TRY(brant__node_find(&ref, NULL, out->call, &out->graph, target));
        out->target = ref.row_id;
    }
cleanup:
    return status;
}

/* Lists without filter and order keep the cursors that they had before there were any. */
static brant_status read_position(brant__query_input *out, const char *operation) {
    yyjson_val *input = out->call->input, *filter = brant__json_get(input, "filter");
    brant__buffer text = {0};
    brant_status status = BRANT_OK;

    out->list = brant__list_of(operation);
    brant__list_filter(&out->list, out->graph.id);
    brant__list_filter(&out->list, brant__json_get_text(input, "type"));
    if (out->kind == BRANT__NODES) {
        brant__list_filter(&out->list, brant__json_get_text(input, "prefix"));
    } else {
        brant__list_filter(&out->list, brant__json_get_text(input, "source"));
        brant__list_filter(&out->list, brant__json_get_text(input, "target"));
    }
    if (filter || out->ordered) {
        if (filter) brant__json_append(&text, filter);
        brant__list_filter(&out->list, filter ? brant__text_of(text.data, text.length)
                                              : (brant__text){NULL, 0});
        brant__list_filter(&out->list, brant__json_get_text(input, "order_by"));
        brant__list_filter(&out->list,
                           out->descending ? BRANT__TEXT("descending") : (brant__text){NULL, 0});
        if (text.failed) status = brant__fail_memory();
        brant__buffer_free(&text);
    }
    return status == BRANT_OK ? brant__position_read(&out->position, out->call, out->list) : status;
}

brant_status brant__query_read(brant__query_input *out, brant__call *call, int kind,
                               const char *operation) {
    brant_status status;

    *out = (brant__query_input){.call = call, .kind = kind};
    BRANT__TRY(brant__graph_find(&out->graph, call, false));
    BRANT__TRY(read_type(out));
    BRANT__TRY(brant__filter_parse_of(&out->filter, call, &out->graph, kind, out->type_index,
                                      brant__json_get(call->input, "filter"), "filter"));
    if (!operation) goto cleanup;
    BRANT__TRY(read_order(out));
    BRANT__TRY(brant__limit_read(&out->limit, call, 100, 10000));
    BRANT__TRY(kind == BRANT__NODES ? read_prefix(out) : read_ends(out));
    status = read_position(out, operation);
cleanup:
    return status;
}

bool brant__query_nothing(const brant__query_input *input) {
    return (input->by_source && !input->source) || (input->by_target && !input->target);
}

/* ---- counts ---------------------------------------------------------------------------------- */

/* Counted by the write path. */
static brant_status read_count(int64_t *out, const brant__query_input *input) {
    brant__statement *statement = NULL;
    bool row;
    brant_status status = BRANT_OK;

    *out = input->kind == BRANT__NODES ? input->graph.nodes : input->graph.edges;
    if (input->any_type) return BRANT_OK;
    if (input->kind == BRANT__NODES)
        BRANT__TRY(brant__node_statement(&statement, input->call, BRANT__NODE_COUNT));
    else
        BRANT__TRY(brant__edge_statement(&statement, input->call, BRANT__EDGE_COUNT));
    brant__bind_integer(statement, 1, input->graph.row_id);
    brant__bind_integer(statement, 2, input->type_row);
    BRANT__TRY(brant__step(&row, input->call->db, statement));
    *out = row ? brant__column_integer(statement, 0) : 0;
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status count_matches(int64_t *out, const brant__query_input *input) {
    brant__statement *statement = NULL;
    brant__buffer sql = {0};
    int parameter = 1;
    bool row;
    brant_status status;

    brant__buffer_format(&sql, "SELECT count(*)");
    BRANT__TRY(brant__query_from(&sql, input));
    if (sql.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    BRANT__TRY(brant__query_prepare(&statement, input->call, brant__text_of(sql.data, sql.length)));
    brant__query_bind(statement, input, &parameter);
    BRANT__TRY(brant__step(&row, input->call->db, statement));
    *out = row ? brant__column_integer(statement, 0) : 0;
cleanup:
    brant__reset(statement);
    brant__buffer_free(&sql);
    return status;
}

static brant_status count(brant__call *call, int kind) {
    brant__query_input input;
    int64_t number = 0;
    brant_status status;

    BRANT__TRY(brant__query_read(&input, call, kind, NULL));
    BRANT__TRY(input.filter ? count_matches(&number, &input) : read_count(&number, &input));
    brant__write_integer_object(call->out, "count", number);
cleanup:
    return status;
}

brant_status brant__node_count(brant__call *call) {
    return count(call, BRANT__NODES);
}

brant_status brant__edge_count(brant__call *call) {
    return count(call, BRANT__EDGES);
}

/* ---- nodes by key ---------------------------------------------------------------------------- */

static brant_status list_nodes(brant__page *page) {
    const brant__query_input *input = page->input;
    brant__call *call = input->call;
    brant__statement *statement = NULL;
    brant__text from = input->position.given ? input->position.text
                       : input->prefix.data  ? input->prefix
                                             : BRANT__TEXT("");
    brant_status status;
    bool row;

    BRANT__TRY(brant__node_statement(&statement, call,
                                     input->any_type ? BRANT__NODE_LIST : BRANT__NODE_LIST_TYPE));
    brant__bind_integer(statement, 1, input->graph.row_id);
    brant__bind_text(statement, 2, from);
    if (input->prefix.length > 0)
        brant__bind_text(statement, 3, input->before);
    else
        brant__bind_blob(statement, 3, "", 0);
    if (!input->any_type) brant__bind_integer(statement, 4, input->type_row);
    brant__bind_integer(statement, input->any_type ? 4 : 5,
                        input->limit + 2); /* the one before, and the one after */
    for (;;) {
        brant__text key;
        BRANT__TRY(brant__step(&row, call->db, statement));
        if (!row) break;
        key = brant__column_text(statement, 0);
        if (input->position.given && page->count == 0 && brant__text_equal(key, from)) continue;
        if (page->count == input->limit) {
            page->more = true;
            break;
        }
        BRANT__TRY(brant__write_node(call->out, call, &input->graph, statement));
        if (++page->count < input->limit) continue;
        page->position.given = true;
        page->position.text =
            brant__text_of(brant__arena_copy(call->arena, key.data, key.length), key.length);
        if (!page->position.text.data) {
            status = brant__fail_memory();
            goto cleanup;
        }
    }
cleanup:
    brant__reset(statement);
    return status;
}

/* ---- edges by their ends --------------------------------------------------------------------- */

/* The text of edges.list that stands at `which`, with the filter. */
static void edge_text(brant__buffer *sql, const brant__query_input *input, int which) {
    const char *text = brant__edge_sql(which), *at = strstr(text, " ORDER BY");

    brant__buffer_append(sql, text, (size_t)(at - text));
    if (input->filter) {
        brant__buffer_append(sql, " AND ", 5);
        brant__filter_sql(sql, input->filter, "e");
    }
    brant__buffer_append(sql, at, strlen(at));
}

static brant_status edge_statement(brant__statement **out, const brant__query_input *input,
                                   int which) {
    brant__buffer sql = {0};
    brant_status status;

    if (!input->filter) return brant__edge_statement(out, input->call, which);
    edge_text(&sql, input, which);
    status = sql.failed
                 ? brant__fail_memory()
                 : brant__query_prepare(out, input->call, brant__text_of(sql.data, sql.length));
    brant__buffer_free(&sql);
    return status;
}

static int edge_which(const brant__query_input *input) {
    if (input->by_target && !input->by_source) return BRANT__EDGE_LIST_TARGET;
    return input->any_type ? BRANT__EDGE_LIST : BRANT__EDGE_LIST_TYPE;
}

void brant__query_edge_sql(brant__buffer *sql, const brant__query_input *input) {
    edge_text(sql, input, edge_which(input));
}

/* Write the rows of a statement until the page is full; notes the last one as the position, and
 * whether there are more. */
static brant_status write_rows(brant__page *page, brant__statement *statement) {
    const brant__query_input *input = page->input;
    brant_status status;
    bool row;

    for (;;) {
        brant__text source;
        BRANT__TRY(brant__step(&row, input->call->db, statement));
        if (!row) break;
        if (page->count == input->limit) {
            page->more = true;
            break;
        }
        BRANT__TRY(brant__write_edge(input->call, &input->graph, statement));
        if (++page->count < input->limit) continue;
        source = brant__column_text(statement, 2);
        page->position = (brant__position){
            .given = true,
            .numbers = {brant__column_integer(statement, 1), brant__column_integer(statement, 9),
                        brant__column_integer(statement, 10)},
            .text = {brant__arena_copy(input->call->arena, source.data, source.length),
                     source.length},
        };
        if (!page->position.text.data) {
            status = brant__fail_memory();
            break;
        }
    }
cleanup:
    brant__reset(statement);
    return status;
}

/* The edges of one source, from the position on where it is this source's. */
static brant_status list_source(brant__page *page, brant__statement *statement, int64_t source,
                                bool here) {
    const brant__query_input *input = page->input;
    const int64_t *from = input->position.numbers;
    int parameter = 6;

    brant__bind_integer(statement, 1, source);
    if (input->by_target)
        brant__bind_integer(statement, 2, input->target);
    else
        brant__bind_null(statement, 2);
    brant__bind_integer(statement, 3, !input->any_type ? input->type_row : here ? from[0] : -1);
    brant__bind_integer(statement, 4, here ? from[1] : 0);
    brant__bind_integer(statement, 5, here ? from[2] : 0);
    brant__filter_bind(statement, input->filter, &parameter);
    brant__bind_integer(statement, parameter, input->limit - page->count + 1);
    return write_rows(page, statement);
}

static brant_status list_target(brant__page *page) {
    const brant__query_input *input = page->input;
    brant__statement *statement;
    int parameter = 6;
    brant_status status = edge_statement(&statement, input, BRANT__EDGE_LIST_TARGET);

    if (status != BRANT_OK) return status;
    brant__bind_integer(statement, 1, input->target);
    if (input->any_type)
        brant__bind_null(statement, 2);
    else
        brant__bind_integer(statement, 2, input->type_row);
    brant__bind_text(statement, 3, input->position.given ? input->position.text : BRANT__TEXT(""));
    brant__bind_integer(statement, 4, input->position.numbers[0]);
    brant__bind_integer(statement, 5, input->position.numbers[2]);
    brant__filter_bind(statement, input->filter, &parameter);
    brant__bind_integer(statement, parameter, input->limit + 1);
    return write_rows(page, statement);
}

static brant_status list_sources(brant__page *page, brant__statement *statement) {
    const brant__query_input *input = page->input;
    brant__text from = input->position.given ? input->position.text : BRANT__TEXT("");
    brant__statement *sources = NULL;
    size_t steps = 0;
    brant_status status;
    bool row;

    BRANT__TRY(brant__edge_statement(&sources, input->call, BRANT__EDGE_SOURCES));
    brant__bind_integer(sources, 1, input->graph.row_id);
    brant__bind_text(sources, 2, from);
    while (!page->more) {
        bool here;
        BRANT__TRY(brant__step(&row, input->call->db, sources));
        if (!row) break;
        if ((++steps & POLL_MASK) == 0) BRANT__TRY(brant__db_poll(input->call->db));
        here = input->position.given && steps == 1 &&
               brant__text_equal(brant__column_text(sources, 1), from);
        BRANT__TRY(list_source(page, statement, brant__column_integer(sources, 0), here));
    }
cleanup:
    brant__reset(sources);
    return status;
}

static brant_status list_edges(brant__page *page) {
    const brant__query_input *input = page->input;
    brant__statement *statement;
    brant_status status;

    if (input->by_target && !input->by_source) return list_target(page);
    status = edge_statement(&statement, input, edge_which(input));
    if (status != BRANT_OK) return status;
    return input->by_source ? list_source(page, statement, input->source, input->position.given)
                            : list_sources(page, statement);
}

/* ---- lists ----------------------------------------------------------------------------------- */

brant_status brant__query_pages(bool *out_pages, const brant__query_input *input) {
    brant__buffer sql = {0};
    brant_status status = BRANT_OK;

    *out_pages = input->ordered || (input->filter && input->kind == BRANT__NODES);
    if (*out_pages || !input->filter || input->by_source || input->by_target) return BRANT_OK;
    /* Edges that a filter picks: sorted, where an index finds them, else met in order. */
    BRANT__TRY(brant__page_sql(&sql, input));
    status = brant__plan_indexed(out_pages, input, brant__text_of(sql.data, sql.length));
cleanup:
    brant__buffer_free(&sql);
    return status;
}

static brant_status list(brant__call *call, int kind) {
    brant__query_input input;
    brant__page page = {.input = &input};
    bool pages;
    brant_status status;

    BRANT__TRY(
        brant__query_read(&input, call, kind, kind == BRANT__NODES ? "nodes.list" : "edges.list"));
    BRANT__TRY(brant__query_pages(&pages, &input));
    brant__write_object(call->out);
    brant__write_name(call->out, "items");
    brant__write_array(call->out);
    if (!brant__query_nothing(&input) &&
        (kind == BRANT__NODES ? input.graph.nodes : input.graph.edges) > 0) {
        if (pages)
            BRANT__TRY(brant__page_write(&page));
        else
            BRANT__TRY(kind == BRANT__NODES ? list_nodes(&page) : list_edges(&page));
    }
    brant__write_end(call->out);
    brant__position_write(call->out, page.more ? &page.position : NULL, input.list);
    brant__write_end(call->out);
cleanup:
    return status;
}

brant_status brant__node_list(brant__call *call) {
    return list(call, BRANT__NODES);
}

brant_status brant__edge_list(brant__call *call) {
    return list(call, BRANT__EDGES);
}
