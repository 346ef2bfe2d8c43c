/*
 * tests/core/test_access_follow.c: an index that is kept says what one says that is read anew: beside another process that writes, across rollbacks, restores, and logs that are cut, ended and begun
 * again.
 */
#define _GNU_SOURCE
#include "child.h"
#include "fake_clock.h"
#include "test_access.h"

#include "access/follow.h"

#define WRITES 1200

static dice the_die;
static random_graph graph;
static size_t asked;

/* Some of all questions, so that looking is quick. */
static void choose_questions(size_t count) {
    static question all[QUESTIONS];
    const size_t total = all_questions(all, QUESTIONS, &graph);

    asked = count < total ? count : total;
    for (size_t i = 0; i < asked; i++)
        questions[i] = all[below(&the_die, total)];
}

static brant_db *begin(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");

    the_die = (dice){seed_of_run()};
    random_graph_make(&graph, &the_die);
    while (graph.edge_count < 20)
        random_graph_make(&graph, &the_die);
    random_graph_write(db, "g", &graph, &the_die, true);
    choose_questions(200);
    return db;
}

/* What the kept index answers, one that is read anew does too, and the judge. */
static void cached_is_uncached(brant_db *db, const char *when) {
    static int kept[QUESTIONS];

    compare(db, "g", asked, when);
    memcpy(kept, got, asked * sizeof *got);
    brant__access_forget(db);
    ask(got, db, "g", questions, asked);
    assert_memory_equal(kept, got, asked * sizeof *got);
}

/* ---- another process ------------------------------------------------------------------------- */

static void write_on(child *self) {
    brant_db *db = NULL;
    char *answer = NULL;
    size_t length;

    CHECK(brant_open(&db, TEXT(self->path), TEXT(PATIENT)) == BRANT_OK);
    CHECK(hear(self));
    for (int i = 0; i < WRITES; i++) {
        const bool removes = chance(&the_die, 30) && graph.edge_count > 0;
        built input;
        built_begin(&input);
        if (removes) {
            const random_edge *edge = &graph.edges[below(&the_die, graph.edge_count)];
            fprintf(input.stream,
                    "{\"graph\":\"g\",\"key\":\"[\\\"%s\\\",\\\"%s\\\",\\\"%s\\\"]\"}",
                    graph.nodes[edge->source].key, edge_kinds[edge->kind],
                    graph.nodes[edge->target].key);
        } else {
            random_edge edge;
            while (!random_edge_make(&edge, &graph, &the_die)) {
            }
            if (graph.edge_count < JUDGED_EDGES - 1 && !random_edge_find(&graph, &edge))
                graph.edges[graph.edge_count++] = edge;
            fprintf(input.stream, "{\"graph\":\"g\",\"items\":[");
            edge_input(input.stream, &graph, &edge);
            fputs("]}", input.stream);
        }
        built_end(&input);
        const brant_status status =
            brant_call(&answer, &length, db, TEXT(removes ? "edges.delete" : "edges.put_many"),
                       TEXT(input.data));
        CHECK(status == BRANT_OK || (removes && status == BRANT_NOT_FOUND));
        brant_free(answer);
        answer = NULL;
        free(input.data);
        if (i % 8 == 0) pause_ms(1);
    }
    brant_db_free(db);
}

static void test_beside_another_writer(void **state) {
    brant_db *db = begin(state);
    child other;
    long rounds = 0, changed = 0, last = -1;
    int ended = 0;

    brant_db_free(db);
    fork_child(&other, write_on, in_folder(*state, "a.db"), 0);
    db = must_open(in_folder(*state, "a.db"), "");
    say(&other);
    while (waitpid(other.process, &ended, WNOHANG) == 0) {
        rounds++;
        must(db, "transaction.begin", chance(&the_die, 50) ? "{\"mode\":\"read\"}" : "{}", NULL);
        if (chance(&the_die, 30))
            cached_is_uncached(db, "beside a writer");
        else
            compare(db, "g", asked, "beside a writer");
        const long revision =
            strtol(strstr(answer(db, "access.check",
                                 "{\"graph\":\"g\",\"subject\":\"x\",\"scope\":\"a:x\"}"),
                          "revision") +
                       10,
                   NULL, 10);
        changed += revision != last;
        last = revision;
        must(db, chance(&the_die, 50) ? "transaction.rollback" : "transaction.commit", "{}", NULL);
        if (chance(&the_die, 30)) {
            /* Our own writes on top, which are taken back: the other's next ones bring the counters to the same values. */
            must(db, "transaction.begin", "{}", NULL);
            holds(db, "edges.put", "",
                  "{\"graph\":\"g\",\"source\":\"%s\",\"type\":\"Grants\",\"target\":\"%s\","
                  "\"attributes\":{\"scopes\":[\"*:*\"]}}",
                  graph.nodes[graph.first[PRINCIPAL]].key, graph.nodes[graph.first[RESOURCE]].key);
            compare(db, "g", asked, "with writes of its own");
            must(db, "transaction.rollback", "{}", NULL);
        }
    }
    assert_true(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
    close(other.to);
    close(other.from);
    cached_is_uncached(db, "at last");
    print_message("%ld looks, %ld of them at something new\n", rounds, changed);
    assert_true(changed > 10);
    brant_db_free(db);
}

/* ---- rollbacks ------------------------------------------------------------------------------- */

static void test_rolled_back_is_gone(void **state) {
    static const char right[] =
        "{\"graph\":\"g\",\"subject\":\"new\",\"scope\":\"a:x\",\"resource\":\"graph:new\"}";
    brant_db *db = begin(state), *other = must_open(in_folder(*state, "a.db"), "");

    holds(db, "nodes.put_many", "",
          "{\"graph\":\"g\",\"items\":[{\"key\":\"new\",\"type\":\"Group\"},{\"key\":\"graph:new\","
          "\"type\":\"Resource\"}]}");
    must(db, "access.check", right, "false");
    must(db, "transaction.begin", "{}", NULL);
    must(db, "edges.put",
         "{\"graph\":\"g\",\"source\":\"new\",\"type\":\"Grants\",\"target\":\"graph:new\","
         "\"attributes\":{\"scopes\":[\"a:x\"]}}",
         NULL);
    must(db, "access.check", right, "true");
    must(db, "transaction.begin", "{}", NULL);
    must(db, "edges.put",
         "{\"graph\":\"g\",\"source\":\"new\",\"type\":\"Denies\",\"target\":\"graph:new\","
         "\"attributes\":{\"scopes\":[\"a:*\"]}}",
         NULL);
    must(db, "access.check", right, "false");
    must(db, "transaction.rollback", "{}", NULL);
    must(db, "access.check", right, "true");
    /* A level that was kept belongs to the one above it. */
    must(db, "transaction.begin", "{}", NULL);
    must(db, "nodes.delete", "{\"graph\":\"g\",\"key\":\"graph:new\",\"edges\":\"delete\"}", NULL);
    must(db, "access.check", right, "false");
    must(db, "transaction.commit", "{}", NULL);
    must(db, "access.check", right, "false");
    must(other, "access.check", right, "false");
    must(db, "transaction.rollback", "{}", NULL);
    must(db, "access.check", right, "false");
    /* The other brings the graph to the counters that were taken back. */
    must(other, "nodes.put", "{\"graph\":\"g\",\"key\":\"another\",\"type\":\"Group\"}", NULL);
    must(other, "edges.put",
         "{\"graph\":\"g\",\"source\":\"another\",\"type\":\"Grants\",\"target\":\"graph:new\","
         "\"attributes\":{\"scopes\":[\"a:x\"]}}",
         NULL);
    must(db, "access.check", right, "false");
    must(db, "access.check",
         "{\"graph\":\"g\",\"subject\":\"another\",\"scope\":\"a:x\",\"resource\":\"graph:new\"}",
         "true");
    cached_is_uncached(db, "at last");
    brant_db_free(other);
    brant_db_free(db);
}

/* The other brings the graph to all that is compared: counters, times, the last event's key. Nobody looked in between. */
static void test_same_counters(void **state) {
    static const char first[] =
        "{\"graph\":\"g\",\"subject\":\"s\",\"scope\":\"a:x\",\"resource\":\"r\"}";
    static const char second[] =
        "{\"graph\":\"g\",\"subject\":\"s\",\"scope\":\"b:x\",\"resource\":\"r\"}";
    static const char edge[] = "{\"graph\":\"g\",\"source\":\"s\",\"type\":\"Grants\",\"target\":"
                               "\"r\",\"attributes\":{\"scopes\":[\"%s\"]}}";
    brant_db *db = open_with_clock(in_folder(*state, "a.db"));
    brant_db *other = open_with_clock(in_folder(*state, "a.db"));

    must(db, "graphs.create", "{\"name\":\"g\",\"graph_type\":\"access\",\"changes\":true}", NULL);
    must(db, "nodes.put_many",
         "{\"graph\":\"g\",\"items\":[{\"key\":\"s\",\"type\":\"Group\"},{\"key\":\"r\",\"type\":"
         "\"Resource\"}]}",
         NULL);
    for (int read_inside = 0; read_inside < 2; read_inside++) {
        char key[] = "{\"graph\":\"g\",\"key\":\"[\\\"s\\\",\\\"Grants\\\",\\\"r\\\"]\"}";
        must(db, "access.check", first, "false");
        must(db, "transaction.begin", "{}", NULL);
        holds(db, "edges.put", "true", edge, "a:x");
        if (read_inside) brant__access_forget(db);
        must(db, "access.check", first, "true");
        must(db, "transaction.rollback", "{}", NULL);
        holds(other, "edges.put", "true", edge, "b:x");
        must(db, "access.check", first, "false");
        must(db, "access.check", second, "true");
        must(db, "edges.delete", key, "true");
    }
    brant_db_free(other);
    brant_db_free(db);
}

/* An index that was read while the transaction had written goes with it. */
static void test_read_in_a_transaction(void **state) {
    brant_db *db = begin(state);

    must(db, "transaction.begin", "{}", NULL);
    for (int i = 0; i < 5; i++)
        change(db, "g", &graph, &the_die);
    brant__access_forget(db);
    compare(db, "g", asked, "read in a transaction");
    must(db, "transaction.rollback", "{}", NULL);
    cached_is_uncached(db, "after its rollback");
    brant_db_free(db);
}

/* ---- the log --------------------------------------------------------------------------------- */

static void test_log_with_gaps(void **state) {
    brant_db *db = begin(state), *other = must_open(in_folder(*state, "a.db"), "");
    char stream[100];
    brant__json json = parsed(answer(db, "graphs.get", "{\"name\":\"g\"}"));

    snprintf(stream, sizeof stream, "changes:%s", yyjson_get_str(brant__json_get(json.root, "id")));
    brant__json_free(&json);
    for (int turn = 0; turn < 12; turn++) {
        compare(db, "g", asked, "before");
        for (int i = 0; i < 3; i++)
            change(other, "g", &graph, &the_die);
        if (turn % 4 == 0)
            holds(other, "streams.trim", "trimmed", "{\"stream\":\"%s\",\"max_count\":%d}", stream,
                  turn % 8 ? 1 : 0);
        if (turn % 4 == 1) {
            must(other, "graphs.update", "{\"name\":\"g\",\"changes\":false}", NULL);
            change(other, "g", &graph, &the_die);
            if (turn % 8 == 1) compare(db, "g", asked, "without a log");
            must(other, "graphs.update", "{\"name\":\"g\",\"changes\":true}", NULL);
        }
        if (turn % 4 == 2)
            must(other, "graphs.update", "{\"name\":\"g\",\"metadata\":{\"a\":1}}", NULL);
        if (turn % 4 == 3) {
            holds(other, "streams.delete", "", "{\"stream\":\"%s\"}", stream);
            change(other, "g", &graph, &the_die);
        }
        cached_is_uncached(db, "after a gap");
    }
    brant_db_free(other);
    brant_db_free(db);
}

/* Another history of the same file, of as many changes. */
static void test_restored(void **state) {
    brant_db *db = begin(state), *other = must_open(in_folder(*state, "a.db"), "");
    const random_graph before = graph;
    char copy[4096];

    snprintf(copy, sizeof copy, "%s", in_folder(*state, "copy.db"));
    holds(db, "db.backup", "pages", "{\"path\":\"%s\"}", copy);
    for (int own = 0; own < 2; own++) {
        for (int i = 0; i < 4; i++)
            change(db, "g", &graph, &the_die);
        compare(db, "g", asked, "before the restore");
        holds(own ? db : other, "db.restore", "pages", "{\"path\":\"%s\"}", copy);
        graph = before;
        for (int i = own; i < 4; i++)
            change(other, "g", &graph, &the_die);
        pause_ms(2);
        cached_is_uncached(db, "after the restore");
        holds(other, "db.restore", "pages", "{\"path\":\"%s\"}", copy);
        graph = before;
        cached_is_uncached(db, "as it was at first");
    }
    brant_db_free(other);
    brant_db_free(db);
}

/* More graphs than are kept; one that goes and comes again under its name. */
static void test_many_graphs(void **state) {
    brant_db *db = begin(state);
    static random_graph graphs[7];
    char name[24];

    for (int i = 0; i < 7; i++) {
        snprintf(name, sizeof name, "m%d", i);
        random_graph_make(&graphs[i], &the_die);
        random_graph_write(db, name, &graphs[i], &the_die, i % 2 == 0);
    }
    for (int turn = 0; turn < 30; turn++) {
        const size_t at = below(&the_die, 7);
        snprintf(name, sizeof name, "m%zu", at);
        const size_t count = all_questions(questions, QUESTIONS, &graphs[at]);
        compare(db, name, count, "one of many");
        change(db, name, &graphs[at], &the_die);
        if (turn % 5 == 0) {
            holds(db, "graphs.purge", "true", "{\"name\":\"%s\"}", name);
            fails(db, "access.check", BRANT_NOT_FOUND, "no access graph",
                  "{\"graph\":\"%s\",\"subject\":\"x\",\"scope\":\"a:x\"}", name);
            random_graph_make(&graphs[at], &the_die);
            random_graph_write(db, name, &graphs[at], &the_die, true);
        }
    }
    brant_db_free(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(test_beside_another_writer), GRAPH_TEST(test_rolled_back_is_gone),
        GRAPH_TEST(test_same_counters),         GRAPH_TEST(test_read_in_a_transaction),
        GRAPH_TEST(test_log_with_gaps),         GRAPH_TEST(test_restored),
        GRAPH_TEST(test_many_graphs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
