/*
 * tests/core/test_graph_memory.c: each operation with its first, second, third .. allocation
 * failing: it says NO_MEMORY or does without, never lies, leaves nothing behind, and works the next
 * time.
 */
#include "test_seal.h"

#include "graph/internal.h"

/* Fails one request, or all from one on. */
static struct {
    size_t left;
    bool armed, all, failed;
} refusal;

static bool refuses(void) {
    if (!refusal.armed) return false;
    if (refusal.left > 0) {
        refusal.left--;
        return false;
    }
    refusal.failed = true;
    if (!refusal.all) refusal.armed = false;
    return true;
}

static void *allocate(void *context, size_t size) {
    (void)context;
    return refuses() ? NULL : malloc(size);
}

static void release(void *context, void *memory) {
    (void)context;
    free(memory);
}

static char *many(const char *head, int count, const char *item) {
    char *text = malloc(200 + (size_t)count * 200);
    size_t length = (size_t)sprintf(text, "%s", head);

    for (int i = 0; i < count; i++) {
        if (i) text[length++] = ',';
        for (const char *at = item; *at; at++) {
            if (*at == '#')
                length += (size_t)sprintf(text + length, "%d", i);
            else if (*at == '+')
                length += (size_t)sprintf(text + length, "%d", i + 1);
            else
                text[length++] = *at;
        }
    }
    strcpy(text + length, "]}");
    return text;
}

/* How many graphs, nodes and edges there are, and what they are. */
static char *summary(brant_db *db) {
    char *text =
        must_call(db, "sql.execute",
                  "{\"sql\":\"SELECT (SELECT count(*) FROM graph_types), (SELECT group_concat(name "
                  "|| status || metadata || nodes || ',' || edges || ',' || shape) FROM graphs),"
                  " (SELECT count(*) || ',' || coalesce(sum(revision), 0) FROM nodes), (SELECT "
                  "count(*) || ',' || coalesce(sum(revision), 0) FROM edges),"
                  " (SELECT group_concat(graph || kind || type || count) FROM graph_counts), "
                  "(SELECT count(*) FROM notifications)\"}",
                  NULL);

    *strstr(text, "\"changes\"") = 0;
    return text;
}

static void try_all(brant_db *db, const char *name, const char *json, brant_status wanted) {
    for (int all = 0; all < 2; all++) {
        for (size_t successes = 0;; successes++) {
            char *before, *after, *text = NULL;
            size_t length = 0;
            brant_status status;

            must(db, "transaction.begin", "{}", "1");
            before = summary(db);
            refusal.left = successes;
            refusal.all = all;
            refusal.failed = false;
            refusal.armed = true;
            status = brant_call(&text, &length, db, TEXT(name), TEXT(json));
            refusal.armed = false;
            if (status != wanted && status != BRANT_NO_MEMORY)
                fail_msg("%s after %zu allocations: %s: %s", name, successes,
                         brant_status_name(status), status ? brant_last_error()->message : text);
            if (status != wanted && !refusal.failed)
                fail_msg("%s says NO_MEMORY, and no request was refused", name);
            if (status != BRANT_OK) {
                assert_null(text);
                after = summary(db);
                if (strcmp(before, after) != 0)
                    fail_msg("%s failed after %zu allocations and left something: %s, not %s", name,
                             successes, after, before);
                brant_free(after);
                status = brant_call(&text, &length, db, TEXT(name), TEXT(json)); /* with memory */
                if (status != wanted)
                    fail_msg("%s after a failure: %s: %s", name, brant_status_name(status),
                             brant_last_error()->message);
            }
            brant_free(text);
            brant_free(before);
            must(db, "transaction.rollback", "{}", "0");
            if (!refusal.failed) break;
        }
    }
}

static void set_walk(brant_db *db, size_t edges) {
    brant__graphs *state;

    assert_int_equal(brant__enter(db), BRANT_OK);
    assert_int_equal(brant__graphs_state(&state, db), BRANT_OK);
    state->walk_edges = edges;
    for (size_t i = 0; i < BRANT__GRAPHS_KEPT; i++)
        brant__kept_drop_snapshot(&state->graphs[i]);
    brant__leave(db);
}

static void test_allocations(void **state) {
    static const brant_allocator allocator = {allocate, release, NULL};
    char *nodes = many("{\"graph\":\"g\",\"items\":[", 90,
                       "{\"key\":\"n#\",\"type\":\"Task\",\"attributes\":{\"title\":\"T#\"},"
                       "\"metadata\":{\"m\":#}}");
    char *edges = many("{\"graph\":\"g\",\"items\":[", 70,
                       "{\"source\":\"n#\",\"target\":\"n+\",\"type\":\"DependsOn\"}");
    char *keyed = many("{\"graph\":\"m\",\"items\":[", 40,
                       "{\"source\":\"n#\",\"target\":\"n+\",\"type\":\"Assigned\"}");
    char *faults = many("{\"graph\":\"g\",\"items\":[", 20,
                        "{\"key\":\"f#\",\"type\":\"Task\",\"attributes\":{\"title\":#}}");
    char *others = many("{\"graph\":\"m\",\"items\":[", 45, "{\"key\":\"n#\",\"type\":\"Task\"}");
    brant_db *db;

    brant_allocator_set(&allocator);
    db = must_open(in_folder(*state, "a.db"), "");
    try_all(db, "graph_types.get", "{\"name\":\"open\"}", BRANT_OK);
    try_all(db, "graph_types.list", "{}", BRANT_OK);
    try_all(db, "graph_types.define",
            "{\"module\":" TASK_MODULE("tasks", "\"acyclic\":{\"const\":true}") "}", BRANT_OK);
    define(db, TASK_MODULE("tasks", "\"acyclic\":{\"const\":true}"));
    define(db, "{\"$id\":\"multi\",\"$defs\":{" TASK_CONFIG(
                   "\"multi\":{\"const\":true}") ",\"TaskNode\":{\"type\":\"object\"},"
                                                 "\"AssignedEdge\":{\"type\":\"object\"},"
                                                 "\"AssignedEdgeConstraints\":{\"properties\":{"
                                                 "\"max_out\":{\"const\":3}}}}}");
    try_all(db, "graph_types.validate_node",
            "{\"graph_type\":\"tasks\",\"type\":\"Task\",\"attributes\":{\"title\":1}}", BRANT_OK);
    try_all(db, "graph_types.validate_edge",
            "{\"graph_type\":\"tasks\",\"type\":\"DependsOn\",\"attributes\":{\"x\":1},\"source_"
            "type\":\"Person\"}",
            BRANT_OK);
    try_all(db, "graph_types.delete", "{\"name\":\"tasks\"}", BRANT_OK);
    try_all(db, "graphs.create",
            "{\"name\":\"h\",\"graph_type\":\"open\",\"owner_id\":\"me\",\"metadata\":{\"x\":1}}",
            BRANT_OK);
    holds(db, "graphs.create", "\"id\"",
          "{\"name\":\"g\",\"graph_type\":\"tasks\",\"owner_id\":\"me\"}");
    holds(db, "graphs.create", "\"id\"", "{\"name\":\"m\",\"graph_type\":\"multi\"}");
    try_all(db, "graphs.update",
            "{\"name\":\"g\",\"owner_id\":null,\"status\":\"draft\",\"metadata\":{\"x\":1}}",
            BRANT_OK);
    try_all(db, "graphs.list", "{\"limit\":1}", BRANT_OK);
    try_all(db, "nodes.put",
            "{\"graph\":\"g\",\"key\":\"a\",\"type\":\"Task\",\"attributes\":{\"title\":\"A\"},"
            "\"metadata\":{}}",
            BRANT_OK);
    try_all(db, "nodes.put",
            "{\"graph\":\"g\",\"key\":\"a\",\"type\":\"Task\",\"attributes\":{\"title\":1}}",
            BRANT_VALIDATION);
    try_all(db, "nodes.put_many", nodes, BRANT_OK);
    try_all(db, "nodes.put_many", faults, BRANT_VALIDATION);
    must(db, "nodes.put_many", nodes, "{\"created\":90,");
    must(db, "nodes.put_many", others, "{\"created\":45,");
    try_all(db, "nodes.put_many", nodes, BRANT_OK);
    try_all(db, "edges.put_many", edges, BRANT_OK);
    must(db, "edges.put_many", edges, "{\"created\":70,");
    try_all(db, "edges.put_many", edges, BRANT_OK);
    try_all(db, "edges.put_many", keyed, BRANT_OK);
    must(db, "edges.put_many", keyed, "{\"created\":40,");
    try_all(db, "edges.put",
            "{\"graph\":\"g\",\"source\":\"n5\",\"target\":\"n50\",\"key\":\"[\\\"n5\\\","
            "\\\"Related\\\",\\\"n50\\\"]\"}",
            BRANT_OK);
    try_all(db, "edges.put",
            "{\"graph\":\"g\",\"source\":\"n5\",\"target\":\"n51\",\"type\":\"Related\",\"key\":"
            "\"k\",\"metadata\":{\"x\":1}}",
            BRANT_OK);
    try_all(db, "edges.put",
            "{\"graph\":\"g\",\"source\":\"n50\",\"target\":\"n5\",\"type\":\"Related\"}",
            BRANT_CONSTRAINT);
    try_all(db, "edges.get",
            "{\"graph\":\"g\",\"key\":\"[\\\"n5\\\",\\\"DependsOn\\\",\\\"n6\\\"]\"}", BRANT_OK);
    try_all(db, "edges.list", "{\"graph\":\"g\",\"limit\":5}", BRANT_OK);
    try_all(db, "edges.list", "{\"graph\":\"m\",\"target\":\"n5\"}", BRANT_OK);
    try_all(db, "edges.delete",
            "{\"graph\":\"g\",\"key\":\"[\\\"n5\\\",\\\"DependsOn\\\",\\\"n6\\\"]\"}", BRANT_OK);
    try_all(db, "nodes.get", "{\"graph\":\"g\",\"key\":\"n1\"}", BRANT_OK);
    try_all(db, "nodes.get_many", "{\"graph\":\"g\",\"keys\":[\"n1\",\"x\"]}", BRANT_OK);
    try_all(db, "nodes.list", "{\"graph\":\"g\",\"limit\":5,\"prefix\":\"n\",\"type\":\"Task\"}",
            BRANT_OK);
    try_all(db, "nodes.neighbors",
            "{\"graph\":\"m\",\"key\":\"n5\",\"direction\":\"both\",\"edge_types\":[\"Assigned\"],"
            "\"limit\":1}",
            BRANT_OK);
    for (size_t walk = 0; walk < 20001; walk += 20000) {
        set_walk(db, walk);
        try_all(db, "nodes.closure",
                "{\"graph\":\"g\",\"keys\":[\"n10\",\"n20\"],\"edge_types\":[\"DependsOn\"],"
                "\"direction\":\"both\"}",
                BRANT_OK);
    }
    for (size_t i = 0; i < 3; i++) { /* a new snapshot each time */
        set_walk(db, 0);
        refusal.left = i * 4;
        try_all(db, "nodes.closure", "{\"graph\":\"g\",\"keys\":[\"n10\"]}", BRANT_OK);
    }
    try_all(db, "nodes.delete", "{\"graph\":\"g\",\"key\":\"n5\",\"edges\":\"delete\"}", BRANT_OK);
    try_all(
        db, "nodes.insert_many",
        "{\"graph\":\"g\",\"errors\":\"skip\",\"items\":\"{\\\"key\\\":\\\"new\\\",\\\"type\\\":"
        "\\\"Task\\\",\\\"attributes\\\":{\\\"title\\\":\\\"x\\\"}}\\nbad\\n{\\\"x\\\":1}\"}",
        BRANT_OK);
    try_all(db, "nodes.patch_many",
            "{\"graph\":\"g\",\"items\":[{\"key\":\"n1\",\"attributes\":{\"title\":\"z\"},"
            "\"metadata\":{"
            "\"a\":1}},{\"key\":\"n2\",\"attributes\":{}}]}",
            BRANT_OK);
    try_all(db, "nodes.patch_many",
            "{\"graph\":\"g\",\"items\":[{\"key\":\"n1\",\"attributes\":{\"title\":null}},{\"key\":"
            "\"none\",\"attributes\":{}}]}",
            BRANT_VALIDATION);
    try_all(db, "nodes.delete_many",
            "{\"graph\":\"g\",\"keys\":[\"n1\",\"n2\"],\"edges\":\"delete\"}", BRANT_OK);
    try_all(db, "edges.delete_many", "{\"graph\":\"g\",\"filter\":{\"source\":\"n3\"}}", BRANT_OK);
    try_all(db, "db.erase", "{\"values\":[\"n1\",\"t\"],\"action\":\"redact\"}", BRANT_OK);
    try_all(db, "graph_types.set_retention",
            "{\"name\":\"tasks\",\"rules\":{\"nodes\":[{\"older_than\":5,\"filter\":{\"key\":\"x\"}"
            "}]}}",
            BRANT_OK);
    try_all(db, "graphs.delete", "{\"name\":\"g\"}", BRANT_OK);
    try_all(db, "graphs.purge", "{\"name\":\"g\",\"limit\":5}", BRANT_OK);
    try_all(db, "graphs.purge", "{\"name\":\"g\"}", BRANT_OK);
    healthy(db);
    try_all(db, "operations.list", "{\"graph_type\":\"tasks\"}", BRANT_OK);
    try_all(db, "types.tasks.Task.put",
            "{\"graph\":\"g\",\"key\":\"typed\",\"attributes\":{\"title\":\"x\"}}", BRANT_OK);
    try_all(db, "types.tasks.Task.put", "{\"graph\":\"g\",\"key\":\"typed\",\"attributes\":{}}",
            BRANT_INVALID);
    must(db, "nodes.put",
         "{\"graph\":\"g\",\"key\":\"typed\",\"type\":\"Task\",\"attributes\":{\"title\":\"x\"}}",
         NULL);
    try_all(db, "types.tasks.Task.get", "{\"graph\":\"g\",\"key\":\"typed\"}", BRANT_OK);
    try_all(db, "types.tasks.Person.get", "{\"graph\":\"g\",\"key\":\"typed\"}", BRANT_NOT_FOUND);
    try_all(db, "types.tasks.Task.patch",
            "{\"graph\":\"g\",\"key\":\"typed\",\"attributes\":{\"priority\":3}}", BRANT_OK);
    try_all(db, "types.tasks.Task.find", "{\"graph\":\"g\"}", BRANT_OK);
    try_all(db, "types.tasks.Task.delete", "{\"graph\":\"g\",\"key\":\"typed\"}", BRANT_OK);
    brant_db_free(db);
    brant_allocator_set(NULL);
    free(nodes);
    free(edges);
    free(keyed);
    free(faults);
    free(others);
}

/* A snapshot, with each allocation of its building failing in turn. */
static void test_snapshot(void **state) {
    static const brant_allocator allocator = {allocate, release, NULL};
    brant_db *db;
    bool refused = true;

    brant_allocator_set(&allocator);
    db = must_open(in_folder(*state, "a.db"), "");
    holds(db, "graphs.create", "\"id\"", "{\"name\":\"g\",\"graph_type\":\"open\"}");
    holds(db, "nodes.put_many", "3",
          "{\"graph\":\"g\",\"items\":[{\"key\":\"a\"},{\"key\":\"b\"},{\"key\":\"c\"}]}");
    holds(db, "edges.put_many", "2",
          "{\"graph\":\"g\",\"items\":[{\"source\":\"a\",\"target\":\"b\"},{\"source\":\"b\","
          "\"target\":\"c\"}]}");
    for (size_t successes = 0; refused; successes++) {
        char *text = NULL;
        size_t length;
        brant_status status;

        set_walk(db, 0);
        refusal.left = successes;
        refusal.all = refusal.failed = false;
        refusal.armed = true;
        status = brant_node_closure(&text, &length, db, TEXT("{\"graph\":\"g\",\"keys\":[\"a\"]}"));
        refusal.armed = false;
        refused = refusal.failed;
        if (status == BRANT_OK)
            assert_string_equal(text, "{\"keys\":[\"a\",\"b\",\"c\"],\"depths\":[0,1,2],"
                                      "\"parents\":[-1,0,1],\"truncated\":false}");
        else
            assert_int_equal(status, BRANT_NO_MEMORY);
        brant_free(text);
    }
    brant_db_free(db);
    brant_allocator_set(NULL);
}

/* Each allocation of what runs on a snapshot, with the snapshot kept or not: the right answer, or
 * none. */
static void test_algorithms(void **state) {
    static const brant_allocator allocator = {allocate, release, NULL};
    static const char *const calls[][2] = {
        {"graphs.components", "{\"graph\":\"g\",\"connection\":\"strong\"}"},
        {"graphs.components", "{\"graph\":\"g\",\"node_filter\":{\"key\":{\"$ne\":\"c\"}}}"},
        {"graphs.count_walks", "{\"graph\":\"g\",\"length\":3,\"sources\":[\"a\"],\"targets\":["
                               "\"a\",\"c\"]}"},
        {"graphs.degrees", "{\"graph\":\"g\",\"descending\":true}"},
        {"graphs.find_cycle", "{\"graph\":\"g\"}"},
        {"graphs.find_cycle", "{\"graph\":\"g\",\"edge_filter\":{\"source\":{\"$ne\":\"b\"}}}"},
        {"graphs.pagerank", "{\"graph\":\"g\",\"weight\":\"attributes.w\",\"default_weight\":1,"
                            "\"personalization\":{\"a\":1}}"},
        {"graphs.paths", "{\"graph\":\"g\",\"source\":\"a\",\"target\":\"d\",\"max_depth\":5}"},
        {"graphs.shortest_path", "{\"graph\":\"g\",\"source\":\"a\",\"target\":\"d\"}"},
        {"graphs.shortest_path", "{\"graph\":\"g\",\"source\":\"a\",\"target\":\"d\",\"weight\":"
                                 "\"attributes.w\",\"default_weight\":1,\"max_depth\":2}"},
        {"graphs.shortest_paths", "{\"graph\":\"g\",\"source\":\"a\"}"},
        {"graphs.shortest_paths", "{\"graph\":\"g\",\"source\":\"a\",\"weight\":\"attributes.w\","
                                  "\"default_weight\":1}"},
        {"graphs.subgraph",
         "{\"graph\":\"g\",\"filter\":{\"key\":{\"$ne\":\"c\"}},\"edge_filter\":{}}"},
        {"graphs.topological_order", "{\"graph\":\"g\",\"node_filter\":{\"key\":{\"$ne\":\"c\"}}}"},
        {"nodes.closure", "{\"graph\":\"g\",\"keys\":[\"a\"],\"order\":\"depth\"}"},
        {"nodes.walk", "{\"graph\":\"g\",\"keys\":[\"a\"],\"order\":\"depth\"}"},
    };
    brant_db *db;

    brant_allocator_set(&allocator);
    db = must_open(in_folder(*state, "a.db"), "");
    define(db,
           "{\"$id\":\"mixed\",\"$defs\":{" TASK_CONFIG("\"directed\":{\"const\":\"mixed\"}") "}}");
    holds(db, "graphs.create", "\"id\"", "{\"name\":\"g\",\"graph_type\":\"mixed\"}");
    holds(db, "nodes.put_many", "4",
          "{\"graph\":\"g\",\"items\":[{\"key\":\"a\"},{\"key\":\"b\"},{\"key\":\"c\"},{\"key\":"
          "\"d\"}]}");
    holds(db, "edges.put_many", "5",
          "{\"graph\":\"g\",\"items\":[{\"source\":\"a\",\"target\":\"b\",\"attributes\":{\"w\":2}}"
          ",{\"source\":\"b\",\"target\":\"c\",\"undirected\":true},{\"source\":\"c\",\"target\":"
          "\"a\"},{\"source\":\"c\",\"target\":\"d\"},{\"source\":\"b\",\"target\":\"d\"}]}");
    for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
        const bool walk = strcmp(calls[i][0], "nodes.walk") == 0;
        char *wanted = NULL;
        for (int kept = 0; kept < 2; kept++) {
            bool refused = true;
            for (size_t successes = 0; refused || !wanted; successes++) {
                char *text = NULL;
                size_t length;
                brant_cursor *cursor = NULL;
                brant_status status;
                const char *name = calls[i][0], *input = calls[i][1];
                if (!kept || !wanted) set_walk(db, 0);
                refusal.left = successes;
                refusal.all = refusal.failed = false;
                refusal.armed = wanted != NULL;
                if (walk) {
                    status = brant_node_walk(&cursor, db, TEXT(input));
                    if (status == BRANT_OK) status = brant_cursor_next(&text, &length, cursor, -1);
                } else {
                    status = brant_call(&text, &length, db, TEXT(name), TEXT(input));
                }
                refusal.armed = false;
                brant_cursor_free(cursor);
                if (!wanted) { /* with memory, for the first time */
                    if (status != BRANT_OK && status != BRANT_CONSTRAINT && status != BRANT_INVALID)
                        fail_msg("%s: %s", name, brant_status_name(status));
                    wanted = strdup(text ? text : brant_status_name(status));
                    brant_free(text);
                    successes = (size_t)-1;
                    refused = true;
                    continue;
                }
                refused = refusal.failed;
                if (status != BRANT_OK && status != BRANT_NO_MEMORY)
                    assert_string_equal(brant_status_name(status), wanted);
                if (status == BRANT_OK) assert_string_equal(text, wanted);
                brant_free(text);
            }
        }
        free(wanted);
    }
    brant_db_free(db);
    brant_allocator_set(NULL);
}

/* Attributes that are encrypted: sealed, kept, merged, opened, shown and redacted. */
static void test_secrets(void **state) {
    static const brant_allocator allocator = {allocate, release, NULL};
    brant_db *db;
    char *kept, input[2048];

    brant_allocator_set(&allocator);
    db = open_vault(*state);
    must(db, "graphs.update", "{\"name\":\"g\",\"changes\":true}", NULL);
    must(
        db, "nodes.put_many",
        "{\"graph\":\"g\",\"items\":[{\"key\":\"a\",\"type\":\"Secret\",\"attributes\":{\"value\":{"
        "\"x\":1},\"db\":{\"a/b~\":{}}}},{\"key\":\"p\",\"type\":\"Plain\"}]}",
        NULL);
    must(db, "edges.put",
         "{\"graph\":\"g\",\"source\":\"a\",\"target\":\"p\",\"type\":\"Uses\",\"attributes\":{"
         "\"token\":"
         "1}}",
         NULL);
    kept = envelope(db, "a", "/value");
    try_all(db, "nodes.put", PUT("n", "\"value\":\"v\",\"pin\":123456"), BRANT_OK);
    snprintf(input, sizeof(input), PUT("a", "\"value\":%s,\"db\":{\"a/b~\":" REDACTED "}"), kept);
    try_all(db, "nodes.put", input, BRANT_OK);
    snprintf(input, sizeof(input), PUT("p2", "\"value\":%s"), kept);
    try_all(db, "nodes.put", input, BRANT_INVALID);
    try_all(db, "nodes.put", PUT("p2", "\"value\":" REDACTED), BRANT_INVALID);
    try_all(db, "nodes.patch",
            "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"value\":{\"y\":2},\"note\":\"n\"}}",
            BRANT_OK);
    try_all(
        db, "edges.put_many",
        "{\"graph\":\"g\",\"errors\":\"skip\",\"items\":[{\"source\":\"p\",\"target\":\"a\","
        "\"type\":"
        "\"Uses\",\"attributes\":{\"token\":\"v\"}},{\"source\":\"a\",\"target\":\"p\",\"type\":"
        "\"Uses\",\"attributes\":{\"token\":" REDACTED "}},{\"source\":\"a\",\"target\":\"a\","
        "\"type\":\"Uses\",\"attributes\":{\"token\":" REDACTED "}}]}",
        BRANT_OK);
    try_all(db, "nodes.open_secret", OPEN("a", "attributes.value"), BRANT_OK);
    try_all(db, "nodes.open_secret", OPEN("a", "attributes.note"), BRANT_INVALID);
    try_all(db, "edges.open_secret", OPEN("[\\\"a\\\",\\\"Uses\\\",\\\"p\\\"]", "attributes.token"),
            BRANT_OK);
    try_all(db, "nodes.get", GET("a"), BRANT_OK);
    try_all(db, "nodes.neighbors", GET("a"), BRANT_OK);
    try_all(db, "graphs.export", "{\"graph\":\"g\",\"format\":\"graphml\"}", BRANT_OK);
    try_all(db, "graphs.arrays", "{\"graph\":\"g\",\"attributes\":true}", BRANT_OK);
    try_all(db, "graphs.replay", "{\"graph\":\"g\",\"to\":4,\"into\":\"r\"}", BRANT_OK);
    assert_int_equal(brant_keyring_unload(db), BRANT_OK);
    try_all(db, "nodes.put", PUT("n", "\"value\":\"v\""), BRANT_NOT_FOUND);
    healthy(db);
    free(kept);
    brant_db_free(db);
    brant_allocator_set(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {GRAPH_TEST(test_allocations), GRAPH_TEST(test_snapshot),
                                       GRAPH_TEST(test_algorithms), GRAPH_TEST(test_secrets)};
    return cmocka_run_group_tests_name("graph_memory", tests, NULL, NULL);
}
