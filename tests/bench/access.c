/*
 * tests/bench/access.c: how long access.check takes on an access graph of many edges, in a file of its own under the system's temporary folder: alone, beside a process that writes an edge each 3 ms, and,
 * over the same rows, as a recursive query of SQL.
 *
 * usage: access [edges] [file]      file: where to write the policy and the questions, for other programs that are asked the same (rivals/casbin)
 *
 * Of 100 edges: 40 that users belong to groups by, 2 that groups nest by, 2 roles of groups, 20 grants to roles, 20 to users, 14 parents of resources, 1 denial, 1 delegation.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support.h"
#ifdef BRANT_BENCH_SQLITE
#include <sqlite3.h>
#endif

#define QUESTIONS 200000
#define BATCH     20000
#define PAUSE_US  3000

typedef struct scale {
    long edges, users, groups, roles, resources, folders, agents;
} scale;

static uint64_t state = 88172645463325252u;
static long below(long n) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (long)(state >> 11) % n;
}

static brant_db *open_file(const char *path) {
    brant_db *db = NULL;
    check(brant_open(&db, path, strlen(path), "", 0), "open");
    return db;
}

/* ---- the graph ------------------------------------------------------------------------------- */

/* Items of a batch, sent when there are enough. */
static struct {
    brant_db *db;
    const char *operation;
    char *text;
    size_t length, count;
    FILE *policy;
} batch;

static void flush(void) {
    if (batch.count == 0) return;
    batch.length += (size_t)sprintf(batch.text + batch.length, "]}");
    must_call(batch.db, batch.operation, batch.text);
    batch.count = 0;
}

static char *item(const char *operation) {
    if (batch.count == BATCH || (batch.operation && batch.operation != operation)) flush();
    batch.operation = operation;
    if (batch.count == 0)
        batch.length = (size_t)sprintf(batch.text, "{\"graph\":\"access\",\"items\":[");
    if (batch.count++ > 0) batch.text[batch.length++] = ',';
    return batch.text + batch.length;
}

static const char put_nodes[] = "nodes.put_many", put_edges[] = "edges.put_many";

static void nodes(const char *type, const char *key, long count, const char *attributes) {
    for (long i = 0; i < count; i++)
        batch.length += (size_t)sprintf(item(put_nodes),
                                        "{\"key\":\"%s%ld\",\"type\":\"%s\",\"attributes\":%s}",
                                        key, i, type, attributes);
}

static void edge(const char *type, const char *from, long source, const char *to, long target,
                 const char *scope) {
    char *at = item(put_edges);
    int length = sprintf(at, "{\"source\":\"%s%ld\",\"type\":\"%s\",\"target\":\"%s%ld\"", from,
                         source, type, to, target);
    if (scope) length += sprintf(at + length, ",\"attributes\":{\"scopes\":[\"%s\"]}", scope);
    length += sprintf(at + length, "}");
    batch.length += (size_t)length;
    if (batch.policy && strcmp(type, "Delegates") != 0) /* which nothing there is like */
        fprintf(batch.policy, "%s %s%ld %s%ld %s\n", type, from, source, to, target,
                scope ? scope : "-");
}

/* Some grants to users, to ask about. */
#define GRANTED 10000
static struct {
    long user, resource;
    const char *scope;
} granted[GRANTED];
static long granted_count;

static const char *const scopes[] = {"nodes:read", "nodes:write", "edges:read", "edges:write"};

static scale make(brant_db *db, long edges, FILE *policy) {
    const scale of = {edges,     edges / 5,      edges / 50, edges / 500 + 1,
                      edges / 7, edges / 70 + 1, edges / 100};
    batch.db = db;
    batch.policy = policy;
    batch.text = malloc((size_t)BATCH * 160 + 100);
    must_call(db, "graphs.create",
              "{\"name\":\"access\",\"graph_type\":\"access\",\"changes\":true}");
    nodes("Principal", "account:", of.users, "{\"kind\":\"service\"}");
    nodes("Group", "group:", of.groups, "{}");
    nodes("Role", "role:", of.roles, "{}");
    nodes("Resource", "graph:", of.resources, "{}");
    nodes("Resource", "folder:", of.folders, "{}");
    nodes("Agent", "agent:", of.agents, "{}");
    flush();
    for (long i = 0; i < edges * 40 / 100; i++)
        edge("BelongsTo", "account:", i % of.users, "group:", below(of.groups), NULL);
    for (long i = 1; i < of.groups; i++)
        edge("BelongsTo", "group:", i, "group:", i / 8, NULL);
    for (long i = 0; i < edges * 2 / 100; i++)
        edge("HasRole", "group:", i % of.groups, "role:", below(of.roles), NULL);
    for (long i = 0; i < edges * 20 / 100; i++)
        edge("Grants", "role:", below(of.roles), "graph:", below(of.resources), scopes[below(4)]);
    for (long i = 0; i < edges * 20 / 100; i++) {
        const bool one = i % 4 != 0; /* a graph, or a whole folder */
        const long user = below(of.users), resource = below(one ? of.resources : of.folders);
        const char *scope = scopes[below(4)];
        edge("Grants", "account:", user, one ? "graph:" : "folder:", resource, scope);
        if (one && granted_count < GRANTED) {
            granted[granted_count].user = user;
            granted[granted_count].resource = resource;
            granted[granted_count++].scope = scope;
        }
    }
    for (long i = 0; i < of.resources; i++)
        edge("Parent", "graph:", i, "folder:", below(of.folders), NULL);
    for (long i = 1; i < of.folders; i++)
        edge("Parent", "folder:", i, "folder:", i / 10, NULL);
    for (long i = 0; i < edges / 100; i++)
        edge("Denies", "group:", below(of.groups), "graph:", below(of.resources), "*:write");
    for (long i = 0; i < of.agents; i++)
        edge("Delegates", "account:", below(of.users), "agent:", i, "*:read");
    flush();
    free(batch.text);
    return of;
}

/* ---- questions ------------------------------------------------------------------------------- */

typedef struct question {
    char subject[32], resource[32];
    const char *scope;
} question;
static question *questions;

/* Nine of ten of users, one of agents; each other one of what a user was granted. */
static void make_questions(const scale *of) {
    questions = malloc(QUESTIONS * sizeof *questions);
    for (long i = 0; i < QUESTIONS; i++) {
        question *asked = &questions[i];
        const bool agent = i % 10 == 9;
        const long at = below(granted_count);
        snprintf(asked->subject, sizeof asked->subject, "%s%ld", agent ? "agent:" : "account:",
                 agent   ? below(of->agents)
                 : i % 2 ? granted[at].user
                         : below(of->users));
        snprintf(asked->resource, sizeof asked->resource, "graph:%ld",
                 i % 2 ? granted[at].resource : below(of->resources));
        asked->scope = i % 2 ? granted[at].scope : scopes[below(4)];
    }
}

static int by_size(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void show(const char *what, double *us, long count, long allowed) {
    if (count == 0) {
        printf("%-44s none\n", what);
        return;
    }
    qsort(us, (size_t)count, sizeof *us, by_size);
    printf("%-44s p50 %9.1f us  p99 %9.1f us  max %9.0f us  %7ld checks, %ld yes\n", what,
           us[count / 2], us[count * 99 / 100], us[count - 1], count, allowed);
    fflush(stdout);
}

/* One check; its revision. */
static long ask(bool *out_allowed, brant_db *db, const question *asked) {
    char json[160], *answer = NULL;
    size_t length = 0;
    const int size =
        snprintf(json, sizeof json, "{\"subject\":\"%s\",\"scope\":\"%s\",\"resource\":\"%s\"}",
                 asked->subject, asked->scope, asked->resource);
    check(brant_access_check(&answer, &length, db, json, (size_t)size), "check");
    *out_allowed = strncmp(answer, "{\"allowed\":true", 15) == 0;
    const long revision = strtol(strrchr(answer, ':') + 1, NULL, 10);
    brant_free(answer);
    return revision;
}

/* For some seconds at the most; `changed`: those that were the first to see a change, apart. */
static void ask_all(const char *what, brant_db *db, double seconds, bool apart) {
    double *us = malloc(QUESTIONS * sizeof *us), *after = malloc(QUESTIONS * sizeof *after);
    const double end = now_us() + seconds * 1e6;
    long count = 0, changed = 0, allowed = 0, seen = -1, i = 0;
    for (; i < QUESTIONS && now_us() < end; i++) {
        bool yes;
        const double begin = now_us();
        const long revision = ask(&yes, db, &questions[i]);
        const double took = now_us() - begin;
        us[count++] = took;
        if (revision != seen && seen >= 0) after[changed++] = took;
        seen = revision;
        allowed += yes;
    }
    show(what, us, count, allowed);
    if (apart) show("  of those, the first after a change", after, changed, 0);
    free(us);
    free(after);
}

/* What others are asked too, with the answer. */
static void write_questions(FILE *policy, brant_db *db) {
    for (long i = 0; i < 4000; i++) {
        bool yes;
        if (i % 10 == 9) continue;
        ask(&yes, db, &questions[i]);
        fprintf(policy, "? %s %s %s %d\n", questions[i].subject, questions[i].resource,
                questions[i].scope, yes);
    }
}

static void ask_cold(const char *path) {
    brant_db *db = open_file(path);
    bool yes;
    const double begin = now_us();
    ask(&yes, db, &questions[0]);
    printf("%-44s %9.0f ms\n", "the first check on a handle", (now_us() - begin) / 1e3);
    brant_db_free(db);
}

/* One edge each few ms, until it is told to stop. */
static pid_t begin_writer(const char *path, const scale *of) {
    fflush(stdout);
    const pid_t process = fork();
    if (process) return process;
    brant_db *db = open_file(path);
    for (;;) {
        char json[200];
        snprintf(json, sizeof json,
                 "{\"graph\":\"access\",\"source\":\"account:%ld\",\"type\":\"Grants\",\"target\":"
                 "\"graph:%ld\",\"attributes\":{\"scopes\":[\"%s\"]}}",
                 below(of->users), below(of->resources), scopes[below(4)]);
        must_call(db, "edges.put", json);
        usleep(PAUSE_US);
    }
}

/* ---- the same in SQL ------------------------------------------------------------------------- */

#ifdef BRANT_BENCH_SQLITE
#define NODE(parameter) "(SELECT row_id FROM nodes WHERE graph = 1 AND key = " parameter ")"
#define TYPE(name)      "(SELECT row_id FROM edge_types WHERE name = '" name "')"
#define MEETS(kind, fits)                                                                          \
    "EXISTS (SELECT 1 FROM self CROSS JOIN onto CROSS JOIN edges e ON e.source = self.n AND "      \
    "e.type = " TYPE(kind) " AND e.target = onto.n"                                                \
                           " WHERE coalesce(e.attributes ->> 'expires_at', 9e18) > ?4 AND EXISTS " \
                           "(SELECT 1 FROM json_each(e.attributes, '$.scopes') s WHERE " fits "))"

static const char recursive[] = "WITH RECURSIVE self(n) AS (SELECT " NODE(
    "?1") " UNION SELECT e.target FROM self CROSS JOIN "
          "edges e ON e.source = self.n AND e.type IN "
          "(" TYPE("BelongsTo") ", " TYPE(
              "HasRole") ")"
                         " WHERE coalesce(e.attributes "
                         "->> 'expires_at', 9e18) > ?4),"
                         " onto(n) AS (SELECT " NODE(
                             "?2") " UNION SELECT e.target FROM onto CROSS "
                                   "JOIN edges e ON e.source = onto.n AND "
                                   "e.type = " TYPE("Parent") ")"
                                                              " SELECT " MEETS(
                                                                  "Grants",
                                                                  "s.value IN "
                                                                  "(?3, ?5, ?6, "
                                                                  "'*:*')") " AN"
                                                                            "D "
                                                                            "NOT"
                                                                            " " MEETS("Denies",
                                                                                      "s."
                                                                                      "value "
                                                                                      "IN "
                                                                                      "(?3, "
                                                                                      "?5, "
                                                                                      "?6, "
                                                                                      "'*:*'"
                                                                                      ")");

/* Of users alone: chains of delegations would take much more. */
static void ask_sql(const char *path, double seconds) {
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    double *us = malloc(QUESTIONS * sizeof *us);
    const double end = now_us() + seconds * 1e6;
    long count = 0, allowed = 0;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db, recursive, -1, &statement, NULL) != SQLITE_OK) {
        fprintf(stderr, "SQLite: %s\n", sqlite3_errmsg(db));
        exit(1);
    }
    for (long i = 0; i < QUESTIONS && now_us() < end; i++) {
        const question *asked = &questions[i];
        char space[40], action[40];
        if (i % 10 == 9) continue;
        const double begin = now_us();
        const int space_length = (int)strcspn(asked->scope, ":");
        snprintf(space, sizeof space, "%.*s:*", space_length, asked->scope);
        snprintf(action, sizeof action, "*%s", asked->scope + space_length);
        sqlite3_bind_text(statement, 1, asked->subject, -1, SQLITE_STATIC);
        sqlite3_bind_text(statement, 2, asked->resource, -1, SQLITE_STATIC);
        sqlite3_bind_text(statement, 3, asked->scope, -1, SQLITE_STATIC);
        sqlite3_bind_int64(statement, 4, 1700000000000);
        sqlite3_bind_text(statement, 5, space, -1, SQLITE_STATIC);
        sqlite3_bind_text(statement, 6, action, -1, SQLITE_STATIC);
        if (sqlite3_step(statement) != SQLITE_ROW) {
            fprintf(stderr, "SQLite: %s\n", sqlite3_errmsg(db));
            exit(1);
        }
        allowed += sqlite3_column_int(statement, 0);
        sqlite3_reset(statement);
        us[count++] = now_us() - begin;
    }
    show("rival: a recursive query in SQLite (users)", us, count, allowed);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    free(us);
}
#endif

static void run(long edges, const char *file) {
    char folder[] = "/tmp/brant-bench-XXXXXX", path[64], command[80];
    if (!mkdtemp(folder)) exit(1);
    snprintf(path, sizeof path, "%s/a.db", folder);
    FILE *policy = file ? fopen(file, "w") : NULL;
    brant_db *db = open_file(path);
    const double begin = now_us();
    const scale of = make(db, edges, policy);
    printf("\n%ld edges, written with their change log in %.1f s\n", edges,
           (now_us() - begin) / 1e6);
    make_questions(&of);
    brant_db_free(db);
    ask_cold(path);
    db = open_file(path);
    bool yes;
    ask(&yes, db, &questions[0]);
    if (policy) {
        write_questions(policy, db);
        fclose(policy);
    }
    ask_all("check", db, 10, false);
    brant_db_free(db);
    const pid_t writer = begin_writer(path, &of);
    db = open_file(path);
    ask(&yes, db, &questions[0]);
    ask_all("check, beside a writer", db, 10, true);
    brant_db_free(db);
    kill(writer, SIGTERM);
    waitpid(writer, NULL, 0);
#ifdef BRANT_BENCH_SQLITE
    ask_sql(path, 10);
#endif
    free(questions);
    snprintf(command, sizeof command, "rm -r %s", folder);
    if (system(command) != 0) exit(1);
}

int main(int argc, char **argv) {
    if (argc > 1) {
        run(strtol(argv[1], NULL, 10), argc > 2 ? argv[2] : NULL);
        return 0;
    }
    granted_count = 0;
    run(100000, NULL);
    granted_count = 0;
    run(1000000, NULL);
    return 0;
}
