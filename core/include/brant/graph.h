/*
 * brant/graph.h: the metagraph: graph types, graphs, nodes, edges, traversal.
 *
 * All are operations (store.h says what that means). A module is {"$id": name, "$defs": {"Config": .., "<Name>Node": schema,
 * "<Name>Edge": schema, "<Name>EdgeConstraints": ..}}; entries with other names are helpers. Names of types are the entries' names without suffix.
 * Schemas are JSON Schema 2020-12, or draft-07 where $schema says so. Nothing is fetched: a $ref leads into the module, or to the metaschemas
 * "https://json-schema.org/draft/2020-12/schema" and "http://json-schema.org/draft-07/schema", which are built in. `format` asserts (date-time, date, time,
 * duration, email, hostname, ipv4, ipv6, uri, uri-reference, uuid, json-pointer, regex; others annotate), unless the module has "x-formats": "annotate".
 * "x-encrypted": true marks an attribute whose values are encrypted before they are stored; what is read there is an envelope. It may be reached from a type's schema
 * through properties, $ref and allOf only, at most 32 levels deep, and not within another: items, additionalProperties, anyOf, if and all others are VALIDATION, and so are the
 * attributes as a whole and a $ref by which a schema contains itself. A schema that describes the attribute from elsewhere has it too, or says nothing of the value. A type has at
 * most 1000. An object with a member "$enc" or "$redacted" is accepted there whatever else the schema says; writing decides what it is.
 * A pattern whose match takes too many steps makes the value a violation of the keyword "pattern", also within "not": it never counts as "does not match".
 *
 * Common shapes
 *   graph type  {id, name, scope, version, config {directed, multi, allow_self_loops, acyclic, max_nodes, max_edges},
 *                node_types [name..], edge_types [{name, source [name..]|null, target [name..]|null}], metadata, created_at, updated_at}
 *   graph       {id, name, graph_type, owner_id, project_id, status, metadata, nodes, edges, created_at, updated_at}
 *   node        {key, type, attributes, metadata, revision, created_at, updated_at}
 *   edge        {key, type, source, target, attributes, undirected?, metadata, revision, created_at, updated_at}
 *               `undirected` (boolean) is there in graphs whose directed is "mixed", and in no other
 *   page        {items [..], cursor}: cursor is null at the end, else text for the next call; it survives writes in between
 *
 * `type` is null in untyped graphs (the built-in graph type "open", and modules without *Node entries). The name of a type that the graph
 * type does not have is INVALID everywhere, in filters too. In `config` max_nodes and max_edges are null where there is no limit.
 * Keys are any UTF-8 without NUL, 1 byte up to limits.key (writing a longer one is LIMIT), compared byte by byte.
 * `graph` is a graph's name. Times are ms since the epoch. Revisions start at 1 and grow by 1 with each change.
 *
 * Filters: an object of conditions that all hold, {"type": "Task", "attributes.status": {"$in": ["open", "blocked"]}, "$or": [{..}, {..}], "$not": {..}}.
 *   Fields: key, type, revision, type_version, created_at, updated_at, attributes.<path>, metadata.<path>; of edges also source and target (keys). Segments of a path are
 *   parted by "."; one of digits is an array's index or a member of that name (at most 3 of them). A segment that has a "." is written in a JSON pointer: attributes/a.b/c.
 *   A value alone is $eq. {"$gte": 1, "$lt": 5}: all hold. {"$not": {"$gt": 1}} is the complement of the operators in it.
 *   $eq, $in                  JSON values: numbers by value (64-bit integers exactly), text by bytes, objects without order; null is also what is missing
 *   $ne, $nin, $not           the complements, of what is missing too
 *   $gt $gte $lt $lte         number with number, text with text by bytes, false < true; other kinds never hold; null, arrays and objects are not accepted
 *   $exists                   is the member there (null is)
 *   $prefix                   text that begins so, by bytes
 *   $contains                 text that has the text in it; an array that has the element
 *   $and, $or                 of at least one filter. {} is everything.
 *   INVALID, with {"pointer"} in the input: an unknown operator or field, an operand that the operator does not take, a type that the graph type has not, nested deeper than
 *   32, more than 1000 conditions or 10000 values. LIMIT: its SQL is longer than 1 MiB.
 *
 * Encrypted attributes ("x-encrypted": true, crypto.h) cannot be looked into: a path that is one, leads into one, or names an object that holds one is INVALID, with {"pointer"}, in filters, orders,
 * indexes, weights and rules of retention, as far as they concern rows of a type that encrypts it: {"type": "Host", "attributes.value": 1} is fine where Secret alone does.
 *
 * Orders (`order_by`: a field): null and what is missing < false < true < numbers < text by bytes < objects and arrays by their JSON text; ties by the node's key,
 * or the edge's order of creation. `descending` turns all of it round, the ties too. LIMIT: a page would end at a value of more than 700000 bytes, which the cursor could not hold.
 *
 * Writing many (the _many operations). `items` is an array, or NDJSON text: one object a line, blank lines ignored (inside the JSON input it is one text; it takes the
 * memory that the array would). `errors` "refuse" (default): all or nothing: the code of the first fault, and the detail has {"items": [fault..]}. "skip": items at fault
 * are left out, the others are written as if those had not been there, and the answer has also {"failed": n, "items": [fault..]}.
 * fault: {index, key|null, code, message, violations?, offset?}, by index, at most 100; `offset`: of the byte in the text, for a line that is not a JSON object.
 * Indexes count items, not lines. An array's item that the input schema does not allow refuses the call whatever `errors` says; in lines it is a fault. LIMIT: more
 * than limits.batch items. Memory: that of the input and some 100 bytes an item; patches hold one stored row at a time.
 *
 * Encrypted attributes ("x-encrypted": true in the type's schema; brant/crypto.h) are sealed by every operation that writes, after validation: what is stored is an envelope that
 * belongs to this file, graph, node or edge, key and attribute, and reading gives the envelope; nodes.open_secret and edges.open_secret open it. The handle needs a key ring with an
 * active key (NOT_FOUND, and nothing is written). An envelope may be written where it is the one that is stored there, which needs no ring, or opens at this very place (sealed
 * anew where its key is not the active one); INVALID otherwise: a plaintext must not look like one. {"$redacted": true} keeps what is stored there; INVALID where nothing is, or
 * with other members. A patch that has an object for a secret is merged into the opened value (AUTH, UNSUPPORTED: it does not open). LIMIT: what is sealed is longer than
 * limits.document; a given envelope of a password would take more passes or memory to open than one that the ring makes, or more than 16 of other salts are in one call. The change log, exports and arrays have {"$redacted": true} instead of each value, and so have reads of a row that was written before its type encrypted. In a
 * batch these are faults of the items. graph_types.migrate seals the defaults that a cast puts there, and a row that it cannot seal fails.
 *
 * Notifications: each successful mutating call emits one per channel, in its transaction: graph:created, graph:updated, graph:deleted (marked), graph:purged
 * {graph_id, graph, graph_type_id, owner_id, changes? [names of the members given]}, nodes:created, nodes:updated, nodes:deleted, edges:created,
 * edges:updated, edges:deleted {graph_id, graph, graph_type_id, owner_id, count, keys [at most 100], truncated}.
 *
 * Built-in graph types are there in every file without being defined; their scope is system, their times are 0. A file that has a graph type of such a name keeps its own.
 *   open        untyped, directed, not multi: any attributes, any edge but none twice between two nodes
 *   call        directed, acyclic: Call {request_id, operation_id, namespace, type, status, input, output, error {code, message}, identity {id, scopes, resources},
 *               parent_request_id, deadline, requested_at, started_at, completed_at, trace_id, span_id}; operation_id and status are required.
 *               Edges Triggered (from parent to subcall), DependsOn {reason}, Links {any}
 *   task        directed, acyclic: Task {title, status, priority, effort, risk, value, cost, assignee, due_at}; title and status are required, estimates are
 *               numbers of any scale. Edges DependsOn {kind: blocks | informs} (from the task that waits), PartOf (from the part)
 */
#ifndef BRANT_GRAPH_H
#define BRANT_GRAPH_H

#include "store.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * graph_types.define {"module": {..}, "name"?: text, "scope"?: "user" | "tenant" | "system", "version"?: 1.., "metadata"?} -> graph type with member
 *   `warnings` [{pointer, message}..] (module.h)
 * `name` defaults to the module's $id. Defining the same module again under the same name and version returns the stored one.
 * VALIDATION: the module cannot work; the detail's violations have the JSON pointer (unknown keyword value or keyword, a $ref to nothing, a
 * constraint on an unknown node type, a bad pattern). EXISTS: another module, version or scope has the name. DENIED: scope system without the system flag.
 */
BRANT_API brant_status brant_graph_type_define(char **out_json, size_t *out_json_len, brant_db *db,
                                               const char *json, size_t json_len);

/* graph_types.get {"name"} -> graph type with members `module` and `retention` (the rules, or null) */
BRANT_API brant_status brant_graph_type_get(char **out_json, size_t *out_json_len, brant_db *db,
                                            const char *json, size_t json_len);

/* graph_types.list {"limit"?: 1..10000 (100), "cursor"?} -> page of graph types, by name */
BRANT_API brant_status brant_graph_type_list(char **out_json, size_t *out_json_len, brant_db *db,
                                             const char *json, size_t json_len);

/* graph_types.delete {"name"} -> {"deleted": true}. CONSTRAINT: graphs use it; DENIED: built in, or scope system. */
BRANT_API brant_status brant_graph_type_delete(char **out_json, size_t *out_json_len, brant_db *db,
                                               const char *json, size_t json_len);

/*
 * graph_types.set_retention {"name", "rules": rules | null} -> {"name", "rules"}
 * rules: {"archive_after"?, "delete_after"?, "purge_after"?: ms, "nodes"?, "edges"?: [{"type"?, "filter"?, "older_than": ms, "by"?: "updated_at" (default) |
 *   "created_at" | "attributes.<path>" (ms since the epoch; what is no number stays)}..] at most 100 each}; null: none. They replace the stored ones.
 * What db.maintain does with this type's graphs. Of a graph, times count from its last change: of itself (also by graphs.delete) or of its nodes and edges; what retention does
 * itself is no change. archive_after: draft and active graphs are archived; delete_after: graphs that are not deleted are marked; purge_after: those that are marked
 * are removed. Rules on rows hold in graphs of every status but deleted; nodes go with their edges.
 * DENIED: built in, or of scope system, without the system flag. INVALID: a rule, with its pointer.
 */
BRANT_API brant_status brant_graph_type_set_retention(char **out_json, size_t *out_json_len,
                                                      brant_db *db, const char *json,
                                                      size_t json_len);

/*
 * graph_types.diff {"name", "module"} -> {"class", "edits"}: modules.diff (module.h) from the stored module; imports as in define.
 */
BRANT_API brant_status brant_graph_type_diff(char **out_json, size_t *out_json_len, brant_db *db,
                                             const char *json, size_t json_len);

/*
 * graph_types.update {"name", "module", "version"?, "metadata"?} -> graph type with member `warnings`
 * identical and additive changes are applied at once, and the version may stay. For upcast and breaking ones it must grow (CONSTRAINT
 * otherwise, as for a version that is less than the stored one): new writes are validated by the new module at once, stored data stay as they are until
 * graph_types.migrate. A greater version begins a migration whatever the class. CONSTRAINT: a type with nodes or edges would be gone; `directed`, `multi`, or
 * having types at all would change while there are edges, or nodes; an index, which is named, is on an attribute that is encrypted now, or a rule of retention looks at one. Indexes and row ids of types stay
 * by name. DENIED: built in, or scope system.
 */
BRANT_API brant_status brant_graph_type_update(char **out_json, size_t *out_json_len, brant_db *db,
                                               const char *json, size_t json_len);

/*
 * graph_types.check {"name", "module"?, "limit"?: rows, 1..1000000 (10000), "cursor"?}
 *   -> {"class", "nodes": {checked, valid, castable, failing}, "edges": {..}, "failures": [{graph, key, violations}..] (at most 100), "cursor"}
 * A dry run over the rows of all graphs of the type, nodes before edges, in order of creation; against the stored module where none is given.
 * Looked at are attributes, the ends of edges and self-loops; acyclic, max_nodes, max_edges, max_out and max_in are not.
 */
BRANT_API brant_status brant_graph_type_check(char **out_json, size_t *out_json_len, brant_db *db,
                                              const char *json, size_t json_len);

/*
 * graph_types.migrate {"name", "batch"?: rows, 1..100000 (1000), "limit"?: batches, 1..1000000 (1), "patches"?: {"<Type>": [RFC 6902 operation..]},
 *   "on_failure"?: "stop" (default) | "skip", "background"?: bool (false)} -> {"done", "migrated", "unchanged", "failed", "remaining", "failures": [{graph, key, violations}..] (at most 100)}
 * Bring rows of an older version to the graph type's: the type's patch is applied to the attributes, then they are validated; where they are not valid
 * they are cast (module.h). Valid rows are left alone but for their version. Each batch is one transaction with its progress (within a transaction of the caller's:
 * that one's), so a call that was interrupted, or a process that died, goes on after the last batch; `patches` are given with each call. A failing row
 * stops the call after what was done before it (stop), or keeps its version (skip): called again when it is done, a migration tries those
 * again. The counts are of this call, `remaining` of the migration: near while others write, 0 when done. Nothing to do: done.
 * Rows that change get a new revision and updated_at, and are announced on nodes:updated and edges:updated. INVALID: patches
 * name no type (an edge type that shares its name with a node type is <Type>Edge), are not well formed, or do more with an encrypted attribute than remove it, or move or copy a plain one there: it is
 * sealed, and without a key ring its row fails. An envelope opens in its place alone: to give an encrypted attribute another name, open its values and put them.
 * background: {"job": id} instead: a job of the queue "schema-migration" (queue.h), which db.maintain works some batches at a time; its progress and, for a week, its result are
 * {"steps": batches, "answer": as above}. One waits for each graph type: asked for again, it takes the newer patches. A row that stops it makes it dead.
 */
BRANT_API brant_status brant_graph_type_migrate(char **out_json, size_t *out_json_len, brant_db *db,
                                                const char *json, size_t json_len);

/*
 * graph_types.migration {"name"} -> {"from_version", "to_version", "migrated", "failed", "remaining", "done", "started_at", "updated_at"}
 * The last one. NOT_FOUND: no such graph type, or it never had a greater version.
 */
BRANT_API brant_status brant_graph_type_migration(char **out_json, size_t *out_json_len,
                                                  brant_db *db, const char *json, size_t json_len);

/*
 * graph_types.validate_node {"graph_type", "type", "attributes"} -> {"valid": bool, "violations": [violation..]}
 * violation: {instance (JSON pointer in the attributes), schema (JSON pointer in the module), keyword, message}; at most 100. Writes nothing.
 * Messages speak of the schema, never of the value. An encrypted attribute has at most one, "the value of an encrypted attribute is not acceptable: <keyword>", and no
 * pointer leads into it.
 */
BRANT_API brant_status brant_graph_type_validate_node(char **out_json, size_t *out_json_len,
                                                      brant_db *db, const char *json,
                                                      size_t json_len);

/*
 * graph_types.validate_edge {"graph_type", "type", "attributes", "source_type"?, "target_type"?} -> {"valid", "violations"}
 * An end that the edge type does not allow is a violation with the keyword "source" or "target".
 */
BRANT_API brant_status brant_graph_type_validate_edge(char **out_json, size_t *out_json_len,
                                                      brant_db *db, const char *json,
                                                      size_t json_len);

/*
 * graphs.create {"name", "graph_type", "owner_id"?, "project_id"?, "status"?: "draft" | "active" (default) | "archived", "metadata"?,
 *   "changes"?: bool (false)} -> graph
 * `changes`: keep a change log (graphs.changes).
 * EXISTS: the name is taken; NOT_FOUND: no such graph type.
 */
BRANT_API brant_status brant_graph_create(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

/* graphs.get {"name"} -> graph */
BRANT_API brant_status brant_graph_get(char **out_json, size_t *out_json_len, brant_db *db,
                                       const char *json, size_t json_len);

/* graphs.list {"limit"?: 1..10000 (100), "cursor"?, "graph_type"?, "status"?} -> page of graphs, by name; those that are marked deleted only with status "deleted". A cursor of other filters is INVALID, as in every list. */
BRANT_API brant_status brant_graph_list(char **out_json, size_t *out_json_len, brant_db *db,
                                        const char *json, size_t json_len);

/* graphs.update {"name", "owner_id"?, "project_id"?, "status"?, "metadata"?, "changes"?} -> graph; the members given are replaced. Writes to an archived graph's nodes and edges are CONSTRAINT. `status` ("draft", "active", "archived") also brings back a graph that is marked deleted. */
BRANT_API brant_status brant_graph_update(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

/*
 * graphs.changes {"graph", "after"?: offset (0), "limit"?: 1..10000 (1000)} -> {"items": [{offset, key, payload, created_at}..], "next"?: offset, "gap"?: {from, to}}
 * The change log that graphs.create or graphs.update with "changes": true begins: the stream "changes:<id of the graph>" (stream.h: it can be subscribed to, has consumers, and
 * keeps what its policy says), with one event for each node or edge that a call wrote, in the call's transaction and in commit order, whatever the call:
 *   {"op": "put" | "delete", "kind": "node" | "edge", "key", "type", edges: "source", "target", "undirected"? (of mixed graphs), "turned"? (undirected, and its ends were given the
 *    other way round), puts: "attributes", "metadata"? (none: {}), "revision", "snapshot"?, "before"? {"type", "attributes", "metadata"?, "revision"} (none: the row is new)}
 * with the key "n:<key>" or "e:<key>". The log begins with {"op": "begin", "kind": "graph", "key": name, "nodes", "edges"} under the key "g", and in the same transaction a put marked
 * "snapshot" for each row that the graph has already; "changes": false ends it with {"op": "end", ..}, and it stays readable; graphs.purge removes it. Edges that
 * go with their node come before it. `next`: where to go on; none at the end. `gap`: what retention removed before it was read. CONFLICT: the graph never had a log.
 */
BRANT_API brant_status brant_graph_changes(char **out_json, size_t *out_json_len, brant_db *db,
                                           const char *json, size_t json_len);

/*
 * graphs.diff {"graph", "from": offset | {"time": ms}, "to"? (now), "limit"?: keys in all, 1..1000000 (10000)}
 *   -> {"from", "to": offsets, "nodes": {"created", "updated", "deleted": [key..]}, "edges": {..}, "truncated"}
 * What is different at `to` from what was at `from`: what came and went between, or is as it was again (attributes and metadata), is not listed; what has a secret, which the log
 * does not know, counts as updated where it was written. By the order of last changes. A time means
 * the last offset that was written by then. CONFLICT: the log does not say how the graph was at one of them: it was not on, its beginning or an event between was removed.
 */
BRANT_API brant_status brant_graph_diff(char **out_json, size_t *out_json_len, brant_db *db,
                                        const char *json, size_t json_len);

/*
 * graphs.replay {"graph", "to": offset | {"time": ms}, "into": name, "graph_type"?} -> {"graph": into, "offset", "nodes": n, "edges": n}
 * A new graph with the nodes and edges (keys, types, ends, attributes, metadata; revisions and times are new) that the graph had then, of the same graph type or the one that is given, whose rules
 * hold: rows that an older version of it allowed may be VALIDATION or CONSTRAINT; "open" takes all rows of graphs that are directed and not multi. One transaction. CONFLICT as in graphs.diff; an
 * offset inside the snapshot of a beginning is CONFLICT too. Secrets are not in the log: {"$redacted": true} is stored in their place, which no key opens. EXISTS: `into` is taken.
 */
BRANT_API brant_status brant_graph_replay(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

/*
 * graphs.delete {"name"} -> {"deleted": true, "nodes": n, "edges": n}: what is in it
 * Marks the graph: its status is "deleted". Then it is NOT_FOUND for every operation but graphs.get, graphs.list with status "deleted", graphs.update with a status,
 * which restores it, graphs.purge and db.erase. Its name stays taken.
 */
BRANT_API brant_status brant_graph_delete(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

/*
 * graphs.purge {"name", "limit"?: 1..} -> {"purged": bool, "nodes": n, "edges": n}: what this call removed
 * Removes a graph of any status for good. With a limit at most so many nodes and edges, so that no call is long: the graph is marked deleted by the first, and
 * `purged` is false while some are left. Notifies nodes:deleted, edges:deleted, at the end graph:purged, and graph:deleted where it was not marked.
 */
BRANT_API brant_status brant_graph_purge(char **out_json, size_t *out_json_len, brant_db *db,
                                         const char *json, size_t json_len);

/*
 * nodes.put {"graph", "key", "type"?, "attributes"? ({}), "metadata"?, "revision"?} -> {"key", "created": bool, "revision"}
 * Insert, or replace attributes in place; edges stay, and metadata stays when it is left out. `revision`: the one that must be stored, 0 for "must not exist" (CONFLICT).
 * `type` may be left out when the node exists or the graph type has only one. VALIDATION with violations; CONSTRAINT: another type than the stored one, max_nodes, archived.
 */
BRANT_API brant_status brant_node_put(char **out_json, size_t *out_json_len, brant_db *db,
                                      const char *json, size_t json_len);

/*
 * nodes.put_many {"graph", "items": [{key, type?, attributes?, metadata?, revision?}..] | text, "errors"?} -> {"created": n, "updated": n}
 * Later items of one key win, and each counts as an update.
 */
BRANT_API brant_status brant_node_put_many(char **out_json, size_t *out_json_len, brant_db *db,
                                           const char *json, size_t json_len);

/* nodes.insert {"graph", "key", "type"?, "attributes"?, "metadata"?} -> {"key", "created": true, "revision": 1}. As nodes.put. EXISTS: there is such a node. */
BRANT_API brant_status brant_node_insert(char **out_json, size_t *out_json_len, brant_db *db,
                                         const char *json, size_t json_len);

/* nodes.insert_many {"graph", "items": [{key, type?, attributes?, metadata?}..] | text, "errors"?} -> {"created": n}. EXISTS also for the second item of a key. */
BRANT_API brant_status brant_node_insert_many(char **out_json, size_t *out_json_len, brant_db *db,
                                              const char *json, size_t json_len);

/*
 * nodes.patch {"graph", "key", "attributes": patch, "metadata"?: patch, "revision"?} -> {"key", "revision", "changed": bool}
 * Merge patches (RFC 7386): a null removes a member, an object is merged, anything else replaces. Where nothing changes (numbers by value, members without order) revision and
 * updated_at stay. The result is validated: VALIDATION. CONFLICT: revision. LIMIT: the result is longer than limits.document.
 */
BRANT_API brant_status brant_node_patch(char **out_json, size_t *out_json_len, brant_db *db,
                                        const char *json, size_t json_len);

/* nodes.patch_many {"graph", "items": [{key, attributes, metadata?, revision?}..] | text, "errors"?} -> {"updated": n, "unchanged": n}. In order: later patches of a key see the earlier. */
BRANT_API brant_status brant_node_patch_many(char **out_json, size_t *out_json_len, brant_db *db,
                                             const char *json, size_t json_len);

/* nodes.get {"graph", "key"} -> node */
BRANT_API brant_status brant_node_get(char **out_json, size_t *out_json_len, brant_db *db,
                                      const char *json, size_t json_len);

/* nodes.get_many {"graph", "keys": [..]} -> {"items": [node | null..]} in the order asked */
BRANT_API brant_status brant_node_get_many(char **out_json, size_t *out_json_len, brant_db *db,
                                           const char *json, size_t json_len);

/*
 * nodes.open_secret {"graph", "key", "path"} -> {"value": any JSON, "key_version": n}
 * One encrypted attribute, opened with the handle's key ring. `path`: attributes.<path> or attributes/<pointer> as in filters. NOT_FOUND: no such node, nothing at the path, no
 * ring or none of its keys is the envelope's. INVALID: the type does not encrypt the path. AUTH: what stands there is no envelope of this very place: changed, moved, or plain,
 * which is not believed. UNSUPPORTED, LIMIT as envelopes.open.
 */
BRANT_API brant_status brant_node_open_secret(char **out_json, size_t *out_json_len, brant_db *db,
                                              const char *json, size_t json_len);

/* nodes.exists {"graph", "key"} -> {"exists": bool} */
BRANT_API brant_status brant_node_exists(char **out_json, size_t *out_json_len, brant_db *db,
                                         const char *json, size_t json_len);

/* nodes.count {"graph", "type"?, "filter"?} -> {"count": n}. Without a filter it is kept, with one counted. */
BRANT_API brant_status brant_node_count(char **out_json, size_t *out_json_len, brant_db *db,
                                        const char *json, size_t json_len);

/* nodes.list {"graph", "type"?, "prefix"?, "filter"?, "order_by"?, "descending"? (false), "limit"?: 1..10000 (100), "cursor"?} -> page of nodes, by key or as ordered */
BRANT_API brant_status brant_node_list(char **out_json, size_t *out_json_len, brant_db *db,
                                       const char *json, size_t json_len);

/*
 * nodes.explain {the members of nodes.list} -> {"sql": text, "plan": [{id, parent, detail}..], "indexes": [name..], "scan": bool}
 * How a first page is read: the statement, SQLite's plan of it, the indexes on attributes that are in it. `scan`: all nodes of the graph are read for it. The texts are for
 * people; they change with releases.
 */
BRANT_API brant_status brant_node_explain(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

/*
 * nodes.search {"graph", "query", "type"?, "filter"?, "limit"?: 1..1000 (20), "cursor"?} -> {"items": [{node, score, snippet}..], "cursor"}
 * In the indexes of text (indexes.create) of the type, or of all types; by score (bm25: higher is better), then key. In a snippet the words found stand in [ ]. The cursor counts items: writes in
 * between may show one twice or not at all.
 * query: words that all must be there; "a phrase"; prefix*; OR; NOT word or -word; AND and ( ) where it helps. NOT binds before AND before OR. Case and accents do not count.
 * INVALID, with {"pointer", "offset"}: a query that says nothing or is not well formed. CONSTRAINT: no index of text covers what is asked. LIMIT: more than 100 do.
 */
BRANT_API brant_status brant_node_search(char **out_json, size_t *out_json_len, brant_db *db,
                                         const char *json, size_t json_len);

/*
 * nodes.delete {"graph", "key", "edges"?: "refuse" (default) | "delete", "revision"?} -> {"deleted": true, "edges": n}
 * CONSTRAINT: the node has edges and they are not to be deleted; CONFLICT: revision.
 */
BRANT_API brant_status brant_node_delete(char **out_json, size_t *out_json_len, brant_db *db,
                                         const char *json, size_t json_len);

/*
 * nodes.delete_many {"graph", "keys": [..] | "filter": {..}, "edges"?: "refuse" (default) | "delete", "errors"?} -> {"deleted": n, "edges": n}
 * In the order of the keys (each counts once), or of creation; `filter` {} is all. A fault: a key that is missing (NOT_FOUND), a node that has edges at its turn while they are not
 * to be deleted (CONSTRAINT); with a filter `index` counts the nodes that match. LIMIT: more than limits.batch keys.
 */
BRANT_API brant_status brant_node_delete_many(char **out_json, size_t *out_json_len, brant_db *db,
                                              const char *json, size_t json_len);

/*
 * nodes.neighbors {"graph", "key", "direction"?: "out" (default) | "in" | "both", "edge_types"?: [..], "limit"?: 1..10000 (1000), "cursor"?}
 *   -> page of {key, type, edge: {key, type, source, target, attributes}}
 * One item an edge (with "both" a self-loop is among those that go out), out before in, then by edge type's and node's order of creation. In
 * undirected graphs every edge is both, and in mixed ones the undirected edges are. An empty edge_types matches nothing.
 */
BRANT_API brant_status brant_node_neighbors(char **out_json, size_t *out_json_len, brant_db *db,
                                            const char *json, size_t json_len);

/*
 * edges.put {"graph", "source", "target", "type"?, "key"?, "undirected"?, "attributes"?, "metadata"?, "revision"?} -> {"key", "created", "revision"}
 * Without a key: in a graph that is not multi the edge is known by source, type and target, and its key is the JSON text
 * ["source","type","target"] (ends in byte order where undirected), so that a retry is the same edge; in a multi graph a new UUIDv7. A given key in a
 * non-multi graph whose ends and type are taken by another is CONSTRAINT. Ends and type of an existing key cannot change (CONSTRAINT).
 * In a non-multi graph a key that is the text for the edge's own ends is that edge's, and gives the type where it is left out; the text for other ends is INVALID. An
 * edge that was given a key keeps it, and is also found by the text. `type` may be left out too when the key exists or the graph type has only one.
 * `undirected` says in a mixed graph that the edge goes both ways (default false; that of a stored edge stays); elsewhere only what the graph type says anyway is
 * accepted (INVALID). Ends of undirected edges are stored in byte order. In a mixed graph that is not multi a directed and an undirected edge may have the same ends
 * and type; without a key the undirected one's is ["source","type","target","undirected"].
 * NOT_FOUND: an end does not exist. CONSTRAINT: ends of types that the edge type does not allow, max_out or max_in (in undirected graphs an edge counts for
 * both ends, against the lower), self-loop, a cycle in an acyclic graph (undirected: a second way between two nodes; mixed: any undirected edge), max_edges, archived.
 */
BRANT_API brant_status brant_edge_put(char **out_json, size_t *out_json_len, brant_db *db,
                                      const char *json, size_t json_len);

/*
 * edges.put_many {"graph", "items": [{source, target, type?, key?, undirected?, attributes?, metadata?, revision?}..] | text, "errors"?} -> {"created": n, "updated": n}
 * As nodes.put_many. In an acyclic graph, with errors "refuse" cycles are looked for when no item is at fault otherwise, and one edge of one cycle is reported; with "skip" an
 * item is at fault (CONSTRAINT) when its edge would close a cycle with the graph and the items before it that are well: the others are written. More than 32 such items take
 * the graph's snapshot (LIMIT: 1 GiB).
 */
BRANT_API brant_status brant_edge_put_many(char **out_json, size_t *out_json_len, brant_db *db,
                                           const char *json, size_t json_len);

/* edges.insert {"graph", "source", "target", "type"?, "key"?, "undirected"?, "attributes"?, "metadata"?} -> {"key", "created": true, "revision": 1}. As edges.put. EXISTS: there is such an edge. */
BRANT_API brant_status brant_edge_insert(char **out_json, size_t *out_json_len, brant_db *db,
                                         const char *json, size_t json_len);

/* edges.insert_many {"graph", "items": [as edges.insert..] | text, "errors"?} -> {"created": n}. As edges.put_many; EXISTS. */
BRANT_API brant_status brant_edge_insert_many(char **out_json, size_t *out_json_len, brant_db *db,
                                              const char *json, size_t json_len);

/* edges.patch {"graph", "key", "attributes": patch, "metadata"?: patch, "revision"?} -> {"key", "revision", "changed": bool}. As nodes.patch; ends and type stay. */
BRANT_API brant_status brant_edge_patch(char **out_json, size_t *out_json_len, brant_db *db,
                                        const char *json, size_t json_len);

/* edges.patch_many {"graph", "items": [{key, attributes, metadata?, revision?}..] | text, "errors"?} -> {"updated": n, "unchanged": n} */
BRANT_API brant_status brant_edge_patch_many(char **out_json, size_t *out_json_len, brant_db *db,
                                             const char *json, size_t json_len);

/* edges.get {"graph", "key"} -> edge */
BRANT_API brant_status brant_edge_get(char **out_json, size_t *out_json_len, brant_db *db,
                                      const char *json, size_t json_len);

/* edges.open_secret {"graph", "key", "path"} -> {"value": any JSON, "key_version": n}. As nodes.open_secret. */
BRANT_API brant_status brant_edge_open_secret(char **out_json, size_t *out_json_len, brant_db *db,
                                              const char *json, size_t json_len);

/* edges.exists {"graph", "key"} -> {"exists": bool} */
BRANT_API brant_status brant_edge_exists(char **out_json, size_t *out_json_len, brant_db *db,
                                         const char *json, size_t json_len);

/* edges.count {"graph", "type"?, "filter"?} -> {"count": n} */
BRANT_API brant_status brant_edge_count(char **out_json, size_t *out_json_len, brant_db *db,
                                        const char *json, size_t json_len);

/*
 * edges.list {"graph", "type"?, "source"?, "target"?, "filter"?, "order_by"?, "descending"?, "limit"?: 1..10000 (100), "cursor"?} -> page of edges, by source's key, then type, then target in
 * order of creation. A source or target that does not exist has no edges. Undirected: both together in either order; one alone is the
 * end as stored (nodes.neighbors has all edges of a node).
 */
BRANT_API brant_status brant_edge_list(char **out_json, size_t *out_json_len, brant_db *db,
                                       const char *json, size_t json_len);

/* edges.explain {the members of edges.list}: as nodes.explain. Without an order and an index that the filter uses, `sql` is what is run for each source. */
BRANT_API brant_status brant_edge_explain(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

/* edges.search {the members of nodes.search}: as nodes.search; items {edge, score, snippet}, equal scores in order of creation. */
BRANT_API brant_status brant_edge_search(char **out_json, size_t *out_json_len, brant_db *db,
                                         const char *json, size_t json_len);

/* edges.delete {"graph", "key", "revision"?} -> {"deleted": true} */
BRANT_API brant_status brant_edge_delete(char **out_json, size_t *out_json_len, brant_db *db,
                                         const char *json, size_t json_len);

/* edges.delete_many {"graph", "keys": [..] | "filter": {..}, "errors"?} -> {"deleted": n}. As nodes.delete_many. */
BRANT_API brant_status brant_edge_delete_many(char **out_json, size_t *out_json_len, brant_db *db,
                                              const char *json, size_t json_len);

/*
 * indexes.create {"graph_type", "node_type"? | "edge_type"? | "of"?: "nodes" | "edges", "kind"?: "value" (default) | "text", "paths": [1..8 fields], "name"?} -> index
 *   index {id, name, graph_type, node_type|null, edge_type|null, of, kind, paths, created_at}
 * value: filters and orders on the first paths (equalities, then one range or the order) use it where the type is given, or is the only one: {"type": "Task", "attributes.status": "open"}.
 * Fields: attributes.<path>, metadata.<path>, created_at, updated_at, revision, type_version. text: nodes.search and edges.search use it; text at the paths, and arrays as their JSON. An untyped graph
 * type takes `of` instead of a type. `name` defaults to "<graph_type>.<type>.<path>,<path>..". The same again returns the stored one.
 * Made at once, for all graphs of the type: that takes time and the write lock. EXISTS: another index has the name; INVALID, with {"pointer"}: a path, also one that the type encrypts; NOT_FOUND: no such graph type; UNSUPPORTED: text, in the loadable
 * extension under an SQLite older than 3.42.
 */
BRANT_API brant_status brant_index_create(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

/* indexes.list {"graph_type"?} -> {"items": [index..]}, by name */
BRANT_API brant_status brant_index_list(char **out_json, size_t *out_json_len, brant_db *db,
                                        const char *json, size_t json_len);

/* indexes.delete {"name"} -> {"deleted": true}. Deleting a graph type deletes its indexes. */
BRANT_API brant_status brant_index_delete(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

#ifdef __cplusplus
}
#endif
#endif
