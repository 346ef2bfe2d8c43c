/*
 * hub/hub.h: the inside of a hub.
 *
 * A hub has four sorts of connections. `system` is the caller's. `registry` and `recorder` are the hub's own on the same file, behind `registry_lock` and `recorder_lock`: the states of organisations and
 * tenants are read in the one (registry.c) and written in the other, so that it works whatever the caller does with its handles. The registry never waits for a writer, as each call on a tenant
 * looks there; the recorder may wait for the busy timeout. The others are files (brant__file), tenants' and more of the system's, which are lent to one caller
 * each or idle (pool.c).
 *
 * `lock` guards the pool's lists and numbers, and nothing is called under it that takes another lock or touches a file. registry_lock may be taken inside a call of any handle but
 * the registry's, also inside the recorder's. Between the two there is no order, as neither is held when the other is taken.
 */
#ifndef BRANT__HUB_H
#define BRANT__HUB_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "access/derive.h"
#include "brant/hub.h"
#include "identity/membership.h"
#include "store/store.h"

#define BRANT__ORG_ID  36
#define BRANT__BUCKETS 256

typedef struct brant__hub_options {
    bool create;
    bool group;
    bool full; /* durability */
    int64_t busy_timeout;
    int64_t max_open;
    int64_t cache;
    brant__buffer json; /* what is passed on to each file, without its braces */
} brant__hub_options;

/* Who a session of brant_hub_authenticate is of. */
typedef struct brant__caller {
    char key[BRANT__ORG_ID + 1]; /* ids; "" of a handle that is trusted */
    char account[BRANT__ORG_ID + 1];
    int level;          /* that the session has in the organisation */
    int64_t expires_at; /* of the key, as it was seen; INT64_MAX: never */
    uint64_t seen;      /* the registry's version then */
} brant__caller;

typedef struct brant__member_change brant__member_change;

/* One open file. In the list of its bucket when it is idle, in that of those lent when it is not. */
typedef struct brant__file brant__file;
struct brant__file {
    brant__membership membership;   /* first: identity/membership.h */
    brant_hub *hub;                 /* retained */
    char org_id[BRANT__ORG_ID + 1]; /* "" of the system file */
    brant_db *db;                   /* the connection, the pool's */
    brant_db *handle;               /* lent: the shell that the caller has */
    brant_db *session;              /* of brant_hub_authenticate: what that stands for; else NULL */
    uint64_t keys;  /* which of the hub's rings it has; 0: none, as the hub at first */
    uint64_t rings; /* brant__keyring_changes when it got that */
    uint64_t seen;  /* the registry's version at which it was seen to be active */
    int64_t made;   /* when the file was made, as the registry says */
    bool doomed;    /* closed when it comes back */
    brant__caller caller;
    brant__arena arena;            /* of the system file: of what follows */
    brant__member_change *changes; /* of the transaction that runs: members.c */
    size_t change_count;
    brant__file *next, *previous; /* of the bucket, or of those lent */
    brant__file *younger, *older; /* idle ones by their use */
};

struct brant_hub {
    atomic_int references; /* the caller's, and each file's */
    atomic_bool closed;
    pid_t process;
    char *path; /* absolute */
    brant__hub_options options;
    brant_db *system;
    brant__file system_file; /* what is attached to it; neither idle nor lent */

    pthread_mutex_t registry_lock;
    brant_db *registry;

    pthread_mutex_t recorder_lock;
    brant_db *recorder;
    brant__image *image;
    atomic_ullong keys; /* counts the rings that it was given; the registry has the present one */

    pthread_mutex_t lock;
    pthread_cond_t changed;
    brant__file *idle[BRANT__BUCKETS];
    brant__file *youngest, *oldest; /* of the idle ones */
    brant__file *lent;
    int64_t open; /* idle, lent, and being opened */
    int64_t idle_count;
    int64_t opened, made, evicted;
};

brant_status brant__hub_check(const brant_hub *hub); /* INVALID, FORKED, CLOSED */
void brant__hub_retain(brant_hub *hub);
void brant__hub_release(brant_hub *hub);

/* INVALID for what is no UUID in lower case. */
brant_status brant__org_id_check(brant__text org_id);
/* The hub's folder, a slash, the file's name and an ending; NUL-terminated. */
brant_status brant__hub_path(char **out, const brant_hub *hub, const char *org_id,
                             const char *ending);

/* The file of an organisation, or with "" of the system; a link is NOT_BRANT. */
brant_status brant__hub_open_file(brant_db **out_db, brant_hub *hub, const char *org_id,
                                  bool create);

/* ---- registry (registry.c) ---------------------------------------------------------------------------------------------- */

/* Between them the registry is this thread's, entered. */
brant_status brant__registry_enter(brant_hub *hub);
void brant__registry_leave(brant_hub *hub);
/* Between them the recorder is, in which the system file is written. */
brant_status brant__recorder_enter(brant_hub *hub);
void brant__recorder_leave(brant_hub *hub);

enum { BRANT__TENANT_NONE, BRANT__TENANT_MADE, BRANT__TENANT_DELETING };
extern const char *const brant__tenant_state_names[];

/* Inside `db`, which is the registry or the recorder. NOT_FOUND: no such organisation, or it is being deleted; DENIED: it is suspended. *out_state is whatever it is, *out_made when the file was made. */
brant_status brant__registry_state(int *out_state, int64_t *out_made, brant_db *db,
                                   const char *org_id);
/* The same from outside. */
brant_status brant__registry_look(int *out_state, brant_hub *hub, const char *org_id);
/*
 * The same of a file that is open; quick when nobody wrote to the system file since *seen. *made: 0, or when the file was made that was opened: another of the same organisation is
 * NOT_FOUND, too.
 */
brant_status brant__registry_recheck(uint64_t *seen, int64_t *made, brant_hub *hub,
                                     const char *org_id);
/*
 * The same of a file that is lent, and, where its handle is a session of brant_hub_authenticate, AUTH when the key is not good for that any more: revoked or expired, its account not active, or not a
 * member of at least the level that the session has.
 */
brant_status brant__registry_recheck_lent(brant__file *file);
brant_status brant__registry_level(int *out_level, brant_hub *hub, const char *org_id,
                                   brant__text account_id);

/* ---- files of tenants (tenant.c) ------------------------------------------------------------------------------------------ */

/* Make the file of an organisation, unless it is there. */
brant_status brant__tenant_make(brant_hub *hub, const char *org_id);
/* The same when it was made and is lost: an empty one in its place, for a backup. */
brant_status brant__tenant_replace(brant_hub *hub, const char *org_id);
/* Keep the id of the file in the system file. Inside its handle. */
brant_status brant__tenant_record(brant_hub *hub, const char *org_id, brant_db *db);
/* Finish what was left half done. *out_finished: deleted organisations. Only a failure to look is one. */
brant_status brant__hub_finish(int64_t *out_finished, brant_hub *hub);
/* At brant_hub_open: remove half-made files and what is left of files that are gone. */
void brant__hub_sweep(brant_hub *hub);

/* ---- members (members.c) ----------------------------------------------------------------------------------------------------- */

/* What a file answers, or notes, of memberships. */
void brant__members_attach(brant__file *file);
/* After a commit on the system file: the access graphs of tenants get into step with what was noted. Nobody is waited for long, and what fails is left to tenants.maintain. Not under any lock. */
void brant__members_committed(brant__file *file);
/* What was noted is void. */
void brant__members_forget(brant__file *file);
/* The access graph of a tenant, whose handle it is, gets into step. */
brant_status brant__members_sync(brant__derived *out, brant_db *tenant);

/* ---- pool (pool.c) ----------------------------------------------------------------------------------------------------------- */

void brant__pool_begin(brant_hub *hub);
void brant__pool_attach(brant__file *file); /* to its connection, which is nobody's yet */

brant_status brant__pool_acquire(brant_db **out_db, brant_hub *hub, brant__text org_id);
/* What the file of a handle holds was replaced: it is this organisation's, and the system file knows its id. */
brant_status brant__pool_adopt(brant_db *db);
/* The format that the file of a handle had when this hub opened it. */
int64_t brant__pool_found_format(const brant_db *db);
/* The file of an organisation, or with "" of the system, ready for use; then it is lent or put back. */
brant_status brant__pool_take(brant__file **out, brant_hub *hub, brant__text org_id);
/* The same, and BUSY at once when all handles are in use. */
brant_status brant__pool_take_now(brant__file **out, brant_hub *hub, brant__text org_id);
/* `identity`: that of the session which the handle is, of `caller`; {NULL, 0} and NULL: it is trusted. Whether it fails or not, the file is the handle's, or back. */
brant_status brant__pool_lend(brant_db **out_db, brant__file *file, brant__text identity,
                              const brant__caller *caller);
void brant__pool_put_back(brant__file *file);
/* Close the idle files of an organisation (NULL: all), and what callers have of it. */
void brant__pool_close(brant_hub *hub, const char *org_id);
/* Handles on it, idle ones too; *out_format: of one of them, 0: none is open. */
int64_t brant__pool_count(brant_hub *hub, const char *org_id);
/* The hub of which a handle of the system file is; NULL: of none. */
brant_hub *brant__hub_of_system(brant_db *db);

/* ---- statements, for tests that look at their plans ------------------------------------------------------------------------ */

extern const brant__statements brant__tenant_state_statements, brant__tenant_statements,
    brant__tenant_list_statements, brant__tenant_walk_statements, brant__delegation_statements,
    brant__tenant_member_statements;

#endif
