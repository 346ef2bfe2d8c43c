/*
 * cli/view.c: brant view: a file as a local web page, until it is stopped.
 */
#include "cli.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "view/view.h"

/* In the user's browser, where there is one; the link stands on the terminal in any case. */
static void open_browser(const char *link) {
    static const char *const programs[] = {"xdg-open", "open"};
    const pid_t child = fork();
    if (child == 0) {
        /* The browser outlives the command, and says nothing here. */
        if (setsid() < 0 || fork() != 0) _exit(0);
        if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr)) _exit(1);
        for (size_t i = 0; i < 2; i++)
            execlp(programs[i], programs[i], link, (char *)NULL);
        _exit(1);
    }
    if (child > 0) waitpid(child, NULL, 0);
}

static void show_link(const cli_style *style, view_server *server, bool browser) {
    char link[128];
    view_link(link, sizeof link, server);
    if (style->table)
        printf("%s%s%s\n", cli_on(style, "bold"), link, cli_off(style));
    else
        printf("{\"url\":\"%s\"}\n", link);
    fflush(stdout);
    if (browser) open_browser(link);
}

/* Until a signal or --timeout. Enter on a terminal asks for another link. */
static void wait_for_end(const cli_arguments *arguments, view_server *server) {
    const int64_t end = arguments->timeout < 0 ? INT64_MAX : cli_monotonic() + arguments->timeout;
    struct pollfd input = {.fd = isatty(STDIN_FILENO) ? STDIN_FILENO : -1, .events = POLLIN};
    char line[256];

    while (!cli_stopped() && cli_monotonic() < end) {
        if (poll(&input, 1, 100) <= 0) continue;
        if (read(STDIN_FILENO, line, sizeof line) > 0)
            show_link(&arguments->style, server, false);
        else
            input.fd = -1;
    }
}

static int read_port(int *out, const cli_arguments *arguments) {
    const char *text = cli_own(arguments, "--port");
    char *end = NULL;
    *out = 0;
    if (!text) return 0;
    const long port = strtol(text, &end, 10);
    if (!*text || *end || port < 0 || port > 65535)
        return cli_wrong_usage(&arguments->style, "--port wants a number up to 65535, not", text);
    *out = (int)port;
    return 0;
}

/* ms; 0: the usual. */
static int read_call_timeout(int64_t *out, const cli_arguments *arguments) {
    const char *text = cli_own(arguments, "--call-timeout");
    char *end = NULL;
    *out = 0;
    if (!text) return 0;
    *out = strtoll(text, &end, 10);
    if (!*text || *end || *out < 1 || *out > CLI_TIMEOUT_MAX)
        return cli_wrong_usage(&arguments->style, "--call-timeout wants ms, not", text);
    return 0;
}

int cli_view_command(const cli_arguments *arguments) {
    const char *path = arguments->rest[0], *slash = strrchr(path, '/');
    cli_arguments watched = *arguments;
    view_options options = {.file = slash && slash[1] ? slash + 1 : path,
                            .write = cli_own(arguments, "--write") != NULL};
    view_server *server = NULL;
    char reason[512];
    brant_db *db = NULL;
    int exit_code = read_port(&options.port, arguments);

    if (exit_code == 0) exit_code = read_call_timeout(&options.call_timeout, arguments);
    if (exit_code) return exit_code;
    if (arguments->as)
        return cli_wrong_usage(&arguments->style,
                               "view shows what the owner of the file may see; it takes no",
                               "--as");
    if (!view_has_page())
        return cli_fail(&arguments->style, BRANT_UNSUPPORTED,
                        "this build has no page to show: it was made without core/viewer/build");
    watched.timeout = -1; /* that of the page, not of its calls */
    exit_code = cli_open(&db, arguments, path);
    if (exit_code == 0) {
        cli_watch(db, &watched);
        server = view_start(db, &options, reason, sizeof reason);
        if (!server)
            exit_code =
                cli_fail(&arguments->style, BRANT_IO, "the page cannot be served: %s", reason);
    }
    if (server) {
        if (arguments->style.table)
            fprintf(stderr, "%s, %s. The link works once; Enter gives another, Ctrl-C ends.\n",
                    options.file, options.write ? "for reading and writing" : "for reading only");
        show_link(&arguments->style, server, cli_own(arguments, "--open") != NULL);
        wait_for_end(arguments, server);
    }
    view_stop(server);
    cli_close(db);
    return exit_code;
}
