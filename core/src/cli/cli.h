/*
 * cli/cli.h: the brant command. It stands on the public headers and the registry alone; what an operation takes and answers it learns from
 * the specs.
 *
 * Secrets reach it through standard input, the terminal and key ring files, never through arguments or the environment. Whatever may hold one is in
 * the memory of memory.c, which wipes what it gives back.
 */
#ifndef BRANT_CLI_H
#define BRANT_CLI_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>
#include <yyjson.h>

#include "brant.h"

#define EXIT_USAGE                                                                                 \
    64 /* sysexits.h's EX_USAGE; other failures exit with the number of their status, 1..29 */

typedef struct cli_style {
    bool color;
    bool table;       /* a readable table instead of JSON */
    const char *help; /* the words of the command, whose help tells more; NULL: brant's */
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

/* ---- clock.c ---------------------------------------------------------------------------------------------------- */

int64_t cli_now(void);       /* ms since 1970 */
int64_t cli_monotonic(void); /* ms since some moment; nobody sets it */

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

/* An option of one command, of its own or a member of its operation's input. */
typedef struct cli_option {
    const char *name;    /* "--order-by" */
    const char *value;   /* "TEXT": what follows it; NULL: nothing does */
    const char *help;    /* a line */
    const char *choices; /* "asc desc", or NULL */
    yyjson_val *
        schema; /* of a member: its schema, its name and, where it is inside another member, that one's name */
    const char *member, *inside;
} cli_option;

typedef struct cli_given {
    const cli_option *option;
    const char *value; /* "" of a flag */
} cli_given;

typedef struct cli_command cli_command;

typedef struct cli_arguments {
    cli_style style;
    bool create, read_only, json, yes, help, version;
    const char *options, *keys, *graph, *description, *purpose, *org, *as;
    unsigned given;  /* of the options above */
    int64_t timeout; /* ms, up to CLI_TIMEOUT_MAX; -1: none */
    int count;       /* what is no option: the command's words and its arguments */
    char **rest;     /* free() */
    int own_count;   /* the options of the command itself, as often as they were given */
    cli_given *own;  /* free() */
    const cli_command *command;
} cli_arguments;

/* Returns 0, or EXIT_USAGE when it has said what is wrong. */
int cli_arguments_read(cli_arguments *out, int count, char **values);
/* The value of an option of the command itself ("" of a flag), the last one given, or NULL. */
const char *cli_own(const cli_arguments *arguments, const char *name);
/* Says what is wrong with the arguments; returns EXIT_USAGE. */
int cli_wrong_usage(const cli_style *style, const char *what, const char *argument);
/* The same before a command is known: the help of these words (a command, a group; NULL: of brant)
 * tells more. */
int cli_wrong_usage_of(const cli_style *style, const char *words, const char *what,
                       const char *argument);

/* Give `offer` the options that commands share, and those of the enum that this one takes. */
void cli_offer_common(void (*offer)(const char *present, const char *word, const char *description),
                      const char *present, const cli_command *command);
/* "--graph" for CLI_GRAPH; of several, one. */
const char *cli_option_name(unsigned given);
/* What the help of a command that has its own says of them. */
#define CLI_KEYS_HELP                                                                              \
    "  --keys RING          the key ring's file, which only its owner may read; default: the\n"    \
    "                       environment's BRANT_KEYS. A pipe is fine: --keys <(sops -d ring)\n"
#define CLI_GRAPH_HELP "  --graph NAME         a graph with secrets of its own; default: secrets\n"

/* ---- command*.c ------------------------------------------------------------------------------------------------- */

/*
 * A command is a name with a function, its arguments and options. Most call one operation: cli_operation does all that they need, and the row says how.
 */
struct cli_command {
    const char *name; /* "secret set" */
    int least, most;  /* of its arguments; of a command with `words` these follow from them */
    unsigned options; /* those of the enum that it takes */
    bool secrets;     /* secrets or keys pass through it */
    int (*run)(const cli_arguments *); /* rest begins after the name; NULL: cli_operation */
    const char *arguments;             /* "FILE NAME --keys RING"; NULL: from `words` */
    const char *summary;
    bool hidden;           /* in no list: what scripts of ours call */
    const char *too_many;  /* what to say instead when there are more than `most`, or NULL */
    const char *help;      /* paragraphs and options, without the first line; may be NULL */
    const cli_option *own; /* options of its own, ends with a name that is NULL; may be NULL */

    /* ---- of a command that calls an operation ---- */
    const char *operation; /* members of its input but `words` and `without` are options */
    const char *words;    /* members that follow FILE: "graph key [attributes=]"; see operation.c */
    const char *without;  /* members that are no options */
    const char *fixed;    /* members that are always so, as JSON: "{\"state\": \"dead\"}" */
    const char *columns;  /* that a table shows: "key type node.key"; NULL: all members */
    const char *question; /* asked on a terminal before it is called, elsewhere --yes is needed */
};

/* Commands, by name, that begin with one word. */
typedef struct cli_group {
    const char *name;            /* "queue"; NULL: of the commands of one word */
    const cli_command *commands; /* ends with a name that is NULL */
} cli_group;

extern const cli_command cli_access_commands[], cli_account_commands[], cli_api_key_commands[],
    cli_audit_commands[], cli_channel_commands[], cli_consumer_commands[], cli_edge_commands[],
    cli_graph_commands[], cli_graph_type_commands[], cli_index_commands[], cli_job_commands[],
    cli_key_commands[], cli_lock_commands[], cli_node_commands[], cli_org_commands[],
    cli_queue_commands[], cli_rate_limit_commands[], cli_schedule_commands[], cli_secret_commands[],
    cli_stream_commands[], cli_tenant_commands[];
/* That of the commands of one word, then the others by name; ends with commands that are NULL. */
extern const cli_group cli_groups[];
/* NULL: no group has that name. */
const cli_group *cli_group_find(const char *name);
/* The command that the words begin with, and how many of them name it; NULL. */
const cli_command *cli_command_find(int *out_words, int count, char **words);
/* The word that a mistyped one is nearest to: the last of a group's names, or the first of any; NULL: none is near. */
const char *cli_command_near(const cli_group *group, const char *word);
/* Is a name nearer to a mistyped word than those before? *least begins as 0. */
bool cli_nearer(size_t *least, const char *word, const char *name, size_t length);

int cli_audit_export(const cli_arguments *arguments);
int cli_audit_verify(const cli_arguments *arguments);
int cli_backup_command(const cli_arguments *arguments);
int cli_complete_command(const cli_arguments *arguments);
int cli_completion_command(const cli_arguments *arguments);
int cli_doctor_command(const cli_arguments *arguments);
int cli_draw_command(const cli_arguments *arguments); /* exchange.c */
int cli_export_command(const cli_arguments *arguments);
/* What the rows of these two have in common. */
#define CLI_EXPORT_ROW                                                                             \
    .operation = "graphs.export", .words = "graph", .without = "limit",                            \
    .arguments = "FILE GRAPH [TARGET]", .least = 2, .most = 3, .own = cli_export_options
extern const cli_option cli_export_options[];
int cli_import_command(const cli_arguments *arguments);
int cli_lock_run(const cli_arguments *arguments);
int cli_manual_command(const cli_arguments *arguments);
int cli_migrate_command(const cli_arguments *arguments);
int cli_restore_command(const cli_arguments *arguments);
int cli_status_command(const cli_arguments *arguments);
int cli_table_command(const cli_arguments *arguments);
int cli_watch_command(const cli_arguments *arguments);
int cli_call_command(const cli_arguments *arguments);
int cli_info_command(const cli_arguments *arguments);
int cli_mcp_command(const cli_arguments *arguments); /* mcp.c */
extern const cli_option cli_mcp_options[];
int cli_ops_command(const cli_arguments *arguments);
int cli_secret_rotate(const cli_arguments *arguments);
int cli_sql_command(const cli_arguments *arguments);
int cli_view_command(const cli_arguments *arguments);

/* ---- options.c ---------------------------------------------------------------------------------------------------- */

/* The specification of an operation in the registry, NULL: there is none. It lives as long as the process. */
yyjson_val *cli_spec(const char *operation);
yyjson_val *cli_specs(void); /* all, by name */
/* A member's schema, behind its $ref. NULL: the operation has no such member. */
yyjson_val *cli_member(const char *operation, const char *member);
/* Does it answer pages of items? */
bool cli_is_list(const char *operation);
char *cli_choices(yyjson_val *schema); /* "asc desc" of an enum, free(); NULL: it is none */
/* All options of a command itself, ends with a name that is NULL. They live as long as the process. */
const cli_option *cli_options(const cli_command *command);
/* How many arguments a command takes; *most is INT_MAX where it takes any number. */
void cli_command_counts(const cli_command *command, int *least, int *most);
/* "FILE GRAPH KEY [NAME=TEXT | NAME:=JSON]...": into a buffer. */
void cli_command_arguments(char *out, size_t size, const cli_command *command);
/* The next word of a row's list, such as "[attributes=]": its name, and what stands around it. False: there are no more. */
typedef struct cli_word {
    char name[64];
    bool optional, many, pairs, hidden;
} cli_word;
bool cli_word_next(cli_word *out, const char **list);

/* ---- value.c ------------------------------------------------------------------------------------------------------ */

/*
 * A text as a value that the schema wants: text as it is, numbers, true and false, durations (500ms, 30s, 5m, 2h, 7d) and times (now, +5m, -1h, 2026-01-31T12:00, with
 * Z in UTC, or ms) where the member is one, other members as JSON. Returns 0, or the exit code when it has said what is wrong; `what` names it then.
 */
int cli_value(yyjson_mut_val **out, yyjson_mut_doc *document, const cli_style *style,
              yyjson_val *schema, const char *what, const char *text);
/* NAME=TEXT and NAME:=JSON words as an object; or one JSON value, or - for that of standard input. */
int cli_pairs(yyjson_mut_val **out, yyjson_mut_doc *document, const cli_style *style, int count,
              char **words, const char *what);
/* A field as filters and orders name it: what is no field of nodes and edges is an attribute of theirs. A text
 * that is too long for one is as it is. */
yyjson_mut_val *cli_field(yyjson_mut_doc *document, const char *text, size_t length);
/* "effort >= 3" as a filter {"attributes.effort": {"$gte": 3}}, as graph.h says; `fields` may stand alone ("type=Task"), others are attributes. */
int cli_where(yyjson_mut_val **out, yyjson_mut_doc *document, const cli_style *style,
              const char *condition);

/* ---- names.c ------------------------------------------------------------------------------------------------------ */

/*
 * The names that a file has for a member of an operation's input: graphs for "graph", nodes for "key" of nodes.* and so on, at most 200 that begin with `prefix`, as an answer with
 * {"items"}; which of their members is the name and which tells more. NULL: there are none, or they cannot be read; nothing is said about that.
 */
yyjson_doc *cli_names(const char **name, const char **description, brant_db *db,
                      const cli_arguments *arguments, const char *member, const char *prefix);
/* After NOT_FOUND: was a name in the arguments mistyped? Says which one may be meant. */
void cli_suggest(brant_db *db, const cli_arguments *arguments);

/* ---- operation.c -------------------------------------------------------------------------------------------------- */

/* The file open, with keys and signals, and the input made, or nothing of it: for commands that call their row's operation in a way of their own. */
int cli_operation_begin(brant_db **db, yyjson_mut_doc **input, const cli_arguments *arguments);
/* Run a command that is a row about an operation. */
int cli_operation(const cli_arguments *arguments);

/* ---- progress.c --------------------------------------------------------------------------------------------------- */

typedef struct cli_progress {
    bool terminal, drawn;
    const char *unit; /* "rows", "bytes" */
    int64_t started_at, shown_at;
} cli_progress;
void cli_progress_start(cli_progress *self, const char *unit);
/* Called as often as one likes. A total of 0: nobody knows. */
void cli_progress_show(cli_progress *self, int64_t done, int64_t total);
void cli_progress_clear(cli_progress *self);

/* The same by a thread, while one call runs: it looks at what is written beside `path` (PATH.part-*), or says how long it has taken (NULL). */
typedef struct cli_progress_thread {
    cli_progress progress;
    const char *path;
    int64_t total;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool running, done;
} cli_progress_thread;
void cli_progress_begin(cli_progress_thread *self, const char *path, int64_t total);
void cli_progress_end(cli_progress_thread *self);

/* ---- follow.c ----------------------------------------------------------------------------------------------------- */

/*
 * Print what a subscription yields, as it comes: lines of JSON, or of time and text. The input is given up. Ends with the subscription, with --timeout or a signal. Returns the
 * exit code.
 */
int cli_follow(brant_db *db, const cli_arguments *arguments, const char *operation,
               yyjson_mut_doc *input);
/* One item, under a name (NULL: none), as cli_follow prints it. */
void cli_follow_item(const cli_style *style, const char *name, yyjson_val *item);
int cli_follow_text(brant_db *db, const cli_arguments *arguments, const char *operation,
                    const char *json, size_t length);

/* ---- file.c ------------------------------------------------------------------------------------------------------- */

/* Open a file as the options say. Returns 0, or the exit code when it has said what is wrong. */
int cli_open(brant_db **out, const cli_arguments *arguments, const char *path);
void cli_close(brant_db *db);
/* Ask before something is destroyed: 0 to go on, or the exit code when it has said why not. */
int cli_confirm(const cli_arguments *arguments, const char *question);
/* Give a handle the ring of --keys or BRANT_KEYS; without one: nothing, or wrong usage where the command needs it. */
int cli_load_keys(brant_db *db, const cli_arguments *arguments, const char *who_needs);
/* From now on SIGINT and SIGTERM interrupt the handle's calls, and --timeout counts. */
void cli_watch(brant_db *db, const cli_arguments *arguments);
bool cli_stopped(void); /* by such a signal */
/* Around a wait without end, which a signal that came just before it must end too. */
void cli_waits(bool now);

/*
 * Call an operation with a document, which is given up. Returns 0 with the answer, or the exit code when it has said what is wrong; nothing is said
 * where the status is `expected` (BRANT_OK: none is).
 */
int cli_ask(yyjson_doc **out, brant_db *db, const cli_style *style, const char *operation,
            yyjson_mut_doc *input, brant_status expected);
yyjson_mut_doc *cli_input(void);                          /* an empty object to fill */
int64_t cli_number(yyjson_val *object, const char *name); /* a member of an answer; 0: none */
/* The JSON text of a document, which is given up; cli_free. Returns 0, or the exit code when it has said what is wrong. */
int cli_input_text(char **out, size_t *out_length, const cli_style *style, yyjson_mut_doc *input);

/* ---- ring_file.c -------------------------------------------------------------------------------------------------- */

/* The text of a key ring. Refused when others can read the file. Returns 0 or the exit code, having said what is wrong. */
int cli_ring_read(cli_text *out, const cli_style *style, const char *path);
/* The same of another file that only its owner may read; `kind` names it in messages. */
int cli_private_read(cli_text *out, const cli_style *style, const char *kind, const char *path);

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
void cli_print_answer(FILE *out, const cli_style *style, yyjson_val *answer);
/* The same of a document, which is given up. */
void cli_print_document(FILE *out, const cli_style *style, yyjson_mut_doc *document);
/*
 * Rows of a list as they come, page after page: lines of JSON, or tables of these columns (NULL: the members of the first) with one header. `shown` begins as 0.
 */
void cli_print_items(FILE *out, const cli_style *style, yyjson_val *items, const char *columns,
                     size_t *shown);
/* Arrays of one length beside each other: {"keys": [..], "scores": [..]}. */
void cli_print_arrays(FILE *out, const cli_style *style, yyjson_val *root, const char *columns);
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

/* ---- exchange.c --------------------------------------------------------------------------------------------------- */

/*
 * The text that the row's operation answers page by page, to a file (that is there whole or not at all) or standard output (NULL, "-"). The input is given up; it has the
 * limit of a page. Progress is told of `total` items (0: nobody knows). Returns the exit code.
 */
int cli_text_pages(brant_db *db, const cli_arguments *arguments, yyjson_mut_doc *input,
                   const char *path, bool overwrite, int64_t page, int64_t total);

/* ---- help.c ------------------------------------------------------------------------------------------------------- */

extern const char cli_options_help[]; /* of the options that every command takes */

/* All operations, or those of a namespace, or one in detail. Returns an exit code. */
int cli_operations(const cli_style *style, const char *wanted);
/* Says which operation a mistyped name may mean, if one is near. */
void cli_suggest_operation(const char *name);
void cli_usage(FILE *out, const cli_style *style);
void cli_exit_codes(FILE *out, const cli_style *style); /* one a line, with what it says */
/* The help of one command, or of all commands of a group. */
void cli_command_help(FILE *out, const cli_style *style, const cli_command *command);
void cli_group_help(FILE *out, const cli_style *style, const cli_group *group);

#endif
