/*
 * mcp/meta.c: three tools that reach the operations that are not tools: find, describe, call.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "mcp/mcp.h"

#define FIND_MAX 300

const char *const mcp_meta_tools[] = {
    "{\"name\":\"operations_find\",\"title\":\"Find operations\",\"description\":\"Find operations "
    "that are not among these tools: by words of what they do (queue, retry, stream, lock, "
    "schedule, pagerank ..). Then operations_describe and operations_call.\","
    "\"inputSchema\":{\"type\":\"object\",\"properties\":{\"query\":{\"type\":\"string\","
    "\"description\":\"Words; none: all "
    "namespaces\"},\"limit\":{\"type\":\"integer\",\"minimum\":1,"
    "\"maximum\":300,\"description\":\"Default 20\"}},\"additionalProperties\":false},"
    "\"outputSchema\":{\"type\":\"object\",\"properties\":{\"items\":{\"type\":\"array\",\"items\":"
    "{"
    "\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"},\"type\":{\"type\":"
    "\"string\"},\"title\":{\"type\":\"string\"},\"description\":{\"type\":\"string\"}},"
    "\"required\":[\"name\"]}},\"more\":{\"type\":\"integer\",\"description\":\"How many matched "
    "beyond the "
    "limit\"}},\"required\":[\"items\",\"more\"]},\"annotations\":{\"readOnlyHint\":true,"
    "\"destructiveHint\":false,\"idempotentHint\":true,\"openWorldHint\":false}}",
    "{\"name\":\"operations_describe\",\"title\":\"Describe an operation\",\"description\":\"Input "
    "and output schema, scopes and errors of an operation.\",\"inputSchema\":{\"type\":\"object\","
    "\"properties\":{\"operation\":{\"type\":\"string\",\"description\":\"For example "
    "queues.enqueue\"}},\"required\":[\"operation\"],\"additionalProperties\":false},"
    "\"outputSchema\":{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"},"
    "\"input_schema\":{\"type\":\"object\"},\"output_schema\":{\"type\":\"object\"}},\"required\":["
    "\"name\",\"input_schema\",\"output_schema\"]},\"annotations\":{\"readOnlyHint\":true,"
    "\"destructiveHint\":false,\"idempotentHint\":true,\"openWorldHint\":false}}",
    "{\"name\":\"operations_call\",\"title\":\"Call an operation\",\"description\":\"Call any "
    "operation that operations_find shows, by its name, with an input of its schema.\","
    "\"inputSchema\":{\"type\":\"object\",\"properties\":{\"operation\":{\"type\":\"string\","
    "\"description\":\"For example queues.enqueue\"},\"input\":{\"type\":\"object\","
    "\"description\":\"Of the input schema that operations_describe shows\"}},"
    "\"required\":[\"operation\"],\"additionalProperties\":false},"
    "\"outputSchema\":{\"type\":\"object\",\"properties\":{\"result\":{\"type\":\"object\","
    "\"description\":\"Of its output schema\"}},\"required\":[\"result\"]},"
    "\"annotations\":{\"readOnlyHint\":false,\"destructiveHint\":true,\"idempotentHint\":false,"
    "\"openWorldHint\":false}}",
    NULL,
};

static bool reachable(const mcp_server *server, const mcp_tool *tool) {
    return tool->open &&
           mcp_agent_may(&server->agent, yyjson_obj_get(tool->spec, "required_scopes"));
}

/* Does `text` have the word, in any case? */
static bool has(const char *text, const char *word, size_t length) {
    for (; text && *text; text++) {
        size_t i = 0;
        while (i < length && tolower((unsigned char)text[i]) == tolower((unsigned char)word[i]))
            i++;
        if (i == length) return true;
    }
    return false;
}

/* How well an operation fits the words: 0 where it has none. */
static int score(const mcp_tool *tool, const char *query) {
    const char *title = yyjson_get_str(yyjson_obj_get(tool->spec, "title"));
    const char *text = yyjson_get_str(yyjson_obj_get(tool->spec, "description"));
    int sum = 0, words = 0;

    while (*query) {
        query += strspn(query, " ,.\t\n_");
        size_t length = strcspn(query, " ,.\t\n_");
        if (length == 0) break;
        const size_t stem = length > 3 && query[length - 1] == 's' ? length - 1 : length;
        words++;
        if (has(tool->operation, query, stem)) sum += 6;
        if (has(title, query, stem)) sum += 3;
        if (has(text, query, stem)) sum += 1;
        query += length;
    }
    return words == 0 ? 1 : sum;
}

static void find(mcp_answer *answer, mcp_server *server, yyjson_val *arguments) {
    bool changed = false;
    const brant_status refreshed =
        mcp_catalogue_refresh(&changed, &server->catalogue, server->agent.session);
    const char *query = yyjson_get_str(yyjson_obj_get(arguments, "query"));
    int64_t limit = 20;
    const size_t count = server->catalogue.count;
    int *scores = mcp_alloc((count + 1) * sizeof *scores);
    yyjson_mut_doc *doc = mcp_doc();
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc), *list, *item;
    size_t shown = 0, matched = 0, tokens = 32;

    (void)refreshed; /* an agent that may not read graph types has none of theirs */
    if (!mcp_read_number(&limit, answer, yyjson_obj_get(arguments, "limit"), "limit", 1,
                         FIND_MAX)) {
        yyjson_mut_doc_free(doc);
        free(scores);
        return;
    }
    list = yyjson_mut_obj_add_arr(doc, root, "items");
    for (size_t i = 0; i < count; i++) {
        const mcp_tool *tool = &server->catalogue.tools[i];
        scores[i] = reachable(server, tool) ? score(tool, query ? query : "") : 0;
        matched += scores[i] > 0;
    }
    while (shown < (size_t)limit && shown < matched) {
        size_t best = 0;
        for (size_t i = 1; i < count; i++)
            if (scores[i] > scores[best]) best = i;
        const mcp_tool *tool = &server->catalogue.tools[best];
        const char *title = yyjson_get_str(yyjson_obj_get(tool->spec, "title"));
        const char *text = yyjson_get_str(yyjson_obj_get(tool->spec, "description"));
        scores[best] = 0;
        item = yyjson_mut_obj(doc);
        yyjson_mut_obj_add_strcpy(doc, item, "name", tool->operation);
        yyjson_mut_obj_add_str(doc, item, "type",
                               tool->query          ? "query"
                               : tool->subscription ? "subscription"
                                                    : "mutation");
        if (title) yyjson_mut_obj_add_strcpy(doc, item, "title", title);
        if (text && *text) yyjson_mut_obj_add_strcpy(doc, item, "description", text);
        tokens += mcp_document_tokens(item) + 1;
        if (tokens > server->options.max_tokens) break;
        yyjson_mut_arr_append(list, item);
        shown++;
    }
    yyjson_mut_obj_add_uint(doc, root, "more", matched - shown);
    answer->doc = doc;
    free(scores);
}

static const mcp_tool *wanted(mcp_answer *answer, mcp_server *server, yyjson_val *arguments) {
    const char *name = yyjson_get_str(yyjson_obj_get(arguments, "operation"));
    const mcp_tool *tool = name ? mcp_catalogue_operation(&server->catalogue, name) : NULL;
    bool changed;

    if (!tool && name && strncmp(name, "types.", 6) == 0 &&
        mcp_catalogue_refresh(&changed, &server->catalogue, server->agent.session) == BRANT_OK)
        tool = mcp_catalogue_operation(&server->catalogue, name);
    /* A tool's name does as well. */
    if (!tool && name) tool = mcp_catalogue_tool(&server->catalogue, name);
    if (tool && reachable(server, tool)) return tool;
    if (!name)
        mcp_answer_fail(answer, "INVALID: operation is missing: the name of one");
    else
        mcp_answer_fail(answer,
                        "NOT_FOUND: no operation \"%.128s\" that this agent may call; "
                        "operations_find shows those there are",
                        name);
    return NULL;
}

static void describe(mcp_answer *answer, mcp_server *server, const mcp_tool *tool) {
    yyjson_mut_doc *doc = mcp_doc();
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_val *name, *value;
    size_t at, count;

    yyjson_obj_foreach(tool->spec, at, count, name, value) {
        const char *text = yyjson_get_str(name);
        const bool is_schema =
            strcmp(text, "input_schema") == 0 || strcmp(text, "output_schema") == 0;
        yyjson_mut_obj_add_val(
            doc, root, text, is_schema ? mcp_schema(doc, value) : yyjson_val_mut_copy(doc, value));
    }
    answer->doc = doc;
    if (!mcp_shorten(answer, server->options.max_tokens, NULL))
        mcp_answer_fail(answer, "LIMIT: the description does not fit %zu tokens",
                        server->options.max_tokens);
}

static void call(mcp_answer *answer, mcp_server *server, const mcp_tool *tool, yyjson_val *input) {
    yyjson_mut_val *root, *inner;

    mcp_call_operation(answer, server, tool, input);
    if (answer->failed || !answer->doc) return;
    inner = yyjson_mut_doc_get_root(answer->doc);
    root = yyjson_mut_obj(answer->doc);
    yyjson_mut_obj_add_val(answer->doc, root, "result", inner);
    yyjson_mut_doc_set_root(answer->doc, root);
}

/* "input" given as "arguments" would be a call with no input. False: the answer tells it. */
static bool knows_all(mcp_answer *answer, yyjson_val *arguments, const char *one,
                      const char *other) {
    size_t at, count;
    yyjson_val *name, *value;

    yyjson_obj_foreach(arguments, at, count, name, value) {
        if (yyjson_equals_str(name, one) || (other && yyjson_equals_str(name, other))) continue;
        mcp_answer_fail(answer, "INVALID: /%.128s is unknown: there are %s%s%s",
                        yyjson_get_str(name), one, other ? " and " : "", other ? other : "");
        return false;
    }
    return true;
}

bool mcp_meta_call(mcp_answer *answer, mcp_server *server, const char *name,
                   yyjson_val *arguments) {
    const bool describes = strcmp(name, "operations_describe") == 0;
    yyjson_val *input = yyjson_obj_get(arguments, "input");
    const mcp_tool *tool;

    if (strcmp(name, "operations_find") == 0) {
        if (knows_all(answer, arguments, "query", "limit")) find(answer, server, arguments);
        return true;
    }
    if (!describes && strcmp(name, "operations_call") != 0) return false;
    if (!knows_all(answer, arguments, "operation", describes ? NULL : "input")) return true;
    tool = wanted(answer, server, arguments);
    if (!tool) return true;
    if (input && !yyjson_is_obj(input))
        mcp_answer_fail(answer, "INVALID: input wants an object");
    else if (describes)
        describe(answer, server, tool);
    else
        call(answer, server, tool, input);
    return true;
}
