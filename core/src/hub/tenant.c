/*
 * hub/tenant.c: making the file of a tenant, and removing it, each finished by somebody else where it was not.
 *
 * Making. In a write transaction on the system file: the image is written under another name and linked into place, then the row says that it is made. A crash before the commit leaves
 * either nothing of that name, or a whole file without a row, which is taken as it is: nobody has been let in yet, or what was acknowledged in it is still there.
 *
 * Removing. The organisation is marked in the system file first: nobody gets in any more, and handles end (registry.c). Then the tenant's write lock is taken and the
 * file says of itself that it is gone, so that a process which was let in a moment before acknowledges nothing any more; then it loses its name, its log and the rest theirs, and the rows in
 * the system file go last, in the same write transaction on it: until then whoever looks finds the organisation still to be deleted and does it all again. Each step may find that it has been done.
 *
 * Whoever opens a file looks again afterwards whether it is still to be there (pool.c): the name of its log might have been made anew for a file that has none.
 */
#define _GNU_SOURCE
#include "event/socket.h"
#include "hub/hub.h"
#include "identity/organization.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEW_ENDING "-new"

static const char *const side_endings[] = {"-wal", "-shm", "-journal", NEW_ENDING};

enum {
    MADE,
    DELETING,
    FINISH_TENANT,
    FINISH_CHECKPOINTS,
    FINISH_DELEGATIONS,
    END_DELEGATIONS,
    FILE_ID,
    RECORD
};
static const char *const sql[] = {
    [MADE] = "INSERT INTO brant_tenants (org_id, state, file, created_at, updated_at)"
             " VALUES (:org_id, 'made', :file, :now, :now)"
             " ON CONFLICT (org_id) DO UPDATE SET state = 'made',"
             " file = coalesce(excluded.file, file), updated_at = excluded.updated_at",
    [DELETING] = "SELECT id FROM brant_organizations WHERE status = 'deleting' LIMIT 1000",
    [FINISH_CHECKPOINTS] = "DELETE FROM brant_audit_checkpoints WHERE file ="
                           " (SELECT file FROM brant_tenants WHERE org_id = :org_id)",
    [FINISH_TENANT] = "DELETE FROM brant_tenants WHERE org_id = :org_id",
    [FINISH_DELEGATIONS] = "DELETE FROM brant_delegations WHERE from_org = :org_id",
    /* Those to its agents stand in the others' files, too: delegation.c ends them. */
    [END_DELEGATIONS] = "UPDATE brant_delegations SET state = 'revoking' WHERE to_org = :org_id"
                        " AND state IN ('pending', 'active')",
    [FILE_ID] = "SELECT value FROM brant_meta WHERE name = 'id'",
    [RECORD] = "UPDATE brant_tenants SET file = :file, updated_at = :now"
               " WHERE org_id = :org_id AND file IS NOT :file",
};
const brant__statements brant__tenant_statements = {BRANT__TABLE_TENANT_STATE, BRANT__COUNT(sql),
                                                    sql};

/* ---- what stands beside a file -------------------------------------------------------------------------------------------- */

/* What is not there is removed. */
static brant_status remove_path(const brant_hub *hub, const char *org_id, const char *ending) {
    char *path = NULL;
    brant_status status = brant__hub_path(&path, hub, org_id, ending);
    if (status == BRANT_OK && unlink(path) != 0 && errno != ENOENT)
        status = brant__system_fail("cannot remove", path, errno);
    brant__free(path);
    return status;
}

/* Sockets, which their owners would remove: whatever stays is of no use to anybody. */
static brant_status remove_wake_folder(const brant_hub *hub, const char *org_id) {
    char *path = NULL;
    const brant_status status = brant__hub_path(&path, hub, org_id, BRANT__WAKE_SUFFIX);
    if (status != BRANT_OK) return status;
    const int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *entries = folder >= 0 ? fdopendir(folder) : NULL;
    struct dirent *entry;
    while (entries && (entry = readdir(entries)))
        (void)unlinkat(folder, entry->d_name, 0);
    if (entries)
        closedir(entries);
    else if (folder >= 0)
        close(folder);
    (void)rmdir(path);
    brant__free(path);
    return BRANT_OK;
}

static brant_status remove_side_files(const brant_hub *hub, const char *org_id) {
    brant_status status = remove_wake_folder(hub, org_id);
    for (size_t i = 0; i < BRANT__COUNT(side_endings); i++) {
        const brant_status removed = remove_path(hub, org_id, side_endings[i]);
        if (status == BRANT_OK) status = removed;
    }
    return status;
}

/* ---- making ------------------------------------------------------------------------------------------------------------ */

/* Whole under its name, or not there. */
static brant_status write_file(brant_hub *hub, const char *path, const char *org_id,
                               const char *id) {
    brant_status status = BRANT_OK;
    char *temporary = NULL;
    BRANT__TRY(brant__hub_path(&temporary, hub, org_id, NEW_ENDING));
    if (!hub->image) BRANT__TRY(brant__image_make(&hub->image));
    (void)unlink(temporary); /* of one who did not finish: whoever is here has the write lock */
    BRANT__TRY(brant__image_write(hub->image, temporary, hub->options.group, hub->options.full, id,
                                  org_id, brant__db_now(hub->recorder)));
    /* Nothing stands there, and nobody else may make it. */
    if (rename(temporary, path) != 0) {
        status = brant__fail(BRANT_IO, "cannot put %s in place", path);
        goto cleanup;
    }
    if (hub->options.full) {
        const int folder = open(hub->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder < 0 || fsync(folder) != 0)
            status = brant__fail(BRANT_IO, "cannot bring %s to the disk", path);
        if (folder >= 0) close(folder);
    }
cleanup:
    if (temporary) (void)unlink(temporary);
    brant__free(temporary);
    return status;
}

static brant_status write_made(brant_hub *hub, const char *org_id, brant__text file) {
    brant__statement *statement = NULL;
    brant_status status =
        brant__statement_get(&statement, hub->recorder, &brant__tenant_statements, MADE);
    if (status != BRANT_OK) return status;
    brant__bind_text(statement, 1, brant__text_of(org_id, BRANT__ORG_ID));
    brant__bind_text(statement, 2, file);
    brant__bind_integer(statement, 3, brant__db_now(hub->recorder));
    return brant__run(hub->recorder, statement);
}

/* `replace`: also when it was made and is lost. */
static brant_status make(brant_hub *hub, const char *org_id, bool replace) {
    int state = BRANT__TENANT_NONE;
    char id[37], *path = NULL;
    struct stat there;
    int64_t made = 0;
    bool begun = false;
    brant_status status = brant__recorder_enter(hub);
    if (status != BRANT_OK) return status;
    BRANT__TRY(brant__hub_path(&path, hub, org_id, ""));
    BRANT__TRY(brant__begin(hub->recorder, BRANT__WRITE));
    begun = true;
    BRANT__TRY(brant__registry_state(&state, &made, hub->recorder, org_id));
    const bool is_there = lstat(path, &there) == 0;
    if (state == BRANT__TENANT_MADE && (is_there || !replace)) goto cleanup;
    brant__text file = {NULL, 0};
    if (!is_there) {
        BRANT__TRY(remove_side_files(hub, org_id)); /* a log would be played back into it */
        BRANT__TRY(brant__db_uuid(hub->recorder, id));
        BRANT__TRY(write_file(hub, path, org_id, id));
        file = brant__text_of(id, 36);
    }
    BRANT__TRY(write_made(hub, org_id, file));
    BRANT__TRY(brant__commit(hub->recorder));
    begun = false;
    pthread_mutex_lock(&hub->lock);
    hub->made++;
    pthread_mutex_unlock(&hub->lock);
cleanup:
    if (begun) brant__rollback(hub->recorder);
    brant__free(path);
    brant__recorder_leave(hub);
    return status;
}

brant_status brant__tenant_make(brant_hub *hub, const char *org_id) {
    return make(hub, org_id, false);
}

brant_status brant__tenant_replace(brant_hub *hub, const char *org_id) {
    return make(hub, org_id, true);
}

/* *out: the id that the file has of its own. Inside its handle. */
static brant_status read_file_id(char out[37], brant_db *db) {
    brant__statement *statement = NULL;
    bool row = false;
    out[0] = '\0';
    brant_status status = brant__statement_get(&statement, db, &brant__tenant_statements, FILE_ID);
    if (status == BRANT_OK) status = brant__step(&row, db, statement);
    if (status == BRANT_OK && row) {
        const brant__text id = brant__column_text(statement, 0);
        if (id.data && id.length == 36) snprintf(out, 37, "%.36s", id.data);
    }
    brant__reset(statement);
    return status;
}

brant_status brant__tenant_record(brant_hub *hub, const char *org_id, brant_db *db) {
    char id[37] = "";
    brant__statement *statement = NULL;
    brant_status status = read_file_id(id, db);
    if (status == BRANT_OK) status = brant__recorder_enter(hub);
    if (status != BRANT_OK) return status;
    BRANT__TRY(brant__begin(hub->recorder, BRANT__WRITE));
    BRANT__TRY(brant__statement_get(&statement, hub->recorder, &brant__tenant_statements, RECORD));
    brant__bind_text(statement, 1, brant__text_string(id));
    brant__bind_integer(statement, 2, brant__db_now(hub->recorder));
    brant__bind_text(statement, 3, brant__text_of(org_id, BRANT__ORG_ID));
    BRANT__TRY(brant__run(hub->recorder, statement));
    BRANT__TRY(brant__commit(hub->recorder));
cleanup:
    if (status != BRANT_OK) brant__rollback(hub->recorder);
    brant__recorder_leave(hub);
    return status;
}

/* ---- removing ------------------------------------------------------------------------------------------------------------ */

/* Inside the file, under its write lock: is it still this organisation's, and to be deleted? CLOSED: another was quicker. */
static brant_status check_doomed(brant_hub *hub, const char *org_id, brant_db *db) {
    char owner[BRANT__ORG_ID + 1] = "";
    int state = BRANT__TENANT_NONE;
    brant_status status = brant__tenant_organization(owner, db);
    if (status == BRANT_OK && *owner && strcmp(owner, org_id) != 0)
        status = brant__fail(BRANT_CORRUPT, "%s is the file of another organisation",
                             brant__db_path(db));
    if (status != BRANT_OK) return status;
    /* It may have been deleted, and another be there of that id, before its file was opened. */
    status = brant__registry_look(&state, hub, org_id);
    if (status == BRANT_NOT_FOUND) {
        (void)brant__error_code();
        return BRANT_OK;
    }
    if (status != BRANT_OK && status != BRANT_DENIED) return status;
    (void)brant__error_code();
    return brant__fail(BRANT_CLOSED, "the organisation \"%s\" is not to be deleted", org_id);
}

/* Nothing is acknowledged in the file any more. BUSY: its writer does not end. */
static brant_status bury(brant_hub *hub, const char *org_id) {
    brant_db *db = NULL;
    brant_status status = brant__hub_open_file(&db, hub, org_id, false);
    if (status != BRANT_OK) {
        /* Not there, gone before, or nothing that anybody could write to as a tenant's. */
        if (status != BRANT_NOT_FOUND && status != BRANT_NOT_BRANT && status != BRANT_CORRUPT)
            return status;
        (void)brant__error_code();
        return BRANT_OK;
    }
    status = brant__enter(db);
    if (status == BRANT_OK) {
        brant__db_keep_log(db);
        status = brant__begin(db, BRANT__WRITE);
        if (status == BRANT_OK) {
            status = check_doomed(hub, org_id, db);
            if (status == BRANT_OK) status = brant__tenant_bury(db);
            if (status == BRANT_OK) status = brant__commit(db);
            if (status != BRANT_OK) brant__rollback(db);
        }
        brant__leave(db);
    }
    if (status == BRANT_CLOSED) { /* another was quicker */
        (void)brant__error_code();
        status = BRANT_OK;
    }
    brant_db_free(db);
    return status;
}

static brant_status run_of(brant_hub *hub, size_t index, const char *org_id) {
    brant__statement *statement = NULL;
    const brant_status status =
        brant__statement_get(&statement, hub->recorder, &brant__tenant_statements, index);
    if (status != BRANT_OK) return status;
    brant__bind_text(statement, 1, brant__text_of(org_id, BRANT__ORG_ID));
    return brant__run(hub->recorder, statement);
}

/* The file, which was buried; then what only hubs keep, and the organisation with what belongs to it. Another may have done it, and its id be another's now: it is asked in the transaction in which it goes. */
static brant_status remove_all(brant_hub *hub, const char *org_id) {
    brant__arena arena = {0};
    brant__call call = {.db = hub->recorder, .arena = &arena};
    brant__organization organization;
    const brant__text id = brant__text_of(org_id, BRANT__ORG_ID);
    brant_status status = brant__recorder_enter(hub);
    if (status != BRANT_OK) return status;
    BRANT__TRY(brant__begin(hub->recorder, BRANT__WRITE));
    BRANT__TRY(brant__organization_find(&organization, hub->recorder, &arena, id));
    if (organization.status == BRANT__ORGANIZATION_DELETING) {
        BRANT__TRY(remove_path(hub, org_id, ""));
        BRANT__TRY(remove_side_files(hub, org_id));
        BRANT__TRY(run_of(hub, FINISH_CHECKPOINTS, org_id));
        BRANT__TRY(run_of(hub, FINISH_TENANT, org_id));
        BRANT__TRY(run_of(hub, FINISH_DELEGATIONS, org_id));
        BRANT__TRY(run_of(hub, END_DELEGATIONS, org_id));
        BRANT__TRY(brant__organization_remove(&call, id));
    }
    BRANT__TRY(brant__commit(hub->recorder));
cleanup:
    if (status != BRANT_OK) brant__rollback(hub->recorder);
    brant__arena_free(&arena);
    brant__recorder_leave(hub);
    return status;
}

static brant_status remove_tenant(brant_hub *hub, const char *org_id) {
    brant__pool_close(hub, org_id);
    const brant_status status = bury(hub, org_id);
    return status == BRANT_OK ? remove_all(hub, org_id) : status;
}

static brant_status read_deleting(char (**out_ids)[BRANT__ORG_ID + 1], size_t *out_count,
                                  brant_hub *hub) {
    brant__statement *statement = NULL;
    size_t room = 0;
    bool row = false;
    *out_ids = NULL;
    *out_count = 0;
    brant_status status = brant__registry_enter(hub);
    if (status != BRANT_OK) return status;
    BRANT__TRY(
        brant__statement_get(&statement, hub->registry, &brant__tenant_statements, DELETING));
    for (;;) {
        BRANT__TRY(brant__step(&row, hub->registry, statement));
        if (!row) break;
        const brant__text id = brant__column_text(statement, 0);
        if (brant__org_id_check(id) != BRANT_OK) { /* it never had a file */
            (void)brant__error_code();
            continue;
        }
        void *grown = brant__grow(*out_ids, &room, *out_count, sizeof **out_ids);
        if (!grown) {
            status = brant__fail_memory();
            goto cleanup;
        }
        *out_ids = grown;
        memcpy((*out_ids)[(*out_count)++], id.data, BRANT__ORG_ID + 1);
    }
cleanup:
    brant__reset(statement);
    brant__registry_leave(hub);
    return status;
}

brant_status brant__hub_finish(int64_t *out_finished, brant_hub *hub) {
    char(*ids)[BRANT__ORG_ID + 1] = NULL;
    size_t count = 0;
    *out_finished = 0;
    const brant_status status = read_deleting(&ids, &count, hub);
    for (size_t i = 0; status == BRANT_OK && i < count; i++) {
        if (remove_tenant(hub, ids[i]) == BRANT_OK)
            ++*out_finished;
        else
            (void)brant__error_code(); /* the next who looks does it */
    }
    brant__free(ids);
    return status;
}

/* ---- sweeping ------------------------------------------------------------------------------------------------------------- */

/* Is it what stands beside a tenant's file? Then of which. */
static bool read_name(char out_org_id[BRANT__ORG_ID + 1], bool *out_new, const char *name) {
    static const char before[] = "tenant-", after[] = ".db-";
    const size_t from = sizeof before - 1, to = from + BRANT__ORG_ID;
    if (strlen(name) <= to || strncmp(name, before, from) != 0 ||
        strncmp(name + to, after, sizeof after - 1) != 0)
        return false;
    memcpy(out_org_id, name + from, BRANT__ORG_ID);
    out_org_id[BRANT__ORG_ID] = '\0';
    *out_new = strcmp(name + to + 3, NEW_ENDING) == 0;
    const bool valid = brant__org_id_check(brant__text_of(out_org_id, BRANT__ORG_ID)) == BRANT_OK;
    if (!valid) (void)brant__error_code();
    return valid;
}

static bool is_there(const brant_hub *hub, const char *org_id) {
    char *path = NULL;
    struct stat there;
    const bool found = brant__hub_path(&path, hub, org_id, "") != BRANT_OK ||
                       lstat(path, &there) == 0 || errno != ENOENT;
    brant__free(path);
    return found;
}

void brant__hub_sweep(brant_hub *hub) {
    struct dirent *entry;
    char org_id[BRANT__ORG_ID + 1];
    bool is_new = false;
    if (brant__recorder_enter(hub) != BRANT_OK) goto forget;
    /* Under the lock nobody makes a file. */
    if (brant__begin(hub->recorder, BRANT__WRITE) == BRANT_OK) {
        DIR *entries = opendir(hub->path);
        while (entries && (entry = readdir(entries))) {
            if (!read_name(org_id, &is_new, entry->d_name)) continue;
            if (is_new)
                (void)remove_path(hub, org_id, NEW_ENDING);
            else if (!is_there(hub, org_id))
                (void)remove_side_files(hub, org_id);
            (void)brant__error_code();
        }
        if (entries) closedir(entries);
        brant__rollback(hub->recorder);
    }
    brant__recorder_leave(hub);
forget:
    (void)brant__error_code();
}
