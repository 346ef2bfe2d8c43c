/*
 * graph/index.c: indexes on attributes: made, listed, dropped with what SQLite has for them.
 *
 * A value index is an SQLite index on the graph, kind and value of each path, and the key, partial on the type. One of text is an FTS5 table whose content is a
 * view of the rows; three triggers keep it in step with every write, whatever statement does it. Names in the schema are made of row ids, which are
 * never used twice, so that a kept statement cannot mean another index.
 */
#include <stdio.h>

#include "graph/index.h"

#define INDEX_COLUMNS "i.row_id, i.id, i.name, g.name, i.of, i.kind, i.paths, i.created_at, "
#define INDEX_TYPES                                                                                \
    "(SELECT name FROM node_types WHERE row_id = i.type AND i.of = 0), "                           \
    "(SELECT name FROM edge_types WHERE row_id = i.type AND i.of = 1)"
#define INDEX_TABLES " FROM attribute_indexes i JOIN graph_types g ON g.row_id = i.graph_type"

static const char by_name[] = "SELECT " INDEX_COLUMNS INDEX_TYPES INDEX_TABLES " WHERE i.name = ?";
static const char all_of_type[] = "SELECT " INDEX_COLUMNS INDEX_TYPES INDEX_TABLES
                                  " WHERE ? IS NULL OR g.name = ? ORDER BY i.name";
static const char insert[] =
    "INSERT INTO attribute_indexes (id, name, graph_type, of, type, kind, paths, created_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
static const char rows_of[] = "SELECT row_id, of, kind FROM attribute_indexes WHERE graph_type = ?"
                              " AND (? < 0 OR (of = ? AND type = ?))";
static const char paths_of[] =
    "SELECT name, of, type, paths FROM attribute_indexes WHERE graph_type = ? ORDER BY name";
static const char delete_row[] = "DELETE FROM attribute_indexes WHERE row_id = ?";

static brant_status prepare(brant__statement **out, brant__call *call, const char *sql) {
    return brant__query_prepare(out, call, brant__text_string(sql));
}

/* ---- answers --------------------------------------------------------------------------------- */

static void write_index(brant__writer *out, brant__statement *row) {
    brant__write_object(out);
    brant__write_text_member(out, "id", brant__column_text(row, 1));
    brant__write_text_member(out, "name", brant__column_text(row, 2));
    brant__write_text_member(out, "graph_type", brant__column_text(row, 3));
    brant__write_name(out, "node_type");
    brant__write_text_or_null(out, brant__column_text(row, 8));
    brant__write_name(out, "edge_type");
    brant__write_text_or_null(out, brant__column_text(row, 9));
    brant__write_text_member(out, "of",
                             brant__column_integer(row, 4) == BRANT__NODES ? BRANT__TEXT("nodes")
                                                                           : BRANT__TEXT("edges"));
    brant__write_text_member(out, "kind", brant__column_text(row, 5));
    brant__write_name(out, "paths");
    brant__write_raw(out, brant__column_text(row, 6));
    brant__write_integer_member(out, "created_at", brant__column_integer(row, 7));
    brant__write_end(out);
}

brant_status brant__index_list(brant__call *call) {
    brant__text graph_type = brant__json_get_text(call->input, "graph_type");
    brant__statement *statement = NULL;
    const brant__type *type;
    bool row;
    brant_status status = BRANT_OK;

    if (graph_type.data) BRANT__TRY(brant__type_find(&type, call, graph_type, false));
    BRANT__TRY(prepare(&statement, call, all_of_type));
    brant__bind_text(statement, 1, graph_type);
    brant__bind_text(statement, 2, graph_type);
    brant__write_object(call->out);
    brant__write_name(call->out, "items");
    brant__write_array(call->out);
    for (;;) {
        BRANT__TRY(brant__step(&row, call->db, statement));
        if (!row) break;
        write_index(call->out, statement);
    }
    brant__write_end(call->out);
    brant__write_end(call->out);
cleanup:
    brant__reset(statement);
    return status;
}

/* ---- what is asked --------------------------------------------------------------------------- */

typedef struct request {
    brant__call *call;
    const brant__type *type;
    int of;
    uint32_t type_index; /* BRANT__NO_TYPE: untyped */
    int64_t type_row;
    bool text;
    brant__path paths[BRANT__INDEX_PATHS];
    size_t count;
    brant__text path_names; /* a JSON array in the call's arena */
    brant__text name;
} request;

static brant_status read_entry(request *out, brant__text *out_name) {
    yyjson_val *input = out->call->input;
    brant__text node = brant__json_get_text(input, "node_type");
    brant__text edge = brant__json_get_text(input, "edge_type");
    brant__text of = brant__json_get_text(input, "of");
    brant__text type_name = brant__text_string(out->type->name);
    uint32_t index;

    if ((node.data != NULL) + (edge.data != NULL) + (of.data != NULL) != 1)
        return brant__fail(BRANT_INVALID, "give one of node_type, edge_type, and of (for an "
                                          "untyped graph type)");
    if (of.data && out->type->module->typed)
        return brant__fail(BRANT_INVALID, "graph type %s has types: give node_type or edge_type",
                           brant__quoted(out->call, type_name));
    out->of =
        edge.data || brant__text_equal(of, BRANT__TEXT("edges")) ? BRANT__EDGES : BRANT__NODES;
    *out_name = of.data ? of : node.data ? node : edge;
    out->type_index = BRANT__NO_TYPE;
    if (of.data) return BRANT_OK;
    index = !out->type->module->typed ? BRANT__NO_TYPE
            : node.data               ? brant__type_node(out->type, node)
                                      : brant__type_edge(out->type, edge);
    if (index == BRANT__NO_TYPE)
        return brant__fail(BRANT_INVALID, "graph type %s has no %s type %s",
                           brant__quoted(out->call, type_name), node.data ? "node" : "edge",
                           brant__quoted(out->call, *out_name));
    out->type_index = index;
    out->type_row =
        node.data ? brant__type_node_row(out->type, index) : brant__type_edge_row(out->type, index);
    return BRANT_OK;
}

/* Columns whose order is worth an index; the others have theirs. */
static bool may_index(const brant__path *path, bool text) {
    if (brant__path_deep(path)) return true;
    return !text && path->field >= BRANT__FIELD_REVISION &&
           path->field <= BRANT__FIELD_TYPE_VERSION;
}

static brant_status read_paths(request *out) {
    yyjson_val *paths = brant__json_get(out->call->input, "paths"), *item;
    brant__buffer text = {0};
    size_t index, count;
    brant_status status = BRANT_OK;

    yyjson_arr_foreach(paths, index, count, item) {
        char pointer[40];
        const char *reason = NULL;
        brant__path *path = &out->paths[out->count++];
        status = brant__path_parse(path, &reason, out->call, out->of, brant__json_text(item));
        if (status != BRANT_OK && status != BRANT_INVALID) return status;
        if (!reason && !may_index(path, out->text))
            reason = out->text ? "text is indexed in attributes and metadata"
                               : "the field needs no index";
        for (size_t i = 0; !reason && i + 1 < out->count; i++)
            if (brant__text_equal(out->paths[i].name, path->name)) reason = "the path is twice";
        if (!reason) {
            snprintf(pointer, sizeof(pointer), "/paths/%zu", index);
            status = brant__path_plain(out->call, out->type, out->of, out->type_index, path,
                                       brant__text_string(pointer));
            if (status != BRANT_OK) return status;
            continue;
        }
        snprintf(pointer, sizeof(pointer), "{\"pointer\":\"/paths/%zu\"}", index);
        return brant__fail_detail(BRANT_INVALID, brant__text_string(pointer), "path %s: %s",
                                  brant__quoted(out->call, path->name), reason);
    }
    brant__json_append(&text, paths);
    out->path_names = brant__text_of(
        text.failed ? NULL : brant__arena_copy(out->call->arena, text.data, text.length),
        text.length);
    brant__buffer_free(&text);
    return out->path_names.data ? BRANT_OK : brant__fail_memory();
}

/* <graph type>.<type>.<path>,<path>.. */
static brant_status read_name(request *out, brant__text entry) {
    brant__buffer name = {0};

    out->name = brant__json_get_text(out->call->input, "name");
    if (!out->name.data) {
        brant__buffer_format(&name, "%s.", out->type->name);
        brant__buffer_append(&name, entry.data, entry.length);
        for (size_t i = 0; i < out->count; i++) {
            brant__buffer_append_byte(&name, i ? ',' : '.');
            brant__buffer_append(&name, out->paths[i].name.data, out->paths[i].name.length);
        }
        out->name = brant__text_of(
            name.failed ? NULL : brant__arena_copy(out->call->arena, name.data, name.length),
            name.length);
        brant__buffer_free(&name);
        if (!out->name.data) return brant__fail_memory();
    }
    return brant__name_check(out->call->db, "the index's name", out->name);
}

static brant_status read_request(request *out, brant__call *call) {
    brant__text entry;
    brant_status status;

    *out = (request){.call = call};
    out->text = brant__text_equal(brant__json_get_text(call->input, "kind"), BRANT__TEXT("text"));
    BRANT__TRY(
        brant__type_find(&out->type, call, brant__json_get_text(call->input, "graph_type"), true));
    BRANT__TRY(read_entry(out, &entry));
    BRANT__TRY(read_paths(out));
    status = read_name(out, entry);
cleanup:
    return status;
}

/* ---- SQL ------------------------------------------------------------------------------------- */

static const char *table_of(int of) {
    return of == BRANT__NODES ? "nodes" : "edges";
}

static void value_index_sql(brant__buffer *sql, const request *wanted, int64_t row_id) {
    brant__buffer_format(sql, "CREATE INDEX attribute_index_%lld ON %s (graph", (long long)row_id,
                         table_of(wanted->of));
    for (size_t i = 0; i < wanted->count; i++) {
        if (brant__path_deep(&wanted->paths[i])) {
            brant__buffer_format(sql, ",");
            brant__path_kind(sql, &wanted->paths[i], NULL);
        }
        brant__buffer_format(sql, ",");
        brant__path_value(sql, &wanted->paths[i], NULL);
    }
    brant__buffer_format(sql, "%s) WHERE type=%lld", wanted->of == BRANT__NODES ? ",key" : "",
                         (long long)wanted->type_row);
}

/* The text of a path: text as it is; an array's JSON, since table-valued functions cannot stand in a schema, without what would look like letters or spoil
 * a snippet. */
static void text_sql(brant__buffer *sql, const brant__path *path, const char *alias) {
    static const char *const escapes[] = {"\\n", "\\r", "\\t", "\",\""};

    brant__buffer_format(sql, "CASE ");
    brant__path_type(sql, path, alias);
    brant__buffer_format(sql, " WHEN 'text' THEN ");
    brant__path_value(sql, path, alias);
    brant__buffer_format(sql, " WHEN 'array' THEN trim(");
    for (size_t i = 0; i < BRANT__COUNT(escapes); i++)
        brant__buffer_format(sql, "replace(");
    brant__path_value(sql, path, alias);
    for (size_t i = 0; i < BRANT__COUNT(escapes); i++)
        brant__buffer_format(sql, ",'%s',' ')", escapes[i]);
    brant__buffer_format(sql, ",'[\"]') END");
}

static void texts_sql(brant__buffer *sql, const request *wanted, const char *alias) {
    for (size_t i = 0; i < wanted->count; i++) {
        brant__buffer_format(sql, ",");
        text_sql(sql, &wanted->paths[i], alias);
        if (!alias) brant__buffer_format(sql, " AS c%zu", i);
    }
}

static void columns_sql(brant__buffer *sql, const request *wanted) {
    for (size_t i = 0; i < wanted->count; i++)
        brant__buffer_format(sql, ",c%zu", i);
}

static void remove_sql(brant__buffer *sql, const request *wanted, long long row_id) {
    brant__buffer_format(sql, "INSERT INTO attribute_text_%lld(attribute_text_%lld,rowid", row_id,
                         row_id);
    columns_sql(sql, wanted);
    brant__buffer_format(sql, ") VALUES('delete',old.row_id");
    texts_sql(sql, wanted, "old");
    brant__buffer_format(sql, ");");
}

static void add_sql(brant__buffer *sql, const request *wanted, long long row_id) {
    brant__buffer_format(sql, "INSERT INTO attribute_text_%lld(rowid", row_id);
    columns_sql(sql, wanted);
    brant__buffer_format(sql, ") VALUES(new.row_id");
    texts_sql(sql, wanted, "new");
    brant__buffer_format(sql, ");");
}

static void text_index_sql(brant__buffer *sql, const request *wanted, int64_t index_row) {
    const char *table = table_of(wanted->of);
    long long row_id = (long long)index_row, type = (long long)wanted->type_row;
    bool attributes = false, metadata = false;

    for (size_t i = 0; i < wanted->count; i++) {
        attributes = attributes || wanted->paths[i].field == BRANT__FIELD_ATTRIBUTES;
        metadata = metadata || wanted->paths[i].field == BRANT__FIELD_METADATA;
    }
    brant__buffer_format(sql, "CREATE VIEW attribute_text_%lld_rows AS SELECT row_id", row_id);
    texts_sql(sql, wanted, NULL);
    brant__buffer_format(sql, " FROM %s WHERE type=%lld;", table, type);
    brant__buffer_format(sql, "CREATE VIRTUAL TABLE attribute_text_%lld USING fts5(", row_id);
    for (size_t i = 0; i < wanted->count; i++)
        brant__buffer_format(sql, "c%zu,", i);
    brant__buffer_format(sql,
                         "content='attribute_text_%lld_rows',content_rowid='row_id',"
                         "tokenize='unicode61 remove_diacritics 2');",
                         row_id);
    /* FTS5 forgets what it holds in memory for a savepoint that is rolled back only where one was begun since the table is there. */
    brant__buffer_format(sql, "SAVEPOINT brant_index;");
    /* What is deleted is gone from the index too, and not when its parts are merged some day. */
    brant__buffer_format(sql,
                         "INSERT INTO attribute_text_%lld(attribute_text_%lld,rank) "
                         "VALUES('secure-delete',1);",
                         row_id, row_id);
    brant__buffer_format(sql,
                         "INSERT INTO attribute_text_%lld(attribute_text_%lld) VALUES('rebuild');"
                         "RELEASE brant_index;",
                         row_id, row_id);
    brant__buffer_format(sql,
                         "CREATE TRIGGER attribute_text_%lld_insert AFTER INSERT ON %s WHEN "
                         "new.type=%lld BEGIN ",
                         row_id, table, type);
    add_sql(sql, wanted, row_id);
    brant__buffer_format(sql,
                         "END;CREATE TRIGGER attribute_text_%lld_delete AFTER DELETE ON %s WHEN "
                         "old.type=%lld BEGIN ",
                         row_id, table, type);
    remove_sql(sql, wanted, row_id);
    brant__buffer_format(sql,
                         "END;CREATE TRIGGER attribute_text_%lld_update AFTER UPDATE OF %s%s%s ON "
                         "%s WHEN old.type=%lld BEGIN ",
                         row_id, attributes ? "attributes" : "", attributes && metadata ? "," : "",
                         metadata ? "metadata" : "", table, type);
    remove_sql(sql, wanted, row_id);
    add_sql(sql, wanted, row_id);
    brant__buffer_format(sql, "END;");
}

static brant_status change_schema(brant__call *call, brant__buffer *sql) {
    brant_status status;

    brant__buffer_append_byte(sql, 0);
    status = sql->failed ? brant__fail_memory() : brant__execute(call->db, sql->data);
    brant__buffer_free(sql);
    return status;
}

static brant_status drop(brant__call *call, int64_t row_id, bool text) {
    static const char *const triggers[] = {"insert", "delete", "update"};
    long long row = (long long)row_id;
    brant__statement *statement;
    brant__buffer sql = {0};
    brant_status status;

    if (text) {
        for (size_t i = 0; i < BRANT__COUNT(triggers); i++)
            brant__buffer_format(&sql, "DROP TRIGGER IF EXISTS attribute_text_%lld_%s;", row,
                                 triggers[i]);
        brant__buffer_format(&sql,
                             "DROP TABLE IF EXISTS attribute_text_%lld;"
                             "DROP VIEW IF EXISTS attribute_text_%lld_rows",
                             row, row);
    } else {
        brant__buffer_format(&sql, "DROP INDEX IF EXISTS attribute_index_%lld", row);
    }
    status = change_schema(call, &sql);
    if (status != BRANT_OK) return status;
    status = prepare(&statement, call, delete_row);
    if (status != BRANT_OK) return status;
    brant__bind_integer(statement, 1, row_id);
    return brant__run(call->db, statement);
}

/* ---- operations ------------------------------------------------------------------------------ */

/* The index of a name, to the answer. *out_same: it is the one that is wanted. */
static brant_status find(bool *out_found, bool *out_same, const request *wanted) {
    brant__statement *statement = NULL;
    brant__text kind = wanted->text ? BRANT__TEXT("text") : BRANT__TEXT("value");
    brant__text entry;
    brant_status status;
    yyjson_val *input = wanted->call->input;

    *out_same = false;
    BRANT__TRY(prepare(&statement, wanted->call, by_name));
    brant__bind_text(statement, 1, wanted->name);
    BRANT__TRY(brant__step(out_found, wanted->call->db, statement));
    if (!*out_found) goto cleanup;
    entry = brant__json_get_text(input, wanted->of == BRANT__NODES ? "node_type" : "edge_type");
    *out_same =
        brant__text_equal(brant__column_text(statement, 3),
                          brant__json_get_text(input, "graph_type")) &&
        brant__column_integer(statement, 4) == wanted->of &&
        brant__text_equal(brant__column_text(statement, 5), kind) &&
        brant__text_equal(brant__column_text(statement, 6), wanted->path_names) &&
        brant__text_equal(brant__column_text(statement, wanted->of == BRANT__NODES ? 8 : 9), entry);
    if (*out_same) write_index(wanted->call->out, statement);
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__index_create(brant__call *call) {
    brant__statement *statement = NULL;
    brant__buffer sql = {0};
    request wanted;
    bool found, same;
    char id[37];
    int64_t row_id;
    brant_status status;

    BRANT__TRY(read_request(&wanted, call));
    if (wanted.text) /* for secure-delete */
        BRANT__TRY(brant__sqlite_least(3042000, "a text index"));
    BRANT__TRY(find(&found, &same, &wanted));
    if (same) goto cleanup;
    if (found) {
        status = brant__fail(BRANT_EXISTS, "another index is named %s",
                             brant__quoted(call, wanted.name));
        goto cleanup;
    }
    BRANT__TRY(brant__db_uuid(call->db, id));
    BRANT__TRY(prepare(&statement, call, insert));
    brant__bind_text(statement, 1, brant__text_of(id, 36));
    brant__bind_text(statement, 2, wanted.name);
    brant__bind_integer(statement, 3, wanted.type->row_id);
    brant__bind_integer(statement, 4, wanted.of);
    brant__bind_integer(statement, 5, wanted.type_row);
    brant__bind_text(statement, 6, wanted.text ? BRANT__TEXT("text") : BRANT__TEXT("value"));
    brant__bind_text(statement, 7, wanted.path_names);
    brant__bind_integer(statement, 8, brant__db_now(call->db));
    BRANT__TRY(brant__run(call->db, statement));
    row_id = brant__last_row_id(call->db);
    if (wanted.text)
        text_index_sql(&sql, &wanted, row_id);
    else
        value_index_sql(&sql, &wanted, row_id);
    BRANT__TRY(change_schema(call, &sql));
    BRANT__TRY(find(&found, &same, &wanted));
    if (!same) status = brant__fail(BRANT_CORRUPT, "the index is not there; run db.doctor");
cleanup:
    brant__buffer_free(&sql);
    return status;
}

brant_status brant__index_delete(brant__call *call) {
    brant__text name = brant__json_get_text(call->input, "name");
    brant__statement *statement = NULL;
    int64_t row_id = 0;
    bool found, text = false;
    brant_status status;

    BRANT__TRY(prepare(&statement, call, by_name));
    brant__bind_text(statement, 1, name);
    BRANT__TRY(brant__step(&found, call->db, statement));
    if (found) {
        row_id = brant__column_integer(statement, 0);
        text = brant__text_equal(brant__column_text(statement, 5), BRANT__TEXT("text"));
    }
    brant__reset(statement);
    if (!found) {
        status = brant__fail(BRANT_NOT_FOUND, "no index %s", brant__quoted(call, name));
        goto cleanup;
    }
    BRANT__TRY(drop(call, row_id, text));
    brant__write_object(call->out);
    brant__write_bool_member(call->out, "deleted", true);
    brant__write_end(call->out);
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__indexes_drop(brant__call *call, int64_t graph_type, int of, int64_t type) {
    brant__statement *statement = NULL;
    brant_status status;

    for (;;) {
        int64_t row_id;
        bool row, text;
        BRANT__TRY(prepare(&statement, call, rows_of));
        brant__bind_integer(statement, 1, graph_type);
        brant__bind_integer(statement, 2, of);
        brant__bind_integer(statement, 3, of);
        brant__bind_integer(statement, 4, type);
        BRANT__TRY(brant__step(&row, call->db, statement));
        if (!row) break;
        row_id = brant__column_integer(statement, 0);
        text = brant__text_equal(brant__column_text(statement, 2), BRANT__TEXT("text"));
        brant__reset(statement); /* a statement that runs would keep the schema as it is */
        BRANT__TRY(drop(call, row_id, text));
    }
cleanup:
    brant__reset(statement);
    return status;
}

/* ---- indexes and encryption ------------------------------------------------------------------ */

/* The type in `module` that has the name of a stored one. */
static uint32_t same_type(const brant__type *type, const brant__module *module, int of,
                          int64_t row_id) {
    uint32_t index;

    if (!type->module->typed || !module->typed) return BRANT__NO_TYPE;
    index = of == BRANT__NODES ? brant__type_node_of_row(type, row_id)
                               : brant__type_edge_of_row(type, row_id);
    if (index == BRANT__NO_TYPE) return index;
    return of == BRANT__NODES ? brant__module_node(module, brant__type_node_name(type, index))
                              : brant__module_edge(module, brant__type_edge_name(type, index));
}

static brant_status check_index(brant__call *call, const brant__type *type,
                                const brant__module *module, brant__statement *row) {
    const int of = (int)brant__column_integer(row, 1);
    const uint32_t index = same_type(type, module, of, brant__column_integer(row, 2));
    const brant__text text = brant__column_text(row, 3);
    brant__json paths = {0};
    size_t at, count;
    yyjson_val *item;
    brant_status status;

    if (index == BRANT__NO_TYPE) return BRANT_OK;
    BRANT__TRY(brant__json_parse(&paths, text.data, text.length, 0));
    yyjson_arr_foreach(paths.root, at, count, item) {
        const brant__encrypted *encrypted;
        const char *reason;
        brant__path path;
        BRANT__TRY(brant__path_parse(&path, &reason, call, of, brant__json_text(item)));
        encrypted = brant__path_encrypted(module, of, index, &path);
        if (!encrypted) continue;
        status =
            brant__fail(BRANT_CONSTRAINT,
                        "index %s is on %s: %s type %s cannot encrypt %s before it is deleted",
                        brant__quoted(call, brant__column_text(row, 0)),
                        brant__quoted(call, path.name), of == BRANT__NODES ? "node" : "edge",
                        brant__quoted(call, of == BRANT__NODES ? module->node_types[index].name
                                                               : module->edge_types[index].name),
                        brant__encrypted_name(call, encrypted));
        goto cleanup;
    }
cleanup:
    brant__json_free(&paths);
    return status;
}

brant_status brant__indexes_plain(brant__call *call, const brant__type *type,
                                  const brant__module *module) {
    brant__statement *statement = NULL;
    brant_status status;
    bool row;

    BRANT__TRY(prepare(&statement, call, paths_of));
    brant__bind_integer(statement, 1, type->row_id);
    for (;;) {
        BRANT__TRY(brant__step(&row, call->db, statement));
        if (!row) break;
        BRANT__TRY(check_index(call, type, module, statement));
    }
cleanup:
    brant__reset(statement);
    return status;
}
