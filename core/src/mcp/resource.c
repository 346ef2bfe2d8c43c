/*
 * mcp/resource.c: graphs, graph types, nodes and operations as resources; listen.c tells what commits change of them.
 *
 *   brant://graphs/<graph>             what graphs.get answers
 *   brant://graphs/<graph>/nodes/<key> what nodes.get answers
 *   brant://graph-types/<name>         what graph_types.get answers, with its module
 *   brant://operations/<operation>     its spec as a page of Markdown
 *
 * Names are percent-encoded. All is read through the agent's session. With the memory profile there is memory://knowledge-graph alone.
 */
#include <stdio.h>
#include <stdlib.h>

#include "mcp/mcp.h"

/* ---- lists -------------------------------------------------------------------------------------- */

static void list_one(mcp_message *message, yyjson_mut_val *list, const char *base, const char *name,
                     const char *description) {
    yyjson_mut_val *item = yyjson_mut_arr_add_obj(message->doc, list);
    mcp_buffer uri = {0};

    mcp_append_text(&uri, base);
    mcp_encode_name(&uri, name);
    yyjson_mut_obj_add_strcpy(message->doc, item, "uri", uri.data);
    mcp_buffer_free(&uri);
    yyjson_mut_obj_add_strcpy(message->doc, item, "name", name);
    yyjson_mut_obj_add_strcpy(message->doc, item, "description", description);
    yyjson_mut_obj_add_str(message->doc, item, "mimeType", "application/json");
}

static void list_memory(mcp_server *server, yyjson_val *id) {
    mcp_message message = mcp_result(id);

    if (message.doc) {
        yyjson_mut_val *list = yyjson_mut_obj_add_arr(message.doc, message.body, "resources");
        yyjson_mut_val *item = yyjson_mut_arr_add_obj(message.doc, list);
        yyjson_mut_obj_add_str(message.doc, item, "uri", MCP_MEMORY_URI);
        yyjson_mut_obj_add_str(message.doc, item, "name", "knowledge-graph");
        if (server->manner.structured)
            yyjson_mut_obj_add_str(message.doc, item, "title", "Knowledge Graph");
        yyjson_mut_obj_add_str(message.doc, item, "description",
                               "The full knowledge graph with all entities and relations");
        yyjson_mut_obj_add_str(message.doc, item, "mimeType", "application/json");
    }
    mcp_add_cache(server, &message, MCP_CACHE_MS, true);
    mcp_message_send(server, &message);
}

/* Graphs, then graph types, by pages of each; the cursor is "g" or "t" and that of the list. */
void mcp_resources_list(mcp_server *server, yyjson_val *id, yyjson_val *params) {
    yyjson_val *given = yyjson_obj_get(params, "cursor");
    const char *cursor = yyjson_get_str(given);
    const bool types = cursor && *cursor == 't';
    yyjson_mut_doc *input;
    yyjson_doc *page = NULL;
    yyjson_val *item, *next;
    mcp_message message;
    size_t at, count;
    char text[512];

    if (server->options.memory) {
        list_memory(server, id);
        return;
    }
    if (given && (!cursor || (*cursor != 'g' && *cursor != 't'))) {
        mcp_error(server, id, MCP_INVALID_PARAMS, "the cursor is not one of this list");
        return;
    }
    input = cursor && cursor[1] ? mcp_input("cursor", cursor + 1, NULL) : mcp_input(NULL);
    if (!server->agent.session ||
        mcp_ask(&page, server->agent.session, types ? "graph_types.list" : "graphs.list", input) !=
            BRANT_OK) {
        const brant_error *error = brant_last_error();
        yyjson_mut_doc_free(input);
        if (error->code == BRANT_INVALID) {
            mcp_error(server, id, MCP_INVALID_PARAMS, "the cursor is not one of this list");
            return;
        }
        /* An agent that may not list has an empty list. */
        message = mcp_result(id);
        if (message.doc) yyjson_mut_obj_add_arr(message.doc, message.body, "resources");
        mcp_add_cache(server, &message, 0, false);
        mcp_message_send(server, &message);
        return;
    }
    yyjson_mut_doc_free(input);
    message = mcp_result(id);
    if (message.doc) {
        yyjson_mut_val *list = yyjson_mut_obj_add_arr(message.doc, message.body, "resources");
        yyjson_arr_foreach(yyjson_obj_get(yyjson_doc_get_root(page), "items"), at, count, item) {
            const char *name = yyjson_get_str(yyjson_obj_get(item, "name"));
            const char *type = yyjson_get_str(yyjson_obj_get(item, "graph_type"));
            if (types)
                snprintf(text, sizeof text, "Graph type: node and edge types with their schemas");
            else
                snprintf(text, sizeof text, "Graph of type %.128s: %lld nodes, %lld edges",
                         type ? type : "?",
                         (long long)yyjson_get_sint(yyjson_obj_get(item, "nodes")),
                         (long long)yyjson_get_sint(yyjson_obj_get(item, "edges")));
            if (name) list_one(&message, list, types ? MCP_TYPES : MCP_GRAPHS, name, text);
        }
        next = yyjson_obj_get(yyjson_doc_get_root(page), "cursor");
        if (yyjson_is_str(next)) {
            mcp_buffer out = {0};
            mcp_append_text(&out, types ? "t" : "g");
            mcp_append(&out, yyjson_get_str(next), yyjson_get_len(next));
            yyjson_mut_obj_add_strcpy(message.doc, message.body, "nextCursor", out.data);
            mcp_buffer_free(&out);
        } else if (!types) {
            yyjson_mut_obj_add_str(message.doc, message.body, "nextCursor", "t");
        }
    }
    yyjson_doc_free(page);
    mcp_add_cache(server, &message, 0, false);
    mcp_message_send(server, &message);
}

void mcp_resources_templates(mcp_server *server, yyjson_val *id, yyjson_val *params) {
    static const char *const templates[][4] = {
        {MCP_GRAPHS "{graph}", "graph", "A graph: type, counts, metadata", "application/json"},
        {MCP_GRAPHS "{graph}/nodes/{key}", "node", "A node with its attributes",
         "application/json"},
        {MCP_TYPES "{name}", "graph-type", "A graph type with its module of JSON Schemas",
         "application/json"},
        {MCP_OPERATIONS "{operation}", "operation", "What an operation does, takes and answers",
         "text/markdown"},
    };
    mcp_message message = mcp_result(id);

    (void)params; /* there is one page */
    if (message.doc) {
        yyjson_mut_val *list =
            yyjson_mut_obj_add_arr(message.doc, message.body, "resourceTemplates");
        for (size_t i = 0; !server->options.memory && i < sizeof templates / sizeof *templates;
             i++) {
            yyjson_mut_val *item = yyjson_mut_arr_add_obj(message.doc, list);
            yyjson_mut_obj_add_str(message.doc, item, "uriTemplate", templates[i][0]);
            yyjson_mut_obj_add_str(message.doc, item, "name", templates[i][1]);
            yyjson_mut_obj_add_str(message.doc, item, "description", templates[i][2]);
            yyjson_mut_obj_add_str(message.doc, item, "mimeType", templates[i][3]);
        }
    }
    mcp_add_cache(server, &message, MCP_CACHE_MS, true);
    mcp_message_send(server, &message);
}

void mcp_no_resource(mcp_server *server, yyjson_val *id, const char *uri) {
    const int code = server->manner.stateless ? MCP_INVALID_PARAMS : MCP_RESOURCE_NOT_FOUND;
    char text[256];
    mcp_message message;

    snprintf(text, sizeof text, "no such resource: %.200s", uri);
    message = mcp_failure(id, code, text);
    yyjson_mut_val *data = yyjson_mut_obj_add_obj(message.doc, message.body, "data");
    yyjson_mut_obj_add_strcpy(message.doc, data, "uri", uri);
    mcp_message_send(server, &message);
}

/* ---- reading ------------------------------------------------------------------------------------ */

static void send_contents(mcp_server *server, yyjson_val *id, const char *uri, const char *kind,
                          const char *text) {
    mcp_message message = mcp_result(id);

    if (message.doc) {
        yyjson_mut_val *list = yyjson_mut_obj_add_arr(message.doc, message.body, "contents");
        yyjson_mut_val *item = yyjson_mut_arr_add_obj(message.doc, list);
        yyjson_mut_obj_add_strcpy(message.doc, item, "uri", uri);
        yyjson_mut_obj_add_str(message.doc, item, "mimeType", kind);
        yyjson_mut_obj_add_strcpy(message.doc, item, "text", text);
    }
    mcp_add_cache(server, &message, 0, false);
    mcp_message_send(server, &message);
}

static void add_schema(mcp_buffer *out, const char *title, yyjson_val *schema) {
    yyjson_mut_doc *doc = mcp_doc();
    char *json = mcp_write(mcp_schema(doc, schema), NULL);

    mcp_format(out, "\n## %s\n\n```json\n", title);
    mcp_append_text(out, json);
    mcp_append_text(out, "\n```\n");
    free(json);
    yyjson_mut_doc_free(doc);
}

static void add_list(mcp_buffer *out, const char *title, yyjson_val *list) {
    size_t at, count;
    yyjson_val *item;

    mcp_format(out, "\n%s:", title);
    yyjson_arr_foreach(list, at, count, item) mcp_format(out, " `%s`", yyjson_get_str(item));
    mcp_append_text(out, "\n");
}

static void read_operation(mcp_server *server, yyjson_val *id, const char *uri, const char *name) {
    const mcp_tool *tool = mcp_catalogue_operation(&server->catalogue, name);
    const char *title, *text;
    mcp_buffer out = {0};

    if (!tool || !mcp_agent_may(&server->agent, yyjson_obj_get(tool->spec, "required_scopes"))) {
        mcp_no_resource(server, id, uri);
        return;
    }
    title = yyjson_get_str(yyjson_obj_get(tool->spec, "title"));
    text = yyjson_get_str(yyjson_obj_get(tool->spec, "description"));
    mcp_format(&out, "# %s\n\n%s. ", name, title ? title : name);
    mcp_append_text(&out, text ? text : "");
    mcp_format(&out, "\n\nA %s.\n", yyjson_get_str(yyjson_obj_get(tool->spec, "type")));
    add_list(&out, "Scopes", yyjson_obj_get(tool->spec, "required_scopes"));
    add_list(&out, "Errors", yyjson_obj_get(tool->spec, "errors"));
    add_schema(&out, "Input", yyjson_obj_get(tool->spec, "input_schema"));
    const size_t without = out.length;
    add_schema(&out, "Output", yyjson_obj_get(tool->spec, "output_schema"));
    if (mcp_tokens(out.data, out.length) > server->options.max_tokens) {
        out.length = without;
        mcp_append_text(&out, "\nThe output schema is left out: it does not fit.\n");
    }
    mcp_cut_text(&out.data, server->options.max_tokens);
    send_contents(server, id, uri, "text/markdown", out.data);
    mcp_buffer_free(&out);
}

/* Through the session. */
static void read_place(mcp_answer *answer, mcp_server *server, const mcp_place *wanted) {
    const mcp_tool *tool;
    yyjson_mut_doc *input;
    yyjson_doc *read;

    if (wanted->kind == MCP_MEMORY) {
        mcp_memory_read(answer, server);
        return;
    }
    if (wanted->kind == MCP_NODE)
        input = mcp_input("graph", wanted->name, "key", wanted->key, NULL);
    else
        input = mcp_input("name", wanted->name, NULL);
    tool = mcp_catalogue_operation(&server->catalogue, wanted->kind == MCP_NODE ? "nodes.get"
                                                       : wanted->kind == MCP_GRAPH
                                                           ? "graphs.get"
                                                           : "graph_types.get");
    char *json = mcp_write(yyjson_mut_doc_get_root(input), NULL);
    read = json ? mcp_read(json, strlen(json)) : NULL;
    if (read && tool)
        mcp_call_operation(answer, server, tool, yyjson_doc_get_root(read));
    else
        mcp_answer_fail(answer, "INVALID: the URI is not UTF-8");
    yyjson_doc_free(read);
    free(json);
    yyjson_mut_doc_free(input);
}

void mcp_resources_read(mcp_server *server, yyjson_val *id, yyjson_val *params) {
    const char *uri = yyjson_get_str(yyjson_obj_get(params, "uri"));
    mcp_place wanted = uri ? mcp_place_of(server, uri) : (mcp_place){0};
    mcp_answer answer = {0};

    if (!uri) {
        mcp_error(server, id, MCP_INVALID_PARAMS, "resources/read wants a uri");
        return;
    }
    if (wanted.kind == MCP_NOWHERE) {
        mcp_no_resource(server, id, uri);
    } else if (!server->agent.session) {
        mcp_error(server, id, MCP_INTERNAL_ERROR,
                  "AUTH: the agent's API key is not valid, or not any more");
    } else if (wanted.kind == MCP_OPERATION) {
        read_operation(server, id, uri, wanted.name);
    } else {
        read_place(&answer, server, &wanted);
        if (answer.failed) {
            const bool gone = answer.text && strncmp(answer.text, "NOT_FOUND", 9) == 0;
            if (gone)
                mcp_no_resource(server, id, uri);
            else
                mcp_error(server, id, MCP_INTERNAL_ERROR, "%.400s", answer.text);
        } else {
            char *json = mcp_write(yyjson_mut_doc_get_root(answer.doc), NULL);
            send_contents(server, id, uri, "application/json", json);
            free(json);
        }
        mcp_answer_free(&answer);
    }
    mcp_place_free(&wanted);
}
