/*
 * cli/command.c: the table of commands, with the help of each.
 */
#include "cli.h"

#include <string.h>

#define KEYS_HELP                                                                                  \
    "  --keys RING          the key ring's file, which only its owner may read; default: the\n"    \
    "                       environment's BRANT_KEYS. A pipe is fine: --keys <(sops -d ring)\n"
#define GRAPH_HELP "  --graph NAME         a graph with secrets of its own; default: secrets\n"

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
         "Keep a copy of the ring apart from the data: without it nobody opens the secrets. After "
         "a new key,\nbrant secret rotate brings what is stored to it.\n\n"
         "  --keys RING          the key ring's file\n"
         "  --purpose PURPOSE    attribute (default), pepper or audit\n"},
    {.name = "key list",
     .arguments = "--keys RING",
     .summary = "the keys of a ring file, without what is secret",
     .options = CLI_KEYS,
     .secrets = true,
     .run = cli_key_list,
     .help = "Purpose, version, state and algorithm of each key.\n\n" KEYS_HELP},
    {.name = "secret set",
     .arguments = "FILE NAME --keys RING",
     .summary = "store the value that standard input gives",
     .too_many = "a value is not given as an argument, where other processes and the shell's "
                 "history show it; give it on standard input: brant secret set FILE NAME --keys "
                 "RING < value.txt, or call it on a terminal and be asked",
     .least = 2,
     .most = 2,
     .options = CLI_KEYS | CLI_GRAPH | CLI_DESCRIPTION,
     .secrets = true,
     .run = cli_secret_set,
     .help =
         "Stores a secret, encrypted with the active key of the ring; one of that name is "
         "replaced, its description\nand other attributes stay. The value comes from standard "
         "input; on a terminal it is asked for twice,\nwithout echo.\n\n"
         "The value is UTF-8 text of any lines; one newline at its end is dropped, an empty one "
         "is refused (it is\nmostly a pipe that failed: --json takes '\"\"'). What is no text is "
         "encoded first: base64 < key.bin | brant\nsecret set ..\n\n"
         "The graph \"secrets\" (of the graph type secret) is made by the first set; --create also "
         "makes the file.\nSays \"created\" or \"updated\" on standard error.\n\n"
         "  --description TEXT   what it is, readable without keys; an empty one removes it\n"
         "  --json               the value is JSON of any kind but null, not text\n" GRAPH_HELP
             KEYS_HELP},
    {.name = "secret get",
     .arguments = "FILE NAME --keys RING",
     .summary = "print a value",
     .least = 2,
     .most = 2,
     .options = CLI_KEYS | CLI_GRAPH,
     .secrets = true,
     .run = cli_secret_get,
     .help =
         "A text is printed byte by byte as it was stored, other JSON as JSON; a newline "
         "follows on a terminal only,\nwhere control characters are shown as ?.\n\n"
         "  --json               a text too is printed as JSON, in a line\n" GRAPH_HELP KEYS_HELP},
    {.name = "secret list",
     .arguments = "FILE",
     .summary = "names and key versions; needs no keys",
     .least = 1,
     .most = 1,
     .options = CLI_KEYS | CLI_GRAPH,
     .run = cli_secret_list,
     .help = "Name, key version (as a table: plain, for one that is not encrypted yet), "
             "description and the time of the\nlast change; as JSON an array of {name, "
             "key_version, description, updated_at}, where key_version 0 is plain.\n\n" GRAPH_HELP},
    {.name = "secret delete",
     .arguments = "FILE NAME",
     .summary = "delete a secret; needs no keys",
     .least = 2,
     .most = 2,
     .options = CLI_KEYS | CLI_GRAPH | CLI_YES,
     .run = cli_secret_delete,
     .help = "Asks before on a terminal. A secret that edges lead to or from (who may use it) is "
             "not deleted: CONSTRAINT.\n\n"
             "  --yes                do not ask; needed where there is no terminal\n" GRAPH_HELP},
    {.name = "secret rotate",
     .arguments = "FILE --keys RING",
     .summary = "bring all secrets to the active key",
     .least = 1,
     .most = 1,
     .options = CLI_KEYS | CLI_GRAPH,
     .secrets = true,
     .run = cli_secret_rotate,
     .help =
         "Encrypts again whatever an older key of the ring sealed, and what is stored plain where "
         "its type wants it\nencrypted: all encrypted attributes of all graphs of the file, not "
         "those of the graph type secret alone.\nOthers read and write meanwhile. It can be "
         "stopped at any time and goes on where it was when it is called\nagain.\n\n"
         "Progress on standard error; at the end how many secrets each key version has. What no "
         "key of the ring\nopens is left as it is and told; the exit code is then that of the "
         "first such error. BUSY: a reader\nkept the file from being freed of what was plain.\n\n"
         "  --graph NAME         this graph alone; default: all of the file\n" KEYS_HELP},
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
