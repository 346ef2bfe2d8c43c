/*
 * torture/worker.c: one worker of events.py, in C: see worker.py, which says what it does.
 *
 * usage: torture_worker FILE LEDGER NAME SEED UNTIL
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <yyjson.h>

#include "brant.h"

#define LEASE 400

static const char *const queues[] = {"plain", "keyed", "ordered", "ticks"};

static brant_db *db;
static brant_cursor *listener;
static int ledger;
static const char *name;
static uint64_t state;
static unsigned made;
static long long said;

static struct sender {
    char name[64];
    long long last;
} heard[4096];
static size_t heard_count;

/* ---- chance --------------------------------------------------------------------------------- */

/* Steele, Lea, Flood: Fast splittable pseudorandom number generators (2014). */
static unsigned draw(unsigned below) {
    uint64_t z = (state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (unsigned)((z ^ (z >> 31)) >> 33) % below;
}

static bool chance(unsigned percent) {
    return draw(100) < percent;
}

static void nap(unsigned ms) {
    const struct timespec span = {ms / 1000, (long)(ms % 1000) * 1000000};
    nanosleep(&span, NULL);
}

/* ---- asking --------------------------------------------------------------------------------- */

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...) {
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    line[length] = '\n';
    if (write(ledger, line, (size_t)length + 1) != length + 1) exit(3);
}

static void fail(const char *what) {
    const brant_error *error = brant_last_error();
    fprintf(stderr, "%s: %s: %s\n", what, error->name, error->message);
    exit(1);
}

/* The answer, to be freed, or NULL with `allowed` as the status; any other failure ends the program. */
__attribute__((format(printf, 3, 4))) static yyjson_doc *
ask(brant_status allowed, const char *operation, const char *format, ...) {
    char input[4096], *answer = NULL;
    size_t length = 0;
    va_list arguments;
    va_start(arguments, format);
    const int size = vsnprintf(input, sizeof input, format, arguments);
    va_end(arguments);
    if (size < 0 || (size_t)size >= sizeof input) exit(3);
    const brant_status status =
        brant_call(&answer, &length, db, operation, strlen(operation), input, (size_t)size);
    if (status != BRANT_OK) {
        if (allowed != BRANT_OK && status == allowed) return NULL;
        fail(operation);
    }
    yyjson_doc *document = yyjson_read(answer, length, 0);
    brant_free(answer);
    if (!document) exit(3);
    return document;
}

/* Ask, and forget the answer. False: it failed as allowed. */
#define DO(allowed, ...)                                                                           \
    __extension__({                                                                                \
        yyjson_doc *answer_ = ask(allowed, __VA_ARGS__);                                           \
        const bool done_ = answer_ != NULL;                                                        \
        yyjson_doc_free(answer_);                                                                  \
        done_;                                                                                     \
    })

static yyjson_val *member(yyjson_doc *document, const char *key) {
    return yyjson_obj_get(yyjson_doc_get_root(document), key);
}
static long long number(yyjson_val *object, const char *key) {
    return yyjson_get_sint(yyjson_obj_get(object, key));
}
static const char *uid_of(yyjson_val *item) {
    return yyjson_get_str(yyjson_obj_get(yyjson_obj_get(item, "payload"), "uid"));
}

static void begin(void) {
    DO(BRANT_OK, "transaction.begin", "{}");
}
static void commit(void) {
    DO(BRANT_OK, "transaction.commit", "{}");
}
static void roll_back(void) {
    DO(BRANT_OK, "transaction.rollback", "{}");
}

/* ---- jobs ----------------------------------------------------------------------------------- */

static void produce(void) {
    const unsigned kind = draw(4), n = ++made;
    if (kind == 3) {
        for (char end = 'a'; end <= 'c'; end++)
            note("> %s-%u-%c", name, n, end);
        yyjson_doc *answer =
            ask(BRANT_OK, "queues.enqueue_many",
                "{\"queue\":\"plain\",\"items\":[{\"payload\":{\"uid\":\"%s-%u-a\"}},"
                "{\"payload\":{\"uid\":\"%s-%u-b\"},\"after\":[{\"item\":0}]},"
                "{\"payload\":{\"uid\":\"%s-%u-c\"},\"after\":[{\"item\":1}]}]}",
                name, n, name, n, name, n);
        for (char end = 'a'; end <= 'c'; end++)
            note("+ %s-%u-%c %lld", name, n, end,
                 (long long)yyjson_get_sint(
                     yyjson_arr_get(member(answer, "ids"), (size_t)(end - 'a'))));
        yyjson_doc_free(answer);
        return;
    }
    char more[96] = "";
    if (kind == 0 && chance(30)) snprintf(more, sizeof more, ",\"delay\":%u", draw(200));
    if (kind > 0) snprintf(more, sizeof more, ",\"key\":\"k%u\"", draw(4));
    note("> %s-%u", name, n);
    yyjson_doc *answer = ask(BRANT_OK, "queues.enqueue",
                             "{\"queue\":\"%s\",\"payload\":{\"uid\":\"%s-%u\"},\"priority\":%u%s}",
                             queues[kind], name, n, kind == 2 ? 0 : draw(3), more);
    note("+ %s-%u %lld", name, n, number(yyjson_doc_get_root(answer), "id"));
    yyjson_doc_free(answer);
}

static void run(const char *what, yyjson_val *job, long long lease_until) {
    const char *key = yyjson_get_str(yyjson_obj_get(job, "key"));
    DO(BRANT_OK, "sql.execute",
       "{\"sql\":\"INSERT INTO runs (what, queue, key, uid, job, token, lease_until) VALUES "
       "(?, ?, ?, ?, ?, ?, ?)\",\"params\":[\"%s\",\"%s\",%s%s%s,\"%s\",%lld,%lld,%lld]}",
       what, yyjson_get_str(yyjson_obj_get(job, "queue")), key ? "\"" : "", key ? key : "null",
       key ? "\"" : "", uid_of(job), number(job, "id"), number(job, "token"), lease_until);
}

/* The row and the operation, or neither. */
static void end(const char *what, const char *operation, yyjson_val *job, long long *lease_until,
                const char *members) {
    begin();
    run(what, job, *lease_until);
    yyjson_doc *answer = ask(BRANT_STALE, operation, "{\"id\":%lld,\"token\":%lld%s}",
                             number(job, "id"), number(job, "token"), members);
    if (!answer) {
        roll_back();
        note("s %lld", number(job, "id"));
        return;
    }
    if (strcmp(what, "beat") == 0) {
        *lease_until = number(yyjson_doc_get_root(answer), "lease_until");
        DO(BRANT_OK, "sql.execute",
           "{\"sql\":\"UPDATE runs SET lease_until = ? WHERE row = last_insert_rowid()\","
           "\"params\":[%lld]}",
           *lease_until);
    }
    commit();
    yyjson_doc_free(answer);
}

/* What most of the jobs are in. */
static const char *draw_queue(void) {
    const unsigned drawn = draw(6);
    return queues[drawn < 2 ? 0 : drawn - 2];
}

static void work(void) {
    size_t i = 0, count = 0;
    yyjson_val *job = NULL;
    begin();
    yyjson_doc *answer = ask(BRANT_OK, "queues.claim",
                             "{\"queue\":\"%s\",\"worker\":\"%s\",\"limit\":%u,\"lease\":%d}",
                             draw_queue(), name, 1 + draw(3), LEASE);
    yyjson_arr_foreach(member(answer, "items"), i, count, job) {
        run("begin", job, number(job, "lease_until"));
    }
    commit();
    yyjson_arr_foreach(member(answer, "items"), i, count, job) {
        const unsigned fate = draw(100);
        char members[64];
        long long lease_until = number(job, "lease_until");
        if (fate < 6) {
            snprintf(members, sizeof members, ",\"error\":\"drawn\",\"delay\":%u", draw(100));
            end("fail", "jobs.fail", job, &lease_until, members);
            continue;
        }
        if (fate < 10) {
            end("release", "jobs.release", job, &lease_until, "");
            continue;
        }
        if (fate < 14) {
            nap(LEASE + 100);
        } else if (fate < 20) {
            snprintf(members, sizeof members, ",\"lease\":%d", LEASE);
            end("beat", "jobs.heartbeat", job, &lease_until, members);
        }
        end("done", "jobs.ack", job, &lease_until, "");
    }
    yyjson_doc_free(answer);
}

/* ---- streams -------------------------------------------------------------------------------- */

static void publish(void) {
    if (chance(50)) {
        const unsigned n = ++made;
        note("> e%s-%u", name, n);
        yyjson_doc *answer =
            ask(BRANT_OK, "streams.publish",
                "{\"stream\":\"events\",\"payload\":{\"uid\":\"e%s-%u\"}}", name, n);
        note("+ e%s-%u %lld", name, n, number(yyjson_doc_get_root(answer), "offset"));
        yyjson_doc_free(answer);
        return;
    }
    const unsigned n = made + 1;
    made += 3;
    for (unsigned i = 0; i < 3; i++)
        note("> e%s-%u", name, n + i);
    yyjson_doc *answer =
        ask(BRANT_OK, "streams.publish_many",
            "{\"stream\":\"events\",\"items\":[{\"payload\":{\"uid\":\"e%s-%u\"}},"
            "{\"payload\":{\"uid\":\"e%s-%u\"}},{\"payload\":{\"uid\":\"e%s-%u\"}}]}",
            name, n, name, n + 1, name, n + 2);
    for (unsigned i = 0; i < 3; i++)
        note("+ e%s-%u %lld", name, n + i, number(yyjson_doc_get_root(answer), "first") + i);
    yyjson_doc_free(answer);
}

static void see(const char *consumer, yyjson_val *events, long long token) {
    size_t i = 0, count = 0;
    yyjson_val *event = NULL;
    yyjson_arr_foreach(events, i, count, event) {
        yyjson_val *own = yyjson_obj_get(event, "token");
        DO(BRANT_OK, "sql.execute",
           "{\"sql\":\"INSERT INTO seen (consumer, offset, uid, token) VALUES (?, ?, ?, ?)\","
           "\"params\":[\"%s\",%lld,\"%s\",%lld]}",
           consumer, number(event, "offset"), uid_of(event), own ? yyjson_get_sint(own) : token);
    }
}

static bool holds(const char *lock, long long token) {
    yyjson_doc *answer = ask(BRANT_NOT_FOUND, "locks.get", "{\"name\":\"%s\"}", lock);
    const bool mine = answer && number(yyjson_doc_get_root(answer), "token") == token;
    yyjson_doc_free(answer);
    return mine;
}

/* The token, or 0 when somebody else has it. */
static long long acquire(const char *lock, int ttl) {
    yyjson_doc *answer = ask(BRANT_OK, "locks.acquire",
                             "{\"name\":\"%s\",\"owner\":\"%s\",\"ttl\":%d}", lock, name, ttl);
    const long long token = yyjson_get_bool(member(answer, "acquired"))
                                ? number(yyjson_doc_get_root(answer), "token")
                                : 0;
    yyjson_doc_free(answer);
    return token;
}

static void release(const char *lock, long long token) {
    if (!DO(BRANT_STALE, "locks.release", "{\"name\":\"%s\",\"token\":%lld}", lock, token))
        note("s %s", lock);
}

static void consume(void) {
    const long long token = acquire("consumer", LEASE);
    long long offset = 0;
    if (!token) return;
    yyjson_doc *answer =
        ask(BRANT_NOT_FOUND, "consumers.get", "{\"stream\":\"events\",\"consumer\":\"one\"}");
    if (answer) offset = number(yyjson_doc_get_root(answer), "offset");
    yyjson_doc_free(answer);
    answer = ask(BRANT_OK, "streams.read", "{\"stream\":\"events\",\"after\":%lld,\"limit\":20}",
                 offset);
    yyjson_val *events = member(answer, "items");
    const size_t count = yyjson_arr_size(events);
    if (chance(3)) nap(LEASE + 100);
    begin();
    if (holds("consumer", token)) {
        see("one", events, token);
        if (count > 0)
            DO(BRANT_OK, "consumers.commit",
               "{\"stream\":\"events\",\"consumer\":\"one\",\"offset\":%lld}",
               number(yyjson_arr_get_last(events), "offset"));
        commit();
        release("consumer", token);
    } else {
        roll_back();
        note("s consumer");
    }
    yyjson_doc_free(answer);
}

static void share(void) {
    yyjson_doc *answer = ask(
        BRANT_OK, "consumers.claim",
        "{\"stream\":\"events\",\"group\":\"share\",\"member\":\"%s\",\"limit\":5,\"lease\":%d}",
        name, LEASE);
    yyjson_val *events = member(answer, "items"), *event = NULL;
    if (yyjson_arr_size(events) > 0 && !chance(10)) {
        char items[1024] = "";
        size_t i = 0, count = 0, length = 0;
        if (chance(3)) nap(LEASE + 100);
        begin();
        see("share", events, 0);
        yyjson_arr_foreach(events, i, count, event) {
            length += (size_t)snprintf(items + length, sizeof items - length,
                                       "%s{\"offset\":%lld,\"token\":%lld}", i ? "," : "",
                                       number(event, "offset"), number(event, "token"));
        }
        yyjson_doc *acked =
            ask(BRANT_OK, "consumers.ack",
                "{\"stream\":\"events\",\"group\":\"share\",\"items\":[%s]}", items);
        if (yyjson_arr_size(member(acked, "stale")) > 0) {
            roll_back();
            note("s share");
        } else {
            commit();
        }
        yyjson_doc_free(acked);
    }
    yyjson_doc_free(answer);
}

/* ---- locks, schedules, notifications, changes ------------------------------------------------- */

static void guard(void) {
    const long long token = acquire("guard", 300);
    if (!token) return;
    for (int out = 0; out < 2; out++) {
        begin();
        if (holds("guard", token))
            DO(BRANT_OK, "sql.execute",
               "{\"sql\":\"INSERT INTO guarded (what, token) VALUES (?, "
               "?)\",\"params\":[\"%s\",%lld]}",
               out ? "out" : "in", token);
        commit();
        if (!out) nap(draw(chance(3) ? 401 : 6));
    }
    release("guard", token);
}

static void tick(void) {
    size_t i = 0, count = 0;
    yyjson_val *fire = NULL;
    begin();
    yyjson_doc *answer = ask(BRANT_OK, "schedules.tick", "{}");
    yyjson_arr_foreach(member(answer, "fired"), i, count, fire) {
        DO(BRANT_OK, "sql.execute",
           "{\"sql\":\"INSERT INTO fires (at, job) VALUES (?, ?)\",\"params\":[%lld,%lld]}",
           number(fire, "at"), number(fire, "id"));
    }
    commit();
    yyjson_doc_free(answer);
}

static void notify(void) {
    const bool dropped = chance(10);
    begin();
    DO(BRANT_OK, "events.notify", "{\"channel\":\"n\",\"payload\":{\"from\":\"%s\",\"n\":%lld}}",
       name, dropped ? -1 : said + 1);
    if (dropped) {
        roll_back();
        return;
    }
    commit();
    said++;
}

static void change(void) {
    const unsigned key = draw(50);
    if (chance(20))
        DO(BRANT_NOT_FOUND, "nodes.delete", "{\"graph\":\"g\",\"key\":\"k%u\"}", key);
    else
        DO(BRANT_OK, "nodes.put",
           "{\"graph\":\"g\",\"key\":\"k%u\",\"attributes\":{\"by\":\"%s\",\"n\":%u}}", key, name,
           draw(1000));
}

static void hear(yyjson_val *item) {
    if (yyjson_obj_get(item, "gap")) {
        heard_count = 0;
        return;
    }
    yyjson_val *payload = yyjson_obj_get(item, "payload");
    const char *from = yyjson_get_str(yyjson_obj_get(payload, "from"));
    const long long n = number(payload, "n");
    struct sender *sender = NULL;
    for (size_t i = 0; i < heard_count; i++)
        if (strcmp(heard[i].name, from) == 0) sender = &heard[i];
    if (n < 0) note("! heard what %s rolled back", from);
    if (sender && n >= 0 && n != sender->last + 1)
        note("! heard %lld of %s after %lld", n, from, sender->last);
    if (!sender && heard_count < sizeof heard / sizeof *heard) {
        sender = &heard[heard_count++];
        snprintf(sender->name, sizeof sender->name, "%s", from);
    }
    if (sender) sender->last = n;
}

static void listen(void) {
    char *text = NULL;
    size_t length = 0, i = 0, count = 0;
    yyjson_val *item = NULL;
    if (brant_cursor_next(&text, &length, listener, 0) != BRANT_OK) fail("listen");
    yyjson_doc *answer = yyjson_read(text, length, 0);
    brant_free(text);
    yyjson_arr_foreach(yyjson_doc_get_root(answer), i, count, item) {
        hear(item);
    }
    yyjson_doc_free(answer);
}

static const struct {
    void (*run)(void);
    unsigned weight;
} steps[] = {{produce, 20}, {work, 30}, {publish, 10}, {consume, 10}, {share, 10},
             {guard, 6},    {tick, 6},  {notify, 10},  {change, 6}};

static void step(void) {
    unsigned total = 0, drawn = 0;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        total += steps[i].weight;
    drawn = draw(total);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (drawn < steps[i].weight) {
            steps[i].run();
            break;
        }
        drawn -= steps[i].weight;
    }
    listen();
}

int main(int count, char **arguments) {
    static const char options[] = "{\"busy_timeout\":600000}", channels[] = "{\"channels\":[\"n\"]}";
    if (count != 6) {
        fprintf(stderr, "usage: torture_worker FILE LEDGER NAME SEED UNTIL\n");
        return 2;
    }
    name = arguments[3];
    state = strtoull(arguments[4], NULL, 10);
    const double until = strtod(arguments[5], NULL);
    ledger = open(arguments[2], O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (ledger < 0) return 3;
    if (brant_open(&db, arguments[1], strlen(arguments[1]), options, sizeof options - 1) !=
        BRANT_OK)
        fail("open");
    if (brant_event_listen(&listener, db, channels, sizeof channels - 1) != BRANT_OK)
        fail("listen");
    for (;;) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        if ((double)now.tv_sec + (double)now.tv_nsec / 1e9 >= until) break;
        step();
    }
    brant_cursor_free(listener);
    brant_db_free(db);
    close(ledger);
    return 0;
}
