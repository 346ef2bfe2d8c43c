/*
 * cli/whole.c: commands about a file as a whole: backup, restore, doctor, status, and the audit log's verify and export.
 */
#include "cli.h"

#include <string.h>
#include <unistd.h>

/* Call the row's operation while a thread shows how far it is; `path` as cli_progress_begin takes it. */
static int ask_with_progress(yyjson_doc **out, brant_db *db, const cli_arguments *arguments,
                             yyjson_mut_doc *input, const char *path, int64_t total) {
    cli_progress_thread shown;
    size_t length = 0, answer_length = 0;
    char *answer = NULL, *json = NULL;
    const char *operation = arguments->command->operation;
    *out = NULL;
    const int exit_code = cli_input_text(&json, &length, &arguments->style, input);
    if (exit_code) return exit_code;
    cli_progress_begin(&shown, path, total);
    const brant_status status =
        brant_call(&answer, &answer_length, db, operation, strlen(operation), json, length);
    cli_progress_end(&shown);
    cli_free(json);
    if (status != BRANT_OK) return cli_print_error(&arguments->style);
    *out = yyjson_read_opts(answer, answer_length, 0, &cli_json, NULL);
    brant_free(answer);
    return *out ? 0 : cli_fail(&arguments->style, BRANT_NO_MEMORY, "out of memory");
}

/* ---- backup, restore ------------------------------------------------------------------------------------------------ */

int cli_backup_command(const cli_arguments *arguments) {
    brant_db *db = NULL;
    yyjson_mut_doc *input = NULL;
    yyjson_doc *info = NULL, *answer = NULL;
    int exit_code = cli_operation_begin(&db, &input, arguments);
    if (exit_code == 0) {
        exit_code = cli_ask(&info, db, &arguments->style, "db.info", cli_input(), BRANT_OK);
        if (exit_code)
            yyjson_mut_doc_free(input);
        else
            exit_code = ask_with_progress(&answer, db, arguments, input, arguments->rest[1],
                                          cli_number(yyjson_doc_get_root(info), "size"));
    }
    if (exit_code == 0) cli_print_answer(stdout, &arguments->style, yyjson_doc_get_root(answer));
    yyjson_doc_free(info);
    yyjson_doc_free(answer);
    cli_close(db);
    return exit_code;
}

int cli_restore_command(const cli_arguments *arguments) {
    brant_db *db = NULL;
    yyjson_mut_doc *input = NULL;
    yyjson_doc *answer = NULL;
    int exit_code = cli_operation_begin(&db, &input, arguments);
    if (exit_code == 0) exit_code = ask_with_progress(&answer, db, arguments, input, NULL, 0);
    if (exit_code == 0) cli_print_answer(stdout, &arguments->style, yyjson_doc_get_root(answer));
    yyjson_doc_free(answer);
    cli_close(db);
    return exit_code;
}

/* ---- doctor --------------------------------------------------------------------------------------------------------- */

static void print_checks(const cli_style *style, yyjson_val *report) {
    size_t index, count, inner, problems;
    yyjson_val *check, *problem;
    yyjson_arr_foreach(yyjson_obj_get(report, "checks"), index, count, check) {
        const bool ok = yyjson_get_bool(yyjson_obj_get(check, "ok"));
        printf("%s%-4s%s  ", cli_on(style, ok ? "green" : "red"), ok ? "ok" : "BAD",
               cli_off(style));
        cli_print_name(stdout, yyjson_get_str(yyjson_obj_get(check, "name")));
        fputc('\n', stdout);
        yyjson_arr_foreach(yyjson_obj_get(check, "problems"), inner, problems, problem) {
            fputs("      ", stdout);
            cli_print_name(stdout, yyjson_get_str(problem));
            fputc('\n', stdout);
        }
    }
}

int cli_doctor_command(const cli_arguments *arguments) {
    brant_db *db = NULL;
    yyjson_mut_doc *input = NULL;
    yyjson_doc *answer = NULL;
    int exit_code = cli_operation_begin(&db, &input, arguments);
    if (exit_code == 0) exit_code = ask_with_progress(&answer, db, arguments, input, NULL, 0);
    if (exit_code == 0) {
        yyjson_val *report = yyjson_doc_get_root(answer);
        if (arguments->style.table)
            print_checks(&arguments->style, report);
        else
            cli_print_answer(stdout, &arguments->style, report);
        if (!yyjson_get_bool(yyjson_obj_get(report, "ok"))) {
            fflush(stdout);
            exit_code = cli_fail(&arguments->style, BRANT_CORRUPT,
                                 "the file is not sound: restore a backup");
        }
    }
    yyjson_doc_free(answer);
    cli_close(db);
    return exit_code;
}

/* ---- audit ---------------------------------------------------------------------------------------------------------- */

#define ROWS 10000 /* of a part */

/* The newest row's number, for how much there is to do; 0: none, or nobody may know. */
static int64_t newest_row(brant_db *db) {
    static const char operation[] = "audit.list", json[] = "{\"order\":\"desc\",\"limit\":1}";
    char *answer = NULL;
    size_t length = 0;
    if (brant_call(&answer, &length, db, operation, strlen(operation), json, strlen(json)) !=
        BRANT_OK)
        return 0;
    yyjson_doc *doc = yyjson_read(answer, length, 0);
    const int64_t newest =
        cli_number(yyjson_arr_get_first(yyjson_obj_get(yyjson_doc_get_root(doc), "items")), "seq");
    yyjson_doc_free(doc);
    brant_free(answer);
    return newest;
}

/* What a part said, added to what those before it did. */
static void add_part(yyjson_mut_doc *report, yyjson_val *part) {
    yyjson_mut_val *root = yyjson_mut_doc_get_root(report);
    size_t index, count;
    yyjson_val *name, *value;
    if (yyjson_mut_obj_size(root) == 0) {
        yyjson_mut_doc_set_root(report, root = yyjson_val_mut_copy(report, part));
        yyjson_mut_obj_remove_key(root, "next");
        return;
    }
    yyjson_mut_val *problems = yyjson_mut_obj_get(root, "problems");
    yyjson_arr_foreach(yyjson_obj_get(part, "problems"), index, count, value) {
        if (yyjson_mut_arr_size(problems) < 100)
            yyjson_mut_arr_append(problems, yyjson_val_mut_copy(report, value));
        else
            yyjson_mut_obj_put(root, yyjson_mut_str(report, "truncated"), yyjson_mut_true(report));
    }
    yyjson_obj_foreach(part, index, count, name, value) {
        const char *member = yyjson_get_str(name);
        if (strcmp(member, "rows") == 0)
            yyjson_mut_obj_put(
                root, yyjson_mut_str(report, "rows"),
                yyjson_mut_sint(report, yyjson_mut_get_sint(yyjson_mut_obj_get(root, "rows")) +
                                            yyjson_get_sint(value)));
        else if ((strcmp(member, "ok") == 0 && yyjson_is_false(value)) ||
                 (strcmp(member, "truncated") == 0 && yyjson_is_true(value)) ||
                 ((strcmp(member, "last") == 0 || strcmp(member, "hash") == 0) &&
                  !yyjson_is_null(value)))
            yyjson_mut_obj_put(root, yyjson_mut_strcpy(report, member),
                               yyjson_val_mut_copy(report, value));
    }
}

/* In parts, so that it can be told how far it is; at once where checkpoints are to be judged, which are of the whole. */
static int verify(yyjson_mut_doc *report, brant_db *db, const cli_arguments *arguments,
                  yyjson_mut_doc *input) {
    yyjson_mut_val *root = yyjson_mut_doc_get_root(input);
    const bool whole = yyjson_mut_obj_get(root, "checkpoint") ||
                       yyjson_mut_obj_get(root, "checkpoints") || yyjson_mut_obj_get(root, "limit");
    const int64_t total = newest_row(db);
    cli_progress shown;
    bool more = true;
    int exit_code = 0;
    if (!whole) yyjson_mut_obj_add_int(input, root, "limit", ROWS);
    cli_progress_start(&shown, "rows");
    while (more && exit_code == 0) {
        yyjson_doc *answer = NULL;
        exit_code = cli_ask(&answer, db, &arguments->style, "audit.verify",
                            yyjson_mut_doc_mut_copy(input, &cli_json), BRANT_OK);
        if (exit_code == 0) {
            yyjson_val *part = yyjson_doc_get_root(answer), *next = yyjson_obj_get(part, "next");
            add_part(report, part);
            more = next && !whole;
            yyjson_mut_obj_remove_key(root, "from");
            if (more) yyjson_mut_obj_add_sint(input, root, "from", yyjson_get_sint(next));
            cli_progress_show(&shown, cli_number(part, "last"), total);
        }
        yyjson_doc_free(answer);
        if (exit_code == 0 && more && cli_stopped())
            exit_code = cli_fail(&arguments->style, BRANT_INTERRUPTED, "stopped by a signal");
    }
    cli_progress_clear(&shown);
    yyjson_mut_doc_free(input);
    return exit_code;
}

int cli_audit_verify(const cli_arguments *arguments) {
    brant_db *db = NULL;
    yyjson_mut_doc *input = NULL, *report = cli_input();
    int exit_code = cli_operation_begin(&db, &input, arguments);
    if (exit_code == 0) exit_code = verify(report, db, arguments, input);
    if (exit_code == 0) {
        const bool ok =
            yyjson_mut_get_bool(yyjson_mut_obj_get(yyjson_mut_doc_get_root(report), "ok"));
        cli_print_document(stdout, &arguments->style, report);
        report = NULL;
        fflush(stdout);
        if (!ok)
            exit_code =
                cli_fail(&arguments->style, BRANT_CORRUPT, "the audit log is not what was written");
    }
    yyjson_mut_doc_free(report);
    cli_close(db);
    return exit_code;
}

int cli_audit_export(const cli_arguments *arguments) {
    brant_db *db = NULL;
    yyjson_mut_doc *input = NULL;
    int exit_code = cli_operation_begin(&db, &input, arguments);
    if (exit_code == 0) {
        yyjson_mut_val *root = yyjson_mut_doc_get_root(input);
        yyjson_mut_obj_add_int(input, root, "limit", ROWS);
        exit_code =
            cli_text_pages(db, arguments, input, arguments->count > 1 ? arguments->rest[1] : NULL,
                           cli_own(arguments, "--overwrite") != NULL, ROWS, newest_row(db));
    }
    cli_close(db);
    return exit_code;
}

/* ---- status --------------------------------------------------------------------------------------------------------- */

int cli_status_command(const cli_arguments *arguments) {
    static const struct {
        const char *name, *operation, *columns;
    } parts[] = {
        {"graphs", "graphs.list", "name graph_type status nodes edges updated_at"},
        {"queues", "queues.stats",
         "queue state ready delayed running dead oldest_age rates.completed rates.failed"},
        {"streams", "streams.list", "stream count first last consumers updated_at"},
        {"schedules", "schedules.list", "name spec queue paused next_at"},
        {"locks", "locks.list", "name owner expires_at"},
    };
    const cli_style *style = &arguments->style;
    brant_db *db = NULL;
    yyjson_doc *answer = NULL;
    yyjson_mut_doc *report = cli_input();
    yyjson_mut_val *root = yyjson_mut_doc_get_root(report);
    int exit_code = cli_open(&db, arguments, arguments->rest[0]);
    if (exit_code == 0) {
        cli_watch(db, arguments);
        exit_code = cli_ask(&answer, db, style, "db.info", cli_input(), BRANT_OK);
    }
    if (exit_code == 0 && style->table) {
        yyjson_val *info = yyjson_doc_get_root(answer);
        cli_print_name(stdout, yyjson_get_str(yyjson_obj_get(info, "path")));
        printf("  %lld bytes, log %lld\n", (long long)cli_number(info, "size"),
               (long long)cli_number(info, "wal_size"));
    } else if (exit_code == 0) {
        yyjson_mut_obj_add_val(report, root, "info",
                               yyjson_val_mut_copy(report, yyjson_doc_get_root(answer)));
    }
    yyjson_doc_free(answer);
    for (size_t i = 0; exit_code == 0 && i < sizeof parts / sizeof *parts; i++) {
        size_t shown = 0;
        exit_code = cli_ask(&answer, db, style, parts[i].operation, cli_input(), BRANT_OK);
        if (exit_code) break;
        yyjson_val *items = yyjson_obj_get(yyjson_doc_get_root(answer), "items");
        if (!style->table) {
            yyjson_mut_obj_add_val(report, root, parts[i].name, yyjson_val_mut_copy(report, items));
        } else if (yyjson_arr_size(items) > 0) {
            printf("\n%s%s%s\n", cli_on(style, "cyan"), parts[i].name, cli_off(style));
            cli_print_items(stdout, style, items, parts[i].columns, &shown);
        }
        yyjson_doc_free(answer);
    }
    if (exit_code == 0 && !style->table) {
        cli_print_document(stdout, style, report);
        report = NULL;
    }
    yyjson_mut_doc_free(report);
    cli_close(db);
    return exit_code;
}
