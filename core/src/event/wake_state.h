/*
 * event/wake_state.h: the state of waking of a handle, for wake.c (the socket, waiting, life), registry.c (registrations and their health) and signal.c (who is to be
 * woken by the running transaction).
 *
 * `mutex` guards the last part; what stands before belongs to whoever is inside the handle.
 */
#ifndef BRANT__EVENT_WAKE_STATE_H
#define BRANT__EVENT_WAKE_STATE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <pthread.h>
#include <unistd.h>

#include "event/socket.h"
#include "event/waiter.h"
#include "event/wake.h"

#define BRANT__WAKE_GONE 32 /* dead rows that are remembered until the next write */
#define BRANT__WAKE_ROWS                                                                           \
    4096 /* rows of brant_wake that a commit looks at; whoever is beyond looks by itself */
#define BRANT__WAKE_PATTERNS 65536 /* bytes of a row's patterns */

typedef struct registration {
    int64_t id;
    int64_t row; /* 0: not in the table (now) */
    char *patterns;
    size_t length;
} registration;

/* A row to be deleted with the next write; row 0: all rows of the socket. */
typedef struct gone_row {
    int64_t row;
    char socket[BRANT__SOCKET_ID + 1];
} gone_row;

typedef struct target {
    char socket[BRANT__SOCKET_ID + 1];
} target;

/* A row of brant_wake as signal.c keeps it. */
typedef struct listening {
    char socket[BRANT__SOCKET_ID + 1];
    size_t first, count; /* of `patterns` */
} listening;

/* The whole table, as it was when `version` was the file's and `epoch` its history. */
typedef struct registry {
    bool known;
    int64_t version, greatest; /* row id */
    char epoch[BRANT__SOCKET_ID];
    listening *rows;
    size_t row_count, row_capacity;
    brant__text *patterns;
    size_t pattern_count, pattern_capacity;
    brant__arena texts;
} registry;

typedef struct wake {
    pid_t process;
    bool memory;
    bool silent; /* registers nothing: ":memory:" and read-only */
    brant__folder folder;
    dev_t device;
    ino_t inode;

    registration *registrations;
    size_t count, capacity;
    int64_t next_id;
    bool incomplete;                 /* a registration is not in the table */
    gone_row gone[BRANT__WAKE_GONE]; /* not allocated: what is left behind for want of memory is
                                        remembered, too */
    size_t gone_count;
    bool inserted;   /* the running transaction registers: its rollback takes the rows away */
    int64_t version; /* PRAGMA data_version at the last check; 0: there was none */
    bool doubtful;   /* at the next check it is as if something had been written */
    bool restoring;
    bool suspects; /* see brant__wake_suspects */
    bool deferred; /* a cursor waits for the end of the running transaction */

    bool touched, everything;
    brant__text *topics;
    size_t topic_count, topic_capacity;
    brant__map topic_set;
    brant__arena topic_texts; /* of both */
    int64_t uncommitted;      /* the first id that the running transaction wrote; 0: none */
    size_t work;              /* bytes compared for the running commit */
    target *targets;
    size_t target_count, target_capacity;
    brant__map target_set;
    registry registry;
    brant__json json;
    int sender;

    pthread_mutex_t mutex;
    pthread_cond_t condition;
    uint64_t sequence;
    uint64_t wakes;
    uint64_t suspicions;       /* how often a check found that something was written */
    int64_t next_check;        /* of the monotonic clock */
    int64_t check_every;       /* ms */
    const atomic_bool *leader; /* the flag of the wait that leads */
    bool polling;              /* the leader is in poll */
    unsigned waiting;
    int fd;
    int peer;   /* of a socket that has no file: nobody but we can reach it */
    bool bound; /* fd has a file, as far as we know */
    char id[BRANT__SOCKET_ID + 1];
    bool handed; /* an event loop has fd */
    bool owed;
    brant_cursor *orphans;
} wake;

static inline wake *wake_of(const brant_db *db) {
    return brant__state(db, BRANT__SLOT_EVENT);
}

/* ---- wake.c: under the mutex ---------------------------------------------------------------- */

/* A socket that writers can reach. */
bool brant__wake_socket_ensure(wake *self);
bool brant__wake_socket_self(wake *self, char byte);
/* Something moved: every wait is to look. */
void brant__wake_announce(wake *self);

/* ---- registry.c: inside the handle ------------------------------------------------------------ */

/* In the write transaction that changed rows of brant_wake: count that. */
brant_status brant__wake_changed(brant_db *db);

void brant__wake_gone_add(wake *self, int64_t row, const char *socket);
/* In a write transaction. Should it roll back, the rows are met again. */
brant_status brant__wake_gone_delete(brant_db *db, wake *self);
/* A write of our own for nothing but the rows that are gone. Quietly; what cannot be written now waits. */
void brant__wake_gone_write(brant_db *db, wake *self);

/* ---- signal.c: hooks --------------------------------------------------------------------------- */

brant_status brant__signal_before_commit(brant_db *db, void *state);
void brant__signal_after_commit(brant_db *db, void *state);
void brant__signal_after_rollback(brant_db *db, void *state, unsigned depth);
void brant__signal_before_restore(brant_db *db, void *state);
void brant__signal_after_restore(brant_db *db, void *state);
void brant__signal_free(wake *self);

#endif
