/*
 * cli/main.c: which command it is, and the commands that call one operation.
 */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- call, info, sql ---------------------------------------------------------------------------------------------- */

static bool is_subscription(const char *operation) {
    return yyjson_equals_str(yyjson_obj_get(cli_spec(operation), "type"), "subscription");
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
        exit_code = cli_follow_text(db, arguments, operation, json, json_len);
    } else if (exit_code == 0) {
        if (brant_call(&answer, &length, db, operation, strlen(operation), json, json_len) ==
            BRANT_OK)
            cli_print(stdout, &arguments->style, answer, length);
        else
            exit_code = cli_print_error(&arguments->style);
        if (exit_code == BRANT_NOT_FOUND && !cli_spec(operation)) cli_suggest_operation(operation);
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

/* NULL: the text is not UTF-8. */
static char *sql_request(size_t *length, const char *sql, size_t sql_len, yyjson_doc *params,
                         bool script) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *object = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, object);
    yyjson_mut_obj_add_strn(doc, object, "sql", sql, sql_len);
    if (script) yyjson_mut_obj_add_true(doc, object, "script");
    if (params)
        yyjson_mut_obj_add_val(doc, object, "params",
                               yyjson_val_mut_copy(doc, yyjson_doc_get_root(params)));
    char *json = yyjson_mut_write(doc, 0, length);
    yyjson_mut_doc_free(doc);
    return json;
}

/* The first statement of a text: `tail` is where the rest begins, 0 where there is none. */
static int run_first(size_t *tail, const cli_arguments *arguments, brant_db *db, const char *sql,
                     size_t sql_len, yyjson_doc *params) {
    char *answer = NULL;
    size_t length = 0;
    char *json = sql_request(&length, sql, sql_len, params, true);
    if (!json) return cli_wrong_usage(&arguments->style, "the SQL text is not UTF-8", NULL);
    const brant_status status =
        brant_call(&answer, &length, db, "sql.execute", strlen("sql.execute"), json, length);
    free(json);
    if (status != BRANT_OK) return cli_print_error(&arguments->style);
    yyjson_doc *doc = yyjson_read(answer, length, 0);
    yyjson_mut_doc *shown = yyjson_doc_mut_copy(doc, NULL);
    const int exit_code = shown ? 0 : BRANT_NO_MEMORY;
    if (!shown) fprintf(stderr, "brant: no memory for an answer\n");
    yyjson_mut_val *object = yyjson_mut_doc_get_root(shown);
    *tail = (size_t)yyjson_get_uint(yyjson_obj_get(yyjson_doc_get_root(doc), "tail"));
    yyjson_mut_obj_remove_key(object, "tail");
    yyjson_mut_obj_remove_key(object, "parameters");
    char *text = yyjson_mut_arr_size(yyjson_mut_obj_get(object, "columns")) > 0
                     ? yyjson_mut_write(shown, 0, &length)
                     : NULL;
    if (text) cli_print(stdout, &arguments->style, text, length);
    free(text);
    yyjson_mut_doc_free(shown);
    yyjson_doc_free(doc);
    brant_free(answer);
    return exit_code;
}

static int call_quietly(const cli_arguments *arguments, brant_db *db, const char *operation,
                        const char *json) {
    char *answer = NULL;
    size_t length = 0;
    const brant_status status =
        brant_call(&answer, &length, db, operation, strlen(operation), json, strlen(json));
    brant_free(answer);
    return status == BRANT_OK ? 0 : cli_print_error(&arguments->style);
}

/* Statements of standard input, all or none of them. */
static int run_script(const cli_arguments *arguments, yyjson_doc *params) {
    brant_db *db = NULL;
    cli_text read = {0};
    size_t at = 0, tail = 0;
    if (!cli_read(&read, STDIN_FILENO, SIZE_MAX / 4)) {
        fprintf(stderr, "brant: standard input cannot be read\n");
        return BRANT_IO;
    }
    int exit_code = cli_open(&db, arguments, arguments->rest[0]);
    if (exit_code == 0) cli_watch(db, arguments);
    if (exit_code == 0)
        exit_code = call_quietly(arguments, db, "transaction.begin",
                                 arguments->read_only ? "{\"mode\":\"read\"}" : "");
    do {
        if (exit_code == 0)
            exit_code = run_first(&tail, arguments, db, read.data + at, read.length - at, params);
        at += tail;
        if (exit_code == 0 && tail > 0 && params)
            exit_code =
                cli_wrong_usage(&arguments->style, "PARAMS are those of one statement", NULL);
    } while (exit_code == 0 && tail > 0);
    if (exit_code == 0) exit_code = call_quietly(arguments, db, "transaction.commit", "");
    cli_close(db); /* which rolls back what was not committed */
    cli_text_free(&read);
    return exit_code;
}

int cli_sql_command(const cli_arguments *arguments) {
    const char *sql = arguments->rest[1];
    yyjson_doc *params = NULL;
    int exit_code = 0;
    size_t length = 0;
    if (arguments->count == 3 &&
        !(params = yyjson_read(arguments->rest[2], strlen(arguments->rest[2]), 0)))
        return cli_wrong_usage(&arguments->style, "PARAMS is not JSON:", arguments->rest[2]);
    if (strcmp(sql, "-") == 0) {
        exit_code = run_script(arguments, params);
    } else {
        char *json = sql_request(&length, sql, strlen(sql), params, false);
        exit_code = json ? call(arguments, "sql.execute", json, length, false)
                         : cli_wrong_usage(&arguments->style, "the SQL text is not UTF-8", NULL);
        free(json);
    }
    yyjson_doc_free(params);
    return exit_code;
}

int cli_ops_command(const cli_arguments *arguments) {
    return cli_operations(&arguments->style, arguments->count == 1 ? arguments->rest[0] : NULL);
}

/* ---- which command ------------------------------------------------------------------------------------------------ */

/* Of a command, of a group of them, of the exit codes, of an operation or namespace, or of brant. */
static int help(const cli_arguments *arguments, int count, char **words) {
    int found = 0;
    const cli_command *command = cli_command_find(&found, count, words);
    const cli_group *group = count > 0 ? cli_group_find(words[0]) : NULL;
    if (command) {
        cli_command_help(stdout, &arguments->style, command);
    } else if (group) {
        cli_group_help(stdout, &arguments->style, group);
    } else if (count == 1 && strcmp(words[0], "exit-codes") == 0) {
        cli_exit_codes(stdout, &arguments->style);
    } else if (count == 1) {
        return cli_operations(&arguments->style, words[0]);
    } else if (count > 1) {
        return cli_wrong_usage(&arguments->style, "unknown command", words[0]);
    } else {
        cli_usage(stdout, &arguments->style);
    }
    return 0;
}

static int unknown_command(const cli_arguments *arguments) {
    const cli_group *group = cli_group_find(arguments->rest[0]);
    const char *word = arguments->rest[group ? 1 : 0], *near = cli_command_near(group, word);
    cli_wrong_usage_of(&arguments->style, group ? group->name : NULL,
                       group ? "unknown subcommand" : "unknown command", word);
    if (near)
        fprintf(stderr, "brant: did you mean \"%s%s%s\"?\n", group ? group->name : "",
                group ? " " : "", near);
    return EXIT_USAGE;
}

static int run(const cli_arguments *given) {
    cli_arguments arguments = *given;
    int words = 0;
    const cli_style *style = &arguments.style;
    const cli_command *command = cli_command_find(&words, arguments.count, arguments.rest);
    if (arguments.version || (arguments.count == 1 && strcmp(arguments.rest[0], "version") == 0)) {
        printf("brant %s\n", brant_version());
        return 0;
    }
    if (arguments.count > 0 && strcmp(arguments.rest[0], "help") == 0)
        return help(&arguments, arguments.count - 1, arguments.rest + 1);
    if (arguments.help || arguments.count == 0)
        return help(&arguments,
                    arguments.help && !command && arguments.count > 0 &&
                            !cli_group_find(arguments.rest[0])
                        ? 0
                        : arguments.count,
                    arguments.rest);
    if (!command) {
        if (cli_group_find(arguments.rest[0]) && arguments.count == 1)
            return help(&arguments, 1, arguments.rest);
        return unknown_command(&arguments);
    }
    int least = 0, most = 0;
    cli_command_counts(command, &least, &most);
    arguments.command = command;
    arguments.style.help = command->name;
    arguments.rest += words;
    arguments.count -= words;
    if (arguments.count > most && command->too_many)
        return cli_wrong_usage(style, command->too_many, NULL);
    if (arguments.count < least || arguments.count > most) {
        char wanted[512];
        cli_command_arguments(wanted, sizeof wanted, command);
        fprintf(stderr, "%sbrant:%s %s wants %s; brant %s --help tells more\n",
                cli_on(style, "red"), cli_off(style), command->name,
                *wanted ? wanted : "no arguments", command->name);
        return EXIT_USAGE;
    }
    const unsigned strange =
        arguments.given & ~(command->options | (command->operation ? CLI_KEYS : 0u));
    if (strange) {
        fprintf(stderr, "%sbrant:%s %s takes no %s; brant %s --help tells more\n",
                cli_on(style, "red"), cli_off(style), command->name, cli_option_name(strange),
                command->name);
        return EXIT_USAGE;
    }
    if (command->secrets) cli_hide_memory();
    return command->run ? command->run(&arguments) : cli_operation(&arguments);
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
    free(arguments.own);
    return exit_code;
}
