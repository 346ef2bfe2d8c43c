/*
 * operation/worker.c: the library's own worker, which db.maintain runs: operations that are long, as jobs of queues of the library.
 *
 * A job is {"operation", "input"}: an operation of the table below, called again and again with a bound of its own until its answer says that it is done. Each call
 * is a transaction of its own and goes on where the last one ended, so a job may be stopped at any moment: by the bound of one db.maintain (it is released and goes on with the
 * next), by a cancel, or by the death of its process (its lease ends, and another takes it).
 */
#include "operation/worker.h"
#include "event/job.h"
#include "graph/graph.h"
#include "operation/operation.h"

#define LEASE INT64_C(60000)
#define STEPS 50 /* calls of one job in one db.maintain */
#define JOBS  20 /* of one queue in one db.maintain */

static const struct {
    const char *queue;
    const char *operation;
    int64_t limit;    /* its member `limit` */
    const char *done; /* the member of its answer.. */
    bool when;        /* ..that says so, with this value */
    bool stops;       /* at a row that fails, unless the input has on_failure: "skip" */
    brant_status (*able)(bool *out, brant_db *db); /* can this handle do it? NULL: any can */
} tasks[] = {
    {"schema-migration", "graph_types.migrate", 1, "done", true, true, NULL},
    {"graph-maintenance", "graphs.purge", 10000, "purged", true, false, NULL},
    {"graph-maintenance", "calls.project", 1000, "more", false, false, NULL},
    {"secret-rotation", "secrets.rotate", 1, "done", true, false, brant__secret_rotates},
};

typedef struct worker {
    brant_db *db;
    const brant__operation *operations;
    size_t operation_count;
    brant__arena arena;
    brant__writer input;
    brant__writer answer;
    brant__json input_json;
    brant__json answer_json;
    brant__json claimed; /* the claim's answer: what the job is stands in it */
    int64_t id;
    int64_t token;
    int64_t steps;
    brant__worked *done;
} worker;

static void clear(brant__writer *writer) {
    brant__buffer_reset(&writer->buffer);
    *writer = (brant__writer){.buffer = writer->buffer};
}

/* ---- calls ---------------------------------------------------------------------------------------------------------------- */

/* Run an operation on self->input as a call of its own does it. Its answer is in self->answer_json. */
static brant_status perform(worker *self, const char *name) {
    const brant__text text = brant__text_string(name);
    const brant__operation *operation =
        brant__operation_find(self->operations, self->operation_count, text);
    brant__call call = {.db = self->db, .out = &self->answer, .arena = &self->arena, .name = text};
    bool begun = false;
    brant_status status;

    if (self->input.buffer.failed) return brant__fail_memory();
    BRANT__TRY(brant__db_poll(self->db));
    BRANT__TRY(brant__json_parse(&self->input_json, self->input.buffer.data,
                                 self->input.buffer.length, BRANT__JSON_DEPTH + 8));
    if (operation->input && !brant__schema_accepts(operation->input, self->input_json.root)) {
        status = brant__input_refuse(text, operation, operation->input, self->input_json.root);
        goto cleanup;
    }
    brant__arena_reset(&self->arena);
    clear(&self->answer);
    call.input = self->input_json.root;
    if (operation->own_transaction) {
        BRANT__TRY(brant__begin(self->db, BRANT__WRITE));
        begun = true;
    }
    BRANT__TRY(operation->handler(&call));
    if (self->answer.buffer.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    BRANT__TRY(brant__json_parse(&self->answer_json, self->answer.buffer.data,
                                 self->answer.buffer.length, BRANT__JSON_DEPTH + 8));
    if (begun) BRANT__TRY(brant__commit(self->db));
    begun = false;
cleanup:
    if (begun) brant__rollback(self->db);
    return status;
}

static void begin_input(worker *self) {
    clear(&self->input);
    brant__write_object(&self->input);
}

/* The members that name the job and its claim. */
static void begin_job_input(worker *self) {
    begin_input(self);
    brant__write_integer_member(&self->input, "id", self->id);
    brant__write_integer_member(&self->input, "token", self->token);
}

/* ---- one job ---------------------------------------------------------------------------------------------------------------- */

/* {"steps", "answer"}: progress, and the result. */
static void write_state(worker *self, const char *name, brant__text last) {
    brant__write_name(&self->input, name);
    brant__write_object(&self->input);
    brant__write_integer_member(&self->input, "steps", self->steps);
    brant__write_name(&self->input, "answer");
    brant__write_raw(&self->input, last);
    brant__write_end(&self->input);
}

/* What ends our claim; another may have the job by now. */
static brant_status perform_owned(worker *self, const char *operation) {
    const brant_status status = perform(self, operation);

    if (status != BRANT_STALE) return status;
    (void)brant__error_code();
    return BRANT_OK;
}

static brant_status fail_job(worker *self, const char *code, brant__text message) {
    begin_job_input(self);
    brant__write_bool_member(&self->input, "retry", false);
    brant__write_name(&self->input, "error");
    brant__write_object(&self->input);
    brant__write_text_member(&self->input, "message", message);
    brant__write_text_member(&self->input, "code", brant__text_string(code));
    brant__write_end(&self->input);
    brant__write_end(&self->input);
    self->done->failed++;
    return perform_owned(self, "jobs.fail");
}

/* Failures that are the job's: it would fail so again. */
static bool of_job(brant_status status) {
    switch (status) {
    case BRANT_INVALID:
    case BRANT_INVALID_JSON:
    case BRANT_VALIDATION:
    case BRANT_NOT_FOUND:
    case BRANT_EXISTS:
    case BRANT_CONFLICT:
    case BRANT_CONSTRAINT:
    case BRANT_LIMIT:
    case BRANT_DENIED:
        return true;
    default:
        return false;
    }
}

static brant_status fail_with_record(worker *self) {
    const brant_error *error = brant_last_error();
    const char *name = error->name;
    const brant__text message = brant__text_of(
        brant__arena_copy(&self->arena, error->message, error->message_len), error->message_len);

    (void)brant__error_code();
    if (!message.data) return brant__fail_memory();
    return fail_job(self, name, message);
}

static brant_status finish(worker *self, const char *operation) {
    begin_job_input(self);
    brant__write_end(&self->input);
    return perform_owned(self, operation);
}

/* One call of the job's operation, and what it did as its progress. *out_done: the job is finished, or is ours no longer. */
static brant_status step(worker *self, size_t task, yyjson_val *input, bool *out_done) {
    brant__buffer last = {0};
    size_t index, count;
    yyjson_val *name, *value;
    bool complete, stopped;
    brant_status status;

    *out_done = false;
    begin_input(self);
    yyjson_obj_foreach(input, index, count, name, value) {
        if (yyjson_equals_str(name, "limit") || yyjson_equals_str(name, "background")) continue;
        brant__write_name_text(&self->input, brant__json_text(name));
        brant__write_value(&self->input, value);
    }
    brant__write_integer_member(&self->input, "limit", tasks[task].limit);
    brant__write_end(&self->input);
    status = perform(self, tasks[task].operation);
    if (of_job(status)) {
        *out_done = true;
        return fail_with_record(self);
    }
    if (status != BRANT_OK) return status;
    self->steps++;
    self->done->steps++;
    complete = brant__json_bool(brant__json_get(self->answer_json.root, tasks[task].done),
                                !tasks[task].when) == tasks[task].when;
    /* A migration that a row stops would be stopped by it again. */
    stopped = !complete && tasks[task].stops &&
              yyjson_arr_size(brant__json_get(self->answer_json.root, "failures")) > 0 &&
              !yyjson_equals_str(brant__json_get(input, "on_failure"), "skip");
    brant__buffer_append(&last, self->answer.buffer.data, self->answer.buffer.length);
    if (last.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    begin_job_input(self);
    if (complete)
        write_state(self, "result", brant__text_of(last.data, last.length));
    else
        write_state(self, "progress", brant__text_of(last.data, last.length));
    if (!complete) brant__write_integer_member(&self->input, "lease", LEASE);
    brant__write_end(&self->input);
    status = perform(self, complete ? "jobs.ack" : "jobs.heartbeat");
    if (status == BRANT_STALE) {
        (void)brant__error_code();
        *out_done = true;
        status = BRANT_OK;
        goto cleanup;
    }
    if (status != BRANT_OK) goto cleanup;
    *out_done = complete || stopped;
    if (complete) {
        self->done->jobs++;
    } else if (stopped) {
        status = fail_job(self, "VALIDATION",
                          BRANT__TEXT("a row cannot be migrated; the progress says which and why"));
    } else if (brant__json_bool(brant__json_get(self->answer_json.root, "cancel_requested"),
                                false)) {
        *out_done = true;
        status = fail_job(self, "CANCELLED", BRANT__TEXT("cancelled"));
    }
cleanup:
    brant__buffer_free(&last);
    return status;
}

static brant_status work(worker *self, const char *queue, yyjson_val *payload) {
    const brant__text operation = brant__json_get_text(payload, "operation");
    bool done = false;
    size_t task = 0;
    brant_status status = BRANT_OK;

    while (task < BRANT__COUNT(tasks) &&
           (strcmp(tasks[task].queue, queue) != 0 ||
            !brant__text_equal(operation, brant__text_string(tasks[task].operation))))
        task++;
    if (task == BRANT__COUNT(tasks))
        return fail_job(self, "INVALID",
                        BRANT__TEXT("the payload names no operation that this queue is for"));
    for (int i = 0; i < STEPS && !done && status == BRANT_OK; i++)
        status = step(self, task, brant__json_get(payload, "input"), &done);
    if (done) return status;
    if (status == BRANT_OK) return finish(self, "jobs.release");
    /* What stopped us is told; the job goes back, if that can be written. */
    if (finish(self, "jobs.release") != BRANT_OK) (void)brant__error_code();
    return status;
}

/* ---- queues ----------------------------------------------------------------------------------------------------------------- */

/* *out_found false: there is no such queue, or nothing in it that can be claimed now. */
static brant_status claim(bool *out_found, worker *self, const char *queue) {
    brant__queue row;
    bool exists;
    int64_t until;
    yyjson_val *item, *progress;
    brant_status status = brant__begin(self->db, BRANT__READ);

    *out_found = false;
    if (status != BRANT_OK) return status;
    status = brant__queue_look_up(&exists, &row, self->db, brant__text_string(queue));
    if (status == BRANT_OK && exists)
        status = brant__queue_claimable(&exists, &until, self->db, &row);
    brant__rollback(self->db);
    if (status != BRANT_OK || !exists) return status;
    begin_input(self);
    brant__write_text_member(&self->input, "queue", brant__text_string(queue));
    brant__write_text_member(&self->input, "worker", BRANT__TEXT("db.maintain"));
    brant__write_integer_member(&self->input, "lease", LEASE);
    brant__write_end(&self->input);
    BRANT__TRY(perform(self, "queues.claim"));
    BRANT__TRY(brant__json_parse(&self->claimed, self->answer.buffer.data,
                                 self->answer.buffer.length, BRANT__JSON_DEPTH + 8));
    item = yyjson_arr_get_first(brant__json_get(self->claimed.root, "items"));
    if (!item) goto cleanup;
    self->id = brant__json_integer(brant__json_get(item, "id"), 0);
    self->token = brant__json_integer(brant__json_get(item, "token"), 0);
    progress = brant__json_get(item, "progress");
    self->steps = brant__json_integer(brant__json_get(progress, "steps"), 0);
    *out_found = true;
cleanup:
    return status;
}

brant_status brant__worker_run(brant__worked *out, brant_db *db) {
    worker self = {.db = db, .done = out};
    brant_status status;

    *out = (brant__worked){0};
    BRANT__TRY(brant__registry(&self.operations, &self.operation_count));
    for (size_t i = 0; i < BRANT__COUNT(tasks); i++) {
        bool able = true;
        if (i > 0 && strcmp(tasks[i].queue, tasks[i - 1].queue) == 0) continue;
        if (tasks[i].able) BRANT__TRY(tasks[i].able(&able, db));
        if (!able) continue;
        for (int jobs = 0; jobs < JOBS; jobs++) {
            bool found;
            BRANT__TRY(claim(&found, &self, tasks[i].queue));
            if (!found) break;
            BRANT__TRY(work(
                &self, tasks[i].queue,
                brant__json_get(yyjson_arr_get_first(brant__json_get(self.claimed.root, "items")),
                                "payload")));
            if (out->steps >= STEPS) break; /* the rest is left to the next time */
        }
    }
cleanup:
    brant__arena_free(&self.arena);
    brant__buffer_free(&self.input.buffer);
    brant__buffer_free(&self.answer.buffer);
    brant__json_free(&self.input_json);
    brant__json_free(&self.answer_json);
    brant__json_free(&self.claimed);
    return status;
}
