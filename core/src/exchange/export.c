/*
 * exchange/export.c: graphs.export: the pages of a document.
 *
 * Nodes by key, then edges by source's key, type, target's key, then in order of creation. A cursor says where the document stands and of which state of the graph it is: `changes`
 * of the graph's row, so that the pages that are joined show one graph. Formats (brant__export_format)
 * append to the page's text.
 */
#include "exchange/internal.h"
#include "graph/seal.h"

#define PAGE_ITEMS   10000
#define PAGE_MAXIMUM 1000000
#define PAGE_BYTES   ((size_t)8 << 20) /* a page ends after the item that passes it */
#define POLL_MASK    1023

enum { AT_NODES = 1, AT_EDGES = 2 };

static const brant__export_format *const formats[] = {
    &brant__graphology_format, &brant__node_link_format, &brant__ndjson_format,
    &brant__csv_format,        &brant__graphml_format,   &brant__dot_format,
    &brant__mermaid_format,    &brant__otlp_format,      &brant__memory_format,
};

brant_status brant__export_refuse(brant__export *export, const brant__export_item *item,
                                  const char *why) {
    if (!item->source.data)
        return brant__fail(BRANT_CONSTRAINT, "%s cannot carry node %s: %s", export->format->name,
                           brant__quoted(export->call, item->key), why);
    return brant__fail(BRANT_CONSTRAINT, "%s cannot carry the edge from %s to %s: %s",
                       export->format->name, brant__quoted(export->call, item->source),
                       brant__quoted(export->call, item->target), why);
}

/* ---- rows ------------------------------------------------------------------------------------ */

#define NODE_COLUMNS "n.key, n.type, n.attributes, n.metadata, n.row_id"
#define EDGE_COLUMNS                                                                               \
    "e.key, e.type, e.attributes, e.metadata, e.row_id, s.key, t.key, e.orientation, e.source, "   \
    "e.target"
#define EDGE_TABLES                                                                                \
    "nodes s CROSS JOIN edges e ON e.source = s.row_id CROSS JOIN nodes t ON t.row_id = e.target"

enum { ALL_NODES, REST_OF_SOURCE, FURTHER_SOURCES };

/* Prepared and bound: from `position` on, NULL: all. */
static brant_status rows(brant__statement **out, brant__export *export, int which,
                         const brant__position *position) {
    brant__buffer sql = {0};
    brant__text after = position && position->text.data ? position->text : BRANT__TEXT("");
    size_t source = which == ALL_NODES || !position ? after.length : (size_t)position->numbers[1];
    int parameter = 1;
    brant_status status;

    *out = NULL;
    if (source > after.length)
        return brant__fail(BRANT_INVALID, "the cursor is not one of this list");
    after.length = source;
    if (which == ALL_NODES) {
        brant__buffer_format(&sql, "SELECT " NODE_COLUMNS
                                   " FROM nodes n WHERE n.graph = ? AND n.key > ? AND ");
        brant__filter_sql(&sql, export->filter, "n");
        brant__buffer_format(&sql, " ORDER BY n.key");
    } else {
        brant__buffer_format(
            &sql, "SELECT " EDGE_COLUMNS " FROM " EDGE_TABLES " WHERE s.graph = ? AND s.key %s ?%s",
            which == REST_OF_SOURCE ? "=" : ">",
            which == REST_OF_SOURCE ? " AND (e.type, t.key, e.row_id) > (?, ?, ?)" : "");
        if (export->filter) {
            brant__buffer_format(&sql, " AND ");
            brant__filter_sql(&sql, export->filter, "s");
            brant__buffer_format(&sql, " AND ");
            brant__filter_sql(&sql, export->filter, "t");
        }
        brant__buffer_format(&sql, " AND ");
        brant__filter_sql(&sql, export->edge_filter, "e");
        brant__buffer_format(&sql, " ORDER BY s.key, e.type, t.key, e.row_id");
    }
    if (sql.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    BRANT__TRY(brant__query_prepare(out, export->call, brant__text_of(sql.data, sql.length)));
    brant__bind_integer(*out, parameter++, export->graph.row_id);
    brant__bind_text(*out, parameter++, after);
    if (which == REST_OF_SOURCE) {
        brant__bind_integer(*out, parameter++, position->numbers[0]);
        brant__bind_text(
            *out, parameter++,
            brant__text_of(position->text.data + source, position->text.length - source));
        brant__bind_integer(*out, parameter++, position->numbers[2]);
    }
    brant__filter_bind(*out, export->filter, &parameter);
    if (which != ALL_NODES) {
        brant__filter_bind(*out, export->filter, &parameter);
        brant__filter_bind(*out, export->edge_filter, &parameter);
    }
cleanup:
    brant__buffer_free(&sql);
    return status;
}

brant_status brant__export_all(brant__statement **out, brant__export *export, int kind) {
    return rows(out, export, kind == BRANT__NODES ? ALL_NODES : FURTHER_SOURCES, NULL);
}

/* An undirected edge of a mixed graph whose key is what edges.put makes of ends and type. */
static bool made_key(const brant__graph *graph, const brant__export_item *item) {
    static const char end[] = ",\"undirected\"]";
    const size_t length = sizeof(end) - 1;

    return brant__graph_mixed(graph) && !brant__graph_multi(graph) && item->undirected &&
           item->key.length > length && item->key.data[0] == '[' &&
           memcmp(item->key.data + item->key.length - length, end, length) == 0;
}

static brant_status read_row(brant__export_item *out, brant__json *json, brant__export *export,
                             brant__statement *row, int kind) {
    uint32_t type;
    brant_status status =
        brant__read_type(&type, &export->graph, kind, brant__column_integer(row, 1));

    if (status != BRANT_OK) return status;
    *out = (brant__export_item){
        .key = brant__column_text(row, 0),
        .type = kind == BRANT__NODES ? brant__type_node_name(export->graph.type, type)
                                     : brant__type_edge_name(export->graph.type, type),
        .attributes_text = brant__column_text(row, 2),
        .metadata = brant__column_text(row, 3),
        .row_id = brant__column_integer(row, 4),
    };
    if (brant__text_equal(out->metadata, BRANT__TEXT("{}"))) out->metadata = (brant__text){NULL, 0};
    if (kind == BRANT__EDGES) {
        int64_t orientation = brant__column_integer(row, 7);
        bool turned = (orientation & BRANT__ENDS_TURNED) != 0;
        out->undirected =
            (orientation & BRANT__UNDIRECTED_EDGE) != 0 || brant__graph_undirected(&export->graph);
        out->source = brant__column_text(row, turned ? 6 : 5);
        out->target = brant__column_text(row, turned ? 5 : 6);
        out->source_row = brant__column_integer(row, turned ? 9 : 8);
        out->target_row = brant__column_integer(row, turned ? 8 : 9);
        if (out->key.data && made_key(&export->graph, out)) out->key = (brant__text){NULL, 0};
    }
    status = brant__export_redact(&out->attributes_text, export, kind, type);
    if (status != BRANT_OK) return status;
    status = brant__json_parse(json, out->attributes_text.data, out->attributes_text.length, 0);
    out->attributes = json->root;
    return status;
}

brant_status brant__export_redact(brant__text *text, brant__export *export, int kind,
                                  uint32_t type) {
    brant_status status;

    if (BRANT__LIKELY(!brant__type_encrypts(export->graph.type, kind, type))) return BRANT_OK;
    brant__buffer_reset(&export->redacted);
    status = brant__redact_append(&export->redacted, export->graph.type, kind, type, *text);
    *text = brant__text_of(export->redacted.data, export->redacted.length);
    return status;
}

/* ---- pages ----------------------------------------------------------------------------------- */

typedef struct export_page {
    brant__export *export;
    brant__json json;
    int64_t limit;
    int64_t count;
    bool full;
    /* Of the last item. Text: its key; of an edge the keys of source, which is numbers[1] bytes long, and target; before and after are type and row. */
    brant__position position;
    brant__buffer key;
} export_page;

static brant_status note_position(export_page *page, brant__statement *row, int kind) {
    brant__text key = brant__column_text(row, kind == BRANT__NODES ? 0 : 5);

    brant__buffer_reset(&page->key);
    brant__buffer_append(&page->key, key.data, key.length);
    if (kind == BRANT__EDGES) {
        page->position.numbers[1] = (int64_t)key.length;
        key = brant__column_text(row, 6);
        brant__buffer_append(&page->key, key.data, key.length);
    }
    if (page->key.failed) return brant__fail_memory();
    page->position.text = brant__text_of(page->key.data, page->key.length);
    if (kind == BRANT__NODES) return BRANT_OK;
    page->position.numbers[0] = brant__column_integer(row, 1);
    page->position.numbers[2] = brant__column_integer(row, 4);
    return BRANT_OK;
}

static brant_status write_rows(export_page *page, int which, int kind) {
    brant__export *export = page->export;
    brant__statement *statement = NULL;
    brant__export_item item;
    brant_status status;
    bool row;

    BRANT__TRY(rows(&statement, export, which, &page->position));
    for (;;) {
        if (page->count == page->limit || export->text.length >= PAGE_BYTES) {
            page->full = true;
            break;
        }
        BRANT__TRY(brant__step(&row, export->call->db, statement));
        if (!row) break;
        BRANT__TRY(read_row(&item, &page->json, export, statement, kind));
        item.first = page->position.text.length == 0;
        BRANT__TRY(kind == BRANT__NODES ? export->format->node(export, &item)
                                        : export->format->edge(export, &item));
        if (export->text.failed || export->item.buffer.failed) {
            status = brant__fail_memory();
            goto cleanup;
        }
        BRANT__TRY(note_position(page, statement, kind));
        if ((++page->count & POLL_MASK) == 0) BRANT__TRY(brant__db_poll(export->call->db));
    }
cleanup:
    brant__reset(statement);
    return status;
}

/* As far as the page goes; ends with page->full, or the document. */
static brant_status write_page(export_page *page) {
    brant__export *export = page->export;
    brant_status status = BRANT_OK;

    if (!page->position.given) {
        BRANT__TRY(export->format->begin(export));
        page->position = (brant__position){.given = true, .section = AT_NODES};
    }
    if (page->position.section == AT_NODES) {
        export->after = page->position.text;
        if (export->nodes) BRANT__TRY(write_rows(page, ALL_NODES, BRANT__NODES));
        if (page->full) goto cleanup;
        export->after = page->position.text;
        if (export->format->middle) BRANT__TRY(export->format->middle(export));
        page->position = (brant__position){.given = true, .section = AT_EDGES};
    }
    if (export->edges) {
        if (page->position.text.length > 0)
            BRANT__TRY(write_rows(page, REST_OF_SOURCE, BRANT__EDGES));
        if (!page->full) BRANT__TRY(write_rows(page, FURTHER_SOURCES, BRANT__EDGES));
        if (page->full) goto cleanup;
    }
    if (export->format->end) BRANT__TRY(export->format->end(export));
cleanup:
    return status;
}

/* ---- cursors --------------------------------------------------------------------------------- */

/* The text of a cursor: the graph's changes, the columns, the key: a line each. The key comes last, it may have lines. */
static brant_status read_cursor(export_page *page, brant__list list, int64_t changes) {
    brant__export *export = page->export;
    brant__buffer now = {0};
    brant__text text;
    const char *line, *names;
    brant_status status;

    BRANT__TRY(brant__position_read(&page->position, export->call, list));
    if (!page->position.given) goto cleanup;
    text = page->position.text;
    brant__buffer_format(&now, "%lld", (long long)changes);
    if (now.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    line = memchr(text.data, '\n', text.length);
    names = line ? memchr(line + 1, '\n', text.length - (size_t)(line + 1 - text.data)) : NULL;
    if (!names || (page->position.section != AT_NODES && page->position.section != AT_EDGES)) {
        status = brant__fail(BRANT_INVALID, "the cursor is not one of this list");
        goto cleanup;
    }
    if (!brant__text_equal(brant__text_of(text.data, (size_t)(line - text.data)),
                           brant__text_of(now.data, now.length))) {
        status = brant__fail(BRANT_CONFLICT,
                             "graph %s changed since its export began: begin again, or export in a "
                             "transaction",
                             brant__quoted(export->call, export->graph.name));
        goto cleanup;
    }
    export->columns = brant__text_of(line + 1, (size_t)(names - line - 1));
    page->position.text = brant__text_of(names + 1, text.length - (size_t)(names + 1 - text.data));
cleanup:
    brant__buffer_free(&now);
    return status;
}

static brant_status write_cursor(export_page *page, brant__list list, int64_t changes) {
    brant__export *export = page->export;
    brant__buffer text = {0};
    brant_status status = BRANT_OK;

    if (!page->full) {
        brant__position_write(export->call->out, NULL, list);
        return BRANT_OK;
    }
    brant__buffer_format(&text, "%lld\n", (long long)changes);
    brant__buffer_append(&text, export->columns.data, export->columns.length);
    brant__buffer_append_byte(&text, '\n');
    brant__buffer_append(&text, page->position.text.data, page->position.text.length);
    if (text.failed) {
        status = brant__fail_memory();
    } else {
        page->position.text = brant__text_of(text.data, text.length);
        brant__position_write(export->call->out, &page->position, list);
    }
    brant__buffer_free(&text);
    return status;
}

/* ---- the operation --------------------------------------------------------------------------- */

static brant_status read_format(brant__export *export) {
    brant__text name = brant__json_get_text(export->call->input, "format");
    brant__text part = brant__json_get_text(export->call->input, "part");
    brant__text edges = brant__json_get_text(export->call->input, "edges");

    for (size_t i = 0; i < BRANT__COUNT(formats); i++)
        if (brant__text_equal(name, brant__text_string(formats[i]->name)))
            export->format = formats[i];
    if (!export->format) return brant__fail(BRANT_INVALID, "no such format");
    export->nodes = export->edges = true;
    if (export->format == &brant__csv_format) {
        if (!part.data) return brant__fail(BRANT_INVALID, "csv needs part: nodes or edges");
        export->nodes = brant__text_equal(part, BRANT__TEXT("nodes"));
        export->edges = !export->nodes;
    } else if (part.data) {
        return brant__fail(BRANT_INVALID, "part is for csv");
    }
    if (export->format == &brant__otlp_format) {
        export->edges = false; /* spans tell them */
        if (strcmp(export->graph.type->name, "call") != 0)
            return brant__fail(
                BRANT_CONSTRAINT, "otlp is for graphs of type call, %s is of type %s",
                brant__quoted(export->call, export->graph.name), export->graph.type->name);
    }
    if (export->format == &brant__memory_format && strcmp(export->graph.type->name, "memory") != 0)
        return brant__fail(
            BRANT_CONSTRAINT, "memory is for graphs of type memory, %s is of type %s",
            brant__quoted(export->call, export->graph.name), export->graph.type->name);
    if (edges.data && export->format != &brant__node_link_format)
        return brant__fail(BRANT_INVALID, "edges is for node_link");
    export->edges_name = brant__text_equal(edges, BRANT__TEXT("links")) ? "links" : "edges";
    return BRANT_OK;
}

static void list_value(brant__list *list, yyjson_val *value) {
    brant__buffer text = {0};

    if (value) brant__json_append(&text, value);
    brant__list_filter(list, value ? brant__text_of(text.data ? text.data : "", text.length)
                                   : (brant__text){NULL, 0});
    brant__buffer_free(&text);
}

static brant_status read_graph(brant__export *export, int64_t *out_changes) {
    brant__statement *statement = NULL;
    brant__text metadata;
    brant_status status;
    bool row;

    BRANT__TRY(
        brant__query_prepare(&statement, export->call,
                             BRANT__TEXT("SELECT changes, metadata FROM graphs WHERE row_id = ?")));
    brant__bind_integer(statement, 1, export->graph.row_id);
    BRANT__TRY(brant__step(&row, export->call->db, statement));
    *out_changes = row ? brant__column_integer(statement, 0) : 0;
    metadata = row ? brant__column_text(statement, 1) : BRANT__TEXT("{}");
    export->metadata = brant__text_of(
        brant__arena_copy(export->call->arena, metadata.data, metadata.length), metadata.length);
    if (!export->metadata.data) status = brant__fail_memory();
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__graph_export(brant__call *call) {
    static const char *const members[] = {"format", "part", "edges", "filter", "edge_filter"};
    brant__list list = brant__list_of("graphs.export");
    brant__export export = {.call = call};
    export_page page = {.export = &export};
    int64_t changes;
    brant_status status;

    BRANT__TRY(brant__graph_find(&export.graph, call, false));
    BRANT__TRY(read_format(&export));
    BRANT__TRY(brant__filter_parse(&export.filter, call, &export.graph, BRANT__NODES,
                                   brant__json_get(call->input, "filter"), "filter"));
    BRANT__TRY(brant__filter_parse(&export.edge_filter, call, &export.graph, BRANT__EDGES,
                                   brant__json_get(call->input, "edge_filter"), "edge_filter"));
    BRANT__TRY(brant__limit_read(&page.limit, call, PAGE_ITEMS, PAGE_MAXIMUM));
    BRANT__TRY(read_graph(&export, &changes));
    brant__list_filter(&list, export.graph.id);
    for (size_t i = 0; i < BRANT__COUNT(members); i++)
        list_value(&list, brant__json_get(call->input, members[i]));
    BRANT__TRY(read_cursor(&page, list, changes));
    BRANT__TRY(write_page(&page));
    if (export.text.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    brant__write_object(call->out);
    brant__write_text_member(
        call->out, "text",
        brant__text_of(export.text.data ? export.text.data : "", export.text.length));
    BRANT__TRY(write_cursor(&page, list, changes));
    brant__write_end(call->out);
cleanup:
    brant__buffer_free(&page.key);
    brant__json_free(&page.json);
    brant__json_free(&export.names);
    brant__buffer_free(&export.scratch[0]);
    brant__buffer_free(&export.scratch[1]);
    brant__buffer_free(&export.item.buffer);
    brant__buffer_free(&export.redacted);
    brant__buffer_free(&export.group[0]);
    brant__buffer_free(&export.group[1]);
    brant__arena_free(&export.arena);
    brant__buffer_free(&export.text);
    return status;
}
