/*
 * cli/arguments.c: options, wherever they stand among the words of the command.
 *
 * What could be a secret that somebody gave as an argument by mistake is not repeated: a wrong option is named up to its value.
 */
#include "cli.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int cli_wrong_usage_of(const cli_style *style, const char *words, const char *what,
                       const char *argument) {
    fprintf(stderr, "%sbrant:%s %s", cli_on(style, "red"), cli_off(style), what);
    if (argument) {
        fputs(" \"", stderr);
        cli_print_name(stderr, argument);
        fputs("\"", stderr);
    }
    fprintf(stderr, "; brant %s%s--help tells more\n", words ? words : "", words ? " " : "");
    return EXIT_USAGE;
}

int cli_wrong_usage(const cli_style *style, const char *what, const char *argument) {
    return cli_wrong_usage_of(style, style->help, what, argument);
}

/* Options with a value, and those without. */
static const struct {
    const char *name;
    size_t at; /* of a const char * */
    unsigned given;
} texts[] = {
    {"--as", offsetof(cli_arguments, as), 0},
    {"--description", offsetof(cli_arguments, description), CLI_DESCRIPTION},
    {"--graph", offsetof(cli_arguments, graph), CLI_GRAPH},
    {"--keys", offsetof(cli_arguments, keys), CLI_KEYS},
    {"--options", offsetof(cli_arguments, options), 0},
    {"--org", offsetof(cli_arguments, org), 0},
    {"--purpose", offsetof(cli_arguments, purpose), CLI_PURPOSE},
};
static const struct {
    const char *name;
    size_t at; /* of a bool */
    unsigned given;
} flags[] = {
    {"--create", offsetof(cli_arguments, create), 0},
    {"--help", offsetof(cli_arguments, help), 0},
    {"--read-only", offsetof(cli_arguments, read_only), 0},
    {"--version", offsetof(cli_arguments, version), 0},
    {"--yes", offsetof(cli_arguments, yes), CLI_YES},
    {"-h", offsetof(cli_arguments, help), 0},
};

const char *cli_option_name(unsigned given) {
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].given & given) return texts[i].name;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (flags[i].given & given) return flags[i].name;
    return "such option";
}

void cli_offer_common(void (*offer)(const char *present, const char *word, const char *description),
                      const char *present, const cli_command *command) {
    const unsigned taken = command ? command->options | (command->operation ? CLI_KEYS : 0u) : 0u;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!texts[i].given || (texts[i].given & taken)) offer(present, texts[i].name, "");
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (!flags[i].given || (flags[i].given & taken)) offer(present, flags[i].name, "");
    offer(present, "--color", "auto, always or never");
    offer(present, "--json", "JSON, also on a terminal");
    offer(present, "--table", "tables, also elsewhere");
    offer(present, "--timeout", "in ms");
}

typedef struct words {
    int count, index;
    char **values;
    bool missing; /* an option at the end that wants a value */
} words;

/* Is the present word this option, with its value in it or after it? */
static bool takes(words *at, const char *name, const char **out) {
    const char *word = at->values[at->index];
    const size_t length = strlen(name);
    if (strncmp(word, name, length) != 0) return false;
    if (word[length] == '=') {
        *out = word + length + 1;
        return true;
    }
    if (word[length] != '\0') return false;
    at->missing = at->index + 1 >= at->count;
    *out = at->missing ? "" : at->values[++at->index];
    return true;
}

static bool read_text(cli_arguments *out, words *at) {
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (!takes(at, texts[i].name, (const char **)((char *)out + texts[i].at))) continue;
        out->given |= texts[i].given;
        return true;
    }
    return false;
}

static bool read_flag(cli_arguments *out, const char *word) {
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (strcmp(word, flags[i].name) != 0) continue;
        *(bool *)((char *)out + flags[i].at) = true;
        out->given |= flags[i].given;
        return true;
    }
    return false;
}

/* The option of the command, or of all, that a mistyped name may mean; NULL: none. */
static const char *near_option(const cli_command *command, const char *word) {
    static const char *const others[] = {"--color", "--json", "--table", "--timeout"};
    const char *near = NULL;
    size_t least = 0;
    for (const cli_option *option = command ? cli_options(command) : NULL; option && option->name;
         option++)
        if (cli_nearer(&least, word, option->name, strlen(option->name))) near = option->name;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (cli_nearer(&least, word, texts[i].name, strlen(texts[i].name))) near = texts[i].name;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (cli_nearer(&least, word, flags[i].name, strlen(flags[i].name))) near = flags[i].name;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (cli_nearer(&least, word, others[i], strlen(others[i]))) near = others[i];
    return near;
}

static int unknown_option(const cli_arguments *arguments, const char *word) {
    int unused = 0;
    const bool is_long = word[1] == '-';
    const cli_command *command = cli_command_find(&unused, arguments->count, arguments->rest);
    char *name = cli_copy(word, is_long ? strcspn(word, "=") : 2);
    const char *near = is_long ? near_option(command, name) : NULL;
    cli_wrong_usage_of(&arguments->style, command ? command->name : NULL, "unknown option", name);
    if (near) fprintf(stderr, "brant: did you mean \"%s\"?\n", near);
    cli_free(name);
    return EXIT_USAGE;
}

/* An option of the command that the words so far name. */
static bool read_own(cli_arguments *out, words *at) {
    int unused = 0;
    const cli_command *command = cli_command_find(&unused, out->count, out->rest);
    for (const cli_option *option = command ? cli_options(command) : NULL; option && option->name;
         option++) {
        const char *value = "", *word = at->values[at->index];
        const size_t length = strlen(option->name);
        /* A member that is true or false is a flag, and --flag=false. */
        const bool said = !option->value && option->schema &&
                          strncmp(word, option->name, length) == 0 && word[length] == '=';
        if (said)
            value = word + length + 1;
        else if (option->value ? !takes(at, option->name, &value) : strcmp(word, option->name) != 0)
            continue;
        if (said && !*value) at->missing = true;
        out->own[out->own_count++] = (cli_given){option, value};
        return true;
    }
    return false;
}

const char *cli_own(const cli_arguments *arguments, const char *name) {
    for (int i = arguments->own_count; i-- > 0;)
        if (strcmp(arguments->own[i].option->name, name) == 0) return arguments->own[i].value;
    return NULL;
}

static int read_option(cli_arguments *out, words *at, const char **color) {
    const char *word = at->values[at->index], *value = NULL;
    if (read_own(out, at)) {
        /* a command's own option goes before one that all have */
    } else if (strcmp(word, "--json") == 0) {
        out->json = true;
        out->style.table = false;
    } else if (strcmp(word, "--table") == 0) {
        out->style.table = true;
    } else if (takes(at, "--color", color)) {
        if (!at->missing && strcmp(*color, "auto") != 0 && strcmp(*color, "always") != 0 &&
            strcmp(*color, "never") != 0)
            return cli_wrong_usage(&out->style, "--color wants auto, always or never, not", *color);
    } else if (takes(at, "--timeout", &value)) {
        char *end = NULL;
        out->timeout = strtoll(value, &end, 10);
        if (!at->missing &&
            (end == value || *end || out->timeout < 0 || out->timeout > CLI_TIMEOUT_MAX))
            return cli_wrong_usage(&out->style, "--timeout wants ms, not", value);
    } else if (!read_text(out, at) && !read_flag(out, word)) {
        return unknown_option(out, word);
    }
    return at->missing ? cli_wrong_usage(&out->style, "a value is missing after", word) : 0;
}

int cli_arguments_read(cli_arguments *out, int count, char **values) {
    const bool terminal = isatty(STDOUT_FILENO) != 0;
    const char *color = "auto", *no_color = getenv("NO_COLOR");
    bool options = true;
    int exit_code = 0;
    *out = (cli_arguments){.timeout = -1, .style.table = terminal};
    out->rest = calloc((size_t)count + 1, sizeof *out->rest);
    out->own = calloc((size_t)count + 1, sizeof *out->own);
    if (!out->rest || !out->own) return BRANT_NO_MEMORY;
    for (words at = {count, 1, values, false}; at.index < count && exit_code == 0; at.index++) {
        char *word = values[at.index];
        if (!options || word[0] != '-' || word[1] == '\0')
            out->rest[out->count++] = word;
        else if (strcmp(word, "--") == 0)
            options = false;
        else
            exit_code = read_option(out, &at, &color);
    }
    out->style.color = strcmp(color, "always") == 0 ||
                       (strcmp(color, "auto") == 0 && terminal && !(no_color && *no_color));
    if (exit_code == 0 && out->create && out->read_only)
        return cli_wrong_usage(&out->style, "--create and --read-only exclude each other", NULL);
    return exit_code;
}
