/*
 * tests/core/test_graph_erase.c: db.erase: what it finds, what it makes of it, and that the bytes are gone from the file.
 */
#include "test_graph.h"

#include <sys/stat.h>

#define VICTIM "victim-7f3a@example.org"
#define OTHER  "victim-7f3a@example.org.uk"

static uint64_t random_state = 88172645463325252u;
static uint32_t next_random(uint32_t below) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state % below);
}

/* How often a text stands in a file; -1: there is no file. */
static long count_in_file(const char *path, const char *text) {
    FILE *file = fopen(path, "rb");
    long size, count = 0;
    char *bytes;

    if (!file) return -1;
    fseek(file, 0, SEEK_END);
    size = ftell(file);
    rewind(file);
    bytes = malloc((size_t)size + 1);
    assert_int_equal(fread(bytes, 1, (size_t)size, file), (size_t)size);
    fclose(file);
    for (char *at = bytes; (at = memmem(at, (size_t)(bytes + size - at), text, strlen(text))); at++)
        count++;
    free(bytes);
    return count;
}

static char *padding(void) {
    static char text[3000];
    uint32_t length = next_random(4) ? next_random(200) : next_random(2900);

    memset(text, 'a' + (int)next_random(26), length);
    text[length] = 0;
    return text;
}

/* Jobs and events that hold the value, waiting and finished, in all of their parts. */
static void fill_events(brant_db *db, const char *value) {
    char id[32], token[32];

    for (int i = 0; i < 20; i++) {
        holds(db, "queues.enqueue", "\"id\"",
              "{\"queue\":\"q\",\"payload\":{\"to\":\"%s\",\"pad\":\"%s\"},\"result_ttl\":1000000}",
              i % 3 ? value : "none", padding());
        holds(db, "streams.publish", "\"offset\"",
              "{\"stream\":\"s\",\"payload\":[\"%s\"],\"key\":\"%s\"}", i % 2 ? value : "none",
              i % 3 ? "none" : value);
    }
    holds(db, "queues.enqueue", "\"id\"", "{\"queue\":\"q\",\"key\":\"%s\",\"priority\":-1}",
          value);
    holds(db, "queues.enqueue", "\"id\"",
          "{\"queue\":\"q\",\"unique\":{\"key\":\"%s\",\"window\":1000000},\"priority\":-1}",
          value);
    for (int i = 0; i < 3; i++) {
        brant__json json = parsed(
            answer(db, "queues.claim", "{\"queue\":\"q\",\"worker\":\"%s\"}", i ? value : "none"));
        yyjson_val *job = yyjson_arr_get_first(brant__json_get(json.root, "items"));
        snprintf(id, sizeof(id), "%lld",
                 (long long)brant__json_integer(brant__json_get(job, "id"), 0));
        snprintf(token, sizeof(token), "%lld",
                 (long long)brant__json_integer(brant__json_get(job, "token"), 0));
        brant__json_free(&json);
        if (i == 0)
            answer(db, "jobs.ack", "{\"id\":%s,\"token\":%s,\"result\":\"%s\"}", id, token, value);
        if (i == 1)
            answer(db, "jobs.fail", "{\"id\":%s,\"token\":%s,\"error\":{\"message\":\"%s\"}}", id,
                   token, value);
        if (i == 2)
            answer(db, "jobs.heartbeat", "{\"id\":%s,\"token\":%s,\"progress\":[\"%s\"]}", id,
                   token, value);
    }
    holds(db, "consumers.claim", "\"token\"",
          "{\"stream\":\"s\",\"group\":\"g\",\"member\":\"%s\",\"limit\":3,\"lease\":1000000}",
          value);
    holds(db, "consumers.claim", "\"token\"",
          "{\"stream\":\"s\",\"group\":\"g\",\"member\":\"none\",\"lease\":1000000}");
    holds(db, "locks.acquire", "true", "{\"name\":\"l\",\"owner\":\"%s\"}", value);
    holds(db, "locks.acquire", "true", "{\"name\":\"other\",\"owner\":\"none\"}");
    holds(db, "rate_limits.take", "true",
          "{\"name\":\"%s\",\"kind\":\"sliding_window\",\"limit\":5,\"period\":100000}", value);
}

/* Fill a graph with rows of all sizes, in random order, many of which hold the value; change and delete some. */
static void fill(brant_db *db, int nodes, const char *value) {
    holds(db, "graphs.create", "\"id\"",
          "{\"name\":\"g\",\"graph_type\":\"open\",\"changes\":true}");
    must(db, "transaction.begin", "{}", "1");
    for (int i = 0; i < nodes; i++)
        holds(db, "nodes.put", "true",
              "{\"graph\":\"g\",\"key\":\"k%u-%d\",\"attributes\":{\"pad\":\"%s\",\"mail\":\"%s\"},"
              "\"metadata\":{\"x\":[\"%s\"]}}",
              next_random(1000000), i, padding(), next_random(3) ? "none" : value,
              next_random(3) ? "none" : value);
    must(db, "nodes.put", "{\"graph\":\"g\",\"key\":\"" VICTIM "\"}", "true");
    must(db, "nodes.put", "{\"graph\":\"g\",\"key\":\"other\"}", "true");
    must(db, "edges.put", "{\"graph\":\"g\",\"source\":\"" VICTIM "\",\"target\":\"other\"}",
         "true");
    must(db, "transaction.commit", "{}", "0");
    must(db, "nodes.patch_many",
         "{\"graph\":\"g\",\"errors\":\"skip\",\"items\":[{\"key\":\"other\",\"attributes\":{"
         "\"a\":{\"" VICTIM "\":1}}}]}",
         "\"updated\":1");
    must(db, "nodes.delete_many",
         "{\"graph\":\"g\",\"filter\":{\"key\":{\"$prefix\":\"k3\"}},\"edges\":\"delete\"}", NULL);
}

static void must_be_gone(const char *path, const char *value) {
    char log[4200];

    snprintf(log, sizeof log, "%s-wal", path);
    if (count_in_file(path, value) != 0)
        fail_msg("\"%s\" stands %ld times in the file", value, count_in_file(path, value));
    assert_true(count_in_file(log, value) <= 0);
}

static void test_bytes(void **state) {
    for (int round = 0; round < 6; round++) {
        const char *path = in_folder(*state, "bytes.db");
        brant_db *db = must_open(path, "");
        struct stat log;
        char name[4200];

        fill(db, 1500, VICTIM);
        fill_events(db, VICTIM);
        if (round % 2)
            holds(db, "db.erase", "\"scrubbed\":true",
                  "{\"values\":[\"" VICTIM "\"],\"action\":\"redact\"}");
        else
            holds(db, "db.erase", "\"scrubbed\":true", "{\"values\":[\"" VICTIM "\"]}");
        snprintf(name, sizeof name, "%s-wal", path);
        assert_int_equal(stat(name, &log), 0);
        assert_int_equal(log.st_size, 0);
        must_be_well(db);
        holds(db, "db.erase",
              "\"counts\":{\"nodes\":0,\"edges\":0,\"notifications\":0,\"graphs\":0,"
              "\"jobs\":0,\"events\":0,\"schedules\":0,\"rate_limits\":0,\"pending\":0,"
              "\"locks\":0}",
              "{\"values\":[\"" VICTIM "\"],\"dry_run\":true}");
        brant_db_free(db);
        must_be_gone(path, VICTIM);
        assert_true(count_in_file(path, "\"none\"") > 0); /* the others are there */
        unlink(path);
    }
}

/* What erasing does with each row, in every graph whatever its status. */
static void test_actions(void **state) {
    brant_db *db = must_open(in_folder(*state, "actions.db"), "");

    define(db, "{\"$id\":\"t\",\"$defs\":{\"PNode\":{\"properties\":{\"mail\":{\"pattern\":\"@\"},"
               "\"note\":{\"type\":\"string\"}}},\"LEdge\":{\"properties\":{\"by\":{\"pattern\":"
               "\"@\"}}}}}");
    for (int i = 0; i < 3; i++) {
        holds(db, "graphs.create", "\"id\"", "{\"name\":\"g%d\",\"graph_type\":\"t\"}", i);
        holds(db, "nodes.put_many", "\"created\":5",
              "{\"graph\":\"g%d\",\"items\":[{\"key\":\"m@x\"},{\"key\":\"a\",\"attributes\":{"
              "\"mail\":\"m@x\"}},{\"key\":\"b\",\"attributes\":{\"note\":\"m@x\"}},{\"key\":"
              "\"c\",\"attributes\":{\"note\":\"m@x.z\"}},{\"key\":\"d\",\"metadata\":{\"m@x\":1,"
              "\"[erased]\":2,\"x\":[[\"m@x\"]]}}]}",
              i);
        holds(
            db, "edges.put_many", "\"created\":4",
            "{\"graph\":\"g%d\",\"items\":[{\"source\":\"m@x\",\"target\":\"c\",\"attributes\":{"
            "\"by\":\"m@x\"}},{\"source\":\"b\",\"target\":\"c\",\"attributes\":{\"by\":\"m@x\"}},{"
            "\"source\":\"c\",\"target\":\"d\",\"attributes\":{\"who\":\"m@x\"}},{\"source\":\"d\","
            "\"target\":\"c\",\"key\":\"m@x\"}]}",
            i);
    }
    must(db, "graphs.update", "{\"name\":\"g1\",\"status\":\"archived\"}", "archived");
    must(db, "graphs.delete", "{\"name\":\"g2\"}", "true");
    holds(db, "db.erase", "\"counts\":{\"nodes\":12,\"edges\":12,",
          "{\"values\":[\"m@x\"],"
          "\"action\":\"redact\",\"dry_run\":true}");
    holds(db, "nodes.get", "\"m@x\"", "{\"graph\":\"g0\",\"key\":\"m@x\"}");
    holds(db, "db.erase",
          "{\"nodes\":[{\"graph\":\"g0\",\"key\":\"m@x\",\"action\":\"delete\"},{\"graph\":\"g0\","
          "\"key\":\"a\",\"action\":\"delete\"},{\"graph\":\"g0\",\"key\":\"b\",\"action\":"
          "\"redact\"},"
          "{\"graph\":\"g0\",\"key\":\"d\",\"action\":\"redact\"},{\"graph\":\"g1\",",
          "{\"values\":[\"m@x\"],\"action\":\"redact\"}");
    healthy(db);
    holds(db, "nodes.get", "\"metadata\":{\"[erased] 2\":1,\"[erased]\":2,\"x\":[[\"[erased]\"]]}",
          "{\"graph\":\"g0\",\"key\":\"d\"}");
    holds(db, "nodes.get", "\"note\":\"[erased]\"", "{\"graph\":\"g0\",\"key\":\"b\"}");
    holds(db, "nodes.get", "\"note\":\"m@x.z\"", "{\"graph\":\"g1\",\"key\":\"c\"}");
    holds(db, "edges.list",
          "\"items\":[{\"key\":\"[\\\"c\\\",\\\"L\\\",\\\"d\\\"]\",\"type\":\"L\",\"source\":"
          "\"c\",\"target\":\"d\",\"attributes\":{\"who\":\"[erased]\"}",
          "{\"graph\":\"g0\"}");
    is(db, "edges.count", "{\"count\":1}", "{\"graph\":\"g1\"}");
    must(db, "graphs.update", "{\"name\":\"g2\",\"status\":\"active\"}", "active");
    is(db, "nodes.count", "{\"count\":3}", "{\"graph\":\"g2\"}");
    holds(db, "sql.execute", "\"rows\":[[0]]",
          "{\"sql\":\"SELECT count(*) FROM notifications WHERE instr(payload, 'm@x\\\"') > 0\"}");
    brant_db_free(db);
}

/* Values in every way of writing them, and more of them than are looked for in the raw text. */
static void test_values(void **state) {
    brant_db *db = must_open(in_folder(*state, "values.db"), "");
    brant__buffer values = {0};

    must(db, "graphs.create", "{\"name\":\"g\",\"graph_type\":\"open\"}", "\"id\"");
    must(db, "nodes.put_many",
         "{\"graph\":\"g\",\"items\":[{\"key\":\"q\",\"attributes\":{\"a\":\"say "
         "\\\"hi\\\"\"}},{\"key\":"
         "\"u\",\"attributes\":{\"a\":\"\\u00e9t\\u00e9\"}},{\"key\":\"n\",\"attributes\":{\"a\":"
         "\"a\\u0000b\"}},{\"key\":\"s\",\"attributes\":{\"a\":\"\\/x\\\\\"}},{\"key\":\"o\"}]}",
         "\"created\":5");
    holds(db, "db.erase", "\"nodes\":[{\"graph\":\"g\",\"key\":\"q\",\"action\":\"delete\"}]",
          "{\"values\":[\"say \\\"hi\\\"\"]}");
    holds(db, "db.erase", "\"nodes\":[{\"graph\":\"g\",\"key\":\"u\",\"action\":\"delete\"}]",
          "{\"values\":[\"\xc3\xa9t\xc3\xa9\"]}");
    holds(db, "db.erase", "\"nodes\":[{\"graph\":\"g\",\"key\":\"n\",\"action\":\"delete\"}]",
          "{\"values\":[\"a\\u0000b\"]}");
    for (int i = 0; i < 99; i++)
        brant__buffer_format(&values, "\"none%d\",", i);
    brant__buffer_append(&values, "", 1);
    holds(db, "db.erase", "\"nodes\":[{\"graph\":\"g\",\"key\":\"s\",\"action\":\"delete\"}]",
          "{\"values\":[%s\"/x\\\\\"]}", values.data);
    is(db, "nodes.count", "{\"count\":1}", "{\"graph\":\"g\"}");
    fails(db, "db.erase", BRANT_INVALID, NULL, "{\"values\":[%s\"a\",\"b\"]}", values.data);
    fails(db, "db.erase", BRANT_INVALID, NULL, "{\"values\":[\"\"]}");
    fails(db, "db.erase", BRANT_INVALID, "replacement",
          "{\"values\":[\"x\"],\"replacement\":\"x\"}");
    brant__buffer_free(&values);
    brant_db_free(db);
}

/* The lists are bounded, the counts are not; rows that only say the value in a notification's derived key go too. */
static void test_many(void **state) {
    brant_db *db = must_open(in_folder(*state, "many.db"), "");
    brant__buffer items = {0};
    brant__json json;

    must(db, "graphs.create", "{\"name\":\"g\",\"graph_type\":\"open\"}", "\"id\"");
    for (int i = 0; i < 1500; i++)
        brant__buffer_format(&items, "%s{\"key\":\"k%d\",\"attributes\":{\"a\":\"v\"}}",
                             i ? "," : "", i);
    brant__buffer_append(&items, "", 1);
    holds(db, "nodes.put_many", "1500", "{\"graph\":\"g\",\"items\":[%s]}", items.data);
    must(db, "nodes.put", "{\"graph\":\"g\",\"key\":\"w\"}", "true");
    must(db, "edges.put", "{\"graph\":\"g\",\"source\":\"w\",\"target\":\"k1\"}", "true");
    json = parsed(answer(db, "db.erase", "{\"values\":[\"v\",\"w\"],\"action\":\"redact\"}"));
    assert_int_equal(yyjson_arr_size(brant__json_get(json.root, "nodes")), 1000);
    assert_true(brant__json_bool(brant__json_get(json.root, "truncated"), false));
    assert_int_equal(
        brant__json_integer(brant__json_get(brant__json_get(json.root, "counts"), "nodes"), 0),
        1501);
    /* nodes:created of w, and edges:created of [w, null, k1] */
    assert_int_equal(brant__json_integer(
                         brant__json_get(brant__json_get(json.root, "counts"), "notifications"), 0),
                     2);
    brant__json_free(&json);
    healthy(db);
    brant__buffer_free(&items);
    brant_db_free(db);
}

/* What prevents that the bytes go, and who has no right to anything. */
static void test_not_scrubbed(void **state) {
    const char *path = in_folder(*state, "busy.db");
    brant_db *db = must_open(path, "{\"busy_timeout\":50}"), *reader = must_open(path, "");

    fill(db, 50, VICTIM);
    must(reader, "transaction.begin", "{\"mode\":\"read\"}", "1");
    must(db, "db.erase", "{\"values\":[\"" VICTIM "\"]}", "\"scrubbed\":false");
    must(reader, "transaction.rollback", "{}", "0");
    must(db, "transaction.begin", "{}", "1");
    must(db, "db.erase", "{\"values\":[\"" OTHER "\"]}", "\"scrubbed\":false");
    must(db, "transaction.commit", "{}", "0");
    must(db, "db.erase", "{\"values\":[\"" VICTIM "\"]}", "\"scrubbed\":true");
    /* In a transaction that is rolled back nothing has happened. */
    must(db, "nodes.put", "{\"graph\":\"g\",\"key\":\"v\",\"attributes\":{\"a\":\"" OTHER "\"}}",
         "true");
    must(db, "transaction.begin", "{}", "1");
    must(db, "db.erase", "{\"values\":[\"" OTHER "\"]}", "\"nodes\":1");
    must_fail(db, "nodes.get", "{\"graph\":\"g\",\"key\":\"v\"}", BRANT_NOT_FOUND, NULL);
    must(db, "transaction.rollback", "{}", "0");
    must(db, "nodes.get", "{\"graph\":\"g\",\"key\":\"v\"}", OTHER);
    healthy(db);
    brant_db_free(db);
    brant_db_free(reader);
    must_be_gone(path, VICTIM "\"");
    reader = must_open(path, "{\"mode\":\"ro\"}");
    must_fail(reader, "db.erase", "{\"values\":[\"x\"]}", BRANT_READ_ONLY, NULL);
    brant_db_free(reader);
}

/* Who was given events or holds a lock is named no more, and keeps what they have: it goes on by its token, and nobody else gets it. */
static void test_holders(void **state) {
    for (int redact = 0; redact < 2; redact++) {
        const char *path = in_folder(*state, redact ? "redact.db" : "delete.db");
        brant_db *db = must_open(path, "");
        brant__json claimed, held;
        int64_t token;

        must(db, "streams.publish_many",
             "{\"stream\":\"s\",\"items\":[{\"payload\":1},{\"payload\":2}]}", NULL);
        claimed = parsed(answer(db, "consumers.claim",
                                "{\"stream\":\"s\",\"group\":\"g\",\"member\":\"" VICTIM
                                "\",\"limit\":2,\"lease\":1000000}"));
        held = parsed(answer(db, "locks.acquire",
                             "{\"name\":\"l\",\"owner\":\"" VICTIM "\",\"ttl\":1000000}"));
        token = brant__json_integer(brant__json_get(held.root, "token"), 0);
        holds(db, "db.erase", "\"pending\":2,\"locks\":1}",
              "{\"values\":[\"" VICTIM "\",\"none\"],\"action\":\"%s\",\"replacement\":\"gone\"}",
              redact ? "redact" : "delete");
        holds(db, "locks.get", "\"owner\":\"gone\"", "{\"name\":\"l\"}");
        holds(db, "locks.acquire", "\"acquired\":false", "{\"name\":\"l\",\"owner\":\"another\"}");
        holds(db, "locks.refresh", "\"expires_at\"", "{\"name\":\"l\",\"token\":%lld}",
              (long long)token);
        holds(db, "locks.release", "{}", "{\"name\":\"l\",\"token\":%lld}", (long long)token);
        holds(db, "consumers.claim", "\"items\":[]",
              "{\"stream\":\"s\",\"group\":\"g\",\"member\":\"another\",\"limit\":2}");
        token = brant__json_integer(
            brant__json_get(yyjson_arr_get_first(brant__json_get(claimed.root, "items")), "token"),
            0);
        holds(db, "consumers.ack", "\"acked\":2",
              "{\"stream\":\"s\",\"group\":\"g\",\"items\":[{\"offset\":1,\"token\":%lld},{"
              "\"offset\":2,\"token\":%lld}]}",
              (long long)token, (long long)token);
        brant__json_free(&claimed);
        brant__json_free(&held);
        brant_db_free(db);
        must_be_gone(path, VICTIM);
    }
}

/* A channel's name goes too, from what is remembered of channels that are empty, and who listened is told. */
static void test_channel(void **state) {
    const char *path = in_folder(*state, "channel.db");
    brant_db *db = must_open(path, "");
    brant_cursor *cursor = NULL;
    char *out = NULL;
    size_t length = 0;

    assert_int_equal(brant_event_listen(&cursor, db, TEXT("{\"channels\":[\"*\"]}")), BRANT_OK);
    must(db, "events.notify", "{\"channel\":\"" VICTIM "\",\"payload\":1}", "1");
    must(db, "events.notify", "{\"channel\":\"kept\",\"payload\":\"none\"}", "2");
    must(db, "db.erase", "{\"values\":[\"" VICTIM "\"]}", "\"notifications\":1");
    assert_int_equal(brant_cursor_next(&out, &length, cursor, 5000), BRANT_OK);
    assert_non_null(strstr(out, "\"gap\":{\"from\":1,"));
    assert_null(strstr(out, VICTIM));
    brant_free(out);
    brant_cursor_free(cursor);
    must(db, "sql.execute",
         "{\"sql\":\"SELECT count(*) FROM notification_channels WHERE channel = '" VICTIM "'\"}",
         "[[0]]");
    must(db, "events.notify", "{\"channel\":\"kept\"}", "3");
    healthy(db);
    brant_db_free(db);
    must_be_gone(path, VICTIM);
}

/* A full-text index keeps words of its own. */
static void test_text_index(void **state) {
    const char *path = in_folder(*state, "text.db");
    brant_db *db = must_open(path, "");

    must(db, "graphs.create", "{\"name\":\"g\",\"graph_type\":\"open\"}", "\"id\"");
    must(
        db, "indexes.create",
        "{\"graph_type\":\"open\",\"of\":\"nodes\",\"kind\":\"text\",\"paths\":[\"attributes.a\"]}",
        "\"id\"");
    for (int i = 0; i < 300; i++)
        holds(db, "nodes.put", "true",
              "{\"graph\":\"g\",\"key\":\"k%d\",\"attributes\":{\"a\":\"%s\",\"b\":\"word%u\"}}", i,
              i % 7 ? "common" : "qzvictimword", next_random(100000));
    must(db, "nodes.search", "{\"graph\":\"g\",\"query\":\"qzvictimword\",\"limit\":1}",
         "\"node\"");
    brant_db_free(db);
    assert_true(count_in_file(path, "zvictimword") > 43); /* rows, and the index */
    for (int redact = 1; redact >= 0; redact--) {
        db = must_open(path, "");
        holds(db, "db.erase", redact ? "\"nodes\":43" : "\"nodes\":0",
              "{\"values\":[\"qzvictimword\"],\"action\":\"%s\"}", redact ? "redact" : "delete");
        must(db, "nodes.search", "{\"graph\":\"g\",\"query\":\"qzvictimword\"}", "\"items\":[]");
        must(db, "nodes.search", "{\"graph\":\"g\",\"query\":\"erased\",\"limit\":1}", "\"node\"");
        healthy(db);
        brant_db_free(db);
        must_be_gone(path, "zvictimword");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(test_bytes),   GRAPH_TEST(test_actions),      GRAPH_TEST(test_values),
        GRAPH_TEST(test_many),    GRAPH_TEST(test_not_scrubbed), GRAPH_TEST(test_text_index),
        GRAPH_TEST(test_channel), GRAPH_TEST(test_holders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
