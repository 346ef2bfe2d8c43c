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
BRANT_API brant_status brant_access_list_objects(char **out_json, size_t *out_json_len, brant_db *db,
                                                 const char *json, size_t json_len);

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

#ifdef __cplusplus
}
#endif

#endif
