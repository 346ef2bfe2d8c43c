/*
 * extension/host.h: a handle on a connection that belongs to the host of the loadable extension.
 */
#ifndef BRANT__EXTENSION_HOST_H
#define BRANT__EXTENSION_HOST_H

#include "store/handle.h"

/* The oldest SQLite whose functions and statements we use. */
#define BRANT__HOST_VERSION 3038000
/* The oldest whose write-ahead log is not corrupted when two processes checkpoint at once (sqlite.org/wal.html, "The WAL-Reset Bug"). */
#define BRANT__HOST_SAFE 3051003

/* What the extension keeps of a connection, from loading to closing. */
typedef struct brant__host {
    sqlite3 *sqlite;
    brant_db *db; /* NULL until it is first needed, and after the connection began to close */
    bool altered; /* the host changed a temporary table: it may have a name of ours now */
} brant__host;

/* The handle, made at its first use: the file must be brant's. NOT_BRANT, NEWER_FORMAT, READ_ONLY, CORRUPT; CONFLICT: a temporary table hides one of ours. With `adopt` brant's tables are added to a file that is not. */
brant_status brant__host_open(brant__host *host, bool adopt);
/* Watch for the end of the connection and for the host's statements on our tables. An SQLite code. */
int brant__host_attach(brant__host *host);
/* Forget everything: nothing may be run on the connection any more. */
void brant__host_close(brant__host *host);

#endif
