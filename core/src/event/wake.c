/*
 * event/wake.c: who wants to be woken, and waking them.
 *
 * A handle that waits owns one datagram socket and a row in brant_wake for each registration. A writer that touched topics reads the table inside its transaction and sends a datagram to each
 * socket concerned after its commit. Writers are serialised, so a registration committed before a write is seen by it: no wake is lost. What can be
 * lost (a writer that dies between commit and datagram, a removed folder) and what sends none (other programs, files that we can only
 * read) is found by looking once a second.
 *
 * Threads. `mutex` guards what the second half of `wake` holds; the first half belongs to whoever is inside the handle. Of the threads that wait on one handle's
 * cursors one leads: it polls the socket, outside the mutex; the others sleep on `condition`. The leader that is woken empties the socket,
 * moves `sequence` and wakes all; one that leaves for another reason wakes one, who leads next. The state outlives every wait
 * (brant__wait_begin) and every interrupt, by the rules of the store.
 *
 * Once brant_wake_fd has handed the socket out, an event loop reads it too: a leader that empties it sends itself one datagram, so that the event loop sees it
 * readable, and until brant_wake_acknowledge (`owed`) leaves it alone, but for a look every OWED_TICK.
 */
#include "base/condition.h"
#include "event/wake_state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <time.h>

#define OWED_TICK 100     /* ms */
#define ENTER_NAP 2000000 /* ns, the longest */

/* ---- the socket: under the mutex ------------------------------------------------------------------------------------------ */

/* Put `made` where event loops know the handle's descriptor. */
static bool socket_replace(int made, int fd) {
#if defined(__linux__)
    const bool done = dup3(made, fd, O_CLOEXEC) >= 0;
#else
    const bool done = dup2(made, fd) >= 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
#endif
    close(made);
    return done;
}

/* A socket that writers can reach. */
bool brant__wake_socket_ensure(wake *self) {
    int made = -1;
    int error = EADDRINUSE;
    char id[BRANT__SOCKET_ID + 1];
    if (self->bound) return true;
    for (int tries = 0; tries < 4 && error == EADDRINUSE; tries++) {
        uint8_t random[BRANT__SOCKET_ID / 2];
        if (!brant__system_random(random, sizeof random)) return false;
        brant__socket_id_make(id, random);
        error = brant__socket_bind(&made, &self->folder, id);
    }
    if (error) return false;
    if (self->fd < 0) {
        self->fd = made;
    } else if (!socket_replace(made, self->fd)) {
        brant__socket_unlink(&self->folder, id);
        return false;
    }
    if (self->peer >= 0) close(self->peer);
    self->peer = -1;
    memcpy(self->id, id, sizeof id);
    self->bound = true;
    self->owed = false;
    return true;
}

bool brant__wake_socket_self(wake *self, char byte) {
    if (self->fd < 0) return false;
    int error = 0;
    if (self->peer >= 0)
        error = write(self->peer, &byte, 1) == 1 ? 0 : errno;
    else
        error = brant__socket_send(self->fd, &self->folder, self->id, byte);
    return error == 0 || error == EAGAIN || error == ENOBUFS;
}

/* Something moved: every wait is to look. */
void brant__wake_announce(wake *self) {
    self->sequence++;
    pthread_cond_broadcast(&self->condition);
}

/* Empty the socket: how many wakes were in it. */
static int drain(wake *self) {
    bool check = false;
    const int wakes = brant__socket_drain(self->fd, &check);
    if (check) {
        self->next_check = 0;
        self->check_every = BRANT__WAKE_CHECK;
    }
    return wakes;
}

/* Empty the socket; `known` of the wakes in it are our own. */
static void take(wake *self, int known) {
    const int wakes = drain(self);
    if (wakes > known) {
        self->wakes++;
        brant__wake_announce(self);
    }
    if (self->handed && wakes > 0) self->owed = brant__wake_socket_self(self, BRANT__SOCKET_WAKE);
}

/* ---- waiting ---------------------------------------------------------------------------------------------------------------- */

/* Under the mutex, which is left while polling. */
static void lead(brant_db *db, wake *self, const atomic_bool *ended, int64_t now, int64_t until) {
    self->leader = ended;
    if (self->owed) {
        const int64_t look = now + OWED_TICK;
        const uint64_t seen = self->sequence;
        brant__condition_wait(&self->condition, &self->mutex, look < until ? look : until);
        if (self->owed && self->sequence == seen && brant__monotonic_now() >= look) take(self, 1);
    } else {
        const int64_t left = until - now;
        const int fd = self->fd;
        self->polling = true;
        pthread_mutex_unlock(&self->mutex);
        const bool came = brant__socket_wait(fd, left > INT_MAX ? INT_MAX : (int)left);
        pthread_mutex_lock(&self->mutex);
        self->polling = false;
        /* What says that the handle was closed stays in the socket, for the event loop. */
        if (came && !brant__db_closed(db)) take(self, 0);
    }
    self->leader = NULL;
}

void brant__wake_wait(brant_db *handle, const atomic_bool *ended, unsigned interrupts,
                      uint64_t seen, int64_t until) {
    brant_db *db = brant__db_connection(handle);
    wake *self = wake_of(db);
    pthread_mutex_lock(&self->mutex);
    self->waiting++;
    while (self->sequence == seen && !atomic_load(ended) && !brant__db_closed(handle) &&
           brant__db_interrupts(handle) == interrupts) {
        const int64_t now = brant__monotonic_now();
        /* Who leads checks for all. Without a socket, each does; the first to come finds it done for the others. */
        const bool leads = self->fd >= 0 && !self->leader;
        int64_t limit = until;
        if (!self->memory && (leads || self->fd < 0) && self->next_check < limit)
            limit = self->next_check;
        if (now >= limit) break;
        if (leads)
            lead(db, self, ended, now, limit);
        else
            brant__condition_wait(&self->condition, &self->mutex, limit);
    }
    self->waiting--;
    if (self->waiting > 0 && !self->leader) pthread_cond_signal(&self->condition);
    pthread_mutex_unlock(&self->mutex);
}

/* ---- the fallback check ---------------------------------------------------------------------- */

void brant__wake_suspect(brant_db *db) {
    wake *self = wake_of(db);
    pthread_mutex_lock(&self->mutex);
    self->suspicions++;
    brant__wake_announce(self);
    if (self->handed && !self->owed) self->owed = brant__wake_socket_self(self, BRANT__SOCKET_WAKE);
    pthread_mutex_unlock(&self->mutex);
}

bool brant__wake_fetching(brant_db *db, uint64_t *seen) {
    wake *self = wake_of(db);
    pthread_mutex_lock(&self->mutex);
    self->suspects = self->suspicions != *seen;
    *seen = self->suspicions;
    pthread_mutex_unlock(&self->mutex);
    return self->suspects;
}

void brant__wake_found(brant_db *db) {
    wake *self = wake_of(db);
    const int64_t next = brant__monotonic_now() + BRANT__WAKE_CHECK;
    pthread_mutex_lock(&self->mutex);
    self->check_every = BRANT__WAKE_CHECK;
    if (self->next_check > next) self->next_check = next;
    pthread_mutex_unlock(&self->mutex);
}

int64_t brant__wake_check_in(brant_db *db, uint64_t seen) {
    wake *self = wake_of(db);
    int64_t left = BRANT__WAKE_CHECK_MOST;
    if (self->memory) return left;
    const int64_t now = brant__monotonic_now();
    pthread_mutex_lock(&self->mutex);
    if (self->next_check - now < left) left = self->next_check - now;
    if (self->suspicions != seen || left < 0) left = 0;
    pthread_mutex_unlock(&self->mutex);
    return left;
}

/* ---- waiting, from outside ----------------------------------------------------------------------- */

uint64_t brant__wake_sequence(brant_db *db) {
    wake *self = wake_of(db);
    pthread_mutex_lock(&self->mutex);
    /* What has arrived is answered by the look that follows. */
    if (self->fd >= 0 && !self->leader && !self->handed && drain(self) > 0) {
        self->wakes++;
        brant__wake_announce(self);
    }
    const uint64_t sequence = self->sequence;
    pthread_mutex_unlock(&self->mutex);
    return sequence;
}

void brant__wake_rouse(brant_db *db, const atomic_bool *ended) {
    wake *self = wake_of(db);
    if (!self || self->process != getpid()) return;
    pthread_mutex_lock(&self->mutex);
    pthread_cond_broadcast(&self->condition);
    if (self->polling && self->leader == ended) brant__wake_socket_self(self, BRANT__SOCKET_KICK);
    pthread_mutex_unlock(&self->mutex);
}

/* Hook: any thread. */
static void wake_interrupt(brant_db *db, void *state) {
    wake *self = state;
    if (self->process != getpid()) return;
    pthread_mutex_lock(&self->mutex);
    pthread_cond_broadcast(&self->condition);
    /* A shell may have been taken back: an event loop is told, too. */
    if (brant__db_closed(db) || self->handed)
        brant__wake_socket_self(self, BRANT__SOCKET_WAKE);
    else if (self->polling)
        brant__wake_socket_self(self, BRANT__SOCKET_KICK);
    pthread_mutex_unlock(&self->mutex);
}

uint64_t brant__wake_count(brant_db *db) {
    wake *self = wake_of(db);
    if (!self) return 0;
    pthread_mutex_lock(&self->mutex);
    const uint64_t wakes = self->wakes;
    pthread_mutex_unlock(&self->mutex);
    return wakes;
}

/* ---- entering --------------------------------------------------------------------------------------------------------------- */

brant_status brant__wake_enter(brant_db **handle, const atomic_bool *ended) {
    for (long nap = 20000;; nap = nap < ENTER_NAP / 2 ? nap * 2 : ENTER_NAP) {
        const brant_status status = brant__handle_visit(handle);
        if (status != BRANT_MISUSE) return status;
        (void)brant__error_code();
        if (ended && atomic_load(ended)) return brant__fail(BRANT_CLOSED, "the cursor is closed");
        const struct timespec span = {0, nap};
        nanosleep(&span, NULL);
    }
}

/* ---- the end of the handle's own transaction ----------------------------------------------------------------- */

void brant__wake_defer(brant_db *db) {
    wake *self = wake_of(db);
    self->deferred = true;
}

/* Hook. */
static void wake_after_end(brant_db *db, void *state) {
    wake *self = state;
    (void)db;
    if (!self->deferred) return;
    self->deferred = false;
    pthread_mutex_lock(&self->mutex);
    brant__wake_announce(self);
    if (self->handed)
        brant__wake_socket_self(self, BRANT__SOCKET_WAKE);
    else if (self->polling)
        brant__wake_socket_self(self, BRANT__SOCKET_KICK);
    pthread_mutex_unlock(&self->mutex);
}

/* ---- orphans ---------------------------------------------------------------------------------------------------------------- */

bool brant__wake_orphan(brant_db *db, brant_cursor *cursor) {
    wake *self = wake_of(db);
    if (!self) return false;
    pthread_mutex_lock(&self->mutex);
    *brant__cursor_link(cursor) = self->orphans;
    self->orphans = cursor;
    pthread_mutex_unlock(&self->mutex);
    return true;
}

brant_cursor *brant__wake_orphans(brant_db *db) {
    wake *self = wake_of(db);
    pthread_mutex_lock(&self->mutex);
    brant_cursor *list = self->orphans;
    self->orphans = NULL;
    pthread_mutex_unlock(&self->mutex);
    return list;
}

/* ---- life ------------------------------------------------------------------------------------------------------------------- */

/* Hook: nobody waits any more, nobody can come in. */
static void wake_destroy(brant_db *db, void *state) {
    wake *self = state;
    brant__cursor_bury(db, brant__wake_orphans(db));
    if (self->process == getpid()) {
        for (size_t i = 0; i < self->count; i++) {
            if (self->registrations[i].row) brant__wake_gone_add(self, 0, self->id);
        }
        if (!self->silent) brant__wake_gone_write(db, self);
        if (self->bound) {
            brant__socket_unlink(&self->folder, self->id);
            brant__folder_drop(&self->folder);
        }
    }
    if (self->fd >= 0) close(self->fd);
    if (self->peer >= 0) close(self->peer);
    if (self->sender >= 0) close(self->sender);
    for (size_t i = 0; i < self->count; i++)
        brant__free(self->registrations[i].patterns);
    brant__free(self->registrations);
    brant__signal_free(self);
    brant__free(self->folder.path);
    pthread_cond_destroy(&self->condition);
    pthread_mutex_destroy(&self->mutex);
    brant__free(self);
}

static const brant__hooks hooks = {
    .before_commit = brant__signal_before_commit,
    .after_commit = brant__signal_after_commit,
    .after_rollback = brant__signal_after_rollback,
    .before_restore = brant__signal_before_restore,
    .after_restore = brant__signal_after_restore,
    .after_end = wake_after_end,
    .interrupt = wake_interrupt,
    .destroy = wake_destroy,
};

brant_status brant__wake_attach(brant_db *db) {
    static const char suffix[] = BRANT__WAKE_SUFFIX;
    if (BRANT__LIKELY(wake_of(db) != NULL)) return BRANT_OK;
    const char *path = brant__db_path(db);
    const size_t length = strlen(path);
    struct stat there;
    wake *self = brant__alloc_zero(sizeof *self);
    if (!self) return brant__fail_memory();
    self->process = getpid();
    self->memory = brant__db_memory(db);
    self->silent = self->memory || brant__db_read_only(db);
    self->fd = self->peer = self->sender = -1;
    self->check_every = BRANT__WAKE_CHECK;
    self->next_check = brant__monotonic_now() + BRANT__WAKE_CHECK;
    self->folder.path = brant__alloc(length + sizeof suffix);
    if (!self->folder.path) {
        brant__free(self);
        return brant__fail_memory();
    }
    memcpy(self->folder.path, path, length);
    memcpy(self->folder.path + length, suffix, sizeof suffix);
    if (!self->memory && stat(path, &there) == 0) {
        self->device = there.st_dev;
        self->inode = there.st_ino;
        self->folder.owner = there.st_uid;
        self->folder.members = there.st_gid;
        self->folder.group = (there.st_mode & S_IWGRP) != 0;
    }
    if (pthread_mutex_init(&self->mutex, NULL) != 0) goto failed;
    if (!brant__condition_init(&self->condition)) {
        pthread_mutex_destroy(&self->mutex);
        goto failed;
    }
    brant__attach(db, BRANT__SLOT_EVENT, &hooks, self);
    return BRANT_OK;
failed:
    brant__free(self->folder.path);
    brant__free(self);
    return brant__fail_memory();
}

/* ---- public ------------------------------------------------------------------------------------------------------------------ */

brant_status brant__wake_forked(const brant_db *db) {
    const wake *self = wake_of(db);
    if (!self || self->process == getpid()) return BRANT_OK;
    return brant__fail(BRANT_FORKED,
                       "the handle was opened by process %ld before fork; open one in this process",
                       (long)self->process);
}

brant_status brant_wake_fd(int *out_fd, brant_db *handle) {
    brant_db *db = handle;
    brant_status status = BRANT_OK;
    wake *self = NULL;
    brant__error_clear();
    *out_fd = -1;
    if (!handle) return brant__fail(BRANT_INVALID, "the handle is NULL");
    /* Keeps the state, without entering: any thread may ask at any time. */
    status = brant__wait_begin(handle);
    if (status != BRANT_OK) return status;
    db = brant__db_connection(handle);
    if (brant__db_memory(db)) {
        status = brant__fail(BRANT_UNSUPPORTED, "\":memory:\" has no wake descriptor");
        goto cleanup;
    }
    if (!wake_of(db)) {
        brant_db *entered = handle;
        BRANT__TRY(brant__wake_enter(&entered, NULL));
        status = brant__wake_attach(db);
        brant__leave(db);
        if (status != BRANT_OK) goto cleanup;
    }
    self = wake_of(db);
    BRANT__TRY(brant__wake_forked(db));
    pthread_mutex_lock(&self->mutex);
    int error = 0;
    if (self->fd < 0 && (self->silent || !brant__wake_socket_ensure(self))) {
        int fds[2];
        error = brant__socket_pair(fds);
        self->fd = fds[0];
        self->peer = fds[1];
    }
    if (!error) self->handed = true;
    *out_fd = self->fd;
    pthread_mutex_unlock(&self->mutex);
    if (error)
        status = brant__fail(BRANT_IO, "no socket to wait on: error %d of the system", error);
cleanup:
    brant__wait_end(handle);
    return brant__answer(status);
}

brant_status brant_wake_acknowledge(brant_db *handle) {
    brant_status status = BRANT_OK;
    brant__error_clear();
    if (!handle) return brant__fail(BRANT_INVALID, "the handle is NULL");
    status = brant__wait_begin(handle);
    if (status != BRANT_OK) return status;
    brant_db *db = brant__db_connection(handle);
    wake *self = wake_of(db);
    if (self && (status = brant__wake_forked(db)) == BRANT_OK) {
        pthread_mutex_lock(&self->mutex);
        if (self->fd >= 0 && drain(self) > (self->owed ? 1 : 0)) self->wakes++;
        self->owed = false;
        brant__wake_announce(self);
        /* The leader may have been in poll for what we took. */
        if (self->polling) brant__wake_socket_self(self, BRANT__SOCKET_KICK);
        pthread_mutex_unlock(&self->mutex);
    }
    brant__wait_end(handle);
    return brant__answer(status);
}
