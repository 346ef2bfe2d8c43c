/*
 * graph/explain.c: how a list is read: its SQL, SQLite's plan, and which indexes on attributes are in it.
 */
#define _GNU_SOURCE
#include "graph/query.h"

#define INDEX_NAME "attribute_index_"

/* EXPLAIN QUERY PLAN of a first page; reset it. The values count: they may change the plan. */
static brant_status explain(brant__statement **out, const brant__query_input *input,
                            brant__text sql, bool pages) {
    brant__buffer text = {0};
    brant_status status;

    brant__buffer_format(&text, "EXPLAIN QUERY PLAN ");
    brant__buffer_append(&text, sql.data, sql.length);
    status = text.failed
                 ? brant__fail_memory()
                 : brant__query_prepare(out, input->call, brant__text_of(text.data, text.length));
    brant__buffer_free(&text);
    if (status == BRANT_OK && pages) brant__page_bind(*out, input);
    return status;
}

static const char *find(brant__text text, const char *part) {
    return memmem(text.data, text.length, part, strlen(part));
}

/* Is the line about the nodes or edges that are listed? */
static bool is_main(brant__text detail, int kind) {
    const char *search = kind == BRANT__NODES ? "SEARCH n " : "SEARCH e ";
    const char *scan = kind == BRANT__NODES ? "SCAN n" : "SCAN e";

    return find(detail, search) == detail.data || find(detail, scan) == detail.data;
}

brant_status brant__plan_worthwhile(bool *out_any, const brant__query_input *input) {
    static const char text[] = "SELECT 1 FROM attribute_indexes WHERE graph_type=? AND of=?";
    brant__statement *statement = NULL;
    brant_status status;

    *out_any = false;
    BRANT__TRY(brant__query_prepare(&statement, input->call, BRANT__TEXT(text)));
    brant__bind_integer(statement, 1, input->graph.type->row_id);
    brant__bind_integer(statement, 2, input->kind);
    status = brant__step(out_any, input->call->db, statement);
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__plan_indexed(bool *out_indexed, const brant__query_input *input,
                                 brant__text sql) {
    brant__statement *statement = NULL;
    brant_status status;
    bool row;

    *out_indexed = false;
    BRANT__TRY(explain(&statement, input, sql, true));
    for (;;) {
        brant__text detail;
        BRANT__TRY(brant__step(&row, input->call->db, statement));
        if (!row) break;
        detail = brant__column_text(statement, 3);
        if (!is_main(detail, input->kind) || find(detail, "SCAN ") == detail.data) continue;
        /* By the graph alone, or the source alone, all are found. */
        if (find(detail, INDEX_NAME)
                ? !find(detail, "(graph=?)")
                : input->kind == BRANT__EDGES && !find(detail, "edges_out (source=?)"))
            *out_indexed = true;
    }
cleanup:
    brant__reset(statement);
    return status;
}

/* The names of indexes that are in the plan; `rows` holds their row ids. */
static brant_status write_indexes(brant__call *call, const int64_t *rows, size_t count) {
    brant__statement *statement = NULL;
    bool row;
    brant_status status = BRANT_OK;

    brant__write_name(call->out, "indexes");
    brant__write_array(call->out);
    if (count > 0)
        BRANT__TRY(brant__query_prepare(
            &statement, call, BRANT__TEXT("SELECT name FROM attribute_indexes WHERE row_id=?")));
    for (size_t i = 0; i < count; i++) {
        brant__bind_integer(statement, 1, rows[i]);
        BRANT__TRY(brant__step(&row, call->db, statement));
        if (row) brant__write_text(call->out, brant__column_text(statement, 0));
        brant__reset(statement);
    }
    brant__write_end(call->out);
cleanup:
    brant__reset(statement);
    return status;
}

#define INDEXES_NAMED 64

/* What the lines of a plan say together. */
typedef struct summary {
    int64_t rows[INDEXES_NAMED];
    size_t count;
    bool all; /* rows are found by the graph alone */
    bool sorted;
    bool attribute_index;
} summary;

static void note_line(summary *out, brant__text detail, int kind) {
    const char *name = find(detail, INDEX_NAME);
    int64_t row_id = 0;
    bool known = false;

    if (find(detail, "USE TEMP B-TREE FOR")) out->sorted = true;
    if (is_main(detail, kind) || find(detail, "SEARCH s USING"))
        out->all = out->all || find(detail, "SCAN ") == detail.data || find(detail, "(graph=?)");
    if (!name) return;
    out->attribute_index = true;
    for (const char *at = name + sizeof(INDEX_NAME) - 1;
         at < detail.data + detail.length && *at >= '0' && *at <= '9'; at++)
        row_id = row_id * 10 + (*at - '0');
    for (size_t i = 0; i < out->count; i++)
        known = known || out->rows[i] == row_id;
    if (!known && out->count < INDEXES_NAMED) out->rows[out->count++] = row_id;
}

static brant_status write_plan(summary *out, const brant__query_input *input, brant__text sql,
                               bool pages) {
    brant__writer *writer = input->call->out;
    brant__statement *statement = NULL;
    brant_status status;
    bool row;

    *out = (summary){.count = 0};
    brant__write_name(writer, "plan");
    brant__write_array(writer);
    BRANT__TRY(explain(&statement, input, sql, pages));
    for (;;) {
        BRANT__TRY(brant__step(&row, input->call->db, statement));
        if (!row) break;
        brant__write_object(writer);
        brant__write_integer_member(writer, "id", brant__column_integer(statement, 0));
        brant__write_integer_member(writer, "parent", brant__column_integer(statement, 1));
        brant__write_text_member(writer, "detail", brant__column_text(statement, 3));
        brant__write_end(writer);
        note_line(out, brant__column_text(statement, 3), input->kind);
    }
    brant__write_end(writer);
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status explain_list(brant__call *call, int kind) {
    brant__query_input input;
    brant__buffer sql = {0};
    summary plan;
    brant_status status;
    bool pages, tested;

    BRANT__TRY(
        brant__query_read(&input, call, kind, kind == BRANT__NODES ? "nodes.list" : "edges.list"));
    input.position = (brant__position){.given = false};
    BRANT__TRY(brant__query_pages(&pages, &input));
    pages = pages || kind == BRANT__NODES;
    if (pages)
        BRANT__TRY(brant__page_sql(&sql, &input));
    else
        brant__query_edge_sql(&sql, &input);
    if (sql.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    brant__write_object(call->out);
    brant__write_text_member(call->out, "sql", brant__text_of(sql.data, sql.length));
    BRANT__TRY(write_plan(&plan, &input, brant__text_of(sql.data, sql.length), pages));
    BRANT__TRY(write_indexes(call, plan.rows, plan.count));
    /* An index that is partial on the type has no others to leave out. */
    tested = input.filter || (!input.any_type && !plan.attribute_index);
    brant__write_name(call->out, "scan");
    /* One source after the other: all of them, where the filter may pass none. */
    if (!pages && !input.by_source && !input.by_target) plan.all = true;
    brant__write_bool(call->out, plan.all && (tested || plan.sorted));
    brant__write_end(call->out);
cleanup:
    brant__buffer_free(&sql);
    return status;
}

brant_status brant__node_explain(brant__call *call) {
    return explain_list(call, BRANT__NODES);
}

brant_status brant__edge_explain(brant__call *call) {
    return explain_list(call, BRANT__EDGES);
}
