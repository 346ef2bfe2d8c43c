/*
 * exchange/source.c: the bytes of an import: a text, or a file of which a piece at a time is in memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exchange/import.h"

#define PIECE_BYTES  ((size_t)1 << 20)
#define DIGEST_BYTES ((size_t)64 << 10)

brant_status brant__source_open(brant__source *source, brant__call *call, brant__text path,
                                size_t longest) {
    const char *name = brant__arena_copy(call->arena, path.data, path.length);
    struct stat facts;
    int error;

    *source = (brant__source){.file = -1, .longest = longest};
    if (!name) return brant__fail_memory();
    if (path.length == 0 || strlen(name) != path.length)
        return brant__fail(BRANT_INVALID, "path is empty or has a NUL");
    /* Not to wait for a writer where the path is a FIFO. */
    source->file = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (source->file < 0) {
        error = errno;
        return brant__fail(error == ENOENT || error == ENOTDIR ? BRANT_NOT_FOUND : BRANT_IO,
                           "%s: %s", brant__quoted(call, path), strerror(error));
    }
    if (fstat(source->file, &facts) != 0)
        return brant__fail(BRANT_IO, "%s: %s", brant__quoted(call, path), strerror(errno));
    if (!S_ISREG(facts.st_mode))
        return brant__fail(BRANT_INVALID, "%s is no regular file", brant__quoted(call, path));
    source->size = (int64_t)facts.st_size;
    source->modified =
        (int64_t)facts.st_mtim.tv_sec * INT64_C(1000000000) + (int64_t)facts.st_mtim.tv_nsec;
    return BRANT_OK;
}

void brant__source_text(brant__source *source, brant__text text) {
    *source = (brant__source){
        .file = -1, .text = text, .size = (int64_t)text.length, .longest = text.length};
}

void brant__source_close(brant__source *source) {
    if (source->file >= 0) close(source->file);
    brant__free(source->piece);
    *source = (brant__source){.file = -1};
}

/* Read the piece that begins at `offset`, of at least `length` bytes. */
static brant_status load(brant__source *source, int64_t offset, size_t length) {
    size_t wanted = length < PIECE_BYTES ? PIECE_BYTES : length + length / 2;
    size_t have = 0;

    if (source->capacity < wanted) {
        char *grown = brant__alloc(wanted);
        if (!grown) return brant__fail_memory();
        brant__free(source->piece);
        source->piece = grown;
        source->capacity = wanted;
    }
    source->piece_at = offset;
    source->piece_length = 0;
    while (have < source->capacity) {
        ssize_t got = pread(source->file, source->piece + have, source->capacity - have,
                            (off_t)(offset + (int64_t)have));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return brant__fail(BRANT_IO, "reading the file: %s", strerror(errno));
        if (got == 0) break;
        have += (size_t)got;
    }
    source->piece_length = have;
    return BRANT_OK;
}

brant_status brant__source_get(brant__text *out, brant__source *source, int64_t offset,
                               size_t length) {
    int64_t rest = source->size - offset;
    brant_status status;

    *out = (brant__text){"", 0};
    if (rest <= 0) return BRANT_OK;
    if ((int64_t)length > rest) length = (size_t)rest;
    if (length > source->longest)
        return brant__fail(BRANT_LIMIT,
                           "the item at byte %lld is longer than limits.document (%zu bytes)",
                           (long long)offset, source->longest);
    if (source->file < 0) {
        *out = brant__text_of(source->text.data + offset, (size_t)rest);
        return BRANT_OK;
    }
    if (offset < source->piece_at ||
        offset + (int64_t)length > source->piece_at + (int64_t)source->piece_length) {
        status = load(source, offset, length);
        if (status != BRANT_OK) return status;
        if (source->piece_length < length)
            return brant__fail(BRANT_CONFLICT, "the file became shorter while it was read");
    }
    out->data = source->piece + (offset - source->piece_at);
    out->length = source->piece_length - (size_t)(offset - source->piece_at);
    if ((int64_t)out->length > rest) out->length = (size_t)rest;
    return BRANT_OK;
}

brant_status brant__source_digest(uint64_t *out, brant__source *source) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    brant__text text;
    brant_status status = brant__source_get(
        &text, source, 0, source->longest < DIGEST_BYTES ? source->longest : DIGEST_BYTES);

    if (status != BRANT_OK) return status;
    for (size_t i = 0; i < text.length && i < DIGEST_BYTES; i++)
        hash = (hash ^ (unsigned char)text.data[i]) * UINT64_C(0x100000001b3);
    *out = hash;
    return BRANT_OK;
}
