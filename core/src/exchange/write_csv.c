/*
 * exchange/write_csv.c: nodes or edges as CSV (csv.h).
 *
 * Which columns there are is settled on the first page, from all rows, and then carried by the cursor.
 */
#include "exchange/csv.h"

/* Attributes beyond these, and those whose names are taken, stand together in the column `attributes`. */
#define COLUMNS_MAXIMUM 1000
#define NAMES_MAXIMUM   ((size_t)64 << 10)

const char *const brant__csv_names[BRANT__CSV_OURS] = {
    [BRANT__CSV_KEY] = "key",
    [BRANT__CSV_SOURCE] = "source",
    [BRANT__CSV_TARGET] = "target",
    [BRANT__CSV_TYPE] = "type",
    [BRANT__CSV_UNDIRECTED] = "undirected",
    [BRANT__CSV_ATTRIBUTES] = "attributes",
    [BRANT__CSV_METADATA] = "metadata",
};

int brant__csv_column(brant__text name, bool edges) {
    for (int i = 0; i < BRANT__CSV_OURS; i++) {
        if (!edges &&
            (i == BRANT__CSV_SOURCE || i == BRANT__CSV_TARGET || i == BRANT__CSV_UNDIRECTED))
            continue;
        if (brant__text_equal(name, brant__text_string(brant__csv_names[i]))) return i;
    }
    return BRANT__CSV_OURS;
}

bool brant__csv_is_json(brant__json *json, brant__text cell) {
    if (cell.length == 0 || !memchr("{[\"-0123456789tfn", cell.data[0], 17)) return false;
    if (brant__json_parse(json, cell.data, cell.length, 0) == BRANT_OK) return true;
    brant__error_code();
    return false;
}

static void write_cell(brant__buffer *out, brant__text cell) {
    bool quoted = false;

    for (size_t i = 0; i < cell.length && !quoted; i++)
        quoted = cell.data[i] == '"' || cell.data[i] == ',' || cell.data[i] == '\r' ||
                 cell.data[i] == '\n';
    if (!quoted) {
        brant__buffer_append(out, cell.data, cell.length);
        return;
    }
    brant__buffer_append_byte(out, '"');
    for (size_t i = 0; i < cell.length; i++) {
        if (cell.data[i] == '"') brant__buffer_append_byte(out, '"');
        brant__buffer_append_byte(out, cell.data[i]);
    }
    brant__buffer_append_byte(out, '"');
}

static void write_json_cell(brant__export *export, yyjson_val *value) {
    brant__buffer *text = &export->scratch[0];

    brant__buffer_reset(text);
    brant__json_append(text, value);
    if (text->failed) export->text.failed = true;
    write_cell(&export->text, brant__text_of(text->data, text->length));
}

static void write_attribute(brant__export *export, yyjson_val *value) {
    brant__json json = {0};

    if (!value) return;
    if (!yyjson_is_str(value) || yyjson_get_len(value) == 0 ||
        brant__csv_is_json(&json, brant__json_text(value)))
        write_json_cell(export, value);
    else
        write_cell(&export->text, brant__json_text(value));
    brant__json_free(&json);
}

/* ---- columns --------------------------------------------------------------------------------- */

/* Two flags before the names: are there attributes beside the columns, is there metadata. */
static brant_status choose_columns(brant__export *export) {
    brant__survey survey;
    brant__writer out = {0};
    size_t bytes = 0, chosen = 0;
    brant_status status;

    BRANT__TRY(brant__survey_take(&survey, export, export->nodes ? BRANT__NODES : BRANT__EDGES));
    for (size_t i = 0; i < survey.count; i++) {
        brant__text name = survey.names[i].name;
        bool taken = name.length == 0 ||
                     brant__csv_column(name, export->edges) != BRANT__CSV_OURS ||
                     chosen == COLUMNS_MAXIMUM || bytes + name.length > NAMES_MAXIMUM;
        if (taken) continue;
        bytes += name.length;
        survey.names[chosen++] = survey.names[i];
    }
    brant__write_array(&out);
    brant__write_bool(&out, chosen < survey.count);
    brant__write_bool(&out, survey.metadata);
    for (size_t i = 0; i < chosen; i++)
        brant__write_text(&out, survey.names[i].name);
    brant__write_end(&out);
    if (!out.buffer.failed)
        export->columns.data =
            brant__arena_copy(export->call->arena, out.buffer.data, out.buffer.length);
    export->columns.length = out.buffer.length;
    if (!export->columns.data) status = brant__fail_memory();
cleanup:
    brant__buffer_free(&out.buffer);
    return status;
}

static brant_status read_columns(brant__export *export) {
    size_t index, count;
    yyjson_val *name;
    brant_status status;

    if (export->column_names) return BRANT_OK;
    status = brant__json_parse(&export->names, export->columns.data, export->columns.length, 0);
    if (status != BRANT_OK || !yyjson_is_arr(export->names.root) ||
        yyjson_arr_size(export->names.root) < 2) {
        brant__error_code();
        return brant__fail(BRANT_INVALID, "the cursor is not one of this list");
    }
    count = yyjson_arr_size(export->names.root);
    export->column_names =
        brant__arena_alloc(export->call->arena, count * sizeof(*export->column_names));
    if (!export->column_names) return brant__fail_memory();
    yyjson_arr_foreach(export->names.root, index, count, name) {
        if (index >= 2) export->column_names[export->column_count++] = brant__json_text(name);
    }
    return BRANT_OK;
}

static bool flag(const brant__export *export, size_t which) {
    return yyjson_is_true(yyjson_arr_get(export->names.root, which));
}

static void next(brant__export *export) {
    brant__buffer_append_byte(&export->text, ',');
}

static void write_name(brant__export *export, int column) {
    if (column != BRANT__CSV_KEY) next(export);
    write_cell(&export->text, brant__text_string(brant__csv_names[column]));
}

static brant_status begin(brant__export *export) {
    brant_status status;

    BRANT__TRY(choose_columns(export));
    BRANT__TRY(read_columns(export));
    write_name(export, BRANT__CSV_KEY);
    if (export->edges) {
        write_name(export, BRANT__CSV_SOURCE);
        write_name(export, BRANT__CSV_TARGET);
    }
    if (export->graph.type->module->typed) write_name(export, BRANT__CSV_TYPE);
    if (export->edges && brant__graph_mixed(&export->graph))
        write_name(export, BRANT__CSV_UNDIRECTED);
    for (size_t i = 0; i < export->column_count; i++) {
        next(export);
        write_cell(&export->text, export->column_names[i]);
    }
    if (flag(export, 0)) write_name(export, BRANT__CSV_ATTRIBUTES);
    if (flag(export, 1)) write_name(export, BRANT__CSV_METADATA);
    brant__buffer_append(&export->text, "\r\n", 2);
cleanup:
    return status;
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* Attributes that have no column, as one object. */
static void write_others(brant__export *export, const brant__export_item *item) {
    brant__writer out = {.buffer = export->item.buffer};
    size_t index, count, written = 0;
    yyjson_val *name, *value;

    brant__buffer_reset(&out.buffer);
    brant__write_object(&out);
    yyjson_obj_foreach(item->attributes, index, count, name, value) {
        brant__text text = brant__json_text(name);
        size_t low = 0, high = export->column_count;
        bool found = false;
        while (low < high && !found) {
            size_t middle = low + (high - low) / 2;
            int order = brant__text_compare(export->column_names[middle], text);
            found = order == 0;
            if (order < 0)
                low = middle + 1;
            else
                high = middle;
        }
        if (found) continue;
        written++;
        brant__write_name_text(&out, text);
        brant__write_value(&out, value);
    }
    brant__write_end(&out);
    if (written) write_cell(&export->text, brant__text_of(out.buffer.data, out.buffer.length));
    export->item.buffer = out.buffer;
}

static void write_content(brant__export *export, const brant__export_item *item) {
    if (export->graph.type->module->typed) {
        next(export);
        write_cell(&export->text, item->type);
    }
    if (export->edges && brant__graph_mixed(&export->graph)) {
        next(export);
        brant__buffer_format(&export->text, "%s", item->undirected ? "true" : "false");
    }
    for (size_t i = 0; i < export->column_count; i++) {
        next(export);
        write_attribute(export, yyjson_obj_getn(item->attributes, export->column_names[i].data,
                                                export->column_names[i].length));
    }
    if (flag(export, 0)) {
        next(export);
        write_others(export, item);
    }
    if (flag(export, 1)) {
        next(export);
        write_cell(&export->text, item->metadata);
    }
    brant__buffer_append(&export->text, "\r\n", 2);
}

static brant_status node(brant__export *export, const brant__export_item *item) {
    brant_status status = read_columns(export);

    if (status != BRANT_OK) return status;
    write_cell(&export->text, item->key);
    write_content(export, item);
    return BRANT_OK;
}

static brant_status edge(brant__export *export, const brant__export_item *item) {
    brant_status status = read_columns(export);

    if (status != BRANT_OK) return status;
    write_cell(&export->text, item->key);
    next(export);
    write_cell(&export->text, item->source);
    next(export);
    write_cell(&export->text, item->target);
    write_content(export, item);
    return BRANT_OK;
}

const brant__export_format brant__csv_format = {
    .name = "csv",
    .begin = begin,
    .node = node,
    .edge = edge,
};
