/*
 * The call protocol: events, and the graph that is made of them, whatever their order and whoever dies.
 */
#include "test_graph.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void publish(brant_db *db, const char *event) {
    holds(db, "calls.publish", "\"offset\":", "%s", event);
}

static void test_events(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");

    publish(db,
            "{\"event\":\"call.requested\",\"request_id\":\"r\",\"operation_id\":\"o\",\"at\":5}");
    holds(db, "streams.read",
          "{\"offset\":1,\"key\":\"r\",\"payload\":{\"event\":\"call.requested\",\"request_id\":"
          "\"r\",\"operation_id\":\"o\",\"at\":5}",
          "{\"stream\":\"call-protocol\"}");
    publish(db, "{\"event\":\"call.aborted\",\"request_id\":\"r\",\"stream\":\"other\"}");
    holds(db, "streams.read", "\"at\":", "{\"stream\":\"other\"}");
    fails(db, "calls.publish", BRANT_INVALID, "event",
          "{\"event\":\"call.begun\",\"request_id\":\"r\"}");
    fails(db, "calls.publish", BRANT_INVALID, "/operation_id",
          "{\"event\":\"call.requested\",\"request_id\":\"r\"}");
    fails(db, "calls.publish", BRANT_INVALID, "/error",
          "{\"event\":\"call.error\",\"request_id\":\"r\"}");
    fails(db, "calls.publish", BRANT_INVALID, "request_id", "{\"event\":\"call.error\"}");
    fails(db, "calls.publish", BRANT_INVALID, "/request_id",
          "{\"event\":\"call.aborted\",\"request_id\":\"a\\u0000b\"}");
    brant_db_free(db);
}

static void test_projection(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");

    fails(db, "calls.project", BRANT_NOT_FOUND, "no graph", "{\"graph\":\"c\"}");
    answer(db, "graphs.create", "{\"name\":\"o\",\"graph_type\":\"open\"}");
    fails(db, "calls.project", BRANT_INVALID, "not call", "{\"graph\":\"o\"}");
    answer(db, "graphs.create", "{\"name\":\"c\",\"graph_type\":\"call\"}");
    is(db, "calls.project", "{\"projected\":0,\"offset\":0,\"more\":false,\"failed\":0}",
       "{\"graph\":\"c\"}");
    /* Late: the answer before the request, the request of the parent last. */
    publish(db,
            "{\"event\":\"call.responded\",\"request_id\":\"b\",\"output\":{\"n\":1},\"at\":30}");
    is(db, "calls.project", "{\"projected\":1,\"offset\":1,\"more\":false,\"failed\":0}",
       "{\"graph\":\"c\"}");
    holds(db, "nodes.get",
          "\"attributes\":{\"request_id\":\"b\",\"operation_id\":\"unknown\",\"output\":{\"n\":1},"
          "\"status\":\"responded\"},\"metadata\":{\"call_protocol\":{\"placeholder\":true,"
          "\"output_at\":30}}",
          "{\"graph\":\"c\",\"key\":\"b\"}");
    publish(db, "{\"event\":\"call.requested\",\"request_id\":\"b\",\"operation_id\":\"o.b\","
                "\"input\":[1],\"parent_request_id\":\"a\",\"depends_on\":[\"d\",{\"request_id\":"
                "\"e\",\"reason\":\"why\"},\"b\"],\"at\":10}");
    publish(db,
            "{\"event\":\"call.responded\",\"request_id\":\"b\",\"output\":{\"n\":0},\"at\":20}");
    publish(db, "{\"event\":\"call.completed\",\"request_id\":\"b\",\"at\":40}");
    publish(db, "{\"event\":\"call.aborted\",\"request_id\":\"b\",\"at\":50}");
    publish(db, "{\"event\":\"call.requested\",\"request_id\":\"a\",\"operation_id\":\"o.a\","
                "\"identity\":{\"id\":\"x\"},\"at\":5}");
    publish(
        db,
        "{\"event\":\"call.requested\",\"request_id\":\"b\",\"operation_id\":\"again\",\"at\":60}");
    is(db, "calls.project", "{\"projected\":2,\"offset\":3,\"more\":true,\"failed\":0}",
       "{\"graph\":\"c\",\"limit\":2}");
    is(db, "calls.project", "{\"projected\":4,\"offset\":7,\"more\":false,\"failed\":0}",
       "{\"graph\":\"c\"}");
    is(db, "calls.project", "{\"projected\":0,\"offset\":7,\"more\":false,\"failed\":0}",
       "{\"graph\":\"c\"}");
    holds(db, "nodes.get",
          "\"attributes\":{\"request_id\":\"b\",\"operation_id\":\"o.b\",\"input\":[1],\"output\":{"
          "\"n\":1},\"parent_request_id\":\"a\",\"status\":\"completed\",\"requested_at\":10,"
          "\"completed_at\":40}",
          "{\"graph\":\"c\",\"key\":\"b\"}");
    holds(db, "nodes.get",
          "\"operation_id\":\"o.a\",\"identity\":{\"id\":\"x\"},\"status\":\"requested\","
          "\"requested_at\":5},\"metadata\":{\"call_protocol\":{}}",
          "{\"graph\":\"c\",\"key\":\"a\"}");
    holds(db, "edges.get", "\"source\":\"a\",\"target\":\"b\"",
          "{\"graph\":\"c\",\"key\":\"[\\\"a\\\",\\\"Triggered\\\",\\\"b\\\"]\"}");
    holds(db, "edges.get", "\"attributes\":{\"reason\":\"why\"}",
          "{\"graph\":\"c\",\"key\":\"[\\\"b\\\",\\\"DependsOn\\\",\\\"e\\\"]\"}");
    holds(db, "graphs.get", "\"nodes\":4,\"edges\":3", "{\"name\":\"c\"}");
    /* What is wrong blocks nothing. */
    answer(db, "streams.publish",
           "{\"stream\":\"call-protocol\",\"payload\":{\"event\":\"call.requested\"}}");
    answer(db, "streams.publish", "{\"stream\":\"call-protocol\",\"payload\":7}");
    answer(db, "streams.publish", "{\"stream\":\"call-protocol\",\"payload_base64\":\"AAA=\"}");
    answer(db, "streams.publish",
           "{\"stream\":\"call-protocol\",\"payload\":{\"event\":\"call.requested\",\"request_id\":"
           "\"x\",\"operation_id\":7}}");
    publish(db, "{\"event\":\"call.requested\",\"request_id\":\"d\",\"operation_id\":\"o\","
                "\"depends_on\":[\"b\"]}");
    publish(db, "{\"event\":\"call.error\",\"request_id\":\"d\",\"error\":{\"code\":\"E\"}}");
    holds(db, "calls.project",
          "{\"projected\":2,\"offset\":13,\"more\":false,\"failed\":5,\"faults\":[{\"offset\":8,"
          "\"message\":\"/request_id is missing\"}",
          "{\"graph\":\"c\"}");
    holds(db, "nodes.get", "\"error\":{\"code\":\"E\"},\"status\":\"error\"",
          "{\"graph\":\"c\",\"key\":\"d\"}");
    /* Another consumer begins anew, and makes nothing different. */
    holds(db, "calls.project", "\"offset\":13", "{\"graph\":\"c\",\"consumer\":\"second\"}");
    holds(db, "graphs.get", "\"nodes\":4,\"edges\":3", "{\"name\":\"c\"}");
    healthy(db);
    brant_db_free(db);
}

/* The same events in any order make the same calls and edges. */
static void test_order(void **state) {
    static const char *const events[] = {
        "{\"event\":\"call.requested\",\"request_id\":\"p\",\"operation_id\":\"o\",\"at\":1}",
        "{\"event\":\"call.requested\",\"request_id\":\"c\",\"operation_id\":\"q\",\"parent_"
        "request_id\":\"p\",\"trace_id\":\"t\",\"at\":2}",
        "{\"event\":\"call.responded\",\"request_id\":\"c\",\"output\":1,\"at\":3}",
        "{\"event\":\"call.responded\",\"request_id\":\"c\",\"output\":2,\"at\":4}",
        "{\"event\":\"call.completed\",\"request_id\":\"c\",\"at\":5}",
        "{\"event\":\"call.error\",\"request_id\":\"p\",\"error\":{\"code\":\"X\",\"message\":"
        "\"m\"},\"at\":6}",
        "{\"event\":\"call.requested\",\"request_id\":\"d\",\"operation_id\":\"r\",\"depends_on\":["
        "\"c\"],\"at\":7}",
    };
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    char *first = NULL;
    unsigned seed = 7;

    for (int round = 0; round < 40; round++) {
        size_t order[BRANT__COUNT(events)];
        char graph[16], *copy;
        for (size_t i = 0; i < BRANT__COUNT(order); i++)
            order[i] = i;
        for (size_t i = BRANT__COUNT(order) - 1; i > 0 && round > 0; i--) {
            seed = seed * 1664525u + 1013904223u;
            const size_t other = (seed >> 8) % (i + 1), kept = order[i];
            order[i] = order[other];
            order[other] = kept;
        }
        snprintf(graph, sizeof(graph), "g%d", round);
        answer(db, "graphs.create", "{\"name\":\"%s\",\"graph_type\":\"call\"}", graph);
        for (size_t i = 0; i < BRANT__COUNT(order); i++) {
            char event[300];
            snprintf(event, sizeof(event), "%.*s,\"stream\":\"%s\"}",
                     (int)strlen(events[order[i]]) - 1, events[order[i]], graph);
            publish(db, event);
            if (i % 3 == 0) publish(db, event); /* repeated */
            if ((seed >> 20) & 1)
                answer(db, "calls.project", "{\"graph\":\"%s\",\"stream\":\"%s\",\"limit\":3}",
                       graph, graph);
        }
        holds(db, "calls.project", "\"failed\":0", "{\"graph\":\"%s\",\"stream\":\"%s\"}", graph,
              graph);
        /* Attributes come in one order, whatever came first. */
        brant__json json = parsed(answer(db, "nodes.list", "{\"graph\":\"%s\"}", graph));
        brant__buffer text = {0};
        size_t index, count;
        yyjson_val *item;
        yyjson_arr_foreach(brant__json_get(json.root, "items"), index, count, item) {
            brant__json_append(&text, brant__json_get(item, "attributes"));
            brant__json_append(&text, brant__json_get(item, "metadata"));
        }
        brant__buffer_append_byte(&text, '\0');
        brant__json_free(&json);
        copy = text.data;
        holds(db, "graphs.get", "\"nodes\":3,\"edges\":2", "{\"name\":\"%s\"}", graph);
        if (!first)
            first = copy;
        else if (strcmp(first, copy) != 0)
            fail_msg("round %d: %s is not %s", round, copy, first);
        else
            brant__free(copy);
    }
    brant__free(first);
    brant_db_free(db);
}

/* ---- killed ------------------------------------------------------------------------------------------------------------------- */

#define CALLS 4000
#define KILLS 100

static void project_until_killed(const char *path) {
    brant_db *db = must_open(path, "");

    for (;;) {
        const char *text = answer(db, "calls.project", "{\"graph\":\"c\",\"limit\":37}");
        if (!strstr(text, "\"more\":true")) break;
    }
    _exit(0);
}

/* A projection that counted an event twice would say so in revisions. */
static void test_kills(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open(path, "");
    int kills = 0;
    unsigned seed = 11;
    bool done = false;

    answer(db, "graphs.create", "{\"name\":\"c\",\"graph_type\":\"call\",\"changes\":true}");
    answer(db, "transaction.begin", "{}");
    for (int i = 0; i < CALLS; i++) {
        char event[200];
        snprintf(event, sizeof(event),
                 "{\"event\":\"call.requested\",\"request_id\":\"r%d\",\"operation_id\":\"o\","
                 "\"at\":%d%s%d\"}",
                 i, i, i ? ",\"parent_request_id\":\"r" : ",\"trace_id\":\"", i ? i / 2 : 0);
        if (i == 1)
            snprintf(event, sizeof(event),
                     "{\"event\":\"call.requested\",\"request_id\":\"r1\",\"operation_id\":\"o\","
                     "\"parent_request_id\":\"r0\"}");
        publish(db, event);
        snprintf(event, sizeof(event),
                 "{\"event\":\"call.completed\",\"request_id\":\"r%d\",\"at\":%d}", i, i + 9);
        publish(db, event);
    }
    answer(db, "transaction.commit", "{}");
    brant_db_free(db);
    for (int i = 0; !done && i < 100 * KILLS; i++) {
        int code;
        pid_t child = fork();
        if (child == 0) project_until_killed(path);
        seed = seed * 1664525u + 1013904223u;
        if (kills < KILLS) {
            usleep(2000 + (seed >> 8) % 9000);
            kill(child, SIGKILL);
        }
        assert_int_equal(waitpid(child, &code, 0), child);
        if (WIFSIGNALED(code)) kills++;
        done = WIFEXITED(code);
        if (done) assert_int_equal(WEXITSTATUS(code), 0);
    }
    db = must_open(path, "");
    for (int i = 0; i < 20; i++)
        if (!strstr(answer(db, "calls.project", "{\"graph\":\"c\",\"limit\":100000}"),
                    "\"more\":true"))
            break;
    printf("killed %d times\n", kills);
    is(db, "calls.project", "{\"projected\":0,\"offset\":8000,\"more\":false,\"failed\":0}",
       "{\"graph\":\"c\"}");
    holds(db, "graphs.get", "\"nodes\":4000,\"edges\":3999", "{\"name\":\"c\"}");
    holds(db, "nodes.count", "{\"count\":4000}",
          "{\"graph\":\"c\",\"filter\":{\"attributes.status\":\"completed\"}}");
    /* Each event counted once: a call was written at most once for each of its two events and once for being named, an edge once. */
    holds(db, "sql.execute", "[[0]]",
          "{\"sql\":\"SELECT count(*) FROM edges WHERE revision > 1\"}");
    holds(db, "sql.execute", "[[0]]",
          "{\"sql\":\"SELECT count(*) FROM nodes WHERE revision > 3\"}");
    healthy(db);
    brant_db_free(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(test_events),
        GRAPH_TEST(test_projection),
        GRAPH_TEST(test_order),
        GRAPH_TEST(test_kills),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
