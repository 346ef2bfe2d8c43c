/*
 * operation/prometheus.c: db.metrics: what there is and what happened, in Prometheus' text format 0.0.4.
 *
 * A family is a query: its first columns are the labels, the last is the value. Times are told in seconds, as the format's users expect, and
 * written from integers of milliseconds. Families of many things tell the first LISTED of them by name.
 */
#include <sys/stat.h>

#include "event/metrics.h"
#include "operation/operation.h"

#define LABELS 3
#define LISTED "1000"

/* Buckets of histograms: 1 ms, 2 ms.. 2^26 ms (18 h), always the same ones. */
#define BUCKETS 27

#define STREAM_LAST                                                                                \
    "max(s.head, coalesce((SELECT e.id & ((1 << 40) - 1) FROM stream_events AS e WHERE e.id > "    \
    "s.row_id << 40 AND e.id < (s.row_id + 1) << 40 ORDER BY e.id DESC LIMIT 1), 0))"
#define JOBS(name, state, index, extra)                                                            \
    "SELECT name, '" name "', (SELECT count(*) FROM jobs INDEXED BY " index                        \
    " WHERE queue = q.row_id AND state = " state extra ") FROM q"
/* clang-format off */
#define JOBS_OF_STATES                                                                             \
    JOBS("ready", "0", "jobs_ready", "")                                                           \
    " UNION ALL " JOBS("delayed", "1", "jobs_due", "")                                             \
    " UNION ALL " JOBS("blocked", "2", "jobs_blocked", "")                                         \
    " UNION ALL " JOBS("running", "3", "jobs_leases", "")                                          \
    " UNION ALL " JOBS("done", "4", "jobs_finished", " AND state > 3")                             \
    " UNION ALL " JOBS("dead", "5", "jobs_finished", " AND state > 3")                             \
    " UNION ALL " JOBS("cancelled", "6", "jobs_finished", " AND state > 3")                        \
    " UNION ALL " JOBS("expired", "7", "jobs_finished", " AND state > 3")
/* clang-format on */

enum { INTEGER, SECONDS };
static const struct {
    const char *name;
    const char *type;
    const char *help;
    const char *labels[LABELS];
    int value;
} families[] = {
    {"brant_file_bytes", "gauge", "Size of the database file", {NULL}, INTEGER},
    {"brant_graphs", "gauge", "Graphs by status", {"status"}, INTEGER},
    {"brant_nodes", "gauge", "Nodes of all graphs", {NULL}, INTEGER},
    {"brant_edges", "gauge", "Edges of all graphs", {NULL}, INTEGER},
    {"brant_channel_notifications",
     "gauge",
     "Notifications that are kept, by channel",
     {"channel"},
     INTEGER},
    {"brant_queue_state",
     "gauge",
     "1 for the state that a queue is in",
     {"queue", "state"},
     INTEGER},
    {"brant_queue_jobs", "gauge", "Jobs by queue and state", {"queue", "state"}, INTEGER},
    {"brant_queue_oldest_ready_seconds",
     "gauge",
     "How long the job that is ready for longest waits for a claim",
     {"queue"},
     SECONDS},
    {"brant_queue_events_total",
     "counter",
     "What happened to jobs, by queue",
     {"queue", "event"},
     INTEGER},
    {"brant_stream_events", "gauge", "Events that are kept, by stream", {"stream"}, INTEGER},
    {"brant_stream_last_offset", "gauge", "Offset of the newest event", {"stream"}, INTEGER},
    {"brant_consumer_offset",
     "gauge",
     "What is up to it was processed",
     {"stream", "consumer", "kind"},
     INTEGER},
    {"brant_consumer_lag",
     "gauge",
     "Events behind the saved offset",
     {"stream", "consumer", "kind"},
     INTEGER},
    {"brant_group_pending",
     "gauge",
     "Events that were handed to members and not acknowledged",
     {"stream", "consumer"},
     INTEGER},
    {"brant_locks_held", "gauge", "Leases of locks that have not ended", {NULL}, INTEGER},
    {"brant_schedule_fired_total", "counter", "How often a schedule fired", {"schedule"}, INTEGER},
    {"brant_schedule_paused", "gauge", "1 for a schedule that is paused", {"schedule"}, INTEGER},
    {"brant_schedule_next_timestamp_seconds",
     "gauge",
     "When a schedule fires next",
     {"schedule"},
     SECONDS},
    {"brant_waiters", "gauge", "Sleepers that wait for work", {NULL}, INTEGER},
};

#define QUEUES "WITH q AS (SELECT row_id, name, state FROM queues ORDER BY name LIMIT " LISTED ") "

enum { HISTOGRAM = BRANT__COUNT(families), STATEMENT_COUNT };
/* In the order of the families. :now is the time. */
static const char *const sql[STATEMENT_COUNT] = {
    "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
    "SELECT status, count(*) FROM graphs GROUP BY status",
    "SELECT coalesce(sum(nodes), 0) FROM graphs",
    "SELECT coalesce(sum(edges), 0) FROM graphs",
    "SELECT channel, count FROM notification_channels WHERE channel <> '' ORDER BY channel "
    "LIMIT " LISTED,
    QUEUES "SELECT name, CASE state WHEN 0 THEN 'active' WHEN 1 THEN 'paused' ELSE 'draining' END, "
           "1 FROM q",
    QUEUES JOBS_OF_STATES,
    QUEUES
    "SELECT name, max(0, :now - coalesce((SELECT min(coalesce(ready_at, (SELECT created_at FROM "
    "jobs AS j WHERE j.id = r.id))) FROM jobs AS r INDEXED BY jobs_ready WHERE queue = q.row_id "
    "AND state = 0), :now)) FROM q",
    QUEUES "SELECT name, CASE kind WHEN 0 THEN 'enqueued' WHEN 1 THEN 'claimed' WHEN 2 THEN "
           "'completed' WHEN 3 THEN 'failed' WHEN 4 THEN 'retried' WHEN 5 THEN 'died' WHEN 6 THEN "
           "'cancelled' ELSE 'expired' END, sum(count) FROM q CROSS JOIN queue_metrics AS m ON "
           "m.queue = q.row_id GROUP BY name, kind",
    "SELECT s.name, max(0, " STREAM_LAST " - s.trimmed_through - s.holes) FROM streams AS s ORDER "
    "BY s.name LIMIT " LISTED,
    "SELECT s.name, " STREAM_LAST " FROM streams AS s ORDER BY s.name LIMIT " LISTED,
    "SELECT s.name, c.name, CASE c.kind WHEN 1 THEN 'group' ELSE 'consumer' END, c.\"offset\" FROM "
    "stream_consumers AS c CROSS JOIN streams AS s ON s.row_id = c.stream ORDER BY c.stream, "
    "c.name LIMIT " LISTED,
    "SELECT s.name, c.name, CASE c.kind WHEN 1 THEN 'group' ELSE 'consumer' END, "
    "max(0, " STREAM_LAST
    " - c.\"offset\") FROM stream_consumers AS c CROSS JOIN streams AS s ON s.row_id = c.stream "
    "ORDER BY c.stream, c.name LIMIT " LISTED,
    "SELECT s.name, c.name, (SELECT count(*) FROM stream_pending AS p WHERE p.consumer = c.row_id) "
    "FROM stream_consumers AS c CROSS JOIN streams AS s ON s.row_id = c.stream WHERE c.kind = 1 "
    "ORDER BY c.stream, c.name LIMIT " LISTED,
    "SELECT count(*) FROM locks WHERE expires_at > :now",
    "SELECT name, fired FROM schedules ORDER BY name LIMIT " LISTED,
    "SELECT name, paused FROM schedules ORDER BY name LIMIT " LISTED,
    "SELECT name, next_at FROM schedules WHERE next_at IS NOT NULL ORDER BY name LIMIT " LISTED,
    "SELECT count(*) FROM brant_waiters",
    [HISTOGRAM] = QUEUES
    "SELECT name, bucket, sum(count), sum(sum) FROM q CROSS JOIN queue_metrics AS m ON m.queue = "
    "q.row_id WHERE kind = :kind GROUP BY name, bucket",
};
static const brant__statements statements = {BRANT__TABLE_PROMETHEUS, STATEMENT_COUNT, sql};

/* ---- lines ---------------------------------------------------------------------------------------------------------------- */

static void write_head(brant__buffer *out, const char *name, const char *type, const char *help) {
    brant__buffer_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_label(brant__buffer *out, char before, const char *name, brant__text value) {
    brant__buffer_format(out, "%c%s=\"", before, name);
    for (size_t i = 0; i < value.length; i++) {
        switch (value.data[i]) {
        case '\\':
            brant__buffer_append(out, "\\\\", 2);
            break;
        case '"':
            brant__buffer_append(out, "\\\"", 2);
            break;
        case '\n':
            brant__buffer_append(out, "\\n", 2);
            break;
        default:
            brant__buffer_append_byte(out, value.data[i]);
        }
    }
    brant__buffer_append_byte(out, '"');
}

static void write_seconds(brant__buffer *out, int64_t ms) {
    const unsigned long long size = ms < 0 ? 0ull - (unsigned long long)ms : (unsigned long long)ms;

    brant__buffer_format(out, "%s%llu.%03llu", ms < 0 ? "-" : "", size / 1000, size % 1000);
}

static brant_status write_family(brant__buffer *out, brant_db *db, size_t index) {
    brant__statement *statement = NULL;
    bool row;
    brant_status status;

    write_head(out, families[index].name, families[index].type, families[index].help);
    BRANT__TRY(brant__statement_get(&statement, db, &statements, index));
    if (strstr(sql[index], ":now")) brant__bind_integer(statement, 1, brant__db_now(db));
    for (;;) {
        int column = 0;
        BRANT__TRY(brant__step(&row, db, statement));
        if (!row) break;
        brant__buffer_format(out, "%s", families[index].name);
        for (; column < LABELS && families[index].labels[column]; column++)
            write_label(out, column ? ',' : '{', families[index].labels[column],
                        brant__column_text(statement, column));
        if (column > 0) brant__buffer_append_byte(out, '}');
        brant__buffer_append_byte(out, ' ');
        if (families[index].value == SECONDS)
            write_seconds(out, brant__column_integer(statement, column));
        else
            brant__buffer_format(out, "%lld", (long long)brant__column_integer(statement, column));
        brant__buffer_append_byte(out, '\n');
    }
cleanup:
    brant__reset(statement);
    return status;
}

/* ---- histograms --------------------------------------------------------------------------------------------------------------- */

typedef struct histogram {
    const char *name;
    brant__buffer queue;
    int64_t counts[BRANT__METRIC_BUCKETS];
    int64_t sum;
} histogram;

static void write_sample(brant__buffer *out, const histogram *self, const char *suffix) {
    brant__buffer_format(out, "%s%s", self->name, suffix);
    write_label(out, '{', "queue", brant__text_of(self->queue.data, self->queue.length));
}

static void write_histogram(brant__buffer *out, histogram *self) {
    int64_t total = 0, all = 0;

    if (self->queue.length == 0) return;
    for (int i = 0; i < BRANT__METRIC_BUCKETS; i++)
        all += self->counts[i];
    for (int i = 0; i < BUCKETS; i++) {
        total += self->counts[i];
        write_sample(out, self, "_bucket");
        brant__buffer_format(out, ",le=\"");
        write_seconds(out, INT64_C(1) << i);
        brant__buffer_format(out, "\"} %lld\n", (long long)total);
    }
    write_sample(out, self, "_bucket");
    brant__buffer_format(out, ",le=\"+Inf\"} %lld\n", (long long)all);
    write_sample(out, self, "_sum");
    brant__buffer_format(out, "} ");
    write_seconds(out, self->sum);
    brant__buffer_append_byte(out, '\n');
    write_sample(out, self, "_count");
    brant__buffer_format(out, "} %lld\n", (long long)all);
}

/* What was measured since the file began, by queue. */
static brant_status write_histograms(brant__buffer *out, brant_db *db, const char *name,
                                     const char *help, int kind) {
    histogram self = {.name = name};
    brant__statement *statement = NULL;
    bool row;
    brant_status status;

    write_head(out, name, "histogram", help);
    BRANT__TRY(brant__statement_get(&statement, db, &statements, HISTOGRAM));
    brant__bind_integer(statement, 1, kind);
    for (;;) {
        brant__text queue;
        int64_t bucket;
        BRANT__TRY(brant__step(&row, db, statement));
        if (!row) break;
        queue = brant__column_text(statement, 0);
        bucket = brant__column_integer(statement, 1);
        if (!brant__text_equal(
                queue, brant__text_of(self.queue.data ? self.queue.data : "", self.queue.length))) {
            write_histogram(out, &self);
            memset(self.counts, 0, sizeof(self.counts));
            self.sum = 0;
            brant__buffer_reset(&self.queue);
            brant__buffer_append(&self.queue, queue.data, queue.length);
            if (self.queue.failed) {
                status = brant__fail_memory();
                goto cleanup;
            }
        }
        if (bucket >= 0 && bucket < BRANT__METRIC_BUCKETS)
            self.counts[bucket] += brant__column_integer(statement, 2);
        self.sum += brant__column_integer(statement, 3);
    }
    write_histogram(out, &self);
cleanup:
    brant__reset(statement);
    brant__buffer_free(&self.queue);
    return status;
}

/* ---- the operation -------------------------------------------------------------------------------------------------------------- */

static void write_wal(brant__buffer *out, const brant_db *db) {
    brant__buffer name = {0};
    struct stat wal;

    brant__buffer_format(&name, "%s-wal", brant__db_path(db));
    brant__buffer_append_byte(&name, '\0');
    write_head(out, "brant_wal_bytes", "gauge", "Size of the write-ahead log");
    brant__buffer_format(out, "brant_wal_bytes %lld\n",
                         !brant__db_memory(db) && !name.failed && stat(name.data, &wal) == 0
                             ? (long long)wal.st_size
                             : 0);
    if (name.failed) out->failed = true;
    brant__buffer_free(&name);
}

brant_status brant__db_metrics(brant__call *call) {
    brant__buffer text = {0};
    brant_status status;

    write_head(&text, "brant_info", "gauge", "The version of the library, and the file's format");
    brant__buffer_format(&text, "brant_info{version=\"%s\",format=\"%d\"} 1\n", brant_version(),
                         BRANT__FORMAT);
    write_wal(&text, call->db);
    for (size_t i = 0; i < BRANT__COUNT(families); i++)
        BRANT__TRY(write_family(&text, call->db, i));
    BRANT__TRY(write_histograms(&text, call->db, "brant_queue_wait_seconds",
                                "From when a job was ready to its claim", BRANT__METRIC_CLAIMED));
    BRANT__TRY(write_histograms(&text, call->db, "brant_queue_run_seconds",
                                "From the claim of a job to its ack", BRANT__METRIC_COMPLETED));
    if (text.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    brant__write_object(call->out);
    brant__write_text_member(call->out, "text", brant__text_of(text.data, text.length));
    brant__write_end(call->out);
cleanup:
    brant__buffer_free(&text);
    return status;
}
