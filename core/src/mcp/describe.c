/*
 * mcp/describe.c: a tool as tools/list shows it, from the operation's spec.
 */
#include <stdio.h>
#include <stdlib.h>

#include "mcp/mcp.h"

#define PAGE 50

/* What a subscription takes and gives as a call: items that come within a while. */
static void describe_subscription(yyjson_mut_doc *doc, yyjson_mut_val *tool, yyjson_val *spec) {
    yyjson_mut_val *input = yyjson_mut_obj_get(tool, "inputSchema");
    yyjson_mut_val *properties = yyjson_mut_obj_get(input, "properties"), *output, *items, *more;
    yyjson_val *item = yyjson_obj_get(spec, "output_schema");

    if (!properties) properties = yyjson_mut_obj_add_obj(doc, input, "properties");
    more = yyjson_mut_obj_add_obj(doc, properties, "max_items");
    yyjson_mut_obj_add_str(doc, more, "type", "integer");
    yyjson_mut_obj_add_int(doc, more, "minimum", 1);
    yyjson_mut_obj_add_int(doc, more, "maximum", MCP_ITEMS_MAX);
    yyjson_mut_obj_add_str(doc, more, "description", "Stop after so many; default 100");
    more = yyjson_mut_obj_add_obj(doc, properties, "wait_ms");
    yyjson_mut_obj_add_str(doc, more, "type", "integer");
    yyjson_mut_obj_add_int(doc, more, "minimum", 0);
    yyjson_mut_obj_add_int(doc, more, "maximum", MCP_WAIT_MAX);
    yyjson_mut_obj_add_str(doc, more, "description",
                           "How long to wait for items, in ms; default 1000");
    output = yyjson_mut_obj_add_obj(doc, tool, "outputSchema");
    yyjson_mut_obj_add_str(doc, output, "type", "object");
    properties = yyjson_mut_obj_add_obj(doc, output, "properties");
    items = yyjson_mut_obj_add_obj(doc, properties, "items");
    yyjson_mut_obj_add_str(doc, items, "type", "array");
    yyjson_mut_val *schema = mcp_schema(doc, item), *definitions;
    definitions = yyjson_mut_obj_remove_key(schema, "$defs");
    if (definitions) yyjson_mut_obj_add_val(doc, output, "$defs", definitions);
    if (!yyjson_obj_get(item, "type")) yyjson_mut_obj_remove_key(schema, "type");
    yyjson_mut_obj_add_val(doc, items, "items", schema);
    yyjson_mut_arr_add_str(doc, yyjson_mut_obj_add_arr(doc, output, "required"), "items");
}

/* ---- tools ------------------------------------------------------------------------------------- */

/* Does it take away or replace what is there? */
static bool destroys(const char *operation) {
    static const char *const words[] = {"delete",     "remove",  "purge", "erase",   "put",
                                        "update",     "patch",   "trim",  "drain",   "prune",
                                        "revoke",     "cancel",  "break", "restore", "replay",
                                        "deactivate", "suspend", "reset", "execute", "compact",
                                        "rotate",     "migrate", "leave", "set",     "transfer"};
    const char *verb = strrchr(operation, '.');

    verb = verb ? verb + 1 : operation;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strncmp(verb, words[i], strlen(words[i])) == 0) return true;
    return false;
}

/* Does a second call with the same input change nothing more? */
static bool idempotent(const char *operation) {
    static const char *const words[] = {"put",   "delete", "set",   "configure",
                                        "pause", "resume", "patch", "remove",
                                        "purge", "update", "seed",  "maintain"};
    const char *verb = strrchr(operation, '.');

    verb = verb ? verb + 1 : operation;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strncmp(verb, words[i], strlen(words[i])) == 0) return true;
    return false;
}

static void describe(mcp_server *server, yyjson_mut_doc *doc, yyjson_mut_val *list,
                     const mcp_tool *tool) {
    yyjson_mut_val *out = yyjson_mut_arr_add_obj(doc, list), *hints;
    const char *title = yyjson_get_str(yyjson_obj_get(tool->spec, "title"));
    const char *text = yyjson_get_str(yyjson_obj_get(tool->spec, "description"));
    mcp_buffer description = {0};

    yyjson_mut_obj_add_strcpy(doc, out, "name", tool->name);
    if (server->manner.structured && title) yyjson_mut_obj_add_strcpy(doc, out, "title", title);
    mcp_append_text(&description, title ? title : tool->operation);
    if (text && *text) mcp_format(&description, ". %s", text);
    yyjson_mut_obj_add_strncpy(doc, out, "description", description.data, description.length);
    mcp_buffer_free(&description);
    yyjson_mut_obj_add_val(doc, out, "inputSchema",
                           mcp_schema(doc, yyjson_obj_get(tool->spec, "input_schema")));
    if (tool->subscription) {
        describe_subscription(doc, out, tool->spec);
        if (!server->manner.structured) yyjson_mut_obj_remove_key(out, "outputSchema");
    } else if (server->manner.structured) {
        yyjson_mut_obj_add_val(doc, out, "outputSchema",
                               mcp_schema(doc, yyjson_obj_get(tool->spec, "output_schema")));
    }
    hints = yyjson_mut_obj_add_obj(doc, out, "annotations");
    if (title) yyjson_mut_obj_add_strcpy(doc, hints, "title", title);
    const bool reads =
        tool->query || (tool->subscription && strcmp(tool->operation, "schedules.run"));
    yyjson_mut_obj_add_bool(doc, hints, "readOnlyHint", reads);
    yyjson_mut_obj_add_bool(doc, hints, "destructiveHint", !reads && destroys(tool->operation));
    yyjson_mut_obj_add_bool(doc, hints, "idempotentHint", reads || idempotent(tool->operation));
    yyjson_mut_obj_add_bool(doc, hints, "openWorldHint", false);
}

bool mcp_tool_offered(const mcp_server *server, const mcp_tool *tool) {
    return tool->chosen &&
           mcp_agent_may(&server->agent, yyjson_obj_get(tool->spec, "required_scopes"));
}

/* Tools of the server's own: their JSON as it is listed. */
static size_t own_tools(const char *const **out, mcp_server *server) {
    size_t count = 0;

    *out = server->options.memory ? mcp_memory_tools : mcp_meta_tools;
    if (!server->agent.session || (!server->options.memory && !server->catalogue.meta)) return 0;
    while ((*out)[count])
        count++;
    return count;
}

static bool memory_reads_only(mcp_server *server) {
    static const char scopes[] = "[\"nodes:write\",\"edges:write\"]";
    yyjson_doc *doc = mcp_read(scopes, sizeof scopes - 1);
    const bool may = mcp_agent_may(&server->agent, yyjson_doc_get_root(doc));

    yyjson_doc_free(doc);
    return !may;
}

static void describe_own(mcp_server *server, yyjson_mut_doc *doc, yyjson_mut_val *list,
                         const char *json, bool reads_only) {
    yyjson_doc *read = mcp_read(json, strlen(json));
    yyjson_mut_val *tool = yyjson_val_mut_copy(doc, yyjson_doc_get_root(read));
    yyjson_val *hint = yyjson_ptr_get(yyjson_doc_get_root(read), "/annotations/readOnlyHint");
    const bool shown = !reads_only || yyjson_get_bool(hint);

    yyjson_doc_free(read);
    if (!tool || !shown) return;
    if (!server->manner.structured) {
        yyjson_mut_obj_remove_key(tool, "outputSchema");
        yyjson_mut_obj_remove_key(tool, "title");
    }
    yyjson_mut_arr_append(list, tool);
}

void mcp_tools_list(mcp_server *server, yyjson_val *id, yyjson_val *params) {
    yyjson_val *cursor = yyjson_obj_get(params, "cursor");
    const char *after = yyjson_get_str(cursor), *const * own;
    mcp_message message;
    yyjson_mut_val *list;
    size_t shown = 0, own_count;

    if (cursor && (!after || !*after)) {
        mcp_error(server, id, MCP_INVALID_PARAMS, "the cursor is not one of this list");
        return;
    }
    if (after && !server->options.memory && !mcp_catalogue_tool(&server->catalogue, after)) {
        mcp_error(server, id, MCP_INVALID_PARAMS, "the cursor is not one of this list");
        return;
    }
    message = mcp_result(id);
    list = yyjson_mut_obj_add_arr(message.doc, message.body, "tools");
    own_count = own_tools(&own, server);
    if (!after) {
        const bool reads_only = server->options.memory && memory_reads_only(server);
        for (size_t i = 0; i < own_count; i++)
            describe_own(server, message.doc, list, own[i], reads_only);
    }
    for (size_t i = 0; !server->options.memory && i < server->catalogue.count; i++) {
        const mcp_tool *tool = &server->catalogue.tools[i];
        if ((after && strcmp(tool->name, after) <= 0) || !mcp_tool_offered(server, tool)) continue;
        if (shown == PAGE) {
            const char *last =
                yyjson_mut_get_str(yyjson_mut_obj_get(yyjson_mut_arr_get_last(list), "name"));
            yyjson_mut_obj_add_strcpy(message.doc, message.body, "nextCursor", last);
            break;
        }
        describe(server, message.doc, list, tool);
        shown++;
    }
    mcp_add_cache(server, &message, MCP_CACHE_MS, false);
    mcp_message_send(server, &message);
}

uint64_t mcp_tools_fingerprint(mcp_server *server) {
    uint64_t hash = MCP_HASH ^ (server->agent.session ? 1 : 0);

    if (server->options.memory) return hash ^ (memory_reads_only(server) ? 2 : 0);
    for (size_t i = 0; i < server->catalogue.count; i++) {
        const mcp_tool *tool = &server->catalogue.tools[i];
        if (!mcp_tool_offered(server, tool)) continue;
        hash = mcp_hash(hash, tool->name, strlen(tool->name) + 1);
        if (strncmp(tool->operation, "types.", 6) == 0)
            hash = mcp_hash(hash, (const char *)&server->catalogue.fingerprint,
                            sizeof server->catalogue.fingerprint);
    }
    return hash;
}
