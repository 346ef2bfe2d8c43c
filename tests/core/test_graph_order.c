/*
 * tests/core/test_graph_order.c: topological order, cycles, components, degrees, PageRank,
 * subgraphs, depth-first closures and walks: against slow searches of small random graphs, and
 * known answers.
 */
#include "test_graph.h"

#include <math.h>

#include "graph/internal.h"
#include "test_graph_algorithm.h"

static int node_of(yyjson_val *key) {
    assert_true(yyjson_is_str(key));
    return atoi(yyjson_get_str(key) + 1);
}

/* Edges of the whole graph: both ends are there, whatever the direction. */
static bool there(const small_graph *graph, size_t edge) {
    return taken(graph, edge) && graph->allowed[graph->edge[edge].source] &&
           graph->allowed[graph->edge[edge].target];
}

static bool goes(const small_graph *graph, size_t edge, int from, int to) {
    const small_edge *of = &graph->edge[edge];

    return there(graph, edge) && ((of->source == from && of->target == to) ||
                                  (of->undirected && of->source == to && of->target == from));
}

/* The options without a direction. */
static const char *options_of(const small_graph *graph) {
    const char *comma = strchr(graph->options, ',');

    return comma ? comma + 1 : "\"edge_filter\":{}";
}

/* ---- components ------------------------------------------------------------------------------ */

static void check_components(brant_db *db, const small_graph *graph, bool strong) {
    bool way[SMALL][SMALL] = {{false}};
    int number[SMALL], sizes[SMALL] = {0}, count = 0;
    char text[1024], *at = text;

    for (int i = 0; i < graph->nodes; i++) {
        way[i][i] = true;
        for (int j = 0; j < graph->nodes; j++)
            for (size_t k = 0; k < graph->edges; k++)
                if (goes(graph, k, i, j) || (!strong && goes(graph, k, j, i))) way[i][j] = true;
    }
    for (int k = 0; k < graph->nodes; k++)
        for (int i = 0; i < graph->nodes; i++)
            for (int j = 0; j < graph->nodes; j++)
                if (way[i][k] && way[k][j]) way[i][j] = true;
    for (int i = 0; i < graph->nodes; i++) {
        number[i] = -1;
        if (!graph->allowed[i]) continue;
        for (int j = 0; j < i; j++)
            if (graph->allowed[j] && way[i][j] && way[j][i]) number[i] = number[j];
        if (number[i] < 0) number[i] = count++;
        sizes[number[i]]++;
    }
    at += sprintf(at, "{\"count\":%d,\"keys\":[", count);
    for (int i = 0, listed = 0; i < graph->nodes; i++)
        if (graph->allowed[i]) at += sprintf(at, "%s\"n%02d\"", listed++ ? "," : "", i);
    at += sprintf(at, "],\"components\":[");
    for (int i = 0, listed = 0; i < graph->nodes; i++)
        if (graph->allowed[i]) at += sprintf(at, "%s%d", listed++ ? "," : "", number[i]);
    at += sprintf(at, "],\"sizes\":[");
    for (int i = 0; i < count; i++)
        at += sprintf(at, "%s%d", i ? "," : "", sizes[i]);
    sprintf(at, "]}");
    is(db, "graphs.components", text, "{\"graph\":\"%s\",\"connection\":\"%s\",%s}", graph->name,
       strong ? "strong" : "weak", options_of(graph));
}

/* ---- cycles and order ------------------------------------------------------------------------ */

/* Is there a way from a node to another that uses no edge and no node twice? */
static bool cycle_from(const small_graph *graph, int node, int begin, unsigned nodes,
                       unsigned edges) {
    for (size_t i = 0; i < graph->edges; i++) {
        if (edges >> i & 1) continue;
        for (int next = 0; next < graph->nodes; next++) {
            if (!goes(graph, i, node, next)) continue;
            if (next == begin) return true;
            if (nodes >> next & 1) continue;
            if (cycle_from(graph, next, begin, nodes | 1u << next, edges | 1u << i)) return true;
        }
    }
    return false;
}

static void check_cycle(brant_db *db, const small_graph *graph) {
    const char *text =
        answer(db, "graphs.find_cycle", "{\"graph\":\"%s\",%s}", graph->name, options_of(graph));
    brant__json json = parsed(text);
    yyjson_val *keys = brant__json_get(json.root, "keys"),
               *edges = brant__json_get(json.root, "edges");
    size_t count = yyjson_arr_size(keys);
    unsigned nodes_seen = 0, edges_seen = 0;
    bool wanted = false;

    for (int i = 0; i < graph->nodes; i++)
        if (cycle_from(graph, i, i, 1u << i, 0)) wanted = true;
    assert_int_equal(brant__json_bool(brant__json_get(json.root, "found"), !wanted), wanted);
    assert_int_equal(count > 0, wanted);
    assert_int_equal(yyjson_arr_size(edges), count);
    for (size_t i = 0; i < count; i++) {
        int from = node_of(yyjson_arr_get(keys, i)),
            to = node_of(yyjson_arr_get(keys, (i + 1) % count));
        size_t edge = 0;
        while (edge < graph->edges &&
               strcmp(graph->edge[edge].key, yyjson_get_str(yyjson_arr_get(edges, i))) != 0)
            edge++;
        assert_true(edge < graph->edges && goes(graph, edge, from, to));
        assert_true(from >= node_of(yyjson_arr_get(keys, 0)));
        assert_false(nodes_seen >> from & 1);
        assert_false(edges_seen >> edge & 1);
        nodes_seen |= 1u << from;
        edges_seen |= 1u << edge;
    }
    brant__json_free(&json);
}

static void check_order(brant_db *db, const small_graph *graph) {
    int level[SMALL] = {0}, listed = 0;
    bool cyclic = graph->undirected;
    char text[1024], *at = text, generations[256], *begin = generations;

    /* Relaxing as often as there are nodes finds the longest ways, or that there are none. */
    for (int round = 0; round <= graph->nodes && !cyclic; round++)
        for (size_t i = 0; i < graph->edges; i++) {
            const small_edge *edge = &graph->edge[i];
            if (!there(graph, i)) continue;
            if (edge->undirected || round == graph->nodes)
                cyclic =
                    cyclic || edge->undirected || level[edge->target] < level[edge->source] + 1;
            else if (level[edge->target] < level[edge->source] + 1)
                level[edge->target] = level[edge->source] + 1;
        }
    if (cyclic) {
        fails(db, "graphs.topological_order", BRANT_CONSTRAINT, "order", "{\"graph\":\"%s\",%s}",
              graph->name, options_of(graph));
        if (!graph->undirected) detail_holds("{\"cycle\":[\"n");
        return;
    }
    at += sprintf(at, "{\"keys\":[");
    for (int round = 0; round < graph->nodes; round++) {
        int first = listed;
        for (int i = 0; i < graph->nodes; i++)
            if (graph->allowed[i] && level[i] == round)
                at += sprintf(at, "%s\"n%02d\"", listed++ ? "," : "", i);
        if (listed > first) begin += sprintf(begin, "%s%d", first ? "," : "", first);
    }
    *begin = 0;
    sprintf(at, "],\"generations\":[%s]}", generations);
    is(db, "graphs.topological_order", text, "{\"graph\":\"%s\",%s}", graph->name,
       options_of(graph));
}

/* ---- closures -------------------------------------------------------------------------------- */

typedef struct depth_tree {
    int node[SMALL], parent[SMALL], depth[SMALL], count;
} depth_tree;

static bool grown(const depth_tree *tree, int node) {
    for (int i = 0; i < tree->count; i++)
        if (tree->node[i] == node) return true;
    return false;
}

static void grow(depth_tree *out, const small_graph *graph, int node, int parent, int depth,
                 int most) {
    int self = out->count;

    out->node[out->count] = node;
    out->parent[out->count] = parent;
    out->depth[out->count++] = depth;
    if (depth == most) return;
    for (int next = 0; next < graph->nodes; next++)
        for (size_t i = 0; i < graph->edges; i++)
            if (graph->allowed[next] && !grown(out, next) && leads(graph, i, node, next))
                grow(out, graph, next, self, depth + 1, most);
}

static void check_depth(brant_db *db, const small_graph *graph, int first, int second, int most,
                        int limit) {
    depth_tree tree = {.count = 0};
    char text[1024], input[512], *at = text, *json = NULL;
    brant_cursor *cursor = NULL;
    size_t length;
    int count;

    grow(&tree, graph, first, -1, 0, most);
    if (!grown(&tree, second)) grow(&tree, graph, second, -1, 0, most);
    count = tree.count < limit ? tree.count : limit;
    at += sprintf(at, "{\"keys\":[");
    for (int i = 0; i < count; i++)
        at += sprintf(at, "%s\"n%02d\"", i ? "," : "", tree.node[i]);
    at += sprintf(at, "],\"depths\":[");
    for (int i = 0; i < count; i++)
        at += sprintf(at, "%s%d", i ? "," : "", tree.depth[i]);
    at += sprintf(at, "],\"parents\":[");
    for (int i = 0; i < count; i++)
        at += sprintf(at, "%s%d", i ? "," : "", tree.parent[i]);
    sprintf(at, "],\"truncated\":%s}", tree.count > limit ? "true" : "false");
    snprintf(input, sizeof(input),
             "{\"graph\":\"%s\",\"keys\":[\"n%02d\",\"n%02d\"],\"order\":\"depth\",\"max_depth\":"
             "%d,\"limit\":%d,%s}",
             graph->name, first, second, most, limit, graph->options);
    is(db, "nodes.closure", text, "%s", input);
    /* The same as a cursor: one batch, then none. */
    assert_int_equal(brant_node_walk(&cursor, db, TEXT(input)), BRANT_OK);
    assert_int_equal(brant_cursor_next(&json, &length, cursor, -1), BRANT_OK);
    strcpy(strstr(text, ",\"truncated\""), "}");
    assert_int_equal(length, strlen(text) + 2);
    assert_memory_equal(json + 1, text, strlen(text));
    brant_free(json);
    assert_int_equal(brant_cursor_next(&json, &length, cursor, -1), BRANT_OK);
    assert_string_equal(json, "[]");
    brant_free(json);
    brant_cursor_free(cursor);
}

/* ---- degrees, ranks, subgraphs --------------------------------------------------------------- */

static void check_degrees(brant_db *db, const small_graph *graph) {
    char text[512], *at = text;
    bool both = graph->undirected || graph->direction == 3;

    at += sprintf(at, "\"degrees\":[");
    for (int node = 0; node < graph->nodes; node++) {
        int degree = 0;
        for (size_t i = 0; i < graph->edges; i++) {
            bool loop = graph->edge[i].source == graph->edge[i].target, counts = false;
            for (int other = 0; other < graph->nodes; other++)
                if (leads(graph, i, node, other)) counts = true;
            if (counts) degree += loop && both ? 2 : 1;
        }
        at += sprintf(at, "%s%d", node ? "," : "", degree);
    }
    sprintf(at, "]}");
    holds(db, "graphs.degrees", text,
          "{\"graph\":\"%s\",\"direction\":\"%s\",\"edge_types\":%s,\"edge_filter\":%s}",
          graph->name,
          graph->direction == 3   ? "both"
          : graph->direction == 2 ? "in"
                                  : "out",
          graph->only_type ? "[\"X\"]" : "[\"X\",\"Y\"]",
          graph->only_marked ? "{\"attributes.f\":true}" : "{}");
}

/* By the definition, from long iteration. */
static void check_ranks(brant_db *db, small_graph *graph, bool weighted, int favourite) {
    double rank[SMALL], next[SMALL], out[SMALL] = {0}, jump[SMALL];
    int direction = graph->direction;
    brant__json json;
    yyjson_val *keys, *scores;

    graph->direction = 1;
    for (int i = 0; i < graph->nodes; i++) {
        rank[i] = 1.0 / graph->nodes;
        jump[i] = favourite < 0 ? 1.0 / graph->nodes : i == favourite;
        for (int j = 0; j < graph->nodes; j++)
            for (size_t k = 0; k < graph->edges; k++)
                if (leads(graph, k, i, j)) out[i] += weighted ? graph->edge[k].weight : 1;
    }
    for (int round = 0; round < 500; round++) {
        double lost = 0;
        for (int i = 0; i < graph->nodes; i++) {
            next[i] = 0;
            if (out[i] == 0) lost += rank[i];
        }
        for (int i = 0; i < graph->nodes; i++)
            for (int j = 0; j < graph->nodes; j++)
                for (size_t k = 0; k < graph->edges; k++)
                    if (out[i] > 0 && leads(graph, k, i, j))
                        next[j] += rank[i] * (weighted ? graph->edge[k].weight : 1) / out[i];
        for (int i = 0; i < graph->nodes; i++)
            rank[i] = 0.85 * (next[i] + lost * jump[i]) + 0.15 * jump[i];
    }
    graph->direction = direction;
    {
        char personal[64] = "";
        if (favourite >= 0)
            snprintf(personal, sizeof(personal), ",\"personalization\":{\"n%02d\":2.5}", favourite);
        json = parsed(
            answer(db, "graphs.pagerank",
                   "{\"graph\":\"%s\",\"tolerance\":1e-12,\"max_iterations\":500,\"edge_types\":%s,"
                   "\"edge_filter\":%s%s%s}",
                   graph->name, graph->only_type ? "[\"X\"]" : "[\"X\",\"Y\"]",
                   graph->only_marked ? "{\"attributes.f\":true}" : "{}",
                   weighted ? ",\"weight\":\"attributes.w\"" : "", personal));
    }
    keys = brant__json_get(json.root, "keys");
    scores = brant__json_get(json.root, "scores");
    assert_int_equal(yyjson_arr_size(keys), graph->nodes);
    for (size_t i = 0; i < yyjson_arr_size(keys); i++) {
        double score = yyjson_get_num(yyjson_arr_get(scores, i));
        assert_true(fabs(score - rank[node_of(yyjson_arr_get(keys, i))]) < 1e-9);
        if (i > 0) assert_true(score <= yyjson_get_num(yyjson_arr_get(scores, i - 1)));
    }
    assert_true(brant__json_bool(brant__json_get(json.root, "converged"), false));
    brant__json_free(&json);
}

/* One item an edge that leads there; a self-loop once. */
static void check_neighbors(brant_db *db, const small_graph *graph, int node, int limit) {
    static const char *const directions[] = {"out", "in", "both"};
    size_t wanted = 0, found = 0;
    char cursor[512] = "";

    for (size_t i = 0; i < graph->edges; i++) {
        bool leaves = false;
        if (graph->only_type && graph->edge[i].type) continue;
        for (int other = 0; other < graph->nodes; other++)
            if ((graph->edge[i].undirected || (graph->direction & 1)) &&
                graph->edge[i].source == node && graph->edge[i].target == other)
                leaves = true;
            else if ((graph->edge[i].undirected || (graph->direction & 2)) &&
                     graph->edge[i].target == node && graph->edge[i].source == other)
                leaves = true;
        wanted += leaves;
    }
    for (;;) {
        brant__json json = parsed(
            answer(db, "nodes.neighbors",
                   "{\"graph\":\"%s\",\"key\":\"n%02d\",\"direction\":\"%s\",\"edge_types\":%s,"
                   "\"limit\":%d%s}",
                   graph->name, node, directions[graph->direction - 1],
                   graph->only_type ? "[\"X\"]" : "[\"X\",\"Y\"]", limit, cursor));
        const char *next = yyjson_get_str(brant__json_get(json.root, "cursor"));
        found += yyjson_arr_size(brant__json_get(json.root, "items"));
        if (next) snprintf(cursor, sizeof(cursor), ",\"cursor\":\"%s\"", next);
        brant__json_free(&json);
        if (!next) break;
    }
    assert_int_equal(found, wanted);
}

static void check_subgraph(brant_db *db, const small_graph *graph) {
    brant__json json = parsed(
        answer(db, "graphs.subgraph",
               "{\"graph\":\"%s\",\"filter\":%s,\"edge_types\":%s,\"edge_filter\":%s}", graph->name,
               strstr(graph->options, "node_filter") ? "{\"attributes.ok\":true}" : "{}",
               graph->only_type ? "[\"X\"]" : "[\"X\",\"Y\"]",
               graph->only_marked ? "{\"attributes.f\":true}" : "{}"));
    yyjson_val *nodes = brant__json_get(json.root, "nodes"),
               *edges = brant__json_get(json.root, "edges"), *edge;
    size_t count = 0, wanted = 0, index, size;
    int last = -1;

    for (int i = 0; i < graph->nodes; i++)
        if (graph->allowed[i])
            assert_int_equal(node_of(brant__json_get(yyjson_arr_get(nodes, count++), "key")), i);
    assert_int_equal(yyjson_arr_size(nodes), count);
    for (size_t i = 0; i < graph->edges; i++)
        wanted += there(graph, i);
    assert_int_equal(yyjson_arr_size(edges), wanted);
    yyjson_arr_foreach(edges, index, size, edge) {
        int type = yyjson_equals_str(brant__json_get(edge, "type"), "Y");
        int place = node_of(brant__json_get(edge, "source")) * 100 + type * 50 +
                    node_of(brant__json_get(edge, "target"));
        assert_true(place >= last);
        last = place;
    }
    brant__json_free(&json);
}

static void test_random(void **state) {
    brant_db *db = open_small(*state);

    for (unsigned round = 0; round < 90; round++) {
        small_graph graph;
        make_small(&graph, db, round);
        for (int option = 0; option < 5; option++) {
            int node = small_random(graph.nodes);
            choose_options(&graph, option);
            check_components(db, &graph, false);
            check_components(db, &graph, true);
            check_cycle(db, &graph);
            check_order(db, &graph);
            check_depth(db, &graph, node, small_random(graph.nodes), small_random(5),
                        1 + small_random(2 * SMALL));
            check_degrees(db, &graph);
            check_neighbors(db, &graph, node, 1 + small_random(4));
            check_ranks(db, &graph, option & 1, option & 2 ? node : -1);
            check_subgraph(db, &graph);
        }
        free_small(&graph);
    }
    brant_close(db);
    brant_db_free(db);
}

/* ---- known answers --------------------------------------------------------------------------- */

#define CHAIN 50000

/* A chain: deep where there would be recursion. */
static void make_chain(brant_db *db) {
    char *text = malloc(CHAIN * 64 + 64), *at = text;

    holds(db, "graphs.create", "\"id\"", "{\"name\":\"chain\",\"graph_type\":\"open\"}");
    at += sprintf(at, "{\"graph\":\"chain\",\"items\":[");
    for (int i = 0; i < CHAIN; i++)
        at += sprintf(at, "%s{\"key\":\"n%06d\"}", i ? "," : "", i);
    sprintf(at, "]}");
    must(db, "nodes.put_many", text, "50000");
    at = text + sprintf(text, "{\"graph\":\"chain\",\"items\":[");
    for (int i = 1; i < CHAIN; i++)
        at += sprintf(at, "%s{\"source\":\"n%06d\",\"target\":\"n%06d\"}", i > 1 ? "," : "", i - 1,
                      i);
    sprintf(at, "]}");
    must(db, "edges.put_many", text, "49999");
    free(text);
}

/* Batch after batch, as the graph was; whatever is written, undone or closed meanwhile. */
static void test_walk(void **state) {
    static const char *const orders[] = {"breadth", "depth"};
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    brant_cursor *cursor = NULL, *left;
    char input[128], *json;
    size_t length, total;

    make_chain(db);
    for (int order = 0; order < 2; order++) {
        snprintf(input, sizeof(input),
                 "{\"graph\":\"chain\",\"keys\":[\"n000000\"],\"order\":\"%s\"}", orders[order]);
        must(db, "transaction.begin", "{}", "1");
        must(db, "nodes.delete", "{\"graph\":\"chain\",\"key\":\"n030000\",\"edges\":\"delete\"}",
             "2");
        assert_int_equal(brant_call_open(&left, db, TEXT("nodes.walk"), TEXT(input)), BRANT_OK);
        must(db, "transaction.rollback", "{}", "0");
        assert_int_equal(brant_call_open(&cursor, db, TEXT("nodes.walk"), TEXT(input)), BRANT_OK);
        total = 0;
        for (int batch = 0;; batch++) {
            brant__json items;
            yyjson_val *keys, *parents;
            assert_int_equal(brant_cursor_next(&json, &length, cursor, batch % 2 ? -1 : 0),
                             BRANT_OK);
            items = parsed(json);
            brant_free(json);
            if (yyjson_arr_size(items.root) == 0) {
                brant__json_free(&items);
                break;
            }
            assert_int_equal(yyjson_arr_size(items.root), 1);
            keys = brant__json_get(yyjson_arr_get_first(items.root), "keys");
            parents = brant__json_get(yyjson_arr_get_first(items.root), "parents");
            assert_int_equal(yyjson_arr_size(keys), 10000);
            assert_int_equal(node_of(yyjson_arr_get_first(keys)), total);
            assert_int_equal(yyjson_get_sint(yyjson_arr_get_first(parents)), (int64_t)total - 1);
            total += 10000;
            brant__json_free(&items);
            if (batch == 1) { /* what comes is still as it was */
                must(db, "nodes.put",
                     order ? "{\"graph\":\"chain\",\"key\":\"y\"}"
                           : "{\"graph\":\"chain\",\"key\":\"z\"}",
                     "true");
                holds(db, "graphs.components", "{\"count\":", "{\"graph\":\"chain\"}");
            }
        }
        assert_int_equal(total, CHAIN);
        brant_cursor_free(cursor);
        /* That one saw what was undone. */
        total = 0;
        for (;;) {
            brant__json items;
            assert_int_equal(brant_cursor_next(&json, &length, left, -1), BRANT_OK);
            items = parsed(json);
            brant_free(json);
            if (yyjson_arr_size(items.root) > 0)
                total += yyjson_arr_size(brant__json_get(yyjson_arr_get_first(items.root), "keys"));
            else
                length = 0;
            brant__json_free(&items);
            if (length == 0) break;
        }
        assert_int_equal(total, 30000);
        brant_cursor_close(left);
        assert_int_equal(brant_cursor_next(&json, &length, left, 0), BRANT_CLOSED);
        brant_cursor_free(left);
    }
    fails(db, "nodes.walk", BRANT_MISUSE, "cursor", "{\"graph\":\"chain\",\"keys\":[\"y\"]}");
    assert_int_equal(brant_node_walk(&cursor, db, TEXT("{\"graph\":\"chain\",\"keys\":[\"x\"]}")),
                     BRANT_NOT_FOUND);
    assert_null(cursor);
    assert_int_equal(brant_node_walk(&cursor, db, TEXT("{\"graph\":\"no\",\"keys\":[\"x\"]}")),
                     BRANT_NOT_FOUND);
    assert_int_equal(brant_node_walk(&cursor, db, TEXT("{\"graph\":\"chain\",\"keys\":[]}")),
                     BRANT_INVALID);
    assert_int_equal(brant_node_walk(&cursor, db,
                                     TEXT("{\"graph\":\"chain\",\"keys\":[\"y\"],"
                                          "\"order\":\"sideways\"}")),
                     BRANT_INVALID);
    assert_int_equal(brant_node_walk(&cursor, db, TEXT("[")), BRANT_INVALID_JSON);
    /* One that outlives its handle. */
    assert_int_equal(brant_node_walk(&cursor, db, TEXT("{\"graph\":\"chain\",\"keys\":[\"y\"]}")),
                     BRANT_OK);
    brant_close(db);
    assert_int_equal(brant_cursor_next(&json, &length, cursor, 0), BRANT_CLOSED);
    brant_db_free(db);
    brant_cursor_free(cursor);
}

/* What takes long asks whether it should go on. */
static void test_deadline(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    struct timespec now;

    make_chain(db);
    must(db, "graphs.degrees", "{\"graph\":\"chain\",\"keys\":[\"n000000\"]}", "[1]");
    clock_gettime(CLOCK_REALTIME, &now);
    assert_int_equal(
        brant_deadline_set(db, (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + 50), BRANT_OK);
    fails(db, "graphs.count_walks", BRANT_TIMEOUT, "", "{\"graph\":\"chain\",\"length\":10000}");
    assert_int_equal(brant_deadline_set(db, 0), BRANT_OK);
    is(db, "graphs.count_walks", "{\"count\":49998}", "{\"graph\":\"chain\",\"length\":2}");
    brant_close(db);
    brant_db_free(db);
}

static void test_deep(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    brant__json json;

    make_chain(db);
    json =
        parsed(answer(db, "graphs.components", "{\"graph\":\"chain\",\"connection\":\"strong\"}"));
    assert_int_equal(brant__json_integer(brant__json_get(json.root, "count"), 0), CHAIN);
    brant__json_free(&json);
    json = parsed(answer(db, "graphs.topological_order", "{\"graph\":\"chain\"}"));
    assert_int_equal(yyjson_arr_size(brant__json_get(json.root, "generations")), CHAIN);
    brant__json_free(&json);
    json = parsed(answer(db, "graphs.shortest_path",
                         "{\"graph\":\"chain\",\"source\":\"n000000\",\"target\":\"n049999\"}"));
    assert_int_equal(brant__json_integer(brant__json_get(json.root, "length"), 0), CHAIN - 1);
    brant__json_free(&json);
    json = parsed(answer(db, "graphs.shortest_path",
                         "{\"graph\":\"chain\",\"source\":\"n000000\",\"target\":\"n049999\","
                         "\"weight\":\"attributes.w\",\"default_weight\":2}"));
    assert_int_equal(brant__json_integer(brant__json_get(json.root, "cost"), 0), 2 * (CHAIN - 1));
    brant__json_free(&json);
    must(db, "edges.put", "{\"graph\":\"chain\",\"source\":\"n049999\",\"target\":\"n000000\"}",
         "true");
    holds(db, "graphs.components", "{\"count\":1,",
          "{\"graph\":\"chain\",\"connection\":\"strong\"}");
    fails(db, "graphs.topological_order", BRANT_CONSTRAINT, "50000 nodes", "{\"graph\":\"chain\"}");
    detail_holds("{\"cycle\":[\"n000000\",\"n000001\",");
    json = parsed(answer(db, "graphs.find_cycle", "{\"graph\":\"chain\"}"));
    assert_int_equal(yyjson_arr_size(brant__json_get(json.root, "edges")), CHAIN);
    brant__json_free(&json);
    brant_close(db);
    brant_db_free(db);
}

static void test_empty(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");

    holds(db, "graphs.create", "\"id\"", "{\"name\":\"e\",\"graph_type\":\"open\"}");
    is(db, "graphs.components", "{\"count\":0,\"keys\":[],\"components\":[],\"sizes\":[]}",
       "{\"graph\":\"e\"}");
    is(db, "graphs.components", "{\"count\":0,\"keys\":[],\"components\":[],\"sizes\":[]}",
       "{\"graph\":\"e\",\"connection\":\"strong\"}");
    is(db, "graphs.topological_order", "{\"keys\":[],\"generations\":[]}", "{\"graph\":\"e\"}");
    is(db, "graphs.find_cycle", "{\"found\":false,\"keys\":[],\"edges\":[]}", "{\"graph\":\"e\"}");
    is(db, "graphs.pagerank", "{\"keys\":[],\"scores\":[],\"iterations\":0,\"converged\":true}",
       "{\"graph\":\"e\"}");
    is(db, "graphs.subgraph", "{\"nodes\":[],\"edges\":[],\"truncated\":false}",
       "{\"graph\":\"e\"}");
    is(db, "graphs.degrees", "{\"keys\":[],\"degrees\":[]}",
       "{\"graph\":\"e\",\"descending\":true}");
    is(db, "graphs.count_walks", "{\"count\":0}", "{\"graph\":\"e\",\"length\":3}");
    brant_close(db);
    brant_db_free(db);
}

static void test_answers(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");

    holds(db, "graphs.create", "\"id\"", "{\"name\":\"g\",\"graph_type\":\"open\"}");
    must(db, "nodes.put_many",
         "{\"graph\":\"g\",\"items\":[{\"key\":\"a\"},{\"key\":\"b\"},{\"key\":\"c\"},{\"key\":"
         "\"d\"}]}",
         "4");
    must(db, "edges.put_many",
         "{\"graph\":\"g\",\"items\":[{\"source\":\"a\",\"target\":\"b\"},{\"source\":\"a\","
         "\"target\":\"c\"},{\"source\":\"b\",\"target\":\"c\"},{\"source\":\"d\",\"target\":"
         "\"d\"}]}",
         "4");
    is(db, "graphs.degrees", "{\"keys\":[\"d\",\"a\",\"a\"],\"degrees\":[1,2,2]}",
       "{\"graph\":\"g\",\"keys\":[\"d\",\"a\",\"a\"]}");
    is(db, "graphs.degrees", "{\"keys\":[\"a\",\"b\"],\"degrees\":[2,2]}",
       "{\"graph\":\"g\",\"direction\":\"both\",\"descending\":true,\"limit\":2}");
    is(db, "graphs.degrees", "{\"keys\":[\"a\",\"b\",\"d\",\"c\"],\"degrees\":[0,1,1,2]}",
       "{\"graph\":\"g\",\"direction\":\"in\",\"descending\":false}");
    is(db, "graphs.degrees", "{\"keys\":[\"b\",\"c\"],\"degrees\":[1,0]}",
       "{\"graph\":\"g\",\"keys\":[\"c\",\"b\"],\"descending\":true}");
    holds(db, "graphs.subgraph", "\"truncated\":true}", "{\"graph\":\"g\",\"limit\":3}");
    holds(db, "graphs.subgraph", "\"truncated\":true}",
          "{\"graph\":\"g\",\"keys\":[\"a\",\"b\",\"c\"],\"limit\":2}");
    holds(db, "graphs.subgraph", "\"edges\":[],\"truncated\":false}",
          "{\"graph\":\"g\",\"keys\":[\"d\",\"a\"],\"edge_filter\":{\"target\":\"c\"}}");
    fails(db, "graphs.subgraph", BRANT_INVALID, "both",
          "{\"graph\":\"g\",\"keys\":[\"d\"],\"filter\":{}}");
    fails(db, "graphs.subgraph", BRANT_NOT_FOUND, "no node", "{\"graph\":\"g\",\"keys\":[\"x\"]}");
    holds(db, "graphs.pagerank", "\"iterations\":1,\"converged\":false}",
          "{\"graph\":\"g\",\"max_iterations\":1}");
    holds(db, "graphs.pagerank", "{\"keys\":[\"d\"],", "{\"graph\":\"g\",\"limit\":1}");
    fails(db, "graphs.pagerank", BRANT_INVALID, "personalization",
          "{\"graph\":\"g\",\"personalization\":{\"a\":0}}");
    fails(db, "graphs.pagerank", BRANT_INVALID, "personalization",
          "{\"graph\":\"g\",\"personalization\":{}}");
    fails(db, "graphs.pagerank", BRANT_NOT_FOUND, "no node",
          "{\"graph\":\"g\",\"personalization\":{\"x\":1}}");
    fails(db, "graphs.components", BRANT_INVALID, "connection",
          "{\"graph\":\"g\",\"connection\":\"loose\"}");
    fails(db, "graphs.components", BRANT_INVALID, "edge_filter",
          "{\"graph\":\"g\",\"edge_filter\":{\"attributes.x\":{\"$no\":1}}}");
    fails(db, "graphs.components", BRANT_INVALID, "node_filter",
          "{\"graph\":\"g\",\"node_filter\":{\"what\":1}}");
    fails(db, "graphs.components", BRANT_INVALID, "edge type",
          "{\"graph\":\"g\",\"edge_types\":[\"X\"]}");
    is(db, "graphs.find_cycle",
       "{\"found\":true,\"keys\":[\"d\"],\"edges\":[\"[\\\"d\\\",null,\\\"d\\\"]\"]}",
       "{\"graph\":\"g\"}");
    fails(db, "graphs.topological_order", BRANT_CONSTRAINT, "1 node:", "{\"graph\":\"g\"}");
    detail_holds("{\"cycle\":[\"d\"]}");
    is(db, "graphs.topological_order", "{\"keys\":[\"a\",\"b\",\"c\"],\"generations\":[0,1,2]}",
       "{\"graph\":\"g\",\"node_filter\":{\"key\":{\"$ne\":\"d\"}}}");
    is(db, "graphs.shortest_paths",
       "{\"keys\":[\"a\",\"b\",\"c\"],\"costs\":[0,1,1],\"parents\":[-1,0,0],\"truncated\":false}",
       "{\"graph\":\"g\",\"source\":\"a\"}");
    is(db, "graphs.shortest_paths",
       "{\"keys\":[\"a\",\"b\"],\"costs\":[0,1],\"parents\":[-1,0],\"truncated\":true}",
       "{\"graph\":\"g\",\"source\":\"a\",\"limit\":2}");
    is(db, "graphs.shortest_paths",
       "{\"keys\":[\"a\"],\"costs\":[0],\"parents\":[-1],\"truncated\":false}",
       "{\"graph\":\"g\",\"source\":\"a\",\"max_cost\":0.5}");
    is(db, "graphs.shortest_path",
       "{\"found\":true,\"keys\":[\"a\"],\"edges\":[],\"length\":0,\"cost\":0}",
       "{\"graph\":\"g\",\"source\":\"a\",\"target\":\"a\"}");
    brant_close(db);
    brant_db_free(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(test_random),   GRAPH_TEST(test_walk),  GRAPH_TEST(test_deep),
        GRAPH_TEST(test_deadline), GRAPH_TEST(test_empty), GRAPH_TEST(test_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
