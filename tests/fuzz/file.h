/*
 * file.h: the file on which a fuzz target calls: of its own process, removed at its end.
 */
#ifndef FUZZ_FILE_H
#define FUZZ_FILE_H

#include <unistd.h>

#include "fuzz.h"

static brant_db *db;
static char path[64];

static inline void call(const char *name, const char *json) {
    char *out = NULL;
    size_t length = 0;
    HOLDS(brant_call(&out, &length, db, name, strlen(name), json, strlen(json)) == BRANT_OK);
    brant_free(out);
}

static inline void discard(void) {
    static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
    char name[96];
    brant_db_free(db);
    for (size_t i = 0; i < BRANT__COUNT(ends); i++) {
        snprintf(name, sizeof(name), "%s%s", path, ends[i]);
        unlink(name);
    }
}

static inline void open_file(void) {
    snprintf(path, sizeof(path), "/tmp/brant-fuzz-%ld.db", (long)getpid());
    HOLDS(brant_open(&db, path, strlen(path), "", 0) == BRANT_OK);
    atexit(discard);
}

#endif
