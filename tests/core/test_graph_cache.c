/*
 * tests/core/test_graph_cache.c: what a handle keeps is never believed when it is not true: another
 * handle's writes, rollbacks, savepoints, names used again.
 */
#include "test_graph.h"

#include "graph/internal.h"

#define MANY 80 /* enough for keys to be kept */

static void prefer_snapshot(brant_db *db) {
    brant__graphs *state;

    assert_int_equal(brant__enter(db), BRANT_OK);
    assert_int_equal(brant__graphs_state(&state, db), BRANT_OK);
    state->walk_edges = 0;
    brant__leave(db);
}

static const brant__keys *kept_keys(brant_db *db) {
    brant__graphs *state = brant__state(db, BRANT__SLOT_GRAPH);

    for (size_t i = 0; state && i < BRANT__GRAPHS_KEPT; i++)
        if (state->graphs[i].keys.shape >= 0) return &state->graphs[i].keys;
    return NULL;
}

/* MANY nodes n<from>.. of graph g. */
static const char *many_nodes(int from) {
    static char text[MANY * 40];
    size_t length = 0;

    for (int i = 0; i < MANY; i++)
        length += (size_t)sprintf(text + length, "%s{\"key\":\"n%d\"}", i ? "," : "", from + i);
    return text;
}

/* MANY edges n<i> to n<i + 1>, and so on. */
static const char *many_edges(int from) {
    static char text[MANY * 60];
    size_t length = 0;

    for (int i = 0; i < MANY - 1; i++)
        length += (size_t)sprintf(text + length, "%s{\"source\":\"n%d\",\"target\":\"n%d\"}",
                                  i ? "," : "", from + i, from + i + 1);
    return text;
}

static void open_two(void **state, brant_db **a, brant_db **b) {
    *a = must_open(in_folder(*state, "a.db"), "");
    *b = must_open(in_folder(*state, "a.db"), "");
    holds(*a, "graphs.create", "\"id\"", "{\"name\":\"g\",\"graph_type\":\"open\"}");
}

static void close_two(brant_db *a, brant_db *b) {
    healthy(a);
    healthy(b);
    brant_db_free(a);
    brant_db_free(b);
}

static void test_keys_and_another_writer(void **state) {
    brant_db *a, *b;

    open_two(state, &a, &b);
    holds(a, "nodes.put_many", "{\"created\":80,", "{\"graph\":\"g\",\"items\":[%s]}",
          many_nodes(0));
    assert_non_null(kept_keys(a));
    assert_true(kept_keys(a)->complete);
    assert_int_equal(kept_keys(a)->map.count, MANY);
    /* One goes and another comes, with its row id perhaps. */
    holds(b, "nodes.delete", "true", "{\"graph\":\"g\",\"key\":\"n79\"}");
    holds(b, "nodes.put", "true", "{\"graph\":\"g\",\"key\":\"other\"}");
    fails(a, "edges.put", BRANT_NOT_FOUND, "n79",
          "{\"graph\":\"g\",\"source\":\"n0\",\"target\":\"n79\"}");
    holds(a, "edges.put", "true", "{\"graph\":\"g\",\"source\":\"n0\",\"target\":\"other\"}");
    fails(a, "edges.put_many", BRANT_NOT_FOUND, "item 78: no node \"n79\"",
          "{\"graph\":\"g\",\"items\":[%s]}", many_edges(0));
    holds(a, "nodes.put_many", "{\"created\":1,\"updated\":79}", "{\"graph\":\"g\",\"items\":[%s]}",
          many_nodes(0));
    holds(a, "edges.put_many", "{\"created\":79,", "{\"graph\":\"g\",\"items\":[%s]}",
          many_edges(0));
    holds(b, "edges.put_many", "{\"created\":0,\"updated\":79}", "{\"graph\":\"g\",\"items\":[%s]}",
          many_edges(0));
    assert_non_null(kept_keys(b)); /* loaded */
    assert_true(kept_keys(b)->complete);
    /* The keys follow this handle's own single writes. */
    holds(b, "nodes.put", "true", "{\"graph\":\"g\",\"key\":\"n80\"}");
    assert_int_equal(kept_keys(b)->map.count, MANY + 2);
    holds(b, "nodes.delete", "true", "{\"graph\":\"g\",\"key\":\"other\",\"edges\":\"delete\"}");
    assert_int_equal(kept_keys(b)->map.count, MANY + 1);
    fails(b, "edges.put_many", BRANT_NOT_FOUND, "other",
          "{\"graph\":\"g\",\"items\":[{\"source\":\"n1\",\"target\":\"other\"},%s]}",
          many_edges(0));
    holds(b, "edges.put_many", "{\"created\":1,",
          "{\"graph\":\"g\",\"items\":[{\"source\":\"n1\",\"target\":\"n80\"},%s]}", many_edges(0));
    close_two(a, b);
}

static void test_keys_and_rollback(void **state) {
    brant_db *a, *b;

    open_two(state, &a, &b);
    holds(a, "transaction.begin", "1", "{}");
    holds(a, "nodes.put_many", "{\"created\":80,", "{\"graph\":\"g\",\"items\":[%s]}",
          many_nodes(0));
    holds(a, "edges.put_many", "{\"created\":79,", "{\"graph\":\"g\",\"items\":[%s]}",
          many_edges(0));
    holds(a, "transaction.rollback", "0", "{}");
    assert_null(kept_keys(a));
    /* The same number of changes by another: the shape is what it was in the transaction that is
     * gone. */
    holds(b, "nodes.put_many", "{\"created\":80,", "{\"graph\":\"g\",\"items\":[%s]}",
          many_nodes(1000));
    holds(b, "edges.put", "true", "{\"graph\":\"g\",\"source\":\"n1000\",\"target\":\"n1001\"}");
    fails(a, "edges.put_many", BRANT_NOT_FOUND, "item 0: no node \"n0\"",
          "{\"graph\":\"g\",\"items\":[%s]}", many_edges(0));
    holds(a, "nodes.put_many", "{\"created\":80,", "{\"graph\":\"g\",\"items\":[%s]}",
          many_nodes(0));
    holds(a, "edges.put_many", "{\"created\":79,", "{\"graph\":\"g\",\"items\":[%s]}",
          many_edges(0));
    is(a, "nodes.count", "{\"count\":160}", "{\"graph\":\"g\"}");
    close_two(a, b);
}

static void test_keys_and_savepoints(void **state) {
    brant_db *a, *b;

    open_two(state, &a, &b);
    holds(a, "transaction.begin", "1", "{}");
    holds(a, "nodes.put_many", "{\"created\":80,", "{\"graph\":\"g\",\"items\":[%s]}",
          many_nodes(0));
    holds(a, "transaction.begin", "2", "{}");
    holds(a, "nodes.put_many", "{\"created\":80,", "{\"graph\":\"g\",\"items\":[%s]}",
          many_nodes(500));
    holds(a, "transaction.rollback", "1", "{}");
    fails(a, "edges.put_many", BRANT_NOT_FOUND, "item 0: no node \"n500\"",
          "{\"graph\":\"g\",\"items\":[%s]}", many_edges(500));
    holds(a, "edges.put_many", "{\"created\":79,", "{\"graph\":\"g\",\"items\":[%s]}",
          many_edges(0));
    /* Kept levels move up: the keys of a savepoint that was kept go with the level that it went
     * into. */
    holds(a, "transaction.begin", "2", "{}");
    holds(a, "transaction.begin", "3", "{}");
    holds(a, "nodes.put_many", "{\"created\":80,", "{\"graph\":\"g\",\"items\":[%s]}",
          many_nodes(600));
    holds(a, "transaction.commit", "2", "{}");
    holds(a, "edges.put_many", "{\"created\":79,", "{\"graph\":\"g\",\"items\":[%s]}",
          many_edges(600));
    holds(a, "transaction.rollback", "1", "{}");
    fails(a, "edges.put_many", BRANT_NOT_FOUND, "item 0: no node \"n600\"",
          "{\"graph\":\"g\",\"items\":[%s]}", many_edges(600));
    holds(a, "transaction.commit", "0", "{}");
    is(b, "nodes.count", "{\"count\":80}", "{\"graph\":\"g\"}");
    holds(b, "edges.put_many", "{\"created\":0,", "{\"graph\":\"g\",\"items\":[%s]}",
          many_edges(0));
    /* An operation that fails in the middle leaves nothing behind. */
    fails(a, "nodes.put_many", BRANT_CONFLICT, NULL,
          "{\"graph\":\"g\",\"items\":[%s,{\"key\":\"n0\",\"revision\":9}]}", many_nodes(700));
    fails(a, "edges.put_many", BRANT_NOT_FOUND, "item 0", "{\"graph\":\"g\",\"items\":[%s]}",
          many_edges(700));
    close_two(a, b);
}

/* Writes that leave the keys as they are move the shape on all the same, and a rollback moves it
 * back. */
static void test_keys_and_shape(void **state) {
    brant_db *a, *b;

    open_two(state, &a, &b);
    holds(a, "nodes.put_many", "{\"created\":80,", "{\"graph\":\"g\",\"items\":[%s]}",
          many_nodes(0));
    holds(a, "transaction.begin", "1", "{}");
    holds(a, "edges.put", "true", "{\"graph\":\"g\",\"source\":\"n0\",\"target\":\"n1\"}");
    holds(a, "transaction.rollback", "0", "{}");
    holds(b, "nodes.delete", "true", "{\"graph\":\"g\",\"key\":\"n79\"}");
    fails(a, "edges.put_many", BRANT_NOT_FOUND, "item 78: no node \"n79\"",
          "{\"graph\":\"g\",\"items\":[%s]}", many_edges(0));
    holds(a, "nodes.put_many", "{\"created\":1,", "{\"graph\":\"g\",\"items\":[%s]}",
          many_nodes(0));
    holds(a, "transaction.begin", "1", "{}");
    holds(a, "nodes.delete", "true", "{\"graph\":\"g\",\"key\":\"n78\"}");
    holds(a, "transaction.rollback", "0", "{}");
    holds(b, "nodes.delete", "true", "{\"graph\":\"g\",\"key\":\"n79\"}");
    fails(a, "edges.put_many", BRANT_NOT_FOUND, "item 78: no node \"n79\"",
          "{\"graph\":\"g\",\"items\":[%s]}", many_edges(0));
    close_two(a, b);
}

static void test_name_used_again(void **state) {
    brant_db *a, *b;

    open_two(state, &a, &b);
    prefer_snapshot(a);
    holds(a, "nodes.put_many", "{\"created\":80,", "{\"graph\":\"g\",\"items\":[%s]}",
          many_nodes(0));
    holds(a, "edges.put_many", "{\"created\":79,", "{\"graph\":\"g\",\"items\":[%s]}",
          many_edges(0));
    holds(a, "nodes.closure", "\"n79\"]", "{\"graph\":\"g\",\"keys\":[\"n0\"]}");
    holds(b, "graphs.purge", "80", "{\"name\":\"g\"}");
    holds(b, "graphs.create", "\"id\"", "{\"name\":\"g\",\"graph_type\":\"open\"}");
    holds(b, "nodes.put_many", "{\"created\":80,", "{\"graph\":\"g\",\"items\":[%s]}",
          many_nodes(40));
    holds(b, "edges.put", "true", "{\"graph\":\"g\",\"source\":\"n41\",\"target\":\"n40\"}");
    fails(a, "edges.put_many", BRANT_NOT_FOUND, "item 0", "{\"graph\":\"g\",\"items\":[%s]}",
          many_edges(0));
    is(a, "nodes.closure",
       "{\"keys\":[\"n41\",\"n40\"],\"depths\":[0,1],\"parents\":[-1,0],\"truncated\":false}",
       "{\"graph\":\"g\",\"keys\":[\"n41\"]}");
    close_two(a, b);
}

static void test_snapshot_and_transactions(void **state) {
    brant_db *a, *b;

    open_two(state, &a, &b);
    prefer_snapshot(a);
    holds(a, "nodes.put_many", "{\"created\":80,", "{\"graph\":\"g\",\"items\":[%s]}",
          many_nodes(0));
    holds(a, "edges.put", "true", "{\"graph\":\"g\",\"source\":\"n0\",\"target\":\"n1\"}");
    holds(a, "nodes.closure", "{\"keys\":[\"n0\",\"n1\"],", "{\"graph\":\"g\",\"keys\":[\"n0\"]}");
    holds(a, "transaction.begin", "1", "{}");
    holds(a, "edges.put", "true", "{\"graph\":\"g\",\"source\":\"n1\",\"target\":\"n2\"}");
    holds(a, "nodes.closure", "{\"keys\":[\"n0\",\"n1\",\"n2\"],",
          "{\"graph\":\"g\",\"keys\":[\"n0\"]}"); /* its own writes */
    holds(b, "nodes.closure", "{\"keys\":[\"n0\",\"n1\"],", "{\"graph\":\"g\",\"keys\":[\"n0\"]}");
    holds(a, "transaction.begin", "2", "{}");
    holds(a, "edges.delete", "true", "{\"graph\":\"g\",\"key\":\"[\\\"n0\\\",null,\\\"n1\\\"]\"}");
    holds(a, "nodes.closure", "{\"keys\":[\"n0\"],", "{\"graph\":\"g\",\"keys\":[\"n0\"]}");
    holds(a, "transaction.rollback", "1", "{}");
    holds(a, "nodes.closure", "{\"keys\":[\"n0\",\"n1\",\"n2\"],",
          "{\"graph\":\"g\",\"keys\":[\"n0\"]}");
    holds(a, "transaction.rollback", "0", "{}");
    holds(b, "edges.put", "true",
          "{\"graph\":\"g\",\"source\":\"n1\",\"target\":\"n3\"}"); /* the same shape, another graph
                                                                     */
    holds(a, "nodes.closure", "{\"keys\":[\"n0\",\"n1\",\"n3\"],",
          "{\"graph\":\"g\",\"keys\":[\"n0\"]}");
    /* A read transaction sees its snapshot throughout. */
    holds(a, "transaction.begin", "1", "{\"mode\":\"read\"}");
    holds(a, "nodes.closure", "{\"keys\":[\"n0\",\"n1\",\"n3\"],",
          "{\"graph\":\"g\",\"keys\":[\"n0\"]}");
    holds(b, "edges.put", "true", "{\"graph\":\"g\",\"source\":\"n3\",\"target\":\"n4\"}");
    holds(a, "nodes.closure", "{\"keys\":[\"n0\",\"n1\",\"n3\"],",
          "{\"graph\":\"g\",\"keys\":[\"n0\"]}");
    holds(a, "transaction.commit", "0", "{}");
    holds(a, "nodes.closure", "{\"keys\":[\"n0\",\"n1\",\"n3\",\"n4\"],",
          "{\"graph\":\"g\",\"keys\":[\"n0\"]}");
    close_two(a, b);
}

/* More graphs than are kept. */
static void test_many_graphs(void **state) {
    brant_db *a, *b;

    open_two(state, &a, &b);
    prefer_snapshot(a);
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < 20; i++) {
            if (round == 0) {
                holds(a, "graphs.create", "\"id\"", "{\"name\":\"g%d\",\"graph_type\":\"open\"}",
                      i);
                holds(i % 2 ? a : b, "nodes.put_many", "{\"created\":80,",
                      "{\"graph\":\"g%d\",\"items\":[%s]}", i, many_nodes(i));
                holds(i % 3 ? a : b, "edges.put_many", "{\"created\":79,",
                      "{\"graph\":\"g%d\",\"items\":[%s]}", i, many_edges(i));
            }
            if (round == 1)
                holds(i % 5 ? a : b, "nodes.put_many", "{\"created\":0,",
                      "{\"graph\":\"g%d\",\"items\":[%s]}", i, many_nodes(i));
            if (round == 2) {
                char wanted[64];
                sprintf(wanted, "{\"keys\":[\"n%d\",\"n%d\"],", i + 78, i + 79);
                holds(a, "nodes.closure", wanted, "{\"graph\":\"g%d\",\"keys\":[\"n%d\"]}", i,
                      i + 78);
            }
        }
    close_two(a, b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(test_keys_and_another_writer),
        GRAPH_TEST(test_keys_and_rollback),
        GRAPH_TEST(test_keys_and_savepoints),
        GRAPH_TEST(test_keys_and_shape),
        GRAPH_TEST(test_name_used_again),
        GRAPH_TEST(test_snapshot_and_transactions),
        GRAPH_TEST(test_many_graphs),
    };
    return cmocka_run_group_tests_name("graph_cache", tests, NULL, NULL);
}
