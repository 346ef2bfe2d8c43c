/*
 * identity/table_schema.c: identity.schemas: of each table the JSON Schemas of a row, of the input that makes one and of the input that changes one.
 */
#include "identity/table.h"

enum { SELECT, INSERT, UPDATE, SCHEMAS };
static const char *const names[SCHEMAS] = {"select", "insert", "update"};

static int place_of(const brant__column *column, int schema) {
    switch (schema) {
    case INSERT:
        return column->insert;
    case UPDATE:
        return column->update;
    default:
        return column->secret || column->virtual ? BRANT__ABSENT : BRANT__REQUIRED;
    }
}

static void write_type(brant__writer *out, const brant__column *column) {
    static const char *const types[] = {"string", "integer", "object", "array", "string"};
    const brant__text type = brant__text_string(types[column->kind]);

    brant__write_name(out, "type");
    if (!column->nullable) {
        brant__write_text(out, type);
        return;
    }
    brant__write_array(out);
    brant__write_text(out, type);
    brant__write_text(out, BRANT__TEXT("null"));
    brant__write_end(out);
}

static void write_column(brant__writer *out, const brant__column *column, int schema) {
    const size_t most = schema != SELECT && column->given > 0 ? column->given : column->most;

    brant__write_object(out);
    write_type(out, column);
    if (column->values) {
        brant__write_name(out, "enum");
        brant__write_array(out);
        for (const char *const *value = column->values; *value; value++)
            brant__write_text(out, brant__text_string(*value));
        brant__write_end(out);
    }
    if (column->pattern)
        brant__write_text_member(out, "pattern", brant__text_string(column->pattern));
    if (column->least > 0) brant__write_integer_member(out, "minLength", (int64_t)column->least);
    if (most > 0) brant__write_integer_member(out, "maxLength", (int64_t)most);
    if (column->kind == BRANT__AS_LIST) {
        brant__write_name(out, "items");
        brant__write_object(out);
        brant__write_text_member(out, "type", BRANT__TEXT("string"));
        brant__write_end(out);
    }
    if (column->description)
        brant__write_text_member(out, "description", brant__text_string(column->description));
    brant__write_end(out);
}

static void write_schema(brant__writer *out, const brant__table *table, int schema) {
    brant__write_object(out);
    brant__write_text_member(out, "$schema",
                             BRANT__TEXT("https://json-schema.org/draft/2020-12/schema"));
    brant__write_text_member(out, "type", BRANT__TEXT("object"));
    brant__write_name(out, "properties");
    brant__write_object(out);
    for (size_t i = 0; i < table->count; i++) {
        if (place_of(&table->columns[i], schema) == BRANT__ABSENT) continue;
        brant__write_name(out, table->columns[i].name);
        write_column(out, &table->columns[i], schema);
    }
    brant__write_end(out);
    brant__write_name(out, "required");
    brant__write_array(out);
    for (size_t i = 0; i < table->count; i++)
        if (place_of(&table->columns[i], schema) == BRANT__REQUIRED)
            brant__write_text(out, brant__text_string(table->columns[i].name));
    brant__write_end(out);
    brant__write_bool_member(out, "additionalProperties", false);
    brant__write_end(out);
}

brant_status brant__identity_schemas(brant__call *call) {
    brant__writer *out = call->out;

    brant__write_object(out);
    brant__write_name(out, "tables");
    brant__write_object(out);
    for (size_t i = 0; i < BRANT__IDENTITY_TABLES; i++) {
        brant__write_name(out, brant__identity_tables[i]->noun);
        brant__write_object(out);
        for (int schema = 0; schema < SCHEMAS; schema++) {
            brant__write_name(out, names[schema]);
            write_schema(out, brant__identity_tables[i], schema);
        }
        brant__write_end(out);
    }
    brant__write_end(out);
    brant__write_end(out);
    return BRANT_OK;
}
