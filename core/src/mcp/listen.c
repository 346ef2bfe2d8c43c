/*
 * mcp/listen.c: who is told of changes: of the list of tools, of the list of resources, of single resources.
 *
 * A listener is what one subscriptions/listen asked for (2026-07-28), known by that request's id, which stands in all that it is told; it ends when the client
 * cancels that request. What the handshake's session subscribes to with resources/subscribe is one more listener, without an id, that hears of both lists as well.
 * What may be told is judged by the agent's session when it is subscribed to and again whenever there is something to tell.
 */
#include <stdlib.h>

#include "mcp/mcp.h"

#define LISTENERS 100
#define WATCHES   1000 /* of a listener */

/* ---- listeners ---------------------------------------------------------------------------------- */

static mcp_listener **find(mcp_server *server, const char *id) {
    mcp_listener **at = &server->listeners;

    while (*at && !(id ? (*at)->id && strcmp((*at)->id, id) == 0 : !(*at)->id))
        at = &(*at)->next;
    return at;
}

/* The id, JSON text, is taken over. The first one begins with what is committed from now on. */
static mcp_listener *add(mcp_server *server, char *id) {
    mcp_listener **at = &server->listeners;

    if (!*at) {
        mcp_server_look(server);
        server->listed = mcp_tools_fingerprint(server);
    }
    while (*at)
        at = &(*at)->next;
    *at = mcp_alloc(sizeof **at);
    (*at)->id = id;
    return *at;
}

static void drop(mcp_listener **at) {
    mcp_listener *gone = *at;

    *at = gone->next;
    while (gone->watches) {
        mcp_watch *next = gone->watches->next;
        free(gone->watches->uri);
        free(gone->watches);
        gone->watches = next;
    }
    free(gone->id);
    free(gone);
}

mcp_listener *mcp_session_listener(mcp_server *server) {
    mcp_listener *listener = *find(server, NULL);

    return listener ? listener : add(server, NULL);
}

void mcp_listener_cancel(mcp_server *server, const char *id) {
    mcp_listener **at = find(server, id);

    if (*at) drop(at);
}

void mcp_listeners_free(mcp_server *server) {
    while (server->listeners)
        drop(&server->listeners);
}

static mcp_message tell(const mcp_listener *to, const char *method) {
    mcp_message message = mcp_notification(method);

    if (to->id) {
        yyjson_mut_val *meta = yyjson_mut_obj_add_obj(message.doc, message.body, "_meta");
        yyjson_mut_obj_add_val(message.doc, meta, MCP_META "subscriptionId",
                               yyjson_mut_rawcpy(message.doc, to->id));
    }
    return message;
}

/* Of a list: there is nothing else to say. */
static void tell_list(mcp_server *server, const mcp_listener *to, const char *method) {
    mcp_message message = tell(to, method);

    if (!to->id) yyjson_mut_obj_remove_key(message.root, "params");
    mcp_message_send(server, &message);
}

/* ---- resources ---------------------------------------------------------------------------------- */

static bool sees_graph(mcp_server *server, const char *name) {
    yyjson_mut_doc *input = mcp_input("name", name, NULL);
    const bool sees = server->agent.session &&
                      mcp_ask(NULL, server->agent.session, "graphs.get", input) == BRANT_OK;

    yyjson_mut_doc_free(input);
    return sees;
}

static bool may_read(mcp_server *server, const mcp_place *wanted) {
    const bool nodes = wanted->kind == MCP_NODE || wanted->kind == MCP_MEMORY;
    const mcp_tool *tool =
        mcp_catalogue_operation(&server->catalogue, nodes ? "nodes.get" : "graphs.get");

    if (!server->agent.session) return false;
    /* They are never told of. */
    if (wanted->kind == MCP_OPERATION || wanted->kind == MCP_TYPE) return true;
    return tool && mcp_agent_may(&server->agent, yyjson_obj_get(tool->spec, "required_scopes")) &&
           sees_graph(server, wanted->kind == MCP_MEMORY ? mcp_memory_graph(server) : wanted->name);
}

static mcp_watch **watch_of(mcp_listener *listener, const char *uri, size_t *out_count) {
    mcp_watch **at = &listener->watches;

    for (*out_count = 0; *at && strcmp((*at)->uri, uri) != 0; at = &(*at)->next)
        ++*out_count;
    return at;
}

static void watch(mcp_watch **at, const char *uri) {
    *at = mcp_alloc(sizeof **at);
    (*at)->uri = mcp_copy(uri, strlen(uri));
}

static void subscribe(mcp_server *server, yyjson_val *id, yyjson_val *params, bool on) {
    const char *uri = yyjson_get_str(yyjson_obj_get(params, "uri"));
    mcp_place wanted;
    mcp_message message;
    mcp_watch **at;
    size_t count;
    bool may;

    if (!uri) {
        mcp_error(server, id, MCP_INVALID_PARAMS, "a uri is missing");
        return;
    }
    wanted = mcp_place_of(server, uri);
    may = wanted.kind != MCP_NOWHERE && (!on || may_read(server, &wanted));
    mcp_place_free(&wanted);
    if (!may) {
        mcp_no_resource(server, id, uri);
        return;
    }
    at = watch_of(mcp_session_listener(server), uri, &count);
    if (!on && *at) {
        mcp_watch *gone = *at;
        *at = gone->next;
        free(gone->uri);
        free(gone);
    } else if (on && !*at) {
        if (count >= WATCHES) {
            mcp_error(server, id, MCP_INVALID_PARAMS, "more than %d subscriptions", WATCHES);
            return;
        }
        watch(at, uri);
    }
    message = mcp_result(id);
    mcp_message_send(server, &message);
}

void mcp_resources_subscribe(mcp_server *server, yyjson_val *id, yyjson_val *params) {
    subscribe(server, id, params, true);
}

void mcp_resources_unsubscribe(mcp_server *server, yyjson_val *id, yyjson_val *params) {
    subscribe(server, id, params, false);
}

/* ---- subscriptions/listen ------------------------------------------------------------------------ */

/* Those of the resources that can be told of, each once, are watched. */
static void watch_all(mcp_server *server, mcp_listener *listener, yyjson_val *uris) {
    size_t at, all, count;
    yyjson_val *uri;

    yyjson_arr_foreach(uris, at, all, uri) {
        mcp_place wanted = mcp_place_of(server, yyjson_get_str(uri));
        mcp_watch **end = watch_of(listener, yyjson_get_str(uri), &count);
        const bool changes =
            wanted.kind == MCP_GRAPH || wanted.kind == MCP_NODE || wanted.kind == MCP_MEMORY;
        if (!*end && count < WATCHES && changes && may_read(server, &wanted))
            watch(end, yyjson_get_str(uri));
        mcp_place_free(&wanted);
    }
}

/* What of the request is honoured comes before all that it is told. */
static void acknowledge(mcp_server *server, const mcp_listener *listener, bool wants_resources) {
    mcp_message message = tell(listener, "notifications/subscriptions/acknowledged");
    yyjson_mut_val *filter = yyjson_mut_obj_add_obj(message.doc, message.body, "notifications");

    if (listener->tools) yyjson_mut_obj_add_true(message.doc, filter, "toolsListChanged");
    if (listener->resources) yyjson_mut_obj_add_true(message.doc, filter, "resourcesListChanged");
    if (wants_resources) {
        yyjson_mut_val *list = yyjson_mut_obj_add_arr(message.doc, filter, "resourceSubscriptions");
        for (const mcp_watch *one = listener->watches; one; one = one->next)
            yyjson_mut_arr_add_strcpy(message.doc, list, one->uri);
    }
    mcp_message_send(server, &message);
}

void mcp_listen(mcp_server *server, yyjson_val *id, yyjson_val *params) {
    yyjson_val *filter = yyjson_obj_get(params, "notifications");
    yyjson_val *uris = yyjson_obj_get(filter, "resourceSubscriptions");
    char *text = mcp_write_read(id, NULL);
    mcp_listener *listener;
    size_t count = 0;

    for (listener = server->listeners; listener; listener = listener->next)
        count++;
    if (!yyjson_is_obj(filter) || (uris && !mcp_is_texts(uris))) {
        mcp_error(server, id, MCP_INVALID_PARAMS,
                  "subscriptions/listen wants notifications, an object, whose "
                  "resourceSubscriptions is an array of URIs");
    } else if (*find(server, text)) {
        mcp_error(server, id, MCP_INVALID_REQUEST, "a subscription has this id already");
    } else if (count >= LISTENERS || yyjson_arr_size(uris) > WATCHES) {
        mcp_error(server, id, MCP_INVALID_PARAMS, "more than %d subscriptions, or %d resources",
                  LISTENERS, WATCHES);
    } else {
        listener = add(server, text);
        text = NULL;
        listener->tools = yyjson_get_bool(yyjson_obj_get(filter, "toolsListChanged"));
        if (server->cursor) {
            listener->resources = !server->options.memory &&
                                  yyjson_get_bool(yyjson_obj_get(filter, "resourcesListChanged"));
            watch_all(server, listener, uris);
        }
        acknowledge(server, listener, uris && server->cursor);
    }
    free(text);
}

/* ---- what changed ------------------------------------------------------------------------------- */

void mcp_tools_changed(mcp_server *server) {
    for (const mcp_listener *one = server->listeners; one; one = one->next)
        if (one->tools) tell_list(server, one, "notifications/tools/list_changed");
}

static bool concerns(const mcp_server *server, const mcp_place *wanted, yyjson_val *notification) {
    yyjson_val *payload = yyjson_obj_get(notification, "payload"), *key;
    yyjson_val *graph = yyjson_obj_get(payload, "graph");
    size_t at, count;

    if (!yyjson_obj_get(notification, "channel"))
        return true; /* a gap: anything may have changed */
    if (wanted->kind == MCP_MEMORY) return yyjson_equals_str(graph, mcp_memory_graph(server));
    if (wanted->kind != MCP_GRAPH && wanted->kind != MCP_NODE) return false;
    if (!graph || !yyjson_equals_str(graph, wanted->name)) return false;
    if (wanted->kind == MCP_GRAPH || yyjson_get_bool(yyjson_obj_get(payload, "truncated")))
        return true;
    yyjson_arr_foreach(yyjson_obj_get(payload, "keys"), at, count, key) {
        if (yyjson_equals_str(key, wanted->key)) return true;
    }
    return false;
}

/* Is one of the notifications of this resource, which the agent may read? */
static bool has_changed(mcp_server *server, const char *uri, yyjson_val *notifications) {
    mcp_place wanted = mcp_place_of(server, uri);
    bool changed = false;
    size_t at, count;
    yyjson_val *one;

    yyjson_arr_foreach(notifications, at, count, one) changed =
        changed || concerns(server, &wanted, one);
    changed = changed && may_read(server, &wanted);
    mcp_place_free(&wanted);
    return changed;
}

/* Did a graph that the agent sees come, go or change its name? */
static bool has_list_changed(mcp_server *server, yyjson_val *notifications) {
    const mcp_tool *lists = mcp_catalogue_operation(&server->catalogue, "graphs.list");
    const bool may_list =
        lists && mcp_agent_may(&server->agent, yyjson_obj_get(lists->spec, "required_scopes"));
    bool changed = false;
    size_t at, count;
    yyjson_val *one;

    if (server->options.memory) return false;
    yyjson_arr_foreach(notifications, at, count, one) {
        const char *channel = yyjson_get_str(yyjson_obj_get(one, "channel"));
        const char *graph = yyjson_get_str(yyjson_ptr_get(one, "/payload/graph"));
        changed = changed || !channel ||
                  (strncmp(channel, "graph:", 6) == 0 &&
                   (may_list || (graph && sees_graph(server, graph))));
    }
    return changed;
}

void mcp_resources_changed(mcp_server *server, yyjson_val *notifications) {
    const bool list = server->listeners && has_list_changed(server, notifications);

    for (mcp_listener *to = server->listeners; to; to = to->next) {
        for (const mcp_watch *one = to->watches; one; one = one->next) {
            if (!has_changed(server, one->uri, notifications)) continue;
            mcp_message message = tell(to, "notifications/resources/updated");
            yyjson_mut_obj_add_strcpy(message.doc, message.body, "uri", one->uri);
            mcp_message_send(server, &message);
        }
        if (list && to->resources) tell_list(server, to, "notifications/resources/list_changed");
    }
}
