/*
 * event/queue_maintain.c: the part of db.maintain that is about queues.
 *
 * Claims get on with what is due in their own queue, some of it each; here it is done for queues that nobody claims from, and what no claim does.
 */
#include "event/job.h"
#include "event/job_manage.h"
#include "event/metrics.h"

#define CHUNK  500 /* rows in one transaction */
#define QUEUES 100 /* looked at in one transaction */
#define CHUNKS 200 /* transactions of a kind in one call */

enum { NEXT_QUEUE, REMOVABLE, FREE_UNIQUES, STATEMENT_COUNT };
static const char *const sql[STATEMENT_COUNT] = {
    [NEXT_QUEUE] = "SELECT row_id FROM queues WHERE row_id > :after ORDER BY row_id LIMIT 1",
    [REMOVABLE] = "SELECT id FROM jobs INDEXED BY jobs_removal WHERE remove_at IS NOT NULL AND "
                  "remove_at <= :now ORDER BY remove_at LIMIT :limit",
    [FREE_UNIQUES] =
        "DELETE FROM job_uniques WHERE (queue, key) IN (SELECT queue, key FROM job_uniques INDEXED "
        "BY job_uniques_until WHERE until IS NOT NULL AND until <= :now LIMIT :limit)",
};
const brant__statements brant__queue_maintain_statements = {BRANT__TABLE_QUEUE_MAINTAIN,
                                                            STATEMENT_COUNT, sql};

static brant_status get(brant__statement **out, brant_db *db, int which) {
    return brant__statement_get(out, db, &brant__queue_maintain_statements, (size_t)which);
}

/* One bounded piece of work in the running write transaction: how many rows, and whether there may be more. */
typedef struct maintenance {
    int64_t queue; /* of the piece that goes queue by queue: the last that is done */
    int64_t rows;
    bool more;
} maintenance;

static brant_status remove_jobs(maintenance *out, brant_db *db) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    int64_t ids[CHUNK];
    size_t count = 0;
    bool row = false;
    BRANT__TRY(get(&statement, db, REMOVABLE));
    brant__bind_integer(statement, 1, brant__db_now(db));
    brant__bind_integer(statement, 2, CHUNK);
    while (count < CHUNK) {
        BRANT__TRY(brant__step(&row, db, statement));
        if (!row) break;
        ids[count++] = brant__column_integer(statement, 0);
    }
    brant__reset(statement);
    statement = NULL;
    for (size_t i = 0; i < count; i++) {
        brant__job job;
        brant__queue queue;
        BRANT__TRY(brant__job_read(&row, &job, db, ids[i]));
        if (!row) continue;
        BRANT__TRY(brant__queue_of(&queue, db, job.queue));
        BRANT__TRY(brant__job_finish(db, &queue, &job, BRANT__JOB_GONE, (brant__text){NULL, 0},
                                     (brant__text){NULL, 0}));
    }
    out->rows = (int64_t)count;
    out->more = count == CHUNK;
cleanup:
    brant__reset(statement);
    return status;
}

static brant_status free_uniques(maintenance *out, brant_db *db) {
    brant__statement *statement = NULL;
    brant_status status = get(&statement, db, FREE_UNIQUES);
    if (status != BRANT_OK) return status;
    brant__bind_integer(statement, 1, brant__db_now(db));
    brant__bind_integer(statement, 2, CHUNK);
    status = brant__run(db, statement);
    out->more = status == BRANT_OK && brant__changes(db) == CHUNK;
    return status;
}

static brant_status release_dependants(maintenance *out, brant_db *db) {
    return brant__job_release_dependants(&out->more, db);
}

static brant_status next_queue(int64_t *out, brant_db *db, int64_t after) {
    brant_status status = BRANT_OK;
    brant__statement *statement = NULL;
    bool row = false;
    *out = 0;
    BRANT__TRY(get(&statement, db, NEXT_QUEUE));
    brant__bind_integer(statement, 1, after);
    BRANT__TRY(brant__step(&row, db, statement));
    if (row) *out = brant__column_integer(statement, 0);
cleanup:
    brant__reset(statement);
    return status;
}

/* What is due in the next queues: promoted, taken back, expired. Where that is much, no more than one of them. */
static brant_status settle(maintenance *out, brant_db *db) {
    brant_status status = BRANT_OK;
    for (int i = 0; i < QUEUES; i++) {
        brant__queue queue;
        bool more = false;
        int64_t next = 0;
        BRANT__TRY(next_queue(&next, db, out->queue));
        out->more = next != 0;
        if (next == 0) break;
        BRANT__TRY(brant__queue_of(&queue, db, next));
        BRANT__TRY(brant__queue_settle(&more, db, &queue));
        if (more) break;
        out->queue = next;
    }
cleanup:
    return status;
}

static brant_status in_pieces(int64_t *out_rows, brant_db *db,
                              brant_status (*piece)(maintenance *out, brant_db *db)) {
    brant_status status = BRANT_OK;
    maintenance done = {.more = true};
    bool begun = false;
    for (int chunk = 0; done.more && chunk < CHUNKS; chunk++) {
        done.rows = 0;
        done.more = false;
        BRANT__TRY(brant__db_poll(db));
        BRANT__TRY(brant__begin(db, BRANT__WRITE));
        begun = true;
        BRANT__TRY(piece(&done, db));
        BRANT__TRY(brant__commit(db));
        begun = false;
        *out_rows += done.rows;
    }
cleanup:
    if (begun) brant__rollback(db);
    return status;
}

brant_status brant__queue_maintain(int64_t *out_removed, brant_db *db) {
    brant_status status = BRANT_OK;
    int64_t ignored = 0;
    *out_removed = 0;
    BRANT__TRY(in_pieces(&ignored, db, settle));
    BRANT__TRY(in_pieces(&ignored, db, release_dependants));
    BRANT__TRY(in_pieces(out_removed, db, remove_jobs));
    BRANT__TRY(in_pieces(&ignored, db, free_uniques));
    BRANT__TRY(brant__metrics_maintain(db));
cleanup:
    return status;
}
