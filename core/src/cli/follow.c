/*
 * cli/follow.c: what goes on until it is stopped: subscriptions, shown as they come.
 */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- lines for people ----------------------------------------------------------------------------------------------- */

static void print_time(const cli_style *style, int64_t at) {
    char text[32];
    const time_t seconds = (time_t)(at / 1000);
    struct tm when;
    if (!localtime_r(&seconds, &when) || !strftime(text, sizeof text, "%H:%M:%S", &when)) return;
    printf("%s%s.%03d%s  ", cli_on(style, "dim"), text, (int)(at % 1000), cli_off(style));
}

/* A JSON value on the terminal: text as it is, without what could drive the terminal. */
static void print_value(yyjson_val *value) {
    char *json = NULL;
    if (yyjson_is_str(value))
        cli_print_name(stdout, yyjson_get_str(value));
    else if ((json = yyjson_val_write_opts(value, 0, &cli_json, NULL, NULL)))
        cli_print_name(stdout, json);
    cli_free(json);
}

/* Time and what names the item first, then the other members as name=value. */
static void print_item(const cli_style *style, const char *source, yyjson_val *item) {
    static const char *const leading[] = {"channel", "queue", "offset", "key", "state"};
    size_t index, count;
    yyjson_val *name, *value, *at = yyjson_obj_get(item, "created_at");
    if (!at) at = yyjson_obj_get(item, "at");
    if (yyjson_is_int(at)) print_time(style, yyjson_get_sint(at));
    if (source) {
        fputs(cli_on(style, "blue"), stdout);
        cli_print_name(stdout, source);
        printf("%s  ", cli_off(style));
    }
    for (size_t i = 0; i < sizeof leading / sizeof *leading; i++) {
        if (!(value = yyjson_obj_get(item, leading[i]))) continue;
        fputs(cli_on(style, i < 2 ? "cyan" : "bold"), stdout);
        print_value(value);
        printf("%s  ", cli_off(style));
    }
    yyjson_obj_foreach(item, index, count, name, value) {
        bool shown = value == at;
        for (size_t i = 0; i < sizeof leading / sizeof *leading && !shown; i++)
            shown = yyjson_equals_str(name, leading[i]);
        if (shown) continue;
        const bool gap = yyjson_equals_str(name, "gap");
        printf("%s%s=%s", cli_on(style, gap ? "yellow" : "dim"), yyjson_get_str(name),
               cli_off(style));
        print_value(value);
        fputs("  ", stdout);
    }
    fputc('\n', stdout);
}

/* ---- the cursor ----------------------------------------------------------------------------------------------------- */

void cli_follow_item(const cli_style *style, const char *source, yyjson_val *item) {
    if (style->table && yyjson_is_obj(item)) {
        print_item(style, source, item);
        return;
    }
    yyjson_mut_doc *line = cli_input();
    yyjson_mut_val *copy = yyjson_val_mut_copy(line, item);
    if (source) yyjson_mut_obj_add_str(line, copy, "stream", source);
    yyjson_mut_doc_set_root(line, copy);
    cli_print_document(stdout, &(cli_style){0}, line);
}

static void print_items(const cli_style *style, const char *json, size_t length, bool *nothing) {
    size_t index, count;
    yyjson_val *item;
    yyjson_doc *doc = yyjson_read(json, length, 0);
    *nothing = yyjson_arr_size(yyjson_doc_get_root(doc)) == 0;
    yyjson_arr_foreach(yyjson_doc_get_root(doc), index, count, item)
        cli_follow_item(style, NULL, item);
    fflush(stdout);
    yyjson_doc_free(doc);
}

int cli_follow_text(brant_db *db, const cli_arguments *arguments, const char *operation,
                    const char *json, size_t length) {
    brant_cursor *cursor = NULL;
    int exit_code = 0;
    bool nothing = false;
    brant_deadline_set(db, 0); /* --timeout ends the waiting, not a call */
    if (brant_call_open(&cursor, db, operation, strlen(operation), json, length) != BRANT_OK)
        return cli_print_error(&arguments->style);
    cli_waits(true);
    while (!nothing && exit_code == 0 && !ferror(stdout)) {
        char *items = NULL;
        size_t size = 0;
        if (brant_cursor_next(&items, &size, cursor, arguments->timeout) != BRANT_OK) {
            if (!cli_stopped()) exit_code = cli_print_error(&arguments->style);
            break;
        }
        print_items(&arguments->style, items, size, &nothing);
        brant_free(items); /* none: the time is over, or what ends has ended */
    }
    cli_waits(false);
    brant_cursor_free(cursor);
    return exit_code;
}

int cli_follow(brant_db *db, const cli_arguments *arguments, const char *operation,
               yyjson_mut_doc *input) {
    char *json = NULL;
    size_t length = 0;
    int exit_code = cli_input_text(&json, &length, &arguments->style, input);
    if (exit_code == 0) exit_code = cli_follow_text(db, arguments, operation, json, length);
    cli_free(json);
    return exit_code;
}
