/*
 * brant/identity.h: accounts, organisations, their members, invitations and API keys. All are operations (store.h says what that means).
 *
 * They work in a file of role "system" (a hub's) and of role "single"; in a tenant's file they are MISUSE: its accounts are in the hub's system.db.
 *
 * Who acts. Each mutation takes "actor"?: {"type"?: "account" | "api_key" | "agent" | "service" | "system", "id"?: text, "reason"?: text of at most 1000 bytes}; the type is "account" where only
 * an id is given. On a session (session.h) the actor is the session's identity: the input may add a reason, and naming another is DENIED. On a trusted handle it is who the input names, and
 * where it names nobody the system. The system is judged by the invariants alone; everybody else as the account of their id, which must be there and active, else DENIED. A session that was opened for an
 * organisation acts in no other, neither on accounts nor with its own access_level, and in it with no level above the session's.
 * What an account may do to itself (accounts.update, .deactivate, .delete, members.leave, invitations.accept, .reject) takes the scope accounts:self, which every account holds by itself and no
 * membership gives; other mutations here take <namespace>:write, and what reads <namespace>:read.
 * Nobody gives more than they hold: by a session, keys, levels (members.add, .set_level, .resume, invitations.create, organizations.transfer) and access_level admin only where the session's own scopes cover
 * all that these hold, else DENIED. And access_level admin counts, by a session, only where it holds accounts:admin: the key of an admin that is for a small matter is good for no other.
 *
 * Who sees what. A session that was opened for an organisation sees that organisation, its members, invitations and keys, of accounts its members, and hears of nothing else (NOT_FOUND, and lists
 * leave it out). A trusted handle, and a session for none, sees all that its scopes let it read: <namespace>:read is the whole file's, so that an account by itself has it by access_level admin or by what
 * somebody grants it on purpose.
 *
 * Each mutation writes a row of the audit log (audit.h) in its transaction, with the operation's name as action, and so needs a key ring with an active key of purpose "audit": NOT_FOUND
 * without. A call that changes nothing (deactivating an inactive account, an update with what is there) answers the row, and writes nothing.
 * Events (events.notify) in the same transaction: account:created {account_id, email, access_level}, account:updated {account_id, changes: [names]}, account:deleted {account_id},
 * org:created {org_id, slug, owner_id}, org:updated {org_id, changes}, org:deleted {org_id}, org:member_added {org_id, account_id, membership_level}, org:member_updated {the same},
 * org:member_removed {org_id, account_id}.
 *
 * Ids are UUIDs in lower case, UUIDv7 where the library makes them; they are compared byte by byte. The id of an account or organisation that was deleted is never given again (EXISTS): logs, access
 * graphs and backups name it. Times are ms. metadata is any object of at most 64 KiB (LIMIT), and an update replaces it.
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
 * email: an ASCII dot-atom of at most 64 bytes at a domain of two or more labels, 254 bytes in all (as it is given at most 1024); no quoted local part, no address in place of the domain. It is kept, and unique, in lower case and
 * with its domain in the form of the DNS (IDNA 2008 behind UTS #46's mapping, not transitional): a domain in Unicode and its A-labels ("xn--...") are one. What only looks alike in another
 * script is another address.
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

/*
 * ---- invitations ----
 *
 * An invitation lets whoever has its token and the account of its email become a member of an organisation. The token, brant_invite_<kid>_<secret><crc> (as that of a key, below), is
 * shown when it is made and never again: stored is its keyed hash with the ring's pepper, without which nothing of the following works (NOT_FOUND).
 * Whoever may make a member of a level may invite to it, and take such an invitation back: admins and owners of the organisation, owners alone to level owner. It stays good when the one who
 * invited goes: cancel what they left (invitations.list). An email is as true as who set it: accounts.update takes any that is free, so that the token is what must reach the right hands.
 * One that is over stays until it is replaced, cancelled or its organisation is deleted, as keys that are revoked or expired stay with their owner: for who asks later what there was. Nothing removes them by time.
 *
 * Invitation: {"id", "org_id", "kid", "email", "level", "pepper_version", "invited_by": id of the actor | null, "account_id": who accepted it | null,
 *   "status": "pending" | "accepted" | "rejected" | "cancelled", "expires_at": ms, "metadata", "created_at", "updated_at"}. One that is pending and whose expires_at has passed is over.
 */

/*
 * invitations.create {"org_id", "email", "level"? ("member"), "expires_at"?: ms 0..253402300799999 | "ttl"?: ms 1..31622400000 (604800000), "metadata"?, "actor"?} -> {"invitation": Invitation, "token"}
 * The email is normalised. One that is over makes room for it.
 * INVALID: the email, a time that is not in the future, both times; NOT_FOUND: no such organisation, no pepper, no key for the audit log; CONFLICT: the organisation is not active; EXISTS: an
 * invitation of that email there is pending, or its account is a member; DENIED: the actor may not.
 */
BRANT_API brant_status brant_invitation_create(char **out_json, size_t *out_json_len, brant_db *db,
                                               const char *json, size_t json_len);

/* invitations.get {"id"} -> Invitation. NOT_FOUND. */
BRANT_API brant_status brant_invitation_get(char **out_json, size_t *out_json_len, brant_db *db,
                                            const char *json, size_t json_len);

/* invitations.list {"limit"?, "cursor"?, "filter"?: {"org_id"?, "email"?, "status"?}} -> {"items": [Invitation..], "cursor": text | null} */
BRANT_API brant_status brant_invitation_list(char **out_json, size_t *out_json_len, brant_db *db,
                                             const char *json, size_t json_len);

/*
 * invitations.accept {"token", "account_id"? (the actor's), "actor"?} -> {"member": Member, "invitation": Invitation}
 * Of several who accept at once one succeeds. An account accepts for itself alone; the system for any.
 * AUTH: no invitation has this token, whatever is wrong with it; DENIED: the account's email is not the invitation's, or it is another than the actor; CONFLICT: it was accepted, rejected or cancelled
 * already, or organisation or account are not active; STALE: it is over; EXISTS: the account is a member; NOT_FOUND: no such account; INVALID: nobody is named who accepts.
 */
BRANT_API brant_status brant_invitation_accept(char **out_json, size_t *out_json_len, brant_db *db,
                                               const char *json, size_t json_len);

/* invitations.reject {"token", "actor"?} -> Invitation. By whoever has the token. AUTH, CONFLICT, STALE as invitations.accept; DENIED: a session of another organisation. */
BRANT_API brant_status brant_invitation_reject(char **out_json, size_t *out_json_len, brant_db *db,
                                               const char *json, size_t json_len);

/* invitations.cancel {"id", "actor"?} -> Invitation. One that is over, too. CONFLICT: it is settled already; NOT_FOUND; DENIED: the actor may not. */
BRANT_API brant_status brant_invitation_cancel(char **out_json, size_t *out_json_len, brant_db *db,
                                               const char *json, size_t json_len);

/*
 * ---- scopes ----
 *
 * A scope is <namespace>:<action>, each of them `*` or 1 to 64 of a-z, 0-9, `_`, `.` and `-`: "nodes:read", "*:read", "nodes:*". It covers another when each of its parts is `*` or the same text: never a
 * prefix. A set of scopes is shown in its smallest form: in byte order, none covered by another.
 * What an account holds: by itself, by its access_level: user and service ["accounts:self"], admin ["*:*"]. As a member, by its level:
 *   viewer ["*:read"]; member viewer's and ["*:use", "*:write", "secrets:open", "secrets:seal"]; admin member's and ["*:admin", "access:delegate", "access:grant", "db:backup", "db:maintain",
 *   "secrets:rotate"]; owner ["*:*"].
 * In a file of role "single" an account by itself also holds what its access graph (access.h) grants it on "*".
 *
 * ---- API keys ----
 *
 * A key acts for an account, its owner: in one organisation, or, without org_id, for the account by itself. Its token is brant_<type>_<kid>_<secret><crc>: type 1 to 12 of a-z; kid, by which it is
 * found, 16 base62 digits (0-9, A-Z, a-z); secret 43 of 256 random bits; crc 6, the CRC-32 (IEEE 802.3) of all before it, most significant digit first. So a typing error is found, and a lost token recognised,
 * without a database. The token is shown when it is made and never again: stored are kid and BLAKE2b-256 of the token, keyed with the ring's pepper of a version that the row has. Keys of other systems, of which the SHA-256 is
 * known, are taken over (scheme "legacy-sha256") and rotated into such.
 * What a key may is the intersection of its own scopes with what its owner holds when it is used. So it is worth nothing while the owner or the organisation is not active, or the owner no active
 * member of it. Revoked is for ever.
 * Who may make, rotate and revoke keys: the system; an account its own, with scopes that it holds; in the organisation that a key is of, admins those of members and viewers, owners those of all who are not owners, which they can
 * revoke too. A session never makes or rotates a key that holds what the session's own scopes do not cover.
 *
 * ApiKey: {"id", "kid", "type", "scheme": "brant1" | "legacy-sha256", "pepper_version", "owner_id", "org_id": id | null, "name", "scopes", "expires_at": ms | null, "revoked_at": ms | null, "last_used_at": ms |
 *   null, "rotated_from": id | null, "metadata", "created_at", "updated_at"}
 */

/*
 * api_keys.create {"owner_id"? (the actor's), "org_id"?, "name", "scopes": [1..256], "type"? ("key"), "expires_at"?: ms 0..253402300799999, "metadata"?, "actor"?} -> {"key": ApiKey, "token"}
 * type "invite" is no key's. INVALID: a scope, an expires_at that is not in the future, no owner; NOT_FOUND: no such account or organisation, no pepper, no key for the audit log; CONFLICT: the
 * owner or the organisation is not active, or the owner no active member of it; DENIED: the actor may not make keys of this account there, or with one of the scopes.
 */
BRANT_API brant_status brant_api_key_create(char **out_json, size_t *out_json_len, brant_db *db,
                                            const char *json, size_t json_len);

/* api_keys.get {"id"} -> ApiKey. NOT_FOUND. */
BRANT_API brant_status brant_api_key_get(char **out_json, size_t *out_json_len, brant_db *db,
                                         const char *json, size_t json_len);

/*
 * api_keys.list {"limit"?, "cursor"?, "filter"?: {"owner_id"?, "org_id"?: id | null, "type"?, "scheme"?, "active"?: bool}} -> {"items": [ApiKey..], "cursor": text | null}
 * active: neither revoked nor expired, whatever its owner is.
 */
BRANT_API brant_status brant_api_key_list(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

/*
 * api_keys.verify {"token"} -> {"valid": true, "key": ApiKey, "account": Account, "organization": Organization | null, "level": text | null, "scopes": [..],
 *   "denies": [..]}
 * scopes: what the key may now; denies: of that, what the access graph of a file of role "single" denies its owner everywhere. AUTH, with one message and no detail, for whatever is wrong, checked in this order: shape, checksum (both without a look at the file), kid, secret, revoked,
 * expired, account, organisation, membership. The secret's hash is compared in constant time, and a kid that there is not takes the same work, so that time tells nothing.
 * Needs no write lock. At most once a minute it is noted (last_used_at) and told (auth:key_verified {"key_id", "owner_id"}) that the key was used, in a transaction of its own behind the answer, which waits for
 * nobody and is left out where the file is read-only. In a transaction of the caller's the file is what that transaction sees; in none, a key whose revocation was answered is not valid.
 * NOT_FOUND: the handle has no ring, or its ring no pepper to compare with. A key whose pepper the ring has no more is not valid.
 * A token that does not begin with brant_ is looked for among the legacy keys by its SHA-256: 8 to 512 bytes, without a ring.
 */
BRANT_API brant_status brant_api_key_verify(char **out_json, size_t *out_json_len, brant_db *db,
                                            const char *json, size_t json_len);

/*
 * api_keys.rotate {"id", "overlap"?: ms 0..2592000000 (86400000), "actor"?} -> {"key": ApiKey, "token", "previous": ApiKey}
 * A new key of the same owner, organisation, type, name, scopes and metadata, and, where the one before was to expire, with as long a life. The one before is valid `overlap` more at the most.
 * CONFLICT: it is revoked, has expired, or was rotated already (of two at once one succeeds); owner or organisation as api_keys.create. NOT_FOUND, DENIED as there.
 * Revoking the one before leaves the new one as it is.
 */
BRANT_API brant_status brant_api_key_rotate(char **out_json, size_t *out_json_len, brant_db *db,
                                            const char *json, size_t json_len);

/*
 * api_keys.revoke {"id", "actor"?} -> ApiKey
 * For ever. No verification by any process that begins after the answer finds it valid. Again: the same row. NOT_FOUND; DENIED: the actor may not.
 */
BRANT_API brant_status brant_api_key_revoke(char **out_json, size_t *out_json_len, brant_db *db,
                                            const char *json, size_t json_len);

/*
 * api_keys.import {"owner_id"? (the actor's), "org_id"?, "name", "scopes", "hash": SHA-256 of the token, 64 hexadecimal digits, "type"?, "expires_at"?, "metadata"?, "actor"?} -> ApiKey
 * scheme "legacy-sha256", kid "legacy-<first 16 digits of the hash>". EXISTS: there is such a key. The rest as api_keys.create, without a pepper. A plain SHA-256 protects long random tokens alone: take over no others.
 */
BRANT_API brant_status brant_api_key_import(char **out_json, size_t *out_json_len, brant_db *db,
                                            const char *json, size_t json_len);

/*
 * auth.authenticate {"token"} -> {"key": ApiKey, "account": Account, "organization": Organization | null, "level": text | null, "scopes": [..], "denies": [..],
 *   "identity": {"id": of the account, "actor_type": "api_key", "scopes", "within", "denies", "principal": "account:<id>", "organization"?, "level"?, "key": its id}}
 * api_keys.verify, with the identity of a session for whoever has the token (session.h): `within` bounds what the account is granted by whatever way: the key's own scopes, or, of a key of an organisation in a
 * file of role "single", in whose access graph the groups of all organisations stand, `scopes`. Errors and notes as api_keys.verify.
 */
BRANT_API brant_status brant_auth_authenticate(char **out_json, size_t *out_json_len, brant_db *db,
                                               const char *json, size_t json_len);

#ifdef __cplusplus
}
#endif
#endif
