/*
 * mcp/call.c: tools/call: an operation through the agent's session, with progress while it runs and its answer within the budget.
 *
 * A call that failed is a result with isError, which the model reads and mends; only a tool that is not there, or arguments that are no object, are
 * errors of the protocol.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "mcp/mcp.h"

/* ---- operations -------------------------------------------------------------------------------- */

brant_status mcp_ask(yyjson_doc **out, brant_db *db, const char *operation, yyjson_mut_doc *input) {
    char *json, *answer = NULL;
    size_t length = 0, answer_len = 0;
    brant_status status;

    if (out) *out = NULL;
    json = mcp_write(yyjson_mut_doc_get_root(input), &length);
    if (!json) return BRANT_INVALID; /* a name in a URI, or on the command line, that is no UTF-8 */
    status = brant_call(&answer, &answer_len, db, operation, strlen(operation), json, length);
    explicit_bzero(json, length); /* it may be a key */
    free(json);
    if (status == BRANT_OK && out) *out = mcp_read(answer, answer_len);
    brant_free(answer);
    return status;
}

yyjson_mut_doc *mcp_input(const char *name, ...) {
    yyjson_mut_doc *doc = mcp_doc();
    va_list arguments;

    va_start(arguments, name);
    while (name) {
        const char *value = va_arg(arguments, const char *);
        yyjson_mut_obj_add_strcpy(doc, yyjson_mut_doc_get_root(doc), name, value);
        name = va_arg(arguments, const char *);
    }
    va_end(arguments);
    return doc;
}

bool mcp_is_texts(yyjson_val *list) {
    size_t at, count;
    yyjson_val *item;

    if (!yyjson_is_arr(list)) return false;
    yyjson_arr_foreach(list, at, count, item) {
        if (!yyjson_is_str(item)) return false;
    }
    return true;
}

/* ---- answers ----------------------------------------------------------------------------------- */

void mcp_answer_free(mcp_answer *answer) {
    yyjson_mut_doc_free(answer->doc);
    free(answer->text);
    free(answer->notice);
    *answer = (mcp_answer){0};
}

void mcp_answer_fail(mcp_answer *answer, const char *format, ...) {
    char text[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    mcp_answer_free(answer);
    answer->text = mcp_copy(text, strlen(text));
    answer->failed = true;
}

void mcp_answer_error(mcp_answer *answer) {
    const brant_error *error = brant_last_error();
    mcp_buffer text = {0};

    mcp_append_text(&text, brant_status_name(error->code));
    mcp_append_text(&text, ": ");
    mcp_append(&text, error->message, error->message_len);
    if (error->detail_len > 2) {
        mcp_append_text(&text, "\n");
        mcp_append(&text, error->detail, error->detail_len);
    }
    mcp_answer_free(answer);
    answer->failed = true;
    answer->text = text.data;
}

/* ---- subscriptions ------------------------------------------------------------------------------ */

static int64_t now_ms(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool mcp_read_number(int64_t *io_number, mcp_answer *answer, yyjson_val *given, const char *name,
                     int64_t least, int64_t most) {
    const int64_t number = yyjson_get_sint(given); /* negative of what an int64_t does not hold */

    if (given && (!yyjson_is_int(given) || number < least || number > most)) {
        mcp_answer_fail(answer, "INVALID: /%s is a whole number, %lld to %lld", name,
                        (long long)least, (long long)most);
        return false;
    }
    if (given) *io_number = number;
    return true;
}

/* The items that come within wait_ms, or until the end; as many as max_items and the budget take. */
static void collect(mcp_answer *answer, mcp_server *server, const mcp_tool *tool,
                    yyjson_val *input) {
    static const char more[] =
        "More items came than fit: ask again, where the operation's input lets you go on after the "
        "last one, or with a lower max_items.";
    yyjson_mut_doc *given = mcp_doc(), *doc = mcp_doc();
    yyjson_mut_val *root = yyjson_val_mut_copy(given, input), *list;
    brant_cursor *cursor = NULL;
    size_t length = 0, tokens = 0;
    int64_t most = 100, wait = 1000, until;
    brant_status status = BRANT_OK;
    char *json = NULL;
    bool cut = false;

    if (root) yyjson_mut_doc_set_root(given, root);
    root = yyjson_mut_doc_get_root(given);
    if (!mcp_read_number(&most, answer, yyjson_obj_get(input, "max_items"), "max_items", 1,
                         MCP_ITEMS_MAX) ||
        !mcp_read_number(&wait, answer, yyjson_obj_get(input, "wait_ms"), "wait_ms", 0,
                         MCP_WAIT_MAX))
        goto cleanup;
    yyjson_mut_obj_remove_key(root, "max_items");
    yyjson_mut_obj_remove_key(root, "wait_ms");
    json = mcp_write(yyjson_mut_doc_get_root(given), &length);
    list = yyjson_mut_obj_add_arr(doc, yyjson_mut_doc_get_root(doc), "items");
    status = brant_call_open(&cursor, server->agent.session, tool->operation,
                             strlen(tool->operation), json, length);
    until = now_ms() + wait;
    while (status == BRANT_OK && !cut && yyjson_mut_arr_size(list) < (size_t)most) {
        const int64_t left = until - now_ms();
        int64_t due = 0;
        char *items = NULL;
        size_t at, count;
        yyjson_val *item;
        if (atomic_load(&server->cancelled)) break;
        /* In steps, so that a cancellation is seen. */
        status = brant_cursor_next(&items, &length, cursor, left < 0 ? 0 : left < 200 ? left : 200);
        if (status != BRANT_OK) break;
        yyjson_doc *read = mcp_read(items, length);
        brant_free(items);
        const size_t size = yyjson_arr_size(yyjson_doc_get_root(read));
        yyjson_arr_foreach(yyjson_doc_get_root(read), at, count, item) {
            yyjson_mut_val *copy = yyjson_val_mut_copy(doc, item);
            tokens += mcp_document_tokens(copy) + 1;
            if (yyjson_mut_arr_size(list) == (size_t)most ||
                (tokens > server->options.max_tokens && yyjson_mut_arr_size(list) > 0)) {
                cut = true;
                break;
            }
            yyjson_mut_arr_append(list, copy);
        }
        yyjson_doc_free(read);
        if (size == 0 && left <= 0) break;
        status = brant_cursor_wait(&due, cursor);
        if (status == BRANT_OK && due < 0) break; /* it is at its end */
    }
    if (status == BRANT_CLOSED && yyjson_mut_arr_size(list) > 0) status = BRANT_OK;
    if (status != BRANT_OK) {
        mcp_answer_error(answer);
    } else {
        answer->doc = doc;
        doc = NULL;
        if (cut) answer->notice = mcp_copy(more, sizeof more - 1);
    }
cleanup:
    brant_cursor_free(cursor);
    yyjson_mut_doc_free(given);
    yyjson_mut_doc_free(doc);
    free(json);
}

/* ---- within the budget -------------------------------------------------------------------------- */

static brant_status call_with(yyjson_doc **out, mcp_server *server, const mcp_tool *tool,
                              yyjson_val *input, size_t limit) {
    yyjson_mut_doc *doc = mcp_doc();
    yyjson_mut_val *root = yyjson_val_mut_copy(doc, input);
    brant_status status;

    if (root) yyjson_mut_doc_set_root(doc, root);
    root = yyjson_mut_doc_get_root(doc);
    if (limit > 0) {
        yyjson_mut_obj_remove_key(root, "limit");
        yyjson_mut_obj_add_uint(doc, root, "limit", limit);
    }
    status = mcp_ask(out, server->agent.session, tool->operation, doc);
    yyjson_mut_doc_free(doc);
    return status;
}

static size_t tokens_of(yyjson_val *value) {
    size_t length = 0;
    char *json = mcp_write_read(value, &length);
    const size_t tokens = json ? mcp_tokens(json, length) : SIZE_MAX / 2;

    free(json);
    return tokens;
}

/* How many items of an answer fit. */
static size_t fitting(yyjson_val *items, size_t max_tokens) {
    size_t at, count, tokens = 64; /* the rest of the answer: names, the cursor */
    yyjson_val *item;

    yyjson_arr_foreach(items, at, count, item) {
        tokens += tokens_of(item) + 1;
        if (tokens > max_tokens) return at;
    }
    return count;
}

/* Of a query in pages that is too long: fewer items, with the cursor that goes on after them. */
static brant_status page(yyjson_doc **io_answer, mcp_server *server, const mcp_tool *tool,
                         yyjson_val *input, char **out_notice) {
    const size_t most = server->options.max_tokens;
    size_t limit = 0, asked = (size_t)yyjson_get_uint(yyjson_obj_get(input, "limit"));

    for (int tries = 0; tries < 6; tries++) {
        yyjson_val *root = yyjson_doc_get_root(*io_answer);
        yyjson_val *items = yyjson_obj_get(root, "items");
        const size_t tokens = tokens_of(root);
        size_t next;
        if (tokens <= most || limit == 1) break;
        if (items)
            next = fitting(items, most);
        else
            next = (size_t)((double)(limit   ? limit
                                     : asked ? asked
                                             : 10000) *
                            (double)most / (double)tokens * 0.9);
        if (limit && next >= limit) next = limit - 1;
        limit = next > 0 ? next : 1;
        yyjson_doc *again = NULL;
        const brant_status status = call_with(&again, server, tool, input, limit);
        if (status != BRANT_OK) return status;
        yyjson_doc_free(*io_answer);
        *io_answer = again;
    }
    if (limit > 0) {
        char text[256];
        snprintf(text, sizeof text,
                 "Cut to %zu of the items to stay within %zu tokens: call again with the same "
                 "input and this answer's cursor to go on.",
                 limit, most);
        *out_notice = mcp_copy(text, strlen(text));
    }
    return BRANT_OK;
}

void mcp_call_operation(mcp_answer *answer, mcp_server *server, const mcp_tool *tool,
                        yyjson_val *input) {
    yyjson_val *schema = yyjson_obj_get(tool->spec, "input_schema");
    yyjson_val *properties = yyjson_obj_get(schema, "properties");
    yyjson_doc *read = NULL;
    brant_status status;

    if (tool->subscription) {
        collect(answer, server, tool, input);
    } else {
        status = call_with(&read, server, tool, input, 0);
        if (status == BRANT_OK && tool->query && yyjson_obj_get(properties, "limit") &&
            yyjson_obj_get(properties, "cursor"))
            status = page(&read, server, tool, input, &answer->notice);
        if (status != BRANT_OK)
            mcp_answer_error(answer);
        else
            answer->doc = mcp_doc_of(read);
        yyjson_doc_free(read);
    }
    if (answer->failed) return;
    yyjson_val *output = tool->subscription ? NULL : yyjson_obj_get(tool->spec, "output_schema");
    if (!mcp_shorten(answer, server->options.max_tokens, output))
        mcp_answer_fail(answer,
                        "LIMIT: the answer does not fit %zu tokens and cannot be shortened; ask "
                        "for less, or start the server with a greater --max-tokens",
                        server->options.max_tokens);
}

/* ---- progress ----------------------------------------------------------------------------------- */

/* A thread that tells each second that the call still runs. */
typedef struct mcp_progress {
    mcp_server *server;
    yyjson_val *token;
    const char *tool;
    pthread_t thread;
    pthread_mutex_t guard;
    pthread_cond_t ended;
    bool running, over;
} mcp_progress;

static void tell(mcp_progress *self, int seconds) {
    mcp_message message = mcp_notification("notifications/progress");
    char text[128];

    snprintf(text, sizeof text, "%s: %d s", self->tool, seconds);
    yyjson_mut_obj_add_val(message.doc, message.body, "progressToken",
                           yyjson_val_mut_copy(message.doc, self->token));
    yyjson_mut_obj_add_int(message.doc, message.body, "progress", seconds);
    yyjson_mut_obj_add_strcpy(message.doc, message.body, "message", text);
    mcp_message_send(self->server, &message);
}

static void *run_progress(void *context) {
    mcp_progress *self = context;
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    pthread_mutex_lock(&self->guard);
    for (int seconds = 1; !self->over;) {
        at.tv_sec++;
        while (!self->over && pthread_cond_timedwait(&self->ended, &self->guard, &at) == 0) {
        }
        if (!self->over) tell(self, seconds++);
    }
    pthread_mutex_unlock(&self->guard);
    return NULL;
}

static void progress_begin(mcp_progress *self, mcp_server *server, const char *tool,
                           yyjson_val *token) {
    pthread_condattr_t monotonic;

    *self = (mcp_progress){.server = server, .token = token, .tool = tool};
    if (!yyjson_is_str(token) && !yyjson_is_int(token)) return;
    pthread_mutex_init(&self->guard, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&self->ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
    tell(self, 0);
    self->running = pthread_create(&self->thread, NULL, run_progress, self) == 0;
}

static void progress_end(mcp_progress *self) {
    if (!self->running) return;
    pthread_mutex_lock(&self->guard);
    self->over = true;
    pthread_cond_signal(&self->ended);
    pthread_mutex_unlock(&self->guard);
    pthread_join(self->thread, NULL);
    pthread_cond_destroy(&self->ended);
    pthread_mutex_destroy(&self->guard);
}

/* ---- tools/call --------------------------------------------------------------------------------- */

static void send_text(mcp_message *message, yyjson_mut_val *content, const char *text) {
    yyjson_mut_val *block = yyjson_mut_arr_add_obj(message->doc, content);

    yyjson_mut_obj_add_str(message->doc, block, "type", "text");
    yyjson_mut_obj_add_strcpy(message->doc, block, "text", text);
}

static void send_answer(mcp_server *server, yyjson_val *id, mcp_answer *answer) {
    mcp_message message = mcp_result(id);
    yyjson_mut_val *content, *root = answer->doc ? yyjson_mut_doc_get_root(answer->doc) : NULL;

    if (message.doc) {
        content = yyjson_mut_obj_add_arr(message.doc, message.body, "content");
        if (answer->text || answer->failed) {
            send_text(&message, content, answer->text);
        } else {
            char *json = root ? mcp_write(root, NULL) : NULL;
            send_text(&message, content, json);
            free(json);
        }
        if (answer->notice) send_text(&message, content, answer->notice);
        if (answer->failed)
            yyjson_mut_obj_add_bool(message.doc, message.body, "isError", true);
        else if (root && server->manner.structured)
            yyjson_mut_obj_add_val(message.doc, message.body, "structuredContent",
                                   yyjson_mut_val_mut_copy(message.doc, root));
        if (answer->notice && !answer->failed) {
            yyjson_mut_val *meta = yyjson_mut_obj_add_obj(message.doc, message.body, "_meta");
            yyjson_mut_val *cut = yyjson_mut_obj_add_obj(message.doc, meta, "brant/truncated");
            yyjson_mut_obj_add_uint(message.doc, cut, "max_tokens", server->options.max_tokens);
            yyjson_mut_obj_add_strcpy(message.doc, cut, "message", answer->notice);
            if (answer->cuts)
                yyjson_mut_obj_add_val(message.doc, cut, "cuts",
                                       yyjson_mut_val_mut_copy(message.doc, answer->cuts));
        }
    }
    mcp_message_send(server, &message);
}

static void run(mcp_answer *answer, mcp_server *server, const char *name, yyjson_val *arguments) {
    const mcp_tool *tool;

    if (!server->agent.session) {
        mcp_answer_fail(answer, "AUTH: the agent's API key is not valid, or not any more");
        return;
    }
    if (server->options.memory) {
        mcp_memory_call(answer, server, name, arguments);
    } else if (!server->catalogue.meta || !mcp_meta_call(answer, server, name, arguments)) {
        tool = mcp_catalogue_tool(&server->catalogue, name);
        if (tool) mcp_call_operation(answer, server, tool, arguments);
    }
}

static bool is_own(const mcp_server *server, const char *name) {
    const char *const *own = server->options.memory ? mcp_memory_tools : mcp_meta_tools;
    const size_t length = strlen(name);

    if (!server->options.memory && !server->catalogue.meta) return false;
    for (; *own; own++)
        if (strncmp(*own, "{\"name\":\"", 9) == 0 && strncmp(*own + 9, name, length) == 0 &&
            (*own)[9 + length] == '"')
            return true;
    return false;
}

void mcp_tools_call(mcp_server *server, yyjson_val *id, yyjson_val *params) {
    const char *name = yyjson_get_str(yyjson_obj_get(params, "name"));
    yyjson_val *arguments = yyjson_obj_get(params, "arguments");
    yyjson_val *token = yyjson_ptr_get(params, "/_meta/progressToken");
    const mcp_tool *tool = NULL;
    mcp_answer answer = {0};
    mcp_progress progress;
    char *id_text;
    bool changed, cancelled;

    if (!name || (arguments && !yyjson_is_obj(arguments))) {
        mcp_error(server, id, MCP_INVALID_PARAMS,
                  "tools/call wants the name of a tool and arguments that are an object");
        return;
    }
    if (!is_own(server, name)) {
        tool = server->options.memory ? NULL : mcp_catalogue_tool(&server->catalogue, name);
        /* Right after another process defined a graph type. */
        if (!tool && server->catalogue.types &&
            mcp_catalogue_refresh(&changed, &server->catalogue, server->agent.session) == BRANT_OK)
            tool = mcp_catalogue_tool(&server->catalogue, name);
        /* What an agent may not do is not there; one whose key has ended hears that it has. */
        if (!tool || !tool->chosen || (server->agent.session && !mcp_tool_offered(server, tool))) {
            mcp_error(server, id, MCP_INVALID_PARAMS, "unknown tool: %.128s%s", name,
                      strchr(name, '.') && is_own(server, "operations_call")
                          ? "; operations are called by the tool operations_call"
                          : "");
            return;
        }
    }
    id_text = mcp_write_read(id, NULL);
    pthread_mutex_lock(&server->guard);
    cancelled = false;
    for (size_t i = 0; id_text && i < sizeof server->dropped / sizeof *server->dropped; i++) {
        if (server->dropped[i] && strcmp(server->dropped[i], id_text) == 0) {
            cancelled = true;
            free(server->dropped[i]);
            server->dropped[i] = NULL;
        }
    }
    free(server->running);
    server->running = id_text;
    atomic_store(&server->cancelled, cancelled);
    pthread_mutex_unlock(&server->guard);

    if (!cancelled) {
        progress_begin(&progress, server, name, token);
        run(&answer, server, name, arguments);
        progress_end(&progress);
    }
    pthread_mutex_lock(&server->guard);
    cancelled = atomic_exchange(&server->cancelled, false);
    free(server->running);
    server->running = NULL;
    pthread_mutex_unlock(&server->guard);

    if (!cancelled) {
        mcp_cut_text(&answer.text, answer.failed ? server->options.max_tokens : SIZE_MAX);
        if (answer.failed)
            mcp_log(server, MCP_INFO, "%.64s failed: %.300s", name, answer.text ? answer.text : "");
        send_answer(server, id, &answer);
    }
    mcp_answer_free(&answer);
}
