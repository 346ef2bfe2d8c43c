/*
 * cli/help.c: usage, and help made from the specs of the registry.
 */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

const char cli_options_help[] =
    "  --json, --table      form of the answer; default: a table on a terminal, JSON elsewhere\n"
    "  --color WHEN         auto (default; honours NO_COLOR), always, never\n"
    "  --create             make the file if it does not exist, or a hub: FOLDER/\n"
    "  --read-only          open for reading only\n"
    "  --options JSON       further options of opening, as in brant/store.h\n"
    "  --org ORG            FILE is the folder of a hub: the file of this organisation (id or "
    "slug);\n"
    "                       without it the system's\n"
    "  --as TOKENFILE       only what the API key in this file may\n"
    "  --timeout MS         end with TIMEOUT after so many ms; a subscription just ends\n"
    "  --version, --help\n";

static const char exit_codes_help[] =
    "Exit codes: 0; the number of the status that the error names; 64 for wrong usage: brant help "
    "exit-codes\n";

void cli_exit_codes(FILE *out, const cli_style *style) {
    fputs(
        "An error's line on standard error names its status, and the exit code is its number.\n\n",
        out);
    for (brant_status code = 0; code < BRANT_STATUS_COUNT; code++) {
        const char *text = code == BRANT_INTERRUPTED ? "stopped by a signal, or by another thread"
                                                     : brant_status_text(code);
        fprintf(out, "  %s%3d  %-14s%s  %s\n", cli_on(style, "bold"), code, brant_status_name(code),
                cli_off(style), text);
    }
    fprintf(out, "  %s%3d  %-14s%s  %s\n", cli_on(style, "bold"), EXIT_USAGE, "", cli_off(style),
            "wrong usage: nothing was opened or changed");
    fputs("\nbrant lock run ends with the exit code of its command, 128 and the signal's number "
          "where a\nsignal ended it, 127 where there is no such command.\n",
          out);
}

/* A member's text, never NULL. */
static const char *member(yyjson_val *object, const char *name) {
    const char *text = yyjson_get_str(yyjson_obj_get(object, name));
    return text ? text : "";
}

/* ---- commands ----------------------------------------------------------------------------------------------------- */

static void print_command(FILE *out, const cli_command *command) {
    char arguments[512];
    cli_command_arguments(arguments, sizeof arguments, command);
    const int length = fprintf(out, "  brant %s %s", command->name, arguments);
    fprintf(out, "%*s  %s\n", length < 52 ? 52 - length : 0, "", command->summary);
}

/* A group of commands in one line: its name and the names in it. */
static void print_group(FILE *out, const cli_group *group) {
    int column = fprintf(out, "  brant %s ", group->name);
    fprintf(out, "%*s", column < 20 ? 20 - column : 0, "");
    column = column < 20 ? 20 : column;
    const char *separator = "";
    for (const cli_command *command = group->commands; command->name; command++) {
        const char *name = command->name + strlen(group->name) + 1;
        if (column + (int)strlen(name) > 96) {
            fprintf(out, "%s\n%20s", *separator ? "," : "", "");
            column = 20;
            separator = "";
        }
        column += fprintf(out, "%s%s", separator, name);
        separator = ", ";
    }
    fputc('\n', out);
}

void cli_usage(FILE *out, const cli_style *style) {
    fprintf(out,
            "%sbrant%s %s - typed graphs, secrets and events in one SQLite file\n\n%sUsage%s\n",
            cli_on(style, "bold"), cli_off(style), brant_version(), cli_on(style, "bold"),
            cli_off(style));
    for (const cli_command *command = cli_groups->commands; command->name; command++)
        if (!command->hidden) print_command(out, command);
    fprintf(
        out,
        "  brant help [COMMAND | OPERATION | exit-codes]       what it does, takes and answers\n\n"
        "%sGroups of commands%s\n",
        cli_on(style, "bold"), cli_off(style));
    for (const cli_group *group = cli_groups + 1; group->commands; group++)
        print_group(out, group);
    fprintf(out, "\n%sOptions%s\n%s\n%s\n%sExamples%s\n", cli_on(style, "bold"), cli_off(style),
            cli_options_help, exit_codes_help, cli_on(style, "bold"), cli_off(style));
    fputs("  brant --create graph create app.db g open\n"
          "  brant node put app.db g key title=\"A thing\" effort:=3\n"
          "  brant node list app.db g --where 'effort >= 3'\n"
          "  brant call app.db events.listen '{\"channels\": [\"nodes:*\"]}'\n"
          "  brant key generate --keys ring.json\n"
          "  brant secret set app.db smtp-password --keys ring.json < password.txt\n",
          out);
}

/* A text in lines of at most 100 columns, all but the first behind `indent` columns. */
static void print_wrapped(FILE *out, const char *text, int column, int indent) {
    while (*text) {
        const size_t word = strcspn(text, " \n");
        if (column > indent && column + (int)word > 100) {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
        }
        column += fprintf(out, "%.*s", (int)word, text);
        text += word;
        while (*text == ' ' || *text == '\n')
            text++;
        if (*text && column + 1 + (int)strcspn(text, " \n") <= 100)
            column += fprintf(out, " ");
        else if (*text)
            column = 100;
    }
    fputc('\n', out);
}

void cli_command_help(FILE *out, const cli_style *style, const cli_command *command) {
    char arguments[512];
    cli_command_arguments(arguments, sizeof arguments, command);
    fprintf(out, "%sbrant %s%s %s - %s\n", cli_on(style, "bold"), command->name, cli_off(style),
            arguments, command->summary);
    if (command->help) fprintf(out, "\n%s", command->help);
    yyjson_val *spec = command->operation ? cli_spec(command->operation) : NULL;
    if (spec) {
        fprintf(out, "\n");
        if (!command->help) print_wrapped(out, member(spec, "description"), 0, 0);
        fprintf(out, "Calls %s; brant help %s tells what it answers.\n", command->operation,
                command->operation);
    }
    const cli_option *options = cli_options(command);
    if (options->name || (command->question && (command->options & CLI_YES))) fputc('\n', out);
    for (const cli_option *option = options; option->name; option++) {
        int column = fprintf(out, "  %s%s%s", option->name, option->value ? " " : "",
                             option->value ? option->value : "");
        column += fprintf(out, "%*s", column < 23 ? 23 - column : 2, "");
        if (option->choices) {
            fputs("one of: ", out);
            column += 8;
        }
        if (option->choices && *option->help) {
            column += fprintf(out, "%s; ", option->choices);
            print_wrapped(out, option->help, column, 23);
        } else {
            print_wrapped(out, option->choices ? option->choices : option->help, column, 23);
        }
    }
    if (command->question && (command->options & CLI_YES))
        fputs("  --yes                do not ask; needed where there is no terminal\n", out);
    if (command->operation)
        fputs("  --keys RING          the key ring's file; default: the environment's BRANT_KEYS\n",
              out);
    fprintf(out, "\n%sOptions of every command%s\n%s\n%s", cli_on(style, "bold"), cli_off(style),
            cli_options_help, exit_codes_help);
}

void cli_group_help(FILE *out, const cli_style *style, const cli_group *group) {
    fprintf(out, "%sUsage%s\n", cli_on(style, "bold"), cli_off(style));
    for (const cli_command *command = group->commands; command->name; command++)
        print_command(out, command);
    fprintf(out, "brant %s COMMAND --help tells more\n", group->name);
}

/* ---- one schema as lines ---------------------------------------------------------------------------------------- */

static void print_type(yyjson_val *schema) {
    yyjson_val *type = yyjson_obj_get(schema, "type"), *choices = yyjson_obj_get(schema, "enum"),
               *ref = yyjson_obj_get(schema, "$ref");
    size_t index, count;
    yyjson_val *value;
    if (choices) {
        yyjson_arr_foreach(choices, index, count, value)
            printf("%s\"%s\"", index ? " | " : "", yyjson_get_str(value));
    } else if (yyjson_is_str(type)) {
        printf("%s", yyjson_get_str(type));
    } else if (yyjson_is_arr(type)) {
        yyjson_arr_foreach(type, index, count, value)
            printf("%s%s", index ? " | " : "", yyjson_get_str(value));
    } else if (ref) {
        const char *name = strrchr(yyjson_get_str(ref), '/');
        printf("%s", name ? name + 1 : yyjson_get_str(ref));
    } else if (yyjson_obj_get(schema, "anyOf")) {
        yyjson_arr_foreach(yyjson_obj_get(schema, "anyOf"), index, count, value) {
            if (index) printf(" | ");
            print_type(value);
        }
    } else {
        printf("any");
    }
}

static bool is_required(yyjson_val *schema, yyjson_val *name) {
    size_t index, count;
    yyjson_val *value;
    yyjson_arr_foreach(yyjson_obj_get(schema, "required"), index, count,
                       value) if (yyjson_equals(value, name)) return true;
    return false;
}

static void print_schema(const cli_style *style, yyjson_val *schema, int indent) {
    size_t index, count;
    yyjson_val *name, *value;
    yyjson_obj_foreach(yyjson_obj_get(schema, "properties"), index, count, name, value) {
        const char *description = yyjson_get_str(yyjson_obj_get(value, "description"));
        printf("%*s%s%s%s%s  ", indent, "", cli_on(style, "cyan"), yyjson_get_str(name),
               cli_off(style), is_required(schema, name) ? "" : "?");
        print_type(value);
        if (description) printf("  %s%s%s", cli_on(style, "dim"), description, cli_off(style));
        printf("\n");
        yyjson_val *items = yyjson_obj_get(value, "items");
        if (yyjson_obj_get(items, "properties")) print_schema(style, items, indent + 4);
    }
    if (!yyjson_obj_get(schema, "properties")) {
        printf("%*s", indent, "");
        print_type(schema);
        printf("\n");
    }
}

static void print_texts(const char *title, yyjson_val *texts) {
    size_t index, count;
    yyjson_val *value;
    if (yyjson_arr_size(texts) == 0) return;
    printf("%s", title);
    yyjson_arr_foreach(texts, index, count, value)
        printf("%s%s", index ? ", " : " ", yyjson_get_str(value));
    printf("\n");
}

static void print_spec(const cli_style *style, yyjson_val *spec) {
    printf("%s%s%s  %s  %s\n", cli_on(style, "bold"), member(spec, "name"), cli_off(style),
           member(spec, "type"), member(spec, "title"));
    if (*member(spec, "description")) printf("%s\n", member(spec, "description"));
    printf("\nInput\n");
    print_schema(style, yyjson_obj_get(spec, "input_schema"), 2);
    printf("\n%s\n", strcmp(member(spec, "type"), "subscription") == 0 ? "Each item" : "Answer");
    print_schema(style, yyjson_obj_get(spec, "output_schema"), 2);
    printf("\n");
    print_texts("Scopes:", yyjson_obj_get(spec, "required_scopes"));
    print_texts("Errors:", yyjson_obj_get(spec, "errors"));
}

static bool in_namespace(yyjson_val *spec, const char *wanted) {
    return !wanted || yyjson_equals_str(yyjson_obj_get(spec, "namespace"), wanted);
}

void cli_suggest_operation(const char *name) {
    const char *near = NULL;
    size_t index, count, least = 0;
    yyjson_val *spec;
    yyjson_arr_foreach(cli_specs(), index, count, spec) {
        const char *known = member(spec, "name");
        if (cli_nearer(&least, name, known, strlen(known))) near = known;
    }
    if (near) fprintf(stderr, "brant: did you mean \"%s\"?\n", near);
}

int cli_operations(const cli_style *style, const char *wanted) {
    char *json = NULL;
    size_t length = 0, index, count, found = 0;
    yyjson_val *spec;
    if (brant_operation_list(&json, &length, NULL, "", 0) != BRANT_OK)
        return cli_print_error(style);
    yyjson_doc *doc = yyjson_read(json, length, 0);
    yyjson_val *items = yyjson_obj_get(yyjson_doc_get_root(doc), "items");
    const bool one = wanted && strchr(wanted, '.');
    yyjson_arr_foreach(items, index, count, spec) {
        const char *name = member(spec, "name");
        if (one ? strcmp(name, wanted) != 0 : !in_namespace(spec, wanted)) continue;
        found++;
        if (!style->table) {
            size_t size = 0;
            char *line = yyjson_val_write(spec, 0, &size);
            if (line) cli_print_line(stdout, line, size);
            free(line);
        } else if (one) {
            print_spec(style, spec);
        } else {
            printf("%s%-28s%s %-13s %s\n", cli_on(style, "bold"), name, cli_off(style),
                   member(spec, "type"), member(spec, "title"));
        }
    }
    yyjson_doc_free(doc);
    brant_free(json);
    if (found > 0) return 0;
    if (strncmp(wanted, "types.", 6) == 0 || strcmp(wanted, "types") == 0)
        fprintf(stderr,
                "brant: the operations of types are in a file: brant call FILE operations.list "
                "'{\"graph_type\": NAME}' lists them\n");
    else
        fprintf(stderr, "brant: no operation or namespace \"%s\"; brant ops lists them\n", wanted);
    cli_suggest_operation(wanted);
    return EXIT_USAGE;
}
