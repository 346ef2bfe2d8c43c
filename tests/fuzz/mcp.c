/*
 * tests/fuzz/mcp.c: any lines as messages to the server of the Model Context Protocol: what it answers is JSON, a line each, and no answer is for nothing.
 */
#include "mcp/mcp.h"
#include "fuzz.h"

static brant_db *db;
static size_t answers;

static void take(void *context, const char *json, size_t length) {
    yyjson_doc *doc = yyjson_read(json, length, 0);
    yyjson_val *root = yyjson_doc_get_root(doc);

    (void)context;
    HOLDS(yyjson_is_obj(root) && !memchr(json, '\n', length));
    HOLDS(yyjson_equals_str(yyjson_obj_get(root, "jsonrpc"), "2.0"));
    if (!yyjson_obj_get(root, "method")) {
        HOLDS(!yyjson_obj_get(root, "result") != !yyjson_obj_get(root, "error"));
        answers++;
    }
    yyjson_doc_free(doc);
}

int LLVMFuzzerInitialize(int *count, char ***arguments) {
    static const char graph[] = "{\"name\":\"g\",\"graph_type\":\"open\"}";
    char *json = NULL;
    size_t length;

    (void)count;
    (void)arguments;
    HOLDS(brant_open(&db, ":memory:", 8, "", 0) == BRANT_OK);
    HOLDS(brant_graph_create(&json, &length, db, graph, sizeof graph - 1) == BRANT_OK);
    brant_free(json);
    return 0;
}

static void handle(mcp_server *server, const char *line, size_t length) {
    const size_t before = answers;
    size_t messages = 1;
    yyjson_doc *doc = yyjson_read(line, length, 0);

    if (yyjson_is_arr(yyjson_doc_get_root(doc)))
        messages = yyjson_arr_size(yyjson_doc_get_root(doc)) + 1;
    yyjson_doc_free(doc);
    mcp_server_peek(server, line, length);
    mcp_server_handle(server, line, length);
    HOLDS(answers - before <= messages);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char hello[] =
        "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
        "\"2025-03-26\",\"clientInfo\":{\"name\":\"fuzz\",\"version\":\"1\"}}}";
    static const char ready[] = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}";
    mcp_options options = {.max_tokens = 400, .write = true};
    mcp_server *server = NULL;
    char *json = NULL;
    size_t length;

    if (size == 0) return 0;
    options.memory = data[0] & 1;
    HOLDS(brant_transaction_begin(&json, &length, db, "", 0) == BRANT_OK);
    brant_free(json);
    HOLDS(mcp_server_new(&server, db, NULL, NULL, 0, &options, take, NULL) == BRANT_OK);
    if (data[0] & 2) {
        handle(server, hello, sizeof hello - 1);
        handle(server, ready, sizeof ready - 1);
    }
    for (size_t at = 1; at < size;) {
        const char *line = (const char *)data + at;
        const char *end = memchr(line, '\n', size - at);
        length = end ? (size_t)(end - line) : size - at;
        handle(server, line, length);
        at += length + 1;
    }
    mcp_server_tick(server);
    HOLDS(!server->running && !server->manner.stateless);
    mcp_server_free(server);
    brant_transaction_rollback(&json, &length, db, "", 0);
    brant_free(json);
    return 0;
}
