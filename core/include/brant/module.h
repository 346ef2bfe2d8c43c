/*
 * brant/module.h: modules by themselves: what types they make, whether data satisfies them, what becomes of data when they change.
 *
 * All are operations (store.h) that need no database: `db` may be NULL, and then any thread may call at any time, with the limits that a handle
 * has by default. Members `module`, `from`, `to` are modules as graph_types.define takes them (graph.h); of other modules they may import the
 * built-in ones alone. VALIDATION: the module cannot work; violations as there.
 *
 * Imports. `$ref: "other#/$defs/Entry"` takes an entry of another module: a stored graph type's name or the $id of its module, or a built-in
 * one ("metagraph" has BaseNode, BaseEdge and Config). What is stored is the closed bundle: the entry and all it refers to stand in
 * `$defs/other/$defs`, so that a type never changes because another did. Entries named BaseNode or BaseEdge make no types.
 *
 * Classes of a change say what becomes of stored data:
 *   identical  the same attributes are valid
 *   additive   all that were valid are valid as they are
 *   upcast     casting makes all that were valid valid: defaults fill what is required now, closed objects drop what they do not know
 *   breaking   some that were valid may be invalid, and casting does not help; or nothing better can be proven
 * An attribute that is encrypted now ("x-encrypted", graph.h) is additive: what is stored plain stays readable, and secrets.rotate encrypts it. One that is
 * not encrypted any more is breaking, since what is stored there are envelopes; where a closed object drops it, upcast.
 */
#ifndef BRANT_MODULE_H
#define BRANT_MODULE_H

#include "store.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * modules.types {"module"} -> {"id": text|null, "config", "node_types": [{name, schema, encrypted [pointer..]}..], "edge_types": [{name, schema,
 *   encrypted [pointer..], source [name..]|null, target [name..]|null, max_out: n|null, max_in: n|null}..], "warnings": [{pointer, message}..]}
 * `schema` is the entry as it stands in the module (closed under its imports). `encrypted`: JSON pointers of the attributes that are encrypted, in order of their
 * bytes: what is written there is a value of the schema, what is read an envelope {"$enc": 2, ..} or {"$redacted": true}. Warnings (at most 100) tell what works and is probably not meant: a
 * helper that nothing refers to (TypeBox's Composite of a Ref drops its properties), a name that is nearly a type's, a format that is not
 * checked, a default that is not valid, required properties that a closed object refuses, closed parts of an allOf, edge types without node types.
 */
BRANT_API brant_status brant_module_types(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

/*
 * modules.validate_node {"module", "type": text|null, "attributes", "formats"?: "assert" (default) | "annotate"} -> {"valid": bool, "violations": [violation..]}
 * As graph_types.validate_node: of an encrypted attribute nothing but the keyword is told. INVALID: the module has no such type.
 */
BRANT_API brant_status brant_module_validate_node(char **out_json, size_t *out_json_len,
                                                  brant_db *db, const char *json, size_t json_len);

/* modules.validate_edge {"module", "type", "attributes", "formats"?, "source_type"?, "target_type"?} -> {"valid", "violations"} */
BRANT_API brant_status brant_module_validate_edge(char **out_json, size_t *out_json_len,
                                                  brant_db *db, const char *json, size_t json_len);

/*
 * modules.diff {"from": module, "to": module} -> {"class", "edits": [{"op": "add" | "remove" | "replace", "pointer", "entry": text|null, "class", "reason"}..]}
 * The class is the most harmful of the edits'. Edits are in order of pointer, at most 10000; `pointer` is a JSON pointer in the module
 * (in `from` for what was removed), `entry` the entry that it leads into. What cannot be proven harmless is breaking: so a property that is
 * new to an object that allows additional ones is, since stored objects may have it with any value.
 */
BRANT_API brant_status brant_module_diff(char **out_json, size_t *out_json_len, brant_db *db,
                                         const char *json, size_t json_len);

/*
 * modules.cast {"module", "node_type": text|null | "edge_type": text|null, "attributes"} -> {"attributes", "changed": bool, "edits": [RFC 6902 operation..], "valid": bool,
 *   "violations": [violation..]}
 * Missing properties get their `default` where it is valid, members that a closed object does not know are dropped, of a union the branch that
 * fits best is taken. Nothing is invented and nothing that is invalid is replaced: it stays, `valid` is false and `violations` says why. `edits` make
 * the answer's attributes of the given ones. What stands for an encrypted value (an object with a member "$enc" or "$redacted") is left as it is.
 * LIMIT: the schema asks for too many steps.
 */
BRANT_API brant_status brant_module_cast(char **out_json, size_t *out_json_len, brant_db *db,
                                         const char *json, size_t json_len);

/*
 * modules.patch {"document", "patch": [RFC 6902 operation..]} -> {"document"}
 * CONFLICT: a test fails; INVALID: an operation or JSON pointer that is none, or that leads nowhere; LIMIT: the document would be larger or nest deeper
 * than one may. The detail has {"index": of the operation, "pointer"}. Pointers are taken strictly (RFC 6901): the member "a/b" is "/a~1b".
 */
BRANT_API brant_status brant_module_patch(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

#ifdef __cplusplus
}
#endif
#endif
