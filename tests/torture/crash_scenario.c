/*
 * torture/crash_scenario.c: what crash.py kills at every change of a file.
 *
 * usage: crash_scenario FILE STEPS
 *
 * Opens the file and commits STEPS transactions; number n puts a node, a row of the user's, a job, an event and a notification, and acknowledges the job before. Then maintenance, then the end. Lines
 * of the answer: `begin n`, `done n` once it was acknowledged, `failed CODE message` for anything that failed, after which it goes on.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <yyjson.h>

#include "brant.h"

static brant_db *db;

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...) {
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (write(1, line, (size_t)(length < (int)sizeof line ? length : (int)sizeof line - 1)) < 0)
        exit(3);
}

/* NULL: it failed, and that was said. */
__attribute__((format(printf, 2, 3))) static yyjson_doc *ask(const char *operation,
                                                             const char *format, ...) {
    char input[1024], *answer = NULL;
    size_t length = 0;
    va_list arguments;
    va_start(arguments, format);
    const int size = vsnprintf(input, sizeof input, format, arguments);
    va_end(arguments);
    if (brant_call(&answer, &length, db, operation, strlen(operation), input, (size_t)size) !=
        BRANT_OK) {
        say("failed %s %s\n", brant_last_error()->name, brant_last_error()->message);
        return NULL;
    }
    yyjson_doc *document = yyjson_read(answer, length, 0);
    brant_free(answer);
    return document;
}

static bool done(yyjson_doc *answer) {
    yyjson_doc_free(answer);
    return answer != NULL;
}

static bool acknowledge(void) {
    yyjson_doc *claimed = ask("queues.claim", "{\"queue\":\"q\",\"worker\":\"w\"}");
    if (!claimed) return false;
    yyjson_val *job = yyjson_arr_get_first(yyjson_obj_get(yyjson_doc_get_root(claimed), "items"));
    const long long id = yyjson_get_sint(yyjson_obj_get(job, "id")),
                    token = yyjson_get_sint(yyjson_obj_get(job, "token"));
    const bool any = job != NULL;
    yyjson_doc_free(claimed);
    return !any ||
           (done(ask("jobs.ack", "{\"id\":%lld,\"token\":%lld}", id, token)) &&
            done(ask("sql.execute",
                     "{\"sql\":\"INSERT INTO acked (job) VALUES (?)\",\"params\":[%lld]}", id)));
}

static bool step(int n) {
    return done(ask("nodes.put", "{\"graph\":\"g\",\"key\":\"n%d\",\"attributes\":{\"n\":%d}}", n,
                    n)) &&
           done(ask("sql.execute", "{\"sql\":\"INSERT INTO own (n) VALUES (?)\",\"params\":[%d]}",
                    n)) &&
           acknowledge() &&
           done(ask("queues.enqueue", "{\"queue\":\"q\",\"payload\":{\"n\":%d}}", n)) &&
           done(ask("streams.publish", "{\"stream\":\"s\",\"payload\":{\"n\":%d}}", n)) &&
           done(ask("events.notify", "{\"channel\":\"c\",\"payload\":{\"n\":%d}}", n));
}

int main(int count, char **arguments) {
    if (count != 3) return 2;
    if (brant_open(&db, arguments[1], strlen(arguments[1]), "", 0) != BRANT_OK) {
        say("failed %s %s\n", brant_last_error()->name, brant_last_error()->message);
        return 0;
    }
    for (int n = 1; n <= atoi(arguments[2]); n++) {
        say("begin %d\n", n);
        if (!done(ask("transaction.begin", "{}"))) continue;
        if (!step(n)) {
            done(ask("transaction.rollback", "{}"));
            continue;
        }
        if (done(ask("transaction.commit", "{}")))
            say("done %d\n", n);
        else
            done(ask("transaction.rollback", "{}"));
    }
    done(ask("db.maintain", "{}"));
    brant_db_free(db);
    say("end\n");
    return 0;
}
