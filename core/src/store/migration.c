/*
 * store/migration.c: what a file is, and bringing it to this format.
 *
 * A migration is a numbered SQL file, run once in a transaction of its own together with its version bump. `user_version` is the
 * number of the last one. A name that one of them makes and the user has already is found before the first is run. A reader needs
 * min_reader <= its format, a writer min_writer <= its format: additive migrations leave both alone.
 */
#include "embedded.h"
#include "store/handle.h"

brant_status brant__pragma_integer(int64_t *out, sqlite3 *sqlite, const char *sql) {
    sqlite3_stmt *statement = NULL;
    *out = 0;
    int code = sqlite3_prepare_v2(sqlite, sql, -1, &statement, NULL);
    if (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        *out = sqlite3_column_int64(statement, 0);
        code = SQLITE_OK;
    }
    sqlite3_finalize(statement);
    return code == SQLITE_OK ? BRANT_OK : brant__sqlite_status(code);
}

brant_status brant__db_integer(int64_t *out, brant_db *db, const char *sql) {
    return brant__pragma_integer(out, db->sqlite, sql) == BRANT_OK
               ? BRANT_OK
               : brant__sqlite_fail(db, sqlite3_errcode(db->sqlite), "reading the file's facts");
}

/* Of a file that is ours. What is not there: 1 for the numbers, -1 for the role. */
static int read_meta(brant__identity *out, sqlite3 *sqlite) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(sqlite,
                                  "SELECT name, value FROM brant_meta WHERE name IN ('min_reader', "
                                  "'min_writer', 'role', 'deleted')",
                                  -1, &statement, NULL);
    out->min_reader = out->min_writer = 1;
    while (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(statement, 0),
                   *value = (const char *)sqlite3_column_text(statement, 1);
        code = name && value ? SQLITE_OK : SQLITE_NOMEM;
        if (name && value && strcmp(name, "min_reader") == 0)
            out->min_reader = sqlite3_column_int64(statement, 1);
        if (name && value && strcmp(name, "min_writer") == 0)
            out->min_writer = sqlite3_column_int64(statement, 1);
        if (name && strcmp(name, "deleted") == 0) out->deleted = true;
        for (int i = 0; name && value && strcmp(name, "role") == 0 && i < BRANT__ROLE_COUNT; i++)
            if (strcmp(value, brant__role_names[i]) == 0) out->role = i;
    }
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* Of one moment, which `moment` keeps while it runs: another process may be giving the file its identity. What ends it needs no memory and is not interrupted, as ROLLBACK may be. */
static brant_status read_identity(brant__identity *out, sqlite3_stmt **moment, sqlite3 *sqlite,
                                  const char *path) {
    int64_t application = 0;
    int code =
        sqlite3_prepare_v2(sqlite, "SELECT count(*) FROM sqlite_schema", -1, moment, NULL);
    if (code == SQLITE_OK && (code = sqlite3_step(*moment)) == SQLITE_ROW) code = SQLITE_OK;
    brant_status status = code == SQLITE_OK ? BRANT_OK : brant__sqlite_status(code);
    if (status == BRANT_OK)
        status = brant__pragma_integer(&application, sqlite, "PRAGMA application_id");
    if (status == BRANT_OK)
        status = brant__pragma_integer(&out->format, sqlite, "PRAGMA user_version");
    out->empty =
        status == BRANT_OK && sqlite3_column_int64(*moment, 0) == 0 && application == 0;
    out->ours = status == BRANT_OK && application == BRANT__APPLICATION_ID;
    if (out->ours) status = brant__sqlite_status(read_meta(out, sqlite));
    if (status == BRANT_OK) return BRANT_OK;
    if (sqlite3_errcode(sqlite) == SQLITE_NOTADB)
        return brant__fail(BRANT_NOT_BRANT, "%s is not a database", path);
    /* Readers of a write-ahead log share an index beside the file, which the first of them makes. */
    if (status == BRANT_READ_ONLY)
        return brant__fail(BRANT_READ_ONLY,
                           "cannot read %s: its folder cannot be written, where %s-shm is made; "
                           "read a copy of the file",
                           path, path);
    return brant__fail(status == BRANT_INTERNAL ? BRANT_CORRUPT : status, "cannot read %s: %s",
                       path, sqlite3_errmsg(sqlite));
}

brant_status brant__identity_read(brant__identity *out, sqlite3 *sqlite, const char *path) {
    sqlite3_stmt *moment = NULL;
    *out = (brant__identity){.role = -1};
    const brant_status status = read_identity(out, &moment, sqlite, path);
    sqlite3_finalize(moment);
    return status;
}

brant_status brant__meta_set(brant_db *db, const char *name, brant__text value) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db->sqlite,
                                  "INSERT INTO brant_meta (name, value) VALUES (?1, ?2)"
                                  " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                                  -1, &statement, NULL);
    if (code == SQLITE_OK) {
        sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
        sqlite3_bind_text(statement, 2, value.data, (int)value.length, SQLITE_STATIC);
        code = sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? BRANT_OK
                               : brant__sqlite_fail(db, code, "writing the file's identity");
}

brant_status brant__db_require_writer(brant_db *db, int64_t format) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(
        db->sqlite, "UPDATE brant_meta SET value = ?1 WHERE name = 'min_writer' AND value < ?1", -1,
        &statement, NULL);
    if (code == SQLITE_OK) {
        sqlite3_bind_int64(statement, 1, format);
        code = sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? BRANT_OK
                               : brant__sqlite_fail(db, code, "writing the file's identity");
}

/* The rows that a new file starts with; integers are integers, so that comparing them needs no parsing. */
static brant_status write_identity(brant_db *db) {
    char id[37], number[64];
    brant_status status = BRANT_OK;
    BRANT__TRY(brant__db_uuid(db, id));
    BRANT__TRY(brant__meta_set(db, "id", brant__text_of(id, 36)));
    const char *role = brant__role_names[db->options.role];
    BRANT__TRY(brant__meta_set(db, "role", brant__text_string(role)));
    sqlite3_snprintf(sizeof number, number, "%lld", (long long)brant__db_now(db));
    BRANT__TRY(brant__meta_set(db, "created_at", brant__text_string(number)));
    BRANT__TRY(brant__execute(
        db, "INSERT INTO brant_meta (name, value) VALUES ('min_reader', 1), ('min_writer', 1)"));
    sqlite3_snprintf(sizeof number, number, "PRAGMA application_id=%d", BRANT__APPLICATION_ID);
    BRANT__TRY(brant__execute(db, number));
cleanup:
    return status;
}

/* Does a migration from this version on make a table or index of this name? Each of their CREATE statements begins a line. */
static bool is_made_from(size_t version, const char *name) {
    static const char *const creates[] = {"\nCREATE TABLE ", "\nCREATE INDEX ",
                                          "\nCREATE UNIQUE INDEX "};
    const int length = (int)strlen(name);
    for (; version < brant__migrations_count; version++) {
        for (size_t i = 0; i < BRANT__COUNT(creates); i++) {
            const char *at = brant__migrations[version].data;
            while ((at = strstr(at, creates[i]))) {
                at += strlen(creates[i]);
                if (sqlite3_strnicmp(at, name, length) == 0 && at[length] == ' ') return true;
            }
        }
    }
    return false;
}

/* What the user has of a name that is ours, or will be, must not be mixed up with ours. Looked at before anything is changed: a file
 * that cannot be brought to this format stays of the one that it is of. */
static brant_status check_collision(brant_db *db, size_t version) {
    sqlite3_stmt *statement = NULL;
    brant_status status = BRANT_OK;
    int code = sqlite3_prepare_v2(db->sqlite, "SELECT name, type FROM sqlite_schema", -1,
                                  &statement, NULL);
    while (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(statement, 0),
                   *type = (const char *)sqlite3_column_text(statement, 1);
        code = name && type ? SQLITE_OK : SQLITE_NOMEM;
        if (code != SQLITE_OK) break;
        const bool made = strcmp(type, "trigger") != 0 && is_made_from(version, name);
        if (!made && (version > 0 || !brant__is_own_table(name))) continue;
        status = version == 0
                     ? brant__fail(BRANT_EXISTS,
                                   "%s has a %s \"%s\" of its own, whose name brant needs; rename "
                                   "it to adopt the file",
                                   db->path, type, name)
                     : brant__fail(BRANT_EXISTS,
                                   "%s has a %s \"%s\" of its own, whose name format %d needs; "
                                   "rename it with the sqlite3 shell, or with the brant that wrote "
                                   "the file, and open it again",
                                   db->path, type, name, BRANT__FORMAT);
        break;
    }
    if (status == BRANT_OK && code != SQLITE_DONE)
        status = brant__sqlite_fail(db, code, "reading the names of the tables");
    sqlite3_finalize(statement);
    return status;
}

brant_status brant__migrate(brant_db *db, bool adopt) {
    brant_status status = BRANT_OK;
    int64_t version = 0;
    /* The first look is without the write lock: a file that is up to date opens while somebody writes it. */
    for (int mode = BRANT__READ;;) {
        BRANT__TRY(brant__begin(db, mode));
        BRANT__TRY(brant__db_integer(&version, db, "PRAGMA user_version"));
        int64_t application = 0;
        BRANT__TRY(brant__db_integer(&application, db, "PRAGMA application_id"));
        if (application != BRANT__APPLICATION_ID)
            version = 0; /* an adopted file's user_version is its former owner's */
        if ((size_t)version >= brant__migrations_count) break;
        if (mode == BRANT__READ) {
            brant__rollback(db);
            mode = BRANT__WRITE;
            continue;
        }
        if (version > 0 || adopt) BRANT__TRY(check_collision(db, (size_t)version));
        BRANT__TRY(brant__execute(db, brant__migrations[version].data));
        if (version == 0) BRANT__TRY(write_identity(db));
        char bump[48];
        sqlite3_snprintf(sizeof bump, bump, "PRAGMA user_version=%lld", (long long)version + 1);
        BRANT__TRY(brant__execute(db, bump));
        BRANT__TRY(brant__commit(db));
    }
cleanup:
    if (db->depth > 0) brant__rollback(db);
    return status;
}
