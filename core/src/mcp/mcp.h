/*
 * mcp/mcp.h: a server of the Model Context Protocol over a brant file. It stands on the public headers and the registry alone.
 *
 * - stdio.c: the transport: a thread that reads lines, one that answers them, the wake
 * - server.c: messages: JSON-RPC 2.0, the handshake, which method it is, cancellation
 * - manner.c: how a request is answered: by handshake or, since 2026-07-28, by its own _meta; server/discover
 * - allocate.c: memory, and JSON in it
 * - write.c: answers and notifications as they are sent
 * - session.c: who the agent is: an API key or a set of scopes, and the session that judges its calls
 * - catalogue.c: which operations are tools, and their names
 * - schema.c: schemas as clients take them
 * - describe.c: a tool as tools/list shows it
 * - call.c: tools/call, progress, cancellation
 * - meta.c: operations_find, operations_describe, operations_call
 * - budget.c: answers within a number of tokens
 * - place.c, resource.c, complete.c: graphs, graph types and operations as resources; names completed
 * - listen.c: who is told of changes
 * - memory.c, memory_tools.c, memory_write.c, memory_read.c: the memory profile
 */
#ifndef BRANT__MCP_H
#define BRANT__MCP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <yyjson.h>

#include "brant.h"

#define MCP_TOKENS      10000 /* of an answer, where nothing else is asked for */
#define MCP_TOKENS_MIN  200
#define MCP_MESSAGE_MAX ((size_t)16 << 20) /* bytes of a line */
#define MCP_ITEMS_MAX   10000              /* of a subscription that is called as a tool */
#define MCP_WAIT_MAX    60000              /* ms */
#define MCP_TOOL_NAME   64                 /* bytes: what the models' interfaces take */

/* Errors of JSON-RPC and of the protocol. */
enum {
    MCP_PARSE_ERROR = -32700,
    MCP_INVALID_REQUEST = -32600,
    MCP_METHOD_NOT_FOUND = -32601,
    MCP_INVALID_PARAMS = -32602,
    MCP_INTERNAL_ERROR = -32603,
    MCP_RESOURCE_NOT_FOUND = -32002,  /* of versions with a handshake; then MCP_INVALID_PARAMS */
    MCP_UNSUPPORTED_VERSION = -32022, /* of a request's _meta */
};

#define MCP_STATELESS "2026-07-28" /* the version without a handshake */
#define MCP_META      "io.modelcontextprotocol/"
#define MCP_CACHE_MS  60000 /* for how long lists that rarely change are fresh */

enum mcp_level { MCP_DEBUG, MCP_INFO, MCP_NOTICE, MCP_WARNING, MCP_ERROR, MCP_LEVELS = 8 };

typedef struct mcp_options {
    const char *tools;  /* "nodes,graphs.*,.."; NULL: the default */
    const char *scopes; /* "a:read,b:*"; NULL: as `write` says */
    const char *graph;  /* of the memory profile; NULL: "memory" */
    bool write;
    bool memory; /* the memory profile */
    size_t max_tokens;
} mcp_options;

/* Where messages go: a JSON text without newline. Calls do not overlap. */
typedef void (*mcp_send)(void *context, const char *json, size_t length);

/* ---- memory (allocate.c) ------------------------------------------------------------------------ */

/* Zeros; for free(). These and all below end the process where there is no memory. */
void *mcp_alloc(size_t size);
void *mcp_grow(void *memory, size_t count, size_t size);
char *mcp_copy(const char *text, size_t length);
/* A document whose root is {}. */
yyjson_mut_doc *mcp_doc(void);
yyjson_mut_doc *mcp_doc_of(yyjson_doc *read);
/* NULL: not JSON. */
yyjson_doc *mcp_read(const char *json, size_t length);
/* What encoders write although it is no JSON: half a surrogate pair, bytes that are no UTF-8, NaN. Texts are not to be trusted; NULL: nothing like that either. */
yyjson_doc *mcp_read_loosely(const char *json, size_t length);
/* Owned; out_length may be NULL. NULL: a text in it is not UTF-8. */
char *mcp_write(yyjson_mut_val *value, size_t *out_length);
char *mcp_write_read(yyjson_val *value, size_t *out_length);

/* ---- the agent (session.c) -------------------------------------------------------------------- */

/* What the graph "access" was found to give, by scope. */
typedef struct mcp_rights {
    struct {
        char scope[64];
        bool granted;
    } list[16];
    size_t count;
} mcp_rights;

typedef struct mcp_agent {
    brant_db *db;   /* trusted, borrowed; NULL with a hub */
    brant_hub *hub; /* borrowed; or NULL */
    char *key;      /* the API key, wiped; NULL: none */
    size_t key_len;
    char *client;   /* who the client says that it is: the reason in audit rows */
    char *scopes;   /* JSON array: of a session without a key */
    char *files;    /* JSON array: ["read", "write"] as operations were named */
    char *identity; /* JSON of the session that is open; "" where its key is not valid any more */
    brant_db *session;  /* NULL: the key is not valid any more */
    brant_db *outer;    /* with a hub: the session that it gave, below ours */
    yyjson_doc *judged; /* identity, read */
    mcp_rights *rights;
    pthread_mutex_t guard; /* of `session`, against mcp_agent_interrupt */
} mcp_agent;

/* Opens the session. AUTH: the key is not valid. */
brant_status mcp_agent_open(mcp_agent *agent);
void mcp_agent_close(mcp_agent *agent);
/* Asks again who the key is; opens another session where that has changed. AUTH: nobody any more. Called before each request, and once a second. */
brant_status mcp_agent_refresh(mcp_agent *agent);
/* The session's running call ends. Any thread. */
void mcp_agent_interrupt(mcp_agent *agent);
/* Do the identity's scopes allow each of `required`, or may a right on some graph do so? */
bool mcp_agent_may(const mcp_agent *agent, yyjson_val *required);
/* Is "a" a scope, and does it cover "b"? */
bool mcp_scope_covers(const char *have, const char *want);

/* ---- the catalogue (catalogue.c) --------------------------------------------------------------- */

typedef struct mcp_tool {
    char name[MCP_TOOL_NAME + 1];
    const char *operation; /* borrowed from its spec */
    yyjson_val *spec;
    bool chosen; /* by --tools or the default */
    bool open;   /* to be reached through operations_call */
    bool subscription;
    bool query;
} mcp_tool;

typedef struct mcp_catalogue {
    yyjson_doc **docs; /* of operations.list: the registry, then a graph type each */
    size_t doc_count;
    mcp_tool *tools; /* in order of name */
    size_t count, capacity;
    char *selection; /* --tools */
    bool meta;       /* the meta tools are offered */
    bool types;      /* typed operations are chosen: look at the graph types */
    bool files_read; /* operations on files of the machine that were named */
    bool files_write;
    uint64_t fingerprint; /* of graph types as they were read */
} mcp_catalogue;

/* INVALID: the selection names nothing. */
brant_status mcp_catalogue_open(mcp_catalogue *catalogue, const char *selection);
void mcp_catalogue_close(mcp_catalogue *catalogue);
/* Typed operations as the graph types are now; `db` may be NULL. *out_changed: they are others. */
brant_status mcp_catalogue_refresh(bool *out_changed, mcp_catalogue *catalogue, brant_db *db);
const mcp_tool *mcp_catalogue_tool(const mcp_catalogue *catalogue, const char *name);
const mcp_tool *mcp_catalogue_operation(const mcp_catalogue *catalogue, const char *operation);

/* ---- the server (server.c) --------------------------------------------------------------------- */

typedef struct mcp_server mcp_server;

/* How a request is answered. */
typedef struct mcp_manner {
    bool
        stateless; /* by its own _meta: results say of what kind they are, and for how long they may be kept */
    bool structured; /* with structuredContent and outputSchema */
    bool batches;    /* there are JSON-RPC batches */
    int level;       /* of the log messages that are wanted, at least; MCP_LEVELS: none are */
} mcp_manner;

/* A resource that a listener is told of. */
typedef struct mcp_watch {
    char *uri;
    struct mcp_watch *next;
} mcp_watch;

typedef struct mcp_listener {
    char *id;              /* of its subscriptions/listen, as JSON; NULL: the handshake's session */
    bool tools, resources; /* is it told that a list changed? */
    mcp_watch *watches;
    struct mcp_listener *next;
} mcp_listener;

struct mcp_server {
    mcp_options options;
    mcp_agent agent;
    mcp_catalogue catalogue;
    mcp_send send;
    void *context;
    pthread_mutex_t sending;

    bool greeted;      /* initialize was answered */
    mcp_manner agreed; /* by the handshake */
    mcp_manner manner; /* of the request that is being answered */
    uint64_t listed;   /* fingerprint of the tools as the listeners know them */

    brant_cursor *cursor; /* what is committed; NULL: it cannot be followed */
    mcp_listener *listeners;

    /* The call that runs, for the thread that reads. */
    pthread_mutex_t guard;
    char *running; /* its id as JSON; NULL: none */
    atomic_bool cancelled;
    char *dropped[64]; /* ids that were cancelled before they ran */
    size_t dropped_at;
};

/*
 * A server over `db`, or over the hub (one of both is NULL; borrowed until mcp_server_free). `key`: the agent's API key, copied; NULL: none. Answers go to `send`.
 * AUTH: the key is not valid; INVALID: options.
 */
brant_status mcp_server_new(mcp_server **out, brant_db *db, brant_hub *hub, const char *key,
                            size_t key_len, const mcp_options *options, mcp_send send,
                            void *context);
void mcp_server_free(mcp_server *server);
/* One message, or what was to be one: any bytes. Whatever is to be answered has been when it returns. */
void mcp_server_handle(mcp_server *server, const char *message, size_t length);
/* The line was longer than MCP_MESSAGE_MAX. */
void mcp_server_overlong(mcp_server *server);
/* Look at what was committed, and whether the key still is valid: notifications. */
void mcp_server_tick(mcp_server *server);
/* What was committed since is told to the listeners. */
void mcp_server_look(mcp_server *server);
/* Begins to follow what is committed, from now on. */
void mcp_server_follow(mcp_server *server);
/* Is this a cancellation? Then the call ends, or will not begin. Any thread, at any time. */
void mcp_server_peek(mcp_server *server, const char *message, size_t length);
/* Does a call run that was cancelled? Then it is interrupted again: an interrupt before an operation begins, or between two of them, ends nothing. Any thread. */
bool mcp_server_remind(mcp_server *server);

/* ---- writing (write.c) ------------------------------------------------------------------------- */

/* A message being made: {"jsonrpc": "2.0", ..}. */
typedef struct mcp_message {
    yyjson_mut_doc *doc;
    yyjson_mut_val *root;
    yyjson_mut_val *body; /* result, or params */
} mcp_message;

mcp_message mcp_result(yyjson_val *id);
mcp_message mcp_notification(const char *method);
/* An error; its body may be given "data". id NULL: null. */
mcp_message mcp_failure(yyjson_val *id, int code, const char *text);
/* A result's for how long it is fresh; `shared`: the same for every agent. */
void mcp_add_cache(const mcp_server *server, mcp_message *message, int ms, bool shared);
/* In the manner of the request. */
void mcp_message_send(mcp_server *server, mcp_message *message);
/* id NULL: null. */
void mcp_error(mcp_server *server, yyjson_val *id, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void mcp_log(mcp_server *server, int level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Text that grows; `data` is NULL until something was appended, then ends with NUL. */
typedef struct mcp_buffer {
    char *data;
    size_t length, capacity;
} mcp_buffer;
void mcp_append(mcp_buffer *buffer, const char *text, size_t length);
void mcp_append_text(mcp_buffer *buffer, const char *text);
void mcp_format(mcp_buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
void mcp_buffer_free(mcp_buffer *buffer);

uint64_t mcp_hash(uint64_t hash, const char *bytes, size_t length); /* FNV-1a, from MCP_HASH */
#define MCP_HASH UINT64_C(14695981039346656037)

/* ---- the manner (manner.c) ---------------------------------------------------------------------- */

/* server->manner, as the request wants it. False: it was answered with an error. */
bool mcp_manner_read(mcp_server *server, yyjson_val *id, yyjson_val *params);
/* The client says who it is: {"name", "version"}, or NULL. It is the reason in audit rows. */
void mcp_introduce(mcp_server *server, yyjson_val *client);
/* False: no level has this name. */
bool mcp_level_of(int *out, yyjson_val *name);
void mcp_add_server(mcp_message *message, yyjson_mut_val *to, const char *name, bool title);
/* Capabilities and instructions. */
void mcp_add_capabilities(mcp_server *server, mcp_message *message);
void mcp_discover(mcp_server *server, yyjson_val *id, yyjson_val *params);

/* ---- operations (call.c) ------------------------------------------------------------------------ */

/* Call an operation through a handle with an input, which stays the caller's; the answer is read. The error record says what failed. */
brant_status mcp_ask(yyjson_doc **out, brant_db *db, const char *operation, yyjson_mut_doc *input);
/* {"<name>": "<text>", ..}, of pairs that end with NULL, as an input. */
yyjson_mut_doc *mcp_input(const char *name, ...);
/* Is it an array of texts? */
bool mcp_is_texts(yyjson_val *list);

/* What a call of a tool gave. */
typedef struct mcp_answer {
    yyjson_mut_doc *doc;  /* structured content is its root; NULL where there is none */
    char *text;           /* of an error, or instead of the JSON of doc; NULL: that JSON, compact */
    char *notice;         /* how to go on where something was cut; NULL: nothing was */
    yyjson_mut_val *cuts; /* in doc: what was cut, for machines; NULL */
    bool failed;
} mcp_answer;
void mcp_answer_free(mcp_answer *answer);
/* The thread's error record as a failed answer. */
void mcp_answer_error(mcp_answer *answer);
void mcp_answer_fail(mcp_answer *answer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A number of a tool's own input; absent it stays what it is. False: it is none of that range, and the answer tells it. */
bool mcp_read_number(int64_t *io_number, mcp_answer *answer, yyjson_val *given, const char *name,
                     int64_t least, int64_t most);

void mcp_tools_call(mcp_server *server, yyjson_val *id, yyjson_val *params);
/* An operation with a JSON input, its answer within the budget. */
void mcp_call_operation(mcp_answer *answer, mcp_server *server, const mcp_tool *tool,
                        yyjson_val *input);

/* ---- the rest ----------------------------------------------------------------------------------- */

/* describe.c */
void mcp_tools_list(mcp_server *server, yyjson_val *id, yyjson_val *params);
uint64_t mcp_tools_fingerprint(mcp_server *server);
/* Is it offered to this agent? */
bool mcp_tool_offered(const mcp_server *server, const mcp_tool *tool);
/* schema.c: a schema with the definitions that it refers to and no others, as an object's. */
yyjson_mut_val *mcp_schema(yyjson_mut_doc *doc, yyjson_val *schema);

/* meta.c */
extern const char *const mcp_meta_tools[]; /* JSON of each as tools/list shows it; ends with NULL */
bool mcp_meta_call(mcp_answer *answer, mcp_server *server, const char *tool, yyjson_val *arguments);

/* budget.c */
/* About how many tokens a model takes a text for: 4 bytes of ASCII each, and each other code point one. */
size_t mcp_tokens(const char *text, size_t length);
/* Shorten doc's root until its JSON is within the tokens, along its schema (may be NULL), and say so in the answer. False: it cannot be. */
/* A text that is longer keeps its beginning, and says how long it was. *text may be NULL. */
void mcp_cut_text(char **text, size_t max_tokens);
bool mcp_shorten(mcp_answer *answer, size_t max_tokens, yyjson_val *schema);
size_t mcp_document_tokens(yyjson_mut_val *value);

/* place.c: what a URI names */
#define MCP_GRAPHS     "brant://graphs/"
#define MCP_TYPES      "brant://graph-types/"
#define MCP_OPERATIONS "brant://operations/"
typedef struct mcp_place {
    enum { MCP_NOWHERE, MCP_GRAPH, MCP_NODE, MCP_TYPE, MCP_OPERATION, MCP_MEMORY } kind;
    char *name, *key;
} mcp_place;
mcp_place mcp_place_of(const mcp_server *server, const char *uri);
void mcp_place_free(mcp_place *place);
void mcp_encode_name(mcp_buffer *out, const char *name);

/* resource.c */
void mcp_resources_list(mcp_server *server, yyjson_val *id, yyjson_val *params);
void mcp_resources_templates(mcp_server *server, yyjson_val *id, yyjson_val *params);
void mcp_resources_read(mcp_server *server, yyjson_val *id, yyjson_val *params);
/* The error of a URI that names nothing, or nothing for this agent. */
void mcp_no_resource(mcp_server *server, yyjson_val *id, const char *uri);

/* listen.c */
void mcp_listen(mcp_server *server, yyjson_val *id, yyjson_val *params);
void mcp_resources_subscribe(mcp_server *server, yyjson_val *id, yyjson_val *params);
void mcp_resources_unsubscribe(mcp_server *server, yyjson_val *id, yyjson_val *params);
/* The handshake's session as a listener; it is there from then on. */
mcp_listener *mcp_session_listener(mcp_server *server);
/* The listener with this id, as JSON text, ends; there may be none. */
void mcp_listener_cancel(mcp_server *server, const char *id);
void mcp_listeners_free(mcp_server *server);
/* The list of tools is another. */
void mcp_tools_changed(mcp_server *server);
/* What a commit changed, as notifications. */
void mcp_resources_changed(mcp_server *server, yyjson_val *notifications);

/* complete.c */
void mcp_complete(mcp_server *server, yyjson_val *id, yyjson_val *params);

/* memory.c */
#define MCP_MEMORY_URI "memory://knowledge-graph"
extern const char *const mcp_memory_tools[];
/* Makes the graph where it is missing. */
brant_status mcp_memory_open(mcp_server *server);
void mcp_memory_call(mcp_answer *answer, mcp_server *server, const char *tool,
                     yyjson_val *arguments);
const char *mcp_memory_graph(const mcp_server *server);
/* memory_read.c */
void mcp_memory_read(mcp_answer *answer, mcp_server *server);

/* stdio.c: until standard input ends. Returns an exit code. */
int mcp_serve(mcp_server *server, int input);

#endif
