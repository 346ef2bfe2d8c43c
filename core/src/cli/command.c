/*
 * cli/command.c: the table of commands, with the help of each.
 */
#include "cli.h"

#include <string.h>

#define KEYS_HELP                                                                                  \
    "  --keys RING          the key ring's file, which only its owner may read; default: the\n"    \
    "                       environment's BRANT_KEYS. A pipe is fine: --keys <(sops -d ring)\n"

const cli_command cli_commands[] = {
    {.name = "ops",
     .arguments = "[NAMESPACE | OPERATION]",
     .summary = "what can be called, and how",
     .most = 1,
     .run = cli_ops_command,
     .help = "Lists all operations, or those of a namespace; of one operation its input, answer, "
             "scopes and errors.\nAs JSON: its specification, with JSON Schemas.\n"},
    {.name = "call",
     .arguments = "FILE OPERATION [JSON | -]",
     .summary = "call one; - reads the input from standard input",
     .least = 2,
     .most = 3,
     .options = CLI_KEYS,
     .run = cli_call_command,
     .help = "Calls an operation and prints its answer. A subscription prints a line of JSON per "
             "item until it ends\n(nodes.walk) or is interrupted (events.listen).\n"
             "With a key ring, encrypted attributes are sealed and opened. Secrets belong on "
             "standard input (-), not\ninto arguments, which other processes and the shell's "
             "history show.\n\n" KEYS_HELP},
    {.name = "info",
     .arguments = "FILE",
     .summary = "what a file is",
     .least = 1,
     .most = 1,
     .options = CLI_KEYS,
     .run = cli_info_command,
     .help = "Path, role, format, sizes and counts of a file.\n"},
    {.name = "sql",
     .arguments = "FILE SQL [PARAMS]",
     .summary = "run the user's own SQL; PARAMS is a JSON array or object",
     .least = 2,
     .most = 3,
     .options = CLI_KEYS,
     .run = cli_sql_command,
     .help = "One statement. brant's own tables can be read; encrypted attributes are what is "
             "stored: envelopes.\n"},
    {.name = "key generate",
     .arguments = "[--keys RING] [--purpose PURPOSE]",
     .summary = "make a key; in a ring file: its new active one",
     .options = CLI_KEYS | CLI_PURPOSE,
     .secrets = true,
     .run = cli_key_generate,
     .help =
         "Without --keys: prints a key ring of one new random key. With --keys: makes that file "
         "with one key, or adds\nto the ring in it a key of the next version, which becomes the "
         "active one; the one active so far stays for\nopening what it sealed (decrypt_only). The "
         "key itself is not shown then. The file is replaced as a whole\nand only its owner can "
         "read it. BRANT_KEYS does not count here.\n\n"
         "Keep a copy of the ring apart from the data: without it nobody opens the secrets.\n\n"
         "  --keys RING          the key ring's file\n"
         "  --purpose PURPOSE    attribute (default), pepper or audit\n"},
    {.name = "key list",
     .arguments = "--keys RING",
     .summary = "the keys of a ring file, without what is secret",
     .options = CLI_KEYS,
     .secrets = true,
     .run = cli_key_list,
     .help = "Purpose, version, state and algorithm of each key.\n\n" KEYS_HELP},
    {0},
};

/* The first `words` words are those of a name. */
static bool named(const char *name, int words, char **given) {
    for (int i = 0; i < words; i++) {
        const size_t length = strlen(given[i]);
        if (strncmp(name, given[i], length) != 0 || (name[length] != ' ' && name[length] != '\0'))
            return false;
        name += length + (name[length] == ' ');
    }
    return *name == '\0';
}

const cli_command *cli_command_find(int *out_words, int count, char **words) {
    for (*out_words = count < 2 ? count : 2; *out_words > 0; --*out_words) {
        for (const cli_command *command = cli_commands; command->name; command++)
            if (named(command->name, *out_words, words)) return command;
    }
    return NULL;
}

bool cli_command_group(const char *word) {
    const size_t length = strlen(word);
    for (const cli_command *command = cli_commands; command->name; command++)
        if (strncmp(command->name, word, length) == 0 && command->name[length] == ' ') return true;
    return false;
}
