/*
 * identity/table_list.c: pages of rows in order of their ids, which is that of their creation.
 *
 * A filter is equalities. The statement is written for the columns that it names, so that an index on one of them and id gives the page without sorting; values are bound.
 */
#include "identity/actor.h"
#include "identity/table.h"
#include "store/position.h"

#define PAGE      100
#define PAGE_MOST 10000
#define FILTERS   8 /* columns of one table that lists may be filtered by, at most */

typedef struct listing {
    const brant__table *table;
    const brant__condition *condition; /* NULL: none */
    int64_t limit;
    brant__position from;
    brant__list list;
    struct {
        yyjson_val *value;
        brant__text text; /* of a text, as it is kept */
    } values[FILTERS];    /* to bind, in the order of the statement */
    size_t count;
    bool timed;
    brant__text bound; /* the organisation whose rows alone are seen; {NULL, 0}: all are */
    brant__buffer sql;
} listing;

static void put(listing *self, const char *text) {
    brant__buffer_append(&self->sql, text, strlen(text));
}

static brant_status refuse(const listing *self, const char *name, const char *wanted) {
    return brant__fail(BRANT_INVALID, "/filter/%s: %s are filtered by %s", name, self->table->noun,
                       wanted);
}

static bool names_column(const brant__table *table, brant__text name) {
    for (size_t i = 0; i < table->count; i++)
        if (table->columns[i].filter &&
            brant__text_equal(name, brant__text_string(table->columns[i].name)))
            return true;
    return false;
}

/* Every member of the filter is one that rows can be picked by. */
static brant_status check_names(const listing *self, yyjson_val *filter) {
    size_t index, count;
    yyjson_val *key, *value;

    if (filter && !yyjson_is_obj(filter))
        return brant__fail(BRANT_INVALID, "/filter: must be an object");
    yyjson_obj_foreach(filter, index, count, key, value) {
        const brant__text name = brant__json_text(key);
        if (names_column(self->table, name)) continue;
        if (self->condition && brant__text_equal(name, brant__text_string(self->condition->name)))
            continue;
        return brant__fail(BRANT_INVALID, "/filter: %s are not filtered by \"%.*s\"",
                           self->table->noun, (int)(name.length > 64 ? 64 : name.length),
                           name.data);
    }
    return BRANT_OK;
}

/* The value counts in the list's check as it stands in JSON. */
static brant_status note_value(listing *self, const char *name, yyjson_val *value) {
    brant__buffer text = {0};
    brant_status status = BRANT_OK;

    brant__json_append(&text, value);
    if (text.failed) {
        status = brant__fail_memory();
    } else {
        brant__list_filter(&self->list, brant__text_string(name));
        brant__list_filter(&self->list, brant__text_of(text.data, text.length));
    }
    brant__buffer_free(&text);
    return status;
}

static brant_status add_column(listing *self, brant__arena *arena, const brant__column *column,
                               yyjson_val *value) {
    const bool integer = column->kind == BRANT__AS_INTEGER;
    brant_status status = BRANT_OK;

    if (yyjson_is_null(value)) {
        if (!column->nullable) return refuse(self, column->name, "a value that is not null");
        brant__buffer_format(&self->sql, " AND %s IS NULL", column->name);
    } else {
        if (integer ? !yyjson_is_int(value) : !yyjson_is_str(value))
            return refuse(self, column->name, integer ? "an integer" : "a text");
        brant__text text = brant__json_text(value);
        if (column->normalize) BRANT__TRY(column->normalize(&text, arena, text));
        self->values[self->count].value = value;
        self->values[self->count++].text = text;
        brant__buffer_format(&self->sql, " AND %s = ?", column->name);
    }
    status = note_value(self, column->name, value);
cleanup:
    return status;
}

static brant_status add_condition(listing *self, yyjson_val *value) {
    if (!yyjson_is_bool(value)) return refuse(self, self->condition->name, "true or false");
    put(self, " AND (");
    put(self, yyjson_get_bool(value) ? self->condition->yes : self->condition->no);
    put(self, ")");
    self->timed = true;
    return note_value(self, self->condition->name, value);
}

static brant_status write_sql(listing *self, brant__arena *arena, yyjson_val *filter) {
    yyjson_val *value = NULL;
    brant_status status = check_names(self, filter);

    if (status != BRANT_OK) return status;
    put(self, "SELECT ");
    put(self, self->table->shown);
    brant__buffer_format(&self->sql, " FROM %s WHERE true", self->table->name);
    /* First, since it has the number of its parameter. */
    if (self->condition) value = brant__json_get(filter, self->condition->name);
    if (value) status = add_condition(self, value);
    if (self->bound.data) brant__buffer_format(&self->sql, " AND %s", self->table->of_organization);
    for (size_t i = 0; status == BRANT_OK && i < self->table->count; i++) {
        const brant__column *column = &self->table->columns[i];
        value = column->filter ? brant__json_get(filter, column->name) : NULL;
        if (value) status = add_column(self, arena, column, value);
    }
    put(self, " AND id > ? ORDER BY id LIMIT ?");
    if (status != BRANT_OK) return status;
    return self->sql.failed ? brant__fail_memory() : BRANT_OK;
}

static void bind(listing *self, brant__call *call, brant__statement *statement) {
    int index = 1;

    if (self->timed) brant__bind_integer(statement, index++, brant__db_now(call->db));
    if (self->bound.data) brant__bind_text(statement, index++, self->bound);
    for (size_t i = 0; i < self->count; i++) {
        if (self->values[i].text.data)
            brant__bind_text(statement, index++, self->values[i].text);
        else
            brant__bind_integer(statement, index++, brant__json_integer(self->values[i].value, 0));
    }
    brant__bind_text(statement, index++, self->from.given ? self->from.text : BRANT__TEXT(""));
    brant__bind_integer(statement, index, self->limit + 1);
}

/* Where `id` stands among the columns shown. */
static int id_column(const brant__table *table) {
    int index = 0;

    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->columns[i].name, "id") == 0) break;
        index += !table->columns[i].secret && !table->columns[i].virtual;
    }
    return index;
}

static brant_status write_page(listing *self, brant__call *call) {
    const int id = id_column(self->table);
    brant__position last = {.given = true};
    brant__statement *statement = NULL;
    int64_t count = 0;
    bool row = false;
    brant_status status;

    BRANT__TRY(brant__statement_prepare(&statement, call->db,
                                        brant__text_of(self->sql.data, self->sql.length)));
    bind(self, call, statement);
    brant__write_object(call->out);
    brant__write_name(call->out, "items");
    brant__write_array(call->out);
    for (;;) {
        BRANT__TRY(brant__step(&row, call->db, statement));
        if (!row || count == self->limit) break;
        brant__row_write(call->out, self->table, statement, 0);
        if (++count == self->limit)
            BRANT__TRY(
                brant__arena_text(&last.text, call->arena, brant__column_text(statement, id)));
    }
    brant__write_end(call->out);
    brant__position_write(call->out, row ? &last : NULL, self->list);
    brant__write_end(call->out);
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__table_list_by(brant__call *call, const brant__table *table,
                                  const char *operation, const brant__condition *condition) {
    listing self = {.table = table,
                    .condition = condition,
                    .bound = brant__actor_bound(call->db),
                    .list = brant__list_of(operation)};
    brant_status status;

    BRANT__TRY(brant__limit_read(&self.limit, call, PAGE, PAGE_MOST));
    BRANT__TRY(write_sql(&self, call->arena, brant__json_get(call->input, "filter")));
    BRANT__TRY(brant__position_read(&self.from, call, self.list));
    status = write_page(&self, call);
cleanup:
    brant__buffer_free(&self.sql);
    return status;
}

brant_status brant__row_shown(bool *out, brant_db *db, const brant__table *table, brant__text id) {
    const brant__text bound = brant__actor_bound(db);
    brant__statement *statement = NULL;
    brant__buffer sql = {0};
    brant_status status = BRANT_OK;

    *out = !bound.data || !table->of_organization;
    if (*out) return BRANT_OK;
    brant__buffer_format(&sql, "SELECT 1 FROM %s WHERE id = ? AND %s", table->name,
                         table->of_organization);
    if (sql.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    BRANT__TRY(brant__statement_prepare(&statement, db, brant__text_of(sql.data, sql.length)));
    brant__bind_text(statement, 1, id);
    brant__bind_text(statement, 2, bound);
    status = brant__step(out, db, statement);
cleanup:
    brant__reset(statement);
    brant__buffer_free(&sql);
    return status;
}

brant_status brant__table_list(brant__call *call, const brant__table *table,
                               const char *operation) {
    return brant__table_list_by(call, table, operation, NULL);
}
