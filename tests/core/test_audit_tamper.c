#define _GNU_SOURCE
/*
 * tests/core/test_audit_tamper.c: what audit.verify finds out about a log that somebody changed who can write the file and has not the key.
 */
#include "support_audit.h"

#define ROWS 20

/* ---- judging ------------------------------------------------------------------------------------------ */

typedef struct verdict {
    bool ok;
    int64_t rows;
    size_t problems;
    int64_t first; /* seq of the first problem */
    char text[256];
} verdict;

static verdict verify(brant_db *db, const char *input) {
    verdict out = {0};
    brant__json json = {0};
    char *answer = must_call(db, "audit.verify", input, NULL);
    assert_int_equal(brant__json_parse(&json, TEXT(answer), 0), BRANT_OK);
    yyjson_val *problems = brant__json_get(json.root, "problems"),
               *problem = yyjson_arr_get_first(problems);
    out.ok = brant__json_bool(brant__json_get(json.root, "ok"), false);
    out.rows = brant__json_integer(brant__json_get(json.root, "rows"), -1);
    out.problems = yyjson_arr_size(problems);
    out.first = brant__json_integer(brant__json_get(problem, "seq"), -1);
    const brant__text text = brant__json_get_text(problem, "problem");
    snprintf(out.text, sizeof out.text, "%.*s", (int)text.length, text.data ? text.data : "");
    assert_int_equal(out.ok, out.problems == 0);
    brant__json_free(&json);
    brant_free(answer);
    return out;
}

static void is_found(brant_db *db, const char *input, const char *what, int64_t seq,
                     const char *text) {
    const verdict found = verify(db, input);
    if (found.ok) fail_msg("%s: not found", what);
    if (seq && found.first != seq)
        fail_msg("%s: found at %lld: %s", what, (long long)found.first, found.text);
    if (text && !strstr(found.text, text)) fail_msg("%s: %s", what, found.text);
}

static void is_well(brant_db *db, const char *input, int64_t rows) {
    const verdict found = verify(db, input);
    if (!found.ok) fail_msg("row %lld: %s", (long long)found.first, found.text);
    assert_int_equal(found.rows, rows);
}

/* {"checkpoint": ..} as audit.verify takes it; the caller frees it. */
static char *checkpoint_of(brant_db *db) {
    char *out = NULL, *answer = must_call(db, "audit.checkpoint", "", NULL);
    assert_true(asprintf(&out, "{\"checkpoint\":%s}", answer) > 0);
    brant_free(answer);
    return out;
}

/* ---- what one can do by SQL --------------------------------------------------------------------------- */

#define COPIED                                                                                     \
    "id, org_id, actor_type, actor_id, action, resource, detail, metadata, created_at, "           \
    "key_version, hash"

static const struct {
    const char *what, *sql;
    int64_t seq; /* where it is found */
    const char *problem;
} tamperings[] = {
    {"edit", "UPDATE brant_audit_logs SET action = 'x' WHERE seq = 5", 5, "is not what was"},
    {"edit the first", "UPDATE brant_audit_logs SET detail = '{}' WHERE seq = 1", 1, NULL},
    {"edit the last", "UPDATE brant_audit_logs SET detail = '{}' WHERE seq = 20", 20, NULL},
    {"hide a person", "UPDATE brant_audit_logs SET actor_id = NULL WHERE seq = 5", 5, NULL},
    {"empty for none", "UPDATE brant_audit_logs SET org_id = '' WHERE seq = 5", 5, NULL},
    {"of another organisation", "UPDATE brant_audit_logs SET org_id = 'org-2' WHERE seq = 6", 6,
     NULL},
    {"another time", "UPDATE brant_audit_logs SET created_at = created_at + 1 WHERE seq = 9", 9,
     NULL},
    {"another key", "UPDATE brant_audit_logs SET key_version = 2 WHERE seq = 9", 9, NULL},
    {"no key", "UPDATE brant_audit_logs SET key_version = 0 WHERE seq = 9", 9, "a column"},
    {"text between columns",
     "UPDATE brant_audit_logs SET action = action || substr(resource, 1, 1), resource = "
     "substr(resource, 2) WHERE seq = 7",
     7, NULL},
    {"another hash", "UPDATE brant_audit_logs SET hash = randomblob(32) WHERE seq = 5", 5, NULL},
    {"a short hash", "UPDATE brant_audit_logs SET hash = x'00' WHERE seq = 5", 5, "a column"},
    {"the hash of the row before",
     "UPDATE brant_audit_logs SET hash = (SELECT hash FROM brant_audit_logs WHERE seq = 4) WHERE "
     "seq = 5",
     5, NULL},
    {"delete", "DELETE FROM brant_audit_logs WHERE seq = 5", 5, "the row is missing"},
    {"delete several", "DELETE FROM brant_audit_logs WHERE seq BETWEEN 5 AND 9", 5,
     "the rows up to 9 are missing"},
    {"delete the first", "DELETE FROM brant_audit_logs WHERE seq = 1", 1, "missing"},
    {"delete the first, and say that it was pruned",
     "DELETE FROM brant_audit_logs WHERE seq = 1; INSERT INTO brant_audit_anchors SELECT 'base', "
     "1, hash, key_version, mac, updated_at FROM brant_audit_anchors WHERE name = 'head'",
     1, "base anchor is not authentic"},
    {"cut the tail", "DELETE FROM brant_audit_logs WHERE seq > 15", 16,
     "the rows up to 20 are missing: the log was cut off"},
    {"cut the last", "DELETE FROM brant_audit_logs WHERE seq = 20", 20, "cut off"},
    {"cut the tail, and change the head",
     "DELETE FROM brant_audit_logs WHERE seq > 15; UPDATE brant_audit_anchors SET seq = 15, hash "
     "= (SELECT hash FROM brant_audit_logs WHERE seq = 15)",
     15, "head anchor is not authentic"},
    {"cut the tail, and the head",
     "DELETE FROM brant_audit_logs WHERE seq > 15; DELETE FROM brant_audit_anchors", 15,
     "head anchor is missing"},
    {"delete all rows", "DELETE FROM brant_audit_logs", 1, "cut off"},
    {"delete, and close the gap",
     "DELETE FROM brant_audit_logs WHERE seq = 5; UPDATE brant_audit_logs SET seq = -seq WHERE seq "
     "> 5; UPDATE brant_audit_logs SET seq = -seq - 1 WHERE seq < 0; UPDATE brant_audit_anchors "
     "SET seq = 19",
     19, "head anchor is not authentic"},
    {"delete, close the gap, and leave the head",
     "DELETE FROM brant_audit_logs WHERE seq = 5; UPDATE brant_audit_logs SET seq = -seq WHERE seq "
     "> 5; UPDATE brant_audit_logs SET seq = -seq - 1 WHERE seq < 0",
     5, "is not what was"},
    {"two change places",
     "UPDATE brant_audit_logs SET seq = -5 WHERE seq = 5; UPDATE brant_audit_logs SET seq = 5 "
     "WHERE seq = 9; UPDATE brant_audit_logs SET seq = 9 WHERE seq = -5",
     5, NULL},
    {"two change what they say, and keep their hashes",
     "CREATE TABLE x AS SELECT * FROM brant_audit_logs; UPDATE brant_audit_logs SET (action, "
     "resource, detail) = (SELECT action, resource, detail FROM x WHERE x.seq = 14 - "
     "brant_audit_logs.seq) WHERE seq IN (5, 9)",
     5, NULL},
    {"replace by an earlier one",
     "INSERT OR REPLACE INTO brant_audit_logs SELECT 9, " COPIED
     " FROM brant_audit_logs WHERE seq = 3",
     9, NULL},
    {"add one behind the last",
     "INSERT INTO brant_audit_logs SELECT 21, " COPIED " FROM brant_audit_logs WHERE seq = 3", 21,
     NULL},
    {"add one before the first",
     "INSERT INTO brant_audit_logs SELECT 0, " COPIED " FROM brant_audit_logs WHERE seq = 3", 0,
     "before the log's beginning"},
    {"add one far before",
     "INSERT INTO brant_audit_logs SELECT -9, " COPIED " FROM brant_audit_logs WHERE seq = 3", -9,
     "before the log's beginning"},
    {"put one in between",
     "UPDATE brant_audit_logs SET seq = -seq WHERE seq > 5; UPDATE brant_audit_logs SET seq = 1 - "
     "seq WHERE seq < 0; INSERT INTO brant_audit_logs SELECT 6, " COPIED
     " FROM brant_audit_logs WHERE seq = 3",
     6, NULL},
    {"an older head", "UPDATE brant_audit_anchors SET updated_at = updated_at - 1", 20,
     "head anchor is not authentic"},
    {"another head",
     "UPDATE brant_audit_anchors SET hash = (SELECT hash FROM brant_audit_logs WHERE seq = 19), "
     "seq = 19",
     19, "head anchor is not authentic"},
    {"a head of another key", "UPDATE brant_audit_anchors SET key_version = 2", 20,
     "head anchor is not authentic"},
    {"a head without a mac", "UPDATE brant_audit_anchors SET mac = x''", 20,
     "head anchor is not authentic"},
    {"the head as a base",
     "INSERT INTO brant_audit_anchors SELECT 'base', seq, hash, key_version, mac, updated_at FROM "
     "brant_audit_anchors; DELETE FROM brant_audit_logs",
     20, "base anchor is not authentic"},
    {"a file of another id",
     "UPDATE brant_meta SET value = 'x' || substr(value, 2) WHERE name = "
     "'id'",
     20, "head anchor is not authentic"},
    /* The same bytes, but no text. */
    {"another type",
     "CREATE TABLE y AS SELECT * FROM brant_audit_logs; DROP TABLE brant_audit_logs; CREATE TABLE "
     "brant_audit_logs (seq INTEGER PRIMARY KEY, id, org_id, actor_type, actor_id, action, "
     "resource, detail, metadata, created_at, key_version, hash); INSERT INTO brant_audit_logs "
     "SELECT * FROM y; UPDATE brant_audit_logs SET detail = CAST(detail AS BLOB) WHERE seq = 8",
     8, "a column"},
};

static char *copy_file(const char *folder, const char *from, const char *to) {
    char *command = NULL, *path = NULL;
    assert_true(asprintf(&path, "%s/%s", folder, to) > 0);
    assert_true(asprintf(&command, "cp %s/%s %s", folder, from, path) > 0);
    assert_int_equal(system(command), 0);
    free(command);
    return path;
}

static void by_itself(void **state) {
    brant_db *db = must_open_audited(in_folder(*state, "a.db"));
    must_append(db, ROWS);
    is_well(db, "", ROWS);
    brant_db_free(db);
    for (size_t i = 0; i < BRANT__COUNT(tamperings); i++) {
        char *path = copy_file(*state, "a.db", "b.db");
        if (!other_program(path, false, tamperings[i].sql)) fail_msg("%s", tamperings[i].what);
        db = must_open(path, "");
        must_load(db, AUDIT_2);
        is_found(db, "", tamperings[i].what, tamperings[i].seq, tamperings[i].problem);
        brant_db_free(db);
        unlink(path);
        free(path);
    }
}

/* An unkeyed hash of the changed row, and of all behind it, is none of ours. */
static void a_chain_without_the_key(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open_audited(path);
    uint8_t previous[BRANT__HASH_SIZE];
    must_append(db, ROWS);
    for (int64_t seq = 5; seq <= ROWS; seq++) {
        brant__statement *statement = NULL;
        brant__audit_row row;
        brant__audit_number number, time, version;
        brant__text file;
        bool found = false;
        char sql[512], hex[2 * BRANT__HASH_SIZE + 1];
        assert_int_equal(brant__enter(db), BRANT_OK);
        assert_int_equal(brant__file_id(&file, db), BRANT_OK);
        if (seq == 5) {
            assert_int_equal(brant__audit_find(&found, &row, &statement, db, 4), BRANT_OK);
            memcpy(previous, row.hash.data, sizeof previous);
            brant__reset(statement);
        }
        assert_int_equal(brant__audit_find(&found, &row, &statement, db, seq), BRANT_OK);
        if (seq == 5) row.action = BRANT__TEXT("harmless");
        const brant__text parts[] = {BRANT__TEXT("brant audit 1"),
                                     file,
                                     {(const char *)previous, sizeof previous},
                                     brant__audit_number_of(&number, seq),
                                     row.id,
                                     row.org_id,
                                     row.actor_type,
                                     row.actor_id,
                                     row.action,
                                     row.resource,
                                     row.detail,
                                     row.metadata,
                                     brant__audit_number_of(&time, row.created_at),
                                     brant__audit_number_of(&version, row.key_version)};
        brant__plain_hash(previous, parts, BRANT__COUNT(parts));
        brant__reset(statement);
        brant__leave(db);
        for (size_t i = 0; i < sizeof previous; i++)
            snprintf(hex + 2 * i, 3, "%02x", previous[i]);
        snprintf(sql, sizeof sql, "UPDATE brant_audit_logs SET %shash = x'%s' WHERE seq = %lld",
                 seq == 5 ? "action = 'harmless', " : "", hex, (long long)seq);
        assert_true(other_program(path, false, sql));
    }
    is_found(db, "", "an unkeyed chain", 5, "is not what was written");
    brant_db_free(db);
}

/* Rows that were cut off stay missing, whatever is added. */
static void a_cut_tail_stays(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open_audited(path);
    must_append(db, ROWS);
    assert_true(other_program(path, false, "DELETE FROM brant_audit_logs WHERE seq > 15"));
    must_append(db, 2);
    is_found(db, "", "a cut tail", 16, "the rows up to 20 are missing");
    /* And rows behind the head keep others from being added. */
    assert_true(other_program(path, false,
                              "INSERT INTO brant_audit_logs SELECT 23, " COPIED
                              " FROM brant_audit_logs WHERE seq = 3"));
    assert_int_equal(append_row(db, "a.b", NULL, NULL, NULL, NULL), BRANT_CORRUPT);
    must_fail(db, "audit.checkpoint", "", BRANT_CORRUPT, "audit.verify");
    brant_db_free(db);
}

/* ---- from another file -------------------------------------------------------------------------------- */

#define ATTACH "ATTACH '%s' AS o; "

static void splice(const char *path, const char *other, const char *sql) {
    char text[4096];
    const int length = snprintf(text, sizeof text, ATTACH, other);
    snprintf(text + length, sizeof text - (size_t)length, "%s", sql);
    assert_true(other_program(path, false, text));
}

static void rows_of_another_file(void **state) {
    static const struct {
        const char *what, *sql;
        int64_t seq;
    } cases[] = {
        {"a row",
         "INSERT OR REPLACE INTO brant_audit_logs SELECT * FROM o.brant_audit_logs WHERE "
         "seq = 7",
         7},
        {"the last row",
         "INSERT OR REPLACE INTO brant_audit_logs SELECT * FROM o.brant_audit_logs "
         "WHERE seq = 20",
         20},
        {"all rows",
         "DELETE FROM brant_audit_logs; INSERT INTO brant_audit_logs SELECT * FROM "
         "o.brant_audit_logs",
         1},
        {"the head",
         "INSERT OR REPLACE INTO brant_audit_anchors SELECT * FROM "
         "o.brant_audit_anchors",
         20},
        {"all",
         "DELETE FROM brant_audit_logs; INSERT INTO brant_audit_logs SELECT * FROM "
         "o.brant_audit_logs; INSERT OR REPLACE INTO brant_audit_anchors SELECT * FROM "
         "o.brant_audit_anchors",
         20},
    };
    const char *other = in_folder(*state, "o.db");
    brant_db *db = must_open_audited(in_folder(*state, "a.db"));
    must_append(db, ROWS);
    char *checkpoint = checkpoint_of(db);
    brant_db_free(db);
    db = must_open_audited(other);
    must_append(db, ROWS);
    brant_db_free(db);
    for (size_t i = 0; i < BRANT__COUNT(cases); i++) {
        char *path = copy_file(*state, "a.db", "b.db");
        splice(path, other, cases[i].sql);
        db = must_open_audited(path);
        is_found(db, "", cases[i].what, cases[i].seq, NULL);
        is_found(db, checkpoint, cases[i].what, cases[i].seq, NULL);
        brant_db_free(db);
        unlink(path);
        free(path);
    }
    /* With its id as well, it is the other file: only what was kept elsewhere can tell. */
    char *path = copy_file(*state, "o.db", "b.db");
    db = must_open_audited(path);
    is_well(db, "", ROWS);
    is_found(db, checkpoint, "another file", ROWS, "of another file");
    brant_db_free(db);
    free(path);
    free(checkpoint);
}

/* ---- an older copy of itself -------------------------------------------------------------------------- */

static void a_rolled_back_file(void **state) {
    const char *path = in_folder(*state, "a.db"), *old = in_folder(*state, "old.db");
    char json[4200];
    brant_db *db = must_open_audited(path);
    must_append(db, 10);
    char *early = checkpoint_of(db);
    snprintf(json, sizeof json, "{\"path\":\"%s\"}", old);
    must(db, "db.backup", json, NULL);
    must_append(db, 10);
    char *late = checkpoint_of(db);
    is_well(db, early, 20);
    is_well(db, late, 20);
    /* The tail is cut off, and both anchors are put back as they were. */
    splice(path, old,
           "DELETE FROM brant_audit_logs WHERE seq > 10; DELETE FROM brant_audit_anchors; "
           "INSERT INTO brant_audit_anchors SELECT * FROM o.brant_audit_anchors");
    is_well(db, "", 10);
    is_well(db, early, 10);
    is_found(db, late, "a cut tail", 20, "is an older one");
    /* Going on does not hide it, not even behind the checkpoint. */
    must_append(db, 15);
    is_well(db, "", 25);
    is_well(db, early, 25);
    is_found(db, late, "a tail that was cut and goes on", 20, "another than the checkpoint says");
    /* The whole file is. */
    must(db, "db.restore", json, NULL);
    is_well(db, "", 10);
    is_well(db, early, 10);
    is_found(db, late, "a restored file", 20, "is an older one");
    must_append(db, 3);
    is_well(db, early, 13);
    must_be_well(db);
    brant_db_free(db);
    free(early);
    free(late);
}

/* All of the log is gone, as if there had never been one. */
static void an_emptied_log(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open_audited(path);
    char *empty = checkpoint_of(db);
    must_append(db, 3);
    char *checkpoint = checkpoint_of(db);
    is_well(db, empty, 3);
    assert_true(other_program(path, false,
                              "DELETE FROM brant_audit_logs; DELETE FROM brant_audit_anchors"));
    is_well(db, "", 0);
    is_well(db, empty, 0);
    is_found(db, checkpoint, "an emptied log", 3, "cut off");
    brant_db_free(db);
    free(empty);
    free(checkpoint);
}

/* Two copies that both go on: each is well, and none is the other. */
static void two_copies(void **state) {
    const char *other = in_folder(*state, "b.db");
    char json[4200];
    brant_db *db = must_open_audited(in_folder(*state, "a.db"));
    must_append(db, 5);
    snprintf(json, sizeof json, "{\"path\":\"%s\"}", other);
    must(db, "db.backup", json, NULL);
    brant_db *copy = must_open_audited(other);
    must_append(db, 5);
    must_append(copy, 5);
    char *here = checkpoint_of(db), *there = checkpoint_of(copy);
    is_well(db, here, 10);
    is_well(copy, there, 10);
    is_found(db, there, "a copy's checkpoint", 10, "another than the checkpoint says");
    is_found(copy, here, "a copy's checkpoint", 10, "another than the checkpoint says");
    /* Even where one has the rows of the other. */
    brant_db_free(copy);
    splice(other, in_folder(*state, "a.db"),
           "DELETE FROM brant_audit_logs WHERE seq > 7; INSERT INTO brant_audit_logs SELECT * FROM "
           "o.brant_audit_logs WHERE seq > 7");
    copy = must_open_audited(other);
    is_found(copy, "", "rows of a copy", 8, NULL);
    brant_db_free(copy);
    brant_db_free(db);
    free(here);
    free(there);
}

/* A checkpoint that somebody made up, or changed. */
static void checkpoints_are_judged(void **state) {
    brant_db *db = must_open_audited(in_folder(*state, "a.db"));
    char input[1024];
    must_append(db, 3);
    char *checkpoint = checkpoint_of(db);
    is_well(db, checkpoint, 3);
    char *seq = strstr(checkpoint, "\"seq\":3");
    assert_non_null(seq);
    seq[6] = '2';
    is_found(db, checkpoint, "a changed checkpoint", 2, "the checkpoint is not authentic");
    seq[6] = '3';
    char *mac = strstr(checkpoint, "\"mac\":\"") + 7;
    *mac = *mac == 'A' ? 'B' : 'A';
    is_found(db, checkpoint, "a changed mac", 3, "the checkpoint is not authentic");
    free(checkpoint);
    must_fail(db, "audit.verify",
              "{\"checkpoint\":{\"seq\":1,\"hash\":\"" KEY_1 "\",\"mac\":"
              "\"" KEY_1 "\"}}",
              BRANT_INVALID, "/checkpoint must have both");
    snprintf(input, sizeof input, "{\"checkpoints\":[{\"seq\":1,\"hash\":\"%.42s*\"}]}", KEY_1);
    must_fail(db, "audit.verify", input, BRANT_INVALID, "/checkpoints/0/hash");
    is_found(db,
             "{\"checkpoints\":[{\"seq\":1,\"hash\":\"" KEY_1 "\"},{\"seq\":2,\"hash\":"
             "\"" KEY_1 "\"}]}",
             "made up", 1, "another than");
    brant_db_free(db);
}

/* ---- everything --------------------------------------------------------------------------------------- */

static void run_sql(brant_db *db, const char *sql) {
    assert_int_equal(brant__enter(db), BRANT_OK);
    if (brant__execute(db, sql) != BRANT_OK) fail_msg("%s: %s", sql, brant_last_error()->message);
    brant__leave(db);
}

/* Inside a transaction that is taken back in the end, since a process for each change would take minutes. */
static brant_db *open_unguarded(const char *path, int rows) {
    brant_db *db = must_open_audited(path);
    must_append(db, rows);
    must(db, "transaction.begin", "", NULL);
    run_sql(db, "DROP TRIGGER brant_audit_logs_insert; DROP TRIGGER brant_audit_logs_update; "
                "DROP TRIGGER brant_audit_logs_delete");
    return db;
}

static void every_byte(void **state) {
    static const char *const texts[] = {"id",       "org_id", "actor_type", "actor_id", "action",
                                        "resource", "detail", "metadata",   "hash"};
    static const char *const numbers[] = {"seq", "created_at", "key_version"};
    static const struct {
        const char *before, *after;
    } changes[] = {{"", " + 1"}, {"", " - 1"}, {"-", ""}, {"", " + 256"}, {"", " + 4294967296"}};
    const int rows = 6;
    char sql[512], what[128];
    size_t done = 0;
    brant_db *db = open_unguarded(in_folder(*state, "a.db"), rows);
    for (int seq = 1; seq <= rows; seq++) {
        for (size_t i = 0; i < BRANT__COUNT(texts); i++) {
            const bool blob = i + 1 == BRANT__COUNT(texts);
            snprintf(sql, sizeof sql,
                     "SELECT coalesce(length(CAST(%s AS BLOB)), -1) FROM brant_audit_logs WHERE "
                     "seq = %d",
                     texts[i], seq);
            const int64_t length = number(db, sql);
            snprintf(what, sizeof what,
                     "CREATE TEMP TABLE saved AS SELECT %s AS v FROM "
                     "brant_audit_logs WHERE seq = %d",
                     texts[i], seq);
            run_sql(db, what);
            /* Each byte changed, one left out, one more; and none instead of something. */
            for (int64_t at = 0; at <= length * 2 + 2; at++) {
                const int64_t byte = at / 2;
                snprintf(what, sizeof what, "%s of row %d, change %lld", texts[i], seq,
                         (long long)at);
                if (at < length * 2)
                    snprintf(sql, sizeof sql,
                             "UPDATE brant_audit_logs SET %s = CAST(substr(CAST(%s AS BLOB), 1, "
                             "%lld) || iif(%lld, x'', iif(substr(CAST(%s AS BLOB), %lld, 1) = "
                             "x'01', x'02', x'01')) || substr(CAST(%s AS BLOB), %lld) AS %s) "
                             "WHERE seq = %d",
                             texts[i], texts[i], (long long)byte, (long long)(at % 2), texts[i],
                             (long long)byte + 1, texts[i], (long long)byte + 2,
                             blob ? "BLOB" : "TEXT", seq);
                else
                    snprintf(sql, sizeof sql,
                             "UPDATE brant_audit_logs SET %s = CAST(coalesce(%s, '') || %s AS %s) "
                             "WHERE seq = %d",
                             texts[i], texts[i],
                             at == length * 2       ? "x'00'"
                             : at == length * 2 + 1 ? "'x'"
                                                    : "'\"'",
                             blob ? "BLOB" : "TEXT", seq);
                run_sql(db, sql);
                is_found(db, "", what, seq, NULL);
                snprintf(sql, sizeof sql,
                         "UPDATE brant_audit_logs SET %s = (SELECT v FROM saved) WHERE seq = %d",
                         texts[i], seq);
                run_sql(db, sql);
                done++;
            }
            run_sql(db, "DROP TABLE temp.saved");
        }
        for (size_t i = 0; i < BRANT__COUNT(numbers); i++)
            for (size_t change = 0; change < BRANT__COUNT(changes); change++) {
                if (i == 0 && change < 2) continue; /* its neighbour has that number */
                must(db, "transaction.begin", "", NULL);
                snprintf(sql, sizeof sql, "UPDATE brant_audit_logs SET %s = %s%s%s WHERE seq = %d",
                         numbers[i], changes[change].before, numbers[i], changes[change].after,
                         seq);
                run_sql(db, sql);
                if (i == 2 && change != 1 && change != 2)
                    must_fail(db, "audit.verify", "", BRANT_NOT_FOUND, "not all versions");
                else
                    is_found(db, "", sql, 0, NULL);
                must(db, "transaction.rollback", "", NULL);
                done++;
            }
    }
    is_well(db, "", rows);
    print_message("%zu changes\n", done);
    brant_db_free(db);
}

static uint64_t random_state = 88172645463325252u;

static int random_of(int count) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (int)(random_state % (uint64_t)count);
}

static void change_at_random(brant_db *db, int rows) {
    static const char *const columns[] = {"org_id",   "actor_id", "action",
                                          "resource", "detail",   "hash"};
    const int a = 1 + random_of(rows), b = 1 + random_of(rows),
              column = random_of(BRANT__COUNT(columns));
    char sql[600];
    switch (random_of(8)) {
    case 0:
        snprintf(sql, sizeof sql, "DELETE FROM brant_audit_logs WHERE seq = %d", a);
        break;
    case 1:
        snprintf(sql, sizeof sql, "DELETE FROM brant_audit_logs WHERE seq >= %d", a);
        break;
    case 2: /* one takes the other's place */
        snprintf(sql, sizeof sql,
                 "INSERT OR REPLACE INTO brant_audit_logs SELECT %d, " COPIED
                 " FROM brant_audit_logs WHERE seq = %d",
                 a, b);
        break;
    case 3: /* the rest moves up */
        snprintf(sql, sizeof sql,
                 "DELETE FROM brant_audit_logs WHERE seq = %d; UPDATE brant_audit_logs SET seq = "
                 "-seq WHERE seq > %d; UPDATE brant_audit_logs SET seq = -seq - 1 WHERE seq < 0",
                 a, a);
        break;
    case 4:
        snprintf(sql, sizeof sql,
                 "UPDATE brant_audit_logs SET %s = (SELECT %s FROM brant_audit_logs WHERE seq = "
                 "%d) WHERE seq = %d AND EXISTS (SELECT 1 FROM brant_audit_logs WHERE seq = %d "
                 "AND %s IS NOT NULL)",
                 columns[column], columns[column], b, a, b, columns[column]);
        break;
    case 5:
        snprintf(sql, sizeof sql,
                 "UPDATE OR IGNORE brant_audit_logs SET seq = seq + %d WHERE seq = %d",
                 rows + random_of(3), a);
        break;
    case 6:
        snprintf(sql, sizeof sql,
                 "UPDATE brant_audit_anchors SET seq = %d, hash = coalesce((SELECT hash FROM "
                 "brant_audit_logs WHERE seq = %d), hash)",
                 a, b);
        break;
    default:
        snprintf(sql, sizeof sql,
                 "UPDATE brant_audit_logs SET created_at = created_at + %d, detail = '{}' WHERE "
                 "seq = %d",
                 random_of(2), a);
        break;
    }
    run_sql(db, sql);
}

#define DIGEST                                                                                     \
    "INSERT INTO temp.digest SELECT coalesce(group_concat(quote(seq) || quote(id) || "             \
    "quote(org_id) || quote(actor_type) || quote(actor_id) || quote(action) || quote(resource) "   \
    "|| quote(detail) || quote(metadata) || quote(created_at) || quote(key_version) || "           \
    "quote(hash)), '') || (SELECT quote(seq) || quote(hash) FROM brant_audit_anchors) FROM "       \
    "(SELECT * FROM brant_audit_logs ORDER BY seq)"

static void whatever_somebody_does(void **state) {
    const int rows = 12;
    size_t different = 0;
    brant_db *db = open_unguarded(in_folder(*state, "a.db"), rows);
    run_sql(db, "CREATE TEMP TABLE digest (text)");
    for (int turn = 0; turn < 1500; turn++) {
        must(db, "transaction.begin", "", NULL);
        run_sql(db, "DELETE FROM temp.digest; " DIGEST);
        for (int i = 1 + random_of(4); i > 0; i--)
            change_at_random(db, rows);
        run_sql(db, DIGEST);
        if (number(db, "SELECT count(DISTINCT text) FROM temp.digest") == 1) {
            is_well(db, "", rows);
        } else {
            is_found(db, "", "at random", 0, NULL);
            different++;
        }
        must(db, "transaction.rollback", "", NULL);
    }
    print_message("%zu of 1500 turns changed the log\n", different);
    assert_true(different > 1200);
    is_well(db, "", rows);
    brant_db_free(db);
}

/* ---- keys, parts, and what goes ------------------------------------------------------------------------- */

static void keys_of_two_versions(void **state) {
    brant_db *db = must_open_audited(in_folder(*state, "a.db"));
    must_append(db, 5);
    char *first = checkpoint_of(db);
    must_load(db, AUDIT_2);
    is_well(db, first, 5);
    must_append(db, 5);
    char *second = checkpoint_of(db);
    is_well(db, first, 10);
    is_well(db, second, 10);
    /* Without the old key half of them cannot be judged, and with another under its version they are wrong. */
    must_load(db, RING(AUDIT_KEY(2, "active", KEY_2)));
    must_fail(db, "audit.verify", "", BRANT_NOT_FOUND, "5 rows cannot be judged");
    is_well(db, "{\"from\":6}", 5);
    must_load(db, RING(AUDIT_KEY(1, "decrypt_only", KEY_3) "," AUDIT_KEY(2, "active", KEY_2)));
    is_found(db, "", "another key", 1, "is not what was written");
    assert_int_equal(verify(db, "").problems, 5);
    must_load(db, AUDIT_2);
    is_well(db, "", 10);
    brant_keyring_unload(db);
    must_fail(db, "audit.verify", "", BRANT_NOT_FOUND, "no key ring");
    brant_db_free(db);
    free(first);
    free(second);
}

static void in_parts(void **state) {
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open_audited(path);
    must(db, "audit.verify", "",
         "{\"problems\":[],\"ok\":true,\"truncated\":false,\"rows\":0,\"first\":null,\"last\":null,"
         "\"hash\":null}");
    must_append(db, ROWS);
    must(db, "audit.verify", "{\"limit\":8}", "\"rows\":8,\"first\":1,\"last\":8,\"hash\":\"");
    must(db, "audit.verify", "{\"limit\":8}", ",\"next\":9}");
    must(db, "audit.verify", "{\"from\":9,\"limit\":8}", "\"first\":9,\"last\":16,");
    must(db, "audit.verify", "{\"from\":17,\"limit\":4}", "\"first\":17,\"last\":20,");
    is_well(db, "{\"from\":17}", 4);
    is_well(db, "{\"from\":21}", 0);
    is_well(db, "{\"from\":1000}", 0);
    /* Each change is found by the part that it is in; the end by the last. */
    assert_true(other_program(path, false,
                              "UPDATE brant_audit_logs SET action = 'x' WHERE seq = 10; DELETE "
                              "FROM brant_audit_logs WHERE seq IN (15, 20)"));
    is_well(db, "{\"limit\":9}", 9);
    is_found(db, "{\"from\":10,\"limit\":2}", "a part", 10, NULL);
    is_well(db, "{\"from\":11,\"limit\":3}", 3);
    is_found(db, "{\"from\":15,\"limit\":2}", "a part", 15, "the row is missing");
    is_found(db, "{\"from\":16,\"limit\":2}", "a part", 15, "the row is missing");
    is_well(db, "{\"from\":17,\"limit\":2}", 2);
    is_found(db, "{\"from\":17}", "the end", 20, "cut off");
    is_found(db, "{\"from\":20}", "the end", 20, "cut off");
    assert_int_equal(verify(db, "").problems, 3);
    brant_db_free(db);
}

static void pruning(void **state) {
    const char *path = in_folder(*state, "a.db");
    char input[1024];
    brant_db *db = must_open_audited(path);
    must_append(db, ROWS);
    char *early = checkpoint_of(db);
    must_append(db, 5);
    char *checkpoint = checkpoint_of(db);
    snprintf(input, sizeof input, "{\"through\":26,%s", checkpoint + 1);
    must_fail(db, "audit.prune", input, BRANT_INVALID, "/through is behind the checkpoint");
    must_fail(db, "audit.prune",
              "{\"through\":4,\"checkpoint\":{\"seq\":10,\"hash\":\"" KEY_1 "\"}}", BRANT_CONFLICT,
              "not the one of the checkpoint");
    snprintf(input, sizeof input, "{\"through\":8,%s", checkpoint + 1);
    must(db, "audit.prune", input, "{\"pruned\":8,\"through\":8,\"done\":true}");
    must(db, "audit.prune", input, "{\"pruned\":0,\"through\":8,\"done\":true}");
    is_well(db, "", 18); /* and the row that says so */
    is_well(db, early, 18);
    is_well(db, checkpoint, 18);
    must(db, "audit.get", "{\"seq\":26}", "\"action\":\"audit.prune\"");
    must(db, "audit.get", "{\"seq\":26}", "\"detail\":{\"through\":8,\"pruned\":8}");
    must_fail(db, "audit.get", "{\"seq\":8}", BRANT_NOT_FOUND, "no row 8");
    must_be_well(db);
    must_append(db, 3);
    is_well(db, "", 21);
    /* Under a new key, after which the old is needed by nothing. */
    must_load(db, AUDIT_2);
    must_append(db, 1);
    free(checkpoint);
    checkpoint = checkpoint_of(db);
    snprintf(input, sizeof input, "{\"through\":29,%s", checkpoint + 1);
    must(db, "audit.prune", input, "{\"pruned\":21,\"through\":29,\"done\":true}");
    must_load(db, RING(AUDIT_KEY(2, "active", KEY_2)));
    is_well(db, "", 2);
    is_well(db, checkpoint, 2);
    /* What was pruned is not put back, nor the base. */
    assert_true(other_program(path, false, "DELETE FROM brant_audit_anchors WHERE name = 'base'"));
    is_found(db, "", "no base", 1, "the rows up to 29 are missing");
    brant_db_free(db);
    free(early);
    free(checkpoint);
}

/* What somebody changed does not disappear by pruning. */
static void pruning_hides_nothing(void **state) {
    const char *path = in_folder(*state, "a.db");
    char input[1024];
    brant_db *db = must_open_audited(path);
    must_append(db, ROWS);
    char *checkpoint = checkpoint_of(db);
    assert_true(
        other_program(path, false, "UPDATE brant_audit_logs SET action = 'x' WHERE seq = 5"));
    snprintf(input, sizeof input, "{\"through\":5,%s", checkpoint + 1);
    must_fail(db, "audit.prune", input, BRANT_CORRUPT, "audit.verify");
    snprintf(input, sizeof input, "{\"through\":4,%s", checkpoint + 1);
    must(db, "audit.prune", input, "\"pruned\":4");
    is_found(db, "", "behind what was pruned", 5, NULL);
    brant_db_free(db);
    free(checkpoint);
}

/* ---- db.doctor ------------------------------------------------------------------------------------------ */

static void the_doctor_sees_gaps(void **state) {
    static const struct {
        const char *sql, *problem;
    } cases[] = {
        {"DELETE FROM brant_audit_logs WHERE seq = 3", "the audit log lacks rows before 4"},
        {"DELETE FROM brant_audit_logs WHERE seq = 1", "the audit log lacks rows before 2"},
        {"DELETE FROM brant_audit_logs WHERE seq > 3", "ends at 3 and should at 5"},
        {"DELETE FROM brant_audit_logs", "ends at 0 and should at 5"},
        {"DROP TRIGGER brant_audit_logs_update", "lacks the guard update"},
    };
    const char *path = in_folder(*state, "a.db");
    brant_db *db = must_open_audited(path);
    must_append(db, 5);
    must_be_well(db);
    brant_db_free(db);
    for (size_t i = 0; i < BRANT__COUNT(cases); i++) {
        char *copy = copy_file(*state, "a.db", "b.db"), sql[256];
        snprintf(sql, sizeof sql, "%s%s",
                 strstr(cases[i].sql, "DELETE") ? "DROP TRIGGER brant_audit_logs_delete; " : "",
                 cases[i].sql);
        assert_true(other_program(copy, true, sql));
        db = must_open(copy, "");
        must(db, "db.doctor", "", cases[i].problem);
        brant_db_free(db);
        unlink(copy);
        free(copy);
    }
}

int main(int count, char **arguments) {
    const int other = run_other_program(count, arguments);
    if (other >= 0) return other;
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up_folder, tear_down_folder)
    const struct CMUnitTest tests[] = {
        TEST(by_itself),
        TEST(a_chain_without_the_key),
        TEST(a_cut_tail_stays),
        TEST(rows_of_another_file),
        TEST(a_rolled_back_file),
        TEST(an_emptied_log),
        TEST(two_copies),
        TEST(checkpoints_are_judged),
        TEST(every_byte),
        TEST(whatever_somebody_does),
        TEST(keys_of_two_versions),
        TEST(in_parts),
        TEST(pruning),
        TEST(pruning_hides_nothing),
        TEST(the_doctor_sees_gaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
