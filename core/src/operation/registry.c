/*
 * operation/registry.c: joining the table of functions with the specs that are data.
 *
 * core/operations/<namespace>.json is {"$defs": {..}, "operations": [spec..]}. A spec whose schemas refer to "#/$defs/.." gets the file's
 * $defs, so that it stands alone when it is handed out. State of the process: immutable once it is there.
 */
#include <pthread.h>
#include <stdlib.h>

#include "access/access.h"
#include "access/write.h"
#include "crypto/crypto.h"
#include "embedded.h"
#include "event/consumer.h"
#include "event/event.h"
#include "event/job.h"
#include "event/job_manage.h"
#include "event/job_read.h"
#include "event/lock.h"
#include "event/queue_watch.h"
#include "event/rate_limit.h"
#include "event/schedule.h"
#include "event/stream.h"
#include "evolution/evolution.h"
#include "exchange/exchange.h"
#include "graph/graph.h"
#include "hub/delegation.h"
#include "hub/operations.h"
#include "identity/account.h"
#include "identity/api_key.h"
#include "identity/audit.h"
#include "identity/invitation.h"
#include "identity/member.h"
#include "identity/organization.h"
#include "operation/operation.h"

#define COUNT_OPERATION(function, handler, name, kind, transaction) +1
#define COUNT_SUBSCRIPTION(function, name)                          +1
#define COUNT_CURSOR(function, begin, name, transaction)            +1
enum {
    OPERATIONS = 1 BRANT__OPERATION_LIST(COUNT_OPERATION)
        BRANT__SUBSCRIPTION_LIST(COUNT_SUBSCRIPTION) BRANT__CURSOR_LIST(COUNT_CURSOR)
};

enum { SELF, OWN, PURE };
#define OPERATION_ROW(function, handler, name, kind, transaction)                                  \
    {(name), BRANT__##kind, (transaction) == OWN, (transaction) == PURE, handler, .spec = NULL},
/* Without a handle: brant_call hands it on before it looks for a handler. */
#define LIST_ROW                                                                                   \
    {"operations.list", BRANT__QUERY, false, true, NULL, NULL, NULL, NULL, .spec = NULL},
#define SUBSCRIPTION_ROW(function, name)                                                           \
    {(name), BRANT__SUBSCRIPTION, false, false, NULL, function, NULL, NULL, .spec = NULL},
#define CURSOR_ROW(function, begin, name, transaction)                                             \
    {(name), BRANT__SUBSCRIPTION, (transaction) == OWN, false, NULL, function, begin,              \
     NULL,   .spec = NULL},
static const brant__operation rows[] = {BRANT__OPERATION_LIST(OPERATION_ROW)
                                            BRANT__SUBSCRIPTION_LIST(SUBSCRIPTION_ROW)
                                                BRANT__CURSOR_LIST(CURSOR_ROW) LIST_ROW};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static brant__operation *registry;

static int by_name(const void *a, const void *b) {
    return strcmp(((const brant__operation *)a)->name, ((const brant__operation *)b)->name);
}

const brant__operation *brant__operation_find(const brant__operation *operations, size_t count,
                                              brant__text name) {
    size_t low = 0, high = count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = brant__text_compare(brant__text_string(operations[middle].name), name);
        if (order == 0) return &operations[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static void discard(brant__operation *operations) {
    if (!operations) return;
    for (size_t i = 0; i < OPERATIONS; i++) {
        brant__schema_free(operations[i].input);
        brant__free(operations[i].scopes.items);
        brant__free(operations[i].spec);
    }
    brant__free(operations);
}

/* A schema with the file's $defs where it refers to them. */
static void write_schema(brant__writer *out, yyjson_val *schema, yyjson_val *defs) {
    brant__buffer text = {0};
    brant__json_append(&text, schema);
    brant__buffer_append_byte(&text, '\0');
    const bool refers = !text.failed && strstr(text.data, "\"$ref\":\"#/$defs/") != NULL;
    if (text.failed) out->buffer.failed = true;
    brant__buffer_free(&text);
    if (!refers) {
        brant__write_value(out, schema);
        return;
    }
    size_t index, count;
    yyjson_val *name, *value;
    brant__write_object(out);
    yyjson_obj_foreach(schema, index, count, name, value) {
        brant__write_name_text(out, brant__json_text(name));
        brant__write_value(out, value);
    }
    brant__write_name(out, "$defs");
    brant__write_value(out, defs);
    brant__write_end(out);
}

static brant_status write_spec(brant__operation *operation, yyjson_val *spec, yyjson_val *defs) {
    brant__writer out = {0};
    size_t index, count;
    yyjson_val *name, *value;
    brant__write_object(&out);
    yyjson_obj_foreach(spec, index, count, name, value) {
        brant__write_name_text(&out, brant__json_text(name));
        if (yyjson_equals_str(name, "input_schema") || yyjson_equals_str(name, "output_schema"))
            write_schema(&out, value, defs);
        else
            brant__write_value(&out, value);
    }
    brant__write_end(&out);
    const brant_status status =
        brant__buffer_take(&operation->spec, &operation->spec_len, &out.buffer);
    brant__buffer_free(&out.buffer);
    return status;
}

/* The scopes, with their texts in the same block, and what it does with a path on the machine. */
static brant_status read_rights(brant__operation *operation, yyjson_val *spec) {
    yyjson_val *scopes = brant__json_get(spec, "required_scopes");
    const brant__text files = brant__json_get_text(spec, "files");
    const size_t count = yyjson_arr_size(scopes);
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += yyjson_get_len(yyjson_arr_get(scopes, i));
    if (count == 0)
        return brant__fail(BRANT_INTERNAL, "operation \"%s\" requires no scope", operation->name);
    brant__text *items = brant__alloc(count * sizeof *items + bytes);
    if (!items) return brant__fail_memory();
    operation->scopes = (brant__scopes){items, count};
    char *at = (char *)(items + count);
    for (size_t i = 0; i < count; i++) {
        const brant__text scope = brant__json_text(yyjson_arr_get(scopes, i));
        if (!brant__scope_valid(scope))
            return brant__fail(BRANT_INTERNAL, "operation \"%s\": scope %zu is none",
                               operation->name, i);
        memcpy(at, scope.data, scope.length);
        items[i] = brant__text_of(at, scope.length);
        at += scope.length;
    }
    if (files.data)
        operation->files =
            brant__text_equal(files, BRANT__TEXT("read")) ? BRANT__FILES_READ : BRANT__FILES_WRITE;
    return BRANT_OK;
}

static brant_status load_file(brant__operation *operations, const brant__embedded *file) {
    brant_status status = BRANT_OK;
    brant__json json = {0};
    size_t index, count;
    yyjson_val *spec;
    BRANT__TRY(brant__json_parse(&json, file->data, file->size, 0));
    yyjson_val *defs = brant__json_get(json.root, "$defs");
    yyjson_arr_foreach(brant__json_get(json.root, "operations"), index, count, spec) {
        const brant__text name = brant__json_get_text(spec, "name");
        brant__operation *operation =
            (brant__operation *)brant__operation_find(operations, OPERATIONS, name);
        if (!operation || operation->spec) {
            status = brant__fail(BRANT_INTERNAL,
                                 "operation \"%.*s\" of %s.json has no function, or two specs",
                                 (int)name.length, name.data, file->name);
            goto cleanup;
        }
        BRANT__TRY(brant__schema_compile(&operation->input, json.root,
                                         brant__json_get(spec, "input_schema"), BRANT__TEXT("")));
        BRANT__TRY(write_spec(operation, spec, defs));
        BRANT__TRY(read_rights(operation, spec));
    }
cleanup:
    brant__json_free(&json);
    return status;
}

static brant_status load(brant__operation **out) {
    brant_status status = BRANT_OK;
    *out = NULL;
    brant__operation *operations = brant__alloc(sizeof rows);
    if (!operations) return brant__fail_memory();
    memcpy(operations, rows, sizeof rows);
    qsort(operations, OPERATIONS, sizeof *operations, by_name);
    for (size_t i = 0; i < brant__operation_specs_count; i++)
        BRANT__TRY(load_file(operations, &brant__operation_specs[i]));
    for (size_t i = 0; i < OPERATIONS; i++) {
        operations[i].number = i;
        if (operations[i].spec) continue;
        status = brant__fail(BRANT_INTERNAL, "operation \"%s\" has no spec", operations[i].name);
        goto cleanup;
    }
    *out = operations;
    return BRANT_OK;
cleanup:
    discard(operations);
    return status;
}

brant_status brant__registry(const brant__operation **out_operations, size_t *out_count) {
    brant_status status = BRANT_OK;
    pthread_mutex_lock(&lock);
    if (!registry) status = load(&registry);
    *out_operations = registry;
    *out_count = registry ? OPERATIONS : 0;
    pthread_mutex_unlock(&lock);
    return status;
}
