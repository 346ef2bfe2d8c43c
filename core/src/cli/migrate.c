/*
 * cli/migrate.c: brant graph-type migrate: the rows of a graph type's graphs brought to its present version, batch after batch, with progress.
 */
#include "cli.h"

#include <string.h>

#define ROWS 5000 /* of a call */

typedef struct migration {
    int64_t migrated, unchanged, failed, total;
    int exit_code; /* of rows that do not fit */
} migration;

static void tell_failures(migration *self, const cli_arguments *arguments, yyjson_val *failures,
                          cli_progress *shown) {
    size_t index, count;
    yyjson_val *failure;
    if (yyjson_arr_size(failures) > 0) cli_progress_clear(shown);
    yyjson_arr_foreach(failures, index, count, failure) {
        const char *graph = yyjson_get_str(yyjson_obj_get(failure, "graph")),
                   *key = yyjson_get_str(yyjson_obj_get(failure, "key"));
        self->exit_code = cli_fail(&arguments->style, BRANT_VALIDATION,
                                   "\"%s\" of graph \"%s\" does not fit the new version",
                                   key ? key : "", graph ? graph : "");
    }
}

/* Returns whether there is more to do. */
static bool add(migration *self, yyjson_val *answer, cli_progress *shown) {
    const int64_t remaining = cli_number(answer, "remaining");
    self->migrated += cli_number(answer, "migrated");
    self->unchanged += cli_number(answer, "unchanged");
    self->failed += cli_number(answer, "failed");
    const int64_t done = self->migrated + self->unchanged + self->failed;
    if (done + remaining > self->total) self->total = done + remaining;
    cli_progress_show(shown, done, self->total);
    return !yyjson_get_bool(yyjson_obj_get(answer, "done"));
}

static int print(const migration *self, const cli_arguments *arguments) {
    yyjson_mut_doc *report = cli_input();
    yyjson_mut_val *root = yyjson_mut_doc_get_root(report);
    yyjson_mut_obj_add_sint(report, root, "migrated", self->migrated);
    yyjson_mut_obj_add_sint(report, root, "unchanged", self->unchanged);
    yyjson_mut_obj_add_sint(report, root, "failed", self->failed);
    cli_print_document(stdout, &arguments->style, report);
    return self->exit_code;
}

int cli_migrate_command(const cli_arguments *arguments) {
    migration self = {0};
    yyjson_mut_doc *input = NULL;
    brant_db *db = NULL;
    cli_progress shown;
    bool more = true;
    int exit_code = cli_operation_begin(&db, &input, arguments);
    if (exit_code) {
        cli_close(db);
        return exit_code;
    }
    yyjson_mut_obj_add_int(input, yyjson_mut_doc_get_root(input), "limit", ROWS);
    cli_progress_start(&shown, "rows");
    while (more && exit_code == 0) {
        yyjson_doc *answer = NULL;
        exit_code = cli_ask(&answer, db, &arguments->style, "graph_types.migrate",
                            yyjson_mut_doc_mut_copy(input, &cli_json), BRANT_OK);
        if (exit_code == 0) {
            yyjson_val *said = yyjson_doc_get_root(answer);
            more = add(&self, said, &shown);
            tell_failures(&self, arguments, yyjson_obj_get(said, "failures"), &shown);
        }
        yyjson_doc_free(answer);
        if (exit_code == 0 && more && self.exit_code) break; /* it stopped there */
        if (exit_code == 0 && more && cli_stopped())
            exit_code = cli_fail(&arguments->style, BRANT_INTERRUPTED, "stopped by a signal");
    }
    cli_progress_clear(&shown);
    yyjson_mut_doc_free(input);
    if (exit_code == BRANT_NOT_FOUND) cli_suggest(db, arguments);
    if (exit_code && self.migrated + self.unchanged > 0)
        fprintf(stderr, "brant: %lld rows are done and stay so; call it again to go on\n",
                (long long)(self.migrated + self.unchanged));
    if (exit_code == 0) exit_code = print(&self, arguments);
    cli_close(db);
    return exit_code;
}
