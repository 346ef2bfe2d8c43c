/*
 * brant/base.h: status codes, the error record, memory and version.
 *
 * Every function that can fail returns a brant_status. Outputs are the first parameters and are NULL or
 * zero on failure. Text and JSON are UTF-8 with a length in bytes; a returned `char *` is also
 * NUL-terminated, is owned by the caller and is released with brant_free().
 */
#ifndef BRANT_BASE_H
#define BRANT_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define BRANT_API
#elif defined(__GNUC__)
#define BRANT_API __attribute__((visibility("default")))
#else
#define BRANT_API
#endif

/*
 * The codes. X(name, number, text): BRANT_<name> is the constant, "<name>" is the code's name in every
 * language, the text says what a caller can do about it. Numbers are part of the contract and never reused.
 */
#define BRANT_STATUS_LIST(X)                                                                       \
    X(OK, 0, "success")                                                                            \
    X(INVALID, 1, "an argument is not acceptable; change the call")                                \
    X(INVALID_JSON, 2, "the text is not acceptable JSON; the detail has the byte offset")          \
    X(VALIDATION, 3, "the data does not satisfy its schema; the detail lists the violations")      \
    X(NOT_FOUND, 4, "the thing named does not exist")                                              \
    X(EXISTS, 5, "a thing of that name exists already")                                            \
    X(CONFLICT, 6,                                                                                 \
      "the stored state is not the one that the call requires; read again, then decide")           \
    X(CONSTRAINT, 7, "the write would break a rule of the graph type or of the database")          \
    X(BUSY, 8, "another writer held the file for longer than the busy timeout; try again")         \
    X(TIMEOUT, 9, "the deadline passed before the call was done")                                  \
    X(INTERRUPTED, 10, "brant_interrupt was called")                                               \
    X(CLOSED, 11, "the handle is closed")                                                          \
    X(MISUSE, 12,                                                                                  \
      "the call is not allowed in the handle's present state, or two threads entered it at once")  \
    X(READ_ONLY, 13, "the file, its folder or the transaction can only be read")                   \
    X(DENIED, 14, "the caller may not do that")                                                    \
    X(LIMIT, 15, "a documented limit is exceeded")                                                 \
    X(NOT_BRANT, 16, "the file exists and is not one of brant's")                                  \
    X(NEWER_FORMAT, 17, "the file was written by a newer brant; upgrade this one")                 \
    X(FOREIGN_SQLITE, 18, "another SQLite in this process has the file open")                      \
    X(NETWORK_FS, 19, "the file is on a network file system, where locks cannot be trusted")       \
    X(CORRUPT, 20, "the file is damaged; restore a backup")                                        \
    X(FULL, 21, "the disk is full; nothing was written")                                           \
    X(IO, 22, "the operating system refused; the message says what")                               \
    X(NO_MEMORY, 23, "out of memory; nothing was written")                                         \
    X(SQL, 24, "the SQL text is not acceptable")                                                   \
    X(STALE, 25, "the token is not the newest; somebody else holds it now")                        \
    X(AUTH, 26, "authentication failed")                                                           \
    X(UNSUPPORTED, 27, "this build, platform or version cannot do that")                           \
    X(FORKED, 28, "the handle was opened before fork; open one in this process")                   \
    X(INTERNAL, 29, "a fault in brant; please report it")

#define BRANT__STATUS_ENUM(name, number, text) BRANT_##name = (number),
enum { BRANT_STATUS_LIST(BRANT__STATUS_ENUM) BRANT_STATUS_COUNT };
#undef BRANT__STATUS_ENUM

/* A type of its own, so that generated wrappers can tell a status from a value. */
typedef int brant_status;

/*
 * The error record of this thread: filled by the call that failed, valid until the next call of brant on
 * this thread, never holding a secret. `message` is one line without a period. `detail` is a JSON object
 * ("{}" when there is nothing to add), for example {"offset": 17} or {"violations": [...]}.
 * Read it on the thread that made the call, before anything else is called.
 */
typedef struct brant_error {
    brant_status code;
    const char *name;    /* "NOT_FOUND" */
    const char *message; /* "no node \"libc7\" in graph \"debian\"" */
    size_t message_len;
    const char *detail;
    size_t detail_len;
} brant_error;

/* The record of the last failed call of this thread; code BRANT_OK when there was none. Never NULL, borrowed. */
BRANT_API const brant_error *brant_last_error(void);

/* "NOT_FOUND" for BRANT_NOT_FOUND; "UNKNOWN" for a number that is no code. Static. */
BRANT_API const char *brant_status_name(brant_status status);

/* The text of BRANT_STATUS_LIST for a code. Static. */
BRANT_API const char *brant_status_text(brant_status status);

/* "0.1.0". Static. */
BRANT_API const char *brant_version(void);

/* Wipe and release what a brant function returned as `char **out`. NULL is fine. */
BRANT_API void brant_free(void *memory);

/*
 * Replace the allocator of the whole process (default: malloc, free). Call before any other function;
 * afterwards memory of the old one would reach the new one. NULL restores the default.
 * The functions follow the C standard's rules for malloc and free, size is never 0, and they must be
 * callable from any thread. A block is wiped before it is released: every byte that was written to it
 * is zero. SQLite's and libsodium's own memory is not concerned.
 */
typedef struct brant_allocator {
    void *(*allocate)(void *context, size_t size);
    void (*release)(void *context, void *memory);
    void *context;
} brant_allocator;
BRANT_API void brant_allocator_set(const brant_allocator *allocator);

/*
 * Check that a text is JSON as brant accepts it (RFC 8259, stricter), and return it in its compact form: members in
 * their order, doubles in their shortest form that reads back the same, integers exact.
 * INVALID_JSON: with {"offset": byte} for a syntax error, invalid UTF-8, a lone surrogate, a duplicate key, a number
 * that neither a 64-bit integer nor a double holds; LIMIT: nesting deeper than 512.
 * Needs no handle; callable from any thread.
 */
BRANT_API brant_status brant_json_compact(char **out_json, size_t *out_json_len, const char *json,
                                          size_t json_len);

#ifdef __cplusplus
}
#endif
#endif
