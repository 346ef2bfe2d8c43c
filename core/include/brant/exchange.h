/*
 * brant/exchange.h: graphs to and from other libraries and formats.
 *
 * All are operations (store.h says what that means). What formats carry:
 *
 *   graphology   its serialised form, exactly: {options {type, multi, allowSelfLoops}, attributes, nodes [{key, attributes?}],
 *                edges [{key?, source, target, attributes?, undirected?}]}. `attributes` is left out where it is empty, `undirected` is there in mixed
 *                graphs, where it is true. Keys that are no text become the text that JavaScript makes of them.
 *   node_link    NetworkX's: {directed, multigraph, graph, nodes [{.., id}], edges (or links) [{.., source, target, key?}]}. Not mixed graphs.
 *   ndjson       everything, a JSON object a line: {"graph": {graph_type, metadata}}, {"node": {key, type?, attributes?, metadata?}} and
 *                {"edge": {key?, source, target, type?, undirected?, attributes?, metadata?}}; nodes come before the edges that need them.
 *   csv          RFC 4180 in two parts, nodes (key, type?, ..) and edges (key, source, target, type?, undirected?, ..), with a header line. Every other column is an
 *                attribute. A cell is a text as it is, or JSON where it begins as a value other than text does and is acceptable JSON: so a
 *                text that could be taken for JSON is written as a JSON text, as is the empty one. An empty cell: no such attribute.
 *                Columns `attributes` (an object of those that have no column) and `metadata` are there where needed.
 *   graphml, dot, mermaid: out only. GraphML declares an attribute once for each kind of its values (boolean, long, double, string; null, arrays and
 *                objects are JSON in a string whose key's id begins n_json_ or e_json_). Mermaid shows keys and edge types.
 *   memory       the file of the reference MCP memory server, a graph of type `memory`: a JSON object a line, {"type": "entity", "name", "entityType", "observations": [text..]} or
 *                {"type": "relation", "from", "to", "relationType"}, relations also of names that are no entities (nodes without an entityType, which are not written out). An entity's key is its
 *                name, a relation's the JSON text [from, to, relationType]; of two lines of one key the later counts. Lines of another type are passed over.
 *   otlp         OpenTelemetry traces as JSON (opentelemetry-proto, "OTLP/JSON"), a graph of type `call`. In: one document or one a line: a node a span, an edge Triggered from its parent, and
 *                edges Links to the spans that it links to. Parents and linked spans that are not there, and links that the graph type's rules exclude (back to
 *                where the span comes from, to itself), make no edge; the node has them all the same (parent_request_id, metadata.otlp.links). Unknown members are passed over.
 *                Out: one document, spans in the order of keys, those that follow one another and have the same resource and scope together. A call that was a span is that span again,
 *                member by member (metadata.otlp; name, parent and ids are the attributes'). Any other call is a span whose ids are its trace_id (32 lower-case hexadecimal digits; else of
 *                the call that all began with, else of the SHA-256 of that one's key) and span_id (16; else of the SHA-256 of its key), with the whole call as JSON in the attribute "brant.call";
 *                edges that parent and links do not say are links with the attribute "brant.edge". An import makes the same calls and edges of these again. CONSTRAINT: the graph is of another type.
 *
 * The graph's metadata are the library's graph attributes. What else a library has no place for travels in members among the attributes: "@type" (in typed graphs),
 * "@metadata" (where there is some), and in node_link "@key" (an edge's key that the library would not keep). An import takes them back: "@type" in typed graphs
 * only, "@metadata" where it is an object that is not empty, "@key" where it is text and, in multigraphs, equals the member key.
 *
 * Keys. NetworkX has nodes that are no text: such a node's key is json:<compact JSON>, and so is that of a text that begins with json:, is empty or has a NUL. In graphology,
 * whose keys are text, a text that is empty, has a NUL or begins with json:" has that form. The keys of edges of a NetworkX multigraph are unique among edges of the same
 * ends only: such an edge's key is the JSON text [source, target, key] (ends in byte order where undirected). The way back is exact, so that a
 * graph that goes through brant is the same graph; only its order is ours: nodes by key, edges by source, type (in
 * the order of the module), target, then creation. Undirected edges
 * keep the ends in the order they were given in first.
 *
 * Nothing is lost silently: an export that cannot carry something (an attribute of a name that the format gives another meaning: `id` of nodes and `source`, `target`, in
 * multigraphs `key` of edges in node_link, which NetworkX overwrites; "@type", "@metadata", "@key" where they would be misread; a control character in GraphML) is
 * CONSTRAINT and names the node or edge. allowSelfLoops is the graph type's.
 */
#ifndef BRANT_EXCHANGE_H
#define BRANT_EXCHANGE_H

#include "graph.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * graphs.export {"graph", "format": "graphology" | "node_link" | "ndjson" | "csv" | "graphml" | "dot" | "mermaid" | "otlp" | "memory", "part"?: "nodes" | "edges" (csv needs it),
 *   "edges"?: "edges" (default) | "links" (node_link: the name of the array), "filter"? (nodes; edges between two of them), "edge_filter"?,
 *   "limit"?: items of a page 1..1000000 (10000), "cursor"?} -> {"text", "cursor"}
 * The texts of all pages, joined, are the document; a page may end anywhere, and ends when it has passed 8 MiB. All pages show one state of the graph: CONFLICT where it changed
 * since the first (read inside a transaction that began before). CONSTRAINT: the format cannot carry it.
 */
BRANT_API brant_status brant_graph_export(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

/*
 * graphs.arrays {"graph", "edge_types"?: [..], "edge_filter"?, "attributes"?: bool (false), "weight"?: path of attributes} ->
 *   {"directed": bool | null (mixed), "multi", "node_types"?: [names], "edge_types"?: [names], "keys": [..], "types"?: [index in node_types..],
 *    "node_attributes"?: [..], "sources": [index in keys..], "targets": [..], "edge_type_of"?: [index in edge_types..], "undirected"?: [bool..],
 *    "edge_keys"?: [text | null..], "weights"?: [..], "edge_attributes"?: [..]}
 * Nodes by key; edges by source, type, target (as numbers), then in order of creation. What is about types is there in typed graphs, `undirected` in mixed ones, `edge_keys` where some edge
 * has a key of its own (null: the key is derived). From the snapshot that traversals use where rows are not needed. CONSTRAINT: an edge has no number
 * at `weight`; LIMIT: the snapshot would need more than 1 GiB.
 */
BRANT_API brant_status brant_graph_arrays(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

/*
 * graphs.import {"graph", "format": "graphology" | "node_link" | "ndjson" | "csv" | "otlp" | "memory", "text"? | "path"?, "part"? (csv), "create"?: bool (false),
 *   "node_type"?, "edge_type"? (of items that have none), "mode"?: "put" (default) | "insert", "errors"?: "refuse" (default) | "skip",
 *   "batch"?: items 1..limits.batch (10000), "max_batches"?: 1.., "resume"?: bool}
 *   -> {"done", "nodes", "edges", "failed", "items": [{index, key, code, message, violations?}.. at most 100], "bytes", "total_bytes"}
 * `text`: one transaction, all or nothing. `path`: a regular file of any size, read through a buffer of 1 MiB and of the longest item (limits.document); each batch is a
 * transaction together with its progress, so that resume: true goes on after the last committed batch, also in another process; without it an import begins anew.
 * max_batches ends a call early: done is false. Counts are of the whole import, the items of this call. bytes of total_bytes have been read. An import that is done and asked
 * to resume answers its counts and writes nothing.
 * The arrays of a document may come in any order, and its members before or after them: nodes are written first. `create`: a graph that is not there is created, with the document's attributes
 * as metadata, of an untyped graph type that fits: "open", or "open_undirected" and so on ("mixed"; "_multi"; "_loopless"), which is defined if need be; ndjson, of the one it
 * names; otlp, of `call`; memory, of `memory`. In a graph that is there, metadata stay. A document of a kind that the graph's type is not (a multigraph, undirected edges) is CONSTRAINT.
 * With errors "skip" an item at fault is counted and left out; without, it is the failure (index: of nodes, then edges, from 0) and its batch is taken back. INVALID_JSON: not
 * the format, truncated, a member twice; CONFLICT: resumed, and the file is not the same any more; NOT_FOUND: no graph, no file; LIMIT: an item is longer than
 * limits.document or deeper than limits.depth.
 */
BRANT_API brant_status brant_graph_import(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

#ifdef __cplusplus
}
#endif
#endif
