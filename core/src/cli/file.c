/*
 * cli/file.c: a brant file for a command: opening, its key ring, signals and time limit, calls.
 */
#include "cli.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- signals ------------------------------------------------------------------------------------------------------ */

/* brant_interrupt takes a mutex, so it is not for a signal handler: a thread of its own waits for the signals. */
static brant_db *running;
static atomic_bool stopped;
static sigset_t stop_signals;
static void *wait_for_signal(void *unused) {
    int number = 0;
    (void)unused;
    if (sigwait(&stop_signals, &number) == 0) {
        atomic_store(&stopped, true);
        brant_interrupt(running);
    }
    return NULL;
}

bool cli_stopped(void) {
    return atomic_load(&stopped);
}

void cli_watch(brant_db *db, const cli_arguments *arguments) {
    pthread_t thread;
    running = db;
    sigemptyset(&stop_signals);
    sigaddset(&stop_signals, SIGINT);
    sigaddset(&stop_signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &stop_signals, NULL);
    if (pthread_create(&thread, NULL, wait_for_signal, NULL) == 0) pthread_detach(thread);
    if (arguments->timeout >= 0) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        brant_deadline_set(db,
                           (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + arguments->timeout);
    }
}

/* ---- opening ------------------------------------------------------------------------------------------------------ */

/* The user's --options with the mode that the other flags say. */
static char *open_options(const cli_arguments *arguments) {
    yyjson_doc *given =
        arguments->options ? yyjson_read(arguments->options, strlen(arguments->options), 0) : NULL;
    yyjson_val *root = yyjson_doc_get_root(given);
    if (arguments->options && !yyjson_is_obj(root)) {
        yyjson_doc_free(given);
        return strdup(arguments->options); /* brant_open says what is wrong with it */
    }
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *object = root ? yyjson_val_mut_copy(doc, root) : yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, object);
    /* A mode of --options stands; brant_open refuses two of them, so that neither is ignored. */
    if (arguments->read_only || arguments->create || !yyjson_mut_obj_get(object, "mode"))
        yyjson_mut_obj_add_str(doc, object, "mode",
                               arguments->read_only ? "ro"
                               : arguments->create  ? "create"
                                                    : "rw");
    char *text = yyjson_mut_write(doc, 0, NULL);
    yyjson_mut_doc_free(doc);
    yyjson_doc_free(given);
    return text;
}

int cli_open(brant_db **out, const cli_arguments *arguments, const char *path) {
    char *options = open_options(arguments);
    if (!options) return BRANT_NO_MEMORY;
    const brant_status status = brant_open(out, path, strlen(path), options, strlen(options));
    free(options);
    if (status == BRANT_OK) return 0;
    cli_print_error(&arguments->style);
    if (status == BRANT_NOT_FOUND && !arguments->options && !arguments->read_only)
        fprintf(stderr, "brant: the option --create makes the file\n");
    return status;
}

void cli_close(brant_db *db) {
    brant_close(db);
    /* The signal thread may look at the shell until the end of the process. */
    if (db != running) brant_db_free(db);
}

int cli_load_keys(brant_db *db, const cli_arguments *arguments, const char *who_needs) {
    const char *path = arguments->keys ? arguments->keys : getenv("BRANT_KEYS");
    cli_text ring = {0};
    if (!path || !*path) {
        if (!who_needs) return 0;
        return cli_wrong_usage(&arguments->style,
                               "a key ring is needed: --keys RING, or its name in BRANT_KEYS "
                               "(brant key generate --keys RING makes one) for",
                               who_needs);
    }
    int exit_code = cli_ring_read(&ring, &arguments->style, path);
    if (exit_code == 0 && brant_keyring_load(db, ring.data, ring.length) != BRANT_OK) {
        fprintf(stderr, "brant: the key ring ");
        cli_print_name(stderr, path);
        fprintf(stderr, " is not acceptable\n");
        exit_code = cli_print_error(&arguments->style);
    }
    cli_text_free(&ring);
    return exit_code;
}

/* ---- calls -------------------------------------------------------------------------------------------------------- */

yyjson_mut_doc *cli_input(void) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(&cli_json);
    yyjson_mut_val *object = doc ? yyjson_mut_obj(doc) : NULL;
    if (!object) {
        fputs("brant: out of memory\n", stderr);
        exit(BRANT_NO_MEMORY);
    }
    yyjson_mut_doc_set_root(doc, object);
    return doc;
}

int cli_ask(yyjson_doc **out, brant_db *db, const cli_style *style, const char *operation,
            yyjson_mut_doc *input, brant_status expected) {
    size_t length = 0, answer_length = 0;
    char *answer = NULL;
    *out = NULL;
    char *json = yyjson_mut_write_opts(input, 0, &cli_json, &length, NULL);
    yyjson_mut_doc_free(input);
    if (!json) return cli_fail(style, BRANT_INVALID, "an argument is not UTF-8 text");
    const brant_status status =
        brant_call(&answer, &answer_length, db, operation, strlen(operation), json, length);
    cli_free(json);
    if (status != BRANT_OK) return status == expected ? (int)status : cli_print_error(style);
    *out = yyjson_read_opts(answer, answer_length, 0, &cli_json, NULL);
    brant_free(answer);
    return *out ? 0 : cli_fail(style, BRANT_NO_MEMORY, "out of memory");
}
