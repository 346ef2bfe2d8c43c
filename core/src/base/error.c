/*
 * base/error.c: the error record of a thread.
 *
 * The record holds a bounded message and a short detail in thread-local storage; a longer detail
 * lives in a heap block that belongs to a thread-specific key, so that it is reused from failure to
 * failure and released when the thread ends. The record is filled only while its code is OK: the
 * first error wins, what callers add is dropped. Text in the record is always valid UTF-8 on one
 * line, whatever it was made from, since bindings decode it strictly.
 */
#include "base/base.h"

#include <pthread.h>
#include <stdio.h>

/* A detail beyond this is not kept: the record must not become the largest thing in the process. */
#define DETAIL_LIMIT ((size_t)1 << 20)

/* A block above this is given back when the record is cleared. */
#define DETAIL_KEPT ((size_t)64 << 10)

typedef struct error_record {
    brant_error error;
    char message[BRANT__ERROR_TEXT];
    char short_detail[BRANT__ERROR_TEXT];
    bool large; /* the heap block is larger than DETAIL_KEPT */
} error_record;

/* The allocator may be replaced between two failures (tests do), so a block remembers its own. */
typedef struct detail_block {
    void (*release)(void *context, void *memory);
    void *context;
    size_t size;
    char text[];
} detail_block;

static _Thread_local error_record record;

static const brant_error no_error = {BRANT_OK, "OK", "", 0, "{}", 2};

/* ---- the heap block of a long detail --------------------------------------------------------- */

static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool key_made;

static void block_free(void *memory) {
    detail_block *block = memory;

    void (*release)(void *, void *);
    void *context;

    if (!block) return;
    release = block->release;
    context = block->context;
    brant__wipe(block, sizeof(*block) + block->size);
    release(context, block);
}

static void key_make(void) {
    key_made = pthread_key_create(&key, block_free) == 0;
}

#if defined(__GNUC__)
/* A library that is unloaded must not leave its destructor behind for threads that end later. */
__attribute__((destructor)) static void key_drop(void) {
    if (!key_made) return;
    block_free(pthread_getspecific(key));
    pthread_setspecific(key, NULL);
    pthread_key_delete(key);
    key_made = false;
    if (record.error.detail != record.short_detail) {
        record.error.detail = no_error.detail;
        record.error.detail_len = no_error.detail_len;
    }
}
#endif

/* Room for `size` bytes in this thread's block, or NULL. */
static char *block_text(size_t size) {
    brant_allocator allocator;
    detail_block *old, *block;
    size_t capacity = 4096;

    pthread_once(&key_once, key_make);
    if (!key_made || size > DETAIL_LIMIT) return NULL;
    old = pthread_getspecific(key);
    if (old && old->size >= size) return old->text;

    while (capacity < size)
        capacity *= 2;
    brant__allocator_get(&allocator);
    block = allocator.allocate(allocator.context, sizeof(*block) + capacity);
    if (!block) return NULL;
    block->release = allocator.release;
    block->context = allocator.context;
    block->size = capacity;
    if (pthread_setspecific(key, block) != 0) {
        block_free(block);
        return NULL;
    }
    block_free(old);
    record.large = capacity > DETAIL_KEPT;
    return block->text;
}

/* ---- filling --------------------------------------------------------------------------------- */

/* Make the text valid UTF-8 on one line; a code point that the bound cut in two goes. */
static size_t sanitize(char *text, size_t length, bool cut) {
    size_t bad;

    if (cut) {
        size_t start = length;
        while (start > 0 && length - start < 3 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
            start--;
        if (start > 0 && (unsigned char)text[start - 1] >= 0xC0) start--;
        if (brant__utf8_check(text + start, length - start) != SIZE_MAX) length = start;
    }
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7F) text[i] = ' ';
    }
    for (size_t at = 0; (bad = brant__utf8_check(text + at, length - at)) != SIZE_MAX;
         at += bad + 1) {
        text[at + bad] = '?';
    }
    text[length] = '\0';
    return length;
}

static void fill(brant_status code, brant__text detail, const char *format, va_list arguments) {
    /* An argument may be the text of the record itself, when a caller took it back to say it
     * differently. */
    char message[BRANT__ERROR_TEXT];
    char *detail_text = record.short_detail;
    bool cut;
    int written;

    if (record.error.code != BRANT_OK) return;

    written = vsnprintf(message, sizeof(message), format, arguments);
    if (written < 0) written = snprintf(message, sizeof(message), "%s", brant_status_text(code));
    cut = (size_t)written >= sizeof(message);
    record.error.message_len = sanitize(message, cut ? sizeof(message) - 1 : (size_t)written, cut);
    memcpy(record.message, message, record.error.message_len + 1);

    if (detail.length >= BRANT__ERROR_TEXT) {
        detail_text = block_text(detail.length + 1);
        if (!detail_text) {
            detail = BRANT__TEXT("{}");
            detail_text = record.short_detail;
        }
    }
    memmove(detail_text, detail.data, detail.length);
    detail_text[detail.length] = '\0';

    record.error.code = code;
    record.error.name = brant_status_name(code);
    record.error.message = record.message;
    record.error.detail = detail_text;
    record.error.detail_len = detail.length;
}

/* ---- internal -------------------------------------------------------------------------------- */

void brant__error_clear(void) {
    if (BRANT__LIKELY(record.error.code == BRANT_OK)) return;
    record.error.code = BRANT_OK;
    if (record.large && record.error.detail == record.short_detail) {
        block_free(pthread_getspecific(key));
        pthread_setspecific(key, NULL);
        record.large = false;
    }
}

brant_status brant__fail(brant_status code, const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    fill(code, BRANT__TEXT("{}"), format, arguments);
    va_end(arguments);
    return record.error.code;
}

brant_status brant__fail_detail(brant_status code, brant__text detail, const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    fill(code, detail.length ? detail : BRANT__TEXT("{}"), format, arguments);
    va_end(arguments);
    return record.error.code;
}

brant_status brant__fail_memory(void) {
    return brant__fail(BRANT_NO_MEMORY, "out of memory");
}

brant_status brant__error_code(void) {
    brant_status code = record.error.code;

    /* The texts stay readable through an earlier brant_last_error() until the next failure. */
    record.error.code = BRANT_OK;
    return code;
}

void brant__error_keep(brant__kept_error *out) {
    out->error = record.error;
    if (BRANT__LIKELY(record.error.code == BRANT_OK)) return;
    out->block = NULL;
    memcpy(out->message, record.message, record.error.message_len + 1);
    if (record.error.detail == record.short_detail) {
        memcpy(out->short_detail, record.short_detail, record.error.detail_len + 1);
    } else {
        out->block = pthread_getspecific(key);
        pthread_setspecific(key, NULL);
        record.large = false;
    }
    record.error.code = BRANT_OK;
}

void brant__error_restore(brant__kept_error *kept) {
    detail_block *block;

    brant__error_clear();
    if (BRANT__LIKELY(kept->error.code == BRANT_OK)) return;
    record.error = kept->error;
    memcpy(record.message, kept->message, kept->error.message_len + 1);
    block = kept->block;
    if (!block) {
        memcpy(record.short_detail, kept->short_detail, kept->error.detail_len + 1);
        return;
    }
    block_free(pthread_getspecific(key));
    record.large = block->size > DETAIL_KEPT;
    pthread_setspecific(key, block); /* which has had a value on this thread: it needs no memory */
}

void brant__error_forget(brant__kept_error *kept) {
    if (kept->error.code != BRANT_OK) block_free(kept->block);
}

/* ---- public ---------------------------------------------------------------------------------- */

const brant_error *brant_last_error(void) {
    return record.error.code == BRANT_OK ? &no_error : &record.error;
}
