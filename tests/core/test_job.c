/*
 * tests/core/test_job.c: looking at jobs and changing them by hand: get, list, cancel, requeue, delete, update, stats, prune, maintenance; the plans of their statements.
 */
#include <stdbool.h>

#include "event/job_manage.h"
#include "event/job_read.h"
#include "event/queue_watch.h"
#include "fake_clock.h"
#include "support_plan.h"

#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

typedef struct fixture {
    char *folder;
    brant_db *db;
} fixture;

static int set_up(void **state) {
    fixture *self = calloc(1, sizeof *self);
    fake_now = FAKE_BEGIN;
    self->folder = make_folder();
    self->db = open_with_clock(in_folder(self->folder, "a.db"));
    *state = self;
    return 0;
}

static int tear_down(void **state) {
    fixture *self = *state;
    must_be_well(self->db);
    brant_db_free(self->db);
    remove_folder(self->folder);
    free(self);
    return 0;
}

static const char *format(const char *text, ...) {
    static char texts[4][4096];
    static int turn;
    va_list arguments;
    turn = (turn + 1) % 4;
    va_start(arguments, text);
    vsnprintf(texts[turn], sizeof texts[turn], text, arguments);
    va_end(arguments);
    return texts[turn];
}

/* The integer behind `"name":` in the answer. */
static int64_t number_of(brant_db *db, const char *name, const char *json, const char *member) {
    char *answer = must_call(db, name, json, NULL);
    const char *at = strstr(answer, format("\"%s\":", member));
    if (!at) fail_msg("%s %s: no %s in %s", name, json, member, answer);
    const int64_t value = strtoll(at + strlen(member) + 3, NULL, 10);
    brant_free(answer);
    return value;
}

static int64_t enqueue(brant_db *db, const char *members) {
    return number_of(db, "queues.enqueue", format("{\"queue\":\"q\"%s}", members), "id");
}

/* Claim one; its id. */
static int64_t claim(brant_db *db, int64_t *token) {
    char *answer = must_call(db, "queues.claim", "{\"queue\":\"q\",\"worker\":\"w\"}", "\"id\"");
    const int64_t id = strtoll(strstr(answer, "\"id\":") + 5, NULL, 10);
    if (token) *token = strtoll(strstr(answer, "\"token\":") + 8, NULL, 10);
    brant_free(answer);
    return id;
}

static void on(brant_db *db, const char *name, int64_t id, const char *members,
               const char *wanted) {
    must(db, name, format("{\"id\":%lld%s}", (long long)id, members), wanted);
}

static void not_on(brant_db *db, const char *name, int64_t id, brant_status status,
                   const char *message) {
    must_fail(db, name, format("{\"id\":%lld}", (long long)id), status, message);
}

static void test_get(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    int64_t token = 0;
    must(db, "queues.configure", "{\"queue\":\"q\",\"max_attempts\":7,\"result_ttl\":1000}", NULL);
    const int64_t first = enqueue(db, ",\"payload\":{\"a\":[1,null]}");
    on(db, "jobs.get", first, "",
       format("{\"id\":%lld,\"queue\":\"q\",\"state\":\"ready\",\"priority\":0,\"payload\":{\"a\":["
              "1,null]},\"attempt\":0,\"max_attempts\":7,",
              (long long)first));
    on(db, "jobs.get", first, "",
       format("\"errors\":[],\"after\":[],\"cancel_requested\":false,\"created_at\":%lld}",
              (long long)fake_now));
    const int64_t second =
        enqueue(db, format(",\"payload_base64\":\"AAH/\",\"priority\":-3,\"key\":\"k\","
                           "\"max_attempts\":2,\"after\":[%lld],\"expires_in\":60000,\"unique\":{"
                           "\"key\":\"u\"}",
                           (long long)first));
    on(db, "jobs.get", second, "", "\"state\":\"blocked\"");
    on(db, "jobs.get", second, "", "\"payload_base64\":\"AAH/\"");
    on(db, "jobs.get", second, "", format("\"after\":[%lld]", (long long)first));
    on(db, "jobs.get", second, "", "\"unique_key\":\"u\"");
    on(db, "jobs.get", second, "", format("\"expires_at\":%lld", (long long)fake_now + 60000));
    assert_int_equal(claim(db, &token), first);
    on(db, "jobs.heartbeat", first,
       format(",\"token\":%lld,\"progress\":{\"done\":0.5}", (long long)token), NULL);
    on(db, "jobs.get", first, "", "\"progress\":{\"done\":0.5}");
    on(db, "jobs.get", first, "", "\"worker\":\"w\"");
    on(db, "jobs.ack", first, format(",\"token\":%lld,\"result\":[42]", (long long)token), "{}");
    on(db, "jobs.get", first, "", "\"state\":\"done\"");
    on(db, "jobs.get", first, "", "\"result\":[42]");
    on(db, "jobs.get", second, "", "\"after\":[]");
    assert_int_equal(claim(db, &token), second);
    on(db, "jobs.fail", second,
       format(",\"token\":%lld,\"error\":{\"message\":\"no\",\"stack\":"
              "\"s\",\"code\":\"E\"}",
              (long long)token),
       "\"delayed\"");
    on(db, "jobs.get", second, "",
       format("\"errors\":[{\"attempt\":1,\"at\":%lld,\"worker\":\"w\",\"message\":\"no\","
              "\"stack\":\"s\",\"code\":\"E\"}]",
              (long long)fake_now));
    not_on(db, "jobs.get", second + 1, BRANT_NOT_FOUND, "there is no job 3");
    must_fail(db, "jobs.get", "{\"id\":0}", BRANT_INVALID, "/id");
    must_fail(db, "jobs.get", "{}", BRANT_INVALID, "id");
}

/* The ids of the pages of jobs.list, one after the other. */
static void list_is(brant_db *db, const char *members, int limit, const char *wanted) {
    char ids[4096] = "";
    int64_t after = 0;
    for (bool more = true; more;) {
        char *page = must_call(db, "jobs.list",
                               format("{\"queue\":\"q\",\"limit\":%d,\"after\":%lld%s}", limit,
                                      (long long)after, members),
                               "\"items\":[");
        int count = 0;
        for (const char *at = page; (at = strstr(at, "{\"id\":")); count++) {
            at += 6;
            snprintf(ids + strlen(ids), sizeof ids - strlen(ids), "%lld ",
                     (long long)strtoll(at, NULL, 10));
        }
        const char *next = strstr(page, "\"next\":");
        assert_true(count <= limit);
        more = next != NULL;
        if (more) {
            assert_int_equal(count, limit);
            after = strtoll(next + 7, NULL, 10);
        }
        brant_free(page);
    }
    if (strcmp(ids, wanted) != 0) fail_msg("jobs.list %s: %s, not %s", members, ids, wanted);
}

static void test_list(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    must(db, "queues.configure", "{\"queue\":\"q\",\"key_concurrency\":1}", NULL);
    enqueue(db, ",\"key\":\"a\"");  /* 1 ready */
    enqueue(db, ",\"key\":\"a\"");  /* 2 blocked by its key */
    enqueue(db, ",\"delay\":1000"); /* 3 delayed */
    enqueue(db, ",\"priority\":9"); /* 4 running */
    assert_int_equal(claim(db, NULL), 4);
    enqueue(db, ",\"after\":[4]"); /* 5 blocked by what it comes after */
    enqueue(db, ",\"key\":\"b\""); /* 6 cancelled */
    on(db, "jobs.cancel", 6, "", "\"cancelled\"");
    enqueue(db, ""); /* 7 ready */
    for (int limit = 1; limit < 9; limit++) {
        list_is(db, "", limit, "1 2 3 4 5 6 7 ");
        list_is(db, ",\"state\":\"ready\"", limit, "1 7 ");
        list_is(db, ",\"state\":\"blocked\"", limit, "2 5 ");
        list_is(db, ",\"state\":\"delayed\"", limit, "3 ");
        list_is(db, ",\"state\":\"running\"", limit, "4 ");
        list_is(db, ",\"state\":\"cancelled\"", limit, "6 ");
        list_is(db, ",\"state\":\"dead\"", limit, "");
        list_is(db, ",\"key\":\"a\"", limit, "1 2 ");
        list_is(db, ",\"key\":\"b\"", limit, "6 ");
        list_is(db, ",\"key\":\"b\",\"state\":\"cancelled\"", limit, "6 ");
        list_is(db, ",\"key\":\"a\",\"state\":\"blocked\"", limit, "2 ");
    }
    /* Behind many of another queue, where the indexes are asked. */
    must(db, "transaction.begin", "{}", NULL);
    for (int i = 0; i < 300; i++)
        must(db, "queues.enqueue", "{\"queue\":\"other\",\"key\":\"a\"}", NULL);
    must(db, "transaction.commit", "{}", NULL);
    enqueue(db, ",\"key\":\"a\",\"priority\":5"); /* 308 */
    enqueue(db, ",\"delay\":500");                /* 309 */
    enqueue(db, ",\"key\":\"b\"");                /* 310 */
    on(db, "jobs.cancel", 310, "", "\"cancelled\"");
    enqueue(db, ",\"after\":[4]"); /* 311 */
    for (int limit = 1; limit < 12; limit++) {
        list_is(db, "", limit, "1 2 3 4 5 6 7 308 309 310 311 ");
        list_is(db, ",\"state\":\"ready\"", limit, "7 308 ");
        list_is(db, ",\"state\":\"blocked\"", limit, "1 2 5 311 ");
        list_is(db, ",\"state\":\"delayed\"", limit, "3 309 ");
        list_is(db, ",\"state\":\"cancelled\"", limit, "6 310 ");
        list_is(db, ",\"key\":\"a\"", limit, "1 2 308 ");
        list_is(db, ",\"key\":\"b\",\"state\":\"cancelled\"", limit, "6 310 ");
    }
    must_fail(db, "jobs.list", "{\"queue\":\"none\"}", BRANT_NOT_FOUND, "none");
    must_fail(db, "jobs.list", "{\"queue\":\"q\",\"state\":\"odd\"}", BRANT_INVALID, "/state");
    must_fail(db, "jobs.list", "{\"queue\":\"q\",\"limit\":1001}", BRANT_INVALID, "/limit");
}

static void test_cancel(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    int64_t token = 0;
    const int64_t waiting = enqueue(db, ""), runs = enqueue(db, ",\"priority\":1"),
                  later = enqueue(db, format(",\"after\":[%lld]", (long long)waiting)),
                  anyway = enqueue(
                      db, format(",\"after\":[%lld],\"on_failure\":\"run\"", (long long)waiting));
    on(db, "jobs.cancel", waiting, "", "{\"state\":\"cancelled\"}");
    on(db, "jobs.get", later, "", "\"state\":\"cancelled\"");
    on(db, "jobs.get", anyway, "", "\"state\":\"ready\"");
    not_on(db, "jobs.cancel", waiting, BRANT_CONFLICT, "is cancelled");
    assert_int_equal(claim(db, &token), runs);
    on(db, "jobs.cancel", runs, "", "{\"state\":\"running\"}");
    on(db, "jobs.cancel", runs, "", "{\"state\":\"running\"}");
    on(db, "jobs.get", runs, "", "\"cancel_requested\":true");
    on(db, "jobs.heartbeat", runs, format(",\"token\":%lld", (long long)token),
       "\"cancel_requested\":true");
    on(db, "jobs.fail", runs, format(",\"token\":%lld,\"error\":\"gave up\"", (long long)token),
       "\"cancelled\"");
    not_on(db, "jobs.cancel", 99, BRANT_NOT_FOUND, "99");
}

static void test_requeue(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    int64_t token = 0;
    must(db, "queues.configure", "{\"queue\":\"q\",\"max_attempts\":1,\"result_ttl\":1000}", NULL);
    const int64_t id = enqueue(db, ",\"payload\":1,\"expires_in\":1000");
    not_on(db, "jobs.requeue", id, BRANT_CONFLICT, "is ready");
    claim(db, &token);
    not_on(db, "jobs.requeue", id, BRANT_CONFLICT, "is running");
    on(db, "jobs.fail", id, format(",\"token\":%lld,\"error\":\"x\"", (long long)token),
       "\"dead\"");
    fake_now += 5000;
    on(db, "jobs.requeue", id, ",\"payload\":2", "{\"state\":\"ready\"}");
    on(db, "jobs.get", id, "", "\"payload\":2,\"attempt\":0");
    on(db, "jobs.get", id, "", "\"message\":\"x\"");
    /* The tokens of before are of no use. */
    must_fail(db, "jobs.ack",
              format("{\"id\":%lld,\"token\":%lld}", (long long)id, (long long)token), BRANT_STALE,
              NULL);
    assert_int_equal(claim(db, &token), id);
    assert_int_equal(token, 2);
    on(db, "jobs.ack", id, format(",\"token\":%lld,\"result\":true", (long long)token), NULL);
    not_on(db, "jobs.requeue", id, BRANT_CONFLICT, "is done");

    /* What is too late is not late again, and takes bytes. */
    const int64_t late = enqueue(db, ",\"expires_in\":1000");
    fake_now += 1000;
    must(db, "queues.claim", "{\"queue\":\"q\"}", "\"items\":[]");
    on(db, "jobs.get", late, "", "\"state\":\"expired\"");
    on(db, "jobs.requeue", late, ",\"payload_base64\":\"/w==\"", "ready");
    on(db, "jobs.get", late, "", "\"payload_base64\":\"/w==\"");
    assert_int_equal(claim(db, &token), late);

    for (int i = 0; i < 5; i++)
        on(db, "jobs.cancel", enqueue(db, ""), "", NULL);
    must(db, "jobs.requeue_many", "{\"queue\":\"q\"}", "{\"requeued\":0}");
    must(db, "jobs.requeue_many", "{\"queue\":\"q\",\"state\":\"cancelled\",\"limit\":2}",
         "{\"requeued\":2}");
    must(db, "queues.stats", "{\"queue\":\"q\"}", "\"ready\":2,");
    list_is(db, ",\"state\":\"ready\"", 10, "3 4 ");
    must_fail(db, "jobs.requeue_many", "{\"queue\":\"q\",\"state\":\"done\"}", BRANT_INVALID,
              "/state");
    must_fail(db, "jobs.requeue_many", "{\"queue\":\"none\"}", BRANT_NOT_FOUND, NULL);
}

static void test_delete(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    const int64_t first = enqueue(db, ",\"unique\":{\"key\":\"u\"}"),
                  second = enqueue(db, format(",\"after\":[%lld]", (long long)first)),
                  third = enqueue(db, ",\"priority\":1");
    claim(db, NULL);
    not_on(db, "jobs.delete", third, BRANT_CONFLICT, "is running");
    on(db, "jobs.delete", first, "", "{}");
    not_on(db, "jobs.delete", first, BRANT_NOT_FOUND, NULL);
    on(db, "jobs.get", second, "", "\"state\":\"cancelled\"");
    on(db, "jobs.delete", second, "", "{}");
    must(db, "queues.enqueue", "{\"queue\":\"q\",\"unique\":{\"key\":\"u\"}}",
         "\"duplicate\":false");
    /* Ids are never given twice, also when the last one goes. */
    const int64_t last = enqueue(db, "");
    on(db, "jobs.delete", last, "", "{}");
    assert_int_equal(enqueue(db, ""), last + 1);
}

static void test_update(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    must(db, "queues.configure", "{\"queue\":\"q\",\"key_concurrency\":1}", NULL);
    const int64_t a = enqueue(db, ",\"key\":\"k\""),
                  b = enqueue(db, ",\"key\":\"k\",\"payload\":1");
    on(db, "jobs.get", b, "", "\"state\":\"blocked\"");
    on(db, "jobs.update", b, ",\"priority\":5,\"payload\":[2]", "\"payload\":[2]");
    on(db, "jobs.get", b, "", "\"state\":\"ready\",\"priority\":5");
    on(db, "jobs.get", a, "", "\"state\":\"blocked\"");
    on(db, "jobs.update", b, format(",\"run_at\":%lld", (long long)fake_now + 1000),
       "\"state\":\"delayed\"");
    on(db, "jobs.get", a, "", "\"state\":\"ready\"");
    on(db, "jobs.update", b, format(",\"run_at\":%lld", (long long)fake_now),
       "\"state\":\"ready\"");
    on(db, "jobs.update", a, "", "\"state\":\"blocked\"");
    assert_int_equal(claim(db, NULL), b);
    not_on(db, "jobs.update", b, BRANT_CONFLICT, "is running");
    not_on(db, "jobs.update", 99, BRANT_NOT_FOUND, NULL);
    must_fail(db, "jobs.update", "{\"id\":1,\"payload\":1,\"payload_base64\":\"\"}", BRANT_INVALID,
              "payload");
}

static void test_stats(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    int64_t token = 0;
    must(db, "queues.stats", "{}", "{\"items\":[]}");
    must_fail(db, "queues.stats", "{\"queue\":\"q\"}", BRANT_NOT_FOUND, "q");
    must(db, "queues.configure", "{\"queue\":\"empty\"}", NULL);
    must(db, "queues.stats", "{\"queue\":\"empty\"}",
         "{\"queue\":\"empty\",\"state\":\"active\",\"ready\":0,\"delayed\":0,\"blocked\":0,"
         "\"running\":0,\"done\":0,\"dead\":0,\"cancelled\":0,\"expired\":0,\"oldest_age\":0,"
         "\"enqueued\":0,");
    const int64_t begun = fake_now;
    enqueue(db, "");
    fake_now += 1000;
    enqueue(db, ",\"delay\":2000");
    enqueue(db, "");
    must(db, "queues.stats", "{\"queue\":\"q\"}",
         format("\"oldest_ready_at\":%lld,\"oldest_age\":1000,\"next_run_at\":%lld,\"enqueued\":3",
                (long long)begun, (long long)begun + 3000));
    claim(db, &token);
    must(db, "queues.stats", "{\"queue\":\"q\"}",
         "\"ready\":1,\"delayed\":1,\"blocked\":0,\"running\":1,");
    must(db, "queues.stats", "{\"queue\":\"q\"}", "\"wait\":{\"count\":1,\"sum\":1000,");
    fake_now += 4;
    on(db, "jobs.ack", 1, format(",\"token\":%lld", (long long)token), NULL);
    must(db, "queues.stats", "{\"queue\":\"q\"}",
         "\"run\":{\"count\":1,\"sum\":4,\"p50\":3.0,\"p95\":3.9,\"p99\":3.98,\"buckets\":[{"
         "\"le\":4,\"count\":1}]}");
    must(db, "queues.stats", "{\"queue\":\"q\"}", "\"rates\":{\"enqueued\":0.01,");
    /* What was delayed is promoted by the next claim, and was ready when it was due. */
    fake_now += 5000;
    assert_int_equal(claim(db, NULL), 2);
    must(db, "queues.stats", "{\"queue\":\"q\"}",
         format("\"oldest_ready_at\":%lld,", (long long)begun + 1000));
    must(db, "queues.stats", "{\"queue\":\"q\"}", "\"wait\":{\"count\":2,\"sum\":4004,");
    must(db, "queues.pause", "{\"queue\":\"q\"}", NULL);
    must(db, "queues.stats", "{}", "{\"items\":[{\"queue\":\"empty\",");
    must(db, "queues.stats", "{}", "{\"queue\":\"q\",\"state\":\"paused\",");
}

/* What came after a job that expired is cancelled with it, also when it would have been too late itself. */
static void test_expired_together(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    const int64_t first = enqueue(db, ",\"expires_in\":1000"),
                  second = enqueue(
                      db, format(",\"after\":[%lld],\"expires_in\":1500", (long long)first));
    fake_now += 2000;
    must(db, "queues.claim", "{\"queue\":\"q\"}", "\"items\":[]");
    on(db, "jobs.get", first, "", "\"state\":\"expired\"");
    on(db, "jobs.get", second, "", "\"state\":\"cancelled\"");
}

static void test_prune(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    must(db, "queues.configure", "{\"queue\":\"q\",\"max_attempts\":1,\"result_ttl\":100000}",
         NULL);
    for (int i = 0; i < 9; i++) {
        int64_t token = 0;
        const int64_t id = enqueue(db, "");
        claim(db, &token);
        if (i % 3 == 0)
            on(db, "jobs.ack", id, format(",\"token\":%lld", (long long)token), NULL);
        else
            on(db, "jobs.fail", id, format(",\"token\":%lld,\"error\":\"x\"", (long long)token),
               NULL);
        fake_now += 100;
    }
    must(db, "queues.prune", "{\"queue\":\"q\",\"states\":[\"dead\"],\"older_than\":500}",
         "{\"pruned\":3}"); /* 2, 3, 5 */
    list_is(db, ",\"state\":\"dead\"", 10, "6 8 9 ");
    must(db, "queues.prune", "{\"queue\":\"q\",\"states\":[\"cancelled\",\"expired\"]}",
         "{\"pruned\":0}");
    must(db, "queues.prune", "{\"queue\":\"q\",\"limit\":2}", "{\"pruned\":2}");
    list_is(db, "", 10, "6 7 8 9 ");
    must(db, "queues.prune", "{\"queue\":\"q\"}", "{\"pruned\":4}");
    assert_int_equal(enqueue(db, ""), 10);
    must_fail(db, "queues.prune", "{\"queue\":\"q\",\"states\":[\"ready\"]}", BRANT_INVALID,
              "/states/0");
    must_fail(db, "queues.prune", "{\"queue\":\"none\"}", BRANT_NOT_FOUND, NULL);
}

static void test_maintain(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    int64_t token = 0;
    must(db, "queues.configure",
         "{\"queue\":\"q\",\"max_attempts\":1,\"dead_ttl\":5000,\"cancelled_ttl\":1000,"
         "\"result_ttl\":3000,\"lease\":2000}",
         NULL);
    claim((enqueue(db, ""), db), &token); /* 1 */
    on(db, "jobs.ack", 1, format(",\"token\":%lld", (long long)token), NULL);
    on(db, "jobs.cancel", enqueue(db, ""), "", NULL); /* 2 */
    claim((enqueue(db, ""), db), NULL);               /* 3: its worker dies */
    enqueue(db, ",\"expires_in\":500");               /* 4 */
    enqueue(db, ",\"delay\":500,\"unique\":{\"key\":\"u\",\"window\":4000}"); /* 5 */
    must(db, "db.maintain", "{}", "\"jobs\":0");
    list_is(db, "", 10, "1 2 3 4 5 ");
    fake_now += 1000;
    must(db, "db.maintain", "{}", "\"jobs\":1");
    list_is(db, "", 10, "1 3 4 5 ");
    on(db, "jobs.get", 4, "", "\"state\":\"expired\"");
    on(db, "jobs.get", 5, "", "\"state\":\"ready\"");
    fake_now += 1000;
    must(db, "db.maintain", "{}", "\"jobs\":1");
    on(db, "jobs.get", 3, "", "\"state\":\"dead\"");
    on(db, "jobs.get", 3, "", "\"message\":\"lease ended\"");
    fake_now += 1000;
    must(db, "db.maintain", "{}", "\"jobs\":1");
    list_is(db, "", 10, "3 5 ");
    must(db, "sql.execute", "{\"sql\":\"SELECT count(*) FROM job_uniques\"}", "[[1]]");
    fake_now += 1000;
    must(db, "db.maintain", "{}", "\"jobs\":0");
    must(db, "sql.execute", "{\"sql\":\"SELECT count(*) FROM job_uniques\"}", "[[0]]");
    fake_now += 4000;
    must(db, "db.maintain", "{}", "\"jobs\":1");
    list_is(db, "", 10, "5 ");
    /* More than one transaction takes. */
    must(db, "transaction.begin", "{}", NULL);
    for (int i = 0; i < 1234; i++)
        on(db, "jobs.cancel", enqueue(db, ""), "", NULL);
    must(db, "transaction.commit", "{}", NULL);
    fake_now += DAY;
    must(db, "db.maintain", "{}", "\"jobs\":1234");
}

static void test_plans(void **state) {
    fixture *self = *state;
    const struct {
        const brant__statements *statements;
        size_t count;
    } tables[] = {{&brant__job_read_statements, BRANT__JOB_READ_PLAIN},
                  {&brant__queue_stats_statements, BRANT__QUEUE_STATS_PLAIN},
                  {&brant__job_manage_statements, brant__job_manage_statements.count},
                  {&brant__job_watch_statements, brant__job_watch_statements.count},
                  {&brant__queue_watch_statements, brant__queue_watch_statements.count},
                  {&brant__queue_maintain_statements, brant__queue_maintain_statements.count},
                  {&brant__metrics_statements, BRANT__METRICS_PLAIN}};
    must(self->db, "db.maintain", "{}", NULL);
    brant_close(self->db);
    for (size_t i = 0; i < BRANT__COUNT(tables); i++)
        must_plan_well(in_folder(self->folder, "a.db"), tables[i].statements->sql, tables[i].count);
    brant_db_free(self->db);
    self->db = must_open(in_folder(self->folder, "a.db"), "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_get, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_list, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cancel, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_requeue, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_delete, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_update, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stats, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_expired_together, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_prune, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_maintain, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_plans, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
