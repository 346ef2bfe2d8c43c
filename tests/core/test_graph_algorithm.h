/*
 * tests/core/test_graph_algorithm.h: small random graphs of all kinds, as brant has them and as the
 * tests do.
 */
#ifndef BRANT_TESTS_GRAPH_ALGORITHM_H
#define BRANT_TESTS_GRAPH_ALGORITHM_H

#include <time.h>

#include "test_graph.h"

#define SMALL       7
#define SMALL_EDGES 16

typedef struct small_edge {
    int source, target;
    int type; /* of 2 */
    bool undirected;
    bool marked; /* attribute f */
    double weight;
    char *key;
} small_edge;

/* Nodes are n00, n01 .. */
typedef struct small_graph {
    char name[16];
    int nodes;
    size_t edges;
    bool undirected;
    bool mixed;
    bool fine[SMALL]; /* attribute ok */
    small_edge edge[SMALL_EDGES];
    /* The options that are in force, and as members of an input. */
    int direction; /* 1 out, 2 in, 3 both */
    bool only_type;
    bool only_marked;
    bool allowed[SMALL];
    char options[256];
} small_graph;

static uint64_t small_seed = 88172645463325252u;

static inline int small_random(int below) {
    small_seed ^= small_seed << 13;
    small_seed ^= small_seed >> 7;
    small_seed ^= small_seed << 17;
    return (int)(small_seed % (uint64_t)below);
}

static inline brant_db *open_small(const char *folder) {
    static const char *const kinds[] = {"directed", "undirected", "mixed"};
    brant_db *db = must_open(in_folder(folder, "a.db"), "");

    for (int kind = 0; kind < 3; kind++)
        for (int multi = 0; multi < 2; multi++)
            holds(db, "graph_types.define", "\"id\"",
                  "{\"module\":{\"$id\":\"%s%d\",\"$defs\":{\"Config\":{\"type\":\"object\","
                  "\"properties\":{\"directed\":{\"const\":\"%s\"},\"multi\":{\"const\":%s}}},"
                  "\"ANode\":{\"type\":\"object\"},\"XEdge\":{\"type\":\"object\"},\"YEdge\":{"
                  "\"type\":\"object\"}}}}",
                  kinds[kind], multi, kinds[kind], multi ? "true" : "false");
    return db;
}

static inline void make_small(small_graph *graph, brant_db *db, unsigned round) {
    static const char *const kinds[] = {"directed", "undirected", "mixed"};
    int kind = (int)(round % 3), multi = small_random(2), edges;

    *graph = (small_graph){
        .nodes = 1 + small_random(SMALL), .undirected = kind == 1, .mixed = kind == 2};
    snprintf(graph->name, sizeof(graph->name), "g%u", round);
    holds(db, "graphs.create", "\"id\"", "{\"name\":\"%s\",\"graph_type\":\"%s%d\"}", graph->name,
          kinds[kind], multi);
    for (int i = graph->nodes - 1; i >= 0; i--) { /* rows in another order than keys */
        graph->fine[i] = small_random(5) > 0;
        holds(db, "nodes.put", "true",
              "{\"graph\":\"%s\",\"key\":\"n%02d\",\"type\":\"A\",\"attributes\":{\"ok\":%s}}",
              graph->name, i, graph->fine[i] ? "true" : "false");
    }
    edges = small_random(SMALL_EDGES + 1);
    while (edges-- > 0) {
        small_edge *edge = &graph->edge[graph->edges];
        brant__json json;
        *edge = (small_edge){small_random(graph->nodes),
                             small_random(graph->nodes),
                             small_random(2),
                             graph->mixed && small_random(3) == 0,
                             small_random(3) > 0,
                             small_random(5),
                             NULL};
        json = parsed(
            answer(db, "edges.put",
                   "{\"graph\":\"%s\",\"source\":\"n%02d\",\"target\":\"n%02d\",\"type\":\"%s\","
                   "\"undirected\":%s,\"attributes\":{\"w\":%g,\"f\":%s}}",
                   graph->name, edge->source, edge->target, edge->type ? "Y" : "X",
                   graph->undirected || edge->undirected ? "true" : "false", edge->weight,
                   edge->marked ? "true" : "false"));
        edge->key = strdup(yyjson_get_str(brant__json_get(json.root, "key")));
        for (size_t i = 0; i < graph->edges; i++)
            if (strcmp(graph->edge[i].key, edge->key) == 0) { /* written again */
                free(graph->edge[i].key);
                graph->edge[i] = *edge;
                edge = NULL;
                break;
            }
        if (edge) graph->edges++;
        brant__json_free(&json);
    }
    if (graph->undirected)
        for (size_t i = 0; i < graph->edges; i++)
            graph->edge[i].undirected = true;
}

static inline void free_small(small_graph *graph) {
    for (size_t i = 0; i < graph->edges; i++)
        free(graph->edge[i].key);
}

/* Some of the walk options, others with each number. */
static inline void choose_options(small_graph *graph, int number) {
    static const char *const directions[] = {"out", "in", "both"};
    bool only_fine = number >= 3 && small_random(2);

    graph->direction = number == 0 ? 1 : 1 + small_random(3);
    graph->only_type = number >= 2 && small_random(2);
    graph->only_marked = number >= 3 && small_random(2);
    for (int i = 0; i < graph->nodes; i++)
        graph->allowed[i] = !only_fine || graph->fine[i];
    snprintf(graph->options, sizeof(graph->options), "\"direction\":\"%s\"%s%s%s",
             directions[graph->direction - 1], graph->only_type ? ",\"edge_types\":[\"X\"]" : "",
             graph->only_marked ? ",\"edge_filter\":{\"attributes.f\":true}" : "",
             only_fine ? ",\"node_filter\":{\"attributes.ok\":true}" : "");
}

static inline bool taken(const small_graph *graph, size_t edge) {
    if (graph->only_type && graph->edge[edge].type) return false;
    return !graph->only_marked || graph->edge[edge].marked;
}

/* May this edge be taken from one node to the other? */
static inline bool leads(const small_graph *graph, size_t edge, int from, int to) {
    const small_edge *of = &graph->edge[edge];
    bool out = of->undirected || (graph->direction & 1),
         in = of->undirected || (graph->direction & 2);

    if (!taken(graph, edge)) return false;
    return (out && of->source == from && of->target == to) ||
           (in && of->target == from && of->source == to);
}

#endif
