/*
 * hub/pool.c: open files: lent to one caller each, or idle, to be lent again or closed for another.
 *
 * A file is in exactly one place: idle (in its bucket's list and in that of age), lent, or in the hands of the one thread that opens, closes or moves it. All of
 * them count as open, so that a thread which has closed one may open another in its place.
 */
#define _GNU_SOURCE
#include "hub/hub.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/condition.h"
#include "brant/session.h"
#include "crypto/crypto.h"

#define LOG_PAGES                                                                                  \
    1000 /* a log longer than this is written back before its file lies idle: whoever opens the file anew reads all of it */

/* ---- what is attached ----------------------------------------------------------------------------------------------------- */

/* Somebody may have deleted an organisation on a handle of the system file, or changed who its members are. */
static void after_commit(brant_db *db, void *context) {
    brant__file *file = context;
    int64_t finished = 0;
    (void)db;
    if (*file->org_id || atomic_load(&file->hub->closed)) return;
    brant__kept_error kept;
    brant__error_keep(&kept);
    (void)brant__hub_finish(&finished, file->hub);
    brant__members_committed(file);
    brant__error_restore(&kept);
}

static void after_rollback(brant_db *db, void *context, unsigned depth) {
    (void)db;
    if (depth == 0) brant__members_forget(context);
}

static const brant__hooks hooks = {.after_commit = after_commit, .after_rollback = after_rollback};

void brant__pool_attach(brant__file *file) {
    brant__members_attach(file);
    brant__attach(file->db, BRANT__SLOT_HUB, &hooks, file);
}

brant_hub *brant__hub_of_system(brant_db *db) {
    const brant__file *file = brant__state(db, BRANT__SLOT_HUB);
    return file && !*file->org_id ? file->hub : NULL;
}

/* ---- lists: under the lock -------------------------------------------------------------------------------------------------- */

static brant__file **bucket_of(brant_hub *hub, const char *org_id) {
    return &hub->idle[brant__hash(org_id, strlen(org_id)) % BRANT__BUCKETS];
}

static void link_in(brant__file **list, brant__file *file) {
    file->previous = NULL;
    file->next = *list;
    if (*list) (*list)->previous = file;
    *list = file;
}

static void unlink_from(brant__file **list, brant__file *file) {
    if (file->previous)
        file->previous->next = file->next;
    else
        *list = file->next;
    if (file->next) file->next->previous = file->previous;
}

static void idle_add(brant_hub *hub, brant__file *file) {
    link_in(bucket_of(hub, file->org_id), file);
    file->younger = NULL;
    file->older = hub->youngest;
    if (hub->youngest) hub->youngest->younger = file;
    hub->youngest = file;
    if (!hub->oldest) hub->oldest = file;
    hub->idle_count++;
}

static void idle_remove(brant_hub *hub, brant__file *file) {
    unlink_from(bucket_of(hub, file->org_id), file);
    *(file->younger ? &file->younger->older : &hub->youngest) = file->older;
    *(file->older ? &file->older->younger : &hub->oldest) = file->younger;
    hub->idle_count--;
}

static brant__file *idle_find(brant_hub *hub, const char *org_id) {
    brant__file *file = *bucket_of(hub, org_id);
    while (file && strcmp(file->org_id, org_id) != 0)
        file = file->next;
    return file;
}

/* ---- opening and closing ------------------------------------------------------------------------------------------------------ */

void brant__pool_begin(brant_hub *hub) {
    pthread_mutex_init(&hub->lock, NULL);
    brant__condition_init(&hub->changed);
}

static void close_file(brant__file *file) {
    brant_hub *hub = file->hub;
    if (brant__enter(file->db) == BRANT_OK) {
        brant__db_keep_log(file->db);
        brant__leave(file->db);
    } else {
        (void)brant__error_code();
    }
    brant_db_free(file->db);
    brant__members_forget(file);
    brant__free(file);
    brant__hub_release(hub);
}

/* A place became free, or the hub closes. */
static void give_place(brant_hub *hub) {
    pthread_mutex_lock(&hub->lock);
    hub->open--;
    pthread_cond_signal(&hub->changed);
    pthread_mutex_unlock(&hub->lock);
}

/* Whose it says to be. *out_claimed: it did not say, and does now. */
static brant_status check_owner(bool *out_claimed, brant__file *file) {
    char owner[BRANT__ORG_ID + 1];
    brant_status status = brant__tenant_organization(owner, file->db);
    *out_claimed = status == BRANT_OK && !*owner;
    if (status != BRANT_OK) return status;
    if (*out_claimed) return brant__tenant_claim(file->db, file->org_id);
    if (strcmp(owner, file->org_id) == 0) return BRANT_OK;
    return brant__fail(BRANT_CORRUPT, "%s is the file of another organisation",
                       brant__db_path(file->db));
}

/* Why a file cannot be opened: its organisation was deleted meanwhile, whatever that looked like from here, or as it says. */
static brant_status explain(brant__file *file, brant_status status) {
    int state = BRANT__TENANT_NONE;
    brant__kept_error kept;
    brant__error_keep(&kept);
    const brant_status now = brant__registry_look(&state, file->hub, file->org_id);
    if (now != BRANT_NOT_FOUND && now != BRANT_DENIED) {
        brant__error_restore(&kept);
        return status;
    }
    brant__error_forget(&kept);
    return now;
}

/* *out_made: when the file of the organisation was made; 0: it is not. */
static brant_status look(int64_t *out_made, brant_hub *hub, const char *org_id) {
    uint64_t seen = 0;
    *out_made = 0;
    return brant__registry_recheck(&seen, out_made, hub, org_id);
}

/* *out_new: it was made here. */
static brant_status open_tenant(brant_db **out_db, bool *out_new, brant_hub *hub,
                                const char *org_id) {
    int64_t made = 0, made_now = 0;
    brant_status status;
    BRANT__TRY(look(&made, hub, org_id));
    for (int tries = 0; tries < 16; tries++, made = made_now) {
        *out_new = made == 0;
        if (*out_new) BRANT__TRY(brant__tenant_make(hub, org_id));
        status = brant__hub_open_file(out_db, hub, org_id, false);
        if (status != BRANT_NOT_FOUND) return status;
        /* Deleted a moment ago, and there may be another of that id; or lost. */
        (void)brant__error_code();
        BRANT__TRY(look(&made_now, hub, org_id));
        if (made_now != 0 && made_now == made) break;
    }
    return brant__fail(BRANT_CORRUPT,
                       "the file of the organisation \"%s\" is missing; restore a backup", org_id);
cleanup:
    return status;
}

static brant_status open_connection(brant__file *file) {
    bool is_new = false, claimed = false;
    if (!*file->org_id) return brant__hub_open_file(&file->db, file->hub, "", false);
    brant_status status = open_tenant(&file->db, &is_new, file->hub, file->org_id);
    if (status == BRANT_OK) status = brant__enter(file->db);
    if (status != BRANT_OK) return status;
    status = check_owner(&claimed, file);
    if (status == BRANT_OK && (claimed || is_new))
        status = brant__tenant_record(file->hub, file->org_id, file->db);
    brant__leave(file->db);
    return status;
}

static brant_status open_file(brant__file **out, brant_hub *hub, const char *org_id) {
    brant__file *file = brant__alloc_zero(sizeof *file);
    *out = NULL;
    if (!file) return brant__fail_memory();
    brant__hub_retain(hub);
    file->hub = hub;
    snprintf(file->org_id, sizeof file->org_id, "%s", org_id);
    brant_status status = open_connection(file);
    if (status != BRANT_OK) {
        if (*org_id) status = explain(file, status);
        brant_db_free(file->db);
        brant__free(file);
        brant__hub_release(hub);
        return status;
    }
    brant__pool_attach(file);
    pthread_mutex_lock(&hub->lock);
    hub->opened++;
    pthread_mutex_unlock(&hub->lock);
    *out = file;
    return BRANT_OK;
}

/* ---- lending ------------------------------------------------------------------------------------------------------------------- */

/* Until `end` of the monotonic clock; under the lock. */
static void await_place(brant_hub *hub, int64_t end) {
    const int64_t left = end - brant__monotonic_now();
    if (left > 0) brant__condition_wait(&hub->changed, &hub->lock, end);
}

/* An idle file of the organisation, or a place to open one in. */
static brant_status take(brant__file **out, brant_hub *hub, const char *org_id, int64_t patience) {
    const int64_t end = brant__monotonic_now() + patience;
    brant__file *victim = NULL;
    brant_status status = BRANT_OK;
    pthread_mutex_lock(&hub->lock);
    for (;;) {
        if (atomic_load(&hub->closed)) {
            status = brant__fail(BRANT_CLOSED, "the hub is closed");
            break;
        }
        *out = idle_find(hub, org_id);
        if (*out) {
            idle_remove(hub, *out);
            break;
        }
        if (hub->open < hub->options.max_open) {
            hub->open++;
            break;
        }
        victim = hub->oldest;
        if (victim) {
            idle_remove(hub, victim);
            hub->evicted++;
            break;
        }
        if (brant__monotonic_now() >= end) {
            status = brant__fail(BRANT_BUSY,
                                 "all %lld handles of the hub were in use for %lld ms; release "
                                 "them, or raise \"max_open\"",
                                 (long long)hub->options.max_open, (long long)patience);
            break;
        }
        await_place(hub, end);
    }
    pthread_mutex_unlock(&hub->lock);
    if (victim) close_file(victim);
    return status;
}

/* The hub's ring, unless it has it. */
static brant_status give_ring(brant__file *file) {
    brant_hub *hub = file->hub;
    if (file->keys == atomic_load(&hub->keys) && file->rings == brant__keyring_changes(file->db))
        return BRANT_OK;
    brant_status status = brant__enter(file->db);
    if (status != BRANT_OK) return status;
    status = brant__registry_enter(hub);
    if (status == BRANT_OK) {
        status = brant__keyring_share(file->db, hub->registry);
        file->keys = atomic_load(&hub->keys);
        file->rings = brant__keyring_changes(file->db);
        brant__registry_leave(hub);
    }
    brant__leave(file->db);
    return status;
}

/* Idle, or closed; without the session that was lent. */
static void put_back(brant__file *file) {
    brant_hub *hub = file->hub;
    bool keep = false;
    brant_db_free(file->session);
    file->session = NULL;
    if (brant__enter(file->db) == BRANT_OK) {
        while (brant__depth(file->db) > 0)
            brant__rollback(file->db);
        if (brant__db_log_pages(file->db) > LOG_PAGES) brant__db_checkpoint(file->db);
        keep = !brant__transaction_stuck(file->db);
        brant__leave(file->db);
    }
    pthread_mutex_lock(&hub->lock);
    keep = keep && !file->doomed && !atomic_load(&hub->closed);
    if (keep) {
        idle_add(hub, file);
        pthread_cond_signal(&hub->changed);
    }
    pthread_mutex_unlock(&hub->lock);
    if (keep) return;
    brant__hub_retain(hub);
    close_file(file);
    give_place(hub);
    brant__hub_release(hub);
}

/* What the caller failed by stays in the record, also where the hub was closed meanwhile. */
void brant__pool_put_back(brant__file *file) {
    brant__kept_error kept;
    brant__error_keep(&kept);
    put_back(file);
    brant__error_restore(&kept);
}

/* ---- the handle of a file that is lent ------------------------------------------------------------------------------------------ */

static brant_status on_enter(brant_db *db, void *context) {
    brant__file *file = context;
    (void)db;
    const brant_status status = brant__registry_recheck_lent(file);
    if (BRANT__LIKELY(status != BRANT_NOT_FOUND)) return status;
    (void)brant__error_code();
    return brant__fail(BRANT_CLOSED, "the organisation \"%s\" is being deleted", file->org_id);
}

static void on_destroy(brant_db *beneath, void *context) {
    brant__file *file = context;
    brant_hub *hub = file->hub;
    (void)beneath;
    pthread_mutex_lock(&hub->lock);
    unlink_from(&hub->lent, file);
    file->handle = NULL;
    pthread_mutex_unlock(&hub->lock);
    brant__pool_put_back(file);
}

static const brant__shell_kind kind = {.enter = on_enter, .destroy = on_destroy};

brant_status brant__pool_lend(brant_db **out_db, brant__file *file, brant__text identity,
                              const brant__caller *caller) {
    brant_hub *hub = file->hub;
    brant_status status = BRANT_OK;
    *out_db = NULL;
    file->caller = caller ? *caller : (brant__caller){.level = 0};
    if (identity.data)
        BRANT__TRY(brant_session_open(&file->session, file->db, identity.data, identity.length));
    /* Nobody closes it before it is in the list, and from then on it is only known by that. */
    pthread_mutex_lock(&hub->lock);
    status = brant__shell_open(&file->handle, file->session ? file->session : file->db, &kind, file,
                               NULL);
    if (status == BRANT_OK) link_in(&hub->lent, file);
    const bool late = file->doomed || atomic_load(&hub->closed);
    *out_db = file->handle;
    pthread_mutex_unlock(&hub->lock);
    if (status == BRANT_OK && late) brant__db_close(*out_db); /* it missed that everything is closed */
cleanup:
    if (status != BRANT_OK) brant__pool_put_back(file);
    return status;
}

static brant_status take_ready(brant__file **out, brant_hub *hub, brant__text org_id,
                               int64_t patience) {
    char name[BRANT__ORG_ID + 1] = "";
    brant__file *file = NULL;
    brant_status status = BRANT_OK;
    *out = NULL;
    if (org_id.length > 0) {
        BRANT__TRY(brant__org_id_check(org_id));
        memcpy(name, org_id.data, BRANT__ORG_ID);
    }
    for (;;) {
        BRANT__TRY(take(&file, hub, name, patience));
        const bool idle = file != NULL;
        if (!file && (status = open_file(&file, hub, name)) != BRANT_OK) {
            give_place(hub);
            return status;
        }
        /* Also of one that was opened just now: see tenant.c. */
        if (*name) status = brant__registry_recheck(&file->seen, &file->made, hub, name);
        if (status == BRANT_OK) status = give_ring(file);
        if (status == BRANT_OK) break;
        file->doomed = status != BRANT_DENIED;
        brant__pool_put_back(file);
        if (!idle || status != BRANT_NOT_FOUND) return status;
        /* There may be another of that name: then it is opened, else that says why not. */
        (void)brant__error_code();
    }
    *out = file;
cleanup:
    return status;
}

brant_status brant__pool_take(brant__file **out, brant_hub *hub, brant__text org_id) {
    return take_ready(out, hub, org_id, hub->options.busy_timeout);
}

brant_status brant__pool_take_now(brant__file **out, brant_hub *hub, brant__text org_id) {
    return take_ready(out, hub, org_id, 0);
}

brant_status brant__pool_acquire(brant_db **out_db, brant_hub *hub, brant__text org_id) {
    brant__file *file = NULL;
    *out_db = NULL;
    const brant_status status = brant__pool_take(&file, hub, org_id);
    return status == BRANT_OK ? brant__pool_lend(out_db, file, (brant__text){NULL, 0}, NULL)
                              : status;
}

brant_status brant__pool_adopt(brant_db *db) {
    brant__file *file = brant__shell_state(db, &kind);
    bool claimed = false;
    brant_status status = brant__enter(file->db);
    if (status != BRANT_OK) return status;
    status = check_owner(&claimed, file);
    if (status == BRANT_OK) status = brant__tenant_record(file->hub, file->org_id, file->db);
    brant__leave(file->db);
    return status;
}

int64_t brant__pool_found_format(const brant_db *db) {
    const brant__file *file = brant__shell_state(db, &kind);
    return brant__db_found_format(file->db);
}

brant_status brant_hub_acquire(brant_db **out_db, brant_hub *hub, const char *org_id,
                               size_t org_id_len) {
    brant__error_clear();
    *out_db = NULL;
    brant_status status = brant__hub_check(hub);
    if (status == BRANT_OK)
        status = brant__pool_acquire(out_db, hub, brant__text_of(org_id, org_id_len));
    return brant__answer(status);
}

brant_status brant_hub_release(brant_hub *hub, brant_db *db) {
    brant__error_clear();
    if (!db) return BRANT_OK;
    if (!hub) return brant__fail(BRANT_INVALID, "the hub is NULL");
    pthread_mutex_lock(&hub->lock);
    const brant__file *file = hub->lent;
    while (file && file->handle != db)
        file = file->next;
    pthread_mutex_unlock(&hub->lock);
    if (!file && !brant__db_closed(db))
        return brant__fail(BRANT_MISUSE, "the handle is none that this hub gave");
    return file ? brant_close(db) : BRANT_OK;
}

void brant__pool_close(brant_hub *hub, const char *org_id) {
    for (;;) {
        brant__file *idle = NULL;
        brant_db *lent = NULL;
        pthread_mutex_lock(&hub->lock);
        if (!org_id)
            idle = hub->oldest;
        else
            idle = idle_find(hub, org_id);
        if (idle) idle_remove(hub, idle);
        for (brant__file *file = hub->lent; file && !idle && !lent; file = file->next) {
            if (file->doomed || (org_id && strcmp(file->org_id, org_id) != 0)) continue;
            file->doomed = true;
            lent = file->handle;
            brant__db_retain(lent); /* its owner may free it meanwhile */
        }
        if (!idle && !lent) pthread_cond_broadcast(&hub->changed);
        pthread_mutex_unlock(&hub->lock);
        if (idle) {
            close_file(idle);
            give_place(hub);
        } else if (lent) {
            brant__db_close(lent);
            brant__db_release(lent);
        } else {
            return;
        }
    }
}

int64_t brant__pool_count(brant_hub *hub, const char *org_id) {
    int64_t count = 0;
    pthread_mutex_lock(&hub->lock);
    for (const brant__file *file = *bucket_of(hub, org_id); file; file = file->next)
        count += strcmp(file->org_id, org_id) == 0;
    for (const brant__file *file = hub->lent; file; file = file->next)
        count += strcmp(file->org_id, org_id) == 0;
    pthread_mutex_unlock(&hub->lock);
    return count;
}
