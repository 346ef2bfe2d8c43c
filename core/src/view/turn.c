/*
 * view/turn.c: calls on one handle, one after another and each for a time. A call ends with TIMEOUT when its time is up, and with INTERRUPTED when the page that asked for it has gone away.
 *
 * Nobody reads the socket of a request that is being answered, so a thread looks at that of the call that runs (brant_call has no moment of its own for it), and who waits looks at its own. civetweb keeps
 * its sockets to itself: ours is the one among this process's descriptors that has the two ends of the request.
 */
#include "view/view.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define TICK_MS 100 /* between two looks at whether who asked is still there */

enum {
    UNKNOWN = -1, /* not looked for yet, or this machine does not list its descriptors */
    GONE = -2     /* it is none of those that are listed: the connection was reset */
};

struct view_turns {
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t given_back;
    bool taken;
    bool ending;
    brant_db *session; /* of the call that runs; NULL: none that could be ended */
    const view_client *client;
    int socket; /* the client's, UNKNOWN or GONE */
    pthread_t warden;
    bool guarded;
};

/* ---- who asks ----------------------------------------------------------------------------------------------------- */

static bool is_end(const struct sockaddr_in *end, const char *address, int port) {
    char text[INET_ADDRSTRLEN];
    return end->sin_family == AF_INET && ntohs(end->sin_port) == port &&
           (!address ||
            (inet_ntop(AF_INET, &end->sin_addr, text, sizeof text) && strcmp(text, address) == 0));
}

/* The client's socket, UNKNOWN or GONE. */
static int socket_of(const view_client *client) {
    DIR *folder = opendir("/dev/fd");
    const struct dirent *entry;
    int found = UNKNOWN;

    while (folder && found < 0 && (entry = readdir(folder))) {
        struct sockaddr_in here = {0}, there = {0};
        socklen_t here_size = sizeof here, there_size = sizeof there;
        char *end = NULL;
        const long descriptor = strtol(entry->d_name, &end, 10);
        if (*end || end == entry->d_name ||
            getsockname((int)descriptor, (struct sockaddr *)&here, &here_size) != 0 ||
            !is_end(&here, NULL, client->server_port))
            continue;
        /* One of the server's, if only that which listens: where these are listed the client's would be, too. */
        found = getpeername((int)descriptor, (struct sockaddr *)&there, &there_size) == 0 &&
                        is_end(&there, client->address, client->port)
                    ? (int)descriptor
                    : GONE;
    }
    if (folder) closedir(folder);
    return found;
}

/* Has the other end closed? Whoever says no more does not listen either: browsers close both ways. */
static bool is_gone(int socket) {
    if (socket < 0) return socket == GONE;
#ifdef POLLRDHUP
    struct pollfd look = {.fd = socket, .events = POLLRDHUP};
    return poll(&look, 1, 0) > 0 &&
           (look.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
#else
    char byte;
    const ssize_t got = recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
#endif
}

/* ---- turns -------------------------------------------------------------------------------------------------------- */

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void wait_a_tick(view_turns *turns) {
    const int64_t until = now_ms() + TICK_MS;
    const struct timespec time = {.tv_sec = (time_t)(until / 1000),
                                  .tv_nsec = (long)(until % 1000 * 1000000)};
    pthread_cond_timedwait(&turns->given_back, &turns->lock, &time);
}

static void *guard(void *argument) {
    view_turns *turns = argument;
    const struct timespec nap = {.tv_nsec = TICK_MS * 1000000L};

    for (bool ending = false; !ending; nanosleep(&nap, NULL)) {
        pthread_mutex_lock(&turns->lock);
        ending = turns->ending;
        /* A call that has just been taken finds itself looked for at the next tick, if it takes that long. */
        if (turns->session && turns->client) {
            if (turns->socket == UNKNOWN) turns->socket = socket_of(turns->client);
            if (is_gone(turns->socket)) brant_interrupt(turns->session);
        }
        pthread_mutex_unlock(&turns->lock);
    }
    return NULL;
}

view_turns *view_turns_new(void) {
    view_turns *turns = calloc(1, sizeof *turns);
    if (!turns) return NULL;
    pthread_mutex_init(&turns->lock, NULL);
    pthread_cond_init(&turns->given_back, NULL);
    turns->socket = UNKNOWN;
    turns->guarded = pthread_create(&turns->warden, NULL, guard, turns) == 0;
    if (turns->guarded) return turns;
    view_turns_free(turns);
    return NULL;
}

brant_status view_turn_take(view_turns *turns, brant_db *session, const view_client *client,
                            int64_t time_ms) {
    const int64_t deadline = now_ms() + time_ms;
    brant_status status = BRANT_OK;
    int socket = UNKNOWN;

    pthread_mutex_lock(&turns->lock);
    while (turns->taken && status == BRANT_OK) {
        wait_a_tick(turns);
        if (!turns->taken) break;
        if (client && socket == UNKNOWN) socket = socket_of(client);
        if (turns->ending)
            status = BRANT_CLOSED;
        else if (is_gone(socket))
            status = BRANT_INTERRUPTED;
        else if (now_ms() >= deadline)
            status = BRANT_TIMEOUT;
    }
    if (status == BRANT_OK) {
        turns->taken = true;
        turns->session = session;
        turns->client = client;
        turns->socket = socket;
        if (session) brant_deadline_set(session, deadline);
    }
    pthread_mutex_unlock(&turns->lock);
    return status;
}

void view_turn_give(view_turns *turns) {
    pthread_mutex_lock(&turns->lock);
    /* The deadline stays until the next one is set: that would clear what the caller has not read yet, the last error. */
    turns->taken = false;
    turns->session = NULL;
    turns->client = NULL;
    turns->socket = UNKNOWN;
    pthread_cond_signal(&turns->given_back);
    pthread_mutex_unlock(&turns->lock);
}

void view_turns_end(view_turns *turns) {
    if (!turns) return;
    pthread_mutex_lock(&turns->lock);
    turns->ending = true;
    pthread_cond_broadcast(&turns->given_back);
    pthread_mutex_unlock(&turns->lock);
}

void view_turns_free(view_turns *turns) {
    if (!turns) return;
    view_turns_end(turns);
    if (turns->guarded) pthread_join(turns->warden, NULL);
    pthread_cond_destroy(&turns->given_back);
    pthread_mutex_destroy(&turns->lock);
    free(turns);
}
