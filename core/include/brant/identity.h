/*
 * brant/identity.h: accounts, organisations and their members. All are operations (store.h says what that means).
 *
 * They work in a file of role "system" (a hub's) and of role "single"; in a tenant's file they are MISUSE: its accounts are in the hub's system.db.
 *
 * Who acts. Each mutation takes "actor"?: {"type"?: "account" | "api_key" | "agent" | "service" | "system", "id"?: text, "reason"?: text of at most 1000 bytes}; the type is "account" where only
 * an id is given. On a session (session.h) the actor is the session's identity: the input may add a reason, and naming another is DENIED. On a trusted handle it is who the input names, and
 * where it names nobody the system. The system is judged by the invariants alone; everybody else as the account of their id, which must be there and active, else DENIED. A session that was opened for an
 * organisation acts in no other, and not with its account's access_level.
 *
 * Each mutation writes a row of the audit log (audit.h) in its transaction, with the operation's name as action, and so needs a key ring with an active key of purpose "audit": NOT_FOUND
 * without. A call that changes nothing (deactivating an inactive account, an update with what is there) answers the row, and writes nothing.
 * Events (events.notify) in the same transaction: account:created {account_id, email, access_level}, account:updated {account_id, changes: [names]}, account:deleted {account_id},
 * org:created {org_id, slug, owner_id}, org:updated {org_id, changes}, org:deleted {org_id}, org:member_added {org_id, account_id, membership_level}, org:member_updated {the same},
 * org:member_removed {org_id, account_id}.
 *
 * Ids are UUIDs in lower case, UUIDv7 where the library makes them; they are compared byte by byte. Times are ms. metadata is any object of at most 64 KiB (LIMIT), and an update replaces it.
 * name: 1 to 255 bytes without NUL (INVALID).
 *
 * Account: {"id", "email", "name": text | null, "access_level": "user" | "service" | "admin", "status": "active" | "inactive", "metadata", "created_at", "updated_at"}
 * Organization: {"id", "slug", "name", "owner_id", "status": "active" | "suspended" | "deleting", "metadata", "created_at", "updated_at"}
 * Member: {"id", "org_id", "account_id", "level": "viewer" | "member" | "admin" | "owner", "status": "active" | "suspended", "metadata", "created_at", "updated_at"}
 *
 * Lists: {"limit"?: 1..10000 (100), "cursor"?: text, "filter"?: {column: value, ..}} -> {"items": [..], "cursor": text | null}, in order of id, which is that of creation where the library made
 * the ids. A filter is equalities that all hold. The cursor of a page gives the next one, with the same filter (INVALID with another); null: there are no more.
 */
#ifndef BRANT_IDENTITY_H
#define BRANT_IDENTITY_H

#include "store.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * identity.schemas {} -> {"tables": {"accounts" | "organizations" | "members" | "invitations" | "api_keys" | "audit_logs": {"select", "insert", "update"}}}. `db` may be NULL.
 * Each is a JSON Schema 2020-12 of an object without further members: select of a row as it is answered, insert of the input that makes one, update of the input that changes one, both without
 * "actor". What has no such input has an update without properties.
 */
BRANT_API brant_status brant_identity_schemas(char **out_json, size_t *out_json_len, brant_db *db,
                                              const char *json, size_t json_len);

/*
 * accounts.create {"email", "name"?: text | null, "access_level"? ("user"), "id"?, "metadata"?, "actor"?} -> Account
 * email: an ASCII dot-atom at a domain, at most 254 bytes, kept in lower case; the domain in its ASCII form. It is unique in this form.
 * INVALID: email, name or id is not acceptable; EXISTS: an account has this email, or this id; DENIED: the actor is an account without access_level admin.
 */
BRANT_API brant_status brant_account_create(char **out_json, size_t *out_json_len, brant_db *db,
                                            const char *json, size_t json_len);

/* accounts.get {"id"} -> Account. NOT_FOUND. */
BRANT_API brant_status brant_account_get(char **out_json, size_t *out_json_len, brant_db *db,
                                         const char *json, size_t json_len);

/* accounts.find {"email"} -> Account, by its normalised form. NOT_FOUND; INVALID: it is no email. */
BRANT_API brant_status brant_account_find(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

/* accounts.list {"limit"?, "cursor"?, "filter"?: {"status"?, "access_level"?}} -> {"items": [Account..], "cursor"} */
BRANT_API brant_status brant_account_list(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

/*
 * accounts.update {"id", "email"?, "name"?: text | null, "access_level"?, "metadata"?, "actor"?} -> Account
 * DENIED: the actor is another account without access_level admin; or it changes its own access_level without. NOT_FOUND, INVALID, EXISTS as accounts.create.
 */
BRANT_API brant_status brant_account_update(char **out_json, size_t *out_json_len, brant_db *db,
                                            const char *json, size_t json_len);

/*
 * accounts.deactivate {"id", "actor"?} -> Account
 * Nothing is deleted, but its sessions, keys and memberships count for nothing until it is reactivated. By itself, an admin or the system; else DENIED.
 * CONSTRAINT: it is the last active owner of an organisation that is active. NOT_FOUND.
 */
BRANT_API brant_status brant_account_deactivate(char **out_json, size_t *out_json_len, brant_db *db,
                                                const char *json, size_t json_len);

/* accounts.reactivate {"id", "actor"?} -> Account. By an admin or the system; else DENIED. NOT_FOUND. */
BRANT_API brant_status brant_account_reactivate(char **out_json, size_t *out_json_len, brant_db *db,
                                                const char *json, size_t json_len);

/*
 * accounts.delete {"id", "actor"?} -> {"deleted": true, "api_keys": n, "members": n}
 * Its keys and memberships go with it. By itself, an admin or the system; else DENIED.
 * CONSTRAINT: it is the owner_id of an organisation, or the last active owner of one. NOT_FOUND.
 */
BRANT_API brant_status brant_account_delete(char **out_json, size_t *out_json_len, brant_db *db,
                                            const char *json, size_t json_len);

/*
 * organizations.create {"slug", "name", "owner_id"? (the actor), "id"?, "metadata"?, "actor"?} -> Organization
 * The owner becomes a member of level owner in the same transaction. slug: 1 to 63 of letters, digits and hyphens, kept in lower case; unique in this form, also while its organisation is being deleted.
 * INVALID: slug, name or id is not acceptable, or there is neither an owner_id nor an actor that is an account; EXISTS: an organisation has this slug, or this id; NOT_FOUND, CONFLICT: the owner is
 * no account, or not active; DENIED: owner_id is not the actor, whose access_level is not admin.
 */
BRANT_API brant_status brant_organization_create(char **out_json, size_t *out_json_len,
                                                 brant_db *db, const char *json, size_t json_len);

/* organizations.get {"id"} or {"slug"} -> Organization. NOT_FOUND; INVALID: both, none, or no slug. */
BRANT_API brant_status brant_organization_get(char **out_json, size_t *out_json_len, brant_db *db,
                                              const char *json, size_t json_len);

/* organizations.list {"limit"?, "cursor"?, "filter"?: {"status"?, "owner_id"?}} -> {"items": [Organization..], "cursor"} */
BRANT_API brant_status brant_organization_list(char **out_json, size_t *out_json_len, brant_db *db,
                                               const char *json, size_t json_len);

/*
 * organizations.update {"id", "slug"?, "name"?, "metadata"?, "actor"?} -> Organization
 * DENIED: the actor is no admin or owner of it. NOT_FOUND; CONFLICT: it is being deleted; INVALID, EXISTS as organizations.create.
 */
BRANT_API brant_status brant_organization_update(char **out_json, size_t *out_json_len,
                                                 brant_db *db, const char *json, size_t json_len);

/*
 * organizations.transfer {"id", "to": account id, "actor"?} -> Organization
 * owner_id becomes `to`, an active member, whose level becomes owner. The one before keeps level owner.
 * DENIED: the actor is no owner of it. NOT_FOUND: no such organisation or account; CONFLICT: `to` is no active member, or the organisation is being deleted.
 */
BRANT_API brant_status brant_organization_transfer(char **out_json, size_t *out_json_len,
                                                   brant_db *db, const char *json, size_t json_len);

/*
 * organizations.suspend {"id", "actor"?} -> Organization
 * Until it is resumed nobody is a member of it as far as rights go, and a hub gives no handle of its file. DENIED: the actor is no owner of it and has no access_level admin. NOT_FOUND; CONFLICT: it is
 * being deleted.
 */
BRANT_API brant_status brant_organization_suspend(char **out_json, size_t *out_json_len,
                                                  brant_db *db, const char *json, size_t json_len);

/* organizations.resume {"id", "actor"?} -> Organization. Statuses as organizations.suspend; CONSTRAINT: none of its owners is active. */
BRANT_API brant_status brant_organization_resume(char **out_json, size_t *out_json_len,
                                                 brant_db *db, const char *json, size_t json_len);

/*
 * organizations.delete {"id", "actor"?} -> Organization
 * In a hub with status "deleting": the hub removes its file, then its rows. Else with status "deleted": its members, invitations, keys and itself are gone.
 * DENIED: the actor is no owner of it. NOT_FOUND.
 */
BRANT_API brant_status brant_organization_delete(char **out_json, size_t *out_json_len,
                                                 brant_db *db, const char *json, size_t json_len);

/*
 * members.add {"org_id", "account_id", "level"? ("member"), "actor"?} -> Member
 * What an account may do in an organisation follows from its membership as it is now. Whoever acts must be an active member of an organisation that is active, of level admin or owner; only an owner makes,
 * changes, suspends or removes an owner; nobody gives a level above their own: DENIED. These hold for whoever is there: an organisation has an active owner whose account is active, and its owner_id
 * is of level owner: CONSTRAINT.
 * NOT_FOUND: no such organisation or account; EXISTS: it is a member already; CONFLICT: the account is not active, or the organisation is being deleted.
 */
BRANT_API brant_status brant_member_add(char **out_json, size_t *out_json_len, brant_db *db,
                                        const char *json, size_t json_len);

/* members.get {"org_id", "account_id"} -> Member. NOT_FOUND. */
BRANT_API brant_status brant_member_get(char **out_json, size_t *out_json_len, brant_db *db,
                                        const char *json, size_t json_len);

/* members.list {"limit"?, "cursor"?, "filter"?: {"org_id"?, "account_id"?, "level"?, "status"?}} -> {"items": [Member..], "cursor"} */
BRANT_API brant_status brant_member_list(char **out_json, size_t *out_json_len, brant_db *db,
                                         const char *json, size_t json_len);

/*
 * members.set_level {"org_id", "account_id", "level", "actor"?} -> Member
 * DENIED, CONSTRAINT as members.add; NOT_FOUND: no such organisation or membership; CONFLICT: the organisation is being deleted.
 */
BRANT_API brant_status brant_member_set_level(char **out_json, size_t *out_json_len, brant_db *db,
                                              const char *json, size_t json_len);

/* members.suspend {"org_id", "account_id", "actor"?} -> Member. It counts for nothing until it is resumed. Statuses as members.set_level. */
BRANT_API brant_status brant_member_suspend(char **out_json, size_t *out_json_len, brant_db *db,
                                            const char *json, size_t json_len);

/* members.resume {"org_id", "account_id", "actor"?} -> Member. Statuses as members.set_level. */
BRANT_API brant_status brant_member_resume(char **out_json, size_t *out_json_len, brant_db *db,
                                           const char *json, size_t json_len);

/* members.remove {"org_id", "account_id", "actor"?} -> {"removed": true}. Statuses as members.set_level. */
BRANT_API brant_status brant_member_remove(char **out_json, size_t *out_json_len, brant_db *db,
                                           const char *json, size_t json_len);

/*
 * members.leave {"org_id", "account_id"? (the actor), "actor"?} -> {"removed": true}
 * Any active member may, of itself alone. Statuses as members.set_level; INVALID: there is neither an account_id nor an actor that is an account.
 */
BRANT_API brant_status brant_member_leave(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

#ifdef __cplusplus
}
#endif
#endif
