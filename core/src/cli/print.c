/*
 * cli/print.c: answers for people (tables, aligned members) and for programs (JSON).
 */
#include "cli.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CELL 60 /* code points that a cell shows */

const char *cli_on(const cli_style *style, const char *name) {
    static const struct {
        const char *name, *code;
    } codes[] = {{"bold", "\033[1m"},   {"dim", "\033[2m"},     {"red", "\033[31m"},
                 {"green", "\033[32m"}, {"yellow", "\033[33m"}, {"blue", "\033[34m"},
                 {"cyan", "\033[36m"}};
    for (size_t i = 0; style->color && i < sizeof codes / sizeof *codes; i++)
        if (strcmp(codes[i].name, name) == 0) return codes[i].code;
    return "";
}

const char *cli_off(const cli_style *style) {
    return style->color ? "\033[0m" : "";
}

/* ---- cells ---------------------------------------------------------------------------------------------------------- */

/* Control characters could drive the terminal: they become spaces. */
static void tame(char *text) {
    for (; *text; text++) {
        const unsigned char byte = (unsigned char)text[0], next = (unsigned char)text[1];
        if (byte < 32 || byte == 127) *text = ' ';
        if (byte == 0xc2 && next >= 0x80 && next < 0xa0) text[0] = text[1] = ' '; /* U+0080..9F */
    }
}

/* A value as text of one line; cli_free. */
static char *cell_text(yyjson_val *value) {
    size_t length = 0;
    char *text = NULL;
    if (yyjson_is_str(value))
        text = cli_copy(yyjson_get_str(value), yyjson_get_len(value));
    else if (value && !yyjson_is_null(value))
        text = yyjson_val_write_opts(value, 0, &cli_json, &length, NULL);
    if (!text) text = cli_copy("", 0);
    size_t points = 0;
    for (size_t i = 0; i < yyjson_get_len(value);
         i++) /* a NUL would end it; 0 of what is no text */
        if (!text[i]) text[i] = ' ';
    tame(text);
    for (size_t i = 0; text[i]; i++) {
        if (((unsigned char)text[i] & 0xc0) != 0x80 && ++points > CELL) {
            /* Cut at a code point; three dots take the place of the last three. */
            size_t cut = i;
            for (int back = 0; back < 3 && cut > 0; back++)
                while (cut > 0 && ((unsigned char)text[--cut] & 0xc0) == 0x80)
                    continue;
            memcpy(text + cut, "...", 4);
            break;
        }
    }
    return text;
}

static size_t width(const char *text) {
    size_t points = 0;
    for (; *text; text++)
        points += ((unsigned char)*text & 0xc0) != 0x80;
    return points;
}

static void pad(FILE *out, const char *text, size_t to, bool right) {
    const size_t has = width(text);
    if (right)
        for (size_t i = has; i < to; i++)
            fputc(' ', out);
    fputs(text, out);
    if (!right)
        for (size_t i = has; i < to; i++)
            fputc(' ', out);
}

/* ---- tables ----------------------------------------------------------------------------------------------------------- */

typedef struct cli_table {
    size_t columns, rows;
    char **cells; /* row 0 is the header */
    bool *right;  /* numbers stand to the right */
    bool headless;
} cli_table;

static cli_table table_new(size_t rows, size_t columns) {
    cli_table made = {columns, rows, calloc(rows * columns + 1, sizeof(char *)),
                      calloc(columns + 1, sizeof(bool)), false};
    if (!made.cells || !made.right) {
        fputs("brant: out of memory\n", stderr);
        exit(BRANT_NO_MEMORY);
    }
    for (size_t i = 0; i < columns; i++)
        made.right[i] = true;
    return made;
}

static void table_set(cli_table *table, size_t row, size_t column, yyjson_val *value) {
    table->cells[row * table->columns + column] = cell_text(value);
    if (row > 0 && value && !yyjson_is_num(value) && !yyjson_is_null(value))
        table->right[column] = false;
}

static void table_print(FILE *out, const cli_style *style, cli_table *table) {
    size_t *widths = calloc(table->columns + 1, sizeof *widths);
    for (size_t i = 0; widths && i < table->rows * table->columns; i++) {
        const size_t has = table->cells[i] ? width(table->cells[i]) : 0;
        if (has > widths[i % table->columns]) widths[i % table->columns] = has;
    }
    for (size_t row = table->headless; widths && row < table->rows; row++) {
        if (row == 0) fputs(cli_on(style, "bold"), out);
        for (size_t column = 0; column < table->columns; column++) {
            const char *text = table->cells[row * table->columns + column];
            const bool last = column + 1 == table->columns;
            pad(out, text ? text : "", last && !table->right[column] ? 0 : widths[column],
                table->right[column]);
            fputs(last ? "" : "  ", out);
        }
        if (row == 0) fputs(cli_off(style), out);
        fputc('\n', out);
    }
    for (size_t i = 0; i < table->rows * table->columns; i++)
        cli_free(table->cells[i]);
    free(table->cells);
    free(table->right);
    free(widths);
}

/* {columns, rows} of sql.execute. */
static void print_rows(FILE *out, const cli_style *style, yyjson_val *columns, yyjson_val *rows) {
    cli_table made = table_new(yyjson_arr_size(rows) + 1, yyjson_arr_size(columns));
    size_t row, row_count, column, column_count;
    yyjson_val *value, *line;
    yyjson_arr_foreach(columns, column, column_count, value) table_set(&made, 0, column, value);
    yyjson_arr_foreach(rows, row, row_count, line) {
        yyjson_arr_foreach(line, column, column_count, value) if (column < made.columns)
            table_set(&made, row + 1, column, value);
    }
    table_print(out, style, &made);
}

/* An array of objects: the members of the first are the columns. */
static void print_items(FILE *out, const cli_style *style, yyjson_val *items) {
    yyjson_val *first = yyjson_arr_get_first(items), *name, *value, *item;
    size_t column, columns, row, rows;
    cli_table made = table_new(yyjson_arr_size(items) + 1, yyjson_obj_size(first));
    yyjson_obj_foreach(first, column, columns, name, value) table_set(&made, 0, column, name);
    yyjson_arr_foreach(items, row, rows, item) {
        yyjson_obj_foreach(first, column, columns, name, value) {
            table_set(&made, row + 1, column,
                      yyjson_obj_getn(item, yyjson_get_str(name), yyjson_get_len(name)));
        }
    }
    table_print(out, style, &made);
}

/* "node.key" of an item. */
static yyjson_val *at_path(yyjson_val *item, const char *path, size_t length) {
    while (item && length > 0) {
        const char *dot = memchr(path, '.', length);
        const size_t part = dot ? (size_t)(dot - path) : length;
        item = yyjson_obj_getn(item, path, part);
        path += part + (dot != NULL);
        length -= part + (dot != NULL);
    }
    return item;
}

/* Moments are shown as such. */
static bool is_moment(const char *name, size_t length) {
    return (length > 3 && memcmp(name + length - 3, "_at", 3) == 0) ||
           (length > 6 && memcmp(name + length - 6, "_until", 6) == 0);
}

/* A value as the cell of a member of this name; cli_free. */
static char *named_text(const char *name, size_t length, yyjson_val *value) {
    char text[32];
    struct tm at;
    if (!is_moment(name, length) || !yyjson_is_int(value)) return cell_text(value);
    const time_t seconds = (time_t)(yyjson_get_sint(value) / 1000);
    if (!localtime_r(&seconds, &at) || !strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &at))
        return cell_text(value);
    return cli_copy(text, strlen(text));
}

/* The header of a column is the last part of its path, or all of it where another column ends so too. */
static char *header_text(const char *columns, const char *path, size_t length) {
    const char *last = path;
    for (const char *at = path; at < path + length; at++)
        if (*at == '.') last = at + 1;
    const size_t size = (size_t)(path + length - last);
    int same = 0;
    for (const char *at = columns; *at; at += strcspn(at, " "), at += *at == ' ') {
        const size_t other = strcspn(at, " ");
        if (other >= size && memcmp(at + other - size, last, size) == 0 &&
            (other == size || at[other - size - 1] == '.'))
            same++;
    }
    return same > 1 ? cli_copy(path, length) : cli_copy(last, size);
}

static size_t count_columns(const char *columns) {
    size_t count = 1;
    for (; *columns; columns++)
        count += *columns == ' ';
    return count;
}

/* One column of a table: numbers alone stand to the right. */
static void set_column(cli_table *table, size_t row, size_t column, const char *name, size_t length,
                       yyjson_val *value) {
    table->cells[row * table->columns + column] = named_text(name, length, value);
    if (value && !yyjson_is_null(value) && (!yyjson_is_num(value) || is_moment(name, length)))
        table->right[column] = false;
}

static void print_columns(FILE *out, const cli_style *style, yyjson_val *items, const char *columns,
                          bool header) {
    const size_t count = count_columns(columns);
    const char *path = columns;
    size_t index, rows;
    yyjson_val *item;
    cli_table made = table_new(yyjson_arr_size(items) + 1, count);
    made.headless = !header;
    for (size_t column = 0; column < count; column++) {
        const size_t length = strcspn(path, " ");
        bool some = false;
        made.cells[column] = header ? header_text(columns, path, length) : cli_copy("", 0);
        yyjson_arr_foreach(items, index, rows, item) {
            yyjson_val *value = at_path(item, path, length);
            some = some || (value && !yyjson_is_null(value));
            set_column(&made, index + 1, column, path, length, value);
        }
        if (!some) made.right[column] = false;
        path += length + (path[length] == ' ');
    }
    table_print(out, style, &made);
}

void cli_print_arrays(FILE *out, const cli_style *style, yyjson_val *root, const char *columns) {
    const size_t count = count_columns(columns);
    const char *path = columns;
    size_t index, rows;
    yyjson_val *value;
    cli_table made = table_new(
        yyjson_arr_size(yyjson_obj_getn(root, columns, strcspn(columns, " "))) + 1, count);
    for (size_t column = 0; column < count; column++) {
        const size_t length = strcspn(path, " ");
        made.cells[column] = header_text(columns, path, length);
        yyjson_arr_foreach(yyjson_obj_getn(root, path, length), index, rows,
                           value) if (index + 1 < made.rows)
            set_column(&made, index + 1, column, path, length, value);
        path += length + (path[length] == ' ');
    }
    table_print(out, style, &made);
    if (yyjson_is_true(yyjson_obj_get(root, "truncated")))
        fprintf(out, "%smore: --limit%s\n", cli_on(style, "dim"), cli_off(style));
}

void cli_print_items(FILE *out, const cli_style *style, yyjson_val *items, const char *columns,
                     size_t *shown) {
    size_t index, count;
    yyjson_val *item;
    if (style->table && columns && yyjson_arr_size(items) > 0)
        print_columns(out, style, items, columns, *shown == 0);
    else if (style->table && yyjson_arr_size(items) > 0)
        print_items(out, style, items);
    else
        yyjson_arr_foreach(items, index, count, item) {
            size_t length = 0;
            char *line = yyjson_val_write_opts(item, 0, &cli_json, &length, NULL);
            if (line) cli_print_line(out, line, length);
            cli_free(line);
        }
    *shown += yyjson_arr_size(items);
}

static void print_members(FILE *out, const cli_style *style, yyjson_val *object) {
    size_t index, count, widest = 0;
    yyjson_val *name, *value;
    yyjson_obj_foreach(object, index, count, name, value) {
        const size_t has = width(yyjson_get_str(name));
        if (has > widest) widest = has;
    }
    yyjson_obj_foreach(object, index, count, name, value) {
        char *text = named_text(yyjson_get_str(name), yyjson_get_len(name), value);
        char *label = cli_copy(yyjson_get_str(name), yyjson_get_len(name));
        tame(label);
        fputs(cli_on(style, "bold"), out);
        pad(out, label, widest, false);
        fprintf(out, "%s  %s\n", cli_off(style), text);
        cli_free(label);
        cli_free(text);
    }
}

static void print_table(FILE *out, const cli_style *style, yyjson_val *root) {
    yyjson_val *items = yyjson_is_arr(root) ? root : yyjson_obj_get(root, "items");
    yyjson_val *columns = yyjson_obj_get(root, "columns"), *rows = yyjson_obj_get(root, "rows");
    if (yyjson_is_arr(columns) && yyjson_is_arr(rows)) {
        if (yyjson_arr_size(columns) > 0)
            print_rows(out, style, columns, rows);
        else
            fprintf(out, "%lld rows changed\n", (long long)cli_number(root, "changes"));
    } else if (yyjson_is_arr(items) && yyjson_arr_size(items) > 0 &&
               yyjson_is_obj(yyjson_arr_get_first(items))) {
        print_items(out, style, items);
        yyjson_val *cursor = yyjson_obj_get(root, "cursor");
        if (yyjson_is_str(cursor))
            fprintf(out, "%smore: \"cursor\": \"%s\"%s\n", cli_on(style, "dim"),
                    yyjson_get_str(cursor), cli_off(style));
    } else if (yyjson_is_arr(items) && yyjson_arr_size(items) == 0 && yyjson_obj_size(root) < 3) {
        fprintf(out, "%snone%s\n", cli_on(style, "dim"), cli_off(style));
    } else if (yyjson_is_obj(root)) {
        print_members(out, style, root);
    } else {
        char *text = cell_text(root);
        fprintf(out, "%s\n", text);
        cli_free(text);
    }
}

/* ---- answers ------------------------------------------------------------------------------------------------------------ */

void cli_print_line(FILE *out, const char *json, size_t length) {
    fwrite(json, 1, length, out);
    fputc('\n', out);
}

void cli_print(FILE *out, const cli_style *style, const char *json, size_t length) {
    yyjson_doc *doc =
        style->table ? yyjson_read_opts((char *)(uintptr_t)json, length, 0, &cli_json, NULL) : NULL;
    if (doc)
        print_table(out, style, yyjson_doc_get_root(doc));
    else
        cli_print_line(out, json, length);
    yyjson_doc_free(doc);
}

void cli_print_answer(FILE *out, const cli_style *style, yyjson_val *answer) {
    size_t length = 0;
    char *json = yyjson_val_write_opts(answer, 0, &cli_json, &length, NULL);
    if (json) cli_print(out, style, json, length);
    cli_free(json);
}

void cli_print_document(FILE *out, const cli_style *style, yyjson_mut_doc *document) {
    size_t length = 0;
    char *json = yyjson_mut_write_opts(document, 0, &cli_json, &length, NULL);
    yyjson_mut_doc_free(document);
    if (json) cli_print(out, style, json, length);
    cli_free(json);
}

void cli_print_name(FILE *out, const char *name) {
    char *text = cli_copy(name, strlen(name));
    tame(text);
    fputs(text, out);
    cli_free(text);
}

/* ---- errors --------------------------------------------------------------------------------------------------------- */

static void print_violations(yyjson_val *violations, const char *indent) {
    size_t index, count;
    yyjson_val *violation;
    yyjson_arr_foreach(violations, index, count, violation) {
        const char *instance = yyjson_get_str(yyjson_obj_get(violation, "instance"));
        const char *message = yyjson_get_str(yyjson_obj_get(violation, "message"));
        fputs(indent, stderr);
        cli_print_name(stderr, instance && *instance ? instance : "/");
        fputs(": ", stderr);
        cli_print_name(stderr, message ? message : "");
        fputc('\n', stderr);
    }
}

int cli_print_error(const cli_style *style) {
    const brant_error *error = brant_last_error();
    fprintf(stderr, "%sbrant: %s%s: ", cli_on(style, "red"), error->name, cli_off(style));
    cli_print_name(stderr, error->message); /* names in it are the file's */
    fputc('\n', stderr);
    yyjson_doc *doc = yyjson_read(error->detail, error->detail_len, 0);
    yyjson_val *detail = yyjson_doc_get_root(doc), *item;
    size_t index, count;
    print_violations(yyjson_obj_get(detail, "violations"), "  ");
    yyjson_arr_foreach(yyjson_obj_get(detail, "items"), index, count, item) {
        const char *message = yyjson_get_str(yyjson_obj_get(item, "message"));
        fprintf(stderr, "  item %lld: ", (long long)cli_number(item, "index"));
        cli_print_name(stderr, message ? message : "");
        fputc('\n', stderr);
        print_violations(yyjson_obj_get(item, "violations"), "    ");
    }
    yyjson_doc_free(doc);
    return error->code;
}

int cli_fail(const cli_style *style, brant_status code, const char *format, ...) {
    char text[1024];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    tame(text);
    fprintf(stderr, "%sbrant: %s%s: %s\n", cli_on(style, "red"), brant_status_name(code),
            cli_off(style), text);
    return code;
}
