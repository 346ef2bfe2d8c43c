/*
 * cli/mcp.c: `brant mcp`: its options, the file or hub, the API key.
 *
 * A key never is an argument, which other processes see: a file that only its owner may read, or the environment's BRANT_API_KEY.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "mcp/mcp.h"

const cli_option cli_mcp_options[] = {
    {.name = "--hub",
     .value = "FOLDER",
     .help = "a hub instead of FILE: the key says whose file of it"},
    {.name = "--import",
     .value = "JSONL",
     .help = "profile memory: take in the reference memory server's file before"},
    {.name = "--key-file",
     .value = "FILE",
     .help = "the agent's API key, in a file that only its owner may read; default: BRANT_API_KEY"},
    {.name = "--max-tokens",
     .value = "N",
     .help = "of one answer, some 4 bytes each; default 10000"},
    {.name = "--profile",
     .value = "NAME",
     .help = "what the server is; default: operations as tools",
     .choices = "default memory"},
    {.name = "--scopes",
     .value = "LIST",
     .help = "without a key: what the agent may; default *:read"},
    {.name = "--tools",
     .value = "LIST",
     .help = "operations, namespaces, patterns; default: default,meta"},
    {.name = "--write", .help = "without a key: graphs, queues, streams and events may be written"},
    {.name = NULL},
};

typedef struct arguments {
    const char *file, *hub, *key_file, *import, *profile, *tokens;
    mcp_options options;
} arguments;

static int read_arguments(arguments *out, const cli_arguments *given) {
    const struct {
        const char *name;
        const char **value;
    } texts[] = {
        {"--hub", &out->hub},
        {"--import", &out->import},
        {"--key-file", &out->key_file},
        {"--max-tokens", &out->tokens},
        {"--profile", &out->profile},
        {"--scopes", &out->options.scopes},
        {"--tools", &out->options.tools},
    };
    const cli_style *style = &given->style;

    for (int i = 0; i < given->own_count; i++) {
        const char *name = given->own[i].option->name;
        if (strcmp(name, "--write") == 0) out->options.write = true;
        for (size_t at = 0; at < sizeof texts / sizeof *texts; at++)
            if (strcmp(texts[at].name, name) == 0) *texts[at].value = given->own[i].value;
    }
    out->file = given->count > 0 ? given->rest[0] : NULL;
    out->options.graph = given->graph;
    if (out->tokens) {
        char *end = NULL;
        const unsigned long long tokens = strtoull(out->tokens, &end, 10);
        if (end == out->tokens || *end || tokens < MCP_TOKENS_MIN || tokens > 10000000)
            return cli_wrong_usage(style, "--max-tokens wants 200 to 10000000, not", out->tokens);
        out->options.max_tokens = (size_t)tokens;
    }
    out->options.memory = out->profile && strcmp(out->profile, "memory") == 0;
    if (!out->file == !out->hub)
        return cli_wrong_usage(style, "mcp wants a file, or --hub FOLDER", NULL);
    if (out->options.memory && out->options.tools)
        return cli_wrong_usage(style, "--tools is not for --profile memory", NULL);
    if (!out->options.memory && (out->options.graph || out->import))
        return cli_wrong_usage(style, "--graph and --import are for --profile memory", NULL);
    if (out->import && out->hub)
        return cli_wrong_usage(style, "--import is for a file, not for --hub", NULL);
    return 0;
}

/* The key without white space around it; its length 0: there is none. */
static int read_key(cli_text *out, const cli_style *style, const char *path) {
    const char *given = getenv("BRANT_API_KEY");
    size_t from = 0;

    *out = (cli_text){0};
    if (path) {
        const int exit_code = cli_private_read(out, style, "file of an API key", path);
        if (exit_code != 0) return exit_code;
    } else if (given) {
        *out = (cli_text){.data = cli_copy(given, strlen(given)), .length = strlen(given)};
    } else {
        return 0;
    }
    while (out->length > 0 && strchr(" \t\r\n", out->data[out->length - 1]))
        out->length--;
    while (from < out->length && strchr(" \t\r\n", out->data[from]))
        from++;
    out->length -= from;
    memmove(out->data, out->data + from, out->length);
    return out->length > 0 ? 0 : cli_fail(style, BRANT_INVALID, "the API key is empty");
}

static void print_line(void *context, const char *json, size_t length) {
    FILE *out = context;

    fwrite(json, 1, length, out);
    fputc('\n', out);
    if (fflush(out) == 0) return;
    /* Nobody hears the server any more. What runs is rolled back, as when it is killed. */
    fprintf(stderr, "brant: standard output cannot be written: %s\n", strerror(errno));
    _exit(BRANT_IO);
}

static int import_memory(brant_db *db, const arguments *given, const cli_style *style) {
    yyjson_mut_doc *input =
        mcp_input("graph", given->options.graph ? given->options.graph : "memory", "format",
                  "memory", "path", given->import, NULL);
    yyjson_doc *answer = NULL;
    brant_status status;

    yyjson_mut_obj_add_bool(input, yyjson_mut_doc_get_root(input), "create", true);
    status = mcp_ask(&answer, db, "graphs.import", input);
    if (status == BRANT_OK) {
        yyjson_val *root = yyjson_doc_get_root(answer);
        fprintf(stderr, "brant: imported %lld entities and %lld relations\n",
                (long long)yyjson_get_sint(yyjson_obj_get(root, "nodes")),
                (long long)yyjson_get_sint(yyjson_obj_get(root, "edges")));
    }
    yyjson_doc_free(answer);
    yyjson_mut_doc_free(input);
    return status == BRANT_OK ? 0 : cli_print_error(style);
}

/* The ring of --keys or BRANT_KEYS: encrypted attributes, and keys that are kept with a pepper. */
static int load_keys(brant_db *db, brant_hub *hub, const cli_arguments *given) {
    const char *path = given->keys ? given->keys : getenv("BRANT_KEYS");
    cli_text ring = {0};
    int exit_code;

    if (db) return cli_load_keys(db, given, NULL);
    if (!path || !*path) return 0;
    exit_code = cli_ring_read(&ring, &given->style, path);
    if (exit_code == 0 && brant_hub_keyring_load(hub, ring.data, ring.length) != BRANT_OK)
        exit_code = cli_print_error(&given->style);
    cli_text_free(&ring);
    return exit_code;
}

int cli_mcp_command(const cli_arguments *words) {
    static const char mode[] = "{\"mode\":\"rw\"}";
    arguments given = {0};
    mcp_server *server = NULL;
    brant_db *db = NULL;
    brant_hub *hub = NULL;
    brant_status status;
    cli_text key = {0};
    int exit_code = read_arguments(&given, words);

    if (exit_code == 0) exit_code = read_key(&key, &words->style, given.key_file);
    if (exit_code == 0 && given.hub && key.length == 0)
        exit_code = cli_wrong_usage(
            &words->style, "a hub wants an API key: --key-file FILE, or BRANT_API_KEY", NULL);
    if (exit_code == 0 && key.length > 0 && (given.options.write || given.options.scopes))
        exit_code = cli_wrong_usage(
            &words->style,
            "a key says what the agent may; --write and --scopes are for one without", NULL);
    if (exit_code != 0) {
        cli_text_free(&key);
        return exit_code;
    }
    signal(SIGPIPE, SIG_IGN);
    /* A folder that is not there has no keys. */
    if (!given.hub)
        exit_code = cli_open(&db, words, given.file);
    else if (brant_hub_open(&hub, given.hub, strlen(given.hub), mode, sizeof mode - 1) != BRANT_OK)
        exit_code = cli_print_error(&words->style);
    if (exit_code == 0) exit_code = load_keys(db, hub, words);
    if (exit_code == 0 && given.import) exit_code = import_memory(db, &given, &words->style);
    if (exit_code == 0) {
        /* A memory is there to be written, unless a key or --scopes says otherwise. */
        if (given.options.memory && !words->read_only) given.options.write = true;
        status = mcp_server_new(&server, db, hub, key.length ? key.data : NULL, key.length,
                                &given.options, print_line, stdout);
        if (status == BRANT_INVALID && given.options.tools && brant_last_error()->code == BRANT_OK)
            exit_code = cli_wrong_usage(
                &words->style,
                "--tools has a word that is no operation, namespace or pattern of them:",
                given.options.tools);
        else if (status != BRANT_OK)
            exit_code = cli_print_error(&words->style);
    }
    cli_text_free(&key);
    if (exit_code == 0) exit_code = mcp_serve(server, STDIN_FILENO);
    mcp_server_free(server);
    brant_close(db);
    brant_db_free(db);
    brant_hub_close(hub);
    brant_hub_free(hub);
    return exit_code;
}
