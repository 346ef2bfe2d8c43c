/*
 * cli/progress.c: how far something is, on standard error: a bar with rate and remaining time on a terminal, elsewhere a line every ten seconds.
 */
#include "cli.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BAR_WIDTH  30
#define BAR_EVERY  100   /* ms between two states of the bar on a terminal */
#define LINE_EVERY 10000 /* and between two lines elsewhere */

void cli_progress_start(cli_progress *self, const char *unit) {
    *self = (cli_progress){
        .terminal = isatty(STDERR_FILENO) != 0, .unit = unit, .started_at = cli_monotonic()};
    self->shown_at = self->started_at;
}

/* "12345" or, of bytes, "1.2 MB". */
static void amount(char *out, size_t size, int64_t number, const char *unit) {
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    double scaled = (double)number;
    size_t at = 0;
    if (strcmp(unit, "bytes") != 0) {
        snprintf(out, size, "%lld", (long long)number);
        return;
    }
    for (; scaled >= 1000 && at + 1 < sizeof units / sizeof *units; at++)
        scaled /= 1000;
    snprintf(out, size, at ? "%.1f %s" : "%.0f %s", scaled, units[at]);
}

static void duration(char *out, size_t size, int64_t ms) {
    const long long seconds = (long long)(ms + 500) / 1000;
    if (seconds >= 3600)
        snprintf(out, size, "%lld:%02lld:%02lld", seconds / 3600, seconds / 60 % 60, seconds % 60);
    else
        snprintf(out, size, "%lld:%02lld", seconds / 60, seconds % 60);
}

void cli_progress_show(cli_progress *self, int64_t done, int64_t total) {
    const int64_t now = cli_monotonic(), spent = now - self->started_at;
    char bar[BAR_WIDTH + 1], behind[32], whole[32], rate[32], left[32];
    if (now - self->shown_at < (self->terminal ? BAR_EVERY : LINE_EVERY)) return;
    self->shown_at = now;
    if (total > 0 && done > total) done = total;
    const bool bytes = strcmp(self->unit, "bytes") == 0;
    amount(behind, sizeof behind, done, self->unit);
    amount(whole, sizeof whole, total, self->unit);
    amount(rate, sizeof rate, spent > 0 ? done * 1000 / spent : 0, self->unit);
    duration(left, sizeof left,
             total > 0 && done > 0
                 ? (int64_t)((double)spent * (double)(total - done) / (double)done)
                 : spent);
    const char *name = bytes ? "" : " ", *unit = bytes ? "" : self->unit;
    if (!self->terminal) {
        if (total > 0)
            fprintf(stderr, "%s of %s%s%s, %s/s\n", behind, whole, name, unit, rate);
        else
            fprintf(stderr, "%s%s%s, %s/s\n", behind, name, unit, rate);
        return;
    }
    self->drawn = true;
    if (total <= 0) { /* how much there is nobody knows */
        fprintf(stderr, "\r%c  %s", "|/-\\"[spent / BAR_EVERY % 4], left);
        if (done > 0) fprintf(stderr, "  %s%s%s  %s/s", behind, name, unit, rate);
        fputs("\033[K", stderr);
        return;
    }
    const int64_t filled = (int64_t)((double)done / (double)total * BAR_WIDTH);
    for (int i = 0; i < BAR_WIDTH; i++)
        bar[i] = i < filled ? '#' : '-';
    bar[BAR_WIDTH] = '\0';
    fprintf(stderr, "\r[%s] %3.0f %%  %s of %s%s%s  %s/s  %s left\033[K", bar,
            (double)done / (double)total * 100, behind, whole, name, unit, rate, left);
}

void cli_progress_clear(cli_progress *self) {
    if (self->drawn) fputs("\r\033[K", stderr);
    self->drawn = false;
}

/* ---- while one call runs -------------------------------------------------------------------------------------------- */

/* The size of the newest file that is being written beside a path: PATH.part-*. */
static int64_t part_size(const char *path) {
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const size_t length = strlen(name);
    char *folder = slash ? cli_copy(path, (size_t)(slash - path) + 1) : cli_copy(".", 1);
    int64_t size = 0;
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        struct stat found;
        if (strncmp(entry->d_name, name, length) == 0 &&
            strncmp(entry->d_name + length, ".part-", 6) == 0 &&
            fstatat(dirfd(entries), entry->d_name, &found, 0) == 0 && found.st_size > size)
            size = found.st_size;
    }
    if (entries) closedir(entries);
    cli_free(folder);
    return size;
}

static void *show_until_done(void *given) {
    cli_progress_thread *self = given;
    struct timespec until;
    pthread_mutex_lock(&self->mutex);
    while (!self->done) {
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += BAR_EVERY * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&self->wake, &self->mutex, &until);
        if (!self->done && (self->progress.terminal || self->path))
            cli_progress_show(&self->progress, self->path ? part_size(self->path) : 0, self->total);
    }
    pthread_mutex_unlock(&self->mutex);
    return NULL;
}

void cli_progress_begin(cli_progress_thread *self, const char *path, int64_t total) {
    sigset_t all, before;
    *self = (cli_progress_thread){.path = path, .total = total};
    cli_progress_start(&self->progress, "bytes");
    pthread_mutex_init(&self->mutex, NULL);
    pthread_cond_init(&self->wake, NULL);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    self->running = pthread_create(&self->thread, NULL, show_until_done, self) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void cli_progress_end(cli_progress_thread *self) {
    pthread_mutex_lock(&self->mutex);
    self->done = true;
    pthread_cond_signal(&self->wake);
    pthread_mutex_unlock(&self->mutex);
    if (self->running) pthread_join(self->thread, NULL);
    pthread_cond_destroy(&self->wake);
    pthread_mutex_destroy(&self->mutex);
    cli_progress_clear(&self->progress);
}
