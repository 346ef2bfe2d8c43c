/*
 * db.maintain: the library's own worker, and what is to be done now and then.
 */
#include "test_graph.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define MODULE(property)                                                                           \
    "{\"$id\":\"t\",\"$defs\":{\"ANode\":{\"type\":\"object\",\"properties\":{" property           \
    "},\"additionalProperties\":false}}}"

/* A graph type of version 2 with rows of version 1. */
static void old_rows(brant_db *db, int rows) {
    brant__buffer items = {0};

    answer(db, "graph_types.define", "{\"module\":%s}", MODULE("\"n\":{\"type\":\"integer\"}"));
    answer(db, "graphs.create", "{\"name\":\"g\",\"graph_type\":\"t\",\"changes\":true}");
    for (int i = 0; i < rows; i++)
        brant__buffer_format(&items, "%s{\"key\":\"k%d\",\"attributes\":{\"n\":%d}}", i ? "," : "",
                             i, i);
    answer(db, "nodes.put_many", "{\"graph\":\"g\",\"items\":[%.*s]}", (int)items.length,
           items.data);
    brant__buffer_free(&items);
    answer(db, "graph_types.update", "{\"name\":\"t\",\"version\":2,\"module\":%s}",
           MODULE("\"m\":{\"type\":\"integer\",\"maximum\":990000}"));
}

#define PATCH "\"patches\":{\"A\":[{\"op\":\"move\",\"from\":\"/n\",\"path\":\"/m\"}]}"

static int64_t background(brant_db *db) {
    brant__json json = parsed(answer(
        db, "graph_types.migrate", "{\"name\":\"t\",\"background\":true,\"batch\":100," PATCH "}"));
    const int64_t id = brant__json_integer(brant__json_get(json.root, "job"), 0);

    brant__json_free(&json);
    return id;
}

static void test_migration(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    long long id;

    old_rows(db, 6010);
    fails(db, "graph_types.migrate", BRANT_NOT_FOUND, "none",
          "{\"name\":\"none\",\"background\":true}");
    fails(db, "graph_types.migrate", BRANT_INVALID, "no type",
          "{\"name\":\"t\",\"background\":true,\"patches\":{\"X\":[]}}");
    id = background(db);
    assert_int_equal(background(db), id); /* one waits */
    holds(db, "jobs.get", "\"state\":\"ready\"", "{\"id\":%lld}", id);
    holds(db, "db.maintain", "\"worked\":{\"jobs\":0,\"failed\":0,\"steps\":50}", "{}");
    holds(db, "jobs.get", "\"state\":\"ready\"", "{\"id\":%lld}", id);
    holds(db, "jobs.get", "\"progress\":{\"steps\":50,\"answer\":{\"done\":false,\"migrated\":100,",
          "{\"id\":%lld}", id);
    holds(db, "db.maintain", "\"worked\":{\"jobs\":1,\"failed\":0,\"steps\":11}", "{}");
    holds(db, "jobs.get", "\"state\":\"done\"", "{\"id\":%lld}", id);
    holds(db, "jobs.get", "\"result\":{\"steps\":61,\"answer\":{\"done\":true,", "{\"id\":%lld}",
          id);
    holds(db, "nodes.count", "{\"count\":6010}",
          "{\"graph\":\"g\",\"filter\":{\"attributes.m\":{\"$exists\":true}}}");
    holds(db, "graph_types.migration", "\"remaining\":0,\"done\":true", "{\"name\":\"t\"}");
    /* What it changed is in the change log. */
    holds(db, "graphs.diff", "\"updated\":[\"k0\"", "{\"graph\":\"g\",\"from\":6011,\"limit\":5}");
    holds(db, "db.maintain", "\"worked\":{\"jobs\":0,\"failed\":0,\"steps\":0}", "{}");
    healthy(db);
    brant_db_free(db);
}

static void test_failures(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    long long id;

    old_rows(db, 10);
    answer(db, "graph_types.update", "{\"name\":\"t\",\"version\":3,\"module\":%s}",
           MODULE("\"m\":{\"type\":\"integer\",\"maximum\":5}"));
    id = background(db);
    holds(db, "db.maintain", "\"worked\":{\"jobs\":0,\"failed\":1,", "{}");
    holds(db, "jobs.get", "\"state\":\"dead\"", "{\"id\":%lld}", id);
    holds(db, "jobs.get", "\"message\":\"a row cannot be migrated", "{\"id\":%lld}", id);
    holds(db, "jobs.get", "\"violations\"", "{\"id\":%lld}", id);
    holds(db, "queues.enqueue", "\"id\"",
          "{\"queue\":\"graph-maintenance\",\"payload\":{\"operation\":\"db.erase\"}}");
    holds(db, "queues.enqueue", "\"id\"",
          "{\"queue\":\"graph-maintenance\",\"payload\":{\"operation\":\"graphs.purge\",\"input\":{"
          "\"nam\":1}}}");
    holds(db, "queues.enqueue", "\"id\"", "{\"queue\":\"graph-maintenance\",\"payload\":[7]}");
    holds(db, "queues.enqueue", "\"id\"",
          "{\"queue\":\"graph-maintenance\",\"payload\":{\"operation\":\"graphs.purge\",\"input\":{"
          "\"name\":\"none\"}}}");
    holds(db, "queues.enqueue", "\"id\"",
          "{\"queue\":\"graph-maintenance\",\"payload\":{\"operation\":\"graphs.purge\",\"input\":{"
          "\"name\":\"g\"}}}");
    holds(db, "db.maintain", "\"worked\":{\"jobs\":1,\"failed\":4,", "{}");
    fails(db, "graphs.get", BRANT_NOT_FOUND, "g", "{\"name\":\"g\"}");
    holds(db, "queues.stats", "\"dead\":4", "{\"queue\":\"graph-maintenance\"}");
    healthy(db);
    brant_db_free(db);
}

static int64_t fast_now = 1900000000000;

static int64_t fast_clock(void *context) {
    (void)context;
    return fast_now++;
}

/* Killed in the middle, again and again: each row is migrated once. The clock of these processes runs, so that leases end. */
static void test_kills(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open(path, "");
    unsigned seed = 3;

    old_rows(db, 20000);
    answer(db, "queues.configure", "{\"queue\":\"schema-migration\",\"max_attempts\":1000}");
    background(db);
    brant_db_free(db);
    for (int i = 0; i < 20; i++) {
        int code;
        pid_t child = fork();
        if (child == 0) {
            static const brant_sources sources = {fast_clock, NULL, NULL};
            if (brant_open_with(&db, path, strlen(path), "", 0, &sources) != BRANT_OK) _exit(1);
            fast_now += i * 61000;
            for (;;)
                answer(db, "db.maintain", "{}");
        }
        seed = seed * 1664525u + 1013904223u;
        usleep(5000 + (seed >> 8) % 20000);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &code, 0), child);
    }
    db = must_open(path, "");
    /* Every row that was changed was changed once. */
    holds(db, "sql.execute", "[[0]]",
          "{\"sql\":\"SELECT count(*) FROM nodes WHERE revision > 2\"}");
    for (int i = 0; i < 1000; i++)
        if (strstr(answer(db, "graph_types.migrate", "{\"name\":\"t\"," PATCH "}"),
                   "\"done\":true"))
            break;
    holds(db, "sql.execute", "[[20000]]",
          "{\"sql\":\"SELECT count(*) FROM nodes WHERE revision = 2\"}");
    healthy(db);
    brant_db_free(db);
}

/* ---- metrics -------------------------------------------------------------------------------------------------------------- */

static bool is_name(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (!(text[i] == '_' || (text[i] >= 'a' && text[i] <= 'z') ||
              (i > 0 && text[i] >= '0' && text[i] <= '9')))
            return false;
    return length > 0;
}

/* {name="value",..}, with nothing but the escapes that there are. The text behind it. */
static const char *skip_labels(const char *at) {
    if (*at != '{') return at;
    do {
        const char *equals = strchr(++at, '=');
        assert_true(equals && is_name(at, (size_t)(equals - at)) && equals[1] == '"');
        for (at = equals + 2; *at != '"'; at++) {
            assert_true(*at && *at != '\n');
            if (*at == '\\') assert_non_null(strchr("\\\"n", *++at));
        }
        at++;
    } while (*at == ',');
    assert_true(*at == '}');
    return at + 1;
}

/* The grammar of text format 0.0.4: families once, each with HELP and TYPE before its samples; cumulative histograms. */
static void check_format(char *text) {
    char family[64] = "", type[16] = "", seen[8192] = " ";
    double last = 0;
    char *rest = NULL;

    assert_true(text[strlen(text) - 1] == '\n');
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char name[64], wanted[80], *end;
        const char *at;
        size_t length;
        double value;
        if (sscanf(line, "# HELP %63s", name) == 1) {
            snprintf(wanted, sizeof(wanted), " %s ", name);
            assert_null(strstr(seen, wanted));
            strcat(strcat(seen, name), " ");
            strcpy(family, name);
            type[0] = '\0';
            continue;
        }
        if (sscanf(line, "# TYPE %63s %15s", name, type) == 2) {
            assert_string_equal(name, family);
            assert_true(!strcmp(type, "gauge") || !strcmp(type, "counter") ||
                        !strcmp(type, "histogram"));
            assert_true(strcmp(type, "counter") != 0 ||
                        strcmp(name + strlen(name) - 6, "_total") == 0);
            continue;
        }
        length = strcspn(line, "{ ");
        assert_true(type[0] && is_name(line, length) && strncmp(line, family, strlen(family)) == 0);
        if (strcmp(type, "histogram") == 0)
            assert_true(!strncmp(line + strlen(family), "_bucket{", 8) ||
                        !strncmp(line + strlen(family), "_sum{", 5) ||
                        !strncmp(line + strlen(family), "_count{", 7));
        else
            assert_int_equal(length, strlen(family));
        at = skip_labels(line + length);
        assert_true(*at == ' ');
        value = strtod(at + 1, &end);
        assert_true(end > at + 1 && !*end);
        if (strstr(line, "_bucket{")) {
            if (strstr(line, "le=\"0.001\"")) last = 0;
            assert_true(value >= last);
            last = value;
        }
        if (strstr(line, "_count{")) assert_true(value == last);
    }
}

static void metrics_hold(const char *text, const char *line) {
    if (!strstr(text, line)) fail_msg("no \"%s\" in %s", line, text);
}

static void test_metrics(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    brant__json json = parsed(answer(db, "db.metrics", "{}"));
    char *text = strdup(brant__json_get_text(json.root, "text").data);

    check_format(text);
    free(text);
    brant__json_free(&json);
    answer(db, "graphs.create", "{\"name\":\"g\",\"graph_type\":\"open\"}");
    answer(db, "nodes.put", "{\"graph\":\"g\",\"key\":\"a\"}");
    answer(db, "events.notify", "{\"channel\":\"say \\\"x\\\" \\\\ \\n\"}");
    for (int i = 0; i < 3; i++)
        answer(db, "queues.enqueue", "{\"queue\":\"q\",\"payload\":%d}", i);
    answer(db, "queues.enqueue", "{\"queue\":\"q\",\"delay\":100000}");
    brant__json claim = parsed(answer(db, "queues.claim", "{\"queue\":\"q\"}"));
    yyjson_val *job = yyjson_arr_get_first(brant__json_get(claim.root, "items"));
    answer(db, "jobs.ack", "{\"id\":%d,\"token\":%d}",
           (int)brant__json_integer(brant__json_get(job, "id"), 0),
           (int)brant__json_integer(brant__json_get(job, "token"), 0));
    brant__json_free(&claim);
    answer(db, "streams.publish_many", "{\"stream\":\"s\",\"items\":[{},{},{}]}");
    json = parsed(answer(db, "db.metrics", "{}"));
    text = strdup(brant__json_get_text(json.root, "text").data);
    metrics_hold(text, "\nbrant_nodes 1\n");
    metrics_hold(text, "brant_channel_notifications{channel=\"say \\\"x\\\" \\\\ \\n\"} 1\n");
    metrics_hold(text, "brant_queue_jobs{queue=\"q\",state=\"ready\"} 2\n");
    metrics_hold(text, "brant_queue_jobs{queue=\"q\",state=\"delayed\"} 1\n");
    metrics_hold(text, "brant_queue_jobs{queue=\"q\",state=\"dead\"} 0\n");
    metrics_hold(text, "brant_queue_state{queue=\"q\",state=\"active\"} 1\n");
    metrics_hold(text, "brant_queue_events_total{queue=\"q\",event=\"enqueued\"} 4\n");
    metrics_hold(text, "brant_queue_events_total{queue=\"q\",event=\"completed\"} 1\n");
    metrics_hold(text, "brant_queue_wait_seconds_bucket{queue=\"q\",le=\"+Inf\"} 1\n");
    metrics_hold(text, "brant_queue_run_seconds_count{queue=\"q\"} 1\n");
    metrics_hold(text, "brant_stream_events{stream=\"s\"} 3\n");
    metrics_hold(text, "brant_stream_last_offset{stream=\"s\"} 3\n");
    check_format(text);
    free(text);
    brant__json_free(&json);
    holds(db, "db.info",
          "\"queues\":1,\"jobs\":3,\"streams\":1,\"events\":3,\"locks\":0,\"schedules\":0", "{}");
    healthy(db);
    brant_db_free(db);
}

/* Locks that nobody holds any more, and limits that limit nobody. */
static void test_leftovers(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    answer(db, "locks.acquire", "{\"name\":\"l\",\"owner\":\"o\",\"ttl\":1}");
    answer(db, "rate_limits.take",
           "{\"name\":\"r\",\"kind\":\"sliding_window\",\"limit\":1,\"period\":1}");
    usleep(20000);
    holds(db, "db.maintain", "\"locks\":1,\"rate_limits\":1,", "{}");
    brant_db_free(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(test_migration), GRAPH_TEST(test_failures),  GRAPH_TEST(test_kills),
        GRAPH_TEST(test_metrics),   GRAPH_TEST(test_leftovers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
