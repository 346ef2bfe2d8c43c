/*
 * exchange/read_csv.c: CSV in: csv.h says what cells mean.
 */
#include "exchange/csv.h"
#include "exchange/import.h"

/* A cell in the import's scratch buffer. */
typedef struct csv_cell {
    size_t begin;
    size_t length;
    bool quoted;
} csv_cell;

typedef struct csv_record {
    csv_cell *cells;
    size_t count;
    size_t capacity;
    int64_t end; /* after its line end */
} csv_record;

static brant__text cell_text(const brant__import *import, const csv_cell *cell) {
    return brant__text_of(import->scratch.data ? import->scratch.data + cell->begin : "",
                          cell->length);
}

static brant_status add_cell(csv_record *record, brant__import *import, size_t begin, bool quoted) {
    csv_cell *cells = brant__grow(record->cells, &record->capacity, record->count, sizeof(*cells));
    if (!cells) return brant__fail_memory();
    record->cells = cells;
    record->cells[record->count++] = (csv_cell){begin, import->scratch.length - begin, quoted};
    return BRANT_OK;
}

static brant_status fail_at(int64_t offset, const char *what) {
    return brant__fail(BRANT_INVALID, "%s at byte %lld", what, (long long)offset);
}

enum { BEGIN, PLAIN, QUOTED, CLOSED };

/*
 * The record at `offset`: its end is known even where it is at fault (a quote out of place), so that the next one can be read. *out_found false: the end of the file.
 */
static brant_status read_record(bool *out_found, csv_record *record, brant__import *import,
                                int64_t offset) {
    brant__buffer *out = &import->scratch;
    int64_t bad = -1;
    size_t at = 0, begin = 0;
    bool quoted = false, ended = false;
    int state = BEGIN;
    brant_status status = BRANT_OK;

    *out_found = offset < import->source.size;
    if (!*out_found) return BRANT_OK;
    record->count = 0;
    brant__buffer_reset(out);
    while (!ended) {
        brant__text text;
        BRANT__TRY(brant__source_get(&text, &import->source, offset, at + 1));
        if (at >= text.length) {
            if (state == QUOTED) {
                record->end = offset + (int64_t)at;
                status = fail_at(record->end, "the file ends in a quoted cell");
                goto cleanup;
            }
            BRANT__TRY(add_cell(record, import, begin, quoted));
            break;
        }
        for (; at < text.length && !ended; at++) {
            char byte = text.data[at];
            if (state == QUOTED) {
                if (byte == '"')
                    state = CLOSED;
                else
                    brant__buffer_append_byte(out, byte);
                continue;
            }
            if (byte == '"') {
                if (state == CLOSED) {
                    brant__buffer_append_byte(out, byte);
                    state = QUOTED;
                } else if (state == BEGIN) {
                    quoted = true;
                    state = QUOTED;
                } else if (bad < 0) {
                    bad = offset + (int64_t)at;
                }
                continue;
            }
            if (byte == ',' || byte == '\n') {
                /* The CR of a line end is no part of the cell. */
                if (byte == '\n' && state == PLAIN && out->length > begin &&
                    out->data[out->length - 1] == '\r')
                    out->length--;
                BRANT__TRY(add_cell(record, import, begin, quoted));
                begin = out->length;
                quoted = false;
                state = BEGIN;
                ended = byte == '\n';
                continue;
            }
            if (state == CLOSED) {
                if (byte != '\r' && bad < 0) bad = offset + (int64_t)at;
                continue;
            }
            state = PLAIN;
            brant__buffer_append_byte(out, byte);
        }
    }
    record->end = offset + (int64_t)at;
    if (out->failed)
        status = brant__fail_memory();
    else if (bad >= 0)
        status = fail_at(bad, "a quote is out of place");
    else if (brant__utf8_check(out->data ? out->data : "", out->length) != SIZE_MAX)
        status = fail_at(offset, "text that is no UTF-8 in the record");
cleanup:
    return status;
}

static bool is_blank(const csv_record *record) {
    return record->count == 1 && record->cells[0].length == 0 && !record->cells[0].quoted;
}

/* ---- header ---------------------------------------------------------------------------------- */

static brant_status check_header(brant__import *import) {
    uint32_t ours = 0;
    brant__map names = {0};
    size_t index, count;
    yyjson_val *name;
    brant_status status = BRANT_OK;

    yyjson_arr_foreach(import->header.root, index, count, name) {
        brant__text text = brant__json_text(name);
        int64_t before;
        int column = brant__csv_column(text, import->part_edges);
        if (text.length == 0) {
            status = brant__fail(BRANT_INVALID, "column %zu has no name", index + 1);
            goto cleanup;
        }
        if (brant__map_get(&names, text, &before)) {
            status = brant__fail(BRANT_INVALID, "column %s is there twice",
                                 brant__quoted(import->call, text));
            goto cleanup;
        }
        if (!brant__map_put(&names, text, 0)) {
            status = brant__fail_memory();
            goto cleanup;
        }
        if (column < BRANT__CSV_OURS) ours |= UINT32_C(1) << column;
    }
    if (import->part_edges &&
        (!(ours & (1u << BRANT__CSV_SOURCE)) || !(ours & (1u << BRANT__CSV_TARGET))))
        status = brant__fail(BRANT_INVALID, "the edges need columns source and target");
    else if (!import->part_edges && !(ours & (1u << BRANT__CSV_KEY)))
        status = brant__fail(BRANT_INVALID, "the nodes need a column key");
cleanup:
    brant__map_free(&names);
    return status;
}

/* The names of the columns are kept as a JSON array; nodes_range.begin is where the records begin. */
static brant_status begin(brant__import *import) {
    csv_record record = {NULL, 0, 0, 0};
    brant__writer out = {0};
    int64_t offset = 0;
    brant__text text;
    bool found;
    brant_status status;

    BRANT__TRY(brant__source_get(&text, &import->source, 0, 3));
    if (text.length >= 3 && memcmp(text.data, "\xEF\xBB\xBF", 3) == 0) offset = 3;
    BRANT__TRY(read_record(&found, &record, import, offset));
    if (!found) {
        status = brant__fail(BRANT_INVALID, "there is no header line");
        goto cleanup;
    }
    import->nodes_range.begin = record.end;
    brant__write_array(&out);
    for (size_t i = 0; i < record.count; i++)
        brant__write_text(&out, cell_text(import, &record.cells[i]));
    brant__write_end(&out);
    if (out.buffer.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    BRANT__TRY(brant__json_parse(&import->header, out.buffer.data, out.buffer.length, 0));
    status = check_header(import);
cleanup:
    brant__free(record.cells);
    brant__buffer_free(&out.buffer);
    return status;
}

/* ---- records --------------------------------------------------------------------------------- */

/* The object in a cell of ours, or NULL where it is empty; valid until the next parse. */
static brant_status read_object(yyjson_val **out, brant__import *import, brant__json *json,
                                brant__text text, int column) {
    *out = NULL;
    if (text.length == 0) return BRANT_OK;
    if (!brant__csv_is_json(json, text) || !yyjson_is_obj(json->root))
        return brant__fail(BRANT_INVALID, "%s is no JSON object", brant__csv_names[column]);
    *out = json->root;
    (void)import;
    return BRANT_OK;
}

typedef struct csv_row {
    brant__text ours[BRANT__CSV_OURS];
    brant__json attributes_json;
    brant__json metadata_json;
    yyjson_val *attributes;
    yyjson_val *metadata;
    bool undirected;
} csv_row;

/* Everything that can be at fault. */
static brant_status read_row(csv_row *row, brant__import *import, const csv_record *record) {
    size_t index, count = yyjson_arr_size(import->header.root);
    brant__text undirected;
    yyjson_val *name;
    brant_status status;

    if (record->count != count)
        return brant__fail(BRANT_INVALID, "the record has %zu cells, the header %zu", record->count,
                           count);
    yyjson_arr_foreach(import->header.root, index, count, name) {
        int column = brant__csv_column(brant__json_text(name), import->part_edges);
        if (column < BRANT__CSV_OURS) row->ours[column] = cell_text(import, &record->cells[index]);
    }
    status = read_object(&row->attributes, import, &row->attributes_json,
                         row->ours[BRANT__CSV_ATTRIBUTES], BRANT__CSV_ATTRIBUTES);
    if (status == BRANT_OK)
        status = read_object(&row->metadata, import, &row->metadata_json,
                             row->ours[BRANT__CSV_METADATA], BRANT__CSV_METADATA);
    if (status != BRANT_OK) return status;
    yyjson_arr_foreach(import->header.root, index, count, name) {
        if (record->cells[index].length > 0 &&
            brant__csv_column(brant__json_text(name), import->part_edges) == BRANT__CSV_OURS &&
            yyjson_obj_getn(row->attributes, yyjson_get_str(name), yyjson_get_len(name)))
            return brant__fail(BRANT_INVALID, "the attribute %s is there twice",
                               brant__quoted(import->call, brant__json_text(name)));
    }
    undirected = row->ours[BRANT__CSV_UNDIRECTED];
    row->undirected = brant__text_equal(undirected, BRANT__TEXT("true"));
    if (undirected.length > 0 && !row->undirected &&
        !brant__text_equal(undirected, BRANT__TEXT("false")))
        return brant__fail(BRANT_INVALID, "undirected is neither true nor false");
    return BRANT_OK;
}

static void write_attributes(brant__import *import, const csv_row *row, const csv_record *record) {
    brant__writer *out = &import->items;
    size_t index, count, member, members;
    yyjson_val *name, *value;

    brant__write_name(out, "attributes");
    brant__write_object(out);
    yyjson_obj_foreach(row->attributes, member, members, name, value) {
        brant__write_name_text(out, brant__json_text(name));
        brant__write_value(out, value);
    }
    yyjson_arr_foreach(import->header.root, index, count, name) {
        brant__text text = cell_text(import, &record->cells[index]);
        if (text.length == 0 ||
            brant__csv_column(brant__json_text(name), import->part_edges) != BRANT__CSV_OURS)
            continue;
        brant__write_name_text(out, brant__json_text(name));
        if (brant__csv_is_json(&import->json, text))
            brant__write_value(out, import->json.root);
        else
            brant__write_text(out, text);
    }
    brant__write_end(out);
}

static void write_row(brant__import *import, const csv_row *row, const csv_record *record) {
    static const int texts[] = {BRANT__CSV_KEY, BRANT__CSV_SOURCE, BRANT__CSV_TARGET,
                                BRANT__CSV_TYPE};
    yyjson_val *otherwise = import->part_edges ? import->edge_type : import->node_type;
    brant__writer *out = &import->items;

    for (size_t i = 0; i < BRANT__COUNT(texts); i++) {
        if (row->ours[texts[i]].length == 0) continue;
        brant__write_text_member(out, brant__csv_names[texts[i]], row->ours[texts[i]]);
    }
    if (row->ours[BRANT__CSV_TYPE].length == 0 && otherwise && import->graph.type->module->typed) {
        brant__write_name(out, "type");
        brant__write_value(out, otherwise);
    }
    if (row->ours[BRANT__CSV_UNDIRECTED].length > 0) {
        brant__write_bool_member(out, "undirected", row->undirected);
    }
    if (row->metadata) {
        brant__write_name(out, "metadata");
        brant__write_value(out, row->metadata);
    }
    write_attributes(import, row, record);
}

static brant_status next(bool *out_found, brant__import *import) {
    int64_t offset = import->place.offset;
    csv_record record = {NULL, 0, 0, 0};
    csv_row row = {.attributes = NULL};
    brant_status status;

    if (offset < import->nodes_range.begin) offset = import->nodes_range.begin;
    record.end = offset;
    do {
        status = read_record(out_found, &record, import, offset);
        offset = record.end;
    } while (status == BRANT_OK && *out_found && is_blank(&record));
    if (status != BRANT_OK || !*out_found) goto cleanup;
    status = read_row(&row, import, &record);
    if (status != BRANT_OK) goto cleanup;
    if (brant__import_begin_item(import, import->part_edges ? BRANT__EDGES : BRANT__NODES)) {
        write_row(import, &row, &record);
        brant__import_end_item(import, record.end);
    }
cleanup:
    if (status != BRANT_OK)
        status = brant__import_fault(import, row.ours[BRANT__CSV_KEY], record.end);
    brant__json_free(&row.attributes_json);
    brant__json_free(&row.metadata_json);
    brant__free(record.cells);
    return status;
}

const brant__import_format brant__csv_import = {.name = "csv", .begin = begin, .next = next};
