/*
 * crossing.h: what swig/go.i does beside each call, inside the same native call. A goroutine's next call may be on another thread,
 * where the error record is somebody else's; and a native call costs more than copying a small answer.
 */
#ifndef BRANT_GO_CROSSING_H
#define BRANT_GO_CROSSING_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "brant.h"

/* Go's Result, field by field. `lent` is what brant_free must still release; `text` holds the answer when it is NULL. */
typedef struct brant_go_answer {
    char *lent;
    size_t length;
    char text[4096];
} brant_go_answer;

static inline void brant_go_answer_set(brant_go_answer *answer, char *text, size_t length) {
    answer->lent = NULL;
    answer->length = text ? length : 0;
    if (!text) return;
    if (length > sizeof answer->text) {
        answer->lent = text;
        return;
    }
    memcpy(answer->text, text, length);
    brant_free(text);
}

/* A copy of the error record; Go's record, field by field. The message comes first, the detail follows. */
typedef struct brant_go_record {
    uint64_t code;
    uint64_t message_len;
    uint64_t detail_len;
    char text[];
} brant_go_record;

/* 0 for BRANT_OK, else the address of a copy of the record, which crossing.go wipes and frees. */
static inline unsigned long long brant_go_failure(brant_status status) {
    if (status == BRANT_OK) return 0;
    const brant_error *error = brant_last_error();
    brant_go_record *record = (brant_go_record *)malloc(sizeof *record + error->message_len + error->detail_len);
    if (!record) abort(); /* what Go itself does without memory */
    record->code = (uint64_t)status;
    record->message_len = error->message_len;
    record->detail_len = error->detail_len;
    memcpy(record->text, error->message, error->message_len);
    memcpy(record->text + error->message_len, error->detail, error->detail_len);
    return (unsigned long long)(uintptr_t)record;
}

#endif
