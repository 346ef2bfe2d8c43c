/*
 * cli/file.c: a brant file for a command: opening, its key ring, signals and time limit, calls.
 */
#include "cli.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- signals ------------------------------------------------------------------------------------------------------ */

/* brant_interrupt takes a mutex, so it is not for a signal handler: a thread of its own waits for the signals. */
static brant_db *running;
static atomic_bool stopped, waiting;
static sigset_t stop_signals;

/* An interrupt ends what runs at that moment: a wait that begins a little later is told again, and a second signal ends a call that did. */
static void *wait_for_signal(void *unused) {
    const struct timespec moment = {.tv_nsec = 100000000};
    int number = 0;
    (void)unused;
    if (sigwait(&stop_signals, &number) != 0) return NULL;
    atomic_store(&stopped, true);
    brant_interrupt(running);
    for (;;)
        if (sigtimedwait(&stop_signals, NULL, &moment) > 0 || atomic_load(&waiting))
            brant_interrupt(running);
}

void cli_waits(bool now) {
    atomic_store(&waiting, now);
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
    if (arguments->timeout >= 0) brant_deadline_set(db, cli_now() + arguments->timeout);
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

/* The hub that the handle is of, when the path is one's folder, and the session's own handle behind --as. */
static brant_hub *hub;
static brant_db *behind;
static bool is_session;

static bool is_hub(const char *path) {
    struct stat found;
    if (stat(path, &found) != 0 || !S_ISDIR(found.st_mode)) return false;
    const int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool yes = folder >= 0 && fstatat(folder, "system.db", &found, 0) == 0;
    if (folder >= 0) close(folder);
    return yes;
}

/* The id of --org, which may be a slug; free(). NULL: it has said what is wrong, with *exit_code. */
static char *organization_id(const cli_arguments *arguments, int *exit_code) {
    yyjson_doc *answer = NULL;
    const char *org = arguments->org;
    yyjson_mut_doc *input = cli_input();
    const bool id = strlen(org) == 36 && strspn(org, "0123456789abcdef-") == 36;
    yyjson_mut_obj_add_str(input, yyjson_mut_doc_get_root(input), id ? "id" : "slug", org);
    *exit_code = cli_ask(&answer, brant_hub_system(hub), &arguments->style, "organizations.get",
                         input, BRANT_OK);
    const char *found = yyjson_get_str(yyjson_obj_get(yyjson_doc_get_root(answer), "id"));
    char *copy = found ? strdup(found) : NULL;
    yyjson_doc_free(answer);
    return copy;
}

static int open_hub(brant_db **out, const cli_arguments *arguments, const char *path,
                    const char *options) {
    int exit_code = 0;
    if (brant_hub_open(&hub, path, strlen(path), options, strlen(options)) != BRANT_OK)
        return cli_print_error(&arguments->style);
    *out = brant_hub_system(hub);
    if (!arguments->org || arguments->as) return 0;
    char *id = organization_id(arguments, &exit_code);
    if (id && brant_hub_acquire(out, hub, id, strlen(id)) != BRANT_OK)
        exit_code = cli_print_error(&arguments->style);
    free(id);
    return exit_code;
}

/* Is the organisation of a session the one that --org asks for? */
static int check_organization(const cli_arguments *arguments, yyjson_val *answer) {
    yyjson_val *organization = yyjson_obj_get(answer, "organization");
    if (!arguments->org || yyjson_equals_str(yyjson_obj_get(organization, "id"), arguments->org) ||
        yyjson_equals_str(yyjson_obj_get(organization, "slug"), arguments->org))
        return 0;
    return cli_fail(&arguments->style, BRANT_DENIED,
                    "the API key is not of the organization \"%s\"", arguments->org);
}

/* Of a hub: on the file of the key's organisation, by the hub's own rules. */
static int hub_session(brant_db **db, const cli_arguments *arguments, const cli_text *token) {
    char *json = NULL;
    size_t length = 0;
    if (brant_hub_authenticate(db, &json, &length, hub, token->data, token->length) != BRANT_OK) {
        *db = brant_hub_system(hub);
        return cli_print_error(&arguments->style);
    }
    yyjson_doc *answer = yyjson_read_opts(json, length, 0, &cli_json, NULL);
    brant_free(json);
    const int exit_code = check_organization(arguments, yyjson_doc_get_root(answer));
    yyjson_doc_free(answer);
    return exit_code;
}

static int file_session(brant_db **db, const cli_arguments *arguments, const cli_text *token) {
    yyjson_doc *answer = NULL;
    yyjson_mut_doc *input = cli_input();
    yyjson_mut_obj_add_strn(input, yyjson_mut_doc_get_root(input), "token", token->data,
                            token->length);
    int exit_code = cli_ask(&answer, *db, &arguments->style, "auth.authenticate", input, BRANT_OK);
    if (exit_code) return exit_code;
    size_t length = 0;
    brant_db *session = NULL;
    char *json = yyjson_val_write_opts(yyjson_obj_get(yyjson_doc_get_root(answer), "identity"), 0,
                                       &cli_json, &length, NULL);
    if (!json || brant_session_open(&session, *db, json, length) != BRANT_OK) {
        exit_code = cli_print_error(&arguments->style);
    } else {
        behind = *db;
        *db = session;
    }
    cli_free(json);
    yyjson_doc_free(answer);
    return exit_code;
}

/* What the API key in the file of --as may, instead of a handle that may all. */
static int open_session(brant_db **db, const cli_arguments *arguments) {
    cli_text token = {0};
    int exit_code = cli_load_keys(*db, arguments, NULL); /* a session takes no ring */
    if (exit_code == 0)
        exit_code =
            cli_private_read(&token, &arguments->style, "file of an API key", arguments->as);
    if (exit_code) return exit_code;
    while (token.length > 0 && strchr("\r\n", token.data[token.length - 1]))
        token.data[--token.length] = '\0';
    exit_code = hub ? hub_session(db, arguments, &token) : file_session(db, arguments, &token);
    cli_text_free(&token);
    is_session = exit_code == 0;
    return exit_code;
}

int cli_open(brant_db **out, const cli_arguments *arguments, const char *path) {
    int exit_code = 0;
    char *options = open_options(arguments);
    if (!options) return BRANT_NO_MEMORY;
    /* A folder that is to be made is named as one: hub/ */
    const size_t length = strlen(path);
    if (is_hub(path) || (arguments->create && length > 1 && path[length - 1] == '/')) {
        exit_code = open_hub(out, arguments, path, options);
    } else if (arguments->org) {
        exit_code =
            cli_wrong_usage(&arguments->style, "--org wants the folder of a hub, not", path);
    } else if (brant_open(out, path, strlen(path), options, strlen(options)) != BRANT_OK) {
        exit_code = cli_print_error(&arguments->style);
        if (exit_code == BRANT_NOT_FOUND && !arguments->options && !arguments->read_only)
            fprintf(stderr, "brant: the option --create makes the file\n");
        if (exit_code == BRANT_READ_ONLY && !arguments->options && !arguments->read_only &&
            strstr(brant_last_error()->message, "mode \"ro\""))
            fprintf(stderr, "brant: the option --read-only opens it so\n");
    }
    free(options);
    if (exit_code == 0 && arguments->as) exit_code = open_session(out, arguments);
    return exit_code;
}

void cli_close(brant_db *db) {
    const bool whole_hub = hub && db == brant_hub_system(hub);
    if (hub && !whole_hub) brant_hub_release(hub, db);
    if (!whole_hub) brant_close(db);
    brant_close(behind);
    /* The signal thread may look at the shell until the end of the process. */
    if (db != running && !whole_hub) brant_db_free(db);
    brant_db_free(behind);
    behind = NULL;
    brant_hub_close(hub); /* its shell and that of the system's handle go with the process */
}

/* Into a hub's system file, too, which knows whose API keys are. */
static brant_status load_ring(brant_db *db, const cli_text *ring) {
    brant_status status = BRANT_OK;
    if (hub) status = brant_hub_keyring_load(hub, ring->data, ring->length);
    if (status == BRANT_OK && (!hub || db != brant_hub_system(hub)))
        status = brant_keyring_load(db, ring->data, ring->length);
    return status;
}

int cli_load_keys(brant_db *db, const cli_arguments *arguments, const char *who_needs) {
    const char *path = arguments->keys ? arguments->keys : getenv("BRANT_KEYS");
    cli_text ring = {0};
    if (is_session) return 0; /* what is behind it has the ring */
    if (!path || !*path) {
        if (!who_needs) return 0;
        return cli_wrong_usage(&arguments->style,
                               "a key ring is needed: --keys RING, or its name in BRANT_KEYS "
                               "(brant key generate --keys RING makes one) for",
                               who_needs);
    }
    int exit_code = cli_ring_read(&ring, &arguments->style, path);
    if (exit_code == 0 && load_ring(db, &ring) != BRANT_OK) {
        fprintf(stderr, "brant: the key ring ");
        cli_print_name(stderr, path);
        fprintf(stderr, " is not acceptable\n");
        exit_code = cli_print_error(&arguments->style);
    }
    cli_text_free(&ring);
    return exit_code;
}

int cli_confirm(const cli_arguments *arguments, const char *question) {
    if (arguments->yes) return 0;
    if (!isatty(STDIN_FILENO)) {
        char what[256];
        snprintf(what, sizeof what, "%s wants --yes where nobody can be asked",
                 arguments->command->name);
        return cli_wrong_usage(&arguments->style, what, NULL);
    }
    if (cli_prompt_yes(question)) return 0;
    return cli_fail(&arguments->style, BRANT_INTERRUPTED, "nothing is changed");
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

int64_t cli_number(yyjson_val *object, const char *name) {
    return yyjson_get_sint(yyjson_obj_get(object, name));
}

int cli_input_text(char **out, size_t *out_length, const cli_style *style, yyjson_mut_doc *input) {
    *out = yyjson_mut_write_opts(input, 0, &cli_json, out_length, NULL);
    yyjson_mut_doc_free(input);
    return *out ? 0 : cli_fail(style, BRANT_INVALID, "an argument is not UTF-8 text");
}

int cli_ask(yyjson_doc **out, brant_db *db, const cli_style *style, const char *operation,
            yyjson_mut_doc *input, brant_status expected) {
    size_t length = 0, answer_length = 0;
    char *answer = NULL, *json = NULL;
    *out = NULL;
    const int exit_code = cli_input_text(&json, &length, style, input);
    if (exit_code) return exit_code;
    const brant_status status =
        brant_call(&answer, &answer_length, db, operation, strlen(operation), json, length);
    cli_free(json);
    if (status != BRANT_OK) return status == expected ? (int)status : cli_print_error(style);
    *out = yyjson_read_opts(answer, answer_length, 0, &cli_json, NULL);
    brant_free(answer);
    return *out ? 0 : cli_fail(style, BRANT_NO_MEMORY, "out of memory");
}
