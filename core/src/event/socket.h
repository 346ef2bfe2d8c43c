/*
 * event/socket.h: datagram sockets in the wake folder: the part of waking that talks to the operating system.
 *
 * A socket is known by its id, 32 lower-case hexadecimal digits, and by the folder, which is derived from where the database is. Nothing else ever becomes
 * part of a path. A datagram is one byte and says nothing but "look", or "check".
 */
#ifndef BRANT__EVENT_SOCKET_H
#define BRANT__EVENT_SOCKET_H

#include <sys/types.h>

#include "base/base.h"

#define BRANT__SOCKET_ID   32
#define BRANT__SOCKET_WAKE 'w' /* a commit, or the handle was closed */
#define BRANT__SOCKET_CHECK                                                                        \
    'c' /* a wake, and the fallback check is to be done at once: the file was restored */
#define BRANT__SOCKET_KICK                                                                         \
    'k' /* for the thread that polls: look at the state, nothing was committed */

#define BRANT__WAKE_SUFFIX ".wake" /* of the folder, behind the name of the file */

typedef struct brant__folder {
    char *path;  /* owned by whoever made it */
    bool group;  /* members of the file's group may use it */
    uid_t owner; /* of the database file */
    gid_t members;
} brant__folder;

bool brant__socket_id_valid(brant__text id);
void brant__socket_id_make(char out[BRANT__SOCKET_ID + 1],
                           const uint8_t random[BRANT__SOCKET_ID / 2]);

/* A folder, not a link, of ours or of the file's owner, that strangers cannot write to. */
bool brant__folder_trusted(const brant__folder *folder);
/* Remove it when it is empty. */
void brant__folder_drop(const brant__folder *folder);

/* All of these return 0 or an errno. */
int brant__socket_bind(int *out_fd, const brant__folder *folder,
                       const char *id); /* EADDRINUSE: take another id */
int brant__socket_plain(int *out_fd);   /* one that only sends */
int brant__socket_pair(int fds[2]);
int brant__socket_send(int fd, const brant__folder *folder, const char *id, char byte);
int brant__socket_probe(const brant__folder *folder,
                        const char *id); /* ECONNREFUSED, ENOENT: nobody is there */
int brant__socket_find(const brant__folder *folder, const char *id); /* is the file there? */
void brant__socket_unlink(const brant__folder *folder, const char *id);
/* Unlink what nobody listens on any more and is older than a minute; looks at no more than `limit` files. */
void brant__folder_sweep(const brant__folder *folder, size_t limit);

/* Take what has arrived, without waiting: how many of it were wakes. *out_check is set when one asks for a check, else left. */
int brant__socket_drain(int fd, bool *out_check);
/* Wait until something arrives, at most `timeout` ms (negative: for ever). False: nothing came. */
bool brant__socket_wait(int fd, int timeout);

#endif
