/*
 * mcp/manner.c: how a request is answered: as the handshake agreed, or as the request itself says in its _meta, which every request does since the revision 2026-07-28. A client of either kind is
 * served, and both at once: nothing of a request that says its version depends on those before it.
 */
#include <stdlib.h>

#include "mcp/mcp.h"

#define META_VERSION      MCP_META "protocolVersion"
#define META_CAPABILITIES MCP_META "clientCapabilities"
#define META_CLIENT       MCP_META "clientInfo"
#define META_LEVEL        MCP_META "logLevel"

static const char instructions[] =
    "brant keeps typed graphs, queues, streams and more in one file. graphs_list and "
    "graph_types_get show what there is; nodes_search and nodes_list find nodes, nodes_neighbors "
    "and graphs_shortest_path walk. Lists come in pages: call again with the cursor of the answer. "
    "operations_find reaches what is not among the tools.";
static const char memory_instructions[] =
    "A memory that lasts: entities with observations, and relations between them. Search before "
    "you create, so that one thing has one entity.";

bool mcp_level_of(int *out, yyjson_val *name) {
    static const char *const names[MCP_LEVELS] = {"debug", "info",     "notice", "warning",
                                                  "error", "critical", "alert",  "emergency"};

    for (int i = 0; i < MCP_LEVELS; i++) {
        if (!yyjson_equals_str(name, names[i])) continue;
        *out = i;
        return true;
    }
    return false;
}

/* ---- who the client says that it is ------------------------------------------------------------- */

/* "<name> <version> over MCP"; NULL: it does not say, or not in UTF-8 when it was cut. Owned. */
static char *name_client(yyjson_val *client) {
    const char *name = yyjson_get_str(yyjson_obj_get(client, "name"));
    const char *version = yyjson_get_str(yyjson_obj_get(client, "version"));
    mcp_buffer text = {0};
    yyjson_mut_doc *doc;
    char *json;

    if (!name) return NULL;
    mcp_format(&text, "%.200s%s%.100s over MCP", name, version ? " " : "", version ? version : "");
    doc = mcp_doc();
    json = mcp_write(yyjson_mut_strn(doc, text.data, text.length), NULL);
    if (!json) mcp_buffer_free(&text);
    free(json);
    yyjson_mut_doc_free(doc);
    return text.data;
}

void mcp_introduce(mcp_server *server, yyjson_val *client) {
    char *name = name_client(client);
    mcp_agent *agent = &server->agent;
    const bool same = name ? agent->client && strcmp(agent->client, name) == 0 : !agent->client;

    if (same) {
        free(name);
        return;
    }
    /* A hub's cursor is of its session: what it has not told yet goes before. */
    if (agent->hub) mcp_server_look(server);
    free(agent->client);
    agent->client = name;
    mcp_agent_open(agent); /* what failed is told when the agent is looked at again */
    if (agent->hub) mcp_server_follow(server);
}

/* ---- the manner --------------------------------------------------------------------------------- */

/* -32022, with the versions that there are. Those of the handshake are found by initialize. */
static void refuse_version(mcp_server *server, yyjson_val *id, const char *version) {
    mcp_message message = mcp_failure(id, MCP_UNSUPPORTED_VERSION, "unsupported protocol version");
    yyjson_mut_val *data = yyjson_mut_obj_add_obj(message.doc, message.body, "data");
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(message.doc, data, "supported");

    yyjson_mut_arr_add_str(message.doc, list, MCP_STATELESS);
    yyjson_mut_obj_add_strcpy(message.doc, data, "requested", version);
    mcp_message_send(server, &message);
}

bool mcp_manner_read(mcp_server *server, yyjson_val *id, yyjson_val *params) {
    yyjson_val *meta = yyjson_obj_get(params, "_meta");
    yyjson_val *version = yyjson_obj_get(meta, META_VERSION);
    yyjson_val *level = yyjson_obj_get(meta, META_LEVEL);

    server->manner = server->agreed;
    if (!version) return true;
    server->manner = (mcp_manner){.stateless = true, .structured = true, .level = MCP_LEVELS};
    if (!yyjson_is_str(version) || !yyjson_is_obj(yyjson_obj_get(meta, META_CAPABILITIES))) {
        mcp_error(server, id, MCP_INVALID_PARAMS,
                  "_meta wants " META_VERSION ", a text, and " META_CAPABILITIES ", an object");
        return false;
    }
    if (!yyjson_equals_str(version, MCP_STATELESS)) {
        refuse_version(server, id, yyjson_get_str(version));
        return false;
    }
    if (level && !mcp_level_of(&server->manner.level, level)) {
        mcp_error(server, id, MCP_INVALID_PARAMS, "no such level");
        return false;
    }
    mcp_introduce(server, yyjson_obj_get(meta, META_CLIENT));
    return true;
}

/* ---- the server --------------------------------------------------------------------------------- */

void mcp_add_server(mcp_message *message, yyjson_mut_val *to, const char *name, bool title) {
    yyjson_mut_val *part = yyjson_mut_obj_add_obj(message->doc, to, name);

    yyjson_mut_obj_add_str(message->doc, part, "name", "brant");
    if (title) yyjson_mut_obj_add_str(message->doc, part, "title", "brant");
    yyjson_mut_obj_add_str(message->doc, part, "version", brant_version());
}

void mcp_add_capabilities(mcp_server *server, mcp_message *message) {
    yyjson_mut_doc *doc = message->doc;
    yyjson_mut_val *all = yyjson_mut_obj_add_obj(doc, message->body, "capabilities"), *part;

    part = yyjson_mut_obj_add_obj(doc, all, "tools");
    yyjson_mut_obj_add_true(doc, part, "listChanged");
    part = yyjson_mut_obj_add_obj(doc, all, "resources");
    yyjson_mut_obj_add_bool(doc, part, "subscribe", server->cursor != NULL);
    /* The memory profile has one resource. */
    yyjson_mut_obj_add_bool(doc, part, "listChanged", server->cursor && !server->options.memory);
    yyjson_mut_obj_add_obj(doc, all, "logging");
    yyjson_mut_obj_add_obj(doc, all, "completions");
    yyjson_mut_obj_add_str(doc, message->body, "instructions",
                           server->options.memory ? memory_instructions : instructions);
}

void mcp_discover(mcp_server *server, yyjson_val *id, yyjson_val *params) {
    mcp_message message = mcp_result(id);
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(message.doc, message.body, "supportedVersions");

    (void)params;
    yyjson_mut_arr_add_str(message.doc, list, MCP_STATELESS);
    mcp_add_capabilities(server, &message);
    mcp_add_cache(server, &message, MCP_CACHE_MS, true);
    mcp_message_send(server, &message);
}
