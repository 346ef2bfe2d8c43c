/*
 * mcp/memory.h: what the files of the memory profile share.
 */
#ifndef BRANT__MCP_MEMORY_H
#define BRANT__MCP_MEMORY_H

#include "mcp/mcp.h"

#define MCP_MEMORY_NAME 1024 /* bytes of a name: a key's limit */

/* Can an entity have this name? */
bool mcp_is_name(yyjson_val *name);
/* {"graph": that of the memory}; */
yyjson_mut_doc *mcp_memory_input(const mcp_server *server);
/* mcp_ask through the session; the input is given up. */
brant_status mcp_memory_ask(yyjson_doc **out, mcp_server *server, const char *operation,
                            yyjson_mut_doc *input);
/* memory_write.c. False: no tool that writes. */
bool mcp_memory_write(mcp_answer *answer, mcp_server *server, const char *tool,
                      yyjson_val *arguments);
/* memory_read.c */
void mcp_memory_search(mcp_answer *answer, mcp_server *server, const char *query);
void mcp_memory_open_nodes(mcp_answer *answer, mcp_server *server, yyjson_val *names);

#endif
