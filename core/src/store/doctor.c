/*
 * store/doctor.c: db.info, db.doctor and the tidying of db.maintain: what a file is and whether it is well.
 *
 * Each check is a query that yields one line of text per problem, so that a new rule of the format is a new row here.
 */
#include <sys/stat.h>

#include "store/handle.h"

/* ---- doctor ------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    const char *sql;
} checks[] = {
    {"sqlite_integrity",
     "PRAGMA integrity_check(100)"}, /* the one line "ok" when there is nothing to say */
    {"edge_ends", "SELECT 'edge ' || e.row_id || ' has no ' || CASE WHEN s.row_id IS NULL THEN "
                  "'source' ELSE 'target' END || ' in its graph'"
                  " FROM edges e LEFT JOIN nodes s ON s.row_id = e.source AND s.graph = e.graph"
                  " LEFT JOIN nodes t ON t.row_id = e.target AND t.graph = e.graph WHERE s.row_id "
                  "IS NULL OR t.row_id IS NULL LIMIT 100"},
    {"node_graphs", "SELECT 'node ' || quote(n.key) || ' belongs to no graph' FROM nodes n LEFT "
                    "JOIN graphs g ON g.row_id = n.graph"
                    " WHERE g.row_id IS NULL LIMIT 100"},
    {"graph_types", "SELECT 'graph ' || quote(g.name) || ' has no graph type' FROM graphs g LEFT "
                    "JOIN graph_types t ON t.row_id = g.graph_type"
                    " WHERE t.row_id IS NULL LIMIT 100"},
    {"node_types", "SELECT 'node ' || quote(n.key) || ' has a type that its graph type does not "
                   "define' FROM nodes n"
                   " JOIN graphs g ON g.row_id = n.graph LEFT JOIN node_types t ON t.row_id = "
                   "n.type AND t.graph_type = g.graph_type"
                   " WHERE n.type <> 0 AND t.row_id IS NULL LIMIT 100"},
    {"edge_types",
     "SELECT 'edge ' || e.row_id || ' has a type that its graph type does not define' FROM edges e"
     " JOIN graphs g ON g.row_id = e.graph LEFT JOIN edge_types t ON t.row_id = e.type AND "
     "t.graph_type = g.graph_type"
     " WHERE e.type <> 0 AND t.row_id IS NULL LIMIT 100"},
    {"counts", "SELECT 'graph ' || quote(g.name) || ' says ' || g.nodes || ' nodes and ' || "
               "g.edges || ' edges, and has ' || n || ' and ' || e"
               " FROM (SELECT g.*, (SELECT count(*) FROM nodes WHERE graph = g.row_id) AS n,"
               " (SELECT count(*) FROM nodes s JOIN edges e ON e.source = s.row_id WHERE s.graph = "
               "g.row_id) AS e FROM graphs g) g"
               " WHERE n <> nodes OR e <> edges LIMIT 100"},
    {"counts_by_type",
     "SELECT 'graph ' || c.graph || ' says ' || c.count || CASE c.kind WHEN 0 THEN ' nodes' ELSE ' "
     "edges' END || ' of type ' || c.type"
     " FROM graph_counts c WHERE c.count <> CASE c.kind"
     " WHEN 0 THEN (SELECT count(*) FROM nodes WHERE graph = c.graph AND type = c.type)"
     " ELSE (SELECT count(*) FROM nodes s JOIN edges e ON e.source = s.row_id WHERE s.graph = "
     "c.graph AND e.type = c.type) END LIMIT 100"},
    {"attributes",
     "SELECT 'node ' || quote(key) || ' has attributes that are not a JSON object' FROM nodes"
     " WHERE NOT json_valid(attributes) OR json_type(attributes) <> 'object' LIMIT 100"},
    {"edge_attributes",
     "SELECT 'edge ' || row_id || ' has attributes that are not a JSON object' FROM edges"
     " WHERE NOT json_valid(attributes) OR json_type(attributes) <> 'object' LIMIT 100"},
    {"attribute_indexes",
     "SELECT 'index ' || quote(i.name) || ' is of a type that is not there' FROM attribute_indexes "
     "i"
     " LEFT JOIN graph_types g ON g.row_id = i.graph_type WHERE g.row_id IS NULL OR i.type <> 0 AND"
     " CASE i.of WHEN 0 THEN NOT EXISTS (SELECT 1 FROM node_types WHERE row_id = i.type AND "
     "graph_type = i.graph_type)"
     " ELSE NOT EXISTS (SELECT 1 FROM edge_types WHERE row_id = i.type AND graph_type = "
     "i.graph_type) END"
     " UNION ALL SELECT 'index ' || quote(i.name) || ' lacks a part' FROM attribute_indexes i WHERE"
     " (SELECT count(*) FROM sqlite_schema WHERE name IN ('attribute_index_' || i.row_id, "
     "'attribute_text_' || i.row_id, 'attribute_text_' || i.row_id || '_rows', 'attribute_text_' "
     "|| i.row_id || '_insert', 'attribute_text_' || i.row_id || '_delete', 'attribute_text_' || "
     "i.row_id || '_update')) <> CASE i.kind WHEN 'text' THEN 5 ELSE 1 END LIMIT 100"},
    {"job_queues", "SELECT 'job ' || j.id || ' is of a queue that is not there' FROM jobs AS j "
                   "LEFT JOIN queues AS q ON q.row_id = j.queue WHERE q.row_id IS NULL LIMIT 100"},
    {"job_states",
     "SELECT 'job ' || id || ' is ' || CASE WHEN state NOT BETWEEN 0 AND 7 THEN 'of no state that "
     "there is' WHEN state < 2 AND waits > 0 THEN 'not blocked, and waits for others' WHEN state = "
     "1 AND run_at IS NULL THEN 'delayed until no time' WHEN state = 3 AND lease_until IS NULL "
     "THEN 'running without a lease' ELSE 'finished at no time' END FROM jobs WHERE state NOT "
     "BETWEEN 0 AND 7 OR state < 2 AND waits > 0 OR state = 1 AND run_at IS NULL OR state = 3 AND "
     "lease_until IS NULL OR state > 3 AND finished_at IS NULL LIMIT 100"},
    /* A blocked job has another of its key before it, or waits for others. */
    {"blocked_jobs",
     "SELECT 'job ' || j.id || ' is blocked by nothing' FROM jobs AS j WHERE j.state = 2 AND "
     "j.waits = 0 AND NOT EXISTS (SELECT 1 FROM jobs AS o WHERE o.queue = j.queue AND o.key = "
     "j.key AND o.state < 4 AND o.id <> j.id AND (o.state IN (0, 3) OR o.id < j.id)) LIMIT 100"},
    {"job_dependencies",
     "SELECT 'job ' || d.job || ' waits for others and is not there' FROM job_dependencies AS d "
     "LEFT JOIN jobs AS j ON j.id = d.job WHERE j.id IS NULL UNION ALL SELECT 'job ' || j.id || ' "
     "says that it waits for ' || j.waits || ' jobs, and waits for ' || (SELECT count(*) FROM "
     "job_dependencies AS d WHERE d.job = j.id) FROM jobs AS j WHERE j.waits <> (SELECT count(*) "
     "FROM job_dependencies AS d WHERE d.job = j.id) UNION ALL SELECT 'job ' || d.job || ' waits "
     "for job ' || d.after || ', which is finished' FROM job_dependencies AS d LEFT JOIN jobs AS a "
     "ON a.id = d.after WHERE (a.id IS NULL OR a.state > 3) AND NOT EXISTS (SELECT 1 FROM "
     "job_releases AS r WHERE r.after = d.after) LIMIT 100"},
    {"job_uniques",
     "SELECT 'the unique key of job ' || u.job || ' is held by nothing' FROM job_uniques AS u LEFT "
     "JOIN jobs AS j ON j.id = u.job WHERE u.until IS NULL AND (j.id IS NULL OR j.state > 3) LIMIT "
     "100"},
    {"consumers",
     "SELECT 'consumer ' || quote(c.name) || CASE WHEN s.row_id IS NULL THEN ' is of a stream that "
     "is not there' ELSE ' is before the beginning of its stream' END FROM stream_consumers AS c "
     "LEFT JOIN streams AS s ON s.row_id = c.stream WHERE s.row_id IS NULL OR c.\"offset\" < 0 "
     "LIMIT 100"},
    {"pending_events",
     "SELECT 'an event at offset ' || p.\"offset\" || ' is pending ' || CASE WHEN c.row_id IS NULL "
     "THEN 'for a group that is not there' ELSE 'and was handed to no member of group ' || "
     "quote(c.name) END FROM stream_pending AS p LEFT JOIN stream_consumers AS c ON c.row_id = "
     "p.consumer WHERE c.row_id IS NULL OR p.\"offset\" >= c.next LIMIT 100"},
    /* Whether the rows are what was written audit.verify says, which has the key. */
    {"audit_log",
     "SELECT 'the audit log lacks rows before ' || l.seq FROM brant_audit_logs AS l WHERE l.seq <> "
     "coalesce((SELECT seq FROM brant_audit_anchors WHERE name = 'base'), 0) + 1 AND NOT EXISTS "
     "(SELECT 1 FROM brant_audit_logs AS p WHERE p.seq = l.seq - 1) UNION ALL SELECT 'the audit "
     "log ends at ' || last || ' and should at ' || head FROM (SELECT coalesce((SELECT max(seq) "
     "FROM brant_audit_logs), (SELECT seq FROM brant_audit_anchors WHERE name = 'base'), 0) AS "
     "last, coalesce((SELECT seq FROM brant_audit_anchors WHERE name = 'head'), 0) AS head) WHERE "
     "last <> head UNION ALL SELECT 'the audit log lacks the guard ' || g.column1 FROM (VALUES "
     "('insert'), ('update'), ('delete')) AS g WHERE NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE "
     "type = 'trigger' AND tbl_name = 'brant_audit_logs' AND name = 'brant_audit_logs_' || "
     "g.column1) LIMIT 100"},
};

static void write_problem(bool *out_ok, brant__call *call, const char *text, size_t length) {
    const bool readable = text && brant__utf8_check(text, length) == SIZE_MAX;
    brant__write_text(call->out, readable ? brant__text_of(text, length)
                                          : BRANT__TEXT("a problem whose text is damaged"));
    *out_ok = false;
}

static void begin_check(brant__call *call, const char *name) {
    brant__write_object(call->out);
    brant__write_text_member(call->out, "name", brant__text_string(name));
    brant__write_name(call->out, "problems");
    brant__write_array(call->out);
}

static void end_check(bool *out_ok, brant__call *call, bool ok) {
    brant__write_end(call->out);
    brant__write_bool_member(call->out, "ok", ok);
    brant__write_end(call->out);
    *out_ok = *out_ok && ok;
}

/* A damaged file may fail the query itself: that is a finding, not a failure of the doctor. */
static brant_status judge(bool *out_ok, brant__call *call, int code) {
    const brant_status status = brant__sqlite_status(code);
    if (status != BRANT_CORRUPT && status != BRANT_IO && status != BRANT_INTERNAL)
        return brant__sqlite_fail(call->db, code, "checking the file");
    const char *message = sqlite3_errmsg(call->db->sqlite);
    write_problem(out_ok, call, message, strlen(message));
    return BRANT_OK;
}

static brant_status run_check(bool *out_ok, brant__call *call, size_t index) {
    brant_db *db = call->db;
    sqlite3_stmt *statement = NULL;
    begin_check(call, checks[index].name);
    bool ok = true;
    int code = sqlite3_prepare_v2(db->sqlite, checks[index].sql, -1, &statement, NULL);
    while (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(statement, 0);
        code = SQLITE_OK;
        if (index == 0 && text && strcmp(text, "ok") == 0) continue;
        write_problem(&ok, call, text, (size_t)sqlite3_column_bytes(statement, 0));
    }
    const brant_status status = code == SQLITE_DONE ? BRANT_OK : judge(&ok, call, code);
    sqlite3_finalize(statement);
    end_check(out_ok, call, ok);
    return status;
}

/* Are the rows of one index of text those of its view? And, where the file can be written, its words: FTS5 compares them by a command. */
static brant_status check_text_index(bool *out_ok, brant__call *call, sqlite3_int64 index) {
    brant_db *db = call->db;
    sqlite3_stmt *statement = NULL;
    char sql[640];
    sqlite3_snprintf(sizeof sql, sql,
                     "SELECT (SELECT count(*) FROM (SELECT row_id FROM attribute_text_%lld_rows "
                     "EXCEPT SELECT id FROM attribute_text_%lld_docsize)) + (SELECT count(*) FROM "
                     "(SELECT id FROM attribute_text_%lld_docsize EXCEPT SELECT row_id FROM "
                     "attribute_text_%lld_rows))",
                     index, index, index, index);
    int code = sqlite3_prepare_v2(db->sqlite, sql, -1, &statement, NULL);
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    if (code == SQLITE_ROW && sqlite3_column_int64(statement, 0) > 0) {
        sqlite3_snprintf(sizeof sql, sql, "index of text %lld: %lld rows differ", index,
                         sqlite3_column_int64(statement, 0));
        write_problem(out_ok, call, sql, strlen(sql));
    }
    sqlite3_finalize(statement);
    if (code != SQLITE_ROW) return judge(out_ok, call, code);
    if (db->options.mode == BRANT__MODE_RO || (db->depth > 1 && db->mode == BRANT__READ))
        return BRANT_OK; /* nor does a reader's transaction become a writer's */
    sqlite3_snprintf(sizeof sql, sql,
                     "INSERT INTO attribute_text_%lld(attribute_text_%lld,rank) "
                     "VALUES('integrity-check',1)",
                     index, index);
    code = sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL);
    /* Somebody else writes: the words are left to the next time. */
    if (brant__sqlite_status(code) == BRANT_BUSY || brant__sqlite_status(code) == BRANT_READ_ONLY)
        return BRANT_OK;
    return code == SQLITE_OK ? BRANT_OK : judge(out_ok, call, code);
}

static brant_status check_text_indexes(bool *out_ok, brant__call *call) {
    brant_db *db = call->db;
    sqlite3_stmt *statement = NULL;
    brant_status status = BRANT_OK;
    bool ok = true;
    begin_check(call, "text_indexes");
    int code = sqlite3_prepare_v2(db->sqlite,
                                  "SELECT row_id FROM attribute_indexes WHERE kind = 'text' AND "
                                  "EXISTS (SELECT 1 FROM sqlite_schema WHERE name = "
                                  "'attribute_text_' || row_id || '_rows') ORDER BY row_id",
                                  -1, &statement, NULL);
    while (status == BRANT_OK && code == SQLITE_OK &&
           (code = sqlite3_step(statement)) == SQLITE_ROW) {
        code = SQLITE_OK;
        status = check_text_index(&ok, call, sqlite3_column_int64(statement, 0));
    }
    if (status == BRANT_OK && code != SQLITE_DONE) status = judge(&ok, call, code);
    sqlite3_finalize(statement);
    end_check(out_ok, call, ok);
    return status;
}

/* integrity_check takes what FTS5 remembers of an index that another connection has changed since for damage: let FTS5 look anew first. */
static brant_status refresh_text_indexes(brant_db *db) {
    sqlite3_stmt *statement = NULL;
    int code =
        sqlite3_prepare_v2(db->sqlite,
                           "SELECT format('SELECT 1 FROM \"%w\" WHERE rowid = 0', name) FROM "
                           "sqlite_schema WHERE type = 'table' AND sql LIKE "
                           "'CREATE VIRTUAL TABLE%USING%fts5%'",
                           -1, &statement, NULL);
    while (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(statement, 0);
        code = SQLITE_OK;
        /* What is damaged is told by the checks. */
        if (text) sqlite3_exec(db->sqlite, text, NULL, NULL, NULL);
    }
    sqlite3_finalize(statement);
    return brant__db_poll(db);
}

brant_status brant__db_doctor(brant__call *call) {
    brant_status status = BRANT_OK;
    bool ok = true;
    brant__write_object(call->out);
    brant__write_name(call->out, "checks");
    brant__write_array(call->out);
    BRANT__TRY(refresh_text_indexes(call->db));
    for (size_t i = 0; i < BRANT__COUNT(checks); i++)
        BRANT__TRY(run_check(&ok, call, i));
    BRANT__TRY(check_text_indexes(&ok, call));
    brant__write_end(call->out);
    brant__write_bool_member(call->out, "ok", ok);
    brant__write_end(call->out);
cleanup:
    return status;
}

/* ---- info ------------------------------------------------------------------------------------------------------------ */

static void write_name_text(brant__writer *out, const char *name, const char *value) {
    brant__write_text_member(out, name, brant__text_string(value));
}

static const struct {
    const char *name;
    const char *sql;
} facts[] = {
    {"format", "PRAGMA user_version"},
    {"page_size", "PRAGMA page_size"},
    {"pages", "PRAGMA page_count"},
    {"graphs", "SELECT count(*) FROM graphs"},
    {"nodes", "SELECT coalesce(sum(nodes), 0) FROM graphs"},
    {"edges", "SELECT coalesce(sum(edges), 0) FROM graphs"},
    {"queues", "SELECT count(*) FROM queues"},
    {"jobs", "SELECT count(*) FROM jobs"},
    {"streams", "SELECT count(*) FROM streams"},
    {"events", "SELECT count(*) FROM stream_events"},
    {"locks", "SELECT count(*) FROM locks"},
    {"schedules", "SELECT count(*) FROM schedules"},
    {"created_at", "SELECT CAST(value AS INTEGER) FROM brant_meta WHERE name = 'created_at'"},
};

brant_status brant__db_info(brant__call *call) {
    brant_db *db = call->db;
    brant_status status = BRANT_OK;
    int64_t page_size = 0, pages = 0;
    struct stat wal;
    brant__buffer name = {0};
    brant__write_object(call->out);
    write_name_text(call->out, "path", db->path);
    write_name_text(call->out, "role", brant__role_names[db->options.role]);
    write_name_text(call->out, "mode", brant__mode_names[db->options.mode]);
    write_name_text(call->out, "durability", db->options.full ? "full" : "normal");
    write_name_text(call->out, "version", brant_version());
    write_name_text(call->out, "sqlite_version", sqlite3_libversion());
    for (size_t i = 0; i < BRANT__COUNT(facts); i++) {
        int64_t value = 0;
        BRANT__TRY(brant__db_integer(&value, db, facts[i].sql));
        if (strcmp(facts[i].name, "page_size") == 0) page_size = value;
        if (strcmp(facts[i].name, "pages") == 0) pages = value;
        brant__write_integer_member(call->out, facts[i].name, value);
    }
    brant__write_integer_member(call->out, "size", page_size * pages);
    brant__buffer_format(&name, "%s-wal", db->path);
    brant__buffer_append_byte(&name, '\0');
    brant__write_integer_member(
        call->out, "wal_size",
        !db->memory && !name.failed && stat(name.data, &wal) == 0 ? (int64_t)wal.st_size : 0);
    brant__write_end(call->out);
cleanup:
    brant__buffer_free(&name);
    return status;
}

/* ---- scrubbing --------------------------------------------------------------------------------------------------------- */

static int stop_scrubbing(void *context) {
    if (brant__db_poll(context) == BRANT_OK) return 0;
    brant__error_code();
    return 1;
}

/*
 * Full-text indexes forget deleted words at once (their secure-delete). secure_delete overwrites what is deleted where it stands, but not the copies that stay behind in a page when cells move to another: only a new
 * file has none. By a connection of its own, since ours keeps temporary tables in memory, and a whole database does not belong there.
 */
static bool rewrite_file(brant_db *db) {
    sqlite3 *other = NULL;
    int length = 0, done = 0;
    int code = sqlite3_open_v2(db->path, &other, SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE, NULL);
    if (code == SQLITE_OK) {
        sqlite3_busy_timeout(other, (int)db->options.busy_timeout);
        sqlite3_progress_handler(other, 10000, stop_scrubbing, db);
        code = sqlite3_exec(other, "PRAGMA secure_delete=ON; PRAGMA synchronous=NORMAL; VACUUM",
                            NULL, NULL, NULL);
    }
    if (code == SQLITE_OK)
        code = sqlite3_wal_checkpoint_v2(other, NULL, SQLITE_CHECKPOINT_TRUNCATE, &length, &done);
    sqlite3_close_v2(other);
    return code == SQLITE_OK;
}

void brant__db_scrub(bool *out_clean, brant_db *db) {
    *out_clean = db->memory || rewrite_file(db);
}

/* ---- maintenance ------------------------------------------------------------------------------------------------------- */

brant_status brant__db_tidy(int64_t *out_wal_pages, brant_db *db) {
    brant_status status = BRANT_OK;
    int length = 0, done = 0;
    *out_wal_pages = 0;
    if (!db->memory && !db->host) BRANT__TRY(brant__descriptor_guard(db->path));
    BRANT__TRY(brant__execute(db, "PRAGMA analysis_limit=1000; PRAGMA optimize"));
    if (!db->memory) {
        /* A reader may hold it back: then the rest is left to the next time. */
        sqlite3_wal_checkpoint_v2(db->sqlite, NULL, SQLITE_CHECKPOINT_PASSIVE, &length, &done);
        *out_wal_pages = length > done ? length - done : 0;
    }
cleanup:
    return status;
}
