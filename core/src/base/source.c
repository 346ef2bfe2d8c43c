/*
 * base/source.c: what comes from the system: time, random bytes, and the identifiers made of both.
 */
#if !defined(_DEFAULT_SOURCE)
#define _DEFAULT_SOURCE /* getentropy, syscall */
#endif

#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/random.h>
#endif

static int64_t clock_now(clockid_t clock) {
    struct timespec now = {0};

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + (int64_t)now.tv_nsec / 1000000;
}

int64_t brant__system_now(void) {
    return clock_now(CLOCK_REALTIME);
}

int64_t brant__monotonic_now(void) {
    return clock_now(CLOCK_MONOTONIC);
}

/* For a kernel or sandbox without the system call. */
static bool random_device(uint8_t *bytes, size_t length) {
    int file = open("/dev/urandom", O_RDONLY | O_CLOEXEC);

    if (file < 0) return false;
    while (length > 0) {
        ssize_t got = read(file, bytes, length);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        bytes += got;
        length -= (size_t)got;
    }
    close(file);
    return length == 0;
}

bool brant__system_random(void *bytes, size_t length) {
    uint8_t *at = bytes;

#if defined(__linux__)
    while (length > 0) {
        ssize_t got = getrandom(at, length, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        at += got;
        length -= (size_t)got;
    }
#endif
    return length == 0 || random_device(at, length);
}

uint64_t brant__hash_seed(void) {
    /* Drawn once for the process and constant afterwards; 0 means not yet. */
    static _Atomic uint64_t seed;
    uint64_t value = atomic_load_explicit(&seed, memory_order_relaxed);
    uint64_t drawn = 0;

    if (BRANT__LIKELY(value != 0)) return value;
    if (!brant__system_random(&drawn, sizeof(drawn))) {
        /* No source at all: address-space layout and time are the best guess-proof thing left. */
        drawn = (uint64_t)(uintptr_t)&value ^ (uint64_t)(uintptr_t)&seed << 20 ^
                (uint64_t)brant__system_now() << 32;
    }
    drawn |= 1;
    if (atomic_compare_exchange_strong(&seed, &value, drawn)) value = drawn;
    return value;
}

void brant__uuid_v7(char out[37], int64_t now, const uint8_t random[10]) {
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[16];
    char *at = out;

    for (int i = 0; i < 6; i++)
        bytes[i] = (uint8_t)((uint64_t)now >> (40 - 8 * i));
    memcpy(bytes + 6, random, 10);
    bytes[6] = (uint8_t)(0x70 | (bytes[6] & 0x0F)); /* version 7 */
    bytes[8] = (uint8_t)(0x80 | (bytes[8] & 0x3F)); /* variant 10 */
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *at++ = '-';
        *at++ = digits[bytes[i] >> 4];
        *at++ = digits[bytes[i] & 15];
    }
    *at = '\0';
}
