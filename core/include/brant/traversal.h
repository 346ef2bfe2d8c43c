/*
 * brant/traversal.h: what can be reached, ways, orders, components, ranks. All are operations (store.h says what that means), and all read.
 *
 * Common members ("walk options")
 *   direction?    "out" (default), "in", "both": along edges, against them, either way. In an undirected graph every edge goes both ways, and in a mixed one the
 *                 undirected edges do, whatever the direction. A self-loop is one step to the node itself.
 *   edge_types?   [..]: only along edges of these types; an empty array matches nothing; a type that the graph type does not have is INVALID
 *   edge_filter?  only along edges that match
 *   node_filter?  only nodes that match may be entered. What is given as a start or source need not match, a target must. In operations on the whole graph (topological_order,
 *                 find_cycle, components) the other nodes are not there.
 *
 * They run on a snapshot of the graph's adjacency in memory, which the handle keeps while no node or edge of the graph comes or goes: some 45 bytes and the key
 * a node, 24 bytes an edge; weights that were read from edges take 8 bytes an edge more, and are kept while nothing of the graph is written. All that a handle keeps is at most
 * 1 GiB, the least recently used goes; a graph that needs more alone is LIMIT. An operation's own memory is besides that at most 120 bytes a node and 24 an
 * edge, or what it says. In a transaction they see what it sees. Each asks now and then whether it was interrupted or its deadline passed.
 *
 * Orders are total: keys are compared byte by byte. Of parallel edges the first by type, then by creation, is the one named (with weights: the first of the cheapest).
 * NOT_FOUND: the graph, or a key that is given.
 */
#ifndef BRANT_TRAVERSAL_H
#define BRANT_TRAVERSAL_H

#include "event.h"
#include "store.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * nodes.closure {"graph", "keys": [..], walk options, "order"?: "breadth" (default) | "depth", "max_depth"?: 0.., "limit"?: 1..}
 *   -> {"keys": [..], "depths": [..], "parents": [..], "truncated": bool}
 * What can be reached from the given nodes. parents[i] is the index of the node that keys[i] was first reached from, -1 for a start. `truncated`: the limit cut it;
 * it counts the given nodes too.
 * breadth: the given nodes come first, each once, depth 0; then by depth, then by parent, then by key bytes. Small closures without filters go through the indexes.
 * depth: preorder: each node is followed by what is reached through it, neighbours by key bytes; a given node that was reached from another is not a start again. depths
 * are those in that tree, and max_depth bounds them: what lies nearer by another way may be left out.
 * NOT_FOUND: a given node; LIMIT: the snapshot would need more than 1 GiB.
 */
BRANT_API brant_status brant_node_closure(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

/*
 * nodes.walk {the members of nodes.closure} -> a cursor of {"keys": [..], "depths": [..], "parents": [..]}
 * The same sequence, unlimited where no limit is given, in batches of up to 10000 nodes: one item each time. parents are indexes into the whole sequence. "[]" is its end.
 * The cursor sees the graph as it was when it was opened: it holds the snapshot (shared with the handle until the graph changes; then its memory comes on top of what
 * the handle keeps), 13 bytes a node, with order depth up to 80 more, and no transaction.
 */
BRANT_API brant_status brant_node_walk(brant_cursor **out_cursor, brant_db *db, const char *json,
                                       size_t json_len);

/*
 * graphs.shortest_path {"graph", "source", "target", walk options, "weight"?: path, "default_weight"?: number 0.., "max_depth"?: 0..}
 *   -> {"found": bool, "keys": [..], "edges": [edge keys], "length": hops or null, "cost": number or null}
 * Without `weight` the cost is the length. `weight` is the path of a number of each edge ("attributes.cost", as in filters). Among the cheapest the one of fewest hops,
 * among those the one whose keys are least, the first first. Costs are sums of doubles from the source on. max_depth: at most so many hops.
 * CONSTRAINT: an edge that the options allow has a weight that is missing (or null, without default_weight), negative or not a number. LIMIT: costs beyond a double; with weight
 * and max_depth, more than 16 777 216 ways that differ in cost and hops (32 bytes each).
 */
BRANT_API brant_status brant_graph_shortest_path(char **out_json, size_t *out_json_len,
                                                 brant_db *db, const char *json, size_t json_len);

/*
 * graphs.shortest_paths {"graph", "source", walk options, "weight"?, "default_weight"?, "max_depth"?, "max_cost"?: number 0.., "limit"?: 1..}
 *   -> {"keys": [..], "costs": [..], "parents": [..], "truncated": bool}
 * To each node that can be reached, by cost, then key; the source first or among others of cost 0. parents[i] is the index of the node before keys[i] on its shortest path (fewest hops, then
 * least key), -1 for the source, and where the limit cut that node off. With weight and max_depth the node before may itself be listed by another, longer way. Errors as
 * graphs.shortest_path.
 */
BRANT_API brant_status brant_graph_shortest_paths(char **out_json, size_t *out_json_len,
                                                  brant_db *db, const char *json, size_t json_len);

/*
 * graphs.paths {"graph", "source", "target", walk options, "max_depth": 1..1000, "limit"?: 1..100000 (100)}
 *   -> {"paths": [[keys]..], "edges": [[edge keys]..], "truncated": bool}
 * Simple paths (no node twice), each once whatever parallel edges there are, by length, then by their keys. From a node to itself there is one, of length 0. A path costs at most one breadth-first search for each
 * of its nodes. LIMIT: the paths found, and those in line to be, take more than 256 MiB (4 bytes a node of each).
 */
BRANT_API brant_status brant_graph_paths(char **out_json, size_t *out_json_len, brant_db *db,
                                         const char *json, size_t json_len);

/*
 * graphs.count_walks {"graph", "length": 0..10000, "sources"?: [keys], "targets"?: [keys], walk options, "up_to"?: bool (false)} -> {"count": n}
 * How many walks (nodes and edges may come again) of exactly that length, or with up_to of 1 to that length, lead from one of the sources to one of the targets (each key once; default: all
 * nodes). Parallel edges count each. LIMIT: more than 9223372036854775807.
 */
BRANT_API brant_status brant_graph_count_walks(char **out_json, size_t *out_json_len, brant_db *db,
                                               const char *json, size_t json_len);

/*
 * graphs.topological_order {"graph", "edge_types"?, "edge_filter"?, "node_filter"?} -> {"keys": [..], "generations": [index where each begins..]}
 * By generation (the longest way from a node without edges that come in), then key: every edge leads to a later generation. CONSTRAINT with {"cycle": [keys]}: there is a cycle
 * (the list is left out above 1 MiB); CONSTRAINT: the graph, or in a mixed graph an edge, is undirected.
 */
BRANT_API brant_status brant_graph_topological_order(char **out_json, size_t *out_json_len,
                                                     brant_db *db, const char *json,
                                                     size_t json_len);

/*
 * graphs.find_cycle {"graph", "edge_types"?, "edge_filter"?, "node_filter"?} -> {"found": bool, "keys": [..], "edges": [edge keys]}
 * One cycle, the same each time, from its least key on: edges[i] leads from keys[i] to the next, the last to the first. It uses no edge twice: two parallel edges between two nodes are a cycle where
 * they are undirected, one alone is not. A self-loop is a cycle.
 */
BRANT_API brant_status brant_graph_find_cycle(char **out_json, size_t *out_json_len, brant_db *db,
                                              const char *json, size_t json_len);

/*
 * graphs.components {"graph", "connection"?: "weak" (default) | "strong", "edge_types"?, "edge_filter"?, "node_filter"?}
 *   -> {"count": n, "keys": [..], "components": [number of each key's component..], "sizes": [nodes of each component..]}
 * keys by bytes; components are numbered from 0 in the order of their least keys. weak: edges go both ways. In an undirected graph both are the same.
 */
BRANT_API brant_status brant_graph_components(char **out_json, size_t *out_json_len, brant_db *db,
                                              const char *json, size_t json_len);

/*
 * graphs.subgraph {"graph", "keys"?: [..] | "filter"?, "edge_types"?, "edge_filter"?, "limit"?: 1.. (10000)} -> {"nodes": [node..], "edges": [edge..], "truncated": bool}
 * The nodes given or matched (neither: all) and the edges between them. Nodes by key, edges by source's key, then type in order of creation, then target's key; at most `limit` nodes, the first, and
 * at most `limit` edges between those. INVALID: keys and filter both.
 */
BRANT_API brant_status brant_graph_subgraph(char **out_json, size_t *out_json_len, brant_db *db,
                                            const char *json, size_t json_len);

/*
 * graphs.degrees {"graph", "keys"?: [..], "direction"?, "edge_types"?, "edge_filter"?, "limit"?: 1.., "descending"?: bool} -> {"keys": [..], "degrees": [..]}
 * How many edges lead out, in, or both. A self-loop counts twice in an undirected graph and with "both". Of the keys given, in that order, or of all nodes, by key; with `descending` by degree (true: the
 * highest first; false: the lowest first), then key.
 */
BRANT_API brant_status brant_graph_degrees(char **out_json, size_t *out_json_len, brant_db *db,
                                           const char *json, size_t json_len);

/*
 * graphs.pagerank {"graph", "damping"?: 0..1 (0.85), "tolerance"?: number 0.. (1e-6), "max_iterations"?: 0.. (100), "weight"?, "default_weight"?,
 *                  "personalization"?: {key: number 0..}, "edge_types"?, "edge_filter"?, "limit"?: 1..}
 *   -> {"keys": [..], "scores": [..], "iterations": n, "converged": bool}
 * By score, the highest first, then key; without limit all nodes. Power iteration from equal scores, with NetworkX's definition: a node whose edges weigh nothing together gives its score to all nodes as jumps do (by
 * personalization, else equally); it has converged when the sum of the changes is less than tolerance times the number of nodes. Parallel edges add up. INVALID: the
 * numbers of personalization are all 0. Other errors as graphs.shortest_path.
 */
BRANT_API brant_status brant_graph_pagerank(char **out_json, size_t *out_json_len, brant_db *db,
                                            const char *json, size_t json_len);

#ifdef __cplusplus
}
#endif
#endif
