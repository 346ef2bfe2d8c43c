/*
 * tests/core/test_format.c: a file of this format with something in every table of queues, streams, locks, limits, schedules and secrets: as it was saved, far in the
 * future, copied, restored.
 *
 *   test_format write     makes tests/core/data/format_7.db anew; its bytes depend on nothing but the code
 *
 * JSON is written with ' for " here.
 */
#include <stdbool.h>

#include "fake_clock.h"
#include "support_ring.h"

#define DATA    BRANT_SOURCE_DIR "/tests/core/data/"
#define SAVED   DATA "format_7.db"
#define BEFORE  DATA "format_6.db" /* has the same content */
#define OLDER   DATA "format_5.db" /* has it without secrets */
#define BEGIN   FAKE_BEGIN         /* when the content begins, a second for each operation */
#define DECADE  INT64_C(315576000000)
#define HOUR_AS "3600000"

static uint64_t dice;

static int clock_random(void *context, void *bytes, size_t length) {
    (void)context;
    for (size_t i = 0; i < length; i++) {
        dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        ((unsigned char *)bytes)[i] = (unsigned char)(dice >> 56);
    }
    return 0;
}

static const brant_sources sources = {fake_clock, clock_random, NULL};

static brant_db *open_file(const char *path) {
    brant_db *db = NULL;
    if (brant_open_with(&db, TEXT(path), "", 0, &sources) != BRANT_OK)
        fail_msg("%s: %s", path, brant_last_error()->message);
    must_load(db, RING_2);
    return db;
}

typedef struct row {
    const char *name, *input, *wanted; /* wanted: what the answer holds, NULL: anything */
} row;

static const char *quoted(char *out, size_t size, const char *text) {
    assert_true(strlen(text) < size);
    for (char *at = strcpy(out, text); *at; at++)
        if (*at == '\'') *at = '"';
    return out;
}

static void run_rows(brant_db *db, const row *rows, size_t count) {
    char input[1024], wanted[1024];
    for (size_t i = 0; i < count; i++) {
        must(db, rows[i].name, quoted(input, sizeof input, rows[i].input),
             rows[i].wanted ? quoted(wanted, sizeof wanted, rows[i].wanted) : NULL);
        fake_now += 1000;
    }
}

#define RUN(db, rows) run_rows(db, rows, sizeof(rows) / sizeof *(rows))

/* ---- what is in it ---------------------------------------------------------------------------------- */

static const row content[] = {
    {"queues.configure",
     "{'queue':'mail','lease':60000,'max_attempts':3,'backoff':{'base':1000000,'factor':3,'max':"
     "9000000,'jitter':0},'concurrency':10,'key_concurrency':1,'result_ttl':86400000,'max_size':"
     "1000}",
     NULL},
    {"queues.enqueue", "{'queue':'mail','payload':{'n':1}}", "'id':1"},
    {"queues.claim", "{'queue':'mail'}", "'id':1,'token':1"},
    {"jobs.ack", "{'id':1,'token':1,'result':{'sent':true}}", NULL},
    {"queues.enqueue", "{'queue':'mail','payload_base64':'AP8=','max_attempts':1}", "'id':2"},
    {"queues.claim", "{'queue':'mail','worker':'w0'}", "'id':2"},
    {"jobs.fail", "{'id':2,'token':1,'error':{'message':'no','stack':'at line 1','code':'E1'}}",
     "'dead'"},
    {"queues.enqueue", "{'queue':'mail','payload':[1,'two',null]}", "'id':3"},
    {"queues.claim", "{'queue':'mail'}", "'id':3"},
    {"jobs.fail", "{'id':3,'token':1,'error':'later'}", "'delayed'"},
    {"queues.enqueue", "{'queue':'mail','payload':'four','key':'k'}", "'id':4"},
    {"queues.claim", "{'queue':'mail','worker':'w1','lease':" HOUR_AS "}", "'id':4"},
    {"jobs.heartbeat", "{'id':4,'token':1,'lease':" HOUR_AS ",'progress':{'percent':40}}", NULL},
    {"queues.enqueue", "{'queue':'mail','payload':5,'key':'k'}", "'state':'blocked'"},
    {"queues.enqueue", "{'queue':'mail','payload':6,'after':[4],'on_failure':'run'}", "'blocked'"},
    {"queues.enqueue",
     "{'queue':'mail','payload':7,'delay':" HOUR_AS ",'unique':{'key':'once','window':86400000}}",
     "'delayed'"},
    {"queues.enqueue", "{'queue':'mail','payload':8,'delay':" HOUR_AS "}", "'id':8"},
    {"jobs.cancel", "{'id':8}", "'cancelled'"},
    {"queues.enqueue", "{'queue':'mail','payload':9,'priority':-1,'expires_in':86400000}",
     "'id':9"},
    {"queues.enqueue", "{'queue':'mail','payload':10,'priority':5}", "'id':10"},
    {"queues.claim", "{'queue':'mail','worker':'w2','lease':" HOUR_AS "}", "'id':10"},
    {"jobs.cancel", "{'id':10}", "'running'"},
    {"queues.enqueue", "{'queue':'brief','payload':11,'expires_in':1}", "'id':11"},
    {"queues.claim", "{'queue':'brief'}", "'items':[]"},
    {"queues.configure", "{'queue':'slow','rate_limit':{'limit':2,'period':" HOUR_AS "}}", NULL},
    {"queues.enqueue_many",
     "{'queue':'slow','items':[{'payload':12},{'payload':13},{'payload':14,'after':[{'item':0}]}]}",
     "'ids':[12,13,14]"},
    {"queues.claim", "{'queue':'slow','limit':5}", "'id':13"},
    {"jobs.ack", "{'id':12,'token':1}", NULL},
    {"jobs.release", "{'id':13,'token':1}", NULL},
    {"queues.claim", "{'queue':'slow','limit':5}", "'items':[]"},
    {"queues.configure", "{'queue':'strict','fifo':true}", NULL},
    {"queues.enqueue_many",
     "{'queue':'strict','items':[{'key':'a','payload':15},{'key':'a','payload':16}]}",
     "'ids':[15,16]"},
    {"queues.claim", "{'queue':'strict','limit':2,'lease':" HOUR_AS "}", "'id':15"},
    {"queues.enqueue", "{'queue':'paused'}", "'id':17"},
    {"queues.pause", "{'queue':'paused'}", NULL},
    {"queues.enqueue", "{'queue':'leaving'}", "'id':18"},
    {"queues.drain", "{'queue':'leaving'}", NULL},

    {"schedules.set",
     "{'name':'often','spec':'@every 30s','queue':'ticks','payload':{'t':1},'options':{'priority':"
     "3}}",
     NULL},
    {"schedules.set",
     "{'name':'daily','spec':'0 9 * * MON-FRI','queue':'ticks','misfire':'all','catch_up':3}",
     NULL},
    {"schedules.set", "{'name':'off','spec':'@hourly','queue':'ticks'}", NULL},
    {"schedules.pause", "{'name':'off'}", NULL},
    {"schedules.trigger", "{'name':'often'}", "'id':19"},

    {"streams.configure", "{'stream':'orders','max_count':1000,'keep_unread':true}", NULL},
    {"streams.publish", "{'stream':'orders','payload':{'n':1},'key':'a'}", "'offset':1"},
    {"streams.publish", "{'stream':'orders','payload_base64':'AP8='}", "'offset':2"},
    {"streams.publish_many",
     "{'stream':'orders','items':[{},{'payload':'x','key':'b'},{'payload':5}]}", "'last':5"},
    {"consumers.commit", "{'stream':'orders','consumer':'mailer','offset':2}", NULL},
    {"consumers.claim",
     "{'stream':'orders','group':'workers','member':'m1','limit':3,'lease':" HOUR_AS "}",
     "'offset':3"},
    {"consumers.ack", "{'stream':'orders','group':'workers','items':[{'offset':1,'token':1}]}",
     "'acked':1"},
    {"streams.configure", "{'stream':'state','compact':true}", NULL},
    {"streams.publish_many",
     "{'stream':'state','items':[{'key':'a','payload':1},{'key':'b','payload':2},{'key':'a',"
     "'payload':3}]}",
     NULL},
    {"streams.compact", "{'stream':'state'}", "'removed':1"},
    {"streams.publish_many",
     "{'stream':'short','items':[{'payload':1},{'payload':2},{'payload':3},{'payload':4}]}", NULL},
    {"streams.trim", "{'stream':'short','max_count':2}", "'trimmed':2"},
    {"events.set_retention", "{'channel':'news','count':10}", NULL},
    {"events.notify", "{'channel':'news','payload':{'a':1}}", NULL},
    {"events.notify", "{'channel':'news','payload_base64':'AP8='}", NULL},

    {"locks.acquire", "{'name':'freed','owner':'me'}", "'token':1"},
    {"locks.release", "{'name':'freed','token':1}", NULL},
    {"locks.acquire", "{'name':'leader','owner':'me','ttl':" HOUR_AS "}", "'token':2"},
    {"rate_limits.take",
     "{'name':'api','kind':'sliding_window','limit':3,'period':" HOUR_AS ",'cost':2}",
     "'remaining':1"},
    {"rate_limits.take",
     "{'name':'calls','kind':'token_bucket','limit':10,'period':" HOUR_AS ",'burst':20,'cost':15}",
     "'remaining':5"},

    {"calls.publish",
     "{'event':'call.requested','request_id':'r1','operation_id':'files.read','input':{'path':"
     "'x'},'at':10}",
     "'offset':1"},
    {"calls.publish", "{'event':'call.completed','request_id':'r1','at':20}", "'offset':2"},
    {"graphs.create", "{'name':'calls','graph_type':'call'}", NULL},
    {"calls.project", "{'graph':'calls','limit':1}", "'offset':1"},
    {"graphs.create", "{'name':'tracked','graph_type':'open','changes':true}", NULL},
    {"nodes.put", "{'graph':'tracked','key':'a','attributes':{'n':1}}", NULL},
    {"nodes.put", "{'graph':'tracked','key':'b','attributes':{'n':1}}", NULL},
    {"edges.put", "{'graph':'tracked','source':'a','target':'b','key':'ab'}", NULL},
    {"nodes.patch", "{'graph':'tracked','key':'a','attributes':{'n':2}}", NULL},
    {"nodes.delete", "{'graph':'tracked','key':'b','edges':'delete'}", NULL},
    {"schedules.tick", "", "'name':'often','id':20"},
};

/* Secrets under one key, then half-way to another: what came with format 6. */
static const row secrets[] = {
    {"graphs.create", "{'name':'secrets','graph_type':'secret'}", NULL},
    {"nodes.put_many",
     "{'graph':'secrets','items':[{'key':'a','type':'Secret','attributes':{'value':'one'}},{'key':"
     "'b','type':'Secret','attributes':{'value':{'n':[2,null]},'kind':'token'}}]}",
     NULL},
};
static const row half_rotated[] = {
    {"secrets.rotate", "{'batch':1}", "'done':false,'key_version':2,'rewrapped':1"},
};

/* ---- what is read of it ------------------------------------------------------------------------------- */

/* What does not depend on leases. */
static const row lasting[] = {
    {"db.info", "", "'format':7"},
    {"queues.get", "{'queue':'mail'}", "'backoff':{'base':1000000,'factor':3"},
    {"queues.get", "{'queue':'mail'}", "'max_size':1000"},
    {"queues.get", "{'queue':'paused'}", "'state':'paused'"},
    {"queues.get", "{'queue':'leaving'}", "'state':'draining'"},
    {"queues.get", "{'queue':'slow'}", "'rate_limit':{'limit':2,'period':" HOUR_AS "}"},
    {"queues.get", "{'queue':'strict'}", "'fifo':true"},
    {"queues.list", "{'prefix':'brief'}", "'queue':'brief'"},
    {"jobs.get", "{'id':1}", "'result':{'sent':true}"},
    {"jobs.get", "{'id':1}", "'state':'done'"},
    {"jobs.get", "{'id':2}", "'payload_base64':'AP8='"},
    {"jobs.get", "{'id':2}", "'message':'no','stack':'at line 1','code':'E1'"},
    {"jobs.get", "{'id':2}", "'state':'dead'"},
    {"jobs.get", "{'id':3}", "'payload':[1,'two',null]"},
    {"jobs.get", "{'id':3}", "'message':'later'"},
    {"jobs.get", "{'id':4}", "'progress':{'percent':40}"},
    {"jobs.get", "{'id':5}", "'key':'k'"},
    {"jobs.get", "{'id':6}", "'after':[4]"},
    {"jobs.get", "{'id':7}", "'unique_key':'once'"},
    {"jobs.get", "{'id':8}", "'state':'cancelled'"},
    {"jobs.get", "{'id':10}", "'cancel_requested':true"},
    {"jobs.get", "{'id':11}", "'state':'expired'"},
    {"jobs.get", "{'id':19}", "'schedule':'often'"},
    {"jobs.get", "{'id':19}", "'priority':3"},
    {"schedules.get", "{'name':'often'}", "'spec':'@every 30s'"},
    {"schedules.get", "{'name':'often'}", "'fired':1"},
    {"schedules.get", "{'name':'daily'}", "'misfire':'all','catch_up':3"},
    {"schedules.get", "{'name':'daily'}", "'next_at':1700038800000"}, /* Wednesday, 9:00 */
    {"schedules.get", "{'name':'off'}", "'paused':true"},
    {"streams.get", "{'stream':'orders'}", "'max_count':1000"},
    {"streams.get", "{'stream':'orders'}", "'keep_unread':true"},
    {"streams.read", "{'stream':'orders','limit':1}", "'key':'a','payload':{'n':1}"},
    {"streams.read", "{'stream':'orders','after':1,'limit':1}", "'payload_base64':'AP8='"},
    {"streams.read", "{'stream':'orders','after':2,'limit':1}", "'payload':null"},
    {"streams.read", "{'stream':'orders','keys':['b']}", "'offset':4,'key':'b','payload':'x'"},
    {"consumers.get", "{'stream':'orders','consumer':'mailer'}", "'offset':2,'lag':3"},
    {"consumers.get", "{'stream':'orders','consumer':'workers'}", "'offset':1"},
    {"consumers.get", "{'stream':'orders','consumer':'workers'}", "'pending':2"},
    {"streams.latest", "{'stream':'state','key':'a'}", "'offset':3"},
    {"streams.read", "{'stream':'state'}", "'items':[{'offset':2"},
    {"streams.read", "{'stream':'short'}", "'gap':{'from':1,'to':2}"},
    {"streams.publish", "{'stream':'short'}", "'offset':5"},
    {"events.channels", "{'prefix':'news'}", "'channel':'news'"},
    {"rate_limits.list", "{'prefix':'calls'}", "'burst':20"},
    {"calls.project", "{'graph':'calls'}", "'projected':1,'offset':2"},
    {"nodes.get", "{'graph':'calls','key':'r1'}", "'completed'"},
    {"graphs.changes", "{'graph':'tracked','limit':2}",
     "'kind':'node','key':'a','type':null,'op':'put','attributes':{'n':1}"},
    {"graphs.diff", "{'graph':'tracked','from':1}", "'edges':{'created':[]"},
    {"graphs.replay", "{'graph':'tracked','to':4,'into':'before'}", NULL},
    {"edges.get", "{'graph':'before','key':'ab'}", "'source':'a','target':'b'"},
    {"nodes.get", "{'graph':'tracked','key':'a'}", "'n':2"},
    {"sql.execute",
     "{'sql':'SELECT count(*) FROM notifications WHERE channel = ?','params':['news']}", "[[2]]"},
};

static const row lasting_secrets[] = {
    {"secrets.status", "",
     "{'keys':[{'version':1,'state':'decrypt_only','count':1},{'version':2,'state':'active',"
     "'count':1}],'total':2,'rotation':{'key_version':2,'done':false,'rewrapped':1,'sealed':0,"
     "'failed':0,'remaining':1,"},
    {"nodes.open_secret", "{'graph':'secrets','key':'a','path':'attributes.value'}",
     "{'value':'one','key_version':2}"},
    {"nodes.open_secret", "{'graph':'secrets','key':'b','path':'attributes.value'}",
     "{'value':{'n':[2,null]},'key_version':1}"},
};
static const row rotated[] = {
    {"secrets.rotate", "", "'done':true,'key_version':2,'rewrapped':1"},
    {"nodes.open_secret", "{'graph':'secrets','key':'b','path':'attributes.value'}",
     "{'value':{'n':[2,null]},'key_version':2}"},
};

/* As it was left: leases run, limits hold. */
static const row as_left[] = {
    {"jobs.get", "{'id':3}", "'state':'delayed'"},
    {"jobs.get", "{'id':4}", "'state':'running'"},
    {"jobs.get", "{'id':4}", "'worker':'w1'"},
    {"jobs.get", "{'id':5}", "'state':'blocked'"},
    {"jobs.get", "{'id':6}", "'state':'blocked'"},
    {"jobs.get", "{'id':10}", "'state':'running'"},
    {"jobs.get", "{'id':16}", "'state':'blocked'"},
    {"queues.stats", "{'queue':'mail'}",
     "'ready':1,'delayed':2,'blocked':2,'running':2,'done':1,'dead':1,'cancelled':1,'expired':0"},
    {"queues.stats", "{'queue':'mail'}", "'enqueued':10,'claimed':5,'completed':1,'failed':2"},
    {"queues.claim", "{'queue':'slow'}", "'items':[]"},
    {"queues.claim", "{'queue':'strict'}", "'items':[]"},
    {"queues.enqueue", "{'queue':'mail','unique':{'key':'once','window':86400000}}",
     "'duplicate':true"},
    {"locks.acquire", "{'name':'leader','owner':'you'}", "'acquired':false"},
    {"locks.get", "{'name':'leader'}", "'token':2"},
    {"rate_limits.peek", "{'name':'api','kind':'sliding_window','limit':3,'period':" HOUR_AS "}",
     "'remaining':1"},
    {"rate_limits.take",
     "{'name':'api','kind':'sliding_window','limit':3,'period':" HOUR_AS ",'cost':2}",
     "'allowed':false"},
    {"rate_limits.take",
     "{'name':'calls','kind':'token_bucket','limit':10,'period':" HOUR_AS ",'burst':20,'cost':15}",
     "'allowed':false"},
    {"consumers.claim", "{'stream':'orders','group':'workers','member':'m2','limit':9}",
     "'items':[{'offset':4"},
    {"jobs.heartbeat", "{'id':10,'token':1}", "'cancel_requested':true"},
    {"jobs.ack", "{'id':4,'token':1}", NULL},
    {"jobs.get", "{'id':5}", "'state':'ready'"},
    {"jobs.get", "{'id':6}", "'state':'ready'"},
    {"queues.claim", "{'queue':'mail','limit':9}", "'id':5"},
    {"queues.enqueue", "{'queue':'new'}", "'id':21"},
};

/* Ten years later: every lease has ended, everything is due. */
static const row in_the_future[] = {
    {"queues.claim", "{'queue':'mail','limit':9}", "'items':[{'id':3,'token':2"},
    {"jobs.get", "{'id':4}", "'message':'lease ended'"},
    {"jobs.get", "{'id':4}", "'attempt':2"},
    {"jobs.get", "{'id':7}", "'state':'running'"},
    {"jobs.get", "{'id':9}", "'state':'expired'"},
    {"jobs.get", "{'id':10}", "'state':'cancelled'"},
    {"queues.claim", "{'queue':'slow','limit':9}", "'items':[{'id':13,'token':2"},
    {"queues.claim", "{'queue':'strict','limit':9}", "'items':[{'id':15,'token':2"},
    {"queues.claim", "{'queue':'leaving'}", "'id':18"},
    {"queues.claim", "{'queue':'paused'}", "'items':[]"},
    {"queues.resume", "{'queue':'paused'}", NULL},
    {"queues.claim", "{'queue':'paused'}", "'id':17"},
    {"queues.enqueue", "{'queue':'mail','unique':{'key':'once','window':86400000}}",
     "'duplicate':false"},
    {"locks.acquire", "{'name':'leader','owner':'you'}", "'acquired':true,'token':3"},
    {"rate_limits.take",
     "{'name':'api','kind':'sliding_window','limit':3,'period':" HOUR_AS ",'cost':3}",
     "'allowed':true"},
    {"rate_limits.take",
     "{'name':'calls','kind':'token_bucket','limit':10,'period':" HOUR_AS ",'burst':20,'cost':20}",
     "'allowed':true"},
    {"consumers.claim", "{'stream':'orders','group':'workers','member':'m2','limit':1}",
     "'items':[{'offset':2"},
    {"schedules.tick", "", "'name':'daily'"},
    {"schedules.get", "{'name':'often'}", "'fired':2"},
    {"db.maintain", "", NULL},
};

/* Where it was copied to: nobody there holds a lease or a lock. */
static const row in_a_copy[] = {
    {"jobs.get", "{'id':4}", "'state':'ready'"},
    {"locks.list", "", "'items':[]"},
    {"locks.acquire", "{'name':'leader','owner':'you'}", "'acquired':true"},
    {"consumers.claim", "{'stream':'orders','group':'workers','member':'m2','limit':1}",
     "'items':[{'offset':2"},
    {"rate_limits.peek", "{'name':'api','kind':'sliding_window','limit':3,'period':" HOUR_AS "}",
     "'remaining':1"},
    {"queues.claim", "{'queue':'slow'}", "'items':[]"},
    {"queues.claim", "{'queue':'mail','limit':9}", "'items':[{'id':4,'token':2"},
    {"queues.claim", "{'queue':'mail'}", "'items':[]"},
    {"jobs.get", "{'id':10}", "'state':'cancelled'"},
    {"queues.enqueue", "{'queue':'mail','unique':{'key':'once','window':86400000}}",
     "'duplicate':true"},
};

/* ---- tests ---------------------------------------------------------------------------------------------- */

static void fill(const char *path) {
    fake_now = BEGIN;
    dice = 5;
    brant_db *db = open_file(path);
    RUN(db, content);
    must_load(db, RING_1);
    RUN(db, secrets);
    must_load(db, RING_2);
    RUN(db, half_rotated);
    must_be_well(db);
    brant_db_free(db);
}

static int set_up(void **state) {
    *state = make_folder();
    fake_now = BEGIN + 1000 * (int64_t)(sizeof content / sizeof *content);
    return 0;
}

/* A copy of a saved file. */
static const char *copy_of(const char *file, const char *folder) {
    static char bytes[1 << 22];
    const char *path = in_folder(folder, "saved.db");
    FILE *in = fopen(file, "rb"), *out = fopen(path, "wb");
    if (!in || !out) fail_msg("no %s", file);
    const size_t length = fread(bytes, 1, sizeof bytes, in);
    assert_int_equal(fwrite(bytes, 1, length, out), length);
    fclose(in);
    fclose(out);
    return path;
}

static const char *saved(const char *folder) {
    return copy_of(SAVED, folder);
}

static void must_open_as_left(const char *path) {
    brant_db *db = open_file(path);
    must_be_well(db);
    RUN(db, lasting);
    RUN(db, as_left);
    must_be_well(db);
    brant_db_free(db);
}

static void must_open_with_secrets(const char *path) {
    must_open_as_left(path);
    brant_db *db = open_file(path);
    RUN(db, lasting_secrets);
    RUN(db, rotated);
    must_be_well(db);
    brant_db_free(db);
}

static void test_open_format_7(void **state) {
    must_open_with_secrets(saved(*state));
}

static void test_open_format_6(void **state) {
    must_open_with_secrets(copy_of(BEFORE, *state));
}

static void test_open_format_5(void **state) {
    must_open_as_left(copy_of(OLDER, *state));
}

static void test_open_in_the_future(void **state) {
    fake_now += DECADE;
    brant_db *db = open_file(saved(*state));
    RUN(db, lasting);
    RUN(db, in_the_future);
    must_be_well(db);
    brant_db_free(db);
}

/* What writes the saved file still writes one that is read so, with the same tables: else it was not made anew after a change. */
static void test_write_format_7(void **state) {
    static const char schema[] =
        "{\"sql\":\"SELECT group_concat(sql, '; ') FROM (SELECT sql FROM sqlite_schema ORDER BY "
        "type, name)\"}";
    const char *path = in_folder(*state, "new.db");
    fill(path);
    brant_db *db = open_file(path), *old = open_file(saved(*state));
    char *is = must_call(db, "sql.execute", schema, "CREATE TABLE jobs "),
         *was = must_call(old, "sql.execute", schema, NULL);
    assert_string_equal(was, is);
    brant_free(is);
    brant_free(was);
    brant_db_free(old);
    RUN(db, lasting);
    RUN(db, as_left);
    brant_db_free(db);
}

static void backup_to(brant_db *db, const char *operation, const char *path) {
    char json[4400];
    snprintf(json, sizeof json, "{\"path\":\"%s\"}", path);
    must(db, operation, json, "\"pages\"");
}

static void test_backup(void **state) {
    char copy[4096];
    snprintf(copy, sizeof copy, "%s", in_folder(*state, "copy.db"));
    brant_db *db = open_file(saved(*state));
    backup_to(db, "db.backup", copy);
    RUN(db, as_left); /* the original goes on */
    brant_db_free(db);
    db = open_file(copy);
    must_be_well(db);
    RUN(db, lasting);
    RUN(db, lasting_secrets);
    RUN(db, in_a_copy);
    RUN(db, rotated);
    must_be_well(db);
    brant_db_free(db);
}

static void test_restore(void **state) {
    char other[4096];
    snprintf(other, sizeof other, "%s", in_folder(*state, "other.db"));
    const char *path = saved(*state);
    brant_db *db = open_file(other);
    must(db, "queues.enqueue", "{\"queue\":\"lost\"}", NULL);
    must(db, "streams.publish", "{\"stream\":\"lost\"}", NULL);
    must(db, "locks.acquire", "{\"name\":\"lost\",\"owner\":\"o\"}", NULL);
    backup_to(db, "db.restore", path);
    must_be_well(db);
    must_fail(db, "queues.get", "{\"queue\":\"lost\"}", BRANT_NOT_FOUND, "lost");
    must_fail(db, "streams.get", "{\"stream\":\"lost\"}", BRANT_NOT_FOUND, "lost");
    RUN(db, lasting);
    RUN(db, lasting_secrets);
    RUN(db, in_a_copy);
    RUN(db, rotated);
    must_be_well(db);
    brant_db_free(db);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down_folder)

int main(int count, char **arguments) {
    if (count > 1 && strcmp(arguments[1], "write") == 0) {
        unlink(SAVED);
        fill(SAVED);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        TEST(test_open_format_7),  TEST(test_open_format_6),
        TEST(test_open_format_5),  TEST(test_open_in_the_future),
        TEST(test_write_format_7), TEST(test_backup),
        TEST(test_restore),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
