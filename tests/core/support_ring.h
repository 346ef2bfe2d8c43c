/*
 * tests/core/support_ring.h: key rings for tests, and looking for what they protect in the bytes of files.
 */
#ifndef BRANT_TESTS_SUPPORT_RING_H
#define BRANT_TESTS_SUPPORT_RING_H

#include <stdbool.h>

#include "support.h"

#define KEY_1 "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE" /* 32 times 1 */
#define KEY_2 "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI"
#define KEY_3 "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM"

#define OLD(version)                                                                               \
    "{\"version\":" #version ",\"state\":\"decrypt_only\",\"key\":\"" KEY_##version "\"}"
#define NEW(version) "{\"version\":" #version ",\"key\":\"" KEY_##version "\"}"
#define RING(keys)   "{\"keys\":[" keys "]}"
#define RING_1       RING(NEW(1))
#define RING_2       RING(OLD(1) "," NEW(2))
#define RING_3       RING(OLD(1) "," OLD(2) "," NEW(3))

static inline void must_load(brant_db *db, const char *ring) {
    if (brant_keyring_load(db, TEXT(ring)) != BRANT_OK)
        fail_msg("%s: %s", ring, brant_last_error()->message);
}

/*
 * Do the bytes of a database or its log hold the text? `path` may be a pattern of the shell. Another process reads them, since closing a database file in this one
 * would give up SQLite's locks.
 */
static inline bool database_holds(const char *path, const char *text) {
    char command[8300];
    const size_t room = (size_t)64 << 20;
    char *bytes = malloc(room);
    bool found;

    assert_non_null(bytes);
    snprintf(command, sizeof(command), "cat %s %s-wal 2>/dev/null", path, path);
    FILE *output = popen(command, "r");
    assert_non_null(output);
    const size_t length = fread(bytes, 1, room, output);
    pclose(output);
    assert_in_range(length, 4097, room - 1); /* all of it */
    found = memmem(bytes, length, text, strlen(text)) != NULL;
    free(bytes);
    return found;
}

#endif
