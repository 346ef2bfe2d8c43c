/*
 * brant/access.h: the access graph: who may do what.
 *
 * An access graph is a graph of the built-in type `access`. "graph" names it; left out, it is "access". All are operations (store.h says what that means).
 *
 * Nodes: Principal (an account or a service), Agent (acts for principals), Group, Role, Resource. A resource's key is <kind>:<id>, as in "graph:notes"; the resource "*" is everything. It need
 * have no node, nor need a resource that is asked about.
 * Edges: BelongsTo (to a group), HasRole (to a role), Parent (from a resource to what it is part of), Grants and Denies (scopes, on a resource), Delegates (scopes, to an agent). An edge counts
 * while its expires_at is to come, or is not there; a delegation while it is neither revoked nor pending.
 * Scopes: <namespace>:<action>, each part 1 to 64 of a-z 0-9 _ . - or *; a part covers the same part, * covers any. "nodes:*" is covered by "nodes:*" and "*:*" alone.
 *
 * May a subject do what a scope names on a resource?
 * - A principal, group or role may when a Grants edge that counts leads, with a scope that covers it, from the subject or a group or role that it reaches (BelongsTo and HasRole, any number: groups
 *   nest, and have roles) to the resource, something that it is part of (Parent, any number) or "*"; and no Denies edge that counts leads so with a scope that overlaps it, which is that some scope is covered by both.
 *   A principal must be active besides, and so must its account where it has an account_id.
 * - An agent may when it is active, is not denied itself, and there is a chain of delegations from a principal that may, each of which covers the scope. Every agent in between must be active and not
 *   denied, and every delegation with others behind it must have may_redelegate and a max_depth of at least as many. So an agent has at most what each before it in the chain has; chains add up, but the parts of one do not serve another.
 * - Nothing else may: who is unknown may not.
 * A BelongsTo edge that is derived from the members of an organisation counts, from a principal, only while its account has that level or a higher one there now. A file of role "single" or "system" reads its own
 * members; a tenant's file asks the hub that opened it, and in one that is opened alone such an edge never counts.
 * In a tenant's file an agent with the key foreign:<org_id>:<key> is that of another organisation (tenants.delegate): it counts only while that organisation is not suspended and who has this key in its graph "access" is active
 * there, too, as its file is committed at that time. The hub that opened the file looks there, which takes one more of its handles for that long (BUSY: all are in use); in a file that is opened alone no such agent counts.
 * LIMIT: more than 32 edges of BelongsTo and HasRole above each other, more than 32 of Parent, or a chain of more than 16 delegations: too deep to be told.
 *
 * An answer is of the transaction that it was asked in, its own writes included. `revision` is the graph's count of changes; with "at_least" an answer of an older state is refused (CONFLICT), on a handle or a copy that
 * has not seen a write yet whose answer said so.
 */
#ifndef BRANT_ACCESS_H
#define BRANT_ACCESS_H

#include "store.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- reading ------------------------------------------------------------------------------------------------------------ */

/*
 * access.check {"subject": key, "scope", "resource"?: key ("*"), "graph"?: name ("access"), "at_least"?: revision} -> {"allowed": bool, "revision": n}
 * "*": may it everywhere? Some 10 us, whatever the graph's size; the first on a handle reads the whole graph into memory (about 100 bytes an edge, as much a node), the later ones what has changed since.
 * NOT_FOUND: no such access graph. INVALID: the scope is none. LIMIT, CONFLICT: as above.
 */
BRANT_API brant_status brant_access_check(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

/*
 * access.check_many {"items": [{"subject", "scope", "resource"?}..], "graph"?, "at_least"?} -> {"items": [{"allowed": bool} | {"error": {"code", "message"}}..], "revision": n}
 * All of one state, in the order given. INVALID and LIMIT are an item's. LIMIT: more items than limits.batch.
 */
BRANT_API brant_status brant_access_check_many(char **out_json, size_t *out_json_len, brant_db *db,
                                               const char *json, size_t json_len);

/*
 * access.explain {as access.check} -> {"allowed": bool, "reason": text, "path"?: [Step..], "denied_by"?: Step, "tried"?: [{"chain": [key..], "why": text}..], "revision": n}
 * Step: {"kind": "BelongsTo" | "HasRole" | "Grants" | "Denies" | "Delegates", "source", "target", "key", "scopes"?: [..]}
 * path: what gives it: of an agent the delegations from the one to it up to that of the principal, then from the principal, group or role through groups and roles to the edge that grants. denied_by: the Denies edge that
 * takes it. tried: of an agent, up to 100 chains that give it nothing, each from the agent to whoever stands where it ends, and why it does.
 */
BRANT_API brant_status brant_access_explain(char **out_json, size_t *out_json_len, brant_db *db,
                                            const char *json, size_t json_len);

/*
 * access.list_objects {"subject", "scope", "kind"?: text, "limit"?: 1..10000 (100), "cursor"?, "graph"?, "at_least"?} -> {"items": [key..], "cursor": text | null, "revision": n}
 * The resources with a node that access.check allows, and "*" where it allows that, in the order of keys' bytes. kind: only keys that begin with it and a colon. LIMIT: one of the page is too deep to be told.
 * Not a snapshot: a page is of the state that it was asked in.
 */
BRANT_API brant_status brant_access_list_objects(char **out_json, size_t *out_json_len,
                                                 brant_db *db, const char *json, size_t json_len);

/*
 * access.list_subjects {"scope", "resource"? ("*"), "kind"?: "Principal" | "Agent" | "Group" | "Role", "limit"?: 1..10000 (100), "cursor"?, "graph"?, "at_least"?} -> {"items": [key..], "cursor": text | null, "revision": n}
 * The subjects that access.check allows, in the order of keys' bytes; otherwise as access.list_objects.
 */
BRANT_API brant_status brant_access_list_subjects(char **out_json, size_t *out_json_len,
                                                  brant_db *db, const char *json, size_t json_len);

/*
 * access.expand {"scope", "resource"? ("*"), "limit"?: 1..10000 (1000), "graph"?, "at_least"?} -> {"resource", "scope", "grants": [{"edge": Step, "from": Tree}..], "denies": [..], "truncated": bool, "revision": n}
 * The edges that grant and deny the scope on the resource, and who stands behind them. Tree: {"key", "type", "active"?: bool, "members"?: [Tree..], "again"?: true}: principals and agents say whether they are active;
 * groups and roles have members, once: where one comes again it stands without them. Ordered by keys. limit: nodes of the answer; truncated: there are more, or groups nest deeper than 24.
 */
BRANT_API brant_status brant_access_expand(char **out_json, size_t *out_json_len, brant_db *db,
                                           const char *json, size_t json_len);

/* ---- writing ------------------------------------------------------------------------------------------------------------ */

/*
 * What all that write have in common. The graph is "access" or the one that "graph" names, and is made, with a change log, where it is missing; INVALID: it is of another graph type.
 * Each writes a row of the file's audit log in its transaction: NOT_FOUND without a key ring whose audit key is active. "actor" as in brant/identity.h.
 * `revision` is the graph's after the call: to be given to access.check as at_least.
 * Expiry: a time in ms, INVALID where it has passed. What has expired stays until it is revoked or given again; it gives nothing.
 *
 * Nobody gives more than they hold. A session, and an actor of another type than "system", must hold now each scope that they give, on the resource that they give it on: by access.check for
 * their principal, or by the session's scopes (an account of access_level admin holds all). The same to assign a role or a group (all that it has), to revoke a denial or to remove or
 * move what has denials (what was denied), and to move a resource (what is given above its new parent). Who only takes away (revokes a grant, a role or a group, denies, assigns what is denied something) must hold it too, or
 * have access:admin on graph:<name>. Else DENIED, with the detail {"scope", "resource"}.
 *
 * What the library makes of members (derived: groups org:<id> and org:<id>:<level>, who is in them, their roles) and by access.seed (seeded) is not written by hand: DENIED.
 */

/*
 * access.put {"key", "type": "Principal" | "Agent" | "Group" | "Role" | "Resource", "attributes"?: {..}, "graph"?, "actor"?} -> Node
 * Make a node, or give one its attributes anew, as nodes.put: a principal or agent is suspended by "status": "suspended", which ends all that goes through it at once. A principal "account:<id>" is that
 * of the account: its account_id is filled in, and no other principal may have one (INVALID).
 * Attributes: of a Principal "kind": "account" | "service", which it must have, "account_id"?, "name"?, "status"?: "active" (default) | "suspended"; of an Agent "name"?, "status"?; of a Group or Role "name"?; of a
 * Resource "kind"?, "name"?; of all "description"?. Others are VALIDATION.
 * DENIED: a derived or seeded node; attributes that are the library's (org_id, level, seeded, foreign), of which an agent keeps what it has. VALIDATION; CONSTRAINT: the node is of another type.
 */
BRANT_API brant_status brant_access_put(char **out_json, size_t *out_json_len, brant_db *db,
                                        const char *json, size_t json_len);

/*
 * access.remove {"key", "graph"?, "actor"?} -> {"removed": true, "edges": n, "revision"}
 * A node, with all its grants, denials, roles and delegations. NOT_FOUND. DENIED: a derived or seeded one; a member of an organisation; one end of a delegation between organisations.
 */
BRANT_API brant_status brant_access_remove(char **out_json, size_t *out_json_len, brant_db *db,
                                           const char *json, size_t json_len);

/*
 * access.set_parent {"resource", "parent": key | null, "graph"?, "actor"?} -> {"changed": bool, "revision"}
 * Have a resource be part of another, and of no other: what holds there holds here. Resources that are missing are made. CONSTRAINT: it would be part of itself; "*" is part of nothing.
 */
BRANT_API brant_status brant_access_set_parent(char **out_json, size_t *out_json_len, brant_db *db,
                                               const char *json, size_t json_len);

/*
 * access.grant {"subject", "scopes": [1..256], "resource"? ("*"), "expires_at"?, "graph"?, "actor"?} -> {"edge": Edge, "revision"}
 * Give a principal, group or role scopes on a resource and all that is part of it; "*" is everything. A resource that is missing is made. Given again, the scopes are united, and what had expired is
 * given anew; CONFLICT: what is there has other scopes and ends at another time, which one edge cannot say.
 * NOT_FOUND: no such subject. CONSTRAINT: an agent, to which one delegates. VALIDATION: more than 1000 scopes together. DENIED as above.
 */
BRANT_API brant_status brant_access_grant(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

/* access.deny {as access.grant; also agents} -> {"edge": Edge, "revision"}. What a scope overlaps is denied, whoever grants it. */
BRANT_API brant_status brant_access_deny(char **out_json, size_t *out_json_len, brant_db *db,
                                         const char *json, size_t json_len);

/*
 * access.assign {"subject", "role" | "group": key, "expires_at"? (of a role), "graph"?, "actor"?} -> {"edge": Edge, "revision"}
 * Give a principal or group a role, or take it into a group. Again: until then. NOT_FOUND: no such subject, role or group. CONSTRAINT: of other types. DENIED: a derived group, which has its organisation's
 * members alone.
 */
BRANT_API brant_status brant_access_assign(char **out_json, size_t *out_json_len, brant_db *db,
                                           const char *json, size_t json_len);

/*
 * access.revoke {"kind": "grant" | "deny" | "role" | "group" | "delegation", "subject", "target"? ("*" of grant and deny), "scopes"? (all), "graph"?, "actor"?}
 *   -> {"revoked": 0 | 1, "revision"}
 * Take back what goes from `subject` to `target`: a resource, a role, a group, the agent of a delegation. Of a delegation the edge stays, with revoked_at: what was delegated on ends with it. 0: there was no
 * such thing (any more). With scopes (not of roles and groups: INVALID) only those that one of them covers go; CONSTRAINT: one is a part of a wider scope that is there. Either end of a
 * delegation may revoke it, and who has access:admin. What access.seed gave it gives again.
 * NOT_FOUND: no such subject.
 */
BRANT_API brant_status brant_access_revoke(char **out_json, size_t *out_json_len, brant_db *db,
                                           const char *json, size_t json_len);

/*
 * access.delegate {"from", "to", "scopes": [1..256], "expires_at"?, "max_depth"?: n (0), "may_redelegate"? (false), "graph"?, "actor"?} -> {"edge": Edge, "revision"}
 * Have an agent, which is made where it is missing, act for a principal, or for an agent: with these scopes, as far as `from` has the right itself at the time. max_depth: how many delegations may
 * follow this one, and only with may_redelegate. Again: these terms in place of the old ones, revoked or not.
 * Checked now, and again at every evaluation: a principal must hold each scope on something; an agent must have a delegation with each scope that it may pass on: may_redelegate, a greater max_depth,
 * an end that is not earlier; else DENIED. A session delegates from itself, no scope that its own within or denies would not let it use; with access:admin from others too, what it holds on "*".
 * NOT_FOUND: no such `from`. CONSTRAINT: `to` is no agent, or is `from`. Notifies acl:delegation_changed {"principal_id": from, "agent_id": to}, as access.revoke does.
 */
BRANT_API brant_status brant_access_delegate(char **out_json, size_t *out_json_len, brant_db *db,
                                             const char *json, size_t json_len);

/*
 * access.seed {"graph"?, "actor"?} -> {"operations": n, "roles": n, "changed": n, "revision"}
 * Write what is so by definition, to be called after each release: resources operation:<name> {kind, required_scopes, seeded}, part of namespace:<namespace>, part of "operations"; roles role:viewer,
 * role:member, role:admin, role:owner, with the scopes of these levels (brant/identity.h) on "*". Again it changes nothing. What was given at run time stays; seeded nodes that are no more go.
 */
BRANT_API brant_status brant_access_seed(char **out_json, size_t *out_json_len, brant_db *db,
                                         const char *json, size_t json_len);

/*
 * access.sync {"org_id"?, "members"?: [{"account_id", "level", "status"?: "active" | "suspended"}..], "graph"?, "actor"?} -> {"added": n, "removed": n, "changed": n, "revision"}
 * Make what is derived from members anew: of one organisation, or all. Principal account:<id> is in group org:<id>:<level>; owners are in the group of admins, those in that of members, those in that
 * of viewers, and all in org:<id>; each of these groups has its role where access.seed made it. In a file of role "single" or "system" from its own tables; in one of role "single" it also follows each change
 * of a membership by itself; the groups of an organisation that is no more go. A tenant's follows its hub (hub.h), where it has one, and is made here from `members`, all of them. What is derived never counts against what membership says now.
 * INVALID: members in a file that has its own; a tenant's file without org_id and members.
 */
BRANT_API brant_status brant_access_sync(char **out_json, size_t *out_json_len, brant_db *db,
                                         const char *json, size_t json_len);

#ifdef __cplusplus
}
#endif

#endif
