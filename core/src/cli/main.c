/*
 * cli/main.c: arguments and the commands.
 */
#include "cli.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TIMEOUT_MAX                                                                                \
    ((int64_t)1 << 53) /* far from the end of an int64_t, also when the time of day is added */

typedef struct cli_arguments {
    cli_style style;
    bool create, read_only;
    const char *options;
    int64_t timeout; /* ms, up to TIMEOUT_MAX; -1: none */
    int count;
    char **rest;
} cli_arguments;

/* brant_interrupt takes a mutex, so it is not for a signal handler: a thread of its own waits for the signals. */
static brant_db *running;
static atomic_bool stopped;
static sigset_t stop_signals;
static void *wait_for_signal(void *unused) {
    int number = 0;
    (void)unused;
    if (sigwait(&stop_signals, &number) == 0) {
        atomic_store(&stopped, true);
        brant_interrupt(running);
    }
    return NULL;
}

static void watch_signals(brant_db *db) {
    pthread_t thread;
    running = db;
    sigemptyset(&stop_signals);
    sigaddset(&stop_signals, SIGINT);
    sigaddset(&stop_signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &stop_signals, NULL);
    if (pthread_create(&thread, NULL, wait_for_signal, NULL) == 0) pthread_detach(thread);
}

static int usage(const cli_style *style, const char *what, const char *argument) {
    fprintf(stderr, "%sbrant:%s %s%s%s%s; brant --help tells more\n", cli_on(style, "red"),
            cli_off(style), what, argument ? " \"" : "", argument ? argument : "",
            argument ? "\"" : "");
    return EXIT_USAGE;
}

/* ---- opening ------------------------------------------------------------------------------------------------------ */

/* The user's --options with the mode that the other flags say. */
static char *open_options(const cli_arguments *arguments) {
    yyjson_doc *given =
        arguments->options ? yyjson_read(arguments->options, strlen(arguments->options), 0) : NULL;
    yyjson_val *root = yyjson_doc_get_root(given);
    if (arguments->options && !yyjson_is_obj(root)) {
        yyjson_doc_free(given);
        return strdup(arguments->options); /* brant_open says what is wrong with it */
    }
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *object = root ? yyjson_val_mut_copy(doc, root) : yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, object);
    /* A mode of --options stands; brant_open refuses two of them, so that neither is ignored. */
    if (arguments->read_only || arguments->create || !yyjson_mut_obj_get(object, "mode"))
        yyjson_mut_obj_add_str(doc, object, "mode",
                               arguments->read_only ? "ro"
                               : arguments->create  ? "create"
                                                    : "rw");
    char *text = yyjson_mut_write(doc, 0, NULL);
    yyjson_mut_doc_free(doc);
    yyjson_doc_free(given);
    return text;
}

static int open_file(brant_db **out, const cli_arguments *arguments, const char *path) {
    char *options = open_options(arguments);
    if (!options) return BRANT_NO_MEMORY;
    const brant_status status = brant_open(out, path, strlen(path), options, strlen(options));
    free(options);
    if (status != BRANT_OK) return cli_print_error(&arguments->style);
    watch_signals(*out);
    if (arguments->timeout >= 0) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        brant_deadline_set(*out,
                           (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + arguments->timeout);
    }
    return 0;
}

/* ---- commands -------------------------------------------------------------------------------------------------------- */

static char *read_all(FILE *in, size_t *out_length) {
    size_t capacity = 65536, length = 0;
    char *text = malloc(capacity);
    while (text) {
        length += fread(text + length, 1, capacity - length, in);
        if (length < capacity) break;
        char *grown = realloc(text, capacity *= 2);
        if (!grown) free(text);
        text = grown;
    }
    if (text && ferror(in)) { /* part of an input is none */
        free(text);
        text = NULL;
    }
    *out_length = length;
    return text;
}

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
            if (!atomic_load(&stopped)) exit_code = cli_print_error(&arguments->style);
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

static int call(const cli_arguments *arguments, const char *path, const char *operation,
                const char *json, size_t json_len) {
    brant_db *db = NULL;
    char *answer = NULL;
    size_t length = 0;
    int exit_code = open_file(&db, arguments, path);
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
    brant_close(
        db); /* the shell is left to the end of the process: the signal thread may look at it */
    return exit_code;
}

static int command_call(const cli_arguments *arguments) {
    size_t length = 0;
    if (arguments->count < 3 || arguments->count > 4)
        return usage(&arguments->style, "call wants FILE OPERATION [JSON | -]", NULL);
    const char *input = arguments->count == 4 ? arguments->rest[3] : "";
    char *read = NULL;
    if (strcmp(input, "-") == 0) {
        if (!(read = read_all(stdin, &length))) {
            fprintf(stderr, "brant: standard input cannot be read\n");
            return BRANT_IO;
        }
    } else {
        length = strlen(input);
    }
    const int exit_code =
        call(arguments, arguments->rest[1], arguments->rest[2], read ? read : input, length);
    free(read);
    return exit_code;
}

static int command_sql(const cli_arguments *arguments) {
    if (arguments->count < 3 || arguments->count > 4)
        return usage(&arguments->style, "sql wants FILE SQL [PARAMS]", NULL);
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *object = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, object);
    yyjson_mut_obj_add_str(doc, object, "sql", arguments->rest[2]);
    if (arguments->count == 4) {
        yyjson_doc *params = yyjson_read(arguments->rest[3], strlen(arguments->rest[3]), 0);
        if (!params) {
            yyjson_mut_doc_free(doc);
            return usage(&arguments->style, "PARAMS is not JSON:", arguments->rest[3]);
        }
        yyjson_mut_obj_add_val(doc, object, "params",
                               yyjson_val_mut_copy(doc, yyjson_doc_get_root(params)));
        yyjson_doc_free(params);
    }
    size_t length = 0;
    char *json = yyjson_mut_write(doc, 0, &length);
    yyjson_mut_doc_free(doc);
    if (!json) return usage(&arguments->style, "the SQL text is not UTF-8", NULL);
    const int exit_code = call(arguments, arguments->rest[1], "sql.execute", json, length);
    free(json);
    return exit_code;
}

/* ---- arguments ---------------------------------------------------------------------------------------------------------- */

static int run(const cli_arguments *arguments) {
    const char *command = arguments->count ? arguments->rest[0] : "help";
    if (strcmp(command, "call") == 0) return command_call(arguments);
    if (strcmp(command, "sql") == 0) return command_sql(arguments);
    if (strcmp(command, "info") == 0) {
        if (arguments->count != 2) return usage(&arguments->style, "info wants FILE", NULL);
        return call(arguments, arguments->rest[1], "db.info", "", 0);
    }
    if (strcmp(command, "ops") == 0 && arguments->count <= 2)
        return cli_operations(&arguments->style, arguments->count == 2 ? arguments->rest[1] : NULL);
    if (strcmp(command, "help") == 0 && arguments->count == 2)
        return cli_operations(&arguments->style, arguments->rest[1]);
    if (strcmp(command, "help") == 0) {
        cli_usage(stdout, &arguments->style);
        return 0;
    }
    return usage(&arguments->style, "unknown command", command);
}

static bool takes(const char *argument, const char *name, int *index, int count, char **values,
                  const char **out) {
    const size_t length = strlen(name);
    if (strncmp(argument, name, length) != 0) return false;
    if (argument[length] == '=') {
        *out = argument + length + 1;
        return true;
    }
    if (argument[length] != '\0' || *index + 1 >= count) return false;
    *out = values[++*index];
    return true;
}

int main(int count, char **values) {
    const bool terminal = isatty(STDOUT_FILENO) != 0;
    cli_arguments arguments = {.timeout = -1};
    const char *value = NULL, *color = "auto";
    arguments.style.table = terminal;
    arguments.rest = calloc((size_t)count + 1, sizeof *arguments.rest);
    if (!arguments.rest) return BRANT_NO_MEMORY;
    bool options = true;
    int exit_code = -1;
    for (int i = 1; i < count && exit_code < 0; i++) {
        const char *argument = values[i];
        if (!options || argument[0] != '-' || argument[1] == '\0') {
            arguments.rest[arguments.count++] = values[i];
        } else if (strcmp(argument, "--") == 0) {
            options = false;
        } else if (strcmp(argument, "--json") == 0) {
            arguments.style.table = false;
        } else if (strcmp(argument, "--table") == 0) {
            arguments.style.table = true;
        } else if (strcmp(argument, "--create") == 0) {
            arguments.create = true;
        } else if (strcmp(argument, "--read-only") == 0) {
            arguments.read_only = true;
        } else if (takes(argument, "--color", &i, count, values, &color)) {
            if (strcmp(color, "auto") != 0 && strcmp(color, "always") != 0 &&
                strcmp(color, "never") != 0)
                exit_code =
                    usage(&arguments.style, "--color wants auto, always or never, not", color);
        } else if (takes(argument, "--options", &i, count, values, &arguments.options)) {
            continue;
        } else if (takes(argument, "--timeout", &i, count, values, &value)) {
            char *end = NULL;
            arguments.timeout = strtoll(value, &end, 10);
            if (end == value || *end || arguments.timeout < 0 || arguments.timeout > TIMEOUT_MAX)
                exit_code = usage(&arguments.style, "--timeout wants ms, not", value);
        } else if (strcmp(argument, "--version") == 0) {
            printf("brant %s\n", brant_version());
            exit_code = 0;
        } else if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0) {
            arguments.count = 0;
            cli_usage(stdout, &arguments.style);
            exit_code = 0;
        } else {
            exit_code = usage(&arguments.style, "unknown option", argument);
        }
    }
    if (exit_code < 0 && arguments.create && arguments.read_only)
        exit_code = usage(&arguments.style, "--create and --read-only exclude each other", NULL);
    const char *no_color = getenv("NO_COLOR");
    arguments.style.color = strcmp(color, "always") == 0 ||
                            (strcmp(color, "auto") == 0 && terminal && !(no_color && *no_color));
    if (exit_code < 0) exit_code = run(&arguments);
    if (fflush(stdout) != 0 && exit_code == 0) exit_code = BRANT_IO;
    free(arguments.rest);
    return exit_code;
}
