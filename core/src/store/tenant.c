/*
 * store/tenant.c: files of tenants: made from an image, and gone.
 *
 * The image is an empty file of this format, made once in memory, where three texts of known places stand for what is each file's own: its id, its organisation's and
 * its time. A new file is a copy of it with these replaced, so that it costs no migrations. SQLite has not seen it before its bytes are on disk and closed.
 *
 * A file that is gone says so in brant_meta ('deleted'). Whoever begins to write looks there when somebody else wrote since: so nothing is acknowledged that would go to a file without a name.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/handle.h"

/* ---- the image ----------------------------------------------------------------------------------------------------- */

/* In brant_meta's rows a value stands right behind its name. */
static const struct {
    const char *name;
    const char *value;
} marks[] = {
    {"id", "00000000-0000-0000-0000-000000000001"},
    {"org_id", "00000000-0000-0000-0000-000000000002"},
    {"created_at", "0000000000000"},
};
enum { MARK_ID, MARK_ORGANIZATION, MARK_CREATED };

struct brant__image {
    unsigned char *bytes; /* SQLite's memory */
    size_t length;
    size_t places[BRANT__COUNT(marks)];
};

/* Exactly once, else a file would carry another's id. */
static brant_status find_mark(size_t *out_place, const brant__image *image, size_t mark) {
    char text[64];
    const int length = snprintf(text, sizeof text, "%s%s", marks[mark].name, marks[mark].value);
    const unsigned char *at = memmem(image->bytes, image->length, text, (size_t)length);
    if (at) {
        const size_t place = (size_t)(at - image->bytes);
        *out_place = place + strlen(marks[mark].name);
        if (!memmem(at + 1, image->length - place - 1, text, (size_t)length)) return BRANT_OK;
    }
    return brant__fail(BRANT_INTERNAL, "the image of a tenant's file has no place for its %s",
                       marks[mark].name);
}

brant_status brant__image_make(brant__image **out) {
    static const char path[] = ":memory:", options[] = "{\"role\":\"tenant\"}";
    brant_status status = BRANT_OK;
    brant_db *db = NULL;
    sqlite3_int64 length = 0;
    brant__image *image = brant__alloc_zero(sizeof *image);
    *out = NULL;
    if (!image) return brant__fail_memory();
    BRANT__TRY(brant_open(&db, path, sizeof path - 1, options, sizeof options - 1));
    BRANT__TRY(brant__begin(db, BRANT__WRITE));
    for (size_t mark = 0; mark < BRANT__COUNT(marks); mark++)
        BRANT__TRY(brant__meta_set(db, marks[mark].name, brant__text_string(marks[mark].value)));
    BRANT__TRY(brant__commit(db));
    image->bytes = sqlite3_serialize(db->sqlite, "main", &length, 0);
    image->length = (size_t)length;
    if (!image->bytes) {
        status = brant__fail_memory();
        goto cleanup;
    }
    image->bytes[18] = image->bytes[19] = 2; /* write-ahead logging from the beginning */
    for (size_t mark = 0; mark < BRANT__COUNT(marks); mark++)
        BRANT__TRY(find_mark(&image->places[mark], image, mark));
    *out = image;
    image = NULL;
cleanup:
    brant_db_free(db);
    brant__image_free(image);
    return status;
}

void brant__image_free(brant__image *image) {
    if (!image) return;
    sqlite3_free(image->bytes);
    brant__free(image);
}

static int write_all(int descriptor, const unsigned char *bytes, size_t length) {
    while (length > 0) {
        const ssize_t done = write(descriptor, bytes, length);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return errno;
        bytes += done;
        length -= (size_t)done;
    }
    return 0;
}

static int put(int descriptor, const brant__image *image, size_t mark, const char *value) {
    const size_t length = strlen(marks[mark].value);
    const ssize_t done = pwrite(descriptor, value, length, (off_t)image->places[mark]);
    return done == (ssize_t)length ? 0 : done < 0 ? errno : EIO;
}

brant_status brant__image_write(const brant__image *image, const char *path, bool group,
                                bool durable, const char *id, const char *org_id, int64_t now) {
    char created[32];
    const mode_t mode = group ? 0660 : 0600;
    const int descriptor = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, mode);
    if (descriptor < 0) return brant__system_fail("cannot create", path, errno);
    snprintf(created, sizeof created, "%013lld", (long long)now % 10000000000000);
    int error = fchmod(descriptor, mode) != 0 ? errno : 0;
    if (!error) error = write_all(descriptor, image->bytes, image->length);
    if (!error) error = put(descriptor, image, MARK_ID, id);
    if (!error) error = put(descriptor, image, MARK_ORGANIZATION, org_id);
    if (!error) error = put(descriptor, image, MARK_CREATED, created);
    if (!error && durable && fsync(descriptor) != 0) error = errno;
    if (close(descriptor) != 0 && !error) error = errno;
    return error ? brant__system_fail("cannot write", path, error) : BRANT_OK;
}

/* ---- whose it is ----------------------------------------------------------------------------------------------------- */

brant_status brant__organization_read(char out[37], sqlite3 *sqlite) {
    sqlite3_stmt *statement = NULL;
    brant_status status = BRANT_OK;
    out[0] = '\0';
    int code = sqlite3_prepare_v2(sqlite, "SELECT value FROM brant_meta WHERE name = 'org_id'", -1,
                                  &statement, NULL);
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        const unsigned char *text = sqlite3_column_text(statement, 0);
        if (text)
            snprintf(out, 37, "%s", (const char *)text);
        else
            status = brant__fail_memory();
    } else if (code != SQLITE_DONE) {
        status = brant__fail(brant__sqlite_status(code), "reading whose the file is: %s",
                             sqlite3_errstr(code));
    }
    sqlite3_finalize(statement);
    return status;
}

brant_status brant__tenant_organization(char out[37], brant_db *db) {
    return brant__organization_read(out, db->sqlite);
}

/* One row of brant_meta in a transaction of its own. */
static brant_status write_meta(brant_db *db, const char *name, brant__text value) {
    brant_status status = brant__begin(db, BRANT__WRITE);
    if (status != BRANT_OK) return status;
    BRANT__TRY(brant__meta_set(db, name, value));
    BRANT__TRY(brant__commit(db));
    return BRANT_OK;
cleanup:
    brant__rollback(db);
    return status;
}

brant_status brant__tenant_claim(brant_db *db, const char *org_id) {
    return write_meta(db, "org_id", brant__text_string(org_id));
}

brant_status brant__tenant_bury(brant_db *db) {
    return write_meta(db, "deleted", BRANT__TEXT("1"));
}

/* ---- open ones ---------------------------------------------------------------------------------------------------------- */

void brant__db_keep_log(brant_db *db) {
    sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}

int64_t brant__db_found_format(const brant_db *db) {
    return db->found_format;
}

int brant__db_log_pages(const brant_db *db) {
    return db->wal_pages;
}

void brant__db_checkpoint(brant_db *db) {
    sqlite3_wal_checkpoint_v2(db->sqlite, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    db->wal_pages = 0;
}

brant_status brant__tenant_check(brant_db *db) {
    static const char *const sql[] = {"SELECT 1 FROM brant_meta WHERE name = 'deleted'"};
    static const brant__statements statements = {BRANT__TABLE_TENANT_FILE, BRANT__COUNT(sql), sql};
    brant__statement *statement = NULL;
    brant_status status = BRANT_OK;
    unsigned version = 0;
    bool gone = false;
    sqlite3_file_control(db->sqlite, "main", SQLITE_FCNTL_DATA_VERSION, &version);
    if (BRANT__LIKELY(db->alive && version == db->alive_at)) return BRANT_OK;
    BRANT__TRY(brant__statement_get(&statement, db, &statements, 0));
    BRANT__TRY(brant__step(&gone, db, statement));
    brant__reset(statement);
    if (gone) return brant__fail(BRANT_CLOSED, "%s was deleted", db->path);
    db->alive = true;
    db->alive_at = version;
cleanup:
    return status;
}

void brant__tenant_wrote(brant_db *db) {
    if (db->alive)
        sqlite3_file_control(db->sqlite, "main", SQLITE_FCNTL_DATA_VERSION, &db->alive_at);
}
