/*
 * tests/core/test_want_of_memory.c: every allocation fails once, brant's own and SQLite's, through a whole small life of a file: each call succeeds or says
 * NO_MEMORY, nothing leaks, and the file is well and holds all or nothing of what was asked.
 */
#include "failing_allocator.h"

static void only_memory(brant_status status, const char *what) {
    if (status != BRANT_OK && status != BRANT_NO_MEMORY)
        fail_msg("%s: %s: %s", what, brant_status_name(status), brant_last_error()->message);
}

static const char *const steps[][2] = {
    {"graph_types.define",
     "{\"module\":{\"$id\":\"t\",\"$defs\":{\"ANode\":{\"type\":\"object\",\"properties\":{\"s\":{"
     "\"type\":\"string\",\"pattern\":\"^a+$\"}}},\"BEdge\":true}}}"},
    {"graphs.create", "{\"name\":\"g\",\"graph_type\":\"t\",\"changes\":true}"},
    {"nodes.put_many",
     "{\"graph\":\"g\",\"items\":[{\"key\":\"a\",\"type\":\"A\",\"attributes\":{\"s\":\"aa\"}},{"
     "\"key\":\"b\",\"type\":\"A\"},{\"key\":\"c\",\"type\":\"A\"}]}"},
    {"nodes.put", "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"s\":\"aaa\"}}"},
    {"edges.put_many", "{\"graph\":\"g\",\"items\":[{\"source\":\"a\",\"target\":\"b\",\"type\":"
                       "\"B\"},{\"source\":\"b\",\"target\":\"c\",\"type\":\"B\"}]}"},
    {"locks.acquire", "{\"name\":\"l\",\"owner\":\"o\"}"},
    {"locks.acquire", "{\"name\":\"l\",\"owner\":\"p\"}"},
    {"locks.refresh", "{\"name\":\"l\",\"token\":1}"},
    {"locks.list", "{\"limit\":1}"},
    {"locks.release", "{\"name\":\"l\",\"token\":1}"},
    {"rate_limits.take",
     "{\"name\":\"r\",\"kind\":\"sliding_window\",\"limit\":2,\"period\":1000000}"},
    {"rate_limits.take",
     "{\"name\":\"r\",\"kind\":\"sliding_window\",\"limit\":2,\"period\":1,\"cost\":2}"},
    {"rate_limits.list", "{\"limit\":1}"},
    {"rate_limits.take", "{\"name\":\"r\",\"kind\":\"token_bucket\",\"limit\":2,\"period\":1}"},
    {"rate_limits.reset", "{\"name\":\"r\"}"},
    {"schedules.set", "{\"name\":\"s\",\"spec\":\"30 2 * * *\",\"timezone\":\"Europe/"
                      "Berlin\",\"queue\":\"q\",\"payload\":[1],\"options\":{\"key\":\"k\"}}"},
    {"schedules.set", "{\"name\":\"e\",\"spec\":\"@every 1ms\",\"queue\":\"q\"}"},
    {"schedules.list", "{\"limit\":1}"},
    {"schedules.next", "{\"spec\":\"@daily\",\"timezone\":\"Asia/Tokyo\"}"},
    {"schedules.trigger", "{\"name\":\"s\"}"},
    {"schedules.tick", "{}"},
    {"schedules.pause", "{\"name\":\"e\"}"},
    {"schedules.resume", "{\"name\":\"e\"}"},
    {"transaction.begin", "{}"},
    {"events.notify", "{\"channel\":\"x\",\"payload\":{\"y\":[1,2.5,null]}}"},
    /* Inside, where the file is not rewritten: that would be all that this test waits for. */
    {"db.erase", "{\"values\":[\"zzz\"],\"action\":\"redact\"}"},
    {"transaction.commit", "{}"},
    {"nodes.get", "{\"graph\":\"g\",\"key\":\"a\"}"},
    {"indexes.create", "{\"graph_type\":\"t\",\"node_type\":\"A\",\"paths\":[\"attributes.s\"]}"},
    {"indexes.create", "{\"graph_type\":\"t\",\"node_type\":\"A\",\"paths\":[\"attributes.s\"],"
                       "\"kind\":\"text\",\"name\":\"x\"}"},
    {"nodes.put", "{\"graph\":\"g\",\"key\":\"b\",\"attributes\":{\"s\":\"aa\"}}"},
    {"nodes.list", "{\"graph\":\"g\",\"filter\":{\"attributes.s\":{\"$in\":[\"aa\",null,[1]]},"
                   "\"$not\":{\"key\":{\"$prefix\":\"x\"}}},\"order_by\":\"attributes.s\","
                   "\"limit\":1}"},
    {"nodes.count", "{\"graph\":\"g\",\"filter\":{\"attributes/s\":{\"$contains\":\"a\"}}}"},
    {"edges.list", "{\"graph\":\"g\",\"filter\":{\"source\":\"a\",\"key\":{\"$ne\":\"[\\\"a\\\","
                   "\\\"B\\\",\\\"b\\\"]\"}}}"},
    {"nodes.explain", "{\"graph\":\"g\",\"filter\":{\"attributes.s\":\"aa\"}}"},
    {"nodes.search", "{\"graph\":\"g\",\"query\":\"(aa OR b) \xe2\x80\x94 -c\"}"},
    {"indexes.list", "{}"},
    {"indexes.delete", "{\"name\":\"x\"}"},
    {"nodes.list", "{\"graph\":\"g\",\"limit\":2}"},
    {"nodes.neighbors", "{\"graph\":\"g\",\"key\":\"a\"}"},
    {"nodes.closure", "{\"graph\":\"g\",\"keys\":[\"a\"]}"},
    {"graphs.components", "{\"graph\":\"g\",\"connection\":\"strong\"}"},
    {"graphs.count_walks", "{\"graph\":\"g\",\"length\":2}"},
    {"graphs.degrees", "{\"graph\":\"g\",\"descending\":true}"},
    {"graphs.find_cycle", "{\"graph\":\"g\"}"},
    {"graphs.pagerank", "{\"graph\":\"g\"}"},
    {"graphs.paths", "{\"graph\":\"g\",\"source\":\"a\",\"target\":\"c\",\"max_depth\":3}"},
    {"graphs.shortest_path", "{\"graph\":\"g\",\"source\":\"a\",\"target\":\"c\",\"weight\":"
                             "\"attributes.w\",\"default_weight\":1}"},
    {"graphs.shortest_paths", "{\"graph\":\"g\",\"source\":\"a\"}"},
    {"graphs.subgraph", "{\"graph\":\"g\",\"filter\":{\"key\":\"a\"}}"},
    {"graphs.topological_order", "{\"graph\":\"g\"}"},
    {"graphs.export", "{\"graph\":\"g\",\"format\":\"graphology\",\"limit\":1}"},
    {"graphs.export", "{\"graph\":\"g\",\"format\":\"csv\",\"part\":\"nodes\",\"limit\":1}"},
    {"graphs.export", "{\"graph\":\"g\",\"format\":\"graphml\"}"},
    {"graphs.arrays", "{\"graph\":\"g\",\"attributes\":true}"},
    {"graphs.import",
     "{\"graph\":\"i\",\"format\":\"node_link\",\"create\":true,\"text\":\"{\\\"nodes\\\":"
     "[{\\\"id\\\":1,\\\"x\\\":true},{\\\"id\\\":[1]}],\\\"edges\\\":[{\\\"source\\\":1.0,"
     "\\\"target\\\":[1],\\\"key\\\":0}]}\"}"},
    {"graphs.import",
     "{\"graph\":\"i\",\"format\":\"csv\",\"part\":\"nodes\",\"errors\":\"skip\",\"text\":"
     "\"key,x\\na,1\\nb\\n\"}"},
    {"sql.execute", "{\"sql\":\"SELECT key FROM nodes WHERE key <> :k\",\"params\":{\"k\":\"z\"}}"},
    {"nodes.insert_many", "{\"graph\":\"g\",\"errors\":\"skip\",\"items\":\"{\\\"key\\\":\\\"d\\\","
                          "\\\"type\\\":\\\"A\\\"}"
                          "\\nbad\\n{\\\"key\\\":\\\"a\\\",\\\"type\\\":\\\"A\\\"}\"}"},
    {"nodes.patch", "{\"graph\":\"g\",\"key\":\"b\",\"attributes\":{\"s\":\"a\"},\"metadata\":{"
                    "\"m\":{\"x\":1}}}"},
    {"edges.patch_many",
     "{\"graph\":\"g\",\"items\":[{\"key\":\"[\\\"b\\\",\\\"B\\\",\\\"c\\\"]\",\"attributes\":{"
     "\"w\":1}}]}"},
    {"graph_types.set_retention", "{\"name\":\"t\",\"rules\":{\"nodes\":[{\"older_than\":1000000,"
                                  "\"filter\":{\"key\":\"z\"}}]}}"},
    {"nodes.delete_many", "{\"graph\":\"g\",\"filter\":{\"key\":\"d\"}}"},
    {"graphs.changes", "{\"graph\":\"g\"}"},
    {"graphs.create", "{\"name\":\"calls\",\"graph_type\":\"call\"}"},
    {"calls.publish", "{\"event\":\"call.requested\",\"request_id\":\"r\",\"operation_id\":\"o\","
                      "\"parent_request_id\":\"p\",\"depends_on\":[\"d\"]}"},
    {"calls.publish", "{\"event\":\"call.aborted\",\"request_id\":\"r\"}"},
    {"calls.project", "{\"graph\":\"calls\"}"},
    {"graphs.diff", "{\"graph\":\"g\",\"from\":3}"},
    {"graphs.replay", "{\"graph\":\"g\",\"to\":7,\"into\":\"r\"}"},
    {"graphs.update", "{\"name\":\"g\",\"changes\":false}"},
    {"graphs.update", "{\"name\":\"g\",\"changes\":true}"},
    {"events.set_retention", "{\"channel\":\"x\",\"count\":1,\"age\":1000}"},
    {"events.notify", "{\"channel\":\"x\",\"payload_base64\":\"AAECAw==\"}"},
    {"events.channels", "{\"prefix\":\"x\"}"},
    {"db.metrics", "{}"},
    {"graphs.create", "{\"name\":\"h\",\"graph_type\":\"t\"}"},
    {"graphs.delete", "{\"name\":\"h\"}"},
    {"graphs.purge", "{\"name\":\"h\",\"limit\":1}"},
    {"edges.delete", "{\"graph\":\"g\",\"key\":\"[\\\"a\\\",\\\"B\\\",\\\"b\\\"]\"}"},
    {"nodes.delete", "{\"graph\":\"g\",\"key\":\"c\",\"edges\":\"delete\"}"},
    {"modules.diff",
     "{\"from\":{\"$defs\":{\"ANode\":{\"properties\":{\"a\":{\"type\":\"string\"}}}}},\"to\":{\"$"
     "defs\":{\"ANode\":{\"properties\":{\"a\":{\"type\":\"integer\",\"title\":\"t\"}}}}}}"},
    {"modules.cast", "{\"module\":{\"$defs\":{\"ANode\":{\"additionalProperties\":false,"
                     "\"properties\":{\"a\":{\"default\":1},\"u\":{\"anyOf\":[{\"type\":\"null\"},{"
                     "\"type\":\"object\",\"additionalProperties\":false}]}}}}},\"node_type\":"
                     "\"A\",\"attributes\":{\"u\":{\"x\":1},\"y\":2}}"},
    {"modules.patch", "{\"document\":{\"a\":[1]},\"patch\":[{\"op\":\"copy\",\"from\":\"/"
                      "a\",\"path\":\"/b\"},{\"op\":\"test\",\"path\":\"/b\",\"value\":[1]}]}"},
    {"modules.types", "{\"module\":{\"$defs\":{\"ANode\":{\"$ref\":\"metagraph#/$defs/"
                      "BaseNode\",\"default\":1},\"Base\":{\"properties\":{}}}}}"},
    {"graph_types.check", "{\"name\":\"t\"}"},
    {"graph_types.update",
     "{\"name\":\"t\",\"version\":2,\"module\":{\"$id\":\"t\",\"$defs\":{\"ANode\":{\"allOf\":[{\"$"
     "ref\":\"metagraph#/$defs/BaseNode\"},{\"additionalProperties\":false}]},\"BEdge\":true}}}"},
    {"graph_types.migrate", "{\"name\":\"t\",\"limit\":9,\"on_failure\":\"skip\"}"},
    {"streams.configure", "{\"stream\":\"s\",\"max_count\":6,\"compact\":true}"},
    {"streams.publish_many",
     "{\"stream\":\"s\",\"items\":[{\"payload\":{\"a\":1},\"key\":\"k\"},{\"payload_base64\":\"AA=="
     "\",\"key\":\"l\"},{\"key\":\"k\"},{\"payload\":2},{\"payload\":3,\"key\":\"m\"}]}"},
    {"consumers.claim", "{\"stream\":\"s\",\"group\":\"g\",\"member\":\"m\",\"limit\":2}"},
    {"consumers.ack", "{\"stream\":\"s\",\"group\":\"g\",\"items\":[{\"offset\":1,\"token\":1},{"
                      "\"offset\":9,\"token\":9}]}"},
    {"consumers.extend",
     "{\"stream\":\"s\",\"group\":\"g\",\"items\":[{\"offset\":2,\"token\":1}],\"lease\":5}"},
    {"consumers.release",
     "{\"stream\":\"s\",\"group\":\"g\",\"items\":[{\"offset\":2,\"token\":1}]}"},
    {"consumers.commit", "{\"stream\":\"s\",\"consumer\":\"c\",\"offset\":1}"},
    {"consumers.seek", "{\"stream\":\"s\",\"consumer\":\"g\",\"to\":{\"time\":0}}"},
    {"consumers.get", "{\"stream\":\"s\",\"consumer\":\"g\"}"},
    {"consumers.list", "{\"stream\":\"s\"}"},
    {"streams.read", "{\"stream\":\"s\",\"keys\":[\"k\",\"m\"],\"reverse\":true}"},
    {"streams.latest", "{\"stream\":\"s\",\"key\":\"m\"}"},
    {"streams.stats", "{}"},
    {"streams.get", "{\"stream\":\"s\"}"},
    {"streams.list", "{\"prefix\":\"s\"}"},
    {"streams.compact", "{\"stream\":\"s\"}"},
    {"streams.publish", "{\"stream\":\"s\",\"key\":\"n\"}"},
    {"streams.trim", "{\"stream\":\"s\",\"before\":3}"},
    {"consumers.delete", "{\"stream\":\"s\",\"consumer\":\"c\"}"},
    {"streams.publish", "{\"stream\":\"t\"}"},
    {"streams.delete", "{\"stream\":\"t\",\"force\":true}"},
    {"queues.configure", "{\"queue\":\"q\",\"key_concurrency\":1,\"max_size\":50,\"result_ttl\":"
                         "1000,\"rate_limit\":{\"limit\":90,\"period\":1000}}"},
    {"queues.enqueue",
     "{\"queue\":\"q\",\"payload\":[1],\"key\":\"k\",\"unique\":{\"key\":\"u\",\"window\":9}}"},
    {"queues.enqueue",
     "{\"queue\":\"q\",\"payload_base64\":\"AAECAw==\",\"key\":\"k\",\"priority\":1}"},
    {"queues.enqueue_many", "{\"queue\":\"q\",\"items\":[{\"after\":[1]},{\"after\":[{\"item\":0}]}"
                            ",{\"expires_in\":1,\"delay\":1},{"
                            "\"unique\":{\"key\":\"u\",\"on_conflict\":\"replace\"}}]}"},
    {"queues.claim", "{\"queue\":\"q\",\"worker\":\"w\",\"limit\":9}"},
    {"jobs.heartbeat", "{\"id\":2,\"token\":1,\"progress\":[1]}"},
    {"jobs.fail",
     "{\"id\":2,\"token\":1,\"error\":{\"message\":\"m\",\"stack\":\"s\"},\"delay\":0}"},
    {"queues.configure", "{\"queue\":\"q\",\"fifo\":true}"},
    {"queues.claim", "{\"queue\":\"q\",\"limit\":9}"},
    {"jobs.release", "{\"id\":2,\"token\":2}"},
    {"queues.list", "{}"},
    {"queues.delete", "{\"queue\":\"q\",\"force\":true}"},
    {"graph_types.define",
     "{\"module\":{\"$id\":\"v\",\"$defs\":{\"SNode\":{\"type\":\"object\",\"properties\":{\"s\":{"
     "\"x-encrypted\":true}}},\"UEdge\":{\"type\":\"object\",\"properties\":{\"t\":{\"x-"
     "encrypted\":"
     "true}}}}}}"},
    {"graphs.create", "{\"name\":\"v\",\"graph_type\":\"v\",\"changes\":true}"},
    {"nodes.put_many",
     "{\"graph\":\"v\",\"items\":[{\"key\":\"a\",\"attributes\":{\"s\":{\"x\":1}}},{"
     "\"key\":\"a\",\"attributes\":{\"s\":{\"$redacted\":true}}}]}"},
    {"edges.put", "{\"graph\":\"v\",\"source\":\"a\",\"target\":\"a\",\"attributes\":{\"t\":1}}"},
    {"nodes.put", "{\"graph\":\"v\",\"key\":\"a\",\"attributes\":{\"s\":{\"$redacted\":true}}}"},
    {"nodes.patch", "{\"graph\":\"v\",\"key\":\"a\",\"attributes\":{\"s\":{\"y\":2}}}"},
    {"nodes.open_secret", "{\"graph\":\"v\",\"key\":\"a\",\"path\":\"attributes.s\"}"},
    {"edges.open_secret", "{\"graph\":\"v\",\"key\":\"[\\\"a\\\",\\\"U\\\",\\\"a\\\"]\",\"path\":"
                          "\"attributes.t\"}"},
    {"graphs.export", "{\"graph\":\"v\",\"format\":\"csv\",\"part\":\"nodes\"}"},
    {"graphs.replay", "{\"graph\":\"v\",\"to\":4,\"into\":\"w\"}"},
    {"indexes.create",
     "{\"graph_type\":\"v\",\"node_type\":\"S\",\"paths\":[\"attributes.n\"],\"name\":\"vn\"}"},
    {"graph_types.set_retention", "{\"name\":\"v\",\"rules\":{\"nodes\":[{\"type\":\"S\",\"older_"
                                  "than\":900000000000,\"filter\":{"
                                  "\"attributes.n\":1}}]}}"},
    {"graph_types.update",
     "{\"name\":\"v\",\"version\":2,\"module\":{\"$id\":\"v\",\"$defs\":{\"SNode\":{\"type\":"
     "\"object\",\"properties\":{\"s\":{\"x-encrypted\":true},\"m\":{\"x-encrypted\":true}}},"
     "\"UEdge\":{\"type\":\"object\",\"properties\":{\"t\":{\"x-encrypted\":true}}}}}}"},
    {"graph_types.migrate",
     "{\"name\":\"v\",\"limit\":9,\"on_failure\":\"skip\",\"patches\":{\"S\":[{"
     "\"op\":\"remove\",\"path\":\"/s\"},{\"op\":\"add\",\"path\":\"/n\","
     "\"value\":1},{\"op\":\"copy\",\"from\":\"/n\",\"path\":\"/m\"}]}}"},
    {"db.info", "{}"},
    {"db.doctor", "{}"},
    {"db.maintain", "{}"},
    {"operations.list", "{}"},
};

static void run_steps(brant_db *db) {
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        char *answer = NULL;
        size_t length = 0;
        const brant_status status =
            brant_call(&answer, &length, db, TEXT(steps[i][0]), TEXT(steps[i][1]));
        brant_free(answer);
        /* After a failed one, those that build on it may not find what they need; the file itself never suffers. */
        const bool hurt = status == BRANT_INTERNAL || status == BRANT_CORRUPT || status == BRANT_IO;
        if (hurt || (failures == 0 && status != BRANT_OK))
            fail_msg("%s: %s: %s", steps[i][0], brant_status_name(status),
                     brant_last_error()->message);
    }
}

/* What looks into an encrypted attribute is refused, and so is a type that would encrypt what an index is on. */
static void refuse_steps(brant_db *db) {
    static const char *const refused[][2] = {
        {"nodes.count",
         "{\"graph\":\"v\",\"filter\":{\"$or\":[{\"type\":\"S\",\"attributes.s.x\":1}]}}"},
        {"nodes.list", "{\"graph\":\"v\",\"order_by\":\"attributes.s\"}"},
        {"indexes.create",
         "{\"graph_type\":\"v\",\"node_type\":\"S\",\"paths\":[\"attributes.s\"]}"},
        {"graph_types.migrate",
         "{\"name\":\"v\",\"patches\":{\"S\":[{\"op\":\"copy\",\"from\":\"/s\","
         "\"path\":\"/n\"}]}}"},
        {"graph_types.update",
         "{\"name\":\"v\",\"version\":3,\"module\":{\"$id\":\"v\",\"$defs\":{\"SNode\":{"
         "\"properties\":{\"n\":{\"x-encrypted\":true}}},\"UEdge\":true}}}"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        char *answer = NULL;
        size_t length = 0;
        const brant_status status =
            brant_call(&answer, &length, db, TEXT(refused[i][0]), TEXT(refused[i][1]));
        brant_free(answer);
        const brant_status wanted =
            i + 1 < sizeof refused / sizeof *refused ? BRANT_INVALID : BRANT_CONSTRAINT;
        /* Where an earlier step failed, the type or its index is not there. */
        const bool hurt = status == BRANT_INTERNAL || status == BRANT_CORRUPT || status == BRANT_IO;
        if (hurt || (failures == 0 && status != wanted))
            fail_msg("%s: %s: %s", refused[i][0], brant_status_name(status),
                     status ? brant_last_error()->message : "it succeeded");
    }
}

static void quietly(brant_db *db, const char *operation, const char *input) {
    char *answer = NULL;
    size_t length = 0;
    const brant_status status = brant_call(&answer, &length, db, TEXT(operation), TEXT(input));
    brant_free(answer);
    const bool hurt = status == BRANT_INTERNAL || status == BRANT_CORRUPT || status == BRANT_IO;
    if (hurt || (failures == 0 && status != BRANT_OK))
        fail_msg("%s: %s: %s", operation, brant_status_name(status), brant_last_error()->message);
}

/* The wait queue: two who sleep, one who is woken, one who leaves while the user's transaction is open, an earlier deadline, and the end of a lease. */
static void sleep_and_wake(brant_db *db) {
    brant_cursor *cursors[2] = {NULL, NULL};
    char *answer = NULL;
    size_t length = 0;
    for (int i = 0; i < 2; i++) {
        const brant_status status =
            brant_queue_watch(&cursors[i], db, TEXT("{\"queue\":\"waited\"}"));
        if (failures == 0) assert_int_equal(status, BRANT_OK);
        if (cursors[i])
            only_memory(brant_cursor_next(&answer, &length, cursors[i], 0), "a sleeper's look");
        brant_free(answer);
        answer = NULL;
    }
    quietly(db, "queues.enqueue", "{\"queue\":\"waited\",\"delay\":60000}");
    quietly(db, "queues.enqueue", "{\"queue\":\"waited\"}");
    for (int i = 0; i < 2; i++) {
        if (cursors[i])
            only_memory(brant_cursor_next(&answer, &length, cursors[i], 0), "a woken one's look");
        brant_free(answer);
        answer = NULL;
    }
    quietly(db, "queues.claim", "{\"queue\":\"waited\",\"lease\":30000}");
    for (int i = 0; i < 2; i++) {
        if (cursors[i])
            only_memory(brant_cursor_next(&answer, &length, cursors[i], 0), "a look again");
        brant_free(answer);
        answer = NULL;
    }
    quietly(db, "transaction.begin", "{}");
    quietly(db, "queues.enqueue", "{\"queue\":\"waited\"}");
    brant_cursor_free(cursors[0]);
    quietly(db, "transaction.commit", "{}");
    if (failures > 0) { /* that may not have come off */
        const brant_status status =
            brant_call(&answer, &length, db, TEXT("transaction.rollback"), TEXT("{}"));
        assert_true(status == BRANT_OK || status == BRANT_MISUSE || status == BRANT_NO_MEMORY);
        brant_free(answer);
    }
    brant_cursor_free(cursors[1]);
    quietly(db, "queues.delete", "{\"queue\":\"waited\",\"force\":true}");
}

/* A clock of which each look takes 3 ms: what is due, and which ids jobs get, is the same on a slow machine. */
static int64_t look_at_clock(void *context) {
    int64_t *now = context;
    return *now += 3;
}

/* The whole life on a new file, failing the n-th allocation. Returns whether any failed. */
static bool live(const char *folder, long n) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%ld.db", folder, n);
    brant_db *db = NULL;
    brant_cursor *cursor = NULL;
    char *answer = NULL;
    size_t length = 0;
    int64_t now = INT64_C(1800000000000);
    const brant_sources sources = {.now = look_at_clock, .context = &now};
    failures = 0;
    countdown = n;
    brant_status status = brant_open_with(&db, TEXT(path), TEXT("{\"busy_timeout\":50}"), &sources);
    only_memory(status, "open");
    if (status == BRANT_OK) {
        status = brant_event_listen(&cursor, db, TEXT("{\"channels\":[\"*\"]}"));
        only_memory(status, "listen");
        status = brant_keyring_load(db, TEXT("{\"keys\":[{\"version\":1,\"key\":"
                                             "\"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\"}]}"));
        only_memory(status, "keyring_load");
        run_steps(db);
        refuse_steps(db);
        if (cursor) only_memory(brant_cursor_next(&answer, &length, cursor, 0), "next");
        brant_free(answer);
        brant_cursor_free(cursor);
        cursor = NULL;
        answer = NULL;
        status = brant_lock_watch(&cursor, db, TEXT("{\"name\":\"w\"}"));
        if (failures == 0) assert_int_equal(status, BRANT_OK);
        for (int look = 0; cursor && look < 2; look++) {
            only_memory(brant_cursor_next(&answer, &length, cursor, 0), "watch");
            brant_free(answer);
            answer = NULL;
            status =
                brant_lock_acquire(&answer, &length, db, TEXT("{\"name\":\"w\",\"owner\":\"o\"}"));
            only_memory(status, "locks.acquire");
            brant_free(answer);
            answer = NULL;
        }
        brant_cursor_free(cursor);
        cursor = NULL;
        sleep_and_wake(db);
        status = brant_stream_subscribe(
            &cursor, db, TEXT("{\"stream\":\"s\",\"consumer\":\"x\",\"keys\":[\"m\",\"n\"]}"));
        if (failures == 0) assert_int_equal(status, BRANT_OK);
        if (cursor) only_memory(brant_cursor_next(&answer, &length, cursor, 0), "subscription");
        brant_free(answer);
        brant_cursor_free(cursor);
        cursor = NULL;
        answer = NULL;
        status = brant_consumer_watch(&cursor, db, TEXT("{\"stream\":\"u\",\"group\":\"g\"}"));
        if (failures == 0) assert_int_equal(status, BRANT_OK);
        if (cursor) only_memory(brant_cursor_next(&answer, &length, cursor, 0), "watch");
        brant_free(answer);
        brant_cursor_free(cursor);
        cursor = NULL;
        answer = NULL;
        status = brant_schedule_run(&cursor, db, TEXT("{}"));
        if (failures == 0) assert_int_equal(status, BRANT_OK);
        if (cursor) only_memory(brant_cursor_next(&answer, &length, cursor, 5), "run");
        brant_free(answer);
        answer = NULL;
        brant_cursor_free(cursor);
        cursor = NULL;
        status = brant_schedule_delete(&answer, &length, db, TEXT("{\"name\":\"e\"}"));
        if (failures == 0) only_memory(status, "schedules.delete");
        brant_free(answer);
        answer = NULL;
        status = brant_node_walk(&cursor, db, TEXT("{\"graph\":\"g\",\"keys\":[\"a\"]}"));
        if (failures == 0) assert_int_equal(status, BRANT_OK);
        if (cursor) only_memory(brant_cursor_next(&answer, &length, cursor, -1), "walk");
        brant_free(answer);
    }
    brant_cursor_free(cursor);
    brant_db_free(db);
    const bool failed = failures > 0;
    countdown = -1;
    db = must_open(path, "");
    must_be_well(db);
    brant_db_free(db);
    unlink(path);
    return failed;
}

static void test_every_allocation_fails_once(void **state) {
    (void)state;
    char *folder = make_folder();
    const char *step_text = getenv("BRANT_MEMORY_STEP");
    const long step =
        step_text ? atol(step_text)
                  : 41; /* 1: each; the default run takes some, from a different one each time */
    const long first = step > 1 ? (long)(getpid() % step) : 0;
    long n = first;
    while (live(folder, n))
        n += step;
    print_message("failed every %ld-th of %ld allocations, from number %ld\n", step, n, first);
    assert_true(n > 500);
    remove_folder(folder);
}

int main(void) {
    if (!failing_allocator_install()) return 1;
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_allocation_fails_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
