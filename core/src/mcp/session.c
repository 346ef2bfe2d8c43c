/*
 * mcp/session.c: who the agent is: an API key or a set of scopes, and the session that judges its calls.
 *
 * Without a key the session has the scopes of the command line. With one, the identity is asked for anew before each call, so that a key that was revoked, or
 * may do less, does so at once; a hub's session ends by itself besides. Whoever has no key never gets the trusted handle.
 */
#include <stdio.h>
#include <stdlib.h>

#include "mcp/mcp.h"

/* ---- scopes ------------------------------------------------------------------------------------ */

static bool part_covers(const char *have, size_t have_len, const char *want, size_t want_len) {
    if (have_len == 1 && *have == '*') return true;
    return have_len == want_len && memcmp(have, want, want_len) == 0;
}

bool mcp_scope_covers(const char *have, const char *want) {
    const char *a = strchr(have, ':'), *b = strchr(want, ':');

    if (!a || !b) return false;
    return part_covers(have, (size_t)(a - have), want, (size_t)(b - want)) &&
           part_covers(a + 1, strlen(a + 1), b + 1, strlen(b + 1));
}

static bool one_covers(yyjson_val *scopes, const char *want) {
    size_t at, count;
    yyjson_val *scope;

    yyjson_arr_foreach(scopes, at, count, scope) {
        if (yyjson_is_str(scope) && mcp_scope_covers(yyjson_get_str(scope), want)) return true;
    }
    return false;
}

/*
 * Does the graph "access" give the agent the right anywhere? Asked through its session, which may be too little to ask: then perhaps. What was found holds until the agent is looked at again.
 */
static bool is_granted(const mcp_agent *agent, const char *principal, const char *want) {
    mcp_rights *rights = agent->rights;
    yyjson_mut_doc *input;
    yyjson_doc *answer = NULL;
    brant_status status;

    for (size_t i = 0; i < rights->count; i++)
        if (strcmp(rights->list[i].scope, want) == 0) return rights->list[i].granted;
    input = mcp_input("subject", principal, "scope", want, NULL);
    yyjson_mut_obj_add_int(input, yyjson_mut_doc_get_root(input), "limit", 1);
    status = mcp_ask(&answer, agent->session, "access.list_objects", input);
    yyjson_mut_doc_free(input);
    const bool granted =
        status == BRANT_OK
            ? yyjson_arr_size(yyjson_obj_get(yyjson_doc_get_root(answer), "items")) > 0
            : status != BRANT_NOT_FOUND;
    yyjson_doc_free(answer);
    if (rights->count < sizeof rights->list / sizeof *rights->list && strlen(want) < 64) {
        memcpy(rights->list[rights->count].scope, want, strlen(want) + 1);
        rights->list[rights->count++].granted = granted;
    }
    return granted;
}

/* Rights that stand on single graphs show at the call; the tool is there for them. */
static bool some_graph_may(const mcp_agent *agent, yyjson_val *identity, const char *want) {
    const char *principal = yyjson_get_str(yyjson_obj_get(identity, "principal"));
    static const char *const namespaces[] = {"graphs:", "nodes:", "edges:", "secrets:"};
    yyjson_val *resources = yyjson_obj_get(identity, "resources"), *name, *actions;
    const char *action = strchr(want, ':') + 1;
    bool of_graphs = false;
    size_t at, count;

    for (size_t i = 0; i < sizeof namespaces / sizeof *namespaces; i++)
        of_graphs = of_graphs || strncmp(want, namespaces[i], strlen(namespaces[i])) == 0;
    if (!of_graphs) return false;
    yyjson_obj_foreach(resources, at, count, name, actions) {
        size_t i, all;
        yyjson_val *one;
        if (strncmp(yyjson_get_str(name), "graph:", 6) != 0) continue;
        yyjson_arr_foreach(actions, i, all, one) {
            if (yyjson_equals_str(one, "*") || yyjson_equals_str(one, action)) return true;
        }
    }
    return principal && is_granted(agent, principal, want);
}

bool mcp_agent_may(const mcp_agent *agent, yyjson_val *required) {
    yyjson_val *identity = yyjson_doc_get_root(agent->judged);
    yyjson_val *within = yyjson_obj_get(identity, "within"), *scope;
    size_t at, count;

    if (!agent->session) return false;
    yyjson_arr_foreach(required, at, count, scope) {
        const char *want = yyjson_get_str(scope);
        if (!want || !strchr(want, ':')) return false;
        if (within && !one_covers(within, want)) return false;
        /* A required scope is concrete, so that what covers it is what overlaps it. */
        if (one_covers(yyjson_obj_get(identity, "denies"), want)) return false;
        if (!one_covers(yyjson_obj_get(identity, "scopes"), want) &&
            !some_graph_may(agent, identity, want))
            return false;
    }
    return true;
}

/* ---- sessions ---------------------------------------------------------------------------------- */

static void release(mcp_agent *agent) {
    brant_db *session = NULL;

    pthread_mutex_lock(&agent->guard);
    session = agent->session;
    agent->session = NULL;
    pthread_mutex_unlock(&agent->guard);
    brant_db_free(session);
    brant_db_free(agent->outer); /* which gives it back */
    agent->outer = NULL;
    yyjson_doc_free(agent->judged);
    agent->judged = NULL;
    free(agent->identity);
    agent->identity = NULL;
}

/* What the key may, as JSON text with the files and the reason that are ours; NULL, having failed. */
static char *ask_identity(brant_status *out_status, mcp_agent *agent) {
    yyjson_mut_doc *doc = mcp_doc();
    yyjson_doc *answer = NULL, *list = NULL;
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    char *out = NULL;

    *out_status = BRANT_OK;
    if (agent->key) {
        yyjson_mut_obj_add_strn(doc, root, "token", agent->key, agent->key_len);
        *out_status = mcp_ask(&answer, agent->hub ? brant_hub_system(agent->hub) : agent->db,
                              "auth.authenticate", doc);
        if (*out_status != BRANT_OK) goto cleanup;
        yyjson_val *identity = yyjson_obj_get(yyjson_doc_get_root(answer), "identity");
        if (!identity) identity = yyjson_doc_get_root(answer);
        root = yyjson_val_mut_copy(doc, identity);
        yyjson_mut_doc_set_root(doc, root);
    } else {
        list = mcp_read(agent->scopes, strlen(agent->scopes));
        yyjson_mut_obj_add_str(doc, root, "id", "mcp");
        yyjson_mut_obj_add_str(doc, root, "actor_type", "agent");
        yyjson_mut_obj_add_val(doc, root, "scopes",
                               yyjson_val_mut_copy(doc, yyjson_doc_get_root(list)));
        yyjson_doc_free(list);
        list = NULL;
    }
    if (agent->files) {
        list = mcp_read(agent->files, strlen(agent->files));
        yyjson_mut_obj_add_val(doc, root, "files",
                               yyjson_val_mut_copy(doc, yyjson_doc_get_root(list)));
    }
    if (agent->client && !yyjson_mut_obj_get(root, "reason"))
        yyjson_mut_obj_add_str(doc, root, "reason", agent->client);
    out = mcp_write(yyjson_mut_doc_get_root(doc), NULL);
cleanup:
    yyjson_doc_free(list);
    yyjson_doc_free(answer);
    yyjson_mut_doc_free(doc);
    return out;
}

/* On the file of its organisation: in a session that the hub ends by itself, one that knows who the client says that it is. */
static brant_status open_hub(brant_db **out, mcp_agent *agent, const char *identity) {
    char *json = NULL;
    size_t length = 0;
    brant_status status = brant_hub_authenticate(&agent->outer, &json, &length, agent->hub,
                                                 agent->key, agent->key_len);

    brant_free(json);
    if (status == BRANT_OK)
        status = brant_session_open(out, agent->outer, identity, strlen(identity));
    return status;
}

brant_status mcp_agent_open(mcp_agent *agent) {
    brant_db *session = NULL;
    brant_status status;
    char *identity = ask_identity(&status, agent);

    if (!identity) return status;
    release(agent);
    if (!agent->rights) agent->rights = mcp_alloc(sizeof *agent->rights);
    agent->rights->count = 0;
    if (agent->hub)
        status = open_hub(&session, agent, identity);
    else
        status = brant_session_open(&session, agent->db, identity, strlen(identity));
    if (status == BRANT_OK) {
        agent->judged = mcp_read(identity, strlen(identity));
        agent->identity = identity;
        pthread_mutex_lock(&agent->guard);
        agent->session = session;
        pthread_mutex_unlock(&agent->guard);
    } else {
        free(identity);
        release(agent);
    }
    return status;
}

brant_status mcp_agent_refresh(mcp_agent *agent) {
    brant_status status = BRANT_OK;
    char *identity;

    if (!agent->key && agent->session) return BRANT_OK;
    if (agent->rights) agent->rights->count = 0;
    identity = ask_identity(&status, agent);
    if (!identity) {
        if (status == BRANT_AUTH || status == BRANT_DENIED) release(agent);
        return status;
    }
    if (agent->session && agent->identity && strcmp(identity, agent->identity) == 0) {
        free(identity);
        return BRANT_OK;
    }
    free(identity);
    return mcp_agent_open(agent);
}

void mcp_agent_interrupt(mcp_agent *agent) {
    pthread_mutex_lock(&agent->guard);
    if (agent->session) brant_interrupt(agent->session);
    pthread_mutex_unlock(&agent->guard);
}

void mcp_agent_close(mcp_agent *agent) {
    release(agent);
    if (agent->key) explicit_bzero(agent->key, agent->key_len);
    free(agent->key);
    free(agent->client);
    free(agent->scopes);
    free(agent->files);
    free(agent->rights);
    pthread_mutex_destroy(&agent->guard);
}
