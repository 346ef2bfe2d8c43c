/*
 * graph/graph_type.c: the operations on graph types: defining, reading, listing, deleting.
 */
#include "graph/evolve.h"
#include "graph/index.h"

/* ---- writing --------------------------------------------------------------------------------- */

/* What a module probably does not mean. */
static brant_status write_warnings(brant__call *call, const brant__type_row *row,
                                   const brant__module *module) {
    brant__json json = {0};
    brant_status status = brant__stored_document(&json, call, row);

    brant__write_name(call->out, "warnings");
    brant__write_array(call->out);
    if (status == BRANT_OK) status = brant__module_warnings(call->out, json.root, module);
    brant__write_end(call->out);
    brant__json_free(&json);
    return status;
}

enum { PLAIN, WITH_MODULE, WITH_WARNINGS };

static brant_status write_type(brant__call *call, const brant__type_row *row, int with) {
    brant__writer *out = call->out;
    brant__statement *statement = NULL;
    const brant__type *type;
    const brant__module *module;
    brant__json json = {0};
    brant__text text;
    brant_status status;

    BRANT__TRY(brant__type_row_load(&type, call, row));
    module = type->module;
    brant__write_object(out);
    brant__write_text_member(out, "id", row->id);
    brant__write_text_member(out, "name", row->name);
    brant__write_text_member(out, "scope", row->scope);
    brant__write_integer_member(out, "version", row->version);
    brant__write_name(out, "config");
    brant__write_config(out, &module->config);
    brant__write_name(out, "node_types");
    brant__write_array(out);
    if (module->typed)
        for (size_t i = 0; i < module->node_type_count; i++)
            brant__write_text(out, module->node_types[i].name);
    brant__write_end(out);
    brant__write_name(out, "edge_types");
    brant__write_array(out);
    for (size_t i = 0; module->typed && i < module->edge_type_count; i++) {
        const brant__edge_type *edge = &module->edge_types[i];
        brant__write_object(out);
        brant__write_text_member(out, "name", edge->name);
        brant__write_name(out, "source");
        brant__write_ends(out, module, edge->sources, edge->source_count);
        brant__write_name(out, "target");
        brant__write_ends(out, module, edge->targets, edge->target_count);
        brant__write_end(out);
    }
    brant__write_end(out);
    if (with == WITH_MODULE) {
        brant__write_name(out, "module");
        BRANT__TRY(brant__type_row_module(&text, &statement, call->db, row->row_id, row->name));
        BRANT__TRY(brant__json_parse(&json, text.data, text.length,
                                     0)); /* a built-in one is not compact */
        brant__write_value(out, json.root);
        BRANT__TRY(brant__retention_write(call, row->row_id));
    }
    brant__write_name(out, "metadata");
    brant__write_raw(out, row->metadata);
    brant__write_integer_member(out, "created_at", row->created_at);
    brant__write_integer_member(out, "updated_at", row->updated_at);
    if (with == WITH_WARNINGS) BRANT__TRY(write_warnings(call, row, module));
    brant__write_end(out);
cleanup:
    brant__json_free(&json);
    brant__reset(statement);
    return status;
}

/* ---- operations ------------------------------------------------------------------------------ */

/* Is this module the one that is stored under the row, or built in, as it was given? */
static brant_status same_module(bool *out_same, brant__call *call, const brant__type_row *row,
                                yyjson_val *module) {
    brant__statement *statement = NULL;
    brant__json json = {0};
    brant__text source = {NULL, 0};
    bool found;
    brant_status status;

    *out_same = false;
    BRANT__TRY(brant__evolve_statement(&statement, call->db, BRANT__EVOLVE_SOURCE));
    brant__bind_integer(statement, 1, row->row_id);
    BRANT__TRY(brant__step(&found, call->db, statement));
    if (found) source = brant__column_text(statement, 0);
    if (source.data) {
        BRANT__TRY(brant__json_parse(&json, source.data, source.length, 0));
        *out_same = brant__json_equal(json.root, module);
    }
    if (!*out_same) {
        BRANT__TRY(brant__stored_document(&json, call, row));
        *out_same = brant__json_equal(json.root, module);
    }
cleanup:
    brant__reset(statement);
    brant__json_free(&json);
    return status;
}

/* What the module was before it was closed. */
static brant_status write_source(brant__call *call, int64_t row_id, yyjson_val *source) {
    brant__statement *statement;
    brant__buffer text = {0};
    brant_status status;

    brant__json_append(&text, source);
    if (text.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    BRANT__TRY(brant__evolve_statement(&statement, call->db, BRANT__EVOLVE_SOURCE_SET));
    brant__bind_text(statement, 1, brant__text_of(text.data, text.length));
    brant__bind_integer(statement, 2, row_id);
    status = brant__run(call->db, statement);
cleanup:
    brant__buffer_free(&text);
    return status;
}

brant_status brant__graph_type_define(brant__call *call) {
    yyjson_val *json = brant__json_get(call->input, "module");
    yyjson_val *metadata = brant__json_get(call->input, "metadata");
    brant__text name = brant__json_get_text(call->input, "name");
    brant__text scope = brant__json_get_text(call->input, "scope");
    int64_t version = brant__json_integer(brant__json_get(call->input, "version"), 1);
    brant__given_module module = {0};
    brant__buffer text = {0};
    brant__type_row row;
    bool found = false, same = false;
    char id[37];
    brant_status status;

    if (!name.data) name = brant__json_get_text(json, "$id");
    if (name.length > 0) {
        BRANT__TRY(brant__type_row_find(&found, &row, call, name));
        if (found) BRANT__TRY(same_module(&same, call, &row, json));
    }
    /* The same again needs no other modules: what it took from them is stored. */
    if (!same) BRANT__TRY(brant__given_module_read(&module, call, json));
    BRANT__TRY(brant__name_check(call->db,
                                 "the graph type's name (member name, or the module's $id)", name));
    if (version < 1) {
        status = brant__fail(BRANT_INVALID, "version is less than 1");
        goto cleanup;
    }
    if (metadata && !yyjson_is_obj(metadata)) {
        status = brant__fail(BRANT_INVALID, "metadata is not an object");
        goto cleanup;
    }
    if (scope.data && !brant__text_equal(scope, BRANT__TEXT("user")) &&
        !brant__text_equal(scope, BRANT__TEXT("tenant")) &&
        !brant__text_equal(scope, BRANT__TEXT("system"))) {
        status = brant__fail(BRANT_INVALID, "scope is none of user, tenant, system");
        goto cleanup;
    }
    if (found) {
        if (!same || row.version != version ||
            (scope.data && !brant__text_equal(scope, row.scope))) {
            status =
                brant__text_equal(row.scope, BRANT__TEXT("system")) && brant__builtin_find(name)
                    ? brant__fail(BRANT_EXISTS, "graph type %s is built in: choose another name",
                                  brant__quoted(call, name))
                    : brant__fail(BRANT_EXISTS,
                                  "another graph type is named %s (version %lld); "
                                  "graph_types.update changes it",
                                  brant__quoted(call, name), (long long)row.version);
            goto cleanup;
        }
        status = write_type(call, &row, WITH_WARNINGS);
        goto cleanup;
    }
    if (!scope.data) scope = BRANT__TEXT("user");
    if (brant__text_equal(scope, BRANT__TEXT("system")) && !brant__db_system(call->db)) {
        status = brant__fail(BRANT_DENIED, "graph types of scope system are changed by a handle "
                                           "that was opened with system: true");
        goto cleanup;
    }
    if (metadata) brant__json_append(&text, metadata);
    if (text.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    BRANT__TRY(brant__db_uuid(call->db, id));
    row = (brant__type_row){
        .id = {id, 36},
        .name = name,
        .scope = scope,
        .version = version,
        .metadata = metadata ? brant__text_of(text.data, text.length) : BRANT__TEXT("{}"),
        .created_at = brant__db_now(call->db),
        .updated_at = brant__db_now(call->db),
    };
    BRANT__TRY(brant__type_row_store(&row, call, module.document, module.module));
    if (module.text.length > 0) BRANT__TRY(write_source(call, row.row_id, json));
    status = write_type(call, &row, WITH_WARNINGS);
cleanup:
    brant__buffer_free(&text);
    brant__given_module_free(&module);
    return status;
}

brant_status brant__type_answer(brant__call *call, brant__text name) {
    brant__type_row row;
    const brant_status status = brant__type_row_need(&row, call, name);

    return status == BRANT_OK ? write_type(call, &row, WITH_WARNINGS) : status;
}

brant_status brant__graph_type_get(brant__call *call) {
    brant__text name = brant__json_get_text(call->input, "name");
    brant__type_row row;
    const brant_status status = brant__type_row_need(&row, call, name);

    return status == BRANT_OK ? write_type(call, &row, WITH_MODULE) : status;
}

/* The built-in module with the smallest name above `after` that is not stored, and can have graphs. */
static brant_status next_builtin(const brant__embedded **out, brant__call *call,
                                 brant__text after) {
    brant_status status;

    for (;;) {
        const brant__embedded *next = NULL;
        brant__type_row row;
        bool found;
        *out = NULL;
        for (size_t i = 0; i < brant__modules_count; i++) {
            const brant__embedded *builtin = &brant__modules[i];
            if (brant__text_compare(brant__builtin_name(builtin), after) <= 0 ||
                brant__builtin_imported(brant__builtin_name(builtin)))
                continue;
            if (!next ||
                brant__text_compare(brant__builtin_name(builtin), brant__builtin_name(next)) < 0)
                next = builtin;
        }
        if (!next) return BRANT_OK;
        status = brant__type_row_find(&found, &row, call, brant__builtin_name(next));
        if (status != BRANT_OK) return status;
        if (found && row.row_id == 0) {
            *out = next;
            return BRANT_OK;
        }
        after = brant__builtin_name(next);
    }
}

brant_status brant__graph_type_list(brant__call *call) {
    brant__list list = brant__list_of("graph_types.list");
    brant__statement *statement = NULL;
    const brant__embedded *builtin;
    brant__position position;
    brant__type_row row;
    int64_t limit, count = 0;
    bool stored;
    brant_status status;

    BRANT__TRY(brant__limit_read(&limit, call, 100, 10000));
    BRANT__TRY(brant__position_read(&position, call, list));
    if (!position.text.data) position.text = BRANT__TEXT("");
    BRANT__TRY(next_builtin(&builtin, call, position.text));
    BRANT__TRY(brant__type_statement(&statement, call->db, BRANT__TYPE_LIST));
    brant__bind_text(statement, 1, position.text);
    brant__bind_integer(statement, 2, limit + 1);
    BRANT__TRY(brant__step(&stored, call->db, statement));
    if (stored) BRANT__TRY(brant__type_row_read(&row, call, statement));
    brant__write_object(call->out);
    brant__write_name(call->out, "items");
    brant__write_array(call->out);
    while (count < limit && (stored || builtin)) {
        if (stored &&
            (!builtin || brant__text_compare(row.name, brant__builtin_name(builtin)) < 0)) {
            BRANT__TRY(write_type(call, &row, PLAIN));
            position.text = row.name;
            BRANT__TRY(brant__step(&stored, call->db, statement));
            if (stored) BRANT__TRY(brant__type_row_read(&row, call, statement));
        } else {
            brant__type_row built_in;
            BRANT__TRY(brant__builtin_row(&built_in, call, builtin));
            BRANT__TRY(write_type(call, &built_in, PLAIN));
            position.text = built_in.name;
            BRANT__TRY(next_builtin(&builtin, call, position.text));
        }
        count++;
    }
    brant__write_end(call->out);
    brant__position_write(call->out, stored || builtin ? &position : NULL, list);
    brant__write_end(call->out);
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status delete_rows(brant__call *call, int which, int64_t row_id) {
    brant__statement *statement;
    brant_status status = brant__type_statement(&statement, call->db, which);

    if (status != BRANT_OK) return status;
    brant__bind_integer(statement, 1, row_id);
    return brant__run(call->db, statement);
}

brant_status brant__type_writable(brant__call *call, const brant__type_row *row) {
    if (!brant__text_equal(row->scope, BRANT__TEXT("system"))) return BRANT_OK;
    if (brant__builtin_find(row->name))
        return brant__fail(BRANT_DENIED, "graph type %s is built in",
                           brant__quoted(call, row->name));
    if (brant__db_system(call->db)) return BRANT_OK;
    return brant__fail(BRANT_DENIED, "graph types of scope system are changed by a handle "
                                     "that was opened with system: true");
}

brant_status brant__graph_type_delete(brant__call *call) {
    brant__text name = brant__json_get_text(call->input, "name");
    brant__statement *statement = NULL, *migration;
    brant__type_row row;
    bool used;
    brant_status status;

    BRANT__TRY(brant__type_row_need(&row, call, name));
    BRANT__TRY(brant__type_writable(call, &row));
    BRANT__TRY(brant__type_statement(&statement, call->db, BRANT__TYPE_USED));
    brant__bind_integer(statement, 1, row.row_id);
    BRANT__TRY(brant__step(&used, call->db, statement));
    if (used) {
        status = brant__fail(BRANT_CONSTRAINT, "graph type %s is used by graph %s",
                             brant__quoted(call, name),
                             brant__quoted(call, brant__column_text(statement, 0)));
        goto cleanup;
    }
    BRANT__TRY(brant__kept_dirty(call->db));
    brant__reset(statement);
    BRANT__TRY(brant__indexes_drop(call, row.row_id, -1, 0));
    BRANT__TRY(delete_rows(call, BRANT__NODE_TYPES_DELETE, row.row_id));
    BRANT__TRY(delete_rows(call, BRANT__EDGE_TYPES_DELETE, row.row_id));
    BRANT__TRY(brant__evolve_statement(&migration, call->db, BRANT__EVOLVE_MIGRATION_DELETE));
    brant__bind_integer(migration, 1, row.row_id);
    BRANT__TRY(brant__run(call->db, migration));
    BRANT__TRY(delete_rows(call, BRANT__TYPE_DELETE, row.row_id));
    brant__type_forget(call->db, row.id);
    brant__write_object(call->out);
    brant__write_bool_member(call->out, "deleted", true);
    brant__write_end(call->out);
cleanup:
    brant__reset(statement);
    return status;
}
