/*
 * event/signal.c: who is to be woken by the running transaction: the topics that it touched, compared with what the others registered, and the datagrams after its commit.
 *
 * What the others registered, brant_wake, is kept from one commit to the next. Who changes it counts that in event_sequences, in the transaction that makes the change: so in a write
 * transaction, in which nobody else writes, the same count in the same history (the name in row 0) says the same table. A brant that does not count yet (format 4) adds a row beyond
 * the greatest; one that it takes away is found dead. What was read in a transaction that did not commit is not kept: the count that it saw may come again.
 */
#include "event/wake_state.h"

#include <errno.h>
#include <stdio.h>

#define TOPICS                                                                                     \
    1024 /* distinct topics of a transaction that are told apart; beyond, everybody is woken */
#define PATTERNS_ALL                                                                               \
    (4u << 20) /* bytes of patterns that a commit looks at, however many the file holds */
#define WORK                                                                                       \
    (1u                                                                                            \
     << 26) /* bytes of patterns and topics that a commit compares, some 60 ms; beyond, everybody is woken */

enum { VERSION, ROWS, FORGET_JUNK };
static const char *const sql[] = {
    [VERSION] = "SELECT value, (SELECT socket FROM brant_wake WHERE row_id = 0), "
                "(SELECT max(row_id) FROM brant_wake) FROM event_sequences WHERE name = 'wake'",
    [ROWS] = "SELECT row_id, socket, patterns FROM brant_wake WHERE row_id > 0 LIMIT :limit",
    [FORGET_JUNK] = "DELETE FROM brant_wake WHERE row_id = :row",
};
static const brant__statements statements = {BRANT__TABLE_SIGNAL, BRANT__COUNT(sql), sql};

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

brant__text brant__topic_of_id(brant__topic *topic, const char *kind, int64_t id) {
    const int length = snprintf(topic->bytes, sizeof topic->bytes, "%c%.32s:%lld",
                                BRANT__TOPIC_MARK, kind, (long long)id);
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

/* Our own topics are compared as they are, and no glob is one of them. */
static bool topic_match(brant__text pattern, brant__text topic) {
    if (topic.data[0] == BRANT__TOPIC_MARK) return brant__text_equal(pattern, topic);
    return brant__glob_match(pattern, topic);
}

/* False: no memory. */
static bool target_add(wake *self, brant__text socket) {
    int64_t known = 0;
    if (brant__map_get(&self->target_set, socket, &known)) return true;
    target *grown =
        brant__grow(self->targets, &self->target_capacity, self->target_count, sizeof(*grown));
    if (!grown) return false;
    self->targets = grown;
    if (!brant__map_put(&self->target_set, socket, 1)) return false;
    target *added = &self->targets[self->target_count++];
    memcpy(added->socket, socket.data, BRANT__SOCKET_ID);
    added->socket[BRANT__SOCKET_ID] = '\0';
    return true;
}

brant_status brant__wake_send(brant_db *db, brant__text socket) {
    wake *self = wake_of(db);
    if (self->memory) self->touched = true;
    return self->memory || target_add(self, socket) ? BRANT_OK : brant__fail_memory();
}

/* ---- what the others registered ---- */

static void registry_clear(registry *self) {
    self->known = false;
    self->row_count = self->pattern_count = 0;
    brant__arena_reset(&self->texts);
}

/* A row that anybody may have written. Its patterns are no array of texts: it is of no use. */
static brant_status registry_add(bool *out_junk, wake *self, brant__text socket,
                                 brant__text patterns) {
    registry *all = &self->registry;
    *out_junk = true;
    if (patterns.length > BRANT__WAKE_PATTERNS || !brant__socket_id_valid(socket)) return BRANT_OK;
    const brant_status status = brant__json_parse(&self->json, patterns.data, patterns.length, 2);
    if (status == BRANT_NO_MEMORY) return status;
    if (status != BRANT_OK || !yyjson_is_arr(self->json.root)) {
        (void)brant__error_code();
        return BRANT_OK;
    }
    *out_junk = false;
    listening *rows = brant__grow(all->rows, &all->row_capacity, all->row_count, sizeof *rows);
    if (!rows) return brant__fail_memory();
    all->rows = rows;
    listening *row = &rows[all->row_count];
    memcpy(row->socket, socket.data, BRANT__SOCKET_ID);
    row->socket[BRANT__SOCKET_ID] = '\0';
    row->first = all->pattern_count;
    yyjson_arr_iter at = yyjson_arr_iter_with(self->json.root);
    yyjson_val *element = NULL;
    while ((element = yyjson_arr_iter_next(&at))) {
        const brant__text pattern = brant__json_text(element);
        if (!pattern.data) continue;
        const char *copy = brant__arena_copy(&all->texts, pattern.data, pattern.length);
        brant__text *grown =
            brant__grow(all->patterns, &all->pattern_capacity, all->pattern_count, sizeof *grown);
        if (grown) all->patterns = grown;
        if (!copy || !grown) return brant__fail_memory();
        all->patterns[all->pattern_count++] = brant__text_of(copy, pattern.length);
    }
    row->count = all->pattern_count - row->first;
    all->row_count++;
    return BRANT_OK;
}

/* `tidy`: in a write transaction, and rows of no use are deleted. */
static brant_status registry_read(brant_db *db, wake *self, bool tidy) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    int64_t junk[16];
    size_t junk_count = 0, looked = 0;
    bool row = false;
    registry_clear(&self->registry);
    BRANT__TRY(brant__statement_get(&statement, db, &statements, ROWS));
    brant__bind_integer(statement, 1, BRANT__WAKE_ROWS);
    for (;;) {
        bool useless = false;
        BRANT__TRY(brant__step(&row, db, statement));
        if (!row) break;
        const brant__text patterns = brant__column_text(statement, 2);
        looked += patterns.length < BRANT__WAKE_PATTERNS ? patterns.length : 0;
        if (looked > PATTERNS_ALL) break;
        BRANT__TRY(registry_add(&useless, self, brant__column_text(statement, 1), patterns));
        if (useless && tidy && junk_count < BRANT__COUNT(junk))
            junk[junk_count++] = brant__column_integer(statement, 0);
    }
    brant__reset(statement);
    for (size_t i = 0; i < junk_count; i++) {
        BRANT__TRY(brant__statement_get(&statement, db, &statements, FORGET_JUNK));
        brant__bind_integer(statement, 1, junk[i]);
        BRANT__TRY(brant__run(db, statement));
    }
    if (junk_count > 0) status = brant__wake_changed(db);
cleanup:
    brant__reset(statement);
    return status;
}

/* In the write transaction, before its commit: read again what has changed. */
static brant_status registry_refresh(brant_db *db, wake *self) {
    registry *all = &self->registry;
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    bool row = false;
    char epoch[BRANT__SOCKET_ID] = {0};
    int64_t version = 0, greatest = 0;
    BRANT__TRY(brant__statement_get(&statement, db, &statements, VERSION));
    BRANT__TRY(brant__step(&row, db, statement));
    if (row) {
        const brant__text name = brant__column_text(statement, 1);
        version = brant__column_integer(statement, 0);
        greatest = brant__column_integer(statement, 2);
        row = name.length == sizeof epoch;
        if (row) memcpy(epoch, name.data, sizeof epoch);
    }
    brant__reset(statement);
    statement = NULL;
    if (row && all->known && all->version == version && all->greatest == greatest &&
        memcmp(all->epoch, epoch, sizeof epoch) == 0)
        return BRANT_OK;
    BRANT__TRY(registry_read(db, self, true));
    all->known = row; /* without them there is nothing to know it again by */
    all->version = version;
    all->greatest = greatest;
    memcpy(all->epoch, epoch, sizeof epoch);
cleanup:
    brant__reset(statement);
    if (status != BRANT_OK) registry_clear(all);
    return status;
}

static bool row_matches(wake *self, const listening *row) {
    for (size_t i = 0; i < row->count; i++) {
        const brant__text pattern = self->registry.patterns[row->first + i];
        for (size_t j = 0; j < self->topic_count; j++) {
            self->work += pattern.length + self->topics[j].length;
            if (self->work > WORK || topic_match(pattern, self->topics[j])) return true;
        }
    }
    return false;
}

/* ---- hooks ---- */

brant_status brant__signal_before_commit(brant_db *db, void *state) {
    wake *self = state;
    brant_status status = BRANT_OK;
    self->work = 0;
    if (self->silent) return BRANT_OK;
    if (self->gone_count > 0) BRANT__TRY(brant__wake_gone_delete(db, self));
    if (!self->touched) return BRANT_OK;
    BRANT__TRY(registry_refresh(db, self));
    for (size_t i = 0; i < self->registry.row_count; i++) {
        const listening *row = &self->registry.rows[i];
        if (self->everything || row_matches(self, row)) /* without memory: it looks by itself */
            (void)target_add(self, brant__text_of(row->socket, BRANT__SOCKET_ID));
    }
cleanup:
    return status;
}

static void send_all(wake *self, char byte) {
    if (!brant__folder_trusted(&self->folder)) return;
    if (self->sender < 0 && brant__socket_plain(&self->sender) != 0) return;
    for (size_t i = 0; i < self->target_count; i++) {
        const char *socket = self->targets[i].socket;
        const int error = brant__socket_send(self->sender, &self->folder, socket, byte);
        if (error != ECONNREFUSED && error != ENOENT)
            continue; /* EAGAIN: a wake is pending already */
        /* Nobody listens. Our own file may have been removed: that is mended by the next look. */
        pthread_mutex_lock(&self->mutex);
        const bool own = self->bound && strcmp(socket, self->id) == 0;
        pthread_mutex_unlock(&self->mutex);
        if (own) continue;
        if (error == ECONNREFUSED) brant__socket_unlink(&self->folder, socket);
        brant__wake_gone_add(self, 0, socket);
    }
}

void brant__signal_after_commit(brant_db *db, void *state) {
    wake *self = state;
    (void)db;
    if (self->memory && self->touched) {
        pthread_mutex_lock(&self->mutex);
        self->wakes++;
        brant__wake_announce(self);
        pthread_mutex_unlock(&self->mutex);
    }
    if (self->restoring) return;
    if (self->target_count > 0) send_all(self, BRANT__SOCKET_WAKE);
    self->inserted = false;
    topics_clear(self);
}

/* Topics of a level that was taken back may stay: a wake for nothing does no harm. */
void brant__signal_after_rollback(brant_db *db, void *state, unsigned depth) {
    wake *self = state;
    (void)db;
    if (self->inserted) { /* our rows may have gone */
        self->inserted = false;
        self->doubtful = true;
        pthread_mutex_lock(&self->mutex);
        self->next_check = 0;
        pthread_mutex_unlock(&self->mutex);
    }
    if (depth > 0 || self->restoring) return;
    topics_clear(self);
    registry_clear(&self->registry);
}

/* All who wait are to look at what the file has become, and to register anew: they are remembered before, and told after. */
void brant__signal_before_restore(brant_db *db, void *state) {
    wake *self = state;
    brant__kept_error kept;
    bool begun = false;
    char after[BRANT__SOCKET_ID + 1] = {0};
    brant_status status = BRANT_OK;
    if (self->silent) return;
    brant__error_keep(&kept);
    BRANT__TRY(brant__begin(db, BRANT__READ));
    begun = true;
    self->restoring = true; /* what is committed meanwhile tells nobody: it is not all yet */
    BRANT__TRY(registry_read(db, self, false));
    for (size_t i = 0; i < self->registry.row_count; i++)
        (void)target_add(self, brant__text_of(self->registry.rows[i].socket, BRANT__SOCKET_ID));
    for (int i = 0; i < BRANT__WAKE_ROWS; i++) {
        BRANT__TRY(brant__waiter_socket_after(after, db, brant__text_string(after)));
        const brant__text socket = brant__text_string(after);
        if (!*after) break;
        if (brant__socket_id_valid(socket)) (void)target_add(self, socket);
    }
cleanup:
    if (begun && brant__commit(db) != BRANT_OK) brant__rollback(db);
    brant__error_restore(&kept);
    (void)status;
}

void brant__signal_after_restore(brant_db *db, void *state) {
    wake *self = state;
    (void)db;
    self->restoring = false;
    if (self->target_count > 0) send_all(self, BRANT__SOCKET_CHECK);
    self->doubtful = true;
    pthread_mutex_lock(&self->mutex);
    self->next_check = 0;
    self->check_every = BRANT__WAKE_CHECK;
    brant__wake_announce(self);
    pthread_mutex_unlock(&self->mutex);
}

void brant__signal_free(wake *self) {
    brant__free(self->topics);
    brant__map_free(&self->topic_set);
    brant__arena_free(&self->topic_texts);
    brant__free(self->targets);
    brant__map_free(&self->target_set);
    brant__free(self->registry.rows);
    brant__free(self->registry.patterns);
    brant__arena_free(&self->registry.texts);
    brant__json_free(&self->json);
}
