/*
 * tests/core/test_access_random.c: thousands of random access graphs, each answer compared with a naive judge's, lists and explanations with checks, and all of it across changes, rollbacks and orders
 * of rows. BRANT_ACCESS_GRAPHS says how many graphs, BRANT_SEED which.
 */
#include "test_access.h"

#include "access/follow.h"

/* ---- lists, explanations, delegators: all from the answers in `got` --------------------------- */

static int answer_to(size_t count, const char *subject, const char *scope, const char *resource) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(questions[i].subject, subject) == 0 && strcmp(questions[i].scope, scope) == 0 &&
            strcmp(questions[i].resource, resource) == 0)
            return got[i];
    fail_msg("no question %s %s %s", subject, scope, resource);
    return NO;
}

/* The items of a list of keys, page by page, which come in order. */
static size_t list_all(char items[][64], brant_db *db, const char *operation, const char *members,
                       size_t limit) {
    char cursor[512] = "", input[1024];
    size_t total = 0;

    for (;;) {
        size_t index, count;
        yyjson_val *item;
        brant__json json;
        char *text;
        snprintf(input, sizeof input, "{%s,\"limit\":%zu%s%s%s}", members, limit,
                 *cursor ? ",\"cursor\":\"" : "", cursor, *cursor ? "\"" : "");
        text = must_call(db, operation, input, NULL);
        json = parsed(text);
        yyjson_arr_foreach(brant__json_get(json.root, "items"), index, count, item) {
            snprintf(items[total], 64, "%s", yyjson_get_str(item));
            if (total > 0 && strcmp(items[total - 1], items[total]) >= 0)
                fail_msg("not in order: %s", text);
            total++;
        }
        snprintf(cursor, sizeof cursor, "%s",
                 yyjson_is_str(brant__json_get(json.root, "cursor"))
                     ? yyjson_get_str(brant__json_get(json.root, "cursor"))
                     : "");
        brant__json_free(&json);
        brant_free(text);
        if (!*cursor) return total;
    }
}

static bool is_among(char items[][64], size_t count, const char *key) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(items[i], key) == 0) return true;
    return false;
}

static void compare_lists(brant_db *db, const char *name, const random_graph *graph, size_t count,
                          dice *die) {
    static char items[JUDGED_NODES][64];
    char members[512];

    for (int turn = 0; turn < 8; turn++) {
        const random_node *subject = &graph->nodes[below(die, graph->node_count)];
        const random_node *resource =
            &graph->nodes[graph->first[RESOURCE] +
                          below(die, graph->node_count - graph->first[RESOURCE])];
        const char *scope = scope_pool[below(die, SCOPES)];
        size_t listed, allowed = 0;
        snprintf(members, sizeof members, "\"graph\":\"%s\",\"subject\":\"%s\",\"scope\":\"%s\"",
                 name, subject->key, scope);
        listed = list_all(items, db, "access.list_objects", members, 1 + below(die, 4));
        for (size_t i = graph->first[RESOURCE]; i <= graph->node_count; i++) {
            const char *key = i < graph->node_count ? graph->nodes[i].key : "*";
            const bool yes = answer_to(count, subject->key, scope, key) == YES;
            if (i < graph->node_count && strcmp(key, "*") == 0) continue; /* asked last */
            if (yes != is_among(items, listed, key))
                fail_msg("%s: %s %s: check of %s and the list differ", name, subject->key, scope,
                         key);
            allowed += yes;
        }
        assert_int_equal(listed, allowed);
        snprintf(members, sizeof members, "\"graph\":\"%s\",\"resource\":\"%s\",\"scope\":\"%s\"",
                 name, resource->key, scope);
        listed = list_all(items, db, "access.list_subjects", members, 1 + below(die, 4));
        allowed = 0;
        for (size_t i = 0; i < graph->node_count; i++) {
            const bool yes = answer_to(count, graph->nodes[i].key, scope, resource->key) == YES;
            if (yes != is_among(items, listed, graph->nodes[i].key))
                fail_msg("%s: %s %s: check of %s and the list differ", name, resource->key, scope,
                         graph->nodes[i].key);
            allowed += yes;
        }
        assert_int_equal(listed, allowed);
    }
}

/* The path of an explanation is one: edge by edge, from the subject to the grant. */
static void judge_path(const char *text, yyjson_val *path, const char *subject) {
    brant__text at = brant__text_string(subject);
    bool granted = false, delegated = true;
    size_t index, count;
    yyjson_val *step;

    yyjson_arr_foreach(path, index, count, step) {
        const brant__text kind = brant__json_get_text(step, "kind");
        const bool delegates = brant__text_equal(kind, BRANT__TEXT("Delegates"));
        if (granted || (delegates && !delegated) ||
            !brant__text_equal(brant__json_get_text(step, delegates ? "target" : "source"), at))
            fail_msg("no path: %s", text);
        delegated = delegates;
        granted = brant__text_equal(kind, BRANT__TEXT("Grants"));
        at = brant__json_get_text(step, delegates ? "source" : "target");
    }
    if (!granted) fail_msg("no path: %s", text);
}

static void compare_explanations(brant_db *db, const char *name, size_t count, dice *die) {
    char input[512];

    for (int turn = 0; turn < 20; turn++) {
        const size_t at = below(die, count);
        char *text;
        brant__json json;
        snprintf(input, sizeof input,
                 "{\"graph\":\"%s\",\"subject\":\"%s\",\"scope\":\"%s\",\"resource\":\"%s\"}", name,
                 questions[at].subject, questions[at].scope, questions[at].resource);
        text = must_call(db, "access.explain", input,
                         got[at] == YES ? "\"allowed\":true" : "\"allowed\":false");
        json = parsed(text);
        assert_true(yyjson_is_str(brant__json_get(json.root, "reason")));
        assert_true((brant__json_get(json.root, "path") != NULL) == (got[at] == YES));
        if (got[at] == YES)
            judge_path(text, brant__json_get(json.root, "path"), questions[at].subject);
        brant__json_free(&json);
        brant_free(text);
    }
}

/* What an agent may, one who delegates to it may: the rows are the judge's. */
static void compare_delegators(size_t count) {
    for (size_t i = 0; i < count; i++) {
        const int node = judge_find(&the_judge, questions[i].subject);
        bool given = false;
        if (got[i] != YES || the_judge.nodes[node].kind != AGENT) continue;
        for (size_t e = 0; e < the_judge.edge_count && !given; e++)
            given = the_judge.edges[e].kind == DELEGATES && the_judge.edges[e].target == node &&
                    the_judge.edges[e].counts &&
                    answer_to(count, the_judge.nodes[the_judge.edges[e].source].key,
                              questions[i].scope, questions[i].resource) == YES;
        if (!given)
            fail_msg("%s may %s on %s, and nobody before it", questions[i].subject,
                     questions[i].scope, questions[i].resource);
    }
}

/* ---- changes --------------------------------------------------------------------------------- */

/* Nested transactions of chance, checked on every level, of which some are taken back. */
static void change_nested(brant_db *db, const char *name, random_graph *graph, size_t count,
                          dice *die, int depth) {
    const random_graph before = *graph;
    const bool keep = chance(die, 50);

    must(db, "transaction.begin", "{}", NULL);
    for (size_t i = below(die, 3) + 1; i > 0; i--) {
        change(db, name, graph, die);
        if (chance(die, 60)) compare(db, name, count, "in a transaction");
        if (depth < 3 && chance(die, 40)) change_nested(db, name, graph, count, die, depth + 1);
    }
    must(db, keep ? "transaction.commit" : "transaction.rollback", "{}", NULL);
    if (!keep) *graph = before;
    if (chance(die, 70)) compare(db, name, count, keep ? "after a commit" : "after a rollback");
}

static void test_against_judge(void **state) {
    dice die = {seed_of_run()};
    const size_t graphs = graphs_of_run(250);
    brant_db *db = NULL;
    static random_graph graph;
    size_t asked = 0, allowed = 0;

    (void)state;
    for (size_t i = 0; i < graphs; i++) {
        size_t count;
        if (i % 50 == 0) {
            brant_db_free(db);
            db = must_open(":memory:", "");
        }
        random_graph_make(&graph, &die);
        random_graph_write(db, "g", &graph, &die, chance(&die, 85));
        count = all_questions(questions, QUESTIONS, &graph);
        compare(db, "g", count, "at first");
        for (size_t q = 0; q < count; q++)
            allowed += got[q] == YES;
        asked += count;
        compare_lists(db, "g", &graph, count, &die);
        compare_explanations(db, "g", count, &die);
        compare_delegators(count);
        for (int turn = 0; turn < 3; turn++) {
            change(db, "g", &graph, &die);
            if (chance(&die, 50)) compare(db, "g", count, "after a change");
        }
        change_nested(db, "g", &graph, count, &die, 0);
        compare(db, "g", count, "at last");
        brant__access_forget(db);
        compare(db, "g", count, "read anew");
        compare_lists(db, "g", &graph, count, &die);
        holds(db, "graphs.delete", "true", "{\"name\":\"g\"}");
        must(db, "graphs.purge", "{\"name\":\"g\"}", NULL);
    }
    print_message("%zu graphs, %zu answers, %zu of them yes\n", graphs, asked, allowed);
    assert_true(allowed > asked / 50);
    brant_db_free(db);
}

/* ---- orders and names ------------------------------------------------------------------------ */

static void rename_all(random_graph *graph, dice *die) {
    for (size_t i = 0; i < graph->node_count; i++) {
        char key[64];
        if (strcmp(graph->nodes[i].key, "*") == 0) continue;
        snprintf(key, sizeof key, "%c%zu/%.40s", (char)('A' + (int)below(die, 26)), i,
                 graph->nodes[i].key);
        strcpy(graph->nodes[i].key, key);
    }
}

/* Nodes and edges among themselves that lead nowhere near: a group with a role that has a grant on a resource of their own, and an agent. */
static void add_unrelated(brant_db *db, const char *name) {
    holds(db, "nodes.put_many", "5",
          "{\"graph\":\"%s\",\"items\":[{\"key\":\"0g\",\"type\":\"Group\"},{\"key\":\"~r\","
          "\"type\":\"Role\"},{\"key\":\"0x\",\"type\":\"Resource\"},"
          "{\"key\":\"0a\",\"type\":\"Agent\"},{\"key\":\"~p\",\"type\":\"Principal\","
          "\"attributes\":{\"kind\":\"service\"}}]}",
          name);
    holds(db, "edges.put_many", "4",
          "{\"graph\":\"%s\",\"items\":[{\"source\":\"0g\",\"type\":\"HasRole\",\"target\":\"~r\"},"
          "{\"source\":\"~r\",\"type\":\"Grants\",\"target\":\"0x\",\"attributes\":"
          "{\"scopes\":[\"*:*\"]}},{\"source\":\"~p\",\"type\":\"Delegates\",\"target\":\"0a\","
          "\"attributes\":{\"scopes\":[\"*:*\"]}},{\"source\":\"~p\",\"type\":\"BelongsTo\","
          "\"target\":\"0g\"}]}",
          name);
}

static void test_order_and_names_do_not_matter(void **state) {
    dice die = {seed_of_run()};
    const size_t graphs = graphs_of_run(60);
    static random_graph graph, renamed;
    brant_db *db = must_open(":memory:", "");

    (void)state;
    for (size_t i = 0; i < graphs; i++) {
        size_t count;
        random_graph_make(&graph, &die);
        random_graph_write(db, "g", &graph, &die, true);
        count = all_questions(questions, QUESTIONS, &graph);
        ask(expected, db, "g", questions, count);
        random_graph_write(db, "h", &graph, &die, false);
        ask(got, db, "h", questions, count);
        assert_memory_equal(expected, got, count * sizeof *got);
        add_unrelated(db, "g");
        ask(got, db, "g", questions, count);
        assert_memory_equal(expected, got, count * sizeof *got);
        renamed = graph;
        rename_all(&renamed, &die);
        random_graph_write(db, "r", &renamed, &die, true);
        all_questions(questions, QUESTIONS, &renamed);
        ask(got, db, "r", questions, count);
        assert_memory_equal(expected, got, count * sizeof *got);
        for (const char *name = "ghr"; *name; name++) {
            holds(db, "graphs.delete", "true", "{\"name\":\"%c\"}", *name);
            holds(db, "graphs.purge", "", "{\"name\":\"%c\"}", *name);
        }
    }
    brant_db_free(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_judge),
        cmocka_unit_test(test_order_and_names_do_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
