/*
 * cli/secret.c: brant secret set, get, list, delete: the nodes Secret of a graph of type "secret".
 */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define VALUE_MOST ((size_t)1 << 30) /* bytes; limits.document refuses more before */

static const char *graph_of(const cli_arguments *arguments) {
    return arguments->graph ? arguments->graph : "secrets";
}

/* {"graph", "key"?} */
static yyjson_mut_doc *input_of(const cli_arguments *arguments, const char *name) {
    yyjson_mut_doc *input = cli_input();
    yyjson_mut_val *object = yyjson_mut_doc_get_root(input);
    yyjson_mut_obj_add_str(input, object, "graph", graph_of(arguments));
    if (name) yyjson_mut_obj_add_str(input, object, "key", name);
    return input;
}

/* What was done, for people. */
static void tell(const char *done, const char *name) {
    fprintf(stderr, "%s ", done);
    cli_print_name(stderr, name);
    fputc('\n', stderr);
}

/* ---- set: the value ------------------------------------------------------------------------------------------------- */

/* Text as JSON text. False: it is not UTF-8. */
static bool quote(cli_text *out, const cli_text *text) {
    yyjson_mut_doc *doc = cli_input();
    yyjson_mut_doc_set_root(doc, yyjson_mut_strn(doc, text->data, text->length));
    out->data = yyjson_mut_write_opts(doc, 0, &cli_json, &out->length, NULL);
    yyjson_mut_doc_free(doc);
    return out->data != NULL;
}

/* JSON as brant writes it: its error would say what is in the value, so there is one of our own. */
static int compact(cli_text *out, const cli_style *style, const cli_text *json) {
    char *made = NULL;
    size_t length = 0;
    if (brant_json_compact(&made, &length, json->data, json->length) != BRANT_OK) {
        const brant_error *error = brant_last_error();
        yyjson_doc *detail = yyjson_read(error->detail, error->detail_len, 0);
        yyjson_val *offset = yyjson_obj_get(yyjson_doc_get_root(detail), "offset");
        const long long at = yyjson_is_int(offset) ? (long long)yyjson_get_sint(offset) : 0;
        yyjson_doc_free(detail);
        return cli_fail(style, error->code, "the value is not acceptable JSON (at byte %lld)", at);
    }
    *out = (cli_text){cli_copy(made, length), length};
    brant_free(made);
    return 0;
}

/* The value of standard input, or of the terminal's prompt, as JSON text. */
static int read_value(cli_text *out, const cli_arguments *arguments) {
    const cli_style *style = &arguments->style;
    cli_text given = {0};
    int exit_code = 0;
    if (isatty(STDIN_FILENO)) {
        exit_code = cli_prompt_secret(&given, style, arguments->json ? "value (JSON)" : "value");
    } else if (!cli_read(&given, STDIN_FILENO, VALUE_MOST)) {
        exit_code = cli_fail(style, BRANT_IO, "standard input cannot be read");
    } else if (given.length > 0 && given.data[given.length - 1] == '\n') {
        given.data[--given.length] = '\0';
    }
    if (exit_code == 0 && given.length == 0)
        exit_code = cli_fail(style, BRANT_INVALID,
                             "the value is empty; nothing is changed (--json takes \"\" as one)");
    if (exit_code == 0 && arguments->json)
        exit_code = compact(out, style, &given);
    else if (exit_code == 0 && !quote(out, &given))
        exit_code = cli_fail(style, BRANT_INVALID,
                             "the value is not UTF-8 text; encode it, for example with base64");
    cli_text_free(&given);
    return exit_code;
}

/* ---- set ------------------------------------------------------------------------------------------------------------ */

/* {"name"} */
static yyjson_mut_doc *graph_input(const cli_arguments *arguments) {
    yyjson_mut_doc *input = cli_input();
    yyjson_mut_obj_add_str(input, yyjson_mut_doc_get_root(input), "name", graph_of(arguments));
    return input;
}

/*
 * The graph is there, and of the type that encrypts. The one that secrets are in when nobody says otherwise is there from the first secret on; a name
 * that somebody gave may be mistyped.
 */
static int need_graph(brant_db *db, const cli_arguments *arguments) {
    yyjson_doc *answer = NULL;
    int exit_code = cli_ask(&answer, db, &arguments->style, "graphs.get", graph_input(arguments),
                            arguments->graph ? BRANT_OK : BRANT_NOT_FOUND);
    if (exit_code == BRANT_NOT_FOUND && !arguments->graph) {
        yyjson_mut_doc *input = graph_input(arguments);
        yyjson_mut_obj_add_str(input, yyjson_mut_doc_get_root(input), "graph_type", "secret");
        exit_code = cli_ask(&answer, db, &arguments->style, "graphs.create", input, BRANT_OK);
    }
    const char *type = yyjson_get_str(yyjson_obj_get(yyjson_doc_get_root(answer), "graph_type"));
    if (exit_code == 0 && (!type || strcmp(type, "secret") != 0))
        exit_code =
            cli_fail(&arguments->style, BRANT_INVALID,
                     "graph \"%s\" is of type \"%s\", and secrets are set in graphs of type "
                     "\"secret\": brant call .. nodes.put writes to others",
                     graph_of(arguments), type ? type : "");
    yyjson_doc_free(answer);
    return exit_code;
}

/* Is what the secret holds now an envelope? A file may have a type "secret" of its own from before. */
static int check_sealed(brant_db *db, const cli_arguments *arguments, const char *name) {
    yyjson_doc *node = NULL;
    int exit_code =
        cli_ask(&node, db, &arguments->style, "nodes.get", input_of(arguments, name), BRANT_OK);
    yyjson_val *attributes = yyjson_obj_get(yyjson_doc_get_root(node), "attributes");
    if (exit_code == 0 && !yyjson_obj_get(yyjson_obj_get(attributes, "value"), "$enc"))
        exit_code = cli_fail(&arguments->style, BRANT_INVALID,
                             "this file's graph type \"secret\" does not encrypt values; nothing "
                             "is changed");
    yyjson_doc_free(node);
    return exit_code;
}

/* What nodes.put is to store: the attributes that the secret has, with the new value. */
static yyjson_mut_doc *put_input(const cli_arguments *arguments, const char *name,
                                 yyjson_doc *stored, const cli_text *value) {
    yyjson_mut_doc *input = input_of(arguments, name);
    yyjson_mut_val *object = yyjson_mut_doc_get_root(input);
    yyjson_val *old = yyjson_obj_get(yyjson_doc_get_root(stored), "attributes");
    yyjson_mut_val *attributes = old ? yyjson_val_mut_copy(input, old) : yyjson_mut_obj(input);
    yyjson_mut_obj_remove_key(attributes, "value");
    yyjson_mut_obj_add_val(input, attributes, "value",
                           yyjson_mut_rawn(input, value->data, value->length));
    if (arguments->description) yyjson_mut_obj_remove_key(attributes, "description");
    if (arguments->description && *arguments->description)
        yyjson_mut_obj_add_str(input, attributes, "description", arguments->description);
    yyjson_mut_obj_add_str(input, object, "type", "Secret");
    yyjson_mut_obj_add_val(input, object, "attributes", attributes);
    return input;
}

/* One transaction: what was read is what is replaced. */
static int put_value(brant_db *db, const cli_arguments *arguments, const char *name,
                     const cli_text *value) {
    const cli_style *style = &arguments->style;
    yyjson_doc *answer = NULL, *stored = NULL;
    bool created = false;
    int exit_code = cli_ask(&answer, db, style, "transaction.begin", cli_input(), BRANT_OK);
    yyjson_doc_free(answer);
    if (exit_code == 0) exit_code = need_graph(db, arguments);
    if (exit_code) return exit_code; /* closing takes the transaction back */
    exit_code =
        cli_ask(&stored, db, style, "nodes.get", input_of(arguments, name), BRANT_NOT_FOUND);
    if (exit_code == BRANT_NOT_FOUND) exit_code = 0;
    if (exit_code == 0)
        exit_code = cli_ask(&answer, db, style, "nodes.put",
                            put_input(arguments, name, stored, value), BRANT_OK);
    if (exit_code == 0) {
        created = yyjson_get_bool(yyjson_obj_get(yyjson_doc_get_root(answer), "created"));
        yyjson_doc_free(answer);
        answer = NULL;
        exit_code = check_sealed(db, arguments, name);
    }
    if (exit_code == 0)
        exit_code = cli_ask(&answer, db, style, "transaction.commit", cli_input(), BRANT_OK);
    if (exit_code == 0) tell(created ? "created" : "updated", name);
    yyjson_doc_free(answer);
    yyjson_doc_free(stored);
    return exit_code;
}

static int set_command(const cli_arguments *arguments) {
    const char *name = arguments->rest[1];
    brant_db *db = NULL;
    cli_text value = {0};
    /* What is wrong with file and keys is told before anybody types. */
    int exit_code = cli_open(&db, arguments, arguments->rest[0]);
    if (exit_code == 0) exit_code = cli_load_keys(db, arguments, "secret set");
    if (exit_code == 0) exit_code = read_value(&value, arguments);
    if (exit_code == 0) {
        cli_watch(db, arguments);
        exit_code = put_value(db, arguments, name, &value);
    }
    cli_text_free(&value);
    cli_close(db);
    return exit_code;
}

/* ---- get ------------------------------------------------------------------------------------------------------------ */

/* A value on a terminal cannot drive it: control characters are shown as ?. */
static void tame(cli_text *text) {
    size_t to = 0;
    bool tamed = false;
    for (size_t i = 0; i < text->length; i++) {
        const unsigned char byte = (unsigned char)text->data[i],
                            next = i + 1 < text->length ? (unsigned char)text->data[i + 1] : 0;
        const bool second = byte == 0xc2 && next >= 0x80 && next < 0xa0; /* U+0080..U+009F */
        const bool control = (byte < 32 && byte != '\n' && byte != '\t') || byte == 127 || second;
        text->data[to++] = control ? '?' : (char)byte;
        i += second;
        tamed = tamed || control;
    }
    text->length = to;
    if (tamed)
        fputs("brant: control characters are shown as ?; redirect the output to have the value\n",
              stderr);
}

static int write_value(const cli_arguments *arguments, yyjson_val *value) {
    const bool terminal = isatty(STDOUT_FILENO) != 0;
    cli_text text = {0};
    if (yyjson_is_str(value) && !arguments->json) {
        text.length = yyjson_get_len(value);
        text.data = cli_copy(yyjson_get_str(value), text.length);
    } else {
        text.data = yyjson_val_write_opts(value, 0, &cli_json, &text.length, NULL);
    }
    if (!text.data) return cli_fail(&arguments->style, BRANT_NO_MEMORY, "out of memory");
    if (terminal) tame(&text);
    const bool good = cli_write(STDOUT_FILENO, text.data, text.length) &&
                      (!(terminal || arguments->json) || cli_write(STDOUT_FILENO, "\n", 1));
    cli_text_free(&text);
    return good ? 0
                : cli_fail(&arguments->style, BRANT_IO,
                           "the value cannot be written to standard output");
}

static int get_command(const cli_arguments *arguments) {
    brant_db *db = NULL;
    yyjson_doc *answer = NULL;
    int exit_code = cli_open(&db, arguments, arguments->rest[0]);
    if (exit_code == 0) exit_code = cli_load_keys(db, arguments, "secret get");
    if (exit_code == 0) {
        yyjson_mut_doc *input = input_of(arguments, arguments->rest[1]);
        yyjson_mut_obj_add_str(input, yyjson_mut_doc_get_root(input), "path", "attributes.value");
        cli_watch(db, arguments);
        exit_code = cli_ask(&answer, db, &arguments->style, "nodes.open_secret", input, BRANT_OK);
    }
    if (exit_code == 0)
        exit_code = write_value(arguments, yyjson_obj_get(yyjson_doc_get_root(answer), "value"));
    yyjson_doc_free(answer);
    cli_close(db);
    return exit_code;
}

/* ---- list ----------------------------------------------------------------------------------------------------------- */

/* One secret as it is listed: for people with words, for programs with numbers. */
static void list_one(yyjson_mut_doc *list, const cli_style *style, yyjson_val *node) {
    yyjson_val *attributes = yyjson_obj_get(node, "attributes"),
               *description = yyjson_obj_get(attributes, "description"),
               *version = yyjson_obj_get(yyjson_obj_get(attributes, "value"), "kv");
    const int64_t updated = cli_number(node, "updated_at");
    yyjson_mut_val *item = yyjson_mut_arr_add_obj(list, yyjson_mut_doc_get_root(list));
    yyjson_mut_obj_add_val(list, item, "name",
                           yyjson_val_mut_copy(list, yyjson_obj_get(node, "key")));
    if (style->table && !version)
        yyjson_mut_obj_add_str(list, item, "key_version", "plain");
    else
        yyjson_mut_obj_add_sint(list, item, "key_version", yyjson_get_sint(version));
    yyjson_mut_obj_add_val(list, item, "description",
                           description ? yyjson_val_mut_copy(list, description)
                                       : yyjson_mut_null(list));
    if (style->table) {
        char text[32];
        const time_t seconds = (time_t)(updated / 1000);
        struct tm at;
        if (!localtime_r(&seconds, &at) || !strftime(text, sizeof text, "%Y-%m-%d %H:%M", &at))
            text[0] = '\0';
        yyjson_mut_obj_add_strcpy(list, item, "updated", text);
    } else {
        yyjson_mut_obj_add_sint(list, item, "updated_at", updated);
    }
}

/* All pages. */
static int list_all(yyjson_mut_doc *list, brant_db *db, const cli_arguments *arguments) {
    yyjson_doc *page = NULL;
    for (;;) {
        size_t index, count;
        yyjson_val *node;
        yyjson_mut_doc *input = input_of(arguments, NULL);
        yyjson_mut_val *object = yyjson_mut_doc_get_root(input);
        yyjson_val *cursor = yyjson_obj_get(yyjson_doc_get_root(page), "cursor");
        yyjson_mut_obj_add_str(input, object, "type", "Secret");
        yyjson_mut_obj_add_sint(input, object, "limit", 1000);
        if (page)
            yyjson_mut_obj_add_val(input, object, "cursor", yyjson_val_mut_copy(input, cursor));
        yyjson_doc_free(page);
        /* There are no secrets before the first. */
        const int exit_code = cli_ask(&page, db, &arguments->style, "nodes.list", input,
                                      arguments->graph ? BRANT_OK : BRANT_NOT_FOUND);
        if (exit_code == BRANT_NOT_FOUND && !arguments->graph) return 0;
        if (exit_code) return exit_code;
        yyjson_arr_foreach(yyjson_obj_get(yyjson_doc_get_root(page), "items"), index, count, node)
            list_one(list, &arguments->style, node);
        if (!yyjson_is_str(yyjson_obj_get(yyjson_doc_get_root(page), "cursor"))) break;
    }
    yyjson_doc_free(page);
    return 0;
}

static int list_command(const cli_arguments *arguments) {
    brant_db *db = NULL;
    yyjson_mut_doc *list = cli_input();
    yyjson_mut_doc_set_root(list, yyjson_mut_arr(list));
    int exit_code = cli_open(&db, arguments, arguments->rest[0]);
    if (exit_code == 0) {
        cli_watch(db, arguments);
        exit_code = list_all(list, db, arguments);
    }
    if (exit_code == 0)
        cli_print_document(stdout, &arguments->style, list);
    else
        yyjson_mut_doc_free(list);
    cli_close(db);
    return exit_code;
}

/* ---- delete --------------------------------------------------------------------------------------------------------- */

static int delete_command(const cli_arguments *arguments) {
    const cli_style *style = &arguments->style;
    const char *name = arguments->rest[1];
    brant_db *db = NULL;
    yyjson_doc *answer = NULL;
    if (!arguments->yes && !isatty(STDIN_FILENO))
        return cli_wrong_usage(style, "secret delete wants --yes where nobody can be asked", NULL);
    int exit_code = cli_open(&db, arguments, arguments->rest[0]);
    if (exit_code == 0)
        exit_code = cli_ask(&answer, db, style, "nodes.get", input_of(arguments, name), BRANT_OK);
    if (exit_code == 0 &&
        !yyjson_equals_str(yyjson_obj_get(yyjson_doc_get_root(answer), "type"), "Secret"))
        exit_code = cli_fail(style, BRANT_INVALID, "\"%s\" is no secret", name);
    if (exit_code == 0 && !arguments->yes && !cli_prompt_yes("delete this secret for ever?"))
        exit_code = cli_fail(style, BRANT_INTERRUPTED, "nothing is deleted");
    yyjson_doc_free(answer);
    answer = NULL;
    if (exit_code == 0) {
        cli_watch(db, arguments);
        exit_code =
            cli_ask(&answer, db, style, "nodes.delete", input_of(arguments, name), BRANT_OK);
    }
    if (exit_code == 0) tell("deleted", name);
    yyjson_doc_free(answer);
    cli_close(db);
    return exit_code;
}

const cli_command cli_secret_commands[] = {
    {.name = "secret delete",
     .arguments = "FILE NAME",
     .summary = "delete a secret; needs no keys",
     .least = 2,
     .most = 2,
     .options = CLI_KEYS | CLI_GRAPH | CLI_YES,
     .run = delete_command,
     .help =
         "Asks before on a terminal. A secret that edges lead to or from (who may use it) is "
         "not deleted: CONSTRAINT.\n\n"
         "  --yes                do not ask; needed where there is no terminal\n" CLI_GRAPH_HELP},
    {.name = "secret get",
     .arguments = "FILE NAME --keys RING",
     .summary = "print a value",
     .least = 2,
     .most = 2,
     .options = CLI_KEYS | CLI_GRAPH,
     .secrets = true,
     .run = get_command,
     .help = "A text is printed byte by byte as it was stored, other JSON as JSON; a newline "
             "follows on a terminal only,\nwhere control characters are shown as ?.\n\n"
             "  --json               a text too is printed as JSON, in a line\n" CLI_GRAPH_HELP
                 CLI_KEYS_HELP},
    {.name = "secret list",
     .arguments = "FILE",
     .summary = "names and key versions; needs no keys",
     .least = 1,
     .most = 1,
     .options = CLI_KEYS | CLI_GRAPH,
     .run = list_command,
     .help =
         "Name, key version (as a table: plain, for one that is not encrypted yet), "
         "description and the time of the\nlast change; as JSON an array of {name, "
         "key_version, description, updated_at}, where key_version 0 is plain.\n\n" CLI_GRAPH_HELP},
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
         "  --graph NAME         this graph alone; default: all of the file\n" CLI_KEYS_HELP},
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
     .run = set_command,
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
         "  --json               the value is JSON of any kind but null, not text\n" CLI_GRAPH_HELP
             CLI_KEYS_HELP},
    {0},
};
