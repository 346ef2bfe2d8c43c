/*
 * cli/main.c: which command it is, and the commands that call one operation.
 */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- call, info, sql ---------------------------------------------------------------------------------------------- */

static bool is_subscription(const char *operation) {
    char *json = NULL;
    size_t length = 0, index, count;
    bool found = false;
    yyjson_val *spec;
    if (brant_operation_list(&json, &length, NULL, "", 0) != BRANT_OK) return false;
    yyjson_doc *doc = yyjson_read(json, length, 0);
    yyjson_arr_foreach(yyjson_obj_get(yyjson_doc_get_root(doc), "items"), index, count, spec) {
        if (yyjson_equals_str(yyjson_obj_get(spec, "name"), operation))
            found = yyjson_equals_str(yyjson_obj_get(spec, "type"), "subscription");
    }
    yyjson_doc_free(doc);
    brant_free(json);
    return found;
}

static int follow(const cli_arguments *arguments, brant_db *db, const char *operation,
                  const char *json, size_t json_len) {
    brant_cursor *cursor = NULL;
    int exit_code = 0;
    brant_deadline_set(db, 0); /* --timeout ends the waiting, not a call */
    if (brant_call_open(&cursor, db, operation, strlen(operation), json, json_len) != BRANT_OK)
        return cli_print_error(&arguments->style);
    for (;;) {
        char *items = NULL;
        size_t length = 0, index, count;
        yyjson_val *item;
        if (brant_cursor_next(&items, &length, cursor, arguments->timeout) != BRANT_OK) {
            if (!cli_stopped()) exit_code = cli_print_error(&arguments->style);
            break;
        }
        yyjson_doc *doc = yyjson_read(items, length, 0);
        const bool nothing = yyjson_arr_size(yyjson_doc_get_root(doc)) == 0;
        yyjson_arr_foreach(yyjson_doc_get_root(doc), index, count, item) {
            size_t size = 0;
            char *line = yyjson_val_write(item, 0, &size);
            if (line) cli_print_line(stdout, line, size);
            free(line);
        }
        fflush(stdout);
        yyjson_doc_free(doc);
        brant_free(items);
        if (ferror(stdout) || nothing) break; /* the time is over, or what ends has ended */
    }
    brant_cursor_free(cursor);
    return exit_code;
}

static int call(const cli_arguments *arguments, const char *operation, const char *json,
                size_t json_len, bool with_keys) {
    brant_db *db = NULL;
    char *answer = NULL;
    size_t length = 0;
    int exit_code = cli_open(&db, arguments, arguments->rest[0]);
    if (exit_code == 0 && with_keys) exit_code = cli_load_keys(db, arguments, NULL);
    if (exit_code == 0) cli_watch(db, arguments);
    if (exit_code == 0 && is_subscription(operation)) {
        exit_code = follow(arguments, db, operation, json, json_len);
    } else if (exit_code == 0) {
        if (brant_call(&answer, &length, db, operation, strlen(operation), json, json_len) ==
            BRANT_OK)
            cli_print(stdout, &arguments->style, answer, length);
        else
            exit_code = cli_print_error(&arguments->style);
    }
    brant_free(answer);
    cli_close(db);
    return exit_code;
}

int cli_call_command(const cli_arguments *arguments) {
    const char *input = arguments->count == 3 ? arguments->rest[2] : "";
    cli_text read = {0};
    if (strcmp(input, "-") == 0 && !cli_read(&read, STDIN_FILENO, SIZE_MAX / 4)) {
        fprintf(stderr, "brant: standard input cannot be read\n");
        return BRANT_IO;
    }
    const int exit_code = call(arguments, arguments->rest[1], read.data ? read.data : input,
                               read.data ? read.length : strlen(input), true);
    cli_text_free(&read);
    return exit_code;
}

int cli_info_command(const cli_arguments *arguments) {
    return call(arguments, "db.info", "", 0, false);
}

int cli_sql_command(const cli_arguments *arguments) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *object = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, object);
    yyjson_mut_obj_add_str(doc, object, "sql", arguments->rest[1]);
    if (arguments->count == 3) {
        yyjson_doc *params = yyjson_read(arguments->rest[2], strlen(arguments->rest[2]), 0);
        if (!params) {
            yyjson_mut_doc_free(doc);
            return cli_wrong_usage(&arguments->style, "PARAMS is not JSON:", arguments->rest[2]);
        }
        yyjson_mut_obj_add_val(doc, object, "params",
                               yyjson_val_mut_copy(doc, yyjson_doc_get_root(params)));
        yyjson_doc_free(params);
    }
    size_t length = 0;
    char *json = yyjson_mut_write(doc, 0, &length);
    yyjson_mut_doc_free(doc);
    if (!json) return cli_wrong_usage(&arguments->style, "the SQL text is not UTF-8", NULL);
    const int exit_code = call(arguments, "sql.execute", json, length, false);
    free(json);
    return exit_code;
}

int cli_ops_command(const cli_arguments *arguments) {
    return cli_operations(&arguments->style, arguments->count == 1 ? arguments->rest[0] : NULL);
}

/* ---- which command ------------------------------------------------------------------------------------------------ */

/* Of a command, of a group of them, of an operation or namespace, or of brant. */
static int help(const cli_arguments *arguments, int count, char **words) {
    int found = 0;
    const cli_command *command = cli_command_find(&found, count, words);
    if (command) {
        cli_command_help(stdout, &arguments->style, command);
    } else if (count > 0 && cli_command_group(words[0])) {
        cli_group_help(stdout, &arguments->style, words[0]);
    } else if (count == 1) {
        return cli_operations(&arguments->style, words[0]);
    } else if (count > 1) {
        return cli_wrong_usage(&arguments->style, "unknown command", words[0]);
    } else {
        cli_usage(stdout, &arguments->style);
    }
    return 0;
}

static int run(const cli_arguments *given) {
    cli_arguments arguments = *given;
    int words = 0;
    const cli_style *style = &arguments.style;
    const cli_command *command = cli_command_find(&words, arguments.count, arguments.rest);
    if (arguments.version) {
        printf("brant %s\n", brant_version());
        return 0;
    }
    if (arguments.count > 0 && strcmp(arguments.rest[0], "help") == 0)
        return help(&arguments, arguments.count - 1, arguments.rest + 1);
    if (arguments.help || arguments.count == 0)
        return help(&arguments,
                    arguments.help && !command && arguments.count > 0 &&
                            !cli_command_group(arguments.rest[0])
                        ? 0
                        : arguments.count,
                    arguments.rest);
    if (!command) {
        const bool group = cli_command_group(arguments.rest[0]);
        if (group && arguments.count == 1) return help(&arguments, 1, arguments.rest);
        return cli_wrong_usage(style, group ? "unknown subcommand" : "unknown command",
                               arguments.rest[group ? 1 : 0]);
    }
    arguments.rest += words;
    arguments.count -= words;
    if (arguments.count > command->most && command->too_many)
        return cli_wrong_usage(style, command->too_many, NULL);
    if (arguments.count < command->least || arguments.count > command->most) {
        fprintf(stderr, "%sbrant:%s %s wants %s; brant %s --help tells more\n",
                cli_on(style, "red"), cli_off(style), command->name,
                *command->arguments ? command->arguments : "no arguments", command->name);
        return EXIT_USAGE;
    }
    if (arguments.given & ~command->options) {
        fprintf(stderr, "%sbrant:%s %s takes no %s; brant %s --help tells more\n",
                cli_on(style, "red"), cli_off(style), command->name,
                cli_option_name(arguments.given & ~command->options), command->name);
        return EXIT_USAGE;
    }
    if (command->secrets) cli_hide_memory();
    return command->run(&arguments);
}

int main(int count, char **values) {
    static char buffer[65536]; /* stdio's own would keep what it held */
    cli_arguments arguments;
    setvbuf(stdout, buffer, isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF, sizeof buffer);
    int exit_code = cli_arguments_read(&arguments, count, values);
    if (exit_code == 0) exit_code = run(&arguments);
    if (fflush(stdout) != 0 && exit_code == 0) exit_code = BRANT_IO;
    cli_wipe(buffer, sizeof buffer);
    free(arguments.rest);
    return exit_code;
}
