/*
 * tests/core/test_graph_random.c: many random operations by two handles on one file, each compared
 * with a model in memory.
 *
 * Five graphs (directed, undirected, multi, acyclic, forest) over few keys, so that everything
 * meets everything: puts with and without types, keys and required revisions, batches with faults,
 * cascades, nested transactions that are kept or undone, lists, neighbours, closures by both ways.
 * The seed is printed; BRANT_SEED and BRANT_OPERATIONS choose others.
 */
#include "test_graph.h"

#include <time.h>

#include "graph/internal.h"

#define KEYS   18
#define TYPES  2
#define EDGES  400
#define GRAPHS 5
#define DEPTH  4

enum { DIRECTED, UNDIRECTED, MULTI, ACYCLIC, FOREST };
static const char *const graphs[GRAPHS] = {"directed", "undirected", "multi", "acyclic", "forest"};

typedef struct model_node {
    bool exists;
    int type, revision, value, order;
} model_node;

typedef struct model_edge {
    char key[40]; /* "": derived */
    int source, type, target, revision, value, order;
} model_edge;

typedef struct model {
    model_node nodes[GRAPHS][KEYS];
    model_edge edges[GRAPHS][EDGES];
    int edge_count[GRAPHS];
    int order; /* of creation */
} model;

static uint64_t random_state;
static unsigned draw(unsigned below) {
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)((random_state >> 33) % below);
}

static bool undirected(int g) {
    return g == UNDIRECTED || g == FOREST;
}

/* ---- the model ------------------------------------------------------------------------------- */

static model_edge *find_by_key(model *m, int g, const char *key) {
    for (int i = 0; i < m->edge_count[g]; i++)
        if (strcmp(m->edges[g][i].key, key) == 0) return &m->edges[g][i];
    return NULL;
}

static model_edge *find_by_ends(model *m, int g, int source, int type, int target) {
    for (int i = 0; i < m->edge_count[g]; i++) {
        model_edge *e = &m->edges[g][i];
        if (e->source == source && e->type == type && e->target == target) return e;
    }
    return NULL;
}

static void remove_edge(model *m, int g, model_edge *edge) {
    int at = (int)(edge - m->edges[g]);

    memmove(edge, edge + 1, (size_t)(m->edge_count[g] - at - 1) * sizeof(*edge));
    m->edge_count[g]--;
}

typedef struct node_put {
    int key, type, revision, value; /* type, revision -1: not given */
} node_put;

static brant_status model_put_node(model *m, int g, const node_put *put, bool *created) {
    model_node *node = &m->nodes[g][put->key];
    int type = put->type;

    *created = !node->exists;
    if (type >= 0 && node->exists && type != node->type) return BRANT_CONSTRAINT;
    if (type < 0 && !node->exists) return BRANT_INVALID;
    if (put->revision >= 0 && put->revision != (node->exists ? node->revision : 0))
        return BRANT_CONFLICT;
    if (*created) *node = (model_node){true, type, 0, 0, ++m->order};
    node->revision++;
    node->value = put->value;
    return BRANT_OK;
}

typedef struct edge_put {
    int source, type, target, revision, value; /* type, revision -1: not given */
    char key[40];                              /* "": not given */
    bool derived;                              /* the key is given as the derived text */
} edge_put;

static brant_status model_put_edge(model *m, int g, const edge_put *put, bool *created,
                                   model_edge **out) {
    int source = put->source, target = put->target, type = put->type;
    model_edge *edge = NULL;

    if (!m->nodes[g][source].exists || !m->nodes[g][target].exists) return BRANT_NOT_FOUND;
    if (undirected(g) && source > target) {
        int swap = source;
        source = target;
        target = swap;
    }
    if (*put->key) edge = find_by_key(m, g, put->key);
    if (type < 0 && edge) type = edge->type;
    if (type < 0) return BRANT_INVALID;
    if (edge) {
        if (edge->source != source || edge->target != target || edge->type != type)
            return BRANT_CONSTRAINT;
    } else if (g != MULTI) {
        edge = find_by_ends(m, g, source, type, target);
        if (edge && *put->key) return BRANT_CONSTRAINT;
    }
    if (put->revision >= 0 && put->revision != (edge ? edge->revision : 0)) return BRANT_CONFLICT;
    if (g >= ACYCLIC && !edge && source == target) return BRANT_CONSTRAINT;
    *created = !edge;
    if (!edge) {
        edge = &m->edges[g][m->edge_count[g]++];
        *edge = (model_edge){.source = source, .type = type, .target = target, .order = ++m->order};
        strcpy(edge->key, put->key);
    }
    edge->revision++;
    edge->value = put->value;
    *out = edge;
    return BRANT_OK;
}

/* Directed: take away nodes that nothing points to; undirected: join the ends of each edge. */
static bool has_cycle(const model *m, int g) {
    int group[KEYS], left = KEYS;
    bool gone[KEYS] = {false}, moved = true;

    if (g == FOREST) {
        for (int i = 0; i < KEYS; i++)
            group[i] = i;
        for (int i = 0; i < m->edge_count[g]; i++) {
            int from = group[m->edges[g][i].source], to = group[m->edges[g][i].target];
            if (from == to) return true;
            for (int j = 0; j < KEYS; j++)
                if (group[j] == from) group[j] = to;
        }
        return false;
    }
    while (moved) {
        bool pointed[KEYS] = {false};
        moved = false;
        for (int i = 0; i < m->edge_count[g]; i++)
            if (!gone[m->edges[g][i].source]) pointed[m->edges[g][i].target] = true;
        for (int i = 0; i < KEYS; i++) {
            if (gone[i] || pointed[i]) continue;
            gone[i] = moved = true;
            left--;
        }
    }
    return left > 0;
}

static const char *key_of(int g, const model_edge *edge) {
    static char texts[4][64];
    static int turn;

    (void)g;
    if (*edge->key) return edge->key;
    turn = (turn + 1) % 4;
    sprintf(texts[turn], "[\\\"k%02d\\\",\\\"E%d\\\",\\\"k%02d\\\"]", edge->source, edge->type,
            edge->target);
    return texts[turn];
}

/* ---- the call -------------------------------------------------------------------------------- */

static void expect(brant_db *db, const char *name, const char *json, brant_status wanted,
                   const char *text) {
    char *got = NULL;
    size_t length;
    brant_status status = brant_call(&got, &length, db, TEXT(name), TEXT(json));

    if (status != wanted)
        fail_msg("%s %s: wanted %s, got %s %s", name, json, brant_status_name(wanted),
                 brant_status_name(status), status ? brant_last_error()->message : got);
    if (status == BRANT_OK && text && strcmp(got, text) != 0)
        fail_msg("%s %s: wanted %s, got %s", name, json, text, got);
    brant_free(got);
}

static char json[60000], wanted[60000];

static size_t write_node_put(char *out, const node_put *put) {
    size_t length =
        (size_t)sprintf(out, "\"key\":\"k%02d\",\"attributes\":{\"v\":%d}", put->key, put->value);

    if (put->type >= 0) length += (size_t)sprintf(out + length, ",\"type\":\"N%d\"", put->type);
    if (put->revision >= 0)
        length += (size_t)sprintf(out + length, ",\"revision\":%d", put->revision);
    return length;
}

static size_t write_edge_put(char *out, const edge_put *put) {
    size_t length =
        (size_t)sprintf(out, "\"source\":\"k%02d\",\"target\":\"k%02d\",\"attributes\":{\"v\":%d}",
                        put->source, put->target, put->value);

    if (put->derived)
        length +=
            (size_t)sprintf(out + length, ",\"key\":\"[\\\"k%02d\\\",\\\"E%d\\\",\\\"k%02d\\\"]\"",
                            put->source, put->type, put->target);
    if (*put->key) length += (size_t)sprintf(out + length, ",\"key\":\"%s\"", put->key);
    if (put->type >= 0) length += (size_t)sprintf(out + length, ",\"type\":\"E%d\"", put->type);
    if (put->revision >= 0)
        length += (size_t)sprintf(out + length, ",\"revision\":%d", put->revision);
    return length;
}

static node_put draw_node(const model *m, int g) {
    node_put put = {(int)draw(KEYS), (int)draw(TYPES), -1, (int)draw(1000)};
    const model_node *node = &m->nodes[g][put.key];

    if (node->exists && draw(20)) put.type = draw(2) ? node->type : -1;
    if (!node->exists && draw(40) == 0) put.type = -1;
    if (draw(8) == 0) put.revision = draw(8) ? (node->exists ? node->revision : 0) : (int)draw(5);
    return put;
}

static edge_put draw_edge(model *m, int g) {
    edge_put put = {
        (int)draw(KEYS), (int)draw(TYPES), (int)draw(KEYS), -1, (int)draw(1000), "", false};

    if (draw(10)) { /* mostly ends that exist */
        for (int i = 0; i < 30 && !m->nodes[g][put.source].exists; i++)
            put.source = (int)draw(KEYS);
        for (int i = 0; i < 30 && !m->nodes[g][put.target].exists; i++)
            put.target = (int)draw(KEYS);
    }
    if (draw(4) == 0)
        sprintf(put.key, "e%u", draw(40));
    else if (g != MULTI && draw(5) == 0)
        put.derived = true;
    if (*put.key && draw(3)) { /* mostly the edge of that key */
        model_edge *edge = find_by_key(m, g, put.key);
        if (edge) {
            put.source = edge->source;
            put.target = edge->target;
            put.type = draw(2) ? edge->type : -1;
            if (draw(4) == 0) put.revision = edge->revision;
        }
    }
    if (draw(30) == 0 && !put.derived) put.type = -1;
    if (draw(20) == 0) put.revision = (int)draw(4);
    return put;
}

/* ---- operations ------------------------------------------------------------------------------ */

static void put_nodes(brant_db *db, model *m, int g, bool many) {
    static model before;
    int count = many ? (draw(30) ? 1 + (int)draw(6) : 64 + (int)draw(40)) : 1, created_count = 0;
    brant_status status = BRANT_OK;
    size_t length = (size_t)sprintf(
        json, many ? "{\"graph\":\"%s\",\"items\":[" : "{\"graph\":\"%s\",", graphs[g]);
    bool created = false;
    node_put put;

    before = *m;
    for (int i = 0; i < count; i++) {
        brant_status fault;
        put = draw_node(m, g);
        if (many && count > 6) put.revision = -1;
        length += (size_t)sprintf(json + length, many ? (i ? ",{" : "{") : "");
        length += write_node_put(json + length, &put);
        if (many) json[length++] = '}';
        fault = model_put_node(m, g, &put, &created);
        if (status == BRANT_OK) status = fault;
        created_count += fault == BRANT_OK && created;
    }
    strcpy(json + length, many ? "]}" : "}");
    if (many)
        sprintf(wanted, "{\"created\":%d,\"updated\":%d}", created_count, count - created_count);
    else
        sprintf(wanted, "{\"key\":\"k%02d\",\"created\":%s,\"revision\":%d}", put.key,
                created ? "true" : "false", m->nodes[g][put.key].revision);
    if (status != BRANT_OK) *m = before;
    expect(db, many ? "nodes.put_many" : "nodes.put", json, status, wanted);
}

static void put_edges(brant_db *db, model *m, int g, bool many) {
    static model before;
    int count = many ? (draw(30) ? 1 + (int)draw(6) : 64 + (int)draw(40)) : 1, created_count = 0;
    brant_status status = BRANT_OK;
    size_t length = (size_t)sprintf(
        json, many ? "{\"graph\":\"%s\",\"items\":[" : "{\"graph\":\"%s\",", graphs[g]);
    model_edge *edge = NULL;
    bool created = false;

    if (m->edge_count[g] + count > EDGES) return;
    before = *m;
    for (int i = 0; i < count; i++) {
        brant_status fault;
        edge_put put = draw_edge(m, g);
        /* New edges of multi graphs get keys that the model cannot know: in batches they are given.
         */
        if (g == MULTI && many && !*put.key) sprintf(put.key, "u%d.%d", m->order, i);
        length += (size_t)sprintf(json + length, many ? (i ? ",{" : "{") : "");
        length += write_edge_put(json + length, &put);
        if (many) json[length++] = '}';
        fault = model_put_edge(m, g, &put, &created, &edge);
        if (status == BRANT_OK) status = fault;
        created_count += fault == BRANT_OK && created;
    }
    strcpy(json + length, many ? "]}" : "}");
    if (status == BRANT_OK && g >= ACYCLIC && has_cycle(m, g)) status = BRANT_CONSTRAINT;
    if (status != BRANT_OK) {
        *m = before;
        expect(db, many ? "edges.put_many" : "edges.put", json, status, NULL);
    } else if (many) {
        sprintf(wanted, "{\"created\":%d,\"updated\":%d}", created_count, count - created_count);
        expect(db, "edges.put_many", json, BRANT_OK, wanted);
    } else if (g == MULTI && created && !*edge->key) {
        char *got = must_call(db, "edges.put", json, "\"created\":true,\"revision\":1}");
        memcpy(edge->key, strstr(got, "\"key\":\"") + 7, 36);
        edge->key[36] = 0;
        brant_free(got);
    } else {
        sprintf(wanted, "{\"key\":\"%s\",\"created\":%s,\"revision\":%d}", key_of(g, edge),
                created ? "true" : "false", edge->revision);
        expect(db, "edges.put", json, BRANT_OK, wanted);
    }
}

static void delete_node(brant_db *db, model *m, int g) {
    int key = (int)draw(KEYS), edges = 0;
    bool cascade = draw(3) == 0;

    sprintf(json, "{\"graph\":\"%s\",\"key\":\"k%02d\"%s}", graphs[g], key,
            cascade ? ",\"edges\":\"delete\"" : "");
    if (!m->nodes[g][key].exists) {
        expect(db, "nodes.delete", json, BRANT_NOT_FOUND, NULL);
        return;
    }
    for (int i = 0; i < m->edge_count[g]; i++)
        edges += m->edges[g][i].source == key || m->edges[g][i].target == key;
    if (edges && !cascade) {
        expect(db, "nodes.delete", json, BRANT_CONSTRAINT, NULL);
        return;
    }
    for (int i = m->edge_count[g] - 1; i >= 0; i--)
        if (m->edges[g][i].source == key || m->edges[g][i].target == key)
            remove_edge(m, g, &m->edges[g][i]);
    m->nodes[g][key].exists = false;
    sprintf(wanted, "{\"deleted\":true,\"edges\":%d}", edges);
    expect(db, "nodes.delete", json, BRANT_OK, wanted);
}

static void delete_edge(brant_db *db, model *m, int g) {
    model_edge *edge;
    char key[64];

    if (m->edge_count[g] == 0) return;
    edge = &m->edges[g][draw((unsigned)m->edge_count[g])];
    strcpy(key, key_of(g, edge));
    if (draw(5) == 0) { /* one that may be or not be */
        sprintf(key, "[\\\"k%02d\\\",\\\"E%d\\\",\\\"k%02d\\\"]", (int)draw(KEYS), (int)draw(TYPES),
                (int)draw(KEYS));
        edge = g == MULTI ? NULL : find_by_ends(m, g, atoi(key + 4), key[12] - '0', atoi(key + 19));
        if (undirected(g) && !edge)
            edge = find_by_ends(m, g, atoi(key + 19), key[12] - '0', atoi(key + 4));
    }
    sprintf(json, "{\"graph\":\"%s\",\"key\":\"%s\"}", graphs[g], key);
    expect(db, "edges.exists", json, BRANT_OK, edge ? "{\"exists\":true}" : "{\"exists\":false}");
    expect(db, "edges.delete", json, edge ? BRANT_OK : BRANT_NOT_FOUND, "{\"deleted\":true}");
    if (edge) remove_edge(m, g, edge);
}

static void read_counts(brant_db *db, model *m, int g) {
    int nodes[TYPES + 1] = {0}, edges[TYPES + 1] = {0};

    for (int i = 0; i < KEYS; i++)
        if (m->nodes[g][i].exists) nodes[m->nodes[g][i].type]++, nodes[TYPES]++;
    for (int i = 0; i < m->edge_count[g]; i++)
        edges[m->edges[g][i].type]++, edges[TYPES]++;
    for (int type = 0; type <= TYPES; type++) {
        char filter[32] = "";
        if (type < TYPES) sprintf(filter, ",\"type\":\"N%d\"", type);
        sprintf(json, "{\"graph\":\"%s\"%s}", graphs[g], filter);
        sprintf(wanted, "{\"count\":%d}", nodes[type]);
        expect(db, "nodes.count", json, BRANT_OK, wanted);
        if (type < TYPES) sprintf(filter, ",\"type\":\"E%d\"", type);
        sprintf(json, "{\"graph\":\"%s\"%s}", graphs[g], filter);
        sprintf(wanted, "{\"count\":%d}", edges[type]);
        expect(db, "edges.count", json, BRANT_OK, wanted);
    }
}

static void read_node(brant_db *db, model *m, int g) {
    int key = (int)draw(KEYS);
    model_node *node = &m->nodes[g][key];

    sprintf(json, "{\"graph\":\"%s\",\"key\":\"k%02d\"}", graphs[g], key);
    sprintf(wanted,
            "{\"key\":\"k%02d\",\"type\":\"N%d\",\"attributes\":{\"v\":%d},\"metadata\":{},"
            "\"revision\":%d,",
            key, node->type, node->value, node->revision);
    if (node->exists)
        must(db, "nodes.get", json, wanted);
    else
        expect(db, "nodes.get", json, BRANT_NOT_FOUND, NULL);
}

static void read_edge(brant_db *db, model *m, int g) {
    model_edge *edge;

    if (m->edge_count[g] == 0) return;
    edge = &m->edges[g][draw((unsigned)m->edge_count[g])];
    sprintf(json, "{\"graph\":\"%s\",\"key\":\"%s\"}", graphs[g], key_of(g, edge));
    sprintf(wanted,
            "{\"key\":\"%s\",\"type\":\"E%d\",\"source\":\"k%02d\",\"target\":\"k%02d\","
            "\"attributes\":{\"v\":%d},\"metadata\":{},\"revision\":%d,",
            key_of(g, edge), edge->type, edge->source, edge->target, edge->value, edge->revision);
    must(db, "edges.get", json, wanted);
}

static model *sort_model;
static int sort_graph, sort_node;

static int compare_listed(const void *a, const void *b) {
    const model_edge *x = a, *y = b;

    if (x->source != y->source) return x->source - y->source;
    if (x->type != y->type) return x->type - y->type;
    if (x->target != y->target)
        return sort_model->nodes[sort_graph][x->target].order -
               sort_model->nodes[sort_graph][y->target].order;
    return x->order - y->order;
}

/* edges.list in pages against the sorted model. */
static void list_edges(brant_db *db, model *m, int g) {
    static model_edge sorted[EDGES];
    int count = 0, seen = 0, limit = 1 + (int)draw(40), source = draw(3) ? -1 : (int)draw(KEYS),
        target = draw(3) ? -1 : (int)draw(KEYS), type = draw(3) ? -1 : (int)draw(TYPES);
    char *cursor = strdup("");

    if (undirected(g) && source >= 0 && target >= 0 && source > target) source = target;
    for (int i = 0; i < m->edge_count[g]; i++) {
        const model_edge *edge = &m->edges[g][i];
        if ((source < 0 || edge->source == source) && (target < 0 || edge->target == target) &&
            (type < 0 || edge->type == type))
            sorted[count++] = *edge;
    }
    sort_model = m;
    sort_graph = g;
    qsort(sorted, (size_t)count, sizeof(*sorted), compare_listed);
    do {
        brant__json page;
        yyjson_val *items, *next;
        char *got;
        size_t length = (size_t)sprintf(json, "{\"graph\":\"%s\",\"limit\":%d", graphs[g], limit);
        if (source >= 0) length += (size_t)sprintf(json + length, ",\"source\":\"k%02d\"", source);
        if (target >= 0) length += (size_t)sprintf(json + length, ",\"target\":\"k%02d\"", target);
        if (type >= 0) length += (size_t)sprintf(json + length, ",\"type\":\"E%d\"", type);
        if (*cursor) length += (size_t)sprintf(json + length, ",\"cursor\":\"%s\"", cursor);
        strcpy(json + length, "}");
        got = must_call(db, "edges.list", json, NULL);
        page = parsed(got);
        items = brant__json_get(page.root, "items");
        next = brant__json_get(page.root, "cursor");
        for (size_t i = 0; i < yyjson_arr_size(items); i++, seen++) {
            char key[128] = "";
            const char *text = yyjson_get_str(brant__json_get(yyjson_arr_get(items, i), "key"));
            for (const char *at = text; *at; at++)
                sprintf(key + strlen(key), *at == '"' ? "\\\"" : "%c", *at);
            if (seen >= count || strcmp(key, key_of(g, &sorted[seen])) != 0)
                fail_msg("edges.list %s: %s stands at %d", json, key, seen);
        }
        free(cursor);
        cursor = strdup(yyjson_is_str(next) ? yyjson_get_str(next) : "");
        brant__json_free(&page);
        brant_free(got);
    } while (*cursor);
    free(cursor);
    assert_int_equal(seen, count);
}

static int other_end(const model_edge *edge, bool in) {
    return in ? edge->source : edge->target;
}

static bool sort_in;
static int compare_neighbors(const void *a, const void *b) {
    const model_edge *x = a, *y = b;
    int p = other_end(x, sort_in), q = other_end(y, sort_in);

    if (x->type != y->type) return x->type - y->type;
    if (p != q)
        return sort_model->nodes[sort_graph][p].order - sort_model->nodes[sort_graph][q].order;
    return x->order - y->order;
}

static void list_neighbors(brant_db *db, model *m, int g) {
    static const char *const names[] = {"out", "in", "both"};
    static model_edge sorted[EDGES * 2];
    int key = (int)draw(KEYS), direction = (int)draw(3), count = 0, split;
    brant__json page;
    yyjson_val *items;
    char *got;

    sprintf(json, "{\"graph\":\"%s\",\"key\":\"k%02d\",\"direction\":\"%s\"}", graphs[g], key,
            names[direction]);
    if (!m->nodes[g][key].exists) {
        expect(db, "nodes.neighbors", json, BRANT_NOT_FOUND, NULL);
        return;
    }
    if (undirected(g)) direction = 2;
    sort_model = m;
    sort_graph = g;
    sort_node = key;
    for (int i = 0; i < m->edge_count[g]; i++)
        if (direction != 1 && m->edges[g][i].source == key) sorted[count++] = m->edges[g][i];
    sort_in = false;
    qsort(sorted, (size_t)count, sizeof(*sorted), compare_neighbors);
    split = count;
    for (int i = 0; i < m->edge_count[g]; i++) {
        const model_edge *edge = &m->edges[g][i];
        if (direction != 0 && edge->target == key && (direction == 1 || edge->source != key))
            sorted[count++] = *edge;
    }
    sort_in = true;
    qsort(sorted + split, (size_t)(count - split), sizeof(*sorted), compare_neighbors);
    got = must_call(db, "nodes.neighbors", json, "\"cursor\":null}");
    page = parsed(got);
    items = brant__json_get(page.root, "items");
    if (yyjson_arr_size(items) != (size_t)count)
        fail_msg("nodes.neighbors %s: %zu and not %d: %s", json, yyjson_arr_size(items), count,
                 got);
    for (int i = 0; i < count; i++) {
        yyjson_val *item = yyjson_arr_get(items, (size_t)i);
        char name[8], ends[16];
        sprintf(name, "k%02d", other_end(&sorted[i], i >= split));
        sprintf(ends, "k%02d", sorted[i].target);
        if (strcmp(yyjson_get_str(brant__json_get(item, "key")), name) != 0 ||
            yyjson_get_str(brant__json_get(item, "type"))[1] !=
                '0' + m->nodes[g][other_end(&sorted[i], i >= split)].type ||
            strcmp(yyjson_get_str(brant__json_get(brant__json_get(item, "edge"), "target")),
                   ends) != 0)
            fail_msg("nodes.neighbors %s: at %d not %s: %s", json, i, name, got);
    }
    brant__json_free(&page);
    brant_free(got);
}

static void close_over(brant_db *db, model *m, int g) {
    static const char *const names[] = {"out", "in", "both"};
    int direction = (int)draw(3), depth = draw(3) ? 1000 : (int)draw(4),
        limit = draw(4) ? 1000 : 1 + (int)draw(6), type = draw(4) ? -1 : (int)draw(TYPES);
    int start[2] = {(int)draw(KEYS), (int)draw(KEYS)}, count = 0, keys[KEYS], depths[KEYS],
        parents[KEYS];
    bool seen[KEYS] = {false}, truncated = false;
    size_t length;

    length = (size_t)sprintf(
        json, "{\"graph\":\"%s\",\"keys\":[\"k%02d\",\"k%02d\"],\"direction\":\"%s\"", graphs[g],
        start[0], start[1], names[direction]);
    if (depth < 1000) length += (size_t)sprintf(json + length, ",\"max_depth\":%d", depth);
    if (limit < 1000) length += (size_t)sprintf(json + length, ",\"limit\":%d", limit);
    if (type >= 0) length += (size_t)sprintf(json + length, ",\"edge_types\":[\"E%d\"]", type);
    strcpy(json + length, "}");
    if (!m->nodes[g][start[0]].exists || !m->nodes[g][start[1]].exists) {
        if (limit > 1 || !m->nodes[g][start[0]].exists)
            expect(db, "nodes.closure", json, BRANT_NOT_FOUND, NULL);
        return;
    }
    if (undirected(g)) direction = 2;
    for (int i = 0; i < 2; i++) {
        if (seen[start[i]]) continue;
        if (count == limit) {
            truncated = true;
            break;
        }
        seen[start[i]] = true;
        keys[count] = start[i];
        depths[count] = 0;
        parents[count++] = -1;
    }
    for (int head = 0; head < count && !truncated; head++) {
        bool next[KEYS] = {false};
        if (depths[head] >= depth) continue;
        for (int i = 0; i < m->edge_count[g]; i++) {
            const model_edge *edge = &m->edges[g][i];
            if (type >= 0 && edge->type != type) continue;
            if (direction != 1 && edge->source == keys[head]) next[edge->target] = true;
            if (direction != 0 && edge->target == keys[head]) next[edge->source] = true;
        }
        for (int i = 0; i < KEYS && !truncated; i++) {
            if (!next[i] || seen[i]) continue;
            if (count == limit) {
                truncated = true;
                break;
            }
            seen[i] = true;
            keys[count] = i;
            depths[count] = depths[head] + 1;
            parents[count++] = head;
        }
    }
    length = (size_t)sprintf(wanted, "{\"keys\":[");
    for (int i = 0; i < count; i++)
        length += (size_t)sprintf(wanted + length, "%s\"k%02d\"", i ? "," : "", keys[i]);
    length += (size_t)sprintf(wanted + length, "],\"depths\":[");
    for (int i = 0; i < count; i++)
        length += (size_t)sprintf(wanted + length, "%s%d", i ? "," : "", depths[i]);
    length += (size_t)sprintf(wanted + length, "],\"parents\":[");
    for (int i = 0; i < count; i++)
        length += (size_t)sprintf(wanted + length, "%s%d", i ? "," : "", parents[i]);
    sprintf(wanted + length, "],\"truncated\":%s}", truncated ? "true" : "false");
    expect(db, "nodes.closure", json, BRANT_OK, wanted);
}

static void test_random(void **state) {
    static model levels[DEPTH + 1];
    model *m = &levels[0];
    brant_db *handles[2], *db;
    const char *seed = getenv("BRANT_SEED"), *operations = getenv("BRANT_OPERATIONS");
    long count = operations ? atol(operations) : 100000;
    int depth = 0, owner = 0;

    random_state =
        seed ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL) * 1000003 + (uint64_t)getpid();
    print_message("BRANT_SEED=%llu\n", (unsigned long long)random_state);
    memset(levels, 0, sizeof(levels));
    for (int i = 0; i < 2; i++)
        handles[i] = must_open(in_folder(*state, "a.db"), "");
    for (int g = 0; g < GRAPHS; g++) {
        holds(handles[0], "graph_types.define", "\"id\"",
              "{\"module\":{\"$id\":\"%s\",\"$defs\":{\"Config\":{\"directed\":\"%s\",\"multi\":%s,"
              "\"acyclic\":%s}"
              ",\"N0Node\":{\"type\":\"object\"},\"N1Node\":{\"type\":\"object\"},\"E0Edge\":{"
              "\"type\":\"object\"},\"E1Edge\":{\"type\":\"object\"}}}}",
              graphs[g], undirected(g) ? "undirected" : "directed", g == MULTI ? "true" : "false",
              g >= ACYCLIC ? "true" : "false");
        holds(handles[0], "graphs.create", "\"id\"", "{\"name\":\"%s\",\"graph_type\":\"%s\"}",
              graphs[g], graphs[g]);
    }
    for (long i = 0; i < count; i++) {
        int g = (int)draw(GRAPHS);
        if (depth == 0) owner = (int)draw(2);
        db = handles[owner];
        if (i % 997 == 0) { /* closures by the other way from now on */
            brant__graphs *kept;
            assert_int_equal(brant__enter(db), BRANT_OK);
            assert_int_equal(brant__graphs_state(&kept, db), BRANT_OK);
            kept->walk_edges = draw(2) ? 0 : 20000;
            brant__leave(db);
        }
        switch (draw(depth ? 26 : 24)) {
        case 0:
        case 1:
        case 2:
            put_nodes(db, m, g, false);
            break;
        case 3:
            put_nodes(db, m, g, true);
            break;
        case 4:
            delete_node(db, m, g);
            break;
        case 5:
        case 6:
        case 7:
        case 8:
            put_edges(db, m, g, false);
            break;
        case 9:
        case 10:
            put_edges(db, m, g, true);
            break;
        case 11:
        case 12:
            delete_edge(db, m, g);
            break;
        case 13:
            read_counts(db, m, g);
            break;
        case 14:
        case 15:
            read_node(db, m, g);
            break;
        case 16:
            read_edge(db, m, g);
            break;
        case 17:
            list_edges(db, m, g);
            break;
        case 18:
        case 19:
            list_neighbors(db, m, g);
            break;
        case 20:
        case 21:
        case 22:
            close_over(db, m, g);
            break;
        case 23:
            if (depth == DEPTH) break;
            must(db, "transaction.begin", "{}", "depth");
            levels[depth + 1] = levels[depth];
            m = &levels[++depth];
            break;
        case 24:
            must(db, "transaction.commit", "{}", "depth");
            levels[depth - 1] = levels[depth];
            m = &levels[--depth];
            break;
        default:
            must(db, "transaction.rollback", "{}", "depth");
            /* Orders of creation grow all the same: only their sequence counts. */
            levels[depth - 1].order = levels[depth].order;
            m = &levels[--depth];
            break;
        }
        if (i % 20000 == 19999 && depth == 0) healthy(db);
    }
    while (depth-- > 0)
        must(handles[owner], "transaction.rollback", "{}", "depth");
    healthy(handles[0]);
    for (int i = 0; i < 2; i++)
        brant_db_free(handles[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {GRAPH_TEST(test_random)};
    return cmocka_run_group_tests_name("graph_random", tests, NULL, NULL);
}
