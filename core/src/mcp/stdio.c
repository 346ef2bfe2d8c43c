/*
 * mcp/stdio.c: the transport: a message a line. One thread reads, so that a cancellation is seen while a call runs; another answers, one message after the other,
 * and looks at what others committed whenever the wake says so, and once a second.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "mcp/mcp.h"

#define QUEUE_MAX       1024 /* messages that wait; then the reader waits too */
#define QUEUE_BYTES_MAX (2 * MCP_MESSAGE_MAX)
#define TICK_MS         1000
#define REMIND_MS       100 /* until a call that was cancelled is interrupted again */

typedef struct line {
    struct line *next;
    size_t length;
    bool overlong;
    char data[];
} line;

typedef struct transport {
    mcp_server *server;
    int input;
    int pipe[2]; /* readable: a line came, or the input ended */
    pthread_mutex_t guard;
    pthread_cond_t taken;
    line *first, **last;
    size_t count, bytes; /* of what waits */
    bool ended, stopped;
} transport;

/* False: the server has stopped. */
static bool push(transport *self, const char *data, size_t length, bool overlong) {
    line *one = mcp_alloc(sizeof *one + length + 1);
    bool stopped;

    one->length = length;
    one->overlong = overlong;
    if (length > 0) memcpy(one->data, data, length);
    if (!overlong) mcp_server_peek(self->server, one->data, length);
    pthread_mutex_lock(&self->guard);
    while ((self->count >= QUEUE_MAX || self->bytes >= QUEUE_BYTES_MAX) && !self->stopped)
        pthread_cond_wait(&self->taken, &self->guard);
    stopped = self->stopped;
    *self->last = one;
    self->last = &one->next;
    self->count++;
    self->bytes += length;
    pthread_mutex_unlock(&self->guard);
    if (write(self->pipe[1], "", 1) < 0) return true; /* full: it is readable anyway */
    return !stopped;
}

static void *read_lines(void *context) {
    transport *self = context;
    mcp_buffer buffer = {0};
    char piece[65536];
    bool overlong = false, on = true;

    while (on) {
        struct pollfd polled = {.fd = self->input, .events = POLLIN};
        while (mcp_server_remind(self->server) && poll(&polled, 1, REMIND_MS) == 0) {}
        const ssize_t got = read(self->input, piece, sizeof piece);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        for (const char *at = piece, *end = piece + got; at < end && on;) {
            const char *stop = memchr(at, '\n', (size_t)(end - at));
            const size_t length = (size_t)((stop ? stop : end) - at);
            if (overlong || buffer.length + length > MCP_MESSAGE_MAX) {
                overlong = true;
                mcp_buffer_free(&buffer);
            } else {
                mcp_append(&buffer, at, length);
            }
            if (stop) {
                on = push(self, buffer.data, buffer.length, overlong);
                overlong = false;
                if (buffer.capacity > sizeof piece * 4) mcp_buffer_free(&buffer);
                buffer.length = 0;
            }
            at += length + (stop ? 1 : 0);
        }
    }
    /* What has no newline at the end of the input is a message all the same. */
    if (on && buffer.length > 0 && !overlong) push(self, buffer.data, buffer.length, false);
    mcp_buffer_free(&buffer);
    pthread_mutex_lock(&self->guard);
    self->ended = true;
    pthread_mutex_unlock(&self->guard);
    if (write(self->pipe[1], "", 1) < 0) return NULL;
    return NULL;
}

static line *take(transport *self, bool *out_ended) {
    line *one;

    pthread_mutex_lock(&self->guard);
    one = self->first;
    if (one) {
        self->first = one->next;
        if (!self->first) self->last = &self->first;
        self->count--;
        self->bytes -= one->length;
        pthread_cond_signal(&self->taken);
    }
    *out_ended = self->ended && !one;
    pthread_mutex_unlock(&self->guard);
    return one;
}

static int64_t now_ms(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int mcp_serve(mcp_server *server, int input) {
    transport self = {.server = server, .input = input};
    brant_db *db =
        server->agent.db; /* a hub's sessions come and go: it is looked at by the second */
    pthread_t thread;
    int64_t next = now_ms() + TICK_MS;
    int wake = -1;
    bool ended = false, more;
    line *one;

    self.last = &self.first;
    if (pipe(self.pipe) != 0) return BRANT_IO;
    pthread_mutex_init(&self.guard, NULL);
    pthread_cond_init(&self.taken, NULL);
    if (!db || brant_wake_fd(&wake, db) != BRANT_OK) wake = -1;
    if (pthread_create(&thread, NULL, read_lines, &self) != 0) return BRANT_NO_MEMORY;
    while (!ended) {
        struct pollfd polled[2] = {{.fd = self.pipe[0], .events = POLLIN},
                                   {.fd = wake, .events = POLLIN}};
        char bytes[256];
        const int64_t left = next - now_ms();
        const int ready = poll(polled, 2, left < 0 ? 0 : (int)left);
        bool woken = ready > 0 && polled[1].revents != 0;
        if (ready > 0 && (polled[0].revents & POLLIN) &&
            read(self.pipe[0], bytes, sizeof bytes) < 0 && errno != EINTR)
            break;
        more = false;
        while (!more && (one = take(&self, &ended))) {
            if (one->overlong)
                mcp_server_overlong(server);
            else
                mcp_server_handle(server, one->data, one->length);
            free(one);
            more = now_ms() >= next;
        }
        /* More may wait, of which the pipe has no byte any more. */
        if (more && write(self.pipe[1], "", 1) < 0) break;
        if (woken && brant_wake_acknowledge(db) != BRANT_OK) wake = -1;
        if (woken || now_ms() >= next) {
            mcp_server_tick(server);
            next = now_ms() + TICK_MS;
        }
    }
    pthread_mutex_lock(&self.guard);
    self.stopped = true;
    pthread_cond_broadcast(&self.taken);
    pthread_mutex_unlock(&self.guard);
    pthread_join(thread, NULL);
    while ((one = take(&self, &ended)))
        free(one);
    pthread_cond_destroy(&self.taken);
    pthread_mutex_destroy(&self.guard);
    close(self.pipe[0]);
    close(self.pipe[1]);
    return 0;
}
