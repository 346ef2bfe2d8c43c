/*
 * tests/core/support_audit.h: what the tests of the audit log share: rings with audit keys, rows by the function that the modules use, and other programs that change the file.
 */
#ifndef BRANT_TESTS_SUPPORT_AUDIT_H
#define BRANT_TESTS_SUPPORT_AUDIT_H

#include <sqlite3.h>
#include <stdbool.h>
#include <sys/wait.h>

#include "support_ring.h"

#include "identity/audit.h"

#define AUDIT_KEY(version, state, key)                                                             \
    "{\"purpose\":\"audit\",\"version\":" #version ",\"state\":\"" state "\",\"key\":\"" key "\"}"
#define AUDIT_1 RING(AUDIT_KEY(1, "active", KEY_1))
#define AUDIT_2 RING(AUDIT_KEY(1, "decrypt_only", KEY_1) "," AUDIT_KEY(2, "active", KEY_2))

static inline brant_db *must_open_audited(const char *path) {
    brant_db *db = must_open(path, "");
    must_load(db, AUDIT_1);
    return db;
}

/* One row, as an operation of the library's writes it, in a transaction of its own. */
static inline brant_status append_row(brant_db *db, const char *action, const char *org,
                                      const char *resource, const char *detail,
                                      const char *reason) {
    brant__arena arena = {0};
    brant__call call = {.db = db, .arena = &arena};
    const brant__text none = {NULL, 0};
    const brant__actor actor = {.type = BRANT__TEXT("account"),
                                .id = BRANT__TEXT("a-1"),
                                .reason = reason ? brant__text_string(reason) : none};
    brant__error_clear();
    assert_int_equal(brant__enter(db), BRANT_OK);
    brant_status status = brant__begin(db, BRANT__WRITE);
    if (status == BRANT_OK) {
        status = brant__audit_append(&call, &actor, action, org ? brant__text_string(org) : none,
                                     resource ? brant__text_string(resource) : none,
                                     detail ? brant__text_string(detail) : none);
        if (status == BRANT_OK) status = brant__commit(db);
        if (status != BRANT_OK) brant__rollback(db);
    }
    brant__leave(db);
    brant__arena_free(&arena);
    return status;
}

static inline void must_append(brant_db *db, int count) {
    for (int i = 0; i < count; i++) {
        char resource[32];
        snprintf(resource, sizeof resource, "thing:%d", i);
        if (append_row(db, i % 3 ? "things.update" : "things.create", i % 2 ? "org-1" : NULL,
                       i % 5 ? resource : NULL, "{\"a\":1}", i % 4 ? NULL : "because") != BRANT_OK)
            fail_msg("append: %s", brant_last_error()->message);
    }
}

/*
 * SQL by a program that has none of our code and no guard: the triggers are dropped, unless `guarded`. It is this test's own program, run anew, since a process that is forked off has the
 * handle of the one before, and closing the file in this one would give up our locks. True: it did it. main begins with run_other_program.
 */
static const char *own_program;

static inline bool other_program(const char *path, bool guarded, const char *sql) {
    int how = 0;
    fflush(NULL);
    const pid_t process = fork();
    assert_true(process >= 0);
    if (process == 0) {
        execl(own_program, own_program, "sql", path, guarded ? "guarded" : "unguarded", sql,
              (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(process, &how, 0), process);
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) < 127);
    return WEXITSTATUS(how) == 0;
}

/* -1: this is the test. */
static inline int run_other_program(int count, char **arguments) {
    sqlite3 *db = NULL;
    char *message = NULL;
    own_program = arguments[0];
    if (count != 5 || strcmp(arguments[1], "sql") != 0) return -1;
    const bool guarded = strcmp(arguments[3], "guarded") == 0;
    int code = sqlite3_open(arguments[2], &db);
    sqlite3_busy_timeout(db, 600000);
    if (code == SQLITE_OK && !guarded)
        code = sqlite3_exec(db,
                            "DROP TRIGGER IF EXISTS brant_audit_logs_insert;"
                            "DROP TRIGGER IF EXISTS brant_audit_logs_update;"
                            "DROP TRIGGER IF EXISTS brant_audit_logs_delete",
                            NULL, NULL, &message);
    if (code == SQLITE_OK) code = sqlite3_exec(db, arguments[4], NULL, NULL, &message);
    if (code != SQLITE_OK && !guarded) fprintf(stderr, "%s: %s\n", arguments[4], message);
    sqlite3_free(message);
    sqlite3_close(db);
    return code == SQLITE_OK ? 0 : 1;
}

#endif
