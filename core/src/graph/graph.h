/*
 * graph/graph.h: the handlers of the metagraph's operations.
 */
#ifndef BRANT__GRAPH_H
#define BRANT__GRAPH_H

#include "brant/graph.h"
#include "store/store.h"

brant_status brant__graph_type_define(brant__call *call);
brant_status brant__graph_type_get(brant__call *call);
brant_status brant__graph_type_list(brant__call *call);
brant_status brant__graph_type_delete(brant__call *call);
brant_status brant__graph_type_validate_node(brant__call *call);
brant_status brant__graph_type_validate_edge(brant__call *call);

brant_status brant__graph_create(brant__call *call);
brant_status brant__graph_get(brant__call *call);
brant_status brant__graph_list(brant__call *call);
brant_status brant__graph_update(brant__call *call);
brant_status brant__graph_delete(brant__call *call);

brant_status brant__node_put(brant__call *call);
brant_status brant__node_put_many(brant__call *call);
brant_status brant__node_get(brant__call *call);
brant_status brant__node_get_many(brant__call *call);
brant_status brant__node_exists(brant__call *call);
brant_status brant__node_count(brant__call *call);
brant_status brant__node_list(brant__call *call);
brant_status brant__node_delete(brant__call *call);
brant_status brant__node_neighbors(brant__call *call);
brant_status brant__node_closure(brant__call *call);

brant_status brant__edge_put(brant__call *call);
brant_status brant__edge_put_many(brant__call *call);
brant_status brant__edge_get(brant__call *call);
brant_status brant__edge_exists(brant__call *call);
brant_status brant__edge_count(brant__call *call);
brant_status brant__edge_list(brant__call *call);
brant_status brant__edge_delete(brant__call *call);

#endif
