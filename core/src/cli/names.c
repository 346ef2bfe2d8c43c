/*
 * cli/names.c: the names that a file has: for completion, and for what may be meant by a mistyped one.
 */
#include "cli.h"

#include <string.h>

#define NAMES_MOST 200

/* Whose names a member of an operation's input takes. */
static const struct {
    const char *space, *member, *operation, *name, *description;
} names[] = {
    {"nodes", "key", "nodes.list", "key", "type"},
    {"nodes", "keys", "nodes.list", "key", "type"},
    {"edges", "key", "edges.list", "key", "type"},
    {"edges", "source", "nodes.list", "key", "type"},
    {"edges", "target", "nodes.list", "key", "type"},
    {"graphs", "source", "nodes.list", "key", "type"},
    {"graphs", "target", "nodes.list", "key", "type"},
    {"graphs", "name", "graphs.list", "name", "graph_type"},
    {"graph_types", "name", "graph_types.list", "name", "scope"},
    {"locks", "name", "locks.list", "name", "owner"},
    {"schedules", "name", "schedules.list", "name", "spec"},
    {"rate_limits", "name", "rate_limits.list", "name", "kind"},
    {"accounts", "id", "accounts.list", "id", "email"},
    {"organizations", "id", "organizations.list", "id", "slug"},
    {"api_keys", "id", "api_keys.list", "id", "name"},
    {"invitations", "id", "invitations.list", "id", "email"},
    {NULL, "account_id", "accounts.list", "id", "email"},
    {NULL, "owner_id", "accounts.list", "id", "email"},
    {NULL, "org_id", "organizations.list", "id", "slug"},
    {NULL, "graph", "graphs.list", "name", "graph_type"},
    {NULL, "graph_type", "graph_types.list", "name", "scope"},
    {NULL, "queue", "queues.list", "queue", "state"},
    {NULL, "stream", "streams.list", "stream", ""},
    {NULL, "consumer", "consumers.list", "consumer", "kind"},
};

/* {"graph"?, "stream"?, "prefix"?, "limit"?}, as far as the listing operation takes them. */
static yyjson_mut_doc *input_of(const cli_arguments *arguments, const char *operation,
                                const char *prefix) {
    static const char *const of_first[] = {"graph", "stream"}; /* what names are within */
    yyjson_mut_doc *input = cli_input();
    yyjson_mut_val *root = yyjson_mut_doc_get_root(input);
    for (size_t i = 0; i < sizeof of_first / sizeof *of_first; i++)
        if (cli_member(operation, of_first[i]) && arguments->count > 1)
            yyjson_mut_obj_add_str(input, root, of_first[i], arguments->rest[1]);
    if (*prefix && cli_member(operation, "prefix"))
        yyjson_mut_obj_add_str(input, root, "prefix", prefix);
    if (cli_member(operation, "limit")) yyjson_mut_obj_add_int(input, root, "limit", NAMES_MOST);
    return input;
}

yyjson_doc *cli_names(const char **name, const char **description, brant_db *db,
                      const cli_arguments *arguments, const char *member, const char *prefix) {
    const char *operation = arguments->command->operation;
    const size_t length = strcspn(operation, ".");
    size_t row = 0;
    for (; row < sizeof names / sizeof *names; row++)
        if (strcmp(names[row].member, member) == 0 &&
            (!names[row].space || (strlen(names[row].space) == length &&
                                   strncmp(operation, names[row].space, length) == 0)))
            break;
    if (row == sizeof names / sizeof *names) return NULL;
    size_t size = 0, answer_length = 0;
    yyjson_mut_doc *input = input_of(arguments, names[row].operation, prefix);
    char *answer = NULL, *json = yyjson_mut_write_opts(input, 0, &cli_json, &size, NULL);
    yyjson_mut_doc_free(input);
    *name = names[row].name;
    *description = names[row].description;
    if (!json || brant_call(&answer, &answer_length, db, names[row].operation,
                            strlen(names[row].operation), json, size) != BRANT_OK) {
        cli_free(json);
        return NULL;
    }
    cli_free(json);
    yyjson_doc *doc = yyjson_read_opts(answer, answer_length, 0, &cli_json, NULL);
    brant_free(answer);
    return doc;
}

/* One that is not there, and what is near it. */
static bool suggest(brant_db *db, const cli_arguments *arguments, const char *member,
                    const char *given, const char *message) {
    const char *name = NULL, *unused = NULL, *near = NULL;
    bool there = false;
    char quoted[300]; /* as the message names what is not there */
    snprintf(quoted, sizeof quoted, "\"%s\"", given);
    if (!strstr(message, quoted)) return false;
    size_t index, count, least = 0;
    yyjson_val *item;
    yyjson_doc *answer = cli_names(&name, &unused, db, arguments, member, "");
    yyjson_arr_foreach(yyjson_obj_get(yyjson_doc_get_root(answer), "items"), index, count, item) {
        const char *text = yyjson_get_str(yyjson_obj_get(item, name));
        there = there || (text && strcmp(text, given) == 0);
        if (text && cli_nearer(&least, given, text, strlen(text))) near = text;
    }
    if (near && !there) {
        fputs("brant: did you mean \"", stderr);
        cli_print_name(stderr, near);
        fputs("\"?\n", stderr);
    }
    yyjson_doc_free(answer);
    return near && !there;
}

void cli_suggest(brant_db *db, const cli_arguments *arguments) {
    const char *list = arguments->command->words;
    cli_word word;
    bool said = false;
    char message[1024];
    snprintf(message, sizeof message, "%s", brant_last_error()->message);
    for (int at = 1; list && !said && at < arguments->count && cli_word_next(&word, &list);)
        if (!word.hidden) said = suggest(db, arguments, word.name, arguments->rest[at++], message);
}
