/*
 * mcp/complete.c: completion/complete: the names that a resource template's variable can have.
 */
#include <stdio.h>
#include <stdlib.h>

#include "mcp/mcp.h"

#define MOST 100 /* what the protocol allows */

typedef struct completion {
    mcp_message message;
    yyjson_mut_val *values;
    const char *begin;
    bool more;
} completion;

static void add(completion *self, const char *name) {
    if (!name || strncmp(name, self->begin, strlen(self->begin)) != 0) return;
    if (yyjson_mut_arr_size(self->values) == MOST)
        self->more = true;
    else
        yyjson_mut_arr_add_strcpy(self->message.doc, self->values, name);
}

/* Names of the lists' items; a page is enough to choose from. */
static void add_listed(completion *self, mcp_server *server, const char *operation,
                       yyjson_mut_doc *input, const char *member) {
    yyjson_doc *page = NULL;
    yyjson_val *item;
    size_t at, count;

    if (server->agent.session &&
        mcp_ask(&page, server->agent.session, operation, input) == BRANT_OK) {
        yyjson_arr_foreach(yyjson_obj_get(yyjson_doc_get_root(page), "items"), at, count, item)
            add(self, yyjson_get_str(yyjson_obj_get(item, member)));
        if (yyjson_is_str(yyjson_obj_get(yyjson_doc_get_root(page), "cursor"))) self->more = true;
    }
    yyjson_doc_free(page);
    yyjson_mut_doc_free(input);
}

static yyjson_mut_doc *most_of(yyjson_mut_doc *input, int limit) {
    yyjson_mut_obj_add_int(input, yyjson_mut_doc_get_root(input), "limit", limit);
    return input;
}

void mcp_complete(mcp_server *server, yyjson_val *id, yyjson_val *params) {
    const char *kind = yyjson_get_str(yyjson_ptr_get(params, "/ref/type"));
    const char *uri = yyjson_get_str(yyjson_ptr_get(params, "/ref/uri"));
    const char *name = yyjson_get_str(yyjson_ptr_get(params, "/argument/name"));
    const char *begin = yyjson_get_str(yyjson_ptr_get(params, "/argument/value"));
    const char *graph = yyjson_get_str(yyjson_ptr_get(params, "/context/arguments/graph"));
    completion self = {.begin = begin};
    yyjson_mut_val *out;

    if (!kind || !name || !begin || strcmp(kind, "ref/resource") != 0 || !uri) {
        mcp_error(server, id, MCP_INVALID_PARAMS,
                  "completion/complete wants a ref/resource with its uri, and an argument");
        return;
    }
    self.message = mcp_result(id);
    out = yyjson_mut_obj_add_obj(self.message.doc, self.message.body, "completion");
    self.values = yyjson_mut_obj_add_arr(self.message.doc, out, "values");
    if (server->options.memory) {
        /* its one resource has no variables */
    } else if (strcmp(name, "graph") == 0) {
        add_listed(&self, server, "graphs.list", most_of(mcp_input(NULL), 1000), "name");
    } else if (strcmp(name, "key") == 0 && graph) {
        yyjson_mut_doc *input = mcp_input("graph", graph, *begin ? "prefix" : NULL, begin, NULL);
        add_listed(&self, server, "nodes.list", most_of(input, MOST), "key");
    } else if (strcmp(name, "name") == 0) {
        add_listed(&self, server, "graph_types.list", most_of(mcp_input(NULL), 1000), "name");
    } else if (strcmp(name, "operation") == 0) {
        for (size_t i = 0; i < server->catalogue.count; i++)
            if (mcp_agent_may(&server->agent,
                              yyjson_obj_get(server->catalogue.tools[i].spec, "required_scopes")))
                add(&self, server->catalogue.tools[i].operation);
    }
    yyjson_mut_obj_add_bool(self.message.doc, out, "hasMore", self.more);
    mcp_message_send(server, &self.message);
}
