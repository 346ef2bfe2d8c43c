/*
 * tests/core/child.h: processes beside the test's own: they are forked while this process has no handle open, and say what they found through a pipe. A test that includes it defines
 * _GNU_SOURCE first.
 */
#ifndef BRANT_TESTS_CHILD_H
#define BRANT_TESTS_CHILD_H

#include "support.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>

/* ---- children ------------------------------------------------------------------------------------------------------ */

typedef struct child {
    pid_t process;
    int to, from; /* our ends */
    const char *path;
    int number;
} child;

typedef void (*child_body)(child *self);

/* Those that are not known to have ended: what an assertion leaves behind. */
static pid_t child_processes[64];

static inline void child_note(pid_t process, pid_t instead) {
    for (size_t i = 0; i < sizeof child_processes / sizeof *child_processes; i++) {
        if (child_processes[i] != process) continue;
        child_processes[i] = instead;
        return;
    }
}

/* For tests with children: kill those that run still, before their folder goes. */
static inline int tear_down_children(void **state) {
    for (size_t i = 0; i < sizeof child_processes / sizeof *child_processes; i++) {
        if (child_processes[i] <= 0) continue;
        kill(child_processes[i], SIGKILL);
        waitpid(child_processes[i], NULL, 0);
        child_processes[i] = 0;
    }
    return tear_down_folder(state);
}

/* In a child everything is checked with this: an assertion of cmocka would return to the parent's tests. */
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "child, line %d: %s (%s: %s)\n", __LINE__, #condition,                 \
                    brant_last_error()->name, brant_last_error()->message);                        \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

static inline void fork_child(child *self, child_body body, const char *path, int number) {
    int down[2], up[2];
    assert_int_equal(pipe2(down, O_CLOEXEC), 0);
    assert_int_equal(pipe2(up, O_CLOEXEC), 0);
    self->path = path;
    self->number = number;
    fflush(NULL);
    self->process = fork();
    assert_true(self->process >= 0);
    if (self->process == 0) {
        close(down[1]);
        close(up[0]);
        self->to = up[1];
        self->from = down[0];
        body(self);
        _exit(0);
    }
    child_note(0, self->process);
    close(down[0]);
    close(up[1]);
    self->to = down[1];
    self->from = up[0];
}

static inline void say(child *self) {
    if (write(self->to, "!", 1) != 1) abort();
}

/* Wait until the other side says something. */
static inline bool hear(child *self) {
    char byte;
    return read(self->from, &byte, 1) == 1;
}

static inline void must_end(child *self, int wanted) {
    int status = 0;
    assert_int_equal(waitpid(self->process, &status, 0), self->process);
    child_note(self->process, 0);
    close(self->to);
    close(self->from);
    if (wanted < 0) {
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), -wanted);
    } else {
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), wanted);
    }
}

#endif
