/*
 * fuzz.h: what the fuzz targets share. A target is a program of libFuzzer: it must neither crash, leak, hang nor contradict itself, whatever the input.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "brant.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *count, char ***arguments);

/* What must hold whatever the input is. */
#define HOLDS(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: does not hold: %s (%s)\n", __FILE__, __LINE__, #condition,     \
                    brant_last_error()->message);                                                  \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* Failures that bad input explains. Others are faults of the library. */
static inline bool expected(brant_status status) {
    return status != BRANT_INTERNAL && status != BRANT_CORRUPT && status != BRANT_SQL &&
           status != BRANT_NO_MEMORY && status != BRANT_IO && status >= 0 &&
           status < BRANT_STATUS_COUNT;
}

#endif
