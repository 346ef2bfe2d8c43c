/*
 * brant/operation.h: every operation, described as data and callable by name.
 *
 * A spec is {name, namespace, type: "query" | "mutation" | "subscription", title, description, input_schema, output_schema,
 * required_scopes, files?, errors}; schemas are JSON Schema 2020-12. For a subscription, output_schema is that of one item. required_scopes has at least one: what a
 * session (session.h) must hold. files: "read" | "write": the input's member `path` names a file of the machine.
 */
#ifndef BRANT_OPERATION_H
#define BRANT_OPERATION_H

#include "access.h"
#include "audit.h"
#include "call.h"
#include "crypto.h"
#include "event.h"
#include "exchange.h"
#include "graph.h"
#include "hub.h"
#include "identity.h"
#include "lock.h"
#include "module.h"
#include "queue.h"
#include "schedule.h"
#include "secret.h"
#include "session.h"
#include "stream.h"
#include "traversal.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * operations.list {"namespace"?: text, "graph_type"?: name} -> {"items": [spec..]} in order of name. `db` may be NULL, unless graph_type is given.
 * With graph_type, the operations of its types (namespace "types") instead: types.<graph_type>.<Type>.<verb>, by type, then verb. Verbs of node types: count, delete,
 * find, get, insert, patch, put, which are nodes.count, .delete, .list, .get, .insert, .patch, .put with the type fixed; of edge types those of edges. Where a node
 * type and an edge type share a name, the latter's operations are <Type>Edge. The input_schema of put and insert has the type's own schema for attributes, with the
 * module in its $defs. NOT_FOUND: no such graph type. An untyped graph type has none.
 */
BRANT_API brant_status brant_operation_list(char **out_json, size_t *out_json_len, brant_db *db,
                                            const char *json, size_t json_len);

/*
 * Run a query or mutation by its registry name. The input is checked against input_schema first: INVALID, with {"violations": [..]}.
 * NOT_FOUND: no such operation; MISUSE: a subscription (brant_call_open).
 * Operations of types run by their names too. NOT_FOUND: the graph type has no such type, or the key is one of another type; INVALID: also a graph of another
 * graph type.
 */
BRANT_API brant_status brant_call(char **out_json, size_t *out_json_len, brant_db *db,
                                  const char *name, size_t name_len, const char *json,
                                  size_t json_len);

/* Open the cursor of a subscription by its registry name. MISUSE: a query or mutation. */
BRANT_API brant_status brant_call_open(brant_cursor **out_cursor, brant_db *db, const char *name,
                                       size_t name_len, const char *json, size_t json_len);

#ifdef __cplusplus
}
#endif
#endif
