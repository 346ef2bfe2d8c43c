/*
 * mcp/write.c: answers and notifications as they are sent.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "mcp/mcp.h"

static mcp_message begin(void) {
    mcp_message message = {.doc = mcp_doc()};

    message.root = yyjson_mut_doc_get_root(message.doc);
    yyjson_mut_obj_add_str(message.doc, message.root, "jsonrpc", "2.0");
    return message;
}

mcp_message mcp_result(yyjson_val *id) {
    mcp_message message = begin();

    yyjson_mut_obj_add_val(message.doc, message.root, "id",
                           id ? yyjson_val_mut_copy(message.doc, id)
                              : yyjson_mut_null(message.doc));
    message.body = yyjson_mut_obj_add_obj(message.doc, message.root, "result");
    return message;
}

mcp_message mcp_notification(const char *method) {
    mcp_message message = begin();

    yyjson_mut_obj_add_strcpy(message.doc, message.root, "method", method);
    message.body = yyjson_mut_obj_add_obj(message.doc, message.root, "params");
    return message;
}

mcp_message mcp_failure(yyjson_val *id, int code, const char *text) {
    mcp_message message = mcp_result(id);

    yyjson_mut_obj_remove_key(message.root, "result");
    message.body = yyjson_mut_obj_add_obj(message.doc, message.root, "error");
    yyjson_mut_obj_add_int(message.doc, message.body, "code", code);
    yyjson_mut_obj_add_strcpy(message.doc, message.body, "message", text);
    return message;
}

void mcp_add_cache(const mcp_server *server, mcp_message *message, int ms, bool shared) {
    if (!server->manner.stateless) return;
    yyjson_mut_obj_add_int(message->doc, message->body, "ttlMs", ms);
    yyjson_mut_obj_add_str(message->doc, message->body, "cacheScope",
                           shared ? "public" : "private");
}

/* A result without a handshake says what it is and who made it. */
static void complete(mcp_message *message) {
    yyjson_mut_val *result = yyjson_mut_obj_get(message->root, "result"), *meta;

    if (!result) return;
    yyjson_mut_obj_add_str(message->doc, result, "resultType", "complete");
    meta = yyjson_mut_obj_get(result, "_meta");
    if (!meta) meta = yyjson_mut_obj_add_obj(message->doc, result, "_meta");
    mcp_add_server(message, meta, MCP_META "serverInfo", true);
}

void mcp_message_send(mcp_server *server, mcp_message *message) {
    size_t length = 0;
    char *json;

    if (server->manner.stateless) complete(message);
    json = mcp_write(message->root, &length);

    yyjson_mut_doc_free(message->doc);
    *message = (mcp_message){0};
    pthread_mutex_lock(&server->sending);
    if (json) server->send(server->context, json, length);
    pthread_mutex_unlock(&server->sending);
    free(json);
}

void mcp_error(mcp_server *server, yyjson_val *id, int code, const char *format, ...) {
    mcp_message message;
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    message = mcp_failure(id, code, text);
    mcp_message_send(server, &message);
}

void mcp_log(mcp_server *server, int level, const char *format, ...) {
    static const char *const names[] = {"debug", "info", "notice", "warning", "error"};
    mcp_message message;
    char text[512];
    va_list arguments;

    if (level < server->manner.level) return;
    message = mcp_notification("notifications/message");
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    yyjson_mut_obj_add_str(message.doc, message.body, "level", names[level]);
    yyjson_mut_obj_add_str(message.doc, message.body, "logger", "brant");
    yyjson_mut_obj_add_strcpy(message.doc, message.body, "data", text);
    mcp_message_send(server, &message);
}

/* ---- text that grows --------------------------------------------------------------------------- */

void mcp_append(mcp_buffer *buffer, const char *text, size_t length) {
    if (length >= buffer->capacity - buffer->length || !buffer->data) {
        buffer->capacity = (buffer->length + length + 64) * 2;
        buffer->data = mcp_grow(buffer->data, buffer->capacity, 1);
    }
    if (length > 0) memcpy(buffer->data + buffer->length, text, length);
    buffer->length += length;
    buffer->data[buffer->length] = '\0';
}

void mcp_append_text(mcp_buffer *buffer, const char *text) {
    mcp_append(buffer, text, strlen(text));
}

void mcp_format(mcp_buffer *buffer, const char *format, ...) {
    char text[1024];
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length > 0)
        mcp_append(buffer, text, (size_t)length < sizeof text ? (size_t)length : sizeof text - 1);
}

void mcp_buffer_free(mcp_buffer *buffer) {
    free(buffer->data);
    *buffer = (mcp_buffer){0};
}

uint64_t mcp_hash(uint64_t hash, const char *bytes, size_t length) {
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(1099511628211);
    return hash;
}
