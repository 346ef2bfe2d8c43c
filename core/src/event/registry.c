/*
 * event/registry.c: which topics this handle is woken for: its rows in brant_wake; whether they, its socket and the file are still there; and the rows of the dead.
 */
#include "event/wake_state.h"

#include <errno.h>
#include <sys/stat.h>

enum { EPOCH, REGISTER, FIND, ROWS, FORGET_ROW, FORGET_SOCKET, CHANGED, VERSION };
static const char *const sql[] = {
    [EPOCH] = "INSERT INTO brant_wake (row_id, socket, patterns, created_at) SELECT 0, "
              "lower(hex(randomblob(16))), '[]', :now "
              "WHERE NOT EXISTS (SELECT 1 FROM brant_wake WHERE row_id = 0)",
    [REGISTER] =
        "INSERT INTO brant_wake (socket, patterns, created_at) VALUES (:socket, :patterns, :now)",
    [FIND] = "SELECT 1 FROM brant_wake WHERE row_id = :row AND socket = :socket",
    [ROWS] = "SELECT socket FROM brant_wake WHERE row_id > 0 LIMIT :limit",
    [FORGET_ROW] = "DELETE FROM brant_wake WHERE row_id = :row AND socket = :socket",
    [FORGET_SOCKET] = "DELETE FROM brant_wake WHERE socket = :socket AND row_id > 0",
    [CHANGED] = "UPDATE event_sequences SET value = value + 1 WHERE name = 'wake'",
    [VERSION] = "PRAGMA data_version",
};
static const brant__statements statements = {BRANT__TABLE_WAKE, BRANT__COUNT(sql), sql};

/* ---- rows that are gone ---- */

brant_status brant__wake_changed(brant_db *db) {
    brant__statement *statement = NULL;
    const brant_status status = brant__statement_get(&statement, db, &statements, CHANGED);
    return status == BRANT_OK ? brant__run(db, statement) : status;
}

void brant__wake_gone_add(wake *self, int64_t row, const char *socket) {
    if (self->gone_count == BRANT__WAKE_GONE) return; /* whoever meets it next will tell */
    for (size_t i = 0; i < self->gone_count; i++)
        if (self->gone[i].row == row && strcmp(self->gone[i].socket, socket) == 0) return;
    gone_row *entry = &self->gone[self->gone_count++];
    entry->row = row;
    memcpy(entry->socket, socket, sizeof entry->socket);
}

/* In a write transaction. Should it roll back, the rows are met again. */
brant_status brant__wake_gone_delete(brant_db *db, wake *self) {
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
        BRANT__TRY(brant__wake_changed(db));
        self->gone_count--;
    }
cleanup:
    return status;
}

/* ---- registering ------------------------------------------------------------------------------------------------------------ */

/* In a write transaction: the rows of all registrations that have none. */
static brant_status rows_insert(brant_db *db, wake *self) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    char socket[BRANT__SOCKET_ID + 1];
    pthread_mutex_lock(&self->mutex);
    const bool bound = brant__wake_socket_ensure(self);
    memcpy(socket, self->id, sizeof socket);
    pthread_mutex_unlock(&self->mutex);
    BRANT__TRY(brant__wake_gone_delete(db, self));
    BRANT__TRY(brant__statement_get(&statement, db, &statements, EPOCH));
    brant__bind_integer(statement, 1, brant__db_now(db));
    BRANT__TRY(brant__run(db, statement));
    self->incomplete = !bound;
    self->inserted = true;
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
    status = brant__wake_changed(db);
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
    if (status == BRANT_OK && *out_length > BRANT__WAKE_PATTERNS) {
        brant__free(*out);
        *out = NULL;
        return brant__fail(BRANT_LIMIT, "the patterns take %zu bytes; at most %d fit", *out_length,
                           BRANT__WAKE_PATTERNS);
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
    registration *grown =
        brant__grow(self->registrations, &self->capacity, self->count, sizeof(*grown));
    if (!grown) {
        status = brant__fail_memory();
        goto cleanup;
    }
    self->registrations = grown;
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
void brant__wake_gone_write(brant_db *db, wake *self) {
    brant__kept_error kept;
    if (self->gone_count == 0 || brant__depth(db) > 0) return;
    brant__error_keep(&kept);
    if (brant__begin_soon(db, brant__monotonic_now() + BRANT__WAKE_PATIENCE) == BRANT_OK &&
        brant__commit(db) != BRANT_OK)
        brant__rollback(db);
    brant__error_restore(&kept);
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
        if (row) brant__wake_gone_add(self, row, socket);
        brant__wake_gone_write(db, self);
        return;
    }
}

/* ---- health --------------------------------------------------------------------------------------------------------------- */

static void socket_check(wake *self) {
    pthread_mutex_lock(&self->mutex);
    if (self->bound && brant__socket_find(&self->folder, self->id) == ENOENT) {
        self->bound = false;
        self->incomplete = true;
        self->doubtful = true; /* who slept in the wait queue is to look, and to sleep anew */
        brant__wake_gone_add(self, 0, self->id);
    }
    pthread_mutex_unlock(&self->mutex);
}

/* Nobody can have removed rows of ours when nobody wrote. */
static brant_status rows_check(brant_db *db, wake *self) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    char socket[BRANT__SOCKET_ID + 1];
    pthread_mutex_lock(&self->mutex);
    const bool bound = self->bound;
    memcpy(socket, self->id, sizeof socket);
    pthread_mutex_unlock(&self->mutex);
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
cleanup:
    brant__reset(statement);
    return status;
}

/* Is the check due? Then whoever asked does it, and the next one is later. */
static bool check_due(wake *self) {
    if (self->memory) return false;
    const int64_t now = brant__monotonic_now();
    pthread_mutex_lock(&self->mutex);
    const bool due = now >= self->next_check;
    if (due) {
        self->next_check = now + self->check_every;
        self->check_every *= 2;
        if (self->check_every > BRANT__WAKE_CHECK_MOST) self->check_every = BRANT__WAKE_CHECK_MOST;
    }
    pthread_mutex_unlock(&self->mutex);
    return due;
}

brant_status brant__wake_check(brant_db *db) {
    wake *self = wake_of(db);
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    bool row = false;
    if (!check_due(self)) return BRANT_OK;
    BRANT__TRY(brant__statement_get(&statement, db, &statements, VERSION));
    BRANT__TRY(brant__step(&row, db, statement));
    const int64_t version = row ? brant__column_integer(statement, 0) : self->version;
    brant__reset(statement);
    statement = NULL;
    if (!self->silent) socket_check(self);
    if (version == self->version && !self->doubtful) return BRANT_OK;
    if (!self->silent) BRANT__TRY(rows_check(db, self));
    self->version = version;
    self->doubtful = false;
    brant__wake_suspect(db);
cleanup:
    brant__reset(statement);
    return status;
}

bool brant__wake_repair(brant_db *db) {
    wake *self = wake_of(db);
    if (!self->incomplete || brant__depth(db) > 0) return false;
    self->incomplete = false; /* tried now; if in vain, the next look finds out */
    brant__kept_error kept;
    bool done = false;
    brant__error_keep(&kept);
    if (brant__begin(db, BRANT__WRITE) == BRANT_OK) {
        done = rows_insert(db, self) == BRANT_OK && brant__commit(db) == BRANT_OK;
        if (!done) brant__rollback(db);
    }
    brant__error_restore(&kept);
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

/* In a write transaction: delete the rows of the dead, of BRANT__WAKE_GONE sockets at most; *out_more: there may be others. */
static brant_status forget_dead(bool *out_more, brant_db *db, wake *self) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    bool row = false;
    BRANT__TRY(brant__wake_gone_delete(db, self));
    BRANT__TRY(brant__statement_get(&statement, db, &statements, ROWS));
    brant__bind_integer(statement, 1, BRANT__WAKE_ROWS);
    while (self->gone_count < BRANT__WAKE_GONE) {
        BRANT__TRY(brant__step(&row, db, statement));
        if (!row) break;
        const brant__text socket = brant__column_text(statement, 0);
        char id[BRANT__SOCKET_ID + 1] = {0};
        if (!brant__socket_id_valid(socket))
            continue; /* the next commit that touches a topic deletes it */
        memcpy(id, socket.data, BRANT__SOCKET_ID);
        const int error = brant__socket_probe(&self->folder, id);
        if (error == ECONNREFUSED || error == ENOENT) brant__wake_gone_add(self, 0, id);
    }
    *out_more = self->gone_count == BRANT__WAKE_GONE;
    brant__reset(statement);
    statement = NULL;
    BRANT__TRY(brant__wake_gone_delete(db, self));
cleanup:
    brant__reset(statement);
    return status;
}

/* In a write transaction: the same for sleepers of the wait queue. `after`, of 33 bytes, moves on. */
static brant_status forget_dead_sleepers(bool *out_more, brant_db *db, char *after) {
    brant_status status = BRANT_OK;
    bool alive = false;
    *out_more = true;
    for (int i = 0; i < BRANT__WAKE_GONE && *out_more; i++) {
        BRANT__TRY(brant__waiter_socket_after(after, db, brant__text_string(after)));
        *out_more = *after != '\0';
        if (*out_more) BRANT__TRY(brant__wake_alive(&alive, db, brant__text_string(after)));
    }
cleanup:
    return status;
}

void brant__wake_maintain(brant_db *db) {
    brant__kept_error kept;
    struct stat there;
    brant__error_keep(&kept);
    if (brant__db_memory(db) || brant__db_read_only(db) || brant__wake_attach(db) != BRANT_OK) {
        brant__error_restore(&kept);
        return;
    }
    wake *self = wake_of(db);
    const bool missing = lstat(self->folder.path, &there) != 0 && errno == ENOENT;
    if (missing || brant__folder_trusted(&self->folder)) {
        bool more = true;
        for (int i = 0; more && i < BRANT__WAKE_ROWS / BRANT__WAKE_GONE; i++) {
            if (brant__begin(db, BRANT__WRITE) != BRANT_OK) break;
            if (forget_dead(&more, db, self) == BRANT_OK && brant__commit(db) == BRANT_OK) continue;
            brant__rollback(db);
            break;
        }
        char after[BRANT__SOCKET_ID + 1] = {0};
        more = true;
        for (int i = 0; more && i < BRANT__WAKE_ROWS / BRANT__WAKE_GONE; i++) {
            if (brant__begin(db, BRANT__WRITE) != BRANT_OK) break;
            if (forget_dead_sleepers(&more, db, after) == BRANT_OK && brant__commit(db) == BRANT_OK)
                continue;
            brant__rollback(db);
            break;
        }
    }
    brant__folder_sweep(&self->folder, BRANT__WAKE_ROWS);
    brant__error_restore(&kept);
}

/* ---- sleepers of the wait queue ---- */

bool brant__wake_address(char *out, brant_db *db) {
    wake *self = wake_of(db);
    pthread_mutex_lock(&self->mutex);
    const bool bound = self->memory || brant__wake_socket_ensure(self);
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
    if (brant__changes(db) > 0) BRANT__TRY(brant__wake_changed(db));
    status = brant__waiter_forget(db, socket);
cleanup:
    return status;
}

/* ---- restore ---- */

brant_status brant__event_restore(brant__call *call) {
    const brant_status status = brant__wake_attach(call->db); /* whose hooks tell those who wait */
    return status == BRANT_OK ? brant__db_restore(call) : status;
}
