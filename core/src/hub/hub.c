/*
 * hub/hub.c: opening a folder and closing it, its options and its key ring.
 */
#define _GNU_SOURCE
#include "hub/hub.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/crypto.h"
#include "hub/delegation.h"

/* ---- life ------------------------------------------------------------------------------------------------------------ */

void brant__hub_retain(brant_hub *hub) {
    atomic_fetch_add_explicit(&hub->references, 1, memory_order_relaxed);
}

void brant__hub_release(brant_hub *hub) {
    if (atomic_fetch_sub_explicit(&hub->references, 1, memory_order_acq_rel) != 1) return;
    brant_db_free(hub->recorder);
    brant_db_free(hub->registry);
    brant_db_free(hub->system);
    brant__members_forget(&hub->system_file);
    brant__image_free(hub->image);
    pthread_cond_destroy(&hub->changed);
    pthread_mutex_destroy(&hub->lock);
    pthread_mutex_destroy(&hub->registry_lock);
    pthread_mutex_destroy(&hub->recorder_lock);
    brant__buffer_free(&hub->options.json);
    brant__free(hub->path);
    brant__free(hub);
}

brant_status brant__hub_check(const brant_hub *hub) {
    if (!hub) return brant__fail(BRANT_INVALID, "the hub is NULL");
    if (hub->process != getpid())
        return brant__fail(
            BRANT_FORKED, "the hub was opened by process %ld before fork; open one in this process",
            (long)hub->process);
    if (atomic_load(&((brant_hub *)hub)->closed))
        return brant__fail(BRANT_CLOSED, "the hub is closed");
    return BRANT_OK;
}

/* ---- paths ----------------------------------------------------------------------------------------------------------- */

brant_status brant__org_id_check(brant__text org_id) {
    bool valid = org_id.data && org_id.length == BRANT__ORG_ID;
    for (size_t i = 0; valid && i < BRANT__ORG_ID; i++) {
        const char c = org_id.data[i];
        const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
        valid = hyphen ? c == '-' : (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    }
    if (valid) return BRANT_OK;
    return brant__fail(BRANT_INVALID, "the id of an organisation is a UUID in lower case");
}

brant_status brant__hub_path(char **out, const brant_hub *hub, const char *org_id,
                             const char *ending) {
    brant__buffer path = {0};
    size_t ignored = 0;
    const char *folder = strcmp(hub->path, "/") == 0 ? "" : hub->path;
    if (*org_id)
        brant__buffer_format(&path, "%s/tenant-%s.db%s", folder, org_id, ending);
    else
        brant__buffer_format(&path, "%s/system.db%s", folder, ending);
    const brant_status status = brant__buffer_take(out, &ignored, &path);
    brant__buffer_free(&path);
    return status;
}

/* ---- options ------------------------------------------------------------------------------------------------------------ */

/* A file takes three descriptors and a handle that waits one; some are left for the application. */
static int64_t default_open(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return 1000;
    const int64_t open = (int64_t)limit.rlim_cur / 5;
    return open < 4 ? 4 : open > 1000 ? 1000 : open;
}

static brant_status read_integer(int64_t *out, const char *name, yyjson_val *value, int64_t low,
                                 int64_t high) {
    const int64_t number = brant__json_integer(value, INT64_MIN);
    if (number < low || number > high)
        return brant__fail(BRANT_INVALID, "option \"%s\" must be an integer from %lld to %lld",
                           name, (long long)low, (long long)high);
    *out = number;
    return BRANT_OK;
}

/* What brant_open knows, too, is checked there; here is looked at what the hub itself needs. */
static brant_status read_option(brant__hub_options *options, brant__writer *passed,
                                yyjson_val *name, yyjson_val *value) {
    static const char *const known[] = {"durability", "busy_timeout", "permissions", "network",
                                        "limits", "foreign_keys"};
    if (yyjson_equals_str(name, "mode")) {
        if (!yyjson_equals_str(value, "create") && !yyjson_equals_str(value, "rw"))
            return brant__fail(BRANT_INVALID, "option \"mode\" must be one of \"create\", \"rw\"");
        options->create = yyjson_equals_str(value, "create");
        return BRANT_OK;
    }
    if (yyjson_equals_str(name, "max_open"))
        return read_integer(&options->max_open, "max_open", value, 1, 100000);
    if (yyjson_equals_str(name, "cache"))
        return read_integer(&options->cache, "cache", value, 65536, (int64_t)1 << 40);
    for (size_t i = 0; i < BRANT__COUNT(known); i++) {
        if (!yyjson_equals_str(name, known[i])) continue;
        brant__write_name(passed, known[i]);
        brant__write_value(passed, value);
        if (i == 0) options->full = yyjson_equals_str(value, "full");
        if (i == 1) return read_integer(&options->busy_timeout, known[i], value, 0, 3600000);
        if (i == 2) options->group = yyjson_equals_str(value, "group");
        return BRANT_OK;
    }
    return brant__fail(BRANT_INVALID,
                       "unknown option \"%.64s\"; known: mode, max_open, cache, durability, "
                       "busy_timeout, permissions, network, limits, foreign_keys",
                       yyjson_get_str(name));
}

static brant_status read_options(brant__hub_options *options, brant__text json) {
    brant_status status = BRANT_OK;
    brant__json document = {0};
    brant__writer passed = {0};
    options->create = true;
    options->busy_timeout = 5000;
    options->max_open = default_open();
    options->cache = (int64_t)2 << 20;
    brant__write_object(&passed);
    if (json.length > 0) {
        BRANT__TRY(brant__json_parse(&document, json.data, json.length, 0));
        if (!yyjson_is_obj(document.root)) {
            status = brant__fail(BRANT_INVALID, "the options must be a JSON object");
            goto cleanup;
        }
        yyjson_val *name = NULL;
        yyjson_obj_iter members;
        yyjson_obj_iter_init(document.root, &members);
        while ((name = yyjson_obj_iter_next(&members)))
            BRANT__TRY(read_option(options, &passed, name, yyjson_obj_iter_get_val(name)));
    }
    brant__write_integer_member(&passed, "cache", options->cache);
    brant__write_end(&passed);
    if (passed.buffer.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    /* Without the brace that opens it: mode and role come first. */
    brant__buffer_append(&options->json, passed.buffer.data + 1, passed.buffer.length - 1);
    if (options->json.failed) status = brant__fail_memory();
cleanup:
    brant__buffer_free(&passed.buffer);
    brant__json_free(&document);
    return status;
}

/* ---- opening ---------------------------------------------------------------------------------------------------------- */

brant_status brant__hub_open_file(brant_db **out_db, brant_hub *hub, const char *org_id,
                                  bool create) {
    brant_status status = BRANT_OK;
    brant__buffer options = {0};
    char *path = NULL;
    struct stat there;
    *out_db = NULL;
    BRANT__TRY(brant__hub_path(&path, hub, org_id, ""));
    /* brant_open follows links, which here would lead to what is not the hub's. */
    if (lstat(path, &there) == 0 && !S_ISREG(there.st_mode)) {
        status = brant__fail(BRANT_NOT_BRANT, "%s is not a file", path);
        goto cleanup;
    }
    brant__buffer_format(&options, "{\"mode\":\"%s\",\"role\":\"%s\",", create ? "create" : "rw",
                         *org_id ? "tenant" : "system");
    brant__buffer_append(&options, hub->options.json.data, hub->options.json.length);
    if (options.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    status = brant_open(out_db, path, strlen(path), options.data, options.length);
cleanup:
    brant__buffer_free(&options);
    brant__free(path);
    return status;
}

static brant_status folder_fail(const char *what, const char *path, int error) {
    brant_status status = BRANT_IO;
    if (error == EACCES || error == EPERM || error == EROFS) status = BRANT_READ_ONLY;
    if (error == ENOENT || error == ENOTDIR) status = BRANT_NOT_FOUND;
    if (error == ENOSPC || error == EDQUOT) status = BRANT_FULL;
    return brant__fail(status, "%s the folder %s", what, path);
}

static brant_status find_folder(brant_hub *hub, brant__text given) {
    brant_status status = BRANT_OK;
    char resolved[PATH_MAX], *path = NULL;
    struct stat there;
    if (given.length == 0) return brant__fail(BRANT_INVALID, "the path is empty");
    if (memchr(given.data, 0, given.length))
        return brant__fail(BRANT_INVALID, "the path holds a NUL");
    if (brant__utf8_check(given.data, given.length) != SIZE_MAX)
        return brant__fail(BRANT_INVALID, "the path is not UTF-8");
    if (!(path = brant__strndup(given.data, given.length))) return brant__fail_memory();
    const mode_t mode = hub->options.group ? 0770 : 0700;
    if (hub->options.create) {
        if (mkdir(path, mode) == 0)
            (void)chmod(path, mode); /* whatever the umask */
        else if (errno != EEXIST) {
            status = folder_fail("cannot make", path, errno);
            goto cleanup;
        }
    }
    if (!realpath(path, resolved) || stat(resolved, &there) != 0) {
        status = folder_fail("cannot open", path, errno);
        goto cleanup;
    }
    if (!S_ISDIR(there.st_mode)) {
        status = brant__fail(BRANT_NOT_BRANT, "%s is not a folder", path);
        goto cleanup;
    }
    hub->path = brant__strndup(resolved, strlen(resolved));
    if (!hub->path) status = brant__fail_memory();
cleanup:
    brant__free(path);
    return status;
}

brant_status brant_hub_open(brant_hub **out_hub, const char *path, size_t path_len,
                            const char *json, size_t json_len) {
    brant_status status = BRANT_OK;
    int64_t finished = 0;
    brant__error_clear();
    *out_hub = NULL;
    brant_hub *hub = brant__alloc_zero(sizeof *hub);
    if (!hub) return brant__fail_memory();
    atomic_init(&hub->references, 1);
    hub->process = getpid();
    pthread_mutex_init(&hub->registry_lock, NULL);
    pthread_mutex_init(&hub->recorder_lock, NULL);
    brant__pool_begin(hub);
    BRANT__TRY(read_options(&hub->options, brant__text_of(json, json_len)));
    BRANT__TRY(find_folder(hub, brant__text_of(path, path_len)));
    BRANT__TRY(brant__hub_open_file(&hub->system, hub, "", hub->options.create));
    BRANT__TRY(brant__hub_open_file(&hub->registry, hub, "", false));
    BRANT__TRY(brant__hub_open_file(&hub->recorder, hub, "", false));
    hub->system_file = (brant__file){.hub = hub, .db = hub->system};
    brant__pool_attach(&hub->system_file);
    /* What cannot be finished now, as somebody writes, is by the next. */
    brant__hub_sweep(hub);
    if (brant__hub_finish(&finished, hub) != BRANT_OK) (void)brant__error_code();
    *out_hub = hub;
    return brant__answer(BRANT_OK);
cleanup:
    brant__hub_release(hub);
    return brant__answer(status);
}

static void close_hub(brant_hub *hub) {
    brant__kept_error kept;
    if (hub->process != getpid()) return;
    brant__error_keep(&kept);
    atomic_store(&hub->closed, true);
    brant__pool_close(hub, NULL);
    brant__db_close(hub->system);
    brant__db_close(hub->registry);
    brant__db_close(hub->recorder);
    brant__error_restore(&kept);
}

brant_status brant_hub_close(brant_hub *hub) {
    brant__error_clear();
    if (hub) close_hub(hub);
    return BRANT_OK;
}

void brant_hub_free(brant_hub *hub) {
    if (!hub) return;
    close_hub(hub);
    brant__hub_release(hub);
}

brant_db *brant_hub_system(brant_hub *hub) {
    return hub ? hub->system : NULL;
}

/* ---- key ring ------------------------------------------------------------------------------------------------------------ */

/* The registry gets it first: one that is refused changes nothing. Files take it from there when they are lent next. */
static brant_status give_ring(brant_hub *hub, const brant__text *json) {
    brant_db *system = hub->system;
    brant_status status = brant__enter(system);
    if (status != BRANT_OK) return status;
    if ((status = brant__recorder_enter(hub)) != BRANT_OK) {
        brant__leave(system);
        return status;
    }
    pthread_mutex_lock(&hub->registry_lock);
    BRANT__TRY(json ? brant_keyring_load(hub->registry, json->data, json->length)
                    : brant_keyring_unload(hub->registry));
    BRANT__TRY(brant__enter(hub->registry));
    atomic_fetch_add(&hub->keys, 1);
    status = brant__keyring_derive_all(hub->registry);
    if (status == BRANT_OK) status = brant__keyring_share(hub->recorder, hub->registry);
    if (status == BRANT_OK) status = brant__keyring_share(system, hub->registry);
    if (status != BRANT_OK) {
        (void)brant__keyring_share(hub->registry, system);
        (void)brant__keyring_share(hub->recorder, system);
    }
    brant__leave(hub->registry);
cleanup:
    pthread_mutex_unlock(&hub->registry_lock);
    brant__recorder_leave(hub);
    brant__leave(system);
    return status;
}

/* Delegations between organisations can be finished, as what is written can be audited. What fails is left to tenants.maintain. */
static void reconcile(brant_hub *hub) {
    int64_t finished = 0;
    if (brant__enter(hub->system) == BRANT_OK) {
        if (brant__depth(hub->system) == 0)
            (void)brant__delegations_reconcile(&finished, hub, hub->system);
        brant__leave(hub->system);
    }
    brant__error_clear();
}

brant_status brant_hub_keyring_load(brant_hub *hub, const char *json, size_t json_len) {
    brant__error_clear();
    const brant__text text = brant__text_of(json, json_len);
    const brant_status status = brant__hub_check(hub);
    if (status != BRANT_OK) return status;
    const brant_status given = give_ring(hub, &text);
    if (given == BRANT_OK) reconcile(hub);
    return brant__answer(given);
}

brant_status brant_hub_keyring_unload(brant_hub *hub) {
    brant__error_clear();
    const brant_status status = brant__hub_check(hub);
    return status == BRANT_OK ? give_ring(hub, NULL) : status;
}
