/*
 * cli/watch.c: brant watch: notifications, events of streams and the figures of queues as they come, in one view.
 */
#include "cli.h"

#include <poll.h>
#include <string.h>

#define CURSORS_MOST 65
#define WAIT_MOST    500 /* ms: a signal is looked for so often */
#define QUEUES_EVERY 1000

typedef struct source {
    brant_cursor *cursor;
    const char *stream; /* NULL: notifications */
} source;

typedef struct view {
    const cli_arguments *arguments;
    brant_db *db;
    source sources[CURSORS_MOST];
    int count, wake;
    bool queues;
    int64_t queues_at;  /* when they were looked at, monotonic */
    yyjson_doc *before; /* the queues' figures as they were told */
} view;

/* ---- sources -------------------------------------------------------------------------------------------------------- */

static int add(view *self, const char *operation, yyjson_mut_doc *input, const char *stream) {
    char *json = NULL;
    size_t length = 0;
    const int exit_code = cli_input_text(&json, &length, &self->arguments->style, input);
    if (exit_code) return exit_code;
    if (self->count == CURSORS_MOST) {
        cli_free(json);
        return cli_fail(&self->arguments->style, BRANT_LIMIT, "more than %d streams",
                        CURSORS_MOST - 1);
    }
    source *made = &self->sources[self->count];
    const brant_status status =
        brant_call_open(&made->cursor, self->db, operation, strlen(operation), json, length);
    cli_free(json);
    if (status != BRANT_OK) return cli_print_error(&self->arguments->style);
    made->stream = stream;
    self->count++;
    return 0;
}

static int add_all(view *self) {
    const cli_arguments *arguments = self->arguments;
    bool streams = false;
    int exit_code = 0;
    for (int i = 0; i < arguments->own_count && exit_code == 0; i++) {
        if (strcmp(arguments->own[i].option->name, "--stream") != 0) continue;
        yyjson_mut_doc *input = cli_input();
        yyjson_mut_obj_add_str(input, yyjson_mut_doc_get_root(input), "stream",
                               arguments->own[i].value);
        yyjson_mut_obj_add_str(input, yyjson_mut_doc_get_root(input), "from", "end");
        exit_code = add(self, "streams.subscribe", input, arguments->own[i].value);
        streams = true;
    }
    self->queues = cli_own(arguments, "--queues") != NULL;
    if (exit_code || (arguments->count == 1 && (streams || self->queues))) return exit_code;
    if (arguments->count == 1) self->queues = true; /* without a choice: notifications and queues */
    yyjson_mut_doc *input = cli_input();
    yyjson_mut_val *channels =
        yyjson_mut_obj_add_arr(input, yyjson_mut_doc_get_root(input), "channels");
    for (int i = 1; i < arguments->count; i++)
        yyjson_mut_arr_add_str(input, channels, arguments->rest[i]);
    if (arguments->count == 1) yyjson_mut_arr_add_str(input, channels, "*");
    return add(self, "events.listen", input, NULL);
}

/* ---- what came ------------------------------------------------------------------------------------------------------ */

static int look(view *self, source *at, int64_t *wait) {
    char *items = NULL;
    size_t length = 0, index, count;
    yyjson_val *item;
    int64_t due = -1;
    if (brant_cursor_next(&items, &length, at->cursor, 0) != BRANT_OK)
        return cli_stopped() ? BRANT_INTERRUPTED : cli_print_error(&self->arguments->style);
    yyjson_doc *doc = yyjson_read(items, length, 0);
    yyjson_arr_foreach(yyjson_doc_get_root(doc), index, count, item)
        cli_follow_item(&self->arguments->style, at->stream, item);
    yyjson_doc_free(doc);
    brant_free(items);
    if (brant_cursor_wait(&due, at->cursor) == BRANT_OK && due >= 0 && due < *wait) *wait = due;
    return 0;
}

static yyjson_val *queue_before(const view *self, const char *name) {
    size_t index, count;
    yyjson_val *queue;
    yyjson_arr_foreach(
        yyjson_obj_get(yyjson_doc_get_root(self->before), "items"), index, count,
        queue) if (yyjson_equals_str(yyjson_obj_get(queue, "queue"), name)) return queue;
    return NULL;
}

/* A queue whose figures are not what they were is told, with these figures. */
static void tell_queue(const view *self, yyjson_val *queue) {
    static const char *const figures[] = {"state", "ready", "delayed",   "blocked", "running",
                                          "done",  "dead",  "cancelled", "expired"};
    const char *name = yyjson_get_str(yyjson_obj_get(queue, "queue"));
    yyjson_val *before = queue_before(self, name);
    bool changed = !before;
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        changed = changed || !yyjson_equals(yyjson_obj_get(queue, figures[i]),
                                            yyjson_obj_get(before, figures[i]));
    if (!changed) return;
    yyjson_mut_doc *line = cli_input();
    yyjson_mut_val *root = yyjson_mut_doc_get_root(line);
    yyjson_mut_obj_add_str(line, root, "queue", name);
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        yyjson_mut_obj_add_val(line, root, figures[i],
                               yyjson_val_mut_copy(line, yyjson_obj_get(queue, figures[i])));
    yyjson_mut_obj_add_sint(line, root, "at", cli_now());
    yyjson_doc *copy = yyjson_mut_doc_imut_copy(line, &cli_json);
    cli_follow_item(&self->arguments->style, NULL, yyjson_doc_get_root(copy));
    yyjson_doc_free(copy);
    yyjson_mut_doc_free(line);
}

static int look_at_queues(view *self) {
    size_t index, count;
    yyjson_val *queue;
    yyjson_doc *stats = NULL;
    self->queues_at = cli_monotonic();
    const int exit_code = cli_ask(&stats, self->db, &self->arguments->style, "queues.stats",
                                  cli_input(), BRANT_INTERRUPTED);
    if (exit_code) return exit_code;
    yyjson_arr_foreach(yyjson_obj_get(yyjson_doc_get_root(stats), "items"), index, count, queue)
        tell_queue(self, queue);
    yyjson_doc_free(self->before);
    self->before = stats;
    return 0;
}

/* ---- the command ---------------------------------------------------------------------------------------------------- */

static int watch(view *self) {
    const int64_t until =
        self->arguments->timeout >= 0 ? cli_monotonic() + self->arguments->timeout : INT64_MAX;
    int exit_code = 0;
    while (exit_code == 0 && !cli_stopped() && !ferror(stdout)) {
        int64_t wait = WAIT_MOST;
        for (int i = 0; i < self->count && exit_code == 0; i++)
            exit_code = look(self, &self->sources[i], &wait);
        if (exit_code == 0 && self->queues &&
            (!self->before || cli_monotonic() - self->queues_at >= QUEUES_EVERY))
            exit_code = look_at_queues(self);
        fflush(stdout);
        const int64_t left = until - cli_monotonic();
        if (left <= 0) break;
        if (left < wait) wait = left;
        struct pollfd waited = {.fd = self->wake, .events = POLLIN};
        if (poll(&waited, 1, (int)wait) > 0) brant_wake_acknowledge(self->db);
    }
    return cli_stopped() ? 0 : exit_code;
}

int cli_watch_command(const cli_arguments *arguments) {
    view self = {.arguments = arguments};
    int exit_code = cli_open(&self.db, arguments, arguments->rest[0]);
    if (exit_code == 0) {
        cli_watch(self.db, arguments);
        brant_deadline_set(self.db, 0); /* --timeout ends the waiting, not a call */
        if (brant_wake_fd(&self.wake, self.db) != BRANT_OK)
            exit_code = cli_print_error(&arguments->style);
    }
    if (exit_code == 0) exit_code = add_all(&self);
    if (exit_code == 0) exit_code = watch(&self);
    for (int i = 0; i < self.count; i++)
        brant_cursor_free(self.sources[i].cursor);
    yyjson_doc_free(self.before);
    cli_close(self.db);
    return exit_code;
}
