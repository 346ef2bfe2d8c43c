/*
 * cli/ring_file.c: files that hold a key ring. Only their owner may read them; they change as a whole or not at all, and by one process at a time.
 */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define RING_MOST ((size_t)1 << 20) /* bytes; some thousands of keys */
#define OTHERS    (S_IRWXG | S_IRWXO)

static int refuse_errno_of(const cli_style *style, const char *kind, const char *what,
                           const char *path) {
    const brant_status code = errno == ENOENT                      ? BRANT_NOT_FOUND
                              : errno == EACCES || errno == EPERM  ? BRANT_DENIED
                              : errno == ENOSPC || errno == EDQUOT ? BRANT_FULL
                              : errno == EOVERFLOW                 ? BRANT_LIMIT
                                                                   : BRANT_IO;
    const bool ring = strcmp(kind, "key ring") == 0,
               gone = ring && errno == ENOENT && strcmp(what, "read") == 0;
    const char *hint = gone ? " (brant key generate --keys RING makes a new one, which opens "
                              "nothing that another sealed)"
                            : "";
    const char *why = errno == EOVERFLOW ? "longer than it may be" : strerror(errno);
    return cli_fail(style, code, "the %s \"%s\" cannot be %s: %s%s", kind, path, what, why, hint);
}

static int refuse_errno(const cli_style *style, const char *what, const char *path) {
    return refuse_errno_of(style, "key ring", what, path);
}

/* Whoever may read a ring, or write into it, has the secrets. Not known of a pipe, which has its reader alone. */
static int check(const cli_style *style, const struct stat *found, const char *kind,
                 const char *path) {
    if (S_ISDIR(found->st_mode))
        return cli_fail(style, BRANT_INVALID, "the %s \"%s\" is a folder", kind, path);
    if (S_ISREG(found->st_mode) && (found->st_mode & OTHERS))
        return cli_fail(style, BRANT_DENIED,
                        "others than its owner have access to the %s \"%s\" (mode %04o): "
                        "chmod 600 it, and think of its keys as known to them",
                        kind, path, (unsigned)(found->st_mode & 07777));
    return 0;
}

int cli_private_read(cli_text *out, const cli_style *style, const char *kind, const char *path) {
    struct stat found;
    *out = (cli_text){0};
    cli_hide_memory();
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (descriptor < 0 || fstat(descriptor, &found) != 0) {
        const int exit_code = refuse_errno_of(style, kind, "read", path);
        if (descriptor >= 0) close(descriptor);
        return exit_code;
    }
    int exit_code = check(style, &found, kind, path);
    if (exit_code == 0 && !cli_read(out, descriptor, RING_MOST))
        exit_code = refuse_errno_of(style, kind, "read", path);
    close(descriptor);
    return exit_code;
}

int cli_ring_read(cli_text *out, const cli_style *style, const char *path) {
    return cli_private_read(out, style, "key ring", path);
}

/* ---- changing one -------------------------------------------------------------------------------------------------- */

/* The file itself, when `path` is a link to it or lies behind one: so the link stays. NULL, with errno: not even its folder is there. */
static char *resolve(const char *path) {
    char *whole = realpath(path, NULL);
    if (whole || errno != ENOENT) return whole;
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    struct stat link;
    if (!*name || lstat(path, &link) == 0) { /* a link into nowhere */
        errno = ENOENT;
        return NULL;
    }
    char *start = slash == path ? strdup("/")
                  : slash       ? strndup(path, (size_t)(slash - path))
                                : strdup(".");
    char *folder = start ? realpath(start, NULL) : NULL;
    free(start);
    if (folder && asprintf(&whole, "%s/%s", folder, name) < 0) whole = NULL;
    free(folder);
    return whole;
}

/* The file's lock; again where another process has replaced the file meanwhile. -1 with errno. */
static int open_locked(const char *path, struct stat *out) {
    for (;;) {
        struct stat now;
        const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (descriptor < 0) return -1;
        if (fstat(descriptor, out) == 0 &&
            (!S_ISREG(out->st_mode) || flock(descriptor, LOCK_EX) == 0) && stat(path, &now) == 0) {
            if (now.st_ino == out->st_ino && now.st_dev == out->st_dev) return descriptor;
            errno = ENOENT;
        }
        const int error = errno;
        close(descriptor);
        if (error != ENOENT && error != EINTR) {
            errno = error;
            return -1;
        }
    }
}

int cli_ring_open(cli_ring_file *out, cli_text *text, const cli_style *style, const char *path) {
    struct stat found;
    *text = (cli_text){0};
    *out = (cli_ring_file){.path = resolve(path), .descriptor = -1, .mode = S_IRUSR | S_IWUSR};
    cli_hide_memory();
    if (!out->path) return refuse_errno(style, "made", path);
    out->descriptor = open_locked(out->path, &found);
    if (out->descriptor < 0) return errno == ENOENT ? 0 : refuse_errno(style, "read", path);
    const int exit_code = check(style, &found, "key ring", path);
    if (exit_code) return exit_code;
    if (!S_ISREG(found.st_mode))
        return cli_fail(style, BRANT_INVALID, "\"%s\" is no regular file, so no key is added",
                        path);
    if (found.st_uid != geteuid())
        return cli_fail(style, BRANT_DENIED, "the key ring \"%s\" has another owner, who adds keys",
                        path);
    out->mode = found.st_mode & 07777;
    return cli_read(text, out->descriptor, RING_MOST) ? 0 : refuse_errno(style, "read", path);
}

void cli_ring_close(cli_ring_file *ring) {
    if (ring->descriptor >= 0) close(ring->descriptor);
    free(ring->path);
    *ring = (cli_ring_file){.descriptor = -1};
}

/* The folder's entry of a file; false with errno. */
static bool sync_folder(const char *path) {
    const char *slash = strrchr(path, '/');
    char *folder = strndup(path, slash == path ? 1 : (size_t)(slash - path));
    const int descriptor = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    const bool good = descriptor >= 0 &&
                      (fsync(descriptor) == 0 || errno == EINVAL); /* not every file system can */
    const int error = errno;
    if (descriptor >= 0) close(descriptor);
    free(folder);
    errno = error;
    return good;
}

/* A new file beside the ring, complete and on the disk; `name` is a template of mkstemp and becomes its name. */
static bool write_beside(char *name, const cli_ring_file *ring, const cli_text *text) {
    const int descriptor = mkstemp(name);
    if (descriptor < 0) return false;
    const bool good = fchmod(descriptor, ring->mode) == 0 &&
                      cli_write(descriptor, text->data, text->length) && fsync(descriptor) == 0;
    const int error = errno;
    close(descriptor);
    if (!good) unlink(name);
    errno = error;
    return good;
}

int cli_ring_replace(const cli_ring_file *ring, const cli_style *style, const cli_text *text) {
    char *beside = NULL;
    sigset_t all, before;
    int exit_code = 0;
    if (asprintf(&beside, "%s.XXXXXX", ring->path) < 0)
        return cli_fail(style, BRANT_NO_MEMORY, "out of memory");
    /* So that no file with keys is left over. */
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    if (!write_beside(beside, ring, text)) {
        exit_code = refuse_errno(style, "written", ring->path);
    } else if (ring->descriptor >= 0) {
        if (rename(beside, ring->path) != 0) exit_code = refuse_errno(style, "written", ring->path);
    } else if (link(beside, ring->path) != 0) { /* which never replaces another's */
        exit_code =
            errno == EEXIST
                ? cli_fail(style, BRANT_CONFLICT,
                           "another process made the key ring \"%s\" at this moment: call again",
                           ring->path)
                : refuse_errno(style, "made", ring->path);
    }
    if (exit_code != 0 || ring->descriptor < 0) unlink(beside);
    if (exit_code == 0 && !sync_folder(ring->path))
        exit_code = refuse_errno(style, "brought to the disk", ring->path);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    free(beside);
    return exit_code;
}
