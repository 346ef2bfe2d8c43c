/*
 * tests/core/test_graph_model.c: random batches of every form of writing against a model that works item by item on arrays: the same
 * faults, the same rows, whether errors refuse or skip, and whether the items are an array or lines.
 */
#include "test_graph.h"

#include <stdbool.h>

#define KEYS      14
#define MAX_NODES 11
#define MAX_EDGES 24
#define MAX_OUT   3
#define MAX_IN    4
#define MAX_ITEMS 60
#define NONE      (-1)

enum { NO_TYPE, TASK, PERSON, UNKNOWN };
enum { PUT, INSERT, PATCH, DELETE };

static const char module[] =
    "{\"$id\":\"m\",\"$defs\":{\"Config\":{\"type\":\"object\",\"properties\":{\"acyclic\":{"
    "\"const\":true},\"max_nodes\":{\"const\":11},\"max_edges\":{\"const\":24}}},"
    "\"TaskNode\":{\"type\":\"object\",\"properties\":{\"n\":{\"maximum\":5}}},"
    "\"PersonNode\":{\"type\":\"object\",\"properties\":{\"n\":{\"maximum\":5}}},"
    "\"LEdge\":{\"type\":\"object\",\"properties\":{\"n\":{\"maximum\":5}}},"
    "\"LEdgeConstraints\":{\"source\":[\"Task\"],\"target\":\"Task\",\"max_out\":3,\"max_in\":4}}}";

static uint64_t random_state = 0x9E3779B97F4A7C15u;
static int pick(int below) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (int)(random_state % (uint64_t)below);
}

typedef struct thing {
    bool there;
    int type;
    int n; /* NONE: no such member */
    int revision;
} thing;

typedef struct model {
    thing nodes[KEYS];
    thing edges[KEYS][KEYS];
} model;

typedef struct item {
    int key;
    int target; /* of edges */
    int type;
    int n;        /* NONE: {}; -2: null (patches) */
    int revision; /* NONE: not given */
} item;

static int count_nodes(const model *m) {
    int count = 0;
    for (int i = 0; i < KEYS; i++)
        count += m->nodes[i].there;
    return count;
}

static int count_edges(const model *m, int source, int target) {
    int count = 0;
    for (int i = 0; i < KEYS; i++)
        for (int j = 0; j < KEYS; j++)
            count += m->edges[i][j].there && (source == NONE || i == source) &&
                     (target == NONE || j == target);
    return count;
}

static bool leads(const model *m, int from, int to, bool *seen) {
    if (from == to) return true;
    seen[from] = true;
    for (int i = 0; i < KEYS; i++)
        if (m->edges[from][i].there && !seen[i] && leads(m, i, to, seen)) return true;
    return false;
}

static int write_value(thing *out, const item *in, int mode) {
    if (mode == PATCH) {
        int n = in->n == NONE ? out->n : in->n == -2 ? NONE : in->n;
        if (n > 5) return BRANT_VALIDATION;
        if (n != out->n) out->revision++;
        out->n = n;
        return BRANT_OK;
    }
    out->n = in->n;
    out->revision++;
    out->there = true;
    return BRANT_OK;
}

/* What an item does to the model, or its fault. */
static int do_node(model *m, const item *in, int mode, bool cascade) {
    thing *node = &m->nodes[in->key];

    if (mode == PATCH || mode == DELETE) {
        if (!node->there) return BRANT_NOT_FOUND;
        if (mode == PATCH) {
            if (in->revision != NONE && in->revision != node->revision) return BRANT_CONFLICT;
            return write_value(node, in, mode);
        }
        if (!cascade && count_edges(m, in->key, NONE) + count_edges(m, NONE, in->key) > 0)
            return BRANT_CONSTRAINT;
        for (int i = 0; i < KEYS; i++)
            m->edges[i][in->key] = m->edges[in->key][i] = (thing){0};
        *node = (thing){0};
        return BRANT_OK;
    }
    if (mode == INSERT && node->there) return BRANT_EXISTS;
    if (in->type == UNKNOWN || (in->type == NO_TYPE && !node->there)) return BRANT_INVALID;
    if (in->type != NO_TYPE && node->there && node->type != in->type) return BRANT_CONSTRAINT;
    if (in->revision != NONE && in->revision != node->revision) return BRANT_CONFLICT;
    if (in->n > 5) return BRANT_VALIDATION;
    if (!node->there && count_nodes(m) >= MAX_NODES) return BRANT_CONSTRAINT;
    if (!node->there) node->type = in->type;
    return write_value(node, in, mode);
}

static int do_edge(model *m, const item *in, int mode, bool test_cycles) {
    thing *edge = &m->edges[in->key][in->target];
    bool seen[KEYS] = {false};

    if (mode == PATCH || mode == DELETE) {
        if (!edge->there) return BRANT_NOT_FOUND;
        if (mode == DELETE) {
            *edge = (thing){0};
            return BRANT_OK;
        }
        if (in->revision != NONE && in->revision != edge->revision) return BRANT_CONFLICT;
        return write_value(edge, in, mode);
    }
    if (!m->nodes[in->key].there || !m->nodes[in->target].there) return BRANT_NOT_FOUND;
    if (mode == INSERT && edge->there) return BRANT_EXISTS;
    if (in->revision != NONE && in->revision != edge->revision) return BRANT_CONFLICT;
    if (in->n > 5) return BRANT_VALIDATION;
    if (!edge->there) {
        if (in->key == in->target || count_edges(m, NONE, NONE) >= MAX_EDGES ||
            m->nodes[in->key].type != TASK || m->nodes[in->target].type != TASK ||
            count_edges(m, in->key, NONE) >= MAX_OUT || count_edges(m, NONE, in->target) >= MAX_IN)
            return BRANT_CONSTRAINT;
        if (test_cycles && leads(m, in->target, in->key, seen)) return BRANT_CONSTRAINT;
    }
    return write_value(edge, in, mode);
}

/* ---- texts ----------------------------------------------------------------------------------- */

static void write_key(brant__writer *out, const item *in, bool edges) {
    char text[64];

    if (edges)
        snprintf(text, sizeof text, "[\"k%d\",\"L\",\"k%d\"]", in->key, in->target);
    else
        snprintf(text, sizeof text, "k%d", in->key);
    brant__write_text(out, brant__text_of(text, strlen(text)));
}

static void write_item(brant__writer *out, const item *in, bool edges, int mode) {
    static const char *const types[] = {NULL, "Task", "Person", "Nothing"};
    char key[16];

    brant__write_object(out);
    if (edges && mode != PATCH) {
        snprintf(key, sizeof key, "k%d", in->key);
        brant__write_name(out, "source");
        brant__write_text(out, brant__text_of(key, strlen(key)));
        snprintf(key, sizeof key, "k%d", in->target);
        brant__write_name(out, "target");
        brant__write_text(out, brant__text_of(key, strlen(key)));
    } else {
        brant__write_name(out, "key");
        write_key(out, in, edges);
    }
    if (!edges && mode != PATCH && in->type != NO_TYPE) {
        brant__write_name(out, "type");
        brant__write_text(out, brant__text_of(types[in->type], strlen(types[in->type])));
    }
    brant__write_name(out, "attributes");
    brant__write_object(out);
    if (in->n != NONE) {
        brant__write_name(out, "n");
        if (in->n == -2)
            brant__write_null(out);
        else
            brant__write_integer(out, in->n);
    }
    brant__write_end(out);
    if (in->revision != NONE) {
        brant__write_name(out, "revision");
        brant__write_integer(out, in->revision);
    }
    brant__write_end(out);
}

static char *input(const item *items, int count, bool edges, int mode, bool skip, bool lines,
                   bool cascade) {
    brant__writer out = {0};
    brant__buffer text = {0};

    brant__write_object(&out);
    brant__write_name(&out, "graph");
    brant__write_text(&out, BRANT__TEXT("g"));
    if (skip) {
        brant__write_name(&out, "errors");
        brant__write_text(&out, BRANT__TEXT("skip"));
    }
    if (mode == DELETE && !edges) {
        brant__write_name(&out, "edges");
        brant__write_text(&out, cascade ? BRANT__TEXT("delete") : BRANT__TEXT("refuse"));
    }
    brant__write_name(&out, mode == DELETE ? "keys" : "items");
    if (lines) {
        for (int i = 0; i < count; i++) {
            brant__writer line = {0};
            write_item(&line, &items[i], edges, mode);
            brant__buffer_format(&text, "%s%.*s%s", pick(5) ? "" : " \t\n", (int)line.buffer.length,
                                 line.buffer.data, i % 2 ? "\r\n" : "\n");
            brant__buffer_free(&line.buffer);
        }
        brant__write_text(&out, brant__text_of(text.data, text.length));
        brant__buffer_free(&text);
    } else {
        brant__write_array(&out);
        for (int i = 0; i < count; i++)
            if (mode == DELETE)
                write_key(&out, &items[i], edges);
            else
                write_item(&out, &items[i], edges, mode);
        brant__write_end(&out);
    }
    brant__write_end(&out);
    brant__buffer_append(&out.buffer, "", 1);
    return out.buffer.data;
}

/* ---- comparing ------------------------------------------------------------------------------- */

static void compare(brant_db *db, const model *m) {
    brant__json nodes = parsed(answer(db, "nodes.list", "{\"graph\":\"g\",\"limit\":1000}"));
    brant__json edges = parsed(answer(db, "edges.list", "{\"graph\":\"g\",\"limit\":1000}"));
    size_t index, count;
    yyjson_val *value;

    assert_int_equal(yyjson_arr_size(brant__json_get(nodes.root, "items")), count_nodes(m));
    yyjson_arr_foreach(brant__json_get(nodes.root, "items"), index, count, value) {
        const thing *node = &m->nodes[atoi(brant__json_get_text(value, "key").data + 1)];
        assert_true(node->there);
        assert_int_equal(brant__json_integer(brant__json_get(value, "revision"), 0),
                         node->revision);
        assert_int_equal(
            brant__json_integer(brant__json_get(brant__json_get(value, "attributes"), "n"), NONE),
            node->n);
        assert_string_equal(brant__json_get_text(value, "type").data,
                            node->type == TASK ? "Task" : "Person");
    }
    assert_int_equal(yyjson_arr_size(brant__json_get(edges.root, "items")),
                     count_edges(m, NONE, NONE));
    yyjson_arr_foreach(brant__json_get(edges.root, "items"), index, count, value) {
        const thing *edge = &m->edges[atoi(brant__json_get_text(value, "source").data + 1)]
                                     [atoi(brant__json_get_text(value, "target").data + 1)];
        assert_true(edge->there);
        assert_int_equal(brant__json_integer(brant__json_get(value, "revision"), 0),
                         edge->revision);
        assert_int_equal(
            brant__json_integer(brant__json_get(brant__json_get(value, "attributes"), "n"), NONE),
            edge->n);
    }
    brant__json_free(&nodes);
    brant__json_free(&edges);
}

static int run_model(int *faults, model *m, const item *items, int count, bool edges, int mode,
                     bool cascade, bool cycles) {
    int failed = 0;

    for (int i = 0; i < count; i++) {
        faults[i] =
            edges ? do_edge(m, &items[i], mode, cycles) : do_node(m, &items[i], mode, cascade);
        failed += faults[i] != BRANT_OK;
    }
    return failed;
}

static void check_faults(yyjson_val *list, const int *faults, int count) {
    size_t at = 0;

    for (int i = 0; i < count; i++) {
        yyjson_val *fault;
        if (faults[i] == BRANT_OK) continue;
        fault = yyjson_arr_get(list, at++);
        assert_int_equal(brant__json_integer(brant__json_get(fault, "index"), -1), i);
        assert_string_equal(brant__json_get_text(fault, "code").data, brant_status_name(faults[i]));
    }
    assert_int_equal(yyjson_arr_size(list), at);
}

static void step(brant_db *db, model *m) {
    static const char *const names[] = {"put_many", "insert_many", "patch_many", "delete_many"};
    bool edges = pick(5) > 1, skip = pick(3) > 0, cascade = pick(2), lines, used[KEYS][KEYS] = {0};
    int mode = pick(10), count = pick(4) ? 1 + pick(6) : 1 + pick(MAX_ITEMS), failed,
        cycle_failed = 0;
    int faults[MAX_ITEMS];
    item items[MAX_ITEMS];
    model after = *m;
    char name[32], *json, *text = NULL;
    size_t length;
    brant_status status;

    mode = mode < 5 ? PUT : mode < 7 ? INSERT : mode < 9 ? PATCH : DELETE;
    if (mode == DELETE && count > 4) count = 4;
    lines = mode != DELETE && pick(2);
    for (int i = 0; i < count; i++) {
        items[i] = (item){.key = pick(KEYS),
                          .target = pick(KEYS),
                          .type = pick(8) ? TASK : pick(4),
                          .n = pick(12) ? pick(6) : pick(9) - 2,
                          .revision = pick(9) || mode == INSERT ? NONE : pick(4)};
        if (items[i].n == -2 && mode != PATCH) items[i].n = NONE;
        if (mode == DELETE) { /* a key that comes twice counts once */
            while (used[items[i].key][edges ? items[i].target : 0]) {
                items[i].key = pick(KEYS);
                items[i].target = pick(KEYS);
            }
            used[items[i].key][edges ? items[i].target : 0] = true;
        }
    }
    json = input(items, count, edges, mode, skip, lines, cascade);
    failed = run_model(faults, &after, items, count, edges, mode, cascade, skip);
    if (!skip && edges && failed == 0) { /* cycles are looked for when nothing else is at fault */
        model with = *m;
        int ignored[MAX_ITEMS];
        cycle_failed = run_model(ignored, &with, items, count, edges, mode, cascade, true);
    }
    snprintf(name, sizeof name, "%s.%s", edges ? "edges" : "nodes", names[mode]);
    status = brant_call(&text, &length, db, TEXT(name), TEXT(json));
    if (skip || (failed == 0 && cycle_failed == 0)) {
        brant__json got;
        if (status != BRANT_OK)
            fail_msg("%s %s: %s %s", name, json, brant_last_error()->message,
                     brant_last_error()->detail);
        got = parsed(text);
        if (skip) {
            if (brant__json_integer(brant__json_get(got.root, "failed"), -1) != failed)
                fail_msg("%s %s: %s, and %d should have failed", name, json, text, failed);
            check_faults(brant__json_get(got.root, "items"), faults, count);
        } else {
            assert_null(brant__json_get(got.root, "failed"));
        }
        brant__json_free(&got);
        *m = after;
    } else {
        int first = 0;
        while (failed && faults[first] == BRANT_OK)
            first++;
        if (status != (failed ? faults[first] : BRANT_CONSTRAINT))
            fail_msg("%s %s: %s", name, json, brant_status_name(status));
        if (failed) {
            char wanted[64];
            snprintf(wanted, sizeof wanted, "{\"items\":[{\"index\":%d,", first);
            if (strncmp(brant_last_error()->detail, wanted, strlen(wanted)) != 0)
                fail_msg("%s %s: %s, not %s", name, json, brant_last_error()->detail, wanted);
        }
    }
    brant_free(text);
    brant_free(json);
    compare(db, m);
}

static void test_random_batches(void **state) {
    const char *steps = getenv("BRANT_MODEL_STEPS");
    brant_db *db = must_open(in_folder(*state, "model.db"), "{\"busy_timeout\":100}");
    model m;

    memset(&m, 0, sizeof m);
    for (int i = 0; i < KEYS; i++) {
        m.nodes[i].n = NONE;
        for (int j = 0; j < KEYS; j++)
            m.edges[i][j].n = NONE;
    }
    define(db, module);
    holds(db, "graphs.create", "\"id\"", "{\"name\":\"g\",\"graph_type\":\"m\"}");
    for (int i = 0; i < (steps ? atoi(steps) : 3000); i++)
        step(db, &m);
    healthy(db);
    brant_db_free(db);
}

/* ---- many edges of an acyclic graph ---------------------------------------------------------- */

enum { MANY = 60, DENSE = 400 };

static bool reaches(bool (*edges)[MANY], int from, int to, bool *seen) {
    if (from == to) return true;
    seen[from] = true;
    for (int i = 0; i < MANY; i++)
        if (edges[from][i] && !seen[i] && reaches(edges, i, to, seen)) return true;
    return false;
}

/* Undirected: an edge that joins what is joined already. */
static void test_order(void **state) {
    for (int undirected = 0; undirected < 2; undirected++)
        for (int round = 0; round < 12; round++) {
            brant_db *db = must_open(in_folder(*state, "order.db"), "");
            bool edges[MANY][MANY] = {{false}};
            define(db, undirected ? "{\"$id\":\"a\",\"$defs\":{\"Config\":{\"properties\":{"
                                    "\"acyclic\":{\"const\":true},\"directed\":{\"const\":"
                                    "\"undirected\"}}}}}"
                                  : "{\"$id\":\"a\",\"$defs\":{\"Config\":{\"properties\":{"
                                    "\"acyclic\":{\"const\":true}}}}}");
            holds(db, "graphs.create", "\"id\"", "{\"name\":\"g\",\"graph_type\":\"a\"}");
            for (int i = 0; i < MANY; i++)
                holds(db, "nodes.put", "true", "{\"graph\":\"g\",\"key\":\"%02d\"}", i);
            /* Some batches: what one wrote is what the next begins with; small ones are tested in another way. */
            for (int batch = 0; batch < 5; batch++) {
                int count = batch == 1 ? 20 : DENSE / (undirected ? 8 : 1), failed = 0;
                brant__buffer text = {0};
                for (int i = 0; i < count; i++) {
                    int a = pick(MANY), b = pick(MANY);
                    bool seen[MANY] = {false};
                    brant__buffer_format(&text, "%s{\"source\":\"%02d\",\"target\":\"%02d\"}",
                                         i ? "," : "", a, b);
                    if (undirected && a > b) {
                        int swap = a;
                        a = b;
                        b = swap;
                    }
                    if (edges[a][b] && a != b) continue; /* written again */
                    if (a == b || reaches(edges, b, a, seen)) {
                        failed++;
                        continue;
                    }
                    edges[a][b] = true;
                    if (undirected) edges[b][a] = true;
                }
                brant__buffer_append(&text, "", 1);
                {
                    char wanted[64];
                    snprintf(wanted, sizeof wanted, "\"failed\":%d,", failed);
                    holds(db, "edges.put_many", wanted,
                          "{\"graph\":\"g\",\"errors\":\"skip\",\"items\":[%s]}", text.data);
                }
                brant__buffer_free(&text);
            }
            {
                brant__json list =
                    parsed(answer(db, "edges.list", "{\"graph\":\"g\",\"limit\":10000}"));
                size_t index, count, all = 0;
                yyjson_val *value;
                yyjson_arr_foreach(brant__json_get(list.root, "items"), index, count, value)
                    assert_true(edges[atoi(brant__json_get_text(value, "source").data)]
                                     [atoi(brant__json_get_text(value, "target").data)]);
                for (int i = 0; i < MANY; i++)
                    for (int j = undirected ? i : 0; j < MANY; j++)
                        all += edges[i][j];
                assert_int_equal(yyjson_arr_size(brant__json_get(list.root, "items")), all);
                brant__json_free(&list);
            }
            healthy(db);
            brant_db_free(db);
            unlink(in_folder(*state, "order.db"));
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(test_random_batches),
        GRAPH_TEST(test_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
