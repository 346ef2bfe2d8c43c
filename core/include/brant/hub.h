/*
 * brant/hub.h: a folder of files: one of the system, which has accounts, organisations and keys, and one of each organisation: a tenant.
 *
 * The folder has system.db (role "system") and tenant-<id of the organisation>.db (role "tenant"), with what SQLite keeps beside them and their wake folders. Nothing else of
 * it is touched. Many hubs, of many processes, may have one folder open at once.
 *
 * A tenant's file is made at its first use, from an image of an empty file, and lives until its organisation is deleted. Which state it is in stands in the system file, so that
 * what a crash left half done is finished by whoever opens the folder next. A file carries the id of its organisation: under another's name it is refused (CORRUPT).
 *
 * Ids of organisations are UUIDs in lower case, exactly, before they become a part of a path (INVALID). A symbolic link in place of a file is refused (NOT_BRANT).
 *
 * Suspended and deleted organisations. Each call on a handle that brant_hub_acquire gave looks whether the organisation still is active, whoever changed it, in any
 * process: DENIED while it is suspended, CLOSED when it is being deleted. organizations.delete marks the organisation; the hub of the handle on which that was called then
 * takes the tenant's write lock, says in its file that it is gone, and removes it with what belongs to it, last the rows in the system file. A write that was acknowledged before is
 * deleted with the file; none is acknowledged afterwards, in no process and by no handle, nor by one that brant_open gave. If the file's writer does not end within the busy timeout,
 * or the process dies, the next brant_hub_open, tenants.maintain or write to the system file by a hub finishes it; meanwhile nobody gets in.
 *
 * Members. A tenant's graph "access" has groups org:<id> and org:<id>:<level> with the organisation's members (access.h), from the moment when access.* makes that graph. A commit by which memberships
 * change on a hub's handle of the system file brings the graphs of up to 8 organisations and 256 memberships into step before it returns. It never fails by that, nor waits for a free handle, and at most 100 ms for other writers;
 * what is left behind, so also by a crash, tenants.maintain does. A membership that ended gives nothing in the meantime, as each evaluation asks the system file.
 *
 * Threads. All functions of this header may be called from any thread at any time. A handle is used by one thread at a time, as always (store.h).
 */
#ifndef BRANT_HUB_H
#define BRANT_HUB_H

#include "store.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct brant_hub brant_hub;

/*
 * Open a folder. `json` is an object of options, or empty:
 *
 *   mode           "create" (default): the folder, whose own folder must exist, and the system file are made when they are missing; "rw": both must exist
 *   max_open       files that are open at once, those in use and idle ones together: 1..100000. Default: a fifth of the process's limit on descriptors, of which a file
 *                  takes three and a handle that waits one more; at least 4, at most 1000
 *   cache          bytes of page cache of a file, default 2097152
 *   durability, busy_timeout, permissions, network, limits, foreign_keys      as of brant_open, of every file ("group" also for the folder)
 *
 * The system file is brought to this version's format at once, a tenant's when it is opened first (tenants.migrate does all). What a crash left is finished: files of organisations that are being deleted
 * go, and so do files that are half made. `path` is UTF-8 without NUL, made absolute at once. The caller owns *out_hub: brant_hub_close, then brant_hub_free.
 * Errors are those of brant_open of the system file, and: INVALID: an unknown option or bad value; NOT_FOUND: mode rw and no folder or no system file, or no place for the folder;
 * NOT_BRANT: the path is no folder.
 */
BRANT_API brant_status brant_hub_open(brant_hub **out_hub, const char *path, size_t path_len,
                                      const char *json, size_t json_len);

/*
 * Close it and every handle that it gave, as brant_close does: what runs ends with CLOSED, and files are released as soon as nobody is in them. Waiting acquires end with CLOSED. Any number of times. NULL
 * is fine.
 */
BRANT_API brant_status brant_hub_close(brant_hub *hub);

/* Close it and free it; nothing may use the pointer afterwards, while handles that it gave are still to be freed each. brant_last_error stays as it was. NULL is fine. */
BRANT_API void brant_hub_free(brant_hub *hub);

/*
 * The handle of the system file, borrowed: for accounts.*, organizations.*, members.*, invitations.*, api_keys.*, auth.*, audit.* and tenants.*. One thread at a time uses it; brant_hub_acquire without an
 * organisation gives others. Not to be closed or freed. NULL: hub is NULL.
 */
BRANT_API brant_db *brant_hub_system(brant_hub *hub);

/*
 * Give all files of the hub a key ring (crypto.h), which the caller may wipe afterwards. Keys of passwords are derived at once, which takes about a second each. Files that are in use keep
 * the ring that they have until they are released. A ring that a caller loads into a handle that it acquired goes with that handle.
 * Errors are those of brant_keyring_load; then the old ring stays. MISUSE: another thread is inside the system handle.
 */
BRANT_API brant_status brant_hub_keyring_load(brant_hub *hub, const char *json, size_t json_len);

/* Take it away from all files; from those in use when they are released. MISUSE: another thread is inside the system handle. */
BRANT_API brant_status brant_hub_keyring_unload(brant_hub *hub);

/*
 * A handle on the file of an organisation, for this caller alone; without org_id (org_id_len 0) one on the system file. From the files that are open and idle, else the file is opened, and made when it is
 * its first use; the one that was idle longest makes room. Another acquire of the same organisation gives another handle.
 * The caller owns *out_db: brant_hub_release gives the file back, brant_db_free frees the handle (and gives the file back when that was not done). A handle that was given back is CLOSED for
 * ever. It is trusted: brant_session_open makes one of it for others.
 * INVALID: org_id; NOT_FOUND: no such organisation, or it is being deleted, also when that began while its file was opened; DENIED: it is suspended; BUSY: max_open handles were in use for the busy timeout; CORRUPT: the file is missing although it was
 * made, or is another's; CLOSED: the hub is; FORKED; and those of brant_open (BUSY also when the file is to be made and somebody writes the system file all the time: a transaction of the caller's own, for one).
 */
BRANT_API brant_status brant_hub_acquire(brant_db **out_db, brant_hub *hub, const char *org_id,
                                         size_t org_id_len);

/*
 * Give the file of a handle back: its transaction is rolled back, its sessions and cursors are closed, and every later call on it is CLOSED; the file stays open, idle, for the next acquire. A call that
 * another thread makes meanwhile ends first. Waits are pinned, too: a file stays in use until its handle is released, also while a cursor only listens.
 * `db` may also be a session of brant_hub_authenticate. Again: fine. MISUSE: the handle is none that this hub gave. NULL is fine.
 */
BRANT_API brant_status brant_hub_release(brant_hub *hub, brant_db *db);

/*
 * Who has this API key, and a session on the file of its organisation, of which no other can be asked for: auth.authenticate (identity.h) of the system file, and brant_session_open with the identity
 * that it answers, by handles of the hub's own, so that many threads may do it at once. What the graph "access" of the tenant's file grants or denies the principal is asked at each call of
 * the session, as is whether the organisation is active, and whether the key would still get this session: once it is revoked or has expired, its account is not active, or not an active member of the
 * session's level or a higher one, every call is AUTH ("the session has ended"), and what its transaction wrote is rolled back when the session is released. What became more than it was takes another session.
 * The answer is that of auth.authenticate. A key without an organisation gets a session on the system file.
 * The caller owns *out_session: brant_hub_release, then brant_db_free.
 * AUTH: the key is not valid; which of its rules it breaks is not told. And those of brant_hub_acquire.
 */
BRANT_API brant_status brant_hub_authenticate(brant_db **out_session, char **out_json,
                                              size_t *out_json_len, brant_hub *hub,
                                              const char *token, size_t token_len);

/*
 * ---- operations on tenants -----------------------------------------------------------------------------------------------------
 *
 * They work on handles of a hub's system file; on any other handle they are MISUSE. Those that walk over all tenants take {"limit"?: 1..10000 (100), "cursor"?} and answer {"items": [..], "cursor": text | null}, in order of org_id: call again with
 * the cursor until it is null. A tenant that fails does not stop them: its item has "ok": false and "error": {"code", "message"}.
 * A session that was opened for an organisation reaches that one's tenant alone: tenants.get, .backup and .restore of it, .delegate and .revoke_delegation of what is from it, and .delegations with
 * a filter for it on either side. All else is DENIED, whatever its scopes: these an organisation's owner gives.
 */

/*
 * tenants.list {"filter"?: {"status"?: "active" | "suspended" | "deleting"}, "limit"?, "cursor"?} -> {"items": [Tenant..], "cursor"}
 * Tenant: {"org_id", "slug", "status": of the organisation, "state": "none" (not used yet) | "made" | "deleting", "file": its id | null, "size": bytes with its log, "format": n | null where it is not open here,
 * "open": handles of this hub on it, idle ones too}. INVALID: a cursor of another filter.
 */
BRANT_API brant_status brant_tenant_list(char **out_json, size_t *out_json_len, brant_db *db,
                                         const char *json, size_t json_len);

/* tenants.get {"org_id"} -> Tenant. NOT_FOUND. */
BRANT_API brant_status brant_tenant_get(char **out_json, size_t *out_json_len, brant_db *db,
                                        const char *json, size_t json_len);

/*
 * tenants.migrate {"limit"?, "cursor"?} -> {"items": [{"org_id", "ok", "from"?: format when this hub opened it, "to"?: format, "error"?}..], "cursor"}
 * Bring every tenant's file that was made to this version's format. Two processes that do it at once wait for each other, file by file. MISUSE: inside a transaction.
 */
BRANT_API brant_status brant_tenant_migrate(char **out_json, size_t *out_json_len, brant_db *db,
                                            const char *json, size_t json_len);

/*
 * tenants.maintain {"limit"?, "cursor"?} -> {"items": [{"org_id", "ok", "result"?: the answer of db.maintain, "checkpoint"?: that of audit.checkpoint, "synced"?: {"added", "removed", "changed"}, "error"?}..], "finished": organisations whose deletion was finished, "cursor"}
 * db.maintain of every tenant's file that was made, and its audit checkpoint kept in the system file; the first call (without cursor) finishes what was left half done. The system file's own db.maintain is another call.
 * A graph "access" in it is brought into step with the members of the organisation: "synced" says what that took.
 * MISUSE: inside a transaction.
 */
BRANT_API brant_status brant_tenant_maintain(char **out_json, size_t *out_json_len, brant_db *db,
                                             const char *json, size_t json_len);

/*
 * tenants.apply {"operation": "graph_types.define" | "graph_types.update" | "graph_types.delete", "input": object, "limit"?, "cursor"?}
 *   -> {"items": [{"org_id", "ok", "result"?: the answer of the operation, "error"?}..], "cursor"}
 * One change of graph types over all tenants whose file was made, each in a transaction of its own. What succeeded stays; call again for those that failed. MISUSE: inside a transaction.
 */
BRANT_API brant_status brant_tenant_apply(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

/*
 * tenants.backup {"org_id", "path", "overwrite"?: bool} -> the answer of db.backup
 * Of a tenant that may be in use. The path must lie outside the hub's folder (INVALID). Errors are those of db.backup and brant_hub_acquire.
 */
BRANT_API brant_status brant_tenant_backup(char **out_json, size_t *out_json_len, brant_db *db,
                                           const char *json, size_t json_len);

/*
 * tenants.restore {"org_id", "path"} -> the answer of db.restore
 * From a backup of this organisation's file; one that was never in a hub is taken, too. A tenant whose file is missing gets one. CONFLICT: the backup is another organisation's. INVALID: the path lies in the
 * hub's folder. Errors are those of db.restore and brant_hub_acquire. The audit log went back with the file, which tenants.maintain tells (CONFLICT) from then on if it had kept a later checkpoint: when the restore was
 * wanted, audit.keep with "replace" takes a new one.
 */
BRANT_API brant_status brant_tenant_restore(char **out_json, size_t *out_json_len, brant_db *db,
                                            const char *json, size_t json_len);

/*
 * tenants.delegate {"from_org", "from", "to_org", "to", "scopes": [1..256], "expires_at"?, "max_depth"? (0), "may_redelegate"? (false), "actor"?} -> Delegation
 * Delegation: {"id", "from_org", "from", "to_org", "to", "terms", "state": "pending" | "active" | "revoking" | "revoked", "created_at", "updated_at"}
 * Have agent `to` of one organisation act for a principal, or an agent, of another. In the access graph of from_org the agent is foreign:<to_org>:<to>, which may what access.delegate would give it, on the same terms and
 * checked in the same way, then and at every evaluation, and that counts only while `to` is active in the access graph of to_org and to_org is not suspended, as their files say at that time (access.h); who acts as it there is
 * who the application lets act so. In that of to_org an Agent foreign:<from_org>:<from> delegates to `to`: so the agent's side sees it, and it gives nothing there.
 * It stands in three files, and a crash may come between any two: then it is inactive, and whoever gives a hub of this folder a key ring next, or calls tenants.maintain, goes on with it; what fails is revoked. Each step is in the
 * audit log of its file. Notifies acl:delegation_changed in both tenants' files.
 * INVALID: the same organisation twice, terms, `to` is itself foreign:..; NOT_FOUND: organisation, or `from` there; DENIED: an organisation is suspended; `from` does not hold it, or the actor may not delegate for it (access.delegate);
 * CONFLICT: there is one from `from` to this agent; CONSTRAINT: `to` is no agent; MISUSE: inside a transaction.
 */
BRANT_API brant_status brant_tenant_delegate(char **out_json, size_t *out_json_len, brant_db *db,
                                             const char *json, size_t json_len);

/*
 * tenants.revoke_delegation {"id", "actor"?} -> Delegation
 * The edge that gives rights goes first; the rest is finished as above if a crash comes between. Again: the same answer. An actor is `from` itself, or has access:admin in from_org's access graph: DENIED.
 * NOT_FOUND. MISUSE: inside a transaction.
 */
BRANT_API brant_status brant_tenant_revoke_delegation(char **out_json, size_t *out_json_len,
                                                      brant_db *db, const char *json,
                                                      size_t json_len);

/*
 * tenants.delegations {"filter"?: {"from_org"?, "to_org"?, "state"?}, "limit"?, "cursor"?} -> {"items": [Delegation..], "cursor"}
 * In the order in which they were made. Those of an organisation go with it; those to its agents are revoked, as above.
 * INVALID: a cursor of another filter.
 */
BRANT_API brant_status brant_tenant_delegations(char **out_json, size_t *out_json_len, brant_db *db,
                                                const char *json, size_t json_len);

/*
 * tenants.stats {} -> {"open": files of this hub, the system's aside, "idle", "pinned": in use, "max_open", "opened": since brant_hub_open, "made", "evicted": idle ones that were closed to make room}
 */
BRANT_API brant_status brant_tenant_stats(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

#ifdef __cplusplus
}
#endif
#endif
