/*
 * store/descriptor.c: which descriptors of this process belong to our SQLite, and the guards that need to know.
 *
 * Two copies of SQLite in one process that open one file break each other's POSIX locks, because closing any descriptor
 * of a file drops every lock that the process holds on it. Our copy is private, so every descriptor that it opens passes through our
 * `open` and `close` here and is noted; any other descriptor on the same device and inode is foreign.
 * State of the process, not of a handle: descriptors are. Guarded by one mutex, also while one is opened or closed.
 */
#define _GNU_SOURCE
#include "store/handle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/vfs.h>
#elif defined(__APPLE__)
#include <sys/mount.h>
#include <sys/param.h>
#endif

static pthread_mutex_t owned_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t *owned; /* a bit per descriptor */
static size_t owned_words;
static bool watching;

/* Under the lock. */
static void note(int descriptor, bool ours) {
    if (descriptor < 0) return;
    const size_t word = (size_t)descriptor / 64;
    const uint64_t bit = (uint64_t)1 << ((unsigned)descriptor % 64);
    if (ours && word >= owned_words) {
        /* Plain realloc: it lives as long as the process, whatever allocator comes and goes. */
        const size_t words = word + 16;
        uint64_t *grown = realloc(owned, words * sizeof *grown);
        if (grown) {
            memset(grown + owned_words, 0, (words - owned_words) * sizeof *grown);
            owned = grown;
            owned_words = words;
        }
    }
    if (word < owned_words) {
        if (ours)
            owned[word] |= bit;
        else
            owned[word] &= ~bit;
    }
}

static int watched_open(const char *path, int flags, int mode) {
    pthread_mutex_lock(&owned_lock);
    const int descriptor = open(path, flags | O_CLOEXEC, mode);
    note(descriptor, true);
    const int error = errno;
    pthread_mutex_unlock(&owned_lock);
    errno = error;
    return descriptor;
}

static int watched_close(int descriptor) {
    pthread_mutex_lock(&owned_lock);
    note(descriptor, false);
    const int result = close(descriptor), error = errno;
    pthread_mutex_unlock(&owned_lock);
    errno = error;
    return result;
}

/* A child of fork must not inherit the lock from a thread that it does not have. */
static void lock_owned(void) {
    pthread_mutex_lock(&owned_lock);
}
static void unlock_owned(void) {
    pthread_mutex_unlock(&owned_lock);
}

brant_status brant__descriptor_watch(void) {
    brant_status status = BRANT_OK;
    pthread_mutex_lock(&owned_lock);
    if (!watching) {
        const int code = sqlite3_initialize();
        sqlite3_vfs *vfs = code == SQLITE_OK ? sqlite3_vfs_find("unix") : NULL;
        if (code == SQLITE_NOMEM || pthread_atfork(lock_owned, unlock_owned, unlock_owned) != 0)
            status = brant__fail_memory();
        else if (vfs && vfs->iVersion >= 3 &&
                 vfs->xSetSystemCall(vfs, "open", (sqlite3_syscall_ptr)watched_open) == SQLITE_OK &&
                 vfs->xSetSystemCall(vfs, "close", (sqlite3_syscall_ptr)watched_close) == SQLITE_OK)
            watching = true;
        else
            status = brant__fail(BRANT_INTERNAL, "this SQLite has no unix file layer to watch");
    }
    pthread_mutex_unlock(&owned_lock);
    return status;
}

/* Under the lock. */
static bool is_owned(int descriptor) {
    const size_t word = (size_t)descriptor / 64;
    return word < owned_words && (owned[word] >> ((unsigned)descriptor % 64) & 1);
}

/* By descriptor only: opening the path here and closing it would be the very fault that this guards against. */
static bool is_foreign(int descriptor, const struct stat *file) {
    struct stat other;
    if (is_owned(descriptor) || fstat(descriptor, &other) != 0) return false;
    if (other.st_dev != file->st_dev || other.st_ino != file->st_ino) return false;
#if defined(O_PATH)
    const int flags = fcntl(descriptor, F_GETFL);
    if (flags >= 0 && (flags & O_PATH)) return false; /* takes part in no locking */
#endif
    return true;
}

/* Above all descriptors that are open. 0: not known, or so high that to list the open ones takes less than to try all. */
static int descriptor_bound(void) {
    long bound = 0;
#if defined(__linux__)
    char text[1024];
    const int status = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    const ssize_t length = status >= 0 ? read(status, text, sizeof text - 1) : -1;
    if (status >= 0) close(status);
    if (length <= 0) return 0;
    text[length] = '\0';
    const char *size = strstr(text, "\nFDSize:");
    if (size) bound = strtol(size + sizeof "\nFDSize:" - 1, NULL, 10);
#endif
    return bound > 0 && bound <= 16384 ? (int)bound : 0;
}

/* Under the lock. A hub has thousands of descriptors, nearly all of them ours: of those none is asked for, while listing costs as much for each. */
static int find_foreign(const struct stat *file) {
    const int bound = descriptor_bound();
    for (int descriptor = 0; descriptor < bound; descriptor++)
        if (is_foreign(descriptor, file)) return descriptor;
    if (bound > 0) return -1;
    int found = -1;
    DIR *folder = opendir("/proc/self/fd");
    if (!folder) folder = opendir("/dev/fd");
    if (folder) {
        const int own = dirfd(folder);
        struct dirent *entry;
        while (found < 0 && (entry = readdir(folder))) {
            char *end = NULL;
            const long descriptor = strtol(entry->d_name, &end, 10);
            if (end == entry->d_name || *end || descriptor == own) continue;
            if (is_foreign((int)descriptor, file)) found = (int)descriptor;
        }
        closedir(folder);
    } else {
        struct rlimit limit;
        const rlim_t most = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 65536
                                ? limit.rlim_cur
                                : 65536;
        for (int descriptor = 0; found < 0 && (rlim_t)descriptor < most; descriptor++)
            if (is_foreign(descriptor, file)) found = descriptor;
    }
    return found;
}

brant_status brant__descriptor_guard(const char *path) {
    struct stat file;
    if (stat(path, &file) != 0) return BRANT_OK;
    pthread_mutex_lock(
        &owned_lock); /* all the while: another thread's descriptor is noted or not there */
    const int found = find_foreign(&file);
    pthread_mutex_unlock(&owned_lock);
    if (found < 0) return BRANT_OK;
    return brant__fail(
        BRANT_FOREIGN_SQLITE,
        "%s is open in this process outside brant (descriptor %d); two SQLite libraries on one "
        "file break "
        "each other's locks: close the other connection first, or use brant's own SQL",
        path, found);
}

#if defined(__linux__)
static const char *network_name(long type) {
    switch ((unsigned long)type & 0xffffffffUL) {
    case 0x6969UL:
        return "NFS";
    case 0xff534d42UL:
        return "CIFS";
    case 0xfe534d42UL:
        return "SMB2";
    case 0x517bUL:
        return "SMB";
    case 0x01021997UL:
        return "9P";
    case 0x00c36400UL:
        return "Ceph";
    case 0x5346414fUL:
        return "AFS";
    case 0x0bd00bd0UL:
        return "Lustre";
    case 0x01161970UL:
        return "GFS2";
    case 0x73757245UL:
        return "Coda";
    default:
        return NULL;
    }
}
#endif

brant_status brant__network_guard(const char *path) {
    const char *name = NULL;
#if defined(__linux__)
    struct statfs file_system;
    if (statfs(path, &file_system) == 0) name = network_name((long)file_system.f_type);
#elif defined(__APPLE__)
    struct statfs file_system;
    if (statfs(path, &file_system) == 0 && !(file_system.f_flags & MNT_LOCAL))
        name = "a network file system";
#endif
    if (!name) return BRANT_OK;
    return brant__fail(BRANT_NETWORK_FS,
                       "%s is on %s, where locks and shared memory cannot be trusted; option "
                       "\"network\" opens it all the same",
                       path, name);
}
