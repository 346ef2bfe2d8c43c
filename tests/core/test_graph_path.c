/*
 * tests/core/test_graph_path.c: shortest ways, simple paths, walks counted: against all paths of
 * small random graphs, found one by one.
 */
#include "test_graph.h"

#include <math.h>

#include "graph/internal.h"
#include "test_graph_algorithm.h"

/* ---- all paths of a small graph -------------------------------------------------------------- */

typedef struct one_path {
    int nodes[SMALL];
    int length;
    double cost;
} one_path;

#define PATHS 20000

typedef struct paths {
    one_path *list;
    size_t count;
} paths;

/* Depth first, by key: so those of one length come by their keys. */
static void list_paths(paths *out, const small_graph *graph, one_path *path, int target, int most) {
    int node = path->nodes[path->length];

    if (node == target) {
        assert_true(out->count < PATHS);
        out->list[out->count++] = *path;
        return;
    }
    if (path->length == most) return;
    for (int next = 0; next < graph->nodes; next++) {
        double least = INFINITY;
        bool known = false;
        if (!graph->allowed[next]) continue;
        for (int i = 0; i <= path->length; i++)
            if (path->nodes[i] == next) known = true;
        for (size_t i = 0; i < graph->edges; i++)
            if (leads(graph, i, node, next) && graph->edge[i].weight < least)
                least = graph->edge[i].weight;
        if (known || least == INFINITY) continue;
        path->nodes[++path->length] = next;
        path->cost += least;
        list_paths(out, graph, path, target, most);
        path->cost -= least;
        path->length--;
    }
}

static int by_length(const void *a, const void *b) {
    const one_path *x = a, *y = b;

    if (x->length != y->length) return x->length - y->length;
    for (int i = 0; i <= x->length; i++)
        if (x->nodes[i] != y->nodes[i]) return x->nodes[i] - y->nodes[i];
    return 0;
}

static int by_cost(const void *a, const void *b) {
    const one_path *x = a, *y = b;

    if (x->cost != y->cost) return x->cost < y->cost ? -1 : 1;
    return by_length(a, b);
}

static paths all_paths(const small_graph *graph, int source, int target, int most) {
    paths all = {malloc(PATHS * sizeof(one_path)), 0};
    one_path begin = {{source}, 0, 0};

    list_paths(&all, graph, &begin, target, most);
    qsort(all.list, all.count, sizeof(*all.list), by_length);
    return all;
}

static void write_path(char *out, const one_path *path) {
    out += sprintf(out, "[");
    for (int i = 0; i <= path->length; i++)
        out += sprintf(out, "%s\"n%02d\"", i ? "," : "", path->nodes[i]);
    sprintf(out, "]");
}

/* ---- random graphs --------------------------------------------------------------------------- */

/* Each edge named leads where it should; weighted: at the least weight of those that do. */
static void check_edges(const small_graph *graph, const one_path *path, yyjson_val *edges,
                        bool weighted) {
    assert_int_equal(yyjson_arr_size(edges), path->length);
    for (int i = 0; i < path->length; i++) {
        const char *key = yyjson_get_str(yyjson_arr_get(edges, (size_t)i));
        size_t edge = SMALL_EDGES;
        double least = INFINITY;
        for (size_t j = 0; j < graph->edges; j++) {
            if (strcmp(graph->edge[j].key, key) == 0) edge = j;
            if (leads(graph, j, path->nodes[i], path->nodes[i + 1]) &&
                graph->edge[j].weight < least)
                least = graph->edge[j].weight;
        }
        assert_true(edge < graph->edges);
        assert_true(leads(graph, edge, path->nodes[i], path->nodes[i + 1]));
        if (weighted) assert_true(graph->edge[edge].weight == least);
    }
}

static void check_shortest(brant_db *db, const small_graph *graph, int source, int target, int most,
                           bool weighted) {
    paths all = all_paths(graph, source, target, most);
    const char *text =
        answer(db, "graphs.shortest_path",
               "{\"graph\":\"%s\",\"source\":\"n%02d\",\"target\":\"n%02d\",\"max_depth\":%d,%s%s}",
               graph->name, source, target, most, weighted ? "\"weight\":\"attributes.w\"," : "",
               graph->options);
    brant__json json = parsed(text);
    char wanted[64 + 8 * SMALL];

    if (weighted) qsort(all.list, all.count, sizeof(*all.list), by_cost);
    assert_int_equal(brant__json_bool(brant__json_get(json.root, "found"), false), all.count > 0);
    if (all.count > 0) {
        char keys[16 + 8 * SMALL];
        write_path(keys, all.list);
        snprintf(wanted, sizeof(wanted), "\"keys\":%s", keys);
        if (!strstr(text, wanted)) fail_msg("%s lacks %s", text, wanted);
        assert_int_equal(brant__json_integer(brant__json_get(json.root, "length"), -1),
                         all.list[0].length);
        assert_true(yyjson_get_num(brant__json_get(json.root, "cost")) ==
                    (weighted ? all.list[0].cost : all.list[0].length));
        check_edges(graph, all.list, brant__json_get(json.root, "edges"), weighted);
    } else {
        assert_non_null(strstr(text, "\"keys\":[],\"edges\":[],\"length\":null,\"cost\":null"));
    }
    brant__json_free(&json);
    free(all.list);
}

static void check_paths(brant_db *db, const small_graph *graph, int source, int target, int most,
                        size_t limit) {
    paths all = all_paths(graph, source, target, most);
    size_t count = all.count < limit ? all.count : limit;
    const char *text =
        answer(db, "graphs.paths",
               "{\"graph\":\"%s\",\"source\":\"n%02d\",\"target\":\"n%02d\",\"max_depth\":%d,"
               "\"limit\":%zu,%s}",
               graph->name, source, target, most, limit, graph->options);
    brant__json json = parsed(text);
    yyjson_val *found = brant__json_get(json.root, "paths");

    assert_int_equal(yyjson_arr_size(found), count);
    for (size_t i = 0; i < count; i++) {
        char keys[16 + 8 * SMALL];
        brant__buffer one = {0};
        write_path(keys, &all.list[i]);
        brant__json_append(&one, yyjson_arr_get(found, i));
        brant__buffer_append_byte(&one, '\0');
        assert_string_equal(one.data, keys);
        brant__buffer_free(&one);
        check_edges(graph, &all.list[i], yyjson_arr_get(brant__json_get(json.root, "edges"), i),
                    false);
    }
    assert_int_equal(brant__json_bool(brant__json_get(json.root, "truncated"), false),
                     all.count > limit);
    brant__json_free(&json);
    free(all.list);
}

/* Costs of the best paths to each node; their parents fit. */
static void check_all(brant_db *db, const small_graph *graph, int source, int most, bool weighted) {
    const char *text =
        answer(db, "graphs.shortest_paths",
               "{\"graph\":\"%s\",\"source\":\"n%02d\",\"max_depth\":%d,%s%s}", graph->name, source,
               most, weighted ? "\"weight\":\"attributes.w\"," : "", graph->options);
    brant__json json = parsed(text);
    yyjson_val *keys = brant__json_get(json.root, "keys"),
               *costs = brant__json_get(json.root, "costs"),
               *parents = brant__json_get(json.root, "parents");
    size_t reached = 0;
    double last = 0;
    int last_node = -1;

    for (int node = 0; node < graph->nodes; node++) {
        paths all = all_paths(graph, source, node, most);
        if (weighted) qsort(all.list, all.count, sizeof(*all.list), by_cost);
        for (size_t i = 0; i < yyjson_arr_size(keys); i++) {
            if (atoi(yyjson_get_str(yyjson_arr_get(keys, i)) + 1) != node) continue;
            assert_true(all.count > 0);
            assert_true(yyjson_get_num(yyjson_arr_get(costs, i)) ==
                        (weighted ? all.list[0].cost : all.list[0].length));
            reached++;
        }
        if (all.count > 0) reached += 1000;
        free(all.list);
    }
    assert_int_equal(reached % 1000, reached / 1000);
    for (size_t i = 0; i < yyjson_arr_size(keys); i++) {
        double cost = yyjson_get_num(yyjson_arr_get(costs, i));
        int node = atoi(yyjson_get_str(yyjson_arr_get(keys, i)) + 1);
        int64_t parent = yyjson_get_sint(yyjson_arr_get(parents, i));
        assert_true(cost > last || (cost == last && node > last_node));
        last = cost;
        last_node = node;
        assert_int_equal(parent == -1, node == source);
        if (parent >= 0) {
            int before = atoi(yyjson_get_str(yyjson_arr_get(keys, (size_t)parent)) + 1);
            bool joined = false;
            for (size_t j = 0; j < graph->edges; j++)
                if (leads(graph, j, before, node)) joined = true;
            assert_true(joined);
        }
    }
    brant__json_free(&json);
}

static void check_count(brant_db *db, const small_graph *graph, int source, int target,
                        int length) {
    int64_t by[SMALL] = {0}, next[SMALL], sum = 0;
    char wanted[64];

    by[source] = 1;
    for (int step = 0; step < length; step++) {
        memset(next, 0, sizeof(next));
        for (int from = 0; from < graph->nodes; from++)
            for (int to = 0; to < graph->nodes; to++)
                for (size_t i = 0; i < graph->edges; i++)
                    if (graph->allowed[to] && leads(graph, i, from, to)) next[to] += by[from];
        memcpy(by, next, sizeof(by));
        sum += by[target];
    }
    snprintf(wanted, sizeof(wanted), "{\"count\":%lld}", (long long)by[target]);
    is(db, "graphs.count_walks", wanted,
       "{\"graph\":\"%s\",\"length\":%d,\"sources\":[\"n%02d\"],\"targets\":[\"n%02d\"],%s}",
       graph->name, length, source, target, graph->options);
    snprintf(wanted, sizeof(wanted), "{\"count\":%lld}", (long long)sum);
    is(db, "graphs.count_walks", wanted,
       "{\"graph\":\"%s\",\"length\":%d,\"up_to\":true,\"sources\":[\"n%02d\"],\"targets\":["
       "\"n%02d\"],%s}",
       graph->name, length, source, target, graph->options);
}

static void test_random(void **state) {
    brant_db *db = open_small(*state);

    for (unsigned round = 0; round < 60; round++) {
        small_graph graph;
        make_small(&graph, db, round);
        for (int option = 0; option < 6; option++) {
            int source = small_random(graph.nodes), target = small_random(graph.nodes);
            choose_options(&graph, option);
            check_shortest(db, &graph, source, target, graph.nodes, false);
            check_shortest(db, &graph, source, target, graph.nodes, true);
            check_shortest(db, &graph, source, target, small_random(4), true);
            check_shortest(db, &graph, source, target, small_random(4), false);
            check_paths(db, &graph, source, target, 1 + small_random(6), 1000);
            check_paths(db, &graph, source, target, graph.nodes, 1 + (size_t)small_random(5));
            check_all(db, &graph, source, graph.nodes, option & 1);
            check_all(db, &graph, source, small_random(4), option & 1);
            check_count(db, &graph, source, target, small_random(6));
        }
        free_small(&graph);
    }
    brant_close(db);
    brant_db_free(db);
}

/* ---- known answers --------------------------------------------------------------------------- */

/* Every node of 31 with every other. */
static void make_dense(brant_db *db) {
    char *text = malloc(31 * 31 * 64 + 64), *at = text;

    holds(db, "graphs.create", "\"id\"", "{\"name\":\"dense\",\"graph_type\":\"open\"}");
    at += sprintf(at, "{\"graph\":\"dense\",\"items\":[");
    for (int i = 0; i < 31; i++)
        at += sprintf(at, "%s{\"key\":\"n%02d\"}", i ? "," : "", i);
    sprintf(at, "]}");
    must(db, "nodes.put_many", text, "31");
    at = text + sprintf(text, "{\"graph\":\"dense\",\"items\":[");
    for (int i = 0; i < 31; i++)
        for (int j = 0; j < 31; j++)
            if (i != j)
                at += sprintf(at, "%s{\"source\":\"n%02d\",\"target\":\"n%02d\"}",
                              i || j > 1 ? "," : "", i, j);
    sprintf(at, "]}");
    must(db, "edges.put_many", text, "930");
    free(text);
}

static double milliseconds(const struct timespec *since) {
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)(now.tv_sec - since->tv_sec) * 1e3 +
           (double)(now.tv_nsec - since->tv_nsec) / 1e6;
}

static void test_dense(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    struct timespec begin;
    const char *text;

    make_dense(db);
    must(db, "graphs.degrees", "{\"graph\":\"dense\",\"keys\":[\"n00\"]}", "[30]");
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
    text = answer(db, "graphs.paths",
                  "{\"graph\":\"dense\",\"source\":\"n00\",\"target\":\"n30\",\"max_depth\":8}");
    /* One edge, then all by one other node, then those by the least two. */
    assert_non_null(strstr(text, "{\"paths\":[[\"n00\",\"n30\"],[\"n00\",\"n01\",\"n30\"],[\"n00\","
                                 "\"n02\",\"n30\"]"));
    assert_non_null(strstr(text, "[\"n00\",\"n29\",\"n30\"],[\"n00\",\"n01\",\"n02\",\"n30\"]"));
    assert_non_null(strstr(text, "\"truncated\":true"));
    /* Walks of 8 between two nodes of a complete graph: ((n-1)^8 - (-1)^8) / n. */
    is(db, "graphs.count_walks", "{\"count\":21164516129}",
       "{\"graph\":\"dense\",\"length\":8,\"sources\":[\"n00\"],\"targets\":[\"n30\"]}");
    if (milliseconds(&begin) > 1000) fail_msg("%g ms", milliseconds(&begin));
    fails(db, "graphs.count_walks", BRANT_LIMIT, "9223372036854775807",
          "{\"graph\":\"dense\",\"length\":13}");
    holds(db, "graphs.count_walks", "{\"count\":", "{\"graph\":\"dense\",\"length\":11}");
    fails(db, "graphs.count_walks", BRANT_LIMIT, "walks",
          "{\"graph\":\"dense\",\"length\":10000,\"up_to\":true}");
    brant_close(db);
    brant_db_free(db);
}

/* Counts that are too large on the way, but lead to no target. */
static void test_count_ends(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");

    make_dense(db);
    must(db, "nodes.put_many", "{\"graph\":\"dense\",\"items\":[{\"key\":\"s\"},{\"key\":\"t\"}]}",
         "2");
    must(db, "edges.put_many",
         "{\"graph\":\"dense\",\"items\":[{\"source\":\"s\",\"target\":\"n00\"},{\"source\":\"s\","
         "\"target\":\"s\"},{\"source\":\"s\",\"target\":\"t\"}]}",
         "3");
    is(db, "graphs.count_walks", "{\"count\":1}",
       "{\"graph\":\"dense\",\"length\":60,\"sources\":[\"s\"],\"targets\":[\"t\"]}");
    is(db, "graphs.count_walks", "{\"count\":60}",
       "{\"graph\":\"dense\",\"length\":60,\"up_to\":true,\"sources\":[\"s\",\"s\"],\"targets\":["
       "\"t\"]}");
    is(db, "graphs.count_walks", "{\"count\":0}",
       "{\"graph\":\"dense\",\"length\":10000,\"sources\":[\"t\"]}");
    is(db, "graphs.count_walks", "{\"count\":33}", "{\"graph\":\"dense\",\"length\":0}");
    is(db, "graphs.count_walks", "{\"count\":0}",
       "{\"graph\":\"dense\",\"length\":0,\"up_to\":true}");
    is(db, "graphs.count_walks", "{\"count\":0}",
       "{\"graph\":\"dense\",\"length\":3,\"sources\":[]}");
    brant_close(db);
    brant_db_free(db);
}

/* A way into a clique that has no other way out costs no search of the clique's paths. */
static void test_paths_beside_a_clique(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");

    make_dense(db);
    must(db, "nodes.put_many", "{\"graph\":\"dense\",\"items\":[{\"key\":\"s\"},{\"key\":\"t\"}]}",
         "2");
    must(db, "edges.put_many",
         "{\"graph\":\"dense\",\"items\":[{\"source\":\"s\",\"target\":\"n00\"},{\"source\":"
         "\"n00\",\"target\":\"s\"},{\"source\":\"s\",\"target\":\"t\"}]}",
         "3");
    is(db, "graphs.paths",
       "{\"paths\":[[\"s\",\"t\"]],\"edges\":[[\"[\\\"s\\\",null,\\\"t\\\"]\"]],\"truncated\":"
       "false}",
       "{\"graph\":\"dense\",\"source\":\"s\",\"target\":\"t\",\"max_depth\":1000}");
    is(db, "graphs.paths", "{\"paths\":[[\"s\"]],\"edges\":[[]],\"truncated\":false}",
       "{\"graph\":\"dense\",\"source\":\"s\",\"target\":\"s\",\"max_depth\":1000}");
    is(db, "graphs.paths", "{\"paths\":[],\"edges\":[],\"truncated\":false}",
       "{\"graph\":\"dense\",\"source\":\"t\",\"target\":\"s\",\"max_depth\":1000}");
    brant_close(db);
    brant_db_free(db);
}

/* ---- weights --------------------------------------------------------------------------------- */

#define PATH(more)                                                                                 \
    "{\"graph\":\"w\",\"source\":\"a\",\"target\":\"c\",\"weight\":\"attributes.w\"" more "}"

static void test_weights(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), ""), *other;

    holds(db, "graphs.create", "\"id\"", "{\"name\":\"w\",\"graph_type\":\"open\"}");
    must(db, "nodes.put_many",
         "{\"graph\":\"w\",\"items\":[{\"key\":\"a\"},{\"key\":\"b\"},{\"key\":\"c\"}]}", "3");
    must(db, "edges.put_many",
         "{\"graph\":\"w\",\"items\":[{\"source\":\"a\",\"target\":\"b\",\"attributes\":{\"w\":1.5,"
         "\"x.y\":{\"/z\":2}}},{\"source\":\"b\",\"target\":\"c\",\"attributes\":{\"w\":2,\"x.y\":"
         "{\"/z\":3}}},{\"source\":\"a\",\"target\":\"c\",\"attributes\":{\"w\":9,\"x.y\":{\"/z\":"
         "4}}}]}",
         "3");
    holds(db, "graphs.shortest_path", "\"keys\":[\"a\",\"b\",\"c\"]", PATH(""));
    holds(db, "graphs.shortest_path", "\"length\":2,\"cost\":3.5}", PATH(""));
    holds(db, "graphs.shortest_path", "\"length\":1,\"cost\":9}", PATH(",\"max_depth\":1"));
    holds(db, "graphs.shortest_path", "\"length\":1,\"cost\":4}",
          "{\"graph\":\"w\",\"source\":\"a\",\"target\":\"c\",\"weight\":"
          "\"attributes/x.y/~1z\"}");
    /* Attributes alone change: by this handle, by another, and not at all after a rollback. */
    must(db, "transaction.begin", "{}", "1");
    must(db, "edges.put",
         "{\"graph\":\"w\",\"source\":\"a\",\"target\":\"c\",\"attributes\":{\"w\":1}}", "2");
    holds(db, "graphs.shortest_path", "\"cost\":1}", PATH(""));
    must(db, "transaction.rollback", "{}", "0");
    holds(db, "graphs.shortest_path", "\"cost\":3.5}", PATH(""));
    other = must_open(in_folder(*state, "a.db"), "");
    must(other, "edges.put",
         "{\"graph\":\"w\",\"source\":\"a\",\"target\":\"c\",\"attributes\":{\"w\":2}}", "2");
    holds(db, "graphs.shortest_path", "\"cost\":2}", PATH(""));
    must(other, "edges.put",
         "{\"graph\":\"w\",\"source\":\"a\",\"target\":\"c\",\"attributes\":{}}", "3");
    fails(db, "graphs.shortest_path", BRANT_CONSTRAINT, "is missing", PATH(""));
    assert_non_null(strstr(brant_last_error()->message, "[\\\"a\\\",null,\\\"c\\\"]"));
    holds(db, "graphs.shortest_path", "\"cost\":0.5}", PATH(",\"default_weight\":0.5"));
    /* What the options leave out may weigh what it will. */
    holds(db, "graphs.shortest_path", "\"cost\":3.5}",
          PATH(",\"edge_filter\":{\"attributes.w\":{\"$exists\":true}}"));
    must(other, "edges.put",
         "{\"graph\":\"w\",\"source\":\"a\",\"target\":\"c\",\"attributes\":{\"w\":-1}}", "4");
    fails(db, "graphs.shortest_path", BRANT_CONSTRAINT, "is negative",
          PATH(",\"default_weight\":0.5"));
    must(other, "edges.put",
         "{\"graph\":\"w\",\"source\":\"a\",\"target\":\"c\",\"attributes\":{\"w\":\"1\"}}", "5");
    fails(db, "graphs.shortest_path", BRANT_CONSTRAINT, "is not a number", PATH(""));
    fails(db, "graphs.shortest_paths", BRANT_CONSTRAINT, "is not a number",
          "{\"graph\":\"w\",\"source\":\"a\",\"weight\":\"attributes.w\"}");
    fails(db, "graphs.pagerank", BRANT_CONSTRAINT, "is not a number",
          "{\"graph\":\"w\",\"weight\":\"attributes.w\"}");
    must(other, "edges.put",
         "{\"graph\":\"w\",\"source\":\"a\",\"target\":\"b\",\"attributes\":{\"w\":1e308}}", "2");
    must(other, "edges.put",
         "{\"graph\":\"w\",\"source\":\"b\",\"target\":\"c\",\"attributes\":{\"w\":1e308}}", "2");
    must(other, "edges.delete", "{\"graph\":\"w\",\"key\":\"[\\\"a\\\",null,\\\"c\\\"]\"}", "true");
    fails(db, "graphs.shortest_path", BRANT_LIMIT, "double", PATH(""));
    fails(db, "graphs.shortest_path", BRANT_INVALID, "weight",
          "{\"graph\":\"w\",\"source\":\"a\",\"target\":\"c\",\"weight\":\"key\"}");
    fails(db, "graphs.shortest_path", BRANT_INVALID, "weight",
          "{\"graph\":\"w\",\"source\":\"a\",\"target\":\"c\",\"weight\":\"attributes..\"}");
    fails(db, "graphs.shortest_path", BRANT_NOT_FOUND, "no node",
          "{\"graph\":\"w\",\"source\":\"a\",\"target\":\"z\"}");
    fails(db, "graphs.shortest_path", BRANT_NOT_FOUND, "no graph",
          "{\"graph\":\"v\",\"source\":\"a\",\"target\":\"z\"}");
    fails(db, "graphs.paths", BRANT_INVALID, "max_depth",
          "{\"graph\":\"w\",\"source\":\"a\",\"target\":\"c\",\"max_depth\":1001}");
    brant_close(other);
    brant_db_free(other);
    brant_close(db);
    brant_db_free(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(test_random),     GRAPH_TEST(test_dense),
        GRAPH_TEST(test_count_ends), GRAPH_TEST(test_paths_beside_a_clique),
        GRAPH_TEST(test_weights),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
