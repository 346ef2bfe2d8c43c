/*
 * mcp/memory.c: the memory profile: the tools of the reference memory server (npm @modelcontextprotocol/server-memory), by name, input, answer and meaning, on a graph of the type "memory".
 *
 * An entity is a node whose key is its name; a relation an edge whose key is [from, to, relationType]. A relation may tell of a name that is no entity (the reference lets
 * it): that is a node without an entityType, which reading passes over and which becomes an entity when it is created. Every call is one transaction, so that any
 * number of processes write at once and lose nothing. What differs from the reference: a thing that one call gives twice is stored once; names are of 1 to
 * 1024 bytes (a key's limit), from, to and relationType together of less.
 */
#include "mcp/memory.h"

const char *mcp_memory_graph(const mcp_server *server) {
    return server->options.graph ? server->options.graph : "memory";
}

/* ---- inputs and calls ---------------------------------------------------------------------------- */

yyjson_mut_doc *mcp_memory_input(const mcp_server *server) {
    return mcp_input("graph", mcp_memory_graph(server), NULL);
}

brant_status mcp_memory_ask(yyjson_doc **out, mcp_server *server, const char *operation,
                            yyjson_mut_doc *input) {
    const brant_status status = mcp_ask(out, server->agent.session, operation, input);

    yyjson_mut_doc_free(input);
    return status;
}

bool mcp_is_name(yyjson_val *name) {
    const size_t length = yyjson_get_len(name);

    return length > 0 && length <= MCP_MEMORY_NAME && !memchr(yyjson_get_str(name), '\0', length);
}

/* ---- the tools ----------------------------------------------------------------------------------- */

void mcp_memory_call(mcp_answer *answer, mcp_server *server, const char *tool,
                     yyjson_val *arguments) {
    yyjson_val *query = yyjson_obj_get(arguments, "query");
    yyjson_val *names = yyjson_obj_get(arguments, "names");

    if (mcp_memory_write(answer, server, tool, arguments)) return;
    if (strcmp(tool, "read_graph") == 0)
        mcp_memory_read(answer, server);
    else if (strcmp(tool, "search_nodes") == 0 && yyjson_is_str(query))
        mcp_memory_search(answer, server, yyjson_get_str(query));
    else if (strcmp(tool, "open_nodes") == 0 && mcp_is_texts(names))
        mcp_memory_open_nodes(answer, server, names);
    else
        mcp_answer_fail(answer, strcmp(tool, "search_nodes") == 0
                                    ? "INVALID: query is missing, or no text"
                                    : "INVALID: names is missing, or no array of texts");
}

/* An index of the graph's type, where it is missing; what cannot be made only makes reading slower. */
static void make_index(brant_db *db, const char *of, const char *type, const char *kind,
                       const char *const *paths) {
    yyjson_mut_doc *input = mcp_input("graph_type", "memory", of, type, "kind", kind, NULL);
    yyjson_mut_val *list;

    list = yyjson_mut_obj_add_arr(input, yyjson_mut_doc_get_root(input), "paths");
    for (; *paths; paths++)
        yyjson_mut_arr_add_str(input, list, *paths);
    mcp_ask(NULL, db, "indexes.create", input);
    yyjson_mut_doc_free(input);
}

brant_status mcp_memory_open(mcp_server *server) {
    static const char *const position[] = {"attributes.position", NULL};
    static const char *const words[] = {"attributes.entityType", "attributes.observations", NULL};
    const char *graph = mcp_memory_graph(server);
    /* Whoever has a key makes it only where the key may. */
    brant_db *db = server->agent.key ? server->agent.session : server->agent.db;
    yyjson_mut_doc *input = mcp_input("name", graph, NULL);
    yyjson_doc *read = NULL;
    brant_status status = mcp_ask(&read, db, "graphs.get", input);

    yyjson_mut_doc_free(input);
    if (status == BRANT_NOT_FOUND) {
        input = mcp_input("name", graph, "graph_type", "memory", NULL);
        status = mcp_ask(NULL, db, "graphs.create", input);
        yyjson_mut_doc_free(input);
        if (status == BRANT_EXISTS) status = BRANT_OK; /* another process was faster */
        if (status == BRANT_OK) {
            make_index(db, "node_type", "Entity", "value", position);
            make_index(db, "edge_type", "Relation", "value", position);
            make_index(db, "node_type", "Entity", "text", words);
        }
    }
    yyjson_doc_free(read);
    /* What it may not see is told at each call. */
    return status == BRANT_DENIED && server->agent.key ? BRANT_OK : status;
}
