/*
 * cli/prompt.c: questions on the terminal. While a secret is typed nothing is echoed; whatever signal ends or stops the process meanwhile,
 * the terminal is set back before the signal takes effect.
 */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/select.h>
#include <termios.h>
#include <unistd.h>

#define LINE_MOST 4095 /* bytes that a terminal gives of a line; it drops the others silently */

static const int caught_signals[] = {SIGALRM, SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM, SIGTSTP};
enum { CAUGHT = sizeof caught_signals / sizeof *caught_signals };

static volatile sig_atomic_t caught;
static void catch_signal(int number) {
    caught = number;
}

typedef struct terminal {
    int out; /* the terminal, or standard error */
    struct termios before;
    struct sigaction actions[CAUGHT];
    sigset_t mask;
    bool changed;
} terminal;

static void say(const terminal *self, const char *text) {
    (void)cli_write(self->out, text, strlen(text));
}

/* Signals are blocked, but where the line is waited for. What is typed already was echoed: it is dropped. */
static void begin(terminal *self, bool echo) {
    const struct sigaction catching = {.sa_handler = catch_signal};
    sigset_t blocked;
    *self = (terminal){.out = open("/dev/tty", O_WRONLY | O_CLOEXEC | O_NOCTTY)};
    if (self->out < 0) self->out = STDERR_FILENO;
    caught = 0;
    sigemptyset(&blocked);
    for (int i = 0; i < CAUGHT; i++)
        sigaddset(&blocked, caught_signals[i]);
    sigprocmask(SIG_BLOCK, &blocked, &self->mask);
    for (int i = 0; i < CAUGHT; i++) {
        sigaction(caught_signals[i], NULL, &self->actions[i]);
        if (self->actions[i].sa_handler != SIG_IGN) sigaction(caught_signals[i], &catching, NULL);
    }
    if (!echo && tcgetattr(STDIN_FILENO, &self->before) == 0) {
        struct termios silent = self->before;
        silent.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
        silent.c_lflag |= ICANON | ISIG;
        self->changed = tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
    }
}

static void end(terminal *self) {
    if (self->changed) tcsetattr(STDIN_FILENO, TCSANOW, &self->before);
    for (int i = 0; i < CAUGHT; i++)
        sigaction(caught_signals[i], &self->actions[i], NULL);
    if (self->out != STDERR_FILENO) close(self->out);
    if (caught) raise(caught);
    sigprocmask(SIG_SETMASK, &self->mask, NULL); /* and here it takes effect */
}

/* A line without its newline. False: a signal came, or there is no line. */
static bool read_line(const terminal *self, cli_text *out) {
    size_t capacity = 256;
    *out = (cli_text){.data = cli_alloc(capacity)};
    for (;;) {
        fd_set waited;
        FD_ZERO(&waited);
        FD_SET(STDIN_FILENO, &waited);
        ssize_t got = pselect(STDIN_FILENO + 1, &waited, NULL, NULL, NULL, &self->mask);
        if (caught) break;
        if (got < 0 && errno == EINTR) continue;
        if (out->length + 2 > capacity) out->data = cli_grow(out->data, capacity *= 2);
        if (got > 0) got = read(STDIN_FILENO, out->data + out->length, capacity - 1 - out->length);
        if (got <= 0) break;
        out->length += (size_t)got;
        if (out->data[out->length - 1] != '\n') continue;
        out->data[--out->length] = '\0';
        return true;
    }
    cli_text_free(out);
    return false;
}

/* Twice, in one go, so that both may be pasted at once. Returns -1 where a signal stopped it for a while. */
static int ask_twice(cli_text *out, const cli_style *style, const char *prompt) {
    terminal self;
    cli_text again = {0};
    begin(&self, false);
    say(&self, prompt);
    say(&self, ": ");
    bool good = self.changed && read_line(&self, out);
    if (good) say(&self, "\nthe same again: ");
    good = good && read_line(&self, &again);
    say(&self, "\n");
    const bool interrupted = caught != 0, hidden = self.changed;
    end(&self);
    int exit_code = 0;
    if (interrupted)
        exit_code = -1;
    else if (!hidden)
        exit_code = cli_fail(style, BRANT_IO, "the terminal's echo cannot be switched off");
    else if (!good)
        exit_code = cli_fail(style, BRANT_INTERRUPTED, "no value was given; nothing is changed");
    else if (out->length >= LINE_MOST)
        exit_code = cli_fail(style, BRANT_LIMIT,
                             "a terminal takes no longer line: give the value on standard input");
    else if (again.length != out->length || memcmp(again.data, out->data, out->length) != 0)
        exit_code = cli_fail(style, BRANT_INVALID, "the two differ; nothing is changed");
    cli_text_free(&again);
    if (exit_code) cli_text_free(out);
    return exit_code;
}

int cli_prompt_secret(cli_text *out, const cli_style *style, const char *prompt) {
    int exit_code = -1;
    while (exit_code < 0)
        exit_code = ask_twice(out, style, prompt);
    return exit_code;
}

bool cli_prompt_yes(const char *question) {
    terminal self;
    cli_text answer = {0};
    begin(&self, true);
    say(&self, question);
    say(&self, " [y/N] ");
    const bool good = read_line(&self, &answer);
    if (!good) say(&self, "\n");
    end(&self);
    const bool yes = good && (strcmp(answer.data, "y") == 0 || strcmp(answer.data, "yes") == 0);
    cli_text_free(&answer);
    return yes;
}
