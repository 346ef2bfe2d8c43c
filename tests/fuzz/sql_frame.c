/*
 * tests/fuzz/sql_frame.c: any bytes as a request of brant_sql_run, twice in one transaction that is rolled back. An answer must be a frame as brant/store.h has it, to its last byte.
 */
#include "file.h"

int LLVMFuzzerInitialize(int *count, char ***arguments) {
    (void)count;
    (void)arguments;
    open_file();
    call("sql.execute", "{\"sql\":\"CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT NOT NULL, c)\"}");
    call("sql.execute", "{\"sql\":\"INSERT INTO t VALUES (?, ?, ?)\",\"batch\":[[1,\"x\",null],"
                        "[2,\"\xc3\xa9\",{\"$base64\":\"AP8=\"}],[3,\"\",0.5]]}");
    return 0;
}

typedef struct reader {
    const unsigned char *at, *end;
} reader;

static uint64_t take(reader *from, unsigned bytes) {
    uint64_t number = 0;
    HOLDS((size_t)(from->end - from->at) >= bytes);
    for (unsigned i = 0; i < bytes; i++)
        number |= (uint64_t)*from->at++ << 8 * i;
    return number;
}

static void skip(reader *from, bool text) {
    const uint64_t length = take(from, 4);
    HOLDS((uint64_t)(from->end - from->at) >= length);
    HOLDS(!text || brant__utf8_check((const char *)from->at, (size_t)length) == SIZE_MAX);
    from->at += length;
}

static void check(const char *answer, size_t length, bool types) {
    reader from = {(const unsigned char *)answer, (const unsigned char *)answer + length};
    take(&from, 8); /* changes */
    take(&from, 8); /* last_insert_rowid */
    take(&from, 8); /* cursor */
    take(&from, 8); /* tail */
    take(&from, 4); /* parameters */
    const uint64_t columns = take(&from, 4), rows = take(&from, 8);
    for (uint64_t i = 0; i < columns; i++)
        skip(&from, true);
    for (uint64_t i = 0; types && i < columns; i++) {
        const uint64_t known = take(&from, 1);
        HOLDS(known <= 2);
        if (known) skip(&from, true);
    }
    for (uint64_t i = 0; columns > 0 && i < rows * columns; i++) {
        const uint64_t type = take(&from, 1);
        HOLDS(type >= 1 && type <= 5);
        if (type < 3) take(&from, 8);
        if (type == 3 || type == 4) skip(&from, type == 3);
    }
    HOLDS(from.at == from.end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const bool types = size > 0 && (data[0] & BRANT_SQL_DESCRIBE) != 0;
    call("transaction.begin", "{}");
    for (int turn = 0; turn < 2; turn++) { /* the second time it may be a statement that was kept */
        char *out = NULL;
        size_t length = 0;
        brant_deadline_set(db, brant__system_now() + 200);
        const brant_status status = brant_sql_run(&out, &length, db, (const char *)data, size);
        brant_deadline_set(db, 0);
        HOLDS((expected(status) || status == BRANT_SQL) && (status == BRANT_OK) == (out != NULL));
        if (out) check(out, length, types);
        brant_free(out);
    }
    char *out = NULL;
    size_t length = 0; /* SQLite may have taken the transaction back */
    brant_call(&out, &length, db, "transaction.rollback", 20, "{}", 2);
    brant_free(out);
    return 0;
}
