/*
 * store/backup.c: online backup to a new file, and restore from one.
 *
 * Backup reads inside one transaction, so that it is of one moment and no writer makes it begin again. It is written beside the
 * destination and linked or renamed into place: whole or not there.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/handle.h"

#define STEP_PAGES 1024

static brant_status copy_pages(brant_db *db, sqlite3 *to, sqlite3 *from, int *out_pages) {
    brant_status status = BRANT_OK;
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    int code = SQLITE_OK;
    if (!backup)
        return brant__fail(brant__sqlite_status(sqlite3_errcode(to)), "copying pages: %s",
                           sqlite3_errmsg(to));
    while ((code = sqlite3_backup_step(backup, STEP_PAGES)) == SQLITE_OK) {
        status = brant__db_poll(db);
        if (status != BRANT_OK) break;
    }
    *out_pages = sqlite3_backup_pagecount(backup);
    const int finished = sqlite3_backup_finish(backup);
    if (status != BRANT_OK) return status;
    if (code == SQLITE_DONE) code = finished;
    if (code == SQLITE_OK) return BRANT_OK;
    status = brant__sqlite_status(code);
    return brant__fail(status, "copying pages: %s", sqlite3_errstr(code));
}

static brant_status open_raw(sqlite3 **out, const char *path, int flags) {
    const int code =
        sqlite3_open_v2(path, out, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (code == SQLITE_OK) {
        sqlite3_busy_timeout(*out, 5000);
        return BRANT_OK;
    }
    brant_status status = brant__sqlite_status(code);
    const int error = *out ? sqlite3_system_errno(*out) : 0;
    if (error == EACCES || error == EROFS || error == EPERM) status = BRANT_READ_ONLY;
    if (error == ENOENT) status = BRANT_NOT_FOUND;
    return brant__fail(status, "cannot open %s: %s", path,
                       *out ? sqlite3_errmsg(*out) : "out of memory");
}

static brant_status write_answer(brant__call *call, brant__text path, int pages,
                                 int64_t page_size) {
    brant__write_object(call->out);
    brant__write_text_member(call->out, "path", path);
    brant__write_integer_member(call->out, "pages", pages);
    brant__write_integer_member(call->out, "size", pages * page_size);
    brant__write_end(call->out);
    return BRANT_OK;
}

static brant_status read_path(char **out, brant__call *call) {
    const brant__text path = brant__json_get_text(call->input, "path");
    *out = NULL;
    if (!path.data || path.length == 0 || memchr(path.data, 0, path.length))
        return brant__fail(BRANT_INVALID, "\"path\" must be the path of a file");
    *out = brant__strndup(path.data, path.length);
    return *out ? BRANT_OK : brant__fail_memory();
}

/*
 * What belongs to the old place: who waits there, and what was leased to those who work there, and not to anybody where this is opened. Jobs that ran are ready again, and the
 * attempt was none; of those whose cancel was asked for the lease has ended, and whoever looks next ends them, too.
 */
#define FORGET_WAITERS "DELETE FROM brant_wake"
#define FORGET_LEASES                                                                              \
    "; DELETE FROM brant_waiters; DELETE FROM locks; "                                             \
    "UPDATE stream_pending SET lease_until = 0; "                                                  \
    "UPDATE jobs SET lease_until = 0 WHERE state = 3 AND cancel = 1; "                             \
    "UPDATE jobs SET state = 0, attempt = max(attempt - 1, 0), lease_until = NULL, "               \
    "worker = NULL, claimed_at = NULL WHERE state = 3 AND cancel = 0"
#define QUEUE_FORMAT 5 /* that has them */

/* brant__pragma_integer of a file that no handle has open, with a record. */
static brant_status read_integer(int64_t *out, sqlite3 *sqlite, const char *path, const char *sql) {
    const brant_status status = brant__pragma_integer(out, sqlite, sql);
    return status == BRANT_OK
               ? BRANT_OK
               : brant__fail(status, "reading %s: %s", path, sqlite3_errmsg(sqlite));
}

/* The copy forgets the old place, stands alone without a WAL, and is on disk before it gets its name. */
static brant_status finish_copy(sqlite3 *copy, const char *path) {
    int64_t format = 0;
    const brant_status status = read_integer(&format, copy, path, "PRAGMA user_version");
    if (status != BRANT_OK) return status;
    const int code =
        sqlite3_exec(copy,
                     format < QUEUE_FORMAT
                         ? "PRAGMA synchronous=FULL; PRAGMA journal_mode=DELETE; " FORGET_WAITERS
                         : "PRAGMA synchronous=FULL; PRAGMA journal_mode=DELETE; "
                           "BEGIN; " FORGET_WAITERS FORGET_LEASES "; COMMIT",
                     NULL, NULL, NULL);
    if (code != SQLITE_OK)
        return brant__fail(brant__sqlite_status(code), "finishing the copy %s: %s", path,
                           sqlite3_errmsg(copy));
    return BRANT_OK;
}

/* What SQLite keeps beside a file. Left there, the next opening would play it back into the file that took the old one's place. */
static brant_status remove_side_files(const char *path) {
    static const char *const endings[] = {"-wal", "-shm", "-journal"};
    brant_status status = BRANT_OK;
    for (size_t i = 0; status == BRANT_OK && i < BRANT__COUNT(endings); i++) {
        brant__buffer name = {0};
        brant__buffer_format(&name, "%s%s", path, endings[i]);
        brant__buffer_append_byte(&name, '\0');
        if (name.failed)
            status = brant__fail_memory();
        else if (unlink(name.data) != 0 && errno != ENOENT)
            status =
                brant__fail(BRANT_IO, "cannot remove %s, which would spoil the backup", name.data);
        brant__buffer_free(&name);
    }
    return status;
}

/*
 * Replacing a database that somebody has open pulls it from under them: what they write afterwards goes nowhere. Leaving the WAL takes every lock
 * there is, so it shows that nobody has. A file that is no database has no such users.
 */
static brant_status check_unused(const char *path) {
    sqlite3 *there = NULL;
    struct stat file;
    if (lstat(path, &file) != 0 || !S_ISREG(file.st_mode))
        return BRANT_OK; /* a link is replaced, not what it leads to */
    brant_status status = brant__descriptor_guard(path);
    if (status != BRANT_OK) return status;
    int code = sqlite3_open_v2(
        path, &there, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(there, "PRAGMA journal_mode=DELETE; BEGIN EXCLUSIVE; ROLLBACK", NULL,
                            NULL, NULL);
    if (brant__sqlite_status(code) == BRANT_BUSY)
        status = brant__fail(BRANT_CONFLICT, "%s is open; close it there before it is overwritten",
                             path);
    if (brant__sqlite_status(code) == BRANT_NO_MEMORY) status = brant__fail_memory();
    sqlite3_close_v2(there);
    return status;
}

static brant_status put_in_place(const char *from, const char *to, bool overwrite) {
    struct stat there;
    const bool exists = lstat(to, &there) == 0;
    if (exists && !overwrite)
        return brant__fail(BRANT_EXISTS, "%s exists; \"overwrite\" replaces it", to);
    brant_status status = exists ? check_unused(to) : BRANT_OK;
    if (status == BRANT_OK) status = remove_side_files(to);
    if (status != BRANT_OK) return status;
    int done = overwrite ? rename(from, to) : link(from, to);
    if (!overwrite && done == 0) unlink(from);
    /* A file system without hard links: nothing stood there a moment ago. */
    if (!overwrite && done != 0 && (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS))
        done = rename(from, to);
    if (done == 0) return BRANT_OK;
    if (errno == EEXIST)
        return brant__fail(BRANT_EXISTS, "%s exists; \"overwrite\" replaces it", to);
    return brant__fail(BRANT_IO, "cannot put the backup in place at %s", to);
}

brant_status brant__db_backup(brant__call *call) {
    brant_db *db = call->db;
    brant_status status = BRANT_OK;
    char *path = NULL;
    sqlite3 *copy = NULL;
    brant__buffer temporary = {0};
    int64_t page_size = 0;
    int pages = 0;
    struct stat there;
    const bool overwrite = brant__json_bool(brant__json_get(call->input, "overwrite"), false);
    if (db->depth > 0) return brant__fail(BRANT_MISUSE, "a backup cannot run inside a transaction");
    BRANT__TRY(read_path(&path, call));
    if (stat(path, &there) == 0) {
        if (S_ISDIR(there.st_mode))
            status = brant__fail(BRANT_INVALID, "%s is a folder; name a file", path);
        else if (there.st_dev == db->device && there.st_ino == db->inode && !db->memory)
            status = brant__fail(BRANT_INVALID, "%s is this database itself", path);
        else if (!overwrite)
            status = brant__fail(BRANT_EXISTS, "%s exists; \"overwrite\" replaces it", path);
        else
            status = check_unused(path); /* before the long work; and again after it */
        if (status != BRANT_OK) goto cleanup;
    }
    uint64_t random = 0;
    BRANT__TRY(brant__db_random(db, &random, sizeof random));
    brant__buffer_format(&temporary, "%s.part-%016llx", path, (unsigned long long)random);
    brant__buffer_append_byte(&temporary, '\0');
    if (temporary.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    const int descriptor = open(temporary.data, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC,
                                db->options.group ? 0660 : 0600);
    if (descriptor < 0) {
        const brant_status reason = errno == ENOENT || errno == ENOTDIR ? BRANT_NOT_FOUND
                                    : errno == EACCES || errno == EROFS ? BRANT_READ_ONLY
                                                                        : BRANT_IO;
        status = brant__fail(reason, "cannot create a file beside %s", path);
        goto cleanup;
    }
    close(descriptor);
    BRANT__TRY(open_raw(&copy, temporary.data, SQLITE_OPEN_READWRITE));
    BRANT__TRY(brant__db_integer(&page_size, db, "PRAGMA page_size"));
    BRANT__TRY(brant__begin(db, BRANT__READ));
    status = copy_pages(db, copy, db->sqlite, &pages);
    brant__rollback(db);
    if (status == BRANT_OK) status = finish_copy(copy, path);
    if (sqlite3_close(copy) != SQLITE_OK && status == BRANT_OK)
        status = brant__fail(BRANT_IO, "closing the copy %s failed", path);
    copy = NULL;
    if (status == BRANT_OK) status = put_in_place(temporary.data, path, overwrite);
    if (status == BRANT_OK) status = write_answer(call, brant__text_string(path), pages, page_size);
cleanup:
    sqlite3_close_v2(copy);
    if (temporary.data && !temporary.failed) unlink(temporary.data);
    brant__buffer_free(&temporary);
    brant__free(path);
    return status;
}

/* The file of a tenant never becomes another's. */
static brant_status check_organization(brant_db *db, sqlite3 *source, const char *path) {
    char own[37], other[37];
    brant_status status = BRANT_OK;
    if (db->options.role != BRANT__ROLE_TENANT) return BRANT_OK;
    BRANT__TRY(brant__organization_read(own, db->sqlite));
    BRANT__TRY(brant__organization_read(other, source));
    if (*own && *other && strcmp(own, other) != 0)
        status = brant__fail(BRANT_CONFLICT, "%s is of organisation %s, not %s", path, other, own);
cleanup:
    return status;
}

/* What may replace this file: one of ours, readable by us, of the same role. */
static brant_status check_source(brant_db *db, sqlite3 *source, const char *path) {
    brant__identity identity;
    const brant_status status = brant__identity_read(&identity, source, path);
    if (status != BRANT_OK) return status;
    if (!identity.ours) return brant__fail(BRANT_NOT_BRANT, "%s is not a backup of brant's", path);
    if (identity.deleted) return brant__fail(BRANT_NOT_FOUND, "%s was deleted", path);
    if (identity.format > BRANT__FORMAT && identity.min_writer > BRANT__FORMAT)
        return brant__fail(BRANT_NEWER_FORMAT, "%s has format %lld and this brant knows up to %d",
                           path, (long long)identity.format, BRANT__FORMAT);
    if (identity.role != db->options.role)
        return brant__fail(BRANT_CONFLICT, "%s has the role \"%s\", not \"%s\"", path,
                           identity.role < 0 ? "?" : brant__role_names[identity.role],
                           brant__role_names[db->options.role]);
    return check_organization(db, source, path);
}

#define HISTORY_GAP                                                                                \
    1000000 /* more changes than others can make between reading the counters and replacing the file */

/*
 * What handles keep of graphs and graph types they know again by a counter in the row. It must not go back to values that it had, or
 * what was kept before the restore would be taken for what came after it. Nor may the tokens of locks and groups, which others compare, nor the ids of jobs: whoever holds one that
 * is no more would acknowledge another.
 */
static brant_status read_history(int64_t *out, brant_db *db) {
    return brant__db_integer(
        out, db,
        "SELECT max(coalesce((SELECT max(shape) FROM graphs), 0), "
        "coalesce((SELECT max(changes) FROM graph_types), 0), "
        "coalesce((SELECT max(id) FROM jobs), 0), "
        "coalesce((SELECT max(token) FROM stream_consumers), 0), "
        "coalesce((SELECT max(value) FROM event_sequences WHERE name <> 'schedule_clock'), 0))");
}

/*
 * Our own now: continue the counters, and forget who waited and worked at the backup's place, should it have been copied by other means. They go on from where they were, and are not added to what the
 * backup says: a file that is restored from its own backups would double them each time.
 */
static brant_status begin_history(brant_db *db, int64_t before) {
    char text[1400];
    const long long gap = (long long)before + HISTORY_GAP;
    brant_status status = brant__begin(db, BRANT__WRITE);
    if (status != BRANT_OK) return status;
    sqlite3_snprintf(
        sizeof text, text,
        "UPDATE graphs SET shape = max(shape + 1, %lld); "
        "UPDATE graph_types SET changes = max(changes + 1, %lld); "
        "UPDATE stream_consumers SET token = max(token + 1, %lld) WHERE kind = 1; "
        "INSERT INTO event_sequences (name, value) VALUES ('lock', %lld), "
        "('group', %lld), ('job', %lld) ON CONFLICT (name) "
        "DO UPDATE SET value = max(value, excluded.value); " FORGET_WAITERS FORGET_LEASES,
        gap, gap, gap, gap, gap, gap);
    status = brant__execute(db, text);
    if (status == BRANT_OK) status = brant__commit(db);
    if (status != BRANT_OK) brant__rollback(db);
    return status;
}

brant_status brant__db_restore(brant__call *call) {
    brant_db *db = call->db;
    brant_status status = BRANT_OK;
    int64_t before = 0;
    char *path = NULL;
    sqlite3 *source = NULL;
    struct stat there;
    int64_t page_size = 0;
    int pages = 0;
    BRANT__TRY(brant__db_trusted(db, "replace the file"));
    if (db->depth > 0)
        return brant__fail(BRANT_MISUSE, "a restore cannot run inside a transaction");
    if (db->options.mode == BRANT__MODE_RO)
        return brant__fail(BRANT_READ_ONLY, "%s was opened read-only", db->path);
    BRANT__TRY(read_path(&path, call));
    if (stat(path, &there) != 0) {
        status = brant__fail(BRANT_NOT_FOUND, "%s does not exist", path);
        goto cleanup;
    }
    if (S_ISDIR(there.st_mode)) {
        status = brant__fail(BRANT_NOT_BRANT, "%s is a folder", path);
        goto cleanup;
    }
    if (!S_ISREG(there.st_mode)) { /* a FIFO would be waited for, without end */
        status = brant__fail(BRANT_NOT_BRANT, "%s is not a file", path);
        goto cleanup;
    }
    if (!db->memory && there.st_dev == db->device && there.st_ino == db->inode) {
        status = brant__fail(BRANT_INVALID, "%s is this database itself", path);
        goto cleanup;
    }
    BRANT__TRY(brant__descriptor_guard(path));
    BRANT__TRY(open_raw(&source, path, SQLITE_OPEN_READONLY));
    BRANT__TRY(check_source(db, source, path));
    BRANT__TRY(read_integer(&page_size, source, path, "PRAGMA page_size"));
    BRANT__TRY(read_history(&before, db));
    for (int slot = 0; slot < BRANT__SLOT_COUNT; slot++) {
        void *state = brant__state(db, slot);
        if (state && db->hooks[slot]->before_restore) db->hooks[slot]->before_restore(db, state);
    }
    brant__statements_finalize(db); /* a statement in use would keep the copy from being written */
    status = copy_pages(db, db->sqlite, source, &pages);
    if (status == BRANT_OK) status = brant__migrate(db, false);
    if (status == BRANT_OK) status = begin_history(db, before);
    for (int slot = 0; slot < BRANT__SLOT_COUNT; slot++) {
        void *state = brant__state(db, slot);
        if (state && db->hooks[slot]->after_restore) db->hooks[slot]->after_restore(db, state);
        if (state && db->hooks[slot]->after_rollback) db->hooks[slot]->after_rollback(db, state, 0);
    }
    if (status == BRANT_OK) status = write_answer(call, brant__text_string(path), pages, page_size);
cleanup:
    sqlite3_close_v2(source);
    brant__free(path);
    return status;
}
