/*
 * cli/cli.h: the brant command. It stands on the public headers and the registry alone; what an operation takes and answers it learns from
 * the specs.
 *
 * Secrets reach it through standard input, the terminal and key ring files, never through arguments or the environment. Whatever may hold one is in
 * the memory of memory.c, which wipes what it gives back.
 */
#ifndef BRANT_CLI_H
#define BRANT_CLI_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>
#include <yyjson.h>

#include "brant.h"

#define EXIT_USAGE                                                                                 \
    64 /* sysexits.h's EX_USAGE; other failures exit with the number of their status, 1..29 */

typedef struct cli_style {
    bool color;
    bool table; /* a readable table instead of JSON */
} cli_style;

/* ---- memory.c --------------------------------------------------------------------------------------------------- */

/* Memory that is wiped before it is given back, also when it grows. Out of memory ends the process. */
void *cli_alloc(size_t size);
void *cli_grow(void *memory, size_t size);
char *cli_copy(const char *text, size_t length); /* NUL-terminated */
void cli_free(void *memory);
void cli_wipe(void *memory, size_t size); /* zeros that no compiler leaves out */
extern const yyjson_alc cli_json;         /* the same memory, for documents */

typedef struct cli_text {
    char *data; /* NUL-terminated; cli_text_free */
    size_t length;
} cli_text;
void cli_text_free(cli_text *text);
/* All that a descriptor gives, past stdio's buffers. False: errno says why, EOVERFLOW for more than `most` bytes. */
bool cli_read(cli_text *out, int descriptor, size_t most);
bool cli_write(int descriptor, const char *bytes, size_t length);
/* No core dumps, and no other process of the user that looks into this one. */
void cli_hide_memory(void);

/* ---- arguments.c ------------------------------------------------------------------------------------------------ */

#define CLI_TIMEOUT_MAX                                                                            \
    ((int64_t)1 << 53) /* far from the end of an int64_t, also when the time of day is added */

/* Options that only some commands take. */
enum {
    CLI_KEYS = 1,
    CLI_GRAPH = 2,
    CLI_DESCRIPTION = 4,
    CLI_PURPOSE = 8,
    CLI_YES = 16,
};

typedef struct cli_arguments {
    cli_style style;
    bool create, read_only, json, yes, help, version;
    const char *options, *keys, *graph, *description, *purpose;
    unsigned given;  /* of the options above */
    int64_t timeout; /* ms, up to CLI_TIMEOUT_MAX; -1: none */
    int count;       /* what is no option: the command's words and its arguments */
    char **rest;     /* free() */
} cli_arguments;

/* Returns 0, or EXIT_USAGE when it has said what is wrong. */
int cli_arguments_read(cli_arguments *out, int count, char **values);
/* Says what is wrong with the arguments; returns EXIT_USAGE. */
int cli_wrong_usage(const cli_style *style, const char *what, const char *argument);

/* "--graph" for CLI_GRAPH; of several, one. */
const char *cli_option_name(unsigned given);

/* ---- command.c -------------------------------------------------------------------------------------------------- */

typedef struct cli_command {
    const char *name;                  /* "secret set" */
    int least, most;                   /* of its arguments */
    unsigned options;                  /* those of the enum that it takes */
    bool secrets;                      /* secrets or keys pass through it */
    int (*run)(const cli_arguments *); /* rest begins after the name */
    const char *arguments;             /* "FILE NAME --keys RING" */
    const char *summary;
    const char *too_many; /* what to say instead when there are more than `most`, or NULL */
    const char *help;     /* paragraphs and options, without the first line */
} cli_command;

extern const cli_command cli_commands[]; /* ends with a name that is NULL */
/* The command that the words begin with, and how many of them name it; NULL. */
const cli_command *cli_command_find(int *out_words, int count, char **words);
/* Does a command of two words begin so? */
bool cli_command_group(const char *word);

int cli_call_command(const cli_arguments *arguments);
int cli_info_command(const cli_arguments *arguments);
int cli_key_generate(const cli_arguments *arguments);
int cli_key_list(const cli_arguments *arguments);
int cli_ops_command(const cli_arguments *arguments);
int cli_secret_delete(const cli_arguments *arguments);
int cli_secret_get(const cli_arguments *arguments);
int cli_secret_list(const cli_arguments *arguments);
int cli_secret_rotate(const cli_arguments *arguments);
int cli_secret_set(const cli_arguments *arguments);
int cli_sql_command(const cli_arguments *arguments);

/* ---- file.c ------------------------------------------------------------------------------------------------------- */

/* Open a file as the options say. Returns 0, or the exit code when it has said what is wrong. */
int cli_open(brant_db **out, const cli_arguments *arguments, const char *path);
void cli_close(brant_db *db);
/* Give a handle the ring of --keys or BRANT_KEYS; without one: nothing, or wrong usage where the command needs it. */
int cli_load_keys(brant_db *db, const cli_arguments *arguments, const char *who_needs);
/* From now on SIGINT and SIGTERM interrupt the handle's calls, and --timeout counts. */
void cli_watch(brant_db *db, const cli_arguments *arguments);
bool cli_stopped(void); /* by such a signal */

/*
 * Call an operation with a document, which is given up. Returns 0 with the answer, or the exit code when it has said what is wrong; nothing is said
 * where the status is `expected` (BRANT_OK: none is).
 */
int cli_ask(yyjson_doc **out, brant_db *db, const cli_style *style, const char *operation,
            yyjson_mut_doc *input, brant_status expected);
yyjson_mut_doc *cli_input(void); /* an empty object to fill */

/* ---- ring_file.c -------------------------------------------------------------------------------------------------- */

/* The text of a key ring. Refused when others can read the file. Returns 0 or the exit code, having said what is wrong. */
int cli_ring_read(cli_text *out, const cli_style *style, const char *path);

/* A ring file that is being changed: nobody else changes it meanwhile. */
typedef struct cli_ring_file {
    char *path;     /* where it really is, behind links */
    int descriptor; /* locked; -1: there is no such file yet */
    mode_t mode;
} cli_ring_file;
/* Opens and locks; `text` is empty where there is no file. cli_ring_close, also after a failure. */
int cli_ring_open(cli_ring_file *out, cli_text *text, const cli_style *style, const char *path);
/* Replaces the file as a whole, or makes it; after a crash there is the old or the new one. */
int cli_ring_replace(const cli_ring_file *ring, const cli_style *style, const cli_text *text);
void cli_ring_close(cli_ring_file *ring);

/* ---- prompt.c ----------------------------------------------------------------------------------------------------- */

/* Ask twice on the terminal of standard input, without echo. Returns 0 or the exit code, having said what is wrong. */
int cli_prompt_secret(cli_text *out, const cli_style *style, const char *prompt);
/* Ask on the terminal; true for y or yes. */
bool cli_prompt_yes(const char *question);

/* ---- print.c ---------------------------------------------------------------------------------------------------- */

/* One answer: a table or aligned members, or a line of JSON. */
void cli_print(FILE *out, const cli_style *style, const char *json, size_t length);
/* The same of a document, which is given up. */
void cli_print_document(FILE *out, const cli_style *style, yyjson_mut_doc *document);
/* One line of compact JSON. */
void cli_print_line(FILE *out, const char *json, size_t length);
/* A name as it can be shown: no control characters. */
void cli_print_name(FILE *out, const char *name);
/* The thread's error record on standard error; returns the exit code. */
int cli_print_error(const cli_style *style);
/* An error of the command's own, in the same form; returns the exit code. */
int cli_fail(const cli_style *style, brant_status code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* `text` between the codes of a colour name ("bold", "dim", "red", "green", "yellow", "blue", "cyan"), where the style has colour. */
const char *cli_on(const cli_style *style, const char *name);
const char *cli_off(const cli_style *style);

/* ---- help.c ------------------------------------------------------------------------------------------------------- */

/* All operations, or those of a namespace, or one in detail. Returns an exit code. */
int cli_operations(const cli_style *style, const char *wanted);
void cli_usage(FILE *out, const cli_style *style);
/* The help of one command, or of all commands that begin with a word. */
void cli_command_help(FILE *out, const cli_style *style, const cli_command *command);
void cli_group_help(FILE *out, const cli_style *style, const char *word);

#endif
