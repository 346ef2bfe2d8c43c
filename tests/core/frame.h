/*
 * tests/core/frame.h: requests of brant_sql_run, built by hand from what the header says, and answers taken apart.
 */
#ifndef BRANT_TESTS_FRAME_H
#define BRANT_TESTS_FRAME_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "brant.h"

typedef struct frame {
    char bytes[4096];
    size_t length;
} frame;

static inline void put_number(frame *self, uint64_t number, unsigned bytes) {
    for (unsigned i = 0; i < bytes; i++)
        self->bytes[self->length++] = (char)(number >> 8 * i & 255u);
}

static inline void put_bytes(frame *self, const void *bytes, size_t length) {
    put_number(self, length, 4);
    if (length > 0) memcpy(self->bytes + self->length, bytes, length);
    self->length += length;
}

/* The request up to the first run's values. */
static inline frame request(unsigned flags, unsigned limit, const char *sql, unsigned runs) {
    frame self = {.length = 0};
    put_number(&self, flags, 4);
    put_number(&self, limit, 4);
    put_bytes(&self, sql, strlen(sql));
    put_number(&self, runs, 4);
    return self;
}

static inline void put_run(frame *self, unsigned count, unsigned named) {
    put_number(self, count, 4);
    put_number(self, named, 4);
}

static inline frame without_values(unsigned flags, unsigned limit, const char *sql) {
    frame self = request(flags, limit, sql, 1);
    put_run(&self, 0, 0);
    return self;
}

static inline frame go_on(unsigned flags, unsigned limit, int64_t cursor) {
    frame self = {.length = 0};
    put_number(&self, flags | BRANT_SQL_CURSOR, 4);
    put_number(&self, limit, 4);
    put_number(&self, (uint64_t)cursor, 8);
    return self;
}

static inline void put_integer(frame *self, int64_t value) {
    put_number(self, 1, 1);
    put_number(self, (uint64_t)value, 8);
}

static inline void put_float(frame *self, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_number(self, 2, 1);
    put_number(self, bits, 8);
}

static inline void put_text(frame *self, const char *value) {
    put_number(self, 3, 1);
    put_bytes(self, value, strlen(value));
}

static inline void put_blob(frame *self, const void *value, size_t length) {
    put_number(self, 4, 1);
    put_bytes(self, value, length);
}

static inline void put_null(frame *self) {
    put_number(self, 5, 1);
}

static inline uint64_t take_number(const char **at, unsigned bytes) {
    uint64_t number = 0;
    for (unsigned i = 0; i < bytes; i++)
        number |= (uint64_t)(unsigned char)*(*at)++ << 8 * i;
    return number;
}

/*
 * An answer as text: "a:INTEGER! b | 1 0.5 | 'x' x'00ff' null | changes 1 rowid 2 cursor 0 tail 0 parameters 1". A type stands behind its column if types were asked for, "!" is NOT NULL.
 */
static inline void print_answer(char *out, size_t size, const char *answer, size_t length,
                                bool types) {
    const char *at = answer, *const end = answer + length;
    const int64_t changes = (int64_t)take_number(&at, 8), rowid = (int64_t)take_number(&at, 8);
    const int64_t cursor = (int64_t)take_number(&at, 8);
    const uint64_t tail = take_number(&at, 8), parameters = take_number(&at, 4);
    const uint64_t columns = take_number(&at, 4), rows = take_number(&at, 8);
    size_t used = 0;
    const char *names = at;
#define PRINT(...) used += (size_t)snprintf(out + used, used < size ? size - used : 0, __VA_ARGS__)
    for (uint64_t i = 0; i < columns; i++) {
        const size_t bytes = (size_t)take_number(&at, 4);
        at += bytes;
    }
    for (uint64_t i = 0; i < columns; i++) {
        size_t bytes = (size_t)take_number(&names, 4);
        PRINT("%s%.*s", i ? " " : "", (int)bytes, names);
        names += bytes;
        const uint64_t known = types ? take_number(&at, 1) : 0;
        if (!known) continue;
        bytes = (size_t)take_number(&at, 4);
        PRINT(":%.*s%s", (int)bytes, at, known == 2 ? "!" : "");
        at += bytes;
    }
    for (uint64_t row = 0; row < rows; row++) {
        PRINT(" |");
        for (uint64_t i = 0; i < columns; i++) {
            const uint64_t type = take_number(&at, 1);
            uint64_t bits = type < 3 ? take_number(&at, 8) : type < 5 ? take_number(&at, 4) : 0;
            double number;
            memcpy(&number, &bits, sizeof number);
            if (type == 1) PRINT(" %lld", (long long)bits);
            if (type == 2) PRINT(" %g", number);
            if (type == 3) PRINT(" '%.*s'", (int)bits, at);
            if (type == 4) PRINT(" x'");
            for (uint64_t byte = 0; type == 4 && byte < bits; byte++)
                PRINT("%02x", (unsigned char)at[byte]);
            if (type == 4) PRINT("'");
            if (type == 5) PRINT(" null");
            if (type == 3 || type == 4) at += bits;
        }
    }
    PRINT(" | changes %lld rowid %lld cursor %lld tail %llu parameters %llu", (long long)changes,
          (long long)rowid, (long long)cursor, (unsigned long long)tail,
          (unsigned long long)parameters);
    if (at != end) PRINT(" and more");
#undef PRINT
}

#endif
