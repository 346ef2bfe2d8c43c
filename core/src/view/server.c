/*
 * view/server.c: requests, and who may make them. civetweb reads and writes HTTP, with some threads.
 *
 * Calls take turns on the one handle (turn.c). A page that follows the file holds a thread: at most MAX_FOLLOWERS of them, so that calls always find one.
 */
#include "view/view.h"

#include <civetweb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <yyjson.h>

#define MAX_BODY      ((size_t)16 << 20)
#define MAX_FOLLOWERS 12
#define THREADS       "20"
#define LOOK_MS       500   /* for commits */
#define BEAT_MS       15000 /* so that a dead connection is noticed */

struct view_server {
    struct mg_context *http;
    brant_db *db;
    brant_db *session;  /* of calls: an interrupt ends the one that runs */
    brant_db *listener; /* of subscriptions, which it leaves alone */
    char *file;
    bool write;
    int64_t call_timeout;
    atomic_int port; /* 0 until it listens: then requests find no host */
    yyjson_doc *operations;

    view_turns *turns;
    pthread_mutex_t secret; /* of the two tokens */
    char token[VIEW_TOKEN]; /* of the link; "": spent */
    char cookie[VIEW_TOKEN];

    atomic_bool stopping;
    atomic_int followers;
    atomic_uint commits; /* that were noticed */
    int64_t state; /* of the file, when the watcher looked last; -1: it has not yet */
    pthread_t watcher;
    bool watching;
};

/* ---- answers ------------------------------------------------------------------------------------------------------ */

static const char headers[] =
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self' "
    "'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self'; worker-src 'self' blob:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Cache-Control: no-store\r\n";

static const char *reason_of(int status) {
    switch (status) {
    case 200:
        return "OK";
    case 303:
        return "See Other";
    case 400:
        return "Bad Request";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 409:
        return "Conflict";
    case 413:
        return "Content Too Large";
    case 429:
        return "Too Many Requests";
    case 503:
        return "Service Unavailable";
    default:
        return "Internal Server Error";
    }
}

/* Returns the status, as civetweb wants it of what has answered. */
static int answer(struct mg_connection *connection, int status, const char *type, const char *more,
                  const char *body, size_t length) {
    const bool calls = strncmp(mg_get_request_info(connection)->local_uri_raw, "/call/", 6) == 0;
    if (status == 405) more = calls ? "Allow: POST\r\n" : "Allow: GET\r\n";
    mg_printf(connection, "HTTP/1.1 %d %s\r\n%s%sContent-Type: %s\r\nContent-Length: %zu\r\n\r\n",
              status, reason_of(status), headers, more, type, length);
    if (length > 0 && strcmp(mg_get_request_info(connection)->request_method, "HEAD") != 0)
        mg_write(connection, body, length);
    return status;
}

static int answer_json(struct mg_connection *connection, int status, const char *json,
                       size_t length) {
    return answer(connection, status, "application/json", "", json, length);
}

static int status_of(brant_status code) {
    switch (code) {
    case BRANT_NOT_FOUND:
        return 404;
    case BRANT_DENIED:
    case BRANT_READ_ONLY:
        return 403;
    case BRANT_EXISTS:
    case BRANT_CONFLICT:
    case BRANT_STALE:
    case BRANT_CONSTRAINT:
        return 409;
    case BRANT_LIMIT:
        return 413;
    case BRANT_BUSY:
    case BRANT_TIMEOUT:
    case BRANT_CLOSED:
        return 503;
    case BRANT_INVALID:
    case BRANT_INVALID_JSON:
    case BRANT_VALIDATION:
    case BRANT_MISUSE:
        return 400;
    default:
        return 500;
    }
}

static int answer_error(struct mg_connection *connection, int status, brant_status code,
                        const char *message, const char *detail, size_t detail_length) {
    yyjson_mut_doc *document = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(document),
                   *error = yyjson_mut_obj_add_obj(document, root, "error");
    yyjson_doc *more = detail ? yyjson_read(detail, detail_length, 0) : NULL;
    size_t length = 0;

    yyjson_mut_doc_set_root(document, root);
    yyjson_mut_obj_add_int(document, error, "code", code);
    yyjson_mut_obj_add_str(document, error, "name", brant_status_name(code));
    yyjson_mut_obj_add_str(document, error, "message", message);
    if (yyjson_obj_size(yyjson_doc_get_root(more)) > 0)
        yyjson_mut_obj_add_val(document, error, "detail",
                               yyjson_val_mut_copy(document, yyjson_doc_get_root(more)));
    char *json = yyjson_mut_write(document, 0, &length);
    answer_json(connection, status, json ? json : "{}", json ? length : 2);
    free(json);
    yyjson_doc_free(more);
    yyjson_mut_doc_free(document);
    return status;
}

static int answer_last_error(struct mg_connection *connection) {
    const brant_error *error = brant_last_error();
    return answer_error(connection, status_of(error->code), error->code, error->message,
                        error->detail, error->detail_len);
}

static int refuse(struct mg_connection *connection, const char *message) {
    return answer_error(connection, 403, BRANT_DENIED, message, NULL, 0);
}

/* ---- who may ask -------------------------------------------------------------------------------------------------- */

static bool is_address(const view_server *server, const char *text) {
    static const char *const hosts[] = {"127.0.0.1", "localhost"};
    char wanted[64];

    for (size_t i = 0; text && i < 2; i++) {
        snprintf(wanted, sizeof wanted, "%s:%d", hosts[i], server->port);
        if (strcmp(text, wanted) == 0) return true;
    }
    return false;
}

/* The cookie of our name, among those that the browser sends. */
static bool has_cookie(view_server *server, struct mg_connection *connection) {
    const char *sent = mg_get_header(connection, "Cookie");
    char name[32];
    const size_t length = (size_t)snprintf(name, sizeof name, "brant_view_%d=", server->port);

    while (sent) {
        sent += strspn(sent, " ;");
        if (strncmp(sent, name, length) == 0 && strcspn(sent + length, "; ") == VIEW_TOKEN - 1) {
            pthread_mutex_lock(&server->secret);
            const bool same =
                *server->cookie && view_same(sent + length, server->cookie, VIEW_TOKEN - 1);
            pthread_mutex_unlock(&server->secret);
            if (same) return true;
        }
        sent = strchr(sent, ';');
    }
    return false;
}

static const char spent[] =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>brant</title>"
    "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:36em;margin:20vh auto;padding:0 1em;"
    "color-scheme:light dark}</style><h1>This link does not work any more</h1>"
    "<p>A link of <code>brant view</code> works once. For a new one, press Enter in the terminal "
    "where it runs, or run it again.</p></html>";

/* GET /?token=T: the cookie, for the token. */
static int enter(view_server *server, struct mg_connection *connection, const char *token) {
    char more[192];
    bool good;

    pthread_mutex_lock(&server->secret);
    good = *server->token && strlen(token) == VIEW_TOKEN - 1 &&
           view_same(token, server->token, VIEW_TOKEN - 1);
    if (good) {
        *server->token = '\0';
        if (!*server->cookie) view_token(server->cookie); /* one for all of its pages */
        snprintf(more, sizeof more,
                 "Location: /\r\nSet-Cookie: brant_view_%d=%s; HttpOnly; SameSite=Strict; "
                 "Path=/\r\n",
                 server->port, server->cookie);
    }
    pthread_mutex_unlock(&server->secret);
    if (!good)
        return answer(connection, 403, "text/html; charset=utf-8", "", spent, sizeof spent - 1);
    return answer(connection, 303, "text/plain; charset=utf-8", more, "", 0);
}

/* ---- calls -------------------------------------------------------------------------------------------------------- */

/* Subscriptions, transactions, what SQL says itself, and paths of this machine are not for a page;
 * to one that reads only, nothing that writes: consumers' places are moved by who may read. */
static bool is_offered(const view_server *server, const char *operation) {
    size_t index, count;
    yyjson_val *spec;

    if (strncmp(operation, "sql.", 4) == 0 || strncmp(operation, "transaction.", 12) == 0)
        return false;
    yyjson_arr_foreach(yyjson_obj_get(yyjson_doc_get_root(server->operations), "items"), index,
                       count, spec) {
        if (!yyjson_equals_str(yyjson_obj_get(spec, "name"), operation)) continue;
        yyjson_val *type = yyjson_obj_get(spec, "type");
        return !yyjson_obj_get(spec, "files") &&
               (yyjson_equals_str(type, "query") ||
                (server->write && yyjson_equals_str(type, "mutation")));
    }
    /* Operations of graph types are of no list; they are judged by their scopes. */
    return strncmp(operation, "types.", 6) == 0;
}

/* The body; NULL: too long, or it broke off. */
static char *read_body(struct mg_connection *connection, size_t *out_length, bool *out_long) {
    const long long announced = mg_get_request_info(connection)->content_length;
    size_t room =
        announced > 0 && (unsigned long long)announced <= MAX_BODY ? (size_t)announced + 1 : 65536;
    char *body = NULL;

    *out_length = 0;
    *out_long = announced > (long long)MAX_BODY;
    if (*out_long || !(body = malloc(room))) return NULL;
    for (;;) {
        const int got = mg_read(connection, body + *out_length, room - *out_length);
        if (got < 0) break;
        if (got == 0) {
            if (announced > 0 && *out_length < (size_t)announced) break;
            return body;
        }
        *out_length += (size_t)got;
        if ((*out_long = *out_length > MAX_BODY)) break;
        if (*out_length == room) {
            char *more = realloc(body, room * 2);
            if (!more) break;
            body = more;
            room *= 2;
        }
    }
    free(body);
    return NULL;
}

static int answer_no_turn(struct mg_connection *connection, brant_status code) {
    return answer_error(connection, status_of(code), code,
                        code == BRANT_TIMEOUT  ? "other calls took all of the time"
                        : code == BRANT_CLOSED ? "the viewer is closed"
                                               : "the client went away",
                        NULL, 0);
}

static int call(view_server *server, struct mg_connection *connection, const char *operation) {
    const char *origin = mg_get_header(connection, "Origin"),
               *mark = mg_get_header(connection, "X-Brant");
    char *json = NULL, *body;
    size_t length = 0, size;
    bool too_long;
    int status;

    if (origin && (strncmp(origin, "http://", 7) != 0 ||
                   strcmp(origin + 7, mg_get_header(connection, "Host")) != 0))
        return refuse(connection, "a page of another origin may not ask");
    if (!mark || strcmp(mark, "1") != 0)
        return refuse(connection, "the header X-Brant: 1 is missing");
    if (!is_offered(server, operation))
        return answer_error(connection, 404, BRANT_NOT_FOUND, "this operation is not offered here",
                            NULL, 0);
    if (!(body = read_body(connection, &size, &too_long))) {
        mg_disable_connection_keep_alive(connection);
        return too_long
                   ? answer_error(connection, 413, BRANT_LIMIT, "the body is longer than 16 MiB",
                                  NULL, 0)
                   : answer_error(connection, 400, BRANT_INVALID, "the body broke off", NULL, 0);
    }
    const struct mg_request_info *request = mg_get_request_info(connection);
    const view_client client = {request->remote_addr, request->remote_port, server->port};
    brant_status code =
        view_turn_take(server->turns, server->session, &client, server->call_timeout);
    if (code != BRANT_OK) {
        free(body);
        return answer_no_turn(connection, code);
    }
    code = brant_call(&json, &length, server->session, operation, strlen(operation), body, size);
    view_turn_give(server->turns);
    free(body);
    status = code == BRANT_OK ? answer_json(connection, 200, json, length)
                              : answer_last_error(connection);
    brant_free(json);
    return status;
}

static int info(view_server *server, struct mg_connection *connection) {
    yyjson_mut_doc *document = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(document);
    size_t length = 0;
    int status;

    yyjson_mut_doc_set_root(document, root);
    yyjson_mut_obj_add_str(document, root, "file", server->file);
    yyjson_mut_obj_add_str(document, root, "version", brant_version());
    yyjson_mut_obj_add_bool(document, root, "write", server->write);
    yyjson_mut_obj_add_bool(document, root, "commits", true);
    char *json = yyjson_mut_write(document, 0, &length);
    status = answer_json(connection, 200, json ? json : "{}", json ? length : 2);
    free(json);
    yyjson_mut_doc_free(document);
    return status;
}

/* ---- what happens ------------------------------------------------------------------------------------------------- */

/* A number that another one follows after each commit by anybody; -1: it cannot be told now. */
static int64_t state_of(view_server *server) {
    static const char *const questions[] = {"{\"sql\":\"PRAGMA data_version\"}",
                                            "{\"sql\":\"SELECT total_changes()\"}"};
    int64_t state = 0;

    for (size_t i = 0; i < 2; i++) {
        char *json = NULL;
        size_t length = 0;
        if (view_turn_take(server->turns, NULL, NULL, LOOK_MS) != BRANT_OK) return -1;
        const brant_status code = brant_call(&json, &length, server->db, "sql.execute", 11,
                                             questions[i], strlen(questions[i]));
        view_turn_give(server->turns);
        if (code != BRANT_OK) return -1;
        yyjson_doc *document = yyjson_read(json, length, 0);
        yyjson_val *rows = yyjson_obj_get(yyjson_doc_get_root(document), "rows");
        state = state * 1000003 + yyjson_get_sint(yyjson_arr_get(yyjson_arr_get_first(rows), 0));
        yyjson_doc_free(document);
        brant_free(json);
    }
    return state;
}

static void sleep_ms(int ms) {
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

static void *watch(void *argument) {
    view_server *server = argument;

    while (!atomic_load(&server->stopping)) {
        if (atomic_load(&server->followers) > 0) {
            const int64_t state = state_of(server);
            if (state != -1 && state != server->state) {
                if (server->state != -1) atomic_fetch_add(&server->commits, 1);
                server->state = state;
            }
        }
        sleep_ms(LOOK_MS);
    }
    return NULL;
}

/* {"channels": [..]} of the query's `channels=`; free(). NULL: there are none, or with *out_bad they are wrong. */
static char *read_channels(const char *query, bool *out_bad) {
    yyjson_mut_doc *document = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(document),
                   *channels = yyjson_mut_obj_add_arr(document, root, "channels");
    char *json = NULL;

    *out_bad = false;
    yyjson_mut_doc_set_root(document, root);
    for (const char *at = query; at && *at; at += strspn(at, "&")) {
        const size_t length = strcspn(at, "&");
        char value[1024];
        if (length >= 9 && strncmp(at, "channels=", 9) == 0) {
            const int size = mg_url_decode(at + 9, (int)(length - 9), value, sizeof value, 1);
            *out_bad = *out_bad || size < 0;
            if (size >= 0) yyjson_mut_arr_add_strncpy(document, channels, value, (size_t)size);
        }
        at += length;
    }
    if (yyjson_mut_arr_size(channels) > 0 && !*out_bad) {
        json = yyjson_mut_write(document, 0, NULL);
        *out_bad = !json;
    }
    yyjson_mut_doc_free(document);
    return json;
}

static bool send_items(struct mg_connection *connection, const char *items, size_t length) {
    yyjson_doc *document = yyjson_read(items, length, 0);
    size_t index, count, size;
    yyjson_val *item;
    bool good = true;

    yyjson_arr_foreach(yyjson_doc_get_root(document), index, count, item) {
        char *json = yyjson_val_write(item, 0, &size);
        good = good && json && mg_printf(connection, "data: ") > 0 &&
               mg_write(connection, json, size) > 0 && mg_printf(connection, "\n\n") > 0;
        free(json);
    }
    yyjson_doc_free(document);
    return good;
}

static void follow(view_server *server, struct mg_connection *connection, brant_cursor *cursor) {
    unsigned seen = atomic_load(&server->commits);
    int quiet = 0;
    bool good = mg_printf(connection,
                          "HTTP/1.1 200 OK\r\n%sContent-Type: text/event-stream\r\nConnection: "
                          "close\r\n\r\n: hello\n\n",
                          headers) > 0;

    while (good && !atomic_load(&server->stopping)) {
        char *items = NULL;
        size_t length = 0;
        if (!cursor) {
            sleep_ms(LOOK_MS);
        } else if (brant_cursor_next(&items, &length, cursor, LOOK_MS) != BRANT_OK) {
            break; /* the page comes again, and is told why if it cannot */
        } else if (length > 2) {
            good = send_items(connection, items, length);
        }
        brant_free(items);
        const unsigned now = atomic_load(&server->commits);
        if (good && now != seen) {
            seen = now;
            good = mg_printf(connection, "event: commit\ndata: {}\n\n") > 0;
        } else if (good && (quiet += LOOK_MS) >= BEAT_MS) {
            quiet = 0;
            good = mg_printf(connection, ": beat\n\n") > 0;
        }
    }
}

static int events(view_server *server, struct mg_connection *connection, const char *query) {
    brant_cursor *cursor = NULL;
    bool bad;
    char *channels = read_channels(query, &bad);
    int status = 200;

    if (bad) {
        status = answer_error(connection, 400, BRANT_INVALID,
                              "the channels are not as they should be", NULL, 0);
    } else if (atomic_fetch_add(&server->followers, 1) >= MAX_FOLLOWERS) {
        atomic_fetch_sub(&server->followers, 1);
        status =
            answer_error(connection, 429, BRANT_BUSY, "too many pages follow this file", NULL, 0);
    } else {
        brant_status turn = BRANT_OK, code = BRANT_OK;
        if (channels) turn = view_turn_take(server->turns, NULL, NULL, server->call_timeout);
        if (channels && turn == BRANT_OK) {
            code = brant_call_open(&cursor, server->listener, "events.listen", 13, channels,
                                   strlen(channels));
            view_turn_give(server->turns);
        }
        if (turn != BRANT_OK)
            status = answer_no_turn(connection, turn);
        else if (code != BRANT_OK)
            status = answer_last_error(connection);
        else
            follow(server, connection, cursor);
        brant_cursor_free(cursor);
        atomic_fetch_sub(&server->followers, 1);
    }
    free(channels);
    return status;
}

/* ---- requests ----------------------------------------------------------------------------------------------------- */

static int get(view_server *server, struct mg_connection *connection, const char *path,
               const char *query) {
    const char *data, *type;
    size_t size;

    if (strcmp(path, "/info") == 0) return info(server, connection);
    if (strcmp(path, "/events") == 0) return events(server, connection, query);
    if (view_page(&data, &size, &type, path[1] ? path + 1 : "index.html"))
        return answer(connection, 200, type, "", data, size);
    return answer_error(connection, 404, BRANT_NOT_FOUND, "there is no such page", NULL, 0);
}

static int serve(struct mg_connection *connection) {
    const struct mg_request_info *request = mg_get_request_info(connection);
    view_server *server = mg_get_user_data(mg_get_context(connection));
    const char *path = request->local_uri_raw, *query = request->query_string,
               *method = request->request_method;

    if (!is_address(server, mg_get_header(connection, "Host")))
        return refuse(connection, "this is not the name of this server");
    const bool asks = strcmp(method, "GET") == 0;
    if (asks && strcmp(path, "/") == 0 && query && strncmp(query, "token=", 6) == 0)
        return enter(server, connection, query + 6);
    if (!has_cookie(server, connection))
        return asks && strcmp(path, "/") == 0
                   ? answer(connection, 403, "text/html; charset=utf-8", "", spent,
                            sizeof spent - 1)
                   : refuse(connection, "open the link that brant view printed");
    const bool calls = strncmp(path, "/call/", 6) == 0;
    if (asks && !calls) return get(server, connection, path, query);
    if (calls && strcmp(method, "POST") == 0) return call(server, connection, path + 6);
    return answer_error(connection, 405, BRANT_INVALID, "only GET and POST /call/ are served", NULL,
                        0);
}

/* ---- beginning and end -------------------------------------------------------------------------------------------- */

static bool open_session(view_server *server) {
    static const char *const identities[] = {
        "{\"id\":\"brant-view\",\"actor_type\":\"service\",\"scopes\":[\"*:read\"]}",
        "{\"id\":\"brant-view\",\"actor_type\":\"service\",\"scopes\":[\"*:read\",\"*:write\","
        "\"*:use\",\"*:admin\"]}"};
    const char *identity = identities[server->write];
    char *json = NULL;
    size_t length = 0;

    if (brant_session_open(&server->session, server->db, identity, strlen(identity)) != BRANT_OK ||
        brant_session_open(&server->listener, server->db, identity, strlen(identity)) != BRANT_OK ||
        brant_operation_list(&json, &length, NULL, "", 0) != BRANT_OK)
        return false;
    server->operations = yyjson_read(json, length, 0);
    brant_free(json);
    return server->operations != NULL;
}

static bool listen_on(view_server *server, int port, char *reason, size_t size) {
    char address[32];
    const char *options[] = {"listening_ports",
                             address,
                             "decode_url", /* nothing here has a name that needs escapes */
                             "no",
                             "num_threads",
                             THREADS,
                             "enable_keep_alive",
                             "yes",
                             "tcp_nodelay",
                             "1",
                             "request_timeout_ms",
                             "30000",
                             "keep_alive_timeout_ms",
                             "5000",
                             "access_control_list",
                             "-0.0.0.0/0,+127.0.0.0/8",
                             NULL};
    const struct mg_callbacks callbacks = {.begin_request = serve};
    struct mg_init_data init = {
        .callbacks = &callbacks, .user_data = server, .configuration_options = options};
    struct mg_error_data error = {.text = reason, .text_buffer_size = size};
    struct mg_server_port listening = {0};

    snprintf(address, sizeof address, "127.0.0.1:%d", port);
    *reason = '\0';
    server->http = mg_start2(&init, &error);
    if (!server->http) return false;
    if (mg_get_server_ports(server->http, 1, &listening) != 1) return false;
    server->port = listening.port;
    return true;
}

view_server *view_start(brant_db *db, const view_options *options, char *reason, size_t size) {
    view_server *server = calloc(1, sizeof *server);

    snprintf(reason, size, "out of memory");
    if (!server) return NULL;
    server->db = db;
    server->write = options->write;
    server->file = strdup(options->file);
    server->call_timeout = options->call_timeout > 0 ? options->call_timeout : VIEW_CALL_TIMEOUT;
    server->turns = view_turns_new();
    pthread_mutex_init(&server->secret, NULL);
    if (!server->file || !server->turns) goto fail;
    if (!open_session(server)) {
        snprintf(reason, size, "%s", brant_last_error()->message);
        goto fail;
    }
    server->state = state_of(server); /* so that the first who follow miss nothing */
    if (!listen_on(server, options->port, reason, size)) goto fail;
    server->watching = pthread_create(&server->watcher, NULL, watch, server) == 0;
    if (!server->watching) {
        snprintf(reason, size, "no thread for it");
        goto fail;
    }
    return server;
fail:
    view_stop(server);
    return NULL;
}

void view_link(char *out, size_t size, view_server *server) {
    pthread_mutex_lock(&server->secret);
    view_token(server->token);
    snprintf(out, size, "http://127.0.0.1:%d/?token=%s", server->port, server->token);
    pthread_mutex_unlock(&server->secret);
}

void view_stop(view_server *server) {
    if (!server) return;
    atomic_store(&server->stopping, true);
    view_turns_end(server->turns);
    brant_interrupt(server->db);
    if (server->session) brant_close(server->session);
    if (server->listener) brant_close(server->listener);
    if (server->http) mg_stop(server->http);
    if (server->watching) pthread_join(server->watcher, NULL);
    brant_db_free(server->session);
    brant_db_free(server->listener);
    view_turns_free(server->turns);
    yyjson_doc_free(server->operations);
    pthread_mutex_destroy(&server->secret);
    free(server->file);
    free(server);
}
