/*
 * tests/core/test_queue.c: the life of jobs: enqueueing, claiming, leases, retries, keys, order, limits, dependencies, unique keys; and the plans of their statements.
 *
 * JSON is written with ' for " here.
 */
#include <stdbool.h>

#include "event/job.h"
#include "fake_clock.h"
#include "support_plan.h"

static uint64_t dice; /* what the random source says */

static int clock_random(void *context, void *bytes, size_t length) {
    (void)context;
    for (size_t i = 0; i < length; i++)
        ((unsigned char *)bytes)[i] = (unsigned char)(dice >> (8 * (i % 8)));
    return 0;
}

static const brant_sources sources = {fake_clock, clock_random, NULL};

typedef struct fixture {
    char *folder;
    brant_db *db;
} fixture;

static brant_db *open_again(const fixture *self) {
    brant_db *db = NULL;
    assert_int_equal(brant_open_with(&db, TEXT(in_folder(self->folder, "a.db")), "", 0, &sources),
                     BRANT_OK);
    return db;
}

static int set_up(void **state) {
    fixture *self = calloc(1, sizeof *self);
    fake_now = FAKE_BEGIN;
    dice = UINT64_C(1) << 63; /* the middle: no jitter */
    self->folder = make_folder();
    self->db = open_again(self);
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

/* ---- helpers -------------------------------------------------------------------------------------- */

/* Formatted, with ' made ". Good until the seventh call after. */
static const char *q(const char *text, ...) {
    static char texts[8][65536];
    static int turn;
    va_list arguments;
    turn = (turn + 1) % 8;
    va_start(arguments, text);
    vsnprintf(texts[turn], sizeof texts[turn], text, arguments);
    va_end(arguments);
    for (char *at = texts[turn]; *at; at++)
        if (*at == '\'') *at = '"';
    return texts[turn];
}

static int64_t number_in(const char *json, const char *member) {
    const char *at = strstr(json, q("'%s':", member));
    if (!at) fail_msg("no %s in %s", member, json);
    return strtoll(at + strlen(member) + 3, NULL, 10);
}

static int64_t ask(brant_db *db, const char *name, const char *json, const char *member) {
    char *answer = must_call(db, name, json, NULL);
    const int64_t value = number_in(answer, member);
    brant_free(answer);
    return value;
}

/* `members` begins with a comma, or is empty. */
static int64_t enqueue(brant_db *db, const char *members) {
    return ask(db, "queues.enqueue", q("{'queue':'q'%s}", members), "id");
}

static void configure(brant_db *db, const char *members) {
    must(db, "queues.configure", q("{'queue':'q',%s}", members), NULL);
}

static int64_t token; /* of the last claim */

/* Claims one: its id, 0 when there is none. */
static int64_t claim_with(brant_db *db, const char *members) {
    char *answer = must_call(db, "queues.claim", q("{'queue':'q'%s}", members), NULL);
    int64_t id = 0;
    if (strstr(answer, "\"id\"")) {
        id = number_in(answer, "id");
        token = number_in(answer, "token");
    }
    brant_free(answer);
    return id;
}

static int64_t claim(brant_db *db) {
    return claim_with(db, "");
}

/* Claims up to 100 and compares their ids, in order: "3 1 2". */
static void claims_are(brant_db *db, const char *wanted) {
    char *answer = must_call(db, "queues.claim", q("{'queue':'q','limit':100}"), NULL);
    char ids[4096] = "";
    for (const char *at = answer; (at = strstr(at, "{\"id\":")); at++)
        snprintf(ids + strlen(ids), sizeof ids - strlen(ids), "%s%lld", *ids ? " " : "",
                 atoll(at + 6));
    brant_free(answer);
    assert_string_equal(ids, wanted);
}

static const char *held(int64_t id, int64_t with, const char *members) {
    return q("{'id':%lld,'token':%lld%s}", (long long)id, (long long)with, members);
}

static void ack(brant_db *db, int64_t id, int64_t with) {
    must(db, "jobs.ack", held(id, with, ""), "{}");
}

static void be(brant_db *db, int64_t id, const char *state) {
    must(db, "jobs.get", q("{'id':%lld}", (long long)id), q("'state':'%s'", state));
}

static void is_gone(brant_db *db, int64_t id) {
    must_fail(db, "jobs.get", q("{'id':%lld}", (long long)id), BRANT_NOT_FOUND, NULL);
}

static int64_t count(brant_db *db, const char *query) {
    char *answer = must_call(db, "sql.execute", q("{'sql':'%s'}", query), NULL);
    const char *at = strstr(answer, "[[");
    assert_non_null(at);
    const int64_t value = strtoll(at + 2, NULL, 10);
    brant_free(answer);
    return value;
}

/* ---- queues ---------------------------------------------------------------------------------------------- */

static void test_configure(void **state) {
    fixture *self = *state;
    brant_db *db = self->db;
    must_fail(db, "queues.get", q("{'queue':'q'}"), BRANT_NOT_FOUND, "no queue \"q\"");
    must(db, "queues.configure", q("{'queue':'q'}"),
         q("'policy':{'lease':30000,'max_attempts':20,'backoff':{'base':1000,'factor':2.0,"
           "'max':3600000,'jitter':0.2},'concurrency':null,'key_concurrency':null,'fifo':false,"
           "'rate_limit':null,'result_ttl':0,'dead_ttl':null,'cancelled_ttl':86400000,"
           "'max_size':null}"));
    configure(db, "'lease':5,'backoff':{'base':7},'rate_limit':{'limit':3,'period':10}");
    configure(db, "'backoff':{'max':9},'dead_ttl':0");
    must(db, "queues.get", q("{'queue':'q'}"),
         q("{'lease':5,'max_attempts':20,'backoff':{'base':7,'factor':2.0,'max':9,'jitter':0.2},"));
    must(db, "queues.get", q("{'queue':'q'}"),
         q("'rate_limit':{'limit':3,'period':10},'result_ttl':0,'dead_ttl':0,"));
    configure(db, "'lease':null,'backoff':null,'rate_limit':null,'dead_ttl':null");
    must(db, "queues.get", q("{'queue':'q'}"),
         q("'lease':30000,'max_attempts':20,'backoff':{'base':1000,"));
    must(db, "queues.get", q("{'queue':'q'}"), q("'revision':5"));
    must_fail(db, "queues.configure", q("{'queue':'q','lease':0}"), BRANT_INVALID, "/lease");
    must_fail(db, "queues.configure", q("{'queue':'q','rate_limit':{'limit':1}}"), BRANT_INVALID,
              "rate_limit");
    must_fail(db, "queues.configure", q("{'queue':''}"), BRANT_INVALID, "/queue");
    must_fail(db, "queues.configure", q("{'queue':'a\\u0000b'}"), BRANT_INVALID, "/queue");
    must_fail(db, "queues.enqueue", q("{'queue':'q','key':'a\\u0000b'}"), BRANT_INVALID, "/key");
    must_fail(db, "queues.claim", q("{'queue':'a\\u0000b'}"), BRANT_INVALID, "/queue");
    char name[300];
    memset(name, 'n', sizeof name);
    name[255] = '\0';
    must(db, "queues.enqueue", q("{'queue':'%s'}", name), NULL);
    must(db, "queues.claim", q("{'queue':'%s'}", name), q("'queue':'%s'", name));
    /* 255 characters, but more bytes. */
    memcpy(name, "\xc3\xa9", 2);
    name[255] = 'n';
    name[256] = '\0';
    must_fail(db, "queues.enqueue", q("{'queue':'%s'}", name), BRANT_INVALID, "/queue");
}

static void test_list(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    static const char *const names[] = {"b", "ab", "a", "abc", "ac"};
    for (size_t i = 0; i < 5; i++)
        must(db, "queues.configure", q("{'queue':'%s'}", names[i]), NULL);
    must(db, "queues.list", "{}", q("{'items':[{'queue':'a',"));
    char *answer = must_call(db, "queues.list", q("{'prefix':'ab'}"), NULL);
    assert_null(strstr(answer, "\"ac\""));
    assert_null(strstr(answer, "next"));
    assert_non_null(strstr(answer, "\"abc\""));
    brant_free(answer);
    must(db, "queues.list", q("{'prefix':'a','limit':2}"), q("'next':'ab'"));
    answer = must_call(db, "queues.list", q("{'prefix':'a','limit':2,'after':'ab'}"), NULL);
    assert_non_null(strstr(answer, q("{'items':[{'queue':'abc',")));
    assert_null(strstr(answer, "next"));
    brant_free(answer);
}

static void test_pause_and_drain(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    must_fail(db, "queues.pause", q("{'queue':'q'}"), BRANT_NOT_FOUND, NULL);
    const int64_t id = enqueue(db, "");
    must(db, "queues.pause", q("{'queue':'q'}"), q("'state':'paused'"));
    enqueue(db, "");
    assert_int_equal(claim(db), 0);
    must(db, "queues.drain", q("{'queue':'q'}"), q("'state':'draining'"));
    must_fail(db, "queues.enqueue", q("{'queue':'q'}"), BRANT_CONFLICT, "drained");
    must_fail(db, "queues.enqueue_many", q("{'queue':'q','items':[]}"), BRANT_CONFLICT, "drained");
    assert_int_equal(claim(db), id);
    must(db, "queues.resume", q("{'queue':'q'}"), q("'state':'active'"));
    assert_int_equal(claim(db), enqueue(db, "") - 1);
}

/* What a handle keeps of a queue is looked at each time. */
static void test_policies_are_current(void **state) {
    fixture *self = *state;
    brant_db *db = self->db, *other = open_again(self);
    configure(db, "'lease':1000");
    enqueue(db, "");
    configure(other, "'lease':7");
    must(db, "queues.claim", q("{'queue':'q'}"), q("'lease_until':%lld", (long long)fake_now + 7));
    /* An undone change and another's have the same revision. */
    must(db, "transaction.begin", "{}", NULL);
    configure(db, "'lease':50");
    must(db, "transaction.rollback", "{}", NULL);
    configure(other, "'lease':60");
    enqueue(db, "");
    must(db, "queues.claim", q("{'queue':'q'}"), q("'lease_until':%lld", (long long)fake_now + 60));
    /* Another queue of the same name. */
    must(other, "queues.delete", q("{'queue':'q','force':true}"), q("{'deleted':2}"));
    must(db, "queues.claim", q("{'queue':'q'}"), q("{'items':[]}"));
    enqueue(db, "");
    must(db, "queues.claim", q("{'queue':'q'}"),
         q("'lease_until':%lld", (long long)fake_now + 30000));
    brant_db_free(other);
}

static void test_delete(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    configure(db, "'key_concurrency':1,'max_size':100,'result_ttl':1000");
    must(db, "queues.enqueue_many",
         q("{'queue':'q','items':[{},{'key':'k'},{'key':'k'},{'delay':9},{'unique':{'key':'u'}},"
           "{'after':[{'item':0}]}]}"),
         NULL);
    const int64_t waits =
        ask(db, "queues.enqueue", q("{'queue':'other','after':[1],'on_failure':'run'}"), "id");
    const int64_t cancelled = ask(db, "queues.enqueue", q("{'queue':'other','after':[2]}"), "id");
    const int64_t done = claim(db);
    ack(db, done, 1);
    be(db, done, "done");
    claim(db);
    must_fail(db, "queues.delete", q("{'queue':'q'}"), BRANT_CONFLICT, "running");
    must(db, "queues.delete", q("{'queue':'q','force':true}"), q("{'deleted':6}"));
    must_fail(db, "jobs.ack", held(2, 1, ""), BRANT_STALE, NULL);
    be(db, waits, "ready");
    be(db, cancelled, "cancelled");
    assert_int_equal(count(db, "SELECT count(*) FROM jobs"), 2);
    assert_int_equal(count(db, "SELECT (SELECT count(*) FROM job_uniques) + (SELECT count(*) FROM "
                               "job_dependencies) + (SELECT count(*) FROM job_releases)"),
                     0);
    must(db, "queues.delete", q("{'queue':'other'}"), q("{'deleted':2}"));
    assert_int_equal(enqueue(db, ""), cancelled + 1);
}

/* ---- enqueueing and claiming --------------------------------------------------------------------------------- */

static void test_order(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    must(db, "queues.enqueue_many",
         q("{'queue':'q','items':[{},{'priority':5},{'priority':-1},{'priority':5},{}]}"),
         q("{'ids':[1,2,3,4,5],'duplicates':0}"));
    claims_are(db, "2 4 1 5 3");
    claims_are(db, "");
}

static void test_payloads(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    static const char *const payloads[] = {"'payload':{'a':[1,2.5,null,'x']}", "'payload':null",
                                           "'payload':'text'", "'payload_base64':'AAECAw=='",
                                           "'payload_base64':''"};
    for (size_t i = 0; i < 5; i++) {
        enqueue(db, q(",%s", payloads[i]));
        must(db, "queues.claim", q("{'queue':'q'}"), q("%s", payloads[i]));
    }
    enqueue(db, "");
    must(db, "queues.claim", q("{'queue':'q'}"), q("'payload':null"));
    must_fail(db, "queues.enqueue", q("{'queue':'q','payload_base64':'?'}"), BRANT_INVALID,
              "/payload_base64 is not base64");
    must_fail(db, "queues.enqueue", q("{'queue':'q','payload':1,'payload_base64':''}"),
              BRANT_INVALID, "exclude");
    must_fail(db, "queues.enqueue_many", q("{'queue':'q','items':[{},{'payload_base64':'?'}]}"),
              BRANT_INVALID, "/items/1/payload_base64 is not base64");
    assert_int_equal(claim(db), 0); /* all or nothing */
    must_fail(db, "queues.enqueue", q("{'queue':'q','delay':1,'run_at':1}"), BRANT_INVALID,
              "exclude");
    must_fail(db, "queues.enqueue", q("{'queue':'q','expires_in':1,'expires_at':1}"), BRANT_INVALID,
              "exclude");
}

/* The token is of the last claim, whoever holds the older one. */
static void test_fencing(void **state) {
    static const char *const operations[][2] = {
        {"jobs.ack", ""},     {"jobs.fail", ",'error':'x'"}, {"jobs.snooze", ",'delay':1"},
        {"jobs.release", ""}, {"jobs.heartbeat", ""},
    };
    brant_db *db = ((fixture *)*state)->db;
    const int64_t id = enqueue(db, "");
    for (size_t i = 0; i < 5; i++) { /* not claimed yet */
        must_fail(db, operations[i][0], held(id, 0, operations[i][1]), BRANT_STALE, NULL);
        must_fail(db, operations[i][0], held(id + 9, 1, operations[i][1]), BRANT_STALE, NULL);
    }
    assert_int_equal(claim_with(db, ",'worker':'w'"), id);
    assert_int_equal(token, 1);
    fake_now += 30000;
    assert_int_equal(claim_with(db, ",'worker':'w'"), id);
    assert_int_equal(token, 2);
    for (size_t i = 0; i < 5; i++)
        must_fail(db, operations[i][0], held(id, 1, operations[i][1]), BRANT_STALE, NULL);
    must(db, "jobs.ack_many", q("{'items':[{'id':%lld,'token':1},{'id':77,'token':1}]}", id),
         q("{'stale':[%lld,77],'acked':0}", (long long)id));
    must(db, "queues.claim", q("{'queue':'q','ack':[{'id':%lld,'token':1}]}", (long long)id),
         q("{'items':[],'acked':0,'stale':[%lld]}", (long long)id));
    must(db, "jobs.heartbeat_many",
         q("{'items':[{'id':%lld,'token':1},{'id':%lld,'token':2}]}", (long long)id, (long long)id),
         q("{'items':[{'id':%lld,'stale':true},{'id':%lld,'lease_until':%lld}]}", (long long)id,
           (long long)id, (long long)fake_now + 30000));
    ack(db, id, 2);
    must_fail(db, "jobs.ack", held(id, 2, ""), BRANT_STALE, NULL);
    /* A job that is ready again, or waits, is held by nobody. */
    const int64_t second = enqueue(db, "");
    claim(db);
    must(db, "jobs.release", held(second, 1, ""), q("{'state':'ready'}"));
    must_fail(db, "jobs.ack", held(second, 1, ""), BRANT_STALE, NULL);
}

static void test_ack_with_claim(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    configure(db, "'concurrency':1");
    enqueue(db, "");
    enqueue(db, "");
    claim(db);
    assert_int_equal(claim(db), 0);
    must(db, "queues.claim", q("{'queue':'q','ack':[{'id':1,'token':1}]}"),
         q("{'items':[{'id':2,"));
    must(db, "queues.claim", q("{'queue':'q','ack':[{'id':2,'token':1},{'id':1,'token':1}]}"),
         q("{'items':[],'acked':1,'stale':[1]}"));
}

/* Ids are never used twice: not after the greatest went, in any way, nor by another handle. */
static void test_ids(void **state) {
    fixture *self = *state;
    brant_db *db = self->db;
    for (int64_t id = 1; id <= 5; id++) {
        assert_int_equal(enqueue(db, ""), id);
        claim(db);
        ack(db, id, 1);
    }
    assert_int_equal(enqueue(db, ""), 6);
    must(db, "jobs.delete", q("{'id':6}"), NULL);
    brant_db_free(db);
    db = self->db = open_again(self);
    must(db, "queues.enqueue_many", q("{'queue':'q','items':[{},{}]}"), q("'ids':[7,8]"));
    must(db, "queues.claim", q("{'queue':'q','limit':2}"), NULL);
    must(db, "jobs.ack_many", q("{'items':[{'id':8,'token':1},{'id':7,'token':1}]}"),
         q("'acked':2"));
    assert_int_equal(enqueue(db, ""), 9);
    must(db, "queues.delete", q("{'queue':'q'}"), NULL);
    assert_int_equal(enqueue(db, ""), 10);
    /* An id that was never committed was never given. */
    must(db, "transaction.begin", "{}", NULL);
    assert_int_equal(enqueue(db, ""), 11);
    must(db, "transaction.rollback", "{}", NULL);
    is_gone(db, 11);
    assert_int_equal(enqueue(db, ""), 11);
}

static void test_transactions(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    must(db, "transaction.begin", "{}", NULL);
    enqueue(db, "");
    assert_int_equal(claim(db), 1);
    must(db, "transaction.rollback", "{}", NULL);
    assert_int_equal(claim(db), 0);
    enqueue(db, "");
    must(db, "transaction.begin", "{}", NULL);
    assert_int_equal(claim(db), 1);
    ack(db, 1, 1);
    must(db, "transaction.rollback", "{}", NULL);
    assert_int_equal(claim(db), 1);
    assert_int_equal(token, 1);
}

/* ---- time --------------------------------------------------------------------------------------------------------- */

static void test_delay(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    const int64_t start = fake_now;
    must(db, "queues.enqueue", q("{'queue':'q','delay':100,'priority':9}"), q("'state':'delayed'"));
    must(db, "queues.enqueue", q("{'queue':'q','run_at':%lld}", (long long)start + 50),
         q("'state':'delayed'"));
    must(db, "queues.enqueue", q("{'queue':'q','run_at':5}"), q("'state':'ready'"));
    must(db, "queues.enqueue", q("{'queue':'q','delay':0}"), q("'state':'ready'"));
    claims_are(db, "3 4");
    fake_now = start + 49;
    claims_are(db, "");
    fake_now = start + 100;
    claims_are(db, "1 2");
}

/* A call promotes, takes back and expires at most 100. */
static void test_bounds(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    char items[16384] = "";
    for (int i = 0; i < 250; i++)
        strcat(items, i ? ",{'delay':10}" : "{'delay':10}");
    must(db, "queues.enqueue_many", q("{'queue':'q','items':[%s]}", items), NULL);
    fake_now += 10;
    assert_int_equal(claim(db), 1);
    assert_int_equal(count(db, "SELECT count(*) FROM jobs WHERE state = 1"), 150);
    must(db, "queues.claim", q("{'queue':'q','limit':249,'lease':5}"), NULL);
    must(db, "queues.claim", q("{'queue':'q','limit':249,'lease':5}"), NULL);
    assert_int_equal(count(db, "SELECT count(*) FROM jobs WHERE state = 3"), 250);
    fake_now += 30000;
    assert_int_equal(claim(db), 2);
    assert_int_equal(count(db, "SELECT count(*) FROM jobs WHERE state = 0"), 99);
    must(db, "queues.enqueue_many",
         q("{'queue':'e','items':[%s]}", strcpy(items, "{'expires_in':5}")), NULL);
    for (int i = 1; i < 120; i++)
        must(db, "queues.enqueue", q("{'queue':'e','expires_in':5}"), NULL);
    fake_now += 5;
    must(db, "queues.enqueue", q("{'queue':'e','payload':'in time'}"), NULL);
    must(db, "queues.enqueue", q("{'queue':'e','priority':1}"), NULL);
    must(db, "queues.claim", q("{'queue':'e'}"), NULL);
    assert_int_equal(count(db, "SELECT count(*) FROM jobs WHERE state = 7"), 100);
    /* What is too late is never the reason why nothing is handed out. */
    must(db, "queues.claim", q("{'queue':'e'}"), q("'payload':'in time'"));
    assert_int_equal(count(db, "SELECT count(*) FROM jobs WHERE state = 7"), 120);
    for (int i = 0; i < 250; i++)
        must(db, "queues.enqueue", q("{'queue':'e','expires_in':5}"), NULL);
    must(db, "queues.enqueue", q("{'queue':'e','payload':'behind'}"), NULL);
    fake_now += 5;
    must(db, "queues.claim", q("{'queue':'e'}"), q("'payload':'behind'"));
    assert_int_equal(count(db, "SELECT count(*) FROM jobs WHERE state = 7"), 370);
}

static bool is_ready(brant_cursor *cursor) {
    char *items = NULL;
    size_t length = 0;
    assert_int_equal(brant_cursor_next(&items, &length, cursor, 0), BRANT_OK);
    const bool is = strstr(items, "\"ready\":true") != NULL;
    brant_free(items);
    return is;
}

static brant_cursor *watch(brant_db *db, const char *queue) {
    brant_cursor *cursor = NULL;
    assert_int_equal(
        brant_call_open(&cursor, db, TEXT("queues.watch"), TEXT(q("{'queue':'%s'}", queue))),
        BRANT_OK);
    return cursor;
}

/* Who watches gets a dead worker's job although the clock was set back since. */
static void test_watch_with_clock_back(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    enqueue(db, "");
    assert_int_equal(claim(db), 1);
    fake_now -= 86400000;
    brant_cursor *cursor = watch(db, "q");
    assert_true(is_ready(cursor)); /* there is something to put right */
    assert_int_equal(claim(db), 0);
    assert_false(is_ready(cursor));
    fake_now += 30000;
    assert_true(is_ready(cursor));
    assert_int_equal(claim(db), 1);
    brant_cursor_free(cursor);
}

/* A lease that is cut short ends for those too who slept until its end. */
static void test_shorter_lease_is_told(void **state) {
    brant_db *db = ((fixture *)*state)->db, *other = open_again(*state);
    enqueue(db, "");
    assert_int_equal(claim_with(db, ",'lease':600000"), 1);
    brant_cursor *cursor = watch(other, "q");
    assert_false(is_ready(cursor));
    assert_int_equal(count(db, "SELECT count(*) FROM brant_waiters WHERE until > 1700000500000"),
                     1);
    must(db, "jobs.heartbeat", held(1, 1, ",'lease':10"), NULL);
    assert_int_equal(count(db, "SELECT count(*) FROM brant_waiters"), 0);
    assert_false(is_ready(cursor));
    fake_now += 100;
    assert_true(is_ready(cursor));
    brant_cursor_free(cursor);
    brant_db_free(other);
}

/* What one call could not let on is let on by whoever sleeps, on whatever queue. */
static void test_dependants_of_a_sleeping_queue(void **state) {
    brant_db *db = ((fixture *)*state)->db, *other = open_again(*state);
    char items[16384] = "";
    enqueue(db, "");
    for (int i = 0; i < 150; i++)
        strcat(items, i ? ",{'after':[1]}" : "{'after':[1]}");
    must(db, "queues.enqueue_many", q("{'queue':'c','items':[%s]}", items), NULL);
    must(db, "queues.enqueue", q("{'queue':'b','after':[1]}"), NULL);
    must(db, "queues.configure", q("{'queue':'a'}"), NULL);
    must(db, "queues.pause", q("{'queue':'a'}"), NULL);
    brant_cursor *paused = watch(other, "a"), *cursor = watch(other, "b");
    assert_false(is_ready(paused));
    assert_false(is_ready(cursor));
    assert_int_equal(claim(db), 1);
    ack(db, 1, token);
    assert_int_equal(count(db, "SELECT count(*) FROM job_releases"), 1);
    assert_int_equal(count(db, "SELECT count(*) FROM brant_waiters"), 1); /* not the paused one */
    assert_true(is_ready(cursor));
    must(other, "queues.claim", q("{'queue':'b'}"), q("'queue':'b'"));
    assert_int_equal(count(db, "SELECT count(*) FROM job_releases"), 0);
    brant_cursor_free(cursor);
    brant_cursor_free(paused);
    brant_db_free(other);
}

/* Nothing that somebody may still hold means something else after a restore, however often there is one. */
static void test_restores(void **state) {
    fixture *self = *state;
    brant_db *db = self->db;
    char backup[1024];
    snprintf(backup, sizeof backup, "%s", in_folder(self->folder, "backup"));
    must(db, "schedules.set", q("{'name':'s','spec':'* * * * *','queue':'s'}"), NULL);
    must(db, "schedules.tick", "{}", NULL);
    enqueue(db, "");
    must(db, "db.backup", q("{'path':'%s'}", backup), NULL);
    const int64_t gone = enqueue(db, ",'priority':1");
    assert_int_equal(claim(db), gone);
    must(db, "db.restore", q("{'path':'%s'}", backup), NULL);
    const int64_t other = enqueue(db, ",'priority':1");
    assert_true(other > gone);
    assert_int_equal(claim(db), other);
    assert_int_equal(token, 1);
    must_fail(db, "jobs.ack", held(gone, 1, ""), BRANT_STALE, NULL);
    ack(db, other, 1);
    int64_t lock = 0;
    for (int i = 0; i < 80; i++) {
        assert_int_equal(unlink(backup), 0);
        must(db, "db.backup", q("{'path':'%s'}", backup), NULL);
        must(db, "db.restore", q("{'path':'%s'}", backup), NULL);
        const int64_t next = ask(db, "locks.acquire", q("{'name':'l%d','owner':'o'}", i), "token");
        assert_true(next > lock);
        lock = next;
    }
    assert_true(lock < 1000000000);
    assert_true(enqueue(db, "") < 1000000000);
}

static void test_leases(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    configure(db, "'max_attempts':2,'lease':1000");
    const int64_t id = enqueue(db, "");
    assert_int_equal(claim_with(db, ",'worker':'w','lease':50"), id);
    fake_now += 49;
    assert_int_equal(claim(db), 0);
    fake_now += 1;
    /* It ended, but nobody took it back: its holder may go on. */
    must(db, "jobs.heartbeat", held(id, 1, ",'lease':10"),
         q("{'lease_until':%lld,'cancel_requested':false}", (long long)fake_now + 10));
    fake_now += 10;
    assert_int_equal(claim(db), id);
    must(db, "jobs.get", q("{'id':%lld}", (long long)id),
         q("'errors':[{'attempt':1,'at':%lld,'worker':'w','message':'lease ended'}]",
           (long long)fake_now));
    must(db, "jobs.get", q("{'id':%lld}", (long long)id), q("'attempt':2"));
    fake_now += 1000;
    assert_int_equal(claim(db), 0);
    must(db, "jobs.get", q("{'id':%lld}", (long long)id), q("'state':'dead'"));
    must_fail(db, "jobs.ack", held(id, 2, ""), BRANT_STALE, NULL);
}

static void test_heartbeat(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    configure(db, "'lease':1000");
    const int64_t id = enqueue(db, "");
    claim_with(db, ",'lease':60000");
    const int64_t until = fake_now + 60000;
    fake_now += 100;
    /* A heartbeat never shortens what the claim gave, unless it says so. */
    must(db, "jobs.heartbeat", held(id, 1, ",'progress':{'at':3}"),
         q("'lease_until':%lld", (long long)until));
    must(db, "jobs.heartbeat", held(id, 1, ",'lease':500"),
         q("'lease_until':%lld", (long long)fake_now + 500));
    must(db, "jobs.heartbeat", held(id, 1, ""),
         q("'lease_until':%lld", (long long)fake_now + 1000));
    must(db, "jobs.get", q("{'id':%lld}", (long long)id), q("'progress':{'at':3}"));
    must(db, "jobs.cancel", q("{'id':%lld}", (long long)id), q("'state':'running'"));
    must(db, "jobs.heartbeat", held(id, 1, ""), q("'cancel_requested':true"));
    must(db, "jobs.heartbeat_many", q("{'items':[{'id':%lld,'token':1}]}", (long long)id),
         q("'cancel_requested':true"));
    must(db, "jobs.fail", held(id, 1, ",'error':'told to'"), q("{'state':'cancelled'}"));
    const int64_t second = enqueue(db, ",'payload':1");
    claim(db);
    must(db, "jobs.heartbeat", held(second, 1, ",'progress':50"), NULL);
    must(db, "jobs.fail", held(second, 1, ",'error':'x','delay':0"), q("'state':'ready'"));
    must(db, "queues.claim", q("{'queue':'q'}"), q("'progress':50"));
    must(db, "jobs.cancel", q("{'id':%lld}", (long long)second), NULL);
    must(db, "jobs.snooze", held(second, 2, ",'delay':10"), q("{'state':'cancelled'}"));
}

static void test_backoff(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    static const int64_t delays[] = {100, 300, 900, 1000, 1000};
    configure(db, "'max_attempts':6,'backoff':{'base':100,'factor':3,'max':1000,'jitter':0.5}");
    const int64_t id = enqueue(db, "");
    for (int i = 0; i < 5; i++) {
        assert_int_equal(claim(db), id);
        must(db, "jobs.fail", held(id, token, ",'error':{'message':'m','stack':'s','code':'c'}"),
             q("{'state':'delayed','run_at':%lld}", (long long)fake_now + delays[i]));
        fake_now += delays[i] - 1;
        assert_int_equal(claim(db), 0);
        fake_now += 1;
    }
    claim(db);
    must(db, "jobs.fail", held(id, token, ",'error':'last'"), q("{'state':'dead'}"));
    must(db, "jobs.get", q("{'id':%lld}", (long long)id),
         q("{'attempt':6,'at':%lld,'message':'last'}]", (long long)fake_now));
    /* Jitter to both sides; a delay that is said has none. */
    const int64_t other = enqueue(db, "");
    claim(db);
    dice = 0;
    must(db, "jobs.fail", held(other, token, ",'error':'x'"),
         q("'run_at':%lld", (long long)fake_now + 50));
    fake_now += 50;
    claim(db);
    dice = UINT64_MAX;
    must(db, "jobs.fail", held(other, token, ",'error':'x'"),
         q("'run_at':%lld", (long long)fake_now + 450));
    fake_now += 450;
    claim(db);
    must(db, "jobs.fail", held(other, token, ",'error':'x','delay':77"),
         q("'run_at':%lld", (long long)fake_now + 77));
    fake_now += 77;
    claim(db);
    must(db, "jobs.fail", held(other, token, ",'error':'x','retry':false"), q("'state':'dead'"));
    /* Beyond what a double holds. */
    dice = UINT64_C(1) << 63;
    configure(db, "'max_attempts':1000,'backoff':{'factor':1000,'max':5}");
    const int64_t long_one = enqueue(db, "");
    for (int i = 0; i < 150; i++) {
        assert_int_equal(claim(db), long_one);
        must(db, "jobs.fail", held(long_one, token, ",'error':'x'"),
             q("'run_at':%lld", (long long)fake_now + 5));
        fake_now += 5;
    }
}

static void test_history(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    configure(db, "'max_attempts':1000");
    const int64_t id = enqueue(db, "");
    for (int i = 1; i <= 25; i++) {
        assert_int_equal(claim(db), id);
        must(db, "jobs.fail", held(id, token, q(",'error':'e%d','delay':0", i)), NULL);
    }
    char *answer = must_call(db, "jobs.get", q("{'id':%lld}", (long long)id), NULL);
    assert_null(strstr(answer, "\"e5\""));
    assert_non_null(strstr(answer, q("'errors':[{'attempt':6,")));
    assert_non_null(strstr(answer, q("'message':'e25'}]")));
    brant_free(answer);
    claim(db);
    /* 16383 bytes and a character of two: it is left out whole. */
    static char message[32768];
    memset(message, 'm', 16383);
    strcpy(message + 16383, "\xc3\xa9zzzz");
    must(db, "jobs.fail", held(id, token, q(",'error':'%s'", message)), NULL);
    message[16383] = '\0';
    must(db, "jobs.get", q("{'id':%lld}", (long long)id), q("'message':'%s'}]", message));
}

static void test_snooze_and_release(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    configure(db, "'max_attempts':1");
    const int64_t id = enqueue(db, "");
    for (int i = 0; i < 5; i++) {
        assert_int_equal(claim(db), id);
        must(db, "jobs.snooze", held(id, token, ",'delay':10"),
             q("{'state':'delayed','run_at':%lld}", (long long)fake_now + 10));
        fake_now += 10;
        assert_int_equal(claim(db), id);
        must(db, "jobs.release", held(id, token, ""), q("{'state':'ready'}"));
    }
    must(db, "queues.claim", q("{'queue':'q'}"), q("'token':11,"));
    must(db, "jobs.get", q("{'id':%lld}", (long long)id), q("'attempt':1,"));
}

static void test_expiry(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    const int64_t late = enqueue(db, ",'expires_in':10"),
                  begun = enqueue(db, ",'expires_in':10,'priority':1"),
                  delayed =
                      enqueue(db, q(",'delay':50,'expires_at':%lld", (long long)fake_now + 20));
    configure(db, "'cancelled_ttl':100");
    assert_int_equal(claim(db), begun);
    fake_now += 10;
    claims_are(db, "");
    must(db, "jobs.get", q("{'id':%lld}", (long long)late), q("'state':'expired'"));
    must(db, "jobs.release", held(begun, 1, ""), NULL);
    assert_int_equal(claim(db), begun); /* it was begun in time */
    fake_now += 10;
    claims_are(db, "");
    be(db, delayed, "expired");
    assert_int_equal(count(db, "SELECT remove_at - finished_at FROM jobs WHERE id = 1"), 100);
    must(db, "jobs.requeue", q("{'id':%lld}", (long long)delayed), NULL);
}

/* A clock that is set back hangs nothing for longer than it would have waited. */
static void test_clock_back(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    const int64_t day = 86400000, start = fake_now;
    configure(db, "'rate_limit':{'limit':2,'period':1000}");
    enqueue(db, "");
    enqueue(db, "");
    enqueue(db, "");
    fake_now = start + day;
    claims_are(db, "1 2");
    fake_now = start;
    claims_are(db, ""); /* the leases end 30 s from now, the tokens come back within a period */
    fake_now = start + 1000;
    claims_are(db, "3");
    fake_now = start + 2000;
    claims_are(db, "");
    must(db, "jobs.heartbeat", held(2, 1, ""),
         q("'lease_until':%lld", (long long)fake_now + 30000));
    fake_now = start + 30000;
    claims_are(db, "1");
    ack(db, 1, 2);
    must(db, "queues.stats", q("{'queue':'q'}"), NULL);
    /* A unique key's window is no longer than it is said. */
    must(db, "queues.enqueue", q("{'queue':'u','unique':{'key':'k','window':100}}"), NULL);
    fake_now -= day;
    must(db, "queues.enqueue", q("{'queue':'u','unique':{'key':'k','window':100}}"),
         q("'duplicate':false"));
}

/* ---- keys ------------------------------------------------------------------------------------------------------------- */

static void test_key_concurrency(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    configure(db, "'key_concurrency':2");
    must(db, "queues.enqueue_many",
         q("{'queue':'q','items':[{'key':'a'},{'key':'a'},{'key':'a'},{'key':'b'},{},"
           "{'key':'a','priority':1}]}"),
         NULL);
    /* The best two of a are ready: the new one with the higher priority took the place of 2. */
    be(db, 1, "ready");
    be(db, 2, "blocked");
    be(db, 3, "blocked");
    be(db, 6, "ready");
    claims_are(db, "6 1 4 5");
    claims_are(db, "");
    /* All places run: who comes is blocked, whatever its priority. */
    assert_int_equal(enqueue(db, ",'key':'a','priority':9"), 7);
    be(db, 7, "blocked");
    ack(db, 1, 1);
    claims_are(db, "7");
    ack(db, 7, 1);
    be(db, 2, "ready");
    be(db, 3, "blocked");
    /* A retry gives its place up, and takes one when it is due if it is better than who has it. */
    must(db, "jobs.fail", held(6, 1, ",'error':'x','delay':10"), q("'state':'delayed'"));
    be(db, 3, "ready");
    fake_now += 10;
    claims_are(db, "6 2");
    be(db, 3, "blocked");
    must(db, "jobs.release", held(2, 1, ""), q("'state':'ready'"));
    enqueue(db, ",'key':'a','priority':5");
    be(db, 2, "blocked");
    /* Given back, it is not better than the one that was blocked meanwhile. */
    enqueue(db, ",'key':'a','priority':7");
    must(db, "jobs.release", held(6, 2, ""), q("'state':'blocked'"));
    claims_are(db, "9 8");
    /* Cancelling and expiring one that is ready lets the next in. */
    ack(db, 8, 1);
    be(db, 6, "ready");
    must(db, "jobs.cancel", q("{'id':6}"), NULL);
    be(db, 2, "ready");
}

static void test_fifo(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    configure(db, "'fifo':true");
    must(db, "queues.enqueue_many",
         q("{'queue':'q','items':[{'key':'a'},{'key':'a','priority':9},{'key':'b'},{},{'key':'a'},"
           "{'key':'c','delay':10},{'key':'c'}]}"),
         NULL);
    claims_are(db, "1 3 4");
    /* One that waits for its retry holds those behind it. */
    must(db, "jobs.fail", held(1, 1, ",'error':'x','delay':50"), q("'state':'delayed'"));
    claims_are(db, "");
    fake_now += 10;
    claims_are(db, "6");
    fake_now += 40;
    claims_are(db, "1");
    ack(db, 1, 2);
    claims_are(db, "2");
    /* A dead one that is requeued goes first again, when nobody runs. */
    must(db, "jobs.fail", held(2, 1, ",'error':'x','retry':false"), q("'state':'dead'"));
    be(db, 5, "ready");
    must(db, "jobs.requeue", q("{'id':2}"), q("'state':'ready'"));
    be(db, 5, "blocked");
    claims_are(db, "2");
    must(db, "jobs.fail", held(2, 2, ",'error':'x','retry':false"), NULL);
    claims_are(db, "5");
    must(db, "jobs.requeue", q("{'id':2}"), q("'state':'blocked'"));
    enqueue(db, ",'key':'a'");
    ack(db, 5, 1);
    claims_are(db, "2");
    /* A lease that ended keeps its turn. */
    fake_now += 30000;
    claims_are(db, "2 3 4 6");
    ack(db, 2, 4);
    claims_are(db, "8");
}

static void test_fifo_dependencies(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    configure(db, "'fifo':true");
    must(db, "queues.enqueue_many",
         q("{'queue':'q','items':[{},{'key':'a','after':[{'item':0}]},{'key':'a'},{'key':'a',"
           "'delay':20}]}"),
         NULL);
    claims_are(db, "1"); /* 2 waits for 1 and is first: 3 is held */
    ack(db, 1, 1);
    claims_are(db, "2");
    must(db, "jobs.snooze", held(2, 1, ",'delay':5"), NULL);
    claims_are(db, "");
    must(db, "jobs.cancel", q("{'id':2}"), NULL);
    claims_are(db, "3");
    ack(db, 3, 1);
    be(db, 4, "delayed");
    fake_now += 20;
    claims_are(db, "4");
}

/* A new rule of keys puts what waits in order at once. */
static void test_rules_change(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    must(db, "queues.enqueue_many",
         q("{'queue':'q','items':[{'key':'a'},{'key':'a','priority':2},{'key':'a','priority':1},"
           "{'key':'a','delay':10},{},{'key':'b'},{'after':[{'item':0}],'key':'a'}]}"),
         NULL);
    configure(db, "'key_concurrency':1");
    assert_int_equal(count(db, "SELECT sum(id) FROM jobs WHERE state = 0 AND key IS NOT NULL"), 8);
    claims_are(db, "2 5 6");
    configure(db, "'key_concurrency':2");
    claims_are(db, "3");
    configure(db, "'key_concurrency':null,'fifo':true");
    claims_are(db, ""); /* 2 and 3 run still */
    ack(db, 2, 1);
    ack(db, 3, 1);
    claims_are(db, "1");
    fake_now += 10;
    claims_are(db, "");
    be(db, 4, "blocked");
    configure(db, "'fifo':null");
    claims_are(db, "4");
    be(db, 7, "blocked");
    ack(db, 1, 1);
    claims_are(db, "7");
}

static void test_concurrency(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    configure(db, "'concurrency':2");
    must(db, "queues.enqueue_many", q("{'queue':'q','items':[{},{},{},{}]}"), NULL);
    claims_are(db, "1 2");
    claims_are(db, "");
    ack(db, 1, 1);
    claims_are(db, "3");
    fake_now += 30000;
    claims_are(db, "2 3");
    configure(db, "'concurrency':null");
    claims_are(db, "4");
}

static void test_rate_limit(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    const int64_t start = fake_now;
    configure(db, "'rate_limit':{'limit':3,'period':100}");
    must(db, "queues.enqueue_many",
         q("{'queue':'q','items':[{},{},{},{},{},{},{},{},{},{},{},{}]}"), NULL);
    assert_int_equal(claim(db), 1);
    fake_now = start + 60;
    claims_are(db, "2 3");
    fake_now = start + 99;
    claims_are(db, "");
    fake_now = start + 100;
    claims_are(db, "4");
    fake_now = start + 159;
    claims_are(db, "");
    fake_now = start + 160;
    claims_are(db, "5 6");
    fake_now = start + 10000;
    claims_are(db, "7 8 9");
    /* What is older than a period is not kept. */
    assert_true(count(db, "SELECT count(*) FROM queue_claims") <= 2);
    configure(db, "'rate_limit':{'limit':5,'period':100}");
    claims_are(db, "10 11");
    /* A longer period counts what is known, not all that ever was. */
    configure(db, "'rate_limit':{'limit':6,'period':100000}");
    claims_are(db, "12");
    /* A clock that was set back gives no tokens away. */
    enqueue(db, "");
    configure(db, "'rate_limit':{'limit':1,'period':100}");
    fake_now = start + 20000;
    claims_are(db, "13");
    enqueue(db, "");
    fake_now = start + 5000;
    claims_are(db, "");
    fake_now = start + 5099;
    claims_are(db, "");
    fake_now = start + 5100;
    claims_are(db, "14");
}

static void test_max_size(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    enqueue(db, "");
    enqueue(db, ",'delay':5");
    configure(db, "'max_size':4");
    enqueue(db, ",'unique':{'key':'u'}");
    must_fail(db, "queues.enqueue_many", q("{'queue':'q','items':[{},{}]}"), BRANT_LIMIT, "full");
    enqueue(db, "");
    must_fail(db, "queues.enqueue", q("{'queue':'q'}"), BRANT_LIMIT, "queue \"q\" is full: 4");
    must(db, "queues.enqueue", q("{'queue':'q','unique':{'key':'u'}}"), q("'duplicate':true"));
    claim(db);
    must_fail(db, "queues.enqueue", q("{'queue':'q'}"), BRANT_LIMIT, NULL);
    must(db, "jobs.fail", held(1, 1, ",'error':'x','retry':false"), NULL);
    enqueue(db, "");
    must(db, "jobs.requeue", q("{'id':1}"), NULL);
    must(db, "jobs.cancel", q("{'id':1}"), NULL);
    must(db, "jobs.delete", q("{'id':2}"), NULL);
    enqueue(db, "");
    must_fail(db, "queues.enqueue", q("{'queue':'q'}"), BRANT_LIMIT, NULL);
    assert_int_equal(count(db, "SELECT size FROM queues"), 4);
}

/* ---- what a job comes after ------------------------------------------------------------------------------------------------ */

static void test_after(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    must(db, "queues.enqueue_many",
         q("{'queue':'q','items':[{},{},{'after':[{'item':0},{'item':1},1]},{'after':[{'item':2}],"
           "'delay':50},{'after':[2],'on_failure':'run'}]}"),
         q("'ids':[1,2,3,4,5]"));
    must(db, "jobs.get", q("{'id':3}"), q("'after':[1,2]"));
    claims_are(db, "1 2");
    ack(db, 1, 1);
    be(db, 3, "blocked");
    must(db, "jobs.fail", held(2, 1, ",'error':'x','delay':0"), NULL); /* not the end of it */
    be(db, 5, "blocked");
    claims_are(db, "2");
    ack(db, 2, 2);
    claims_are(db, "3 5");
    ack(db, 3, 1);
    be(db, 4, "delayed");
    fake_now += 50;
    claims_are(db, "4");
    must(db, "queues.enqueue", q("{'queue':'q','after':[1,2]}"), q("'state':'ready'")); /* gone */
    must_fail(db, "queues.enqueue", q("{'queue':'q','after':[99]}"), BRANT_NOT_FOUND, "no job 99");
    must_fail(db, "queues.enqueue_many", q("{'queue':'q','items':[{'after':[{'item':0}]}]}"),
              BRANT_INVALID, "/items/0/after: item 0 is not an earlier one");
    must_fail(db, "queues.enqueue_many", q("{'queue':'q','items':[{},{'after':[{'item':2}]}]}"),
              BRANT_INVALID, "/items/1/after");
}

static void test_after_failure(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    must(db, "queues.enqueue_many",
         q("{'queue':'q','items':[{'max_attempts':1},{'after':[{'item':0}]},{'after':[{'item':1}]},"
           "{'after':[{'item':0}],'on_failure':'run'},{'after':[{'item':1},{'item':0}],"
           "'on_failure':'run'}]}"),
         NULL);
    claims_are(db, "1");
    must(db, "jobs.fail", held(1, 1, ",'error':'x'"), q("'state':'dead'"));
    must(db, "jobs.get", q("{'id':2}"), q("'state':'cancelled'"));
    must(db, "jobs.get", q("{'id':2}"), "job 1, which it comes after, is dead");
    must(db, "jobs.get", q("{'id':3}"), "job 2, which it comes after, is cancelled");
    claims_are(db, "4 5");
    /* It had failed already. */
    must(db, "queues.enqueue", q("{'queue':'q','after':[1]}"), q("'state':'cancelled'"));
    must(db, "queues.enqueue", q("{'queue':'q','after':[1],'on_failure':'run'}"),
         q("'state':'ready'"));
    must(db, "jobs.get", q("{'id':6}"), "job 1, which it comes after, is dead");
    must(db, "queues.enqueue", q("{'queue':'q','after':[6]}"), q("'state':'cancelled'"));
    assert_int_equal(count(db, "SELECT count(*) FROM job_dependencies"), 0);
}

/* A chain of 5000 that is cancelled neither recurses nor makes one call long; what is left is done by the claims to come. */
static void test_long_chain(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    enum { LENGTH = 5000 };
    char *items = malloc(LENGTH * 40),
         *at = items + sprintf(items, "{\"queue\":\"q\",\"items\":[{}");
    for (int i = 1; i < LENGTH; i++)
        at += sprintf(at, ",{\"after\":[{\"item\":%d}]}", i - 1);
    strcpy(at, "]}");
    must(db, "queues.enqueue_many", items, NULL);
    free(items);
    must(db, "jobs.cancel", q("{'id':1}"), NULL);
    assert_in_range(count(db, "SELECT count(*) FROM jobs WHERE state = 6"), 20, 101);
    for (int i = 0; i < 200 && count(db, "SELECT count(*) FROM job_releases"); i++)
        assert_int_equal(claim(db), 0);
    assert_int_equal(count(db, "SELECT count(*) FROM jobs WHERE state = 6"), LENGTH);
    /* A wide one: 300 that wait for one. */
    const int64_t head = enqueue(db, "");
    for (int i = 0; i < 300; i++)
        enqueue(db, q(",'after':[%lld]", (long long)head));
    claim(db);
    ack(db, head, 1);
    assert_in_range(count(db, "SELECT count(*) FROM jobs WHERE state = 0"), 90, 100);
    int64_t claimed = 0;
    while (claim(db))
        claimed++;
    assert_int_equal(claimed, 300);
}

/* ---- unique keys ------------------------------------------------------------------------------------------------------------ */

static void test_unique(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    static const char same[] = "{\"queue\":\"q\",\"unique\":{\"key\":\"k\"}}";
    must(db, "queues.enqueue", same, q("{'id':1,'state':'ready','duplicate':false,"));
    must(db, "queues.enqueue", same,
         q("{'id':1,'state':'ready','duplicate':true,'action':'skipped'}"));
    must(db, "queues.enqueue", q("{'queue':'other','unique':{'key':'k'}}"), q("'duplicate':false"));
    must(db, "jobs.get", q("{'id':1}"), q("'unique_key':'k'"));
    claim(db);
    must(db, "queues.enqueue", same, q("'state':'running','duplicate':true"));
    must(db, "jobs.fail", held(1, 1, ",'error':'x','delay':0"), NULL);
    must(db, "queues.enqueue", same, q("'duplicate':true"));
    claim(db);
    ack(db, 1, 2);
    must(db, "queues.enqueue", same, q("'id':3,'state':'ready','duplicate':false"));
    claim(db);
    must(db, "jobs.fail", held(3, 1, ",'error':'x','retry':false"), NULL); /* dead frees it too */
    must(db, "queues.enqueue_many",
         q("{'queue':'q','items':[{'unique':{'key':'k'}},{'unique':{"
           "'key':'k'}},{}]}"),
         q("{'ids':[4,4,5],'duplicates':1}"));
    must(db, "jobs.cancel", q("{'id':4}"), NULL);
    must(db, "queues.enqueue", same, q("'id':6,"));
}

static void test_unique_window(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    static const char same[] = "{\"queue\":\"q\",\"unique\":{\"key\":\"k\",\"window\":100}}";
    must(db, "queues.enqueue", same, q("'id':1,"));
    claim(db);
    ack(db, 1, 1);
    fake_now += 99;
    must(db, "queues.enqueue", same, q("{'id':1,'state':'done','duplicate':true,"));
    fake_now += 1;
    must(db, "queues.enqueue", same, q("{'id':2,'state':'ready','duplicate':false,"));
    fake_now += 100; /* 2 waits still, but its window is over */
    must(db, "queues.enqueue", same, q("{'id':3,"));
    claims_are(db, "2 3");
    ack(db, 2, 1); /* the key is that of 3 */
    must(db, "queues.enqueue", same, q("{'id':3,'state':'running','duplicate':true,"));
    /* The window is that of the job which holds the key, whatever a later one says. */
    must(db, "queues.enqueue", q("{'queue':'q','unique':{'key':'k','window':1}}"),
         q("{'id':3,'state':'running','duplicate':true,"));
}

static void test_unique_conflicts(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    configure(db, "'key_concurrency':1");
    enqueue(db, ",'payload':1,'key':'a','delay':100,'unique':{'key':'k'}");
    /* Debounce. */
    fake_now += 50;
    must(db, "queues.enqueue",
         q("{'queue':'q','payload':2,'delay':100,'unique':{'key':'k','on_conflict':'reschedule'}}"),
         q("{'id':1,'state':'delayed','duplicate':true,'action':'rescheduled'}"));
    fake_now += 60;
    assert_int_equal(claim(db), 0);
    must(db, "jobs.get", q("{'id':1}"), q("'payload':1,'key':'a'"));
    must(db, "queues.enqueue", q("{'queue':'q','unique':{'key':'k','on_conflict':'reschedule'}}"),
         q("'state':'ready'"));
    /* Another payload, key, priority; the place that it had is the next one's. */
    enqueue(db, ",'key':'a'");
    be(db, 2, "blocked");
    must(db, "queues.enqueue",
         q("{'queue':'q','payload_base64':'AA==','key':'b','priority':3,'max_attempts':2,'unique':"
           "{'key':'k','on_conflict':'replace'}}"),
         q("{'id':1,'state':'ready','duplicate':true,'action':'replaced'}"));
    must(db, "jobs.get", q("{'id':1}"), q("'priority':3,'payload_base64':'AA==','key':'b'"));
    be(db, 2, "ready");
    must(db, "queues.enqueue",
         q("{'queue':'q','after':[2],'unique':{'key':'k','on_conflict':'replace'}}"),
         q("'state':'blocked'"));
    claims_are(db, "2");
    ack(db, 2, 1);
    claims_are(db, "1");
    must(db, "queues.enqueue", q("{'queue':'q','unique':{'key':'k','on_conflict':'replace'}}"),
         q("{'id':1,'state':'running','duplicate':true,'action':'skipped'}"));
}

/* A job that is replaced must not come to wait for who waits for it. */
static void test_unique_circles(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    enqueue(db, ",'unique':{'key':'k'}");
    enqueue(db, ",'after':[1]");
    must_fail(db, "queues.enqueue",
              q("{'queue':'q','after':[2],'unique':{'key':'k','on_conflict':'replace'}}"),
              BRANT_CONFLICT, "job 1 cannot come after job 2");
    must_fail(db, "queues.enqueue",
              q("{'queue':'q','after':[1],'unique':{'key':'k','on_conflict':'replace'}}"),
              BRANT_CONFLICT, "job 1 cannot come after job 1");
    claims_are(db, "1");
    configure(db, "'fifo':true");
    enqueue(db, ",'key':'a','delay':5,'unique':{'key':'l'}");
    enqueue(db, ",'key':'a'");
    must_fail(db, "queues.enqueue",
              q("{'queue':'q','key':'a','after':[4],'unique':{'key':'l','on_conflict':'replace'}}"),
              BRANT_CONFLICT, NULL);
}

/* A slot that comes free is for who sleeps: at the end of a job, and when it waits again. */
static void test_slots_wake(void **state) {
    fixture *self = *state;
    brant_db *db = self->db, *other = open_again(self);
    brant_cursor *cursor = NULL;
    char *answer = NULL;
    size_t length = 0;
    configure(db, "'concurrency':1");
    must(db, "queues.enqueue_many", q("{'queue':'q','items':[{},{},{}]}"), NULL);
    assert_int_equal(brant_queue_watch(&cursor, other, TEXT(q("{'queue':'q'}"))), BRANT_OK);
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(claim(db), i);
        assert_int_equal(brant_cursor_next(&answer, &length, cursor, 0), BRANT_OK);
        assert_string_equal(answer, "[]");
        brant_free(answer);
        if (i == 3) break;
        if (i == 1)
            must(db, "jobs.snooze", held(i, 1, ",'delay':900000"), q("'state':'delayed'"));
        else
            ack(db, i, 1);
        /* Sooner than the fallback check. */
        assert_int_equal(brant_cursor_next(&answer, &length, cursor, 500), BRANT_OK);
        assert_non_null(strstr(answer, "ready"));
        brant_free(answer);
    }
    brant_cursor_free(cursor);
    brant_db_free(other);
}

/* ---- ends ---------------------------------------------------------------------------------------------------------------------- */

static void test_results(void **state) {
    brant_db *db = ((fixture *)*state)->db;
    enqueue(db, "");
    enqueue(db, ",'result_ttl':100");
    must(db, "queues.claim", q("{'queue':'q','limit':2}"), NULL);
    must(db, "jobs.ack", held(1, 1, ",'result':{'x':1}"), NULL);
    is_gone(db, 1);
    must(db, "jobs.ack", held(2, 1, ",'result':{'x':1}"), NULL);
    must(db, "jobs.get", q("{'id':2}"), q("'state':'done'"));
    must(db, "jobs.get", q("{'id':2}"), q("'result':{'x':1}"));
    assert_int_equal(count(db, "SELECT remove_at - finished_at FROM jobs"), 100);
    configure(db, "'result_ttl':7,'dead_ttl':9");
    enqueue(db, "");
    claim(db);
    must(db, "jobs.ack_many", q("{'items':[{'id':3,'token':1,'result':null}]}"), NULL);
    must(db, "jobs.get", q("{'id':3}"), q("'result':null"));
    enqueue(db, "");
    claim(db);
    must(db, "jobs.fail", held(4, 1, ",'error':'x','retry':false"), NULL);
    assert_int_equal(count(db, "SELECT remove_at - finished_at FROM jobs WHERE id = 4"), 9);
}

/* Only what can run is in the ready index, and every statement of the hot path stays within an index. */
static void test_plans(void **state) {
    fixture *self = *state;
    brant_db *db = self->db;
    must(db, "db.maintain", "{}", NULL);
    brant_close(db);
    const char *path = in_folder(self->folder, "a.db");
    const brant__statements *tables[] = {
        &brant__job_statements, &brant__job_enqueue_statements, &brant__job_claim_statements,
        &brant__job_attempt_statements, &brant__job_row_statements};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        must_plan_well(path, tables[i]->sql, tables[i]->count);
    must_plan_well(path, brant__queue_statements.sql, brant__queue_rare_statements);
    brant_db_free(db);
    self->db = open_again(self);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_configure),
        TEST(test_list),
        TEST(test_pause_and_drain),
        TEST(test_policies_are_current),
        TEST(test_delete),
        TEST(test_order),
        TEST(test_payloads),
        TEST(test_fencing),
        TEST(test_ack_with_claim),
        TEST(test_ids),
        TEST(test_transactions),
        TEST(test_delay),
        TEST(test_bounds),
        TEST(test_leases),
        TEST(test_watch_with_clock_back),
        TEST(test_shorter_lease_is_told),
        TEST(test_dependants_of_a_sleeping_queue),
        TEST(test_restores),
        TEST(test_heartbeat),
        TEST(test_backoff),
        TEST(test_history),
        TEST(test_snooze_and_release),
        TEST(test_expiry),
        TEST(test_clock_back),
        TEST(test_key_concurrency),
        TEST(test_fifo),
        TEST(test_fifo_dependencies),
        TEST(test_rules_change),
        TEST(test_concurrency),
        TEST(test_rate_limit),
        TEST(test_max_size),
        TEST(test_after),
        TEST(test_after_failure),
        TEST(test_long_chain),
        TEST(test_unique),
        TEST(test_unique_window),
        TEST(test_unique_conflicts),
        TEST(test_unique_circles),
        TEST(test_slots_wake),
        TEST(test_results),
        TEST(test_plans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
