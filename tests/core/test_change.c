/*
 * The change log of graphs: every writer of rows writes it, what is different between two moments, and a graph as it was.
 */
#include "test_graph.h"

#include <unistd.h>

/* Events after an offset as "op key" lines, with ~ where there is a `before`. */
static void log_is(brant_db *db, const char *graph, int after, const char *wanted) {
    brant__json json =
        parsed(answer(db, "graphs.changes", "{\"graph\":\"%s\",\"after\":%d}", graph, after));
    brant__buffer text = {0};
    size_t index, count;
    yyjson_val *item;

    yyjson_arr_foreach(brant__json_get(json.root, "items"), index, count, item) {
        yyjson_val *payload = brant__json_get(item, "payload");
        const brant__text key = brant__json_get_text(item, "key");
        brant__buffer_format(
            &text, "%s%s%s %.*s", index ? ", " : "", yyjson_get_str(brant__json_get(payload, "op")),
            brant__json_get(payload, "before") ? "~" : "", (int)key.length, key.data);
    }
    brant__buffer_append_byte(&text, '\0');
    if (strcmp(text.data, wanted) != 0)
        fail_msg("the log is \"%s\", not \"%s\"", text.data, wanted);
    brant__buffer_free(&text);
    brant__json_free(&json);
}

static int head_of(brant_db *db, const char *graph) {
    brant__json json =
        parsed(answer(db, "graphs.changes", "{\"graph\":\"%s\",\"limit\":10000}", graph));
    yyjson_val *last = yyjson_arr_get_last(brant__json_get(json.root, "items"));
    const int head = (int)brant__json_integer(brant__json_get(last, "offset"), 0);

    brant__json_free(&json);
    return head;
}

static void writers(void **state) {
    brant_db *db = must_open(in_folder(*state, "changes.db"), "");

    holds(db, "graphs.create", "\"changes\":true",
          "{\"name\":\"g\",\"graph_type\":\"open\",\"changes\":true}");
    holds(db, "graphs.create", "\"changes\":false", "{\"name\":\"quiet\",\"graph_type\":\"open\"}");
    log_is(db, "g", 0, "begin g");
    answer(db, "nodes.put", "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"n\":1}}");
    answer(db, "nodes.put", "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"n\":2}}");
    answer(db, "nodes.insert", "{\"graph\":\"g\",\"key\":\"b\",\"metadata\":{\"m\":1}}");
    answer(db, "nodes.patch", "{\"graph\":\"g\",\"key\":\"b\",\"attributes\":{\"n\":3}}");
    answer(db, "nodes.patch", "{\"graph\":\"g\",\"key\":\"b\",\"attributes\":{\"n\":3}}");
    log_is(db, "g", 1, "put n:a, put~ n:a, put n:b, put~ n:b");
    answer(db, "edges.put", "{\"graph\":\"g\",\"source\":\"a\",\"target\":\"b\"}");
    answer(db, "edges.put",
           "{\"graph\":\"g\",\"source\":\"a\",\"target\":\"b\",\"attributes\":{\"w\":1}}");
    answer(db, "edges.put",
           "{\"graph\":\"g\",\"source\":\"b\",\"target\":\"a\",\"key\":\"named\"}");
    answer(db, "edges.patch_many",
           "{\"graph\":\"g\",\"items\":[{\"key\":\"named\",\"attributes\":{\"w\":2}}]}");
    log_is(db, "g", 5,
           "put e:[\"a\",null,\"b\"], put~ e:[\"a\",null,\"b\"], put e:named, put~ e:named");
    answer(db, "nodes.delete", "{\"graph\":\"g\",\"key\":\"a\",\"edges\":\"delete\"}");
    log_is(db, "g", 9, "delete~ e:[\"a\",null,\"b\"], delete~ e:named, delete~ n:a");
    must_fail(db, "nodes.insert", "{\"graph\":\"g\",\"key\":\"b\"}", BRANT_EXISTS, "exists");
    answer(db, "nodes.delete_many", "{\"graph\":\"g\",\"filter\":{}}");
    log_is(db, "g", 12, "delete~ n:b");
    holds(db, "graphs.changes",
          "{\"offset\":13,\"key\":\"n:b\",\"payload\":{\"kind\":\"node\",\"key\":\"b\",\"type\":"
          "null,\"op\":\"delete\",\"before\":{\"type\":null,\"attributes\":{\"n\":3},\"metadata\":{"
          "\"m\":1},\"revision\":2}}",
          "{\"graph\":\"g\",\"after\":12}");
    fails(db, "graphs.changes", BRANT_CONFLICT, "no change log", "{\"graph\":\"quiet\"}");
    healthy(db);
    brant_db_free(db);
}

/* Batches of more rows than one statement takes, an import, and erasing. */
static void batches(void **state) {
    brant_db *db = must_open(in_folder(*state, "changes.db"), "");
    brant__buffer items = {0};

    answer(db, "graphs.create", "{\"name\":\"g\",\"graph_type\":\"open\",\"changes\":true}");
    for (int i = 0; i < 40; i++)
        brant__buffer_format(&items, "%s{\"key\":\"n%d\"}", i ? "," : "", i);
    answer(db, "nodes.put_many", "{\"graph\":\"g\",\"items\":[%.*s]}", (int)items.length,
           items.data);
    assert_int_equal(head_of(db, "g"), 41);
    brant__buffer_reset(&items);
    for (int i = 1; i < 40; i++)
        brant__buffer_format(&items, "%s{\"source\":\"n0\",\"target\":\"n%d\"}", i > 1 ? "," : "",
                             i);
    answer(db, "edges.put_many", "{\"graph\":\"g\",\"items\":[%.*s]}", (int)items.length,
           items.data);
    assert_int_equal(head_of(db, "g"), 80);
    holds(db, "graphs.diff", "\"created\":[]", "{\"graph\":\"g\",\"from\":80}");
    answer(db, "db.erase", "{\"values\":[\"n0\"],\"action\":\"delete\"}");
    answer(db, "graphs.import",
           "{\"graph\":\"g\",\"format\":\"ndjson\",\"text\":\"{\\\"node\\\":{\\\"key\\\":\\\"i\\\"}"
           "}\\n\"}");
    answer(db, "graphs.purge", "{\"name\":\"g\"}");
    answer(db, "graphs.create", "{\"name\":\"g\",\"graph_type\":\"open\",\"changes\":true}");
    log_is(db, "g", 0, "begin g");
    brant__buffer_free(&items);
    healthy(db);
    brant_db_free(db);
}

/* A log that begins late holds what was there; one that ended says so. */
static void switched(void **state) {
    brant_db *db = must_open(in_folder(*state, "changes.db"), "");

    answer(db, "graphs.create", "{\"name\":\"g\",\"graph_type\":\"open\"}");
    answer(db, "nodes.put_many", "{\"graph\":\"g\",\"items\":[{\"key\":\"a\"},{\"key\":\"b\"}]}");
    answer(db, "edges.put", "{\"graph\":\"g\",\"source\":\"a\",\"target\":\"b\"}");
    holds(db, "graphs.update", "\"changes\":true", "{\"name\":\"g\",\"changes\":true}");
    log_is(db, "g", 0, "begin g, put n:a, put n:b, put e:[\"a\",null,\"b\"]");
    holds(db, "graphs.update", "\"changes\":true", "{\"name\":\"g\",\"changes\":true}");
    assert_int_equal(head_of(db, "g"), 4);
    is(db, "graphs.replay", "{\"graph\":\"r4\",\"offset\":4,\"nodes\":2,\"edges\":1}",
       "{\"graph\":\"g\",\"to\":4,\"into\":\"r4\"}");
    fails(db, "graphs.replay", BRANT_CONFLICT, "from offset 4 it is complete",
          "{\"graph\":\"g\",\"to\":3,\"into\":\"r3\"}");
    fails(db, "graphs.diff", BRANT_CONFLICT, "does not say how it was at offset 0",
          "{\"graph\":\"g\",\"from\":0}");
    fails(db, "graphs.replay", BRANT_INVALID, "1..4", "{\"graph\":\"g\",\"to\":5,\"into\":\"r5\"}");
    fails(db, "graphs.replay", BRANT_EXISTS, "already",
          "{\"graph\":\"g\",\"to\":4,\"into\":\"r4\"}");
    answer(db, "graphs.update", "{\"name\":\"g\",\"changes\":false}");
    answer(db, "nodes.put", "{\"graph\":\"g\",\"key\":\"c\"}");
    log_is(db, "g", 4, "end g");
    fails(db, "graphs.replay", BRANT_CONFLICT, "not on",
          "{\"graph\":\"g\",\"to\":5,\"into\":\"r5\"}");
    answer(db, "graphs.update", "{\"name\":\"g\",\"changes\":true}");
    log_is(db, "g", 5, "begin g, put n:a, put n:b, put n:c, put e:[\"a\",null,\"b\"]");
    is(db, "graphs.replay", "{\"graph\":\"r10\",\"offset\":10,\"nodes\":3,\"edges\":1}",
       "{\"graph\":\"g\",\"to\":10,\"into\":\"r10\"}");
    fails(db, "graphs.diff", BRANT_CONFLICT, "offset 4", "{\"graph\":\"g\",\"from\":4}");
    is(db, "graphs.diff",
       "{\"from\":10,\"to\":10,\"nodes\":{\"created\":[],\"updated\":[],\"deleted\":[]},\"edges\":{"
       "\"created\":[],\"updated\":[],\"deleted\":[]},\"truncated\":false}",
       "{\"graph\":\"g\",\"from\":10}");
    healthy(db);
    brant_db_free(db);
}

static void differences(void **state) {
    brant_db *db = must_open(in_folder(*state, "changes.db"), "");

    answer(db, "graphs.create", "{\"name\":\"g\",\"graph_type\":\"open\",\"changes\":true}");
    answer(db, "nodes.put_many",
           "{\"graph\":\"g\",\"items\":[{\"key\":\"a\"},{\"key\":\"b\"},{\"key\":\"c\","
           "\"attributes\":{\"n\":1}}]}");
    answer(db, "nodes.delete", "{\"graph\":\"g\",\"key\":\"a\"}");
    answer(db, "nodes.put", "{\"graph\":\"g\",\"key\":\"x\"}");
    answer(db, "nodes.delete", "{\"graph\":\"g\",\"key\":\"x\"}");
    answer(db, "nodes.put", "{\"graph\":\"g\",\"key\":\"c\",\"attributes\":{\"n\":2}}");
    answer(db, "nodes.put", "{\"graph\":\"g\",\"key\":\"b\",\"attributes\":{\"n\":2}}");
    answer(db, "nodes.put", "{\"graph\":\"g\",\"key\":\"c\",\"attributes\":{\"n\":1}}");
    answer(db, "nodes.put", "{\"graph\":\"g\",\"key\":\"d\"}");
    answer(db, "edges.put", "{\"graph\":\"g\",\"source\":\"b\",\"target\":\"d\"}");
    is(db, "graphs.diff",
       "{\"from\":4,\"to\":12,\"nodes\":{\"created\":[\"d\"],\"updated\":[\"b\"],\"deleted\":["
       "\"a\"]},\"edges\":{\"created\":[\"[\\\"b\\\",null,\\\"d\\\"]\"],\"updated\":[],\"deleted\":"
       "[]},\"truncated\":false}",
       "{\"graph\":\"g\",\"from\":4}");
    holds(db, "graphs.diff",
          "\"nodes\":{\"created\":[\"b\",\"c\",\"d\"],\"updated\":[],\"deleted\":[]}",
          "{\"graph\":\"g\",\"from\":0}");
    holds(db, "graphs.diff", "\"nodes\":{\"created\":[],\"updated\":[\"c\"],\"deleted\":[\"a\"]}",
          "{\"graph\":\"g\",\"from\":4,\"to\":8}");
    holds(db, "graphs.diff", "\"truncated\":true", "{\"graph\":\"g\",\"from\":4,\"limit\":2}");
    holds(db, "graphs.diff", "\"to\":12",
          "{\"graph\":\"g\",\"from\":4,\"to\":{\"time\":9000000000000}}");
    fails(db, "graphs.diff", BRANT_INVALID, "is after to (offset 0)",
          "{\"graph\":\"g\",\"from\":4,\"to\":{\"time\":5}}");
    fails(db, "graphs.diff", BRANT_INVALID, "is after", "{\"graph\":\"g\",\"from\":5,\"to\":4}");
    healthy(db);
    brant_db_free(db);
}

/* A log that lacks events says so, instead of telling a past that never was. */
static void holes(void **state) {
    brant_db *db = must_open(in_folder(*state, "changes.db"), "");
    char *stream;
    brant__json json;

    answer(db, "graphs.create", "{\"name\":\"g\",\"graph_type\":\"open\",\"changes\":true}");
    json = parsed(answer(db, "graphs.get", "{\"name\":\"g\"}"));
    stream = strdup(brant__json_get_text(json.root, "id").data);
    brant__json_free(&json);
    for (int i = 0; i < 5; i++)
        answer(db, "nodes.put", "{\"graph\":\"g\",\"key\":\"k%d\"}", i);
    holds(db, "streams.read", "\"key\":\"n:k0\"", "{\"stream\":\"changes:%s\",\"after\":1}",
          stream);
    answer(db, "db.erase", "{\"values\":[\"k2\"]}");
    log_is(db, "g", 0, "begin g, put n:k0, put n:k1, put n:k3, put n:k4");
    fails(db, "graphs.replay", BRANT_CONFLICT, "lacks events",
          "{\"graph\":\"g\",\"to\":7,\"into\":\"r\"}");
    fails(db, "graphs.diff", BRANT_CONFLICT, "lacks events", "{\"graph\":\"g\",\"from\":3}");
    holds(db, "graphs.replay", "\"nodes\":2", "{\"graph\":\"g\",\"to\":3,\"into\":\"r\"}");
    holds(db, "graphs.diff", "\"deleted\":[]", "{\"graph\":\"g\",\"from\":4,\"to\":6}");
    answer(db, "streams.trim", "{\"stream\":\"changes:%s\",\"before\":3}", stream);
    holds(db, "graphs.changes", "\"gap\":{\"from\":1,\"to\":2}", "{\"graph\":\"g\"}");
    fails(db, "graphs.replay", BRANT_CONFLICT, "removed by retention",
          "{\"graph\":\"g\",\"to\":6,\"into\":\"s\"}");
    /* It begins anew. */
    answer(db, "graphs.update", "{\"name\":\"g\",\"changes\":false}");
    answer(db, "graphs.update", "{\"name\":\"g\",\"changes\":true}");
    answer(db, "nodes.put", "{\"graph\":\"g\",\"key\":\"k2\"}");
    holds(db, "graphs.replay", "\"nodes\":5",
          "{\"graph\":\"g\",\"to\":{\"time\":9000000000000},\"into\":\"s\"}");
    free(stream);
    healthy(db);
    brant_db_free(db);
}

/* A migration and retention write the log, too; what is rolled back does not. */
static void others(void **state) {
    brant_db *db = must_open(in_folder(*state, "changes.db"), "");

    answer(db, "graph_types.define",
           "{\"module\":{\"$id\":\"t\",\"$defs\":{\"ANode\":{\"type\":\"object\"}}}}");
    answer(db, "graphs.create", "{\"name\":\"g\",\"graph_type\":\"t\",\"changes\":true}");
    answer(db, "nodes.put_many", "{\"graph\":\"g\",\"items\":[{\"key\":\"a\"},{\"key\":\"b\"}]}");
    answer(db, "transaction.begin", "{}");
    answer(db, "nodes.put", "{\"graph\":\"g\",\"key\":\"c\"}");
    answer(db, "transaction.rollback", "{}");
    answer(db, "graph_types.update",
           "{\"name\":\"t\",\"version\":2,\"module\":{\"$id\":\"t\",\"$defs\":{\"ANode\":{\"type\":"
           "\"object\",\"required\":[\"n\"]}}}}");
    answer(db, "graph_types.migrate",
           "{\"name\":\"t\",\"patches\":{\"A\":[{\"op\":\"add\",\"path\":\"/n\",\"value\":1}]}}");
    log_is(db, "g", 1, "put n:a, put n:b, put~ n:a, put~ n:b");
    fails(db, "graphs.replay", BRANT_VALIDATION, "n", "{\"graph\":\"g\",\"to\":3,\"into\":\"r\"}");
    holds(db, "graphs.replay", "\"nodes\":2",
          "{\"graph\":\"g\",\"to\":3,\"into\":\"r\",\"graph_type\":\"open\"}");
    answer(
        db, "graph_types.set_retention",
        "{\"name\":\"t\",\"rules\":{\"nodes\":[{\"older_than\":0,\"filter\":{\"key\":\"a\"}}]}}");
    usleep(3000);
    answer(db, "db.maintain", "{}");
    log_is(db, "g", 5, "delete~ n:a");
    answer(db, "db.erase", "{\"values\":[\"b\"],\"dry_run\":true}");
    answer(db, "graphs.purge", "{\"name\":\"g\",\"limit\":1}");
    holds(db, "streams.list", "{\"items\":[]}", "{\"prefix\":\"changes:\"}");
    healthy(db);
    brant_db_free(db);
}

/* ---- at random ----------------------------------------------------------------------------------------------------------- */

#define KEYS  12
#define STEPS 120

static int compare_lines(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Everything of a graph that a replay is to bring back, as lines in their order: lists go by the order of creation. */
static char *copy_of(brant_db *db, const char *graph) {
    static const char *const lists[] = {"nodes.list", "edges.list"};
    static const char *const names[] = {"key",        "type",       "source",  "target",
                                        "undirected", "attributes", "metadata"};
    char *lines[200];
    size_t total = 0, index, count;
    brant__buffer text = {0};
    yyjson_val *item;

    for (int kind = 0; kind < 2; kind++) {
        brant__json json =
            parsed(answer(db, lists[kind], "{\"graph\":\"%s\",\"limit\":1000}", graph));
        yyjson_arr_foreach(brant__json_get(json.root, "items"), index, count, item) {
            brant__buffer line = {0};
            for (size_t i = 0; i < BRANT__COUNT(names); i++) {
                brant__json_append(&line, brant__json_get(item, names[i]));
                brant__buffer_append_byte(&line, i + 1 < BRANT__COUNT(names) ? ' ' : '\0');
            }
            assert_true(!line.failed && total < BRANT__COUNT(lines));
            lines[total++] = line.data;
        }
        brant__json_free(&json);
    }
    qsort(lines, total, sizeof(*lines), compare_lines);
    for (size_t i = 0; i < total; i++) {
        brant__buffer_format(&text, "%s\n", lines[i]);
        brant__free(lines[i]);
    }
    brant__buffer_append_byte(&text, '\0');
    assert_false(text.failed);
    return text.data;
}

static unsigned next_random(unsigned *seed) {
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* Some of these fail, and leave nothing in the log. */
static void write_some(brant_db *db, const char *graph, unsigned *seed) {
    char input[512], *out = NULL;
    size_t length;
    const unsigned a = next_random(seed) % KEYS, b = next_random(seed) % KEYS,
                   n = next_random(seed) % 4;
    const char *name;

    switch (next_random(seed) % 10) {
    case 0:
        name = "nodes.delete";
        snprintf(input, sizeof(input), "{\"graph\":\"%s\",\"key\":\"k%u\",\"edges\":\"delete\"}",
                 graph, a);
        break;
    case 1:
        name = "edges.delete_many";
        snprintf(input, sizeof(input), "{\"graph\":\"%s\",\"filter\":{\"attributes.n\":%u}}", graph,
                 n);
        break;
    case 2:
        name = "nodes.patch";
        snprintf(input, sizeof(input),
                 "{\"graph\":\"%s\",\"key\":\"k%u\",\"attributes\":{\"n\":%u}}", graph, a, n);
        break;
    case 3:
        name = "nodes.put_many";
        snprintf(input, sizeof(input),
                 "{\"graph\":\"%s\",\"items\":[{\"key\":\"k%u\"},{\"key\":\"k%u\",\"metadata\":{"
                 "\"n\":%u}}]}",
                 graph, a, b, n);
        break;
    case 4:
        name = "nodes.delete_many";
        snprintf(input, sizeof(input),
                 "{\"graph\":\"%s\",\"keys\":[\"k%u\",\"k%u\"],\"errors\":\"skip\"}", graph, a, b);
        break;
    case 5:
    case 6:
        name = "nodes.put";
        snprintf(input, sizeof(input),
                 "{\"graph\":\"%s\",\"key\":\"k%u\",\"attributes\":{\"n\":%u}}", graph, a, n);
        break;
    default:
        name = "edges.put_many";
        snprintf(input, sizeof(input),
                 "{\"graph\":\"%s\",\"errors\":\"skip\",\"items\":[{\"source\":\"k%u\",\"target\":"
                 "\"k%u\",\"undirected\":%s,\"attributes\":{\"n\":%u}},{\"source\":\"k%u\","
                 "\"target\":\"k%u\",\"key\":\"e%u\"}]}",
                 graph, a, b, n & 1 ? "true" : "false", n, b, a, n);
        if (strcmp(graph, "mixed") != 0) {
            char *given = strstr(input, "\"undirected\":");
            memmove(given, strstr(given, ",") + 1, strlen(strstr(given, ",") + 1) + 1);
        }
        break;
    }
    (void)brant_call(&out, &length, db, name, strlen(name), input, strlen(input));
    brant_free(out);
}

static void replays(brant_db *db, const char *graph, unsigned seed) {
    static char *copies[STEPS];
    static int heads[STEPS];

    for (int i = 0; i < STEPS; i++) {
        write_some(db, graph, &seed);
        if (i == STEPS / 2)
            answer(db, "graphs.update", "{\"name\":\"%s\",\"changes\":false}", graph);
        if (i == STEPS / 2 + 5)
            answer(db, "graphs.update", "{\"name\":\"%s\",\"changes\":true}", graph);
        heads[i] = i >= STEPS / 2 && i < STEPS / 2 + 5 ? -1 : head_of(db, graph);
        copies[i] = copy_of(db, graph);
    }
    for (int i = 0; i < STEPS; i++) {
        char *copy;
        if (heads[i] >= 0 && (i % 7 == 0 || i > STEPS - 3)) {
            answer(db, "graphs.replay", "{\"graph\":\"%s\",\"to\":%d,\"into\":\"replayed\"}", graph,
                   heads[i]);
            copy = copy_of(db, "replayed");
            if (strcmp(copy, copies[i]) != 0)
                fail_msg("%s at offset %d is \"%s\", not \"%s\"", graph, heads[i], copy, copies[i]);
            brant__free(copy);
            answer(db, "graphs.purge", "{\"name\":\"replayed\"}");
        }
        brant__free(copies[i]);
    }
    healthy(db);
}

static void random_replays(void **state) {
    brant_db *db = must_open(in_folder(*state, "changes.db"), "");

    answer(
        db, "graph_types.define",
        "{\"module\":{\"$id\":\"undirected\",\"$defs\":{\"Config\":{\"type\":\"object\","
        "\"properties\":{\"directed\":{\"const\":\"undirected\"},\"multi\":{\"const\":true}}}}}}");
    answer(db, "graph_types.define",
           "{\"module\":{\"$id\":\"mixed\",\"$defs\":{\"Config\":{\"type\":\"object\","
           "\"properties\":{\"directed\":{\"const\":\"mixed\"},\"multi\":{\"const\":false}}}}}}");
    answer(db, "graphs.create", "{\"name\":\"open\",\"graph_type\":\"open\",\"changes\":true}");
    answer(db, "graphs.create",
           "{\"name\":\"undirected\",\"graph_type\":\"undirected\",\"changes\":true}");
    answer(db, "graphs.create", "{\"name\":\"mixed\",\"graph_type\":\"mixed\",\"changes\":true}");
    replays(db, "open", 1);
    replays(db, "undirected", 2);
    replays(db, "mixed", 3);
    brant_db_free(db);
}

/* Nobody writes it but the graph. */
static void is_the_librarys(void **state) {
    brant_db *db = must_open(in_folder(*state, "changes.db"), "");
    char id[64], json[512];

    brant__json made = parsed(
        answer(db, "graphs.create", "{\"name\":\"g\",\"graph_type\":\"open\",\"changes\":true}"));
    snprintf(id, sizeof id, "%s", yyjson_get_str(brant__json_get(made.root, "id")));
    brant__json_free(&made);
    snprintf(json, sizeof json, "{\"stream\":\"changes:%s\",\"payload_base64\":\"/w==\"}", id);
    must_fail(db, "streams.publish", json, BRANT_CONFLICT, "change log of a graph");
    snprintf(json, sizeof json, "{\"stream\":\"changes:%s\",\"items\":[{}]}", id);
    must_fail(db, "streams.publish_many", json, BRANT_CONFLICT, "change log of a graph");
    snprintf(json, sizeof json,
             "{\"stream\":\"changes:%s\",\"event\":\"call.responded\",\"request_id\":\"r\"}", id);
    must_fail(db, "calls.publish", json, BRANT_CONFLICT, "change log of a graph");
    must(db, "streams.publish", "{\"stream\":\"changes:orders\"}", "{\"offset\":1}");
    log_is(db, "g", 0, "begin g");
    brant_db_free(db);
}

/* An event holds a document twice, an answer and a batch more around it. */
static void as_deep_as_documents(void **state) {
    brant_db *db = must_open(in_folder(*state, "changes.db"), "");
    char deep[2 * 510 + 1], *json = malloc(4096);

    memset(deep, '[', 510);
    memset(deep + 510, ']', 510);
    deep[2 * 510] = '\0';
    answer(db, "graphs.create", "{\"name\":\"g\",\"graph_type\":\"open\",\"changes\":true}");
    answer(db, "nodes.put", "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"n\":1}}");
    for (int i = 0; i < 2; i++) {
        snprintf(json, 4096, "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"n\":%d,\"d\":%s}}",
                 i, deep);
        must(db, "nodes.put", json, NULL);
    }
    must(db, "graphs.diff", "{\"graph\":\"g\",\"from\":2}", "\"updated\":[\"a\"]");
    must(db, "graphs.diff", "{\"graph\":\"g\",\"from\":3}", "\"updated\":[\"a\"]");
    must(db, "graphs.replay", "{\"graph\":\"g\",\"to\":4,\"into\":\"h\"}", "\"nodes\":1");
    free(json);
    brant_db_free(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(writers),        GRAPH_TEST(batches),         GRAPH_TEST(switched),
        GRAPH_TEST(differences),    GRAPH_TEST(holes),           GRAPH_TEST(others),
        GRAPH_TEST(random_replays), GRAPH_TEST(is_the_librarys), GRAPH_TEST(as_deep_as_documents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
