/*
 * cli/secret_rotate.c: brant secret rotate: batch after batch until the core says that it is done, with progress on standard error.
 */
#include "cli.h"

#include <string.h>

#define BATCH         1000 /* rows */
#define FAILURES_MOST 100  /* that the report keeps; standard error has all */

/* ---- batches -------------------------------------------------------------------------------------------------------- */

typedef struct rotation {
    int64_t key_version, rewrapped, sealed, failed;
    yyjson_mut_doc *report; /* {.., "failures", "keys"} */
    yyjson_mut_val *failures;
    bool traces;   /* of what was plain are still in the file */
    int exit_code; /* of the first failure */
} rotation;

static const char *text(yyjson_val *object, const char *name) {
    const char *found = yyjson_get_str(yyjson_obj_get(object, name));
    return found ? found : "";
}

/* {"graph"?} */
static yyjson_mut_doc *input_of(const cli_arguments *arguments) {
    yyjson_mut_doc *input = cli_input();
    if (arguments->graph)
        yyjson_mut_obj_add_str(input, yyjson_mut_doc_get_root(input), "graph", arguments->graph);
    return input;
}

static brant_status code_of(const char *name) {
    for (brant_status code = 1; code < BRANT_STATUS_COUNT; code++)
        if (strcmp(brant_status_name(code), name) == 0) return code;
    return BRANT_INTERNAL;
}

static void tell_failures(rotation *self, const cli_style *style, yyjson_val *failures) {
    size_t index, count;
    yyjson_val *failure;
    yyjson_arr_foreach(failures, index, count, failure) {
        const brant_status code = code_of(text(failure, "code"));
        cli_fail(style, code, "%s \"%s\" of graph \"%s\", %s: %s", text(failure, "kind"),
                 text(failure, "key"), text(failure, "graph"), text(failure, "path"),
                 text(failure, "message"));
        if (self->exit_code == 0) self->exit_code = code;
        if (yyjson_mut_arr_size(self->failures) < FAILURES_MOST)
            yyjson_mut_arr_append(self->failures, yyjson_val_mut_copy(self->report, failure));
    }
}

static int rotate(rotation *self, brant_db *db, const cli_arguments *arguments) {
    cli_progress shown;
    int64_t total = 0;
    cli_progress_start(&shown, "rows");
    bool done = false;
    int exit_code = 0;
    while (!done && exit_code == 0) {
        yyjson_doc *answer = NULL;
        yyjson_mut_doc *input = input_of(arguments);
        yyjson_mut_obj_add_sint(input, yyjson_mut_doc_get_root(input), "batch", BATCH);
        exit_code =
            cli_ask(&answer, db, &arguments->style, "secrets.rotate", input, BRANT_INTERRUPTED);
        if (exit_code == 0) {
            yyjson_val *root = yyjson_doc_get_root(answer);
            self->key_version = cli_number(root, "key_version");
            self->rewrapped += cli_number(root, "rewrapped");
            self->sealed += cli_number(root, "sealed");
            self->failed += cli_number(root, "failed");
            self->traces = yyjson_is_false(yyjson_obj_get(root, "scrubbed"));
            done = yyjson_get_bool(yyjson_obj_get(root, "done"));
            if (yyjson_arr_size(yyjson_obj_get(root, "failures")) > 0) cli_progress_clear(&shown);
            tell_failures(self, &arguments->style, yyjson_obj_get(root, "failures"));
            /* How many rows there were is known from what the first batch has left over. */
            const int64_t remaining = cli_number(root, "remaining");
            if (remaining + (total ? 0 : BATCH) > total) total = remaining + (total ? 0 : BATCH);
            if (remaining > 0) cli_progress_show(&shown, total - remaining, total);
        }
        yyjson_doc_free(answer);
        /* A signal between two calls interrupts none. */
        if (exit_code == 0 && !done && cli_stopped()) exit_code = BRANT_INTERRUPTED;
    }
    cli_progress_clear(&shown);
    const long long looked = self->rewrapped + self->sealed + self->failed;
    const bool passing = exit_code == BRANT_INTERRUPTED || exit_code == BRANT_BUSY ||
                         exit_code == BRANT_TIMEOUT || exit_code == BRANT_FULL;
    if (exit_code != 0 && (passing || looked > 0))
        fprintf(stderr, "brant: stopped after %lld; what is done is kept%s\n", looked,
                passing ? ": call it again to go on" : "");
    return exit_code;
}

/* ---- the report ----------------------------------------------------------------------------------------------------- */

/* How many secrets each key version has, of all that there are. */
static int count_keys(yyjson_mut_val **out, rotation *self, brant_db *db,
                      const cli_arguments *arguments) {
    yyjson_doc *status = NULL;
    size_t index, count;
    yyjson_val *key;
    const int exit_code =
        cli_ask(&status, db, &arguments->style, "secrets.status", input_of(arguments), BRANT_OK);
    *out = yyjson_mut_arr(self->report);
    yyjson_arr_foreach(yyjson_obj_get(yyjson_doc_get_root(status), "keys"), index, count, key) {
        yyjson_mut_val *item = yyjson_mut_arr_add_obj(self->report, *out);
        const int64_t version = cli_number(key, "version");
        if (arguments->style.table && version == 0)
            yyjson_mut_obj_add_str(self->report, item, "key_version", "plain");
        else
            yyjson_mut_obj_add_sint(self->report, item, "key_version", version);
        yyjson_mut_obj_add_strcpy(self->report, item, "state", text(key, "state"));
        yyjson_mut_obj_add_sint(self->report, item, "secrets", cli_number(key, "count"));
    }
    yyjson_doc_free(status);
    return exit_code;
}

static int report(rotation *self, brant_db *db, const cli_arguments *arguments) {
    yyjson_mut_val *keys = NULL, *root = yyjson_mut_doc_get_root(self->report);
    const int exit_code = count_keys(&keys, self, db, arguments);
    if (exit_code) return exit_code;
    fprintf(stderr,
            "key version %lld: %lld encrypted again, %lld encrypted that were plain, %lld failed\n",
            (long long)self->key_version, (long long)self->rewrapped, (long long)self->sealed,
            (long long)self->failed);
    yyjson_mut_obj_add_sint(self->report, root, "key_version", self->key_version);
    yyjson_mut_obj_add_sint(self->report, root, "rewrapped", self->rewrapped);
    yyjson_mut_obj_add_sint(self->report, root, "sealed", self->sealed);
    yyjson_mut_obj_add_sint(self->report, root, "failed", self->failed);
    yyjson_mut_obj_add_bool(self->report, root, "scrubbed", !self->traces);
    yyjson_mut_obj_add_val(self->report, root, "failures", self->failures);
    yyjson_mut_obj_add_val(self->report, root, "keys", keys);
    if (arguments->style.table) yyjson_mut_doc_set_root(self->report, keys);
    cli_print_document(stdout, &arguments->style, self->report);
    self->report = NULL;
    if (self->traces)
        cli_fail(&arguments->style, BRANT_BUSY,
                 "what was plain may still be found in the file, which others read at this moment: "
                 "call it again");
    return self->exit_code ? self->exit_code : self->traces ? BRANT_BUSY : 0;
}

int cli_secret_rotate(const cli_arguments *arguments) {
    rotation self = {.report = cli_input()};
    brant_db *db = NULL;
    self.failures = yyjson_mut_arr(self.report);
    int exit_code = cli_open(&db, arguments, arguments->rest[0]);
    if (exit_code == 0) exit_code = cli_load_keys(db, arguments, "secret rotate");
    if (exit_code == 0) {
        cli_watch(db, arguments);
        exit_code = rotate(&self, db, arguments);
    }
    if (exit_code == 0) exit_code = report(&self, db, arguments);
    yyjson_mut_doc_free(self.report);
    cli_close(db);
    return exit_code;
}
