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
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "event/wake.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "event/socket.h"
#include "event/waiter.h"

#define TOPICS                                                                                     \
    1024 /* distinct topics of a transaction that are told apart; beyond, everybody is woken */
#define WAITERS                                                                                    \
    4096 /* rows of brant_wake that a commit looks at; whoever is beyond looks once a second */
#define GONE          32 /* dead registrations that are remembered until the next write */
#define PATTERNS_SIZE 65536
#define PATTERNS_ALL                                                                               \
    (4u << 20) /* bytes of patterns that a commit looks at, however many the file holds */
#define WORK                                                                                       \
    (1u                                                                                            \
     << 26) /* bytes of patterns and topics that a commit compares, some 60 ms; beyond, everybody is woken */
#define OWED_TICK  100     /* ms */
#define LOOK_EVERY 900     /* ms; a little less than the tick */
#define ENTER_NAP  2000000 /* ns, the longest */

enum { EPOCH, REGISTER, FIND, WAITERS_ALL, FORGET_ROW, FORGET_SOCKET, FORGET_JUNK };
static const char *const sql[] = {
    [EPOCH] = "INSERT INTO brant_wake (row_id, socket, patterns, created_at) SELECT 0, "
              "lower(hex(randomblob(16))), '[]', :now "
              "WHERE NOT EXISTS (SELECT 1 FROM brant_wake WHERE row_id = 0)",
    [REGISTER] =
        "INSERT INTO brant_wake (socket, patterns, created_at) VALUES (:socket, :patterns, :now)",
    [FIND] = "SELECT 1 FROM brant_wake WHERE row_id = :row AND socket = :socket",
    [WAITERS_ALL] = "SELECT row_id, socket, patterns FROM brant_wake WHERE row_id > 0 LIMIT :limit",
    [FORGET_ROW] = "DELETE FROM brant_wake WHERE row_id = :row AND socket = :socket",
    [FORGET_SOCKET] = "DELETE FROM brant_wake WHERE socket = :socket AND row_id > 0",
    [FORGET_JUNK] = "DELETE FROM brant_wake WHERE row_id = :row",
};
static const brant__statements statements = {BRANT__TABLE_WAKE, BRANT__COUNT(sql), sql};

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
    int64_t looked;  /* when, by the monotonic clock */
    bool incomplete; /* a registration is not in the table */
    gone_row
        gone[GONE]; /* not allocated: what is left behind for want of memory is remembered, too */
    size_t gone_count;

    bool suspects; /* see brant__wake_suspects */
    bool deferred; /* a cursor waits for the end of the running transaction */
    bool touched, everything;
    brant__text *topics;
    size_t topic_count, topic_capacity;
    brant__map topic_set; /* also owns the texts of `topics`, by way of topic_texts */
    brant__arena topic_texts;
    int64_t uncommitted; /* the first id that the running transaction wrote; 0: none */
    size_t work;         /* bytes compared for the running commit */
    target *targets;
    size_t target_count, target_capacity;
    brant__map target_set;
    brant__json json;
    int sender;

    pthread_mutex_t mutex;
    pthread_cond_t condition;
    uint64_t sequence;
    uint64_t wakes;
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

static wake *wake_of(const brant_db *db) {
    return brant__state(db, BRANT__SLOT_EVENT);
}

/* Things that may fail without anybody's call failing: the record stays as it was. */
static bool record_clean(void) {
    return brant_last_error()->code == BRANT_OK;
}
static void record_restore(bool clean) {
    if (clean) (void)brant__error_code();
}

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
static bool socket_ensure(wake *self) {
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

static bool socket_self(wake *self, char byte) {
    if (self->fd < 0) return false;
    int error = 0;
    if (self->peer >= 0)
        error = write(self->peer, &byte, 1) == 1 ? 0 : errno;
    else
        error = brant__socket_send(self->fd, &self->folder, self->id, byte);
    return error == 0 || error == EAGAIN || error == ENOBUFS;
}

/* Something moved: every wait is to look. */
static void announce(wake *self) {
    self->sequence++;
    pthread_cond_broadcast(&self->condition);
}

/* Empty the socket; `known` of the wakes in it are our own. */
static void take(wake *self, int known) {
    const int wakes = brant__socket_drain(self->fd);
    if (wakes > known) {
        self->wakes++;
        announce(self);
    }
    if (self->handed && wakes > 0) self->owed = socket_self(self, BRANT__SOCKET_WAKE);
}

/* ---- waiting ---------------------------------------------------------------------------------------------------------------- */

static bool condition_init(pthread_cond_t *condition) {
#if defined(__APPLE__)
    return pthread_cond_init(condition, NULL) == 0;
#else
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0) return false;
    const bool done = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                      pthread_cond_init(condition, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return done;
#endif
}

static void sleep_until(wake *self, int64_t until) {
    if (until == INT64_MAX) {
        pthread_cond_wait(&self->condition, &self->mutex);
        return;
    }
#if defined(__APPLE__)
    const int64_t left = until - brant__monotonic_now();
    const struct timespec span = {(time_t)(left / 1000), (long)(left % 1000) * 1000000};
    if (left > 0) pthread_cond_timedwait_relative_np(&self->condition, &self->mutex, &span);
#else
    const struct timespec moment = {(time_t)(until / 1000), (long)(until % 1000) * 1000000};
    pthread_cond_timedwait(&self->condition, &self->mutex, &moment);
#endif
}

/* Under the mutex, which is left while polling. */
static void lead(brant_db *db, wake *self, const atomic_bool *ended, int64_t now, int64_t until) {
    self->leader = ended;
    if (self->owed) {
        const int64_t look = now + OWED_TICK;
        const uint64_t seen = self->sequence;
        sleep_until(self, look < until ? look : until);
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

void brant__wake_wait(brant_db *db, const atomic_bool *ended, unsigned interrupts, uint64_t seen,
                      int64_t until) {
    wake *self = wake_of(db);
    int64_t now = brant__monotonic_now();
    if (!self->memory && until - now > BRANT__WAKE_TICK) until = now + BRANT__WAKE_TICK;
    pthread_mutex_lock(&self->mutex);
    self->waiting++;
    while (self->sequence == seen && !atomic_load(ended) && !brant__db_closed(db) &&
           brant__db_interrupts(db) == interrupts) {
        now = brant__monotonic_now();
        if (now >= until) break;
        if (self->fd >= 0 && !self->leader)
            lead(db, self, ended, now, until);
        else
            sleep_until(self, until);
    }
    self->waiting--;
    if (self->waiting > 0 && !self->leader) pthread_cond_signal(&self->condition);
    pthread_mutex_unlock(&self->mutex);
}

int64_t brant__wake_check_in(brant_db *db) {
    (void)db;
    return BRANT__WAKE_TICK;
}

uint64_t brant__wake_sequence(brant_db *db) {
    wake *self = wake_of(db);
    pthread_mutex_lock(&self->mutex);
    /* What has arrived is answered by the look that follows. */
    if (self->fd >= 0 && !self->leader && !self->handed && brant__socket_drain(self->fd) > 0) {
        self->wakes++;
        announce(self);
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
    if (self->polling && self->leader == ended) socket_self(self, BRANT__SOCKET_KICK);
    pthread_mutex_unlock(&self->mutex);
}

/* Hook: any thread. */
static void wake_interrupt(brant_db *db, void *state) {
    wake *self = state;
    if (self->process != getpid()) return;
    pthread_mutex_lock(&self->mutex);
    pthread_cond_broadcast(&self->condition);
    if (brant__db_closed(db))
        socket_self(self, BRANT__SOCKET_WAKE);
    else if (self->polling)
        socket_self(self, BRANT__SOCKET_KICK);
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

brant_status brant__wake_enter(brant_db *db, const atomic_bool *ended) {
    for (long nap = 20000;; nap = nap < ENTER_NAP / 2 ? nap * 2 : ENTER_NAP) {
        const brant_status status = brant__visit(db);
        if (status != BRANT_MISUSE) return status;
        (void)brant__error_code();
        if (ended && atomic_load(ended)) return brant__fail(BRANT_CLOSED, "the cursor is closed");
        const struct timespec span = {0, nap};
        nanosleep(&span, NULL);
    }
}

/* ---- topics of the running transaction --------------------------------------------------------------------------------------- */

static void topics_clear(wake *self) {
    self->touched = self->everything = false;
    self->topic_count = 0;
    self->target_count = 0;
    self->uncommitted = 0;
    brant__map_clear(&self->topic_set);
    brant__map_clear(&self->target_set);
    brant__arena_reset(&self->topic_texts);
}

brant_status brant__wake_touch(brant_db *db, brant__text topic) {
    int64_t known = 0;
    const brant_status status = brant__wake_attach(db);
    if (status != BRANT_OK) return status;
    wake *self = wake_of(db);
    self->touched = true;
    if (self->memory || self->everything) return BRANT_OK;
    if (self->topic_count > 0 && brant__text_equal(self->topics[self->topic_count - 1], topic))
        return BRANT_OK;
    if (brant__map_get(&self->topic_set, topic, &known)) return BRANT_OK;
    /* Whoever is woken for nothing looks and sleeps again: so too many topics, or no memory for them, wake everybody. */
    if (self->topic_count == self->topic_capacity) {
        const size_t capacity = self->topic_capacity ? 2 * self->topic_capacity : 16;
        brant__text *grown =
            capacity <= TOPICS ? brant__realloc(self->topics, capacity * sizeof *grown) : NULL;
        if (!grown) {
            self->everything = true;
            return BRANT_OK;
        }
        self->topics = grown;
        self->topic_capacity = capacity;
    }
    const char *copy = brant__arena_copy(&self->topic_texts, topic.data, topic.length);
    if (!copy || !brant__map_put(&self->topic_set, topic, 1)) {
        self->everything = true;
        return BRANT_OK;
    }
    self->topics[self->topic_count++] = brant__text_of(copy, topic.length);
    return BRANT_OK;
}

void brant__wake_touch_all(brant_db *db) {
    wake *self = wake_of(db);
    if (self) self->touched = self->everything = true;
}

brant__text brant__topic_of(brant__topic *topic, const char *kind, brant__text name,
                            brant__text more) {
    const int name_length = name.length < 255 ? (int)name.length : 255;
    const int more_length = more.length < 255 ? (int)more.length : 255;
    const int length = snprintf(topic->bytes, sizeof topic->bytes, "%c%.32s:%.*s%s%.*s",
                                BRANT__TOPIC_MARK, kind, name_length, name.data ? name.data : "",
                                more.data ? "/" : "", more_length, more.data ? more.data : "");
    return brant__text_of(topic->bytes, (size_t)length);
}

void brant__wake_uncommitted(brant_db *db, int64_t id) {
    wake *self = wake_of(db);
    if (self && (self->uncommitted == 0 || id < self->uncommitted)) self->uncommitted = id;
}

int64_t brant__wake_uncommitted_from(brant_db *db) {
    const wake *self = wake_of(db);
    return self && self->uncommitted ? self->uncommitted : INT64_MAX;
}

/* ---- committing ------------------------------------------------------------------------------------------------------------- */

static void gone_add(wake *self, int64_t row, const char *socket) {
    if (self->gone_count == GONE) return; /* whoever meets it next will tell */
    for (size_t i = 0; i < self->gone_count; i++)
        if (self->gone[i].row == row && strcmp(self->gone[i].socket, socket) == 0) return;
    gone_row *entry = &self->gone[self->gone_count++];
    entry->row = row;
    memcpy(entry->socket, socket, sizeof entry->socket);
}

/* In a write transaction. Should it roll back, the rows are met again. */
static brant_status gone_delete(brant_db *db, wake *self) {
    brant_status status = BRANT_OK;
    while (self->gone_count > 0) {
        const gone_row *entry = &self->gone[self->gone_count - 1];
        brant__statement *statement = NULL;
        BRANT__TRY(brant__statement_get(&statement, db, &statements,
                                        entry->row ? FORGET_ROW : FORGET_SOCKET));
        if (entry->row) brant__bind_integer(statement, 1, entry->row);
        brant__bind_text(statement, entry->row ? 2 : 1,
                         brant__text_of(entry->socket, BRANT__SOCKET_ID));
        BRANT__TRY(brant__run(db, statement));
        if (!entry->row)
            BRANT__TRY(brant__waiter_forget(db, brant__text_of(entry->socket, BRANT__SOCKET_ID)));
        self->gone_count--;
    }
cleanup:
    return status;
}

/* Our own topics are compared as they are, and no glob is one of them. */
static bool topic_match(brant__text pattern, brant__text topic) {
    if (topic.data[0] == BRANT__TOPIC_MARK) return brant__text_equal(pattern, topic);
    return brant__glob_match(pattern, topic);
}

/* Do the patterns, JSON that anybody may have written, match a topic? Not an array of texts: no, and the row is of no use. */
static bool patterns_match(wake *self, brant__text patterns, bool *out_junk) {
    *out_junk = patterns.length > PATTERNS_SIZE ||
                brant__json_parse(&self->json, patterns.data, patterns.length, 2) != BRANT_OK ||
                !yyjson_is_arr(self->json.root);
    if (*out_junk) {
        (void)brant__error_code();
        return false;
    }
    if (self->everything) return true;
    yyjson_arr_iter at = yyjson_arr_iter_with(self->json.root);
    const yyjson_val *element = NULL;
    while ((element = yyjson_arr_iter_next(&at))) {
        const brant__text pattern = brant__json_text((yyjson_val *)(uintptr_t)element);
        for (size_t i = 0; pattern.data && i < self->topic_count; i++) {
            self->work += pattern.length + self->topics[i].length;
            if (self->work > WORK || topic_match(pattern, self->topics[i])) return true;
        }
    }
    return false;
}

/* False: no memory. */
static bool target_add(wake *self, brant__text socket) {
    int64_t known = 0;
    if (brant__map_get(&self->target_set, socket, &known)) return true;
    if (self->target_count == self->target_capacity) {
        const size_t capacity = self->target_capacity ? 2 * self->target_capacity : 16;
        target *grown = brant__realloc(self->targets, capacity * sizeof *grown);
        if (!grown) return false;
        self->targets = grown;
        self->target_capacity = capacity;
    }
    if (!brant__map_put(&self->target_set, socket, 1)) return false;
    target *added = &self->targets[self->target_count++];
    memcpy(added->socket, socket.data, BRANT__SOCKET_ID);
    added->socket[BRANT__SOCKET_ID] = '\0';
    return true;
}

/* Hook. */
static brant_status wake_before_commit(brant_db *db, void *state) {
    wake *self = state;
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    int64_t junk[16];
    size_t junk_count = 0, looked = 0;
    bool row = false;
    self->work = 0;
    if (self->silent) return BRANT_OK;
    if (self->gone_count > 0) BRANT__TRY(gone_delete(db, self));
    if (!self->touched) return BRANT_OK;
    BRANT__TRY(brant__statement_get(&statement, db, &statements, WAITERS_ALL));
    brant__bind_integer(statement, 1, WAITERS);
    for (;;) {
        bool useless = true;
        BRANT__TRY(brant__step(&row, db, statement));
        if (!row) break;
        const brant__text socket = brant__column_text(statement, 1);
        const brant__text patterns = brant__column_text(statement, 2);
        looked += patterns.length < PATTERNS_SIZE ? patterns.length : 0;
        if (looked > PATTERNS_ALL) break;
        if (brant__socket_id_valid(socket) && patterns_match(self, patterns, &useless))
            (void)target_add(self, socket); /* without memory: it looks by itself */
        if (useless && junk_count < BRANT__COUNT(junk))
            junk[junk_count++] = brant__column_integer(statement, 0);
    }
    brant__reset(statement);
    for (size_t i = 0; i < junk_count; i++) {
        BRANT__TRY(brant__statement_get(&statement, db, &statements, FORGET_JUNK));
        brant__bind_integer(statement, 1, junk[i]);
        BRANT__TRY(brant__run(db, statement));
    }
cleanup:
    brant__reset(statement);
    return status;
}

static void send_all(wake *self) {
    if (!brant__folder_trusted(&self->folder)) return;
    if (self->sender < 0 && brant__socket_plain(&self->sender) != 0) return;
    for (size_t i = 0; i < self->target_count; i++) {
        const char *socket = self->targets[i].socket;
        const int error =
            brant__socket_send(self->sender, &self->folder, socket, BRANT__SOCKET_WAKE);
        if (error != ECONNREFUSED && error != ENOENT)
            continue; /* EAGAIN: a wake is pending already */
        /* Nobody listens. Our own file may have been removed: that is mended by the next look. */
        pthread_mutex_lock(&self->mutex);
        const bool own = self->bound && strcmp(socket, self->id) == 0;
        pthread_mutex_unlock(&self->mutex);
        if (own) continue;
        if (error == ECONNREFUSED) brant__socket_unlink(&self->folder, socket);
        gone_add(self, 0, socket);
    }
}

/* Hook. */
static void wake_after_commit(brant_db *db, void *state) {
    wake *self = state;
    (void)db;
    if (self->memory && self->touched) {
        pthread_mutex_lock(&self->mutex);
        self->wakes++;
        announce(self);
        pthread_mutex_unlock(&self->mutex);
    }
    if (self->target_count > 0) send_all(self);
    topics_clear(self);
}

/* Hook. Topics of a level that was taken back may stay: a wake for nothing does no harm. */
static void wake_after_rollback(brant_db *db, void *state, unsigned depth) {
    (void)db;
    if (depth == 0) topics_clear(state);
}

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
    announce(self);
    if (self->handed)
        socket_self(self, BRANT__SOCKET_WAKE);
    else if (self->polling)
        socket_self(self, BRANT__SOCKET_KICK);
    pthread_mutex_unlock(&self->mutex);
}

/* ---- sleepers of the wait queue (waiter.c) ------------------------------------------------------------------------------------ */

bool brant__wake_address(char *out, brant_db *db) {
    wake *self = wake_of(db);
    pthread_mutex_lock(&self->mutex);
    const bool bound = self->memory || socket_ensure(self);
    if (self->memory)
        memset(out, '0', BRANT__SOCKET_ID);
    else
        memcpy(out, self->id, BRANT__SOCKET_ID);
    out[BRANT__SOCKET_ID] = '\0';
    pthread_mutex_unlock(&self->mutex);
    return bound;
}

bool brant__wake_suspects(const brant_db *db) {
    return wake_of(db)->suspects;
}

brant_status brant__wake_alive(bool *out, brant_db *db, brant__text socket) {
    wake *self = wake_of(db);
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    char id[BRANT__SOCKET_ID + 1] = {0};
    int error = ENOENT; /* what is no id is nobody's */
    int64_t known = 0;
    *out = self->memory || brant__map_get(&self->target_set, socket, &known);
    if (*out) return BRANT_OK;
    if (brant__socket_id_valid(socket)) {
        memcpy(id, socket.data, BRANT__SOCKET_ID);
        error = brant__socket_probe(&self->folder, id);
    }
    *out = error != ECONNREFUSED && error != ENOENT;
    if (*out) return BRANT_OK;
    if (error == ECONNREFUSED) brant__socket_unlink(&self->folder, id);
    BRANT__TRY(brant__statement_get(&statement, db, &statements, FORGET_SOCKET));
    brant__bind_text(statement, 1, socket);
    BRANT__TRY(brant__run(db, statement));
    status = brant__waiter_forget(db, socket);
cleanup:
    return status;
}

brant_status brant__wake_send(brant_db *db, brant__text socket) {
    wake *self = wake_of(db);
    if (self->memory) self->touched = true;
    return self->memory || target_add(self, socket) ? BRANT_OK : brant__fail_memory();
}

/* ---- registering ------------------------------------------------------------------------------------------------------------ */

/* In a write transaction: the rows of all registrations that have none. */
static brant_status rows_insert(brant_db *db, wake *self) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    char socket[BRANT__SOCKET_ID + 1];
    pthread_mutex_lock(&self->mutex);
    const bool bound = socket_ensure(self);
    memcpy(socket, self->id, sizeof socket);
    pthread_mutex_unlock(&self->mutex);
    BRANT__TRY(gone_delete(db, self));
    BRANT__TRY(brant__statement_get(&statement, db, &statements, EPOCH));
    brant__bind_integer(statement, 1, brant__db_now(db));
    BRANT__TRY(brant__run(db, statement));
    self->incomplete = !bound;
    for (size_t i = 0; bound && i < self->count; i++) {
        registration *entry = &self->registrations[i];
        if (entry->row) continue;
        BRANT__TRY(brant__statement_get(&statement, db, &statements, REGISTER));
        brant__bind_text(statement, 1, brant__text_of(socket, BRANT__SOCKET_ID));
        brant__bind_text(statement, 2, brant__text_of(entry->patterns, entry->length));
        brant__bind_integer(statement, 3, brant__db_now(db));
        BRANT__TRY(brant__run(db, statement));
        entry->row = brant__last_row_id(db);
    }
cleanup:
    return status;
}

static brant_status patterns_write(char **out, size_t *out_length, const brant__text *patterns,
                                   size_t count) {
    brant__writer writer = {0};
    brant__write_array(&writer);
    for (size_t i = 0; i < count; i++)
        brant__write_text(&writer, patterns[i]);
    brant__write_end(&writer);
    const brant_status status = brant__buffer_take(out, out_length, &writer.buffer);
    brant__buffer_free(&writer.buffer);
    if (status == BRANT_OK && *out_length > PATTERNS_SIZE) {
        brant__free(*out);
        *out = NULL;
        return brant__fail(BRANT_LIMIT, "the patterns take %zu bytes; at most %d fit", *out_length,
                           PATTERNS_SIZE);
    }
    return status;
}

brant_status brant__wake_register(int64_t *out_id, brant_db *db, const brant__text *patterns,
                                  size_t count) {
    brant_status status = BRANT_OK;
    registration entry = {0};
    wake *self = NULL;
    bool begun = false, added = false;
    *out_id = 0;
    BRANT__TRY(brant__wake_attach(db));
    self = wake_of(db);
    if (self->silent) return BRANT_OK;
    BRANT__TRY(patterns_write(&entry.patterns, &entry.length, patterns, count));
    if (self->count == self->capacity) {
        const size_t capacity = self->capacity ? 2 * self->capacity : 8;
        registration *grown = brant__realloc(self->registrations, capacity * sizeof *grown);
        if (!grown) {
            status = brant__fail_memory();
            goto cleanup;
        }
        self->registrations = grown;
        self->capacity = capacity;
    }
    entry.id = ++self->next_id;
    self->registrations[self->count++] = entry;
    added = true;
    BRANT__TRY(brant__begin(db, BRANT__WRITE));
    begun = true;
    BRANT__TRY(rows_insert(db, self));
    BRANT__TRY(brant__commit(db));
    begun = false;
    *out_id = entry.id;
cleanup:
    if (begun) brant__rollback(db);
    if (status != BRANT_OK) {
        if (added) self->count--;
        brant__free(entry.patterns);
    }
    return status;
}

/* A write of our own for nothing but the rows that are gone. Quietly; what cannot be written now waits. */
static void gone_write(brant_db *db, wake *self) {
    if (self->gone_count == 0 || brant__depth(db) > 0) return;
    const bool clean = record_clean();
    if (brant__begin(db, BRANT__WRITE) == BRANT_OK && brant__commit(db) != BRANT_OK)
        brant__rollback(db);
    record_restore(clean);
}

void brant__wake_unregister(brant_db *db, int64_t id) {
    wake *self = NULL;
    char socket[BRANT__SOCKET_ID + 1];
    if (id == 0 || brant__db_closed(db) || !(self = wake_of(db)) || self->process != getpid())
        return;
    for (size_t i = 0; i < self->count; i++) {
        if (self->registrations[i].id != id) continue;
        const int64_t row = self->registrations[i].row;
        pthread_mutex_lock(&self->mutex);
        memcpy(socket, self->id, sizeof socket);
        pthread_mutex_unlock(&self->mutex);
        brant__free(self->registrations[i].patterns);
        self->registrations[i] = self->registrations[--self->count];
        if (row) gone_add(self, row, socket);
        gone_write(db, self);
        return;
    }
}

/* ---- health --------------------------------------------------------------------------------------------------------------- */

brant_status brant__wake_look(brant_db *db) {
    wake *self = wake_of(db);
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    char socket[BRANT__SOCKET_ID + 1];
    bool begun = false;
    const int64_t now = brant__monotonic_now();
    if (self->silent || (self->count == 0 && !brant__waiter_any(db)) ||
        now - self->looked < LOOK_EVERY)
        return BRANT_OK;
    self->looked = now;
    pthread_mutex_lock(&self->mutex);
    if (self->bound && brant__socket_find(&self->folder, self->id) == ENOENT) {
        self->bound = false;
        self->incomplete = true;
        gone_add(self, 0, self->id);
        announce(self); /* who slept in the wait queue is to look, and to sleep anew */
    }
    const bool bound = self->bound;
    memcpy(socket, self->id, sizeof socket);
    pthread_mutex_unlock(&self->mutex);
    BRANT__TRY(brant__begin(db, BRANT__READ));
    begun = true;
    for (size_t i = 0; i < self->count; i++) {
        registration *entry = &self->registrations[i];
        bool row = false;
        if (bound && entry->row) {
            BRANT__TRY(brant__statement_get(&statement, db, &statements, FIND));
            brant__bind_integer(statement, 1, entry->row);
            brant__bind_text(statement, 2, brant__text_of(socket, BRANT__SOCKET_ID));
            BRANT__TRY(brant__step(&row, db, statement));
            brant__reset(statement);
        }
        if (row) continue;
        entry->row = 0;
        self->incomplete = true;
    }
    begun = false;
    if (brant__commit(db) != BRANT_OK) brant__rollback(db);
cleanup:
    brant__reset(statement);
    if (begun) brant__rollback(db);
    return status;
}

bool brant__wake_repair(brant_db *db) {
    wake *self = wake_of(db);
    if (!self->incomplete || self->looked == 0 || brant__depth(db) > 0) return false;
    self->incomplete = false; /* tried now; if in vain, the next look finds out */
    const bool clean = record_clean();
    bool done = false;
    if (brant__begin(db, BRANT__WRITE) == BRANT_OK) {
        done = rows_insert(db, self) == BRANT_OK && brant__commit(db) == BRANT_OK;
        if (!done) brant__rollback(db);
    }
    record_restore(clean);
    return done;
}

brant_status brant__wake_file_check(brant_db *db) {
    const wake *self = wake_of(db);
    struct stat there;
    if (self->memory) return BRANT_OK;
    if (stat(brant__db_path(db), &there) != 0)
        return brant__fail(BRANT_IO, "the database file %s is not there any more",
                           brant__db_path(db));
    if (there.st_dev != self->device || there.st_ino != self->inode)
        return brant__fail(BRANT_IO, "the database file %s was replaced by another; open it again",
                           brant__db_path(db));
    return BRANT_OK;
}

/* In a write transaction: delete the rows of the dead, of GONE sockets at most; *out_more: there may be others. */
static brant_status forget_dead(bool *out_more, brant_db *db, wake *self) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    bool row = false;
    BRANT__TRY(gone_delete(db, self));
    BRANT__TRY(brant__statement_get(&statement, db, &statements, WAITERS_ALL));
    brant__bind_integer(statement, 1, WAITERS);
    while (self->gone_count < GONE) {
        BRANT__TRY(brant__step(&row, db, statement));
        if (!row) break;
        const brant__text socket = brant__column_text(statement, 1);
        char id[BRANT__SOCKET_ID + 1] = {0};
        if (!brant__socket_id_valid(socket))
            continue; /* the next commit that touches a topic deletes it */
        memcpy(id, socket.data, BRANT__SOCKET_ID);
        const int error = brant__socket_probe(&self->folder, id);
        if (error == ECONNREFUSED || error == ENOENT) gone_add(self, 0, id);
    }
    *out_more = self->gone_count == GONE;
    brant__reset(statement);
    statement = NULL;
    BRANT__TRY(gone_delete(db, self));
cleanup:
    brant__reset(statement);
    return status;
}

void brant__wake_maintain(brant_db *db) {
    const bool clean = record_clean();
    struct stat there;
    if (brant__db_memory(db) || brant__db_read_only(db) || brant__wake_attach(db) != BRANT_OK) {
        record_restore(clean);
        return;
    }
    wake *self = wake_of(db);
    const bool missing = lstat(self->folder.path, &there) != 0 && errno == ENOENT;
    if (missing || brant__folder_trusted(&self->folder)) {
        bool more = true;
        for (int i = 0; more && i < WAITERS / GONE; i++) {
            if (brant__begin(db, BRANT__WRITE) != BRANT_OK) break;
            if (forget_dead(&more, db, self) == BRANT_OK && brant__commit(db) == BRANT_OK) continue;
            brant__rollback(db);
            break;
        }
    }
    brant__folder_sweep(&self->folder, WAITERS);
    record_restore(clean);
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
            if (self->registrations[i].row) gone_add(self, 0, self->id);
        }
        if (!self->silent) gone_write(db, self);
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
    brant__free(self->topics);
    brant__map_free(&self->topic_set);
    brant__arena_free(&self->topic_texts);
    brant__free(self->targets);
    brant__map_free(&self->target_set);
    brant__json_free(&self->json);
    brant__free(self->folder.path);
    pthread_cond_destroy(&self->condition);
    pthread_mutex_destroy(&self->mutex);
    brant__free(self);
}

static const brant__hooks hooks = {
    .before_commit = wake_before_commit,
    .after_commit = wake_after_commit,
    .after_rollback = wake_after_rollback,
    .after_end = wake_after_end,
    .interrupt = wake_interrupt,
    .destroy = wake_destroy,
};

brant_status brant__wake_attach(brant_db *db) {
    static const char suffix[] = ".wake";
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
    if (!condition_init(&self->condition)) {
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

static brant_status forked(const wake *self) {
    if (self->process == getpid()) return BRANT_OK;
    return brant__fail(BRANT_FORKED,
                       "the handle was opened by process %ld before fork; open one in this process",
                       (long)self->process);
}

brant_status brant_wake_fd(int *out_fd, brant_db *db) {
    brant_status status = BRANT_OK;
    wake *self = NULL;
    brant__error_clear();
    *out_fd = -1;
    if (!db) return brant__fail(BRANT_INVALID, "the handle is NULL");
    status = brant__wait_begin(
        db); /* keeps the state, without entering: any thread may ask at any time */
    if (status != BRANT_OK) return status;
    if (brant__db_memory(db)) {
        status = brant__fail(BRANT_UNSUPPORTED, "\":memory:\" has no wake descriptor");
        goto cleanup;
    }
    if (!wake_of(db)) {
        BRANT__TRY(brant__wake_enter(db, NULL));
        status = brant__wake_attach(db);
        brant__leave(db);
        if (status != BRANT_OK) goto cleanup;
    }
    self = wake_of(db);
    BRANT__TRY(forked(self));
    pthread_mutex_lock(&self->mutex);
    int error = 0;
    if (self->fd < 0 && (self->silent || !socket_ensure(self))) {
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
    brant__wait_end(db);
    return status;
}

brant_status brant_wake_acknowledge(brant_db *db) {
    brant_status status = BRANT_OK;
    brant__error_clear();
    if (!db) return brant__fail(BRANT_INVALID, "the handle is NULL");
    status = brant__wait_begin(db);
    if (status != BRANT_OK) return status;
    wake *self = wake_of(db);
    if (self && (status = forked(self)) == BRANT_OK) {
        pthread_mutex_lock(&self->mutex);
        if (self->fd >= 0 && brant__socket_drain(self->fd) > (self->owed ? 1 : 0)) self->wakes++;
        self->owed = false;
        announce(self);
        /* The leader may have been in poll for what we took. */
        if (self->polling) socket_self(self, BRANT__SOCKET_KICK);
        pthread_mutex_unlock(&self->mutex);
    }
    brant__wait_end(db);
    return status;
}
