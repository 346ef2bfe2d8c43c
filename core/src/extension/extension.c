/*
 * extension/extension.c: brant as a loadable extension of SQLite: its operations as SQL functions on the host's connection.
 *
 *   brant(operation [, input])                    any operation of the registry but subscriptions: JSON in, JSON out
 *   brant_enqueue(queue, payload [, options])     -> the job's id; options: JSON object, as queues.enqueue takes them
 *   brant_claim(queue [, worker [, limit]])       -> JSON array of jobs
 *   brant_ack(id, token [, result])               -> 1
 *   brant_fail(id, token, error)                  -> the job's state
 *   brant_heartbeat(id, token [, lease])          -> when the lease ends
 *   brant_publish(stream, payload [, key])        -> the event's offset
 *   brant_read(stream [, after [, limit]])        -> JSON array of events
 *   brant_commit(stream, consumer, offset)        -> the saved offset
 *   brant_notify(channel [, payload])             -> the notification's id
 *   brant_lock_acquire(name, owner [, ttl])       -> the fencing token, NULL: another owner holds it
 *   brant_lock_release(name, token)               -> 1
 *   brant_rate_limit(name, limit, period)         -> 1 allowed, 0 not (a sliding window)
 *   brant_adopt()                                 -> the format: adds brant's tables to the host's file, which becomes one of brant's (write-ahead logging)
 *   brant_version()                               -> JSON {version, sqlite_version, warning?}
 *
 * A payload, result or error: text is JSON (json_quote makes JSON of any text), a blob is bytes, numbers and NULL are what they are. Times are ms. Outside a transaction a call is one of its
 * own; inside, it is a part of it, and is taken back with it. A call that fails changes nothing; one that fails after it had written, within a statement that writes (a trigger, INSERT .. SELECT), takes
 * the host's transaction with it, and says so. Waiters in other processes are woken after the host's commit (extension/host.c). Failing is an SQL error whose message begins with the code: "STALE: …".
 * What begins or ends transactions, restores, or runs SQL is the host's own business: UNSUPPORTED.
 */
#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

#include <math.h>
#include <stdlib.h>

#include "extension/host.h"
#include "operation/operation.h"

#undef SQLITE_EXTENSION_INIT3
SQLITE_EXTENSION_INIT1

#define ARGUMENTS    4
#define JSON_SUBTYPE 74 /* sqlite.org/json1.html: what marks a text as JSON */

/* How an argument becomes a member of the input. */
enum { TEXT, INTEGER, PAYLOAD, JSON, MEMBERS };
/* How the answer becomes a value: a member's number, text or JSON, or 1. */
enum { NUMBER, WORD, DOCUMENT, DONE };

typedef struct sql_function {
    const char *name;
    const char *operation; /* NULL: special */
    int least, most;
    struct {
        const char *member;
        int kind;
    } arguments[ARGUMENTS];
    const char *fixed[2]; /* a member that is always the same, and its text */
    int answer;
    const char *member;
} sql_function;

static const sql_function functions[] = {
    {"brant_enqueue",
     "queues.enqueue",
     2,
     3,
     {{"queue", TEXT}, {"payload", PAYLOAD}, {NULL, MEMBERS}},
     {NULL},
     NUMBER,
     "id"},
    {"brant_claim",
     "queues.claim",
     1,
     3,
     {{"queue", TEXT}, {"worker", TEXT}, {"limit", INTEGER}},
     {NULL},
     DOCUMENT,
     "items"},
    {"brant_ack",
     "jobs.ack",
     2,
     3,
     {{"id", INTEGER}, {"token", INTEGER}, {"result", JSON}},
     {NULL},
     DONE,
     NULL},
    {"brant_fail",
     "jobs.fail",
     3,
     3,
     {{"id", INTEGER}, {"token", INTEGER}, {"error", TEXT}},
     {NULL},
     WORD,
     "state"},
    {"brant_heartbeat",
     "jobs.heartbeat",
     2,
     3,
     {{"id", INTEGER}, {"token", INTEGER}, {"lease", INTEGER}},
     {NULL},
     NUMBER,
     "lease_until"},
    {"brant_publish",
     "streams.publish",
     2,
     3,
     {{"stream", TEXT}, {"payload", PAYLOAD}, {"key", TEXT}},
     {NULL},
     NUMBER,
     "offset"},
    {"brant_read",
     "streams.read",
     1,
     3,
     {{"stream", TEXT}, {"after", INTEGER}, {"limit", INTEGER}},
     {NULL},
     DOCUMENT,
     "items"},
    {"brant_commit",
     "consumers.commit",
     3,
     3,
     {{"stream", TEXT}, {"consumer", TEXT}, {"offset", INTEGER}},
     {NULL},
     NUMBER,
     "offset"},
    {"brant_notify",
     "events.notify",
     1,
     2,
     {{"channel", TEXT}, {"payload", PAYLOAD}},
     {NULL},
     NUMBER,
     "id"},
    {"brant_lock_acquire",
     "locks.acquire",
     2,
     3,
     {{"name", TEXT}, {"owner", TEXT}, {"ttl", INTEGER}},
     {NULL},
     NUMBER,
     "token"},
    {"brant_lock_release",
     "locks.release",
     2,
     2,
     {{"name", TEXT}, {"token", INTEGER}},
     {NULL},
     DONE,
     NULL},
    {"brant_rate_limit",
     "rate_limits.take",
     3,
     3,
     {{"name", TEXT}, {"limit", INTEGER}, {"period", INTEGER}},
     {"kind", "sliding_window"},
     NUMBER,
     "allowed"},
};

/* A function as it was registered. */
typedef struct registered {
    brant__host *host;
    const sql_function *function;
} registered;

typedef struct state {
    brant__host host;
    registered all[BRANT__COUNT(functions)];
} state;

/* ---- failing ---------------------------------------------------------------------------------------- */

/* `inside`: the host was in a transaction before. */
static void fail(sqlite3_context *context, brant_status status, bool inside) {
    const brant_error *error = brant_last_error();
    const bool lost = inside && sqlite3_get_autocommit(sqlite3_context_db_handle(context));
    char message[1200];
    if (status == BRANT_NO_MEMORY) {
        sqlite3_result_error_nomem(context);
        return;
    }
    sqlite3_snprintf((int)sizeof message, message, "%s: %s%s", error->name, error->message,
                     lost ? "; the transaction was rolled back" : "");
    sqlite3_result_error(context, message, -1);
    if (status == BRANT_BUSY) sqlite3_result_error_code(context, SQLITE_BUSY);
}

/* ---- input ------------------------------------------------------------------------------------------ */

static brant__text text_of(sqlite3_value *value) {
    const char *text = (const char *)sqlite3_value_text(value);
    return brant__text_of(text, text ? (size_t)sqlite3_value_bytes(value) : 0);
}

/* Raw JSON must be JSON, lest it become other members of the input. */
static brant_status write_json(brant__writer *out, const char *function, const char *member,
                               brant__text text, bool members) {
    brant__json json = {0};
    brant_status status = brant__json_parse(&json, text.data, text.length, BRANT__JSON_DEPTH);
    if (status != BRANT_OK) {
        const bool memory = brant__error_code() == BRANT_NO_MEMORY;
        status = memory ? brant__fail_memory()
                        : brant__fail(BRANT_INVALID,
                                      "%s: %s is not JSON; json_quote() makes JSON of a text",
                                      function, member);
    } else if (!members) {
        brant__write_raw(out, text);
    } else if (!yyjson_is_obj(json.root)) {
        status = brant__fail(BRANT_INVALID, "%s: options must be a JSON object", function);
    } else {
        yyjson_obj_iter at = yyjson_obj_iter_with(json.root);
        yyjson_val *name = NULL;
        while ((name = yyjson_obj_iter_next(&at))) {
            brant__write_name_text(out, brant__json_text(name));
            brant__write_value(out, yyjson_obj_iter_get_val(name));
        }
    }
    brant__json_free(&json);
    return status;
}

static brant_status write_payload(brant__writer *out, const char *function, const char *member,
                                  sqlite3_value *value) {
    switch (sqlite3_value_type(value)) {
    case SQLITE_BLOB: {
        brant__buffer text = {0};
        brant__base64_encode(&text, sqlite3_value_blob(value), (size_t)sqlite3_value_bytes(value));
        char name[32];
        sqlite3_snprintf((int)sizeof name, name, "%s_base64", member);
        brant__write_text_member(out, name,
                                 brant__text_of(text.data ? text.data : "", text.length));
        const bool failed = text.failed;
        brant__buffer_free(&text);
        return failed ? brant__fail_memory() : BRANT_OK;
    }
    case SQLITE_NULL:
        brant__write_name(out, member);
        brant__write_null(out);
        return BRANT_OK;
    case SQLITE_INTEGER:
        brant__write_integer_member(out, member, sqlite3_value_int64(value));
        return BRANT_OK;
    case SQLITE_FLOAT:
        if (!isfinite(sqlite3_value_double(value)))
            return brant__fail(BRANT_INVALID, "%s: %s is no number of JSON", function, member);
        brant__write_name(out, member);
        brant__write_double(out, sqlite3_value_double(value));
        return BRANT_OK;
    default:
        brant__write_name(out, member);
        return write_json(out, function, member, text_of(value), false);
    }
}

static brant_status write_argument(brant__writer *out, const sql_function *function, int index,
                                   sqlite3_value *value) {
    const char *member = function->arguments[index].member;
    const int kind = function->arguments[index].kind;
    if (kind == PAYLOAD || (kind == JSON && sqlite3_value_type(value) == SQLITE_BLOB))
        return write_payload(out, function->name, member, value);
    if (sqlite3_value_type(value) == SQLITE_NULL) return BRANT_OK; /* as if it were not given */
    if (kind == JSON) return write_payload(out, function->name, member, value);
    if (kind == MEMBERS) return write_json(out, function->name, "options", text_of(value), true);
    brant__write_name(out, member);
    if (kind == TEXT)
        brant__write_text(out, text_of(value));
    else if (sqlite3_value_numeric_type(value) == SQLITE_INTEGER)
        brant__write_integer(out, sqlite3_value_int64(value));
    else
        return brant__fail(BRANT_INVALID, "%s: %s must be a whole number", function->name, member);
    return BRANT_OK;
}

static brant_status write_input(brant__writer *out, const sql_function *function, int count,
                                sqlite3_value **values) {
    brant__write_object(out);
    for (int i = 0; i < count; i++) {
        const brant_status status = write_argument(out, function, i, values[i]);
        if (status != BRANT_OK) return status;
    }
    if (function->fixed[0])
        brant__write_text_member(out, function->fixed[0], brant__text_string(function->fixed[1]));
    brant__write_end(out);
    return out->buffer.failed ? brant__fail_memory() : BRANT_OK;
}

/* ---- answer ----------------------------------------------------------------------------------------- */

static void result_json(sqlite3_context *context, char *text, size_t length) {
    sqlite3_result_text64(context, text, length, SQLITE_TRANSIENT, SQLITE_UTF8);
    sqlite3_result_subtype(context, JSON_SUBTYPE);
    brant_free(text);
}

static brant_status result(sqlite3_context *context, const sql_function *function,
                           const char *answer, size_t length) {
    brant__json json = {0};
    brant_status status = BRANT_OK;
    /* A payload may be as deep as it may be, within the answer. */
    BRANT__TRY(brant__json_parse(&json, answer, length, BRANT__JSON_DEPTH + BRANT__JSON_AROUND));
    yyjson_val *member = function->member ? yyjson_obj_get(json.root, function->member) : NULL;
    if (function->answer == DONE) {
        sqlite3_result_int(context, 1);
    } else if (function->answer == DOCUMENT) {
        brant__writer out = {0};
        char *text = NULL;
        size_t size = 0;
        brant__write_value(&out, member);
        status = brant__buffer_take(&text, &size, &out.buffer);
        brant__buffer_free(&out.buffer);
        if (status == BRANT_OK) result_json(context, text, size);
    } else if (yyjson_is_bool(member)) {
        sqlite3_result_int(context, yyjson_get_bool(member));
    } else if (yyjson_is_str(member)) {
        sqlite3_result_text64(context, yyjson_get_str(member), yyjson_get_len(member),
                              SQLITE_TRANSIENT, SQLITE_UTF8);
    } else if (yyjson_is_int(member)) {
        sqlite3_result_int64(context, yyjson_get_sint(member));
    }
cleanup:
    brant__json_free(&json);
    return status;
}

/* ---- functions -------------------------------------------------------------------------------------- */

/* What is the host's own: it has SQL for it, or it would take the connection from under it. */
static bool is_hosts(const char *name) {
    static const char *const all[] = {"transaction.begin", "transaction.commit",
                                      "transaction.rollback", "sql.execute", "db.restore"};
    for (size_t i = 0; i < BRANT__COUNT(all); i++)
        if (strcmp(name, all[i]) == 0) return true;
    return false;
}

static brant_status check_call(const brant__host *host, brant__text name) {
    const brant__operation *operations = NULL;
    size_t count = 0;
    const brant_status status = brant__registry(&operations, &count);
    if (status != BRANT_OK) return status;
    const brant__operation *operation = brant__operation_find(operations, count, name);
    if (!operation) return BRANT_OK; /* the call says so, or it is an operation of a type */
    if (is_hosts(operation->name))
        return brant__fail(BRANT_UNSUPPORTED, "%s: that is the host's own business",
                           operation->name);
    if (operation->handler && !operation->own_transaction && !operation->pure &&
        !sqlite3_get_autocommit(host->sqlite))
        return brant__fail(BRANT_MISUSE, "%s keeps transactions of its own: not inside one",
                           operation->name);
    return BRANT_OK;
}

/* brant(operation [, input]) */
static void call_any(sqlite3_context *context, int count, sqlite3_value **values) {
    brant__host *host = sqlite3_user_data(context);
    const bool inside = !sqlite3_get_autocommit(host->sqlite);
    char *answer = NULL;
    size_t length = 0;
    brant_status status = BRANT_OK;
    brant__error_clear();
    const brant__text name = text_of(values[0]);
    const brant__text input = count > 1 ? text_of(values[1]) : BRANT__TEXT("");
    if (!name.data) {
        status = brant__fail(BRANT_INVALID, "brant: the operation is NULL");
        goto cleanup;
    }
    BRANT__TRY(check_call(host, name));
    BRANT__TRY(brant__host_open(host, false));
    BRANT__TRY(brant_call(&answer, &length, host->db, name.data, name.length,
                          input.data ? input.data : "", input.length));
    result_json(context, answer, length);
    return;
cleanup:
    fail(context, status, inside);
}

static void call_named(sqlite3_context *context, int count, sqlite3_value **values) {
    const registered *self = sqlite3_user_data(context);
    const sql_function *function = self->function;
    const bool inside = !sqlite3_get_autocommit(self->host->sqlite);
    brant__writer input = {0};
    char *answer = NULL;
    size_t length = 0;
    brant_status status = BRANT_OK;
    brant__error_clear();
    BRANT__TRY(brant__host_open(self->host, false));
    BRANT__TRY(write_input(&input, function, count, values));
    BRANT__TRY(brant_call(&answer, &length, self->host->db, function->operation,
                          strlen(function->operation), input.buffer.data, input.buffer.length));
    status = result(context, function, answer, length);
cleanup:
    if (status != BRANT_OK) fail(context, status, inside);
    brant_free(answer);
    brant__buffer_free(&input.buffer);
}

static void call_adopt(sqlite3_context *context, int count, sqlite3_value **values) {
    (void)count;
    (void)values;
    brant__error_clear();
    const brant_status status = brant__host_open(sqlite3_user_data(context), true);
    if (status == BRANT_OK)
        sqlite3_result_int(context, BRANT__FORMAT);
    else
        fail(context, status, false);
}

static void call_version(sqlite3_context *context, int count, sqlite3_value **values) {
    brant__writer out = {0};
    char *text = NULL;
    size_t length = 0;
    (void)count;
    (void)values;
    brant__write_object(&out);
    brant__write_text_member(&out, "version", brant__text_string(brant_version()));
    brant__write_text_member(&out, "sqlite_version", brant__text_string(sqlite3_libversion()));
    if (sqlite3_libversion_number() < BRANT__HOST_SAFE)
        brant__write_text_member(
            &out, "warning",
            BRANT__TEXT("this SQLite is older than 3.51.3, whose write-ahead log can be "
                        "corrupted when two processes checkpoint at once"));
    brant__write_end(&out);
    if (brant__buffer_take(&text, &length, &out.buffer) == BRANT_OK)
        result_json(context, text, length);
    else
        sqlite3_result_error_nomem(context);
    brant__buffer_free(&out.buffer);
}

/* ---- loading ---------------------------------------------------------------------------------------- */

static void destroy(void *context) {
    state *self = context;
    brant__host_close(&self->host);
    sqlite3_free(self);
}

#if !defined(SQLITE_RESULT_SUBTYPE)
#define SQLITE_RESULT_SUBTYPE 0
#endif

static int create(state *self) {
    sqlite3 *sqlite = self->host.sqlite;
    const int flags = SQLITE_UTF8 | SQLITE_RESULT_SUBTYPE;
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < BRANT__COUNT(functions); i++) {
        self->all[i] = (registered){&self->host, &functions[i]};
        for (int count = functions[i].least; code == SQLITE_OK && count <= functions[i].most;
             count++)
            code = sqlite3_create_function_v2(sqlite, functions[i].name, count, flags,
                                              &self->all[i], call_named, NULL, NULL, NULL);
    }
    for (int count = 1; code == SQLITE_OK && count <= 2; count++)
        code = sqlite3_create_function_v2(sqlite, "brant", count, flags, &self->host, call_any,
                                          NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_create_function_v2(sqlite, "brant_version", 0, flags, NULL, call_version,
                                          NULL, NULL, NULL);
    if (code == SQLITE_OK) code = brant__host_attach(&self->host);
    return code;
}

EXPORT int sqlite3_brant_init(sqlite3 *sqlite, char **error, const sqlite3_api_routines *api);

int sqlite3_brant_init(sqlite3 *sqlite, char **error, const sqlite3_api_routines *api) {
    SQLITE_EXTENSION_INIT2(api)
    if (sqlite3_libversion_number() < BRANT__HOST_VERSION) {
        *error =
            sqlite3_mprintf("brant needs SQLite 3.38 or newer; this is %s", sqlite3_libversion());
        return SQLITE_ERROR;
    }
    state *self = sqlite3_malloc(sizeof *self);
    if (!self) return SQLITE_NOMEM;
    *self = (state){.host = {.sqlite = sqlite}};
    /* This function owns the state, which is destroyed when the connection closes, also when the others cannot be made. */
    const int code = sqlite3_create_function_v2(sqlite, "brant_adopt", 0, SQLITE_UTF8, &self->host,
                                                call_adopt, NULL, NULL, destroy);
    return code == SQLITE_OK ? create(self) : code;
}
