/*
 * base/status.c: names and texts of the status codes, and the version.
 */
#include "base/base.h"

/* The build passes the content of VERSION; the fallback is for a build by hand. */
#ifndef BRANT_VERSION
#define BRANT_VERSION "0.1.0"
#endif

typedef struct status_entry {
    const char *name;
    const char *text;
} status_entry;

#define STATUS_ENTRY(name, number, text) [number] = {#name, text},
static const status_entry status_entries[] = {BRANT_STATUS_LIST(STATUS_ENTRY)};
#undef STATUS_ENTRY

static const status_entry unknown_entry = {"UNKNOWN", "not a status code of brant"};

static const status_entry *entry_of(brant_status status) {
    if (status < 0 || (size_t)status >= BRANT__COUNT(status_entries)) return &unknown_entry;
    return &status_entries[status];
}

const char *brant_status_name(brant_status status) {
    return entry_of(status)->name;
}

const char *brant_status_text(brant_status status) {
    return entry_of(status)->text;
}

const char *brant_version(void) {
    return BRANT_VERSION;
}
