/*
 * graph/background.c: a long operation as a job.
 */
#include "graph/background.h"

#include "event/job.h"

#define RESULT_KEPT INT64_C(604800000) /* ms */

static void write_payload(brant__writer *out, brant__call *call, const char *operation,
                          const char *const *members, size_t count) {
    brant__write_object(out);
    brant__write_text_member(out, "operation", brant__text_string(operation));
    brant__write_name(out, "input");
    brant__write_object(out);
    for (size_t i = 0; i < count; i++) {
        yyjson_val *value = brant__json_get(call->input, members[i]);
        if (!value) continue;
        brant__write_name(out, members[i]);
        brant__write_value(out, value);
    }
    brant__write_end(out);
    brant__write_end(out);
}

static void write_options(brant__writer *out, brant__text unique) {
    brant__write_object(out);
    brant__write_integer_member(out, "result_ttl", RESULT_KEPT);
    brant__write_name(out, "unique");
    brant__write_object(out);
    brant__write_text_member(out, "key", unique);
    brant__write_text_member(out, "on_conflict", BRANT__TEXT("replace"));
    brant__write_end(out);
    brant__write_end(out);
}

brant_status brant__background(brant__call *call, const char *queue, const char *operation,
                               brant__text unique, const char *const *members, size_t count) {
    brant__writer payload = {0}, options = {0};
    brant__json json = {0};
    int64_t id;
    brant_status status;

    write_payload(&payload, call, operation, members, count);
    write_options(&options, unique);
    if (payload.buffer.failed || options.buffer.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    BRANT__TRY(brant__json_parse(&json, options.buffer.data, options.buffer.length, 0));
    BRANT__TRY(brant__job_enqueue(
        &id, call->db, brant__text_string(queue),
        &(brant__payload){brant__text_of(payload.buffer.data, payload.buffer.length), false},
        json.root, (brant__text){NULL, 0}));
    brant__write_integer_object(call->out, "job", id);
cleanup:
    brant__json_free(&json);
    brant__buffer_free(&payload.buffer);
    brant__buffer_free(&options.buffer);
    return status;
}
