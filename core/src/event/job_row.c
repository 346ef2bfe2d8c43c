/*
 * event/job_row.c: a job's row as JSON.
 */
#include "event/job.h"

enum { AFTER, UNIQUE };
static const char *const sql[] = {
    [AFTER] = "SELECT after FROM job_dependencies WHERE job = :job ORDER BY after",
    [UNIQUE] = "SELECT key FROM job_uniques WHERE job = :job LIMIT 1",
};
const brant__statements brant__job_row_statements = {BRANT__TABLE_JOB_ROW, BRANT__COUNT(sql), sql};

/* ---- rows -------------------------------------------------------------------------------------------- */

static void write_integer(brant__writer *out, const char *name, brant__statement *row, int column) {
    if (brant__column_null(row, column)) return;
    brant__write_integer_member(out, name, brant__column_integer(row, column));
}

static void write_text(brant__writer *out, const char *name, brant__text text) {
    if (!text.data) return;
    brant__write_text_member(out, name, text);
}

static void write_json(brant__writer *out, const char *name, brant__text json) {
    if (!json.data) return;
    brant__write_name(out, name);
    brant__write_raw(out, json);
}

static brant_status write_after(brant__writer *out, brant_db *db, int64_t id) {
    brant__statement *statement = NULL;
    bool row = false;
    brant_status status = BRANT_OK;
    BRANT__TRY(brant__statement_get(&statement, db, &brant__job_row_statements, AFTER));
    brant__bind_integer(statement, 1, id);
    for (;;) {
        BRANT__TRY(brant__step(&row, db, statement));
        if (!row) break;
        brant__write_integer(out, brant__column_integer(statement, 0));
    }
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status write_unique(brant__writer *out, brant_db *db, int64_t id) {
    brant__statement *statement = NULL;
    bool row = false;
    brant_status status = BRANT_OK;
    BRANT__TRY(brant__statement_get(&statement, db, &brant__job_row_statements, UNIQUE));
    brant__bind_integer(statement, 1, id);
    BRANT__TRY(brant__step(&row, db, statement));
    if (row) write_text(out, "unique_key", brant__column_text(statement, 0));
cleanup:
    brant__reset(statement);
    return status;
}

brant_status brant__job_write(brant__writer *out, brant_db *db, const brant__queue *queue,
                              brant__statement *row) {
    const int64_t id = brant__column_integer(row, 0), state = brant__column_integer(row, 2);
    const brant__text errors = brant__column_text(row, 16);
    brant_status status = BRANT_OK;
    if (state < 0 || state >= BRANT__JOB_STATES)
        return brant__fail(BRANT_CORRUPT, "the row of job %lld is damaged", (long long)id);
    const char *name = brant__job_state_names[state];
    brant__write_object(out);
    brant__write_integer_member(out, "id", id);
    write_text(out, "queue", brant__queue_name(queue));
    write_text(out, "state", brant__text_string(name));
    brant__write_integer_member(out, "priority", brant__column_integer(row, 3));
    brant__payload_write(out, brant__payload_column(row, 4));
    write_text(out, "key", brant__column_text(row, 5));
    brant__write_integer_member(out, "attempt", brant__column_integer(row, 6));
    brant__write_integer_member(out, "max_attempts",
                                brant__column_null(row, 7) ? queue->policy.max_attempts
                                                           : brant__column_integer(row, 7));
    write_integer(out, "run_at", row, 8);
    write_integer(out, "expires_at", row, 9);
    write_integer(out, "lease_until", row, 10);
    write_text(out, "worker", brant__column_text(row, 11));
    write_integer(out, "claimed_at", row, 12);
    write_integer(out, "finished_at", row, 13);
    write_json(out, "progress", brant__column_text(row, 14));
    write_json(out, "result", brant__column_text(row, 15));
    write_json(out, "errors", errors.data ? errors : BRANT__TEXT("[]"));
    brant__write_name(out, "after");
    brant__write_array(out);
    if (brant__column_integer(row, 20) > 0) BRANT__TRY(write_after(out, db, id));
    brant__write_end(out);
    BRANT__TRY(write_unique(out, db, id));
    brant__write_bool_member(out, "cancel_requested", brant__column_integer(row, 17) != 0);
    write_text(out, "schedule", brant__column_text(row, 18));
    brant__write_integer_member(out, "created_at", brant__column_integer(row, 19));
    brant__write_end(out);
cleanup:
    return status;
}
