/*
 * tests/core/support_commit.h: dying before a commit, for a forked process: sqlite3_auto_extension with watch_commits, then commits_left = how many commits go before.
 */
#ifndef BRANT_TESTS_SUPPORT_COMMIT_H
#define BRANT_TESTS_SUPPORT_COMMIT_H

#include <sqlite3.h>
#include <unistd.h>

static int commits_left = -1; /* until the process dies */

static inline int before_commit(void *context) {
    (void)context;
    if (commits_left >= 0 && commits_left-- == 0) _exit(7);
    return 0;
}

static inline int watch_commits(sqlite3 *connection, char **error,
                                const struct sqlite3_api_routines *api) {
    (void)error;
    (void)api;
    sqlite3_commit_hook(connection, before_commit, NULL);
    return SQLITE_OK;
}

#endif
