/*
 * torture/crash_point.c: a library to preload, which ends or fails a program at its Nth change of a file. See crash.py.
 *
 * BRANT_CRASH_AT     N, from 1; absent: count only
 * BRANT_CRASH_HOW    kill (before the change), torn (half of a write, then kill), ENOSPC or EIO (this change and all later ones fail)
 * BRANT_CRASH_COUNT  a file, to which the number of changes is written at exit
 *
 * What counts: writes to files, truncation, syncing, linking, renaming, unlinking, folders made and removed. Descriptors 0 to 2, sockets and pipes do not.
 *
 * A program that has it in itself and forks its victims, as hub_crash.c, sets the point by crash_point_set.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "crash_point.h"

static atomic_long changes;
static long at;
static enum { KILL, TORN, FAIL } how;
static int failure;

__attribute__((constructor)) static void begin(void) {
    const char *point = getenv("BRANT_CRASH_AT"), *manner = getenv("BRANT_CRASH_HOW");
    at = point ? strtol(point, NULL, 10) : 0;
    how = manner && strcmp(manner, "torn") == 0 ? TORN : manner && *manner == 'E' ? FAIL : KILL;
    failure = manner && strcmp(manner, "ENOSPC") == 0 ? ENOSPC : EIO;
}

__attribute__((destructor)) static void end(void) {
    const char *path = getenv("BRANT_CRASH_COUNT");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!file) return;
    fprintf(file, "%ld\n", (long)changes);
    fclose(file);
}

void crash_point_set(long point, bool torn) {
    atomic_store(&changes, 0);
    at = point;
    how = torn ? TORN : KILL;
}

long crash_point_count(void) {
    return atomic_load(&changes);
}

/* Count a change; true: it is to fail. Does not return at a point where the program dies, but for torn writes. */
static bool reached(bool writes) {
    const long here = atomic_fetch_add(&changes, 1) + 1;
    if (at == 0 || here < at) return false;
    if (how == FAIL) {
        errno = failure;
        return true;
    }
    if (how == TORN && writes) return true;
    kill(getpid(), SIGKILL);
    return false;
}

static bool counts(int fd) {
    struct stat there;
    return fd > 2 && fstat(fd, &there) == 0 && S_ISREG(there.st_mode);
}

#define REAL(name) (__extension__(__typeof__(&name)) dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *bytes, size_t size) {
    if (counts(fd) && reached(true)) {
        if (how == FAIL) return -1;
        (void)!REAL(write)(fd, bytes, size / 2);
        kill(getpid(), SIGKILL);
    }
    return REAL(write)(fd, bytes, size);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset) {
    if (counts(fd) && reached(true)) {
        if (how == FAIL) return -1;
        (void)!REAL(pwrite)(fd, bytes, size / 2, offset);
        kill(getpid(), SIGKILL);
    }
    return REAL(pwrite)(fd, bytes, size, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset) {
    if (counts(fd) && reached(true)) {
        if (how == FAIL) return -1;
        (void)!REAL(pwrite64)(fd, bytes, size / 2, offset);
        kill(getpid(), SIGKILL);
    }
    return REAL(pwrite64)(fd, bytes, size, offset);
}

int fsync(int fd) {
    return counts(fd) && reached(false) ? -1 : REAL(fsync)(fd);
}
int fdatasync(int fd) {
    return counts(fd) && reached(false) ? -1 : REAL(fdatasync)(fd);
}
int ftruncate(int fd, off_t size) {
    return counts(fd) && reached(false) ? -1 : REAL(ftruncate)(fd, size);
}
int ftruncate64(int fd, off64_t size) {
    return counts(fd) && reached(false) ? -1 : REAL(ftruncate64)(fd, size);
}
int unlink(const char *path) {
    return reached(false) ? -1 : REAL(unlink)(path);
}
int unlinkat(int folder, const char *path, int flags) {
    return reached(false) ? -1 : REAL(unlinkat)(folder, path, flags);
}
int link(const char *from, const char *to) {
    return reached(false) ? -1 : REAL(link)(from, to);
}
int mkdir(const char *path, mode_t mode) {
    return reached(false) ? -1 : REAL(mkdir)(path, mode);
}
int rmdir(const char *path) {
    return reached(false) ? -1 : REAL(rmdir)(path);
}
int rename(const char *from, const char *to) {
    return reached(false) ? -1 : REAL(rename)(from, to);
}
