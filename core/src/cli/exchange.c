/*
 * cli/exchange.c: brant import, export and graph draw: graphs from and to files of other programs, part after part.
 */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD 65536 /* bytes of a file that its format is guessed from */
#define PAGE 10000 /* items of a part of an export */

/* ---- formats -------------------------------------------------------------------------------------------------------- */

static bool ends(const char *text, const char *end) {
    const size_t length = strlen(text), size = strlen(end);
    return length >= size && strcmp(text + length - size, end) == 0;
}

/* Of JSON the members tell, since several formats are JSON. */
static const char *format_of_json(const char *path, bool lines) {
    static char head[HEAD + 1];
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    const ssize_t got = descriptor < 0 ? 0 : read(descriptor, head, HEAD);
    if (descriptor >= 0) close(descriptor);
    head[got > 0 ? got : 0] = '\0';
    if (strstr(head, "\"resourceSpans\"")) return "otlp";
    if (lines) return strstr(head, "\"entityType\"") ? "memory" : "ndjson";
    if (strstr(head, "\"multigraph\"") || strstr(head, "\"directed\"") || strstr(head, "\"links\""))
        return "node_link";
    return "graphology";
}

/* NULL: the name does not tell. */
static const char *format_of(const char *path) {
    static const struct {
        const char *end, *format;
    } formats[] = {{".csv", "csv"}, {".graphml", "graphml"}, {".dot", "dot"},
                   {".gv", "dot"},  {".mmd", "mermaid"},     {".mermaid", "mermaid"}};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (ends(path, formats[i].end)) return formats[i].format;
    if (ends(path, ".json")) return format_of_json(path, false);
    if (ends(path, ".ndjson") || ends(path, ".jsonl")) return format_of_json(path, true);
    return NULL;
}

static int format_wanted(const cli_arguments *arguments, const char *path) {
    char what[300];
    const cli_option *option = cli_options(arguments->command);
    while (option->name && strcmp(option->name, "--format") != 0)
        option++;
    snprintf(what, sizeof what, "--format is wanted (%s), for the name does not tell it:",
             option->choices ? option->choices : "");
    return cli_wrong_usage(&arguments->style, what, path);
}

/* The format of --format, or by the file's name; of csv also which part. */
static int settle_format(yyjson_mut_doc *document, const cli_arguments *arguments, const char *path,
                         const char *otherwise) {
    yyjson_mut_val *input = yyjson_mut_doc_get_root(document);
    const char *format = yyjson_mut_get_str(yyjson_mut_obj_get(input, "format"));
    if (!format) {
        format = path ? format_of(path) : NULL;
        if (!format) format = otherwise;
        if (!format) return format_wanted(arguments, path);
        yyjson_mut_obj_add_str(document, input, "format", format);
    }
    if (strcmp(format, "csv") == 0 && !yyjson_mut_obj_get(input, "part") && path &&
        (strstr(path, "edges") || strstr(path, "nodes")))
        yyjson_mut_obj_add_str(document, input, "part", strstr(path, "edges") ? "edges" : "nodes");
    if (strcmp(format, "csv") == 0 && !yyjson_mut_obj_get(input, "part"))
        return cli_wrong_usage(&arguments->style,
                               path ? "--part nodes or --part edges is wanted of csv, for the "
                                      "name does not tell it:"
                                    : "--part nodes or --part edges is wanted of csv",
                               path);
    return 0;
}

/* ---- import --------------------------------------------------------------------------------------------------------- */

static void tell_faults(const cli_style *style, yyjson_val *items, cli_progress *shown) {
    size_t index, count;
    yyjson_val *item;
    if (yyjson_arr_size(items) > 0) cli_progress_clear(shown);
    yyjson_arr_foreach(items, index, count, item) {
        const char *message = yyjson_get_str(yyjson_obj_get(item, "message"));
        fprintf(stderr, "%sitem %lld%s: ", cli_on(style, "yellow"),
                (long long)cli_number(item, "index"), cli_off(style));
        cli_print_name(stderr, message ? message : "");
        fputc('\n', stderr);
    }
}

/* Batch after batch, so that each is told; what is done is kept. */
static int import_batches(brant_db *db, const cli_arguments *arguments, yyjson_mut_doc *input) {
    yyjson_mut_val *root = yyjson_mut_doc_get_root(input);
    int64_t nodes = 0, edges = 0;
    cli_progress shown;
    yyjson_doc *answer = NULL;
    bool done = false;
    int exit_code = 0;
    cli_progress_start(&shown, "bytes");
    yyjson_mut_obj_add_int(input, root, "max_batches", 1);
    while (!done && exit_code == 0) {
        yyjson_doc_free(answer);
        exit_code = cli_ask(&answer, db, &arguments->style, "graphs.import",
                            yyjson_mut_doc_mut_copy(input, &cli_json), BRANT_OK);
        if (exit_code) break;
        yyjson_val *said = yyjson_doc_get_root(answer);
        nodes = cli_number(said, "nodes");
        edges = cli_number(said, "edges");
        done = yyjson_get_bool(yyjson_obj_get(said, "done"));
        tell_faults(&arguments->style, yyjson_obj_get(said, "items"), &shown);
        cli_progress_show(&shown, cli_number(said, "bytes"), cli_number(said, "total_bytes"));
        yyjson_mut_obj_remove_key(root, "resume");
        yyjson_mut_obj_add_bool(input, root, "resume", true);
        if (!done && cli_stopped())
            exit_code = cli_fail(&arguments->style, BRANT_INTERRUPTED, "stopped by a signal");
    }
    cli_progress_clear(&shown);
    if (exit_code && nodes + edges > 0)
        fprintf(stderr,
                "brant: %lld nodes and %lld edges are written; --resume goes on after them\n",
                (long long)nodes, (long long)edges);
    if (exit_code == 0) cli_print_answer(stdout, &arguments->style, yyjson_doc_get_root(answer));
    yyjson_doc_free(answer);
    return exit_code;
}

static int import_text(brant_db *db, const cli_arguments *arguments, yyjson_mut_doc *input) {
    yyjson_mut_val *root = yyjson_mut_doc_get_root(input);
    yyjson_doc *answer = NULL;
    cli_text read = {0};
    if (!cli_read(&read, STDIN_FILENO, SIZE_MAX / 4)) {
        yyjson_mut_doc_free(input);
        return cli_fail(&arguments->style, BRANT_IO, "standard input cannot be read: %s",
                        strerror(errno));
    }
    yyjson_mut_obj_remove_key(root, "path");
    yyjson_mut_obj_add_strn(input, root, "text", read.data, read.length);
    const int exit_code = cli_ask(&answer, db, &arguments->style, "graphs.import", input, BRANT_OK);
    if (exit_code == 0) {
        cli_progress none;
        cli_progress_start(&none, "bytes");
        tell_faults(&arguments->style, yyjson_obj_get(yyjson_doc_get_root(answer), "items"), &none);
        cli_print_answer(stdout, &arguments->style, yyjson_doc_get_root(answer));
    }
    yyjson_doc_free(answer);
    cli_text_free(&read);
    return exit_code;
}

int cli_import_command(const cli_arguments *arguments) {
    const char *path = arguments->rest[2];
    const bool piped = strcmp(path, "-") == 0;
    yyjson_mut_doc *input = NULL;
    brant_db *db = NULL;
    int exit_code = cli_operation_begin(&db, &input, arguments);
    if (exit_code == 0) {
        exit_code = settle_format(input, arguments, path, NULL);
        if (exit_code) {
            yyjson_mut_doc_free(input);
        } else if (piped) {
            exit_code = import_text(db, arguments, input);
        } else {
            exit_code = import_batches(db, arguments, input);
            yyjson_mut_doc_free(input);
        }
    }
    cli_close(db);
    return exit_code;
}

/* ---- a text in pages ------------------------------------------------------------------------------------------------ */

/* Where a text goes: standard output, or a file that is there whole or not at all. */
typedef struct target {
    const char *path; /* NULL: standard output */
    char *part;
    FILE *out;
} target;

static int target_open(target *self, const cli_arguments *arguments, const char *path,
                       bool overwrite) {
    *self = (target){.out = stdout};
    if (!path || strcmp(path, "-") == 0) return 0;
    self->path = path;
    if (!overwrite && access(path, F_OK) == 0)
        return cli_fail(&arguments->style, BRANT_EXISTS, "%s exists; --overwrite replaces it",
                        path);
    const size_t size = strlen(path) + 32;
    self->part = cli_alloc(size);
    snprintf(self->part, size, "%s.part-%ld", path, (long)getpid());
    self->out = fopen(self->part, "wbe");
    if (self->out) return 0;
    return cli_fail(&arguments->style, BRANT_IO, "%s cannot be written: %s", path, strerror(errno));
}

static int target_close(target *self, const cli_arguments *arguments, int exit_code) {
    if (!self->path) return exit_code;
    const bool written = self->out && fflush(self->out) == 0 && fsync(fileno(self->out)) == 0;
    if (self->out && (fclose(self->out) != 0 || !written) && exit_code == 0)
        exit_code = cli_fail(&arguments->style, BRANT_IO, "%s cannot be written: %s", self->path,
                             strerror(errno));
    if (exit_code == 0 && rename(self->part, self->path) != 0)
        exit_code = cli_fail(&arguments->style, BRANT_IO, "%s cannot be written: %s", self->path,
                             strerror(errno));
    if (exit_code && self->part) unlink(self->part);
    cli_free(self->part);
    return exit_code;
}

int cli_text_pages(brant_db *db, const cli_arguments *arguments, yyjson_mut_doc *input,
                   const char *path, bool overwrite, int64_t page, int64_t total) {
    const char *operation = arguments->command->operation,
               *cursor = cli_member(operation, "cursor") ? "cursor" : "after";
    yyjson_mut_val *root = yyjson_mut_doc_get_root(input);
    target out;
    cli_progress shown;
    int64_t items = 0;
    bool more = true;
    int exit_code = target_open(&out, arguments, path, overwrite);
    cli_progress_start(&shown, "items");
    shown.terminal = shown.terminal && (out.path || !isatty(STDOUT_FILENO));
    while (more && exit_code == 0) {
        yyjson_doc *answer = NULL;
        exit_code = cli_ask(&answer, db, &arguments->style, operation,
                            yyjson_mut_doc_mut_copy(input, &cli_json), BRANT_OK);
        yyjson_val *said = yyjson_doc_get_root(answer), *text = yyjson_obj_get(said, "text"),
                   *next = yyjson_obj_get(said, strcmp(cursor, "cursor") == 0 ? "cursor" : "next");
        if (text) fwrite(yyjson_get_str(text), 1, yyjson_get_len(text), out.out);
        more = next && !yyjson_is_null(next) && !ferror(out.out);
        yyjson_mut_obj_remove_key(root, cursor);
        if (more)
            yyjson_mut_obj_add(root, yyjson_mut_str(input, cursor),
                               yyjson_val_mut_copy(input, next));
        yyjson_doc_free(answer);
        items += page;
        if (shown.terminal || out.path) cli_progress_show(&shown, items, total);
        if (exit_code == 0 && more && cli_stopped())
            exit_code = cli_fail(&arguments->style, BRANT_INTERRUPTED, "stopped by a signal");
    }
    cli_progress_clear(&shown);
    yyjson_mut_doc_free(input);
    return target_close(&out, arguments, exit_code);
}

/* ---- export --------------------------------------------------------------------------------------------------------- */

static int simple_call(brant_db *db, const cli_arguments *arguments, const char *operation,
                       const char *name, const char *value, yyjson_doc **answer) {
    yyjson_mut_doc *input = cli_input();
    yyjson_mut_obj_add_str(input, yyjson_mut_doc_get_root(input), name, value);
    return cli_ask(answer, db, &arguments->style, operation, input, BRANT_OK);
}

const cli_option cli_export_options[] = {
    {.name = "--overwrite", .help = "Replace a TARGET that is there"},
    {.name = NULL},
};

/* `otherwise`: the format on standard output, where nothing says another. */
static int export_as(const cli_arguments *arguments, const char *otherwise) {
    const char *path = arguments->count > 2 ? arguments->rest[2] : NULL;
    yyjson_mut_doc *input = NULL;
    yyjson_doc *answer = NULL, *begun = NULL;
    brant_db *db = NULL;
    int64_t total = 0;
    int exit_code = cli_operation_begin(&db, &input, arguments);
    if (exit_code) {
        cli_close(db);
        return exit_code;
    }
    yyjson_mut_val *root = yyjson_mut_doc_get_root(input);
    exit_code = settle_format(input, arguments, path && strcmp(path, "-") != 0 ? path : NULL,
                              path && strcmp(path, "-") != 0 ? NULL : otherwise);
    /* One state of the graph, whoever writes meanwhile. */
    if (exit_code == 0)
        exit_code = simple_call(db, arguments, "transaction.begin", "mode", "read", &begun);
    if (exit_code == 0)
        exit_code = simple_call(db, arguments, "graphs.get", "name", arguments->rest[1], &answer);
    if (exit_code == BRANT_NOT_FOUND) cli_suggest(db, arguments);
    if (exit_code == 0) {
        yyjson_val *graph = yyjson_doc_get_root(answer);
        if (!yyjson_mut_obj_get(root, "filter") && !yyjson_mut_obj_get(root, "edge_filter"))
            total = cli_number(graph, "nodes") + cli_number(graph, "edges");
        if (!yyjson_mut_obj_get(root, "limit")) yyjson_mut_obj_add_int(input, root, "limit", PAGE);
        const int64_t page = yyjson_mut_get_sint(yyjson_mut_obj_get(root, "limit"));
        exit_code = cli_text_pages(db, arguments, input, path,
                                   cli_own(arguments, "--overwrite") != NULL, page, total);
    } else {
        yyjson_mut_doc_free(input);
    }
    yyjson_doc_free(answer);
    yyjson_doc_free(begun);
    cli_close(db);
    return exit_code;
}

int cli_export_command(const cli_arguments *arguments) {
    return export_as(arguments, "graphology");
}

int cli_draw_command(const cli_arguments *arguments) {
    return export_as(arguments, "dot");
}
