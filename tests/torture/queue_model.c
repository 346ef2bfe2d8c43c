/*
 * tests/torture/queue_model.c: random operations on queues and jobs, each compared with what a simple model in memory says of it.
 *
 *     queue_model [--steps N] [--seed N] [--verbose]
 *
 * The model is written for being right, not fast: after each operation it decides anew, from the jobs as they are, which of a key are ready. One process, one handle, a clock that the test
 * moves. What is compared: statuses, answers, and, now and then and at the end, every job that there ever was, the figures of the queues, and db.doctor. Some operations run
 * inside a transaction that is rolled back. A failure prints the seed and the step.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <yyjson.h>

#include "brant.h"

#define QUEUES   5
#define KEYS     3
#define UNIQUES  4
#define JOBS     200000
#define RECENT   60 /* jobs that operations choose from, mostly */
#define AFTER    3
#define OPEN     4000
#define CLAIMS   64
#define NO_LIMIT 1000000

enum { READY, DELAYED, BLOCKED, RUNNING, DONE, DEAD, CANCELLED, EXPIRED, STATES, GONE = STATES };
static const char *const state_names[] = {"ready", "delayed", "blocked",   "running",
                                          "done",  "dead",    "cancelled", "expired"};
enum { ENQUEUED, CLAIMED, COMPLETED, FAILED, RETRIED, DIED, TOTALS };
enum { ACTIVE, PAUSED, DRAINING };
static const char *const queue_states[] = {"active", "paused", "draining"};

typedef struct rules {
    const char *name;
    const char *policy; /* members of queues.configure, with a comma before */
    int64_t lease, max_attempts, base, most, result_ttl, cancelled_ttl,
        dead_ttl; /* ttl -1: for ever */
    int64_t concurrency, key_concurrency, rate, period, max_size;
    bool fifo;
} rules;

#define BACKOFF ",\"backoff\":{\"base\":1000,\"factor\":2,\"max\":5000,\"jitter\":0}"
static const rules all_rules[QUEUES] = {
    {"plain", ",\"max_attempts\":3" BACKOFF, 30000, 3, 1000, 5000, 0, 86400000, -1, NO_LIMIT,
     NO_LIMIT, 0, 0, NO_LIMIT, false},
    {"limited",
     ",\"max_attempts\":4,\"concurrency\":5,\"key_concurrency\":2,\"lease\":5000" BACKOFF, 5000, 4,
     1000, 5000, 0, 86400000, -1, 5, 2, 0, 0, NO_LIMIT, false},
    {"fifo",
     ",\"max_attempts\":3,\"fifo\":true,\"result_ttl\":20000,\"cancelled_ttl\":30000" BACKOFF,
     30000, 3, 1000, 5000, 20000, 30000, -1, NO_LIMIT, NO_LIMIT, 0, 0, NO_LIMIT, true},
    {"rated",
     ",\"max_attempts\":2,\"rate_limit\":{\"limit\":4,\"period\":5000},\"max_size\":40,\"dead_"
     "ttl\":60000" BACKOFF,
     30000, 2, 1000, 5000, 0, 86400000, 60000, NO_LIMIT, NO_LIMIT, 4, 5000, 40, false},
    {"single",
     ",\"max_attempts\":5,\"concurrency\":3,\"key_concurrency\":1,\"result_ttl\":5000" BACKOFF,
     30000, 5, 1000, 5000, 5000, 86400000, -1, 3, 1, 0, 0, NO_LIMIT, false},
};

typedef struct job {
    bool gone;
    int queue, state;
    int64_t priority, run_at, expires_at, lease_until, remove_at, result_ttl, finished_at,
        created_at;
    int key;    /* -1: none */
    int unique; /* -1: holds none that ends with it */
    int64_t attempt, claims, max_attempts;
    bool cancel;
    int64_t after[AFTER]; /* unmet; 0: none */
    bool run_anyway;
    int payload, errors;
    char worker; /* 0: none */
} job;

typedef struct unique {
    int64_t job, until; /* until 0: until the job ends; job 0: free */
} unique;

typedef struct model {
    job *jobs; /* by id */
    int64_t count;
    int64_t open[OPEN]; /* ids of those that are not finished, and some that are, ascending */
    int open_count;
    int queue_state[QUEUES];
    unique uniques[QUEUES][UNIQUES];
    int64_t claimed_at[QUEUES][CLAIMS]; /* ring of the claims of queues with a rate limit */
    int64_t totals[QUEUES][TOTALS];
} model;

static model now_model, saved_model;
static model *const m = &now_model;
static int64_t now = 1700000000000;
static uint64_t random_state;
static uint64_t seed = 1;
static int64_t step;
static bool verbose;
static brant_db *db;

/* ---- chance ----------------------------------------------------------------------------------- */

static uint64_t next_random(void) { /* splitmix64 */
    uint64_t z = (random_state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}
static int64_t below(int64_t bound) {
    return (int64_t)(next_random() % (uint64_t)bound);
}
static bool one_in(int64_t bound) {
    return below(bound) == 0;
}

/* ---- going back --------------------------------------------------------------------------------- */

static void copy_model(model *to, const model *from) {
    job *jobs = to->jobs;
    *to = *from;
    to->jobs = jobs;
    memcpy(to->jobs, from->jobs, (size_t)(from->count + 1) * sizeof *to->jobs);
}
static void keep(void) {
    copy_model(&saved_model, m);
}
static void restore(void) {
    copy_model(m, &saved_model);
}

/* ---- calling ---------------------------------------------------------------------------------- */

static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "seed %llu, step %lld: ", (unsigned long long)seed, (long long)step);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

static char input[8192];
static size_t input_length;

static void begin(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    input_length = (size_t)vsnprintf(input, sizeof input, format, arguments);
    va_end(arguments);
}
static void add(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    input_length +=
        (size_t)vsnprintf(input + input_length, sizeof input - input_length, format, arguments);
    va_end(arguments);
}

static yyjson_doc *answer_document;

/* Call with what begin and add wrote; the answer is true until the next call. NULL: it failed as it should. */
static yyjson_val *call(const char *name, brant_status wanted) {
    char *answer = NULL;
    size_t length = 0;
    const brant_status status =
        brant_call(&answer, &length, db, name, strlen(name), input, input_length);
    if (verbose)
        fprintf(stderr, "%lld %lld %s %s -> %s %s\n", (long long)step, (long long)now, name, input,
                brant_status_name(status), status ? brant_last_error()->message : answer);
    if (status != wanted)
        fail("%s %s: wanted %s, got %s: %s", name, input, brant_status_name(wanted),
             brant_status_name(status), status ? brant_last_error()->message : answer);
    yyjson_doc_free(answer_document);
    answer_document = NULL;
    if (status != BRANT_OK) return NULL;
    answer_document = yyjson_read(answer, length, 0);
    if (!answer_document) fail("%s %s: the answer is not JSON: %s", name, input, answer);
    brant_free(answer);
    return yyjson_doc_get_root(answer_document);
}

static int64_t integer(yyjson_val *object, const char *name, int64_t otherwise) {
    yyjson_val *value = yyjson_obj_get(object, name);
    return yyjson_is_int(value) ? yyjson_get_sint(value) : otherwise;
}

static void same_integer(yyjson_val *object, const char *name, int64_t wanted, int64_t otherwise) {
    if (integer(object, name, otherwise) != wanted) {
        char *text = yyjson_val_write(object, 0, NULL);
        fail("%s should be %lld: %s", name, (long long)wanted, text);
    }
}

static void same_text(yyjson_val *object, const char *name, const char *wanted) {
    const char *text = yyjson_get_str(yyjson_obj_get(object, name));
    if (wanted ? !text || strcmp(text, wanted) != 0 : text != NULL) {
        char *all = yyjson_val_write(object, 0, NULL);
        fail("%s should be %s: %s", name, wanted ? wanted : "absent", all);
    }
}

/* ---- the model: states ------------------------------------------------------------------------- */

static bool unfinished(const job *j) {
    return !j->gone && j->state <= RUNNING;
}
static int waits(const job *j) {
    int count = 0;
    for (int i = 0; i < AFTER; i++)
        count += j->after[i] != 0;
    return count;
}
static bool goes_before(const job *a, const job *b) { /* of the same queue; by priority, then id */
    return a->priority != b->priority ? a->priority > b->priority : a < b;
}

/* The unfinished of a queue, and of a key unless that is negative, by id. */
static job *found[OPEN];
static int find(int queue, int key) {
    int count = 0;
    for (int i = 0; i < m->open_count; i++) {
        job *j = &m->jobs[m->open[i]];
        if (unfinished(j) && j->queue == queue && (key < 0 || j->key == key)) found[count++] = j;
    }
    return count;
}

static void normalise_fifo(int queue, int key) {
    const int count = find(queue, key);
    bool running = false;
    for (int i = 0; i < count; i++)
        running = running || found[i]->state == RUNNING;
    for (int i = 0; i < count; i++)
        if (found[i]->state == READY && (running || i > 0)) found[i]->state = BLOCKED;
    if (count > 0 && !running && found[0]->state == BLOCKED && waits(found[0]) == 0)
        found[0]->state = found[0]->run_at > now ? DELAYED : READY;
}

static void normalise_limited(int queue, int key) {
    const int count = find(queue, key);
    int64_t places = all_rules[queue].key_concurrency;
    for (int i = 0; i < count; i++) {
        if (found[i]->state == RUNNING) places--;
        if (found[i]->state == READY) found[i]->state = BLOCKED;
    }
    for (; places > 0; places--) {
        job *best = NULL;
        for (int i = 0; i < count; i++)
            if (found[i]->state == BLOCKED && waits(found[i]) == 0 &&
                (!best || goes_before(found[i], best)))
                best = found[i];
        if (!best) break;
        best->state = READY;
    }
}

static void normalise(int queue, int key) {
    if (key < 0) return;
    if (all_rules[queue].fifo)
        normalise_fifo(queue, key);
    else if (all_rules[queue].key_concurrency < NO_LIMIT)
        normalise_limited(queue, key);
}

static void open_job(int64_t id) {
    int at = m->open_count;
    for (int i = 0; i < m->open_count; i++)
        if (m->open[i] == id) return;
    if (m->open_count == OPEN) fail("too many jobs are open");
    for (; at > 0 && m->open[at - 1] > id; at--)
        m->open[at] = m->open[at - 1];
    m->open[at] = id;
    m->open_count++;
}

static void sweep(void) {
    int kept = 0;
    for (int i = 0; i < m->open_count; i++)
        if (unfinished(&m->jobs[m->open[i]])) m->open[kept++] = m->open[i];
    m->open_count = kept;
}

/* A job waits, from now on: where does it belong? */
static void place(job *j) {
    const rules *r = &all_rules[j->queue];
    open_job(j - m->jobs);
    j->cancel = false;
    j->worker = 0;
    j->remove_at = 0;
    if (waits(j) > 0 || (r->fifo && j->key >= 0))
        j->state = BLOCKED;
    else
        j->state = j->run_at > now ? DELAYED : READY;
    normalise(j->queue, j->key);
}

static void finish(job *j, int state) {
    const rules *r = &all_rules[j->queue];
    const int64_t id = j - m->jobs;
    const bool was_open = j->state <= RUNNING;
    int64_t ttl = r->cancelled_ttl;
    if (state == DONE) ttl = j->result_ttl >= 0 ? j->result_ttl : r->result_ttl;
    if (state == DEAD) ttl = r->dead_ttl;
    if (state == GONE || (state == DONE && ttl == 0)) j->gone = true;
    j->state = state == GONE ? CANCELLED : state;
    j->remove_at = ttl < 0 ? 0 : now + ttl;
    j->finished_at = now;
    if (!was_open) return;
    if (state == DEAD) m->totals[j->queue][DIED]++;
    for (int u = 0; u < UNIQUES; u++)
        if (m->uniques[j->queue][u].job == id && m->uniques[j->queue][u].until == 0)
            m->uniques[j->queue][u].job = 0;
    memset(j->after, 0, sizeof j->after);
    normalise(j->queue, j->key);
    for (int i = 0; i < m->open_count; i++) {
        job *other = &m->jobs[m->open[i]];
        bool waited = false;
        for (int k = 0; k < AFTER; k++) {
            waited = waited || (unfinished(other) && other->after[k] == id);
            if (other->after[k] == id) other->after[k] = 0;
        }
        if (!waited) continue;
        if (state != DONE && !other->run_anyway) {
            other->errors++;
            finish(other, CANCELLED);
        } else if (waits(other) == 0) {
            place(other);
        }
    }
}

/* ---- the model: time ------------------------------------------------------------------------- */

static int64_t backoff(const job *j) {
    const rules *r = &all_rules[j->queue];
    int64_t delay = r->base;
    for (int64_t i = 1; i < j->attempt && delay < r->most; i++)
        delay *= 2;
    return delay < r->most ? delay : r->most;
}

static int64_t max_attempts(const job *j) {
    return j->max_attempts ? j->max_attempts : all_rules[j->queue].max_attempts;
}

/* An attempt failed: again, from run_at on, or the end. */
static void retry(job *j, bool again, int64_t run_at) {
    m->totals[j->queue][FAILED]++;
    j->errors++;
    if (j->cancel) {
        finish(j, CANCELLED);
    } else if (!again || j->attempt >= max_attempts(j)) {
        finish(j, DEAD);
    } else {
        m->totals[j->queue][RETRIED]++;
        j->run_at = run_at;
        place(j);
    }
}

/* The jobs of a queue in a state, or of any that waits (-1), of which `time` has come: by time, then id. */
typedef int64_t (*time_of)(const job *j);
static int64_t lease_of(const job *j) {
    return j->lease_until;
}
static int64_t expiry_of(const job *j) {
    return j->claims == 0 ? j->expires_at : 0;
}
static int64_t run_at_of(const job *j) {
    return j->run_at;
}
static int find_due(job **due, int queue, int state, time_of time) {
    int count = 0;
    for (int i = 0; i < m->open_count; i++) {
        job *j = &m->jobs[m->open[i]];
        int at = count;
        if (!unfinished(j) || j->queue != queue || time(j) == 0 || time(j) > now ||
            (state < 0 ? j->state == RUNNING : j->state != state))
            continue;
        for (; at > 0 && time(due[at - 1]) > time(j); at--)
            due[at] = due[at - 1];
        due[at] = j;
        count++;
    }
    return count;
}

/* What a claim does before it takes. */
static void settle(int queue) {
    static job *due[OPEN];
    int count = find_due(due, queue, RUNNING, lease_of);
    for (int i = 0; i < count; i++)
        retry(due[i], true, 0);
    count = find_due(due, queue, -1, expiry_of);
    for (int i = 0; i < count; i++)
        if (unfinished(due[i])) finish(due[i], EXPIRED);
    count = find_due(due, queue, DELAYED, run_at_of);
    for (int i = 0; i < count; i++)
        if (due[i]->state == DELAYED) place(due[i]);
    sweep();
}

static int64_t tokens(int queue) {
    const rules *r = &all_rules[queue];
    int64_t used = 0;
    if (r->rate == 0) return NO_LIMIT;
    for (int i = 0; i < CLAIMS; i++)
        used += m->claimed_at[queue][i] > now - r->period;
    return r->rate - used;
}

static int64_t count_running(int queue) {
    const int count = find(queue, -1);
    int64_t running = 0;
    for (int i = 0; i < count; i++)
        running += found[i]->state == RUNNING;
    return running;
}

static job *best_ready(int queue) {
    const int count = find(queue, -1);
    job *best = NULL;
    for (int i = 0; i < count; i++)
        if (found[i]->state == READY && (!best || goes_before(found[i], best))) best = found[i];
    return best;
}

/* ---- comparing ---------------------------------------------------------------------------------- */

static int64_t after_sum(const job *j) {
    int64_t sum = 0;
    for (int i = 0; i < AFTER; i++)
        sum += j->after[i];
    return sum;
}

static void compare_shown(yyjson_val *shown, int64_t id) {
    const job *j = &m->jobs[id];
    char key[8];
    snprintf(key, sizeof key, "k%d", j->key);
    same_integer(shown, "id", id, 0);
    same_text(shown, "queue", all_rules[j->queue].name);
    same_text(shown, "state", state_names[j->state]);
    same_integer(shown, "priority", j->priority, 0);
    same_text(shown, "key", j->key < 0 ? NULL : key);
    same_integer(shown, "attempt", j->attempt, -1);
    same_integer(shown, "max_attempts", max_attempts(j), -1);
    same_integer(shown, "payload", j->payload, -1);
    same_integer(shown, "expires_at", j->expires_at, 0);
    same_integer(shown, "created_at", j->created_at, 0);
    if (j->state == DELAYED) same_integer(shown, "run_at", j->run_at, 0);
    same_integer(shown, "lease_until", j->state == RUNNING ? j->lease_until : 0, 0);
    same_integer(shown, "finished_at", j->state > RUNNING ? j->finished_at : 0, 0);
    if (j->cancel != yyjson_get_bool(yyjson_obj_get(shown, "cancel_requested")))
        fail("cancel_requested of job %lld", (long long)id);
    if (yyjson_arr_size(yyjson_obj_get(shown, "errors")) !=
        (size_t)(j->errors < 20 ? j->errors : 20))
        fail("job %lld should have %d errors: %s", (long long)id, j->errors,
             yyjson_val_write(shown, 0, NULL));
    int64_t sum = 0;
    size_t index, count;
    yyjson_val *value;
    yyjson_arr_foreach(yyjson_obj_get(shown, "after"), index, count, value) sum +=
        yyjson_get_sint(value);
    if (sum != after_sum(j))
        fail("after of job %lld: %s", (long long)id, yyjson_val_write(shown, 0, NULL));
}

static void compare(int64_t id) {
    begin("{\"id\":%lld}", (long long)id);
    if (id < 1 || id > m->count || m->jobs[id].gone)
        call("jobs.get", BRANT_NOT_FOUND);
    else
        compare_shown(call("jobs.get", BRANT_OK), id);
}

static void compare_stats(int queue) {
    static const char *const names[] = {"enqueued", "claimed", "completed",
                                        "failed",   "retried", "died"};
    int64_t counts[STATES] = {0};
    for (int64_t id = 1; id <= m->count; id++)
        if (!m->jobs[id].gone && m->jobs[id].queue == queue) counts[m->jobs[id].state]++;
    begin("{\"queue\":\"%s\"}", all_rules[queue].name);
    yyjson_val *stats = call("queues.stats", BRANT_OK);
    for (int state = 0; state < STATES; state++)
        same_integer(stats, state_names[state], counts[state], -1);
    for (int i = 0; i < TOTALS; i++)
        same_integer(stats, names[i], m->totals[queue][i], -1);
    same_text(stats, "state", queue_states[m->queue_state[queue]]);
}

/* A page, and what it says of each, with those that the model would show. */
static void compare_list(int queue) {
    const int state = one_in(3) ? -1 : (int)below(STATES), key = one_in(3) ? (int)below(KEYS) : -1;
    const int64_t limit = 1 + below(20);
    int64_t id = below(m->count + 1), next = 0;
    size_t index, count;
    yyjson_val *item;
    begin("{\"queue\":\"%s\",\"limit\":%lld,\"after\":%lld", all_rules[queue].name,
          (long long)limit, (long long)id);
    if (state >= 0) add(",\"state\":\"%s\"", state_names[state]);
    if (key >= 0) add(",\"key\":\"k%d\"", key);
    add("}");
    yyjson_val *page = call("jobs.list", BRANT_OK);
    yyjson_arr_foreach(yyjson_obj_get(page, "items"), index, count, item) {
        while (++id <= m->count) {
            const job *j = &m->jobs[id];
            if (!j->gone && j->queue == queue && (state < 0 || j->state == state) &&
                (key < 0 || j->key == key))
                break;
        }
        if (id > m->count) fail("jobs.list %s: too many", input);
        compare_shown(item, next = id);
    }
    bool more = false;
    for (int64_t rest = id + 1; rest <= m->count && !more; rest++) {
        const job *j = &m->jobs[rest];
        more = !j->gone && j->queue == queue && (state < 0 || j->state == state) &&
               (key < 0 || j->key == key);
    }
    if (more && (int64_t)count < limit) fail("jobs.list %s: too few", input);
    same_integer(page, "next", more ? next : 0, 0);
}

static void compare_all(bool gone) {
    for (int64_t id = 1; id <= m->count + 1; id++)
        if (gone || (id <= m->count && !m->jobs[id].gone)) compare(id);
    for (int queue = 0; queue < QUEUES; queue++)
        compare_stats(queue);
}

/* ---- operations: enqueueing ---------------------------------------------------------------------- */

/* A job that is likely to be in an interesting state. */
static int64_t pick(void) {
    if (m->open_count > 0 && !one_in(4)) return m->open[below(m->open_count)];
    if (m->count == 0 || one_in(50)) return m->count + 1 + below(3);
    return m->count - below(m->count < RECENT ? m->count : RECENT);
}

static job *pick_job(int64_t *out_id) { /* NULL: there is none */
    *out_id = pick();
    begin("{\"id\":%lld", (long long)*out_id);
    return *out_id < 1 || *out_id > m->count || m->jobs[*out_id].gone ? NULL : &m->jobs[*out_id];
}

typedef struct request {
    job job;
    int unique; /* -1: none */
    int64_t window;
    int on_conflict;
    bool missing; /* comes after one that was never given */
    bool failed;  /* comes after one that did not get done, and is cancelled for it */
} request;

static void request_after(request *q, int64_t given) {
    const int count = 1 + (int)below(AFTER);
    q->job.run_anyway = one_in(3);
    add(",\"after\":[");
    for (int i = 0; i < count; i++) {
        const int64_t id = one_in(200) ? given + 50 : 1 + below(given > 0 ? given : 1);
        const int64_t recent = given > 20 && !one_in(4) && id <= given ? given - below(20) : id;
        bool repeated = false;
        add("%s%lld", i ? "," : "", (long long)recent);
        if (recent > given) {
            q->missing = true;
            continue;
        }
        const job *other = &m->jobs[recent];
        for (int k = 0; k < AFTER; k++)
            repeated = repeated || q->job.after[k] == recent;
        if (unfinished(other)) {
            if (!repeated) q->job.after[i] = recent;
        } else if (!other->gone && other->state != DONE && !q->job.run_anyway) {
            q->failed = true;
        }
    }
    add("]");
    if (q->job.run_anyway) add(",\"on_failure\":\"run\"");
}

/* Members of a random request, after which there may be more. */
static void make_request(request *q, int queue, int64_t given) {
    static const char *const conflicts[] = {"skip", "replace", "reschedule"};
    *q = (request){.unique = -1};
    job *j = &q->job;
    *j = (job){.queue = queue, .key = -1, .result_ttl = -1, .created_at = now};
    j->payload = (int)below(1000);
    add("\"payload\":%d", j->payload);
    if (one_in(2)) add(",\"priority\":%lld", (long long)(j->priority = below(5) - 2));
    if (one_in(4)) {
        const int64_t delay = below(4000);
        if (one_in(2)) {
            add(",\"delay\":%lld", (long long)delay);
            j->run_at = delay > 0 ? now + delay : 0;
        } else {
            add(",\"run_at\":%lld", (long long)(j->run_at = now - 500 + delay));
        }
    }
    if (one_in(8)) {
        j->expires_at = now + 1 + below(6000);
        if (one_in(2))
            add(",\"expires_at\":%lld", (long long)j->expires_at);
        else
            add(",\"expires_in\":%lld", (long long)(j->expires_at - now));
    }
    if (one_in(2)) add(",\"key\":\"k%d\"", j->key = (int)below(KEYS));
    if (one_in(6)) add(",\"max_attempts\":%lld", (long long)(j->max_attempts = 1 + below(3)));
    if (one_in(6)) add(",\"result_ttl\":%lld", (long long)(j->result_ttl = below(3) * 4000));
    if (one_in(5) && given > 0) request_after(q, given);
    if (one_in(5)) {
        q->unique = (int)below(UNIQUES);
        q->on_conflict = (int)below(3);
        add(",\"unique\":{\"key\":\"u%d\",\"on_conflict\":\"%s\"", q->unique,
            conflicts[q->on_conflict]);
        if (q->unique % 2) add(",\"window\":%lld", (long long)(q->window = 1000 + 4000 * below(3)));
        add("}");
    }
}

static bool full(int queue) {
    return find(queue, -1) >= all_rules[queue].max_size;
}

typedef struct result {
    int64_t id;
    const char *state;
    const char *action;
} result;

/* What an accepted request does. */
static result enqueue(request *q) {
    const int queue = q->job.queue;
    unique *held = q->unique < 0 ? NULL : &m->uniques[queue][q->unique];
    if (held && held->job && (held->until == 0 || held->until > now)) {
        job *other = &m->jobs[held->job];
        if (other->gone || other->state >= RUNNING || q->on_conflict == 0)
            return (result){held->job, other->gone ? "done" : state_names[other->state], "skipped"};
        const int64_t holder = held->job;
        const int key = other->key;
        other->run_at = q->job.run_at;
        if (q->on_conflict == 1) {
            other->priority = q->job.priority;
            other->payload = q->job.payload;
            other->key = q->job.key;
            other->expires_at = q->job.expires_at;
            other->max_attempts = q->job.max_attempts;
            other->result_ttl = q->job.result_ttl;
            other->run_anyway = q->job.run_anyway;
            memcpy(other->after, q->job.after, sizeof other->after);
        }
        place(other);
        normalise(queue, key);
        if (q->on_conflict == 1 && q->failed) {
            other->errors++;
            finish(other, CANCELLED);
        }
        return (result){holder, state_names[other->state],
                        q->on_conflict == 1 ? "replaced" : "rescheduled"};
    }
    const int64_t id = ++m->count;
    if (id >= JOBS) fail("too many jobs");
    job *j = &m->jobs[id];
    *j = q->job;
    m->totals[queue][ENQUEUED]++;
    if (held) *held = (unique){id, q->window ? now + q->window : 0};
    if (q->failed) {
        j->state = BLOCKED;
        j->errors++;
        open_job(id);
        finish(j, CANCELLED);
    } else {
        place(j);
    }
    return (result){id, state_names[j->state], "enqueued"};
}

/* Would a job that is replaced wait for itself, or for one that may wait for it? */
static bool makes_circle(const request *q, int64_t id) {
    bool itself = false, newer = false, waited = q->job.key >= 0 && all_rules[q->job.queue].fifo;
    for (int k = 0; k < AFTER; k++) {
        const int64_t after = q->job.after[k];
        itself = itself || after == id;
        newer = newer || after > id;
    }
    for (int64_t i = 1; i <= m->count; i++)
        for (int k = 0; k < AFTER; k++)
            waited = waited || (unfinished(&m->jobs[i]) && m->jobs[i].after[k] == id);
    return itself || (newer && waited);
}

/* Is it taken, as far as the queue's size and what it comes after are concerned? */
static brant_status refusal(const request *q) {
    const unique *held = q->unique < 0 ? NULL : &m->uniques[q->job.queue][q->unique];
    const bool duplicate = held && held->job && (held->until == 0 || held->until > now);
    if (duplicate) {
        const job *other = &m->jobs[held->job];
        const bool replaces = !other->gone && other->state < RUNNING && q->on_conflict == 1;
        if (!replaces) return BRANT_OK;
        if (q->missing) return BRANT_NOT_FOUND;
        return makes_circle(q, held->job) ? BRANT_CONFLICT : BRANT_OK;
    }
    if (full(q->job.queue)) return BRANT_LIMIT;
    return q->missing ? BRANT_NOT_FOUND : BRANT_OK;
}

static void do_enqueue(int queue) {
    request q;
    begin("{\"queue\":\"%s\",", all_rules[queue].name);
    make_request(&q, queue, m->count);
    add("}");
    if (m->queue_state[queue] == DRAINING) {
        call("queues.enqueue", BRANT_CONFLICT);
        return;
    }
    const brant_status status = refusal(&q);
    yyjson_val *answer = call("queues.enqueue", status);
    if (status != BRANT_OK) return;
    const result wanted = enqueue(&q);
    same_integer(answer, "id", wanted.id, 0);
    same_text(answer, "state", wanted.state);
    same_text(answer, "action", wanted.action);
}

static void do_enqueue_many(int queue) {
    request q[6];
    const int count = 1 + (int)below(6);
    begin("{\"queue\":\"%s\",\"items\":[", all_rules[queue].name);
    for (int i = 0; i < count; i++) {
        add(i ? ",{" : "{");
        make_request(&q[i], queue, m->count);
        add("}");
    }
    add("]}");
    if (m->queue_state[queue] == DRAINING) {
        call("queues.enqueue_many", BRANT_CONFLICT);
        return;
    }
    brant_status status = BRANT_OK;
    int64_t ids[6], duplicates = 0;
    keep();
    for (int i = 0; i < count && status == BRANT_OK; i++) {
        /* Jobs that the requests before this one ended or changed. */
        for (int k = 0; k < AFTER; k++)
            if (q[i].job.after[k] && !unfinished(&m->jobs[q[i].job.after[k]])) {
                if (m->jobs[q[i].job.after[k]].state != DONE && !q[i].job.run_anyway)
                    q[i].failed = true;
                q[i].job.after[k] = 0;
            }
        status = refusal(&q[i]);
        if (status != BRANT_OK) break;
        const result wanted = enqueue(&q[i]);
        ids[i] = wanted.id;
        duplicates += strcmp(wanted.action, "enqueued") != 0;
    }
    yyjson_val *answer = call("queues.enqueue_many", status);
    if (status != BRANT_OK) {
        restore();
        return;
    }
    same_integer(answer, "duplicates", duplicates, -1);
    for (int i = 0; i < count; i++)
        if (yyjson_get_sint(yyjson_arr_get(yyjson_obj_get(answer, "ids"), (size_t)i)) != ids[i])
            fail("queues.enqueue_many %s: id %d", input, i);
}

/* ---- operations: working ------------------------------------------------------------------------- */

/* A token that is right, mostly. */
static int64_t token_of(const job *j) {
    return one_in(12) ? (j ? j->claims : 0) + below(3) - 1 : j ? j->claims : 1;
}
static bool held(const job *j, int64_t token) {
    return j && j->state == RUNNING && j->claims == token;
}

static void done(job *j) {
    m->totals[j->queue][COMPLETED]++;
    finish(j, DONE);
}

/* Writes [{id, token}..], does them in the model, and remembers which are stale. */
static int ack_items(int64_t *stale, int *out_acked) {
    const int count = (int)below(4);
    int stale_count = 0;
    *out_acked = 0;
    add("[");
    for (int i = 0; i < count; i++) {
        char before[sizeof input];
        memcpy(before, input, sizeof before);
        const size_t length = input_length;
        int64_t id = 0;
        job *j = pick_job(&id);
        memcpy(input, before, sizeof before);
        input_length = length;
        const int64_t token = token_of(j);
        add("%s{\"id\":%lld,\"token\":%lld}", i ? "," : "", (long long)id, (long long)token);
        if (held(j, token)) {
            done(j);
            ++*out_acked;
        } else {
            stale[stale_count++] = id;
        }
    }
    add("]");
    return stale_count;
}

static void same_stale(yyjson_val *answer, const int64_t *stale, int count) {
    yyjson_val *told = yyjson_obj_get(answer, "stale");
    if (yyjson_arr_size(told) != (size_t)count) fail("%s: stale", input);
    for (int i = 0; i < count; i++)
        if (yyjson_get_sint(yyjson_arr_get(told, (size_t)i)) != stale[i]) fail("%s: stale", input);
}

static void do_claim(int queue) {
    const rules *r = &all_rules[queue];
    int64_t limit = 1 + below(one_in(5) ? 20 : 3), lease = r->lease, stale[4], next = 0;
    int stale_count = 0, acked = 0;
    const char worker = (char)('a' + below(3));
    const bool acks = one_in(3);
    begin("{\"queue\":\"%s\",\"limit\":%lld,\"worker\":\"%c\"", r->name, (long long)limit, worker);
    if (one_in(3)) add(",\"lease\":%lld", (long long)(lease = 1 + below(8000)));
    if (acks) {
        add(",\"ack\":");
        stale_count = ack_items(stale, &acked);
    }
    add("}");
    sweep();
    settle(queue);
    yyjson_val *answer = call("queues.claim", BRANT_OK);
    yyjson_val *items = yyjson_obj_get(answer, "items");
    if (acks) {
        same_integer(answer, "acked", acked, -1);
        same_stale(answer, stale, stale_count);
    }
    if (m->queue_state[queue] == PAUSED) limit = 0;
    if (r->concurrency - count_running(queue) < limit)
        limit = r->concurrency - count_running(queue);
    if (tokens(queue) < limit) limit = tokens(queue);
    for (size_t i = 0; (int64_t)i < limit; i++) {
        job *j = best_ready(queue);
        yyjson_val *item = yyjson_arr_get(items, i);
        if (!j) break;
        if (!item)
            fail("queues.claim %s: job %lld should have been given", input,
                 (long long)(j - m->jobs));
        same_integer(item, "id", j - m->jobs, 0);
        j->state = RUNNING;
        j->claims++;
        j->attempt++;
        j->lease_until = now + lease;
        j->worker = worker;
        m->totals[queue][CLAIMED]++;
        if (r->rate) { /* the oldest goes */
            int oldest = 0;
            for (int k = 1; k < CLAIMS; k++)
                if (m->claimed_at[queue][k] < m->claimed_at[queue][oldest]) oldest = k;
            m->claimed_at[queue][oldest] = now;
        }
        same_integer(item, "token", j->claims, 0);
        same_integer(item, "attempt", j->attempt, 0);
        same_integer(item, "max_attempts", max_attempts(j), 0);
        same_integer(item, "payload", j->payload, -1);
        same_integer(item, "lease_until", j->lease_until, 0);
        next++;
    }
    if (yyjson_arr_size(items) != (size_t)next)
        fail("queues.claim %s: %zu given, %lld wanted", input, yyjson_arr_size(items),
             (long long)next);
}

static void do_ack_many(void) {
    int64_t stale[4];
    int acked = 0;
    begin("{\"items\":");
    const int stale_count = ack_items(stale, &acked);
    add("}");
    yyjson_val *answer = call("jobs.ack_many", BRANT_OK);
    same_integer(answer, "acked", acked, -1);
    same_stale(answer, stale, stale_count);
}

/* Of what waits again, or has ended. */
static void same_outcome(yyjson_val *answer, const job *j) {
    same_text(answer, "state", state_names[j->state]);
    same_integer(answer, "run_at", j->state < RUNNING ? j->run_at : 0, 0);
}

static void do_with_token(void) {
    static const char *const names[] = {"jobs.ack", "jobs.fail", "jobs.snooze", "jobs.release",
                                        "jobs.heartbeat"};
    int64_t id = 0, delay = below(3000), lease = 1 + below(9000);
    const int what = (int)below(5);
    job *j = pick_job(&id);
    const int64_t token = token_of(j);
    const bool again = !one_in(6), given = one_in(3);
    add(",\"token\":%lld", (long long)token);
    if (what == 1) {
        add(one_in(2) ? ",\"error\":\"broken\"" : ",\"error\":{\"message\":\"m\",\"stack\":\"s\"}");
        if (!again || one_in(3)) add(",\"retry\":%s", again ? "true" : "false");
    }
    if (what == 2 || (what == 1 && given)) add(",\"delay\":%lld", (long long)delay);
    if (what == 4 && given) add(",\"lease\":%lld", (long long)lease);
    add("}");
    yyjson_val *answer = call(names[what], held(j, token) ? BRANT_OK : BRANT_STALE);
    if (!answer) return;
    if (what == 0) {
        done(j);
    } else if (what == 1) {
        if (!given) delay = backoff(j);
        retry(j, again, delay ? now + delay : 0);
        same_outcome(answer, j);
    } else if (what < 4) {
        if (what == 3) delay = 0;
        if (j->cancel) {
            finish(j, CANCELLED);
        } else {
            j->attempt--;
            j->run_at = delay ? now + delay : 0;
            place(j);
        }
        same_outcome(answer, j);
    } else {
        if (given)
            j->lease_until = now + lease;
        else if (j->lease_until < now + all_rules[j->queue].lease)
            j->lease_until = now + all_rules[j->queue].lease;
        same_integer(answer, "lease_until", j->lease_until, 0);
    }
}

/* ---- operations: by hand --------------------------------------------------------------------------- */

static void do_cancel(void) {
    int64_t id = 0;
    job *j = pick_job(&id);
    add("}");
    yyjson_val *answer = call("jobs.cancel", !j                   ? BRANT_NOT_FOUND
                                             : j->state > RUNNING ? BRANT_CONFLICT
                                                                  : BRANT_OK);
    if (!answer) return;
    if (j->state == RUNNING)
        j->cancel = true;
    else
        finish(j, CANCELLED);
    same_text(answer, "state", state_names[j->state]);
}

static void do_delete(void) {
    int64_t id = 0;
    job *j = pick_job(&id);
    add("}");
    if (call("jobs.delete", !j ? BRANT_NOT_FOUND : j->state == RUNNING ? BRANT_CONFLICT : BRANT_OK))
        finish(j, GONE);
}

static void requeue(job *j) {
    j->attempt = 0;
    j->run_at = j->expires_at = 0;
    place(j);
}

static void do_requeue(void) {
    int64_t id = 0;
    job *j = pick_job(&id);
    const bool changes = one_in(3);
    const int payload = (int)below(1000);
    if (changes) add(",\"payload\":%d", payload);
    add("}");
    yyjson_val *answer = call("jobs.requeue", !j                 ? BRANT_NOT_FOUND
                                              : j->state <= DONE ? BRANT_CONFLICT
                                                                 : BRANT_OK);
    if (!answer) return;
    if (changes) j->payload = payload;
    requeue(j);
    same_text(answer, "state", state_names[j->state]);
}

static void do_update(void) {
    int64_t id = 0, priority = below(5) - 2, run_at = now - 500 + below(4000);
    job *j = pick_job(&id);
    const bool sets_priority = one_in(2), sets_run_at = one_in(2), sets_payload = one_in(3);
    const int payload = (int)below(1000);
    if (sets_priority) add(",\"priority\":%lld", (long long)priority);
    if (sets_run_at) add(",\"run_at\":%lld", (long long)run_at);
    if (sets_payload) add(",\"payload\":%d", payload);
    add("}");
    yyjson_val *answer = call("jobs.update", !j                   ? BRANT_NOT_FOUND
                                             : j->state > BLOCKED ? BRANT_CONFLICT
                                                                  : BRANT_OK);
    if (!answer) return;
    if (sets_payload) j->payload = payload;
    if (sets_priority) j->priority = priority;
    if (sets_run_at) j->run_at = run_at;
    if (sets_priority || sets_run_at) place(j);
    compare_shown(answer, id);
}

/* Those of a queue that ended in a state at `until` or before, by when they ended, then id; at most `limit`. */
static int find_ended(job **ended, int queue, int state, int64_t until, int64_t limit) {
    int count = 0;
    for (int64_t id = 1; id <= m->count; id++) {
        job *j = &m->jobs[id];
        int at = count;
        if (j->gone || j->queue != queue || j->state != state || j->finished_at > until) continue;
        if (count == OPEN) fail("too many jobs have ended");
        for (; at > 0 && ended[at - 1]->finished_at > j->finished_at; at--)
            ended[at] = ended[at - 1];
        ended[at] = j;
        count++;
    }
    return count < limit ? count : (int)limit;
}

static job *ended[OPEN];

static void do_requeue_many(int queue) {
    const int state = DEAD + (int)below(3);
    const int64_t limit = 1 + below(5);
    begin("{\"queue\":\"%s\",\"limit\":%lld", all_rules[queue].name, (long long)limit);
    if (state != DEAD || one_in(2)) add(",\"state\":\"%s\"", state_names[state]);
    add("}");
    const int count = find_ended(ended, queue, state, INT64_MAX, limit);
    same_integer(call("jobs.requeue_many", BRANT_OK), "requeued", count, -1);
    for (int i = 0; i < count; i++)
        requeue(ended[i]);
}

static void do_prune(int queue) {
    const int64_t age = one_in(2) ? 0 : below(20000), limit = 1 + below(200);
    const int only = one_in(2) ? DONE + (int)below(4) : -1;
    int pruned = 0;
    begin("{\"queue\":\"%s\",\"limit\":%lld", all_rules[queue].name, (long long)limit);
    if (age) add(",\"older_than\":%lld", (long long)age);
    if (only >= 0) add(",\"states\":[\"%s\"]", state_names[only]);
    add("}");
    for (int state = DONE; state < STATES; state++) {
        if (only >= 0 && state != only) continue;
        const int count = find_ended(ended, queue, state, now - age, limit - pruned);
        for (int i = 0; i < count; i++)
            finish(ended[i], GONE);
        pruned += count;
    }
    same_integer(call("queues.prune", BRANT_OK), "pruned", pruned, -1);
}

static void do_state(int queue) {
    static const char *const names[] = {"queues.resume", "queues.pause", "queues.drain"};
    const int state = one_in(2) ? ACTIVE : (int)below(3);
    begin("{\"queue\":\"%s\"}", all_rules[queue].name);
    m->queue_state[queue] = state;
    same_text(call(names[state], BRANT_OK), "state", queue_states[state]);
}

static void do_maintain(void) {
    begin("{}");
    call("db.maintain", BRANT_OK);
    for (int queue = 0; queue < QUEUES; queue++)
        settle(queue);
    for (int64_t id = 1; id <= m->count; id++) {
        job *j = &m->jobs[id];
        if (!j->gone && j->state > RUNNING && j->remove_at && j->remove_at <= now) j->gone = true;
    }
}

/* ---- all of it ---------------------------------------------------------------------------------------- */

static void do_something(void) {
    const int queue = (int)below(QUEUES);
    const int64_t chance = below(100);
    if (chance < 24) {
        if (m->open_count < 150) do_enqueue(queue);
    } else if (chance < 27) {
        if (m->open_count < 150) do_enqueue_many(queue);
    } else if (chance < 50) {
        do_claim(queue);
    } else if (chance < 74) {
        do_with_token();
    } else if (chance < 77) {
        do_ack_many();
    } else if (chance < 80) {
        do_cancel();
    } else if (chance < 82) {
        do_delete();
    } else if (chance < 85) {
        do_requeue();
    } else if (chance < 89) {
        do_update();
    } else if (chance < 90) {
        do_requeue_many(queue);
    } else if (chance < 91) {
        if (one_in(4)) do_prune(queue);
    } else if (chance < 92) {
        if (one_in(3) || m->queue_state[queue] != ACTIVE) do_state(queue);
    } else if (chance < 97) {
        compare(pick());
    } else {
        compare_list(queue);
    }
    sweep();
}

static void do_transaction(void) {
    const bool rolls_back = one_in(2);
    keep();
    /* What operations inside change of the model by failing themselves goes over this copy. */
    model kept = saved_model;
    kept.jobs = malloc((size_t)(saved_model.count + 1) * sizeof *kept.jobs);
    if (!kept.jobs) fail("no memory");
    memcpy(kept.jobs, saved_model.jobs, (size_t)(saved_model.count + 1) * sizeof *kept.jobs);
    begin("{}");
    call("transaction.begin", BRANT_OK);
    for (int64_t left = 1 + below(6); left > 0; left--)
        do_something();
    begin("{}");
    call(rolls_back ? "transaction.rollback" : "transaction.commit", BRANT_OK);
    if (rolls_back) copy_model(m, &kept);
    free(kept.jobs);
}

static int64_t clock_now(void *context) {
    (void)context;
    return now;
}

static void run(const char *path, int64_t steps) {
    static const brant_sources sources = {clock_now, NULL, NULL};
    if (brant_open_with(&db, path, strlen(path), "", 0, &sources) != BRANT_OK)
        fail("%s", brant_last_error()->message);
    for (int i = 0; i < QUEUES; i++) {
        begin("{\"queue\":\"%s\"%s}", all_rules[i].name, all_rules[i].policy);
        call("queues.configure", BRANT_OK);
    }
    for (step = 1; step <= steps; step++) {
        now += one_in(3) ? below(600) : 0;
        if (one_in(300)) now += below(8000);
        if (one_in(3000)) now += 100000;
        if (one_in(60))
            do_transaction();
        else if (one_in(500))
            do_maintain();
        else
            do_something();
        if (step % 1000 == 0) compare_all(false);
    }
    compare_all(true);
    begin("{}");
    yyjson_val *doctor = call("db.doctor", BRANT_OK);
    if (!yyjson_get_bool(yyjson_obj_get(doctor, "ok")))
        fail("db.doctor: %s", yyjson_val_write(doctor, 0, NULL));
    yyjson_doc_free(answer_document);
    brant_db_free(db);
}

int main(int count, char **arguments) {
    int64_t steps = 100000;
    char folder[] = "/tmp/brant-model-XXXXXX", path[64];
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "--verbose") == 0)
            verbose = true;
        else if (i + 1 < count && strcmp(arguments[i], "--steps") == 0)
            steps = strtoll(arguments[++i], NULL, 10);
        else if (i + 1 < count && strcmp(arguments[i], "--seed") == 0)
            seed = strtoull(arguments[++i], NULL, 10);
        else {
            fprintf(stderr, "usage: queue_model [--steps N] [--seed N] [--verbose]\n");
            return 2;
        }
    }
    random_state = seed;
    now_model.jobs = calloc(JOBS, sizeof *now_model.jobs);
    saved_model.jobs = calloc(JOBS, sizeof *saved_model.jobs);
    if (!now_model.jobs || !saved_model.jobs || !mkdtemp(folder)) fail("no memory, or no folder");
    snprintf(path, sizeof path, "%s/a.db", folder);
    run(path, steps);
    printf("seed %llu: %lld steps, %lld jobs\n1 passed, 0 failed\n", (unsigned long long)seed,
           (long long)steps, (long long)m->count);
    free(now_model.jobs);
    free(saved_model.jobs);
    snprintf(path, sizeof path, "rm -rf %s", folder);
    return system(path) == 0 ? 0 : 1;
}
