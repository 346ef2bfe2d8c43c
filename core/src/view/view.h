/*
 * view/view.h: the server behind `brant view`: one file as a local web page, over HTTP on the loopback address.
 *
 * Who has the link of view_link may look, once: `GET /?token=T` answers a cookie and takes the token back. Nothing else is answered without
 * that cookie (403), to a Host that is not this server's (403: another name that was made to point here), or to a POST that a page of another origin could
 * send (403: an Origin that is not ours, no X-Brant: 1). Tokens and cookies are 256 random bits, compared in constant time.
 *
 *   GET /, /viewer.js, ..       the page (core/viewer), from memory
 *   GET /info                   {"file", "version", "write", "commits": true}
 *   POST /call/<operation>      JSON in (up to 16 MiB), JSON out, through a session with the scope *:read, with write also *:write, *:use and *:admin. 404: subscriptions,
 *                               transactions, sql.execute and operations on paths of this machine. An error: {"error": {"code", "name", "message", "detail"}}. Calls take turns; one ends with 503
 *                               TIMEOUT after `call_timeout`, the wait for its turn included, and with its connection when the page goes away
 *   GET /events?channels=a&..   server-sent events: a notification each (brant/event.h), `event: commit` after commits by any process, a comment each 15 s
 */
#ifndef BRANT__VIEW_H
#define BRANT__VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "brant.h"

typedef struct view_server view_server;

typedef struct view_options {
    const char *file; /* the name that the page shows */
    int port;         /* 0: any that is free */
    bool write;
    int64_t call_timeout; /* ms that a call may take; 0: VIEW_CALL_TIMEOUT */
} view_options;

#define VIEW_CALL_TIMEOUT 30000

/* Was the page there when this was built? */
bool view_has_page(void);

/*
 * Serve a trusted handle, which must outlive the server and is entered by its threads, one at a time. NULL: `reason` says why, a line.
 */
view_server *view_start(brant_db *db, const view_options *options, char *reason, size_t size);

/* A new link, which works once; the one before it does not work any more. */
void view_link(char *out, size_t size, view_server *server);

/* Ends its answers and calls, and waits for its threads. NULL is fine. */
void view_stop(view_server *server);

/* ---- for the files of this module ---- */

/* A file of the page; false: there is none of that name. *out_type is its content type. */
bool view_page(const char **out_data, size_t *out_size, const char **out_type, const char *name);

/* Turns on the handle (turn.c). */
typedef struct view_turns view_turns;
typedef struct view_client {
    const char *address;
    int port;
    int server_port;
} view_client;

/* NULL: no memory, or no thread. */
view_turns *view_turns_new(void);
/* All that wait end with CLOSED. NULL is fine. */
void view_turns_end(view_turns *turns);
/* When nobody waits any more. NULL is fine. */
void view_turns_free(view_turns *turns);
/*
 * Wait for the handle; then its calls are the caller's own until view_turn_give. `session`, if it is not NULL, ends its calls with TIMEOUT when that time is up, and with INTERRUPTED once the client, if it
 * is not NULL, has closed its connection. CLOSED, INTERRUPTED, TIMEOUT: the same while it waits; then there is nothing to give back.
 */
brant_status view_turn_take(view_turns *turns, brant_db *session, const view_client *client,
                            int64_t time_ms);
void view_turn_give(view_turns *turns);

/* 256 random bits as base64url, 43 digits. */
enum { VIEW_TOKEN = 44 };
void view_token(char out[VIEW_TOKEN]);
/* The same time whatever differs. */
bool view_same(const char *a, const char *b, size_t length);

#endif
