/*
 * cli/memory_left.c: preloaded into the brant command, looks when the process ends for a text that should have been wiped: in all memory that can be
 * written. The environment's MEMORY_LEFT is the text with each byte one higher, so that it is not found there. Says "N left" on standard error.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int count(const char *from, const char *to, const char *text, size_t length) {
    int found = 0;
    for (const char *at = from; at + length <= to; at++) {
        size_t same = 0;
        while (same < length && at[same] == text[same] - 1)
            same++;
        found += same == length;
    }
    return found;
}

__attribute__((destructor)) static void look(void) {
    const char *text = getenv("MEMORY_LEFT");
    FILE *maps = text ? fopen("/proc/self/maps", "r") : NULL;
    char line[512];
    int left = 0;
    while (maps && fgets(line, sizeof line, maps)) {
        void *from = NULL, *to = NULL;
        char access[8] = "";
        if (sscanf(line, "%p-%p %7s", &from, &to, access) == 3 && strncmp(access, "rw", 2) == 0)
            left += count(from, to, text, strlen(text));
    }
    if (maps) fprintf(stderr, "%d left\n", left);
    if (maps) fclose(maps);
}
