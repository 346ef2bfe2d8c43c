/*
 * cli/complete.c: completion for shells. brant completion SHELL prints a short script; the script asks brant complete at each key, which knows the table of commands, the registry and the names
 * in a file.
 *
 * brant complete -- WORD.. PRESENT prints what PRESENT may become, one a line: the word, a tab, what it is. ":files" says that names of files fit too.
 */
#include "cli.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- scripts -------------------------------------------------------------------------------------------------------- */

static const char bash_script[] =
    "# bash completion for brant: brant completion bash > .../bash-completion/completions/brant\n"
    "_brant() {\n"
    "    local value files= IFS=$'\\n' current=${COMP_WORDS[COMP_CWORD]}\n"
    "    local -a words=(\"${COMP_WORDS[@]:1:COMP_CWORD-1}\")\n"
    "    if declare -F _get_comp_words_by_ref >/dev/null; then\n"
    "        local cur\n"
    "        _get_comp_words_by_ref -n := -w words cur\n"
    "        current=$cur words=(\"${words[@]:1}\")\n"
    "        local cword; _get_comp_words_by_ref -n := -i cword\n"
    "        words=(\"${words[@]:0:cword-1}\")\n"
    "    fi\n"
    "    COMPREPLY=()\n"
    "    while IFS=$'\\t' read -r value _; do\n"
    "        if [[ $value == :files ]]; then files=1; else COMPREPLY+=(\"$(printf %q "
    "\"$value\")\"); fi\n"
    "    done < <(\"${COMP_WORDS[0]}\" complete -- \"${words[@]}\" \"$current\" 2>/dev/null)\n"
    "    if [[ $files ]]; then\n"
    "        compopt -o filenames 2>/dev/null\n"
    "        while IFS= read -r value; do COMPREPLY+=(\"$value\"); done < <(compgen -f -- "
    "\"$current\")\n"
    "    elif declare -F __ltrim_colon_completions >/dev/null; then\n"
    "        __ltrim_colon_completions \"$current\"\n"
    "    fi\n"
    "}\n"
    "complete -F _brant brant\n";

static const char zsh_script[] =
    "#compdef brant\n"
    "# zsh completion for brant: brant completion zsh > .../site-functions/_brant\n"
    "_brant() {\n"
    "    local line files= value\n"
    "    local -a described\n"
    "    while IFS= read -r line; do\n"
    "        if [[ $line == :files ]]; then files=1; continue; fi\n"
    "        value=${line%%$'\\t'*}\n"
    "        described+=(\"${value//:/\\\\:}:${line#*$'\\t'}\")\n"
    "    done < <(${(Q)words[1]} complete -- \"${(@Q)words[2,CURRENT-1]}\" \"${(Q)PREFIX}\" "
    "2>/dev/null)\n"
    "    (( $#described )) && _describe -t values brant described\n"
    "    [[ -n $files ]] && _files\n"
    "    return 0\n"
    "}\n"
    "if [[ $funcstack[1] == _brant ]]; then _brant \"$@\"; else compdef _brant brant; fi\n";

static const char fish_script[] =
    "# fish completion for brant: brant completion fish > .../vendor_completions.d/brant.fish\n"
    "function __brant_complete\n"
    "    set -l words (commandline -opc)\n"
    "    set -l current (commandline -ct)\n"
    "    set -l program $words[1]\n"
    "    set -e words[1]\n"
    "    for line in ($program complete -- $words \"$current\" 2>/dev/null)\n"
    "        if test \"$line\" = :files\n"
    "            __fish_complete_path \"$current\"\n"
    "        else\n"
    "            printf '%s\\n' $line\n"
    "        end\n"
    "    end\n"
    "end\n"
    "complete -c brant -f -a '(__brant_complete)'\n";

int cli_completion_command(const cli_arguments *arguments) {
    static const struct {
        const char *shell, *script;
    } scripts[] = {{"bash", bash_script}, {"fish", fish_script}, {"zsh", zsh_script}};
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        if (strcmp(arguments->rest[0], scripts[i].shell) != 0) continue;
        fputs(scripts[i].script, stdout);
        return 0;
    }
    return cli_wrong_usage(&arguments->style, "completion is for bash, fish and zsh, not",
                           arguments->rest[0]);
}

/* ---- candidates ----------------------------------------------------------------------------------------------------- */

/* What a candidate is, and what begins like the present word. */
static void offer(const char *present, const char *word, const char *description) {
    if (strncmp(word, present, strlen(present)) != 0 || strpbrk(word, "\t\n\r")) return;
    cli_print_name(stdout, word);
    fputc('\t', stdout);
    cli_print_name(stdout, description ? description : "");
    fputc('\n', stdout);
}

static void offer_choices(const char *present, const char *choices) {
    for (char word[128]; choices && *choices;) {
        const size_t length = strcspn(choices, " ");
        snprintf(word, sizeof word, "%.*s", (int)length, choices);
        offer(present, word, "");
        choices += length + (choices[length] == ' ');
    }
}

/* First words. */
static void offer_commands(const char *present) {
    for (const cli_command *command = cli_groups->commands; command->name; command++)
        if (!command->hidden) offer(present, command->name, command->summary);
    for (const cli_group *group = cli_groups + 1; group->commands; group++)
        offer(present, group->name, "group of commands");
    offer(present, "help", "help of a command or operation");
}

/* Second words. */
static void offer_group(const char *present, const char *name) {
    const cli_group *group = cli_group_find(name);
    for (const cli_command *command = group ? group->commands : NULL; command && command->name;
         command++)
        offer(present, command->name + strlen(name) + 1, command->summary);
}

static void offer_options(const char *present, const cli_command *command) {
    for (const cli_option *option = command ? cli_options(command) : NULL; option && option->name;
         option++)
        offer(present, option->name, option->help);
    cli_offer_common(offer, present, command);
}

static void offer_operations(const char *present, bool namespaces) {
    size_t index, count;
    yyjson_val *spec;
    const char *before = "";
    yyjson_arr_foreach(cli_specs(), index, count, spec) {
        const char *space = yyjson_get_str(yyjson_obj_get(spec, "namespace"));
        if (namespaces && space && strcmp(space, before) != 0) offer(present, space, "namespace");
        if (space) before = space;
        offer(present, yyjson_get_str(yyjson_obj_get(spec, "name")),
              yyjson_get_str(yyjson_obj_get(spec, "title")));
    }
}

/* Names of the file that the words name. */
static void offer_names(const char *present, const cli_arguments *given, const char *member) {
    cli_arguments arguments = *given;
    const char *name = NULL, *description = NULL;
    size_t index, count;
    yyjson_val *item;
    brant_db *db = NULL;
    if (arguments.count < 1) return;
    arguments.create = false;
    arguments.read_only = true;
    yyjson_doc *answer = NULL;
    if (cli_open(&db, &arguments, arguments.rest[0]) == 0)
        answer = cli_names(&name, &description, db, &arguments, member, present);
    yyjson_arr_foreach(yyjson_obj_get(yyjson_doc_get_root(answer), "items"), index, count, item) {
        const char *text = yyjson_get_str(yyjson_obj_get(item, name));
        if (text) offer(present, text, yyjson_get_str(yyjson_obj_get(item, description)));
    }
    yyjson_doc_free(answer);
    cli_close(db);
}

/* ---- which place it is ---------------------------------------------------------------------------------------------- */

/* The value of an option. */
static void offer_value(const char *present, const cli_arguments *arguments,
                        const cli_option *option) {
    if (option->choices)
        offer_choices(present, option->choices);
    else if (option->member && option->schema && arguments->command)
        offer_names(present, arguments, option->member);
}

/* The argument at a place behind the command's name. */
static void offer_argument(const char *present, const cli_arguments *arguments) {
    const cli_command *command = arguments->command;
    const char *list = command->words, *shape = command->arguments;
    cli_word word = {0};
    if (arguments->count == 0 && (list || (shape && strncmp(shape, "FILE", 4) == 0))) {
        puts(":files");
        return;
    }
    if (strcmp(command->name, "call") == 0 && arguments->count == 1)
        offer_operations(present, false);
    if (strcmp(command->name, "ops") == 0 && arguments->count == 0) offer_operations(present, true);
    if (strcmp(command->name, "completion") == 0) offer_choices(present, "bash fish zsh");
    if (!list) return;
    bool found = false;
    for (int at = 1; !found && cli_word_next(&word, &list);) {
        if (word.hidden) continue;
        found = at == arguments->count || word.many || word.pairs;
        at++;
    }
    if (!found) {
        puts(":files"); /* what is behind a row's words is a file's name */
        return;
    }
    char *choices = cli_choices(cli_member(command->operation, word.name));
    offer_choices(present, choices);
    free(choices);
    if (strcmp(word.name, "path") == 0) puts(":files");
    offer_names(present, arguments, word.name);
}

int cli_complete_command(const cli_arguments *given) {
    const char *present = given->count > 0 ? given->rest[given->count - 1] : "";
    const char *last = given->count > 1 ? given->rest[given->count - 2] : "";
    cli_arguments words;
    int named = 0;
    const int quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (quiet >= 0) dup2(quiet, STDERR_FILENO);
    if (quiet >= 0) close(quiet);
    char **line = calloc((size_t)given->count + 2, sizeof *line);
    if (!line) return BRANT_NO_MEMORY;
    line[0] = (char *)(uintptr_t)"brant";
    for (int i = 0; i + 1 < given->count; i++)
        line[i + 1] = given->rest[i];
    /* An option that still wants its value is not among the words: the present word is the value. */
    const int count = given->count > 0 ? given->count : 1;
    int wrong = cli_arguments_read(&words, count, line);
    const cli_command *command = cli_command_find(&named, words.count, words.rest);
    words.command = command;
    words.rest += command ? named : 0;
    words.count -= command ? named : 0;
    const cli_option *waiting = NULL;
    for (const cli_option *option = command ? cli_options(command) : NULL; option && option->name;
         option++)
        if (wrong && option->value && strcmp(last, option->name) == 0) waiting = option;
    if (waiting)
        offer_value(present, &words, waiting);
    else if (wrong && strcmp(last, "--color") == 0)
        offer_choices(present, "auto always never");
    else if (wrong && (strcmp(last, "--keys") == 0 || strcmp(last, "--as") == 0))
        puts(":files");
    else if (present[0] == '-')
        offer_options(present, command);
    else if (command)
        offer_argument(present, &words);
    else if (words.count == 0)
        offer_commands(present);
    else if (strcmp(words.rest[0], "help") == 0 && words.count == 1) {
        offer_commands(present);
        offer_operations(present, true);
    } else if (strcmp(words.rest[0], "help") == 0 && words.count == 2)
        offer_group(present, words.rest[1]);
    else if (words.count == 1)
        offer_group(present, words.rest[0]);
    free(words.rest - (command ? named : 0));
    free(words.own);
    free(line);
    return 0;
}
