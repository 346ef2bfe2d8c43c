/*
 * cli/operation.c: commands that call one operation, as their row in the table says.
 *
 * `words` names the members of the input that stand as arguments behind FILE, in order: "graph key" (needed), "[key]" (may be left out), "keys..." (an array of the
 * rest), "attributes=" (the rest as NAME=TEXT and NAME:=JSON, or as one JSON value), "<token" (a line of standard input, never an argument). All other members are options.
 * Lists are read to their end, page after page, unless --limit says how many.
 */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE 1000 /* items, unless the operation gives fewer at once */

/* ---- the input ------------------------------------------------------------------------------------------------------ */

static int add_array(yyjson_mut_val *input, yyjson_mut_doc *document, const cli_style *style,
                     yyjson_val *schema, const char *member, const char *what, const char *text) {
    yyjson_mut_val *array = yyjson_mut_obj_get(input, member), *value = NULL;
    const int exit_code =
        cli_value(&value, document, style, yyjson_obj_get(schema, "items"), what, text);
    if (exit_code) return exit_code;
    if (!array) {
        array = yyjson_mut_arr(document);
        yyjson_mut_obj_add(input, yyjson_mut_strcpy(document, member), array);
    }
    yyjson_mut_arr_append(array, value);
    return 0;
}

static bool texts_of(yyjson_val *schema) {
    return yyjson_equals_str(yyjson_obj_get(schema, "type"), "array") &&
           !yyjson_obj_get(yyjson_obj_get(schema, "items"), "properties");
}

/* A secret that is no argument: a line of standard input. */
static int read_hidden(yyjson_mut_val **out, yyjson_mut_doc *document, const cli_style *style,
                       const char *name) {
    cli_text read = {0};
    if (isatty(STDIN_FILENO)) {
        fprintf(stderr, "%s: ", name);
        fflush(stderr);
    }
    if (!cli_read(&read, STDIN_FILENO, 1 << 20))
        return cli_fail(style, BRANT_IO, "standard input cannot be read");
    while (read.length > 0 && strchr("\r\n", read.data[read.length - 1]))
        read.data[--read.length] = '\0';
    *out = yyjson_mut_strncpy(document, read.data, read.length);
    const bool none = read.length == 0;
    cli_text_free(&read);
    return none ? cli_wrong_usage(style, "standard input is to give the", name) : 0;
}

static int add_words(yyjson_mut_val *input, yyjson_mut_doc *document,
                     const cli_arguments *arguments) {
    const cli_command *command = arguments->command;
    const cli_style *style = &arguments->style;
    const char *list = command->words;
    cli_word word;
    int at = 1, exit_code = 0;
    while (exit_code == 0 && cli_word_next(&word, &list)) {
        yyjson_val *schema = cli_member(command->operation, word.name);
        yyjson_mut_val *value = NULL;
        if (word.hidden) {
            exit_code = read_hidden(&value, document, style, word.name);
        } else if (at >= arguments->count) {
            continue;
        } else if (word.pairs) {
            exit_code = cli_pairs(&value, document, style, arguments->count - at,
                                  arguments->rest + at, word.name);
            at = arguments->count;
        } else if (word.many) {
            for (; exit_code == 0 && at < arguments->count; at++)
                exit_code = add_array(input, document, style, schema, word.name, word.name,
                                      arguments->rest[at]);
        } else if (texts_of(schema)) {
            exit_code = add_array(input, document, style, schema, word.name, word.name,
                                  arguments->rest[at++]);
        } else {
            exit_code =
                cli_value(&value, document, style, schema, word.name, arguments->rest[at++]);
        }
        if (exit_code == 0 && value)
            yyjson_mut_obj_add(input, yyjson_mut_strcpy(document, word.name), value);
    }
    return exit_code;
}

/* Conditions besides a filter that is there already: all hold. */
static void add_condition(yyjson_mut_val *input, yyjson_mut_doc *document,
                          yyjson_mut_val *condition) {
    yyjson_mut_val *filter = yyjson_mut_obj_get(input, "filter"),
                   *all = yyjson_mut_obj_get(filter, "$and");
    if (!filter) {
        yyjson_mut_obj_add(input, yyjson_mut_str(document, "filter"), condition);
    } else if (all && yyjson_mut_obj_size(filter) == 1) {
        yyjson_mut_arr_append(all, condition);
    } else {
        yyjson_mut_val *both = yyjson_mut_obj(document), *array = yyjson_mut_arr(document);
        yyjson_mut_obj_remove_key(input, "filter");
        yyjson_mut_arr_append(array, filter);
        yyjson_mut_arr_append(array, condition);
        yyjson_mut_obj_add(both, yyjson_mut_str(document, "$and"), array);
        yyjson_mut_obj_add(input, yyjson_mut_str(document, "filter"), both);
    }
}

static bool is_of_rows(const cli_command *command) {
    return strncmp(command->operation, "nodes.", 6) == 0 ||
           strncmp(command->operation, "edges.", 6) == 0;
}

static int add_option(yyjson_mut_val *input, yyjson_mut_doc *document,
                      const cli_arguments *arguments, const cli_given *given) {
    const cli_option *option = given->option;
    yyjson_mut_val *value = NULL, *place = input;
    int exit_code;
    if (!option->member) return 0;
    if (!option->schema) {
        exit_code = cli_where(&value, document, &arguments->style, given->value);
        if (exit_code == 0) add_condition(input, document, value);
        return exit_code;
    }
    if (option->inside) {
        place = yyjson_mut_obj_get(input, option->inside);
        if (!place) {
            place = yyjson_mut_obj(document);
            yyjson_mut_obj_add(input, yyjson_mut_strcpy(document, option->inside), place);
        }
    }
    if (texts_of(option->schema))
        return add_array(place, document, &arguments->style, option->schema, option->member,
                         option->name, given->value);
    exit_code =
        cli_value(&value, document, &arguments->style, option->schema, option->name, given->value);
    if (exit_code) return exit_code;
    /* As in --where, what is no field of rows is an attribute. */
    if (strcmp(option->name, "--order-by") == 0 && is_of_rows(arguments->command))
        value = cli_field(document, given->value, strlen(given->value));
    if (strcmp(option->member, "filter") == 0 && !option->inside) {
        add_condition(place, document, value);
    } else {
        yyjson_mut_obj_remove_key(place, option->member); /* the last one counts */
        yyjson_mut_obj_add(place, yyjson_mut_strcpy(document, option->member), value);
    }
    return 0;
}

/* The input that the words and options say, from the command's row. Returns 0 or the exit code, having said what is wrong. */
static int read_input(yyjson_mut_doc **out, const cli_arguments *arguments) {
    const cli_command *command = arguments->command;
    yyjson_mut_doc *document = cli_input();
    yyjson_mut_val *input = yyjson_mut_doc_get_root(document);
    if (command->fixed) {
        yyjson_doc *fixed = yyjson_read(command->fixed, strlen(command->fixed), 0);
        input = yyjson_val_mut_copy(document, yyjson_doc_get_root(fixed));
        yyjson_mut_doc_set_root(document, input);
        yyjson_doc_free(fixed);
    }
    int exit_code = add_words(input, document, arguments);
    for (int i = 0; i < arguments->own_count && exit_code == 0; i++)
        exit_code = add_option(input, document, arguments, &arguments->own[i]);
    *out = exit_code ? NULL : document;
    if (exit_code) yyjson_mut_doc_free(document);
    return exit_code;
}

/* ---- lists ---------------------------------------------------------------------------------------------------------- */

/* What the next page begins with, added to the input. False: this was the last page. */
static bool turn_page(yyjson_mut_doc *document, yyjson_val *answer, const char *operation) {
    yyjson_mut_val *input = yyjson_mut_doc_get_root(document);
    yyjson_val *cursor = yyjson_obj_get(answer, "cursor"), *next = yyjson_obj_get(answer, "next");
    const char *member = cli_member(operation, "cursor") ? "cursor" : "after";
    if (strcmp(member, "after") == 0 &&
        (yyjson_mut_equals_str(yyjson_mut_obj_get(input, "order"), "desc") ||
         yyjson_mut_is_true(yyjson_mut_obj_get(input, "reverse"))))
        member = cli_member(operation, "before") ? "before" : "after";
    yyjson_val *from = strcmp(member, "cursor") == 0 ? cursor : next;
    if (!from || yyjson_is_null(from)) return false;
    yyjson_mut_obj_remove_key(input, member);
    yyjson_mut_obj_add(input, yyjson_mut_strcpy(document, member),
                       yyjson_val_mut_copy(document, from));
    return true;
}

static int list(brant_db *db, const cli_arguments *arguments, yyjson_mut_doc *input) {
    const cli_command *command = arguments->command;
    yyjson_mut_val *root = yyjson_mut_doc_get_root(input),
                   *limit = yyjson_mut_obj_get(root, "limit");
    yyjson_val *most = yyjson_obj_get(cli_member(command->operation, "limit"), "maximum");
    int64_t left = limit ? yyjson_mut_get_sint(limit) : INT64_MAX;
    const int64_t page = most && yyjson_get_sint(most) < PAGE ? yyjson_get_sint(most) : PAGE;
    size_t shown = 0;
    int exit_code = 0;
    bool more = true;
    while (more && exit_code == 0) {
        yyjson_doc *answer = NULL;
        if (left > 0) { /* else the operation says what is wrong with it */
            yyjson_mut_obj_remove_key(root, "limit");
            yyjson_mut_obj_add_sint(input, root, "limit", left < page ? left : page);
        }
        exit_code = cli_ask(&answer, db, &arguments->style, command->operation,
                            yyjson_mut_doc_mut_copy(input, &cli_json), BRANT_OK);
        if (exit_code == 0) {
            yyjson_val *items = yyjson_obj_get(yyjson_doc_get_root(answer), "items"),
                       *gap = yyjson_obj_get(yyjson_doc_get_root(answer), "gap");
            if (gap)
                fprintf(stderr, "brant: %lld to %lld are not there any more\n",
                        (long long)cli_number(gap, "from"), (long long)cli_number(gap, "to"));
            cli_print_items(stdout, &arguments->style, items, command->columns, &shown);
            left -= (int64_t)yyjson_arr_size(items);
            more = left > 0 && turn_page(input, yyjson_doc_get_root(answer), command->operation);
            if (ferror(stdout)) more = false;
        }
        yyjson_doc_free(answer);
        if (exit_code == 0 && more && cli_stopped())
            exit_code =
                cli_fail(&arguments->style, BRANT_INTERRUPTED, "stopped after %zu items", shown);
    }
    if (exit_code == 0 && shown == 0 && arguments->style.table)
        fprintf(stdout, "%snone%s\n", cli_on(&arguments->style, "dim"), cli_off(&arguments->style));
    yyjson_mut_doc_free(input);
    return exit_code;
}

/* ---- the command ---------------------------------------------------------------------------------------------------- */

static int answer_once(brant_db *db, const cli_arguments *arguments, yyjson_mut_doc *input) {
    yyjson_doc *answer = NULL;
    const char *columns = arguments->command->columns;
    const int exit_code =
        cli_ask(&answer, db, &arguments->style, arguments->command->operation, input, BRANT_OK);
    if (exit_code) return exit_code;
    yyjson_val *root = yyjson_doc_get_root(answer), *items = yyjson_obj_get(root, "items");
    size_t shown = 0;
    if (arguments->style.table && columns && yyjson_arr_size(items) > 0) {
        cli_print_items(stdout, &arguments->style, items, columns, &shown);
    } else if (arguments->style.table && columns && !items &&
               yyjson_is_arr(yyjson_obj_getn(root, columns, strcspn(columns, " ")))) {
        cli_print_arrays(stdout, &arguments->style, root, columns);
    } else {
        cli_print_answer(stdout, &arguments->style, root);
    }
    yyjson_doc_free(answer);
    return 0;
}

int cli_operation_begin(brant_db **db, yyjson_mut_doc **input, const cli_arguments *arguments) {
    const cli_command *command = arguments->command;
    int exit_code = read_input(input, arguments);
    *db = NULL;
    if (exit_code == 0 && command->question) exit_code = cli_confirm(arguments, command->question);
    if (exit_code == 0) exit_code = cli_open(db, arguments, arguments->rest[0]);
    if (exit_code == 0) exit_code = cli_load_keys(*db, arguments, NULL);
    if (exit_code == 0) {
        cli_watch(*db, arguments);
        return 0;
    }
    yyjson_mut_doc_free(*input);
    *input = NULL;
    return exit_code;
}

int cli_operation(const cli_arguments *arguments) {
    const cli_command *command = arguments->command;
    yyjson_val *spec = cli_spec(command->operation);
    yyjson_mut_doc *input = NULL;
    brant_db *db = NULL;
    int exit_code = cli_operation_begin(&db, &input, arguments);
    if (exit_code == 0) {
        if (yyjson_equals_str(yyjson_obj_get(spec, "type"), "subscription"))
            exit_code = cli_follow(db, arguments, command->operation, input);
        else if (cli_is_list(command->operation))
            exit_code = list(db, arguments, input);
        else
            exit_code = answer_once(db, arguments, input);
        if (exit_code == BRANT_NOT_FOUND) cli_suggest(db, arguments);
    }
    cli_close(db);
    return exit_code;
}
