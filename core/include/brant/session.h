/*
 * brant/session.h: handles that are not trusted: what goes through them is judged by an identity.
 */
#ifndef BRANT_SESSION_H
#define BRANT_SESSION_H

#include "base.h"
#include "store.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A session: a handle over the same connection as `db`, which does what the identity may and nothing else. Everything that takes a brant_db takes a session. It joins the transactions of `db`; one thread
 * at a time is in either (MISUSE). brant_close ends it, its running call and its cursors, and nothing else; a transaction that it began stays for `db` to end. Closing `db` closes it, in any order of freeing;
 * brant_db_free frees it. A deadline and interrupts are its own; those of `db` hold for it too.
 *
 * identity: {"id": text of 1 to 255 bytes, "actor_type"?: "account" (default) | "api_key" | "agent" | "service", "scopes"?: [scope..] ([]), "within"?: [scope..] (["*:*"]), "denies"?: [scope..] ([]),
 *   "resources"?: {"<type>:<id>": [action..]} ({}), "principal"?: key of a node in the graph "access", "organization"?: text, "level"?: text, "key"?: text, "reason"?: text of at most 1000 bytes,
 *   "files"?: ["read" | "write"..] ([])}. auth.authenticate answers one (brant/identity.h says what a scope is). The identity is fixed when the session is opened; what its principal may is asked at each call.
 *
 * Each required scope q of an operation (operations.list) must be allowed: `within` covers it, none of `denies` overlaps it, and
 *   - `scopes` cover it, or
 *   - q is of namespace graphs, nodes, edges or secrets, the operation names a graph, and resources["graph:<name>"] has q's action or "*", or
 *   - the graph "access" gives the principal a right to q: on "graph:<name>" where the operation names a graph and q is of those namespaces, else on "operation:<name>".
 * Else DENIED, with {"scope", "operation"}. An explicit deny in the graph "access" for the principal refuses in any case. types.X.T.put needs what nodes.put needs, and so on.
 * Each graph that an operation reaches is judged again, not only the one that it names:
 *   - of a graph type of scope "user", with an owner_id: for the owner (`id`), and for whom resources, a right on that graph, or the scope graphs:admin opens it; to others there is NOT_FOUND, graphs.list
 *     leaves it out, its change log is DENIED and its notifications are not told;
 *   - of a graph type of scope "system": only read (DENIED), but access.* writes the graph "access". The built-in types but "access" count as of scope "tenant": the types are ours, their graphs are yours;
 *   - graphs.create gives a graph of scope "user" the session as owner; owner_id of another, or of what is not the session's, takes the scope graphs:admin (DENIED).
 * Whole files are the matter of db.* and of secrets.rotate and status without `graph`: these go by scope alone. graph_types.check, migrate and set_retention reach the rows of all graphs of a type: they
 * take graphs:admin too.
 * A cursor looks by the rules of its session each time; what may not be read any more is DENIED then. A nodes.walk goes on.
 * The stream "audit-events" takes also audit:read, and a session publishes nothing there (DENIED); notifications on account:*, org:*, auth:* and acl:* are told to whom accounts:read, organizations:read, api_keys:read and access:read are allowed, and on these and on graph:*, nodes:* and edges:*
 * a session cannot notify (DENIED). Where organisations share a file (not a tenant's), one with "organization" hears of these what has its org_id, and has no part in "audit-events" (DENIED).
 * On a hub's system file one with "organization" has accounts, organizations, members, invitations, api_keys, auth, audit, identity, modules, operations, transaction and events.listen; the rest, which is of
 * all organisations, is DENIED.
 * DENIED at all: db.erase of values that stand in an access graph; brant_keyring_load, _copy, _unload; db.restore; changing graph types of scope system; ending a transaction that the session did not begin; in sql.execute everything but SELECT, INSERT, UPDATE and DELETE on tables of yours (also
 * through views and triggers), and reading brant's own tables. A `path` on the machine (db.backup, graphs.import) takes "read" or "write" in `files`: a scope that somebody holds within an organisation says nothing about the machine.
 *
 * `db` may be a session itself. Then everything must be allowed by both; id, actor_type, principal, organization, level and key are those of `db` and may be given only as the same, and scopes that `db` does not
 * cover, or files, are DENIED.
 *
 * INVALID: no such identity, with the pointer of what is wrong; LIMIT: more than 1 MiB, or more than 16 sessions in each other; CLOSED.
 * Any thread, also while another is inside `db`.
 */
BRANT_API brant_status brant_session_open(brant_db **out_session, brant_db *db, const char *json,
                                          size_t json_len);

#ifdef __cplusplus
}
#endif
#endif
