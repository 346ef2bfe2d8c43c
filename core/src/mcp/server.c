/*
 * mcp/server.c: messages: JSON-RPC 2.0, the handshake, which method it is.
 *
 * Any bytes may come. What is no JSON, no request, or one before initialize is answered with an error of its kind; a notification that makes no sense is
 * passed over. A request that says its version in _meta is answered as such (manner.c); of the others only ping is answered before initialize.
 */
#include <stdlib.h>

#include "mcp/mcp.h"

static const char *const versions[] = {"2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"};

/* ---- who asks -------------------------------------------------------------------------------- */

void mcp_server_follow(mcp_server *server) {
    static const char input[] = "{\"channels\":[\"graph:*\",\"nodes:*\",\"edges:*\"]}";
    brant_db *db = server->agent.db ? server->agent.db : server->agent.session;

    brant_cursor_free(server->cursor);
    server->cursor = NULL;
    if (!db || brant_event_listen(&server->cursor, db, input, sizeof input - 1) != BRANT_OK)
        server->cursor = NULL;
}

/*
 * Before each request: the key may have been revoked, or may do other things now. An agent whose key is not valid has no session from then on, and what it asks for is empty or AUTH. False: it could not be asked.
 */
static bool identify(mcp_server *server) {
    const brant_db *before = server->agent.session;
    const brant_status status = mcp_agent_refresh(&server->agent);

    /* A hub's cursor is of its session. */
    if (server->agent.hub && server->agent.session != before) mcp_server_follow(server);
    return status == BRANT_OK || status == BRANT_AUTH || status == BRANT_DENIED;
}

/* ---- the handshake ----------------------------------------------------------------------------- */

static void initialize(mcp_server *server, yyjson_val *id, yyjson_val *params) {
    const char *wanted = yyjson_get_str(yyjson_obj_get(params, "protocolVersion"));
    const char *chosen = versions[0];
    mcp_message message;

    if (!wanted) {
        mcp_error(server, id, MCP_INVALID_PARAMS, "initialize wants a protocolVersion");
        return;
    }
    if (server->greeted) {
        mcp_error(server, id, MCP_INVALID_REQUEST, "the session was initialized already");
        return;
    }
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
        if (strcmp(versions[i], wanted) == 0) chosen = versions[i];
    server->greeted = true;
    server->agreed.structured = strcmp(chosen, "2025-06-18") >= 0;
    server->agreed.batches = strcmp(chosen, "2025-03-26") == 0;
    mcp_introduce(server, yyjson_obj_get(params, "clientInfo"));
    message = mcp_result(id);
    yyjson_mut_obj_add_str(message.doc, message.body, "protocolVersion", chosen);
    mcp_add_capabilities(server, &message);
    mcp_add_server(&message, message.body, "serverInfo", server->agreed.structured);
    mcp_message_send(server, &message);
}

/* The client is ready: it is told of lists that change, and what goes wrong. */
static void initialized(mcp_server *server) {
    mcp_listener *session = mcp_session_listener(server);

    session->tools = true;
    session->resources = !server->options.memory;
    if (server->agreed.level == MCP_LEVELS) server->agreed.level = MCP_WARNING;
}

static void empty(mcp_server *server, yyjson_val *id, yyjson_val *params) {
    mcp_message message = mcp_result(id);

    (void)params;
    mcp_message_send(server, &message);
}

static void set_level(mcp_server *server, yyjson_val *id, yyjson_val *params) {
    if (mcp_level_of(&server->agreed.level, yyjson_obj_get(params, "level")))
        empty(server, id, params);
    else
        mcp_error(server, id, MCP_INVALID_PARAMS, "no such level");
}

/* ---- requests ---------------------------------------------------------------------------------- */

typedef struct request {
    const char *method;
    void (*answer)(mcp_server *server, yyjson_val *id, yyjson_val *params);
    bool handshake, stateless; /* the versions that have it */
    bool anyone;               /* needs no agent, and no handshake before */
} request;

static const request requests[] = {
    {"completion/complete", mcp_complete, true, true, false},
    {"initialize", initialize, true, false, true},
    {"logging/setLevel", set_level, true, false, false},
    {"ping", empty, true, false, true},
    {"resources/list", mcp_resources_list, true, true, false},
    {"resources/read", mcp_resources_read, true, true, false},
    {"resources/subscribe", mcp_resources_subscribe, true, false, false},
    {"resources/templates/list", mcp_resources_templates, true, true, false},
    {"resources/unsubscribe", mcp_resources_unsubscribe, true, false, false},
    {"server/discover", mcp_discover, false, true, true},
    {"subscriptions/listen", mcp_listen, false, true, false},
    {"tools/call", mcp_tools_call, true, true, false},
    {"tools/list", mcp_tools_list, true, true, false},
};

static const request *find(const char *method) {
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
        if (strcmp(requests[i].method, method) == 0) return &requests[i];
    return NULL;
}

static void answer(mcp_server *server, yyjson_val *id, const char *method, yyjson_val *params) {
    const request *one = find(method);
    bool known;

    if (!mcp_manner_read(server, id, params)) return;
    known = one && (server->manner.stateless ? one->stateless : one->handshake);
    if (!server->manner.stateless && (one ? !known : !server->greeted))
        mcp_error(server, id, MCP_INVALID_PARAMS,
                  "%.128s wants _meta with " MCP_META "protocolVersion and " MCP_META
                  "clientCapabilities, or initialize before",
                  method);
    else if (!known)
        mcp_error(server, id, MCP_METHOD_NOT_FOUND, "no such method: %.128s", method);
    else if (one->anyone)
        one->answer(server, id, params);
    else if (!server->manner.stateless && !server->greeted)
        mcp_error(server, id, MCP_INVALID_PARAMS,
                  "initialize comes first, or a _meta with " MCP_META "protocolVersion");
    else if (!identify(server))
        mcp_error(server, id, MCP_INTERNAL_ERROR, "%s: %.300s",
                  brant_status_name(brant_last_error()->code), brant_last_error()->message);
    else
        one->answer(server, id, params);
}

/*
 * A cancellation in its turn: what it is of came before it, and is answered or was passed over (mcp_server_peek). So a subscription ends, and an id that nothing came with is kept no longer.
 */
static void forget(mcp_server *server, yyjson_val *id) {
    char *text = id ? mcp_write_read(id, NULL) : NULL;

    if (!text) return;
    mcp_listener_cancel(server, text);
    pthread_mutex_lock(&server->guard);
    for (size_t i = 0; i < sizeof server->dropped / sizeof *server->dropped; i++) {
        if (!server->dropped[i] || strcmp(server->dropped[i], text) != 0) continue;
        free(server->dropped[i]);
        server->dropped[i] = NULL;
    }
    pthread_mutex_unlock(&server->guard);
    free(text);
}

static void handle(mcp_server *server, yyjson_val *message) {
    yyjson_val *id = yyjson_obj_get(message, "id");
    yyjson_val *params = yyjson_obj_get(message, "params");
    const char *method = yyjson_get_str(yyjson_obj_get(message, "method"));
    const bool has_id = yyjson_is_str(id) || yyjson_is_num(id);

    if (!yyjson_is_obj(message)) {
        mcp_error(server, NULL, MCP_INVALID_REQUEST, "a message is a JSON object");
        return;
    }
    /* An answer to a request of ours, which we have none of. */
    if (!method && (yyjson_obj_get(message, "result") || yyjson_obj_get(message, "error"))) return;
    if (!yyjson_equals_str(yyjson_obj_get(message, "jsonrpc"), "2.0") || !method ||
        (id && !has_id) || (params && !yyjson_is_obj(params))) {
        mcp_error(server, has_id ? id : NULL, MCP_INVALID_REQUEST,
                  "no request of JSON-RPC 2.0: jsonrpc, method, an id that is text or number, and "
                  "params that are an object");
        return;
    }
    if (has_id)
        answer(server, id, method, params);
    else if (strcmp(method, "notifications/initialized") == 0 && server->greeted)
        initialized(server);
    else if (strcmp(method, "notifications/cancelled") == 0)
        forget(server, yyjson_obj_get(params, "requestId"));
    server->manner = server->agreed;
}

/* Not JSON. A client that hears whose request it was does not wait for an answer. */
static void refuse(mcp_server *server, const char *message, size_t length) {
    yyjson_doc *doc = mcp_read_loosely(message, length);
    yyjson_val *id = yyjson_obj_get(yyjson_doc_get_root(doc), "id");
    char *text = NULL;

    if (yyjson_is_num(id) || yyjson_is_str(id)) text = mcp_write_read(id, NULL);
    if (text && !strstr(text, "\xef\xbf\xbd"))
        mcp_error(server, id, MCP_PARSE_ERROR,
                  "not JSON: a text has half of a surrogate pair or bytes that are no UTF-8, or a "
                  "number is none");
    else
        mcp_error(server, NULL, MCP_PARSE_ERROR, "not JSON");
    free(text);
    yyjson_doc_free(doc);
}

void mcp_server_handle(mcp_server *server, const char *message, size_t length) {
    size_t at, count, from = 0;
    yyjson_val *root, *one;
    yyjson_doc *doc;

    while (from < length && strchr(" \t\r\n", message[from]) && message[from])
        from++;
    if (from == length) return; /* a blank line */
    doc = mcp_read(message, length);
    root = yyjson_doc_get_root(doc);
    if (!doc) {
        refuse(server, message, length);
    } else if (!yyjson_is_arr(root)) {
        handle(server, root);
    } else if (!server->agreed.batches || yyjson_arr_size(root) == 0) {
        mcp_error(server, NULL, MCP_INVALID_REQUEST,
                  yyjson_arr_size(root) == 0 ? "an empty batch"
                                             : "this version of the protocol has no batches");
    } else {
        /* Answers to a batch may come as messages of their own. */
        yyjson_arr_foreach(root, at, count, one) handle(server, one);
    }
    yyjson_doc_free(doc);
}

void mcp_server_overlong(mcp_server *server) {
    mcp_error(server, NULL, MCP_INVALID_REQUEST, "a message is longer than %zu MiB",
              MCP_MESSAGE_MAX >> 20);
}

/* ---- cancellation ------------------------------------------------------------------------------ */

static bool contains(const char *text, size_t length, const char *word) {
    return memmem(text, length, word, strlen(word)) != NULL;
}

static void cancel(mcp_server *server, yyjson_val *id) {
    char *text = mcp_write_read(id, NULL);

    if (!text || yyjson_is_ctn(id)) {
        free(text);
        return;
    }
    pthread_mutex_lock(&server->guard);
    if (server->running && strcmp(server->running, text) == 0) {
        atomic_store(&server->cancelled, true);
        mcp_agent_interrupt(&server->agent);
        free(text);
    } else {
        free(server->dropped[server->dropped_at]);
        server->dropped[server->dropped_at] = text;
        server->dropped_at =
            (server->dropped_at + 1) % (sizeof server->dropped / sizeof *server->dropped);
    }
    pthread_mutex_unlock(&server->guard);
}

void mcp_server_peek(mcp_server *server, const char *message, size_t length) {
    yyjson_doc *doc;
    yyjson_val *root, *id;

    if (length > 4096 || !contains(message, length, "notifications/cancelled")) return;
    doc = mcp_read(message, length);
    root = yyjson_doc_get_root(doc);
    id = yyjson_ptr_get(root, "/params/requestId");
    if (yyjson_equals_str(yyjson_obj_get(root, "method"), "notifications/cancelled") && id)
        cancel(server, id);
    yyjson_doc_free(doc);
}

bool mcp_server_remind(mcp_server *server) {
    pthread_mutex_lock(&server->guard);
    const bool runs = server->running && atomic_load(&server->cancelled);
    if (runs) mcp_agent_interrupt(&server->agent);
    pthread_mutex_unlock(&server->guard);
    return runs;
}

/* ---- what changed ------------------------------------------------------------------------------ */

void mcp_server_look(mcp_server *server) {
    char *items = NULL;
    size_t length = 0;

    for (int i = 0; server->cursor && i < 64; i++) {
        const brant_status status = brant_cursor_next(&items, &length, server->cursor, 0);
        if (status == BRANT_CLOSED || status == BRANT_DENIED || status == BRANT_AUTH) {
            brant_cursor_free(server->cursor);
            server->cursor = NULL;
        }
        if (status != BRANT_OK) return;
        yyjson_doc *doc = mcp_read(items, length);
        const bool nothing = yyjson_arr_size(yyjson_doc_get_root(doc)) == 0;
        if (!nothing) mcp_resources_changed(server, yyjson_doc_get_root(doc));
        yyjson_doc_free(doc);
        brant_free(items);
        if (nothing) return;
    }
}

void mcp_server_tick(mcp_server *server) {
    bool changed = false;

    if (!server->listeners || !identify(server)) return;
    mcp_server_look(server);
    if (server->catalogue.types && server->agent.session)
        mcp_catalogue_refresh(&changed, &server->catalogue, server->agent.session);
    const uint64_t now = mcp_tools_fingerprint(server);
    if (now == server->listed) return;
    server->listed = now;
    mcp_tools_changed(server);
}

/* ---- life -------------------------------------------------------------------------------------- */

/* "a:read, b:*" as a JSON array. */
static char *scope_list(const char *scopes) {
    yyjson_mut_doc *doc = mcp_doc();
    yyjson_mut_val *list = yyjson_mut_arr(doc);
    char *out;

    while (*scopes) {
        scopes += strspn(scopes, ", \t");
        const size_t length = strcspn(scopes, ", \t");
        if (length > 0) yyjson_mut_arr_add_strncpy(doc, list, scopes, length);
        scopes += length;
    }
    out = mcp_write(list, NULL);
    yyjson_mut_doc_free(doc);
    return out;
}

#define READS "*:read"
#define WRITES                                                                                     \
    READS ",graphs:write,nodes:write,edges:write,graph_types:write,indexes:write,queues:write,"    \
          "streams:write,events:write,locks:write,modules:use"

brant_status mcp_server_new(mcp_server **out, brant_db *db, brant_hub *hub, const char *key,
                            size_t key_len, const mcp_options *options, mcp_send send,
                            void *context) {
    mcp_server *server = mcp_alloc(sizeof *server);
    const char *scopes = options->scopes ? options->scopes : options->write ? WRITES : READS;
    brant_status status;
    bool changed;

    *out = NULL;
    server->options = *options;
    if (server->options.max_tokens == 0) server->options.max_tokens = MCP_TOKENS;
    server->send = send;
    server->context = context;
    server->agreed.level = server->manner.level = MCP_LEVELS;
    pthread_mutex_init(&server->sending, NULL);
    pthread_mutex_init(&server->guard, NULL);
    pthread_mutex_init(&server->agent.guard, NULL);
    server->agent.db = hub ? NULL : db;
    server->agent.hub = hub;
    status = mcp_catalogue_open(&server->catalogue, options->memory ? "meta" : options->tools);
    if (status != BRANT_OK) goto cleanup;
    if (key) {
        server->agent.key = mcp_copy(key, key_len);
        server->agent.key_len = key_len;
    }
    server->agent.scopes = scope_list(scopes);
    status = BRANT_INVALID;
    if (!server->agent.scopes) goto cleanup; /* no UTF-8 */
    if (server->catalogue.files_read || server->catalogue.files_write) {
        server->agent.files = scope_list(!server->catalogue.files_write ? "read"
                                         : server->catalogue.files_read ? "read,write"
                                                                        : "write");
    }
    status = mcp_agent_open(&server->agent);
    if (status != BRANT_OK) goto cleanup;
    if (server->catalogue.types)
        mcp_catalogue_refresh(&changed, &server->catalogue, server->agent.session);
    mcp_server_follow(server);
    if (options->memory) status = mcp_memory_open(server);
cleanup:
    if (status == BRANT_OK)
        *out = server;
    else
        mcp_server_free(server);
    return status;
}

void mcp_server_free(mcp_server *server) {
    if (!server) return;
    brant_cursor_free(server->cursor);
    mcp_agent_close(&server->agent);
    mcp_catalogue_close(&server->catalogue);
    mcp_listeners_free(server);
    free(server->running);
    for (size_t i = 0; i < sizeof server->dropped / sizeof *server->dropped; i++)
        free(server->dropped[i]);
    pthread_mutex_destroy(&server->sending);
    pthread_mutex_destroy(&server->guard);
    free(server);
}
