/*
 * cli/manual.c: the manual page brant(1), made from the table of commands: brant manual DATE prints it for man, in the language of man(7). brant table prints the table itself, for what
 * checks or documents it.
 */
#include "cli.h"

#include <string.h>

/* A text as roff takes it: no character of it is a command. */
static void print_text(const char *text) {
    bool start = true;
    for (; *text; text++) {
        if (start && (*text == '.' || *text == '\'')) fputs("\\&", stdout);
        start = *text == '\n';
        switch (*text) {
        case '\\':
            fputs("\\e", stdout);
            break;
        case '-':
            fputs("\\-", stdout);
            break;
        case '\'':
            fputs("\\(aq", stdout);
            break;
        case '`':
            fputs("\\(ga", stdout);
            break;
        case '^':
            fputs("\\(ha", stdout);
            break;
        case '~':
            fputs("\\(ti", stdout);
            break;
        case '"':
            fputs("\\(dq", stdout);
            break;
        default:
            fputc(*text, stdout);
        }
    }
}

/* Lines of help: what stands behind two blanks is an option, an empty line ends a paragraph. */
static void print_help(const char *help) {
    bool blank = true, option = false;
    while (*help) {
        const size_t length = strcspn(help, "\n");
        char line[512];
        snprintf(line, sizeof line, "%.*s", (int)length, help);
        help += length + (help[length] == '\n');
        const size_t indent = strspn(line, " ");
        if (line[0] == '\0') {
            blank = true;
            continue;
        }
        if (indent == 2 && line[2] == '-') {
            const char *gap = strstr(line + 2, "  ");
            printf(".TP\n.B ");
            char name[128];
            snprintf(name, sizeof name, "%.*s", gap ? (int)(gap - line - 2) : (int)sizeof name - 1,
                     line + 2);
            print_text(name);
            fputc('\n', stdout);
            if (gap) print_text(gap + strspn(gap, " "));
            if (gap) fputc('\n', stdout);
            option = true;
        } else {
            if (blank && !(option && indent)) puts(".PP");
            if (!indent) option = false;
            print_text(line + indent);
            fputc('\n', stdout);
        }
        blank = false;
    }
}

static void print_command(const cli_command *command) {
    char arguments[512];
    cli_command_arguments(arguments, sizeof arguments, command);
    printf(".SS brant ");
    print_text(command->name);
    printf("\n.B brant ");
    print_text(command->name);
    fputc('\n', stdout);
    print_text(arguments);
    printf("\n.PP\n");
    char first[2] = {(char)(command->summary[0] >= 'a' && command->summary[0] <= 'z'
                                ? command->summary[0] - 'a' + 'A'
                                : command->summary[0]),
                     '\0'};
    print_text(first);
    print_text(command->summary + 1);
    puts(".");
    if (command->help) print_help(command->help);
    if (command->operation) {
        printf("Calls the operation\n.BR ");
        print_text(command->operation);
        puts(" .");
    }
    for (const cli_option *option = cli_options(command); option->name; option++) {
        printf(".TP\n.B ");
        print_text(option->name);
        if (option->value) printf(" ");
        print_text(option->value ? option->value : "");
        fputc('\n', stdout);
        if (option->choices) {
            printf("One of: ");
            print_text(option->choices);
            puts(".");
        }
        print_text(*option->help ? option->help : option->choices ? "" : "As the operation says.");
        fputc('\n', stdout);
    }
    if (command->question)
        puts(".TP\n.B \\-\\-yes\nDo not ask; needed where there is no terminal.");
}

int cli_manual_command(const cli_arguments *arguments) {
    printf(".\\\" Made by brant manual.\n.TH BRANT 1 \"%.10s\" \"brant %s\"\n",
           arguments->count > 0 ? arguments->rest[0] : "", brant_version());
    puts(".SH NAME\nbrant \\- typed graphs, secrets and events in one SQLite file\n.SH SYNOPSIS\n"
         ".B brant\n.RI [ OPTION ]...\n.I COMMAND\n.RI [ ARGUMENT ]...\n.br\n.B brant help\n"
         ".RI [ COMMAND \" | \" OPERATION ]\n.SH DESCRIPTION");
    print_text(
        "brant works with files of the library of that name: graphs with types and rules, "
        "encrypted\n"
        "secrets, accounts and API keys, queues, streams, locks and schedules in one SQLite file.\n"
        "Each command is a call of an operation of the library; brant ops lists them all, and "
        "brant\n"
        "call calls any of them.\n");
    puts(".PP\nFILE is a brant file, or the folder of a hub: then it is the hub\\(aqs system file, "
         "or "
         "with\n.B \\-\\-org\nthe file of an organisation.");
    puts(".PP\nOn a terminal answers are tables; elsewhere they are JSON, lists as one line an "
         "item. "
         "Lists are read\nto their end unless\n.B \\-\\-limit\nsays how many. Control characters "
         "of data "
         "are not shown to a terminal.");
    puts(".PP\nNAME=TEXT gives a member as text, NAME:=JSON as JSON; instead there may be one JSON "
         "value, or \\- for\none on standard input. Durations are 500ms, 30s, 5m, 2h, 7d or ms; "
         "times "
         "2026\\-01\\-31T12:00 (with Z in\nUTC), now, +5m, \\-1h or ms since the Unix epoch. An "
         "option without a value may be \\-\\-option=false.");
    puts(".SH OPTIONS");
    print_help(cli_options_help);
    puts(".SH COMMANDS");
    for (const cli_group *group = cli_groups; group->commands; group++)
        for (const cli_command *command = group->commands; command->name; command++)
            if (!command->hidden) print_command(command);
    puts(".SH EXIT STATUS\n0, or the number of the status that the error names; 64 for wrong "
         "usage.");
    for (brant_status code = 1; code < BRANT_STATUS_COUNT; code++) {
        printf(".TP\n%d\n", code);
        print_text(brant_status_name(code));
        fputc('\n', stdout);
    }
    puts(".PP\n.B brant lock run\nends with the status of its command, 128 and the signal\\(aqs "
         "number "
         "where a signal ended it, 127 where\nthere is no such command.");
    puts(".SH ENVIRONMENT\n.TP\n.B BRANT_KEYS\nThe file of the key ring, where\n.B \\-\\-keys\nis "
         "not "
         "given.\n.TP\n.B NO_COLOR\nNo colours, whatever its value.\n.TP\n.BR BRANT_LOCK_NAME \", "
         "\" "
         "BRANT_LOCK_TOKEN\nOf the lock, for the command of\n.BR \"brant lock run\" .");
    puts(".SH EXAMPLES\n.EX");
    print_text("brant --create graph create app.db g open\n"
               "brant node put app.db g key title=\"A thing\" effort:=3\n"
               "brant node list app.db g --where 'effort >= 3'\n"
               "brant export app.db g g.graphml\n"
               "brant queue enqueue app.db mail to=me@example.org --delay 5m\n"
               "brant watch app.db 'nodes:*' --queues\n"
               "brant lock run app.db nightly --timeout 60000 -- ./nightly.sh\n"
               "brant backup app.db /backup/app.db\n"
               "source <(brant completion bash)\n");
    puts(".EE\n.SH SEE ALSO\n.BR sqlite3 (1)");
    return 0;
}

/* As a line of JSON. */
static void print_row(const cli_command *command) {
    char text[512];
    const struct {
        const char *name, *value;
    } members[] = {{"name", command->name},           {"arguments", text},
                   {"summary", command->summary},     {"help", command->help},
                   {"operation", command->operation}, {"words", command->words},
                   {"without", command->without},     {"fixed", command->fixed},
                   {"columns", command->columns}};
    yyjson_mut_doc *row = cli_input();
    yyjson_mut_val *root = yyjson_mut_doc_get_root(row);
    cli_command_arguments(text, sizeof text, command);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (members[i].value) yyjson_mut_obj_add_str(row, root, members[i].name, members[i].value);
    yyjson_mut_val *options = yyjson_mut_obj_add_arr(row, root, "options");
    for (const cli_option *option = cli_options(command); option->name; option++) {
        yyjson_mut_val *made = yyjson_mut_arr_add_obj(row, options);
        yyjson_mut_obj_add_str(row, made, "name", option->name);
        if (option->value) yyjson_mut_obj_add_str(row, made, "value", option->value);
        yyjson_mut_obj_add_str(row, made, "help", option->help);
    }
    cli_print_document(stdout, &(cli_style){0}, row);
}

int cli_table_command(const cli_arguments *arguments) {
    (void)arguments;
    for (const cli_group *group = cli_groups; group->commands; group++)
        for (const cli_command *command = group->commands; command->name; command++)
            if (!command->hidden) print_row(command);
    return 0;
}
