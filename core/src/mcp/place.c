/*
 * mcp/place.c: what the URI of a resource names. Names in URIs are percent-encoded.
 */
#include <stdlib.h>

#include "mcp/mcp.h"

void mcp_encode_name(mcp_buffer *out, const char *name) {
    for (; *name; name++) {
        const unsigned char byte = (unsigned char)*name;
        if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
            (byte >= '0' && byte <= '9') || strchr("-_.~", byte))
            mcp_append(out, name, 1);
        else
            mcp_format(out, "%%%02X", byte);
    }
}

static int digit(char byte) {
    if (byte >= '0' && byte <= '9') return byte - '0';
    if (byte >= 'a' && byte <= 'f') return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F') return byte - 'A' + 10;
    return -1;
}

/* Owned; NULL: no such name. */
static char *decode(const char *text, size_t length) {
    char *out = mcp_alloc(length + 1), *at = out;

    for (size_t i = 0; i < length; i++) {
        if (text[i] != '%') {
            *at++ = text[i];
            continue;
        }
        const int high = i + 2 < length ? digit(text[i + 1]) : -1;
        const int low = i + 2 < length ? digit(text[i + 2]) : -1;
        if (high < 0 || low < 0 || (high == 0 && low == 0)) {
            free(out);
            return NULL;
        }
        *at++ = (char)(high * 16 + low);
        i += 2;
    }
    *at = '\0';
    return out;
}

void mcp_place_free(mcp_place *place) {
    free(place->name);
    free(place->key);
    *place = (mcp_place){0};
}

mcp_place mcp_place_of(const mcp_server *server, const char *uri) {
    mcp_place out = {0};

    if (server->options.memory) {
        if (strcmp(uri, MCP_MEMORY_URI) == 0) out.kind = MCP_MEMORY;
    } else if (strncmp(uri, MCP_GRAPHS, strlen(MCP_GRAPHS)) == 0) {
        const char *name = uri + strlen(MCP_GRAPHS), *slash = strchr(name, '/');
        out.name = decode(name, slash ? (size_t)(slash - name) : strlen(name));
        out.kind = MCP_GRAPH;
        if (slash && strncmp(slash, "/nodes/", 7) == 0) {
            out.key = decode(slash + 7, strlen(slash + 7));
            out.kind = out.key ? MCP_NODE : MCP_NOWHERE;
        } else if (slash) {
            out.kind = MCP_NOWHERE;
        }
    } else if (strncmp(uri, MCP_TYPES, strlen(MCP_TYPES)) == 0) {
        out.name = decode(uri + strlen(MCP_TYPES), strlen(uri + strlen(MCP_TYPES)));
        out.kind = MCP_TYPE;
    } else if (strncmp(uri, MCP_OPERATIONS, strlen(MCP_OPERATIONS)) == 0) {
        out.name = decode(uri + strlen(MCP_OPERATIONS), strlen(uri + strlen(MCP_OPERATIONS)));
        out.kind = MCP_OPERATION;
    }
    if (out.kind != MCP_MEMORY && (!out.name || !*out.name)) out.kind = MCP_NOWHERE;
    return out;
}
