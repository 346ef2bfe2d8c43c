/*
 * operation/call.c: running an operation: input, schema, transaction, handler, answer. Everything that all operations share is here, once.
 */
#include "event/consumer.h"
#include "event/event.h"
#include "event/stream.h"
#include "exchange/exchange.h"
#include "graph/graph.h"
#include "operation/operation.h"
#include "operation/session.h"

#define SMALL_BYTES                                                                                \
    128u /* there before the handler runs: transaction.commit answers when nothing may fail any more */
#define MEMBERS_BYTES 240u  /* of a message: what an operation takes */
#define LONGEST_NAME  1024u /* of a typed operation: names of graph types have 255 bytes at most */
#define KEEP_BYTES                                                                                 \
    (64u                                                                                           \
     << 10) /* answers up to this are copied out of the handle's buffer, which stays; larger ones take it along */

/* "; it takes graph, type .." where the first fault is a member of the input that there is not; else "". */
static void say_members(char out[MEMBERS_BYTES], const brant__operation *operation,
                        const char *first) {
    brant__json spec = {0};
    size_t index, count, length = 0;
    yyjson_val *name, *value;
    out[0] = '\0';
    if (first[0] != '/' || strchr(first + 1, '/') || !strstr(first, ": is not a property")) return;
    if (brant__json_parse(&spec, operation->spec, operation->spec_len, 0) == BRANT_OK) {
        yyjson_val *properties =
            yyjson_obj_get(yyjson_obj_get(spec.root, "input_schema"), "properties");
        yyjson_obj_foreach(properties, index, count, name, value) {
            const size_t more = yyjson_get_len(name) + 2;
            if (length + more + sizeof "; it takes  .." > MEMBERS_BYTES) {
                memcpy(out + length, " ..", 4);
                break;
            }
            length += (size_t)snprintf(out + length, MEMBERS_BYTES - length, "%s%s",
                                       index ? ", " : "; it takes ", yyjson_get_str(name));
        }
    }
    brant__json_free(&spec);
}

brant_status brant__input_refuse(brant__text name, const brant__operation *operation,
                                 const brant__schema *schema, yyjson_val *input) {
    brant__writer array = {0};
    brant__buffer detail = {0};
    char members[MEMBERS_BYTES] = "";
    char first[BRANT__VIOLATION_TEXT];
    brant__write_array(&array);
    brant__schema_violations(schema, input, BRANT__TEXT(""), &array);
    brant__write_end(&array);
    const brant__text violations = brant__text_of(array.buffer.data, array.buffer.length);
    brant__buffer_append(&detail, "{\"violations\":", 14);
    brant__buffer_append(&detail, violations.data, violations.length);
    brant__buffer_append_byte(&detail, '}');
    brant_status status = BRANT_OK;
    if (array.buffer.failed || detail.failed) {
        status = brant__fail_memory();
    } else {
        brant__violation_first(first, violations);
        if (operation) say_members(members, operation, first);
        status =
            brant__fail_detail(BRANT_INVALID, brant__text_of(detail.data, detail.length),
                               "%.*s: input %s%s", (int)name.length, name.data, first, members);
    }
    brant__buffer_free(&detail);
    brant__buffer_free(&array.buffer);
    return status;
}

/* Of calls without a handle: those that a handle has by default. */
static const brant__limits default_limits = {.document = (size_t)64 << 20,
                                             .depth = BRANT__JSON_DEPTH};

static brant_status refuse_input(const brant__operation *operation, yyjson_val *input) {
    return brant__input_refuse(brant__text_string(operation->name), operation, operation->input,
                               input);
}

static brant_status refuse_length(const brant__operation *operation, const brant__limits *limits,
                                  size_t length) {
    if (length <= limits->document) return BRANT_OK;
    return brant__fail(BRANT_LIMIT, "%s: the input has %llu bytes, the limit is %llu",
                       operation->name, (unsigned long long)length,
                       (unsigned long long)limits->document);
}

static brant_status read_input(brant__json *json, const brant__operation *operation, brant_db *db,
                               const char *text, size_t length) {
    const brant__limits *limits = db ? brant__db_limits(db) : &default_limits;
    if (length == 0) {
        text = "{}";
        length = 2;
    }
    brant_status status = refuse_length(operation, limits, length);
    if (status != BRANT_OK) return status;
    status = brant__json_parse(json, text, length, limits->depth);
    if (status != BRANT_OK) return status;
    if (!yyjson_is_obj(json->root))
        return brant__fail(BRANT_INVALID, "%s: the input must be a JSON object", operation->name);
    if (db && BRANT__UNLIKELY(operation->files != 0) && brant__db_session(db)) {
        status = brant__session_input(db, operation, json->root);
        if (status != BRANT_OK) return status;
    }
    if (operation->input && !brant__schema_accepts(operation->input, json->root))
        return refuse_input(operation, json->root);
    return BRANT_OK;
}

static brant_status hand_over(char **out_json, size_t *out_json_len, brant__writer *writer) {
    if (writer->buffer.failed) return brant__fail_memory();
    if (writer->buffer.length > KEEP_BYTES)
        return brant__buffer_take(out_json, out_json_len, &writer->buffer);
    char *copy = brant__strndup(writer->buffer.data, writer->buffer.length);
    if (!copy)
        return brant__buffer_take(out_json, out_json_len,
                                  &writer->buffer); /* which needs no memory */
    *out_json = copy;
    *out_json_len = writer->buffer.length;
    return BRANT_OK;
}

/* What keeps its own transaction is judged in one before. */
static brant_status judge_before(brant__call *call, const brant__operation *operation) {
    brant_status status = brant__begin(call->db, BRANT__READ);
    if (status != BRANT_OK) return status;
    status = brant__session_judge(call, operation);
    if (status == BRANT_OK) status = brant__commit(call->db);
    if (status != BRANT_OK) brant__rollback(call->db);
    return status;
}

/* The answer is made before the commit: want of memory must not make a failure of what is done. */
static brant_status run_handler(char **out_json, size_t *out_json_len,
                                const brant__operation *operation, brant__handler handler,
                                brant__call *call, bool judge) {
    brant_status status = BRANT_OK;
    if (!operation->own_transaction) {
        if (BRANT__UNLIKELY(judge)) status = judge_before(call, operation);
        if (status == BRANT_OK) status = handler(call);
        return status == BRANT_OK ? hand_over(out_json, out_json_len, call->out) : status;
    }
    status =
        brant__begin(call->db, operation->kind == BRANT__MUTATION ? BRANT__WRITE : BRANT__READ);
    if (status != BRANT_OK) return status;
    if (BRANT__UNLIKELY(judge)) status = brant__session_judge(call, operation);
    if (status == BRANT_OK) status = handler(call);
    if (status == BRANT_OK) status = hand_over(out_json, out_json_len, call->out);
    if (status == BRANT_OK) status = brant__commit(call->db);
    if (status == BRANT_OK) return BRANT_OK;
    brant__rollback(call->db);
    brant__free(*out_json);
    *out_json = NULL;
    *out_json_len = 0;
    return status;
}

/* A pure operation without a handle: scratch of its own. */
static brant_status run_alone(const brant__operation *operation, char **out_json,
                              size_t *out_json_len, const char *json, size_t json_len) {
    brant__scratch scratch = {0};
    brant__call call = {.out = &scratch.writer, .arena = &scratch.arena};
    brant_status status;
    BRANT__TRY(read_input(&scratch.json, operation, NULL, json, json_len));
    call.input = scratch.json.root;
    BRANT__TRY(operation->handler(&call));
    status = brant__buffer_take(out_json, out_json_len, &scratch.writer.buffer);
cleanup:
    brant__json_free(&scratch.json);
    brant__arena_free(&scratch.arena);
    brant__buffer_free(&scratch.writer.buffer);
    return brant__answer(status);
}

/* Into the handle, as one who may call this, with nothing answered yet. Leave it whether this succeeds or not once *out_call has a handle. */
static brant_status enter(brant__call *out_call, bool *out_judge, brant_db *db,
                          const brant__operation *operation, brant__text name) {
    *out_judge = false;
    brant_status status = brant__handle_enter(&db);
    if (status != BRANT_OK) return status;
    brant__scratch *scratch = brant__db_scratch(db);
    *out_call =
        (brant__call){.db = db, .out = &scratch->writer, .arena = &scratch->arena, .name = name};
    brant__db_running_set(db, operation);
    /* Operations of types look at their sessions themselves: only they know what they are. */
    if (BRANT__UNLIKELY(brant__db_session(db) != NULL) && operation->spec)
        BRANT__TRY(brant__session_admit(out_judge, db, operation));
    brant__arena_reset(&scratch->arena);
    brant__buffer_reset(&scratch->writer.buffer);
    scratch->writer = (brant__writer){.buffer = scratch->writer.buffer};
    scratch->writer.buffer.failed = false;
    if (!brant__buffer_reserve(&scratch->writer.buffer, SMALL_BYTES)) status = brant__fail_memory();
cleanup:
    return status;
}

static void leave(brant__call *call) {
    if (!call->db) return;
    brant__buffer *answer = &brant__db_scratch(call->db)->writer.buffer;
    if (answer->capacity > 4 * KEEP_BYTES) brant__buffer_free(answer);
    brant__leave(call->db);
}

static brant_status run(const brant__operation *operation, brant__text name, char **out_json,
                        size_t *out_json_len, brant_db *db, const char *json, size_t json_len) {
    if (!db && operation->pure) return run_alone(operation, out_json, out_json_len, json, json_len);
    brant_status status = BRANT_OK;
    brant__call call = {.db = NULL};
    bool judge = false;
    BRANT__TRY(enter(&call, &judge, db, operation, name));
    brant__json *input = &brant__db_scratch(call.db)->json;
    status = read_input(input, operation, call.db, json, json_len);
    if (BRANT__UNLIKELY(status != BRANT_OK)) {
        brant__db_secret(call.db); /* no handler sees what it holds, and could say so */
        goto cleanup;
    }
    call.input = input->root;
    BRANT__TRY(run_handler(out_json, out_json_len, operation, operation->handler, &call, judge));
cleanup:
    leave(&call);
    return brant__answer(status);
}

/* ---- by function ------------------------------------------------------------------------------------------------- */

static brant_status run_name(const char *name, char **out_json, size_t *out_json_len, brant_db *db,
                             const char *json, size_t json_len) {
    const brant__operation *operations = NULL;
    size_t count = 0;
    brant__error_clear();
    *out_json = NULL;
    *out_json_len = 0;
    const brant_status status = brant__registry(&operations, &count);
    if (status != BRANT_OK) return status;
    const brant__text text = brant__text_string(name);
    return run(brant__operation_find(operations, count, text), text, out_json, out_json_len, db,
               json, json_len);
}

/* sql.execute, but for how input and answer are written. */
brant_status brant_sql_run(char **out_answer, size_t *out_answer_len, brant_db *db,
                           const char *request, size_t request_len) {
    const brant__operation *operations = NULL;
    size_t count = 0;
    brant_status status = BRANT_OK;
    brant__call call = {.db = NULL};
    bool judge = false;
    brant__error_clear();
    *out_answer = NULL;
    *out_answer_len = 0;
    BRANT__TRY(brant__registry(&operations, &count));
    const brant__operation *operation =
        brant__operation_find(operations, count, BRANT__TEXT("sql.execute"));
    BRANT__TRY(enter(&call, &judge, db, operation, brant__text_string(operation->name)));
    BRANT__TRY(refuse_length(operation, brant__db_limits(call.db), request_len));
    call.frame = brant__text_of(request_len ? request : "", request_len);
    BRANT__TRY(run_handler(out_answer, out_answer_len, operation, brant__sql_run, &call, judge));
cleanup:
    leave(&call);
    return brant__answer(status);
}

#define DEFINE(function, handler, name, kind, transaction)                                         \
    brant_status function(char **out_json, size_t *out_json_len, brant_db *db, const char *json,   \
                          size_t json_len) {                                                       \
        return run_name(name, out_json, out_json_len, db, json, json_len);                         \
    }
BRANT__OPERATION_LIST(DEFINE)

/* Like a query whose answer is a cursor. */
static brant_status open_cursor(brant_cursor **out_cursor, const brant__operation *operation,
                                brant_db *db, const char *json, size_t json_len) {
    bool begun = false, judge = false;
    brant_status status = brant__handle_enter(&db);
    if (status != BRANT_OK) return status;
    brant__scratch *scratch = brant__db_scratch(db);
    brant__call call = {.db = db, .out = &scratch->writer, .arena = &scratch->arena};
    brant__db_running_set(db, operation);
    BRANT__TRY(brant__session_admit(&judge, db, operation));
    brant__arena_reset(&scratch->arena);
    BRANT__TRY(read_input(&scratch->json, operation, db, json, json_len));
    call.input = scratch->json.root;
    if (judge && !operation->own_transaction) BRANT__TRY(judge_before(&call, operation));
    if (operation->own_transaction) {
        BRANT__TRY(brant__begin(db, BRANT__READ));
        begun = true;
        if (judge) BRANT__TRY(brant__session_judge(&call, operation));
    }
    BRANT__TRY(operation->begin_cursor(out_cursor, &call));
    if (!begun || brant__commit(db) == BRANT_OK)
        begun = false;
    else
        (void)brant__error_code(); /* what was read is read */
cleanup:
    if (begun) brant__rollback(db);
    brant__leave(db);
    return brant__answer(status);
}

static brant_status open_name(const char *name, brant_cursor **out_cursor, brant_db *db,
                              const char *json, size_t json_len) {
    const brant__operation *operations = NULL;
    size_t count = 0;
    brant__error_clear();
    *out_cursor = NULL;
    const brant_status status = brant__registry(&operations, &count);
    if (status != BRANT_OK) return status;
    return open_cursor(out_cursor,
                       brant__operation_find(operations, count, brant__text_string(name)), db, json,
                       json_len);
}

#define DEFINE_CURSOR(function, begin, name, transaction)                                          \
    brant_status function(brant_cursor **out_cursor, brant_db *db, const char *json,               \
                          size_t json_len) {                                                       \
        return open_name(name, out_cursor, db, json, json_len);                                    \
    }
BRANT__CURSOR_LIST(DEFINE_CURSOR)

/* Which reads its input by itself. */
brant_status brant_event_listen(brant_cursor **out_cursor, brant_db *db, const char *json,
                                size_t json_len) {
    const brant__operation *operations = NULL;
    size_t count = 0;
    bool judge = false;
    brant__json input = {0};
    brant__error_clear();
    *out_cursor = NULL;
    brant_status status = brant__registry(&operations, &count);
    if (status == BRANT_OK) status = brant__handle_enter(&db);
    if (status != BRANT_OK) return status;
    const brant__operation *operation =
        brant__operation_find(operations, count, BRANT__TEXT("events.listen"));
    brant__scratch *scratch = brant__db_scratch(db);
    brant__call call = {.db = db, .out = &scratch->writer, .arena = &scratch->arena};
    brant__db_running_set(db, operation);
    BRANT__TRY(brant__session_admit(&judge, db, operation));
    brant__arena_reset(&scratch->arena);
    if (json_len == 0) {
        json = "{}";
        json_len = 2;
    }
    BRANT__TRY(brant__json_parse(&input, json, json_len, brant__db_limits(db)->depth));
    call.input = input.root;
    if (judge) BRANT__TRY(judge_before(&call, operation));
    status = brant__event_listen(out_cursor, db, input.root);
cleanup:
    brant__json_free(&input);
    brant__leave(db);
    return brant__answer(status);
}

/* ---- by name ------------------------------------------------------------------------------------------------------- */

static brant_status find(const brant__operation **out, const char *name, size_t name_len) {
    const brant__operation *operations = NULL;
    size_t count = 0;
    *out = NULL;
    const brant_status status = brant__registry(&operations, &count);
    if (status != BRANT_OK) return status;
    *out = brant__operation_find(operations, count, brant__text_of(name, name_len));
    if (!*out && name_len <= LONGEST_NAME && brant__utf8_check(name, name_len) == SIZE_MAX)
        *out = brant__typed_operation(brant__text_of(name, name_len));
    if (*out) return BRANT_OK;
    if (name_len > 128 || brant__utf8_check(name, name_len) != SIZE_MAX)
        return brant__fail(BRANT_NOT_FOUND, "no such operation");
    return brant__fail(BRANT_NOT_FOUND, "no operation \"%.*s\"; operations.list has them all",
                       (int)name_len, name);
}

brant_status brant_call(char **out_json, size_t *out_json_len, brant_db *db, const char *name,
                        size_t name_len, const char *json, size_t json_len) {
    const brant__operation *operation = NULL;
    brant__error_clear();
    *out_json = NULL;
    *out_json_len = 0;
    if (brant__text_equal(brant__text_of(name, name_len), BRANT__TEXT("operations.list")))
        return brant_operation_list(out_json, out_json_len, db, json, json_len);
    const brant_status status = find(&operation, name, name_len);
    if (status != BRANT_OK) return status;
    if (!operation->handler)
        return brant__fail(BRANT_MISUSE, "\"%s\" is a subscription: open it as a cursor",
                           operation->name);
    return run(operation, brant__text_of(name, name_len), out_json, out_json_len, db, json,
               json_len);
}

brant_status brant_call_open(brant_cursor **out_cursor, brant_db *db, const char *name,
                             size_t name_len, const char *json, size_t json_len) {
    const brant__operation *operation = NULL;
    brant__error_clear();
    *out_cursor = NULL;
    const brant_status status = find(&operation, name, name_len);
    if (status != BRANT_OK) return status;
    if (!operation->opener)
        return brant__fail(BRANT_MISUSE, "\"%s\" has one answer: call it", operation->name);
    return operation->opener(out_cursor, db, json, json_len);
}

/* What needs no handle is not entered for, but by those who have one that is not trusted. */
static brant_status check_list(brant_db *handle, const brant__operation *operation) {
    brant_db *db = handle;
    brant__arena arena = {0};
    bool judge = false;
    if (!handle || brant__db_connection(handle) == handle) return BRANT_OK;
    brant_status status = brant__handle_enter(&db);
    if (status != BRANT_OK) return status;
    brant__call call = {.db = db, .arena = &arena};
    brant__db_running_set(db, operation);
    status = brant__session_admit(&judge, db, operation);
    if (status == BRANT_OK && judge) status = judge_before(&call, operation);
    brant__arena_free(&arena);
    brant__leave(db);
    return status;
}

brant_status brant_operation_list(char **out_json, size_t *out_json_len, brant_db *db,
                                  const char *json, size_t json_len) {
    const brant__operation *operations = NULL;
    size_t count = 0;
    brant__json input = {0};
    brant__writer out = {0};
    brant_status status = BRANT_OK;
    brant__error_clear();
    *out_json = NULL;
    *out_json_len = 0;
    BRANT__TRY(brant__registry(&operations, &count));
    const brant__operation *self =
        brant__operation_find(operations, count, BRANT__TEXT("operations.list"));
    BRANT__TRY(check_list(db, self));
    BRANT__TRY(brant__json_parse(&input, json_len ? json : "{}", json_len ? json_len : 2, 0));
    if (!yyjson_is_obj(input.root)) {
        status = brant__fail(BRANT_INVALID, "operations.list: the input must be a JSON object");
        goto cleanup;
    }
    if (!brant__schema_accepts(self->input, input.root)) {
        status = refuse_input(self, input.root);
        goto cleanup;
    }
    const brant__text wanted = brant__json_get_text(input.root, "namespace");
    if (brant__json_get(input.root, "graph_type")) {
        static const brant__operation typed = {.name = "operations.list",
                                               .kind = BRANT__QUERY,
                                               .own_transaction = true,
                                               .handler = brant__typed_list};
        status =
            run(&typed, BRANT__TEXT("operations.list"), out_json, out_json_len, db, json, json_len);
        goto cleanup;
    }
    brant__write_object(&out);
    brant__write_name(&out, "items");
    brant__write_array(&out);
    for (size_t i = 0; i < count; i++) {
        const char *dot = strchr(operations[i].name, '.');
        const brant__text space =
            brant__text_of(operations[i].name, (size_t)(dot - operations[i].name));
        if (!wanted.data || brant__text_equal(wanted, space))
            brant__write_raw(&out, brant__text_of(operations[i].spec, operations[i].spec_len));
    }
    brant__write_end(&out);
    brant__write_end(&out);
    status = brant__buffer_take(out_json, out_json_len, &out.buffer);
cleanup:
    brant__buffer_free(&out.buffer);
    brant__json_free(&input);
    return brant__answer(status);
}
