/*
 * graph/graph.h: the handlers of the metagraph's operations.
 */
#ifndef BRANT__GRAPH_H
#define BRANT__GRAPH_H

#include "brant/event.h"
#include "brant/graph.h"
#include "brant/traversal.h"
#include "store/store.h"

brant_status brant__graph_type_define(brant__call *call);
brant_status brant__graph_type_update(brant__call *call);
brant_status brant__graph_type_migration(brant__call *call);
brant_status brant__graph_type_migrate(brant__call *call);
brant_status brant__graph_type_diff(brant__call *call);
brant_status brant__graph_type_check(brant__call *call);
brant_status brant__graph_type_get(brant__call *call);
brant_status brant__graph_type_list(brant__call *call);
brant_status brant__graph_type_delete(brant__call *call);
brant_status brant__graph_type_set_retention(brant__call *call);
brant_status brant__graph_type_validate_node(brant__call *call);
brant_status brant__graph_type_validate_edge(brant__call *call);

brant_status brant__call_publish(brant__call *call);
brant_status brant__call_project(brant__call *call);
brant_status brant__graph_changes(brant__call *call);
brant_status brant__graph_create(brant__call *call);
brant_status brant__graph_diff(brant__call *call);
brant_status brant__graph_replay(brant__call *call);
brant_status brant__graph_get(brant__call *call);
brant_status brant__graph_list(brant__call *call);
brant_status brant__graph_update(brant__call *call);
brant_status brant__graph_delete(brant__call *call);
brant_status brant__graph_purge(brant__call *call);

brant_status brant__node_put(brant__call *call);
brant_status brant__node_put_many(brant__call *call);
brant_status brant__node_insert(brant__call *call);
brant_status brant__node_insert_many(brant__call *call);
brant_status brant__node_patch(brant__call *call);
brant_status brant__node_patch_many(brant__call *call);
brant_status brant__node_get(brant__call *call);
brant_status brant__node_open_secret(brant__call *call);
brant_status brant__node_get_many(brant__call *call);
brant_status brant__node_exists(brant__call *call);
brant_status brant__node_count(brant__call *call);
brant_status brant__node_list(brant__call *call);
brant_status brant__node_explain(brant__call *call);
brant_status brant__node_search(brant__call *call);
brant_status brant__node_delete(brant__call *call);
brant_status brant__node_delete_many(brant__call *call);
brant_status brant__node_neighbors(brant__call *call);
brant_status brant__node_closure(brant__call *call);
brant_status brant__node_walk(brant_cursor **out_cursor, brant__call *call);

brant_status brant__graph_components(brant__call *call);
brant_status brant__graph_count_walks(brant__call *call);
brant_status brant__graph_degrees(brant__call *call);
brant_status brant__graph_find_cycle(brant__call *call);
brant_status brant__graph_pagerank(brant__call *call);
brant_status brant__graph_paths(brant__call *call);
brant_status brant__graph_shortest_path(brant__call *call);
brant_status brant__graph_shortest_paths(brant__call *call);
brant_status brant__graph_subgraph(brant__call *call);
brant_status brant__graph_topological_order(brant__call *call);

brant_status brant__edge_put(brant__call *call);
brant_status brant__edge_put_many(brant__call *call);
brant_status brant__edge_insert(brant__call *call);
brant_status brant__edge_insert_many(brant__call *call);
brant_status brant__edge_patch(brant__call *call);
brant_status brant__edge_patch_many(brant__call *call);
brant_status brant__edge_get(brant__call *call);
brant_status brant__edge_open_secret(brant__call *call);
brant_status brant__edge_exists(brant__call *call);
brant_status brant__edge_count(brant__call *call);
brant_status brant__edge_list(brant__call *call);
brant_status brant__edge_explain(brant__call *call);
brant_status brant__edge_search(brant__call *call);
brant_status brant__edge_delete(brant__call *call);
brant_status brant__edge_delete_many(brant__call *call);

/* What db.maintain did by the rules of graph_types.set_retention, in transactions of its own. */
typedef struct brant__retention_done {
    int64_t archived;
    int64_t deleted;
    int64_t purged;
    int64_t nodes;
    int64_t edges;
} brant__retention_done;
brant_status brant__retention_apply(brant__retention_done *out, brant__call *call);

brant_status brant__db_erase(brant__call *call);

brant_status brant__secret_rotate(brant__call *call);
brant_status brant__secret_status(brant__call *call);
/* May this handle work a rotation that db.maintain is left with? It has an active key, and no graph was ever rotated to a newer one. */
brant_status brant__secret_rotates(bool *out, brant_db *db);

brant_status brant__index_create(brant__call *call);
brant_status brant__index_delete(brant__call *call);
brant_status brant__index_list(brant__call *call);

#endif
