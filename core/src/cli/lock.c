/*
 * cli/lock.c: brant lock run: a command while a lock is held. The lease is kept as long as the command runs; the lock is given back when it ends, and by itself when this process dies.
 */
#include "cli.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_EVERY  250  /* ms between two looks for a signal while the lock is waited for */
#define REFRESH_GAP 1000 /* ms until a refresh that failed for the moment is tried again */
#define END_WITHIN  5000 /* ms that a command whose lock is lost has to end */

extern char **environ;

typedef struct held {
    const char *name;
    char owner[320];
    int64_t ttl, token, expires_at;
    sigset_t signals, before;
} held;

/* The next of our signals within so many ms, 0: none. */
static int next_signal(const held *self, int64_t ms) {
    if (ms < 0) ms = 0;
    const struct timespec wait = {.tv_sec = (time_t)(ms / 1000),
                                  .tv_nsec = (long)(ms % 1000) * 1000000};
    const int number = sigtimedwait(&self->signals, NULL, &wait);
    return number > 0 ? number : 0;
}

/* {"name", "token"?, "ttl"?} */
static yyjson_mut_doc *input_of(const held *self, bool token, bool ttl) {
    yyjson_mut_doc *input = cli_input();
    yyjson_mut_val *root = yyjson_mut_doc_get_root(input);
    yyjson_mut_obj_add_str(input, root, "name", self->name);
    if (token) yyjson_mut_obj_add_sint(input, root, "token", self->token);
    if (ttl && self->ttl > 0) yyjson_mut_obj_add_sint(input, root, "ttl", self->ttl);
    return input;
}

/* ---- the lock ------------------------------------------------------------------------------------------------------- */

static int try_acquire(bool *acquired, held *self, brant_db *db, const cli_arguments *arguments) {
    yyjson_doc *answer = NULL;
    yyjson_mut_doc *input = input_of(self, false, true);
    yyjson_mut_obj_add_str(input, yyjson_mut_doc_get_root(input), "owner", self->owner);
    const int exit_code = cli_ask(&answer, db, &arguments->style, "locks.acquire", input, BRANT_OK);
    yyjson_val *said = yyjson_doc_get_root(answer);
    *acquired = exit_code == 0 && yyjson_get_bool(yyjson_obj_get(said, "acquired"));
    if (*acquired) self->token = cli_number(said, "token");
    self->expires_at = cli_number(said, "expires_at");
    if (exit_code == 0 && !*acquired && cli_own(arguments, "--no-wait"))
        cli_fail(&arguments->style, BRANT_BUSY, "%s holds the lock \"%s\"",
                 yyjson_get_str(yyjson_obj_get(said, "owner")), self->name);
    yyjson_doc_free(answer);
    return exit_code;
}

/* Until the lock is ours, --timeout is over, or a signal comes. */
static int acquire(held *self, brant_db *db, const cli_arguments *arguments) {
    const int64_t until =
        arguments->timeout >= 0 ? cli_monotonic() + arguments->timeout : INT64_MAX;
    static const char operation[] = "locks.watch";
    brant_cursor *cursor = NULL;
    bool acquired = false;
    int exit_code = try_acquire(&acquired, self, db, arguments);
    if (exit_code || acquired) return exit_code;
    if (cli_own(arguments, "--no-wait")) return BRANT_BUSY;
    char *json = NULL;
    size_t length = 0;
    exit_code = cli_input_text(&json, &length, &arguments->style, input_of(self, false, false));
    if (exit_code) return exit_code;
    if (brant_call_open(&cursor, db, operation, strlen(operation), json, length) != BRANT_OK)
        exit_code = cli_print_error(&arguments->style);
    cli_free(json);
    while (exit_code == 0 && !acquired) {
        char *items = NULL;
        size_t size = 0;
        const int64_t left = until - cli_monotonic();
        if (brant_cursor_next(&items, &size, cursor,
                              left < LOOK_EVERY ? (left > 0 ? left : 0) : LOOK_EVERY) != BRANT_OK)
            exit_code = cli_print_error(&arguments->style);
        else if (size > 2)
            exit_code = try_acquire(&acquired, self, db, arguments);
        brant_free(items);
        if (exit_code || acquired) break;
        const int number = next_signal(self, 0);
        if (number && number != SIGCHLD)
            exit_code = cli_fail(&arguments->style, BRANT_INTERRUPTED,
                                 "stopped before the lock was free; the command did not run");
        else if (cli_monotonic() >= until)
            exit_code = cli_fail(&arguments->style, BRANT_TIMEOUT,
                                 "the lock \"%s\" was not free in time; the command did not run",
                                 self->name);
    }
    brant_cursor_free(cursor);
    return exit_code;
}

/* False: the lease is over and somebody else may have the lock. */
static bool refresh(held *self, brant_db *db, const cli_style *style) {
    static const char operation[] = "locks.refresh";
    char *answer = NULL, *json = NULL;
    size_t length = 0, answer_length = 0;
    if (cli_input_text(&json, &length, style, input_of(self, true, true))) return false;
    const brant_status status =
        brant_call(&answer, &answer_length, db, operation, strlen(operation), json, length);
    cli_free(json);
    if (status == BRANT_OK) {
        yyjson_doc *doc = yyjson_read(answer, answer_length, 0);
        self->expires_at = cli_number(yyjson_doc_get_root(doc), "expires_at");
        yyjson_doc_free(doc);
        brant_free(answer);
        return true;
    }
    return status != BRANT_STALE && cli_now() < self->expires_at;
}

/* ---- the command ---------------------------------------------------------------------------------------------------- */

static int start(pid_t *child, const held *self, const cli_arguments *arguments, char **command) {
    posix_spawnattr_t attributes;
    char token[32];
    snprintf(token, sizeof token, "%lld", (long long)self->token);
    setenv("BRANT_LOCK_TOKEN", token, 1);
    setenv("BRANT_LOCK_NAME", self->name, 1);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &self->before);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    const int fault = posix_spawnp(child, command[0], NULL, &attributes, command, environ);
    posix_spawnattr_destroy(&attributes);
    if (fault == 0) return 0;
    cli_fail(&arguments->style, fault == ENOENT ? BRANT_NOT_FOUND : BRANT_DENIED,
             "\"%s\" cannot be run: %s", command[0], strerror(fault));
    return fault == ENOENT ? 127 : 126; /* as shells say it */
}

/* Until the command ends: signals go on to it, the lease is kept. Returns its exit code, or STALE's. */
static int attend(bool *out_lost, pid_t child, held *self, brant_db *db,
                  const cli_arguments *arguments) {
    bool lost = false;
    int64_t again = cli_now() + (self->expires_at - cli_now()) / 3;
    for (;;) {
        int ended = 0;
        if (waitpid(child, &ended, WNOHANG) == child) {
            const int code = WIFEXITED(ended) ? WEXITSTATUS(ended) : 128 + WTERMSIG(ended);
            return lost ? BRANT_STALE : code;
        }
        const int number = next_signal(self, again - cli_now());
        if (number && number != SIGCHLD) {
            /* What the terminal sends goes to its whole group already. */
            if (number == SIGTERM || number == SIGHUP || !isatty(STDIN_FILENO)) kill(child, number);
        } else if (number == 0 && lost) {
            kill(child, SIGKILL);
            again = cli_now() + END_WITHIN;
        } else if (number == 0) {
            const int64_t before = self->expires_at;
            if (refresh(self, db, &arguments->style)) {
                again = cli_now() + (self->expires_at > before ? (self->expires_at - cli_now()) / 3
                                                               : REFRESH_GAP);
                continue;
            }
            *out_lost = lost = true;
            cli_fail(&arguments->style, BRANT_STALE,
                     "the lock \"%s\" is lost: the command is ended", self->name);
            kill(child, SIGTERM);
            again = cli_now() + END_WITHIN;
        }
    }
}

int cli_lock_run(const cli_arguments *arguments) {
    static const int signals[] = {SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    held self = {.name = arguments->rest[1]};
    char host[256] = "";
    const char *ttl = cli_own(arguments, "--ttl"), *owner = cli_own(arguments, "--owner");
    brant_db *db = NULL;
    pid_t child = 0;
    bool lost = false;
    gethostname(host, sizeof host - 1);
    if (owner)
        snprintf(self.owner, sizeof self.owner, "%s", owner);
    else
        snprintf(self.owner, sizeof self.owner, "%s:%ld", host, (long)getpid());
    if (ttl) {
        yyjson_mut_doc *value = cli_input();
        yyjson_mut_val *number = NULL;
        const int wrong = cli_value(&number, value, &arguments->style,
                                    cli_member("locks.acquire", "ttl"), "--ttl", ttl);
        self.ttl = yyjson_mut_get_sint(number);
        yyjson_mut_doc_free(value);
        if (wrong) return wrong;
        if (self.ttl < 1)
            return cli_wrong_usage(&arguments->style, "--ttl wants more than nothing, not", ttl);
    }
    sigemptyset(&self.signals);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaddset(&self.signals, signals[i]);
    sigprocmask(SIG_BLOCK, &self.signals, &self.before);
    int exit_code = cli_open(&db, arguments, arguments->rest[0]);
    if (exit_code == 0) exit_code = acquire(&self, db, arguments);
    if (exit_code == 0) {
        yyjson_doc *answer = NULL;
        exit_code = start(&child, &self, arguments, arguments->rest + 2);
        if (exit_code == 0) exit_code = attend(&lost, child, &self, db, arguments);
        const int released = cli_ask(&answer, db, &arguments->style, "locks.release",
                                     input_of(&self, true, false), BRANT_STALE);
        /* Lost since the last look: what the command did last, it may have done beside another. */
        if (released && !lost) {
            if (released == BRANT_STALE)
                cli_fail(&arguments->style, BRANT_STALE,
                         "the lock \"%s\" was lost before the command ended", self.name);
            if (exit_code == 0) exit_code = released;
        }
        yyjson_doc_free(answer);
    }
    cli_close(db);
    return exit_code;
}
