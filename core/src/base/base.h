/*
 * base/base.h: what every module stands on: errors, memory, buffers, time, identifiers, text.
 * Internal; names shared between files are brant__*.
 */
#ifndef BRANT__BASE_H
#define BRANT__BASE_H

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "brant/base.h"

#if defined(__GNUC__)
#define BRANT__PRINTF(text, first) __attribute__((__format__(__printf__, text, first)))
#define BRANT__LIKELY(x)           __builtin_expect(!!(x), 1)
#define BRANT__UNLIKELY(x)         __builtin_expect(!!(x), 0)
#else
#define BRANT__PRINTF(text, first)
#define BRANT__LIKELY(x)   (x)
#define BRANT__UNLIKELY(x) (x)
#endif

/* Go to `cleanup` with `status` set when a call fails. */
#define BRANT__TRY(call)                                                                           \
    do {                                                                                           \
        status = (call);                                                                           \
        if (BRANT__UNLIKELY(status != BRANT_OK)) goto cleanup;                                     \
    } while (0)

#define BRANT__COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A borrowed piece of text or bytes: not NUL-terminated, not owned. */
typedef struct brant__text {
    const char *data;
    size_t length;
} brant__text;

#define BRANT__TEXT(literal) ((brant__text){(literal), sizeof(literal) - 1})
static inline brant__text brant__text_of(const char *data, size_t length) {
    return (brant__text){data, length};
}
/* Of a string with a NUL. */
static inline brant__text brant__text_string(const char *string) {
    return (brant__text){string, strlen(string)};
}
static inline bool brant__text_equal(brant__text a, brant__text b) {
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}
/* Byte order; a prefix comes first. */
int brant__text_compare(brant__text a, brant__text b);

/* ---- error record (error.c) ------------------------------------------------------------------------------------ */

#define BRANT__ERROR_TEXT 512 /* a message, or a detail that needs no block, with its NUL */

/* Every public function that can fail calls this first. Cheap. */
void brant__error_clear(void);

/*
 * Fill the record unless it is filled already (the first error wins), and return its code.
 * brant__fail_detail copies `detail`, a JSON object. Never allocates beyond a bounded buffer: an over-long message is cut at a
 * code point, an allocation failure leaves detail "{}".
 */
brant_status brant__fail(brant_status code, const char *format, ...) BRANT__PRINTF(2, 3);
brant_status brant__fail_detail(brant_status code, brant__text detail, const char *format, ...)
    BRANT__PRINTF(3, 4);
/* Failing for want of memory, which writes no text of its own. */
brant_status brant__fail_memory(void);
/*
 * Take the record back, to try something else or to report it per item: gives its code and leaves the record empty, so that the
 * next failure fills it. The texts of a brant_last_error() read before stay readable until then.
 */
brant_status brant__error_code(void);
/* What a public function returns: the record says the same. Debug builds of ours (BRANT__CHECKED) end where it does not. */
static inline brant_status brant__answer(brant_status status) {
#ifdef BRANT__CHECKED
    assert(brant_last_error()->code == status);
#endif
    return status;
}
/*
 * Around what is done for nobody's call, and may fail without anybody being told: keep moves the record into *out and leaves it empty; restore drops what was recorded since and puts it back, forget lets what
 * was recorded since stand. One of them follows each keep, on the same thread. Nothing is allocated.
 */
typedef struct brant__kept_error {
    brant_error error; /* the rest counts only when it is one */
    void *block;       /* of the detail, owned; NULL: it is short */
    char message[BRANT__ERROR_TEXT], short_detail[BRANT__ERROR_TEXT];
} brant__kept_error;
void brant__error_keep(brant__kept_error *out);
void brant__error_restore(brant__kept_error *kept);
void brant__error_forget(brant__kept_error *kept);

/* ---- memory (memory.c) ------------------------------------------------------------------------------------------ */

/* Zeros that no compiler leaves out. */
void brant__wipe(void *memory, size_t size);

/*
 * Whatever held a secret may simply be freed: all that is given back, also when something grows, is wiped before. Memory
 * that is kept for the next use is not (arenas, buffers, brant__json): store.h's brant__db_secret.
 */
void brant__allocator_get(brant_allocator *out); /* the one in use */
void *brant__alloc(size_t size); /* NULL when there is none; size 0 gives a valid pointer */
void *brant__alloc_zero(size_t size);
void *brant__realloc(void *memory, size_t size); /* always another block */
void brant__free(void *memory);
/* Cheaper, of a large block of which nothing behind the first `used` bytes was ever written to. */
void brant__free_used(void *memory, size_t used);
char *brant__strndup(const char *text, size_t length); /* NUL-terminated copy */
/*
 * Room for one more item of `size` bytes in a list that has `count` of `*room`: the list, or where it is now, which the caller keeps. NULL without memory; then all is as it was.
 */
void *brant__grow(void *list, size_t *room, size_t count, size_t size);

/* Many small things with one lifetime. Zero-initialise, then brant__arena_free. */
typedef struct brant__arena {
    struct brant__arena_block *head;
} brant__arena;
void *brant__arena_alloc(brant__arena *arena, size_t size); /* aligned to 16; NULL without memory */
char *brant__arena_copy(brant__arena *arena, const char *text, size_t length); /* NUL-terminated */
/* The same of a text. NO_MEMORY, also of {NULL, 0}, which is what a column gives that had none. */
brant_status brant__arena_text(brant__text *out, brant__arena *arena, brant__text text);
void brant__arena_reset(
    brant__arena *arena); /* keeps the largest block: no allocation in a steady state */
void brant__arena_free(brant__arena *arena);

/*
 * A growing run of bytes. Zero-initialise. Failure is sticky: after an allocation failed every append does nothing, and
 * brant__buffer_take says NO_MEMORY. So appends need no checks.
 */
typedef struct brant__buffer {
    char *data;
    size_t length;
    size_t capacity;
    bool failed;
} brant__buffer;
bool brant__buffer_reserve(brant__buffer *buffer, size_t extra); /* room for `extra` more bytes */
void brant__buffer_append(brant__buffer *buffer, const void *bytes, size_t length);
void brant__buffer_append_byte(brant__buffer *buffer, char byte);
void brant__buffer_format(brant__buffer *buffer, const char *format, ...)
    BRANT__PRINTF(2, 3);                         /* locale-free use only: no %f */
void brant__buffer_reset(brant__buffer *buffer); /* length 0, keeps memory */
void brant__buffer_free(brant__buffer *buffer);
void brant__buffer_wipe(brant__buffer *buffer); /* free, said where a secret was in it */
/* Hand the bytes over as a NUL-terminated string that brant_free releases; the buffer is empty afterwards. */
brant_status brant__buffer_take(char **out, size_t *out_length, brant__buffer *buffer);

/* ---- hash map from bytes to a 64-bit value (map.c) ---------------------------------------------------------------- */

/* Open addressing; copies its keys. Zero-initialise. */
typedef struct brant__map {
    struct brant__map_entry *entries;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
    brant__arena keys;
    size_t live; /* bytes of keys that are in the map, and of removed ones that still take room */
    size_t dead;
} brant__map;
/* Of this process's own use only: the value depends on the machine's byte order and may change with any release. */
uint64_t brant__hash(const void *bytes, size_t length);
/* For keys that an adversary may choose, with brant__hash_seed(). */
uint64_t brant__hash_seeded(const void *bytes, size_t length, uint64_t seed);
uint64_t brant__hash_seed(void); /* random, one per process, never 0 (source.c) */
bool brant__map_get(const brant__map *map, brant__text key, int64_t *out_value);
bool brant__map_put(brant__map *map, brant__text key,
                    int64_t value); /* false without memory; replaces */
bool brant__map_remove(brant__map *map, brant__text key);
void brant__map_clear(brant__map *map); /* empty, keeps memory */
void brant__map_free(brant__map *map);

/* ---- time, randomness, identifiers (source.c) ---------------------------------------------------------------------- */

int64_t brant__system_now(void);    /* ms since the epoch */
int64_t brant__monotonic_now(void); /* ms of a clock that never jumps */
bool brant__system_random(
    void *bytes,
    size_t length); /* getrandom(2), /dev/urandom or its equal; false when there is none */

/* RFC 9562 section 5.7 from a time in ms and 10 random bytes, as 36 characters of lower-case text and a NUL. */
void brant__uuid_v7(char out[37], int64_t now, const uint8_t random[10]);

/* ---- text (text.c) -------------------------------------------------------------------------------------------------- */

/* Offset of the first byte that is not valid UTF-8 (RFC 3629: no surrogates, no over-long forms), or SIZE_MAX. */
size_t brant__utf8_check(const char *text, size_t length);
/* Code points in valid UTF-8. */
size_t brant__utf8_length(const char *text, size_t length);
/* event.h's patterns: `*`, `?`, [sets], `\`. Linear time in pattern times text; a bad set matches nothing. */
bool brant__glob_match(brant__text pattern, brant__text text);

/* RFC 4648: base64 (padded) both ways. Decode: false for anything but canonical text. */
void brant__base64_encode(brant__buffer *out, const void *bytes, size_t length);
bool brant__base64_decode(brant__buffer *out, brant__text text);
/* The same with `-` and `_` and without padding. */
void brant__base64url_encode(brant__buffer *out, const void *bytes, size_t length);
bool brant__base64url_decode(brant__buffer *out, brant__text text);
/* Exactly `size` bytes, into memory of the caller's; what is written there is void when it fails. */
bool brant__base64url_read(void *out, size_t size, brant__text text);

#endif
