/*
 * store/open.c: opening a file: what it is, whose it is, how it is set up.
 *
 * Never opens and closes the database file by itself once it is there: closing any descriptor of it drops every POSIX lock that this process
 * holds on it. A new file is therefore made under another name and linked into place.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/handle.h"

/* ---- waiting for another writer ---------------------------------------------------------------------------------- */

/* Jittered back-off, 20-150 us: fair between processes, where SQLite's own steps starve; longer ones leave the file idle while all sleep (tests/bench/contend.c). */
static int on_busy(void *context, int tries) {
    brant_db *db = context;
    if (db->impatient) return 0;
    const int64_t now = brant__monotonic_now();
    if (tries == 0) db->busy_since = now;
    if (now - db->busy_since >= db->options.busy_timeout) return 0;
    if (brant__call_over(db) != BRANT_OK) return 0;
    uint32_t random = 0;
    sqlite3_randomness(sizeof random, &random);
    const struct timespec nap = {0, (long)(20000 + random % 130000)};
    nanosleep(&nap, NULL);
    return 1;
}

static int on_progress(void *context) {
    const brant_db *db = context;
    return !db->unasked && brant__call_over(db) != BRANT_OK;
}

static int on_wal(void *context, sqlite3 *sqlite, const char *name, int pages) {
    brant_db *db = context;
    (void)sqlite;
    (void)name;
    db->wal_pages = pages;
    return SQLITE_OK;
}

/* ---- path ---------------------------------------------------------------------------------------------------------- */

brant_status brant__system_fail(const char *what, const char *path, int error) {
    brant_status status = BRANT_IO;
    if (error == EACCES || error == EPERM || error == EROFS) status = BRANT_READ_ONLY;
    if (error == ENOSPC || error == EDQUOT) status = BRANT_FULL;
    if (error == ENOENT || error == ENOTDIR) status = BRANT_NOT_FOUND;
    char text[128];
#if defined(__GLIBC__)
    const char *reason = strerror_r(error, text, sizeof text);
#else
    const char *reason = strerror_r(error, text, sizeof text) == 0 ? text : "unknown error";
#endif
    return brant__fail(status, "%s %s: %s", what, path, reason);
}

/* The folder resolved, the name kept: so that every process derives the same wake folder and lock identity. */
static brant_status resolve(char **out, const char *path, size_t length) {
    brant_status status = BRANT_OK;
    brant__buffer whole = {0};
    char *given = NULL;
    size_t ignored = 0;
    *out = NULL;
    if (length == 0) return brant__fail(BRANT_INVALID, "the path is empty");
    if (memchr(path, 0, length)) return brant__fail(BRANT_INVALID, "the path holds a NUL");
    if (brant__utf8_check(path, length) != SIZE_MAX)
        return brant__fail(BRANT_INVALID, "the path is not UTF-8");
    if (!(given = brant__strndup(path, length))) return brant__fail_memory();
    char target[PATH_MAX];
    if (realpath(given, target)) { /* it exists: links resolved */
        brant__buffer_append(&whole, target, strlen(target));
    } else if (errno != ENOENT) {
        status = brant__system_fail("cannot open", given, errno);
    } else {
        char *slash = strrchr(given, '/');
        const char *name = slash ? slash + 1 : given;
        if (*name == '\0') {
            status = brant__fail(BRANT_NOT_FOUND, "%s: no such folder", given);
            goto cleanup;
        }
        if (slash) *slash = '\0';
        if (!realpath(slash == given ? "/" : slash ? given : ".", target)) {
            status =
                brant__fail(BRANT_NOT_FOUND, "the folder %s does not exist", slash ? given : ".");
            goto cleanup;
        }
        brant__buffer_format(&whole, "%s/%s", strcmp(target, "/") == 0 ? "" : target, name);
    }
    if (status == BRANT_OK) status = brant__buffer_take(out, &ignored, &whole);
cleanup:
    brant__buffer_free(&whole);
    brant__free(given);
    return status;
}

/* Make an empty file with the right permissions in place; another process may be quicker, which is as good. */
static brant_status create_file(brant_db *db) {
    brant_status status = BRANT_OK;
    brant__buffer name = {0};
    uint64_t random = 0;
    const mode_t mode = db->options.group ? 0660 : 0600;
    if (!brant__system_random(&random, sizeof random))
        return brant__fail(BRANT_IO, "the source of random bytes failed");
    brant__buffer_format(&name, "%s.new-%016llx", db->path, (unsigned long long)random);
    brant__buffer_append_byte(&name, '\0');
    if (name.failed) return brant__fail_memory();
    const int descriptor =
        open(name.data, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, mode);
    if (descriptor < 0) {
        status = brant__system_fail("cannot create", db->path, errno);
        goto cleanup;
    }
    const int error = fchmod(descriptor, mode) != 0 ? errno : 0; /* whatever the umask */
    close(descriptor);
    if (error)
        status = brant__system_fail("cannot create", db->path, error);
    else if (link(name.data, db->path) != 0 && errno != EEXIST) {
        /* File systems without hard links: rename, which is safe only while nothing stands there. */
        if (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS) {
            if (access(db->path, F_OK) != 0 && rename(name.data, db->path) != 0)
                status = brant__system_fail("cannot create", db->path, errno);
        } else {
            status = brant__system_fail("cannot create", db->path, errno);
        }
    }
    unlink(name.data);
cleanup:
    brant__buffer_free(&name);
    return status;
}

/* ---- connection ----------------------------------------------------------------------------------------------------- */

static brant_status connect_file(brant_db *db) {
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOFOLLOW;
    flags |= db->options.mode == BRANT__MODE_RO ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    if (db->memory)
        flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_READWRITE |
                SQLITE_OPEN_CREATE;
    const int code = sqlite3_open_v2(db->path, &db->sqlite, flags, NULL);
    if (code != SQLITE_OK) {
        const int error = db->sqlite ? sqlite3_system_errno(db->sqlite) : 0;
        if (brant__sqlite_status(code) == BRANT_NO_MEMORY || !db->sqlite)
            return brant__fail_memory();
        if (error) return brant__system_fail("cannot open", db->path, error);
        return brant__fail(brant__sqlite_status(code), "cannot open %s: %s", db->path,
                           sqlite3_errmsg(db->sqlite));
    }
    sqlite3_busy_handler(db->sqlite, on_busy, db);
    sqlite3_progress_handler(db->sqlite, 10000, on_progress, db);
    sqlite3_wal_hook(db->sqlite, on_wal, db);
    sqlite3_set_authorizer(db->sqlite, brant__authorize, db);
    sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    const int made = brant__functions_create(db->sqlite);
    return made == SQLITE_OK ? BRANT_OK : brant__sqlite_fail(db, made, "making a function");
}

static brant_status check_identity(brant_db *db, bool *out_empty) {
    brant__identity identity;
    brant_status status = brant__identity_read(&identity, db->sqlite, db->path);
    *out_empty = false;
    if (status != BRANT_OK) return status;
    if (!identity.ours) {
        *out_empty = identity.empty;
        if (identity.empty && db->options.mode != BRANT__MODE_RO) return BRANT_OK;
        if (db->options.adopt && db->options.mode != BRANT__MODE_RO) return BRANT_OK;
        return brant__fail(
            BRANT_NOT_BRANT,
            "%s is a database of another program; option \"adopt\" adds brant's tables to it",
            db->path);
    }
    const bool readable = identity.format <= BRANT__FORMAT || identity.min_reader <= BRANT__FORMAT;
    const bool writable = identity.format <= BRANT__FORMAT || identity.min_writer <= BRANT__FORMAT;
    if (!(db->options.mode == BRANT__MODE_RO ? readable : writable))
        return brant__fail(BRANT_NEWER_FORMAT,
                           "%s has format %lld and this brant %s knows up to %d; upgrade brant",
                           db->path, (long long)identity.format, brant_version(), BRANT__FORMAT);
    if (db->options.mode == BRANT__MODE_RO && identity.format < BRANT__FORMAT)
        return brant__fail(
            BRANT_READ_ONLY,
            "%s has the older format %lld; open it once for writing to bring it to %d", db->path,
            (long long)identity.format, BRANT__FORMAT);
    if (identity.role < 0) return brant__fail(BRANT_CORRUPT, "%s does not say its role", db->path);
    if (identity.deleted) return brant__fail(BRANT_NOT_FOUND, "%s was deleted", db->path);
    if (db->options.role_given && db->options.role != identity.role)
        return brant__fail(BRANT_CONFLICT, "%s has the role \"%s\", not \"%s\"", db->path,
                           brant__role_names[identity.role], brant__role_names[db->options.role]);
    db->options.role = identity.role;
    if (db->found_format == 0) db->found_format = identity.format;
    return BRANT_OK;
}

/* Two processes that switch a new file to WAL at once: one is refused without the busy handler being asked. */
static brant_status set_wal(brant_db *db) {
    for (int tries = 0;; tries++) {
        const int code = sqlite3_exec(db->sqlite, "PRAGMA journal_mode=WAL", NULL, NULL, NULL);
        if (code == SQLITE_OK) return BRANT_OK;
        if (brant__sqlite_status(code) != BRANT_BUSY || !on_busy(db, tries))
            return brant__sqlite_fail(db, code, "switching to write-ahead logging");
    }
}

static brant_status set_up(brant_db *db) {
    brant_status status = BRANT_OK;
    char text[64];
    bool empty = false;
    if (!db->memory && db->options.mode != BRANT__MODE_RO &&
        sqlite3_db_readonly(db->sqlite, "main") == 1) {
        status = brant__fail(BRANT_READ_ONLY,
                             "%s cannot be written; mode \"ro\" opens it for reading", db->path);
        goto cleanup;
    }
    /* First: it is the one that tells a damaged or foreign file from ours. */
    BRANT__TRY(check_identity(db, &empty));
    sqlite3_snprintf(sizeof text, text, "PRAGMA cache_size=-%lld",
                     (long long)(db->options.cache / 1024));
    BRANT__TRY(brant__execute(db, text));
    BRANT__TRY(brant__execute(
        db, "PRAGMA temp_store=MEMORY; PRAGMA cell_size_check=ON; PRAGMA secure_delete=ON"));
    BRANT__TRY(brant__execute(db, db->options.foreign_keys ? "PRAGMA foreign_keys=ON"
                                                           : "PRAGMA foreign_keys=OFF"));
    BRANT__TRY(brant__execute(db, db->options.full ? "PRAGMA synchronous=FULL"
                                                   : "PRAGMA synchronous=NORMAL"));
    if (db->options.mode == BRANT__MODE_RO) goto cleanup;
    if (!db->memory) {
        BRANT__TRY(set_wal(db));
        BRANT__TRY(brant__execute(db, "PRAGMA journal_size_limit=67108864"));
    }
    BRANT__TRY(brant__migrate(db, !empty));
    if (empty)
        BRANT__TRY(check_identity(
            db, &empty)); /* another process may have been quicker, with another role */
cleanup:
    return status;
}

/* A tenant's file that is deleted says so in its log, which goes after the file itself: who still finds the file here, having the log open, has the log that it says so in. */
static brant_status check_place(brant_db *db) {
    struct stat file;
    if (stat(db->path, &file) == 0 && file.st_dev == db->device && file.st_ino == db->inode)
        return BRANT_OK;
    return brant__fail(BRANT_NOT_FOUND, "%s was deleted", db->path);
}

static brant_status open_file(brant_db *db) {
    brant_status status = BRANT_OK;
    struct stat file;
    if (stat(db->path, &file) != 0) {
        if (errno != ENOENT) return brant__system_fail("cannot open", db->path, errno);
        if (db->options.mode != BRANT__MODE_CREATE)
            return brant__fail(BRANT_NOT_FOUND, "%s does not exist; mode \"create\" makes it",
                               db->path);
        BRANT__TRY(create_file(db));
        if (stat(db->path, &file) != 0) return brant__system_fail("cannot open", db->path, errno);
    }
    if (S_ISDIR(file.st_mode)) return brant__fail(BRANT_NOT_BRANT, "%s is a folder", db->path);
    if (!S_ISREG(file.st_mode)) return brant__fail(BRANT_NOT_BRANT, "%s is not a file", db->path);
    db->device = file.st_dev;
    db->inode = file.st_ino;
    if (!db->options.network) BRANT__TRY(brant__network_guard(db->path));
    BRANT__TRY(brant__descriptor_guard(db->path));
    BRANT__TRY(connect_file(db));
    BRANT__TRY(set_up(db));
    if (db->options.role == BRANT__ROLE_TENANT) status = check_place(db);
cleanup:
    return status;
}

brant_status brant_open_with(brant_db **out_db, const char *path, size_t path_len, const char *json,
                             size_t json_len, const brant_sources *sources) {
    brant__error_clear();
    *out_db = NULL;
    brant_status status = BRANT_OK;
    brant_db *db = brant__alloc_zero(sizeof *db);
    if (!db) return brant__fail_memory();
    atomic_init(&db->references, 1);
    pthread_mutex_init(&db->lock, NULL);
    db->process = getpid();
    db->checkpoint_at = 10000;
    if (sources) db->sources = *sources;
    atomic_store(&db->state, BRANT__INSIDE);
    BRANT__TRY(brant__options_parse(&db->options, json, json_len));
    BRANT__TRY(brant__descriptor_watch());
    db->memory = brant__text_equal(brant__text_of(path, path_len), BRANT__TEXT(":memory:"));
    if (db->memory) {
        if (db->options.mode == BRANT__MODE_RO) {
            status = brant__fail(BRANT_INVALID, "\":memory:\" cannot be opened read-only");
            goto cleanup;
        }
        if (!(db->path = brant__strndup(path, path_len))) {
            status = brant__fail_memory();
            goto cleanup;
        }
        BRANT__TRY(connect_file(db));
        BRANT__TRY(set_up(db));
    } else {
        BRANT__TRY(resolve(&db->path, path, path_len));
        BRANT__TRY(open_file(db));
    }
    db->guarded = db->options.role == BRANT__ROLE_TENANT && !db->memory;
    *out_db = db;
    brant__leave(db);
    return brant__answer(BRANT_OK);
cleanup:
    atomic_store(&db->state, BRANT__CLOSED_FLAG | BRANT__TORN);
    brant__teardown(db);
    brant__db_release(db);
    return brant__answer(status);
}

brant_status brant_open(brant_db **out_db, const char *path, size_t path_len, const char *json,
                        size_t json_len) {
    return brant_open_with(out_db, path, path_len, json, json_len, NULL);
}
