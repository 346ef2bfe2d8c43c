/*
 * event/socket.c: datagram sockets in the wake folder.
 *
 * Where `<folder>/<id>` is too long for a socket's address, Linux reaches it through a descriptor of the folder, /proc/self/fd/<n>/<id>. The
 * descriptor is opened for each use: one that is kept would go on meaning a folder that was removed and made again.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "event/socket.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define BIND_TRIES                                                                                 \
    16 /* the folder may be removed by a handle that closes, between making and using it */
#define STALE_SECONDS 60   /* a younger file may belong to a socket that is just being bound */
#define DRAIN_LIMIT   4096 /* nobody can keep us reading */

/* ---- ids and addresses -------------------------------------------------------------------------------------------------- */

bool brant__socket_id_valid(brant__text id) {
    if (id.length != BRANT__SOCKET_ID) return false;
    for (size_t i = 0; i < id.length; i++) {
        const char c = id.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
    }
    return true;
}

void brant__socket_id_make(char out[BRANT__SOCKET_ID + 1],
                           const uint8_t random[BRANT__SOCKET_ID / 2]) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < BRANT__SOCKET_ID / 2; i++) {
        out[2 * i] = digits[random[i] >> 4];
        out[2 * i + 1] = digits[random[i] & 15];
    }
    out[BRANT__SOCKET_ID] = '\0';
}

typedef struct address {
    struct sockaddr_un name;
    socklen_t length;
    int directory; /* -1: none is needed */
} address;

static void address_close(address *where) {
    if (where->directory >= 0) close(where->directory);
    where->directory = -1;
}

static int address_make(address *where, const brant__folder *folder, const char *id) {
    const size_t length = strlen(folder->path);
    memset(&where->name, 0, sizeof where->name);
    where->name.sun_family = AF_UNIX;
    where->length = sizeof where->name;
    where->directory = -1;
    if (length + 1 + BRANT__SOCKET_ID < sizeof where->name.sun_path) {
        snprintf(where->name.sun_path, sizeof where->name.sun_path, "%s/%s", folder->path, id);
        return 0;
    }
#if defined(__linux__)
    where->directory = open(folder->path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (where->directory < 0) return errno;
    snprintf(where->name.sun_path, sizeof where->name.sun_path, "/proc/self/fd/%d/%s",
             where->directory, id);
    return 0;
#else
    return ENAMETOOLONG;
#endif
}

/* ---- the folder ----------------------------------------------------------------------------------------------------------- */

bool brant__folder_trusted(const brant__folder *folder) {
    struct stat there;
    if (lstat(folder->path, &there) != 0 || !S_ISDIR(there.st_mode)) return false;
    if (there.st_uid != geteuid() && there.st_uid != folder->owner && there.st_uid != 0 &&
        !folder->group)
        return false;
    return (there.st_mode & S_IWOTH) == 0 && (folder->group || (there.st_mode & S_IWGRP) == 0);
}

void brant__folder_drop(const brant__folder *folder) {
    (void)rmdir(folder->path);
}

static int folder_make(const brant__folder *folder) {
    if (mkdir(folder->path, folder->group ? 0770 : 0700) != 0) return errno == EEXIST ? 0 : errno;
    if (!folder->group) return 0;
    /* Whatever the umask; and the group of the file, when it is one of ours. */
    if (chown(folder->path, (uid_t)-1, folder->members) != 0 && errno != EPERM) return errno;
    return chmod(folder->path, 0770) == 0 ? 0 : errno;
}

/* ---- sockets -------------------------------------------------------------------------------------------------------------- */

static int prepare(int fd) {
    const int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
        return errno;
    return 0;
}

int brant__socket_plain(int *out_fd) {
#if defined(SOCK_CLOEXEC)
    *out_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return *out_fd < 0 ? errno : 0;
#else
    *out_fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    if (*out_fd < 0) return errno;
    const int error = prepare(*out_fd);
    if (error) {
        close(*out_fd);
        *out_fd = -1;
    }
    return error;
#endif
}

int brant__socket_pair(int fds[2]) {
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) != 0) {
        fds[0] = fds[1] = -1;
        return errno;
    }
    int error = prepare(fds[0]);
    if (!error) error = prepare(fds[1]);
    if (error) {
        close(fds[0]);
        close(fds[1]);
        fds[0] = fds[1] = -1;
    }
    return error;
}

int brant__socket_bind(int *out_fd, const brant__folder *folder, const char *id) {
    address where = {.directory = -1};
    int fd = -1;
    int error = brant__socket_plain(&fd);
    *out_fd = -1;
    if (error) return error;
    for (int tries = 0; tries < BIND_TRIES; tries++) {
        error = folder_make(folder);
        if (error) break;
        if (!brant__folder_trusted(folder)) {
            error = EPERM;
            break;
        }
        error = address_make(&where, folder, id);
        if (!error && bind(fd, (const struct sockaddr *)&where.name, where.length) != 0)
            error = errno;
        if (error != ENOENT) break;
        address_close(&where);
    }
    if (!error && chmod(where.name.sun_path, folder->group ? 0660 : 0600) != 0) {
        error = errno;
        (void)unlink(where.name.sun_path);
    }
    address_close(&where);
    if (error) {
        close(fd);
        return error;
    }
    *out_fd = fd;
    return 0;
}

int brant__socket_send(int fd, const brant__folder *folder, const char *id, char byte) {
    address where;
    int error = address_make(&where, folder, id);
    if (error) return error;
    while (sendto(fd, &byte, 1, MSG_DONTWAIT, (const struct sockaddr *)&where.name, where.length) <
           0) {
        error = errno;
        if (error != EINTR) break;
        error = 0;
    }
    address_close(&where);
    return error;
}

int brant__socket_probe(const brant__folder *folder, const char *id) {
    address where;
    int fd = -1;
    int error = brant__socket_plain(&fd);
    if (error) return error;
    error = address_make(&where, folder, id);
    if (!error && connect(fd, (const struct sockaddr *)&where.name, where.length) != 0)
        error = errno;
    address_close(&where);
    close(fd);
    return error;
}

/* `<folder>/<id>` in full: paths of files may be longer than those of sockets. */
static char *file_path(const brant__folder *folder, const char *id) {
    const size_t size = strlen(folder->path) + BRANT__SOCKET_ID + 2;
    char *path = brant__alloc(size);
    if (path) snprintf(path, size, "%s/%s", folder->path, id);
    return path;
}

int brant__socket_find(const brant__folder *folder, const char *id) {
    struct stat there;
    char *path = file_path(folder, id);
    if (!path) return ENOMEM;
    const int error = lstat(path, &there) != 0 ? errno : 0;
    brant__free(path);
    return error;
}

void brant__socket_unlink(const brant__folder *folder, const char *id) {
    char *path = file_path(folder, id);
    if (path) (void)unlink(path);
    brant__free(path);
}

void brant__folder_sweep(const brant__folder *folder, size_t limit) {
    if (!brant__folder_trusted(folder)) return;
    DIR *listing = opendir(folder->path);
    if (!listing) return;
    const time_t young = time(NULL) - STALE_SECONDS;
    const struct dirent *entry = NULL;
    for (size_t i = 0; i < limit && (entry = readdir(listing)); i++) {
        struct stat there;
        if (!brant__socket_id_valid(brant__text_string(entry->d_name))) continue;
        if (fstatat(dirfd(listing), entry->d_name, &there, AT_SYMLINK_NOFOLLOW) != 0) continue;
        if (!S_ISSOCK(there.st_mode) || there.st_mtime > young) continue;
        if (brant__socket_probe(folder, entry->d_name) == ECONNREFUSED)
            (void)unlinkat(dirfd(listing), entry->d_name, 0);
    }
    closedir(listing);
    brant__folder_drop(folder);
}

int brant__socket_drain(int fd, bool *out_check) {
    int wakes = 0;
    for (int i = 0; i < DRAIN_LIMIT; i++) {
        char byte = 0;
        const ssize_t got = recv(fd, &byte, 1, MSG_DONTWAIT);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) break;
        if (got == 1 && byte == BRANT__SOCKET_CHECK) *out_check = true;
        if (got == 0 || byte != BRANT__SOCKET_KICK) wakes++;
    }
    return wakes;
}

bool brant__socket_wait(int fd, int timeout) {
    struct pollfd waiting = {fd, POLLIN, 0};
    return poll(&waiting, 1, timeout) > 0;
}
