/*
 * graph/retention.c: rules by which graphs, nodes and edges go by themselves, and db.maintain's part of following them.
 *
 * What is due is looked for in read transactions, and done in short write transactions that look again: a row that was changed
 * meanwhile stays.
 */
#include "graph/filter.h"
#include "graph/graph.h"
#include "graph/remove.h"
#include "graph/type.h"

#define ROWS_AT_ONCE 1000   /* in one transaction */
#define ROWS_A_CALL  100000 /* in one call of db.maintain */

enum { RULES_SET, RULES_GET, TYPES, NEXT_GRAPH, NODE_ROW, STATEMENT_COUNT };
static const char *const sql[STATEMENT_COUNT] = {
    /* The times of what is built in are 0. */
    [RULES_SET] = ("UPDATE graph_types SET retention = :rules, updated_at = CASE WHEN created_at = "
                   "0 THEN 0 ELSE :now END WHERE row_id = :row_id"),
    [RULES_GET] = "SELECT retention FROM graph_types WHERE row_id = :row_id",
    [TYPES] =
        "SELECT row_id, retention, name FROM graph_types WHERE retention IS NOT NULL AND name > "
        ":after ORDER BY name LIMIT 1",
    [NEXT_GRAPH] = "SELECT name, status, changed_at FROM graphs WHERE graph_type = :graph_type AND "
                   "name > :after ORDER BY name LIMIT 1",
    [NODE_ROW] = "SELECT key, type FROM nodes WHERE row_id = :row_id",
};
static const brant__statements statements = {BRANT__TABLE_RETENTION, STATEMENT_COUNT, sql};

static brant_status get(brant__statement **out, brant_db *db, int which) {
    return brant__statement_get(out, db, &statements, (size_t)which);
}

/* ---- rules ----------------------------------------------------------------------------------- */

static brant__text rule_field(yyjson_val *rule) {
    brant__text by = brant__json_get_text(rule, "by");

    return by.data ? by : BRANT__TEXT("updated_at");
}

static bool field_allowed(brant__text by) {
    static const char deep[] = "attributes";

    return brant__text_equal(by, BRANT__TEXT("updated_at")) ||
           brant__text_equal(by, BRANT__TEXT("created_at")) ||
           (by.length > sizeof(deep) && memcmp(by.data, deep, sizeof(deep) - 1) == 0 &&
            (by.data[sizeof(deep) - 1] == '.' || by.data[sizeof(deep) - 1] == '/'));
}

/* A rule as a filter: what it says and older than `cutoff`. `json` keeps its text. */
static brant_status rule_filter(brant__filter **out, brant__json *json, brant__call *call,
                                const brant__graph *graph, int kind, yyjson_val *rule,
                                int64_t cutoff, const char *member) {
    yyjson_val *filter = brant__json_get(rule, "filter"), *type = brant__json_get(rule, "type");
    brant__writer text = {0};
    brant_status status;

    brant__write_object(&text);
    brant__write_name(&text, "$and");
    brant__write_array(&text);
    if (filter) brant__write_value(&text, filter);
    if (type) {
        brant__write_object(&text);
        brant__write_name(&text, "type");
        brant__write_value(&text, type);
        brant__write_end(&text);
    }
    brant__write_object(&text);
    brant__write_name_text(&text, rule_field(rule));
    brant__write_integer_object(&text, "$lt", cutoff);
    brant__write_end(&text);
    brant__write_end(&text);
    brant__write_end(&text);
    if (text.buffer.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    BRANT__TRY(brant__json_parse(json, text.buffer.data, text.buffer.length, 0));
    status = brant__filter_parse(out, call, graph, kind, json->root, member);
cleanup:
    brant__buffer_free(&text.buffer);
    return status;
}

/* One condition of a rule by itself, so that a refusal points to what the user wrote. */
static brant_status check_condition(brant__json *json, brant__call *call, const brant__graph *graph,
                                    int kind, uint32_t type, brant__text field, yyjson_val *value,
                                    const char *member) {
    brant__filter *filter;
    brant__writer text = {0};
    brant_status status;

    brant__write_object(&text);
    brant__write_name_text(&text, field);
    if (value)
        brant__write_value(&text, value);
    else
        brant__write_null(&text);
    brant__write_end(&text);
    if (text.buffer.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    BRANT__TRY(brant__json_parse(json, text.buffer.data, text.buffer.length, 0));
    status = brant__filter_parse_of(&filter, call, graph, kind, type, json->root, member);
cleanup:
    brant__buffer_free(&text.buffer);
    return status;
}

/* The one type whose rows a rule is about; BRANT__NO_TYPE: all, or none there is. */
static uint32_t rule_type(const brant__graph *graph, int kind, yyjson_val *rule) {
    const brant__text name = brant__json_get_text(rule, "type");

    if (!name.data || !graph->type->module->typed) return BRANT__NO_TYPE;
    return kind == BRANT__NODES ? brant__type_node(graph->type, name)
                                : brant__type_edge(graph->type, name);
}

static brant_status check_rules(brant__call *call, const brant__graph *graph, int kind,
                                yyjson_val *rules) {
    const char *list = kind == BRANT__NODES ? "nodes" : "edges";
    brant__json json = {0};
    brant__filter *filter;
    size_t index, count;
    yyjson_val *rule;
    brant__buffer member = {0};
    brant_status status = BRANT_OK;

    yyjson_arr_foreach(brant__json_get(rules, list), index, count, rule) {
        const uint32_t type = rule_type(graph, kind, rule);
        brant__buffer_reset(&member);
        brant__buffer_format(&member, "rules/%s/%zu/filter", list, index);
        brant__buffer_append_byte(&member, '\0');
        if (member.failed) {
            status = brant__fail_memory();
            goto cleanup;
        }
        if (!field_allowed(rule_field(rule))) {
            status = brant__fail(BRANT_INVALID,
                                 "/rules/%s/%zu/by is none of updated_at, created_at, "
                                 "attributes.<path>",
                                 list, index);
            goto cleanup;
        }
        BRANT__TRY(brant__filter_parse_of(&filter, call, graph, kind, type,
                                          brant__json_get(rule, "filter"), member.data));
        brant__buffer_reset(&member);
        brant__buffer_format(&member, "rules/%s/%zu/by", list, index);
        brant__buffer_append_byte(&member, '\0');
        if (member.failed) {
            status = brant__fail_memory();
            goto cleanup;
        }
        BRANT__TRY(
            check_condition(&json, call, graph, kind, type, rule_field(rule), NULL, member.data));
        member.data[member.length - sizeof("/by")] = '\0';
        if (brant__json_get(rule, "type"))
            BRANT__TRY(check_condition(&json, call, graph, kind, type, BRANT__TEXT("type"),
                                       brant__json_get(rule, "type"), member.data));
        BRANT__TRY(rule_filter(&filter, &json, call, graph, kind, rule, 0, member.data));
    }
cleanup:
    brant__buffer_free(&member);
    brant__json_free(&json);
    return status;
}

brant_status brant__graph_type_set_retention(brant__call *call) {
    brant__text name = brant__json_get_text(call->input, "name");
    yyjson_val *rules = brant__json_get(call->input, "rules");
    brant__statement *statement;
    brant__buffer text = {0};
    brant__graph graph = {.name = name};
    brant__type_row row;
    brant_status status;

    BRANT__TRY(brant__type_row_need(&row, call, name));
    if (brant__text_equal(row.scope, BRANT__TEXT("system")) && !brant__db_system(call->db)) {
        status = brant__fail(BRANT_DENIED, "graph types of scope system are changed by a handle "
                                           "that was opened with system: true");
        goto cleanup;
    }
    BRANT__TRY(brant__type_find(&graph.type, call, name, true));
    if (!yyjson_is_null(rules)) {
        BRANT__TRY(check_rules(call, &graph, BRANT__NODES, rules));
        BRANT__TRY(check_rules(call, &graph, BRANT__EDGES, rules));
        brant__json_append(&text, rules);
        if (text.failed) {
            status = brant__fail_memory();
            goto cleanup;
        }
    }
    BRANT__TRY(get(&statement, call->db, RULES_SET));
    brant__bind_text(statement, 1, brant__text_of(text.data, text.length));
    brant__bind_integer(statement, 2, brant__db_now(call->db));
    brant__bind_integer(statement, 3, graph.type->row_id);
    BRANT__TRY(brant__run(call->db, statement));
    brant__write_object(call->out);
    brant__write_text_member(call->out, "name", name);
    brant__write_name(call->out, "rules");
    brant__write_value(call->out, rules);
    brant__write_end(call->out);
cleanup:
    brant__buffer_free(&text);
    return status;
}

brant_status brant__retention_write(brant__call *call, int64_t type_row) {
    brant__statement *statement = NULL;
    brant__text text = {NULL, 0};
    brant_status status;
    bool row = false;

    BRANT__TRY(get(&statement, call->db, RULES_GET));
    brant__bind_integer(statement, 1, type_row);
    BRANT__TRY(brant__step(&row, call->db, statement));
    if (row) text = brant__column_text(statement, 0);
    brant__write_name(call->out, "retention");
    if (text.data)
        brant__write_raw(call->out, text);
    else
        brant__write_null(call->out);
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__retention_plain(brant__call *call, const brant__type *type) {
    const brant__graph graph = {.type = type};
    brant__statement *statement = NULL;
    brant__json rules = {0};
    brant__text text;
    brant_status status;
    bool row = false;

    BRANT__TRY(get(&statement, call->db, RULES_GET));
    brant__bind_integer(statement, 1, type->row_id);
    BRANT__TRY(brant__step(&row, call->db, statement));
    text = row ? brant__column_text(statement, 0) : (brant__text){NULL, 0};
    if (!text.data) goto cleanup;
    BRANT__TRY(brant__json_parse(&rules, text.data, text.length, 0));
    for (int kind = BRANT__NODES; kind <= BRANT__EDGES && status == BRANT_OK; kind++)
        status = check_rules(call, &graph, kind, rules.root);
    if (status == BRANT_INVALID) {
        const brant_error *error = brant_last_error();
        const char *why = brant__arena_copy(call->arena, error->message, error->message_len);
        (void)brant__error_code();
        status = brant__fail(BRANT_CONSTRAINT,
                             "the graph type's retention would no longer hold (%s): change it "
                             "first (graph_types.set_retention)",
                             why ? why : "");
    }
cleanup:
    brant__reset(statement);
    brant__json_free(&rules);
    return status;
}

/* ---- following them -------------------------------------------------------------------------- */

typedef struct retention {
    brant__call *call;
    brant__retention_done *done;
    int64_t left;     /* rows that may still go */
    brant__json json; /* the rules of a type */
    int64_t type_row;
    /* the graph that is looked at */
    brant__text name;
    bool deleted;
    bool archived;
    int64_t changed_at;
} retention;

static brant_status copy_column(brant__text *out, brant__call *call, brant__statement *row,
                                int column) {
    brant__text text = brant__column_text(row, column);

    out->length = text.length;
    out->data = brant__arena_copy(call->arena, text.data, text.length);
    return out->data ? BRANT_OK : brant__fail_memory();
}

/* The rules of the next type that has some; *out_found. `name` goes on. */
static brant_status next_type(bool *out_found, retention *self, brant__buffer *name) {
    brant__statement *statement = NULL;
    brant__text text;
    brant_status status;

    BRANT__TRY(get(&statement, self->call->db, TYPES));
    brant__bind_text(statement, 1, brant__text_of(name->data ? name->data : "", name->length));
    BRANT__TRY(brant__step(out_found, self->call->db, statement));
    if (!*out_found) goto cleanup;
    self->type_row = brant__column_integer(statement, 0);
    text = brant__column_text(statement, 1);
    BRANT__TRY(brant__json_parse(&self->json, text.data, text.length, 0));
    text = brant__column_text(statement, 2);
    brant__buffer_reset(name);
    brant__buffer_append(name, text.data, text.length);
    if (name->failed) status = brant__fail_memory();
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status next_graph(bool *out_found, retention *self) {
    brant__statement *statement = NULL;
    brant__text stored;
    brant_status status;

    BRANT__TRY(get(&statement, self->call->db, NEXT_GRAPH));
    brant__bind_integer(statement, 1, self->type_row);
    brant__bind_text(statement, 2, self->name);
    BRANT__TRY(brant__step(out_found, self->call->db, statement));
    if (!*out_found) goto cleanup;
    stored = brant__column_text(statement, 1);
    self->deleted = brant__text_equal(stored, BRANT__TEXT("deleted"));
    self->archived = brant__text_equal(stored, BRANT__TEXT("archived"));
    self->changed_at = brant__column_integer(statement, 2);
    status = copy_column(&self->name, self->call, statement, 0);
cleanup:
    brant__reset(statement);
    return status;
}

/* In a transaction: the graph again, as it is now; *out_same false: it is not what was looked at. */
static brant_status find_again(bool *out_same, brant__graph *graph, retention *self) {
    brant_status status;

    *out_same = false;
    status = brant__graph_find_name(graph, self->call, self->name, BRANT__ANY_STATUS);
    if (status == BRANT_NOT_FOUND) {
        brant__error_code();
        return BRANT_OK;
    }
    if (status != BRANT_OK) return status;
    graph->kept_time = true;
    *out_same = graph->type->row_id == self->type_row && graph->deleted == self->deleted &&
                graph->archived == self->archived;
    return BRANT_OK;
}

static bool due(const retention *self, const char *rule) {
    yyjson_val *value = brant__json_get(self->json.root, rule);

    return value &&
           self->changed_at <= brant__db_now(self->call->db) - brant__json_integer(value, 0);
}

/* Has the graph been left alone since it was looked at? */
static brant_status unchanged(bool *out_unchanged, retention *self) {
    static const char find[] = "SELECT 1 FROM graphs WHERE name = ? AND changed_at = ?";
    brant__statement *statement = NULL;
    brant_status status;

    BRANT__TRY(
        brant__query_prepare(&statement, self->call, brant__text_of(find, sizeof(find) - 1)));
    brant__bind_text(statement, 1, self->name);
    brant__bind_integer(statement, 2, self->changed_at);
    status = brant__step(out_unchanged, self->call->db, statement);
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status mark(retention *self, const char *wanted, int64_t *count) {
    brant_db *db = self->call->db;
    brant__graph graph;
    bool same, still;
    brant_status status = brant__begin(db, BRANT__WRITE);

    if (status != BRANT_OK) return status;
    BRANT__TRY(find_again(&same, &graph, self));
    BRANT__TRY(unchanged(&still, self));
    if (same && still) {
        BRANT__TRY(brant__graph_mark(self->call, &graph, wanted));
        ++*count;
    }
    BRANT__TRY(brant__commit(db));
    return BRANT_OK;
cleanup:
    brant__rollback(db);
    return status;
}

static brant_status purge(retention *self) {
    brant_db *db = self->call->db;
    brant_status status = BRANT_OK;
    bool begun = false, purged = false;

    while (!purged && self->left > 0) {
        int64_t nodes, edges, limit = self->left < ROWS_AT_ONCE ? self->left : ROWS_AT_ONCE;
        brant__graph graph;
        bool same, still;
        BRANT__TRY(brant__begin(db, BRANT__WRITE));
        begun = true;
        BRANT__TRY(find_again(&same, &graph, self));
        BRANT__TRY(unchanged(&still, self));
        if (!same || !still) break;
        BRANT__TRY(brant__graph_purge_some(&purged, &nodes, &edges, self->call, &graph, limit));
        BRANT__TRY(brant__commit(db));
        begun = false;
        self->done->nodes += nodes;
        self->done->edges += edges;
        self->done->purged += purged;
        self->left -= nodes + edges > 0 ? nodes + edges : 1;
    }
cleanup:
    if (begun) brant__rollback(db);
    return status;
}

/* ---- rows ------------------------------------------------------------------------------------ */

typedef struct retention_rows {
    int kind;
    brant__filter *filter;
    brant__buffer sql; /* does a row still match? */
    int64_t *rows;
    size_t count;
    size_t next;
} retention_rows;

/* In a read transaction: which rows are due. */
static brant_status find_rows(bool *out_any, retention_rows *rows, brant__json *json,
                              retention *self, yyjson_val *rule) {
    int64_t cutoff =
        brant__db_now(self->call->db) - brant__json_integer(brant__json_get(rule, "older_than"), 0);
    const char *alias = rows->kind == BRANT__NODES ? "n" : "e";
    brant__graph graph;
    bool same;
    brant_status status;

    *out_any = false;
    BRANT__TRY(find_again(&same, &graph, self));
    if (!same) goto cleanup;
    status = rule_filter(&rows->filter, json, self->call, &graph, rows->kind, rule, cutoff, "rule");
    if (status == BRANT_INVALID) { /* of a type that the graph type has no more: nothing matches */
        brant__error_code();
        status = BRANT_OK;
        goto cleanup;
    }
    if (status != BRANT_OK) goto cleanup;
    BRANT__TRY(brant__filter_rows(&rows->rows, &rows->count, self->call, &graph, rows->filter));
    brant__buffer_format(&rows->sql,
                         "SELECT 1 FROM %s %s WHERE %s.row_id = ? AND %s.graph = ? AND ",
                         rows->kind == BRANT__NODES ? "nodes" : "edges", alias, alias, alias);
    brant__filter_sql(&rows->sql, rows->filter, alias);
    if (rows->sql.failed) status = brant__fail_memory();
    *out_any = status == BRANT_OK && rows->count > 0;
cleanup:
    return status;
}

static brant_status still_due(bool *out_due, retention *self, retention_rows *rows,
                              const brant__graph *graph, int64_t row_id) {
    brant__statement *statement = NULL;
    int parameter = 3;
    brant_status status;

    BRANT__TRY(brant__query_prepare(&statement, self->call,
                                    brant__text_of(rows->sql.data, rows->sql.length)));
    brant__bind_integer(statement, 1, row_id);
    brant__bind_integer(statement, 2, graph->row_id);
    brant__filter_bind(statement, rows->filter, &parameter);
    status = brant__step(out_due, self->call->db, statement);
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status remove_row(brant__removal *removal, retention_rows *rows, int64_t row_id) {
    brant__statement *statement = NULL;
    brant__buffer key = {0};
    brant__text text;
    uint32_t type;
    bool found, all;
    brant_status status;

    if (rows->kind == BRANT__EDGES) return brant__remove_edge(&found, removal, row_id);
    BRANT__TRY(get(&statement, removal->call->db, NODE_ROW));
    brant__bind_integer(statement, 1, row_id);
    BRANT__TRY(brant__step(&found, removal->call->db, statement));
    if (!found) goto cleanup;
    text = brant__column_text(statement, 0);
    brant__buffer_append(&key, text.data, text.length);
    if (key.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    BRANT__TRY(
        brant__read_type(&type, removal->graph, BRANT__NODES, brant__column_integer(statement, 1)));
    brant__reset(statement);
    statement = NULL;
    BRANT__TRY(brant__remove_edges_of(&all, removal, row_id, INT64_MAX));
    BRANT__TRY(brant__remove_node(removal, row_id, brant__text_of(key.data, key.length), type));
cleanup:
    brant__reset(statement);
    brant__buffer_free(&key);
    return status;
}

/* One transaction: some of the rows. */
static brant_status remove_some(retention *self, retention_rows *rows) {
    brant_db *db = self->call->db;
    brant__removal removal = {.call = self->call};
    brant__graph graph;
    bool same;
    brant_status status = brant__begin(db, BRANT__WRITE);

    if (status != BRANT_OK) return status;
    BRANT__TRY(find_again(&same, &graph, self));
    if (!same) rows->next = rows->count;
    if (same) BRANT__TRY(brant__removal_begin(&removal, self->call, &graph));
    while (rows->next < rows->count && removal.nodes + removal.edges < ROWS_AT_ONCE &&
           removal.nodes + removal.edges < self->left) {
        int64_t row_id = rows->rows[rows->next++];
        bool still;
        BRANT__TRY(still_due(&still, self, rows, &graph, row_id));
        if (still) BRANT__TRY(remove_row(&removal, rows, row_id));
    }
    if (same) BRANT__TRY(brant__removal_end(&removal));
    BRANT__TRY(brant__commit(db));
    self->done->nodes += removal.nodes;
    self->done->edges += removal.edges;
    self->left -= removal.nodes + removal.edges;
    brant__removal_free(&removal);
    return BRANT_OK;
cleanup:
    brant__rollback(db);
    brant__removal_free(&removal);
    return status;
}

static brant_status apply_rule(retention *self, int kind, yyjson_val *rule) {
    brant_db *db = self->call->db;
    retention_rows rows = {.kind = kind};
    brant__json json = {0};
    bool any;
    brant_status status = brant__begin(db, BRANT__READ);

    if (status != BRANT_OK) return status;
    status = find_rows(&any, &rows, &json, self, rule);
    brant__rollback(db);
    while (status == BRANT_OK && any && rows.next < rows.count && self->left > 0)
        status = remove_some(self, &rows);
    brant__free(rows.rows);
    brant__buffer_free(&rows.sql);
    brant__json_free(&json);
    return status;
}

static brant_status apply_graph(retention *self) {
    size_t index, count;
    yyjson_val *rule;
    brant_status status;

    if (self->deleted) return due(self, "purge_after") ? purge(self) : BRANT_OK;
    if (due(self, "delete_after")) return mark(self, "deleted", &self->done->deleted);
    if (!self->archived && due(self, "archive_after")) {
        BRANT__TRY(mark(self, "archived", &self->done->archived));
        self->archived = true;
    }
    yyjson_arr_foreach(brant__json_get(self->json.root, "edges"), index, count, rule) {
        if (self->left > 0) BRANT__TRY(apply_rule(self, BRANT__EDGES, rule));
    }
    yyjson_arr_foreach(brant__json_get(self->json.root, "nodes"), index, count, rule) {
        if (self->left > 0) BRANT__TRY(apply_rule(self, BRANT__NODES, rule));
    }
    status = BRANT_OK;
cleanup:
    return status;
}

brant_status brant__retention_apply(brant__retention_done *out, brant__call *call) {
    retention self = {.call = call, .done = out, .left = ROWS_A_CALL};
    brant__buffer name = {0};
    bool found;
    brant_status status = BRANT_OK;

    *out = (brant__retention_done){0};
    while (self.left > 0) {
        BRANT__TRY(next_type(&found, &self, &name));
        if (!found) break;
        self.name = BRANT__TEXT("");
        while (self.left > 0) {
            BRANT__TRY(brant__db_poll(call->db));
            BRANT__TRY(next_graph(&found, &self));
            if (!found) break;
            BRANT__TRY(apply_graph(&self));
        }
    }
cleanup:
    brant__json_free(&self.json);
    brant__buffer_free(&name);
    return status;
}
